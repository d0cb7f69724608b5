//! The charts, day by day.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::state::SourceState;
use domain::{Basis, Class, Interval};
use jiff::civil::Date;

use super::sentences::noon_to_noon;
use super::{Figure, Maker, class_name, effort_basis, number};
use crate::svg::bars::{Bar, Chart, Series};
use crate::svg::map::basis_class;
use crate::watch;
use crate::words;

/// Days before and after the day of a report that its charts show.
const CHART_DAYS: (i64, i64) = (10, 3);

impl Maker<'_> {
    pub(super) fn chart_days(&self) -> Vec<Date> {
        let facts = &self.state.facts;
        facts
            .days()
            .filter(|day| {
                let apart = day.duration_since(self.day).as_hours() / 24;
                -CHART_DAYS.0 <= apart && apart <= CHART_DAYS.1
            })
            .collect()
    }

    pub(super) fn truce_in(&self, interval: Interval) -> (f64, f64) {
        let Some(common) = interval.intersection(&self.state.facts.window.truce) else {
            return (0.0, 0.0);
        };
        let share = |at| domain::time::seconds_between(interval.from, at) / interval.seconds();
        (share(common.from), share(common.to))
    }

    pub(super) fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![self.incident_figure()];
        figures.extend(self.night_figures());
        figures.extend(self.evidence().map(|source| self.source_figure(source)));
        figures
    }

    pub(super) fn incident_figure(&self) -> Figure {
        let counts = self.counts_by_day();
        let days = self.chart_days();
        let used: Vec<Basis> = Basis::ALL
            .into_iter()
            .filter(|basis| {
                days.iter().any(|day| {
                    counts.get(day).is_some_and(|counts| counts.by_basis.contains_key(basis))
                })
            })
            .collect();
        let value = |day: &Date, basis: &Basis| {
            counts.get(day).and_then(|counts| counts.by_basis.get(basis)).copied().unwrap_or(0)
                as f64
        };
        self.figure(
            "Incidents reported by day, by what they rest on".to_owned(),
            "Counts of different rest are stacked, never mixed. Hatched: not all of the kinds of sources were looking.".to_owned(),
            used.iter().map(|basis| Series { name: basis.title().to_owned(), class: basis_class(*basis).to_owned() }).collect(),
            &days,
            |day| {
                // A day on which one of the kinds of sources was not looking is
                // not a day on which everybody was.
                let all = used.iter().all(|basis| self.seen_for(*basis, *day) == DayState::Observed);
                let seen = if all { DayState::Observed } else { DayState::Partial };
                (used.iter().map(|basis| value(day, basis)).collect(), seen)
            },
            150.0,
        )
    }

    pub(super) fn source_figure(&self, source: &SourceState) -> Figure {
        let days = self.chart_days();
        let rows = |day: &Date| source.days.get(day).map_or(0.0, |counts| counts.rows as f64);
        let effort = |day: &Date| {
            source.days.get(day).map_or(DayState::NotObserved, |counts| counts.effort.state)
        };
        let changes = watch::changes(source);
        let fell: Vec<String> = days
            .iter()
            .filter_map(|day| {
                Some(format!("{}: {}", words::day_and_month(*day), changes.get(day)?.words()))
            })
            .collect();
        let mut figure = self.figure(
            format!("{}: rows by day", source.source.name),
            format!(
                "Hatched: not or only partly observed. Effort: {}.",
                effort_basis(&source.source.effort)
            ),
            vec![Series { name: "rows".to_owned(), class: "s0".to_owned() }],
            &days,
            |day| (vec![rows(day)], effort(day)),
            64.0,
        );
        if !fell.is_empty() {
            figure.note.push_str(&format!(
                " Below what is usual by more than chance, so that it may have failed: {}.",
                fell.join("; ")
            ));
        }
        figure
    }

    /// A figure by nights for every source that claims numbers.
    pub(super) fn night_figures(&self) -> Vec<Figure> {
        let days = self.chart_days();
        self.evidence()
            .filter(|source| days.iter().any(|day| source.nights.contains_key(day)))
            .map(|source| {
                let mut totals: BTreeMap<Class, f64> = BTreeMap::new();
                for (class, count) in days.iter().filter_map(|day| source.nights.get(day)).flatten()
                {
                    *totals.entry(*class).or_default() += count;
                }
                let mut classes: Vec<Class> = totals.keys().copied().collect();
                classes.sort_by(|a, b| totals[b].total_cmp(&totals[a]).then(a.cmp(b)));
                classes.truncate(4);
                let value = |day: &Date, class: &Class| {
                    source
                        .nights
                        .get(day)
                        .and_then(|by_class| by_class.get(class))
                        .copied()
                        .unwrap_or(0.0)
                };
                let effort = |day: &Date| {
                    source.days.get(day).map_or(DayState::NotObserved, |counts| counts.effort.state)
                };
                let mut figure = self.figure(
                    format!("{}: claimed by night", source.source.name),
                    "From noon to noon, under the date of the evening. A party's own figures."
                        .to_owned(),
                    classes
                        .iter()
                        .enumerate()
                        .map(|(index, class)| Series {
                            name: class_name(*class),
                            class: format!("s{index}"),
                        })
                        .collect(),
                    &days,
                    |day| (classes.iter().map(|class| value(day, class)).collect(), effort(day)),
                    110.0,
                );
                figure.note.push_str(" The shaded part of a bar is the time of the truce.");
                figure
            })
            .collect()
    }

    pub(super) fn figure(
        &self,
        title: String,
        note: String,
        series: Vec<Series>,
        days: &[Date],
        values: impl Fn(&Date) -> (Vec<f64>, DayState),
        height: f64,
    ) -> Figure {
        let facts = &self.state.facts;
        let by_night = title.ends_with("by night");
        let mut rows = Vec::with_capacity(days.len());
        let mut bars = Vec::with_capacity(days.len());
        for day in days {
            let (values, effort) = values(day);
            let word = match effort {
                DayState::Observed => "observed",
                DayState::Partial => "partly observed",
                DayState::NotObserved => "not observed",
            };
            let numbers: Vec<String> = values.iter().map(|value| number(*value)).collect();
            let interval = if by_night { noon_to_noon(facts, *day) } else { facts.zone.day(*day) };
            bars.push(Bar {
                label: format!("{}", day.day()),
                title: format!("{}: {} ({word})", words::day_and_month(*day), numbers.join(" + ")),
                values,
                effort,
                truce: self.truce_in(interval),
                marked: *day == self.day,
            });
            rows.push(
                std::iter::once(words::day_and_month(*day))
                    .chain(numbers)
                    .chain([word.to_owned()])
                    .collect(),
            );
        }
        let columns = std::iter::once("day".to_owned())
            .chain(series.iter().map(|one| one.name.clone()))
            .chain(["effort".to_owned()])
            .collect();
        let legend = series.iter().map(|one| (one.class.clone(), one.name.clone())).collect();
        let chart = Chart { title: title.clone(), description: note.clone(), series, bars, height };
        Figure { title, svg: chart.svg(), legend, columns, rows, note }
    }
}
