//! Commitments: what backs them, who confirmed them, what calls them.

use strict::Weight::{Error, Warning};

use super::{contested, problem};
use crate::alignment::{Alignment, alignment};
use crate::check::Problem;
use crate::commitment::Action;
use crate::describe;
use crate::guarantor::Modality;
use crate::model::Agreement;

pub(super) fn lint(it: &Agreement, problems: &mut Vec<Problem>) {
    for (index, commitment) in it.commitments.iter().enumerate() {
        let at = ("commitment", index, commitment.id.as_str());
        let speaks_for = it.guarantors.iter().find(|one| one.id == commitment.asserted_by);
        let silent: Vec<&str> = commitment
            .obligors
            .iter()
            .filter(|obligor| {
                **obligor != commitment.asserted_by
                    && !speaks_for.is_some_and(|speaker| speaker.members.contains(obligor))
            })
            .map(String::as_str)
            .collect();
        if commitment.confirmed.is_none() && !silent.is_empty() {
            problems.push(problem(
                Warning,
                "not-confirmed",
                at,
                Some("asserted_by"),
                format!("said by {}, not by {}", commitment.asserted_by, silent.join(", ")),
                "a report is not the obligor's confirmation; add confirmed = \"...\" when there is one",
            ));
        }
        contested(problems, at, "actions", &commitment.actions);
        contested(problems, at, "strength", &commitment.strength);
        contested(problems, at, "modality", &commitment.modality);
        if commitment.obligors.is_empty() {
            problems.push(problem(
                Error,
                "no-actor",
                at,
                Some("obligors"),
                "nobody owes it",
                "name who does; an unresolved \u{201c}the parties\u{201d} cannot be called on",
            ));
        }
        let modalities = commitment.modality.readings();
        if modalities.iter().any(|reading| reading.value == Modality::Endorsed) {
            problems.push(problem(
                Error,
                "endorsement",
                at,
                Some("modality"),
                "an endorsement is not a commitment",
                "make it an [[endorsement]]",
            ));
        }
        let called = |action: &Action| {
            matches!(
                action,
                Action::Warn
                    | Action::DefendOwn
                    | Action::CommitForces
                    | Action::CoordinateResponse
                    | Action::Sanction
            )
        };
        let mut actions = commitment.actions.readings().iter().flat_map(|reading| &reading.value);
        let answers = actions.any(called);
        let mut missing = Vec::new();
        if answers && commitment.trigger.is_none() {
            missing.push("trigger");
        }
        if answers && commitment.clock.is_none() {
            missing.push("deadline");
        }
        if commitment.domains.is_empty() {
            missing.push("domain (land, air, sea)");
        }
        if !missing.is_empty() {
            problems.push(problem(
                Warning,
                "not-verifiable",
                at,
                None,
                format!("not verifiable as stated: no {}", missing.join(", no ")),
                "what the text leaves open stays open and stands here",
            ));
        }
        let backed = it.pledges.iter().any(|pledge| pledge.commitment == commitment.id)
            || it.ladder.iter().any(|rung| {
                rung.commitment.as_ref().is_none_or(|id| *id == commitment.id)
                    && commitment.obligors.contains(&rung.guarantor)
            });
        if !backed {
            problems.push(problem(
                Warning,
                "not-backed",
                at,
                None,
                "no pledge and no legal step of an obligor stands behind it",
                "add [[ladder]] rungs or [[pledge]]s as they become known",
            ));
        }
    }
    if !it.commitments.is_empty() {
        for (index, provision) in it.provisions.iter().enumerate() {
            let answered = it.commitments.iter().any(|commitment| {
                commitment.answers.contains(&provision.id)
                    || provision.consequence.contains(&commitment.id)
            });
            if !answered && provision.kind != crate::Kind::Permission {
                problems.push(problem(
                    Warning,
                    "unbacked-provision",
                    ("provision", index, provision.id.as_str()),
                    None,
                    "no commitment answers its breach",
                    "name it in the `answers` of a commitment, or leave the gap to be seen",
                ));
            }
        }
    }
    let parties: Vec<&str> = it.parties.iter().map(|party| party.id.as_str()).collect();
    let mut seen = Vec::new();
    for (index, confirmation) in it.confirmations.iter().enumerate() {
        if seen.contains(&&confirmation.clause) {
            continue;
        }
        seen.push(&confirmation.clause);
        let digest = describe::clause_digest(it, &confirmation.clause).unwrap_or_default();
        let state =
            alignment(&it.confirmations, &confirmation.clause, it.version, &digest, &parties);
        if let Alignment::Stale { .. } = state {
            problems.push(problem(
                Warning,
                "stale",
                ("confirmation", index, confirmation.clause.as_str()),
                None,
                state.in_words(),
                "ask them again about the clause as it stands",
            ));
        }
    }
}
