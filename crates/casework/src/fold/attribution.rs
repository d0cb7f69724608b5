//! Attribution: four signatures, a mixed panel, printed dissent.

use domain::case::{Attribution, Grade, Signer};
use domain::{Class, Probability};
use jiff::Timestamp;

use super::work::Work;
use super::{Effect, distinct};
use crate::act::Bearing;
use crate::refusal::Refusal;
use crate::role::Role;
use crate::rules::Rules;

/// An attribution that was proposed.
pub(super) struct Proposal {
    pub chair: Signer,
    pub grade: Grade,
    pub actor: Option<String>,
    pub probability: Probability,
    pub lines: Vec<(Bearing, String)>,
    pub control: String,
    pub endorsed: Vec<Signer>,
    pub dissent: Vec<(Signer, String)>,
    pub published: Option<u64>,
}

impl Proposal {
    pub(super) fn new(
        chair: Signer,
        grade: Grade,
        actor: Option<String>,
        probability: Probability,
        lines: Vec<(Bearing, String)>,
        control: String,
    ) -> Self {
        let (endorsed, dissent) = (Vec::new(), Vec::new());
        let published = None;
        Self { chair, grade, actor, probability, lines, control, endorsed, dissent, published }
    }

    pub(super) fn endorse(&mut self, signer: Signer, dissent: Option<String>) -> Effect {
        let person = &signer.person;
        let signed = self
            .endorsed
            .iter()
            .chain(self.dissent.iter().map(|(signer, _)| signer))
            .chain([&self.chair])
            .any(|known| known.person == *person);
        if signed {
            return Err(Refusal::SamePerson(format!("{person} has signed it already")));
        }
        match dissent {
            Some(words) => self.dissent.push((signer, words)),
            None => self.endorsed.push(signer),
        }
        Ok(())
    }

    fn signed(&self, role: Role) -> Vec<&Signer> {
        self.endorsed.iter().filter(|signer| signer.role == role.code()).collect()
    }

    /// What is missing before it stands.
    pub(super) fn missing(
        &self,
        work: &Work,
        moment: Timestamp,
        rules: &Rules,
        class: Class,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        let Some(decision) = work.verified() else {
            return vec!["the finding is not verified".to_owned()];
        };
        if self.signed(Role::Analyst).is_empty() {
            missing.push("signature of the analyst".to_owned());
        }
        let verifiers = self
            .signed(Role::Verifier)
            .into_iter()
            .filter(|signer| decision.verifiers.iter().any(|one| one.person == signer.person))
            .count();
        if verifiers < 2 {
            missing.push(format!("signatures of both verifiers who ruled ({verifiers} of 2)"));
        }
        let member = |signer: &Signer| signer.role == Role::PanelMember.code();
        let against = self.dissent.iter().filter(|(signer, _)| member(signer)).count();
        let for_it = 1 + self.signed(Role::PanelMember).len();
        if for_it + against < rules.panel {
            missing.push(format!("panel of {} ({} have signed)", rules.panel, for_it + against));
        }
        if against >= for_it && self.grade != Grade::Contested {
            missing.push("a majority of the panel".to_owned());
        }
        let signers = || self.endorsed.iter().chain([&self.chair]);
        let contingents = distinct(signers().map(|signer| signer.contingent.as_str()));
        if contingents < rules.attribution_contingents {
            missing.push(format!(
                "signatures from {} contingents ({contingents} so far)",
                rules.attribution_contingents
            ));
        }
        self.missing_evidence(work, moment, rules, class, &mut missing);
        missing
    }

    fn missing_evidence(
        &self,
        work: &Work,
        moment: Timestamp,
        rules: &Rules,
        class: Class,
        missing: &mut Vec<String>,
    ) {
        let names = !matches!(self.grade, Grade::NotAttributable | Grade::Contested);
        if !names {
            return;
        }
        let Some(actor) = &self.actor else {
            missing.push("the actor".to_owned());
            return;
        };
        if matches!(self.grade, Grade::Attributable | Grade::LargelyAttributable) {
            if self.lines.is_empty() {
                missing.push("a line of evidence that bears on the actor".to_owned());
            }
            // Under the threshold it can be consistent with an actor, no more.
            let least = rules.of(class).actor;
            if self.probability.get() < least {
                missing.push(format!("P(actor) of {least} ({:.2})", self.probability.get()));
            }
        }
        if self.control.trim().is_empty() {
            missing.push("the state of control of territory at that time".to_owned());
        }
        let heard = work.notices.iter().any(|notice| {
            notice.party == *actor && (moment > notice.due || !notice.replies.is_empty())
        });
        if rules.is_party(actor) && !heard {
            missing.push(format!("the reply of {actor}, or the end of its window"));
        }
    }

    /// The object, as of a moment.
    pub(super) fn object(
        &self,
        work: &Work,
        moment: Timestamp,
        rules: &Rules,
        class: Class,
    ) -> Attribution {
        let mut signers = vec![self.chair.clone()];
        signers.extend(self.endorsed.iter().cloned());
        Attribution {
            entry: self.chair.entry,
            grade: self.grade,
            actor: self.actor.clone(),
            probability: self.probability,
            lines: self
                .lines
                .iter()
                .map(|(bearing, words)| format!("{}: {words}", bearing_words(*bearing)))
                .collect(),
            control: self.control.clone(),
            signers,
            dissent: self.dissent.clone(),
            missing: self.missing(work, moment, rules, class),
            published: self.published,
        }
    }
}

const fn bearing_words(bearing: Bearing) -> &'static str {
    match bearing {
        Bearing::Trajectory => "trajectory",
        Bearing::WeaponPossession => "weapon and its possession",
        Bearing::Track => "track",
        Bearing::Admission => "intercept or admission",
    }
}
