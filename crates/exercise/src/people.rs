//! The officers of the exercise and what they do: one incident from report to
//! a published, verified finding, with one mistake that the rules catch.
//!
//! EXERCISE keys: anybody can make them from the seed.

use casework::act::{self, Act, Alternative, Answer, Bearing, Flaw, Release, Triage};
use casework::evidence::{Doubts, Structure, lines, structure};
use casework::{Ground, Officer, Role, Statement};
use domain::case::{Grade, Ruling, Severity};
use domain::obligation::Response;
use domain::{Finding, Id, Incident, Probability, Source, State};
use jiff::{SignedDuration, Timestamp};
use record::PrivateKey;

/// Pseudonym, role and contingent.
pub const CAST: [(&str, Role, &str); 21] = [
    ("I-01", Role::IntakeOfficer, "CH"),
    ("F-04", Role::FieldMonitor, "CZ"),
    ("A-02", Role::Analyst, "EE"),
    ("L-01", Role::LegalAdviser, "IE"),
    ("O-01", Role::LiaisonOfficer, "CH"),
    ("N-01", Role::ReplyAgent, "north"),
    ("S-01", Role::ReplyAgent, "south"),
    ("V-03", Role::Verifier, "FI"),
    ("V-05", Role::Verifier, "FI"),
    ("V-07", Role::Verifier, "PT"),
    ("C-01", Role::PanelChair, "AT"),
    ("M-01", Role::PanelMember, "SE"),
    ("M-02", Role::PanelMember, "JP"),
    ("H-01", Role::HeadOfMission, "NO"),
    ("P-01", Role::Publisher, "DK"),
    ("K-01", Role::CommissionMember, "IT"),
    ("W-01", Role::WitnessOperator, "FI"),
    ("W-02", Role::WitnessOperator, "PT"),
    ("G-01", Role::WatchOfficer, "ARD"),
    ("G-02", Role::WatchOfficer, "BRE"),
    ("G-03", Role::WatchOfficer, "COR"),
];

/// The record that the officers write to.
pub trait Stage {
    /// What goes wrong with a record.
    type Error;

    /// Files an envelope; returns its entry.
    fn file(&mut self, received: Timestamp, envelope: &[u8]) -> Result<u64, Self::Error>;

    /// Size and root of the record as it is.
    fn root(&self) -> Result<(u64, String), Self::Error>;
}

/// The key of an officer of the exercise.
pub fn key(seed: u64, person: &str, role: Role) -> PrivateKey {
    let text = format!("EXERCISE officer {person} {role} {seed}");
    let digest = domain::state::digest(text.as_bytes());
    let seed: [u8; 32] = std::array::from_fn(|at| digest.as_bytes()[at]);
    PrivateKey::from_seed(&format!("EXERCISE.{person}.{role}"), &seed)
        .expect("a name without spaces")
}

/// The officers, valid for the year of the exercise.
pub fn officers(seed: u64) -> Vec<Officer> {
    let at = |text: &str| text.parse().expect("a moment");
    CAST.iter()
        .map(|(person, role, contingent)| Officer {
            key: key(seed, person, *role).public().to_string(),
            person: (*person).to_owned(),
            role: *role,
            contingent: (*contingent).to_owned(),
            from: at("2031-01-01T00:00:00Z"),
            to: at("2032-01-01T00:00:00Z"),
        })
        .collect()
}

/// Sources of a state, for drawing lines of evidence.
struct Sources<'a>(&'a State);

impl Ground for Sources<'_> {
    fn finding(&self, _: Id) -> Option<(&Finding, &Incident)> {
        None
    }

    fn source(&self, id: &str) -> Option<&Source> {
        self.0.source(id).map(|state| &state.source)
    }

    fn root_at(&self, _: u64) -> Option<String> {
        None
    }
}

/// The finding that the officers take up: the first one that can be verified
/// at all, on the narrowest provision.
pub fn chosen(state: &State) -> Option<(&Finding, &Incident)> {
    let verifiable = |finding: &&Finding| {
        let sure = |p: Option<Probability>| p.is_some_and(|p| p.get() >= 0.95);
        sure(Some(finding.in_force)) && sure(finding.in_zone) && finding.reading.is_empty()
    };
    let found: Vec<(&Finding, &Incident)> = state
        .findings
        .iter()
        .filter(verifiable)
        .filter_map(|finding| {
            let incident = state.incidents.iter().find(|one| one.id == finding.incident)?;
            let lines = lines(incident, &Sources(state), &Doubts::default(), u64::MAX);
            let structure = structure(&lines, &[])?;
            matches!(structure, Structure::TwoFamilies(_) | Structure::FamilyAndPatrol(_))
                .then_some((finding, incident))
        })
        .collect();
    // A finding with exceptions needs more than this play has.
    found
        .iter()
        .find(|(finding, _)| finding.elements.iter().all(|element| element.name != "exceptions"))
        .or(found.first())
        .copied()
}

/// What the officers did.
#[derive(Debug)]
pub struct Played {
    /// The finding.
    pub finding: Id,
    /// When it ended.
    pub ended: Timestamp,
}

struct Play<'s, S: Stage> {
    stage: &'s mut S,
    seed: u64,
    mission: &'s str,
    finding: Id,
    now: Timestamp,
}

impl<S: Stage> Play<'_, S> {
    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
    }

    fn role(person: &str) -> Role {
        CAST.iter().find(|(known, _, _)| *known == person).expect("of the cast").1
    }

    fn act(&mut self, person: &str, act: Act) -> Result<u64, S::Error> {
        let finding = act.is_on_a_finding().then_some(self.finding);
        let statement = Statement { mission: self.mission.to_owned(), at: self.now, finding, act };
        let key = key(self.seed, person, Self::role(person));
        let envelope = statement.sign(&key).expect("one key signs");
        let entry = self.stage.file(self.now, &envelope)?;
        self.now += SignedDuration::from_secs(60);
        Ok(entry)
    }

    fn witness(&mut self) -> Result<(), S::Error> {
        let (size, root) = self.stage.root()?;
        for person in ["W-01", "W-02"] {
            self.act(person, Act::Witness { size, root: root.clone() })?;
        }
        Ok(())
    }

    fn seal(&mut self, person: &str) -> Result<(), S::Error> {
        let key = key(self.seed, person, Role::Verifier);
        let salt = act::salt(&key, self.mission, self.finding, 0);
        let seal = act::seal(self.mission, self.finding, 0, Ruling::Verified, &salt);
        self.act(person, Act::Seal { round: 0, seal }).map(drop)
    }

    fn open(&mut self, person: &str, note: &str) -> Result<(), S::Error> {
        let key = key(self.seed, person, Role::Verifier);
        let salt = act::salt(&key, self.mission, self.finding, 0);
        let (ruling, reason, note) = (Ruling::Verified, None, note.to_owned());
        self.act(person, Act::Rule { round: 0, ruling, reason, note, salt }).map(drop)
    }

    fn publish(&mut self, what: Release) -> Result<(), S::Error> {
        self.witness()?;
        self.act("H-01", Act::Approve { what })?;
        self.act("P-01", Act::Publish { what }).map(drop)
    }
}

/// How the officers judge.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// What they find wrong with observations.
    pub objections: Vec<(Id, Flaw)>,
    /// How probable they hold it that the event was staged.
    pub staged: f64,
    /// Whether the panel attributes it, to the north.
    pub attribute: bool,
}

/// The whole workflow on one finding, as far as the rules let it come: the
/// verifiers rule `verified` whatever the evidence.
fn work<'s, S: Stage>(
    stage: &'s mut S,
    seed: u64,
    mission: &'s str,
    finding: &Finding,
    incident: &Incident,
    conduct: &Conduct,
) -> Result<Play<'s, S>, S::Error> {
    let now = incident.when.span.to + SignedDuration::from_mins(20);
    let mut play = Play { stage, seed, mission, finding: finding.id, now };
    gather(&mut play, finding, incident, conduct)?;
    let replies = ask(&mut play)?;
    play.wait(60);
    for (reply, answer) in replies {
        play.act("L-01", Act::AnswerPoints { reply, answers: vec![answer.to_owned()] })?;
    }
    // The second verifier must be of another contingent; V-05 is not.
    play.seal("V-03")?;
    play.seal("V-05")?;
    play.seal("V-07")?;
    play.open("V-03", "sound and patrol agree to the minute")?;
    play.open("V-07", "ten checks read; the replies bring nothing against it")?;
    play.publish(Release::Finding)?;
    if conduct.attribute {
        attribute(&mut play)?;
    }
    Ok(play)
}

/// The workflow on a finding that need not stand in a state.
pub(crate) fn work_on<S: Stage>(
    stage: &mut S,
    mission: &str,
    finding: &Finding,
    incident: &Incident,
    conduct: &Conduct,
) -> Result<(), S::Error> {
    work(stage, 0, mission, finding, incident, conduct).map(drop)
}

/// Plays: from triage to a published attribution. `mission` is the hash by
/// which statements name the mission.
pub fn play<S: Stage>(
    stage: &mut S,
    seed: u64,
    mission: &str,
    state: &State,
) -> Result<Option<Played>, S::Error> {
    let Some((finding, incident)) = chosen(state) else { return Ok(None) };
    let conduct = Conduct { objections: Vec::new(), staged: 0.02, attribute: true };
    let mut play = work(stage, seed, mission, finding, incident, &conduct)?;
    let due = play.now + SignedDuration::from_hours(7 * 24);
    let (of, action) = ("north".to_owned(), "withdraw the battery behind the line".to_owned());
    play.act("K-01", Act::Ask { of, action, due })?;
    play.act(
        "P-01",
        Act::Correct {
            field: "place".into(),
            was: "in the first bulletin: on the wrong side of the line".into(),
            is: incident.place_name.clone(),
            reason: "a bearing was read the wrong way round".into(),
        },
    )?;
    Ok(Some(Played { finding: finding.id, ended: play.now }))
}

/// The watch officers answer what the engine proposes: one guarantor does what
/// it owes, one acknowledges, one says nothing until its clock has ended.
pub fn answer<S: Stage>(
    stage: &mut S,
    seed: u64,
    mission: &str,
    state: &State,
) -> Result<(), S::Error> {
    let last = state.steps.iter().map(|step| step.received).max();
    let (Some(last), Some(case)) = (last, state.cases.first()) else { return Ok(()) };
    let mut play = Play {
        stage,
        seed,
        mission,
        finding: case.finding,
        now: last + SignedDuration::from_hours(2),
    };
    let of = |guarantor: &str| {
        let owed = state.obligations.iter().filter(move |one| one.guarantor == guarantor);
        owed.map(|one| one.id.to_string()).collect::<Vec<_>>()
    };
    let mut say = |person: &str, obligation: &str, response, note: &str| {
        let (obligation, note) = (obligation.to_owned(), note.to_owned());
        play.act(person, Act::Obligation { obligation, response, note }).map(drop)
    };
    for obligation in of("ARD") {
        say("G-01", &obligation, Response::Acknowledge, "")?;
    }
    for obligation in of("BRE") {
        say("G-02", &obligation, Response::Acknowledge, "put before parliament")?;
    }
    // Nobody answers for another guarantor.
    if let Some(obligation) = of("COR").first() {
        say("G-01", obligation, Response::Fulfil, "")?;
    }
    play.wait(24 * 60);
    if let Some(obligation) = of("ARD").first() {
        let (obligation, note) = (obligation.clone(), "note handed over".to_owned());
        play.act("G-01", Act::Obligation { obligation, response: Response::Fulfil, note })?;
    }
    Ok(())
}

fn gather<S: Stage>(
    play: &mut Play<'_, S>,
    finding: &Finding,
    incident: &Incident,
    conduct: &Conduct,
) -> Result<(), S::Error> {
    let observations: Vec<Id> = incident.members.iter().map(|member| member.observation).collect();
    for (observation, flaw) in &conduct.objections {
        let (observation, flaw) = (*observation, *flaw);
        let note = "found when it was checked".to_owned();
        play.act("A-02", Act::Flag { observation, flaw, note })?;
    }
    let classes = vec!["A".parse().expect("a group of classes")];
    play.act(
        "A-02",
        Act::Calibrate {
            classes,
            from: "2031-05-01T00:00:00Z".parse().expect("a moment"),
            to: "2031-06-01T00:00:00Z".parse().expect("a moment"),
            error: 0.03,
            cases: 212,
        },
    )?;
    let until = play.now + SignedDuration::from_hours(4);
    play.act("I-01", Act::Lease { until })?;
    let note = "heavy weapon near the line".to_owned();
    play.act("I-01", Act::Triage { severity: Severity::S3, outcome: Triage::Proceed, note })?;
    let due = play.now + SignedDuration::from_hours(12);
    play.act("I-01", Act::Task { what: "patrol to the place, photographs".into(), due })?;
    play.wait(240);
    let report = "FR-118".to_owned();
    let text =
        "Heard outgoing fire, single weapon, bearing 350.\nNo further fire until departure.\n";
    let raw = play.act(
        "F-04",
        Act::FieldReport {
            report,
            captured: play.now,
            observations: Vec::new(),
            text: text.to_owned(),
        },
    )?;
    let text = text.replace("bearing 350", "bearing 355");
    let reason = "compass corrected for declination".to_owned();
    play.act("F-04", Act::EditReport { report: raw, text, reason })?;
    let note = "two kinds of sources, one minute".to_owned();
    play.act("A-02", Act::Corroborate { observations, note })?;
    let mut names: Vec<String> = casework::rules::alternatives(incident.class())
        .into_iter()
        .map(str::to_owned)
        .chain(incident.alternatives.iter().map(|one| one.class.to_string()))
        .collect();
    names.sort();
    names.dedup();
    let alternatives = names
        .into_iter()
        .map(|name| Alternative {
            probability: Probability::new(if name == "staged" { conduct.staged } else { 0.02 }),
            name,
            because: "sound, time and place do not fit".into(),
        })
        .collect();
    let note = String::new();
    play.act("A-02", Act::Assess { alternatives, at_most: None, note })?;
    let answers =
        finding.elements.iter().map(|element| (element.name.clone(), Answer::Met)).collect();
    let note = "no notification on record for that day".to_owned();
    play.act("L-01", Act::Elements { answers, note }).map(drop)
}

/// Notices and replies: one in time, one two minutes late.
fn ask<S: Stage>(play: &mut Play<'_, S>) -> Result<Vec<(u64, &'static str)>, S::Error> {
    let questions = vec!["Which of your units was there, and did it fire?".to_owned()];
    let given = play.now;
    play.act("O-01", Act::Notice { party: "north".into(), questions: questions.clone() })?;
    play.act("O-01", Act::Notice { party: "south".into(), questions })?;
    play.witness()?;
    play.now = given + SignedDuration::from_mins(23 * 60 + 50);
    let north = play.act(
        "N-01",
        Act::Reply {
            points: vec!["the unit answered fire from the south".into()],
            contests: vec!["zone withdrawal".into()],
        },
    )?;
    play.now = given + SignedDuration::from_mins(24 * 60 + 3);
    let south = play.act(
        "S-01",
        Act::Reply { points: vec!["no unit of ours fired that day".into()], contests: Vec::new() },
    )?;
    Ok(vec![
        (
            north,
            "no fire from the south was heard by either source; the zone does not depend on it",
        ),
        (south, "noted; the reply came late"),
    ])
}

fn attribute<S: Stage>(play: &mut Play<'_, S>) -> Result<(), S::Error> {
    play.wait(180);
    let attribution = play.act(
        "C-01",
        Act::Attribute {
            grade: Grade::LargelyAttributable,
            actor: Some("north".into()),
            probability: Probability::new(0.93),
            lines: vec![(
                Bearing::Trajectory,
                "bearing 355 degrees, 4 either way, from post to battery".into(),
            )],
            control: "map of control of the day".into(),
            note: String::new(),
        },
    )?;
    for person in ["A-02", "V-03", "V-07", "M-01"] {
        play.act(person, Act::Endorse { attribution, dissent: None })?;
    }
    let dissent = Some("one bearing alone does not exclude a position of the south".to_owned());
    play.act("M-02", Act::Endorse { attribution, dissent })?;
    play.publish(Release::Attribution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_that_it_is_of_an_exercise() {
        for officer in officers(1) {
            assert!(officer.key.starts_with("EXERCISE."), "{}", officer.key);
        }
        let one = key(1, "V-03", Role::Verifier);
        assert_eq!(one.public(), key(1, "V-03", Role::Verifier).public());
        assert_ne!(one.public(), key(2, "V-03", Role::Verifier).public());
    }
}
