//! Numbers and dates in words, in English.

use domain::{Probability, Zone};
use jiff::Timestamp;
use jiff::civil::Date;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// "20 April 2025".
pub(crate) fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), MONTHS[usize::from(date.month() as u8 - 1)], date.year())
}

/// "20 April".
pub(crate) fn day_and_month(date: Date) -> String {
    format!("{} {}", date.day(), MONTHS[usize::from(date.month() as u8 - 1)])
}

/// "Sunday".
pub(crate) fn weekday(date: Date) -> &'static str {
    const DAYS: [&str; 7] =
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    DAYS[usize::from(date.weekday().to_monday_zero_offset() as u8)]
}

/// "18:00 on 19 April", by the local clock.
pub(crate) fn moment(at: Timestamp, zone: &Zone) -> String {
    let local = zone.local(at);
    // Midnight at the end of a day is 24:00 of that day.
    if local.hour() == 0 && local.minute() == 0 && local.second() == 0 {
        let before = zone.date(domain::time::shifted(at, -1.0));
        return format!("24:00 on {}", day_and_month(before));
    }
    format!("{:02}:{:02} on {}", local.hour(), local.minute(), day_and_month(local.date()))
}

/// "UTC+3", the offset of a zone at a moment.
pub(crate) fn offset(at: Timestamp, zone: &Zone) -> String {
    let utc = Zone::utc();
    let ahead = zone.local(at).duration_since(utc.local(at)).as_mins();
    let (hours, minutes) = (ahead.abs() / 60, ahead.abs() % 60);
    let sign = if ahead < 0 { '-' } else { '+' };
    if minutes == 0 {
        format!("UTC{sign}{hours}")
    } else {
        format!("UTC{sign}{hours}:{minutes:02}")
    }
}

/// "one incident", "12 incidents", "no incident".
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {one}"),
        1 => format!("one {one}"),
        n => format!("{n} {many}"),
    }
}

/// "a, b and c".
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first letter large.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A probability for readers: two decimals, and never certain.
pub fn probability(p: Probability) -> String {
    match p.get() {
        high if high >= 0.995 => "over 0.99".to_owned(),
        low if low < 0.005 => "under 0.01".to_owned(),
        other => format!("{other:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as d;

    use super::*;

    #[test]
    fn nothing_is_certain() {
        let shown = [1.0, 0.996, 0.5, 0.004, 0.0].map(|p| probability(Probability::new(p)));
        assert_eq!(shown, ["over 0.99", "over 0.99", "0.50", "under 0.01", "under 0.01"]);
    }

    #[test]
    fn dates_and_moments() {
        assert_eq!(date(d(2025, 4, 20)), "20 April 2025");
        assert_eq!(weekday(d(2025, 4, 20)), "Sunday");
        let kyiv = Zone::named("Europe/Kyiv").unwrap();
        assert_eq!(moment("2025-04-19T15:00:00Z".parse().unwrap(), &kyiv), "18:00 on 19 April");
        assert_eq!(moment("2025-04-20T21:00:00Z".parse().unwrap(), &kyiv), "24:00 on 20 April");
        assert_eq!(offset("2025-04-20T21:00:00Z".parse().unwrap(), &kyiv), "UTC+3");
        assert_eq!(
            offset("2025-04-20T21:00:00Z".parse().unwrap(), &Zone::named("Asia/Kabul").unwrap()),
            "UTC+4:30"
        );
    }

    #[test]
    fn counts_and_lists() {
        assert_eq!(count(0, "incident", "incidents"), "no incident");
        assert_eq!(count(1, "incident", "incidents"), "one incident");
        assert_eq!(count(7, "incident", "incidents"), "7 incidents");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(sentence("no incident"), "No incident");
    }
}
