//! `truceline associate` on P and S picks, from the outside.

mod common;

use std::fs;
use std::path::Path;

use common::truceline;

fn associate(data: &Path, out: &Path, more: &[(&str, &Path)]) -> (i32, String, String) {
    let mut paths = vec![("--data", data), ("--out", out)];
    paths.extend(more);
    truceline(&["associate"], &paths)
}

/// A made-up hour of a seismic network.
fn set(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let scenario = folder.join("hour.toml");
    fs::write(
        &scenario,
        "title = \"an hour\"\n[seismic]\ngrid = 6\nside_km = 120.0\nevents = 12\nhours = 1.0\n\
         depth_km_max = 25.0\nnoise = 1.0\npick_s = 0.3\npath_err = 0.01\nlat0 = 48.0\nlon0 = 37.0\n",
    )
    .unwrap();
    let (code, _, err) =
        truceline(&["simulate", "--seed", "1500"], &[("--scenario", &scenario), ("--out", folder)]);
    assert_eq!(code, 0, "{err}");
}

fn summary(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn earthquakes_are_found_and_scored() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    let (code, printed, err) = associate(&data, &out, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("velocity.csv, 5 layers"), "{printed}");
    let score = dir.path().join("score.json");
    let (code, _, err) = truceline(
        &[
            "simulate",
            "score",
            data.to_str().unwrap(),
            out.to_str().unwrap(),
            "--seismic",
            "--json",
            score.to_str().unwrap(),
        ],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    let score: serde_json::Value = serde_json::from_slice(&fs::read(score).unwrap()).unwrap();
    assert!(score["f1"].as_f64().unwrap() > 0.95, "{score}");
    assert!(score["iou06_f1"].as_f64().unwrap() > 0.95, "{score}");
}

#[test]
fn the_order_of_picks_changes_no_digest() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    set(&data);
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    assert_eq!(associate(&data, &first, &[]).0, 0);
    let path = data.join("picks.csv");
    let text = fs::read_to_string(&path).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.reverse();
    fs::write(&path, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    assert_eq!(associate(&data, &second, &[]).0, 0);
    assert_eq!(summary(&first)["digest"], summary(&second)["digest"]);
}

#[test]
fn bad_picks_are_set_aside_with_line_field_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    let path = data.join("picks.csv");
    let text = fs::read_to_string(&path).unwrap();
    let first = text.lines().nth(1).unwrap().to_owned();
    let again = first.replacen("D0", "AGAIN", 1);
    let count = text.lines().count() as u64;
    fs::write(
        &path,
        format!(
            "{text}X1,NOWHERE,P,10\nX2,{station},X,10\nX3,{station},P,NaN\n,{station},P,11\nX5,{station},S,1e300\n{again}\n",
            station = first.split(',').nth(1).unwrap()
        ),
    )
    .unwrap();
    let (code, _, err) = associate(&data, &out, &[]);
    assert_eq!(code, 1, "{err}");
    let aside = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    for (more, field, reason) in [
        (1, "station", "`NOWHERE` is not in stations.csv"),
        (2, "phase", "`X` is neither P nor S"),
        (3, "t_s", "not a finite number"),
        (4, "det", "without a name"),
        (5, "t_s", "outside"),
        (6, "t_s", "at this very time already"),
    ] {
        let row = format!("picks.csv,{},{field},", count + more);
        let line = aside.lines().find(|line| line.starts_with(&row));
        assert!(line.is_some_and(|line| line.contains(reason)), "{row}{reason}: {aside}");
    }
    assert_eq!(aside.lines().count(), 7);
}

#[test]
fn velocity_models_are_taken_and_faults_of_them_named() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    let model = dir.path().join("crust.toml");
    fs::write(&model, "deepest_km = 30\n[uniform]\nvp_km_s = 6.2\nvs_km_s = 3.58\n").unwrap();
    let (code, printed, err) = associate(&data, &out, &[("--velocity", &model)]);
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("crust.toml, uniform, sources down to 30 km"), "{printed}");
    for (text, says) in [
        ("[uniform]\nvp_km_s = 6.2\nvs_km_s = 7.0\n", "crust.toml:3:"),
        ("[uniform]\nvp_km_s = 6.2\nvss_km_s = 3.0\n", "did you mean `vs_km_s`?"),
        ("deepest_km = 30\n", "either a table [uniform] or tables [[layer]]"),
        ("[[layer]]\ndepth_km = 3\nvp_km_s = 6\nvs_km_s = 3\n", "the first layer begins at 0"),
        ("deepest_km = 9e9\n[uniform]\nvp_km_s = 6.2\nvs_km_s = 3.5\n", "from 1 to 800 km"),
    ] {
        fs::write(&model, text).unwrap();
        let (code, _, err) = associate(&data, &out, &[("--velocity", &model)]);
        assert_ne!(code, 0);
        assert!(err.contains(says), "{says}: {err}");
    }
    // Without any model the built-in one is taken, and said.
    fs::remove_file(data.join("velocity.csv")).unwrap();
    let (code, printed, err) = associate(&data, &out, &[]);
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("iasp91 layers, built in"), "{printed}");
}

/// Grades of the releases in a folder, in order, once each line was seen to name the
/// digest of the one before; with whether each event has one last word.
fn grades(out: &Path) -> Vec<(String, String)> {
    let mut previous = String::new();
    let text = fs::read_to_string(out.join("releases.ndjson")).unwrap();
    let of = |line: &str| {
        let release: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(release["previous"], previous.as_str());
        let digest = <sha2::Sha256 as sha2::Digest>::digest(line.as_bytes());
        previous = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let word = |field: &str| release[field].as_str().unwrap().to_owned();
        (word("event"), word("grade"))
    };
    text.lines().map(of).collect()
}

#[test]
fn picks_are_released_as_they_come_in_and_end_as_the_table_does() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    // One pick in seven comes half an hour late; the last of all a day late.
    let table = fs::read_to_string(data.join("picks.csv")).unwrap();
    let mut rows: Vec<(f64, String)> = Vec::new();
    for (at, row) in table.lines().skip(1).enumerate() {
        let f: Vec<&str> = row.split(',').collect();
        let t: f64 = f[3].parse().unwrap();
        let recv = t + if at % 7 == 3 { 1_800.0 } else { 2.0 };
        let (id, station, phase) = (f[0], f[1], f[2]);
        rows.push((
            recv,
            format!(
                "{{\"kind\":\"pick\",\"id\":\"{id}\",\"recv\":{recv},\"station\":\"{station}\",\
                 \"phase\":\"{phase}\",\"t\":{t},\"weight\":1}}"
            ),
        ));
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.1).collect();
    let count = lines.len();
    lines.push("{\"kind\":\"heartbeat\",\"recv\":90000}".into());
    let first = table.lines().nth(1).unwrap().split(',').nth(1).unwrap();
    for (id, phase, recv, t) in [
        ("X1", "P", 90_001.0, 100.0),
        ("X2", "Q", 90_001.0, 90_000.0),
        ("X3", "S", 90_000.0, 91_000.0),
    ] {
        lines.push(format!(
            "{{\"kind\":\"pick\",\"id\":\"{id}\",\"recv\":{recv},\"station\":\"{first}\",\"phase\":\"{phase}\",\"t\":{t}}}"
        ));
    }
    fs::write(data.join("picks.ndjson"), lines.join("\n") + "\n").unwrap();
    let (code, printed, err) =
        truceline(&["associate", "--releases"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 1, "{err}");
    assert!(printed.contains("1 after the last"), "{printed}");
    let aside = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    for (line, says) in [
        (count + 2, "recv,\"received more than an hour late"),
        (count + 3, "phase,\"`Q` is neither P nor S\""),
        (count + 4, "t,\"later than its reception"),
    ] {
        assert!(aside.contains(&format!("picks.ndjson,{line},{says}")), "{aside}");
    }
    let grades = grades(&out);
    for grade in ["preliminary", "final", "revised"] {
        assert!(grades.iter().any(|(_, g)| g == grade), "{grade}: {grades:?}");
    }
    // In the end it is what the table gives, and what the stream gives as a batch.
    let (whole, batch) = (dir.path().join("whole"), dir.path().join("batch"));
    assert_eq!(associate(&data, &whole, &[]).0, 0);
    assert_eq!(summary(&out)["digest"], summary(&whole)["digest"]);
    fs::remove_file(data.join("picks.csv")).unwrap();
    fs::write(data.join("picks.ndjson"), lines[..count].join("\n")).unwrap();
    assert_eq!(associate(&data, &batch, &[]).0, 0);
    assert_eq!(summary(&out)["digest"], summary(&batch)["digest"]);
}

#[test]
fn options_that_mean_nothing_for_arrays_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("A.dets.json"), "[]").unwrap();
    let (code, _, err) = associate(&data, &out, &[("--velocity", &data)]);
    assert_ne!(code, 0);
    assert!(err.contains("--velocity is not there for infrasound arrays"), "{err}");
}

/// The numbers with which lines of an account begin, between its header and the evidence.
fn parts(printed: &str) -> (f64, f64) {
    let number = |line: &str| line.get(..7).and_then(|start| start.trim().parse::<f64>().ok());
    let lines = printed.lines().skip_while(|line| !line.contains("what it rests on")).skip(1);
    let mut sum = 0.0;
    for line in lines {
        let Some(nats) = number(line) else { break };
        if line.ends_with("evidence, against false alarms only") {
            return (sum, nats);
        }
        sum += nats;
    }
    panic!("no evidence in {printed}");
}

#[test]
fn an_event_of_picks_is_explained_in_words_and_as_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    assert_eq!(associate(&data, &out, &[]).0, 0);
    let (plain, table) = (summary(&out), fs::read_to_string(out.join("events.csv")).unwrap());
    let (code, printed, err) =
        truceline(&["associate", "--explain", "A2"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 0, "{err}");
    let (sum, evidence) = parts(&printed);
    // Of lines that are rounded, and of silences too faint to be printed.
    assert!((sum - evidence).abs() < 0.6, "{sum} {evidence}: {printed}");
    let columns: Vec<&str> = table.lines().nth(3).unwrap().split(',').collect();
    assert_eq!(columns[0], "A2");
    assert!((columns[13].parse::<f64>().unwrap() - evidence).abs() < 0.01, "{columns:?}");
    let picked = printed.matches(" picked D").count();
    assert_eq!(picked.to_string(), columns[14], "{printed}");
    for words in
        ["earthquake", "depth  ", " P at ", " S at ", "an alarm storm", "one more observation"]
    {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let svg = fs::read_to_string(out.join("A2.svg")).unwrap();
    assert!(svg.contains("90 % ellipse") && svg.contains(" S</text>"), "{svg}");
    assert_eq!(plain["digest"], summary(&out)["digest"], "who asks changes nothing");
    let (code, _, err) =
        truceline(&["associate", "--explain", "A9999"], &[("--data", &data), ("--out", &out)]);
    assert_ne!(code, 0);
    assert!(err.contains("no event A9999 was found"), "{err}");
}

#[test]
fn files_of_arrays_are_read_and_bad_rows_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    fs::create_dir_all(&data).unwrap();
    // Three arrays about 39 N 113 W; azimuths as written by hand, one of them turned.
    let row = |time: &str, azimuth: &str, lat: &str, lon: &str| {
        format!(
            "{{\"Time (UTC)\": \"{time}\", \"F Stat.\": 10.0, \"Back Azimuth\": {azimuth}, \
             \"Latitude\": {lat}, \"Longitude\": {lon}}}"
        )
    };
    let files = [
        ("A", row("2010-01-01T12:44:10", "-55.9", "35.9", "-106.3")),
        ("B", row("2010-01-01T12:28:30", "81.0", "38.4", "-118.3")),
        (
            "C",
            [
                row("2010-01-01T12:32:40", "-144.8", "42.8", "-109.6"),
                row("2010-01-01T12:32:40", "-144.8", "null", "-109.6"),
                row("2010-13-01T12:32:40", "-144.8", "42.8", "-109.6"),
                row("2010-01-01T12:32:40", "-544.8", "42.8", "-109.6"),
                "7".to_owned(),
            ]
            .join(",\n"),
        ),
    ];
    for (name, rows) in files {
        fs::write(data.join(format!("{name}.dets.json")), format!("[{rows}]\n")).unwrap();
    }
    let (code, printed, err) = associate(&data, &out, &[]);
    assert_eq!(code, 1, "{err}");
    assert!(printed.contains("files of arrays at 3 places"), "{printed}");
    let aside = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    for row in [
        "C.dets.json,2,Latitude,\"is missing\"",
        "C.dets.json,3,Time (UTC),",
        "C.dets.json,4,Back Azimuth,\"-544.8 is outside",
        "C.dets.json,5,detection,",
    ] {
        assert!(aside.contains(row), "{row}: {aside}");
    }
    let assoc = fs::read_to_string(out.join("assoc.csv")).unwrap();
    assert_eq!(assoc, "det,event,own\nB:1,A0,\nC:1,A0,\nA:1,A0,\n");
    // As they happened: first the two that are near, then all three.
    let followed = dir.path().join("followed");
    let (code, _, err) =
        truceline(&["associate", "--releases"], &[("--data", &data), ("--out", &followed)]);
    assert_eq!(code, 1, "{err}");
    let (names, grades): (Vec<String>, Vec<String>) = grades(&followed).into_iter().unzip();
    assert_eq!(grades.last().map(String::as_str), Some("final"), "{grades:?}");
    assert!(names.iter().all(|name| name == "E1"), "{names:?}");
    assert_eq!(summary(&out)["digest"], summary(&followed)["digest"]);
    // One that was received before it happened is a fault.
    fs::write(
        data.join("C.dets.json"),
        "[{\"Time (UTC)\": \"2010-01-01T12:32:40\", \"Received (UTC)\": \"2010-01-01T12:00:00\", \
         \"Back Azimuth\": -144.8, \"Latitude\": 42.8, \"Longitude\": -109.6}]",
    )
    .unwrap();
    assert_eq!(associate(&data, &followed, &[]).0, 1);
    let aside = fs::read_to_string(followed.join("quarantine.csv")).unwrap();
    assert!(aside.contains("C.dets.json,1,Time (UTC),\"later than its reception"), "{aside}");
    fs::write(data.join("D.dets.json"), "{}").unwrap();
    let (code, _, err) = associate(&data, &out, &[]);
    assert_ne!(code, 0);
    assert!(err.contains("D.dets.json: not a list of detections"), "{err}");
}

/// A set of arrays whose truth is known gives a map that a run then uses.
#[test]
fn arrays_are_calibrated_on_simulated_sets() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("arrays.toml");
    fs::write(
        &scenario,
        "title = \"two days\"\n[infrasound]\narrays = 4\nside_km = 900.0\nevents = 70\nhours = 72.0\n\
         false_per_day = 2.0\nsea_share = 0.5\nazimuth_deg = 3.0\ndetect = 0.8\nreach_km = 1500.0\n\
         lat0 = 48.0\nlon0 = 37.0\n",
    )
    .unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    let (code, _, err) =
        truceline(&["simulate", "--seed", "1500"], &[("--scenario", &scenario), ("--out", &data)]);
    assert_eq!(code, 0, "{err}");
    let model = dir.path().join("model.json");
    let (code, printed, err) =
        truceline(&["calibrate", "--version", "mine-1"], &[("--data", &data), ("--out", &model)]);
    assert_eq!(code, 0, "{err}");
    assert!(
        printed.contains("of them real") && dir.path().join("model.svg").is_file(),
        "{printed}"
    );
    assert_eq!(associate(&data, &out, &[("--model", &model)]).0, 0);
    assert_eq!(summary(&out)["model"], "mine-1");
    // Most of the explosions are found, within the hundred kilometres or two that
    // directions leave.
    let score = dir.path().join("score.json");
    let (code, _, err) = truceline(
        &[
            "simulate",
            "score",
            data.to_str().unwrap(),
            out.to_str().unwrap(),
            "--dt",
            "900",
            "--dx-km",
            "250",
            "--min-det",
            "2",
            "--json",
            score.to_str().unwrap(),
        ],
        &[],
    );
    assert_eq!(code, 0, "{err}");
    let score: serde_json::Value = serde_json::from_slice(&fs::read(score).unwrap()).unwrap();
    assert!(score["f1"].as_f64().unwrap() > 0.7, "{score}");
    let (code, _, err) = associate(&data, &out, &[("--model", &scenario)]);
    assert_ne!(code, 0);
    assert!(err.contains("reading the model in"), "{err}");
}

/// What is released first of a set that was not fitted on, held against its truth.
fn preliminary(scenario: &str, seed: &str, rules: &[&str]) -> serde_json::Value {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("set.toml"), scenario).unwrap();
    let (data, out) = (at("data"), at("out"));
    let made = truceline(
        &["simulate", "--seed", seed],
        &[("--scenario", &at("set.toml")), ("--out", &data)],
    );
    assert_eq!(made.0, 0, "{}", made.2);
    let (code, _, err) =
        truceline(&["associate", "--releases"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 0, "{err}");
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let mut args = vec!["simulate", "score", data, out, "--grade", "preliminary"];
    args.extend(rules);
    let (code, _, err) = truceline(&args, &[("--json", &at("score.json"))]);
    assert_eq!(code, 0, "{err}");
    serde_json::from_slice(&fs::read(at("score.json")).unwrap()).unwrap()
}

#[test]
fn preliminary_earthquakes_are_as_real_as_is_said() {
    // A swarm: the hardest that the map was fitted on.
    let swarm = "title = \"a swarm\"\n[seismic]\ngrid = 8\nside_km = 150.0\nevents = 300\nhours = 3.0\n\
                 depth_km_max = 25.0\nnoise = 2.0\npick_s = 0.3\npath_err = 0.008\nlat0 = -21.0\nlon0 = -69.0\n";
    let score = preliminary(swarm, "1601", &["--seismic"]);
    let of = |field: &str| score[field].as_f64().unwrap();
    assert!(of("n_solution") > 250.0 && of("f1") > 0.9, "{score}");
    assert!(of("mean_stated") - of("base_rate") < 0.02, "too sure: {score}");
    assert!(of("ece_equal_mass") < 0.03, "{score}");
    assert!(of("latency_s_median") < 90.0, "{score}");
}

#[test]
fn preliminary_explosions_are_as_real_as_is_said() {
    let days = "title = \"two days\"\n[infrasound]\narrays = 4\nside_km = 1200.0\nevents = 40\nhours = 60.0\n\
                false_per_day = 15.0\nsea_share = 0.5\nazimuth_deg = 3.0\ndetect = 0.75\nreach_km = 1500.0\n\
                lat0 = 48.0\nlon0 = 37.0\n";
    let rules = ["--dt", "900", "--dx-km", "250", "--min-det", "2"];
    let score = preliminary(days, "1601", &rules);
    let of = |field: &str| score[field].as_f64().unwrap();
    assert!(of("n_solution") > 20.0, "{score}");
    // So few tell a tenth from chance, no less.
    assert!(of("mean_stated") - of("base_rate") < 0.1, "too sure: {score}");
    assert!(of("latency_s_median") < 6_000.0, "{score}");
    // Detections of arrays have names of their own and are counted.
    assert!(of("pick_f1") > 0.5 && of("iou06_f1") > 0.3, "{score}");
}
