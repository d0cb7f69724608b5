//! What can go wrong, in three types that call for three different reactions.
//!
//! - [`Refused`]: this entry was not taken; the log goes on.
//! - [`Fatal`]: the writer cannot know any more what is on the disk. It is poisoned: every later
//!   call says so. Close it, mend the cause, open it again; nothing acknowledged is lost.
//! - [`Error`]: something could not be opened, read, parsed or proved.
//!
//! Every text says what happened, where, and what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::limits::{ENTRY_BYTES_MAX, FRAME_BODY_BYTES_MAX, FRAME_ENTRY_COUNT_MAX};

/// Something could not be opened, read, parsed or proved. Nothing that was acknowledged is changed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error("cannot {doing} {}: {source}{}", path.display(), advice(source))]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "another process is writing to this record: it holds {}; stop it, or read the record \
         instead of writing to it",
        path.display()
    )]
    Locked { path: PathBuf },
    #[error("{} is not a record: {why}", path.display())]
    NotARecord { path: PathBuf, why: &'static str },
    #[error("{} is a record already; open it instead of creating it", path.display())]
    Exists { path: PathBuf },
    #[error("{what} is malformed: {why}")]
    Malformed { what: &'static str, why: String },
    #[error("{what} is not signed as it should be: {why}")]
    Signature { what: &'static str, why: String },
    #[error("the record contradicts itself at {}: {why}; run a verification to see all", path.display())]
    Contradiction { path: PathBuf, why: String },
    #[error(
        "the journal {} is damaged at byte {offset_bytes}: {why}; acknowledged entries follow, so \
         nothing was changed: restore the file from a copy, or keep it aside as evidence",
        path.display()
    )]
    Journal { path: PathBuf, offset_bytes: u64, why: String },
    #[error("{what} {index} does not exist: the record has {size} entries under its checkpoint")]
    OutOfRange { what: &'static str, index: u64, size: u64 },
    #[error("the proof does not hold: {why}")]
    Proof { why: String },
    #[error(transparent)]
    Fatal(Fatal),
}

impl Error {
    pub(crate) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
        ErrorKind::Disk { doing, path: path.to_path_buf(), source }.into()
    }

    pub(crate) fn locked(path: &Path) -> Self {
        ErrorKind::Locked { path: path.to_path_buf() }.into()
    }

    pub(crate) fn not_a_record(path: &Path, why: &'static str) -> Self {
        ErrorKind::NotARecord { path: path.to_path_buf(), why }.into()
    }

    pub(crate) fn exists(path: &Path) -> Self {
        ErrorKind::Exists { path: path.to_path_buf() }.into()
    }

    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        ErrorKind::Malformed { what, why: why.into() }.into()
    }

    pub(crate) fn signature(what: &'static str, why: impl Into<String>) -> Self {
        ErrorKind::Signature { what, why: why.into() }.into()
    }

    pub(crate) fn contradiction(path: &Path, why: impl Into<String>) -> Self {
        ErrorKind::Contradiction { path: path.to_path_buf(), why: why.into() }.into()
    }

    pub(crate) fn journal(path: &Path, offset_bytes: u64, why: impl Into<String>) -> Self {
        ErrorKind::Journal { path: path.to_path_buf(), offset_bytes, why: why.into() }.into()
    }

    pub(crate) fn out_of_range(what: &'static str, index: u64, size: u64) -> Self {
        ErrorKind::OutOfRange { what, index, size }.into()
    }

    pub(crate) fn proof(why: impl Into<String>) -> Self {
        ErrorKind::Proof { why: why.into() }.into()
    }

    /// Another process holds the lock of the writer.
    pub fn is_locked(&self) -> bool {
        matches!(*self.0, ErrorKind::Locked { .. })
    }

    /// The folder holds no record.
    pub fn is_not_a_record(&self) -> bool {
        matches!(*self.0, ErrorKind::NotARecord { .. })
    }

    /// The folder holds a record already.
    pub fn is_exists(&self) -> bool {
        matches!(*self.0, ErrorKind::Exists { .. })
    }

    /// A text or a file is not of its format.
    pub fn is_malformed(&self) -> bool {
        matches!(*self.0, ErrorKind::Malformed { .. })
    }

    /// A signature is wrong, or there is none by a known key.
    pub fn is_signature(&self) -> bool {
        matches!(*self.0, ErrorKind::Signature { .. })
    }

    /// Files of the record contradict each other or the checkpoint.
    pub fn is_contradiction(&self) -> bool {
        matches!(*self.0, ErrorKind::Contradiction { .. })
    }

    /// The journal is damaged in a place from which it cannot recover by itself.
    pub fn is_journal(&self) -> bool {
        matches!(*self.0, ErrorKind::Journal { .. })
    }

    /// An index or a size lies beyond the checkpoint.
    pub fn is_out_of_range(&self) -> bool {
        matches!(*self.0, ErrorKind::OutOfRange { .. })
    }

    /// A proof does not lead to the root.
    pub fn is_proof(&self) -> bool {
        matches!(*self.0, ErrorKind::Proof { .. })
    }

    /// A file that is needed is not there.
    pub fn is_missing(&self) -> bool {
        matches!(&*self.0, ErrorKind::Disk { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// This user has no right to do it.
    pub fn is_denied(&self) -> bool {
        matches!(
            &*self.0,
            ErrorKind::Disk { source, .. } if source.kind() == io::ErrorKind::PermissionDenied
        )
    }

    /// The operating system refused: permission, space, a failing device.
    pub fn is_disk(&self) -> bool {
        match &*self.0 {
            ErrorKind::Disk { .. } => true,
            ErrorKind::Fatal(fatal) => fatal.is_disk(),
            _ => false,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<Fatal> for Error {
    fn from(fatal: Fatal) -> Self {
        ErrorKind::Fatal(fatal).into()
    }
}

/// The writer cannot go on. What was acknowledged is safe in the journal.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Fatal(Box<FatalKind>);

#[derive(Debug, thiserror::Error)]
enum FatalKind {
    #[error(
        "cannot {doing} {}: {source}{}; this writer is stopped, what was acknowledged is safe: \
         mend the cause and open the record again",
        path.display(),
        advice(source)
    )]
    Disk { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("this writer was stopped by an earlier failure ({first}); open the record again")]
    Poisoned { first: String },
}

impl Fatal {
    pub(crate) fn disk(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self(Box::new(FatalKind::Disk { doing, path: path.to_path_buf(), source }))
    }

    pub(crate) fn poisoned(first: &str) -> Self {
        Self(Box::new(FatalKind::Poisoned { first: first.to_owned() }))
    }

    /// The call came after an earlier fatal failure of the same writer.
    pub fn is_poisoned(&self) -> bool {
        matches!(*self.0, FatalKind::Poisoned { .. })
    }

    /// The operating system refused: permission, space, a failing device.
    pub fn is_disk(&self) -> bool {
        matches!(*self.0, FatalKind::Disk { .. })
    }

    /// The disk, or a quota on it, is full.
    pub fn is_no_space(&self) -> bool {
        matches!(&*self.0, FatalKind::Disk { source, .. } if is_full(source))
    }
}

/// An entry was not taken. The writer is sound and the log goes on.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Refused(RefusedKind);

#[derive(Debug, thiserror::Error)]
enum RefusedKind {
    #[error("an empty entry is refused: it would record nothing")]
    Empty,
    #[error(
        "an entry of {length_bytes} bytes is refused: the longest is {ENTRY_BYTES_MAX}; put the \
         payload into the blob store and its hash into the entry"
    )]
    TooLong { length_bytes: usize },
    #[error(
        "the entry is refused: one commit carries at most {FRAME_BODY_BYTES_MAX} bytes or \
         {FRAME_ENTRY_COUNT_MAX} entries; commit, then append it again"
    )]
    CommitFirst,
}

impl Refused {
    pub(crate) fn empty() -> Self {
        Self(RefusedKind::Empty)
    }

    pub(crate) fn too_long(length_bytes: usize) -> Self {
        Self(RefusedKind::TooLong { length_bytes })
    }

    pub(crate) fn commit_first() -> Self {
        Self(RefusedKind::CommitFirst)
    }

    /// The entry is longer than any entry may be.
    pub fn is_too_long(&self) -> bool {
        matches!(self.0, RefusedKind::TooLong { .. })
    }

    /// The entry is empty.
    pub fn is_empty_entry(&self) -> bool {
        matches!(self.0, RefusedKind::Empty)
    }

    /// The entry is welcome after a commit.
    pub fn is_commit_first(&self) -> bool {
        matches!(self.0, RefusedKind::CommitFirst)
    }
}

/// Why an entry was not staged.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// This entry was not taken; the log goes on.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The writer is stopped.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// What to do about an error of the operating system, as the end of a sentence.
fn advice(error: &io::Error) -> impl fmt::Display {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => " (free some space)",
        io::ErrorKind::PermissionDenied => " (give this user the right to write there)",
        io::ErrorKind::ReadOnlyFilesystem => " (mount the file system for writing)",
        io::ErrorKind::NotFound => " (check the path)",
        io::ErrorKind::CrossesDevices => " (keep the folders of a record on one file system)",
        _ => "",
    }
}
