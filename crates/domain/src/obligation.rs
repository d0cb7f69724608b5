//! What is owed by whom: an instance of a commitment that was called. Plain
//! values; how they come about stands in the crate `guarantees`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::Id;

/// What a guarantor does about an obligation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It was seen and the national procedure begins.
    Acknowledge,
    /// It is being done.
    UnderWay,
    /// It is done.
    Fulfil,
    /// It will not be done.
    Decline,
}

/// How far an obligation has come. The engine itself only proposes, lets
/// lapse, withdraws and voids; everything else is the guarantor's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The engine proposes it.
    Proposed,
    /// Its clock ended without a word of the guarantor.
    Lapsed,
    /// The guarantor has acknowledged it.
    Acknowledged,
    /// The guarantor says that it is under way.
    UnderWay,
    /// The guarantor says that it is done.
    Fulfilled,
    /// The guarantor has declined.
    Declined,
    /// The commitment became void.
    Voided,
    /// The finding that called it was taken back or does not hold any more.
    Withdrawn,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Lapsed => "lapsed",
            Self::Acknowledged => "acknowledged",
            Self::UnderWay => "under way",
            Self::Fulfilled => "fulfilled",
            Self::Declined => "declined",
            Self::Voided => "voided",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether a guarantor may still answer; a lapsed one is answered late.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Proposed | Self::Lapsed | Self::Acknowledged | Self::UnderWay)
    }
}

/// A proposed obligation of one guarantor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// Derived from commitment, guarantor and what called it.
    pub id: Id,
    /// The commitment.
    pub commitment: String,
    /// Its title.
    pub title: String,
    /// The guarantor.
    pub guarantor: String,
    /// Whom it is owed to.
    pub beneficiary: String,
    /// What is owed, one line for each reading of it.
    pub actions: Vec<String>,
    /// How far it has come.
    pub standing: Standing,
    /// The findings that called it; empty if the calendar did.
    pub called_by: Vec<Id>,
    /// When it was first proposed.
    pub since: Timestamp,
    /// Deadlines by reading; a reading without one has no clock that runs.
    pub due: Vec<(String, Option<Timestamp>)>,
    /// Readings under which it is called; one empty name if nothing is contested.
    pub readings: Vec<String>,
    /// Readings under which it is not, or not surely.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_under: Vec<String>,
    /// Why, step by step.
    pub because: Vec<String>,
    /// How far the guarantor has come with the commitment in law and in fact.
    pub legal: String,
    /// What the guarantor holds back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reservations: Vec<String>,
    /// What the guarantor said: entry, moment, words. What came out of order
    /// is marked as such and changed nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<(u64, Timestamp, String)>,
}

impl Obligation {
    /// The last of its deadlines; none if there is none, or if under some
    /// reading no clock runs. Nothing lapses before that.
    pub fn last_due(&self) -> Option<Timestamp> {
        let all: Option<Vec<Timestamp>> = self.due.iter().map(|(_, due)| *due).collect();
        all?.into_iter().max()
    }
}
