//! Local moves on the events at work: every station's detections are dealt to
//! the events that predict them, each event goes to where its detections
//! agree, and an event that others explain better dies. Repeated until nothing
//! changes, or a few times.

mod joint;
mod wishes;

use crate::live::{Events, Live, claim};
use crate::matching::{Pair, Table};
use crate::ring::{DEALT, FREE};
use crate::roads::{Road, Seats};
use crate::score::{Hit, Reached, View, occam};
use crate::work::Work;

pub(crate) use wishes::{Expected, Wishes};

use wishes::Wish;

/// What an event predicts at a station that heard something it could take.
#[derive(Clone, Copy, Debug)]
struct Prediction {
    t: f64,
    station: u32,
    event: u32,
    /// Its pairs, as they were found.
    first: u32,
    end: u32,
    taken: u32,
}

/// A detection that an event would gain by.
#[derive(Clone, Copy, Debug)]
struct Want {
    station: u32,
    index: u32,
    gain: f64,
}

const NONE: u32 = u32::MAX;
/// Hits that an event later or earlier by more than this would not take, s.
const RIVAL_S: f64 = 3.0;

/// Moved by less than this an event has come to rest, metres, if it has so many hits.
const SETTLED_M: f64 = 3.0;
const RESTS_HITS: usize = 40;
/// Neighbours of an event are sorted out again if its evidence changed by so many
/// nats and such a share of it, or one in so many of its hits.
const CHANGED: f64 = 0.2;
const CHANGED_SHARE: f64 = 0.003;
const CHANGED_HITS: usize = 40;
/// An event of so much evidence has too many detections of its own to die of what
/// others want of them, nats.
const SAFE: f64 = 100.0;

/// Memory used again and again.
#[derive(Default)]
pub(crate) struct Deal {
    /// By event as they are found, then by station, time and event.
    raw: Vec<Prediction>,
    predictions: Vec<Prediction>,
    /// Where the predictions of each station begin while they are put in order.
    start: Vec<u32>,
    found: Vec<Pair>,
    pairs: Vec<Pair>,
    table: Table,
    wants: Vec<Want>,
    /// Stations of whose detections an event may die.
    at_stake: Vec<bool>,
}

impl Work<'_> {
    /// One round of moves on the named events, with deaths. True if anything changed.
    pub(crate) fn sweep(&mut self, active: &[u32]) -> bool {
        self.shift(active) | self.deaths(active)
    }

    /// One round of dealing and moving. True if anything changed.
    pub(crate) fn shift(&mut self, active: &[u32]) -> bool {
        self.assign(active);
        let mut changed = false;
        for &id in active {
            let e = self.events.get(id);
            // Dealt what it had, but for a few, where it had come to rest; what is
            // believed of a site hardly moves an event of so many hits.
            let rests = e.drift < SETTLED_M
                && e.hits.len() >= RESTS_HITS
                && !changed_hits(&e.before, &e.hits);
            if e.alive && !rests && self.relocate(id) {
                self.events.get_mut(id).dirty = true;
                changed = true;
            }
        }
        changed
    }

    /// Deals the detections of each station. Within a knot of predictions that
    /// want the same detections the order of arrivals is the order of predictions
    /// (the best matching of points on a line), found by dynamic programming.
    fn assign(&mut self, active: &[u32]) {
        let Self { net, rings, physics, events, horizon, deal, .. } = self;
        for &id in active {
            if events.get(id).alive {
                claim(&events.get(id).hits, rings, DEALT);
            }
        }
        let view = View { net, rings, physics, horizon: *horizon, me: FREE };
        deal.wishes(&view, events, active);
        deal.group(net.len());
        deal.solve();
        // Hand out.
        for &id in active {
            let e = events.get_mut(id);
            if e.alive {
                claim(&e.hits, rings, FREE);
                e.hits.clear();
            }
        }
        for p in &deal.predictions {
            if p.taken != NONE {
                let ring = &mut rings[p.station as usize];
                let index = p.taken as usize;
                ring.owner[index] = p.event;
                let position = ring.position(index);
                events.get_mut(p.event).hits.push(Hit { station: p.station, position });
            }
        }
    }

    /// Moves one event to where its detections agree and weighs it again. True if
    /// that changed it.
    pub(crate) fn relocate(&mut self, id: u32) -> bool {
        let Self { net, rings, physics, events, horizon, s, .. } = self;
        let e = events.get(id);
        if e.hits.len() < 3 {
            events.remove(id, rings);
            return true;
        }
        let mut loc = e.loc;
        let old = e.weighed.score;
        let view = View { net, rings, physics, horizon: *horizon, me: id };
        let site = events.belief(physics, loc, id).site;
        let info = view.settle(&mut loc, e.home, &e.hits, 3, site);
        let home = net.nearest_to(loc.x, loc.y);
        let belief = events.belief(physics, loc, id);
        let e = events.get_mut(id);
        let level = e.weighed.level;
        e.roads.lay(&view, loc, home, level);
        listen_to(&view, &e.hits, loc.t, level, e.roads.all(), &mut s.seats, &mut s.reached);
        e.weighed = view.weigh(&mut s.reached, &belief, occam(&info), false);
        crate::score::hits_of(&s.reached, rings, &mut s.hits);
        let (dx, dy) = (loc.x - e.loc.x, loc.y - e.loc.y);
        e.drift = (dx * dx + dy * dy).sqrt();
        e.loc = loc;
        e.home = home;
        e.var = crate::score::spread(&info);
        s.hits.sort_by_key(|hit| hit.station);
        let changed = (e.weighed.score - old).abs() > CHANGED + CHANGED_SHARE * old.abs()
            || changed_hits(&e.before, &s.hits);
        claim(&e.hits, rings, FREE);
        std::mem::swap(&mut e.hits, &mut s.hits);
        claim(&e.hits, rings, id);
        e.before.clone_from(&e.hits);
        if e.weighed.score < 0.0 || e.hits.len() < 3 {
            events.remove(id, rings);
            return true;
        }
        changed
    }

    /// Removes events whose detections others would rather have, weakest first.
    fn deaths(&mut self, active: &[u32]) -> bool {
        let Self { net, rings, physics, events, horizon, s, deal } = self;
        let alive = active.iter().copied().filter(|id| events.get(*id).alive);
        let mut weak: Vec<u32> = alive.filter(|id| events.get(*id).weighed.score < SAFE).collect();
        if weak.is_empty() {
            return false;
        }
        weak.sort_by(|a, b| {
            events.get(*a).weighed.score.total_cmp(&events.get(*b).weighed.score).then(a.cmp(b))
        });
        deal.at_stake.resize(net.len(), false);
        for hit in weak.iter().flat_map(|id| &events.get(*id).hits) {
            let ring = &mut rings[hit.station as usize];
            let index = ring.index(hit.position);
            ring.wanted[index] = 0.0;
            deal.at_stake[hit.station as usize] = true;
        }
        for &me in active {
            if !events.get(me).alive {
                continue;
            }
            let view = View { net, rings, physics, horizon: *horizon, me };
            deal.wants.clear();
            deal.want(&view, events, &mut s.seats);
            for want in &deal.wants {
                let wanted = &mut rings[want.station as usize].wanted[want.index as usize];
                *wanted = wanted.max(want.gain);
            }
        }
        for hit in weak.iter().flat_map(|id| &events.get(*id).hits) {
            deal.at_stake[hit.station as usize] = false;
        }
        let mut changed = false;
        for id in weak {
            let e = events.get_mut(id);
            let wanted = |hit: &Hit| {
                let ring = &rings[hit.station as usize];
                ring.wanted[ring.index(hit.position)]
            };
            e.rival = e.hits.iter().map(wanted).sum();
            if e.rival > e.weighed.score {
                events.remove(id, rings);
                changed = true;
            }
        }
        changed
    }
}

impl Deal {
    /// Finds what all active events could take.
    fn wishes(&mut self, view: &View, events: &mut Events, active: &[u32]) {
        self.raw.clear();
        self.found.clear();
        for &id in active {
            let e = events.get_mut(id);
            if !e.alive {
                continue;
            }
            let mut wishes = std::mem::take(&mut e.wishes);
            if !wishes.hold(view, e) {
                wishes.make(view, e);
            }
            for wish in &wishes.list {
                self.grant(view, &wishes, wish, id);
            }
            e.wishes = wishes;
        }
    }

    /// Notes what may be dealt of what an event could take at a station.
    fn grant(&mut self, view: &View, wishes: &Wishes, wish: &Wish, id: u32) {
        let station = wish.station;
        let ring = &view.rings[station as usize];
        let first = self.found.len();
        for of in &wishes.of[wish.first as usize..wish.end as usize] {
            let i = ring.index(of.position);
            if ring.owner[i] == FREE || ring.owner[i] == DEALT {
                let gain = of.gain - view.ln_crowd(station, i);
                if gain > 0.0 {
                    self.found.push(Pair { prediction: 0, index: i as u32, gain });
                }
            }
        }
        if self.found.len() > first {
            let (first, end) = (first as u32, self.found.len() as u32);
            self.raw.push(Prediction { t: wish.t, station, event: id, first, end, taken: NONE });
        }
    }

    /// Puts the predictions in order of station, time and event.
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
        for p in &self.raw {
            let at = &mut self.start[p.station as usize];
            self.predictions[*at as usize] = *p;
            *at += 1;
        }
        for group in self.predictions.chunk_by_mut(|a, b| a.station == b.station) {
            if group.len() > 1 {
                group.sort_unstable_by(|a, b| a.t.total_cmp(&b.t).then(a.event.cmp(&b.event)));
            }
        }
    }

    /// Matches the predictions of each station with what it heard.
    fn solve(&mut self) {
        let mut from = 0;
        while from < self.predictions.len() {
            let station = self.predictions[from].station;
            self.pairs.clear();
            let mut to = from;
            while to < self.predictions.len() && self.predictions[to].station == station {
                let p = &self.predictions[to];
                let own = &self.found[p.first as usize..p.end as usize];
                self.pairs.extend(own.iter().map(|pair| Pair { prediction: to as u32, ..*pair }));
                to += 1;
            }
            let predictions = &mut self.predictions;
            self.table
                .solve(&self.pairs, |number, index| predictions[number as usize].taken = index);
            from = to;
        }
    }
}

/// True if hits are not the same as before but for a few; both are in order of station.
fn changed_hits(before: &[Hit], now: &[Hit]) -> bool {
    if before == now {
        return false;
    }
    let kept = |hit: &&Hit| {
        now.binary_search_by(|o| o.station.cmp(&hit.station)).is_ok_and(|at| now[at] == **hit)
    };
    let same = before.iter().filter(kept).count();
    (before.len().max(now.len()) - same) * CHANGED_HITS > before.len()
}

/// Listens to these hits only.
pub(crate) fn listen_to(
    view: &View,
    hits: &[Hit],
    t: f64,
    level: f64,
    roads: impl Iterator<Item = Road>,
    seats: &mut Seats,
    reached: &mut Vec<Reached>,
) {
    reached.clear();
    seats.with(view.net.len(), hits, |seats| {
        for road in roads {
            let seat = seats.hit(road.station);
            if seat.is_none() && !view.asks(road.station, level, road.loss) {
                continue;
            }
            let predicted = t + road.tau + view.net.habit[road.station as usize].clock;
            let silent = Reached {
                station: road.station,
                tau: road.tau,
                loss: road.loss,
                noise: view.net.habit[road.station as usize].noise,
                heard: usize::MAX,
                amp: 0.0,
                toward: road.toward,
                gain: 0.0,
                residual: predicted,
                variance: 1.0,
                mute: false,
            };
            let heard = seat.and_then(|at| heard(view, &silent, hits[at]));
            reached.push(heard.unwrap_or_else(|| {
                let unknown = predicted > view.horizon;
                let mute = unknown || view.net.is_down(road.station, predicted);
                Reached { mute, ..silent }
            }));
        }
    });
}

/// A station that heard what it is said to, unless it is too far off.
fn heard(view: &View, r: &Reached, hit: Hit) -> Option<Reached> {
    let ring = &view.rings[r.station as usize];
    let index = ring.index(hit.position);
    let pick = &ring.picks[index];
    let variance = view.variance(r.station, pick.sigma, r.tau);
    let (residual, sigma) = (ring.t[index] - r.residual, variance.sqrt());
    if residual < -4.5 * sigma || residual > 4.5 * sigma + 1.5 {
        return None;
    }
    let gain = view.physics.time(residual, variance)
        + f64::from(pick.gain)
        + view.physics.direction(pick, r.toward);
    Some(Reached { heard: index, amp: pick.amp, mute: false, gain, residual, variance, ..*r })
}

impl Deal {
    /// Notes the detections of others that an event would gain by at stations at
    /// which it is silent.
    fn want(&mut self, view: &View, events: &mut Events, seats: &mut Seats) {
        let e = events.get_mut(view.me);
        let level = e.weighed.level;
        e.roads.lay(view, e.loc, e.home, level);
        let e = events.get(view.me);
        seats.with(view.net.len(), &e.hits, |seats| {
            for road in e.roads.all() {
                let at_stake = self.at_stake[road.station as usize];
                let asked = at_stake && view.asks(road.station, level, road.loss);
                if asked && seats.hit(road.station).is_none() {
                    self.want_at(view, e, &road);
                }
            }
        });
    }

    fn want_at(&mut self, view: &View, event: &Live, road: &Road) {
        let station = road.station;
        let ring = &view.rings[station as usize];
        let habit = &view.net.habit[station as usize];
        let t = event.loc.t + road.tau + habit.clock;
        let mut expected = None;
        // A little early: the bounds are those of the sums below.
        for i in ring.from(t - RIVAL_S - 1e-3)..ring.t.len() {
            if t < ring.t[i] - RIVAL_S {
                break;
            }
            if ring.owner[i] == FREE || t > ring.t[i] + RIVAL_S {
                continue;
            }
            let expected = expected.get_or_insert_with(|| Expected::new(view, event, road, t));
            let gain = expected.gain(view, road, ring, i, habit.ln_false);
            if gain > 0.0 {
                self.wants.push(Want { station, index: i as u32, gain });
            }
        }
    }
}
