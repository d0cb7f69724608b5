//! The fold: signed entries in, status out. Every rule is enforced here, so
//! that whoever has the record enforces it. An entry that breaks a rule is kept
//! with the reason and changes nothing.

mod attribution;
mod checks;
mod finish;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use domain::Id;
use domain::case::{Case, Signer, Step};
use domain::obligation::Response;
use jiff::{SignedDuration, Timestamp};

use crate::act::{Act, OpenError, Restraint, Statement, open};
use crate::evidence::{Doubts, Ground};
use crate::officer::{Officer, Register, Revocation, Standing};
use crate::refusal::Refusal;
use crate::report::{FieldReport, Wording};
use crate::role::{Role, may};
use crate::rules::{CLOCK_AHEAD_S, Rules};
use work::Work;

/// An entry that this room folds.
#[derive(Clone, Copy, Debug)]
pub enum Item<'e> {
    /// The mission declared a key.
    Officer(&'e Officer),
    /// The mission revoked a key.
    Revocation(&'e Revocation),
    /// Something was filed: the bytes of an envelope as they came.
    Act {
        /// When, by the mission's clock.
        received: Timestamp,
        /// The envelope.
        envelope: &'e [u8],
    },
}

/// A restriction of movement.
#[derive(Clone, Debug, PartialEq)]
pub struct Restriction {
    /// Its entry.
    pub entry: u64,
    /// When the mission took it in.
    pub received: Timestamp,
    /// By whom.
    pub party: String,
    /// Kind.
    pub kind: Restraint,
    /// Where.
    pub place: String,
    /// What was given as the reason.
    pub claimed_reason: String,
    /// How long.
    pub minutes: u32,
    /// The task that it stopped.
    pub stopped: String,
}

/// An allegation by a party: counted apart, never an observation.
#[derive(Clone, Debug, PartialEq)]
pub struct Allegation {
    /// Its entry.
    pub entry: u64,
    /// By whom.
    pub party: String,
    /// Particulars that are missing; empty if it can be looked into.
    pub missing: Vec<&'static str>,
    /// By when the party may complete it; none if nothing is missing.
    pub complete_by: Option<Timestamp>,
}

/// A guarantor's answer about an obligation.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// Its entry.
    pub entry: u64,
    /// When the mission took it in.
    pub received: Timestamp,
    /// The guarantor: contingent of the watch officer.
    pub guarantor: String,
    /// The obligation.
    pub obligation: String,
    /// The answer.
    pub response: Response,
    /// Its words.
    pub note: String,
}

/// Everything that people did, folded.
#[derive(Clone, Debug, Default)]
pub struct Casework {
    /// Findings on which somebody acted, by finding.
    pub cases: Vec<Case>,
    /// Every entry, in record order.
    pub steps: Vec<Step>,
    /// Keys.
    pub register: Register,
    /// Field reports.
    pub reports: Vec<FieldReport>,
    /// Restrictions of movement.
    pub restrictions: Vec<Restriction>,
    /// Allegations.
    pub allegations: Vec<Allegation>,
    /// Answers of guarantors.
    pub answers: Vec<Answered>,
    /// Doubts about observations.
    pub doubts: Doubts,
    /// The last moment of receipt.
    pub clock: Option<Timestamp>,
}

/// A statement of good standing, on its way to the rules of its act.
struct Taken<'a> {
    entry: u64,
    received: Timestamp,
    officer: &'a Officer,
}

impl Taken<'_> {
    fn signer(&self) -> Signer {
        Signer {
            person: self.officer.person.clone(),
            role: self.officer.role.code().to_owned(),
            contingent: self.officer.contingent.clone(),
            entry: self.entry,
        }
    }
}

/// The state of the fold.
pub struct Fold<'a> {
    mission: &'a str,
    rules: &'a Rules,
    ground: &'a dyn Ground,
    register: Register,
    works: BTreeMap<Id, Work>,
    steps: Vec<Step>,
    /// Hash of every payload that had an effect or might have had, for replays.
    seen: BTreeMap<String, u64>,
    common: Common,
    clock: Option<Timestamp>,
}

/// What is not about one finding.
#[derive(Default)]
struct Common {
    doubts: Doubts,
    /// Who collected or worked on an observation, and how.
    handled: BTreeMap<Id, BTreeMap<String, &'static str>>,
    calibrations: Vec<Calibration>,
    witnesses: Vec<(u64, u64, String)>,
    reports: Vec<FieldReport>,
    restrictions: Vec<Restriction>,
    allegations: Vec<Allegation>,
    answers: Vec<Answered>,
}

struct Calibration {
    entry: u64,
    classes: Vec<domain::ClassPattern>,
    to: Timestamp,
    error: f64,
    cases: u32,
}

type Effect = Result<(), Refusal>;

impl<'a> Fold<'a> {
    /// An empty fold of a mission, named by the hash of its `mission.toml`.
    pub fn new(mission: &'a str, rules: &'a Rules, ground: &'a dyn Ground) -> Self {
        Self {
            mission,
            rules,
            ground,
            register: Register::default(),
            works: BTreeMap::new(),
            steps: Vec::new(),
            seen: BTreeMap::new(),
            common: Common::default(),
            clock: None,
        }
    }

    /// Takes up an entry. Entries come in record order.
    pub fn take(&mut self, entry: u64, item: Item<'_>) {
        match item {
            // The ledger has refused keys that cannot be read or come twice.
            Item::Officer(officer) => drop(self.register.add(officer.clone())),
            Item::Revocation(revocation) => drop(self.register.revoke(revocation.clone())),
            Item::Act { received, envelope } => self.act(entry, received, envelope),
        }
    }

    /// Makes a case of a finding even if nobody acts on it.
    pub fn include(&mut self, finding: Id) {
        self.works.entry(finding).or_insert_with(|| Work::new(finding));
    }

    /// Closes the fold. What has lapsed is judged at `as_of`, or at the last
    /// receipt if there is none.
    pub fn finish(self, as_of: Option<Timestamp>) -> Casework {
        finish::finish(self, as_of)
    }

    fn act(&mut self, entry: u64, received: Timestamp, envelope: &[u8]) {
        let mut step = Step {
            entry,
            received,
            at: None,
            act: "unknown".to_owned(),
            finding: None,
            person: String::new(),
            role: String::new(),
            contingent: String::new(),
            words: "something was filed".to_owned(),
            refused: None,
        };
        if let Err(refusal) = self.judge(entry, received, envelope, &mut step) {
            step.refused = Some((refusal.code().to_owned(), refusal.to_string()));
        }
        self.clock = self.clock.max(Some(received));
        self.steps.push(step);
    }

    /// The rules that hold for every act, and then those of the act itself.
    fn judge(&mut self, entry: u64, received: Timestamp, bytes: &[u8], step: &mut Step) -> Effect {
        let (envelope, key) = match open(bytes, &self.register.keys()) {
            Ok((envelope, key)) => (envelope, key.clone()),
            Err(OpenError::Unreadable(why)) => return Err(Refusal::Unreadable(why)),
            Err(OpenError::WrongKey(why)) => return Err(Refusal::WrongKey(why)),
        };
        let officer = self
            .register
            .officer(&key)
            .cloned()
            .ok_or_else(|| Refusal::WrongKey("the key is not declared".to_owned()))?;
        step.person.clone_from(&officer.person);
        officer.role.code().clone_into(&mut step.role);
        step.contingent.clone_from(&officer.contingent);
        let statement: Statement = serde_json::from_slice(envelope.payload())
            .map_err(|error| Refusal::Unreadable(error.to_string()))?;
        step.at = Some(statement.at);
        step.finding = statement.finding;
        statement.act.code().clone_into(&mut step.act);
        step.words = crate::story::words(&statement.act);
        let clock = self.clock;
        if statement.mission != self.mission {
            return Err(Refusal::OtherMission);
        }
        // The payload and its signer, not the spelling of the envelope.
        let mut print = envelope.payload().to_vec();
        print.extend_from_slice(key.as_bytes());
        if let Some(first) = self.seen.insert(domain::state::digest(&print), entry) {
            return Err(Refusal::Replayed(first));
        }
        if clock.is_some_and(|clock| received < clock) {
            return Err(Refusal::ReceivedOutOfOrder);
        }
        match self.register.standing(&officer, received) {
            Standing::Good => {}
            Standing::NotYet(from) => return Err(Refusal::NotYetValid(from.to_string())),
            Standing::Expired(to) => return Err(Refusal::Expired(to.to_string())),
            Standing::Revoked(_, why) => return Err(Refusal::Revoked(why)),
        }
        if self.rules.countersigned && !self.register.is_vouched_for(&officer) {
            return Err(Refusal::NotCountersigned(officer.contingent));
        }
        if statement.at > later(received, CLOCK_AHEAD_S) {
            return Err(Refusal::ClockAhead);
        }
        self.allowed(&officer, &statement)?;
        let taken = Taken { entry, received, officer: &officer };
        self.apply(&taken, statement)
    }

    /// Role and contingent.
    fn allowed(&self, officer: &Officer, statement: &Statement) -> Effect {
        let act = statement.act.code();
        if !may(act).contains(&officer.role) {
            return Err(Refusal::RoleMayNot { role: officer.role.title(), act });
        }
        let of_party = self.rules.is_party(&officer.contingent);
        let for_parties = matches!(
            officer.role,
            Role::ReplyAgent | Role::LiaisonOfficer | Role::WitnessOperator | Role::ContingentHead
        );
        if of_party && !for_parties {
            return Err(Refusal::OfParty(officer.contingent.clone()));
        }
        if officer.role == Role::ReplyAgent && !of_party {
            return Err(Refusal::NotYours(format!(
                "{} is not a party to the agreement",
                officer.contingent
            )));
        }
        match (statement.act.is_on_a_finding(), statement.finding) {
            (true, None) => Err(Refusal::NoFindingNamed),
            (false, Some(_)) => Err(Refusal::FindingNamed),
            (true, Some(id)) if self.ground.finding(id).is_none() => Err(Refusal::UnknownFinding),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, taken: &Taken<'_>, statement: Statement) -> Effect {
        if let Some(finding) = statement.finding {
            let mut work = self.works.remove(&finding).unwrap_or_else(|| Work::new(finding));
            let effect = work.apply(taken, statement, self);
            self.works.insert(finding, work);
            return effect;
        }
        self.apply_common(taken, statement.act)
    }

    fn apply_common(&mut self, taken: &Taken<'_>, act: Act) -> Effect {
        let common = &mut self.common;
        let person = &taken.officer.person;
        match act {
            Act::Link { observations, because } => {
                some("observations", &observations)?;
                said("because", &because)?;
                for one in &observations {
                    handle(common, *one, person, "it linked an observation");
                }
                common.doubts.links.push((taken.entry, observations));
            }
            Act::Flag { observation, flaw, note } => {
                said("note", &note)?;
                handle(common, observation, person, "it flagged an observation");
                let flaws = common.doubts.flaws.entry(observation).or_default();
                flaws.entry(flaw).or_insert(taken.entry);
            }
            Act::Calibrate { classes, from, to, error, cases } => {
                some("classes", &classes)?;
                if !(0.0..=1.0).contains(&error) || from >= to || to > taken.received {
                    return Err(Refusal::NotSo(
                        "an error lies between 0 and 1, and a period in the past".to_owned(),
                    ));
                }
                common.calibrations.push(Calibration {
                    entry: taken.entry,
                    classes,
                    to,
                    error,
                    cases,
                });
            }
            Act::FieldReport { report, captured, observations, text } => {
                said("text", &text)?;
                if common.reports.iter().any(|known| known.name == report) {
                    return Err(Refusal::NotSo(format!(
                        "a report {report} was committed before; it is edited, not replaced"
                    )));
                }
                for one in observations {
                    handle(common, one, person, "it collected an observation");
                }
                let wording = Wording {
                    entry: taken.entry,
                    received: taken.received,
                    person: person.clone(),
                    reason: String::new(),
                    text,
                };
                common.reports.push(FieldReport {
                    name: report,
                    captured,
                    wordings: vec![wording],
                });
            }
            Act::EditReport { report, text, reason } => {
                said("reason", &reason)?;
                let Some(known) =
                    common.reports.iter_mut().find(|known| known.wordings[0].entry == report)
                else {
                    return Err(Refusal::OutOfOrder(format!("entry {report} is no field report")));
                };
                known.wordings.push(Wording {
                    entry: taken.entry,
                    received: taken.received,
                    person: person.clone(),
                    reason,
                    text,
                });
            }
            Act::Restriction { party, kind, place, claimed_reason, minutes, stopped } => {
                said("place", &place)?;
                common.restrictions.push(Restriction {
                    entry: taken.entry,
                    received: taken.received,
                    party,
                    kind,
                    place,
                    claimed_reason,
                    minutes,
                    stopped,
                });
            }
            Act::Allegation { party, time, place, conduct, evidence } => {
                if taken.officer.role == Role::ReplyAgent && party != taken.officer.contingent {
                    return Err(Refusal::NotYours("a party alleges in its own name".to_owned()));
                }
                let missing: Vec<&'static str> = [
                    ("time", &time),
                    ("place", &place),
                    ("conduct", &conduct),
                    ("evidence", &evidence),
                ]
                .into_iter()
                .filter(|(_, text)| text.trim().is_empty())
                .map(|(name, _)| name)
                .collect();
                let complete_by =
                    (!missing.is_empty()).then(|| later(taken.received, self.rules.reply_window_s));
                common.allegations.push(Allegation {
                    entry: taken.entry,
                    party,
                    missing,
                    complete_by,
                });
            }
            Act::Witness { size, root } => {
                if size > taken.entry {
                    return Err(Refusal::NotSo(format!(
                        "the record has only {} entries",
                        taken.entry
                    )));
                }
                if self.ground.root_at(size).as_deref() != Some(root.as_str()) {
                    return Err(Refusal::NotSo(format!("that is not the root at {size} entries")));
                }
                common.witnesses.push((taken.entry, size, taken.officer.contingent.clone()));
            }
            Act::Obligation { obligation, response, note } => {
                if response == Response::Decline {
                    said("note", &note)?;
                }
                common.answers.push(Answered {
                    entry: taken.entry,
                    received: taken.received,
                    guarantor: taken.officer.contingent.clone(),
                    obligation,
                    response,
                    note,
                });
            }
            Act::Countersign { key, person, role } => {
                let about = (key.as_str(), person.as_str(), role);
                self.register
                    .countersign(taken.officer, about, taken.entry)
                    .map_err(Refusal::NotSo)?;
            }
            _ => unreachable!("every other act names a finding, which was checked"),
        }
        Ok(())
    }
}

impl Common {
    /// Contingents whose witnesses saw at least `size` entries before `before`,
    /// each with the entry that says so.
    fn witnesses_of(&self, size: u64, before: u64) -> BTreeMap<&str, u64> {
        let mut seen = BTreeMap::new();
        for (entry, cosigned, contingent) in &self.witnesses {
            if *cosigned >= size && *entry < before {
                seen.entry(contingent.as_str()).or_insert(*entry);
            }
        }
        seen
    }
}

fn handle(common: &mut Common, observation: Id, person: &str, how: &'static str) {
    common.handled.entry(observation).or_default().entry(person.to_owned()).or_insert(how);
}

/// A text that must say something.
fn said(name: &str, text: &str) -> Effect {
    if text.trim().is_empty() {
        return Err(Refusal::Incomplete(format!("`{name}` is empty")));
    }
    Ok(())
}

/// A list that must hold something.
fn some<T>(name: &str, list: &[T]) -> Effect {
    if list.is_empty() {
        return Err(Refusal::Incomplete(format!("`{name}` is empty")));
    }
    Ok(())
}

/// A moment so many seconds later, held at the end of time.
pub(crate) fn later(moment: Timestamp, seconds: i64) -> Timestamp {
    moment.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Distinct values.
fn distinct<'s>(values: impl Iterator<Item = &'s str>) -> usize {
    values.collect::<BTreeSet<_>>().len()
}

/// Folds entries of a record: everything at once.
pub fn fold<'e>(
    items: impl IntoIterator<Item = (u64, Item<'e>)>,
    mission: &str,
    rules: &Rules,
    ground: &dyn Ground,
    as_of: Option<Timestamp>,
) -> Casework {
    let mut fold = Fold::new(mission, rules, ground);
    for (entry, item) in items {
        fold.take(entry, item);
    }
    fold.finish(as_of)
}
