//! Averages over associations: who heard whom is not known for sure where events
//! want the same detections. All ways of dealing a station's detections out to
//! the events that predict them are summed, each with its likelihood: within a
//! knot of predictions the order of arrivals is the order of predictions, so that
//! the sum goes forward and backward along both.

use crate::live::Events;
use crate::math;
use crate::moves::Expected;
use crate::score::View;

/// A detection that would take so many nats away is none of an event's.
const GAIN_MIN: f64 = -6.0;
/// No chance is smaller.
const LEAST: f64 = 1e-12;

/// What the sum over associations says of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tie {
    /// What it adds to the evidence, nats; below zero if others explain what it heard.
    pub change: f64,
    /// Probability that each of its hits is its own, in their order.
    pub own: Vec<f32>,
}

impl Tie {
    /// Mean probability that a hit is not its own.
    pub(crate) fn doubt(&self) -> f64 {
        let others: f64 = self.own.iter().map(|own| 1.0 - f64::from(*own)).sum();
        others / self.own.len().max(1) as f64
    }
}

/// What an event predicts at a station.
#[derive(Clone, Copy, Debug)]
struct Row {
    station: u32,
    /// Predicted time, s.
    t: f64,
    event: u32,
    /// Its pairs in the list of all.
    first: u32,
    end: u32,
    /// Number of its hit there and index of that in the ring; none if it has none.
    number: u32,
    hit: u32,
    /// True if the sum is to be told to the event.
    told: bool,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    index: u32,
    /// Likelihood ratio of hearing it, against silence and something else.
    weight: f64,
}

/// What the sum over all ways of dealing out says of an event at a station.
#[derive(Clone, Copy, Debug)]
struct Share {
    /// Probability that it was not heard.
    silent: f64,
    /// Weight that its hit has by itself; 0 if it has none.
    plain: f64,
    /// Probability that its hit is its own.
    own: f64,
}

const NONE: u32 = u32::MAX;

/// Memory used again and again.
#[derive(Default)]
pub(crate) struct Ties {
    rows: Vec<Row>,
    pairs: Vec<Pair>,
    forward: Vec<f64>,
    backward: Vec<f64>,
    weights: Vec<f64>,
    /// Stations at which an event that is to be told could take something.
    at_stake: Vec<bool>,
}

impl Tie {
    /// Takes in what a station says.
    fn note(&mut self, row: &Row, share: Share) {
        self.change -= math::ln(share.silent.max(LEAST));
        if share.plain > 0.0 {
            self.change -= math::ln(share.plain);
            self.own[row.number as usize] = share.own as f32;
        }
    }
}

impl Ties {
    /// Averages over what the events of `ids` heard, beside others that may want the same.
    pub(crate) fn average(
        &mut self,
        view: &View,
        events: &mut Events,
        ids: &[u32],
        others: &[u32],
    ) {
        self.rows.clear();
        self.pairs.clear();
        self.at_stake.resize(view.net.len(), false);
        for &id in ids {
            let tie = &mut events.get_mut(id).tie;
            tie.change = 0.0;
            // Where it is not weighed below, nobody else can be meant.
            tie.own.clear();
            let hits = events.get(id).hits.len();
            events.get_mut(id).tie.own.resize(hits, 1.0);
            self.rows_of(view, events, id, true);
        }
        for row in &self.rows {
            self.at_stake[row.station as usize] = true;
        }
        for &id in others {
            self.rows_of(view, events, id, false);
        }
        for row in &self.rows {
            self.at_stake[row.station as usize] = false;
        }
        self.rows.sort_unstable_by(|a, b| {
            a.station.cmp(&b.station).then(a.t.total_cmp(&b.t)).then(a.event.cmp(&b.event))
        });
        let rows = std::mem::take(&mut self.rows);
        let mut least = Vec::new();
        for group in rows.chunk_by(|a, b| a.station == b.station) {
            least.clear();
            least.extend(group.iter().map(|row| self.pairs[row.first as usize].index));
            for i in (1..least.len()).rev() {
                least[i - 1] = least[i - 1].min(least[i]);
            }
            let mut from = 0;
            while from < group.len() {
                let to = from + self.knot(&group[from..], &least[from..]);
                if group[from..to].iter().any(|row| row.told) {
                    self.sum(&group[from..to], |row, share| {
                        if row.told {
                            events.get_mut(row.event).tie.note(row, share);
                        }
                    });
                }
                from = to;
            }
        }
        self.rows = rows;
    }

    /// Adds what an event could take: at all stations if that is to be told, or else
    /// at those where something is at stake.
    fn rows_of(&mut self, view: &View, events: &mut Events, id: u32, told: bool) {
        let e = events.get_mut(id);
        let level = e.weighed.level;
        e.roads.lay(view, e.loc, e.home, level);
        let e = events.get(id);
        for road in e.roads.all() {
            let k = road.station as usize;
            if !(told || self.at_stake[k]) || !view.asks(road.station, level, road.loss) {
                continue;
            }
            let (ring, habit) = (&view.rings[k], &view.net.habit[k]);
            let t = e.loc.t + road.tau + habit.clock;
            let wide = 4.5 * view.sigma(road.station, 0.12, road.tau);
            let until = (t + wide + 1.5).min(view.horizon);
            let first = self.pairs.len() as u32;
            let mut expected = None;
            for i in ring.from(t - wide)..ring.t.len() {
                if ring.t[i] > until {
                    break;
                }
                let expected = expected.get_or_insert_with(|| Expected::new(view, e, &road, t));
                let gain = expected.gain(view, &road, ring, i, habit.ln_false);
                if gain > GAIN_MIN {
                    self.pairs.push(Pair { index: i as u32, weight: math::exp(gain) });
                }
            }
            let end = self.pairs.len() as u32;
            if end > first {
                let station = road.station;
                let at = e.hits.binary_search_by(|h| h.station.cmp(&station));
                let number = at.map_or(NONE, |at| at as u32);
                let hit = at.map_or(NONE, |at| ring.index(e.hits[at].position) as u32);
                self.rows.push(Row { station, t, event: id, first, end, number, hit, told });
            }
        }
    }

    /// How many leading rows want the same detections, directly or through others.
    /// `least` is the lowest detection of each row and all after it.
    fn knot(&self, rows: &[Row], least: &[u32]) -> usize {
        let mut highest = 0;
        for (i, row) in rows.iter().enumerate() {
            if i > 0 && least[i] > highest {
                return i;
            }
            highest = highest.max(self.pairs[row.end as usize - 1].index);
        }
        rows.len()
    }

    /// Sums over all ways of dealing out what a knot of rows wants.
    fn sum(&mut self, rows: &[Row], mut tell: impl FnMut(&Row, Share)) {
        let own = |row: &Row| &self.pairs[row.first as usize..row.end as usize];
        if let [row] = rows {
            // Nobody else wants what it could take.
            let all: f64 = 1.0 + own(row).iter().map(|p| p.weight).sum::<f64>();
            let hit = own(row).iter().find(|p| p.index == row.hit).map_or(0.0, |p| p.weight);
            tell(row, Share { silent: 1.0 / all, plain: hit, own: hit / all });
            return;
        }
        let lowest = rows.iter().map(|r| self.pairs[r.first as usize].index).min().unwrap_or(0);
        let highest =
            rows.iter().map(|r| self.pairs[r.end as usize - 1].index).max().unwrap_or(lowest);
        // Column 0 is before all detections.
        let columns = (highest - lowest + 2) as usize;
        let column = |p: &Pair| (p.index - lowest + 1) as usize;
        // forward[r][c]: rows up to r, the last detection dealt being c.
        self.forward.clear();
        self.forward.resize((rows.len() + 1) * columns, 0.0);
        self.forward[0] = 1.0;
        for (r, row) in rows.iter().enumerate() {
            let (done, rest) = self.forward.split_at_mut((r + 1) * columns);
            let (before, now) = (&done[r * columns..], &mut rest[..columns]);
            now.copy_from_slice(before);
            let (mut sum, mut at) = (0.0, 0);
            for p in &self.pairs[row.first as usize..row.end as usize] {
                let c = column(p);
                while at < c {
                    sum += before[at];
                    at += 1;
                }
                now[c] += sum * p.weight;
            }
            let most = now.iter().copied().fold(0.0, f64::max);
            for value in now {
                *value /= most;
            }
        }
        // backward[c]: rows after r with detections after c, summed from the end.
        self.backward.clear();
        self.backward.resize(columns, 1.0);
        for (r, row) in rows.iter().enumerate().rev() {
            let before = &self.forward[r * columns..(r + 1) * columns];
            let silent: f64 = before.iter().zip(&self.backward).map(|(f, b)| f * b).sum();
            let (mut sum, mut at, mut all, mut hit) = (0.0, 0, silent, 0.0);
            let mut plain = 0.0;
            for p in &self.pairs[row.first as usize..row.end as usize] {
                let c = column(p);
                while at < c {
                    sum += before[at];
                    at += 1;
                }
                let way = sum * p.weight * self.backward[c];
                all += way;
                if p.index == row.hit {
                    hit = way;
                    plain = p.weight;
                }
            }
            tell(row, Share { silent: silent / all, plain, own: hit / all });
            // One more row: backward'[c] is what was, and what its pairs after c begin.
            self.weights.clone_from(&self.backward);
            let pairs = &self.pairs[row.first as usize..row.end as usize];
            let (mut added, mut next, mut most) = (0.0, pairs.len(), 0.0_f64);
            for c in (0..columns).rev() {
                while next > 0 && column(&pairs[next - 1]) > c {
                    next -= 1;
                    added += pairs[next].weight * self.weights[column(&pairs[next])];
                }
                self.backward[c] += added;
                most = most.max(self.backward[c]);
            }
            for value in &mut self.backward {
                *value /= most;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Weights of all ways to deal out with the rows from `r` on, given the least
    /// detection that is left: visited one by one.
    fn ways(
        rows: &[Row],
        pairs: &[Pair],
        left: u32,
        weight: f64,
        taken: &mut Vec<u32>,
        visit: &mut impl FnMut(&[u32], f64),
    ) {
        let Some((row, rest)) = rows.split_first() else { return visit(taken, weight) };
        taken.push(NONE);
        ways(rest, pairs, left, weight, taken, visit);
        taken.pop();
        for p in &pairs[row.first as usize..row.end as usize] {
            if p.index >= left {
                taken.push(p.index);
                ways(rest, pairs, p.index + 1, weight * p.weight, taken, visit);
                taken.pop();
            }
        }
    }

    proptest! {
        /// The sum forward and backward is the sum over every single way.
        #[test]
        fn a_sum_is_that_of_all_ways(
            windows in proptest::collection::vec((0_u32..4, 1_u32..4, 0_u32..4), 1..6),
            gains in proptest::collection::vec(-5.0..9.0_f64, 24)
        ) {
            let (mut rows, mut pairs) = (Vec::new(), Vec::new());
            for (event, (from, count, hit)) in (0_u32..).zip(&windows) {
                let first = pairs.len() as u32;
                for index in *from..from + count {
                    let gain = gains[(event as usize * 5 + index as usize * 3) % gains.len()];
                    pairs.push(Pair { index, weight: math::exp(gain) });
                }
                let (end, hit) = (pairs.len() as u32, from + hit % count);
                let row = Row { station: 0, t: 0.0, event, first, end, number: 0, hit, told: true };
                rows.push(row);
            }
            let (mut all, mut silent, mut own) = (0.0, vec![0.0; 6], vec![0.0; 6]);
            ways(&rows, &pairs, 0, 1.0, &mut Vec::new(), &mut |taken, weight| {
                all += weight;
                for (r, taken) in taken.iter().enumerate() {
                    silent[r] += if *taken == NONE { weight } else { 0.0 };
                    own[r] += if *taken == rows[r].hit { weight } else { 0.0 };
                }
            });
            let mut ties = Ties { pairs, ..Ties::default() };
            let mut told = 0;
            ties.sum(&rows, |row, share| {
                told += 1;
                let r = row.event as usize;
                assert!((share.silent - silent[r] / all).abs() < 1e-9, "{share:?}");
                assert!((share.own - own[r] / all).abs() < 1e-9, "{share:?}");
            });
            prop_assert_eq!(told, rows.len());
        }
    }
}
