//! Times as they stand in files: with an offset, by a local clock, or a bare
//! date that must not become midnight.

use domain::{Interval, When, Zone};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::{strtime, temporal::Pieces};

/// What a text says about time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reading {
    /// A moment: the text had an offset.
    Moment(Timestamp),
    /// A local clock reading.
    Local(DateTime),
    /// A date and nothing more.
    Date(Date),
}

impl Reading {
    /// Reads an ISO-like text ("2025-04-18 01:09:35+00:00", "2025-04-30 19:30",
    /// "2025-04-21", "2026-06-28 00:35:06 UTC"), or one in a given format.
    pub(crate) fn parse(text: &str, format: Option<&str>) -> Result<Self, String> {
        match format {
            Some(format) => Self::parse_format(text, format),
            None => Self::parse_iso(text),
        }
    }

    fn parse_iso(text: &str) -> Result<Self, String> {
        let (text, utc) = match text.strip_suffix(" UTC") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        let bad = || {
            format!("`{}` is not a time such as 2025-04-18 01:09:35 or 2025-04-18", excerpt(text))
        };
        let Ok(pieces) = Pieces::parse(text) else {
            // A real feed writes "2023-05-16 3:30".
            let (date, clock) = text.split_once([' ', 'T']).ok_or_else(bad)?;
            let date = date.parse::<Date>().map_err(|_| bad())?;
            return Self::Date(date).with_clock(clock.trim_start().as_bytes()).map_err(|_| bad());
        };
        let Some(time) = pieces.time() else { return Ok(Self::Date(pieces.date())) };
        let local = pieces.date().to_datetime(time);
        if utc {
            return Ok(Self::Moment(Zone::utc().moments(local).from));
        }
        match pieces.to_numeric_offset() {
            Some(offset) => offset.to_timestamp(local).map(Self::Moment).map_err(|_| {
                format!("`{}` lies outside the years that can be handled", excerpt(text))
            }),
            None => Ok(Self::Local(local)),
        }
    }

    fn parse_format(text: &str, format: &str) -> Result<Self, String> {
        let parsed = strtime::parse(format, text)
            .map_err(|_| format!("`{}` is not a time of the form {format}", excerpt(text)))?;
        if let (Some(_), Ok(moment)) = (parsed.offset(), parsed.to_timestamp()) {
            return Ok(Self::Moment(moment));
        }
        if let Ok(local) = parsed.to_datetime() {
            // A format without an hour gives a date only.
            return Ok(if parsed.hour().is_some() {
                Self::Local(local)
            } else {
                Self::Date(local.date())
            });
        }
        parsed.to_date().map(Self::Date).map_err(|_| format!("`{}` has no date", excerpt(text)))
    }

    /// Adds a clock reading that stands in a column of its own.
    pub(crate) fn with_clock(self, clock: &[u8]) -> Result<Self, String> {
        match self {
            Self::Date(date) => Ok(Self::Local(date.to_datetime(parse_clock(clock)?))),
            _ => Err("the date column already has a time of day".to_owned()),
        }
    }

    /// A clock reading that only marks "date known" is dropped.
    pub(crate) fn without_mark(self, mark: Option<Time>) -> Self {
        match (self, mark) {
            (Self::Local(local), Some(mark)) if local.time() == mark => Self::Date(local.date()),
            _ => self,
        }
    }

    /// The moments it can mean.
    pub(crate) fn interval(self, zone: &Zone) -> Interval {
        match self {
            Self::Moment(moment) => Interval::at(moment),
            Self::Local(local) => zone.moments(local),
            Self::Date(date) => zone.day(date),
        }
    }

    /// As the time of an observation.
    pub(crate) fn when(self, zone: &Zone, sigma_s: f64) -> When {
        if let Self::Date(date) = self {
            return When::Day { date, zone: zone.clone() };
        }
        let interval = self.interval(zone);
        if interval.from == interval.to {
            When::Instant { at: interval.from, sigma_s }
        } else {
            // The clocks were changed: the reading means two moments.
            When::Within(interval)
        }
    }
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `112`, `0112`, `01:12` or `01:12:30`. Feeds drop leading zeros.
pub(crate) fn parse_clock(text: &[u8]) -> Result<Time, String> {
    let bad = || {
        let text = excerpt(&String::from_utf8_lossy(text));
        format!("`{text}` is not a time of day such as 0112 or 01:12")
    };
    let number = |digits: &[u8]| {
        let fine = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        fine.then(|| digits.iter().fold(0, |n, digit| n * 10 + i16::from(digit - b'0')))
    };
    let (hour, minute, second) = if text.contains(&b':') {
        let mut parts = text.split(|byte| *byte == b':').map(|part| number(part).ok_or_else(bad));
        let mut next = || parts.next().transpose();
        (next()?.ok_or_else(bad)?, next()?.ok_or_else(bad)?, next()?.unwrap_or(0))
    } else {
        let digits = number(text).ok_or_else(bad)?;
        (digits / 100, digits % 100, 0)
    };
    if hour > 23 || minute > 59 || second > 59 {
        return Err(bad());
    }
    Time::new(hour as i8, minute as i8, second as i8, 0).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_seen_in_real_files() {
        let moment = |text: &str| Reading::Moment(text.parse().unwrap());
        for (text, expected) in [
            ("2025-04-18 01:09:35+00:00", moment("2025-04-18T01:09:35Z")),
            ("2021-10-14T01:51:38-07:00", moment("2021-10-14T08:51:38Z")),
            ("2022-01-02T06:17:34Z", moment("2022-01-02T06:17:34Z")),
            ("2026-06-28 00:35:06 UTC", moment("2026-06-28T00:35:06Z")),
            ("2025-04-30 19:30", Reading::Local(date(2025, 4, 30).at(19, 30, 0, 0))),
            ("2014-01-22 00:00:00.000", Reading::Local(date(2014, 1, 22).at(0, 0, 0, 0))),
            ("2025-04-21", Reading::Date(date(2025, 4, 21))),
            ("2023-05-16 3:30", Reading::Local(date(2023, 5, 16).at(3, 30, 0, 0))),
        ] {
            assert_eq!(Reading::parse(text, None).unwrap(), expected, "{text}");
        }
        assert_eq!(
            Reading::parse("21.04.2025 06:30", Some("%d.%m.%Y %H:%M")).unwrap(),
            Reading::Local(date(2025, 4, 21).at(6, 30, 0, 0))
        );
        assert_eq!(
            Reading::parse("20250421", Some("%Y%m%d")).unwrap(),
            Reading::Date(date(2025, 4, 21))
        );
        assert!(Reading::parse("yesterday", None).unwrap_err().contains("`yesterday`"));
    }

    #[test]
    fn clocks_without_leading_zeros() {
        for (text, expected) in [
            ("112", time(1, 12, 0, 0)),
            ("5", time(0, 5, 0, 0)),
            ("2350", time(23, 50, 0, 0)),
            ("01:12", time(1, 12, 0, 0)),
            ("1:02:03", time(1, 2, 3, 0)),
        ] {
            assert_eq!(parse_clock(text.as_bytes()).unwrap(), expected, "{text}");
        }
        for text in ["", "2460", "0199", "12345", "ab", "1:", "-1:00"] {
            assert!(parse_clock(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_marked_midnight_is_a_date() {
        let reading = Reading::parse("2025-04-19 00:00:00", None).unwrap();
        assert_eq!(reading.without_mark(Some(time(0, 0, 0, 0))), Reading::Date(date(2025, 4, 19)));
        assert_eq!(reading.without_mark(None), reading);
    }

    #[test]
    fn a_local_time_is_read_in_its_zone() {
        let moscow = Zone::named("Europe/Moscow").unwrap();
        let when = Reading::parse("2025-03-01 04:07", None).unwrap().when(&moscow, 60.0);
        assert_eq!(
            when,
            When::Instant { at: "2025-03-01T01:07:00Z".parse().unwrap(), sigma_s: 60.0 }
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,40}", format in "(%[A-Za-z]|.){0,6}") {
            let _ = Reading::parse(&text, None);
            let _ = Reading::parse(&text, Some(&format));
            let _ = parse_clock(text.as_bytes());
        }
    }
}
