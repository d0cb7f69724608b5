//! The same evidence under several readings or versions: where they differ,
//! and which provisions and fields make the difference.

use std::collections::BTreeMap;

use agreement::{Choice, Evaluator, Ground, Rule, Truth};
use domain::{Id, Incident, Probability};

use crate::{NEGLIGIBLE, facts};

/// Two probabilities that differ by less are told as the same.
const SAME: f64 = 0.05;

/// One way to hold evidence against an agreement.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// What it is called in tables.
    pub label: &'a str,
    /// The agreement, or another version of it.
    pub evaluator: &'a Evaluator<'a>,
    /// Only under this reading, wherever a provision knows it. Without one,
    /// every reading is taken, and the greatest probability counts.
    pub reading: Option<&'a str>,
}

/// An incident under a provision that the positions judge differently.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The incident.
    pub incident: Id,
    /// The provision.
    pub provision: String,
    /// Greatest probability that it breaches the provision, by position; none
    /// if the position has no such provision, or if its time is not known.
    pub fits: Vec<Option<Probability>>,
    /// Fields that make the difference.
    pub fields: Vec<&'static str>,
}

/// What comes of one incident under one provision in one position.
struct Judged {
    fit: Probability,
    elements: Vec<(&'static str, Truth)>,
}

/// Whether a reading of the position's name goes with a choice: it is chosen
/// somewhere, or the provision does not know it at all.
fn goes_with(reading: Option<&str>, rule: &Rule<'_>, rules: &[Rule<'_>]) -> bool {
    let chosen = |choice: &Choice, wanted: &str| choice.iter().any(|(_, name)| name == wanted);
    reading.is_none_or(|wanted| {
        chosen(&rule.choice, wanted) || !rules.iter().any(|other| chosen(&other.choice, wanted))
    })
}

fn judge(
    position: &Position<'_>,
    rules: &[Rule<'_>],
    incident: &Incident,
    ground: &impl Ground,
) -> Option<Judged> {
    let facts = facts(incident);
    let mut best: Option<Judged> = None;
    for rule in rules.iter().filter(|rule| goes_with(position.reading, rule, rules)) {
        for evaluated in position.evaluator.evaluate(rule, &facts, ground) {
            if evaluated.in_force.is_open() {
                continue;
            }
            let fit = evaluated.together().high();
            if best.as_ref().is_none_or(|best| fit > best.fit) {
                best = Some(Judged { fit, elements: evaluated.elements });
            }
        }
    }
    best
}

/// The field of a package behind an element.
fn field(element: &str) -> &'static str {
    match element {
        "act" => "acts",
        "object" => "objects",
        "weapon" => "weapons",
        "time" => "in_force",
        "window" => "windows",
        "exceptions" => "exceptions",
        _ => "zone",
    }
}

/// Where positions differ on incidents, in the order of incidents and
/// provisions.
pub fn differences(
    positions: &[Position<'_>],
    incidents: &[Incident],
    ground: &impl Ground,
) -> Vec<Difference> {
    let mut ids: Vec<&str> = Vec::new();
    for position in positions {
        for provision in &position.evaluator.agreement().provisions {
            if !ids.contains(&provision.id.as_str()) {
                ids.push(&provision.id);
            }
        }
    }
    let mut differences = Vec::new();
    for incident in incidents {
        for id in &ids {
            let judged: Vec<Option<Judged>> = positions
                .iter()
                .map(|position| {
                    let (provision, rules) =
                        position.evaluator.rules().find(|(provision, _)| provision.id == *id)?;
                    if incident.share_of(|class| provision.forbids(class)).get() < NEGLIGIBLE {
                        return None;
                    }
                    judge(position, rules, incident, ground)
                })
                .collect();
            let fit = |judged: &Option<Judged>| judged.as_ref().map_or(0.0, |one| one.fit.get());
            let least = judged.iter().map(fit).fold(f64::INFINITY, f64::min);
            let most = judged.iter().map(fit).fold(f64::NEG_INFINITY, f64::max);
            if most - least <= SAME {
                continue;
            }
            differences.push(Difference {
                incident: incident.id,
                provision: (*id).to_owned(),
                fits: judged.iter().map(|one| one.as_ref().map(|one| one.fit)).collect(),
                fields: responsible(&judged),
            });
        }
    }
    differences
}

/// The provisions that an incident may breach in a position, with the greatest
/// probability.
pub fn fits(
    position: &Position<'_>,
    incident: &Incident,
    ground: &impl Ground,
) -> Vec<(String, Probability)> {
    let mut fits = Vec::new();
    for (provision, rules) in position.evaluator.rules() {
        if incident.share_of(|class| provision.forbids(class)).get() < NEGLIGIBLE {
            continue;
        }
        if let Some(judged) = judge(position, rules, incident, ground)
            && judged.fit.get() >= NEGLIGIBLE
        {
            fits.push((provision.id.clone(), judged.fit));
        }
    }
    fits
}

/// Fields whose elements differ between positions.
fn responsible(judged: &[Option<Judged>]) -> Vec<&'static str> {
    let mut ranges: BTreeMap<&'static str, (f64, f64)> = BTreeMap::new();
    let mut there = 0;
    for one in judged.iter().flatten() {
        there += 1;
        for (name, truth) in &one.elements {
            let p = truth.high().get();
            let range = ranges.entry(field(name)).or_insert((p, p));
            *range = (range.0.min(p), range.1.max(p));
        }
    }
    let mut fields: Vec<&'static str> =
        ranges.iter().filter(|(_, (low, high))| high - low > SAME).map(|(name, _)| *name).collect();
    if there < judged.len() {
        fields.push("the provision itself");
    }
    fields
}
