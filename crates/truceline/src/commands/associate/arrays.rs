//! Detections of infrasound arrays in, sources with probability out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use associate::account::Account;
use associate::arrays::{ArrayDetection, ArrayEvent, Found, KINDS, associate as engine};
use associate::effort::effort;
use associate::{ENGINE_VERSION, Station};
use domain::event::Wave;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value};

use super::read::Quarantine;
use super::write::{self, Cost, Sink};
use super::{AssociateArgs, Explained, Ran};
use crate::account::Told;
use crate::{Outcome, output};

/// How the files are called.
const ENDING: &str = ".dets.json";
/// Columns of events.csv.
const COLUMNS: &str = "event,time,t_s,lat,lon,prob,c_xx,c_xy,c_yy,c_tt,evidence,arrays,hits";

/// The files of arrays in a folder, by name; none if it holds rows of other kinds.
pub(super) fn files(data: &Path) -> Result<Vec<PathBuf>> {
    let others = ["detections.csv", "detections.ndjson", "picks.csv"];
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
    lat: f64,
    lon: f64,
    azimuth_deg: f64,
}

impl Row {
    fn is_at(&self, place: &Station) -> bool {
        self.lat == place.lat && self.lon == place.lon
    }
}

/// Associates the detections in files of arrays and writes what came of it.
pub(super) fn associate(args: &AssociateArgs, files: &[PathBuf]) -> Result<Outcome> {
    let given = [
        (args.releases, "--releases"),
        (args.model.is_some(), "--model"),
        (args.velocity.is_some(), "--velocity"),
    ];
    super::refuse(args, "infrasound arrays", &given)?;
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let path = args.out.join("quarantine.csv");
    let mut quarantine = Quarantine::create(Some(&path))?;
    let mut rows = Vec::new();
    for file in files {
        read(file, &mut rows, &mut quarantine)?;
    }
    rows.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| a.name.cmp(&b.name)));
    // Times count from the midnight before the first.
    let zero = rows.first().map_or(Timestamp::UNIX_EPOCH, |row| midnight(row.time));
    let seconds = |time: Timestamp| (time.as_microsecond() - zero.as_microsecond()) as f64 / 1e6;
    let places = places(&rows);
    let detections: Vec<ArrayDetection> = (0..)
        .zip(&rows)
        .map(|(number, row)| ArrayDetection {
            station: places.iter().position(|s| row.is_at(s)).unwrap_or(places.len()) as u32,
            t_s: seconds(row.time),
            azimuth_deg: row.azimuth_deg,
            row: number,
        })
        .collect();
    let before = write::cpu_seconds();
    let ask = |events: &[ArrayEvent]| events.iter().position(|event| Some(event.number) == asked);
    let Found { events, rejected, account } = engine(&places, &[], &detections, &ask);
    let cpu = write::cpu_seconds() - before;
    for rejected in rejected {
        let row = &rows[rejected.row as usize];
        quarantine.row(&row.file, row.number, "detection", rejected.reason)?;
    }
    let (first, last) =
        (detections.first().map_or(0.0, |d| d.t_s), detections.last().map_or(0.0, |d| d.t_s));
    let ran = Ran {
        stations: places.len(),
        detections: rows.len() as u64,
        quarantined: quarantine.finish()?,
        searches: rows.len() as u64,
        effort: effort(places.len() as u32, &[], first, last),
        cpu,
        told: account.as_ref().map(|account| {
            let event = &events[account.event as usize];
            explain(event, account, &places, &rows, zero)
        }),
    };
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    for event in &events {
        let name = format!("A{}", event.number);
        let of = event.rows.iter().map(|row| (rows[*row as usize].name.as_str(), None));
        sink.event(&name, &line(&name, event, zero)?, event.probability, of)?;
    }
    super::explained(args, ran.told.as_ref())?;
    let mut summary = sink.finish("infrasound celerity of Blom et al. 2015", &ran)?.finish(&start);
    summary.engine_version = ENGINE_VERSION;
    summary.t0 = Some(zero.to_string());
    output::line(&format!("{} files of arrays at {} places", files.len(), places.len()))?;
    output::line("probabilities of arrays are those of the model; they are not calibrated")?;
    super::told(&args.out, &summary)
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

fn explain(
    event: &ArrayEvent,
    account: &Account,
    places: &[Station],
    rows: &[Row],
    zero: Timestamp,
) -> Explained {
    let alike = 1.0 / KINDS.len() as f64;
    Explained::of(&Told {
        account,
        event: format!("A{}", event.number),
        at: (event.lat, event.lon),
        covariance: event.covariance,
        level_db: None,
        depth_km: None,
        wave: Wave::Infrasound,
        made_by: KINDS.map(|kind| (kind.to_owned(), alike)).into(),
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| places[number as usize].name.clone(),
        detection: &|row| rows[row as usize].name.clone(),
        moment: &|t_s| {
            moment(zero, t_s).map_or_else(|_| format!("t = {t_s:.0} s"), |t| format!("{t:.0}"))
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
    Ok(format!(
        "{name},{time:.0},{:.3},{:.5},{:.5},{:.4},{:.0},{:.0},{:.0},{:.1},{:.4},{},{}\n",
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
        e.rows.len()
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
    let time = time(object)?;
    let lat = number_of(object, "Latitude", -90.0, 90.0)?;
    let lon = number_of(object, "Longitude", -180.0, 180.0)?;
    // Written from -180 to 180 as well as from 0 to 360.
    let azimuth_deg = number_of(object, "Back Azimuth", -360.0, 360.0)?;
    let (name, file) = (format!("{stem}:{number}"), file.to_owned());
    Ok(Row { name, file, number, time, lat, lon, azimuth_deg })
}

fn time(object: &Map<String, Value>) -> Result<Timestamp, (&'static str, String)> {
    let field = "Time (UTC)";
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
