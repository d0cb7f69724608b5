//! `truceline associate --releases`: events while the record is read in the
//! order of its reception. Every release is a line that names the digest of the
//! line before it, so that none can be taken out or changed unseen.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use associate::arrays::ArrayEvent;
use associate::effort::effort;
use associate::globe::GlobeEvent;
use associate::stream::{Associator, Found, Grade, Heard, Output, Release, Stream};
use associate::{Detection, Event, Model, Outage, phases};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::read::{Feed, Network, Quarantine};
use super::write::{Sink, cpu_seconds};
use super::{AssociateArgs, Ran};
use crate::output;
use crate::progress::bytes;

/// A set in the order of its reception.
pub(super) trait Received {
    /// Its detections.
    type Heard: Heard;

    /// The next row: when it was received, and its detection if it is one that
    /// can be used. None at the end.
    fn next(&mut self, quarantine: &mut Quarantine) -> Result<Option<(f64, Option<Self::Heard>)>>;
    /// Name of a row.
    fn name(&self, row: u32) -> &str;
    /// File and line of a row.
    fn place(&self, row: u32) -> (&str, u64);
    /// Rows before this one will not be asked for.
    fn forget(&mut self, row: u32);
    /// How far it has been read, and how long it is.
    fn position(&self) -> (u64, u64);
}

impl Received for Feed<'_> {
    type Heard = Detection;

    fn next(&mut self, quarantine: &mut Quarantine) -> Result<Option<(f64, Option<Detection>)>> {
        self.next_received(quarantine)
    }

    fn name(&self, row: u32) -> &str {
        self.id(row)
    }

    fn place(&self, row: u32) -> (&str, u64) {
        (self.file(), self.line_of(row))
    }

    fn forget(&mut self, row: u32) {
        Feed::forget(self, row);
    }

    fn position(&self) -> (u64, u64) {
        (Feed::position(self), self.size())
    }
}

/// Rows that are all in memory, in the order of their reception.
pub(super) struct Kept<'n, H> {
    rows: Vec<(f64, Option<H>)>,
    next: usize,
    /// Name, file and line of a row.
    told: &'n dyn Fn(u32) -> (&'n str, &'n str, u64),
}

impl<'n, H> Kept<'n, H> {
    pub(super) fn new(
        rows: Vec<(f64, Option<H>)>,
        told: &'n dyn Fn(u32) -> (&'n str, &'n str, u64),
    ) -> Self {
        Self { rows, next: 0, told }
    }
}

impl<H: Heard> Received for Kept<'_, H> {
    type Heard = H;

    fn next(&mut self, _: &mut Quarantine) -> Result<Option<(f64, Option<H>)>> {
        self.next += 1;
        Ok(self.rows.get(self.next - 1).copied())
    }

    fn name(&self, row: u32) -> &str {
        (self.told)(row).0
    }

    fn place(&self, row: u32) -> (&str, u64) {
        let (_, file, line) = (self.told)(row);
        (file, line)
    }

    fn forget(&mut self, _: u32) {}

    fn position(&self) -> (u64, u64) {
        (self.next as u64, self.rows.len() as u64)
    }
}

/// What a release says of an event beside what all say.
pub(super) trait Told: Found {
    /// Variance of the origin time, s^2.
    fn var_t(&self) -> f64;
    /// Degrees north and east.
    fn at(&self) -> (f64, f64);
    /// Fields of its own.
    fn own(&self) -> Vec<(&'static str, Value)>;
}

impl Told for Event {
    fn var_t(&self) -> f64 {
        self.var_t
    }

    fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }

    fn own(&self) -> Vec<(&'static str, Value)> {
        vec![("level_db", json!(to_places(self.level_db, 2)))]
    }
}

impl Told for phases::Event {
    fn var_t(&self) -> f64 {
        self.var_t
    }

    fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }

    fn own(&self) -> Vec<(&'static str, Value)> {
        let sigma_km = self.covariance[5].max(0.0).sqrt() / 1e3;
        vec![
            ("depth_km", json!(to_places(self.depth_km, 3))),
            ("depth_sigma_km", json!(to_places(sigma_km, 3))),
        ]
    }
}

impl Told for ArrayEvent {
    fn var_t(&self) -> f64 {
        self.var_t
    }

    fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }

    fn own(&self) -> Vec<(&'static str, Value)> {
        vec![("arrays", json!(self.arrays))]
    }
}

impl Told for GlobeEvent {
    fn var_t(&self) -> f64 {
        self.var_t
    }

    fn at(&self) -> (f64, f64) {
        (self.lat, self.lon)
    }

    fn own(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("magnitude", json!(to_places(self.magnitude, 2))),
            ("near", json!(to_places(self.near, 4))),
        ]
    }
}

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

    fn add<'r, F: Told>(
        &mut self,
        release: &Release<F>,
        name: impl Fn(u32) -> &'r str,
    ) -> Result<()> {
        let event = &release.event;
        let revision = match release.grade {
            Grade::Revised(n) => Some(n),
            Grade::Preliminary | Grade::Final | Grade::Withdrawn => None,
        };
        self.count += 1;
        let detections: Vec<&str> = event.rows().iter().map(|row| name(*row)).collect();
        let (lat, lon) = event.at();
        let mut line = json!({
            "release": self.count,
            "event": format!("E{}", release.id),
            "grade": release.grade.code(),
            "revision": revision,
            "known_s": release.known_s,
            "t_s": to_places(event.t_s(), 4),
            "t_sigma_s": to_places(event.var_t().max(0.0).sqrt(), 4),
            "lat": to_places(lat, 7),
            "lon": to_places(lon, 7),
            "probability": to_places(event.probability(), 6),
            "covariance_m2": event.covariance().map(|c| to_places(c, 2)),
            "detections": detections,
            "previous": self.previous,
        });
        for (field, value) in event.own() {
            line[field] = value;
        }
        let line = line.to_string();
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
    count: u64,
    /// Detections that came after the final pass, and after the last.
    late: [u64; 2],
}

impl Released {
    /// Says how many releases there were and what came too late.
    pub(super) fn say(&self) -> Result<()> {
        let (count, [late, lost]) = (self.count, self.late);
        output::line(&format!(
            "{count} releases in releases.ndjson; {late} detections came after the final pass, {lost} after the last"
        ))
    }
}

/// A network with its set, as they are followed.
pub(super) struct Followed<'f, R> {
    pub(super) received: R,
    /// Stations, and when they were down.
    pub(super) stations: usize,
    pub(super) outages: &'f [Outage],
    pub(super) quarantine: Quarantine,
}

impl<R: Received> Followed<'_, R> {
    /// Follows a set in the order of its reception, writes `releases.ndjson`, and
    /// hands what stands in the end to `settle`.
    pub(super) fn run<A>(
        self,
        out_dir: &Path,
        stream: &mut Stream<A>,
        mut settle: impl FnMut(&[A::Found], &R) -> Result<()>,
    ) -> Result<Released>
    where
        A: Associator<Heard = R::Heard, Found: Told>,
    {
        let Self { mut received, stations, outages, mut quarantine } = self;
        let mut chain = Chain::create(&out_dir.join("releases.ndjson"))?;
        let bar = bytes("associating", received.position().1);
        let mut span = (f64::INFINITY, f64::NEG_INFINITY);
        let mut out = Output::default();
        let before = cpu_seconds();
        let (mut more, mut detections) = (true, 0);
        while more {
            match received.next(&mut quarantine)? {
                None => {
                    more = false;
                    stream.finish(&mut out);
                }
                Some((known_s, None)) => stream.beat(known_s, &mut out),
                Some((known_s, Some(heard))) => {
                    detections += 1;
                    span = (span.0.min(heard.t_s()), span.1.max(heard.t_s()));
                    stream.push(known_s, heard, &mut out);
                }
            }
            let news = !out.releases.is_empty() || !out.settled.is_empty();
            for release in out.releases.drain(..) {
                chain.add(&release, |row| received.name(row))?;
            }
            settle(&out.settled, &received)?;
            out.settled.clear();
            for rejected in stream.take_rejected() {
                let (file, line) = received.place(rejected.row);
                quarantine.row(file, line, rejected.field, rejected.reason)?;
            }
            if news {
                bar.set_position(received.position().0);
                received.forget(stream.oldest_row());
            }
        }
        bar.finish_and_clear();
        chain.file.flush()?;
        let [_, late, lost] = stream.late();
        Ok(Released {
            ran: Ran {
                stations,
                detections,
                quarantined: quarantine.finish()?,
                searches: stream.searches(),
                effort: effort(stations as u32, outages, span.0, span.1),
                cpu: cpu_seconds() - before,
                told: None,
            },
            count: chain.count,
            late: [late, lost],
        })
    }
}

/// Follows a set of sounds.
pub(super) fn run(args: &AssociateArgs, model: &Model, sink: &mut Sink) -> Result<Released> {
    let mut quarantine = Quarantine::create(Some(&args.out.join("quarantine.csv")))?;
    let network = Network::read(&args.data, &mut quarantine)?;
    let received = Feed::as_received(&args.data, &network, true)?;
    let Network { stations, met, outages, .. } = &network;
    let mut stream = Stream::new(stations, met, outages, model);
    let followed = Followed { received, stations: stations.len(), outages, quarantine };
    followed.run(&args.out, &mut stream, |events, feed| sink.events(events, feed))
}
