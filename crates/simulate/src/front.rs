//! The set of an acoustic front: what does not change with time, the stream,
//! and the truth.

use chance::Chance;
use domain::LatLon;
use serde::Serialize;

use crate::bound::Information;
use crate::deception::{self, Attack};
use crate::elsewhere;
use crate::hearing::Network;
use crate::land::{self, Line, Sensor};
use crate::medium::Medium;
use crate::plane::{Plane, Spot};
use crate::scenario::{Front, Scenario, Storms};
use crate::storms::{self, Storm};
use crate::stream::{Counts, Made, Stream};
use crate::volleys::{self, Event};
use crate::write::{Part, Sink, fixed, id, sensor, whole};

/// `meta.json`.
#[derive(Serialize)]
struct Meta<'a> {
    title: &'a str,
    seed: u64,
    #[serde(flatten)]
    front: &'a Front,
    t0: &'a str,
    #[serde(flatten)]
    counts: Counts,
    sound_speed_nominal: f64,
    departures: &'a crate::scenario::Departures,
    innocent: &'a crate::scenario::Innocent,
    deception: &'a crate::scenario::Deception,
    #[serde(skip_serializing_if = "Storms::is_none")]
    storms: &'a Storms,
}

/// The moment from which sets count their seconds.
pub(crate) const T0: &str = "2026-01-01T00:00:00Z";

pub(crate) fn generate<S: Sink>(
    scenario: &Scenario,
    front: &Front,
    seed: u64,
    sink: &mut S,
) -> Result<Counts, S::Error> {
    let origin = LatLon::new(front.lat0, front.lon0).expect("the scenario was checked");
    let plane = Plane::new(origin);
    let line = Line::new(&mut Chance::new(seed, "line"));
    let sensors = land::sensors(front, &scenario.departures, &plane, &line, seed);
    let medium = Medium::new(front, &line, seed);
    let events = volleys::events(front, &scenario.innocent, &plane, &line, seed);
    let attacks = deception::attacks(front, &scenario.deception, &events, &plane, &line, seed);
    let storms = storms::storms(front, &scenario.storms, &events, &line, seed);
    let others =
        elsewhere::others(front, &scenario.innocent, &events, &attacks, &plane, &line, seed);
    sink.put(Part::Stations, &stations(&sensors))?;
    sink.put(Part::Outages, &outages(&sensors))?;
    sink.put(Part::Met, &met(&medium, &plane))?;
    sink.put(Part::TruthFaults, &faults(&sensors))?;
    let network = Network {
        front,
        departures: &scenario.departures,
        sensors: &sensors,
        medium: &medium,
        quietest_db: sensors.iter().map(|sensor| sensor.floor_db).fold(f64::INFINITY, f64::min),
    };
    let stream = Stream::new(scenario, network, &events, (&attacks, &storms), &others, seed, sink);
    let Made { mut counts, heard, by_attack, by_storm } = stream.run()?;
    let with = |least: u32| heard.iter().filter(|(count, _)| *count >= least).count() as u64;
    counts.n_det_ge3 = with(3);
    counts.n_det_ge4 = with(4);
    truth(front, &events, &heard, sink)?;
    if !attacks.is_empty() {
        sink.put(Part::TruthAttacks, &attack_rows(&attacks, &by_attack))?;
    }
    if !storms.is_empty() {
        sink.put(Part::TruthStorms, &storm_rows(&storms, &by_storm, &plane))?;
    }
    let meta = Meta {
        title: &scenario.title,
        seed,
        front,
        t0: T0,
        counts,
        sound_speed_nominal: 340.0,
        departures: &scenario.departures,
        innocent: &scenario.innocent,
        deception: &scenario.deception,
        storms: &scenario.storms,
    };
    let text = serde_json::to_string_pretty(&meta).expect("plain numbers and text") + "\n";
    sink.put(Part::Meta, &text)?;
    Ok(counts)
}

fn place(out: &mut String, at: LatLon) {
    fixed(out, at.lat(), 7);
    out.push(',');
    fixed(out, at.lon(), 7);
}

fn on_plane(out: &mut String, spot: Spot, decimals: usize) {
    fixed(out, spot.x_km, decimals);
    out.push(',');
    fixed(out, spot.y_km, decimals);
}

fn stations(sensors: &[Sensor]) -> String {
    let mut out = String::from("station,lat,lon,elev_m,x_km,y_km,array\n");
    for (index, one) in sensors.iter().enumerate() {
        sensor(&mut out, index);
        out.push(',');
        place(&mut out, one.listed.0);
        out.push(',');
        fixed(&mut out, one.elev_m, 1);
        out.push(',');
        on_plane(&mut out, one.listed.1, 5);
        out.push_str(if one.array { ",1\n" } else { ",0\n" });
    }
    out
}

fn outages(sensors: &[Sensor]) -> String {
    let mut out = String::from("station,start_s,end_s\n");
    for (index, one) in sensors.iter().enumerate() {
        for (from, to) in &one.listed_outages {
            sensor(&mut out, index);
            out.push(',');
            fixed(&mut out, *from, 1);
            out.push(',');
            fixed(&mut out, *to, 1);
            out.push('\n');
        }
    }
    out
}

fn met(medium: &Medium, plane: &Plane) -> String {
    let mut out = String::from("t_s,lat,lon,x_km,y_km,wind_e,wind_n,temp_c\n");
    for (node, spot) in medium.nodes.iter().enumerate() {
        let at = plane.position(*spot);
        for hour in 0..medium.hours {
            let air = medium.forecast(node, hour);
            whole(&mut out, hour as u64 * 3600);
            out.push(',');
            fixed(&mut out, at.lat(), 5);
            out.push(',');
            fixed(&mut out, at.lon(), 5);
            out.push(',');
            on_plane(&mut out, *spot, 3);
            for value in air {
                out.push(',');
                fixed(&mut out, value, 2);
            }
            out.push('\n');
        }
    }
    out
}

fn faults(sensors: &[Sensor]) -> String {
    let mut out = String::from(
        "station,floor_db,clock_s,alarms_per_hour,stuck_beat_s,stuck_start_s,stuck_end_s,drift_ppm,\
         jump_s,jump_start_s,jump_end_s,gain_db,reading_db,misplaced_m,silent_outages\n",
    );
    for (index, one) in sensors.iter().enumerate() {
        let fault = &one.fault;
        sensor(&mut out, index);
        let mut cell = |value: Option<f64>, decimals: usize| {
            out.push(',');
            if let Some(value) = value {
                fixed(&mut out, value, decimals);
            }
        };
        cell(Some(one.floor_db), 2);
        cell(Some(one.clock_s), 4);
        cell(Some(one.alarms_per_hour), 3);
        cell(fault.stuck.map(|(beat, _, _)| beat), 2);
        cell(fault.stuck.map(|(_, from, _)| from), 1);
        cell(fault.stuck.map(|(_, _, to)| to), 1);
        cell(Some(fault.drift * 1e6), 2);
        cell(fault.jump.map(|(size, _, _)| size), 3);
        cell(fault.jump.map(|(_, from, _)| from), 1);
        cell(fault.jump.map(|(_, _, to)| to), 1);
        cell(Some(fault.gain_db), 1);
        cell(Some(fault.reading_db), 1);
        cell(Some(one.spot.km_to(one.listed.1) * 1e3), 1);
        cell(Some((one.outages.len() - one.listed_outages.len()) as f64), 0);
        out.push('\n');
    }
    out
}

fn truth<S: Sink>(
    front: &Front,
    events: &[Event],
    heard: &[(u32, Information)],
    sink: &mut S,
) -> Result<(), S::Error> {
    sink.put(Part::Truth, "event,t_s,lat,lon,x_km,y_km,type,role,level_db,volley,n_det,crlb_m\n")?;
    let mut row = String::new();
    for ((index, event), (count, information)) in (0u64..).zip(events).zip(heard) {
        row.clear();
        id(&mut row, 'E', index);
        row.push(',');
        fixed(&mut row, event.t_s, 4);
        row.push(',');
        place(&mut row, event.at);
        row.push(',');
        on_plane(&mut row, event.spot, 5);
        row.push(',');
        row.push_str(event.kind.name());
        row.push(',');
        row.push_str(event.role.name());
        row.push(',');
        fixed(&mut row, event.level_db, 1);
        row.push(',');
        whole(&mut row, event.volley as u64);
        row.push(',');
        whole(&mut row, u64::from(*count));
        row.push(',');
        // Two arrivals and the forecast's prior do not fix a place.
        let bound = (*count >= 3).then(|| information.bound_m(front.wind_err, front.temp_err));
        match bound.flatten() {
            Some(bound_m) => fixed(&mut row, bound_m, 2),
            None => row.push_str("nan"),
        }
        row.push('\n');
        sink.put(Part::Truth, &row)?;
    }
    Ok(())
}

fn attack_rows(attacks: &[Attack], by_attack: &[u32]) -> String {
    let mut out = String::from("attack,kind,t_s,lat,lon,x_km,y_km,n_det\n");
    for ((index, attack), count) in (0u64..).zip(attacks).zip(by_attack) {
        id(&mut out, 'A', index);
        out.push(',');
        out.push_str(attack.kind.name());
        out.push(',');
        fixed(&mut out, attack.t_s, 4);
        out.push(',');
        place(&mut out, attack.at);
        out.push(',');
        on_plane(&mut out, attack.spot, 5);
        out.push(',');
        whole(&mut out, u64::from(*count));
        out.push('\n');
    }
    out
}

fn storm_rows(storms: &[Storm], by_storm: &[u32], plane: &Plane) -> String {
    let mut out = String::from(
        "storm,kind,from_s,to_s,lat,lon,x_km,y_km,radius_km,east_m_s,north_m_s,every_s,n_det\n",
    );
    for ((index, storm), count) in (0u64..).zip(storms).zip(by_storm) {
        id(&mut out, 'W', index);
        out.push(',');
        out.push_str(storm.sort.name);
        for (value, decimals) in [(storm.from_s, 1), (storm.to_s, 1)] {
            out.push(',');
            fixed(&mut out, value, decimals);
        }
        out.push(',');
        place(&mut out, plane.position(storm.spot));
        out.push(',');
        on_plane(&mut out, storm.spot, 3);
        let moves = (1e3 * storm.moves.0, 1e3 * storm.moves.1);
        for value in [storm.radius_km, moves.0, moves.1, storm.every_s] {
            out.push(',');
            fixed(&mut out, value, 2);
        }
        out.push(',');
        whole(&mut out, u64::from(*count));
        out.push('\n');
    }
    out
}
