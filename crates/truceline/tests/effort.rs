//! Looking is evidence: what is published by day and by night, and by sector,
//! from files through the record to the command line.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use common::Sandbox;
use jiff::Timestamp;

/// Two-sided at 5 % with 40 pairs.
const CRITICAL: f64 = 0.313;

/// The rows of a CSV file by column. No cell of these has a comma in it.
fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), columns.len(), "{line}");
            columns.iter().zip(cells).map(|(a, b)| ((*a).to_owned(), b.to_owned())).collect()
        })
        .collect()
}

/// VERIFICATION D1, T: with all sensors of the mission switched off by night,
/// the published figure of the night is "not observed", never zero.
#[test]
fn d1_with_all_night_sensors_off_the_night_is_not_observed_and_never_zero() {
    let sandbox = Sandbox::new();
    // From 18:00 to 10:00 UTC every sensor is off; where the exercise takes
    // place the sun is up from about 08:00 to 20:00 UTC.
    let off = |moment: &str| {
        let moment: Timestamp = moment.parse().unwrap();
        !(10 * 3600..18 * 3600).contains(&moment.as_second().rem_euclid(86_400))
    };
    for (path, bytes) in exercise::files(1) {
        let text = || String::from_utf8(bytes.clone()).unwrap();
        let mut altered = bytes.clone();
        let moment_in = match path.as_str() {
            path if path.starts_with("data/acoustic/detections_") => Some(0),
            path if path.starts_with("data/posts/arrivals_") => Some(1),
            _ => None,
        };
        if let Some(column) = moment_in {
            let text = text();
            let kept = text.lines().enumerate().filter(|(number, line)| {
                *number == 0 || !off(line.split(',').nth(column).unwrap())
            });
            altered = kept.map(|(_, line)| format!("{line}\n")).collect::<String>().into_bytes();
        } else if ["data/acoustic/log.csv", "data/posts/log.csv"].contains(&path.as_str()) {
            let text = text();
            let mut log = format!("{}\n", text.lines().next().unwrap());
            for line in text.lines().skip(1) {
                let cells: Vec<&str> = line.split(',').collect();
                let (from, to): (Timestamp, Timestamp) =
                    (cells[1].parse().unwrap(), cells[2].parse().unwrap());
                let day_s = 86_400;
                for day in from.as_second() / day_s..=to.as_second() / day_s {
                    let at = |second: i64| Timestamp::from_second(day * day_s + second).unwrap();
                    let (on, done) = (at(10 * 3600).max(from), at(18 * 3600).min(to));
                    if on < done {
                        let _ = writeln!(log, "{},{on},{done},{}", cells[0], cells[3..].join(","));
                    }
                }
            }
            altered = log.into_bytes();
        }
        sandbox.put(&path, &altered);
    }
    sandbox.expect("init case m --key-seed 1", 0);
    sandbox.expect("ingest m --data data", 0);
    sandbox.expect("derive m", 0);

    let table = rows(&sandbox.expect("effort m --sectors --format csv", 0).out);
    let of_mission = |light: &str| {
        let rows = table.iter().filter(|row| row["watched_by"] == "mission");
        rows.filter(|row| row["light"] == light).collect::<Vec<_>>()
    };
    let (by_day, by_night) = (of_mission("day"), of_mission("night"));
    assert!(
        by_day.iter().any(|row| row["effort"] != "not_observed" && !row["per_100h"].is_empty())
    );
    assert!(!by_night.is_empty());
    for row in by_night {
        assert_eq!(row["effort"], "not_observed", "{row:?}");
        assert_eq!((row["incidents"].as_str(), row["per_100h"].as_str()), ("", ""), "{row:?}");
    }

    let sources = rows(&sandbox.expect("effort m --format csv", 0).out);
    let acoustic: Vec<_> = sources.iter().filter(|row| row["kind"] == "acoustic").collect();
    assert!(acoustic.iter().any(|row| !row["day_per_100h"].is_empty()));
    for row in acoustic {
        assert_eq!(row["by_night"], "not_observed", "{row:?}");
        assert_eq!((row["night_rows"].as_str(), row["night_per_100h"].as_str()), ("", ""));
    }

    let told = sandbox.expect("report m --format table", 0).out;
    assert!(told.contains("Night: not observed."), "{told}");
    let nights: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("Incidents told by sensors and patrols"))
        .filter(|line| line.contains("by night"))
        .collect();
    assert!(!nights.is_empty());
    for line in nights {
        assert!(line.ends_with("not observed; no rate"), "{line}");
    }

    // With the sensors on, the same night has figures.
    let sandbox = Sandbox::with_exercise();
    sandbox.expect("init case m --key-seed 1", 0);
    sandbox.expect("ingest m --data data", 0);
    let table = rows(&sandbox.expect("effort m --sectors --format csv", 0).out);
    let watched = table.iter().filter(|row| row["watched_by"] == "mission");
    assert!(watched.filter(|row| row["light"] == "night").any(|row| !row["per_100h"].is_empty()));
}

/// VERIFICATION D17, T: one of the sources falls silent while its log says that
/// it works. The series is annotated, and no trend is claimed.
#[test]
fn d17_a_source_that_falls_silent_is_named_and_blocks_the_trend() {
    let table = |silent: bool| {
        let sandbox = Sandbox::new();
        for (path, bytes) in exercise::files(1) {
            let day = path.strip_prefix("data/hot_spots/fires_").map(|rest| rest[..8].to_owned());
            let bytes = match day {
                Some(day) if silent && *day >= *"20310618" => {
                    let text = String::from_utf8(bytes).unwrap();
                    format!("{}\n", text.lines().next().unwrap()).into_bytes()
                }
                _ => bytes,
            };
            sandbox.put(&path, &bytes);
        }
        sandbox.expect("init case m --key-seed 1", 0);
        // A file without a row is told.
        let ingested = sandbox.run("ingest m --data data");
        assert!(matches!(ingested.code, Some(0 | 1)), "{}", ingested.shown());
        let effort = rows(&sandbox.expect("effort m --format csv", 0).out);
        let report = sandbox.expect("report m --day 2031-06-19 --format table", 0).out;
        (effort, report)
    };
    let of_day = |effort: &[BTreeMap<String, String>]| -> Vec<(String, String)> {
        let rows = effort.iter().filter(|row| row["day"] == "2031-06-19");
        rows.map(|row| (row["source"].clone(), row["change"].clone())).collect()
    };
    let (effort, report) = table(false);
    assert!(of_day(&effort).iter().all(|(_, change)| change.is_empty()), "{:?}", of_day(&effort));
    assert!(!report.contains("may have failed"), "{report}");
    let (effort, report) = table(true);
    for (source, change) in of_day(&effort) {
        let silent = source == "hot-spots";
        assert_eq!(silent, change.contains("no row where"), "{source}: {change}");
    }
    assert!(report.contains("delivered no row where"), "{report}");
    assert!(report.contains("It may have failed"), "{report}");
    assert!(report.contains("The count is not compared with that of 18 June"), "{report}");
    let first = report.lines().find(|line| line.contains("reported for this day")).unwrap();
    assert!(!first.contains("compared with"), "{first}");
}

const CASE: &str = r#"
[case]
id = "even"
title = "An even land"
agreement = "agreement"
zone = "UTC"
exercise = true

[window]
baseline_from = "2031-03-01T00:00:00Z"
from = "2031-03-05T00:00:00Z"
to = "2031-03-15T00:00:00Z"
after_to = "2031-03-21T00:00:00Z"

[area]
south = 10.0
west = 20.0
north = 12.0
east = 25.0

[[source]]
id = "posts"
name = "Listening posts"
operator = "the mission"
group = "posts"
kind = "acoustic"
effort = "logged"
citation = "made up"
licence = "CC0"

[[input]]
source = "posts"
mapping = "heard.toml"
files = "heard.csv"

[[input]]
source = "posts"
mapping = "log.toml"
files = "log.csv"
"#;

const AGREEMENT: &str = r#"
[agreement]
id = "even"
version = 1
title = "A truce"

[[zone]]
id = "all"
name = "everywhere"
kind = "everywhere"

[[provision]]
id = "1"
title = "No fire"
acts = ["A"]
zone = "all"

[[provision.in_force]]
from = "2031-03-05T00:00:00Z"
to = "2031-03-15T00:00:00Z"
"#;

const HEARD: &str = r#"
[mapping]
id = "heard"
version = 1
title = "What posts heard"
kind = "observations"
format = "csv"

[time]
at = "utc"
sigma_s = 1.0

[place]
kind = "point"
lat = "lat"
lon = "lon"
sigma_m = 150.0

[observed]
signature = "explosion"
"#;

const LOG: &str = r#"
[mapping]
id = "log"
version = 1
title = "When posts were up"
kind = "effort"
format = "csv"

[time]
from = "from"
to = "to"
zone = "UTC"

[effort]
covers = "span"
part = "post"
footprint = { lat = "lat", lon = "lon", radius_m = "radius_m" }
"#;

/// Ranks, equal values sharing theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: f64| {
        let below = values.iter().filter(|other| **other < value).count() as f64;
        let same = values.iter().filter(|other| **other == value).count() as f64;
        below + f64::midpoint(same, 1.0)
    };
    values.iter().map(|value| rank(*value)).collect()
}

/// Spearman's rank correlation.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let mean = f64::midpoint(a.len() as f64, 1.0);
    let sum = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    sum(&a, &b) / (sum(&a, &a) * sum(&b, &b)).sqrt()
}

/// VERIFICATION D6, T: where the true rate is the same everywhere and the
/// coverage is not, the published rate of a sector does not go with its
/// coverage. The bare count does.
#[test]
fn d6_the_rate_of_a_sector_does_not_go_with_its_coverage() {
    const DAYS: u32 = 20;
    const HOURLY: f64 = 0.4;
    let mut chance = chance::Chance::new(6, "even land");
    let (mut heard, mut log) =
        (String::from("utc,lat,lon\n"), String::from("post,from,to,lat,lon,radius_m\n"));
    let start: Timestamp = "2031-03-01T00:00:00Z".parse().unwrap();
    let at =
        |hour: f64| Timestamp::from_second(start.as_second() + (hour * 3600.0) as i64).unwrap();
    let mut coverage = BTreeMap::new();
    for post in 0..40_u32 {
        let (row, column) = (post / 10, post % 10);
        let (south, west) = (10.0 + 0.5 * f64::from(row), 20.0 + 0.5 * f64::from(column));
        let (lat, lon) = (south + 0.25, west + 0.25);
        // From a tenth of the day to the whole of it.
        let share = 0.1 + 0.9 * f64::from(post * 7 % 40) / 39.0;
        coverage.insert(format!("{south:.1} N {west:.1} E"), share);
        for day in 0..DAYS {
            let from = f64::from(day) * 24.0;
            let _ =
                writeln!(log, "P{post},{},{},{lat},{lon},32000", at(from), at(from + 24.0 * share));
        }
        let mut hour = 0.0;
        loop {
            hour += chance.exponential(1.0 / HOURLY);
            if hour >= f64::from(DAYS) * 24.0 {
                break;
            }
            // Wherever it falls it is heard, if the post is up.
            let (north, east) = (chance.between(-0.24, 0.24), chance.between(-0.24, 0.24));
            if hour % 24.0 < 24.0 * share {
                let _ = writeln!(heard, "{},{:.5},{:.5}", at(hour), lat + north, lon + east);
            }
        }
    }
    let sandbox = Sandbox::new();
    for (path, text) in [
        ("case/case.toml", CASE),
        ("case/agreement/agreement.toml", AGREEMENT),
        ("case/heard.toml", HEARD),
        ("case/log.toml", LOG),
        ("data/heard.csv", &heard),
        ("data/log.csv", &log),
    ] {
        sandbox.put(path, text.as_bytes());
    }
    sandbox.expect("init case m --key-seed 1", 0);
    sandbox.expect("ingest m --data data", 0);
    let table = rows(&sandbox.expect("effort m --sectors --format csv", 0).out);
    let number = |row: &BTreeMap<String, String>, column: &str| -> f64 {
        row[column].parse().unwrap_or(0.0)
    };
    // Day and night together: both have counts and hours of their own.
    let (mut counts, mut hours) = (BTreeMap::new(), BTreeMap::new());
    for row in table.iter().filter(|row| row["watched_by"] == "mission") {
        *counts.entry(&row["sector"]).or_insert(0.0) += number(row, "incidents");
        *hours.entry(&row["sector"]).or_insert(0.0) += number(row, "seen_hours");
    }
    assert_eq!(counts.len(), 40);
    let shares: Vec<f64> = counts.keys().map(|sector| coverage[*sector]).collect();
    let bare: Vec<f64> = counts.values().copied().collect();
    let rates: Vec<f64> = counts.iter().map(|(sector, count)| count / hours[sector]).collect();
    let biased = correlation(&bare, &shares);
    assert!(biased > 0.9, "the bare count shows where people look: {biased}");
    let fair = correlation(&rates, &shares);
    assert!(fair.abs() < CRITICAL, "the rate goes with the coverage: {fair}");

    // As published, by light: only where enough was seen, and the same holds.
    for light in ["day", "night"] {
        let published: Vec<(f64, f64)> = table
            .iter()
            .filter(|row| row["light"] == light && !row["per_100h"].is_empty())
            .map(|row| (number(row, "per_100h"), number(row, "share")))
            .collect();
        let (rates, shares): (Vec<f64>, Vec<f64>) = published.iter().copied().unzip();
        assert!(rates.len() >= 10, "{light}: {}", rates.len());
        let critical = 1.96 / (rates.len() as f64 - 1.0).sqrt();
        let fair = correlation(&rates, &shares);
        assert!(fair.abs() < critical, "{light}: {fair} of {critical}");
    }
}
