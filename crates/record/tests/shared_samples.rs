//! A log of 700 entries that another implementation wrote, with a proof and 35 witnesses.
//!
//! The samples lie in `shared/samples/c2sp` beside the workspace, or below the folder that
//! `TRUCELINE_SHARED` names. They are not part of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use record::{Extra, Folders, ProofText, PublicKey, Reader, SignedCheckpoint, verify};

fn samples() -> Option<PathBuf> {
    let shared = match std::env::var_os("TRUCELINE_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let samples = shared.join("samples/c2sp");
    if samples.is_dir() {
        return Some(samples);
    }
    println!("\n*** SKIPPED: no sample log in {} ***\n", samples.display());
    None
}

fn public_key(samples: &Path) -> PublicKey {
    PublicKey::parse(fs::read_to_string(samples.join("log.vkey")).unwrap().trim_end()).unwrap()
}

#[test]
fn the_sample_log_is_read_proved_and_verified() {
    let Some(samples) = samples() else { return };
    let key = public_key(&samples);
    let reader = Reader::open(samples.join("log"), &key).unwrap();
    assert_eq!((reader.size(), reader.checkpoint().origin()), (700, "ledger.example/ceasefire"));
    let leaf = fs::read(samples.join("entry-41.leaf")).unwrap();
    assert_eq!(reader.entry(41).unwrap(), leaf);
    for index in 0..700 {
        reader.proof_text(index).unwrap();
    }

    // The proof of another program, and the same proof made from the tiles.
    let text = fs::read(samples.join("entry-41.tlog-proof")).unwrap();
    let proof = ProofText::parse(&text).unwrap();
    assert_eq!((proof.index(), proof.extra()), (41, &Extra::Absent));
    assert_eq!(proof.verify(&key, &leaf).unwrap(), *reader.checkpoint());
    assert_eq!(proof.hashes(), reader.inclusion_proof(41, 700).unwrap());
    assert_eq!(proof.to_text().as_bytes(), text);

    let mut entries = 0;
    let report = verify::verify(&folders(&samples), &key, |_, _| entries += 1, |_| ()).unwrap();
    assert_eq!((report.entries, entries), (700, 700));
    assert_eq!((report.full_tiles, report.partial_tiles), (2, 2));
    assert!(report.notes.is_empty());
}

fn folders(samples: &Path) -> Folders {
    Folders {
        record: samples.join("log"),
        journal: samples.join("no-journal"),
        blobs: samples.join("no-blobs"),
    }
}

#[test]
fn notes_with_witnesses_are_accepted() {
    let Some(samples) = samples() else { return };
    let key = public_key(&samples);
    for (name, size, lines) in [
        ("checkpoint-300.note", 300, 1),
        ("checkpoint-700.cosigned.note", 700, 2),
        ("checkpoint-700.35-witnesses.note", 700, 36),
    ] {
        let note = fs::read(samples.join(name)).unwrap();
        let signed = SignedCheckpoint::open(&note, &key).unwrap();
        assert_eq!((signed.checkpoint().size(), signed.note().lines().len()), (size, lines));
        assert_eq!(signed.note().to_bytes(), note);
    }
    let old = fs::read(samples.join("checkpoint-300.note")).unwrap();
    let old = SignedCheckpoint::open(&old, &key).unwrap();
    let reader = Reader::open(samples.join("log"), &key).unwrap();
    assert_eq!(reader.root_at(300).unwrap(), old.checkpoint().root());
    let proof = reader.consistency_proof(300, 700).unwrap();
    let (old, new) = (old.checkpoint(), reader.checkpoint());
    record::verify_consistency(old.size(), &old.root(), new.size(), &new.root(), &proof).unwrap();
    // The request that was sent to a witness carries the same proof.
    let request = fs::read_to_string(samples.join("add-checkpoint.second.req")).unwrap();
    let theirs: Vec<&str> = request.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let ours: Vec<String> = proof.iter().map(record::Hash::to_base64).collect();
    assert_eq!(theirs, ours);
}
