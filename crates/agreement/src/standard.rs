//! How sure one must be, and how grave a breach is.

use std::fmt;

use domain::Probability;
use serde::{Deserialize, Serialize};

/// Standard of proof, weakest first. The ladder of fact-finding bodies; what
/// each is used for is laid down by the agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Standard {
    /// Indication: a credible signal that needs more.
    S1,
    /// Reasonable grounds to believe.
    S2,
    /// Clear and convincing.
    S3,
    /// Clear and convincing, with evidence that bears on who did it.
    S4,
    /// Overwhelming, for the event and for who did it.
    S5,
}

impl Standard {
    /// All of them, weakest first.
    pub const ALL: [Self; 5] = [Self::S1, Self::S2, Self::S3, Self::S4, Self::S5];

    /// Least probability of the event, unless the agreement says otherwise.
    /// S1 has none.
    pub const fn least_probability(self) -> Option<f64> {
        match self {
            Self::S1 => None,
            Self::S2 => Some(0.80),
            Self::S3 | Self::S4 => Some(0.90),
            Self::S5 => Some(0.97),
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::S1 => "indication",
            Self::S2 => "reasonable grounds",
            Self::S3 => "clear and convincing",
            Self::S4 => "clear and convincing, with evidence of who did it",
            Self::S5 => "overwhelming",
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} {}", self.title())
    }
}

/// How grave a breach is: what queues, clocks and commitments depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Administrative.
    S0,
    /// Presence of forces or weapons, without fire.
    S1,
    /// Fire without casualties or damage.
    S2,
    /// Fire with casualties or damage to a protected object, or repeated.
    S3,
    /// Combined or spreading attack, or movement across the line.
    S4,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 5] = [Self::S0, Self::S1, Self::S2, Self::S3, Self::S4];

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::S0 => "administrative",
            Self::S1 => "presence without fire",
            Self::S2 => "fire without harm",
            Self::S3 => "fire with harm, or repeated",
            Self::S4 => "combined or spreading attack",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} {}", self.title())
    }
}

/// The threshold of the agreement for a standard, where it is its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The standard.
    pub standard: Standard,
    /// Least probability, in [0, 1].
    pub probability: crate::Contested<Probability>,
    /// What it is used for.
    #[serde(default)]
    pub used_for: crate::Localised,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: crate::Citation,
}
