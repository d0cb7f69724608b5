//! Cuts a stream into the records of a delimited table, in bounded memory and
//! without ever losing its place.
//!
//! RFC 4180 with the tolerance of real files. A quotation mark that is never
//! closed costs one line, not the rest of the file; a line without end is
//! skipped without being held in memory.

use std::io::{self, Read};

use crate::limits::{BLOCK_BYTES, RECORD_BYTES_MAX};

/// One record: a row of the table, as bytes, without its line end.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its bytes, with quotation marks, without the final line end.
    pub(crate) bytes: &'a [u8],
    /// True if quotation marks occur in it.
    pub(crate) quoted: bool,
    /// Length of its first line, if it has several.
    pub(crate) first_line_bytes: Option<usize>,
}

/// What the next piece of the stream is.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// A record.
    Record(Record<'a>),
    /// A line longer than a record may be; it was skipped.
    TooLong {
        /// The line, from 1.
        line: u64,
        /// Its first bytes.
        head: &'a [u8],
    },
}

/// Cuts `R` into records.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: R,
    buffer: Vec<u8>,
    /// Where the next record starts in the buffer.
    start: usize,
    /// Where the last record ended, line end included.
    last: std::ops::Range<usize>,
    /// Line on which the next record starts.
    line: u64,
    last_line: u64,
    bytes_read: u64,
    at_end: bool,
    /// Whether a quotation mark can carry a record over a line end.
    quotes_span_lines: bool,
}

impl<R: Read> Records<R> {
    /// Starts at the beginning of the stream; a byte-order mark is passed over.
    pub(crate) fn new(input: R) -> io::Result<Self> {
        let mut records = Self {
            input,
            buffer: Vec::with_capacity(BLOCK_BYTES),
            start: 0,
            last: 0..0,
            line: 1,
            last_line: 1,
            bytes_read: 0,
            at_end: false,
            quotes_span_lines: true,
        };
        while records.buffer.len() < 16 && !records.at_end {
            records.fill()?;
        }
        if records.buffer.starts_with(b"\xef\xbb\xbf") {
            records.start = 3;
        }
        Ok(records)
    }

    /// Every line is a record, whatever quotation marks stand in it.
    #[must_use]
    pub(crate) fn line_by_line(mut self) -> Self {
        self.quotes_span_lines = false;
        self
    }

    /// The first bytes of the stream, before any record is taken.
    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[..self.buffer.len().min(4096)]
    }

    /// Bytes taken from the stream so far, for a progress display.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Gives back all but the first line of the record that was just taken.
    pub(crate) fn keep_first_line_only(&mut self) {
        let taken = &self.buffer[self.last.clone()];
        let first = memchr::memchr(b'\n', taken).map_or(taken.len(), |at| at + 1);
        self.start = self.last.start + first;
        self.line = self.last_line + 1;
    }

    /// The next piece; `None` at the end. Empty lines are passed over.
    #[allow(clippy::should_implement_trait)] // it lends from its buffer
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece<'_>>> {
        loop {
            let Some(found) = self.find_record()? else { return Ok(None) };
            match found {
                Found::Empty => {}
                Found::Record { end, next, quoted, lines } => {
                    let start = self.start;
                    self.last = start..next;
                    self.last_line = self.line;
                    self.start = next;
                    self.line += lines;
                    let bytes = &self.buffer[start..end];
                    let first_line_bytes =
                        (lines > 1).then(|| memchr::memchr(b'\n', bytes)).flatten();
                    return Ok(Some(Piece::Record(Record {
                        line: self.last_line,
                        bytes,
                        quoted,
                        first_line_bytes,
                    })));
                }
                Found::TooLong => {
                    let line = self.line;
                    self.buffer.drain(..self.start);
                    self.start = 0;
                    let head = self.buffer[..self.buffer.len().min(1024)].to_vec();
                    self.skip_line()?;
                    // The head is put where it can be lent from.
                    self.buffer.splice(..self.start, head.iter().copied());
                    self.start = head.len();
                    return Ok(Some(Piece::TooLong { line, head: &self.buffer[..self.start] }));
                }
            }
        }
    }

    fn find_record(&mut self) -> io::Result<Option<Found>> {
        let mut scanned = self.start;
        let mut quotes = 0;
        let mut lines = 0;
        loop {
            let newline = loop {
                if let Some(at) = memchr::memchr(b'\n', &self.buffer[scanned..]) {
                    break Some(scanned + at);
                }
                if self.at_end {
                    break None;
                }
                if self.buffer.len() - self.start > RECORD_BYTES_MAX {
                    return Ok(Some(self.too_long(lines)));
                }
                let offset = scanned - self.start;
                self.fill()?;
                scanned = self.start + offset;
            };
            let end = newline.unwrap_or(self.buffer.len());
            quotes += quotation_marks(&self.buffer[scanned..end]);
            lines += 1;
            let next = newline.map_or(end, |at| at + 1);
            if newline.is_none() && self.start == end {
                return Ok(None);
            }
            let content_end =
                if end > self.start && self.buffer[end - 1] == b'\r' { end - 1 } else { end };
            if quotes % 2 == 0 || newline.is_none() || !self.quotes_span_lines {
                if lines == 1 && self.buffer[self.start..content_end].trim_ascii().is_empty() {
                    self.start = next;
                    self.line += 1;
                    return Ok(if newline.is_none() { None } else { Some(Found::Empty) });
                }
                return Ok(Some(Found::Record {
                    end: content_end,
                    next,
                    quoted: quotes > 0,
                    lines,
                }));
            }
            if next - self.start > RECORD_BYTES_MAX {
                return Ok(Some(self.too_long(lines)));
            }
            scanned = next;
        }
    }

    /// The record does not end in time. If its first line does, that line is
    /// taken alone: a quotation mark in it was never closed.
    fn too_long(&self, lines: u64) -> Found {
        if lines == 0 {
            return Found::TooLong;
        }
        let first = memchr::memchr(b'\n', &self.buffer[self.start..]).expect("a line was counted");
        let end = self.start + first;
        let content_end = if first > 0 && self.buffer[end - 1] == b'\r' { end - 1 } else { end };
        Found::Record { end: content_end, next: end + 1, quoted: true, lines: 1 }
    }

    /// Passes over the rest of the current line without keeping it.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..]) {
                self.start += at + 1;
                self.line += 1;
                return Ok(());
            }
            self.start = self.buffer.len();
            if self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// Drops what is done with and reads one more block.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + BLOCK_BYTES, 0);
        let got = loop {
            match self.input.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let count = *got.as_ref().unwrap_or(&0);
        self.buffer.truncate(old + count);
        self.bytes_read += count as u64;
        got?;
        self.at_end = count == 0;
        Ok(())
    }
}

/// Most rows have none, so the first one is looked for before counting.
fn quotation_marks(line: &[u8]) -> usize {
    match memchr::memchr(b'"', line) {
        None => 0,
        Some(first) => 1 + memchr::memchr_iter(b'"', &line[first + 1..]).count(),
    }
}

enum Found {
    Empty,
    Record { end: usize, next: usize, quoted: bool, lines: u64 },
    TooLong,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(text: &[u8]) -> Vec<(u64, String)> {
        let mut records = Records::new(text).unwrap();
        let mut out = Vec::new();
        while let Some(piece) = records.next().unwrap() {
            out.push(match piece {
                Piece::Record(record) => {
                    (record.line, String::from_utf8_lossy(record.bytes).into_owned())
                }
                Piece::TooLong { line, head } => {
                    (line, format!("<too long, {} bytes of head>", head.len()))
                }
            });
        }
        out
    }

    #[test]
    fn rows_and_their_lines() {
        assert_eq!(
            all(b"a,b\r\n1,2\n\n  \n3,4"),
            [(1, "a,b".into()), (2, "1,2".into()), (5, "3,4".into())]
        );
        assert_eq!(all(b""), []);
        assert_eq!(all(b"\n\n"), []);
        assert_eq!(all("\u{feff}a\n".as_bytes()), [(1, "a".into())]);
    }

    #[test]
    fn quoted_line_breaks_belong_to_the_record() {
        assert_eq!(
            all(b"a\n\"x\ny\",2\nz\n"),
            [(1, "a".into()), (2, "\"x\ny\",2".into()), (4, "z".into())]
        );
    }

    #[test]
    fn the_first_line_can_be_taken_alone() {
        let mut records = Records::new(&b"5\" gun,1\nb,2\nc,3\n"[..]).unwrap();
        let Some(Piece::Record(record)) = records.next().unwrap() else { panic!() };
        assert_eq!(record.first_line_bytes, Some(8));
        records.keep_first_line_only();
        let Some(Piece::Record(record)) = records.next().unwrap() else { panic!() };
        assert_eq!((record.line, record.bytes), (2, &b"b,2"[..]));
    }

    #[test]
    fn a_line_without_end_is_skipped_in_bounded_memory() {
        // 64 MiB of one line from a generator, then a good one.
        let long = io::repeat(b'x').take(64 << 20);
        let mut records = Records::new((&b"h\n"[..]).chain(long).chain(&b"\ngood\n"[..])).unwrap();
        assert!(matches!(records.next().unwrap(), Some(Piece::Record(_))));
        assert!(
            matches!(records.next().unwrap(), Some(Piece::TooLong { line: 2, head }) if head.len() == 1024)
        );
        let Some(Piece::Record(record)) = records.next().unwrap() else { panic!() };
        assert_eq!((record.line, record.bytes), (3, &b"good"[..]));
        assert!(records.next().unwrap().is_none());
        assert!(records.buffer.capacity() < 4 << 20, "{}", records.buffer.capacity());
    }

    #[test]
    fn an_open_quotation_mark_costs_one_line() {
        let mut text = b"a,b\n\"never closed,1\n".to_vec();
        for row in 0..200_000 {
            text.extend_from_slice(format!("row {row},2\n").as_bytes());
        }
        let rows = all(&text);
        assert_eq!(rows.len(), 200_002);
        assert_eq!(rows[1], (2, "\"never closed,1".into()));
        assert_eq!(rows[2], (3, "row 0,2".into()));
    }

    /// A reader that gives a few bytes at a time.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(out.len()).min(self.0.len());
            out[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    proptest! {
        #[test]
        fn how_the_bytes_arrive_does_not_matter(text in "[a,\"\n\r ]{0,60}", step in 1usize..5) {
            let mut records = Records::new(Dribble(text.as_bytes(), step)).unwrap();
            let mut slow = Vec::new();
            while let Some(Piece::Record(record)) = records.next().unwrap() {
                slow.push((record.line, String::from_utf8_lossy(record.bytes).into_owned()));
            }
            prop_assert_eq!(slow, all(text.as_bytes()));
        }

        #[test]
        fn no_byte_of_a_row_is_lost(rows in proptest::collection::vec("[a-z,]{1,20}", 0..30)) {
            let text = rows.join("\n");
            let found: Vec<String> = all(text.as_bytes()).into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(found, rows);
        }
    }
}
