//! The words that a column may hold, and what each stands for.

use serde::{Deserialize, Deserializer};

/// A small dictionary, looked up by the bytes of a field.
#[derive(Clone, Debug)]
pub(crate) struct Words<T>(Vec<(String, T)>);

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Words<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a word stands for. A number also without its empty decimals: `1.0`
    /// is `1`. A handful of words is searched faster one by one than by a tree.
    pub(crate) fn get(&self, word: &[u8]) -> Option<&T> {
        let find = |word: &[u8]| {
            self.0.iter().find(|(known, _)| known.as_bytes() == word).map(|(_, meaning)| meaning)
        };
        find(word).or_else(|| find(word.strip_suffix(b".0")?))
    }

    /// The first word, in the order of the mapping, that the text contains.
    pub(crate) fn contained_in(&self, text: &str) -> Option<&T> {
        self.0.iter().find(|(word, _)| text.contains(word.as_str())).map(|(_, meaning)| meaning)
    }

    /// All words, for a message.
    pub(crate) fn listed(&self) -> String {
        self.0.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Words<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By name, so that the order in the file does not matter.
        let by_name = std::collections::BTreeMap::<String, T>::deserialize(deserializer)?;
        Ok(Self(by_name.into_iter().collect()))
    }
}
