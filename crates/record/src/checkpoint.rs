//! Checkpoints (C2SP tlog-checkpoint): the size and the root of a log, in a signed note.

use crate::error::Error;
use crate::hash::Hash;
use crate::key::{PrivateKey, PublicKey, check_name};
use crate::note::Note;
use crate::tile::decimal;

const WHAT: &str = "a checkpoint";

/// What a checkpoint says: this log, with so many entries, has this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// A checkpoint to be signed. The origin is the name of the log, of the form of a key name.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, Error> {
        check_name(origin)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the Merkle tree over the entries.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The text that is signed: origin, size, root, one a line.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())
    }

    /// Reads the text of a note as a checkpoint. Extension lines are allowed and not kept; this
    /// crate writes none.
    pub fn parse_body(text: &str) -> Result<Self, Error> {
        let body = text
            .strip_suffix('\n')
            .ok_or_else(|| Error::malformed(WHAT, "it has no final newline"))?;
        let mut lines = body.split('\n');
        let mut line = |what| {
            lines
                .next()
                .filter(|line| !line.is_empty())
                .ok_or_else(|| Error::malformed(WHAT, format!("it has no {what} line")))
        };
        let origin = line("origin")?.to_owned();
        let size = line("size")?;
        let size = decimal(size)
            .ok_or_else(|| Error::malformed(WHAT, format!("its size `{size}` is no number")))?;
        let root = Hash::from_base64(line("root")?)?;
        if lines.any(str::is_empty) {
            return Err(Error::malformed(WHAT, "it has an empty line"));
        }
        if size == 0 && root != Hash::EMPTY_TREE {
            return Err(Error::malformed(
                WHAT,
                "its size is 0 and its root is not the empty tree's",
            ));
        }
        Ok(Self { origin, size, root })
    }

    /// Signs the checkpoint. Ed25519 is deterministic: the same state gives the same bytes.
    pub fn sign(&self, key: &PrivateKey) -> Result<Vec<u8>, Error> {
        Ok(Note::sign(&self.body(), &[key])?.to_bytes())
    }
}

/// A checkpoint whose signature was checked, and the note it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint and checks that `key`, the key of the log, signed it, and that it
    /// is of the log of that name. Signatures by other keys (witnesses) are left alone.
    pub fn open(bytes: &[u8], key: &PublicKey) -> Result<Self, Error> {
        let note = Note::parse(bytes)?;
        note.verify(&[key])?;
        let checkpoint = Checkpoint::parse_body(note.text())?;
        if checkpoint.origin != key.name() {
            return Err(Error::signature(
                WHAT,
                format!("it is of `{}`, its key of `{}`", checkpoint.origin, key.name()),
            ));
        }
        Ok(Self { checkpoint, note })
    }

    /// What it says.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note it came in, with all signatures.
    pub fn note(&self) -> &Note {
        &self.note
    }
}
