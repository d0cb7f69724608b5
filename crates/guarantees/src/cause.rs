//! What can call a commitment: a verified finding, with the moments that
//! clocks count from.

use std::collections::BTreeMap;

use agreement::{Anchor, Anchors, Happening, Standard, Timeline};
use domain::case::{Case, Grade, Ruling, Step};
use domain::{Finding, Id, Incident, Probability, State};
use jiff::Timestamp;

/// A finding that was verified at some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The finding.
    pub finding: Id,
    /// From when on it counts: its decision.
    pub from: Timestamp,
    /// Until when, and why not after; none while it stands.
    pub until: Option<(Timestamp, String)>,
    /// As a condition sees it, without an actor.
    pub happening: Happening,
    /// From when on a published attribution names an actor, and whom.
    pub named: Option<(Timestamp, String)>,
    /// What its clocks count from.
    pub anchors: Anchors,
}

impl Cause {
    /// Everything of a state that can call a commitment, in order of time.
    pub fn all(state: &State) -> Vec<Self> {
        let mut causes: Vec<Self> =
            state.cases.iter().filter_map(|case| Self::of(state, case)).collect();
        causes.sort_by_key(|cause| (cause.from, cause.finding));
        causes
    }

    fn of(state: &State, case: &Case) -> Option<Self> {
        let decision = case.decision.as_ref().filter(|one| one.ruling == Ruling::Verified)?;
        let finding = state.findings.iter().find(|finding| finding.id == case.finding)?;
        let incident = state.incidents.iter().find(|incident| incident.id == case.incident)?;
        let until = match (&case.retracted, case.doubt.is_empty()) {
            (Some((_, at, reason)), _) => Some((*at, format!("retracted: {reason}"))),
            // Since when a check has failed is not on record; it fails now.
            (None, false) => Some((decision.at, case.doubt.clone())),
            (None, true) => None,
        };
        let received = |entry: u64| {
            state.steps.iter().find(|step| step.entry == entry).map(|step| step.received)
        };
        let named = case
            .public_attribution()
            .filter(|one| matches!(one.grade, Grade::Attributable | Grade::LargelyAttributable))
            .and_then(|one| Some((received(one.published?)?, one.actor.clone()?)));
        Some(Self {
            finding: case.finding,
            from: decision.at,
            until,
            happening: happening(case, finding, incident),
            named,
            anchors: anchors(state, case, incident, decision.at),
        })
    }

    /// Whether it counts at a moment.
    pub fn stands(&self, moment: Timestamp) -> bool {
        self.from <= moment && self.until.as_ref().is_none_or(|(until, _)| moment < *until)
    }

    fn at(&self, moment: Timestamp) -> Happening {
        let mut happening = self.happening.clone();
        // A published attribution has passed its own criterion.
        happening.by = self
            .named
            .as_ref()
            .filter(|(at, _)| *at <= moment)
            .map(|(_, actor)| (actor.clone(), Probability::ONE));
        if happening.by.is_none() {
            happening.standard = happening.standard.min(Standard::S3);
        }
        happening
    }
}

/// What stood at a moment.
pub(crate) fn timeline(causes: &[Cause], moment: Timestamp) -> Timeline {
    let mut timeline = Timeline::new(moment);
    timeline.happenings =
        causes.iter().filter(|cause| cause.stands(moment)).map(|cause| cause.at(moment)).collect();
    timeline
}

fn happening(case: &Case, finding: &Finding, incident: &Incident) -> Happening {
    Happening {
        id: finding.id.to_string(),
        when: incident.when,
        classes: incident.classes.clone(),
        severity: case.severity,
        standard: case.standard,
        // The finding passed the criterion: here it counts as established.
        breaches: BTreeMap::from([(finding.provision.clone(), Probability::ONE)]),
        by: None,
        sector: None,
        zones: BTreeMap::new(),
    }
}

/// Clocks count from what is on record. First detection is the first act of
/// the mission on the finding: no earlier moment of knowing is on record.
fn anchors(state: &State, case: &Case, incident: &Incident, verified: Timestamp) -> Anchors {
    let effective = |step: &&Step| step.finding == Some(case.finding) && step.refused.is_none();
    let mut anchors = BTreeMap::from([
        (Anchor::EventTime, incident.when.span.from),
        (Anchor::Verified, verified),
    ]);
    if let Some(first) = state.steps.iter().find(effective) {
        anchors.insert(Anchor::FirstDetection, first.received);
    }
    let reviewed = state.steps.iter().filter(effective).find(|step| step.act == "corroborate");
    if let Some(step) = reviewed {
        anchors.insert(Anchor::ReviewedBulletin, step.received);
    }
    if let Some(given) = case.notices.iter().map(|notice| notice.given).min() {
        anchors.insert(Anchor::Notified, given);
    }
    Anchors(anchors)
}
