//! The engine of picks, block of time after block of time. A block knows all that
//! its sources can be picked by; sources later than it are sought as well, so that
//! they compete for picks, and are given up again until their own block.

use std::collections::VecDeque;

use crate::account::Account;
use crate::blocks::Blocks;
use crate::engine::Rejected;
use crate::input::{Outage, Station};
use crate::model::Calibration;
use crate::stream::Wait;
use crate::travel::Table;

use super::net::{Net, Physics, RATE_S, Store};
use super::search::Scratch;
use super::weigh::{Hearing, Hit, hits_of};
use super::{Event, GONE, PhaseModel, Pick, Work, account};

/// Length of a block beside the time that is waited for, and least length, s. A
/// source later than the block is sought once for nothing.
const BLOCK: f64 = 4.0;
const BLOCK_MIN_S: f64 = 300.0;
/// A block that waits for the nearest stations only, s.
const BLOCK_NEAREST_S: f64 = 15.0;

/// Which of the events of a block is to be accounted for.
type Ask<'a> = &'a dyn Fn(&[Event]) -> Option<usize>;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Events in the order of their release: by blocks, and in each by time.
    pub events: Vec<Event>,
    /// Picks that were not used.
    pub rejected: Vec<Rejected>,
    /// Searches made.
    pub searches: u64,
    /// Why the event is believed that was asked for.
    pub account: Option<Account>,
}

/// The state between blocks.
pub struct Engine<'a> {
    work: Work<'a>,
    /// Picks not yet let in, in order of time.
    waiting: VecDeque<Pick>,
    rejected: Vec<Rejected>,
    blocks: Blocks,
    /// The waves of a source may take so long, s.
    reach_s: f64,
    released: u32,
    account: Option<Account>,
    /// Searches made, for the summary.
    pub searches: u64,
}

/// Associates the picks of a network. `progress` is told the share of the time
/// that is done, now and then; `ask` is shown the events of each block and says
/// which of them is to be accounted for.
pub fn associate(
    stations: &[Station],
    outages: &[Outage],
    table: &Table,
    picks: &[Pick],
    model: &PhaseModel,
    progress: &mut dyn FnMut(f64),
    ask: Ask<'_>,
) -> Found {
    let mut engine = Engine::new(stations, outages, table, model, Wait::Everyone);
    engine.push(picks);
    let first = engine.waiting.front().map_or(0.0, |pick| pick.t_s);
    let last = engine.waiting.back().map_or(0.0, |pick| pick.t_s);
    let mut told = |now: f64| progress(((now - first) / (last - first).max(1.0)).clamp(0.0, 1.0));
    let events = engine.run(f64::INFINITY, &mut told, ask);
    Found { events, rejected: engine.rejected, searches: engine.searches, account: engine.account }
}

impl<'a> Engine<'a> {
    /// An engine for a network.
    pub fn new(
        stations: &[Station],
        outages: &[Outage],
        table: &'a Table,
        model: &PhaseModel,
        wait: Wait,
    ) -> Self {
        let mut model = model.clone();
        model.calibration = Calibration::when(wait, &model.calibration, model.preliminary.as_ref());
        let physics = Physics::new(&model, table.deepest_km());
        let net = Net::new(stations, outages, table, &physics);
        let ahead_s = net.wait(table, &physics, wait);
        let length_s = match wait {
            Wait::Nearest => BLOCK_NEAREST_S,
            Wait::Everyone => libm::ceil((BLOCK * ahead_s).max(BLOCK_MIN_S) / 60.0) * 60.0,
        };
        Self {
            reach_s: net.wait(table, &physics, Wait::Everyone),
            blocks: Blocks::new(length_s, ahead_s),
            work: Work {
                net,
                store: Store::new(stations.len()),
                hearing: Hearing::new(&physics),
                physics,
                table,
                events: Vec::new(),
                scratch: Scratch::default(),
                searches: 0,
            },
            waiting: VecDeque::new(),
            rejected: Vec::new(),
            released: 0,
            account: None,
            searches: 0,
        }
    }

    /// Takes picks in; none may be earlier than what was worked on.
    pub fn push(&mut self, picks: &[Pick]) {
        for pick in picks {
            if pick.t_s.is_finite() {
                self.waiting.push_back(*pick);
            } else {
                let reason = "the time is not a finite number";
                self.rejected.push(Rejected { row: pick.row, field: "t_s", reason });
            }
        }
        if !picks.is_empty() {
            self.waiting.make_contiguous().sort_by(|a, b| {
                let order = a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station));
                order.then(a.phase.cmp(&b.phase)).then(a.row.cmp(&b.row))
            });
        }
    }

    /// Works on all blocks that are complete once everything up to a moment of
    /// the record is in, and returns the events that became final.
    pub fn advance(&mut self, watermark: f64) -> Vec<Event> {
        self.run(watermark, &mut |_| (), &|_| None)
    }

    /// All events before this moment are out.
    pub fn settled_to(&self) -> f64 {
        self.blocks.settled_to(self.next(), self.reach_s)
    }

    /// Picks not used since this was last asked.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Rows before this one will not be spoken of again.
    pub fn oldest_row(&self) -> u32 {
        let held = self.work.store.row.iter().flatten().copied().min();
        held.into_iter().chain(self.waiting.iter().map(|pick| pick.row)).min().unwrap_or(0)
    }

    /// Time of the next pick, in the store or waiting; infinity if there is none.
    fn next(&self) -> f64 {
        let all = &self.work.store.all;
        let held = all.get(all.partition_point(|pick| pick.0 < self.blocks.now)).map(|pick| pick.0);
        let waiting = self.waiting.front().map(|pick| pick.t_s);
        held.into_iter().chain(waiting).fold(f64::INFINITY, f64::min)
    }

    fn run(&mut self, watermark: f64, told: &mut dyn FnMut(f64), ask: Ask<'_>) -> Vec<Event> {
        self.blocks.let_in_to(watermark);
        let mut out = Vec::new();
        while let Some(end) = self.blocks.next(self.next()) {
            self.block(end, ask, &mut out);
            self.blocks.now = end;
            told(end);
        }
        self.searches = self.work.searches;
        out
    }

    fn block(&mut self, end: f64, ask: Ask<'_>, out: &mut Vec<Event>) {
        self.forget();
        let known = self.work.store.heard_to;
        self.let_in(end + self.blocks.ahead_s);
        let work = &mut self.work;
        work.hold_more(self.blocks.now - self.reach_s, known);
        let from = work.store.all.partition_point(|pick| pick.0 < self.blocks.now);
        let anchors: Vec<u32> = (from as u32..work.store.all.len() as u32).collect();
        work.births(&anchors);
        work.improve();
        let order = work.in_time();
        let is_ready = |id: u32| {
            let event = &work.events[id as usize];
            !event.done && event.candidate.place.t < end
        };
        let ready: Vec<usize> = (0..order.len()).filter(|at| is_ready(order[*at])).collect();
        let events: Vec<Event> = (self.released..)
            .zip(&ready)
            .map(|(number, at)| work.event(&order, *at, number))
            .collect();
        if self.account.is_none()
            && let Some(asked) = ask(&events).filter(|asked| *asked < events.len())
        {
            let event = &events[asked];
            let (number, probability) = (event.number, event.probability);
            self.account = Some(account::of(work, &order, ready[asked], number, probability));
        }
        self.released += events.len() as u32;
        out.extend(events);
        for at in ready {
            work.events[order[at] as usize].done = true;
        }
        work.give_up();
    }

    fn let_in(&mut self, horizon: f64) {
        while self.waiting.front().is_some_and(|pick| pick.t_s <= horizon) {
            let Some(pick) = self.waiting.pop_front() else { break };
            if let Err((field, reason)) = self.work.store.add(&pick) {
                self.rejected.push(Rejected { row: pick.row, field, reason });
            }
        }
        self.work.store.heard_to(horizon, &self.work.physics.model);
    }

    /// Drops picks that no source to come can have, nor tell how busy a station is.
    fn forget(&mut self) {
        let before = self.blocks.now - self.reach_s - RATE_S;
        let work = &mut self.work;
        let is_old = |hit: &Hit| work.store.t[hit.channel as usize][hit.index as usize] < before;
        let old: Vec<bool> =
            work.events.iter().map(|event| event.candidate.hits.iter().any(is_old)).collect();
        for (event, _) in work.events.clone().iter().zip(&old).filter(|(_, old)| **old) {
            work.own(&event.candidate.hits, GONE);
        }
        let mut old = old.into_iter();
        work.events.retain(|_| !old.next().unwrap_or(false));
        let lost = work.store.forget(before);
        for id in 0..work.events.len() {
            for hit in &mut work.events[id].candidate.hits {
                hit.index -= lost[hit.channel as usize];
            }
            work.take(id as u32);
        }
    }
}

impl Work<'_> {
    /// Events that are out, from a moment on, hold what came in of them since: far
    /// stations were not waited for.
    fn hold_more(&mut self, from: f64, since: f64) {
        let (mut reached, mut more) = (Vec::new(), Vec::new());
        for id in 0..self.events.len() as u32 {
            let candidate = &self.events[id as usize].candidate;
            if candidate.place.t < from {
                continue;
            }
            let view = self.view(id);
            view.listen(&candidate.place, &view.net.everyone, &mut reached);
            view.weigh(&mut reached, 0.0);
            hits_of(&reached, &mut more);
            more.retain(|hit| {
                let t = view.store.t[hit.channel as usize][hit.index as usize];
                t > since && view.store.is_free(hit.channel, hit.index)
            });
            self.own(&more, id);
            self.events[id as usize].candidate.hits.append(&mut more);
        }
    }

    /// Sources that are not out are sought anew in their own block.
    fn give_up(&mut self) {
        for id in 0..self.events.len() as u32 {
            if !self.events[id as usize].done {
                self.let_go(id);
            }
        }
        self.events.retain(|event| event.done);
        for id in 0..self.events.len() as u32 {
            self.take(id);
        }
    }
}
