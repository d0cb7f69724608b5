//! One physical occurrence - an explosion, a launch - that an engine inferred
//! from arrivals at the stations of a network: of sound, of waves in the ground,
//! or of infrasound.

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

/// Which waves an event was inferred from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wave {
    /// Sound in air at single sensors.
    #[default]
    Sound,
    /// P and S waves in the ground.
    Seismic,
    /// Infrasound at arrays, which tell its direction.
    Infrasound,
}

impl Wave {
    /// The code used in files and shown to people.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Seismic => "seismic",
            Self::Infrasound => "infrasound",
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
    fn is_sound(&self) -> bool {
        *self == Self::Sound
    }
}

/// How deep an event was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Depth {
    /// Below the level that heights of stations count from, metres.
    pub m: f64,
    /// Its error, one standard deviation, metres.
    pub sigma_m: f64,
}

/// An inferred occurrence, with its probability of being one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Derived from the earliest arrival that belongs to it.
    pub id: Id,
    /// The source whose network it was inferred from.
    pub network: String,
    /// From which waves.
    #[serde(default, skip_serializing_if = "Wave::is_sound")]
    pub wave: Wave,
    /// Origin time, with its error.
    pub when: Occurrence,
    /// Place, with its covariance.
    pub place: Located,
    /// Depth, if the waves tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<Depth>,
    /// P(there was an occurrence), by the calibration of the engine.
    pub probability: Probability,
    /// Log-odds of the evidence before calibration, nats.
    pub evidence: f64,
    /// Source level, dB at 1 km, if the waves tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_db: Option<f64>,
    /// Magnitude, if the waves tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magnitude: Option<f64>,
    /// What it may have been if it took place, innocent causes included,
    /// likeliest first; empty if the engine does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassShare>,
    /// What belongs to it, in record order.
    pub arrivals: Vec<Arrival>,
}
