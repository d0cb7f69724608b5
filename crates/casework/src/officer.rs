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
    /// The first head declared for each contingent: the key that its
    /// government has to know and to watch.
    heads: BTreeMap<String, String>,
    /// Keys that a head has countersigned, with the entry that says so.
    countersigned: BTreeMap<String, u64>,
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
        if officer.role == Role::ContingentHead {
            let heads = self.heads.entry(officer.contingent.clone());
            heads.or_insert_with(|| officer.key.clone());
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

    /// Takes up that a head vouches for a key.
    ///
    /// # Errors
    /// Why the head cannot vouch for it, in words.
    pub fn countersign(
        &mut self,
        head: &Officer,
        (key, person, role): (&str, &str, Role),
        entry: u64,
    ) -> Result<(), String> {
        let Some((_, officer)) = self.officers.get(key) else {
            return Err("the mission has declared no such key".to_owned());
        };
        if officer.contingent != head.contingent {
            return Err(format!("{} is of {}", officer.person, officer.contingent));
        }
        if officer.key == head.key {
            return Err("nobody vouches for the own key".to_owned());
        }
        if officer.person != person || officer.role != role {
            return Err(format!(
                "the mission declared that key for {} as {}",
                officer.person,
                officer.role.title()
            ));
        }
        self.countersigned.entry(officer.key.clone()).or_insert(entry);
        Ok(())
    }

    /// The entry by which a key was countersigned.
    pub fn countersigned(&self, officer: &Officer) -> Option<u64> {
        self.countersigned.get(&officer.key).copied()
    }

    /// Whether a key may sign where keys have to be countersigned: it was, or
    /// it is the first of the heads of its contingent.
    pub fn is_vouched_for(&self, officer: &Officer) -> bool {
        self.countersigned.contains_key(&officer.key)
            || self.heads.get(&officer.contingent) == Some(&officer.key)
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
