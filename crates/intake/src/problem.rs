//! What could not be read, and why: always with the place and with what to do.

use serde::{Deserialize, Serialize};

use crate::limits::EXCERPT_CHARS_MAX;

/// A row that was set aside. The rest of the file goes on, and the raw file is
/// kept whole, so nothing is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The column in question; empty if the whole row is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// The beginning of the row, for the eye.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
}

impl Quarantined {
    /// A bad row with the beginning of its bytes.
    pub fn new(line: u64, problem: Problem, row: &[u8]) -> Self {
        let head = &row[..row.len().min(EXCERPT_CHARS_MAX * 4)];
        let excerpt: String = String::from_utf8_lossy(head)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(EXCERPT_CHARS_MAX)
            .collect();
        Self { line, field: problem.field, reason: problem.reason, excerpt }
    }
}

impl std::fmt::Display for Quarantined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.reason)
    }
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The column in question; empty if the whole row is.
    pub field: String,
    /// What is wrong.
    pub reason: String,
}

impl Problem {
    /// Something is wrong with one column.
    pub fn in_field(field: &str, reason: impl Into<String>) -> Self {
        Self { field: field.to_owned(), reason: reason.into() }
    }

    /// Something is wrong with the row as a whole.
    pub fn in_row(reason: impl Into<String>) -> Self {
        Self { field: String::new(), reason: reason.into() }
    }
}

/// A file that cannot be read at all: nothing of it is taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Its content is of another kind.
    #[error("{0}")]
    Content(String),
    /// The operating system failed to deliver it.
    #[error("reading stopped: {0}")]
    Read(#[from] std::io::Error),
}
