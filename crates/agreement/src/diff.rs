//! Two versions of an agreement, clause by clause: what changed, and for whom.

use crate::describe::{Fact, Item, Sheet, Value};

/// What happened to an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is new.
    Added(Item),
    /// It is gone.
    Removed(Item),
    /// It says something else.
    Changed {
        /// What it says now.
        now: Item,
        /// Field by field.
        fields: Vec<FieldChange>,
    },
}

/// A field that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The field.
    pub name: String,
    /// What it said; empty if it was not there.
    pub before: Vec<Value>,
    /// What it says; empty if it is no longer there.
    pub after: Vec<Value>,
}

impl Change {
    /// The item.
    pub const fn item(&self) -> &Item {
        match self {
            Self::Added(item) | Self::Removed(item) | Self::Changed { now: item, .. } => item,
        }
    }
}

/// What is different in `new`, in its order, then what is gone.
pub fn diff(old: &Sheet, new: &Sheet) -> Vec<Change> {
    let key = |item: &Item, sheet: &Sheet| {
        // A zone has several rows of one id: told apart by their number.
        let same = |other: &&Item| other.kind == item.kind && other.id == item.id;
        let number =
            sheet.items().take_while(|other| !std::ptr::eq(*other, item)).filter(same).count();
        (item.kind, item.id.clone(), number)
    };
    let mut changes = Vec::new();
    for now in new.items() {
        let wanted = key(now, new);
        match old.items().find(|before| key(before, old) == wanted) {
            None => changes.push(Change::Added(now.clone())),
            Some(before) => {
                let fields = fields(before, now);
                if !fields.is_empty() {
                    changes.push(Change::Changed { now: now.clone(), fields });
                }
            }
        }
    }
    for before in old.items() {
        let wanted = key(before, old);
        if !new.items().any(|now| key(now, new) == wanted) {
            changes.push(Change::Removed(before.clone()));
        }
    }
    changes
}

fn fields(before: &Item, now: &Item) -> Vec<FieldChange> {
    let whole = |item: &Item| -> Vec<Fact> {
        let value = |text: &str| Value {
            reading: String::new(),
            parties: Vec::new(),
            text: text.to_owned(),
            citation: String::new(),
        };
        let mut facts = vec![
            Fact { name: "title", values: vec![value(&item.title)] },
            Fact { name: "wording", values: vec![value(&item.text)] },
        ];
        facts.extend(item.facts.iter().filter(|fact| fact.name != "source").cloned());
        facts
    };
    let (old, new) = (whole(before), whole(now));
    let mut names: Vec<&str> = Vec::new();
    for fact in old.iter().chain(&new) {
        if !names.contains(&fact.name) {
            names.push(fact.name);
        }
    }
    let values = |facts: &[Fact], name: &str| -> Vec<Value> {
        let of_name = facts.iter().filter(|fact| fact.name == name);
        // Where it is laid down is not what it says.
        of_name
            .flat_map(|fact| fact.values.clone())
            .map(|value| Value { citation: String::new(), ..value })
            .collect()
    };
    names
        .into_iter()
        .filter_map(|name| {
            let (before, after) = (values(&old, name), values(&new, name));
            (before != after).then(|| FieldChange { name: name.to_owned(), before, after })
        })
        .collect()
}
