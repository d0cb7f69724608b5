//! SHA-256 as RFC 6962 uses it: leaves, interior nodes, and whole rows of both at once.
//!
//! The rows matter for speed. One SHA-256 is a chain in which each round waits for the last, so a
//! processor with SHA instructions idles half of the time. Rows are therefore hashed in lanes:
//! one block of each of several independent messages in turn, on blocks that are padded once.
//! Measured on the machine of `docs/benchmarks.md`: 1.8 GB/s for one chain, 2.5 GB/s in lanes.

use std::fmt;
use std::slice;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};

use crate::bundle::Span;
use crate::error::Error;
use crate::limits::HASH_BYTES;

/// Prefix of a leaf before hashing (RFC 6962, section 2.1).
const LEAF_PREFIX: u8 = 0x00;
/// Prefix of an interior node before hashing (RFC 6962, section 2.1).
const NODE_PREFIX: u8 = 0x01;
/// Initial value of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];
const BLOCK_BYTES: usize = 64;
/// Messages in flight for leaves; more did not measure faster.
const LEAF_LANES: usize = 4;
/// Messages in flight for interior nodes.
const NODE_LANES: usize = 8;
/// An interior node is 1 + 32 + 32 = 65 bytes: this many bits close its second block.
const NODE_BITS: u16 = 65 * 8;

/// A SHA-256 hash: of a leaf, of an interior node, of a tree, or of a blob.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The root of the empty tree, SHA-256 of the empty string (RFC 6962, section 2.1).
    pub const EMPTY_TREE: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9,
        0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52,
        0xb8, 0x55,
    ]);

    /// A hash from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// SHA-256 of `bytes`, with no prefix. This is how blobs are named.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The base64 form used in checkpoints and proofs: 44 characters with one `=`.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// Reads the base64 form. Only the canonical spelling is accepted.
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        let bytes = decode_base64(text, "a hash")?;
        <[u8; HASH_BYTES]>::try_from(bytes).map(Self).map_err(|bytes| {
            Error::malformed("a hash", format!("it has {} bytes, not {HASH_BYTES}", bytes.len()))
        })
    }

    /// Reads 64 lower-case hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::malformed("a hash", format!("`{text}` is not 64 lower-case hexadecimal digits"))
        };
        if text.len() != 2 * HASH_BYTES {
            return Err(wrong());
        }
        let mut bytes = [0; HASH_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
            let high = hex_digit(pair[0]).ok_or_else(wrong)?;
            let low = hex_digit(pair[1]).ok_or_else(wrong)?;
            *byte = (high << 4) | low;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Hash {
    /// Lower-case hexadecimal, as `sha256sum` prints it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hash({self})")
    }
}

/// The value of one lower-case hexadecimal digit, so that there is one spelling of each number.
pub(crate) fn hex_digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Decodes canonical standard base64: padding present, unused bits zero. There is then exactly one
/// text for given bytes, and so any altered character alters the bytes or is refused.
pub(crate) fn decode_base64(text: &str, what: &'static str) -> Result<Vec<u8>, Error> {
    STANDARD
        .decode(text)
        .map_err(|error| Error::malformed(what, format!("its base64 is wrong: {error}")))
}

/// Hash of a leaf: `SHA-256(0x00 || entry)` (RFC 6962, section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([LEAF_PREFIX]);
    hasher.update(entry);
    Hash(hasher.finalize().into())
}

/// Hash of an interior node: `SHA-256(0x01 || left || right)` (RFC 6962, section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut pair = [0; 2 * HASH_BYTES];
    pair[..HASH_BYTES].copy_from_slice(&left.0);
    pair[HASH_BYTES..].copy_from_slice(&right.0);
    let mut blocks = NODE_BLOCKS;
    fill_node_blocks(&mut blocks, &pair);
    let mut state = INITIAL;
    compress256(&mut state, &blocks);
    Hash(to_bytes(&state))
}

/// Appends the leaf hash of each entry of a bundle to `hashes`.
///
/// A leaf is hashed with one byte in front of it. In a bundle the byte in front of an entry is the
/// low byte of its length, so it is set to the prefix during the hashing, which spares a copy of
/// every entry, and restored afterwards: `bundle` is unchanged on return.
pub(crate) fn leaf_hashes(bundle: &mut [u8], spans: &[Span], hashes: &mut Vec<u8>) {
    let mut closings = [[[0; BLOCK_BYTES]; 2]; LEAF_LANES];
    for group in spans.chunks(LEAF_LANES) {
        for span in group {
            bundle[span.start() - 1] = LEAF_PREFIX;
        }
        leaf_lanes(bundle, group, &mut closings, hashes);
        for span in group {
            bundle[span.start() - 1] = span.length_low_byte();
        }
    }
}

fn leaf_lanes(
    bundle: &[u8],
    group: &[Span],
    closings: &mut [[[u8; BLOCK_BYTES]; 2]; LEAF_LANES],
    hashes: &mut Vec<u8>,
) {
    let mut states = [INITIAL; LEAF_LANES];
    let mut wholes: [&[[u8; BLOCK_BYTES]]; LEAF_LANES] = [&[]; LEAF_LANES];
    let mut closing_counts = [0; LEAF_LANES];
    let mut shared = usize::MAX;
    for (lane, span) in group.iter().enumerate() {
        let message = &bundle[span.start() - 1..span.end()];
        let (whole, rest) = message.as_chunks::<BLOCK_BYTES>();
        wholes[lane] = whole;
        shared = shared.min(whole.len());
        closing_counts[lane] = close(rest, message.len() as u64 * 8, &mut closings[lane]);
    }
    for block in 0..shared {
        for (state, whole) in states.iter_mut().zip(&wholes).take(group.len()) {
            compress256(state, slice::from_ref(&whole[block]));
        }
    }
    for lane in 0..group.len() {
        if wholes[lane].len() > shared {
            compress256(&mut states[lane], &wholes[lane][shared..]);
        }
    }
    for lane in 0..group.len() {
        compress256(&mut states[lane], &closings[lane][..1]);
    }
    for lane in 0..group.len() {
        if closing_counts[lane] == 2 {
            compress256(&mut states[lane], &closings[lane][1..]);
        }
    }
    for state in &states[..group.len()] {
        hashes.extend_from_slice(&to_bytes(state));
    }
}

/// Pads the last bytes of a message (FIPS 180-4, section 5.1.1): a one bit, zeros, the length.
/// Returns the number of blocks used; what was in them before does not matter.
fn close(rest: &[u8], message_bits: u64, blocks: &mut [[u8; BLOCK_BYTES]; 2]) -> usize {
    let count = if rest.len() + 1 + 8 <= BLOCK_BYTES { 1 } else { 2 };
    let used = blocks[..count].as_flattened_mut();
    let length_at = used.len() - 8;
    used[..rest.len()].copy_from_slice(rest);
    used[rest.len()] = 0x80;
    used[rest.len() + 1..length_at].fill(0);
    used[length_at..].copy_from_slice(&message_bits.to_be_bytes());
    count
}

/// Halves a row of hashes in place: afterwards hash `i` of the first half of `row` is the interior
/// node over what were hashes `2i` and `2i + 1`.
///
/// Writing stays behind reading, because pair `i` is read from `64 i` and written to `32 i`.
fn halve(row: &mut [u8]) {
    let pairs = row.len() / (2 * HASH_BYTES);
    let mut blocks = [NODE_BLOCKS; NODE_LANES];
    let mut first = 0;
    while first < pairs {
        let lanes = NODE_LANES.min(pairs - first);
        let mut states = [INITIAL; NODE_LANES];
        let group = &row[first * 2 * HASH_BYTES..];
        for (blocks, pair) in blocks.iter_mut().zip(group.as_chunks().0).take(lanes) {
            fill_node_blocks(blocks, pair);
        }
        for lane in 0..lanes {
            compress256(&mut states[lane], &blocks[lane][..1]);
        }
        for lane in 0..lanes {
            compress256(&mut states[lane], &blocks[lane][1..]);
        }
        for (lane, state) in states[..lanes].iter().enumerate() {
            let at = (first + lane) * HASH_BYTES;
            row[at..at + HASH_BYTES].copy_from_slice(&to_bytes(state));
        }
        first += lanes;
    }
}

/// Root of a perfect tree whose leaves (or lower roots) are the hashes in `row`. The row is used as
/// working space and holds nothing of meaning afterwards.
pub(crate) fn perfect_root(row: &mut [u8]) -> Hash {
    assert!(!row.is_empty() && row.len().is_multiple_of(HASH_BYTES), "a row of whole hashes");
    assert!((row.len() / HASH_BYTES).is_power_of_two(), "a perfect tree has a power of two leaves");
    let mut length = row.len();
    while length > HASH_BYTES {
        halve(&mut row[..length]);
        length /= 2;
    }
    Hash(*row.first_chunk().expect("the row holds at least one hash"))
}

/// The two padded blocks of `0x01 || left || right`, with zeros for the hashes.
const NODE_BLOCKS: [[u8; BLOCK_BYTES]; 2] = {
    let mut blocks = [[0; BLOCK_BYTES]; 2];
    blocks[0][0] = NODE_PREFIX;
    blocks[1][1] = 0x80;
    let [high, low] = NODE_BITS.to_be_bytes();
    blocks[1][BLOCK_BYTES - 2] = high;
    blocks[1][BLOCK_BYTES - 1] = low;
    blocks
};

fn fill_node_blocks(blocks: &mut [[u8; BLOCK_BYTES]; 2], pair: &[u8; 2 * HASH_BYTES]) {
    blocks[0][1..].copy_from_slice(&pair[..BLOCK_BYTES - 1]);
    blocks[1][0] = pair[BLOCK_BYTES - 1];
}

fn to_bytes(state: &[u32; 8]) -> [u8; HASH_BYTES] {
    let mut bytes = [0; HASH_BYTES];
    for (chunk, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle;

    /// Lengths around every block boundary: rows must agree with the plain library call.
    #[test]
    fn rows_agree_with_one_hash_at_a_time() {
        let mut encoded = Vec::new();
        let entries: Vec<Vec<u8>> = (0..300_usize)
            .map(|length| (0..length).map(|at| (at * 7 + length) as u8).collect())
            .collect();
        for entry in &entries {
            bundle::push(&mut encoded, entry);
        }
        let mut spans = Vec::new();
        bundle::spans(&encoded, &mut spans).unwrap();
        let before = encoded.clone();
        let mut hashes = Vec::new();
        leaf_hashes(&mut encoded, &spans, &mut hashes);
        assert_eq!(encoded, before, "the bundle is restored");
        for (entry, hash) in entries.iter().zip(hashes.as_chunks::<HASH_BYTES>().0) {
            assert_eq!(leaf_hash(entry).as_bytes(), hash);
        }
    }

    #[test]
    fn perfect_root_agrees_with_node_hash() {
        for power in 0..9 {
            let mut level: Vec<Hash> =
                (0..1_usize << power).map(|at| leaf_hash(&[at as u8])).collect();
            let mut row: Vec<u8> = level.iter().flat_map(|hash| *hash.as_bytes()).collect();
            while level.len() > 1 {
                level = level.chunks(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
            }
            assert_eq!(perfect_root(&mut row), level[0]);
        }
    }

    #[test]
    fn text_forms_round_trip_and_are_strict() {
        let hash = Hash::of(b"x");
        assert_eq!(Hash::from_hex(&hash.to_string()).unwrap(), hash);
        assert_eq!(Hash::from_base64(&hash.to_base64()).unwrap(), hash);
        assert!(Hash::from_hex(&hash.to_string().to_uppercase()).is_err());
        assert!(Hash::from_hex("ab").is_err());
        assert!(Hash::from_base64("AAAA").is_err());
        assert_eq!(Hash::of(b""), Hash::EMPTY_TREE);
    }
}
