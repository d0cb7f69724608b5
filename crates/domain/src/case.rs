//! What people have made of a finding: steps, checks, replies, decision,
//! attribution, publication, consequence. Plain values; the rules that lead to
//! them stand in the crate `casework`.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::incident::Status;
use crate::probability::Probability;
pub use crate::standard::{Severity, Standard};

/// Quality of the basis. Never in the same sentence as a likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One line, or custody or calibration in doubt.
    Low,
    /// The structure rule holds.
    Moderate,
    /// Three independent lines, calibrated, no dissent.
    High,
}

/// What a verifier, or all of them together, ruled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// The criterion is met.
    Verified,
    /// It was something else.
    Refuted,
    /// Neither can be said; a reason code is given.
    CannotRule,
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "verified",
            Self::Refuted => "refuted",
            Self::CannotRule => "cannot rule",
        })
    }
}

/// Why nobody can rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// The place could not be reached.
    NoAccess,
    /// Positions or links were jammed.
    Jamming,
    /// One source and no other.
    SingleSource,
    /// The evidence, or the verifiers, contradict one another.
    Conflicting,
    /// The particulars do not suffice.
    InsufficientParticulars,
}

impl ReasonCode {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoAccess => "no access",
            Self::Jamming => "jamming",
            Self::SingleSource => "single source",
            Self::Conflicting => "conflicting",
            Self::InsufficientParticulars => "insufficient particulars",
        }
    }
}

/// The five values of an attribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// To the actor.
    Attributable,
    /// To the actor, with a part unexplained.
    LargelyAttributable,
    /// The actor is not excluded.
    ConsistentWith,
    /// To nobody.
    NotAttributable,
    /// The panel or the parties disagree on the basis.
    Contested,
}

impl Grade {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Attributable => "attributable",
            Self::LargelyAttributable => "largely attributable",
            Self::ConsistentWith => "consistent with",
            Self::NotAttributable => "not attributable",
            Self::Contested => "contested",
        }
    }
}

/// One of the ten checks of the criterion (VERIFICATION E5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// 1 to 10.
    pub number: u8,
    /// `event`, `structure`, ...
    pub name: String,
    /// True if it holds.
    pub holds: bool,
    /// Entries of the record that satisfy it, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<u64>,
    /// What satisfies it, or what is missing.
    pub says: String,
}

/// Something a person did, whether it had an effect or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Index of its entry.
    pub entry: u64,
    /// When the mission took it in, by the mission's clock.
    pub received: Timestamp,
    /// When it was signed, by the signer's clock; none if it cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What was done: `triage`, `notice`, `rule`, ...
    pub act: String,
    /// The finding it is about, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Id>,
    /// Pseudonym of the person; empty if the signature shows nobody.
    pub person: String,
    /// Role of the person.
    pub role: String,
    /// Contingent of the person.
    pub contingent: String,
    /// What was done, in words.
    pub words: String,
    /// Why it has no effect: the code of the rule that it breaks, and words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<(String, String)>,
}

/// A notice to a party, with its clock and what came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Its entry.
    pub entry: u64,
    /// The party.
    pub party: String,
    /// When it was given.
    pub given: Timestamp,
    /// Last moment at which a reply is in time.
    pub due: Timestamp,
    /// What was asked.
    pub questions: Vec<String>,
    /// The replies, oldest first.
    pub replies: Vec<Reply>,
}

/// A party's reply, printed beside the finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Its entry.
    pub entry: u64,
    /// When the mission took it in.
    pub received: Timestamp,
    /// Seconds after the end of the window; 0 if it came in time.
    pub late_s: i64,
    /// Its points.
    pub points: Vec<String>,
    /// Fields of the agreement that it contests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contests: Vec<String>,
    /// Answers to the points, in their order; empty until they are answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
}

/// A person who took part, as far as may be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Pseudonym.
    pub person: String,
    /// Role.
    pub role: String,
    /// Contingent.
    pub contingent: String,
    /// Entry of the signature.
    pub entry: u64,
}

/// A decision of the verifiers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Entry of the opening that completed it.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub ruling: Ruling,
    /// Reason code, for `cannot rule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonCode>,
    /// Who ruled so.
    pub verifiers: Vec<Signer>,
    /// Who ruled otherwise, with their words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dissent: Vec<(Signer, String)>,
    /// The ten checks at that moment.
    pub checks: Vec<Check>,
}

/// Who did it: an object of its own, with its own grade, panel and dissent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribution {
    /// Entry of the proposal.
    pub entry: u64,
    /// The grade.
    pub grade: Grade,
    /// The actor. Left out of everything that leaves the mission until the
    /// attribution is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// P(actor), as the panel holds it.
    pub probability: Probability,
    /// Evidence that bears on the actor, in words.
    pub lines: Vec<String>,
    /// The state of control of territory that it rests on.
    pub control: String,
    /// Who signed.
    pub signers: Vec<Signer>,
    /// Dissent, printed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dissent: Vec<(Signer, String)>,
    /// What is missing before it stands; empty once it stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Entry of its publication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
}

/// A correction that keeps the id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Its entry.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// What is corrected.
    pub field: String,
    /// As it was published.
    pub was: String,
    /// As it should be.
    pub is: String,
    /// Why.
    pub reason: String,
}

/// What a verified finding led to (VERIFICATION D9).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consequence {
    /// Entry of the decision that opened it.
    pub opened: u64,
    /// By when an outcome is due.
    pub due: Timestamp,
    /// Corrective action asked: entry, of whom, what.
    pub asked: Vec<(u64, String, String)>,
    /// Outcome: entry, `action taken` or `no action`, reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<(u64, String, String)>,
    /// Entry by which the case was archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<u64>,
}

/// A running or ended clock of the mission itself (VERIFICATION D10).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// What must be done.
    pub name: String,
    /// From when.
    pub from: Timestamp,
    /// By when.
    pub due: Timestamp,
    /// When it was done, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<Timestamp>,
    /// True if it was not done by then.
    pub overdue: bool,
}

/// The reliability of a source behind a finding, by the Admiralty code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceGrade {
    /// Id of the source.
    pub source: String,
    /// A to F.
    pub reliability: char,
    /// Of the decided findings to which it contributed, those that were verified ...
    pub confirmed: u32,
    /// ... and those that were refuted. Below five together the declared letter stands.
    pub refuted: u32,
}

/// What officers ruled of incidents: true if any finding on it is verified, false
/// if all that were decided are refuted. What is open, or cannot be ruled on,
/// tells nothing.
pub fn rulings(cases: &[Case]) -> BTreeMap<Id, bool> {
    let mut rulings = BTreeMap::new();
    for case in cases {
        let real = match case.status {
            Status::Verified => true,
            Status::Refuted => false,
            _ => continue,
        };
        *rulings.entry(case.incident).or_insert(real) |= real;
    }
    rulings
}

/// A finding on which people have acted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The finding.
    pub finding: Id,
    /// Its incident.
    pub incident: Id,
    /// Its provision.
    pub provision: String,
    /// Its reading; empty if nothing is contested.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reading: String,
    /// How far it has come.
    pub status: Status,
    /// Why a status that was reached does not stand any more; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doubt: String,
    /// Severity given at triage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Highest standard of proof reached.
    pub standard: Standard,
    /// P(the event took place), from independent lines of evidence.
    pub likelihood: Probability,
    /// Quality of the basis.
    pub confidence: Confidence,
    /// Independent lines of evidence, in words.
    pub lines: Vec<String>,
    /// Reliability of its sources, computed from the record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grades: Vec<SourceGrade>,
    /// Credibility of the information, 1 to 6, as an officer graded it before
    /// the reliability was shown: entry and figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credibility: Option<(u64, u8)>,
    /// The ten checks as they are now.
    pub checks: Vec<Check>,
    /// Notices and replies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    /// The decision that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The attribution, if one was proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Entry and moment of publication of the finding, without an actor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<(u64, Timestamp)>,
    /// Corrections since.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<Correction>,
    /// Entry, moment and reason of the retraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retracted: Option<(u64, Timestamp, String)>,
    /// What it led to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consequence: Option<Consequence>,
    /// The mission's own clocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
}

impl Case {
    /// True if the finding is verified and that stands.
    pub fn is_verified(&self) -> bool {
        self.status == Status::Verified
    }

    /// The published attribution, the only place an actor may be taken from.
    pub fn public_attribution(&self) -> Option<&Attribution> {
        self.attribution.as_ref().filter(|one| one.published.is_some() && one.missing.is_empty())
    }

    /// A reason code for the public where there is no published attribution
    /// (VERIFICATION D4).
    pub fn attribution_words(&self) -> &'static str {
        if let Some(one) = self.public_attribution() {
            return one.grade.words();
        }
        match &self.attribution {
            None => "pending",
            Some(one) if one.grade == Grade::NotAttributable => "not possible",
            Some(_) => "withheld",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IdKind;

    #[test]
    fn an_incident_is_real_if_any_finding_on_it_is_verified() {
        let incident = |number: u8| Id::of(IdKind::Incident, &[&[number]]);
        let case = |incident: Id, status: Status| Case {
            finding: Id::of(IdKind::Finding, &[incident.to_string().as_bytes()]),
            incident,
            provision: "p".to_owned(),
            reading: String::new(),
            status,
            doubt: String::new(),
            severity: None,
            standard: Standard::ALL[0],
            likelihood: Probability::ONE,
            confidence: Confidence::Low,
            lines: vec![],
            grades: vec![],
            credibility: None,
            checks: vec![],
            notices: vec![],
            decision: None,
            attribution: None,
            published: None,
            corrections: vec![],
            retracted: None,
            consequence: None,
            clocks: vec![],
        };
        let cases = [
            case(incident(1), Status::Refuted),
            case(incident(1), Status::Verified),
            case(incident(2), Status::Refuted),
            case(incident(2), Status::Refuted),
            case(incident(3), Status::CannotRule),
            case(incident(3), Status::Corroborated),
            case(incident(4), Status::Retracted),
        ];
        let expected = BTreeMap::from([(incident(1), true), (incident(2), false)]);
        assert_eq!(rulings(&cases), expected);
    }
}
