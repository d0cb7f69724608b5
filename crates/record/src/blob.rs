//! The content-addressed store for payloads that are too large or too delicate for the log.
//!
//! A blob lies at `sha256/<first two digits>/<64 digits>`, as raw bytes, so that `sha256sum` can
//! check it. A blob can be destroyed without breaking the log: the entry keeps its hash.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::hash::Hash;
use crate::limits::STREAM_BUFFER_BYTES;
use crate::medium::{Disk, Item, Medium, Tail};
use crate::verify::{Fault, FaultKind, Note, Notes, Place};

/// Name of the folder that names the hash.
const ALGORITHM: &str = "sha256";
/// Name of the folder of blobs that are being written.
const INCOMING: &str = "incoming";

/// Numbers the incoming files of this process. Only one process writes at a time, because a
/// [`BlobWriter`] holds the lock.
static INCOMING_COUNT: AtomicU64 = AtomicU64::new(0);

/// Where the blob of this hash lies below the blob folder.
fn path_of(blobs: &Path, hash: &Hash) -> PathBuf {
    let name = hash.to_string();
    blobs.join(ALGORITHM).join(&name[..2]).join(name)
}

/// Reads blobs. Needs no lock.
#[derive(Clone, Debug)]
pub struct BlobReader<M: Medium = Disk> {
    medium: M,
    blobs: PathBuf,
}

impl BlobReader<Disk> {
    /// A reader of the store in a folder, which is `Folders::blobs`.
    pub fn new(blobs: impl Into<PathBuf>) -> Self {
        Self::new_on(Disk, blobs)
    }
}

impl<M: Medium> BlobReader<M> {
    /// [`BlobReader::new`] on some medium.
    pub fn new_on(medium: M, blobs: impl Into<PathBuf>) -> Self {
        Self { medium, blobs: blobs.into() }
    }

    /// Where the blob of this hash lies, whether or not it is there.
    pub fn path(&self, hash: &Hash) -> PathBuf {
        path_of(&self.blobs, hash)
    }

    /// The bytes of a blob, checked against the hash. [`Error::is_missing`] if it is not there.
    pub fn get(&self, hash: &Hash) -> Result<Vec<u8>, Error> {
        let path = self.path(hash);
        let mut bytes = Vec::new();
        self.medium.read(&path, &mut bytes).map_err(|error| Error::disk("read", &path, error))?;
        if Hash::of(&bytes) != *hash {
            return Err(Error::contradiction(&path, "its bytes are not those its name stands for"));
        }
        Ok(bytes)
    }

    /// Whether a blob of this hash is there. Its bytes are not looked at.
    pub fn contains(&self, hash: &Hash) -> Result<bool, Error> {
        let path = self.path(hash);
        match self.medium.length_bytes(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::disk("read", &path, error)),
        }
    }
}

/// Writes blobs. Comes from [`Writer::blobs`](crate::Writer::blobs) and holds the writer's lock.
#[derive(Clone, Debug)]
pub struct BlobWriter<M: Medium = Disk> {
    medium: M,
    blobs: PathBuf,
    _lock: M::Lock,
}

impl<M: Medium> BlobWriter<M> {
    pub(crate) fn new(medium: M, blobs: PathBuf, lock: M::Lock) -> Self {
        Self { medium, blobs, _lock: lock }
    }

    /// A reader of the same store.
    pub fn reader(&self) -> BlobReader<M> {
        BlobReader::new_on(self.medium.clone(), self.blobs.clone())
    }

    /// Stores a blob and returns its hash. On return it is durable. A blob that is there already is
    /// written again, which mends it should it be damaged.
    pub fn put(&self, bytes: &[u8]) -> Result<Hash, Error> {
        self.put_from(&mut &*bytes).map(|(hash, _)| hash)
    }

    /// Stores what `source` gives until its end, in bounded memory; returns hash and length.
    pub fn put_from(&self, source: &mut dyn Read) -> Result<(Hash, u64), Error> {
        let number = INCOMING_COUNT.fetch_add(1, Ordering::Relaxed);
        let incoming = self.blobs.join(INCOMING).join(number.to_string());
        let stored = self.store(source, &incoming);
        if stored.is_err() {
            // What is left of it is of no use; if this fails too, the next open removes it.
            let _ = self.medium.remove(&incoming);
        }
        stored
    }

    fn store(&self, source: &mut dyn Read, incoming: &Path) -> Result<(Hash, u64), Error> {
        let write = |error| Error::disk("write", incoming, error);
        let mut tail = self.medium.create(incoming).map_err(write)?;
        let mut hasher = Sha256::new();
        let mut length_bytes = 0;
        let mut buffer = vec![0; STREAM_BUFFER_BYTES];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::disk("read the source of", incoming, error)),
            };
            hasher.update(&buffer[..count]);
            tail.append(&buffer[..count]).map_err(write)?;
            length_bytes += count as u64;
        }
        tail.sync().map_err(|error| Error::disk("synchronise", incoming, error))?;
        drop(tail);

        let hash = Hash::from_bytes(hasher.finalize().into());
        let path = path_of(&self.blobs, &hash);
        let folder = path.parent().expect("a blob is in a folder");
        let place = |error| Error::disk("put in place", &path, error);
        match self.medium.rename(incoming, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.medium.create_folders(folder).map_err(place)?;
                sync_folder(&self.medium, &self.blobs.join(ALGORITHM))?;
                self.medium.rename(incoming, &path).map_err(place)?;
            }
            other => other.map_err(place)?,
        }
        sync_folder(&self.medium, folder)?;
        Ok((hash, length_bytes))
    }
}

fn sync_folder<M: Medium>(medium: &M, folder: &Path) -> Result<(), Error> {
    medium.sync_folder(folder).map_err(|error| Error::disk("synchronise", folder, error))
}

/// Makes the store ready for a writer: its folders durable, and nothing left of blobs whose writing
/// was interrupted.
pub(crate) fn prepare<M: Medium>(medium: &M, blobs: &Path) -> Result<(), Error> {
    let (incoming, stored) = (blobs.join(INCOMING), blobs.join(ALGORITHM));
    for folder in [&incoming, &stored] {
        medium.create_folders(folder).map_err(|error| Error::disk("make", folder, error))?;
    }
    let names = medium.list(&incoming).map_err(|error| Error::disk("list", &incoming, error))?;
    for (name, item) in names {
        if item == Item::File {
            let path = incoming.join(name);
            medium.remove(&path).map_err(|error| Error::disk("remove", &path, error))?;
        }
    }
    // A writer that was killed may have made a folder for a blob and not yet its name durable.
    sync_folder(medium, &stored)?;
    sync_folder(medium, blobs)
}

/// What a verification of the blob store has looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlobReport {
    /// Blobs whose bytes match their name.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, blobs that the caller required.
    pub required: u64,
    /// What is not a fault and yet worth saying.
    pub notes: Notes,
}

/// Hashes every blob in a folder again and names the first that does not match its name, or the
/// first of `required` that is missing. A blob that nobody required is a note.
///
/// `on_progress` is called with the report so far after each blob.
pub fn verify(
    blobs: &Path,
    required: &BTreeSet<Hash>,
    on_progress: impl FnMut(&BlobReport),
) -> Result<BlobReport, Fault> {
    verify_on(&Disk, blobs, required, on_progress)
}

/// [`verify`] on some medium.
pub fn verify_on<M: Medium>(
    medium: &M,
    blobs: &Path,
    required: &BTreeSet<Hash>,
    mut on_progress: impl FnMut(&BlobReport),
) -> Result<BlobReport, Fault> {
    let mut report = BlobReport::default();
    let mut buffer = vec![0; STREAM_BUFFER_BYTES];
    let stored = blobs.join(ALGORITHM);
    // Both sides are in order of the hash, so the required ones are ticked off along the way.
    let mut wanted = required.iter().peekable();
    for (shelf, item) in list(medium, &stored)? {
        let folder = stored.join(&shelf);
        if item != Item::Folder {
            report.notes.push(Note::unexpected(&folder));
            continue;
        }
        for (name, item) in list(medium, &folder)? {
            let path = folder.join(&name);
            let hash = match Hash::from_hex(&name) {
                Ok(hash) if item == Item::File && name.starts_with(&shelf) && shelf.len() == 2 => {
                    hash
                }
                _ => {
                    report.notes.push(Note::unexpected(&path));
                    continue;
                }
            };
            if let Some(missing) = wanted.next_if(|first| **first < hash) {
                return Err(missing_blob(blobs, missing));
            }
            let bytes = check_blob(medium, &path, &hash, &mut buffer)?;
            report.blobs += 1;
            report.bytes += bytes;
            if wanted.next_if(|first| **first == hash).is_some() {
                report.required += 1;
            } else {
                report.notes.push(Note::unreferenced(&path));
            }
            on_progress(&report);
        }
    }
    if let Some(missing) = wanted.next() {
        return Err(missing_blob(blobs, missing));
    }
    let incoming = blobs.join(INCOMING);
    for (name, _) in list(medium, &incoming)? {
        report.notes.push(Note::incoming(&incoming.join(name)));
    }
    Ok(report)
}

fn missing_blob(blobs: &Path, hash: &Hash) -> Fault {
    let path = path_of(blobs, hash);
    Fault::new(FaultKind::BlobMissing, &path, Place::Whole, "an entry refers to it")
}

fn check_blob<M: Medium>(
    medium: &M,
    path: &Path,
    hash: &Hash,
    buffer: &mut [u8],
) -> Result<u64, Fault> {
    let mut hasher = Sha256::new();
    let mut at = 0;
    loop {
        let count =
            medium.read_at(path, at, buffer).map_err(|error| Fault::unreadable(path, &error))?;
        hasher.update(&buffer[..count]);
        at += count as u64;
        if count < buffer.len() {
            break;
        }
    }
    let found = Hash::from_bytes(hasher.finalize().into());
    if found != *hash {
        let detail = format!("its {at} bytes have the SHA-256 {found}");
        return Err(Fault::new(FaultKind::BlobAltered, path, Place::Whole, detail));
    }
    Ok(at)
}

fn list<M: Medium>(medium: &M, folder: &Path) -> Result<Vec<(String, Item)>, Fault> {
    match medium.list(folder) {
        Ok(names) => Ok(names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Fault::unreadable(folder, &error)),
    }
}
