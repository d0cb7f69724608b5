//! What a record comes to: the state that every machine must reach from the
//! same record, and the digest by which they compare it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::case::{Case, Step};
use crate::effort::DayEffort;
use crate::event::Event;
use crate::exposure::{ByLight, Light, Sector};
use crate::finding::Finding;
use crate::incident::Incident;
use crate::obligation::Obligation;
use crate::probability::rounded;
use crate::source::Source;
use crate::taxonomy::{Class, Signature};
use crate::time::{Interval, Zone, shifted};

/// The periods that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Before the truce.
    pub baseline: Interval,
    /// The truce.
    pub truce: Interval,
    /// After it.
    pub after: Interval,
}

/// What a period is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Before the truce.
    Baseline,
    /// The truce.
    Window,
    /// After it.
    After,
}

impl Period {
    /// All three, in order of time.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::Window, Self::After];

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Window => "window",
            Self::After => "after",
        }
    }
}

impl Window {
    /// The interval of a period.
    pub const fn period(&self, period: Period) -> Interval {
        match period {
            Period::Baseline => self.baseline,
            Period::Window => self.truce,
            Period::After => self.after,
        }
    }

    /// From the beginning of the baseline to the end of what comes after.
    pub fn whole(&self) -> Interval {
        Interval { from: self.baseline.from, to: self.after.to }
    }
}

/// Rows of a file or of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows read.
    #[serde(rename = "rows")]
    pub read: u64,
    /// Rows taken in.
    pub accepted: u64,
    /// Rows that the same source had delivered before.
    pub repeated: u64,
    /// Rows set aside.
    pub quarantined: u64,
}

impl std::ops::AddAssign for RowCounts {
    fn add_assign(&mut self, more: Self) {
        self.read += more.read;
        self.accepted += more.accepted;
        self.repeated += more.repeated;
        self.quarantined += more.quarantined;
    }
}

/// What the state is about, and from how much of the record it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// Version of the engine.
    pub engine: u32,
    /// Entries folded.
    pub entries: u64,
    /// If only what could be known by a moment was taken, that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<Timestamp>,
    /// Id of the case.
    pub case: String,
    /// Its title.
    pub title: String,
    /// What a reader must know.
    pub note: String,
    /// True for an exercise with made-up data.
    pub exercise: bool,
    /// The agreement, `id@version`.
    pub agreement: String,
    /// The zone in which days are counted.
    pub zone: Zone,
    /// The periods that are compared.
    pub window: Window,
    /// First and last day for which a report is written.
    pub report_days: (Date, Date),
}

impl Facts {
    /// All days from the beginning of the baseline to the end of what follows.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        let whole = self.window.whole();
        let first = self.zone.date(whole.from);
        let last = self.zone.date(shifted(whole.to, -1.0));
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take_while(move |day| *day <= last)
    }

    /// The period to which most of a day belongs.
    pub fn period(&self, day: Date) -> Period {
        let day = self.zone.day(day);
        let share = |period: Period| day.covered_seconds(&[self.window.period(period)]);
        Period::ALL
            .into_iter()
            .max_by(|a, b| share(*a).total_cmp(&share(*b)))
            .expect("three periods")
    }
}

/// One day of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceDay {
    /// How well it was looking.
    pub effort: DayEffort,
    /// Rows of that day.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: u64,
    /// Rows by signature.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signatures: BTreeMap<Signature, u64>,
    /// What the rows claim in numbers, by signature (87 launched).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claimed: BTreeMap<Signature, f64>,
    /// What became of the rows: joined an incident, or set aside and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outcomes: BTreeMap<String, u64>,
    /// Rows whose end was not seen and is assumed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub assumed_ends: u64,
    /// Its hours by day and by night; none where no place is known by whose
    /// sun they could be told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub light: Option<ByLight>,
    /// Of the rows, how many fell into the dark: a sum of shares, since the
    /// time of a row may not be known exactly.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub dark_rows: f64,
}

impl SourceDay {
    /// A day without rows.
    pub fn empty(effort: DayEffort) -> Self {
        Self {
            effort,
            rows: 0,
            signatures: BTreeMap::new(),
            claimed: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            assumed_ends: 0,
            light: None,
            dark_rows: 0.0,
        }
    }

    /// Rows that fell into one kind of light, as far as their times tell.
    pub fn rows_by(&self, light: Light) -> f64 {
        match light {
            Light::Day => rounded(self.rows as f64 - self.dark_rows, 3),
            Light::Night => self.dark_rows,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_nothing(rows: &f64) -> bool {
    *rows == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A source with everything that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceState {
    /// The source.
    pub source: Source,
    /// What its rows are for: `evidence`, `peacetime`, `effort`, `reference`.
    pub role: String,
    /// Files that came in.
    pub files: u64,
    /// Files that could not be read at all, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, String>,
    /// Rows of all its files.
    pub total: RowCounts,
    /// Day by day over the periods; empty for a reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<Date, SourceDay>,
    /// What a party claims in numbers by night, from noon to noon of the zone, named
    /// by the evening, and by class; only rows whose time of day is known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nights: BTreeMap<Date, BTreeMap<Class, f64>>,
}

/// One map of who holds which ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapState {
    /// The moment whose state it shows.
    pub state_at: Timestamp,
    /// Area inside, square kilometres.
    pub area_km2: f64,
    /// Length of the line of contact, kilometres.
    pub line_km: f64,
}

/// The state.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What it is about.
    pub facts: Facts,
    /// Sources, in the order of their declaration.
    pub sources: Vec<SourceState>,
    /// Maps of the source that gives the line of contact, oldest first.
    pub maps: Vec<MapState>,
    /// How long each sector was watched, and by whom.
    pub sectors: Vec<Sector>,
    /// Events inferred from arrivals, by time and id.
    pub events: Vec<Event>,
    /// Incidents, by time and id.
    pub incidents: Vec<Incident>,
    /// Findings, in the order of the incidents.
    pub findings: Vec<Finding>,
    /// Findings on which people have acted.
    pub cases: Vec<Case>,
    /// What people did, in record order, without effect or with.
    pub steps: Vec<Step>,
    /// What guarantors owe, as far as it was called.
    pub obligations: Vec<Obligation>,
}

/// A line of the written state.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Facts(Facts),
    Source(SourceState),
    Map(MapState),
    Sector(Sector),
    Event(Event),
    Incident(Box<Incident>),
    Finding(Finding),
    Case(Box<Case>),
    Step(Box<Step>),
    Obligation(Box<Obligation>),
}

impl State {
    /// The written form: one JSON object per line, always the same bytes for
    /// the same state.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut write = |line: &Line| {
            serde_json::to_writer(&mut bytes, line).expect("a state always has a JSON form");
            bytes.push(b'\n');
        };
        write(&Line::Facts(self.facts.clone()));
        self.sources.iter().for_each(|source| write(&Line::Source(source.clone())));
        self.maps.iter().for_each(|map| write(&Line::Map(*map)));
        self.sectors.iter().for_each(|sector| write(&Line::Sector(sector.clone())));
        self.events.iter().for_each(|event| write(&Line::Event(event.clone())));
        self.incidents
            .iter()
            .for_each(|incident| write(&Line::Incident(Box::new(incident.clone()))));
        self.findings.iter().for_each(|finding| write(&Line::Finding(finding.clone())));
        self.cases.iter().for_each(|case| write(&Line::Case(Box::new(case.clone()))));
        self.steps.iter().for_each(|step| write(&Line::Step(Box::new(step.clone()))));
        for obligation in &self.obligations {
            write(&Line::Obligation(Box::new(obligation.clone())));
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` if it is anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut facts = None;
        let (mut sources, mut maps) = (vec![], vec![]);
        let (mut sectors, mut events) = (vec![], vec![]);
        let (mut incidents, mut findings) = (vec![], vec![]);
        let (mut cases, mut steps, mut obligations) = (vec![], vec![], vec![]);
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line).ok()? {
                Line::Facts(read) => facts = Some(read),
                Line::Source(source) => sources.push(source),
                Line::Map(map) => maps.push(map),
                Line::Sector(sector) => sectors.push(sector),
                Line::Event(event) => events.push(event),
                Line::Incident(incident) => incidents.push(*incident),
                Line::Finding(finding) => findings.push(finding),
                Line::Case(case) => cases.push(*case),
                Line::Step(step) => steps.push(*step),
                Line::Obligation(obligation) => obligations.push(*obligation),
            }
        }
        Some(Self {
            facts: facts?,
            sources,
            maps,
            sectors,
            events,
            incidents,
            findings,
            cases,
            steps,
            obligations,
        })
    }

    /// SHA-256 of the written form, in hexadecimal digits.
    pub fn digest(&self) -> String {
        digest(&self.to_bytes())
    }

    /// A source by its id.
    pub fn source(&self, id: &str) -> Option<&SourceState> {
        self.sources.iter().find(|state| state.source.id == id)
    }

    /// What people have made of a finding, if anybody acted on it.
    pub fn case(&self, finding: crate::id::Id) -> Option<&Case> {
        self.cases.iter().find(|case| case.finding == finding)
    }

    /// The civil day on which an incident is counted: the one that holds most
    /// of its time, the first of equals.
    pub fn day_of(&self, incident: &Incident) -> Date {
        let span = incident.when.span;
        let zone = &self.facts.zone;
        let last = zone.date(span.to);
        let mut day = zone.date(span.from);
        let mut best = (day, f64::NEG_INFINITY);
        while day <= last {
            let inside = zone.day(day).covered_seconds(&[span]);
            if inside > best.1 {
                best = (day, inside);
            }
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        best.0
    }
}

/// SHA-256 in hexadecimal digits, as `sha256sum` prints it.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("writing to a string");
    }
    text
}
