//! Who stands behind the agreement, and how far each has come: saying is not
//! signing, signing is not ratifying, and ratifying is not deploying.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::citation::{Citation, Localised};

/// A state or organisation that has undertaken commitments, or is said to.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guarantor {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// True for a coalition or organisation; its members are guarantors too.
    #[serde(default)]
    pub members: Vec<String>,
    /// How many members it has, as stated, where they are not all named.
    pub members_stated: Option<u32>,
    /// How it takes part, as a whole. Participating is not being bound.
    #[serde(default = "made")]
    pub modality: Modality,
    /// Whether it signed the agreement. None: not stated.
    pub signatory: Option<bool>,
    /// What its law asks for before it is bound ("approval by parliament").
    #[serde(default)]
    pub procedure: Localised,
    /// Where that stands.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

const fn made() -> Modality {
    Modality::Made
}

/// With what force something was said. Readiness is not commitment, and an
/// endorsement is not a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modality {
    /// Said not to be so.
    Denied,
    /// Asked for by somebody else.
    Demanded,
    /// Asserted by somebody who is not the obligor.
    Claimed,
    /// Talked about.
    UnderDiscussion,
    /// Put forward.
    Proposed,
    /// Support for what others undertook; binds nobody.
    Endorsed,
    /// Readiness.
    Ready,
    /// Undertaken by the obligor.
    Made,
}

impl Modality {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Demanded => "demanded by others",
            Self::Claimed => "claimed by others",
            Self::UnderDiscussion => "under discussion",
            Self::Proposed => "proposed",
            Self::Endorsed => "endorsed",
            Self::Ready => "readiness declared",
            Self::Made => "undertaken",
        }
    }

    /// True only for what the obligor undertook itself.
    pub const fn binds(self) -> bool {
        matches!(self, Self::Made)
    }
}

/// How far a guarantor has come with a commitment. In order, except that a
/// suspension can come after any step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalStep {
    /// Said in public.
    Announced,
    /// Signed.
    Signed,
    /// Put before parliament.
    Submitted,
    /// Approved.
    Ratified,
    /// Paid for.
    Funded,
    /// Units or goods named.
    Allocated,
    /// Arrived.
    InTheatre,
    /// Ready to act.
    Operational,
    /// Done at least once, in an exercise or for real.
    Exercised,
    /// Taken back for now.
    Suspended,
}

impl LegalStep {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Signed => "signed",
            Self::Submitted => "submitted",
            Self::Ratified => "ratified",
            Self::Funded => "funded",
            Self::Allocated => "allocated",
            Self::InTheatre => "in theatre",
            Self::Operational => "operational",
            Self::Exercised => "exercised",
            Self::Suspended => "suspended",
        }
    }
}

impl fmt::Display for LegalStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

/// One rung that a guarantor has reached.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// The guarantor.
    pub guarantor: String,
    /// The commitment; none if it is said of all of its commitments.
    pub commitment: Option<String>,
    /// The step.
    pub step: LegalStep,
    /// Since when; none if no day is known.
    pub date: Option<Date>,
    /// What it holds back.
    #[serde(default)]
    pub reservation: Localised,
    /// Who says so.
    #[serde(default)]
    pub citation: Citation,
}

/// What is known of a guarantor's ladder at a date.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing<'a> {
    /// The highest step reached by then; none if there is no record of any.
    pub step: Option<LegalStep>,
    /// True if the last word is a suspension.
    pub suspended: bool,
    /// Reservations made by then.
    pub reservations: Vec<&'a Rung>,
}

/// How far a guarantor had come with a commitment at a date: undated rungs
/// count from the beginning.
pub fn standing<'a>(
    ladder: &'a [Rung],
    guarantor: &str,
    commitment: &str,
    at: Date,
) -> Standing<'a> {
    let mut rungs: Vec<&Rung> = ladder
        .iter()
        .filter(|rung| {
            rung.guarantor == guarantor
                && rung.commitment.as_deref().is_none_or(|about| about == commitment)
                && rung.date.is_none_or(|date| date <= at)
        })
        .collect();
    rungs.sort_by_key(|rung| (rung.date, rung.step));
    Standing {
        step: rungs.iter().map(|rung| rung.step).filter(|step| *step != LegalStep::Suspended).max(),
        suspended: rungs.last().is_some_and(|rung| rung.step == LegalStep::Suspended),
        reservations: rungs.into_iter().filter(|rung| !rung.reservation.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(step: LegalStep, date: &str) -> Rung {
        Rung {
            guarantor: "x".into(),
            commitment: None,
            step,
            date: Some(date.parse().unwrap()),
            reservation: Localised::default(),
            citation: Citation::default(),
        }
    }

    /// TEXTS 0.9: a pledge is not a mandate is not a deployment.
    #[test]
    fn t09_the_ladder_is_read_as_of_a_date() {
        let ladder = [
            rung(LegalStep::Announced, "2025-09-04"),
            rung(LegalStep::Signed, "2026-01-06"),
            rung(LegalStep::Suspended, "2026-02-01"),
        ];
        let at = |date: &str| standing(&ladder, "x", "c", date.parse().unwrap());
        assert_eq!(at("2025-01-01").step, None);
        assert_eq!(at("2025-12-31").step, Some(LegalStep::Announced));
        assert_eq!(at("2026-01-06").step, Some(LegalStep::Signed));
        assert!(at("2026-02-02").suspended && !at("2026-01-31").suspended);
    }
}
