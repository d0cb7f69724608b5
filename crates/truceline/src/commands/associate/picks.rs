//! P and S picks in, earthquakes and blasts with probability out.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use associate::Station;
use associate::account::Account;
use associate::effort::effort;
use associate::phases::{
    Engine, Event, PHASE_ENGINE_VERSION, PhaseModel, Pick, WEIGHT_MIN, associate as engine,
};
use associate::stream::{Stream, Wait};
use associate::travel::{Phase, Table};
use domain::event::Wave;
use serde::Deserialize;

use super::read::{Csv, Fault, Network, Quarantine, TIME_MAX, fault, number, text};
use super::received::{self, Common, Rows, needed, to_microseconds, within};
use super::releases::{Followed, Kept};
use super::velocity::velocity;
use super::write::{self, Cost, Sink};
use super::{AssociateArgs, Explained, Ran};
use crate::account::Told;
use crate::progress::counted;
use crate::{Outcome, output};

/// Columns of events.csv.
const COLUMNS: &str = "event,t_s,lat,lon,depth_km,prob,c_xx,c_xy,c_yy,c_xz,c_yz,c_zz,c_tt,\
                       evidence,hits,reach_km,features";

/// A table of picks, and picks in the order of their reception, one JSON object a line.
const FILES: [&str; 2] = ["picks.csv", "picks.ndjson"];

/// The picks of a set.
struct Set {
    file: &'static str,
    /// When each row was received, with its pick if it has one that can be used.
    received: Vec<(f64, Option<Pick>)>,
    names: Rows,
}

/// What a pick says beside what all arrivals say.
#[derive(Deserialize)]
struct Own {
    phase: Option<String>,
    weight: Option<f64>,
}

/// Whether a folder holds P and S picks.
pub(crate) fn is_set(data: &Path) -> bool {
    let holds = |name: &str| data.join(name).is_file();
    FILES.iter().any(|name| holds(name)) && !holds("detections.csv")
}

/// The model in a file, or the built-in one.
pub(crate) fn model_of(path: Option<&Path>) -> Result<PhaseModel> {
    let Some(path) = path else { return Ok(PhaseModel::built_in()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    PhaseModel::parse(&text).with_context(|| format!("reading the model in {}", path.display()))
}

/// Runs the phase engine over a folder and writes what it found.
pub(super) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    let model = model_of(args.model.as_deref())?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let before = write::cpu_seconds();
    let velocity = velocity(args.velocity.as_deref(), &args.data)?;
    let tabulated = write::cpu_seconds() - before;
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    let mut put = |event: &Event, names: &Rows| {
        let name = format!("A{}", event.number);
        let detections = event.rows.iter().map(|row| (names[*row as usize].0.as_str(), None));
        sink.event(&name, &line(&name, event), event.probability, detections)
    };
    let mut ran = if args.releases {
        follow(args, &velocity.table, &model, &mut put)?
    } else {
        let quarantine = args.out.join("quarantine.csv");
        let (ran, events, names) =
            run(&args.data, &velocity.table, &model, Some(&quarantine), asked)?;
        events.iter().try_for_each(|event| put(event, &names))?;
        ran
    };
    ran.cpu += tabulated;
    super::explained(args, ran.told.as_ref())?;
    let mut summary = sink.finish(&model.version, &ran)?.finish(&start);
    summary.engine_version = PHASE_ENGINE_VERSION;
    output::line(&format!("travel times: {}", velocity.name))?;
    summary.velocity = Some(velocity.name);
    super::told(&args.out, &summary)
}

fn line(name: &str, e: &Event) -> String {
    let features: Vec<String> = e
        .features
        .0
        .iter()
        .take(associate::phases::PHASE_FEATURES.len())
        .map(|f| format!("{f:.4}"))
        .collect();
    let covariance: Vec<String> = e.covariance.iter().map(|c| format!("{c:.2}")).collect();
    format!(
        "{name},{:.4},{:.7},{:.7},{:.3},{:.6},{},{:.6},{:.4},{},{:.1},{}\n",
        e.t_s,
        e.lat,
        e.lon,
        e.depth_km,
        e.probability,
        covariance.join(","),
        e.var_t,
        e.evidence,
        e.rows.len(),
        e.reach_km,
        features.join(" ")
    )
}

/// Runs the phase engine over a folder: what it came to, the events, and the
/// name and line of every row.
pub(crate) fn run(
    data: &Path,
    table: &Table,
    model: &PhaseModel,
    quarantine: Option<&Path>,
    asked: Option<u32>,
) -> Result<(Ran, Vec<Event>, Rows)> {
    let mut quarantine = Quarantine::create(quarantine)?;
    let network = Network::read(data, &mut quarantine)?;
    let Set { file, received, names } = read(data, &network, false, &mut quarantine)?;
    let picks: Vec<Pick> = received.into_iter().filter_map(|(_, pick)| pick).collect();
    let bar = counted("associating");
    bar.set_length(100);
    let before = write::cpu_seconds();
    let ask = |events: &[Event]| events.iter().position(|event| Some(event.number) == asked);
    let Network { stations, outages, .. } = &network;
    let mut tell = |share: f64| bar.set_position((share * 100.0) as u64);
    let found = engine(stations, outages, table, &picks, model, &mut tell, &ask);
    let cpu = write::cpu_seconds() - before;
    bar.finish_and_clear();
    for rejected in &found.rejected {
        let line = names[rejected.row as usize].1;
        quarantine.row(file, line, rejected.field, rejected.reason)?;
    }
    let told = found.account.as_ref().and_then(|account| {
        let event = found.events.iter().find(|event| event.number == account.event)?;
        Some(explain(event, account, model, stations, &names))
    });
    let span = picks.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), pick| {
        (from.min(pick.t_s), to.max(pick.t_s))
    });
    let ran = Ran {
        stations: network.stations.len(),
        detections: picks.len() as u64,
        quarantined: quarantine.finish()?,
        searches: found.searches,
        effort: effort(network.stations.len() as u32, &network.outages, span.0, span.1),
        cpu,
        told,
    };
    Ok((ran, found.events, names))
}

/// What an engine finds in a folder that does not wait for far stations.
pub(crate) fn preliminary(data: &Path, table: &Table, model: &PhaseModel) -> Result<Vec<Event>> {
    let mut quarantine = Quarantine::create(None)?;
    let network = Network::read(data, &mut quarantine)?;
    let Set { received, .. } = read(data, &network, false, &mut quarantine)?;
    let picks: Vec<Pick> = received.into_iter().filter_map(|(_, pick)| pick).collect();
    let Network { stations, outages, .. } = &network;
    let mut engine = Engine::new(stations, outages, table, model, Wait::Nearest);
    engine.push(&picks);
    Ok(engine.advance(f64::INFINITY))
}

fn explain(
    event: &Event,
    account: &Account,
    model: &PhaseModel,
    stations: &[Station],
    names: &Rows,
) -> Explained {
    let [ee, en, nn, _, _, dd] = event.covariance;
    let made_by = model.made_by(&event.kinds).into_iter();
    let made_by = made_by.map(|(kind, share)| (kind.to_owned(), share)).collect();
    Explained::of(&Told {
        account,
        event: format!("A{}", event.number),
        at: (event.lat, event.lon),
        covariance: [ee, en, nn],
        level_db: None,
        magnitude: None,
        depth_km: Some((event.depth_km, dd.max(0.0).sqrt() / 1e3)),
        wave: Wave::Seismic,
        made_by,
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| stations[number as usize].name.clone(),
        detection: &|row| names[row as usize].0.clone(),
        moment: &|t_s| format!("t = {t_s:.3} s"),
    })
}

/// Follows a set in the order of its reception.
fn follow(
    args: &AssociateArgs,
    table: &Table,
    model: &PhaseModel,
    put: &mut dyn FnMut(&Event, &Rows) -> Result<()>,
) -> Result<Ran> {
    let mut quarantine = Quarantine::create(Some(&args.out.join("quarantine.csv")))?;
    let network = Network::read(&args.data, &mut quarantine)?;
    let Set { file, received, names } = read(&args.data, &network, true, &mut quarantine)?;
    let Network { stations, outages, .. } = &network;
    let told = |row: u32| {
        let (name, line) = &names[row as usize];
        (name.as_str(), file, *line)
    };
    let followed = Followed {
        received: Kept::new(received, &told),
        stations: stations.len(),
        outages,
        quarantine,
    };
    let mut stream = Stream::of_picks(stations, outages, table, model);
    let released = followed.run(&args.out, &mut stream, |events, _| {
        events.iter().try_for_each(|event| put(event, &names))
    })?;
    released.say()?;
    Ok(released.ran)
}

/// Reads the picks of a set; the stream of them first if they are to be followed.
fn read(
    data: &Path,
    network: &Network,
    stream_first: bool,
    quarantine: &mut Quarantine,
) -> Result<Set> {
    let [table, stream] = FILES;
    let is_there = |name: &str| data.join(name).is_file();
    if is_there(stream) && (stream_first || !is_there(table)) {
        return read_stream(&data.join(stream), stream, network, quarantine);
    }
    let (mut picks, names) = read_table(&data.join(table), network, quarantine)?;
    // A table does not say when its rows were received: as they happened.
    picks.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let received = picks.into_iter().map(|pick| (pick.t_s, Some(pick))).collect();
    Ok(Set { file: table, received, names })
}

fn phase_of(name: &str) -> Result<Phase, Fault> {
    let shown: String = name.chars().take(40).collect();
    Phase::named(name.as_bytes())
        .ok_or_else(|| fault("phase", format!("`{shown}` is neither P nor S")))
}

/// Picks as they came in.
fn read_stream(
    path: &Path,
    file: &'static str,
    network: &Network,
    quarantine: &mut Quarantine,
) -> Result<Set> {
    let pick = |Common { station, t_s, row }, own: Own| {
        let phase = phase_of(&needed(own.phase, "phase")?)?;
        let weight = within(own.weight.unwrap_or(1.0), "weight", WEIGHT_MIN, 1.0)?;
        Ok(Pick { station, phase, t_s, weight, row })
    };
    let (received, names) = received::read(path, file, "pick", network, quarantine, pick)?;
    Ok(Set { file, received, names })
}

fn read_table(
    path: &Path,
    network: &Network,
    quarantine: &mut Quarantine,
) -> Result<(Vec<Pick>, Rows)> {
    let mut csv = Csv::open(path, true)?;
    let (id, station) = (csv.column("det")?, csv.column("station")?);
    let (ph, t) = (csv.column("phase")?, csv.column("t_s")?);
    let weight = csv.column("weight").ok();
    let (mut picks, mut names) = (Vec::new(), Vec::new());
    csv.rows_at(quarantine, |line, f| {
        let at = network.station(text(f, station))?;
        let phase = phase_of(&String::from_utf8_lossy(text(f, ph)))?;
        let t_s = number(f, t, "t_s", -TIME_MAX, TIME_MAX)?;
        let name = std::str::from_utf8(text(f, id)).map_err(|_| fault("det", "not UTF-8"))?;
        if name.is_empty() {
            return Err(fault("det", "a pick without a name"));
        }
        let weight = match weight {
            Some(at) if !text(f, at).is_empty() => number(f, at, "weight", WEIGHT_MIN, 1.0)?,
            _ => 1.0,
        };
        let t_s = to_microseconds(t_s);
        picks.push(Pick { station: at, phase, t_s, weight, row: names.len() as u32 });
        names.push((name.to_owned(), line));
        Ok(())
    })?;
    Ok((picks, names))
}
