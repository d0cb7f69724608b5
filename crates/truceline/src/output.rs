//! What is printed: tables as wide as the terminal, and plain text.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anyhow::Result;
use comfy_table::{ContentArrangement, LineStyle, TableStyle};
use publish::table::Table;

/// Width taken if nothing tells how wide the terminal is.
const WIDTH: u16 = 100;

/// A line under the header and nothing else.
const STYLE: TableStyle = TableStyle::new()
    .header_separator(LineStyle::new('\u{2500}', '\u{2500}', '\u{2500}', '\u{2500}'));

/// Prints text. A reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// A table for people. Into a pipe it is as wide as it needs to be.
pub(crate) fn table(table: &Table) -> String {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(STYLE).set_header(table.columns.clone());
    if std::io::stdout().is_terminal() {
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0);
        drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for row in &table.rows {
        drawn.add_row(row.clone());
    }
    if table.rows.is_empty() {
        return format!("{drawn}\n  none\n");
    }
    format!("{drawn}\n")
}

/// Readable JSON, with an end of line.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}
