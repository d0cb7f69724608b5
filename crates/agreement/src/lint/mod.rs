//! The linter: what an agreement leaves open, contradicts or never reaches.
//! Errors must be mended; warnings are what the text deserves, and a package
//! says in its tests which of them those are.

mod commitments;
mod ground;
mod provisions;
mod reach;

use strict::Weight;

use crate::check::{self, Part, Problem};
use crate::model::Agreement;
use crate::reading::Contested;

/// Everything there is to say, errors first, in the order of the package.
pub fn lint(agreement: &Agreement) -> Vec<Problem> {
    let mut problems = check::references(agreement);
    provisions::lint(agreement, &mut problems);
    ground::lint(agreement, &mut problems);
    commitments::lint(agreement, &mut problems);
    reach::lint(agreement, &mut problems);
    mechanism(agreement, &mut problems);
    problems.sort_by_key(|problem| problem.weight);
    problems
}

/// Who leads the mechanism and what it may do, if that is contested.
fn mechanism(it: &Agreement, problems: &mut Vec<Problem>) {
    let Some(mechanism) = &it.mechanism else { return };
    let fields = [
        ("lead", mechanism.lead.is_contested()),
        ("mandate", mechanism.mandate.is_contested()),
        ("modality", mechanism.modality.is_contested()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, contested)| *contested) {
        problems.push(Problem {
            weight: Weight::Warning,
            code: "contested",
            subject: "mechanism".to_owned(),
            way: vec![Part::Key("mechanism"), Part::Key(field)],
            message: format!("mechanism: {field} is contested"),
            help: "until it is settled nobody knows whose word counts".to_owned(),
        });
    }
}

/// A problem of the n-th record of a kind.
fn problem(
    weight: Weight,
    code: &'static str,
    (kind, index, id): (&'static str, usize, &str),
    field: Option<&'static str>,
    message: impl Into<String>,
    help: impl Into<String>,
) -> Problem {
    let mut way = vec![Part::Key(kind), Part::At(index)];
    way.extend(field.map(Part::Key));
    Problem {
        weight,
        code,
        subject: format!("{kind} {id}"),
        way,
        message: format!("{kind} {id}: {}", message.into()),
        help: help.into(),
    }
}

/// Says that a field is contested, if it is.
fn contested<T>(
    problems: &mut Vec<Problem>,
    at: (&'static str, usize, &str),
    field: &'static str,
    contested: &Contested<T>,
) {
    if !contested.is_contested() {
        return;
    }
    let names: Vec<String> = contested
        .readings()
        .iter()
        .map(|reading| match reading.parties.as_slice() {
            [] => format!("\u{201c}{}\u{201d}", reading.name),
            parties => format!("\u{201c}{}\u{201d} ({})", reading.name, parties.join(", ")),
        })
        .collect();
    problems.push(problem(
        Weight::Warning,
        "contested",
        at,
        Some(field),
        format!("{field} is contested: {}", names.join(" / ")),
        "findings are made under every reading; it is settled when all parties confirm one",
    ));
}

#[cfg(test)]
mod tests;
