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

/// Everything there is to say, errors first, in the order of the package.
pub fn lint(agreement: &Agreement) -> Vec<Problem> {
    let mut problems = check::references(agreement);
    provisions::lint(agreement, &mut problems);
    ground::lint(agreement, &mut problems);
    commitments::lint(agreement, &mut problems);
    reach::lint(agreement, &mut problems);
    problems.sort_by_key(|problem| problem.weight);
    problems
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

#[cfg(test)]
mod tests;
