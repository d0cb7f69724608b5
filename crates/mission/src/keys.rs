//! Private keys of people as files: encrypted under a passphrase, so that a
//! lost disk is not a lost signature.
//!
//! A file is JSON: the public key, the parameters of the key derivation
//! (Argon2id, RFC 9106) and the seed under XChaCha20-Poly1305, to which the
//! public key is bound, so that files cannot be mixed up.

use std::fs;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use record::{PrivateKey, PublicKey};
use serde::{Deserialize, Serialize};

use crate::error::{Error, OnPath as _, Result};
use crate::folder::{Seeds, write_durably};

const FORMAT: u32 = 1;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;

/// How hard guessing the passphrase is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// Second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// Next to nothing, for keys that anybody can make anyway.
    pub const EXERCISE: Self = Self { memory_kib: 64, passes: 1, lanes: 1 };

    /// What a key file may ask of this machine.
    const MOST: Self = Self { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };

    fn derive(self, passphrase: &str, salt: &[u8]) -> Result<[u8; 32], String> {
        let most = Self::MOST;
        if self.memory_kib > most.memory_kib || self.passes > most.passes || self.lanes > most.lanes
        {
            return Err("its parameters ask for more than 1 GiB, 16 passes or 16 lanes".to_owned());
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .map_err(|error| error.to_string())?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), salt, &mut key)
            .map_err(|error| error.to_string())?;
        Ok(key)
    }
}

/// A key file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// Format of the file, 1.
    pub truceline_key: u32,
    /// True for keys that anybody can make.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exercise: bool,
    /// The public key.
    pub public: String,
    /// Pseudonym of the person.
    pub person: String,
    /// Role in which it signs.
    pub role: String,
    /// Contingent.
    pub contingent: String,
    /// Cost of the key derivation.
    pub argon2id: Cost,
    salt: String,
    nonce: String,
    sealed_seed: String,
}

/// Whose key it is to be.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Pseudonym.
    pub person: String,
    /// Role, by its code.
    pub role: String,
    /// Contingent.
    pub contingent: String,
}

/// Name that a person's key bears in signatures.
pub fn name(owner: &Owner) -> String {
    format!("{}.{}.{}", owner.person, owner.role, owner.contingent)
}

/// Makes a key.
pub fn make(owner: &Owner, seeds: Seeds) -> Result<PrivateKey> {
    let seed = seeds.take(&name(owner))?;
    PrivateKey::from_seed(&name(owner), &seed).map_err(|error| Error::Asked(error.to_string()))
}

impl KeyFile {
    /// Seals a key under a passphrase.
    pub fn seal(owner: &Owner, seeds: Seeds, passphrase: &str, cost: Cost) -> Result<Self> {
        let seed = seeds.take(&name(owner))?;
        let key = PrivateKey::from_seed(&name(owner), &seed)
            .map_err(|error| Error::Asked(error.to_string()))?;
        let salt: [u8; SALT_BYTES] = first(seeds.take(&format!("salt {}", name(owner)))?);
        let nonce: [u8; NONCE_BYTES] = first(seeds.take(&format!("nonce {}", name(owner)))?);
        let public = key.public().to_string();
        let wrapping = cost.derive(passphrase, &salt).map_err(Error::Asked)?;
        let sealed = XChaCha20Poly1305::new(&wrapping.into())
            .encrypt(&XNonce::from(nonce), Payload { msg: &seed, aad: public.as_bytes() })
            .map_err(|_| Error::Asked("the key could not be sealed".to_owned()))?;
        Ok(Self {
            truceline_key: FORMAT,
            exercise: matches!(seeds, Seeds::Number(_)),
            public,
            person: owner.person.clone(),
            role: owner.role.clone(),
            contingent: owner.contingent.clone(),
            argon2id: cost,
            salt: STANDARD.encode(salt),
            nonce: STANDARD.encode(nonce),
            sealed_seed: STANDARD.encode(sealed),
        })
    }

    /// Writes the file, readable by its owner only; an existing one is kept.
    pub fn write(&self, path: &Path) -> Result<()> {
        if path.exists() {
            return Err(Error::folder(path, "this is there already; a key is never overwritten"));
        }
        let text = serde_json::to_string_pretty(self).expect("a key file has a JSON form") + "\n";
        write_durably(path, text.as_bytes(), true)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).on("reading", path)?;
        let file: Self = serde_json::from_slice(&bytes)
            .map_err(|error| Error::folder(path, format!("this is not a key file: {error}")))?;
        if file.truceline_key != FORMAT {
            return Err(Error::folder(
                path,
                format!("format {}, this program reads format {FORMAT}", file.truceline_key),
            ));
        }
        PublicKey::parse(&file.public).map_err(|error| Error::folder(path, error.to_string()))?;
        Ok(file)
    }

    /// Opens the key.
    pub fn open(&self, path: &Path, passphrase: &str) -> Result<PrivateKey> {
        let bad = |why: &str| Error::folder(path, why.to_owned());
        let decode = |text: &str| STANDARD.decode(text).map_err(|error| bad(&error.to_string()));
        let nonce = <[u8; NONCE_BYTES]>::try_from(decode(&self.nonce)?.as_slice())
            .map_err(|_| bad("its nonce does not have 24 bytes"))?;
        let wrapping =
            self.argon2id.derive(passphrase, &decode(&self.salt)?).map_err(|why| bad(&why))?;
        let sealed = decode(&self.sealed_seed)?;
        let seed = XChaCha20Poly1305::new(&wrapping.into())
            .decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: self.public.as_bytes() })
            .map_err(|_| bad("the passphrase is wrong, or the file was altered"))?;
        let seed = <[u8; 32]>::try_from(seed.as_slice())
            .map_err(|_| bad("its seed does not have 32 bytes"))?;
        let public = PublicKey::parse(&self.public).map_err(|error| bad(&error.to_string()))?;
        let key =
            PrivateKey::from_seed(public.name(), &seed).map_err(|error| bad(&error.to_string()))?;
        if *key.public() != public {
            return Err(bad("its public key is not that of its seed"));
        }
        Ok(key)
    }
}

fn first<const N: usize>(bytes: [u8; 32]) -> [u8; N] {
    let mut taken = [0; N];
    taken.copy_from_slice(&bytes[..N]);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { person: "V-07".into(), role: "verifier".into(), contingent: "FI".into() }
    }

    #[test]
    fn a_key_opens_with_its_passphrase_and_no_other() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("v.key");
        let sealed = KeyFile::seal(&owner(), Seeds::System, "open", Cost::EXERCISE).unwrap();
        sealed.write(&path).unwrap();
        let read = KeyFile::read(&path).unwrap();
        let key = read.open(&path, "open").unwrap();
        assert_eq!(key.public().to_string(), sealed.public);
        assert_eq!(key.public().name(), "V-07.verifier.FI");
        let error = read.open(&path, "Open").unwrap_err().to_string();
        assert!(error.contains("passphrase is wrong"), "{error}");
        assert!(sealed.write(&path).unwrap_err().to_string().contains("never overwritten"));
    }

    #[test]
    fn no_file_holds_a_seed_in_the_clear() {
        let sealed = KeyFile::seal(&owner(), Seeds::Number(1), "open", Cost::EXERCISE).unwrap();
        let key = make(&owner(), Seeds::Number(1)).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        let secret = key.to_secret_text();
        let seed = secret.rsplit('+').next().unwrap();
        assert!(!text.contains(seed) && text.contains("\"exercise\":true"));
    }

    #[test]
    fn a_public_key_that_was_exchanged_is_noticed() {
        let one = KeyFile::seal(&owner(), Seeds::Number(1), "open", Cost::EXERCISE).unwrap();
        let two = KeyFile::seal(&owner(), Seeds::Number(2), "open", Cost::EXERCISE).unwrap();
        let mixed = KeyFile { public: two.public, ..one };
        assert!(mixed.open(Path::new("x"), "open").is_err());
    }

    #[test]
    fn a_greedy_file_is_refused() {
        let sealed = KeyFile::seal(&owner(), Seeds::Number(1), "open", Cost::EXERCISE).unwrap();
        let greedy =
            KeyFile { argon2id: Cost { memory_kib: u32::MAX, passes: 1, lanes: 1 }, ..sealed };
        assert!(greedy.open(Path::new("x"), "open").unwrap_err().to_string().contains("1 GiB"));
    }
}
