//! The journal on a real disk: torn ends, damaged frames, gaps, frames that are covered already.

mod common;

use std::fs;
use std::path::PathBuf;

use common::key;
use record::verify::{FaultKind, NoteKind, Place};
use record::{Folders, Reader, Writer, verify};
use tempfile::TempDir;

const HEADER_BYTES: usize = record::limits::FRAME_HEADER_BYTES;

/// A record of 3 entries under a checkpoint, and one frame in the journal for each of `commits`.
struct Log {
    _folder: TempDir,
    folders: Folders,
    /// Offsets at which the frames of the journal begin, and where the last one ends.
    offsets: Vec<usize>,
    /// The journal as it was left.
    journal: Vec<u8>,
}

impl Log {
    fn new(commits: &[&[&[u8]]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::of_mission(folder.path());
        let mut writer = Writer::create(&folders, key()).unwrap();
        for entry in [b"a", b"b", b"c"] {
            writer.append(entry).unwrap();
        }
        writer.commit().unwrap();
        writer.checkpoint().unwrap();
        let pending = folders.journal.join("pending");
        let mut offsets = vec![0];
        for commit in commits {
            for entry in *commit {
                writer.append(entry).unwrap();
            }
            writer.commit().unwrap();
            offsets.push(fs::metadata(&pending).unwrap().len() as usize);
        }
        drop(writer);
        let journal = fs::read(&pending).unwrap();
        Self { _folder: folder, folders, offsets, journal }
    }

    fn pending(&self) -> PathBuf {
        self.folders.journal.join("pending")
    }

    fn put(&self, journal: &[u8]) {
        fs::write(self.pending(), journal).unwrap();
    }

    /// A copy to try things on.
    fn fork(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let folders = Folders::of_mission(folder.path());
        copy(self.folders.record.parent().unwrap(), folder.path());
        Self {
            _folder: folder,
            folders,
            offsets: self.offsets.clone(),
            journal: self.journal.clone(),
        }
    }

    fn open_and_list(&self) -> Vec<Vec<u8>> {
        drop(Writer::open(&self.folders, key()).unwrap());
        verify::verify(&self.folders, key().public(), |_, _| (), |_| ()).unwrap();
        let reader = Reader::open(&self.folders.record, key().public()).unwrap();
        (0..reader.size()).map(|index| reader.entry(index).unwrap()).collect()
    }

    fn dropped(&self) -> Vec<(String, Vec<u8>)> {
        let mut dropped: Vec<(String, Vec<u8>)> = fs::read_dir(&self.folders.journal)
            .unwrap()
            .map(|item| item.unwrap())
            .map(|item| (item.file_name().into_string().unwrap(), item.path()))
            .filter(|(name, _)| name.starts_with("dropped-"))
            .map(|(name, path)| (name, fs::read(path).unwrap()))
            .collect();
        dropped.sort();
        dropped
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let to = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &to);
        } else {
            fs::copy(item.path(), to).unwrap();
        }
    }
}

fn entries(list: &[&[u8]]) -> Vec<Vec<u8>> {
    list.iter().map(|entry| entry.to_vec()).collect()
}

#[test]
fn a_journal_cut_anywhere_keeps_every_whole_frame() {
    let log = Log::new(&[&[b"d", b"e"], &[b"f"], &[b"g", b"h"]]);
    let all: [&[u8]; 8] = [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"];
    for length in 0..log.journal.len() {
        let fork = log.fork();
        fork.put(&log.journal[..length]);
        let whole_frames = log.offsets.iter().filter(|offset| **offset <= length).count() - 1;
        let kept = [3, 5, 6, 8][whole_frames];
        if !log.offsets.contains(&length) {
            let report = verify::verify(&fork.folders, key().public(), |_, _| (), |_| ()).unwrap();
            let kinds: Vec<NoteKind> = report.notes.iter().map(verify::Note::kind).collect();
            assert_eq!(kinds, [NoteKind::TornJournal]);
            assert_eq!(report.waiting_entries, kept as u64 - 3);
        }
        let reader = Reader::open(&fork.folders.record, key().public()).unwrap();
        assert_eq!(reader.waiting(&fork.folders.journal).unwrap().entries, kept as u64 - 3);
        assert_eq!(fork.open_and_list(), entries(&all[..kept]), "cut at {length}");
        assert!(fork.dropped().is_empty());
    }
}

#[test]
fn a_wrong_last_frame_is_put_aside() {
    let log = Log::new(&[&[b"d"], &[b"e", b"f"]]);
    for at in log.offsets[1]..log.journal.len() {
        let fork = log.fork();
        let mut journal = log.journal.clone();
        journal[at] ^= 0x10;
        fork.put(&journal);
        let fault = verify::verify(&fork.folders, key().public(), |_, _| (), |_| ()).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::JournalDamaged, "byte {at}: {fault}");
        assert_eq!(fault.place(), Place::OffsetBytes(log.offsets[1] as u64));
        assert_eq!(fork.open_and_list(), entries(&[b"a", b"b", b"c", b"d"]));
        let aside = journal[log.offsets[1]..].to_vec();
        assert_eq!(fork.dropped(), [("dropped-4".to_owned(), aside.clone())]);
        let report = verify::verify(&fork.folders, key().public(), |_, _| (), |_| ()).unwrap();
        assert_eq!(report.notes.iter().next().unwrap().kind(), NoteKind::SetAside);

        // The index is used again; a second such frame does not overwrite the first.
        if at % 16 == 0 {
            let mut again = aside.clone();
            again[HEADER_BYTES] ^= 1;
            fork.put(&again);
            assert_eq!(fork.open_and_list().len(), 4);
            let names: Vec<String> = fork.dropped().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, ["dropped-4", "dropped-4.2"]);
        }
    }
}

#[test]
fn a_wrong_frame_before_a_sound_one_is_refused_and_kept() {
    let log = Log::new(&[&[b"d"], &[b"e"], &[b"f"]]);
    for frame in 0..2 {
        for at in log.offsets[frame]..log.offsets[frame + 1] {
            let fork = log.fork();
            let mut journal = log.journal.clone();
            journal[at] ^= 0x01;
            fork.put(&journal);
            let error = Writer::open(&fork.folders, key()).unwrap_err();
            assert!(error.is_journal(), "byte {at}: {error}");
            assert!(error.to_string().contains(&format!("at byte {}:", log.offsets[frame])));
            assert_eq!(fs::read(fork.pending()).unwrap(), journal, "nothing was changed");
            let fault =
                verify::verify(&fork.folders, key().public(), |_, _| (), |_| ()).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::JournalDamaged);
        }
    }
}

#[test]
fn a_gap_is_refused() {
    let log = Log::new(&[&[b"d"], &[b"e"], &[b"f"]]);
    // The first frame is missing; the one in the middle is missing; the first is there twice.
    let first = log.journal[..log.offsets[1]].to_vec();
    let cases = [
        (log.journal[log.offsets[1]..].to_vec(), 0),
        ([&first, &log.journal[log.offsets[2]..]].concat(), log.offsets[1]),
        ([&first, &first[..]].concat(), log.offsets[1]),
    ];
    for (journal, offset) in cases {
        let fork = log.fork();
        fork.put(&journal);
        let error = Writer::open(&fork.folders, key()).unwrap_err();
        assert!(error.is_journal() && error.to_string().contains(&format!("at byte {offset}:")));
        let fault = verify::verify(&fork.folders, key().public(), |_, _| (), |_| ()).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::JournalGap);
        assert_eq!(fault.place(), Place::OffsetBytes(offset as u64));
    }
}

#[test]
fn covered_frames_are_passed_over() {
    let log = Log::new(&[&[b"d"], &[b"e"]]);
    assert_eq!(log.open_and_list().len(), 5);
    assert_eq!(fs::metadata(log.pending()).unwrap().len(), 0, "opening empties the journal");
    log.put(&log.journal); // as if the cut had been lost
    let report = verify::verify(&log.folders, key().public(), |_, _| (), |_| ()).unwrap();
    assert_eq!((report.journal_frames, report.waiting_entries), (2, 0));
    let reader = Reader::open(&log.folders.record, key().public()).unwrap();
    assert_eq!(reader.waiting(&log.folders.journal).unwrap().entries, 0);
    assert_eq!(log.open_and_list(), entries(&[b"a", b"b", b"c", b"d", b"e"]));
}

/// An entry may hold anything, even frames of another journal. If the power fails while its own
/// frame is written and the header is lost, that must not look like damage in the middle.
#[test]
fn an_entry_that_imitates_a_frame_does_not_confuse_a_torn_end() {
    let other = Log::new(&[&[b"x".as_slice(); 9]]);
    let mut imitation = other.journal.clone();
    imitation.extend_from_slice(b"and more");
    let log = Log::new(&[&[b"d"], &[&imitation]]);
    let mut journal = log.journal.clone();
    journal[log.offsets[1]..log.offsets[1] + HEADER_BYTES].fill(0);
    log.put(&journal);
    // The imitated frame is of entry 3, which is acknowledged: it cannot come after entry 4.
    assert_eq!(log.open_and_list(), entries(&[b"a", b"b", b"c", b"d"]));
    assert_eq!(log.dropped().len(), 1);
}

#[test]
fn zeros_after_the_last_frame_are_dropped() {
    let log = Log::new(&[&[b"d"]]);
    let mut journal = log.journal.clone();
    journal.extend_from_slice(&[0; 3000]);
    log.put(&journal);
    assert_eq!(log.open_and_list().len(), 4);
    assert_eq!(log.dropped(), [("dropped-4".to_owned(), vec![0; 3000])]);
}
