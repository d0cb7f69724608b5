//! The `truceline` command: a thin shell around the rooms below it.

mod account;
mod cli;
mod clock;
mod commands;
mod explain;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser as _;

/// How a command ended, if it could do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is well. Exit code 0.
    Fine,
    /// It is done, and something is wrong with the data: a fault in a record,
    /// a file that could not be read. Exit code 1.
    Flawed,
}

fn main() -> ExitCode {
    // A wrong command line ends here with exit code 2.
    let cli = cli::Cli::parse();
    match commands::run(cli) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Flawed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{}", told(&error));
            ExitCode::from(2)
        }
    }
}

/// An error with its causes. A cause that the sentence before it gives already
/// is not said again; what points into a file begins with `error:` of its own.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    if text.starts_with("error:") { text } else { format!("error: {text}") }
}
