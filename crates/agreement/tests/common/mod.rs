//! The packages of the repository.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use agreement::package::{Files, Package, read};
use agreement::testing::{Outcome, run};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn collect(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name: Vec<_> = path
                .strip_prefix(root)
                .unwrap()
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned())
                .collect();
            files.insert(name.join("/"), fs::read(&path).unwrap());
        }
    }
}

/// Files of a package that the repository ships.
pub(crate) fn files(name: &str) -> Files {
    let folder = root().join("agreements").join(name);
    let mut files = Files::new();
    collect(&folder, &folder, &mut files);
    files
}

/// A package that the repository ships.
pub(crate) fn package(name: &str) -> Package {
    read(&files(name)).unwrap_or_else(|error| panic!("{name}\n{error}"))
}

/// Names of all packages.
pub(crate) fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("agreements"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The tests inside a package.
pub(crate) fn outcomes(name: &str) -> Vec<Outcome> {
    run(&package(name), &files(name)).unwrap_or_else(|error| panic!("{name}\n{error}"))
}

/// That tests whose name begins with a row of the design are there and pass.
pub(crate) fn row(name: &str, row: &str) {
    let of_row: Vec<Outcome> =
        outcomes(name).into_iter().filter(|outcome| outcome.name.starts_with(row)).collect();
    assert!(!of_row.is_empty(), "{name} has no test for {row}");
    for outcome in of_row {
        assert_eq!(outcome.failure, None, "{}", outcome.name);
    }
}
