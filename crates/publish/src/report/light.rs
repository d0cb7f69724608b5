//! By day and by night: what stands behind the figures of either, and what
//! could not be seen (VERIFICATION D1).

use domain::effort::{DayEffort, DayState};
use domain::{Light, Seen, Watching};
use serde::Serialize;

use super::{Maker, number};
use crate::looked::{self, SectorLight, rate};
use crate::words;

/// A line of the table by day and by night.
#[derive(Clone, Debug, Serialize)]
pub struct LightLine {
    /// Who looked.
    pub who: String,
    /// `by day` or `by night`.
    pub light: &'static str,
    /// `observed`, `partly observed`, `not observed`.
    pub state: &'static str,
    /// Class in the style sheet.
    pub state_class: &'static str,
    /// "6.2 of 10.1 h".
    pub hours: String,
    /// Rows, or incidents; "not observed" where nobody looked and nothing came.
    pub count: String,
    /// Per 100 observed hours, with its interval; empty where nobody looked.
    pub rate: String,
}

const fn words_of(state: DayState) -> (&'static str, &'static str) {
    match state {
        DayState::Observed => ("observed", "seen"),
        DayState::Partial => ("partly observed", "part"),
        DayState::NotObserved => ("not observed", "unseen"),
    }
}

const fn title(light: Light) -> &'static str {
    match light {
        Light::Day => "by day",
        Light::Night => "by night",
    }
}

fn line(
    who: String,
    light: Light,
    seen: Seen,
    effort: DayEffort,
    unit: &str,
    count: f64,
) -> LightLine {
    let (state, state_class) = words_of(effort.state);
    LightLine {
        who,
        light: title(light),
        state,
        state_class,
        hours: format!("{} of {} {unit}", number(seen.seen), number(seen.hours)),
        count: match effort.state {
            DayState::NotObserved if count == 0.0 => "not observed".to_owned(),
            DayState::NotObserved => format!("{} (not observed)", number(count)),
            DayState::Partial => format!("{} (partly observed)", number(count)),
            DayState::Observed => number(count),
        },
        rate: rate(count, seen).map_or(String::new(), |rate| {
            format!("{:.1} ({:.1} to {:.1})", rate.rate, rate.low, rate.high)
        }),
    }
}

impl Maker<'_> {
    fn sector_lines(&self) -> Vec<SectorLight<'_>> {
        looked::sectors(self.state, |day| day == self.day)
    }

    /// Every source of evidence by day and by night, and the watched sectors together.
    pub(super) fn light(&self) -> Vec<LightLine> {
        let mut lines = Vec::new();
        for source in self.evidence() {
            let Some((counts, by)) =
                source.days.get(&self.day).and_then(|counts| Some((counts, counts.light?)))
            else {
                continue;
            };
            for light in Light::ALL {
                let seen = by.of(light);
                if let Some(effort) = seen.effort() {
                    let name = source.source.name.clone();
                    lines.push(line(name, light, seen, effort, "h", counts.rows_by(light)));
                }
            }
        }
        let sectors = self.sector_lines();
        for watching in Watching::ALL {
            for light in Light::ALL {
                let (mut seen, mut incidents) = (Seen::default(), 0.0);
                // Where they never looked there is nothing to divide by.
                for one in sectors.iter().filter(|one| {
                    one.sector.watching == watching
                        && one.light == light
                        && (one.seen.seen > 0.0 || one.incidents > 0.0)
                }) {
                    seen += one.seen;
                    incidents += one.incidents;
                }
                let who = format!(
                    "Incidents told by {}, in the sectors that they watched",
                    watching.title()
                );
                if let Some(effort) = seen.effort() {
                    lines.push(line(who, light, seen, effort, "sector-hours", incidents));
                } else if sectors.iter().any(|one| one.sector.watching == watching) {
                    let nothing = DayEffort::of_share(0.0);
                    lines.push(line(who, light, seen, nothing, "sector-hours", 0.0));
                }
            }
        }
        lines
    }

    /// The sectors that somebody of the mission watched on this day, or from
    /// which somebody of the mission told of something.
    pub(super) fn sectors(&self) -> Vec<LightLine> {
        self.sector_lines()
            .iter()
            .filter(|one| one.sector.watching == Watching::Mission)
            .filter(|one| {
                let on_day = one.sector.days.get(&self.day);
                one.incidents > 0.0
                    || on_day.is_some_and(|by| by.day.seen > 0.0 || by.night.seen > 0.0)
            })
            .filter_map(|one| {
                let effort = one.effort()?;
                Some(line(one.sector.name(), one.light, one.seen, effort, "h", one.incidents))
            })
            .collect()
    }

    /// For how much of the night each sector had a working sensor.
    pub(super) fn night_sentence(&self) -> Option<String> {
        let lines = self.sector_lines();
        let [observed, partly, not] = looked::states(&lines, Watching::Mission, Light::Night);
        let all = observed + partly + not;
        if all == 0 {
            return None;
        }
        if observed + partly == 0 {
            return Some(
                "Night: not observed. In no sector had the mission a sensor that works in the dark for as much as a \
                 quarter of the night; there is no figure for the night, and silence is not quiet."
                    .to_owned(),
            );
        }
        Some(format!(
            "Night: of {} the mission watched {observed} for at least three quarters of the dark, {partly} in part \
             and {not} not at all; what is said of the night is said of those alone.",
            words::count(all as u64, "sector", "sectors"),
        ))
    }
}
