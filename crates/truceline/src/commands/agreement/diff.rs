//! `truceline agreement diff`.

use std::fmt::Write as _;
use std::path::PathBuf;

use agreement::describe::{self, Value};
use agreement::diff::{Change, diff as differences};
use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::cli::TextFormat;
use crate::{Outcome, output};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  truceline agreement diff agreements/paris-2026-draft agreements/paris-2026"
)]
pub(crate) struct DiffArgs {
    /// Folder of the older version
    old: PathBuf,
    /// Folder of the newer version
    new: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    format: TextFormat,
}

fn told(values: &[Value]) -> String {
    let one = |value: &Value| {
        let who = if value.parties.is_empty() {
            String::new()
        } else {
            format!(" ({})", value.parties.join(", "))
        };
        if value.reading.is_empty() {
            value.text.clone()
        } else {
            format!("\u{201c}{}\u{201d}{who}: {}", value.reading, value.text)
        }
    };
    if values.is_empty() {
        "not stated".to_owned()
    } else {
        values.iter().map(one).collect::<Vec<_>>().join(" / ")
    }
}

pub(super) fn diff(args: &DiffArgs) -> Result<Outcome> {
    let (old, _) = super::read(&args.old)?;
    let (new, _) = super::read(&args.new)?;
    let (before, after) =
        (describe::sheet(&old.agreement, "en"), describe::sheet(&new.agreement, "en"));
    let changes = differences(&before, &after);
    let text = match args.format {
        TextFormat::Json => {
            let list: Vec<_> = changes
                .iter()
                .map(|change| {
                    let item = change.item();
                    let (what, fields) = match change {
                        Change::Added(_) => ("added", Vec::new()),
                        Change::Removed(_) => ("removed", Vec::new()),
                        Change::Changed { fields, .. } => (
                            "changed",
                            fields
                                .iter()
                                .map(|field| {
                                    json!({"field": field.name, "before": told(&field.before), "after": told(&field.after)})
                                })
                                .collect(),
                        ),
                    };
                    json!({"what": what, "kind": item.kind, "id": item.id, "title": item.title, "for": item.concerns, "fields": fields})
                })
                .collect();
            output::json(&list)?
        }
        TextFormat::Table => {
            let mut text = format!("{}  ->  {}\n\n", before.reference, after.reference);
            for change in &changes {
                let item = change.item();
                let mark = match change {
                    Change::Added(_) => "+ new    ",
                    Change::Removed(_) => "- gone   ",
                    Change::Changed { .. } => "~ changed",
                };
                let whom = if item.concerns.is_empty() {
                    String::new()
                } else {
                    format!("  (for {})", item.concerns.join(", "))
                };
                let _ = writeln!(text, "{mark}  {} {}  {}{whom}", item.kind, item.id, item.title);
                if let Change::Changed { fields, .. } = change {
                    for field in fields {
                        let _ = writeln!(text, "             {}", field.name);
                        let _ = writeln!(text, "               - {}", told(&field.before));
                        let _ = writeln!(text, "               + {}", told(&field.after));
                    }
                }
            }
            let _ = writeln!(text, "\n{} items differ", changes.len());
            text
        }
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}
