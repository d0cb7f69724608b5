//! Verification of everything on the disk, in one pass and in bounded memory.
//!
//! The law: after flipping any one byte of any file of a record, [`verify`] (for `record/` and
//! `journal/pending`) or [`blob::verify`](crate::blob::verify) fails and names the file.
//!
//! Three stages, in this order:
//!
//! 1. The checkpoint: form, signature, name.
//! 2. Every entry under it (`pass`): hash it, compare the hash with its tile, build every tile of
//!    every level anew and compare, compare every partial file with the full one, compare the root.
//! 3. What lies beyond it (`beyond`): files that no checkpoint covers yet, and the journal.
//!
//! Memory: one bundle, one more file to compare with, the edge of the tree, and one journal frame:
//! 16 + 16 + 32 MiB at most, and for 200-byte entries 100 kB.

mod beyond;
mod fault;
mod pass;

use std::path::Path;

pub use fault::{Fault, FaultKind, Note, NoteKind, Notes, Place};

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::Error;
use crate::folders::{self, Folders};
use crate::key::PublicKey;
use crate::medium::{Disk, Medium};

/// What was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The checkpoint that everything was held against.
    pub checkpoint: Checkpoint,
    /// Signature lines on it by other keys, which were not checked.
    pub unchecked_signatures: usize,
    /// Entries that were hashed.
    pub entries: u64,
    /// Their bytes.
    pub entry_bytes: u64,
    /// Full bundles that were compared.
    pub full_bundles: u64,
    /// Partial bundles that were compared.
    pub partial_bundles: u64,
    /// Full tiles that were compared.
    pub full_tiles: u64,
    /// Partial tiles that were compared.
    pub partial_tiles: u64,
    /// Bytes of all files that were read below the record folder.
    pub file_bytes: u64,
    /// Frames of the journal that are sound.
    pub journal_frames: u64,
    /// Entries in them that wait for a checkpoint.
    pub waiting_entries: u64,
    /// What is not a fault and yet worth saying.
    pub notes: Notes,
}

/// How far a verification has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries checked so far.
    pub entries: u64,
    /// Entries under the checkpoint.
    pub entries_total: u64,
    /// Bytes of the entries checked so far.
    pub entry_bytes: u64,
}

/// Checks a whole record and reports what was checked, or the first fault with its place.
///
/// `on_entry` receives each entry under the checkpoint in order, after it was found to agree with
/// its tile; whether the tiles agree with the root is known only when this function returns.
/// `on_progress` is called after each bundle.
///
/// A mirror has no journal folder; then files beyond its checkpoint are notes. Beside a running
/// writer the journal may be on its way to a newer checkpoint; then it is not checked, with a note.
pub fn verify(
    folders: &Folders,
    key: &PublicKey,
    on_entry: impl FnMut(u64, &[u8]),
    on_progress: impl FnMut(Progress),
) -> Result<Report, Fault> {
    verify_on(&Disk, folders, key, on_entry, on_progress)
}

/// [`verify`] on some medium.
pub fn verify_on<M: Medium>(
    medium: &M,
    folders: &Folders,
    key: &PublicKey,
    on_entry: impl FnMut(u64, &[u8]),
    on_progress: impl FnMut(Progress),
) -> Result<Report, Fault> {
    let record = &folders.record;
    let (signed, note) = checkpoint(medium, record, key)?;
    let mut report = Report {
        checkpoint: signed.checkpoint().clone(),
        unchecked_signatures: signed.note().lines().len() - 1,
        entries: 0,
        entry_bytes: 0,
        full_bundles: 0,
        partial_bundles: 0,
        full_tiles: 0,
        partial_tiles: 0,
        file_bytes: note.len() as u64,
        journal_frames: 0,
        waiting_entries: 0,
        notes: Notes::default(),
    };
    let edge = pass::entries(medium, record, &mut report, on_entry, on_progress)?;
    let files = beyond::files(medium, record, &mut report)?;
    let frames_before = (report.journal_frames, report.waiting_entries);
    if let Err(fault) = beyond::journal(medium, folders, edge, files, &mut report) {
        // Not a fault if a writer published a newer checkpoint since this one was read: its tiles
        // are then under that one, and the journal was begun anew.
        match checkpoint(medium, record, key) {
            Ok((_, newer)) if newer != note => {
                (report.journal_frames, report.waiting_entries) = frames_before;
                report.notes.push(Note::new(
                    NoteKind::WriterMovedOn,
                    &folders.pending(),
                    "was not checked: a newer checkpoint was published meanwhile",
                ));
            }
            _ => return Err(fault),
        }
    }
    Ok(report)
}

fn checkpoint<M: Medium>(
    medium: &M,
    record: &Path,
    key: &PublicKey,
) -> Result<(SignedCheckpoint, Vec<u8>), Fault> {
    let path = folders::checkpoint(record);
    let mut note = Vec::new();
    medium.read(&path, &mut note).map_err(|error| Fault::unreadable(&path, &error))?;
    let signed = SignedCheckpoint::open(&note, key).map_err(|error| {
        let kind = if error.is_signature() {
            FaultKind::CheckpointSignature
        } else {
            FaultKind::CheckpointMalformed
        };
        Fault::new(kind, &path, Place::Whole, error.to_string())
    })?;
    Ok((signed, note))
}

fn unreadable(path: &Path, error: &Error) -> Fault {
    Fault::new(FaultKind::Unreadable, path, Place::Whole, error.to_string())
}
