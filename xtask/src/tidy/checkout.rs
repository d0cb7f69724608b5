//! What the rules look at: the texts of the checkout and the packages.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process::expect;
use crate::workspace::{self, Package};

/// Whether a path has this ending.
pub(crate) fn is_of_kind(path: &str, ending: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == ending)
}

/// The checkout.
#[derive(Debug, Default)]
pub(crate) struct Checkout {
    /// Every text file by its path from the root.
    pub files: BTreeMap<String, String>,
    /// The packages of the workspace.
    pub packages: Vec<Package>,
}

impl Checkout {
    /// Reads the files that git knows or would add.
    pub(crate) fn read() -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
        let names = expect(git.current_dir(workspace::root()), 0)
            .context("tidy looks at the files that git lists")?;
        let mut files = BTreeMap::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            // A file that was removed and is still listed, or that is not a text, is passed over.
            if let Ok(text) = std::fs::read_to_string(workspace::root().join(name)) {
                files.insert(name.to_owned(), text);
            }
        }
        Ok(Self { files, packages: workspace::packages()? })
    }

    /// The sources of a crate, without those of its tests.
    pub(crate) fn sources<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let folder = format!("crates/{name}/src/");
        self.files
            .iter()
            .filter(move |(path, _)| {
                let inside = path.strip_prefix(&folder);
                inside.is_some_and(|path| is_of_kind(path, "rs") && !path.ends_with("tests.rs"))
            })
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

#[cfg(test)]
impl Checkout {
    /// A checkout of these files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self { files: files.collect(), packages: Vec::new() }
    }

    /// The same with a package that depends on others.
    pub(crate) fn with(mut self, name: &str, own: &[&str], others: &[&str]) -> Self {
        let all =
            own.iter().map(|name| (name, true)).chain(others.iter().map(|name| (name, false)));
        let dependencies = all
            .map(|(name, own)| workspace::Dependency { name: (*name).to_owned(), own, dev: false })
            .collect();
        self.packages.push(Package { name: name.to_owned(), dependencies });
        self
    }
}
