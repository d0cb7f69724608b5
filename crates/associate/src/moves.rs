//! Local moves on the events at work: every station's detections are dealt to
//! the events that predict them, each event goes to where its detections
//! agree, and an event that others explain better dies. Repeated until nothing
//! changes, or a few times.

use crate::live::{Events, claim};
use crate::network::Network;
use crate::ring::{DEALT, FREE, Ring};
use crate::score::{Hit, Loc, Physics, Reached, View, occam};
use crate::search::Scratch;

/// What an event predicts at a station.
#[derive(Clone, Copy, Debug)]
struct Prediction {
    station: u32,
    t: f64,
    event: u32,
    tau: f64,
    /// Direction of the event from the station.
    toward: (f32, f32),
    /// Expected level, dB.
    level: f64,
    /// Log-probability of silence.
    silent: f64,
    taken: usize,
}

/// A detection that an event could take.
#[derive(Clone, Copy, Debug)]
struct Pair {
    prediction: u32,
    index: u32,
    gain: f64,
}

const NONE: usize = usize::MAX;

/// Memory used again and again.
#[derive(Default)]
pub(crate) struct Deal {
    predictions: Vec<Prediction>,
    /// First prediction of each station, and one past the last of all.
    start: Vec<u32>,
    raw: Vec<Prediction>,
    pairs: Vec<Pair>,
    table: Table,
}

/// One round of moves on the named events. True if anything changed.
#[allow(clippy::too_many_arguments)]
pub(crate) fn sweep(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    active: &[u32],
    s: &mut Scratch,
    deal: &mut Deal,
) -> bool {
    predict(net, rings, physics, events, horizon, active, deal);
    assign(net, rings, physics, events, horizon, active, deal);
    let mut changed = false;
    for &id in active {
        if events.get(id).alive && relocate(net, rings, physics, events, horizon, id, s) {
            events.get_mut(id).dirty = true;
            changed = true;
        }
    }
    changed | deaths(net, rings, physics, events, horizon, active, deal)
}

/// Fills the predictions of all active events, sorted by station and time.
fn predict(
    net: &Network,
    rings: &[Ring],
    physics: &Physics,
    events: &Events,
    horizon: f64,
    active: &[u32],
    deal: &mut Deal,
) {
    let model = &physics.model;
    deal.raw.clear();
    let view = View { net, rings, physics, horizon, me: FREE };
    for &id in active {
        let e = events.get(id);
        if !e.alive {
            continue;
        }
        let reach = view.reach(e.weighed.level, e.home);
        net.within(e.loc.x, e.loc.y, reach, |k, _| {
            let path = view.path(e.loc.x, e.loc.y, e.home, k);
            if !view.asks(k, e.weighed.level, path.loss) {
                return;
            }
            let t = e.loc.t + path.tau + net.habit[k as usize].clock;
            let level = e.weighed.level - path.loss;
            let z = (level - net.habit[k as usize].noise - model.threshold_db)
                / model.threshold_width_db;
            let silent = if t > horizon || net.is_down(k, t) { 0.0 } else { physics.ln_silent(z) };
            deal.raw.push(Prediction {
                station: k,
                t,
                event: id,
                tau: path.tau,
                toward: path.toward(),
                level,
                silent,
                taken: NONE,
            });
        });
    }
    deal.group(net.len());
}

impl Deal {
    /// Puts the raw predictions in order of station, time and event.
    fn group(&mut self, stations: usize) {
        self.start.clear();
        self.start.resize(stations + 1, 0);
        for p in &self.raw {
            self.start[p.station as usize + 1] += 1;
        }
        for k in 0..stations {
            self.start[k + 1] += self.start[k];
        }
        self.predictions.clear();
        if let Some(first) = self.raw.first() {
            self.predictions.resize(self.raw.len(), *first);
        }
        // Each start moves to its end while it is filled, and is set back after.
        for p in &self.raw {
            let at = &mut self.start[p.station as usize];
            self.predictions[*at as usize] = *p;
            *at += 1;
        }
        for k in (1..=stations).rev() {
            self.start[k] = self.start[k - 1];
        }
        self.start[0] = 0;
        for k in 0..stations {
            let group = &mut self.predictions[self.start[k] as usize..self.start[k + 1] as usize];
            if group.len() > 1 {
                group.sort_unstable_by(|a, b| a.t.total_cmp(&b.t).then(a.event.cmp(&b.event)));
            }
        }
    }
}

/// Deals the detections of each station. Within a knot of predictions that
/// want the same detections the order of arrivals is the order of predictions
/// (the best matching of points on a line), found by dynamic programming.
fn assign(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    active: &[u32],
    deal: &mut Deal,
) {
    for &id in active {
        if events.get(id).alive {
            claim(&events.get(id).hits, rings, DEALT);
        }
    }
    let predictions = &mut deal.predictions;
    let mut from = 0;
    let table = &mut deal.table;
    while from < predictions.len() {
        let station = predictions[from].station;
        let to = from + predictions[from..].partition_point(|p| p.station == station);
        let ring = &rings[station as usize];
        if !ring.t.is_empty() {
            deal.pairs.clear();
            let view = View { net, rings, physics, horizon, me: FREE };
            for (i, p) in predictions[from..to].iter().enumerate() {
                pairs_of(&view, p, (from + i) as u32, &mut deal.pairs);
            }
            table.solve(&deal.pairs, predictions);
        }
        from = to;
    }
    // Hand out.
    for &id in active {
        let e = events.get_mut(id);
        if e.alive {
            claim(&e.hits, rings, FREE);
            std::mem::swap(&mut e.before, &mut e.hits);
            e.hits.clear();
        }
    }
    for p in predictions.iter() {
        if p.taken != NONE {
            let ring = &mut rings[p.station as usize];
            ring.owner[p.taken] = p.event;
            let position = ring.position(p.taken);
            events.get_mut(p.event).hits.push(Hit { station: p.station, position });
        }
    }
}

fn pairs_of(view: &View, p: &Prediction, number: u32, out: &mut Vec<Pair>) {
    let ring = &view.rings[p.station as usize];
    let wide = 3.7 * view.sigma(p.station, 0.12, p.tau);
    let mut i = ring.from(p.t - wide);
    let until = (p.t + wide + 0.6).min(view.horizon);
    while i < ring.t.len() && ring.t[i] <= until {
        if ring.owner[i] == FREE || ring.owner[i] == DEALT {
            let pick = &ring.picks[i];
            let sigma = view.sigma(p.station, pick.sigma, p.tau);
            let gain = view.physics.time(ring.t[i] - p.t, sigma)
                + f64::from(pick.gain)
                + view.physics.direction(pick, p.toward)
                + view.physics.level(f64::from(pick.amp) - p.level)
                - view.ln_crowd(p.station, i)
                - p.silent;
            if gain > 0.0 {
                out.push(Pair { prediction: number, index: i as u32, gain });
            }
        }
        i += 1;
    }
}

/// Order-preserving matching of the most gain.
#[derive(Default)]
struct Table {
    best: Vec<f64>,
    choice: Vec<u8>,
    gains: Vec<f64>,
    /// Lowest detection of each pair and all after it.
    least: Vec<u32>,
}

impl Table {
    /// Pairs come grouped by prediction, in order of predicted time.
    fn solve(&mut self, pairs: &[Pair], predictions: &mut [Prediction]) {
        self.least.clear();
        self.least.resize(pairs.len(), u32::MAX);
        let mut least = u32::MAX;
        for (of, p) in self.least.iter_mut().zip(pairs).rev() {
            least = least.min(p.index);
            *of = least;
        }
        let mut from = 0;
        while from < pairs.len() {
            // A knot: groups whose detections overlap. One that is less sure of
            // the time may reach back behind several before it.
            let (mut lowest, mut highest) = (pairs[from].index, pairs[from].index);
            let mut to = from;
            while to < pairs.len() {
                let group = pairs[to].prediction;
                let end = to + pairs[to..].iter().take_while(|p| p.prediction == group).count();
                if to > from && self.least[to] > highest {
                    break;
                }
                for p in &pairs[to..end] {
                    highest = highest.max(p.index);
                    lowest = lowest.min(p.index);
                }
                to = end;
            }
            self.knot(&pairs[from..to], lowest, highest, predictions);
            from = to;
        }
    }

    fn knot(&mut self, pairs: &[Pair], lowest: u32, highest: u32, predictions: &mut [Prediction]) {
        let first = pairs[0].prediction;
        if pairs[pairs.len() - 1].prediction == first {
            // One event alone takes what suits it best.
            let mut best = 0;
            for (i, p) in pairs.iter().enumerate() {
                if p.gain > pairs[best].gain {
                    best = i;
                }
            }
            predictions[first as usize].taken = pairs[best].index as usize;
            return;
        }
        let rows = (pairs[pairs.len() - 1].prediction - first + 1) as usize;
        let columns = (highest - lowest + 1) as usize;
        self.gains.clear();
        self.gains.resize(rows * columns, f64::NEG_INFINITY);
        for p in pairs {
            self.gains[(p.prediction - first) as usize * columns + (p.index - lowest) as usize] =
                p.gain;
        }
        let width = columns + 1;
        self.best.clear();
        self.best.resize((rows + 1) * width, 0.0);
        self.choice.clear();
        self.choice.resize((rows + 1) * width, 0);
        for r in 1..=rows {
            for c in 1..=columns {
                let skip_row = self.best[(r - 1) * width + c];
                let skip_column = self.best[r * width + c - 1];
                let both =
                    self.best[(r - 1) * width + c - 1] + self.gains[(r - 1) * columns + c - 1];
                let (value, choice) = if both > skip_row && both > skip_column {
                    (both, 2)
                } else if skip_row >= skip_column {
                    (skip_row, 0)
                } else {
                    (skip_column, 1)
                };
                self.best[r * width + c] = value;
                self.choice[r * width + c] = choice;
            }
        }
        let (mut r, mut c) = (rows, columns);
        while r > 0 && c > 0 {
            match self.choice[r * width + c] {
                2 => {
                    predictions[first as usize + r - 1].taken = (lowest as usize) + c - 1;
                    r -= 1;
                    c -= 1;
                }
                0 => r -= 1,
                _ => c -= 1,
            }
        }
    }
}

/// Moves one event to where its detections agree and weighs it again.
pub(crate) fn relocate(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    id: u32,
    s: &mut Scratch,
) -> bool {
    let e = events.get(id);
    if e.hits.len() < 3 {
        events.remove(id, rings);
        return true;
    }
    let mut loc = e.loc;
    let old = e.weighed.score;
    {
        let view = View { net, rings, physics, horizon, me: id };
        let site = events.belief(physics, loc, id).site;
        let info = view.settle(&mut loc, e.home, &e.hits, 3, site);
        let home = net.nearest_to(loc.x, loc.y);
        let belief = events.belief(physics, loc, id);
        let level = events.get(id).weighed.level;
        listen_to(&view, &events.get(id).hits, loc, home, level, &mut s.reached);
        let weighed = view.weigh(&mut s.reached, &belief, occam(&info), false);
        s.hits.clear();
        crate::score::hits_of(&s.reached, rings, &mut s.hits);
        let e = events.get_mut(id);
        e.loc = loc;
        e.home = home;
        e.weighed = weighed;
        e.var = crate::score::spread(&info);
    }
    let e = events.get_mut(id);
    s.hits.sort_by_key(|hit| hit.station);
    let changed = (e.weighed.score - old).abs() > 0.2 || e.before != s.hits;
    claim(&e.hits, rings, FREE);
    std::mem::swap(&mut e.hits, &mut s.hits);
    claim(&e.hits, rings, id);
    let (score, count) = (e.weighed.score, e.hits.len());
    if score < 0.0 || count < 3 {
        events.remove(id, rings);
        return true;
    }
    changed
}

fn holds(hits: &[Hit], station: u32) -> bool {
    hits.binary_search_by(|h| h.station.cmp(&station)).is_ok()
}

/// Listens to these hits only.
pub(crate) fn listen_to(
    view: &View,
    hits: &[Hit],
    loc: Loc,
    home: u32,
    level: f64,
    reached: &mut Vec<Reached>,
) {
    reached.clear();
    view.net.within(loc.x, loc.y, view.reach(level, home), |k, _| {
        let path = view.path(loc.x, loc.y, home, k);
        if !view.asks(k, level, path.loss) && !holds(hits, k) {
            return;
        }
        let predicted = loc.t + path.tau + view.net.habit[k as usize].clock;
        reached.push(Reached {
            station: k,
            tau: path.tau,
            loss: path.loss,
            heard: NONE,
            toward: path.toward(),
            gain: 0.0,
            residual: predicted,
            sigma: 1.0,
            mute: predicted > view.horizon || view.net.is_down(k, predicted),
        });
    });
    // Hits come in order of station, stations in reach in order of squares.
    for r in reached.iter_mut() {
        let Ok(at) = hits.binary_search_by(|h| h.station.cmp(&r.station)) else { continue };
        let ring = &view.rings[r.station as usize];
        let index = ring.index(hits[at].position);
        let pick = &ring.picks[index];
        let sigma = view.sigma(r.station, pick.sigma, r.tau);
        let residual = ring.t[index] - r.residual;
        if residual < -4.5 * sigma || residual > 4.5 * sigma + 1.5 {
            continue;
        }
        r.heard = index;
        r.mute = false;
        r.gain = view.physics.time(residual, sigma)
            + f64::from(pick.gain)
            + view.physics.direction(pick, r.toward);
        r.residual = residual;
        r.sigma = sigma;
    }
}

/// Removes events whose detections others would rather have.
fn deaths(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    active: &[u32],
    deal: &mut Deal,
) -> bool {
    // Weakest first.
    let mut order: Vec<u32> = active.iter().copied().filter(|id| events.get(*id).alive).collect();
    order.sort_by(|a, b| {
        events.get(*a).weighed.score.total_cmp(&events.get(*b).weighed.score).then(a.cmp(b))
    });
    let mut changed = false;
    predict(net, rings, physics, events, horizon, active, deal);
    for p in &mut deal.predictions {
        let e = events.get(p.event);
        p.taken = NONE;
        if let Ok(at) = e.hits.binary_search_by(|h| h.station.cmp(&p.station)) {
            p.taken = rings[p.station as usize].index(e.hits[at].position);
        }
    }
    for id in order {
        let e = events.get(id);
        let mut better = 0.0;
        for hit in &e.hits {
            better += regain(net, rings, physics, horizon, deal, id, *hit);
        }
        let score = e.weighed.score;
        events.get_mut(id).rival = better;
        if better > score {
            events.remove(id, rings);
            changed = true;
        }
    }
    changed
}

/// What the best other event that is silent at the station would gain by a hit.
fn regain(
    net: &Network,
    rings: &[Ring],
    physics: &Physics,
    horizon: f64,
    deal: &Deal,
    id: u32,
    hit: Hit,
) -> f64 {
    let view = View { net, rings, physics, horizon, me: FREE };
    let ring = &rings[hit.station as usize];
    let index = ring.index(hit.position);
    let (t, pick) = (ring.t[index], &ring.picks[index]);
    let ln_false = net.habit[hit.station as usize].ln_false;
    let k = hit.station as usize;
    let group = &deal.predictions[deal.start[k] as usize..deal.start[k + 1] as usize];
    let from = group.partition_point(|p| p.t < t - 3.0);
    let mut best = 0.0_f64;
    for p in &group[from..] {
        if p.t > t + 3.0 {
            break;
        }
        if p.event == id || p.taken != NONE {
            continue;
        }
        let sigma = view.sigma(p.station, pick.sigma, p.tau);
        let gain = physics.time(t - p.t, sigma)
            + f64::from(pick.gain)
            + physics.direction(pick, p.toward)
            + physics.level(f64::from(pick.amp) - p.level)
            - ln_false
            - p.silent;
        best = best.max(gain);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The third prediction is the least sure of its time and reaches back behind the second.
    #[test]
    fn a_detection_is_dealt_once() {
        let prediction = Prediction {
            station: 0,
            t: 0.0,
            event: 0,
            tau: 0.0,
            toward: (0.0, 0.0),
            level: 0.0,
            silent: 0.0,
            taken: NONE,
        };
        let mut predictions = [prediction; 3];
        let pair = |prediction, index, gain| Pair { prediction, index, gain };
        let pairs = [pair(0, 3, 5.0), pair(1, 5, 5.0), pair(2, 3, 4.0), pair(2, 5, 1.0)];
        Table::default().solve(&pairs, &mut predictions);
        assert_eq!(predictions.map(|p| p.taken), [3, 5, NONE]);
    }
}
