//! The work on one finding: what has been done so far, and the rules of every
//! act on it.

use std::collections::{BTreeMap, BTreeSet};

use domain::case::{
    Consequence, Correction, Decision, Grade, Notice, ReasonCode, Reply, Ruling, Severity, Signer,
};
use domain::{Id, Probability};
use jiff::Timestamp;

use super::attribution::Proposal;
use super::{Effect, Fold, Taken, later, said, some};
use crate::act::{Act, Alternative, Answer, Outcome, Release, Statement, Triage, seal};
use crate::refusal::Refusal;
use crate::role::Role;
use crate::rules::CONSEQUENCE_DAYS;

/// The part that a person has in a case. One person has one part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Evidence,
    Law,
    Verification,
    Panel,
}

impl Part {
    const fn words(self) -> &'static str {
        match self {
            Self::Evidence => "works on the evidence",
            Self::Law => "answers the legal elements",
            Self::Verification => "verifies",
            Self::Panel => "sits on the panel",
        }
    }
}

pub(super) struct Opening {
    pub signer: Signer,
    pub ruling: Ruling,
    pub reason: Option<ReasonCode>,
    pub note: String,
}

/// A round of verification: seals first, then openings.
#[derive(Default)]
pub(super) struct Round {
    pub seals: Vec<(Signer, String)>,
    pub openings: Vec<Opening>,
    pub closed: bool,
}

pub(super) struct Work {
    pub finding: Id,
    pub triage: Option<(u64, Timestamp, Severity, Triage)>,
    pub lease: Option<(String, Timestamp)>,
    pub corroborated: Vec<(Signer, Timestamp, Vec<Id>)>,
    /// Observations that a technical expert read a second time.
    pub readings: Vec<(u64, Vec<Id>)>,
    pub alternatives: BTreeMap<String, (u64, Alternative)>,
    pub at_most: Option<(u64, Probability)>,
    pub elements: Option<(Signer, BTreeMap<String, Answer>)>,
    pub notices: Vec<Notice>,
    pub rounds: Vec<Round>,
    pub decision: Option<Decision>,
    pub proposal: Option<Proposal>,
    pub approved: BTreeMap<Release, u64>,
    pub vetoed: BTreeMap<Release, String>,
    pub published: Option<(u64, Timestamp)>,
    pub corrections: Vec<Correction>,
    pub retracted: Option<(u64, Timestamp, String)>,
    pub consequence: Option<Consequence>,
    pub parts: BTreeMap<String, Part>,
    /// Credibility of the information: entry and figure.
    pub credibility: Option<(u64, u8)>,
}

impl Work {
    pub(super) fn new(finding: Id) -> Self {
        Self {
            finding,
            triage: None,
            lease: None,
            corroborated: Vec::new(),
            readings: Vec::new(),
            alternatives: BTreeMap::new(),
            at_most: None,
            elements: None,
            notices: Vec::new(),
            rounds: vec![Round::default()],
            decision: None,
            proposal: None,
            approved: BTreeMap::new(),
            vetoed: BTreeMap::new(),
            published: None,
            corrections: Vec::new(),
            retracted: None,
            consequence: None,
            parts: BTreeMap::new(),
            credibility: None,
        }
    }

    /// A verified decision that was not taken back.
    pub(super) fn verified(&self) -> Option<&Decision> {
        self.decision
            .as_ref()
            .filter(|decision| decision.ruling == Ruling::Verified && self.retracted.is_none())
    }

    /// The rules of every act on a finding.
    pub(super) fn apply(
        &mut self,
        taken: &Taken<'_>,
        statement: Statement,
        fold: &mut Fold<'_>,
    ) -> Effect {
        match statement.act {
            Act::Lease { until } => self.lease(taken, until),
            Act::Triage { severity, outcome, note } => {
                self.not_leased(taken)?;
                if outcome == Triage::SetAside {
                    said("note", &note)?;
                }
                self.triage = Some((taken.entry, taken.received, severity, outcome));
                Ok(())
            }
            Act::Task { what, due } => {
                said("what", &what)?;
                if due <= taken.received {
                    return Err(Refusal::NotSo("a task is due in the future".to_owned()));
                }
                Ok(())
            }
            Act::Corroborate { observations, .. } => self.corroborate(taken, observations, fold),
            Act::Grade { credibility, .. } => self.grade(taken, credibility, fold),
            Act::Assess { alternatives, at_most, .. } => {
                self.triaged()?;
                self.not_leased(taken)?;
                self.part(taken, Part::Evidence)?;
                for alternative in alternatives {
                    said("because", &alternative.because)?;
                    self.alternatives.insert(alternative.name.clone(), (taken.entry, alternative));
                }
                let lowest = |known: Option<(u64, Probability)>, new: Probability| match known {
                    Some((entry, known)) if known.get() <= new.get() => (entry, known),
                    _ => (taken.entry, new),
                };
                if let Some(new) = at_most {
                    self.at_most = Some(lowest(self.at_most, new));
                }
                Ok(())
            }
            Act::Elements { answers, .. } => {
                self.triaged()?;
                self.part(taken, Part::Law)?;
                self.elements = Some((taken.signer(), answers));
                Ok(())
            }
            Act::Notice { party, questions } => self.notice(taken, party, questions, fold),
            Act::Reply { points, contests } => self.reply(taken, points, contests),
            Act::AnswerPoints { reply, answers } => self.answer(reply, answers),
            Act::Seal { round, seal } => self.seal(taken, round, seal, fold),
            Act::Rule { round, ruling, reason, note, salt } => {
                let sealed = seal(fold.mission, self.finding, round, ruling, &salt);
                let opening = Opening { signer: taken.signer(), ruling, reason, note };
                self.rule(taken, round, &sealed, opening, fold)
            }
            Act::Attribute { grade, actor, probability, lines, control, .. } => {
                if self.verified().is_none() {
                    return Err(Refusal::OutOfOrder("the finding is not verified".to_owned()));
                }
                self.part(taken, Part::Panel)?;
                if grade == Grade::NotAttributable && actor.is_some() {
                    return Err(Refusal::NotSo(
                        "what is attributable to nobody names an actor".to_owned(),
                    ));
                }
                let signer = taken.signer();
                self.proposal =
                    Some(Proposal::new(signer, grade, actor, probability, lines, control));
                self.approved.remove(&Release::Attribution);
                Ok(())
            }
            Act::Endorse { attribution, dissent } => {
                if taken.officer.role == Role::PanelMember {
                    self.part(taken, Part::Panel)?;
                }
                let Some(proposal) =
                    self.proposal.as_mut().filter(|one| one.chair.entry == attribution)
                else {
                    return Err(Refusal::OutOfOrder(format!(
                        "entry {attribution} is not the attribution that stands"
                    )));
                };
                proposal.endorse(taken.signer(), dissent)
            }
            Act::Approve { what } => self.approve(taken, what, fold),
            Act::Publish { what } => self.publish(taken, what),
            Act::Veto { what, reason } => {
                said("reason", &reason)?;
                self.vetoed.insert(what, reason);
                Ok(())
            }
            Act::Correct { field, was, is, reason } => {
                if self.published.is_none() {
                    return Err(Refusal::OutOfOrder("nothing was published".to_owned()));
                }
                said("reason", &reason)?;
                let (entry, at) = (taken.entry, taken.received);
                self.corrections.push(Correction { entry, at, field, was, is, reason });
                Ok(())
            }
            Act::Retract { reason } => self.retract(taken, reason),
            Act::Ask { of, action, due } => {
                said("action", &action)?;
                let Some(consequence) = self.consequence.as_mut() else {
                    return Err(Refusal::OutOfOrder("the finding is not verified".to_owned()));
                };
                consequence.asked.push((taken.entry, of, format!("{action} (by {due})")));
                Ok(())
            }
            Act::Outcome { outcome, reason } => {
                said("reason", &reason)?;
                let Some(consequence) = self.consequence.as_mut() else {
                    return Err(Refusal::OutOfOrder("the finding is not verified".to_owned()));
                };
                let words = match outcome {
                    Outcome::ActionTaken => "action taken",
                    Outcome::NoAction => "no action",
                };
                consequence.outcome = Some((taken.entry, words.to_owned(), reason));
                Ok(())
            }
            Act::Archive => {
                let Some(consequence) = self.consequence.as_mut() else {
                    return Err(Refusal::OutOfOrder("the finding is not verified".to_owned()));
                };
                if consequence.outcome.is_none() {
                    return Err(Refusal::Incomplete(
                        "an outcome, or a signed `no action` with its reason".to_owned(),
                    ));
                }
                consequence.archived = Some(taken.entry);
                Ok(())
            }
            _ => unreachable!("every other act names no finding, which was checked"),
        }
    }

    fn lease(&mut self, taken: &Taken<'_>, until: Timestamp) -> Effect {
        self.not_leased(taken)?;
        // Nobody keeps a finding for themselves for more than a day.
        if until <= taken.received || until > later(taken.received, 24 * 3600) {
            return Err(Refusal::NotSo("a lease ends within 24 hours".to_owned()));
        }
        self.lease = Some((taken.officer.person.clone(), until));
        Ok(())
    }

    fn not_leased(&self, taken: &Taken<'_>) -> Effect {
        match &self.lease {
            Some((person, until)) if *person != taken.officer.person && taken.received < *until => {
                Err(Refusal::Leased { person: person.clone(), until: until.to_string() })
            }
            _ => Ok(()),
        }
    }

    fn triaged(&self) -> Effect {
        match self.triage {
            Some((_, _, _, Triage::Proceed)) => Ok(()),
            Some(_) => Err(Refusal::OutOfOrder("triage set the finding aside".to_owned())),
            None => Err(Refusal::OutOfOrder("triage comes first".to_owned())),
        }
    }

    /// One person has one part in a case.
    fn part(&mut self, taken: &Taken<'_>, part: Part) -> Effect {
        let person = &taken.officer.person;
        match self.parts.get(person) {
            Some(known) if *known != part => {
                let why = format!("{person} already {}", known.words());
                Err(match (known, part) {
                    (Part::Evidence, Part::Verification) => Refusal::Collector(why),
                    _ => Refusal::SamePerson(why),
                })
            }
            _ => {
                self.parts.insert(person.clone(), part);
                Ok(())
            }
        }
    }

    fn corroborate(&mut self, taken: &Taken<'_>, observations: Vec<Id>, fold: &Fold<'_>) -> Effect {
        self.triaged()?;
        some("observations", &observations)?;
        let (_, incident) = fold.ground.finding(self.finding).ok_or(Refusal::UnknownFinding)?;
        let known: BTreeSet<Id> =
            incident.members.iter().map(|member| member.observation).collect();
        if let Some(stranger) = observations.iter().find(|one| !known.contains(one)) {
            return Err(Refusal::NotSo(format!("{stranger} is no evidence of this incident")));
        }
        self.part(taken, Part::Evidence)?;
        if taken.officer.role == Role::TechnicalExpert {
            self.readings.push((taken.entry, observations));
        } else {
            self.corroborated.push((taken.signer(), taken.received, observations));
        }
        Ok(())
    }

    fn grade(&mut self, taken: &Taken<'_>, credibility: u8, fold: &Fold<'_>) -> Effect {
        self.triaged()?;
        if !(1..=6).contains(&credibility) {
            return Err(Refusal::NotSo("credibility is graded 1 to 6".to_owned()));
        }
        let (_, incident) = fold.ground.finding(self.finding).ok_or(Refusal::UnknownFinding)?;
        let lines = self.weigh(fold, incident, u64::MAX).lines.len();
        if credibility == 1 && lines < 2 {
            return Err(Refusal::ChecksMissing(format!(
                "confirmed by other sources needs two independent lines; there is {lines}"
            )));
        }
        self.credibility = Some((taken.entry, credibility));
        Ok(())
    }

    fn notice(
        &mut self,
        taken: &Taken<'_>,
        party: String,
        questions: Vec<String>,
        fold: &Fold<'_>,
    ) -> Effect {
        self.triaged()?;
        if !fold.rules.is_party(&party) {
            return Err(Refusal::NotSo(format!("`{party}` is not a party to the agreement")));
        }
        if self.notices.iter().any(|notice| notice.party == party) {
            // A second notice must not move the end of the window.
            return Err(Refusal::NotSo(format!("{party} has had its notice; its clock runs")));
        }
        let (entry, given) = (taken.entry, taken.received);
        let due = later(given, fold.rules.reply_window_s);
        self.notices.push(Notice { entry, party, given, due, questions, replies: Vec::new() });
        self.notices.sort_by(|a, b| a.party.cmp(&b.party));
        Ok(())
    }

    fn reply(&mut self, taken: &Taken<'_>, points: Vec<String>, contests: Vec<String>) -> Effect {
        some("points", &points)?;
        let party = &taken.officer.contingent;
        let Some(notice) = self.notices.iter_mut().find(|notice| notice.party == *party) else {
            return Err(Refusal::OutOfOrder(format!("{party} has had no notice")));
        };
        // Contesting a field stops no clock: only the moment of receipt counts.
        let late = taken.received.duration_since(notice.due).as_secs().max(0);
        let late_s = if taken.received > notice.due { late.max(1) } else { 0 };
        let (entry, received, answers) = (taken.entry, taken.received, Vec::new());
        notice.replies.push(Reply { entry, received, late_s, points, contests, answers });
        Ok(())
    }

    fn answer(&mut self, reply: u64, answers: Vec<String>) -> Effect {
        let known = self
            .notices
            .iter_mut()
            .flat_map(|notice| &mut notice.replies)
            .find(|known| known.entry == reply)
            .ok_or_else(|| Refusal::OutOfOrder(format!("entry {reply} is no reply on it")))?;
        if answers.len() != known.points.len() {
            return Err(Refusal::Incomplete(format!(
                "the reply has {} points and {} answers",
                known.points.len(),
                answers.len()
            )));
        }
        known.answers = answers;
        Ok(())
    }

    fn seal(&mut self, taken: &Taken<'_>, number: u32, seal: String, fold: &Fold<'_>) -> Effect {
        self.triaged()?;
        let current = self.rounds.len() as u32 - 1;
        if number != current {
            return Err(Refusal::OutOfOrder(format!("round {current} is on, not {number}")));
        }
        self.no_collector(taken, fold)?;
        let round = &self.rounds[current as usize];
        if !round.openings.is_empty() {
            return Err(Refusal::NotBlind);
        }
        let officer = taken.officer;
        for (known, _) in &round.seals {
            if known.person == officer.person {
                return Err(Refusal::SamePerson(format!("{} has sealed before", known.person)));
            }
            if known.contingent == officer.contingent {
                return Err(Refusal::SameContingent(format!(
                    "{} ({})",
                    known.person, known.contingent
                )));
            }
        }
        self.part(taken, Part::Verification)?;
        self.rounds[current as usize].seals.push((taken.signer(), seal));
        Ok(())
    }

    /// A verifier must not have had a hand in the evidence.
    fn no_collector(&self, taken: &Taken<'_>, fold: &Fold<'_>) -> Effect {
        let (_, incident) = fold.ground.finding(self.finding).ok_or(Refusal::UnknownFinding)?;
        let handled = &fold.common.handled;
        for member in &incident.members {
            let by = handled.get(&member.observation);
            if let Some(how) = by.and_then(|by| by.get(&taken.officer.person)) {
                return Err(Refusal::Collector(format!("{how}, {}", member.observation)));
            }
        }
        Ok(())
    }

    fn rule(
        &mut self,
        taken: &Taken<'_>,
        number: u32,
        sealed: &str,
        opening: Opening,
        fold: &Fold<'_>,
    ) -> Effect {
        let Some(round) = self.rounds.get_mut(number as usize) else {
            return Err(Refusal::OutOfOrder(format!("there is no round {number}")));
        };
        let person = &opening.signer.person;
        let Some((_, seal)) = round.seals.iter().find(|(signer, _)| signer.person == *person)
        else {
            return Err(Refusal::OutOfOrder("nothing was sealed".to_owned()));
        };
        if seal != sealed {
            return Err(Refusal::WrongSeal);
        }
        if round.openings.iter().any(|known| known.signer.person == *person) {
            return Err(Refusal::SamePerson(format!("{person} has ruled already")));
        }
        if round.seals.len() < 2 {
            return Err(Refusal::OutOfOrder(
                "a second verifier must seal before the first opens".to_owned(),
            ));
        }
        if opening.ruling == Ruling::CannotRule && opening.reason.is_none() {
            return Err(Refusal::Incomplete("`cannot rule` needs a reason code".to_owned()));
        }
        self.no_collector(taken, fold)?;
        let round = &mut self.rounds[number as usize];
        if round.closed {
            self.late_opening(opening);
            return Ok(());
        }
        round.openings.push(opening);
        self.decide(taken, number, fold)
    }

    /// An opening after the decision can only dissent.
    fn late_opening(&mut self, opening: Opening) {
        if let Some(decision) = &mut self.decision {
            if decision.ruling == opening.ruling {
                decision.verifiers.push(opening.signer);
            } else {
                let words = format!("{}: {}", opening.ruling, opening.note);
                decision.dissent.push((opening.signer, words));
            }
        }
    }

    /// Two verifiers who agree decide; if all have opened and no two agree,
    /// nobody can rule.
    fn decide(&mut self, taken: &Taken<'_>, number: u32, fold: &Fold<'_>) -> Effect {
        let round = &self.rounds[number as usize];
        let agree = |ruling| round.openings.iter().filter(|one| one.ruling == ruling).count() >= 2;
        let all = [Ruling::Verified, Ruling::Refuted, Ruling::CannotRule];
        let ruling = match all.into_iter().find(|ruling| agree(*ruling)) {
            Some(ruling) => ruling,
            None if round.openings.len() == round.seals.len() => Ruling::CannotRule,
            None => return Ok(()),
        };
        let (mut verifiers, mut dissent) = (Vec::new(), Vec::new());
        let mut reason = None;
        for one in &round.openings {
            if one.ruling == ruling && agree(ruling) {
                verifiers.push(one.signer.clone());
                reason = reason.or(one.reason);
            } else {
                dissent.push((one.signer.clone(), format!("{}: {}", one.ruling, one.note)));
            }
        }
        if ruling == Ruling::CannotRule {
            reason = reason.or(Some(ReasonCode::Conflicting));
        }
        // Whatever comes of it, the round is over: another try begins blind.
        self.rounds[number as usize].closed = true;
        self.rounds.push(Round::default());
        let checks = self.checks(&verifiers, taken.entry, taken.received, fold);
        match ruling {
            Ruling::Verified => {
                let missing: Vec<String> = checks
                    .iter()
                    .filter(|check| !check.holds)
                    .map(|check| format!("{} {} ({})", check.number, check.name, check.says))
                    .collect();
                if !missing.is_empty() {
                    return Err(Refusal::ChecksMissing(missing.join("; ")));
                }
            }
            Ruling::Refuted => self.refutes(fold)?,
            Ruling::CannotRule => {}
        }
        let (entry, at) = (taken.entry, taken.received);
        self.retracted = None;
        self.proposal = None;
        self.approved.clear();
        self.decision = Some(Decision { entry, at, ruling, reason, verifiers, dissent, checks });
        if ruling == Ruling::Verified {
            self.consequence = Some(Consequence {
                opened: entry,
                due: later(at, CONSEQUENCE_DAYS * 86_400),
                asked: Vec::new(),
                outcome: None,
                archived: None,
            });
        }
        Ok(())
    }

    fn refutes(&self, fold: &Fold<'_>) -> Effect {
        let limit = fold.rules.refuting;
        let likely = self
            .alternatives
            .values()
            .any(|(_, alternative)| alternative.probability.get() >= limit);
        if likely {
            return Ok(());
        }
        Err(Refusal::ChecksMissing(format!(
            "no alternative was assessed at {limit} or more, so nothing refutes it"
        )))
    }

    fn approve(&mut self, taken: &Taken<'_>, what: Release, fold: &Fold<'_>) -> Effect {
        let Some(decision) = &self.decision else {
            return Err(Refusal::OutOfOrder("nothing was decided".to_owned()));
        };
        if let Some(why) = self.vetoed.get(&what) {
            return Err(Refusal::Vetoed(why.clone()));
        }
        let seen = fold.common.witnesses_of(decision.entry + 1, taken.entry).len();
        if seen < fold.rules.witness_quorum {
            return Err(Refusal::ChecksMissing(format!(
                "witnesses of {seen} contingents have cosigned the decision, {} are needed",
                fold.rules.witness_quorum
            )));
        }
        if what == Release::Attribution {
            let Some(proposal) = &self.proposal else {
                return Err(Refusal::OutOfOrder("no attribution was proposed".to_owned()));
            };
            let Some((_, incident)) = fold.ground.finding(self.finding) else {
                return Err(Refusal::OutOfOrder("there is no such finding any more".to_owned()));
            };
            let missing = proposal.missing(self, taken.received, fold.rules, incident.class());
            if !missing.is_empty() {
                return Err(Refusal::ChecksMissing(missing.join("; ")));
            }
        }
        self.approved.insert(what, taken.entry);
        Ok(())
    }

    fn publish(&mut self, taken: &Taken<'_>, what: Release) -> Effect {
        if let Some(why) = self.vetoed.get(&what) {
            return Err(Refusal::Vetoed(why.clone()));
        }
        if !self.approved.contains_key(&what) {
            return Err(Refusal::OutOfOrder("the head of mission has not approved it".to_owned()));
        }
        match what {
            Release::Finding => self.published = Some((taken.entry, taken.received)),
            Release::Attribution => {
                if let Some(proposal) = &mut self.proposal {
                    proposal.published = Some(taken.entry);
                }
            }
        }
        Ok(())
    }

    fn retract(&mut self, taken: &Taken<'_>, reason: String) -> Effect {
        said("reason", &reason)?;
        let Some(decision) = self.verified() else {
            return Err(Refusal::OutOfOrder("the finding is not verified".to_owned()));
        };
        let person = &taken.officer.person;
        let ruled = decision.verifiers.iter().any(|signer| signer.person == *person);
        if taken.officer.role == Role::Verifier && !ruled {
            return Err(Refusal::NotYours("another verifier's ruling".to_owned()));
        }
        self.retracted = Some((taken.entry, taken.received, reason));
        Ok(())
    }
}
