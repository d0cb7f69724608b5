//! What a person can do: the payload of a signed entry.
//!
//! The payload is JSON in a DSSE envelope. It names the mission, so that an
//! envelope of one mission proves nothing in another, and carries the moment of
//! the act by the signer's clock.

use std::collections::BTreeMap;

use domain::case::{Grade, ReasonCode, Ruling, Severity};
use domain::obligation::Response;
use domain::taxonomy::ClassPattern;
use domain::{Id, Probability};
use jiff::Timestamp;
use record::dsse::Envelope;
use record::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};

use crate::role::Role;
use sha2::{Digest as _, Sha256};

/// Type of the payload.
pub const TYPE: &str = "application/vnd.truceline.act.v1+json";

/// Codes of all acts.
pub const CODES: [&str; 32] = [
    "lease",
    "triage",
    "task",
    "corroborate",
    "grade",
    "assess",
    "link",
    "flag",
    "calibrate",
    "elements",
    "notice",
    "reply",
    "answer_points",
    "seal",
    "rule",
    "attribute",
    "endorse",
    "approve",
    "publish",
    "veto",
    "correct",
    "retract",
    "ask",
    "outcome",
    "archive",
    "field_report",
    "edit_report",
    "restriction",
    "allegation",
    "witness",
    "obligation",
    "countersign",
];

/// A signed statement, before it is signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// SHA-256 of the mission's `mission.toml`, in hexadecimal digits.
    pub mission: String,
    /// When it was done, by the signer's clock.
    pub at: Timestamp,
    /// The finding that it is about, for acts about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Id>,
    /// What was done.
    pub act: Act,
}

/// Outcome of a triage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Triage {
    /// It is worked on.
    Proceed,
    /// It is set aside; the note says why.
    SetAside,
}

/// A named alternative with its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// A class (`Z3`) or `staged`.
    pub name: String,
    /// P(it was that), given the evidence.
    pub probability: Probability,
    /// On what ground.
    pub because: String,
}

/// What is wrong with an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// Its position was spoofed or jammed: it may not carry a zone decision.
    Position,
    /// Its clock is wrong.
    Clock,
    /// Its chain of custody is broken.
    Custody,
    /// Its media look made or altered. Advisory on its own: it fills no slot.
    Synthetic,
    /// It was found staged.
    Staged,
}

/// Answer to a legal element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is there.
    Met,
    /// It is not.
    NotMet,
    /// Nobody can say.
    Unknown,
}

/// A line of evidence that bears on the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearing {
    /// Trajectory or direction with its cone of uncertainty.
    Trajectory,
    /// Weapon type with possession and range geometry.
    WeaponPossession,
    /// A track to a position under known control.
    Track,
    /// An intercept or admission with custody.
    Admission,
}

/// A released object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Release {
    /// The finding, without an actor.
    Finding,
    /// The attribution.
    Attribution,
}

/// Outcome of a consequence record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something was done.
    ActionTaken,
    /// Nothing was done, for the reason given.
    NoAction,
}

/// Kind of a restriction of movement (VERIFICATION D2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restraint {
    /// Passage refused (class E1).
    Denial,
    /// Passage under conditions (E2).
    Conditional,
    /// Passage late (E3).
    Delay,
    /// Threat or violence (E4).
    Violence,
    /// A storage site closed to a visit (E7).
    Storage,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
#[allow(missing_docs)] // the fields say what they are; each variant is explained
pub enum Act {
    /// Takes a finding to work on, so that no two people do the same.
    Lease { until: Timestamp },
    /// Gives a severity, and says whether work goes on.
    Triage { severity: Severity, outcome: Triage, note: String },
    /// Asks for something to be looked at.
    Task { what: String, due: Timestamp },
    /// Says that these observations corroborate one another.
    Corroborate { observations: Vec<Id>, note: String },
    /// Credibility of the information by the Admiralty code, 1 to 6. How reliable
    /// a source is, the record tells: the two are judged apart.
    Grade { credibility: u8, note: String },
    /// Assesses the named alternatives; may hold the event less likely than
    /// the weights say, never more.
    Assess {
        alternatives: Vec<Alternative>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<Probability>,
        note: String,
    },
    /// Says that observations go back to one origin.
    Link { observations: Vec<Id>, because: String },
    /// Says what is wrong with an observation.
    Flag { observation: Id, flaw: Flaw, note: String },
    /// States how well probabilities of some classes were calibrated.
    Calibrate { classes: Vec<ClassPattern>, from: Timestamp, to: Timestamp, error: f64, cases: u32 },
    /// Answers the legal elements.
    Elements { answers: BTreeMap<String, Answer>, note: String },
    /// Gives notice to a party and starts its clock.
    Notice { party: String, questions: Vec<String> },
    /// A party's reply.
    Reply {
        points: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        contests: Vec<String>,
    },
    /// Answers the points of a reply, one by one.
    AnswerPoints { reply: u64, answers: Vec<String> },
    /// Commits to a ruling without showing it ([`seal`]).
    Seal { round: u32, seal: String },
    /// Opens the seal.
    Rule {
        round: u32,
        ruling: Ruling,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<ReasonCode>,
        note: String,
        salt: String,
    },
    /// Proposes an attribution; the chair's signature.
    Attribute {
        grade: Grade,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        probability: Probability,
        lines: Vec<(Bearing, String)>,
        control: String,
        note: String,
    },
    /// Signs a proposed attribution, or dissents from it.
    Endorse {
        attribution: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dissent: Option<String>,
    },
    /// Approves a release.
    Approve { what: Release },
    /// Releases.
    Publish { what: Release },
    /// Stops a release.
    Veto { what: Release, reason: String },
    /// Corrects what was published.
    Correct { field: String, was: String, is: String, reason: String },
    /// Takes a verified finding back.
    Retract { reason: String },
    /// Asks a party for corrective action.
    Ask { of: String, action: String, due: Timestamp },
    /// Says what came of a verified finding.
    Outcome { outcome: Outcome, reason: String },
    /// Puts a case away.
    Archive,
    /// A raw field report, committed before anybody edits it.
    FieldReport { report: String, captured: Timestamp, observations: Vec<Id>, text: String },
    /// A new wording of a field report.
    EditReport { report: u64, text: String, reason: String },
    /// Somebody was kept from looking.
    Restriction {
        party: String,
        kind: Restraint,
        place: String,
        claimed_reason: String,
        minutes: u32,
        stopped: String,
    },
    /// A party alleges something.
    Allegation { party: String, time: String, place: String, conduct: String, evidence: String },
    /// Cosigns the state of the record.
    Witness { size: u64, root: String },
    /// A guarantor answers a proposed obligation.
    Obligation { obligation: String, response: Response, note: String },
    /// The head of a contingent vouches for the key of one of its people, as declared.
    Countersign { key: String, person: String, role: Role },
}

impl Act {
    /// The code of the act.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Lease { .. } => "lease",
            Self::Triage { .. } => "triage",
            Self::Task { .. } => "task",
            Self::Corroborate { .. } => "corroborate",
            Self::Grade { .. } => "grade",
            Self::Assess { .. } => "assess",
            Self::Link { .. } => "link",
            Self::Flag { .. } => "flag",
            Self::Calibrate { .. } => "calibrate",
            Self::Elements { .. } => "elements",
            Self::Notice { .. } => "notice",
            Self::Reply { .. } => "reply",
            Self::AnswerPoints { .. } => "answer_points",
            Self::Seal { .. } => "seal",
            Self::Rule { .. } => "rule",
            Self::Attribute { .. } => "attribute",
            Self::Endorse { .. } => "endorse",
            Self::Approve { .. } => "approve",
            Self::Publish { .. } => "publish",
            Self::Veto { .. } => "veto",
            Self::Correct { .. } => "correct",
            Self::Retract { .. } => "retract",
            Self::Ask { .. } => "ask",
            Self::Outcome { .. } => "outcome",
            Self::Archive => "archive",
            Self::FieldReport { .. } => "field_report",
            Self::EditReport { .. } => "edit_report",
            Self::Restriction { .. } => "restriction",
            Self::Allegation { .. } => "allegation",
            Self::Witness { .. } => "witness",
            Self::Obligation { .. } => "obligation",
            Self::Countersign { .. } => "countersign",
        }
    }

    /// Whether the act is about one finding.
    pub const fn is_on_a_finding(&self) -> bool {
        !matches!(
            self,
            Self::Link { .. }
                | Self::Flag { .. }
                | Self::Calibrate { .. }
                | Self::FieldReport { .. }
                | Self::EditReport { .. }
                | Self::Restriction { .. }
                | Self::Allegation { .. }
                | Self::Witness { .. }
                | Self::Obligation { .. }
                | Self::Countersign { .. }
        )
    }
}

impl Statement {
    /// Signs the statement: the bytes of its envelope.
    pub fn sign(&self, key: &PrivateKey) -> Result<Vec<u8>, record::Error> {
        let payload = serde_json::to_vec(self).expect("a statement always has a JSON form");
        Ok(Envelope::sign(TYPE, &payload, &[key])?.to_json())
    }
}

/// The hash by which a verifier commits to a ruling before anybody sees it. The
/// salt must be known to the verifier alone until the seal is opened.
pub fn seal(mission: &str, finding: Id, round: u32, ruling: Ruling, salt: &str) -> String {
    let text = format!("truceline seal v1\n{mission}\n{finding}\n{round}\n{ruling}\n{salt}\n");
    domain::state::digest(text.as_bytes())
}

/// A salt that only the holder of a key can make, so that it need not be kept:
/// a hash of the key's own signature, which Ed25519 makes without randomness.
pub fn salt(key: &PrivateKey, mission: &str, finding: Id, round: u32) -> String {
    let message = format!("truceline salt v1\n{mission}\n{finding}\n{round}\n");
    domain::state::digest(&Sha256::digest(key.sign(message.as_bytes())))
}

/// What an envelope says, if it is signed by exactly one of the keys.
pub(crate) fn open<'k>(
    bytes: &[u8],
    keys: &[&'k PublicKey],
) -> Result<(Envelope, &'k PublicKey), OpenError> {
    let envelope =
        Envelope::parse(bytes).map_err(|error| OpenError::Unreadable(error.to_string()))?;
    if envelope.payload_type() != TYPE {
        return Err(OpenError::Unreadable(format!("its type is {}", envelope.payload_type())));
    }
    let signer = match envelope.verify(keys) {
        Ok(signers) => signers[0],
        Err(error) => return Err(OpenError::WrongKey(error.to_string())),
    };
    if envelope.claimed_signers().count() > 1 {
        return Err(OpenError::WrongKey("an act has one signature".to_owned()));
    }
    Ok((envelope, signer))
}

/// Why an envelope says nothing.
pub(crate) enum OpenError {
    /// It cannot be read.
    Unreadable(String),
    /// No known key signed it, or a signature is wrong.
    WrongKey(String),
}
