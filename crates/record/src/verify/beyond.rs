//! What lies beyond the checkpoint: the journal, and files that no checkpoint covers yet.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::pass::LastEdge;
use super::{Fault, FaultKind, Note, NoteKind, Place, Report, unreadable};
use crate::bundle::{self, Span};
use crate::folders::{self, CHECKPOINT, DROPPED_PREFIX, Folders, INCOMING, LOCK, PENDING, TILES};
use crate::hash::leaf_hashes;
use crate::journal::{Found, Walk};
use crate::limits::{HASH_BYTES, TILE_LEVEL_COUNT, TILE_WIDTH};
use crate::medium::{Item, Medium};
use crate::tile::{Content, Tile};

/// Folders in folders that are followed: `tile`, a level, seven parts of an index, a partial one.
const DEPTH_MAX: usize = 10;

/// Looks through all names below the record folder. Returns the files that no checkpoint covers
/// yet; files that do not belong there are notes.
pub(super) fn files<M: Medium>(
    medium: &M,
    record: &Path,
    report: &mut Report,
) -> Result<BTreeSet<Tile>, Fault> {
    let mut beyond = BTreeSet::new();
    for (name, item) in list(medium, record)? {
        let path = record.join(&name);
        match (name.as_str(), item) {
            (CHECKPOINT, Item::File) => (),
            (INCOMING, Item::File) => report.notes.push(Note::incoming(&path)),
            (TILES, Item::Folder) => walk(medium, &path, TILES, 1, report, &mut beyond)?,
            _ => report.notes.push(Note::unexpected(&path)),
        }
    }
    Ok(beyond)
}

fn walk<M: Medium>(
    medium: &M,
    folder: &Path,
    relative: &str,
    depth: usize,
    report: &mut Report,
    beyond: &mut BTreeSet<Tile>,
) -> Result<(), Fault> {
    for (name, item) in list(medium, folder)? {
        let path = folder.join(&name);
        let relative = format!("{relative}/{name}");
        match (item, Tile::parse(&relative)) {
            (Item::Folder, _) if depth < DEPTH_MAX => {
                walk(medium, &path, &relative, depth + 1, report, beyond)?;
            }
            (Item::File, Ok(tile)) => {
                if !tile.is_within(report.checkpoint.size()) {
                    beyond.insert(tile);
                }
            }
            _ => report.notes.push(Note::unexpected(&path)),
        }
    }
    Ok(())
}

fn list<M: Medium>(medium: &M, folder: &Path) -> Result<Vec<(String, Item)>, Fault> {
    medium.list(folder).map_err(|error| Fault::unreadable(folder, &error))
}

/// Checks the journal, and that each file beyond the checkpoint holds what the journal holds.
pub(super) fn journal<M: Medium>(
    medium: &M,
    folders: &Folders,
    last: LastEdge,
    files: BTreeSet<Tile>,
    report: &mut Report,
) -> Result<(), Fault> {
    let has_journal = folder_notes(medium, &folders.journal, report)?;
    let path = folders.pending();
    let mut files = Files { medium, record: &folders.record, left: files, report };
    let mut growth = Growth { last, spans: Vec::new(), hashes: Vec::new() };
    let mut next = files.report.checkpoint.size();
    let mut frames = Walk::start(medium, &path).map_err(|error| unreadable(&path, &error))?;
    loop {
        let at = frames.offset_bytes();
        match frames.step().map_err(|error| unreadable(&path, &error))? {
            Found::Frame(header) => {
                files.report.journal_frames += 1;
                let size = files.report.checkpoint.size();
                if header.end() <= size && next == size {
                    continue; // covered: the cut of the journal was lost, or is still to come
                }
                if header.first != next {
                    let detail = format!("it goes on with entry {}, not {next}", header.first);
                    let place = Place::OffsetBytes(at);
                    return Err(Fault::new(FaultKind::JournalGap, &path, place, detail));
                }
                next = header.end();
                files.report.waiting_entries += u64::from(header.count);
                if !files.left.is_empty() {
                    growth.add(frames.body(), &mut files)?;
                }
            }
            Found::End => break,
            Found::Torn { length_bytes } => {
                let detail = format!(
                    "ends with {length_bytes} bytes of a frame that was cut short and never \
                     acknowledged"
                );
                files.report.notes.push(Note::new(NoteKind::TornJournal, &path, detail));
                break;
            }
            Found::Damaged(damage) => {
                let place = Place::OffsetBytes(at);
                return Err(Fault::new(FaultKind::JournalDamaged, &path, place, damage.why));
            }
        }
    }
    growth.check_incomplete(&mut files)?;
    files.finish(has_journal)
}

/// Notes on the journal folder. Returns whether there is one.
fn folder_notes<M: Medium>(medium: &M, journal: &Path, report: &mut Report) -> Result<bool, Fault> {
    let names = match medium.list(journal) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Fault::unreadable(journal, &error)),
    };
    for (name, item) in names {
        let path = journal.join(&name);
        match (name.as_str(), item) {
            (PENDING | LOCK, Item::File) => (),
            (dropped, Item::File) if dropped.starts_with(DROPPED_PREFIX) => {
                let detail = "holds a frame that was wrong when the record was opened";
                report.notes.push(Note::new(NoteKind::SetAside, &path, detail));
            }
            _ => report.notes.push(Note::unexpected(&path)),
        }
    }
    Ok(true)
}

/// The tree as it grows with the entries of the journal.
struct Growth {
    last: LastEdge,
    spans: Vec<Span>,
    hashes: Vec<u8>,
}

impl Growth {
    /// Adds encoded entries, and compares each file beyond the checkpoint that they complete.
    fn add<M: Medium>(&mut self, body: &[u8], files: &mut Files<'_, M>) -> Result<(), Fault> {
        let Self { last: LastEdge { edge, bundle }, spans, hashes } = self;
        let mut entries = body.to_vec();
        let mut used_bytes = 0;
        while used_bytes < entries.len() {
            let wanted = TILE_WIDTH - edge.width(0);
            let (bytes, found) = bundle::prefix_of(&entries[used_bytes..], wanted);
            let piece = &mut entries[used_bytes..used_bytes + bytes];
            bundle.extend_from_slice(piece);
            bundle::spans(piece, spans).expect("the walk found as many entries as the frame says");
            hashes.clear();
            leaf_hashes(piece, spans, hashes);
            if found == wanted {
                files.check_bundle(edge.index(0), bundle)?;
                bundle.clear();
            }
            edge.extend(hashes, |level, index, row| files.check_tile(level, index, row))?;
            used_bytes += bytes;
        }
        Ok(())
    }

    /// Compares the files of the incomplete bundle and tiles at the end of the journal.
    fn check_incomplete<M: Medium>(&self, files: &mut Files<'_, M>) -> Result<(), Fault> {
        let LastEdge { edge, bundle } = &self.last;
        files.check_bundle(edge.index(0), bundle)?;
        for level in 0..TILE_LEVEL_COUNT as u8 {
            files.check_tile(level, edge.index(level), edge.row(level))?;
        }
        Ok(())
    }
}

/// The files beyond the checkpoint that were not compared yet.
struct Files<'a, M> {
    medium: &'a M,
    record: &'a Path,
    left: BTreeSet<Tile>,
    report: &'a mut Report,
}

impl<M: Medium> Files<'_, M> {
    fn check_bundle(&mut self, index: u64, bundle: &[u8]) -> Result<(), Fault> {
        let mut spans = Vec::new();
        bundle::spans(bundle, &mut spans).expect("own encodings end with their last entry");
        self.check(Content::Entries, index, spans.len(), |width| &bundle[..spans[width - 1].end()])
    }

    fn check_tile(&mut self, level: u8, index: u64, row: &[u8]) -> Result<(), Fault> {
        let width = row.len() / HASH_BYTES;
        self.check(Content::Hashes(level), index, width, |width| &row[..width * HASH_BYTES])
    }

    /// Compares the files of one tile, of all widths up to `width`.
    fn check<'e>(
        &mut self,
        content: Content,
        index: u64,
        width: usize,
        expected: impl Fn(usize) -> &'e [u8],
    ) -> Result<(), Fault> {
        if width == 0 || self.left.is_empty() {
            return Ok(());
        }
        let range = Tile::new(content, index, 1)..=Tile::new(content, index, width);
        let tiles: Vec<Tile> = self.left.range(range).copied().collect();
        let mut found = Vec::new();
        for tile in tiles {
            self.left.remove(&tile);
            let path = folders::tile(self.record, tile);
            self.medium
                .read(&path, &mut found)
                .map_err(|error| Fault::unreadable(&path, &error))?;
            self.report.file_bytes += found.len() as u64;
            let expected = expected(tile.width());
            let note = if found == expected {
                Note::new(NoteKind::NotYet, &path, "is not yet under the checkpoint")
            } else if found.len() < expected.len() {
                let detail = "is not yet under the checkpoint and cut short";
                Note::new(NoteKind::Incomplete, &path, detail)
            } else {
                let detail = "it is not yet under the checkpoint";
                return Err(Fault::new(FaultKind::BeyondDiffers, &path, Place::Whole, detail));
            };
            self.report.notes.push(note);
        }
        Ok(())
    }

    /// What is left holds entries that are neither under the checkpoint nor in the journal.
    fn finish(self, has_journal: bool) -> Result<(), Fault> {
        for tile in self.left {
            let path: PathBuf = folders::tile(self.record, tile);
            if has_journal {
                let detail = "it lies beyond the checkpoint, and a reader could take it for real";
                return Err(Fault::new(FaultKind::BeyondJournal, &path, Place::Whole, detail));
            }
            let detail =
                "is not yet under the checkpoint, and there is no journal to compare it with";
            self.report.notes.push(Note::new(NoteKind::NotCompared, &path, detail));
        }
        Ok(())
    }
}
