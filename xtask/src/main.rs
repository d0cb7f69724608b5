//! Chores of the repository: `cargo xtask COMMAND`.
//!
//! What it may touch: everything in the checkout, and the network for what tests need once (a Python
//! package). Nothing of the product depends on it.

mod bench_ingest;
mod bless;
mod end_to_end;
mod other_machine;
mod process;
mod python;
mod shared;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
Chores of the repository.

Usage: cargo xtask COMMAND

  test           every test: form, lints, tidy, unit and integration tests, examples, documentation, end to end
  tidy           the invariants of ARCHITECTURE.md, and that the pages are complete
  bless          take what the program prints now as what the tests expect; look at `git diff` afterwards
  end-to-end     the exercise on one thread and on two, rebuild, verify, a flipped byte; past truces if their data are here
  bench-ingest [ROWS]
                 take in a made-up FIRMS file of so many rows (10,000,000) and report time and memory";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<bool> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["test"] => Ok(suite::run()),
        ["tidy"] => tidy::run(),
        ["bless"] => bless::run(),
        ["end-to-end"] => end_to_end::run(),
        ["bench-ingest"] => bench_ingest::run(10_000_000),
        ["bench-ingest", rows] => bench_ingest::run(rows.parse()?),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(true)
        }
        _ => bail!("no such chore: {}; `cargo xtask help` lists them", words.join(" ")),
    }
}
