//! Whether a commitment is called, under every reading: it must be active, its
//! trigger met, and nothing may have made it void.

use crate::choice::{Choice, Fields};
use crate::commitment::Commitment;
use crate::condition::{Answer, Condition, Evaluation, contested_names};
use crate::model::{Agreement, EventTimes};
use crate::reading::Contested;
use crate::timeline::Timeline;
use crate::truth::Truth;

/// A condition under one choice of readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The reading; empty if nothing is contested.
    pub reading: String,
    /// What it comes to.
    pub answer: Answer,
}

/// A commitment under one choice of readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The reading; empty if nothing is contested.
    pub reading: String,
    /// Whether it is active: the ceasefire is in force, and the like.
    pub active: Answer,
    /// Whether what calls it has taken place.
    pub triggered: Answer,
    /// Whether something has made it void.
    pub void: Answer,
    /// Whether it is called: active, triggered, and not void.
    pub called: Truth,
}

fn sure(truth: Truth, because: &str) -> Answer {
    let because = vec![because.to_owned()];
    Answer { truth, because, relied_on: std::collections::BTreeSet::new() }
}

/// Adds everything contested that a condition depends on.
fn add(it: &Agreement, fields: &mut Fields, field: &str, condition: &Contested<Condition>) {
    fields.add(field, condition);
    for reading in condition.readings() {
        contested_names(&reading.value, &it.conditions, fields);
    }
}

/// Contested moments of declared events, unless the timeline knows them.
fn add_events(it: &Agreement, fields: &mut Fields, timeline: &Timeline) {
    for event in it.events.iter().filter(|event| !timeline.events.contains_key(&event.id)) {
        if let Some(at) = &event.at {
            fields.add(&format!("event {}", event.id), at);
        }
    }
}

/// The timeline with the moments of declared events under a choice.
fn under(it: &Agreement, timeline: &Timeline, choice: &Choice) -> Timeline {
    let mut timeline = timeline.clone();
    let known: EventTimes = timeline.events.clone();
    for event in &it.events {
        if let Some(at) = it.event_time(&event.id, choice, &known) {
            timeline.events.insert(event.id.clone(), at);
        }
    }
    timeline
}

/// A condition under every reading.
pub fn weigh(
    it: &Agreement,
    field: &str,
    condition: &Contested<Condition>,
    timeline: &Timeline,
) -> Vec<Weighed> {
    let mut fields = Fields::default();
    add(it, &mut fields, field, condition);
    let refers_to_events = {
        let mut refers = false;
        for reading in condition.readings() {
            reading.value.visit(&mut |part| {
                refers |= !matches!(part, Condition::Undefined(_));
            });
        }
        refers
    };
    if refers_to_events {
        add_events(it, &mut fields, timeline);
    }
    fields
        .choices()
        .iter()
        .map(|choice| {
            let timeline = under(it, timeline, choice);
            let around = Evaluation { named: &it.conditions, timeline: &timeline, choice };
            let reading = condition.under(choice.of(field)).expect("chosen from it");
            Weighed { reading: choice.name(), answer: reading.value.evaluate(around) }
        })
        .collect()
}

/// A commitment under every reading. A commitment without a trigger is owed as
/// long as it is active.
pub fn call(it: &Agreement, commitment: &Commitment, timeline: &Timeline) -> Vec<Call> {
    let mut fields = Fields::default();
    let parts = [
        ("activation", &commitment.activation),
        ("trigger", &commitment.trigger),
        ("voiding", &commitment.voiding),
    ];
    for (field, condition) in parts {
        if let Some(condition) = condition {
            add(it, &mut fields, field, condition);
        }
    }
    add_events(it, &mut fields, timeline);
    fields
        .choices()
        .iter()
        .map(|choice| {
            let timeline = under(it, timeline, choice);
            let around = Evaluation { named: &it.conditions, timeline: &timeline, choice };
            let answer =
                |field: &str, condition: &Option<Contested<Condition>>, otherwise: Answer| {
                    condition.as_ref().map_or(otherwise, |condition| {
                        let reading = condition.under(choice.of(field)).expect("chosen from it");
                        reading.value.evaluate(around)
                    })
                };
            let active = answer(
                "activation",
                &commitment.activation,
                sure(Truth::met(), "no condition of activation is stated"),
            );
            let triggered = answer(
                "trigger",
                &commitment.trigger,
                sure(Truth::met(), "it is owed without a trigger"),
            );
            let void = answer(
                "voiding",
                &commitment.voiding,
                sure(Truth::not_met(), "nothing is stated to make it void"),
            );
            let called =
                active.truth.clone().and(triggered.truth.clone()).and(void.truth.clone().negated());
            Call { reading: choice.name(), active, triggered, void, called }
        })
        .collect()
}
