//! Contested fields: a value that the parties read differently keeps every
//! reading, each with who reads it so and where. Nothing downstream may choose
//! one silently.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use crate::citation::Citation;

/// One reading of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<T> {
    /// Name of the reading; empty if nothing is contested.
    pub name: String,
    /// Who reads it so; empty if nobody in particular is known to.
    pub parties: Vec<String>,
    /// Where they do.
    pub citation: Citation,
    /// The value under this reading.
    pub value: T,
}

/// A field with one value, or with several readings.
///
/// In a package a plain value, or an array of tables, each with `reading` and
/// `value` (and `party`, `citation`):
///
/// ```
/// use agreement::Contested;
/// #[derive(serde::Deserialize)]
/// struct Clause { zone: Contested<String> }
///
/// let plain: Clause = strict::Text::new("t", r#"zone = "belt""#).parse().unwrap();
/// assert!(!plain.zone.is_contested());
/// let contested: Clause = strict::Text::new("t", r#"
///     zone = [
///       { reading = "as north reads it", party = "north", value = "belt" },
///       { reading = "as south reads it", party = "south", value = "wide-belt" },
///     ]"#).parse().unwrap();
/// assert_eq!(contested.zone.under("as south reads it").unwrap().value, "wide-belt");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Contested<T> {
    /// At least one; more than one if it is contested, each with its own name.
    readings: Vec<Reading<T>>,
}

/// Who reads it so: one, or several.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::One(one) => vec![one],
        Either::Many(many) => many,
    })
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReading<T> {
    reading: String,
    #[serde(default, deserialize_with = "one_or_many")]
    party: Vec<String>,
    #[serde(default)]
    citation: Citation,
    value: T,
}

impl<T> Contested<T> {
    /// A field with one value.
    pub fn plain(value: T) -> Self {
        let reading =
            Reading { name: String::new(), parties: vec![], citation: Citation::default(), value };
        Self { readings: vec![reading] }
    }

    /// A field with readings.
    ///
    /// # Errors
    /// What is wrong with them: none at all, no name, the same name twice.
    pub fn of(readings: Vec<Reading<T>>) -> Result<Self, &'static str> {
        if readings.is_empty() {
            return Err("a field needs at least one reading");
        }
        let contested = readings.len() > 1;
        for (index, reading) in readings.iter().enumerate() {
            if contested && reading.name.is_empty() {
                return Err("it is contested, but the reading has no name");
            }
            if readings[..index].iter().any(|before| before.name == reading.name) {
                return Err("two readings have the same name");
            }
        }
        Ok(Self { readings })
    }

    /// All readings, in the order of the package.
    pub fn readings(&self) -> &[Reading<T>] {
        &self.readings
    }

    /// True if there is more than one reading.
    pub fn is_contested(&self) -> bool {
        self.readings.len() > 1
    }

    /// The reading of that name; the only one if there is but one.
    pub fn under(&self, name: &str) -> Option<&Reading<T>> {
        match self.readings.as_slice() {
            [only] => Some(only),
            several => several.iter().find(|reading| reading.name == name),
        }
    }

    /// The value if nothing is contested.
    pub fn uncontested(&self) -> Option<&T> {
        match self.readings.as_slice() {
            [only] => Some(&only.value),
            _ => None,
        }
    }

    /// The same readings with other values.
    ///
    /// # Errors
    /// The first error of `change`.
    pub fn try_map<U, E>(
        &self,
        mut change: impl FnMut(&T) -> Result<U, E>,
    ) -> Result<Contested<U>, E> {
        let mut readings = Vec::with_capacity(self.readings.len());
        for reading in &self.readings {
            readings.push(Reading {
                name: reading.name.clone(),
                parties: reading.parties.clone(),
                citation: reading.citation.clone(),
                value: change(&reading.value)?,
            });
        }
        Ok(Contested { readings })
    }
}

impl<T: Default> Default for Contested<T> {
    fn default() -> Self {
        Self::plain(T::default())
    }
}

/// An element of an array: a word of a list, or a reading.
enum Item<T> {
    Word(String),
    Reading(RawReading<T>),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Item<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: DeserializeOwned> Visitor<'de> for Either<T> {
            type Value = Item<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, or a table with reading and value")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Item<T>, E> {
                Ok(Item::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item<T>, A::Error> {
                RawReading::deserialize(MapAccessDeserializer::new(map)).map(Item::Reading)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Contested<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Field<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Field<T> {
            type Value = Contested<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, or an array of tables with reading and value")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(Contested::plain)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(Contested::plain)
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(Contested::plain)
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(Contested::plain)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Contested::plain)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let (mut words, mut readings) = (Vec::new(), Vec::new());
                while let Some(item) = seq.next_element::<Item<T>>()? {
                    match item {
                        Item::Word(word) => words.push(word),
                        Item::Reading(raw) => readings.push(Reading {
                            name: raw.reading,
                            parties: raw.party,
                            citation: raw.citation,
                            value: raw.value,
                        }),
                    }
                }
                if readings.is_empty() {
                    let words = SeqDeserializer::new(words.into_iter());
                    return T::deserialize(words).map(Contested::plain);
                }
                if !words.is_empty() {
                    return Err(de::Error::custom(
                        "plain values and readings stand side by side; make every value a reading",
                    ));
                }
                Contested::of(readings).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Field(PhantomData))
    }
}
