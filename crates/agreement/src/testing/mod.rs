//! Tests inside a package: `tests/*.toml` say what must and must not match,
//! when clocks end, what triggers, and which warnings the text deserves.

mod run;
mod syntax;

use strict::Diagnostic;

use crate::package::{Files, Package};

pub use syntax::{HappeningIn, Scenario};

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What was wrong; none if it passed.
    pub failure: Option<String>,
}

/// Runs the tests of a package, in the order of their files.
///
/// # Errors
/// The first test file that cannot be read, with the place.
pub fn run(package: &Package, files: &Files) -> Result<Vec<Outcome>, Diagnostic> {
    let mut outcomes = Vec::new();
    for (path, bytes) in files {
        let is_toml = path.rsplit('.').next() == Some("toml");
        if path.starts_with("tests/") && is_toml {
            let text = strict::Text::from_bytes(path.clone(), bytes.clone())?;
            let file: syntax::TestFile = text.parse()?;
            outcomes.extend(run::file(package, files, &text, &file)?);
        }
    }
    Ok(outcomes)
}

/// Reads a scenario: a timeline for the trigger laboratory.
///
/// # Errors
/// What is wrong with the file, with the place.
pub fn scenario(text: &strict::Text) -> Result<Scenario, Diagnostic> {
    text.parse()
}
