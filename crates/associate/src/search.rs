//! Candidates: for a detection nobody explains, the place and time of the
//! event that would explain it best. Anchored at the detection the origin time
//! follows from the place, so the search is over two dimensions: squares are
//! split best first, and a square is left alone once its upper bound is below
//! the best event found.

use std::collections::BinaryHeap;

use crate::live::Events;
use crate::network::NEIGHBOURS;
use crate::ring::FREE;
use crate::score::{Hit, Loc, Reached, View, Weighed, hits_of, occam, spread};

/// Squares looked at for one detection at most: bounds the time.
const SQUARES_MAX: usize = 600;
/// Leaves weighed exactly for one detection at most.
const LEAVES_MAX: usize = 24;
/// Half-width below which a square is weighed exactly, metres.
const LEAF: f32 = 260.0;
/// Free detections of a neighbour looked at, at most.
const TIMES_MAX: usize = 96;
/// Logarithm of prior and Occam factor at the very best.
const PRIOR_BEST: f32 = -17.0;
/// Neighbours with something to say below which nothing can be found.
const ACTIVE_MIN: usize = 3;

/// An event that could be.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub loc: Loc,
    pub home: u32,
    pub weighed: Weighed,
    pub var: f64,
    pub hits: Vec<Hit>,
}

#[derive(Clone, Copy, PartialEq)]
struct Square {
    bound: f32,
    id: u32,
    x: f32,
    y: f32,
    half: f32,
}

impl Eq for Square {}

impl Ord for Square {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(other.id.cmp(&self.id))
    }
}

impl PartialOrd for Square {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Memory that searches use again and again.
#[derive(Default)]
pub(crate) struct Scratch {
    heap: BinaryHeap<Square>,
    times: Vec<f32>,
    pub reached: Vec<Reached>,
    pub hits: Vec<Hit>,
    near: Near,
}

/// Neighbours of the anchor, relative to it, as flat arrays.
#[derive(Default)]
struct Near {
    n: usize,
    station: [u32; NEIGHBOURS],
    dx: [f32; NEIGHBOURS],
    dy: [f32; NEIGHBOURS],
    dz2: [f32; NEIGHBOURS],
    c: [f32; NEIGHBOURS],
    we: [f32; NEIGHBOURS],
    wn: [f32; NEIGHBOURS],
    clock: [f32; NEIGHBOURS],
    /// Level over which the station would hear, dB.
    floor: [f32; NEIGHBOURS],
    /// Log-likelihood ratio of the best detection in the window.
    gain: [f32; NEIGHBOURS],
    start: [u32; NEIGHBOURS],
    len: [u32; NEIGHBOURS],
    centre: [f32; NEIGHBOURS],
    spread: [f32; NEIGHBOURS],
    dist: [f32; NEIGHBOURS],
}

/// The best event through a free detection, if any has a score above zero.
pub(crate) fn search(
    view: &View,
    events: &Events,
    station: u32,
    index: usize,
    s: &mut Scratch,
) -> Option<Candidate> {
    let net = view.net;
    let k = station as usize;
    let ring = &view.rings[k];
    let t_a = ring.t[index];
    let near = &mut s.near;
    s.times.clear();
    near.n = 0;
    let mut active = 0;
    let scale = net.scale[k];
    for &l in net.near(station) {
        let i = near.n;
        let lu = l as usize;
        let (dx, dy) = ((net.x[lu] - net.x[k]) / scale, (net.y[lu] - net.y[k]) / scale);
        let d = (dx * dx + dy * dy).sqrt();
        let moveout = d / 325.0 + 0.4 + 0.003 * d / 325.0;
        let other = &view.rings[lu];
        let start = s.times.len();
        let mut gain = f64::NEG_INFINITY;
        let mut j = other.from(t_a - moveout);
        let until = (t_a + moveout).min(view.horizon);
        while j < other.t.len() && other.t[j] <= until && s.times.len() - start < TIMES_MAX {
            if other.owner[j] == FREE {
                s.times.push((other.t[j] - t_a) as f32);
                let pick = &other.picks[j];
                let g = f64::from(pick.gain) - view.ln_crowd(l, j)
                    + view.physics.time(0.0, view.sigma(l, pick.sigma, 0.0))
                    + view.physics.level(0.0);
                gain = gain.max(g);
            }
            j += 1;
        }
        let len = s.times.len() - start;
        active += usize::from(len > 0);
        let down = len == 0 && (net.is_down(l, t_a) || t_a + moveout > view.horizon);
        if down {
            continue;
        }
        near.station[i] = l;
        near.dx[i] = dx as f32;
        near.dy[i] = dy as f32;
        let dz = net.z[lu] - net.ground[k];
        near.dz2[i] = (dz * dz) as f32;
        near.c[i] = net.air[lu].c as f32;
        near.we[i] = net.air[lu].east as f32;
        near.wn[i] = net.air[lu].north as f32;
        near.clock[i] = net.habit[lu].clock as f32;
        near.floor[i] = (net.habit[lu].noise + view.physics.model.threshold_db) as f32;
        near.gain[i] = gain as f32;
        near.start[i] = start as u32;
        near.len[i] = len as u32;
        near.n += 1;
    }
    if active < ACTIVE_MIN {
        return None;
    }
    // Unused lanes must hold numbers.
    for i in near.n..NEIGHBOURS {
        (near.dx[i], near.dy[i], near.dz2[i], near.c[i]) = (0.0, 0.0, 1.0, 340.0);
        (near.we[i], near.wn[i], near.clock[i]) = (0.0, 0.0, 0.0);
    }
    let pick = ring.picks[index];
    let anchor = Anchor {
        c: net.air[k].c as f32,
        we: net.air[k].east as f32,
        wn: net.air[k].north as f32,
        clock: net.habit[k].clock as f32,
        dz2: {
            let dz = net.z[k] - net.ground[k];
            (dz * dz) as f32
        },
        amp: pick.amp,
        gain: (f64::from(pick.gain) - view.ln_crowd(station, index)
            + view.physics.time(0.0, view.sigma(station, pick.sigma, 0.0))
            + view.physics.level(0.0)) as f32,
    };
    s.heap.clear();
    let mut ids = 1;
    let root = net.root[k] as f32;
    let bound = bound(view, near, &s.times, &anchor, 0.0, 0.0, root);
    s.heap.push(Square { bound, id: 0, x: 0.0, y: 0.0, half: root });
    let mut best: Option<Candidate> = None;
    let mut best_score = 0.0_f32;
    let mut leaves = 0;
    let mut seen = 0;
    while let Some(square) = s.heap.pop() {
        if square.bound <= best_score || seen > SQUARES_MAX || leaves >= LEAVES_MAX {
            break;
        }
        if square.half <= LEAF {
            leaves += 1;
            let x = net.x[k] + f64::from(square.x) * scale;
            let y = net.y[k] + f64::from(square.y) * scale;
            if let Some(found) =
                leaf(view, events, (&mut s.reached, &mut s.hits), station, index, x, y)
                && found.weighed.score as f32 > best_score
            {
                best_score = found.weighed.score as f32;
                best = Some(found);
            }
            continue;
        }
        let half = square.half * 0.5;
        for (sx, sy) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
            let (x, y) = (square.x + sx * half, square.y + sy * half);
            let bound = self::bound(view, &mut s.near, &s.times, &anchor, x, y, half);
            seen += 1;
            if bound > best_score {
                s.heap.push(Square { bound, id: ids, x, y, half });
                ids += 1;
            }
        }
    }
    best
}

struct Anchor {
    c: f32,
    we: f32,
    wn: f32,
    clock: f32,
    dz2: f32,
    amp: f32,
    gain: f32,
}

/// Upper bound of the score of any event within a square.
#[inline]
fn bound(
    view: &View,
    near: &mut Near,
    times: &[f32],
    a: &Anchor,
    x: f32,
    y: f32,
    half: f32,
) -> f32 {
    let reach = half * std::f32::consts::SQRT_2;
    let da2 = x * x + y * y + a.dz2;
    let da = da2.max(900.0).sqrt();
    let inv_a = 1.0 / da;
    // From the source to the sensor.
    let (uax, uay) = (-x * inv_a, -y * inv_a);
    let tau_a = da / (a.c + a.we * uax + a.wn * uay) + a.clock;
    for i in 0..NEIGHBOURS {
        let (dx, dy) = (near.dx[i] - x, near.dy[i] - y);
        let d = (dx * dx + dy * dy + near.dz2[i]).max(900.0).sqrt();
        let inv = 1.0 / d;
        let (ux, uy) = (dx * inv, dy * inv);
        let tau = d / (near.c[i] + near.we[i] * ux + near.wn[i] * uy);
        let (ex, ey) = (ux - uax, uy - uay);
        let turn = ((ex * ex + ey * ey).sqrt() + reach * (inv + inv_a)).min(2.0);
        near.centre[i] = tau + near.clock[i] - tau_a;
        near.spread[i] = turn * reach * (1.0 / 330.0) + 0.22 + 0.0105 * tau;
        near.dist[i] = d;
    }
    // The anchor's level says what others should have heard, two scatters below.
    let near_a = (da - reach).max(30.0);
    let level = a.amp + view.physics.attenuation(f64::from(near_a)) as f32 - 9.0;
    let mut sum = PRIOR_BEST + a.gain;
    for i in 0..near.n {
        let (lo, hi) = (near.centre[i] - near.spread[i], near.centre[i] + near.spread[i]);
        let list = &times[near.start[i] as usize..(near.start[i] + near.len[i]) as usize];
        let mut heard = false;
        if list.len() <= 12 {
            for t in list {
                heard |= *t >= lo && *t <= hi;
            }
        } else {
            let at = list.partition_point(|t| *t < lo);
            heard = at < list.len() && list[at] <= hi;
        }
        if heard {
            sum += near.gain[i].max(0.0);
        } else {
            let far = near.dist[i] + reach;
            let z =
                (level - near.floor[i] - view.physics.attenuation(f64::from(far)) as f32) * 0.27;
            if z > 0.0 {
                sum -= z;
            }
        }
    }
    sum
}

/// Weighs the neighbourhood of a place exactly.
fn leaf(
    view: &View,
    events: &Events,
    (reached, hits): (&mut Vec<Reached>, &mut Vec<Hit>),
    station: u32,
    index: usize,
    x: f64,
    y: f64,
) -> Option<Candidate> {
    let ring = &view.rings[station as usize];
    let path = view.path(x, y, station, station);
    let clock = view.net.habit[station as usize].clock;
    let mut loc = Loc { t: ring.t[index] - path.tau - clock, x, y };
    let anchor = Hit { station, position: ring.position(index) };
    // First the neighbours, with the slack of the square.
    hits.clear();
    hits.push(anchor);
    for &l in view.net.near(station) {
        let path = view.path(x, y, station, l);
        let predicted = loc.t + path.tau + view.net.habit[l as usize].clock;
        let other = &view.rings[l as usize];
        let slack = 0.75 + 0.01 * path.tau;
        let mut i = other.from(predicted - slack);
        let mut best: Option<(f64, usize)> = None;
        while i < other.t.len() && other.t[i] <= (predicted + slack).min(view.horizon) {
            let off = (other.t[i] - predicted).abs();
            if other.owner[i] == FREE && best.is_none_or(|b| off < b.0) {
                best = Some((off, i));
            }
            i += 1;
        }
        if let Some((_, i)) = best {
            hits.push(Hit { station: l, position: other.position(i) });
        }
    }
    if hits.len() < 4 {
        return None;
    }
    view.settle(&mut loc, station, hits, 4, None);
    polish(view, events, &mut loc, reached, hits, true)
}

/// Listens at a place, moves to where the hits agree, and weighs it.
pub(crate) fn polish(
    view: &View,
    events: &Events,
    loc: &mut Loc,
    reached: &mut Vec<Reached>,
    hits: &mut Vec<Hit>,
    crowd: bool,
) -> Option<Candidate> {
    let mut home = view.net.nearest_to(loc.x, loc.y);
    let belief = events.belief(view.physics, *loc, view.me);
    // A first guess of the level from the nearer stations decides how far to ask.
    view.listen(*loc, home, (view.net.root[home as usize] * 1.6).max(8_000.0), reached);
    let first = view.weigh(reached, &belief, 0.0, crowd);
    if first.hits < 3 {
        return None;
    }
    hits_of(reached, view.rings, hits);
    view.settle(loc, home, hits, 3, belief.site);
    let reach = view.physics.reach(first.level, view.net.habit[home as usize].noise - 3.0);
    home = view.net.nearest_to(loc.x, loc.y);
    view.listen(*loc, home, reach, reached);
    view.weigh(reached, &belief, 0.0, crowd);
    hits_of(reached, view.rings, hits);
    if hits.len() < 3 {
        return None;
    }
    let info = view.settle(loc, home, hits, 3, belief.site);
    view.listen(*loc, home, reach, reached);
    let belief = events.belief(view.physics, *loc, view.me);
    let weighed = view.weigh(reached, &belief, occam(&info), crowd);
    if weighed.hits < 3 {
        return None;
    }
    hits_of(reached, view.rings, hits);
    Some(Candidate { loc: *loc, home, weighed, var: spread(&info), hits: hits.clone() })
}
