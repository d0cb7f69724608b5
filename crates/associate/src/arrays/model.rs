//! What the engine of arrays states of its events: the map from evidence to
//! probability and the size of ellipses, one versioned value.

use serde::{Deserialize, Serialize};

use crate::math;
use crate::model::{Calibration, NotAModel};
use crate::posterior::{COUNT, Features};

/// What the weights of the map of an [`ArrayModel`] belong to, in order.
pub const ARRAY_FEATURES: [&str; 8] = [
    "one",
    "evidence",
    "root of evidence",
    "arrays that heard",
    "log of detections per array",
    "log of the size of the ellipse",
    "log of the rate of other detections",
    "no more than two arrays",
];

/// The calibration map of arrays of infrasound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayModel {
    /// Name of this version; goes into `summary.json`.
    pub version: String,
    /// Factor on the covariance so that ellipses hold what they say.
    pub inflation: f64,
    /// The calibration map of probabilities.
    pub calibration: Calibration,
    /// That of events of which far arrays have not been waited for. Without it they are
    /// stated as if nothing were to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preliminary: Option<Calibration>,
}

/// What there is to know of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw {
    pub evidence: f64,
    /// Arrays that heard it. Those that did not are in the evidence.
    pub arrays: f64,
    pub hits: f64,
    /// Error of its place, km.
    pub size_km: f64,
    /// Mean logarithm of the rate of other detections, per s and degree.
    pub ln_rate: f64,
}

impl From<Raw> for Features {
    fn from(r: Raw) -> Self {
        let e = r.evidence.max(0.0);
        let arrays = r.arrays.max(1.0);
        let mut f = [0.0; COUNT];
        f[..ARRAY_FEATURES.len()].copy_from_slice(&[
            1.0,
            (r.evidence / 10.0).clamp(-1.0, 4.0),
            (e / 5.0).sqrt().min(3.0),
            arrays.min(8.0) / 4.0,
            math::ln((r.hits / arrays).max(1.0)).min(3.0),
            math::ln(r.size_km.max(1.0) / 50.0).clamp(-3.0, 3.0),
            (r.ln_rate + 14.0).clamp(-4.0, 4.0),
            if r.arrays < 2.5 { 1.0 } else { 0.0 },
        ]);
        Self(f)
    }
}

impl ArrayModel {
    /// Reads a model from JSON.
    ///
    /// # Errors
    ///
    /// Not JSON, a field that is unknown or missing, or an inflation that is not
    /// finite and above zero.
    pub fn parse(text: &str) -> Result<Self, NotAModel> {
        let model: Self = serde_json::from_str(text)?;
        let (field, value) = ("inflation", model.inflation);
        if !value.is_finite() || value <= 0.0 {
            return Err(NotAModel::Number { field, value });
        }
        Ok(model)
    }

    /// The model that comes with the engine.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../arrays.json")).expect("the built-in model is tested")
    }
}
