//! The law of the record, seen from outside: whichever byte of a mission folder
//! is altered, the verification finds it and names the place.

mod common;

use std::fs;

use mission::verify::{Failure, verify};

/// In small files every byte is tried, in large ones so many.
const TRIES: usize = 48;

#[test]
fn d5_any_flipped_byte_is_found_and_named() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let root = mission.root().to_owned();
    verify(&root, |_| ()).expect("an untouched mission verifies");
    let mut tried = 0;
    for path in common::files_below(&root) {
        let whole = fs::read(&path).unwrap();
        // The lock is empty; it holds nothing that could be altered.
        let step = (whole.len() / TRIES).max(1);
        for at in (0..whole.len()).step_by(step) {
            let mut altered = whole.clone();
            altered[at] ^= 1 << (at % 8);
            fs::write(&path, &altered).unwrap();
            match verify(&root, |_| ()) {
                Err(Failure::Fault(fault)) => {
                    let name = path.file_name().unwrap().to_string_lossy();
                    let names_place = fault.contains(&*name)
                        || fault.contains("entry")
                        || fault.contains("mission.toml");
                    assert!(names_place, "byte {at} of {}: {fault}", path.display());
                }
                other => panic!("byte {at} of {}: {other:?}", path.display()),
            }
            tried += 1;
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(tried > 500, "{tried}");
    verify(&root, |_| ()).expect("the mission is as it was");
}

#[test]
fn a_missing_blob_is_found() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let blob = common::files_below(&mission.root().join("blobs"))
        .into_iter()
        .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("two explosions")))
        .unwrap();
    fs::remove_file(&blob).unwrap();
    let Err(Failure::Fault(fault)) = verify(mission.root(), |_| ()) else { panic!() };
    assert!(fault.contains("missing"), "{fault}");
}

#[test]
fn a_copy_without_private_keys_verifies_with_a_note() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    fs::remove_dir_all(mission.root().join("keys")).unwrap();
    let report = verify(mission.root(), |_| ()).unwrap();
    assert!(report.stored_state);
    assert!(report.notes.iter().any(|note| note.contains("not written to")), "{:?}", report.notes);
}

#[test]
fn a_stranger_in_the_folder_is_a_note() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    fs::write(mission.root().join("holiday.jpg"), "x").unwrap();
    let report = verify(mission.root(), |_| ()).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("holiday.jpg")), "{:?}", report.notes);
}

/// A state of an earlier size is not an altered one.
#[test]
fn a_state_from_before_the_last_files_is_a_note() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let more = place.path().join("more.csv");
    fs::write(&more, "").unwrap();
    let arrival =
        mission::ingest::Arrival { input: "fires".into(), path: more, name: "more.csv".into() };
    let now = jiff::Timestamp::UNIX_EPOCH;
    mission::ingest::ingest(&mission, &[arrival], now, &mut mission::ingest::Quiet).unwrap();
    let report = verify(mission.root(), |_| ()).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("of the first")), "{:?}", report.notes);
}

/// What has no end is not taken in.
#[test]
fn devices_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let mission = common::mission(place.path());
    let arrival = mission::ingest::Arrival {
        input: "fires".into(),
        path: "/dev/zero".into(),
        name: "zero.csv".into(),
    };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let error = mission::ingest::ingest(&mission, &[arrival], now, &mut mission::ingest::Quiet);
    assert!(error.unwrap_err().to_string().contains("a pipe or a device"));
}
