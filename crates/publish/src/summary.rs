//! The summary of a replay as one JSON document: what came in, how well was
//! looked, what it came to, by period, day and class.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::state::{MapState, Period, RowCounts, State, Window};
use domain::{Signature, SourceKind};
use jiff::civil::Date;
use serde::Serialize;

use crate::counts::{Counted, FindingCounts, IncidentCounts};

/// What is known of the record behind a state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordFacts {
    /// Entries under the checkpoint.
    pub size: u64,
    /// Root hash of the Merkle tree, base64, as in the checkpoint.
    pub root: String,
    /// Origin line of the checkpoint.
    pub origin: String,
}

/// The summary.
#[derive(Debug, Serialize)]
pub struct Summary {
    format: u32,
    case: String,
    title: String,
    exercise: bool,
    note: String,
    /// Not for release: positions and times are those of the record.
    audience: &'static str,
    engine: u32,
    state_digest: String,
    record_size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    known_by: Option<jiff::Timestamp>,
    root: String,
    origin: String,
    agreement: String,
    zone: String,
    window: Window,
    sources: BTreeMap<String, SourceSummary>,
    periods: BTreeMap<Period, PeriodSummary>,
    maps: Vec<MapState>,
    /// Findings that passed the verification criterion and stand.
    verified_violations: u64,
}

#[derive(Debug, Serialize)]
struct SourceSummary {
    name: String,
    kind: SourceKind,
    role: String,
    citation: String,
    licence: String,
    files: u64,
    refused: BTreeMap<String, String>,
    #[serde(flatten)]
    rows: RowCounts,
    /// `observed`, `partial` or `not_observed`, by day.
    effort: BTreeMap<Date, DayState>,
    /// Share of the day, in [0, 1].
    effort_share: BTreeMap<Date, f64>,
    /// What became of its rows within the periods.
    outcomes: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct PeriodSummary {
    from: jiff::Timestamp,
    to: jiff::Timestamp,
    hours: f64,
    incidents: IncidentCounts,
    findings: FindingCounts,
    /// Days on which each source of evidence was observing, of the days that
    /// the period touches.
    observed_days: BTreeMap<String, u64>,
    touched_days: u64,
    days: BTreeMap<Date, DaySummary>,
}

#[derive(Debug, Serialize)]
struct DaySummary {
    incidents: IncidentCounts,
    findings: FindingCounts,
    /// Rows by source and signature; a source that was not observing is named
    /// in `effort`, and its absence here is not a zero.
    signatures: BTreeMap<String, BTreeMap<Signature, u64>>,
    effort: BTreeMap<String, DayState>,
}

impl Summary {
    /// As JSON.
    pub fn to_json(&self) -> String {
        crate::export::pretty(self)
    }
}

/// Sums a state up.
pub fn summary(state: &State, digest: String, record: &RecordFacts) -> Summary {
    let counted = Counted::new(state);
    let facts = &state.facts;
    let sources = state
        .sources
        .iter()
        .map(|source| (source.source.id.clone(), source_summary(source)))
        .collect();
    let periods = Period::ALL
        .into_iter()
        .map(|period| (period, period_summary(state, &counted, period)))
        .collect();
    Summary {
        format: 1,
        case: facts.case.clone(),
        title: facts.title.clone(),
        exercise: facts.exercise,
        note: facts.note.clone(),
        audience: "internal",
        engine: facts.engine,
        state_digest: digest,
        record_size: record.size,
        known_by: facts.known_by,
        root: record.root.clone(),
        origin: record.origin.clone(),
        agreement: facts.agreement.clone(),
        zone: facts.zone.name().to_owned(),
        window: facts.window,
        sources,
        periods,
        maps: state.maps.clone(),
        verified_violations: state.cases.iter().filter(|case| case.is_verified()).count() as u64,
    }
}

fn source_summary(state: &domain::state::SourceState) -> SourceSummary {
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for (outcome, count) in state.days.values().flat_map(|day| &day.outcomes) {
        *outcomes.entry(outcome.clone()).or_default() += count;
    }
    SourceSummary {
        name: state.source.name.clone(),
        kind: state.source.kind,
        role: state.role.clone(),
        citation: state.source.citation.clone(),
        licence: state.source.licence.clone(),
        files: state.files,
        refused: state.refused.clone(),
        rows: state.total,
        effort: state.days.iter().map(|(day, counts)| (*day, counts.effort.state)).collect(),
        effort_share: state.days.iter().map(|(day, counts)| (*day, counts.effort.share)).collect(),
        outcomes,
    }
}

fn period_summary(state: &State, counted: &Counted<'_>, period: Period) -> PeriodSummary {
    let interval = state.facts.window.period(period);
    let of_period: Vec<_> = state
        .incidents
        .iter()
        .filter(|incident| counted.period(incident) == Some(period))
        .collect();
    let (incidents, findings) = counted.count(of_period.iter().copied());
    let zone = &state.facts.zone;
    let touches = |day: &Date| zone.day(*day).covered_seconds(&[interval]) > 0.0;
    let touched: Vec<Date> = state.facts.days().filter(touches).collect();
    let evidence = || state.sources.iter().filter(|source| source.role == "evidence");
    let observed_days = evidence()
        .map(|source| {
            let observed = |day: &&Date| {
                source.days.get(day).is_some_and(|counts| counts.effort.state == DayState::Observed)
            };
            (source.source.id.clone(), touched.iter().filter(observed).count() as u64)
        })
        .collect();
    let days = touched
        .iter()
        .map(|day| {
            let of_day =
                of_period.iter().copied().filter(|incident| state.day_of(incident) == *day);
            let (incidents, findings) = counted.count(of_day);
            let of_source = |source: &domain::state::SourceState| source.days.get(day).cloned();
            let signatures = evidence()
                .filter_map(|source| {
                    Some((source.source.id.clone(), of_source(source)?.signatures))
                })
                .filter(|(_, signatures)| !signatures.is_empty())
                .collect();
            let effort = evidence()
                .filter_map(|source| {
                    Some((source.source.id.clone(), of_source(source)?.effort.state))
                })
                .collect();
            (*day, DaySummary { incidents, findings, signatures, effort })
        })
        .collect();
    PeriodSummary {
        from: interval.from,
        to: interval.to,
        hours: domain::probability::rounded(interval.seconds() / 3600.0, 3),
        incidents,
        findings,
        observed_days,
        touched_days: touched.len() as u64,
        days,
    }
}
