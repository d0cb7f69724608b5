//! The law of verification: after flipping any one byte of any file of a record, verification
//! fails and names the place.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::chance::Chance;
use common::{key, number_from_environment};
use record::verify::{Fault, FaultKind};
use record::{Folders, Hash, Writer, blob, verify};
use tempfile::TempDir;

/// A record, its files, and the blobs that its entries ask for.
struct Log {
    _folder: TempDir,
    folders: Folders,
    required: BTreeSet<Hash>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Log {
    /// A checkpoint at each of `sizes`, `waiting` entries in the journal after that, and, if asked,
    /// the files of a checkpoint over them that was never signed.
    fn new(sizes: &[u64], waiting: u64, leftovers: bool, entry: impl Fn(u64) -> Vec<u8>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::of_mission(folder.path());
        let mut writer = Writer::create(&folders, key()).unwrap();
        let add = |writer: &mut Writer, size: u64| {
            while writer.acknowledged() + writer.staged() < size {
                let index = writer.acknowledged() + writer.staged();
                writer.append(&entry(index)).unwrap();
            }
            writer.commit().unwrap();
        };
        for size in sizes {
            add(&mut writer, *size);
            writer.checkpoint().unwrap();
        }
        let required =
            [&b"one"[..], b"two"].map(|payload| writer.blobs().put(payload).unwrap()).into();
        let size = writer.acknowledged();
        add(&mut writer, size + waiting / 2);
        add(&mut writer, size + waiting);
        if leftovers {
            let keep = [folders.record.join("checkpoint"), folders.journal.join("pending")]
                .map(|path| (path.clone(), fs::read(path).unwrap()));
            writer.checkpoint().unwrap();
            for (path, content) in keep {
                fs::write(path, content).unwrap();
            }
        }
        drop(writer);
        let mut log = Self { _folder: folder, folders, required, files: Vec::new() };
        for folder in [&log.folders.record, &log.folders.blobs] {
            collect(folder, &mut log.files);
        }
        let pending = log.folders.journal.join("pending");
        log.files.push((pending.clone(), fs::read(pending).unwrap()));
        let counts = log.verify().unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(counts, (size, waiting));
        log
    }

    /// Both verifications. Says how many entries are under the checkpoint and how many wait.
    fn verify(&self) -> Result<(u64, u64), Fault> {
        let report = verify::verify(&self.folders, key().public(), |_, _| (), |_| ())?;
        blob::verify(&self.folders.blobs, &self.required, |_| ())?;
        Ok((report.entries, report.waiting_entries))
    }

    /// Flips one byte, verifies, and puts it back. The fault must name the file.
    fn flip(&self, file: usize, at: usize, with: u8) -> FaultKind {
        let (path, good) = &self.files[file];
        poke(path, at, good[at] ^ with);
        let Err(fault) = self.verify() else {
            panic!("{} with byte {at} ^ {with:#04x} passed", path.display())
        };
        poke(path, at, good[at]);
        assert_eq!(fault.path(), path, "byte {at} of {}: {fault}", path.display());
        fault.kind()
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let mut items: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|item| item.unwrap().path()).collect();
    items.sort();
    for path in items {
        if path.is_dir() {
            collect(&path, files);
        } else {
            let content = fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
}

/// Writes one byte, leaving the rest of the file alone.
fn poke(path: &Path, at: usize, byte: u8) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &[byte], at as u64).unwrap();
}

#[test]
fn every_byte_of_a_small_record() {
    // Partial tiles of two widths, a journal of two frames, blobs; then the same with the files of
    // an unfinished checkpoint.
    for leftovers in [false, true] {
        let log = Log::new(&[2, 5], 4, leftovers, |index| format!("entry {index}").into_bytes());
        assert_eq!(log.files.len(), if leftovers { 10 } else { 8 }, "{:?}", log.files);
        let mut kinds = BTreeSet::new();
        let mut flips = 0;
        for file in 0..log.files.len() {
            for at in 0..log.files[file].1.len() {
                for with in [0x01, 0x80, 0xff, 1 << (at % 8)] {
                    kinds.insert(log.flip(file, at, with));
                    flips += 1;
                }
            }
        }
        println!("{flips} flips, faults {kinds:?}");
        assert!(kinds.contains(&FaultKind::BeyondDiffers) == leftovers, "{kinds:?}");
        log.verify().unwrap();
    }
}

#[test]
fn every_byte_of_a_record_with_full_tiles() {
    // 257 entries of 1 to 3 bytes, with checkpoints that leave partial files of the first tile.
    let log = Log::new(&[3, 257], 2, false, |index| vec![index as u8; 1 + index as usize % 3]);
    let mut kinds = BTreeSet::new();
    for file in 0..log.files.len() {
        for at in 0..log.files[file].1.len() {
            kinds.insert(log.flip(file, at, 1 << (at % 8)));
        }
    }
    let bytes: usize = log.files.iter().map(|(_, content)| content.len()).sum();
    println!("{} files, {bytes} bytes, faults {kinds:?}", log.files.len());
    for kind in [FaultKind::EntryAltered, FaultKind::TileAltered, FaultKind::PartialDiffers] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

#[test]
fn random_bytes_of_a_larger_record() {
    let log = Log::new(&[100, 256, 300, 66_000], 700, true, |index| {
        format!("{{\"index\":{index},\"kind\":\"observation\"}}").into_bytes()
    });
    let mut chance = Chance::new(number_from_environment("RECORD_FLIP_SEED", 5));
    let mut kinds = BTreeSet::new();
    // The few files above level 0 first, then each file as likely as the next, or else the bundles
    // would be all that is tried.
    let above = |path: &Path| {
        ["tile/1", "tile/2"]
            .map(|level| log.folders.record.join(level))
            .iter()
            .any(|level| path.starts_with(level))
    };
    let mut files: Vec<usize> =
        (0..log.files.len()).filter(|file| above(&log.files[*file].0)).collect();
    assert_eq!(files.len(), 5, "full, partial, and of the checkpoint that was never signed");
    files = files.repeat(4);
    for _ in 0..number_from_environment("RECORD_FLIPS", 150) {
        files.push(chance.below(log.files.len() as u64) as usize);
    }
    for file in files {
        let at = chance.below(log.files[file].1.len() as u64) as usize;
        kinds.insert(log.flip(file, at, 1 + chance.below(255) as u8));
    }
    println!("{} files, faults {kinds:?}", log.files.len());
}

/// Whole files: gone, cut short, too long, of another place, or where none should be.
#[test]
fn missing_extra_and_exchanged_files() {
    let log = Log::new(&[3, 257, 600], 3, false, |index| index.to_be_bytes().to_vec());
    let fault = |kind: FaultKind, path: &Path| {
        let fault = log.verify().expect_err("a fault");
        assert_eq!((fault.kind(), fault.path()), (kind, path), "{fault}");
    };
    for (path, good) in &log.files {
        let is_older_partial =
            ["0/000.p/3", "0/001.p/1", "entries/000.p/3", "entries/001.p/1", "1/000.p/1"]
                .iter()
                .any(|end| path.ends_with(end));
        fs::remove_file(path).unwrap();
        if path.ends_with("pending") || is_older_partial {
            // Nothing says that they were ever there: an empty journal, an older checkpoint.
            log.verify().unwrap();
        } else if path.starts_with(&log.folders.blobs) {
            fault(FaultKind::BlobMissing, path);
        } else {
            fault(FaultKind::Missing, path);
        }
        for altered in [&good[..good.len() - 1], &[&good[..], b"x"].concat()[..], b""] {
            fs::write(path, altered).unwrap();
            let verified = log.verify();
            if path.ends_with("pending") {
                verified.unwrap(); // a torn end
            } else {
                assert_eq!(verified.expect_err("a fault").path(), path);
            }
        }
        fs::write(path, good).unwrap();
    }
    log.verify().unwrap();

    // Two tiles exchanged: each is well formed, neither is in its place.
    let (zero, one) =
        (log.folders.record.join("tile/0/000"), log.folders.record.join("tile/0/001"));
    let (first, second) = (fs::read(&zero).unwrap(), fs::read(&one).unwrap());
    fs::write(&zero, &second).unwrap();
    fs::write(&one, &first).unwrap();
    fault(FaultKind::TileAltered, &zero);
    fs::write(&zero, &first).unwrap();
    fs::write(&one, &second).unwrap();

    // An entry and its leaf hash altered together: the level above tells.
    let bundle = log.folders.record.join("tile/entries/001");
    let good = fs::read(&bundle).unwrap();
    let mut bad = good.clone();
    bad[2] ^= 0xff;
    let mut leaves = second.clone();
    leaves[..32].copy_from_slice(record::leaf_hash(&bad[2..10]).as_bytes());
    fs::write(&bundle, &bad).unwrap();
    fs::write(&one, &leaves).unwrap();
    let found = log.verify().unwrap_err();
    assert!([FaultKind::PartialDiffers, FaultKind::TileAltered].contains(&found.kind()), "{found}");
    fs::write(&bundle, &good).unwrap();
    fs::write(&one, &second).unwrap();

    // A file that does not belong is a note, unless a reader could take it for a tile.
    let stray = log.folders.record.join("tile/0/readme");
    fs::write(&stray, b"hello").unwrap();
    let report = verify::verify(&log.folders, key().public(), |_, _| (), |_| ()).unwrap();
    assert_eq!(report.notes.iter().next().unwrap().path(), stray);
    fs::remove_file(&stray).unwrap();
    for name in ["tile/0/002", "tile/0/009", "tile/entries/002", "tile/1/000", "tile/3/000.p/1"] {
        let shadow = log.folders.record.join(name);
        fs::create_dir_all(shadow.parent().unwrap()).unwrap();
        fs::write(&shadow, &first).unwrap();
        fault(FaultKind::BeyondJournal, &shadow);
        fs::remove_file(&shadow).unwrap();
    }
    log.verify().unwrap();
}

/// The whole record rewritten consistently, by someone without the key: the root tells.
#[test]
fn a_consistent_forgery_has_another_root() {
    let log = Log::new(&[400], 0, false, |index| index.to_be_bytes().to_vec());
    let forged = Log::new(&[400], 0, false, |index| (index ^ 7).to_be_bytes().to_vec());
    let checkpoint = fs::read(log.folders.record.join("checkpoint")).unwrap();
    fs::write(forged.folders.record.join("checkpoint"), checkpoint).unwrap();
    let fault = forged.verify().unwrap_err();
    assert_eq!(fault.kind(), FaultKind::RootDiffers);
    assert!(fault.path().ends_with("checkpoint"));
}
