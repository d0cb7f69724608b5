//! Provisions, definitions and clocks: vagueness and contested fields.

use domain::Class;
use strict::Weight::{Error, Warning};

use super::{contested, problem};
use crate::check::Problem;
use crate::model::Agreement;
use crate::provision::{Bound, Kind, Provision};
use crate::standard::Standard;
use crate::zone::Geometry;

pub(super) fn lint(it: &Agreement, problems: &mut Vec<Problem>) {
    for (index, provision) in it.provisions.iter().enumerate() {
        let at = ("provision", index, provision.id.as_str());
        let missing = missing(it, provision);
        if !missing.is_empty() {
            problems.push(problem(
                Warning,
                "not-verifiable",
                at,
                None,
                format!("not verifiable as stated: no {}", missing.join(", no ")),
                "a rule that can be checked names actor, act, deadline, means, way to verify and consequence; \
                 what the text leaves open stays open and stands here",
            ));
        }
        for field in undetermined(it, provision) {
            problems.push(problem(
                Warning,
                "incomplete",
                at,
                None,
                format!("the text states no {field}"),
                "if the parties read it differently, write each reading; if nobody has said, leave it",
            ));
        }
        contested(problems, at, "in_force", &provision.in_force);
        contested(problems, at, "acts", &provision.acts);
        contested(problems, at, "objects", &provision.objects);
        contested(problems, at, "weapons", &provision.weapons);
        contested(problems, at, "zone", &provision.zone);
        if provision.text.is_empty() {
            problems.push(problem(
                Warning,
                "no-text",
                at,
                None,
                "has no wording",
                "add text = { en = \"text/...md\" }, in our own words if the text is not ours to copy",
            ));
        }
    }
    for (index, definition) in it.definitions.iter().enumerate() {
        let at = ("definition", index, definition.term.as_str());
        contested(problems, at, "text", &definition.text);
        contested(problems, at, "acts", &definition.acts);
        contested(problems, at, "objects", &definition.objects);
        let earlier = it.definitions[..index].iter().rfind(|one| one.term == definition.term);
        if let Some(earlier) = earlier
            && earlier.version >= definition.version
        {
            problems.push(problem(
                Error,
                "version-order",
                at,
                Some("version"),
                format!("version {} stands after version {}", definition.version, earlier.version),
                "put the newer version last",
            ));
        }
    }
    for (index, event) in it.events.iter().enumerate() {
        if let Some(at) = &event.at {
            contested(problems, ("event", index, event.id.as_str()), "at", at);
        }
    }
    for (index, clock) in it.clocks.iter().enumerate() {
        let at = ("clock", index, clock.id.as_str());
        contested(problems, at, "within", &clock.within);
        contested(problems, at, "anchor", &clock.anchor);
    }
    thresholds(it, problems);
}

/// Thresholds for the same standard and class, and weaker standards that ask
/// for more, class by class.
fn thresholds(it: &Agreement, problems: &mut Vec<Problem>) {
    let least = |one: &crate::Threshold| {
        one.probability.readings().iter().map(|r| r.value.get()).fold(1.0, f64::min)
    };
    let every_class = || std::iter::once(None).chain(Class::ALL.iter().copied().map(Some));
    for (index, threshold) in it.thresholds.iter().enumerate() {
        let name = format!("{:?}", threshold.standard);
        let at = ("threshold", index, name.as_str());
        let twice = every_class().find(|class| {
            let fits = threshold.fits(*class);
            let earlier = it.thresholds[..index].iter();
            fits.is_some()
                && earlier
                    .filter(|one| one.standard == threshold.standard)
                    .any(|one| one.fits(*class) == fits)
        });
        if let Some(class) = twice {
            let about = class.map_or("every class".to_owned(), |class| format!("class {class}"));
            problems.push(problem(
                Error,
                "threshold-twice",
                at,
                Some("classes"),
                format!("{about} has a threshold for this standard already"),
                "name other classes, or join the two; one class outweighs its group, and a group all classes",
            ));
            continue;
        }
        contested(problems, at, "probability", &threshold.probability);
        let in_force = |class: Option<Class>| {
            it.threshold(threshold.standard, class).is_some_and(|one| std::ptr::eq(one, threshold))
        };
        for weaker in Standard::ALL.into_iter().filter(|one| *one < threshold.standard) {
            let above = every_class().filter(|class| in_force(*class)).find(|class| {
                it.threshold(weaker, *class).is_some_and(|other| least(other) > least(threshold))
            });
            if above.is_some() {
                problems.push(problem(
                    Error,
                    "threshold-order",
                    at,
                    Some("probability"),
                    format!("is lower than that of the weaker standard {weaker:?}"),
                    "a stronger standard asks for at least as much",
                ));
            }
        }
    }
}

/// What of actor, act, deadline, means, way to verify and consequence is
/// missing (REQUIREMENTS A11).
fn missing(it: &Agreement, provision: &Provision) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if it.parties.is_empty() {
        missing.push("actor");
    }
    let ends = provision.in_force.readings().iter().all(|reading| reading.value.to != Bound::Open);
    match provision.kind {
        Kind::Duty if provision.clock.is_none() => missing.push("deadline"),
        Kind::Ban if !ends => missing.push("end"),
        _ => {}
    }
    if provision.evidence.is_empty() {
        missing.push("means");
    }
    if provision.verified_by.is_none() {
        missing.push("way to verify");
    }
    if provision.kind != Kind::Permission && provision.consequence.is_empty() {
        missing.push("consequence");
    }
    missing
}

/// What of object, zone, start, baseline and exceptions is missing
/// (VERIFICATION D13).
fn undetermined(it: &Agreement, provision: &Provision) -> Vec<&'static str> {
    let mut missing = Vec::new();
    let about = |letter: char| {
        let acts = provision.acts.readings().iter().flat_map(|reading| &reading.value);
        acts.into_iter().any(|act| act.to_string().starts_with(letter))
    };
    let no_object = provision.objects.readings().iter().any(|reading| reading.value.is_empty());
    if about('G') && no_object {
        missing.push("protected object");
    }
    let geometries = provision.zone.readings().iter().flat_map(|reading| {
        it.zones.iter().filter(|zone| zone.id == reading.value).map(|zone| &zone.geometry)
    });
    if geometries.clone().any(|geometry| *geometry == Geometry::Everywhere) {
        missing.push(if about('B') { "baseline" } else { "area" });
    }
    let undated = |bound: &Bound| match bound {
        Bound::Event { event, .. } => {
            it.events.iter().any(|one| one.id == *event && one.at.is_none())
        }
        _ => false,
    };
    let terms = provision.in_force.readings();
    if terms.iter().any(|reading| undated(&reading.value.from)) {
        missing.push("moment from which it applies");
    }
    if provision.kind == Kind::Ban && about('A') && provision.exceptions.is_empty() {
        missing.push("exception (self-defence, clearance of mines, notified exercises)");
    }
    missing
}
