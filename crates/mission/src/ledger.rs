//! The bookkeeping of a record: which declarations stand in it, which files
//! came in and how far each was read. Folded from the entries, never stored.

use std::collections::BTreeMap;

use casework::officer::Register;
use casework::{Item, Officer, Revocation};
use domain::Source;
use jiff::Timestamp;
use record::Reader;

use crate::entry::{
    AgreementFiles, BatchOf, Declaration, Done, Entry, FileIn, Genesis, Input, Lines,
};
use crate::error::{Error, Result};
use crate::folder::Mission;

/// A file of the record.
#[derive(Clone, Debug)]
pub struct FileState {
    /// Index of its entry.
    pub entry: u64,
    /// What was declared of it.
    pub file: FileIn,
    /// Batches that stand in the record.
    pub batches: u64,
    /// Index of the last of them.
    pub last_batch: Option<u64>,
    /// What it came to, once it was read to its end.
    pub done: Option<Done>,
}

/// An entry about people: a key, or what was done with one.
#[derive(Clone, Debug)]
pub enum Human {
    /// A key was declared.
    Officer(Officer),
    /// A key was revoked.
    Revocation(Revocation),
    /// Something was filed.
    Act {
        /// When.
        received: Timestamp,
        /// The envelope.
        envelope: Vec<u8>,
    },
}

impl Human {
    /// As the room of casework takes it.
    pub fn item(&self) -> Item<'_> {
        match self {
            Self::Officer(officer) => Item::Officer(officer),
            Self::Revocation(revocation) => Item::Revocation(revocation),
            Self::Act { received, envelope } => Item::Act { received: *received, envelope },
        }
    }
}

/// Bookkeeping of a record.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// What the mission is.
    pub genesis: Option<Genesis>,
    /// Versions of the agreement, oldest first.
    pub agreements: Vec<AgreementFiles>,
    /// Sources, in the order of their declaration.
    pub sources: Vec<Source>,
    /// Inputs by id.
    pub inputs: BTreeMap<String, Input>,
    /// Files by the index of their entry.
    pub files: BTreeMap<u64, FileState>,
    /// Entries about people, by their index.
    pub humans: BTreeMap<u64, Human>,
    /// Keys of people.
    pub register: Register,
    /// Entries folded.
    pub entries: u64,
    /// Signed declarations among them.
    pub declarations: u64,
}

/// A batch as it passes by.
#[derive(Debug)]
pub struct Passing<'e> {
    /// Index of its entry.
    pub entry: u64,
    /// The file it belongs to.
    pub file: &'e FileState,
    /// The input of the file.
    pub input: &'e Input,
    /// What the lines are.
    pub of: BatchOf,
    /// The lines.
    pub lines: Lines<'e>,
}

impl Ledger {
    /// Folds the first `size` entries; every batch is shown to `visit`.
    pub fn fold(
        mission: &Mission,
        reader: &Reader,
        size: u64,
        mut visit: impl FnMut(Passing<'_>) -> Result<()>,
    ) -> Result<Self> {
        let mut ledger = Self::default();
        let mut entries = reader.entries(0..size)?;
        while let Some((index, bytes)) = entries.advance()? {
            ledger.step(index, bytes, mission, &mut visit)?;
        }
        Ok(ledger)
    }

    /// Takes up one entry.
    pub(crate) fn step(
        &mut self,
        index: u64,
        bytes: &[u8],
        mission: &Mission,
        visit: &mut impl FnMut(Passing<'_>) -> Result<()>,
    ) -> Result<()> {
        let bad = |problem: &dyn std::fmt::Display| Error::entry(index, problem);
        self.entries = index + 1;
        match Entry::parse(bytes, mission.mission_key()).map_err(|error| bad(&error))? {
            Entry::Declared(declaration) => self.declare(index, declaration),
            Entry::Batch { file, of, number, lines, .. } => {
                let state = self
                    .files
                    .get_mut(&file)
                    .ok_or_else(|| bad(&format!("its file, entry {file}, is not declared")))?;
                if number != state.batches || state.done.is_some() {
                    return Err(bad(&format!(
                        "batch {number} of file {file} where batch {} was due",
                        state.batches
                    )));
                }
                state.batches += 1;
                state.last_batch = Some(index);
                let state = &self.files[&file];
                let input = self
                    .inputs
                    .get(&state.file.input)
                    .ok_or_else(|| bad(&"its input is not declared"))?;
                visit(Passing { entry: index, file: state, input, of, lines })
            }
            Entry::Act { received, envelope } => {
                let envelope = envelope.to_vec();
                self.humans.insert(index, Human::Act { received, envelope });
                Ok(())
            }
            Entry::Done { file, done } => {
                let state = self
                    .files
                    .get_mut(&file)
                    .ok_or_else(|| bad(&format!("its file, entry {file}, is not declared")))?;
                if state.done.is_some() {
                    return Err(bad(&format!("file {file} was already read to its end")));
                }
                state.done = Some(done);
                Ok(())
            }
        }
    }

    fn declare(&mut self, index: u64, declaration: Declaration) -> Result<()> {
        self.declarations += 1;
        match declaration {
            Declaration::Genesis(genesis) => {
                if index != 0 || self.genesis.is_some() {
                    return Err(Error::entry(
                        index,
                        &"a record has one genesis, and it comes first",
                    ));
                }
                self.genesis = Some(*genesis);
            }
            Declaration::Agreement(files) => self.agreements.push(files),
            Declaration::Source(source) => {
                if self.sources.iter().any(|known| known.id == source.id) {
                    return Err(Error::entry(
                        index,
                        &format!("the source {} is declared twice", source.id),
                    ));
                }
                self.sources.push(source);
            }
            Declaration::Input(input) => {
                if !self.sources.iter().any(|source| source.id == input.source) {
                    return Err(Error::entry(
                        index,
                        &format!("the source {} is not declared", input.source),
                    ));
                }
                if let Some(known) = self.inputs.insert(input.id.clone(), input) {
                    return Err(Error::entry(
                        index,
                        &format!("the input {} is declared twice", known.id),
                    ));
                }
            }
            Declaration::Officer(officer) => {
                self.register.add(officer.clone()).map_err(|why| Error::entry(index, &why))?;
                self.humans.insert(index, Human::Officer(officer));
            }
            Declaration::Revocation(revocation) => {
                self.register
                    .revoke(revocation.clone())
                    .map_err(|why| Error::entry(index, &why))?;
                self.humans.insert(index, Human::Revocation(revocation));
            }
            Declaration::File(file) => {
                if !self.inputs.contains_key(&file.input) {
                    return Err(Error::entry(
                        index,
                        &format!("the input {} is not declared", file.input),
                    ));
                }
                self.files.insert(
                    index,
                    FileState { entry: index, file, batches: 0, last_batch: None, done: None },
                );
            }
        }
        Ok(())
    }

    /// What the mission is.
    pub fn genesis(&self) -> Result<&Genesis> {
        self.genesis
            .as_ref()
            .ok_or_else(|| Error::Asked("the record is empty: it has no genesis".to_owned()))
    }

    /// A source by its id.
    pub fn source(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Files that were begun and not read to their end, oldest first.
    pub fn unfinished(&self) -> impl Iterator<Item = &FileState> {
        self.files.values().filter(|state| state.done.is_none())
    }

    /// The file of an input with these bytes, and with this name if one is
    /// given, if it came in before.
    pub fn file_of(&self, input: &str, blob: &str, name: Option<&str>) -> Option<&FileState> {
        self.files.values().find(|state| {
            let file = &state.file;
            file.input == input && file.blob == blob && name.is_none_or(|name| file.name == name)
        })
    }

    /// The blobs that the declarations refer to.
    pub fn blobs(&self) -> Vec<&str> {
        let genesis = self.genesis.iter().flat_map(|genesis| {
            std::iter::once(genesis.case_toml.as_str())
                .chain(genesis.lexicon.as_deref())
                .chain(genesis.priors.as_deref())
        });
        let agreements =
            self.agreements.iter().flat_map(|files| files.files.values().map(String::as_str));
        let inputs = self.inputs.values().map(|input| input.mapping_file.as_str());
        let files = self.files.values().map(|state| state.file.blob.as_str());
        let mut blobs: Vec<&str> = genesis.chain(agreements).chain(inputs).chain(files).collect();
        blobs.sort_unstable();
        blobs.dedup();
        blobs
    }
}
