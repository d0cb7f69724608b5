//! One row with its columns, whatever the file format, and the small parsers
//! for what stands in a field.

use std::ops::Range;

use crate::problem::{Problem, Refused};

/// The columns of a file.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    names: Vec<String>,
}

/// A column name, or several names for the same thing in order of preference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns(pub(crate) Vec<String>);

/// A column of the file at hand.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) index: usize,
    pub(crate) name: String,
}

impl Header {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self { names }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The first of the names that the file has.
    pub(crate) fn find(&self, columns: &Columns) -> Option<Column> {
        columns.0.iter().find_map(|wanted| {
            let index = self.names.iter().position(|name| name == wanted)?;
            Some(Column { index, name: wanted.clone() })
        })
    }

    /// As [`Self::find`]; a file without it is refused.
    pub(crate) fn require(&self, columns: &Columns) -> Result<Column, Refused> {
        self.find(columns).ok_or_else(|| {
            let wanted = columns.0.join("` or `");
            let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let shown: String = known.join(", ").chars().take(300).collect();
            let hint = columns
                .0
                .iter()
                .find_map(|name| strict::nearest(name, &known))
                .map_or(String::new(), |near| format!(" (is it `{near}`?)"));
            Refused::Content(format!(
                "the header has no column `{wanted}`{hint}; its columns are: {shown}. Use a mapping \
                 that fits this layout"
            ))
        })
    }
}

/// A row: bytes and where its fields lie in them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) fields: &'a [Range<usize>],
}

impl<'a> Row<'a> {
    /// The field without surrounding blanks; empty if the row has no such field.
    pub(crate) fn bytes_of(&self, column: &Column) -> &'a [u8] {
        let Some(range) = self.fields.get(column.index) else { return &[] };
        match &self.bytes[range.clone()] {
            // Nearly every field is without blanks around it.
            bytes @ ([b'!'..=b'~', .., b'!'..=b'~'] | [b'!'..=b'~']) => bytes,
            bytes => bytes.trim_ascii(),
        }
    }

    /// The field as text.
    pub(crate) fn text(&self, column: &Column) -> Result<&'a str, Problem> {
        std::str::from_utf8(self.bytes_of(column)).map_err(|error| {
            Problem::in_field(
                &column.name,
                format!(
                    "not UTF-8 from byte {} of the field on; save the file as UTF-8",
                    error.valid_up_to() + 1
                ),
            )
        })
    }

    /// The field as text, or nothing if it is empty.
    pub(crate) fn optional_text(
        &self,
        column: Option<&Column>,
    ) -> Result<Option<&'a str>, Problem> {
        let Some(column) = column else { return Ok(None) };
        Ok(Some(self.text(column)?).filter(|text| !text.is_empty()))
    }

    /// The field as a finite number.
    pub(crate) fn number(&self, column: &Column) -> Result<f64, Problem> {
        match parse_number(self.bytes_of(column)) {
            Ok(number) => Ok(number),
            Err(reason) if self.bytes_of(column).is_empty() => {
                let reason = format!("empty where a number is needed ({reason})");
                Err(Problem::in_field(&column.name, reason))
            }
            Err(reason) => Err(Problem::in_field(&column.name, reason)),
        }
    }

    /// The field as a number, or nothing if it is empty or says that it has none.
    pub(crate) fn optional_number(&self, column: Option<&Column>) -> Result<Option<f64>, Problem> {
        let Some(column) = column else { return Ok(None) };
        match self.bytes_of(column) {
            b"" | b"NA" | b"N/A" | b"null" | b"NULL" | b"None" | b"-" => Ok(None),
            bytes if bytes.eq_ignore_ascii_case(b"nan") => Ok(None),
            bytes => parse_number(bytes)
                .map(Some)
                .map_err(|reason| Problem::in_field(&column.name, reason)),
        }
    }
}

/// A finite decimal number.
pub(crate) fn parse_number(bytes: &[u8]) -> Result<f64, String> {
    match fast_float2::parse::<f64, _>(bytes) {
        // Plus zero: no negative zero in the record.
        Ok(number) if number.is_finite() => Ok(number + 0.0),
        other => Err(not_a_number(bytes, other.is_ok())),
    }
}

#[cold]
fn not_a_number(bytes: &[u8], parsed: bool) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
    if parsed {
        format!("`{text}` is not a finite number")
    } else if fast_float2::parse::<f64, _>(text.replace(',', ".")).is_ok() {
        format!("`{text}` has a decimal comma; a point is needed")
    } else {
        format!("`{text}` is not a number")
    }
}

/// Cuts a record into fields. `scratch` holds the unquoted bytes if there were
/// quotation marks.
#[derive(Debug)]
pub(crate) struct Splitter {
    delimiter: u8,
    reader: csv_core::Reader,
    unquoted: Vec<u8>,
    ends: Vec<usize>,
    fields: Vec<Range<usize>>,
}

impl Splitter {
    pub(crate) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            reader: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            unquoted: Vec::new(),
            ends: vec![0; crate::limits::COLUMNS_MAX + 1],
            fields: Vec::new(),
        }
    }

    /// The row, or what is wrong with it.
    pub(crate) fn split<'a>(
        &'a mut self,
        bytes: &'a [u8],
        quoted: bool,
    ) -> Result<Row<'a>, Problem> {
        self.fields.clear();
        if !quoted {
            // Fields are short: looking at every byte beats a vector search.
            let mut start = 0;
            for (at, byte) in bytes.iter().enumerate() {
                if *byte == self.delimiter {
                    self.fields.push(start..at);
                    start = at + 1;
                }
            }
            self.fields.push(start..bytes.len());
            return Ok(Row { bytes, fields: &self.fields });
        }
        self.reader.reset();
        self.unquoted.resize(bytes.len() + 1, 0);
        let (mut read, mut written, mut fields) = (0, 0, 0);
        loop {
            let (result, r, w, e) = self.reader.read_record(
                &bytes[read..],
                &mut self.unquoted[written..],
                &mut self.ends[fields..],
            );
            (read, written, fields) = (read + r, written + w, fields + e);
            match result {
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => break,
                // An empty input tells the reader that the record ends here.
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::OutputFull
                | csv_core::ReadRecordResult::OutputEndsFull => {
                    return Err(Problem::in_row(format!(
                        "more than {} columns",
                        crate::limits::COLUMNS_MAX
                    )));
                }
            }
        }
        let mut start = 0;
        for end in &self.ends[..fields] {
            self.fields.push(start..*end);
            start = *end;
        }
        Ok(Row { bytes: &self.unquoted[..written], fields: &self.fields })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let mut splitter = Splitter::new(b',');
        let row = splitter.split(text.as_bytes(), text.contains('"')).unwrap();
        row.fields
            .iter()
            .map(|range| String::from_utf8_lossy(&row.bytes[range.clone()]).into_owned())
            .collect()
    }

    #[test]
    fn plain_and_quoted_rows() {
        assert_eq!(fields("a,,c"), ["a", "", "c"]);
        assert_eq!(fields("\"a,b\",\"say \"\"x\"\"\",c"), ["a,b", "say \"x\"", "c"]);
        assert_eq!(fields("\"a\nb\",c"), ["a\nb", "c"]);
        assert_eq!(fields("5\" gun,c"), ["5\" gun", "c"]);
    }

    #[test]
    fn numbers_explain_themselves() {
        assert_eq!(parse_number(b"-0").unwrap().to_string(), "0");
        for (text, word) in
            [("nan", "finite"), ("1e999", "finite"), ("48,5", "comma"), ("north", "not a number")]
        {
            assert!(parse_number(text.as_bytes()).unwrap_err().contains(word), "{text}");
        }
    }

    #[test]
    fn a_missing_column_is_named_with_its_nearest() {
        let header = Header::new(vec!["Latitude".into(), "lon".into()]);
        let error = header.require(&Columns(vec!["latitude".into()])).unwrap_err().to_string();
        assert!(error.contains("no column `latitude` (is it `Latitude`?)"), "{error}");
    }

    proptest! {
        /// The same fields as the csv crate, for whatever it writes.
        #[test]
        fn agrees_with_the_csv_crate(row in proptest::collection::vec("[a-z,\"\n ]{0,8}", 1..6)) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record(&row).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(fields(text.trim_end_matches('\n')), row);
        }
    }
}
