//! What stands in the record of a mission: the kinds of entries, and how they
//! are written.
//!
//! Declarations (what the mission is, its agreement, its sources, its inputs,
//! the files that came in) are JSON in DSSE envelopes signed with the mission's
//! key. Observations, efforts and rows that were set aside come in batches: a
//! header line of JSON, then one line per row, which is `line number, tab,
//! JSON`. The id of an observation is derived from exactly that JSON.
//!
//! What a person did is a header line with the moment of receipt, then the
//! bytes of the signed envelope as they came. Whether it has an effect is a
//! question of the fold, so that even nonsense can be recorded.

use std::collections::BTreeMap;

use casework::{Officer, Revocation};
use domain::state::{RowCounts, Window};
use domain::{Bounds, Source, Zone};
use intake::Quarantined;
use jiff::Timestamp;
use jiff::civil::Date;
use record::dsse::Envelope;
use record::{Hash, PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};

/// Most rows in one batch: with the rows of FIRMS (about 250 bytes) a batch is
/// some 60 kB, close to the 65,535 bytes that an entry may have.
pub const BATCH_ROWS_MAX: usize = 500;

/// A batch is closed before it grows beyond this, bytes. One row more may be up
/// to [`ROW_BYTES_MAX`] long.
pub const BATCH_BYTES: usize = 48_000;

/// Longest row that can stand in a batch, bytes; a longer one is set aside.
pub const ROW_BYTES_MAX: usize = 16_000;

const SIGNED_TYPE: &str = "application/vnd.truceline.declaration.v1+json";

/// What the mission is. The first entry of every record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Format of the entries, 1.
    pub format: u32,
    /// Id of the case.
    pub case: String,
    /// Its title.
    pub title: String,
    /// What a reader must know.
    pub note: String,
    /// SHA-256 of the folder's `mission.toml`.
    pub mission_toml: String,
    /// SHA-256 of the `case.toml` that it was made from, which is a blob.
    pub case_toml: String,
    /// The zone in which days are counted.
    pub zone: Zone,
    /// The area of interest.
    pub area: Option<Bounds>,
    /// Periods that are compared.
    pub window: Window,
    /// First and last day for which a report is written.
    pub report_days: (Date, Date),
    /// Lexicon of the theatre: SHA-256 of its file, which is a blob.
    pub lexicon: Option<String>,
    /// Priors of the mission: SHA-256 of their file, which is a blob. Without
    /// them those hold that are built into the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priors: Option<String>,
    /// Source whose map gives the line of contact, if any.
    pub control_map: Option<String>,
    /// True for an exercise with made-up data: every output says so.
    pub exercise: bool,
    /// True if a key signs only once the head of its contingent has
    /// countersigned it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub countersigned_keys: bool,
}

/// A version of the agreement: its files by path, as blobs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementFiles {
    /// Id of the agreement.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// SHA-256 of each file by its path in the package.
    pub files: BTreeMap<String, String>,
}

/// What the rows of an input are used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// Evidence of what happened.
    #[default]
    Evidence,
    /// Peacetime observations that hot spots are held against.
    Peacetime,
}

/// How the files of a source are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name, unique in the mission: the source and, if it has several, a number.
    pub id: String,
    /// The source.
    pub source: String,
    /// Id of the mapping.
    pub mapping: String,
    /// SHA-256 of the mapping file, which is a blob.
    pub mapping_file: String,
    /// What its rows are used for.
    pub used_as: Use,
}

/// A file that came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileIn {
    /// The input it belongs to.
    pub input: String,
    /// Its path below the data folder.
    pub name: String,
    /// SHA-256 of its bytes, which are a blob.
    pub blob: String,
    /// Its length.
    pub bytes: u64,
    /// When it was taken in, by the clock of the machine.
    pub received: Timestamp,
}

/// A signed declaration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "declares")]
pub enum Declaration {
    /// What the mission is.
    Genesis(Box<Genesis>),
    /// A version of the agreement.
    Agreement(AgreementFiles),
    /// A source.
    Source(Source),
    /// An input.
    Input(Input),
    /// A file.
    File(FileIn),
    /// A person's key.
    Officer(Officer),
    /// A key that is not to be believed any more.
    Revocation(Revocation),
}

/// What a file came to, once it was read to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Its rows.
    #[serde(flatten)]
    pub rows: RowCounts,
    /// Why the whole file was refused; empty if it was not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub refused: String,
}

/// What the lines of a batch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOf {
    /// [`domain::Observation`].
    Observations,
    /// [`domain::Effort`].
    Efforts,
    /// [`Quarantined`].
    Quarantine,
}

/// The first line of an unsigned entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Header {
    /// Lines follow.
    Batch {
        /// Index of the file's entry.
        file: u64,
        /// Source of the rows.
        source: String,
        /// What the lines are.
        of: BatchOf,
        /// Counts the batches of the file from 0.
        number: u64,
    },
    /// The file was read to its end.
    Done {
        /// Index of the file's entry.
        file: u64,
        /// What it came to.
        #[serde(flatten)]
        done: Done,
    },
    /// A signed envelope follows.
    Act {
        /// When it was received, by the clock of the machine.
        received: Timestamp,
    },
}

/// An entry, read.
#[derive(Debug)]
pub enum Entry<'e> {
    /// A declaration whose signature holds.
    Declared(Declaration),
    /// A batch: its header fields and its lines.
    Batch {
        /// Index of the file's entry.
        file: u64,
        /// Source of the rows.
        source: String,
        /// What the lines are.
        of: BatchOf,
        /// Counts the batches of the file from 0.
        number: u64,
        /// The lines.
        lines: Lines<'e>,
    },
    /// The end of a file.
    Done {
        /// Index of the file's entry.
        file: u64,
        /// What it came to.
        done: Done,
    },
    /// What a person did, unjudged.
    Act {
        /// When it was received.
        received: Timestamp,
        /// The envelope.
        envelope: &'e [u8],
    },
}

/// An entry that does not have the form it should.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadEntry(String);

impl<'e> Entry<'e> {
    /// Reads an entry; the signature of a declaration must be the mission's.
    pub fn parse(bytes: &'e [u8], key: &PublicKey) -> Result<Self, BadEntry> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let bad = |what: &str, error: &dyn std::fmt::Display| BadEntry(format!("{what}: {error}"));
        if let Ok(header) = serde_json::from_slice::<Header>(&bytes[..end]) {
            let rest = &bytes[(end + 1).min(bytes.len())..];
            return Ok(match header {
                Header::Batch { file, source, of, number } => {
                    Self::Batch { file, source, of, number, lines: Lines { rest } }
                }
                Header::Done { file, done } => Self::Done { file, done },
                Header::Act { received } => Self::Act { received, envelope: rest },
            });
        }
        let envelope = Envelope::parse(bytes)
            .map_err(|error| bad("neither a batch nor a signed declaration", &error))?;
        if envelope.payload_type() != SIGNED_TYPE {
            return Err(BadEntry(format!(
                "the payload is of an unknown type, {}",
                envelope.payload_type()
            )));
        }
        envelope.verify(&[key]).map_err(|error| bad("the signature does not hold", &error))?;
        serde_json::from_slice(envelope.payload())
            .map(Self::Declared)
            .map_err(|error| bad("the declaration cannot be read", &error))
    }
}

/// Signs a declaration.
pub fn sign(declaration: &Declaration, key: &PrivateKey) -> Result<Vec<u8>, record::Error> {
    let payload = serde_json::to_vec(declaration).expect("a declaration always has a JSON form");
    Ok(Envelope::sign(SIGNED_TYPE, &payload, &[key])?.to_json())
}

/// Writes the end of a file.
pub fn done(file: u64, done: Done) -> Vec<u8> {
    serde_json::to_vec(&Header::Done { file, done }).expect("a header always has a JSON form")
}

/// Writes what a person did: the moment of receipt and the envelope as it came.
pub fn act(received: Timestamp, envelope: &[u8]) -> Vec<u8> {
    let mut entry =
        serde_json::to_vec(&Header::Act { received }).expect("a header has a JSON form");
    entry.push(b'\n');
    entry.extend_from_slice(envelope);
    entry
}

/// The lines of a batch.
#[derive(Clone, Debug)]
pub struct Lines<'e> {
    rest: &'e [u8],
}

impl<'e> Iterator for Lines<'e> {
    /// Line of the file, and the JSON.
    type Item = Result<(u64, &'e [u8]), BadEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = &self.rest[(end + 1).min(self.rest.len())..];
        let split = line.iter().position(|byte| *byte == b'\t').and_then(|tab| {
            let number = std::str::from_utf8(&line[..tab]).ok()?.parse().ok()?;
            Some((number, &line[tab + 1..]))
        });
        Some(split.ok_or_else(|| BadEntry("a line of a batch has no line number".to_owned())))
    }
}

/// Puts the lines of a batch together.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    bytes: Vec<u8>,
    rows: usize,
}

impl BatchBuilder {
    /// Adds a row. The caller has made sure that it is not too long.
    pub fn push(&mut self, line: u64, json: &[u8]) {
        debug_assert!(json.len() <= ROW_BYTES_MAX, "longer rows are set aside before");
        self.bytes.extend_from_slice(line.to_string().as_bytes());
        self.bytes.push(b'\t');
        self.bytes.extend_from_slice(json);
        self.bytes.push(b'\n');
        self.rows += 1;
    }

    /// True once no further row should be added.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS_MAX || self.bytes.len() >= BATCH_BYTES
    }

    /// True if it has no row yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The entry of batch `number` of a file; the builder is empty again.
    pub fn take(&mut self, file: u64, source: &str, of: BatchOf, number: u64) -> Vec<u8> {
        let header = Header::Batch { file, source: source.to_owned(), of, number };
        let mut entry = serde_json::to_vec(&header).expect("a header always has a JSON form");
        entry.push(b'\n');
        entry.append(&mut self.bytes);
        self.rows = 0;
        entry
    }
}

/// A row that was set aside, as a line of a batch.
pub fn quarantine_line(bad: &Quarantined) -> Vec<u8> {
    serde_json::to_vec(bad).expect("a quarantined row always has a JSON form")
}

/// A hash that stands in a declaration.
pub fn hash_of(hex: &str) -> Result<Hash, BadEntry> {
    Hash::from_hex(hex).map_err(|error| BadEntry(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::from_seed("mission.example/test", &[3; 32]).unwrap()
    }

    fn a_file() -> Declaration {
        Declaration::File(FileIn {
            input: "fires".into(),
            name: "a/b.csv".into(),
            blob: "00".repeat(32),
            bytes: 12,
            received: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn declarations_are_signed_and_read_back() {
        let bytes = sign(&a_file(), &key()).unwrap();
        let Entry::Declared(read) = Entry::parse(&bytes, key().public()).unwrap() else { panic!() };
        assert_eq!(read, a_file());
    }

    #[test]
    fn another_key_is_refused() {
        let bytes = sign(&a_file(), &key()).unwrap();
        let stranger = PrivateKey::from_seed("mission.example/test", &[4; 32]).unwrap();
        let error = Entry::parse(&bytes, stranger.public()).unwrap_err().to_string();
        assert!(error.contains("signature"), "{error}");
    }

    #[test]
    fn a_batch_fits_an_entry() {
        let mut batch = BatchBuilder::default();
        while !batch.is_full() {
            batch.push(u64::MAX, &vec![b'x'; ROW_BYTES_MAX]);
        }
        let entry = batch.take(u64::MAX, &"s".repeat(100), BatchOf::Observations, u64::MAX);
        assert!(entry.len() <= 65_535);
    }

    proptest! {
        #[test]
        fn batches_read_back(rows in proptest::collection::vec((any::<u64>(), "[ -~]{0,40}"), 0..20)) {
            let mut batch = BatchBuilder::default();
            for (line, json) in &rows {
                batch.push(*line, json.as_bytes());
            }
            prop_assert_eq!(batch.is_empty(), rows.is_empty());
            let bytes = batch.take(7, "fires", BatchOf::Observations, 3);
            prop_assert!(batch.is_empty());
            let Entry::Batch { file: 7, number: 3, lines, .. } = Entry::parse(&bytes, key().public()).unwrap() else { panic!() };
            let read: Vec<(u64, String)> = lines.map(|line| line.map(|(n, json)| (n, String::from_utf8(json.to_vec()).unwrap())).unwrap()).collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(Entry::Batch { lines, .. }) = Entry::parse(&bytes, key().public()) {
                for _ in lines {}
            }
        }
    }
}
