//! Tables of a sensor network: where its stations stand, what the air between
//! them was forecast to do, and how fast waves are in the ground below.

use std::io::Read;

use domain::LatLon;
use jiff::Timestamp;

use super::{Table, TableRead, required};
use crate::mapping::{Mapping, TableRule};
use crate::plan::{Context, TimePlan, position};
use crate::problem::{Problem, Refused};
use crate::row::{Column, Header, Row};
use crate::rows::Rows;

/// Elevations beyond these are no places for a station, metres.
const ELEVATION_M: std::ops::RangeInclusive<f64> = -500.0..=9_000.0;
/// No wind near the ground is stronger, m/s.
const WIND_M_S_MAX: f64 = 100.0;
/// No air near the ground is colder or warmer, degrees Celsius.
const AIR_C: std::ops::RangeInclusive<f64> = -70.0..=60.0;

/// Distances over the earth, degrees, and times that waves take for them, s.
const DISTANCE_DEG: std::ops::RangeInclusive<f64> = 0.0..=180.0;
const TRAVEL_S: std::ops::RangeInclusive<f64> = 0.0..=100_000.0;
/// Sources are sought down to a depth in these limits, km.
const DEEPEST_KM: std::ops::RangeInclusive<f64> = 1.0..=800.0;

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

/// A layer of the ground: its top and how fast waves are in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerRow {
    /// Depth of its top, km.
    pub depth_km: f64,
    /// Speed of P, km/s.
    pub vp_km_s: f64,
    /// Speed of S, km/s.
    pub vs_km_s: f64,
}

/// A velocity model: layers in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct VelocityTable {
    /// The layers.
    pub layers: Vec<LayerRow>,
    /// Depth down to which sources are sought, km, if the table tells.
    pub deepest_km: Option<f64>,
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
            array: rule.array.as_ref().and_then(|one| header.find(one)),
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

/// Reads a velocity model. No layer of it can be set aside: without it the
/// others are another earth.
pub(super) fn velocity<'r, R: Read + 'r>(
    rule: &TableRule,
    header: &Header,
    mut rows: Rows<'r, R>,
) -> Result<TableRead, Refused> {
    let [depth, p, s] = rule.layer.as_ref().expect("checked when the mapping was read");
    let [depth, p, s] = [header.require(depth)?, header.require(p)?, header.require(s)?];
    let deepest = rule.deepest_km.as_ref().and_then(|column| header.find(column));
    let mut table = VelocityTable { layers: Vec::new(), deepest_km: None };
    while let Some((line, made)) = rows.next(|_, row, _| {
        let layer = LayerRow {
            depth_km: row.number(&depth)?,
            vp_km_s: row.number(&p)?,
            vs_km_s: row.number(&s)?,
        };
        Ok((layer, deepest.as_ref().map_or(Ok(None), |column| deepest_km(row, column))?))
    })? {
        let (layer, deepest) = made.map_err(|bad| {
            Refused::Content(format!("a velocity model is taken whole or not at all; {bad}"))
        })?;
        match (table.deepest_km, deepest) {
            (Some(one), Some(other)) if one != other => {
                return Err(Refused::Content(format!(
                    "line {line}: sources are sought down to {other} km here and to {one} km above"
                )));
            }
            _ => table.deepest_km = table.deepest_km.or(deepest),
        }
        table.layers.push(layer);
    }
    if table.layers.is_empty() {
        return Err(Refused::Content("the velocity model has no layer".to_owned()));
    }
    let rows = table.layers.len() as u64;
    Ok(TableRead { table: Table::Velocity(table), rows, bad: Vec::new() })
}

fn deepest_km(row: &Row<'_>, column: &Column) -> Result<Option<f64>, Problem> {
    if row.bytes_of(column).is_empty() {
        return Ok(None);
    }
    within(row, column, &DEEPEST_KM, "km").map(Some)
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

/// Reads travel times by distance. As of a velocity model, none can be set aside.
pub(super) fn travel_times<'r, R: Read + 'r>(
    rule: &TableRule,
    header: &Header,
    mut rows: Rows<'r, R>,
) -> Result<TableRead, Refused> {
    let [distance, time] = rule.travel.as_ref().expect("checked when the mapping was read");
    let [distance, time] = [header.require(distance)?, header.require(time)?];
    let mut points = Vec::new();
    while let Some((_, made)) = rows.next(|_, row, _| {
        Ok((within(row, &distance, &DISTANCE_DEG, "degrees")?, within(row, &time, &TRAVEL_S, "s")?))
    })? {
        points.push(made.map_err(|bad| {
            Refused::Content(format!("travel times are taken whole or not at all; {bad}"))
        })?);
    }
    let rows = points.len() as u64;
    Ok(TableRead { table: Table::TravelTimes(points), rows, bad: Vec::new() })
}

/// Reads what the arrays of a global network are like: one object, which its engine
/// understands.
pub(super) fn performance(text: &[u8]) -> Result<TableRead, Refused> {
    let value: serde_json::Value =
        serde_json::from_slice(text).map_err(|why| Refused::Content(why.to_string()))?;
    if !value.is_object() {
        return Err(Refused::Content("not a JSON object".to_owned()));
    }
    let table = Table::Performance(value.to_string());
    Ok(TableRead { table, rows: 1, bad: Vec::new() })
}
