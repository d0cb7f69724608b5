//! The line of contact and the sensors along it.

use std::f64::consts::TAU;

use chance::{Chance, Streams};
use domain::LatLon;
use domain::ecef::Ecef;

use crate::plane::{self, Plane, Spot};
use crate::scenario::{Departures, Front};
use crate::sheet;

/// The line: east as a function of north.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Amplitude, wave number per km, phase.
    waves: Vec<(f64, f64, f64)>,
    middle_km: f64,
}

/// Longer waves swing wider: amplitude as a part of the wave's length.
const WAVES_KM: [f64; 4] = [1000.0, 420.0, 170.0, 70.0];

impl Line {
    /// A line that passes near the origin.
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let waves: Vec<_> = WAVES_KM
            .iter()
            .map(|length_km| {
                let amplitude_km = length_km * chance.between(0.015, 0.05);
                (amplitude_km, TAU / length_km, chance.between(0.0, TAU))
            })
            .collect();
        let mut line = Self { waves, middle_km: 0.0 };
        line.middle_km = line.x_km(0.0);
        line
    }

    /// Where the line is at this northing.
    pub(crate) fn x_km(&self, y_km: f64) -> f64 {
        let sum: f64 = self.waves.iter().map(|(a, k, phase)| a * libm::sin(k * y_km + phase)).sum();
        sum - self.middle_km
    }
}

/// What is wrong with a sensor, unknown to who listens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fault {
    /// Repeats one level at this beat, s, between these times.
    pub(crate) stuck: Option<(f64, f64, f64)>,
    /// Clock rate error.
    pub(crate) drift: f64,
    /// Clock jump: size and between which times, s.
    pub(crate) jump: Option<(f64, f64, f64)>,
    /// Gain error that changes what is detected, dB.
    pub(crate) gain_db: f64,
    /// Error of the level as written, dB.
    pub(crate) reading_db: f64,
}

/// A sensor.
#[derive(Clone, Debug)]
pub(crate) struct Sensor {
    /// Where it truly is.
    pub(crate) at: LatLon,
    /// The same on the plane.
    pub(crate) spot: Spot,
    /// Above the ellipsoid, m.
    pub(crate) elev_m: f64,
    /// The same in space.
    pub(crate) ecef: Ecef,
    /// Where the list says it is.
    pub(crate) listed: (LatLon, Spot),
    /// Gives a back-azimuth.
    pub(crate) array: bool,
    /// Noise floor, dB.
    pub(crate) floor_db: f64,
    /// Offset of its clock, s.
    pub(crate) clock_s: f64,
    /// False alarms per hour.
    pub(crate) alarms_per_hour: f64,
    /// When it is down, s; in order.
    pub(crate) outages: Vec<(f64, f64)>,
    /// Of those, the ones that the list names.
    pub(crate) listed_outages: Vec<(f64, f64)>,
    /// Departures.
    pub(crate) fault: Fault,
}

impl Sensor {
    /// Whether it is down.
    pub(crate) fn is_down(&self, t_s: f64) -> bool {
        self.outages.iter().any(|(from, to)| (*from..*to).contains(&t_s))
    }

    /// What its clock adds to a time, s.
    pub(crate) fn clock_error_s(&self, t_s: f64) -> f64 {
        let jump = match self.fault.jump {
            Some((size, from, to)) if (from..to).contains(&t_s) => size,
            _ => 0.0,
        };
        self.clock_s + self.fault.drift * t_s + jump
    }
}

/// The largest jump of a clock, s.
pub(crate) const JUMP_S_MAX: f64 = 20.0;

/// The sensors of a front, from south to north.
pub(crate) fn sensors(
    front: &Front,
    departures: &Departures,
    plane: &Plane,
    line: &Line,
    seed: u64,
) -> Vec<Sensor> {
    let mut chance = Chance::new(seed, "sensors");
    let mut spots: Vec<Spot> = (0..front.stations)
        .map(|_| {
            let y_km = chance.between(-0.5, 0.5) * front.front_km;
            let x_km = line.x_km(y_km) + chance.between(-1.0, 1.0) * front.belt_km;
            Spot { x_km, y_km }
        })
        .collect();
    spots.sort_by(|a, b| a.y_km.total_cmp(&b.y_km));
    let own = Streams::new(seed, "sensor");
    let faults = Streams::new(seed, "fault");
    let length_s = front.hours * 3600.0;
    spots
        .iter()
        .enumerate()
        .map(|(index, spot)| {
            let mut chance = own.nth(index as u64);
            // Written with seven decimals; the truth is what is written.
            let at = rounded(plane.position(*spot));
            let elev_m = domain::probability::rounded(
                chance.between(sheet::HEIGHT_M.0, sheet::HEIGHT_M.1),
                1,
            );
            let array = chance.happens(front.array_frac);
            let floor_db = sheet::FLOOR_DB.0 + sheet::FLOOR_DB.1 * chance.normal();
            let bad = chance.happens(front.bad_clock_frac);
            let clock_s = chance.normal() * if bad { sheet::CLOCK_S.1 } else { sheet::CLOCK_S.0 };
            let sd = sheet::ALARM_RATE_LOG_SD;
            let rate = libm::exp(sd * chance.normal() - sd * sd / 2.0) * front.fa_per_hour;
            let mut outages = Vec::new();
            if chance.happens(sheet::OUTAGE.0) {
                let from = chance.between(0.0, length_s);
                let to = (from + chance.between(0.0, sheet::OUTAGE.1)).min(length_s);
                outages.push((from, to));
            }
            let mut sensor = Sensor {
                at,
                spot: plane.spot(at),
                elev_m,
                ecef: plane::at_height(at, elev_m),
                listed: (at, plane.spot(at)),
                array,
                floor_db,
                clock_s,
                alarms_per_hour: rate,
                listed_outages: outages.clone(),
                outages,
                fault: Fault::default(),
            };
            depart(&mut sensor, departures, plane, length_s, &mut faults.nth(index as u64));
            sensor
        })
        .collect()
}

/// Seven decimals of a degree: a centimetre.
pub(crate) fn rounded(at: LatLon) -> LatLon {
    let round = |degrees| domain::probability::rounded(degrees, 7);
    LatLon::new(round(at.lat()), round(at.lon())).expect("rounding stays on the globe")
}

fn depart(
    sensor: &mut Sensor,
    departures: &Departures,
    plane: &Plane,
    length_s: f64,
    chance: &mut Chance,
) {
    // Every share draws its numbers whether or not the fault comes about, so
    // that changing one share leaves the other faults where they were.
    let stretch = |chance: &mut Chance| {
        let from = chance.between(0.0, length_s);
        (from, (from + chance.between(3600.0, 6.0 * 3600.0)).min(length_s))
    };
    let stuck = chance.happens(departures.stuck_frac);
    let (beat, span) = (chance.between(2.0, 30.0), stretch(chance));
    if stuck {
        sensor.fault.stuck = Some((beat, span.0, span.1));
    }
    let drifts = chance.happens(departures.drift_frac);
    let rate = chance.between(5e-6, 5e-5) * if chance.happens(0.5) { 1.0 } else { -1.0 };
    if drifts {
        sensor.fault.drift = rate;
    }
    let jumps = chance.happens(departures.jump_frac);
    let (size, span) = (chance.between(-JUMP_S_MAX, JUMP_S_MAX), stretch(chance));
    if jumps {
        sensor.fault.jump = Some((size, span.0, span.1));
    }
    if chance.happens(departures.deaf_frac) {
        sensor.fault.gain_db = -20.0;
    }
    if chance.happens(departures.loud_frac) {
        sensor.fault.reading_db = 15.0;
    }
    let misplaced = chance.happens(departures.misplaced_frac);
    let (far_km, bearing) = (chance.between(0.03, 0.15), chance.between(0.0, TAU));
    if misplaced {
        let listed = Spot {
            x_km: sensor.spot.x_km + far_km * libm::sin(bearing),
            y_km: sensor.spot.y_km + far_km * libm::cos(bearing),
        };
        let at = rounded(plane.position(listed));
        sensor.listed = (at, plane.spot(at));
    }
    let silent = chance.happens(departures.silent_outage_frac);
    let span = stretch(chance);
    if silent {
        sensor.outages.push(span);
        sensor.outages.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
}
