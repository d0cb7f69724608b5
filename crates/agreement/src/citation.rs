//! Where something is laid down: in words, and, where a document is at hand, as
//! a span of it. Texts of others are pointed at, never copied.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// A text in several languages, by language code.
///
/// In a package either a plain string, taken as English, or a table
/// `{ en = "...", uk = "..." }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localised(pub BTreeMap<String, String>);

impl Localised {
    /// The text in a language, else in English, else in any.
    pub fn get(&self, language: &str) -> &str {
        self.0
            .get(language)
            .or_else(|| self.0.get("en"))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    /// True if there is no text in any language.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(String::is_empty)
    }
}

impl<'de> Deserialize<'de> for Localised {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(String),
            ByLanguage(BTreeMap<String, String>),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Plain(text) => BTreeMap::from([("en".to_owned(), text)]),
            Either::ByLanguage(texts) => texts,
        }))
    }
}

/// Where something is laid down.
///
/// In a package either a plain string or a table
/// `{ text = "...", document = "...", span = [120, 310], date = "2026-01-06" }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Citation {
    /// In words.
    pub text: String,
    /// Id of a declared document; none if there is only the text.
    pub document: Option<String>,
    /// First Unicode code point and the one after the last, in that document.
    pub span: Option<(usize, usize)>,
    /// Day of the statement.
    pub date: Option<Date>,
}

impl Citation {
    /// True if it points at nothing.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.document.is_none()
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.text.is_empty() {
            parts.push(self.text.clone());
        }
        if let Some(document) = &self.document {
            parts.push(match self.span {
                Some((from, to)) => format!("{document} [{from}..{to}]"),
                None => document.clone(),
            });
        }
        if let Some(date) = self.date {
            parts.push(date.to_string());
        }
        f.write_str(&parts.join(", "))
    }
}

impl<'de> Deserialize<'de> for Citation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            #[serde(default)]
            text: String,
            document: Option<String>,
            span: Option<(usize, usize)>,
            date: Option<Date>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Citation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a citation in words, or a table with text, document, span, date")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Citation, E> {
                Ok(Citation { text: text.to_owned(), ..Citation::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Citation, A::Error> {
                let Table { text, document, span, date } =
                    Table::deserialize(MapAccessDeserializer::new(map))?;
                if span.is_some_and(|(from, to)| from >= to) {
                    return Err(de::Error::custom("a span is [first, one after the last]"));
                }
                Ok(Citation { text, document, span, date })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A document that citations point into. Its text is not part of the package.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Short name.
    pub id: String,
    /// Title.
    pub title: Localised,
    /// Who published it.
    #[serde(default)]
    pub publisher: String,
    /// Day of publication.
    pub date: Option<Date>,
    /// Language of the text.
    #[serde(default)]
    pub language: String,
    /// SHA-256 of the file as the user has it, so that a span means one thing.
    pub sha256: Option<String>,
    /// Where it can be read.
    #[serde(default)]
    pub citation: Citation,
}
