//! What a sensor makes of a sound.

use chance::Chance;
use domain::ecef;

use crate::bound::Path;
use crate::land::Sensor;
use crate::medium::{Medium, speed_m_s};
use crate::plane::east_north;
use crate::scenario::{Departures, Front};
use crate::sheet;
use crate::volleys::Event;

/// What stands behind an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// An event, by its index.
    Event(u32),
    /// Nothing: a false alarm.
    Alarm,
    /// An attack, by its index.
    Attack(u32),
    /// A storm of false alarms, by its index.
    Storm(u32),
}

/// Something that a sensor has detected, or was made to report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When, by a true clock, s.
    pub(crate) t_s: f64,
    /// Which sensor.
    pub(crate) sensor: u32,
    /// Level as it is written, dB.
    pub(crate) level_db: f64,
    /// Signal-to-noise ratio, dB.
    pub(crate) snr_db: f64,
    /// Back-azimuth, degrees.
    pub(crate) azimuth_deg: Option<f64>,
    /// What stands behind it.
    pub(crate) source: Source,
    /// For the bound; arrivals without a path have none.
    pub(crate) path: Option<Path>,
}

/// Arrivals expected to be so far below the threshold are not drawn, dB. With
/// the sheet's scatter one in 2,000 of them would have been detected.
const HOPELESS_DB: f64 = 26.0;

/// A network in its air.
pub(crate) struct Network<'a> {
    /// Sizes and errors.
    pub(crate) front: &'a Front,
    /// Departures.
    pub(crate) departures: &'a Departures,
    /// Sensors, from south to north.
    pub(crate) sensors: &'a [Sensor],
    /// Air.
    pub(crate) medium: &'a Medium,
    /// The quietest floor of all sensors, dB.
    pub(crate) quietest_db: f64,
}

impl Network<'_> {
    /// How far a source of this level can be heard at all, km.
    fn reach_km(&self, level_db: f64) -> f64 {
        let least = self.quietest_db + sheet::THRESHOLD_DB.0 - HOPELESS_DB - sheet::WIND_DB_MAX;
        let (mut near, mut far) = (0.01, 400.0);
        for _ in 0..40 {
            let middle = 0.5 * (near + far);
            if level_db + sheet::level_at_db(middle) > least { near = middle } else { far = middle }
        }
        far
    }

    /// Indices of sensors whose northing is within a distance.
    pub(crate) fn near(&self, y_km: f64, within_km: f64) -> std::ops::Range<usize> {
        let from = self.sensors.partition_point(|sensor| sensor.spot.y_km < y_km - within_km);
        let to = self.sensors.partition_point(|sensor| sensor.spot.y_km <= y_km + within_km);
        from..to
    }

    /// Every arrival of an event that is detected.
    pub(crate) fn hear(
        &self,
        event: &Event,
        source: Source,
        chance: &mut Chance,
        mut taken: impl FnMut(Arrival),
    ) {
        let reach_km = self.reach_km(event.level_db);
        for index in self.near(event.spot.y_km, reach_km) {
            if let Some(arrival) = self.arrival(event, index, source, chance) {
                taken(arrival);
            }
        }
    }

    /// The arrival of an event at a sensor, if it is detected.
    pub(crate) fn arrival(
        &self,
        event: &Event,
        index: usize,
        source: Source,
        chance: &mut Chance,
    ) -> Option<Arrival> {
        let sensor = &self.sensors[index];
        let slant_m = ecef::chord_m(event.ecef, sensor.ecef).max(1.0);
        let (dx, dy) = (sensor.spot.x_km - event.spot.x_km, sensor.spot.y_km - event.spot.y_km);
        let flat_km = libm::hypot(dx, dy).max(1e-6);
        let along = (dx / flat_km, dy / flat_km);
        let air = self.medium.truth(0.5 * (event.spot.y_km + sensor.spot.y_km), event.t_s);
        let (still_m_s, wind_m_s) = speed_m_s(air, along);
        let slant_km = slant_m / 1e3;
        let expected_db = event.level_db
            + sheet::level_at_db(slant_km)
            + sheet::wind_term_db(wind_m_s, slant_km)
            + sensor.fault.gain_db;
        if expected_db - sensor.floor_db < sheet::THRESHOLD_DB.0 - HOPELESS_DB {
            return None;
        }
        let scatter_db = self.departures.level_scatter_db.unwrap_or(sheet::SCATTER_DB);
        let level_db = expected_db + scatter_db * chance.normal();
        let snr_db = level_db - sensor.floor_db + sheet::FLUTTER_DB * chance.normal();
        if !chance.happens(sheet::detection_probability(snr_db)) {
            return None;
        }
        let speed_m_s = still_m_s + wind_m_s;
        let travel_s = slant_m / speed_m_s;
        let pick_s = sheet::pick_sd_s(snr_db) * self.departures.pick_noise_factor.unwrap_or(1.0);
        let path_s = self.front.path_err * travel_s;
        let mut t_s = event.t_s + travel_s + pick_s * chance.normal() + path_s * chance.normal();
        if chance.happens(self.front.late_frac) {
            t_s += chance.exponential(sheet::LATE_S);
        }
        let azimuth_deg = sensor.array.then(|| azimuth(sensor, event, chance));
        if sensor.is_down(t_s) {
            return None;
        }
        Some(Arrival {
            t_s,
            sensor: index as u32,
            level_db: level_db + sensor.fault.reading_db,
            snr_db,
            azimuth_deg,
            source,
            path: Some(Path {
                along,
                level: (flat_km / slant_km).min(1.0),
                travel_s,
                speed_m_s,
                per_kelvin: 0.5 * still_m_s / (273.15 + air[2]),
                sd_s: (pick_s * pick_s + path_s * path_s).sqrt(),
            }),
        })
    }
}

/// The direction that an array finds, degrees from north to the east.
fn azimuth(sensor: &Sensor, event: &Event, chance: &mut Chance) -> f64 {
    if chance.happens(sheet::AZIMUTH.1) {
        return chance.between(0.0, 360.0);
    }
    let to: [f64; 3] = std::array::from_fn(|i| event.ecef[i] - sensor.ecef[i]);
    let dot = |unit: [f64; 3]| (0..3).map(|i| unit[i] * to[i]).sum::<f64>();
    let (east, north) = east_north(sensor.at);
    let true_deg = libm::atan2(dot(east), dot(north)) * 180.0 / std::f64::consts::PI;
    turned(true_deg + sheet::AZIMUTH.0 * chance.normal())
}

/// Degrees within [0, 360).
pub(crate) fn turned(degrees: f64) -> f64 {
    degrees - 360.0 * libm::floor(degrees / 360.0)
}
