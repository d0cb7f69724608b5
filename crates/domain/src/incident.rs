//! Events and observations near in place and time that the mission handles as
//! one case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::observation::RecordPosition;
use crate::particulars::Particulars;
use crate::place::Located;
use crate::probability::Probability;
use crate::source::SourceKind;
use crate::taxonomy::{Class, Signature};
use crate::time::Occurrence;

/// How far an incident or a finding has come. Nothing in the fold of
/// observations alone can raise it above `Reported`; the rest needs people, and
/// the order of the values is no ladder ([`Status::rank`] is).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody or something reported it.
    Reported,
    /// An analyst found reasonable grounds, and the structure rule holds.
    Corroborated,
    /// It passed the verification criterion: a violation.
    Verified,
    /// It was verified, and a check does not hold any more.
    ReviewDue,
    /// It was something else.
    Refuted,
    /// Nobody can say; the reason is given.
    CannotRule,
    /// It was verified, and that was taken back.
    Retracted,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Reported,
        Self::Corroborated,
        Self::Verified,
        Self::ReviewDue,
        Self::Refuted,
        Self::CannotRule,
        Self::Retracted,
    ];

    /// How strongly it says that a provision was breached: 0 to 2.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Reported | Self::Refuted | Self::CannotRule | Self::Retracted => 0,
            Self::Corroborated | Self::ReviewDue => 1,
            Self::Verified => 2,
        }
    }

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Corroborated => "corroborated",
            Self::Verified => "verified",
            Self::ReviewDue => "review_due",
            Self::Refuted => "refuted",
            Self::CannotRule => "cannot_rule",
            Self::Retracted => "retracted",
        }
    }

    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Corroborated => "corroborated",
            Self::Verified => "verified violation",
            Self::ReviewDue => "review due",
            Self::Refuted => "refuted",
            Self::CannotRule => "cannot rule",
            Self::Retracted => "retracted",
        }
    }
}

/// One observation's part in an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The observation.
    pub observation: Id,
    /// Where it stands in the record.
    pub at: RecordPosition,
    /// Its source.
    pub source: String,
    /// The text or measurement it goes back to; members of one origin count once.
    pub origin: Id,
    /// What was observed.
    pub signature: Signature,
    /// True if an earlier member of the same origin already counts.
    pub repeat: bool,
    /// P(it tells of this incident and not of another one, nor of something by
    /// itself).
    pub weight: Probability,
    /// Why it belongs here, in words.
    pub because: String,
}

/// Another incident that may be the same occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameAs {
    /// The other incident.
    pub incident: Id,
    /// P(both are one).
    pub probability: Probability,
}

/// One step from what was presumed to what is believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// What was reported, or not reported, by whom.
    pub what: String,
    /// What it adds to the log-odds (natural logarithm).
    pub log_odds: f64,
}

/// How far an incident is believed: by declared priors and ratios, calibrated
/// where it is known how such incidents turned out, and never shown without its
/// reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Belief {
    /// P(something of the kind took place there and then).
    pub probability: Probability,
    /// P(it is none of the incidents that it may be the same as).
    pub distinct: Probability,
    /// Version of the priors.
    pub priors: String,
    /// The regime that they were taken from.
    pub regime: String,
    /// How the probability came about; the log-odds add up to it.
    pub reasons: Vec<Reason>,
    /// What the last of the reasons, the calibration, was fitted on; empty if
    /// there is none and the probability follows from declared ratios alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub calibrated_on: String,
}

impl Belief {
    /// What the reasons add up to without the calibration, nats.
    pub fn before_calibration(&self) -> f64 {
        let calibrations = usize::from(!self.calibrated_on.is_empty());
        let declared = self.reasons.len().saturating_sub(calibrations);
        self.reasons[..declared].iter().map(|reason| reason.log_odds).sum()
    }
}

/// A class with the share of the evidence that speaks for it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassShare {
    /// The class.
    pub class: Class,
    /// Share of the origins, in [0, 1]; the shares of an incident add up to 1.
    pub share: Probability,
}

/// A named explanation under which nothing was breached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// The class it would be.
    pub class: Class,
    /// What speaks for it.
    pub because: String,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Derived from the observation that opened it; stable as others join.
    pub id: Id,
    /// How far it has come.
    pub status: Status,
    /// When: the common part of what its members allow.
    pub when: Occurrence,
    /// Where: the most precise of its members' places.
    pub place: Located,
    /// The place in the form "settlement (control, distance and bearing)".
    pub place_name: String,
    /// Classes, most supported first.
    pub classes: Vec<ClassShare>,
    /// Signatures counted, repeats left out.
    pub signatures: BTreeMap<Signature, u64>,
    /// What a source claims as a number (87 launched): the largest claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_count: Option<f64>,
    /// Tags of protected objects that the evidence mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// Weapon, height and notification, where the evidence tells them.
    #[serde(default, skip_serializing_if = "Particulars::is_empty")]
    pub particulars: Particulars,
    /// Its evidence, in record order.
    pub members: Vec<Member>,
    /// Number of different origins.
    pub origins: u32,
    /// Independence groups of its sources, sorted.
    pub groups: Vec<String>,
    /// Kinds of its sources, sorted: what it rests on.
    pub kinds: Vec<SourceKind>,
    /// Explanations that are not a breach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Alternative>,
    /// How far it is believed, and why.
    pub belief: Belief,
    /// Incidents that may be the same occurrence, most probable first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_be_same_as: Vec<SameAs>,
    /// Remarks: what is doubtful about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// What an incident rests on: counts of different rest are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Several kinds of sources agree.
    SeveralKinds,
    /// The mission's own instruments or people.
    Mission,
    /// Press and public.
    Press,
    /// A party's claims.
    PartyClaims,
    /// A curated data set.
    Research,
    /// Hot spots seen from space and nothing else.
    HotSpots,
}

impl Basis {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 6] = [
        Self::SeveralKinds,
        Self::Mission,
        Self::Press,
        Self::PartyClaims,
        Self::Research,
        Self::HotSpots,
    ];

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SeveralKinds => "several_kinds",
            Self::Mission => "mission",
            Self::Press => "press",
            Self::PartyClaims => "party_claims",
            Self::Research => "research",
            Self::HotSpots => "hot_spots",
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::SeveralKinds => "several kinds of sources",
            Self::Mission => "sensors and patrols of the mission",
            Self::Press => "press and public only",
            Self::PartyClaims => "a party's claims only",
            Self::Research => "a curated data set only",
            Self::HotSpots => "hot spots from space only",
        }
    }
}

impl Incident {
    /// What it rests on.
    pub fn basis(&self) -> Basis {
        match self.kinds.as_slice() {
            [SourceKind::Satellite] => Basis::HotSpots,
            [SourceKind::Press] => Basis::Press,
            [SourceKind::Party] => Basis::PartyClaims,
            [SourceKind::Research] => Basis::Research,
            [_] | [] => Basis::Mission,
            _ => Basis::SeveralKinds,
        }
    }

    /// The best supported class.
    pub fn class(&self) -> Class {
        self.classes.first().map_or(Class::A13, |first| first.class)
    }

    /// The share of the evidence that speaks for classes that `wanted` accepts.
    pub fn share_of(&self, wanted: impl Fn(Class) -> bool) -> Probability {
        let sum: f64 = self
            .classes
            .iter()
            .filter(|class_share| wanted(class_share.class))
            .map(|class_share| class_share.share.get())
            .sum();
        Probability::new(sum)
    }
}
