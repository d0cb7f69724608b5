//! Alarm storms: weather, vehicles and jamming that make the sensors of a stretch
//! raise false alarms, all of them every few seconds, for a minute or for an hour.
//! None of it is an event.

use std::collections::BTreeSet;
use std::f64::consts::TAU;

use chance::{Chance, Streams};

use crate::alarms::alarm;
use crate::hearing::{Arrival, Source};
use crate::land::{Line, Sensor};
use crate::plane::Spot;
use crate::scenario::{Front, Storms};
use crate::sheet::{self, Storm as Sort};
use crate::volleys::Event;

/// One storm.
#[derive(Clone, Debug)]
pub(crate) struct Storm {
    /// What raises the alarms.
    pub(crate) sort: &'static Sort,
    /// From when to when, s.
    pub(crate) from_s: f64,
    /// End, s.
    pub(crate) to_s: f64,
    /// Middle at the beginning.
    pub(crate) spot: Spot,
    /// How the middle moves, km/s.
    pub(crate) moves: (f64, f64),
    /// Sensors within this distance of the middle raise alarms, km.
    pub(crate) radius_km: f64,
    /// Mean time between two of a sensor, s.
    pub(crate) every_s: f64,
    /// Mean signal-to-noise ratio above the least, dB.
    excess_db: f64,
    /// Share of the sensors that are touched.
    share: f64,
}

impl Storm {
    /// Whether it is over a place at a time.
    fn is_over(&self, spot: Spot, t_s: f64) -> bool {
        let later_s = t_s - self.from_s;
        let middle = Spot {
            x_km: self.spot.x_km + self.moves.0 * later_s,
            y_km: self.spot.y_km + self.moves.1 * later_s,
        };
        middle.km_to(spot) < self.radius_km
    }
}

/// Every storm, in order of time. A share of them is laid over a volley: its middle
/// near by, and its time about the first round.
pub(crate) fn storms(
    front: &Front,
    storms: &Storms,
    events: &[Event],
    line: &Line,
    seed: u64,
) -> Vec<Storm> {
    let mut chance = Chance::new(seed, "storms");
    let length_s = front.hours * 3600.0;
    let rates = [
        storms.hail_per_day,
        storms.rain_per_day,
        storms.gusts_per_day,
        storms.convoy_per_day,
        storms.jamming_per_day,
    ];
    // Volleys, not rounds: a salvo is no likelier to be rained on than a single shot.
    let mut known = BTreeSet::new();
    let firsts: Vec<&Event> = events.iter().filter(|event| known.insert(event.volley)).collect();
    let mut all = Vec::new();
    for (sort, rate) in sheet::STORMS.iter().zip(rates) {
        for _ in 0..chance.poisson_large(rate * front.hours / 24.0) {
            let lasts_s = chance.between(sort.lasts_s.0, sort.lasts_s.1);
            let aside_km = (chance.between(-1.0, 1.0), chance.between(-1.0, 1.0));
            let over_fire = chance.happens(storms.over_fire_frac) && !firsts.is_empty();
            let (before, event) = (chance.between(0.0, 1.0), chance.below(firsts.len().max(1)));
            let start_s = chance.between(0.0, length_s);
            let y_km = chance.between(-0.5, 0.5) * front.front_km;
            let (from_s, spot) = if over_fire {
                let Event { t_s, spot, .. } = *firsts[event];
                let far_km = sort.radius_km.0;
                let x_km = spot.x_km + far_km * aside_km.0;
                let middle = Spot { x_km, y_km: spot.y_km + far_km * aside_km.1 };
                ((t_s - before * lasts_s).max(0.0), middle)
            } else {
                let x_km = line.x_km(y_km) + front.belt_km * aside_km.0;
                (start_s, Spot { x_km, y_km })
            };
            let speed = chance.between(sort.km_s.0, sort.km_s.1);
            let bearing = if sort.along_line {
                if chance.happens(0.5) { 0.0 } else { TAU / 2.0 }
            } else {
                chance.between(0.0, TAU)
            };
            all.push(Storm {
                sort,
                from_s,
                to_s: (from_s + lasts_s).min(length_s),
                spot,
                moves: (speed * libm::sin(bearing), speed * libm::cos(bearing)),
                radius_km: chance.between(sort.radius_km.0, sort.radius_km.1),
                every_s: chance.between(sort.every_s.0, sort.every_s.1),
                excess_db: chance.between(3.0, 8.0),
                share: chance.between(0.6, 1.0),
            });
        }
    }
    all.sort_by(|a, b| a.from_s.total_cmp(&b.from_s));
    all
}

/// All alarms of a storm, sensor by sensor.
pub(crate) fn raise(
    storm: &Storm,
    index: u32,
    sensors: &[Sensor],
    own: &Streams,
    mut taken: impl FnMut(Arrival),
) {
    // What jams a receiver jams all of them at one moment.
    let mut beats = Vec::new();
    if storm.sort.together {
        let mut chance = own.nth(u64::from(index) << 32);
        let mut t_s = storm.from_s;
        while t_s < storm.to_s {
            beats.push(t_s);
            t_s += chance.exponential(storm.every_s);
        }
    }
    for (number, sensor) in (1_u64..).zip(sensors) {
        let far_km = storm.radius_km
            + libm::hypot(storm.moves.0, storm.moves.1) * (storm.to_s - storm.from_s);
        if storm.spot.km_to(sensor.spot) > far_km {
            continue;
        }
        let mut chance = own.nth(u64::from(index) << 32 | number);
        if !chance.happens(storm.share) {
            continue;
        }
        let mut raised = |t_s: f64, chance: &mut Chance| {
            let snr_db = sheet::ALARM_SNR_DB.0 + chance.exponential(storm.excess_db);
            let azimuth_deg = sensor.array.then(|| chance.between(0.0, 360.0));
            if t_s < storm.to_s && storm.is_over(sensor.spot, t_s) && !sensor.is_down(t_s) {
                let source = Source::Storm(index);
                let at = (number - 1) as usize;
                taken(Arrival { source, ..alarm(at, sensor, t_s, snr_db, azimuth_deg) });
            }
        };
        if storm.sort.together {
            for beat_s in &beats {
                if chance.happens(0.8) {
                    raised(beat_s + 0.1 * chance.between(0.0, 1.0), &mut chance);
                }
            }
            continue;
        }
        // One sensor stands in the wet more than another.
        let sd = sheet::ALARM_RATE_LOG_SD;
        let every_s = storm.every_s * libm::exp(sd * chance.normal());
        let (least, most) = storm.sort.at_once;
        let mean = (least + most) as f64 / 2.0;
        let mut t_s = storm.from_s + every_s * mean * chance.exponential(1.0);
        while t_s < storm.to_s {
            let mut within_s = 0.0;
            for _ in 0..least + chance.below(most - least + 1) {
                raised(t_s + within_s, &mut chance);
                within_s += chance.exponential(sheet::GUST_S);
            }
            t_s += every_s * mean * chance.exponential(1.0);
        }
    }
}
