//! The one door to the file system.
//!
//! Architecture invariant: no other module of this crate touches `std::fs`. The trait has two
//! implementations: [`Disk`], and in the tests a simulated disk that loses power at any step.
//!
//! What the writer relies on, and no more: what was written and then synchronised is there after
//! a crash, what was not may be there, may be missing, and may be torn; a rename is atomic, and
//! lasts once the folder it leads to is synchronised; a lock ends with the process that holds it.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a folder holds under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// Something else: a socket, a device, a link that leads nowhere.
    Other,
}

/// A file that is open for appending.
pub trait Tail {
    /// Adds bytes at the end. After an error, any prefix of them may be there.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended and cut durable (`fdatasync`).
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to its first `length_bytes` bytes.
    fn truncate(&mut self, length_bytes: u64) -> io::Result<()>;
}

/// Files and folders, as much of them as a record needs.
pub trait Medium: Clone {
    /// A file open for appending.
    type Tail: Tail;
    /// The right to be the single writer; it ends when the last clone is dropped.
    type Lock: Clone;
    /// An eye on a folder from before the first write, so that no write error goes unreported.
    type Watch;

    /// Reads a whole file, replacing the content of `into`.
    fn read(&self, path: &Path, into: &mut Vec<u8>) -> io::Result<()>;
    /// Reads from an offset until `into` is full or the file ends; returns the bytes read.
    fn read_at(&self, path: &Path, offset_bytes: u64, into: &mut [u8]) -> io::Result<usize>;
    /// Length of a file.
    fn length_bytes(&self, path: &Path) -> io::Result<u64>;
    /// Names and kinds of what a folder holds, sorted by name.
    fn list(&self, folder: &Path) -> io::Result<Vec<(String, Item)>>;
    /// Makes a folder and those above it that are missing.
    fn create_folders(&self, folder: &Path) -> io::Result<()>;
    /// Makes a file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Self::Tail>;
    /// Opens a file to append to it, making it if it is missing.
    fn open_tail(&self, path: &Path) -> io::Result<Self::Tail>;
    /// Gives a file another name, in place of any file that has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Takes the lock at `path`, a file that is made if missing. [`io::ErrorKind::WouldBlock`] if
    /// another holds it.
    fn lock(&self, path: &Path) -> io::Result<Self::Lock>;
    /// Begins to watch a folder.
    fn watch(&self, folder: &Path) -> io::Result<Self::Watch>;
    /// Makes the files at `written`, all below the watched folder, durable with their names.
    fn sync_tree(&self, watch: &Self::Watch, written: &[PathBuf]) -> io::Result<()>;
}

/// The folders above `written` up to and including `root`, whose names must be made durable when
/// each file is synchronised on its own.
pub fn folders_above<'a>(root: &Path, written: &'a [PathBuf]) -> BTreeSet<&'a Path> {
    let mut folders = BTreeSet::new();
    for path in written {
        for folder in path.ancestors().skip(1) {
            if !folders.insert(folder) || folder == root {
                break;
            }
        }
    }
    folders
}

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// A file of a [`Disk`], open for appending.
#[derive(Debug)]
pub struct DiskTail(File);

impl Tail for DiskTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, length_bytes: u64) -> io::Result<()> {
        self.0.set_len(length_bytes)
    }
}

/// A folder of a [`Disk`], held open.
#[derive(Debug)]
pub struct DiskWatch {
    /// `syncfs` reports the write errors since the descriptor was opened (Linux 5.8), which is why
    /// it is opened before the first write and kept.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only syncfs needs it"))]
    folder: File,
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "syncfs needs no paths"))]
    root: PathBuf,
}

impl Medium for Disk {
    type Tail = DiskTail;
    type Lock = Arc<File>;
    type Watch = DiskWatch;

    fn read(&self, path: &Path, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        File::open(path)?.read_to_end(into).map(|_| ())
    }

    fn read_at(&self, path: &Path, offset_bytes: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset_bytes))?;
        let mut filled = 0;
        while filled < into.len() {
            match file.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn length_bytes(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(String, Item)>> {
        let mut items = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            // A link counts as what it leads to: a large record may be spread over disks.
            let kind = if kind.is_symlink() {
                match fs::metadata(entry.path()) {
                    Ok(metadata) => metadata.file_type(),
                    Err(_) => kind,
                }
            } else {
                kind
            };
            let item = if kind.is_file() {
                Item::File
            } else if kind.is_dir() {
                Item::Folder
            } else {
                Item::Other
            };
            // A name that is not Unicode is not one of ours; it is shown as well as it can be.
            items.push((entry.file_name().to_string_lossy().into_owned(), item));
        }
        items.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Ok(items)
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)
    }

    fn create(&self, path: &Path) -> io::Result<DiskTail> {
        File::create(path).map(DiskTail)
    }

    fn open_tail(&self, path: &Path) -> io::Result<DiskTail> {
        OpenOptions::new().append(true).create(true).open(path).map(DiskTail)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Arc<File>> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Arc::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn watch(&self, folder: &Path) -> io::Result<DiskWatch> {
        Ok(DiskWatch { folder: File::open(folder)?, root: folder.to_path_buf() })
    }

    #[cfg(target_os = "linux")]
    fn sync_tree(&self, watch: &DiskWatch, _written: &[PathBuf]) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&watch.folder)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_tree(&self, watch: &DiskWatch, written: &[PathBuf]) -> io::Result<()> {
        for path in written {
            File::open(path)?.sync_all()?;
        }
        for folder in folders_above(&watch.root, written) {
            self.sync_folder(folder)?;
        }
        Ok(())
    }
}
