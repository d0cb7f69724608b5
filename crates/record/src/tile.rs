//! Names of tiles and entry bundles (C2SP tlog-tiles, "Merkle Tree" and "Log entries").
//!
//! Architecture invariant: this module knows names and widths, not hashes and not files.

use std::fmt::{self, Write as _};

use crate::error::Error;
use crate::limits::{TILE_LEVEL_COUNT, TILE_WIDTH};

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Entries: a bundle, `tile/entries/<N>`.
    Entries,
    /// Hashes at a level: `tile/<L>/<N>`. Level 0 holds leaf hashes; a hash at level `L` is the
    /// root over `256^L` leaves.
    Hashes(u8),
}

impl Content {
    /// Leaves under one item of such a tile: `256^L`, and 1 for an entry.
    ///
    /// # Panics
    ///
    /// If the level is 8 or more: a 64-bit size has no such level.
    pub fn leaves_per_item(self) -> u64 {
        match self {
            Self::Entries => 1,
            Self::Hashes(level) => {
                assert!(usize::from(level) < TILE_LEVEL_COUNT, "a 64-bit size has 8 levels");
                1 << (8 * u32::from(level))
            }
        }
    }
}

/// A tile or an entry bundle: what it holds, which one, and how many items wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    content: Content,
    index: u64,
    width: u16,
}

impl Tile {
    /// The tile of `width` items, 1 to 256, at `index` among those of its content.
    ///
    /// # Panics
    ///
    /// If the width is not between 1 and 256.
    pub fn new(content: Content, index: u64, width: usize) -> Self {
        assert!((1..=TILE_WIDTH).contains(&width), "tiles hold 1 to 256 items");
        Self { content, index, width: width as u16 }
    }

    /// The full tile at `index`.
    pub fn full(content: Content, index: u64) -> Self {
        Self::new(content, index, TILE_WIDTH)
    }

    /// What it holds.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Which one of its content it is.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Items in it, 1 to 256.
    pub fn width(&self) -> usize {
        usize::from(self.width)
    }

    /// Whether it is 256 items wide.
    pub fn is_full(&self) -> bool {
        self.width() == TILE_WIDTH
    }

    /// The first entry under the item at `position` of this tile.
    pub fn first_entry(&self, position: usize) -> u64 {
        (self.index * TILE_WIDTH as u64 + position as u64) * self.content.leaves_per_item()
    }

    /// Whether a log of `size` entries determines every item of this tile.
    pub fn is_within(&self, size: u64) -> bool {
        let items = size / self.content.leaves_per_item();
        let index_max = u64::MAX / TILE_WIDTH as u64;
        self.index < index_max && self.index * TILE_WIDTH as u64 + u64::from(self.width) <= items
    }

    /// The tile of this content that a log of `size` entries has at `index`: full, partial (C2SP
    /// tlog-tiles, "Partial Tiles": `floor(s / 256^l) mod 256` items), or none.
    pub fn of_size(content: Content, index: u64, size: u64) -> TileOfSize {
        let items = size / content.leaves_per_item();
        let full_count = items / TILE_WIDTH as u64;
        let partial_width = (items % TILE_WIDTH as u64) as usize;
        if index < full_count {
            TileOfSize::Tile(Self::full(content, index))
        } else if index == full_count && partial_width > 0 {
            TileOfSize::Tile(Self::new(content, index, partial_width))
        } else {
            TileOfSize::Beyond
        }
    }

    /// The path below the folder that is served, with `/` between its parts.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// Reads a path that [`Tile::path`] could have written. There is one spelling of each tile.
    pub fn parse(path: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::malformed("a tile path", format!("`{path}`: {why}"));
        let rest = path.strip_prefix("tile/").ok_or_else(|| wrong("it does not begin `tile/`"))?;
        let (content, rest) = rest.split_once('/').ok_or_else(|| wrong("it has no index"))?;
        let content = match content {
            "entries" => Content::Entries,
            level => {
                let level = decimal(level).ok_or_else(|| wrong("its level is no number"))?;
                if level >= TILE_LEVEL_COUNT as u64 {
                    return Err(wrong("its level is more than a 64-bit size has"));
                }
                Content::Hashes(level as u8)
            }
        };
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((index, width)) => {
                let width = decimal(width)
                    .filter(|width| (1..TILE_WIDTH as u64).contains(width))
                    .ok_or_else(|| wrong("its width is not 1 to 255"))?;
                (index, width as usize)
            }
        };
        let index = parse_index(index).ok_or_else(|| wrong("its index is misspelt"))?;
        Ok(Self::new(content, index, width))
    }
}

/// Whether a log of some size has a tile at some index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileOfSize {
    /// It has this one.
    Tile(Tile),
    /// The index lies beyond the size.
    Beyond,
}

impl fmt::Display for Tile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Entries => formatter.write_str("tile/entries/")?,
            Content::Hashes(level) => write!(formatter, "tile/{level}/")?,
        }
        write_index(formatter, self.index)?;
        if !self.is_full() {
            write!(formatter, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// `1234067` as `x001/x234/067` (C2SP tlog-tiles, "Merkle Tree").
fn write_index(formatter: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index >= 1000 {
        write_upper(formatter, index / 1000)?;
    }
    write!(formatter, "{:03}", index % 1000)
}

fn write_upper(formatter: &mut fmt::Formatter<'_>, upper: u64) -> fmt::Result {
    if upper >= 1000 {
        write_upper(formatter, upper / 1000)?;
    }
    formatter.write_char('x')?;
    write!(formatter, "{:03}/", upper % 1000)
}

fn parse_index(text: &str) -> Option<u64> {
    let mut index: u64 = 0;
    let mut parts = text.split('/').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let digits = match parts.peek() {
            Some(_) => part.strip_prefix('x')?,
            None => part,
        };
        if digits.len() != 3 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let group: u64 = digits.parse().ok()?;
        if first && group == 0 && parts.peek().is_some() {
            return None; // `x000/001` would be a second spelling of `001`
        }
        first = false;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    Some(index)
}

/// A decimal number in its one spelling: ASCII digits, no leading zero except for `0` itself.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = !text.is_empty()
        && text.bytes().all(|digit| digit.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(index: u64) -> String {
        Tile::full(Content::Hashes(0), index).path()
    }

    #[test]
    fn index_paths_of_the_specification() {
        assert_eq!(path_of(1_234_067), "tile/0/x001/x234/067");
        assert_eq!(path_of(0), "tile/0/000");
        assert_eq!(path_of(999), "tile/0/999");
        assert_eq!(path_of(1000), "tile/0/x001/000");
        assert_eq!(path_of(u64::MAX), "tile/0/x018/x446/x744/x073/x709/x551/615");
        assert_eq!(Tile::new(Content::Entries, 273, 112).path(), "tile/entries/273.p/112");
    }

    #[test]
    fn misspelt_paths_are_refused() {
        for path in [
            "tile/0/x000/001",
            "tile/0/1",
            "tile/0/x001/x001",
            "tile/00/001",
            "tile/8/000",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p/",
            "tile/0/",
            "tile/+1/000",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "0/000",
            "tile/0",
            "tile/entries/x01/000",
            "tile/0/0a1",
        ] {
            assert!(Tile::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn sizes_beyond_the_index_range_do_not_overflow() {
        let tile = Tile::full(Content::Hashes(0), u64::MAX);
        assert!(!tile.is_within(u64::MAX));
    }
}
