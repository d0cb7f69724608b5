//! Detections of infrasound arrays in, sources with probability out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use associate::account::Account;
use associate::arrays::{
    ARRAY_FEATURES, ArrayDetection, ArrayEvent, ArrayModel, Engine, KINDS, associate as engine,
};
use associate::effort::effort;
use associate::stream::{Stream, Wait};
use associate::{ENGINE_VERSION, Station};
use domain::event::Wave;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value};

use super::read::Quarantine;
use super::releases::{Followed, Kept};
use super::write::{self, Cost, Sink};
use super::{AssociateArgs, Explained, Ran};
use crate::account::Told;
use crate::{Outcome, output};

/// How the files are called.
const ENDING: &str = ".dets.json";
/// When a detection was made, and when it was received; the second is ours.
const TIME: &str = "Time (UTC)";
const RECEIVED: &str = "Received (UTC)";
/// Columns of events.csv.
const COLUMNS: &str =
    "event,time,t_s,lat,lon,prob,c_xx,c_xy,c_yy,c_tt,evidence,arrays,hits,features";

/// The files of arrays in a folder, by name; none if it holds rows of other kinds.
pub(crate) fn files(data: &Path) -> Result<Vec<PathBuf>> {
    let others = ["detections.csv", "detections.ndjson", "picks.csv", "picks.ndjson"];
    if !data.is_dir() || others.iter().any(|name| data.join(name).is_file()) {
        return Ok(Vec::new());
    }
    let listed = fs::read_dir(data).with_context(|| format!("reading {}", data.display()))?;
    let mut files = Vec::new();
    for entry in listed {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(ENDING) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A detection with its name.
struct Row {
    name: String,
    file: String,
    number: u64,
    time: Timestamp,
    /// When it came in; if its file does not say, as it happened.
    received: Timestamp,
    lat: f64,
    lon: f64,
    azimuth_deg: f64,
}

impl Row {
    fn is_at(&self, place: &Station) -> bool {
        self.lat == place.lat && self.lon == place.lon
    }
}

/// The model in a file, or the built-in one.
pub(crate) fn model_of(path: Option<&Path>) -> Result<ArrayModel> {
    let Some(path) = path else { return Ok(ArrayModel::built_in()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    ArrayModel::parse(&text).with_context(|| format!("reading the model in {}", path.display()))
}

/// The events of a set by a model when these were waited for, with times that count from
/// the midnight before its first detection.
pub(crate) fn events(data: &Path, model: &ArrayModel, wait: Wait) -> Result<Vec<ArrayEvent>> {
    let mut quarantine = Quarantine::create(None)?;
    let mut rows = Vec::new();
    for file in files(data)? {
        read(&file, &mut rows, &mut quarantine)?;
    }
    let set = Set::of(rows, model.clone());
    if wait == Wait::Everyone {
        return Ok(set.run(None, quarantine)?.1);
    }
    let mut engine = Engine::new(&set.places, &[], model, wait);
    engine.push(&set.detections());
    Ok(engine.advance(f64::INFINITY))
}

/// Associates the detections in files of arrays and writes what came of it.
pub(super) fn associate(args: &AssociateArgs, files: &[PathBuf]) -> Result<Outcome> {
    super::refuse(args, "infrasound arrays", &[(args.velocity.is_some(), "--velocity")])?;
    let model = model_of(args.model.as_deref())?;
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let path = args.out.join("quarantine.csv");
    let mut quarantine = Quarantine::create(Some(&path))?;
    let mut rows = Vec::new();
    for file in files {
        read(file, &mut rows, &mut quarantine)?;
    }
    let set = Set::of(rows, model);
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    let mut put = |event: &ArrayEvent| {
        let name = format!("A{}", event.number);
        let of = event.rows.iter().map(|row| (set.rows[*row as usize].name.as_str(), None));
        sink.event(&name, &line(&name, event, set.zero)?, event.probability, of)
    };
    let ran = if args.releases {
        set.follow(args, quarantine, &mut put)?
    } else {
        let (ran, events) = set.run(asked, quarantine)?;
        events.iter().try_for_each(&mut put)?;
        ran
    };
    super::explained(args, ran.told.as_ref())?;
    let mut summary = sink.finish(&set.model.version, &ran)?.finish(&start);
    summary.engine_version = ENGINE_VERSION;
    summary.t0 = Some(set.zero.to_string());
    output::line(&format!("{} files of arrays at {} places", files.len(), set.places.len()))?;
    super::told(&args.out, &summary)
}

/// Detections in order of time.
struct Set {
    model: ArrayModel,
    rows: Vec<Row>,
    places: Vec<Station>,
    /// Times count from the midnight before the first.
    zero: Timestamp,
}

impl Set {
    fn of(mut rows: Vec<Row>, model: ArrayModel) -> Self {
        rows.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.name.cmp(&b.name)));
        let zero = rows.first().map_or(Timestamp::UNIX_EPOCH, |row| midnight(row.time));
        Self { model, places: places(&rows), rows, zero }
    }

    fn seconds(&self, time: Timestamp) -> f64 {
        (time.as_microsecond() - self.zero.as_microsecond()) as f64 / 1e6
    }

    fn detections(&self) -> Vec<ArrayDetection> {
        let detection = |(number, row): (u32, &Row)| ArrayDetection {
            station: self.places.iter().position(|s| row.is_at(s)).unwrap_or(self.places.len())
                as u32,
            t_s: self.seconds(row.time),
            azimuth_deg: row.azimuth_deg,
            row: number,
        };
        (0..).zip(&self.rows).map(detection).collect()
    }

    /// Associates all of them.
    fn run(
        &self,
        asked: Option<u32>,
        mut quarantine: Quarantine,
    ) -> Result<(Ran, Vec<ArrayEvent>)> {
        let detections = self.detections();
        let before = write::cpu_seconds();
        let ask =
            |events: &[ArrayEvent]| events.iter().position(|event| Some(event.number) == asked);
        let found = engine(&self.places, &[], &detections, &self.model, &ask);
        let cpu = write::cpu_seconds() - before;
        for rejected in &found.rejected {
            let row = &self.rows[rejected.row as usize];
            quarantine.row(&row.file, row.number, rejected.field, rejected.reason)?;
        }
        let (first, last) =
            (detections.first().map_or(0.0, |d| d.t_s), detections.last().map_or(0.0, |d| d.t_s));
        let told = found.account.as_ref().and_then(|account| {
            let event = found.events.iter().find(|event| event.number == account.event)?;
            Some(explain(event, account, self))
        });
        let ran = Ran {
            stations: self.places.len(),
            detections: self.rows.len() as u64,
            quarantined: quarantine.finish()?,
            searches: found.searches,
            effort: effort(self.places.len() as u32, &[], first, last),
            cpu,
            told,
        };
        Ok((ran, found.events))
    }

    /// Follows them in the order of their reception.
    fn follow(
        &self,
        args: &AssociateArgs,
        quarantine: Quarantine,
        put: &mut dyn FnMut(&ArrayEvent) -> Result<()>,
    ) -> Result<Ran> {
        let detections = self.detections().into_iter().zip(&self.rows);
        let mut received: Vec<(f64, Option<ArrayDetection>)> =
            detections.map(|(d, row)| (self.seconds(row.received), Some(d))).collect();
        received.sort_by(|a, b| a.0.total_cmp(&b.0));
        let told = |row: u32| {
            let row = &self.rows[row as usize];
            (row.name.as_str(), row.file.as_str(), row.number)
        };
        let followed = Followed {
            received: Kept::new(received, &told),
            stations: self.places.len(),
            outages: &[],
            quarantine,
        };
        let mut stream = Stream::of_arrays(&self.places, &[], &self.model);
        let released = followed
            .run(&args.out, &mut stream, |events, _| events.iter().try_for_each(&mut *put))?;
        released.say()?;
        Ok(released.ran)
    }
}

/// The places of the arrays, from south to north; named after the file of their
/// first detection.
fn places(rows: &[Row]) -> Vec<Station> {
    let mut places: Vec<Station> = Vec::new();
    for row in rows {
        if !places.iter().any(|place| row.is_at(place)) {
            let name = row.file.trim_end_matches(ENDING).to_owned();
            places.push(Station { name, lat: row.lat, lon: row.lon, elev_m: 0.0 });
        }
    }
    places.sort_by(|a, b| a.lat.total_cmp(&b.lat).then(a.lon.total_cmp(&b.lon)));
    places
}

fn explain(event: &ArrayEvent, account: &Account, set: &Set) -> Explained {
    let alike = 1.0 / KINDS.len() as f64;
    Explained::of(&Told {
        account,
        event: format!("A{}", event.number),
        at: (event.lat, event.lon),
        covariance: event.covariance,
        level_db: None,
        magnitude: None,
        depth_km: None,
        wave: Wave::Infrasound,
        made_by: KINDS.map(|kind| (kind.to_owned(), alike)).into(),
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| set.places[number as usize].name.clone(),
        detection: &|row| set.rows[row as usize].name.clone(),
        moment: &|t_s| {
            moment(set.zero, t_s).map_or_else(|_| format!("t = {t_s:.0} s"), |t| format!("{t:.0}"))
        },
    })
}

fn moment(zero: Timestamp, t_s: f64) -> Result<Timestamp> {
    Ok(zero.checked_add(((t_s * 1e3).round() as i64).milliseconds())?)
}

fn midnight(time: Timestamp) -> Timestamp {
    let day = time.to_zoned(TimeZone::UTC).date();
    day.to_zoned(TimeZone::UTC).map_or(time, |zoned| zoned.timestamp())
}

fn line(name: &str, e: &ArrayEvent, zero: Timestamp) -> Result<String> {
    let time = moment(zero, e.t_s)?;
    let features = e.features.0.iter().take(ARRAY_FEATURES.len());
    let features: Vec<String> = features.map(|f| format!("{f:.4}")).collect();
    Ok(format!(
        "{name},{time:.0},{:.3},{:.5},{:.5},{:.4},{:.0},{:.0},{:.0},{:.1},{:.4},{},{},{}\n",
        e.t_s,
        e.lat,
        e.lon,
        e.probability,
        e.covariance[0],
        e.covariance[1],
        e.covariance[2],
        e.var_t,
        e.evidence,
        e.arrays,
        e.rows.len(),
        features.join(" ")
    ))
}

/// Reads a file of detections as `InfraPy` writes it: a list of objects.
fn read(path: &Path, rows: &mut Vec<Row>, quarantine: &mut Quarantine) -> Result<()> {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let list: Vec<Value> = serde_json::from_str(&text).with_context(|| {
        format!("{}: not a list of detections as InfraPy writes it", path.display())
    })?;
    let stem = name.trim_end_matches(ENDING).to_owned();
    for (number, value) in (1..).zip(&list) {
        match row(value, &name, &stem, number) {
            Ok(row) => rows.push(row),
            // Lines mean little in JSON: the number is that of the detection.
            Err((field, reason)) => quarantine.row(&name, number, field, &reason)?,
        }
    }
    Ok(())
}

fn row(value: &Value, file: &str, stem: &str, number: u64) -> Result<Row, (&'static str, String)> {
    let Some(object) = value.as_object() else {
        return Err(("detection", "not an object with fields".into()));
    };
    let at = time(object, TIME)?;
    let received = match object.get(RECEIVED) {
        None | Some(Value::Null) => at,
        Some(_) => time(object, RECEIVED)?,
    };
    if at > received {
        return Err((TIME, format!("later than its reception, {received}")));
    }
    let lat = number_of(object, "Latitude", -90.0, 90.0)?;
    let lon = number_of(object, "Longitude", -180.0, 180.0)?;
    // Written from -180 to 180 as well as from 0 to 360.
    let azimuth_deg = number_of(object, "Back Azimuth", -360.0, 360.0)?;
    let (name, file) = (format!("{stem}:{number}"), file.to_owned());
    Ok(Row { name, file, number, time: at, received, lat, lon, azimuth_deg })
}

fn time(
    object: &Map<String, Value>,
    field: &'static str,
) -> Result<Timestamp, (&'static str, String)> {
    let Some(text) = object.get(field).and_then(Value::as_str) else {
        return Err((field, "is missing".into()));
    };
    let wrong = |_| (field, format!("`{text}` is no date and time"));
    let civil: DateTime = text.trim_end_matches('Z').parse().map_err(wrong)?;
    civil.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(wrong)
}

fn number_of(
    object: &Map<String, Value>,
    field: &'static str,
    min: f64,
    max: f64,
) -> Result<f64, (&'static str, String)> {
    match object.get(field) {
        None | Some(Value::Null) => Err((field, "is missing".into())),
        Some(value) => match value.as_f64() {
            Some(number) if (min..=max).contains(&number) => Ok(number),
            Some(number) => Err((field, format!("{number} is outside {min} to {max}"))),
            None => Err((field, format!("`{value}` is not a number"))),
        },
    }
}
