//! Power failures and failing steps on a simulated disk.
//!
//! Laws under test: nothing acknowledged is lost, nothing is there twice, opening recovers by
//! itself, a reader sees what the checkpoint covers at any time, verification passes after opening.

mod common;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use common::chance::Chance;
use common::sim::{Plan, Sim, Synchronise};
use common::{key, number_from_environment};
use record::blob;
use record::medium::{Item, Medium, Tail};
use record::{AppendError, BlobReader, Error, Fatal, Folders, Hash, Reader, Writer, verify};

fn folders() -> Folders {
    Folders::of_mission("/m")
}

/// What the outside world was told, and what it may find besides.
#[derive(Clone, Default)]
struct World {
    /// Acknowledged entries by index.
    acknowledged: Vec<Vec<u8>>,
    /// Entries of a commit that failed: all of them may be there, or none.
    uncertain: Vec<Vec<u8>>,
    /// Blobs whose writing returned.
    blobs: BTreeSet<Hash>,
    /// Numbers the entries, so that no two are alike.
    count: u64,
    /// Largest checkpoint that was returned.
    published: u64,
}

impl World {
    fn entry(&mut self, chance: &mut Chance) -> Vec<u8> {
        self.count += 1;
        let length = match chance.below(40) {
            0 => chance.below(3000),
            _ => chance.below(12),
        };
        let mut entry = self.count.to_be_bytes().to_vec();
        entry.extend(chance.bytes(length as usize));
        entry
    }

    /// Reads everything back. Says how many entries there are.
    fn check(&mut self, sim: &Sim, writer: &Writer<Sim>) {
        let expected = self.acknowledged.len();
        let found = writer.acknowledged() as usize;
        assert!(
            found == expected || found == expected + self.uncertain.len(),
            "{found} entries, {expected} acknowledged and {} uncertain",
            self.uncertain.len()
        );
        if found > expected {
            self.acknowledged.append(&mut self.uncertain);
        }
        self.uncertain.clear();
        assert_eq!(writer.published().size(), found as u64, "opening publishes what waits");
        self.check_reader(sim, found as u64);
        self.check_verify(sim);
    }

    fn check_reader(&self, sim: &Sim, size_min: u64) {
        let public = key().public().clone();
        let reader = Reader::open_on(sim.clone(), folders().record, &public).expect("opens");
        assert!(reader.size() >= size_min.max(self.published), "the record shrank");
        let mut entries = reader.entries(0..reader.size()).expect("within");
        let mut seen = BTreeSet::new();
        while let Some((index, entry)) = entries.advance().expect("reads") {
            let known = self
                .acknowledged
                .get(index as usize)
                .or_else(|| self.uncertain.get(index as usize - self.acknowledged.len()));
            assert_eq!(Some(entry), known.map(Vec::as_slice), "entry {index}");
            assert!(seen.insert(entry.to_vec()), "entry {index} is there twice");
        }
    }

    fn check_verify(&self, sim: &Sim) {
        let public = key().public().clone();
        let report = verify::verify_on(sim, &folders(), &public, |_, _| (), |_| ());
        let report = report.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(report.entries + report.waiting_entries, self.acknowledged.len() as u64);
        let report = blob::verify_on(sim, &folders().blobs, &self.blobs, |_| ());
        let report = report.unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!(report.required, self.blobs.len() as u64);
    }
}

/// What ended a session.
#[derive(Debug)]
enum Ended {
    Opening(Error),
    Writing(Fatal),
    Blob(Error),
    Well,
}

fn commit(writer: &mut Writer<Sim>, world: &mut World, staged: Vec<Vec<u8>>) -> Result<(), Fatal> {
    let first = world.acknowledged.len() as u64;
    match writer.commit() {
        Ok(range) => {
            assert_eq!(range, first..first + staged.len() as u64);
            world.acknowledged.extend(staged);
            Ok(())
        }
        Err(fatal) => {
            world.uncertain = staged;
            Err(fatal)
        }
    }
}

/// Opens (or creates), writes at random for a while, and closes or not.
fn session(sim: &Sim, world: &mut World, chance: &mut Chance, checked: bool) -> Ended {
    let opened = match Writer::open_on(sim.clone(), &folders(), key()) {
        Err(error) if error.is_not_a_record() && world.acknowledged.is_empty() => {
            Writer::create_on(sim.clone(), &folders(), key())
        }
        other => other,
    };
    let mut writer = match opened {
        Ok(writer) => writer,
        Err(error) => return Ended::Opening(error),
    };
    world.published = world.published.max(writer.published().size());
    if checked {
        world.check(sim, &writer);
    } else {
        // The plan counts steps, and the checks are full of them: only take note.
        if writer.acknowledged() as usize > world.acknowledged.len() {
            let mut uncertain = std::mem::take(&mut world.uncertain);
            world.acknowledged.append(&mut uncertain);
        }
        world.uncertain.clear();
        assert_eq!(writer.acknowledged() as usize, world.acknowledged.len());
    }
    for _ in 0..chance.below(12) {
        if chance.one_in(5) {
            let bytes = chance.bytes(1500);
            match writer.blobs().put(&bytes) {
                Ok(hash) => assert!(world.blobs.insert(hash)),
                Err(error) => return Ended::Blob(error),
            }
        }
        let count = if chance.one_in(9) { chance.below(300) } else { chance.below(12) };
        let mut staged = Vec::new();
        for _ in 0..count {
            let entry = world.entry(chance);
            let index = match writer.append(&entry) {
                Ok(index) => index,
                Err(AppendError::Fatal(fatal)) => return Ended::Writing(fatal),
                Err(AppendError::Refused(refused)) => panic!("{refused}"),
            };
            assert_eq!(index as usize, world.acknowledged.len() + staged.len());
            staged.push(entry);
        }
        if let Err(fatal) = commit(&mut writer, world, staged) {
            assert!(writer.commit().expect_err("poisoned").is_poisoned());
            return Ended::Writing(fatal);
        }
        if chance.one_in(3) {
            match writer.checkpoint() {
                Ok(published) => world.published = published.size(),
                Err(fatal) => {
                    assert!(writer.append(b"x").is_err(), "poisoned");
                    return Ended::Writing(fatal);
                }
            }
        }
    }
    if chance.one_in(2) {
        match writer.close() {
            Ok(published) => world.published = published.size(),
            Err(fatal) => return Ended::Writing(fatal),
        }
    }
    Ended::Well
}

#[test]
fn power_fails_at_random() {
    let seeds = number_from_environment("RECORD_POWER_SEEDS", 2000);
    let first = number_from_environment("RECORD_POWER_SEED", 0);
    let (mut failures, mut uncertain_kept) = (0, 0);
    for seed in first..first + seeds {
        let mode = if seed % 2 == 0 { Synchronise::WholeFileSystem } else { Synchronise::EachFile };
        let sim = Sim::new(seed, mode);
        let mut chance = Chance::new(seed ^ 0x5eed);
        let mut world = World::default();
        for _ in 0..5 {
            sim.plan(Plan::PowerFailure(1 + chance.below(160)));
            let ended = session(&sim, &mut world, &mut chance, false);
            if !matches!(ended, Ended::Well) {
                assert!(!sim.is_powered(), "seed {seed}: {ended:?}");
            }
            failures += u64::from(!sim.is_powered());
            let before = world.acknowledged.len();
            if chance.one_in(4) {
                sim.kill();
            } else {
                sim.fail_power();
            }
            // A reader needs no recovery. (There is no record yet if it was never created.)
            if before > 0 {
                world.check_reader(&sim, 0);
            }
            sim.plan(Plan::Nothing);
            let ended = session(&sim, &mut world, &mut chance, true);
            assert!(matches!(ended, Ended::Well), "seed {seed}: {ended:?}");
            uncertain_kept += world.acknowledged.len() - before;
            sim.kill();
        }
    }
    println!("{seeds} runs, {failures} power failures, {uncertain_kept} entries written after");
    assert!(failures > 2 * seeds, "the plan must hit");
}

/// A script that touches every kind of step: opening with entries in the journal, commits across a
/// tile boundary, checkpoints, a blob, closing.
fn script(sim: &Sim, world: &mut World) -> Ended {
    let mut chance = Chance::new(7);
    let mut writer = match Writer::open_on(sim.clone(), &folders(), key()) {
        Ok(writer) => writer,
        Err(error) => return Ended::Opening(error),
    };
    for round in 0..3 {
        if round == 1 {
            match writer.blobs().put(&chance.bytes(700)) {
                Ok(hash) => assert!(world.blobs.insert(hash)),
                Err(error) => return Ended::Blob(error),
            }
        }
        let mut staged = Vec::new();
        for _ in 0..5 {
            let entry = world.entry(&mut chance);
            writer.append(&entry).expect("nothing failed yet");
            staged.push(entry);
        }
        if let Err(fatal) = commit(&mut writer, world, staged) {
            assert!(writer.commit().expect_err("poisoned").is_poisoned());
            assert!(writer.checkpoint().expect_err("poisoned").is_poisoned());
            assert!(writer.close().expect_err("poisoned").is_poisoned());
            return Ended::Writing(fatal);
        }
        if round < 2 {
            match writer.checkpoint() {
                Ok(published) => world.published = published.size(),
                Err(fatal) => {
                    assert!(writer.append(b"x").is_err());
                    assert!(writer.commit().expect_err("poisoned").is_poisoned());
                    return Ended::Writing(fatal);
                }
            }
        }
    }
    match writer.close() {
        Ok(published) => world.published = published.size(),
        Err(fatal) => return Ended::Writing(fatal),
    }
    Ended::Well
}

/// A record of 249 entries under a checkpoint and 4 in the journal.
fn base(mode: Synchronise) -> (Sim, World) {
    let sim = Sim::new(1, mode);
    let mut world = World::default();
    let mut chance = Chance::new(2);
    let mut writer = Writer::create_on(sim.clone(), &folders(), key()).unwrap();
    for count in [249, 4] {
        let staged: Vec<Vec<u8>> = (0..count).map(|_| world.entry(&mut chance)).collect();
        for entry in &staged {
            writer.append(entry).unwrap();
        }
        commit(&mut writer, &mut world, staged).unwrap();
        if count == 249 {
            world.published = writer.checkpoint().unwrap().size();
        }
    }
    drop(writer);
    sim.kill();
    (sim, world)
}

#[test]
fn each_step_fails_in_turn() {
    for mode in [Synchronise::WholeFileSystem, Synchronise::EachFile] {
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::Other] {
            let (start, start_world) = base(mode);
            let mut step = 0;
            let mut ends = [0; 3];
            loop {
                step += 1;
                let sim = start.fork(step);
                let mut world = start_world.clone();
                sim.plan(Plan::Fail(step, kind));
                let ended = script(&sim, &mut world);
                let done = sim.steps() < step;
                match &ended {
                    Ended::Well => (),
                    Ended::Opening(error) => {
                        ends[0] += 1;
                        assert!(error.is_disk(), "step {step}: {error}");
                        assert!(!error.is_locked() && !error.is_not_a_record());
                    }
                    Ended::Writing(fatal) => {
                        ends[1] += 1;
                        assert!(fatal.is_disk() && !fatal.is_poisoned(), "step {step}: {fatal}");
                        assert_eq!(fatal.is_no_space(), kind == io::ErrorKind::StorageFull);
                    }
                    Ended::Blob(error) => {
                        ends[2] += 1;
                        assert!(error.is_disk(), "step {step}: {error}");
                    }
                }
                // The record is valid as it stands: nothing half-written is under the checkpoint.
                sim.plan(Plan::Nothing);
                world.check_reader(&sim, 0);
                let public = key().public().clone();
                let report = verify::verify_on(&sim, &folders(), &public, |_, _| (), |_| ());
                report.unwrap_or_else(|fault| panic!("step {step}, {ended:?}: {fault}"));
                // And it opens again, with the power on or after a failure of it.
                if step % 2 == 0 {
                    sim.kill();
                } else {
                    sim.fail_power();
                }
                let writer = Writer::open_on(sim.clone(), &folders(), key())
                    .unwrap_or_else(|error| panic!("step {step}, {ended:?}: {error}"));
                world.check(&sim, &writer);
                if done {
                    break;
                }
            }
            assert!(step > 60, "the script has {step} steps");
            assert!(ends.iter().all(|count| *count > 2), "each part fails somewhere: {ends:?}");
            println!("{mode:?}, {kind:?}: {step} steps, ends {ends:?}");
        }
    }
}

#[test]
fn power_fails_at_each_step_in_turn() {
    for mode in [Synchronise::WholeFileSystem, Synchronise::EachFile] {
        let (start, start_world) = base(mode);
        let mut step = 0;
        loop {
            step += 1;
            let mut done = false;
            for seed in 0..8 {
                let sim = start.fork(step * 100 + seed);
                let mut world = start_world.clone();
                sim.plan(Plan::PowerFailure(step));
                let ended = script(&sim, &mut world);
                done = sim.steps() < step;
                assert!(matches!(ended, Ended::Well) || !sim.is_powered());
                if seed % 2 == 0 {
                    sim.fail_power();
                } else {
                    sim.kill(); // only the process ended, so far
                }
                world.check_reader(&sim, 0);
                // The power fails again while the record is opened, and again.
                for again in 0..3 {
                    sim.plan(Plan::PowerFailure(1 + (step * 7 + seed * 3 + again * 11) % 60));
                    match Writer::open_on(sim.clone(), &folders(), key()) {
                        Ok(writer) => drop(writer),
                        Err(error) => assert!(!sim.is_powered(), "{error}"),
                    }
                    sim.fail_power();
                }
                let writer = Writer::open_on(sim.clone(), &folders(), key())
                    .unwrap_or_else(|error| panic!("step {step}, seed {seed}: {error}"));
                world.check(&sim, &writer);
            }
            if done {
                break;
            }
        }
    }
}

#[test]
fn a_commit_is_one_write_and_one_synchronisation() {
    let sim = Sim::new(5, Synchronise::WholeFileSystem);
    let mut writer = Writer::create_on(sim.clone(), &folders(), key()).unwrap();
    for count in [1, 1000] {
        sim.plan(Plan::Nothing); // counts anew
        for _ in 0..count {
            writer.append(b"entry").unwrap();
        }
        assert_eq!(sim.steps(), 0, "staging touches nothing");
        writer.commit().unwrap();
        assert_eq!(sim.steps(), 2);
        writer.commit().unwrap();
        assert_eq!(sim.steps(), 2, "nothing staged, nothing done");
    }
}

#[test]
fn a_blob_is_read_back_and_missed() {
    let sim = Sim::new(3, Synchronise::WholeFileSystem);
    let writer = Writer::create_on(sim.clone(), &folders(), key()).unwrap();
    let hash = writer.blobs().put(b"payload").unwrap();
    sim.fail_power();
    let reader = BlobReader::new_on(sim, folders().blobs);
    assert_eq!(reader.get(&hash).unwrap(), b"payload");
    assert!(reader.get(&Hash::of(b"another")).unwrap_err().is_missing());
}

/// A killed process may leave a name that is not durable. Whoever relies on it next must make it so.
#[test]
fn a_blob_that_is_put_again_after_a_kill_survives() {
    let start = Sim::new(4, Synchronise::EachFile);
    drop(Writer::create_on(start.clone(), &folders(), key()).unwrap());
    let mut step = 0;
    let mut done = false;
    while !done {
        step += 1;
        for seed in 0..20 {
            let sim = start.fork(step * 100 + seed);
            let writer = Writer::open_on(sim.clone(), &folders(), key()).unwrap();
            sim.plan(Plan::PowerFailure(step));
            done = writer.blobs().put(b"payload").is_ok();
            sim.kill();
            drop(writer);
            let writer = Writer::open_on(sim.clone(), &folders(), key()).unwrap();
            let hash = writer.blobs().put(b"payload").unwrap();
            sim.fail_power();
            let reader = BlobReader::new_on(sim.clone(), folders().blobs);
            assert_eq!(reader.get(&hash).unwrap(), b"payload", "step {step}");
        }
    }
    assert!(step > 5, "putting a blob takes {step} steps");
}

/// Whoever restores only the public part from a mirror gets a journal that is durable.
#[test]
fn a_journal_that_is_made_anew_survives() {
    let (from, _) = base(Synchronise::EachFile);
    drop(Writer::open_on(from.clone(), &folders(), key()).unwrap());
    for seed in 0..50 {
        let to = Sim::new(seed, Synchronise::EachFile);
        let written = copy(&from, &to, Path::new("/m/record"));
        to.sync_tree(&to.watch(Path::new("/m")).unwrap(), &written).unwrap();
        to.sync_folder(Path::new("/")).unwrap();
        let mut writer = Writer::open_on(to.clone(), &folders(), key()).unwrap();
        let index = writer.append(b"acknowledged").unwrap();
        writer.commit().unwrap();
        to.fail_power();
        let writer = Writer::open_on(to.clone(), &folders(), key()).unwrap();
        assert_eq!(writer.acknowledged(), index + 1, "seed {seed}");
    }
}

fn copy(from: &Sim, to: &Sim, folder: &Path) -> Vec<PathBuf> {
    let mut written = Vec::new();
    to.create_folders(folder).unwrap();
    for (name, item) in from.list(folder).unwrap() {
        let path = folder.join(name);
        if item == Item::Folder {
            written.extend(copy(from, to, &path));
            continue;
        }
        let mut content = Vec::new();
        from.read(&path, &mut content).unwrap();
        to.create(&path).unwrap().append(&content).unwrap();
        written.push(path);
    }
    written
}
