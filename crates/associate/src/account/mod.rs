//! Why an event is believed: what every station in reach adds to its log-odds,
//! heard or silent, what else was considered, and what one more observation
//! would change. Worked out for one event on demand, from the very state in
//! which the event became final. The outline is one for all engines: each is a
//! `Court` that gives the lines.

mod sound;
mod storm;

use crate::posterior::Features;
use crate::replay::Replay;
use crate::travel::Phase;

pub(crate) use sound::of;
pub use storm::Storm;
pub(crate) use storm::{Noise, noisy};

/// Other places, rivals and further observations that are told of.
const TOLD: usize = 3;

/// Which event is to be accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The event of this number in order of release.
    Number(u32),
    /// The event that the detection of this row belongs to.
    Row(u32),
}

/// Everything that makes up the probability of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Number of the event.
    pub event: u32,
    /// Log-odds before any station is asked, nats: how rare such events are
    /// at this place, with the volume in which the detections leave it.
    pub rarity: f64,
    /// How usual its size is, nats: the level of a sound, or how far its waves
    /// were picked.
    pub size_fit: f64,
    /// What each station in reach says, nearest first.
    pub stations: Vec<Testimony>,
    /// What changed about it since it was last weighed: neighbours that came or
    /// went, false alarms that were counted. With it the sum is the evidence.
    pub since: f64,
    /// Evidence, nats: the sum of all of the above.
    pub evidence: f64,
    /// Calibration: what the map looks at, its value and its share of the log-odds.
    pub map: Vec<Weight>,
    /// The earlier event that it repeats to the digit, if any. Every probability
    /// of the account is less by that of the replay.
    pub replay: Option<Replay>,
    /// Calibrated probability, less that of a replay.
    pub probability: f64,
    /// That its stations raised false alarms at the time, more than they usually do.
    pub storm: Option<Storm>,
    /// Other places at which detections of its time agree, best first.
    pub elsewhere: Vec<Elsewhere>,
    /// Other events that would take its detections, keenest first.
    pub rivals: Vec<Rival>,
    /// What one more observation would change, most first.
    pub more: Vec<More>,
    /// Where stations and the event lie on a plane round the event, metres east
    /// and north, in the order of `stations`.
    pub plan: Vec<(f64, f64)>,
}

impl Account {
    /// Rows of the detections that belong to the event.
    pub fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        self.stations.iter().filter_map(|station| match station.says {
            Says::Heard { row, .. } => Some(row),
            Says::Silent | Says::Down => None,
        })
    }

    /// Takes a replay off every probability. What the replay rests on is not judged
    /// anew for each station.
    pub(crate) fn repeat(&mut self, replay: Option<Replay>) {
        self.replay = replay;
        let real = 1.0 - replay.map_or(0.0, |replay| replay.probability);
        self.probability *= real;
        for station in &mut self.stations {
            station.without *= real;
        }
        for more in &mut self.more {
            more.heard *= real;
            more.silent = more.silent.map(|p| p * real);
        }
    }
}

/// What an engine has to say of one of its events.
pub(crate) trait Court {
    /// What each station in reach says, and where it lies, metres east and north of
    /// the event, in any order.
    fn testimonies(&self) -> Vec<(Testimony, (f64, f64))>;
    /// How busy the stations were that heard it.
    fn noise(&self) -> Vec<Noise>;
    /// Other places at which its detections agree, none told twice, in any order.
    fn elsewhere(&self) -> Vec<Elsewhere>;
    /// Other events that want its detections, in any order.
    fn rivals(&self) -> Vec<Rival>;
    /// What it would change if a station that said nothing had heard it.
    fn more(&self, quiet: &Testimony) -> Option<More>;
}

/// What an event comes to, before anybody is asked why.
pub(crate) struct Sum {
    /// Number of the event.
    pub event: u32,
    /// See [`Account`].
    pub rarity: f64,
    pub size_fit: f64,
    pub evidence: f64,
    pub map: Vec<Weight>,
    pub probability: f64,
}

/// What a calibration map looks at, its value and its share of the log-odds.
pub(crate) fn map(names: &[&'static str], features: &Features, weights: &[f64]) -> Vec<Weight> {
    names
        .iter()
        .zip(features.0)
        .zip(weights)
        .map(|((feature, value), weight)| Weight { feature, value, log_odds: value * weight })
        .collect()
}

impl Sum {
    /// Accounts for it.
    pub(crate) fn account(self, court: &impl Court) -> Account {
        let Self { event, rarity, size_fit, evidence, map, probability } = self;
        let mut stations = court.testimonies();
        // Detections of one station in the order of what they add.
        stations.sort_by(|(a, _), (b, _)| {
            let near = a.distance_m.total_cmp(&b.distance_m).then(a.station.cmp(&b.station));
            near.then(a.phase.cmp(&b.phase)).then(b.nats.total_cmp(&a.nats))
        });
        let (stations, plan): (Vec<Testimony>, Vec<_>) = stations.into_iter().unzip();
        let said: f64 = stations.iter().map(|s| s.nats).sum();
        let mut elsewhere = court.elsewhere();
        elsewhere.sort_by(|a, b| b.behind.total_cmp(&a.behind).then(a.t_s.total_cmp(&b.t_s)));
        elsewhere.truncate(TOLD);
        let mut rivals = court.rivals();
        rivals.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.t_s.total_cmp(&b.t_s)));
        rivals.truncate(TOLD);
        let mut quiet: Vec<&Testimony> =
            stations.iter().filter(|s| !matches!(s.says, Says::Heard { .. })).collect();
        quiet.sort_by(|a, b| {
            let order = b.chance.total_cmp(&a.chance).then(a.station.cmp(&b.station));
            order.then(a.phase.cmp(&b.phase))
        });
        let more = quiet.into_iter().filter_map(|s| court.more(s)).take(TOLD).collect();
        Account {
            event,
            rarity,
            size_fit,
            since: evidence - (rarity + size_fit + said),
            evidence,
            map,
            replay: None,
            probability,
            storm: Storm::of(evidence, &court.noise()),
            elsewhere,
            rivals,
            more,
            stations,
            plan,
        }
    }
}

/// What one station says.
#[derive(Clone, Debug, PartialEq)]
pub struct Testimony {
    /// Number of the station.
    pub station: u32,
    /// Which wave is spoken of, where a station may pick two.
    pub phase: Option<Phase>,
    /// From the event, metres.
    pub distance_m: f64,
    /// When its arrival is due, seconds since the zero of the set.
    pub due_s: f64,
    /// Probability that it would have detected the event.
    pub chance: f64,
    /// What it heard, or that it did not.
    pub says: Says,
    /// What that adds to the evidence, nats.
    pub nats: f64,
    /// Calibrated probability of the event if this station had not been asked.
    pub without: f64,
}

/// What a station heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// An arrival.
    Heard {
        /// Row of the detection.
        row: u32,
        /// How late it came, s, and the error of that.
        residual_s: f64,
        /// Standard deviation of the residual, s.
        sigma_s: f64,
        /// How much louder it was than expected, dB, if it tells a level.
        louder_db: Option<f64>,
        /// How far to the right of the event it came from, degrees; none if the
        /// station is no array.
        turned_deg: Option<f64>,
        /// Probability that it is the event's and not another's or a false alarm, if
        /// the event is real and all ways of dealing out were summed.
        own: Option<f64>,
        /// Parts of the sum, nats, by name.
        parts: Vec<(&'static str, f64)>,
        /// Logarithm of the rate of false alarms of the station per second, the alternative.
        ln_false: f64,
    },
    /// Nothing, though it was listening.
    Silent,
    /// Nothing can be said: it was down.
    Down,
}

/// One feature of the calibration map.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// What it is.
    pub feature: &'static str,
    /// Its value for this event.
    pub value: f64,
    /// Value by weight: its share of the log-odds of the probability.
    pub log_odds: f64,
}

/// Another place and time for detections of the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Depth, km, where waves tell it.
    pub depth_km: Option<f64>,
    /// From the event, metres.
    pub distance_m: f64,
    /// The same, metres east and north.
    pub offset_m: (f64, f64),
    /// Detections it would explain, and how many of them are the event's.
    pub hits: usize,
    /// Of the event's own.
    pub shared: usize,
    /// Its evidence less that of the event, nats.
    pub behind: f64,
}

/// Another event that wants detections of this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// From the event, metres.
    pub distance_m: f64,
    /// Detections it would take.
    pub wants: usize,
    /// What it would gain by them, nats. An event whose rivals would gain more
    /// than its evidence is given up.
    pub gain: f64,
}

/// What one more observation would change.
#[derive(Clone, Debug, PartialEq)]
pub struct More {
    /// Number of the station.
    pub station: u32,
    /// Which wave is spoken of, where a station may pick two.
    pub phase: Option<Phase>,
    /// Probability of the event had the station heard it, on time and as loud as expected.
    pub heard: f64,
    /// Probability had it been silent; none if it was.
    pub silent: Option<f64>,
    /// Error of the place with the arrival, as a share of that without.
    pub error: f64,
}
