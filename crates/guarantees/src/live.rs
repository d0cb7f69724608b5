//! What is live today, commitment by commitment and guarantor by guarantor.

use agreement::trigger::{Call, call};
use agreement::{Agreement, LegalStep, Modality, Strength, Verdict, standing};
use domain::{Probability, Zone};
use jiff::Timestamp;

use crate::cause::{Cause, timeline};
use crate::{LEAST, add_new, obligors, unbinding};

/// Whether a commitment could be called on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Its condition is met: whatever calls it would find it.
    Live,
    /// Its condition is not met.
    Dormant,
    /// Whether its condition is met is open, or differs from reading to reading.
    Open,
    /// It became void.
    Void,
    /// The guarantor has suspended it.
    Suspended,
    /// It binds nobody; the reason.
    NotBinding(String),
}

/// One guarantor's part in one commitment, as of a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// The commitment.
    pub commitment: String,
    /// Its title.
    pub title: String,
    /// The guarantor.
    pub guarantor: String,
    /// Whom it is owed to.
    pub beneficiary: String,
    /// Legal force, by reading.
    pub strength: Vec<Strength>,
    /// With what force it was said, by reading.
    pub modality: Vec<Modality>,
    /// Who says that it was undertaken.
    pub asserted_by: String,
    /// How far the guarantor has come.
    pub step: Option<LegalStep>,
    /// Whether it could be called on.
    pub readiness: Readiness,
    /// Why.
    pub because: Vec<String>,
}

impl Live {
    /// The readiness in words.
    pub fn words(&self) -> &str {
        match &self.readiness {
            Readiness::Live => "live",
            Readiness::Dormant => "dormant",
            Readiness::Open => "open",
            Readiness::Void => "void",
            Readiness::Suspended => "suspended",
            Readiness::NotBinding(why) => why,
        }
    }
}

/// All commitments as of a moment, in the order of the package.
pub fn live(it: &Agreement, causes: &[Cause], as_of: Timestamp) -> Vec<Live> {
    let timeline = timeline(causes, as_of);
    let date = Zone::utc().date(as_of);
    let mut found = Vec::new();
    for commitment in &it.commitments {
        let calls = call(it, commitment, &timeline);
        let condition = readiness(&calls);
        let mut because = Vec::new();
        for call in &calls {
            add_new(&mut because, call.active.because.iter().chain(&call.void.because).cloned());
        }
        for guarantor in obligors(it, commitment) {
            let ladder = standing(&it.ladder, guarantor, &commitment.id, date);
            let readiness = match unbinding(it, commitment, guarantor) {
                Some(why) => Readiness::NotBinding(why),
                None if ladder.suspended => Readiness::Suspended,
                None => condition.clone(),
            };
            found.push(Live {
                commitment: commitment.id.clone(),
                title: commitment.title.get("en").to_owned(),
                guarantor: guarantor.to_owned(),
                beneficiary: commitment.beneficiary.clone(),
                strength: commitment.strength.readings().iter().map(|one| one.value).collect(),
                modality: commitment.modality.readings().iter().map(|one| one.value).collect(),
                asserted_by: commitment.asserted_by.clone(),
                step: ladder.step,
                readiness,
                because: because.clone(),
            });
        }
    }
    found
}

/// Only what every reading says is said without a reading.
fn readiness(calls: &[Call]) -> Readiness {
    let least = Probability::new(LEAST);
    let void = |call: &Call| call.void.truth.verdict(least);
    let active = |call: &Call| call.active.truth.verdict(least);
    if calls.iter().all(|call| void(call) == Verdict::Met) {
        Readiness::Void
    } else if calls.iter().all(|call| active(call) == Verdict::NotMet) {
        Readiness::Dormant
    } else if calls.iter().all(|call| active(call) == Verdict::Met && void(call) == Verdict::NotMet)
    {
        Readiness::Live
    } else {
        Readiness::Open
    }
}
