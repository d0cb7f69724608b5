//! Clocks: within so long, counted from an anchor, in a calendar, with the
//! pauses that the agreement allows. A clock whose anchor is contested has one
//! deadline for each reading.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use domain::time::{seconds_between, shifted};
use domain::{Interval, Zone};
use jiff::civil::{Date, Weekday};
use jiff::{Span, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::choice::Fields;
use crate::citation::{Citation, Localised};
use crate::reading::Contested;

/// What a clock counts from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anchor {
    /// When it happened.
    EventTime,
    /// When the mission first had a sign of it.
    FirstDetection,
    /// When the human-checked bulletin was published.
    ReviewedBulletin,
    /// When it was verified.
    Verified,
    /// When the party concerned was notified.
    Notified,
    /// When a declared event took place.
    Event(String),
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EventTime => "event_time",
            Self::FirstDetection => "first_detection",
            Self::ReviewedBulletin => "reviewed_bulletin",
            Self::Verified => "verified",
            Self::Notified => "notified",
            Self::Event(id) => return write!(f, "event:{id}"),
        })
    }
}

impl FromStr for Anchor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = [
            Self::EventTime,
            Self::FirstDetection,
            Self::ReviewedBulletin,
            Self::Verified,
            Self::Notified,
        ];
        if let Some(event) = text.strip_prefix("event:") {
            return Ok(Self::Event(event.to_owned()));
        }
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        if let Some(anchor) = known.into_iter().find(|anchor| anchor.to_string() == text) {
            return Ok(anchor);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Err(format!(
            "`{text}` is not an anchor; {}, or event:ID for a declared event",
            strict::suggestion(text, &names)
        ))
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A length of time as texts give it: hours are hours, days are days of the
/// calendar. In a package in ISO 8601: `PT72H`, `P14D`.
#[derive(Clone, Copy, Debug)]
pub struct Length(pub Span);

impl PartialEq for Length {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Length {
    /// Seconds, with days of 24 hours: for comparisons, not for deadlines.
    pub fn seconds(self) -> f64 {
        let span = self.0;
        f64::from(span.get_weeks()) * 604_800.0
            + f64::from(span.get_days()) * 86_400.0
            + f64::from(span.get_hours()) * 3_600.0
            + span.get_minutes() as f64 * 60.0
            + span.get_seconds() as f64
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let advice = || {
            format!("`{text}` is not a length of time; write PT72H for 72 hours, P14D for 14 days")
        };
        let span: Span = text.parse().map_err(|_| advice())?;
        let calendar = span.get_years() != 0 || span.get_months() != 0;
        if calendar || Self(span).seconds() < 0.0 {
            return Err(advice());
        }
        Ok(Self(span))
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut part = |count: i64, one: &str| match count {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            many => parts.push(format!("{many} {one}s")),
        };
        part(i64::from(self.0.get_weeks()), "week");
        part(i64::from(self.0.get_days()), "day");
        part(i64::from(self.0.get_hours()), "hour");
        part(self.0.get_minutes(), "minute");
        part(self.0.get_seconds(), "second");
        f.write_str(if parts.is_empty() { "no time" } else { "" })?;
        f.write_str(&parts.join(" "))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Why a clock stands still for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// An appeal against the finding is pending.
    Appeal,
    /// A party contests the anchor or the finding.
    Contest,
    /// Access was denied to the mission.
    Denial,
    /// All parties agreed to it.
    Consent,
    /// Force majeure.
    ForceMajeure,
}

/// A stretch for which somebody asked a clock to stand still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why.
    pub reason: PauseReason,
    /// From when to when.
    pub during: Interval,
}

/// Days that count.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Whose civil days.
    pub zone: Zone,
    /// Days of the week that do not count: `saturday`, ...
    #[serde(default, deserialize_with = "weekdays")]
    pub rest_days: Vec<Weekday>,
    /// Dates that do not count.
    #[serde(default)]
    pub holidays: Vec<Date>,
}

fn weekdays<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    const NAMES: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let names = Vec::<String>::deserialize(deserializer)?;
    let day = |name: &String| {
        NAMES.iter().find(|(known, _)| known == name).map(|(_, day)| *day).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{name}` is not a day of the week (monday ... sunday)"
            ))
        })
    };
    names.iter().map(day).collect()
}

impl Calendar {
    /// Every day counts, by the clocks of a zone.
    pub fn every_day(zone: Zone) -> Self {
        Self { zone, rest_days: Vec::new(), holidays: Vec::new() }
    }

    fn counts(&self, date: Date) -> bool {
        !self.rest_days.contains(&date.weekday()) && !self.holidays.contains(&date)
    }

    fn has_rest(&self) -> bool {
        !self.rest_days.is_empty() || !self.holidays.is_empty()
    }
}

/// What may be done against a decision, and whether it stops the clock.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appeal {
    /// How long after the decision it may be filed.
    pub within: Length,
    /// Whether the clock stands still while it is pending.
    pub stops_clock: bool,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

/// A clock of the agreement.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// Short name.
    pub id: String,
    /// Name.
    pub title: Localised,
    /// How long.
    pub within: Contested<Length>,
    /// From when.
    pub anchor: Contested<Anchor>,
    /// Which days count; without one, hours run on and days are those of UTC.
    pub calendar: Option<Calendar>,
    /// What makes it stand still. Anything else does not: contesting a clock
    /// is no way to stop it (VERIFICATION D24).
    #[serde(default)]
    pub pauses: Vec<PauseReason>,
    /// What may be done against the decision that started it.
    pub appeal: Option<Appeal>,
    /// Id of the condition under which the next tier opens because it goes on.
    pub continuation: Option<String>,
    /// Id of the condition under which the next tier opens because it spreads.
    pub expansion: Option<String>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know.
    #[serde(default)]
    pub note: String,
}

/// When each anchor took place, as far as it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Anchors(pub BTreeMap<Anchor, Timestamp>);

/// What a clock comes to under one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The reading; empty if nothing is contested.
    pub reading: String,
    /// What it counts from under this reading.
    pub anchor: Anchor,
    /// When it started; none if the anchor has not taken place.
    pub started: Option<Timestamp>,
    /// When it ends; none if it has not started.
    pub due: Option<Timestamp>,
}

/// Something filed against a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    /// Not after the deadline.
    InTime,
    /// After it, by so many whole seconds.
    Late {
        /// By how much.
        by_seconds: i64,
    },
}

impl Deadline {
    /// Whether something filed at a moment is in time; none if the clock has
    /// not started. The moment of the deadline itself is still in time.
    pub fn judge(&self, filed: Timestamp) -> Option<Filed> {
        let due = self.due?;
        Some(if filed <= due {
            Filed::InTime
        } else {
            Filed::Late { by_seconds: filed.duration_since(due).as_secs() }
        })
    }
}

impl Clock {
    /// One deadline for each reading of length and anchor.
    pub fn deadlines(&self, anchors: &Anchors, asked: &[Pause]) -> Vec<Deadline> {
        let mut fields = Fields::default();
        fields.add("within", &self.within);
        fields.add("anchor", &self.anchor);
        fields
            .choices()
            .iter()
            .map(|choice| {
                let within = self.within.under(choice.of("within")).expect("chosen from it").value;
                let anchor = &self.anchor.under(choice.of("anchor")).expect("chosen from it").value;
                let started = anchors.0.get(anchor).copied();
                Deadline {
                    reading: choice.name(),
                    anchor: anchor.clone(),
                    started,
                    due: started.map(|from| self.due(from, within, asked)),
                }
            })
            .collect()
    }

    /// The end of a length from a moment, with the pauses that count.
    pub fn due(&self, from: Timestamp, within: Length, asked: &[Pause]) -> Timestamp {
        let mut pauses: Vec<Interval> = asked
            .iter()
            .filter(|pause| {
                self.pauses.contains(&pause.reason)
                    || (pause.reason == PauseReason::Appeal
                        && self.appeal.as_ref().is_some_and(|appeal| appeal.stops_clock))
            })
            .map(|pause| pause.during)
            .collect();
        pauses.sort_unstable();
        match &self.calendar {
            Some(calendar) if calendar.has_rest() => working(calendar, from, within, &pauses),
            calendar => {
                let utc = Zone::utc();
                let zone = calendar.as_ref().map_or(&utc, |calendar| &calendar.zone);
                let due = zone.later(from, &within.0);
                pushed(from, due, &pauses)
            }
        }
    }
}

/// A deadline moved by the pauses that begin before it.
fn pushed(from: Timestamp, mut due: Timestamp, pauses: &[Interval]) -> Timestamp {
    let mut reached = from;
    for pause in pauses {
        let start = pause.from.max(reached);
        if start < due && pause.to > start {
            due = shifted(due, seconds_between(start, pause.to));
            reached = pause.to;
        }
    }
    due
}

/// The end of a length that runs on working days only. A day of the length is
/// a working day of 24 hours.
fn working(calendar: &Calendar, from: Timestamp, within: Length, pauses: &[Interval]) -> Timestamp {
    let mut left_s = within.seconds();
    let mut reached = from;
    let mut date = calendar.zone.date(from);
    loop {
        let day = calendar.zone.day(date);
        if calendar.counts(date) {
            let mut start = reached.max(day.from);
            for pause in pauses {
                if pause.from >= day.to || pause.to <= start {
                    continue;
                }
                let run_s = seconds_between(start, pause.from.max(start));
                if run_s >= left_s {
                    return shifted(start, left_s);
                }
                left_s -= run_s;
                start = pause.to.min(day.to).max(start);
            }
            let run_s = seconds_between(start, day.to);
            if run_s >= left_s {
                return shifted(start, left_s);
            }
            left_s -= run_s.max(0.0);
        }
        reached = day.to;
        match date.tomorrow() {
            Ok(next) => date = next,
            Err(_) => return Timestamp::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clock(rest: &str) -> Clock {
        let text = format!("id = \"c\"\ntitle = \"t\"\n{rest}");
        strict::Text::new("clock", text).parse().unwrap()
    }

    fn t(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due(clock: &Clock, from: &str, pauses: &[Pause]) -> String {
        let anchors = Anchors([(Anchor::Verified, t(from))].into());
        clock.deadlines(&anchors, pauses)[0].due.unwrap().to_string()
    }

    const UNDEFINED: &str = r#"
        within = "PT72H"
        anchor = [
          { reading = "from the event", value = "event_time" },
          { reading = "from first detection", value = "first_detection" },
          { reading = "from verification", value = "verified" },
        ]"#;

    /// TEXTS 0.3: "72 h after the initial breach" says not from when.
    #[test]
    fn t03_an_undefined_anchor_gives_one_deadline_for_each_reading() {
        let anchors = Anchors(
            [
                (Anchor::EventTime, t("2026-03-01T10:00:00Z")),
                (Anchor::FirstDetection, t("2026-03-01T13:30:00Z")),
            ]
            .into(),
        );
        let deadlines = clock(UNDEFINED).deadlines(&anchors, &[]);
        let told: Vec<(&str, Option<String>)> = deadlines
            .iter()
            .map(|deadline| (deadline.reading.as_str(), deadline.due.map(|due| due.to_string())))
            .collect();
        assert_eq!(
            told,
            [
                ("from the event", Some("2026-03-04T10:00:00Z".to_owned())),
                ("from first detection", Some("2026-03-04T13:30:00Z".to_owned())),
                ("from verification", None),
            ]
        );
    }

    /// VERIFICATION D24, T: a reply filed at minute 1439 is accepted; at 1441
    /// it is late and shown as late. Contesting does not stop the clock.
    #[test]
    fn d24_a_reply_after_the_last_minute_is_late_and_contesting_stops_nothing() {
        let clock = clock("within = \"PT24H\"\nanchor = \"notified\"");
        let from = t("2026-03-01T00:00:00Z");
        let anchors = Anchors([(Anchor::Notified, from)].into());
        let contest = Pause {
            reason: PauseReason::Contest,
            during: Interval { from, to: t("2026-03-05T00:00:00Z") },
        };
        let deadline = &clock.deadlines(&anchors, &[contest])[0];
        let at = |minute: i64| shifted(from, minute as f64 * 60.0);
        assert_eq!(deadline.judge(at(1439)), Some(Filed::InTime));
        assert_eq!(deadline.judge(at(1440)), Some(Filed::InTime));
        assert_eq!(deadline.judge(at(1441)), Some(Filed::Late { by_seconds: 60 }));
    }

    #[test]
    fn only_a_pause_that_the_agreement_knows_counts() {
        let pause = Pause {
            reason: PauseReason::Denial,
            during: Interval { from: t("2026-03-01T06:00:00Z"), to: t("2026-03-01T12:00:00Z") },
        };
        let deaf = clock("within = \"PT24H\"\nanchor = \"verified\"");
        assert_eq!(due(&deaf, "2026-03-01T00:00:00Z", &[pause]), "2026-03-02T00:00:00Z");
        let kind = clock("within = \"PT24H\"\nanchor = \"verified\"\npauses = [\"denial\"]");
        assert_eq!(due(&kind, "2026-03-01T00:00:00Z", &[pause]), "2026-03-02T06:00:00Z");
    }

    #[test]
    fn an_appeal_stops_the_clock_only_if_it_may() {
        let pending = Pause {
            reason: PauseReason::Appeal,
            during: Interval { from: t("2026-03-01T06:00:00Z"), to: t("2026-03-01T08:00:00Z") },
        };
        for (stops, expected) in [(true, "2026-03-02T02:00:00Z"), (false, "2026-03-02T00:00:00Z")] {
            let clock = clock(&format!(
                "within = \"PT24H\"\nanchor = \"verified\"\nappeal = {{ within = \"PT12H\", stops_clock = {stops} }}"
            ));
            assert_eq!(due(&clock, "2026-03-01T00:00:00Z", &[pending]), expected);
        }
    }

    #[test]
    fn days_are_civil_days_and_hours_are_hours() {
        let zone = "calendar = { zone = \"Europe/Kyiv\" }";
        let days = clock(&format!("within = \"P1D\"\nanchor = \"verified\"\n{zone}"));
        let hours = clock(&format!("within = \"PT24H\"\nanchor = \"verified\"\n{zone}"));
        // Clocks go forward on 29 March 2026: the civil day has 23 hours.
        assert_eq!(due(&days, "2026-03-28T12:00:00Z", &[]), "2026-03-29T11:00:00Z");
        assert_eq!(due(&hours, "2026-03-28T12:00:00Z", &[]), "2026-03-29T12:00:00Z");
    }

    #[test]
    fn rest_days_do_not_count() {
        let clock = clock(
            "within = \"P2D\"\nanchor = \"verified\"\ncalendar = { zone = \"UTC\", rest_days = [\"saturday\", \"sunday\"], holidays = [\"2026-03-09\"] }",
        );
        // Friday noon, then Saturday, Sunday and Monday the 9th do not count.
        assert_eq!(due(&clock, "2026-03-06T12:00:00Z", &[]), "2026-03-11T12:00:00Z");
    }

    proptest! {
        /// With and without working days, a longer length is never due earlier,
        /// and a pause never brings a deadline forward.
        #[test]
        fn deadlines_are_monotone(hours in 0i64..500, more in 0i64..100, start in 0i64..1_000_000, pause in 0i64..400, long in 0i64..100, rest: bool) {
            let calendar = if rest { "calendar = { zone = \"Europe/Kyiv\", rest_days = [\"sunday\"] }" } else { "" };
            let clock = clock(&format!("within = \"PT1H\"\nanchor = \"verified\"\npauses = [\"denial\"]\n{calendar}"));
            let from = Timestamp::from_second(1_770_000_000 + start).unwrap();
            let length = |hours: i64| format!("PT{hours}H").parse::<Length>().unwrap();
            let begins = shifted(from, pause as f64 * 3600.0);
            let pauses = [Pause { reason: PauseReason::Denial, during: Interval { from: begins, to: shifted(begins, long as f64 * 3600.0) } }];
            prop_assert!(clock.due(from, length(hours), &[]) <= clock.due(from, length(hours + more), &[]));
            prop_assert!(clock.due(from, length(hours), &[]) <= clock.due(from, length(hours), &pauses));
            prop_assert!(clock.due(from, length(hours), &pauses) <= clock.due(from, length(hours + more), &pauses));
        }
    }
}
