//! Tables as the benchmark writes them: commas, one header line, no quotes.

use super::Wrong;

/// A table whose cells are found by the name of their column.
pub(crate) struct Table<'a> {
    file: &'a str,
    header: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Table<'a> {
    /// Reads a table; a row with too few or too many cells is an error.
    pub(crate) fn read(file: &'a str, text: &'a str) -> Result<Self, Wrong> {
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().unwrap_or("").split(',').map(str::trim).collect();
        let mut rows = Vec::new();
        for (index, line) in lines.enumerate() {
            if line.is_empty() {
                continue;
            }
            let row: Vec<&str> = line.split(',').collect();
            if row.len() != header.len() {
                return Err(Wrong::Cells {
                    file: file.to_owned(),
                    line: index + 2,
                    found: row.len(),
                    expected: header.len(),
                });
            }
            rows.push(row);
        }
        Ok(Self { file, header, rows })
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.header.contains(&column)
    }

    fn column(&self, column: &str) -> Result<usize, Wrong> {
        self.header
            .iter()
            .position(|name| *name == column)
            .ok_or_else(|| Wrong::Column { file: self.file.to_owned(), column: column.to_owned() })
    }

    /// A column as text.
    pub(crate) fn text(&self, column: &str) -> Result<Vec<&'a str>, Wrong> {
        let at = self.column(column)?;
        Ok(self.rows.iter().map(|row| row[at]).collect())
    }

    /// A column as numbers; an empty cell is NaN.
    pub(crate) fn numbers(&self, column: &str) -> Result<Vec<f64>, Wrong> {
        let at = self.column(column)?;
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| {
                let cell = row[at].trim();
                if cell.is_empty() {
                    return Ok(f64::NAN);
                }
                cell.parse().map_err(|_| Wrong::Number {
                    file: self.file.to_owned(),
                    line: index + 2,
                    column: column.to_owned(),
                    cell: cell.to_owned(),
                })
            })
            .collect()
    }

    /// A column as numbers, if there is one.
    pub(crate) fn numbers_if(&self, column: &str) -> Result<Option<Vec<f64>>, Wrong> {
        if self.has(column) { self.numbers(column).map(Some) } else { Ok(None) }
    }

    /// Keeps the rows whose number in a column is below a limit.
    pub(crate) fn keep_below(&mut self, column: &str, limit: f64) -> Result<(), Wrong> {
        let keep: Vec<bool> = self.numbers(column)?.into_iter().map(|v| v < limit).collect();
        let mut keep = keep.into_iter();
        self.rows.retain(|_| keep.next().unwrap_or(false));
        Ok(())
    }
}
