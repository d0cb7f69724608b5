//! The scorer on solutions whose score is known.

use std::collections::BTreeMap;

use simulate::scenario;
use simulate::score::{Rules, Score, Texts, Wrong, score};

type Files = BTreeMap<&'static str, String>;

fn set(name: &str, hours: f64, seed: u64) -> Files {
    let text = strict::Text::new(name, scenario::shipped_text(name).unwrap());
    let scenario = scenario::parse(&text).unwrap().with_hours(hours).unwrap();
    let mut files = Files::new();
    simulate::generate(&scenario, seed, &mut files).unwrap();
    files
}

fn scored(files: &Files, events: &str, assoc: &str) -> Result<Score, Wrong> {
    let texts = Texts {
        truth: &files["truth.csv"],
        truth_assoc: &files["truth_assoc.csv"],
        truth_attacks: files.get("truth_attacks.csv").map_or("", String::as_str),
        truth_storms: files.get("truth_storms.csv").map_or("", String::as_str),
        meta: &files["meta.json"],
        events,
        assoc,
    };
    score(&texts, &Rules::FRONT)
}

/// The truth itself as a solution, in degrees, moved to the east.
fn the_truth(files: &Files, east_m: f64) -> String {
    let mut out = String::from("event,t_s,lat,lon,type,level_db,prob,c_xx,c_xy,c_yy\n");
    for line in files["truth.csv"].lines().skip(1) {
        let cell: Vec<&str> = line.split(',').collect();
        let lon: f64 = cell[3].parse().unwrap();
        // 73.2 km in a degree of longitude at 49 N.
        let lon = lon + east_m / 73_200.0;
        out += &format!(
            "{},{},{},{lon:.7},{},{},0.999,2500,0,2500\n",
            cell[0], cell[1], cell[2], cell[6], cell[8]
        );
    }
    out
}

#[test]
fn the_truth_has_a_perfect_score() {
    let files = set("S", 6.0, 11);
    let found = scored(&files, &the_truth(&files, 0.0), &files["truth_assoc.csv"]).unwrap();
    assert_eq!((found.precision, found.recall, found.f1, found.fp), (1.0, 1.0, 1.0, 0));
    let picks = found.picks.unwrap();
    assert_eq!((picks.pick_precision, picks.pick_recall, picks.iou06_f1), (1.0, 1.0, 1.0));
    assert!(found.found.loc_err_m_median.unwrap() < 0.02, "{:?}", found.found);
    assert_eq!(found.found.type_accuracy, Some(1.0));
    assert!(found.calibration.unwrap().brier < 1e-5);
    assert_eq!(found.ignored, found.n_truth - found.n_required);
}

/// Detections of arrays are not named as those of other sensors are.
#[test]
fn detections_of_arrays_are_scored_by_any_name() {
    let files = set("infrasound", 48.0, 3);
    let rules = Rules { min_det: 2.0, t_s: 900.0, x_km: 250.0, ..Rules::FRONT };
    let mut events = String::from("event,t_s,lat,lon,prob\n");
    for line in files["truth.csv"].lines().skip(1) {
        let cell: Vec<&str> = line.split(',').collect();
        events += &format!("{},{},{},{},0.9\n", cell[0], cell[1], cell[2], cell[3]);
    }
    let of = |assoc: &str| {
        let texts = Texts {
            truth: &files["truth.csv"],
            truth_assoc: &files["truth_assoc.csv"],
            truth_attacks: "",
            truth_storms: "",
            meta: &files["meta.json"],
            events: &events,
            assoc,
        };
        score(&texts, &rules).unwrap().picks.unwrap()
    };
    let all = of(&files["truth_assoc.csv"]);
    assert_eq!((all.pick_precision, all.pick_recall, all.iou06_f1), (1.0, 1.0, 1.0));
    assert_eq!((all.thermal_link_precision, all.report_link_precision), (None, None));
    // Half of the rows: half of the detections.
    let rows: Vec<&str> = files["truth_assoc.csv"].lines().step_by(2).collect();
    let half = of(&(rows.join("\n") + "\n"));
    assert!((0.3..0.7).contains(&half.pick_recall), "{half:?}");
    assert!(half.iou06_f1 < 0.7, "{half:?}");
}

#[test]
fn an_offset_is_measured_and_a_large_one_is_a_miss() {
    let files = set("iso", 12.0, 11);
    let found = scored(&files, &the_truth(&files, 100.0), "").unwrap();
    let error_m = found.found.loc_err_m_median.unwrap();
    assert!((error_m - 100.0).abs() < 1.0, "{error_m}");
    // Two standard deviations: within the 90 % ellipse (2.15), outside of the 50 % one (1.18).
    assert_eq!(found.found.cov_coverage_90, Some(1.0));
    assert_eq!(found.found.cov_coverage_50, Some(0.0));
    let found = scored(&files, &the_truth(&files, 1600.0), "").unwrap();
    assert_eq!((found.tp, found.f1), (0, 0.0));
}

#[test]
fn nothing_is_a_solution_too() {
    let files = set("iso", 2.0, 11);
    let found = scored(&files, "event,t_s,x_km,y_km,prob\n", "det,event\n").unwrap();
    assert_eq!((found.n_solution, found.tp, found.fp, found.f1), (0, 0, 0, 0.0));
}

#[test]
fn the_order_of_rows_does_not_matter() {
    let files = set("S", 6.0, 12);
    let events = the_truth(&files, 40.0);
    let mut lines: Vec<&str> = events.lines().skip(1).collect();
    lines.reverse();
    let turned = format!("{}\n{}\n", events.lines().next().unwrap(), lines.join("\n"));
    assert_eq!(scored(&files, &events, "").unwrap(), scored(&files, &turned, "").unwrap());
}

#[test]
fn whoever_believes_everything_is_deceived() {
    let files = set("red-team", 24.0, 3);
    let mut events = String::from("event,t_s,x_km,y_km,prob\n");
    for (index, line) in files["truth_attacks.csv"].lines().skip(1).enumerate() {
        let cell: Vec<&str> = line.split(',').collect();
        events += &format!("F{index},{},{},{},0.7\n", cell[2], cell[5], cell[6]);
    }
    let found = scored(&files, &events, "").unwrap();
    for (kind, score) in &found.attacks {
        assert!(score.rounds > 0, "{kind}");
        assert_eq!(score.believed_90, 0, "{kind}");
        // A made-up round may lie next to a true one, which is then matched to it.
        assert!(score.believed_50 * 10 >= score.rounds * 9, "{kind}: {score:?}");
        assert!(score.rate_50.1 <= score.rate_50.0 && score.rate_50.0 <= score.rate_50.2);
    }
}

#[test]
fn phantoms_of_a_storm_are_told_from_others() {
    let files = set("storm", 12.0, 3);
    let mut events = String::from("event,t_s,x_km,y_km,prob\n");
    for line in files["truth.csv"].lines().skip(1) {
        let cell: Vec<&str> = line.split(',').collect();
        events += &format!("{},{},{},{},0.999\n", cell[0], cell[1], cell[4], cell[5]);
    }
    let storms: Vec<Vec<&str>> =
        files["truth_storms.csv"].lines().skip(1).map(|line| line.split(',').collect()).collect();
    for (index, cell) in (0i32..).zip(&storms) {
        // One in the middle as it begins, a weaker one long before the first storm.
        events += &format!("F{index},{},{},{},0.95\n", cell[2], cell[6], cell[7]);
        events += &format!("G{index},{},0,900,0.6\n", -100 - 10 * i64::from(index));
    }
    let found = scored(&files, &events, "").unwrap().storms;
    let (all, outside) = (&found["all"], &found["outside"]);
    assert_eq!(
        (all.storms, all.phantoms_50, all.phantoms_90),
        (storms.len(), storms.len(), storms.len())
    );
    assert_eq!((outside.phantoms_50, outside.phantoms_90), (storms.len(), 0));
    assert_eq!((all.recall, outside.recall), (Some(1.0), Some(1.0)));
    assert!(all.required > 20 && outside.required > 20, "{all:?} {outside:?}");
    assert!(found["hail"].phantoms_90 >= found["hail"].storms);
}

#[test]
fn a_broken_solution_says_where() {
    let files = set("iso", 0.5, 1);
    let error = scored(&files, "event,t_s,x_km,y_km\nA,1.0,x,2.0\n", "").unwrap_err();
    assert_eq!(error.to_string(), "events.csv:2: `x` in column `x_km` is not a number");
    let error = scored(&files, "event,t_s,x_km,y_km\nA,1.0,2.0\n", "").unwrap_err();
    assert_eq!(error.to_string(), "events.csv:2: 3 cells where the header has 4");
    let error = scored(&files, "event,x_km,y_km\n", "").unwrap_err();
    assert_eq!(error.to_string(), "events.csv: no column `t_s`; the first line must name it");
}
