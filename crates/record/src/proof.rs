//! Proofs that travel: the text form of an inclusion proof with its checkpoint (C2SP tlog-proof).
//!
//! Whoever holds the public key of the log can check such a text against an entry, offline.

use std::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::Error;
use crate::hash::{Hash, decode_base64, leaf_hash};
use crate::key::PublicKey;
use crate::limits::{PROOF_HASH_COUNT_MAX, PROOF_TEXT_BYTES_MAX};
use crate::merkle::verify_inclusion;
use crate::tile::decimal;

const WHAT: &str = "a tlog-proof";
const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// The extra line of a proof: opaque, and not covered by any signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The proof has no such line.
    Absent,
    /// The decoded bytes of the line.
    Bytes(Vec<u8>),
}

/// A proof that an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofText {
    extra: Extra,
    index: u64,
    hashes: Vec<Hash>,
    /// The signed checkpoint, byte for byte.
    checkpoint: String,
}

impl ProofText {
    /// A proof from its parts. `checkpoint` is the signed note, byte for byte.
    pub fn new(
        index: u64,
        hashes: Vec<Hash>,
        checkpoint: &[u8],
        extra: Extra,
    ) -> Result<Self, Error> {
        if hashes.len() > PROOF_HASH_COUNT_MAX {
            return Err(Error::malformed(
                WHAT,
                format!("it has more than {PROOF_HASH_COUNT_MAX} hashes"),
            ));
        }
        let checkpoint = str::from_utf8(checkpoint)
            .map_err(|error| {
                Error::malformed(WHAT, format!("its checkpoint is not UTF-8: {error}"))
            })?
            .to_owned();
        Ok(Self { extra, index, hashes, checkpoint })
    }

    /// Reads the text form. Nothing in it is to be believed before [`ProofText::verify`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > PROOF_TEXT_BYTES_MAX {
            return Err(Error::malformed(
                WHAT,
                format!("it is longer than {PROOF_TEXT_BYTES_MAX} bytes"),
            ));
        }
        let text = str::from_utf8(bytes)
            .map_err(|error| Error::malformed(WHAT, format!("it is not UTF-8: {error}")))?;
        // The head has no empty line, the checkpoint after the first one has.
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| Error::malformed(WHAT, "no empty line stands before its checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(Error::malformed(WHAT, format!("its first line is not `{FIRST_LINE}`")));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => Extra::Bytes(decode_base64(&line["extra ".len()..], WHAT)?),
            None => Extra::Absent,
        };
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| Error::malformed(WHAT, "it has no line `index <number>`"))?;
        let hashes = lines.map(Hash::from_base64).collect::<Result<Vec<_>, _>>()?;
        Self::new(index, hashes, checkpoint.as_bytes(), extra)
    }

    /// The text form.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\n");
        if let Extra::Bytes(bytes) = &self.extra {
            text.push_str("extra ");
            text.push_str(&STANDARD.encode(bytes));
            text.push('\n');
        }
        text.push_str("index ");
        text.push_str(&self.index.to_string());
        text.push('\n');
        for hash in &self.hashes {
            text.push_str(&hash.to_base64());
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Checks that `key` signed the checkpoint and that `entry` is in the log at the index of this
    /// proof; returns the checkpoint. The extra line proves nothing.
    pub fn verify(&self, key: &PublicKey, entry: &[u8]) -> Result<Checkpoint, Error> {
        let signed = SignedCheckpoint::open(self.checkpoint.as_bytes(), key)?;
        let checkpoint = signed.checkpoint();
        let leaf = leaf_hash(entry);
        verify_inclusion(self.index, checkpoint.size(), &leaf, &self.hashes, &checkpoint.root())?;
        Ok(checkpoint.clone())
    }

    /// The index that the proof is for.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes from the sibling of the leaf up to the child of the root.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The signed checkpoint, byte for byte.
    pub fn checkpoint(&self) -> &[u8] {
        self.checkpoint.as_bytes()
    }

    /// The extra line.
    pub fn extra(&self) -> &Extra {
        &self.extra
    }
}
