//! Ed25519 keys of signed notes and their text forms (C2SP signed-note, "Signatures"; the private
//! form is that of Go's `golang.org/x/mod/sumdb/note`).
//!
//! A public key is `<name>+<key id>+<base64(0x01 || public key)>`, a private key
//! `PRIVATE+KEY+<name>+<key id>+<base64(0x01 || seed)>`. The key id is 32 bits of a hash over name
//! and public key. Both forms are read strictly, so that any altered character is noticed: there is
//! one spelling of each key, and the key id is recomputed, for a private key from the public key
//! that its seed gives.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::hash::{decode_base64, hex_digit};
use crate::limits::KEY_NAME_BYTES_MAX;

/// Signature type of plain Ed25519 (C2SP signed-note, "Signature types").
const ED25519: u8 = 0x01;
const PRIVATE_PREFIX: &str = "PRIVATE+KEY+";
/// Bytes of an Ed25519 seed and of an Ed25519 public key.
const KEY_BYTES: usize = 32;
/// Bytes of an Ed25519 signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// The first 32 bits of a hash over the name, the type and the public key. It tells keys apart and
/// proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    pub(crate) const BYTES: usize = 4;

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The four bytes in the order in which a signature line carries them.
    pub fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// `SHA-256(name || 0x0A || type || public key)[:4]` (C2SP signed-note, "Signatures").
    fn of(name: &str, public: &[u8; KEY_BYTES]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(public);
        let hash: [u8; 32] = hasher.finalize().into();
        Self(*hash.first_chunk().expect("a hash has more than four bytes"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::BYTES];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            *byte = (hex_digit(pair[0])? << 4) | hex_digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyId({self})")
    }
}

/// Whether a key may bear this name: not empty, without white space, plus signs and control
/// characters (C2SP signed-note, "Format"), and of a bounded length.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > KEY_NAME_BYTES_MAX {
        "it is too long"
    } else if name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
        "it has white space, a plus sign or a control character"
    } else {
        return Ok(());
    };
    Err(Error::malformed("a key name", why))
}

/// A key that checks signatures: what a verifier must have received by a way it trusts.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: KeyId,
    key: VerifyingKey,
}

impl PublicKey {
    /// Reads the text form `<name>+<key id>+<base64>`, without white space around it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const WHAT: &str = "a public key";
        let (name, id, bytes) = split_key(text, WHAT)?;
        let key = VerifyingKey::from_bytes(&bytes)
            .map_err(|error| Error::malformed(WHAT, error.to_string()))?;
        if key.is_weak() {
            return Err(Error::malformed(WHAT, "it is one of the weak points of the curve"));
        }
        if KeyId::of(name, &bytes) != id {
            return Err(Error::malformed(WHAT, "its key id is not that of its name and its bytes"));
        }
        Ok(Self { name: name.to_owned(), id, key })
    }

    /// The name, which for a log is the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The 32 bytes of the key (RFC 8032).
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether `signature` is this key's over `message`. Strict: no malleable signature passes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    /// The text form, called vkey by other programs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}+{}+{}", self.name, self.id, join_key(self.key.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({self})")
    }
}

/// A key that signs. Its text form is a secret; `Debug` does not show it.
#[derive(Clone)]
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// A key from a name and 32 bytes that nobody can guess. This crate has no source of
    /// randomness: the caller brings the seed.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        check_name(name)?;
        let key = SigningKey::from_bytes(seed);
        let public = key.verifying_key();
        let id = KeyId::of(name, public.as_bytes());
        Ok(Self { key, public: PublicKey { name: name.to_owned(), id, key: public } })
    }

    /// Reads the text form `PRIVATE+KEY+<name>+<key id>+<base64>`, without white space around it.
    /// No error repeats any of it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const WHAT: &str = "a private key";
        let rest = text
            .strip_prefix(PRIVATE_PREFIX)
            .ok_or_else(|| Error::malformed(WHAT, "it does not begin `PRIVATE+KEY+`"))?;
        let (name, id, seed) = split_key(rest, WHAT)?;
        let key = Self::from_seed(name, &seed)?;
        if key.public.id != id {
            return Err(Error::malformed(WHAT, "its key id is not that of its name and its seed"));
        }
        Ok(key)
    }

    /// The text form. Whoever reads it can sign in this name.
    pub fn to_secret_text(&self) -> String {
        let PublicKey { name, id, .. } = &self.public;
        format!("{PRIVATE_PREFIX}{name}+{id}+{}", join_key(self.key.as_bytes()))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a message (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey(of {})", self.public)
    }
}

fn join_key(bytes: &[u8; KEY_BYTES]) -> String {
    let mut typed = vec![ED25519];
    typed.extend_from_slice(bytes);
    STANDARD.encode(typed)
}

/// Splits `<name>+<key id>+<base64(type || 32 bytes)>`. The base64 may hold plus signs, the name
/// and the key id may not.
fn split_key<'a>(
    text: &'a str,
    what: &'static str,
) -> Result<(&'a str, KeyId, [u8; KEY_BYTES]), Error> {
    let shape = || Error::malformed(what, "it is not of the form name+keyid+base64");
    let (name, rest) = text.split_once('+').ok_or_else(shape)?;
    let (id, encoded) = rest.split_once('+').ok_or_else(shape)?;
    check_name(name)?;
    let id = KeyId::parse(id)
        .ok_or_else(|| Error::malformed(what, "its key id is not 8 lower-case hex digits"))?;
    let typed = decode_base64(encoded, what)?;
    let Some((&kind, bytes)) = typed.split_first() else { return Err(shape()) };
    if kind != ED25519 {
        return Err(Error::malformed(
            what,
            format!("its type is {kind:#04x}; only {ED25519:#04x}, Ed25519, is known"),
        ));
    }
    let bytes = <[u8; KEY_BYTES]>::try_from(bytes)
        .map_err(|_| Error::malformed(what, "its key does not have 32 bytes"))?;
    Ok((name, id, bytes))
}
