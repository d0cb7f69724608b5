//! Why something could not be done: what was wrong, where, and what to do.

use std::path::{Path, PathBuf};

/// Any failure of this room. Rows and files of input that are bad are not
/// failures: they are recorded as such.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that people write has a mistake in it.
    #[error(transparent)]
    Text(#[from] strict::Diagnostic),
    /// The operating system refused something.
    #[error("{action} {}: {source}{}", path.display(), advice(source))]
    Disk {
        /// What was to be done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The record cannot be opened, or contradicts itself.
    #[error(transparent)]
    Record(#[from] record::Error),
    /// The record cannot be written any more.
    #[error(transparent)]
    Fatal(#[from] record::Fatal),
    /// An entry of the record does not have the form that it should.
    #[error("entry {index} of the record: {problem}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong.
        problem: String,
    },
    /// The folder is not what it should be.
    #[error("{}: {problem}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// What was asked for cannot be had.
    #[error("{0}")]
    Asked(String),
}

/// What to do about the commonest refusals.
fn advice(source: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            " (free some space and run the same command again; nothing that was acknowledged is lost)"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            " (choose a folder that you may write to)"
        }
        ErrorKind::IsADirectory => " (a file is needed here, this is a folder)",
        _ => "",
    }
}

/// Result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn folder(path: &Path, problem: impl Into<String>) -> Self {
        Self::Folder { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn entry(index: u64, problem: &dyn std::fmt::Display) -> Self {
        Self::Entry { index, problem: problem.to_string() }
    }
}

/// Adds the action and the path to a refusal of the operating system.
pub(crate) trait OnPath<T> {
    fn on(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> OnPath<T> for std::io::Result<T> {
    fn on(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Disk { action, path: path.to_owned(), source })
    }
}
