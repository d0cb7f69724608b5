//! What an agreement says, in a form that can be evaluated.

use std::collections::BTreeMap;

use domain::area::Rings;
use domain::taxonomy::{Class, ClassPattern};
use domain::{Interval, Occurrence, Probability};
use serde::Deserialize;

/// A text in several languages, by language code.
///
/// In a package either a plain string, taken as English, or a table
/// `{ en = "...", uk = "..." }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localised(pub BTreeMap<String, String>);

impl Localised {
    /// The text in a language, else in English, else in any.
    pub fn get(&self, language: &str) -> &str {
        self.0
            .get(language)
            .or_else(|| self.0.get("en"))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }
}

impl<'de> Deserialize<'de> for Localised {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(String),
            ByLanguage(BTreeMap<String, String>),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Plain(text) => BTreeMap::from([("en".to_owned(), text)]),
            Either::ByLanguage(texts) => texts,
        }))
    }
}

/// A versioned agreement.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreement {
    /// Never reused.
    pub id: String,
    /// Counts up; what a finding refers to.
    pub version: u32,
    /// Name.
    pub title: Localised,
    /// As stated: draft, declared, signed, ...
    pub status: String,
    /// Language of the version that decides.
    pub authoritative_language: String,
    /// Where the text can be read.
    pub citations: Vec<String>,
    /// What a reader must know about it.
    pub note: String,
    /// Who is bound.
    pub parties: Vec<Party>,
    /// Defined terms.
    pub definitions: Vec<Term>,
    /// Zones; one id may have several, each valid for a time.
    pub zones: Vec<Zone>,
    /// The rules.
    pub provisions: Vec<Provision>,
}

/// Somebody bound by provisions.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
}

/// A defined term.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The word.
    pub term: String,
    /// Its meaning.
    pub text: Localised,
    /// Where it is defined.
    pub citation: String,
}

/// An area in which provisions apply, for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// What it covers.
    pub geometry: Geometry,
    /// While this version of the zone holds.
    pub valid: Interval,
    /// Where it is laid down.
    pub citation: String,
}

/// What a zone covers.
#[derive(Clone, Debug, PartialEq)]
pub enum Geometry {
    /// No limit is stated.
    Everywhere,
    /// Polygons whose boundary has an error.
    Polygons {
        /// The polygons.
        polygons: Vec<Rings>,
        /// One standard deviation of the boundary, metres.
        accuracy_m: f64,
    },
    /// The ground on both sides of the line of contact of the day.
    NearLine {
        /// Id of the source whose map gives the line.
        line: String,
        /// Distance from the line, metres.
        within_m: f64,
        /// One standard deviation of the line, metres.
        accuracy_m: f64,
    },
}

/// A time in force under one reading.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// Name of the reading; empty if nothing is contested.
    pub reading: String,
    /// From and to.
    pub interval: Interval,
    /// Who reads it so, and where.
    pub citation: String,
}

/// Conduct that a provision does not forbid after all.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// The class that it would be.
    pub act: ClassPattern,
    /// In words.
    pub text: Localised,
}

/// One citable rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Provision {
    /// Never reused.
    pub id: String,
    /// Short name.
    pub title: Localised,
    /// Wording, by language.
    pub text: Localised,
    /// What is forbidden.
    pub acts: Vec<ClassPattern>,
    /// Tags of protected objects; empty if it does not depend on the object.
    pub objects: Vec<String>,
    /// Where.
    pub zone: String,
    /// What is allowed all the same.
    pub exceptions: Vec<Exception>,
    /// When, under each reading.
    pub in_force: Vec<InForce>,
    /// Where the wording comes from.
    pub citation: String,
    /// What a reader must know.
    pub note: String,
}

impl Agreement {
    /// `id@version`, by which findings refer to it.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// The version of a zone that holds at a moment.
    pub fn zone_at(&self, id: &str, moment: jiff::Timestamp) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id && zone.valid.contains(moment))
    }
}

impl Provision {
    /// Whether the act falls under the provision.
    pub fn forbids(&self, class: Class) -> bool {
        self.acts.iter().any(|act| act.matches(class))
    }
}

impl InForce {
    /// P(the provision was in force when it happened).
    pub fn probability(&self, when: &Occurrence) -> Probability {
        when.probability_within(&self.interval)
    }
}
