//! A simulated disk: what is written is volatile until it is synchronised, power can fail at any
//! step, and any step can be made to fail.
//!
//! The model is that of a file system which promises only what [`record::Medium`] says:
//!
//! - Data of a file is safe after `Tail::sync`. Before that, a power failure keeps any number of
//!   the writes and cuts since the last `sync`, in order; the last kept write may be torn, and
//!   sectors of unsynchronised writes may be zero or garbage.
//! - A name (made, renamed, removed) is safe once its folder is synchronised. Before that, a power
//!   failure keeps any number of the changes in each folder, in order within a folder, independent
//!   between folders. A rename is atomic and belongs to the folder it leads to.
//! - A killed process loses nothing that it had written: that is left to `kill`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use record::medium::{Item, Medium, Tail, folders_above};

use super::chance::Chance;

const SECTOR_BYTES: usize = 512;

/// What the disk will do to a coming step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Nothing,
    /// This step fails with this error, having done a part of its work.
    Fail(u64, io::ErrorKind),
    /// The power fails in this step; every later one fails too.
    PowerFailure(u64),
}

/// How `sync_tree` works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronise {
    WholeFileSystem,
    EachFile,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

#[derive(Clone, Debug)]
enum Write {
    Append(Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct File {
    now: Vec<u8>,
    safe: Vec<u8>,
    unsafe_writes: Vec<Write>,
}

#[derive(Clone, Debug)]
enum Change {
    Make(PathBuf, Node),
    Rename(PathBuf, PathBuf, Node),
    Remove(PathBuf, Node),
}

impl Change {
    fn folder(&self) -> &Path {
        let (Self::Make(path, _) | Self::Rename(_, path, _) | Self::Remove(path, _)) = self;
        path.parent().expect("nothing changes the root")
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Make(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Rename(from, to, node) => {
                if names.get(from) == Some(node) {
                    names.remove(from);
                }
                names.insert(to.clone(), *node);
            }
            Self::Remove(path, node) => {
                if names.get(path) == Some(node) {
                    names.remove(path);
                }
            }
        }
    }
}

#[derive(Clone, Debug)]
struct State {
    chance: Chance,
    plan: Plan,
    steps: u64,
    powered: bool,
    synchronise: Synchronise,
    now: BTreeMap<PathBuf, Node>,
    safe: BTreeMap<PathBuf, Node>,
    changes: Vec<Change>,
    files: Vec<File>,
    lock: Weak<()>,
}

/// A handle to the simulated disk; clones share it.
#[derive(Clone, Debug)]
pub struct Sim(Rc<RefCell<State>>);

#[derive(Debug)]
pub struct SimTail {
    sim: Sim,
    file: usize,
}

/// Whether a step goes through.
enum Fate {
    /// It does.
    Done,
    /// It does, and the power fails before it can say so.
    DoneThenFails(io::Error),
    /// It does a part of its work, if it has parts, and fails.
    Fails(io::Error),
}

fn not_found(path: &Path) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no {}", path.display()))
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

impl Sim {
    pub fn new(seed: u64, synchronise: Synchronise) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Folder)]);
        Self(Rc::new(RefCell::new(State {
            chance: Chance::new(seed),
            plan: Plan::Nothing,
            steps: 0,
            powered: true,
            synchronise,
            now: root.clone(),
            safe: root,
            changes: Vec::new(),
            files: Vec::new(),
            lock: Weak::new(),
        })))
    }

    /// A disk of its own with the same content. Nobody holds its lock.
    pub fn fork(&self, seed: u64) -> Self {
        let mut state = self.0.borrow().clone();
        state.chance = Chance::new(seed);
        state.lock = Weak::new();
        Self(Rc::new(RefCell::new(state)))
    }

    pub fn plan(&self, plan: Plan) {
        let mut state = self.0.borrow_mut();
        state.plan = plan;
        state.steps = 0;
    }

    pub fn steps(&self) -> u64 {
        self.0.borrow().steps
    }

    pub fn is_powered(&self) -> bool {
        self.0.borrow().powered
    }

    /// The process ended without a word; the operating system went on.
    pub fn kill(&self) {
        let mut state = self.0.borrow_mut();
        state.lock = Weak::new();
        state.powered = true;
        state.plan = Plan::Nothing;
    }

    /// The power failed and came back.
    pub fn fail_power(&self) {
        self.kill();
        let state = &mut *self.0.borrow_mut();
        let mut folders: BTreeMap<PathBuf, u64> = BTreeMap::new();
        for change in &state.changes {
            *folders.entry(change.folder().to_path_buf()).or_default() += 1;
        }
        for kept in folders.values_mut() {
            *kept = match state.chance.below(4) {
                0 => 0,
                1 => *kept,
                _ => state.chance.below(*kept + 1),
            };
        }
        for change in std::mem::take(&mut state.changes) {
            let kept = folders.get_mut(change.folder()).expect("counted above");
            if *kept > 0 {
                *kept -= 1;
                change.apply(&mut state.safe);
            }
        }
        // What lies in a folder that was lost is lost with it.
        let folders: Vec<PathBuf> = state
            .safe
            .iter()
            .filter(|(_, node)| **node == Node::Folder)
            .map(|(path, _)| path.clone())
            .collect();
        state.safe.retain(|path, _| {
            path.ancestors().skip(1).all(|above| folders.iter().any(|folder| folder == above))
        });
        state.now = state.safe.clone();
        for file in &mut state.files {
            if !file.unsafe_writes.is_empty() {
                file.safe = torn(&mut state.chance, file);
                file.unsafe_writes.clear();
            }
            file.now = file.safe.clone();
        }
    }

    fn fate(&self) -> Fate {
        let state = &mut *self.0.borrow_mut();
        if !state.powered {
            return Fate::Fails(power_is_off());
        }
        state.steps += 1;
        match state.plan {
            Plan::Fail(step, kind) if step == state.steps => Fate::Fails(kind.into()),
            Plan::PowerFailure(step) if step == state.steps => {
                state.powered = false;
                if state.chance.one_in(2) {
                    Fate::DoneThenFails(power_is_off())
                } else {
                    Fate::Fails(power_is_off())
                }
            }
            _ => Fate::Done,
        }
    }

    /// A step that is done or not done.
    fn step<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        match self.fate() {
            Fate::Done => work(&mut self.0.borrow_mut()),
            Fate::DoneThenFails(error) => work(&mut self.0.borrow_mut()).and(Err(error)),
            Fate::Fails(error) => Err(error),
        }
    }
}

impl State {
    fn file(&self, path: &Path) -> io::Result<usize> {
        match self.now.get(path) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(not_found(path)),
        }
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.changes.push(change);
    }

    fn need_folder_of(&self, path: &Path) -> io::Result<()> {
        match self.now.get(path.parent().expect("not the root")) {
            Some(Node::Folder) => Ok(()),
            _ => Err(not_found(path)),
        }
    }

    fn make_file(&mut self, path: &Path) -> io::Result<usize> {
        self.need_folder_of(path)?;
        self.files.push(File::default());
        let file = self.files.len() - 1;
        self.change(Change::Make(path.to_path_buf(), Node::File(file)));
        Ok(file)
    }

    fn sync_file(&mut self, file: usize) {
        let file = &mut self.files[file];
        file.safe = file.now.clone();
        file.unsafe_writes.clear();
    }

    fn sync_folder(&mut self, folder: &Path) {
        for change in std::mem::take(&mut self.changes) {
            if change.folder() == folder {
                change.apply(&mut self.safe);
            } else {
                self.changes.push(change);
            }
        }
    }
}

/// What a power failure leaves of a file with unsynchronised writes.
fn torn(chance: &mut Chance, file: &File) -> Vec<u8> {
    let kept = match chance.below(4) {
        0 => 0,
        1 => file.unsafe_writes.len(),
        _ => chance.below(file.unsafe_writes.len() as u64 + 1) as usize,
    };
    let mut content = file.safe.clone();
    let mut safe_bytes = content.len();
    for (at, write) in file.unsafe_writes.iter().enumerate() {
        match write {
            Write::Truncate(length) if at < kept => {
                content.truncate(*length);
                safe_bytes = safe_bytes.min(*length);
            }
            Write::Append(bytes) if at < kept => content.extend_from_slice(bytes),
            Write::Append(bytes) if at == kept => {
                let part = chance.below(bytes.len() as u64 + 1) as usize;
                content.extend_from_slice(&bytes[..part]);
            }
            _ => break,
        }
    }
    // The length may be safe before the sectors are.
    if chance.one_in(3) {
        let mut at = safe_bytes;
        while at < content.len() {
            let end = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;
            let end = end.min(content.len());
            match chance.below(4) {
                0 => content[at..end].fill(0),
                1 => content[at..end].copy_from_slice(&chance.bytes(end - at)),
                _ => (),
            }
            at = end;
        }
    }
    content
}

impl Tail for SimTail {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (part, result) = match self.sim.fate() {
            Fate::Done => (bytes.len(), Ok(())),
            Fate::DoneThenFails(error) => (bytes.len(), Err(error)),
            Fate::Fails(error) => {
                let state = &mut *self.sim.0.borrow_mut();
                (state.chance.below(bytes.len() as u64 + 1) as usize, Err(error))
            }
        };
        let file = &mut self.sim.0.borrow_mut().files[self.file];
        file.now.extend_from_slice(&bytes[..part]);
        file.unsafe_writes.push(Write::Append(bytes[..part].to_vec()));
        result
    }

    fn sync(&mut self) -> io::Result<()> {
        let file = self.file;
        self.sim.step(|state| {
            state.sync_file(file);
            Ok(())
        })
    }

    fn truncate(&mut self, length_bytes: u64) -> io::Result<()> {
        let file = self.file;
        self.sim.step(|state| {
            let file = &mut state.files[file];
            file.now.truncate(length_bytes as usize);
            file.unsafe_writes.push(Write::Truncate(length_bytes as usize));
            Ok(())
        })
    }
}

impl Medium for Sim {
    type Tail = SimTail;
    type Lock = Rc<()>;
    type Watch = PathBuf;

    fn read(&self, path: &Path, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        self.step(|state| {
            into.extend_from_slice(&state.files[state.file(path)?].now);
            Ok(())
        })
    }

    fn read_at(&self, path: &Path, offset_bytes: u64, into: &mut [u8]) -> io::Result<usize> {
        self.step(|state| {
            let content = &state.files[state.file(path)?].now;
            let rest = content.get(offset_bytes as usize..).unwrap_or_default();
            let count = rest.len().min(into.len());
            into[..count].copy_from_slice(&rest[..count]);
            Ok(count)
        })
    }

    fn length_bytes(&self, path: &Path) -> io::Result<u64> {
        self.step(|state| Ok(state.files[state.file(path)?].now.len() as u64))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<(String, Item)>> {
        self.step(|state| {
            if state.now.get(folder) != Some(&Node::Folder) {
                return Err(not_found(folder));
            }
            let mut items: Vec<(String, Item)> = state
                .now
                .iter()
                .filter(|(path, _)| path.parent() == Some(folder))
                .map(|(path, node)| {
                    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
                    (name, if *node == Node::Folder { Item::Folder } else { Item::File })
                })
                .collect();
            items.sort_by(|left, right| left.0.cmp(&right.0));
            Ok(items)
        })
    }

    fn create_folders(&self, folder: &Path) -> io::Result<()> {
        let mut missing: Vec<&Path> = {
            let state = self.0.borrow();
            folder.ancestors().take_while(|above| !state.now.contains_key(*above)).collect()
        };
        missing.reverse();
        for folder in missing {
            self.step(|state| {
                state.change(Change::Make(folder.to_path_buf(), Node::Folder));
                Ok(())
            })?;
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<SimTail> {
        let file = self.step(|state| match state.now.get(path) {
            Some(Node::File(file)) => {
                let file = *file;
                state.files[file].now.clear();
                state.files[file].unsafe_writes.push(Write::Truncate(0));
                Ok(file)
            }
            _ => state.make_file(path),
        })?;
        Ok(SimTail { sim: self.clone(), file })
    }

    fn open_tail(&self, path: &Path) -> io::Result<SimTail> {
        let file = self.step(|state| match state.file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => state.make_file(path),
            other => other,
        })?;
        Ok(SimTail { sim: self.clone(), file })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|state| {
            let file = state.file(from)?;
            state.need_folder_of(to)?;
            state.change(Change::Rename(from.to_path_buf(), to.to_path_buf(), Node::File(file)));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|state| {
            let file = state.file(path)?;
            state.change(Change::Remove(path.to_path_buf(), Node::File(file)));
            Ok(())
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.step(|state| {
            if state.now.get(folder) != Some(&Node::Folder) {
                return Err(not_found(folder));
            }
            state.sync_folder(folder);
            Ok(())
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Rc<()>> {
        drop(self.open_tail(path)?);
        self.step(|state| {
            if state.lock.upgrade().is_some() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let lock = Rc::new(());
            state.lock = Rc::downgrade(&lock);
            Ok(lock)
        })
    }

    fn watch(&self, folder: &Path) -> io::Result<PathBuf> {
        self.step(|_| Ok(folder.to_path_buf()))
    }

    fn sync_tree(&self, watch: &PathBuf, written: &[PathBuf]) -> io::Result<()> {
        let synchronise = self.0.borrow().synchronise;
        match synchronise {
            Synchronise::WholeFileSystem => self.step(|state| {
                for file in 0..state.files.len() {
                    state.sync_file(file);
                }
                for change in std::mem::take(&mut state.changes) {
                    change.apply(&mut state.safe);
                }
                Ok(())
            }),
            Synchronise::EachFile => {
                for path in written {
                    self.step(|state| {
                        let file = state.file(path)?;
                        state.sync_file(file);
                        Ok(())
                    })?;
                }
                for folder in folders_above(watch, written) {
                    self.sync_folder(folder)?;
                }
                Ok(())
            }
        }
    }
}
