//! Who holds which ground: dated maps, and the line of contact in them.

use jiff::Timestamp;

use crate::area::{Area, Rings};
use crate::line::LineIndex;
use crate::place::{LatLon, Located, step};
use crate::probability::Probability;

/// How far to both sides of a boundary there must be land of the theatre for
/// the boundary to be a line of contact and not a coast or a state border.
const INLAND_M: f64 = 4_000.0;

/// How far beside a boundary it is tested which side is inside: maps are drawn
/// in several polygons, and a seam between two of them is no line of contact.
const SEAM_M: f64 = 200.0;

/// Pieces longer than this are cut before they are tested for being inland.
const PIECE_M_MAX: f64 = 2_000.0;

/// Parts whose ends are closer than this make one chain.
const CHAIN_GAP_M: f64 = 2_500.0;

/// A chain of parts shorter than this is taken for an artefact of the drawing.
const CHAIN_M_MIN: f64 = 12_000.0;

/// One map: the area that one side held at a moment.
#[derive(Debug)]
pub struct ControlState {
    /// The moment whose state it shows.
    pub state_at: Timestamp,
    /// How much older than the map a change on it may be, days.
    pub late_days: f64,
    /// What reports call the inside.
    pub inside: String,
    /// What reports call the outside.
    pub outside: String,
    area: Area,
    contact: Vec<Vec<LatLon>>,
    contact_index: LineIndex,
}

/// The side of a line, in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Inside the area.
    Inside,
    /// Outside.
    Outside,
    /// Closer to the boundary than the map can tell (two standard deviations).
    NearLine,
}

impl ControlState {
    /// Indexes a map. `on_land`: whether a position belongs to the theatre; the
    /// boundary counts as a line of contact only where it has land of the
    /// theatre on both sides.
    pub fn new(
        state_at: Timestamp,
        late_days: f64,
        (inside, outside): (String, String),
        polygons: &[Rings],
        accuracy_m: f64,
        on_land: impl Fn(LatLon) -> bool,
    ) -> Self {
        let area = Area::new(polygons, accuracy_m);
        let mut parts = Vec::new();
        for ring in polygons.iter().flatten() {
            contact_parts(ring, &area, &on_land, &mut parts);
        }
        let contact = real_contact(parts);
        let contact_index = LineIndex::new(contact.iter().map(Vec::as_slice));
        Self { state_at, late_days, inside, outside, area, contact, contact_index }
    }

    /// The area.
    pub const fn area(&self) -> &Area {
        &self.area
    }

    /// The line of contact as polylines, for drawing.
    pub fn contact(&self) -> &[Vec<LatLon>] {
        &self.contact
    }

    /// Distance to the line of contact, metres; infinite if the map has none.
    pub fn contact_distance_m(&self, at: LatLon) -> f64 {
        self.contact_index.distance_m(at)
    }

    /// On which side a position lies, as far as the map can tell.
    pub fn side(&self, at: LatLon) -> Side {
        let depth_m = self.area.depth_m(at);
        if depth_m.abs() < 2.0 * self.area.accuracy_m() {
            Side::NearLine
        } else if depth_m > 0.0 {
            Side::Inside
        } else {
            Side::Outside
        }
    }

    /// P(the place lies within some distance of the line of contact).
    /// `accuracy_m` is the error of the line, one standard deviation.
    pub fn probability_near(
        &self,
        place: &Located,
        within_m: f64,
        accuracy_m: f64,
        region_samples: impl Fn(&str) -> Vec<LatLon>,
    ) -> Option<Probability> {
        if self.contact_index.is_empty() {
            return None;
        }
        let sigma_m = (accuracy_m * accuracy_m + place.blur_m() * place.blur_m()).sqrt();
        place.mean_over_margin(
            region_samples,
            0.0,
            |at| within_m - self.contact_distance_m(at),
            |margin_m| step(margin_m, sigma_m),
        )
    }
}

/// A part of a boundary that may be a line of contact.
struct Part {
    line: Vec<LatLon>,
    length_m: f64,
    /// How much of it has the area on one side only even at [`INLAND_M`]: the
    /// far shore of a bay or a lagoon is held by the same side.
    two_sided_m: f64,
}

/// Cuts out the parts of a ring that have land on both sides and the area on
/// one of them.
fn contact_parts(
    ring: &[LatLon],
    area: &Area,
    on_land: &impl Fn(LatLon) -> bool,
    parts: &mut Vec<Part>,
) {
    let mut current: Option<Part> = None;
    for pair in ring.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let length_m = a.distance_m(b);
        let pieces = libm::ceil(length_m / PIECE_M_MAX).max(1.0) as u32;
        for piece in 0..pieces {
            let at = |step: u32| between(a, b, f64::from(step) / f64::from(pieces));
            let (start, end) = (at(piece), at(piece + 1));
            let divides = |[left, right]: [LatLon; 2]| area.contains(left) != area.contains(right);
            let far = sides(start, end, INLAND_M);
            let is_contact = sides(start, end, SEAM_M).is_some_and(divides)
                && far.is_some_and(|[left, right]| on_land(left) && on_land(right));
            if !is_contact {
                parts.extend(current.take());
                continue;
            }
            let part = current.get_or_insert_with(|| Part {
                line: vec![start],
                length_m: 0.0,
                two_sided_m: 0.0,
            });
            let piece_m = length_m / f64::from(pieces);
            part.line.push(end);
            part.length_m += piece_m;
            part.two_sided_m += if far.is_some_and(divides) { piece_m } else { 0.0 };
        }
    }
    parts.extend(current);
}

/// Leaves out what only looks like a line of contact because outlines of land,
/// of units and of the area were drawn at different scales: chains of parts
/// that are short, or that mostly have the area on both sides.
fn real_contact(parts: Vec<Part>) -> Vec<Vec<LatLon>> {
    let mut chain: Vec<usize> = (0..parts.len()).collect();
    let ends = |part: &Part| [part.line[0], part.line[part.line.len() - 1]];
    for (index, part) in parts.iter().enumerate() {
        for (other, before) in parts[..index].iter().enumerate() {
            let near = ends(part)
                .iter()
                .any(|a| ends(before).iter().any(|b| a.distance_m(*b) <= CHAIN_GAP_M));
            if near && chain[index] != chain[other] {
                let (old, new) = (chain[index], chain[other]);
                chain[..=index].iter_mut().filter(|of| **of == old).for_each(|of| *of = new);
            }
        }
    }
    let sum = |of: usize, measure: fn(&Part) -> f64| -> f64 {
        parts.iter().zip(&chain).filter(|(_, c)| **c == of).map(|(part, _)| measure(part)).sum()
    };
    let keeps: Vec<bool> = chain
        .iter()
        .map(|of| {
            let length_m = sum(*of, |part| part.length_m);
            length_m >= CHAIN_M_MIN && sum(*of, |part| part.two_sided_m) >= length_m / 2.0
        })
        .collect();
    parts.into_iter().zip(keeps).filter(|(_, keep)| *keep).map(|(part, _)| part.line).collect()
}

fn between(a: LatLon, b: LatLon, share: f64) -> LatLon {
    let lat = a.lat() + (b.lat() - a.lat()) * share;
    let lon = a.lon() + (b.lon() - a.lon()) * share;
    LatLon::new(lat, lon).expect("between two positions")
}

/// The two points so far to the left and right of the middle of a piece.
fn sides(a: LatLon, b: LatLon, beside_m: f64) -> Option<[LatLon; 2]> {
    let middle = between(a, b, 0.5);
    let (per_lat, per_lon) = crate::ecef::metres_per_degree(middle.lat());
    let (east, north) = ((b.lon() - a.lon()) * per_lon, (b.lat() - a.lat()) * per_lat);
    let length = (east * east + north * north).sqrt();
    if length == 0.0 {
        return None;
    }
    let (east, north) = (-north / length * beside_m, east / length * beside_m);
    Some([middle.offset(east, north), middle.offset(-east, -north)])
}

/// Maps of one publisher, oldest first.
#[derive(Debug, Default)]
pub struct ControlHistory {
    states: Vec<ControlState>,
}

impl ControlHistory {
    /// Sorts the maps by the moment they show.
    pub fn new(mut states: Vec<ControlState>) -> Self {
        states.sort_by_key(|state| state.state_at);
        Self { states }
    }

    /// All maps, oldest first.
    pub fn states(&self) -> &[ControlState] {
        &self.states
    }

    /// The newest map that is not younger than a moment; the oldest of all if
    /// every one is.
    pub fn at(&self, moment: Timestamp) -> Option<&ControlState> {
        let after = self.states.partition_point(|state| state.state_at <= moment);
        self.states.get(after.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Covariance;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    /// Land is everything north of 46 N; the area is a box that reaches the sea.
    fn state(state_at: &str) -> ControlState {
        let ring =
            vec![at(45.9, 36.0), at(45.9, 38.0), at(48.0, 38.0), at(48.0, 36.0), at(45.9, 36.0)];
        ControlState::new(
            state_at.parse().unwrap(),
            3.0,
            ("held".into(), "free".into()),
            &[vec![ring]],
            500.0,
            |p| p.lat() > 46.0,
        )
    }

    #[test]
    fn a_coast_is_not_a_line_of_contact() {
        let state = state("2025-04-19T00:00:00Z");
        // On the northern edge the line is near; at the southern, the sea is.
        assert!(state.contact_distance_m(at(48.0, 37.0)) < 1.0);
        assert!(state.contact_distance_m(at(45.9, 37.0)) > 10_000.0);
    }

    #[test]
    fn a_seam_between_two_polygons_is_not_a_line_of_contact() {
        let square = |west: f64| {
            let east = west + 1.0;
            vec![vec![
                at(48.0, west),
                at(48.0, east),
                at(49.0, east),
                at(49.0, west),
                at(48.0, west),
            ]]
        };
        let names = (String::new(), String::new());
        let state = ControlState::new(
            Timestamp::UNIX_EPOCH,
            0.0,
            names,
            &[square(36.0), square(37.0)],
            500.0,
            |_| true,
        );
        assert!(state.contact_distance_m(at(48.5, 37.0)) > 50_000.0);
        assert!(state.contact_distance_m(at(48.5, 36.0)) < 1.0);
    }

    #[test]
    fn near_the_line_the_map_cannot_tell() {
        let state = state("2025-04-19T00:00:00Z");
        assert_eq!(state.side(at(47.0, 37.0)), Side::Inside);
        assert_eq!(state.side(at(49.0, 37.0)), Side::Outside);
        assert_eq!(state.side(at(48.005, 37.0)), Side::NearLine);
    }

    #[test]
    fn being_near_the_line_is_a_probability() {
        let state = state("2025-04-19T00:00:00Z");
        let place = Located::Normal {
            at: at(48.0, 37.0).offset(0.0, 15_000.0),
            covariance: Covariance::circular(1_000.0),
        };
        let p = state.probability_near(&place, 15_000.0, 500.0, |_| vec![]).unwrap().get();
        assert!((p - 0.5).abs() < 0.02, "{p}");
    }

    #[test]
    fn the_map_of_the_evening_before_counts() {
        let history =
            ControlHistory::new(vec![state("2025-04-20T00:00:00Z"), state("2025-04-19T00:00:00Z")]);
        let seen = |moment: &str| history.at(moment.parse().unwrap()).unwrap().state_at.to_string();
        assert_eq!(seen("2025-04-19T15:00:00Z"), "2025-04-19T00:00:00Z");
        assert_eq!(seen("2025-04-20T00:00:00Z"), "2025-04-20T00:00:00Z");
        assert_eq!(seen("2025-01-01T00:00:00Z"), "2025-04-19T00:00:00Z");
        assert!(ControlHistory::default().at(Timestamp::UNIX_EPOCH).is_none());
    }
}
