//! Detections of infrasound arrays: a time and a direction each, over hundreds of
//! kilometres.
//!
//! The laws are not those that the engine of arrays believes: each way has one
//! duct for all that comes along it, wind turns directions by the way, arrays hear
//! the sea from one side for hours, and some of their false detections come in
//! trains from one direction.

use std::fmt::Write as _;

use chance::{Chance, Streams};
use domain::LatLon;
use serde::Serialize;

use crate::delivery::Delivery;
use crate::front::T0;
use crate::land::rounded;
use crate::plane::{Plane, Spot};
use crate::scenario::Infrasound;
use crate::stream::Counts;
use crate::write::{Part, Sink, fixed, id, whole};

/// Ducts: share of the ways, mean celerity and its standard deviation, km/s.
/// Tropospheric, stratospheric and thermospheric, with ranges as in Evers and
/// Haak 2010 (*Infrasound Monitoring for Atmospheric Studies*, chapter 1).
const DUCTS: [((f64, f64), f64); 3] =
    [((0.33, 0.008), 0.1), ((0.293, 0.01), 0.6), ((0.245, 0.014), 0.3)];
/// Further arrivals along one way, on the mean, and how much slower they are at most.
const MORE: f64 = 0.6;
const SLOWER: f64 = 0.08;
/// Error of a direction at the array, degrees; wind across the way comes on top.
const ARRAY_DEG: f64 = 1.0;
/// Standard deviation of directions of the sea, degrees.
const SEA_DEG: f64 = 8.0;
/// Share of the other false detections that begin a train, how many more come, on
/// the mean, and within how long, s.
const TRAIN: (f64, f64, f64) = (0.2, 2.0, 900.0);
/// Arrays are no closer than this, km.
const APART_KM: f64 = 120.0;

#[derive(Clone, Copy)]
struct Heard {
    t_s: f64,
    array: usize,
    azimuth_deg: f64,
    event: Option<usize>,
}

struct Source {
    t_s: f64,
    at: LatLon,
    spot: Spot,
    heard: Vec<Heard>,
}

#[derive(Serialize)]
struct Meta<'a> {
    title: &'a str,
    seed: u64,
    #[serde(flatten)]
    infrasound: &'a Infrasound,
    t0: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

pub(crate) fn generate<S: Sink>(
    title: &str,
    set: &Infrasound,
    seed: u64,
    sink: &mut S,
) -> Result<Counts, S::Error> {
    let plane = Plane::new(LatLon::new(set.lat0, set.lon0).expect("the scenario was checked"));
    let arrays = arrays(set, &plane, &mut Chance::new(seed, "arrays"));
    let own = Streams::new(seed, "explosions");
    let mut sources: Vec<Source> =
        (0..set.events).map(|n| source(set, &plane, &arrays, &mut own.nth(n as u64))).collect();
    sources.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let mut all = Vec::new();
    for (index, one) in sources.iter().enumerate() {
        all.extend(one.heard.iter().map(|heard| Heard { event: Some(index), ..*heard }));
    }
    let true_arrivals = all.len() as u64;
    for array in 0..arrays.len() {
        others(set, array, &mut Streams::new(seed, "false detections").nth(array as u64), &mut all);
    }
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.array.cmp(&b.array)));
    write(&plane, &arrays, &sources, &all, Delivery::new(seed), sink)?;
    let counts = Counts {
        n_events: sources.len() as u64,
        n_acoustic: all.len() as u64,
        n_true_arrivals: true_arrivals,
        n_false: all.len() as u64 - true_arrivals,
        ..Counts::default()
    };
    let meta = Meta { title, seed, infrasound: set, t0: T0, counts };
    let text = serde_json::to_string_pretty(&meta).expect("plain numbers and text") + "\n";
    sink.put(Part::Meta, &text)?;
    Ok(counts)
}

fn anywhere(set: &Infrasound, chance: &mut Chance) -> Spot {
    let half_km = set.side_km / 2.0;
    Spot { x_km: chance.between(-half_km, half_km), y_km: chance.between(-half_km, half_km) }
}

/// Arrays, as far apart as the square allows.
fn arrays(set: &Infrasound, plane: &Plane, chance: &mut Chance) -> Vec<LatLon> {
    let mut spots: Vec<Spot> = Vec::new();
    let mut apart_km = APART_KM;
    while spots.len() < set.arrays {
        let spot = anywhere(set, chance);
        if spots.iter().all(|other| other.km_to(spot) >= apart_km) {
            spots.push(spot);
        }
        apart_km *= 0.99;
    }
    spots.into_iter().map(|spot| rounded(plane.position(spot))).collect()
}

/// An explosion that two arrays or more detect.
fn source(set: &Infrasound, plane: &Plane, arrays: &[LatLon], chance: &mut Chance) -> Source {
    loop {
        let spot = anywhere(set, chance);
        let at = rounded(plane.position(spot));
        let t_s = domain::probability::rounded(chance.between(0.0, set.hours * 3600.0), 2);
        let mut one = Source { t_s, at, spot, heard: Vec::new() };
        let mut by = 0;
        for (array, there) in arrays.iter().enumerate() {
            let km = there.distance_m(at) / 1e3;
            let far = km / set.reach_km;
            if !chance.happens(set.detect * libm::exp(-far * far)) {
                continue;
            }
            by += 1;
            let (mean, sd) = chance.weighted(&DUCTS);
            let celerity = mean + sd * chance.normal();
            let turned_deg = set.azimuth_deg * chance.normal();
            let way_deg = there.bearing_deg(at) + turned_deg;
            for more in 0..=chance.poisson(MORE) {
                let slower = if more == 0 { 1.0 } else { 1.0 - chance.between(0.0, SLOWER) };
                one.heard.push(Heard {
                    t_s: t_s + km / (celerity * slower),
                    array,
                    azimuth_deg: way_deg + ARRAY_DEG * chance.normal(),
                    event: None,
                });
            }
        }
        if by >= 2 {
            return one;
        }
    }
}

/// What an array detects besides: the sea from one side, and anything.
fn others(set: &Infrasound, array: usize, chance: &mut Chance, out: &mut Vec<Heard>) {
    let end_s = set.hours * 3600.0;
    let sea_deg = chance.between(0.0, 360.0);
    for _ in 0..chance.poisson_large(set.false_per_day * set.hours / 24.0) {
        let t_s = chance.between(0.0, end_s);
        let event = None;
        if chance.happens(set.sea_share) {
            let azimuth_deg = sea_deg + SEA_DEG * chance.normal();
            out.push(Heard { t_s, array, azimuth_deg, event });
            continue;
        }
        let azimuth_deg = chance.between(0.0, 360.0);
        out.push(Heard { t_s, array, azimuth_deg, event });
        let (share, count, within_s) = TRAIN;
        if chance.happens(share) {
            for _ in 0..chance.poisson(count) {
                let t_s = t_s + chance.between(0.0, within_s);
                let azimuth_deg = azimuth_deg + 2.0 * ARRAY_DEG * chance.normal();
                out.push(Heard { t_s, array, azimuth_deg, event });
            }
        }
    }
}

/// A moment of January 2026, in which every set lies.
fn moment(t_s: f64) -> String {
    let ms = libm::round(t_s * 1e3) as u64;
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    let (s, ms) = (ms / 1_000, ms % 1_000);
    format!("2026-01-{:02}T{:02}:{:02}:{:02}.{ms:03}", days + 1, s / 3600, s / 60 % 60, s % 60)
}

fn write<S: Sink>(
    plane: &Plane,
    arrays: &[LatLon],
    sources: &[Source],
    all: &[Heard],
    mut delivery: Delivery,
    sink: &mut S,
) -> Result<(), S::Error> {
    sink.put(Part::TruthAssoc, "det,event\n")?;
    let mut row = String::new();
    for (number, heard) in (1_u64..).zip(all) {
        let at = arrays[heard.array];
        let turn = heard.azimuth_deg - 360.0 * libm::floor(heard.azimuth_deg / 360.0);
        row.clear();
        row.push_str(if number == 1 { "[\n" } else { ",\n" });
        let _ = write!(
            row,
            "{{\"Name\": \"A{}\", \"Time (UTC)\": \"{}\", \"Received (UTC)\": \"{}\", \"Latitude\": {}, \"Longitude\": {}, \"Back Azimuth\": ",
            heard.array,
            moment(heard.t_s),
            moment(delivery.received_s(heard.t_s)),
            at.lat(),
            at.lon()
        );
        fixed(&mut row, turn, 2);
        row.push('}');
        sink.put(Part::Arrays, &row)?;
        row.clear();
        row.push_str("arrays:");
        whole(&mut row, number);
        row.push(',');
        if let Some(event) = heard.event {
            id(&mut row, 'E', event as u64);
        }
        row.push('\n');
        sink.put(Part::TruthAssoc, &row)?;
    }
    sink.put(Part::Arrays, if all.is_empty() { "[]\n" } else { "\n]\n" })?;
    sink.put(Part::Truth, "event,t_s,lat,lon,x_km,y_km,n_det\n")?;
    for (number, source) in (0_u64..).zip(sources) {
        row.clear();
        id(&mut row, 'E', number);
        let spot = plane.spot(source.at);
        debug_assert!(spot.km_to(source.spot) < 0.1);
        for (value, decimals) in [
            (source.t_s, 2),
            (source.at.lat(), 7),
            (source.at.lon(), 7),
            (spot.x_km, 5),
            (spot.y_km, 5),
        ] {
            row.push(',');
            fixed(&mut row, value, decimals);
        }
        row.push(',');
        whole(&mut row, source.heard.len() as u64);
        row.push('\n');
        sink.put(Part::Truth, &row)?;
    }
    Ok(())
}
