//! A record from its making to its reading, on a real disk: what is allowed, what is refused, and
//! which files there are.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use common::key;
use common::sim::{Plan, Sim, Synchronise};
use record::limits::{ENTRY_BYTES_MAX, FRAME_BODY_BYTES_MAX, WAITING_BYTES_MAX};
use record::{
    AppendError, Cadence, Folders, Hash, PrivateKey, Reader, Waiting, Writer, blob, leaf_hash,
    tree_root, verify, verify_consistency, verify_inclusion,
};
use tempfile::TempDir;

fn new_record() -> (TempDir, Folders, Writer) {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of_mission(folder.path());
    let writer = Writer::create(&folders, key()).unwrap();
    (folder, folders, writer)
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn add(writer: &mut Writer, count: u64) {
    for _ in 0..count {
        let index = writer.acknowledged() + writer.staged();
        assert_eq!(writer.append(&entry(index)).unwrap(), index);
    }
    writer.commit().unwrap();
}

fn check(folders: &Folders) -> verify::Report {
    verify::verify(folders, key().public(), |_, _| (), |_| ())
        .unwrap_or_else(|fault| panic!("{fault}"))
}

fn names_below(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in fs::read_dir(folder).unwrap() {
        let item = item.unwrap();
        let name = item.file_name().into_string().unwrap();
        if item.file_type().unwrap().is_dir() {
            names.extend(names_below(&item.path()).iter().map(|below| format!("{name}/{below}")));
        } else {
            names.insert(name);
        }
    }
    names
}

#[test]
fn the_empty_record_has_a_checkpoint() {
    let (_folder, folders, writer) = new_record();
    let note = fs::read_to_string(folders.record.join("checkpoint")).unwrap();
    // SHA-256 of the empty string in base64, RFC 6962, section 2.1.
    let body = "ledger.example/test\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u{2014} ";
    assert!(note.starts_with(body), "{note}");
    assert_eq!(check(&folders).entries, 0);
    let reader = Reader::open(&folders.record, key().public()).unwrap();
    assert_eq!((reader.size(), reader.root()), (0, Hash::EMPTY_TREE));
    assert!(reader.entry(0).unwrap_err().is_out_of_range());
    assert!(reader.consistency_proof(0, 0).unwrap().is_empty());
    drop(writer);
    assert_eq!(Writer::open(&folders, key()).unwrap().acknowledged(), 0);
}

#[test]
fn a_second_writer_is_refused_until_the_lock_is_free() {
    let (_folder, folders, writer) = new_record();
    let error = Writer::open(&folders, key()).unwrap_err();
    assert!(error.is_locked(), "{error}");
    assert!(error.to_string().contains("another process is writing"), "{error}");
    assert!(error.to_string().contains("lock"), "it names the file: {error}");
    let blobs = writer.blobs();
    drop(writer);
    assert!(Writer::open(&folders, key()).unwrap_err().is_locked(), "blobs are being written");
    drop(blobs);
    Writer::open(&folders, key()).unwrap();
}

#[test]
fn a_folder_that_is_no_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of_mission(folder.path());
    let error = Writer::open(&folders, key()).unwrap_err();
    assert!(error.is_not_a_record(), "{error}");
    assert!(names_below(folder.path()).is_empty(), "opening made nothing");
    assert!(Reader::open(&folders.record, key().public()).unwrap_err().is_not_a_record());
    let fault = verify::verify(&folders, key().public(), |_, _| (), |_| ()).unwrap_err();
    assert_eq!(fault.kind(), verify::FaultKind::Missing);

    let writer = Writer::create(&folders, key()).unwrap();
    assert!(Writer::create(&folders, key()).unwrap_err().is_exists());
    drop(writer);
    assert!(Writer::create(&folders, key()).unwrap_err().is_exists());
}

#[test]
fn a_lost_checkpoint_is_not_papered_over() {
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 2);
    writer.close().unwrap();
    fs::remove_file(folders.record.join("checkpoint")).unwrap();
    assert!(Writer::open(&folders, key()).unwrap_err().is_not_a_record());
    let error = Writer::create(&folders, key()).unwrap_err();
    assert!(error.is_not_a_record() && error.to_string().contains("no checkpoint"), "{error}");
}

#[test]
fn another_key_cannot_open_it() {
    let (_folder, folders, writer) = new_record();
    drop(writer);
    let same_name = PrivateKey::from_seed("ledger.example/test", &[1; 32]).unwrap();
    assert!(Writer::open(&folders, same_name.clone()).unwrap_err().is_signature());
    assert!(Reader::open(&folders.record, same_name.public()).unwrap_err().is_signature());
    let fault = verify::verify(&folders, same_name.public(), |_, _| (), |_| ()).unwrap_err();
    assert_eq!(fault.kind(), verify::FaultKind::CheckpointSignature);
}

#[test]
fn refused_entries_leave_the_writer_sound() {
    let (_folder, folders, mut writer) = new_record();
    let refused = |result: Result<u64, AppendError>| match result {
        Err(AppendError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    };
    assert!(refused(writer.append(b"")).is_empty_entry());
    assert!(refused(writer.append(&vec![1; ENTRY_BYTES_MAX + 1])).is_too_long());
    assert_eq!(writer.append(&vec![2; ENTRY_BYTES_MAX]).unwrap(), 0);
    let mut staged = 1;
    let full = loop {
        match writer.append(&vec![3; ENTRY_BYTES_MAX]) {
            Ok(index) => {
                assert_eq!(index, staged);
                staged += 1;
            }
            other => break refused(other),
        }
    };
    assert!(full.is_commit_first(), "{full}");
    assert_eq!(staged as usize, FRAME_BODY_BYTES_MAX / (ENTRY_BYTES_MAX + 2));
    assert_eq!(writer.commit().unwrap(), 0..staged);
    assert_eq!(writer.append(b"after").unwrap(), staged);
    assert_eq!(writer.close().unwrap().size(), staged + 1);
    assert_eq!(check(&folders).entries, staged + 1);
}

#[test]
fn more_than_the_memory_bound_may_wait() {
    let (_folder, folders, mut writer) = new_record();
    let long = vec![7; 50_000];
    let mut count = 0;
    while count * 50_002 < WAITING_BYTES_MAX + FRAME_BODY_BYTES_MAX {
        for _ in 0..100 {
            writer.append(&long).unwrap();
            count += 1;
        }
        writer.commit().unwrap();
    }
    assert_eq!(writer.waiting().entries, count as u64);
    assert!(folders.record.join("tile/entries/000").exists(), "full bundles did not wait");
    assert!(!names_below(&folders.record).iter().any(|name| name.contains(".p/")));
    drop(writer);
    // Killed here: the files beyond the checkpoint agree with the journal, and a reader sees none.
    let report = check(&folders);
    assert_eq!((report.entries, report.waiting_entries), (0, count as u64));
    assert!(report.notes.iter().all(|note| note.kind() == verify::NoteKind::NotYet));
    let writer = Writer::open(&folders, key()).unwrap();
    assert_eq!(writer.published().size(), count as u64);
    assert_eq!(check(&folders).entries, count as u64);
}

#[test]
fn the_files_are_those_of_the_specification() {
    // C2SP tlog-tiles, "Partial Tiles", gives both sizes as examples.
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 256);
    writer.checkpoint().unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected: BTreeSet<String> =
        names(&["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    assert_eq!(names_below(&folders.record), expected);

    add(&mut writer, 70_000 - 256);
    writer.close().unwrap();
    let mut expected: BTreeSet<String> = (0..273)
        .flat_map(|index| [format!("tile/0/{index:03}"), format!("tile/entries/{index:03}")])
        .collect();
    expected.extend::<BTreeSet<String>>(names(&[
        "checkpoint",
        "tile/0/273.p/112",
        "tile/entries/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
        "tile/1/000.p/1", // of the checkpoint at 256, kept for ever
    ]));
    assert_eq!(names_below(&folders.record), expected);
    let report = check(&folders);
    assert_eq!(report.entries, 70_000);
    assert_eq!((report.full_bundles, report.partial_bundles), (273, 1));
    assert_eq!((report.full_tiles, report.partial_tiles), (274, 4));
    let leaves = (0..70_000).map(|index| leaf_hash(&entry(index)));
    let reader = Reader::open(&folders.record, key().public()).unwrap();
    assert_eq!(reader.root(), tree_root(leaves));
    assert_eq!(reader.root_at(256).unwrap(), tree_root((0..256).map(|i| leaf_hash(&entry(i)))));
}

#[test]
fn every_proof_between_checkpoints_holds() {
    let (_folder, folders, mut writer) = new_record();
    let mut roots = vec![(0, Hash::EMPTY_TREE)];
    for count in [1, 1, 5, 200, 49, 1, 255, 300] {
        add(&mut writer, count);
        let published = writer.checkpoint().unwrap();
        roots.push((published.size(), published.root()));
    }
    let reader = Reader::open(&folders.record, key().public()).unwrap();
    for (at, (old_size, old_root)) in roots.iter().enumerate() {
        assert_eq!(reader.root_at(*old_size).unwrap(), *old_root);
        for (new_size, new_root) in &roots[at..] {
            let proof = reader.consistency_proof(*old_size, *new_size).unwrap();
            verify_consistency(*old_size, old_root, *new_size, new_root, &proof).unwrap();
        }
        for index in 0..*old_size {
            let proof = reader.inclusion_proof(index, *old_size).unwrap();
            let leaf = leaf_hash(&entry(index));
            verify_inclusion(index, *old_size, &leaf, &proof, old_root).unwrap();
        }
    }
    let size = reader.size();
    assert!(reader.inclusion_proof(size, size).unwrap_err().is_out_of_range());
    assert!(reader.inclusion_proof(5, 5).unwrap_err().is_out_of_range());
    assert!(reader.inclusion_proof(0, size + 1).unwrap_err().is_out_of_range());
    assert!(reader.consistency_proof(5, 4).unwrap_err().is_out_of_range());
    assert!(reader.proof_text(size).unwrap_err().is_out_of_range());
    let text = reader.proof_text(256).unwrap();
    assert_eq!(text.verify(key().public(), &entry(256)).unwrap(), *reader.checkpoint());
    assert!(text.verify(key().public(), &entry(257)).unwrap_err().is_proof());
}

#[test]
fn readers_read_beside_the_writer() {
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 300);
    writer.checkpoint().unwrap();
    let mut reader = Reader::open(&folders.record, key().public()).unwrap();
    add(&mut writer, 7);
    let waiting = reader.waiting(&folders.journal).unwrap();
    let bytes = (0..7).map(|at| entry(300 + at).len() as u64 + 2).sum();
    assert_eq!(waiting, Waiting { entries: 7, bytes });
    assert_eq!(writer.waiting(), waiting);
    let mut seen = Vec::new();
    reader
        .visit_waiting(&folders.journal, |index, bytes| seen.push((index, bytes.to_vec())))
        .unwrap();
    assert_eq!(seen, (300..307).map(|index| (index, entry(index))).collect::<Vec<_>>());

    add(&mut writer, 400);
    writer.checkpoint().unwrap();
    // The old reader reads on as if nothing had happened, from partial files that are kept.
    let mut entries = reader.entries(250..300).unwrap();
    for index in 250..300 {
        assert_eq!(entries.advance().unwrap(), Some((index, &entry(index)[..])));
    }
    assert_eq!(entries.advance().unwrap(), None);
    reader.proof_text(299).unwrap();
    assert!(reader.entries(299..301).unwrap_err().is_out_of_range());
    assert!(reader.refresh().unwrap());
    assert!(!reader.refresh().unwrap());
    assert_eq!(reader.size(), 707);
    assert_eq!(reader.entry(706).unwrap(), entry(706));
    check(&folders);
}

/// Verification and reading beside a writer that publishes as fast as it can: no false alarm.
#[test]
fn verification_beside_a_writer_raises_no_false_alarm() {
    use std::sync::atomic::{AtomicBool, Ordering};
    /// Ends the writer however the scope is left, or a failure would wait for it for ever.
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (_folder, folders, mut writer) = new_record();
    let done = AtomicBool::new(false);
    let (mut runs, mut sizes) = (0, BTreeSet::new());
    std::thread::scope(|scope| {
        let _end = End(&done);
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                add(&mut writer, 37);
                if writer.acknowledged().is_multiple_of(4) {
                    writer.checkpoint().unwrap();
                }
            }
        });
        let started = std::time::Instant::now();
        while started.elapsed().as_secs() < 3 {
            sizes.insert(check(&folders).entries);
            let reader = Reader::open(&folders.record, key().public()).unwrap();
            reader.waiting(&folders.journal).unwrap();
            if reader.size() > 0 {
                reader.proof_text(reader.size() - 1).unwrap();
            }
            runs += 1;
        }
    });
    println!("{runs} runs, {} sizes", sizes.len());
    drop(writer);
    drop(Writer::open(&folders, key()).unwrap());
    check(&folders);
}

#[test]
fn a_mirror_may_delete_partial_files_once_the_full_ones_are_there() {
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 300);
    writer.checkpoint().unwrap();
    let reader = Reader::open(&folders.record, key().public()).unwrap();
    add(&mut writer, 300);
    writer.close().unwrap();
    for folder in ["tile/0/001.p", "tile/entries/001.p"] {
        fs::remove_dir_all(folders.record.join(folder)).unwrap();
    }
    for index in [0, 255, 256, 299] {
        assert_eq!(reader.entry(index).unwrap(), entry(index));
        reader.proof_text(index).unwrap();
    }
    check(&folders);
    // A mirror has no journal and perhaps files that its checkpoint does not cover yet.
    fs::remove_dir_all(&folders.journal).unwrap();
    fs::write(folders.record.join("checkpoint"), reader.checkpoint_note()).unwrap();
    fs::create_dir_all(folders.record.join("tile/0/001.p")).unwrap();
    fs::create_dir_all(folders.record.join("tile/entries/001.p")).unwrap();
    let full = fs::read(folders.record.join("tile/0/001")).unwrap();
    fs::write(folders.record.join("tile/0/001.p/44"), &full[..44 * 32]).unwrap();
    let bundle = fs::read(folders.record.join("tile/entries/001")).unwrap();
    let cut: usize = (256..300).map(|index| entry(index).len() + 2).sum();
    fs::write(folders.record.join("tile/entries/001.p/44"), &bundle[..cut]).unwrap();
    let report = check(&folders);
    assert_eq!(report.entries, 300);
    assert!(report.notes.iter().any(|note| note.kind() == verify::NoteKind::NotCompared));
}

#[test]
fn checkpoints_are_published_when_due() {
    let (_folder, _folders, mut writer) = new_record();
    let cadence = Cadence { entries_max: 10, bytes_max: 1000 };
    assert!(!writer.checkpoint_if_due(cadence).unwrap());
    add(&mut writer, 9);
    assert!(!writer.checkpoint_if_due(cadence).unwrap());
    add(&mut writer, 1);
    assert!(writer.checkpoint_if_due(cadence).unwrap());
    assert_eq!(writer.published().size(), 10);
    writer.append(&[0; 998]).unwrap();
    assert!(!writer.checkpoint_if_due(cadence).unwrap(), "staged entries do not count");
    writer.commit().unwrap();
    assert!(writer.checkpoint_if_due(cadence).unwrap());
    let before = writer.published().clone();
    assert_eq!(*writer.checkpoint().unwrap(), before, "nothing new, nothing published");
    writer.append(b"staged").unwrap();
    assert_eq!(*writer.checkpoint().unwrap(), before, "staged entries stay staged");
    assert_eq!(writer.close().unwrap().size(), 12, "closing commits");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 3);
    writer.close().unwrap();
    fs::set_permissions(&folders.journal, fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(&folders.record, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folders.record.join("probe"), b"").is_ok() {
        fs::remove_file(folders.record.join("probe")).unwrap();
        println!("SKIPPED on the real disk: this user may write everywhere");
    } else {
        let error = Writer::open(&folders, key()).unwrap_err();
        assert!(error.is_denied() && error.to_string().contains("record"), "{error}");
    }
    let reader = Reader::open(&folders.record, key().public()).unwrap();
    assert_eq!(reader.entry(2).unwrap(), entry(2), "reading needs no right to write");
    check(&folders);
    fs::set_permissions(&folders.journal, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&folders.record, fs::Permissions::from_mode(0o755)).unwrap();

    // The same on the simulated disk, where no user is above the rules: each step of opening.
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
        let folders = Folders::of_mission("/m");
        let start = Sim::new(0, Synchronise::WholeFileSystem);
        drop(Writer::create_on(start.clone(), &folders, key()).unwrap());
        for step in 1.. {
            let sim = start.fork(step);
            sim.plan(Plan::Fail(step, kind));
            match Writer::open_on(sim, &folders, key()) {
                Ok(_) => break,
                Err(error) => {
                    assert!(error.is_disk() && error.to_string().contains("/m"), "{error}");
                }
            }
        }
    }
    // A file where a folder should be.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("record"), b"").unwrap();
    let error = Writer::create(&Folders::of_mission(folder.path()), key()).unwrap_err();
    assert!(error.is_disk() && error.to_string().contains("record"), "{error}");
}

#[test]
fn altered_files_at_the_edge_are_noticed_when_opening() {
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 300);
    writer.close().unwrap();
    for name in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"] {
        let path = folders.record.join(name);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[20] ^= 1;
        fs::write(&path, &bad).unwrap();
        let error = Writer::open(&folders, key()).unwrap_err();
        assert!(error.is_contradiction(), "{name}: {error}");
        fs::write(&path, good).unwrap();
    }
    Writer::open(&folders, key()).unwrap();
}

#[test]
fn readers_notice_tiles_and_checkpoints_that_contradict_each_other() {
    let (_folder, folders, mut writer) = new_record();
    add(&mut writer, 300);
    writer.checkpoint().unwrap();
    let old = fs::read(folders.record.join("checkpoint")).unwrap();
    add(&mut writer, 300);
    writer.close().unwrap();
    let mut reader = Reader::open(&folders.record, key().public()).unwrap();

    // The record cannot shrink, nor change under the same size.
    let new = fs::read(folders.record.join("checkpoint")).unwrap();
    fs::write(folders.record.join("checkpoint"), &old).unwrap();
    assert!(reader.refresh().unwrap_err().is_contradiction());
    let forked = record::Checkpoint::new(key().public().name(), 600, Hash::of(b"fork")).unwrap();
    fs::write(folders.record.join("checkpoint"), forked.sign(&key()).unwrap()).unwrap();
    assert!(reader.refresh().unwrap_err().is_contradiction());
    fs::write(folders.record.join("checkpoint"), &new).unwrap();
    assert!(!reader.refresh().unwrap());

    // No proof is given out that does not hold.
    let tile = folders.record.join("tile/0/000");
    let good = fs::read(&tile).unwrap();
    let mut bad = good.clone();
    bad[7 * 32] ^= 1;
    fs::write(&tile, bad).unwrap();
    assert!(reader.inclusion_proof(6, 600).unwrap_err().is_contradiction());
    fs::write(&tile, &good[..8000]).unwrap();
    assert!(reader.inclusion_proof(6, 600).unwrap_err().is_contradiction());
    fs::write(&tile, &good).unwrap();
    reader.inclusion_proof(6, 600).unwrap();
    let bundle = folders.record.join("tile/entries/000");
    let good = fs::read(&bundle).unwrap();
    let mut bad = good.clone();
    bad[3] ^= 1;
    fs::write(&bundle, bad).unwrap();
    assert!(reader.proof_text(0).unwrap_err().is_contradiction());
    fs::write(&bundle, &good[..good.len() - 1]).unwrap();
    assert!(reader.entry(0).unwrap_err().is_contradiction());
    fs::remove_file(&bundle).unwrap();
    assert!(reader.entry(0).unwrap_err().is_missing());
}

#[test]
fn blobs_are_files_that_sha256sum_can_check() {
    let (_folder, folders, writer) = new_record();
    let blobs = writer.blobs();
    let long: Vec<u8> = (0..3_000_000_u32).map(|at| (at >> 8) as u8).collect();
    let (hash, length_bytes) = blobs.put_from(&mut &long[..]).unwrap();
    assert_eq!((hash, length_bytes), (Hash::of(&long), 3_000_000));
    let path = folders.blobs.join("sha256").join(&hash.to_string()[..2]).join(hash.to_string());
    assert_eq!(fs::read(&path).unwrap(), long);
    assert_eq!(blobs.put(b"").unwrap(), Hash::EMPTY_TREE);
    assert!(names_below(&folders.blobs.join("incoming")).is_empty());
    assert!(blobs.reader().contains(&hash).unwrap());
    assert!(!blobs.reader().contains(&Hash::of(b"no")).unwrap());

    let required = BTreeSet::from([hash]);
    let report = blob::verify(&folders.blobs, &required, |_| ()).unwrap();
    assert_eq!((report.blobs, report.required, report.bytes), (2, 1, 3_000_000));
    assert_eq!(report.notes.iter().count(), 1, "nobody required the other");
    for one in [hash, Hash::EMPTY_TREE] {
        let report = blob::verify(&folders.blobs, &BTreeSet::from([one]), |_| ()).unwrap();
        assert_eq!((report.blobs, report.required), (2, 1));
    }
    // A missing one is named wherever it stands in the order.
    for missing in [Hash::from_bytes([0; 32]), Hash::from_bytes([0xff; 32])] {
        let required = BTreeSet::from([hash, missing]);
        let fault = blob::verify(&folders.blobs, &required, |_| ()).unwrap_err();
        assert_eq!(fault.kind(), verify::FaultKind::BlobMissing);
        assert!(fault.path().ends_with(missing.to_string()), "{fault}");
    }
    let missing = Hash::of(b"missing");
    let fault = blob::verify(&folders.blobs, &BTreeSet::from([hash, missing]), |_| ()).unwrap_err();
    assert_eq!(fault.kind(), verify::FaultKind::BlobMissing);
    assert!(fault.path().ends_with(missing.to_string()));

    // Damaged: named by the verification, refused by the reader, mended by storing it again.
    let mut bad = long.clone();
    bad[2_999_999] ^= 1;
    fs::write(&path, bad).unwrap();
    let fault = blob::verify(&folders.blobs, &required, |_| ()).unwrap_err();
    assert_eq!((fault.kind(), fault.path()), (verify::FaultKind::BlobAltered, &*path));
    assert!(blobs.reader().get(&hash).unwrap_err().is_contradiction());
    blobs.put(&long).unwrap();
    assert_eq!(blobs.reader().get(&hash).unwrap(), long);

    // What a killed writer left behind goes away.
    fs::write(folders.blobs.join("incoming/99"), b"half").unwrap();
    fs::write(folders.record.join(".incoming"), b"half").unwrap();
    assert_eq!(blob::verify(&folders.blobs, &required, |_| ()).unwrap().notes.iter().count(), 2);
    assert_eq!(check(&folders).notes.iter().next().unwrap().kind(), verify::NoteKind::Incoming);
    drop((blobs, writer));
    drop(Writer::open(&folders, key()).unwrap());
    assert!(names_below(&folders.blobs.join("incoming")).is_empty());
    assert!(check(&folders).notes.is_empty());
}
