//! A global network of ten seismic arrays on a sphere: seismic-2d, the public
//! simplification of NET-VISA by its authors.
//!
//! Source of the model, of its constants and of the hyperpriors from which the
//! world is drawn: N. Arora, S. Russell, E. Sudderth, "NET-VISA: Network
//! Processing Vertically Integrated Seismic Analysis", BSSA 103(2A), 709-729,
//! 2013, as simplified in the description of seismic-2d and in its generator, the
//! last of which is followed where they differ: magnitudes are from 3 to 6 with a
//! mean of 4 before the cut ("to force larger events"), amplitudes fall with
//! distance and not with travel time, log amplitudes of false alarms follow a
//! Cauchy law, and what arrives after the end of an episode is not heard.

use chance::{Chance, Streams};
use serde::Serialize;

use crate::delivery::Delivery;
use crate::front::T0;
use crate::scenario::Globe;
use crate::stream::Counts;
use crate::write::{Part, Sink, fixed, id, whole};

/// Arrays of the network: name, degrees east and north.
const STATIONS: [(&str, f64, f64); 10] = [
    ("ASAR", 133.9, -23.7),
    ("CMAR", 98.9, 18.5),
    ("FINES", 26.1, 61.4),
    ("ILAR", -146.9, 64.8),
    ("MKAR", 82.3, 46.8),
    ("SONM", 106.4, 47.8),
    ("STKA", 141.6, -31.9),
    ("TORD", 1.7, 13.1),
    ("WRA", 134.3, -19.9),
    ("ZALV", 84.8, 53.9),
];
/// Length of an episode, s: events begin and false alarms happen within it.
const EPISODE_S: f64 = 3_600.0;
/// From the beginning of an episode to that of the next, s. Waves are on their
/// way for 1,186 s at most, so that what is heard of two is far apart.
const APART_S: f64 = 7_200.0;
/// Smallest and largest magnitude, and by how much larger ones are e times rarer.
const MAGNITUDES: (f64, f64) = (3.0, 6.0);
const MAGNITUDE_SCALE: f64 = 4.0;
/// Events in an episode: gamma of this shape, scale 1.
const EVENTS_SHAPE: f64 = 6.0;
/// Constant, magnitude and distance in the log-odds of a detection: mean and covariance.
const DETECTION: ([f64; 3], [[f64; 3]; 3]) = (
    [-10.4, 3.26, -0.0499],
    [[13.43, -2.36, -0.0122], [-2.36, 0.452, 0.000_112], [-0.0122, 0.000_112, 0.000_125]],
);
/// The same in the log of the amplitude.
const AMPLITUDE: ([f64; 3], [[f64; 3]; 3]) = (
    [-7.3, 2.03, -0.001_96],
    [
        [1.23, -0.227, -0.000_175],
        [-0.227, 0.0461, 0.000_024_5],
        [-0.000_175, 0.000_024_5, 0.000_000_302],
    ],
);
/// Shape and scale of the inverse gammas of the scales of errors: time, s;
/// azimuth, degrees; slowness, s/degree; and of the variances of log amplitudes.
const TIME: (f64, f64) = (120.0, 118.0);
const AZIMUTH: (f64, f64) = (5.2, 44.0);
const SLOWNESS: (f64, f64) = (6.7, 7.5);
const AMPLITUDE_VAR: (f64, f64) = (21.1, 12.6);
/// False alarms of a station per second: shape and scale of a gamma.
const FALSE_RATE: (f64, f64) = (2.1, 0.0013);
/// Mean and standard deviation of the middle of their log amplitudes, shape and
/// scale of the inverse gamma of the scale of their Cauchy law.
const FALSE_MIDDLE: (f64, f64) = (-0.68, 0.68);
const FALSE_SCALE: (f64, f64) = (23.5, 12.45);
/// Log amplitudes beyond this are drawn again: they have no double.
const LEVEL_MAX: f64 = 700.0;

/// What one station is like, by the names of `performance.json`.
#[derive(Clone, Debug, Serialize)]
struct Station {
    station: &'static str,
    /// Log-odds of a detection: constant, per magnitude, per degree.
    detection: [f64; 3],
    time_s: f64,
    azimuth_deg: f64,
    slowness_s_deg: f64,
    /// Mean of the log of the amplitude: constant, per magnitude, per degree.
    amplitude: [f64; 3],
    amplitude_sd: f64,
    false_per_s: f64,
    false_amplitude: f64,
    false_amplitude_scale: f64,
}

/// What the world is like.
#[derive(Clone, Debug, Serialize)]
struct World {
    version: String,
    /// Over the whole earth.
    events_per_s: f64,
    magnitude_min: f64,
    magnitude_max: f64,
    magnitude_scale: f64,
    stations: Vec<Station>,
}

#[derive(Clone, Copy)]
struct Event {
    t_s: f64,
    lat: f64,
    lon: f64,
    magnitude: f64,
    arrivals: u64,
}

#[derive(Clone, Copy)]
struct Arrival {
    station: usize,
    t_s: f64,
    azimuth_deg: f64,
    slowness_s_deg: f64,
    amplitude: f64,
    event: Option<usize>,
}

#[derive(Serialize)]
struct Meta<'a> {
    title: &'a str,
    seed: u64,
    #[serde(flatten)]
    globe: &'a Globe,
    episode_s: f64,
    apart_s: f64,
    t0: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

/// Travel time over so many degrees, s.
fn travel_s(deg: f64) -> f64 {
    -0.023 * deg * deg + 10.7 * deg + 5.0
}

/// Slowness at so many degrees, s/degree: the slope of the travel time.
fn slowness(deg: f64) -> f64 {
    -0.046 * deg + 10.7
}

/// Degrees from one place to another, and the azimuth in which the way begins;
/// places in degrees north and east.
pub(crate) fn way(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (a, b) = (from.0.to_radians(), to.0.to_radians());
    let l = (to.1 - from.1).to_radians();
    let east = libm::sin(l) * libm::cos(b);
    let north = libm::cos(a) * libm::sin(b) - libm::sin(a) * libm::cos(b) * libm::cos(l);
    let along = libm::sin(a) * libm::sin(b) + libm::cos(a) * libm::cos(b) * libm::cos(l);
    let arc = libm::atan2(libm::hypot(east, north), along);
    (arc.to_degrees(), turned(libm::atan2(east, north).to_degrees()))
}

/// An angle in 0 to 360 degrees.
fn turned(deg: f64) -> f64 {
    deg - 360.0 * libm::floor(deg / 360.0)
}

fn world(seed: u64) -> World {
    let mut chance = Chance::new(seed, "world");
    let inverse = |chance: &mut Chance, (shape, scale): (f64, f64)| scale / chance.gamma(shape);
    let stations = STATIONS
        .iter()
        .map(|(station, ..)| Station {
            station,
            detection: normal(&mut chance, DETECTION),
            time_s: inverse(&mut chance, TIME),
            azimuth_deg: inverse(&mut chance, AZIMUTH),
            slowness_s_deg: inverse(&mut chance, SLOWNESS),
            amplitude: normal(&mut chance, AMPLITUDE),
            amplitude_sd: libm::sqrt(inverse(&mut chance, AMPLITUDE_VAR)),
            false_per_s: FALSE_RATE.1 * chance.gamma(FALSE_RATE.0),
            false_amplitude: FALSE_MIDDLE.0 + FALSE_MIDDLE.1 * chance.normal(),
            false_amplitude_scale: inverse(&mut chance, FALSE_SCALE),
        })
        .collect();
    World {
        version: format!("seismic-2d world {seed}, as drawn"),
        events_per_s: chance.gamma(EVENTS_SHAPE) / EPISODE_S,
        magnitude_min: MAGNITUDES.0,
        magnitude_max: MAGNITUDES.1,
        magnitude_scale: MAGNITUDE_SCALE,
        stations,
    }
}

/// A normal vector, by the Cholesky factor of its covariance.
fn normal(chance: &mut Chance, (mean, covariance): ([f64; 3], [[f64; 3]; 3])) -> [f64; 3] {
    let mut root = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            let left = covariance[i][j] - (0..j).map(|k| root[i][k] * root[j][k]).sum::<f64>();
            root[i][j] = if i == j { libm::sqrt(left) } else { left / root[j][j] };
        }
    }
    let z = [chance.normal(), chance.normal(), chance.normal()];
    std::array::from_fn(|i| mean[i] + (0..3).map(|k| root[i][k] * z[k]).sum::<f64>())
}

pub(crate) fn generate<S: Sink>(
    title: &str,
    globe: &Globe,
    seed: u64,
    sink: &mut S,
) -> Result<Counts, S::Error> {
    let world = world(seed);
    let delivery = || Delivery::new(seed);
    let training = Streams::new(seed, "training");
    part(&world, globe.training_episodes, &training, &TRAINING, delivery(), sink)?;
    let episodes = Streams::new(seed, "episodes");
    let counts = part(&world, globe.episodes, &episodes, &MAIN, delivery(), sink)?;
    sink.put(Part::TruthPerformance, &json(&world))?;
    let meta = Meta { title, seed, globe, episode_s: EPISODE_S, apart_s: APART_S, t0: T0, counts };
    sink.put(Part::Meta, &json(&meta))?;
    Ok(counts)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("plain numbers and text") + "\n"
}

/// The files of one part of a set.
struct Files {
    stations: Part,
    arrivals: Part,
    /// The same as they come in.
    stream: Option<Part>,
    windows: Part,
    curve: Part,
    truth: Part,
    truth_assoc: Part,
}

const MAIN: Files = Files {
    stations: Part::Stations,
    arrivals: Part::Arrivals,
    stream: Some(Part::ArrivalStream),
    windows: Part::Windows,
    curve: Part::Curve,
    truth: Part::Truth,
    truth_assoc: Part::TruthAssoc,
};
const TRAINING: Files = Files {
    stations: Part::TrainingStations,
    arrivals: Part::TrainingArrivals,
    stream: None,
    windows: Part::TrainingWindows,
    curve: Part::TrainingCurve,
    truth: Part::TrainingTruth,
    truth_assoc: Part::TrainingTruthAssoc,
};

/// Makes and writes some episodes, one after another.
fn part<S: Sink>(
    world: &World,
    episodes: usize,
    streams: &Streams,
    files: &Files,
    mut delivery: Delivery,
    sink: &mut S,
) -> Result<Counts, S::Error> {
    let mut counts = Counts::default();
    sink.put(files.stations, &station_rows())?;
    sink.put(files.curve, &curve_rows())?;
    sink.put(files.windows, "start_s,end_s\n")?;
    sink.put(files.arrivals, "det,station,t_s,azimuth_deg,slowness_s_deg,amplitude\n")?;
    sink.put(files.truth, "event,t_s,lat,lon,magnitude,n_det\n")?;
    sink.put(files.truth_assoc, "det,event\n")?;
    for number in 0..episodes {
        let start_s = number as f64 * APART_S;
        let (events, arrivals) = episode(world, start_s, &mut streams.nth(number as u64));
        let mut row = String::new();
        fixed(&mut row, start_s, 1);
        row.push(',');
        fixed(&mut row, start_s + EPISODE_S, 1);
        row.push('\n');
        sink.put(files.windows, &row)?;
        write(&events, &arrivals, counts, files, &mut delivery, sink)?;
        counts.n_events += events.len() as u64;
        counts.n_acoustic += arrivals.len() as u64;
        let real = arrivals.iter().filter(|a| a.event.is_some()).count() as u64;
        counts.n_true_arrivals += real;
        counts.n_false += arrivals.len() as u64 - real;
        counts.n_det_ge3 += events.iter().filter(|e| e.arrivals >= 3).count() as u64;
        counts.n_det_ge4 += events.iter().filter(|e| e.arrivals >= 4).count() as u64;
        sink.passed(start_s + APART_S, episodes as f64 * APART_S);
    }
    if let Some(stream) = files.stream {
        delivery.put(stream, sink)?;
    }
    Ok(counts)
}

fn magnitude(chance: &mut Chance) -> f64 {
    loop {
        let magnitude = MAGNITUDES.0 + chance.exponential(MAGNITUDE_SCALE);
        if magnitude <= MAGNITUDES.1 {
            return magnitude;
        }
    }
}

/// The log amplitude of a false alarm.
fn false_level(performance: &Station, chance: &mut Chance) -> f64 {
    loop {
        let turn = std::f64::consts::PI * (chance.between(0.0, 1.0) - 0.5);
        let cauchy = libm::tan(turn);
        let level = performance.false_amplitude + performance.false_amplitude_scale * cauchy;
        if level.abs() < LEVEL_MAX {
            return level;
        }
    }
}

fn episode(world: &World, start_s: f64, chance: &mut Chance) -> (Vec<Event>, Vec<Arrival>) {
    let mut events: Vec<Event> = (0..chance.poisson(world.events_per_s * EPISODE_S))
        .map(|_| Event {
            t_s: round(start_s + chance.between(0.0, EPISODE_S), 4),
            lat: round(libm::asin(chance.between(-1.0, 1.0)).to_degrees(), 5),
            lon: round(chance.between(-180.0, 180.0), 5),
            magnitude: magnitude(chance),
            arrivals: 0,
        })
        .collect();
    events.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let mut arrivals = Vec::new();
    for (index, event) in events.iter_mut().enumerate() {
        for (station, (performance, (_, lon, lat))) in
            world.stations.iter().zip(STATIONS).enumerate()
        {
            let (deg, azimuth) = way((lat, lon), (event.lat, event.lon));
            let linear = |[a, b, c]: [f64; 3]| a + b * event.magnitude + c * deg;
            if !chance.happens(1.0 / (1.0 + libm::exp(-linear(performance.detection)))) {
                continue;
            }
            let t_s = event.t_s + travel_s(deg) + chance.laplace(performance.time_s);
            if t_s >= start_s + EPISODE_S {
                continue;
            }
            let level = linear(performance.amplitude) + performance.amplitude_sd * chance.normal();
            arrivals.push(Arrival {
                station,
                t_s,
                azimuth_deg: turned(azimuth + chance.laplace(performance.azimuth_deg)),
                slowness_s_deg: slowness(deg) + chance.laplace(performance.slowness_s_deg),
                amplitude: libm::exp(level),
                event: Some(index),
            });
            event.arrivals += 1;
        }
    }
    for (station, performance) in world.stations.iter().enumerate() {
        for _ in 0..chance.poisson(performance.false_per_s * EPISODE_S) {
            arrivals.push(Arrival {
                station,
                t_s: start_s + chance.between(0.0, EPISODE_S),
                azimuth_deg: chance.between(0.0, 360.0),
                slowness_s_deg: chance.between(slowness(180.0), slowness(0.0)),
                amplitude: libm::exp(false_level(performance, chance)),
                event: None,
            });
        }
    }
    arrivals.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    (events, arrivals)
}

fn round(value: f64, decimals: u32) -> f64 {
    domain::probability::rounded(value, decimals)
}

fn station_rows() -> String {
    let mut out = String::from("station,lat,lon,elev_m\n");
    for (name, lon, lat) in STATIONS {
        out.push_str(name);
        for (value, decimals) in [(lat, 4), (lon, 4), (0.0, 1)] {
            out.push(',');
            fixed(&mut out, value, decimals);
        }
        out.push('\n');
    }
    out
}

/// Travel times, by half degrees.
fn curve_rows() -> String {
    let mut out = String::from("distance_deg,travel_s\n");
    for step in 0..=360 {
        let deg = f64::from(step) * 0.5;
        fixed(&mut out, deg, 1);
        out.push(',');
        fixed(&mut out, travel_s(deg), 4);
        out.push('\n');
    }
    out
}

/// An arrival as it comes in.
fn line(number: u64, a: &Arrival, received_s: f64) -> String {
    let mut line = String::from("{\"id\":\"");
    id(&mut line, 'D', number);
    line.push_str("\",\"kind\":\"arrival\",\"recv\":");
    fixed(&mut line, received_s, 2);
    line.push_str(",\"station\":\"");
    line.push_str(STATIONS[a.station].0);
    line.push('"');
    for (field, value, decimals) in [
        ("t", a.t_s, 4),
        ("azimuth_deg", a.azimuth_deg, 3),
        ("slowness_s_deg", a.slowness_s_deg, 4),
    ] {
        line.push_str(",\"");
        line.push_str(field);
        line.push_str("\":");
        fixed(&mut line, value, decimals);
    }
    std::fmt::Write::write_fmt(&mut line, format_args!(",\"amplitude\":{:.5e}}}\n", a.amplitude))
        .expect("a string takes everything");
    line
}

/// Writes an episode; names go on from those of the episodes before.
fn write<S: Sink>(
    events: &[Event],
    arrivals: &[Arrival],
    before: Counts,
    files: &Files,
    delivery: &mut Delivery,
    sink: &mut S,
) -> Result<(), S::Error> {
    let mut row = String::new();
    for (number, a) in (before.n_acoustic..).zip(arrivals) {
        row.clear();
        id(&mut row, 'D', number);
        row.push(',');
        row.push_str(STATIONS[a.station].0);
        for (value, decimals) in [(a.t_s, 4), (a.azimuth_deg, 3), (a.slowness_s_deg, 4)] {
            row.push(',');
            fixed(&mut row, value, decimals);
        }
        // From 1e-304 to 1e304.
        std::fmt::Write::write_fmt(&mut row, format_args!(",{:.5e}\n", a.amplitude))
            .expect("a string takes everything");
        sink.put(files.arrivals, &row)?;
        if files.stream.is_some() {
            let received_s = delivery.received_s(a.t_s);
            delivery.take(received_s, line(number, a, received_s));
        }
        row.clear();
        id(&mut row, 'D', number);
        row.push(',');
        if let Some(event) = a.event {
            id(&mut row, 'E', before.n_events + event as u64);
        }
        row.push('\n');
        sink.put(files.truth_assoc, &row)?;
    }
    for (number, event) in (before.n_events..).zip(events) {
        row.clear();
        id(&mut row, 'E', number);
        for (value, decimals) in
            [(event.t_s, 4), (event.lat, 5), (event.lon, 5), (event.magnitude, 3)]
        {
            row.push(',');
            fixed(&mut row, value, decimals);
        }
        row.push(',');
        whole(&mut row, event.arrivals);
        row.push('\n');
        sink.put(files.truth, &row)?;
    }
    Ok(())
}
