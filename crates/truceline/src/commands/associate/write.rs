//! Writes what the engine found.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};
use associate::kind::Kind;
use associate::{ENGINE_VERSION, Event, Model};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Ran;
use super::read::Feed;
use crate::output;

/// What a run did and what it cost.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    pub engine_version: u32,
    pub model: String,
    /// Travel times of P and S, where there are any: which model, and from where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub velocity: Option<String>,
    /// Moment that times count from, where it is not the set's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t0: Option<String>,
    pub stations: usize,
    /// Detections used.
    pub detections: u64,
    pub events: u64,
    /// Events with a probability of 0.5 or more.
    pub events_likely: u64,
    pub quarantined: u64,
    pub searches: u64,
    /// Whether the network was looking: observed, partly observed, not observed.
    pub looked: &'static str,
    /// Hours of all stations together, from the first detection to the last, less outages.
    pub station_hours: f64,
    pub down_hours: f64,
    /// User and system time of the process, all of it.
    pub cpu_seconds: f64,
    /// Of that, within the engine.
    pub associate_cpu_seconds: f64,
    pub wall_seconds: f64,
    /// Detections by CPU seconds within the engine.
    pub detections_per_cpu_second: f64,
    pub peak_rss_mb: f64,
    /// Digest of events.csv and assoc.csv.
    pub digest: String,
}

/// Start of the measurement.
pub(crate) struct Cost(Instant);

impl Cost {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }
}

impl Summary {
    /// Fills in the cost.
    pub(crate) fn finish(mut self, start: &Cost) -> Self {
        self.wall_seconds = rounded(start.0.elapsed().as_secs_f64());
        self.cpu_seconds = rounded(cpu_seconds());
        self.associate_cpu_seconds = rounded(self.associate_cpu_seconds);
        self.detections_per_cpu_second =
            (self.detections as f64 / self.associate_cpu_seconds.max(1e-3)).round();
        self.peak_rss_mb = rounded(peak_rss_mb());
        self
    }
}

fn rounded(x: f64) -> f64 {
    (x * 1e3).round() / 1e3
}

/// CPU seconds of this process so far, on all threads.
pub(crate) fn cpu_seconds() -> f64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// Most memory this process has had, MB; 0 where the system does not tell.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<f64>().ok())
        .map_or(0.0, |kb| kb / 1024.0)
}

/// Name of an event in the files.
pub(crate) fn name(event: &Event) -> String {
    format!("A{}", event.number)
}

/// Kinds with their shares, likeliest first, without those that are out of the question.
pub(crate) fn likeliest<'k>(kinds: &'k [Kind], shares: &[f64]) -> Vec<(&'k str, f64)> {
    let mut list: Vec<(&str, f64)> = kinds
        .iter()
        .zip(shares)
        .filter(|(_, share)| **share >= 0.005)
        .map(|(kind, share)| (kind.kind.as_str(), *share))
        .collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    list
}

/// The output files.
pub(crate) struct Sink {
    events: BufWriter<File>,
    assoc: BufWriter<File>,
    digest: Sha256,
    kinds: Vec<Kind>,
    summary: Summary,
}

impl Sink {
    pub(crate) fn create(out: &Path, model: &Model) -> Result<Self> {
        let columns = "event,t_s,lat,lon,prob,level_db,c_xx,c_xy,c_yy,c_tt,t_emit,evidence,hits,type,kinds,replay,features";
        Ok(Self { kinds: model.kinds.clone(), ..Self::with_columns(out, columns)? })
    }

    /// With a header of events.csv of its own.
    pub(crate) fn with_columns(out: &Path, columns: &str) -> Result<Self> {
        let create = |name: &str| {
            let path = out.join(name);
            File::create(&path)
                .map(BufWriter::new)
                .with_context(|| format!("writing {}", path.display()))
        };
        let mut sink = Self {
            events: create("events.csv")?,
            assoc: create("assoc.csv")?,
            digest: Sha256::new(),
            kinds: Vec::new(),
            summary: Summary { engine_version: ENGINE_VERSION, ..Summary::default() },
        };
        writeln!(sink.events, "{columns}")?;
        writeln!(sink.assoc, "det,event,own")?;
        Ok(sink)
    }

    pub(crate) fn events(&mut self, events: &[Event], feed: &Feed) -> Result<()> {
        for e in events {
            let name = name(e);
            let features: Vec<String> = e.features.0.iter().map(|f| format!("{f:.4}")).collect();
            let kinds = likeliest(&self.kinds, &e.kinds);
            let told: Vec<String> =
                kinds.iter().map(|(kind, share)| format!("{kind}:{share:.2}")).collect();
            let line = format!(
                "{name},{:.4},{:.7},{:.7},{:.6},{:.2},{:.2},{:.2},{:.2},{:.6},{:.3},{:.4},{},{},{},{},{}\n",
                e.t_s,
                e.lat,
                e.lon,
                e.probability,
                e.level_db,
                e.covariance[0],
                e.covariance[1],
                e.covariance[2],
                e.var_t,
                e.t_emit,
                e.evidence,
                e.rows.len(),
                kinds.first().map_or("", |(kind, _)| kind),
                told.join(" "),
                e.replay.map_or(String::new(), |r| format!("{:.3}@{:.3}", r.probability, r.of_s)),
                features.join(" ")
            );
            let own = e.own.iter().map(|own| Some(*own));
            let detections = e.rows.iter().map(|row| feed.id(*row)).zip(own);
            self.event(&name, &line, e.probability, detections)?;
        }
        Ok(())
    }

    /// An event's row and the detections that belong to it, with the probability that
    /// each is its own where the engine states one.
    pub(crate) fn event<'a>(
        &mut self,
        name: &str,
        line: &str,
        probability: f64,
        detections: impl Iterator<Item = (&'a str, Option<f32>)>,
    ) -> Result<()> {
        self.digest.update(line.as_bytes());
        self.events.write_all(line.as_bytes())?;
        for (detection, own) in detections {
            let own = own.map_or(String::new(), |own| format!("{own:.4}"));
            let line = format!("{detection},{name},{own}\n");
            self.digest.update(line.as_bytes());
            self.assoc.write_all(line.as_bytes())?;
        }
        self.summary.events += 1;
        self.summary.events_likely += u64::from(probability >= 0.5);
        Ok(())
    }

    pub(crate) fn finish(mut self, model: &str, ran: &Ran) -> Result<Summary> {
        self.events.flush()?;
        self.assoc.flush()?;
        model.clone_into(&mut self.summary.model);
        self.summary.stations = ran.stations;
        self.summary.detections = ran.detections;
        self.summary.quarantined = ran.quarantined;
        self.summary.searches = ran.searches;
        self.summary.looked = ran.effort.looked.code();
        self.summary.station_hours = rounded(ran.effort.station_hours);
        self.summary.down_hours = rounded(ran.effort.down_hours);
        self.summary.associate_cpu_seconds = ran.cpu;
        self.summary.digest =
            self.digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(self.summary)
    }
}

/// Writes `summary.json`.
pub(crate) fn summary(out: &Path, summary: &Summary) -> Result<()> {
    let path = out.join("summary.json");
    std::fs::write(&path, output::json(summary)?)
        .with_context(|| format!("writing {}", path.display()))
}
