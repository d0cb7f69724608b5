//! Where the sun stands, so that every rate can be told apart by day and by
//! night (VERIFICATION D1).
//!
//! Low-precision formulae of the *Astronomical Almanac* (section C, "Low
//! precision formulas for the Sun"): good to about 0.01 degree from 1950 to
//! 2050, which moves sunrise by some seconds.

use jiff::Timestamp;

use crate::place::LatLon;
use crate::time::{Interval, seconds_between, shifted};

/// Height of the sun's centre at sunrise and sunset, degrees: its radius of
/// 16' and a refraction of 34' at the horizon.
pub const HORIZON_DEG: f64 = -0.833;

/// Seconds between the moments at which [`nights`] looks at the sun.
const STEP_S: f64 = 600.0;

/// Length of the pieces over which [`share_dark`] takes its mean, seconds.
const PIECE_S: f64 = 1_200.0;

/// Height of the sun's centre above the horizon, degrees, without refraction.
pub fn elevation_deg(at: LatLon, moment: Timestamp) -> f64 {
    // 2000-01-01T12:00:00Z.
    const J2000_S: i64 = 946_728_000;
    let since = (moment.as_second() - J2000_S) as f64 + f64::from(moment.subsec_nanosecond()) / 1e9;
    let days = since / 86_400.0;
    let radians = |degrees: f64| degrees.rem_euclid(360.0).to_radians();
    let mean_longitude = 280.460 + 0.985_647_4 * days;
    let anomaly = radians(357.528 + 0.985_600_3 * days);
    let longitude =
        radians(mean_longitude + 1.915 * libm::sin(anomaly) + 0.020 * libm::sin(2.0 * anomaly));
    let tilt = radians(23.439 - 0.000_000_4 * days);
    let ascension = libm::atan2(libm::cos(tilt) * libm::sin(longitude), libm::cos(longitude));
    let declination = libm::asin(libm::sin(tilt) * libm::sin(longitude));
    let sidereal = radians(15.0 * (18.697_374_558 + 24.065_709_824_419_08 * days));
    let hour_angle = sidereal + at.lon().to_radians() - ascension;
    let latitude = at.lat().to_radians();
    let sine = libm::sin(latitude) * libm::sin(declination)
        + libm::cos(latitude) * libm::cos(declination) * libm::cos(hour_angle);
    libm::asin(sine.clamp(-1.0, 1.0)).to_degrees()
}

/// Whether the sun is below the horizon.
pub fn is_dark(at: LatLon, moment: Timestamp) -> bool {
    elevation_deg(at, moment) < HORIZON_DEG
}

/// The parts of an interval in which it is dark at a place, to the second. A
/// night or a day of less than ten minutes near the polar circle may be missed.
pub fn nights(at: LatLon, within: &Interval) -> Vec<Interval> {
    let mut nights = Vec::new();
    let mut began = is_dark(at, within.from).then_some(within.from);
    let mut moment = within.from;
    while moment < within.to {
        let next = shifted(moment, STEP_S).min(within.to);
        match (began, is_dark(at, next)) {
            (None, true) => began = Some(turn(at, moment, next)),
            (Some(from), false) => {
                nights.push(Interval { from, to: turn(at, moment, next) });
                began = None;
            }
            _ => {}
        }
        moment = next;
    }
    nights.extend(began.map(|from| Interval { from, to: within.to }));
    nights
}

/// The moment between two at which light turns to dark or dark to light.
fn turn(at: LatLon, mut before: Timestamp, mut after: Timestamp) -> Timestamp {
    let dark = is_dark(at, before);
    while seconds_between(before, after) > 1.0 {
        let middle = Interval { from: before, to: after }.middle();
        if is_dark(at, middle) == dark { before = middle } else { after = middle }
    }
    after
}

/// The share of an interval in which it is dark at a place, in [0, 1]; for a
/// moment 0 or 1. By twenty minutes, so that it is good to about 1 % of a day.
pub fn share_dark(at: LatLon, within: &Interval) -> f64 {
    let seconds = within.seconds();
    let pieces = libm::ceil(seconds / PIECE_S).clamp(1.0, 1_000.0);
    let dark = (0..pieces as u32)
        .filter(|piece| {
            is_dark(at, shifted(within.from, seconds * (f64::from(*piece) + 0.5) / pieces))
        })
        .count();
    dark as f64 / pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn day(date: &str) -> Interval {
        let from: Timestamp = format!("{date}T00:00:00Z").parse().unwrap();
        Interval { from, to: shifted(from, 86_400.0) }
    }

    #[test]
    fn the_sun_stands_where_the_calendar_says() {
        // Solstices and equinox at noon of Greenwich: 90 - latitude +- 23.44;
        // the equation of time moves the culmination by some minutes.
        for (moment, height) in [
            ("2025-06-21T12:02:00Z", 90.0 - 51.48 + 23.44),
            ("2025-12-21T11:58:00Z", 90.0 - 51.48 - 23.44),
            ("2025-03-20T12:07:00Z", 90.0 - 51.48),
        ] {
            let found = elevation_deg(at(51.48, 0.0), moment.parse().unwrap());
            assert!((found - height).abs() < 0.1, "{moment}: {found} instead of {height}");
        }
    }

    /// Sunrise and sunset (UTC) by the full theory of VSOP87, from `PyEphem`
    /// 4.2.1 with the horizon at -50' and no other refraction.
    #[test]
    fn sunset_and_sunrise_of_a_full_theory() {
        for (place, date, rise, set) in [
            (at(50.45, 30.52), "2025-04-20", "02:53:54", "17:00:42"),
            (at(47.1, 37.55), "2026-01-06", "05:15:29", "13:55:56"),
            (at(-3.0, 16.0), "2033-02-11", "05:03:47", "17:16:33"),
        ] {
            let nights = nights(place, &day(date));
            assert_eq!(nights.len(), 2);
            for (found, clock) in [(nights[0].to, rise), (nights[1].from, set)] {
                let told = format!("{date}T{clock}Z").parse().unwrap();
                let apart = seconds_between(told, found);
                assert!(apart.abs() < 15.0, "{date} {clock}: {apart} s");
            }
        }
    }

    #[test]
    fn beyond_the_polar_circle_there_is_no_night_in_june_and_no_day_in_december() {
        assert!(nights(at(78.0, 15.0), &day("2025-06-21")).is_empty());
        let december = nights(at(78.0, 15.0), &day("2025-12-21"));
        assert_eq!(december, [day("2025-12-21")]);
    }

    proptest! {
        #[test]
        fn a_mean_and_an_exact_share_agree(lat in -60.0f64..60.0, lon in -180.0f64..180.0, days in 0i64..20_000) {
            let from = Timestamp::from_second(days * 86_400).unwrap();
            let whole = Interval { from, to: shifted(from, 86_400.0) };
            let exact = whole.covered_seconds(&nights(at(lat, lon), &whole)) / 86_400.0;
            prop_assert!((share_dark(at(lat, lon), &whole) - exact).abs() < 0.03);
            prop_assert!((0.15..0.85).contains(&exact), "{exact}");
        }
    }
}
