//! Many rounds from one place in quick succession. One round at a time the
//! stations' detections can be matched to the wrong neighbours, off by a round
//! or two at each station. So the place is found first, for all rounds
//! together: seen from the right place the detections of all stations fall into
//! columns, and the sum of squared counts over time is largest. Then the rounds
//! are read off the columns.

use crate::live::{Events, Live};
use crate::moves::{self, Deal};
use crate::network::Network;
use crate::ring::{FREE, Ring};
use crate::score::{Hit, Loc, Physics, View};
use crate::search::{Scratch, polish};

/// So many free detections of a station within so long are a salvo, s.
const RUN: usize = 3;
const RUN_S: f64 = 9.0;
/// Stations that must see a run.
const RUNNING_MIN: usize = 3;
/// Stations looked at, and how far they may be, metres.
const STATIONS_MAX: usize = 28;
const FAR_M: f64 = 14_000.0;
/// Origin times looked at, before and after the first run was heard, s.
const BEFORE_S: f64 = 30.0;
const AFTER_S: f64 = 42.0;
/// Rounds of a salvo at most.
const ROUNDS_MAX: usize = 60;
/// Grid of places, metres, and its half-width in steps.
const COARSE_M: f64 = 330.0;
const MID_M: f64 = 110.0;
/// Coarse places looked at more closely.
const TOPS: usize = 24;
/// How far the best place must stand out, in distances from the median to the
/// best tenth.
const CONTRAST: f64 = 1.6;
const FINE_M: f64 = 60.0;

/// Detections of the stations around a run.
#[derive(Default)]
pub(crate) struct Columns {
    stations: Vec<u32>,
    start: Vec<usize>,
    t: Vec<f64>,
    index: Vec<usize>,
    tau: Vec<f64>,
    counts: Vec<u16>,
}

/// Finds salvos that begin among the anchors, takes their rounds in.
#[allow(clippy::too_many_arguments)]
pub(crate) fn find(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    anchors: &[(f64, u32, u32)],
    s: &mut Scratch,
    deal: &mut Deal,
    columns: &mut Columns,
) {
    for _ in 0..4 {
        let Some((t, k)) = first_run(net, rings, anchors) else { return };
        let view = View { net, rings, physics, horizon, me: FREE - 1 };
        columns.gather(&view, k, t);
        let Some((x, y)) = columns.place(&view, k, t) else { return };
        let born = columns.rounds(net, rings, physics, events, horizon, (x, y, t), s);
        if born.is_empty() {
            return;
        }
        for _ in 0..3 {
            let alive: Vec<u32> = born.iter().copied().filter(|id| events.get(*id).alive).collect();
            if !moves::sweep(net, rings, physics, events, horizon, &alive, s, deal) {
                break;
            }
        }
        // Columns that are none show in the residuals.
        let (mut chi2, mut hits) = (0.0, 0);
        for id in &born {
            let e = events.get(*id);
            if e.alive {
                chi2 += e.weighed.chi2;
                hits += e.weighed.hits;
            }
        }
        if hits == 0 || chi2 > 2.5 * hits as f64 {
            for id in born {
                if events.get(id).alive {
                    events.remove(id, rings);
                }
            }
            return;
        }
    }
}

/// The first anchor that begins a run at its station, if neighbours see runs too.
fn first_run(net: &Network, rings: &[Ring], anchors: &[(f64, u32, u32)]) -> Option<(f64, u32)> {
    for &(t, station, position) in anchors {
        let ring = &rings[station as usize];
        let index = ring.index(position);
        if ring.owner[index] != FREE || !runs(ring, t, t + RUN_S) {
            continue;
        }
        let around = net
            .near(station)
            .iter()
            .take(12)
            .filter(|l| {
                let ring = &rings[**l as usize];
                let until = t + 45.0;
                let mut i = ring.from(t);
                while i < ring.t.len() && ring.t[i] < until {
                    if ring.owner[i] == FREE && runs(ring, ring.t[i], ring.t[i] + RUN_S) {
                        return true;
                    }
                    i += 1;
                }
                false
            })
            .count();
        if around >= RUNNING_MIN {
            return Some((t, station));
        }
    }
    None
}

fn runs(ring: &Ring, from: f64, to: f64) -> bool {
    let mut i = ring.from(from);
    let mut count = 0;
    while i < ring.t.len() && ring.t[i] <= to {
        count += usize::from(ring.owner[i] == FREE);
        i += 1;
    }
    count >= RUN
}

impl Columns {
    fn gather(&mut self, view: &View, k: u32, t: f64) {
        self.stations.clear();
        self.start.clear();
        self.t.clear();
        self.index.clear();
        let (x, y) = (view.net.x[k as usize], view.net.y[k as usize]);
        let mut near = vec![(0.0, k)];
        view.net.within(x, y, FAR_M, |l, d2| {
            if l != k {
                near.push((d2, l));
            }
        });
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(STATIONS_MAX);
        for (_, l) in near {
            let ring = &view.rings[l as usize];
            self.stations.push(l);
            self.start.push(self.t.len());
            let mut i = ring.from(t - BEFORE_S);
            while i < ring.t.len() && ring.t[i] < t + AFTER_S + 45.0 {
                if ring.owner[i] == FREE {
                    self.t.push(ring.t[i]);
                    self.index.push(i);
                }
                i += 1;
            }
        }
        self.start.push(self.t.len());
        self.tau.resize(self.stations.len(), 0.0);
    }

    fn travel(&mut self, view: &View, x: f64, y: f64, home: u32) {
        for (i, l) in self.stations.iter().enumerate() {
            self.tau[i] = view.path(x, y, home, *l).tau + view.net.habit[*l as usize].clock;
        }
    }

    /// Sum of squared counts of the columns seen from a place.
    fn coherence(&mut self, view: &View, x: f64, y: f64, home: u32, t: f64, bin: f64) -> f64 {
        self.travel(view, x, y, home);
        let bins = ((BEFORE_S + AFTER_S) / bin) as usize + 3;
        self.counts.clear();
        self.counts.resize(bins, 0);
        let per = 1.0 / bin;
        let last = (bins - 2) as f64;
        for i in 0..self.stations.len() {
            let zero = t - BEFORE_S + self.tau[i];
            for at in &self.t[self.start[i]..self.start[i + 1]] {
                let b = (at - zero) * per;
                if b >= 1.0 && b < last {
                    let b = b as usize;
                    self.counts[b - 1] += 1;
                    self.counts[b] += 2;
                    self.counts[b + 1] += 1;
                }
            }
        }
        let sum: u32 = self.counts.iter().map(|c| u32::from(*c) * u32::from(*c)).sum();
        f64::from(sum)
    }

    /// The place from which the columns are clearest, if they stand out.
    fn place(&mut self, view: &View, k: u32, t: f64) -> Option<(f64, f64)> {
        let net = view.net;
        let (x0, y0) = (net.x[k as usize], net.y[k as usize]);
        let steps = (net.root[k as usize].clamp(3_000.0, 8_000.0) / COARSE_M) as i32;
        let mut all = Vec::with_capacity(((2 * steps + 1) * (2 * steps + 1)) as usize);
        for i in -steps..=steps {
            for j in -steps..=steps {
                let (x, y) = (x0 + f64::from(i) * COARSE_M, y0 + f64::from(j) * COARSE_M);
                all.push((self.coherence(view, x, y, k, t, 0.45), x, y));
            }
        }
        // Clearest first; places with equal columns keep the order of the grid.
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (median, upper) = (all[all.len() / 2].0, all[all.len() / 10].0);
        if all[0].0 - median < CONTRAST * (upper - median) {
            return None;
        }
        let mut mid = (f64::NEG_INFINITY, x0, y0);
        for (_, cx, cy) in all.iter().take(TOPS) {
            for i in -1..=1 {
                for j in -1..=1 {
                    let (x, y) = (cx + f64::from(i) * MID_M, cy + f64::from(j) * MID_M);
                    let c = self.coherence(view, x, y, k, t, 0.22);
                    if c > mid.0 {
                        mid = (c, x, y);
                    }
                }
            }
        }
        let (_, cx, cy) = mid;
        let mut fine = (f64::NEG_INFINITY, cx, cy);
        for i in -2..=2 {
            for j in -2..=2 {
                let (x, y) = (cx + f64::from(i) * FINE_M, cy + f64::from(j) * FINE_M);
                let c = self.coherence(view, x, y, k, t, 0.12);
                if c > fine.0 {
                    fine = (c, x, y);
                }
            }
        }
        Some((fine.1, fine.2))
    }

    /// Reads rounds off the columns, clearest first.
    #[allow(clippy::too_many_arguments)]
    fn rounds(
        &mut self,
        net: &Network,
        rings: &mut [Ring],
        physics: &Physics,
        events: &mut Events,
        horizon: f64,
        (x, y, t): (f64, f64, f64),
        s: &mut Scratch,
    ) -> Vec<u32> {
        let home = net.nearest_to(x, y);
        self.travel(&View { net, rings, physics, horizon, me: FREE - 1 }, x, y, home);
        let mut born = Vec::new();
        let mut barred: Vec<f64> = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let view = View { net, rings, physics, horizon, me: FREE - 1 };
            let Some((at, hits)) = self.clearest(&view, t, &barred) else { break };
            let mut loc = Loc { t: at, x, y };
            s.hits.clear();
            s.hits.extend_from_slice(&hits);
            let site = Some((x, y, 90.0 * 90.0));
            view.settle(&mut loc, home, &hits, 3, site);
            let found = polish(&view, events, &mut loc, &mut s.reached, &mut s.hits, false, false);
            match found {
                Some(found) if found.weighed.score > 0.0 && found.weighed.hits >= 4 => {
                    born.push(events.add(Live::from(found), rings));
                }
                _ => barred.push(at),
            }
            if barred.len() > 6 {
                break;
            }
        }
        born
    }

    /// The moment at which most stations agree, and what they heard.
    fn clearest(&self, view: &View, t: f64, barred: &[f64]) -> Option<(f64, Vec<Hit>)> {
        let sigma = |i: usize| {
            let path = view.physics.model.path_error * self.tau[i];
            (0.06 * 0.06 + 0.12 * 0.12 + path * path).sqrt()
        };
        let mut best = (0.0, 0.0);
        // Detections of the four nearest stations propose.
        for i in 0..self.stations.len().min(6) {
            let ring = &view.rings[self.stations[i] as usize];
            for j in self.start[i]..self.start[i + 1] {
                if ring.owner[self.index[j]] != FREE {
                    continue;
                }
                let at = self.t[j] - self.tau[i];
                if at < t - BEFORE_S
                    || at > t + AFTER_S
                    || barred.iter().any(|b| (b - at).abs() < 0.2)
                {
                    continue;
                }
                let mut sum = 0.0;
                for l in 0..self.stations.len() {
                    if let Some((_, off)) = self.nearest(view, l, at) {
                        let z = off / sigma(l);
                        sum += (1.0 - z * z / 6.0).max(0.0);
                    }
                }
                if sum > best.0 {
                    best = (sum, at);
                }
            }
        }
        if best.0 < 3.0 {
            return None;
        }
        let mut hits = Vec::new();
        for l in 0..self.stations.len() {
            if let Some((j, off)) = self.nearest(view, l, best.1)
                && off.abs() < 2.4 * sigma(l)
            {
                let station = self.stations[l];
                let position = view.rings[station as usize].position(self.index[j]);
                hits.push(Hit { station, position });
            }
        }
        Some((best.1, hits))
    }

    /// The free detection of a station nearest to a moment at the source.
    fn nearest(&self, view: &View, l: usize, at: f64) -> Option<(usize, f64)> {
        let ring = &view.rings[self.stations[l] as usize];
        let (from, to) = (self.start[l], self.start[l + 1]);
        let predicted = at + self.tau[l];
        let mid = from + self.t[from..to].partition_point(|t| *t < predicted);
        let before = (from..mid).rev().find(|j| ring.owner[self.index[*j]] == FREE);
        let after = (mid..to).find(|j| ring.owner[self.index[*j]] == FREE);
        let off = |j: usize| self.t[j] - predicted;
        match (before, after) {
            (Some(a), Some(b)) => {
                let j = if off(a).abs() <= off(b).abs() { a } else { b };
                Some((j, off(j)))
            }
            (Some(j), None) | (None, Some(j)) => Some((j, off(j))),
            (None, None) => None,
        }
    }
}
