//! Triggers that nothing can reach, and things that refer to themselves.

use std::collections::{BTreeMap, BTreeSet};

use strict::Weight::{Error, Warning};

use super::{contested, problem};
use crate::check::Problem;
use crate::condition::Condition;
use crate::model::Agreement;
use crate::reading::Contested;

pub(super) fn lint(it: &Agreement, problems: &mut Vec<Problem>) {
    let mut refers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for condition in &it.conditions {
        let mut names = Vec::new();
        for reading in condition.test.readings() {
            reading.value.visit(&mut |part| {
                if let Condition::Named(id) = part {
                    names.push(id.clone());
                }
            });
        }
        refers.insert(&condition.id, names);
    }
    for (index, condition) in it.conditions.iter().enumerate() {
        let at = ("condition", index, condition.id.as_str());
        if in_circle(&refers, &condition.id) {
            problems.push(problem(
                Error,
                "circular",
                at,
                Some("test"),
                "refers to itself in a circle, so that nothing can decide it",
                "break the circle",
            ));
        }
        terms(problems, at, "test", &condition.test);
        contested(problems, at, "test", &condition.test);
    }
    for (index, commitment) in it.commitments.iter().enumerate() {
        let at = ("commitment", index, commitment.id.as_str());
        for (field, condition) in [
            ("activation", &commitment.activation),
            ("trigger", &commitment.trigger),
            ("voiding", &commitment.voiding),
        ] {
            if let Some(condition) = condition {
                terms(problems, at, field, condition);
                contested(problems, at, field, condition);
            }
        }
    }
    let backs: BTreeMap<&str, Vec<String>> =
        it.commitments.iter().map(|one| (one.id.as_str(), one.backs.clone())).collect();
    for (index, commitment) in it.commitments.iter().enumerate() {
        if in_circle(&backs, &commitment.id) {
            problems.push(problem(
                Error,
                "circular",
                ("commitment", index, commitment.id.as_str()),
                Some("backs"),
                "stands behind itself in a circle",
                "break the circle",
            ));
        }
    }
    for (index, provision) in it.provisions.iter().enumerate() {
        if let Some(voiding) = &provision.voiding {
            let at = ("provision", index, provision.id.as_str());
            terms(problems, at, "voiding", voiding);
            contested(problems, at, "voiding", voiding);
        }
    }
    for (index, procedure) in it.procedures.iter().enumerate() {
        let lost = procedure.unreachable();
        let at = ("procedure", index, procedure.id.as_str());
        if !lost.is_empty() {
            problems.push(problem(
                Error,
                "unreachable",
                at,
                Some("step"),
                format!("no way leads to {}", lost.join(", ")),
                "add a step to it, or take it out",
            ));
        }
    }
}

fn in_circle(refers: &BTreeMap<&str, Vec<String>>, start: &str) -> bool {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut left: Vec<String> = refers.get(start).cloned().unwrap_or_default();
    while let Some(id) = left.pop() {
        if id == start {
            return true;
        }
        if seen.insert(id.clone()) {
            left.extend(refers.get(id.as_str()).cloned().unwrap_or_default());
        }
    }
    false
}

/// Undefined terms, and parts that contradict one another.
fn terms(
    problems: &mut Vec<Problem>,
    at: (&'static str, usize, &str),
    field: &'static str,
    condition: &Contested<Condition>,
) {
    for reading in condition.readings() {
        reading.value.visit(&mut |part| match part {
            Condition::Undefined(because) => problems.push(problem(
                Warning,
                "undefined",
                at,
                Some(field),
                format!("{field} depends on what the text does not define: {because}"),
                "until it is defined the answer stays open",
            )),
            Condition::All(parts) => {
                let contradicts = parts.iter().any(|one| {
                    parts.iter().any(|other| *other == Condition::Not(Box::new(one.clone())))
                });
                if contradicts {
                    problems.push(problem(
                        Error,
                        "unreachable",
                        at,
                        Some(field),
                        format!(
                            "{field} asks for a thing and its opposite, so that it never holds"
                        ),
                        "take one of the two out",
                    ));
                }
            }
            Condition::Breach(breach)
                if breach.sectors.is_some_and(|sectors| sectors > breach.count.max(1)) =>
            {
                problems.push(problem(
                    Error,
                    "unreachable",
                    at,
                    Some(field),
                    format!("{field} asks for more sectors than incidents"),
                    "raise count to at least sectors",
                ));
            }
            _ => {}
        });
    }
}
