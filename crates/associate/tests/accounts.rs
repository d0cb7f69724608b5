//! An account of an event adds up, and asking for one changes nothing.

mod common;

use associate::account::{Account, Asked, Says};
use associate::{Detection, Engine, Event, Model, Outage, Station};
use common::{Chance, alarms, detection, in_order, network, run, scene, shot};

#[test]
fn an_account_adds_up_station_by_station() {
    let stations = network(49.0, 37.0);
    let outages = [Outage { station: 12, start_s: 850.0, end_s: 1000.0 }];
    let heard = in_order(scene(&stations, 7));
    let events = run(&stations, &outages, &heard);
    for event in &events {
        let mut engine = Engine::new(&stations, &[], &outages, &Model::built_in());
        engine.ask(Asked::Row(event.rows[0]));
        engine.push(&heard);
        assert_eq!(engine.finish(), events, "asking changes no event");
        let account = engine.take_account().expect("it was asked for");
        assert_eq!(account.event, event.number);
        assert_eq!(account.evidence, event.evidence);
        assert_eq!(account.probability, event.probability);
        let said: f64 = account.stations.iter().map(|s| s.nats).sum();
        let sum = account.rarity + account.size_fit + said + account.since;
        assert!((sum - event.evidence).abs() < 1e-9);
        // What changed since it was weighed is little beside what was said.
        assert!(account.since.abs() < 1.0, "{}", account.since);
        let mut rows: Vec<u32> = account
            .stations
            .iter()
            .filter_map(|s| match &s.says {
                Says::Heard { row, parts, ln_false, .. } => {
                    assert!(
                        (parts.iter().map(|part| part.1).sum::<f64>() - ln_false - s.nats).abs()
                            < 1e-9
                    );
                    Some(*row)
                }
                Says::Silent => {
                    assert!(s.nats <= 0.0, "silence never speaks for an event");
                    assert!((s.nats - (1.0 - s.chance).ln()).abs() < 0.02);
                    None
                }
                Says::Down => {
                    assert_eq!((s.station, s.nats), (12, 0.0));
                    None
                }
            })
            .collect();
        rows.sort_unstable();
        let mut own = event.rows.clone();
        own.sort_unstable();
        assert_eq!(rows, own);
        let map: f64 = account.map.iter().map(|w| w.log_odds).sum();
        assert!((1.0 / (1.0 + (-map.clamp(-7.0, 7.0)).exp()) - event.probability).abs() < 1e-9);
    }
    assert!(events.iter().any(|e| e.probability > 0.9));
}

#[test]
fn one_station_more_that_hears_it_sharpens_the_place() {
    let stations = network(49.0, 37.0);
    let outages = [Outage { station: 12, start_s: 850.0, end_s: 1000.0 }];
    // A quiet shot: probabilities end at the limit of the map, where nothing
    // more is news.
    let mut heard = Vec::new();
    shot(&stations, 0, (900.0, 49.055, 37.085), 99.0, &mut Chance(7), &mut heard);
    let heard = in_order(heard);
    let kept: Vec<_> = heard.into_iter().filter(|d| d.station != 12 || d.t_s < 850.0).collect();
    let events = run(&stations, &outages, &kept);
    let last = events.iter().rfind(|e| e.probability > 0.5).unwrap();
    let mut engine = Engine::new(&stations, &[], &outages, &Model::built_in());
    engine.ask(Asked::Number(last.number));
    engine.push(&kept);
    engine.finish();
    let account = engine.take_account().unwrap();
    let down = account.more.iter().find(|m| m.station == 12).expect("the station in the middle");
    assert!(down.error < 1.0 && down.heard >= account.probability - 1e-3, "{down:?}");
    let silent = down.silent.expect("it was down, so its silence would have been news");
    assert!(silent < account.probability, "{down:?}");
}

/// Removing a station never raises certainty without a reason: either it spoke
/// against the event, or the event has less evidence without it.
#[test]
fn without_a_station_an_event_is_surer_only_if_the_station_spoke_against_it() {
    let stations = network(49.0, 37.0);
    for seed in [7, 8, 9] {
        let heard = in_order(scene(&stations, seed));
        let events = run(&stations, &[], &heard);
        let likely: Vec<_> = events.iter().filter(|e| e.probability > 0.5).collect();
        for station in 0..stations.len() as u32 {
            let down = [Outage { station, start_s: -1e6, end_s: 1e6 }];
            let kept: Vec<_> = heard.iter().copied().filter(|d| d.station != station).collect();
            let without = run(&stations, &down, &kept);
            for event in &likely {
                let Some(same) = without
                    .iter()
                    .filter(|other| (other.t_s - event.t_s).abs() < 0.5)
                    .max_by(|a, b| a.evidence.total_cmp(&b.evidence))
                else {
                    continue;
                };
                let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
                engine.ask(Asked::Number(event.number));
                engine.push(&heard);
                engine.finish();
                let account = engine.take_account().unwrap();
                let said = account.stations.iter().find(|s| s.station == station);
                let spoke = said.map_or(0.0, |s| s.nats);
                // What it said is gone; the place it held may fit the others better.
                let gained = same.evidence - event.evidence;
                assert!(gained < (-spoke).max(0.0) + 2.0, "{seed} {station}: {gained} {spoke}");
            }
        }
    }
}

/// The account of an event.
fn account(stations: &[Station], heard: &[Detection], event: &Event) -> Account {
    let mut engine = Engine::new(stations, &[], &[], &Model::built_in());
    engine.ask(Asked::Number(event.number));
    engine.push(heard);
    engine.finish();
    engine.take_account().expect("it was asked for")
}

/// Wind over ten stations for two minutes, each with an alarm every two seconds.
fn storm(chance: &mut Chance, out: &mut Vec<Detection>) {
    alarms(5..15, 900.0, 1_020.0, 600, chance, out);
}

#[test]
fn what_is_made_of_alarms_in_a_storm_may_be_nothing_but_the_storm() {
    let stations = network(49.0, 37.0);
    let mut all = scene(&stations, 7);
    storm(&mut Chance(7), &mut all);
    let heard = in_order(all);
    let (mut phantoms, mut likelier) = (0, 0);
    for event in run(&stations, &[], &heard) {
        let told = account(&stations, &heard, &event).storm.expect("somebody heard it");
        let is_shot = event.probability > 0.99;
        if (880.0..1_020.0).contains(&event.t_s) {
            // Fifty times what is usual and more.
            assert!(told.probability > 0.999 && f64::from(told.others) > 50.0 * told.usual);
            phantoms += u32::from(!is_shot);
            likelier += u32::from(!is_shot && told.behind > 0.0);
        } else {
            assert!(told.probability < 0.2, "{told:?}");
        }
        // The storm makes no true shot: not of those before it, nor of the one in it.
        assert!(!is_shot || told.behind < -100.0, "{told:?}");
        // What usual false alarms hardly make, those of a storm do.
        assert!(is_shot || told.behind > -15.0, "{told:?}");
    }
    assert!(likelier >= 6 && likelier * 3 > phantoms, "{likelier} of {phantoms}");
}

#[test]
fn a_replay_is_taken_off_every_probability_of_an_account() {
    let stations = network(49.0, 37.0);
    let mut all = Vec::new();
    shot(&stations, 0, (300.0, 49.055, 37.085), 112.0, &mut Chance(7), &mut all);
    let again: Vec<Detection> =
        all.iter().map(|d| Detection { t_s: d.t_s + 1_800.0, ..*d }).collect();
    all.extend(again);
    all.push(detection(3, 10.0, 85.0));
    let heard = in_order(all);
    let events = run(&stations, &[], &heard);
    let copy = events.iter().find(|e| e.replay.is_some()).expect("the copy is found out");
    let told = account(&stations, &heard, copy);
    let replay = told.replay.expect("it is told");
    assert_eq!(told.probability, copy.probability);
    assert!(replay.probability > 0.99 && told.probability < 0.01);
    // Nothing that could be left out, or come on top, makes a copy an event.
    for station in &told.stations {
        assert!(station.without <= 1.0 - replay.probability, "{station:?}");
    }
    for more in &told.more {
        assert!(more.heard <= 1.0 - replay.probability, "{more:?}");
    }
    let first = events.iter().find(|e| e.replay.is_none() && e.probability > 0.9).expect("heard");
    let told = account(&stations, &heard, first);
    assert!(told.stations.iter().any(|station| station.without > 0.9));
}
