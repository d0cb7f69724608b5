//! Parties, guarantors, the mechanism; commitments, ladder, pledges.

use super::words::{condition, number};
use super::{Fact, Item, Section, put};
use crate::alignment::alignment;
use crate::commitment::Amount;
use crate::model::Agreement;

pub(super) fn before(it: &Agreement, language: &str) -> Vec<Section> {
    vec![
        Section {
            title: "Guarantors",
            about: "Who stands behind it. Taking part is not being bound.",
            items: guarantors(it, language),
        },
        Section {
            title: "Mechanism",
            about: "Who looks, and what they may do.",
            items: mechanism(it, language),
        },
    ]
}

pub(super) fn after(it: &Agreement, language: &str) -> Vec<Section> {
    vec![
        Section {
            title: "Commitments",
            about: "What guarantors promised: on which condition, by when, on whose word.",
            items: commitments(it, language),
        },
        Section {
            title: "Ladder and pledges",
            about: "How far each has come. What is not decided is shown as not decided.",
            items: ladder(it, language),
        },
        Section {
            title: "Readings confirmed",
            about: "Aligned only when all parties confirmed the same reading of the clause as it stands.",
            items: confirmations(it, language),
        },
    ]
}

fn names<T: serde::Serialize>(items: &[T]) -> String {
    let word = |item: &T| {
        serde_json::to_value(item)
            .ok()
            .and_then(|value| value.as_str().map(|word| word.replace('_', " ")))
            .unwrap_or_default()
    };
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn guarantors(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |guarantor: &crate::Guarantor| {
        let mut facts = vec![Fact::plain("participation", guarantor.modality.title())];
        put(
            &mut facts,
            "signatory",
            match guarantor.signatory {
                Some(true) => "yes",
                Some(false) => "no",
                None => "not stated",
            },
        );
        put(&mut facts, "members", guarantor.members.join(", "));
        if let Some(stated) = guarantor.members_stated {
            put(&mut facts, "members stated", stated.to_string());
        }
        put(&mut facts, "procedure", guarantor.procedure.get(language));
        put(&mut facts, "source", guarantor.citation.to_string());
        put(&mut facts, "note", guarantor.note.clone());
        Item {
            kind: "guarantor",
            id: guarantor.id.clone(),
            title: guarantor.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: vec![guarantor.id.clone()],
        }
    };
    it.guarantors.iter().map(item).collect()
}

fn mechanism(it: &Agreement, language: &str) -> Vec<Item> {
    let Some(mechanism) = &it.mechanism else { return Vec::new() };
    let mandate = |mandate: &Vec<crate::Mandate>| {
        mandate.iter().map(|one| one.title()).collect::<Vec<_>>().join(", ")
    };
    let mut facts = vec![
        Fact::contested("lead", &mechanism.lead, |lead| lead.join(", ")),
        Fact::contested("mandate", &mechanism.mandate, mandate),
        Fact::contested("modality", &mechanism.modality, |modality| modality.title().to_owned()),
    ];
    put(&mut facts, "members", mechanism.members.join(", "));
    let means: Vec<&str> = mechanism.means.iter().map(|means| means.title()).collect();
    put(&mut facts, "means", means.join(", "));
    put(&mut facts, "asserted_by", mechanism.asserted_by.clone());
    let roles: Vec<String> = mechanism
        .role
        .iter()
        .map(|role| {
            let does: Vec<&str> = role.does.iter().map(|one| one.title()).collect();
            format!(
                "{}: {} ({}, said by {})",
                role.actor,
                does.join(", "),
                role.modality.title(),
                role.asserted_by
            )
        })
        .collect();
    put(&mut facts, "roles", roles.join("; "));
    put(&mut facts, "source", mechanism.citation.to_string());
    put(&mut facts, "note", mechanism.note.clone());
    let mut items = vec![Item {
        kind: "mechanism",
        id: "mechanism".to_owned(),
        title: mechanism.name.get(language).to_owned(),
        text: String::new(),
        facts,
        concerns: mechanism.members.clone(),
    }];
    for body in &mechanism.body {
        let mut facts = vec![Fact::contested("mandate", &body.mandate, mandate)];
        put(&mut facts, "chair", body.chair.clone().unwrap_or_default());
        put(&mut facts, "seats", body.seats.join(", "));
        put(&mut facts, "source", body.citation.to_string());
        put(&mut facts, "note", body.note.clone());
        items.push(Item {
            kind: "body",
            id: body.id.clone(),
            title: body.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: body.seats.clone(),
        });
    }
    items
}

fn commitments(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |commitment: &crate::Commitment| {
        let mut facts = Vec::new();
        put(&mut facts, "component", commitment.component.clone());
        put(&mut facts, "obligors", commitment.obligors.join(", "));
        put(&mut facts, "beneficiary", commitment.beneficiary.clone());
        facts.push(Fact::contested("actions", &commitment.actions, |actions| names(actions)));
        put(&mut facts, "domains", names(&commitment.domains));
        put(&mut facts, "functions", names(&commitment.functions));
        facts.push(Fact::contested("strength", &commitment.strength, |one| one.title().to_owned()));
        facts.push(Fact::contested("modality", &commitment.modality, |one| one.title().to_owned()));
        put(&mut facts, "asserted_by", commitment.asserted_by.clone());
        put(
            &mut facts,
            "confirmed",
            match &commitment.confirmed {
                Some(citation) => citation.to_string(),
                None if commitment.obligors.contains(&commitment.asserted_by) => String::new(),
                None => "not by the obligor".to_owned(),
            },
        );
        put(&mut facts, "phase", commitment.phase.title());
        put(&mut facts, "wording", commitment.wording.get(language));
        for (name, field) in [
            ("activation", &commitment.activation),
            ("trigger", &commitment.trigger),
            ("voiding", &commitment.voiding),
        ] {
            if let Some(field) = field {
                facts.push(Fact::contested(name, field, condition));
            }
        }
        put(&mut facts, "clock", commitment.clock.clone().unwrap_or_default());
        put(&mut facts, "tier", commitment.tier.map_or(String::new(), |tier| tier.to_string()));
        put(&mut facts, "backs", commitment.backs.join(", "));
        put(&mut facts, "answers", commitment.answers.join(", "));
        put(&mut facts, "source", commitment.citation.to_string());
        put(&mut facts, "note", commitment.note.clone());
        let mut concerns = commitment.obligors.clone();
        if !concerns.contains(&commitment.beneficiary) {
            concerns.push(commitment.beneficiary.clone());
        }
        Item {
            kind: "commitment",
            id: commitment.id.clone(),
            title: commitment.title.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns,
        }
    };
    it.commitments.iter().map(item).collect()
}

fn amount(amount: &Amount) -> String {
    match amount {
        Amount::Exactly { value, unit } => format!("{} {unit}", number(*value)),
        Amount::About { value, unit } => format!("about {} {unit}", number(*value)),
        Amount::Undecided { as_of } => format!("not decided as of {as_of}"),
    }
}

fn ladder(it: &Agreement, language: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for guarantor in &it.guarantors {
        let mut facts = Vec::new();
        for rung in it.ladder.iter().filter(|rung| rung.guarantor == guarantor.id) {
            let about = rung.commitment.as_deref().unwrap_or("all");
            let date = rung.date.map_or("no day known".to_owned(), |date| date.to_string());
            let reservation = match rung.reservation.get(language) {
                "" => String::new(),
                held_back => format!("; reservation: {held_back}"),
            };
            facts
                .push(Fact::plain("step", format!("{about}: {} ({date}){reservation}", rung.step)));
        }
        for pledge in it.pledges.iter().filter(|pledge| pledge.by == guarantor.id) {
            facts.push(Fact::contested("pledge", &pledge.amount, |one| {
                format!("{} for {}: {}", names(&[pledge.kind]), pledge.commitment, amount(one))
            }));
            let steps: Vec<String> = pledge
                .steps
                .iter()
                .map(|day| {
                    let date = day.date.map_or("no day known".to_owned(), |date| date.to_string());
                    format!("{} ({date})", names(&[day.step]))
                })
                .collect();
            put(&mut facts, "pledge steps", steps.join(", "));
        }
        for endorsement in it.endorsements.iter().filter(|one| one.on_behalf_of == guarantor.id) {
            put(
                &mut facts,
                "endorsement (binds nobody)",
                format!("{} of {}", endorsement.by, endorsement.of.join(", ")),
            );
        }
        if !facts.is_empty() {
            items.push(Item {
                kind: "standing",
                id: guarantor.id.clone(),
                title: guarantor.name.get(language).to_owned(),
                text: String::new(),
                facts,
                concerns: vec![guarantor.id.clone()],
            });
        }
    }
    items
}

/// The same-reading table: per clause, who confirmed what.
fn confirmations(it: &Agreement, language: &str) -> Vec<Item> {
    let parties: Vec<&str> = it.parties.iter().map(|party| party.id.as_str()).collect();
    let mut clauses: Vec<&str> = Vec::new();
    for confirmation in &it.confirmations {
        if !clauses.contains(&confirmation.clause.as_str()) {
            clauses.push(&confirmation.clause);
        }
    }
    let sections = super::items::sections(it, language);
    let digest = |clause: &str| {
        sections
            .iter()
            .flat_map(|section| &section.items)
            .find(|item| item.id == clause)
            .map_or(String::new(), Item::digest)
    };
    clauses
        .into_iter()
        .map(|clause| {
            let digest = digest(clause);
            let state = alignment(&it.confirmations, clause, it.version, &digest, &parties);
            let mut facts = vec![Fact::plain("alignment", state.in_words())];
            for one in it.confirmations.iter().filter(|one| one.clause == clause) {
                let date = one.date.map_or(String::new(), |date| format!(", {date}"));
                put(
                    &mut facts,
                    "confirmed",
                    format!("{}: {} (version {}{date})", one.party, one.reading, one.version),
                );
            }
            Item {
                kind: "confirmation",
                id: format!("{clause}-readings"),
                title: format!("clause {clause}"),
                text: String::new(),
                facts,
                concerns: parties.iter().map(|party| (*party).to_owned()).collect(),
            }
        })
        .collect()
}
