//! Where the files of a record lie.

use std::path::{Path, PathBuf};

use crate::tile::Tile;

/// The three folders of a record.
///
/// | path | what it is | if it is lost | if it is altered |
/// |---|---|---|---|
/// | `record/checkpoint` | size and root, signed; public | the record cannot be opened; copies exist wherever it was published | signature fails |
/// | `record/tile/...` | hashes and entries; public, written once | entries are lost unless there is a mirror | roots do not match |
/// | `journal/pending` | acknowledged entries not yet under the checkpoint; private | these entries are lost | frame hash fails |
/// | `journal/lock` | empty, held by the writer | made again | no effect |
/// | `journal/dropped-<index>` | bytes of a last frame that was wrong when the record was opened | no effect | no effect |
/// | `blobs/sha256/...` | payloads, named by their SHA-256; private | the payload is lost, its hash stays in the log | name does not match |
/// | `blobs/incoming/`, `record/.incoming` | files being written; removed when the record is opened for writing | no effect | no effect |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// The public part, which any web server can serve as it is.
    pub record: PathBuf,
    /// The private journal and the lock of the writer.
    pub journal: PathBuf,
    /// The private blob store.
    pub blobs: PathBuf,
}

impl Folders {
    /// The folders below a mission folder: `record`, `journal`, `blobs`.
    pub fn of_mission(mission: impl AsRef<Path>) -> Self {
        let mission = mission.as_ref();
        Self {
            record: mission.join("record"),
            journal: mission.join("journal"),
            blobs: mission.join("blobs"),
        }
    }

    pub(crate) fn pending(&self) -> PathBuf {
        pending(&self.journal)
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.journal.join(LOCK)
    }
}

/// Name of the lock file in the journal folder.
pub(crate) const LOCK: &str = "lock";
/// Name of the journal file in the journal folder.
pub(crate) const PENDING: &str = "pending";
/// Beginning of the names of set-aside frames in the journal folder.
pub(crate) const DROPPED_PREFIX: &str = "dropped-";
/// Name of the checkpoint in the record folder.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// Name of the folder of tiles in the record folder.
pub(crate) const TILES: &str = "tile";
/// Name of the file in the record folder that is being written: each public file appears under
/// its name at once and whole, so that no reader ever sees half of one.
pub(crate) const INCOMING: &str = ".incoming";

pub(crate) fn checkpoint(record: &Path) -> PathBuf {
    record.join(CHECKPOINT)
}

pub(crate) fn pending(journal: &Path) -> PathBuf {
    journal.join(PENDING)
}

pub(crate) fn tile(record: &Path, tile: Tile) -> PathBuf {
    record.join(tile.path())
}
