//! Every bound of this crate, with the arithmetic behind it.
//!
//! Nothing here is a tuning knob: a bound is either fixed by a format or chosen so that the memory
//! of a writer, a reader or a verification can be stated.

/// Hashes in a full tile and entries in a full bundle: tile height 8, so `2^8` (C2SP tlog-tiles).
pub const TILE_WIDTH: usize = 256;

/// Bytes of one SHA-256 hash.
pub const HASH_BYTES: usize = 32;

/// Bytes of a full tile: 256 hashes of 32 bytes = 8,192.
pub const TILE_BYTES: usize = TILE_WIDTH * HASH_BYTES;

/// Bytes of the longest entry: its length prefix in a bundle is 16 bits (C2SP tlog-tiles).
pub const ENTRY_BYTES_MAX: usize = 0xFFFF;

/// Bytes of the length prefix of an entry in a bundle.
pub const ENTRY_PREFIX_BYTES: usize = 2;

/// Bytes of the largest bundle: 256 entries of 65,535 bytes, each with its prefix = 16,777,472.
pub const BUNDLE_BYTES_MAX: usize = TILE_WIDTH * (ENTRY_PREFIX_BYTES + ENTRY_BYTES_MAX);

/// Levels of tiles a log can have: sizes are 64 bits and each level divides by 256, so 8.
pub const TILE_LEVEL_COUNT: usize = 8;

/// Bytes of the header of a journal frame: magic 8, base index 8, entry count 4, body length 4,
/// header check 8.
pub const FRAME_HEADER_BYTES: usize = 32;

/// Bytes after the body of a journal frame: the SHA-256 of header and body.
pub const FRAME_TRAILER_BYTES: usize = HASH_BYTES;

/// Bytes of the entries (with prefixes) that one commit may carry: 32 MiB, which is 10,000 entries
/// of 3.3 kB, or 512 of the longest. One frame is one commit and one write.
pub const FRAME_BODY_BYTES_MAX: usize = 32 << 20;

/// Entries that one commit may carry: 2^20. At 200,000 entries a second this is five seconds.
pub const FRAME_ENTRY_COUNT_MAX: u32 = 1 << 20;

/// Bytes of acknowledged entries that a writer keeps in memory before it writes their full bundles
/// and tiles without waiting for the next checkpoint: 64 MiB, two of the largest frames.
///
/// Memory of a writer: staged frame 32 MiB + waiting entries 64 MiB + incomplete bundle 16 MiB +
/// edge of the tree 8 levels x 8 KiB = 112 MiB, at most twice that while a buffer grows.
pub const WAITING_BYTES_MAX: usize = 64 << 20;

/// Files that may be written between two synchronisations of the folder, so that the list of their
/// paths stays below 1 MiB (about 100 bytes each).
pub const UNSYNCED_FILE_COUNT_MAX: usize = 8192;

/// Bytes of the largest signed note that is read: 128 signatures of up to 5 kB (the largest
/// post-quantum ones, C2SP signed-note) = 640 kB, and the text.
pub const NOTE_BYTES_MAX: usize = 1 << 20;

/// Signature lines a note may carry. The specification asks for 16; a quorum of 35 guarantors with
/// two algorithms each needs 70 and the log's own.
pub const SIGNATURE_COUNT_MAX: usize = 128;

/// Bytes of the longest key name that is accepted in a key or on a signature line.
pub const KEY_NAME_BYTES_MAX: usize = 512;

/// Hashes in the longest inclusion proof: one for each bit of a 64-bit size.
pub const PROOF_HASH_COUNT_MAX: usize = 64;

/// Hashes in the longest consistency proof: one more than the longest path (RFC 6962, 2.1.2).
pub const CONSISTENCY_HASH_COUNT_MAX: usize = PROOF_HASH_COUNT_MAX + 1;

/// Bytes of the largest tlog-proof text that is read: a note, 64 hash lines of 45 bytes, and
/// opaque extra data of up to 1 MiB before base64.
pub const PROOF_TEXT_BYTES_MAX: usize = NOTE_BYTES_MAX + 64 * 45 + (4 << 20) / 3 + 128;

/// Signatures a DSSE envelope may carry.
pub const ENVELOPE_SIGNATURE_COUNT_MAX: usize = 64;

/// Bytes of the buffer through which blobs and the journal are read: 1 MiB.
pub const STREAM_BUFFER_BYTES: usize = 1 << 20;

/// Notes that a verification report keeps word for word; further ones are only counted.
pub const REPORT_NOTE_COUNT_MAX: usize = 1000;

const _: () = assert!(BUNDLE_BYTES_MAX <= FRAME_BODY_BYTES_MAX);
const _: () = assert!(FRAME_BODY_BYTES_MAX <= u32::MAX as usize);
const _: () = assert!(FRAME_BODY_BYTES_MAX <= WAITING_BYTES_MAX);
