//! The mission folder: what lies where, how it is made and opened.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use record::{BlobReader, Folders, PrivateKey, PublicKey, Reader, Writer};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use strict::Text;

use crate::case::Case;
use crate::entry::{AgreementFiles, Declaration, Entry, Genesis, Input, sign};
use crate::error::{Error, OnPath as _, Result};

/// Format of the folder.
pub const FORMAT: u32 = 1;

/// A mission folder.
#[derive(Clone, Debug)]
pub struct Mission {
    root: PathBuf,
    log_key: PublicKey,
    mission_key: PublicKey,
    mission_toml: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mission: Head,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: u32,
    case: String,
    log_key: strict::Spanned<String>,
    mission_key: strict::Spanned<String>,
}

/// Where the random seeds of new keys come from.
#[derive(Clone, Copy, Debug)]
pub enum Seeds {
    /// The operating system.
    System,
    /// A number, for exercises and tests: anybody can make these keys.
    Number(u64),
}

impl Seeds {
    pub(crate) fn take(self, purpose: &str) -> Result<[u8; 32]> {
        match self {
            Self::Number(number) => {
                let text = format!("truceline exercise key {purpose} {number}");
                Ok(Sha256::digest(text.as_bytes()).into())
            }
            Self::System => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|error| {
                    Error::Asked(format!("the system gives no random numbers: {error}"))
                })?;
                Ok(seed)
            }
        }
    }
}

impl Mission {
    /// Makes a mission folder for a case: keys, an empty record, and the first
    /// entries (what the mission is, its agreement, sources and inputs).
    pub fn create(root: &Path, case: &Case, seeds: Seeds) -> Result<Self> {
        if root.exists() {
            if !root.is_dir() || fs::read_dir(root).on("listing", root)?.next().is_some() {
                let problem = "this is there already and not an empty folder; choose another, or remove it first";
                return Err(Error::folder(root, problem));
            }
            fs::remove_dir(root).on("replacing", root)?;
        }
        // Built beside its place and moved there at the end, so that a mission
        // folder is either whole or not there.
        let draft = draft_of(root)?;
        if draft.exists() {
            fs::remove_dir_all(&draft).on("removing what a stopped run left in", &draft)?;
        }
        let log_key =
            PrivateKey::from_seed(&format!("{}.log.truceline", case.id), &seeds.take("log")?)?;
        let mission_key = PrivateKey::from_seed(
            &format!("{}.mission.truceline", case.id),
            &seeds.take("mission")?,
        )?;
        let mission = Self {
            root: draft.clone(),
            log_key: log_key.public().clone(),
            mission_key: mission_key.public().clone(),
            mission_toml: mission_toml(&case.id, log_key.public(), mission_key.public())
                .into_bytes(),
        };
        fs::create_dir_all(&draft).on("making", &draft)?;
        mission.write_keys(&log_key, &mission_key)?;
        mission.write_first_entries(case, log_key, &mission_key)?;
        fs::rename(&draft, root).on("making", root)?;
        Ok(Self { root: root.to_owned(), ..mission })
    }

    /// Opens a mission folder.
    pub fn open(root: &Path) -> Result<Self> {
        let path = root.join(MISSION_TOML);
        if !path.is_file() {
            let problem =
                "this is not a mission folder (it has no mission.toml); `truceline init` makes one";
            return Err(Error::folder(root, problem));
        }
        let mission_toml = fs::read(&path).on("reading", &path)?;
        let text = Text::from_bytes(path.display().to_string(), mission_toml.clone())?;
        let file: File = text.parse()?;
        if file.mission.format != FORMAT {
            let problem = format!(
                "the folder has format {}, this program reads format {FORMAT}",
                file.mission.format
            );
            return Err(Error::folder(root, problem));
        }
        let key = |key: &strict::Spanned<String>| {
            PublicKey::parse(key.get_ref()).map_err(|error| {
                text.error_at(key, error.to_string(), "this file was altered; take it from a copy")
            })
        };
        let log_key = key(&file.mission.log_key)?;
        let mission_key = key(&file.mission.mission_key)?;
        let expected = crate::folder::mission_toml(&file.mission.case, &log_key, &mission_key);
        if mission_toml != expected.as_bytes() {
            return Err(Error::folder(
                &path,
                "this file is not as it was written; take it from a copy",
            ));
        }
        Ok(Self { root: root.to_owned(), log_key, mission_key, mission_toml })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Key that checks checkpoints.
    pub const fn log_key(&self) -> &PublicKey {
        &self.log_key
    }

    /// Key that checks declarations.
    pub const fn mission_key(&self) -> &PublicKey {
        &self.mission_key
    }

    /// The folders of the record.
    pub fn folders(&self) -> Folders {
        Folders::of_mission(&self.root)
    }

    /// Opens the record for reading.
    pub fn reader(&self) -> Result<Reader> {
        Ok(Reader::open(self.folders().record, &self.log_key)?)
    }

    /// Opens the record for writing.
    pub fn writer(&self) -> Result<Writer> {
        Ok(Writer::open(&self.folders(), self.private_key("log")?)?)
    }

    /// The blobs.
    pub fn blobs(&self) -> BlobReader {
        BlobReader::new(self.folders().blobs)
    }

    /// Folder of what is derived from the record.
    pub fn derived(&self) -> PathBuf {
        self.root.join("derived")
    }

    /// SHA-256 of `mission.toml`, in hexadecimal digits.
    pub fn mission_toml_hash(&self) -> String {
        domain::state::digest(&self.mission_toml)
    }

    /// Reads one of the private keys: `log` or `mission`.
    pub(crate) fn private_key(&self, purpose: &str) -> Result<PrivateKey> {
        let path = self.private_key_path(purpose);
        let bytes = fs::read(&path).on("reading", &path)?;
        let altered =
            |problem: &str| Error::folder(&path, format!("{problem}; take the key from a copy"));
        let text = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_suffix('\n'));
        let key = PrivateKey::parse(text.ok_or_else(|| altered("this is not a key"))?)
            .map_err(|error| altered(&error.to_string()))?;
        let public = if purpose == "log" { &self.log_key } else { &self.mission_key };
        if key.public() != public {
            return Err(altered("this key does not belong to the mission"));
        }
        Ok(key)
    }

    pub(crate) fn private_key_path(&self, purpose: &str) -> PathBuf {
        self.root.join("keys").join(format!("{purpose}.key"))
    }

    pub(crate) fn public_key_path(&self, purpose: &str) -> PathBuf {
        self.root.join(format!("{purpose}.vkey"))
    }

    fn write_keys(&self, log_key: &PrivateKey, mission_key: &PrivateKey) -> Result<()> {
        let keys = self.root.join("keys");
        fs::create_dir_all(&keys).on("making", &keys)?;
        for (purpose, key) in [("log", log_key), ("mission", mission_key)] {
            write_durably(
                &self.private_key_path(purpose),
                format!("{}\n", key.to_secret_text()).as_bytes(),
                true,
            )?;
            write_durably(
                &self.public_key_path(purpose),
                format!("{}\n", key.public()).as_bytes(),
                false,
            )?;
        }
        write_durably(&self.root.join(MISSION_TOML), &self.mission_toml, false)
    }

    /// The first declarations of a mission of a case; `put` stores a file and
    /// returns its hash.
    fn declarations(
        &self,
        case: &Case,
        put: &dyn Fn(&[u8]) -> Result<String>,
    ) -> Result<Vec<Declaration>> {
        let genesis = Genesis {
            format: FORMAT,
            case: case.id.clone(),
            title: case.title.clone(),
            note: case.note.clone(),
            mission_toml: self.mission_toml_hash(),
            case_toml: put(&case.case_toml)?,
            zone: case.zone.clone(),
            area: case.area,
            window: case.window,
            report_days: case.report_days,
            lexicon: case.lexicon.as_deref().map(put).transpose()?,
            priors: case.priors.as_deref().map(put).transpose()?,
            control_map: case.control_map.clone(),
            exercise: case.exercise,
            countersigned_keys: case.countersigned_keys,
        };
        let mut files = std::collections::BTreeMap::new();
        for (path, bytes) in &case.agreement {
            files.insert(path.clone(), put(bytes)?);
        }
        let (id, version) = case.agreement_id.clone();
        let mut declarations = vec![
            Declaration::Genesis(Box::new(genesis)),
            Declaration::Agreement(AgreementFiles { id, version, files }),
        ];
        declarations.extend(case.sources.iter().cloned().map(Declaration::Source));
        for input in &case.inputs {
            declarations.push(Declaration::Input(Input {
                id: input.files.input.clone(),
                source: input.source.clone(),
                mapping: input.mapping.id.clone(),
                mapping_file: put(&input.mapping_file)?,
                used_as: input.used_as,
            }));
        }
        Ok(declarations)
    }

    /// Whether this mission was made from exactly this case: its record begins
    /// with the same declarations.
    pub fn is_of(&self, case: &Case) -> Result<bool> {
        let declarations = self.declarations(case, &|bytes| Ok(domain::state::digest(bytes)))?;
        let reader = self.reader()?;
        if reader.size() < declarations.len() as u64 {
            return Ok(false);
        }
        for (index, expected) in (0..).zip(&declarations) {
            let bytes = reader.entry(index)?;
            match Entry::parse(&bytes, &self.mission_key) {
                Ok(Entry::Declared(declared)) if declared == *expected => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn write_first_entries(
        &self,
        case: &Case,
        log_key: PrivateKey,
        mission_key: &PrivateKey,
    ) -> Result<()> {
        let mut writer = Writer::create(&self.folders(), log_key)?;
        let blobs = writer.blobs();
        let declarations = self.declarations(case, &|bytes| Ok(blobs.put(bytes)?.to_string()))?;
        for declaration in &declarations {
            append(&mut writer, &sign(declaration, mission_key)?)?;
        }
        writer.close()?;
        Ok(())
    }
}

/// Name of the file by which a folder is known as a mission.
pub(crate) const MISSION_TOML: &str = "mission.toml";

fn mission_toml(case: &str, log_key: &PublicKey, mission_key: &PublicKey) -> String {
    format!(
        "# A Truceline mission folder. What each file is and what happens if it is lost\n\
         # or altered: docs/operating.md. Do not edit: the record holds the hash of this file.\n\
         [mission]\nformat = {FORMAT}\ncase = \"{case}\"\nlog_key = \"{log_key}\"\nmission_key = \"{mission_key}\"\n"
    )
}

/// The hidden folder beside a mission folder in which it is built.
fn draft_of(root: &Path) -> Result<PathBuf> {
    let Some(name) = root.file_name() else {
        return Err(Error::folder(root, "a mission folder needs a name"));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".incomplete");
    Ok(root.with_file_name(hidden))
}

/// Writes a small file so that it is there, whole, after a power failure.
pub(crate) fn write_durably(path: &Path, bytes: &[u8], private: bool) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let _ = private;
    let mut file = options.open(path).on("writing", path)?;
    file.write_all(bytes).on("writing", path)?;
    file.sync_all().on("writing", path)
}

/// Appends an entry that is known to be well formed.
pub(crate) fn append(writer: &mut Writer, entry: &[u8]) -> Result<u64> {
    match writer.append(entry) {
        Ok(index) => Ok(index),
        Err(record::AppendError::Refused(refused)) if refused.is_commit_first() => {
            writer.commit()?;
            match writer.append(entry) {
                Ok(index) => Ok(index),
                Err(error) => Err(append_error(error)),
            }
        }
        Err(error) => Err(append_error(error)),
    }
}

fn append_error(error: record::AppendError) -> Error {
    match error {
        record::AppendError::Fatal(fatal) => fatal.into(),
        record::AppendError::Refused(refused) => {
            Error::Asked(format!("an entry was refused: {refused}"))
        }
    }
}
