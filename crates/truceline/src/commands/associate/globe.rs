//! What a global network of arrays heard in, events with probability out.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use associate::account::Account;
use associate::effort::effort;
use associate::globe::{
    Arrival, Curve, Found, GLOBE_ENGINE_VERSION, GLOBE_FEATURES, GlobeEvent, Performance, Window,
    associate as engine,
};
use domain::event::Wave;

use super::read::{Csv, Fault, Network, Quarantine, TIME_MAX, fault, number, shown, text};
use super::write::{self, Cost, Sink};
use super::{AssociateArgs, Explained, Ran};
use crate::Outcome;
use crate::account::Told;
use crate::progress::counted;

/// Columns of events.csv.
const COLUMNS: &str =
    "event,t_s,lat,lon,prob,magnitude,c_xx,c_xy,c_yy,c_tt,evidence,near,hits,features";
/// How the performance is called where it lies in the folder.
const PERFORMANCE: &str = "performance.json";
/// Slowness that is believed, s/degree: what points to no place is only noise.
const SLOWNESS: (f64, f64) = (-200.0, 200.0);

/// Whether a folder holds what a global network heard.
pub(crate) fn is_set(data: &Path) -> bool {
    let others = ["detections.csv", "detections.ndjson", "picks.csv"];
    data.join("arrivals.csv").is_file() && !others.iter().any(|name| data.join(name).is_file())
}

/// A set of a global network.
pub(crate) struct Set {
    pub network: Network,
    pub curve: Curve,
    pub windows: Vec<Window>,
    pub arrivals: Vec<Arrival>,
    /// Names and lines of the arrivals.
    pub rows: Vec<(String, u64)>,
}

/// Runs the engine over a folder and writes what it found.
pub(super) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    let given = [(args.releases, "--releases"), (args.velocity.is_some(), "--velocity")];
    super::refuse(args, "a global network", &given)?;
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    let performance = performance_of(args.model.as_deref(), &args.data)?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let mut quarantine = Quarantine::create(Some(&args.out.join("quarantine.csv")))?;
    let set = Set::read(&args.data, &mut quarantine)?;
    let before = write::cpu_seconds();
    let found = set.run(&performance, asked);
    let cpu = write::cpu_seconds() - before;
    for rejected in &found.rejected {
        let line = set.rows[rejected.row as usize].1;
        quarantine.row("arrivals.csv", line, rejected.field, rejected.reason)?;
    }
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    for event in &found.events {
        let name = format!("A{}", event.number);
        let of = event.rows.iter().map(|row| (set.rows[*row as usize].0.as_str(), None));
        sink.event(&name, &line(&name, event), event.probability, of)?;
    }
    let span = set
        .arrivals
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), a| (from.min(a.t_s), to.max(a.t_s)));
    let stations = set.network.stations.len();
    let ran = Ran {
        stations,
        detections: set.arrivals.len() as u64,
        quarantined: quarantine.finish()?,
        searches: found.searches,
        effort: effort(stations as u32, &set.network.outages, span.0, span.1),
        cpu,
        told: found
            .account
            .as_ref()
            .map(|account| explain(&found.events[account.event as usize], account, &set)),
    };
    super::explained(args, ran.told.as_ref())?;
    let mut summary = sink.finish(&performance.version, &ran)?.finish(&start);
    summary.engine_version = GLOBE_ENGINE_VERSION;
    super::told(&args.out, &summary)
}

/// The performance in a file, or that in the folder.
fn performance_of(path: Option<&Path>, data: &Path) -> Result<Performance> {
    let in_folder = data.join(PERFORMANCE);
    let path = match path {
        Some(path) => path,
        None if in_folder.is_file() => &in_folder,
        None => bail!(
            "{}: no {PERFORMANCE}, and what the arrays of a global network are like cannot be \
             guessed; `truceline calibrate --data LABELLED --out {}` fits it on a labelled set",
            data.display(),
            in_folder.display()
        ),
    };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Performance::parse(&text)
        .with_context(|| format!("reading the performance in {}", path.display()))
}

fn explain(event: &GlobeEvent, account: &Account, set: &Set) -> Explained {
    Explained::of(&Told {
        account,
        event: format!("A{}", event.number),
        at: (event.lat, event.lon),
        covariance: event.covariance,
        level_db: None,
        magnitude: Some(event.magnitude),
        depth_km: None,
        wave: Wave::Seismic,
        // Depth would tell, and there is none.
        made_by: Vec::new(),
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| set.network.stations[number as usize].name.clone(),
        detection: &|row| set.rows[row as usize].0.clone(),
        moment: &|t_s| format!("t = {t_s:.3} s"),
    })
}

fn line(name: &str, e: &GlobeEvent) -> String {
    let features: Vec<String> =
        e.features.0.iter().take(GLOBE_FEATURES.len()).map(|f| format!("{f:.4}")).collect();
    format!(
        "{name},{:.3},{:.5},{:.5},{:.6},{:.2},{:.0},{:.0},{:.0},{:.3},{:.4},{:.4},{},{}\n",
        e.t_s,
        e.lat,
        e.lon,
        e.probability,
        e.magnitude,
        e.covariance[0],
        e.covariance[1],
        e.covariance[2],
        e.var_t,
        e.evidence,
        e.near,
        e.rows.len(),
        features.join(" ")
    )
}

impl Set {
    /// Reads a folder; rows that cannot be used are set aside.
    pub(crate) fn read(data: &Path, quarantine: &mut Quarantine) -> Result<Self> {
        let network = Network::read(data, quarantine)?;
        let curve = curve(&data.join("curve.csv"))?;
        let windows = windows(&data.join("windows.csv"), quarantine)?;
        let (arrivals, rows) = arrivals(&data.join("arrivals.csv"), &network, quarantine)?;
        Ok(Self { network, curve, windows, arrivals, rows })
    }

    /// Runs the engine, and accounts for the event of a number.
    pub(crate) fn run(&self, performance: &Performance, asked: Option<u32>) -> Found {
        let bar = counted("associating");
        bar.set_length(100);
        let found = engine(
            &self.network.stations,
            &self.network.outages,
            &self.curve,
            &self.windows,
            &self.arrivals,
            performance,
            &mut |share| bar.set_position((share * 100.0) as u64),
            &|events| events.iter().position(|event| Some(event.number) == asked),
        );
        bar.finish_and_clear();
        found
    }
}

/// Travel times by distance. A point cannot be set aside: without it the others
/// are another earth.
fn curve(path: &Path) -> Result<Curve> {
    if !path.is_file() {
        bail!(
            "{}: no such file; it holds travel times, a line `distance_deg,travel_s` for each \
             distance, such as a table of first P arrivals",
            path.display()
        );
    }
    let mut csv = Csv::open(path, true)?;
    let (deg, seconds) = (csv.column("distance_deg")?, csv.column("travel_s")?);
    let mut points = Vec::new();
    let mut bad: Option<(u64, Fault)> = None;
    let mut nowhere = Quarantine::create(None)?;
    csv.rows_at(&mut nowhere, |line, f| {
        let read = || {
            Ok((
                number(f, deg, "distance_deg", 0.0, 180.0)?,
                number(f, seconds, "travel_s", 0.0, 1e5)?,
            ))
        };
        match read() {
            Ok(point) => points.push(point),
            Err(why) if bad.is_none() => bad = Some((line, why)),
            Err(_) => {}
        }
        Ok(())
    })?;
    if let Some((line, why)) = bad {
        bail!("{}: line {line}: `{}`: {}", path.display(), why.field, why.reason);
    }
    Curve::new(&points).with_context(|| format!("reading {}", path.display()))
}

/// When the network listened, if that is said.
fn windows(path: &Path, quarantine: &mut Quarantine) -> Result<Vec<Window>> {
    let mut windows = Vec::new();
    if !path.is_file() {
        return Ok(windows);
    }
    let mut csv = Csv::open(path, true)?;
    let (start, end) = (csv.column("start_s")?, csv.column("end_s")?);
    csv.rows(quarantine, |f| {
        let start_s = number(f, start, "start_s", -TIME_MAX, TIME_MAX)?;
        let end_s = number(f, end, "end_s", -TIME_MAX, TIME_MAX)?;
        if end_s < start_s {
            return Err(fault("end_s", format!("{end_s} is before the start, {start_s}")));
        }
        windows.push(Window { start_s, end_s });
        Ok(())
    })?;
    Ok(windows)
}

type Rows = (Vec<Arrival>, Vec<(String, u64)>);

fn arrivals(path: &Path, network: &Network, quarantine: &mut Quarantine) -> Result<Rows> {
    let mut csv = Csv::open(path, true)?;
    let columns = ["det", "station", "t_s", "azimuth_deg", "slowness_s_deg", "amplitude"];
    let at = columns.map(|name| csv.column(name));
    let [id, station, t, azimuth, slowness, amplitude] = at;
    let (id, station, t) = (id?, station?, t?);
    let (azimuth, slowness, amplitude) = (azimuth?, slowness?, amplitude?);
    let (mut arrivals, mut rows) = (Vec::new(), Vec::new());
    let mut names: HashMap<String, u64> = HashMap::new();
    let mut said: HashMap<(u32, [u64; 4]), String> = HashMap::new();
    csv.rows_at(quarantine, |line, f| {
        let name = std::str::from_utf8(text(f, id)).map_err(|_| fault("det", "not UTF-8"))?;
        if name.is_empty() {
            return Err(fault("det", "an arrival without a name"));
        }
        if let Some(first) = names.get(name) {
            let name = shown(name.as_bytes());
            return Err(fault("det", format!("`{name}` stands on line {first} already")));
        }
        let arrival = Arrival {
            station: network.station(text(f, station))?,
            t_s: number(f, t, "t_s", -TIME_MAX, TIME_MAX)?,
            azimuth_deg: number(f, azimuth, "azimuth_deg", -360.0, 360.0)?,
            slowness_s_deg: number(f, slowness, "slowness_s_deg", SLOWNESS.0, SLOWNESS.1)?,
            amplitude: number(f, amplitude, "amplitude", f64::MIN, f64::MAX)?,
            row: rows.len() as u32,
        };
        if !arrival.amplitude.is_normal() || arrival.amplitude < 0.0 {
            let given = shown(text(f, amplitude));
            return Err(fault("amplitude", format!("`{given}` is not an amplitude above zero")));
        }
        let key = [arrival.t_s, arrival.azimuth_deg, arrival.slowness_s_deg, arrival.amplitude];
        let key = (arrival.station, key.map(f64::to_bits));
        if let Some(other) = said.get(&key) {
            return Err(fault("det", format!("says to the digit what `{other}` says")));
        }
        said.insert(key, name.to_owned());
        names.insert(name.to_owned(), line);
        arrivals.push(arrival);
        rows.push((name.to_owned(), line));
        Ok(())
    })?;
    Ok((arrivals, rows))
}
