//! Priors: what is believed before any report, and what a report is worth.
//!
//! A versioned object (`priors/*.toml`) with a period of validity: the regime of
//! war ends on entry into force (VERIFICATION D20), so that what was usual in a
//! war is not presumed in a truce.

use std::collections::BTreeMap;

use domain::{Class, Interval, Located, SourceKind};
use serde::Deserialize;
use strict::{Diagnostic, Text};

use crate::calibration::Calibration;
use crate::prior_file;
use crate::sighting::Sighting;

/// Square metres and seconds in "per 1,000 km² and day".
const PER: f64 = 1e9 * 86_400.0;

/// Ground of a cell of the climatology, square metres, at 48 degrees north: 0.1
/// by 0.1 degree. Between 44 and 53 degrees it is right to a tenth.
const CELL_M2: f64 = 11_120.0 * 7_460.0;

/// How often things happen under a regime.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    /// Short name.
    pub id: String,
    /// For people.
    pub title: String,
    pub(crate) near: f64,
    pub(crate) far: f64,
}

/// What the word of a kind of source is worth.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceModel {
    pub(crate) kind: SourceKind,
    /// Reports of independent origin per true occurrence.
    pub reports: f64,
    pub(crate) false_near: f64,
    pub(crate) false_far: f64,
    /// Error of place beyond what the source says, one standard deviation, metres.
    pub place_error_m: f64,
    /// The same for time, seconds.
    pub time_error_s: f64,
    /// Exponent with which a further report of the same independence group counts.
    pub again: f64,
    /// P(it tells of an occurrence | it was looking there and then).
    pub sees: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confusion {
    pub(crate) right: f64,
    pub(crate) undetermined: f64,
}

/// A versioned set of priors, with the time in which a truce is in force.
#[derive(Clone, Debug)]
pub struct Priors {
    /// Version.
    pub version: String,
    /// Spread of one incident on the ground, one standard deviation, metres.
    pub spread_m: f64,
    /// How long firing goes on before or after what a report tells of, seconds.
    pub lasting_s: f64,
    near_line_m: f64,
    settled: f64,
    war: Regime,
    truce: Regime,
    kinds: BTreeMap<SourceKind, SourceModel>,
    confusion: Confusion,
    shares: BTreeMap<Class, f64>,
    other_share: f64,
    in_force: Vec<Interval>,
    /// From what reasons add up to, to what is believed.
    pub calibration: Calibration,
}

/// How densely things lie about a sighting, per m² and second.
#[derive(Clone, Copy, Debug)]
pub struct Density {
    /// True occurrences.
    pub truth: f64,
    /// False reports of the sighting's kind.
    pub falsehood: f64,
    /// P(a truce is in force at that time).
    pub truce: f64,
}

impl Priors {
    /// The priors of this version of the engine. `in_force`: when a truce is in
    /// force under any reading; the prior of war is not valid then.
    ///
    /// # Panics
    /// If the file that is built in is not sound, which a test excludes.
    pub fn current(in_force: Vec<Interval>) -> Self {
        Self::parse(&prior_file::current(), in_force).expect("the built-in priors are sound")
    }

    /// The priors of a file. `in_force` as for [`Self::current`].
    ///
    /// # Errors
    /// A field that is missing, unknown, or has a value that cannot be: with its place.
    ///
    /// # Panics
    /// Never: what is looked up was checked before.
    pub fn parse(text: &Text, in_force: Vec<Interval>) -> Result<Self, Diagnostic> {
        let file = prior_file::parse(text)?;
        let regime = |id: &str| {
            file.regime.iter().find(|regime| regime.id == id).expect("both regimes").clone()
        };
        let other_share = file.shares["other"];
        let shares = file
            .shares
            .iter()
            .filter_map(|(code, share)| Some((code.parse().ok()?, *share)))
            .collect();
        Ok(Self {
            war: regime("no_truce"),
            truce: regime("truce"),
            version: file.version,
            spread_m: file.spread_m,
            lasting_s: file.lasting_s,
            near_line_m: file.near_line_m,
            settled: file.settled,
            kinds: file.kind.into_iter().map(|model| (model.kind, model)).collect(),
            confusion: file.confusion,
            shares,
            other_share,
            in_force,
            calibration: file.calibration,
        })
    }

    /// What the word of such a source is worth; none for maps and references.
    pub fn model(&self, kind: SourceKind) -> Option<&SourceModel> {
        self.kinds.get(&kind)
    }

    /// How densely true and false things lie about a sighting: the two regimes,
    /// mixed by the probability that a truce is in force. For a hot spot
    /// peacetime says how often it burns there without any occurrence.
    pub fn density(&self, sighting: &Sighting, model: &SourceModel, line_m: f64) -> Density {
        let truce = self
            .in_force
            .iter()
            .map(|interval| sighting.when.probability_within(interval).get())
            .fold(0.0, f64::max);
        // Without a map nothing is known to be far.
        let near = line_m <= self.near_line_m || !line_m.is_finite();
        let either = |near_rate: f64, far_rate: f64| if near { near_rate } else { far_rate };
        let settled = match &sighting.place {
            Located::Disc { .. } => self.settled,
            _ => 1.0,
        };
        let rate = truce * either(self.truce.near, self.truce.far)
            + (1.0 - truce) * either(self.war.near, self.war.far);
        let truth = settled * rate / PER;
        let falsehood = if let Some(certainty) = sighting.certainty {
            // As many as the engine's odds say; never quite none.
            let doubt = (1.0 - certainty.get()).max(1e-6);
            truth * model.reports * doubt / (1.0 - doubt).max(1e-6)
        } else if let Some(usual) = &sighting.usual {
            usual.probability / (CELL_M2 * 86_400.0)
        } else {
            settled * either(model.false_near, model.false_far) / PER
        };
        Density { truth, falsehood, truce }
    }

    /// The regime that weighs more.
    pub fn regime(&self, density: Density) -> &Regime {
        if density.truce > 0.5 { &self.truce } else { &self.war }
    }

    /// How much more often two reports name these classes if they tell of one
    /// occurrence than if they tell of two; the best pair counts. With share s
    /// of a class, P(right) r and P(another of the letter) w, the same class
    /// twice has s r² over (s r)²; two classes have (s + s') r w over
    /// (s r)(s' r); "undetermined" says nothing either way.
    pub fn class_agreement(&self, a: &[Class], b: &[Class]) -> f64 {
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b)));
        pairs.map(|(a, b)| self.pair_agreement(a, b)).fold(0.0, f64::max)
    }

    fn pair_agreement(&self, a: Class, b: Class) -> f64 {
        let Confusion { right, undetermined } = self.confusion;
        let share = |class| self.shares.get(&class).copied().unwrap_or(self.other_share);
        if a == Class::A13 || b == Class::A13 {
            1.0
        } else if a == b {
            1.0 / share(a)
        } else {
            // What is neither right nor undetermined, spread over the dozen
            // classes of a letter; hardly ever is it another letter.
            let spread_over = if a.group() == b.group() { 12.0 } else { 120.0 };
            let wrong = (1.0 - right - undetermined) / spread_over;
            (share(a) + share(b)) * wrong / (share(a) * share(b) * right)
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Extent, Id, IdKind, Occurrence, RecordPosition, Signature};

    use super::*;

    fn sighting(text: &str) -> Sighting {
        let at = text.parse().unwrap();
        let id = Id::of(IdKind::Observation, &[]);
        Sighting {
            observation: id,
            at: RecordPosition { entry: 0, line: 0 },
            source: String::new(),
            group: String::new(),
            kind: SourceKind::Patrol,
            origin: crate::sighting::OriginKey::Own(id),
            opens: true,
            when: Occurrence {
                span: Interval { from: at, to: at },
                sigma_s: 60.0,
                extent: Extent::Once,
            },
            place: Located::Unknown,
            signature: Signature::Explosion,
            classes: vec![Class::A13],
            shares: Vec::new(),
            innocent: Vec::new(),
            objects: vec![],
            count: None,
            usual: None,
            certainty: None,
            wave: None,
            particulars: domain::Particulars::default(),
            remarks: vec![],
        }
    }

    fn truce() -> Priors {
        Priors::current(vec![Interval {
            from: "2025-04-19T15:00:00Z".parse().unwrap(),
            to: "2025-04-20T21:00:00Z".parse().unwrap(),
        }])
    }

    /// VERIFICATION D20, R: priors are versioned objects with a period of
    /// validity; on entry into force the war prior expires.
    #[test]
    fn d20_the_war_prior_ends_on_entry_into_force() {
        let priors = truce();
        let model = priors.model(SourceKind::Patrol).unwrap();
        let at = |text| priors.density(&sighting(text), model, 1_000.0);
        let (before, after) = (at("2025-04-19T14:00:00Z"), at("2025-04-19T16:00:00Z"));
        assert_eq!(priors.regime(before).id, "no_truce");
        assert_eq!(priors.regime(after).id, "truce");
        assert!(after.truth < before.truth / 4.0);
        // A minute's clock error at the very moment leaves both.
        let between = at("2025-04-19T15:00:00Z").truth;
        assert!(after.truth < between && between < before.truth);
        assert_eq!(at("2025-04-20T22:00:00Z").truth, before.truth, "it is over");
    }

    #[test]
    fn every_kind_that_reports_has_a_model() {
        use SourceKind::*;
        let priors = truce();
        for kind in
            [Satellite, Acoustic, Seismic, Camera, Patrol, Uav, Authority, Party, Press, Research]
        {
            let model = priors.model(kind).unwrap_or_else(|| panic!("{kind:?}"));
            assert!(model.reports > 0.0 && model.false_near > 0.0 && model.false_far > 0.0);
            assert!((0.0..1.0).contains(&model.sees) && (0.0..=1.0).contains(&model.again));
        }
        assert!(priors.model(ControlMap).is_none() && priors.model(Reference).is_none());
    }

    #[test]
    fn the_same_class_speaks_for_one_occurrence_and_another_against() {
        let priors = truce();
        let agreement = |a, b| priors.class_agreement(&[a], &[b]);
        assert!(agreement(Class::A9, Class::A9) > 1.0);
        assert!(agreement(Class::A9, Class::A4) < 0.2);
        assert_eq!(agreement(Class::A9, Class::A13), 1.0);
        assert_eq!(agreement(Class::A9, Class::A4), agreement(Class::A4, Class::A9));
    }
}
