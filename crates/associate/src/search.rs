//! Candidates: for a detection nobody explains, the place and time of the
//! event that would explain it best. Anchored at the detection the origin time
//! follows from the place, so the search is over two dimensions: squares are
//! split best first, and a square is left alone once its upper bound is below
//! the best event found.

use std::collections::BinaryHeap;

use crate::bearing::Bearing;
use crate::live::Events;
use crate::math;
use crate::network::{NEIGHBOURS, Neighbour};
use crate::ring::FREE;
use crate::roads::Seats;
use crate::score::{Hit, Lift, Loc, REACH_MAX, Reached, View, Weighed, hits_of, occam, spread};

/// Neighbours at once: lanes of the loops over them.
const LANES: usize = 8;
/// Squares looked at for one detection at most: bounds the time.
const SQUARES_MAX: usize = 300;
/// Leaves settled for one detection at most.
const LEAVES_MAX: usize = 20;
/// Half-width below which a square is weighed exactly, metres.
const LEAF: f32 = 260.0;
/// Free detections of a neighbour looked at, at most.
const TIMES_MAX: usize = 96;
/// Added to what may still come, for rounding, nats.
const REST_MARGIN: f32 = 0.01;
/// Logarithm of prior and Occam factor at the very best.
const PRIOR_BEST: f32 = -17.0;
/// Neighbours with something to say below which nothing can be found.
pub(crate) const ACTIVE_MIN: usize = 3;
/// The same for an event that is to be clear.
pub(crate) const ACTIVE_CLEAR: usize = 5;
/// Leaves weighed exactly.
const POLISHED: usize = 5;
/// Leaves this much below the best are not weighed exactly, nats.
const POLISH_WITHIN: f64 = 15.0;
/// While places are compared, stations within so many times the distance of
/// the eighth neighbour are asked, and within so many metres at least.
const NEAR_ROOTS: f64 = 4.0;
const NEAR_MIN_M: f64 = 5_000.0;
/// Turns of listening and moving, as long as the place moves by more than this, metres.
const POLISH_TURNS: usize = 3;
const POLISH_M: f64 = 150.0;
/// Silence that calls for a look elsewhere, nats, and what counts as elsewhere, metres.
const SILENCE_ODD: f64 = -2.5;
const ELSEWHERE_M: f64 = 200.0;
/// Rough score below which a leaf is not weighed exactly.
const QUICK_MIN: f64 = -4.0;

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
    heard: Heard,
    quick: Vec<Quick>,
    pub reached: Vec<Reached>,
    pub hits: Vec<Hit>,
    pub seats: Seats,
    near: Near,
    silent: Vec<Neighbour>,
}

/// Free detections of the neighbours, relative to the anchor, as flat arrays.
#[derive(Default)]
struct Heard {
    t: Vec<f32>,
    /// Log-likelihood ratio apart from time and level.
    gain: Vec<f32>,
    sigma: Vec<f32>,
    amp: Vec<f32>,
    bearing: Vec<Bearing>,
    index: Vec<u32>,
}

impl Heard {
    fn clear(&mut self) {
        self.t.clear();
        self.gain.clear();
        self.sigma.clear();
        self.amp.clear();
        self.bearing.clear();
        self.index.clear();
    }
}

/// A leaf, settled on the neighbours alone.
#[derive(Clone, Copy, Debug)]
struct Quick {
    score: f64,
    /// Origin time relative to the anchor's detection.
    t: f64,
    x: f64,
    y: f64,
    /// Detection taken at each neighbour.
    taken: [u32; NEIGHBOURS],
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
    /// Most that this one and all after it can add to a score.
    rest: [f32; NEIGHBOURS],
    start: [u32; NEIGHBOURS],
    len: [u32; NEIGHBOURS],
    centre: [f32; NEIGHBOURS],
    spread: [f32; NEIGHBOURS],
    /// Distances of the nearest and farthest place of the square.
    closest: [f32; NEIGHBOURS],
    farthest: [f32; NEIGHBOURS],
    /// What the wind adds to levels, dB.
    carried: [f32; NEIGHBOURS],
}

impl Near {
    /// Adds a neighbour of a station, with its best detection and where all of them are.
    fn add(
        &mut self,
        view: &View,
        of: u32,
        neighbour: &Neighbour,
        gain: f32,
        heard: std::ops::Range<usize>,
    ) {
        let Neighbour { station, dx, dy, .. } = *neighbour;
        let (net, i, l) = (view.net, self.n, station as usize);
        (self.station[i], self.dx[i], self.dy[i]) = (station, dx, dy);
        let dz = net.z[l] - net.ground[of as usize];
        self.dz2[i] = (dz * dz) as f32;
        let air = net.between(of, station);
        (self.c[i], self.we[i], self.wn[i]) = (air.c as f32, air.east as f32, air.north as f32);
        self.clock[i] = net.habit[l].clock as f32;
        self.floor[i] = (net.habit[l].noise + view.physics.model.threshold_db) as f32;
        (self.gain[i], self.start[i], self.len[i]) = (gain, heard.start as u32, heard.len() as u32);
        self.n += 1;
    }

    /// What a block of neighbours has to do with a square: `uax`, `uay`, `inv_a` and
    /// `tau_a` are direction, one over distance and travel time to the anchor.
    #[inline]
    fn look(
        &mut self,
        block: usize,
        (x, y): (f32, f32),
        reach: f32,
        (uax, uay, inv_a, tau_a): (f32, f32, f32, f32),
        air: Lift,
    ) {
        let lanes = block * LANES..(block + 1) * LANES;
        let of = |all: &[f32; NEIGHBOURS]| {
            let mut lane = [0.0; LANES];
            lane.copy_from_slice(&all[lanes.clone()]);
            lane
        };
        let (sx, sy, dz2, clock) = (of(&self.dx), of(&self.dy), of(&self.dz2), of(&self.clock));
        let (c, we, wn) = (of(&self.c), of(&self.we), of(&self.wn));
        let mut out = [[0.0; LANES]; 5];
        for i in 0..LANES {
            let (dx, dy) = (sx[i] - x, sy[i] - y);
            let d = (dx * dx + dy * dy + dz2[i]).max(900.0).sqrt();
            let inv = 1.0 / d;
            let (ux, uy) = (dx * inv, dy * inv);
            let along = we[i] * ux + wn[i] * uy;
            let tau = d / (c[i] + we[i] * ux + wn[i] * uy);
            let (ex, ey) = (ux - uax, uy - uay);
            let turn = ((ex * ex + ey * ey).sqrt() + reach * (inv + inv_a)).min(2.0);
            out[0][i] = tau + clock[i] - tau_a;
            out[1][i] = turn * reach * (1.0 / 330.0) + 0.22 + 0.0105 * tau;
            out[2][i] = d - reach;
            out[3][i] = d + reach;
            out[4][i] = air.carried(along, d);
        }
        self.centre[lanes.clone()].copy_from_slice(&out[0]);
        self.spread[lanes.clone()].copy_from_slice(&out[1]);
        self.closest[lanes.clone()].copy_from_slice(&out[2]);
        self.farthest[lanes.clone()].copy_from_slice(&out[3]);
        self.carried[lanes].copy_from_slice(&out[4]);
    }
}

/// The best event through a free detection, if any has a score above zero.
pub(crate) fn search(
    view: &View,
    events: &Events,
    station: u32,
    index: usize,
    active_min: usize,
    s: &mut Scratch,
) -> Option<Candidate> {
    let net = view.net;
    let k = station as usize;
    let ring = &view.rings[k];
    let t_a = ring.t[index];
    let near = &mut s.near;
    let heard = &mut s.heard;
    // Most anchors are false alarms: few neighbours heard anything.
    let active = net.asked(station).iter().filter(|n| heard_any(view, n, t_a));
    if active.take(active_min).count() < active_min {
        return None;
    }
    heard.clear();
    near.n = 0;
    let scale = net.scale[k];
    let stray = view.physics.model.azimuth_stray_share;
    s.silent.clear();
    for neighbour in net.asked(station) {
        let Neighbour { station: l, moveout, .. } = *neighbour;
        let other = &view.rings[l as usize];
        let start = heard.t.len();
        let mut gain = f64::NEG_INFINITY;
        let mut j = other.from(t_a - moveout);
        let until = (t_a + moveout).min(view.horizon);
        while j < other.t.len() && other.t[j] <= until && heard.t.len() - start < TIMES_MAX {
            if other.owner[j] == FREE {
                let pick = &other.picks[j];
                let g = f64::from(pick.gain) - view.ln_crowd(l, j);
                let ahead = pick.bearing.best(stray);
                heard.t.push((other.t[j] - t_a) as f32);
                heard.gain.push(g as f32);
                heard.sigma.push(pick.sigma);
                heard.amp.push(pick.amp);
                heard.index.push(j as u32);
                heard.bearing.push(pick.bearing);
                gain = gain.max(g + ahead);
            }
            j += 1;
        }
        if heard.t.len() > start {
            gain += view.physics.ln_hit + view.physics.level(0.0);
            near.add(view, station, neighbour, gain as f32, start..heard.t.len());
        } else if !net.is_down(l, t_a) && t_a + moveout <= view.horizon {
            s.silent.push(*neighbour);
        }
    }
    // Those that heard something first: without them no square can be good.
    for neighbour in &s.silent {
        near.add(view, station, neighbour, f32::NEG_INFINITY, 0..0);
    }
    let (mut rest, ln_sigma) = (REST_MARGIN, view.physics.ln_sigma(0.0) as f32);
    for i in (0..near.n).rev() {
        rest += (near.gain[i] - ln_sigma).max(0.0);
        near.rest[i] = rest;
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
        sigma: pick.sigma,
        bearing: pick.bearing,
        gain: (f64::from(pick.gain) - view.ln_crowd(station, index)
            + view.physics.ln_hit
            + view.physics.level(0.0)) as f32,
    };
    s.heap.clear();
    s.quick.clear();
    let mut ids = 1;
    let root = net.root[k] as f32;
    let first = bound(view, near, &heard.t, &anchor, (0.0, 0.0), root, 0.0);
    s.heap.push(Square { bound: first, id: 0, x: 0.0, y: 0.0, half: root });
    let mut best = 0.0_f32;
    let mut leaves = 0;
    let mut seen = 0;
    while let Some(square) = s.heap.pop() {
        if square.bound <= best || seen > SQUARES_MAX || leaves >= LEAVES_MAX {
            break;
        }
        if square.half <= LEAF {
            leaves += 1;
            // What was found in it already would be found again.
            let inside = |o: &Quick| {
                let (dx, dy) = (o.x as f32 - square.x, o.y as f32 - square.y);
                dx.abs() <= square.half && dy.abs() <= square.half
            };
            if s.quick.iter().any(inside) {
                continue;
            }
            if let Some(found) = quick(view, near, heard, &anchor, square.x, square.y)
                && found.score > QUICK_MIN
            {
                best = best.max(found.score as f32 - 6.0);
                let same = |o: &Quick| {
                    (o.t - found.t).abs() < 0.1
                        && (o.x - found.x).abs() < 60.0
                        && (o.y - found.y).abs() < 60.0
                };
                match s.quick.iter().position(same) {
                    Some(at) if s.quick[at].score < found.score => s.quick[at] = found,
                    Some(_) => {}
                    None => s.quick.push(found),
                }
            }
            continue;
        }
        let half = square.half * 0.5;
        for (sx, sy) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
            let (x, y) = (square.x + sx * half, square.y + sy * half);
            let bound = self::bound(view, near, &heard.t, &anchor, (x, y), half, best);
            seen += 1;
            if bound > best {
                s.heap.push(Square { bound, id: ids, x, y, half });
                ids += 1;
            }
        }
    }
    // The best few are weighed exactly.
    s.quick.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.t.total_cmp(&b.t)));
    let mut out: Option<Candidate> = None;
    let enough = s.quick.first().map_or(0.0, |q| q.score - POLISH_WITHIN);
    for quick in s.quick.iter().take(POLISHED).take_while(|q| q.score >= enough) {
        let mut loc =
            Loc { t: t_a + quick.t, x: net.x[k] + quick.x * scale, y: net.y[k] + quick.y * scale };
        s.hits.clear();
        s.hits.push(Hit { station, position: ring.position(index) });
        for (i, taken) in quick.taken.iter().enumerate().take(near.n) {
            if *taken != u32::MAX {
                let l = near.station[i];
                let position =
                    view.rings[l as usize].position(heard.index[*taken as usize] as usize);
                s.hits.push(Hit { station: l, position });
            }
        }
        if let Some(found) = polish(view, events, &mut loc, &mut s.reached, &mut s.hits, true, true)
            && found.weighed.score > out.as_ref().map_or(0.0, |o| o.weighed.score)
        {
            out = Some(found);
        }
    }
    // The far stations are asked once only.
    let mut out = out?;
    if NEAR_ROOTS * net.root[out.home as usize] <= REACH_MAX {
        let mut loc = out.loc;
        s.hits.clone_from(&out.hits);
        let full = polish(view, events, &mut loc, &mut s.reached, &mut s.hits, true, false);
        out = full.unwrap_or(out);
    }
    if out.weighed.silence < SILENCE_ODD {
        for _ in 0..2 {
            let Some(better) = elsewhere(view, events, &out, s) else { break };
            out = better;
        }
    }
    Some(out)
}

/// True if a neighbour heard something that nobody explains, so near in time
/// that it could be of one event with a detection at `t`.
fn heard_any(view: &View, neighbour: &Neighbour, t: f64) -> bool {
    let ring = &view.rings[neighbour.station as usize];
    let from = ring.from(t - neighbour.moveout);
    let until = (t + neighbour.moveout).min(view.horizon);
    let within = ring.t[from..].iter().take_while(|t| **t <= until);
    within.zip(&ring.owner[from..]).any(|(_, owner)| *owner == FREE)
}

/// A better place for an event at which stations are silent that should have
/// heard it: on the other side of the line of its stations, or nearer to them or
/// farther from them, where the same detections agree nearly as well.
fn elsewhere(
    view: &View,
    events: &Events,
    event: &Candidate,
    s: &mut Scratch,
) -> Option<Candidate> {
    let n = event.hits.len() as f64;
    let at = |h: &Hit| (view.net.x[h.station as usize], view.net.y[h.station as usize]);
    let mean = event.hits.iter().map(at).fold((0.0, 0.0), |a, p| (a.0 + p.0 / n, a.1 + p.1 / n));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in event.hits.iter().map(at) {
        let (dx, dy) = (x - mean.0, y - mean.1);
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    // Long axis of the stations: the mirror.
    let angle = 0.5 * libm::atan2(2.0 * xy, xx - yy);
    let (ux, uy) = (libm::cos(angle), libm::sin(angle));
    let (px, py) = (event.loc.x - mean.0, event.loc.y - mean.1);
    let along = px * ux + py * uy;
    let across = py * ux - px * uy;
    let mut best: Option<Candidate> = None;
    for (k, l) in [(1.0, -1.0), (1.0, 0.3), (0.5, 0.5), (1.5, 1.8), (1.2, 2.6)] {
        let (a, c) = (along * k, across * l);
        let mut loc = Loc { t: 0.0, x: mean.0 + a * ux - c * uy, y: mean.1 + a * uy + c * ux };
        let home = view.net.nearest_to(loc.x, loc.y);
        for h in &event.hits {
            let ring = &view.rings[h.station as usize];
            let tau = view.path(loc.x, loc.y, home, h.station).tau;
            loc.t += (ring.t[ring.index(h.position)] - tau) / n;
        }
        view.settle(&mut loc, home, &event.hits, 6, None);
        let (dx, dy) = (loc.x - event.loc.x, loc.y - event.loc.y);
        if dx * dx + dy * dy < ELSEWHERE_M * ELSEWHERE_M {
            continue;
        }
        s.hits.clone_from(&event.hits);
        let found = polish(view, events, &mut loc, &mut s.reached, &mut s.hits, true, false);
        if let Some(found) = found
            && found.weighed.score > best.as_ref().map_or(event.weighed.score, |b| b.weighed.score)
        {
            best = Some(found);
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
    sigma: f32,
    bearing: Bearing,
    gain: f32,
}

/// Upper bound of the score of any event within a square, or something below
/// `least` if it is below that.
#[inline]
fn bound(
    view: &View,
    near: &mut Near,
    times: &[f32],
    a: &Anchor,
    (x, y): (f32, f32),
    half: f32,
    least: f32,
) -> f32 {
    let reach = half * std::f32::consts::SQRT_2;
    let da2 = x * x + y * y + a.dz2;
    let da = da2.max(900.0).sqrt();
    let inv_a = 1.0 / da;
    // From the source to the sensor.
    let (uax, uay) = (-x * inv_a, -y * inv_a);
    let tau_a = da / (a.c + a.we * uax + a.wn * uay) + a.clock;
    let air = view.physics.lift();
    // The anchor's level says what others should have heard, two scatters below.
    let near_a = (da - reach).max(30.0);
    let level = a.amp + view.physics.attenuation(f64::from(near_a)) as f32
        - air.carried(a.we * uax + a.wn * uay, da)
        - 9.0;
    let mut sum =
        PRIOR_BEST + a.gain - view.physics.ln_sigma(f64::from((da - reach).max(0.0))) as f32;
    if a.bearing.is_some() {
        let stray = view.physics.model.azimuth_stray_share;
        sum += a.bearing.most(stray, f64::from(x), f64::from(y), f64::from(reach)) as f32;
    }
    for i in 0..near.n {
        if i % LANES == 0 {
            near.look(i / LANES, (x, y), reach, (uax, uay, inv_a, tau_a), air);
        }
        if sum + near.rest[i] < least {
            return f32::NEG_INFINITY;
        }
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
            sum += (near.gain[i] - view.physics.ln_sigma_about(near.closest[i])).max(0.0);
        } else {
            let loss = view.physics.attenuation_about(near.farthest[i]) - near.carried[i];
            let z = (level - near.floor[i] - loss) * 0.27;
            if z > 0.0 {
                sum -= z;
            }
        }
    }
    sum
}

/// Settles a leaf on what the neighbours heard and weighs it roughly.
fn quick(view: &View, near: &Near, heard: &Heard, a: &Anchor, x: f32, y: f32) -> Option<Quick> {
    let path_error = view.physics.model.path_error;
    let (mut x, mut y) = (f64::from(x), f64::from(y));
    // Travel time from the source to a station at (dx, dy) from the anchor and
    // its derivatives.
    let travel = |x: f64, y: f64, dx: f64, dy: f64, dz2: f64, c: f64, we: f64, wn: f64| {
        let (ex, ey) = (dx - x, dy - y);
        let d = (ex * ex + ey * ey + dz2).max(100.0).sqrt();
        let speed = c + (we * ex + wn * ey) / d;
        let per = 1.0 / (d * speed);
        (d * d * per, -ex * per, -ey * per, d, speed - c)
    };
    let lost = |d: f64, along: f64| view.physics.attenuation(d) - view.physics.carried(along, d);
    let anchor = |x: f64, y: f64| {
        travel(x, y, 0.0, 0.0, f64::from(a.dz2), f64::from(a.c), f64::from(a.we), f64::from(a.wn))
    };
    let other = |x: f64, y: f64, i: usize| {
        travel(
            x,
            y,
            f64::from(near.dx[i]),
            f64::from(near.dy[i]),
            f64::from(near.dz2[i]),
            f64::from(near.c[i]),
            f64::from(near.we[i]),
            f64::from(near.wn[i]),
        )
    };
    let clock_a = f64::from(a.clock);
    let mut t = -anchor(x, y).0 - clock_a;
    let mut taken = [u32::MAX; NEIGHBOURS];
    for pass in 0..2 {
        let mut count = 0;
        for i in 0..near.n {
            taken[i] = u32::MAX;
            if near.len[i] == 0 {
                continue;
            }
            let (tau, ..) = other(x, y, i);
            let predicted = (t + tau) as f32 + near.clock[i];
            let slack =
                if pass == 0 { 0.75 + 0.01 * tau as f32 } else { 0.35 + 0.012 * tau as f32 };
            let (from, to) = (near.start[i] as usize, (near.start[i] + near.len[i]) as usize);
            let list = &heard.t[from..to];
            let at = if list.len() <= 8 {
                list.iter().take_while(|t| **t < predicted).count()
            } else {
                list.partition_point(|t| *t < predicted)
            };
            let after = if at < list.len() { list[at] - predicted } else { f32::INFINITY };
            let before = if at > 0 { predicted - list[at - 1] } else { f32::INFINITY };
            if before.min(after) <= slack {
                taken[i] = (from + if before < after { at - 1 } else { at }) as u32;
                count += 1;
            }
        }
        if count < 3 {
            return None;
        }
        for _ in 0..if pass == 0 { 3 } else { 2 } {
            let hold = 1.0 / (4_000.0 * 4_000.0);
            let (mut h00, mut h10, mut h11) = (1e-6, 0.0, hold);
            let (mut h20, mut h21, mut h22) = (0.0, 0.0, hold);
            let (mut r0, mut r1, mut r2) = (0.0, 0.0, 0.0);
            let mut add = |residual: f64, tau: f64, gx: f64, gy: f64, pick: f64| {
                let path = path_error * tau;
                let var = pick * pick + path * path;
                let w = 5.0 / (4.0 * var + residual * residual);
                h00 += w;
                h10 += w * gx;
                h11 += w * gx * gx;
                h20 += w * gy;
                h21 += w * gx * gy;
                h22 += w * gy * gy;
                r0 += w * residual;
                r1 += w * gx * residual;
                r2 += w * gy * residual;
            };
            let (tau, gx, gy, ..) = anchor(x, y);
            add(-t - tau - clock_a, tau, gx, gy, f64::from(a.sigma));
            for (i, at) in taken.iter().enumerate().take(near.n) {
                if *at != u32::MAX {
                    let (tau, gx, gy, ..) = other(x, y, i);
                    let residual =
                        f64::from(heard.t[*at as usize]) - t - tau - f64::from(near.clock[i]);
                    add(residual, tau, gx, gy, f64::from(heard.sigma[*at as usize]));
                }
            }
            let info = [[h00, h10, h20], [h10, h11, h21], [h20, h21, h22]];
            let l = math::cholesky(&info)?;
            let step = math::solve(&l, &[r0, r1, r2]);
            let far = (step[1] * step[1] + step[2] * step[2]).sqrt();
            let cut = if far > 1_500.0 { 1_500.0 / far } else { 1.0 };
            t += step[0] * cut;
            x += step[1] * cut;
            y += step[2] * cut;
            if far < 5.0 {
                break;
            }
        }
    }
    // Level from what was heard.
    let (tau_a, _, _, d_a, along_a) = anchor(x, y);
    let mut level = f64::from(a.amp) + lost(d_a, along_a);
    let mut count = 1.0;
    let (mut loss, mut tau) = ([0.0; NEIGHBOURS], [0.0; NEIGHBOURS]);
    for i in 0..near.n {
        let (tau_i, _, _, d, along) = other(x, y, i);
        (loss[i], tau[i]) = (lost(d, along), tau_i);
        if taken[i] != u32::MAX {
            level += f64::from(heard.amp[taken[i] as usize]) + loss[i];
            count += 1.0;
        }
    }
    level = (level + view.physics.model.level_mean_db * 0.3) / (count + 0.3);
    let variance = |pick: f32, tau: f64| {
        let path = path_error * tau;
        f64::from(pick * pick) + path * path
    };
    let stray = view.physics.model.azimuth_stray_share;
    let time_a = view.physics.time(-t - tau_a - clock_a, variance(a.sigma, tau_a));
    let mut score = f64::from(PRIOR_BEST) - 3.0 + f64::from(a.gain) - view.physics.ln_hit
        + time_a
        + a.bearing.gain(stray, x, y);
    for i in 0..near.n {
        let loss = loss[i];
        let z = (level - loss - f64::from(near.floor[i])) * view.physics.per_width;
        let silent = if z > -5.0 { view.physics.ln_silent(z) } else { 0.0 };
        if taken[i] == u32::MAX {
            score += silent;
            continue;
        }
        let at = taken[i] as usize;
        let tau = tau[i];
        let residual = f64::from(heard.t[at]) - t - tau - f64::from(near.clock[i]);
        let gain = f64::from(heard.gain[at])
            + view.physics.time(residual, variance(heard.sigma[at], tau))
            + view.physics.level(f64::from(heard.amp[at]) + loss - level)
            + heard.bearing[at].gain(stray, x - f64::from(near.dx[i]), y - f64::from(near.dy[i]));
        if gain > silent {
            score += gain;
        } else {
            score += silent;
            taken[i] = u32::MAX;
        }
    }
    Some(Quick { score, t, x, y, taken })
}

/// Listens at a place, moves to where the hits agree, and weighs it.
pub(crate) fn polish(
    view: &View,
    events: &Events,
    loc: &mut Loc,
    reached: &mut Vec<Reached>,
    hits: &mut Vec<Hit>,
    crowd: bool,
    near_only: bool,
) -> Option<Candidate> {
    let home = view.net.nearest_to(loc.x, loc.y);
    let belief = events.belief(view.physics, *loc, view.me);
    // What the hits say of the level decides how far to ask.
    let mut level = belief.level / belief.level_var;
    let mut weight = 1.0 / belief.level_var;
    let per = 1.0 / (view.physics.model.level_scatter_db * view.physics.model.level_scatter_db);
    for hit in hits.iter() {
        let ring = &view.rings[hit.station as usize];
        let path = view.path(loc.x, loc.y, home, hit.station);
        let amp = f64::from(ring.picks[ring.index(hit.position)].amp);
        level += per * (amp + path.loss);
        weight += per;
    }
    level /= weight;
    let mut reach = view.reach(level, home);
    if near_only {
        reach = reach.min((NEAR_ROOTS * view.net.root[home as usize]).max(NEAR_MIN_M));
    }
    view.listen(*loc, home, (level, reach), reached);
    let first = view.weigh(reached, &belief, 0.0, crowd);
    hits_of(reached, view.rings, hits);
    // Moving and the Occam factor hardly bring back what is so far below.
    if hits.len() < 3 || first.score < -30.0 {
        return None;
    }
    let (mut home, mut info) = (home, [[0.0; 3]; 3]);
    // Far from where it was listened other detections may suit better.
    for _ in 0..POLISH_TURNS {
        let (x, y) = (loc.x, loc.y);
        info = view.settle(loc, home, hits, 4, belief.site);
        home = view.net.nearest_to(loc.x, loc.y);
        view.listen(*loc, home, (level, reach), reached);
        let (dx, dy) = (loc.x - x, loc.y - y);
        if dx * dx + dy * dy < POLISH_M * POLISH_M {
            break;
        }
        let belief = events.belief(view.physics, *loc, view.me);
        view.weigh(reached, &belief, 0.0, crowd);
        hits_of(reached, view.rings, hits);
        if hits.len() < 3 {
            return None;
        }
    }
    let belief = events.belief(view.physics, *loc, view.me);
    let weighed = view.weigh(reached, &belief, occam(&info), crowd);
    if weighed.hits < 3 {
        return None;
    }
    hits_of(reached, view.rings, hits);
    Some(Candidate { loc: *loc, home, weighed, var: spread(&info), hits: hits.clone() })
}
