use proptest::prelude::*;

use super::engine::FLOOD;
use super::net::{Net, Site, Spot};
use super::*;
use crate::{Outage, Station};

/// Arrays on five continents, degrees north and east.
const PLACES: [(f64, f64); 8] = [
    (-23.7, 133.9),
    (18.5, 98.9),
    (61.4, 26.1),
    (64.8, -146.9),
    (46.8, 82.3),
    (13.1, 1.7),
    (-10.0, -60.0),
    (40.0, -110.0),
];

fn stations() -> Vec<Station> {
    let station = |(i, (lat, lon))| Station { name: format!("P{i}"), lat, lon, elev_m: 0.0 };
    PLACES.into_iter().enumerate().map(station).collect()
}

fn curve() -> Curve {
    let travel = |d: f64| -0.023 * d * d + 10.7 * d + 5.0;
    let points: Vec<(f64, f64)> = (0..=180).map(f64::from).map(|d| (d, travel(d))).collect();
    Curve::new(&points).unwrap()
}

fn performance() -> Performance {
    // Nothing known beyond what such arrays are like.
    fit(&stations(), &curve(), &[], &[], &[], "none")
}

/// What all arrays but one hear of an event, each a little off.
fn heard(lat: f64, lon: f64, t_s: f64, but: usize) -> Vec<Arrival> {
    let curve = curve();
    let u = Spot::new(lat, lon).unit();
    let of = |(row, (lat, lon)): (u32, (f64, f64))| {
        let (deg, azimuth_deg) = Site::new(Spot::new(lat, lon)).way(&u);
        let (travel, slowness) = curve.at(deg);
        let off = f64::from(row % 3) - 1.0;
        Arrival {
            station: row,
            t_s: t_s + travel + 0.4 * off,
            azimuth_deg: azimuth_deg + 4.0 * off,
            slowness_s_deg: slowness - 0.5 * off,
            amplitude: libm::exp(-7.3 + 2.03 * 4.8 - 0.002 * deg + 0.3 * off),
            row,
        }
    };
    let all = (0..).zip(PLACES).map(of);
    all.filter(|a| a.station as usize != but).collect()
}

/// False alarms, one every few minutes at some array, from a moment on.
fn noise(from_s: f64) -> Vec<Arrival> {
    (0..30_u32)
        .map(|i| Arrival {
            station: (i * 5) % 8,
            t_s: from_s + 97.0 * f64::from(i),
            azimuth_deg: f64::from((i * 131) % 360),
            slowness_s_deg: 2.5 + f64::from((i * 37) % 80) / 10.0,
            amplitude: 0.3 + f64::from(i % 4),
            row: 100 + i,
        })
        .collect()
}

fn run(arrivals: &[Arrival]) -> Found {
    associate(&stations(), &[], &curve(), &[], arrivals, &performance(), &mut |_| {}, &|_| None)
}

fn mixed() -> Vec<Arrival> {
    let mut all = heard(5.0, 20.0, 1_000.0, 1);
    all.extend(heard(-40.0, -170.0, 1_300.0, 4).into_iter().map(|mut a| {
        a.row += 20;
        a
    }));
    all.extend(noise(300.0));
    all
}

#[test]
fn events_are_found_where_they_were() {
    let events = run(&mixed()).events;
    let sure: Vec<&GlobeEvent> = events.iter().filter(|e| e.probability > 0.9).collect();
    assert_eq!(sure.len(), 2, "{events:?}");
    for (event, (lat, lon, t_s)) in sure.iter().zip([(5.0, 20.0, 1e3), (-40.0, -170.0, 1.3e3)]) {
        let site = Site::new(Spot::new(lat, lon));
        let (deg, _) = site.way(&Spot::new(event.lat, event.lon).unit());
        assert!(deg < 0.5 && (event.t_s - t_s).abs() < 3.0, "{event:?}");
        assert!((event.magnitude - 4.8).abs() < 0.5 && event.near > 0.95, "{event:?}");
        let own = event.rows.iter().filter(|row| **row < 40).count();
        assert!(own >= 6 && event.rows.len() - own <= 1, "{event:?}");
        let sd = f64::midpoint(event.covariance[0], event.covariance[2]).sqrt();
        assert!(sd > 1e3 && sd < 2e5, "{sd}");
    }
}

#[test]
fn false_alarms_alone_are_no_event() {
    let found = run(&noise(0.0));
    assert!(found.events.iter().all(|e| e.probability < 0.5), "{:?}", found.events);
    assert_eq!(run(&[]), Found::default());
}

#[test]
fn numbers_that_are_none_are_handed_back() {
    let mut all = mixed();
    let clean = run(&all);
    let row = |row| Arrival { row, ..all[0] };
    let bad = [
        Arrival { t_s: f64::NAN, ..row(200) },
        Arrival { azimuth_deg: f64::INFINITY, ..row(201) },
        Arrival { slowness_s_deg: f64::NAN, ..row(202) },
        Arrival { amplitude: -1.0, ..row(203) },
        Arrival { amplitude: 0.0, ..row(204) },
        Arrival { station: 99, ..row(205) },
    ];
    all.extend(bad);
    let found = run(&all);
    assert_eq!(
        found.rejected.iter().map(|r| r.row).collect::<Vec<_>>(),
        [200, 201, 202, 203, 204, 205]
    );
    assert_eq!(found.events, clean.events);
}

#[test]
fn a_flood_is_set_aside() {
    let mut all = mixed();
    let clean = run(&all);
    let flood = |i: u32| Arrival {
        station: 2,
        t_s: 20_000.0 + f64::from(i) * 1e-5,
        azimuth_deg: f64::from(i % 360),
        row: 1_000 + i,
        ..all[0]
    };
    let flood: Vec<Arrival> = (0..100_000).map(flood).collect();
    all.extend(flood);
    let found = run(&all);
    assert_eq!(found.rejected.len(), 100_000 - FLOOD.0);
    assert_eq!(found.events[..clean.events.len()], clean.events);
}

#[test]
fn an_array_without_a_performance_is_not_used() {
    let mut known = performance();
    known.stations.retain(|s| s.station != "P3");
    let all = mixed();
    let found = associate(&stations(), &[], &curve(), &[], &all, &known, &mut |_| {}, &|_| None);
    let of_it = all.iter().filter(|a| a.station == 3).count();
    assert_eq!(found.rejected.len(), of_it);
    assert!(found.events.iter().filter(|e| e.probability > 0.9).count() == 2);
}

#[test]
fn silence_counts_unless_the_array_was_down() {
    let mut all = heard(5.0, 20.0, 1_000.0, 1);
    all.truncate(3);
    let evidence = |outages: &[Outage]| {
        let found = associate(
            &stations(),
            outages,
            &curve(),
            &[],
            &all,
            &performance(),
            &mut |_| {},
            &|_| None,
        );
        found.events.first().map_or(-10.0, |e| e.evidence)
    };
    let down: Vec<Outage> =
        (4..8).map(|station| Outage { station, start_s: 0.0, end_s: 1e4 }).collect();
    assert!(evidence(&down) > evidence(&[]) + 1.0, "{} {}", evidence(&down), evidence(&[]));
}

#[test]
fn what_is_due_after_the_window_is_no_silence() {
    let window = |end_s| vec![Window { start_s: 0.0, end_s }];
    let early: Vec<Arrival> =
        heard(5.0, 20.0, 1_000.0, 1).into_iter().filter(|a| a.t_s < 1_750.0).collect();
    let evidence = |windows: &[Window]| {
        let found = associate(
            &stations(),
            &[],
            &curve(),
            windows,
            &early,
            &performance(),
            &mut |_| {},
            &|_| None,
        );
        found.events.first().map_or(-10.0, |e| e.evidence)
    };
    assert!(evidence(&window(1_750.0)) > evidence(&window(9_000.0)) + 1.0);
}

#[test]
fn an_account_adds_up() {
    let run = |arrivals: &[Arrival], asked: &dyn Fn(&GlobeEvent) -> bool| {
        let ask = |events: &[GlobeEvent]| events.iter().position(asked);
        let curve = curve();
        associate(&stations(), &[], &curve, &[], arrivals, &performance(), &mut |_| {}, &ask)
    };
    let found = run(&mixed(), &|e| (e.t_s - 1_000.0).abs() < 10.0);
    let account = found.account.expect("there is such an event");
    let event = &found.events[account.event as usize];
    assert_eq!(account.stations.len(), PLACES.len());
    let sum: f64 = account.stations.iter().map(|s| s.nats).sum();
    let told = account.rarity + account.size_fit + sum;
    assert!((told - event.evidence).abs() < 1e-6, "{told} {}", event.evidence);
    let log_odds: f64 = account.map.iter().map(|m| m.log_odds).sum();
    let p = 1.0 / (1.0 + libm::exp(-log_odds.clamp(-7.0, 7.0)));
    assert!((p - event.probability).abs() < 1e-6 && p == account.probability);
    let mut rows: Vec<u32> = account.rows().collect();
    rows.sort_unstable();
    let mut own = event.rows.clone();
    own.sort_unstable();
    assert_eq!(rows, own);
    // Four arrays at which it is hardly sure: without one it is less so.
    let few: Vec<Arrival> = heard(5.0, 20.0, 1_000.0, 1).into_iter().take(3).collect();
    let account = run(&few, &|_| true).account.expect("there is one");
    for s in &account.stations {
        if matches!(s.says, crate::account::Says::Heard { .. }) {
            assert!(s.without < account.probability, "{s:?}");
        }
    }
    let more = &account.more[0];
    assert!(more.heard > account.probability && more.error < 1.0, "{more:?}");
}

#[test]
fn a_performance_survives_its_file() {
    let known = performance();
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(Performance::parse(&text).unwrap(), known);
    let wrong = text.replacen("\"time_s\":0.9", "\"time_s\":-0.9", 1);
    assert_ne!(wrong, text);
    assert!(Performance::parse(&wrong).unwrap_err().to_string().contains("time_s"));
    assert!(Performance::parse("{}").is_err());
}

#[test]
fn cells_cover_the_earth() {
    let net = Net::new(&stations(), &[], &curve(), &[], &performance());
    let area: f64 = net.cells.iter().map(net::Cell::area).sum();
    assert!((area / net::EARTH_DEG2 - 1.0).abs() < 1e-9, "{area}");
    let quarters: f64 = net.cells[40].quarters().iter().map(net::Cell::area).sum();
    assert!((quarters / net.cells[40].area() - 1.0).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_order_of_rows_does_not_matter(
        order in Just((0..44_usize).collect::<Vec<_>>()).prop_shuffle(),
        turns in -2..3_i32,
    ) {
        let all = mixed();
        prop_assert_eq!(all.len(), order.len());
        let shuffled: Vec<Arrival> = order.iter().map(|i| all[*i]).collect();
        prop_assert_eq!(run(&all).events, run(&shuffled).events);
        // Nor does it where the circle begins.
        let turned: Vec<Arrival> = all
            .iter()
            .map(|a| Arrival { azimuth_deg: a.azimuth_deg + 360.0 * f64::from(turns), ..*a })
            .collect();
        let rows = |found: &Found| found.events.iter().map(|e| e.rows.clone()).collect::<Vec<_>>();
        prop_assert_eq!(rows(&run(&all)), rows(&run(&turned)));
    }

    #[test]
    fn what_is_far_away_in_time_changes_nothing(
        far_s in 10_000.0..1e6_f64,
        before in any::<bool>(),
        count in 1..20_usize,
    ) {
        let all = mixed();
        let mut more = all.clone();
        let start = if before { -far_s } else { far_s };
        more.extend(noise(start).into_iter().take(count));
        let near = |found: &Found| -> Vec<GlobeEvent> {
            let events = found.events.iter().filter(|e| (0.0..5_000.0).contains(&e.t_s));
            events.map(|e| GlobeEvent { number: 0, ..e.clone() }).collect()
        };
        prop_assert_eq!(near(&run(&all)), near(&run(&more)));
    }

    #[test]
    fn arcs_are_those_of_libm(y in -2.0..2.0_f64, x in -2.0..2.0_f64) {
        prop_assert!((net::atan2(y, x) - libm::atan2(y, x)).abs() < 1e-7);
    }

    #[test]
    fn a_place_beside_lies_where_it_says(
        lat in -85.0..85.0_f64,
        lon in -180.0..180.0_f64,
        east in -60.0..60.0_f64,
        north in -60.0..60.0_f64,
    ) {
        let site = Site::at(&Spot::new(lat, lon).unit());
        let (e, n) = site.offset(&site.beside(east, north));
        prop_assert!((e - east).abs() < 1e-4 && (n - north).abs() < 1e-4, "{e} {n}");
    }
}
