//! What is about no single finding: field reports, restrictions of movement,
//! allegations of parties. Signed like everything that people do.

#![allow(clippy::doc_markdown)] // these comments are help texts; a terminal shows no backticks

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use casework::Casework;
use casework::act::{Act, Restraint};
use casework::restraint::{class, priorities};
use clap::{Args, Subcommand};
use domain::{Id, State};
use mission::{AsOf, Mission, people};
use publish::table::Table;
use strict::Moment;

use super::case::{With, by_name, sign_and_file};
use super::{open, state_of};
use crate::cli::TableFormat;
use crate::{Outcome, output};

const EXAMPLES: &str = "\
Examples:
  truceline field report easter --key F-01.field_monitor.key --name patrol-7 --text notes.txt --captured 2026-05-08T12:00:00Z
  truceline field edit easter --key F-01.field_monitor.key --report 812 --text notes-2.txt --reason \"wrong village\"
  truceline field diff easter patrol-7
  truceline field restrict easter --key F-01.field_monitor.key --party north --kind denial --place \"bridge at Dun\" --minutes 90
  truceline field restrictions easter
  truceline field allege easter --key N-01.reply_agent.key --party north --conduct shelling --time \"8 May, noon\" --place Dun
  truceline field allegations easter --format csv

A report is committed before anybody can edit it; an edit stands beside it as a diff. A restriction is no proof of
anything; allegations are counted apart and verify nothing.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum FieldCommand {
    /// Commit a field report, raw
    Report {
        /// Mission folder
        mission: PathBuf,
        /// Name of the report, never reused
        #[arg(long)]
        name: String,
        /// File with its text
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
        /// When it was captured, by the monitor's clock
        #[arg(long, value_name = "MOMENT")]
        captured: Moment,
        /// Observations that it tells of
        #[arg(long = "observation", value_name = "ID")]
        observations: Vec<Id>,
        #[command(flatten)]
        with: With,
    },
    /// Edit a committed report; the difference stays visible
    Edit {
        /// Mission folder
        mission: PathBuf,
        /// Entry of the report
        #[arg(long)]
        report: u64,
        /// File with the new text
        #[arg(long, value_name = "FILE")]
        text: PathBuf,
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        with: With,
    },
    /// List field reports with their edits
    Reports(Listing),
    /// Show what the edits of a report changed, by whom and why
    Diff {
        /// Mission folder
        mission: PathBuf,
        /// Name of the report
        name: String,
    },
    /// Tell that the mission was kept from looking
    Restrict {
        /// Mission folder
        mission: PathBuf,
        #[arg(long)]
        party: String,
        #[arg(long, value_parser = by_name::<Restraint>, value_name = "denial|conditional|delay|violence|storage")]
        kind: Restraint,
        #[arg(long)]
        place: String,
        /// The reason that was given
        #[arg(long, default_value = "none given")]
        claimed_reason: String,
        #[arg(long)]
        minutes: u32,
        /// The task that it stopped
        #[arg(long, default_value = "")]
        stopped: String,
        #[command(flatten)]
        with: With,
    },
    /// List restrictions by party and place, most refused first
    Restrictions(Listing),
    /// Allege something for a party
    Allege {
        /// Mission folder
        mission: PathBuf,
        #[arg(long)]
        party: String,
        #[arg(long)]
        conduct: String,
        #[arg(long, default_value = "")]
        time: String,
        #[arg(long, default_value = "")]
        place: String,
        #[arg(long, default_value = "")]
        evidence: String,
        #[command(flatten)]
        with: With,
    },
    /// List allegations by party, and what is missing in them
    Allegations(Listing),
}

#[derive(Args, Debug)]
pub(crate) struct Listing {
    /// Mission folder
    mission: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    as_of: Option<AsOf>,
}

/// Runs one of them.
pub(crate) fn field(command: FieldCommand) -> Result<Outcome> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
    };
    let (mission, act, with) = match command {
        FieldCommand::Report { mission, name, text, captured, observations, with } => {
            let (captured, text) = (captured.0, read(&text)?);
            (mission, Act::FieldReport { report: name, captured, observations, text }, with)
        }
        FieldCommand::Edit { mission, report, text, reason, with } => {
            (mission, Act::EditReport { report, text: read(&text)?, reason }, with)
        }
        FieldCommand::Restrict {
            mission,
            party,
            kind,
            place,
            claimed_reason,
            minutes,
            stopped,
            with,
        } => {
            let act = Act::Restriction { party, kind, place, claimed_reason, minutes, stopped };
            (mission, act, with)
        }
        FieldCommand::Allege { mission, party, conduct, time, place, evidence, with } => {
            (mission, Act::Allegation { party, time, place, conduct, evidence }, with)
        }
        FieldCommand::Reports(args) => return listed(&args, reports),
        FieldCommand::Restrictions(args) => return listed(&args, restrictions),
        FieldCommand::Allegations(args) => return listed(&args, allegations),
        FieldCommand::Diff { mission, name } => return diff(&mission, &name),
    };
    sign_and_file(&open(&mission)?, None, act, &with)
}

/// Everything that people did, folded.
fn folded(mission: &Mission, as_of: Option<AsOf>) -> Result<(State, Casework)> {
    let state = state_of(mission, as_of)?;
    let as_of = as_of.unwrap_or(AsOf::Now);
    let world = mission::world::World::gather(mission, &mission.reader()?, as_of)?;
    let casework = people::all(mission, &state, &world, as_of)?;
    Ok((state, casework))
}

fn listed(args: &Listing, table: fn(&Casework) -> Table) -> Result<Outcome> {
    let (state, casework) = folded(&open(&args.mission)?, args.as_of)?;
    let table = table(&casework);
    let text = match args.format {
        TableFormat::Table => {
            let exercise = if state.facts.exercise { "EXERCISE - made-up data.\n" } else { "" };
            format!("{exercise}{}", output::table(&table))
        }
        TableFormat::Csv => table.to_csv(),
        TableFormat::Json => output::json(&table.to_objects())?,
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

fn reports(casework: &Casework) -> Table {
    let rows = casework
        .reports
        .iter()
        .flat_map(|report| {
            report.wordings.iter().enumerate().map(move |(number, wording)| {
                vec![
                    report.name.clone(),
                    wording.entry.to_string(),
                    report.captured.to_string(),
                    wording.received.to_string(),
                    wording.person.clone(),
                    if number == 0 { "raw".to_owned() } else { format!("edit {number}") },
                    wording.text.len().to_string(),
                    wording.reason.clone(),
                ]
            })
        })
        .collect();
    let columns =
        vec!["report", "entry", "captured", "received", "person", "wording", "bytes", "reason"];
    Table { columns, rows }
}

fn restrictions(casework: &Casework) -> Table {
    let refusals: BTreeMap<(String, String), usize> = priorities(&casework.restrictions)
        .into_iter()
        .map(|(party, place, count)| ((party, place), count))
        .collect();
    let at = |party: &str, place: &str| {
        refusals.get(&(party.to_owned(), place.to_owned())).copied().unwrap_or_default()
    };
    let mut list: Vec<_> = casework.restrictions.iter().collect();
    list.sort_by_key(|one| (std::cmp::Reverse(at(&one.party, &one.place)), one.entry));
    let rows = list
        .into_iter()
        .map(|one| {
            vec![
                one.party.clone(),
                one.place.clone(),
                at(&one.party, &one.place).to_string(),
                class(one.kind).to_string(),
                class(one.kind).title().to_owned(),
                one.minutes.to_string(),
                one.claimed_reason.clone(),
                one.stopped.clone(),
                one.received.to_string(),
                one.entry.to_string(),
            ]
        })
        .collect();
    let columns = vec![
        "party",
        "place",
        "times_there",
        "class",
        "title",
        "minutes",
        "claimed_reason",
        "stopped",
        "received",
        "entry",
    ];
    Table { columns, rows }
}

fn allegations(casework: &Casework) -> Table {
    let mut by_party: BTreeMap<&str, usize> = BTreeMap::new();
    let rows = casework
        .allegations
        .iter()
        .map(|one| {
            let number = by_party.entry(&one.party).or_default();
            *number += 1;
            vec![
                one.party.clone(),
                number.to_string(),
                one.entry.to_string(),
                if one.missing.is_empty() { "complete" } else { "insufficient particulars" }
                    .to_owned(),
                one.missing.join(", "),
                one.complete_by.map_or(String::new(), |by| by.to_string()),
            ]
        })
        .collect();
    let columns = vec!["party", "number", "entry", "screening", "missing", "complete_by"];
    Table { columns, rows }
}

fn diff(mission: &Path, name: &str) -> Result<Outcome> {
    let (_, casework) = folded(&open(mission)?, None)?;
    let Some(report) = casework.reports.iter().find(|report| report.name == name) else {
        let known: Vec<&str> = casework.reports.iter().map(|one| one.name.as_str()).collect();
        bail!("the record holds no report `{name}`; {}", strict::suggestion(name, &known));
    };
    let diffs: Vec<String> =
        (1..report.wordings.len()).filter_map(|number| report.diff(number)).collect();
    if diffs.is_empty() {
        output::line(&format!(
            "{name} stands as it was committed in entry {}",
            report.wordings[0].entry
        ))?;
    }
    output::print(&diffs.join("\n"))?;
    Ok(Outcome::Fine)
}
