//! Earth-centred, Earth-fixed coordinates (WGS 84), metres.
//!
//! Distances in them need no projection and no special case at the
//! antimeridian; after the one conversion only `+ - * /` and square roots are
//! used, which every machine rounds alike.

use crate::place::LatLon;

/// A position in space: x through (0 N, 0 E), y through (0 N, 90 E), z north.
pub type Ecef = [f64; 3];

/// Semi-major axis of WGS 84, metres (NGA.STND.0036, table 3.1).
const SEMI_MAJOR_M: f64 = 6_378_137.0;
/// First eccentricity squared of WGS 84, from the flattening 1/298.257223563.
const ECCENTRICITY_SQUARED: f64 = 6.694_379_990_141_317e-3;
const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;

/// The point on the ellipsoid, height zero.
pub fn from_position(at: LatLon) -> Ecef {
    let (sin_lat, cos_lat) = libm::sincos(at.lat() * RADIANS_PER_DEGREE);
    let (sin_lon, cos_lon) = libm::sincos(at.lon() * RADIANS_PER_DEGREE);
    let prime_vertical_m = SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat).sqrt();
    [
        prime_vertical_m * cos_lat * cos_lon,
        prime_vertical_m * cos_lat * sin_lon,
        prime_vertical_m * (1.0 - ECCENTRICITY_SQUARED) * sin_lat,
    ]
}

/// Straight-line distance.
pub fn chord_m(a: Ecef, b: Ecef) -> f64 {
    squared_m2(a, b).sqrt()
}

/// Its square.
pub fn squared_m2(a: Ecef, b: Ecef) -> f64 {
    let d = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
    d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
}

/// Metres in one degree of latitude and of longitude at a latitude: the
/// meridional and prime-vertical radii of curvature (Torge, *Geodesy*, 4.1).
pub fn metres_per_degree(lat: f64) -> (f64, f64) {
    let (sin_lat, cos_lat) = libm::sincos(lat * RADIANS_PER_DEGREE);
    let w2 = 1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat;
    let prime_vertical_m = SEMI_MAJOR_M / w2.sqrt();
    let meridional_m = prime_vertical_m * (1.0 - ECCENTRICITY_SQUARED) / w2;
    (meridional_m * RADIANS_PER_DEGREE, prime_vertical_m * cos_lat * RADIANS_PER_DEGREE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes() {
        let equator = from_position(LatLon::new(0.0, 0.0).unwrap());
        assert!((equator[0] - SEMI_MAJOR_M).abs() < 1e-6);
        let pole = from_position(LatLon::new(90.0, 0.0).unwrap());
        assert!((pole[2] - 6_356_752.314_245).abs() < 1e-3, "{}", pole[2]);
    }

    #[test]
    fn a_degree_has_its_published_length() {
        // NGA tables: at 45 N 111,131.745 m and 78,846.8 m.
        let (lat_m, lon_m) = metres_per_degree(45.0);
        assert!((lat_m - 111_131.745).abs() < 0.5, "{lat_m}");
        assert!((lon_m - 78_846.8).abs() < 0.5, "{lon_m}");
    }
}
