//! When something happened, and how well that is known.
//!
//! Instants are UTC. A civil date is its own thing and never quietly becomes
//! midnight. Zones come from the time-zone database that is compiled into the
//! program, so that two machines agree whatever is installed on them.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::probability::{Probability, normal_cdf, normal_pdf};

/// Seconds in a civil day without a clock change.
pub const DAY_S: f64 = 86_400.0;

/// A half-open stretch of time, `from <= t < to`; empty when they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// First moment.
    pub from: Timestamp,
    /// Moment after the last.
    pub to: Timestamp,
}

impl Interval {
    /// `None` if the end lies before the start.
    pub fn new(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// The interval that holds one moment only.
    pub const fn at(moment: Timestamp) -> Self {
        Self { from: moment, to: moment }
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        seconds_between(self.from, self.to)
    }

    /// True for `from <= t < to`.
    pub fn contains(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.to
    }

    /// The common part, if it has a length or is a shared moment.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// The middle.
    pub fn middle(&self) -> Timestamp {
        shifted(self.from, self.seconds() / 2.0)
    }

    /// Grown by `before_s` and `after_s` seconds.
    #[must_use]
    pub fn widened(&self, before_s: f64, after_s: f64) -> Self {
        Self { from: shifted(self.from, -before_s), to: shifted(self.to, after_s) }
    }

    /// Seconds of `self` that the union of `parts` covers.
    pub fn covered_seconds(&self, parts: &[Self]) -> f64 {
        let mut inside: Vec<Self> =
            parts.iter().filter_map(|part| self.intersection(part)).collect();
        inside.sort_unstable();
        let mut covered = 0.0;
        let mut reached = self.from;
        for part in inside {
            if part.to > reached {
                covered += seconds_between(part.from.max(reached), part.to);
                reached = part.to;
            }
        }
        covered
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.from, self.to)
    }
}

/// `b - a` in seconds.
pub fn seconds_between(a: Timestamp, b: Timestamp) -> f64 {
    b.duration_since(a).as_secs_f64()
}

/// `moment` moved by a number of seconds, to the nearest microsecond, held at
/// the ends of the representable range.
pub fn shifted(moment: Timestamp, seconds: f64) -> Timestamp {
    let micros = libm::round(seconds * 1e6).clamp(-9e17, 9e17) as i64;
    let limit = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    moment.checked_add(SignedDuration::from_micros(micros)).unwrap_or(limit)
}

/// An IANA time zone, by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// A zone name that the database does not know.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a time zone; use an IANA name such as Europe/Kyiv, Africa/Khartoum or UTC")]
pub struct UnknownZone(String);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Looks the name up in the compiled-in database.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        match TimeZone::get(name) {
            Ok(rules) => Ok(Self { name: name.to_owned(), rules }),
            Err(_) => Err(UnknownZone(name.to_owned())),
        }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moments that a local clock reading can mean: one, except when
    /// clocks change. A reading that occurs twice gives both ends; a reading
    /// that was skipped gives the two ways to read it.
    pub fn moments(&self, local: DateTime) -> Interval {
        if self.rules == TimeZone::UTC {
            return Interval::at(
                jiff::tz::Offset::UTC.to_timestamp(local).unwrap_or(Timestamp::MAX),
            );
        }
        let out_of_range = |ahead: bool| if ahead { Timestamp::MAX } else { Timestamp::MIN };
        let at = |offset: jiff::tz::Offset| {
            offset.to_timestamp(local).unwrap_or_else(|_| out_of_range(local.year() > 0))
        };
        match self.rules.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Interval::at(at(offset)),
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                let (a, b) = (at(before), at(after));
                Interval { from: a.min(b), to: a.max(b) }
            }
        }
    }

    /// The civil day as an interval: 23, 24 or 25 hours.
    pub fn day(&self, date: Date) -> Interval {
        let start = |date: Date| {
            date.to_zoned(self.rules.clone())
                .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
        };
        let next = date.tomorrow().unwrap_or(Date::MAX);
        Interval { from: start(date), to: start(next).max(start(date)) }
    }

    /// The civil date at a moment.
    pub fn date(&self, moment: Timestamp) -> Date {
        self.rules.to_datetime(moment).date()
    }

    /// A moment moved on by the zone's clocks: hours are hours, days end at
    /// the same local time. Held at the ends of the representable range.
    pub fn later(&self, moment: Timestamp, span: &jiff::Span) -> Timestamp {
        moment
            .to_zoned(self.rules.clone())
            .checked_add(*span)
            .map_or(Timestamp::MAX, |later| later.timestamp())
    }

    /// The local clock reading at a moment.
    pub fn local(&self, moment: Timestamp) -> DateTime {
        self.rules.to_datetime(moment)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}

/// When the observed thing happened, as far as the source says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// At a moment, known to within the source's clock error.
    Instant {
        /// The moment.
        at: Timestamp,
        /// Clock error, one standard deviation, seconds.
        sigma_s: f64,
    },
    /// Once, at an unknown moment of an interval.
    Within(Interval),
    /// On a civil date; nothing is known of the time of day.
    Day {
        /// The date.
        date: Date,
        /// The zone whose civil day is meant.
        zone: Zone,
    },
    /// It lasted from the first to the last moment.
    During {
        /// Start and end.
        #[serde(flatten)]
        interval: Interval,
        /// True if the end was not seen and a length was assumed.
        #[serde(default, skip_serializing_if = "is_false")]
        end_assumed: bool,
    },
}

#[allow(clippy::trivially_copy_pass_by_ref)] // the signature is serde's
fn is_false(value: &bool) -> bool {
    !*value
}

impl When {
    /// The moments in question; for an instant, the moment itself.
    pub fn interval(&self) -> Interval {
        match self {
            Self::Instant { at, .. } => Interval::at(*at),
            Self::Within(interval) | Self::During { interval, .. } => *interval,
            Self::Day { date, zone } => zone.day(*date),
        }
    }

    /// The occurrence behind it. `delay_s`: if the source's time is that of
    /// publication, the event came up to so many seconds earlier (0 otherwise).
    pub fn occurrence(&self, delay_s: f64) -> Occurrence {
        let span = self.interval().widened(delay_s, 0.0);
        let sigma_s = if let Self::Instant { sigma_s, .. } = self { *sigma_s } else { 0.0 };
        let extent =
            if matches!(self, Self::During { .. }) { Extent::Throughout } else { Extent::Once };
        Occurrence { span, sigma_s, extent }
    }
}

/// Whether something happened once inside a span, or filled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// One moment, equally likely anywhere in the span.
    Once,
    /// The whole span.
    Throughout,
}

/// A moment or a stretch, with its uncertainty, ready for calculation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Occurrence {
    /// The possible moments (once) or the stretch itself (throughout).
    #[serde(flatten)]
    pub span: Interval,
    /// Clock error on both ends, one standard deviation, seconds.
    pub sigma_s: f64,
    /// How the span is filled.
    pub extent: Extent,
}

impl Occurrence {
    /// P(it took place at some moment of `window`).
    ///
    /// Once: uniform over the span, blurred by the clock error. Throughout:
    /// whether the stretch touches the window, the nearer end blurred likewise.
    pub fn probability_within(&self, window: &Interval) -> Probability {
        match self.extent {
            Extent::Once => {
                Probability::new(self.cumulative(window.to) - self.cumulative(window.from))
            }
            Extent::Throughout => {
                let starts_before_end = self.blur(seconds_between(self.span.from, window.to));
                let ends_after_start = self.blur(seconds_between(window.from, self.span.to));
                Probability::new(starts_before_end * ends_after_start)
            }
        }
    }

    fn blur(&self, margin_s: f64) -> f64 {
        if self.sigma_s > 0.0 {
            normal_cdf(margin_s / self.sigma_s)
        } else if margin_s > 0.0 {
            1.0
        } else {
            0.0
        }
    }

    /// P(moment < t): the uniform distribution on the span convolved with a
    /// normal one of `sigma_s`, integrated.
    fn cumulative(&self, t: Timestamp) -> f64 {
        let width = self.span.seconds();
        let since_from = seconds_between(self.span.from, t);
        let since_to = since_from - width;
        if width == 0.0 {
            return self.blur(since_from);
        }
        let ramp = |u: f64| {
            if self.sigma_s > 0.0 {
                u * normal_cdf(u / self.sigma_s) + self.sigma_s * normal_pdf(u / self.sigma_s)
            } else {
                u.max(0.0)
            }
        };
        ((ramp(since_from) - ramp(since_to)) / width).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn local_clocks_are_not_utc() {
        let kyiv = Zone::named("Europe/Kyiv").unwrap();
        let moscow = Zone::named("Europe/Moscow").unwrap();
        let reading = date(2025, 4, 19).at(18, 0, 0, 0);
        assert_eq!(kyiv.moments(reading), Interval::at(t("2025-04-19T15:00:00Z")));
        assert_eq!(moscow.moments(reading), Interval::at(t("2025-04-19T15:00:00Z")));
        // In winter the two capitals differ by an hour.
        let winter = date(2025, 1, 19).at(18, 0, 0, 0);
        assert_ne!(kyiv.moments(winter), moscow.moments(winter));
    }

    #[test]
    fn a_clock_reading_that_occurs_twice_is_an_interval() {
        let kyiv = Zone::named("Europe/Kyiv").unwrap();
        let twice = kyiv.moments(date(2025, 10, 26).at(3, 30, 0, 0));
        assert_eq!(twice.seconds(), 3600.0);
        let skipped = kyiv.moments(date(2025, 3, 30).at(3, 30, 0, 0));
        assert_eq!(skipped.seconds(), 3600.0);
    }

    #[test]
    fn days_have_23_24_or_25_hours() {
        let kyiv = Zone::named("Europe/Kyiv").unwrap();
        assert_eq!(kyiv.day(date(2025, 3, 30)).seconds(), 23.0 * 3600.0);
        assert_eq!(kyiv.day(date(2025, 4, 20)).seconds(), 24.0 * 3600.0);
        assert_eq!(kyiv.day(date(2025, 10, 26)).seconds(), 25.0 * 3600.0);
    }

    #[test]
    fn a_date_only_report_is_spread_over_its_day() {
        let kyiv = Zone::named("Europe/Kyiv").unwrap();
        let when = When::Day { date: date(2025, 4, 19), zone: kyiv };
        let truce = Interval::new(t("2025-04-19T15:00:00Z"), t("2025-04-20T21:00:00Z")).unwrap();
        // 15:00Z..21:00Z of a day that runs 21:00Z..21:00Z: a quarter.
        let p = when.occurrence(0.0).probability_within(&truce).get();
        assert!((p - 0.25).abs() < 1e-12, "{p}");
    }

    #[test]
    fn an_assumed_end_survives_writing() {
        let when = When::During {
            interval: Interval::new(t("2025-04-19T20:12:45Z"), t("2025-04-19T20:42:45Z")).unwrap(),
            end_assumed: true,
        };
        let text = serde_json::to_string(&when).unwrap();
        assert!(text.contains("end_assumed"));
        assert_eq!(serde_json::from_str::<When>(&text).unwrap(), when);
    }

    #[test]
    fn unknown_zones_are_named() {
        assert!(Zone::named("Kiev time").unwrap_err().to_string().contains("`Kiev time`"));
    }

    prop_compose! {
        fn an_occurrence()(from in 0i64..1_000_000, width in 0i64..200_000, sigma in 0u32..5_000, throughout: bool) -> Occurrence {
            let from = Timestamp::from_second(1_700_000_000 + from).unwrap();
            let to = from + SignedDuration::from_secs(width);
            Occurrence {
                span: Interval { from, to },
                sigma_s: f64::from(sigma),
                extent: if throughout { Extent::Throughout } else { Extent::Once },
            }
        }
    }

    proptest! {
        #[test]
        fn disjoint_windows_share_one_event(occurrence in an_occurrence(), cut in 0i64..1_200_000) {
            prop_assume!(occurrence.extent == Extent::Once);
            let all = Interval { from: Timestamp::from_second(1_600_000_000).unwrap(), to: Timestamp::from_second(1_900_000_000).unwrap() };
            let cut = Timestamp::from_second(1_700_000_000 + cut).unwrap();
            let before = occurrence.probability_within(&Interval { from: all.from, to: cut }).get();
            let after = occurrence.probability_within(&Interval { from: cut, to: all.to }).get();
            prop_assert!((before + after - 1.0).abs() < 1e-9, "{before} + {after}");
        }

        #[test]
        fn a_wider_window_is_never_less_likely(occurrence in an_occurrence(), from in 0i64..1_000_000, width in 0i64..300_000, more in 0i64..100_000) {
            let from = Timestamp::from_second(1_700_000_000 + from).unwrap();
            let narrow = Interval { from, to: from + SignedDuration::from_secs(width) };
            let wide = narrow.widened(more as f64, more as f64);
            prop_assert!(occurrence.probability_within(&wide).get() >= occurrence.probability_within(&narrow).get() - 1e-12);
        }

        #[test]
        fn coverage_counts_overlaps_once(cuts in proptest::collection::vec((0i64..1000, 0i64..300), 0..12)) {
            let base = Timestamp::from_second(1_700_000_000).unwrap();
            let whole = Interval { from: base, to: base + SignedDuration::from_secs(1000) };
            let parts: Vec<Interval> = cuts.iter().map(|(from, width)| {
                let from = base + SignedDuration::from_secs(*from);
                Interval { from, to: from + SignedDuration::from_secs(*width) }
            }).collect();
            let naive = (0..1000).filter(|second| {
                let moment = base + SignedDuration::from_secs(*second);
                parts.iter().any(|part| part.contains(moment))
            }).count() as f64;
            prop_assert_eq!(whole.covered_seconds(&parts), naive);
        }
    }
}
