//! From verified findings and the calendar to proposed obligations.

use std::collections::BTreeSet;

use agreement::trigger::{Call, call};
use agreement::{Agreement, Anchors, Commitment, EventTimes, Verdict, standing};
use domain::obligation::{Obligation, Standing};
use domain::{Id, IdKind, Probability, Zone};
use jiff::Timestamp;

use crate::answers::{Answer, apply};
use crate::cause::{Cause, timeline};
use crate::{LEAST, add_new, obligors, unbinding};

/// All obligations as of a moment, in order of time and id.
pub fn propose(
    it: &Agreement,
    causes: &[Cause],
    answers: &[Answer],
    as_of: Timestamp,
) -> Vec<Obligation> {
    let mut found = Vec::new();
    for commitment in &it.commitments {
        for opened in openings(it, commitment, causes, as_of) {
            for guarantor in obligors(it, commitment) {
                if unbinding(it, commitment, guarantor).is_some() {
                    continue;
                }
                let date = Zone::utc().date(opened.since);
                let step = standing(&it.ladder, guarantor, &commitment.id, date);
                if step.suspended {
                    continue;
                }
                let mut obligation = opened.obligation(it, commitment, guarantor);
                obligation.legal =
                    step.step.map_or("no step on record".to_owned(), |step| step.to_string());
                let reservations = step.reservations.iter();
                obligation.reservations =
                    reservations.map(|rung| rung.reservation.get("en").to_owned()).collect();
                opened.close(&mut obligation, answers, as_of);
                found.push(obligation);
            }
        }
    }
    found.sort_by_key(|obligation| (obligation.since, obligation.id));
    found
}

/// A call of a commitment, before it is told apart by guarantor.
struct Opened {
    since: Timestamp,
    called_by: Vec<Id>,
    readings: Vec<String>,
    not_under: Vec<String>,
    because: Vec<String>,
    anchors: Anchors,
    /// When, how and why it ended, if it did.
    ended: Option<(Timestamp, Standing, String)>,
}

/// The moments at which something can have changed, up to `as_of`.
fn moments(it: &Agreement, causes: &[Cause], as_of: Timestamp) -> BTreeSet<Timestamp> {
    let mut moments = BTreeSet::from([as_of]);
    for cause in causes {
        moments.insert(cause.from);
        moments.extend(cause.until.as_ref().map(|(at, _)| *at));
        moments.extend(cause.named.as_ref().map(|(at, _)| *at));
    }
    for event in &it.events {
        for reading in event.at.iter().flat_map(agreement::Contested::readings) {
            moments.insert(reading.value.0);
        }
    }
    moments.retain(|moment| *moment <= as_of);
    moments
}

/// Goes through time and opens a call whenever a finding newly calls the
/// commitment, or the calendar does.
fn openings(
    it: &Agreement,
    commitment: &Commitment,
    causes: &[Cause],
    as_of: Timestamp,
) -> Vec<Opened> {
    let mut opened: Vec<Opened> = Vec::new();
    for moment in moments(it, causes, as_of) {
        let calls = call(it, commitment, &timeline(causes, moment));
        close_void(&mut opened, &calls, moment);
        close_withdrawn(&mut opened, causes, moment);
        let called: Vec<&Call> = calls.iter().filter(|call| is_met(call)).collect();
        if called.is_empty() {
            continue;
        }
        if commitment.trigger.is_some() {
            let relied: BTreeSet<&String> =
                called.iter().flat_map(|call| &call.triggered.relied_on).collect();
            let standing: Vec<&Cause> = causes
                .iter()
                .filter(|cause| cause.stands(moment) && relied.contains(&cause.finding.to_string()))
                .collect();
            follow(&mut opened, &calls, &called, &standing, moment);
        } else if commitment.clock.is_some() && opened.is_empty() {
            opened.push(Opened::new(&calls, &called, &[], moment));
        }
    }
    opened
}

/// Findings that are new join the call that is open; if none is, they open one.
fn follow(
    opened: &mut Vec<Opened>,
    calls: &[Call],
    called: &[&Call],
    causes: &[&Cause],
    moment: Timestamp,
) {
    let open = opened.iter_mut().find(|one| one.ended.is_none());
    let Some(open) = open else {
        // A trigger that rests on no finding of its own opens nothing.
        if !causes.is_empty() {
            opened.push(Opened::new(calls, called, causes, moment));
        }
        return;
    };
    for cause in causes {
        if !open.called_by.contains(&cause.finding) {
            open.called_by.push(cause.finding);
            open.because.push(format!("{moment}: {} calls it as well", cause.finding));
        }
    }
}

fn is_met(call: &Call) -> bool {
    call.called.verdict(Probability::new(LEAST)) == Verdict::Met
}

/// Void under one reading and not under another is contested, and closes nothing.
fn close_void(opened: &mut [Opened], calls: &[Call], moment: Timestamp) {
    let least = Probability::new(LEAST);
    let Some(first) = calls.first() else { return };
    if !calls.iter().all(|call| call.void.truth.verdict(least) == Verdict::Met) {
        return;
    }
    let words = format!("{moment}: void: {}", first.void.because.join("; "));
    for one in opened.iter_mut().filter(|one| one.ended.is_none()) {
        one.ended = Some((moment, Standing::Voided, words.clone()));
    }
}

/// A call whose findings have all fallen is withdrawn.
fn close_withdrawn(opened: &mut [Opened], causes: &[Cause], moment: Timestamp) {
    for one in opened.iter_mut().filter(|one| one.ended.is_none() && !one.called_by.is_empty()) {
        let mut why = Vec::new();
        let mut fallen = 0;
        for cause in causes.iter().filter(|cause| one.called_by.contains(&cause.finding)) {
            if !cause.stands(moment) {
                fallen += 1;
                add_new(&mut why, cause.until.as_ref().map(|(_, why)| why.clone()));
            }
        }
        if fallen == one.called_by.len() {
            let words = format!("{moment}: withdrawn: {}", why.join("; "));
            one.ended = Some((moment, Standing::Withdrawn, words));
        }
    }
}

impl Opened {
    fn new(calls: &[Call], called: &[&Call], causes: &[&Cause], moment: Timestamp) -> Self {
        let readings: Vec<String> = called.iter().map(|call| call.reading.clone()).collect();
        let others = calls.iter().map(|call| call.reading.clone());
        let not_under = others.filter(|reading| !readings.contains(reading)).collect();
        let mut because = Vec::new();
        for answer in called.iter().flat_map(|call| [&call.active, &call.triggered]) {
            add_new(&mut because, answer.because.iter().cloned());
        }
        let first = causes.iter().min_by_key(|cause| (cause.from, cause.finding));
        Self {
            since: moment,
            called_by: causes.iter().map(|cause| cause.finding).collect(),
            readings,
            not_under,
            because,
            anchors: first.map_or_else(Anchors::default, |cause| cause.anchors.clone()),
            ended: None,
        }
    }

    fn obligation(&self, it: &Agreement, commitment: &Commitment, guarantor: &str) -> Obligation {
        let first = self.called_by.first().map_or_else(String::new, ToString::to_string);
        let (agreement, since) = (it.reference(), self.since.to_string());
        let parts = [&agreement, &commitment.id, guarantor, &first, &since];
        let anchors = it.anchors(&self.anchors, &EventTimes::default());
        let clock = commitment.clock.as_deref().and_then(|clock| it.clock(clock));
        let deadlines = clock.map_or_else(Vec::new, |clock| clock.deadlines(&anchors, &[]));
        let actions = commitment.actions.readings().iter().map(|reading| {
            let words: Vec<String> = reading.value.iter().map(|one| words_of(*one)).collect();
            let words = words.join(", ");
            if reading.name.is_empty() { words } else { format!("{}: {words}", reading.name) }
        });
        Obligation {
            id: Id::of(IdKind::Obligation, &parts.map(str::as_bytes)),
            commitment: commitment.id.clone(),
            title: commitment.title.get("en").to_owned(),
            guarantor: guarantor.to_owned(),
            beneficiary: commitment.beneficiary.clone(),
            actions: actions.collect(),
            standing: Standing::Proposed,
            called_by: self.called_by.clone(),
            since: self.since,
            due: deadlines.into_iter().map(|one| (one.reading, one.due)).collect(),
            readings: self.readings.clone(),
            not_under: self.not_under.clone(),
            because: self.because.clone(),
            legal: String::new(),
            reservations: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Applies what guarantors said until it ended, and then its end.
    fn close(&self, obligation: &mut Obligation, answers: &[Answer], as_of: Timestamp) {
        let Some((at, standing, why)) = &self.ended else {
            apply(obligation, answers, as_of);
            return;
        };
        apply(obligation, answers, *at);
        // What was fulfilled or declined stays so.
        if obligation.standing.is_open() {
            obligation.standing = *standing;
        }
        obligation.because.push(why.clone());
        let id = obligation.id.to_string();
        for late in answers.iter().filter(|one| one.obligation == id) {
            if late.received > *at && late.received <= as_of {
                let words = format!("no effect: it is {} already", obligation.standing.words());
                obligation.answers.push((late.entry, late.received, words));
            }
        }
    }
}

/// An action in words: `CommitForces` is "commit forces".
fn words_of(action: agreement::Action) -> String {
    let mut words = String::new();
    for letter in format!("{action:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
