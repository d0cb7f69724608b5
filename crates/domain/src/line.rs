//! Distance to a long line, such as a line of contact of 5,000 vertices.
//!
//! The line is cut into chords of at most 1 km in earth-centred coordinates (a
//! 1 km chord lies 2 cm below the ellipsoid). A line is already in spatial
//! order, so an implicit binary tree of boxes over the chords in line order
//! finds the nearest one quickly and without a general spatial index.

use crate::ecef::{self, Ecef};
use crate::place::LatLon;

/// Longest chord, metres.
const CHORD_M_MAX: f64 = 1_000.0;
/// Chords in a leaf of the tree.
const LEAF: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Bounds {
    low: Ecef,
    high: Ecef,
}

impl Bounds {
    const EMPTY: Self = Self { low: [f64::INFINITY; 3], high: [f64::NEG_INFINITY; 3] };

    fn grow(&mut self, point: Ecef) {
        for (axis, at) in point.into_iter().enumerate() {
            self.low[axis] = self.low[axis].min(at);
            self.high[axis] = self.high[axis].max(at);
        }
    }

    fn merged(a: &Self, b: &Self) -> Self {
        let mut both = *a;
        both.grow(b.low);
        both.grow(b.high);
        both
    }

    fn squared_distance_m2(&self, from: Ecef) -> f64 {
        let mut sum = 0.0;
        for (axis, at) in from.into_iter().enumerate() {
            let below = self.low[axis] - at;
            let above = at - self.high[axis];
            let gap = below.max(above).max(0.0);
            sum += gap * gap;
        }
        sum
    }
}

/// One or more polylines, ready for distance queries.
#[derive(Clone, Debug)]
pub struct LineIndex {
    chords: Vec<[Ecef; 2]>,
    /// Level 0 has a box per leaf, each further level a box per pair below.
    levels: Vec<Vec<Bounds>>,
}

impl LineIndex {
    /// Indexes the lines; lines with fewer than two vertices add nothing.
    pub fn new<'a>(lines: impl IntoIterator<Item = &'a [LatLon]>) -> Self {
        let mut chords = Vec::new();
        for line in lines {
            for pair in line.windows(2) {
                push_chords(pair[0], pair[1], &mut chords);
            }
        }
        let leaves: Vec<Bounds> = chords
            .chunks(LEAF)
            .map(|chunk| {
                let mut bounds = Bounds::EMPTY;
                for chord in chunk {
                    bounds.grow(chord[0]);
                    bounds.grow(chord[1]);
                }
                bounds
            })
            .collect();
        let mut levels = vec![leaves];
        while levels.last().is_some_and(|level| level.len() > 1) {
            let below = levels.last().expect("just checked");
            let above = below
                .chunks(2)
                .map(|pair| if let [a, b] = pair { Bounds::merged(a, b) } else { pair[0] })
                .collect();
            levels.push(above);
        }
        Self { chords, levels }
    }

    /// True if there is no line to be near to.
    pub fn is_empty(&self) -> bool {
        self.chords.is_empty()
    }

    /// Distance from a position to the nearest point of the line, metres;
    /// infinite if there is no line. Good to 0.12 m within 50 km.
    pub fn distance_m(&self, at: LatLon) -> f64 {
        if self.is_empty() {
            return f64::INFINITY;
        }
        let from = ecef::from_position(at);
        let mut best = f64::INFINITY;
        self.descend(self.levels.len() - 1, 0, from, &mut best);
        best.sqrt()
    }

    /// As [`Self::distance_m`], where the distance is known to be less than
    /// `less_m`: the same number, found sooner.
    pub fn distance_within_m(&self, at: LatLon, less_m: f64) -> f64 {
        if self.is_empty() {
            return f64::INFINITY;
        }
        let mut best = less_m * less_m;
        self.descend(self.levels.len() - 1, 0, ecef::from_position(at), &mut best);
        best.sqrt()
    }

    /// Distance to the line, metres, and whether the position lies to the left
    /// of it, seen along the order of its vertices; `None` if there is no line.
    /// Beyond a vertex the chord that is seen more from the side decides.
    pub fn side(&self, at: LatLon) -> Option<(f64, bool)> {
        let from = ecef::from_position(at);
        let nearest = self.distance_m(at);
        if self.is_empty() {
            return None;
        }
        // Both chords at a vertex are equally near; a millimetre covers rounding.
        let reach = (nearest + 1e-3) * (nearest + 1e-3);
        let mut best: Option<(f64, f64)> = None;
        self.near(self.levels.len() - 1, 0, from, reach, &mut |chord| {
            let sine = sine_left(from, chord);
            if best.is_none_or(|(sharpest, _)| sine.abs() > sharpest) {
                best = Some((sine.abs(), sine));
            }
        });
        best.map(|(_, sine)| (nearest, sine > 0.0))
    }

    /// Calls something for every chord within a squared distance.
    fn near(
        &self,
        level: usize,
        node: usize,
        from: Ecef,
        reach_m2: f64,
        see: &mut impl FnMut(&[Ecef; 2]),
    ) {
        if self.levels[level][node].squared_distance_m2(from) > reach_m2 {
            return;
        }
        if level == 0 {
            let start = node * LEAF;
            let end = (start + LEAF).min(self.chords.len());
            self.chords[start..end]
                .iter()
                .filter(|chord| squared_to_chord_m2(from, chord) <= reach_m2)
                .for_each(see);
            return;
        }
        for child in [node * 2, node * 2 + 1] {
            if child < self.levels[level - 1].len() {
                self.near(level - 1, child, from, reach_m2, see);
            }
        }
    }

    fn descend(&self, level: usize, node: usize, from: Ecef, best: &mut f64) {
        if level == 0 {
            let start = node * LEAF;
            let end = (start + LEAF).min(self.chords.len());
            for chord in &self.chords[start..end] {
                *best = best.min(squared_to_chord_m2(from, chord));
            }
            return;
        }
        let below = &self.levels[level - 1];
        let first = node * 2;
        let second = first + 1;
        let near_first = below[first].squared_distance_m2(from);
        if second >= below.len() {
            if near_first < *best {
                self.descend(level - 1, first, from, best);
            }
            return;
        }
        let near_second = below[second].squared_distance_m2(from);
        let order = if near_first <= near_second {
            [(near_first, first), (near_second, second)]
        } else {
            [(near_second, second), (near_first, first)]
        };
        for (near, child) in order {
            if near < *best {
                self.descend(level - 1, child, from, best);
            }
        }
    }
}

/// A `GeoJSON` edge is straight in degrees, so it is cut in degrees too.
fn push_chords(a: LatLon, b: LatLon, chords: &mut Vec<[Ecef; 2]>) {
    let pieces = libm::ceil(a.distance_m(b) / CHORD_M_MAX).max(1.0) as u32;
    let mut last = ecef::from_position(a);
    for piece in 1..=pieces {
        let share = f64::from(piece) / f64::from(pieces);
        let lat = a.lat() + (b.lat() - a.lat()) * share;
        let lon = a.lon() + (b.lon() - a.lon()) * share;
        let next = if piece == pieces {
            ecef::from_position(b)
        } else {
            ecef::from_position(LatLon::new(lat, lon).expect("between two positions"))
        };
        chords.push([last, next]);
        last = next;
    }
}

/// Sine of the angle by which a position is seen to the left of a chord, from
/// its nearer end; positive to the left, looking down on the ground.
fn sine_left(from: Ecef, [a, b]: &[Ecef; 2]) -> f64 {
    let minus = |x: &Ecef, y: &Ecef| [x[0] - y[0], x[1] - y[1], x[2] - y[2]];
    let dot = |x: &Ecef, y: &Ecef| x[0] * y[0] + x[1] * y[1] + x[2] * y[2];
    let along = minus(b, a);
    let end = if ecef::squared_m2(from, *a) <= ecef::squared_m2(from, *b) { a } else { b };
    let to = minus(&from, end);
    // Up x along points to the left.
    let left = [
        from[1] * along[2] - from[2] * along[1],
        from[2] * along[0] - from[0] * along[2],
        from[0] * along[1] - from[1] * along[0],
    ];
    let lengths = (dot(&left, &left) * dot(&to, &to)).sqrt();
    if lengths > 0.0 { dot(&left, &to) / lengths } else { 0.0 }
}

fn squared_to_chord_m2(from: Ecef, [a, b]: &[Ecef; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    let to = [from[0] - a[0], from[1] - a[1], from[2] - a[2]];
    let length_squared = along[0] * along[0] + along[1] * along[1] + along[2] * along[2];
    let share = if length_squared > 0.0 {
        ((to[0] * along[0] + to[1] * along[1] + to[2] * along[2]) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    ecef::squared_m2(
        from,
        [a[0] + share * along[0], a[1] + share * along[1], a[2] + share * along[2]],
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exhaustive_m(index: &LineIndex, at: LatLon) -> f64 {
        let from = ecef::from_position(at);
        index
            .chords
            .iter()
            .map(|chord| squared_to_chord_m2(from, chord))
            .fold(f64::INFINITY, f64::min)
            .sqrt()
    }

    proptest! {
        #[test]
        fn the_tree_agrees_with_looking_at_every_chord(
            steps in proptest::collection::vec((-0.1f64..0.1, -0.1f64..0.1), 1..200),
            lat in 46.0f64..51.0, lon in 32.0f64..40.0,
        ) {
            let mut at = (48.0, 36.0);
            let mut line = vec![LatLon::new(at.0, at.1).unwrap()];
            for (north, east) in steps {
                at = (at.0 + north, at.1 + east);
                line.push(LatLon::new(at.0, at.1).unwrap());
            }
            let index = LineIndex::new([line.as_slice()]);
            let from = LatLon::new(lat, lon).unwrap();
            prop_assert_eq!(index.distance_m(from), exhaustive_m(&index, from));
        }
    }

    #[test]
    fn left_is_left_along_the_line_and_at_its_corners() {
        // Northwards, then a sharp turn to the south-east.
        let line = [(48.0, 37.0), (49.0, 37.0), (48.0, 37.3)]
            .map(|(lat, lon)| LatLon::new(lat, lon).unwrap());
        let index = LineIndex::new([line.as_slice()]);
        let left = |lat: f64, lon: f64| index.side(LatLon::new(lat, lon).unwrap()).unwrap().1;
        assert!(left(48.5, 36.9) && !left(48.5, 37.05));
        assert!(left(48.5, 37.4) && !left(48.3, 37.1));
        // Around the tip everything is to the left.
        assert!(left(49.1, 37.0) && left(49.05, 37.05) && left(49.02, 36.95));
    }

    #[test]
    fn no_line_is_infinitely_far() {
        let index = LineIndex::new([]);
        assert!(index.is_empty());
        assert_eq!(index.distance_m(LatLon::new(0.0, 0.0).unwrap()), f64::INFINITY);
    }

    #[test]
    fn across_the_antimeridian() {
        let line = [LatLon::new(0.0, 179.99).unwrap(), LatLon::new(1.0, 179.99).unwrap()];
        let index = LineIndex::new([line.as_slice()]);
        let distance = index.distance_m(LatLon::new(0.5, -179.99).unwrap());
        assert!((distance - 2_226.0).abs() < 5.0, "{distance}");
    }
}
