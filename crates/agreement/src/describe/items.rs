//! The rules: definitions, zones, provisions, clocks, conditions.

use super::words::{bound, condition};
use super::{Fact, Item, Section, put};
use crate::model::Agreement;
use crate::provision::{Kind, Provision};

pub(super) fn sections(it: &Agreement, language: &str) -> Vec<Section> {
    vec![
        Section {
            title: "Definitions",
            about: "Terms, as each side uses them.",
            items: definitions(it, language),
        },
        Section {
            title: "Events",
            about: "Moments on which other things depend.",
            items: events(it, language),
        },
        Section {
            title: "Lines and zones",
            about: "Where provisions apply, for whom, and how well the boundary is known.",
            items: ground(it, language),
        },
        Section {
            title: "Weapons, quotas and inventories",
            about: "By system name and by calibre.",
            items: weapons(it, language),
        },
        Section {
            title: "Windows and procedures",
            about: "Hours of silence, and what must have happened before something is permitted.",
            items: procedures(it, language),
        },
        Section {
            title: "Provisions",
            about: "The rules, with their legal elements.",
            items: it
                .provisions
                .iter()
                .map(|provision| self::provision(it, provision, language))
                .collect(),
        },
        Section {
            title: "Standards of proof",
            about: "How probable it must be. Where parties read a threshold differently, the strictest holds.",
            items: thresholds(it, language),
        },
        Section {
            title: "Clocks",
            about: "By when, and counted from what.",
            items: clocks(it, language),
        },
        Section {
            title: "Conditions",
            about: "What triggers, continues, widens or voids something.",
            items: conditions(it, language),
        },
    ]
}

fn list<T>(items: &[T], word: impl Fn(&T) -> String) -> String {
    items.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn parties(it: &Agreement) -> Vec<String> {
    it.parties.iter().map(|party| party.id.clone()).collect()
}

fn definitions(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |definition: &crate::Definition| {
        let mut facts = vec![Fact::contested("meaning", &definition.text, |text| {
            text.get(language).to_owned()
        })];
        for (name, field) in [("acts", &definition.acts), ("objects", &definition.objects)] {
            if field.readings().iter().any(|reading| !reading.value.is_empty()) {
                facts.push(Fact::contested(name, field, |words| words.join(", ")));
            }
        }
        put(&mut facts, "version", definition.version.to_string());
        put(&mut facts, "source", definition.citation.to_string());
        let id = if definition.id.is_empty() { &definition.term } else { &definition.id };
        Item {
            kind: "definition",
            id: id.clone(),
            title: definition.term.clone(),
            text: String::new(),
            facts,
            concerns: parties(it),
        }
    };
    it.definitions.iter().map(item).collect()
}

fn events(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |event: &crate::Event| {
        let mut facts = Vec::new();
        match &event.at {
            Some(at) => facts.push(Fact::contested("at", at, |at| at.0.to_string())),
            None => put(&mut facts, "at", "undecided"),
        }
        put(&mut facts, "note", event.note.clone());
        put(&mut facts, "source", event.citation.to_string());
        Item {
            kind: "event",
            id: event.id.clone(),
            title: event.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        }
    };
    it.events.iter().map(item).collect()
}

fn validity(valid: &domain::Interval) -> String {
    let from = (valid.from != jiff::Timestamp::MIN).then(|| format!("from {}", valid.from));
    let to = (valid.to != jiff::Timestamp::MAX).then(|| format!("to {}", valid.to));
    [from, to].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn ground(it: &Agreement, language: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for line in &it.lines {
        let mut facts = Vec::new();
        put(
            &mut facts,
            "course",
            match &line.course {
                crate::Course::Drawn(lines) => {
                    let km: f64 = lines
                        .iter()
                        .flat_map(|line| line.windows(2))
                        .map(|pair| pair[0].distance_m(pair[1]) / 1000.0)
                        .sum();
                    format!("drawn in the package, {km:.0} km")
                }
                crate::Course::OfTheDay { source } => {
                    format!("the line of contact of the day, from the maps of {source}")
                }
            },
        );
        put(&mut facts, "accuracy", format!("{} m", line.accuracy_m));
        put(&mut facts, "valid", validity(&line.valid));
        put(&mut facts, "source", line.citation.to_string());
        items.push(Item {
            kind: "line",
            id: line.id.clone(),
            title: line.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        });
    }
    for zone in &it.zones {
        let mut facts = Vec::new();
        put(&mut facts, "covers", zone.in_words());
        put(&mut facts, "for forces of", zone.parties.join(", "));
        put(&mut facts, "reading", zone.reading.clone());
        put(&mut facts, "valid", validity(&zone.valid));
        put(&mut facts, "source", zone.citation.to_string());
        let concerns = if zone.parties.is_empty() { parties(it) } else { zone.parties.clone() };
        items.push(Item {
            kind: "zone",
            id: zone.id.clone(),
            title: zone.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns,
        });
    }
    items
}

fn weapons(it: &Agreement, language: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for class in &it.weapons {
        let mut facts = Vec::new();
        put(&mut facts, "kinds", list(&class.kinds, |kind| format!("{kind:?}").to_lowercase()));
        put(&mut facts, "calibre", class.calibre());
        put(&mut facts, "systems", class.systems.join(", "));
        put(&mut facts, "source", class.citation.to_string());
        items.push(Item {
            kind: "weapon",
            id: class.id.clone(),
            title: class.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        });
    }
    for quota in &it.quotas {
        let mut facts = Vec::new();
        put(
            &mut facts,
            "at most",
            format!("{} of {} in {}", quota.at_most, quota.weapon, quota.zone),
        );
        put(&mut facts, "valid", validity(&quota.valid()));
        put(&mut facts, "source", quota.citation.to_string());
        items.push(Item {
            kind: "quota",
            id: quota.id.clone(),
            title: format!("quota of {}", quota.party),
            text: String::new(),
            facts,
            concerns: vec![quota.party.clone()],
        });
    }
    for inventory in &it.inventories {
        let mut facts = Vec::new();
        put(&mut facts, "asked for by", format!("provision {}", inventory.provision));
        put(&mut facts, "due", inventory.clock.clone().unwrap_or_default());
        put(
            &mut facts,
            "supplied",
            match &inventory.supplied {
                Some(at) => at.0.to_string(),
                None => "not supplied".to_owned(),
            },
        );
        put(
            &mut facts,
            "items",
            list(&inventory.item, |item| format!("{} {}", item.count, item.system)),
        );
        put(&mut facts, "source", inventory.citation.to_string());
        items.push(Item {
            kind: "inventory",
            id: inventory.id.clone(),
            title: format!("{}, {}", inventory.site, inventory.party),
            text: String::new(),
            facts,
            concerns: vec![inventory.party.clone()],
        });
    }
    items
}

fn procedures(it: &Agreement, language: &str) -> Vec<Item> {
    let mut items = Vec::new();
    for window in &it.windows {
        let mut facts = Vec::new();
        put(
            &mut facts,
            "hours",
            format!(
                "{} to {} ({}), from {} to {}",
                window.from, window.to, window.zone, window.first_day, window.last_day
            ),
        );
        put(&mut facts, "source", window.citation.to_string());
        items.push(Item {
            kind: "window",
            id: window.id.clone(),
            title: window.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        });
    }
    for procedure in &it.procedures {
        let mut facts = Vec::new();
        put(&mut facts, "begins", procedure.start.clone());
        put(
            &mut facts,
            "steps",
            procedure
                .step
                .iter()
                .map(|step| {
                    let within =
                        step.within.map_or(String::new(), |within| format!(" within {within}"));
                    format!("{} \u{2014} {}{within} \u{2192} {}", step.from, step.on, step.to)
                })
                .collect::<Vec<_>>()
                .join("; "),
        );
        put(&mut facts, "permits in", procedure.permits.join(", "));
        put(&mut facts, "source", procedure.citation.to_string());
        items.push(Item {
            kind: "procedure",
            id: procedure.id.clone(),
            title: procedure.name.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        });
    }
    items
}

/// Class codes with their meaning; the title of a group is that of its letter.
fn acts(acts: &[domain::ClassPattern]) -> String {
    list(acts, |act| match act {
        domain::ClassPattern::One(class) => format!("{class} {}", class.title()),
        domain::ClassPattern::Group(letter) => {
            let group = match letter {
                'A' => "every use of fire",
                'B' => "every weapon out of place",
                'C' => "every move of forces and works",
                'D' => "every breach in the air and at sea",
                'E' => "every restriction of movement",
                'F' => "every harm to civilians",
                'G' => "every breach of an infrastructure truce",
                'H' => "every duty not done",
                _ => "the whole group",
            };
            format!("{letter} {group}")
        }
    })
}

fn provision(it: &Agreement, provision: &Provision, language: &str) -> Item {
    let mut facts = vec![Fact::plain("kind", provision.kind.title())];
    let who = if provision.who.is_empty() { parties(it) } else { provision.who.clone() };
    put(&mut facts, "who", who.join(", "));
    let act = if provision.kind == Kind::Duty { "failure" } else { "acts" };
    facts.push(Fact::contested(act, &provision.acts, |patterns| acts(patterns)));
    let stated = |field: &crate::Contested<Vec<String>>| {
        field.readings().iter().any(|reading| !reading.value.is_empty())
    };
    if stated(&provision.objects) {
        facts.push(Fact::contested("objects", &provision.objects, |words| words.join(", ")));
    }
    if stated(&provision.weapons) {
        facts.push(Fact::contested("weapons", &provision.weapons, |words| words.join(", ")));
    }
    facts.push(Fact::contested("zone", &provision.zone, |zone| {
        let rows: Vec<String> = it
            .zones
            .iter()
            .filter(|row| row.id == *zone)
            .map(|row| row.name.get(language).to_owned())
            .collect();
        format!("{zone}: {}", rows.join(" / "))
    }));
    put(&mut facts, "windows", provision.windows.join(", "));
    facts.push(Fact::contested("in_force", &provision.in_force, |term| {
        format!("from {} to {}", bound(&term.from), bound(&term.to))
    }));
    put(&mut facts, "phase", provision.phase.title());
    put(
        &mut facts,
        "exceptions",
        list(&provision.exceptions, |exception| {
            let after = exception
                .procedure
                .as_ref()
                .map_or(String::new(), |id| format!(" (after the procedure {id})"));
            format!("{}{after}", exception.text.get(language))
        }),
    );
    if let Some(severity) = &provision.severity {
        facts.push(Fact::contested("severity", severity, ToString::to_string));
    }
    if let Some(standard) = &provision.standard {
        facts.push(Fact::contested("standard", standard, ToString::to_string));
    }
    put(&mut facts, "evidence", list(&provision.evidence, |means| means.title().to_owned()));
    put(&mut facts, "verified_by", provision.verified_by.clone().unwrap_or_default());
    put(&mut facts, "clock", provision.clock.clone().unwrap_or_default());
    put(&mut facts, "on_breach_of", provision.on_breach_of.join(", "));
    put(&mut facts, "consequence", provision.consequence.join(", "));
    if let Some(voiding) = &provision.voiding {
        facts.push(Fact::contested("voiding", voiding, condition));
    }
    put(&mut facts, "source", provision.citation.to_string());
    put(&mut facts, "note", provision.note.clone());
    Item {
        kind: "provision",
        id: provision.id.clone(),
        title: provision.title.get(language).to_owned(),
        text: provision.text.get(language).to_owned(),
        facts,
        concerns: who,
    }
}

fn thresholds(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |threshold: &crate::Threshold| {
        let standard = threshold.standard;
        let classes = list(&threshold.classes, ToString::to_string);
        let about = if classes.is_empty() { "every other class".to_owned() } else { classes };
        let mut facts =
            vec![Fact::contested("at least", &threshold.probability, |p| p.get().to_string())];
        put(&mut facts, "used for", threshold.used_for.get(language));
        put(&mut facts, "source", threshold.citation.to_string());
        Item {
            kind: "threshold",
            id: format!("{standard:?} {about}"),
            title: standard.title().to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        }
    };
    it.thresholds.iter().map(item).collect()
}

fn clocks(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |clock: &crate::Clock| {
        let mut facts = vec![
            Fact::contested("within", &clock.within, ToString::to_string),
            Fact::contested("anchor", &clock.anchor, ToString::to_string),
        ];
        if let Some(calendar) = &clock.calendar {
            let rest = list(&calendar.rest_days, |day| format!("{day:?}"));
            let without = if rest.is_empty() { String::new() } else { format!(", without {rest}") };
            put(&mut facts, "calendar", format!("{}{without}", calendar.zone));
        }
        put(
            &mut facts,
            "pauses",
            if clock.pauses.is_empty() {
                "nothing stops it".to_owned()
            } else {
                list(&clock.pauses, |reason| format!("{reason:?}").to_lowercase())
            },
        );
        if let Some(appeal) = &clock.appeal {
            let stops = if appeal.stops_clock { "stops" } else { "does not stop" };
            put(&mut facts, "appeal", format!("within {}; {stops} the clock", appeal.within));
        }
        put(&mut facts, "continuation", clock.continuation.clone().unwrap_or_default());
        put(&mut facts, "expansion", clock.expansion.clone().unwrap_or_default());
        put(&mut facts, "source", clock.citation.to_string());
        put(&mut facts, "note", clock.note.clone());
        Item {
            kind: "clock",
            id: clock.id.clone(),
            title: clock.title.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        }
    };
    it.clocks.iter().map(item).collect()
}

fn conditions(it: &Agreement, language: &str) -> Vec<Item> {
    let item = |named: &crate::NamedCondition| {
        let mut facts = vec![Fact::contested("test", &named.test, condition)];
        put(&mut facts, "source", named.citation.to_string());
        put(&mut facts, "note", named.note.clone());
        Item {
            kind: "condition",
            id: named.id.clone(),
            title: named.title.get(language).to_owned(),
            text: String::new(),
            facts,
            concerns: parties(it),
        }
    };
    it.conditions.iter().map(item).collect()
}
