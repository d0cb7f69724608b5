//! A gate for every release: with the model that comes with it, the engine still finds
//! what it should on made-up networks, and its probabilities and ellipses still hold.
//! Seeds are fixed, so that nothing here depends on chance; none of them was used to
//! fit or tune anything. `docs/benchmarks-association.md` holds the figures of longer sets.

mod common;

use std::fs;

use common::truceline;

/// What is asked of a set.
struct Target {
    scenario: &'static str,
    hours: &'static str,
    seeds: &'static [u32],
    /// F1 at the least, on the mean of the seeds.
    f1: f64,
    /// Expected error of calibration at the most, on the mean.
    ece: f64,
}

/// Share of events inside their 90 % ellipses, on the mean: some hundreds of events
/// tell it to two hundredths.
const COVERAGE: std::ops::RangeInclusive<f64> = 0.86..=0.94;

fn mean(scores: &[serde_json::Value], of: &str) -> f64 {
    let values = scores.iter().map(|score| score[of].as_f64().unwrap());
    values.sum::<f64>() / scores.len() as f64
}

fn holds(target: &Target) {
    let Target { scenario, hours, .. } = target;
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    let json = dir.path().join("score.json");
    let mut scores = Vec::new();
    for seed in target.seeds {
        let seed = seed.to_string();
        let make = ["simulate", "--scenario", scenario, "--hours", hours, "--seed", &seed];
        for (args, paths) in [
            ([&make[..], &["--no-stream"]].concat(), vec![("--out", &data)]),
            (vec!["associate"], vec![("--data", &data), ("--out", &out)]),
        ] {
            let paths: Vec<_> = paths.iter().map(|(flag, path)| (*flag, path.as_path())).collect();
            let (code, _, err) = truceline(&args, &paths);
            assert_eq!(code, 0, "{err}");
        }
        let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
        let (code, _, err) =
            truceline(&["simulate", "score", data, out], &[("--json", json.as_path())]);
        assert_eq!(code, 0, "{err}");
        scores.push(serde_json::from_slice(&fs::read(&json).unwrap()).unwrap());
        fs::remove_dir_all(data).unwrap();
        fs::remove_dir_all(out).unwrap();
    }
    let (f1, ece) = (mean(&scores, "f1"), mean(&scores, "ece_equal_mass"));
    let coverage = mean(&scores, "cov_coverage_90");
    println!("{scenario}, {hours} h: F1 {f1:.3}, ECE {ece:.3}, coverage {coverage:.3}");
    assert!(f1 >= target.f1, "{scenario}: F1 {f1:.3} of {}", target.f1);
    assert!(ece <= target.ece, "{scenario}: ECE {ece:.3}, at most {}", target.ece);
    assert!(COVERAGE.contains(&coverage), "{scenario}: 90 % ellipses hold {coverage:.3}");
}

#[test]
fn single_rounds_far_apart() {
    let seeds = &[2001, 2002, 2003, 2004];
    holds(&Target { scenario: "iso", hours: "24", seeds, f1: 0.96, ece: 0.03 });
}

#[test]
fn a_quiet_front_with_salvos() {
    let seeds = &[2001, 2002, 2003, 2004];
    holds(&Target { scenario: "S", hours: "24", seeds, f1: 0.94, ece: 0.03 });
}

#[test]
fn a_front_with_ten_false_alarms_an_hour() {
    let seeds = &[2001, 2002];
    holds(&Target { scenario: "S-fa10", hours: "24", seeds, f1: 0.94, ece: 0.03 });
}

#[test]
fn a_busy_front() {
    holds(&Target { scenario: "M", hours: "12", seeds: &[2001], f1: 0.90, ece: 0.03 });
}

#[test]
fn a_quarter_hour_of_a_long_front() {
    holds(&Target { scenario: "L", hours: "0.25", seeds: &[2001, 2002], f1: 0.96, ece: 0.03 });
}
