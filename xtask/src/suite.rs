//! Every test, step by step, and one closing line.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::process::{self, Said};
use crate::{end_to_end, other_machine, python, shared, tidy, workspace};

/// How many tests ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub passed: u64,
    pub failed: u64,
}

impl Count {
    fn one(fine: bool) -> Self {
        Self { passed: fine.into(), failed: (!fine).into() }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The steps that ran, with what they came to.
struct Suite {
    steps: Vec<(String, Count, u64)>,
}

impl Suite {
    fn step(&mut self, name: &str, run: impl FnOnce() -> Result<Count>) {
        println!("\n=== {name}");
        let begun = Instant::now();
        let count = run().unwrap_or_else(|error| {
            println!("error: {error:#}");
            Count::one(false)
        });
        let seconds = begun.elapsed().as_secs();
        println!("=== {name}: {count}, {seconds} s");
        self.steps.push((name.to_owned(), count, seconds));
    }

    fn total(&self) -> Count {
        let mut total = Count::default();
        for (_, count, _) in &self.steps {
            total.add(*count);
        }
        total
    }
}

/// Runs everything; true if all of it passed. Every step runs, so that one look
/// at the end shows all that is wrong.
pub(crate) fn run() -> bool {
    let shared = shared::folder();
    println!("{}", shared::told(shared.as_deref()));
    let mut suite = Suite { steps: Vec::new() };
    suite.step("form", || whole(cargo(&["fmt", "--all", "--check"])));
    suite.step("tidy", || tidy::run().map(Count::one));
    suite.step("lints", || {
        let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        whole(cargo(&lints))
    });
    suite.step("tests", || tests(shared.as_deref()));
    suite.step("examples in the documentation", || {
        counted(&mut with_shared(cargo(&["test", "--workspace", "--doc"]), shared.as_deref()))
    });
    suite.step("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        whole(doc)
    });
    let elsewhere = other_machine::missing().unwrap_or_else(|error| Some(format!("{error:#}")));
    if elsewhere.is_none() {
        suite.step("another kind of machine", || counted(&mut other_machine::tests()));
    }
    suite.step("end to end", || end_to_end::all(shared.as_deref()));
    let total = suite.total();
    println!();
    for (name, count, seconds) in &suite.steps {
        println!("{seconds:5} s  {name}: {count}");
    }
    if shared.is_none() {
        println!("\n{}", shared::told(None));
    }
    if let Some(why) = elsewhere {
        println!("\nNOT TESTED: the engine on another kind of machine: {why}");
    }
    println!("\n{total}");
    total.failed == 0
}

fn tests(shared: Option<&Path>) -> Result<Count> {
    let programs = python::programs()?;
    let nextest = process::quiet(&mut cargo(&["nextest", "--version"]))?.is_success();
    let mut command = if nextest {
        cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "slow"])
    } else {
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    command.env(python::VARIABLE, programs);
    counted(&mut with_shared(command, shared))
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(workspace::cargo());
    command.args(arguments).current_dir(workspace::root());
    // A snapshot that differs is a failure here, never a new file.
    command.env("INSTA_UPDATE", "no").env("CARGO_TERM_COLOR", "never");
    command
}

fn with_shared(mut command: Command, shared: Option<&Path>) -> Command {
    if let Some(shared) = shared {
        command.env(shared::VARIABLE, shared);
    }
    command
}

/// A program that is one test.
fn whole(mut command: Command) -> Result<Count> {
    Ok(Count::one(process::shown(&mut command)?.is_success()))
}

/// A program that runs tests and says how many.
fn counted(command: &mut Command) -> Result<Count> {
    let said = process::shown(command)?;
    Ok(count_of(&said))
}

/// The sum of all summary lines. A run that failed without a failed test (it
/// did not compile) counts as one failure.
fn count_of(said: &Said) -> Count {
    let mut sum = Count::default();
    for line in said.text.lines() {
        if let Some(count) = summary_line(line) {
            sum.add(count);
        }
    }
    if sum.failed == 0 && (!said.is_success() || sum.passed == 0) {
        sum.failed = 1;
    }
    sum
}

/// `test result: ok. 3 passed; 0 failed; …` of cargo test, or
/// `Summary [ 1.2s] 5 tests run: 4 passed (1 slow), 1 failed, 0 skipped` of nextest.
fn summary_line(line: &str) -> Option<Count> {
    // A failed test's own words are indented, and may hold such a line as well.
    let summary = line.trim_start().starts_with("Summary [");
    if !summary && !line.starts_with("test result: ") {
        return None;
    }
    let number = |what: &str| {
        let words: Vec<&str> =
            line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
        let at = words.iter().position(|word| *word == what)?;
        words[at.checked_sub(1)?].parse::<u64>().ok()
    };
    let failed = [number("failed"), number("timed"), number("exec")].into_iter().flatten().sum();
    Some(Count { passed: number("passed").unwrap_or(0), failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let cargo = "test result: ok. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(summary_line(cargo), Some(Count { passed: 3, failed: 1 }));
        let nextest =
            "     Summary [   1.234s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped";
        assert_eq!(summary_line(nextest), Some(Count { passed: 4, failed: 1 }));
        let late = "Summary [ 9.1s] 5 tests run: 3 passed, 1 failed, 1 timed out, 0 skipped";
        assert_eq!(summary_line(late), Some(Count { passed: 3, failed: 2 }));
        assert_eq!(summary_line("running 3 tests"), None);
        assert_eq!(summary_line("    test result: FAILED. 0 passed; 1 failed"), None);
    }

    #[test]
    fn what_does_not_compile_is_a_failure() {
        let said = Said { code: Some(101), text: "error[E0308]".to_owned() };
        assert_eq!(count_of(&said), Count { passed: 0, failed: 1 });
    }

    #[test]
    fn a_run_without_tests_is_a_failure() {
        let said = Said { code: Some(0), text: String::new() };
        assert_eq!(count_of(&said), Count { passed: 0, failed: 1 });
    }
}
