//! The engine of a global network, piece after piece of the record. A piece that
//! stands alone is worked on as it is. Where arrivals never pause, a piece ends after
//! a while: it knows all that its events can be heard of, and sources later than it
//! are sought as well, so that they compete for arrivals, and again in their own.
//!
//! Waiting for the nearest arrays only, the engine asks minute by minute what the
//! last arrivals say, and states what it had not found before.

use std::collections::{BTreeSet, VecDeque};

use crate::account::Account;
use crate::blocks::Blocks;
use crate::engine::Rejected;
use crate::input::{Outage, Station};
use crate::model::Calibration;
use crate::stream::Wait;

use super::net::Net;
use super::weigh::Heard;
use super::{Arrival, Curve, GlobeEvent, Performance, Window, account, moves, usable};

/// A stretch of the record that stands alone is this much longer than any wave
/// is on its way, s.
const ALONE_S: f64 = 120.0;
/// A stretch that is longer, and what may belong to it, is worked on in pieces, s.
const PIECE_S: f64 = 5_400.0;
/// An arrival may come so much too early, s.
const EARLY_S: f64 = 60.0;
/// Length of a block that waits for the nearest arrays only, s.
const BLOCK_NEAREST_S: f64 = 60.0;
/// Arrays that are waited for then, and from what share of the earth.
const NEAREST: (usize, f64) = (3, 0.9);
/// So many detections of one array within so many seconds are a fault of it.
pub(super) const FLOOD: (usize, f64) = (30, 10.0);

/// Which of the events of a piece is to be accounted for.
type Ask<'a> = &'a dyn Fn(&[GlobeEvent]) -> Option<usize>;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Events in the order of their release: by pieces, and in each by time.
    pub events: Vec<GlobeEvent>,
    /// Detections that were not used.
    pub rejected: Vec<Rejected>,
    /// Places that were followed down from the grid.
    pub searches: u64,
    /// Why the event is believed that was asked for.
    pub account: Option<Account>,
}

/// The state between pieces.
pub struct Engine {
    net: Net,
    /// Array of each station, if its performance is known.
    post_of: Vec<Option<usize>>,
    performance: Performance,
    wait: Wait,
    /// No wave is longer on its way, s.
    longest_s: f64,
    /// Arrivals at work, in order of time.
    held: Vec<Heard>,
    /// Arrivals not yet let in, in order of time.
    waiting: VecDeque<Heard>,
    /// Times of the last arrivals of each array.
    last: Vec<VecDeque<f64>>,
    rejected: Vec<Rejected>,
    /// Everything before is in.
    watermark: f64,
    /// How far the work is that waits for the nearest only.
    blocks: Blocks,
    /// Events before are out.
    out_to: f64,
    /// Rows that events have which are out, where the nearest only are waited for.
    owned: BTreeSet<u32>,
    released: u32,
    account: Option<Account>,
    /// Places that were followed down, for the summary.
    pub searches: u64,
}

/// Associates the detections of a global network. `tell` is told now and then what
/// share is done; `ask` is shown the events of each piece of the record and says which
/// of them is to be accounted for.
#[allow(clippy::too_many_arguments)]
pub fn associate(
    stations: &[Station],
    outages: &[Outage],
    curve: &Curve,
    windows: &[Window],
    arrivals: &[Arrival],
    performance: &Performance,
    tell: &mut dyn FnMut(f64),
    ask: Ask<'_>,
) -> Found {
    let mut engine = Engine::new(stations, outages, curve, windows, performance, Wait::Everyone);
    engine.push(arrivals);
    let first = engine.waiting.front().map_or(0.0, |heard| heard.t);
    let last = engine.waiting.back().map_or(0.0, |heard| heard.t);
    let mut told = |now: f64| tell(((now - first) / (last - first).max(1.0)).clamp(0.0, 1.0));
    let events = engine.run(f64::INFINITY, &mut told, ask);
    let Engine { rejected, searches, account, .. } = engine;
    Found { events, rejected, searches, account }
}

/// How long waves take to the third-nearest array from nearly everywhere, s.
fn nearest_s(net: &Net, longest_s: f64) -> f64 {
    let (count, share) = NEAREST;
    let to_third = |views: &[super::net::View]| {
        let mut travel: Vec<f64> = views.iter().map(|view| view.travel).collect();
        travel.sort_by(f64::total_cmp);
        travel.get(count - 1).copied().unwrap_or(longest_s)
    };
    // Cells are about equal in size.
    let mut all: Vec<f64> = net.views.chunks(net.posts.len().max(1)).map(to_third).collect();
    all.sort_by(f64::total_cmp);
    all.get((share * all.len() as f64) as usize).copied().unwrap_or(longest_s) + EARLY_S
}

impl Engine {
    /// An engine for a network.
    pub fn new(
        stations: &[Station],
        outages: &[Outage],
        curve: &Curve,
        windows: &[Window],
        performance: &Performance,
        wait: Wait,
    ) -> Self {
        let mut windows = windows.to_vec();
        windows.sort_by(|a, b| a.start_s.total_cmp(&b.start_s).then(a.end_s.total_cmp(&b.end_s)));
        let mut performance = performance.clone();
        performance.calibration =
            Calibration::when(wait, &performance.calibration, performance.preliminary.as_ref());
        let net = Net::new(stations, outages, curve, &windows, &performance);
        let named = |s: &Station| net.posts.iter().position(|post| post.own.station == s.name);
        let longest_s = curve.longest_s();
        Self {
            post_of: stations.iter().map(named).collect(),
            performance,
            wait,
            longest_s,
            held: Vec::new(),
            waiting: VecDeque::new(),
            last: vec![VecDeque::with_capacity(FLOOD.0); net.posts.len()],
            rejected: Vec::new(),
            watermark: f64::NEG_INFINITY,
            blocks: Blocks::new(BLOCK_NEAREST_S, nearest_s(&net, longest_s)),
            out_to: f64::NEG_INFINITY,
            owned: BTreeSet::new(),
            released: 0,
            account: None,
            searches: 0,
            net,
        }
    }

    /// Takes arrivals in; none may be earlier than what was worked on.
    pub fn push(&mut self, arrivals: &[Arrival]) {
        for a in arrivals {
            match usable(&self.post_of, a) {
                Ok(post) => self.waiting.push_back(Heard::new(&self.net, post, a)),
                Err(reason) => self.reject(a.row, reason),
            }
        }
        if !arrivals.is_empty() {
            // The order of rows does not matter.
            self.waiting.make_contiguous().sort_by(Heard::order);
        }
    }

    /// Works on all pieces that are complete once everything up to a moment of the
    /// record is in, and returns the events that became final.
    pub fn advance(&mut self, watermark: f64) -> Vec<GlobeEvent> {
        self.run(watermark, &mut |_| (), &|_| None)
    }

    /// All events before this moment are out.
    pub fn settled_to(&self) -> f64 {
        if self.wait == Wait::Nearest {
            return self.blocks.settled_to(self.next(), self.longest_s);
        }
        let waiting = self.waiting.front().map(|heard| heard.t);
        let next = self.held.first().map(|heard| heard.t).or(waiting);
        self.out_to.max(next.unwrap_or(self.watermark) - self.longest_s - EARLY_S)
    }

    /// Arrivals not used since this was last asked.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Rows before this one will not be spoken of again.
    pub fn oldest_row(&self) -> u32 {
        self.held.iter().chain(&self.waiting).map(|heard| heard.row).min().unwrap_or(0)
    }

    fn reject(&mut self, row: u32, reason: &'static str) {
        self.rejected.push(Rejected { row, field: "arrival", reason });
    }

    /// Time of the next arrival that was not worked on, held or waiting; infinity if
    /// there is none.
    fn next(&self) -> f64 {
        let held = self.held.get(self.held.partition_point(|heard| heard.t < self.blocks.now));
        let all = held.into_iter().chain(self.waiting.front());
        all.map(|heard| heard.t).fold(f64::INFINITY, f64::min)
    }

    /// Lets in what came up to the watermark, but for what an array cannot have told
    /// apart: a flood would take all the time there is, and says nothing.
    fn let_in(&mut self) {
        while let Some(heard) = self.waiting.pop_front_if(|heard| heard.t <= self.watermark) {
            let times = &mut self.last[heard.post];
            if times.len() == FLOOD.0 {
                if times.front().is_some_and(|t| heard.t - t < FLOOD.1) {
                    let reason = "the array gave more than 30 detections within ten seconds";
                    self.reject(heard.row, reason);
                    continue;
                }
                times.pop_front();
            }
            times.push_back(heard.t);
            self.held.push(heard);
        }
    }

    fn run(&mut self, watermark: f64, told: &mut dyn FnMut(f64), ask: Ask<'_>) -> Vec<GlobeEvent> {
        self.watermark = self.watermark.max(watermark);
        self.blocks.let_in_to(watermark);
        self.let_in();
        let mut out = Vec::new();
        match self.wait {
            Wait::Everyone => {
                while let Some((upto, end)) = self.piece() {
                    told(self.held[upto - 1].t);
                    self.work(upto, end, ask, &mut out);
                }
            }
            Wait::Nearest => {
                while let Some(end) = self.blocks.next(self.next()) {
                    self.look(end, &mut out);
                    self.blocks.now = end;
                }
            }
        }
        out
    }

    /// The next piece that is complete: how many of the arrivals that are held it
    /// has, and the end of its events.
    fn piece(&self) -> Option<(usize, f64)> {
        let first = self.held.first()?.t;
        let alone_s = self.longest_s + ALONE_S;
        let horizon = first + PIECE_S + alone_s;
        let within = self.held.partition_point(|heard| heard.t <= horizon);
        let pause = self.held[..within].windows(2).position(|two| two[1].t - two[0].t >= alone_s);
        if let Some(at) = pause {
            return Some((at + 1, f64::INFINITY));
        }
        let quiet = self.held[within - 1].t + alone_s;
        if quiet < horizon {
            return (self.watermark > quiet).then_some((within, f64::INFINITY));
        }
        (self.watermark > horizon).then_some((within, first + PIECE_S))
    }

    /// Works on a piece and lets go of it.
    fn work(&mut self, upto: usize, end: f64, ask: Ask<'_>, out: &mut Vec<GlobeEvent>) {
        let mut events = self.solve(upto);
        events.retain(|event| event.t_s < end);
        self.number(&mut events);
        if self.account.is_none()
            && let Some(event) = ask(&events).and_then(|asked| events.get(asked))
        {
            let heard = &self.held[..upto];
            self.account = account::of(&self.net, &self.post_of, heard, &self.performance, event);
        }
        if end == f64::INFINITY {
            self.held.drain(..upto);
        } else {
            let taken: BTreeSet<u32> =
                events.iter().flat_map(|event| event.rows.iter().copied()).collect();
            self.held.retain(|heard| heard.t >= end - EARLY_S && !taken.contains(&heard.row));
            self.out_to = end;
        }
        out.extend(events);
    }

    /// Looks at what came last, and states what is new up to the end of a block.
    fn look(&mut self, end: f64, out: &mut Vec<GlobeEvent>) {
        // What is older has lost arrivals.
        let from = self.blocks.now - self.longest_s;
        let old = self.held.partition_point(|heard| heard.t < from - EARLY_S);
        for heard in self.held.drain(..old) {
            self.owned.remove(&heard.row);
        }
        let upto = self.held.partition_point(|heard| heard.t <= end + self.blocks.ahead_s);
        let mut events = self.solve(upto);
        events.retain(|event| (from..end).contains(&event.t_s));
        let owned = &mut self.owned;
        events.retain(|event| {
            let known = event.rows.iter().filter(|row| owned.contains(row)).count();
            owned.extend(&event.rows);
            2 * known < event.rows.len()
        });
        self.number(&mut events);
        out.extend(events);
    }

    /// The events of the first of what is held, in order of time.
    fn solve(&mut self, upto: usize) -> Vec<GlobeEvent> {
        let solved = moves::solve(&self.net, &self.held[..upto], &self.performance);
        self.searches += solved.searches;
        let mut events = solved.events;
        events.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.rows.cmp(&b.rows)));
        events
    }

    fn number(&mut self, events: &mut [GlobeEvent]) {
        for event in events {
            event.number = self.released;
            self.released += 1;
        }
    }
}
