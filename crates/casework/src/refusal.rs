//! Why an entry that was recorded has no effect.

use std::fmt;

/// The rule that an entry breaks, with the particulars.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // each is explained by its words
pub enum Refusal {
    Unreadable(String),
    WrongKey(String),
    OtherMission,
    Replayed(u64),
    NotYetValid(String),
    Expired(String),
    Revoked(String),
    NotCountersigned(String),
    ClockAhead,
    ReceivedOutOfOrder,
    RoleMayNot { role: &'static str, act: &'static str },
    UnknownFinding,
    NoFindingNamed,
    FindingNamed,
    Leased { person: String, until: String },
    OutOfOrder(String),
    SameContingent(String),
    SamePerson(String),
    OfParty(String),
    Collector(String),
    NotBlind,
    WrongSeal,
    NotYours(String),
    Incomplete(String),
    ChecksMissing(String),
    Vetoed(String),
    NotSo(String),
}

impl Refusal {
    /// The code used in files.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "unreadable",
            Self::WrongKey(_) => "wrong_key",
            Self::OtherMission => "other_mission",
            Self::Replayed(_) => "replayed",
            Self::NotYetValid(_) => "not_yet_valid",
            Self::Expired(_) => "expired",
            Self::Revoked(_) => "revoked",
            Self::NotCountersigned(_) => "not_countersigned",
            Self::ClockAhead => "clock_ahead",
            Self::ReceivedOutOfOrder => "received_out_of_order",
            Self::RoleMayNot { .. } => "role_may_not",
            Self::UnknownFinding => "unknown_finding",
            Self::NoFindingNamed => "no_finding_named",
            Self::FindingNamed => "finding_named",
            Self::Leased { .. } => "leased",
            Self::OutOfOrder(_) => "out_of_order",
            Self::SameContingent(_) => "same_contingent",
            Self::SamePerson(_) => "same_person",
            Self::OfParty(_) => "of_a_party",
            Self::Collector(_) => "collector",
            Self::NotBlind => "not_blind",
            Self::WrongSeal => "wrong_seal",
            Self::NotYours(_) => "not_yours",
            Self::Incomplete(_) => "incomplete",
            Self::ChecksMissing(_) => "checks_missing",
            Self::Vetoed(_) => "vetoed",
            Self::NotSo(_) => "not_so",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Self::WrongKey(why) => write!(f, "no key of this mission vouches for it: {why}"),
            Self::OtherMission => f.write_str("it was signed for another mission"),
            Self::Replayed(entry) => write!(f, "it is a copy of entry {entry}"),
            Self::NotYetValid(from) => write!(f, "its key is valid from {from} on"),
            Self::Expired(to) => write!(f, "its key was valid until {to}"),
            Self::Revoked(why) => write!(f, "its key was revoked: {why}"),
            Self::NotCountersigned(contingent) => {
                write!(f, "the head of the contingent {contingent} has not countersigned its key")
            }
            Self::ClockAhead => f.write_str("it is dated after it was received"),
            Self::ReceivedOutOfOrder => {
                f.write_str("it claims to have been received before an entry that stands before it")
            }
            Self::RoleMayNot { role, act } => write!(f, "the role {role} may not {act}"),
            Self::UnknownFinding => f.write_str("the record comes to no such finding"),
            Self::NoFindingNamed => f.write_str("it names no finding, and is about one"),
            Self::FindingNamed => f.write_str("it names a finding, and is not about one"),
            Self::Leased { person, until } => {
                write!(f, "{person} works on this finding until {until}")
            }
            Self::OutOfOrder(why) => write!(f, "it comes too early or too late: {why}"),
            Self::SameContingent(who) => {
                write!(f, "{who} of the same contingent has a part in it already")
            }
            Self::SamePerson(why) => write!(f, "one person in two parts: {why}"),
            Self::OfParty(party) => write!(f, "the signer is of a party, {party}"),
            Self::Collector(what) => write!(f, "the signer worked on the evidence: {what}"),
            Self::NotBlind => {
                f.write_str("another verifier's ruling was open before this one was sealed")
            }
            Self::WrongSeal => f.write_str("the ruling is not the one that was sealed"),
            Self::NotYours(why) => write!(f, "it is not the signer's to do: {why}"),
            Self::Incomplete(why) => write!(f, "something is missing: {why}"),
            Self::ChecksMissing(which) => write!(f, "checks do not hold: {which}"),
            Self::Vetoed(why) => write!(f, "the release was vetoed: {why}"),
            Self::NotSo(why) => write!(f, "it says what is not so: {why}"),
        }
    }
}
