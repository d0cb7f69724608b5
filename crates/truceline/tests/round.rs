//! The commands one after the other, as a mission goes, on the exercise.

mod common;

use std::fs;

use common::{Sandbox, contents, with_filters};

fn snapshot(name: &str, shown: &str) {
    with_filters(|| insta::assert_snapshot!(name.to_owned(), shown));
}

#[test]
fn step_by_step_and_in_one_go_come_to_the_same() {
    let sandbox = Sandbox::with_exercise();
    let mut shown = String::new();
    let mut digests = Vec::new();
    for line in [
        "init case mission",
        "ingest mission --data data",
        "ingest mission --data data",
        "derive mission",
        "verify mission",
        "rebuild mission",
        "derive mission --threads 1",
    ] {
        let told = sandbox.expect(line, 0);
        if told.out.contains("state digest") {
            digests.push(told.digest());
        }
        shown.push_str(&format!("$ truceline {line}\n{}\n", told.shown()));
    }
    snapshot("round", &shown);
    digests.push(sandbox.expect("replay case --data data --out other --threads 2", 0).digest());
    assert!(digests.len() >= 4 && digests.iter().all(|one| *one == digests[0]), "{digests:?}");
}

#[test]
fn what_is_listed() {
    let sandbox = Sandbox::new();
    snapshot("demo", &sandbox.expect("demo --dir .", 0).shown());
    for (name, line) in [
        ("incidents", "incidents mission --day 2031-06-13"),
        ("incidents-csv", "incidents mission --day 2031-06-13 --format csv"),
        ("incidents-json", "incidents mission --day 2031-06-13 --format json"),
        ("incidents-geojson", "incidents mission --day 2031-06-13 --format geojson"),
        ("explain-day", "incidents mission --explain 2031-06-13"),
        ("findings", "findings mission --day 2031-06-13"),
        ("findings-csv", "findings mission --day 2031-06-13 --format csv"),
        ("findings-json", "findings mission --day 2031-06-13 --format json"),
        ("findings-geojson", "findings mission --day 2031-06-13 --format geojson"),
        ("effort", "effort mission --day 2031-06-13"),
        ("effort-csv", "effort mission --day 2031-06-13 --format csv"),
        ("effort-json", "effort mission --day 2031-06-13 --format json"),
        ("report", "report mission --day 2031-06-13 --format table"),
        ("mappings", "mappings"),
        ("mapping", "mappings firms"),
    ] {
        let told = sandbox.expect(line, 0);
        snapshot(name, &told.shown());
        if let Some(parsed) = name.ends_with("json").then(|| serde_json::from_str(&told.out)) {
            let _: serde_json::Value = parsed.expect("it is JSON");
        }
    }
    explained(&sandbox);
    // Incidents are believed about as much as they deserve.
    let told = sandbox.expect("demo --dir . --score", 0).out;
    let all: Vec<&str> = told
        .lines()
        .find(|line| line.trim_start().starts_with("all "))
        .unwrap()
        .split_whitespace()
        .collect();
    let number = |at: usize| all[at].parse::<f64>().unwrap();
    let (incidents, expected, real) = (number(1), number(2), number(3));
    assert!(incidents > 500.0 && (expected - real).abs() < 0.1 * incidents, "{told}");
}

/// Why an event is believed: the parts add up to what the list of events says.
fn explained(sandbox: &Sandbox) {
    let list = sandbox.expect("events mission --least 0.9 --format json", 0);
    let list: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    let event = list[2]["id"].as_str().unwrap();
    let line = format!("events mission --explain {event} --svg event.svg");
    let told = sandbox.expect(&line, 0);
    assert!(told.out.starts_with("EXERCISE") && told.out.contains("Rejected:"), "{}", told.out);
    let told = sandbox.expect(&format!("events mission --explain {event} --format json"), 0);
    let told: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let stations = told["stations"].as_array().unwrap();
    let heard = stations.iter().filter(|s| s["heard"].is_string()).count();
    assert_eq!(heard.to_string(), list[2]["arrivals"].to_string().replace('"', ""));
    let sum = stations.iter().map(|s| number(&s["nats"])).sum::<f64>()
        + ["rarity", "size_fit", "since"].iter().map(|part| number(&told[part])).sum::<f64>();
    assert!((sum - number(&told["evidence"])).abs() < 1e-6, "{told}");
    let problem = sandbox.expect("events mission --explain evt_", 2);
    assert!(problem.err.contains("is the beginning of"), "{}", problem.err);
}

#[test]
fn an_earlier_record_and_an_earlier_moment_can_be_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.expect("demo --dir .", 0);
    let count = |line: &str| sandbox.expect(line, 0).out.lines().count();
    let all = count("incidents mission --format csv");
    let by_moment = count("incidents mission --format csv --as-of 2031-06-12T12:00:00Z");
    let by_size = count("incidents mission --format csv --as-of 200");
    assert!(1 < by_moment && by_moment < all, "{by_moment} of {all}");
    assert!(by_size < all, "{by_size} of {all}");
    let told = sandbox.expect("incidents mission --as-of 1000000", 2);
    snapshot("as-of-beyond", &told.shown());
}

#[test]
fn the_same_exercise_gives_the_same_pages() {
    let sandbox = Sandbox::new();
    sandbox.expect("demo --dir one --threads 1", 0);
    sandbox.expect("demo --dir two --threads 2", 0);
    sandbox.expect("demo --dir other --seed 2", 0);
    // The record holds when files arrived, and with it its root differs.
    let same =
        ["incidents.csv", "incidents.geojson", "findings.json", "mission/derived/state.jsonl"];
    for name in same {
        let read = |dir: &str| fs::read(sandbox.path().join(dir).join(name)).unwrap();
        assert!(read("one") == read("two"), "{name} differs between one thread and two");
        assert!(read("one") != read("other"), "{name} is the same for another seed");
    }
}

#[test]
fn a_proof_is_given_away_and_checked_without_the_mission() {
    let sandbox = Sandbox::new();
    sandbox.expect("demo --dir .", 0);
    let told = sandbox.expect("prove mission 200 --out proof", 0);
    snapshot("prove", &told.shown());
    let read = |path: &str| fs::read(sandbox.path().join(path)).unwrap();
    let key = String::from_utf8(read("mission/log.vkey")).unwrap();
    let key = record::PublicKey::parse(key.trim_end()).unwrap();
    let proof = record::ProofText::parse(&read("proof/entry.tlog-proof")).unwrap();
    let mut entry = read("proof/entry");
    proof.verify(&key, &entry).unwrap();
    entry[10] ^= 1;
    proof.verify(&key, &entry).unwrap_err();
}

#[test]
fn reports_are_written_and_the_derived_state_is_not_touched() {
    let sandbox = Sandbox::new();
    sandbox.expect("demo --dir .", 0);
    let before = contents(&sandbox.path().join("mission"));
    sandbox.expect("report mission --day 2031-06-13 --out pages", 0);
    let page = fs::read_to_string(sandbox.path().join("pages/2031-06-13.en.html")).unwrap();
    assert!(page.contains("EXERCISE") && page.contains("<svg"), "{page}");
    assert!(before == contents(&sandbox.path().join("mission")), "a report changed the mission");
}
