//! Mapping files: how the columns of a layout become observations, effort or
//! reference tables. A new layout needs one of these and no code. The keys are
//! described for authors in `docs/formats.md`.

use std::collections::BTreeMap;

use domain::Zone;
use domain::effort::EffortState;
use domain::taxonomy::{Class, Signature};
use serde::Deserialize;
use strict::{Diagnostic, Text};

use crate::row::Columns;
use crate::words::Words;

mod file;

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Measurements or reports.
    Observations,
    /// Statements of when a source was looking.
    Effort,
    /// Named settlements.
    Settlements,
    /// Administrative units, as points or as polygons.
    Units,
    /// The area that one side holds, one file per state.
    ControlArea,
    /// Shares of land use on a 0.1 degree grid.
    LandUse,
    /// Sensors with a fixed place.
    Stations,
    /// Forecast of wind and temperature.
    Weather,
    /// Speed of P and S waves by depth.
    Velocity,
    /// Travel times by distance over the earth.
    TravelTimes,
    /// What the arrays of a global network are like.
    Performance,
    /// Where there is land, by which coasts are told from lines of contact.
    Land,
}

impl Kind {
    /// True for tables that are read whole and looked things up in, as opposed
    /// to streams of rows that go into the record one by one.
    pub const fn is_reference(self) -> bool {
        !matches!(self, Self::Observations | Self::Effort)
    }
}

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text with a header line.
    Csv,
    /// A feature collection; properties are the columns.
    Geojson,
    /// One JSON object per line; its keys are the columns.
    Jsonl,
    /// One JSON document: a list of objects, whose keys are the columns.
    Json,
    /// Shared arcs, as world atlases are published; for land only.
    Topojson,
}

/// What a publisher's label means on our two axes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Meaning {
    pub(crate) signature: Option<Signature>,
    pub(crate) class: Option<Class>,
}

/// Which stretch of time an effort row speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Covers {
    /// From the first to the last moment of the row.
    Span,
    /// The civil day before the row's moment: a file fetched early in the
    /// morning holds the day that has just ended.
    DayBefore,
}

/// A mapping, checked and ready to be bound to the header of a file.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Name, unique among mappings.
    pub id: String,
    /// Counts up.
    pub version: u32,
    /// For people.
    pub title: String,
    /// What a user must know of the layout.
    pub note: String,
    /// What the rows are.
    pub kind: Kind,
    /// How the file is written.
    pub format: Format,
    pub(crate) delimiter: u8,
    pub(crate) refuses: BTreeMap<String, String>,
    pub(crate) time: Option<TimeRule>,
    pub(crate) place: PlaceRule,
    pub(crate) observed: Option<ObservedRule>,
    pub(crate) measures: Vec<MeasureRule>,
    pub(crate) effort: Option<EffortRule>,
    pub(crate) table: Option<TableRule>,
}

#[derive(Clone, Debug)]
pub(crate) struct TimeRule {
    pub(crate) source: TimeSource,
    pub(crate) format: Option<String>,
    /// `None`: the zone of the case.
    pub(crate) zone: Option<Zone>,
    pub(crate) date_only_clock: Option<jiff::civil::Time>,
    pub(crate) dates_only: bool,
    pub(crate) sigma_s: f64,
    pub(crate) delay_s: f64,
    pub(crate) available: Option<Columns>,
}

#[derive(Clone, Debug)]
pub(crate) enum TimeSource {
    At(Columns),
    DateAndClock(Columns, Option<Columns>),
    Span {
        from: Columns,
        to: Columns,
        lasting: bool,
        assumed_end: Option<(Columns, String)>,
    },
    /// A pattern with a date, and the clock that goes with every date.
    FileName(String, Option<String>),
}

#[derive(Clone, Debug)]
pub(crate) enum NumberRule {
    Constant(f64),
    Column(Columns),
    Words(Columns, Words<f64>),
}

#[derive(Clone, Debug)]
pub(crate) enum PlaceRule {
    Point {
        lat: Columns,
        lon: Columns,
        sigma_m: NumberRule,
    },
    Footprint {
        lat: Columns,
        lon: Columns,
        scan_km: NumberRule,
        track_km: NumberRule,
        sigma_m: f64,
    },
    Named {
        name: Columns,
        at: Option<(Columns, Columns)>,
        radius_m: Option<NumberRule>,
    },
    Units {
        columns: Vec<String>,
        separators: Vec<String>,
    },
    Geometry {
        sigma_m: f64,
    },
    None,
}

#[derive(Clone, Debug)]
pub(crate) struct ObservedRule {
    pub(crate) signature: Signature,
    pub(crate) classes: Vec<Class>,
    pub(crate) count: Option<Columns>,
    pub(crate) text: Option<Columns>,
    pub(crate) labels: Option<LabelRule>,
}

#[derive(Clone, Debug)]
pub(crate) struct LabelRule {
    pub(crate) column: Columns,
    pub(crate) separator: Option<String>,
    pub(crate) contains: bool,
    pub(crate) words: Words<Meaning>,
}

#[derive(Clone, Debug)]
pub(crate) struct MeasureRule {
    pub(crate) name: String,
    pub(crate) column: Columns,
    pub(crate) text: bool,
    pub(crate) words: Words<f64>,
    /// A row without it is set aside.
    pub(crate) required: bool,
    /// If not empty, a row with another word is set aside.
    pub(crate) one_of: Vec<String>,
    /// A row with anything but a number from here to there is set aside.
    pub(crate) range: Option<[f64; 2]>,
}

#[derive(Clone, Debug)]
pub(crate) struct EffortRule {
    pub(crate) covers: Covers,
    pub(crate) part: Option<Columns>,
    pub(crate) state: Option<(Columns, Words<EffortState>)>,
    pub(crate) circle: Option<(Columns, Columns, NumberRule)>,
    pub(crate) sensitivity: String,
}

#[derive(Clone, Debug)]
pub(crate) struct TableRule {
    pub(crate) code: Option<Columns>,
    pub(crate) name: Option<Columns>,
    pub(crate) aliases: Vec<Columns>,
    pub(crate) alias_separator: Option<String>,
    pub(crate) at: Option<(Columns, Columns)>,
    pub(crate) population: Option<Columns>,
    pub(crate) unit: Option<(Columns, usize)>,
    pub(crate) radius_m: f64,
    pub(crate) accuracy_m: f64,
    pub(crate) inside: String,
    pub(crate) outside: String,
    pub(crate) late_days: f64,
    pub(crate) shares: Vec<(String, Columns)>,
    pub(crate) elevation_m: Option<Columns>,
    pub(crate) array: Option<Columns>,
    /// Towards the east, towards the north (m/s), temperature (degrees Celsius).
    pub(crate) air: Option<[Columns; 3]>,
    /// Depth of the top of a layer (km), speeds of P and S (km/s).
    pub(crate) layer: Option<[Columns; 3]>,
    /// Depth down to which sources are sought, km.
    pub(crate) deepest_km: Option<Columns>,
    /// Distance, degrees, and travel time, s.
    pub(crate) travel: Option<[Columns; 2]>,
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(text: &Text) -> Result<Self, Diagnostic> {
        file::read(text)
    }

    /// True if its rows are observations that keep a measure of this name.
    pub fn measures(&self, name: &str) -> bool {
        self.kind == Kind::Observations && self.measures.iter().any(|rule| rule.name == name)
    }

    /// True if the name of a file says when it is of: then the same bytes under
    /// another name are another file.
    pub fn name_matters(&self) -> bool {
        self.time.as_ref().is_some_and(|time| matches!(time.source, TimeSource::FileName(..)))
    }

    /// The zone in which local times are read; the case's if none is named.
    pub(crate) fn zone<'a>(&'a self, of_case: &'a Zone) -> &'a Zone {
        self.time.as_ref().and_then(|time| time.zone.as_ref()).unwrap_or(of_case)
    }

    /// Every column that the mapping speaks of, for formats without a header.
    pub(crate) fn columns(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut add = |columns: &Columns| names.extend(columns.0.iter().cloned());
        self.time.iter().for_each(|rule| rule.visit_columns(&mut add));
        self.place.visit_columns(&mut add);
        self.observed.iter().for_each(|rule| rule.visit_columns(&mut add));
        self.measures.iter().for_each(|rule| add(&rule.column));
        self.effort.iter().for_each(|rule| rule.visit_columns(&mut add));
        self.table.iter().for_each(|rule| rule.visit_columns(&mut add));
        names.sort_unstable();
        names.dedup();
        names
    }
}

type Visitor<'v> = &'v mut dyn FnMut(&Columns);

fn visit_all<'c>(columns: impl IntoIterator<Item = &'c Columns>, add: Visitor<'_>) {
    for column in columns {
        add(column);
    }
}

impl TimeRule {
    fn visit_columns(&self, add: Visitor<'_>) {
        match &self.source {
            TimeSource::At(at) => add(at),
            TimeSource::DateAndClock(date, clock) => {
                visit_all([date].into_iter().chain(clock), add);
            }
            TimeSource::Span { from, to, assumed_end, .. } => {
                let assumed = assumed_end.iter().map(|(column, _)| column);
                visit_all([from, to].into_iter().chain(assumed), add);
            }
            TimeSource::FileName(..) => {}
        }
        visit_all(&self.available, add);
    }
}

impl NumberRule {
    fn column(&self) -> Option<&Columns> {
        match self {
            Self::Constant(_) => None,
            Self::Column(column) | Self::Words(column, _) => Some(column),
        }
    }
}

impl PlaceRule {
    fn visit_columns(&self, add: Visitor<'_>) {
        match self {
            Self::Point { lat, lon, sigma_m } => {
                visit_all([lat, lon].into_iter().chain(sigma_m.column()), add);
            }
            Self::Footprint { lat, lon, scan_km, track_km, .. } => {
                visit_all(
                    [lat, lon].into_iter().chain(scan_km.column()).chain(track_km.column()),
                    add,
                );
            }
            Self::Named { name, at, radius_m } => {
                let at = at.iter().flat_map(|(lat, lon)| [lat, lon]);
                let radius = radius_m.iter().filter_map(NumberRule::column);
                visit_all([name].into_iter().chain(at).chain(radius), add);
            }
            Self::Units { columns, .. } => add(&Columns(columns.clone())),
            Self::Geometry { .. } | Self::None => {}
        }
    }
}

impl ObservedRule {
    fn visit_columns(&self, add: Visitor<'_>) {
        let labels = self.labels.iter().map(|labels| &labels.column);
        visit_all(self.count.iter().chain(&self.text).chain(labels), add);
    }
}

impl EffortRule {
    fn visit_columns(&self, add: Visitor<'_>) {
        let state = self.state.iter().map(|(column, _)| column);
        visit_all(self.part.iter().chain(state), add);
        if let Some((lat, lon, radius)) = &self.circle {
            visit_all([lat, lon].into_iter().chain(radius.column()), add);
        }
    }
}

impl TableRule {
    fn visit_columns(&self, add: Visitor<'_>) {
        visit_all(
            self.code.iter().chain(&self.name).chain(&self.aliases).chain(&self.population),
            add,
        );
        visit_all(self.at.iter().flat_map(|(lat, lon)| [lat, lon]), add);
        visit_all(self.unit.iter().map(|(column, _)| column), add);
        visit_all(self.shares.iter().map(|(_, column)| column), add);
        visit_all(self.elevation_m.iter().chain(&self.array), add);
        visit_all(self.air.iter().flatten(), add);
        visit_all(
            self.layer.iter().flatten().chain(&self.deepest_km).chain(self.travel.iter().flatten()),
            add,
        );
    }
}
