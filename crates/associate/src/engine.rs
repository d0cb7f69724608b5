//! The engine: detections in, events out, block of time after block of time.

use crate::births;
use crate::input::{Detection, MetNode, Outage, Station};
use crate::live::{Events, Live, all_free};
use crate::locate::{self, Wind};
use crate::model::Model;
use crate::moves::{self, Deal};
use crate::network::Network;
use crate::posterior::Features;
use crate::ring::{FREE, Pick, Ring};
use crate::score::{Physics, View};
use crate::search::{Candidate, Scratch, search};

/// Time worked on at once, s.
const BLOCK_S: f64 = 15.0;
/// How long after a block detections are waited for, s: the moveout over 20 km.
pub(crate) const AHEAD_S: f64 = 62.0;
/// An event this much older than the block is final, s.
const FINAL_S: f64 = 60.0;
/// Weak events are taken only after clear ones of so much later, s.
const WEAK_S: f64 = 45.0;
/// Detections are kept so long after they are worked on, s.
const KEEP_S: f64 = 240.0;
/// The forecast is taken anew so often, s.
const AIR_S: f64 = 300.0;
/// Rounds of search in a block at most.
const ROUNDS: usize = 4;
/// Detections of a station within a second at most.
const BURST: usize = 20;
const P1: f64 = 1.2;
const P2: f64 = 1.7;
const P3: f64 = 2.5;
/// Searches in a block at most: bounds the time of absurd input.
const SEARCHES_MAX: usize = 20_000;

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
    /// Calibrated probability that it is real.
    pub probability: f64,
    /// Covariance of place, m^2: east-east, east-north, north-north.
    pub covariance: [f64; 3],
    /// Variance of the origin time, s^2.
    pub var_t: f64,
    /// Source level, dB at 1 km.
    pub level_db: f64,
    /// Log-odds of the evidence before calibration, nats.
    pub evidence: f64,
    /// Rows of the detections that belong to it.
    pub rows: Vec<u32>,
    /// What the calibration map saw.
    pub features: Features,
    /// Record time at which it was released.
    pub t_emit: f64,
}

impl PartialEq for Features {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// The state between blocks.
pub struct Engine {
    net: Network,
    rings: Vec<Ring>,
    physics: Physics,
    events: Events,
    wind: Wind,
    /// Detections not yet let in, oldest last.
    waiting: std::collections::VecDeque<Detection>,
    /// Start of the next block.
    now: f64,
    air_until: f64,
    swept: f64,
    released: u32,
    s: Scratch,
    deal: Deal,
    anchors: std::collections::VecDeque<(f64, u32, u32)>,
    leftover: std::collections::VecDeque<(f64, u32, u32)>,
    /// Searches made, for the summary.
    pub searches: u64,
    rejected: Vec<Rejected>,
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
    /// An engine for a network.
    pub fn new(stations: &[Station], met: &[MetNode], outages: &[Outage], model: &Model) -> Self {
        let net = Network::new(stations, met, outages, model);
        Self {
            rings: vec![Ring::default(); net.len()],
            net,
            physics: Physics::new(model),
            events: Events::default(),
            wind: Wind::new(model),
            waiting: std::collections::VecDeque::new(),
            now: f64::NEG_INFINITY,
            air_until: f64::NEG_INFINITY,
            swept: f64::NEG_INFINITY,
            released: 0,
            s: Scratch::default(),
            deal: Deal::default(),
            anchors: std::collections::VecDeque::new(),
            leftover: std::collections::VecDeque::new(),
            searches: 0,
            rejected: Vec::new(),
        }
    }

    /// Takes detections in, in order of time.
    pub fn push(&mut self, detections: &[Detection]) {
        self.waiting.extend(detections.iter().copied());
    }

    /// Works on all blocks that are complete once everything up to a moment of
    /// the record is in, and returns the events that became final.
    pub fn advance(&mut self, watermark: f64) -> Vec<Event> {
        let mut out = Vec::new();
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
            if end + AHEAD_S >= watermark {
                break;
            }
            self.block(end, &mut out);
            self.now = end;
        }
        out
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
        let horizon = end + AHEAD_S;
        if end > self.air_until {
            let wind = &self.wind;
            let t = end;
            self.net.set_air(t, |x, y| wind.correction(x, y));
            self.air_until = end + AIR_S;
        }
        self.let_in(horizon);
        let mut block = Vec::new();
        while self.anchors.front().is_some_and(|a| a.0 < end) {
            block.extend(self.anchors.pop_front());
        }
        self.find(&block, horizon, P1);
        self.find(&block, horizon, P2);
        self.improve(end, horizon, &block, P2);
        self.leftover.extend(block.drain(..));
        while self.leftover.front().is_some_and(|a| a.0 < end - WEAK_S) {
            block.extend(self.leftover.pop_front());
        }
        self.find(&block, horizon, P3);
        self.improve(end, horizon, &block, f64::INFINITY);
        self.release(end, horizon, out);
        if end > self.swept + 60.0 {
            self.forget(end);
        }
    }

    fn let_in(&mut self, horizon: f64) {
        while self.waiting.front().is_some_and(|d| d.t_s <= horizon) {
            let Some(d) = self.waiting.pop_front() else { break };
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
            self.net.hear(d.station, f64::from(d.amp_db - d.snr_db));
            let snr = f64::from(d.snr_db);
            let pick = Pick {
                sigma: self.physics.pick_sigma(snr) as f32,
                amp: d.amp_db,
                snr: d.snr_db,
                gain: self.physics.pick_gain(snr) as f32,
                baz: d.baz_deg,
                baz_sigma: d.baz_sigma_deg,
                row: d.row,
            };
            let ring = &mut self.rings[d.station as usize];
            ring.push(d.t_s, pick);
            self.anchors.push_back((d.t_s, d.station, ring.position(ring.t.len() - 1)));
        }
    }

    /// Births: candidates of all free anchors, accepted best first.
    fn find(&mut self, block: &[(f64, u32, u32)], horizon: f64, strict: f64) {
        let mut failed = vec![false; block.len()];
        for _ in 0..ROUNDS {
            let mut candidates: Vec<Candidate> = Vec::new();
            let mut covered: Vec<(u32, u32)> = Vec::new();
            for (i, &(_, station, position)) in block.iter().enumerate() {
                let ring = &self.rings[station as usize];
                let index = ring.index(position);
                if failed[i] || ring.owner[index] != FREE || covered.contains(&(station, position))
                {
                    continue;
                }
                let view = View {
                    net: &self.net,
                    rings: &self.rings,
                    physics: &self.physics,
                    horizon,
                    me: FREE - 1,
                };
                self.searches += 1;
                match search(&view, &self.events, station, index, &mut self.s) {
                    Some(found) if !found.weighed.clear(strict) => {}
                    Some(found) => {
                        covered.extend(found.hits.iter().map(|h| (h.station, h.position)));
                        candidates.push(found);
                    }
                    None => failed[i] = true,
                }
            }
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
                    parents.extend(births::volley(
                        &self.net,
                        &mut self.rings,
                        &self.physics,
                        &mut self.events,
                        horizon,
                        parent,
                        strict,
                        &mut self.s,
                    ));
                }
            }
            if !accepted {
                break;
            }
        }
    }

    fn active(&self, end: f64) -> Vec<u32> {
        self.events
            .ids()
            .filter(|id| {
                let e = self.events.get(*id);
                e.alive && !e.done && e.loc.t < end + 20.0
            })
            .collect()
    }

    fn improve(&mut self, end: f64, horizon: f64, block: &[(f64, u32, u32)], strict: f64) {
        for round in 0..3 {
            let active = self.active(end);
            if active.is_empty() {
                return;
            }
            let changed = moves::sweep(
                &self.net,
                &mut self.rings,
                &self.physics,
                &mut self.events,
                horizon,
                &active,
                &mut self.s,
                &mut self.deal,
            );
            if !changed {
                break;
            }
            if round == 0 {
                self.find(block, horizon, strict);
            }
        }
    }

    fn release(&mut self, end: f64, horizon: f64, out: &mut Vec<Event>) {
        let mut ids: Vec<u32> = self
            .events
            .ids()
            .filter(|id| {
                let e = self.events.get(*id);
                e.alive && !e.done && e.loc.t < end - FINAL_S
            })
            .collect();
        ids.sort_by(|a, b| {
            self.events.get(*a).loc.t.total_cmp(&self.events.get(*b).loc.t).then(a.cmp(b))
        });
        for id in ids {
            let event = self.finalise(id, horizon);
            self.events.get_mut(id).done = true;
            out.push(event);
        }
    }

    fn finalise(&mut self, id: u32, horizon: f64) -> Event {
        let fix = {
            let view = View {
                net: &self.net,
                rings: &self.rings,
                physics: &self.physics,
                horizon,
                me: id,
            };
            locate::fix(&view, self.events.get(id), &self.wind)
        };
        let e = self.events.get(id);
        let mut crowd = 0.0;
        let mut rows = Vec::new();
        {
            let view = View {
                net: &self.net,
                rings: &self.rings,
                physics: &self.physics,
                horizon,
                me: id,
            };
            for h in &e.hits {
                let ring = &self.rings[h.station as usize];
                let index = ring.index(h.position);
                crowd +=
                    view.ln_crowd(h.station, index) - self.net.habit[h.station as usize].ln_false;
                rows.push(ring.picks[index].row);
            }
        }
        let hits = e.hits.len() as f64;
        let w = e.weighed;
        let features = Features::new(
            w.score,
            hits,
            w.chi2,
            w.expected,
            crowd / hits.max(1.0),
            -10.0 * w.silence / hits,
        );
        let probability = self.physics.model.calibration.probability(&features);
        if probability > 0.8 && hits >= 6.0 {
            for (station, residual, var) in &fix.residuals {
                self.net.tick(*station, *residual, *var);
            }
            if hits >= 8.0 {
                self.wind.learn(fix.loc.x, fix.loc.y, fix.loc.t, &fix);
            }
        }
        let (lat, lon) = self.net.plane.inverse(fix.loc.x, fix.loc.y);
        self.released += 1;
        let inflation = self.physics.model.inflation;
        Event {
            number: self.released,
            t_s: fix.loc.t,
            lat,
            lon,
            probability,
            covariance: fix.covariance.map(|c| c * inflation),
            var_t: fix.var_t * inflation,
            level_db: w.level,
            evidence: w.score,
            rows,
            features,
            t_emit: horizon,
        }
    }

    fn forget(&mut self, end: f64) {
        self.swept = end;
        let old = end - KEEP_S;
        self.events.forget(old);
        let net = &mut self.net;
        let hours = 60.0 / 3600.0;
        for (k, ring) in self.rings.iter_mut().enumerate() {
            let mut alarms = 0.0;
            ring.forget(old, |_, _, owner| alarms += f64::from(u8::from(owner == FREE)));
            net.count_false(k as u32, alarms, hours);
        }
    }
}
