//! Bounds on everything that comes from outside, with the arithmetic.

/// Longest record (one row, quoted line breaks included), bytes.
///
/// The longest real row seen is 4 kB. 1 MiB leaves room for whole articles and
/// keeps a reader's buffer, which holds one record and one block, under 1.5 MiB
/// whatever the file holds.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Block read at once, bytes.
pub const BLOCK_BYTES: usize = 256 << 10;

/// Most columns of a table.
pub const COLUMNS_MAX: usize = 1_000;

/// Largest text that must be read as a whole (`GeoJSON`, reference tables),
/// bytes. National boundaries at full detail are about 40 MB.
pub const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// Largest JSON document that is a list of objects, bytes: its parsed form takes
/// some ten times as much. A detection of an array has 400 bytes.
pub const LIST_BYTES_MAX: u64 = 64 << 20;

/// Longest piece of a bad row that is kept as an excerpt, characters.
pub const EXCERPT_CHARS_MAX: usize = 160;
