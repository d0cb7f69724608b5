//! The posterior of an event over the sphere, summed cell by cell: evidence,
//! the place with most of it near by, and covariance.

use super::net::{CELL_DEG, Cell, METRES, Site, Spot, Vector, View, apart, dot};
use super::performance::Performance;
use super::weigh::{Heard, Scene, Trial, add_magnitudes, over_magnitudes};
use super::{GLOBE_FEATURES, GlobeEvent};
use crate::math;
use crate::posterior::{COUNT, Features};

/// What counts as near, degrees: the rule of the yardstick.
const NEAR_DEG: f64 = 5.0;
/// Places that are farther apart than twice that are different: cosine.
const WIDE_COS: f64 = 0.984_8;
/// Halvings of the cells of the grid.
const HALVINGS: usize = 5;
/// Cells of one size that are looked into, at most.
const WIDTH: usize = 24;
/// Cells that hold less than the best by this are not looked into, nats.
const BELOW: f64 = 5.5;
/// Cells of the grid that azimuths and slownesses leave so much less likely than
/// the best are not looked at, nats.
const UNLIKELY: f64 = 14.0;
/// Slowness of waves with which the width of a cell becomes time, s/degree.
const PER_DEG: f64 = 8.5;

/// The posterior in short.
pub(super) struct Summed {
    pub evidence: f64,
    pub u: Vector,
    pub t: f64,
    pub magnitude: f64,
    /// Share within [`NEAR_DEG`].
    pub near: f64,
    pub covariance: [f64; 3],
    pub var_t: f64,
}

/// A cell with the mass in it.
struct Leaf {
    cell: Cell,
    u: Vector,
    t: f64,
    magnitude: f64,
    mass: f64,
}

/// Sums the posterior of an event with these detections.
pub(super) fn sum(scene: &Scene<'_>, trial: &Trial) -> Option<Summed> {
    summed(&leaves(scene, trial)?)
}

/// Other places at which the detections of an event agree, best first: place, time
/// and by how much the mass about it is behind that of the event, nats.
pub(super) fn elsewhere(
    scene: &Scene<'_>,
    trial: &Trial,
    own: &Summed,
    count: usize,
) -> Vec<(Vector, f64, f64)> {
    let Some(mut left) = leaves(scene, trial) else { return Vec::new() };
    let near_cos = libm::cos(NEAR_DEG.to_radians());
    left.sort_by(|a, b| b.mass.total_cmp(&a.mass));
    let nats = own.evidence + math::ln(own.near.max(1e-9));
    let mut tops = vec![own.u];
    let mut found = Vec::new();
    for leaf in &left {
        // What is near two tops is of the first.
        if found.len() == count || tops.iter().any(|top| dot(top, &leaf.u) > WIDE_COS) {
            continue;
        }
        tops.push(leaf.u);
        let sum: f64 = left
            .iter()
            .filter(|l| dot(&l.u, &leaf.u) > near_cos)
            .map(|l| math::exp(l.mass - leaf.mass))
            .sum();
        found.push((leaf.u, leaf.t, leaf.mass + math::ln(sum) - nats));
    }
    found.sort_by(|a, b| b.2.total_cmp(&a.2));
    found
}

/// The mass of the posterior, cell by cell.
fn leaves(scene: &Scene<'_>, trial: &Trial) -> Option<Vec<Leaf>> {
    let net = scene.net;
    let posts = net.posts.len();
    // Which cells of the grid azimuths and slownesses leave.
    let mut work = Work::default();
    let mut views: Vec<View> = Vec::new();
    let slack = 0.5 * CELL_DEG;
    let view = |cell: usize| &net.views[cell * posts..(cell + 1) * posts];
    let directions: Vec<f64> = (0..net.cells.len())
        .map(|cell| {
            let azimuth = |post: usize| net.azimuths[cell * posts + post];
            direction(scene, trial, view(cell), azimuth, slack)
        })
        .collect();
    let likely = directions.iter().copied().fold(f64::NEG_INFINITY, f64::max) - UNLIKELY;
    let mut rough: Vec<(f64, usize)> = Vec::new();
    for (cell, nats) in directions.iter().enumerate() {
        if *nats > likely {
            rough.push((nats + times(scene, trial, view(cell), slack, &mut work), cell));
        }
    }
    rough.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let top = rough.first()?.0;
    let mut open: Vec<Cell> = rough
        .iter()
        .take(WIDTH)
        .take_while(|r| r.0 > top - BELOW)
        .map(|r| net.cells[r.1])
        .collect();
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut half = 0.5 * CELL_DEG;
    for halving in 1..=HALVINGS {
        half *= 0.5;
        let mut next: Vec<Leaf> = open
            .iter()
            .flat_map(Cell::quarters)
            .map(|cell| leaf(scene, trial, cell, half, &mut views, &mut work))
            .collect();
        next.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        let top = next.first()?.mass;
        let count = next.iter().take(WIDTH).take_while(|l| l.mass > top - BELOW).count();
        let rest = next.split_off(count);
        open = next.iter().map(|l| l.cell).collect();
        leaves.extend(rest);
        if halving == HALVINGS {
            leaves.append(&mut next);
        }
    }
    Some(leaves)
}

/// Memory that is used again and again.
#[derive(Default)]
struct Work {
    /// Origin times, and one over their scale.
    origins: Vec<(f64, f64)>,
    /// Pieces of an integral: log of the height, and width.
    pieces: Vec<(f64, f64)>,
}

/// How well azimuths and slownesses agree at a place.
fn direction(
    scene: &Scene<'_>,
    trial: &Trial,
    views: &[View],
    azimuth: impl Fn(usize) -> f64,
    slack: f64,
) -> f64 {
    let mut sum = 0.0;
    for hit in &trial.hits {
        let h = &scene.heard[*hit];
        let (view, own) = (&views[h.post], &scene.net.posts[h.post]);
        let turned = (apart(h.azimuth, azimuth(h.post)).abs()
            - if slack > 1.0 { 0.5 * slack / view.aside.max(0.02) } else { 0.0 })
        .max(0.0);
        sum += h.worth
            - turned * own.per_azimuth
            - (h.slowness - view.slowness).abs() * own.per_slowness;
    }
    sum
}

/// How well times agree at a place: log-likelihood ratio over time, in seconds.
fn times(scene: &Scene<'_>, trial: &Trial, views: &[View], slack: f64, work: &mut Work) -> f64 {
    let slack_s = 0.35 * slack * PER_DEG;
    work.origins.clear();
    let mut product = 1.0;
    for hit in &trial.hits {
        let h = &scene.heard[*hit];
        let per_time = scene.net.posts[h.post].per_time;
        let wide = 1.0 + slack_s * per_time;
        product *= wide;
        work.origins.push((h.t - views[h.post].travel, per_time / wide));
    }
    over_time(work) - math::ln(product.min(1e300))
}

/// Log of the integral of the product of exponentials to both sides.
fn over_time(work: &mut Work) -> f64 {
    let Work { origins, pieces } = work;
    origins.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let Some(first) = origins.first().map(|o| o.0) else { return 0.0 };
    let all: f64 = origins.iter().map(|o| o.1).sum();
    // At the earliest: how far all others are.
    let mut height: f64 = -origins.iter().map(|o| (o.0 - first) * o.1).sum::<f64>();
    let mut slope = all;
    pieces.clear();
    // The tails before the first and after the last.
    pieces.push((height, 1.0 / all));
    let mut top = height;
    for pair in origins.windows(2) {
        slope -= 2.0 * pair[0].1;
        let long = pair[1].0 - pair[0].0;
        let next = height + slope * long;
        let (low, high) = if next < height { (next, height) } else { (height, next) };
        let drop = high - low;
        let width = if drop > 1e-6 { long * (1.0 - math::exp(-drop)) / drop } else { long };
        pieces.push((high, width));
        top = top.max(high);
        height = next;
    }
    pieces.push((height, 1.0 / all));
    let sum: f64 = pieces.iter().map(|(h, w)| w * math::exp(h - top)).sum();
    top + math::ln(sum.max(1e-300))
}

/// The mass in a cell.
fn leaf(
    scene: &Scene<'_>,
    trial: &Trial,
    cell: Cell,
    half: f64,
    views: &mut Vec<View>,
    work: &mut Work,
) -> Leaf {
    let net = scene.net;
    let u = cell.centre();
    net.look(&u, views);
    let over_t = direction(scene, trial, views, |post| views[post].azimuth(), half)
        + times(scene, trial, views, half, work);
    let (mut t, mut weight) = (0.0, 0.0);
    for (at, per) in &work.origins {
        t += at * per;
        weight += per;
    }
    let t = t / weight.max(1e-12);
    let mut nats = net.silence(views, t);
    for hit in &trial.hits {
        let h = &scene.heard[*hit];
        add_magnitudes(net, &mut nats, net.posts[h.post].of_magnitude(views[h.post].deg, h.level));
    }
    let (over_m, magnitude) = over_magnitudes(net, &nats);
    let mass =
        over_t + over_m + net.ln_rate + math::ln(cell.area().max(1e-12)) - net.outside(t).min(20.0);
    Leaf { cell, u, t, magnitude, mass }
}

fn summed(leaves: &[Leaf]) -> Option<Summed> {
    let top = leaves.iter().map(|l| l.mass).fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return None;
    }
    let weights: Vec<f64> = leaves.iter().map(|l| math::exp(l.mass - top)).collect();
    let total: f64 = weights.iter().sum();
    let near_cos = libm::cos(NEAR_DEG.to_radians());
    let within = |u: &Vector| -> f64 {
        leaves.iter().zip(&weights).filter(|(l, _)| dot(&l.u, u) >= near_cos).map(|(_, w)| w).sum()
    };
    let mut order: Vec<usize> = (0..leaves.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]).then(a.cmp(b)));
    let mut best: Option<(f64, Vector)> = None;
    for start in order.iter().take(12) {
        let mut u = leaves[*start].u;
        for _ in 0..4 {
            let mass = within(&u);
            if best.is_none_or(|b| mass > b.0 * (1.0 + 1e-9)) {
                best = Some((mass, u));
            }
            // The mean of what is near, a little farther than counts.
            let mut mean = [0.0; 3];
            for (l, w) in leaves.iter().zip(&weights) {
                if dot(&l.u, &u) >= near_cos {
                    for i in 0..3 {
                        mean[i] += w * l.u[i];
                    }
                }
            }
            let length = dot(&mean, &mean).sqrt();
            if length < 1e-12 {
                break;
            }
            u = mean.map(|x| x / length);
        }
    }
    let (_, u) = best?;
    let near = within(&u) / total;
    let site = Site::at(&u);
    let (mut t, mut magnitude, mut near_weight) = (0.0, 0.0, 0.0);
    for (l, w) in leaves.iter().zip(&weights) {
        if dot(&l.u, &u) >= near_cos {
            t += w * l.t;
            near_weight += w;
        }
        magnitude += w * l.magnitude;
    }
    let t = t / near_weight;
    let mut square = [0.0; 3];
    let mut var_t = 0.0;
    for (l, w) in leaves.iter().zip(&weights) {
        let (east, north) = site.offset(&l.u);
        let cell = l.cell.height * l.cell.height / 12.0;
        square[0] += w * (east * east + cell);
        square[1] += w * east * north;
        square[2] += w * (north * north + cell);
        var_t += w * (l.t - t) * (l.t - t);
    }
    Some(Summed {
        evidence: top + math::ln(total),
        u,
        t,
        magnitude: magnitude / total,
        near,
        covariance: square.map(|s| s / total * METRES * METRES),
        var_t: var_t / total + 0.5,
    })
}

/// The event as it is stated.
pub(super) fn state(
    scene: &Scene<'_>,
    trial: &Trial,
    summed: &Summed,
    performance: &Performance,
) -> GlobeEvent {
    let spot = Spot::of(&summed.u);
    let hits = trial.hits.len() as f64;
    let log_odds = |p: f64| {
        let p = p.clamp(1e-4, 1.0 - 1e-4);
        math::ln(p / (1.0 - p))
    };
    let real = math::logistic(summed.evidence);
    let mut all = [0.0; COUNT];
    let told = [
        1.0,
        log_odds(real * summed.near),
        f64::from(u8::from(hits < 2.5)),
        f64::from(u8::from(hits < 3.5)),
        math::ln(hits),
        log_odds(summed.near),
        (summed.evidence / 10.0).clamp(-1.0, 3.0),
        summed.magnitude - performance.magnitude_min,
    ];
    all[..GLOBE_FEATURES.len()].copy_from_slice(&told);
    let features = Features(all);
    let mut hits = trial.hits.clone();
    hits.sort_by(|a, b| Heard::order(&scene.heard[*a], &scene.heard[*b]));
    GlobeEvent {
        number: 0,
        t_s: summed.t,
        lat: spot.lat,
        lon: spot.lon,
        magnitude: summed.magnitude,
        probability: performance.calibration.probability(&features),
        evidence: summed.evidence,
        near: summed.near,
        covariance: summed.covariance.map(|c| c * performance.inflation),
        var_t: summed.var_t,
        features,
        rows: hits.iter().map(|hit| scene.heard[*hit].row).collect(),
    }
}
