//! What a global network of arrays heard in, events with probability out.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use associate::account::Account;
use associate::effort::effort;
use associate::globe::{
    Arrival, Curve, Engine, Found, GLOBE_ENGINE_VERSION, GLOBE_FEATURES, GlobeEvent, Performance,
    Window, associate as engine,
};
use associate::stream::{Stream, Wait};
use domain::event::Wave;
use serde::Deserialize;

use super::read::{Csv, Fault, Network, Quarantine, TIME_MAX, fault, number, shown, text};
use super::received::{self, Common, Received, Rows, needed, to_microseconds, within};
use super::releases::{Followed, Kept};
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
/// A table of arrivals, and arrivals in the order of their reception.
const FILES: [&str; 2] = ["arrivals.csv", "arrivals.ndjson"];
/// Slowness that is believed, s/degree: what points to no place is only noise.
const SLOWNESS: (f64, f64) = (-200.0, 200.0);

/// Whether a folder holds what a global network heard.
pub(crate) fn is_set(data: &Path) -> bool {
    let others = ["detections.csv", "detections.ndjson", "picks.csv", "picks.ndjson"];
    let holds = |name: &&str| data.join(name).is_file();
    FILES.iter().any(holds) && !others.iter().any(holds)
}

/// A set of a global network.
pub(crate) struct Set {
    pub network: Network,
    pub curve: Curve,
    pub windows: Vec<Window>,
    /// Arrivals, by row.
    pub arrivals: Vec<Arrival>,
    /// Names and lines of the arrivals.
    pub rows: Rows,
    file: &'static str,
    /// When each row was received, with its arrival if it has one.
    received: Received<Arrival>,
}

/// What an arrival says beside what all say.
#[derive(Deserialize)]
struct Own {
    azimuth_deg: Option<f64>,
    slowness_s_deg: Option<f64>,
    amplitude: Option<f64>,
}

/// Runs the engine over a folder and writes what it found.
pub(super) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    super::refuse(args, "a global network", &[(args.velocity.is_some(), "--velocity")])?;
    let asked = args.explain.as_deref().map(super::number_of).transpose()?;
    let performance = performance_of(args.model.as_deref(), &args.data)?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let mut quarantine = Quarantine::create(Some(&args.out.join("quarantine.csv")))?;
    let set = Set::read(&args.data, args.releases, &mut quarantine)?;
    let mut sink = Sink::with_columns(&args.out, COLUMNS)?;
    let mut put = |event: &GlobeEvent| {
        let name = format!("A{}", event.number);
        let of = event.rows.iter().map(|row| (set.rows[*row as usize].0.as_str(), None));
        sink.event(&name, &line(&name, event), event.probability, of)
    };
    let ran = if args.releases {
        set.follow(args, &performance, quarantine, &mut put)?
    } else {
        set.whole(&performance, asked, quarantine, &mut put)?
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

/// Takes an event as it stands in the end.
type Put<'a> = &'a mut dyn FnMut(&GlobeEvent) -> Result<()>;

impl Set {
    /// Reads a folder; rows that cannot be used are set aside. The stream of arrivals
    /// comes first if they are to be followed.
    pub(crate) fn read(
        data: &Path,
        stream_first: bool,
        quarantine: &mut Quarantine,
    ) -> Result<Self> {
        let network = Network::read(data, quarantine)?;
        let curve = curve(&data.join("curve.csv"))?;
        let windows = windows(&data.join("windows.csv"), quarantine)?;
        let [table, stream] = FILES;
        let is_there = |name: &str| data.join(name).is_file();
        let (file, (received, rows)) = if is_there(stream) && (stream_first || !is_there(table)) {
            (stream, read_stream(&data.join(stream), stream, &network, quarantine)?)
        } else {
            (table, arrivals(&data.join(table), &network, quarantine)?)
        };
        let mut arrivals: Vec<Arrival> =
            received.iter().filter_map(|(_, arrival)| *arrival).collect();
        arrivals.sort_by_key(|a| a.row);
        Ok(Self { network, curve, windows, arrivals, rows, file, received })
    }

    /// Associates all of it at once.
    fn whole(
        &self,
        performance: &Performance,
        asked: Option<u32>,
        mut quarantine: Quarantine,
        put: Put<'_>,
    ) -> Result<Ran> {
        let before = write::cpu_seconds();
        let found = self.run(performance, asked);
        let cpu = write::cpu_seconds() - before;
        for rejected in &found.rejected {
            let line = self.rows[rejected.row as usize].1;
            quarantine.row(self.file, line, rejected.field, rejected.reason)?;
        }
        found.events.iter().try_for_each(put)?;
        let times = self.arrivals.iter().map(|a| a.t_s);
        let span = times
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), t| (from.min(t), to.max(t)));
        let stations = self.network.stations.len();
        let account = found.account.as_ref();
        Ok(Ran {
            stations,
            detections: self.arrivals.len() as u64,
            quarantined: quarantine.finish()?,
            searches: found.searches,
            effort: effort(stations as u32, &self.network.outages, span.0, span.1),
            cpu,
            told: account
                .map(|account| explain(&found.events[account.event as usize], account, self)),
        })
    }

    /// Follows it in the order of its reception.
    fn follow(
        &self,
        args: &AssociateArgs,
        performance: &Performance,
        quarantine: Quarantine,
        put: Put<'_>,
    ) -> Result<Ran> {
        let told = |row: u32| {
            let (name, line) = &self.rows[row as usize];
            (name.as_str(), self.file, *line)
        };
        let Network { stations, outages, .. } = &self.network;
        let followed = Followed {
            received: Kept::new(self.received.clone(), &told),
            stations: stations.len(),
            outages,
            quarantine,
        };
        let mut stream =
            Stream::of_globe(stations, outages, &self.curve, &self.windows, performance);
        let released = followed
            .run(&args.out, &mut stream, |events, _| events.iter().try_for_each(&mut *put))?;
        released.say()?;
        Ok(released.ran)
    }

    /// What an engine finds that does not wait for far arrays.
    pub(crate) fn preliminary(&self, performance: &Performance) -> Vec<GlobeEvent> {
        let Network { stations, outages, .. } = &self.network;
        let (curve, windows) = (&self.curve, &self.windows);
        let mut engine = Engine::new(stations, outages, curve, windows, performance, Wait::Nearest);
        engine.push(&self.arrivals);
        engine.advance(f64::INFINITY)
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

fn amplitude_of(amplitude: f64, given: &str) -> Result<f64, Fault> {
    let is_one = amplitude.is_normal() && amplitude > 0.0;
    let none = || fault("amplitude", format!("`{given}` is not an amplitude above zero"));
    is_one.then_some(amplitude).ok_or_else(none)
}

/// What arrivals said, to the digit, and which said it.
#[derive(Default)]
struct Said(HashMap<(u32, [u64; 4]), String>);

impl Said {
    /// Takes down what an arrival says, unless another said just that.
    fn once(&mut self, a: &Arrival, name: &str) -> Result<(), Fault> {
        let key = [a.t_s, a.azimuth_deg, a.slowness_s_deg, a.amplitude].map(f64::to_bits);
        if let Some(other) = self.0.get(&(a.station, key)) {
            return Err(fault("det", format!("says to the digit what `{other}` says")));
        }
        self.0.insert((a.station, key), name.to_owned());
        Ok(())
    }
}

/// Arrivals as they came in.
fn read_stream(
    path: &Path,
    file: &'static str,
    network: &Network,
    quarantine: &mut Quarantine,
) -> Result<(Received<Arrival>, Rows)> {
    let mut said = Said::default();
    let one = |Common { station, t_s, row }, own: Own| {
        let azimuth_deg = needed(own.azimuth_deg, "azimuth_deg")?;
        let slowness_s_deg = needed(own.slowness_s_deg, "slowness_s_deg")?;
        let amplitude = needed(own.amplitude, "amplitude")?;
        let arrival = Arrival {
            station,
            t_s,
            azimuth_deg: within(azimuth_deg, "azimuth_deg", -360.0, 360.0)?,
            slowness_s_deg: within(slowness_s_deg, "slowness_s_deg", SLOWNESS.0, SLOWNESS.1)?,
            amplitude: amplitude_of(amplitude, &amplitude.to_string())?,
            row,
        };
        said.once(&arrival, "an earlier row")?;
        Ok(arrival)
    };
    received::read(path, file, "arrival", network, quarantine, one)
}

fn arrivals(
    path: &Path,
    network: &Network,
    quarantine: &mut Quarantine,
) -> Result<(Received<Arrival>, Rows)> {
    let mut csv = Csv::open(path, true)?;
    let columns = ["det", "station", "t_s", "azimuth_deg", "slowness_s_deg", "amplitude"];
    let at = columns.map(|name| csv.column(name));
    let [id, station, t, azimuth, slowness, amplitude] = at;
    let (id, station, t) = (id?, station?, t?);
    let (azimuth, slowness, amplitude) = (azimuth?, slowness?, amplitude?);
    let (mut arrivals, mut rows) = (Vec::new(), Vec::new());
    let mut names: HashMap<String, u64> = HashMap::new();
    let mut said = Said::default();
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
            t_s: to_microseconds(number(f, t, "t_s", -TIME_MAX, TIME_MAX)?),
            azimuth_deg: number(f, azimuth, "azimuth_deg", -360.0, 360.0)?,
            slowness_s_deg: number(f, slowness, "slowness_s_deg", SLOWNESS.0, SLOWNESS.1)?,
            amplitude: amplitude_of(
                number(f, amplitude, "amplitude", f64::MIN, f64::MAX)?,
                &shown(text(f, amplitude)),
            )?,
            row: rows.len() as u32,
        };
        said.once(&arrival, name)?;
        names.insert(name.to_owned(), line);
        arrivals.push(arrival);
        rows.push((name.to_owned(), line));
        Ok(())
    })?;
    // A table does not say when its rows were received: as they happened.
    arrivals.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    Ok((arrivals.into_iter().map(|a| (a.t_s, Some(a))).collect(), rows))
}
