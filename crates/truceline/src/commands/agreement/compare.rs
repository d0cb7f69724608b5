//! `truceline agreement compare`: the negotiator's tool.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use agreement::trigger::{call, weigh};
use agreement::{Agreement, Evaluator, Happening, Severity, Standard, Timeline, Truth, Verdict};
use anyhow::{Result, bail};
use clap::Args;
use domain::{Id, Incident, Probability};
use findings::compare::{Difference, Position, differences};
use jiff::Timestamp;
use mission::AsOf;
use publish::table::Table;
use serde_json::json;

use super::compare_words::{severity, standard};
use crate::cli::TableFormat;
use crate::progress::spinner;
use crate::{Outcome, output};

/// More differences than this are counted, not listed.
const LISTED: usize = 40;

/// From this probability on a commitment is shown as called.
const SURE: f64 = 0.95;

/// Names of the columns of positions.
const LETTERS: [&str; 12] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"];

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  truceline agreement compare agreements/energy-moratorium-2025 --mission energy/mission\n  \
    truceline agreement compare agreements/energy-moratorium-2025 --mission energy/mission \\\n      \
    --reading \"from 18 March, thirty days\" --reading \"from 25 March, thirty days\"\n  \
    truceline agreement compare agreements/easter-2025 --against draft --mission easter/mission\n  \
    truceline agreement compare agreements/draft-20-points-2025 --mission easter/mission \\\n      \
    --assume ceasefire=2025-04-19T15:00:00Z --suppose-by ru --suppose-standard S4\n\n\
    Nobody is named by it: --suppose-by asks what would follow if an attribution said so."
)]
pub(crate) struct CompareArgs {
    /// Folder of the package
    agreement: PathBuf,
    /// Mission folder with the evidence
    #[arg(long)]
    mission: PathBuf,
    /// A reading to compare, by its name; without any, all of them
    #[arg(long, value_name = "NAME", conflicts_with = "against")]
    reading: Vec<String>,
    /// Another version or draft to compare with
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Take a declared event to be at a moment
    #[arg(long, value_name = "EVENT=MOMENT", value_parser = super::event_time)]
    assume: Vec<(String, Timestamp)>,
    /// What would be triggered if each breach were attributed to this party
    #[arg(long, value_name = "PARTY")]
    suppose_by: Option<String>,
    /// ... were this grave
    #[arg(long, value_name = "S0..S4", value_parser = severity)]
    suppose_severity: Option<Severity>,
    /// ... were proved to this standard
    #[arg(long, value_name = "S1..S5", value_parser = standard, default_value = "S1")]
    suppose_standard: Standard,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    as_of: Option<AsOf>,
    /// List only what would be triggered, not the incidents
    #[arg(long)]
    triggers: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
}

/// Names of all readings of an agreement's provisions.
fn readings(evaluator: &Evaluator<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, rules) in evaluator.rules() {
        for (_, name) in rules.iter().flat_map(|rule| rule.choice.iter()) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

pub(super) fn compare(args: &CompareArgs) -> Result<Outcome> {
    let (package, _) = super::read(&args.agreement)?;
    let other = args.against.as_ref().map(|folder| super::read(folder)).transpose()?;
    let it = &package.agreement;
    if let Some(by) = &args.suppose_by {
        let parties: Vec<&str> = it.parties.iter().map(|party| party.id.as_str()).collect();
        if !parties.contains(&by.as_str()) {
            bail!("{} has no party `{by}`; {}", it.reference(), strict::suggestion(by, &parties));
        }
    }
    let assumed = super::assumed(it, &args.assume)?;
    let evaluator = Evaluator::assuming(it, assumed.clone());
    let other_evaluator =
        other.as_ref().map(|(other, _)| Evaluator::assuming(&other.agreement, assumed.clone()));
    let names = if args.reading.is_empty() { readings(&evaluator) } else { args.reading.clone() };
    for name in &args.reading {
        let known = readings(&evaluator);
        if !known.contains(name) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            bail!(
                "{} has no reading `{name}`; {}",
                it.reference(),
                strict::suggestion(name, &known)
            );
        }
    }
    let references = (it.reference(), other.as_ref().map(|(other, _)| other.agreement.reference()));
    let positions: Vec<Position<'_>> = match (&other_evaluator, &references.1) {
        (Some(other), Some(label)) => vec![
            Position { label: &references.0, evaluator: &evaluator, reading: None },
            Position { label, evaluator: other, reading: None },
        ],
        _ => names
            .iter()
            .map(|name| Position { label: name, evaluator: &evaluator, reading: Some(name) })
            .collect(),
    };
    if positions.len() < 2 {
        bail!(
            "{} has no contested field in its provisions; give another version with --against",
            it.reference()
        );
    }
    let mission = super::super::open(&args.mission)?;
    let bar = spinner("folding the record");
    let (state, world) = mission::derive::derive(&mission, args.as_of.unwrap_or(AsOf::Now))?;
    bar.set_message("holding it against each reading");
    let found = differences(&positions, &state.incidents, &world);
    bar.finish_and_clear();
    let around = Around { state: &state, positions: &positions, args };
    let text = match args.format {
        TableFormat::Json => output::json(&around.json(&found, &around.triggers(&world)))?,
        TableFormat::Csv if args.triggers => {
            around.trigger_table(&around.triggers(&world)).to_csv()
        }
        TableFormat::Csv => around.table(&found).to_csv(),
        TableFormat::Table if args.triggers => {
            format!("{}{}", around.heading(), around.triggered(it, &around.triggers(&world)))
        }
        TableFormat::Table => around.text(&found, it, &around.triggers(&world)),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// The first reason why something is open, and how many more there are.
fn reasons(open: &[String]) -> String {
    match open {
        [] => String::new(),
        [only] => format!(": {only}"),
        [first, more @ ..] => format!(": {first}, and {} more", more.len()),
    }
}

/// What a commitment or a voiding clause would come to under a position.
struct Triggered<'a> {
    /// Its letter and label.
    position: (char, &'a str),
    /// `commitment` or `provision`.
    kind: &'static str,
    id: String,
    title: String,
    /// The reading of its own wording; empty if that is not contested.
    reading: String,
    truth: Truth,
}

impl Triggered<'_> {
    fn word(&self) -> &'static str {
        match (self.truth.verdict(Probability::new(SURE)), self.kind) {
            (Verdict::Open, _) => "open",
            (Verdict::Met, "commitment") => "called",
            (Verdict::NotMet, "commitment") => "no",
            (Verdict::Met, _) => "void",
            (Verdict::NotMet, _) => "stands",
        }
    }
}

struct Around<'a> {
    state: &'a domain::State,
    positions: &'a [Position<'a>],
    args: &'a CompareArgs,
}

impl Around<'_> {
    fn incident(&self, id: Id) -> &Incident {
        self.state.incidents.iter().find(|incident| incident.id == id).expect("it was compared")
    }

    fn table(&self, found: &[Difference]) -> Table {
        let mut columns = vec!["incident", "day", "class", "place", "provision"];
        columns.extend(LETTERS.iter().take(self.positions.len()));
        columns.push("because of");
        let rows = found
            .iter()
            .map(|one| {
                let incident = self.incident(one.incident);
                let mut row = vec![
                    one.incident.to_string(),
                    self.state.day_of(incident).to_string(),
                    incident.class().to_string(),
                    incident.place_name.clone(),
                    one.provision.clone(),
                ];
                row.extend(one.fits.iter().take(LETTERS.len()).map(|fit| match fit {
                    Some(p) => format!("{:.2}", p.get()),
                    None => "-".to_owned(),
                }));
                row.push(one.fields.join(", "));
                row
            })
            .collect();
        Table { columns, rows }
    }

    fn trigger_table(&self, triggers: &[Triggered<'_>]) -> Table {
        let rows = triggers
            .iter()
            .map(|one| {
                vec![
                    one.position.0.to_string(),
                    one.position.1.to_owned(),
                    one.kind.to_owned(),
                    one.id.clone(),
                    one.title.clone(),
                    one.reading.clone(),
                    one.word().to_owned(),
                    one.truth.low().get().to_string(),
                    one.truth.high().get().to_string(),
                    one.truth.open().join("; "),
                    self.args.suppose_by.clone().unwrap_or_default(),
                    format!("{:?}", self.args.suppose_standard),
                ]
            })
            .collect();
        let columns = vec![
            "position",
            "position_name",
            "kind",
            "id",
            "title",
            "reading",
            "result",
            "p_low",
            "p_high",
            "open",
            "supposed_by",
            "supposed_standard",
        ];
        Table { columns, rows }
    }

    fn json(&self, found: &[Difference], triggers: &[Triggered<'_>]) -> serde_json::Value {
        let list: Vec<_> = found
            .iter()
            .map(|one| {
                let fits: BTreeMap<&str, Option<Probability>> =
                    self.positions.iter().zip(&one.fits).map(|(p, fit)| (p.label, *fit)).collect();
                json!({"incident": one.incident, "provision": one.provision, "fits": fits, "because_of": one.fields})
            })
            .collect();
        let triggered: Vec<_> = triggers
            .iter()
            .map(|one| {
                json!({
                    "position": one.position.1,
                    "kind": one.kind,
                    "id": one.id,
                    "reading": one.reading,
                    "result": one.word(),
                    "probability": [one.truth.low(), one.truth.high()],
                    "open": one.truth.open(),
                })
            })
            .collect();
        json!({
            "exercise": self.state.facts.exercise,
            "positions": self.positions.iter().map(|position| position.label).collect::<Vec<_>>(),
            "incidents": self.state.incidents.len(),
            "differences": if self.args.triggers { Vec::new() } else { list },
            "supposed": {"by": self.args.suppose_by, "standard": format!("{:?}", self.args.suppose_standard)},
            "triggered": triggered,
        })
    }

    /// The first lines: what it is about, and which position is which.
    fn heading(&self) -> String {
        let mut text = String::new();
        let exercise = if self.state.facts.exercise { "EXERCISE - made-up data. " } else { "" };
        let _ = writeln!(
            text,
            "{exercise}{}. Reported, not verified; no actor is named.\n",
            self.state.facts.title
        );
        for (letter, position) in ('A'..).zip(self.positions) {
            let _ = writeln!(text, "  {letter}  {}", position.label);
        }
        text
    }

    fn text(&self, found: &[Difference], it: &Agreement, triggers: &[Triggered<'_>]) -> String {
        let mut text = self.heading();
        let incidents: BTreeSet<Id> = found.iter().map(|one| one.incident).collect();
        let _ = writeln!(
            text,
            "\n{} of {} incidents are judged differently ({} pairs with a provision).\n",
            incidents.len(),
            self.state.incidents.len(),
            found.len()
        );
        let shown = &found[..found.len().min(LISTED)];
        text.push_str(&output::table(&self.table(shown)));
        if found.len() > shown.len() {
            let _ = writeln!(
                text,
                "... and {} more; --format csv prints all",
                found.len() - shown.len()
            );
        }
        let mut by_field: BTreeMap<String, usize> = BTreeMap::new();
        for one in found {
            *by_field
                .entry(format!("{} of {}", one.fields.join(", "), one.provision))
                .or_default() += 1;
        }
        if !by_field.is_empty() {
            text.push_str("\nWhat makes the difference\n");
        }
        for (field, count) in by_field {
            let _ = writeln!(text, "  {count:5}  {field}");
        }
        text.push_str(&self.triggered(it, triggers));
        text
    }

    /// What commitments would come to under each position, if the breaches
    /// were as supposed.
    fn triggers(&self, ground: &mission::world::World) -> Vec<Triggered<'_>> {
        let mut triggers = Vec::new();
        for (letter, position) in ('A'..).zip(self.positions) {
            let timeline = self.timeline(position, ground);
            let agreement = position.evaluator.agreement();
            let mut push = |kind, id: &str, title: &str, reading: &str, truth: &Truth| {
                triggers.push(Triggered {
                    position: (letter, position.label),
                    kind,
                    id: id.to_owned(),
                    title: title.to_owned(),
                    reading: reading.to_owned(),
                    truth: truth.clone(),
                });
            };
            for commitment in &agreement.commitments {
                let title = commitment.title.get("en");
                for call in call(agreement, commitment, &timeline) {
                    push("commitment", &commitment.id, title, &call.reading, &call.called);
                }
            }
            for provision in &agreement.provisions {
                let Some(voiding) = &provision.voiding else { continue };
                let title = provision.title.get("en");
                for weighed in weigh(agreement, "voiding", voiding, &timeline) {
                    push(
                        "provision",
                        &provision.id,
                        title,
                        &weighed.reading,
                        &weighed.answer.truth,
                    );
                }
            }
        }
        triggers
    }

    fn triggered(&self, it: &Agreement, triggers: &[Triggered<'_>]) -> String {
        if triggers.is_empty() {
            let it = it.reference();
            return format!("\n{it} has no commitments: nothing would be triggered.\n");
        }
        let supposed = match &self.args.suppose_by {
            Some(by) => format!("if every breach were attributed to {by}"),
            None => "with nothing attributed (--suppose-by PARTY asks further)".to_owned(),
        };
        let mut text = format!(
            "\nWhat would be triggered, {supposed}, proved to {:?}\n",
            self.args.suppose_standard
        );
        for one in triggers {
            let reading =
                if one.reading.is_empty() { String::new() } else { format!(" [{}]", one.reading) };
            let why = match one.word() {
                "open" => reasons(one.truth.open()),
                _ => String::new(),
            };
            let (letter, _) = one.position;
            let _ = writeln!(
                text,
                "  {letter}  {:10} {:8} {}{reading}{why}",
                one.id,
                one.word(),
                one.title
            );
        }
        text
    }

    fn timeline(&self, position: &Position<'_>, ground: &mission::world::World) -> Timeline {
        let mut timeline = Timeline::new(self.state.facts.window.whole().to);
        timeline.events = position.evaluator.assumed().clone();
        for incident in &self.state.incidents {
            let mut breaches = BTreeMap::new();
            for difference in findings::compare::fits(position, incident, ground) {
                breaches.insert(difference.0, difference.1);
            }
            if breaches.is_empty() {
                continue;
            }
            timeline.happenings.push(Happening {
                id: incident.id.to_string(),
                when: incident.when,
                classes: incident.classes.clone(),
                severity: self.args.suppose_severity,
                standard: self.args.suppose_standard,
                breaches,
                by: self.args.suppose_by.clone().map(|by| (by, Probability::ONE)),
                sector: None,
                zones: BTreeMap::new(),
            });
        }
        timeline
    }
}
