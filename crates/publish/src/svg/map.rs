//! A map of a day: coasts, thin administrative outlines, the line of contact of
//! the day, zones, and incidents drawn as wide as they are uncertain. No country
//! is filled: a monitor does not draw sovereignty.

use std::fmt::Write as _;

use domain::area::Rings;
use domain::{Basis, Bounds, LatLon, Precision};

use super::{escaped, px};

/// What does not change from day to day.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Rings of land.
    pub land: Vec<Vec<LatLon>>,
    /// Rings of administrative units.
    pub outlines: Vec<Vec<LatLon>>,
    /// Zones of the agreement by name.
    pub zones: Vec<(String, Vec<Rings>)>,
    /// Cities by name, the largest first.
    pub cities: Vec<(String, LatLon)>,
    /// The area of the case.
    pub area: Option<Bounds>,
}

/// An incident on the map.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Number in the table beside the map.
    pub number: usize,
    /// Where.
    pub at: LatLon,
    /// How wide, metres.
    pub radius_m: f64,
    /// How finely placed.
    pub precision: Precision,
    /// What it rests on.
    pub basis: Basis,
    /// For a reader that hovers or listens.
    pub title: String,
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map<'a> {
    /// Title.
    pub title: String,
    /// What it shows, in a sentence.
    pub description: String,
    /// What does not change.
    pub layers: &'a Layers,
    /// The line of contact of the day.
    pub contact: &'a [Vec<LatLon>],
    /// Incidents.
    pub marks: Vec<Mark>,
}

const WIDTH: f64 = 720.0;
const HEIGHT_MAX: f64 = 620.0;
/// Cities named at most.
const CITIES_MAX: usize = 14;
/// Lines are drawn to this accuracy, pixels.
const TOLERANCE_PX: f64 = 0.35;
/// Lines are cut off this far outside the picture, pixels.
const MARGIN_PX: f64 = 8.0;

/// Plate carree with the middle parallel true to scale: good enough for a
/// picture, never used for measuring.
struct Projection {
    bounds: Bounds,
    per_lon: f64,
    per_lat: f64,
    height: f64,
}

impl Projection {
    fn new(bounds: Bounds) -> Self {
        let (metres_lat, metres_lon) = domain::ecef::metres_per_degree(bounds.centre().lat());
        let (wide, high) = (bounds.east - bounds.west, bounds.north - bounds.south);
        let per_lon = (WIDTH / wide).min(HEIGHT_MAX / high * metres_lon / metres_lat);
        let per_lat = per_lon * metres_lat / metres_lon;
        Self { bounds, per_lon, per_lat, height: (high * per_lat).min(HEIGHT_MAX) }
    }

    fn width(&self) -> f64 {
        (self.bounds.east - self.bounds.west) * self.per_lon
    }

    fn at(&self, at: LatLon) -> (f64, f64) {
        (
            (at.lon() - self.bounds.west) * self.per_lon,
            (self.bounds.north - at.lat()) * self.per_lat,
        )
    }

    fn metres(&self, metres: f64) -> f64 {
        let (metres_lat, _) = domain::ecef::metres_per_degree(self.bounds.centre().lat());
        metres / metres_lat * self.per_lat
    }

    /// A path through the positions, simplified and cut off a little outside
    /// the picture. A ring stays a ring.
    fn path(&self, line: &[LatLon], closed: bool) -> String {
        use geo::{LineString, Simplify as _};
        let points: Vec<Point> = line.iter().map(|at| self.at(*at)).collect();
        let frame = (self.width() + MARGIN_PX, self.height + MARGIN_PX);
        let parts =
            if closed { vec![clipped_ring(points, frame)] } else { clipped_line(&points, frame) };
        let mut path = String::new();
        for part in parts.into_iter().filter(|part| part.len() > 1) {
            let simple = LineString::from(part).simplify(TOLERANCE_PX);
            for (number, point) in simple.coords().enumerate() {
                let pen = if number == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{pen}{} {}", px(point.x), px(point.y));
            }
            if closed {
                path.push('Z');
            }
        }
        path
    }
}

type Point = (f64, f64);

/// Cuts a ring off at the frame, edge by edge (Sutherland and Hodgman, 1974).
fn clipped_ring(ring: Vec<Point>, (right, bottom): Point) -> Vec<Point> {
    // Each edge of the frame as "how far inside is this point?".
    let edges: [&dyn Fn(Point) -> f64; 4] =
        [&|(x, _)| x + MARGIN_PX, &|(x, _)| right - x, &|(_, y)| y + MARGIN_PX, &|(_, y)| {
            bottom - y
        }];
    edges.into_iter().fold(ring, |ring, inside| {
        let mut kept = Vec::with_capacity(ring.len());
        let mut before = ring.last().copied();
        for point in ring {
            if let Some(from) = before
                && (inside(from) < 0.0) != (inside(point) < 0.0)
            {
                let share = inside(from) / (inside(from) - inside(point));
                kept.push((
                    from.0 + share * (point.0 - from.0),
                    from.1 + share * (point.1 - from.1),
                ));
            }
            if inside(point) >= 0.0 {
                kept.push(point);
            }
            before = Some(point);
        }
        kept
    })
}

/// The parts of a line that touch the frame, each with one point outside on
/// either end.
fn clipped_line(line: &[Point], (right, bottom): Point) -> Vec<Vec<Point>> {
    let inside = |(x, y): Point| -MARGIN_PX <= x && x <= right && -MARGIN_PX <= y && y <= bottom;
    let mut parts: Vec<Vec<Point>> = vec![Vec::new()];
    for pair in line.windows(2) {
        let part = parts.last_mut().expect("there is always one");
        if inside(pair[0]) || inside(pair[1]) {
            if part.is_empty() {
                part.push(pair[0]);
            }
            part.push(pair[1]);
        } else if !part.is_empty() {
            parts.push(Vec::new());
        }
    }
    parts
}

/// The box that holds the given positions, a fifth wider on each side, at least
/// a degree high.
pub fn bounds_of(positions: impl Iterator<Item = LatLon>) -> Option<Bounds> {
    let mut found: Option<Bounds> = None;
    for at in positions {
        let bounds = found.get_or_insert(Bounds {
            south: at.lat(),
            north: at.lat(),
            west: at.lon(),
            east: at.lon(),
        });
        bounds.south = bounds.south.min(at.lat());
        bounds.north = bounds.north.max(at.lat());
        bounds.west = bounds.west.min(at.lon());
        bounds.east = bounds.east.max(at.lon());
    }
    found.map(|bounds| {
        let high = (bounds.north - bounds.south).max(0.6) * 0.12 + 0.15;
        let wide = (bounds.east - bounds.west).max(0.8) * 0.12 + 0.2;
        Bounds {
            south: (bounds.south - high).max(-89.0),
            north: (bounds.north + high).min(89.0),
            west: (bounds.west - wide).max(-180.0),
            east: (bounds.east + wide).min(180.0),
        }
    })
}

/// Class in the style sheet for what an incident rests on.
pub fn basis_class(basis: Basis) -> &'static str {
    match basis {
        Basis::SeveralKinds => "b-several",
        Basis::Mission => "b-mission",
        Basis::Press => "b-press",
        Basis::PartyClaims => "b-party",
        Basis::Research => "b-research",
        Basis::HotSpots => "b-hot",
    }
}

impl Map<'_> {
    /// What the picture shows of the globe: the placed incidents, the line and
    /// the zones.
    fn bounds(&self) -> Option<Bounds> {
        let placed =
            self.marks.iter().filter(|mark| mark.precision < Precision::Region).map(|mark| mark.at);
        let zones = self
            .layers
            .zones
            .iter()
            .flat_map(|(_, polygons)| polygons)
            .flatten()
            .flatten()
            .copied();
        let contact = self.contact.iter().flatten().copied();
        bounds_of(placed.chain(contact).chain(zones)).or(self.layers.area)
    }

    /// Numbers of incidents that lie outside the picture.
    pub fn outside(&self) -> Vec<usize> {
        let Some(bounds) = self.bounds() else { return Vec::new() };
        let outside = self.marks.iter().filter(|mark| !bounds.contains(mark.at));
        outside.map(|mark| mark.number).collect()
    }

    /// The picture, or nothing if there is nowhere to look at.
    pub fn svg(&self) -> Option<String> {
        let bounds = self.bounds()?;
        let projection = Projection::new(bounds);
        let (wide, high) = (px(projection.width()), px(projection.height));
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<svg class=\"map\" viewBox=\"0 0 {wide} {high}\" role=\"img\" aria-labelledby=\"map-t map-d\">\
             <title id=\"map-t\">{}</title><desc id=\"map-d\">{}</desc><rect class=\"sea\" width=\"{wide}\" height=\"{high}\"/>",
            escaped(&self.title),
            escaped(&self.description),
        );
        let mut draw = |class: &str, lines: &mut dyn Iterator<Item = &[LatLon]>, closed: bool| {
            let path: String = lines.map(|line| projection.path(line, closed)).collect();
            if !path.is_empty() {
                let _ = write!(svg, "<path class=\"{class}\" d=\"{path}\"/>");
            }
        };
        draw("coast", &mut self.layers.land.iter().map(Vec::as_slice), true);
        draw("outline", &mut self.layers.outlines.iter().map(Vec::as_slice), true);
        let zone_rings = self.layers.zones.iter().flat_map(|(_, polygons)| polygons).flatten();
        draw("zone", &mut zone_rings.map(Vec::as_slice), true);
        draw("contact", &mut self.contact.iter().map(Vec::as_slice), false);
        self.cities(&mut svg, &projection);
        let mut labels = Labels::default();
        for mark in self.marks.iter().filter(|mark| projection.bounds.contains(mark.at)) {
            draw_mark(&mut svg, &projection, mark, &mut labels);
        }
        scale_bar(&mut svg, &projection);
        svg.push_str("</svg>");
        Some(svg)
    }

    fn cities(&self, svg: &mut String, projection: &Projection) {
        let mut placed: Vec<(f64, f64)> = Vec::new();
        for (name, at) in
            self.layers.cities.iter().filter(|(_, at)| projection.bounds.contains(*at))
        {
            let (x, y) = projection.at(*at);
            // Names that would run into each other are left out, smaller first.
            let crowded =
                placed.iter().any(|(px, py)| (x - px).abs() < 90.0 && (y - py).abs() < 16.0);
            let cut_off = x > projection.width() - 60.0 || y < 16.0;
            if crowded || cut_off || placed.len() >= CITIES_MAX {
                continue;
            }
            placed.push((x, y));
            let _ = write!(
                svg,
                "<circle class=\"city\" cx=\"{}\" cy=\"{}\" r=\"2\"/><text class=\"city-name\" x=\"{}\" y=\"{}\">{}</text>",
                px(x),
                px(y),
                px(x + 4.0),
                px(y - 4.0),
                escaped(name)
            );
        }
    }
}

/// The middles of the numbers that were written so far.
#[derive(Default)]
struct Labels(Vec<Point>);

impl Labels {
    /// A place beside a mark for its number, as free as possible.
    fn place(&mut self, (x, y): Point) -> Point {
        const AROUND: [Point; 6] =
            [(10.0, 7.0), (10.0, -7.0), (-10.0, -7.0), (-10.0, 7.0), (18.0, 0.0), (-18.0, 0.0)];
        let crowd = |(x, y): Point| {
            let near = |(ox, oy): &&Point| (x - ox).abs() < 14.0 && (y - oy).abs() < 10.0;
            self.0.iter().filter(near).count()
        };
        let places = AROUND.map(|(dx, dy)| (x + dx, y + dy));
        // The first of those that are least crowded.
        let best = places.into_iter().min_by_key(|place| crowd(*place)).unwrap_or((x, y));
        self.0.push(best);
        best
    }
}

fn draw_mark(svg: &mut String, projection: &Projection, mark: &Mark, labels: &mut Labels) {
    let (x, y) = projection.at(mark.at);
    let class = basis_class(mark.basis);
    let _ = write!(svg, "<g class=\"mark {class}\"><title>{}</title>", escaped(&mark.title));
    if mark.precision >= Precision::Region {
        // Somewhere in a region: a diamond at its middle, which is no place.
        let _ = write!(
            svg,
            "<path class=\"somewhere\" d=\"M{} {}l7 7l-7 7l-7-7z\"/>",
            px(x),
            px(y - 7.0)
        );
    } else {
        let reach = projection.metres(mark.radius_m);
        if reach > 5.0 {
            let _ = write!(
                svg,
                "<circle class=\"reach\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
                px(x),
                px(y),
                px(reach)
            );
        }
        let _ = write!(svg, "<circle class=\"dot\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", px(x), px(y));
    }
    let (x, y) = labels.place((x, y));
    let _ = write!(
        svg,
        "<text class=\"number\" x=\"{}\" y=\"{}\">{}</text></g>",
        px(x),
        px(y + 3.5),
        mark.number
    );
}

fn scale_bar(svg: &mut String, projection: &Projection) {
    let lengths_km = [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
    let length = lengths_km
        .into_iter()
        .filter(|km| projection.metres(km * 1000.0) <= projection.width() / 4.0)
        .fold(lengths_km[0], f64::max);
    let (y, width) = (projection.height - 14.0, projection.metres(length * 1000.0));
    let _ = write!(
        svg,
        "<path class=\"scale\" d=\"M12 {0}v5h{1}v-5\"/><text class=\"scale-name\" x=\"{2}\" y=\"{3}\">{length} km</text>",
        px(y),
        px(width),
        px(12.0 + width / 2.0),
        px(y - 2.0)
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn mark(precision: Precision) -> Mark {
        Mark {
            number: 1,
            at: at(48.0, 37.0),
            radius_m: 5_000.0,
            precision,
            basis: Basis::Press,
            title: "<x>".into(),
        }
    }

    fn svg(marks: Vec<Mark>) -> Option<String> {
        let layers =
            Layers { cities: vec![("Donetsk".into(), at(48.02, 37.8))], ..Layers::default() };
        let contact = vec![vec![at(47.5, 36.0), at(48.5, 38.0)]];
        Map {
            title: "T".into(),
            description: "D".into(),
            layers: &layers,
            contact: &contact,
            marks,
        }
        .svg()
    }

    #[test]
    fn a_region_is_not_drawn_as_a_place() {
        let exact = svg(vec![mark(Precision::Settlement)]).unwrap();
        assert!(exact.contains("class=\"dot\"") && exact.contains("&lt;x&gt;"));
        let region = svg(vec![mark(Precision::Region)]).unwrap();
        assert!(!region.contains("class=\"dot\"") && region.contains("class=\"somewhere\""));
    }

    #[test]
    fn the_line_and_the_cities_are_there() {
        let map = svg(vec![]).unwrap();
        assert!(
            map.contains("class=\"contact\"")
                && map.contains("Donetsk")
                && map.contains(" km</text>")
        );
    }

    proptest! {
        #[test]
        fn a_clipped_ring_stays_in_the_frame(ring in prop::collection::vec((-500.0f64..500.0, -500.0f64..500.0), 3..20)) {
            for (x, y) in clipped_ring(ring, (108.0, 58.0)) {
                prop_assert!((-8.001..=108.001).contains(&x) && (-8.001..=58.001).contains(&y), "{x} {y}");
            }
        }

        #[test]
        fn a_line_within_the_frame_is_kept_whole(line in prop::collection::vec((0.0f64..100.0, 0.0f64..50.0), 2..20)) {
            prop_assert_eq!(clipped_line(&line, (108.0, 58.0)), vec![line]);
        }
    }

    #[test]
    fn nothing_to_look_at_is_no_map() {
        let layers = Layers::default();
        assert!(
            Map {
                title: String::new(),
                description: String::new(),
                layers: &layers,
                contact: &[],
                marks: vec![]
            }
            .svg()
            .is_none()
        );
    }
}
