//! A made-up network, what it hears, and the chance behind that.

// Each test file is a program of its own and uses a part of this.
#![allow(dead_code)]

use associate::arrays::ArrayDetection;
use associate::globe::{self, Arrival, Curve, Performance};
use associate::phases::Pick;
use associate::plane::Plane;
use associate::travel::{Phase, Travel as _, Uniform, Way};
use associate::{BackAzimuth, Detection, Engine, Event, Model, Outage, Station};

/// Chance of the tests' own: a multiplicative generator (Lehmer).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A network of 5 by 5 stations about 3 km apart.
pub(crate) fn network(lat: f64, lon: f64) -> Vec<Station> {
    (0..25)
        .map(|i| Station {
            name: format!("{lat:.1}-{i:02}"),
            lat: lat + f64::from(i / 5) * 0.027 + f64::from(i % 3) * 0.002,
            lon: lon + f64::from(i % 5) * 0.041 + f64::from(i % 4) * 0.003,
            elev_m: 150.0,
        })
        .collect()
}

/// One station in so many is an array.
const ARRAY_EVERY: u32 = 8;

/// What a shot at a place and time makes the stations from `first` on detect.
pub(crate) fn shot(
    stations: &[Station],
    first: u32,
    at: (f64, f64, f64),
    level: f64,
    chance: &mut Chance,
    out: &mut Vec<Detection>,
) {
    let plane = associate::plane::Plane::new(at.1, at.2);
    let c = 331.3 * (1.0 + 10.0 / 273.15_f64).sqrt();
    for (k, station) in (first..).zip(stations) {
        let (x, y) = plane.forward(station.lat, station.lon);
        let d = libm::hypot(x, y).max(30.0);
        let amp = level - 20.0 * libm::log10(d / 1e3) - 0.6 * d / 1e3 + 3.0 * chance.normal();
        if amp - 76.0 > 6.0 {
            let t = at.0 + d / c * (1.0 + 0.003 * chance.normal()) + 0.03 * chance.normal();
            let from = (k % ARRAY_EVERY == 0).then(|| {
                let deg = libm::atan2(-x, -y).to_degrees() + 4.0 * chance.normal();
                BackAzimuth { deg: deg as f32, sigma_deg: Some(4.0) }
            });
            out.push(Detection { from, ..detection(k, t, amp as f32) });
        }
    }
}

pub(crate) fn detection(station: u32, t: f64, amp: f32) -> Detection {
    let t_s = (t * 1e6).round() / 1e6;
    Detection { station, t_s, amp_db: amp, snr_db: amp - 76.0, from: None, row: 0 }
}

pub(crate) fn alarms(
    stations: std::ops::Range<u32>,
    from: f64,
    to: f64,
    count: usize,
    chance: &mut Chance,
    out: &mut Vec<Detection>,
) {
    for _ in 0..count {
        let k = stations.start + (chance.unit() * f64::from(stations.end - stations.start)) as u32;
        let t = from + chance.unit() * (to - from);
        out.push(detection(k, t, 85.0 + 6.0 * chance.unit() as f32));
    }
}

/// In order of time, without two at one station at one time; rows by order.
pub(crate) fn in_order(mut all: Vec<Detection>) -> Vec<Detection> {
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    all.dedup_by(|a, b| a.t_s == b.t_s && a.station == b.station);
    for (row, d) in (0..).zip(&mut all) {
        d.row = row;
    }
    all
}

/// A volley of six rounds and a lone shot, with false alarms between.
pub(crate) fn scene(stations: &[Station], seed: u64) -> Vec<Detection> {
    let mut chance = Chance(seed);
    let mut all = Vec::new();
    for round in 0..6 {
        let t = 300.0 + 3.4 * f64::from(round) + 0.5 * chance.unit();
        shot(stations, 0, (t, 49.05, 37.09), 112.0, &mut chance, &mut all);
    }
    shot(stations, 0, (900.0, 49.07, 37.04), 110.0, &mut chance, &mut all);
    alarms(0..stations.len() as u32, 0.0, 1500.0, 40, &mut chance, &mut all);
    all
}

pub(crate) fn run(
    stations: &[Station],
    outages: &[Outage],
    detections: &[Detection],
) -> Vec<Event> {
    let mut engine = Engine::new(stations, &[], outages, &Model::built_in());
    engine.push(detections);
    engine.finish()
}

/// Speeds of the crust that picks are made in.
pub(crate) const SPEEDS: Uniform = Uniform { vp_km_s: 6.0, vs_km_s: 3.45 };
/// No source of picks is deeper, km.
pub(crate) const DEEPEST_KM: f64 = 30.0;

/// A seismic network of 5 by 5 stations about 24 km apart.
pub(crate) fn seismic() -> Vec<Station> {
    (0..25)
        .map(|i| Station {
            name: format!("S{i:02}"),
            lat: 48.0 + 0.22 * f64::from(i / 5),
            lon: 36.0 + 0.33 * f64::from(i % 5),
            elev_m: 40.0 * f64::from(i % 3),
        })
        .collect()
}

/// What stations pick of a source at a time and place, km down: most of them.
fn quake(
    stations: &[Station],
    (t, lat, lon): (f64, f64, f64),
    depth_km: f64,
    chance: &mut Chance,
    out: &mut Vec<Pick>,
) {
    let plane = Plane::new(lat, lon);
    for (station, s) in (0..).zip(stations) {
        let (x, y) = plane.forward(s.lat, s.lon);
        let (east_km, north_km) = (x / 1e3, y / 1e3);
        let way = Way { east_km, north_km, depth_km, height_km: s.elev_m / 1e3 };
        for phase in Phase::ALL {
            if chance.unit() < 0.75 {
                let t_s = t + SPEEDS.arrival(phase, &way).time_s + 0.25 * chance.normal();
                let t_s = (t_s * 1e6).round() / 1e6;
                let weight = if chance.unit() < 0.2 { 0.25 } else { 1.0 };
                out.push(Pick { station, phase, t_s, weight, row: 0 });
            }
        }
    }
}

/// Some forty minutes of a seismic network: five sources, two of them at nearly one
/// time, and false picks. In order of time, rows by order.
pub(crate) fn picked(stations: &[Station], seed: u64) -> Vec<Pick> {
    let mut chance = Chance(seed);
    let mut all = Vec::new();
    for t in [200.0, 212.0, 700.0, 1_250.0, 2_100.0] {
        let at = (t + 5.0 * chance.unit(), 48.1 + 0.7 * chance.unit(), 36.2 + chance.unit());
        let depth_km = 1.0 + 24.0 * chance.unit();
        quake(stations, at, depth_km, &mut chance, &mut all);
    }
    for _ in 0..120 {
        let station = (chance.unit() * 25.0) as u32;
        let phase = Phase::ALL[usize::from(chance.unit() < 0.5)];
        let t_s = (chance.unit() * 2_400.0 * 1e6).round() / 1e6;
        all.push(Pick { station, phase, t_s, weight: 1.0, row: 0 });
    }
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    all.dedup_by(|a, b| a.t_s == b.t_s && a.station == b.station);
    for (row, pick) in (0..).zip(&mut all) {
        pick.row = row;
    }
    all
}

/// Four arrays of infrasound, some hundreds of kilometres apart.
pub(crate) fn arrays() -> Vec<Station> {
    let station =
        |(lat, lon): (f64, f64)| Station { name: format!("{lat} {lon}"), lat, lon, elev_m: 0.0 };
    [(35.9, -106.3), (38.4, -118.3), (42.8, -109.6), (33.6, -116.5)].map(station).into()
}

/// What arrays hear of two explosions in half a day, with directions of the sea and
/// false ones. In order of time, rows by order.
pub(crate) fn infrasound(arrays: &[Station], seed: u64) -> Vec<ArrayDetection> {
    let mut chance = Chance(seed);
    let mut all: Vec<ArrayDetection> = Vec::new();
    for t in [9_000.0, 31_000.0] {
        let t = t + 3_000.0 * chance.unit();
        let plane = Plane::new(37.0 + 4.0 * chance.unit(), -116.0 + 6.0 * chance.unit());
        for (station, s) in (0..).zip(arrays) {
            let (x, y) = plane.forward(s.lat, s.lon);
            let celerity = 0.28 + 0.012 * chance.normal();
            let azimuth_deg = libm::atan2(-x, -y).to_degrees() + 2.0 * chance.normal();
            let t_s = t + libm::hypot(x, y) / 1e3 / celerity;
            if chance.unit() < 0.9 {
                all.push(ArrayDetection { station, t_s, azimuth_deg, row: 0 });
            }
        }
    }
    for _ in 0..12 {
        let station = (chance.unit() * 4.0) as u32;
        let sea = 250.0 + 10.0 * chance.normal();
        let azimuth_deg = if chance.unit() < 0.6 { sea } else { 360.0 * chance.unit() };
        all.push(ArrayDetection { station, t_s: 45_000.0 * chance.unit(), azimuth_deg, row: 0 });
    }
    for d in &mut all {
        d.t_s = (d.t_s * 1e6).round() / 1e6;
    }
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    for (row, d) in (0..).zip(&mut all) {
        d.row = row;
    }
    all
}

/// Arrays on five continents.
pub(crate) fn world() -> Vec<Station> {
    let places = [
        (-23.7, 133.9),
        (18.5, 98.9),
        (61.4, 26.1),
        (64.8, -146.9),
        (46.8, 82.3),
        (13.1, 1.7),
        (-10.0, -60.0),
        (40.0, -110.0),
    ];
    let station = |(i, (lat, lon))| Station { name: format!("P{i}"), lat, lon, elev_m: 0.0 };
    places.into_iter().enumerate().map(station).collect()
}

/// Travel times of a made-up earth, s by degrees.
fn travel_s(deg: f64) -> f64 {
    -0.023 * deg * deg + 10.7 * deg + 5.0
}

pub(crate) fn earth() -> Curve {
    let points: Vec<(f64, f64)> = (0..=180).map(f64::from).map(|d| (d, travel_s(d))).collect();
    Curve::new(&points).expect("times that only grow")
}

/// Nothing known of the arrays beyond what such are like.
pub(crate) fn performance() -> Performance {
    globe::fit(&world(), &earth(), &[], &[], &[], "none")
}

/// So many hours of a global network that never pauses: an event in each half hour
/// and false alarms. In order of time, rows by order.
pub(crate) fn over_the_globe(stations: &[Station], hours: f64, seed: u64) -> Vec<Arrival> {
    let mut chance = Chance(seed);
    let mut all: Vec<Arrival> = Vec::new();
    let end_s = 3_600.0 * hours;
    let mut t = 200.0;
    while t < end_s {
        let at = ((140.0 * chance.unit() - 70.0), 360.0 * chance.unit() - 180.0);
        let (lat, lon) = (at.0.to_radians(), at.1.to_radians());
        for (station, s) in (0..).zip(stations) {
            let (here, there) = (s.lat.to_radians(), lon - s.lon.to_radians());
            let along = libm::sin(here) * libm::sin(lat)
                + libm::cos(here) * libm::cos(lat) * libm::cos(there);
            let deg = libm::acos(along.clamp(-1.0, 1.0)).to_degrees();
            let east = libm::sin(there) * libm::cos(lat);
            let north = libm::cos(here) * libm::sin(lat)
                - libm::sin(here) * libm::cos(lat) * libm::cos(there);
            let azimuth_deg = libm::atan2(east, north).to_degrees() + 4.0 * chance.normal();
            let amplitude = libm::exp(-7.3 + 2.03 * 4.8 - 0.002 * deg + 0.3 * chance.normal());
            let t_s = t + travel_s(deg) + 0.5 * chance.normal();
            let slowness_s_deg = 10.7 - 0.046 * deg + 0.3 * chance.normal();
            if chance.unit() < 0.8 {
                all.push(Arrival { station, t_s, azimuth_deg, slowness_s_deg, amplitude, row: 0 });
            }
        }
        t += 1_500.0 + 600.0 * chance.unit();
    }
    for _ in 0..(30.0 * hours) as usize {
        let station = (chance.unit() * stations.len() as f64) as u32;
        let (t_s, azimuth_deg) = (end_s * chance.unit(), 360.0 * chance.unit());
        let slowness_s_deg = 2.5 + 8.0 * chance.unit();
        let amplitude = libm::exp(0.5 * chance.normal());
        all.push(Arrival { station, t_s, azimuth_deg, slowness_s_deg, amplitude, row: 0 });
    }
    for a in &mut all {
        a.t_s = (a.t_s * 1e6).round() / 1e6;
    }
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    for (row, a) in (0..).zip(&mut all) {
        a.row = row;
    }
    all
}
