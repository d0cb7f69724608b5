//! `docs/operating.md` says for every file on disk what happens if it is lost
//! or altered. Here each is lost and altered, and the page is held against it.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::files_below;
use mission::verify::{Failure, Report, verify};
use mission::{Mission, derive};

/// What a verification comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing is said.
    Fine,
    /// A note.
    Note,
    /// A fault.
    Fault,
    /// It is no mission folder any more.
    NoMission,
}

fn end(root: &Path, untouched: &Report) -> End {
    match verify(root, |_| ()) {
        Ok(report) if report.notes == untouched.notes => End::Fine,
        Ok(_) => End::Note,
        Err(Failure::Fault(_)) => End::Fault,
        Err(Failure::Error(_)) => End::NoMission,
    }
}

/// The row of the page that speaks of a file.
fn row_of(path: &str, size: u64) -> String {
    let steps: Vec<&str> = path.split('/').collect();
    // The record of this test is small: all its tiles are of the lowest level.
    let now = format!("{size}");
    match steps[..] {
        ["record", "tile", .., width] if path.contains(".p/") && width != now => {
            "record/tile/**.p/W"
        }
        ["record", "tile", "entries", ..] => "record/tile/entries/*",
        ["record", "tile", ..] => "record/tile/N/*",
        ["blobs", "sha256", ..] => "blobs/sha256/*",
        _ => path,
    }
    .to_owned()
}

/// File, what its loss comes to, what its alteration comes to, in words of the page.
const ROWS: [(&str, End, End); 14] = [
    ("mission.toml", End::NoMission, End::Fault),
    ("log.vkey", End::Note, End::Fault),
    ("mission.vkey", End::Note, End::Fault),
    ("keys/log.key", End::Note, End::Fault),
    ("keys/mission.key", End::Note, End::Fault),
    ("record/checkpoint", End::Fault, End::Fault),
    ("record/tile/N/*", End::Fault, End::Fault),
    ("record/tile/entries/*", End::Fault, End::Fault),
    ("record/tile/**.p/W", End::Fine, End::Fault),
    ("journal/pending", End::Fine, End::Note),
    ("journal/lock", End::Fine, End::Fine),
    ("blobs/sha256/*", End::Fault, End::Fault),
    ("derived/state.jsonl", End::Note, End::Fault),
    ("derived/state.sha256", End::Note, End::Fault),
];

#[test]
fn every_file_lost_and_altered() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let root = mission.root();
    let untouched = verify(root, |_| ()).unwrap();
    let mut met = BTreeSet::new();
    for path in files_below(root) {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        let row = row_of(name, untouched.record.checkpoint.size());
        let (_, lost, altered) = *ROWS
            .iter()
            .find(|(known, ..)| *known == row)
            .unwrap_or_else(|| panic!("{name} has no row in docs/operating.md"));
        met.insert(row);
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(end(root, &untouched), lost, "{name} is lost");
        let mut bytes = whole.clone();
        match bytes.last_mut() {
            Some(last) => *last ^= 4,
            None => bytes.push(b'x'),
        }
        fs::write(&path, bytes).unwrap();
        assert_eq!(end(root, &untouched), altered, "{name} is altered");
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(end(root, &untouched), End::Fine, "everything is back");
    let all: BTreeSet<String> = ROWS.iter().map(|(row, ..)| (*row).to_owned()).collect();
    assert_eq!(met, all, "rows that no file is of");
}

#[test]
fn the_page_says_so() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operating.md");
    let page = fs::read_to_string(page).unwrap();
    let mut rows = 0;
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        rows += 1;
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, file, _, rebuildable, lost, altered, _] = cells[..] else { panic!("{line}") };
        let file = file.trim_matches('`');
        let (_, end_lost, end_altered) =
            ROWS.iter().find(|(known, ..)| *known == file).unwrap_or_else(|| panic!("{line}"));
        let says = |cell: &str, end: End| match end {
            End::Fine => !cell.contains("fault") && !cell.contains("note"),
            End::Note => cell.starts_with("note"),
            End::Fault => cell.starts_with("fault"),
            End::NoMission => cell.starts_with("not a mission folder"),
        };
        assert!(says(lost, *end_lost) && says(altered, *end_altered), "{line}");
        let derived = file.starts_with("derived/");
        assert!(!derived || rebuildable.starts_with("yes"), "{line}");
    }
    assert_eq!(rows, ROWS.len());
}

#[test]
fn what_is_derived_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let state = fs::read(mission.derived().join("state.jsonl")).unwrap();
    fs::remove_dir_all(mission.derived()).unwrap();
    derive::derive_and_store(&mission).unwrap();
    assert!(state == fs::read(mission.derived().join("state.jsonl")).unwrap());
    verify(mission.root(), |_| ()).unwrap();
}

/// Entries that are acknowledged and not yet under a checkpoint: no byte of
/// them can be altered unnoticed.
#[test]
fn what_waits_in_the_journal_is_checked() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let untouched = verify(mission.root(), |_| ()).unwrap();
    let header = br#"{"type":"batch","file":99,"source":"fires","of":"observations","number":0}"#;
    let mut writer = mission.writer().unwrap();
    writer.append(header).unwrap();
    writer.commit().unwrap();
    drop(writer); // as if it were killed here
    let waiting = verify(mission.root(), |_| ()).unwrap();
    assert_eq!(waiting.record.waiting_entries, 1);
    let path = mission.root().join("journal/pending");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let end = end(mission.root(), &untouched);
        assert!(matches!(end, End::Note | End::Fault), "byte {at} of {}: {end:?}", whole.len());
    }
}

/// A lost lock is made again; lost private keys end the writing, not the reading.
#[test]
fn what_can_still_be_written() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    fs::remove_file(mission.root().join("journal/lock")).unwrap();
    common::take_in(&mission, &place.path().join("data"));
    fs::remove_dir_all(mission.root().join("keys")).unwrap();
    let mission = Mission::open(mission.root()).unwrap();
    assert!(mission.writer().is_err());
    assert!(mission.reader().is_ok());
}
