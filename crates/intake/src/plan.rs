//! A mapping bound to the columns of one file: turns a row into an observation
//! or an effort, or says what is wrong with it.

use compact_str::CompactString;
use domain::effort::EffortState;
use domain::measures::{Measures, Names};
use domain::{
    Bounds, Covariance, Effort, Footprint, Interval, LatLon, Observation, Value, When, Where, Zone,
};
use jiff::Timestamp;

use crate::clock::Reading;
use crate::mapping::{Covers, LabelRule, Mapping, NumberRule, PlaceRule, TimeRule, TimeSource};
use crate::problem::{Problem, Refused};
use crate::row::{Column, Columns, Header, Row, parse_number};
use crate::words::Words;

/// What a file brings along besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Name without folders; some layouts have their date in it.
    pub file_name: &'a str,
    /// The zone of the case, for local times whose mapping names none.
    pub zone: &'a Zone,
    /// The area of the case, by which swapped coordinates are noticed.
    pub area: Option<Bounds>,
}

#[derive(Debug)]
pub(crate) enum Number {
    Constant(f64),
    Column(Column),
    Words(Column, Words<f64>),
}

impl Number {
    pub(crate) fn bind(rule: &NumberRule, header: &Header) -> Result<Self, Refused> {
        Ok(match rule {
            NumberRule::Constant(value) => Self::Constant(*value),
            NumberRule::Column(column) => Self::Column(header.require(column)?),
            NumberRule::Words(column, words) => Self::Words(header.require(column)?, words.clone()),
        })
    }

    pub(crate) fn of(&self, row: &Row<'_>) -> Result<f64, Problem> {
        match self {
            Self::Constant(value) => Ok(*value),
            Self::Column(column) => row.number(column),
            Self::Words(column, words) => words
                .get(row.bytes_of(column))
                .copied()
                .ok_or_else(|| unknown_word(row, column, words)),
        }
    }

    /// A length that makes sense.
    fn length(&self, row: &Row<'_>, what: &str) -> Result<f64, Problem> {
        let value = self.of(row)?;
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        let field = match self {
            Self::Constant(_) => what,
            Self::Column(column) | Self::Words(column, _) => &column.name,
        };
        Err(Problem::in_field(field, format!("{value} is not a length")))
    }
}

#[cold]
fn unknown_word<T>(row: &Row<'_>, column: &Column, words: &Words<T>) -> Problem {
    let text = String::from_utf8_lossy(row.bytes_of(column));
    Problem::in_field(&column.name, format!("`{text}` is not one of {}", words.listed()))
}

/// How the time of a row is found.
#[derive(Debug)]
pub(crate) struct TimePlan<'m> {
    rule: &'m TimeRule,
    zone: &'m Zone,
    source: TimeColumns,
    available: Option<Column>,
    reader: TimeReader<'m>,
}

/// Reads the time in a field. Remembers the last text and what it meant, since
/// neighbouring rows tend to share their date.
#[derive(Debug)]
struct TimeReader<'m> {
    rule: &'m TimeRule,
    text: Vec<u8>,
    meaning: Option<Reading>,
}

#[derive(Debug)]
enum TimeColumns {
    At(Column),
    DateAndClock(Column, Option<Column>),
    Span { from: Column, to: Column, lasting: bool, assumed_end: Option<(Column, String)> },
    File(Reading),
}

impl TimeReader<'_> {
    fn reading(&mut self, row: &Row<'_>, column: &Column) -> Result<Reading, Problem> {
        let bytes = row.bytes_of(column);
        if let Some(meaning) = self.meaning
            && self.text == bytes
        {
            return Ok(meaning);
        }
        let text = row.text(column)?;
        if text.is_empty() {
            return Err(Problem::in_field(&column.name, "empty where a time is needed"));
        }
        let reading = Reading::parse(text, self.rule.format.as_deref())
            .map_err(|reason| Problem::in_field(&column.name, reason))?;
        let meaning = match reading.without_mark(self.rule.date_only_clock) {
            Reading::Local(local) if self.rule.dates_only => Reading::Date(local.date()),
            other => other,
        };
        self.text.clear();
        self.text.extend_from_slice(bytes);
        self.meaning = Some(meaning);
        Ok(meaning)
    }
}

impl<'m> TimePlan<'m> {
    pub(crate) fn bind(
        rule: &'m TimeRule,
        zone: &'m Zone,
        header: &Header,
        file_name: &str,
    ) -> Result<Self, Refused> {
        let source = match &rule.source {
            TimeSource::At(at) => TimeColumns::At(header.require(at)?),
            TimeSource::DateAndClock(date, clock) => {
                let clock = clock.as_ref().map(|clock| header.require(clock)).transpose()?;
                TimeColumns::DateAndClock(header.require(date)?, clock)
            }
            TimeSource::Span { from, to, lasting, assumed_end } => TimeColumns::Span {
                from: header.require(from)?,
                to: header.require(to)?,
                lasting: *lasting,
                assumed_end: assumed_end
                    .as_ref()
                    .and_then(|(column, is)| Some((header.find(column)?, is.clone()))),
            },
            TimeSource::FileName(pattern, clock) => {
                let mut reading = Reading::parse(file_name, Some(pattern))
                    .map_err(|_| Refused::Content(format!("the name `{file_name}` does not have the form {pattern}, so its date is not known")))?;
                if let Some(clock) = clock {
                    reading = reading.with_clock(clock.as_bytes()).map_err(Refused::Content)?;
                }
                TimeColumns::File(reading)
            }
        };
        let available = rule.available.as_ref().and_then(|columns| header.find(columns));
        let reader = TimeReader { rule, text: Vec::new(), meaning: None };
        Ok(Self { rule, zone, source, available, reader })
    }

    pub(crate) fn when(&mut self, row: &Row<'_>) -> Result<When, Problem> {
        match &self.source {
            TimeColumns::At(at) => {
                Ok(self.reader.reading(row, at)?.when(self.zone, self.rule.sigma_s))
            }
            TimeColumns::DateAndClock(date, clock) => {
                let mut reading = self.reader.reading(row, date)?;
                if let Some(clock) = clock {
                    reading = reading
                        .with_clock(row.bytes_of(clock))
                        .map_err(|reason| Problem::in_field(&clock.name, reason))?;
                }
                Ok(reading.when(self.zone, self.rule.sigma_s))
            }
            TimeColumns::Span { from, to, lasting, assumed_end } => {
                let end_assumed = match assumed_end {
                    Some((column, is)) => row.text(column)? == is,
                    None => false,
                };
                let start = self.reader.reading(row, from)?;
                let end = match row.text(to)? {
                    "" => None,
                    _ => Some(self.reader.reading(row, to)?),
                };
                self.span(start, end, *lasting, end_assumed)
                    .map_err(|reason| Problem::in_field(&to.name, reason))
            }
            TimeColumns::File(reading) => Ok(reading.when(self.zone, self.rule.sigma_s)),
        }
    }

    /// An end that is missing was not seen.
    fn span(
        &self,
        start: Reading,
        end: Option<Reading>,
        lasting: bool,
        end_assumed: bool,
    ) -> Result<When, String> {
        let open_ended = end.is_none();
        let end = end.unwrap_or(start);
        if let (Reading::Date(first), Reading::Date(last)) = (start, end)
            && first == last
        {
            return Ok(When::Day { date: first, zone: self.zone.clone() });
        }
        let (first, last) = (start.interval(self.zone), end.interval(self.zone));
        let Some(interval) = Interval::new(first.from, last.to) else {
            return Err(format!("the end {} lies before the start {}", last.to, first.from));
        };
        let dates = matches!(start, Reading::Date(_)) || matches!(end, Reading::Date(_));
        Ok(if lasting && !dates {
            When::During { interval, end_assumed: end_assumed || open_ended }
        } else if interval.from == interval.to {
            When::Instant { at: interval.from, sigma_s: self.rule.sigma_s }
        } else {
            When::Within(interval)
        })
    }

    fn available(&self, row: &Row<'_>) -> Result<Option<Timestamp>, Problem> {
        let Some(column) = &self.available else { return Ok(None) };
        let Some(text) = row.optional_text(Some(column))? else { return Ok(None) };
        let reading =
            Reading::parse(text, None).map_err(|reason| Problem::in_field(&column.name, reason))?;
        // Not before the end of what the reading can mean.
        Ok(Some(reading.interval(self.zone).to))
    }
}

#[derive(Debug)]
enum PlacePlan<'m> {
    Point { at: (Column, Column), sigma_m: Number },
    Footprint { at: (Column, Column), scan_km: Number, track_km: Number, sigma_m: f64 },
    Named { name: Column, at: Option<(Column, Column)>, radius_m: Option<Number> },
    Units { columns: Vec<Column>, separators: &'m [String] },
    Geometry { sigma_m: f64 },
    None,
}

/// Measure under which the publisher's own labels are kept.
const LABELS: &str = "labels";

/// A mapping of observations bound to one file.
#[derive(Debug)]
pub(crate) struct ObservationPlan<'m> {
    mapping: &'m Mapping,
    time: TimePlan<'m>,
    place: PlacePlan<'m>,
    area: Option<Bounds>,
    count: Option<Column>,
    text: Option<Column>,
    labels: Option<(Column, &'m LabelRule)>,
    labels_at: usize,
    measures: Vec<(&'m crate::mapping::MeasureRule, Column, usize)>,
    current: Observation,
}

fn bind_position(
    header: &Header,
    lat: &Columns,
    lon: &Columns,
) -> Result<(Column, Column), Refused> {
    Ok((header.require(lat)?, header.require(lon)?))
}

/// Reads a position and notices when its two numbers are swapped.
pub(crate) fn position(
    row: &Row<'_>,
    (lat, lon): &(Column, Column),
    area: Option<&Bounds>,
) -> Result<LatLon, Problem> {
    let (lat_value, lon_value) = (row.number(lat)?, row.number(lon)?);
    let at = LatLon::new(lat_value, lon_value)
        .map_err(|error| Problem::in_field(&lat.name, error.to_string()))?;
    if let Some(area) = area
        && !area.contains(at)
        && area.contains_numbers(lon_value, lat_value)
    {
        let reason = format!(
            "latitude {lat_value}, longitude {lon_value} lies outside the area of the case, but inside \
             with the two swapped: the columns are probably swapped"
        );
        return Err(Problem::in_field(&lat.name, reason));
    }
    Ok(at)
}

impl<'m> ObservationPlan<'m> {
    pub(crate) fn bind(
        mapping: &'m Mapping,
        header: &Header,
        context: Context<'m>,
    ) -> Result<Self, Refused> {
        let zone = mapping.zone(context.zone);
        let rule = mapping.time.as_ref().expect("checked when the mapping was read");
        let observed = mapping.observed.as_ref().expect("checked when the mapping was read");
        let place = match &mapping.place {
            PlaceRule::Point { lat, lon, sigma_m } => PlacePlan::Point {
                at: bind_position(header, lat, lon)?,
                sigma_m: Number::bind(sigma_m, header)?,
            },
            PlaceRule::Footprint { lat, lon, scan_km, track_km, sigma_m } => PlacePlan::Footprint {
                at: bind_position(header, lat, lon)?,
                scan_km: Number::bind(scan_km, header)?,
                track_km: Number::bind(track_km, header)?,
                sigma_m: *sigma_m,
            },
            PlaceRule::Named { name, at, radius_m } => PlacePlan::Named {
                name: header.require(name)?,
                at: at.as_ref().map(|(lat, lon)| bind_position(header, lat, lon)).transpose()?,
                radius_m: radius_m.as_ref().map(|rule| Number::bind(rule, header)).transpose()?,
            },
            PlaceRule::Units { columns, separators } => PlacePlan::Units {
                columns: columns
                    .iter()
                    .map(|name| header.require(&Columns(vec![name.clone()])))
                    .collect::<Result<_, _>>()?,
                separators,
            },
            PlaceRule::Geometry { sigma_m } => PlacePlan::Geometry { sigma_m: *sigma_m },
            PlaceRule::None => PlacePlan::None,
        };
        let labels = match &observed.labels {
            Some(rule) => Some((header.require(&rule.column)?, rule)),
            None => None,
        };
        for needed in mapping.measures.iter().filter(|measure| measure.required) {
            header.require(&needed.column)?;
        }
        // Any other measure whose column is not there is simply not there:
        // layouts of one family differ in them.
        let present: Vec<_> = mapping
            .measures
            .iter()
            .filter_map(|measure| Some((measure, header.find(&measure.column)?)))
            .collect();
        let measured = present.iter().map(|(measure, _)| measure.name.as_str().into());
        let names = Names::new(measured.chain(labels.iter().map(|_| LABELS.into())));
        Ok(Self {
            mapping,
            time: TimePlan::bind(rule, zone, header, context.file_name)?,
            place,
            area: context.area,
            count: observed.count.as_ref().map(|count| header.require(count)).transpose()?,
            text: observed.text.as_ref().map(|text| header.require(text)).transpose()?,
            labels,
            labels_at: names.position(LABELS).unwrap_or(0),
            measures: present
                .into_iter()
                .map(|(measure, column)| {
                    let at = names.position(&measure.name).expect("just put there");
                    (measure, column, at)
                })
                .collect(),
            current: Observation {
                when: When::Instant { at: Timestamp::UNIX_EPOCH, sigma_s: 0.0 },
                delay_s: rule.delay_s,
                available: None,
                place: Where::Unknown,
                signature: observed.signature,
                classes: Vec::new(),
                count: None,
                measures: Measures::new(&names),
                text: None,
            },
        })
    }

    /// The observation in a row. `geometry`: the feature's own, if the format
    /// has one.
    pub(crate) fn observe(
        &mut self,
        row: &Row<'_>,
        geometry: Option<&geojson::Geometry>,
    ) -> Result<&Observation, Problem> {
        // The last observation is written over: its parts are used again.
        let observed = self.mapping.observed.as_ref().expect("checked when the mapping was read");
        self.current.signature = observed.signature;
        self.current.classes.clone_from(&observed.classes);
        if let Some((column, rule)) = &self.labels {
            let text = row.text(column)?;
            apply_labels(rule, text, &mut self.current.signature, &mut self.current.classes);
            let labels = (!text.is_empty()).then(|| Value::Text(text.into()));
            self.current.measures.set(self.labels_at, labels);
        }
        for (rule, column, at) in &self.measures {
            self.current.measures.set(*at, measured(rule, column, row)?);
        }
        self.current.count = row.optional_number(self.count.as_ref())?;
        if let (Some(count), Some(column)) = (self.current.count, &self.count)
            && count < 0.0
        {
            return Err(Problem::in_field(&column.name, format!("{count} is not a count")));
        }
        self.current.when = self.time.when(row)?;
        self.current.available = self.time.available(row)?;
        self.current.place = self.place(row, geometry)?;
        self.current.text = row.optional_text(self.text.as_ref())?.map(str::to_owned);
        Ok(&self.current)
    }

    fn place(&self, row: &Row<'_>, geometry: Option<&geojson::Geometry>) -> Result<Where, Problem> {
        Ok(match &self.place {
            PlacePlan::Point { at, sigma_m } => Where::Point {
                at: position(row, at, self.area.as_ref())?,
                covariance: Covariance::circular(sigma_m.length(row, "sigma_m")?),
            },
            PlacePlan::Footprint { at, scan_km, track_km, sigma_m } => Where::Footprint {
                at: position(row, at, self.area.as_ref())?,
                scan_km: scan_km.length(row, "scan_km")?,
                track_km: track_km.length(row, "track_km")?,
                sigma_m: *sigma_m,
            },
            PlacePlan::Named { name, at, radius_m } => {
                let at = match at {
                    // Both empty: the publisher had a name only.
                    Some((lat, lon))
                        if row.bytes_of(lat).is_empty() && row.bytes_of(lon).is_empty() =>
                    {
                        None
                    }
                    Some(at) => Some(position(row, at, self.area.as_ref())?),
                    None => None,
                };
                let radius_m =
                    radius_m.as_ref().map_or(Ok(0.0), |number| number.length(row, "radius_m"))?;
                match (row.text(name)?, at) {
                    ("", None) => Where::Unknown,
                    (name, at) => Where::Named { name: name.to_owned(), at, radius_m },
                }
            }
            PlacePlan::Units { columns, separators } => units(row, columns, separators)?,
            PlacePlan::Geometry { sigma_m } => {
                from_geometry(geometry, *sigma_m, self.area.as_ref())?
            }
            PlacePlan::None => Where::Unknown,
        })
    }
}

/// The most specific column that says anything.
fn units(row: &Row<'_>, columns: &[Column], separators: &[String]) -> Result<Where, Problem> {
    for column in columns {
        let text = row.text(column)?;
        if text.is_empty() || text.eq_ignore_ascii_case("nan") {
            continue;
        }
        let mut parts = vec![text];
        for separator in separators {
            parts = parts.into_iter().flat_map(|part| part.split(separator.as_str())).collect();
        }
        let mut units: Vec<String> = Vec::new();
        for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
            if !units.iter().any(|known| known == part) {
                units.push(part.to_owned());
            }
        }
        if !units.is_empty() {
            return Ok(Where::Admin { units });
        }
    }
    Ok(Where::Unknown)
}

fn from_geometry(
    geometry: Option<&geojson::Geometry>,
    sigma_m: f64,
    area: Option<&Bounds>,
) -> Result<Where, Problem> {
    use geojson::GeometryValue;
    let Some(geometry) = geometry else { return Ok(Where::Unknown) };
    let at = |position: &geojson::Position| {
        let [lon, lat, ..] = *position.as_slice() else {
            return Err(Problem::in_field(
                "geometry",
                "a position needs a longitude and a latitude",
            ));
        };
        let at = LatLon::new(lat, lon)
            .map_err(|error| Problem::in_field("geometry", error.to_string()))?;
        match area {
            Some(area) if !area.contains(at) && area.contains_numbers(lon, lat) => {
                Err(Problem::in_field(
                    "geometry",
                    format!(
                        "{lon}, {lat} lies outside the area of the case, but inside with the two swapped: GeoJSON writes longitude first"
                    ),
                ))
            }
            _ => Ok(at),
        }
    };
    match &geometry.value {
        GeometryValue::Point { coordinates } => {
            Ok(Where::Point { at: at(coordinates)?, covariance: Covariance::circular(sigma_m) })
        }
        GeometryValue::LineString { coordinates } => {
            Ok(Where::Line { vertices: coordinates.iter().map(at).collect::<Result<_, _>>()? })
        }
        GeometryValue::Polygon { coordinates } => {
            let ring =
                |ring: &Vec<geojson::Position>| ring.iter().map(at).collect::<Result<Vec<_>, _>>();
            Ok(Where::Polygon { rings: coordinates.iter().map(ring).collect::<Result<_, _>>()? })
        }
        other => Err(Problem::in_field(
            "geometry",
            format!(
                "a {} cannot be the place of one observation; Point, LineString and Polygon can",
                other.type_name()
            ),
        )),
    }
}

/// The first label with a signature decides the signature; every label with a
/// class adds it.
fn apply_labels(
    rule: &LabelRule,
    text: &str,
    signature: &mut domain::Signature,
    classes: &mut Vec<domain::Class>,
) {
    let labels: Vec<&str> = match &rule.separator {
        Some(separator) => text.split(separator.as_str()).map(str::trim).collect(),
        None => vec![text],
    };
    let mut decided = false;
    for label in labels {
        let meaning = if rule.contains {
            rule.words.contained_in(label)
        } else {
            rule.words.get(label.as_bytes())
        };
        let Some(meaning) = meaning else { continue };
        if let Some(meant) = meaning.signature
            && !decided
        {
            *signature = meant;
            decided = true;
        }
        if let Some(class) = meaning.class
            && !classes.contains(&class)
        {
            classes.push(class);
        }
    }
}

fn measured(
    rule: &crate::mapping::MeasureRule,
    column: &Column,
    row: &Row<'_>,
) -> Result<Option<Value>, Problem> {
    let bytes = row.bytes_of(column);
    if bytes.is_empty() {
        if rule.required {
            return Err(Problem::in_field(&column.name, "empty where it is needed"));
        }
        return Ok(None);
    }
    if !rule.one_of.is_empty() && !rule.one_of.iter().any(|word| word.as_bytes() == bytes) {
        let text: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
        let reason = format!("`{text}` is not one of {}", rule.one_of.join(", "));
        return Err(Problem::in_field(&column.name, reason));
    }
    if let Some([least, most]) = rule.range {
        let number = row.number(column)?;
        if !(least..=most).contains(&number) {
            let reason = format!("{number} is not from {least} to {most}");
            return Err(Problem::in_field(&column.name, reason));
        }
        return Ok(Some(Value::Number(number)));
    }
    // A measure is a by-product: one that is not a number is kept as words
    // rather than costing the whole row.
    if !rule.text {
        if !rule.words.is_empty()
            && let Some(number) = rule.words.get(bytes)
        {
            return Ok(Some(Value::Number(*number)));
        }
        if let Ok(number) = parse_number(bytes) {
            return Ok(Some(Value::Number(number)));
        }
    }
    match CompactString::from_utf8(bytes) {
        Ok(text) => Ok(Some(Value::Text(text))),
        Err(_) => row.text(column).map(|text| Some(Value::Text(text.into()))),
    }
}

/// A mapping of effort bound to one file.
#[derive(Debug)]
pub(crate) struct EffortPlan<'m> {
    mapping: &'m Mapping,
    zone: &'m Zone,
    time: TimePlan<'m>,
    area: Option<Bounds>,
    part: Option<Column>,
    state: Option<(Column, &'m Words<EffortState>)>,
    circle: Option<((Column, Column), Number)>,
}

impl<'m> EffortPlan<'m> {
    pub(crate) fn bind(
        mapping: &'m Mapping,
        header: &Header,
        context: Context<'m>,
    ) -> Result<Self, Refused> {
        let zone = mapping.zone(context.zone);
        let rule = mapping.time.as_ref().expect("checked when the mapping was read");
        let effort = mapping.effort.as_ref().expect("checked when the mapping was read");
        let circle = match &effort.circle {
            Some((lat, lon, radius)) => {
                Some((bind_position(header, lat, lon)?, Number::bind(radius, header)?))
            }
            None => None,
        };
        Ok(Self {
            mapping,
            zone,
            time: TimePlan::bind(rule, zone, header, context.file_name)?,
            area: context.area,
            part: effort.part.as_ref().map(|part| header.require(part)).transpose()?,
            state: effort
                .state
                .as_ref()
                .map(|(column, words)| Ok::<_, Refused>((header.require(column)?, words)))
                .transpose()?,
            circle,
        })
    }

    pub(crate) fn effort(&mut self, row: &Row<'_>) -> Result<Effort, Problem> {
        let rule = self.mapping.effort.as_ref().expect("checked when the mapping was read");
        let when = self.time.when(row)?;
        let interval = match rule.covers {
            Covers::Span => when.interval(),
            Covers::DayBefore => {
                let date = self.zone.date(when.interval().from);
                self.zone.day(date.yesterday().unwrap_or(date))
            }
        };
        let state = match &self.state {
            None => EffortState::Up,
            Some((column, words)) => {
                let state = words
                    .get(row.bytes_of(column))
                    .copied()
                    .ok_or_else(|| unknown_word(row, column, words))?;
                if let EffortState::Degraded(share) = state
                    && !(0.0..=1.0).contains(&share)
                {
                    return Err(Problem::in_field(
                        &column.name,
                        format!("{share} is not a share between 0 and 1"),
                    ));
                }
                state
            }
        };
        let footprint = match &self.circle {
            Some((at, radius)) => Footprint::Circle {
                at: position(row, at, self.area.as_ref())?,
                radius_m: radius.length(row, "radius_m")?,
            },
            None => self.area.map_or(Footprint::Everywhere, Footprint::Box),
        };
        Ok(Effort {
            part: row.optional_text(self.part.as_ref())?.unwrap_or_default().to_owned(),
            interval,
            footprint,
            state,
            sensitivity: rule.sensitivity.clone(),
        })
    }
}
