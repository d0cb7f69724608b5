//! An area with a boundary of stated accuracy: a zone of an agreement, an
//! administrative unit, the ground that a party holds.
//!
//! Being inside is a probability, never a yes: `P = mean over the place of
//! Phi(signed distance / accuracy)`.

use geo::indexed::IntervalTreeMultiPolygon;
use geo::{Contains as _, Coord, LineString, MultiPolygon, Polygon};

use crate::line::LineIndex;
use crate::place::{LatLon, Located, step};
use crate::probability::Probability;

/// Polygons with an index for "inside?" and one for "how far from the edge?".
pub struct Area {
    shape: MultiPolygon<f64>,
    inside: IntervalTreeMultiPolygon<f64>,
    edge: LineIndex,
    accuracy_m: f64,
}

/// A polygon as rings of positions: the outer ring first, then the holes.
pub type Rings = Vec<Vec<LatLon>>;

impl std::fmt::Debug for Area {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Area({} polygons, +-{} m)", self.shape.0.len(), self.accuracy_m)
    }
}

impl Area {
    /// Builds the indexes. `accuracy_m`: one standard deviation of the boundary.
    pub fn new(polygons: &[Rings], accuracy_m: f64) -> Self {
        let shape = MultiPolygon::new(
            polygons.iter().filter(|rings| !rings.is_empty()).map(polygon).collect(),
        );
        let inside = IntervalTreeMultiPolygon::new(&shape);
        let edge = LineIndex::new(polygons.iter().flatten().map(Vec::as_slice));
        Self { shape, inside, edge, accuracy_m }
    }

    /// One standard deviation of the boundary's position, metres.
    pub const fn accuracy_m(&self) -> f64 {
        self.accuracy_m
    }

    /// The rings of every polygon, the outer one first, for drawing.
    pub fn rings(&self) -> Vec<Rings> {
        let ring = |line: &LineString<f64>| {
            line.0.iter().filter_map(|at| LatLon::new(at.y, at.x).ok()).collect()
        };
        let rings = |polygon: &Polygon<f64>| {
            std::iter::once(polygon.exterior()).chain(polygon.interiors()).map(ring).collect()
        };
        self.shape.0.iter().map(rings).collect()
    }

    /// Whether the boundary, taken as exact, encloses the position.
    pub fn contains(&self, at: LatLon) -> bool {
        self.inside.contains(&Coord { x: at.lon(), y: at.lat() })
    }

    /// Distance to the boundary, metres, positive inside.
    pub fn depth_m(&self, at: LatLon) -> f64 {
        let distance = self.edge.distance_m(at);
        if self.contains(at) { distance } else { -distance }
    }

    /// P(the place lies inside). `region_samples` gives points of equal weight
    /// for an administrative unit by its code. `None` if nothing is known.
    pub fn probability(
        &self,
        place: &Located,
        region_samples: impl Fn(&str) -> Vec<LatLon>,
    ) -> Option<Probability> {
        self.probability_of(place, region_samples, 0.0)
    }

    /// As [`Self::probability`]; what is surely below `least` may be given as 0.
    pub fn probability_of(
        &self,
        place: &Located,
        region_samples: impl Fn(&str) -> Vec<LatLon>,
        least: f64,
    ) -> Option<Probability> {
        let blur_m = place.blur_m();
        let sigma_m = (self.accuracy_m * self.accuracy_m + blur_m * blur_m).sqrt();
        place.mean_over_margin(
            region_samples,
            least,
            |at| self.depth_m(at),
            |depth_m| step(depth_m, sigma_m),
        )
    }

    /// Its size, square metres: the shoelace formula on the sinusoidal
    /// projection (equal-area on the sphere; 0.4 % off on the ellipsoid).
    pub fn square_metres(&self) -> f64 {
        let ring_m2 = |ring: &LineString<f64>| {
            let middle = ring.0.iter().map(|at| at.y).sum::<f64>() / ring.0.len().max(1) as f64;
            let (per_lat, _) = crate::ecef::metres_per_degree(middle);
            let project = |at: &Coord<f64>| {
                let (_, per_lon) = crate::ecef::metres_per_degree(at.y);
                (at.x * per_lon, at.y * per_lat)
            };
            let twice: f64 = ring
                .0
                .windows(2)
                .map(|pair| {
                    let ((x1, y1), (x2, y2)) = (project(&pair[0]), project(&pair[1]));
                    x1 * y2 - x2 * y1
                })
                .sum();
            (twice / 2.0).abs()
        };
        let polygon_m2 = |polygon: &Polygon<f64>| {
            ring_m2(polygon.exterior()) - polygon.interiors().iter().map(ring_m2).sum::<f64>()
        };
        self.shape.0.iter().map(polygon_m2).sum()
    }

    /// About `count` points of equal weight spread evenly over the inside:
    /// the nodes of a lattice, row by row; at least one (the first vertex) if
    /// the area is too thin for any node.
    pub fn lattice(&self, count: u32) -> Vec<LatLon> {
        use geo::{Area as _, BoundingRect as _};
        let Some(bounds) = self.shape.bounding_rect() else { return Vec::new() };
        let filled = self.shape.unsigned_area();
        if filled <= 0.0 {
            return Vec::new();
        }
        let step = (filled / f64::from(count.max(1))).sqrt();
        let steps = |extent: f64| libm::ceil(extent / step) as u32;
        let mut nodes = Vec::new();
        for row in 0..steps(bounds.height()) {
            for column in 0..steps(bounds.width()) {
                let lat = bounds.min().y + (f64::from(row) + 0.5) * step;
                let lon = bounds.min().x + (f64::from(column) + 0.5) * step;
                if let Ok(node) = LatLon::new(lat, lon)
                    && self.contains(node)
                {
                    nodes.push(node);
                }
            }
        }
        if nodes.is_empty()
            && let Some(vertex) = self.shape.0.first().and_then(|p| p.exterior().0.first())
            && let Ok(at) = LatLon::new(vertex.y, vertex.x)
        {
            nodes.push(at);
        }
        nodes
    }
}

fn polygon(rings: &Rings) -> Polygon<f64> {
    let line = |ring: &Vec<LatLon>| {
        LineString::new(ring.iter().map(|at| Coord { x: at.lon(), y: at.lat() }).collect())
    };
    Polygon::new(line(&rings[0]), rings[1..].iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::Covariance;

    fn square(accuracy_m: f64) -> Area {
        let corners = [(48.0, 37.0), (48.0, 38.0), (49.0, 38.0), (49.0, 37.0), (48.0, 37.0)];
        let ring = corners.iter().map(|(lat, lon)| LatLon::new(*lat, *lon).unwrap()).collect();
        Area::new(&[vec![ring]], accuracy_m)
    }

    fn no_regions(_: &str) -> Vec<LatLon> {
        Vec::new()
    }

    /// VERIFICATION D14, T: an event 300 m beyond a line known to +-250 m
    /// yields a probability, not a yes.
    #[test]
    fn d14_beyond_an_uncertain_line_is_a_probability() {
        let area = square(250.0);
        let at = LatLon::new(48.5, 37.0).unwrap().offset(-300.0, 0.0);
        let place = Located::Normal { at, covariance: Covariance::circular(0.0) };
        let p = area.probability(&place, no_regions).unwrap().get();
        // Phi(-300 / 250) = 0.1151
        assert!((p - 0.1151).abs() < 0.002, "{p}");
    }

    #[test]
    fn event_and_boundary_errors_add_in_quadrature() {
        let area = square(300.0);
        let at = LatLon::new(48.5, 37.0).unwrap().offset(500.0, 0.0);
        let place = Located::Normal { at, covariance: Covariance::circular(400.0) };
        let p = area.probability(&place, no_regions).unwrap().get();
        // Phi(500 / sqrt(300^2 + 400^2)) = Phi(1) = 0.8413
        assert!((p - 0.8413).abs() < 0.01, "{p}");
    }

    #[test]
    fn an_unknown_place_has_no_probability() {
        assert!(square(10.0).probability(&Located::Unknown, no_regions).is_none());
    }

    #[test]
    fn a_region_is_integrated_over_its_own_polygon() {
        let area = square(0.0);
        let half_in = [(48.5, 37.5), (48.5, 39.5)].map(|(lat, lon)| LatLon::new(lat, lon).unwrap());
        let place = Located::Region {
            units: vec!["X".into()],
            centre: half_in[0],
            reach_m: 1e5,
            drawn_as_point: false,
        };
        assert_eq!(area.probability(&place, |_| half_in.to_vec()).unwrap().get(), 0.5);
    }

    #[test]
    fn a_degree_square_has_its_size() {
        // 1 x 1 degree at 48 to 49 N: 111.2 km by 73.8 km.
        let km2 = square(0.0).square_metres() / 1e6;
        assert!((km2 / 8_212.0 - 1.0).abs() < 0.005, "{km2}");
    }

    #[test]
    fn the_lattice_fills_the_inside() {
        let area = square(0.0);
        let nodes = area.lattice(100);
        assert!((90..=121).contains(&nodes.len()), "{}", nodes.len());
        assert!(nodes.iter().all(|node| area.contains(*node)));
    }

    proptest! {
        #[test]
        fn deeper_inside_is_never_less_likely(depth in -5_000.0f64..5_000.0, more in 0.0f64..5_000.0, accuracy in 0.0f64..2_000.0) {
            let area = square(accuracy);
            let edge = LatLon::new(48.5, 37.0).unwrap();
            let p = |east: f64| step(area.depth_m(edge.offset(east, 0.0)), area.accuracy_m());
            prop_assert!(p(depth + more) >= p(depth) - 1e-9);
        }
    }
}
