//! Reference tables: settlements, administrative units, the area that one side
//! holds, land use. They are read whole, and looked things up in.

use std::collections::BTreeMap;
use std::io::Read;

use agreement::shape;
use domain::area::Rings;
use domain::{Cell, Interval, LatLon, Zone};
use geojson::Geometry;
use jiff::Timestamp;

use crate::limits::DOCUMENT_BYTES_MAX;
use crate::mapping::{Format, Kind, Mapping, TableRule};
use crate::plan::{Context, TimePlan, position};
use crate::problem::{Problem, Quarantined, Refused};
use crate::row::{Column, Columns, Header, Row};
use crate::rows::Rows;

mod network;

pub use network::{LayerRow, StationRow, VelocityTable, WeatherRow};

/// A named settlement.
#[derive(Clone, Debug, PartialEq)]
pub struct SettlementRow {
    /// Code, or the name if the table has no codes.
    pub code: String,
    /// Name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Centre, if the table knows it.
    pub at: Option<LatLon>,
    /// Inhabitants; 0 if unknown.
    pub population: f64,
    /// Code of the administrative unit it lies in, if the table tells.
    pub unit: Option<String>,
}

/// An administrative unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitRow {
    /// Code.
    pub code: String,
    /// Its names, the first one for display.
    pub names: Vec<String>,
    /// What is known of its extent.
    pub extent: UnitExtent,
}

/// The ground of an administrative unit.
#[derive(Clone, Debug, PartialEq)]
pub enum UnitExtent {
    /// Its boundary.
    Polygons(Vec<Rings>),
    /// Its middle and a typical radius.
    Disc {
        /// Middle.
        at: LatLon,
        /// Radius, metres.
        radius_m: f64,
    },
}

/// The area that one side holds, as one map shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlArea {
    /// The moment whose state it shows.
    pub state_at: Timestamp,
    /// How late the publisher typically is, days: a change may be that much
    /// older than the map.
    pub late_days: f64,
    /// The area.
    pub polygons: Vec<Rings>,
    /// One standard deviation of its boundary, metres.
    pub accuracy_m: f64,
    /// What reports call the inside.
    pub inside: String,
    /// What reports call the outside.
    pub outside: String,
}

/// Shares of land use in one cell, by class name.
pub type LandUseRow = (Cell, BTreeMap<String, f64>);

/// What a file held.
#[derive(Clone, Debug, PartialEq)]
pub enum Table {
    /// Settlements.
    Settlements(Vec<SettlementRow>),
    /// Administrative units.
    Units(Vec<UnitRow>),
    /// One state of the area that one side holds.
    ControlArea(Box<ControlArea>),
    /// Land use.
    LandUse(Vec<LandUseRow>),
    /// Sensors.
    Stations(Vec<StationRow>),
    /// Forecast of the air.
    Weather(Vec<WeatherRow>),
    /// Speed of waves by depth.
    Velocity(VelocityTable),
    /// Travel times, s, by distance, degrees.
    TravelTimes(Vec<(f64, f64)>),
    /// What the arrays of a global network are like: the text of a JSON object.
    Performance(String),
    /// Land.
    Land(Vec<Rings>),
}

/// A table with the rows that could not be used.
#[derive(Clone, Debug)]
pub struct TableRead {
    /// The table.
    pub table: Table,
    /// Rows read, bad ones included.
    pub rows: u64,
    /// Rows set aside.
    pub bad: Vec<Quarantined>,
}

/// Reads a reference table.
pub fn read<R: Read>(
    mapping: &Mapping,
    context: Context<'_>,
    input: R,
) -> Result<TableRead, Refused> {
    if mapping.kind == Kind::Land {
        return land(mapping, input);
    }
    if mapping.kind == Kind::Performance {
        return network::performance(&document(input)?);
    }
    let (rows, header) = Rows::open(mapping, input)?;
    let Some(rule) = mapping.table.as_ref() else {
        return Err(Refused::Content(format!(
            "the mapping {} reads rows, not a reference table",
            mapping.id
        )));
    };
    match mapping.kind {
        Kind::Settlements => {
            let plan = SettlementPlan::bind(rule, &header)?;
            collect(rows, |row, _| plan.settlement(row), Table::Settlements)
        }
        Kind::Units => {
            let plan = UnitPlan::bind(rule, &header)?;
            collect(rows, |row, geometry| plan.unit(row, geometry), Table::Units)
        }
        Kind::LandUse => {
            let plan = LandUsePlan::bind(rule, &header)?;
            collect(rows, |row, _| plan.cell(row), Table::LandUse)
        }
        Kind::Stations => {
            let plan = network::StationPlan::bind(rule, &header)?;
            collect(rows, |row, _| plan.station(row), Table::Stations)
        }
        Kind::Weather => {
            let mut plan = network::WeatherPlan::bind(mapping, rule, context, &header)?;
            collect(rows, |row, _| plan.node(row), Table::Weather)
        }
        Kind::Velocity => network::velocity(rule, &header, rows),
        Kind::TravelTimes => network::travel_times(rule, &header, rows),
        Kind::ControlArea => control_area(mapping, rule, context, &header, rows),
        Kind::Observations | Kind::Effort | Kind::Land | Kind::Performance => {
            Err(Refused::Content(format!(
                "the mapping {} reads rows, not a reference table",
                mapping.id
            )))
        }
    }
}

fn collect<'r, R: Read + 'r, T>(
    mut rows: Rows<'r, R>,
    mut make: impl FnMut(&Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
    table: impl FnOnce(Vec<T>) -> Table,
) -> Result<TableRead, Refused> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    while let Some((_, made)) = rows.next(|_, row, geometry| make(row, geometry))? {
        match made {
            Ok(row) => good.push(row),
            Err(quarantined) => bad.push(quarantined),
        }
    }
    Ok(TableRead { rows: (good.len() + bad.len()) as u64, table: table(good), bad })
}

fn names(
    row: &Row<'_>,
    columns: &[Column],
    separator: Option<&str>,
) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = Vec::new();
    for column in columns {
        let text = row.text(column)?;
        let parts: Vec<&str> =
            separator.map_or_else(|| vec![text], |separator| text.split(separator).collect());
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            if !names.iter().any(|known| known == part) {
                names.push(part.to_owned());
            }
        }
    }
    Ok(names)
}

pub(crate) fn required(row: &Row<'_>, column: &Column) -> Result<String, Problem> {
    match row.text(column)? {
        "" => Err(Problem::in_field(&column.name, "empty")),
        text => Ok(text.to_owned()),
    }
}

fn bind_at(
    header: &Header,
    at: Option<&(Columns, Columns)>,
) -> Result<Option<(Column, Column)>, Refused> {
    at.map(|(lat, lon)| Ok((header.require(lat)?, header.require(lon)?))).transpose()
}

struct SettlementPlan<'m> {
    code: Option<Column>,
    name: Column,
    aliases: Vec<Column>,
    separator: Option<&'m str>,
    at: Option<(Column, Column)>,
    population: Option<Column>,
    unit: Option<(Column, usize)>,
}

impl<'m> SettlementPlan<'m> {
    fn bind(rule: &'m TableRule, header: &Header) -> Result<Self, Refused> {
        Ok(Self {
            code: rule.code.as_ref().map(|code| header.require(code)).transpose()?,
            name: header.require(rule.name.as_ref().expect("checked when the mapping was read"))?,
            aliases: rule
                .aliases
                .iter()
                .map(|alias| header.require(alias))
                .collect::<Result<_, _>>()?,
            separator: rule.alias_separator.as_deref(),
            at: bind_at(header, rule.at.as_ref())?,
            population: rule.population.as_ref().and_then(|population| header.find(population)),
            unit: rule
                .unit
                .as_ref()
                .map(|(column, first)| Ok::<_, Refused>((header.require(column)?, *first)))
                .transpose()?,
        })
    }

    fn settlement(&self, row: &Row<'_>) -> Result<SettlementRow, Problem> {
        let name = required(row, &self.name)?;
        let code =
            self.code.as_ref().map_or_else(|| Ok(name.clone()), |code| required(row, code))?;
        let unit = match &self.unit {
            Some((column, first)) => Some(row.text(column)?.chars().take(*first).collect()),
            None => None,
        };
        Ok(SettlementRow {
            code,
            aliases: names(row, &self.aliases, self.separator)?,
            at: self.at.as_ref().map(|at| position(row, at, None)).transpose()?,
            population: row.optional_number(self.population.as_ref())?.unwrap_or(0.0).max(0.0),
            name,
            unit,
        })
    }
}

struct UnitPlan<'m> {
    code: Column,
    names: Vec<Column>,
    separator: Option<&'m str>,
    at: Option<(Column, Column)>,
    radius_m: f64,
}

impl<'m> UnitPlan<'m> {
    fn bind(rule: &'m TableRule, header: &Header) -> Result<Self, Refused> {
        let name =
            header.require(rule.name.as_ref().expect("checked when the mapping was read"))?;
        let aliases = rule.aliases.iter().map(|alias| header.require(alias));
        Ok(Self {
            code: header.require(rule.code.as_ref().expect("checked when the mapping was read"))?,
            names: std::iter::once(Ok(name)).chain(aliases).collect::<Result<_, _>>()?,
            separator: rule.alias_separator.as_deref(),
            at: bind_at(header, rule.at.as_ref())?,
            radius_m: rule.radius_m,
        })
    }

    fn unit(&self, row: &Row<'_>, geometry: Option<&Geometry>) -> Result<UnitRow, Problem> {
        let extent = match (&self.at, geometry) {
            (Some(at), _) => {
                UnitExtent::Disc { at: position(row, at, None)?, radius_m: self.radius_m }
            }
            (None, Some(geometry)) => {
                let polygons = shape::polygons_of(geometry)
                    .map_err(|error| Problem::in_field("geometry", error.to_string()))?;
                if polygons.is_empty() {
                    return Err(Problem::in_field(
                        "geometry",
                        "a unit needs a Polygon or MultiPolygon",
                    ));
                }
                UnitExtent::Polygons(polygons)
            }
            (None, None) => {
                return Err(Problem::in_row("the unit has neither a boundary nor a middle"));
            }
        };
        Ok(UnitRow {
            code: required(row, &self.code)?,
            names: names(row, &self.names, self.separator)?,
            extent,
        })
    }
}

struct LandUsePlan {
    at: (Column, Column),
    shares: Vec<(String, Column)>,
}

impl LandUsePlan {
    fn bind(rule: &TableRule, header: &Header) -> Result<Self, Refused> {
        let at = bind_at(header, rule.at.as_ref())?.expect("checked when the mapping was read");
        let share = |(name, column): &(String, Columns)| {
            Ok::<_, Refused>((name.clone(), header.require(column)?))
        };
        Ok(Self { at, shares: rule.shares.iter().map(share).collect::<Result<_, _>>()? })
    }

    fn cell(&self, row: &Row<'_>) -> Result<LandUseRow, Problem> {
        let at = position(row, &self.at, None)?;
        let mut shares = BTreeMap::new();
        for (name, column) in &self.shares {
            let share = row.optional_number(Some(column))?.unwrap_or(0.0);
            if !(0.0..=1.0 + 1e-6).contains(&share) {
                return Err(Problem::in_field(
                    &column.name,
                    format!("{share} is not a share between 0 and 1"),
                ));
            }
            shares.insert(name.clone(), share);
        }
        Ok((Cell::of_node(at), shares))
    }
}

fn control_area<'r, R: Read + 'r>(
    mapping: &Mapping,
    rule: &TableRule,
    context: Context<'_>,
    header: &Header,
    mut rows: Rows<'r, R>,
) -> Result<TableRead, Refused> {
    let zone = mapping.zone(context.zone);
    let time_rule = mapping.time.as_ref().expect("checked when the mapping was read");
    let mut time = TimePlan::bind(time_rule, zone, header, context.file_name)?;
    let (mut polygons, mut bad, mut count) = (Vec::new(), Vec::new(), 0);
    let mut states: Vec<Timestamp> = Vec::new();
    while let Some((_, made)) = rows.next(|_, row, geometry| {
        let geometry =
            geometry.ok_or_else(|| Problem::in_field("geometry", "the feature has none"))?;
        let found = shape::polygons_of(geometry)
            .map_err(|error| Problem::in_field("geometry", error.to_string()))?;
        Ok((state_at(&time.when(row)?, zone), found))
    })? {
        count += 1;
        match made {
            Ok((state, found)) => {
                states.push(state);
                polygons.extend(found);
            }
            Err(quarantined) => bad.push(quarantined),
        }
    }
    let Some(state_at) = states.iter().copied().max().filter(|_| !polygons.is_empty()) else {
        let why = bad.first().map_or_else(
            || "the file holds no polygon, so no area is shown".to_owned(),
            |bad| format!("the file holds no polygon, so no area is shown: {bad}"),
        );
        return Err(Refused::Content(why));
    };
    let area = ControlArea {
        state_at,
        late_days: rule.late_days,
        polygons,
        accuracy_m: rule.accuracy_m,
        inside: rule.inside.clone(),
        outside: rule.outside.clone(),
    };
    Ok(TableRead { table: Table::ControlArea(Box::new(area)), rows: count, bad })
}

/// A file that is one document.
fn document(input: impl Read) -> Result<Vec<u8>, Refused> {
    let mut text = Vec::new();
    input.take(DOCUMENT_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > DOCUMENT_BYTES_MAX {
        return Err(Refused::Content(format!(
            "the document is larger than {} MiB",
            DOCUMENT_BYTES_MAX >> 20
        )));
    }
    crate::sniff::expect_text(&text)?;
    Ok(text)
}

/// Polygons and nothing else, read as one document.
fn land(mapping: &Mapping, input: impl Read) -> Result<TableRead, Refused> {
    let text = document(input)?;
    let polygons = if mapping.format == Format::Topojson {
        crate::topojson::polygons(&text).map_err(Refused::Content)?
    } else {
        let text = std::str::from_utf8(&text)
            .map_err(|_| Refused::Content("not UTF-8; save the file as UTF-8".to_owned()))?;
        shape::polygons(text).map_err(|error| Refused::Content(error.to_string()))?
    };
    Ok(TableRead { rows: polygons.len() as u64, table: Table::Land(polygons), bad: Vec::new() })
}

/// A map dated with a day shows the state at the start of that day, which is
/// the evening before: publishers close a map and then date it.
fn state_at(when: &domain::When, zone: &Zone) -> Timestamp {
    match when {
        domain::When::Day { date, .. } => zone.day(*date).from,
        other => Interval::at(other.interval().from).from,
    }
}
