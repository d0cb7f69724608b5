//! What the phase engine believes about picks and sources: one versioned value.

use serde::{Deserialize, Serialize};

use super::kind::{self, PhaseKind};
use crate::model::{Calibration, NotAModel};

/// Version of the phase engine: part of every summary. Count it up with any
/// change that can change a result.
pub const PHASE_ENGINE_VERSION: u32 = 2;

/// The performance model of a network that picks P and S, and its calibration map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PhaseModel {
    /// Name of this version; goes into `summary.json`.
    pub version: String,
    /// Error of a pick, s: the scale of a Student law of four degrees.
    pub pick_s: f64,
    /// Error of the travel time as a share of it.
    pub path_error: f64,
    /// Share of picks that are found of a source however near.
    pub detect_max: f64,
    /// Width of the edge of the reach of a source, km, and beyond that as a share
    /// of the reach.
    pub edge_km: f64,
    /// See [`PhaseModel::edge_km`].
    pub edge_share: f64,
    /// False picks of a station and phase per hour, before anything is known.
    pub false_per_hour: f64,
    /// Sources per square kilometre and day, before anything is known.
    pub events_per_km2_day: f64,
    /// Factor on the covariance so that ellipses hold what they say.
    pub inflation: f64,
    /// What may have made an event, with shares that are not fitted to anything.
    pub kinds: Vec<PhaseKind>,
    /// The calibration map of probabilities.
    pub calibration: Calibration,
    /// That of events of which far stations have not been waited for. Without it they are
    /// stated as if nothing were to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preliminary: Option<Calibration>,
}

impl Default for PhaseModel {
    fn default() -> Self {
        Self {
            version: "seismic-data-sheet-1".into(),
            pick_s: 0.35,
            path_error: 0.012,
            detect_max: 0.8,
            edge_km: 30.0,
            edge_share: 0.1,
            false_per_hour: 2.0,
            events_per_km2_day: 1e-3,
            inflation: 1.0,
            kinds: kind::unknown(),
            calibration: Calibration::default(),
            preliminary: None,
        }
    }
}

impl PhaseModel {
    /// Reads a model from JSON. Fields that are left out keep their default.
    ///
    /// # Errors
    ///
    /// Not JSON, a field that is unknown, or a number that is not finite and
    /// above zero.
    pub fn parse(text: &str) -> Result<Self, NotAModel> {
        let model: Self = serde_json::from_str(text)?;
        let positive = [
            ("pick_s", model.pick_s),
            ("path_error", model.path_error),
            ("edge_km", model.edge_km),
            ("edge_share", model.edge_share),
            ("false_per_hour", model.false_per_hour),
            ("events_per_km2_day", model.events_per_km2_day),
            ("inflation", model.inflation),
            ("detect_max", model.detect_max),
        ];
        for (field, value) in positive {
            if !value.is_finite() || value <= 0.0 || (field == "detect_max" && value >= 1.0) {
                return Err(NotAModel::Number { field, value });
            }
        }
        for kind in &model.kinds {
            let depth = kind.deepest_km.unwrap_or(1.0);
            for (field, value) in [("kinds.share", kind.share), ("kinds.deepest_km", depth)] {
                if !value.is_finite() || value <= 0.0 {
                    return Err(NotAModel::Number { field, value });
                }
            }
        }
        Ok(model)
    }

    /// What may have made an event with these [`super::Event::kinds`], each name
    /// once, likeliest first.
    pub fn made_by(&self, kinds: &[f64]) -> Vec<(&str, f64)> {
        kind::made_by(&self.kinds, kinds)
    }

    /// The model that comes with the engine.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../../phases.json")).expect("the built-in model is tested")
    }
}
