//! What an agreement says, in a form that can be evaluated.

use std::collections::BTreeMap;

use domain::{Class, Interval};
use jiff::Timestamp;
use serde::Deserialize;

use crate::alignment::Confirmation;
use crate::choice::{Choice, Fields};
use crate::citation::{Document, Localised};
use crate::clock::{Anchors, Clock};
use crate::commitment::{Commitment, Endorsement, Pledge};
use crate::condition::NamedCondition;
use crate::definition::Definition;
use crate::guarantor::{Guarantor, Rung};
use crate::inventory::{Inventory, Quota};
use crate::mechanism::Mechanism;
use crate::procedure::Procedure;
use crate::provision::{Bound, Kind, Provision, Term};
use crate::standard::{Standard, Threshold};
use crate::timeline::Event;
use crate::weapon::WeaponClass;
use crate::window::Window;
use crate::zone::{Line, Zone};

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
    /// The version that this one replaces.
    pub replaces: Option<Replaces>,
    /// Language of the version that decides.
    pub authoritative_language: String,
    /// Where the text can be read.
    pub citations: Vec<String>,
    /// What a reader must know about it.
    pub note: String,
    /// Documents that citations point into.
    pub documents: Vec<Document>,
    /// Who is bound.
    pub parties: Vec<Party>,
    /// Who stands behind it.
    pub guarantors: Vec<Guarantor>,
    /// Who looks.
    pub mechanism: Option<Mechanism>,
    /// What other things depend on.
    pub events: Vec<Event>,
    /// Defined terms.
    pub definitions: Vec<Definition>,
    /// Weapon classes.
    pub weapons: Vec<WeaponClass>,
    /// Lines from which zones are built.
    pub lines: Vec<Line>,
    /// Zones; one id may have several rows, each for a time, a party, a reading.
    pub zones: Vec<Zone>,
    /// Windows of silence.
    pub windows: Vec<Window>,
    /// What must have happened before something is permitted.
    pub procedures: Vec<Procedure>,
    /// The rules.
    pub provisions: Vec<Provision>,
    /// Clocks.
    pub clocks: Vec<Clock>,
    /// Conditions with a name.
    pub conditions: Vec<NamedCondition>,
    /// The agreement's own thresholds of the standards of proof.
    pub thresholds: Vec<Threshold>,
    /// How many weapons may be where.
    pub quotas: Vec<Quota>,
    /// Lists of what is stored.
    pub inventories: Vec<Inventory>,
    /// What guarantors promised.
    pub commitments: Vec<Commitment>,
    /// How far each guarantor has come.
    pub ladder: Vec<Rung>,
    /// Force, training, equipment and money.
    pub pledges: Vec<Pledge>,
    /// Support that binds nobody.
    pub endorsements: Vec<Endorsement>,
    /// Who confirmed which reading.
    pub confirmations: Vec<Confirmation>,
}

/// The version that another one replaces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replaces {
    /// Id of the agreement; mostly the same.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// What is different, in a sentence.
    #[serde(default)]
    pub note: String,
}

/// Somebody bound by provisions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// Moments of declared events that a user assumes or the record holds; they
/// come before what the package says.
pub type EventTimes = BTreeMap<String, Timestamp>;

impl Agreement {
    /// `id@version`, by which findings refer to it.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// A provision by its id.
    pub fn provision(&self, id: &str) -> Option<&Provision> {
        self.provisions.iter().find(|provision| provision.id == id)
    }

    /// A clock by its id.
    pub fn clock(&self, id: &str) -> Option<&Clock> {
        self.clocks.iter().find(|clock| clock.id == id)
    }

    /// A line by its id.
    pub fn line(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id)
    }

    /// The first row of a zone that holds at a moment.
    pub fn zone_at(&self, id: &str, moment: Timestamp) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.id == id && zone.valid.contains(moment))
    }

    /// The agreement's own threshold of a standard for a class, or for classes
    /// without one of their own; none if it has none.
    pub fn threshold(&self, standard: Standard, class: Option<Class>) -> Option<&Threshold> {
        let of_standard = self.thresholds.iter().filter(|one| one.standard == standard);
        // Of two that fit equally the first counts; lint refuses them.
        of_standard
            .filter_map(|one| Some((one.fits(class)?, one)))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, one)| one)
    }

    /// Least probability for a standard and a class as the strictest of the
    /// readings has it: where parties differ, nobody is found in breach by the
    /// laxer one. None if the agreement is silent.
    pub fn strictest_threshold(&self, standard: Standard, class: Option<Class>) -> Option<f64> {
        let readings = self.threshold(standard, class)?.probability.readings();
        readings.iter().map(|reading| reading.value.get()).reduce(f64::max)
    }

    /// The contested fields that a finding under a provision has to choose:
    /// its own, its zone's rows, and the moments of events on which it depends.
    pub fn fields_of(&self, provision: &Provision) -> Fields {
        let mut fields = provision.fields();
        let mut seen = Vec::new();
        for reading in provision.zone.readings() {
            let id = &reading.value;
            if !seen.contains(id) {
                seen.push(id.clone());
                let names = self
                    .zones
                    .iter()
                    .filter(|zone| zone.id == *id && !zone.reading.is_empty())
                    .map(|zone| zone.reading.clone());
                fields.add_names(&format!("zone {id}"), names);
            }
        }
        let mut events = Vec::new();
        for reading in provision.in_force.readings() {
            for bound in [&reading.value.from, &reading.value.to] {
                if let Bound::Event { event, .. } = bound
                    && !events.contains(event)
                {
                    events.push(event.clone());
                    if let Some(at) =
                        self.events.iter().find(|e| e.id == *event).and_then(|e| e.at.as_ref())
                    {
                        fields.add(&format!("event {event}"), at);
                    }
                }
            }
        }
        fields
    }

    /// When an event took place under a choice of readings.
    pub fn event_time(&self, id: &str, choice: &Choice, assumed: &EventTimes) -> Option<Timestamp> {
        if let Some(at) = assumed.get(id) {
            return Some(*at);
        }
        let event = self.events.iter().find(|event| event.id == id)?;
        let reading = event.at.as_ref()?.under(choice.of(&format!("event {id}")))?;
        Some(reading.value.0)
    }

    /// A time in force as an interval.
    ///
    /// # Errors
    /// Which event has no moment, in words.
    pub fn interval(
        &self,
        term: &Term,
        choice: &Choice,
        assumed: &EventTimes,
    ) -> Result<Interval, String> {
        let end = |bound: &Bound, open: Timestamp| match bound {
            Bound::Open => Ok(open),
            Bound::At(at) => Ok(*at),
            Bound::Event { event, after } => match self.event_time(event, choice, assumed) {
                Some(at) => Ok(after.map_or(at, |after| domain::Zone::utc().later(at, &after.0))),
                None => Err(format!("when \u{201c}{event}\u{201d} took place is not known")),
            },
        };
        let from = end(&term.from, Timestamp::MIN)?;
        let to = end(&term.to, Timestamp::MAX)?;
        Ok(Interval { from, to: to.max(from) })
    }

    /// When the use of fire is banned, under any choice of readings; a time of
    /// which an end is not known is left out.
    pub fn truces(&self) -> Vec<Interval> {
        let bans_fire = |provision: &&Provision| {
            provision.kind == Kind::Ban
                && provision
                    .acts
                    .readings()
                    .iter()
                    .any(|reading| reading.value.iter().any(|act| act.matches(Class::A13)))
        };
        let mut truces: Vec<Interval> = self
            .provisions
            .iter()
            .filter(bans_fire)
            .flat_map(|provision| {
                self.fields_of(provision).choices().into_iter().filter_map(|choice| {
                    let term = &provision.in_force.under(choice.of("in_force"))?.value;
                    self.interval(term, &choice, &EventTimes::new()).ok()
                })
            })
            .collect();
        truces.sort_unstable();
        truces.dedup();
        truces
    }

    /// The anchors that declared events give, with those of an incident.
    pub fn anchors(&self, own: &Anchors, assumed: &EventTimes) -> Anchors {
        let mut anchors = own.clone();
        for event in &self.events {
            if let Some(at) = self.event_time(&event.id, &Choice::default(), assumed) {
                anchors.0.insert(crate::clock::Anchor::Event(event.id.clone()), at);
            }
        }
        anchors
    }
}
