//! The keys of a mapping file as people write them, and the checks that turn
//! them into rules.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::Zone;
use domain::effort::EffortState;
use domain::taxonomy::{Class, Signature};
use serde::Deserialize;
use strict::{Diagnostic, Spanned, Text};

use super::{
    Covers, EffortRule, Format, Kind, LabelRule, Mapping, Meaning, MeasureRule, NumberRule,
    ObservedRule, PlaceRule, TableRule, TimeRule, TimeSource,
};
use crate::clock::parse_clock;
use crate::row::Columns;
use crate::words::Words;

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a column name, or a list of names in order of preference")]
        enum Either {
            One(String),
            Several(Vec<String>),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::One(name) => vec![name],
            Either::Several(names) => names,
        }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Head,
    time: Option<TimeKeys>,
    place: Option<Spanned<PlaceKeys>>,
    observed: Option<ObservedKeys>,
    #[serde(default)]
    measures: BTreeMap<String, MeasureKeys>,
    effort: Option<EffortKeys>,
    table: Option<TableKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    version: u32,
    title: String,
    kind: Spanned<Kind>,
    format: Spanned<Format>,
    #[serde(default)]
    delimiter: Option<Spanned<String>>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    refuses: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeKeys {
    at: Option<Columns>,
    date: Option<Columns>,
    clock: Option<Columns>,
    from: Option<Columns>,
    to: Option<Columns>,
    file_name: Option<Spanned<String>>,
    file_clock: Option<Spanned<String>>,
    #[serde(default)]
    lasting: bool,
    #[serde(default)]
    dates_only: bool,
    assumed_end: Option<ConditionKeys>,
    format: Option<String>,
    zone: Option<Spanned<String>>,
    date_only_clock: Option<Spanned<String>>,
    #[serde(default)]
    sigma_s: f64,
    #[serde(default)]
    published_within_h: f64,
    available: Option<Columns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionKeys {
    column: Columns,
    is: String,
}

/// One struct for all kinds of places, so that a wrong key is refused at its own
/// line; which keys a kind has is checked afterwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceKeys {
    kind: PlaceKind,
    lat: Option<Spanned<Columns>>,
    lon: Option<Spanned<Columns>>,
    sigma_m: Option<Spanned<NumberKeys>>,
    scan_km: Option<Spanned<NumberKeys>>,
    track_km: Option<Spanned<NumberKeys>>,
    name: Option<Spanned<Columns>>,
    radius_m: Option<Spanned<NumberKeys>>,
    columns: Option<Spanned<Vec<String>>>,
    separators: Option<Spanned<Vec<String>>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlaceKind {
    Point,
    Footprint,
    Named,
    Units,
    Geometry,
    None,
}

impl PlaceKind {
    /// Its word in a mapping, and its keys: those it needs, then the others.
    const fn keys(self) -> (&'static str, &'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Point => ("point", &["lat", "lon", "sigma_m"], &[]),
            Self::Footprint => {
                ("footprint", &["lat", "lon", "scan_km", "track_km", "sigma_m"], &[])
            }
            Self::Named => ("named", &["name"], &["lat", "lon", "radius_m"]),
            Self::Units => ("units", &["columns"], &["separators"]),
            Self::Geometry => ("geometry", &[], &["sigma_m"]),
            Self::None => ("none", &[], &[]),
        }
    }
}

impl PlaceKeys {
    /// The keys that are there, with where they stand.
    fn given(&self) -> Vec<(&'static str, Range<usize>)> {
        let at = |name, span: Option<Range<usize>>| span.map(|span| (name, span));
        [
            at("lat", self.lat.as_ref().map(Spanned::span)),
            at("lon", self.lon.as_ref().map(Spanned::span)),
            at("sigma_m", self.sigma_m.as_ref().map(Spanned::span)),
            at("scan_km", self.scan_km.as_ref().map(Spanned::span)),
            at("track_km", self.track_km.as_ref().map(Spanned::span)),
            at("name", self.name.as_ref().map(Spanned::span)),
            at("radius_m", self.radius_m.as_ref().map(Spanned::span)),
            at("columns", self.columns.as_ref().map(Spanned::span)),
            at("separators", self.separators.as_ref().map(Spanned::span)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A number: written in the mapping, or in a column, or in a column by words.
#[derive(Deserialize, Clone)]
#[serde(untagged, expecting = "a number, a column name, or { column = \"...\", words = { ... } }")]
enum NumberKeys {
    Constant(f64),
    Column(Columns),
    Words { column: Columns, words: Words<f64> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObservedKeys {
    signature: Signature,
    #[serde(default)]
    classes: Vec<Class>,
    count: Option<Columns>,
    text: Option<Columns>,
    labels: Option<LabelKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelKeys {
    column: Columns,
    separator: Option<String>,
    #[serde(default)]
    contains: bool,
    words: Words<Meaning>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a column name or { column = \"...\", text = true, words = { ... } }"
)]
enum MeasureKeys {
    Column(Columns),
    Full {
        column: Columns,
        #[serde(default)]
        text: bool,
        #[serde(default)]
        words: Words<f64>,
        #[serde(default)]
        required: bool,
        #[serde(default)]
        one_of: Vec<String>,
        range: Option<[f64; 2]>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EffortKeys {
    covers: Spanned<Covers>,
    part: Option<Columns>,
    state: Option<StateKeys>,
    footprint: Option<FootprintKeys>,
    #[serde(default)]
    sensitivity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StateKeys {
    column: Columns,
    words: Words<EffortState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FootprintKeys {
    lat: Columns,
    lon: Columns,
    radius_m: NumberKeys,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableKeys {
    code: Option<Columns>,
    name: Option<Columns>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    alias_separator: Option<String>,
    lat: Option<Columns>,
    lon: Option<Columns>,
    population: Option<Columns>,
    unit: Option<UnitKeys>,
    radius_m: Option<f64>,
    accuracy_m: Option<f64>,
    inside: Option<String>,
    outside: Option<String>,
    #[serde(default)]
    late_days: f64,
    #[serde(default)]
    shares: BTreeMap<String, Columns>,
    elevation_m: Option<Columns>,
    array: Option<Columns>,
    wind_east: Option<Columns>,
    wind_north: Option<Columns>,
    temperature_c: Option<Columns>,
    depth_km: Option<Columns>,
    vp_km_s: Option<Columns>,
    vs_km_s: Option<Columns>,
    deepest_km: Option<Columns>,
    distance_deg: Option<Columns>,
    travel_s: Option<Columns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitKeys {
    column: Columns,
    first_characters: usize,
}

/// Reads and checks.
pub(super) fn read(text: &Text) -> Result<Mapping, Diagnostic> {
    let raw: File = text.parse()?;
    Checker { text }.mapping(raw)
}

struct Checker<'a> {
    text: &'a Text,
}

impl Checker<'_> {
    fn mapping(&self, raw: File) -> Result<Mapping, Diagnostic> {
        let head = raw.mapping;
        let kind = *head.kind.get_ref();
        let needs: &[(&str, bool)] = match kind {
            Kind::Observations => &[
                ("time", raw.time.is_some()),
                ("place", raw.place.is_some()),
                ("observed", raw.observed.is_some()),
            ],
            Kind::Effort => &[("time", raw.time.is_some()), ("effort", raw.effort.is_some())],
            Kind::ControlArea | Kind::Weather => {
                &[("time", raw.time.is_some()), ("table", raw.table.is_some())]
            }
            Kind::Settlements
            | Kind::Units
            | Kind::LandUse
            | Kind::Stations
            | Kind::Velocity
            | Kind::TravelTimes => &[("table", raw.table.is_some())],
            Kind::Land | Kind::Performance => &[],
        };
        if let Some((missing, _)) = needs.iter().find(|(_, present)| !present) {
            return Err(self.text.error_at(
                &head.kind,
                format!("a mapping of this kind needs a table [{missing}]"),
                "docs/formats.md lists the tables of each kind",
            ));
        }
        if kind == Kind::Performance && *head.format.get_ref() != Format::Json {
            return Err(self.text.error_at(
                &head.format,
                "a performance is read from json only",
                "use format = \"json\"",
            ));
        }
        let geometry_only = matches!(head.format.get_ref(), Format::Topojson);
        if geometry_only != (kind == Kind::Land && geometry_only) {
            return Err(self.text.error_at(
                &head.format,
                "topojson is read for land only",
                "use kind = \"land\", or convert the file to GeoJSON",
            ));
        }
        let table = raw.table.map(|table| self.table(table, kind, &head.kind)).transpose()?;
        Ok(Mapping {
            time: raw.time.map(|time| self.time(time, &head.kind)).transpose()?,
            place: raw
                .place
                .map_or(Ok(PlaceRule::None), |place| self.place(place, *head.format.get_ref()))?,
            observed: raw.observed.map(observed),
            measures: raw.measures.into_iter().map(measure).collect(),
            effort: raw.effort.map(|effort| EffortRule {
                covers: *effort.covers.get_ref(),
                part: effort.part,
                state: effort.state.map(|state| (state.column, state.words)),
                circle: effort
                    .footprint
                    .map(|circle| (circle.lat, circle.lon, number(circle.radius_m))),
                sensitivity: effort.sensitivity,
            }),
            table,
            delimiter: self.delimiter(head.delimiter.as_ref())?,
            id: head.id,
            version: head.version,
            title: head.title,
            note: head.note,
            kind,
            format: *head.format.get_ref(),
            refuses: head.refuses,
        })
    }

    fn delimiter(&self, given: Option<&Spanned<String>>) -> Result<u8, Diagnostic> {
        let Some(given) = given else { return Ok(b',') };
        match given.get_ref().as_bytes() {
            [byte] if byte.is_ascii() && *byte != b'"' && *byte != b'\n' => Ok(*byte),
            _ => Err(self.text.error_at(
                given,
                "a delimiter is one ASCII character",
                "for example \",\", \";\" or \"\\t\"",
            )),
        }
    }

    fn time(&self, raw: TimeKeys, kind: &Spanned<Kind>) -> Result<TimeRule, Diagnostic> {
        let zone = match &raw.zone {
            None => None,
            Some(name) => Some(Zone::named(name.get_ref()).map_err(|error| {
                self.text.error_at(
                    name,
                    error.to_string(),
                    "leave `zone` out to use the zone of the case",
                )
            })?),
        };
        let date_only_clock =
            match &raw.date_only_clock {
                None => None,
                Some(clock) => Some(parse_clock(clock.get_ref().as_bytes()).map_err(|error| {
                    self.text.error_at(clock, error, "for example \"00:00:00\"")
                })?),
            };
        let source = match (raw.at, raw.date, raw.from, raw.to, raw.file_name) {
            (Some(at), None, None, None, None) => TimeSource::At(at),
            (None, Some(date), None, None, None) => TimeSource::DateAndClock(date, raw.clock),
            (None, None, Some(from), Some(to), None) => TimeSource::Span {
                from,
                to,
                lasting: raw.lasting,
                assumed_end: raw.assumed_end.map(|condition| (condition.column, condition.is)),
            },
            (None, None, None, None, Some(pattern)) => {
                if !pattern.get_ref().contains('%') {
                    return Err(self.text.error_at(
                        &pattern,
                        "the pattern has no date in it",
                        "for example \"lines_%Y%m%d.geojson\"",
                    ));
                }
                if let Some(clock) = &raw.file_clock {
                    parse_clock(clock.get_ref().as_bytes()).map_err(|error| {
                        self.text.error_at(clock, error, "for example \"03:00\"")
                    })?;
                }
                let clock = raw.file_clock.map(Spanned::into_inner);
                TimeSource::FileName(pattern.into_inner(), clock)
            }
            _ => {
                return Err(self.text.error_at(
                    kind,
                    "the table [time] must say in exactly one way where the time stands",
                    "at; or date (and clock); or from and to; or file_name",
                ));
            }
        };
        let fine = |value: f64| value.is_finite() && value >= 0.0;
        if !fine(raw.sigma_s) || !fine(raw.published_within_h) {
            return Err(self.text.error_at(
                kind,
                "sigma_s and published_within_h cannot be negative",
                "give seconds and hours",
            ));
        }
        Ok(TimeRule {
            source,
            format: raw.format,
            zone,
            date_only_clock,
            dates_only: raw.dates_only,
            sigma_s: raw.sigma_s,
            delay_s: raw.published_within_h * 3600.0,
            available: raw.available,
        })
    }

    fn place(&self, raw: Spanned<PlaceKeys>, format: Format) -> Result<PlaceRule, Diagnostic> {
        const CHECKED: &str = "just checked that it is there";
        let span = raw.span();
        let raw = raw.into_inner();
        let (word, needed, others) = raw.kind.keys();
        let given = raw.given();
        let known: Vec<&str> = ["kind"].iter().chain(needed).chain(others).copied().collect();
        if let Some((key, at)) = given.iter().find(|(key, _)| !known.contains(key)) {
            return Err(self.text.error(
                at.clone(),
                format!("a place of kind `{word}` has no `{key}`"),
                strict::suggestion(key, &known),
            ));
        }
        if let Some(key) = needed.iter().find(|key| !given.iter().any(|(known, _)| known == *key)) {
            return Err(self.text.error(
                span,
                format!("the key `{key}` is missing"),
                format!("a place of kind `{word}` needs {}", needed.join(", ")),
            ));
        }
        let columns = |key: Option<Spanned<Columns>>| key.expect(CHECKED).into_inner();
        let measure = |key: Option<Spanned<NumberKeys>>| number(key.expect(CHECKED).into_inner());
        let constant = |key: &Option<Spanned<NumberKeys>>| match key {
            None => Ok(0.0),
            Some(key) => match key.get_ref() {
                NumberKeys::Constant(number) => Ok(*number),
                _ => Err(self.text.error_at(
                    key,
                    format!("a place of kind `{word}` takes a number here, not a column"),
                    "write the metres",
                )),
            },
        };
        Ok(match raw.kind {
            PlaceKind::Point => PlaceRule::Point {
                lat: columns(raw.lat),
                lon: columns(raw.lon),
                sigma_m: measure(raw.sigma_m),
            },
            PlaceKind::Footprint => PlaceRule::Footprint {
                sigma_m: constant(&raw.sigma_m)?,
                lat: columns(raw.lat),
                lon: columns(raw.lon),
                scan_km: measure(raw.scan_km),
                track_km: measure(raw.track_km),
            },
            PlaceKind::Named => {
                let at = match (raw.lat, raw.lon) {
                    (Some(lat), Some(lon)) => Some((lat.into_inner(), lon.into_inner())),
                    (None, None) => None,
                    (Some(one), None) | (None, Some(one)) => {
                        return Err(self.text.error_at(
                            &one,
                            "lat and lon go together",
                            "give both or neither",
                        ));
                    }
                };
                PlaceRule::Named {
                    name: columns(raw.name),
                    at,
                    radius_m: raw.radius_m.map(|radius| number(radius.into_inner())),
                }
            }
            PlaceKind::Units => {
                let named = raw.columns.expect(CHECKED);
                if named.get_ref().is_empty() {
                    return Err(self.text.error_at(
                        &named,
                        "no column is named",
                        "columns = [\"most specific\", \"less specific\"]",
                    ));
                }
                PlaceRule::Units {
                    columns: named.into_inner(),
                    separators: raw.separators.map(Spanned::into_inner).unwrap_or_default(),
                }
            }
            PlaceKind::Geometry => {
                if format != Format::Geojson {
                    return Err(self.text.error(
                        span,
                        "only geojson has a geometry",
                        "use kind = \"point\" with lat and lon",
                    ));
                }
                PlaceRule::Geometry { sigma_m: constant(&raw.sigma_m)? }
            }
            PlaceKind::None => PlaceRule::None,
        })
    }

    fn table(
        &self,
        raw: TableKeys,
        kind: Kind,
        at: &Spanned<Kind>,
    ) -> Result<TableRule, Diagnostic> {
        let needs: &[(&str, bool)] = match kind {
            Kind::Settlements => &[("name", raw.name.is_some())],
            Kind::Units => &[("code", raw.code.is_some()), ("name", raw.name.is_some())],
            Kind::ControlArea => &[
                ("accuracy_m", raw.accuracy_m.is_some()),
                ("inside", raw.inside.is_some()),
                ("outside", raw.outside.is_some()),
            ],
            Kind::LandUse => &[
                ("lat", raw.lat.is_some()),
                ("lon", raw.lon.is_some()),
                ("shares", !raw.shares.is_empty()),
            ],
            Kind::Stations => &[
                ("name", raw.name.is_some()),
                ("lat", raw.lat.is_some()),
                ("lon", raw.lon.is_some()),
            ],
            Kind::Weather => &[
                ("lat", raw.lat.is_some()),
                ("lon", raw.lon.is_some()),
                ("wind_east", raw.wind_east.is_some()),
                ("wind_north", raw.wind_north.is_some()),
                ("temperature_c", raw.temperature_c.is_some()),
            ],
            Kind::Velocity => &[
                ("depth_km", raw.depth_km.is_some()),
                ("vp_km_s", raw.vp_km_s.is_some()),
                ("vs_km_s", raw.vs_km_s.is_some()),
            ],
            Kind::TravelTimes => &[
                ("distance_deg", raw.distance_deg.is_some()),
                ("travel_s", raw.travel_s.is_some()),
            ],
            Kind::Observations | Kind::Effort | Kind::Land | Kind::Performance => &[],
        };
        if let Some((missing, _)) = needs.iter().find(|(_, present)| !present) {
            return Err(self.text.error_at(
                at,
                format!("the table [table] needs `{missing}` for this kind"),
                "docs/formats.md lists the keys of each kind",
            ));
        }
        Ok(TableRule {
            code: raw.code,
            name: raw.name,
            aliases: raw.aliases.into_iter().map(|name| Columns(vec![name])).collect(),
            alias_separator: raw.alias_separator,
            at: raw.lat.zip(raw.lon),
            population: raw.population,
            unit: raw.unit.map(|unit| (unit.column, unit.first_characters)),
            radius_m: raw.radius_m.unwrap_or(0.0),
            accuracy_m: raw.accuracy_m.unwrap_or(0.0),
            inside: raw.inside.unwrap_or_default(),
            outside: raw.outside.unwrap_or_default(),
            late_days: raw.late_days,
            shares: raw.shares.into_iter().collect(),
            elevation_m: raw.elevation_m,
            array: raw.array,
            air: raw
                .wind_east
                .zip(raw.wind_north)
                .zip(raw.temperature_c)
                .map(|((east, north), temperature)| [east, north, temperature]),
            layer: raw
                .depth_km
                .zip(raw.vp_km_s)
                .zip(raw.vs_km_s)
                .map(|((depth, p), s)| [depth, p, s]),
            deepest_km: raw.deepest_km,
            travel: raw.distance_deg.zip(raw.travel_s).map(|(distance, time)| [distance, time]),
        })
    }
}

fn number(raw: NumberKeys) -> NumberRule {
    match raw {
        NumberKeys::Constant(value) => NumberRule::Constant(value),
        NumberKeys::Column(column) => NumberRule::Column(column),
        NumberKeys::Words { column, words } => NumberRule::Words(column, words),
    }
}

fn observed(raw: ObservedKeys) -> ObservedRule {
    ObservedRule {
        signature: raw.signature,
        classes: raw.classes,
        count: raw.count,
        text: raw.text,
        labels: raw.labels.map(|labels| LabelRule {
            column: labels.column,
            separator: labels.separator,
            contains: labels.contains,
            words: labels.words,
        }),
    }
}

fn measure((name, raw): (String, MeasureKeys)) -> MeasureRule {
    match raw {
        MeasureKeys::Column(column) => {
            let (words, one_of) = (Words::default(), Vec::new());
            MeasureRule { name, column, text: false, words, required: false, one_of, range: None }
        }
        MeasureKeys::Full { column, text, words, required, one_of, range } => {
            MeasureRule { name, column, text, words, required, one_of, range }
        }
    }
}
