//! How tests and scenarios are written.

use std::collections::BTreeMap;

use domain::incident::ClassShare;
use domain::{Class, Extent, Interval, Occurrence, Probability, Zone};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;
use strict::Spanned;

use crate::clock::PauseReason;
use crate::standard::{Severity, Standard};
use crate::timeline::{At, Happening};
use crate::weapon::WeaponSeen;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestFile {
    /// Maps of sources that give a line of the day: source -> file of the package.
    #[serde(default)]
    pub(super) ground: BTreeMap<String, Spanned<String>>,
    /// Declared events that all tests of the file take to be at these moments.
    #[serde(default)]
    pub(super) assume: BTreeMap<String, At>,
    #[serde(default, rename = "match")]
    pub(super) matches: Vec<Spanned<Match>>,
    #[serde(default)]
    pub(super) deadline: Vec<Spanned<Due>>,
    #[serde(default)]
    pub(super) trigger: Vec<Spanned<Triggered>>,
    #[serde(default)]
    pub(super) weapon: Vec<Spanned<Covered>>,
    #[serde(default)]
    pub(super) aligned: Vec<Spanned<Aligned>>,
    /// If there is one, they are all that lint says.
    #[serde(default)]
    pub(super) warning: Vec<Spanned<Warned>>,
}

/// What is expected of something with a probability.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expect {
    /// At least 0.95.
    Match,
    /// At most 0.05.
    NoMatch,
    /// It cannot be told.
    Open,
    /// Inside `probability`.
    Probability,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) name: String,
    pub(super) provision: String,
    /// Only under this reading; without it, under every one.
    pub(super) reading: Option<String>,
    pub(super) at: Option<At>,
    #[serde(default)]
    pub(super) sigma_s: f64,
    pub(super) day: Option<Date>,
    pub(super) zone: Option<Zone>,
    pub(super) place: Option<(f64, f64)>,
    #[serde(default)]
    pub(super) error_m: f64,
    pub(super) class: Class,
    #[serde(default)]
    pub(super) objects: Vec<String>,
    pub(super) weapon: Option<WeaponSeen>,
    pub(super) party: Option<String>,
    pub(super) height_m: Option<f64>,
    #[serde(default)]
    pub(super) height_error_m: f64,
    pub(super) notified: Option<bool>,
    pub(super) steps: Option<Vec<StepIn>>,
    #[serde(default = "yes")]
    pub(super) record_complete: bool,
    pub(super) expect: Expect,
    pub(super) probability: Option<(f64, f64)>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StepIn {
    pub(super) on: String,
    pub(super) at: At,
    #[serde(default)]
    pub(super) sigma_s: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Due {
    pub(super) name: String,
    pub(super) clock: String,
    pub(super) reading: Option<String>,
    #[serde(default)]
    pub(super) anchors: BTreeMap<String, At>,
    #[serde(default)]
    pub(super) pauses: Vec<PauseIn>,
    /// When it ends; without it, it must not have started.
    pub(super) due: Option<At>,
    pub(super) filed: Option<At>,
    pub(super) late: Option<bool>,
    /// How many different deadlines there are over all readings.
    pub(super) different: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PauseIn {
    pub(super) reason: PauseReason,
    pub(super) from: At,
    pub(super) to: At,
}

/// Which condition of a clause.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asked {
    /// The commitment is called: active, triggered, not void.
    Called,
    Activation,
    Trigger,
    Voiding,
    /// A named condition.
    Condition,
    /// What frees from a provision.
    ProvisionVoiding,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Triggered {
    pub(super) name: String,
    pub(super) clause: String,
    pub(super) asked: Asked,
    pub(super) reading: Option<String>,
    pub(super) as_of: At,
    #[serde(default)]
    pub(super) events: BTreeMap<String, At>,
    #[serde(default)]
    pub(super) happening: Vec<HappeningIn>,
    pub(super) expect: Expect,
    pub(super) probability: Option<(f64, f64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Covered {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) seen: Option<WeaponSeen>,
    pub(super) expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Aligned {
    pub(super) name: String,
    pub(super) clause: String,
    pub(super) expect: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Warned {
    pub(super) code: String,
    pub(super) on: String,
    /// How many of the kind; 1 if not said.
    #[serde(default = "one")]
    pub(super) count: i64,
}

const fn one() -> i64 {
    1
}

/// A timeline, as people write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is about, in a sentence.
    #[serde(default)]
    pub title: String,
    /// The moment as of which conditions are evaluated.
    pub as_of: At,
    /// Declared events.
    #[serde(default)]
    pub events: BTreeMap<String, At>,
    /// What clocks count from.
    #[serde(default)]
    pub anchors: BTreeMap<String, At>,
    /// Incidents.
    #[serde(default)]
    pub happening: Vec<HappeningIn>,
}

/// An incident, as people write it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HappeningIn {
    /// Its name in the scenario.
    pub id: String,
    /// When.
    pub at: At,
    /// Clock error, one standard deviation, seconds.
    #[serde(default)]
    pub sigma_s: f64,
    /// What it was.
    pub class: Class,
    /// Who did it, by an attribution.
    pub by: Option<String>,
    /// With what probability.
    pub by_probability: Option<Probability>,
    /// How grave.
    pub severity: Option<Severity>,
    /// The standard of proof reached.
    pub standard: Standard,
    /// Provisions that it breaches.
    #[serde(default)]
    pub breaches: Vec<String>,
    /// Part of the front.
    pub sector: Option<String>,
    /// Zones in which it lies.
    #[serde(default)]
    pub zones: Vec<String>,
}

/// Something that takes place at a moment.
pub(super) fn occurrence(at: Timestamp, sigma_s: f64) -> Occurrence {
    Occurrence { span: Interval::at(at), sigma_s, extent: Extent::Once }
}

impl HappeningIn {
    /// As conditions see it.
    pub fn happening(&self) -> Happening {
        let sure = |ids: &[String]| ids.iter().map(|id| (id.clone(), Probability::ONE)).collect();
        Happening {
            id: self.id.clone(),
            when: occurrence(self.at.0, self.sigma_s),
            classes: vec![ClassShare { class: self.class, share: Probability::ONE }],
            severity: self.severity,
            standard: self.standard,
            breaches: sure(&self.breaches),
            by: self
                .by
                .as_ref()
                .map(|by| (by.clone(), self.by_probability.unwrap_or(Probability::ONE))),
            sector: self.sector.clone(),
            zones: sure(&self.zones),
        }
    }
}

impl Scenario {
    /// As a timeline.
    pub fn timeline(&self) -> crate::Timeline {
        timeline(self.as_of, &self.events, &self.happening)
    }
}

pub(super) fn timeline(
    as_of: At,
    events: &BTreeMap<String, At>,
    happening: &[HappeningIn],
) -> crate::Timeline {
    crate::Timeline {
        as_of: as_of.0,
        events: events.iter().map(|(id, at)| (id.clone(), at.0)).collect(),
        happenings: happening.iter().map(HappeningIn::happening).collect(),
    }
}
