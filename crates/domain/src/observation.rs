//! One measurement or report by one source, as it came: immutable, with its
//! uncertainty of place, time and class.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{Id, IdKind};
use crate::measures::Measures;
use crate::place::Where;
use crate::taxonomy::{Class, Signature};
use crate::time::{Occurrence, When};

/// What a source says it saw.
///
/// The field order is the order in which it is written to the record; optional
/// fields are left out when empty. Reading a written observation gives back an
/// equal one, and writing it again the same bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Time as the source gives it.
    pub when: When,
    /// If that time is the time of publication: the event came at most so many
    /// seconds before. 0 if the time is that of the event.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_s: f64,
    /// When the source made it available, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Timestamp>,
    /// Place as the source gives it.
    #[serde(rename = "where")]
    pub place: Where,
    /// What was observed.
    pub signature: Signature,
    /// Classes that the source's own labels claim; often wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<Class>,
    /// How many, if the source counts (87 launched).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<f64>,
    /// Everything else that was measured or stated.
    #[serde(default, skip_serializing_if = "Measures::is_empty")]
    pub measures: Measures,
    /// The source's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Observation {
    /// The bytes that stand in the record and that the id is derived from.
    pub fn to_line(&self) -> Vec<u8> {
        let mut line = Vec::with_capacity(320);
        serde_json::to_writer(&mut line, self).expect("an observation always has a JSON form");
        line
    }

    /// Reads what [`Self::to_line`] wrote.
    pub fn from_line(line: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(line)
    }

    /// The id of a written observation of a source: the same observation of
    /// the same source has the same id wherever and whenever it arrives.
    pub fn id(source: &str, line: &[u8]) -> Id {
        Id::of(IdKind::Observation, &[source.as_bytes(), line])
    }

    /// When it can have happened, publication delay included.
    pub fn occurrence(&self) -> Occurrence {
        self.when.occurrence(self.delay_s)
    }

    /// From when on it could be known: the source's own word, else the end of
    /// its time.
    pub fn known_from(&self) -> Timestamp {
        self.available.unwrap_or_else(|| self.when.interval().to)
    }
}

/// Where in the record an observation stands: entry, then line within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordPosition {
    /// Index of the entry.
    pub entry: u64,
    /// Line of the entry after its header, from 0.
    pub line: u32,
}

impl std::fmt::Display for RecordPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.entry, self.line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measures::Value;
    use crate::place::{Covariance, LatLon};
    use crate::time::{Interval, Zone};

    fn a_position() -> impl Strategy<Value = LatLon> {
        (-90.0f64..=90.0, -180.0f64..=180.0).prop_map(|(lat, lon)| LatLon::new(lat, lon).unwrap())
    }

    fn a_moment() -> impl Strategy<Value = Timestamp> {
        (0i64..4_000_000_000, 0i32..1_000_000)
            .prop_map(|(s, us)| Timestamp::new(s, us * 1000).unwrap())
    }

    fn a_time() -> impl Strategy<Value = When> {
        prop_oneof![
            (a_moment(), 0.0f64..1e4).prop_map(|(at, sigma_s)| When::Instant { at, sigma_s }),
            (a_moment(), a_moment())
                .prop_map(|(a, b)| When::Within(Interval { from: a.min(b), to: a.max(b) })),
            (1i16..28).prop_map(|d| When::Day {
                date: jiff::civil::date(2025, 4, d as i8),
                zone: Zone::named("Europe/Kyiv").unwrap()
            }),
            (a_moment(), a_moment(), any::<bool>()).prop_map(|(a, b, end_assumed)| When::During {
                interval: Interval { from: a.min(b), to: a.max(b) },
                end_assumed
            }),
        ]
    }

    fn a_place() -> impl Strategy<Value = Where> {
        prop_oneof![
            (a_position(), 0.0f64..1e5)
                .prop_map(|(at, s)| Where::Point { at, covariance: Covariance::circular(s) }),
            (a_position(), 0.1f64..5.0, 0.1f64..5.0).prop_map(|(at, scan_km, track_km)| {
                Where::Footprint { at, scan_km, track_km, sigma_m: 100.0 }
            }),
            (".{0,20}", proptest::option::of(a_position()), 0.0f64..1e5)
                .prop_map(|(name, at, radius_m)| Where::Named { name, at, radius_m }),
            proptest::collection::vec(".{1,12}", 1..4).prop_map(|units| Where::Admin { units }),
            proptest::collection::vec(a_position(), 2..5)
                .prop_map(|vertices| Where::Line { vertices }),
            Just(Where::Unknown),
        ]
    }

    prop_compose! {
        fn an_observation()(
            when in a_time(), delay_s in prop_oneof![Just(0.0), 0.0f64..1e6], available in proptest::option::of(a_moment()), place in a_place(),
            signature in proptest::sample::select(Signature::ALL), classes in proptest::collection::vec(proptest::sample::select(Class::ALL), 0..3),
            count in proptest::option::of(0.0f64..1e4), measures in proptest::collection::btree_map("[a-z_]{1,8}", prop_oneof![any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::Number), ".{0,20}".prop_map(|text| Value::Text(text.into()))], 0..4),
            text in proptest::option::of(".{0,80}"),
        ) -> Observation {
            Observation { when, delay_s, available, place, signature, classes, count, measures: measures.into_iter().collect(), text }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_and_writes_again_the_same(observation in an_observation()) {
            let line = observation.to_line();
            prop_assert!(!line.contains(&b'\n'));
            let again = Observation::from_line(&line).unwrap();
            prop_assert_eq!(&again, &observation);
            prop_assert_eq!(again.to_line(), line);
        }
    }

    #[test]
    fn an_observation_is_readable_by_people() {
        let observation = Observation {
            when: When::Instant { at: "2025-04-18T00:12:00Z".parse().unwrap(), sigma_s: 30.0 },
            delay_s: 0.0,
            available: None,
            place: Where::Footprint {
                at: LatLon::new(47.10142, 37.6173).unwrap(),
                scan_km: 1.05,
                track_km: 1.02,
                sigma_m: 100.0,
            },
            signature: Signature::ThermalAnomaly,
            classes: vec![],
            count: None,
            measures: [("frp_mw", Value::Number(10.64))].into_iter().collect(),
            text: None,
        };
        assert_eq!(
            String::from_utf8(observation.to_line()).unwrap(),
            r#"{"when":{"instant":{"at":"2025-04-18T00:12:00Z","sigma_s":30.0}},"where":{"footprint":{"at":{"lat":47.10142,"lon":37.6173},"scan_km":1.05,"track_km":1.02,"sigma_m":100.0}},"signature":"thermal_anomaly","measures":{"frp_mw":10.64}}"#
        );
    }

    #[test]
    fn the_id_depends_on_the_source() {
        assert_ne!(Observation::id("a", b"{}"), Observation::id("b", b"{}"));
    }
}
