//! The same record gives the same bits on every machine: what is printed here
//! is held against a file in the repository, on x86-64 and, by the test run, on
//! aarch64 (emulated) as well.

mod common;

use std::fmt::Write as _;

use associate::account::{Account, Asked};
use associate::arrays::ArrayModel;
use associate::globe::GlobeEvent;
use associate::phases::PhaseModel;
use associate::stream::{Associator, Found, Heard, Output, Stream};
use associate::travel::Table;
use associate::{Engine, Model, arrays, phases};
use common::{
    DEEPEST_KM, SPEEDS, earth, in_order, infrasound, network, over_the_globe, performance, picked,
    run, scene, seismic, world,
};

fn hex(values: &[f64]) -> String {
    let words: Vec<String> = values.iter().map(|v| format!("{:016x}", v.to_bits())).collect();
    words.join(" ")
}

#[test]
fn the_same_bits_on_every_machine() {
    let stations = network(49.0, 37.0);
    let mut told = String::new();
    for seed in [3, 7, 11] {
        let heard = in_order(scene(&stations, seed));
        let events = run(&stations, &[], &heard);
        for e in &events {
            let [a, b, c] = e.covariance;
            let numbers =
                [e.t_s, e.lat, e.lon, e.probability, a, b, c, e.var_t, e.level_db, e.evidence];
            let _ = writeln!(told, "{seed} {} {}", e.rows.len(), hex(&numbers));
        }
        let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
        engine.ask(Asked::Number(1));
        engine.push(&heard);
        engine.finish();
        let account = engine.take_account().expect("there is a first event");
        let nats: Vec<f64> = account.stations.iter().map(|s| s.nats).collect();
        let _ = writeln!(told, "{seed} account {}", hex(&nats));
        releases(&mut told, seed, Stream::new(&stations, &[], &[], &Model::built_in()), &heard);
    }
    insta::assert_snapshot!("bits", told);
}

/// What an account comes to.
fn account(told: &mut String, seed: u64, account: Option<&Account>) {
    let account = account.expect("there is a first event");
    let nats: Vec<f64> = account.stations.iter().flat_map(|s| [s.nats, s.without]).collect();
    let _ = writeln!(told, "{seed} account {}", hex(&nats));
    let other = |e: &associate::account::Elsewhere| [e.t_s, e.lat, e.lon, e.behind];
    let others: Vec<f64> = account.elsewhere.iter().flat_map(other).collect();
    let _ = writeln!(told, "{seed} elsewhere {}", hex(&others));
}

/// Releases of a record that comes in 2 s after it happened.
fn releases<A: Associator>(
    told: &mut String,
    seed: u64,
    mut stream: Stream<A>,
    heard: &[A::Heard],
) {
    let mut out = Output::default();
    for d in heard {
        stream.push(d.t_s() + 2.0, *d, &mut out);
    }
    stream.finish(&mut out);
    for r in &out.releases {
        let numbers = [r.known_s, r.event.t_s(), r.event.probability()];
        let _ = writeln!(told, "{seed} E{} {} {}", r.id, r.grade.code(), hex(&numbers));
    }
}

#[test]
fn the_same_bits_of_picks_on_every_machine() {
    let (stations, model) = (seismic(), PhaseModel::built_in());
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    let mut told = String::new();
    for seed in [3, 7] {
        let heard = picked(&stations, seed);
        let first = |events: &[phases::Event]| (!events.is_empty()).then_some(0);
        let found = phases::associate(&stations, &[], &table, &heard, &model, &mut |_| (), &first);
        for e in &found.events {
            let numbers = [e.t_s, e.lat, e.lon, e.depth_km, e.probability, e.var_t, e.evidence];
            let _ = writeln!(
                told,
                "{seed} {} {} {} {}",
                e.rows.len(),
                hex(&numbers),
                hex(&e.covariance),
                hex(&e.kinds)
            );
        }
        account(&mut told, seed, found.account.as_ref());
        releases(&mut told, seed, Stream::of_picks(&stations, &[], &table, &model), &heard);
    }
    insta::assert_snapshot!("bits_of_picks", told);
}

#[test]
fn the_same_bits_of_arrays_on_every_machine() {
    let stations = common::arrays();
    let mut told = String::new();
    for seed in [3] {
        let heard = infrasound(&stations, seed);
        let first = |events: &[arrays::ArrayEvent]| (!events.is_empty()).then_some(0);
        let found = arrays::associate(&stations, &[], &heard, &ArrayModel::built_in(), &first);
        for e in &found.events {
            let numbers = [e.t_s, e.lat, e.lon, e.probability, e.var_t, e.evidence];
            let (own, covariance) = (hex(&numbers), hex(&e.covariance));
            let _ = writeln!(told, "{seed} {} {own} {covariance}", e.rows.len());
        }
        account(&mut told, seed, found.account.as_ref());
        releases(
            &mut told,
            seed,
            Stream::of_arrays(&stations, &[], &ArrayModel::built_in()),
            &heard,
        );
    }
    insta::assert_snapshot!("bits_of_arrays", told);
}

#[test]
fn the_same_bits_of_a_global_network_on_every_machine() {
    let (stations, curve, known) = (world(), earth(), performance());
    let mut told = String::new();
    for seed in [3] {
        let heard = over_the_globe(&stations, 0.6, seed);
        let first = |events: &[GlobeEvent]| (!events.is_empty()).then_some(0);
        let found = associate::globe::associate(
            &stations,
            &[],
            &curve,
            &[],
            &heard,
            &known,
            &mut |_| (),
            &first,
        );
        for e in &found.events {
            let numbers =
                [e.t_s, e.lat, e.lon, e.magnitude, e.probability, e.near, e.var_t, e.evidence];
            let (own, covariance) = (hex(&numbers), hex(&e.covariance));
            let _ = writeln!(told, "{seed} {} {own} {covariance}", e.rows.len());
        }
        account(&mut told, seed, found.account.as_ref());
        let stream = Stream::of_globe(&stations, &[], &curve, &[], &known);
        releases(&mut told, seed, stream, &heard);
    }
    insta::assert_snapshot!("bits_of_a_global_network", told);
}
