//! What guarantors owe: verified findings and answers of a record, held against
//! the commitments of its agreement.

use agreement::Agreement;
use casework::Casework;
use domain::{Obligation, State};
use guarantees::{Answer, Cause, Live};
use jiff::Timestamp;

use crate::world::{AsOf, World};

/// The moment as of which clocks are judged: the one that is asked for, else
/// the last receipt on record, else the end of the truce. Never the machine's.
fn moment(state: &State, as_of: AsOf) -> Timestamp {
    match as_of {
        AsOf::Moment(moment) => moment,
        AsOf::Now | AsOf::Size(_) => {
            let last = state.steps.iter().map(|step| step.received).max();
            last.unwrap_or(state.facts.window.truce.to)
        }
    }
}

/// The obligations of a state whose casework is done.
pub(crate) fn obligations(
    state: &State,
    casework: &Casework,
    agreement: &Agreement,
    as_of: AsOf,
) -> Vec<Obligation> {
    let answers: Vec<Answer> = casework
        .answers
        .iter()
        .map(|one| Answer {
            entry: one.entry,
            received: one.received,
            guarantor: one.guarantor.clone(),
            obligation: one.obligation.clone(),
            response: one.response,
            note: one.note.clone(),
        })
        .collect();
    guarantees::propose(agreement, &Cause::all(state), &answers, moment(state, as_of))
}

/// What is live, and the moment as of which it is.
pub fn live(state: &State, world: &World, as_of: AsOf) -> (Timestamp, Vec<Live>) {
    let moment = moment(state, as_of);
    (moment, guarantees::live(&world.agreement, &Cause::all(state), moment))
}
