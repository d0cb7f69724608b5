//! `truceline drill`: the trigger laboratory. An exercise: it reads, it never
//! writes, and every output says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use agreement::testing::{Scenario, scenario};
use agreement::trigger::{Call, call};
use agreement::{
    Agreement, Anchor, Anchors, Commitment, Evaluator, Happening, Severity, Standard, Timeline,
    Truth, Verdict,
};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use domain::incident::ClassShare;
use domain::{Class, Extent, Interval, Occurrence, Probability};
use jiff::Timestamp;
use mission::AsOf;
use publish::table::Table;
use serde_json::{Value, json};

use super::agreement::compare_words::{severity, standard};
use crate::cli::TableFormat;
use crate::{Outcome, output};

/// From this probability on a commitment is shown as called.
const CALLED: f64 = 0.95;

const BANNER: &str = "EXERCISE  EXERCISE  EXERCISE  nothing here is in the record";

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  truceline drill agreements/paris-2026 --class A7 --at 2026-04-01T03:00:00Z --by ru \\\n      \
    --severity S3 --standard S4 --event ceasefire=2026-03-01T00:00:00Z\n  \
    truceline drill agreements/paris-2026 --scenario drone-swarm.toml\n  \
    truceline drill agreements/easter-2025 --mission easter/mission --incident inc_4x9k...\n\n\
    An exercise never touches a record. Every output is marked EXERCISE."
)]
pub(crate) struct DrillArgs {
    /// Folder of the package
    agreement: PathBuf,
    /// A timeline of incidents in a file (see docs/agreement-language.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["class", "incident"])]
    scenario: Option<PathBuf>,
    /// One hypothetical incident of this class
    #[arg(long, requires = "at")]
    class: Option<Class>,
    /// When it takes place
    #[arg(long, value_name = "MOMENT")]
    at: Option<strict::Moment>,
    /// Who did it, by a supposed attribution; without it, nobody is named
    #[arg(long, value_name = "PARTY")]
    by: Option<String>,
    /// How grave it is
    #[arg(long, value_name = "S0..S4", value_parser = severity)]
    severity: Option<Severity>,
    /// The standard of proof that it has reached
    #[arg(long, value_name = "S1..S5", value_parser = standard, default_value = "S1")]
    standard: Standard,
    /// Provisions that it is taken to breach; without any, those whose acts it is
    #[arg(long, value_name = "ID")]
    breaches: Vec<String>,
    /// One real incident of a mission, by its id or the beginning of it
    #[arg(long, value_name = "ID", requires = "mission", conflicts_with = "class")]
    incident: Option<String>,
    /// Mission folder, with --incident
    #[arg(long)]
    mission: Option<PathBuf>,
    /// The moment as of which it is asked; the incident's own if not said
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<strict::Moment>,
    /// A declared event is taken to be at a moment
    #[arg(long, value_name = "EVENT=MOMENT", value_parser = super::agreement::event_time)]
    event: Vec<(String, Timestamp)>,
    /// What clocks count from: verified=2026-04-02T00:00:00Z
    #[arg(long, value_name = "ANCHOR=MOMENT", value_parser = super::agreement::event_time)]
    anchor: Vec<(String, Timestamp)>,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
}

/// Runs it.
pub(crate) fn drill(args: &DrillArgs) -> Result<Outcome> {
    let (package, _) = super::agreement::read(&args.agreement)?;
    let it = &package.agreement;
    let (title, mut timeline, mut anchors) = situation(args, it)?;
    timeline.events.extend(super::agreement::assumed(it, &args.event)?);
    for (name, at) in &args.anchor {
        let anchor: Anchor = name.parse().map_err(anyhow::Error::msg)?;
        anchors.0.insert(anchor, *at);
    }
    check(it, &timeline)?;
    let anchors = it.anchors(&anchors, &timeline.events);
    let text = match args.format {
        TableFormat::Table => text(it, &title, &timeline, &anchors),
        TableFormat::Json => output::json(&as_json(it, &title, &timeline, &anchors))?,
        TableFormat::Csv => as_table(it, &timeline, &anchors).to_csv(),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// What is put through the triggers.
fn situation(args: &DrillArgs, it: &Agreement) -> Result<(String, Timeline, Anchors)> {
    if let Some(path) = &args.scenario {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let text = strict::Text::from_bytes(path.display().to_string(), bytes)?;
        let read: Scenario = scenario(&text)?;
        let mut anchors = Anchors::default();
        for (name, at) in &read.anchors {
            let anchor: Anchor = name.parse().map_err(anyhow::Error::msg)?;
            anchors.0.insert(anchor, at.0);
        }
        if let Some(last) = read.happening.iter().map(|one| one.at.0).max() {
            anchors.0.entry(Anchor::EventTime).or_insert(last);
        }
        return Ok((read.title.clone(), read.timeline(), anchors));
    }
    if let Some(id) = &args.incident {
        return real(args, it, id);
    }
    let (Some(class), Some(at)) = (args.class, args.at) else {
        bail!("give --scenario FILE, --class CLASS --at MOMENT, or --mission DIR --incident ID");
    };
    let breaches = if args.breaches.is_empty() {
        it.provisions
            .iter()
            .filter(|provision| provision.forbids(class))
            .map(|provision| provision.id.clone())
            .collect()
    } else {
        args.breaches.clone()
    };
    let happening = Happening {
        id: "hypothetical".to_owned(),
        when: Occurrence { span: Interval::at(at.0), sigma_s: 0.0, extent: Extent::Once },
        classes: vec![ClassShare { class, share: Probability::ONE }],
        severity: args.severity,
        standard: args.standard,
        breaches: breaches.into_iter().map(|id| (id, Probability::ONE)).collect(),
        by: args.by.clone().map(|by| (by, Probability::ONE)),
        sector: None,
        zones: BTreeMap::new(),
    };
    let title = format!("a hypothetical incident of class {class} ({})", class.title());
    let mut timeline = Timeline::new(args.as_of.map_or(at.0, |as_of| as_of.0));
    timeline.happenings.push(happening);
    Ok((title, timeline, Anchors([(Anchor::EventTime, at.0)].into())))
}

/// A real incident, as the mission's evidence has it.
fn real(args: &DrillArgs, it: &Agreement, id: &str) -> Result<(String, Timeline, Anchors)> {
    let folder = args.mission.as_ref().expect("clap asks for it");
    let mission = super::open(folder)?;
    let bar = crate::progress::spinner("folding the record");
    let (state, world) = mission::derive::derive(&mission, AsOf::Now)?;
    bar.finish_and_clear();
    let mut found = state.incidents.iter().filter(|one| one.id.to_string().starts_with(id));
    let (Some(incident), None) = (found.next(), found.next()) else {
        bail!(
            "`{id}` names no incident of the mission, or several; `truceline incidents` lists them"
        );
    };
    let events = super::agreement::assumed(it, &args.event)?;
    let evaluator = Evaluator::assuming(it, events);
    let position = findings::compare::Position { label: "", evaluator: &evaluator, reading: None };
    let breaches = findings::compare::fits(&position, incident, &world).into_iter().collect();
    let at = incident.when.span.middle();
    let mut timeline = Timeline::new(args.as_of.map_or(incident.when.span.to, |as_of| as_of.0));
    timeline.happenings.push(Happening {
        id: incident.id.to_string(),
        when: incident.when,
        classes: incident.classes.clone(),
        severity: args.severity,
        standard: args.standard,
        breaches,
        by: args.by.clone().map(|by| (by, Probability::ONE)),
        sector: None,
        zones: evaluator.zones(&findings::facts(incident), &world),
    });
    let title = format!("{} of {}: {}", incident.id, state.facts.title, incident.place_name);
    Ok((title, timeline, Anchors([(Anchor::EventTime, at)].into())))
}

/// Ids of a scenario that the package does not know are mistakes, not silence.
fn check(it: &Agreement, timeline: &Timeline) -> Result<()> {
    let actors: Vec<&str> = it
        .parties
        .iter()
        .map(|party| party.id.as_str())
        .chain(it.guarantors.iter().map(|guarantor| guarantor.id.as_str()))
        .collect();
    let provisions: Vec<&str> = it.provisions.iter().map(|one| one.id.as_str()).collect();
    let events: Vec<&str> = it.events.iter().map(|one| one.id.as_str()).collect();
    for happening in &timeline.happenings {
        if let Some((by, _)) = &happening.by
            && !actors.contains(&by.as_str())
        {
            bail!(
                "{}: no party or guarantor is called `{by}`; {}",
                happening.id,
                strict::suggestion(by, &actors)
            );
        }
        for id in happening.breaches.keys() {
            if !provisions.contains(&id.as_str()) {
                bail!(
                    "{}: no provision is called `{id}`; {}",
                    happening.id,
                    strict::suggestion(id, &provisions)
                );
            }
        }
    }
    for id in timeline.events.keys() {
        if !events.contains(&id.as_str()) {
            bail!("no event is called `{id}`; {}", strict::suggestion(id, &events));
        }
    }
    Ok(())
}

fn verdict(truth: &Truth) -> Verdict {
    truth.verdict(Probability::new(CALLED))
}

fn word(truth: &Truth) -> &'static str {
    match verdict(truth) {
        Verdict::Met => "yes",
        Verdict::NotMet => "no",
        Verdict::Open => "open",
    }
}

fn text(it: &Agreement, title: &str, timeline: &Timeline, anchors: &Anchors) -> String {
    let mut text = format!(
        "{BANNER}\n\n{} ({})\n{title}, as of {}\n\n",
        it.title.get("en"),
        it.reference(),
        timeline.as_of
    );
    let mut rows = Vec::new();
    let mut reasons = String::new();
    let mut split = Vec::new();
    for commitment in &it.commitments {
        let calls = call(it, commitment, timeline);
        let mut verdicts: Vec<Verdict> = calls.iter().map(|call| verdict(&call.called)).collect();
        verdicts.dedup();
        if verdicts.len() > 1 {
            split.push(format!("  {}  {}", commitment.id, told(&calls)));
        }
        for call in &calls {
            rows.push(vec![
                commitment.id.clone(),
                commitment.obligors.join(", "),
                said(commitment),
                call.reading.clone(),
                word(&call.active.truth).to_owned(),
                word(&call.triggered.truth).to_owned(),
                word(&call.void.truth).to_owned(),
                result(commitment, call).to_owned(),
            ]);
        }
        let wording = commitment.wording.get("en");
        let _ = writeln!(reasons, "\n{}  {}", commitment.id, commitment.title.get("en"));
        if !wording.is_empty() {
            let _ = writeln!(reasons, "  wording    {wording}");
        }
        let mut told: Vec<String> = Vec::new();
        for call in &calls {
            for (name, answer) in
                [("active", &call.active), ("triggered", &call.triggered), ("void", &call.void)]
            {
                for because in &answer.because {
                    let line = format!("  {name:10} {because}");
                    if !told.contains(&line) {
                        told.push(line);
                    }
                }
            }
        }
        for line in told {
            let _ = writeln!(reasons, "{line}");
        }
        if let Some(clock) = commitment.clock.as_ref().and_then(|id| it.clock(id)) {
            for deadline in clock.deadlines(anchors, &[]) {
                let reading = if deadline.reading.is_empty() {
                    String::new()
                } else {
                    format!("{}: ", deadline.reading)
                };
                let due = match deadline.due {
                    Some(due) => format!("due {due}, counted from {}", deadline.anchor),
                    None => format!("not running: nothing is {} yet", deadline.anchor),
                };
                let _ = writeln!(reasons, "  clock      {} - {reading}{due}", clock.id);
            }
        }
    }
    let columns = vec![
        "commitment",
        "owed by",
        "said to be",
        "reading",
        "active",
        "triggered",
        "void",
        "result",
    ];
    if rows.is_empty() {
        text.push_str("The agreement has no commitments.\n");
    } else {
        text.push_str(&output::table(&Table { columns, rows }));
    }
    for provision in it.provisions.iter().filter(|one| one.voiding.is_some()) {
        let voiding = provision.voiding.as_ref().expect("just filtered");
        for weighed in agreement::trigger::weigh(it, "voiding", voiding, timeline) {
            let reading = if weighed.reading.is_empty() {
                String::new()
            } else {
                format!(" [{}]", weighed.reading)
            };
            let _ = writeln!(
                text,
                "provision {}: parties freed from it: {}{reading}",
                provision.id,
                word(&weighed.answer.truth)
            );
        }
    }
    if !split.is_empty() {
        let _ = write!(text, "\nWhere readings split\n{}\n", split.join("\n"));
    }
    text.push_str(&reasons);
    let _ = writeln!(text, "\n{BANNER}");
    text
}

/// What comes of a commitment.
fn result(commitment: &Commitment, call: &Call) -> &'static str {
    match verdict(&call.called) {
        Verdict::Met if commitment.trigger.is_none() => "owed",
        Verdict::Met => "CALLED",
        Verdict::NotMet => "not called",
        Verdict::Open => "open",
    }
}

/// With what force it was said: what is only proposed binds nobody.
fn said(commitment: &Commitment) -> String {
    let words: Vec<&str> =
        commitment.modality.readings().iter().map(|reading| reading.value.title()).collect();
    words.join(" / ")
}

fn told(calls: &[Call]) -> String {
    let one = |call: &Call| {
        let reading = if call.reading.is_empty() { "as written" } else { &call.reading };
        format!("{reading}: {}", verdict(&call.called).title())
    };
    calls.iter().map(one).collect::<Vec<_>>().join(" / ")
}

/// One row per commitment, reading of its wording, and reading of its clock.
fn as_table(it: &Agreement, timeline: &Timeline, anchors: &Anchors) -> Table {
    let mut rows = Vec::new();
    for commitment in &it.commitments {
        let clock = commitment.clock.as_ref().and_then(|id| it.clock(id));
        let mut deadlines: Vec<[String; 3]> = clock
            .map(|clock| clock.deadlines(anchors, &[]))
            .unwrap_or_default()
            .iter()
            .map(|one| {
                let due = one.due.map_or(String::new(), |due| due.to_string());
                [one.reading.clone(), one.anchor.to_string(), due]
            })
            .collect();
        if deadlines.is_empty() {
            deadlines.push(Default::default());
        }
        for call in call(it, commitment, timeline) {
            for deadline in &deadlines {
                let mut row = vec![
                    "EXERCISE".to_owned(),
                    commitment.id.clone(),
                    commitment.obligors.join(" "),
                    said(commitment),
                    call.reading.clone(),
                    word(&call.active.truth).to_owned(),
                    word(&call.triggered.truth).to_owned(),
                    word(&call.void.truth).to_owned(),
                    result(commitment, &call).to_owned(),
                    call.called.low().get().to_string(),
                    call.called.high().get().to_string(),
                    call.called.open().join("; "),
                ];
                row.extend(deadline.iter().cloned());
                rows.push(row);
            }
        }
    }
    let columns = vec![
        "exercise",
        "commitment",
        "owed_by",
        "said_to_be",
        "reading",
        "active",
        "triggered",
        "void",
        "result",
        "p_low",
        "p_high",
        "open",
        "clock_reading",
        "clock_from",
        "due",
    ];
    Table { columns, rows }
}

fn as_json(it: &Agreement, title: &str, timeline: &Timeline, anchors: &Anchors) -> Value {
    let commitments: Vec<Value> = it
        .commitments
        .iter()
        .map(|commitment| {
            let calls: Vec<Value> = call(it, commitment, timeline)
                .iter()
                .map(|call| {
                    json!({
                        "exercise": true,
                        "reading": call.reading,
                        "active": word(&call.active.truth),
                        "triggered": word(&call.triggered.truth),
                        "void": word(&call.void.truth),
                        "called": [call.called.low(), call.called.high()],
                        "open": call.called.open(),
                        "because": call.triggered.because,
                        "relied_on": call.triggered.relied_on,
                    })
                })
                .collect();
            let deadlines: Vec<Value> = commitment
                .clock
                .as_ref()
                .and_then(|id| it.clock(id))
                .map(|clock| clock.deadlines(anchors, &[]))
                .unwrap_or_default()
                .iter()
                .map(|one| {
                    json!({"reading": one.reading, "anchor": one.anchor.to_string(), "started": one.started, "due": one.due})
                })
                .collect();
            json!({"exercise": true, "commitment": commitment.id, "obligors": commitment.obligors, "modality": said(commitment), "calls": calls, "deadlines": deadlines})
        })
        .collect();
    json!({
        "exercise": true,
        "banner": "EXERCISE",
        "agreement": it.reference(),
        "situation": title,
        "as_of": timeline.as_of,
        "commitments": commitments,
    })
}
