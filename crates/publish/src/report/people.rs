//! What people have made of findings, beside the incidents that they are about.

use domain::case::{Case, Ruling};
use domain::estimative::{confidence, likelihood};
use domain::incident::Status;
use domain::{Incident, State};
use jiff::civil::Date;

/// Status, replies and corrections of the findings on an incident. Nobody is
/// named here: only a finding report may name an actor.
pub(super) fn lines(state: &State, incident: &Incident) -> Vec<String> {
    state.cases.iter().filter(|case| case.incident == incident.id).flat_map(of_case).collect()
}

fn of_case(case: &Case) -> Vec<String> {
    let about = if case.reading.is_empty() {
        case.provision.clone()
    } else {
        format!("{} ({})", case.provision, case.reading)
    };
    let held = case.checks.iter().filter(|check| check.holds).count();
    let mut status = format!("{about}: {}", case.status.words());
    match &case.decision {
        Some(decision) if decision.ruling == Ruling::CannotRule => {
            if let Some(code) = decision.reason {
                status.push_str(&format!(", {}", code.words()));
            }
        }
        Some(_) => {}
        None => status.push_str(&format!("; {held} of 10 checks hold")),
    }
    if !case.doubt.is_empty() {
        status.push_str(&format!("; {}", case.doubt));
    }
    if case.status == Status::Verified {
        status.push_str(&format!("; attribution: {}", case.attribution_words()));
    }
    let mut lines = vec![status];
    // Apart from one another, and the number with the word (ICD 203).
    lines.push(format!("likelihood that it took place: {}", likelihood(case.likelihood, "en")));
    lines.push(format!("basis: {}", confidence(case.confidence, "en")));
    let grades: Vec<String> =
        case.grades.iter().map(|grade| format!("{} {}", grade.source, grade.reliability)).collect();
    if !grades.is_empty() {
        let information = match case.credibility {
            Some((_, credibility)) => format!("; the information {credibility}"),
            None => String::new(),
        };
        lines.push(format!("Admiralty code: sources {}{information}", grades.join(", ")));
    }
    for notice in &case.notices {
        if notice.replies.is_empty() {
            lines.push(format!(
                "{} was asked; no reply (window until {})",
                notice.party, notice.due
            ));
        }
        for reply in &notice.replies {
            let late = if reply.late_s > 0 {
                format!(" (late by {} min)", (reply.late_s + 59) / 60)
            } else {
                String::new()
            };
            lines.push(format!("{} replied{late}: {}", notice.party, reply.points.join("; ")));
        }
    }
    for (signer, words) in case.decision.iter().flat_map(|decision| &decision.dissent) {
        lines.push(format!("dissent of a verifier ({}): {words}", signer.contingent));
    }
    for one in &case.corrections {
        lines.push(format!(
            "corrected: {} is {}, not {} ({})",
            one.field, one.is, one.was, one.reason
        ));
    }
    if let Some((_, _, reason)) = &case.retracted {
        lines.push(format!("retracted: {reason}"));
    }
    lines
}

/// Corrections and retractions made on a day, whichever day they are about.
pub(super) fn corrections(state: &State, day: Date) -> Vec<String> {
    let zone = &state.facts.zone;
    let mut lines = Vec::new();
    for case in &state.cases {
        for one in case.corrections.iter().filter(|one| zone.date(one.at) == day) {
            lines.push(format!(
                "{} on {}: {} is {}, not {} ({})",
                case.finding, case.provision, one.field, one.is, one.was, one.reason
            ));
        }
        if let Some((_, at, reason)) = &case.retracted
            && zone.date(*at) == day
        {
            lines.push(format!("{} on {} is retracted: {reason}", case.finding, case.provision));
        }
    }
    lines
}

/// Restrictions of the mission's movement that came in on a day (D2). They are
/// no proof of anything: what could not be seen was not observed.
pub(super) fn restrictions(state: &State, day: Date) -> Vec<String> {
    let zone = &state.facts.zone;
    state
        .steps
        .iter()
        .filter(|step| step.act == "restriction" && step.refused.is_none())
        .filter(|step| zone.date(step.received) == day)
        .map(|step| {
            format!("A {} {} (entry {}).", step.role.replace('_', " "), step.words, step.entry)
        })
        .collect()
}
