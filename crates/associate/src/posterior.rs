//! From evidence to a probability that can be believed: a logistic map on what
//! is known of an event, fitted on sets with truth.

use crate::engine::KEEP_S;
use crate::live::Events;
use crate::math;
use crate::model::Calibration;
use crate::ring::{FREE, Ring};
use crate::score::{Hit, View, Weighed};

/// Detections within so long of an event's own tell how busy its stations were, s.
const BUSY_S: f64 = 20.0;

/// Alarms are counted from so long before a detection to so long after it, s: what came
/// later has not yet been dealt out when an event is released.
const ALARMS_BEFORE_S: f64 = 60.0;
const ALARMS_AFTER_S: f64 = 20.0;
/// An event of this evidence has its detections for certain, one of so much less
/// explains nothing, nats.
const SURE: f64 = 35.0;
const UNSURE: f64 = 20.0;

/// Numbers that the calibration map looks at.
pub const COUNT: usize = 46;

/// What they are, in the order of the weights of a [`Calibration`].
pub const FEATURES: [&str; COUNT] = [
    "one",
    "evidence",
    "root of evidence",
    "log of hits",
    "residuals per hit",
    "residuals per hit beyond 1.5",
    "hits by expected hits",
    "competition at its detections",
    "silence per hit",
    "share of evidence that rivals could take",
    "closeness to a stronger event",
    "belongs to a site",
    "evidence per hit",
    "residuals per hit, few hits",
    "hits fewer than five",
    "competition, few hits",
    "log of all detections around its own, per hit",
    "the same, few hits",
    "mean distance of hits",
    "the same, few hits",
    "log of other events about it",
    "the same, few hits",
    "the same, by log of hits",
    "log of the size of the ellipse",
    "the same, few hits",
    "ellipse wider than the tolerance",
    "no other event about it",
    "the same, few hits",
    "the same, by size of the ellipse",
    "the same, by log of all detections",
    "square of log of size",
    "square of log of all detections",
    "levels off per hit",
    "the same, few hits",
    "the same, by log of hits",
    "the same, by log of other events about it",
    "evidence over all associations",
    "root of it",
    "rate of alarms about its own, per hit",
    "the same, with what events in doubt have",
    "the same, few hits",
    "evidence at that rate",
    "root of it",
    "scatter learned of its stations",
    "doubt whose its detections are",
    "how loud its stations read",
];

/// What is known of an event, as numbers for the calibration map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features(pub [f64; COUNT]);

/// Raw numbers behind [`Features`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Raw {
    pub evidence: f64,
    pub hits: f64,
    pub chi2: f64,
    pub level_chi2: f64,
    pub expected: f64,
    /// Mean log-rate of competition over that of false alarms.
    pub crowd: f64,
    pub silence: f64,
    /// Evidence that other events would gain from its detections.
    pub rival: f64,
    /// 1 on top of a stronger event, 0 far from any.
    pub twin: f64,
    pub site: bool,
    /// Detections of its stations within some seconds of its own, per hit.
    pub busy: f64,
    /// Mean distance of its hits, km.
    pub distance: f64,
    /// Other events within some seconds and kilometres.
    pub others: f64,
    /// Error of its place, with the air as forecast, metres.
    pub size: f64,
    /// What the sum over associations adds to the evidence, nats.
    pub tie: f64,
    /// Sum over its detections of the logarithm of the rate of alarms about each, by what
    /// nothing explains, over the rate that is usual there.
    pub alarms: f64,
    /// The same, with detections of events that are themselves in doubt.
    pub storm: f64,
    /// Mean logarithm of the factor on variances that was learned of its stations.
    pub scatter: f64,
    /// Mean probability that a detection is another's.
    pub doubt: f64,
    /// Mean of how much louder or less loud than others its stations read, dB.
    pub loud: f64,
}

/// Other events so near tell how crowded it was about an event, s and metres.
const OTHERS_S: f64 = 20.0;
const OTHERS_M: f64 = 15_000.0;

/// What there is to know of an event with these hits, weighed so.
pub(crate) fn raw(view: &View, events: &Events, id: u32, hits: &[Hit], weighed: &Weighed) -> Raw {
    let event = events.get(id);
    let (mut crowd, mut busy, mut distance) = (0.0, 0.0, 0.0);
    let (mut alarms, mut storm, mut scatter, mut loud) = (0.0, 0.0, 0.0, 0.0);
    for hit in hits {
        let ring = &view.rings[hit.station as usize];
        let index = ring.index(hit.position);
        crowd += view.ln_crowd(hit.station, index) - view.net.habit[hit.station as usize].ln_false;
        let t = ring.t[index];
        busy += (ring.from(t + BUSY_S) - ring.from(t - BUSY_S) - 1) as f64;
        let habit = &view.net.habit[hit.station as usize];
        let (free, open) = unexplained(view, events, id, ring, index);
        alarms += above_usual(free, habit.false_rate);
        storm += above_usual(open, habit.false_rate);
        scatter += math::ln(habit.scatter);
        loud += habit.loud.abs();
        distance += view.path(event.loc.x, event.loc.y, event.home, hit.station).d / 1e3;
    }
    let count = hits.len() as f64;
    let per = count.max(1.0);
    Raw {
        evidence: weighed.score,
        hits: count,
        chi2: weighed.chi2,
        level_chi2: weighed.level_chi2,
        expected: weighed.expected,
        crowd: crowd / per,
        silence: weighed.silence,
        rival: event.rival,
        twin: events.twin(id),
        busy: busy / per,
        distance: distance / per,
        site: events.belief(view.physics, event.loc, id).site.is_some(),
        others: events.others(id, OTHERS_S, OTHERS_M) as f64,
        size: (2.0 * event.var).sqrt(),
        tie: event.tie.change,
        alarms,
        storm,
        scatter: scatter / per,
        doubt: event.tie.doubt(),
        loud: loud / per,
    }
}

/// What lies about a detection of an event at its station and no event explains, and the
/// same with what events in doubt have: phantoms of a storm take its alarms.
fn unexplained(view: &View, events: &Events, id: u32, ring: &Ring, index: usize) -> (f64, f64) {
    let (mut free, mut doubted) = (0.0, 0.0);
    let t = ring.t[index];
    let mut count = |owner: u32| {
        if owner == FREE {
            free += 1.0;
        } else if owner != id && events.ids().contains(&owner) {
            let other = events.get(owner);
            // Older ones may be forgotten or not, for reasons far away.
            if other.loc.t > view.horizon - KEEP_S {
                doubted += ((SURE - other.weighed.score) / UNSURE).clamp(0.0, 1.0);
            }
        }
    };
    let before = (0..index).rev().take_while(|i| ring.t[*i] >= t - ALARMS_BEFORE_S);
    before.for_each(|i| count(ring.owner[i]));
    let after = (index + 1..ring.t.len()).take_while(|i| ring.t[*i] < t + ALARMS_AFTER_S);
    after.for_each(|i| count(ring.owner[i]));
    (free, free + doubted)
}

/// Logarithm of the rate of so many alarms over the usual rate, with one alarm at the
/// usual rate beside them; never less than usual.
fn above_usual(count: f64, usual: f64) -> f64 {
    if count <= 0.0 {
        return 0.0;
    }
    let rate = (count + 1.0) / (ALARMS_BEFORE_S + ALARMS_AFTER_S + 1.0 / usual);
    math::ln((rate / usual).max(1.0))
}

impl From<Raw> for Features {
    fn from(r: Raw) -> Self {
        let e = r.evidence.max(0.0);
        let hits = r.hits.max(1.0);
        let chi2 = (r.chi2 / hits).min(6.0);
        let few = math::exp(-(hits - 3.0) / 4.0);
        let busy = math::ln(1.0 + r.busy).min(4.0);
        let lone = f64::from(u8::from(r.others < 0.5));
        let others = math::ln(1.0 + r.others).min(4.5);
        let levels = (r.level_chi2 / hits).min(6.0);
        let averaged = (r.evidence + r.tie).max(0.0);
        let in_storm = (r.evidence + r.tie - r.storm).max(0.0);
        let size = math::ln(r.size.max(5.0) / 50.0).min(4.0);
        Self([
            1.0,
            (e / 20.0).min(5.0),
            (e / 10.0).sqrt().min(4.0),
            math::ln(hits).min(4.0),
            chi2,
            (chi2 - 1.5).max(0.0),
            (hits / r.expected.max(1.0)).min(2.0),
            r.crowd.min(6.0),
            (-r.silence / hits).min(3.0),
            (r.rival / (e + 5.0)).min(1.5),
            r.twin,
            f64::from(u8::from(r.site)),
            (e / hits).min(12.0) / 4.0,
            chi2 * few,
            if r.hits < 4.5 { 1.0 } else { 0.0 },
            r.crowd.min(6.0) * few,
            busy,
            busy * few,
            (r.distance / 10.0).min(4.0),
            (r.distance / 10.0).min(4.0) * few,
            others,
            others * few,
            others * math::ln(hits).min(4.0) * 0.3,
            size,
            size * few,
            (r.size / 750.0).min(3.0),
            lone,
            lone * few,
            lone * size,
            lone * busy,
            size * size,
            busy * busy,
            levels,
            levels * few,
            levels * math::ln(hits).min(4.0) * 0.3,
            levels * others,
            (averaged / 20.0).min(5.0),
            (averaged / 10.0).sqrt().min(4.0),
            r.alarms / hits,
            r.storm / hits,
            r.storm / hits * few,
            (in_storm / 20.0).min(5.0),
            (in_storm / 10.0).sqrt().min(4.0),
            r.scatter,
            r.doubt,
            (r.loud / 5.0).min(4.0),
        ])
    }
}

/// A step of Newton's method for weights on features, in the making.
pub(crate) struct Newton {
    hessian: Box<[[f64; COUNT]; COUNT]>,
    slope: [f64; COUNT],
}

impl Newton {
    /// With a ridge on the diagonal and what it pulls by.
    pub(crate) fn new(ridge: f64, pull: &[f64; COUNT]) -> Self {
        let rows = (0..COUNT).map(|i| std::array::from_fn(|j| if i == j { ridge } else { 0.0 }));
        let rows: Vec<[f64; COUNT]> = rows.collect();
        Self { hessian: rows.try_into().expect("so many rows"), slope: *pull }
    }

    /// Adds an event: the slope of its loss by the weighted sum, and the curvature.
    pub(crate) fn add(&mut self, features: &Features, slope: f64, curvature: f64) {
        let f = &features.0;
        for i in 0..COUNT {
            self.slope[i] += slope * f[i];
            for j in 0..=i {
                self.hessian[i][j] += curvature * f[i] * f[j];
            }
        }
    }

    /// Takes the step, at most so far along each axis; the largest that was asked for, or
    /// none if it cannot be solved.
    pub(crate) fn step(mut self, w: &mut [f64; COUNT], most: f64) -> Option<f64> {
        for i in 0..COUNT {
            for j in i + 1..COUNT {
                self.hessian[i][j] = self.hessian[j][i];
            }
        }
        let step = math::solve(&math::cholesky(&self.hessian)?, &self.slope);
        let mut size = 0.0_f64;
        for (w, step) in w.iter_mut().zip(step) {
            *w += step.clamp(-most, most);
            size = size.max(step.abs());
        }
        Some(size)
    }
}

impl Calibration {
    /// Probability that an event with these features is real. Never 0 or 1:
    /// no calibration set is large enough for that.
    pub fn probability(&self, features: &Features) -> f64 {
        let sum: f64 = self.weights.iter().zip(features.0).map(|(w, f)| w * f).sum();
        math::logistic(sum.clamp(-7.0, 7.0))
    }

    /// Fits a map to events of which it is known whether they are real, each
    /// with a weight. Newton's method on the likelihood with a small ridge.
    pub fn fit(events: &[(Features, bool, f64)], fitted_on: &str) -> Self {
        let mut w = [0.0; COUNT];
        for _ in 0..30 {
            let mut newton = Newton::new(0.5, &w.map(|w| -0.5 * w));
            for (f, real, weight) in events {
                let z: f64 = w.iter().zip(f.0).map(|(w, f)| w * f).sum();
                let p = math::logistic(z.clamp(-30.0, 30.0));
                let off = weight * (f64::from(u8::from(*real)) - p);
                newton.add(f, off, weight * (p * (1.0 - p)).max(1e-9));
            }
            if newton.step(&mut w, 2.0).is_none_or(|size| size < 1e-6) {
                break;
            }
        }
        let weights = w.iter().map(|w| libm::round(w * 1e4) / 1e4).collect();
        Self { weights, fitted_on: fitted_on.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_finds_the_share_of_real_events() {
        let mut events = Vec::new();
        for i in 0..1000 {
            let f = Features::from(Raw {
                evidence: if i % 2 == 0 { 30.0 } else { 3.0 },
                hits: 6.0,
                ..Raw::default()
            });
            let real = if i % 2 == 0 { i % 20 != 0 } else { i % 5 == 1 };
            events.push((f, real, 1.0));
        }
        let map = Calibration::fit(&events, "test");
        let p = [0, 1].map(|i| map.probability(&events[i].0));
        assert!((p[0] - 0.9).abs() < 0.02 && (p[1] - 0.2).abs() < 0.02, "{p:?}");
    }
}
