//! What peacetime explains: fires of the same place and season in years
//! without fighting, industry that burns all year, and land that is burnt off.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Cell, LatLon};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Days before and after a date that count as the same season.
const SEASON_DAYS: i32 = 15;

/// Fine cells per degree, for industry: about 1.1 km.
const FINE_PER_DEGREE: f64 = 100.0;

/// In how many different months of the peacetime years a spot must have burnt
/// to count as industry.
const INDUSTRY_MONTHS: u32 = 6;

/// A hot spot is explained if a peacetime day of the season had a fire in the
/// cell with at least this probability.
const USUAL: f64 = 0.05;

/// The same for cells that are mostly cropland, by day: stubble is burnt on the
/// farmer's day, not on the calendar's, so less regularity is asked for.
const USUAL_ON_CROPLAND: f64 = 0.02;

/// Share of cropland from which a cell counts as such.
const CROPLAND: f64 = 0.5;

type FineCell = (i32, i32);

fn fine_cell(at: LatLon) -> FineCell {
    (libm::floor(at.lat() * FINE_PER_DEGREE) as i32, libm::floor(at.lon() * FINE_PER_DEGREE) as i32)
}

/// Fires of the peacetime years.
#[derive(Debug, Default)]
pub struct Climatology {
    /// Days with a fire, by cell, as days since 1970, sorted and single.
    fire_days: BTreeMap<Cell, Vec<i32>>,
    /// Months with a fire, by fine cell, as months since year 0.
    months: BTreeMap<FineCell, BTreeSet<i32>>,
    years: BTreeSet<i16>,
}

/// What the peacetime years say about a spot on a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// Fire days in the cell and its neighbours, same season, all years.
    pub fire_days: u32,
    /// Cell-days that were looked at.
    pub cell_days: u32,
    /// P(a day of the season has a fire in a cell): (k + 1/2) / (n + 1), the
    /// posterior mean under Jeffreys' prior.
    pub probability: f64,
    /// Different months in which the very spot burnt.
    pub months: u32,
    /// Share of cropland in the cell, if known.
    pub cropland: Option<f64>,
    /// Whether that explains a hot spot.
    pub explains: bool,
}

/// Land use by cell: shares by class name.
pub type LandUse = BTreeMap<Cell, BTreeMap<String, f64>>;

fn day_number(date: Date) -> i32 {
    let epoch = Date::constant(1970, 1, 1);
    date.since(epoch).map_or(0, |span| span.get_days())
}

impl Climatology {
    /// Takes up one peacetime fire.
    pub fn add(&mut self, at: LatLon, date: Date) {
        self.years.insert(date.year());
        let days = self.fire_days.entry(Cell::of(at)).or_default();
        let day = day_number(date);
        if let Err(place) = days.binary_search(&day) {
            days.insert(place, day);
        }
        let month = i32::from(date.year()) * 12 + i32::from(date.month());
        self.months.entry(fine_cell(at)).or_default().insert(month);
    }

    /// True if there are no peacetime fires to compare with.
    pub fn is_empty(&self) -> bool {
        self.years.is_empty()
    }

    /// The years it covers.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.years.iter().copied()
    }

    /// What was usual at a spot on such a day; `None` if the peacetime years do
    /// not cover the place: no fire in any season there or in a cell next to it.
    pub fn usual(&self, at: LatLon, date: Date, by_day: bool, land_use: &LandUse) -> Option<Usual> {
        let cell = Cell::of(at);
        if !cell.neighbourhood().any(|near| self.fire_days.contains_key(&near)) {
            return None;
        }
        let mut fire_days = 0;
        for near in cell.neighbourhood() {
            let Some(days) = self.fire_days.get(&near) else { continue };
            for year in &self.years {
                // 29 February is compared with the 28th of other years.
                let same = Date::new(*year, date.month(), date.day())
                    .or_else(|_| Date::new(*year, date.month(), date.day() - 1));
                let Ok(same) = same else { continue };
                let middle = day_number(same);
                let from = days.partition_point(|day| *day < middle - SEASON_DAYS);
                let to = days.partition_point(|day| *day <= middle + SEASON_DAYS);
                fire_days += (to - from) as u32;
            }
        }
        let cell_days = 9 * (2 * SEASON_DAYS as u32 + 1) * self.years.len() as u32;
        let probability = (f64::from(fire_days) + 0.5) / (f64::from(cell_days) + 1.0);
        let months = self.months_at(at);
        let cropland = land_use.get(&cell).and_then(|shares| shares.get("cropland")).copied();
        let stubble = by_day && cropland.is_some_and(|share| share >= CROPLAND);
        let limit = if stubble { USUAL_ON_CROPLAND } else { USUAL };
        let explains = probability >= limit || months >= INDUSTRY_MONTHS;
        Some(Usual { fire_days, cell_days, probability, months, cropland, explains })
    }

    fn months_at(&self, at: LatLon) -> u32 {
        let (row, column) = fine_cell(at);
        let mut months: BTreeSet<i32> = BTreeSet::new();
        for north in -1..=1 {
            for east in -1..=1 {
                months.extend(self.months.get(&(row + north, column + east)).into_iter().flatten());
            }
        }
        months.len() as u32
    }
}

impl std::fmt::Display for Usual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.months >= INDUSTRY_MONTHS {
            return write!(
                f,
                "this spot burnt in {} different months of the peacetime years, as industry does",
                self.months
            );
        }
        write!(
            f,
            "fire on {} of {} cell-days of the season in the peacetime years (P = {:.3} a day{})",
            self.fire_days,
            self.cell_days,
            self.probability,
            self.cropland
                .map_or(String::new(), |share| format!(", cropland {:.0} %", share * 100.0))
        )
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn years(fires: impl Fn(i16) -> Vec<(LatLon, Date)>) -> Climatology {
        let mut climatology = Climatology::default();
        for year in 2019..=2021 {
            for (at, date) in fires(year) {
                climatology.add(at, date);
            }
        }
        climatology
    }

    #[test]
    fn stubble_that_burns_every_spring_is_explained() {
        let field = at(48.55, 37.05);
        let climatology = years(|year| {
            // Fires in the cell and its neighbours through April.
            (1..28)
                .flat_map(|day| {
                    [
                        (field, date(year, 4, day)),
                        (at(48.65, 37.05), date(year, 4, day)),
                        (at(48.45, 37.05), date(year, 4, day)),
                    ]
                })
                .collect()
        });
        let spring = climatology.usual(field, date(2025, 4, 18), true, &LandUse::new()).unwrap();
        assert!(spring.explains, "{spring}");
        let winter = climatology.usual(field, date(2025, 12, 18), true, &LandUse::new()).unwrap();
        assert!(!winter.explains || winter.months >= 6, "{winter}");
    }

    #[test]
    fn a_steel_works_is_explained_all_year() {
        let works = at(47.095, 37.58);
        let climatology =
            years(|year| (1..=12).map(|month| (works, date(year, month, 3))).collect());
        let usual = climatology.usual(works, date(2025, 1, 15), false, &LandUse::new()).unwrap();
        assert!(usual.explains && usual.months == 36);
        assert!(usual.to_string().contains("industry"));
    }

    #[test]
    fn a_spot_that_never_burnt_is_not_explained() {
        let climatology = years(|year| vec![(at(48.0, 37.0), date(year, 10, 3))]);
        let spring = date(2025, 4, 3);
        let usual = |at| climatology.usual(at, spring, false, &LandUse::new());
        let here = usual(at(48.05, 37.05)).unwrap();
        assert!(!here.explains && here.fire_days == 0);
        assert!((here.probability - 0.5 / 838.0).abs() < 1e-12);
        assert_eq!(usual(at(45.0, 30.0)), None, "the peacetime years do not cover it");
    }

    #[test]
    fn cropland_by_day_needs_less() {
        let field = at(48.55, 37.05);
        let climatology = years(|year| (1..=8).map(|day| (field, date(year, 4, day))).collect());
        let land_use =
            LandUse::from([(Cell::of(field), BTreeMap::from([("cropland".to_owned(), 0.9)]))]);
        let usual = |by_day| climatology.usual(field, date(2025, 4, 5), by_day, &land_use).unwrap();
        assert!((usual(true).probability - 24.5 / 838.0).abs() < 1e-9);
        assert!(usual(true).explains && !usual(false).explains);
    }

    #[test]
    fn leap_days_and_empty_climatologies() {
        assert_eq!(
            Climatology::default().usual(at(48.0, 37.0), date(2024, 2, 29), true, &LandUse::new()),
            None
        );
        let climatology = years(|year| vec![(at(48.0, 37.0), date(year, 2, 28))]);
        assert_eq!(
            climatology
                .usual(at(48.0, 37.0), date(2024, 2, 29), true, &LandUse::new())
                .unwrap()
                .fire_days,
            3
        );
    }

    proptest! {
        #[test]
        fn more_peacetime_fires_never_explain_less(days in proptest::collection::vec((0i16..3, 1i8..29), 0..60), extra in (0i16..3, 1i8..29)) {
            let spot = at(48.55, 37.05);
            let mut climatology = Climatology::default();
            climatology.add(spot, date(2019, 1, 1));
            climatology.add(spot, date(2020, 1, 1));
            climatology.add(spot, date(2021, 1, 1));
            for (year, day) in days {
                climatology.add(spot, date(2019 + year, 4, day));
            }
            let before = climatology.usual(spot, date(2025, 4, 15), false, &LandUse::new()).unwrap();
            climatology.add(spot, date(2019 + extra.0, 4, extra.1));
            let after = climatology.usual(spot, date(2025, 4, 15), false, &LandUse::new()).unwrap();
            prop_assert!(after.probability >= before.probability);
            prop_assert!(after.explains || !before.explains);
        }
    }
}
