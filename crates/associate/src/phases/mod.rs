//! P and S picks to earthquakes and blasts: the ideas of the acoustic engine
//! with a depth, two phases and no level.
//!
//! The pick whose neighbours promise most is the first anchor: branch and bound
//! finds the best source with it (`search`), whose picks are then taken, and so
//! on until no anchor promises more than a source costs. Then picks are dealt
//! anew between sources, and sources that others explain better die (`moves`).
//! A source's score counts what was picked and what was not over an unknown
//! reach (`weigh`). That is done block of time after block of time (`engine`). The
//! same picks give the same events in any order of rows.

mod account;
mod engine;
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

use crate::math;
use crate::posterior::Features;
use crate::travel::{Phase, Table};

use net::{Net, Physics, Store};
use search::{Candidate, Scratch, root_bound, search};
use weigh::{Hearing, Hit, View};

pub use engine::{Engine, Found, associate};
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
/// The pick of an event that is forgotten.
const GONE: u32 = u32::MAX - 2;
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

/// A source in the making.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub candidate: Candidate,
    pub alive: bool,
    /// What of its evidence rivals could take.
    pub rival: f64,
    /// It is out: it keeps its picks, and nothing of it changes any more.
    pub done: bool,
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
    /// Travel times.
    table: &'a Table,
    events: Vec<Live>,
    scratch: Scratch,
    searches: u64,
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
        let hits = std::mem::take(&mut self.events[id as usize].candidate.hits);
        self.own(&hits, id);
        self.events[id as usize].candidate.hits = hits;
    }

    /// Gives picks to an event, or to nobody.
    fn own(&mut self, hits: &[Hit], owner: u32) {
        for hit in hits {
            self.store.owner[hit.channel as usize][hit.index as usize] = owner;
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
    fn births(&mut self, anchors: &[u32]) {
        let mut queue = BinaryHeap::new();
        for &anchor in anchors {
            if self.is_free(anchor) {
                let bound = root_bound(&self.view(NOBODY), self.store.all[anchor as usize]);
                if bound > self.physics.worth {
                    queue.push(Promise { bound, anchor });
                }
            }
        }
        while let Some(promise) = queue.pop() {
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
                self.events.push(Live { candidate, alive: true, rival: 0.0, done: false });
                self.take(id);
            }
        }
    }

    /// The source that stands at a place of the order, as an event of a number.
    fn event(&self, order: &[u32], at: usize, number: u32) -> Event {
        let candidate = &self.events[order[at] as usize].candidate;
        let (p, w) = (candidate.place, candidate.weighed);
        let features = posterior::one(self, order, at, p, &w);
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
        Event {
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
            rows: hits.iter().map(row).collect(),
            features,
        }
    }
}
