//! What guarantors say about obligations: about their own only, and in order.

use domain::obligation::{Obligation, Response, Standing};
use jiff::Timestamp;

/// A signed answer of a guarantor.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Its entry.
    pub entry: u64,
    /// When the mission took it in.
    pub received: Timestamp,
    /// The guarantor.
    pub guarantor: String,
    /// The obligation.
    pub obligation: String,
    /// The answer.
    pub response: Response,
    /// Its words.
    pub note: String,
}

/// Applies the answers up to a moment, in record order, and then the clock.
pub(crate) fn apply(obligation: &mut Obligation, answers: &[Answer], until: Timestamp) {
    let id = obligation.id.to_string();
    for answer in answers.iter().filter(|one| one.obligation == id && one.received <= until) {
        let words = take(obligation, answer);
        obligation.answers.push((answer.entry, answer.received, words));
    }
    let over = obligation.last_due().is_some_and(|due| due < until);
    if obligation.standing == Standing::Proposed && over {
        obligation.standing = Standing::Lapsed;
    }
}

fn take(obligation: &mut Obligation, answer: &Answer) -> String {
    let no_effect = |why: String| format!("no effect: {why}");
    if answer.guarantor != obligation.guarantor {
        return no_effect(format!(
            "{} does not answer for {}",
            answer.guarantor, obligation.guarantor
        ));
    }
    if answer.received < obligation.since {
        return no_effect("it was not proposed yet".to_owned());
    }
    let next = match answer.response {
        Response::Acknowledge => Standing::Acknowledged,
        Response::UnderWay => Standing::UnderWay,
        Response::Fulfil => Standing::Fulfilled,
        Response::Decline => Standing::Declined,
    };
    if !obligation.standing.is_open() || next <= obligation.standing {
        return no_effect(format!("it is {} already", obligation.standing.words()));
    }
    obligation.standing = next;
    let late = obligation.last_due().is_some_and(|due| due < answer.received);
    let late = if late { ", late" } else { "" };
    let note = if answer.note.is_empty() { String::new() } else { format!(": {}", answer.note) };
    format!("{}{late}{note}", next.words())
}
