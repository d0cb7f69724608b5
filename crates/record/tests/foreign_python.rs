//! A verifier that others wrote in another language: `aics-tlog` from the Python index checks our folder.
//!
//! Runs if `TRUCELINE_PYTHON_BIN` names a folder that holds `aics-tlog`.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use record::{Folders, Reader, Writer};

/// The program, or `None` with a line that cannot be overlooked.
fn program() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TRUCELINE_PYTHON_BIN") else {
        println!(
            "\n*** SKIPPED: TRUCELINE_PYTHON_BIN is not set, so aics-tlog was not asked ***\n"
        );
        return None;
    };
    let program = Path::new(&folder).join("aics-tlog");
    assert!(program.is_file(), "TRUCELINE_PYTHON_BIN is set, but {} is missing", program.display());
    Some(program)
}

fn run(program: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().expect("aics-tlog runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn aics_tlog_accepts_checkpoint_inclusion_and_consistency() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of_mission(folder.path());
    let key = common::key();
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (tiles, vkey, old, leaf) =
        (folders.record.to_str().unwrap(), text("log.vkey"), text("old.note"), text("leaf"));
    fs::write(&vkey, format!("{}\n", key.public())).unwrap();

    let mut writer = Writer::create(&folders, key.clone()).unwrap();
    for size in [300_u64, 700] {
        while writer.acknowledged() + writer.staged() < size {
            let index = writer.acknowledged() + writer.staged();
            writer.append(format!("entry {index}").as_bytes()).unwrap();
        }
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        if size == 300 {
            fs::copy(folders.record.join("checkpoint"), &old).unwrap();
        }
    }
    writer.close().unwrap();
    fs::write(&leaf, b"entry 41").unwrap();
    let key_and_tiles = ["--vkey-file", &vkey, "--tiles", tiles];

    let checkpoint = [&["verify-checkpoint"], &key_and_tiles[..]].concat();
    let (accepted, said) = run(&program, &checkpoint);
    assert!(accepted, "{said}");
    println!("{said}");
    let inclusion =
        [&["verify-inclusion", "--leaf", &leaf, "--index", "41"], &key_and_tiles[..]].concat();
    let (accepted, said) = run(&program, &inclusion);
    assert!(accepted, "{said}");
    println!("{said}");
    let consistency =
        [&["verify-consistency", "--old-checkpoint", &old], &key_and_tiles[..]].concat();
    let (accepted, said) = run(&program, &consistency);
    assert!(accepted, "{said}");
    println!("{said}");

    // It is not merely polite: a wrong entry and an altered tile are refused.
    fs::write(&leaf, b"entry 42").unwrap();
    assert!(!run(&program, &inclusion).0);
    fs::write(&leaf, b"entry 41").unwrap();
    // Checking the checkpoint reads the right edge only, checking an entry the tiles above it.
    alter(&folders.record.join("tile/0/002.p/188"));
    assert!(!run(&program, &checkpoint).0);
    alter(&folders.record.join("tile/0/000"));
    assert!(!run(&program, &inclusion).0);
    // And so do we.
    let reader = Reader::open(&folders.record, key.public()).unwrap();
    assert!(reader.proof_text(41).unwrap_err().is_contradiction());
}

fn alter(tile: &Path) {
    let mut bytes = fs::read(tile).unwrap();
    bytes[41 * 32] ^= 1;
    fs::write(tile, bytes).unwrap();
}
