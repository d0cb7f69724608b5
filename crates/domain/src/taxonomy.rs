//! The two axes on which everything is classified, kept apart on purpose:
//! the **signature** is what was observed, the **class** is what an agreement
//! calls it. A thermal anomaly is a signature; whether it is tube artillery
//! (A4) or a stubble fire (Z3) is a question of class.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A code that neither axis knows.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{given}` is not a {axis}; known: {known}")]
pub struct UnknownCode {
    axis: &'static str,
    given: String,
    known: String,
}

macro_rules! coded {
    ($(#[$meta:meta])* $name:ident, $axis:literal, { $($variant:ident = $code:literal, $title:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each variant's meaning is its title
        pub enum $name { $($variant,)+ }

        impl $name {
            /// All codes, in the order of the taxonomy.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code used in files.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The meaning, in English.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.code()) }
        }

        impl FromStr for $name {
            type Err = UnknownCode;
            fn from_str(text: &str) -> Result<Self, UnknownCode> {
                match text {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(UnknownCode {
                        axis: $axis,
                        given: text.to_owned(),
                        known: Self::ALL.iter().map(|known| known.code()).collect::<Vec<_>>().join(", "),
                    }),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

coded!(
    /// What was observed.
    ///
    /// After the terms of the OSCE mission's tables, with seven additions that
    /// real feeds need: `arrival` (of a wave at a station), `alert`, `uav`,
    /// `fighting`, `casualty`, `movement` and `unspecified`.
    Signature, "signature", {
        Explosion = "explosion", "explosion";
        Burst = "burst", "burst of fire";
        Shot = "shot", "shot";
        Projectile = "projectile", "projectile in flight";
        MuzzleFlash = "muzzle_flash", "muzzle flash";
        Flare = "flare", "flare";
        Launch = "launch", "launch";
        UavSound = "uav_sound", "sound of an uncrewed aircraft";
        Uav = "uav", "uncrewed aircraft seen or reported";
        Aircraft = "aircraft", "aircraft";
        VehicleTrack = "vehicle_track", "vehicle track";
        ThermalAnomaly = "thermal_anomaly", "thermal anomaly";
        Crater = "crater", "crater";
        Damage = "damage", "damage";
        Casualty = "casualty", "casualties";
        Remnant = "remnant", "remnant of a munition";
        Fighting = "fighting", "ground fighting";
        Movement = "movement", "movement of forces or of the line";
        Presence = "presence", "presence";
        Absence = "absence", "absence";
        SignalInterference = "signal_interference", "signal interference";
        Arrival = "arrival", "arrival at a station";
        Alert = "alert", "public air-raid alert";
        Unspecified = "unspecified", "unspecified";
    }
);

coded!(
    /// What an agreement calls it. Letters A to I are conduct, Z is what turned
    /// out not to be a violation.
    Class, "class", {
        A1 = "A1", "small arms";
        A2 = "A2", "heavy machine gun or grenade launcher";
        A3 = "A3", "mortar";
        A4 = "A4", "tube artillery";
        A5 = "A5", "tank or direct fire";
        A6 = "A6", "multiple-launch rockets";
        A7 = "A7", "missile";
        A8 = "A8", "air-delivered weapon";
        A9 = "A9", "armed or loitering uncrewed aircraft";
        A10 = "A10", "sniper";
        A11 = "A11", "air defence";
        A12 = "A12", "mine or improvised device";
        A13 = "A13", "use of fire, kind undetermined";
        B1 = "B1", "weapon in violation of a withdrawal line";
        B2 = "B2", "weapon beyond the line, outside storage";
        B3 = "B3", "weapon missing from storage";
        B4 = "B4", "weapon in or near a civilian object";
        B5 = "B5", "quota exceeded";
        C1 = "C1", "new position or advance";
        C2 = "C2", "trench or fortification";
        C3 = "C3", "mine laying";
        C4 = "C4", "military presence in a disengagement or buffer area";
        C5 = "C5", "rotation without notice";
        C6 = "C6", "live-fire exercise in the zone";
        D1 = "D1", "no-fly breach";
        D2 = "D2", "reconnaissance uncrewed aircraft";
        D3 = "D3", "maritime breach";
        E1 = "E1", "denial of movement";
        E2 = "E2", "conditional access";
        E3 = "E3", "delay";
        E4 = "E4", "threat or violence to monitors";
        E5 = "E5", "fire at monitors or their aircraft";
        E6 = "E6", "jamming or spoofing";
        E7 = "E7", "access to a storage site refused";
        E8 = "E8", "information refused";
        E9 = "E9", "mines block access";
        F1 = "F1", "civilian killed";
        F2 = "F2", "civilian injured";
        F3 = "F3", "damage to a home";
        F4 = "F4", "hospital, school or religious site";
        F5 = "F5", "critical infrastructure";
        F6 = "F6", "crossing point";
        G1 = "G1", "window of silence";
        G2 = "G2", "strike on a protected energy or water object";
        H1 = "H1", "inventory not supplied";
        H2 = "H2", "notification missing";
        H3 = "H3", "exchange of prisoners or remains";
        H4 = "H4", "demining duty";
        H5 = "H5", "corridor";
        H6 = "H6", "disciplinary measure not reported";
        I1 = "I1", "interference, cyber or incitement";
        Z1 = "Z1", "notified exercise";
        Z2 = "Z2", "controlled detonation";
        Z3 = "Z3", "agricultural or industrial fire";
        Z4 = "Z4", "thunder or quarry";
        Z5 = "Z5", "hunting or celebration";
        Z6 = "Z6", "duplicate";
        Z7 = "Z7", "outside zone or time";
        Z8 = "Z8", "earthquake";
    }
);

/// Signatures that can come from one and the same occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Use of force and its effects.
    Force,
    /// Forces or a line that moved, or that are there.
    Movement,
    /// Jamming and spoofing.
    Interference,
    /// What only goes with other things: alerts, an absence, one arrival.
    Context,
}

impl Signature {
    /// The family.
    pub const fn family(self) -> Family {
        match self {
            Self::Movement | Self::Presence | Self::VehicleTrack => Family::Movement,
            Self::SignalInterference => Family::Interference,
            Self::Alert | Self::Absence | Self::Arrival => Family::Context,
            _ => Family::Force,
        }
    }

    /// The class to assume when nothing more is known.
    pub const fn default_class(self) -> Class {
        match self {
            Self::Uav => Class::A9,
            Self::UavSound => Class::D2,
            Self::Aircraft => Class::D1,
            Self::Movement => Class::C1,
            Self::Presence | Self::VehicleTrack => Class::C4,
            Self::SignalInterference => Class::E6,
            _ => Class::A13,
        }
    }
}

impl Class {
    /// The class of a kind of source of waves in air or ground, by the names that
    /// `associate` and `simulate` use; none if the name is not known.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "explosion" => Self::A13,
            "small_arms" => Self::A1,
            "mortar" => Self::A3,
            "artillery" => Self::A4,
            "rocket" => Self::A6,
            "airstrike" => Self::A8,
            "controlled_blast" => Self::Z2,
            "thunder" | "quarry" => Self::Z4,
            "earthquake" => Self::Z8,
            _ => return None,
        })
    }

    /// The letter of the group: `A` use of fire, `B` weapons in place, and so on.
    pub fn group(self) -> char {
        self.code().chars().next().expect("codes are not empty")
    }
}

/// A class or a whole group of classes, as an agreement names acts: `A4` or `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClassPattern {
    /// One class.
    One(Class),
    /// Every class with this letter.
    Group(char),
}

impl ClassPattern {
    /// Whether the class falls under the pattern.
    pub fn matches(self, class: Class) -> bool {
        match self {
            Self::One(one) => one == class,
            Self::Group(letter) => class.group() == letter,
        }
    }
}

impl FromStr for ClassPattern {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let mut letters = text.chars();
        if let (Some(letter), None) = (letters.next(), letters.next())
            && Class::ALL.iter().any(|class| class.group() == letter)
        {
            return Ok(Self::Group(letter));
        }
        text.parse().map(Self::One)
    }
}

impl fmt::Display for ClassPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(class) => class.fmt(f),
            Self::Group(letter) => write!(f, "{letter}"),
        }
    }
}

impl Serialize for ClassPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ClassPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back() {
        for class in Class::ALL {
            assert_eq!(class.code().parse::<Class>().unwrap(), *class);
        }
        for signature in Signature::ALL {
            assert_eq!(signature.code().parse::<Signature>().unwrap(), *signature);
        }
    }

    #[test]
    fn a_letter_stands_for_its_group() {
        let fire: ClassPattern = "A".parse().unwrap();
        assert!(fire.matches(Class::A9) && !fire.matches(Class::C1));
        assert!("A4".parse::<ClassPattern>().unwrap().matches(Class::A4));
        let error = "Q".parse::<ClassPattern>().unwrap_err().to_string();
        assert!(error.contains("`Q` is not a class; known: A1, A2"), "{error}");
    }
}
