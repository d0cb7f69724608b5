//! Incidents held against what really took place in an exercise: are they
//! believed as much as they deserve?

use std::collections::BTreeMap;

use chance::Chance;
use domain::{Incident, LatLon, SourceKind};
use jiff::Timestamp;

use crate::ground::Ground;
use crate::happening;

/// An incident counts as an occurrence if it is not farther from it, beside its
/// own radius, metres, and not later or earlier, beside its own span, s.
const NEAR_M: f64 = 3_000.0;
const NEAR_S: f64 = 3_600.0;
/// An incident that is placed no better than this cannot be told apart, metres.
const COARSE_M: f64 = 10_000.0;

/// Something that took place.
struct Happened {
    at: Timestamp,
    place: LatLon,
}

/// How incidents that rest on the same kinds of sources hold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held {
    /// How many there are.
    pub incidents: u64,
    /// How many of them are expected to be an occurrence of their own: the sum
    /// of what is stated.
    pub expected: f64,
    /// How many are: paired one to one, nearest first.
    pub real: u64,
    /// Sum of squared differences between what is stated and what is.
    pub squares: f64,
}

impl Held {
    fn add(&mut self, stated: f64, real: bool) {
        let is = f64::from(u8::from(real));
        self.incidents += 1;
        self.expected += stated;
        self.real += u64::from(real);
        self.squares += (stated - is) * (stated - is);
    }

    /// Mean squared difference (Brier).
    pub fn brier(&self) -> f64 {
        self.squares / (self.incidents.max(1) as f64)
    }

    /// The sum of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            incidents: self.incidents + other.incidents,
            expected: self.expected + other.expected,
            real: self.real + other.real,
            squares: self.squares + other.squares,
        }
    }
}

/// The outcome of holding incidents against an exercise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// By the kinds of sources that incidents rest on.
    pub by_kinds: BTreeMap<Vec<SourceKind>, Held>,
    /// By tenths of what is stated.
    pub by_tenth: [Held; 10],
    /// Occurrences that were made up.
    pub happened: u64,
    /// Incidents placed too coarsely to be compared, such as "in the region".
    pub coarse: u64,
}

impl Outcome {
    /// All incidents together.
    pub fn all(&self) -> Held {
        self.by_tenth.iter().fold(Held::default(), |sum, one| sum.and(*one))
    }
}

/// What an incident of an exercise was in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// An occurrence that no other incident is nearer to.
    Real,
    /// Nothing of its own: a false report, or a second incident of an occurrence.
    Unreal,
    /// It is placed too coarsely to be compared, such as "in the region".
    Coarse,
}

/// Holds the incidents of the exercise with this seed against its truth.
pub fn hold(seed: u64, incidents: &[Incident]) -> Outcome {
    let (truths, happened) = judge(seed, incidents);
    let mut outcome = Outcome { happened, ..Outcome::default() };
    for (incident, truth) in incidents.iter().zip(truths) {
        if truth == Truth::Coarse {
            outcome.coarse += 1;
            continue;
        }
        let real = truth == Truth::Real;
        let stated = incident.belief.probability.get() * incident.belief.distinct.get();
        outcome.by_kinds.entry(incident.kinds.clone()).or_default().add(stated, real);
        outcome.by_tenth[((stated * 10.0) as usize).min(9)].add(stated, real);
    }
    outcome
}

/// What each incident of the exercise with this seed was in truth, paired one to
/// one with what was made up, nearest first; and how much was made up.
pub fn judge(seed: u64, incidents: &[Incident]) -> (Vec<Truth>, u64) {
    let ground = Ground::new(&mut Chance::new(seed, "ground"));
    let truth: Vec<Happened> = happening::truth(&mut Chance::new(seed, "happening"))
        .iter()
        .map(|event| Happened { at: event.moment(), place: ground.at(event.place) })
        .collect();
    let mut pairs = Vec::new();
    for (i, incident) in incidents.iter().enumerate() {
        let fine = incident.place.radius_m() <= COARSE_M;
        let Some(centre) = incident.place.centre().filter(|_| fine) else { continue };
        let span = incident.when.span;
        for (j, happened) in truth.iter().enumerate() {
            let early = domain::time::seconds_between(happened.at, span.from);
            let late = domain::time::seconds_between(span.to, happened.at);
            let off_m = centre.distance_m(happened.place) - incident.place.radius_m();
            if early.max(late) <= NEAR_S && off_m <= NEAR_M {
                pairs.push((centre.distance_m(happened.place), i, j));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let (mut real, mut taken) = (vec![false; incidents.len()], vec![false; truth.len()]);
    for (_, i, j) in pairs {
        if !real[i] && !taken[j] {
            (real[i], taken[j]) = (true, true);
        }
    }
    let truths = incidents
        .iter()
        .zip(real)
        .map(|(incident, real)| {
            if incident.place.radius_m() > COARSE_M {
                Truth::Coarse
            } else if real {
                Truth::Real
            } else {
                Truth::Unreal
            }
        })
        .collect();
    (truths, truth.len() as u64)
}
