//! The plane that data sets give beside degrees, and positions in space.
//!
//! A transverse Mercator projection with scale 1 on its middle meridian:
//! Krüger's series to the fourth order in the third flattening (Karney 2011,
//! *Transverse Mercator with an accuracy of a few nanometers*, eqs 7-36),
//! millimetres exact for fronts of 1,500 km.

use domain::LatLon;
use domain::ecef::{self, Ecef};

const SEMI_MAJOR_KM: f64 = 6378.137;
const FLATTENING: f64 = 1.0 / 298.257223563;
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
const DEGREE: f64 = std::f64::consts::PI / 180.0;

/// A place on the plane, kilometres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spot {
    /// East of the middle meridian.
    pub(crate) x_km: f64,
    /// North of the origin's parallel.
    pub(crate) y_km: f64,
}

impl Spot {
    /// Distance on the plane.
    pub(crate) fn km_to(self, other: Self) -> f64 {
        libm::hypot(self.x_km - other.x_km, self.y_km - other.y_km)
    }
}

/// The projection.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    lon0: f64,
    radius_km: f64,
    forward: [f64; 4],
    inverse: [f64; 4],
    y0_km: f64,
}

impl Plane {
    /// The plane whose origin is here.
    pub(crate) fn new(origin: LatLon) -> Self {
        let n = FLATTENING / (2.0 - FLATTENING);
        let (n2, n3, n4) = (n * n, n * n * n, n * n * n * n);
        let mut plane = Self {
            lon0: origin.lon() * DEGREE,
            radius_km: SEMI_MAJOR_KM / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0),
            forward: [
                n / 2.0 - 2.0 * n2 / 3.0 + 5.0 * n3 / 16.0 + 41.0 * n4 / 180.0,
                13.0 * n2 / 48.0 - 3.0 * n3 / 5.0 + 557.0 * n4 / 1440.0,
                61.0 * n3 / 240.0 - 103.0 * n4 / 140.0,
                49561.0 * n4 / 161280.0,
            ],
            inverse: [
                n / 2.0 - 2.0 * n2 / 3.0 + 37.0 * n3 / 96.0 - n4 / 360.0,
                n2 / 48.0 + n3 / 15.0 - 437.0 * n4 / 1440.0,
                17.0 * n3 / 480.0 - 37.0 * n4 / 840.0,
                4397.0 * n4 / 161280.0,
            ],
            y0_km: 0.0,
        };
        plane.y0_km = plane.spot(origin).y_km;
        plane
    }

    /// Degrees to the plane.
    pub(crate) fn spot(&self, at: LatLon) -> Spot {
        let e = ECCENTRICITY_SQUARED.sqrt();
        let sin_lat = libm::sin(at.lat() * DEGREE);
        let t = libm::sinh(libm::atanh(sin_lat) - e * libm::atanh(e * sin_lat));
        let (sin_lon, cos_lon) = libm::sincos(at.lon() * DEGREE - self.lon0);
        let xi = libm::atan2(t, cos_lon);
        let eta = libm::atanh(sin_lon / (1.0 + t * t).sqrt());
        let (mut x, mut y) = (eta, xi);
        for (index, a) in self.forward.iter().enumerate() {
            let k = 2.0 * (index + 1) as f64;
            x += a * libm::cos(k * xi) * libm::sinh(k * eta);
            y += a * libm::sin(k * xi) * libm::cosh(k * eta);
        }
        Spot { x_km: self.radius_km * x, y_km: self.radius_km * y - self.y0_km }
    }

    /// The plane to degrees.
    pub(crate) fn position(&self, spot: Spot) -> LatLon {
        let xi = (spot.y_km + self.y0_km) / self.radius_km;
        let eta = spot.x_km / self.radius_km;
        let (mut xp, mut ep) = (xi, eta);
        for (index, b) in self.inverse.iter().enumerate() {
            let k = 2.0 * (index + 1) as f64;
            xp -= b * libm::sin(k * xi) * libm::cosh(k * eta);
            ep -= b * libm::cos(k * xi) * libm::sinh(k * eta);
        }
        let (sin_xp, cos_xp) = libm::sincos(xp);
        let sinh_ep = libm::sinh(ep);
        let tau = sin_xp / (sinh_ep * sinh_ep + cos_xp * cos_xp).sqrt();
        let e = ECCENTRICITY_SQUARED.sqrt();
        let mut t = tau;
        // Newton's method, three rounds reach the last bit; five for certain.
        for _ in 0..5 {
            let s = libm::sinh(e * libm::atanh(e * t / (1.0 + t * t).sqrt()));
            let tp = t * (1.0 + s * s).sqrt() - s * (1.0 + t * t).sqrt();
            let slope = (1.0 + (1.0 - ECCENTRICITY_SQUARED) * t * t)
                / ((1.0 - ECCENTRICITY_SQUARED) * (1.0 + t * t).sqrt());
            t += (tau - tp) / (1.0 + tp * tp).sqrt() * slope;
        }
        let lat = libm::atan(t) / DEGREE;
        let lon = (self.lon0 + libm::atan2(sinh_ep, cos_xp)) / DEGREE;
        LatLon::new(lat, lon).expect("a plane of a few hundred kilometres stays on the globe")
    }
}

/// The unit vector that points up.
pub(crate) fn up(at: LatLon) -> [f64; 3] {
    let (sin_lat, cos_lat) = libm::sincos(at.lat() * DEGREE);
    let (sin_lon, cos_lon) = libm::sincos(at.lon() * DEGREE);
    [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat]
}

/// Unit vectors to the east and to the north.
pub(crate) fn east_north(at: LatLon) -> ([f64; 3], [f64; 3]) {
    let (sin_lat, cos_lat) = libm::sincos(at.lat() * DEGREE);
    let (sin_lon, cos_lon) = libm::sincos(at.lon() * DEGREE);
    ([-sin_lon, cos_lon, 0.0], [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat])
}

/// A point this high above the ellipsoid.
pub(crate) fn at_height(at: LatLon, height_m: f64) -> Ecef {
    let foot = ecef::from_position(at);
    let up = up(at);
    [foot[0] + height_m * up[0], foot[1] + height_m * up[1], foot[2] + height_m * up[2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_same_place() {
        let plane = Plane::new(LatLon::new(49.0, 37.0).unwrap());
        for (x_km, y_km) in [(0.0, 0.0), (100.0, -580.0), (-90.0, 600.0), (12.3, 45.6)] {
            let spot = Spot { x_km, y_km };
            let back = plane.spot(plane.position(spot));
            assert!(spot.km_to(back) < 1e-6, "{spot:?} {back:?}");
        }
    }

    #[test]
    fn lengths_near_the_middle_meridian_are_true() {
        let origin = LatLon::new(49.0, 37.0).unwrap();
        let plane = Plane::new(origin);
        let other = plane.position(Spot { x_km: 3.0, y_km: 4.0 });
        let chord = ecef::chord_m(ecef::from_position(origin), ecef::from_position(other));
        assert!((chord - 5000.0).abs() < 0.01, "{chord}");
    }
}
