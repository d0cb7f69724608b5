//! The single writer: stage, commit, checkpoint; and what opening does after a crash.
//!
//! Architecture invariants:
//!
//! - An entry is acknowledged only after its frame is durable in the journal.
//! - A tile or bundle holds only entries that are durable in the journal, so whatever survives a
//!   crash under `record/tile` either is correct or is written again with the content it should
//!   have. A file that a published checkpoint covers is never written again.
//! - A checkpoint is signed only after every tile it covers is durable.
//!
//! The order of a checkpoint is therefore: tiles, synchronise the folder, checkpoint, synchronise
//! its name, cut the journal. A crash between any two steps leaves the old checkpoint with the
//! whole journal, or the new checkpoint with a journal that says nothing new.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::blob::{self, BlobWriter};
use crate::bundle::{self, Span};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::{AppendError, Error, Fatal, Refused};
use crate::folders::{self, DROPPED_PREFIX, Folders, INCOMING, TILES};
use crate::hash::{Hash, leaf_hashes};
use crate::journal::{Found, Staged, Walk};
use crate::key::PrivateKey;
use crate::limits::{
    ENTRY_BYTES_MAX, HASH_BYTES, TILE_LEVEL_COUNT, TILE_WIDTH, UNSYNCED_FILE_COUNT_MAX,
    WAITING_BYTES_MAX,
};
use crate::medium::{Disk, Medium, Tail};
use crate::merkle::Edge;
use crate::reader::read_tile;
use crate::tile::{Content, Tile};

/// When a checkpoint is due. The record has no clock: whoever has one asks for a checkpoint when
/// time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// Acknowledged entries that may wait for a checkpoint.
    pub entries_max: u64,
    /// Bytes of acknowledged entries that may wait for a checkpoint.
    pub bytes_max: u64,
}

impl Cadence {
    /// Whether so much has waited long enough.
    pub fn is_due(&self, waiting: Waiting) -> bool {
        waiting.entries > 0
            && (waiting.entries >= self.entries_max || waiting.bytes >= self.bytes_max)
    }
}

/// Acknowledged entries that are not under a checkpoint yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub entries: u64,
    /// Their bytes, with a prefix of two bytes each.
    pub bytes: u64,
}

/// Whether the writer still knows what is on the disk.
#[derive(Debug)]
enum State {
    Sound,
    Poisoned(String),
}

/// The single writer of a record.
///
/// See the [crate documentation](crate) for an example.
#[derive(Debug)]
pub struct Writer<M: Medium = Disk> {
    medium: M,
    folders: Folders,
    key: PrivateKey,
    lock: M::Lock,
    watch: M::Watch,
    journal: M::Tail,
    state: State,
    /// Appended, not acknowledged.
    staged: Staged,
    /// Acknowledged, not yet in `edge`; encoded as in a bundle.
    unintegrated: Vec<u8>,
    /// Number of acknowledged entries, which is the index of the first staged one.
    acknowledged: u64,
    waiting: Waiting,
    /// The tree over all entries whose full tiles are written.
    edge: Edge,
    /// Encoded entries of the bundle that is not full yet: the last `edge.width(0)` of `edge`.
    bundle: Vec<u8>,
    /// The checkpoint that is published.
    published: Checkpoint,
    /// Files written since the folder was last made durable.
    unsynced: Vec<PathBuf>,
}

impl Writer<Disk> {
    /// Makes an empty record, with a signed checkpoint of size 0, and opens it.
    pub fn create(folders: &Folders, key: PrivateKey) -> Result<Self, Error> {
        Self::create_on(Disk, folders, key)
    }

    /// Opens a record for writing, and recovers by itself from whatever ended the last writer.
    ///
    /// If acknowledged entries wait in the journal, this publishes a checkpoint over them.
    pub fn open(folders: &Folders, key: PrivateKey) -> Result<Self, Error> {
        Self::open_on(Disk, folders, key)
    }
}

impl<M: Medium> Writer<M> {
    /// [`Writer::create`] on some medium.
    pub fn create_on(medium: M, folders: &Folders, key: PrivateKey) -> Result<Self, Error> {
        let checkpoint = folders::checkpoint(&folders.record);
        check_vacant(&medium, folders)?;
        let all = [&folders.record, &folders.journal, &folders.blobs];
        for folder in all {
            medium.create_folders(folder).map_err(|error| Error::disk("make", folder, error))?;
        }
        let lock = lock(&medium, folders)?;
        check_vacant(&medium, folders)?; // another may have been quicker
        let pending = folders.pending();
        medium.open_tail(&pending).map_err(|error| Error::disk("make", &pending, error))?;
        for folder in all {
            sync_folder(&medium, folder)?;
            sync_folder_above(&medium, folder)?;
        }
        sync_name_of_mission(&medium, folders)?;
        // The checkpoint comes last: with it the record exists, without it nothing was made.
        let empty = Checkpoint::new(key.public().name(), 0, Hash::EMPTY_TREE)?;
        publish(&medium, &folders.record, &empty.sign(&key)?)
            .map_err(|failure| Error::disk(failure.doing, &checkpoint, failure.source))?;
        Self::load(medium, folders, key, lock)
    }

    /// [`Writer::open`] on some medium.
    pub fn open_on(medium: M, folders: &Folders, key: PrivateKey) -> Result<Self, Error> {
        let checkpoint = folders::checkpoint(&folders.record);
        match medium.length_bytes(&checkpoint) {
            Ok(_) => (),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::not_a_record(
                    &folders.record,
                    "it has no checkpoint; create a record there, or check the path",
                ));
            }
            Err(error) => return Err(Error::disk("read", &checkpoint, error)),
        }
        medium
            .create_folders(&folders.journal)
            .map_err(|error| Error::disk("make", &folders.journal, error))?;
        let lock = lock(&medium, folders)?;
        Self::load(medium, folders, key, lock)
    }

    fn load(medium: M, folders: &Folders, key: PrivateKey, lock: M::Lock) -> Result<Self, Error> {
        let record = &folders.record;
        let watch = medium.watch(record).map_err(|error| Error::disk("open", record, error))?;
        // The last writer may have ended between putting the checkpoint in place and making its
        // name durable. What is cut from the journal below must be safe under a durable name.
        sync_folder(&medium, record)?;
        let path = folders::checkpoint(record);
        let mut bytes = Vec::new();
        medium.read(&path, &mut bytes).map_err(|error| Error::disk("read", &path, error))?;
        let signed = SignedCheckpoint::open(&bytes, key.public())?;
        let published = signed.checkpoint().clone();
        let (edge, bundle) = load_edge(&medium, record, &published)?;

        let incoming = record.join(INCOMING);
        remove_leftover(&medium, &incoming)?;
        blob::prepare(&medium, &folders.blobs)?;

        let pending = folders.pending();
        let journal =
            medium.open_tail(&pending).map_err(|error| Error::disk("open", &pending, error))?;
        let mut writer = Self {
            medium,
            folders: folders.clone(),
            key,
            lock,
            watch,
            journal,
            state: State::Sound,
            staged: Staged::new(),
            unintegrated: Vec::new(),
            acknowledged: published.size(),
            waiting: Waiting::default(),
            edge,
            bundle,
            published,
            unsynced: Vec::new(),
        };
        // A frame that a killed writer wrote may not be durable yet; no tile may hold it before.
        let synced = writer.journal.sync();
        synced.map_err(|error| Error::disk("synchronise", &pending, error))?;
        writer.replay(&pending)?;
        // A checkpoint that was begun may have left partial tiles of its size behind, torn by a
        // power failure. Publishing that very size writes each of them again.
        writer.checkpoint()?;
        // What is left is covered by the checkpoint or was never acknowledged.
        let cut = writer.journal.truncate(0).and_then(|()| writer.journal.sync());
        cut.map_err(|error| Error::disk("cut", &pending, error))?;
        sync_folder(&writer.medium, &folders.journal)?;
        sync_folder_above(&writer.medium, &folders.journal)?;
        Ok(writer)
    }

    /// Takes over what the journal holds beyond the checkpoint. What was never acknowledged is
    /// passed over, and put aside if it is a whole frame.
    fn replay(&mut self, pending: &Path) -> Result<(), Error> {
        let medium = self.medium.clone();
        let mut walk = Walk::start(&medium, pending)?;
        loop {
            let at = walk.offset_bytes();
            match walk.step()? {
                Found::Frame(header) => {
                    let next = self.acknowledged;
                    let size = self.published.size();
                    if header.end() <= size && next == size {
                        continue; // covered: the last writer ended before it cut the journal
                    }
                    if header.first != next {
                        return Err(Error::journal(
                            pending,
                            at,
                            format!("it goes on with entry {}, not {next}", header.first),
                        ));
                    }
                    self.accept(walk.body(), header.count)?;
                }
                Found::End | Found::Torn { .. } => return Ok(()),
                Found::Damaged(damage) => {
                    if walk.is_followed(damage, self.acknowledged)? {
                        return Err(Error::journal(pending, at, damage.why));
                    }
                    return self.set_aside(&walk);
                }
            }
        }
    }

    /// Copies the end of the journal from the present frame on to a file of its own.
    fn set_aside(&self, walk: &Walk<'_, M>) -> Result<(), Error> {
        let journal = &self.folders.journal;
        let names =
            self.medium.list(journal).map_err(|error| Error::disk("list", journal, error))?;
        let stem = format!("{DROPPED_PREFIX}{}", self.acknowledged);
        let mut name = stem.clone();
        let mut again = 2;
        while names.iter().any(|(taken, _)| *taken == name) {
            name = format!("{stem}.{again}");
            again += 1;
        }
        let path = journal.join(name);
        let mut tail =
            self.medium.create(&path).map_err(|error| Error::disk("make", &path, error))?;
        walk.copy_rest(&mut tail, &path)?;
        tail.sync().map_err(|error| Error::disk("synchronise", &path, error))?;
        sync_folder(&self.medium, journal)
    }

    /// The number of acknowledged entries: the index that the next committed entry has if nothing
    /// is staged.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// The number of entries that are staged and not committed.
    pub fn staged(&self) -> u64 {
        u64::from(self.staged.count())
    }

    /// The acknowledged entries that are not under a checkpoint.
    pub fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// The checkpoint that is published.
    pub fn published(&self) -> &Checkpoint {
        &self.published
    }

    /// Where the record lies.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The blob store, for writing. The right to write is the writer's and is held as long as what
    /// this returns.
    pub fn blobs(&self) -> BlobWriter<M> {
        BlobWriter::new(self.medium.clone(), self.folders.blobs.clone(), self.lock.clone())
    }

    /// Stages an entry and returns the index it will have. Nothing is promised before
    /// [`Writer::commit`].
    pub fn append(&mut self, entry: &[u8]) -> Result<u64, AppendError> {
        self.sound()?;
        if entry.is_empty() {
            return Err(Refused::empty().into());
        }
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(Refused::too_long(entry.len()).into());
        }
        if !self.staged.takes(entry.len()) {
            return Err(Refused::commit_first().into());
        }
        let index = self.acknowledged + u64::from(self.staged.count());
        self.staged.push(entry);
        Ok(index)
    }

    /// Makes everything staged durable with one write and one `fdatasync`, and so acknowledges it.
    /// Returns the indices that are now acknowledged.
    ///
    /// If it fails, the entries of this commit may or may not be there after the next open.
    pub fn commit(&mut self) -> Result<Range<u64>, Fatal> {
        self.sound()?;
        let first = self.acknowledged;
        let count = self.staged.count();
        if count == 0 {
            return Ok(first..first);
        }
        // Before the journal takes them: if this fails, nothing was promised.
        self.make_room(self.staged.body_bytes())?;
        let pending = self.folders.pending();
        let frame = self.staged.finish(first);
        let appended = self.journal.append(frame);
        appended.map_err(|error| self.poison(Fatal::disk("append to", &pending, error)))?;
        let synced = self.journal.sync();
        synced.map_err(|error| self.poison(Fatal::disk("synchronise", &pending, error)))?;

        let staged = std::mem::replace(&mut self.staged, Staged::new());
        self.take_over(staged.finished_body(), count);
        self.staged = staged;
        self.staged.clear();
        Ok(first..self.acknowledged)
    }

    /// Publishes a checkpoint over all acknowledged entries and returns it. What is staged stays
    /// staged. If nothing new was acknowledged, the published checkpoint stands.
    pub fn checkpoint(&mut self) -> Result<&Checkpoint, Fatal> {
        self.sound()?;
        if self.acknowledged == self.published.size() {
            return Ok(&self.published);
        }
        self.integrate(Until::Last)?;
        assert_eq!(self.edge.size(), self.acknowledged, "the tree holds what was acknowledged");
        self.write_partials()?;
        self.sync_files()?;

        let next = Checkpoint::new(self.key.public().name(), self.edge.size(), self.edge.root())
            .and_then(|next| next.sign(&self.key).map(|note| (next, note)));
        let (next, note) = next.expect("the name was checked when the key was made");
        let record = &self.folders.record;
        let path = folders::checkpoint(record);
        publish(&self.medium, record, &note)
            .map_err(|failure| Fatal::disk(failure.doing, &path, failure.source))
            .map_err(|fatal| self.poison(fatal))?;
        self.published = next;
        self.waiting = Waiting::default();

        // Not synchronised: should the cut be lost, the frames are found to be covered; and the
        // next commit makes the cut durable together with its own frame.
        let cut = self.journal.truncate(0);
        cut.map_err(|error| self.poison(Fatal::disk("cut", &self.folders.pending(), error)))?;
        Ok(&self.published)
    }

    /// Publishes a checkpoint if it is due. Says whether it did.
    pub fn checkpoint_if_due(&mut self, cadence: Cadence) -> Result<bool, Fatal> {
        let due = cadence.is_due(self.waiting);
        if due {
            self.checkpoint()?;
        }
        Ok(due)
    }

    /// Commits what is staged, publishes a last checkpoint and gives up the lock.
    ///
    /// Dropping a writer instead loses nothing that was acknowledged.
    pub fn close(mut self) -> Result<Checkpoint, Fatal> {
        self.commit()?;
        self.checkpoint()?;
        Ok(self.published)
    }

    fn sound(&self) -> Result<(), Fatal> {
        match &self.state {
            State::Sound => Ok(()),
            State::Poisoned(first) => Err(Fatal::poisoned(first)),
        }
    }

    fn poison(&mut self, fatal: Fatal) -> Fatal {
        self.state = State::Poisoned(fatal.to_string());
        fatal
    }

    /// Entries of the journal that a former writer acknowledged.
    fn accept(&mut self, body: &[u8], count: u32) -> Result<(), Fatal> {
        self.make_room(body.len())?;
        self.take_over(body, count);
        Ok(())
    }

    /// Keeps the memory bounded: full bundles need not wait for a checkpoint to be written.
    fn make_room(&mut self, body_bytes: usize) -> Result<(), Fatal> {
        if self.unintegrated.len() + body_bytes > WAITING_BYTES_MAX {
            self.integrate(Until::LastFullBundle)?;
        }
        Ok(())
    }

    fn take_over(&mut self, body: &[u8], count: u32) {
        self.unintegrated.extend_from_slice(body);
        self.acknowledged += u64::from(count);
        self.waiting.entries += u64::from(count);
        self.waiting.bytes += body.len() as u64;
    }

    /// Moves acknowledged entries into the tree and writes each bundle and tile that becomes full.
    fn integrate(&mut self, until: Until) -> Result<(), Fatal> {
        let mut entries = std::mem::take(&mut self.unintegrated);
        let mut used_bytes = 0;
        let (mut spans, mut hashes) = (Vec::new(), Vec::new());
        loop {
            let wanted = TILE_WIDTH - self.edge.width(0);
            let (bytes, found) = bundle::prefix_of(&entries[used_bytes..], wanted);
            if found == 0 || (found < wanted && until == Until::LastFullBundle) {
                break;
            }
            let piece = &mut entries[used_bytes..used_bytes + bytes];
            self.bundle.extend_from_slice(piece);
            bundle::spans(piece, &mut spans).expect("own encodings end with their last entry");
            hashes.clear();
            leaf_hashes(piece, &spans, &mut hashes);
            let result = self.grow(&hashes);
            result.map_err(|fatal| self.poison(fatal))?;
            used_bytes += bytes;
        }
        entries.drain(..used_bytes);
        self.unintegrated = entries;
        Ok(())
    }

    /// Adds leaf hashes whose entries are in `bundle`, and writes what becomes full by it.
    fn grow(&mut self, hashes: &[u8]) -> Result<(), Fatal> {
        let Self { medium, folders, edge, bundle, unsynced, watch, .. } = self;
        let write = |tile: Tile, bytes: &[u8], unsynced: &mut Vec<PathBuf>| {
            write_tile(medium, &folders.record, tile, bytes, unsynced)
        };
        let index = edge.index(0);
        if edge.width(0) + hashes.len() / HASH_BYTES == TILE_WIDTH {
            write(Tile::full(Content::Entries, index), bundle, unsynced)?;
            bundle.clear();
        }
        edge.extend(hashes, |level, index, row| {
            write(Tile::full(Content::Hashes(level), index), row, unsynced)
        })?;
        if unsynced.len() > UNSYNCED_FILE_COUNT_MAX {
            sync_files(medium, &folders.record, watch, unsynced)?;
        }
        Ok(())
    }

    /// Writes the partial bundle and the partial tiles of the present size, except those that the
    /// published checkpoint has too: these are durable and are never touched again.
    fn write_partials(&mut self) -> Result<(), Fatal> {
        let contents = std::iter::once(Content::Entries)
            .chain((0..TILE_LEVEL_COUNT as u8).map(Content::Hashes));
        for content in contents {
            let (level, bytes) = match content {
                Content::Entries => (0, &self.bundle[..]),
                Content::Hashes(level) => (level, self.edge.row(level)),
            };
            let width = self.edge.width(level);
            let tile = match width {
                0 => continue,
                _ => Tile::new(content, self.edge.index(level), width),
            };
            if tile.is_within(self.published.size()) {
                continue;
            }
            let record = &self.folders.record;
            let written = write_tile(&self.medium, record, tile, bytes, &mut self.unsynced);
            written.map_err(|fatal| self.poison(fatal))?;
        }
        Ok(())
    }

    fn sync_files(&mut self) -> Result<(), Fatal> {
        let Self { medium, folders, watch, unsynced, .. } = self;
        let synced = sync_files(medium, &folders.record, watch, unsynced);
        synced.map_err(|fatal| self.poison(fatal))
    }
}

/// How far [`Writer::integrate`] goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// To the last acknowledged entry.
    Last,
    /// To the last bundle that can be filled.
    LastFullBundle,
}

fn check_vacant<M: Medium>(medium: &M, folders: &Folders) -> Result<(), Error> {
    if exists(medium, &folders.record, folders::CHECKPOINT)? {
        return Err(Error::exists(&folders.record));
    }
    let journal_bytes = medium.length_bytes(&folders.pending()).unwrap_or(0);
    if journal_bytes > 0 || exists(medium, &folders.record, TILES)? {
        return Err(Error::not_a_record(
            &folders.record,
            "there are tiles or a journal, but no checkpoint; restore the checkpoint from a copy, \
             or choose an empty folder",
        ));
    }
    Ok(())
}

fn sync_folder<M: Medium>(medium: &M, folder: &Path) -> Result<(), Error> {
    medium.sync_folder(folder).map_err(|error| Error::disk("synchronise", folder, error))
}

fn sync_folder_above<M: Medium>(medium: &M, folder: &Path) -> Result<(), Error> {
    match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => sync_folder(medium, above),
        _ => sync_folder(medium, Path::new(".")),
    }
}

/// Makes the name of the folder in which the three lie durable, as far as this user may.
fn sync_name_of_mission<M: Medium>(medium: &M, folders: &Folders) -> Result<(), Error> {
    let Some(mission) = folders.record.parent().filter(|mission| mission.parent().is_some()) else {
        return Ok(());
    };
    match sync_folder_above(medium, mission) {
        Err(error) if error.is_denied() => Ok(()), // not ours, so it was there before
        other => other,
    }
}

fn exists<M: Medium>(medium: &M, folder: &Path, name: &str) -> Result<bool, Error> {
    match medium.list(folder) {
        Ok(names) => Ok(names.iter().any(|(found, _)| found == name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::disk("list", folder, error)),
    }
}

fn lock<M: Medium>(medium: &M, folders: &Folders) -> Result<M::Lock, Error> {
    let path = folders.lock();
    medium.lock(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::WouldBlock => Error::locked(&path),
        _ => Error::disk("lock", &path, error),
    })
}

fn remove_leftover<M: Medium>(medium: &M, path: &Path) -> Result<(), Error> {
    match medium.remove(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::disk("remove", path, error)),
    }
}

/// What went wrong while a file was put in its place.
struct Failure {
    doing: &'static str,
    source: std::io::Error,
}

fn failed(doing: &'static str) -> impl FnOnce(std::io::Error) -> Failure {
    move |source| Failure { doing, source }
}

/// Puts a signed checkpoint in place, durably and at once: write aside, synchronise, rename,
/// synchronise the name.
fn publish<M: Medium>(medium: &M, record: &Path, note: &[u8]) -> Result<(), Failure> {
    let incoming = record.join(INCOMING);
    let mut tail = medium.create(&incoming).map_err(failed("write"))?;
    tail.append(note).map_err(failed("write"))?;
    tail.sync().map_err(failed("synchronise"))?;
    drop(tail);
    medium.rename(&incoming, &folders::checkpoint(record)).map_err(failed("put in place"))?;
    medium.sync_folder(record).map_err(failed("synchronise the folder of"))
}

/// Puts a tile in place at once, not yet durably.
fn write_tile<M: Medium>(
    medium: &M,
    record: &Path,
    tile: Tile,
    bytes: &[u8],
    unsynced: &mut Vec<PathBuf>,
) -> Result<(), Fatal> {
    let path = folders::tile(record, tile);
    let incoming = record.join(INCOMING);
    let written = || {
        medium.create(&incoming)?.append(bytes)?;
        match medium.rename(&incoming, &path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let folder = path.parent().expect("tiles are in folders");
                medium.create_folders(folder)?;
                medium.rename(&incoming, &path)
            }
            other => other,
        }
    };
    written().map_err(|error| Fatal::disk("write", &path, error))?;
    unsynced.push(path);
    Ok(())
}

fn sync_files<M: Medium>(
    medium: &M,
    record: &Path,
    watch: &M::Watch,
    unsynced: &mut Vec<PathBuf>,
) -> Result<(), Fatal> {
    medium.sync_tree(watch, unsynced).map_err(|error| Fatal::disk("synchronise", record, error))?;
    unsynced.clear();
    Ok(())
}

/// Reads the right edge of the tree under a checkpoint and the entries of its incomplete bundle,
/// and checks both against the root.
fn load_edge<M: Medium>(
    medium: &M,
    record: &Path,
    published: &Checkpoint,
) -> Result<(Edge, Vec<u8>), Error> {
    let size = published.size();
    let index = |level: u8| size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
    let edge = Edge::load(size, |level, width| {
        let mut row = Vec::new();
        let tile = Tile::new(Content::Hashes(level), index(level), width);
        read_tile(medium, record, tile, &mut row).map(|_| row)
    })?;
    if edge.root() != published.root() {
        return Err(Error::contradiction(
            &folders::checkpoint(record),
            "the tiles at the right edge do not lead to its root",
        ));
    }
    let mut bundle = Vec::new();
    if edge.width(0) > 0 {
        let tile = Tile::new(Content::Entries, edge.index(0), edge.width(0));
        let path = read_tile(medium, record, tile, &mut bundle)?;
        let mut spans: Vec<Span> = Vec::new();
        let mut hashes = Vec::new();
        if bundle::spans(&bundle, &mut spans).is_ok() {
            leaf_hashes(&mut bundle, &spans, &mut hashes);
        }
        if hashes != edge.row(0) {
            return Err(Error::contradiction(&path, "its entries do not hash to their tile"));
        }
    }
    Ok((edge, bundle))
}
