//! What a verification can say: the first fault with its place, and notes.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits::REPORT_NOTE_COUNT_MAX;
use crate::tile::{Content, Tile};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FaultKind {
    /// The operating system could not read it.
    Unreadable,
    /// A file that the checkpoint needs is not there.
    Missing,
    /// The checkpoint is not of its format.
    CheckpointMalformed,
    /// The checkpoint is not signed by the key of the log.
    CheckpointSignature,
    /// A bundle does not divide into as many entries as it should hold.
    BundleMalformed,
    /// An entry does not hash to its leaf.
    EntryAltered,
    /// A hash in a tile is not that of the entries below it, or the tile has a wrong length.
    TileAltered,
    /// A partial tile or bundle is not the beginning of the full one.
    PartialDiffers,
    /// All files agree with each other, but not with the root in the checkpoint.
    RootDiffers,
    /// A file beyond the checkpoint does not hold what the journal holds.
    BeyondDiffers,
    /// A file beyond the checkpoint holds more than the journal does.
    BeyondJournal,
    /// A frame of the journal is wrong though nothing of it is missing.
    JournalDamaged,
    /// A frame of the journal does not go on where the one before it ended.
    JournalGap,
    /// A blob is not what its name says.
    BlobAltered,
    /// A blob that an entry refers to is not there.
    BlobMissing,
}

impl FaultKind {
    fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "cannot be read",
            Self::Missing | Self::BlobMissing => "is missing",
            Self::CheckpointMalformed => "is no well-formed checkpoint",
            Self::CheckpointSignature => "is not signed by the key of the log",
            Self::BundleMalformed => "does not divide into its entries",
            Self::EntryAltered => "holds an altered entry",
            Self::TileAltered => "holds an altered hash",
            Self::PartialDiffers => "is not the beginning of the full one",
            Self::RootDiffers => "has another root than the entries",
            Self::BeyondDiffers => "is not what the journal holds",
            Self::BeyondJournal => "holds more than the journal",
            Self::JournalDamaged => "has a damaged frame",
            Self::JournalGap => "has a gap",
            Self::BlobAltered => "is not what its name says",
        }
    }
}

/// Where in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No particular part of it.
    Whole,
    /// At an entry.
    Entry(u64),
    /// At a hash of a tile: the tile and the position in it.
    Item(Tile, usize),
    /// At an offset.
    OffsetBytes(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Entry(index) => write!(formatter, " at entry {index}"),
            Self::Item(tile, position) => {
                let level = match tile.content() {
                    Content::Entries => 0,
                    Content::Hashes(level) => level,
                };
                let first = tile.first_entry(*position);
                write!(
                    formatter,
                    " at hash {position} of tile {} of level {level} (entries from {first})",
                    tile.index()
                )
            }
            Self::OffsetBytes(offset) => write!(formatter, " at byte {offset}"),
        }
    }
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    kind: FaultKind,
    path: PathBuf,
    place: Place,
    detail: String,
}

impl Fault {
    pub(crate) fn new(
        kind: FaultKind,
        path: &Path,
        place: Place,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Inner { kind, path: path.to_path_buf(), place, detail: detail.into() }))
    }

    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => FaultKind::Missing,
            _ => FaultKind::Unreadable,
        };
        Self::new(kind, path, Place::Whole, error.to_string())
    }

    /// What is wrong.
    pub fn kind(&self) -> FaultKind {
        self.0.kind
    }

    /// In which file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where in it.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// More words on it.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, path, place, detail } = &*self.0;
        write!(
            formatter,
            "{} {}{place}: {detail}; do not write to this record: keep it as evidence and compare \
             it with a mirror",
            path.display(),
            kind.text()
        )
    }
}

impl std::error::Error for Fault {}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoteKind {
    /// A file that does not belong to a record. No reader looks at it.
    Unexpected,
    /// A file that holds entries of the journal and is not yet under the checkpoint.
    NotYet,
    /// A file beyond the checkpoint that is cut short. Opening the record for writing mends it.
    Incomplete,
    /// A file beyond the checkpoint that could not be compared, because there is no journal.
    NotCompared,
    /// The journal ends inside a frame that was never acknowledged.
    TornJournal,
    /// Bytes of a journal frame that were put aside when the record was opened.
    SetAside,
    /// A file whose writing was interrupted. Opening the record for writing removes it.
    Incoming,
    /// A blob that nobody required.
    Unreferenced,
    /// A writer published a newer checkpoint meanwhile, so the journal was not checked.
    WriterMovedOn,
}

/// Something that is not a fault and yet worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    kind: NoteKind,
    path: PathBuf,
    detail: String,
}

impl Note {
    pub(crate) fn new(kind: NoteKind, path: &Path, detail: impl Into<String>) -> Self {
        Self { kind, path: path.to_path_buf(), detail: detail.into() }
    }

    pub(crate) fn unexpected(path: &Path) -> Self {
        Self::new(NoteKind::Unexpected, path, "does not belong here; no reader looks at it")
    }

    pub(crate) fn unreferenced(path: &Path) -> Self {
        Self::new(NoteKind::Unreferenced, path, "is whole, but nothing asked for it")
    }

    pub(crate) fn incoming(path: &Path) -> Self {
        Self::new(NoteKind::Incoming, path, "was being written")
    }

    /// What it is about.
    pub fn kind(&self) -> NoteKind {
        self.kind
    }

    /// Which file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.path.display(), self.detail)
    }
}

/// Notes in the order in which they were made, up to a bound; the rest is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    kept: Vec<Note>,
    omitted: u64,
}

impl Notes {
    pub(crate) fn push(&mut self, note: Note) {
        if self.kept.len() < REPORT_NOTE_COUNT_MAX {
            self.kept.push(note);
        } else {
            self.omitted += 1;
        }
    }

    /// The notes that were kept.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.kept.iter()
    }

    /// How many more there were.
    pub fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}
