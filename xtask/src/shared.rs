//! The data of past truces and the samples of other people's programs, which
//! are not part of the repository.

use std::path::{Path, PathBuf};

use crate::workspace;

/// The variable by which tests find the folder.
pub(crate) const VARIABLE: &str = "TRUCELINE_SHARED";

/// The folder, if it is here: what the variable names, or `../shared` beside
/// the checkout.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os(VARIABLE)
        .map_or_else(|| workspace::root().join("../shared"), PathBuf::from);
    folder.is_dir().then(|| folder.canonicalize().unwrap_or(folder))
}

/// Says plainly what will be tested and what will not.
pub(crate) fn told(folder: Option<&Path>) -> String {
    match folder {
        Some(folder) => format!("shared data in {}", folder.display()),
        None => format!(
            "NO SHARED DATA: {VARIABLE} is not set and there is no ../shared beside the checkout.\n\
             Not tested: past truces from their raw files, logs that other programs wrote."
        ),
    }
}
