//! What a source could have seen, when and where. Rank equal to observation:
//! a count without effort says nothing, and "not observed" is never zero.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::place::{Bounds, LatLon};
use crate::probability::rounded;
use crate::time::{Interval, Zone};

/// Whether a source was able to see.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffortState {
    /// Working.
    Up,
    /// Working with this share of its sensitivity, in (0, 1).
    Degraded(f64),
    /// Known to be blind.
    Down,
    /// Nobody knows.
    Unknown,
}

impl EffortState {
    /// The share of full effort that it is worth.
    pub fn weight(self) -> f64 {
        match self {
            Self::Up => 1.0,
            Self::Degraded(share) => share,
            Self::Down | Self::Unknown => 0.0,
        }
    }
}

/// The ground that a source could see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Footprint {
    /// The whole area of the mission.
    Everywhere,
    /// A box in degrees.
    Box(Bounds),
    /// A circle about a sensor or a post.
    Circle {
        /// Centre.
        at: LatLon,
        /// Reach, metres.
        radius_m: f64,
    },
    /// An administrative unit, by name or code.
    Admin {
        /// Name or code.
        unit: String,
    },
}

/// One stretch of looking or of not being able to look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effort {
    /// Which instrument or post of the source, empty if it has no parts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// When.
    pub interval: Interval,
    /// Where.
    pub footprint: Footprint,
    /// In what state.
    pub state: EffortState,
    /// Smallest thing it could see, in the words of its data sheet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sensitivity: String,
}

/// The word printed beside every daily figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayState {
    /// At least [`OBSERVED_SHARE`] of the day.
    Observed,
    /// Something in between.
    Partial,
    /// Less than [`NOT_OBSERVED_SHARE`] of the day.
    NotObserved,
}

impl DayState {
    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Partial => "partial",
            Self::NotObserved => "not_observed",
        }
    }
}

/// A day counts as observed from this share of full effort on.
pub const OBSERVED_SHARE: f64 = 0.75;
/// Below this share a day counts as not observed.
pub const NOT_OBSERVED_SHARE: f64 = 0.25;

/// Effort of one source on one day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayEffort {
    /// The word.
    pub state: DayState,
    /// The share of full effort behind it, in [0, 1].
    pub share: f64,
}

impl DayEffort {
    /// Puts the share into words.
    pub fn of_share(share: f64) -> Self {
        let share = rounded(share.clamp(0.0, 1.0), 3);
        let state = if share >= OBSERVED_SHARE {
            DayState::Observed
        } else if share < NOT_OBSERVED_SHARE {
            DayState::NotObserved
        } else {
            DayState::Partial
        };
        Self { state, share }
    }
}

/// Share of the day, and of the source's parts, that the efforts cover.
///
/// For each part: the time in which it was up (degraded time weighted), less
/// the time in which it was down; the mean over the parts. A source without
/// any effort entry has no parts and a share of 0.
pub fn day_share(efforts: &[Effort], date: Date, zone: &Zone) -> f64 {
    let day = zone.day(date);
    let mut parts: Vec<&str> = efforts.iter().map(|effort| effort.part.as_str()).collect();
    parts.sort_unstable();
    parts.dedup();
    if parts.is_empty() {
        return 0.0;
    }
    let total: f64 = parts.iter().map(|part| part_share(efforts, part, &day)).sum();
    total / parts.len() as f64
}

fn part_share(efforts: &[Effort], part: &str, day: &Interval) -> f64 {
    let seconds: f64 = pieces(&efforts.iter().filter(|effort| effort.part == part), day)
        .iter()
        .map(|(piece, weight)| weight * piece.seconds())
        .sum();
    seconds / day.seconds()
}

/// The efforts of one part within an interval, cut wherever a state begins or
/// ends: on each piece the worst stated state counts, so that an outage wins
/// over "up all day", and 0 where nothing is stated.
pub fn pieces<'e>(
    of_part: &(impl Iterator<Item = &'e Effort> + Clone),
    within: &Interval,
) -> Vec<(Interval, f64)> {
    let mut cuts: Vec<_> = of_part
        .clone()
        .flat_map(|effort| [effort.interval.from, effort.interval.to])
        .filter(|moment| within.contains(*moment))
        .chain([within.from, within.to])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|pair| {
            let piece = Interval { from: pair[0], to: pair[1] };
            let weight = of_part
                .clone()
                .filter(|effort| effort.interval.contains(piece.from))
                .map(|effort| effort.state.weight())
                .reduce(f64::min);
            (piece, weight.unwrap_or(0.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn effort(part: &str, from: &str, to: &str, state: EffortState) -> Effort {
        Effort {
            part: part.into(),
            interval: Interval { from: from.parse().unwrap(), to: to.parse().unwrap() },
            footprint: Footprint::Everywhere,
            state,
            sensitivity: String::new(),
        }
    }

    #[test]
    fn no_effort_is_not_observed_and_not_zero() {
        let share = day_share(&[], date(2025, 4, 19), &Zone::utc());
        assert_eq!(DayEffort::of_share(share).state, DayState::NotObserved);
    }

    #[test]
    fn an_outage_wins_over_up_all_day() {
        let efforts = [
            effort("a", "2025-04-19T00:00:00Z", "2025-04-20T00:00:00Z", EffortState::Up),
            effort("a", "2025-04-19T06:00:00Z", "2025-04-19T18:00:00Z", EffortState::Down),
        ];
        let share = day_share(&efforts, date(2025, 4, 19), &Zone::utc());
        assert_eq!(share, 0.5);
        assert_eq!(DayEffort::of_share(share).state, DayState::Partial);
    }

    #[test]
    fn parts_are_averaged() {
        let efforts = [
            effort("a", "2025-04-19T00:00:00Z", "2025-04-20T00:00:00Z", EffortState::Up),
            effort("b", "2025-04-18T00:00:00Z", "2025-04-19T00:00:00Z", EffortState::Up),
        ];
        assert_eq!(day_share(&efforts, date(2025, 4, 19), &Zone::utc()), 0.5);
    }

    #[test]
    fn the_words_have_fixed_thresholds() {
        for (share, state) in [
            (0.0, DayState::NotObserved),
            (0.249, DayState::NotObserved),
            (0.25, DayState::Partial),
            (0.749, DayState::Partial),
            (0.75, DayState::Observed),
            (1.0, DayState::Observed),
        ] {
            assert_eq!(DayEffort::of_share(share).state, state, "{share}");
        }
    }
}
