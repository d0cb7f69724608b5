//! The journal of acknowledged entries that are not under a checkpoint yet.
//!
//! `journal/pending` is a sequence of frames; one commit writes one frame, then one `fdatasync`:
//!
//! ```text
//! offset  bytes
//!      0      8  magic "TLJRNL" and version 0x0001
//!      8      8  index of the first entry                       big-endian
//!     16      4  number of entries                              big-endian
//!     20      4  length of the body in bytes                    big-endian
//!     24      8  header check: first 8 bytes of SHA-256 over bytes 0 to 24
//!     32      n  body: the entries, encoded as in an entry bundle
//!  32 + n    32  SHA-256 over header and body
//! ```
//!
//! The header has a check of its own so that an altered length is not taken for a torn end. Only
//! the last frame can be torn, because every earlier one was synchronised before the next was
//! begun. So what stands at the end is one of: nothing, a frame cut short (dropped, it was never
//! acknowledged), or a frame of full length that is wrong (dropped too, but its bytes are kept
//! aside). A wrong frame with a sound one after it cannot come from a crash; it is refused.

use std::io;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::bundle::{self, Span};
use crate::error::Error;
use crate::limits::{
    ENTRY_BYTES_MAX, ENTRY_PREFIX_BYTES, FRAME_BODY_BYTES_MAX, FRAME_ENTRY_COUNT_MAX,
    FRAME_HEADER_BYTES, FRAME_TRAILER_BYTES, STREAM_BUFFER_BYTES,
};
use crate::medium::{Medium, Tail};

const MAGIC: [u8; 8] = *b"TLJRNL\x00\x01";
/// Bytes of the header that its check covers.
const CHECKED_BYTES: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) body_bytes: u32,
}

impl Header {
    fn encode(self) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&self.first.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.body_bytes.to_be_bytes());
        let check = Sha256::digest(&bytes[..CHECKED_BYTES]);
        bytes[CHECKED_BYTES..].copy_from_slice(&check[..FRAME_HEADER_BYTES - CHECKED_BYTES]);
        bytes
    }

    /// Reads a header; anything but what [`Header::encode`] writes within the limits is refused.
    fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Result<Self, &'static str> {
        let field = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let header = Self {
            first: u64::from(field(8)) << 32 | u64::from(field(12)),
            count: field(16),
            body_bytes: field(20),
        };
        if *bytes != header.encode() {
            return Err("its header does not match its check");
        }
        let within = header.body_bytes as usize <= FRAME_BODY_BYTES_MAX
            && (1..=FRAME_ENTRY_COUNT_MAX).contains(&header.count)
            && header.first.checked_add(u64::from(header.count)).is_some();
        if within { Ok(header) } else { Err("its header states more than a frame may hold") }
    }

    /// Index after the last entry.
    pub(crate) fn end(self) -> u64 {
        self.first + u64::from(self.count)
    }

    fn frame_bytes(self) -> u64 {
        (FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES) as u64 + u64::from(self.body_bytes)
    }
}

/// The next frame, while entries are staged for it.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Room for the header, then the body.
    bytes: Vec<u8>,
    count: u32,
}

impl Staged {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; FRAME_HEADER_BYTES], count: 0 }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.bytes.len() - FRAME_HEADER_BYTES
    }

    /// Whether an entry of this length fits into the frame.
    pub(crate) fn takes(&self, entry_bytes: usize) -> bool {
        self.count < FRAME_ENTRY_COUNT_MAX
            && self.body_bytes() + ENTRY_PREFIX_BYTES + entry_bytes <= FRAME_BODY_BYTES_MAX
    }

    pub(crate) fn push(&mut self, entry: &[u8]) {
        assert!(entry.len() <= ENTRY_BYTES_MAX && self.takes(entry.len()), "the caller asks first");
        bundle::push(&mut self.bytes, entry);
        self.count += 1;
    }

    /// The finished frame. [`Staged::finished_body`] gives the body afterwards.
    pub(crate) fn finish(&mut self, first: u64) -> &[u8] {
        let header =
            Header { first, count: self.count, body_bytes: self.body_bytes() as u32 }.encode();
        self.bytes[..FRAME_HEADER_BYTES].copy_from_slice(&header);
        let trailer = Sha256::digest(&self.bytes);
        self.bytes.extend_from_slice(&trailer);
        &self.bytes
    }

    /// The encoded entries of a finished frame.
    pub(crate) fn finished_body(&self) -> &[u8] {
        &self.bytes[FRAME_HEADER_BYTES..self.bytes.len() - FRAME_TRAILER_BYTES]
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(FRAME_HEADER_BYTES, 0);
        self.count = 0;
    }
}

/// What stands at some offset of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A sound frame; its body and the places of its entries are in the [`Walk`].
    Frame(Header),
    /// The file ends with the last frame.
    End,
    /// The file ends inside a frame.
    Torn { length_bytes: u64 },
    /// A frame that is wrong though nothing of it is missing.
    Damaged(Damage),
}

/// A frame that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) why: &'static str,
    /// Bytes from the start of the frame to the end of the file.
    pub(crate) rest_bytes: u64,
    /// Length of the frame if its header can be believed.
    pub(crate) extent: Extent,
}

/// How far a damaged frame reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Bytes(u64),
    /// The header is wrong, so its length is not known.
    Unknown,
}

/// Reads a journal frame by frame, in memory for one frame.
pub(crate) struct Walk<'a, M> {
    medium: &'a M,
    path: &'a Path,
    offset_bytes: u64,
    length_bytes: u64,
    frame: Vec<u8>,
    spans: Vec<Span>,
}

impl<'a, M: Medium> Walk<'a, M> {
    /// Begins at the start. A file that is not there is an empty journal.
    pub(crate) fn start(medium: &'a M, path: &'a Path) -> Result<Self, Error> {
        let length_bytes = match medium.length_bytes(path) {
            Ok(length_bytes) => length_bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(Error::disk("read", path, error)),
        };
        Ok(Self {
            medium,
            path,
            offset_bytes: 0,
            length_bytes,
            frame: Vec::new(),
            spans: Vec::new(),
        })
    }

    /// Where the next frame begins, and after [`Found::Frame`] where the frame after it begins.
    pub(crate) fn offset_bytes(&self) -> u64 {
        self.offset_bytes
    }

    /// The encoded entries of the frame found last.
    pub(crate) fn body(&self) -> &[u8] {
        &self.frame[FRAME_HEADER_BYTES..self.frame.len() - FRAME_TRAILER_BYTES]
    }

    /// The entries of the frame found last.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.spans.iter().map(|span| &self.body()[span.range()])
    }

    /// Looks at what stands at the present offset, and passes it if it is a sound frame.
    pub(crate) fn step(&mut self) -> Result<Found, Error> {
        let rest_bytes = self.length_bytes - self.offset_bytes;
        if rest_bytes == 0 {
            return Ok(Found::End);
        }
        let found = self.look(self.offset_bytes)?;
        if let Found::Frame(header) = found {
            self.offset_bytes += header.frame_bytes();
        }
        Ok(found)
    }

    fn look(&mut self, offset_bytes: u64) -> Result<Found, Error> {
        let rest_bytes = self.length_bytes - offset_bytes;
        let damaged = |why, extent| Ok(Found::Damaged(Damage { why, rest_bytes, extent }));
        let mut header = [0; FRAME_HEADER_BYTES];
        if self.read(offset_bytes, &mut header)? < FRAME_HEADER_BYTES {
            return Ok(Found::Torn { length_bytes: rest_bytes });
        }
        let header = match Header::decode(&header) {
            Ok(header) => header,
            Err(why) => return damaged(why, Extent::Unknown),
        };
        let frame_bytes = header.frame_bytes();
        if rest_bytes < frame_bytes {
            return Ok(Found::Torn { length_bytes: rest_bytes });
        }
        let mut frame = std::mem::take(&mut self.frame);
        frame.resize(frame_bytes as usize, 0);
        let read_bytes = self.read(offset_bytes, &mut frame)?;
        self.frame = frame;
        if (read_bytes as u64) < frame_bytes {
            return Ok(Found::Torn { length_bytes: rest_bytes }); // cut while it was being read
        }
        let extent = Extent::Bytes(frame_bytes);
        let (checked, trailer) = self.frame.split_at(self.frame.len() - FRAME_TRAILER_BYTES);
        if Sha256::digest(checked)[..] != *trailer {
            return damaged("its SHA-256 is wrong", extent);
        }
        let body = &checked[FRAME_HEADER_BYTES..];
        if bundle::spans(body, &mut self.spans).is_err()
            || self.spans.len() != header.count as usize
        {
            return damaged("its entries do not fill it", extent);
        }
        Ok(Found::Frame(header))
    }

    /// Whether a sound frame with plausible indices stands anywhere after a damaged one at the
    /// present offset. If so the damage is not the torn end of the last write.
    ///
    /// A frame whose header is unreadable has no known end, so every later offset is tried. Entries
    /// are arbitrary bytes and may imitate a frame; an imitation counts only if its index is within
    /// one frame of the expected one, and errs to the safe side: the journal is refused unchanged.
    pub(crate) fn is_followed(&mut self, damage: Damage, expected: u64) -> Result<bool, Error> {
        let mut from = match damage.extent {
            Extent::Bytes(frame_bytes) => return Ok(damage.rest_bytes > frame_bytes),
            Extent::Unknown => self.offset_bytes + 1,
        };
        let mut window = vec![0; STREAM_BUFFER_BYTES];
        loop {
            let filled = self.read(from, &mut window)?;
            for at in find_magic(&window[..filled]) {
                if let Found::Frame(header) = self.look(from + at as u64)? {
                    let first_max = expected.saturating_add(u64::from(FRAME_ENTRY_COUNT_MAX));
                    if (expected..=first_max).contains(&header.first) {
                        return Ok(true);
                    }
                }
            }
            if filled < window.len() {
                return Ok(false);
            }
            from += (filled - (MAGIC.len() - 1)) as u64;
        }
    }

    /// Hands all bytes from the present offset to the end to `to`, piece by piece.
    pub(crate) fn copy_rest(&self, to: &mut impl Tail, to_path: &Path) -> Result<(), Error> {
        let mut at = self.offset_bytes;
        let mut piece = vec![0; STREAM_BUFFER_BYTES];
        loop {
            let filled = self.read(at, &mut piece)?;
            if filled == 0 {
                return Ok(());
            }
            to.append(&piece[..filled]).map_err(|error| Error::disk("write", to_path, error))?;
            at += filled as u64;
        }
    }

    fn read(&self, offset_bytes: u64, into: &mut [u8]) -> Result<usize, Error> {
        let within = (self.length_bytes - offset_bytes).min(into.len() as u64) as usize;
        self.medium
            .read_at(self.path, offset_bytes, &mut into[..within])
            .map_err(|error| Error::disk("read", self.path, error))
    }
}

fn find_magic(window: &[u8]) -> impl Iterator<Item = usize> {
    window.windows(MAGIC.len()).enumerate().filter(|(_, eight)| *eight == MAGIC).map(|(at, _)| at)
}
