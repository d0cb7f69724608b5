//! Counting, by one rule everywhere: signatures, incidents and verified
//! violations are three numbers that are never mixed, and what an incident
//! rests on and how finely it is placed is always told.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::place::Precision;
use domain::state::{Period, State};
use domain::{Basis, Class, Finding, Incident};
use jiff::civil::Date;
use serde::Serialize;

/// Incidents, counted in three ways; each adds up to the total.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IncidentCounts {
    /// All of them.
    pub total: u64,
    /// How many different occurrences stand behind them by what their sources
    /// are worth: the sum of P(it took place) × P(it is no other incident).
    pub expected: f64,
    /// By best supported class.
    pub by_class: BTreeMap<Class, u64>,
    /// By what they rest on.
    pub by_basis: BTreeMap<Basis, u64>,
    /// By how finely they are placed.
    pub by_precision: BTreeMap<Precision, u64>,
}

impl IncidentCounts {
    /// Takes up an incident.
    pub fn add(&mut self, incident: &Incident) {
        self.total += 1;
        let belief = &incident.belief;
        let one = belief.probability.and(belief.distinct).get();
        self.expected = domain::probability::rounded(self.expected + one, 6);
        *self.by_class.entry(incident.class()).or_default() += 1;
        *self.by_basis.entry(incident.basis()).or_default() += 1;
        *self.by_precision.entry(incident.place.precision()).or_default() += 1;
    }
}

/// Findings, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Pairs of an incident and a provision under a reading.
    pub total: u64,
    /// Incidents with at least one finding.
    pub incidents: u64,
    /// By best supported class of the incident.
    pub by_class: BTreeMap<Class, u64>,
    /// By provision, and reading where it is contested.
    pub by_provision: BTreeMap<String, u64>,
    /// How many incidents fit a provision if their fits are added up: a sum of
    /// probabilities, given that the incidents took place as reported.
    pub expected_by_provision: BTreeMap<String, f64>,
}

/// The name under which a provision is counted under a reading.
pub fn provision_name(finding: &Finding) -> String {
    if finding.reading.is_empty() {
        finding.provision.clone()
    } else {
        format!("{} ({})", finding.provision, finding.reading)
    }
}

impl FindingCounts {
    /// Takes up the findings on one incident.
    pub fn add(&mut self, incident: &Incident, findings: &[&Finding]) {
        if findings.is_empty() {
            return;
        }
        self.incidents += 1;
        for finding in findings {
            self.total += 1;
            *self.by_class.entry(incident.class()).or_default() += 1;
            let name = provision_name(finding);
            *self.by_provision.entry(name.clone()).or_default() += 1;
            let expected = self.expected_by_provision.entry(name).or_default();
            *expected = domain::probability::rounded(*expected + finding.fit.get(), 6);
        }
    }
}

/// Incidents with the findings on them, by id.
#[derive(Debug)]
pub struct Counted<'s> {
    state: &'s State,
    findings: BTreeMap<domain::Id, Vec<&'s Finding>>,
}

impl<'s> Counted<'s> {
    /// Indexes the findings of a state.
    pub fn new(state: &'s State) -> Self {
        let mut findings: BTreeMap<domain::Id, Vec<&Finding>> = BTreeMap::new();
        for finding in &state.findings {
            findings.entry(finding.incident).or_default().push(finding);
        }
        Self { state, findings }
    }

    /// The findings on an incident.
    pub fn findings(&self, incident: &Incident) -> &[&'s Finding] {
        self.findings.get(&incident.id).map_or(&[], Vec::as_slice)
    }

    /// The incidents of a day, in order of time.
    pub fn of_day(&self, day: Date) -> impl Iterator<Item = &'s Incident> {
        self.state.incidents.iter().filter(move |incident| self.state.day_of(incident) == day)
    }

    /// Counts of a day.
    pub fn day(&self, day: Date) -> (IncidentCounts, FindingCounts) {
        self.count(self.of_day(day))
    }

    /// Counts of some incidents.
    pub fn count<'i>(
        &self,
        incidents: impl Iterator<Item = &'i Incident>,
    ) -> (IncidentCounts, FindingCounts) {
        let (mut counts, mut found) = (IncidentCounts::default(), FindingCounts::default());
        for incident in incidents {
            counts.add(incident);
            found.add(incident, self.findings(incident));
        }
        (counts, found)
    }

    /// The period in which an incident most probably took place; `None` if it
    /// lies outside all of them.
    pub fn period(&self, incident: &Incident) -> Option<Period> {
        let window = &self.state.facts.window;
        let p = |period: Period| incident.when.probability_within(&window.period(period)).get();
        let likely = Period::ALL.into_iter().max_by(|a, b| p(*a).total_cmp(&p(*b)))?;
        (p(likely) > 0.0).then_some(likely)
    }

    /// The word for a source's effort on a day.
    pub fn effort(&self, source: &str, day: Date) -> Option<DayState> {
        Some(self.state.source(source)?.days.get(&day)?.effort.state)
    }
}
