//! Identifiers derived from content, so that the same evidence has the same
//! name on every machine and in every order of arrival.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// Number of bytes of the SHA-256 digest that an id keeps.
///
/// 80 bits: among 10^9 observations of one mission the chance of any two
/// sharing an id by accident is about 4e-7 (n^2 / 2^81).
const ID_BYTES: usize = 10;

/// Crockford's base-32 alphabet, lower case: no `i`, `l`, `o`, `u`, so that an
/// id can be read out over a radio.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What an id names. The prefix is part of the printed form and of the hash,
/// so an observation and an incident can never share an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdKind {
    /// One measurement or report by one source: `obs_…`.
    Observation,
    /// One physical occurrence inferred from observations: `evt_…`.
    Event,
    /// Observations that are handled as one case: `inc_…`.
    Incident,
    /// One incident held against one provision: `fnd_…`.
    Finding,
    /// One text that several rows repeat: `org_…`.
    Origin,
    /// One instance of a commitment that was called: `obl_…`.
    Obligation,
}

impl IdKind {
    const ALL: [Self; 6] = [
        Self::Observation,
        Self::Event,
        Self::Incident,
        Self::Finding,
        Self::Origin,
        Self::Obligation,
    ];

    /// The printed prefix, without the underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Observation => "obs",
            Self::Event => "evt",
            Self::Incident => "inc",
            Self::Finding => "fnd",
            Self::Origin => "org",
            Self::Obligation => "obl",
        }
    }
}

/// A content-derived identifier, printed as `inc_` and 16 base-32 characters.
///
/// ```
/// use domain::id::{Id, IdKind};
/// let id = Id::of(IdKind::Incident, &[b"a", b"b"]);
/// assert_eq!(id, Id::of(IdKind::Incident, &[b"a", b"b"]));
/// assert_ne!(id, Id::of(IdKind::Incident, &[b"ab", b""]));
/// assert_eq!(id.to_string().parse::<Id>().unwrap(), id);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    kind: IdKind,
    bytes: [u8; ID_BYTES],
}

impl Id {
    /// Hashes the parts, each preceded by its length, so that moving a byte
    /// from one part to the next changes the id.
    pub fn of(kind: IdKind, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(kind.prefix().as_bytes());
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let mut bytes = [0; ID_BYTES];
        bytes.copy_from_slice(&hasher.finalize()[..ID_BYTES]);
        Self { kind, bytes }
    }

    /// What the id names.
    pub const fn kind(self) -> IdKind {
        self.kind
    }

    /// The digest part.
    pub const fn bytes(&self) -> &[u8; ID_BYTES] {
        &self.bytes
    }

    /// The first 64 bits, for sets that must stay small. Two different
    /// observations of a source with 10^7 rows share them with a chance of
    /// about 3e-6.
    pub fn short(self) -> u64 {
        let mut head = [0; 8];
        head.copy_from_slice(&self.bytes[..8]);
        u64::from_be_bytes(head)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 16];
        let mut window: u32 = 0;
        let mut bits = 0;
        let mut at = 0;
        for byte in self.bytes {
            window = (window << 8) | u32::from(byte);
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text[at] = ALPHABET[((window >> bits) & 31) as usize];
                at += 1;
            }
        }
        f.write_str(self.kind.prefix())?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not an id.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not an id; ids look like inc_0123456789abcdef (prefix, underscore, 16 characters)"
)]
pub struct NotAnId(String);

impl std::str::FromStr for Id {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let refuse = || NotAnId(text.to_owned());
        let (prefix, rest) = text.split_once('_').ok_or_else(refuse)?;
        let kind =
            IdKind::ALL.into_iter().find(|kind| kind.prefix() == prefix).ok_or_else(refuse)?;
        if rest.len() != 16 {
            return Err(refuse());
        }
        let mut bytes = [0; ID_BYTES];
        let mut window: u32 = 0;
        let mut bits = 0;
        let mut at = 0;
        for character in rest.bytes() {
            let value = ALPHABET
                .iter()
                .position(|known| *known == character.to_ascii_lowercase())
                .ok_or_else(refuse)?;
            window = (window << 5) | value as u32;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes[at] = ((window >> bits) & 255) as u8;
                at += 1;
            }
        }
        Ok(Self { kind, bytes })
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printed_form_round_trips(content in proptest::collection::vec(any::<u8>(), 0..40)) {
            for kind in IdKind::ALL {
                let id = Id::of(kind, &[&content]);
                prop_assert_eq!(id.to_string().parse::<Id>().unwrap(), id);
                prop_assert_eq!(id.to_string().to_uppercase().replacen(&kind.prefix().to_uppercase(), kind.prefix(), 1).parse::<Id>().unwrap(), id);
            }
        }
    }

    #[test]
    fn kinds_do_not_collide() {
        assert_ne!(
            Id::of(IdKind::Incident, &[b"x"]).bytes(),
            Id::of(IdKind::Finding, &[b"x"]).bytes()
        );
    }

    #[test]
    fn nonsense_is_refused_with_the_form_expected() {
        for text in ["", "inc", "inc_", "inc_0123", "xyz_0123456789abcdef", "inc_0123456789abcdeu"]
        {
            let error = text.parse::<Id>().unwrap_err().to_string();
            assert!(error.contains("ids look like"), "{error}");
        }
    }
}
