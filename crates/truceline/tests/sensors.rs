//! `truceline associate` on the sensor data of the shared folder: labelled P and
//! S picks of twenty stations in Chile, and detections of four infrasound arrays.
//!
//! The data is not part of the repository: it lies in `shared/data/sensors` beside
//! the workspace, or below the folder that `TRUCELINE_SHARED` names.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn sensors() -> Option<PathBuf> {
    let shared = match std::env::var_os("TRUCELINE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let sensors = shared.join("data/sensors");
    if sensors.is_dir() {
        return Some(sensors);
    }
    println!("\n*** SKIPPED: no sensor data in {} ***\n", sensors.display());
    None
}

fn truceline(args: &[&str], paths: &[(&str, &Path)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_truceline"));
    command.args(args);
    for (flag, path) in paths {
        if !flag.is_empty() {
            command.arg(flag);
        }
        command.arg(path);
    }
    let run = command.output().expect("the command runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

fn associate(data: &Path, out: &Path) -> String {
    truceline(&["associate"], &[("--data", data), ("--out", out)])
}

fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        header.iter().zip(line.split(',')).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect()
    };
    lines.map(row).collect()
}

/// Members of each event of an assoc.csv.
fn members(rows: &[BTreeMap<String, String>]) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row["event"].is_empty()) {
        out.entry(row["event"].clone()).or_default().insert(row["det"].clone());
    }
    out
}

/// Seconds since 1970-01-01 of a time on that day or the next.
fn seconds(time: &str) -> f64 {
    let (date, clock) = time.split_once(' ').unwrap();
    let day: f64 = date.rsplit('-').next().unwrap().parse().unwrap();
    let parts: Vec<f64> = clock.split(':').map(|p| p.parse().unwrap()).collect();
    (day - 1.0) * 86_400.0 + parts[0] * 3_600.0 + parts[1] * 60.0 + parts[2]
}

/// The average earth down to where the subducted plate is.
const VELOCITY: &str = "deepest_km = 250\n\
    [[layer]]\ndepth_km = 0\nvp_km_s = 5.8\nvs_km_s = 3.36\n\
    [[layer]]\ndepth_km = 20\nvp_km_s = 6.5\nvs_km_s = 3.75\n\
    [[layer]]\ndepth_km = 35\nvp_km_s = 8.04\nvs_km_s = 4.47\n\
    [[layer]]\ndepth_km = 120\nvp_km_s = 8.11\nvs_km_s = 4.5\n\
    [[layer]]\ndepth_km = 210\nvp_km_s = 8.39\nvs_km_s = 4.55\n";

#[test]
fn labelled_earthquakes_are_recovered() {
    let Some(sensors) = sensors() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    fs::create_dir_all(&data).unwrap();
    let mut stations = String::from("station,lat,lon,elev_m\n");
    for s in rows(&sensors.join("seismic_stations.csv")) {
        let (id, lat, lon, elev) = (&s["id"], &s["latitude"], &s["longitude"], &s["elevation"]);
        stations += &format!("{id},{lat},{lon},{elev}\n");
    }
    fs::write(data.join("stations.csv"), stations).unwrap();
    fs::write(data.join("velocity.toml"), VELOCITY).unwrap();
    let (mut picks, mut labels) = (String::from("det,station,phase,t_s\n"), Vec::new());
    for (i, p) in rows(&sensors.join("seismic_picks_labelled.csv")).into_iter().enumerate() {
        picks += &format!("D{i},{},{},{:.6}\n", p["station"], p["phase"], seconds(&p["time"]));
        let event = if p["event"] == "-1" { "" } else { p["event"].as_str() };
        labels.push(BTreeMap::from([
            ("det".to_owned(), format!("D{i}")),
            ("event".to_owned(), event.to_owned()),
        ]));
    }
    fs::write(data.join("picks.csv"), picks).unwrap();
    let printed = associate(&data, &out);
    let truth = members(&labels);
    let found = members(&rows(&out.join("assoc.csv")));
    let same = |labelled: &BTreeSet<String>| {
        found.values().any(|own| {
            let common = own.intersection(labelled).count() as f64;
            common / own.len().max(labelled.len()) as f64 >= 0.6
        })
    };
    let recovered = truth.values().filter(|labelled| same(labelled)).count();
    let events = rows(&out.join("events.csv"));
    let likely: Vec<_> =
        events.iter().filter(|e| e["prob"].parse::<f64>().unwrap() >= 0.5).collect();
    println!("{printed}{recovered} of {} labelled events recovered", truth.len());
    assert_eq!(truth.len(), 50);
    assert!(recovered >= 48, "{recovered} of 50");
    assert!(likely.len() <= 53, "{} events of 50", likely.len());
    // The plate goes down to the east: deep sources lie inland.
    let deep = likely.iter().filter(|e| e["depth_km"].parse::<f64>().unwrap() > 80.0);
    assert!(deep.clone().count() >= 25);
    assert!(deep.clone().all(|e| e["lon"].parse::<f64>().unwrap() > -69.7));
}

#[test]
fn infrasound_arrays_agree_on_three_sources() {
    let Some(sensors) = sensors() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let printed = associate(&sensors, &out);
    let events = rows(&out.join("events.csv"));
    println!("{printed}");
    let all_four: Vec<_> = events.iter().filter(|e| e["arrays"] == "4").collect();
    assert_eq!(all_four.len(), 3, "{events:?}");
    let number = |e: &BTreeMap<String, String>, name: &str| e[name].parse::<f64>().unwrap();
    assert!(all_four.iter().all(|e| number(e, "prob") > 0.7));
    // Two are heard several times over; their back azimuths cross within 25 km.
    for (lat, lon, hits) in [(37.1, -115.7, "9"), (41.35, -112.0, "7")] {
        let near = all_four
            .iter()
            .find(|e| (number(e, "lat") - lat).abs() < 0.5 && (number(e, "lon") - lon).abs() < 0.5);
        let event = near.unwrap_or_else(|| panic!("none near {lat} {lon}: {events:?}"));
        assert_eq!(event["hits"], hits);
        assert!(number(event, "c_xx").sqrt() < 25_000.0, "{event:?}");
    }
    // All others are doubtful.
    let others = events.iter().filter(|e| e["arrays"] != "4");
    assert!(others.clone().all(|e| number(e, "prob") < 0.5), "{events:?}");
}

/// A case for the picks and arrays as they lie in the shared folder.
fn case(folder: &Path) {
    common::no_fire(folder, "1970-01-01T00:00:00Z", "1970-01-03T00:00:00Z");
    let source = |id: &str, kind: &str| {
        format!(
            "[[source]]\nid = \"{id}\"\nname = \"{id}\"\noperator = \"x\"\ngroup = \"{id}\"\nkind = \"{kind}\"\n\
             effort = \"rows\"\ncitation = \"shared data\"\nlicence = \"as given\"\n"
        )
    };
    let input = |mapping: &str, files: &str| {
        format!("[[input]]\nsource = \"seis\"\nmapping = \"{mapping}\"\nfiles = \"{files}\"\n")
    };
    let text = "[case]\nid = \"chile\"\ntitle = \"Picks\"\nagreement = \"agreement\"\nzone = \"UTC\"\n\
                [window]\nbaseline_from = \"1969-12-31T00:00:00Z\"\nfrom = \"1970-01-01T00:00:00Z\"\n\
                to = \"1970-01-03T00:00:00Z\"\nafter_to = \"1970-01-04T00:00:00Z\"\n"
        .to_owned()
        + &source("seis", "seismic")
        + &input("stations", "seismic_stations.csv")
        + &input("velocity", "velocity.csv")
        + &input("picks", "seismic_picks_labelled.csv");
    fs::write(folder.join("case.toml"), text).unwrap();
}

#[test]
fn labelled_picks_go_through_a_mission() {
    let Some(sensors) = sensors() else { return };
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    case(&at("case"));
    fs::create_dir_all(at("data")).unwrap();
    for name in ["seismic_stations.csv", "seismic_picks_labelled.csv"] {
        fs::copy(sensors.join(name), at("data").join(name)).unwrap();
    }
    fs::write(
        at("data").join("velocity.csv"),
        "depth_km,vp_km_s,vs_km_s,deepest_km\n0,5.8,3.36,250\n20,6.5,3.75,\n35,8.04,4.47,\n120,8.11,4.5,\n210,8.39,4.55,\n",
    )
    .unwrap();
    let mission = at("mission");
    truceline(&["init", "--key-seed", "7"], &[("", &at("case")), ("", &mission)]);
    truceline(&["ingest"], &[("", &mission), ("--data", &at("data"))]);
    let derived = truceline(&["derive"], &[("", &mission)]);
    let listed = truceline(&["events", "--format", "csv"], &[("", &mission)]);
    fs::write(at("events.csv"), &listed).unwrap();
    let events = rows(&at("events.csv"));
    let likely = || events.iter().filter(|e| e["probability"].parse::<f64>().unwrap() >= 0.5);
    println!("{derived}{} of {} events likely", likely().count(), events.len());
    assert!((48..=53).contains(&likely().count()), "{listed}");
    assert!(likely().all(|e| e["wave"] == "seismic" && e["level_db"].is_empty()));
    let deep = || likely().filter(|e| e["depth_km"].parse::<f64>().unwrap() > 80.0);
    assert!(deep().count() >= 25 && deep().all(|e| e["classes"] == "Z8 1.00"), "{listed}");
    // Earthquakes open no incident; a few shallow ones may be something else.
    let incidents = truceline(&["incidents", "--format", "csv"], &[("", &mission)]);
    assert!(incidents.lines().count() <= 8, "{incidents}");
    let svg = at("event.svg");
    let asked = ["events", "--explain", &deep().next().unwrap()["id"]];
    let told = truceline(&asked, &[("", &mission), ("--svg", &svg)]);
    assert!(told.contains("Z8 earthquake 1.00") && told.contains(" picked obs_"), "{told}");
    assert!(fs::read_to_string(svg).unwrap().contains("90 % ellipse"));
    let again = truceline(&["rebuild"], &[("", &mission)]);
    assert!(again.contains("the same as before, byte for byte"), "{again}");
    assert!(truceline(&["verify"], &[("", &mission)]).contains("all is well"));
}

#[test]
fn a_source_of_infrasound_is_explained() {
    let Some(sensors) = sensors() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let told =
        truceline(&["associate", "--explain", "A3"], &[("--data", &sensors), ("--out", &out)]);
    assert_eq!(told.matches(" heard infrasound_").count(), 7, "{told}");
    assert!(told.contains("after calibration"), "{told}");
    assert!(told.contains("° to the right"), "{told}");
    // A ray from each array where it heard it from.
    let svg = fs::read_to_string(out.join("A3.svg")).unwrap();
    assert_eq!(svg.matches("where it heard it from").count(), 7);
}
