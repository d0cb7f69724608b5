//! Who has confirmed which reading of which version: *aligned* only when all
//! named parties confirmed the same reading of the same clause as it stands.

use jiff::civil::Date;
use serde::Deserialize;

use crate::citation::Citation;

/// A party's confirmation of a reading.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// Who.
    pub party: String,
    /// Id of the provision, commitment, clock, definition or condition.
    pub clause: String,
    /// The reading, by its name; `as written` for a clause without readings.
    pub reading: String,
    /// The version of the agreement.
    pub version: u32,
    /// Digest of the clause as `truceline agreement show` prints it. With it a
    /// confirmation goes stale when the clause changes, and only then.
    pub digest: Option<String>,
    /// When.
    pub date: Option<Date>,
    /// Where.
    #[serde(default)]
    pub citation: Citation,
}

/// Where the parties stand on a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// All named parties confirmed this reading of the clause as it stands.
    Aligned {
        /// The reading.
        reading: String,
    },
    /// They confirmed different readings.
    Divergent,
    /// Not all of them have confirmed one.
    Unconfirmed {
        /// Who has not.
        missing: Vec<String>,
    },
    /// The clause has changed since some of them confirmed it.
    Stale {
        /// Whose confirmation no longer counts.
        parties: Vec<String>,
    },
}

impl Alignment {
    /// In words.
    pub fn in_words(&self) -> String {
        match self {
            Self::Aligned { reading } => format!("aligned: {reading}"),
            Self::Divergent => "divergent".to_owned(),
            Self::Unconfirmed { missing } => format!("not confirmed by {}", missing.join(", ")),
            Self::Stale { parties } => {
                format!("stale: the clause changed after {} confirmed it", parties.join(", "))
            }
        }
    }
}

/// Where `parties` stand on a clause of which the present version and digest
/// are given. The newest confirmation of each party counts.
pub fn alignment(
    confirmations: &[Confirmation],
    clause: &str,
    version: u32,
    digest: &str,
    parties: &[&str],
) -> Alignment {
    let (mut missing, mut stale) = (Vec::new(), Vec::new());
    let mut readings: Vec<&str> = Vec::new();
    for party in parties {
        let newest = confirmations
            .iter()
            .enumerate()
            .filter(|(_, one)| one.clause == clause && one.party == *party)
            .max_by_key(|(index, one)| (one.version, one.date, *index))
            .map(|(_, one)| one);
        match newest {
            None => missing.push((*party).to_owned()),
            Some(one) => {
                let current = match &one.digest {
                    Some(confirmed) => digest.starts_with(confirmed.as_str()),
                    None => one.version == version,
                };
                if !current {
                    stale.push((*party).to_owned());
                } else if !readings.contains(&one.reading.as_str()) {
                    readings.push(&one.reading);
                }
            }
        }
    }
    if !stale.is_empty() {
        Alignment::Stale { parties: stale }
    } else if readings.len() > 1 {
        Alignment::Divergent
    } else if !missing.is_empty() || readings.is_empty() {
        Alignment::Unconfirmed { missing }
    } else {
        Alignment::Aligned { reading: readings[0].to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(party: &str, reading: &str, version: u32, digest: Option<&str>) -> Confirmation {
        Confirmation {
            party: party.into(),
            clause: "M1".into(),
            reading: reading.into(),
            version,
            digest: digest.map(str::to_owned),
            date: None,
            citation: Citation::default(),
        }
    }

    /// REQUIREMENTS H01, H02.
    #[test]
    fn h01_aligned_only_when_all_confirmed_the_same_reading_of_the_same_version() {
        let state = |said: &[Confirmation]| alignment(said, "M1", 2, "abcd", &["a", "b"]);
        let aligned = [said("a", "x", 2, None), said("b", "x", 2, None)];
        assert_eq!(state(&aligned), Alignment::Aligned { reading: "x".into() });
        assert_eq!(state(&aligned[..1]), Alignment::Unconfirmed { missing: vec!["b".into()] });
        assert_eq!(state(&[]), Alignment::Unconfirmed { missing: vec!["a".into(), "b".into()] });
        assert_eq!(
            state(&[said("a", "x", 2, None), said("b", "y", 2, None)]),
            Alignment::Divergent
        );
        assert_eq!(
            state(&[said("a", "x", 1, None), said("b", "x", 2, None)]),
            Alignment::Stale { parties: vec!["a".into()] }
        );
    }

    #[test]
    fn h02_with_a_digest_only_a_changed_clause_makes_it_stale() {
        let state =
            |digest: &str| alignment(&[said("a", "x", 1, Some("abcd"))], "M1", 2, digest, &["a"]);
        assert_eq!(state("abcdef"), Alignment::Aligned { reading: "x".into() });
        assert_eq!(state("9999"), Alignment::Stale { parties: vec!["a".into()] });
    }
}
