//! What evidence tells of an incident besides when, where and of what class:
//! the weapon, the height, a notification. Agreements ask for them; most
//! evidence does not tell, and then nothing is taken for granted.

use serde::{Deserialize, Serialize};

use crate::measures::{Measures, Value};

/// What a weapon is, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeaponKind {
    /// Tube artillery.
    Artillery,
    /// Mortar.
    Mortar,
    /// Tank.
    Tank,
    /// Multiple-launch rocket system.
    Mlrs,
    /// Tactical missile.
    Missile,
    /// Anti-tank gun.
    AntiTank,
    /// Air defence.
    AirDefence,
}

impl WeaponKind {
    fn named(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.trim().to_lowercase())).ok()
    }
}

/// A weapon as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeaponSeen {
    /// Its system, if recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Its kind, if recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<WeaponKind>,
    /// Its calibre, millimetres, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibre_mm: Option<f64>,
}

/// What is told besides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Particulars {
    /// The weapon, as far as it was recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weapon: Option<WeaponSeen>,
    /// Height above ground and its error, one standard deviation, metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height_m: Option<(f64, f64)>,
    /// Whether it had been notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified: Option<bool>,
}

/// Heights without a stated error are taken to be known to this, metres: an
/// estimate by eye.
const HEIGHT_SIGMA_M: f64 = 100.0;

/// Calibres within this share of one another are told of one weapon.
const SAME_CALIBRE: f64 = 0.03;

impl Particulars {
    /// From the measures of an observation, by the names that mappings give
    /// them: `weapon` and `weapon_kind` in words, `calibre_mm`, `height_m` and
    /// `height_sigma_m` as numbers, `notified` as `yes` or `no`. Words that say
    /// nothing known are left out.
    pub fn of(measures: &Measures) -> Self {
        let number = |name: &str| measures.get(name).and_then(Value::number);
        let words = |name: &str| {
            let words = measures.get(name).and_then(Value::text).map(str::trim);
            words.filter(|words| !words.is_empty())
        };
        let weapon = WeaponSeen {
            system: words("weapon").map(str::to_owned),
            kind: words("weapon_kind").and_then(WeaponKind::named),
            calibre_mm: number("calibre_mm").filter(|mm| *mm > 0.0),
        };
        let sigma_m = number("height_sigma_m").filter(|sigma| *sigma >= 0.0);
        Self {
            weapon: (weapon != WeaponSeen::default()).then_some(weapon),
            height_m: number("height_m").map(|height| (height, sigma_m.unwrap_or(HEIGHT_SIGMA_M))),
            notified: match words("notified").map(str::to_lowercase).as_deref() {
                Some("yes" | "true") => Some(true),
                Some("no" | "false") => Some(false),
                _ => None,
            },
        }
    }

    /// True if nothing is told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What several tell together. Where two of them contradict one another,
    /// neither is taken, and the remarks say so.
    pub fn together<'p>(all: impl Iterator<Item = &'p Self>) -> (Self, Vec<String>) {
        let mut both = Self::default();
        let mut remarks = Vec::new();
        let (mut systems, mut kinds, mut calibres) = (Vec::new(), Vec::new(), Vec::new());
        let mut notices = Vec::new();
        for one in all {
            if let Some(weapon) = &one.weapon {
                systems.extend(weapon.system.clone());
                kinds.extend(weapon.kind);
                calibres.extend(weapon.calibre_mm);
            }
            // The most exact height stands for all.
            if let Some((height, sigma)) = one.height_m
                && both.height_m.is_none_or(|(_, known)| sigma < known)
            {
                both.height_m = Some((height, sigma));
            }
            notices.extend(one.notified);
        }
        let weapon = WeaponSeen {
            system: agreed(&systems, |a, b| a.to_lowercase() == b.to_lowercase()).unwrap_or_else(
                |()| {
                    remarks.push(format!(
                        "the evidence names different weapons: {}",
                        systems.join(", ")
                    ));
                    None
                },
            ),
            kind: agreed(&kinds, |a, b| a == b).unwrap_or_else(|()| {
                remarks.push("the evidence names different kinds of weapons".to_owned());
                None
            }),
            calibre_mm: agreed(&calibres, |a, b| (a - b).abs() <= SAME_CALIBRE * a.max(*b))
                .unwrap_or_else(|()| {
                    remarks.push("the evidence tells different calibres".to_owned());
                    None
                }),
        };
        both.weapon = (weapon != WeaponSeen::default()).then_some(weapon);
        both.notified = agreed(&notices, |a, b| a == b).unwrap_or_else(|()| {
            remarks.push("the evidence contradicts itself on whether it was notified".to_owned());
            None
        });
        (both, remarks)
    }
}

/// The first of some values, none if there are none.
///
/// # Errors
/// If they are not the same.
fn agreed<T: Clone>(values: &[T], same: impl Fn(&T, &T) -> bool) -> Result<Option<T>, ()> {
    let first = values.first();
    let alike = |value: &T| first.is_some_and(|first| same(first, value));
    if values.iter().all(alike) { Ok(first.cloned()) } else { Err(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(list: &[(&str, Value)]) -> Particulars {
        Particulars::of(&list.iter().map(|(name, value)| (*name, value.clone())).collect())
    }

    fn text(words: &str) -> Value {
        Value::Text(words.into())
    }

    #[test]
    fn measures_are_read_by_their_names() {
        let one = told(&[
            ("calibre_mm", Value::Number(122.0)),
            ("height_m", Value::Number(300.0)),
            ("notified", text("No")),
            ("weapon", text(" D-30 ")),
            ("weapon_kind", text("artillery")),
        ]);
        assert_eq!(one.height_m, Some((300.0, HEIGHT_SIGMA_M)));
        assert_eq!(one.notified, Some(false));
        let weapon = one.weapon.unwrap();
        assert_eq!(weapon.system.as_deref(), Some("D-30"));
        assert_eq!((weapon.kind, weapon.calibre_mm), (Some(WeaponKind::Artillery), Some(122.0)));
        let vague = told(&[
            ("notified", text("perhaps")),
            ("weapon", text("")),
            ("frp_mw", Value::Number(1.0)),
        ]);
        assert!(vague.is_empty());
    }

    #[test]
    fn what_contradicts_itself_is_not_taken() {
        let gun = told(&[
            ("calibre_mm", Value::Number(122.0)),
            ("weapon", text("D-30")),
            ("notified", text("yes")),
        ]);
        let same = told(&[("calibre_mm", Value::Number(121.0)), ("weapon", text("d-30"))]);
        let other = told(&[
            ("calibre_mm", Value::Number(152.0)),
            ("weapon", text("2S19")),
            ("notified", text("no")),
        ]);
        let (both, remarks) = Particulars::together([&gun, &same].into_iter());
        assert_eq!((both, remarks.len()), (gun.clone(), 0));
        let (both, remarks) = Particulars::together([&gun, &other].into_iter());
        assert!(both.is_empty(), "{both:?}");
        assert_eq!(remarks.len(), 3, "{remarks:?}");
    }

    #[test]
    fn the_most_exact_height_stands() {
        let at = |height: f64, sigma: f64| Particulars {
            height_m: Some((height, sigma)),
            ..Particulars::default()
        };
        let (both, _) = Particulars::together([&at(500.0, 80.0), &at(430.0, 5.0)].into_iter());
        assert_eq!(both.height_m, Some((430.0, 5.0)));
    }
}
