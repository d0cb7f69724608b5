//! What is known of the arrays of a global network: one versioned value, fitted
//! by [`super::fit()`] on what the network once heard of known events.

use serde::{Deserialize, Serialize};

use super::GLOBE_FEATURES;
use crate::model::{Calibration, NotAModel};

/// Version of the global engine: part of every summary. Count it up with any
/// change that can change a result.
pub const GLOBE_ENGINE_VERSION: u32 = 2;

/// The performance of a global network of arrays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Performance {
    /// Name of this version; goes into `summary.json`.
    pub version: String,
    /// Events on the whole earth per second.
    pub events_per_s: f64,
    /// Magnitude of the smallest events.
    pub magnitude_min: f64,
    /// Magnitude of the largest.
    pub magnitude_max: f64,
    /// By how much larger ones are e times rarer: 0.434 for a Gutenberg-Richter b of 1.
    pub magnitude_scale: f64,
    /// The arrays, by name.
    pub stations: Vec<StationPerformance>,
    /// The calibration map of probabilities.
    #[serde(default = "unfitted")]
    pub calibration: Calibration,
    /// That of events of which far arrays have not been waited for. Without it they are
    /// stated as if nothing were to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preliminary: Option<Calibration>,
    /// Factor on the covariance so that ellipses hold what they say.
    #[serde(default = "one")]
    pub inflation: f64,
}

/// The evidence as it is, times the share of the posterior that is within reach.
pub(super) fn unfitted() -> Calibration {
    let mut weights = vec![0.0; GLOBE_FEATURES.len()];
    weights[1] = 1.0;
    Calibration { weights, fitted_on: "nothing: the model's own".into() }
}

fn one() -> f64 {
    1.0
}

/// The performance of one array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationPerformance {
    /// Its name.
    pub station: String,
    /// Log-odds that it detects an event: constant, per magnitude, per degree of distance.
    pub detection: [f64; 3],
    /// Scale of the Laplace law of arrival times, s.
    pub time_s: f64,
    /// Scale of that of azimuths, degrees.
    pub azimuth_deg: f64,
    /// Scale of that of slownesses, s/degree.
    pub slowness_s_deg: f64,
    /// Mean of the natural log of the amplitude: constant, per magnitude, per degree.
    pub amplitude: [f64; 3],
    /// Standard deviation about it.
    pub amplitude_sd: f64,
    /// False alarms per second.
    pub false_per_s: f64,
    /// Middle of the Cauchy law of the natural log of their amplitude.
    pub false_amplitude: f64,
    /// Its scale.
    pub false_amplitude_scale: f64,
}

impl Performance {
    /// Reads a performance from JSON.
    ///
    /// # Errors
    ///
    /// Not JSON, a field that is unknown or missing, or a number that makes no sense.
    pub fn parse(text: &str) -> Result<Self, NotAModel> {
        let read: Self = serde_json::from_str(text)?;
        let mut positive = vec![
            ("events_per_s", read.events_per_s),
            ("magnitude_scale", read.magnitude_scale),
            ("magnitude_max less magnitude_min", read.magnitude_max - read.magnitude_min),
            ("inflation", read.inflation),
        ];
        let mut finite = vec![("magnitude_min", read.magnitude_min)];
        for s in &read.stations {
            positive.extend([
                ("time_s", s.time_s),
                ("azimuth_deg", s.azimuth_deg),
                ("slowness_s_deg", s.slowness_s_deg),
                ("amplitude_sd", s.amplitude_sd),
                ("false_per_s", s.false_per_s),
                ("false_amplitude_scale", s.false_amplitude_scale),
            ]);
            finite.push(("false_amplitude", s.false_amplitude));
            finite.extend(s.detection.map(|value| ("detection", value)));
            finite.extend(s.amplitude.map(|value| ("amplitude", value)));
            // Louder events must be louder: magnitudes are found by it.
            positive.push(("amplitude", s.amplitude[1]));
        }
        for (field, map) in [
            ("calibration.weights", Some(&read.calibration)),
            ("preliminary.weights", read.preliminary.as_ref()),
        ] {
            finite.extend(map.into_iter().flat_map(|map| &map.weights).map(|w| (field, *w)));
        }
        for (field, value) in positive {
            if !value.is_finite() || value <= 0.0 {
                return Err(NotAModel::Number { field, value });
            }
        }
        for (field, value) in finite {
            if !value.is_finite() {
                return Err(NotAModel::Number { field, value });
            }
        }
        Ok(read)
    }
}
