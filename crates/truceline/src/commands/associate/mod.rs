//! `truceline associate`: detections in, events with probability out.

pub(crate) mod arrays;
pub(crate) mod globe;
pub(crate) mod picks;
pub(crate) mod read;
mod received;
mod releases;
pub(crate) mod velocity;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use associate::account::{Account, Asked};
use associate::effort::{Effort, effort};
use associate::{Engine, Event, Model, Pace};
use clap::Args;
use domain::event::Wave;

use self::read::{Feed, Network, Quarantine};
use self::write::{Cost, Sink};
use crate::account::Told;
use crate::progress::bytes;
use crate::{Outcome, output};

/// Arguments of `truceline associate`.
#[derive(Args, Debug)]
pub(crate) struct AssociateArgs {
    /// Folder with stations.csv, detections.csv (or detections.ndjson), and if
    /// there are any met.csv and outages.csv; or with stations.csv and picks.csv
    /// (P and S); or with stations.csv, curve.csv and arrivals.csv (a global network
    /// of arrays), or arrivals.ndjson; or with *.dets.json of infrasound arrays
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for events.csv, assoc.csv, summary.json and quarantine.csv
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Model of the sensors with its calibration map, as `truceline calibrate`
    /// writes it (default: the one built in; of a global network performance.json in
    /// the folder)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Velocity model of P and S (default: velocity.toml or velocity.csv in the
    /// folder, or else an average of the earth)
    #[arg(long, value_name = "FILE")]
    pub velocity: Option<PathBuf>,
    /// Shares of the network that are worked on apart. Results do not depend on it
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub shards: usize,
    /// Say why an event of events.csv is believed, and draw it as EVENT.svg
    #[arg(long, value_name = "EVENT")]
    pub explain: Option<String>,
    /// Read detections.ndjson, picks.ndjson, arrivals.ndjson or the files of arrays in the order
    /// of reception and write releases.ndjson: each event preliminary, final, and revised when what comes late
    /// changes it
    #[arg(long, conflicts_with_all = ["explain", "shards"])]
    pub releases: bool,
}

/// The model in a file, or the built-in one.
pub(crate) fn model_of(path: Option<&Path>) -> Result<Model> {
    let Some(path) = path else { return Ok(Model::built_in()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Model::parse(&text).with_context(|| format!("reading the model in {}", path.display()))
}

/// Runs the engine over a folder and writes what it found.
pub(crate) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    if args.shards == 0 {
        bail!("--shards 0: at least one share is needed");
    }
    if globe::is_set(&args.data) {
        return globe::associate(args);
    }
    if picks::is_set(&args.data) {
        return picks::associate(args);
    }
    let files = arrays::files(&args.data)?;
    if !files.is_empty() {
        return arrays::associate(args, &files);
    }
    if let Some(path) = &args.velocity {
        bail!(
            "--velocity {}: {} has no picks.csv, and sound in air takes its speed from met.csv",
            path.display(),
            args.data.display()
        );
    }
    let model = model_of(args.model.as_deref())?;
    let asked = args.explain.as_deref().map(number_of).transpose()?;
    let how = How { shards: args.shards, asked, pace: Pace::FINAL };
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let quarantine = args.out.join("quarantine.csv");
    let mut sink = Sink::create(&args.out, &model)?;
    if args.releases {
        let released = releases::run(args, &model, &mut sink)?;
        released.say()?;
        let summary = sink.finish(&model.version, &released.ran)?.finish(&start);
        return told(&args.out, &summary);
    }
    let mut ran = run(&args.data, &model, how, Some(&quarantine), false, &mut |e, feed| {
        sink.events(e, feed)
    })?;
    if ran.is_none() {
        // Rows out of order: read them all first, then begin again.
        sink = Sink::create(&args.out, &model)?;
        ran = run(&args.data, &model, how, Some(&quarantine), true, &mut |e, feed| {
            sink.events(e, feed)
        })?;
    }
    let ran = ran.context("rows were sorted and still out of order")?;
    explained(args, ran.told.as_ref())?;
    let summary = sink.finish(&model.version, &ran)?.finish(&start);
    told(&args.out, &summary)
}

/// Prints and draws why an event is believed, if that was asked for.
fn explained(args: &AssociateArgs, told: Option<&Explained>) -> Result<()> {
    let Some(explain) = &args.explain else { return Ok(()) };
    let Some(told) = told else {
        bail!("no event {explain} was found; events.csv lists them");
    };
    let path = args.out.join(format!("{explain}.svg"));
    fs::write(&path, &told.svg).with_context(|| format!("writing {}", path.display()))?;
    output::print(&told.text)
}

/// Options that mean nothing for a kind of set are refused, not passed by.
fn refuse(args: &AssociateArgs, what: &str, given: &[(bool, &str)]) -> Result<()> {
    for (given, flag) in given {
        if *given {
            bail!("{flag} is not there for {what}, and {} holds these", args.data.display());
        }
    }
    Ok(())
}

/// Writes the summary and says the most important of it.
fn told(out: &Path, summary: &write::Summary) -> Result<Outcome> {
    write::summary(out, summary)?;
    output::line(&format!(
        "{} detections, {} events ({} at probability 0.5 or more), {} rows set aside",
        summary.detections, summary.events, summary.events_likely, summary.quarantined
    ))?;
    output::line(&format!(
        "{:.2} CPU s ({:.2} associating), {:.0} detections per CPU second, {:.0} MB at most, digest {}",
        summary.cpu_seconds,
        summary.associate_cpu_seconds,
        summary.detections_per_cpu_second,
        summary.peak_rss_mb,
        &summary.digest[..16]
    ))?;
    Ok(if summary.quarantined > 0 { Outcome::Flawed } else { Outcome::Fine })
}

/// How the engine is run.
#[derive(Clone, Copy)]
pub(crate) struct How {
    pub shards: usize,
    /// Number of an event to be explained.
    pub asked: Option<u32>,
    pub pace: Pace,
}

/// What a run over a folder came to.
pub(crate) struct Ran {
    pub stations: usize,
    pub detections: u64,
    pub quarantined: u64,
    pub searches: u64,
    pub effort: Effort,
    /// CPU seconds within the engine.
    pub cpu: f64,
    /// Why the event that was asked for is believed.
    pub told: Option<Explained>,
}

/// Why an event is believed, in words and as a picture.
pub(crate) struct Explained {
    text: String,
    svg: String,
}

impl Explained {
    fn of(told: &Told<'_>) -> Self {
        Self { text: told.text(), svg: told.svg() }
    }
}

/// The number of an event by its name in events.csv.
fn number_of(name: &str) -> Result<u32> {
    name.strip_prefix('A')
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("--explain {name}: events are called A1, A2, ... in events.csv"))
}

fn tell(
    event: &Event,
    account: &Account,
    model: &Model,
    network: &Network,
    feed: &Feed,
) -> Explained {
    let told = Told {
        account,
        event: write::name(event),
        at: (event.lat, event.lon),
        covariance: event.covariance,
        level_db: Some(event.level_db),
        magnitude: None,
        depth_km: None,
        wave: Wave::Sound,
        made_by: write::likeliest(&model.kinds, &event.kinds)
            .into_iter()
            .map(|(kind, share)| (kind.to_owned(), share))
            .collect(),
        t_s: (event.t_s, event.var_t.max(0.0).sqrt()),
        station: &|number| network.stations[number as usize].name.clone(),
        detection: &|row| feed.id(row).to_string(),
        moment: &|t_s| format!("t = {t_s:.3} s"),
    };
    Explained::of(&told)
}

/// Takes events as they are released.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&[Event], &Feed) -> Result<()>;

/// Runs the engine over a folder; None if rows are out of order and `sort` is off.
pub(crate) fn run(
    data: &Path,
    model: &Model,
    how: How,
    quarantine: Option<&Path>,
    sort: bool,
    take: Take,
) -> Result<Option<Ran>> {
    let mut quarantine = Quarantine::create(quarantine)?;
    let network = Network::read(data, &mut quarantine)?;
    let Network { stations, met, outages, .. } = &network;
    let mut engine = Engine::with_pace(stations, met, outages, model, how.pace);
    engine.set_shards(how.shards);
    if let Some(number) = how.asked {
        engine.ask(Asked::Number(number));
    }
    let mut told = None;
    let mut feed = Feed::open(data, &network, sort, &mut quarantine)?;
    let bar = bytes("associating", feed.size());
    let mut batch = Vec::new();
    let mut cpu = 0.0;
    let mut span = (f64::INFINITY, f64::NEG_INFINITY);
    loop {
        batch.clear();
        let Ok(more) = feed.next(&mut batch, &mut quarantine)? else {
            bar.finish_and_clear();
            return Ok(None);
        };
        bar.set_position(feed.position());
        for d in &batch {
            span = (span.0.min(d.t_s), span.1.max(d.t_s));
        }
        let before = write::cpu_seconds();
        engine.push(&batch);
        let events = if more { engine.advance(feed.watermark()) } else { engine.finish() };
        cpu += write::cpu_seconds() - before;
        for rejected in engine.take_rejected() {
            let line = feed.line_of(rejected.row);
            quarantine.row(feed.file(), line, rejected.field, rejected.reason)?;
        }
        take(&events, &feed)?;
        if let Some(account) = engine.take_account() {
            let event = events.iter().find(|event| event.number == account.event);
            told = event.map(|event| tell(event, &account, model, &network, &feed));
        }
        feed.forget(engine.oldest_row());
        if !more {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(Some(Ran {
        stations: network.stations.len(),
        detections: feed.rows(),
        quarantined: quarantine.finish()?,
        searches: engine.searches,
        effort: effort(network.stations.len() as u32, &network.outages, span.0, span.1),
        cpu,
        told,
    }))
}
