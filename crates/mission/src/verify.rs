//! Everything that an outsider would check, in one go: the whole record, every
//! signature, every blob, and the state that follows from them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::State;
use record::blob::{self, BlobReport};
use record::verify::{Report as RecordReport, verify as verify_record};

use crate::derive::{DIGEST, STATE, derive, digest_file};
use crate::entry::hash_of;
use crate::error::{Error, OnPath as _, Result};
use crate::folder::{MISSION_TOML, Mission};
use crate::ledger::Ledger;
use crate::world::AsOf;

/// What was checked, if nothing was found.
#[derive(Debug)]
pub struct Report {
    /// Entries, tiles and checkpoint.
    pub record: RecordReport,
    /// Signed declarations whose signature holds.
    pub signatures: u64,
    /// Rows in batches, all kinds together.
    pub rows: u64,
    /// Blobs.
    pub blobs: BlobReport,
    /// SHA-256 of the state that the record comes to.
    pub digest: String,
    /// True if a stored state was there and is the same.
    pub stored_state: bool,
    /// What is not a fault and yet worth saying.
    pub notes: Vec<String>,
}

/// The first thing that is wrong, or what kept the check from its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file, an entry, a tile or a blob is not what it should be.
    #[error("{0}")]
    Fault(String),
    /// The check itself could not be made.
    #[error(transparent)]
    Error(#[from] Error),
}

impl From<record::verify::Fault> for Failure {
    fn from(fault: record::verify::Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// So many of so many entries.
    Entries(u64, u64),
    /// So many blobs.
    Blobs(u64),
    /// The record is folded again.
    Fold,
}

/// Checks a whole mission folder and tells what was checked, or the first thing
/// that is wrong.
pub fn verify(root: &Path, mut on_step: impl FnMut(Step)) -> Result<Report, Failure> {
    let mission = open(root)?;
    let mut notes = key_files(&mission)?;
    let mut pass = Pass { mission: &mission, ledger: Ledger::default(), rows: 0, bad: None };
    let record = verify_record(
        &mission.folders(),
        mission.log_key(),
        |index, bytes| pass.entry(index, bytes),
        |progress| on_step(Step::Entries(progress.entries, progress.entries_total)),
    )?;
    let Pass { ledger, rows, bad, .. } = pass;
    if let Some(error) = bad {
        return Err(Failure::Fault(error.to_string()));
    }
    let genesis = ledger.genesis().map_err(|error| Failure::Fault(error.to_string()))?;
    if genesis.mission_toml != mission.mission_toml_hash() {
        let path = root.join(MISSION_TOML);
        return Err(Failure::Fault(format!(
            "{} was altered: entry 0 of the record holds another hash of it",
            path.display()
        )));
    }
    let required = ledger
        .blobs()
        .into_iter()
        .map(hash_of)
        .collect::<std::result::Result<BTreeSet<_>, _>>()
        .map_err(|error| Failure::Fault(error.to_string()))?;
    let blobs = blob::verify(&mission.folders().blobs, &required, |report| {
        on_step(Step::Blobs(report.blobs));
    })?;
    on_step(Step::Fold);
    let (state, _) = derive(&mission, AsOf::Now)?;
    let stored_state = stored_state(&mission, &state, &mut notes)?;
    notes.extend(record.notes.iter().chain(blobs.notes.iter()).map(ToString::to_string));
    notes.extend(strangers(root)?);
    let signatures = ledger.declarations;
    Ok(Report { record, signatures, rows, blobs, digest: state.digest(), stored_state, notes })
}

/// A folder whose own description cannot be read is a fault, not a mistake of
/// the one who asks, as long as there is a description.
fn open(root: &Path) -> Result<Mission, Failure> {
    let path = root.join(MISSION_TOML);
    Mission::open(root).map_err(|error| match error {
        error @ Error::Disk { .. } => Failure::Error(error),
        error if path.is_file() => Failure::Fault(format!("{}: {error}", path.display())),
        error => Failure::Error(error),
    })
}

/// The files of the keys must be those that `mission.toml` names, byte by byte.
fn key_files(mission: &Mission) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    for (purpose, key) in [("log", mission.log_key()), ("mission", mission.mission_key())] {
        let path = mission.public_key_path(purpose);
        if !path.is_file() {
            notes.push(format!("{} is missing; mission.toml names the same key", path.display()));
        } else if fs::read(&path).on("reading", &path)? != format!("{key}\n").as_bytes() {
            return Err(Failure::Fault(format!(
                "{} and {} do not name the same key: one of them was altered; the key is known to everybody who \
                 ever verified this mission",
                path.display(),
                mission.root().join(MISSION_TOML).display()
            )));
        }
        let path = mission.private_key_path(purpose);
        if !path.is_file() {
            notes.push(format!(
                "{} is not here: this copy can be read and verified, not written to",
                path.display()
            ));
        } else if let Ok(key) = mission.private_key(purpose) {
            let text = format!("{}\n", key.to_secret_text());
            if fs::read(&path).on("reading", &path)? != text.as_bytes() {
                return Err(Failure::Fault(format!("{} was altered", path.display())));
            }
        } else {
            return Err(Failure::Fault(format!(
                "{} was altered: it is not the private part of the mission's key",
                path.display()
            )));
        }
    }
    Ok(notes)
}

/// Looks at every entry: its form, its signature, its place in the order.
struct Pass<'m> {
    mission: &'m Mission,
    ledger: Ledger,
    rows: u64,
    bad: Option<Error>,
}

impl Pass<'_> {
    fn entry(&mut self, index: u64, bytes: &[u8]) {
        if self.bad.is_some() {
            return;
        }
        self.bad = self.step(index, bytes).err();
    }

    fn step(&mut self, index: u64, bytes: &[u8]) -> Result<()> {
        let mut rows = 0;
        self.ledger.step(index, bytes, self.mission, &mut |passing| {
            for line in passing.lines {
                line.map_err(|error| Error::entry(index, &error))?;
                rows += 1;
            }
            Ok(())
        })?;
        self.rows += rows;
        Ok(())
    }
}

/// Holds the stored state against the one that the record comes to.
fn stored_state(
    mission: &Mission,
    state: &State,
    notes: &mut Vec<String>,
) -> Result<bool, Failure> {
    // A state that was derived before the last entries came in is held against
    // the record as it was then.
    let path = mission.derived().join(STATE);
    let earlier = fs::read(&path).ok().and_then(|bytes| State::from_bytes(&bytes));
    let earlier = earlier
        .map(|stored| stored.facts.entries)
        .filter(|entries| (1..state.facts.entries).contains(entries))
        .and_then(|entries| Some((entries, derive(mission, AsOf::Size(entries)).ok()?.0)));
    let bytes = if let Some((entries, earlier)) = earlier {
        notes.push(format!(
            "the stored state is of the first {entries} of {} entries; `truceline derive` brings it up to date",
            state.facts.entries
        ));
        earlier.to_bytes()
    } else {
        state.to_bytes()
    };
    let expected = [(STATE, bytes.clone()), (DIGEST, digest_file(&bytes).into_bytes())];
    let mut there = 0;
    for (name, expected) in expected {
        let path = mission.derived().join(name);
        if !path.is_file() {
            continue;
        }
        there += 1;
        let stored = fs::read(&path).on("reading", &path)?;
        if stored == expected {
            continue;
        }
        let at = stored.iter().zip(&expected).take_while(|(a, b)| a == b).count();
        let line = 1 + stored[..at].iter().filter(|byte| **byte == b'\n').count();
        return Err(Failure::Fault(format!(
            "{} differs at byte {at} (line {line}) from what the record comes to: it was altered, or made by another \
             version; `truceline rebuild` makes it anew",
            path.display()
        )));
    }
    if there < 2 {
        notes.push(format!(
            "{} holds no whole state; `truceline derive` makes it",
            mission.derived().display()
        ));
    }
    Ok(there == 2)
}

/// Files in the folder that nothing here looks at.
fn strangers(root: &Path) -> Result<Vec<String>, Failure> {
    const KNOWN: [&str; 8] =
        [MISSION_TOML, "log.vkey", "mission.vkey", "keys", "record", "journal", "blobs", "derived"];
    let mut found: Vec<PathBuf> = Vec::new();
    let mut look = |folder: &Path, known: &[&str]| -> Result<(), Failure> {
        if !folder.is_dir() {
            return Ok(());
        }
        for item in fs::read_dir(folder).on("listing", folder)? {
            let item = item.on("listing", folder)?;
            if !known.iter().any(|name| item.file_name() == *name) {
                found.push(item.path());
            }
        }
        Ok(())
    };
    look(root, &KNOWN)?;
    look(&root.join("keys"), &["log.key", "mission.key"])?;
    look(&root.join("derived"), &[STATE, DIGEST])?;
    found.sort();
    let note =
        |path: PathBuf| format!("{} does not belong here; nothing looks at it", path.display());
    Ok(found.into_iter().map(note).collect())
}
