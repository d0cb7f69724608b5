//! `truceline associate` and `calibrate` on a global network of arrays, from the outside.

mod common;

use std::fs;
use std::path::Path;

use common::truceline;

/// A world with few hours, and its performance as fitted on the labelled ones.
fn set(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let scenario = folder.join("world.toml");
    let text = "title = \"a small world\"\n[globe]\ntraining_episodes = 60\nepisodes = 40\n";
    fs::write(&scenario, text).unwrap();
    let (code, _, err) =
        truceline(&["simulate", "--seed", "1003"], &[("--scenario", &scenario), ("--out", folder)]);
    assert_eq!(code, 0, "{err}");
    let (code, printed, err) = truceline(
        &["calibrate"],
        &[("--data", &folder.join("training")), ("--out", &folder.join("performance.json"))],
    );
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("of them real") && printed.contains("0 rows set aside"), "{printed}");
}

fn associate(data: &Path, out: &Path) -> (i32, String, String) {
    truceline(&["associate"], &[("--data", data), ("--out", out)])
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_world_is_learned_and_its_events_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);

    // What was fitted is near what the world is like, though it was never read.
    let (fitted, world) =
        (json(&data.join("performance.json")), json(&data.join("truth_performance.json")));
    for (fitted, own) in
        fitted["stations"].as_array().unwrap().iter().zip(world["stations"].as_array().unwrap())
    {
        assert_eq!(fitted["station"], own["station"]);
        for field in ["time_s", "azimuth_deg", "false_per_s", "amplitude_sd"] {
            let (a, b) = (fitted[field].as_f64().unwrap(), own[field].as_f64().unwrap());
            assert!((a / b).ln().abs() < 0.5, "{} {field}: {a} {b}", own["station"]);
        }
    }
    let diagram = fs::read_to_string(data.join("performance.svg")).unwrap();
    assert!(diagram.starts_with("<svg"));

    let (code, printed, err) = associate(&data, &out);
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("0 rows set aside"), "{printed}");
    let score = dir.path().join("score.json");
    let args = ["simulate", "score", data.to_str().unwrap(), out.to_str().unwrap(), "--globe"];
    let (code, _, err) = truceline(&args, &[("--json", &score)]);
    assert_eq!(code, 0, "{err}");
    let score = json(&score);
    let f1 = score["f1"].as_f64().unwrap();
    assert!(f1 >= 0.70, "{score}");
    assert!(score["n_required"].as_u64().unwrap() > 100, "{score}");
    assert!(score["ece_equal_mass"].as_f64().unwrap() < 0.10, "{score}");

    let (code, printed, err) =
        truceline(&["associate", "--explain", "A1"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 0, "{err}");
    for told in ["\nmagnitude  ", "how usual its magnitude is", "an alarm storm", "another place"] {
        assert!(printed.contains(told), "{told}: {printed}");
    }
    assert!(fs::read_to_string(out.join("A1.svg")).unwrap().starts_with("<svg"));

    // Once more, with the rows upside down.
    let first = json(&out.join("summary.json"));
    let arrivals = data.join("arrivals.csv");
    let text = fs::read_to_string(&arrivals).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    fs::write(&arrivals, lines.join("\n") + "\n").unwrap();
    let (code, _, err) = associate(&data, &out);
    assert_eq!(code, 0, "{err}");
    assert_eq!(json(&out.join("summary.json"))["digest"], first["digest"]);
}

#[test]
fn bad_rows_are_set_aside_with_their_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    let arrivals = data.join("arrivals.csv");
    let mut text = fs::read_to_string(&arrivals).unwrap();
    let first = text.lines().nth(1).unwrap().to_owned();
    let again = format!("X9,{}", first.split_once(',').unwrap().1);
    let lines = text.lines().count();
    for row in [
        first.as_str(),
        &again,
        "X1,NOWHERE,10.0,20.0,5.0,1.0",
        "X2,WRA,nan,20.0,5.0,1.0",
        "X3,WRA,10.0,400.0,5.0,1.0",
        "X4,WRA,10.0,20.0,5.0,-1.0",
        "X5,WRA,10.0",
        ",WRA,10.0,20.0,5.0,1.0",
    ] {
        text.push_str(row);
        text.push('\n');
    }
    fs::write(&arrivals, text).unwrap();
    let (code, _, err) = associate(&data, &out);
    assert_eq!(code, 1, "{err}");
    let quarantine = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    let found: Vec<String> = quarantine
        .lines()
        .skip(1)
        .map(|line| {
            let (place, reason) = line.split_once(",\"").unwrap();
            let (file, rest) = place.split_once(',').unwrap();
            let (line, field) = rest.split_once(',').unwrap();
            assert_eq!(file, "arrivals.csv");
            format!("{} {field}: {reason}", line.parse::<usize>().unwrap() - lines)
        })
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    fs::rename(data.join("performance.json"), data.join("other.json")).unwrap();
    let (code, _, err) = associate(&data, &out);
    assert_ne!(code, 0);
    assert!(err.contains("no performance.json") && err.contains("truceline calibrate"), "{err}");
    let (code, _, err) = truceline(
        &["associate"],
        &[("--data", &data), ("--out", &out), ("--model", &data.join("other.json"))],
    );
    assert_eq!(code, 0, "{err}");

    let curve = data.join("curve.csv");
    let text = fs::read_to_string(&curve).unwrap();
    fs::write(&curve, text.replacen("0.5,", "x,", 1)).unwrap();
    fs::rename(data.join("other.json"), data.join("performance.json")).unwrap();
    let (code, _, err) = associate(&data, &out);
    assert_ne!(code, 0);
    assert!(err.contains("line 3") && err.contains("distance_deg"), "{err}");
    fs::remove_file(&curve).unwrap();
    let (code, _, err) = associate(&data, &out);
    assert_ne!(code, 0);
    assert!(err.contains("curve.csv") && err.contains("travel_s"), "{err}");

    let (code, _, err) =
        truceline(&["calibrate"], &[("--data", &data), ("--out", &dir.path().join("p.json"))]);
    assert_ne!(code, 0, "{err}");
}
