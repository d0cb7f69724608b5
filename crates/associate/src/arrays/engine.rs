//! The engine of arrays, block of time after block of time. A block knows all that
//! its sources can be heard of; sources later than it are sought as well, so that
//! they compete for detections, and are given up again until their own block.

use std::collections::VecDeque;

use crate::account::Account;
use crate::blocks::Blocks;
use crate::engine::Rejected;
use crate::input::{Outage, Station};
use crate::model::Calibration;
use crate::stream::Wait;

use super::source::{Array, BUSY_S, CELERITY, FARTHEST_KM, Source, arrays, listen};
use super::sphere::Spot;
use super::{
    ArrayDetection, ArrayEvent, ArrayModel, Candidate, account, candidate, features, heard_at,
    unusable,
};

/// Length of a block, s, by whom is waited for.
const BLOCK_S: f64 = 7_200.0;
const BLOCK_NEAREST_S: f64 = 300.0;
/// Sound goes from array to array at so much, km/s, when only the nearest is waited for.
const NEAREST_CELERITY: f64 = 0.28;
/// No source begins longer before a detection, s.
const REACH_S: f64 = FARTHEST_KM / CELERITY.0;

/// Which of the events of a block is to be accounted for.
type Ask<'a> = &'a dyn Fn(&[ArrayEvent]) -> Option<usize>;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Events in the order of their release: by blocks, and in each by time.
    pub events: Vec<ArrayEvent>,
    /// Detections that were not used.
    pub rejected: Vec<Rejected>,
    /// Searches made.
    pub searches: u64,
    /// Why the event is believed that was asked for.
    pub account: Option<Account>,
}

/// The state between blocks.
pub struct Engine {
    stations: Vec<Station>,
    outages: Vec<Outage>,
    model: ArrayModel,
    /// Detections at work, in order of time, and whether an event has them.
    held: Vec<ArrayDetection>,
    taken: Vec<bool>,
    /// Sources that are out and may still be heard of.
    out: Vec<Source>,
    /// Everything up to here has been let in, s.
    heard_to: f64,
    /// Detections not yet let in, in order of time.
    waiting: VecDeque<ArrayDetection>,
    rejected: Vec<Rejected>,
    blocks: Blocks,
    released: u32,
    account: Option<Account>,
    /// Searches made, for the summary.
    pub searches: u64,
}

/// Associates the detections of arrays. An array that has none was silent,
/// unless it was down. `ask` is shown the events of each block and says which of
/// them is to be accounted for.
pub fn associate(
    stations: &[Station],
    outages: &[Outage],
    detections: &[ArrayDetection],
    model: &ArrayModel,
    ask: Ask<'_>,
) -> Found {
    let mut engine = Engine::new(stations, outages, model, Wait::Everyone);
    engine.push(detections);
    let events = engine.run(f64::INFINITY, ask);
    let Engine { rejected, searches, account, .. } = engine;
    Found { events, rejected, searches, account }
}

/// How long sound takes between the array that is most alone and its nearest, s.
fn nearest_s(stations: &[Station]) -> f64 {
    let spots: Vec<Spot> = stations.iter().map(|s| Spot { lat: s.lat, lon: s.lon }).collect();
    let nearest = |a: usize| {
        let others = (0..spots.len()).filter(|b| *b != a).map(|b| spots[a].way(spots[b]).0);
        others.fold(f64::INFINITY, f64::min)
    };
    let most = (0..spots.len()).map(nearest).filter(|km| *km <= FARTHEST_KM).fold(0.0, f64::max);
    most / NEAREST_CELERITY
}

impl Engine {
    /// An engine for arrays.
    pub fn new(stations: &[Station], outages: &[Outage], model: &ArrayModel, wait: Wait) -> Self {
        let (block_s, ahead_s) = match wait {
            Wait::Nearest => (BLOCK_NEAREST_S, nearest_s(stations)),
            Wait::Everyone => (BLOCK_S, REACH_S),
        };
        let mut model = model.clone();
        model.calibration = Calibration::when(wait, &model.calibration, model.preliminary.as_ref());
        Self {
            stations: stations.to_vec(),
            outages: outages.to_vec(),
            model,
            held: Vec::new(),
            taken: Vec::new(),
            out: Vec::new(),
            heard_to: f64::INFINITY,
            waiting: VecDeque::new(),
            rejected: Vec::new(),
            blocks: Blocks::new(block_s, ahead_s),
            released: 0,
            account: None,
            searches: 0,
        }
    }

    /// Takes detections in; none may be earlier than what was worked on.
    pub fn push(&mut self, detections: &[ArrayDetection]) {
        for d in detections {
            match unusable(&self.stations, d) {
                Some((field, reason)) => {
                    self.rejected.push(Rejected { row: d.row, field, reason });
                }
                None => self.waiting.push_back(*d),
            }
        }
        if !detections.is_empty() {
            self.waiting.make_contiguous().sort_by(|a, b| {
                let order = a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station));
                order.then(a.azimuth_deg.total_cmp(&b.azimuth_deg)).then(a.row.cmp(&b.row))
            });
        }
    }

    /// Works on all blocks that are complete once everything up to a moment of
    /// the record is in, and returns the events that became final.
    pub fn advance(&mut self, watermark: f64) -> Vec<ArrayEvent> {
        self.run(watermark, &|_| None)
    }

    /// All events before this moment are out.
    pub fn settled_to(&self) -> f64 {
        self.blocks.settled_to(self.next(), REACH_S)
    }

    /// Detections not used since this was last asked.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    /// Rows before this one will not be spoken of again.
    pub fn oldest_row(&self) -> u32 {
        self.held.iter().chain(&self.waiting).map(|d| d.row).min().unwrap_or(0)
    }

    /// Time of the next detection, held or waiting; infinity if there is none.
    fn next(&self) -> f64 {
        let held = self.held.get(self.held.partition_point(|d| d.t_s < self.blocks.now));
        held.into_iter().chain(self.waiting.front()).map(|d| d.t_s).fold(f64::INFINITY, f64::min)
    }

    fn run(&mut self, watermark: f64, ask: Ask<'_>) -> Vec<ArrayEvent> {
        self.blocks.let_in_to(watermark);
        let mut out = Vec::new();
        while let Some(end) = self.blocks.next(self.next()) {
            self.block(end, ask, &mut out);
            self.blocks.now = end;
        }
        out
    }

    fn block(&mut self, end: f64, ask: Ask<'_>, out: &mut Vec<ArrayEvent>) {
        let horizon = end + self.blocks.ahead_s;
        let old = self.held.partition_point(|d| d.t_s < self.blocks.now - REACH_S - BUSY_S);
        self.held.drain(..old);
        self.taken.drain(..old);
        while let Some(d) = self.waiting.pop_front_if(|d| d.t_s <= horizon) {
            self.held.push(d);
            self.taken.push(false);
        }
        let arrays = arrays(&self.stations, &self.outages, &self.held, horizon);
        self.hold_more(&arrays);
        self.heard_to = horizon;
        let sources = self.sources(&arrays);
        let ready: Vec<usize> =
            (0..sources.len()).filter(|at| sources[*at].source.t < end).collect();
        let events: Vec<ArrayEvent> = (self.released..)
            .zip(&ready)
            .map(|(number, at)| self.event(&arrays, &sources[*at], number))
            .collect();
        if self.account.is_none()
            && let Some(asked) = ask(&events).filter(|asked| *asked < events.len())
        {
            let number = events[asked].number;
            self.account =
                Some(account::of(&self.model, &arrays, &self.held, &sources, ready[asked], number));
        }
        self.released += events.len() as u32;
        out.extend(events);
        for at in ready {
            self.out.push(sources[at].source);
            for hit in &sources[at].hits {
                self.taken[*hit] = true;
            }
        }
    }

    /// Sources that are out hold what came in of them since: far arrays were not
    /// waited for.
    fn hold_more(&mut self, arrays: &[Array]) {
        let from = self.blocks.now - REACH_S;
        self.out.retain(|source| source.t >= from);
        for source in &self.out {
            for array in arrays {
                let way = array.spot.way(source.spot);
                let word = listen(array, &self.taken, source, way, &mut Vec::new());
                for (hit, _) in word.hits {
                    self.taken[hit] |= self.held[hit].t_s > self.heard_to;
                }
            }
        }
    }

    /// Sources of free detections, the best taken first, in order of time.
    fn sources(&mut self, arrays: &[Array]) -> Vec<Candidate> {
        let mut taken = self.taken.clone();
        // By array and time, so that the order of rows does not matter.
        let mut rank = vec![0_usize; self.held.len()];
        let order = arrays.iter().flat_map(|array| array.heard.iter().map(|heard| heard.index));
        order.enumerate().for_each(|(at, index)| rank[index] = at);
        let from = self.held.partition_point(|d| d.t_s < self.blocks.now);
        let anchors = from..self.held.len();
        let mut queue = Vec::new();
        for anchor in anchors.filter(|anchor| !self.taken[*anchor]) {
            self.searches += 1;
            queue.extend(candidate(arrays, &self.held, &taken, anchor));
        }
        let mut sources: Vec<Candidate> = Vec::new();
        loop {
            queue.sort_by(|a, b| {
                a.score.total_cmp(&b.score).then(rank[b.anchor].cmp(&rank[a.anchor]))
            });
            let Some(best) = queue.pop() else { break };
            if best.hits.iter().any(|hit| taken[*hit]) {
                if !taken[best.anchor] {
                    self.searches += 1;
                    queue.extend(candidate(arrays, &self.held, &taken, best.anchor));
                }
                continue;
            }
            for hit in &best.hits {
                taken[*hit] = true;
            }
            sources.push(best);
        }
        sources.sort_by(|a, b| a.source.t.total_cmp(&b.source.t).then(a.score.total_cmp(&b.score)));
        sources
    }

    fn event(&self, arrays: &[Array], c: &Candidate, number: u32) -> ArrayEvent {
        let mut hits = c.hits.clone();
        // Held in order of time.
        hits.sort_unstable();
        let features = features(arrays, &c.hits, c.score, c.covariance);
        let inflation = self.model.inflation;
        ArrayEvent {
            number,
            t_s: c.source.t,
            lat: c.source.spot.lat,
            lon: c.source.spot.lon,
            probability: self.model.calibration.probability(&features),
            evidence: c.score,
            covariance: c.covariance.map(|c| c * inflation),
            var_t: c.var_t * inflation,
            arrays: heard_at(arrays, &c.hits),
            rows: hits.iter().map(|hit| self.held[*hit].row).collect(),
            features,
        }
    }
}
