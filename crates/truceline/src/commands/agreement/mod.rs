//! `truceline agreement`: read, check, test, compare the agreement as code.

mod compare;
pub(crate) mod compare_words;
mod diff;
mod lint;
mod quote;
mod show;
mod test;

use std::path::{Path, PathBuf};

use agreement::EventTimes;
use agreement::package::{Files, MANIFEST, Package};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

use crate::Outcome;

const EXAMPLES: &str = "\
Examples:
  truceline agreement lint agreements/energy-moratorium-2025
  truceline agreement test agreements/*
  truceline agreement show agreements/paris-2026 --html paris.html
  truceline agreement diff agreements/paris-2026-draft agreements/paris-2026
  truceline agreement compare agreements/energy-moratorium-2025 --mission energy/mission";

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AgreementArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what an agreement leaves open, contradicts or never reaches
    Lint(lint::LintArgs),
    /// Run the tests inside packages
    Test(test::TestArgs),
    /// Show an agreement in words, in the terminal or as a page
    Show(show::ShowArgs),
    /// Say what changed between two versions, clause by clause, and for whom
    Diff(diff::DiffArgs),
    /// Hold the same evidence against each reading, or against another version
    Compare(compare::CompareArgs),
}

/// Runs one of them.
pub(crate) fn run(args: &AgreementArgs) -> Result<Outcome> {
    match &args.command {
        Command::Lint(args) => lint::lint(args),
        Command::Test(args) => test::test(args),
        Command::Show(args) => show::show(args),
        Command::Diff(args) => diff::diff(args),
        Command::Compare(args) => compare::compare(args),
    }
}

/// Reads the package in a folder; names its manifest by its path, so that
/// errors can be clicked on.
pub(crate) fn read(folder: &Path) -> Result<(Package, Files)> {
    let folder = if folder.ends_with(MANIFEST) {
        folder.parent().unwrap_or(Path::new(".")).to_owned()
    } else {
        folder.to_owned()
    };
    let files = mission::case::read_package(&folder)?;
    let mut package = agreement::package::read(&files)
        .map_err(|error| anyhow::anyhow!("{}\n{error}", folder.display()))?;
    let name = folder.join(MANIFEST).display().to_string();
    package.text = strict::Text::new(name, package.text.content());
    Ok((package, files))
}

/// `EVENT=MOMENT` of a command line.
pub(crate) fn event_time(text: &str) -> Result<(String, jiff::Timestamp), String> {
    let (event, moment) = text.split_once('=').ok_or_else(|| {
        format!("`{text}` is not EVENT=MOMENT, such as ceasefire=2026-03-01T00:00:00Z")
    })?;
    let moment: strict::Moment = moment.parse()?;
    Ok((event.to_owned(), moment.0))
}

/// Events assumed on a command line, which must be declared.
pub(crate) fn assumed(
    it: &agreement::Agreement,
    events: &[(String, jiff::Timestamp)],
) -> Result<EventTimes> {
    let known: Vec<&str> = it.events.iter().map(|event| event.id.as_str()).collect();
    for (event, _) in events {
        if !known.contains(&event.as_str()) {
            anyhow::bail!(
                "{} declares no event `{event}`; {}",
                it.reference(),
                strict::suggestion(event, &known)
            );
        }
    }
    Ok(events.iter().cloned().collect())
}

/// Writes a page, and says where.
pub(crate) fn write_page(path: &PathBuf, page: &str) -> Result<()> {
    std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))?;
    crate::output::line(&format!("wrote {}", path.display()))
}
