//! What guarantors promised: to whom, to do what, on which condition, by when,
//! with what legal force, and on whose word.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::citation::{Citation, Localised};
use crate::condition::Condition;
use crate::guarantor::Modality;
use crate::provision::Phase;
use crate::reading::Contested;

/// Where something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// On land.
    Land,
    /// In the air.
    Air,
    /// At sea.
    Sea,
}

/// What something is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// That it does not happen.
    Deter,
    /// If it happens.
    Defend,
    /// That others are not afraid of it.
    Reassure,
    /// That forces can go on.
    Sustain,
    /// That what was destroyed stands again.
    Rebuild,
    /// That one knows.
    Monitor,
}

/// Legal force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Said, and no more.
    Declared,
    /// Politically binding.
    Political,
    /// Legally binding.
    Legal,
}

impl Strength {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Political => "politically binding",
            Self::Legal => "legally binding",
        }
    }
}

/// What is done when the commitment is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A diplomatic warning.
    Warn,
    /// Consultation.
    Consult,
    /// Own forces act in self-defence.
    DefendOwn,
    /// Forces of the coalition act.
    CommitForces,
    /// A coordinated response with several forces.
    CoordinateResponse,
    /// A force is deployed.
    Deploy,
    /// Equipment is supplied.
    Supply,
    /// People are trained.
    Train,
    /// Money is given.
    Fund,
    /// Intelligence is shared, the line is watched.
    Monitor,
    /// Economic measures are taken or come back.
    Sanction,
    /// Something is rebuilt.
    Rebuild,
    /// Diplomatic and other support that is not told apart.
    Support,
}

/// A promise of guarantors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// Never reused.
    pub id: String,
    /// Short name.
    pub title: Localised,
    /// Which component of the guarantees it belongs to, as the text counts them.
    #[serde(default)]
    pub component: String,
    /// Who owes it: guarantors, or parties for the first line.
    pub obligors: Vec<String>,
    /// Whom it is owed to.
    pub beneficiary: String,
    /// What is owed, by kind.
    pub actions: Contested<Vec<Action>>,
    /// Where it is done. Empty: not stated.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// What it is for.
    pub functions: Vec<Function>,
    /// Legal force, as stated.
    pub strength: Contested<Strength>,
    /// With what force it was said.
    pub modality: Contested<Modality>,
    /// Who says that it was undertaken. A beneficiary's report is not the
    /// obligor's confirmation.
    pub asserted_by: String,
    /// Whether the obligor itself has confirmed it, and where.
    pub confirmed: Option<Citation>,
    /// When it belongs: before, at or after entry into force.
    #[serde(default)]
    pub phase: Phase,
    /// What must be so before it can be called at all (a ceasefire in force).
    pub activation: Option<Contested<Condition>>,
    /// What calls it.
    pub trigger: Option<Contested<Condition>>,
    /// The words of the trigger in our words, where wordings differ.
    #[serde(default)]
    pub wording: Localised,
    /// What makes it void.
    pub voiding: Option<Contested<Condition>>,
    /// By when: a clock of the agreement.
    pub clock: Option<String>,
    /// The tier of the response plan that it is.
    pub tier: Option<u8>,
    /// Commitments that it stands behind: if they fail, it is called on.
    #[serde(default)]
    pub backs: Vec<String>,
    /// Provisions whose breach it answers. Empty: not tied to any.
    #[serde(default)]
    pub answers: Vec<String>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// Support for somebody else's guarantee. It binds nobody and is never counted
/// as a commitment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endorsement {
    /// Who said it.
    pub by: String,
    /// For whom, if somebody speaks for a state.
    #[serde(default)]
    pub on_behalf_of: String,
    /// Commitments or the whole agreement (`*`).
    pub of: Vec<String>,
    /// Where.
    #[serde(default)]
    pub citation: Citation,
}

/// A value that may be undecided, and is then kept undecided: never zero,
/// never blank.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Amount {
    /// So much.
    Exactly {
        /// The number.
        value: f64,
        /// Its unit: `people`, `EUR`, `vehicles`.
        unit: String,
    },
    /// At least, or about, so much.
    About {
        /// The number.
        value: f64,
        /// Its unit.
        unit: String,
    },
    /// Not decided, as of a day.
    Undecided {
        /// The day on which that was so.
        as_of: Date,
    },
}

/// What a pledge is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PledgeKind {
    /// Troops.
    Force,
    /// Training.
    Training,
    /// Equipment.
    Equipment,
    /// Money for reconstruction.
    Money,
}

/// How far a pledge has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PledgeStep {
    /// Said.
    Pledged,
    /// Mandated or approved.
    Approved,
    /// Named, packed, paid in.
    Allocated,
    /// On its way.
    Shipped,
    /// There.
    Delivered,
}

/// A pledge of force, training, equipment or money.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pledge {
    /// Never reused.
    pub id: String,
    /// Who pledged; a guarantor.
    pub by: String,
    /// The commitment that it is part of.
    pub commitment: String,
    /// Of what.
    pub kind: PledgeKind,
    /// How much.
    pub amount: Contested<Amount>,
    /// Where it is to serve.
    #[serde(default)]
    pub domains: Vec<Domain>,
    /// Steps reached, with days.
    #[serde(default)]
    pub steps: Vec<PledgeDay>,
    /// Where it stands.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// A step of a pledge.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PledgeDay {
    /// The step.
    pub step: PledgeStep,
    /// Since when.
    pub date: Option<Date>,
    /// Where it stands.
    #[serde(default)]
    pub citation: Citation,
}

impl Pledge {
    /// How far it had come at a date.
    pub fn step_at(&self, at: Date) -> Option<PledgeStep> {
        self.steps
            .iter()
            .filter(|day| day.date.is_none_or(|date| date <= at))
            .map(|day| day.step)
            .max()
    }
}
