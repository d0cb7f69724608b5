//! Where something happened, and how well that is known.
//!
//! Two stages. [`Where`] is what a source claims and is stored as it came.
//! [`Located`] is what the fold makes of it, once names and administrative
//! units have been looked up: a spread of probability over the ground.

use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize};

use crate::ecef;
use crate::probability::{Probability, normal_cdf};

/// A position on the WGS 84 ellipsoid, degrees, latitude first.
///
/// Always in range and never NaN. Longitude is kept in [-180, 180].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize)]
pub struct LatLon {
    lat: f64,
    lon: f64,
}

/// Why two numbers are not a position.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum NotAPosition {
    /// A coordinate is NaN or infinite.
    #[error("latitude {lat}, longitude {lon}: not numbers")]
    NotFinite {
        /// As given.
        lat: f64,
        /// As given.
        lon: f64,
    },
    /// Outside the globe.
    #[error("latitude {lat}, longitude {lon}: latitude must be within -90..90 and longitude within -180..180{}", swap_hint(*.lat, *.lon))]
    OutOfRange {
        /// As given.
        lat: f64,
        /// As given.
        lon: f64,
    },
}

fn swap_hint(lat: f64, lon: f64) -> &'static str {
    if (-180.0..=180.0).contains(&lat) && (-90.0..=90.0).contains(&lon) {
        " (are the two swapped?)"
    } else {
        ""
    }
}

impl LatLon {
    /// Checks the range.
    pub fn new(lat: f64, lon: f64) -> Result<Self, NotAPosition> {
        if !lat.is_finite() || !lon.is_finite() {
            return Err(NotAPosition::NotFinite { lat, lon });
        }
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return Err(NotAPosition::OutOfRange { lat, lon });
        }
        // No negative zero: it would print and hash differently.
        Ok(Self { lat: lat + 0.0, lon: lon + 0.0 })
    }

    /// Degrees north.
    pub const fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    pub const fn lon(self) -> f64 {
        self.lon
    }

    /// Length of the chord between two positions, metres. Within 50 km it is
    /// short of the distance over ground by less than 0.13 m.
    pub fn distance_m(self, other: Self) -> f64 {
        ecef::chord_m(ecef::from_position(self), ecef::from_position(other))
    }

    /// Direction of the first step of the shortest way to `other`, degrees
    /// clockwise from north, in [0, 360). On the sphere; good to 0.2 degrees.
    pub fn bearing_deg(self, other: Self) -> f64 {
        let radians = std::f64::consts::PI / 180.0;
        let (lat1, lat2) = (self.lat * radians, other.lat * radians);
        let east = (other.lon - self.lon) * radians;
        let y = libm::sin(east) * libm::cos(lat2);
        let x =
            libm::cos(lat1) * libm::sin(lat2) - libm::sin(lat1) * libm::cos(lat2) * libm::cos(east);
        let degrees = libm::atan2(y, x) / radians;
        if degrees < 0.0 { degrees + 360.0 } else { degrees }
    }

    /// The position some metres east and north of here; for offsets that are
    /// small against the Earth (below 200 km the error is under 0.5 %).
    #[must_use]
    pub fn offset(self, east_m: f64, north_m: f64) -> Self {
        let (metres_per_lat, metres_per_lon) = ecef::metres_per_degree(self.lat);
        let lat = (self.lat + north_m / metres_per_lat).clamp(-90.0, 90.0);
        let lon = self.lon + east_m / metres_per_lon.max(1.0);
        Self { lat, lon: wrapped(lon) }
    }
}

/// Longitude brought back into [-180, 180].
fn wrapped(lon: f64) -> f64 {
    if (-180.0..=180.0).contains(&lon) {
        lon
    } else {
        lon - 360.0 * libm::floor((lon + 180.0) / 360.0)
    }
}

impl<'de> Deserialize<'de> for LatLon {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Plain {
            lat: f64,
            lon: f64,
        }
        let plain = Plain::deserialize(deserializer)?;
        Self::new(plain.lat, plain.lon).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for LatLon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.5}, {:.5}", self.lat, self.lon)
    }
}

/// A box in degrees. The western edge lies west of the eastern one; a box
/// across the antimeridian is written as two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Southern edge.
    pub south: f64,
    /// Western edge.
    pub west: f64,
    /// Northern edge.
    pub north: f64,
    /// Eastern edge.
    pub east: f64,
}

impl Bounds {
    /// True if it encloses anything at all and lies on the globe.
    pub fn is_valid(&self) -> bool {
        LatLon::new(self.south, self.west).is_ok()
            && LatLon::new(self.north, self.east).is_ok()
            && self.south < self.north
            && self.west < self.east
    }

    /// Whether a position lies in it, edges included.
    pub fn contains(&self, at: LatLon) -> bool {
        self.contains_numbers(at.lat, at.lon)
    }

    /// As [`Self::contains`], for numbers that need not be a position.
    pub fn contains_numbers(&self, lat: f64, lon: f64) -> bool {
        (self.south..=self.north).contains(&lat) && (self.west..=self.east).contains(&lon)
    }

    /// Its middle.
    pub fn centre(&self) -> LatLon {
        LatLon {
            lat: f64::midpoint(self.south, self.north),
            lon: f64::midpoint(self.west, self.east),
        }
    }
}

/// Covariance of a horizontal position, square metres, east and north.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covariance {
    /// Variance east-west.
    pub ee: f64,
    /// Covariance.
    pub en: f64,
    /// Variance north-south.
    pub nn: f64,
}

impl Covariance {
    /// The same error in every direction.
    pub fn circular(sigma_m: f64) -> Self {
        Self { ee: sigma_m * sigma_m, en: 0.0, nn: sigma_m * sigma_m }
    }

    /// True if it is a covariance at all: finite, no negative variance.
    pub fn is_valid(&self) -> bool {
        let finite = self.ee.is_finite() && self.en.is_finite() && self.nn.is_finite();
        finite && self.ee >= 0.0 && self.nn >= 0.0 && self.ee * self.nn - self.en * self.en >= 0.0
    }

    /// Standard deviation along the longest axis, metres.
    pub fn largest_sigma_m(&self) -> f64 {
        let mean = f64::midpoint(self.ee, self.nn);
        let half_difference = (self.ee - self.nn) / 2.0;
        (mean + (half_difference * half_difference + self.en * self.en).sqrt()).sqrt()
    }
}

/// The place as the source gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Where {
    /// A measured or computed point with its error.
    Point {
        /// Best estimate.
        at: LatLon,
        /// Its covariance.
        covariance: Covariance,
    },
    /// A satellite pixel: the hot spot lies somewhere in it.
    Footprint {
        /// Centre of the pixel.
        at: LatLon,
        /// Width across the track, km.
        scan_km: f64,
        /// Height along the track, km.
        track_km: f64,
        /// Geolocation error, one standard deviation, metres.
        sigma_m: f64,
    },
    /// A point that a publisher put on the map for a named place. Whether it
    /// really stands for that place, or for the whole region around it, is
    /// decided in the fold against the gazetteer and the words of the report.
    Named {
        /// Name as published.
        name: String,
        /// The published point, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<LatLon>,
        /// Radius within which the publisher says it is right, metres; 0 if
        /// nothing is said.
        #[serde(default, skip_serializing_if = "is_zero")]
        radius_m: f64,
    },
    /// Administrative units, by name or code; several if the source lists several.
    Admin {
        /// Names or codes as published.
        units: Vec<String>,
    },
    /// A line on the ground, such as a trench or a route.
    Line {
        /// Its vertices.
        vertices: Vec<LatLon>,
    },
    /// An area.
    Polygon {
        /// Outer ring, then holes; each closed.
        rings: Vec<Vec<LatLon>>,
    },
    /// The source gives no place.
    Unknown,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Where {
    /// A point to check against the area of a case, if the source gave one.
    pub fn representative(&self) -> Option<LatLon> {
        match self {
            Self::Point { at, .. } | Self::Footprint { at, .. } => Some(*at),
            Self::Named { at, .. } => *at,
            Self::Line { vertices } => vertices.first().copied(),
            Self::Polygon { rings } => rings.first().and_then(|ring| ring.first()).copied(),
            Self::Admin { .. } | Self::Unknown => None,
        }
    }
}

/// How finely a place is known: the classes in which counts are reported, so
/// that a town and a region are never added up unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Within 2 km: a measured point, a pixel at nadir, a village.
    Exact,
    /// Within 20 km: a town, a large city.
    Settlement,
    /// Somewhere in an administrative unit.
    Region,
    /// No usable place.
    Unknown,
}

/// A place ready for calculation: a spread of probability over the ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Located {
    /// Normal distribution about a point.
    Normal {
        /// Centre.
        at: LatLon,
        /// Spread.
        covariance: Covariance,
    },
    /// Equally likely anywhere in a rectangle that points north, then blurred.
    Pixel {
        /// Centre.
        at: LatLon,
        /// Half width east-west, metres.
        half_east_m: f64,
        /// Half height north-south, metres.
        half_north_m: f64,
        /// Blur, one standard deviation, metres.
        sigma_m: f64,
    },
    /// Equally likely anywhere in a disc: a settlement with its real radius.
    Disc {
        /// Centre.
        at: LatLon,
        /// Radius, metres.
        radius_m: f64,
    },
    /// Somewhere in one of these administrative units (reference codes).
    Region {
        /// Codes, sorted.
        units: Vec<String>,
        /// Middle of the first unit, for drawing only.
        centre: LatLon,
        /// Distance from the middle to the farthest corner, metres.
        reach_m: f64,
        /// True if the source drew it as a point all the same.
        drawn_as_point: bool,
    },
    /// No usable place.
    Unknown,
}

impl Located {
    /// Middle of the spread, for drawing and for distances.
    pub fn centre(&self) -> Option<LatLon> {
        match self {
            Self::Normal { at, .. } | Self::Pixel { at, .. } | Self::Disc { at, .. } => Some(*at),
            Self::Region { centre, .. } => Some(*centre),
            Self::Unknown => None,
        }
    }

    /// Radius that holds about 95 % of the probability, metres.
    pub fn radius_m(&self) -> f64 {
        match self {
            Self::Normal { covariance, .. } => 2.4477 * covariance.largest_sigma_m(),
            Self::Pixel { half_east_m, half_north_m, sigma_m, .. } => {
                half_east_m.max(*half_north_m) + 1.96 * sigma_m
            }
            Self::Disc { radius_m, .. } => *radius_m,
            Self::Region { reach_m, .. } => *reach_m,
            Self::Unknown => f64::INFINITY,
        }
    }

    /// The class in which it is counted.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Unknown => Precision::Unknown,
            Self::Region { .. } => Precision::Region,
            other if other.radius_m() <= 2_000.0 => Precision::Exact,
            other if other.radius_m() <= 20_000.0 => Precision::Settlement,
            _ => Precision::Region,
        }
    }

    /// Points of equal weight that stand for the spread, always the same ones.
    /// A region has none of its own: its polygon is needed.
    pub fn samples(&self) -> Vec<LatLon> {
        match self {
            Self::Normal { at, covariance } => normal_samples(*at, covariance),
            Self::Disc { at, radius_m } => {
                DISC.iter().map(|(x, y)| at.offset(x * radius_m, y * radius_m)).collect()
            }
            Self::Pixel { at, half_east_m, half_north_m, .. } => {
                grid_samples(*at, *half_east_m, *half_north_m)
            }
            Self::Region { .. } | Self::Unknown => Vec::new(),
        }
    }

    /// Mean of a function over the place; none if nothing is known of it.
    /// `region_samples` gives points of equal weight for an administrative unit.
    pub fn mean_over(
        &self,
        region_samples: impl Fn(&str) -> Vec<LatLon>,
        function: impl Fn(LatLon) -> f64,
    ) -> Option<Probability> {
        let samples = match self {
            Self::Region { units, .. } => {
                units.iter().flat_map(|unit| region_samples(unit)).collect()
            }
            other => other.samples(),
        };
        if samples.is_empty() {
            return None;
        }
        let sum: f64 = samples.iter().map(|sample| function(*sample)).sum();
        Some(Probability::new(sum / samples.len() as f64))
    }

    /// How far [`Self::samples`] lie from the centre at most, metres; none
    /// where they have no centre, or lie so far that a flat bound does not hold.
    pub fn reach_m(&self) -> Option<f64> {
        let flat_m = match self {
            // The outermost of 61 points stands at sqrt(2 ln 122) = 3.1 sigma.
            Self::Normal { covariance, .. } => 3.2 * covariance.largest_sigma_m(),
            Self::Disc { radius_m, .. } => *radius_m,
            Self::Pixel { half_east_m, half_north_m, .. } => {
                libm::hypot(*half_east_m, *half_north_m)
            }
            Self::Region { .. } | Self::Unknown => return None,
        };
        // Degrees are turned into metres at the centre: 1 % within 100 km.
        (flat_m <= 100_000.0).then_some(flat_m * 1.01 + 1.0)
    }

    /// Mean over the place of what a margin is worth. The margin must change by
    /// at most a metre per metre, as a distance does, and its worth, in [0, 1],
    /// must not fall as it grows: where the centre alone decides, bit for bit,
    /// no other point is looked at. What is surely below `least` may be given
    /// as 0.
    pub fn mean_over_margin(
        &self,
        region_samples: impl Fn(&str) -> Vec<LatLon>,
        least: f64,
        margin_m: impl Fn(LatLon) -> f64,
        worth: impl Fn(f64) -> f64,
    ) -> Option<Probability> {
        if let (Some(centre), Some(reach_m)) = (self.centre(), self.reach_m()) {
            let at_centre = margin_m(centre);
            let most = worth(at_centre + reach_m);
            if most == 0.0 || most < least {
                return Some(Probability::ZERO);
            }
            if worth(at_centre - reach_m) == 1.0 {
                return Some(Probability::ONE);
            }
        }
        self.mean_over(region_samples, |at| worth(margin_m(at)))
    }

    /// The part of the error that [`Self::samples`] does not carry, to be added
    /// to the accuracy of a boundary, metres.
    pub fn blur_m(&self) -> f64 {
        if let Self::Pixel { sigma_m, .. } = self { *sigma_m } else { 0.0 }
    }
}

/// Number of sample points of a disc or a normal distribution.
const SAMPLES: u32 = 61;

/// P(a margin known to `sigma_m` is positive).
pub fn step(margin_m: f64, sigma_m: f64) -> f64 {
    if sigma_m > 0.0 {
        normal_cdf(margin_m / sigma_m)
    } else if margin_m >= 0.0 {
        1.0
    } else {
        0.0
    }
}

/// Vogel's spiral: `n` points that fill the unit disc evenly, with the share
/// of the disc's area inside each.
fn sunflower(n: u32) -> impl Iterator<Item = (f64, f64, f64)> {
    const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;
    (0..n).map(move |k| {
        let share = (f64::from(k) + 0.5) / f64::from(n);
        let radius = share.sqrt();
        let angle = f64::from(k) * GOLDEN_ANGLE;
        (radius * libm::cos(angle), radius * libm::sin(angle), share)
    })
}

/// The points of a unit disc.
static DISC: LazyLock<Vec<(f64, f64)>> =
    LazyLock::new(|| sunflower(SAMPLES).map(|(x, y, _)| (x, y)).collect());

/// The spiral stretched so that each point stands for the same probability of
/// a two-dimensional normal distribution (radius = sqrt(-2 ln(1 - share))).
static NORMAL: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| {
    sunflower(SAMPLES)
        .map(|(x, y, share)| {
            let stretch = (-2.0 * libm::log(1.0 - share)).sqrt() / share.sqrt();
            (x * stretch, y * stretch)
        })
        .collect()
});

fn normal_samples(at: LatLon, covariance: &Covariance) -> Vec<LatLon> {
    // Cholesky factor of the covariance.
    let a = covariance.ee.max(0.0).sqrt();
    let b = if a > 0.0 { covariance.en / a } else { 0.0 };
    let c = (covariance.nn - b * b).max(0.0).sqrt();
    NORMAL.iter().map(|(u, v)| at.offset(a * u, b * u + c * v)).collect()
}

fn grid_samples(at: LatLon, half_east_m: f64, half_north_m: f64) -> Vec<LatLon> {
    const STEPS: u32 = 8;
    let position = |step: u32| (2.0 * f64::from(step) + 1.0) / f64::from(STEPS) - 1.0;
    (0..STEPS)
        .flat_map(|row| (0..STEPS).map(move |column| (position(column), position(row))))
        .map(|(east, north)| at.offset(east * half_east_m, north * half_north_m))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn swapped_axes_are_suspected_in_words() {
        let error = LatLon::new(137.0, 48.0).unwrap_err().to_string();
        assert!(error.contains("swapped"), "{error}");
        assert!(LatLon::new(f64::NAN, 0.0).unwrap_err().to_string().contains("not numbers"));
        assert!(!LatLon::new(-500.0, 48.0).unwrap_err().to_string().contains("swapped"));
    }

    proptest! {
        /// The shortcut by the centre gives the very bits of the mean.
        #[test]
        fn the_centre_decides_only_what_every_point_would(away_m in -60_000.0f64..60_000.0, sigma_m in prop_oneof![Just(0.0), 1.0f64..3_000.0], spread_m in 0.0f64..4_000.0, squeeze in 0.1f64..1.0, shape in 0u8..3) {
            let centre = LatLon::new(48.0, 37.0).unwrap();
            let place = match shape {
                0 => Located::Normal { at: centre, covariance: Covariance { ee: spread_m * spread_m, en: 0.0, nn: spread_m * spread_m * squeeze } },
                1 => Located::Disc { at: centre, radius_m: spread_m },
                _ => Located::Pixel { at: centre, half_east_m: spread_m, half_north_m: spread_m * squeeze, sigma_m: 0.0 },
            };
            let target = centre.offset(away_m, away_m / 3.0);
            let margin_m = |at: LatLon| 20_000.0 - at.distance_m(target);
            let none = |_: &str| Vec::new();
            let plain = place.mean_over(none, |at| step(margin_m(at), sigma_m)).unwrap();
            let short = place.mean_over_margin(none, 0.0, margin_m, |m| step(m, sigma_m)).unwrap();
            prop_assert_eq!(short.get().to_bits(), plain.get().to_bits());
            let rough = place.mean_over_margin(none, 0.005, margin_m, |m| step(m, sigma_m)).unwrap();
            prop_assert!(rough == plain || (rough.get() == 0.0 && plain.get() < 0.005));
            let reach_m = place.reach_m().unwrap();
            for at in place.samples() {
                prop_assert!(at.distance_m(centre) <= reach_m);
            }
        }
    }

    #[test]
    fn distance_and_bearing_of_known_cities() {
        // Kyiv to Kharkiv: 410 km, a little north of... east-south-east.
        let kyiv = LatLon::new(50.45, 30.52).unwrap();
        let kharkiv = LatLon::new(49.99, 36.23).unwrap();
        assert!((kyiv.distance_m(kharkiv) / 1000.0 - 410.0).abs() < 2.0);
        let bearing = kyiv.bearing_deg(kharkiv);
        assert!((94.0..97.5).contains(&bearing), "{bearing}");
    }

    proptest! {
        #[test]
        fn an_offset_has_its_length_and_direction(lat in -70.0f64..70.0, lon in -180.0f64..180.0, east in -20_000.0f64..20_000.0, north in -20_000.0f64..20_000.0) {
            let from = LatLon::new(lat, lon).unwrap();
            let length = (east * east + north * north).sqrt();
            prop_assume!(length > 10.0);
            let to = from.offset(east, north);
            prop_assert!((from.distance_m(to) - length).abs() < 0.01 * length);
        }

        #[test]
        fn samples_of_a_normal_have_its_covariance(sigma_e in 10.0f64..5_000.0, sigma_n in 10.0f64..5_000.0, correlation in -0.9f64..0.9) {
            let covariance = Covariance { ee: sigma_e * sigma_e, en: correlation * sigma_e * sigma_n, nn: sigma_n * sigma_n };
            prop_assert!(covariance.is_valid());
            let at = LatLon::new(48.0, 37.0).unwrap();
            let spread = Located::Normal { at, covariance };
            let samples = spread.samples();
            let (per_lat, per_lon) = ecef::metres_per_degree(48.0);
            let n = samples.len() as f64;
            let variance_east: f64 = samples.iter().map(|p| { let d = (p.lon() - 37.0) * per_lon; d * d }).sum::<f64>() / n;
            let variance_north: f64 = samples.iter().map(|p| { let d = (p.lat() - 48.0) * per_lat; d * d }).sum::<f64>() / n;
            prop_assert!((variance_east / covariance.ee - 1.0).abs() < 0.12, "{}", variance_east / covariance.ee);
            prop_assert!((variance_north / covariance.nn - 1.0).abs() < 0.15, "{}", variance_north / covariance.nn);
        }

        #[test]
        fn samples_of_a_disc_stay_inside(radius in 1.0f64..30_000.0) {
            let at = LatLon::new(48.0, 37.0).unwrap();
            for sample in (Located::Disc { at, radius_m: radius }).samples() {
                prop_assert!(at.distance_m(sample) <= radius * 1.005);
            }
        }
    }
}
