//! P and S picks in, earthquakes and blasts with probability out.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use associate::Station;
use associate::account::Account;
use associate::effort::effort;
use associate::phases::{
    Event, PHASE_ENGINE_VERSION, PhaseModel, Pick, WEIGHT_MIN, associate as engine,
};
use associate::travel::{Phase, Table};
use domain::event::Wave;

use super::read::{Csv, Network, Quarantine, TIME_MAX, fault, number, shown, text};
use super::velocity::velocity;
use super::write::{self, Cost, Sink};
use super::{AssociateArgs, Explained, Ran};
use crate::account::Told;
use crate::progress::counted;
use crate::{Outcome, output};

/// Columns of events.csv.
const COLUMNS: &str = "event,t_s,lat,lon,depth_km,prob,c_xx,c_xy,c_yy,c_xz,c_yz,c_zz,c_tt,\
                       evidence,hits,reach_km,features";

/// Names and lines of rows, by number.
pub(crate) type Rows = Vec<(String, u64)>;

/// Whether a folder holds P and S picks.
pub(crate) fn is_set(data: &Path) -> bool {
    data.join("picks.csv").is_file() && !data.join("detections.csv").is_file()
}

/// The model in a file, or the built-in one.
pub(crate) fn model_of(path: Option<&Path>) -> Result<PhaseModel> {
    let Some(path) = path else { return Ok(PhaseModel::built_in()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    PhaseModel::parse(&text).with_context(|| format!("reading the model in {}", path.display()))
}

/// Runs the phase engine over a folder and writes what it found.
pub(super) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    super::refuse(args, "P and S picks", &[(args.releases, "--releases")])?;
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    let model = model_of(args.model.as_deref())?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let before = write::cpu_seconds();
    let velocity = velocity(args.velocity.as_deref(), &args.data)?;
    let tabulated = write::cpu_seconds() - before;
    let quarantine = args.out.join("quarantine.csv");
    let (mut ran, events, names) =
        run(&args.data, &velocity.table, &model, Some(&quarantine), asked)?;
    ran.cpu += tabulated;
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    for event in &events {
        let name = format!("A{}", event.number);
        let detections = event.rows.iter().map(|row| (names[*row as usize].0.as_str(), None));
        sink.event(&name, &line(&name, event), event.probability, detections)?;
    }
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
    let (picks, names) = read(&data.join("picks.csv"), &network, &mut quarantine)?;
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
        quarantine.row("picks.csv", line, "t_s", rejected.reason)?;
    }
    let told = found.account.as_ref().map(|account| {
        let event = &found.events[account.event as usize];
        explain(event, account, model, stations, &names)
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
        depth_km: Some((event.depth_km, dd.max(0.0).sqrt() / 1e3)),
        wave: Wave::Seismic,
        made_by,
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| stations[number as usize].name.clone(),
        detection: &|row| names[row as usize].0.clone(),
        moment: &|t_s| format!("t = {t_s:.3} s"),
    })
}

fn read(path: &Path, network: &Network, quarantine: &mut Quarantine) -> Result<(Vec<Pick>, Rows)> {
    let mut csv = Csv::open(path, true)?;
    let (id, station) = (csv.column("det")?, csv.column("station")?);
    let (ph, t) = (csv.column("phase")?, csv.column("t_s")?);
    let weight = csv.column("weight").ok();
    let (mut picks, mut names) = (Vec::new(), Vec::new());
    csv.rows_at(quarantine, |line, f| {
        let at = network.station(text(f, station))?;
        let phase = Phase::named(text(f, ph)).ok_or_else(|| {
            fault("phase", format!("`{}` is neither P nor S", shown(text(f, ph))))
        })?;
        let t_s = number(f, t, "t_s", -TIME_MAX, TIME_MAX)?;
        let name = std::str::from_utf8(text(f, id)).map_err(|_| fault("det", "not UTF-8"))?;
        if name.is_empty() {
            return Err(fault("det", "a pick without a name"));
        }
        let weight = match weight {
            Some(at) if !text(f, at).is_empty() => number(f, at, "weight", WEIGHT_MIN, 1.0)?,
            _ => 1.0,
        };
        // To the microsecond, as times are kept.
        let t_s = (t_s * 1e6).round() / 1e6;
        picks.push(Pick { station: at, phase, t_s, weight, row: names.len() as u32 });
        names.push((name.to_owned(), line));
        Ok(())
    })?;
    Ok((picks, names))
}
