//! Laws of the phase engine, on sets made here.

use proptest::prelude::*;

use super::net::{Cell, Net, Physics, Store};
use super::search::tests::bound_and_score;
use super::weigh::{Hearing, View};
use super::*;
use crate::travel::{HALVINGS, Table, Travel as _, Uniform, Way};
use crate::{Outage, Station};

const SPEEDS: Uniform = Uniform { vp_km_s: 6.0, vs_km_s: 3.45 };
const DEEPEST_KM: f64 = 30.0;

/// Twenty-five stations on a square of 100 km.
fn stations() -> Vec<Station> {
    (0..25)
        .map(|i| Station {
            name: format!("S{i:02}"),
            lat: 48.0 + 0.22 * f64::from(i / 5),
            lon: 36.0 + 0.33 * f64::from(i % 5),
            elev_m: 40.0 * f64::from(i % 3),
        })
        .collect()
}

/// A number in 0..1 from a number: the picks of these sets are off by no pattern.
fn spread(n: u64) -> f64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// What stations pick of a source, most of them, and how far off.
fn quake(stations: &[Station], t: f64, lat: f64, lon: f64, depth_km: f64, seed: u64) -> Vec<Pick> {
    let plane = crate::plane::Plane::new(48.44, 36.66);
    let (x, y) = plane.forward(lat, lon);
    let mut picks = Vec::new();
    for (k, station) in (0_u64..).zip(stations) {
        let (sx, sy) = plane.forward(station.lat, station.lon);
        let way = Way {
            east_km: (sx - x) / 1e3,
            north_km: (sy - y) / 1e3,
            depth_km,
            height_km: station.elev_m / 1e3,
        };
        for phase in Phase::ALL {
            let draw = seed * 1_000 + k * 4 + 2 * phase.index() as u64;
            if spread(draw) < 0.8 {
                let off = 0.6 * (spread(draw + 1) - 0.5);
                let t_s = t + SPEEDS.arrival(phase, &way).time_s + off;
                picks.push(Pick { station: k as u32, phase, t_s, weight: 1.0, row: 0 });
            }
        }
    }
    picks
}

/// False picks from one moment to another.
fn noise(from: f64, to: f64, count: u64, seed: u64) -> Vec<Pick> {
    let of = |i: u64| {
        let draw = seed * 1_000_003 + 3 * i;
        Pick {
            station: (spread(draw) * 25.0) as u32,
            phase: Phase::ALL[usize::from(spread(draw + 1) < 0.5)],
            t_s: from + (to - from) * spread(draw + 2),
            weight: 1.0,
            row: 0,
        }
    };
    (0..count).map(of).collect()
}

/// Two sources that overlap, one later, and false picks among them.
fn picks() -> Vec<Pick> {
    let stations = stations();
    let mut picks = quake(&stations, 1_000.0, 48.3, 36.5, 8.0, 1);
    picks.extend(quake(&stations, 1_012.0, 48.7, 36.9, 15.0, 2));
    picks.extend(quake(&stations, 1_300.0, 48.5, 36.2, 4.0, 3));
    picks.extend(noise(900.0, 1_500.0, 60, 4));
    numbered(picks)
}

fn numbered(mut picks: Vec<Pick>) -> Vec<Pick> {
    for (row, pick) in (0..).zip(&mut picks) {
        pick.row = row;
    }
    picks
}

fn run(picks: &[Pick]) -> Found {
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    associate(&stations(), &[], &table, picks, &PhaseModel::built_in(), &mut |_| (), &|_| None)
}

/// A pick without its row.
type Plain = (u32, Phase, u64);

/// Events with their picks as station, phase and time: rows are only names.
fn plain(found: &Found, picks: &[Pick]) -> Vec<(Event, Vec<Plain>)> {
    let row = |row: &u32| picks.iter().find(|p| p.row == *row).expect("a row that was given");
    let of = |event: &Event| {
        let own = event.rows.iter().map(row).map(|p| (p.station, p.phase, p.t_s.to_bits()));
        (Event { rows: Vec::new(), number: 0, ..event.clone() }, own.collect())
    };
    found.events.iter().map(of).collect()
}

#[test]
fn sources_are_found_where_they_were() {
    let mut found = run(&picks());
    found.events.retain(|e| e.probability >= 0.5);
    let truth =
        [(1_000.0, 48.3, 36.5, 8.0), (1_012.0, 48.7, 36.9, 15.0), (1_300.0, 48.5, 36.2, 4.0)];
    assert_eq!(found.events.len(), 3, "{:?}", found.events);
    for (event, (t, lat, lon, depth)) in found.events.iter().zip(truth) {
        assert!((event.t_s - t).abs() < 0.5, "{event:?}");
        assert!((event.lat - lat).abs() < 0.02 && (event.lon - lon).abs() < 0.03, "{event:?}");
        assert!((event.depth_km - depth).abs() < 6.0, "{event:?}");
        assert!(event.probability > 0.5 && event.probability < 1.0, "{event:?}");
        let [xx, xy, yy, ..] = event.covariance;
        assert!(xx > 0.0 && xx * yy > xy * xy);
    }
}

#[test]
fn false_picks_alone_are_no_source() {
    let found = run(&numbered(noise(0.0, 36_000.0, 2_000, 9)));
    assert!(found.events.iter().all(|e| e.probability < 0.5), "{:?}", found.events);
}

#[test]
fn absurd_picks_are_handed_back() {
    let mut all = picks();
    let row = all.len() as u32;
    for (i, t_s) in (0..).zip([f64::NAN, f64::INFINITY]) {
        all.push(Pick { station: 0, phase: Phase::P, t_s, weight: 1.0, row: row + i });
    }
    all.push(Pick { station: 25, phase: Phase::P, t_s: 1_000.0, weight: 1.0, row: row + 2 });
    all.push(Pick { row: row + 3, ..all[0] });
    let found = run(&all);
    let mut rows: Vec<u32> = found.rejected.iter().map(|r| r.row).collect();
    rows.sort_unstable();
    assert_eq!(rows, vec![row, row + 1, row + 2, row + 3]);
    assert_eq!(plain(&found, &all), plain(&run(&picks()), &picks()));
}

#[test]
fn a_thousand_picks_in_one_second_end_in_bounded_time() {
    let mut all = picks();
    all.extend(noise(1_000.0, 1_001.0, 100_000, 5));
    let found = run(&numbered(all));
    // Twenty-five stations with two phases keep five each.
    assert!(found.rejected.len() > 99_000, "{}", found.rejected.len());
    assert!(found.searches < 4_000, "{}", found.searches);
    assert!(found.events.iter().any(|e| (e.t_s - 1_300.0).abs() < 0.5 && e.probability > 0.5));
}

#[test]
fn a_network_of_one_or_none_finds_nothing() {
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    let model = PhaseModel::built_in();
    for n in 0..2 {
        let few: Vec<Station> = stations().into_iter().take(n).collect();
        let found = associate(&few, &[], &table, &picks(), &model, &mut |_| (), &|_| None);
        assert!(found.events.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_order_of_rows_changes_nothing(order in Just(picks()).prop_shuffle()) {
        prop_assert_eq!(plain(&run(&order), &order), plain(&run(&picks()), &picks()));
    }

    #[test]
    fn false_picks_far_away_in_time_change_no_event(seed in 0_u64..1_000, count in 0_u64..3_000) {
        let mut all = picks();
        all.extend(noise(20_000.0, 50_000.0, count, seed));
        let all = numbered(all);
        let near: Vec<_> =
            plain(&run(&all), &all).into_iter().filter(|(e, _)| e.t_s < 10_000.0).collect();
        prop_assert_eq!(near, plain(&run(&picks()), &picks()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // However the picks lie, no source in a cell that is slaved to the anchor
    // gains more from the anchor's neighbours than the cell's bound says. Places
    // near a true source, where scores are high, put it to the test.
    #[test]
    fn the_bound_of_a_cell_is_never_below_a_score_in_it(
        seed in 0_u64..1_000,
        count in 0_u64..200,
        anchor in 0.0..1.0_f64,
        halvings in 0..=HALVINGS,
        off in [-7.0..7.0_f64, -7.0..7.0_f64, -7.0..7.0_f64],
    ) {
        let (stations, model) = (stations(), PhaseModel::built_in());
        let table = Table::new(&SPEEDS, DEEPEST_KM);
        let own = quake(&stations, 1_000.0, 48.3, 36.5, 8.0, seed);
        let anchor = own[(anchor * own.len() as f64) as usize];
        let mut all = own;
        all.extend(noise(980.0, 1_060.0, count, seed));
        let physics = Physics::new(&model, DEEPEST_KM);
        let net = Net::new(&stations, &[], &table, &physics);
        let mut store = Store::new(stations.len());
        let mut all = numbered(all);
        all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
        for pick in &all {
            let _ = store.add(pick);
        }
        store.heard_to(f64::INFINITY, &model);
        let hearing = Hearing::new(&physics);
        let view = View {
            net: &net,
            store: &store,
            table: &table,
            physics: &physics,
            hearing: &hearing,
            me: NOBODY,
        };
        let c = net::channel(anchor.station as usize, anchor.phase);
        let index = store.from(c, anchor.t_s) as u32;
        let root = Cell::root(&net, anchor.station as usize);
        let (x, y) = net.plane.forward(48.3, 36.5);
        let place = [x / 1e3 + off[0], y / 1e3 + off[1], (8.0 + off[2]).max(0.0)];
        let parts = f64::from(1_u32 << halvings);
        let half = root.half / parts;
        let middle = |at: f64, from: f64| from + (2.0 * ((at - from) / half / 2.0).floor() + 1.0) * half;
        let cell = Cell {
            x: middle(place[0], root.x - root.half),
            y: middle(place[1], root.y - root.half),
            half,
            halvings,
            index: (place[2] / DEEPEST_KM * parts) as usize,
        };
        // The windows of the root bound what an anchor looks at.
        prop_assume!((place[0] - root.x).abs() < root.half && (place[1] - root.y).abs() < root.half);
        let (upper, exact, through) =
            bound_and_score(&view, (anchor.t_s, c, index), &cell, place);
        prop_assert!(exact <= upper + 1e-6, "{exact} {upper}");
        prop_assert!((through - 1.0).abs() < 1e-9, "{through}");
    }
}

/// The same picks with an account of an event.
fn accounted(picks: &[Pick], outages: &[Outage], at: usize) -> (Found, crate::account::Account) {
    let table = Table::new(&SPEEDS, DEEPEST_KM);
    let model = PhaseModel::built_in();
    let mut found =
        associate(&stations(), outages, &table, picks, &model, &mut |_| (), &|events| {
            events.iter().position(|event| event.number as usize == at)
        });
    let account = found.account.take().expect("there is an event");
    (found, account)
}

#[test]
fn an_account_adds_up_and_names_every_pick() {
    use crate::account::Says;
    let picks = picks();
    let likely = run(&picks).events;
    for at in 0..likely.len() {
        let (found, account) = accounted(&picks, &[], at);
        let event = &found.events[at];
        assert_eq!(event, &likely[at], "who asks changes nothing");
        let said: f64 = account.stations.iter().map(|s| s.nats).sum();
        let sum = account.rarity + account.size_fit + said + account.since;
        assert!((sum - event.evidence).abs() < 1e-9, "{sum} {}", event.evidence);
        assert!(account.since.abs() < 1.0, "{}", account.since);
        assert_eq!(account.probability.to_bits(), event.probability.to_bits());
        let mut rows: Vec<u32> = account.rows().collect();
        rows.sort_unstable();
        let mut own = event.rows.clone();
        own.sort_unstable();
        assert_eq!(rows, own);
        for s in &account.stations {
            match &s.says {
                Says::Heard { parts, ln_false, .. } => {
                    let sum: f64 = parts.iter().map(|part| part.1).sum();
                    assert!((sum - ln_false - s.nats).abs() < 1e-9);
                }
                Says::Silent => assert!(s.nats <= 0.0),
                Says::Down => panic!("nobody was down"),
            }
        }
        for more in &account.more {
            assert!(more.error <= 1.0 && more.silent.is_none(), "{more:?}");
        }
    }
}

#[test]
fn a_station_that_was_down_is_told_apart_from_a_silent_one() {
    use crate::account::Says;
    let all = picks();
    let rest: Vec<Pick> = all.iter().copied().filter(|pick| pick.station != 6).collect();
    let outage = Outage { station: 6, start_s: 900.0, end_s: 1_500.0 };
    let of = |outages: &[Outage]| accounted(&rest, outages, 0);
    let ((_, silent), (_, down)) = (of(&[]), of(&[outage]));
    let says = |account: &crate::account::Account| {
        account.stations.iter().find(|s| s.station == 6).map(|s| (s.says.clone(), s.nats))
    };
    assert!(matches!(says(&silent), Some((Says::Silent, nats)) if nats < -0.1));
    assert_eq!(says(&down), Some((Says::Down, 0.0)));
    assert!(down.more.iter().any(|m| m.station == 6 && m.silent.is_some_and(|p| p <= m.heard)));
}

#[test]
fn a_pick_of_little_weight_moves_its_source_less() {
    let clean: Vec<Pick> = numbered(quake(&stations(), 1_000.0, 48.3, 36.5, 8.0, 1));
    let shifted = |weight: f64| -> Vec<Pick> {
        let off = |pick: &Pick| Pick { t_s: pick.t_s + 1.0, weight, ..*pick };
        clean.iter().map(|pick| if pick.row == 3 { off(pick) } else { *pick }).collect()
    };
    let lon = |picks: &[Pick]| (run(picks).events[0].lat, run(picks).events[0].lon);
    let apart = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() + (a.1 - b.1).abs();
    let without: Vec<Pick> = clean.iter().copied().filter(|pick| pick.row != 3).collect();
    let truth = lon(&without);
    assert!(apart(lon(&shifted(0.02)), truth) < 0.5 * apart(lon(&shifted(1.0)), truth));
    let bad = Pick { weight: f64::NAN, ..clean[0] };
    assert_eq!(run(&[bad]).rejected.len(), 1);
}
