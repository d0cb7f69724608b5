//! The by-products of an observation: named numbers and words.
//!
//! The rows of one file all have the same names, so the names are shared and a
//! row carries only its values.

use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A measured or stated property.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number; the unit is the last part of the property's name.
    Number(f64),
    /// Words, exactly as given.
    Text(CompactString),
}

impl Value {
    /// The number, if it is one.
    pub const fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The words, if it is some.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Names in byte order, shared between observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Arc<[CompactString]>);

impl Names {
    /// Sorts the names; one that occurs twice is kept once.
    pub fn new(names: impl IntoIterator<Item = CompactString>) -> Self {
        let mut names: Vec<CompactString> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    /// Where a name stands.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|known| known.as_str().cmp(name)).ok()
    }
}

/// Named values, in the order of their names. A name may be without a value.
#[derive(Clone)]
pub struct Measures {
    names: Names,
    values: Vec<Option<Value>>,
}

impl Measures {
    /// No values yet; room for one per name.
    pub fn new(names: &Names) -> Self {
        Self { names: names.clone(), values: vec![None; names.0.len()] }
    }

    /// Sets or takes away the value of the name that stands at a position.
    ///
    /// # Panics
    /// If there is no such position, which is a programmer's error.
    pub fn set(&mut self, position: usize, value: Option<Value>) {
        self.values[position] = value;
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values[self.names.position(name)?].as_ref()
    }

    /// Names that have a value, with it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names
            .0
            .iter()
            .zip(&self.values)
            .filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)))
    }

    /// True if no name has a value.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }
}

impl Default for Measures {
    fn default() -> Self {
        Self { names: Names(Arc::from([])), values: Vec::new() }
    }
}

impl PartialEq for Measures {
    /// Equal names with equal values; names without a value do not count.
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<N: Into<CompactString>> FromIterator<(N, Value)> for Measures {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(pairs: I) -> Self {
        let mut pairs: Vec<(CompactString, Value)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|a, b| a.0 == b.0);
        let (names, values): (Vec<_>, Vec<_>) =
            pairs.into_iter().map(|(name, value)| (name, Some(value))).unzip();
        Self { names: Names(names.into()), values }
    }
}

impl Serialize for Measures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Measures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Measures;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of named numbers and words")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Measures, A::Error> {
                let mut pairs: Vec<(CompactString, Value)> = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs.into_iter().collect())
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_shared() {
        let names = Names::new(["b".into(), "a".into(), "b".into()]);
        let mut measures = Measures::new(&names);
        measures.set(names.position("b").unwrap(), Some(Value::Number(2.0)));
        assert_eq!(serde_json::to_string(&measures).unwrap(), r#"{"b":2.0}"#);
        assert_eq!(measures.get("a"), None);
        assert_eq!(measures.get("b").unwrap().number(), Some(2.0));
        assert_eq!(measures, [("b", Value::Number(2.0))].into_iter().collect());
        assert!(Measures::new(&names).is_empty() && Measures::default().is_empty());
    }

    #[test]
    fn words_stay_words() {
        let measures: Measures = serde_json::from_str(r#"{"version":"2","n":1}"#).unwrap();
        assert_eq!(measures.get("version").unwrap().text(), Some("2"));
        assert_eq!(measures.get("n").unwrap().number(), Some(1.0));
    }
}
