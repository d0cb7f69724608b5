//! An agreement in words, item by item and fact by fact: what the page, the
//! terminal, the diff and the digest of a clause are made from.

mod items;
mod people;
mod words;

pub use words::{bound, condition, number};

use crate::model::Agreement;
use crate::reading::Contested;

/// The whole, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// `id@version`.
    pub reference: String,
    /// Name.
    pub title: String,
    /// What it is, who it is between, what it replaces.
    pub facts: Vec<Fact>,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// Items of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// One sentence on what these are.
    pub about: &'static str,
    /// The items.
    pub items: Vec<Item>,
}

/// A provision, a commitment, a zone, ...
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is: `provision`, `commitment`, ...
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its wording; empty if it has none.
    pub text: String,
    /// What it says.
    pub facts: Vec<Fact>,
    /// Ids of parties and guarantors whom a change concerns.
    pub concerns: Vec<String>,
}

/// A named fact, with one value or with several readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The name of the field, as in the package.
    pub name: &'static str,
    /// Its value, or each reading of it.
    pub values: Vec<Value>,
}

/// A value in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// The reading; empty if nothing is contested.
    pub reading: String,
    /// Who reads it so.
    pub parties: Vec<String>,
    /// The value.
    pub text: String,
    /// Where it is laid down.
    pub citation: String,
}

impl Fact {
    /// A fact with one value.
    pub fn plain(name: &'static str, text: impl Into<String>) -> Self {
        let (reading, parties, citation) = (String::new(), Vec::new(), String::new());
        Self { name, values: vec![Value { reading, parties, text: text.into(), citation }] }
    }

    fn contested<T>(
        name: &'static str,
        field: &Contested<T>,
        words: impl Fn(&T) -> String,
    ) -> Self {
        let value = |reading: &crate::Reading<T>| Value {
            reading: reading.name.clone(),
            parties: reading.parties.clone(),
            text: words(&reading.value),
            citation: reading.citation.to_string(),
        };
        Self { name, values: field.readings().iter().map(value).collect() }
    }

    /// True if it has several readings.
    pub fn is_contested(&self) -> bool {
        self.values.len() > 1
    }
}

/// Adds a fact unless its text is empty.
fn put(facts: &mut Vec<Fact>, name: &'static str, text: impl Into<String>) {
    let text = text.into();
    if !text.is_empty() {
        facts.push(Fact::plain(name, text));
    }
}

/// The whole agreement in words, in a language where it has one.
pub fn sheet(it: &Agreement, language: &str) -> Sheet {
    let mut facts = Vec::new();
    put(&mut facts, "status", it.status.clone());
    let parties: Vec<String> = it
        .parties
        .iter()
        .map(|party| format!("{} ({})", party.name.get(language), party.id))
        .collect();
    put(&mut facts, "parties", parties.join(", "));
    if let Some(replaces) = &it.replaces {
        let note =
            if replaces.note.is_empty() { String::new() } else { format!(": {}", replaces.note) };
        put(&mut facts, "replaces", format!("{}@{}{note}", replaces.id, replaces.version));
    }
    put(&mut facts, "authoritative language", it.authoritative_language.clone());
    put(&mut facts, "sources", it.citations.join("; "));
    put(&mut facts, "note", it.note.clone());
    let mut sections = people::before(it, language);
    sections.extend(items::sections(it, language));
    sections.extend(people::after(it, language));
    sections.retain(|section| !section.items.is_empty());
    Sheet { reference: it.reference(), title: it.title.get(language).to_owned(), facts, sections }
}

impl Sheet {
    /// All items, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|section| &section.items)
    }

    /// An item by its id.
    pub fn item(&self, id: &str) -> Option<&Item> {
        self.items().find(|item| item.id == id)
    }
}

impl Item {
    /// True if one of its fields is contested.
    pub fn is_contested(&self) -> bool {
        self.facts.iter().any(Fact::is_contested)
    }

    /// The digest by which confirmations name the clause as it stands: SHA-256
    /// over title, wording and facts, in hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut bytes = Vec::new();
        let mut part = |text: &str| {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        };
        for text in [self.kind, &self.id, &self.title, &self.text] {
            part(text);
        }
        for fact in &self.facts {
            // Notes and sources explain the clause; they are not the clause.
            if matches!(fact.name, "note" | "source" | "alignment" | "quoted") {
                continue;
            }
            part(fact.name);
            for value in &fact.values {
                part(&value.reading);
                part(&value.text);
            }
        }
        domain::state::digest(&bytes)
    }
}

/// The digest of a clause by its id.
pub fn clause_digest(it: &Agreement, id: &str) -> Option<String> {
    sheet(it, "en").item(id).map(Item::digest)
}
