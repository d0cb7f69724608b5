//! `truceline agreement show`.

use std::fmt::Write as _;
use std::path::PathBuf;

use agreement::describe::{self, Fact, Item, Sheet};
use anyhow::{Result, bail};
use clap::Args;

use crate::{Outcome, output};

/// Width of the text.
const WIDTH: usize = 96;
/// Width of the names of facts.
const NAMES: usize = 16;

#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  truceline agreement show agreements/paris-2026\n  \
    truceline agreement show agreements/paris-2026 --clause C4\n  \
    truceline agreement show agreements/paris-2026 --html paris.html\n  \
    truceline agreement show agreements/paris-2026 --documents ~/texts\n\n\
    Packages hold no text of others. With --documents, what a package points at is quoted from your own\n\
    copy of the document, if that is byte for byte the one that is meant (its SHA-256).")]
pub(crate) struct ShowArgs {
    /// Folder of the package
    agreement: PathBuf,
    /// Only this clause, with its digest for confirmations
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    /// Write a page instead
    #[arg(long, value_name = "FILE", conflicts_with = "clause")]
    html: Option<PathBuf>,
    /// Language of titles and texts, where the package has it
    #[arg(long, default_value = "en", value_name = "CODE")]
    language: String,
    /// Quote from the documents in this folder
    #[arg(long, value_name = "DIR")]
    documents: Option<PathBuf>,
}

pub(super) fn show(args: &ShowArgs) -> Result<Outcome> {
    let (package, _) = super::read(&args.agreement)?;
    let mut sheet = describe::sheet(&package.agreement, &args.language);
    if let Some(folder) = &args.documents {
        super::quote::quote(&mut sheet, &package, folder)?;
    }
    if let Some(path) = &args.html {
        let warnings = agreement::lint::lint(&package.agreement);
        super::write_page(path, &publish::agreement::page(&sheet, &warnings, &args.language))?;
        return Ok(Outcome::Fine);
    }
    let text = match &args.clause {
        Some(id) => {
            let Some(item) = sheet.item(id) else {
                let ids: Vec<&str> = sheet.items().map(|item| item.id.as_str()).collect();
                bail!("{} has no clause `{id}`; {}", sheet.reference, strict::suggestion(id, &ids))
            };
            format!("{}digest            {}\n", item_text(item), item.digest())
        }
        None => sheet_text(&sheet),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

fn sheet_text(sheet: &Sheet) -> String {
    let mut text = format!("{}  ({})\n\n", sheet.title, sheet.reference);
    for fact in &sheet.facts {
        fact_text(&mut text, fact);
    }
    for section in &sheet.sections {
        let _ = write!(
            text,
            "\n{}\n{}\n{}\n\n",
            section.title,
            "\u{2500}".repeat(section.title.chars().count()),
            section.about
        );
        for item in &section.items {
            text.push_str(&item_text(item));
            text.push('\n');
        }
    }
    text
}

/// An item for a terminal.
fn item_text(item: &Item) -> String {
    let mut text = format!("{} {}  {}\n", item.kind, item.id, item.title);
    let wording: Vec<&str> =
        item.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if !wording.is_empty() {
        wrapped(&mut text, "  wording", &wording.join(" "));
    }
    for fact in &item.facts {
        fact_text(&mut text, fact);
    }
    text
}

fn fact_text(text: &mut String, fact: &Fact) {
    if let [only] = fact.values.as_slice() {
        let source =
            if only.citation.is_empty() { String::new() } else { format!(" [{}]", only.citation) };
        wrapped(text, &format!("  {}", fact.name), &format!("{}{source}", only.text));
        return;
    }
    for (index, value) in fact.values.iter().enumerate() {
        let name = if index == 0 { format!("  {} *", fact.name) } else { "    *".to_owned() };
        let who = if value.parties.is_empty() {
            String::new()
        } else {
            format!(" ({})", value.parties.join(", "))
        };
        let source = if value.citation.is_empty() {
            String::new()
        } else {
            format!(" [{}]", value.citation)
        };
        wrapped(
            text,
            &name,
            &format!("\u{201c}{}\u{201d}{who}: {}{source}", value.reading, value.text),
        );
    }
}

/// A name and its words, wrapped beside it.
fn wrapped(text: &mut String, name: &str, words: &str) {
    let mut line = format!("{name:<NAMES$}  ");
    let indent = " ".repeat(NAMES + 2);
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(line.trim_end());
            text.push('\n');
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
