//! `truceline calibrate --incidents`, as people run it.

mod common;

use std::fs;

use common::{Sandbox, with_filters};
use serde_json::Value;

fn mission(sandbox: &Sandbox, name: &str) {
    sandbox.expect(&format!("init case {name}"), 0);
    sandbox.expect(&format!("ingest {name} --data data"), 0);
}

/// Changes a file of the exercise.
fn change(sandbox: &Sandbox, path: &str, from: &str, to: &str) {
    let path = sandbox.path().join(path);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_mission_takes_priors_that_were_fitted_on_another() {
    let sandbox = Sandbox::with_exercise();
    mission(&sandbox, "first");
    let told = sandbox.expect("calibrate --incidents first --out priors.toml --version varda-1", 0);
    with_filters(|| insta::assert_snapshot!("incidents", told.shown()));
    let priors = fs::read_to_string(sandbox.path().join("priors.toml")).unwrap();
    assert!(priors.contains("version = \"varda-1\"") && priors.contains("rests_on = [\"press\"]"));
    let picture = fs::read_to_string(sandbox.path().join("priors.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("before"));
    let table = fs::read_to_string(sandbox.path().join("priors.csv")).unwrap();
    assert!(table.contains("press,after,"));

    fs::copy(sandbox.path().join("priors.toml"), sandbox.path().join("case/priors.toml")).unwrap();
    change(
        &sandbox,
        "case/case.toml",
        "exercise = true",
        "exercise = true\npriors = \"priors.toml\"",
    );
    mission(&sandbox, "second");
    let list = sandbox.expect("incidents second --format json", 0).out;
    let incidents: Vec<Value> = serde_json::from_str::<Value>(&list)
        .map(|value| value.as_array().cloned().or_else(|| value["incidents"].as_array().cloned()))
        .unwrap()
        .expect("a list of incidents");
    let press = incidents
        .iter()
        .find(|one| one["kinds"] == serde_json::json!(["press"]))
        .expect("some incident rests on the press alone");
    let belief = &press["belief"];
    assert_eq!(belief["priors"], "varda-1");
    let reasons = belief["reasons"].as_array().unwrap();
    let sum: f64 = reasons.iter().map(|reason| reason["log_odds"].as_f64().unwrap()).sum();
    let p = 1.0 / (1.0 + (-sum).exp());
    assert!((p - belief["probability"].as_f64().unwrap()).abs() < 1e-5, "{belief}");
    let id = press["id"].as_str().unwrap();
    let told = sandbox.expect(&format!("incidents second --explain {id}"), 0).out;
    assert!(told.contains("calibration of what rests on press"), "{told}");
    assert!(told.contains("calibrated on") && !told.contains("not calibrated"), "{told}");
    sandbox.expect("verify second", 0);

    // Fitted again on the mission that carries the map: what the map adds is
    // not taken for evidence, so it comes to the same map.
    sandbox.expect("calibrate --incidents second --out again.toml --version varda-1", 0);
    let again = fs::read_to_string(sandbox.path().join("again.toml")).unwrap();
    assert_eq!(priors, again);
}

#[test]
fn what_cannot_be_calibrated_says_why() {
    let sandbox = Sandbox::with_exercise();
    mission(&sandbox, "exercise");
    change(&sandbox, "case/case.toml", "exercise = true", "exercise = false");
    mission(&sandbox, "real");
    change(&sandbox, "case/case.toml", "exercise = false", "exercise = true");
    change(&sandbox, "case/case.toml", "id = \"exercise-1\"", "id = \"exercise-2\"");
    mission(&sandbox, "other");
    let mut shown = String::new();
    for line in [
        "calibrate --incidents real --out p.toml",
        "calibrate --incidents real --labels truth --out p.toml",
        "calibrate --incidents exercise real --out p.toml",
        "calibrate --incidents exercise --labels rulings --out p.toml",
        "calibrate --incidents other --out p.toml",
        "calibrate --incidents exercise --out p.toml --version a/b",
        "calibrate --incidents nothing --out p.toml",
        "calibrate --incidents exercise --data set --out p.toml",
    ] {
        let told = sandbox.expect(line, 2);
        assert!(!sandbox.path().join("p.toml").exists(), "{line}");
        shown.push_str(&format!("# {line}\n{}\n", told.shown()));
    }
    // A case whose priors are not sound makes no mission.
    let priors = fusion::prior_file::current().content().to_owned();
    for (name, from, to) in [
        ("priors.toml", "reports = 1.0", "reports = -1.0"),
        ("priors.toml", "sees = 0.5", "see = 0.5"),
        ("2026-1", "", ""),
    ] {
        sandbox.put("case/priors.toml", priors.replacen(from, to, 1).as_bytes());
        let case = exercise::files(1)["case/case.toml"].clone();
        let case = String::from_utf8(case).unwrap();
        let named = format!("exercise = true\npriors = \"{name}\"");
        sandbox.put("case/case.toml", case.replace("exercise = true", &named).as_bytes());
        let told = sandbox.expect("init case bad", 2);
        assert!(!sandbox.path().join("bad").exists());
        shown.push_str(&format!("# priors of a case: {from} -> {to}\n{}\n", told.shown()));
    }
    with_filters(|| insta::assert_snapshot!("refused", shown));
}
