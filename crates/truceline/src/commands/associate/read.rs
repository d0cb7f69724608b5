//! Reads the files of a data set row by row. What cannot be used is written to
//! `quarantine.csv` with file, line, field and reason, and the rest goes on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use associate::{BackAzimuth, Detection, MetNode, Outage, Station};
use serde::Deserialize;

/// Longest time, either way from the zero of a set, that is believed: 30 years, s.
pub(crate) const TIME_MAX: f64 = 1e9;
/// Lowest signal-to-noise ratio that a detection can have had, dB: below it is
/// a fault, not an arrival. Detections a little under the noise do occur.
const SNR_MIN: f64 = -40.0;
/// Rows handed to the engine at once.
const BATCH: usize = 16_384;

/// Rows came out of order of time.
pub(crate) struct Disorder;

/// Where rows go that cannot be used.
pub(crate) struct Quarantine {
    file: Option<BufWriter<File>>,
    count: u64,
}

impl Quarantine {
    /// Without a path rows are only counted.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self> {
        let file = match path {
            None => None,
            Some(path) => {
                let file =
                    File::create(path).with_context(|| format!("writing {}", path.display()))?;
                let mut file = BufWriter::new(file);
                writeln!(file, "file,line,field,reason")?;
                Some(file)
            }
        };
        Ok(Self { file, count: 0 })
    }

    pub(crate) fn row(&mut self, file: &str, line: u64, field: &str, reason: &str) -> Result<()> {
        self.count += 1;
        if let Some(out) = &mut self.file {
            let reason = reason.replace('"', "\"\"");
            writeln!(out, "{file},{line},{field},\"{reason}\"")?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<u64> {
        if let Some(out) = &mut self.file {
            out.flush()?;
        }
        Ok(self.count)
    }
}

/// A CSV file without quotes, line by line.
pub(crate) struct Csv {
    pub(super) name: String,
    reader: BufReader<File>,
    pub(super) line: u64,
    pub(super) bytes: u64,
    pub(super) buffer: Vec<u8>,
    columns: Vec<String>,
}

impl Csv {
    pub(crate) fn open(path: &Path, header: bool) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        let mut csv = Self {
            name,
            reader: BufReader::with_capacity(1 << 18, file),
            line: 0,
            bytes: 0,
            buffer: Vec::new(),
            columns: Vec::new(),
        };
        if header && csv.read_line()? {
            let header = String::from_utf8_lossy(&csv.buffer).into_owned();
            let header = header.trim_start_matches('\u{feff}');
            csv.columns =
                header.split(',').map(|c| c.trim().trim_matches('"').to_owned()).collect();
        }
        Ok(csv)
    }

    /// The next line that is not empty, without its end.
    pub(super) fn read_line(&mut self) -> Result<bool> {
        loop {
            self.buffer.clear();
            let n = self
                .reader
                .read_until(b'\n', &mut self.buffer)
                .with_context(|| format!("reading {} after line {}", self.name, self.line))?;
            if n == 0 {
                return Ok(false);
            }
            self.line += 1;
            self.bytes += n as u64;
            while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
                self.buffer.pop();
            }
            if !self.buffer.is_empty() {
                return Ok(true);
            }
        }
    }

    pub(crate) fn column(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|c| c == name) {
            Some(at) => Ok(at),
            None => bail!(
                "{}: line 1 has no column `{name}`; it has {}",
                self.name,
                self.columns.join(",")
            ),
        }
    }

    /// Calls `f` with the fields of each row; a row it refuses is set aside.
    pub(crate) fn rows(
        &mut self,
        quarantine: &mut Quarantine,
        mut f: impl FnMut(&[&[u8]]) -> Result<(), Fault>,
    ) -> Result<()> {
        self.rows_at(quarantine, |_, fields| f(fields))
    }

    /// The same, with the number of the line.
    pub(crate) fn rows_at(
        &mut self,
        quarantine: &mut Quarantine,
        mut f: impl FnMut(u64, &[&[u8]]) -> Result<(), Fault>,
    ) -> Result<()> {
        while self.read_line()? {
            let fields = split(&self.buffer);
            if let Err(fault) = f(self.line, &fields) {
                quarantine.row(&self.name, self.line, fault.field, &fault.reason)?;
            }
        }
        Ok(())
    }
}

fn split(line: &[u8]) -> Vec<&[u8]> {
    line.split(|b| *b == b',').collect()
}

/// Why a row cannot be used.
pub(crate) struct Fault {
    pub(super) field: &'static str,
    pub(super) reason: String,
}

pub(crate) fn fault(field: &'static str, reason: impl Into<String>) -> Fault {
    Fault { field, reason: reason.into() }
}

pub(super) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(40).collect()
}

/// A finite number within limits.
pub(crate) fn number(
    fields: &[&[u8]],
    at: usize,
    field: &'static str,
    min: f64,
    max: f64,
) -> Result<f64, Fault> {
    let raw = fields.get(at).copied().unwrap_or_default();
    let value: f64 = fast_float2::parse(raw)
        .map_err(|_| fault(field, format!("`{}` is not a number", shown(raw))))?;
    if !value.is_finite() {
        return Err(fault(field, format!("`{}` is not a finite number", shown(raw))));
    }
    if !(min..=max).contains(&value) {
        return Err(fault(field, format!("{value} is outside {min} to {max}")));
    }
    Ok(value)
}

pub(crate) fn text<'a>(fields: &[&'a [u8]], at: usize) -> &'a [u8] {
    fields.get(at).copied().unwrap_or_default()
}

/// Stations, air and outages.
pub(crate) struct Network {
    pub stations: Vec<Station>,
    pub met: Vec<MetNode>,
    pub outages: Vec<Outage>,
    index: HashMap<Vec<u8>, u32>,
    /// Stations set aside, and why.
    aside: HashMap<Vec<u8>, String>,
}

impl Network {
    pub(crate) fn read(data: &Path, quarantine: &mut Quarantine) -> Result<Self> {
        let mut csv = Csv::open(&data.join("stations.csv"), true)?;
        let (name, lat, lon) = (csv.column("station")?, csv.column("lat")?, csv.column("lon")?);
        let elev = csv.column("elev_m").ok();
        let mut stations: Vec<Station> = Vec::new();
        let mut names: HashSet<Vec<u8>> = HashSet::new();
        let mut places: HashMap<(i64, i64), String> = HashMap::new();
        let mut aside = HashMap::new();
        csv.rows(quarantine, |f| {
            let id = text(f, name).to_vec();
            if id.is_empty() {
                return Err(fault("station", "a station without a name"));
            }
            if names.contains(&id) {
                return Err(fault("station", format!("`{}` is listed twice", shown(&id))));
            }
            let read = || {
                let (la, lo) =
                    (number(f, lat, "lat", -90.0, 90.0)?, number(f, lon, "lon", -180.0, 180.0)?);
                let elev_m =
                    elev.map_or(Ok(0.0), |at| number(f, at, "elev_m", -1_000.0, 9_000.0))?;
                let key = ((la * 1e7) as i64, (lo * 1e7) as i64);
                match places.get(&key) {
                    Some(other) => {
                        Err(fault("lat", format!("in the same place as station `{other}`")))
                    }
                    None => Ok((la, lo, elev_m, key)),
                }
            };
            names.insert(id.clone());
            match read() {
                Ok((la, lo, elev_m, key)) => {
                    let shown = String::from_utf8_lossy(&id).into_owned();
                    places.insert(key, shown.clone());
                    stations.push(Station { name: shown, lat: la, lon: lo, elev_m });
                    Ok(())
                }
                Err(why) => {
                    aside.insert(id, why.reason.clone());
                    Err(why)
                }
            }
        })?;
        if stations.is_empty() {
            bail!("{}: no station that can be used", data.join("stations.csv").display());
        }
        // By name, so that the order of rows in the file does not matter.
        stations.sort_by(|a, b| a.name.cmp(&b.name));
        let index: HashMap<Vec<u8>, u32> =
            (0_u32..).zip(&stations).map(|(i, s)| (s.name.clone().into_bytes(), i)).collect();
        let mut network = Self { stations, met: Vec::new(), outages: Vec::new(), index, aside };
        network.read_met(&data.join("met.csv"), quarantine)?;
        network.read_outages(&data.join("outages.csv"), quarantine)?;
        Ok(network)
    }

    fn read_met(&mut self, path: &Path, quarantine: &mut Quarantine) -> Result<()> {
        if !path.is_file() {
            return Ok(());
        }
        let mut csv = Csv::open(path, true)?;
        let at = ["t_s", "lat", "lon", "wind_e", "wind_n", "temp_c"].map(|c| csv.column(c));
        let [t, lat, lon, e, n, c] = at;
        let (t, lat, lon, e, n, c) = (t?, lat?, lon?, e?, n?, c?);
        let met = &mut self.met;
        csv.rows(quarantine, |f| {
            met.push(MetNode {
                t_s: number(f, t, "t_s", -TIME_MAX, TIME_MAX)?,
                lat: number(f, lat, "lat", -90.0, 90.0)?,
                lon: number(f, lon, "lon", -180.0, 180.0)?,
                wind_e: number(f, e, "wind_e", -100.0, 100.0)?,
                wind_n: number(f, n, "wind_n", -100.0, 100.0)?,
                temp_c: number(f, c, "temp_c", -80.0, 70.0)?,
            });
            Ok(())
        })
    }

    fn read_outages(&mut self, path: &Path, quarantine: &mut Quarantine) -> Result<()> {
        if !path.is_file() {
            return Ok(());
        }
        let mut csv = Csv::open(path, true)?;
        let (s, from, to) = (csv.column("station")?, csv.column("start_s")?, csv.column("end_s")?);
        let (outages, index) = (&mut self.outages, &self.index);
        csv.rows(quarantine, |f| {
            let Some(&station) = index.get(text(f, s)) else {
                return Err(fault(
                    "station",
                    format!("`{}` is no station in use", shown(text(f, s))),
                ));
            };
            let start_s = number(f, from, "start_s", -TIME_MAX, TIME_MAX)?;
            let end_s = number(f, to, "end_s", -TIME_MAX, TIME_MAX)?;
            if end_s < start_s {
                return Err(fault("end_s", format!("{end_s} is before the start, {start_s}")));
            }
            outages.push(Outage { station, start_s, end_s });
            Ok(())
        })
    }

    pub(super) fn station(&self, name: &[u8]) -> Result<u32, Fault> {
        if let Some(&at) = self.index.get(name) {
            return Ok(at);
        }
        match self.aside.get(name) {
            Some(why) => Err(fault("station", format!("`{}` was set aside: {why}", shown(name)))),
            None => Err(fault("station", format!("`{}` is not in stations.csv", shown(name)))),
        }
    }
}

/// Form of the detections.
enum Form {
    Csv(Columns),
    /// One JSON object a line, in order of reception; other kinds than acoustic are passed by.
    Ndjson,
}

/// An acoustic detection as a JSON object.
#[derive(Deserialize)]
struct Object {
    id: String,
    kind: String,
    recv: Option<f64>,
    station: Option<String>,
    t: Option<f64>,
    amp_db: Option<f64>,
    snr_db: Option<f64>,
    baz_deg: Option<f64>,
    baz_sigma_deg: Option<f64>,
}

/// Columns of detections.
struct Columns {
    id: usize,
    station: usize,
    t: usize,
    amp: usize,
    snr: usize,
    /// Direction and its error; a set without arrays has no such columns.
    azimuth: Option<usize>,
    azimuth_sigma: Option<usize>,
}

/// Degrees from north that are taken: writers differ in where the circle begins.
const BAZ: (f64, f64) = (-180.0, 360.0);

/// A direction and its error as given; none without a direction.
fn back_azimuth(
    deg: Option<Result<f64, Fault>>,
    sigma_deg: Option<Result<f64, Fault>>,
) -> Result<Option<BackAzimuth>, Fault> {
    let sigma_deg = sigma_deg.transpose()?.map(|sigma| sigma as f32);
    Ok(deg.transpose()?.map(|deg| BackAzimuth { deg: deg as f32, sigma_deg }))
}

/// A name in 64 bits: millions of rows are held at a time.
fn short(name: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// The detections of a set, in order of time.
pub(crate) struct Feed<'a> {
    network: &'a Network,
    csv: Csv,
    form: Form,
    name: &'static str,
    path: PathBuf,
    /// Names of the rows that the engine may still speak of, and their lines.
    ids: VecDeque<(Box<str>, u64)>,
    /// The same names in short, to notice a row that comes twice.
    names: HashSet<u64>,
    first: u32,
    rows: u32,
    last: f64,
    /// When the newest row was received.
    received: f64,
    sorted: Option<std::vec::IntoIter<Detection>>,
}

impl<'a> Feed<'a> {
    /// Opens the detections of a set. With `sort` all rows are read and sorted first.
    pub(crate) fn open(
        data: &Path,
        network: &'a Network,
        sort: bool,
        quarantine: &mut Quarantine,
    ) -> Result<Self> {
        let mut feed = Self::as_received(data, network, false)?;
        // An ndjson file is in order of reception, not of time.
        if sort || matches!(feed.form, Form::Ndjson) {
            let mut all = Vec::new();
            while feed.read(&mut all, usize::MAX, false, quarantine)?.is_ok_and(|more| more) {}
            all.sort_by(|a, b| {
                a.t_s.total_cmp(&b.t_s).then(a.station.cmp(&b.station)).then(a.row.cmp(&b.row))
            });
            feed.sorted = Some(all.into_iter());
        }
        Ok(feed)
    }

    /// Opens the detections of a set to be read as they were received, from
    /// detections.ndjson first if it may.
    pub(crate) fn as_received(
        data: &Path,
        network: &'a Network,
        stream_first: bool,
    ) -> Result<Self> {
        let mut name = "detections.csv";
        let mut path = data.join(name);
        let stream = data.join("detections.ndjson");
        let ndjson = stream.is_file() && (stream_first || !path.is_file());
        if ndjson {
            (name, path) = ("detections.ndjson", stream);
        }
        let (form, csv) = if ndjson {
            (Form::Ndjson, Csv::open(&path, false)?)
        } else {
            let csv = Csv::open(&path, true)?;
            let columns = Columns {
                id: csv.column("det")?,
                station: csv.column("station")?,
                t: csv.column("t_s")?,
                amp: csv.column("amp_db")?,
                snr: csv.column("snr_db")?,
                azimuth: csv.column("baz_deg").ok(),
                azimuth_sigma: csv.column("baz_sigma_deg").ok(),
            };
            (Form::Csv(columns), csv)
        };
        Ok(Self {
            network,
            csv,
            form,
            name,
            path,
            ids: VecDeque::new(),
            names: HashSet::new(),
            first: 0,
            rows: 0,
            last: f64::NEG_INFINITY,
            received: f64::NEG_INFINITY,
            sorted: None,
        })
    }

    /// The next row as it was received: when, and its detection if it is one
    /// that can be used. None at the end.
    pub(crate) fn next_received(
        &mut self,
        quarantine: &mut Quarantine,
    ) -> Result<Option<(f64, Option<Detection>)>> {
        if !self.csv.read_line()? {
            return Ok(None);
        }
        let detection = match self.row() {
            Ok(detection) => detection,
            Err(fault) => {
                quarantine.row(self.name, self.csv.line, fault.field, &fault.reason)?;
                None
            }
        };
        if let (Form::Csv(_), Some(detection)) = (&self.form, &detection) {
            // A table does not say when its rows were received: as they happened.
            self.received = self.received.max(detection.t_s);
        }
        Ok(Some((self.received, detection)))
    }

    pub(crate) fn size(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |m| m.len())
    }

    pub(crate) fn position(&self) -> u64 {
        self.csv.bytes
    }

    pub(crate) fn file(&self) -> &'static str {
        self.name
    }

    pub(crate) fn rows(&self) -> u64 {
        u64::from(self.rows)
    }

    /// Everything before this moment has been handed out.
    pub(crate) fn watermark(&self) -> f64 {
        self.last
    }

    /// Adds the next rows; false when there are no more.
    pub(crate) fn next(
        &mut self,
        batch: &mut Vec<Detection>,
        quarantine: &mut Quarantine,
    ) -> Result<Result<bool, Disorder>> {
        if let Some(sorted) = &mut self.sorted {
            batch.extend(sorted.take(BATCH));
            if let Some(last) = batch.last() {
                self.last = last.t_s;
            }
            return Ok(Ok(batch.len() == BATCH));
        }
        self.read(batch, BATCH, true, quarantine)
    }

    fn read(
        &mut self,
        batch: &mut Vec<Detection>,
        limit: usize,
        ordered: bool,
        quarantine: &mut Quarantine,
    ) -> Result<Result<bool, Disorder>> {
        while batch.len() < limit {
            if !self.csv.read_line()? {
                return Ok(Ok(false));
            }
            match self.row() {
                Ok(None) => {}
                Ok(Some(detection)) => {
                    if ordered && detection.t_s < self.last {
                        return Ok(Err(Disorder));
                    }
                    self.last = detection.t_s;
                    batch.push(detection);
                }
                Err(fault) => {
                    quarantine.row(self.name, self.csv.line, fault.field, &fault.reason)?;
                }
            }
        }
        Ok(Ok(true))
    }

    /// The detection in the present line; None if the line is of another kind.
    fn row(&mut self) -> Result<Option<Detection>, Fault> {
        match self.form {
            Form::Csv(_) => self.csv_row().map(Some),
            Form::Ndjson => self.json_row(),
        }
    }

    fn json_row(&mut self) -> Result<Option<Detection>, Fault> {
        let o: Object = serde_json::from_slice(&self.csv.buffer)
            .map_err(|why| fault("line", why.to_string()))?;
        if let Some(received) = o.recv.or(o.t) {
            if received.abs() > TIME_MAX {
                let reason = format!("{received} is outside {} to {TIME_MAX}", -TIME_MAX);
                return Err(fault("recv", reason));
            }
            self.received = self.received.max(received);
        }
        if o.kind != "acoustic" {
            return Ok(None);
        }
        let need = |value: Option<f64>, field, min: f64, max: f64| {
            let value = value.ok_or_else(|| fault(field, "is missing"))?;
            if !(min..=max).contains(&value) {
                return Err(fault(field, format!("{value} is outside {min} to {max}")));
            }
            Ok(value)
        };
        let name = o.station.as_deref().ok_or_else(|| fault("station", "is missing"))?;
        let station = self.network.station(name.as_bytes())?;
        let t = need(o.t, "t", -TIME_MAX, TIME_MAX)?;
        if o.recv.is_some_and(|recv| t > recv + 1.0) {
            return Err(fault("t", "later than its reception: the station's clock has jumped"));
        }
        let amp = need(o.amp_db, "amp_db", -100.0, 300.0)?;
        let snr = need(o.snr_db, "snr_db", SNR_MIN, 200.0)?;
        let from = back_azimuth(
            o.baz_deg.map(|_| need(o.baz_deg, "baz_deg", BAZ.0, BAZ.1)),
            o.baz_sigma_deg.map(|_| need(o.baz_sigma_deg, "baz_sigma_deg", 0.0, 180.0)),
        )?;
        self.taken(&o.id, "id", station, t, [amp as f32, snr as f32], from).map(Some)
    }

    fn taken(
        &mut self,
        id: &str,
        field: &'static str,
        station: u32,
        t: f64,
        of: [f32; 2],
        from: Option<BackAzimuth>,
    ) -> Result<Detection, Fault> {
        if !self.names.insert(short(id)) {
            return Err(fault(
                field,
                format!("`{}` is the name of an earlier row", shown(id.as_bytes())),
            ));
        }
        self.ids.push_back((id.into(), self.csv.line));
        let row = self.rows;
        self.rows += 1;
        Ok(Detection {
            station,
            // To the microsecond, as times are kept.
            t_s: (t * 1e6).round() / 1e6,
            amp_db: of[0],
            snr_db: of[1],
            from,
            row,
        })
    }

    fn csv_row(&mut self) -> Result<Detection, Fault> {
        let mut fields: [&[u8]; 16] = [&[]; 16];
        let mut n = 0;
        for field in self.csv.buffer.split(|b| *b == b',') {
            if n < fields.len() {
                fields[n] = field;
            }
            n += 1;
        }
        let f = &fields[..n.min(fields.len())];
        let Form::Csv(c) = &self.form else { return Err(fault("line", "not CSV")) };
        let station = self.network.station(text(f, c.station))?;
        let t = number(f, c.t, "t_s", -TIME_MAX, TIME_MAX)?;
        let amp = number(f, c.amp, "amp_db", -100.0, 300.0)?;
        let snr = number(f, c.snr, "snr_db", SNR_MIN, 200.0)?;
        let id = std::str::from_utf8(text(f, c.id)).map_err(|_| fault("det", "not UTF-8"))?;
        if id.is_empty() {
            return Err(fault("det", "a detection without a name"));
        }
        let given = |column: Option<usize>| column.filter(|at| !text(f, *at).is_empty());
        let from = back_azimuth(
            given(c.azimuth).map(|at| number(f, at, "baz_deg", BAZ.0, BAZ.1)),
            given(c.azimuth_sigma).map(|at| number(f, at, "baz_sigma_deg", 0.0, 180.0)),
        )?;
        let id = id.to_owned();
        self.taken(&id, "det", station, t, [amp as f32, snr as f32], from)
    }

    pub(crate) fn id(&self, row: u32) -> &str {
        self.ids.get((row - self.first) as usize).map_or("", |id| &id.0)
    }

    pub(crate) fn line_of(&self, row: u32) -> u64 {
        self.ids.get((row - self.first) as usize).map_or(0, |id| id.1)
    }

    /// Forgets the names of rows before this one.
    pub(crate) fn forget(&mut self, row: u32) {
        if self.sorted.is_some() {
            return;
        }
        while self.first < row && !self.ids.is_empty() {
            if let Some((name, _)) = self.ids.pop_front() {
                self.names.remove(&short(&name));
            }
            self.first += 1;
        }
    }
}
