//! The posterior of an event over the sphere, summed cell by cell: evidence,
//! the place with most of it near by, and covariance.

use super::net::{CELL_DEG, Cell, Site, Spot, Vector, View, apart, dot};
use super::performance::Performance;
use super::weigh::{Heard, Scene, Trial, add_magnitudes, over_magnitudes};
use super::{GLOBE_FEATURES, GlobeEvent};
use crate::math;
use crate::posterior::{COUNT, Features};

/// What counts as near, degrees: the rule of the yardstick.
const NEAR_DEG: f64 = 5.0;
/// Halvings of the cells of the grid.
const HALVINGS: usize = 5;
/// Cells of one size that are looked into, at most.
const WIDTH: usize = 24;
/// Cells that hold less than the best by this are not looked into, nats.
const BELOW: f64 = 5.5;
/// Slowness of waves with which the width of a cell becomes time, s/degree.
const PER_DEG: f64 = 8.5;
/// Metres in a degree.
const METRES: f64 = 111_194.9;

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
    let net = scene.net;
    let posts = net.posts.len();
    // Which cells of the grid azimuths and slownesses leave.
    let mut rough: Vec<(f64, usize)> = Vec::with_capacity(net.cells.len());
    let mut origins: Vec<(f64, f64)> = Vec::new();
    let mut views: Vec<View> = Vec::new();
    let slack = 0.5 * CELL_DEG;
    for cell in 0..net.cells.len() {
        let views = &net.views[cell * posts..(cell + 1) * posts];
        let azimuth = |post: usize| net.azimuths[cell * posts + post];
        let nats = fit(scene, trial, views, azimuth, slack, &mut origins);
        rough.push((nats, cell));
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
            .map(|cell| leaf(scene, trial, cell, half, &mut views, &mut origins))
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
    summed(&leaves)
}

/// How well azimuths, slownesses and times agree at a place: log-likelihood ratio
/// over time, in seconds.
fn fit(
    scene: &Scene<'_>,
    trial: &Trial,
    views: &[View],
    azimuth: impl Fn(usize) -> f64,
    slack: f64,
    origins: &mut Vec<(f64, f64)>,
) -> f64 {
    origins.clear();
    let mut sum = 0.0;
    let slack_s = 0.35 * slack * PER_DEG;
    for hit in &trial.hits {
        let h = &scene.heard[*hit];
        let (view, own) = (&views[h.post], &scene.net.posts[h.post]);
        let turned = (apart(h.azimuth, azimuth(h.post)).abs()
            - if slack > 1.0 { 0.5 * slack / view.aside.max(0.02) } else { 0.0 })
        .max(0.0);
        let wide = 1.0 + slack_s * own.per_time;
        sum += h.worth
            - turned * own.per_azimuth
            - (h.slowness - view.slowness).abs() * own.per_slowness
            - math::ln(wide);
        origins.push((h.t - view.travel, own.per_time / wide));
    }
    sum + over_time(origins)
}

/// Log of the integral of the product of exponentials to both sides.
fn over_time(origins: &mut [(f64, f64)]) -> f64 {
    origins.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let all: f64 = origins.iter().map(|o| o.1).sum();
    // At the earliest: how far all others are.
    let mut height: f64 = -origins.iter().map(|o| (o.0 - origins[0].0) * o.1).sum::<f64>();
    let mut slope = all;
    let mut pieces = [(0.0, 0.0); 64];
    let mut count = 0;
    let mut top = height;
    // The tail before the first.
    pieces[count] = (height, 1.0 / all);
    count += 1;
    for i in 0..origins.len() {
        slope -= 2.0 * origins[i].1;
        if i + 1 == origins.len() {
            pieces[count] = (height, 1.0 / all);
            count += 1;
            break;
        }
        let long = origins[i + 1].0 - origins[i].0;
        let next = height + slope * long;
        let (low, high) = if next < height { (next, height) } else { (height, next) };
        let drop = high - low;
        let width = if drop > 1e-6 { long * (1.0 - math::exp(-drop)) / drop } else { long };
        if count < pieces.len() - 1 {
            pieces[count] = (high, width);
            count += 1;
        }
        top = top.max(high);
        height = next;
    }
    let sum: f64 = pieces[..count].iter().map(|(h, w)| w * math::exp(h - top)).sum();
    top + math::ln(sum.max(1e-300))
}

/// The mass in a cell.
fn leaf(
    scene: &Scene<'_>,
    trial: &Trial,
    cell: Cell,
    half: f64,
    views: &mut Vec<View>,
    origins: &mut Vec<(f64, f64)>,
) -> Leaf {
    let net = scene.net;
    let u = cell.centre();
    net.look(&u, views);
    let over_t = fit(scene, trial, views, |post| views[post].azimuth(), half, origins);
    let (mut t, mut weight) = (0.0, 0.0);
    for (at, per) in origins.iter() {
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
