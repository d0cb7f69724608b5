//! Defined terms: versioned records, negotiated like everything else. A
//! definition is a rule where it lists classes, objects or weapons; provisions
//! then refer to it as `@id`.

use serde::Deserialize;

use crate::citation::{Citation, Localised};
use crate::reading::Contested;
use crate::timeline::At;

/// A defined term.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Short name for references; needed only if something refers to it.
    #[serde(default)]
    pub id: String,
    /// The word.
    pub term: String,
    /// Counts up as the definition is changed.
    #[serde(default = "first")]
    pub version: u32,
    /// Its meaning in words, under each reading.
    pub text: Contested<Localised>,
    /// The classes that it covers.
    #[serde(default)]
    pub acts: Contested<Vec<String>>,
    /// The tags of the objects that it covers.
    #[serde(default)]
    pub objects: Contested<Vec<String>>,
    /// From when this version holds; from the beginning if not stated.
    pub from: Option<At>,
    /// Where it is defined.
    #[serde(default)]
    pub citation: Citation,
}

const fn first() -> u32 {
    1
}
