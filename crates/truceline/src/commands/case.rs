//! What people do about findings: signed, taken into the record, judged by the fold.

#![allow(clippy::doc_markdown)] // these comments are help texts; a terminal shows no backticks

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use casework::act::{self, Act, Alternative, Answer, Bearing, Outcome as Closing, Release, Triage};
use casework::{Statement, story};
use clap::{Args, Subcommand};
use domain::case::{Grade, ReasonCode, Ruling, Severity};
use domain::{Id, Probability, State};
use jiff::Timestamp;
use mission::{Mission, people};
use publish::table::Table;
use serde::de::DeserializeOwned;
use strict::Moment;

use super::keys::{PassphraseArgs, open_key};
use super::{open, state_of};
use crate::{Outcome, output};

const EXAMPLES: &str = "\
Examples:
  truceline case list easter
  truceline case show easter fnd_4x9k
  truceline case triage easter fnd_4x9k --key A-01.analyst.key --severity S3 --note \"casualties reported\"
  truceline case seal easter fnd_4x9k --key V-07.verifier.key --ruling verified
  truceline case decide easter fnd_4x9k --key V-07.verifier.key --ruling verified --note \"ten checks read\"

A verifier seals first and opens with `decide` once the second verifier has sealed, so that neither sees the other's
ruling. Whatever is filed stays in the record; what breaks a rule has no effect, and the reason is shown.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum CaseCommand {
    /// List the findings on which people have acted
    List(MissionOnly),
    /// Tell a case as a story, with its ten checks
    Show(OnFinding),
    /// Write the finding report (T3) in its chapters
    #[command(
        after_help = "Examples:\n  truceline case report easter fnd_4x9k\n  truceline case report easter fnd_4x9k --html finding.html\n\n\
        The only document that may name an actor, and only after the attribution is published."
    )]
    Report(super::finding::FindingReportArgs),
    /// List everything that was filed, with or without effect
    Steps(MissionOnly),
    /// Take a finding to work on
    Lease {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_name = "MOMENT")]
        until: Moment,
    },
    /// Give a severity and say whether work goes on
    Triage {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Severity>, value_name = "S0..S4")]
        severity: Severity,
        /// Set it aside instead of working on it
        #[arg(long)]
        set_aside: bool,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Ask for something to be looked at
    Task {
        #[command(flatten)]
        to: Filing,
        #[arg(long)]
        what: String,
        #[arg(long, value_name = "MOMENT")]
        due: Moment,
    },
    /// Say that observations corroborate one another (default: all of the incident)
    Corroborate {
        #[command(flatten)]
        to: Filing,
        #[arg(long = "observation", value_name = "ID")]
        observations: Vec<Id>,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Grade the credibility of the information, 1 to 6, by the Admiralty code
    #[command(
        after_help = "The reliability of the sources (A to F) is computed from decided findings and shown afterwards: the two\n\
        are judged apart. 1 needs two independent lines."
    )]
    Grade {
        #[command(flatten)]
        to: Filing,
        /// 1 confirmed by other sources .. 5 improbable, 6 cannot be judged
        #[arg(long, value_parser = clap::value_parser!(u8).range(1..=6))]
        credibility: u8,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Assess the named alternatives
    #[command(
        after_help = "Example:\n  truceline case assess M F --key A.key --alternative Z3=0.02:\"no field near\" --alternative staged=0.01:\"two posts heard it\""
    )]
    Assess {
        #[command(flatten)]
        to: Filing,
        /// NAME=PROBABILITY:GROUND
        #[arg(long = "alternative", value_parser = alternative, required = true)]
        alternatives: Vec<Alternative>,
        /// Hold the event at most this likely
        #[arg(long, value_parser = chance)]
        at_most: Option<Probability>,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Answer the legal elements
    Elements {
        #[command(flatten)]
        to: Filing,
        /// NAME=met|not_met|unknown
        #[arg(long = "element", value_parser = element, required = true)]
        elements: Vec<(String, Answer)>,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Give notice to a party; its clock starts
    Notice {
        #[command(flatten)]
        to: Filing,
        #[arg(long)]
        party: String,
        #[arg(long = "question", required = true)]
        questions: Vec<String>,
    },
    /// Reply for a party
    Reply {
        #[command(flatten)]
        to: Filing,
        #[arg(long = "point", required = true)]
        points: Vec<String>,
        #[arg(long = "contest")]
        contests: Vec<String>,
    },
    /// Answer the points of a reply, in their order
    Answer {
        #[command(flatten)]
        to: Filing,
        /// Entry of the reply
        #[arg(long)]
        reply: u64,
        #[arg(long = "answer", required = true)]
        answers: Vec<String>,
    },
    /// Seal a ruling, blind
    Seal {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Ruling>, value_name = "verified|refuted|cannot_rule")]
        ruling: Ruling,
        #[arg(long, default_value_t = 0)]
        round: u32,
    },
    /// Open the sealed ruling
    Decide {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Ruling>, value_name = "verified|refuted|cannot_rule")]
        ruling: Ruling,
        /// For `cannot_rule`: no_access, jamming, single_source, conflicting, insufficient_particulars
        #[arg(long, value_parser = by_name::<ReasonCode>)]
        reason: Option<ReasonCode>,
        #[arg(long, default_value_t = 0)]
        round: u32,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Propose an attribution
    Attribute {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Grade>, value_name = "attributable|largely_attributable|consistent_with|not_attributable|contested")]
        grade: Grade,
        #[arg(long)]
        actor: Option<String>,
        #[arg(long, value_parser = chance)]
        probability: Probability,
        /// trajectory|weapon_possession|track|admission=WORDS
        #[arg(long = "line", value_parser = bearing)]
        lines: Vec<(Bearing, String)>,
        /// State of control of territory that it rests on
        #[arg(long, default_value = "")]
        control: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Sign an attribution, or dissent from it
    Endorse {
        #[command(flatten)]
        to: Filing,
        /// Entry of the attribution
        #[arg(long)]
        attribution: u64,
        #[arg(long)]
        dissent: Option<String>,
    },
    /// Approve a release
    Approve {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Release>, default_value = "finding", value_name = "finding|attribution")]
        what: Release,
    },
    /// Publish
    Publish {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Release>, default_value = "finding", value_name = "finding|attribution")]
        what: Release,
    },
    /// Stop a release
    Veto {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Release>, default_value = "finding", value_name = "finding|attribution")]
        what: Release,
        #[arg(long)]
        reason: String,
    },
    /// Correct what was published; the id stays
    Correct {
        #[command(flatten)]
        to: Filing,
        #[arg(long)]
        field: String,
        #[arg(long)]
        was: String,
        #[arg(long)]
        is: String,
        #[arg(long)]
        reason: String,
    },
    /// Take a verified finding back; its proposals are withdrawn
    Retract {
        #[command(flatten)]
        to: Filing,
        #[arg(long)]
        reason: String,
    },
    /// Ask a party for corrective action
    Ask {
        #[command(flatten)]
        to: Filing,
        #[arg(long)]
        of: String,
        #[arg(long)]
        action: String,
        #[arg(long, value_name = "MOMENT")]
        due: Moment,
    },
    /// Say what came of a verified finding
    Outcome {
        #[command(flatten)]
        to: Filing,
        #[arg(long, value_parser = by_name::<Closing>, value_name = "action_taken|no_action")]
        outcome: Closing,
        #[arg(long)]
        reason: String,
    },
    /// Put a case away; it needs an outcome
    Archive {
        #[command(flatten)]
        to: Filing,
    },
    /// Sign any statement from a file of JSON, and file it
    Sign {
        /// Mission folder
        mission: PathBuf,
        /// File with the act: `{"do":"witness","size":12,"root":"…"}`
        act: PathBuf,
        #[command(flatten)]
        with: With,
        /// The finding that it is about, if any
        #[arg(long)]
        finding: Option<String>,
    },
    /// Take in an envelope that was signed elsewhere
    File {
        /// Mission folder
        mission: PathBuf,
        /// File with the DSSE envelope
        envelope: PathBuf,
        /// Moment of receipt, in an exercise only
        #[arg(long, value_name = "MOMENT")]
        at: Option<Moment>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct MissionOnly {
    /// Mission folder
    pub mission: PathBuf,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<mission::AsOf>,
}

#[derive(Args, Debug)]
pub(crate) struct OnFinding {
    /// Mission folder
    pub mission: PathBuf,
    /// Finding, or the beginning of its id
    pub finding: String,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<mission::AsOf>,
    /// Language of the estimative words
    #[arg(long, value_name = "en|uk|ru|fa", default_value = "en", value_parser = crate::cli::estimative_language)]
    pub language: String,
}

#[derive(Args, Debug)]
pub(crate) struct Filing {
    /// Mission folder
    pub mission: PathBuf,
    /// Finding, or the beginning of its id
    pub finding: String,
    #[command(flatten)]
    pub with: With,
}

#[derive(Args, Debug)]
pub(crate) struct With {
    /// Key file of the person
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
    /// Moment of the act and of its receipt, in an exercise only (default: now)
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<Moment>,
    /// Write the envelope to this file instead of filing it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A value by the name that it has in the record.
pub(super) fn by_name<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let name = text.replace('-', "_");
    serde_json::from_value(serde_json::Value::String(name)).map_err(|error| error.to_string())
}

fn chance(text: &str) -> Result<Probability, String> {
    let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number"))?;
    if (0.0..=1.0).contains(&value) {
        Ok(Probability::new(value))
    } else {
        Err(format!("{value} is not between 0 and 1"))
    }
}

fn alternative(text: &str) -> Result<Alternative, String> {
    let form = || "write NAME=PROBABILITY:GROUND, such as Z3=0.02:\"no field near\"".to_owned();
    let (name, rest) = text.split_once('=').ok_or_else(form)?;
    let (probability, because) = rest.split_once(':').ok_or_else(form)?;
    Ok(Alternative {
        name: name.to_owned(),
        probability: chance(probability)?,
        because: because.to_owned(),
    })
}

fn element(text: &str) -> Result<(String, Answer), String> {
    let (name, answer) =
        text.split_once('=').ok_or("write NAME=met, NAME=not_met or NAME=unknown")?;
    Ok((name.to_owned(), by_name(answer)?))
}

fn bearing(text: &str) -> Result<(Bearing, String), String> {
    let (kind, words) = text.split_once('=').ok_or("write KIND=WORDS")?;
    Ok((by_name(kind)?, words.to_owned()))
}

pub(crate) fn case(command: CaseCommand) -> Result<Outcome> {
    match command {
        CaseCommand::List(args) => list(&args),
        CaseCommand::Show(args) => show(&args),
        CaseCommand::Steps(args) => steps(&args),
        CaseCommand::Report(args) => super::finding::report(&args),
        CaseCommand::Sign { mission, act, with, finding } => {
            let text = std::fs::read_to_string(&act)
                .with_context(|| format!("reading {}", act.display()))?;
            let act: Act = serde_json::from_str(&text)
                .with_context(|| format!("{} is not an act", act.display()))?;
            let mission = open(&mission)?;
            let finding = match finding {
                Some(start) => Some(finding_id(&state_of(&mission, None)?, &start)?),
                None => None,
            };
            sign_and_file(&mission, finding, act, &with)
        }
        CaseCommand::File { mission, envelope, at } => {
            let mission = open(&mission)?;
            let bytes = std::fs::read(&envelope)
                .with_context(|| format!("reading {}", envelope.display()))?;
            take_in(&mission, &bytes, moment(&mission, at)?)
        }
        other => act(other),
    }
}

/// The acts on one finding.
fn act(command: CaseCommand) -> Result<Outcome> {
    let (to, act) = match command {
        CaseCommand::Lease { to, until } => (to, Act::Lease { until: until.0 }),
        CaseCommand::Triage { to, severity, set_aside, note } => {
            let outcome = if set_aside { Triage::SetAside } else { Triage::Proceed };
            (to, Act::Triage { severity, outcome, note })
        }
        CaseCommand::Task { to, what, due } => (to, Act::Task { what, due: due.0 }),
        CaseCommand::Corroborate { to, observations, note } => {
            (to, Act::Corroborate { observations, note })
        }
        CaseCommand::Grade { to, credibility, note } => (to, Act::Grade { credibility, note }),
        CaseCommand::Assess { to, alternatives, at_most, note } => {
            (to, Act::Assess { alternatives, at_most, note })
        }
        CaseCommand::Elements { to, elements, note } => {
            (to, Act::Elements { answers: elements.into_iter().collect::<BTreeMap<_, _>>(), note })
        }
        CaseCommand::Notice { to, party, questions } => (to, Act::Notice { party, questions }),
        CaseCommand::Reply { to, points, contests } => (to, Act::Reply { points, contests }),
        CaseCommand::Answer { to, reply, answers } => (to, Act::AnswerPoints { reply, answers }),
        CaseCommand::Seal { to, ruling, round } => {
            return seal(&to, ruling, round);
        }
        CaseCommand::Decide { to, ruling, reason, round, note } => {
            let salt = String::new(); // made from the key below
            (to, Act::Rule { round, ruling, reason, note, salt })
        }
        CaseCommand::Attribute { to, grade, actor, probability, lines, control, note } => {
            (to, Act::Attribute { grade, actor, probability, lines, control, note })
        }
        CaseCommand::Endorse { to, attribution, dissent } => {
            (to, Act::Endorse { attribution, dissent })
        }
        CaseCommand::Approve { to, what } => (to, Act::Approve { what }),
        CaseCommand::Publish { to, what } => (to, Act::Publish { what }),
        CaseCommand::Veto { to, what, reason } => (to, Act::Veto { what, reason }),
        CaseCommand::Correct { to, field, was, is, reason } => {
            (to, Act::Correct { field, was, is, reason })
        }
        CaseCommand::Retract { to, reason } => (to, Act::Retract { reason }),
        CaseCommand::Ask { to, of, action, due } => (to, Act::Ask { of, action, due: due.0 }),
        CaseCommand::Outcome { to, outcome, reason } => (to, Act::Outcome { outcome, reason }),
        CaseCommand::Archive { to } => (to, Act::Archive),
        CaseCommand::List(_)
        | CaseCommand::Show(_)
        | CaseCommand::Steps(_)
        | CaseCommand::Report(_)
        | CaseCommand::Sign { .. }
        | CaseCommand::File { .. } => unreachable!("these are no acts on a finding"),
    };
    let mission = open(&to.mission)?;
    let state = state_of(&mission, None)?;
    let finding = finding_id(&state, &to.finding)?;
    let act = match act {
        Act::Corroborate { observations, note } if observations.is_empty() => {
            Act::Corroborate { observations: evidence(&state, finding), note }
        }
        other => other,
    };
    sign_and_file(&mission, Some(finding), act, &to.with)
}

fn seal(to: &Filing, ruling: Ruling, round: u32) -> Result<Outcome> {
    let mission = open(&to.mission)?;
    let finding = finding_id(&state_of(&mission, None)?, &to.finding)?;
    let key = open_key(&to.with.key, &to.with.passphrase)?;
    let hash = mission.mission_toml_hash();
    let salt = act::salt(&key, &hash, finding, round);
    let seal = act::seal(&hash, finding, round, ruling, &salt);
    file_with(&mission, &key, Some(finding), Act::Seal { round, seal }, &to.with)
}

/// The observations of a finding's incident.
fn evidence(state: &State, finding: Id) -> Vec<Id> {
    let incident = state.findings.iter().find(|one| one.id == finding).map(|one| one.incident);
    state
        .incidents
        .iter()
        .filter(|one| Some(one.id) == incident)
        .flat_map(|one| one.members.iter().map(|member| member.observation))
        .collect()
}

/// A finding by the beginning of its id.
pub(super) fn finding_id(state: &State, start: &str) -> Result<Id> {
    let found: Vec<Id> = state
        .findings
        .iter()
        .map(|finding| finding.id)
        .filter(|id| id.to_string().starts_with(start))
        .collect();
    match found.as_slice() {
        [id] => Ok(*id),
        [] => bail!(
            "no finding begins with `{start}`; `truceline findings MISSION --format csv` lists them"
        ),
        several => {
            bail!("`{start}` is the beginning of {} findings; write more of it", several.len())
        }
    }
}

/// The moment of an act: the machine's clock, except in exercises.
fn moment(mission: &Mission, at: Option<Moment>) -> Result<Timestamp> {
    match at {
        None => Ok(crate::clock::now()),
        Some(at) if people::ledger(mission)?.genesis()?.exercise => Ok(at.0),
        Some(_) => bail!("--at is for exercises: elsewhere the clock of the machine counts"),
    }
}

pub(super) fn sign_and_file(
    mission: &Mission,
    finding: Option<Id>,
    act: Act,
    with: &With,
) -> Result<Outcome> {
    let key = open_key(&with.key, &with.passphrase)?;
    file_with(mission, &key, finding, act, with)
}

fn file_with(
    mission: &Mission,
    key: &record::PrivateKey,
    finding: Option<Id>,
    act: Act,
    with: &With,
) -> Result<Outcome> {
    let hash = mission.mission_toml_hash();
    let act = match (act, finding) {
        (Act::Rule { round, ruling, reason, note, .. }, Some(finding)) => {
            let salt = act::salt(key, &hash, finding, round);
            Act::Rule { round, ruling, reason, note, salt }
        }
        (other, _) => other,
    };
    let at = moment(mission, with.at)?;
    let envelope = Statement { mission: hash, at, finding, act }.sign(key)?;
    if let Some(path) = &with.out {
        std::fs::write(path, &envelope).with_context(|| format!("writing {}", path.display()))?;
        output::line(&format!("wrote {}; `truceline case file` takes it in", path.display()))?;
        return Ok(Outcome::Fine);
    }
    take_in(mission, &envelope, at)
}

/// Files an envelope and tells what came of it.
fn take_in(mission: &Mission, envelope: &[u8], received: Timestamp) -> Result<Outcome> {
    let entry = people::file(mission, received, envelope)?;
    let bar = crate::progress::spinner("folding the record");
    let (state, _) = mission::derive::derive_and_store(mission)?;
    bar.finish_and_clear();
    let Some(step) = people::effect(&state.steps, entry) else {
        bail!("entry {entry} was filed and is not in the state");
    };
    match &step.refused {
        None => {
            output::line(&format!("entry {entry}: {} {}", step.person, step.words))?;
            if let Some(case) = step.finding.and_then(|finding| state.case(finding)) {
                output::line(&format!("status {}", case.status.words()))?;
                if step.act == "grade" {
                    output::print(&reliabilities(case))?;
                }
            }
            Ok(Outcome::Fine)
        }
        Some((code, why)) => {
            output::line(&format!("entry {entry} is recorded and has no effect [{code}]: {why}"))?;
            Ok(Outcome::Flawed)
        }
    }
}

/// The reliability of the sources by their record, shown once the information
/// was graded.
fn reliabilities(case: &domain::Case) -> String {
    let line = |grade: &domain::case::SourceGrade| {
        format!(
            "source {}: reliability {} ({}), {} of {} decided findings confirmed\n",
            grade.source,
            grade.reliability,
            casework::words::admiralty(grade.reliability, "en").unwrap_or_default(),
            grade.confirmed,
            grade.confirmed + grade.refuted
        )
    };
    case.grades.iter().map(line).collect()
}

fn heading(state: &State) -> &'static str {
    if state.facts.exercise { "EXERCISE - made-up data.\n" } else { "" }
}

fn list(args: &MissionOnly) -> Result<Outcome> {
    let state = state_of(&open(&args.mission)?, args.as_of)?;
    let rows = state
        .cases
        .iter()
        .map(|case| {
            let held = case.checks.iter().filter(|check| check.holds).count();
            vec![
                case.finding.to_string(),
                case.provision.clone(),
                case.status.words().to_owned(),
                case.severity.map_or("", Severity::code).to_owned(),
                format!("{held} of 10"),
                case.attribution_words().to_owned(),
                if case.published.is_some() { "yes" } else { "no" }.to_owned(),
            ]
        })
        .collect();
    let columns =
        vec!["finding", "provision", "status", "severity", "checks", "attribution", "published"];
    output::print(&format!("{}{}", heading(&state), output::table(&Table { columns, rows })))?;
    Ok(Outcome::Fine)
}

fn show(args: &OnFinding) -> Result<Outcome> {
    let state = state_of(&open(&args.mission)?, args.as_of)?;
    let finding = finding_id(&state, &args.finding)?;
    let Some(case) = state.case(finding) else {
        bail!("nobody has acted on {finding} yet; `truceline case triage` begins");
    };
    let text = story::tell(case, &state.steps, &args.language);
    output::print(&format!("{}{text}\n{}", heading(&state), story::checks(case)))?;
    Ok(Outcome::Fine)
}

fn steps(args: &MissionOnly) -> Result<Outcome> {
    let state = state_of(&open(&args.mission)?, args.as_of)?;
    let rows = state
        .steps
        .iter()
        .map(|step| {
            let (code, why) = step.refused.clone().unwrap_or_default();
            let effect =
                if code.is_empty() { "yes".to_owned() } else { format!("no [{code}]: {why}") };
            vec![
                step.entry.to_string(),
                step.received.to_string(),
                step.person.clone(),
                step.contingent.clone(),
                step.act.clone(),
                step.finding.map_or(String::new(), |id| id.to_string()),
                effect,
            ]
        })
        .collect();
    let columns = vec!["entry", "received", "person", "contingent", "act", "finding", "effect"];
    output::print(&format!("{}{}", heading(&state), output::table(&Table { columns, rows })))?;
    Ok(Outcome::Fine)
}
