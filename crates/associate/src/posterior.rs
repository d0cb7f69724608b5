//! From evidence to a probability that can be believed.

use crate::math;
use crate::model::Calibration;

/// What the calibration map looks at, in the order of its weights.
pub const FEATURES: [&str; 8] = [
    "one",
    "evidence",
    "evidence_root",
    "hits",
    "chi2_per_hit",
    "share_of_expected",
    "crowd",
    "margin",
];

/// What is known of an event, as numbers for the calibration map.
#[derive(Clone, Copy, Debug, Default)]
pub struct Features(pub [f64; 8]);

impl Features {
    /// Raw numbers: evidence in nats, hits, sum of squared residuals, hits
    /// expected, mean log-rate of competition over that of false alarms, and
    /// evidence left when others take what they can.
    pub(crate) fn new(
        evidence: f64,
        hits: f64,
        chi2: f64,
        expected: f64,
        crowd: f64,
        margin: f64,
    ) -> Self {
        let e = evidence.max(0.0);
        Self([
            1.0,
            (e / 10.0).min(10.0),
            (e / 10.0).sqrt().min(4.0),
            math::ln(hits.max(1.0)),
            (chi2 / hits.max(1.0)).min(6.0),
            (hits / expected.max(1.0)).min(2.0),
            crowd,
            (margin.clamp(-20.0, 100.0) / 10.0).min(10.0),
        ])
    }
}

impl Calibration {
    /// Probability that an event with these features is real.
    pub fn probability(&self, features: &Features) -> f64 {
        let mut sum = 0.0;
        for (w, f) in self.weights.iter().zip(features.0) {
            sum += w * f;
        }
        math::logistic(sum.clamp(-12.0, 12.0))
    }
}
