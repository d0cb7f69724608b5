//! The set as a stream: block by block in simulated time, so that a day of
//! eight million detections needs no more memory than its busiest minutes and
//! its events.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use chance::{Chance, Streams};
use serde::Serialize;

use crate::alarms::Alarms;
use crate::bound::Information;
use crate::deception::{self, Attack};
use crate::delivery::delay_s;
use crate::elsewhere::Other;
use crate::hearing::{Arrival, Network, Source, turned};
use crate::land::{JUMP_S_MAX, Sensor};
use crate::scenario::Scenario;
use crate::sheet;
use crate::storms::{self, Storm};
use crate::volleys::Event;
use crate::write::{Part, Sink, fixed, id, sensor, whole};

/// Length of a block, s.
const BLOCK_S: f64 = 30.0;
/// An arrival can be this much earlier than its block: pick and path noise of
/// nearby sensors, many standard deviations, s.
const EARLY_S: f64 = 3.0;

/// A value with the time it is sorted by. The smallest comes out first; equal
/// times come out in the order in which they went in.
struct Timed<T> {
    t_s: f64,
    nth: u64,
    value: T,
}

impl<T> Ord for Timed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.t_s.total_cmp(&self.t_s).then(other.nth.cmp(&self.nth))
    }
}
impl<T> PartialOrd for Timed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> PartialEq for Timed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<T> Eq for Timed<T> {}

/// A queue by time.
struct Queue<T> {
    heap: BinaryHeap<Timed<T>>,
    count: u64,
}

impl<T> Queue<T> {
    fn new() -> Self {
        Self { heap: BinaryHeap::new(), count: 0 }
    }

    fn push(&mut self, t_s: f64, value: T) {
        self.heap.push(Timed { t_s, nth: self.count, value });
        self.count += 1;
    }

    /// The next one before a time.
    fn pop_before(&mut self, t_s: f64) -> Option<(f64, T)> {
        if self.heap.peek()?.t_s >= t_s {
            return None;
        }
        self.heap.pop().map(|timed| (timed.t_s, timed.value))
    }
}

/// What was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Events.
    pub n_events: u64,
    /// Acoustic detections.
    pub n_acoustic: u64,
    /// Detections with an event behind them.
    pub n_true_arrivals: u64,
    /// Detections without.
    pub n_false: u64,
    /// Detections lost to the dead time.
    pub n_lost_dead_time: u64,
    /// Thermal pixels and reports.
    pub n_other: u64,
    /// Events with at least three arrivals.
    pub n_det_ge3: u64,
    /// Events with at least four arrivals.
    pub n_det_ge4: u64,
    /// Made-up rounds.
    pub n_attacks: u64,
}

/// What a set came to.
pub(crate) struct Made {
    /// Counts.
    pub(crate) counts: Counts,
    /// The arrivals of each event, and their information.
    pub(crate) heard: Vec<(u32, Information)>,
    /// The detections of each attack.
    pub(crate) by_attack: Vec<u32>,
    /// The detections of each storm.
    pub(crate) by_storm: Vec<u32>,
}

/// A set in the making.
pub(crate) struct Stream<'a, S: Sink> {
    scenario: &'a Scenario,
    network: Network<'a>,
    events: &'a [Event],
    attacks: &'a [Attack],
    storms: &'a [Storm],
    others: &'a [Other],
    seed: u64,
    sink: &'a mut S,
    /// Detections by true time, before the dead time.
    open: Queue<Arrival>,
    /// The last detection of each sensor, while another may come too close.
    held: Vec<Option<Arrival>>,
    /// Detections by written time.
    ready: Queue<Arrival>,
    /// Lines by time of delivery; others among them by their number.
    delivery: Queue<Line>,
    information: Vec<(u32, Information)>,
    by_attack: Vec<u32>,
    by_storm: Vec<u32>,
    delays: Chance,
    counts: Counts,
    row: String,
    assoc: String,
}

/// A line on its way.
enum Line {
    Acoustic(String),
    Other(usize),
}

impl<'a, S: Sink> Stream<'a, S> {
    /// Before the first block.
    pub(crate) fn new(
        scenario: &'a Scenario,
        network: Network<'a>,
        events: &'a [Event],
        (attacks, storms): (&'a [Attack], &'a [Storm]),
        others: &'a [Other],
        seed: u64,
        sink: &'a mut S,
    ) -> Self {
        let mut delivery = Queue::new();
        for (index, other) in others.iter().enumerate() {
            delivery.push(other.recv_s, Line::Other(index));
        }
        Self {
            scenario,
            events,
            attacks,
            storms,
            others,
            seed,
            sink,
            open: Queue::new(),
            held: vec![None; network.sensors.len()],
            ready: Queue::new(),
            delivery,
            information: vec![(0, Information::default()); events.len()],
            by_attack: vec![0; attacks.len()],
            by_storm: vec![0; storms.len()],
            delays: Chance::new(seed, "delivery"),
            counts: Counts {
                n_events: events.len() as u64,
                n_attacks: attacks.len() as u64,
                ..Counts::default()
            },
            row: String::new(),
            assoc: String::new(),
            network,
        }
    }

    /// Runs through the set.
    pub(crate) fn run(mut self) -> Result<Made, S::Error> {
        self.sink.put(Part::Detections, "det,station,t_s,amp_db,snr_db,baz_deg,baz_sigma_deg\n")?;
        self.sink.put(Part::TruthAssoc, "det,event\n")?;
        // Also when nothing is heard: an empty file is not a missing one.
        self.sink.put(Part::Stream, "")?;
        if !self.attacks.is_empty() {
            self.sink.put(Part::TruthAttackDetections, "det,attack\n")?;
        }
        let length_s = self.network.front.hours * 3600.0;
        let clock_s = self.clock_error_max_s(length_s);
        let rounds = Streams::new(self.seed, "arrivals");
        let hands = Streams::new(self.seed, "attack");
        let weather = Streams::new(self.seed, "storm");
        let mut alarms = Alarms::new(self.network.sensors, self.seed);
        let mut replays: Vec<(usize, u32, f64)> = (0u32..)
            .zip(self.attacks)
            .filter_map(|(index, attack)| attack.replay.map(|(event, later)| (event, index, later)))
            .collect();
        replays.sort_by_key(|(event, index, _)| (*event, *index));
        let (mut next_event, mut next_attack, mut next_storm) = (0, 0, 0);
        let mut end_s = 0.0;
        while end_s < length_s {
            end_s += BLOCK_S;
            while next_event < self.events.len() && self.events[next_event].t_s < end_s {
                let index = next_event;
                let from = replays.partition_point(|(event, _, _)| *event < index);
                let copies: Vec<_> =
                    replays[from..].iter().take_while(|(event, _, _)| *event == index).collect();
                let mut chance = rounds.nth(index as u64);
                let source = Source::Event(index as u32);
                let open = &mut self.open;
                self.network.hear(&self.events[index], source, &mut chance, |arrival| {
                    open.push(arrival.t_s, arrival);
                    for (_, attack, later_s) in &copies {
                        let t_s = arrival.t_s + later_s;
                        let source = Source::Attack(*attack);
                        open.push(t_s, Arrival { t_s, source, path: None, ..arrival });
                    }
                });
                next_event += 1;
            }
            while next_attack < self.attacks.len() && self.attacks[next_attack].t_s < end_s {
                let index = next_attack as u32;
                let open = &mut self.open;
                deception::put_in(
                    &self.network,
                    &self.attacks[next_attack],
                    index,
                    self.scenario.deception.held_frac,
                    self.seed,
                    &mut hands.nth(u64::from(index)),
                    |arrival| open.push(arrival.t_s, arrival),
                );
                next_attack += 1;
            }
            while next_storm < self.storms.len() && self.storms[next_storm].from_s < end_s {
                let (index, open) = (next_storm as u32, &mut self.open);
                let storm = &self.storms[next_storm];
                storms::raise(storm, index, self.network.sensors, &weather, |arrival| {
                    open.push(arrival.t_s, arrival);
                });
                next_storm += 1;
            }
            let open = &mut self.open;
            alarms.until(self.network.sensors, end_s.min(length_s), |arrival| {
                open.push(arrival.t_s, arrival);
            });
            self.settle(end_s - EARLY_S, clock_s)?;
            self.sink.passed(end_s.min(length_s), length_s);
        }
        self.settle(f64::INFINITY, clock_s)?;
        self.counts.n_other = self.others.len() as u64;
        self.others_truth()?;
        let (by_attack, by_storm) = (self.by_attack, self.by_storm);
        Ok(Made { counts: self.counts, heard: self.information, by_attack, by_storm })
    }

    /// The most that a clock can be off, s.
    fn clock_error_max_s(&self, length_s: f64) -> f64 {
        let worst = |sensor: &Sensor| {
            let jump = if sensor.fault.jump.is_some() { JUMP_S_MAX } else { 0.0 };
            libm::fabs(sensor.clock_s) + libm::fabs(sensor.fault.drift) * (length_s + 1000.0) + jump
        };
        self.network.sensors.iter().map(worst).fold(0.0, f64::max)
    }

    /// Moves everything on that nothing to come can change: no arrival will be
    /// earlier than this.
    fn settle(&mut self, before_s: f64, clock_s: f64) -> Result<(), S::Error> {
        let dead_s = self.network.front.dead_s;
        while let Some((_, arrival)) = self.open.pop_before(before_s) {
            let held = &mut self.held[arrival.sensor as usize];
            match held {
                Some(before) if arrival.t_s - before.t_s < dead_s => {
                    self.counts.n_lost_dead_time += 1;
                    if arrival.snr_db > before.snr_db {
                        *held = Some(arrival);
                    }
                }
                _ => {
                    if let Some(before) = held.replace(arrival) {
                        self.written(before);
                    }
                }
            }
        }
        for index in 0..self.held.len() {
            if self.held[index].is_some_and(|held| held.t_s + dead_s < before_s)
                && let Some(arrival) = self.held[index].take()
            {
                self.written(arrival);
            }
        }
        let settled_s = before_s - dead_s - clock_s;
        while let Some((t_s, arrival)) = self.ready.pop_before(settled_s) {
            self.emit(t_s, &arrival)?;
        }
        let late_s = settled_s - clock_s;
        let mut line = String::new();
        while let Some((_, next)) = self.delivery.pop_before(late_s) {
            match next {
                Line::Acoustic(text) => self.sink.put(Part::Stream, &text)?,
                Line::Other(index) => {
                    line.clear();
                    self.others[index].line(index as u64, &mut line);
                    self.sink.put(Part::Stream, &line)?;
                }
            }
        }
        Ok(())
    }

    /// What the sensor's clock writes, rounded as it will be written, so that
    /// the file is in order.
    fn written(&mut self, arrival: Arrival) {
        let sensor = &self.network.sensors[arrival.sensor as usize];
        let t_s = arrival.t_s + sensor.clock_error_s(arrival.t_s);
        self.ready.push(domain::probability::rounded(t_s, 4), arrival);
    }

    fn emit(&mut self, t_s: f64, arrival: &Arrival) -> Result<(), S::Error> {
        self.record(t_s, arrival, true)?;
        if self.scenario.departures.repeated_frac > 0.0
            && self.delays.happens(self.scenario.departures.repeated_frac)
        {
            self.record(t_s, arrival, false)?;
        }
        Ok(())
    }

    /// Writes a detection; a repetition is nobody's arrival.
    fn record(&mut self, t_s: f64, arrival: &Arrival, first: bool) -> Result<(), S::Error> {
        let number = self.counts.n_acoustic;
        self.counts.n_acoustic += 1;
        let index = arrival.sensor as usize;
        let row = &mut self.row;
        row.clear();
        id(row, 'D', number);
        row.push(',');
        sensor(row, index);
        row.push(',');
        fixed(row, t_s, 4);
        row.push(',');
        fixed(row, arrival.level_db, 1);
        row.push(',');
        fixed(row, arrival.snr_db, 1);
        match arrival.azimuth_deg {
            Some(azimuth_deg) => {
                row.push(',');
                fixed(row, turned(domain::probability::rounded(azimuth_deg, 1)), 1);
                row.push(',');
                fixed(row, sheet::AZIMUTH.0, 1);
                row.push('\n');
            }
            None => row.push_str(",,\n"),
        }
        self.sink.put(Part::Detections, row)?;
        self.truth_of(number, arrival, first)?;

        let delay_s = delay_s(&mut self.delays);
        let recv_s = domain::probability::rounded(arrival.t_s + delay_s, 2);
        let mut line = String::with_capacity(128);
        line.push_str("{\"id\":\"");
        id(&mut line, 'D', number);
        line.push_str("\",\"kind\":\"acoustic\",\"recv\":");
        fixed(&mut line, recv_s, 2);
        line.push_str(",\"station\":\"");
        sensor(&mut line, index);
        line.push_str("\",\"t\":");
        fixed(&mut line, t_s, 4);
        line.push_str(",\"amp_db\":");
        fixed(&mut line, arrival.level_db, 1);
        line.push_str(",\"snr_db\":");
        fixed(&mut line, arrival.snr_db, 1);
        if let Some(azimuth_deg) = arrival.azimuth_deg {
            line.push_str(",\"baz_deg\":");
            fixed(&mut line, turned(domain::probability::rounded(azimuth_deg, 1)), 1);
            line.push_str(",\"baz_sigma_deg\":");
            fixed(&mut line, sheet::AZIMUTH.0, 1);
        }
        line.push_str("}\n");
        self.delivery.push(recv_s, Line::Acoustic(line));
        Ok(())
    }

    fn truth_of(&mut self, number: u64, arrival: &Arrival, first: bool) -> Result<(), S::Error> {
        let assoc = &mut self.assoc;
        assoc.clear();
        id(assoc, 'D', number);
        assoc.push(',');
        match arrival.source {
            Source::Event(index) if first => {
                self.counts.n_true_arrivals += 1;
                id(assoc, 'E', u64::from(index));
                let (count, information) = &mut self.information[index as usize];
                *count += 1;
                if let Some(path) = &arrival.path {
                    information.add(path);
                }
            }
            _ => self.counts.n_false += 1,
        }
        assoc.push('\n');
        self.sink.put(Part::TruthAssoc, assoc)?;
        if let Source::Storm(index) = arrival.source {
            self.by_storm[index as usize] += 1;
        }
        if let Source::Attack(index) = arrival.source {
            self.by_attack[index as usize] += 1;
            assoc.clear();
            id(assoc, 'D', number);
            assoc.push(',');
            id(assoc, 'A', u64::from(index));
            assoc.push('\n');
            self.sink.put(Part::TruthAttackDetections, assoc)?;
        }
        Ok(())
    }

    /// The truth behind pixels and reports comes last.
    fn others_truth(&mut self) -> Result<(), S::Error> {
        let mut rows = String::new();
        for (index, other) in self.others.iter().enumerate() {
            let mut row = |event: Option<usize>| {
                id(&mut rows, other.letter, index as u64);
                rows.push(',');
                if let Some(event) = event {
                    rows.push('E');
                    whole(&mut rows, event as u64);
                }
                rows.push('\n');
            };
            if other.events.is_empty() {
                row(None);
            }
            for event in &other.events {
                row(Some(*event));
            }
        }
        self.sink.put(Part::TruthAssoc, &rows)
    }
}
