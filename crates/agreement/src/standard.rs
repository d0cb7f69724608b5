//! How sure one must be: the thresholds of an agreement for the standards of
//! proof.

pub use domain::standard::{Severity, Standard};
use domain::{Class, ClassPattern, Probability};
use serde::Deserialize;

/// The threshold of the agreement for a standard, where it is its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The standard.
    pub standard: Standard,
    /// For which classes; empty: for all that have none of their own.
    #[serde(default)]
    pub classes: Vec<ClassPattern>,
    /// Least probability, in [0, 1].
    pub probability: crate::Contested<Probability>,
    /// What it is used for.
    #[serde(default)]
    pub used_for: crate::Localised,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: crate::Citation,
}

impl Threshold {
    /// How closely it is meant for a class: 2 by its code, 1 by its group, 0
    /// for every class; none if it is not. Of several the closest holds.
    pub fn fits(&self, class: Option<Class>) -> Option<u8> {
        if self.classes.is_empty() {
            return Some(0);
        }
        let closeness = |pattern: &ClassPattern| match pattern {
            ClassPattern::One(_) => 2,
            ClassPattern::Group(_) => 1,
        };
        let class = class?;
        self.classes.iter().filter(|one| one.matches(class)).map(closeness).max()
    }
}
