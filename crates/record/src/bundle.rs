//! Entry bundles: each entry as a 16-bit big-endian length and its bytes (C2SP tlog-tiles, "Log
//! entries"). The staged and the waiting entries of a writer are kept in the same encoding, so that
//! an entry is encoded once.

use std::ops::Range;

use crate::error::Error;
use crate::limits::{ENTRY_BYTES_MAX, ENTRY_PREFIX_BYTES, TILE_WIDTH};

/// Where the bytes of one entry lie in encoded entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    length: u16,
}

impl Span {
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn end(self) -> usize {
        self.start as usize + usize::from(self.length)
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start()..self.end()
    }

    pub(crate) fn length_low_byte(self) -> u8 {
        self.length.to_be_bytes()[1]
    }
}

/// Why encoded entries cannot be read: the prefix or the bytes of entry `position` (counted from
/// the start of the encoding) reach beyond the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutOff {
    pub(crate) position: usize,
}

/// Appends one entry to encoded entries.
pub(crate) fn push(encoded: &mut Vec<u8>, entry: &[u8]) {
    let length = u16::try_from(entry.len()).expect("callers refuse entries over ENTRY_BYTES_MAX");
    encoded.extend_from_slice(&length.to_be_bytes());
    encoded.extend_from_slice(entry);
}

/// Finds the entries in `encoded`, replacing the content of `spans`. Every byte must be used.
pub(crate) fn spans(encoded: &[u8], spans: &mut Vec<Span>) -> Result<(), CutOff> {
    spans.clear();
    let mut at = 0;
    while at < encoded.len() {
        let cut_off = CutOff { position: spans.len() };
        let prefix = encoded[at..].first_chunk::<ENTRY_PREFIX_BYTES>().ok_or(cut_off)?;
        let span =
            Span { start: (at + ENTRY_PREFIX_BYTES) as u32, length: u16::from_be_bytes(*prefix) };
        if span.end() > encoded.len() {
            return Err(cut_off);
        }
        at = span.end();
        spans.push(span);
    }
    Ok(())
}

/// Number of bytes that the first `count` entries of `encoded` take, and how many of them there are
/// if `encoded` has fewer. The encoding is one of this crate's own making.
pub(crate) fn prefix_of(encoded: &[u8], count: usize) -> (usize, usize) {
    let mut at = 0;
    let mut found = 0;
    while found < count && at < encoded.len() {
        let high = usize::from(encoded[at]);
        let low = usize::from(encoded[at + 1]);
        at += ENTRY_PREFIX_BYTES + (high << 8 | low);
        found += 1;
    }
    assert!(at <= encoded.len(), "own encodings end with their last entry");
    (at, found)
}

/// Encodes entries as one bundle.
///
/// Refuses more than 256 entries and entries over 65,535 bytes. An empty entry is part of the
/// format and therefore encoded, though [`Writer::append`](crate::Writer::append) refuses it.
pub fn encode(entries: &[&[u8]]) -> Result<Vec<u8>, Error> {
    if entries.len() > TILE_WIDTH {
        return Err(Error::malformed(
            "an entry bundle",
            format!("{} entries are more than {TILE_WIDTH}", entries.len()),
        ));
    }
    let mut encoded = Vec::new();
    for (position, entry) in entries.iter().enumerate() {
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(Error::malformed(
                "an entry bundle",
                format!("entry {position} has {} bytes, more than {ENTRY_BYTES_MAX}", entry.len()),
            ));
        }
        push(&mut encoded, entry);
    }
    Ok(encoded)
}

/// Splits a bundle into its entries.
pub fn decode(bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut found = Vec::new();
    spans(bundle, &mut found).map_err(|CutOff { position }| {
        Error::malformed("an entry bundle", format!("it ends inside entry {position}"))
    })?;
    if found.len() > TILE_WIDTH {
        return Err(Error::malformed(
            "an entry bundle",
            format!("{} entries are more than {TILE_WIDTH}", found.len()),
        ));
    }
    Ok(found.into_iter().map(|span| &bundle[span.range()]).collect())
}
