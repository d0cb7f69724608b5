//! Takes what the program prints now as what the tests expect.

use std::process::Command;

use anyhow::Result;

use crate::{process, shared, workspace};

/// The variable by which tests rewrite the pages that quote the program.
const VARIABLE: &str = "TRUCELINE_BLESS";

/// Runs the tests that hold expected outputs, and lets them write.
pub(crate) fn run() -> Result<bool> {
    let mut tests = Command::new(workspace::cargo());
    tests.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
    tests.env("INSTA_UPDATE", "always").env("INSTA_FORCE_PASS", "1").env(VARIABLE, "1");
    if let Some(shared) = shared::folder() {
        tests.env(shared::VARIABLE, shared);
    }
    let fine = process::shown(tests.current_dir(workspace::root()))?.is_success();
    println!("\nNow look at `git diff`: what stands there is what the tests will expect.");
    Ok(fine)
}
