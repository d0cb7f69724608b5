//! What guarantors promised, what is called, and what they say to it.

#![allow(clippy::doc_markdown)] // these comments are help texts; a terminal shows no backticks

use std::path::PathBuf;

use anyhow::{Result, bail};
use casework::Act;
use clap::Args;
use domain::obligation::Response;
use domain::{Obligation, State};
use guarantees::Fall;
use mission::{AsOf, derive, owed};
use publish::table::Table;

use super::case::{With, by_name, sign_and_file};
use super::{open, state_of};
use crate::cli::TextFormat;
use crate::{Outcome, output};

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  truceline obligations MISSION\n  \
    truceline obligations MISSION --guarantor ARD --as-of 2031-06-15T00:00:00Z\n  \
    truceline obligations MISSION --explain obl_4x9k\n\n\
    The engine proposes; acknowledged, under way, fulfilled and declined are signed entries of the guarantor.")]
pub(crate) struct ObligationArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Only what could be known by this moment; clocks are judged as of it
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
    /// Only those of this guarantor
    #[arg(long, value_name = "ID")]
    pub guarantor: Option<String>,
    /// Show one with its clock and the chain of reasons
    #[arg(long, value_name = "ID")]
    pub explain: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    pub format: TextFormat,
}

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  truceline commitments MISSION --live\n  \
    truceline commitments MISSION --without ARD --without BRE\n  truceline commitments MISSION --pledges")]
pub(crate) struct CommitmentArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// As for `truceline obligations`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
    /// Only what is live
    #[arg(long)]
    pub live: bool,
    /// Show what falls if this guarantor does nothing any more
    #[arg(long, value_name = "ID")]
    pub without: Vec<String>,
    /// Show pledges of force, training, equipment and money
    #[arg(long)]
    pub pledges: bool,
}

#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  truceline answer MISSION obl_4x9k --key G-01.watch_officer.key --response acknowledge"
)]
pub(crate) struct AnswerArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Obligation, or the beginning of its id
    pub obligation: String,
    #[command(flatten)]
    pub with: With,
    /// acknowledge, under_way, fulfil or decline
    #[arg(long, value_parser = by_name::<Response>)]
    pub response: Response,
    /// Words; needed to decline
    #[arg(long, default_value = "")]
    pub note: String,
}

fn heading(state: &State) -> &'static str {
    if state.facts.exercise { "EXERCISE - made-up data.\n" } else { "" }
}

/// Obligations as lines of a table.
pub(super) fn table<'o>(obligations: impl Iterator<Item = &'o Obligation>) -> String {
    let rows = obligations
        .map(|one| {
            vec![
                one.id.to_string(),
                one.guarantor.clone(),
                one.title.clone(),
                one.standing.words().to_owned(),
                one.since.to_string(),
                due(one),
                one.legal.clone(),
                one.called_by.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            ]
        })
        .collect();
    let columns =
        vec!["id", "guarantor", "commitment", "standing", "since", "due", "legal", "called by"];
    output::table(&Table { columns, rows })
}

fn due(one: &Obligation) -> String {
    let lines: Vec<String> = one
        .due
        .iter()
        .map(|(reading, due)| {
            let due = due.map_or("no clock runs".to_owned(), |due| due.to_string());
            if reading.is_empty() { due } else { format!("{due} ({reading})") }
        })
        .collect();
    lines.join("; ")
}

/// Lists obligations, or explains one.
pub(crate) fn obligations(args: &ObligationArgs) -> Result<Outcome> {
    let state = state_of(&open(&args.mission)?, args.as_of)?;
    if let Some(start) = &args.explain {
        let one = by_start(&state, start)?;
        output::print(&format!("{}{}", heading(&state), told(one)))?;
        return Ok(Outcome::Fine);
    }
    let chosen: Vec<&Obligation> = state
        .obligations
        .iter()
        .filter(|one| args.guarantor.as_ref().is_none_or(|id| one.guarantor == *id))
        .collect();
    let text = match args.format {
        TextFormat::Json => output::json(&chosen)?,
        TextFormat::Table if chosen.is_empty() => {
            format!("{}No obligation is called.\n", heading(&state))
        }
        TextFormat::Table => format!("{}{}", heading(&state), table(chosen.into_iter())),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

fn by_start<'s>(state: &'s State, start: &str) -> Result<&'s Obligation> {
    let found: Vec<&Obligation> =
        state.obligations.iter().filter(|one| one.id.to_string().starts_with(start)).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            bail!("no obligation begins with `{start}`; `truceline obligations MISSION` lists them")
        }
        several => {
            bail!("`{start}` is the beginning of {} obligations; write more of it", several.len())
        }
    }
}

/// An obligation with its reasons.
pub(super) fn told(one: &Obligation) -> String {
    let mut text = format!(
        "{}\n{} owes {}: {} ({})\nstanding    {}\nsince       {}\ndue         {}\nlegal       {}\n",
        one.id,
        one.guarantor,
        one.beneficiary,
        one.title,
        one.actions.join("; "),
        one.standing.words(),
        one.since,
        due(one),
        one.legal,
    );
    for words in &one.reservations {
        text.push_str(&format!("reservation {words}\n"));
    }
    if !one.not_under.is_empty() {
        text.push_str(&format!(
            "readings    called under {}; not under {}\n",
            one.readings.join(", "),
            one.not_under.join(", ")
        ));
    }
    for reason in &one.because {
        text.push_str(&format!("because     {reason}\n"));
    }
    for (entry, at, words) in &one.answers {
        text.push_str(&format!("answer      {at} in entry {entry}: {words}\n"));
    }
    text
}

/// Lists commitments, what falls without a guarantor, or pledges.
pub(crate) fn commitments(args: &CommitmentArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let as_of = args.as_of.unwrap_or(AsOf::Now);
    let (state, world) = derive::derive(&mission, as_of)?;
    let (moment, live) = owed::live(&state, &world, as_of);
    output::print(&format!("{}As of {moment}.\n", heading(&state)))?;
    if !args.without.is_empty() {
        let without: Vec<&str> = args.without.iter().map(String::as_str).collect();
        for id in &without {
            if !world.agreement.guarantors.iter().any(|guarantor| guarantor.id == *id) {
                let known: Vec<&str> =
                    world.agreement.guarantors.iter().map(|one| one.id.as_str()).collect();
                bail!("`{id}` is not a guarantor of this agreement; known: {}", known.join(", "));
            }
        }
        let falls = guarantees::weakened(&world.agreement, &without);
        if falls.is_empty() {
            output::line("Nothing that binds depends on it.")?;
        }
        for fall in falls {
            output::line(&match fall {
                Fall::Fails { commitment } => format!("{commitment}: fails, nobody else owes it"),
                Fall::Thinner { commitment, left } => {
                    format!("{commitment}: owed by {} only", left.join(", "))
                }
                Fall::Unbacked { commitment, lost } => {
                    format!("{commitment}: stands, but {} behind it fails", lost.join(", "))
                }
            })?;
        }
        return Ok(Outcome::Fine);
    }
    if args.pledges {
        output::print(&pledges(&world.agreement, domain::Zone::utc().date(moment)))?;
        return Ok(Outcome::Fine);
    }
    let rows = live
        .iter()
        .filter(|one| !args.live || one.readiness == guarantees::Readiness::Live)
        .map(|one| {
            let strengths: Vec<&str> = one.strength.iter().map(|one| one.title()).collect();
            vec![
                one.commitment.clone(),
                one.title.clone(),
                one.guarantor.clone(),
                strengths.join(" / "),
                one.step.map_or("no step on record".to_owned(), |step| step.to_string()),
                one.words().to_owned(),
                one.because.join("; "),
            ]
        })
        .collect();
    let columns = vec!["id", "commitment", "guarantor", "strength", "legal", "state", "because"];
    output::print(&output::table(&Table { columns, rows }))?;
    for one in &world.agreement.endorsements {
        output::line(&format!(
            "{} endorses {}; an endorsement is no guarantee",
            one.by,
            one.of.join(", ")
        ))?;
    }
    Ok(Outcome::Fine)
}

/// Pledges with how far they have come; what is undecided stays undecided.
fn pledges(it: &agreement::Agreement, date: jiff::civil::Date) -> String {
    let amount = |amount: &agreement::Amount| match amount {
        agreement::Amount::Exactly { value, unit } => format!("{value} {unit}"),
        agreement::Amount::About { value, unit } => format!("about {value} {unit}"),
        agreement::Amount::Undecided { as_of } => format!("undecided as of {as_of}"),
    };
    let rows = it
        .pledges
        .iter()
        .map(|pledge| {
            let amounts: Vec<String> = pledge
                .amount
                .readings()
                .iter()
                .map(|reading| {
                    let words = amount(&reading.value);
                    if reading.name.is_empty() {
                        words
                    } else {
                        format!("{words} ({})", reading.name)
                    }
                })
                .collect();
            let step = pledge.step_at(date);
            vec![
                pledge.id.clone(),
                pledge.by.clone(),
                pledge.commitment.clone(),
                format!("{:?}", pledge.kind).to_lowercase(),
                amounts.join(" / "),
                step.map_or("no step on record".to_owned(), |step| {
                    format!("{step:?}").to_lowercase()
                }),
            ]
        })
        .collect();
    let columns = vec!["id", "by", "commitment", "kind", "amount", "step"];
    output::table(&Table { columns, rows })
}

/// A guarantor's answer.
pub(crate) fn answer(args: &AnswerArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let state = state_of(&mission, None)?;
    let obligation = by_start(&state, &args.obligation)?.id.to_string();
    let (response, note) = (args.response, args.note.clone());
    let act = Act::Obligation { obligation: obligation.clone(), response, note };
    let outcome = sign_and_file(&mission, None, act, &args.with)?;
    if args.with.out.is_none() {
        let state = state_of(&mission, None)?;
        output::print(&told(by_start(&state, &obligation)?))?;
    }
    Ok(outcome)
}
