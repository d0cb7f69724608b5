//! What every set must be: the same for the same seed, readable, in order, and
//! true to its own truth.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use simulate::scenario::{self, Scenario};

type Files = BTreeMap<&'static str, String>;
type Rows = Vec<BTreeMap<String, String>>;

fn shipped(name: &str, hours: f64) -> Scenario {
    let text = strict::Text::new(name, scenario::shipped_text(name).unwrap());
    scenario::parse(&text).unwrap().with_hours(hours).unwrap()
}

fn files(scenario: &Scenario, seed: u64) -> Files {
    let mut files = Files::new();
    simulate::generate(scenario, seed, &mut files).unwrap();
    files
}

fn rows(text: &str) -> Rows {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        })
        .collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn d1_the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for (name, hours) in [
        ("S", 2.0),
        ("hard", 1.0),
        ("red-team", 1.0),
        ("shallow-500", 24.0),
        ("infrasound", 24.0),
        ("seismic-2d", 3.0),
    ] {
        let scenario = shipped(name, hours);
        assert_eq!(files(&scenario, 7), files(&scenario, 7), "{name}");
        assert_ne!(digest(&files(&scenario, 7)), digest(&files(&scenario, 8)), "{name}");
    }
}

/// Sets are part of what is published about the engine: whoever makes one again
/// must get the same. A change of these digests is a new version of the sets.
#[test]
fn d1_golden_sets_are_what_they_were() {
    let found: Vec<String> = [("S", 0.5), ("hard", 0.5), ("red-team", 0.5), ("shallow-500", 1.0)]
        .into_iter()
        .map(|(name, hours)| format!("{name} {}", digest(&files(&shipped(name, hours), 1))))
        .collect();
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [&str; 4] = [
    "S 04680c9f46c6c37e4eb18d0dd042d22b7b13a27523f5a96f8324fff95511407d",
    "hard 33e3fdd0c92fab6379955950df310b021162538db7bf283559d5bd1ad3a5f2ea",
    "red-team 3afb81666b9a1a663ab00b87eb7f641aa3e7639bfcc78238dead4f700ae9e590",
    "shallow-500 64a2f65adc7f8eecf785fc4f626885c5cbd57c6bf0f7f37cf2734a5b98c74e3d",
];

#[test]
fn every_shipped_scenario_makes_a_set_that_can_be_read() {
    for (name, _) in scenario::shipped() {
        if name == "infrasound" {
            continue;
        }
        let hours = if name.starts_with('L') { 0.02 } else { 0.5 };
        check(&files(&shipped(name, hours), 3), name);
    }
}

#[test]
fn detections_of_arrays_come_from_their_explosions() {
    let files = files(&shipped("infrasound", 48.0), 3);
    let list: Vec<serde_json::Value> = serde_json::from_str(&files["arrays.dets.json"]).unwrap();
    let events: BTreeMap<String, BTreeMap<String, String>> =
        rows(&files["truth.csv"]).into_iter().map(|row| (row["event"].clone(), row)).collect();
    let owners = rows(&files["truth_assoc.csv"]);
    assert_eq!((list.len(), events.len()), (owners.len(), 100));
    let mut arrays: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (row, (owner, d)) in (1..).zip(owners.iter().zip(&list)) {
        assert_eq!(owner["det"], format!("arrays:{row}"));
        assert!((0.0..=360.0).contains(&d["Back Azimuth"].as_f64().unwrap()), "{d}");
        if owner["event"].is_empty() {
            continue;
        }
        let event = &events[&owner["event"]];
        arrays.entry(&owner["event"]).or_default().insert(d["Name"].as_str().unwrap());
        let at = |lat, lon| domain::LatLon::new(lat, lon).unwrap();
        let place = |field: &str| d[field].as_f64().unwrap();
        let array = at(place("Latitude"), place("Longitude"));
        let km = array.distance_m(at(number(event, "lat"), number(event, "lon"))) / 1e3;
        let time = d["Time (UTC)"].as_str().unwrap();
        let part = |from: usize, to: usize| time[from..to].parse::<f64>().unwrap();
        let t_s = (part(8, 10) - 1.0) * 86_400.0
            + part(11, 13) * 3_600.0
            + part(14, 16) * 60.0
            + part(17, 23);
        assert!(time < d["Received (UTC)"].as_str().unwrap(), "{d}");
        let celerity = km / (t_s - number(event, "t_s"));
        assert!((0.15..0.38).contains(&celerity), "{celerity} {d}");
    }
    assert!(arrays.len() == 100 && arrays.values().all(|heard| heard.len() >= 2));
}

/// Everything that must hold for any set.
fn check(files: &Files, name: &str) {
    let is_table = |file: &str| std::path::Path::new(file).extension() == Some("csv".as_ref());
    let tables = files.iter().filter(|(file, _)| is_table(file));
    for (file, text) in tables {
        assert!(text.ends_with('\n'), "{name} {file}");
        rows(text);
    }
    let meta: serde_json::Value = serde_json::from_str(&files["meta.json"]).unwrap();
    let stations: BTreeMap<String, BTreeMap<String, String>> =
        rows(&files["stations.csv"]).into_iter().map(|row| (row["station"].clone(), row)).collect();
    if files.contains_key("arrivals.csv") {
        check_globe(files, &stations, name);
        check_stream(files, "arrivals.ndjson", "arrival", &rows(&files["arrivals.csv"]), name);
        return;
    }
    let acoustic = files.contains_key("detections.csv");
    let detections = rows(&files[if acoustic { "detections.csv" } else { "picks.csv" }]);
    let events: BTreeMap<String, BTreeMap<String, String>> =
        rows(&files["truth.csv"]).into_iter().map(|row| (row["event"].clone(), row)).collect();
    assert_eq!(meta["n_events"], events.len(), "{name}");
    assert_eq!(meta["n_acoustic"], detections.len(), "{name}");

    let mut before = f64::NEG_INFINITY;
    for (index, row) in detections.iter().enumerate() {
        assert_eq!(row["det"], format!("D{index}"), "{name}");
        let t_s = number(row, "t_s");
        assert!(t_s >= before, "{name}: {row:?} is out of order");
        before = t_s;
        assert!(stations.contains_key(&row["station"]), "{name}: {row:?}");
    }
    let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
    let owners = rows(&files["truth_assoc.csv"]);
    for owner in owners.iter().filter(|owner| owner["det"].starts_with('D')) {
        let detection = &detections[owner["det"][1..].parse::<usize>().unwrap()];
        if owner["event"].is_empty() {
            continue;
        }
        let event = &events[&owner["event"]];
        *counted.entry(owner["event"].as_str()).or_default() += 1;
        let station = &stations[&detection["station"]];
        let km = libm::hypot(
            number(station, "x_km") - number(event, "x_km"),
            number(station, "y_km") - number(event, "y_km"),
        );
        let took_s = number(detection, "t_s") - number(event, "t_s");
        let (slowest, fastest) = if acoustic { (0.28, 0.40) } else { (3.0, 8.1) };
        // Clocks that jump are the widest departure; otherwise late arrivals and
        // noise, a few seconds.
        let slack_s = if name == "hard" { 30.0 } else { 8.0 };
        let depth_km = event.get("depth_km").map_or(0.0, |depth| depth.parse().unwrap());
        let farthest_s = libm::hypot(km, depth_km) / slowest;
        assert!(took_s > km / fastest - slack_s, "{name}: {owner:?} after {took_s} s at {km} km");
        assert!(took_s < farthest_s + slack_s, "{name}: {owner:?} after {took_s} s at {km} km");
        assert!(km < if acoustic { 120.0 } else { 400.0 }, "{name}: {owner:?} at {km} km");
    }
    for (id, event) in &events {
        let found = counted.get(id.as_str()).copied().unwrap_or(0);
        assert_eq!(event["n_det"], found.to_string(), "{name}: {id}");
        if acoustic {
            let bound = number(event, "crlb_m");
            assert!(bound.is_nan() || bound > 0.5, "{name}: {event:?}");
            assert!(found >= 3 || bound.is_nan(), "{name}: {event:?}");
        }
    }
    let (stream, kind) =
        if acoustic { ("detections.ndjson", "acoustic") } else { ("picks.ndjson", "pick") };
    check_stream(files, stream, kind, &detections, name);
    if acoustic {
        check_down_times(files, &detections, name);
    }
}

/// What a global network heard is where and when it says, in both parts of the set.
fn check_globe(files: &Files, stations: &BTreeMap<String, BTreeMap<String, String>>, name: &str) {
    for part in ["", "training/"] {
        let table = |file: &str| rows(&files[format!("{part}{file}").as_str()]);
        let (arrivals, truth) = (table("arrivals.csv"), table("truth.csv"));
        let windows: Vec<(f64, f64)> = table("windows.csv")
            .iter()
            .map(|row| (number(row, "start_s"), number(row, "end_s")))
            .collect();
        let within = |t_s: f64| windows.iter().any(|(from, to)| (*from..=*to).contains(&t_s));
        let events: BTreeMap<_, _> = truth.iter().map(|row| (row["event"].clone(), row)).collect();
        let mut counted: BTreeMap<String, u32> = BTreeMap::new();
        for (index, (row, owner)) in arrivals.iter().zip(table("truth_assoc.csv")).enumerate() {
            assert_eq!(row["det"], format!("D{index}"), "{name}");
            assert_eq!(row["det"], owner["det"], "{name}");
            assert!(stations.contains_key(&row["station"]), "{name}: {row:?}");
            assert!(number(row, "amplitude") > 0.0, "{name}: {row:?}");
            if owner["event"].is_empty() {
                assert!(within(number(row, "t_s")), "{name}: {row:?}");
                continue;
            }
            *counted.entry(owner["event"].clone()).or_default() += 1;
            let took_s = number(row, "t_s") - number(events[&owner["event"]], "t_s");
            assert!((-20.0..1_220.0).contains(&took_s), "{name}: {row:?} after {took_s} s");
        }
        for event in &truth {
            assert!(within(number(event, "t_s")), "{name}: {event:?}");
            let found = counted.get(&event["event"]).copied().unwrap_or(0);
            assert_eq!(event["n_det"], found.to_string(), "{name}: {event:?}");
        }
    }
    let world: serde_json::Value = serde_json::from_str(&files["truth_performance.json"]).unwrap();
    assert_eq!(world["stations"].as_array().map(Vec::len), Some(stations.len()), "{name}");
}

/// The stream holds every detection once, in the order of arrival, and says what the
/// table says of it.
fn check_stream(files: &Files, stream: &str, kind: &str, detections: &Rows, name: &str) {
    let mut before = f64::NEG_INFINITY;
    let mut seen = vec![false; detections.len()];
    for line in files[stream].lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let recv = line["recv"].as_f64().unwrap();
        assert!(recv >= before, "{name}: {line} is out of order");
        before = recv;
        let id = line["id"].as_str().unwrap();
        if line["kind"] != kind {
            assert!(id.starts_with(['T', 'R']), "{name}: {line}");
            continue;
        }
        let at: usize = id[1..].parse().unwrap();
        assert!(!std::mem::replace(&mut seen[at], true), "{name}: {id} twice");
        assert_eq!(line["station"], detections[at]["station"], "{name}: {id}");
        assert!(recv > line["t"].as_f64().unwrap() - 30.0, "{name}: {line}");
        for (field, value) in line.as_object().unwrap() {
            let column = if field == "t" { "t_s" } else { field };
            let Some(cell) = detections[at].get(column) else { continue };
            match value.as_f64() {
                Some(value) => assert_eq!(value, cell.parse::<f64>().unwrap(), "{name}: {id}"),
                None => assert_eq!(value.as_str(), Some(cell.as_str()), "{name}: {id}"),
            }
        }
    }
    assert!(seen.iter().all(|seen| *seen), "{name}: the stream lacks a detection");
}

/// No sensor speaks while the list says that it is down.
fn check_down_times(files: &Files, detections: &Rows, name: &str) {
    if name == "hard" {
        return; // Its clocks jump.
    }
    for outage in rows(&files["outages.csv"]) {
        let (from, to) = (number(&outage, "start_s"), number(&outage, "end_s"));
        for row in detections.iter().filter(|row| row["station"] == outage["station"]) {
            let t_s = number(row, "t_s");
            // Clocks are off by up to a second.
            assert!(t_s < from + 1.5 || t_s > to - 1.5, "{name}: {row:?} in {outage:?}");
        }
    }
}

#[test]
fn a_set_in_which_nothing_is_heard_has_all_its_files() {
    let mut scenario = shipped("iso", 1.0);
    let front = scenario.front.as_mut().unwrap();
    (front.events_per_day, front.fa_per_hour, front.stations) = (0.0, 0.0, 1);
    let files = files(&scenario, 1);
    check(&files, "nothing");
    assert_eq!(files["detections.ndjson"], "");
}

#[test]
fn a_sensor_never_tells_two_arrivals_apart_that_are_closer_than_its_dead_time() {
    let files = files(&shipped("rockets", 24.0), 5);
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    for row in rows(&files["detections.csv"]) {
        let t_s = number(&row, "t_s");
        if let Some(before) = last.insert(row["station"].clone(), t_s) {
            assert!(t_s - before > 0.2499, "{row:?} {before}");
        }
    }
    let meta: serde_json::Value = serde_json::from_str(&files["meta.json"]).unwrap();
    assert!(meta["n_lost_dead_time"].as_u64().unwrap() > 50, "{meta}");
}

#[test]
fn a_set_cut_short_begins_like_the_longer_one() {
    // Rounds depend on the length (their number does); sensors and air do not.
    let (short, long) = (files(&shipped("S", 1.0), 4), files(&shipped("S", 2.0), 4));
    assert_eq!(short["stations.csv"], long["stations.csv"]);
}

#[test]
fn storms_raise_alarms_where_and_when_they_say_and_change_nothing_else() {
    let files = files(&shipped("storm", 24.0), 3);
    let (detections, owners) = (rows(&files["detections.csv"]), rows(&files["truth_assoc.csv"]));
    let spots: BTreeMap<String, (f64, f64)> = rows(&files["stations.csv"])
        .iter()
        .map(|row| (row["station"].clone(), (number(row, "x_km"), number(row, "y_km"))))
        .collect();
    let alarms: Vec<(f64, (f64, f64))> = detections
        .iter()
        .zip(&owners)
        .filter(|(_, owner)| owner["event"].is_empty())
        .map(|(row, _)| (number(row, "t_s"), spots[&row["station"]]))
        .collect();
    let storms = rows(&files["truth_storms.csv"]);
    let mut raised = 0.0;
    for storm in &storms {
        let (from, to) = (number(storm, "from_s"), number(storm, "to_s"));
        let middle = (number(storm, "x_km"), number(storm, "y_km"));
        let moves = (number(storm, "east_m_s") / 1e3, number(storm, "north_m_s") / 1e3);
        let radius = number(storm, "radius_km");
        let within = alarms.iter().filter(|(t_s, (x, y))| {
            let later = t_s - from;
            let off = (x - middle.0 - moves.0 * later, y - middle.1 - moves.1 * later);
            // Clocks are off by a little.
            (from - 1.0..to + 1.0).contains(t_s) && off.0.hypot(off.1) < radius + 0.05
        });
        let count = number(storm, "n_det");
        assert!(within.count() as f64 >= count, "{storm:?}");
        raised += count;
    }
    assert!(raised > 0.8 * alarms.len() as f64, "{raised} of {}", alarms.len());
    for kind in ["hail", "rain", "gusts", "convoy", "jamming"] {
        assert!(storms.iter().any(|storm| storm["kind"] == kind), "{kind}");
    }
    // When and where, and how loud; what was heard of it is less.
    let truth = |files: &Files| -> Vec<[String; 4]> {
        let cells = ["t_s", "x_km", "y_km", "level_db"];
        rows(&files["truth.csv"]).iter().map(|row| cells.map(|cell| row[cell].clone())).collect()
    };
    let mut calm = shipped("storm", 24.0);
    calm.storms = scenario::Storms::default();
    let calm = self::files(&calm, 3);
    assert!(truth(&files) == truth(&calm), "storms move no event");
    assert!(!calm.contains_key("truth_storms.csv") && !calm["meta.json"].contains("hail"));
}

#[test]
fn what_is_made_up_is_nobodys_arrival_and_is_listed() {
    let files = files(&shipped("red-team", 24.0), 2);
    let owners: BTreeMap<String, String> = rows(&files["truth_assoc.csv"])
        .into_iter()
        .map(|row| (row["det"].clone(), row["event"].clone()))
        .collect();
    let attacks = rows(&files["truth_attacks.csv"]);
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&files["truth_attack_detections.csv"]) {
        assert_eq!(owners[&row["det"]], "", "{row:?}");
        *counts.entry(row["attack"].clone()).or_default() += 1;
    }
    for attack in &attacks {
        let found = counts.get(&attack["attack"]).copied().unwrap_or(0);
        assert_eq!(attack["n_det"], found.to_string(), "{attack:?}");
    }
    for kind in ["spoofed", "fitted", "replayed", "single_sensor", "staged_report"] {
        assert!(attacks.iter().any(|attack| attack["kind"] == kind), "{kind}");
    }
    // Some of the made-up rounds must be able to deceive.
    let heard = attacks.iter().filter(|attack| number(attack, "n_det") >= 4.0).count();
    assert!(heard > 20, "{heard} of {}", attacks.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the numbers of a scenario, within their ranges.
    #[test]
    fn any_scenario_makes_a_set_that_is_true_to_itself(
        seed in any::<u64>(),
        stations in 1usize..60,
        front_km in 1.0..300.0f64,
        events_per_day in 0.0..6000.0f64,
        fa_per_hour in 0.0..30.0f64,
        array_frac in 0.0..1.0f64,
        dead_s in 0.0..2.0f64,
        late_frac in 0.0..0.3f64,
        single in any::<bool>(),
        share in 0.0..0.5f64,
    ) {
        let mut scenario = shipped("S", 0.3);
        let front = scenario.front.as_mut().unwrap();
        front.stations = stations;
        front.front_km = front_km;
        front.events_per_day = events_per_day;
        front.fa_per_hour = fa_per_hour;
        front.array_frac = array_frac;
        front.dead_s = dead_s;
        front.late_frac = late_frac;
        front.single = single;
        scenario.departures.stuck_frac = share;
        scenario.departures.jump_frac = share;
        scenario.departures.drift_frac = share;
        scenario.departures.repeated_frac = share / 10.0;
        scenario.innocent.thunder_per_day = 100.0 * share;
        scenario.deception.spoofed_per_day = 200.0 * share;
        scenario.deception.replayed_per_day = 100.0 * share;
        scenario.deception.held_frac = share;
        check(&files(&scenario, seed), "hard");
    }
}
