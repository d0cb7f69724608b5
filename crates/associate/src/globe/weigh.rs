//! How well an event explains what was heard: which detections are its own,
//! when it was, and where it fits best.

use std::cmp::Ordering;

use super::Arrival;
use super::net::{NODES, Net, Site, Vector, View, apart};
use crate::math;

/// Slowness of waves with which the width of a cell becomes time, s/degree.
const PER_DEG: f64 = 8.5;
/// A detection that fits worse is no choice at any magnitude, nats.
const HOPELESS: f64 = -8.0;
/// Rounds in which detections, time and magnitude settle.
const ROUNDS: usize = 3;
/// Volume of a posterior beyond which none is expected, nats.
const OCCAM_MAX: f64 = 4.0;
/// Steps of the way to the top.
const STEPS: usize = 12;
/// Residuals count as this share of their scale at least in weights.
const LEAST_RESIDUAL: f64 = 0.05;

/// A detection, ready to be weighed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub post: usize,
    pub t: f64,
    pub azimuth: f64,
    pub slowness: f64,
    /// Natural log of the amplitude.
    pub level: f64,
    /// Log-likelihood ratio to a false alarm at a perfect fit.
    pub worth: f64,
    pub row: u32,
}

impl Heard {
    pub(super) fn new(net: &Net, post: usize, a: &Arrival) -> Self {
        let level = math::ln(a.amplitude);
        Self {
            post,
            t: a.t_s,
            azimuth: super::sphere::apart(a.azimuth_deg, 0.0),
            slowness: a.slowness_s_deg,
            level,
            worth: net.worth(post, a.t_s, level),
            row: a.row,
        }
    }

    /// By what it says, and not by its row unless all else is equal.
    pub(super) fn order(a: &Self, b: &Self) -> Ordering {
        a.t.total_cmp(&b.t)
            .then(a.post.cmp(&b.post))
            .then(a.azimuth.total_cmp(&b.azimuth))
            .then(a.slowness.total_cmp(&b.slowness))
            .then(a.level.total_cmp(&b.level))
            .then(a.row.cmp(&b.row))
    }
}

/// A stretch of the record that stands alone.
pub(super) struct Scene<'a> {
    pub net: &'a Net,
    pub heard: &'a [Heard],
    /// Detections by array in order of time: index and time.
    pub by_post: Vec<Vec<(usize, f64)>>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(net: &'a Net, heard: &'a [Heard]) -> Self {
        let mut by_post = vec![Vec::new(); net.posts.len()];
        for (index, h) in heard.iter().enumerate() {
            by_post[h.post].push((index, h.t));
        }
        Self { net, heard, by_post }
    }
}

/// An event with its detections.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    pub u: Vector,
    pub t: f64,
    pub magnitude: f64,
    /// Log-likelihood ratio to nothing but false alarms, with the prior of the
    /// magnitude but not of place and time.
    pub score: f64,
    /// The same with the prior, and the volume of the posterior about the top.
    pub evidence: f64,
    /// What the width of the cell took from the score at most.
    pub width: f64,
    /// One detection of an array at most.
    pub hits: Vec<usize>,
}

/// A detection that may belong to an event.
#[derive(Clone, Copy, Debug)]
struct Choice {
    post: usize,
    index: usize,
    /// When the event was, going by this.
    origin: f64,
    /// What it is worth but for time and magnitude.
    gain: f64,
    per_time: f64,
    width: f64,
    of_magnitude: [f64; 3],
}

impl Choice {
    #[inline]
    fn value(&self, t: f64, m: f64) -> f64 {
        let [a, b, c] = self.of_magnitude;
        self.gain - (self.origin - t).abs() * self.per_time + a + m * (b + m * c)
    }
}

/// Memory that is used again and again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub views: Vec<View>,
    choices: Vec<Choice>,
    chosen: Vec<usize>,
    before: Vec<usize>,
    medians: Vec<(f64, f64)>,
}

/// The point that weighs least by absolute differences.
fn median(points: &mut [(f64, f64)]) -> f64 {
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = 0.5 * points.iter().map(|p| p.1).sum::<f64>();
    let mut sum = 0.0;
    for (at, weight) in points.iter() {
        sum += weight;
        if sum >= half {
            return *at;
        }
    }
    0.0
}

/// Log of the sum over magnitudes, and their mean.
pub(super) fn over_magnitudes(net: &Net, nats: &[f64; NODES]) -> (f64, f64) {
    let top = nats.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut mean) = (0.0, 0.0);
    for (l, m) in nats.iter().zip(&net.magnitudes) {
        let weight = math::exp(l - top);
        sum += weight;
        mean += weight * m;
    }
    (top + math::ln(sum), mean / sum)
}

/// Adds polynomials in the magnitude.
pub(super) fn add_magnitudes(net: &Net, nats: &mut [f64; NODES], [a, b, c]: [f64; 3]) {
    for (l, m) in nats.iter_mut().zip(&net.magnitudes) {
        *l += a + m * (b + m * c);
    }
}

/// What an event at a place explains of what is free, at about a time: anywhere in
/// a cell of half a side of `slack` degrees, and at most `reach` seconds off. Time
/// and magnitude settle on what it explains.
pub(super) fn probe(
    scene: &Scene<'_>,
    free: &dyn Fn(usize) -> bool,
    u: &Vector,
    t: f64,
    slack: f64,
    reach: f64,
    scratch: &mut Scratch,
) -> Trial {
    let net = scene.net;
    net.look(u, &mut scratch.views);
    scratch.choices.clear();
    let slack_s = 0.5 * slack * PER_DEG;
    for (post, view) in scratch.views.iter().enumerate() {
        let own = &net.posts[post];
        let due = t + view.travel;
        let list = &scene.by_post[post];
        let wide = 1.0 + slack_s * own.per_time;
        let width = if slack > 0.0 { math::ln(wide) } else { 0.0 };
        let mut known = None;
        let first = list.partition_point(|(_, at)| *at < due - reach);
        for (index, at) in &list[first..] {
            if *at > due + reach {
                break;
            }
            if !free(*index) {
                continue;
            }
            let h = &scene.heard[*index];
            let azimuth = *known.get_or_insert_with(|| view.azimuth());
            let turned = (apart(h.azimuth, azimuth).abs() - slack / view.aside.max(0.02)).max(0.0);
            let slow = ((h.slowness - view.slowness).abs() - 0.05 * slack).max(0.0);
            let gain = h.worth - turned * own.per_azimuth - slow * own.per_slowness - width;
            if gain > HOPELESS {
                scratch.choices.push(Choice {
                    post,
                    index: *index,
                    origin: h.t - view.travel,
                    gain,
                    per_time: own.per_time / wide,
                    width,
                    of_magnitude: own.of_magnitude(view.deg, h.level),
                });
            }
        }
    }
    settle(scene, u, t, scratch)
}

/// Chooses a detection for each array, or none, then the time, then the magnitude.
fn settle(scene: &Scene<'_>, u: &Vector, t: f64, scratch: &mut Scratch) -> Trial {
    let net = scene.net;
    let Scratch { views, choices, chosen, before, medians } = scratch;
    let silence = net.silence(views, t);
    let (mut t, mut magnitude) = (t, None);
    let mut score = 0.0;
    before.clear();
    for round in 0..ROUNDS {
        chosen.clear();
        let (mut at, mut best, mut post) = (usize::MAX, 0.0, usize::MAX);
        for (number, choice) in choices.iter().enumerate() {
            if choice.post != post {
                if at != usize::MAX {
                    chosen.push(at);
                }
                (at, best, post) = (usize::MAX, 0.0, choice.post);
            }
            // Before anything else is known its own amplitude tells the magnitude.
            let m = magnitude.unwrap_or_else(|| {
                let [_, b, c] = choice.of_magnitude;
                (-0.5 * b / c).clamp(net.magnitudes[0], net.magnitudes[NODES - 1])
            });
            let value = choice.value(t, m);
            if value > best {
                (at, best) = (number, value);
            }
        }
        if at != usize::MAX {
            chosen.push(at);
        }
        if chosen == before && round > 0 {
            break;
        }
        before.clone_from(chosen);
        if !chosen.is_empty() {
            medians.clear();
            medians.extend(chosen.iter().map(|c| (choices[*c].origin, choices[*c].per_time)));
            t = median(medians);
        }
        let mut nats = silence;
        let mut sum = 0.0;
        for c in chosen.iter() {
            let choice = &choices[*c];
            sum += choice.gain - (choice.origin - t).abs() * choice.per_time;
            add_magnitudes(net, &mut nats, choice.of_magnitude);
        }
        let (lse, mean) = over_magnitudes(net, &nats);
        score = sum + lse;
        magnitude = Some(mean);
    }
    Trial {
        u: *u,
        t,
        magnitude: magnitude.unwrap_or(net.magnitudes[0]),
        score: score - net.outside(t).min(20.0),
        evidence: f64::NEG_INFINITY,
        width: chosen.iter().map(|c| choices[*c].width).sum(),
        hits: chosen.iter().map(|c| choices[*c].index).collect(),
    }
}

/// Score, time and magnitude of an event at a place with these detections.
fn weigh(scene: &Scene<'_>, hits: &[usize], u: &Vector, scratch: &mut Scratch) -> (f64, f64, f64) {
    let net = scene.net;
    net.look(u, &mut scratch.views);
    scratch.medians.clear();
    for hit in hits {
        let h = &scene.heard[*hit];
        let origin = h.t - scratch.views[h.post].travel;
        scratch.medians.push((origin, net.posts[h.post].per_time));
    }
    let t = median(&mut scratch.medians);
    let mut nats = net.silence(&scratch.views, t);
    let mut sum = 0.0;
    for hit in hits {
        let h = &scene.heard[*hit];
        let (view, own) = (&scratch.views[h.post], &net.posts[h.post]);
        sum += h.worth
            - (h.t - view.travel - t).abs() * own.per_time
            - apart(h.azimuth, view.azimuth()).abs() * own.per_azimuth
            - (h.slowness - view.slowness).abs() * own.per_slowness;
        add_magnitudes(net, &mut nats, own.of_magnitude(view.deg, h.level));
    }
    let (lse, magnitude) = over_magnitudes(net, &nats);
    (sum + lse - net.outside(t).min(20.0), t, magnitude)
}

/// Slopes of what a detection says as its event moves by a degree to the east,
/// to the north, and by a second: one row each for time, azimuth and slowness.
fn slopes(net: &Net, site: &Site, post: usize, view: &View) -> [[f64; 3]; 3] {
    let (east, north) = site.offset(&net.posts[post].site.up);
    let far = (east * east + north * north).sqrt().max(1e-9);
    let (east, north) = (east / far, north / far);
    let (_, next) = net.curve.at((view.deg + 1.0).min(180.0));
    let (_, last) = net.curve.at((view.deg - 1.0).max(0.0));
    let bend = 0.5 * (next - last);
    let turn = 1.0 / view.aside.max(0.02);
    [
        [-view.slowness * east, -view.slowness * north, 1.0],
        [-north * turn, east * turn, 0.0],
        [-bend * east, -bend * north, 0.0],
    ]
}

/// Goes from a place to the top, with the same detections: least absolute
/// residuals by least squares with weights. Then the evidence about it.
pub(super) fn polish(scene: &Scene<'_>, trial: &mut Trial, scratch: &mut Scratch) {
    let net = scene.net;
    let (mut score, mut t, mut magnitude) = weigh(scene, &trial.hits, &trial.u, scratch);
    let mut u = trial.u;
    for _ in 0..STEPS {
        let site = Site::at(&u);
        let mut normal = [[0.0; 3]; 3];
        let mut side = [0.0; 3];
        net.look(&u, &mut scratch.views);
        for hit in &trial.hits {
            let h = &scene.heard[*hit];
            let (view, own) = (&scratch.views[h.post], &net.posts[h.post]);
            let residuals = [
                h.t - view.travel - t,
                apart(h.azimuth, view.azimuth()),
                h.slowness - view.slowness,
            ];
            let per = [own.per_time, own.per_azimuth, own.per_slowness];
            for ((slope, residual), per) in
                slopes(net, &site, h.post, view).iter().zip(residuals).zip(per)
            {
                let weight = per * per / (residual.abs() * per).max(LEAST_RESIDUAL);
                for i in 0..3 {
                    side[i] += weight * slope[i] * residual;
                    for j in 0..3 {
                        normal[i][j] += weight * slope[i] * slope[j];
                    }
                }
            }
        }
        for (i, row) in normal.iter_mut().enumerate() {
            row[i] += if i < 2 { 1e-4 } else { 1e-6 };
        }
        let Some(root) = math::cholesky(&normal) else { break };
        let step = math::solve(&root, &side);
        let mut better = false;
        let mut part = 1.0;
        for _ in 0..4 {
            let there = site.beside(part * step[0], part * step[1]);
            let (next, at, m) = weigh(scene, &trial.hits, &there, scratch);
            if next > score + 1e-3 {
                (u, score, t, magnitude, better) = (there, next, at, m, true);
                break;
            }
            part *= 0.35;
        }
        if !better {
            break;
        }
    }
    (trial.u, trial.t, trial.magnitude, trial.score) = (u, t, magnitude, score);
    trial.evidence = score + net.ln_rate + occam(scene, trial, scratch);
}

/// Log of the volume of the posterior about the top, square degrees and seconds.
fn occam(scene: &Scene<'_>, trial: &Trial, scratch: &mut Scratch) -> f64 {
    let net = scene.net;
    let site = Site::at(&trial.u);
    net.look(&trial.u, &mut scratch.views);
    let mut information = [[0.0; 3]; 3];
    for hit in &trial.hits {
        let h = &scene.heard[*hit];
        let (view, own) = (&scratch.views[h.post], &net.posts[h.post]);
        let per = [own.per_time, own.per_azimuth, own.per_slowness];
        for (slope, per) in slopes(net, &site, h.post, view).iter().zip(per) {
            for i in 0..3 {
                for j in 0..3 {
                    information[i][j] += per * per * slope[i] * slope[j];
                }
            }
        }
    }
    // Half a sphere is the most there is.
    for (i, row) in information.iter_mut().enumerate().take(2) {
        row[i] += 1.0 / 3_600.0;
    }
    let Some(root) = math::cholesky(&information) else { return 0.0 };
    let half_ln_det: f64 = (0..3).map(|i| math::ln(root[i][i])).sum();
    1.5 * math::ln(std::f64::consts::TAU) - half_ln_det
}

/// Follows a cell of the grid down to a place: nine places in it, the best of
/// which is the middle of the next, smaller cell. Given up as soon as it cannot
/// come to the evidence that is asked for.
pub(super) fn descend(
    scene: &Scene<'_>,
    free: &dyn Fn(usize) -> bool,
    centre: &Vector,
    t: f64,
    half: f64,
    least: f64,
    scratch: &mut Scratch,
) -> Option<Trial> {
    let least = least - scene.net.ln_rate - OCCAM_MAX;
    let mut best = probe(scene, free, centre, t, half, half * 2.0 * PER_DEG + 12.0, scratch);
    let mut half = half;
    while half > 0.15 {
        let site = Site::at(&best.u);
        let step = half * 0.6;
        let mut next: Option<Trial> = None;
        let slack = half * 0.5;
        let reach = 2.5 * half * PER_DEG + 12.0;
        for east in [0.0, -step, step] {
            for north in [0.0, -step, step] {
                let u = site.beside(east, north);
                let trial = probe(scene, free, &u, best.t, slack, reach, scratch);
                if next.as_ref().is_none_or(|n| trial.score > n.score) {
                    next = Some(trial);
                }
            }
        }
        best = next?;
        half = slack;
        if best.score + best.width < least {
            return None;
        }
    }
    refine(scene, free, best, scratch)
}

/// Settles place and detections by turns.
pub(super) fn refine(
    scene: &Scene<'_>,
    free: &dyn Fn(usize) -> bool,
    from: Trial,
    scratch: &mut Scratch,
) -> Option<Trial> {
    let mut best = from;
    if best.hits.len() < 2 {
        return None;
    }
    polish(scene, &mut best, scratch);
    for _ in 0..3 {
        let mut next = probe(scene, free, &best.u, best.t, 0.0, 25.0, scratch);
        if next.hits.len() < 2 || next.hits == best.hits {
            break;
        }
        polish(scene, &mut next, scratch);
        if next.evidence <= best.evidence {
            break;
        }
        best = next;
    }
    Some(best)
}
