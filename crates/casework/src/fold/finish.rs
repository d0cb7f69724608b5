//! From the work on findings to cases: status, standard, clocks.

use std::collections::{BTreeMap, BTreeSet};

use domain::Id;
use domain::case::{Attribution, Case, Clock, Grade, Ruling, Signer, SourceGrade, Standard};
use domain::incident::Status;
use jiff::Timestamp;

use super::work::Work;
use super::{Casework, Fold, later};
use crate::evidence::{Line, Structure};
use crate::rules::{Thresholds, service_levels};
use crate::words;

pub(super) fn finish(mut fold: Fold<'_>, as_of: Option<Timestamp>) -> Casework {
    let works = std::mem::take(&mut fold.works);
    let now = as_of.or(fold.clock);
    let mut cases: Vec<Case> =
        works.into_values().filter_map(|work| case(work, &fold, now)).collect();
    grade(&mut cases, &fold);
    let common = fold.common;
    Casework {
        cases,
        steps: fold.steps,
        register: fold.register,
        reports: common.reports,
        restrictions: common.restrictions,
        allegations: common.allegations,
        answers: common.answers,
        doubts: common.doubts,
        clock: fold.clock,
    }
}

/// Grades the sources of every case by the decided ones (VERIFICATION E2): how
/// reliable a source is, its record tells and nobody's opinion.
fn grade(cases: &mut [Case], fold: &Fold<'_>) {
    let sources = |case: &Case| -> BTreeSet<String> {
        let incident = fold.ground.finding(case.finding).map(|(_, incident)| incident);
        let members = incident.into_iter().flat_map(|incident| &incident.members);
        members.map(|member| member.source.clone()).collect()
    };
    let mut record: BTreeMap<String, (BTreeSet<Id>, BTreeSet<Id>)> = BTreeMap::new();
    for case in cases.iter() {
        for source in sources(case) {
            let (confirmed, refuted) = record.entry(source).or_default();
            // Two provisions may be breached by one incident; it counts once.
            match case.status {
                Status::Verified => drop(confirmed.insert(case.incident)),
                Status::Refuted => drop(refuted.insert(case.incident)),
                _ => {}
            }
        }
    }
    for case in cases {
        case.grades = sources(case)
            .into_iter()
            .map(|source| {
                let (confirmed, refuted) = record.get(&source).map_or((0, 0), |(yes, no)| {
                    (yes.len() as u32, no.difference(yes).count() as u32)
                });
                let declared = fold.ground.source(&source).and_then(|source| source.reliability);
                let reliability = match words::reliability(f64::from(confirmed), f64::from(refuted))
                {
                    'F' => declared.unwrap_or('F'),
                    letter => letter,
                };
                SourceGrade { source, reliability, confirmed, refuted }
            })
            .collect();
    }
}

fn case(work: Work, fold: &Fold<'_>, now: Option<Timestamp>) -> Option<Case> {
    let (finding, incident) = fold.ground.finding(work.finding)?;
    let now = now.unwrap_or(incident.when.span.to);
    // What is known today; a decision that stands is held against it.
    let (verifiers, moment) = match &work.decision {
        Some(decision) => (decision.verifiers.clone(), decision.at),
        None => (so_far(&work), now),
    };
    let weighed = work.weigh(fold, incident, u64::MAX);
    let checks = work.checks(&verifiers, u64::MAX, moment, fold);
    let failing: Vec<String> = checks
        .iter()
        .filter(|check| !check.holds)
        .map(|check| format!("{} {}", check.number, check.name))
        .collect();
    let class = incident.class();
    let thresholds = fold.rules.of(class);
    let grounds =
        weighed.likelihood.get() >= thresholds.corroborated && weighed.structure.is_some();
    let mut doubt = String::new();
    let status = match (&work.decision, &work.retracted) {
        (_, Some(_)) => Status::Retracted,
        (Some(decision), None) => match decision.ruling {
            // A late reply is shown and waits for its answer; it undoes nothing.
            Ruling::Verified if failing.iter().any(|name| name != "8 reply") => {
                doubt = format!("does not hold any more: {}", failing.join(", "));
                Status::ReviewDue
            }
            Ruling::Verified => Status::Verified,
            Ruling::Refuted => Status::Refuted,
            Ruling::CannotRule => Status::CannotRule,
        },
        (None, None) if !work.corroborated.is_empty() && grounds => Status::Corroborated,
        (None, None) => Status::Reported,
    };
    let attribution = work.proposal.as_ref().map(|one| one.object(&work, now, fold.rules, class));
    let standard = standard(&work, status, attribution.as_ref(), grounds, &thresholds, &weighed);
    let severity = work.triage.map(|(_, _, severity, _)| severity);
    let clocks = clocks(&work, incident.when.span.from, now);
    Some(Case {
        finding: finding.id,
        incident: incident.id,
        provision: finding.provision.clone(),
        reading: finding.reading.clone(),
        status,
        doubt,
        severity,
        standard,
        likelihood: weighed.likelihood,
        confidence: work.confidence(&weighed, &checks),
        lines: weighed.lines.iter().map(Line::words).collect(),
        grades: Vec::new(),
        credibility: work.credibility,
        checks,
        notices: work.notices,
        decision: work.decision,
        attribution,
        published: work.published,
        corrections: work.corrections,
        retracted: work.retracted,
        consequence: work.consequence,
        clocks,
    })
}

/// Verifiers who have opened in the round that is on.
fn so_far(work: &Work) -> Vec<Signer> {
    let round = work.rounds.iter().rev().find(|round| !round.openings.is_empty());
    round
        .filter(|round| !round.closed)
        .map(|round| round.openings.iter().map(|one| one.signer.clone()).collect())
        .unwrap_or_default()
}

fn standard(
    work: &Work,
    status: Status,
    attribution: Option<&Attribution>,
    grounds: bool,
    thresholds: &Thresholds,
    weighed: &super::checks::Weighed,
) -> Standard {
    if status != Status::Verified {
        return if grounds && !work.corroborated.is_empty() && status.rank() > 0 {
            Standard::S2
        } else {
            Standard::S1
        };
    }
    let named = attribution.filter(|one| {
        one.missing.is_empty()
            && one.published.is_some()
            && matches!(one.grade, Grade::Attributable | Grade::LargelyAttributable)
    });
    let Some(named) = named else { return Standard::S3 };
    let limit = thresholds.overwhelming;
    let two_families = matches!(weighed.structure, Some(Structure::TwoFamilies(_)));
    if weighed.likelihood.get() >= limit
        && named.probability.get() >= limit
        && two_families
        && work.no_open_point()
    {
        Standard::S5
    } else {
        Standard::S4
    }
}

/// The mission's own clocks, from the event.
fn clocks(work: &Work, from: Timestamp, now: Timestamp) -> Vec<Clock> {
    let Some((_, _, severity, _)) = work.triage else { return Vec::new() };
    service_levels(severity)
        .iter()
        .map(|(name, seconds)| {
            let due = later(from, *seconds);
            let met = match *name {
                "spot report" => work.corroborated.first().map(|(_, at, _)| *at),
                _ => work.decision.as_ref().map(|decision| decision.at),
            };
            let overdue = met.unwrap_or(now) > due;
            Clock { name: (*name).to_owned(), from, due, met, overdue }
        })
        .collect()
}
