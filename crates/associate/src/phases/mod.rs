//! P and S picks to earthquakes and blasts: the ideas of the acoustic engine
//! with a depth, two phases and no level.
//!
//! The pick whose neighbours promise most is the first anchor: branch and bound
//! finds the best source with it (`search`), whose picks are then taken, and so
//! on until no anchor promises more than a source costs. Then picks are dealt
//! anew between sources, and sources that others explain better die (`moves`).
//! A source's score counts what was picked and what was not over an unknown
//! reach (`weigh`). The same picks give the same events in any order of rows.

mod account;
mod kind;
mod model;
mod moves;
mod net;
mod posterior;
mod search;
#[cfg(test)]
mod tests;
mod weigh;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::account::Account;
use crate::input::{Outage, Station};
use crate::math;
use crate::posterior::Features;
use crate::travel::{Phase, Table};

use net::{Net, Physics, Store};
use search::{Candidate, Scratch, root_bound, search};
use weigh::{Hearing, Hit, View};

pub use kind::PhaseKind;
pub use model::{PHASE_ENGINE_VERSION, PhaseModel};
pub use net::WEIGHT_MIN;
pub use posterior::PHASE_FEATURES;

/// A source whose score is lower is not even doubtful, nats.
pub(crate) const SCORE_MIN: f64 = -10.0;
/// Nobody's pick.
pub(crate) const FREE: u32 = u32::MAX;
/// No event: only free picks count.
const NOBODY: u32 = u32::MAX - 1;
/// Residuals beyond so many errors are not of the source.
pub(crate) const GATE: f64 = 4.0;

/// An arrival picked at a station.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Index of the station.
    pub station: u32,
    /// Which wave.
    pub phase: Phase,
    /// Time, seconds since the zero of the set.
    pub t_s: f64,
    /// How good the pick is, above 0 to 1: its variance is that of the model by
    /// this. 1 if nothing is known.
    pub weight: f64,
    /// Number of the row it came from.
    pub row: u32,
}

/// A pick that was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its row.
    pub row: u32,
    /// Why.
    pub reason: &'static str,
}

/// One source inferred from picks.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number in order of origin time.
    pub number: u32,
    /// Origin time, seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Depth below the level that heights of stations count from, km.
    pub depth_km: f64,
    /// Calibrated probability that it is real.
    pub probability: f64,
    /// Covariance of place, m^2: east-east, east-north, north-north, east-down,
    /// north-down, down-down.
    pub covariance: [f64; 6],
    /// Variance of the origin time, s^2.
    pub var_t: f64,
    /// Log-odds of the evidence before calibration, nats.
    pub evidence: f64,
    /// Sum of squared residuals, each in units of its error and at most 9.
    pub chi2: f64,
    /// Distance to which it was picked half as often as near by, km.
    pub reach_km: f64,
    /// How likely each kind of [`PhaseModel::kinds`] is, if it is real.
    pub kinds: Vec<f64>,
    /// Rows of the picks that belong to it, in order of time.
    pub rows: Vec<u32>,
    /// What the calibration map saw.
    pub features: Features,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Events in order of time.
    pub events: Vec<Event>,
    /// Picks that were not used.
    pub rejected: Vec<Rejected>,
    /// Searches made.
    pub searches: u64,
    /// Why the event is believed that was asked for.
    pub account: Option<Account>,
}

/// A source in the making.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub candidate: Candidate,
    pub alive: bool,
    /// What of its evidence rivals could take.
    pub rival: f64,
}

/// An anchor with the most it can promise.
#[derive(Clone, Copy, PartialEq)]
struct Promise {
    bound: f64,
    anchor: u32,
}

impl Eq for Promise {}

impl PartialOrd for Promise {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Promise {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then(other.anchor.cmp(&self.anchor))
    }
}

/// The state of a run.
pub(crate) struct Work<'a> {
    net: Net,
    store: Store,
    physics: Physics,
    hearing: Hearing,
    table: &'a Table,
    events: Vec<Live>,
    scratch: Scratch,
    searches: u64,
}

/// Associates the picks of a network. `progress` is told the share of the
/// anchors that are done, now and then; `ask` is shown the events and says which
/// of them is to be accounted for.
pub fn associate(
    stations: &[Station],
    outages: &[Outage],
    table: &Table,
    picks: &[Pick],
    model: &PhaseModel,
    progress: &mut dyn FnMut(f64),
    ask: &dyn Fn(&[Event]) -> Option<usize>,
) -> Found {
    let mut found = Found::default();
    let physics = Physics::new(model, table.deepest_km());
    let mut work = Work {
        net: Net::new(stations, outages, table, &physics),
        store: Store::new(stations.len(), picks, model, &mut found.rejected),
        hearing: Hearing::new(&physics),
        physics,
        table,
        events: Vec::new(),
        scratch: Scratch::default(),
        searches: 0,
    };
    let everyone: Vec<u32> = (0..work.store.all.len() as u32).collect();
    work.births(&everyone, progress);
    work.improve();
    found.searches = work.searches;
    let order = work.order();
    found.events = work.release(&order);
    found.account = ask(&found.events)
        .filter(|at| *at < order.len())
        .map(|at| account::of(&work, &order, at, found.events[at].probability));
    found
}

impl Work<'_> {
    pub(crate) fn view(&self, me: u32) -> View<'_> {
        View {
            net: &self.net,
            store: &self.store,
            table: self.table,
            physics: &self.physics,
            hearing: &self.hearing,
            me,
        }
    }

    fn take(&mut self, id: u32) {
        for hit in &self.events[id as usize].candidate.hits {
            self.store.owner[hit.channel as usize][hit.index as usize] = id;
        }
    }

    fn let_go(&mut self, id: u32) {
        for hit in &self.events[id as usize].candidate.hits {
            let owner = &mut self.store.owner[hit.channel as usize][hit.index as usize];
            if *owner == id {
                *owner = FREE;
            }
        }
    }

    fn is_free(&self, anchor: u32) -> bool {
        let (_, channel, index) = self.store.all[anchor as usize];
        self.store.is_free(channel, index)
    }

    /// Sources of free picks, the most promising first.
    fn births(&mut self, anchors: &[u32], progress: &mut dyn FnMut(f64)) {
        let mut queue = BinaryHeap::new();
        for &anchor in anchors {
            if self.is_free(anchor) {
                let bound = root_bound(&self.view(NOBODY), self.store.all[anchor as usize]);
                if bound > self.physics.worth {
                    queue.push(Promise { bound, anchor });
                }
            }
        }
        let all = queue.len().max(1);
        let mut told = queue.len();
        while let Some(promise) = queue.pop() {
            if told > queue.len() + all / 100 {
                told = queue.len();
                progress(1.0 - told as f64 / all as f64);
            }
            if !self.is_free(promise.anchor) {
                continue;
            }
            let anchor = self.store.all[promise.anchor as usize];
            // Others may have taken since what it promised.
            let bound = root_bound(&self.view(NOBODY), anchor);
            if bound < promise.bound {
                if bound > self.physics.worth {
                    queue.push(Promise { bound, anchor: promise.anchor });
                }
                continue;
            }
            self.searches += 1;
            let mut scratch = std::mem::take(&mut self.scratch);
            let found = search(&self.view(NOBODY), anchor, &mut scratch);
            self.scratch = scratch;
            if let Some(candidate) = found.filter(|c| c.weighed.score > SCORE_MIN) {
                // An anchor that its own source lets go is done with.
                let id = self.events.len() as u32;
                self.events.push(Live { candidate, alive: true, rival: 0.0 });
                self.take(id);
            }
        }
    }

    /// Living sources in the order in which they are released.
    fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> =
            (0..self.events.len() as u32).filter(|i| self.events[*i as usize].alive).collect();
        let key = |i: &u32| self.events[*i as usize].candidate.place;
        order.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            a.t.total_cmp(&b.t).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y))
        });
        order
    }

    fn release(&self, order: &[u32]) -> Vec<Event> {
        let features = posterior::features(self, order);
        let mut events = Vec::with_capacity(order.len());
        for ((number, id), features) in (0..).zip(order).zip(features) {
            let candidate = &self.events[*id as usize].candidate;
            let (p, w) = (candidate.place, candidate.weighed);
            let covariance =
                math::cholesky(&candidate.info).map_or([[1e4; 4]; 4], |l| math::inverse(&l));
            let m2 = |i: usize, j: usize| covariance[i][j] * 1e6 * self.physics.model.inflation;
            let (lat, lon) = self.net.plane.inverse(p.x * 1e3, p.y * 1e3);
            let sigma_z_km = (m2(3, 3).max(0.0) / 1e6).sqrt();
            let kinds =
                kind::posterior(&self.physics.model.kinds, p.z, sigma_z_km, self.physics.deepest);
            let time = |h: &Hit| self.store.t[h.channel as usize][h.index as usize];
            let mut hits = candidate.hits.clone();
            hits.sort_by(|a, b| time(a).total_cmp(&time(b)).then(a.cmp(b)));
            let row = |h: &Hit| self.store.row[h.channel as usize][h.index as usize];
            let rows: Vec<u32> = hits.iter().map(row).collect();
            events.push(Event {
                number,
                t_s: p.t,
                lat,
                lon,
                depth_km: p.z,
                probability: self.physics.model.calibration.probability(&features),
                covariance: [m2(1, 1), m2(1, 2), m2(2, 2), m2(1, 3), m2(2, 3), m2(3, 3)],
                var_t: covariance[0][0] * self.physics.model.inflation,
                evidence: w.score,
                chi2: w.chi2,
                reach_km: w.reach_km,
                kinds,
                rows,
                features,
            });
        }
        events
    }
}
