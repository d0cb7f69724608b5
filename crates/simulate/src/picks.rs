//! P and S picks of a seismic network.
//!
//! How many stations pick an earthquake, how far off the picks are and how many
//! false ones there are follows the sets on which phase associators are
//! compared (Münchmeyer 2024, section 3.1); the crust is another one.

use chance::{Chance, Streams};
use domain::LatLon;
use serde::Serialize;

use crate::crust::{LAYERS, Phase, first_arrival_s};
use crate::delivery::Delivery;
use crate::front::T0;
use crate::land::rounded;
use crate::plane::{Plane, Spot};
use crate::scenario::Seismic;
use crate::stream::Counts;
use crate::write::{Part, Sink, fixed, id, sensor, whole};

/// Magnitudes begin here; a tenth as many for each unit more.
const MAGNITUDE_MIN: f64 = -0.5;
/// An earthquake of magnitude m is picked up to about 80 + 120 m km.
const REACH_KM: (f64, f64) = (80.0, 120.0);
/// Least width of the edge of that, km.
const EDGE_KM: f64 = 30.0;
/// Share of picks that are missed anywhere.
const MISSED: f64 = 0.2;
/// Correlation of having a P and an S pick at a station.
const BOTH: f64 = 0.5;
/// An earthquake counts if so many stations have both, and so many picks.
const LEAST: (usize, usize) = (4, 10);

struct Quake {
    t_s: f64,
    at: LatLon,
    spot: Spot,
    depth_km: f64,
    magnitude: f64,
    picks: Vec<Pick>,
}

#[derive(Clone, Copy)]
struct Pick {
    t_s: f64,
    station: usize,
    phase: Phase,
    event: Option<usize>,
}

#[derive(Serialize)]
struct Meta<'a> {
    title: &'a str,
    seed: u64,
    #[serde(flatten)]
    seismic: &'a Seismic,
    t0: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

pub(crate) fn generate<S: Sink>(
    title: &str,
    seismic: &Seismic,
    seed: u64,
    sink: &mut S,
) -> Result<Counts, S::Error> {
    let origin = LatLon::new(seismic.lat0, seismic.lon0).expect("the scenario was checked");
    let plane = Plane::new(origin);
    let stations: Vec<(LatLon, Spot)> = (0..seismic.grid * seismic.grid)
        .map(|index| {
            let along = |n: usize| (n as f64 / (seismic.grid - 1) as f64 - 0.5) * seismic.side_km;
            let spot =
                Spot { x_km: along(index % seismic.grid), y_km: along(index / seismic.grid) };
            let at = rounded(plane.position(spot));
            (at, plane.spot(at))
        })
        .collect();
    sink.put(Part::Stations, &station_rows(&stations))?;
    sink.put(Part::Velocity, &velocity_rows())?;
    let own = Streams::new(seed, "earthquakes");
    let mut quakes: Vec<Quake> = (0..seismic.events)
        .map(|index| quake(seismic, &plane, &stations, &mut own.nth(index as u64)))
        .collect();
    quakes.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let mut picks = Vec::new();
    for (index, one) in quakes.iter().enumerate() {
        picks.extend(one.picks.iter().map(|pick| Pick { event: Some(index), ..*pick }));
    }
    let mut counts = Counts {
        n_events: quakes.len() as u64,
        n_true_arrivals: picks.len() as u64,
        ..Counts::default()
    };
    let mut chance = Chance::new(seed, "false picks");
    for _ in 0..(picks.len() as f64 * seismic.noise) as usize {
        picks.push(Pick {
            t_s: domain::probability::rounded(chance.between(0.0, seismic.hours * 3600.0), 4),
            station: chance.below(stations.len()),
            phase: if chance.happens(0.5) { Phase::P } else { Phase::S },
            event: None,
        });
    }
    picks.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)));
    write(&quakes, &picks, Delivery::new(seed), sink)?;
    counts.n_acoustic = picks.len() as u64;
    counts.n_false = picks.len() as u64 - counts.n_true_arrivals;
    counts.n_det_ge3 = counts.n_events;
    counts.n_det_ge4 = counts.n_events;
    let meta = Meta { title, seed, seismic, t0: T0, counts };
    let text = serde_json::to_string_pretty(&meta).expect("plain numbers and text") + "\n";
    sink.put(Part::Meta, &text)?;
    Ok(counts)
}

/// An earthquake that enough stations pick.
fn quake(
    seismic: &Seismic,
    plane: &Plane,
    stations: &[(LatLon, Spot)],
    chance: &mut Chance,
) -> Quake {
    loop {
        let half_km = seismic.side_km / 2.0;
        let spot = Spot {
            x_km: chance.between(-half_km, half_km),
            y_km: chance.between(-half_km, half_km),
        };
        let at = rounded(plane.position(spot));
        let mut one = Quake {
            t_s: domain::probability::rounded(chance.between(0.0, seismic.hours * 3600.0), 4),
            at,
            spot: plane.spot(at),
            depth_km: domain::probability::rounded(chance.between(0.0, seismic.depth_km_max), 3),
            magnitude: MAGNITUDE_MIN + chance.exponential(1.0 / std::f64::consts::LN_10),
            picks: Vec::new(),
        };
        let reach_km = REACH_KM.0 + REACH_KM.1 * one.magnitude;
        let edge_km = (0.1 * reach_km).max(EDGE_KM);
        let mut with_both = 0;
        for (station, (_, there)) in stations.iter().enumerate() {
            let far_km = one.spot.km_to(*there);
            let slant_km = libm::hypot(far_km, one.depth_km);
            let p = (1.0 - MISSED) / (1.0 + libm::exp((slant_km - reach_km) / edge_km));
            let has_p = chance.happens(p);
            let has_s = chance.happens(if has_p { BOTH * (1.0 - p) + p } else { p - BOTH * p });
            for (has, phase) in [(has_p, Phase::P), (has_s, Phase::S)] {
                if !has {
                    continue;
                }
                let travel_s = first_arrival_s(far_km, one.depth_km, phase);
                let sd_s = (seismic.path_err * travel_s).max(seismic.pick_s);
                let t_s = one.t_s + travel_s + sd_s * chance.normal();
                let t_s = domain::probability::rounded(t_s, 4);
                one.picks.push(Pick { t_s, station, phase, event: None });
            }
            with_both += usize::from(has_p && has_s);
        }
        if with_both >= LEAST.0 && one.picks.len() >= LEAST.1 {
            return one;
        }
    }
}

fn station_rows(stations: &[(LatLon, Spot)]) -> String {
    let mut out = String::from("station,lat,lon,elev_m,x_km,y_km,array\n");
    for (index, (at, spot)) in stations.iter().enumerate() {
        sensor(&mut out, index);
        for (value, decimals) in
            [(at.lat(), 7), (at.lon(), 7), (0.0, 1), (spot.x_km, 5), (spot.y_km, 5)]
        {
            out.push(',');
            fixed(&mut out, value, decimals);
        }
        out.push_str(",0\n");
    }
    out
}

fn velocity_rows() -> String {
    let mut out = String::from("depth_km,p_km_s,s_km_s\n");
    for (top, p, s) in LAYERS {
        for (index, value) in [top, p, s].into_iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            fixed(&mut out, value, 2);
        }
        out.push('\n');
    }
    out
}

/// A pick as it comes in.
fn line(number: u64, pick: &Pick, received_s: f64) -> String {
    let mut line = String::from("{\"id\":\"");
    id(&mut line, 'D', number);
    line.push_str("\",\"kind\":\"pick\",\"recv\":");
    fixed(&mut line, received_s, 2);
    line.push_str(",\"station\":\"");
    sensor(&mut line, pick.station);
    line.push_str("\",\"phase\":\"");
    line.push(pick.phase.letter());
    line.push_str("\",\"t\":");
    fixed(&mut line, pick.t_s, 4);
    line.push_str("}\n");
    line
}

fn write<S: Sink>(
    quakes: &[Quake],
    picks: &[Pick],
    mut delivery: Delivery,
    sink: &mut S,
) -> Result<(), S::Error> {
    sink.put(Part::Picks, "det,station,phase,t_s\n")?;
    sink.put(Part::TruthAssoc, "det,event\n")?;
    let mut row = String::new();
    for (number, pick) in (0u64..).zip(picks) {
        row.clear();
        id(&mut row, 'D', number);
        row.push(',');
        sensor(&mut row, pick.station);
        row.push(',');
        row.push(pick.phase.letter());
        row.push(',');
        fixed(&mut row, pick.t_s, 4);
        row.push('\n');
        sink.put(Part::Picks, &row)?;
        let received_s = delivery.received_s(pick.t_s);
        delivery.take(received_s, line(number, pick, received_s));
        row.clear();
        id(&mut row, 'D', number);
        row.push(',');
        if let Some(event) = pick.event {
            id(&mut row, 'E', event as u64);
        }
        row.push('\n');
        sink.put(Part::TruthAssoc, &row)?;
    }
    delivery.put(Part::PickStream, sink)?;
    sink.put(Part::Truth, "event,t_s,lat,lon,x_km,y_km,depth_km,magnitude,n_det\n")?;
    for (number, quake) in (0u64..).zip(quakes) {
        row.clear();
        id(&mut row, 'E', number);
        for (value, decimals) in [
            (quake.t_s, 4),
            (quake.at.lat(), 7),
            (quake.at.lon(), 7),
            (quake.spot.x_km, 5),
            (quake.spot.y_km, 5),
            (quake.depth_km, 3),
            (quake.magnitude, 2),
        ] {
            row.push(',');
            fixed(&mut row, value, decimals);
        }
        row.push(',');
        whole(&mut row, quake.picks.len() as u64);
        row.push('\n');
        sink.put(Part::Truth, &row)?;
    }
    Ok(())
}
