//! `truceline associate` and `calibrate` on a global network of arrays, from the outside.

mod common;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use common::truceline;

/// A world with few hours, and its performance as fitted on the labelled ones: made
/// once, and copied.
fn set(folder: &Path) {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path());
        dir
    });
    copy(made.path(), folder);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, copied).unwrap();
        }
    }
}

fn make(folder: &Path) {
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

#[test]
fn what_arrays_hear_is_released_as_it_comes_in_and_ends_as_the_table_does() {
    let dir = tempfile::tempdir().unwrap();
    let (data, out) = (dir.path().join("data"), dir.path().join("out"));
    set(&data);
    let (code, printed, err) =
        truceline(&["associate", "--releases"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 0, "{err}");
    assert!(printed.contains("releases in releases.ndjson"), "{printed}");
    let whole = dir.path().join("whole");
    assert_eq!(associate(&data, &whole).0, 0);
    let digest = |out: &Path| json(&out.join("summary.json"))["digest"].clone();
    assert_eq!(digest(&out), digest(&whole));

    // Of the preliminary ones as many are real as is said, and they come in time.
    let score = dir.path().join("score.json");
    let (data_name, out_name) = (data.to_str().unwrap(), out.to_str().unwrap());
    let args = ["simulate", "score", data_name, out_name, "--globe", "--grade", "preliminary"];
    let (code, _, err) = truceline(&args, &[("--json", &score)]);
    assert_eq!(code, 0, "{err}");
    let score = json(&score);
    assert!(score["n_solution"].as_u64().unwrap() > 50, "{score}");
    assert!(score["ece_equal_mass"].as_f64().unwrap() < 0.12, "{score}");
    assert!(score["latency_s_median"].as_f64().unwrap() < 1_500.0, "{score}");

    // A line that is no arrival, one too many, and one in another unit of time.
    let stream = data.join("arrivals.ndjson");
    let mut text = fs::read_to_string(&stream).unwrap();
    let count = text.lines().count();
    let first = text.lines().next().unwrap().to_owned();
    for line in [
        first.as_str(),
        "{\"kind\":\"arrival\",\"id\":\"X1\",\"recv\":9e6,\"station\":\"WRA\",\"t\":9e6,\"azimuth_deg\":1}",
        "{\"kind\":\"heartbeat\",\"recv\":9e6}",
        "no object",
    ] {
        text.push_str(line);
        text.push('\n');
    }
    fs::write(&stream, text).unwrap();
    let (code, _, err) =
        truceline(&["associate", "--releases"], &[("--data", &data), ("--out", &out)]);
    assert_eq!(code, 1, "{err}");
    let aside = fs::read_to_string(out.join("quarantine.csv")).unwrap();
    for (line, says) in [
        (count + 1, "det,\"says to the digit"),
        (count + 2, "slowness_s_deg,\"is missing\""),
        (count + 4, "line,"),
    ] {
        assert!(aside.contains(&format!("arrivals.ndjson,{line},{says}")), "{says}: {aside}");
    }
}

/// The moment of a time of a set, which begins on a day of 2026.
fn moment(t_s: &str) -> String {
    let zero: jiff::Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
    let s: f64 = t_s.parse().unwrap();
    (zero + jiff::SignedDuration::from_millis((s * 1e3).round() as i64)).to_string()
}

/// A case for a global network, in which explosions anywhere are forbidden.
fn case(folder: &Path, performance: bool) {
    common::no_fire(folder, "2026-01-02T00:00:00Z", "2026-01-06T00:00:00Z");
    let input = |mapping: &str, files: &str| {
        format!("[[input]]\nsource = \"ring\"\nmapping = \"{mapping}\"\nfiles = \"{files}\"\n")
    };
    let mut text = "[case]\nid = \"world\"\ntitle = \"Global network\"\nagreement = \"agreement\"\nzone = \"UTC\"\n\
                    [window]\nbaseline_from = \"2026-01-01T00:00:00Z\"\nfrom = \"2026-01-02T00:00:00Z\"\n\
                    to = \"2026-01-06T00:00:00Z\"\nafter_to = \"2026-01-07T00:00:00Z\"\n\
                    [[source]]\nid = \"ring\"\nname = \"Ring\"\noperator = \"x\"\ngroup = \"ring\"\nkind = \"seismic\"\n\
                    effort = \"rows\"\ncitation = \"made up\"\nlicence = \"CC0\"\n"
        .to_owned()
        + &input("stations", "stations.csv")
        + &input("travel-times", "curve.csv")
        + &input("global-arrivals", "arrivals.csv");
    if performance {
        text += &input("performance", "performance.json");
    }
    fs::write(folder.join("case.toml"), text).unwrap();
}

#[test]
fn a_global_network_goes_through_a_mission() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    set(&at("set"));
    fs::create_dir_all(at("data")).unwrap();
    for name in ["stations.csv", "curve.csv", "performance.json"] {
        fs::copy(at("set").join(name), at("data").join(name)).unwrap();
    }
    let mut arrivals = String::from("station,at_utc,azimuth_deg,slowness_s_deg,amplitude\n");
    for row in fs::read_to_string(at("set").join("arrivals.csv")).unwrap().lines().skip(1) {
        let f: Vec<&str> = row.split(',').collect();
        arrivals += &format!("{},{},{},{},{}\n", f[1], moment(f[2]), f[3], f[4], f[5]);
    }
    fs::write(at("data").join("arrivals.csv"), arrivals).unwrap();

    // Without what the arrays are like the case is refused.
    case(&at("case"), false);
    let run = |args: &[&str], paths: &[&Path]| {
        let mut args: Vec<&str> = args.to_vec();
        args.extend(paths.iter().map(|path| path.to_str().unwrap()));
        truceline(&args, &[])
    };
    let mission = at("mission");
    let (code, _, err) = run(&["init", "--key-seed", "7"], &[&at("case"), &mission]);
    assert_ne!(code, 0);
    assert!(err.contains("has arrivals with a slowness and no performance"), "{err}");
    case(&at("case"), true);
    let fine = |args: &[&str], paths: &[&Path]| {
        let (code, printed, err) = run(args, paths);
        assert_eq!(code, 0, "{args:?}: {printed}{err}");
        printed
    };
    fine(&["init", "--key-seed", "7"], &[&at("case"), &mission]);
    let data = at("data");
    fine(&["ingest", mission.to_str().unwrap(), "--data"], &[&data]);
    fine(&["derive"], &[&mission]);
    let listed = fine(&["events", "--format", "csv"], &[&mission]);
    let mut lines = listed.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|c| *c == name).unwrap();
    let likely: Vec<Vec<&str>> = lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|f| f[column("probability")].parse::<f64>().unwrap() >= 0.36)
        .collect();
    assert!(likely.iter().all(|f| f[column("wave")] == "seismic"), "{listed}");
    assert!(likely.iter().all(|f| !f[column("magnitude")].is_empty()), "{listed}");

    // They are the events that there were, as well as `associate` finds them.
    let mut events = String::from("event,t_s,lat,lon,prob\n");
    let zero: jiff::Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
    for f in &likely {
        let moment: jiff::Timestamp = f[column("at")].parse().unwrap();
        let t_s = moment.duration_since(zero).as_secs_f64();
        let of = |name: &str| f[column(name)];
        events +=
            &format!("{},{t_s},{},{},{}\n", of("id"), of("lat"), of("lon"), of("probability"));
    }
    fs::create_dir_all(at("solution")).unwrap();
    fs::write(at("solution").join("events.csv"), events).unwrap();
    let score = at("score.json");
    fine(
        &["simulate", "score", "--globe", "--json", score.to_str().unwrap()],
        &[&at("set"), &at("solution")],
    );
    let score = json(&score);
    // That nobody listened between the hours is not told to the mission.
    assert!(score["f1"].as_f64().unwrap() >= 0.65, "{score}");

    let svg = at("event.svg");
    let told = fine(
        &["events", "--explain", likely[0][column("id")], "--svg", svg.to_str().unwrap()],
        &[&mission],
    );
    for says in ["\nmagnitude  ", "how usual its magnitude is", "presumed: no depth is known"] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(fs::read_to_string(svg).unwrap().contains("90 % ellipse"));
    assert!(fine(&["rebuild"], &[&mission]).contains("the same as before, byte for byte"));
    assert!(fine(&["verify"], &[&mission]).contains("all is well"));
}
