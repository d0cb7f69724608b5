//! What the calibration map looks at.

use crate::math;
use crate::posterior::{COUNT, Features};

use super::Work;
use super::weigh::{Place, Weighed};

/// What the weights of the map of a [`super::PhaseModel`] belong to, in order.
pub const PHASE_FEATURES: [&str; 11] = [
    "one",
    "evidence",
    "root of evidence",
    "log of hits",
    "residuals per hit",
    "hits by expected hits",
    "silence per hit",
    "share of evidence that a rival could take",
    "closeness to a stronger source",
    "evidence per hit",
    "share of the rarer phase",
];

/// Sources so near in time are close, s, and in place, km.
const CLOSE: (f64, f64) = (20.0, 60.0);

/// Features of the source that stands at a place of the order, as it would be if
/// it were placed and weighed like this. Unused places of the fixed array are
/// zero, where a fit leaves the weight at zero.
pub(crate) fn one(work: &Work, order: &[u32], at: usize, place: Place, w: &Weighed) -> Features {
    let of = |id: u32| &work.events[id as usize];
    let closeness = |other: &u32| {
        let o = &of(*other).candidate;
        if o.weighed.score <= w.score {
            return 0.0;
        }
        let (dx, dy) = (o.place.x - place.x, o.place.y - place.y);
        let apart = (o.place.t - place.t).abs() / CLOSE.0 + (dx * dx + dy * dy).sqrt() / CLOSE.1;
        (1.0 - apart).max(0.0)
    };
    let in_reach = |other: &&u32| (of(**other).candidate.place.t - place.t).abs() < CLOSE.0;
    let before = order[..at].iter().rev().take_while(in_reach);
    let after = order[at + 1..].iter().take_while(in_reach);
    let twin = before.chain(after).map(closeness).fold(0.0, f64::max);
    let e = w.score.max(0.0);
    let hits = w.hits.max(1.0);
    let mut f = [0.0; COUNT];
    f[..PHASE_FEATURES.len()].copy_from_slice(&[
        1.0,
        (e / 20.0).min(5.0),
        (e / 10.0).sqrt().min(4.0),
        math::ln(hits).min(5.0),
        (w.chi2 / hits).min(6.0),
        (hits / w.expected.max(1.0)).min(2.0),
        (-w.silence / hits).min(3.0),
        of(order[at]).rival,
        twin,
        (e / hits).min(12.0) / 4.0,
        w.p_hits.min(hits - w.p_hits) / hits,
    ]);
    Features(f)
}
