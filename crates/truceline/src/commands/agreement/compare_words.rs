//! Severities and standards of proof on a command line.

use agreement::{Severity, Standard};

/// `S3` of a command line.
pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    let found = Severity::ALL.into_iter().find(|one| format!("{one:?}") == text);
    found.ok_or_else(|| {
        format!("`{text}` is not a severity: S0 administrative ... S4 spreading attack")
    })
}

/// `S4` of a command line.
pub(crate) fn standard(text: &str) -> Result<Standard, String> {
    let found = Standard::ALL.into_iter().find(|one| format!("{one:?}") == text);
    found.ok_or_else(|| {
        format!("`{text}` is not a standard of proof: S1 indication ... S5 overwhelming")
    })
}
