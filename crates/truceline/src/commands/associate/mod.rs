//! `truceline associate`: detections in, events with probability out.

mod read;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use associate::{Engine, Model};
use clap::Args;

use self::read::{Disorder, Feed, Network, Quarantine};
use self::write::{Cost, Sink, Summary};
use crate::progress::bytes;
use crate::{Outcome, output};

/// Arguments of `truceline associate`.
#[derive(Args, Debug)]
pub(crate) struct AssociateArgs {
    /// Folder with stations.csv, detections.csv (or detections.ndjson), and if
    /// there are any met.csv and outages.csv
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for events.csv, assoc.csv, summary.json and quarantine.csv
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Model of the sensors with its calibration map, as `truceline calibrate`
    /// writes it (default: the one built in)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Shares of the network that are worked on apart. Results do not depend on it
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub shards: usize,
}

/// The model in a file, or the built-in one.
pub(crate) fn model_of(path: Option<&Path>) -> Result<Model> {
    let Some(path) = path else { return Ok(Model::built_in()) };
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Model::parse(&text).with_context(|| format!("reading the model in {}", path.display()))
}

/// Runs the engine over a folder.
pub(crate) fn associate(args: &AssociateArgs) -> Result<Outcome> {
    if args.shards == 0 {
        bail!("--shards 0: at least one share is needed");
    }
    let model = model_of(args.model.as_deref())?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let start = Cost::now();
    let summary = match run(args, &model, false)? {
        Some(summary) => summary,
        // Rows out of order: read them all first, then begin again.
        None => run(args, &model, true)?.context("rows were sorted and still out of order")?,
    };
    let summary = summary.finish(start);
    write::summary(&args.out, &summary)?;
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

fn run(args: &AssociateArgs, model: &Model, sort: bool) -> Result<Option<Summary>> {
    let mut quarantine = Quarantine::create(&args.out.join("quarantine.csv"))?;
    let network = Network::read(&args.data, &mut quarantine)?;
    let mut engine = Engine::new(&network.stations, &network.met, &network.outages, model);
    let mut feed = Feed::open(&args.data, &network, sort, &mut quarantine)?;
    let mut sink = Sink::create(&args.out)?;
    let bar = bytes("associating", feed.size());
    let mut batch = Vec::new();
    let mut cpu = 0.0;
    loop {
        batch.clear();
        let more = match feed.next(&mut batch, &mut quarantine)? {
            Ok(more) => more,
            Err(Disorder) => {
                bar.finish_and_clear();
                return Ok(None);
            }
        };
        bar.set_position(feed.position());
        let before = write::cpu_seconds();
        engine.push(&batch);
        let events = if more { engine.advance(feed.watermark()) } else { engine.finish() };
        cpu += write::cpu_seconds() - before;
        for rejected in engine.take_rejected() {
            quarantine.row(
                feed.file(),
                feed.line_of(rejected.row),
                rejected.field,
                rejected.reason,
            )?;
        }
        sink.events(&events, &feed)?;
        feed.forget(engine.oldest_row());
        if !more {
            break;
        }
    }
    bar.finish_and_clear();
    let mut summary = sink.finish(model)?;
    summary.searches = engine.searches;
    summary.detections = feed.rows();
    summary.stations = network.stations.len();
    summary.quarantined = quarantine.finish()?;
    summary.associate_cpu_seconds = cpu;
    Ok(Some(summary))
}
