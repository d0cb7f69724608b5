//! Files in, entries out: streaming, in bounded memory, and idempotent. The
//! same file twice adds nothing; a run that was stopped is taken up where it
//! stopped, without a repair and without a double.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use domain::{Id, Observation};
use intake::{Context, Item, Mapping, Quarantined, Refused, Stream};
use jiff::Timestamp;
use record::{Cadence, Reader, Writer};
use strict::Text;

use crate::case::InputFiles;
use crate::entry::{
    self, BatchBuilder, BatchOf, Declaration, Done, FileIn, ROW_BYTES_MAX, hash_of, sign,
};
use crate::error::{Error, OnPath as _, Result};
use crate::folder::{Mission, append};
use crate::ledger::{FileState, Ledger};
use crate::seen::Seen;

/// Batches after which what was read is made durable and acknowledged: 10,000
/// rows of the usual length.
const COMMIT_BATCHES: u32 = 20;

/// When a checkpoint is published while files are being read.
const CADENCE: Cadence = Cadence { entries_max: 2_000, bytes_max: 64 << 20 };

/// What is told while files are read.
pub trait Progress {
    /// A file is begun; its length in bytes.
    fn file(&mut self, name: &str, bytes: u64);
    /// So many of its bytes were read.
    fn read(&mut self, bytes: u64);
    /// It is done.
    fn done(&mut self, outcome: &FileOutcome);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn file(&mut self, _: &str, _: u64) {}
    fn read(&mut self, _: u64) {}
    fn done(&mut self, _: &FileOutcome) {}
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileOutcome {
    /// Its path below the data folder.
    pub name: String,
    /// Its input.
    pub input: String,
    /// True if it was in the record already, whole: nothing was added.
    pub known: bool,
    /// What it came to.
    pub done: Done,
    /// The first few rows that were set aside.
    pub samples: Vec<Quarantined>,
}

/// A file to take in.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Id of the input it belongs to.
    pub input: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The name it gets in the record.
    pub name: String,
}

/// Finds the files of the inputs below the data folder, in the order of the
/// inputs and by name. An input without a file is an error, unless it is
/// optional.
pub fn arrivals(inputs: &[InputFiles], data: &Path) -> Result<Vec<Arrival>> {
    if !data.is_dir() {
        let problem =
            "no such folder; --data names the folder that the patterns of the case start from";
        return Err(Error::folder(data, problem));
    }
    let mut found = Vec::new();
    for input in inputs {
        let files = files_of(input, data)?;
        if files.is_empty() && !input.optional {
            return Err(Error::Asked(format!(
                "the input {} has no file: nothing below {} matches `{}` (give it `optional = true` if that is fine)",
                input.input,
                data.display(),
                input.patterns.join("`, `"),
            )));
        }
        found.extend(files);
    }
    Ok(found)
}

/// Where the case of a mission finds its files.
pub fn input_files(mission: &Mission) -> Result<Vec<InputFiles>> {
    let reader = mission.reader()?;
    let ledger = Ledger::fold(mission, &reader, reader.size().min(1), |_| Ok(()))?;
    let hash = hash_of(&ledger.genesis()?.case_toml).map_err(|error| Error::entry(0, &error))?;
    crate::case::input_files(mission.blobs().get(&hash)?)
}

fn files_of(input: &InputFiles, data: &Path) -> Result<Vec<Arrival>> {
    // `glob` leaves out every `.` of a path; so do we, or the names would keep the folder.
    let data: PathBuf = data.components().filter(|part| *part != Component::CurDir).collect();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for pattern in &input.patterns {
        let below = data.join("").display().to_string();
        let below = format!("{}{pattern}", glob::Pattern::escape(&below));
        let paths =
            glob::glob(&below).map_err(|error| Error::Asked(format!("`{pattern}`: {error}")))?;
        for path in paths {
            let path = path.map_err(|error| {
                let path = error.path().to_owned();
                Error::Disk { action: "listing", path, source: error.into() }
            })?;
            if path.is_dir() {
                continue;
            }
            regular(&path)?;
            let name = path.strip_prefix(&data).unwrap_or(&path);
            names.insert(name.to_string_lossy().replace('\\', "/"));
        }
    }
    let arrival =
        |name: String| Arrival { input: input.input.clone(), path: data.join(&name), name };
    Ok(names.into_iter().map(arrival).collect())
}

/// A pipe may never end and a device has no end: only files are taken in.
fn regular(path: &Path) -> Result<()> {
    let kind = std::fs::metadata(path).on("looking at", path)?;
    if kind.is_file() || kind.is_dir() {
        return Ok(());
    }
    Err(Error::Asked(format!(
        "{} is a pipe or a device; give a file (copy what comes out of it into one)",
        path.display()
    )))
}

/// Takes files in, in the order given. What a stopped run began is finished
/// first, from the bytes that it stored.
pub fn ingest(
    mission: &Mission,
    arrivals: &[Arrival],
    now: Timestamp,
    progress: &mut dyn Progress,
) -> Result<Vec<FileOutcome>> {
    // Opening for writing recovers what a stopped run left in the journal.
    mission.writer()?.close()?;
    let reader = mission.reader()?;
    let ledger = Ledger::fold(mission, &reader, reader.size(), |_| Ok(()))?;
    let seen = seen_before(mission, &reader, &ledger, arrivals)?;
    let unfinished: Vec<FileState> = ledger.unfinished().cloned().collect();
    let writer = mission.writer()?;
    let mut run = Run { mission, reader, writer, ledger, mappings: BTreeMap::new(), seen, now };
    let mut outcomes = Vec::with_capacity(unfinished.len() + arrivals.len());
    for state in unfinished {
        progress.file(&state.file.name, state.file.bytes);
        let outcome = run.read(&state, progress)?;
        progress.done(&outcome);
        outcomes.push(outcome);
    }
    for arrival in arrivals {
        let outcome = run.arrive(arrival, progress)?;
        progress.done(&outcome);
        outcomes.push(outcome);
    }
    run.writer.close()?;
    Ok(outcomes)
}

/// The observations that the files of this run may repeat: all of their
/// sources, but for those of unfinished files, which are met anew.
fn seen_before(
    mission: &Mission,
    reader: &Reader,
    ledger: &Ledger,
    arrivals: &[Arrival],
) -> Result<Seen> {
    let arriving = arrivals.iter().map(|arrival| arrival.input.as_str());
    let inputs = arriving.chain(ledger.unfinished().map(|state| state.file.input.as_str()));
    let sources: BTreeSet<&str> = inputs
        .filter_map(|input| ledger.inputs.get(input))
        .map(|input| input.source.as_str())
        .collect();
    let unfinished: BTreeSet<u64> = ledger.unfinished().map(|state| state.entry).collect();
    let mut seen = Seen::default();
    Ledger::fold(mission, reader, reader.size(), |passing| {
        let source = passing.input.source.as_str();
        let counts = passing.of == BatchOf::Observations
            && sources.contains(source)
            && !unfinished.contains(&passing.file.entry);
        if counts {
            for line in passing.lines {
                let (_, json) = line.map_err(|error| Error::entry(passing.entry, &error))?;
                seen.insert(Observation::id(source, json));
            }
        }
        Ok(())
    })?;
    Ok(seen)
}

struct Run<'a> {
    mission: &'a Mission,
    /// The record as it was before this run.
    reader: Reader,
    writer: Writer,
    ledger: Ledger,
    mappings: BTreeMap<String, Mapping>,
    seen: Seen,
    now: Timestamp,
}

impl Run<'_> {
    /// Stores the bytes of a file and declares it, unless it is known, and
    /// reads it.
    fn arrive(&mut self, arrival: &Arrival, progress: &mut dyn Progress) -> Result<FileOutcome> {
        let Some(input) = self.ledger.inputs.get(&arrival.input) else {
            let known: Vec<&str> = self.ledger.inputs.keys().map(String::as_str).collect();
            let hint = strict::suggestion(&arrival.input, &known);
            return Err(Error::Asked(format!(
                "the mission has no input `{}`; {hint}",
                arrival.input
            )));
        };
        let mapping_file = input.mapping_file.clone();
        let name_matters = self.mapping(&mapping_file)?.name_matters();
        if arrival.path.is_dir() {
            let problem =
                "a file is needed here, this is a folder; use a pattern such as folder/*.csv";
            return Err(Error::folder(&arrival.path, problem));
        }
        regular(&arrival.path)?;
        let mut file = File::open(&arrival.path).on("opening", &arrival.path)?;
        let length = file.metadata().on("looking at", &arrival.path)?.len();
        progress.file(&arrival.name, length);
        let (blob, bytes) = self.writer.blobs().put_from(&mut file)?;
        let blob = blob.to_string();
        let name = name_matters.then_some(arrival.name.as_str());
        if let Some(FileState { done: Some(done), .. }) =
            self.ledger.file_of(&arrival.input, &blob, name)
        {
            return Ok(FileOutcome {
                name: arrival.name.clone(),
                input: arrival.input.clone(),
                known: true,
                done: done.clone(),
                samples: Vec::new(),
            });
        }
        let state = self.declare(FileIn {
            input: arrival.input.clone(),
            name: arrival.name.clone(),
            blob,
            bytes,
            received: self.now,
        })?;
        self.read(&state, progress)
    }

    fn declare(&mut self, file: FileIn) -> Result<FileState> {
        let key = self.mission.private_key("mission")?;
        let entry = append(&mut self.writer, &sign(&Declaration::File(file.clone()), &key)?)?;
        self.writer.commit()?;
        let state = FileState { entry, file, batches: 0, last_batch: None, done: None };
        self.ledger.files.insert(entry, state.clone());
        Ok(state)
    }

    /// Reads a declared file from its blob, not from where it came from, which
    /// may still change.
    fn read(&mut self, state: &FileState, progress: &mut dyn Progress) -> Result<FileOutcome> {
        let input = self.ledger.inputs[&state.file.input].clone();
        let mapping = self.mapping(&input.mapping_file)?;
        let blob = hash_of(&state.file.blob).map_err(|error| Error::entry(state.entry, &error))?;
        let path = self.mission.blobs().path(&blob);
        let stored = File::open(&path).on("opening", &path)?;
        let genesis = self.ledger.genesis()?;
        let context = Context {
            file_name: state.file.name.rsplit('/').next().unwrap_or(&state.file.name),
            zone: &genesis.zone,
            area: genesis.area,
        };
        let present = match state.last_batch {
            None => None,
            Some(index) => Some((state.batches, self.reader.entry(index)?)),
        };
        let mut output =
            Output::new(&mut self.writer, state.entry, &input.source, present, mapping.kind);
        let read = if mapping.kind.is_reference() {
            read_table(&mapping, context, stored, &mut output)
        } else {
            read_rows(&mapping, context, stored, &mut output, &mut self.seen, progress)
        };
        match read {
            Ok(()) => {}
            Err(Stop::Refused(Refused::Read(error))) => return Err(error).on("reading", &path),
            Err(Stop::Refused(refused)) => output.done.refused = refused.to_string(),
            Err(Stop::Error(error)) => return Err(error),
        }
        let (done, samples) = output.finish()?;
        if let Some(known) = self.ledger.files.get_mut(&state.entry) {
            known.done = Some(done.clone());
        }
        Ok(FileOutcome {
            name: state.file.name.clone(),
            input: input.id,
            known: false,
            done,
            samples,
        })
    }

    fn mapping(&mut self, blob: &str) -> Result<Mapping> {
        if let Some(mapping) = self.mappings.get(blob) {
            return Ok(mapping.clone());
        }
        let mapping = read_mapping(self.mission, blob)?;
        self.mappings.insert(blob.to_owned(), mapping.clone());
        Ok(mapping)
    }
}

/// Reads a mapping from its blob.
pub(crate) fn read_mapping(mission: &Mission, blob: &str) -> Result<Mapping> {
    let hash = hash_of(blob).map_err(|error| Error::Asked(error.to_string()))?;
    let text = Text::from_bytes(format!("mapping {blob}"), mission.blobs().get(&hash)?)?;
    Ok(Mapping::parse(&text)?)
}

enum Stop {
    Refused(Refused),
    Error(Error),
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn read_rows(
    mapping: &Mapping,
    context: Context<'_>,
    stored: File,
    output: &mut Output<'_>,
    seen: &mut Seen,
    progress: &mut dyn Progress,
) -> std::result::Result<(), Stop> {
    /// Rows between two steps of the progress display.
    const STEP: u32 = 4096;
    let mut rows = Stream::open(mapping, context, stored)?;
    let mut since = 0;
    while let Some((line, item)) = rows.next()? {
        match item {
            Item::Observation(observation) => {
                let json = observation.to_line();
                let id = Observation::id(output.source, &json);
                output.observation(line, &json, id, seen)?;
            }
            Item::Effort(effort) => {
                let json = serde_json::to_vec(&effort).expect("an effort always has a JSON form");
                output.row(line, &json)?;
            }
            Item::Bad(bad) => output.set_aside(bad)?,
        }
        since += 1;
        if since == STEP {
            since = 0;
            progress.read(rows.bytes_read());
        }
    }
    progress.read(rows.bytes_read());
    Ok(())
}

/// A reference table stays in its blob; only what it came to is recorded.
fn read_table(
    mapping: &Mapping,
    context: Context<'_>,
    stored: File,
    output: &mut Output<'_>,
) -> std::result::Result<(), Stop> {
    let read = intake::tables::read(mapping, context, stored)?;
    crate::networks::check(&read.table).map_err(Refused::Content)?;
    output.done.rows.read = read.rows - read.bad.len() as u64;
    output.done.rows.accepted = output.done.rows.read;
    for bad in read.bad {
        output.set_aside(bad)?;
    }
    Ok(())
}

/// The entries of a file that are still to be written.
struct Output<'a> {
    writer: &'a mut Writer,
    file: u64,
    source: &'a str,
    /// How many batches a stopped run wrote, and the bytes of the last one.
    present: Option<(u64, Vec<u8>)>,
    number: u64,
    of_rows: BatchOf,
    rows: BatchBuilder,
    bad: BatchBuilder,
    uncommitted: u32,
    done: Done,
    samples: Vec<Quarantined>,
}

impl<'a> Output<'a> {
    fn new(
        writer: &'a mut Writer,
        file: u64,
        source: &'a str,
        present: Option<(u64, Vec<u8>)>,
        kind: intake::Kind,
    ) -> Self {
        let of_rows =
            if kind == intake::Kind::Effort { BatchOf::Efforts } else { BatchOf::Observations };
        Self {
            writer,
            file,
            source,
            present,
            number: 0,
            of_rows,
            rows: BatchBuilder::default(),
            bad: BatchBuilder::default(),
            uncommitted: 0,
            done: Done::default(),
            samples: Vec::new(),
        }
    }

    fn observation(&mut self, line: u64, json: &[u8], id: Id, seen: &mut Seen) -> Result<()> {
        if json.len() > ROW_BYTES_MAX {
            let reason = format!("the row has {} bytes, {ROW_BYTES_MAX} is the most", json.len());
            let bad = Quarantined { line, field: String::new(), reason, excerpt: String::new() };
            return self.set_aside(bad);
        }
        if seen.insert(id) {
            return self.row(line, json);
        }
        self.done.rows.read += 1;
        self.done.rows.repeated += 1;
        Ok(())
    }

    fn row(&mut self, line: u64, json: &[u8]) -> Result<()> {
        self.done.rows.read += 1;
        self.done.rows.accepted += 1;
        self.rows.push(line, json);
        if self.rows.is_full() { self.flush_rows() } else { Ok(()) }
    }

    fn set_aside(&mut self, bad: Quarantined) -> Result<()> {
        const SAMPLES: usize = 5;
        self.done.rows.read += 1;
        self.done.rows.quarantined += 1;
        self.bad.push(bad.line, &entry::quarantine_line(&bad));
        if self.samples.len() < SAMPLES {
            self.samples.push(bad);
        }
        if self.bad.is_full() { self.flush_bad() } else { Ok(()) }
    }

    fn flush_rows(&mut self) -> Result<()> {
        let batch = self.rows.take(self.file, self.source, self.of_rows, self.number);
        self.write(&batch)
    }

    fn flush_bad(&mut self) -> Result<()> {
        let batch = self.bad.take(self.file, self.source, BatchOf::Quarantine, self.number);
        self.write(&batch)
    }

    /// Writes a batch, unless a stopped run did: the same bytes come again in
    /// the same order.
    fn write(&mut self, batch: &[u8]) -> Result<()> {
        self.number += 1;
        if let Some((present, last)) = &self.present
            && self.number <= *present
        {
            if self.number == *present && last != batch {
                return Err(Error::Asked(format!(
                    "the file of entry {} was begun by another version of the program, which read it \
                     differently; finish it with that version",
                    self.file
                )));
            }
            return Ok(());
        }
        append(self.writer, batch)?;
        self.uncommitted += 1;
        if self.uncommitted >= COMMIT_BATCHES {
            self.writer.commit()?;
            self.uncommitted = 0;
            self.writer.checkpoint_if_due(CADENCE)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(Done, Vec<Quarantined>)> {
        if !self.rows.is_empty() {
            self.flush_rows()?;
        }
        if !self.bad.is_empty() {
            self.flush_bad()?;
        }
        append(self.writer, &entry::done(self.file, self.done.clone()))?;
        self.writer.commit()?;
        self.writer.checkpoint_if_due(CADENCE)?;
        Ok((self.done, self.samples))
    }
}
