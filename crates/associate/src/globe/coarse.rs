//! Where detections of several arrays agree, cell by cell.

use super::net::{CELL_DEG, NODES};
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
const GAIN_MIN: f32 = -0.5;
/// What slownesses may be off by the cell, s/degree.
const SLACK_SLOWNESS: f32 = 0.1;
/// Cells in which detections agree less are not followed, nats.
pub(super) const AGREE_MIN: f64 = 8.0;

/// Detections that agree in a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coarse {
    pub score: f64,
    pub cell: u32,
    pub t: f64,
    /// Where its detections stand in [`Agreements::hits`].
    from: u32,
    to: u32,
}

/// Agreements, best first.
#[derive(Debug, Default)]
pub(super) struct Agreements {
    pub list: Vec<Coarse>,
    /// Detections, and what each is worth.
    hits: Vec<(u32, f64)>,
}

impl Agreements {
    /// The detections of an agreement, and what each is worth.
    pub(super) fn hits(&self, of: &Coarse) -> &[(u32, f64)] {
        &self.hits[of.from as usize..of.to as usize]
    }
}

/// What is looked at of the detections of an array first, in columns: four are
/// done at once.
#[derive(Default)]
struct Rough {
    azimuth: Vec<f32>,
    slowness: Vec<f32>,
    worth: Vec<f32>,
}

impl Rough {
    /// What each detection is worth by azimuth and slowness: seen in a direction
    /// and at a slowness, with so much slack, and so much less per degree and s/degree.
    fn weigh(&self, seen: [f32; 2], slack: [f32; 2], per: [f32; 2], left: &mut Vec<f32>) {
        left.clear();
        let above = |a: f32, b: f32| if a > b { a } else { b };
        left.extend(self.azimuth.iter().zip(&self.slowness).zip(&self.worth).map(
            |((azimuth, slowness), worth)| {
                let off = (azimuth - seen[0]).abs();
                let round = 360.0 - off;
                let turned = above(if off < round { off } else { round } - slack[0], 0.0);
                let slow = above((slowness - seen[1]).abs() - slack[1], 0.0);
                worth - turned * per[0] - slow * per[1]
            },
        ));
    }
}

/// A detection that may be of a cell: when its event was, and what it is worth.
#[derive(Clone, Copy)]
struct Near {
    origin: f64,
    gain: f64,
    index: u32,
    post: u32,
}

/// All agreements of two arrays or more.
pub(super) fn agreements(scene: &Scene<'_>) -> Agreements {
    let net = scene.net;
    let posts = net.posts.len();
    let rough: Vec<Rough> = (0..posts)
        .map(|post| {
            let wide = math::ln(1.0 + BROAD_S * net.posts[post].per_time);
            let mut rough = Rough::default();
            for (index, _) in &scene.by_post[post] {
                let h = &scene.heard[*index];
                rough.azimuth.push(h.azimuth as f32);
                rough.slowness.push(h.slowness as f32);
                rough.worth.push((h.worth - wide) as f32);
            }
            rough
        })
        .collect();
    let mut left: Vec<f32> = Vec::new();
    let mut all = Agreements::default();
    let mut near: Vec<Near> = Vec::new();
    let mut best: Vec<Option<(f64, u32)>> = vec![None; posts];
    for cell in 0..net.cells.len() {
        near.clear();
        for (post, list) in rough.iter().enumerate() {
            let view = &net.views[cell * posts + post];
            let own = &net.posts[post];
            let slack = HALF_DEG / view.aside.max(0.05);
            list.weigh(
                [net.azimuths[cell * posts + post] as f32, view.slowness as f32],
                [slack as f32, SLACK_SLOWNESS],
                [own.per_azimuth as f32, own.per_slowness as f32],
                &mut left,
            );
            for (left, (index, t)) in left.iter().zip(&scene.by_post[post]) {
                if *left < GAIN_MIN {
                    continue;
                }
                let h = &scene.heard[*index];
                let gain = f64::from(*left) + of_level(scene, post, view.deg, h.level);
                if gain > f64::from(GAIN_MIN) {
                    let origin = t - view.travel;
                    near.push(Near { origin, gain, index: *index as u32, post: post as u32 });
                }
            }
        }
        near.sort_unstable_by(|a, b| a.origin.total_cmp(&b.origin).then(a.index.cmp(&b.index)));
        gather(cell, &near, &mut best, &mut all);
    }
    all.list.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then(a.cell.cmp(&b.cell)).then(a.t.total_cmp(&b.t))
    });
    all
}

/// What the amplitude says: it tells a magnitude, the smallest at least, and that
/// how likely a detection was.
fn of_level(scene: &Scene<'_>, post: usize, deg: f64, level: f64) -> f64 {
    let (net, own) = (scene.net, &scene.net.posts[post]);
    let [a, b, c] = own.of_magnitude(deg, level);
    let m = (-0.5 * b / c).clamp(net.magnitudes[0], net.magnitudes[NODES - 1]);
    let [d0, d1, d2] = own.own.detection;
    let z = d0 + d1 * m + d2 * deg;
    // Close to the log of the probability of a detection.
    a + m * (b + m * c) - z + z.min(0.0)
}

/// The best agreements among detections of a cell in order of origin time.
fn gather(cell: usize, near: &[Near], best: &mut [Option<(f64, u32)>], all: &mut Agreements) {
    let before = all.list.len();
    for (first, start) in near.iter().enumerate() {
        let upto = near[first..].iter().take_while(|n| n.origin <= start.origin + WINDOW_S);
        let (mut count, mut score, mut last) = (0, 0.0, start.origin);
        best.fill(None);
        for n in upto {
            let slot = &mut best[n.post as usize];
            match slot {
                None => {
                    count += 1;
                    score += n.gain;
                    *slot = Some((n.gain, n.index));
                }
                Some((gain, _)) if n.gain > *gain => {
                    score += n.gain - *gain;
                    *slot = Some((n.gain, n.index));
                }
                Some(_) => {}
            }
            last = n.origin;
        }
        if count < 2 || score < AGREE_MIN {
            continue;
        }
        // Of windows that overlap only the best counts.
        if let Some(l) = all.list[before..].last()
            && start.origin - l.t < 0.5 * WINDOW_S
        {
            if score <= l.score {
                continue;
            }
            all.hits.truncate(l.from as usize);
            all.list.pop();
        }
        let from = all.hits.len() as u32;
        all.hits.extend(best.iter().flatten().map(|(gain, index)| (*index, *gain)));
        let to = all.hits.len() as u32;
        // The middle of the origin times is where the event is looked for.
        let t = 0.5 * (start.origin + last);
        all.list.push(Coarse { score, cell: cell as u32, t, from, to });
    }
}
