//! Who holds which key, in which role, from which contingent, and how long.

use std::collections::BTreeMap;

use jiff::Timestamp;
use record::PublicKey;
use serde::{Deserialize, Serialize};

use crate::role::Role;

/// A person's key, as declared by the mission. No name, no telephone number, no
/// habit: staff appear by pseudonym (VERIFICATION D8).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Officer {
    /// The public key, in the text form of signed notes.
    pub key: String,
    /// Pseudonym of the person. One person may hold several keys, and counts once.
    pub person: String,
    /// Role in which this key signs.
    pub role: Role,
    /// State or organisation that sent the person; for an agent of a party, the
    /// party's id in the agreement.
    pub contingent: String,
    /// First moment at which it may be used.
    pub from: Timestamp,
    /// Moment after the last.
    pub to: Timestamp,
}

/// A key that is not to be believed any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The public key.
    pub key: String,
    /// From this moment on.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What stands against a key at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may sign.
    Good,
    /// It is not valid yet.
    NotYet(Timestamp),
    /// It has expired.
    Expired(Timestamp),
    /// It was revoked.
    Revoked(Timestamp, String),
}

/// The keys of a mission.
#[derive(Clone, Debug, Default)]
pub struct Register {
    officers: BTreeMap<String, (PublicKey, Officer)>,
    revoked: BTreeMap<String, Revocation>,
}

impl Register {
    /// Takes a declared key up. A key is declared once and for all: what was
    /// signed in one role must not turn into another's act later.
    pub fn add(&mut self, officer: Officer) -> Result<(), String> {
        let key = PublicKey::parse(&officer.key).map_err(|error| error.to_string())?;
        if officer.from >= officer.to {
            return Err(format!("the key of {} is never valid", officer.person));
        }
        if self.officers.contains_key(&officer.key) {
            return Err(format!("the key {} is declared twice", key.name()));
        }
        self.officers.insert(officer.key.clone(), (key, officer));
        Ok(())
    }

    /// Takes a revocation up; the earliest moment counts.
    pub fn revoke(&mut self, revocation: Revocation) -> Result<(), String> {
        if !self.officers.contains_key(&revocation.key) {
            return Err("a key is revoked that was never declared".to_owned());
        }
        let known =
            self.revoked.entry(revocation.key.clone()).or_insert_with(|| revocation.clone());
        if revocation.at < known.at {
            *known = revocation;
        }
        Ok(())
    }

    /// All keys with their revocation.
    pub fn all(&self) -> impl Iterator<Item = (&Officer, Option<&Revocation>)> {
        self.officers.iter().map(|(text, (_, officer))| (officer, self.revoked.get(text)))
    }

    /// The public keys.
    pub fn keys(&self) -> Vec<&PublicKey> {
        self.officers.values().map(|(key, _)| key).collect()
    }

    /// The officer of a key.
    pub fn officer(&self, key: &PublicKey) -> Option<&Officer> {
        self.officers.get(&key.to_string()).map(|(_, officer)| officer)
    }

    /// What stands against a key at a moment.
    pub fn standing(&self, officer: &Officer, moment: Timestamp) -> Standing {
        match self.revoked.get(&officer.key) {
            Some(revocation) if revocation.at <= moment => {
                Standing::Revoked(revocation.at, revocation.reason.clone())
            }
            _ if moment < officer.from => Standing::NotYet(officer.from),
            _ if moment >= officer.to => Standing::Expired(officer.to),
            _ => Standing::Good,
        }
    }
}
