//! The rows of a file, whatever its format: a table, lines of JSON, or a
//! feature collection. Rows that do not even have the shape of one are set
//! aside here.

use std::cell::Cell;
use std::io::{self, Read};
use std::ops::Range;
use std::rc::Rc;

use geojson::{Feature, FeatureReader, Geometry};

use crate::limits::{COLUMNS_MAX, DOCUMENT_BYTES_MAX, LIST_BYTES_MAX};
use crate::mapping::{Format, Mapping};
use crate::problem::{Problem, Quarantined, Refused};
use crate::records::{Piece, Records};
use crate::row::{Columns, Header, Row, Splitter};
use crate::sniff;

/// Reads rows from front to back.
pub(crate) enum Rows<'m, R> {
    Table { records: Records<R>, splitter: Box<Splitter>, columns: usize },
    Lines { records: Records<R>, names: Vec<String> },
    List { objects: std::vec::IntoIter<(u64, serde_json::Value)>, read: u64, names: Vec<String> },
    Features { features: Features<'m>, number: u64, read: Rc<Cell<u64>>, names: Vec<String> },
}

type Features<'m> = Box<dyn Iterator<Item = geojson::Result<Feature>> + 'm>;

/// Counts the bytes that pass, and notices when there are too many.
struct Counted<R> {
    input: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        self.read.set(self.read.get() + n as u64);
        if self.read.get() > DOCUMENT_BYTES_MAX {
            let limit =
                format!("the document is larger than {} MiB; split it", DOCUMENT_BYTES_MAX >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
        }
        Ok(n)
    }
}

impl<'m, R: Read + 'm> Rows<'m, R> {
    /// Checks that the file is text of the mapping's format and reads its
    /// header; for formats without one, the mapping's columns stand in.
    pub(crate) fn open(mapping: &Mapping, mut input: R) -> Result<(Self, Header), Refused> {
        match mapping.format {
            Format::Csv => {
                let mut records = Records::new(input)?;
                sniff::expect_text(records.head())?;
                let mut splitter = Splitter::new(mapping.delimiter);
                let header = table_header(&mut records, &mut splitter, mapping)?;
                for (column, reason) in &mapping.refuses {
                    if header.find(&Columns(vec![column.clone()])).is_some() {
                        return Err(Refused::Content(reason.clone()));
                    }
                }
                let columns = header.names().len();
                Ok((Self::Table { records, splitter: Box::new(splitter), columns }, header))
            }
            Format::Jsonl => {
                let records = Records::new(input)?.line_by_line();
                sniff::expect_text(records.head())?;
                let names = mapping.columns();
                Ok((Self::Lines { records, names: names.clone() }, Header::new(names)))
            }
            Format::Json => {
                let (objects, read) = list(input)?;
                let (names, objects) = (mapping.columns(), objects.into_iter());
                let rows = Self::List { objects, read, names: names.clone() };
                Ok((rows, Header::new(names)))
            }
            Format::Topojson => {
                let reason =
                    "a TopoJSON file has no rows; it is read as a whole, for land".to_owned();
                Err(Refused::Content(reason))
            }
            Format::Geojson => {
                let mut head = Vec::with_capacity(512);
                input.by_ref().take(512).read_to_end(&mut head)?;
                sniff::expect_text(&head)?;
                let read = Rc::new(Cell::new(0));
                let whole = io::Cursor::new(head).chain(input);
                let counted = Counted { input: whole, read: Rc::clone(&read) };
                let features: Features<'m> =
                    Box::new(FeatureReader::from_reader(counted).features());
                let names = mapping.columns();
                Ok((
                    Self::Features { features, number: 0, read, names: names.clone() },
                    Header::new(names),
                ))
            }
        }
    }

    /// Bytes taken from the file so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        match self {
            Self::Table { records, .. } | Self::Lines { records, .. } => records.bytes_read(),
            Self::List { read, .. } => *read,
            Self::Features { read, .. } => read.get(),
        }
    }

    /// Makes something of the next row; `None` at the end of the file.
    pub(crate) fn next<T>(
        &mut self,
        make: impl FnOnce(u64, &Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
    ) -> Result<Next<T>, Refused> {
        match self {
            Self::Table { records, splitter, columns } => {
                next_of_table(records, splitter, *columns, make)
            }
            Self::Lines { records, names } => next_line(records, names, make),
            Self::List { objects, names, .. } => {
                Ok(objects.next().map(|(line, value)| next_object(value, line, names, make)))
            }
            Self::Features { features, number, names, .. } => {
                *number += 1;
                Ok(next_feature(features, *number, names, make))
            }
        }
    }
}

/// The objects of a document that is a list, each with the line on which it
/// begins, and its length in bytes.
fn list(input: impl Read) -> Result<(Vec<(u64, serde_json::Value)>, u64), Refused> {
    let mut text = Vec::new();
    input.take(LIST_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LIST_BYTES_MAX {
        let reason = format!("the document is larger than {} MiB; split it", LIST_BYTES_MAX >> 20);
        return Err(Refused::Content(reason));
    }
    sniff::expect_text(&text[..text.len().min(512)])?;
    let objects: Vec<serde_json::Value> = serde_json::from_slice(&text)
        .map_err(|error| Refused::Content(format!("not a JSON list of objects: {error}")))?;
    Ok((lines_of_members(&text).into_iter().zip(objects).collect(), text.len() as u64))
}

/// The lines on which the members of a list begin, for text that is known to be
/// a list in JSON.
fn lines_of_members(text: &[u8]) -> Vec<u64> {
    let (mut lines, mut line, mut depth) = (Vec::new(), 1, 0_u32);
    let (mut in_words, mut escaped, mut due) = (false, false, false);
    for byte in text {
        line += u64::from(*byte == b'\n');
        if in_words {
            in_words = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        if depth == 1 && due && !byte.is_ascii_whitespace() && *byte != b']' {
            lines.push(line);
            due = false;
        }
        match byte {
            b'"' => in_words = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        due |= depth == 1 && (*byte == b',' || (*byte == b'[' && lines.is_empty()));
    }
    lines
}

fn next_object<T>(
    value: serde_json::Value,
    line: u64,
    names: &[String],
    make: impl FnOnce(u64, &Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
) -> (u64, Result<T, Quarantined>) {
    let serde_json::Value::Object(object) = value else {
        let shown = value.to_string();
        return set_aside(line, Problem::in_row("not a JSON object"), shown.as_bytes());
    };
    let (laid, fields) = lay_out(&object, names);
    let made = make(line, &Row { bytes: &laid, fields: &fields }, None);
    (line, made.map_err(|problem| Quarantined::new(line, problem, &laid)))
}

fn table_header<R: Read>(
    records: &mut Records<R>,
    splitter: &mut Splitter,
    mapping: &Mapping,
) -> Result<Header, Refused> {
    let refuse = |reason: String| Err(Refused::Content(reason));
    match records.next()? {
        None => refuse("the file is empty; a table needs at least a header line".to_owned()),
        Some(Piece::TooLong { .. }) => {
            refuse("the first line does not end within 1 MiB: this is not a table".to_owned())
        }
        Some(Piece::Record(record)) => {
            let row = splitter
                .split(record.bytes, record.quoted)
                .map_err(|problem| Refused::Content(problem.reason))?;
            if row.fields.len() > COLUMNS_MAX {
                return refuse(format!(
                    "the header has {} columns; {COLUMNS_MAX} is the most",
                    row.fields.len()
                ));
            }
            let mut names = Vec::with_capacity(row.fields.len());
            for range in row.fields {
                match std::str::from_utf8(row.bytes[range.clone()].trim_ascii()) {
                    Ok(name) => names.push(name.to_owned()),
                    Err(_) => {
                        return refuse(
                            "the header is not UTF-8; save the file as UTF-8".to_owned(),
                        );
                    }
                }
            }
            if names.len() == 1 && mapping.columns().len() > 1 {
                let shown: String = names[0].chars().take(120).collect();
                let hint = [(';', "a semicolon"), ('\t', "a tab"), ('|', "a bar")]
                    .into_iter()
                    .find(|(delimiter, _)| shown.contains(*delimiter))
                    .map_or(String::new(), |(_, word)| {
                        format!(" Is the delimiter {word}? Set `delimiter` in the mapping.")
                    });
                return refuse(format!(
                    "the first line has one column only: `{shown}`; a header was expected.{hint}"
                ));
            }
            Ok(Header::new(names))
        }
    }
}

type Next<T> = Option<(u64, Result<T, Quarantined>)>;

fn set_aside<T>(line: u64, problem: Problem, bytes: &[u8]) -> (u64, Result<T, Quarantined>) {
    (line, Err(Quarantined::new(line, problem, bytes)))
}

fn next_of_table<R: Read, T>(
    records: &mut Records<R>,
    splitter: &mut Splitter,
    columns: usize,
    make: impl FnOnce(u64, &Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
) -> Result<Next<T>, Refused> {
    let Some(piece) = records.next()? else { return Ok(None) };
    let record = match piece {
        Piece::TooLong { line, head } => return Ok(Some(set_aside(line, too_long(), head))),
        Piece::Record(record) => record,
    };
    let line = record.line;
    let made = |row: &Row<'_>| {
        let made =
            make(line, row, None).map_err(|problem| Quarantined::new(line, problem, record.bytes));
        (line, made)
    };
    let misfit = match splitter.split(record.bytes, record.quoted) {
        Ok(row) if row.fields.len() == columns => return Ok(Some(made(&row))),
        Ok(row) => misfit(row.fields.len(), columns),
        Err(problem) => problem,
    };
    // The row does not fit. If it runs over several lines, a stray quotation
    // mark has joined them: take the first alone and go on with the second.
    let Some(first) = record.first_line_bytes else {
        return Ok(Some(set_aside(line, misfit, record.bytes)));
    };
    let alone = record.bytes[..first].strip_suffix(b"\r").unwrap_or(&record.bytes[..first]);
    let next = match splitter.split(alone, true) {
        Ok(row) if row.fields.len() == columns => made(&row),
        _ => {
            let problem = Problem::in_row("a quotation mark is opened and not closed in this line");
            set_aside(line, problem, alone)
        }
    };
    records.keep_first_line_only();
    Ok(Some(next))
}

fn too_long() -> Problem {
    Problem::in_row(format!(
        "the line is longer than {} MiB",
        crate::limits::RECORD_BYTES_MAX >> 20
    ))
}

fn misfit(found: usize, columns: usize) -> Problem {
    let word = if found < columns {
        "too few: is the line cut off?"
    } else {
        "too many: is a delimiter unquoted?"
    };
    Problem::in_row(format!("{found} fields where the header has {columns}; {word}"))
}

/// Lays the wanted members of a JSON object out as a row.
fn lay_out(
    object: &serde_json::Map<String, serde_json::Value>,
    names: &[String],
) -> (Vec<u8>, Vec<Range<usize>>) {
    let mut bytes = Vec::new();
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        let start = bytes.len();
        match object.get(name) {
            None | Some(serde_json::Value::Null) => {}
            Some(serde_json::Value::String(text)) => bytes.extend_from_slice(text.as_bytes()),
            Some(other) => bytes.extend_from_slice(other.to_string().as_bytes()),
        }
        fields.push(start..bytes.len());
    }
    (bytes, fields)
}

fn next_line<R: Read, T>(
    records: &mut Records<R>,
    names: &[String],
    make: impl FnOnce(u64, &Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
) -> Result<Next<T>, Refused> {
    let Some(piece) = records.next()? else { return Ok(None) };
    let (line, bytes) = match piece {
        Piece::TooLong { line, head } => return Ok(Some(set_aside(line, too_long(), head))),
        Piece::Record(record) => (record.line, record.bytes),
    };
    let made = match serde_json::from_slice(bytes) {
        Ok(serde_json::Value::Object(object)) => {
            let (laid, fields) = lay_out(&object, names);
            make(line, &Row { bytes: &laid, fields: &fields }, None)
        }
        Ok(_) => Err(Problem::in_row("not a JSON object")),
        Err(error) => Err(Problem::in_row(format!("not JSON: {error}"))),
    };
    Ok(Some((line, made.map_err(|problem| Quarantined::new(line, problem, bytes)))))
}

fn next_feature<T>(
    features: &mut Features<'_>,
    number: u64,
    names: &[String],
    make: impl FnOnce(u64, &Row<'_>, Option<&Geometry>) -> Result<T, Problem>,
) -> Next<T> {
    match features.next()? {
        Ok(feature) => {
            let empty = serde_json::Map::new();
            let (laid, fields) = lay_out(feature.properties.as_ref().unwrap_or(&empty), names);
            let row = Row { bytes: &laid, fields: &fields };
            let made = make(number, &row, feature.geometry.as_ref());
            Some((number, made.map_err(|problem| Quarantined::new(number, problem, &laid))))
        }
        Err(error) => {
            // What follows a syntax error cannot be told apart from it.
            *features = Box::new(std::iter::empty());
            let reason = format!("feature {number} cannot be read, nor what follows it: {error}");
            Some(set_aside(number, Problem::in_row(reason), b""))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_of_a_list_stand_on_their_lines() {
        assert!(lines_of_members(b"[]").is_empty());
        assert_eq!(lines_of_members(b"[{},{}, 7]"), [1, 1, 1]);
        let text = b"[\n {\"a\": \"],[\\\" \",\n \"b\": [1,\n2]},\n\n[[1,2],[3]],\n null\n]\n";
        assert_eq!(lines_of_members(text), [2, 6, 7]);
    }

    proptest! {
        #[test]
        fn every_member_has_a_line(words in proptest::collection::vec(".{0,12}", 0..6)) {
            let member = |word: &String| serde_json::json!({ word.as_str(): [word, 1, { "x": [] }] });
            let list: Vec<serde_json::Value> = words.iter().map(member).collect();
            let text = serde_json::to_string_pretty(&list).unwrap();
            let lines = lines_of_members(text.as_bytes());
            prop_assert_eq!(lines.len(), list.len());
            for line in lines {
                prop_assert_eq!(text.lines().nth(line as usize - 1).map(str::trim), Some("{"));
            }
        }
    }
}
