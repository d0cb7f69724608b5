//! Ways over a sphere: what infrasound needs, whose speed is known to a tenth,
//! while the flattening of the earth changes ways by three thousandths.

use std::f64::consts::PI;

/// Mean radius of the earth, km (IUGG).
const RADIUS_KM: f64 = 6_371.0;
const RADIANS: f64 = PI / 180.0;

/// A place in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Spot {
    pub lat: f64,
    pub lon: f64,
}

impl Spot {
    /// Length of the way to another place, km, and the direction in which it
    /// begins, degrees from north by east.
    pub(crate) fn way(self, to: Self) -> (f64, f64) {
        let (a, b) = (self.lat * RADIANS, to.lat * RADIANS);
        let l = (to.lon - self.lon) * RADIANS;
        let (east, north) = (
            libm::sin(l) * libm::cos(b),
            libm::cos(a) * libm::sin(b) - libm::sin(a) * libm::cos(b) * libm::cos(l),
        );
        let along = libm::sin(a) * libm::sin(b) + libm::cos(a) * libm::cos(b) * libm::cos(l);
        let arc = libm::atan2(libm::sqrt(east * east + north * north), along);
        (RADIUS_KM * arc, turned(libm::atan2(east, north) / RADIANS))
    }

    /// The place so far off in a direction.
    pub(crate) fn at(self, km: f64, azimuth_deg: f64) -> Self {
        let (lat, arc, az) = (self.lat * RADIANS, km / RADIUS_KM, azimuth_deg * RADIANS);
        let sin = libm::sin(lat) * libm::cos(arc) + libm::cos(lat) * libm::sin(arc) * libm::cos(az);
        let l = libm::atan2(
            libm::sin(az) * libm::sin(arc) * libm::cos(lat),
            libm::cos(arc) - libm::sin(lat) * sin,
        );
        let lon = self.lon + l / RADIANS;
        Self {
            lat: libm::asin(sin.clamp(-1.0, 1.0)) / RADIANS,
            lon: lon - 360.0 * libm::round(lon / 360.0),
        }
    }

    /// The place so many km east and north, along a great circle.
    pub(crate) fn beside(self, east: f64, north: f64) -> Self {
        let km = libm::sqrt(east * east + north * north);
        self.at(km, libm::atan2(east, north) / RADIANS)
    }
}

/// An angle in 0 to 360 degrees.
pub(crate) fn turned(deg: f64) -> f64 {
    deg - 360.0 * libm::floor(deg / 360.0)
}

/// How far apart two directions are, -180 to 180 degrees.
pub(crate) fn apart(a: f64, b: f64) -> f64 {
    let d = a - b;
    d - 360.0 * libm::round(d / 360.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_way_leads_where_it_says(
            lat in -80.0..80.0_f64,
            lon in -180.0..180.0_f64,
            km in 1.0..5_000.0_f64,
            az in 0.0..360.0_f64,
        ) {
            let from = Spot { lat, lon };
            let (back_km, back_az) = from.way(from.at(km, az));
            prop_assert!((back_km - km).abs() < 1e-6, "{back_km} {km}");
            prop_assert!(apart(back_az, az).abs() < 1e-6, "{back_az} {az}");
        }
    }

    #[test]
    fn a_quarter_of_the_equator() {
        let (km, az) = Spot { lat: 0.0, lon: 170.0 }.way(Spot { lat: 0.0, lon: -100.0 });
        assert!((km - RADIUS_KM * PI / 2.0).abs() < 1e-6 && (az - 90.0).abs() < 1e-9);
    }
}
