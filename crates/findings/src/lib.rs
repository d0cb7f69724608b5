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
//! Entry point: [`Evaluator`].
//!
//! ```
//! # let toml = "[agreement]\nid = \"t\"\nversion = 1\ntitle = \"T\"\n[[zone]]\nid = \"all\"\nname = \"all\"\nkind = \"everywhere\"\n[[provision]]\nid = \"P\"\ntitle = \"No fire\"\nacts = [\"A\"]\nzone = \"all\"\n[[provision.in_force]]\nfrom = 2030-01-01T00:00:00Z\nto = 2030-01-02T00:00:00Z\n";
//! let files = [("agreement.toml".to_string(), toml.as_bytes().to_vec())].into();
//! let agreement = agreement::package::parse(&files).unwrap();
//! let evaluator = findings::Evaluator::new(&agreement);
//! assert_eq!(evaluator.provisions().count(), 1);
//! ```

use std::collections::BTreeMap;

use agreement::{Agreement, Geometry, InForce, Provision};
use domain::finding::{Element, Finding, Met};
use domain::{Area, ControlState, Id, IdKind, Incident, LatLon, Probability};
use jiff::Timestamp;

/// Below this probability of being in force or in the zone, and without any
/// share of a forbidden act, there is nothing to find.
const NEGLIGIBLE: f64 = 0.005;

/// What findings need to know of the ground.
pub trait Ground {
    /// Points of equal weight over an administrative unit.
    fn samples(&self, unit: &str) -> Vec<LatLon>;

    /// The map of a source that holds at a moment.
    fn control(&self, source: &str, moment: Timestamp) -> Option<&ControlState>;
}

/// An agreement with its zones indexed.
#[derive(Debug)]
pub struct Evaluator<'a> {
    agreement: &'a Agreement,
    /// By index into the agreement's zones.
    areas: BTreeMap<usize, Area>,
}

impl<'a> Evaluator<'a> {
    /// Indexes the zones.
    pub fn new(agreement: &'a Agreement) -> Self {
        let areas = agreement
            .zones
            .iter()
            .enumerate()
            .filter_map(|(index, zone)| match &zone.geometry {
                Geometry::Polygons { polygons, accuracy_m } => {
                    Some((index, Area::new(polygons, *accuracy_m)))
                }
                _ => None,
            })
            .collect();
        Self { agreement, areas }
    }

    /// The provisions it evaluates.
    pub fn provisions(&self) -> impl Iterator<Item = &Provision> {
        self.agreement.provisions.iter()
    }

    /// All findings on one incident, in the order of provisions and readings.
    pub fn evaluate(&self, incident: &Incident, ground: &impl Ground) -> Vec<Finding> {
        let mut found = Vec::new();
        for provision in &self.agreement.provisions {
            let act = incident.share_of(|class| provision.forbids(class));
            if act.get() < NEGLIGIBLE || !names_object(provision, incident) {
                continue;
            }
            for term in &provision.in_force {
                let in_force = term.probability(&incident.when);
                if in_force.get() < NEGLIGIBLE {
                    continue;
                }
                let in_zone = self.in_zone(provision, incident, ground);
                if in_zone.is_some_and(|p| p.get() < NEGLIGIBLE) {
                    continue;
                }
                found.push(self.finding(incident, provision, term, act, in_force, in_zone));
            }
        }
        found
    }

    fn finding(
        &self,
        incident: &Incident,
        provision: &Provision,
        term: &InForce,
        act: Probability,
        in_force: Probability,
        in_zone: Option<Probability>,
    ) -> Finding {
        let element = |name: &str, met: Met| Element { name: name.to_owned(), met };
        let mut elements = vec![element("act", Met::Probably(act))];
        if !provision.objects.is_empty() {
            // It is named, or there would be no finding.
            elements.push(element("object", Met::Probably(Probability::ONE)));
        }
        elements.push(element(
            "zone",
            in_zone.map_or_else(|| unknown("the place is not known"), Met::Probably),
        ));
        elements.push(element("time", Met::Probably(in_force)));
        if !provision.exceptions.is_empty() {
            let because = "the record holds no notifications or permissions to check against";
            elements.push(element("exceptions", unknown(because)));
        }
        let mut fit = Probability::ONE;
        let mut incomplete = false;
        for element in &elements {
            match element.met {
                Met::Probably(p) => fit = fit.and(p),
                Met::Unknown { .. } => incomplete = true,
            }
        }
        let agreement = self.agreement.reference();
        let parts =
            [incident.id.to_string(), agreement, provision.id.clone(), term.reading.clone()];
        let id = Id::of(IdKind::Finding, &parts.each_ref().map(std::string::String::as_bytes));
        let [_, agreement, provision, reading] = parts;
        Finding {
            id,
            incident: incident.id,
            agreement,
            provision,
            reading,
            status: incident.status,
            in_force,
            in_zone,
            elements,
            fit,
            incomplete,
        }
    }

    /// P(the incident lies in the provision's zone), with the version of the
    /// zone and the map that hold in the middle of its time.
    fn in_zone(
        &self,
        provision: &Provision,
        incident: &Incident,
        ground: &impl Ground,
    ) -> Option<Probability> {
        let moment = incident.when.span.middle();
        let (index, zone) = self
            .agreement
            .zones
            .iter()
            .enumerate()
            .find(|(_, zone)| zone.id == provision.zone && zone.valid.contains(moment))?;
        let samples = |unit: &str| ground.samples(unit);
        match &zone.geometry {
            Geometry::Everywhere => Some(Probability::ONE),
            Geometry::Polygons { .. } => self.areas[&index].probability(&incident.place, samples),
            Geometry::NearLine { line, within_m, accuracy_m } => ground
                .control(line, moment)?
                .probability_near(&incident.place, *within_m, *accuracy_m, samples),
        }
    }
}

fn unknown(because: impl Into<String>) -> Met {
    Met::Unknown { because: because.into() }
}

/// Whether the evidence names an object that the provision protects. Where it
/// names none there is nothing to find: otherwise every explosion of a war
/// would be a candidate for a strike on a power station.
fn names_object(provision: &Provision, incident: &Incident) -> bool {
    provision.objects.is_empty()
        || incident.objects.iter().any(|object| provision.objects.contains(object))
}

#[cfg(test)]
mod tests;
