//! The engine: detections in, events out, block of time after block of time.

mod release;

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::account::{Account, Asked};
use crate::input::{Detection, MetNode, Outage, Station};
use crate::live::{Events, Live, all_free};
use crate::locate::Wind;
use crate::model::Model;
use crate::moves::Deal;
use crate::network::Network;
use crate::posterior::Features;
use crate::replay::{Replay, Replays};
use crate::ring::{FREE, Pick, Ring};
use crate::score::{Loc, Physics, View};
use crate::search::{ACTIVE_CLEAR, ACTIVE_MIN, Candidate, Scratch, search};
use crate::ties::Ties;
use crate::work::Work;

/// Time worked on at once, s.
const BLOCK_S: f64 = 15.0;
/// Events farther apart in time than this do not compete, s.
const COMPETE_S: f64 = 45.0;
/// Longest way of an arrival to its first station, s.
const REACH_S: f64 = 45.0;
/// Detections are kept so long after they are worked on, s.
pub(crate) const KEEP_S: f64 = 240.0;
/// The forecast is taken anew so often, s.
const AIR_S: f64 = 300.0;
/// Events farther apart than this do not compete, metres.
const NEAR_M: f64 = 22_000.0;
/// Events compete although so far apart in time beside what their distance
/// makes at a low speed of sound, s and m/s.
const NEAR_S: f64 = 3.0;
const SLOW_MS: f64 = 320.0;
/// Anchors in a block below which threads do not pay.
const PARALLEL_MIN: usize = 256;
/// Old detections are dropped so often, s.
const SWEEP_S: f64 = 60.0;
/// Rounds of moves after weak events were born, at most. Clear ones are sorted
/// out once: more will be born about them.
const WEAK_ROUNDS: usize = 3;
/// Rounds of search in a block at most.
const ROUNDS: usize = 4;
/// Detections of a station within a second at most.
const BURST: usize = 20;
/// Mean squared residual up to which an event is clear enough to be taken at once.
const CLEAR: f64 = 1.7;

/// When neighbourhoods are sorted out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// After clear events were born.
    Clear,
    /// After weak ones were.
    Weak,
    /// Before events are released.
    Closing,
}

/// How long an engine waits for what may still come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// How long after a block detections are waited for, s.
    pub ahead_s: f64,
    /// An event this much older than the block is final, s.
    pub final_s: f64,
    /// Weak events are taken only after clear ones of so much later, s.
    pub weak_s: f64,
}

impl Pace {
    /// Waits for the moveout over 20 km, and for the neighbours of an event to
    /// be sorted out.
    pub const FINAL: Self = Self { ahead_s: 62.0, final_s: 60.0, weak_s: 45.0 };
    /// Waits for the nearest stations only.
    pub const PRELIMINARY: Self = Self { ahead_s: 15.0, final_s: 0.0, weak_s: 0.0 };
}

/// One physical occurrence inferred from detections.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Number in order of release.
    pub number: u32,
    /// Origin time, seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north and east.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Calibrated probability that it is real, and not an earlier one put in again.
    pub probability: f64,
    /// The earlier event that it repeats to the digit, if any.
    pub replay: Option<Replay>,
    /// Covariance of place, m^2: east-east, east-north, north-north.
    pub covariance: [f64; 3],
    /// Variance of the origin time, s^2.
    pub var_t: f64,
    /// Source level, dB at 1 km.
    pub level_db: f64,
    /// Time to the nearest other event of the same place, s; none if it came alone.
    pub spacing_s: Option<f64>,
    /// How likely each kind of [`Model::kinds`] is, if it is real; empty if the
    /// model has none.
    pub kinds: Vec<f64>,
    /// Log-odds of the evidence before calibration, nats.
    pub evidence: f64,
    /// Sum of squared residuals, each in units of its error and at most 9.
    pub chi2: f64,
    /// Rows of the detections that belong to it.
    pub rows: Vec<u32>,
    /// Probability that each of them is its own and not another event's or a false
    /// alarm, if it is real.
    pub own: Vec<f32>,
    /// What the calibration map saw.
    pub features: Features,
    /// Record time at which it was released.
    pub t_emit: f64,
}

/// What the search of some tiles came to.
#[derive(Default)]
struct Found {
    candidates: Vec<Candidate>,
    failed: Vec<u32>,
    searches: u64,
}

impl Found {
    fn tile(
        &mut self,
        view: &View,
        events: &Events,
        block: &[(f64, u32, u32)],
        anchors: &[u32],
        strict: f64,
        s: &mut Scratch,
    ) {
        // Detections that a candidate of this tile explains need no search of their own.
        let mut covered = BTreeSet::new();
        let active_min = if strict == f64::INFINITY { ACTIVE_MIN } else { ACTIVE_CLEAR };
        for &i in anchors {
            let (_, station, position) = block[i as usize];
            if covered.contains(&(station, position)) {
                continue;
            }
            self.searches += 1;
            let index = view.rings[station as usize].index(position);
            match search(view, events, station, index, active_min, s) {
                // Not clear now, nor once others have taken more.
                Some(found) if !found.weighed.clear(strict) => self.failed.push(i),
                Some(found) => {
                    covered.extend(found.hits.iter().map(|hit| (hit.station, hit.position)));
                    self.candidates.push(found);
                }
                None => self.failed.push(i),
            }
        }
    }
}

/// The state between blocks.
pub struct Engine {
    net: Network,
    rings: Vec<Ring>,
    physics: Physics,
    events: Events,
    wind: Wind,
    replays: Replays,
    /// Detections not yet let in, oldest last.
    waiting: std::collections::VecDeque<Detection>,
    /// Start of the next block.
    now: f64,
    air_at: f64,
    swept: f64,
    released: u32,
    s: Scratch,
    deal: Deal,
    ties: Ties,
    columns: Box<crate::salvo::Columns>,
    anchors: std::collections::VecDeque<(f64, u32, u32)>,
    leftover: std::collections::VecDeque<(f64, u32, u32)>,
    /// Searches made, for the summary.
    pub searches: u64,
    rejected: Vec<Rejected>,
    scratches: Vec<Scratch>,
    failed: Vec<bool>,
    shards: usize,
    asked: Option<Asked>,
    account: Option<Account>,
    pace: Pace,
    watermark: f64,
}

/// A detection that was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its row.
    pub row: u32,
    /// What of it was wrong.
    pub field: &'static str,
    /// Why it was not used.
    pub reason: &'static str,
}

impl Engine {
    /// An engine for a network, at its full pace.
    pub fn new(stations: &[Station], met: &[MetNode], outages: &[Outage], model: &Model) -> Self {
        Self::with_pace(stations, met, outages, model, Pace::FINAL)
    }

    /// An engine that waits for more or for less.
    pub fn with_pace(
        stations: &[Station],
        met: &[MetNode],
        outages: &[Outage],
        model: &Model,
        pace: Pace,
    ) -> Self {
        let net = Network::new(stations, met, outages, model);
        Self {
            rings: vec![Ring::default(); net.len()],
            replays: Replays::new(net.len()),
            net,
            physics: Physics::new(model),
            events: Events::default(),
            wind: Wind::new(model),
            waiting: std::collections::VecDeque::new(),
            now: f64::NEG_INFINITY,
            air_at: f64::NEG_INFINITY,
            swept: f64::NEG_INFINITY,
            released: 0,
            s: Scratch::default(),
            deal: Deal::default(),
            ties: Ties::default(),
            columns: Box::default(),
            anchors: std::collections::VecDeque::new(),
            leftover: std::collections::VecDeque::new(),
            searches: 0,
            rejected: Vec::new(),
            scratches: Vec::new(),
            failed: Vec::new(),
            shards: 1,
            asked: None,
            account: None,
            pace,
            watermark: f64::NEG_INFINITY,
        }
    }

    /// Asks why one event is believed; see [`Engine::take_account`]. Events are
    /// the same with and without.
    pub fn ask(&mut self, asked: Asked) {
        self.asked = Some(asked);
    }

    /// The account of the event that was asked for, once it is final.
    pub fn take_account(&mut self) -> Option<Account> {
        self.account.take()
    }

    /// Shares of the network that are searched apart. No result depends on it.
    pub fn set_shards(&mut self, shards: usize) {
        self.shards = shards.max(1);
    }

    /// Takes detections in, in order of time.
    pub fn push(&mut self, detections: &[Detection]) {
        self.waiting.extend(detections.iter().copied());
    }

    /// Works on all blocks that are complete once everything up to a moment of
    /// the record is in, and returns the events that became final.
    pub fn advance(&mut self, watermark: f64) -> Vec<Event> {
        let mut out = Vec::new();
        self.watermark = self.watermark.max(watermark);
        loop {
            let next = match (self.anchors.front(), self.waiting.front()) {
                (Some(a), Some(w)) => a.0.min(w.t_s),
                (Some(a), None) => a.0,
                (None, Some(w)) => w.t_s,
                (None, None) => f64::INFINITY,
            };
            if self.events.is_empty() && self.leftover.is_empty() && next > self.now + BLOCK_S {
                // Nothing at work: go on at the next detection.
                if next == f64::INFINITY {
                    break;
                }
                self.now = libm::floor(next / BLOCK_S) * BLOCK_S;
            }
            let end = self.now + BLOCK_S;
            if end + self.pace.ahead_s >= watermark {
                break;
            }
            self.block(end, &mut out);
            self.now = end;
        }
        out
    }

    /// All events before this moment are out.
    pub fn settled_to(&self) -> f64 {
        if self.events.is_empty() && self.leftover.is_empty() {
            let first = self.anchors.front().map(|a| a.0);
            let next = first.into_iter().chain(self.waiting.front().map(|w| w.t_s));
            let idle = self.watermark - self.pace.ahead_s - BLOCK_S;
            // An event begins at most so long before its first arrival.
            return next.fold(idle, f64::min) - REACH_S;
        }
        self.now - self.pace.final_s.max(REACH_S)
    }

    /// Detections not used since this was last asked.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Rows before this one will not be spoken of again.
    pub fn oldest_row(&self) -> u32 {
        let held = self.rings.iter().filter_map(|r| r.picks.first()).map(|p| p.row).min();
        let waiting = self.waiting.front().map(|d| d.row);
        held.into_iter().chain(waiting).min().unwrap_or(0)
    }

    /// Works on everything that is left.
    pub fn finish(&mut self) -> Vec<Event> {
        self.advance(f64::INFINITY)
    }

    fn block(&mut self, end: f64, out: &mut Vec<Event>) {
        let horizon = end + self.pace.ahead_s;
        // On a fixed raster of time, so that nothing depends on when far away
        // parts of the network had something to work on.
        let minute = libm::floor(end / SWEEP_S) * SWEEP_S;
        if minute > self.swept {
            self.swept = minute;
            self.forget(minute);
        }
        let hour = libm::floor(end / AIR_S) * AIR_S;
        if hour > self.air_at {
            self.air_at = hour;
            self.wind.apply(hour);
            let wind = &self.wind;
            self.net.set_air(hour, |x, y| wind.correction(x, y));
        }
        self.let_in(horizon);
        let mut block = Vec::new();
        while self.anchors.front().is_some_and(|a| a.0 < end) {
            block.extend(self.anchors.pop_front());
        }
        let (mut work, columns) = self.work(horizon);
        crate::salvo::find(&mut work, &block, columns);
        self.failed.clear();
        self.find(&block, horizon, CLEAR);
        self.improve(end, horizon, &block, CLEAR);
        self.leftover.extend(block.drain(..));
        while self.leftover.front().is_some_and(|a| a.0 < end - self.pace.weak_s) {
            block.extend(self.leftover.pop_front());
        }
        self.failed.clear();
        self.find(&block, horizon, f64::INFINITY);
        self.improve(end, horizon, &block, f64::INFINITY);
        let due = end - self.pace.final_s;
        let (mut work, columns) = self.work(horizon);
        crate::salvo::again(&mut work, due, columns);
        self.release(end, horizon, out);
    }

    fn let_in(&mut self, horizon: f64) {
        while self.waiting.front().is_some_and(|d| d.t_s <= horizon || d.t_s.is_nan()) {
            let Some(d) = self.waiting.pop_front() else { break };
            if !d.t_s.is_finite() || !d.amp_db.is_finite() || !d.snr_db.is_finite() {
                let reason = "time, level or signal-to-noise ratio is not a finite number";
                self.rejected.push(Rejected { row: d.row, field: "t_s", reason });
                continue;
            }
            let t = &self.rings[d.station as usize].t;
            if t.last().is_some_and(|last| *last >= d.t_s) {
                let reason = "the station has a detection at this very time already";
                self.rejected.push(Rejected { row: d.row, field: "t_s", reason });
                continue;
            }
            if t.len() >= BURST && t[t.len() - BURST] > d.t_s - 1.0 {
                let reason = "more than 20 detections of the station within a second";
                self.rejected.push(Rejected { row: d.row, field: "t_s", reason });
                continue;
            }
            let amp = d.amp_db - self.net.habit[d.station as usize].loud as f32;
            self.net.hear(d.station, d.t_s, f64::from(amp - d.snr_db));
            let snr = f64::from(d.snr_db);
            let pick = Pick {
                sigma: self.physics.pick_sigma(snr) as f32,
                amp,
                raw: d.amp_db,
                gain: self.physics.pick_gain(snr) as f32,
                bearing: self.net.bearing(d.station, d.from),
                row: d.row,
            };
            let ring = &mut self.rings[d.station as usize];
            ring.push(d.t_s, pick);
            self.anchors.push_back((d.t_s, d.station, ring.position(ring.t.len() - 1)));
        }
    }

    /// Candidates of all free anchors. Each tile of the ground is searched by
    /// itself, so how tiles are shared out to shards and threads changes nothing.
    fn candidates(
        &mut self,
        block: &[(f64, u32, u32)],
        horizon: f64,
        strict: f64,
    ) -> Vec<Candidate> {
        let mut order: Vec<u32> = (0..block.len() as u32)
            .filter(|i| {
                let (_, station, position) = block[*i as usize];
                let ring = &self.rings[station as usize];
                !self.failed[*i as usize] && ring.owner[ring.index(position)] == FREE
            })
            .collect();
        let tile = |i: u32| self.net.tile[block[i as usize].1 as usize];
        order.sort_by_key(|i| (tile(*i), *i));
        let tiles: Vec<&[u32]> = order.chunk_by(|a, b| tile(*a) == tile(*b)).collect();
        let busy = order.len() > PARALLEL_MIN;
        let threads = if busy { rayon::current_num_threads() } else { 1 };
        let shares = self.shards.max(threads).min(tiles.len()).max(1);
        while self.scratches.len() < shares {
            self.scratches.push(Scratch::default());
        }
        let view =
            View { net: &self.net, rings: &self.rings, physics: &self.physics, horizon, me: FREE };
        let events = &self.events;
        let work = |(tiles, s): (&[&[u32]], &mut Scratch)| {
            let mut found = Found::default();
            for anchors in tiles {
                found.tile(&view, events, block, anchors, strict, s);
            }
            found
        };
        let size = tiles.len().div_ceil(shares).max(1);
        let shared = tiles.chunks(size).zip(self.scratches.iter_mut());
        let found: Vec<Found> = if busy && threads > 1 {
            let shared: Vec<_> = shared.collect();
            shared.into_par_iter().map(work).collect()
        } else {
            shared.map(work).collect()
        };
        let mut candidates = Vec::new();
        for f in found {
            self.searches += f.searches;
            for i in f.failed {
                self.failed[i as usize] = true;
            }
            candidates.extend(f.candidates);
        }
        candidates
    }

    /// Births: candidates of all free anchors, accepted best first.
    fn find(&mut self, block: &[(f64, u32, u32)], horizon: f64, strict: f64) {
        self.failed.resize(block.len(), false);
        for _ in 0..ROUNDS {
            let mut candidates = self.candidates(block, horizon, strict);
            candidates.sort_by(|a, b| {
                b.weighed
                    .score
                    .total_cmp(&a.weighed.score)
                    .then(a.loc.t.total_cmp(&b.loc.t))
                    .then(a.loc.x.total_cmp(&b.loc.x))
            });
            let mut accepted = false;
            for c in candidates {
                if !all_free(&c.hits, &self.rings) {
                    continue;
                }
                accepted = true;
                let id = self.events.add(Live::from(c), &mut self.rings);
                let mut parents = vec![id];
                while let Some(parent) = parents.pop() {
                    parents.extend(self.work(horizon).0.volley(parent, strict));
                }
            }
            if !accepted {
                break;
            }
        }
    }

    /// Events of some sort that one of these is near to: they may want the same detections.
    fn about(&self, these: &[u32], sort: impl Fn(&Live) -> bool) -> Vec<u32> {
        let mut places: Vec<Loc> = these.iter().map(|id| self.events.get(*id).loc).collect();
        places.sort_by(|a, b| a.t.total_cmp(&b.t));
        let near = |e: &Live| {
            let from = places.partition_point(|loc| loc.t <= e.loc.t - COMPETE_S);
            let within = places[from..].iter().take_while(|loc| loc.t < e.loc.t + COMPETE_S);
            within.into_iter().any(|loc| {
                let (dt, dx, dy) = ((e.loc.t - loc.t).abs(), e.loc.x - loc.x, e.loc.y - loc.y);
                // Sound of both is at a station at once only if the place makes
                // up for the time.
                let most = (NEAR_S + (dx * dx + dy * dy).sqrt() / SLOW_MS).min(COMPETE_S);
                dx.abs() < NEAR_M && dy.abs() < NEAR_M && dt < most
            })
        };
        let of_sort = |id: &u32| {
            let e = self.events.get(*id);
            sort(e) && near(e)
        };
        self.events.ids().filter(of_sort).collect()
    }

    /// Events at work that something new or changed is near to, and at the
    /// closing those that will be released.
    fn unsettled(&mut self, end: f64, closing: bool) -> Vec<u32> {
        let dirty = |id: &u32| {
            let e = self.events.get(*id);
            at_work(e, end) && e.dirty
        };
        let dirty: Vec<u32> = self.events.ids().filter(dirty).collect();
        let mut ids = self.about(&dirty, |e| at_work(e, end));
        if closing {
            let last = end - self.pace.final_s;
            let released = |id: &u32| {
                let e = self.events.get(*id);
                at_work(e, end) && e.loc.t < last
            };
            let released: Vec<u32> = self.events.ids().filter(released).collect();
            // What is released is weighed once more, wherever it rests.
            for id in &released {
                self.events.get_mut(*id).drift = f64::INFINITY;
            }
            ids.extend(released);
            ids.sort_unstable();
            ids.dedup();
        }
        for id in &ids {
            self.events.get_mut(*id).dirty = false;
        }
        ids
    }

    fn sort_out(&mut self, end: f64, horizon: f64, stage: Stage) -> bool {
        let ids = self.unsettled(end, stage == Stage::Closing);
        self.sweep(horizon, &ids, stage)
    }

    fn sweep(&mut self, horizon: f64, ids: &[u32], stage: Stage) -> bool {
        if ids.is_empty() {
            return false;
        }
        let (mut work, _) = self.work(horizon);
        match stage {
            // While births are still to come it is early to say who explains whom.
            Stage::Clear => work.shift(ids),
            Stage::Weak | Stage::Closing => work.sweep(ids),
        }
    }

    /// The events at work as they are worked on, and the memory of salvos.
    fn work(&mut self, horizon: f64) -> (Work<'_>, &mut crate::salvo::Columns) {
        let work = Work {
            net: &self.net,
            rings: &mut self.rings,
            physics: &self.physics,
            events: &mut self.events,
            horizon,
            s: &mut self.s,
            deal: &mut self.deal,
        };
        (work, &mut self.columns)
    }

    fn improve(&mut self, end: f64, horizon: f64, block: &[(f64, u32, u32)], strict: f64) {
        if strict < f64::INFINITY {
            self.sort_out(end, horizon, Stage::Clear);
            return;
        }
        for round in 0..WEAK_ROUNDS {
            if !self.sort_out(end, horizon, Stage::Weak) {
                break;
            }
            if round == 0 {
                self.find(block, horizon, strict);
            }
        }
    }

    /// Drops what is old and counts what nothing explained.
    fn forget(&mut self, now: f64) {
        let old = now - KEEP_S;
        self.events.forget(old);
        let net = &mut self.net;
        for (k, ring) in self.rings.iter_mut().enumerate() {
            let mut alarms = 0.0;
            ring.forget(old, |_, _, owner| alarms += f64::from(u8::from(owner == FREE)));
            net.count_false(k as u32, alarms, now);
        }
    }
}

/// True for an event that is not yet released and old enough to be sorted out.
fn at_work(e: &Live, end: f64) -> bool {
    e.alive && !e.done && e.loc.t < end + 20.0
}
