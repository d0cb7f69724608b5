//! What must hold whatever the numbers are: order, batches, shards and threads
//! change nothing, what is far away changes nothing, and nonsense ends in bounded
//! time with an honest answer.

mod common;

use associate::{Detection, Engine, Event, MetNode, Model, Outage, Station};
use common::{Chance, alarms, detection, in_order, network, run, scene, shot};
use proptest::prelude::*;

/// An event without its numbers of order.
fn essence(e: &Event) -> String {
    format!("{:?} {:?} {:?} {:?} {:?}", e.t_s, e.lat, e.lon, e.probability, e.rows.len())
}

#[test]
fn a_volley_and_a_shot_are_found_round_by_round() {
    let stations = network(49.0, 37.0);
    let events = run(&stations, &[], &in_order(scene(&stations, 7)));
    let likely: Vec<_> = events.iter().filter(|e| e.probability >= 0.5).collect();
    assert_eq!(likely.len(), 7, "{events:#?}");
    assert!((likely[6].t_s - 900.0).abs() < 0.3);
}

#[test]
fn batches_shards_and_threads_change_no_bit() {
    let stations = network(49.0, 37.0);
    let detections = in_order(scene(&stations, 11));
    let whole: Vec<String> = run(&stations, &[], &detections).iter().map(essence).collect();
    assert!(!whole.is_empty());
    for (shards, size) in [(1, 1), (2, 7), (7, 50)] {
        for threads in [1, 2] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let parts: Vec<String> = pool.install(|| {
                let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
                engine.set_shards(shards);
                let mut out = Vec::new();
                for part in detections.chunks(size) {
                    engine.push(part);
                    out.extend(engine.advance(part[part.len() - 1].t_s));
                }
                out.extend(engine.finish());
                out.iter().map(essence).collect()
            });
            assert_eq!(parts, whole, "{shards} shards, batches of {size}, {threads} threads");
        }
    }
}

#[test]
fn a_far_front_and_a_hundred_thousand_alarms_there_change_no_event_here() {
    let here = network(49.0, 37.0);
    let mut all = here.clone();
    all.extend(network(49.0, 41.0));
    let mut chance = Chance(5);
    let mut near = scene(&here, 21);
    let mut far = Vec::new();
    // The same plane for both: the network is the same, only what it hears differs.
    let alone = run(&all, &[], &in_order(near.clone()));
    for i in 0..20 {
        shot(
            &all[25..],
            25,
            (250.0 + 9.0 * f64::from(i), 49.05, 41.07),
            114.0,
            &mut chance,
            &mut far,
        );
    }
    alarms(25..50, 0.0, 864_000.0, 100_000, &mut chance, &mut far);
    near.extend(far);
    let both = run(&all, &[], &in_order(near));
    let ours: Vec<String> = both.iter().filter(|e| e.lon < 39.0).map(essence).collect();
    assert_eq!(ours, alone.iter().map(essence).collect::<Vec<_>>());
}

#[test]
fn two_rounds_closer_than_the_dead_time_are_one_event() {
    let stations = network(49.0, 37.0);
    let mut chance = Chance(3);
    let mut all = Vec::new();
    shot(&stations, 0, (500.0, 49.05, 37.08), 113.0, &mut chance, &mut all);
    shot(&stations, 0, (500.1, 49.05, 37.08), 113.0, &mut chance, &mut all);
    // The sensors' own law: within 0.25 s only one of two arrivals is detected.
    all.sort_by(|a, b| a.station.cmp(&b.station).then(a.t_s.total_cmp(&b.t_s)));
    all.dedup_by(|b, a| a.station == b.station && b.t_s - a.t_s < 0.25);
    let events = run(&stations, &[], &in_order(all));
    let likely = events.iter().filter(|e| e.probability >= 0.5).count();
    assert_eq!(likely, 1, "{events:#?}");
}

/// Four stations on a line hear a shot alike from either side of it; one
/// direction tells the sides apart.
#[test]
fn a_direction_tells_the_sides_of_a_line_of_stations_apart() {
    let stations: Vec<Station> = (0..5)
        .map(|i| Station {
            name: format!("line-{i}"),
            lat: 49.0,
            lon: 37.0 + 0.04 * f64::from(i),
            elev_m: 150.0,
        })
        .collect();
    for side in [-1.0, 1.0] {
        let at = (300.0, 49.0 + 0.03 * side, 37.09);
        let mut all = Vec::new();
        shot(&stations, 0, at, 108.0, &mut Chance(5), &mut all);
        let events = run(&stations, &[], &in_order(all));
        let [event] = &events[..] else { panic!("{} events", events.len()) };
        assert!((event.lat - 49.0) * side > 0.02, "side {side}: found at {}", event.lat);
    }
}

/// A loud round is heard by the quiet stations far down the wind; what they
/// hear is the round's and makes no event of its own.
#[test]
fn what_far_quiet_stations_hear_of_a_loud_round_is_no_event_of_its_own() {
    let stations: Vec<Station> = (0..90)
        .map(|i| Station {
            name: format!("strip-{i}"),
            lat: 49.0 + 0.012 * f64::from(i % 3),
            lon: 37.0 + 0.016 * f64::from(i / 3),
            elev_m: 150.0,
        })
        .collect();
    let (wind, c) = (6.0, 331.3 * (1.0 + 10.0 / 273.15_f64).sqrt());
    let met = [MetNode { t_s: 0.0, lat: 49.0, lon: 37.3, wind_e: wind, wind_n: 0.0, temp_c: 10.0 }];
    let plane = associate::plane::Plane::new(49.012, 37.0);
    for seed in 0..6 {
        let mut chance = Chance(seed);
        let mut all = Vec::new();
        for round in 0..8 {
            for (k, station) in (0..).zip(&stations) {
                let (x, y) = plane.forward(station.lat, station.lon);
                let d = libm::hypot(x, y).max(30.0);
                let along = wind * x / d;
                // Noisy near the front, quiet behind it.
                let noise = if x < 5e3 { 80.0 } else { 68.0 };
                let carried = (1.1 * along * (d / 5e3).min(1.0)).clamp(-7.0, 7.0);
                let level = 106.0 - 20.0 * libm::log10(d / 1e3) - 0.6 * d / 1e3 + carried;
                let amp = level + 4.0 * chance.normal();
                if amp > noise + 7.0 {
                    let error = 0.003 * d / c * chance.normal() + 0.04 * chance.normal();
                    let t = 300.0 + 150.0 * f64::from(round) + d / (c + along) + error;
                    let snr_db = (amp - noise) as f32;
                    all.push(Detection { snr_db, ..detection(k, t, amp as f32) });
                }
            }
        }
        let mut engine = Engine::new(&stations, &met, &[], &Model::built_in());
        engine.push(&in_order(all));
        let events = engine.finish();
        let likely = events.iter().filter(|e| e.probability >= 0.3).count();
        assert_eq!(likely, 8, "seed {seed}: {:?}", events.iter().map(essence).collect::<Vec<_>>());
    }
}

#[test]
fn d17_a_dead_network_has_not_observed() {
    use associate::effort::{Looked, effort};
    let stations = network(49.0, 37.0);
    let down: Vec<Outage> =
        (0..25).map(|station| Outage { station, start_s: 0.0, end_s: 3600.0 }).collect();
    let dead = effort(25, &down, 0.0, 3600.0);
    assert_eq!(dead.looked, Looked::NotObserved);
    assert_eq!(dead.station_hours, 0.0);
    assert_eq!(effort(25, &down[..5], 0.0, 3600.0).looked, Looked::Partly);
    assert_eq!(effort(25, &[], 0.0, 3600.0).looked, Looked::Observed);
    assert!(run(&stations, &down, &[]).is_empty());
}

#[test]
fn a_million_detections_in_one_second_end_in_bounded_time() {
    let stations = network(49.0, 37.0);
    let mut chance = Chance(9);
    let mut all = Vec::new();
    alarms(0..25, 100.0, 101.0, 1_000_000, &mut chance, &mut all);
    let all = in_order(all);
    let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
    engine.push(&all);
    let events = engine.finish();
    let rejected = engine.take_rejected().len();
    assert!(rejected > 900_000, "{rejected}");
    assert!(events.iter().all(|e| e.probability.is_finite() && e.covariance[0].is_finite()));
}

#[test]
fn one_station_or_stations_in_one_place_do_not_panic() {
    let mut chance = Chance(1);
    let one = vec![network(49.0, 37.0)[0].clone()];
    let mut all = Vec::new();
    alarms(0..1, 0.0, 100.0, 50, &mut chance, &mut all);
    assert!(run(&one, &[], &in_order(all)).is_empty());
    let same = vec![one[0].clone(); 12];
    let mut all = Vec::new();
    alarms(0..12, 0.0, 60.0, 300, &mut chance, &mut all);
    for e in run(&same, &[], &in_order(all)) {
        assert!(e.probability <= 0.99 && e.lat.is_finite());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Numbers from anywhere: the engine answers, with probabilities and finite places.
    #[test]
    fn any_detections_give_finite_events(
        raw in prop::collection::vec((0_u32..25, 0.0..400.0_f64, -80.0..250.0_f32, -40.0..150.0_f32), 0..400)
    ) {
        let stations = network(49.0, 37.0);
        let all = raw.into_iter().map(|(station, t, amp, snr)| Detection {
            station, t_s: t, amp_db: amp, snr_db: snr, from: None, row: 0,
        }).collect();
        for e in run(&stations, &[], &in_order(all)) {
            prop_assert!((0.0..=1.0).contains(&e.probability));
            prop_assert!(e.t_s.is_finite() && e.lat.is_finite() && e.lon.is_finite());
            prop_assert!(e.covariance.iter().all(|c| c.is_finite()));
        }
    }

    /// The cut into batches changes no bit.
    #[test]
    fn batches_change_nothing(seed in 0_u64..1000, size in 1_usize..200) {
        let stations = network(49.0, 37.0);
        let detections = in_order(scene(&stations, seed));
        let whole: Vec<String> = run(&stations, &[], &detections).iter().map(essence).collect();
        let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
        let mut parts = Vec::new();
        for part in detections.chunks(size) {
            engine.push(part);
            parts.extend(engine.advance(part[part.len() - 1].t_s));
        }
        parts.extend(engine.finish());
        prop_assert_eq!(parts.iter().map(essence).collect::<Vec<_>>(), whole);
    }
}
