//! Sound, waves in the ground and infrasound of one explosion, and of one deep
//! earthquake, through a whole mission: each goes through its own engine, and what
//! is of one place and time becomes one incident.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{folder, take_in};
use domain::event::Wave;
use domain::{Class, Event, State};
use mission::explain::{self, Question};
use mission::{AsOf, Case, Mission, Seeds, derive};

/// The files of the networks, as their operators write them.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/waves")
}

fn source(id: &str, kind: &str, inputs: &[(&str, &str)]) -> String {
    let mut text = format!(
        "[[source]]\nid = \"{id}\"\nname = \"{id}\"\noperator = \"the mission\"\ngroup = \"{id}\"\n\
         kind = \"{kind}\"\neffort = \"rows\"\ncitation = \"made up\"\nlicence = \"CC0\"\n\n"
    );
    for (mapping, files) in inputs {
        text += &format!(
            "[[input]]\nsource = \"{id}\"\nmapping = \"{mapping}\"\nfiles = \"{files}\"\noptional = true\n\n"
        );
    }
    text
}

const SEISMIC: [(&str, &str); 3] =
    [("stations", "seis.csv"), ("velocity", "velocity*.csv"), ("picks", "picks*.csv")];

/// A case with the three networks and nothing else.
fn case(place: &Path, seismic: &[(&str, &str)]) -> mission::Result<Case> {
    common::write_case(place);
    let head =
        common::CASE.split("[[source]]").next().unwrap().replace("control_map = \"map\"\n", "");
    let text = head
        + &source("mics", "acoustic", &[("stations", "mics.csv"), ("arrivals", "sounds.csv")])
        + &source("seis", "seismic", seismic)
        + &source("ring", "acoustic", &[("infrapy", "*.dets.json")]);
    let case = place.join("case");
    fs::write(case.join("case.toml"), text).unwrap();
    let agreement = case.join("agreement/agreement.toml");
    let everywhere = fs::read_to_string(&agreement).unwrap().replace(
        "kind = \"near_line\"\nline = \"map\"\nwithin_m = 5000\naccuracy_m = 100\n",
        "kind = \"everywhere\"\n",
    );
    fs::write(agreement, everywhere).unwrap();
    Case::read(&case)
}

fn mission(place: &Path, data: &Path) -> Mission {
    let case = case(place, &SEISMIC).unwrap();
    let mission = Mission::create(&folder(place), &case, Seeds::Number(1)).unwrap();
    take_in(&mission, data);
    derive::derive_and_store(&mission).unwrap();
    mission
}

fn of(state: &State, wave: Wave) -> Vec<&Event> {
    state.events.iter().filter(|event| event.wave == wave).collect()
}

#[test]
fn three_engines_and_one_incident() {
    let place = tempfile::tempdir().unwrap();
    let mission = mission(place.path(), &data());
    let (state, _) = derive::derive(&mission, AsOf::Now).unwrap();
    let [sound] = of(&state, Wave::Sound)[..] else { panic!("{:?}", state.events) };
    let [blast, quake] = of(&state, Wave::Seismic)[..] else { panic!("{:?}", state.events) };
    let [infrasound] = of(&state, Wave::Infrasound)[..] else { panic!("{:?}", state.events) };
    for event in [sound, blast, infrasound] {
        let centre = event.place.centre().unwrap();
        let apart_m = centre.distance_m(domain::LatLon::new(48.01, 37.52).unwrap());
        assert!(apart_m < event.place.radius_m() + 100.0, "{apart_m} {event:?}");
        assert!(event.probability.get() > 0.9, "{event:?}");
        assert_eq!(event.depth.is_some(), event.wave == Wave::Seismic);
        assert_eq!(event.level_db.is_some(), event.wave == Wave::Sound);
    }
    // The deep one speaks for an earthquake and opens nothing.
    assert!((quake.depth.unwrap().m - 18_000.0).abs() < 4_000.0, "{quake:?}");
    assert_eq!(quake.classes[0].class, Class::Z8);
    assert!(quake.classes[0].share.get() > 0.95, "{quake:?}");
    let [incident] = &state.incidents[..] else { panic!("{:#?}", state.incidents) };
    assert_eq!(incident.origins, 3, "{incident:#?}");
    let mut members: Vec<_> = incident.members.iter().map(|member| member.observation).collect();
    let mut events = vec![sound.id, blast.id, infrasound.id];
    members.sort_unstable();
    events.sort_unstable();
    assert_eq!(members, events);
    // Each adds to the belief, and the earthquake stays among the alternatives.
    assert_eq!(incident.belief.reasons.iter().filter(|reason| reason.log_odds > 1.0).count(), 3);
    for class in [Class::Z8, Class::Z1] {
        assert!(incident.alternatives.iter().any(|other| other.class == class), "{incident:#?}");
    }
    assert!(incident.classes.iter().all(|share| share.class.group() == 'A'));
    // A pick of the earthquake says what became of it.
    let row = quake.arrivals[0].observation.to_string();
    let answer = explain::explain(&mission, &Question::Id(row), AsOf::Now).unwrap();
    assert!(answer.rows[0].fate.words.contains("earthquake"), "{}", answer.rows[0].fate.words);
    assert!(answer.incident.is_none());
    // A detection is shown as it stands in the file, which is no table.
    let row = infrasound.arrivals[1].observation.to_string();
    let answer = explain::explain(&mission, &Question::Id(row), AsOf::Now).unwrap();
    let raw = &answer.rows[0].raw;
    assert!(raw.starts_with("{ \"Name\": \"I46") && raw.ends_with('}'), "{raw}");
}

#[test]
fn every_event_is_accounted_for() {
    let place = tempfile::tempdir().unwrap();
    let mission = mission(place.path(), &data());
    let (state, _) = derive::derive(&mission, AsOf::Now).unwrap();
    assert_eq!(state.events.len(), 4);
    for event in &state.events {
        let (_, told) = explain::event(&mission, &event.id.to_string(), AsOf::Now).unwrap();
        let account = &told.account;
        let said: f64 = account.stations.iter().map(|station| station.nats).sum();
        let sum = account.rarity + account.size_fit + said + account.since;
        assert!((sum - account.evidence).abs() < 1e-6, "{event:?}");
        assert!((account.evidence - event.evidence).abs() < 1e-3, "{event:?}");
        let mut own: Vec<_> = event.arrivals.iter().map(|arrival| arrival.observation).collect();
        let mut told: Vec<_> = told.observations.values().copied().collect();
        own.sort_unstable();
        told.sort_unstable();
        assert_eq!(own, told, "{event:?}");
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_the_events() {
    let place = tempfile::tempdir().unwrap();
    let one = mission(place.path(), &data());
    let on = |threads| derive::on_threads(threads, || derive::derive(&one, AsOf::Now).unwrap().0);
    assert_eq!(on(1).unwrap().to_bytes(), on(3).unwrap().to_bytes());
    // The same picks the other way round: other places in the record, the same events.
    let turned = tempfile::tempdir().unwrap();
    let files = turned.path().join("turned");
    fs::create_dir_all(&files).unwrap();
    for file in common::files_below(&data()) {
        let (name, text) = (file.file_name().unwrap(), fs::read_to_string(&file).unwrap());
        let text = match name.to_str() {
            Some("picks.csv") => {
                let (head, rows) = text.split_once('\n').unwrap();
                let rows: Vec<&str> = rows.lines().rev().collect();
                format!("{head}\n{}\n", rows.join("\n"))
            }
            _ => text,
        };
        fs::write(files.join(name), text).unwrap();
    }
    let two = mission(turned.path(), &files);
    let plain = |mission: &Mission| -> Vec<(domain::Id, String)> {
        let (state, _) = derive::derive(mission, AsOf::Now).unwrap();
        let one = |event: &Event| (event.id, format!("{:?} {:?}", event.place, event.probability));
        state.events.iter().map(one).collect()
    };
    assert_eq!(plain(&one), plain(&two));
}

#[test]
fn picks_that_cannot_be_used_are_set_aside_with_the_reason() {
    let place = tempfile::tempdir().unwrap();
    let case = case(place.path(), &SEISMIC).unwrap();
    let mission = Mission::create(&folder(place.path()), &case, Seeds::Number(1)).unwrap();
    let files = place.path().join("bad");
    fs::create_dir_all(&files).unwrap();
    for name in ["seis.csv", "picks.csv"] {
        fs::copy(data().join(name), files.join(name)).unwrap();
    }
    // No velocity model has come in yet: nothing can be said, and nothing is lost.
    take_in(&mission, &files);
    let words = |row: &str| {
        let (state, _, followed) =
            derive::trace(&mission, AsOf::Now, &derive::Follow { rows: &|_| true, event: None })
                .unwrap();
        let words = followed.fates.iter().map(|fate| fate.words.clone());
        (state.events.len(), words.filter(|words| words.contains(row)).count())
    };
    assert_eq!(words("has no velocity model"), (0, 57));
    // Nor does one that is none: it is refused whole, with its line.
    let velocity = |name: &str, text: &str| {
        fs::write(files.join(name), text).unwrap();
        let outcomes = take_in(&mission, &files);
        outcomes.into_iter().find(|one| one.name == name).unwrap().done.refused
    };
    let refused = velocity("velocity1.csv", "depth_km,vp_km_s,vs_km_s\n0,5.8,3.4\n20,fast,3.7\n");
    assert!(refused.contains("line 3: vp_km_s: `fast` is not a number"), "{refused}");
    let refused = velocity("velocity2.csv", "depth_km,vp_km_s,vs_km_s\n0,5.8,3.4\n20,6.5,7\n");
    assert!(refused.contains("layer 2: `vs_km_s` is 7; it must lie between"), "{refused}");
    assert_eq!(words("has no velocity model"), (0, 57));
    // The newest model counts.
    assert_eq!(velocity("velocity3.csv", "depth_km,vp_km_s,vs_km_s\n0,1,0.5\n"), "");
    assert_eq!(
        velocity("velocity4.csv", &fs::read_to_string(data().join("velocity.csv")).unwrap()),
        ""
    );
    assert_eq!(words("belongs to the event").0, 2);
    // Rows: quarantined when they come in, or unusable once they are looked at.
    fs::write(
        files.join("picks2.csv"),
        "station,phase,time,weight\nX00,X,2026-05-08 12:00:10,1\nX00,P,NaN,1\nX00,P,2026-05-08 12:00:10,NaN\n\
         X00,P,2026-05-08 12:00:10,0\nX99,P,2026-05-08 12:00:10.5,1\n",
    )
    .unwrap();
    let outcomes = take_in(&mission, &files);
    let done = &outcomes.iter().find(|one| one.name == "picks2.csv").unwrap();
    assert_eq!((done.done.rows.accepted, done.done.rows.quarantined), (1, 4));
    let reasons: Vec<String> = done.samples.iter().map(ToString::to_string).collect();
    assert!(reasons[0].starts_with("line 2: phase: `X` is not one of P, p,"), "{reasons:?}");
    assert_eq!(words("no table names the station X99"), (2, 1));
}

#[test]
fn a_case_with_picks_needs_stations_and_a_velocity_model() {
    let place = tempfile::tempdir().unwrap();
    let without = |left: usize| {
        let mut inputs = SEISMIC.to_vec();
        inputs.remove(left);
        case(place.path(), &inputs).unwrap_err().to_string()
    };
    let error = without(0);
    assert!(error.contains("the source `seis` has picks and no table of stations"), "{error}");
    let error = without(1);
    assert!(error.contains("the source `seis` has picks and no velocity model"), "{error}");
}
