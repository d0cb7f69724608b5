//! The same record gives the same bits on every machine: what is printed here
//! is held against a file in the repository, on x86-64 and, by the test run, on
//! aarch64 (emulated) as well.

mod common;

use std::fmt::Write as _;

use associate::account::Asked;
use associate::stream::{Output, Stream};
use associate::{Engine, Model};
use common::{in_order, network, run, scene};

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
        let mut stream = Stream::new(&stations, &[], &[], &Model::built_in());
        let mut out = Output::default();
        for d in &heard {
            stream.push(d.t_s + 2.0, *d, &mut out);
        }
        stream.finish(&mut out);
        for r in &out.releases {
            let numbers = [r.known_s, r.event.t_s, r.event.probability];
            let _ = writeln!(told, "{seed} E{} {} {}", r.id, r.grade.code(), hex(&numbers));
        }
    }
    insta::assert_snapshot!("bits", told);
}
