//! One incident held against one provision.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::incident::Status;
use crate::probability::Probability;

/// Whether a legal element is there. Three-valued on purpose: what cannot be
/// known is said to be unknown, with the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// Met with this probability.
    Probably(Probability),
    /// Cannot be answered from what is in the record.
    Unknown {
        /// Why not.
        because: String,
    },
}

/// The answer to one element of a provision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// `act`, `object`, `zone`, `time` or `exceptions`.
    pub name: String,
    /// The answer.
    pub met: Met,
}

/// How well an incident fits a provision, under one reading of it.
///
/// Everything here is *given that the incident took place as reported*. It is
/// not a judgement, and it names nobody: who did it is never evaluated here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Derived from incident, agreement version, provision and reading.
    pub id: Id,
    /// The incident.
    pub incident: Id,
    /// Agreement and version, `id@version`.
    pub agreement: String,
    /// The provision.
    pub provision: String,
    /// The reading of contested fields; empty if nothing is contested.
    pub reading: String,
    /// Not above the incident's.
    pub status: Status,
    /// P(the provision was in force at the time).
    pub in_force: Probability,
    /// P(the place lies in its zone); none if the place is not known.
    pub in_zone: Option<Probability>,
    /// Element by element.
    pub elements: Vec<Element>,
    /// Product of the elements that can be answered.
    pub fit: Probability,
    /// True if an element is unknown, so that `fit` is an upper bound.
    pub incomplete: bool,
}
