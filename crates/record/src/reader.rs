//! Reading a record: its checkpoint, its entries, and proofs from its tiles.
//!
//! A reader takes no lock. Everything under the checkpoint it opened stays as it is for ever, so it
//! reads beside a running writer, on a copy that a mirror made, and on a folder whose writer was
//! killed. The checkpoint is the truth; what lies beyond it is not read, except on demand from the
//! journal.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::bundle::{self, Span};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::Error;
use crate::folders;
use crate::hash::{Hash, leaf_hash, perfect_root};
use crate::journal::{Found, Walk};
use crate::key::PublicKey;
use crate::limits::{HASH_BYTES, TILE_WIDTH};
use crate::medium::{Disk, Medium};
use crate::merkle::{self, Nodes, verify_inclusion};
use crate::proof::{Extra, ProofText};
use crate::tile::{Content, Tile, TileOfSize};
use crate::writer::Waiting;

/// A reader of a record as it stood when its checkpoint was read.
#[derive(Debug)]
pub struct Reader<M: Medium = Disk> {
    medium: M,
    record: PathBuf,
    key: PublicKey,
    signed: SignedCheckpoint,
    /// The checkpoint file, byte for byte.
    note: Vec<u8>,
}

impl Reader<Disk> {
    /// Opens the public part of a record, which is `Folders::record` or a mirror of it, and checks
    /// the signature of its checkpoint.
    pub fn open(record: impl Into<PathBuf>, key: &PublicKey) -> Result<Self, Error> {
        Self::open_on(Disk, record, key)
    }
}

impl<M: Medium> Reader<M> {
    /// [`Reader::open`] on some medium.
    pub fn open_on(medium: M, record: impl Into<PathBuf>, key: &PublicKey) -> Result<Self, Error> {
        let record = record.into();
        let (signed, note) = read_checkpoint(&medium, &record, key)?;
        Ok(Self { medium, record, key: key.clone(), signed, note })
    }

    /// Reads the checkpoint again and says whether the record has grown. A checkpoint that is
    /// smaller than the one before, or of the same size with another root, is refused.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let (signed, note) = read_checkpoint(&self.medium, &self.record, &self.key)?;
        let (old, new) = (self.checkpoint(), signed.checkpoint());
        if new.size() < old.size() || (new.size() == old.size() && new.root() != old.root()) {
            return Err(Error::contradiction(
                &folders::checkpoint(&self.record),
                format!("it went from {} entries to {}", old.size(), new.size()),
            ));
        }
        let grown = new.size() > old.size();
        self.signed = signed;
        self.note = note;
        Ok(grown)
    }

    /// The checkpoint that was read.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// The signed note of the checkpoint, byte for byte.
    pub fn checkpoint_note(&self) -> &[u8] {
        &self.note
    }

    /// Entries under the checkpoint.
    pub fn size(&self) -> u64 {
        self.checkpoint().size()
    }

    /// Root under the checkpoint.
    pub fn root(&self) -> Hash {
        self.checkpoint().root()
    }

    /// The bytes of one entry. To read many, use [`Reader::entries`].
    ///
    /// Reading does not verify: [`verify`](crate::verify::verify) checks all entries,
    /// [`Reader::proof_text`] one of them.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, Error> {
        let mut entries = self.entries(index..self.check_index(index)? + 1)?;
        match entries.advance()? {
            Some((_, entry)) => Ok(entry.to_vec()),
            None => unreachable!("a range of one entry has an entry"),
        }
    }

    /// The entries of a range, read bundle by bundle.
    pub fn entries(&self, range: Range<u64>) -> Result<Entries<'_, M>, Error> {
        if range.end > self.size() {
            return Err(Error::out_of_range("entry", range.end - 1, self.size()));
        }
        Ok(Entries {
            reader: self,
            range,
            bundle: Vec::new(),
            spans: Vec::new(),
            loaded: Loaded::Nothing,
        })
    }

    /// The inclusion proof of an entry in the tree of `size` entries, which is at most that of the
    /// checkpoint. A proof for the size of the checkpoint is checked against its root before it is
    /// returned.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        self.check_size(size)?;
        if index >= size {
            return Err(Error::out_of_range("entry", index, size));
        }
        let mut nodes = TileNodes::new(self);
        let proof = merkle::inclusion_proof(&mut nodes, index, size)?;
        if size == self.size() {
            let leaf = nodes.node(0, index)?;
            verify_inclusion(index, size, &leaf, &proof, &self.root()).map_err(|_| {
                let tile = Tile::full(Content::Hashes(0), index / TILE_WIDTH as u64);
                Error::contradiction(
                    &folders::tile(&self.record, tile),
                    format!("the tiles above entry {index} do not lead to the root"),
                )
            })?;
        }
        Ok(proof)
    }

    /// The consistency proof between two sizes of this record.
    pub fn consistency_proof(&self, old_size: u64, new_size: u64) -> Result<Vec<Hash>, Error> {
        self.check_size(new_size)?;
        if old_size > new_size {
            return Err(Error::out_of_range("size", old_size, new_size));
        }
        merkle::consistency_proof(&mut TileNodes::new(self), old_size, new_size)
    }

    /// The root that the record had at an earlier size.
    pub fn root_at(&self, size: u64) -> Result<Hash, Error> {
        self.check_size(size)?;
        merkle::root(&mut TileNodes::new(self), size)
    }

    /// A proof that an entry is in the record, with the checkpoint, as a text that anyone with the
    /// public key can check offline. It is checked against the entry before it is returned.
    pub fn proof_text(&self, index: u64) -> Result<ProofText, Error> {
        let entry = self.entry(index)?;
        let hashes = self.inclusion_proof(index, self.size())?;
        verify_inclusion(index, self.size(), &leaf_hash(&entry), &hashes, &self.root()).map_err(
            |_| {
                let tile = Tile::full(Content::Entries, index / TILE_WIDTH as u64);
                Error::contradiction(
                    &folders::tile(&self.record, tile),
                    format!("entry {index} is not the one that its leaf hash stands for"),
                )
            },
        )?;
        ProofText::new(index, hashes, &self.note, Extra::Absent)
    }

    /// Counts the acknowledged entries in a journal that are not under this checkpoint. A frame
    /// that is cut short or wrong, and what comes after it, was not acknowledged as far as can be
    /// known, and is not counted.
    pub fn waiting(&self, journal: &Path) -> Result<Waiting, Error> {
        let mut waiting = Waiting::default();
        self.visit_waiting(journal, |_, entry| {
            waiting.entries += 1;
            waiting.bytes += (crate::limits::ENTRY_PREFIX_BYTES + entry.len()) as u64;
        })?;
        Ok(waiting)
    }

    /// Hands the acknowledged entries that are not under this checkpoint to `on_entry`, in order.
    /// Beside a running writer the journal may have moved on: then [`Reader::refresh`] finds a newer
    /// checkpoint.
    pub fn visit_waiting(
        &self,
        journal: &Path,
        mut on_entry: impl FnMut(u64, &[u8]),
    ) -> Result<(), Error> {
        let path = folders::pending(journal);
        let mut walk = Walk::start(&self.medium, &path)?;
        while let Found::Frame(header) = walk.step()? {
            for (index, entry) in (header.first..).zip(walk.entries()) {
                if index >= self.size() {
                    on_entry(index, entry);
                }
            }
        }
        Ok(())
    }

    fn check_index(&self, index: u64) -> Result<u64, Error> {
        if index < self.size() {
            Ok(index)
        } else {
            Err(Error::out_of_range("entry", index, self.size()))
        }
    }

    fn check_size(&self, size: u64) -> Result<(), Error> {
        if size <= self.size() {
            Ok(())
        } else {
            Err(Error::out_of_range("size", size, self.size()))
        }
    }
}

/// The entries of a range. Not an `Iterator`, because each entry is lent from a buffer that the
/// next bundle replaces.
#[derive(Debug)]
pub struct Entries<'a, M: Medium = Disk> {
    reader: &'a Reader<M>,
    range: Range<u64>,
    bundle: Vec<u8>,
    spans: Vec<Span>,
    loaded: Loaded,
}

/// Which bundle is in the buffer.
#[derive(Debug, PartialEq, Eq)]
enum Loaded {
    Nothing,
    Bundle(u64),
}

impl<M: Medium> Entries<'_, M> {
    /// The next entry and its index, or `None` after the last.
    pub fn advance(&mut self) -> Result<Option<(u64, &[u8])>, Error> {
        let Some(index) = self.range.next() else { return Ok(None) };
        let wanted = index / TILE_WIDTH as u64;
        if self.loaded != Loaded::Bundle(wanted) {
            self.load(wanted)?;
            self.loaded = Loaded::Bundle(wanted);
        }
        let span = self.spans[(index % TILE_WIDTH as u64) as usize];
        Ok(Some((index, &self.bundle[span.range()])))
    }

    fn load(&mut self, wanted: u64) -> Result<(), Error> {
        let Reader { medium, record, .. } = self.reader;
        let TileOfSize::Tile(tile) = Tile::of_size(Content::Entries, wanted, self.reader.size())
        else {
            unreachable!("the range was checked against the size")
        };
        let path = read_tile(medium, record, tile, &mut self.bundle)?;
        let cut_off = |position: usize| {
            Error::contradiction(
                &path,
                format!("it ends inside entry {}", tile.first_entry(position)),
            )
        };
        bundle::spans(&self.bundle, &mut self.spans).map_err(|cut| cut_off(cut.position))?;
        if self.spans.len() != tile.width() {
            return Err(Error::contradiction(
                &path,
                format!("it has {} entries, not {}", self.spans.len(), tile.width()),
            ));
        }
        Ok(())
    }
}

fn read_checkpoint<M: Medium>(
    medium: &M,
    record: &Path,
    key: &PublicKey,
) -> Result<(SignedCheckpoint, Vec<u8>), Error> {
    let path = folders::checkpoint(record);
    let mut note = Vec::new();
    medium.read(&path, &mut note).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Error::not_a_record(record, "it has no checkpoint; check the path")
        }
        _ => Error::disk("read", &path, error),
    })?;
    Ok((SignedCheckpoint::open(&note, key)?, note))
}

/// Reads a tile or a bundle into `into` and returns the path that was read.
///
/// A partial one is read under its own name, and where a mirror has deleted it, as the beginning of
/// the full one. Not the other way round: beside a running writer the full one may not be under the
/// checkpoint yet.
pub(crate) fn read_tile<M: Medium>(
    medium: &M,
    record: &Path,
    tile: Tile,
    into: &mut Vec<u8>,
) -> Result<PathBuf, Error> {
    let mut path = folders::tile(record, tile);
    let mut result = medium.read(&path, into);
    if !tile.is_full() && matches!(&result, Err(error) if error.kind() == io::ErrorKind::NotFound) {
        let full = folders::tile(record, Tile::full(tile.content(), tile.index()));
        if medium.read(&full, into).is_ok() {
            path = full;
            result = Ok(());
            cut_to_width(tile, into);
        }
    }
    result.map_err(|error| Error::disk("read", &path, error))?;
    if let Content::Hashes(_) = tile.content() {
        let expected = tile.width() * HASH_BYTES;
        if into.len() != expected {
            return Err(Error::contradiction(
                &path,
                format!("it has {} bytes, not {expected}", into.len()),
            ));
        }
    }
    Ok(path)
}

/// Cuts the content of a full tile to the width of a partial one.
fn cut_to_width(tile: Tile, full: &mut Vec<u8>) {
    match tile.content() {
        Content::Hashes(_) => full.truncate(tile.width() * HASH_BYTES),
        Content::Entries => {
            let mut spans = Vec::new();
            if bundle::spans(full, &mut spans).is_ok() && spans.len() >= tile.width() {
                full.truncate(spans[tile.width() - 1].end());
            }
        }
    }
}

/// Roots of perfect subtrees from tiles. Each tile is read once for each proof.
struct TileNodes<'a, M: Medium> {
    reader: &'a Reader<M>,
    tiles: Vec<(Tile, Vec<u8>)>,
    scratch: Vec<u8>,
}

impl<'a, M: Medium> TileNodes<'a, M> {
    fn new(reader: &'a Reader<M>) -> Self {
        Self { reader, tiles: Vec::new(), scratch: Vec::new() }
    }

    /// Position of a tile in `tiles`, which is read if it was not yet.
    fn tile(&mut self, level: u8, index: u64) -> Result<usize, Error> {
        let Reader { medium, record, .. } = self.reader;
        let TileOfSize::Tile(tile) =
            Tile::of_size(Content::Hashes(level), index, self.reader.size())
        else {
            unreachable!("proofs ask only for subtrees within the checked size")
        };
        if let Some(at) = self.tiles.iter().position(|(known, _)| *known == tile) {
            return Ok(at);
        }
        let mut bytes = Vec::new();
        read_tile(medium, record, tile, &mut bytes)?;
        self.tiles.push((tile, bytes));
        Ok(self.tiles.len() - 1)
    }
}

impl<M: Medium> Nodes for TileNodes<'_, M> {
    type Error = Error;

    /// A node at height `8 L + r` is the root over `2^r` neighbouring hashes of one tile of level
    /// `L` (C2SP tlog-tiles: a tile stands for a subtree of height 8).
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Error> {
        let (level, power) = ((height / 8) as u8, height % 8);
        let first = index << power;
        let at = self.tile(level, first / TILE_WIDTH as u64)?;
        let position = (first % TILE_WIDTH as u64) as usize;
        let bytes = &self.tiles[at].1[position * HASH_BYTES..][..HASH_BYTES << power];
        self.scratch.clear();
        self.scratch.extend_from_slice(bytes);
        Ok(perfect_root(&mut self.scratch))
    }
}
