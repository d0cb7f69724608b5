//! An integer grid over the Earth, for counting and for neighbour search.
//!
//! Only a multiplication and a floor: exact and equal on every machine. Cells
//! are 0.1 degree squares (about 11 km north-south, 7 km east-west at 50 N),
//! the resolution of the climatology and of the land-use tables.

use crate::place::LatLon;

/// Cells per degree.
const PER_DEGREE: f64 = 10.0;

/// One 0.1 degree square, named by its south-west corner in tenths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    /// Tenths of a degree north.
    pub row: i16,
    /// Tenths of a degree east.
    pub column: i16,
}

impl Cell {
    /// The cell that holds a point.
    pub fn of(at: LatLon) -> Self {
        Self {
            row: libm::floor(at.lat() * PER_DEGREE) as i16,
            column: libm::floor(at.lon() * PER_DEGREE) as i16,
        }
    }

    /// The cell nearest to a grid node that was published with rounding noise,
    /// such as 22.1 written as 22.099999.
    pub fn of_node(at: LatLon) -> Self {
        Self {
            row: libm::round(at.lat() * PER_DEGREE) as i16,
            column: libm::round(at.lon() * PER_DEGREE) as i16,
        }
    }

    /// This cell and its eight neighbours, in row order. Wraps at the
    /// antimeridian; rows past a pole simply hold nothing.
    pub fn neighbourhood(self) -> impl Iterator<Item = Self> {
        (-1..=1).flat_map(move |north| {
            (-1..=1).map(move |east| {
                let column = (i32::from(self.column) + east + 1800).rem_euclid(3600) - 1800;
                Self { row: self.row + north, column: column as i16 }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_point_lies_in_its_cell(lat in -89.9f64..89.9, lon in -179.9f64..179.9) {
            let cell = Cell::of(LatLon::new(lat, lon).unwrap());
            prop_assert!(f64::from(cell.row) <= lat * 10.0 && lat * 10.0 < f64::from(cell.row) + 1.0);
            prop_assert!(f64::from(cell.column) <= lon * 10.0 && lon * 10.0 < f64::from(cell.column) + 1.0);
            prop_assert_eq!(cell.neighbourhood().count(), 9);
            prop_assert!(cell.neighbourhood().any(|near| near == cell));
        }
    }

    #[test]
    fn the_antimeridian_has_neighbours_on_both_sides() {
        let cell = Cell::of(LatLon::new(0.05, 179.95).unwrap());
        assert!(cell.neighbourhood().any(|near| near.column == -1800));
    }
}
