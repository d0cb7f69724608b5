//! Releases while the record comes in: soon, then final, then revised, under
//! one id; in the end what an engine says that had everything in order.

mod common;

use std::collections::BTreeMap;

use associate::arrays::ArrayModel;
use associate::phases::PhaseModel;
use associate::stream::{Associator, Found, Grade, Heard, Output, Release, Stream};
use associate::travel::Table;
use associate::{Detection, Model, Station, arrays, phases};
use common::{
    Chance, DEEPEST_KM, SPEEDS, earth, in_order, infrasound, network, over_the_globe, performance,
    picked, run, scene, seismic, world,
};
use proptest::prelude::*;

/// Detections with the times of their reception, in that order: most within
/// seconds, some within the hour.
fn received<H: Heard>(heard: &[H], late: f64, seed: u64) -> Vec<(f64, H)> {
    let mut chance = Chance(seed);
    let mut all: Vec<(f64, H)> = heard
        .iter()
        .map(|d| {
            let delay = if chance.unit() < late {
                60.0 + 3_400.0 * chance.unit()
            } else {
                5.0 * chance.unit()
            };
            (d.t_s() + delay, *d)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.row().cmp(&b.1.row())));
    all
}

fn streamed(stations: &[Station], record: &[(f64, Detection)]) -> Output {
    followed(Stream::new(stations, &[], &[], &Model::built_in()), record)
}

/// A record as a stream is given it, with a heartbeat every 10 s.
fn followed<A: Associator>(mut stream: Stream<A>, record: &[(f64, A::Heard)]) -> Output<A::Found> {
    let mut out = Output::default();
    let mut beat_s = 0.0;
    for (received_s, detection) in record {
        while beat_s < *received_s {
            stream.beat(beat_s, &mut out);
            beat_s += 10.0;
        }
        stream.push(*received_s, *detection, &mut out);
    }
    stream.finish(&mut out);
    out
}

fn by_id<F>(releases: &[Release<F>]) -> BTreeMap<u32, Vec<&Release<F>>> {
    let mut of: BTreeMap<u32, Vec<&Release<F>>> = BTreeMap::new();
    for release in releases {
        of.entry(release.id).or_default().push(release);
    }
    of
}

#[test]
fn a_round_is_released_soon_then_final_under_one_id() {
    let stations = network(49.0, 37.0);
    let heard = in_order(scene(&stations, 7));
    let out = streamed(&stations, &received(&heard, 0.0, 3));
    let batch = run(&stations, &[], &heard);
    assert_eq!(out.settled, batch, "nothing came late");
    let of = by_id(&out.releases);
    for event in batch.iter().filter(|e| e.probability > 0.5) {
        let (_, releases) = of
            .iter()
            .find(|(_, releases)| {
                releases.iter().any(|r| r.grade == Grade::Final && r.event.rows == event.rows)
            })
            .expect("every likely event has a final release");
        let grades: Vec<Grade> = releases.iter().map(|r| r.grade).collect();
        assert!(grades.starts_with(&[Grade::Preliminary, Grade::Final]), "{grades:?}");
        // Soon: within a minute of the round; final within some two and a half.
        assert!(releases[0].known_s - event.t_s < 90.0, "{}", releases[0].known_s - event.t_s);
        assert!(releases[1].known_s - event.t_s < 180.0, "{}", releases[1].known_s - event.t_s);
    }
}

#[test]
fn what_comes_late_is_worked_in_as_a_revision() {
    let stations = network(49.0, 37.0);
    let heard = in_order(scene(&stations, 7));
    let out = streamed(&stations, &received(&heard, 0.25, 3));
    assert_eq!(out.settled, run(&stations, &[], &heard), "in the end nothing is missing");
    let revised = out.releases.iter().filter(|r| matches!(r.grade, Grade::Revised(_))).count();
    assert!(revised > 0, "a quarter came late");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_stream_ends_where_a_batch_ends(seed in 1_u64..1000, late in 0.0..0.4) {
        let stations = network(49.0, 37.0);
        let heard = in_order(scene(&stations, seed));
        let record = received(&heard, late, seed);
        let out = streamed(&stations, &record);
        prop_assert_eq!(&out.settled, &run(&stations, &[], &heard));
        in_order_and_complete(&out);
        // The same record gives the same releases.
        prop_assert_eq!(streamed(&stations, &record).releases, out.releases);
    }

    #[test]
    fn a_stream_of_picks_ends_where_a_batch_ends(seed in 1_u64..1000, late in 0.0..0.4) {
        let (stations, model) = (seismic(), PhaseModel::built_in());
        let table = Table::new(&SPEEDS, DEEPEST_KM);
        let heard = picked(&stations, seed);
        let record = received(&heard, late, seed);
        let stream = || Stream::of_picks(&stations, &[], &table, &model);
        let out = followed(stream(), &record);
        let batch =
            phases::associate(&stations, &[], &table, &heard, &model, &mut |_| (), &|_| None);
        prop_assert_eq!(&out.settled, &batch.events);
        in_order_and_complete(&out);
        prop_assert_eq!(followed(stream(), &record).releases, out.releases);
    }
}

proptest! {
    // A search over the sphere is slow.
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn a_stream_of_arrays_ends_where_a_batch_ends(seed in 1_u64..1000, late in 0.0..0.4) {
        let stations = common::arrays();
        let heard = infrasound(&stations, seed);
        let record = received(&heard, late, seed);
        let out = followed(Stream::of_arrays(&stations, &[], &ArrayModel::built_in()), &record);
        let batch = arrays::associate(&stations, &[], &heard, &ArrayModel::built_in(), &|_| None);
        prop_assert_eq!(&out.settled, &batch.events);
        in_order_and_complete(&out);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_stream_of_a_global_network_ends_where_a_batch_ends(
        seed in 1_u64..1000,
        late in 0.0..0.4,
    ) {
        let (stations, curve, known) = (world(), earth(), performance());
        // Longer than a piece of the record.
        let heard = over_the_globe(&stations, 3.0, seed);
        let record = received(&heard, late, seed);
        let stream = || Stream::of_globe(&stations, &[], &curve, &[], &known);
        let out = followed(stream(), &record);
        let batch = associate::globe::associate(
            &stations, &[], &curve, &[], &heard, &known, &mut |_| (), &|_| None,
        );
        prop_assert_eq!(&out.settled, &batch.events);
        in_order_and_complete(&out);
        prop_assert_eq!(followed(stream(), &record).releases, out.releases);
    }
}

#[test]
fn what_a_global_network_heard_is_released_within_minutes_and_stays() {
    let (stations, curve, known) = (world(), earth(), performance());
    let heard = over_the_globe(&stations, 4.0, 7);
    let stream = Stream::of_globe(&stations, &[], &curve, &[], &known);
    let out = followed(stream, &received(&heard, 0.0, 3));
    let mut likely = out.settled.clone();
    likely.retain(|event| event.probability > 0.9);
    // Seven or eight in four hours, found in pieces of an hour and a half.
    assert!(likely.len() >= 7, "{}", likely.len());
    let of = by_id(&out.releases);
    for event in &likely {
        let releases = of
            .values()
            .find(|r| r.iter().any(|r| r.grade == Grade::Final && r.event.rows == event.rows))
            .expect("every likely event has a final release");
        assert_eq!(releases[0].grade, Grade::Preliminary, "{event:?}");
        let soon = releases[0].known_s - event.t_s;
        assert!(soon < 1_300.0, "{soon}");
    }
    let withdrawn = out.releases.iter().filter(|r| r.grade == Grade::Withdrawn).count();
    assert!(withdrawn <= 1, "{withdrawn}");
}

/// Releases of an event are known in order, with nothing after the last word but
/// another word; and what stands in the last ones is what was settled.
fn in_order_and_complete<F: Found>(out: &Output<F>) {
    let of = by_id(&out.releases);
    for (id, releases) in &of {
        assert!(releases.windows(2).all(|w| w[0].known_s <= w[1].known_s), "{id}");
        assert!(releases.iter().filter(|r| r.grade == Grade::Final).count() <= 1, "{id}");
        for pair in releases.windows(2) {
            let twice = pair.iter().all(|r| r.grade == Grade::Withdrawn);
            assert!(!twice, "{id} is withdrawn twice");
        }
    }
    let standing =
        of.values().filter(|r| r.last().is_some_and(|last| last.grade != Grade::Withdrawn));
    assert_eq!(standing.count(), out.settled.len());
}

/// Of the likely events of a batch: whether the stream had each as a preliminary
/// event first, and how long after its origin, s, that and the final release came.
fn waits<F: Found>(out: &Output<F>, likely: &[F]) -> Vec<(f64, f64)> {
    let of = by_id(&out.releases);
    let one = |event: &F| {
        let releases = of
            .values()
            .find(|releases| {
                let same =
                    |r: &&&Release<F>| r.grade == Grade::Final && r.event.rows() == event.rows();
                releases.iter().any(|r| same(&r))
            })
            .expect("every likely event has a final release");
        let grades: Vec<Grade> = releases.iter().map(|r| r.grade).collect();
        assert!(grades.starts_with(&[Grade::Preliminary, Grade::Final]), "{grades:?}");
        (releases[0].known_s - event.t_s(), releases[1].known_s - event.t_s())
    };
    likely.iter().map(one).collect()
}

#[test]
fn an_earthquake_is_released_soon_then_final_under_one_id() {
    let (stations, model) = (seismic(), PhaseModel::built_in());
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    let heard = picked(&stations, 7);
    let record = received(&heard, 0.0, 3);
    let out = followed(Stream::of_picks(&stations, &[], &table, &model), &record);
    let mut likely = out.settled.clone();
    likely.retain(|event| event.probability > 0.9);
    assert_eq!(likely.len(), 5);
    for (soon, last) in waits(&out, &likely) {
        assert!(soon < 90.0 && last < 500.0, "{soon} {last}");
    }
}

#[test]
fn what_arrays_heard_is_released_before_the_farthest_have_been_waited_for() {
    let stations = common::arrays();
    let heard = infrasound(&stations, 7);
    let out = followed(
        Stream::of_arrays(&stations, &[], &ArrayModel::built_in()),
        &received(&heard, 0.0, 3),
    );
    let mut likely = out.settled.clone();
    likely.retain(|event| event.probability > 0.9);
    assert!(!likely.is_empty());
    for (soon, last) in waits(&out, &likely) {
        assert!(soon < 5_000.0 && last < 28_000.0, "{soon} {last}");
    }
}

#[test]
fn a_pick_that_comes_too_late_is_set_aside_with_that_reason() {
    let (stations, model) = (seismic(), PhaseModel::built_in());
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    let heard = picked(&stations, 7);
    let mut record = received(&heard, 0.0, 3);
    let (_, pick) = record.remove(0);
    record.push((pick.t_s + 9_000.0, pick));
    let mut stream = Stream::of_picks(&stations, &[], &table, &model);
    let mut out = Output::default();
    for (received_s, pick) in record {
        stream.push(received_s, pick, &mut out);
    }
    stream.finish(&mut out);
    let aside = stream.take_rejected();
    assert_eq!(aside.len(), 1);
    assert_eq!((aside[0].row, aside[0].field), (pick.row, "recv"));
    assert!(aside[0].reason.contains("more than an hour late"), "{}", aside[0].reason);
}
