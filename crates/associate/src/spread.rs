//! How far a place can be off beyond what the location says: ellipses of events in a
//! salvo, at stations that scatter, or under a wind that nobody forecast, hold what
//! they say only if they are larger.

use serde::{Deserialize, Serialize};

use crate::math;
use crate::posterior::{COUNT, Features, Newton};

/// Share of events that lie within the ellipse of that name.
const SHARE: f64 = 0.9;
/// Squared distance, in errors, that so many of a normal law in the plane stay within.
const SQUARE: f64 = 4.605;
/// Width over which the corner of the loss of a quantile is rounded, in logarithms.
const ROUNDED: f64 = 0.15;
/// Factors on variances beyond these are not believed, as logarithms: 0.2 and 1,000.
const LEAST: f64 = -1.609;
const MOST: f64 = 6.908;
/// Without a fit.
const UNFITTED: f64 = 0.336;

/// Factor on the covariance of an event: its logarithm is a weighted sum of what the
/// calibration map looks at too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Spread {
    /// Weights, one for each of [`crate::posterior::FEATURES`].
    pub weights: Vec<f64>,
}

impl Default for Spread {
    fn default() -> Self {
        Self { weights: vec![UNFITTED] }
    }
}

impl Spread {
    /// One that leaves every covariance as it is.
    pub fn none() -> Self {
        Self { weights: Vec::new() }
    }

    /// Factor on the covariance of an event.
    pub fn factor(&self, features: &Features) -> f64 {
        let sum: f64 = self.weights.iter().zip(features.0).map(|(w, f)| w * f).sum();
        math::exp(sum.clamp(LEAST, MOST))
    }

    /// Fits the factor to real events, each with the square of its distance from the
    /// truth in errors without a factor, and a weight: so that 90 % of events like it lie
    /// within its 90 % ellipse. Regression of a quantile (Koenker and Bassett 1978,
    /// Econometrica 46(1), 33-50) on the logarithm, its loss rounded at the corner; Newton's
    /// method with a ridge.
    pub fn fit(events: &[(Features, f64, f64)]) -> Self {
        let mut offs: Vec<(f64, f64)> = events
            .iter()
            .map(|(_, off, weight)| (math::ln((off / SQUARE).max(1e-6)), *weight))
            .collect();
        let logs: Vec<f64> = offs.iter().map(|off| off.0).collect();
        offs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = offs.iter().map(|off| off.1).sum();
        let mut sum = 0.0;
        let mut w = [0.0; COUNT];
        for (off, weight) in &offs {
            sum += weight;
            w[0] = *off;
            if sum >= SHARE * total {
                break;
            }
        }
        for _ in 0..100 {
            // The constant is free.
            let mut pull = w.map(|w| -w);
            pull[0] = 0.0;
            let mut newton = Newton::new(1.0, &pull);
            for ((features, _, weight), log) in events.iter().zip(&logs) {
                let z: f64 = w.iter().zip(features.0).map(|(w, f)| w * f).sum();
                let beyond = math::logistic(((log - z) / ROUNDED).clamp(-40.0, 40.0));
                let curvature = (beyond * (1.0 - beyond)).max(0.01) / ROUNDED;
                newton.add(features, weight * (SHARE - 1.0 + beyond), weight * curvature);
            }
            if newton.step(&mut w, 0.5).is_none_or(|size| size < 1e-5) {
                break;
            }
        }
        Self { weights: w.iter().map(|w| libm::round(w * 1e4) / 1e4).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posterior::Raw;

    #[test]
    fn a_fit_holds_nine_of_ten_of_either_sort() {
        // Squared distances of two sorts, one ten times as far off, evenly over a
        // normal law in the plane.
        let features = |loud: f64| Features::from(Raw { hits: 8.0, loud, ..Raw::default() });
        let sorts = [(features(0.0), 1.0), (features(5.0), 10.0)];
        let offs: Vec<f64> =
            (0..1000).map(|i| -2.0 * libm::log((f64::from(i) + 0.5) / 1000.0)).collect();
        let events: Vec<_> =
            sorts.iter().flat_map(|(f, by)| offs.iter().map(move |o| (*f, o * by, 1.0))).collect();
        let spread = Spread::fit(&events);
        for (features, by) in sorts {
            let limit = SQUARE * spread.factor(&features);
            let held = offs.iter().filter(|off| **off * by <= limit).count();
            assert!((870..930).contains(&held), "{held} {:?}", spread.weights);
        }
        assert!((Spread::none().factor(&sorts[1].0) - 1.0).abs() < 1e-12);
    }
}
