//! Provisions: citable rules with their legal elements.

use domain::taxonomy::{Class, ClassPattern};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::choice::Fields;
use crate::citation::{Citation, Localised};
use crate::clock::Length;
use crate::condition::Condition;
use crate::mechanism::Means;
use crate::reading::Contested;
use crate::standard::{Severity, Standard};

/// What a provision does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It forbids.
    #[default]
    Ban,
    /// It obliges: what is found is the failure.
    Duty,
    /// It permits.
    Permission,
}

impl Kind {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Duty => "duty",
            Self::Permission => "permission",
        }
    }
}

/// When something belongs, seen from entry into force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before.
    Before,
    /// From that moment on.
    #[default]
    At,
    /// Some time after it.
    After,
}

impl Phase {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Before => "before entry into force",
            Self::At => "from entry into force",
            Self::After => "after entry into force",
        }
    }
}

/// An end of a time in force.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// No such end is stated.
    Open,
    /// A moment.
    At(Timestamp),
    /// So long after a declared event.
    Event {
        /// The event.
        event: String,
        /// How long after; none: at once.
        after: Option<Length>,
    },
}

/// A time in force under one reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// First moment.
    pub from: Bound,
    /// Moment after the last.
    pub to: Bound,
}

/// Conduct that a provision does not forbid after all.
#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// The class that it would be.
    pub act: ClassPattern,
    /// In words.
    pub text: Localised,
    /// The procedure that must have been gone through; none: a notification.
    pub procedure: Option<String>,
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
    /// What it does.
    pub kind: Kind,
    /// Who is bound; empty: every party.
    pub who: Vec<String>,
    /// What is forbidden; for a duty, the failure.
    pub acts: Contested<Vec<ClassPattern>>,
    /// Tags of protected objects; empty if it does not depend on the object.
    pub objects: Contested<Vec<String>>,
    /// Weapon classes; empty if it does not depend on the weapon.
    pub weapons: Contested<Vec<String>>,
    /// Where.
    pub zone: Contested<String>,
    /// Windows inside which alone it applies; empty: at any time in force.
    pub windows: Vec<String>,
    /// What is allowed all the same.
    pub exceptions: Vec<Exception>,
    /// When, under each reading.
    pub in_force: Contested<Term>,
    /// When it belongs.
    pub phase: Phase,
    /// How grave a breach is; none if the text does not say.
    pub severity: Option<Contested<Severity>>,
    /// How sure one must be; none if the text does not say.
    pub standard: Option<Contested<Standard>>,
    /// What can show a breach.
    pub evidence: Vec<Means>,
    /// The body that verifies; none if the text does not say.
    pub verified_by: Option<String>,
    /// By when, for a duty: a clock.
    pub clock: Option<String>,
    /// Provisions whose breach makes this a duty.
    pub on_breach_of: Vec<String>,
    /// What follows: ids of provisions or commitments.
    pub consequence: Vec<String>,
    /// What frees the parties from it.
    pub voiding: Option<Contested<Condition>>,
    /// Where the wording comes from.
    pub citation: Citation,
    /// What a reader must know.
    pub note: String,
}

impl Provision {
    /// Whether the act falls under the provision under some reading.
    pub fn forbids(&self, class: Class) -> bool {
        self.acts
            .readings()
            .iter()
            .any(|reading| reading.value.iter().any(|act| act.matches(class)))
    }

    /// Its own contested fields: what a finding has to choose.
    pub fn fields(&self) -> Fields {
        let mut fields = Fields::default();
        fields.add("in_force", &self.in_force);
        fields.add("acts", &self.acts);
        fields.add("objects", &self.objects);
        fields.add("weapons", &self.weapons);
        fields.add("zone", &self.zone);
        fields
    }
}
