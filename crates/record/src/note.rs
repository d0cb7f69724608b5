//! Signed notes (C2SP signed-note): a text, an empty line, and one line for each signature.

use std::str;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::Error;
use crate::hash::decode_base64;
use crate::key::{KeyId, PrivateKey, PublicKey, SIGNATURE_BYTES, check_name};
use crate::limits::{NOTE_BYTES_MAX, SIGNATURE_COUNT_MAX};

const WHAT: &str = "a signed note";
/// How a signature line begins: em dash, space.
const LINE_PREFIX: &str = "\u{2014} ";

/// One signature line: who claims to have signed, with which key, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    id: KeyId,
    signature: Vec<u8>,
}

impl SignatureLine {
    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature, in the form that the type of the key prescribes.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn is_by(&self, key: &PublicKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }

    fn parse(line: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::malformed(WHAT, format!("a signature line {why}"));
        let rest =
            line.strip_prefix(LINE_PREFIX).ok_or_else(|| wrong("does not begin with a dash"))?;
        let (name, encoded) =
            rest.split_once(' ').ok_or_else(|| wrong("has no space after the name"))?;
        check_name(name)?;
        let bytes = decode_base64(encoded, WHAT)?;
        match bytes.split_first_chunk::<{ KeyId::BYTES }>() {
            Some((id, signature)) if !signature.is_empty() => Ok(Self {
                name: name.to_owned(),
                id: KeyId::from_bytes(*id),
                signature: signature.to_vec(),
            }),
            _ => Err(wrong("is too short for a key id and a signature")),
        }
    }

    fn write(&self, note: &mut String) {
        let mut bytes = self.id.as_bytes().to_vec();
        bytes.extend_from_slice(&self.signature);
        note.push_str(LINE_PREFIX);
        note.push_str(&self.name);
        note.push(' ');
        note.push_str(&STANDARD.encode(bytes));
        note.push('\n');
    }
}

/// A note whose form is right. Its text means nothing before [`Note::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

impl Note {
    /// Signs `text`, which ends with a newline and has no other control character.
    pub fn sign(text: &str, keys: &[&PrivateKey]) -> Result<Self, Error> {
        check_text(text)?;
        if keys.is_empty() || keys.len() > SIGNATURE_COUNT_MAX {
            return Err(Error::malformed(
                WHAT,
                format!("it has {} signatures, not 1 to {SIGNATURE_COUNT_MAX}", keys.len()),
            ));
        }
        let lines = keys
            .iter()
            .map(|key| SignatureLine {
                name: key.public().name().to_owned(),
                id: key.public().id(),
                signature: key.sign(text.as_bytes()).to_vec(),
            })
            .collect();
        Ok(Self { text: text.to_owned(), lines })
    }

    /// Reads a note. Every byte counts: what this accepts, [`Note::to_bytes`] gives back.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(Error::malformed(
                WHAT,
                format!("it is longer than {NOTE_BYTES_MAX} bytes"),
            ));
        }
        let note = str::from_utf8(bytes)
            .map_err(|error| Error::malformed(WHAT, format!("it is not UTF-8: {error}")))?;
        // The text may have empty lines: the last one separates it from the signatures.
        let separator = note
            .rfind("\n\n")
            .ok_or_else(|| Error::malformed(WHAT, "no empty line ends its text"))?;
        let (text, signatures) = (&note[..=separator], &note[separator + 2..]);
        check_text(text)?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or_else(|| Error::malformed(WHAT, "it does not end with a newline"))?;
        if signatures.split('\n').count() > SIGNATURE_COUNT_MAX {
            return Err(Error::malformed(
                WHAT,
                format!("it has more than {SIGNATURE_COUNT_MAX} signatures"),
            ));
        }
        let lines = signatures.split('\n').map(SignatureLine::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), lines })
    }

    /// The whole note.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = self.text.clone();
        note.push('\n');
        for line in &self.lines {
            line.write(&mut note);
        }
        note.into_bytes()
    }

    /// The text with its final newline. Not to be believed before [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines in order, verified or not.
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// Checks the signatures by `keys` and returns those keys that signed.
    ///
    /// Signatures by other keys are ignored. A wrong signature by a known key rejects the note, and
    /// so does a note that no known key signed (C2SP signed-note, "Signatures").
    pub fn verify<'k>(&self, keys: &[&'k PublicKey]) -> Result<Vec<&'k PublicKey>, Error> {
        let mut signers: Vec<&PublicKey> = Vec::new();
        for line in &self.lines {
            let Some(key) = keys.iter().find(|key| line.is_by(key)) else { continue };
            let sound = line.signature.len() == SIGNATURE_BYTES
                && key.verifies(self.text.as_bytes(), &line.signature);
            if !sound {
                return Err(Error::signature(WHAT, format!("the signature of {key} is wrong")));
            }
            if !signers.contains(key) {
                signers.push(key);
            }
        }
        if signers.is_empty() {
            return Err(Error::signature(WHAT, "none of its signatures is by a known key"));
        }
        Ok(signers)
    }
}

fn check_text(text: &str) -> Result<(), Error> {
    if !text.ends_with('\n') {
        return Err(Error::malformed(WHAT, "its text does not end with a newline"));
    }
    if text.chars().any(|character| character < ' ' && character != '\n') {
        return Err(Error::malformed(WHAT, "its text has a control character"));
    }
    Ok(())
}
