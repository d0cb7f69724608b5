//! How well two tellings agree: overlap integrals of their spreads in place and
//! time, per m² and per second.
//!
//! For spreads p and q, ∫ p q is the density with which the two fall together
//! if they tell of one and the same thing. Held against the density of other
//! things it is a likelihood ratio (group.rs).

use domain::{Located, Occurrence};

use crate::places::Places;

/// Share of the probability that lies inside the span that a source gives; the
/// rest lies in a tail on either side, for late and wrong times.
const INSIDE: f64 = 0.8;

/// ∫ p(x) q(x) dx over the ground, per m². `error_m`: error of place of both
/// together beyond what they say, one standard deviation.
pub fn place_overlap(a: &Located, b: &Located, error_m: f64, places: &Places) -> f64 {
    match (a, b) {
        (Located::Unknown, _) | (_, Located::Unknown) => 0.0,
        (Located::Region { .. }, _) => in_region(a, b, places),
        (_, Located::Region { .. }) => in_region(b, a, places),
        _ => {
            let variance = |place: &Located| {
                // The radius of a place holds 95 % of it: 2.4477 sigma.
                let sigma_m = place.radius_m() / 2.4477;
                sigma_m * sigma_m
            };
            let total = variance(a) + variance(b) + error_m * error_m;
            let Some((from, to)) = a.centre().zip(b.centre()) else { return 0.0 };
            let apart_m = from.distance_m(to);
            libm::exp(-0.5 * apart_m * apart_m / total) / (std::f64::consts::TAU * total)
        }
    }
}

/// A region spreads evenly over its ground: the share of the other place that
/// lies inside, over its area.
fn in_region(region: &Located, other: &Located, places: &Places) -> f64 {
    let Some(area_m2) = places.area_m2(region) else { return 0.0 };
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let inside = if let (Located::Region { units: a, .. }, Located::Region { units: b, .. }) =
        (region, other)
    {
        share(b.iter().filter(|unit| a.contains(unit)).count(), b.len())
    } else {
        let samples = other.samples();
        let within = samples.iter().filter(|at| places.contains(region, **at)).count();
        share(within, samples.len())
    };
    inside / area_m2
}

/// ∫ p(t) q(t) dt, per second. Each spread is even over its span, with tails of
/// `tail_s` before and after.
pub fn time_overlap(a: &Occurrence, b: &Occurrence, tail_s: f64) -> f64 {
    let (a, b) = (pieces(a, tail_s, a, b), pieces(b, tail_s, a, b));
    let mut sum = 0.0;
    for (from, to, height) in a {
        for (other_from, other_to, other_height) in b {
            let common = to.min(other_to) - from.max(other_from);
            if common > 0.0 {
                sum += common * height * other_height;
            }
        }
    }
    sum
}

/// Tail, span, tail: from, to (seconds from the earlier start of both) and
/// height. A span is never shorter than its clock error and a minute.
fn pieces(one: &Occurrence, tail_s: f64, a: &Occurrence, b: &Occurrence) -> [(f64, f64, f64); 3] {
    let zero = a.span.from.min(b.span.from);
    let from = domain::time::seconds_between(zero, one.span.from);
    let to = domain::time::seconds_between(zero, one.span.to);
    let widen_s = (one.sigma_s.max(30.0) - (to - from) / 2.0).max(0.0);
    let (from, to) = (from - widen_s, to + widen_s);
    let tail = (1.0 - INSIDE) / 2.0 / tail_s;
    [(from - tail_s, from, tail), (from, to, INSIDE / (to - from)), (to, to + tail_s, tail)]
}

#[cfg(test)]
mod tests {
    use domain::{Covariance, Extent, Interval, LatLon};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn when(from: i64, to: i64) -> Occurrence {
        let at = |second| Timestamp::from_second(1_745_000_000 + second).unwrap();
        Occurrence {
            span: Interval { from: at(from), to: at(to) },
            sigma_s: 0.0,
            extent: Extent::Once,
        }
    }

    fn point(lat: f64, lon: f64, sigma_m: f64) -> Located {
        Located::Normal {
            at: LatLon::new(lat, lon).unwrap(),
            covariance: Covariance::circular(sigma_m),
        }
    }

    fn nowhere() -> Places {
        Places::new(vec![], vec![], vec![], &[], None)
    }

    #[test]
    fn two_normal_spreads_overlap_as_the_formula_says() {
        let here = point(48.0, 37.0, 300.0);
        let overlap = place_overlap(&here, &here, 400.0, &nowhere());
        let total = 2.0 * 300.0 * 300.0 + 400.0 * 400.0;
        assert!((overlap * std::f64::consts::TAU * total - 1.0).abs() < 1e-3);
        let far = point(48.1, 37.0, 300.0);
        assert!(place_overlap(&here, &far, 400.0, &nowhere()) < overlap * 1e-20);
    }

    #[test]
    fn a_spread_of_time_is_a_density() {
        // Overlap with a span that covers everything is the mass over its length.
        let (short, long) = (when(0, 3600), when(-100_000, 100_000));
        let overlap = time_overlap(&short, &long, 3600.0);
        assert!((overlap * 200_000.0 / INSIDE - 1.0).abs() < 1e-9, "{overlap}");
    }

    proptest! {
        #[test]
        fn overlaps_are_symmetric_and_fall_with_distance(from in 0i64..50_000, length in 0i64..90_000, gap in 0i64..20_000, more in 1i64..20_000) {
            let a = when(0, 600);
            let b = when(from, from + length);
            prop_assert!((time_overlap(&a, &b, 3600.0) - time_overlap(&b, &a, 3600.0)).abs() < 1e-15);
            let near = time_overlap(&a, &when(600 + gap, 1200 + gap), 3600.0);
            let far = time_overlap(&a, &when(600 + gap + more, 1200 + gap + more), 3600.0);
            prop_assert!(far <= near * (1.0 + 1e-12));
        }
    }
}
