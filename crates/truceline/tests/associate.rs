//! `truceline associate` from the outside: nothing is lost, nothing depends on
//! the order of rows.

use std::fs;
use std::path::Path;
use std::process::Command;

fn associate(data: &Path, out: &Path, more: &[&str]) -> (i32, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_truceline"))
        .args(["associate", "--data"])
        .arg(data)
        .arg("--out")
        .arg(out)
        .args(more)
        .output()
        .expect("the command runs");
    (run.status.code().unwrap_or(-1), String::from_utf8_lossy(&run.stderr).into_owned())
}

/// Nine stations on a square and a shot every minute in its middle.
fn set(folder: &Path, reversed: bool) {
    fs::create_dir_all(folder).unwrap();
    let mut stations = String::from("station,lat,lon,elev_m\n");
    let mut rows = Vec::new();
    for i in 0..9 {
        let (lat, lon) = (49.0 + 0.018 * f64::from(i / 3), 37.0 + 0.027 * f64::from(i % 3));
        stations += &format!("S{i},{lat:.6},{lon:.6},150\n");
        let (dy, dx) = ((lat - 49.014) * 111_200.0, (lon - 37.03) * 73_100.0);
        let d = f64::hypot(dx, dy);
        let level = 112.0 - 20.0 * (d / 1e3).log10() - 0.6 * d / 1e3;
        for shot in 0..5 {
            // No two shots are alike: an exact repetition is a replay.
            let level = level + f64::from((7 * shot + 3 * i) % 11) * 0.3;
            let t = 100.0 + 60.0 * f64::from(shot) + d / 337.3;
            rows.push((t, format!("S{i},{t:.4},{level:.1},{:.1}", level - 76.0)));
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut lines: Vec<String> =
        rows.iter().enumerate().map(|(i, (_, row))| format!("D{i},{row}")).collect();
    if reversed {
        lines.reverse();
    }
    fs::write(folder.join("stations.csv"), stations).unwrap();
    let text = format!("det,station,t_s,amp_db,snr_db\n{}\n", lines.join("\n"));
    fs::write(folder.join("detections.csv"), text).unwrap();
}

fn summary(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn order_of_rows_shards_and_threads_change_no_digest() {
    let dir = tempfile::tempdir().unwrap();
    let mut digests = Vec::new();
    for (name, reversed) in [("a", false), ("b", true)] {
        let data = dir.path().join(name);
        set(&data, reversed);
        for (shards, threads) in [("1", "1"), ("2", "2"), ("7", "2")] {
            let out = dir.path().join(format!("out-{name}-{shards}"));
            let (code, err) = associate(&data, &out, &["--shards", shards, "--threads", threads]);
            assert_eq!(code, 0, "{err}");
            let summary = summary(&out);
            assert_eq!(summary["events_likely"], 5);
            assert_eq!(summary["looked"], "observed");
            digests.push(summary["digest"].as_str().unwrap().to_owned());
        }
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn bad_rows_are_set_aside_with_line_field_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    set(&data, false);
    let stations = data.join("stations.csv");
    let more = "S0,1,2,3\nTWIN,49.000000,37.000000,150\nPOLE,95,37,0\n";
    fs::write(&stations, fs::read_to_string(&stations).unwrap() + more).unwrap();
    let detections = data.join("detections.csv");
    let more = "X1,S1,NaN,90,14\nX2,NOWHERE,400,90,14\nX3,S2,400,90,-900\nX4,TWIN,401,90,14\n\
        X5,S3,402,90,14\nX6,S3,402,90,14\n,S3,403,90,14\nX8,S4\nX5,S3,404,90,14\n";
    fs::write(&detections, fs::read_to_string(&detections).unwrap() + more).unwrap();
    let out = dir.path().join("out");
    let (code, err) = associate(&data, &out, &[]);
    assert_eq!(code, 1, "{err}");
    let text = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    for (line, what) in [
        ("stations.csv,11,station", "listed twice"),
        ("stations.csv,12,lat", "same place as station `S0`"),
        ("stations.csv,13,lat", "outside -90 to 90"),
        ("detections.csv,47,t_s", "not a finite number"),
        ("detections.csv,48,station", "not in stations.csv"),
        ("detections.csv,49,snr_db", "outside"),
        ("detections.csv,50,station", "set aside"),
        ("detections.csv,52,t_s", "already"),
        ("detections.csv,53,det", "without a name"),
        ("detections.csv,54,t_s", "not a number"),
        ("detections.csv,55,det", "`X5` is the name of an earlier row"),
    ] {
        let found = text.lines().find(|l| l.starts_with(line));
        assert!(found.is_some_and(|l| l.contains(what)), "{line} {what} in:\n{text}");
    }
    assert_eq!(summary(&out)["quarantined"], 11);
    assert_eq!(summary(&out)["events_likely"], 5);
}

#[test]
fn a_missing_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (code, err) = associate(&dir.path().join("none"), &dir.path().join("out"), &[]);
    assert_eq!(code, 2);
    assert!(err.contains("stations.csv"), "{err}");
}

#[test]
fn an_event_is_explained_in_words_and_as_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("set"), dir.path().join("out"));
    set(&data, false);
    let run = |event: &str| {
        let run = Command::new(env!("CARGO_BIN_EXE_truceline"))
            .args(["associate", "--explain", event, "--data"])
            .arg(&data)
            .arg("--out")
            .arg(&out)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (run.status.code(), text(run.stdout), text(run.stderr))
    };
    let (code, told, _) = run("A3");
    assert_eq!(code, Some(0));
    // The lines of what it rests on add up to the evidence.
    let lines: Vec<(f64, &str)> = told
        .lines()
        .filter_map(|line| {
            let (nats, words) = line.split_at_checked(7)?;
            Some((nats.trim().parse().ok()?, words.trim()))
        })
        .collect();
    let end = lines.iter().position(|(_, words)| words.starts_with("evidence")).unwrap();
    let sum: f64 = lines[..end].iter().map(|(nats, _)| nats).sum();
    assert!((sum - lines[end].0).abs() < 0.2, "{told}");
    assert_eq!(lines.iter().filter(|(_, words)| words.contains(" heard D")).count(), 9, "{told}");
    assert!(told.contains("all of it false alarms"), "{told}");
    let picture = fs::read_to_string(out.join("A3.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("S4: heard it"));
    for (event, problem) in [("A99", "no event A99"), ("seven", "events are called A1, A2")] {
        let (code, _, err) = run(event);
        assert!(code != Some(0) && err.contains(problem), "{err}");
    }
}

#[test]
fn a_stream_sets_bad_rows_aside_and_chains_its_releases() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("set"), dir.path().join("out"));
    set(&data, false);
    // The same detections as a stream, each received two seconds later.
    let table = fs::read_to_string(data.join("detections.csv")).unwrap();
    let mut stream = String::new();
    for row in table.lines().skip(1) {
        let f: Vec<&str> = row.split(',').collect();
        let t: f64 = f[2].parse().unwrap();
        stream += &format!(
            "{{\"kind\":\"acoustic\",\"id\":\"{}\",\"recv\":{},\"station\":\"{}\",\"t\":{},\"amp_db\":{},\"snr_db\":{}}}\n",
            f[0],
            t + 2.0,
            f[1],
            f[2],
            f[3],
            f[4]
        );
    }
    stream += "{\"kind\":\"heartbeat\",\"id\":\"H1\",\"recv\":900}\n{bad\n";
    stream += "{\"kind\":\"acoustic\",\"id\":\"X1\",\"recv\":1e300,\"station\":\"S1\",\"t\":1,\"amp_db\":90,\"snr_db\":14}\n";
    fs::write(data.join("detections.ndjson"), stream).unwrap();
    let (code, err) = associate(&data, &out, &["--releases"]);
    assert_eq!(code, 1, "{err}");
    let quarantine = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    assert!(quarantine.contains("detections.ndjson,47,line"), "{quarantine}");
    assert!(quarantine.contains("detections.ndjson,48,recv"), "{quarantine}");
    // Every line names the digest of the one before.
    let releases = fs::read_to_string(out.join("releases.ndjson")).unwrap();
    let mut previous = String::new();
    let mut grades = std::collections::BTreeMap::new();
    for line in releases.lines() {
        let release: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(release["previous"], previous.as_str());
        let digest = <sha2::Sha256 as sha2::Digest>::digest(line.as_bytes());
        previous = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        *grades.entry(release["grade"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!((grades["preliminary"], grades["final"]), (5, 5), "{grades:?}");
    // In the end it is what the table gives.
    let table = dir.path().join("table");
    assert_eq!(associate(&data, &table, &[]).0, 0);
    assert_eq!(summary(&out)["digest"], summary(&table)["digest"]);
}
