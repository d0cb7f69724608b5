//! What a package refers to must be there, and an id means one thing. Every
//! problem says where it stands.

use std::collections::BTreeSet;

use strict::{Diagnostic, Step, Text, Weight};

use crate::clock::Anchor;
use crate::condition::Condition;
use crate::model::Agreement;
use crate::provision::Bound;
use crate::reading::Contested;

/// A step of the way to a value, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key.
    Key(&'static str),
    /// A place in an array.
    At(usize),
}

/// Something wrong at a place of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub weight: Weight,
    /// A word by which tests and readers know it.
    pub code: &'static str,
    /// The clause it concerns, `provision M1`; empty if none.
    pub subject: String,
    /// The way to the value.
    pub way: Vec<Part>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// With the line of the text in which it stands.
    pub fn diagnostic(&self, text: &Text) -> Diagnostic {
        let way: Vec<Step<'_>> = self
            .way
            .iter()
            .map(|part| match part {
                Part::Key(key) => Step::Key(key),
                Part::At(index) => Step::At(*index),
            })
            .collect();
        text.diagnostic(self.weight, &way, self.message.clone(), self.help.clone())
    }
}

struct Checker<'a> {
    agreement: &'a Agreement,
    problems: Vec<Problem>,
}

/// Everything that is referred to and is not there, every id that is used
/// twice, every id that is not one.
pub fn references(agreement: &Agreement) -> Vec<Problem> {
    let mut checker = Checker { agreement, problems: Vec::new() };
    checker.ids();
    checker.people();
    checker.ground();
    checker.provisions();
    checker.clocks_and_conditions();
    checker.commitments();
    checker.problems
}

/// The way to a field of the n-th record of a kind.
fn way(kind: &'static str, index: usize, field: &'static str) -> Vec<Part> {
    vec![Part::Key(kind), Part::At(index), Part::Key(field)]
}

impl<'a> Checker<'a> {
    fn wrong(&mut self, code: &'static str, way: Vec<Part>, message: String, help: String) {
        let subject = String::new();
        let weight = Weight::Error;
        self.problems.push(Problem { weight, code, subject, way, message, help });
    }

    fn known(&mut self, what: &str, id: &str, known: &[&str], way: Vec<Part>) {
        if !known.contains(&id) {
            let help = if known.is_empty() {
                format!("declare a {what} with that id")
            } else {
                strict::suggestion(id, known)
            };
            self.wrong("unknown-id", way, format!("no {what} is called `{id}`"), help);
        }
    }

    fn ids(&mut self) {
        let it = self.agreement;
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let simple = |id: &str| !id.is_empty() && id.chars().all(fine);
        if !simple(&it.id) {
            let way = vec![Part::Key("agreement"), Part::Key("id")];
            self.wrong(
                "bad-id",
                way,
                "an id is made of letters, digits, `-`, `_` and `.`".into(),
                "choose a simple id".into(),
            );
        }
        let mut groups: Vec<(&'static str, Vec<&str>)> = vec![
            ("document", it.documents.iter().map(|x| x.id.as_str()).collect()),
            ("party", it.parties.iter().map(|x| x.id.as_str()).collect()),
            ("guarantor", it.guarantors.iter().map(|x| x.id.as_str()).collect()),
            ("event", it.events.iter().map(|x| x.id.as_str()).collect()),
            ("weapon", it.weapons.iter().map(|x| x.id.as_str()).collect()),
            ("window", it.windows.iter().map(|x| x.id.as_str()).collect()),
            ("procedure", it.procedures.iter().map(|x| x.id.as_str()).collect()),
            ("quota", it.quotas.iter().map(|x| x.id.as_str()).collect()),
            ("inventory", it.inventories.iter().map(|x| x.id.as_str()).collect()),
            ("pledge", it.pledges.iter().map(|x| x.id.as_str()).collect()),
        ];
        // Zones and lines may have several rows, each for a time of its own.
        let rows: [(&'static str, Vec<&str>); 2] = [
            ("line", it.lines.iter().map(|x| x.id.as_str()).collect()),
            ("zone", it.zones.iter().map(|x| x.id.as_str()).collect()),
        ];
        // Clauses share one set of ids: confirmations and consequences name them.
        groups.extend(clauses(it));
        let mut clause_ids: Vec<(&'static str, &str)> = Vec::new();
        for (kind, ids) in groups.iter().chain(&rows) {
            for (index, id) in ids.iter().enumerate() {
                if !simple(id) {
                    self.wrong(
                        "bad-id",
                        way(kind, index, "id"),
                        "an id is made of letters, digits, `-`, `_` and `.`".into(),
                        "choose a simple id".into(),
                    );
                }
            }
        }
        for (kind, ids) in &groups {
            for (index, id) in ids.iter().enumerate() {
                if ids[..index].contains(id) {
                    self.wrong(
                        "id-twice",
                        way(kind, index, "id"),
                        format!("the {kind} `{id}` is there twice"),
                        "ids are never reused; give this one its own".into(),
                    );
                } else if matches!(*kind, "provision" | "commitment" | "clock" | "condition") {
                    if let Some((other, _)) = clause_ids.iter().find(|(_, known)| known == id) {
                        self.wrong(
                            "id-twice",
                            way(kind, index, "id"),
                            format!("the {kind} `{id}` has the id of a {other}"),
                            "clauses share one set of ids; give this one its own".into(),
                        );
                    }
                    clause_ids.push((kind, id));
                }
            }
        }
        let mut terms: BTreeSet<(&str, u32)> = BTreeSet::new();
        for (index, definition) in it.definitions.iter().enumerate() {
            if !terms.insert((&definition.term, definition.version)) {
                self.wrong(
                    "id-twice",
                    way("definition", index, "term"),
                    format!("the definition `{}` is there twice", definition.term),
                    "ids are never reused; count its version up, or give this one its own term"
                        .into(),
                );
            }
        }
    }

    fn actors(&self) -> Vec<&'a str> {
        let it = self.agreement;
        it.parties
            .iter()
            .map(|party| party.id.as_str())
            .chain(it.guarantors.iter().map(|guarantor| guarantor.id.as_str()))
            .collect()
    }

    fn parties(&self) -> Vec<&'a str> {
        self.agreement.parties.iter().map(|party| party.id.as_str()).collect()
    }

    fn readers<T>(&mut self, contested: &Contested<T>, way: &[Part]) {
        let actors = self.actors();
        for reading in contested.readings() {
            for party in &reading.parties {
                self.known("party or guarantor", party, &actors, way.to_vec());
            }
        }
    }

    fn people(&mut self) {
        let it = self.agreement;
        let actors = self.actors();
        let guarantors: Vec<&str> = it.guarantors.iter().map(|x| x.id.as_str()).collect();
        for (index, guarantor) in it.guarantors.iter().enumerate() {
            for member in &guarantor.members {
                self.known("guarantor", member, &guarantors, way("guarantor", index, "members"));
            }
        }
        if let Some(mechanism) = &it.mechanism {
            let at = |field| vec![Part::Key("mechanism"), Part::Key(field)];
            for reading in mechanism.lead.readings() {
                for lead in &reading.value {
                    self.known("party or guarantor", lead, &actors, at("lead"));
                }
            }
            for member in &mechanism.members {
                self.known("party or guarantor", member, &actors, at("members"));
            }
            for (index, body) in mechanism.body.iter().enumerate() {
                let at = |field| {
                    vec![
                        Part::Key("mechanism"),
                        Part::Key("body"),
                        Part::At(index),
                        Part::Key(field),
                    ]
                };
                for seat in &body.seats {
                    self.known("party or guarantor", seat, &actors, at("seats"));
                }
                if let Some(chair) = &body.chair {
                    self.known("party or guarantor", chair, &actors, at("chair"));
                }
            }
            for (index, role) in mechanism.role.iter().enumerate() {
                let at = vec![
                    Part::Key("mechanism"),
                    Part::Key("role"),
                    Part::At(index),
                    Part::Key("actor"),
                ];
                self.known("party or guarantor", &role.actor, &actors, at);
            }
        }
        let clauses: Vec<&str> = clauses(it)
            .into_iter()
            .flat_map(|(_, ids)| ids)
            .chain(it.definitions.iter().map(|definition| definition.id.as_str()))
            .collect();
        for (index, confirmation) in it.confirmations.iter().enumerate() {
            self.known(
                "party or guarantor",
                &confirmation.party,
                &actors,
                way("confirmation", index, "party"),
            );
            self.known(
                "clause",
                &confirmation.clause,
                &clauses,
                way("confirmation", index, "clause"),
            );
        }
    }

    fn ground(&mut self) {
        let it = self.agreement;
        let parties = self.parties();
        for (index, zone) in it.zones.iter().enumerate() {
            for party in &zone.parties {
                self.known("party", party, &parties, way("zone", index, "party"));
            }
        }
        let weapons: Vec<&str> = it.weapons.iter().map(|x| x.id.as_str()).collect();
        let zones = self.zones();
        let provisions: Vec<&str> = it.provisions.iter().map(|x| x.id.as_str()).collect();
        let clocks: Vec<&str> = it.clocks.iter().map(|x| x.id.as_str()).collect();
        for (index, quota) in it.quotas.iter().enumerate() {
            self.known("party", &quota.party, &parties, way("quota", index, "party"));
            self.known("weapon class", &quota.weapon, &weapons, way("quota", index, "weapon"));
            self.known("zone", &quota.zone, &zones, way("quota", index, "zone"));
        }
        for (index, inventory) in it.inventories.iter().enumerate() {
            self.known("party", &inventory.party, &parties, way("inventory", index, "party"));
            self.known(
                "provision",
                &inventory.provision,
                &provisions,
                way("inventory", index, "provision"),
            );
            if let Some(clock) = &inventory.clock {
                self.known("clock", clock, &clocks, way("inventory", index, "clock"));
            }
        }
        for (index, procedure) in it.procedures.iter().enumerate() {
            let states: Vec<&str> = procedure.states().into_iter().collect();
            for state in &procedure.permits {
                self.known("state", state, &states, way("procedure", index, "permits"));
            }
        }
    }

    fn zones(&self) -> Vec<&'a str> {
        let mut zones: Vec<&str> = self.agreement.zones.iter().map(|x| x.id.as_str()).collect();
        zones.dedup();
        zones
    }

    fn provisions(&mut self) {
        let it = self.agreement;
        let parties = self.parties();
        let ids = |of: Vec<&'a str>| of;
        let weapons = ids(it.weapons.iter().map(|x| x.id.as_str()).collect());
        let windows = ids(it.windows.iter().map(|x| x.id.as_str()).collect());
        let procedures = ids(it.procedures.iter().map(|x| x.id.as_str()).collect());
        let events = ids(it.events.iter().map(|x| x.id.as_str()).collect());
        let clocks = ids(it.clocks.iter().map(|x| x.id.as_str()).collect());
        let provisions = ids(it.provisions.iter().map(|x| x.id.as_str()).collect());
        let bodies: Vec<&str> = it
            .mechanism
            .iter()
            .flat_map(|mechanism| &mechanism.body)
            .map(|body| body.id.as_str())
            .chain(it.mechanism.iter().map(|_| "mechanism"))
            .collect();
        let consequences: Vec<&str> = provisions
            .iter()
            .copied()
            .chain(it.commitments.iter().map(|commitment| commitment.id.as_str()))
            .collect();
        for (index, provision) in it.provisions.iter().enumerate() {
            let at = |field| way("provision", index, field);
            for party in &provision.who {
                self.known("party", party, &parties, at("who"));
            }
            for weapon in provision.weapons.readings().iter().flat_map(|reading| &reading.value) {
                self.known("weapon class", weapon, &weapons, at("weapons"));
            }
            for window in &provision.windows {
                self.known("window", window, &windows, at("windows"));
            }
            for procedure in provision.exceptions.iter().filter_map(|one| one.procedure.as_ref()) {
                self.known("procedure", procedure, &procedures, at("exceptions"));
            }
            for reading in provision.in_force.readings() {
                for bound in [&reading.value.from, &reading.value.to] {
                    if let Bound::Event { event, .. } = bound {
                        self.known("event", event, &events, at("in_force"));
                    }
                }
            }
            self.readers(&provision.in_force, &at("in_force"));
            self.readers(&provision.objects, &at("objects"));
            self.readers(&provision.acts, &at("acts"));
            self.readers(&provision.zone, &at("zone"));
            if let Some(body) = &provision.verified_by {
                self.known("body of the mechanism", body, &bodies, at("verified_by"));
            }
            if let Some(clock) = &provision.clock {
                self.known("clock", clock, &clocks, at("clock"));
            }
            for id in &provision.on_breach_of {
                self.known("provision", id, &provisions, at("on_breach_of"));
            }
            for id in &provision.consequence {
                self.known("provision or commitment", id, &consequences, at("consequence"));
            }
            if let Some(voiding) = &provision.voiding {
                self.conditions(voiding, &at("voiding"));
            }
        }
    }

    fn clocks_and_conditions(&mut self) {
        let it = self.agreement;
        let events: Vec<&str> = it.events.iter().map(|x| x.id.as_str()).collect();
        let named: Vec<&str> = it.conditions.iter().map(|x| x.id.as_str()).collect();
        for (index, clock) in it.clocks.iter().enumerate() {
            for reading in clock.anchor.readings() {
                if let Anchor::Event(event) = &reading.value {
                    self.known("event", event, &events, way("clock", index, "anchor"));
                }
            }
            self.readers(&clock.anchor, &way("clock", index, "anchor"));
            if let Some(condition) = &clock.continuation {
                self.known("condition", condition, &named, way("clock", index, "continuation"));
            }
            if let Some(condition) = &clock.expansion {
                self.known("condition", condition, &named, way("clock", index, "expansion"));
            }
        }
        for (index, condition) in it.conditions.iter().enumerate() {
            self.conditions(&condition.test, &way("condition", index, "test"));
        }
    }

    fn conditions(&mut self, contested: &Contested<Condition>, way: &[Part]) {
        self.readers(contested, way);
        for reading in contested.readings() {
            reading.value.visit(&mut |part| self.condition(part, way));
        }
    }

    fn condition(&mut self, condition: &Condition, way: &[Part]) {
        let it = self.agreement;
        let events: Vec<&str> = it.events.iter().map(|x| x.id.as_str()).collect();
        match condition {
            Condition::Event(event) => self.known("event", event, &events, way.to_vec()),
            Condition::Elapsed(elapsed) => {
                self.known("event", &elapsed.event, &events, way.to_vec());
            }
            Condition::Named(id) => {
                let named: Vec<&str> = it.conditions.iter().map(|x| x.id.as_str()).collect();
                self.known("condition", id, &named, way.to_vec());
            }
            Condition::Breach(breach) => {
                let provisions: Vec<&str> = it
                    .provisions
                    .iter()
                    .map(|x| x.id.as_str())
                    .chain(std::iter::once("*"))
                    .collect();
                let actors = self.actors();
                for id in &breach.provisions {
                    self.known("provision", id, &provisions, way.to_vec());
                }
                for id in &breach.by {
                    self.known("party or guarantor", id, &actors, way.to_vec());
                }
                if let Some(event) = &breach.after {
                    self.known("event", event, &events, way.to_vec());
                }
                if let Some(zone) = &breach.zone {
                    let zones = self.zones();
                    self.known("zone", zone, &zones, way.to_vec());
                }
            }
            _ => {}
        }
    }

    fn commitments(&mut self) {
        let it = self.agreement;
        let actors = self.actors();
        let guarantors: Vec<&str> = it.guarantors.iter().map(|x| x.id.as_str()).collect();
        let clocks: Vec<&str> = it.clocks.iter().map(|x| x.id.as_str()).collect();
        let commitments: Vec<&str> = it.commitments.iter().map(|x| x.id.as_str()).collect();
        let provisions: Vec<&str> = it.provisions.iter().map(|x| x.id.as_str()).collect();
        for (index, commitment) in it.commitments.iter().enumerate() {
            let at = |field| way("commitment", index, field);
            for obligor in &commitment.obligors {
                self.known("party or guarantor", obligor, &actors, at("obligors"));
            }
            self.known("party or guarantor", &commitment.beneficiary, &actors, at("beneficiary"));
            for (field, condition) in [
                ("activation", &commitment.activation),
                ("trigger", &commitment.trigger),
                ("voiding", &commitment.voiding),
            ] {
                if let Some(condition) = condition {
                    self.conditions(condition, &at(field));
                }
            }
            if let Some(clock) = &commitment.clock {
                self.known("clock", clock, &clocks, at("clock"));
            }
            for id in &commitment.backs {
                self.known("commitment", id, &commitments, at("backs"));
            }
            for id in &commitment.answers {
                self.known("provision", id, &provisions, at("answers"));
            }
        }
        for (index, rung) in it.ladder.iter().enumerate() {
            self.known(
                "guarantor",
                &rung.guarantor,
                &guarantors,
                way("ladder", index, "guarantor"),
            );
            if let Some(id) = &rung.commitment {
                self.known("commitment", id, &commitments, way("ladder", index, "commitment"));
            }
        }
        for (index, pledge) in it.pledges.iter().enumerate() {
            self.known("guarantor", &pledge.by, &guarantors, way("pledge", index, "by"));
            self.known(
                "commitment",
                &pledge.commitment,
                &commitments,
                way("pledge", index, "commitment"),
            );
        }
        let anything: Vec<&str> = commitments.iter().copied().chain(std::iter::once("*")).collect();
        for (index, endorsement) in it.endorsements.iter().enumerate() {
            for id in &endorsement.of {
                self.known("commitment", id, &anything, way("endorsement", index, "of"));
            }
        }
    }
}

/// Ids of the clauses, by kind.
pub fn clauses(agreement: &Agreement) -> Vec<(&'static str, Vec<&str>)> {
    vec![
        ("provision", agreement.provisions.iter().map(|x| x.id.as_str()).collect()),
        ("commitment", agreement.commitments.iter().map(|x| x.id.as_str()).collect()),
        ("clock", agreement.clocks.iter().map(|x| x.id.as_str()).collect()),
        ("condition", agreement.conditions.iter().map(|x| x.id.as_str()).collect()),
    ]
}
