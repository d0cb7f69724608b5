//! Weapon classes, by the name of the system *and* by calibre: texts use both,
//! and a named system belongs where it is named, whatever its calibre.

pub use domain::particulars::{WeaponKind, WeaponSeen};
use serde::Deserialize;

use crate::citation::{Citation, Localised};
use crate::truth::Truth;

/// A class of weapons.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeaponClass {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// Kinds that it is about. Empty: any.
    #[serde(default)]
    pub kinds: Vec<WeaponKind>,
    /// Systems that it names. Case and punctuation do not count.
    #[serde(default)]
    pub systems: Vec<String>,
    /// From this calibre on, millimetres, itself included.
    pub calibre_from_mm: Option<f64>,
    /// Above this calibre, millimetres, itself not included.
    pub calibre_above_mm: Option<f64>,
    /// Up to this calibre, millimetres, itself included.
    pub calibre_to_mm: Option<f64>,
    /// Below this calibre, millimetres, itself not included.
    pub calibre_below_mm: Option<f64>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

/// `BM-21 "Grad"` and `bm21 grad` are the same name.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl WeaponClass {
    fn names(&self, system: &str) -> bool {
        self.systems.iter().any(|named| plain(named) == plain(system))
    }

    fn has_calibre(&self) -> bool {
        self.calibre_from_mm.is_some()
            || self.calibre_above_mm.is_some()
            || self.calibre_to_mm.is_some()
            || self.calibre_below_mm.is_some()
    }

    /// Whether a weapon belongs to this class, among all classes of the
    /// agreement: a system that another class names belongs there alone.
    pub fn covers(&self, seen: Option<&WeaponSeen>, all: &[Self]) -> Truth {
        let Some(seen) = seen else {
            return Truth::unknown("the evidence does not tell the weapon");
        };
        if let Some(system) = &seen.system {
            if self.names(system) {
                return Truth::met();
            }
            if all.iter().any(|other| other.id != self.id && other.names(system)) {
                return Truth::not_met();
            }
        }
        let kind = if self.kinds.is_empty() {
            Truth::met()
        } else {
            match seen.kind {
                Some(kind) if self.kinds.contains(&kind) => Truth::met(),
                Some(_) => Truth::not_met(),
                None => Truth::unknown("the evidence does not tell the kind of weapon"),
            }
        };
        if !self.has_calibre() {
            // Named systems only: a system that is known and not named is none of them.
            return if !self.systems.is_empty() && seen.system.is_some() {
                Truth::not_met()
            } else if self.systems.is_empty() {
                kind
            } else {
                kind.and(Truth::unknown("the evidence does not tell the system"))
            };
        }
        let calibre = match seen.calibre_mm {
            Some(mm) => {
                let inside = self.calibre_from_mm.is_none_or(|least| mm >= least)
                    && self.calibre_above_mm.is_none_or(|least| mm > least)
                    && self.calibre_to_mm.is_none_or(|most| mm <= most)
                    && self.calibre_below_mm.is_none_or(|most| mm < most);
                if inside { Truth::met() } else { Truth::not_met() }
            }
            None => Truth::unknown("the evidence does not tell the calibre"),
        };
        kind.and(calibre)
    }

    /// The calibre in words; empty if there is no limit.
    pub fn calibre(&self) -> String {
        let limits = [
            ("from", self.calibre_from_mm),
            ("above", self.calibre_above_mm),
            ("up to", self.calibre_to_mm),
            ("below", self.calibre_below_mm),
        ];
        let parts: Vec<String> =
            limits.iter().filter_map(|(word, mm)| Some(format!("{word} {} mm", (*mm)?))).collect();
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Verdict;

    fn class(text: &str) -> WeaponClass {
        strict::Text::new("w", format!("id = \"{}\"\nname = \"n\"\n{text}", text.len()))
            .parse()
            .unwrap()
    }

    fn seen(system: Option<&str>, kind: Option<WeaponKind>, calibre_mm: Option<f64>) -> WeaponSeen {
        WeaponSeen { system: system.map(str::to_owned), kind, calibre_mm }
    }

    #[test]
    fn a_named_system_belongs_where_it_is_named() {
        let guns = class("kinds = [\"artillery\", \"mlrs\"]\ncalibre_from_mm = 100");
        let far = class("systems = [\"BM-30 Smerch\", \"Tornado-S\"]");
        let all = [guns.clone(), far.clone()];
        let smerch = seen(Some("bm30 smerch"), Some(WeaponKind::Mlrs), Some(300.0));
        assert_eq!(guns.covers(Some(&smerch), &all), Truth::not_met());
        assert_eq!(far.covers(Some(&smerch), &all), Truth::met());
    }

    #[test]
    fn calibre_limits_say_whether_they_include_the_number() {
        let from = class("kinds = [\"artillery\"]\ncalibre_from_mm = 100");
        let above = class("kinds = [\"artillery\"]\ncalibre_above_mm = 100");
        let mt12 = seen(None, Some(WeaponKind::Artillery), Some(100.0));
        assert_eq!(from.covers(Some(&mt12), &[]), Truth::met());
        assert_eq!(above.covers(Some(&mt12), &[]), Truth::not_met());
        let least = domain::Probability::new(0.5);
        let blurred = seen(None, Some(WeaponKind::Artillery), None);
        assert_eq!(from.covers(Some(&blurred), &[]).verdict(least), Verdict::Open);
        assert_eq!(from.covers(None, &[]).verdict(least), Verdict::Open);
        assert_eq!(
            from.covers(Some(&seen(None, Some(WeaponKind::Tank), None)), &[]).verdict(least),
            Verdict::NotMet
        );
    }
}
