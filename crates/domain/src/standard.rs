//! How sure one must be, and how grave a breach is: two scales that agreements
//! lay down and people judge by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Standard of proof, weakest first (VERIFICATION E3): the ladder of
/// fact-finding bodies. Each includes those before it; what each is used for is
/// laid down by the agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Standard {
    /// Indication: a credible signal that needs more.
    S1,
    /// Reasonable grounds: probable enough, and the structure rule holds.
    S2,
    /// Clear and convincing: alternatives tested, reply heard, two verifiers.
    S3,
    /// As S3, with evidence that bears on the actor, panel and printed dissent.
    S4,
    /// Overwhelming, for event and actor; no point of a reply is open.
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

    /// The meaning.
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

/// How grave a breach is (VERIFICATION E, "Severity"): what queues, clocks and
/// commitments depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Administrative.
    S0,
    /// Presence or weapon breach without fire.
    S1,
    /// Fire without casualties or damage.
    S2,
    /// Fire with casualties or damage to a protected object, or repeated within 24 hours.
    S3,
    /// Combined or spreading attack, or movement across the line.
    S4,
}

impl Severity {
    /// All of them, least first.
    pub const ALL: [Self; 5] = [Self::S0, Self::S1, Self::S2, Self::S3, Self::S4];

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::S2 => "S2",
            Self::S3 => "S3",
            Self::S4 => "S4",
        }
    }

    /// The meaning.
    pub const fn title(self) -> &'static str {
        match self {
            Self::S0 => "administrative",
            Self::S1 => "presence or weapon breach without fire",
            Self::S2 => "fire without casualties or damage",
            Self::S3 => "fire with casualties or damage to a protected object, or repeated",
            Self::S4 => "combined or spreading attack",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?} {}", self.title())
    }
}
