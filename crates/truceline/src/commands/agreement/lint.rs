//! `truceline agreement lint`.

use std::path::PathBuf;

use agreement::lint;
use anyhow::Result;
use clap::Args;
use serde_json::json;
use strict::Weight;

use crate::cli::TextFormat;
use crate::{Outcome, output};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  truceline agreement lint agreements/minsk-2015\n  \
    truceline agreement lint agreements/minsk-2015 --quiet\n\n\
    Exit code 1 if there is an error. Warnings are what the text deserves: they name what it leaves open.")]
pub(crate) struct LintArgs {
    /// Folder of the package
    agreement: PathBuf,
    /// Only errors
    #[arg(long)]
    quiet: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    format: TextFormat,
}

pub(super) fn lint(args: &LintArgs) -> Result<Outcome> {
    let (package, _) = super::read(&args.agreement)?;
    let mut problems = lint::lint(&package.agreement);
    problems.retain(|problem| !args.quiet || problem.weight == Weight::Error);
    let count = |weight| problems.iter().filter(|problem| problem.weight == weight).count();
    let (errors, warnings) = (count(Weight::Error), count(Weight::Warning));
    let text = match args.format {
        TextFormat::Table => {
            let mut text = String::new();
            for problem in &problems {
                text.push_str(&problem.diagnostic(&package.text).to_string());
                text.push_str(&format!("\n  = {}\n\n", problem.code));
            }
            let reference = package.agreement.reference();
            text.push_str(&format!("{reference}: {errors} errors, {warnings} warnings\n"));
            text
        }
        TextFormat::Json => {
            let list: Vec<_> = problems
                .iter()
                .map(|problem| {
                    let at = problem.diagnostic(&package.text);
                    json!({
                        "weight": if problem.weight == Weight::Error { "error" } else { "warning" },
                        "code": problem.code,
                        "on": problem.subject,
                        "file": at.file,
                        "line": at.line,
                        "column": at.column,
                        "message": problem.message,
                        "help": problem.help,
                    })
                })
                .collect();
            output::json(&list)?
        }
    };
    output::print(&text)?;
    Ok(if errors > 0 { Outcome::Flawed } else { Outcome::Fine })
}
