//! From a figure back to the rows behind it: which file, which line, which
//! words, and what became of them.

use std::io::{BufRead as _, BufReader};

use domain::{Id, Incident, Observation, RecordPosition, State};
use jiff::civil::Date;
use record::Reader;

use crate::derive::{Fate, Follow, Followed, trace};
use crate::entry::{BatchOf, Entry, hash_of};
use crate::error::{Error, Result};
use crate::folder::Mission;
use crate::ledger::Ledger;
pub use crate::networks::EventAccount;
use crate::world::AsOf;

/// Longest part of a line of a file that is shown, bytes.
const EXCERPT_BYTES: u64 = 4096;

/// A row of the record with everything that can be said about it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it stands and what became of it.
    pub fate: Fate,
    /// Name of its file.
    pub file: String,
    /// SHA-256 of the file.
    pub blob: String,
    /// Line of the file.
    pub line: u64,
    /// The line as it stands in the file; empty if the file is not plain text.
    pub raw: String,
    /// The observation as it was taken down.
    pub observation: Observation,
}

/// What somebody wants explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// An incident or an observation, by its id or the beginning of it.
    Id(String),
    /// A day: all its rows.
    Day(Date),
}

/// The answer.
#[derive(Debug)]
pub struct Answer {
    /// The state.
    pub state: State,
    /// The incident that was asked for, or that the observation belongs to.
    pub incident: Option<Incident>,
    /// The rows, in record order.
    pub rows: Vec<Row>,
}

impl Question {
    /// Reads a question: a date is a day, anything else an id.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Id(text.to_owned()), Self::Day)
    }
}

/// Answers a question from the record.
pub fn explain(mission: &Mission, question: &Question, as_of: AsOf) -> Result<Answer> {
    let asked = |id: Id| match question {
        Question::Id(start) => id.to_string().starts_with(start.as_str()),
        Question::Day(_) => false,
    };
    // Followed are the rows of the day, the observation asked for, and - as it
    // is not known yet which they are - nothing for an incident: its rows are
    // its members.
    let wanted = |fate: &Fate| match question {
        Question::Day(day) => fate.day == *day,
        Question::Id(_) => asked(fate.observation),
    };
    let follow = Follow { rows: &wanted, event: None };
    let (state, world, Followed { mut fates, .. }) = trace(mission, as_of, &follow)?;
    let mut incidents: Vec<&Incident> =
        state.incidents.iter().filter(|incident| asked(incident.id)).collect();
    if let Question::Id(start) = question {
        match incidents.len() + fates.len() {
            0 => {
                return Err(Error::Asked(format!(
                    "nothing in the record has the id `{start}`; `truceline incidents MISSION` lists the incidents"
                )));
            }
            1 => {}
            several => {
                return Err(Error::Asked(format!(
                    "`{start}` is the beginning of {several} ids; write more of it"
                )));
            }
        }
        if let [fate] = fates.as_slice() {
            incidents =
                state.incidents.iter().filter(|one| Some(one.id) == fate.incident).collect();
        }
    }
    let incident = incidents.first().copied().cloned();
    if fates.is_empty()
        && let Some(incident) = &incident
    {
        fates =
            incident.members.iter().flat_map(|member| fates_of(&state, incident, member)).collect();
    }
    let reader = mission.reader()?;
    let rows = fates
        .into_iter()
        .map(|fate| row(mission, &reader, &world.ledger, fate))
        .collect::<Result<_>>()?;
    Ok(Answer { state, incident, rows })
}

/// Why an event is believed, by its id or the beginning of it; with the state
/// that it is part of.
pub fn event(mission: &Mission, start: &str, as_of: AsOf) -> Result<(State, EventAccount)> {
    let follow = Follow { event: Some(start), ..Follow::default() };
    let (state, _, followed) = trace(mission, as_of, &follow)?;
    let ids = state.events.iter().filter(|event| event.id.to_string().starts_with(start)).count();
    match (ids, followed.accounts.into_iter().next()) {
        (1, Some(account)) => Ok((state, account)),
        (0, _) => Err(Error::Asked(format!(
            "no event has the id `{start}`; `truceline events MISSION` lists the events"
        ))),
        (several, _) => Err(Error::Asked(format!(
            "`{start}` is the beginning of {several} ids; write more of it"
        ))),
    }
}

/// The rows behind a member: itself, or the arrivals of an event.
fn fates_of(state: &State, incident: &Incident, member: &domain::incident::Member) -> Vec<Fate> {
    let fate = |observation, at, words| Fate {
        observation,
        at,
        source: member.source.clone(),
        day: state.day_of(incident),
        words,
        incident: Some(incident.id),
    };
    match state.events.iter().find(|event| event.id == member.observation) {
        None => vec![fate(member.observation, member.at, member.because.clone())],
        Some(event) => event
            .arrivals
            .iter()
            .map(|arrival| {
                let words = format!("it belongs to the event {}: {}", event.id, member.because);
                fate(arrival.observation, arrival.at, words)
            })
            .collect(),
    }
}

fn row(mission: &Mission, reader: &Reader, ledger: &Ledger, fate: Fate) -> Result<Row> {
    let RecordPosition { entry, line } = fate.at;
    let bytes = reader.entry(entry)?;
    let bad = |problem: &dyn std::fmt::Display| Error::entry(entry, problem);
    let parsed = Entry::parse(&bytes, mission.mission_key()).map_err(|error| bad(&error))?;
    let Entry::Batch { file, of: BatchOf::Observations, mut lines, .. } = parsed else {
        return Err(bad(&"this is no batch of observations"));
    };
    let (number, json) = lines
        .nth(line as usize)
        .ok_or_else(|| bad(&format!("it has no line {line}")))?
        .map_err(|error| bad(&error))?;
    let file = &ledger.files.get(&file).ok_or_else(|| bad(&"its file is not declared"))?.file;
    Ok(Row {
        file: file.name.clone(),
        blob: file.blob.clone(),
        line: number,
        raw: raw_line(mission, &file.blob, number)?,
        observation: Observation::from_line(json).map_err(|error| bad(&error))?,
        fate,
    })
}

/// A line of a stored file, cut if it is very long.
fn raw_line(mission: &Mission, blob: &str, number: u64) -> Result<String> {
    use std::io::Read as _;
    let hash = hash_of(blob).map_err(|error| Error::Asked(error.to_string()))?;
    let Ok(file) = std::fs::File::open(mission.blobs().path(&hash)) else {
        return Ok(String::new());
    };
    let mut reader = BufReader::new(file);
    for _ in 1..number {
        if !skip_line(&mut reader) {
            return Ok(String::new());
        }
    }
    let mut line = Vec::new();
    if reader.by_ref().take(EXCERPT_BYTES).read_until(b'\n', &mut line).is_err() {
        return Ok(String::new());
    }
    let mut text = String::from_utf8_lossy(&line).into_owned();
    if text.trim_end().ends_with('{') {
        // An object over several lines: as much of it as is shown of a line.
        let mut rest = Vec::new();
        let room = EXCERPT_BYTES.saturating_sub(line.len() as u64);
        if reader.take(room).read_to_end(&mut rest).is_ok() {
            line.extend(rest);
            text = first_object(&line).unwrap_or(text);
        }
    }
    let plain = !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    Ok(if plain { text.trim_end().to_owned() } else { String::new() })
}

/// The JSON object that bytes begin with, on one line.
fn first_object(bytes: &[u8]) -> Option<String> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>();
    values.next()?.ok().filter(serde_json::Value::is_object)?;
    let text = String::from_utf8_lossy(&bytes[..values.byte_offset()]);
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Goes to the next line without keeping this one; false at the end.
fn skip_line(reader: &mut impl std::io::BufRead) -> bool {
    loop {
        let Ok(buffer) = reader.fill_buf() else { return false };
        if buffer.is_empty() {
            return false;
        }
        let (used, found) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if found {
            return true;
        }
    }
}
