//! One physical occurrence - an explosion, a launch - that an engine inferred
//! from arrivals at the stations of a network.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::incident::ClassShare;
use crate::observation::RecordPosition;
use crate::place::Located;
use crate::probability::Probability;
use crate::time::Occurrence;

/// An arrival that belongs to an event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrival {
    /// The observation.
    pub observation: Id,
    /// Where it stands in the record.
    pub at: RecordPosition,
}

/// An inferred occurrence, with its probability of being one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Derived from the earliest arrival that belongs to it.
    pub id: Id,
    /// The source whose network it was inferred from.
    pub network: String,
    /// Origin time, with its error.
    pub when: Occurrence,
    /// Place, with its covariance.
    pub place: Located,
    /// P(there was an occurrence), by the calibration of the engine.
    pub probability: Probability,
    /// Log-odds of the evidence before calibration, nats.
    pub evidence: f64,
    /// Source level, dB at 1 km.
    pub level_db: f64,
    /// What it may have been if it took place, innocent causes included,
    /// likeliest first; empty if the engine does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassShare>,
    /// What belongs to it, in record order.
    pub arrivals: Vec<Arrival>,
}
