//! The pass over all entries under the checkpoint.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{Fault, FaultKind, Place, Progress, Report};
use crate::bundle::{self, Span};
use crate::folders;
use crate::hash::{Hash, leaf_hashes, perfect_root};
use crate::limits::{HASH_BYTES, TILE_LEVEL_COUNT, TILE_WIDTH};
use crate::medium::{Item, Medium};
use crate::merkle::Edge;
use crate::tile::{Content, Tile, TileOfSize, decimal};

/// What the pass leaves behind for the journal to go on from.
pub(super) struct LastEdge {
    pub(super) edge: Edge,
    /// The entries of the incomplete bundle.
    pub(super) bundle: Vec<u8>,
}

/// The files that the pass reads, and the buffers it reads them into.
struct Files<'a, M> {
    medium: &'a M,
    record: &'a Path,
    size: u64,
    /// Content of the file that is being compared.
    other: Vec<u8>,
    /// For each content, the folder that was listed last: so that the many tiles without partial
    /// files cost no call each.
    shelves: [Shelf; TILE_LEVEL_COUNT + 1],
    report: &'a mut Report,
}

/// Checks every entry and every file that the checkpoint covers.
pub(super) fn entries<M: Medium>(
    medium: &M,
    record: &Path,
    report: &mut Report,
    mut on_entry: impl FnMut(u64, &[u8]),
    mut on_progress: impl FnMut(Progress),
) -> Result<LastEdge, Fault> {
    let size = report.checkpoint.size();
    let root = report.checkpoint.root();
    let (other, shelves) = (Vec::new(), Default::default());
    let mut files = Files { medium, record, size, other, shelves, report };
    let mut edge = Edge::empty();
    let (mut bundle, mut spans, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..size.div_ceil(TILE_WIDTH as u64) {
        let TileOfSize::Tile(tile) = Tile::of_size(Content::Entries, index, size) else {
            unreachable!("the loop ends with the size")
        };
        files.read_bundle(tile, &mut bundle, &mut spans)?;
        hashes.clear();
        leaf_hashes(&mut bundle, &spans, &mut hashes);
        let leaves = Tile::new(Content::Hashes(0), index, tile.width());
        files.read(leaves)?;
        if files.other != hashes {
            return Err(files.blame(&edge, tile, &hashes));
        }
        files.partials(leaves, |width| &hashes[..width * HASH_BYTES])?;
        files.partials(tile, |width| &bundle[..spans[width - 1].end()])?;
        for (entry, span) in (tile.first_entry(0)..).zip(&spans) {
            let bytes = &bundle[span.range()];
            files.report.entry_bytes += bytes.len() as u64;
            on_entry(entry, bytes);
        }
        files.report.entries += spans.len() as u64;
        edge.extend(&hashes, |level, index, row| {
            if level > 0 {
                files.compare(Tile::full(Content::Hashes(level), index), row)
            } else {
                Ok(())
            }
        })?;
        on_progress(Progress {
            entries: files.report.entries,
            entries_total: size,
            entry_bytes: files.report.entry_bytes,
        });
    }
    for level in 1..TILE_LEVEL_COUNT as u8 {
        if edge.width(level) > 0 {
            let tile = Tile::new(Content::Hashes(level), edge.index(level), edge.width(level));
            files.compare(tile, edge.row(level))?;
        }
    }
    if edge.root() != root {
        return Err(Fault::new(
            FaultKind::RootDiffers,
            &folders::checkpoint(record),
            Place::Whole,
            format!("all files agree on {}, it says {}", edge.root().to_base64(), root.to_base64()),
        ));
    }
    if edge.width(0) == 0 {
        bundle.clear();
    }
    Ok(LastEdge { edge, bundle })
}

/// Tiles in one folder: the last three digits of their index.
const SHELF_TILES: u64 = 1000;

/// The tiles in a folder that have partial files beside them, by the last three digits.
#[derive(Default)]
struct Shelf {
    of: Of,
    with_partials: BTreeSet<u64>,
}

/// Which folder: the digits of the index before the last three.
#[derive(Default, PartialEq, Eq)]
enum Of {
    #[default]
    None,
    Upper(u64),
}

/// What a folder holds; nothing if it is not there.
fn list<M: Medium>(medium: &M, folder: &Path) -> Result<Vec<(String, Item)>, Fault> {
    match medium.list(folder) {
        Ok(names) => Ok(names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Fault::unreadable(folder, &error)),
    }
}

impl<M: Medium> Files<'_, M> {
    fn path(&self, tile: Tile) -> PathBuf {
        folders::tile(self.record, tile)
    }

    fn count(&mut self, tile: Tile, bytes: usize) {
        let report = &mut *self.report;
        report.file_bytes += bytes as u64;
        let counter = match (tile.content(), tile.is_full()) {
            (Content::Entries, true) => &mut report.full_bundles,
            (Content::Entries, false) => &mut report.partial_bundles,
            (Content::Hashes(_), true) => &mut report.full_tiles,
            (Content::Hashes(_), false) => &mut report.partial_tiles,
        };
        *counter += 1;
    }

    /// Reads a bundle and finds its entries, exactly as many as it should hold.
    fn read_bundle(
        &mut self,
        tile: Tile,
        bundle: &mut Vec<u8>,
        spans: &mut Vec<Span>,
    ) -> Result<(), Fault> {
        let path = self.path(tile);
        self.medium.read(&path, bundle).map_err(|error| Fault::unreadable(&path, &error))?;
        self.count(tile, bundle.len());
        let malformed = |position: usize, detail: String| {
            let place = Place::Entry(tile.first_entry(position));
            Fault::new(FaultKind::BundleMalformed, &path, place, detail)
        };
        bundle::spans(bundle, spans)
            .map_err(|cut| malformed(cut.position, "it ends inside this entry".to_owned()))?;
        if spans.len() != tile.width() {
            let detail = format!("it divides into {} entries, not {}", spans.len(), tile.width());
            return Err(malformed(spans.len().min(tile.width()), detail));
        }
        Ok(())
    }

    /// Reads a tile of hashes into `other`.
    fn read(&mut self, tile: Tile) -> Result<(), Fault> {
        let path = self.path(tile);
        self.medium
            .read(&path, &mut self.other)
            .map_err(|error| Fault::unreadable(&path, &error))?;
        self.count(tile, self.other.len());
        Ok(())
    }

    /// Compares a tile of hashes, and the partial files of it, with what it should hold.
    fn compare(&mut self, tile: Tile, expected: &[u8]) -> Result<(), Fault> {
        self.read(tile)?;
        if self.other != expected {
            return Err(self.altered_tile(tile, expected));
        }
        self.partials(tile, |width| &expected[..width * HASH_BYTES])
    }

    fn altered_tile(&self, tile: Tile, expected: &[u8]) -> Fault {
        let path = self.path(tile);
        if self.other.len() != expected.len() {
            let detail = format!("it has {} bytes, not {}", self.other.len(), expected.len());
            return Fault::new(FaultKind::TileAltered, &path, Place::Whole, detail);
        }
        let position = first_difference(&self.other, expected) / HASH_BYTES;
        let detail = "it is not the root over the entries below it";
        Fault::new(FaultKind::TileAltered, &path, Place::Item(tile, position), detail)
    }

    /// Compares the partial files beside `tile`, as narrow as it or narrower, with its beginning.
    /// The one as wide as a partial `tile` is `tile` itself; wider ones lie beyond the checkpoint.
    fn partials<'e>(
        &mut self,
        tile: Tile,
        expected: impl Fn(usize) -> &'e [u8],
    ) -> Result<(), Fault> {
        let slot = match tile.content() {
            Content::Entries => TILE_LEVEL_COUNT,
            Content::Hashes(level) => usize::from(level),
        };
        let (upper, lower) = (tile.index() / SHELF_TILES, tile.index() % SHELF_TILES);
        if self.shelves[slot].of != Of::Upper(upper) {
            let full = self.path(Tile::full(tile.content(), tile.index()));
            let folder = full.parent().expect("a tile is in a folder");
            let with_partials = list(self.medium, folder)?
                .iter()
                .filter_map(|(name, _)| name.strip_suffix(".p")?.parse().ok())
                .collect();
            self.shelves[slot] = Shelf { of: Of::Upper(upper), with_partials };
        }
        if !self.shelves[slot].with_partials.contains(&lower) {
            return Ok(());
        }
        let mut folder = self.path(Tile::full(tile.content(), tile.index())).into_os_string();
        folder.push(".p");
        let folder = PathBuf::from(folder);
        let names = list(self.medium, &folder)?;
        for (name, item) in names {
            let width = match decimal(&name) {
                Some(width) if item == Item::File && (1..tile.width() as u64).contains(&width) => {
                    width as usize
                }
                _ => continue,
            };
            let path = folder.join(&name);
            self.medium
                .read(&path, &mut self.other)
                .map_err(|error| Fault::unreadable(&path, &error))?;
            self.count(Tile::new(tile.content(), tile.index(), width), self.other.len());
            let expected = expected(width);
            if self.other != expected {
                let at = first_difference(&self.other, expected) as u64;
                let detail = format!("its {width} items are not the first of {tile}");
                let place = Place::OffsetBytes(at);
                return Err(Fault::new(FaultKind::PartialDiffers, &path, place, detail));
            }
        }
        Ok(())
    }

    /// Entries and leaf hashes disagree: which of the two files was altered? The tile above knows,
    /// or for the last tile the checkpoint.
    fn blame(&mut self, edge: &Edge, tile: Tile, computed: &[u8]) -> Fault {
        let leaves = Tile::new(Content::Hashes(0), tile.index(), tile.width());
        if self.other.len() != computed.len() {
            return self.altered_tile(leaves, computed);
        }
        let stored = std::mem::take(&mut self.other);
        let (computed_root, stored_root, true_root) = if tile.is_full() {
            let above = self.hash_above(tile.index());
            (perfect_root(&mut computed.to_vec()), perfect_root(&mut stored.clone()), above)
        } else {
            let root = |row: &[u8]| edge.with_lowest_row(row).root();
            (root(computed), root(&stored), Ok(self.report.checkpoint.root()))
        };
        self.other = stored;
        if true_root.as_ref() == Ok(&computed_root) {
            return self.altered_tile(leaves, computed);
        }
        let position = first_difference(&self.other, computed) / HASH_BYTES;
        let why = match true_root {
            Ok(root) if root == stored_root => "the hashes above stand for other bytes".to_owned(),
            _ => format!(
                "neither it nor {} agrees with the hashes above",
                self.path(leaves).display()
            ),
        };
        let place = Place::Entry(tile.first_entry(position));
        Fault::new(FaultKind::EntryAltered, &self.path(tile), place, why)
    }

    /// The hash that level 1 holds for a tile of level 0.
    fn hash_above(&mut self, index: u64) -> Result<Hash, ()> {
        let width = TILE_WIDTH as u64;
        let TileOfSize::Tile(above) = Tile::of_size(Content::Hashes(1), index / width, self.size)
        else {
            return Err(());
        };
        let mut row = Vec::new();
        self.medium.read(&self.path(above), &mut row).map_err(drop)?;
        let hashes = row.as_chunks::<HASH_BYTES>().0;
        hashes.get((index % width) as usize).map(|hash| Hash::from_bytes(*hash)).ok_or(())
    }
}

/// Offset of the first byte in which two texts differ, or the length of the shorter one.
fn first_difference(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}
