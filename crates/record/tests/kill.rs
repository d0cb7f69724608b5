//! Crash test with a real process: a child writes, the parent kills it, again and again, on one and
//! the same folder.
//!
//! The child is this test program itself. It prints each acknowledged entry after the commit that
//! acknowledged it; what the parent has read from the pipe must be in the record, at its index,
//! once, whatever the kill interrupted.

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use common::chance::Chance;
use common::{key, number_from_environment};
use record::{Cadence, Folders, Hash, Reader, Writer, blob, verify};

const FOLDER: &str = "RECORD_KILL_FOLDER";
const SEED: &str = "RECORD_KILL_SEED";

/// Runs in the child only: writes until it is killed.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let seed = number_from_environment(SEED, 0);
    let folders = Folders::of_mission(folder);
    let mut chance = Chance::new(seed);
    let mut writer = match Writer::open(&folders, key()) {
        Err(error) if error.is_not_a_record() => Writer::create(&folders, key()),
        other => other,
    }
    .unwrap_or_else(|error| panic!("the child cannot open the record: {error}"));
    let cadence = Cadence { entries_max: 50 + seed % 400, bytes_max: 1 << 20 };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "\nOPEN {}", writer.acknowledged()).unwrap();
    for batch in 0.. {
        let mut said = Vec::new();
        for at in 0..=chance.below(20) {
            let length = match chance.below(100) {
                0 => chance.below(60_000),
                _ => chance.below(400),
            };
            let mut entry = format!("{seed}/{batch}/{at}/").into_bytes();
            entry.extend(chance.bytes(length as usize));
            let index = writer.append(&entry).unwrap();
            writeln!(said, "ENTRY {index} {}", Hash::of(&entry)).unwrap();
        }
        writer.commit().unwrap();
        stdout.write_all(&said).unwrap();
        if chance.one_in(10) {
            let hash = writer.blobs().put(&chance.bytes(10_000)).unwrap();
            writeln!(stdout, "BLOB {hash}").unwrap();
        }
        stdout.flush().unwrap();
        if writer.checkpoint_if_due(cadence).unwrap() {
            writeln!(stdout, "CHECKPOINT {}", writer.published().size()).unwrap();
        }
        if batch % 100 == 99 {
            // Now and then the ordinary way out and in again.
            writer.close().unwrap();
            writer = Writer::open(&folders, key()).unwrap();
        }
    }
}

/// What the children said that is true for ever.
#[derive(Default)]
struct Said {
    entries: Vec<Hash>,
    blobs: BTreeSet<Hash>,
    checkpoint: u64,
    opened: u64,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("OPEN"), Some(size), None) => {
                self.opened += 1;
                let size: usize = size.parse().unwrap();
                assert!(size >= self.entries.len(), "the record shrank to {size}");
            }
            (Some("ENTRY"), Some(index), Some(hash)) => {
                let index: usize = index.parse().unwrap();
                let hash = Hash::from_hex(hash).unwrap();
                // Entries that were acknowledged to nobody may lie between.
                assert!(index >= self.entries.len(), "index {index} was given twice");
                self.entries.resize(index, Hash::EMPTY_TREE);
                self.entries.push(hash);
            }
            (Some("BLOB"), Some(hash), None) => {
                self.blobs.insert(Hash::from_hex(hash).unwrap());
            }
            (Some("CHECKPOINT"), Some(size), None) => self.checkpoint = size.parse().unwrap(),
            _ => (), // what the test harness prints
        }
    }
}

fn spawn(folder: &std::path::Path, seed: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Everything that was said is so, and everything is sound without any repair.
fn check(folders: &Folders, said: &Said, seen: &mut Vec<Hash>) {
    let public = key().public().clone();
    let mut entries = Vec::with_capacity(said.entries.len());
    let report = verify::verify(folders, &public, |_, entry| entries.push(Hash::of(entry)), |_| ())
        .unwrap_or_else(|fault| panic!("{fault}"));
    // The journal holds the rest.
    let reader = Reader::open(&folders.record, &public).unwrap();
    assert!(reader.size() >= said.checkpoint);
    reader
        .visit_waiting(&folders.journal, |index, entry| {
            assert_eq!(index as usize, entries.len());
            entries.push(Hash::of(entry));
        })
        .unwrap();
    assert_eq!(entries.len() as u64, report.entries + report.waiting_entries);
    assert!(entries.len() >= said.entries.len(), "acknowledged entries are missing");
    for (index, (found, expected)) in entries.iter().zip(&said.entries).enumerate() {
        assert!(found == expected || *expected == Hash::EMPTY_TREE, "entry {index} is another");
    }
    let distinct: BTreeSet<&Hash> = entries.iter().collect();
    assert_eq!(distinct.len(), entries.len(), "an entry is there twice");
    assert_eq!(entries[..seen.len()], seen[..], "what was there once stays");
    *seen = entries;
    blob::verify(&folders.blobs, &said.blobs, |_| ()).unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn killed_two_hundred_times() {
    let kills = number_from_environment("RECORD_KILLS", 220);
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::of_mission(folder.path());
    let mut chance = Chance::new(number_from_environment("RECORD_KILL_RUN", 1));
    let mut said = Said::default();
    let mut seen = Vec::new();
    let mut before_open = 0;
    let started = Instant::now();
    for round in 0..kills {
        let mut child = spawn(folder.path(), round);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        let listener = thread::spawn(move || {
            let mut lines = Vec::new();
            for line in stdout.lines() {
                let line = line.unwrap();
                if line.starts_with("OPEN") {
                    let _ = sender.send(());
                }
                lines.push(line);
            }
            lines
        });
        if round % 8 == 7 {
            // While it starts and recovers.
            before_open += 1;
            thread::sleep(Duration::from_micros(chance.below(20_000)));
        } else {
            receiver.recv_timeout(Duration::from_secs(20)).expect("the child opens the record");
            thread::sleep(Duration::from_micros(chance.below(45_000)));
        }
        child.kill().unwrap(); // SIGKILL
        let status = child.wait().unwrap();
        let mut stderr = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
        assert!(status.code().is_none(), "the child ended by itself: {stderr}");
        let lines = listener.join().unwrap();
        // The kill may have cut the last line short; it then lacks its newline and may be wrong.
        let whole = lines.len().saturating_sub(1);
        for line in &lines[..whole] {
            said.hear(line);
        }
        if said.opened > 0 {
            // Sometimes as it was left, sometimes after another open.
            if round % 2 == 0 {
                check(&folders, &said, &mut seen);
            }
            let writer = Writer::open(&folders, key()).unwrap();
            assert!(writer.acknowledged() >= said.entries.len() as u64);
            assert_eq!(writer.published().size(), writer.acknowledged());
            drop(writer);
            check(&folders, &said, &mut seen);
        }
    }
    println!(
        "{kills} kills ({before_open} while opening) in {:.1} s, {} entries, {} acknowledged, \
         {} blobs, {} opened",
        started.elapsed().as_secs_f64(),
        seen.len(),
        said.entries.iter().filter(|hash| **hash != Hash::EMPTY_TREE).count(),
        said.blobs.len(),
        said.opened
    );
    assert!(said.entries.len() > 10_000 || kills < 200, "the children hardly wrote");
}
