//! Moments in TOML: never without an offset, so that nobody's local clock is
//! taken for another's.

use std::fmt;

use jiff::{Timestamp, Zoned};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// A moment with an explicit offset or zone: `2025-04-19T18:00:00+03:00` bare
/// or quoted, `"2025-04-19T15:00:00Z"`, or `"2025-04-19T18:00[Europe/Kyiv]"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

fn parse(text: &str) -> Result<Moment, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(Moment(moment));
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(Moment(zoned.timestamp()));
    }
    Err(format!(
        "`{text}` is not a moment with an offset; write 2025-04-19T18:00:00+03:00, \
         2025-04-19T15:00:00Z or \"2025-04-19T18:00[Europe/Kyiv]\""
    ))
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Moment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a moment with an offset, such as 2025-04-19T18:00:00+03:00")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Moment, E> {
                parse(text).map_err(E::custom)
            }

            // A bare TOML date-time arrives as a map with one private key.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Moment, A::Error> {
                let bare = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
                parse(&bare.to_string()).map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use crate::Text;

    #[derive(serde::Deserialize, Debug)]
    struct Window {
        from: super::Moment,
    }

    #[test]
    fn all_forms_mean_the_same_moment() {
        for form in [
            "2025-04-19T18:00:00+03:00",
            "\"2025-04-19T18:00:00+03:00\"",
            "\"2025-04-19T15:00:00Z\"",
            "\"2025-04-19T18:00[Europe/Kyiv]\"",
        ] {
            let window: Window = Text::new("c.toml", format!("from = {form}")).parse().unwrap();
            assert_eq!(window.from.0.to_string(), "2025-04-19T15:00:00Z", "{form}");
        }
    }

    #[test]
    fn a_moment_without_an_offset_is_refused() {
        for form in ["2025-04-19T18:00:00", "2025-04-19", "\"yesterday\""] {
            let error =
                Text::new("c.toml", format!("\nfrom = {form}")).parse::<Window>().unwrap_err();
            assert_eq!(error.line, 2, "{form}");
            assert!(error.message.contains("offset"), "{error}");
        }
    }
}
