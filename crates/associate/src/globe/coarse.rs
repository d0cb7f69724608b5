//! Where detections of several arrays agree, cell by cell.

use super::net::{CELL_DEG, NODES, apart};
use super::weigh::Scene;
use crate::math;

/// Times of one event differ so much within a cell, s: the way across half of it
/// to one array and back from another.
const WINDOW_S: f64 = 62.0;
/// Width of the time in which a detection may fall, s.
const BROAD_S: f64 = 30.0;
/// Half of a cell, degrees: what azimuths may be off by the cell.
const HALF_DEG: f64 = 0.4 * CELL_DEG;
/// A detection that is worth less in a cell is none of it, nats.
const GAIN_MIN: f64 = -1.0;
/// Cells in which detections agree less are not followed, nats.
const AGREE_MIN: f64 = 6.0;

/// Detections that agree in a cell.
#[derive(Clone, Debug)]
pub(super) struct Coarse {
    pub score: f64,
    pub cell: usize,
    pub t: f64,
    /// The detections, and what each is worth.
    pub hits: Vec<(usize, f64)>,
}

/// All agreements of two arrays or more, best first.
pub(super) fn agreements(scene: &Scene<'_>) -> Vec<Coarse> {
    let net = scene.net;
    let posts = net.posts.len();
    let mut all = Vec::new();
    // Origin time, worth, detection.
    let mut near: Vec<(f64, f64, usize)> = Vec::new();
    let mut best: Vec<Option<(f64, usize)>> = vec![None; posts];
    for cell in 0..net.cells.len() {
        near.clear();
        for (post, list) in scene.by_post.iter().enumerate() {
            let view = &net.views[cell * posts + post];
            let own = &net.posts[post];
            let slack = HALF_DEG / view.aside.max(0.05);
            let wide = math::ln(1.0 + BROAD_S * own.per_time);
            for (index, _) in list {
                let h = &scene.heard[*index];
                let slow = ((h.slowness - view.slowness).abs() - 0.1).max(0.0) * own.per_slowness;
                let left = h.worth - wide - slow;
                if left < GAIN_MIN {
                    continue;
                }
                let turned = (apart(h.azimuth, view.azimuth).abs() - slack).max(0.0);
                let left = left - turned * own.per_azimuth;
                if left < GAIN_MIN {
                    continue;
                }
                // Its own amplitude tells the magnitude, the smallest at least.
                let [a, b, c] = own.of_magnitude(view.deg, h.level);
                let m = (-0.5 * b / c).clamp(net.magnitudes[0], net.magnitudes[NODES - 1]);
                let z = own.own.detection[0]
                    + own.own.detection[1] * m
                    + own.own.detection[2] * view.deg;
                let level = a + m * (b + m * c) - z;
                let gain = left + level - math::softplus(-z);
                if gain > GAIN_MIN {
                    near.push((h.t - view.travel, gain, *index));
                }
            }
        }
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
        gather(scene, cell, &near, &mut best, &mut all);
    }
    all.sort_by(|a: &Coarse, b| {
        b.score.total_cmp(&a.score).then(a.cell.cmp(&b.cell)).then(a.t.total_cmp(&b.t))
    });
    all
}

/// The best agreements among detections of a cell in order of origin time.
fn gather(
    scene: &Scene<'_>,
    cell: usize,
    near: &[(f64, f64, usize)],
    best: &mut [Option<(f64, usize)>],
    all: &mut Vec<Coarse>,
) {
    let mut last: Option<Coarse> = None;
    for (first, (from, _, _)) in near.iter().enumerate() {
        best.fill(None);
        let mut count = 0;
        for (origin, gain, index) in &near[first..] {
            if *origin > from + WINDOW_S {
                break;
            }
            let slot = &mut best[scene.heard[*index].post];
            if slot.is_none() {
                count += 1;
            }
            if slot.is_none_or(|(g, _)| *gain > g) {
                *slot = Some((*gain, *index));
            }
        }
        if count < 2 {
            continue;
        }
        let score: f64 = best.iter().flatten().map(|b| b.0).sum();
        if score < AGREE_MIN {
            continue;
        }
        let hits: Vec<(usize, f64)> = best.iter().flatten().map(|(g, i)| (*i, *g)).collect();
        // Of windows that overlap only the best counts.
        if let Some(l) = &last
            && from - l.t < 0.5 * WINDOW_S
        {
            if score > l.score {
                last = Some(Coarse { score, cell, t: *from, hits });
            }
            continue;
        }
        all.extend(last.replace(Coarse { score, cell, t: *from, hits }));
    }
    all.extend(last);
    // The middle of the origin times is where the event is looked for.
    let posts = scene.net.posts.len();
    for coarse in all.iter_mut().rev().take_while(|c| c.cell == cell) {
        let origin = |index: usize| {
            let h = &scene.heard[index];
            h.t - scene.net.views[cell * posts + h.post].travel
        };
        let ends = coarse.hits.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), (i, _)| {
            (a.min(origin(*i)), b.max(origin(*i)))
        });
        coarse.t = 0.5 * (ends.0 + ends.1);
    }
}
