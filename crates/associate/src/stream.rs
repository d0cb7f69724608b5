//! Events while the record is still coming in: first soon, then final, then
//! revised as what came late is worked in. Nothing here looks at a clock: what
//! is released when follows from the order of the record alone.
//!
//! The same engine goes over the record three times, each time waiting longer.
//! The last pass waits an hour, and so ends where an engine ends that gets
//! everything in order. An event keeps its id from its first release on; a
//! release is never changed, only followed by another.

use std::collections::BTreeMap;

use crate::arrays::{self, ArrayDetection, ArrayEvent, ArrayModel};
use crate::engine::{Engine, Event, Pace, Rejected};
use crate::globe::{self, Arrival, Curve, GlobeEvent, Performance, Window};
use crate::input::{Detection, MetNode, Outage, Station};
use crate::model::Model;
use crate::phases::{self, PhaseModel, Pick};
use crate::travel::Table;

/// Detections are waited for so long after the newest of the record, s: all but
/// one in a hundred come sooner.
const LAG_S: f64 = 20.0;
/// The last pass waits so long, s.
const SETTLED_LAG_S: f64 = 3_700.0;
/// The passes are advanced on this raster of the times of reception, s.
const STEP_S: f64 = 5.0;
/// A preliminary event is released from this probability on.
pub const WORTH: f64 = 0.5;
/// A change of probability that is worth a release.
pub const CHANGE_PROBABILITY: f64 = 0.02;
/// A change of the size of the ellipse, as a share, that is.
pub const CHANGE_ELLIPSE: f64 = 0.1;

/// Whom an engine waits for before an event is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The nearest stations, as a preliminary pass does.
    Nearest,
    /// Every station in reach.
    Everyone,
}

impl Wait {
    const BOTH: [Self; 2] = [Self::Nearest, Self::Everyone];
}

/// One arrival, of whatever waves.
pub trait Heard: Copy {
    /// Time, seconds since the zero of the set.
    fn t_s(&self) -> f64;
    /// Index of the station.
    fn station(&self) -> u32;
    /// Number of the row it came from.
    fn row(&self) -> u32;
}

/// An event that an engine finds.
pub trait Found: Clone {
    /// Origin time, seconds since the zero of the set.
    fn t_s(&self) -> f64;
    /// Rows of the detections that belong to it.
    fn rows(&self) -> &[u32];
    /// Calibrated probability that it is real.
    fn probability(&self) -> f64;
    /// States another probability.
    fn set_probability(&mut self, probability: f64);
    /// Covariance of place, m^2: east-east, east-north, north-north.
    fn covariance(&self) -> [f64; 3];
}

/// An engine that is given the detections of a network in order of time.
pub trait Associator {
    /// What it is given.
    type Heard: Heard;
    /// What it finds.
    type Found: Found;
    /// An event may move in time by so much from pass to pass, s.
    const SHIFT_S: f64;

    /// Takes detections in, in order of time.
    fn push(&mut self, heard: &[Self::Heard]);
    /// Works as far as it may once everything up to a moment is in: infinity is
    /// the end of the record. Returns the events that became final.
    fn advance(&mut self, watermark: f64) -> Vec<Self::Found>;
    /// All events before this moment are out.
    fn settled_to(&self) -> f64;
    /// Detections not used since this was last asked.
    fn take_rejected(&mut self) -> Vec<Rejected>;
    /// Rows before this one will not be spoken of again.
    fn oldest_row(&self) -> u32;
    /// Searches made.
    fn searches(&self) -> u64;
}

/// What a release is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Some 15 s after the arrivals; far stations have not been waited for.
    Preliminary,
    /// All stations were waited for.
    Final,
    /// The n-th change since: what came late is in it.
    Revised(u32),
    /// Nothing of it stands: later data explain its detections otherwise.
    Withdrawn,
}

impl Grade {
    /// Short code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preliminary => "preliminary",
            Self::Final => "final",
            Self::Revised(_) => "revised",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A release of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Release<F = Event> {
    /// Id of the event, the same in all its releases.
    pub id: u32,
    /// What this release is.
    pub grade: Grade,
    /// Time of reception, seconds since the zero of the set, up to which the
    /// record was known.
    pub known_s: f64,
    /// The event as it is believed now; for a withdrawn one as it was last
    /// released, with probability 0.
    pub event: F,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct Output<F = Event> {
    /// Releases, in order.
    pub releases: Vec<Release<F>>,
    /// Events as the last pass left them, in its order and with its numbers.
    pub settled: Vec<F>,
}

impl<F> Default for Output<F> {
    fn default() -> Self {
        Self { releases: Vec::new(), settled: Vec::new() }
    }
}

/// One pass of an engine over the record.
struct Pass<A: Associator> {
    engine: Box<A>,
    lag_s: f64,
    /// Detections that came and are not yet fed, by time in microseconds.
    waiting: BTreeMap<(i64, u32, u32), A::Heard>,
    /// Everything up to here has been fed.
    fed_s: f64,
}

/// An event that was released.
struct Known<F> {
    event: F,
    /// Passes that found it.
    found: [bool; 3],
    revisions: u32,
    withdrawn: bool,
}

/// Associates a record in the order of its reception.
pub struct Stream<A: Associator = Engine> {
    /// Preliminary, final and settled.
    passes: Vec<Pass<A>>,
    known: BTreeMap<u32, Known<A::Found>>,
    /// Probability of a preliminary event from what its engine says of it, unless
    /// the engine knows how little it has waited for.
    discounted: Option<Box<dyn Fn(f64) -> f64>>,
    /// Event that a detection was last released with.
    home: BTreeMap<u32, u32>,
    next: u32,
    stepped_s: f64,
    received_s: f64,
    late: [u64; 3],
    turned_away: Vec<Rejected>,
}

impl<A: Associator> Pass<A> {
    fn new(engine: A, lag_s: f64) -> Self {
        let (engine, fed_s) = (Box::new(engine), f64::NEG_INFINITY);
        Self { engine, lag_s, waiting: BTreeMap::new(), fed_s }
    }

    /// Takes a detection in; false if the pass has gone by.
    fn take(&mut self, d: A::Heard) -> bool {
        let in_time = d.t_s() > self.fed_s;
        if in_time {
            self.waiting.insert((libm::round(d.t_s() * 1e6) as i64, d.station(), d.row()), d);
        }
        in_time
    }

    fn advance(&mut self, received_s: f64) -> Vec<A::Found> {
        let watermark = received_s - self.lag_s;
        self.fed_s = self.fed_s.max(watermark);
        let mut fed = Vec::new();
        while let Some(first) = self.waiting.first_entry() {
            if first.get().t_s() > watermark {
                break;
            }
            fed.push(first.remove());
        }
        self.engine.push(&fed);
        self.engine.advance(watermark)
    }
}

impl Stream {
    /// A stream for a network of sound.
    pub fn new(stations: &[Station], met: &[MetNode], outages: &[Outage], model: &Model) -> Self {
        let engine = |pace| Engine::with_pace(stations, met, outages, model, pace);
        let model = model.clone();
        let stream = Self::of(engine, [Pace::PRELIMINARY, Pace::FINAL]);
        Self { discounted: Some(Box::new(move |p| model.discounted(p))), ..stream }
    }
}

impl<'a> Stream<phases::Engine<'a>> {
    /// A stream for a network that picks P and S.
    pub fn of_picks(
        stations: &[Station],
        outages: &[Outage],
        table: &'a Table,
        model: &PhaseModel,
    ) -> Self {
        let engine = |wait| phases::Engine::new(stations, outages, table, model, wait);
        Self::of(engine, Wait::BOTH)
    }
}

impl Stream<arrays::Engine> {
    /// A stream for arrays of infrasound.
    pub fn of_arrays(stations: &[Station], outages: &[Outage], model: &ArrayModel) -> Self {
        let engine = |wait| arrays::Engine::new(stations, outages, model, wait);
        Self::of(engine, Wait::BOTH)
    }
}

impl Stream<globe::Engine> {
    /// A stream for a global network of arrays.
    pub fn of_globe(
        stations: &[Station],
        outages: &[Outage],
        curve: &Curve,
        windows: &[Window],
        performance: &Performance,
    ) -> Self {
        let engine =
            |wait| globe::Engine::new(stations, outages, curve, windows, performance, wait);
        Self::of(engine, Wait::BOTH)
    }
}

impl<A: Associator> Stream<A> {
    /// A stream of engines at a preliminary and at the final pace.
    fn of<P: Copy>(engine: impl Fn(P) -> A, [preliminary, last]: [P; 2]) -> Self {
        Self {
            passes: vec![
                Pass::new(engine(preliminary), LAG_S),
                Pass::new(engine(last), LAG_S),
                Pass::new(engine(last), SETTLED_LAG_S),
            ],
            known: BTreeMap::new(),
            discounted: None,
            home: BTreeMap::new(),
            next: 1,
            stepped_s: f64::NEG_INFINITY,
            received_s: f64::NEG_INFINITY,
            late: [0; 3],
            turned_away: Vec::new(),
        }
    }

    /// Takes a detection in the order of reception. `received_s` is when it was
    /// received, in seconds since the zero of the set.
    pub fn push(&mut self, received_s: f64, detection: A::Heard, out: &mut Output<A::Found>) {
        // The record goes by before the detection that brings it further is in.
        self.beat(received_s, out);
        for (pass, late) in self.passes.iter_mut().zip(&mut self.late) {
            *late += u64::from(!pass.take(detection));
        }
        if detection.t_s() <= self.passes[2].fed_s {
            let reason = "received more than an hour late: no pass was left to take it";
            self.turned_away.push(Rejected { row: detection.row(), field: "recv", reason });
        }
    }

    /// Anything else that was received, such as a heartbeat, tells how far the
    /// record is.
    pub fn beat(&mut self, received_s: f64, out: &mut Output<A::Found>) {
        self.received_s = self.received_s.max(received_s);
        let step = libm::floor(self.received_s / STEP_S) * STEP_S;
        if step > self.stepped_s {
            self.stepped_s = step;
            self.step(step, out);
        }
    }

    /// Works on everything that is left.
    pub fn finish(&mut self, out: &mut Output<A::Found>) {
        self.step(f64::INFINITY, out);
    }

    /// Detections that came too late for the preliminary and final pass, and
    /// for the last.
    pub const fn late(&self) -> [u64; 3] {
        self.late
    }

    /// Detections that the last pass could not use, since this was last asked.
    pub fn take_rejected(&mut self) -> Vec<Rejected> {
        let mut rejected = self.passes[2].engine.take_rejected();
        rejected.append(&mut self.turned_away);
        rejected
    }

    /// Searches made by all passes.
    pub fn searches(&self) -> u64 {
        self.passes.iter().map(|pass| pass.engine.searches()).sum()
    }

    /// Rows before this one will not be spoken of again.
    pub fn oldest_row(&self) -> u32 {
        let home = self.home.first_key_value().map(|(row, _)| *row);
        let waiting = self.passes[2].waiting.values().map(Heard::row).min();
        let passes = self.passes.iter().map(|p| p.engine.oldest_row()).min();
        home.into_iter().chain(waiting).chain(passes).min().unwrap_or(0)
    }

    fn step(&mut self, received_s: f64, out: &mut Output<A::Found>) {
        let known_s = if received_s == f64::INFINITY { self.received_s } else { received_s };
        for pass in 0..self.passes.len() {
            for mut event in self.passes[pass].advance(received_s) {
                if pass == 0 {
                    if let Some(discounted) = &self.discounted {
                        event.set_probability(discounted(event.probability()));
                    }
                    if event.probability() < WORTH {
                        continue;
                    }
                }
                if pass == 2 {
                    out.settled.push(event.clone());
                }
                self.found(pass, event, known_s, &mut out.releases);
            }
            let to = match received_s {
                f64::INFINITY => f64::INFINITY,
                _ => self.passes[pass].engine.settled_to() - A::SHIFT_S,
            };
            self.missed(pass, to, known_s, &mut out.releases);
        }
    }

    /// The event that was released with most of these detections, unless this
    /// pass has found it already.
    fn known_as(&self, pass: usize, event: &A::Found) -> Option<u32> {
        let mut votes: BTreeMap<u32, usize> = BTreeMap::new();
        for row in event.rows() {
            if let Some(id) = self.home.get(row) {
                *votes.entry(*id).or_default() += 1;
            }
        }
        votes
            .into_iter()
            .filter(|(id, votes)| {
                let known = &self.known[id];
                let least = known.event.rows().len().min(event.rows().len());
                !known.found[pass] && 2 * votes >= least
            })
            .max_by(|(a, va), (b, vb)| va.cmp(vb).then(b.cmp(a)))
            .map(|(id, _)| id)
    }

    /// A pass has found an event.
    fn found(
        &mut self,
        pass: usize,
        event: A::Found,
        known_s: f64,
        out: &mut Vec<Release<A::Found>>,
    ) {
        let id = self.known_as(pass, &event).unwrap_or_else(|| {
            let id = self.next;
            self.next += 1;
            id
        });
        let before = self.known.remove(&id);
        let news = before.as_ref().is_none_or(|before| {
            before.withdrawn || pass < 2 || has_changed(&before.event, &event)
        });
        let mut known = before.unwrap_or(Known {
            event: event.clone(),
            found: [false; 3],
            revisions: 0,
            withdrawn: false,
        });
        for row in known.event.rows() {
            if self.home.get(row) == Some(&id) {
                self.home.remove(row);
            }
        }
        for row in event.rows() {
            self.home.insert(*row, id);
        }
        known.found[pass] = true;
        known.event = event;
        known.withdrawn = false;
        if news {
            let grade = match pass {
                0 => Grade::Preliminary,
                1 => Grade::Final,
                _ => {
                    known.revisions += 1;
                    Grade::Revised(known.revisions)
                }
            };
            out.push(Release { id, grade, known_s, event: known.event.clone() });
        }
        self.known.insert(id, known);
    }

    /// Withdraws what earlier passes found before a time and this one did not,
    /// and lets go of what no pass will come back to.
    fn missed(&mut self, pass: usize, to: f64, known_s: f64, out: &mut Vec<Release<A::Found>>) {
        let gone: Vec<u32> = self
            .known
            .iter()
            .filter(|(_, known)| known.event.t_s() < to && !known.found[pass])
            .map(|(id, _)| *id)
            .collect();
        for id in gone {
            let Some(known) = self.known.get_mut(&id) else { continue };
            // Only a pass that waits longer knows better.
            let newer = known.found[pass + 1..].iter().any(|found| *found);
            if !known.withdrawn && !newer {
                known.withdrawn = true;
                let mut event = known.event.clone();
                event.set_probability(0.0);
                out.push(Release { id, grade: Grade::Withdrawn, known_s, event });
            }
        }
        if pass == 2 {
            let home = &mut self.home;
            self.known.retain(|id, known| {
                let keep = known.event.t_s() >= to;
                if !keep {
                    known.event.rows().iter().for_each(|row| {
                        if home.get(row) == Some(id) {
                            home.remove(row);
                        }
                    });
                }
                keep
            });
        }
    }
}

/// Whether a change is worth a release.
fn has_changed<F: Found>(before: &F, after: &F) -> bool {
    let size = |e: &F| {
        let [ee, en, nn] = e.covariance();
        (ee * nn - en * en).max(0.0).sqrt().sqrt()
    };
    let (old, new) = (size(before), size(after));
    (before.probability() - after.probability()).abs() > CHANGE_PROBABILITY
        || (new - old).abs() > CHANGE_ELLIPSE * old
}

/// What every arrival has: its time, its station and its row.
macro_rules! heard {
    ($($kind:ty),*) => {$(
        impl Heard for $kind {
            fn t_s(&self) -> f64 {
                self.t_s
            }

            fn station(&self) -> u32 {
                self.station
            }

            fn row(&self) -> u32 {
                self.row
            }
        }
    )*};
}

heard!(Detection, Pick, ArrayDetection, Arrival);

/// What every event has.
macro_rules! found {
    ($($kind:ty),*) => {$(
        impl Found for $kind {
            fn t_s(&self) -> f64 {
                self.t_s
            }

            fn rows(&self) -> &[u32] {
                &self.rows
            }

            fn probability(&self) -> f64 {
                self.probability
            }

            fn set_probability(&mut self, probability: f64) {
                self.probability = probability;
            }

            fn covariance(&self) -> [f64; 3] {
                let [ee, en, nn, ..] = self.covariance;
                [ee, en, nn]
            }
        }
    )*};
}

found!(Event, phases::Event, ArrayEvent, GlobeEvent);

/// An engine whose methods are called so.
macro_rules! associator {
    ($engine:ty, $heard:ty, $found:ty, $shift_s:expr) => {
        impl Associator for $engine {
            type Heard = $heard;
            type Found = $found;
            const SHIFT_S: f64 = $shift_s;

            fn push(&mut self, heard: &[Self::Heard]) {
                <$engine>::push(self, heard);
            }

            fn advance(&mut self, watermark: f64) -> Vec<Self::Found> {
                <$engine>::advance(self, watermark)
            }

            fn settled_to(&self) -> f64 {
                <$engine>::settled_to(self)
            }

            fn take_rejected(&mut self) -> Vec<Rejected> {
                <$engine>::take_rejected(self)
            }

            fn oldest_row(&self) -> u32 {
                <$engine>::oldest_row(self)
            }

            fn searches(&self) -> u64 {
                self.searches
            }
        }
    };
}

associator!(Engine, Detection, Event, 10.0);
associator!(phases::Engine<'_>, Pick, phases::Event, 30.0);
associator!(arrays::Engine, ArrayDetection, ArrayEvent, 1_800.0);
associator!(globe::Engine, Arrival, GlobeEvent, 300.0);
