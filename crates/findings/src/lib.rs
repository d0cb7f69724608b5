//! # findings: incidents held against provisions
//!
//! What this is: for every incident and every provision, under every reading,
//! how well the one fits the other: P(in force), P(in zone), and the legal
//! elements one by one as met with a probability or unknown with a reason.
//! Everything is given that the incident took place as reported. Nobody is
//! named: who did it is not a question of this room.
//!
//! What it may touch: nothing. Values in, values out.
//!
//! Entry point: [`Evaluator`]; [`compare`] for where readings or versions differ.
//!
//! ```
//! # let toml = "[agreement]\nid = \"t\"\nversion = 1\ntitle = \"T\"\n[[zone]]\nid = \"all\"\nname = \"all\"\nkind = \"everywhere\"\n[[provision]]\nid = \"P\"\ntitle = \"No fire\"\nacts = [\"A\"]\nzone = \"all\"\n[[provision.in_force]]\nfrom = 2030-01-01T00:00:00Z\nto = 2030-01-02T00:00:00Z\n";
//! let files = [("agreement.toml".to_string(), toml.as_bytes().to_vec())].into();
//! let agreement = agreement::package::parse(&files).unwrap();
//! let evaluator = findings::Evaluator::new(&agreement);
//! assert_eq!(evaluator.provisions().count(), 1);
//! ```

pub use agreement::Ground;
pub mod compare;

use agreement::evaluate::{Known, bits};
use agreement::{Agreement, Evaluated, EventTimes, Facts, Provision, Rule};
use domain::finding::{Element, Finding};
use domain::{Id, IdKind, Incident, Probability};

/// Below this probability of being in force or in the zone, and without any
/// share of a forbidden act, there is nothing to find.
const NEGLIGIBLE: f64 = 0.005;

/// An agreement, ready for incidents.
#[derive(Debug)]
pub struct Evaluator<'a> {
    elements: agreement::Evaluator<'a>,
    /// `id@version` of the agreement.
    reference: String,
}

impl<'a> Evaluator<'a> {
    /// Indexes the zones.
    pub fn new(agreement: &'a Agreement) -> Self {
        Self::assuming(agreement, EventTimes::new())
    }

    /// As [`Self::new`], taking declared events to be at these moments.
    pub fn assuming(agreement: &'a Agreement, assumed: EventTimes) -> Self {
        Self {
            elements: agreement::Evaluator::assuming(agreement, assumed),
            reference: agreement.reference(),
        }
    }

    /// The provisions it evaluates.
    pub fn provisions(&self) -> impl Iterator<Item = &Provision> {
        self.elements.agreement().provisions.iter()
    }

    /// The evaluation of elements behind it.
    pub const fn elements(&self) -> &agreement::Evaluator<'a> {
        &self.elements
    }

    /// All findings on one incident, in the order of provisions and readings:
    /// under every reading of every contested field, and where a zone is drawn
    /// differently for different parties, under every way of drawing it. A
    /// provision whose time in force is not known gives none.
    pub fn evaluate(&self, incident: &Incident, ground: &impl Ground) -> Vec<Finding> {
        let facts = facts(incident);
        let classes = bits(&incident.classes);
        let name = incident.id.to_string();
        let mut found = Vec::new();
        let mut known = Known::above(NEGLIGIBLE);
        for rule in self.elements.rules().flat_map(|(_, rules)| rules) {
            if !rule.touches(classes) || nothing(rule, incident, &mut known) {
                continue;
            }
            for evaluated in self.elements.evaluate_with(rule, &facts, ground, &mut known) {
                if evaluated.in_zone.is_none_or(|p| p.get() >= NEGLIGIBLE) {
                    found.push(self.finding(incident, &name, rule.provision, evaluated));
                }
            }
        }
        found
    }

    fn finding(
        &self,
        incident: &Incident,
        name: &str,
        provision: &Provision,
        evaluated: Evaluated,
    ) -> Finding {
        let parts = [name, &self.reference, &provision.id, &evaluated.reading];
        let id = Id::of(IdKind::Finding, &parts.map(str::as_bytes));
        let mut fit = Probability::ONE;
        let mut incomplete = false;
        let mut elements = Vec::with_capacity(evaluated.elements.len());
        for (name, truth) in evaluated.elements {
            fit = fit.and(truth.high());
            incomplete |= truth.is_open();
            elements.push(Element { name: name.to_owned(), met: truth.into() });
        }
        Finding {
            id,
            incident: incident.id,
            agreement: self.reference.clone(),
            provision: provision.id.clone(),
            reading: evaluated.reading,
            status: incident.status,
            in_force: evaluated.in_force.high(),
            in_zone: evaluated.in_zone,
            elements,
            fit,
            incomplete,
        }
    }
}

/// Whether there is nothing to find before one looks at the place. Where the
/// evidence names no object that the provision protects there is nothing:
/// otherwise every explosion of a war would be a candidate for a strike on a
/// power station.
fn nothing(rule: &Rule<'_>, incident: &Incident, known: &mut Known) -> bool {
    if rule.act(&incident.classes).get() < NEGLIGIBLE
        || rule.object(&incident.objects) == Some(false)
    {
        return true;
    }
    let in_force = rule.in_force_with(&incident.when, known);
    in_force.is_open() || in_force.high().get() < NEGLIGIBLE
}

/// What an incident tells. Weapon, height and notification where its evidence
/// does; no actor, and no steps of a procedure: those elements stay open.
pub fn facts(incident: &Incident) -> Facts<'_> {
    Facts {
        when: &incident.when,
        place: &incident.place,
        classes: &incident.classes,
        objects: &incident.objects,
        weapon: incident.particulars.weapon.as_ref(),
        height_m: incident.particulars.height_m,
        party: None,
        notified: incident.particulars.notified,
        procedure: None,
    }
}

#[cfg(test)]
mod tests;
