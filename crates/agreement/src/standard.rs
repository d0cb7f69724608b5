//! How sure one must be: the thresholds of an agreement for the standards of
//! proof.

use domain::Probability;
pub use domain::standard::{Severity, Standard};
use serde::Deserialize;

/// The threshold of the agreement for a standard, where it is its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The standard.
    pub standard: Standard,
    /// Least probability, in [0, 1].
    pub probability: crate::Contested<Probability>,
    /// What it is used for.
    #[serde(default)]
    pub used_for: crate::Localised,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: crate::Citation,
}
