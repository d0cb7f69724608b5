//! What others wrote accepts what we wrote: crates `signed_note` and `tlog_tiles` 0.2 (Cloudflare,
//! ported from Go's `golang.org/x/mod/sumdb`) read our checkpoint and our tiles from the disk.

mod common;

use std::fs;
use std::path::PathBuf;

use record::{Folders, ProofText, Reader, Writer};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, Hash, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash,
};

/// Tiles from a folder. The crate writes `tile/8/...`, the specification dropped the height.
struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// Opens a checkpoint as another program would: from its bytes and the text of the key.
fn open(note: &[u8], key: &str) -> Checkpoint {
    let note = Note::from_bytes(note).expect("a signed note");
    let verifier = StandardVerifier::new(key).expect("a verifier key");
    let (known, unknown) =
        note.verify(&VerifierList::new(vec![Box::new(verifier)])).expect("our signature");
    assert_eq!((known.len(), unknown.len()), (1, 0));
    Checkpoint::from_bytes(note.text()).expect("a checkpoint")
}

#[test]
fn cloudflare_crates_accept_checkpoints_tiles_and_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of_mission(folder.path());
    let key = common::key();
    let key_text = key.public().to_string();
    let mut writer = Writer::create(&folders, key.clone()).unwrap();
    let mut checkpoints = Vec::new();
    for size in [1, 2, 255, 256, 257, 700, 66_000] {
        while writer.acknowledged() + writer.staged() < size {
            let entry = format!("entry {}", writer.acknowledged() + writer.staged());
            writer.append(entry.as_bytes()).unwrap();
        }
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        checkpoints.push(open(&fs::read(folders.record.join("checkpoint")).unwrap(), &key_text));
        assert_eq!(checkpoints.last().unwrap().size(), size);
    }
    writer.close().unwrap();

    let tiles = Folder(folders.record.clone());
    let reader = Reader::open(&folders.record, key.public()).unwrap();
    let foreign = |hashes: &[record::Hash]| -> Vec<Hash> {
        hashes.iter().map(|hash| Hash(*hash.as_bytes())).collect()
    };
    for (at, checkpoint) in checkpoints.iter().enumerate() {
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        let hashes = TileHashReader::new(size, root, &tiles);
        for index in [0, 1, 254, 255, 256, 511, 699, 65_535, 65_536, 65_999] {
            if index < size {
                let proof = prove_record(size, index, &hashes).expect("authentic tiles");
                let leaf = record_hash(format!("entry {index}").as_bytes());
                check_record(&proof, size, root, index, leaf).expect("an inclusion proof");
                // The same proof as ours, and ours is accepted.
                let ours = foreign(&reader.inclusion_proof(index, size).unwrap());
                assert!(proof == ours, "entry {index} of {size}");
                check_record(&ours, size, root, index, leaf).expect("our inclusion proof");
            }
        }
        for old in &checkpoints[..=at] {
            let (old_size, old_root) = (old.size(), *old.hash());
            let proof = prove_tree(size, old_size, &hashes).expect("authentic tiles");
            check_tree(&proof, size, root, old_size, old_root).expect("a consistency proof");
            let ours = foreign(&reader.consistency_proof(old_size, size).unwrap());
            assert!(proof == ours, "from {old_size} to {size}");
        }
    }

    // A proof that travels carries a checkpoint that others can open.
    let text = reader.proof_text(41).unwrap().to_text();
    let proof = ProofText::parse(text.as_bytes()).unwrap();
    let checkpoint = open(proof.checkpoint(), &key_text);
    let leaf = record_hash(b"entry 41");
    check_record(&foreign(proof.hashes()), checkpoint.size(), *checkpoint.hash(), 41, leaf)
        .expect("our proof text");
}

#[test]
fn notes_and_keys_go_both_ways() {
    use signed_note::{Signer as _, StandardSigner};
    let key = common::key();
    let signer = StandardSigner::new(&key.to_secret_text()).expect("our private key");
    assert_eq!(signer.name(), key.public().name());
    let mut theirs = Note::new(b"text\n", &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    let ours = record::Note::sign("text\n", &[&key]).unwrap();
    assert_eq!(theirs.to_bytes(), ours.to_bytes());
    record::Note::parse(&theirs.to_bytes()).unwrap().verify(&[key.public()]).unwrap();
}
