//! Windows: agreed hours of silence, for repairs, harvests or an evacuation.

use domain::{Extent, Interval, Occurrence, Probability, Zone};
use jiff::civil::{Date, Time};
use serde::Deserialize;

use crate::citation::{Citation, Localised};

/// Hours on each of some days.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Short name.
    pub id: String,
    /// Name and purpose.
    pub name: Localised,
    /// Whose clocks.
    pub zone: Zone,
    /// First day.
    pub first_day: Date,
    /// Last day.
    pub last_day: Date,
    /// From this time of day.
    pub from: Time,
    /// To this time of day; earlier than `from`: of the next day.
    pub to: Time,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

impl Window {
    /// Longest series of days that is evaluated.
    pub const DAYS_MAX: i32 = 3_660;

    /// Its stretches, one a day.
    pub fn stretches(&self) -> Vec<Interval> {
        let mut stretches = Vec::new();
        let mut day = self.first_day;
        while day <= self.last_day {
            let end_day = if self.to <= self.from { day.tomorrow().unwrap_or(day) } else { day };
            let from = self.zone.moments(day.to_datetime(self.from)).from;
            let to = self.zone.moments(end_day.to_datetime(self.to)).to;
            stretches.extend(Interval::new(from, to));
            match day.tomorrow() {
                Ok(next) => day = next,
                Err(_) => break,
            }
        }
        stretches
    }

    /// P(it took place inside one of the stretches).
    pub fn probability(&self, when: &Occurrence) -> Probability {
        let parts = self.stretches().into_iter().map(|part| when.probability_within(&part).get());
        Probability::new(match when.extent {
            Extent::Once => parts.sum(),
            Extent::Throughout => parts.fold(0.0, f64::max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_stretch_of_every_day() {
        let window: Window = strict::Text::new(
            "w",
            "id = \"w\"\nname = \"repairs\"\nzone = \"Europe/Kyiv\"\nfirst_day = \"2020-07-01\"\nlast_day = \"2020-07-03\"\nfrom = \"09:00:00\"\nto = \"17:00:00\"",
        )
        .parse()
        .unwrap();
        assert_eq!(window.stretches().len(), 3);
        let at = |text: &str| Occurrence {
            span: Interval::at(text.parse().unwrap()),
            sigma_s: 0.0,
            extent: Extent::Once,
        };
        // 09:00 in Kyiv is 06:00 UTC in summer.
        assert_eq!(window.probability(&at("2020-07-02T06:30:00Z")).get(), 1.0);
        assert_eq!(window.probability(&at("2020-07-02T05:59:00Z")).get(), 0.0);
        assert_eq!(window.probability(&at("2020-07-04T06:30:00Z")).get(), 0.0);
    }
}
