//! Detections of infrasound arrays to sources: a time and a back azimuth each,
//! and a speed that is known to a tenth only.
//!
//! Each detection is an anchor in turn: places along its back azimuth are tried
//! with the celerities of the three ducts, the best is climbed to its top, and
//! the posterior about it is summed on a grid. That sum is the evidence, its
//! moments are place and covariance. The best source is taken first; anchors
//! that lose a detection to it are tried again. That is done block of time after
//! block of time (`engine`).

mod account;
mod engine;
mod model;
mod source;
pub(crate) mod sphere;

use crate::input::Station;
use crate::math;
use crate::posterior::Features;

use source::{Array, FARTHEST_KM, Source, data, data_over, ways};

pub use engine::{Engine, Found, associate};
pub use model::{ARRAY_FEATURES, ArrayModel};

/// Ranges tried along a back azimuth: the first, km, and the ratio.
const RANGES: (f64, f64) = (30.0, 1.12);
/// Directions tried beside the back azimuth, degrees.
const BESIDE_DEG: [f64; 7] = [-9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0];
/// Celerities tried, km/s.
const CELERITIES: [f64; 8] = [0.22, 0.24, 0.26, 0.275, 0.29, 0.305, 0.32, 0.335];
/// Points of the grid of the posterior along each axis, and how often it is laid.
const GRID: usize = 17;
const LAYS: usize = 4;
/// Half the side of the first grid: s and km.
const FIRST: (f64, f64) = (600.0, 300.0);
/// A source that gains less is not even doubtful, nats.
const SCORE_MIN: f64 = -3.0;
/// Arrays that a source must be heard at: one has no crossing.
const ARRAYS_MIN: usize = 2;
/// What may have made infrasound. A detection tells nothing of it, so that each
/// is as likely as another.
pub const KINDS: [&str; 4] = ["explosion", "controlled_blast", "quarry", "thunder"];

/// A detection of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArrayDetection {
    /// Index of the array.
    pub station: u32,
    /// Time, seconds since the zero of the set.
    pub t_s: f64,
    /// Direction that it came from, degrees from north by east, any turn.
    pub azimuth_deg: f64,
    /// Number of the row it came from.
    pub row: u32,
}

/// A source inferred from detections of arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayEvent {
    /// Number in order of origin time.
    pub number: u32,
    /// Origin time, seconds since the zero of the set: mean of the posterior.
    pub t_s: f64,
    /// Degrees north, mean of the posterior.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Calibrated probability that it is real.
    pub probability: f64,
    /// Log-odds of the evidence, nats.
    pub evidence: f64,
    /// Covariance of place, m^2: east-east, east-north, north-north.
    pub covariance: [f64; 3],
    /// Variance of the origin time, s^2.
    pub var_t: f64,
    /// Arrays that heard it.
    pub arrays: usize,
    /// Rows of the detections that belong to it, in order of time.
    pub rows: Vec<u32>,
    /// What the calibration map saw.
    pub features: Features,
}

#[derive(Clone, Debug)]
struct Candidate {
    anchor: usize,
    score: f64,
    source: Source,
    covariance: [f64; 3],
    var_t: f64,
    hits: Vec<usize>,
}

/// What of a detection cannot be used, and why.
fn unusable(stations: &[Station], d: &ArrayDetection) -> Option<(&'static str, &'static str)> {
    let Some(station) = stations.get(d.station as usize) else {
        return Some(("detection", "the array is not in the network"));
    };
    if !station.lat.is_finite() || station.lat.abs() > 90.0 || !station.lon.is_finite() {
        return Some(("detection", "the array has no place on earth"));
    }
    if !d.t_s.is_finite() {
        return Some(("t", "the time is not a finite number"));
    }
    (!d.azimuth_deg.is_finite())
        .then_some(("back_azimuth", "the back azimuth is not a finite number"))
}

/// What the calibration map sees of a source with these detections.
fn features(arrays: &[Array], hits: &[usize], evidence: f64, covariance: [f64; 3]) -> Features {
    let mut ln_rate = 0.0;
    for array in arrays {
        let own = array.heard.iter().filter(|heard| hits.contains(&heard.index));
        ln_rate += own.map(|heard| heard.ln_rate).sum::<f64>();
    }
    Features::from(model::Raw {
        evidence,
        arrays: heard_at(arrays, hits) as f64,
        hits: hits.len() as f64,
        size_km: (covariance[0] + covariance[2]).max(0.0).sqrt() / 1e3,
        ln_rate: ln_rate / hits.len().max(1) as f64,
    })
}

/// All detections but those of one source count as taken: a stronger source near
/// by must not lend it any evidence.
fn only(hits: &[usize], count: usize) -> Vec<bool> {
    let mut taken = vec![true; count];
    for hit in hits {
        taken[*hit] = false;
    }
    taken
}

fn heard_at(arrays: &[Array], hits: &[usize]) -> usize {
    arrays.iter().filter(|a| a.heard.iter().any(|h| hits.contains(&h.index))).count()
}

/// The best source that has a detection among its own.
fn candidate(
    arrays: &[Array],
    detections: &[ArrayDetection],
    taken: &[bool],
    anchor: usize,
) -> Option<Candidate> {
    let d = detections[anchor];
    let here = arrays.iter().find(|a| a.station == d.station)?.spot;
    let mut best: Option<(f64, Source)> = None;
    let mut km = RANGES.0;
    while km < FARTHEST_KM {
        for beside in BESIDE_DEG {
            let spot = here.at(km, d.azimuth_deg + beside);
            let ways = ways(arrays, spot);
            for celerity in CELERITIES {
                let source = Source { t: d.t_s - km / celerity, spot };
                let score = data_over(arrays, &ways, taken, &source, None);
                if best.as_ref().is_none_or(|b| score > b.0) {
                    best = Some((score, source));
                }
            }
        }
        km *= RANGES.1;
    }
    let top = climb(arrays, taken, best?.1);
    let mut hits = Vec::new();
    data(arrays, taken, &top, Some(&mut hits));
    if !hits.contains(&anchor) || heard_at(arrays, &hits) < ARRAYS_MIN {
        return None;
    }
    let (score, mean, covariance, var_t) = posterior(arrays, &only(&hits, taken.len()), &top)?;
    if score < SCORE_MIN {
        return None;
    }
    Some(Candidate { anchor, score, source: mean, covariance, var_t, hits })
}

/// Climbs by steps that are halved when none leads up.
fn climb(arrays: &[Array], taken: &[bool], from: Source) -> Source {
    let (mut at, mut best) = (from, data(arrays, taken, &from, None));
    let (mut step_s, mut step_km) = (120.0, 50.0);
    for _ in 0..200 {
        let mut moved = false;
        for (dt, east, north) in [
            (step_s, 0.0, 0.0),
            (-step_s, 0.0, 0.0),
            (0.0, step_km, 0.0),
            (0.0, -step_km, 0.0),
            (0.0, 0.0, step_km),
            (0.0, 0.0, -step_km),
        ] {
            let next = Source { t: at.t + dt, spot: at.spot.beside(east, north) };
            let score = data(arrays, taken, &next, None);
            if score > best {
                (at, best, moved) = (next, score, true);
            }
        }
        if !moved {
            step_s *= 0.5;
            step_km *= 0.5;
            if step_km < 1.0 {
                break;
            }
        }
    }
    at
}

/// Evidence, mean, covariance of place and variance of time, from the posterior
/// about a top, summed on a grid that is laid anew where the mass is.
fn posterior(
    arrays: &[Array],
    taken: &[bool],
    top: &Source,
) -> Option<(f64, Source, [f64; 3], f64)> {
    let mut centre = [0.0; 3];
    let mut half = [FIRST.0, FIRST.1, FIRST.1];
    let mut out = None;
    for _ in 0..LAYS {
        let axis =
            |i: usize, n: usize| centre[i] + half[i] * (2.0 * (n as f64 + 0.5) / GRID as f64 - 1.0);
        let mut points = Vec::with_capacity(GRID * GRID * GRID);
        let mut most = f64::NEG_INFINITY;
        for i in 0..GRID {
            for j in 0..GRID {
                let spot = top.spot.beside(axis(1, i), axis(2, j));
                let ways = ways(arrays, spot);
                for k in 0..GRID {
                    let source = Source { t: top.t + axis(0, k), spot };
                    let score = data_over(arrays, &ways, taken, &source, None);
                    most = most.max(score);
                    points.push(([axis(0, k), axis(1, i), axis(2, j)], score));
                }
            }
        }
        let (mut total, mut mean) = (0.0, [0.0; 3]);
        let mut square = [[0.0; 3]; 3];
        for (at, score) in &points {
            let weight = math::exp(score - most);
            total += weight;
            for a in 0..3 {
                mean[a] += weight * at[a];
                for b in 0..3 {
                    square[a][b] += weight * at[a] * at[b];
                }
            }
        }
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let mean = mean.map(|m| m / total);
        let cover = |a: usize, b: usize| square[a][b] / total - mean[a] * mean[b];
        // A cell has a width of its own.
        let cell: [f64; 3] = std::array::from_fn(|i| 2.0 * half[i] / GRID as f64);
        let var = |i: usize| cover(i, i).max(0.0) + cell[i] * cell[i] / 12.0;
        let volume = cell[0] * cell[1] * cell[2];
        let spot = top.spot.beside(mean[1], mean[2]);
        out = Some((
            most + math::ln(total * volume),
            Source { t: top.t + mean[0], spot },
            [var(1) * 1e6, cover(1, 2) * 1e6, var(2) * 1e6],
            var(0),
        ));
        centre = mean;
        half = std::array::from_fn(|i| (3.5 * var(i).sqrt()).max(cell[i]));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sphere::Spot;
    use super::*;
    use crate::Outage;

    /// Three arrays about a source, and what they hear of it at these celerities.
    fn heard(celerities: [f64; 3]) -> Vec<ArrayDetection> {
        let source = Spot { lat: 39.0, lon: -113.0 };
        let of = |(row, ((lat, lon), celerity)): (u32, ((f64, f64), f64))| {
            let (km, azimuth_deg) = Spot { lat, lon }.way(source);
            ArrayDetection { station: row, t_s: 10_000.0 + km / celerity, azimuth_deg, row }
        };
        (0..).zip(PLACES.into_iter().zip(celerities)).map(of).collect()
    }

    const PLACES: [(f64, f64); 3] = [(35.9, -106.3), (38.4, -118.3), (42.8, -109.6)];

    fn stations() -> Vec<Station> {
        let station = |(lat, lon)| Station { name: format!("{lat} {lon}"), lat, lon, elev_m: 0.0 };
        PLACES.map(station).into()
    }

    fn run(detections: &[ArrayDetection]) -> Vec<ArrayEvent> {
        associate(&stations(), &[], detections, &ArrayModel::built_in(), &|_| None).events
    }

    fn noise() -> Vec<ArrayDetection> {
        let of = |(row, (station, t_s, azimuth_deg)): (u32, (u32, f64, f64))| ArrayDetection {
            station,
            t_s,
            azimuth_deg,
            row,
        };
        let rows = [(0, 12_500.0, 120.0), (2, 9_000.0, 20.0)];
        (10..).zip(rows).map(of).collect()
    }

    #[test]
    fn directions_that_cross_in_time_are_one_source() {
        let mut all = heard([0.26, 0.29, 0.27]);
        all.extend(noise());
        let events = run(&all);
        assert_eq!(events.len(), 1, "{events:?}");
        let e = &events[0];
        assert_eq!(e.rows.len(), 3);
        let (km, _) = Spot { lat: e.lat, lon: e.lon }.way(Spot { lat: 39.0, lon: -113.0 });
        let sd = ((e.covariance[0] + e.covariance[2]) / 2e6).sqrt();
        assert!(km < 60.0 && km < 3.0 * sd && sd < 120.0, "{km} {sd} {e:?}");
        assert!(e.probability > 0.5 && e.probability < 1.0);
    }

    #[test]
    fn directions_that_do_not_cross_are_none() {
        let mut all = heard([0.26, 0.29, 0.27]);
        for d in &mut all {
            d.azimuth_deg += 180.0;
        }
        let events = run(&all);
        assert!(events.iter().all(|e| e.probability < 0.5), "{events:?}");
    }

    #[test]
    fn numbers_that_are_none_are_handed_back() {
        let mut all = heard([0.26, 0.29, 0.27]);
        all.push(ArrayDetection { row: 7, t_s: f64::NAN, ..all[0] });
        all.push(ArrayDetection { row: 8, station: 95, ..all[0] });
        let found = associate(&stations(), &[], &all, &ArrayModel::built_in(), &|_| None);
        assert_eq!(found.rejected.iter().map(|r| r.row).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(found.events, run(&all[..3]));
        assert!(
            run(&[]).is_empty()
                && associate(&[], &[], &all, &ArrayModel::built_in(), &|_| None).events.is_empty()
        );
    }

    #[test]
    fn the_silence_of_an_array_that_was_down_says_nothing() {
        let all = heard([0.26, 0.29, 0.27]);
        let evidence = |outages: &[Outage]| {
            associate(&stations(), outages, &all[..2], &ArrayModel::built_in(), &|_| None)
                .events
                .first()
                .map(|e| e.evidence)
        };
        let (silent, down) =
            (evidence(&[]), evidence(&[Outage { station: 2, start_s: 0.0, end_s: 1e5 }]));
        assert!(down > silent && down.is_some(), "{silent:?} {down:?}");
    }

    #[test]
    fn an_account_adds_up_and_names_every_detection() {
        use crate::account::Says;
        let mut all = heard([0.26, 0.29, 0.27]);
        all.extend(noise());
        let found = associate(&stations(), &[], &all, &ArrayModel::built_in(), &|_| Some(0));
        let (account, event) = (found.account.expect("there is an event"), &found.events[0]);
        let said: f64 = account.stations.iter().map(|s| s.nats).sum();
        let sum = account.rarity + account.size_fit + said + account.since;
        assert!((sum - event.evidence).abs() < 1e-9, "{sum} {}", event.evidence);
        assert!(account.since.abs() < 1e-9, "what is told is what was weighed: {}", account.since);
        let mut rows: Vec<u32> = account.rows().collect();
        rows.sort_unstable();
        let mut own = event.rows.clone();
        own.sort_unstable();
        assert_eq!(rows, own);
        for s in &account.stations {
            assert!(s.without < account.probability, "{s:?}");
            let Says::Heard { turned_deg: Some(turned), .. } = s.says else { panic!("{s:?}") };
            assert!(turned.abs() < 10.0, "{turned}");
        }
        // Two of the three, and the third was down: what would it have said?
        let down = Outage { station: 2, start_s: 0.0, end_s: 1e5 };
        let found =
            associate(&stations(), &[down], &all[..2], &ArrayModel::built_in(), &|_| Some(0));
        let account = found.account.expect("there is an event");
        assert!(account.stations.iter().any(|s| s.station == 2 && s.says == Says::Down));
        let more = account.more.iter().find(|m| m.station == 2).expect("it is named");
        assert!(more.heard > account.probability && more.error < 1.0, "{more:?}");
        assert!(more.silent.is_some_and(|p| p < account.probability), "{more:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]

        #[test]
        fn neither_order_nor_turns_of_azimuths_matter(
            order in Just([0_usize, 1, 2, 3, 4]).prop_shuffle(),
            turns in -2..3_i32,
        ) {
            let mut all = heard([0.3, 0.25, 0.28]);
            all.extend(noise());
            let shuffled: Vec<ArrayDetection> = order
                .iter()
                .map(|i| ArrayDetection {
                    azimuth_deg: all[*i].azimuth_deg + 360.0 * f64::from(turns),
                    ..all[*i]
                })
                .collect();
            let (a, b) = (run(&all), run(&shuffled));
            prop_assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(&b) {
                prop_assert_eq!(&a.rows, &b.rows);
                prop_assert!((a.evidence - b.evidence).abs() < 1e-6);
            }
        }
    }
}
