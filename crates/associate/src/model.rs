//! What the engine believes about sensors, air and sources: one versioned value.

use serde::{Deserialize, Serialize};

use crate::kind::Kind;
use crate::math;
use crate::spread::Spread;
use crate::stream::Wait;

/// Version of the engine: part of every digest. Count it up with any change
/// that can change a result.
pub const ENGINE_VERSION: u32 = 5;

/// The performance model of the network and the calibration map, as one file.
/// Lengths in kilometres where the name says so, levels in dB, times in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// Name of this version; goes into `summary.json`.
    pub version: String,
    /// Signal-to-noise ratio that is detected half of the time, dB.
    pub threshold_db: f64,
    /// Width of the logistic of detection, dB, with the scatter of levels folded in.
    pub threshold_width_db: f64,
    /// Scatter of received levels about the law of spreading, dB.
    pub level_scatter_db: f64,
    /// Absorption beside spherical spreading, dB per km.
    pub absorption_db_per_km: f64,
    /// What wind along the path adds to the level, dB per m/s.
    pub wind_db_per_ms: f64,
    /// The most that wind adds or takes, dB.
    pub wind_db_most: f64,
    /// Error of a pick at a high signal-to-noise ratio, s.
    pub pick_floor_s: f64,
    /// Error of a pick near the threshold, s.
    pub pick_threshold_s: f64,
    /// Error of the travel time as a share of it, independent from path to path.
    pub path_error: f64,
    /// Error of the forecast wind, each component, m/s.
    pub wind_error_ms: f64,
    /// Error of the forecast temperature, K.
    pub temperature_error_k: f64,
    /// Share of arrivals that come late, by another path.
    pub late_share: f64,
    /// Mean delay of late arrivals, s.
    pub late_mean_s: f64,
    /// Share of arrivals off by any amount.
    pub stray_share: f64,
    /// Share of back-azimuths that say nothing of the source.
    pub azimuth_stray_share: f64,
    /// Standard deviation of a back-azimuth that comes without one, degrees.
    pub azimuth_error_deg: f64,
    /// False alarms of a sensor per hour, before anything is known of it.
    pub false_per_hour: f64,
    /// Mean of the excess over the threshold of false alarms, dB.
    pub false_excess_db: f64,
    /// Mean level of sources at 1 km, dB.
    pub level_mean_db: f64,
    /// Spread of levels of sources, dB.
    pub level_spread_db: f64,
    /// Sources per square kilometre and day, before anything is known.
    pub events_per_km2_day: f64,
    /// Error of an ordinary station clock, s.
    pub clock_error_s: f64,
    /// What the covariance of place and time is multiplied with, so that ellipses hold
    /// what they say.
    pub spread: Spread,
    /// The calibration map of probabilities.
    pub calibration: Calibration,
    /// What the log-odds of a preliminary event become: a constant and a factor.
    /// Far stations have not been waited for, and neighbours not sorted out.
    pub preliminary: [f64; 2],
    /// Kinds of source, to say what made a sound. May be empty.
    pub kinds: Vec<Kind>,
}

/// Logistic map from what is known of an event to the probability that it is real.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calibration {
    /// Coefficients, one for each of [`crate::posterior::FEATURES`].
    pub weights: Vec<f64>,
    /// What it was fitted on.
    pub fitted_on: String,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            version: "data-sheet-1".into(),
            threshold_db: 8.0,
            threshold_width_db: 3.7,
            level_scatter_db: 4.1,
            absorption_db_per_km: 0.6,
            wind_db_per_ms: 1.1,
            wind_db_most: 7.0,
            pick_floor_s: 0.02,
            pick_threshold_s: 0.15,
            path_error: 0.0035,
            wind_error_ms: 1.5,
            temperature_error_k: 1.0,
            late_share: 0.03,
            late_mean_s: 0.5,
            stray_share: 0.005,
            azimuth_stray_share: 0.05,
            azimuth_error_deg: 5.0,
            false_per_hour: 1.5,
            false_excess_db: 4.5,
            level_mean_db: 111.0,
            level_spread_db: 8.0,
            events_per_km2_day: 0.5,
            clock_error_s: 0.01,
            spread: Spread::default(),
            calibration: Calibration::default(),
            preliminary: [0.0, 1.0],
            kinds: Vec::new(),
        }
    }
}

impl Default for Calibration {
    fn default() -> Self {
        Self { weights: vec![-1.0, 2.0], fitted_on: "nothing: a guess".into() }
    }
}

impl Calibration {
    /// The map for events that are stated when these were waited for: as long as far
    /// stations were not, they have one of their own, if there is one.
    pub(crate) fn when(wait: Wait, last: &Self, preliminary: Option<&Self>) -> Self {
        match wait {
            Wait::Everyone => last,
            Wait::Nearest => preliminary.unwrap_or(last),
        }
        .clone()
    }
}

fn log_odds(probability: f64) -> f64 {
    let p = probability.clamp(1e-4, 1.0 - 1e-4);
    libm::log(p / (1.0 - p))
}

/// A model that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NotAModel {
    /// Not JSON, or not of these fields.
    #[error("{0}")]
    Form(#[from] serde_json::Error),
    /// A number that makes no sense.
    #[error("`{field}` is {value}; it must be a finite number above zero")]
    Number {
        /// Name of the field.
        field: &'static str,
        /// As given.
        value: f64,
    },
}

impl Model {
    /// Reads a model from JSON. Fields that are left out keep their default.
    pub fn parse(text: &str) -> Result<Self, NotAModel> {
        let model: Self = serde_json::from_str(text)?;
        let positive = [
            ("threshold_width_db", model.threshold_width_db),
            ("level_scatter_db", model.level_scatter_db),
            ("pick_floor_s", model.pick_floor_s),
            ("path_error", model.path_error),
            ("wind_error_ms", model.wind_error_ms),
            ("false_per_hour", model.false_per_hour),
            ("false_excess_db", model.false_excess_db),
            ("level_spread_db", model.level_spread_db),
            ("events_per_km2_day", model.events_per_km2_day),
            ("late_mean_s", model.late_mean_s),
            ("azimuth_stray_share", model.azimuth_stray_share),
            ("azimuth_error_deg", model.azimuth_error_deg),
        ];
        for (field, value) in positive {
            if !value.is_finite() || value <= 0.0 {
                return Err(NotAModel::Number { field, value });
            }
        }
        if let Some(&value) = model.preliminary.iter().find(|v| !v.is_finite()) {
            return Err(NotAModel::Number { field: "preliminary", value });
        }
        let of_kinds = |k: &Kind| {
            let numbers = [k.share, k.level_db, k.level_sd_db].into_iter().chain(k.spacing);
            numbers.into_iter().find(|v| !v.is_finite() || *v < 0.0)
        };
        if let Some(value) = model.kinds.iter().find_map(of_kinds) {
            return Err(NotAModel::Number { field: "kinds", value });
        }
        let weights = model.spread.weights.iter().chain(&model.calibration.weights);
        if let Some(&value) = weights.into_iter().find(|v| !v.is_finite()) {
            return Err(NotAModel::Number { field: "weights", value });
        }
        Ok(model)
    }

    /// Probability of a preliminary event, from what the map says of it.
    pub fn discounted(&self, probability: f64) -> f64 {
        let [constant, factor] = self.preliminary;
        math::logistic(constant + factor * log_odds(probability))
    }

    /// Fits the discount of preliminary events to those of which it is known
    /// whether they are real, each with a weight. Newton's method.
    pub fn fit_discount(events: &[(f64, bool, f64)]) -> [f64; 2] {
        let mut w = [0.0, 1.0];
        for _ in 0..30 {
            // A weak pull towards no discount at all.
            let mut hessian = [[1.0, 0.0], [0.0, 1.0]];
            let mut slope = [-w[0], 1.0 - w[1]];
            for (p, real, weight) in events {
                let f = [1.0, log_odds(*p)];
                let stated = math::logistic(w[0] + w[1] * f[1]);
                let off = weight * (f64::from(u8::from(*real)) - stated);
                let v = weight * stated * (1.0 - stated);
                for i in 0..2 {
                    slope[i] += off * f[i];
                    for j in 0..2 {
                        hessian[i][j] += v * f[i] * f[j];
                    }
                }
            }
            let Some(l) = math::cholesky(&hessian) else { break };
            let step = math::solve(&l, &slope);
            w[0] += step[0].clamp(-1.0, 1.0);
            w[1] += step[1].clamp(-1.0, 1.0);
        }
        w.map(|w| libm::round(w * 1e4) / 1e4)
    }

    /// The model that comes with the engine.
    pub fn built_in() -> Self {
        Self::parse(include_str!("../model.json")).expect("the built-in model is tested")
    }
}
