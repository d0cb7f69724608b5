//! The best source of one pick: branch and bound over place and depth. The time
//! is slaved to the pick, so that only three dimensions are searched.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::travel::HALVINGS;

use super::net::{Cell, of_channel};
use super::weigh::{Hit, Place, Reached, View, Weighed, hits_of, occam};

/// Half-width of a cell that is settled and not split again, km.
const LEAF_KM: f64 = 4.0;
/// Slabs thinner than this are not halved again, km.
const THIN_KM: f64 = 5.0;
/// Leaves settled and cells bounded for an anchor at most.
const LEAVES_MAX: usize = 5;
const CELLS_MAX: usize = 1_500;
/// Fewer channels with a pick in the window: nothing to search.
const ACTIVE_MIN: usize = 3;
/// Score of the neighbours alone, without the volume of the place, below which
/// neither moving nor far stations bring a source back, nats.
const QUICK_MIN: f64 = -15.0;
/// Picks of a source at least, and stations.
const HITS_MIN: f64 = 4.0;
const STATIONS_MIN: usize = 3;

/// A source that an anchor found.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub place: Place,
    pub weighed: Weighed,
    pub info: [[f64; 4]; 4],
    pub hits: Vec<Hit>,
}

/// Space for one search.
#[derive(Default)]
pub(crate) struct Scratch {
    active: Vec<Active>,
    times: Vec<f64>,
    /// Sum of the gains of all of them.
    gains: f64,
    heap: BinaryHeap<Queued>,
    pub reached: Vec<Reached>,
    pub hits: Vec<Hit>,
}

/// A channel with free picks in the window of the root.
#[derive(Clone, Copy)]
struct Active {
    channel: u32,
    /// Of the times of the scratch.
    from: u32,
    to: u32,
    /// Index of the first pick in its channel.
    first: u32,
    /// The most that a pick of it can add, nats.
    gain: f64,
}

#[derive(Clone, Copy, PartialEq)]
struct Queued {
    bound: f64,
    id: u32,
    cell: Cell,
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    /// Highest bound first; of equal ones the smallest cell, then the first made.
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound
            .total_cmp(&other.bound)
            .then(other.cell.half.total_cmp(&self.cell.half))
            .then(other.id.cmp(&self.id))
    }
}

/// The most that a pick can add.
#[inline]
fn best_gain(view: &View, channel: u32, index: usize) -> f64 {
    view.physics.ln_best - view.store.ln_rate[channel as usize][index]
}

/// Bound of an anchor over its whole root, without looking closer.
pub(crate) fn root_bound(view: &View, anchor: (f64, u32, u32)) -> f64 {
    let (t, c, index) = anchor;
    let mut sum = best_gain(view, c, index as usize).max(0.0);
    for ask in &view.net.asks[c as usize] {
        let (times, owner) =
            (&view.store.t[ask.channel as usize], &view.store.owner[ask.channel as usize]);
        let mut i = view.store.from(ask.channel, t + ask.from);
        let mut best = 0.0_f64;
        while i < times.len() && times[i] <= t + ask.to {
            if owner[i] == super::FREE {
                best = best.max(best_gain(view, ask.channel, i));
            }
            i += 1;
        }
        sum += best;
    }
    sum
}

/// Collects the free picks that an anchor's neighbours have in its root.
fn gather(view: &View, anchor: (f64, u32, u32), s: &mut Scratch) {
    let (t, c, _) = anchor;
    s.active.clear();
    s.times.clear();
    s.gains = 0.0;
    for ask in &view.net.asks[c as usize] {
        let (times, owner) =
            (&view.store.t[ask.channel as usize], &view.store.owner[ask.channel as usize]);
        let first = view.store.from(ask.channel, t + ask.from);
        let from = s.times.len();
        let mut gain = 0.0_f64;
        let mut i = first;
        while i < times.len() && times[i] <= t + ask.to {
            // A pick that is taken keeps its place but is out of every window.
            let free = owner[i] == super::FREE;
            s.times.push(if free { times[i] - t } else { f64::NAN });
            if free {
                gain = gain.max(best_gain(view, ask.channel, i));
            }
            i += 1;
        }
        if gain > 0.0 {
            let (from, to) = (from as u32, s.times.len() as u32);
            s.gains += gain;
            s.active.push(Active { channel: ask.channel, from, to, first: first as u32, gain });
        } else {
            s.times.truncate(from);
        }
    }
}

/// Upper bound of what the picks and silences of the anchor's neighbours can add
/// for any source within a cell whose time is that of the anchor less its travel.
/// Silences add nothing at best. At or below `enough` it may be too high.
fn bound(view: &View, anchor: (f64, u32, u32), cell: &Cell, enough: f64, s: &Scratch) -> f64 {
    let (_, c, index) = anchor;
    let (k, phase) = of_channel(c);
    let range = view.net.range(view.table, k, phase, cell);
    let slab = cell.slab();
    // From the top down: a cell that is worth nothing is soon known.
    let mut sum = best_gain(view, c, index as usize).max(0.0) + s.gains;
    let mut span = (usize::MAX, (0.0, 0.0));
    for active in &s.active {
        let (k, phase) = of_channel(active.channel);
        if span.0 != k {
            span = (k, view.net.span(k, cell));
        }
        let (near, far) = span.1;
        let (least, most) = view.table.range(phase, near, far, slab);
        let lift = view.net.lift[k][phase.index()];
        let gate = view.physics.gate(most + lift);
        let (lo, hi) = (least + lift - range.1 - gate, most + lift - range.0 + gate);
        let times = &s.times[active.from as usize..active.to as usize];
        if !times.iter().any(|t| *t >= lo && *t <= hi) {
            sum -= active.gain;
            if sum <= enough {
                break;
            }
        }
    }
    sum
}

/// The best source that has the anchor among its picks.
pub(crate) fn search(view: &View, anchor: (f64, u32, u32), s: &mut Scratch) -> Option<Candidate> {
    let c = anchor.1;
    gather(view, anchor, s);
    if s.active.len() < ACTIVE_MIN {
        return None;
    }
    let (k, _) = of_channel(c);
    let root = Cell::root(view.net, k);
    let first = bound(view, anchor, &root, view.physics.worth, s);
    s.heap.clear();
    s.heap.push(Queued { bound: first, id: 0, cell: root });
    let mut best: Option<Candidate> = None;
    // What the neighbours alone add to the best: comparable with a bound.
    let mut reached_bound = view.physics.worth;
    let (mut leaves, mut cells) = (0, 1);
    while let Some(Queued { bound: top, cell, .. }) = s.heap.pop() {
        if top <= reached_bound || leaves >= LEAVES_MAX || cells >= CELLS_MAX {
            break;
        }
        let thick = view.physics.deepest / f64::from(1_u32 << cell.halvings);
        if cell.half <= LEAF_KM {
            // A leaf that the best was settled in, or next to, leads there again.
            let known = best.as_ref().is_some_and(|b| {
                (b.place.x - cell.x).abs() < 3.0 * cell.half
                    && (b.place.y - cell.y).abs() < 3.0 * cell.half
            });
            if known {
                continue;
            }
            leaves += 1;
            if let Some(found) = leaf(view, anchor, &cell, s)
                && best.as_ref().is_none_or(|b| found.weighed.score > b.weighed.score)
            {
                let near: f64 =
                    s.reached.iter().filter(|r| is_near(view, k, r.channel)).map(|r| r.adds).sum();
                reached_bound = reached_bound.max(near);
                best = Some(found);
            }
            continue;
        }
        let half = cell.half * 0.5;
        let deeper = cell.halvings < HALVINGS && thick > THIN_KM;
        for part in 0..if deeper { 8_usize } else { 4 } {
            let sign = |bit: usize| if part & bit == 0 { -half } else { half };
            let child = Cell {
                x: cell.x + sign(1),
                y: cell.y + sign(2),
                half,
                halvings: cell.halvings + usize::from(deeper),
                index: if deeper { cell.index * 2 + (part >> 2) } else { cell.index },
            };
            let bound = bound(view, anchor, &child, reached_bound, s);
            cells += 1;
            if bound > reached_bound {
                s.heap.push(Queued { bound, id: cells as u32, cell: child });
            }
        }
    }
    best
}

fn is_near(view: &View, k: usize, c: u32) -> bool {
    view.net.near[k].binary_search(&(c / 2)).is_ok()
}

/// Settles on the picks that a leaf's windows hold, and weighs that exactly.
fn leaf(view: &View, anchor: (f64, u32, u32), cell: &Cell, s: &mut Scratch) -> Option<Candidate> {
    let (t, c, index) = anchor;
    let (k, phase) = of_channel(c);
    let range = view.net.range(view.table, k, phase, cell);
    let z = cell.depth_share() * view.physics.deepest;
    let mut place = Place { t, x: cell.x, y: cell.y, z };
    place.t -= view.travel(c, &place).0;
    s.hits.clear();
    s.hits.push(Hit { channel: c, index });
    for active in &s.active {
        let (l, phase) = of_channel(active.channel);
        let (least, most) = view.net.range(view.table, l, phase, cell);
        let gate = view.physics.gate(most);
        let (lo, hi) = (least - range.1 - gate, most - range.0 + gate);
        let predicted = place.t + view.travel(active.channel, &place).0 - t;
        let mut nearest: Option<(f64, u32)> = None;
        for (i, at) in (active.first..).zip(&s.times[active.from as usize..active.to as usize]) {
            let off = (at - predicted).abs();
            if *at >= lo && *at <= hi && nearest.is_none_or(|n| off < n.0) {
                nearest = Some((off, i));
            }
        }
        if let Some((_, index)) = nearest {
            s.hits.push(Hit { channel: active.channel, index });
        }
    }
    let mut hits = std::mem::take(&mut s.hits);
    view.settle(&mut place, &hits, 4);
    // The neighbours alone say whether it is worth asking everyone.
    let near = &view.net.near[k];
    view.listen(&place, near, &mut s.reached);
    let quick = view.weigh(&mut s.reached, 0.0);
    hits_of(&s.reached, &mut hits);
    if quick.hits < 3.0 || quick.score < QUICK_MIN {
        s.hits = hits;
        return None;
    }
    view.settle(&mut place, &hits, 3);
    let found = polish(view, place, &mut hits, &mut s.reached, 1);
    s.hits = hits;
    found
}

/// Listens at a place, moves to where the hits agree and weighs that, so often.
pub(crate) fn polish(
    view: &View,
    mut place: Place,
    hits: &mut Vec<Hit>,
    reached: &mut Vec<Reached>,
    rounds: usize,
) -> Option<Candidate> {
    for _ in 0..rounds {
        view.listen(&place, &view.net.everyone, reached);
        view.weigh(reached, 0.0);
        hits_of(reached, hits);
        if (hits.len() as f64) < HITS_MIN {
            return None;
        }
        view.settle(&mut place, hits, 3);
    }
    let info = view.settle(&mut place, hits, 1);
    view.listen(&place, &view.net.everyone, reached);
    let weighed = view.weigh(reached, occam(&info));
    hits_of(reached, hits);
    // Hits are in order of station.
    let mut stations = 0;
    let mut last = u32::MAX;
    for hit in hits.iter() {
        stations += usize::from(hit.channel / 2 != last);
        last = hit.channel / 2;
    }
    if weighed.hits < HITS_MIN || stations < STATIONS_MIN {
        return None;
    }
    Some(Candidate { place, weighed, info, hits: hits.clone() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::net::channel;
    use super::*;

    /// For the test of admissibility: the bound of a cell, the exact data score of
    /// the anchor's neighbours for a slaved source at a place in it, and how much
    /// of the gain of that source's own picks the cell's windows let through.
    pub(crate) fn bound_and_score(
        view: &View,
        anchor: (f64, u32, u32),
        cell: &Cell,
        at: [f64; 3],
    ) -> (f64, f64, f64) {
        let mut s = Scratch::default();
        gather(view, anchor, &mut s);
        let upper = bound(view, anchor, cell, f64::NEG_INFINITY, &s);
        let (k, _) = of_channel(anchor.1);
        let mut place = Place { t: anchor.0, x: at[0], y: at[1], z: at[2] };
        place.t -= view.travel(anchor.1, &place).0;
        view.listen(&place, &view.net.near[k], &mut s.reached);
        let exact = view.weigh(&mut s.reached, 0.0).data;
        // The same cell with nothing to hear but the picks that the source took.
        (s.gains, s.times) = (0.0, Vec::new());
        s.active.clear();
        for r in s.reached.iter().filter(|r| r.index != u32::MAX && r.channel != anchor.1) {
            let from = s.times.len() as u32;
            s.times.push(view.store.t[r.channel as usize][r.index as usize] - anchor.0);
            let (channel, first) = (r.channel, r.index);
            s.active.push(Active { channel, from, to: from + 1, first, gain: 1.0 });
            s.gains += 1.0;
        }
        let own = best_gain(view, anchor.1, anchor.2 as usize).max(0.0);
        let through = bound(view, anchor, cell, f64::NEG_INFINITY, &s) - own;
        let share = if s.active.is_empty() { 1.0 } else { through / s.gains };
        (upper, exact, share)
    }

    #[test]
    fn channels_come_back_as_they_went() {
        for station in 0..4 {
            for phase in crate::travel::Phase::ALL {
                assert_eq!(of_channel(channel(station, phase)), (station, phase));
            }
        }
    }
}
