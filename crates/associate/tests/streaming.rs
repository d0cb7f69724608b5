//! Releases while the record comes in: soon, then final, then revised, under
//! one id; in the end what an engine says that had everything in order.

mod common;

use std::collections::BTreeMap;

use associate::stream::{Grade, Output, Release, Stream};
use associate::{Detection, Model, Station};
use common::{Chance, in_order, network, run, scene};
use proptest::prelude::*;

/// Detections with the times of their reception, in that order: most within
/// seconds, some within the hour.
fn received(heard: &[Detection], late: f64, seed: u64) -> Vec<(f64, Detection)> {
    let mut chance = Chance(seed);
    let mut all: Vec<(f64, Detection)> = heard
        .iter()
        .map(|d| {
            let delay = if chance.unit() < late {
                60.0 + 3_400.0 * chance.unit()
            } else {
                5.0 * chance.unit()
            };
            (d.t_s + delay, *d)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.row.cmp(&b.1.row)));
    all
}

fn streamed(stations: &[Station], record: &[(f64, Detection)]) -> Output {
    let mut stream = Stream::new(stations, &[], &[], &Model::built_in());
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

fn by_id(releases: &[Release]) -> BTreeMap<u32, Vec<&Release>> {
    let mut of: BTreeMap<u32, Vec<&Release>> = BTreeMap::new();
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
        for (id, releases) in by_id(&out.releases) {
            // Known in order, and nothing after the last word but another word.
            prop_assert!(releases.windows(2).all(|w| w[0].known_s <= w[1].known_s), "{}", id);
            let finals = releases.iter().filter(|r| r.grade == Grade::Final).count();
            prop_assert!(finals <= 1);
            for pair in releases.windows(2) {
                let twice = pair.iter().all(|r| r.grade == Grade::Withdrawn);
                prop_assert!(!twice, "{} is withdrawn twice", id);
            }
        }
        // What stands in the last releases is what the batch holds, to what is worth telling.
        let standing = by_id(&out.releases)
            .values()
            .filter(|releases| releases.last().is_some_and(|r| r.grade != Grade::Withdrawn))
            .count();
        prop_assert_eq!(standing, out.settled.len());
        // The same record gives the same releases.
        prop_assert_eq!(streamed(&stations, &record).releases, out.releases);
    }
}
