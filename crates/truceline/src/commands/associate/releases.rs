//! `truceline associate --releases`: events while the record is read in the
//! order of its reception. Every release is a line that names the digest of the
//! line before it, so that none can be taken out or changed unseen.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use associate::Model;
use associate::effort::effort;
use associate::stream::{Grade, Output, Release, Stream};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::read::{Feed, Network, Quarantine};
use super::write::{Sink, cpu_seconds};
use super::{AssociateArgs, Ran};
use crate::progress::bytes;

/// The file of releases.
struct Chain {
    file: BufWriter<File>,
    previous: String,
    count: u64,
}

impl Chain {
    fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Self { file: BufWriter::new(file), previous: String::new(), count: 0 })
    }

    fn add(&mut self, release: &Release, feed: &Feed) -> Result<()> {
        let event = &release.event;
        let revision = match release.grade {
            Grade::Revised(n) => Some(n),
            Grade::Preliminary | Grade::Final | Grade::Withdrawn => None,
        };
        self.count += 1;
        let detections: Vec<&str> = event.rows.iter().map(|row| feed.id(*row)).collect();
        let line = json!({
            "release": self.count,
            "event": format!("E{}", release.id),
            "grade": release.grade.code(),
            "revision": revision,
            "known_s": release.known_s,
            "t_s": to_places(event.t_s, 4),
            "t_sigma_s": to_places(event.var_t.max(0.0).sqrt(), 4),
            "lat": to_places(event.lat, 7),
            "lon": to_places(event.lon, 7),
            "probability": to_places(event.probability, 6),
            "covariance_m2": event.covariance.map(|c| to_places(c, 2)),
            "level_db": to_places(event.level_db, 2),
            "detections": detections,
            "previous": self.previous,
        })
        .to_string();
        writeln!(self.file, "{line}")?;
        let digest = Sha256::digest(line.as_bytes());
        self.previous = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(())
    }
}

fn to_places(value: f64, places: i32) -> f64 {
    let unit = 10_f64.powi(places);
    (value * unit).round() / unit
}

/// What a run gave away while it went on.
pub(super) struct Released {
    pub(super) ran: Ran,
    pub(super) count: u64,
    /// Detections that came after the final pass, and after the last.
    pub(super) late: [u64; 2],
}

/// Reads a set in the order of its reception, writes `releases.ndjson`, and
/// hands what stands in the end to the sink.
pub(super) fn run(args: &AssociateArgs, model: &Model, sink: &mut Sink) -> Result<Released> {
    let mut quarantine = Quarantine::create(Some(&args.out.join("quarantine.csv")))?;
    let network = Network::read(&args.data, &mut quarantine)?;
    let mut feed = Feed::as_received(&args.data, &network, true)?;
    let mut stream = Stream::new(&network.stations, &network.met, &network.outages, model);
    let mut chain = Chain::create(&args.out.join("releases.ndjson"))?;
    let bar = bytes("associating", feed.size());
    let mut span = (f64::INFINITY, f64::NEG_INFINITY);
    let mut out = Output::default();
    let before = cpu_seconds();
    let mut more = true;
    while more {
        match feed.next_received(&mut quarantine)? {
            None => {
                more = false;
                stream.finish(&mut out);
            }
            Some((received, None)) => stream.beat(received, &mut out),
            Some((received, Some(detection))) => {
                span = (span.0.min(detection.t_s), span.1.max(detection.t_s));
                stream.push(received, detection, &mut out);
            }
        }
        let news = !out.releases.is_empty() || !out.settled.is_empty();
        for release in out.releases.drain(..) {
            chain.add(&release, &feed)?;
        }
        sink.events(&out.settled, &feed)?;
        out.settled.clear();
        for rejected in stream.take_rejected() {
            let line = feed.line_of(rejected.row);
            quarantine.row(feed.file(), line, rejected.field, rejected.reason)?;
        }
        if news {
            bar.set_position(feed.position());
            feed.forget(stream.oldest_row());
        }
    }
    bar.finish_and_clear();
    chain.file.flush()?;
    let [_, late, lost] = stream.late();
    Ok(Released {
        ran: Ran {
            stations: network.stations.len(),
            detections: feed.rows(),
            quarantined: quarantine.finish()?,
            searches: stream.searches(),
            effort: effort(network.stations.len() as u32, &network.outages, span.0, span.1),
            cpu: cpu_seconds() - before,
            told: None,
        },
        count: chain.count,
        late: [late, lost],
    })
}
