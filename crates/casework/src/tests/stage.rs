//! A finding with evidence, a cast of officers, and a record in memory.

use std::collections::BTreeMap;

use domain::case::{Ruling, Severity, Step};
use domain::finding::{Element, Met};
use domain::incident::{ClassShare, Member, Status};
use domain::{
    Case, Class, Covariance, EffortBasis, Extent, Finding, Id, IdKind, Incident, Interval, LatLon,
    Located, Occurrence, Probability, RecordPosition, Signature, Source, SourceKind,
};
use jiff::{SignedDuration, Timestamp};
use record::PrivateKey;

use crate::act::{self, Act, Alternative, Answer, Release, Triage};
use crate::{Casework, Ground, Item, Officer, Revocation, Role, Rules, Statement, fold};

pub(crate) const MISSION: &str = "the mission of the tests";

/// Evidence and the finding on it.
pub(crate) struct Scenery {
    pub finding: Finding,
    pub incident: Incident,
    pub sources: BTreeMap<String, Source>,
}

impl Ground for Scenery {
    fn finding(&self, id: Id) -> Option<(&Finding, &Incident)> {
        (id == self.finding.id).then_some((&self.finding, &self.incident))
    }

    fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(id)
    }

    fn root_at(&self, size: u64) -> Option<String> {
        Some(format!("root at {size}"))
    }
}

pub(crate) fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn source(id: &str, kind: SourceKind, group: &str) -> Source {
    Source {
        id: id.into(),
        name: id.into(),
        operator: "made up".into(),
        independence_group: group.into(),
        kind,
        model: String::new(),
        effort: EffortBasis::Rows,
        citation: "made up".into(),
        licence: "CC0".into(),
        night: None,
        reliability: None,
    }
}

pub(crate) fn observation(name: &str) -> Id {
    Id::of(IdKind::Observation, &[name.as_bytes()])
}

/// An incident of artillery whose evidence is the given observations, each a
/// source, its kind, its independence group and an origin.
pub(crate) fn scenery(evidence: &[(&str, SourceKind, &str, &str)]) -> Scenery {
    let members: Vec<Member> = evidence
        .iter()
        .enumerate()
        .map(|(index, (name, _, _, origin))| Member {
            observation: observation(&format!("{name} {index}")),
            at: RecordPosition { entry: index as u64, line: 0 },
            source: (*name).to_owned(),
            origin: Id::of(IdKind::Origin, &[origin.as_bytes()]),
            signature: Signature::Explosion,
            repeat: false,
            weight: Probability::ONE,
            because: String::new(),
        })
        .collect();
    let sources = evidence
        .iter()
        .map(|(name, kind, group, _)| ((*name).to_owned(), source(name, *kind, group)))
        .collect();
    let incident = Incident {
        id: Id::of(IdKind::Incident, &[b"x"]),
        status: Status::Reported,
        when: Occurrence {
            span: Interval::at(t("2031-06-12T01:00:00Z")),
            sigma_s: 1.0,
            extent: Extent::Once,
        },
        place: Located::Normal {
            at: LatLon::new(46.0, -34.0).unwrap(),
            covariance: Covariance::circular(200.0),
        },
        place_name: "near Barenstad".into(),
        classes: vec![ClassShare { class: Class::A4, share: Probability::ONE }],
        signatures: BTreeMap::from([(Signature::Explosion, 1)]),
        claimed_count: None,
        objects: vec![],
        origins: members.len() as u32,
        members,
        groups: vec![],
        kinds: vec![],
        alternatives: vec![],
        belief: domain::incident::Belief {
            probability: Probability::new(0.999),
            distinct: Probability::ONE,
            priors: String::new(),
            regime: String::new(),
            reasons: vec![],
            calibrated_on: String::new(),
        },
        particulars: domain::Particulars::default(),
        may_be_same_as: vec![],
        remarks: vec![],
    };
    let met = |name: &str| Element { name: name.into(), met: Met::Probably(Probability::ONE) };
    let finding = Finding {
        id: Id::of(IdKind::Finding, &[b"f"]),
        incident: incident.id,
        agreement: "a@1".into(),
        provision: "4".into(),
        reading: String::new(),
        status: Status::Reported,
        in_force: Probability::ONE,
        in_zone: Some(Probability::new(0.99)),
        elements: vec![met("act"), met("zone"), met("time")],
        fit: Probability::new(0.99),
        incomplete: false,
    };
    Scenery { finding, incident, sources }
}

/// Acoustic sensor and patrol, independent of one another.
pub(crate) fn good() -> Scenery {
    scenery(&[
        ("microphones", SourceKind::Acoustic, "acoustic", "sound"),
        ("patrol", SourceKind::Patrol, "patrols", "heard"),
    ])
}

/// Pseudonym, role and contingent of everybody.
pub(crate) const CAST: [(&str, Role, &str); 20] = [
    ("I-1", Role::IntakeOfficer, "CH"),
    ("A-1", Role::Analyst, "EE"),
    ("T-1", Role::TechnicalExpert, "CZ"),
    ("L-1", Role::LegalAdviser, "IE"),
    ("V-1", Role::Verifier, "FI"),
    ("V-2", Role::Verifier, "FI"),
    ("V-3", Role::Verifier, "PT"),
    ("V-N", Role::Verifier, "north"),
    ("C-1", Role::PanelChair, "AT"),
    ("M-1", Role::PanelMember, "SE"),
    ("M-2", Role::PanelMember, "JP"),
    ("O-1", Role::LiaisonOfficer, "CH"),
    ("N-1", Role::ReplyAgent, "north"),
    ("S-1", Role::ReplyAgent, "south"),
    ("H-1", Role::HeadOfMission, "NO"),
    ("P-1", Role::Publisher, "DK"),
    ("W-1", Role::WitnessOperator, "FI"),
    ("W-2", Role::WitnessOperator, "PT"),
    ("D-1", Role::DataProtection, "NL"),
    ("F-1", Role::FieldMonitor, "CZ"),
];

pub(crate) enum Owned {
    Officer(Officer),
    Revocation(Revocation),
    Act(Timestamp, Vec<u8>),
}

/// A record in the making.
pub(crate) struct Stage {
    pub scenery: Scenery,
    pub items: Vec<(u64, Owned)>,
    pub entry: u64,
    pub now: Timestamp,
}

pub(crate) fn key(person: &str) -> PrivateKey {
    let seed: [u8; 32] = std::array::from_fn(|at| *person.as_bytes().get(at).unwrap_or(&7));
    PrivateKey::from_seed(person, &seed).unwrap()
}

pub(crate) fn officer(person: &str, role: Role, contingent: &str) -> Officer {
    Officer {
        key: key(person).public().to_string(),
        person: person.into(),
        role,
        contingent: contingent.into(),
        from: t("2031-06-01T00:00:00Z"),
        to: t("2031-09-01T00:00:00Z"),
    }
}

impl Stage {
    pub(crate) fn new(scenery: Scenery) -> Self {
        let entry = scenery.incident.members.len() as u64;
        let mut stage = Self { scenery, items: Vec::new(), entry, now: t("2031-06-12T02:00:00Z") };
        for (person, role, contingent) in CAST {
            stage.declare(officer(person, role, contingent));
        }
        stage
    }

    pub(crate) fn declare(&mut self, officer: Officer) {
        self.items.push((self.entry, Owned::Officer(officer)));
        self.entry += 1;
    }

    pub(crate) fn finding(&self) -> Id {
        self.scenery.finding.id
    }

    pub(crate) fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    pub(crate) fn file(&mut self, envelope: Vec<u8>) -> u64 {
        let entry = self.entry;
        self.items.push((entry, Owned::Act(self.now, envelope)));
        self.entry += 1;
        entry
    }

    pub(crate) fn sign(&self, person: &str, act: Act) -> Vec<u8> {
        let finding = act.is_on_a_finding().then(|| self.finding());
        Statement { mission: MISSION.into(), at: self.now, finding, act }
            .sign(&key(person))
            .unwrap()
    }

    /// Signs and files; returns the entry.
    pub(crate) fn act(&mut self, person: &str, act: Act) -> u64 {
        let envelope = self.sign(person, act);
        self.file(envelope)
    }

    pub(crate) fn fold_of(&self, items: &[(u64, Owned)]) -> Casework {
        let rules = Rules::proposed(vec!["north".into(), "south".into()]);
        self.fold_under(&rules, items)
    }

    pub(crate) fn fold_under(&self, rules: &Rules, items: &[(u64, Owned)]) -> Casework {
        let items = items.iter().map(|(entry, item)| {
            let item = match item {
                Owned::Officer(officer) => Item::Officer(officer),
                Owned::Revocation(revocation) => Item::Revocation(revocation),
                Owned::Act(received, envelope) => Item::Act { received: *received, envelope },
            };
            (*entry, item)
        });
        fold(items, MISSION, rules, &self.scenery, None)
    }

    pub(crate) fn fold(&self) -> Casework {
        self.fold_of(&self.items)
    }

    pub(crate) fn case(&self) -> Case {
        self.fold().cases.into_iter().next().expect("somebody acted")
    }

    pub(crate) fn step(&self, entry: u64) -> Step {
        self.fold().steps.into_iter().find(|step| step.entry == entry).unwrap()
    }

    /// The code of the rule that an entry breaks; empty if it has its effect.
    pub(crate) fn refused(&self, entry: u64) -> String {
        self.step(entry).refused.map_or(String::new(), |(code, _)| code)
    }

    // Acts as most tests need them.

    pub(crate) fn triage(&mut self) -> u64 {
        let (severity, outcome) = (Severity::S3, Triage::Proceed);
        self.act("I-1", Act::Triage { severity, outcome, note: String::new() })
    }

    pub(crate) fn calibrate(&mut self) -> u64 {
        self.act(
            "A-1",
            Act::Calibrate {
                classes: vec!["A".parse().unwrap()],
                from: t("2031-05-01T00:00:00Z"),
                to: t("2031-06-01T00:00:00Z"),
                error: 0.02,
                cases: 200,
            },
        )
    }

    pub(crate) fn observations(&self) -> Vec<Id> {
        self.scenery.incident.members.iter().map(|member| member.observation).collect()
    }

    pub(crate) fn corroborate(&mut self) -> u64 {
        let observations = self.observations();
        self.act("A-1", Act::Corroborate { observations, note: String::new() })
    }

    pub(crate) fn assess(&mut self, probability: f64) -> u64 {
        let alternatives = ["Z2", "Z3", "Z4", "staged"]
            .map(|name| Alternative {
                name: name.into(),
                probability: Probability::new(probability),
                because: "looked into".into(),
            })
            .to_vec();
        self.act("A-1", Act::Assess { alternatives, at_most: None, note: String::new() })
    }

    pub(crate) fn elements(&mut self) -> u64 {
        let answers = ["act", "zone", "time"].map(|name| (name.to_owned(), Answer::Met)).into();
        self.act("L-1", Act::Elements { answers, note: String::new() })
    }

    pub(crate) fn notice(&mut self, party: &str) -> u64 {
        let questions = vec!["What were your units doing?".to_owned()];
        self.act("O-1", Act::Notice { party: party.into(), questions })
    }

    pub(crate) fn witness(&mut self) {
        let size = self.entry;
        for person in ["W-1", "W-2"] {
            self.act(person, Act::Witness { size, root: format!("root at {size}") });
        }
    }

    pub(crate) fn seal(&mut self, person: &str, ruling: Ruling, round: u32) -> u64 {
        let finding = self.finding();
        let salt = act::salt(&key(person), MISSION, finding, round);
        let seal = act::seal(MISSION, finding, round, ruling, &salt);
        self.act(person, Act::Seal { round, seal })
    }

    pub(crate) fn rule(&mut self, person: &str, ruling: Ruling, round: u32) -> u64 {
        let salt = act::salt(&key(person), MISSION, self.finding(), round);
        let reason =
            (ruling == Ruling::CannotRule).then_some(domain::case::ReasonCode::SingleSource);
        self.act(person, Act::Rule { round, ruling, reason, note: "read".into(), salt })
    }

    /// Everything up to the decision, the reply window elapsed.
    pub(crate) fn prepare(&mut self) {
        self.triage();
        self.calibrate();
        self.corroborate();
        self.assess(0.01);
        self.elements();
        self.notice("north");
        self.notice("south");
        self.witness();
        self.wait(24 * 60 + 1);
    }

    /// Up to a verified finding.
    pub(crate) fn verify(&mut self) -> u64 {
        self.prepare();
        self.decide(0)
    }

    /// Two verifiers of different contingents rule `verified`.
    pub(crate) fn decide(&mut self, round: u32) -> u64 {
        self.seal("V-1", Ruling::Verified, round);
        self.seal("V-3", Ruling::Verified, round);
        self.rule("V-1", Ruling::Verified, round);
        self.rule("V-3", Ruling::Verified, round)
    }

    pub(crate) fn publish(&mut self, what: Release) -> u64 {
        // The same words of the same person at the same moment are a replay.
        self.wait(1);
        self.witness();
        self.act("H-1", Act::Approve { what });
        self.act("P-1", Act::Publish { what })
    }
}
