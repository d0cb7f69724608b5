//! What a package points at, quoted from the user's own documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use agreement::describe::{Fact, Sheet};
use agreement::quotation::{Quotation, cut, quotations};
use agreement::{Document, Package};
use anyhow::{Context as _, Result};

/// Longer files are no documents that anybody quotes from, bytes.
const FILE_BYTES_MAX: u64 = 50_000_000;

/// Adds the quoted words to the items that they belong to, and says plainly of
/// which documents there is no copy, or another one.
pub(super) fn quote(sheet: &mut Sheet, package: &Package, folder: &Path) -> Result<()> {
    let copies = Copies::read(folder)?;
    let documents: BTreeMap<&str, &Document> =
        package.agreement.documents.iter().map(|one| (one.id.as_str(), one)).collect();
    for document in documents.values() {
        if let Err(because) = copies.of(document) {
            let told = format!("{}: not quoted, {because}", document.id);
            sheet.facts.push(Fact::plain("quoted", told));
        }
    }
    for one in quotations(&package.text) {
        let (Some(span), Some(document)) = (one.span, documents.get(one.document.as_str())) else {
            continue;
        };
        // What is missing was said once, above.
        let Ok((path, bytes)) = copies.of(document) else { continue };
        let words = match cut(bytes, span) {
            Ok(words) => format!("\u{201c}{}\u{201d}", words.trim()),
            Err(because) => format!("not quoted: {because}"),
        };
        let Quotation { document, field, .. } = &one;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let told = format!(
            "{words} [{document}, characters {} to {}, from {name}; {field}]",
            span.0, span.1
        );
        let item = sheet
            .sections
            .iter_mut()
            .flat_map(|section| &mut section.items)
            .find(|item| item.kind == one.kind && (one.id.is_empty() || item.id == one.id));
        if let Some(item) = item {
            item.facts.push(Fact::plain("quoted", told));
        } else {
            let place = format!("{} {}", one.kind, one.id);
            sheet.facts.push(Fact::plain("quoted", format!("{}: {told}", place.trim())));
        }
    }
    Ok(())
}

/// The files of a folder, by their SHA-256.
struct Copies {
    folder: PathBuf,
    by_hash: BTreeMap<String, (PathBuf, Vec<u8>)>,
    /// Hashes by the name of the file without its ending.
    by_name: BTreeMap<String, String>,
}

impl Copies {
    fn read(folder: &Path) -> Result<Self> {
        let (mut by_hash, mut by_name) = (BTreeMap::new(), BTreeMap::new());
        let mut folders = vec![folder.to_owned()];
        while let Some(place) = folders.pop() {
            let items =
                fs::read_dir(&place).with_context(|| format!("reading {}", place.display()))?;
            for item in items {
                let item = item.with_context(|| format!("reading {}", place.display()))?;
                let kind = item.file_type()?;
                let path = item.path();
                if kind.is_dir() {
                    folders.push(path);
                } else if kind.is_file() && item.metadata()?.len() <= FILE_BYTES_MAX {
                    let bytes =
                        fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                    let hash = domain::state::digest(&bytes);
                    if let Some(stem) = path.file_stem() {
                        by_name.insert(stem.to_string_lossy().into_owned(), hash.clone());
                    }
                    by_hash.insert(hash, (path, bytes));
                }
            }
        }
        Ok(Self { folder: folder.to_owned(), by_hash, by_name })
    }

    /// The user's copy of a document, or why there is none.
    fn of(&self, document: &Document) -> std::result::Result<(&Path, &[u8]), String> {
        let Some(meant) = &document.sha256 else {
            return Err("the package does not say which copy it means (sha256)".to_owned());
        };
        if let Some((path, bytes)) = self.by_hash.get(&meant.to_lowercase()) {
            return Ok((path, bytes));
        }
        Err(match self.by_name.get(&document.id) {
            Some(other) => format!(
                "the file of that name is another copy: its SHA-256 is {other}, the package means {meant}"
            ),
            None => format!("no file in {} has the SHA-256 {meant}", self.folder.display()),
        })
    }
}
