//! Tables of a sensor network: where its stations stand, and what the air
//! between them was forecast to do.

use domain::LatLon;
use jiff::Timestamp;

use super::required;
use crate::mapping::{Mapping, TableRule};
use crate::plan::{Context, TimePlan, position};
use crate::problem::{Problem, Refused};
use crate::row::{Column, Header, Row};

/// Elevations beyond these are no places for a station, metres.
const ELEVATION_M: std::ops::RangeInclusive<f64> = -500.0..=9_000.0;
/// No wind near the ground is stronger, m/s.
const WIND_M_S_MAX: f64 = 100.0;
/// No air near the ground is colder or warmer, degrees Celsius.
const AIR_C: std::ops::RangeInclusive<f64> = -70.0..=60.0;

/// A sensor with a fixed place.
#[derive(Clone, Debug, PartialEq)]
pub struct StationRow {
    /// Its name, by which arrivals refer to it.
    pub name: String,
    /// Where it stands.
    pub at: LatLon,
    /// Metres above the ellipsoid; 0 if the table does not tell.
    pub elevation_m: f64,
    /// True if it measures back-azimuths.
    pub array: bool,
}

/// What the air at a place and time was forecast to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeatherRow {
    /// When.
    pub at: Timestamp,
    /// Where.
    pub place: LatLon,
    /// Wind towards the east, m/s.
    pub wind_east: f64,
    /// Wind towards the north, m/s.
    pub wind_north: f64,
    /// Temperature, degrees Celsius.
    pub temperature_c: f64,
}

/// A number that must lie in a range.
fn within(
    row: &Row<'_>,
    column: &Column,
    range: &std::ops::RangeInclusive<f64>,
    unit: &str,
) -> Result<f64, Problem> {
    let value = row.number(column)?;
    if range.contains(&value) {
        return Ok(value);
    }
    let (least, most) = (range.start(), range.end());
    Err(Problem::in_field(&column.name, format!("{value} {unit} is not from {least} to {most}")))
}

pub(super) struct StationPlan {
    name: Column,
    at: (Column, Column),
    elevation_m: Option<Column>,
    array: Option<Column>,
}

impl StationPlan {
    pub(super) fn bind(rule: &TableRule, header: &Header) -> Result<Self, Refused> {
        let checked = "checked when the mapping was read";
        let (lat, lon) = rule.at.as_ref().expect(checked);
        Ok(Self {
            name: header.require(rule.name.as_ref().expect(checked))?,
            at: (header.require(lat)?, header.require(lon)?),
            elevation_m: rule.elevation_m.as_ref().map(|one| header.require(one)).transpose()?,
            array: rule.array.as_ref().map(|one| header.require(one)).transpose()?,
        })
    }

    pub(super) fn station(&self, row: &Row<'_>) -> Result<StationRow, Problem> {
        let elevation = self.elevation_m.as_ref();
        Ok(StationRow {
            name: required(row, &self.name)?,
            at: position(row, &self.at, None)?,
            elevation_m: elevation
                .map_or(Ok(0.0), |column| within(row, column, &ELEVATION_M, "m"))?,
            array: row.optional_number(self.array.as_ref())?.is_some_and(|flag| flag != 0.0),
        })
    }
}

pub(super) struct WeatherPlan<'m> {
    time: TimePlan<'m>,
    at: (Column, Column),
    air: [Column; 3],
}

impl<'m> WeatherPlan<'m> {
    pub(super) fn bind(
        mapping: &'m Mapping,
        rule: &TableRule,
        context: Context<'m>,
        header: &Header,
    ) -> Result<Self, Refused> {
        let checked = "checked when the mapping was read";
        let (lat, lon) = rule.at.as_ref().expect(checked);
        let [east, north, temperature] = rule.air.as_ref().expect(checked);
        let time = mapping.time.as_ref().expect(checked);
        Ok(Self {
            time: TimePlan::bind(time, mapping.zone(context.zone), header, context.file_name)?,
            at: (header.require(lat)?, header.require(lon)?),
            air: [header.require(east)?, header.require(north)?, header.require(temperature)?],
        })
    }

    pub(super) fn node(&mut self, row: &Row<'_>) -> Result<WeatherRow, Problem> {
        let wind = -WIND_M_S_MAX..=WIND_M_S_MAX;
        let [east, north, temperature] = &self.air;
        Ok(WeatherRow {
            at: self.time.when(row)?.interval().from,
            place: position(row, &self.at, None)?,
            wind_east: within(row, east, &wind, "m/s")?,
            wind_north: within(row, north, &wind, "m/s")?,
            temperature_c: within(row, temperature, &AIR_C, "degrees Celsius")?,
        })
    }
}
