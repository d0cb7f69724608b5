//! The tables: counts, incidents, effort.

use std::collections::{BTreeMap, BTreeSet};

use domain::effort::{DayEffort, DayState};
use domain::finding::Met;
use domain::place::Precision;
use domain::{Basis, Class, Extent, Incident, Signature, SourceKind};
use jiff::civil::Date;

use super::{CountLine, EffortLine, IncidentLine, Maker, class_name, effort_basis, number};
use crate::counts::{IncidentCounts, provision_name};
use crate::svg::map::{Mark, basis_class};
use crate::words;

impl Maker<'_> {
    /// A line of a table of counts. A day on which nobody looked has no count,
    /// and no part in the mean.
    fn count_line(
        &self,
        name: String,
        class: &'static str,
        count: impl Fn(Date) -> u64,
        seen: impl Fn(Date) -> DayState,
    ) -> CountLine {
        let cell = |day: Date| match (seen(day), count(day)) {
            (DayState::NotObserved, 0) => "not observed".to_owned(),
            (DayState::NotObserved, count) => format!("{count} (not observed)"),
            (DayState::Partial, count) => format!("{count} (partly observed)"),
            (DayState::Observed, count) => count.to_string(),
        };
        let facts = &self.state.facts;
        let baseline: Vec<Date> = facts
            .days()
            .filter(|day| facts.zone.day(*day).to <= facts.window.baseline.to)
            .collect();
        let observed: Vec<f64> = baseline
            .iter()
            .filter(|day| seen(**day) == DayState::Observed)
            .map(|day| count(*day) as f64)
            .collect();
        let mean = observed.iter().sum::<f64>() / observed.len().max(1) as f64;
        let mean = number(domain::probability::rounded(mean, 1));
        CountLine {
            name,
            class,
            today: cell(self.day),
            yesterday: self.day.yesterday().map_or("\u{2013}".to_owned(), cell),
            baseline: match observed.len() {
                0 => "\u{2013}".to_owned(),
                all if all == baseline.len() => mean,
                days => format!("{mean} ({})", words::count(days as u64, "day", "days")),
            },
        }
    }

    /// How well the sources looked that incidents of this rest come from: the
    /// best of them counts.
    pub(super) fn seen_for(&self, basis: Basis, day: Date) -> DayState {
        let share = self
            .evidence()
            .filter(|source| match (basis, source.source.kind) {
                (Basis::SeveralKinds, _)
                | (Basis::HotSpots, SourceKind::Satellite)
                | (Basis::Press, SourceKind::Press)
                | (Basis::PartyClaims, SourceKind::Party)
                | (Basis::Research, SourceKind::Research) => true,
                (Basis::Mission, kind) => kind.is_of_mission(),
                _ => false,
            })
            .filter_map(|source| source.days.get(&day))
            .map(|counts| counts.effort.share)
            .fold(0.0, f64::max);
        DayEffort::of_share(share).state
    }

    pub(super) fn by_basis(&self) -> Vec<CountLine> {
        let counts = self.counts_by_day();
        let of = |day: Date, basis: Basis| {
            counts.get(&day).and_then(|counts| counts.by_basis.get(&basis)).copied().unwrap_or(0)
        };
        let ever = |basis: Basis| counts.keys().any(|day| of(*day, basis) > 0);
        Basis::ALL
            .into_iter()
            .filter(|basis| ever(*basis))
            .map(|basis| {
                self.count_line(
                    words::sentence(basis.title()),
                    basis_class(basis),
                    |day| of(day, basis),
                    |day| self.seen_for(basis, day),
                )
            })
            .collect()
    }

    pub(super) fn by_class(&self) -> Vec<CountLine> {
        let counts = self.counts_by_day();
        let of = |day: Date, class: Class| {
            counts.get(&day).and_then(|counts| counts.by_class.get(&class)).copied().unwrap_or(0)
        };
        let on_either_day = |class: &Class| {
            of(self.day, *class) > 0 || self.day.yesterday().is_ok_and(|day| of(day, *class) > 0)
        };
        Class::ALL
            .iter()
            .copied()
            .filter(on_either_day)
            .map(|class| {
                self.count_line(
                    words::sentence(&class_name(class)),
                    "",
                    |day| of(day, class),
                    |day| self.seen_for(Basis::SeveralKinds, day),
                )
            })
            .collect()
    }

    pub(super) fn counts_by_day(&self) -> BTreeMap<Date, IncidentCounts> {
        let mut by_day: BTreeMap<Date, IncidentCounts> = BTreeMap::new();
        for incident in &self.state.incidents {
            by_day.entry(self.state.day_of(incident)).or_default().add(incident);
        }
        by_day
    }

    pub(super) fn signatures(&self) -> Vec<CountLine> {
        let mut lines = Vec::new();
        for source in self.evidence() {
            let seen: BTreeSet<Signature> = [Some(self.day), self.day.yesterday().ok()]
                .into_iter()
                .flatten()
                .filter_map(|day| source.days.get(&day))
                .flat_map(|counts| counts.signatures.keys().copied())
                .collect();
            for signature in seen {
                lines.push(self.count_line(
                    format!("{}: {}", source.source.name, signature.title()),
                    "",
                    |day| {
                        let counts = source.days.get(&day);
                        counts
                            .and_then(|counts| counts.signatures.get(&signature))
                            .copied()
                            .unwrap_or(0)
                    },
                    |day| {
                        let counts = source.days.get(&day);
                        counts.map_or(DayState::NotObserved, |counts| counts.effort.state)
                    },
                ));
            }
        }
        lines
    }

    pub(super) fn incidents(&self) -> (Vec<IncidentLine>, Vec<IncidentLine>, Vec<Mark>) {
        let mut incidents: Vec<&Incident> = self.counted.of_day(self.day).collect();
        incidents.sort_by_key(|incident| {
            (incident.place.precision() >= Precision::Region, incident.when.span, incident.id)
        });
        let (mut placed, mut regional, mut marks) = (Vec::new(), Vec::new(), Vec::new());
        for (index, incident) in incidents.into_iter().enumerate() {
            let line = self.incident_line(index + 1, incident);
            if let Some(at) = incident.place.centre() {
                marks.push(Mark {
                    number: index + 1,
                    at,
                    radius_m: incident.place.radius_m(),
                    precision: incident.place.precision(),
                    basis: incident.basis(),
                    title: format!("{}. {}: {}, {}", index + 1, line.time, line.class, line.place),
                });
            }
            if incident.place.precision() >= Precision::Region {
                regional.push(line);
            } else {
                placed.push(line);
            }
        }
        (placed, regional, marks)
    }

    pub(super) fn incident_line(&self, number: usize, incident: &Incident) -> IncidentLine {
        let share = incident.classes.first().map_or(1.0, |first| first.share.get());
        let mut class = class_name(incident.class());
        if share < 0.995 {
            class.push_str(&format!(", {:.0} % of the origins", share * 100.0));
        }
        let signatures: Vec<String> = incident
            .signatures
            .iter()
            .map(|(signature, count)| {
                if *count == 1 {
                    signature.title().to_owned()
                } else {
                    format!("{count} \u{d7} {}", signature.title())
                }
            })
            .collect();
        let mut signatures = signatures.join(", ");
        if let Some(count) = incident.claimed_count {
            // A sensor counts, a party claims.
            let counted = if incident.basis() == Basis::Mission { "counted" } else { "claimed" };
            signatures.push_str(&format!(" ({count} {counted})"));
        }
        let fits = self
            .counted
            .findings(incident)
            .iter()
            .map(|finding| {
                let unknown: Vec<&str> = finding
                    .elements
                    .iter()
                    .filter(|element| matches!(element.met, Met::Unknown { .. }))
                    .map(|element| element.name.as_str())
                    .collect();
                let open = if unknown.is_empty() {
                    String::new()
                } else {
                    format!("; open: {}", unknown.join(", "))
                };
                let zone = finding.in_zone.map_or("?".to_owned(), |p| format!("{:.2}", p.get()));
                format!(
                    "{}: in force {:.2}, in zone {zone}{open}",
                    provision_name(finding),
                    finding.in_force.get()
                )
            })
            .collect();
        let mut remarks = incident.remarks.clone();
        remarks.extend(
            incident
                .alternatives
                .iter()
                .map(|other| format!("or {}: {}", class_name(other.class), other.because)),
        );
        let distinct = incident.belief.distinct.get();
        if distinct < 0.995 {
            remarks.push(format!(
                "may be one of {} (P {:.2})",
                words::count(
                    incident.may_be_same_as.len() as u64,
                    "other incident",
                    "other incidents"
                ),
                1.0 - distinct
            ));
        }
        IncidentLine {
            number,
            id: incident.id.to_string(),
            time: self.time(incident),
            place: incident.place_name.clone(),
            class,
            signatures,
            basis: incident.basis().title(),
            basis_class: basis_class(incident.basis()),
            origins: incident.origins,
            probability: words::probability(incident.belief.probability),
            fits,
            people: super::people::lines(self.state, incident),
            remarks,
        }
    }

    /// Local time, as exact as it is known.
    pub(super) fn time(&self, incident: &Incident) -> String {
        let zone = &self.state.facts.zone;
        let span = incident.when.span;
        let clock = |at: jiff::Timestamp| {
            let local = zone.local(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            match (local.date().duration_since(self.day).as_hours()) / 24 {
                0 => time,
                1 if time == "00:00" => "24:00".to_owned(),
                _ => format!("{time} on {}", words::day_and_month(local.date())),
            }
        };
        if incident.when.extent == Extent::Throughout {
            return format!("from {} to {}", clock(span.from), clock(span.to));
        }
        if span.seconds() < 60.0 {
            return clock(span.from);
        }
        format!("between {} and {}", clock(span.from), clock(span.to))
    }

    pub(super) fn effort(&self) -> Vec<EffortLine> {
        self.evidence()
            .filter_map(|source| {
                let counts = source.days.get(&self.day)?;
                let (state, state_class) = match counts.effort.state {
                    DayState::Observed => ("observed", "seen"),
                    DayState::Partial => ("partly observed", "part"),
                    DayState::NotObserved => ("not observed", "unseen"),
                };
                let outcomes: Vec<String> = counts
                    .outcomes
                    .iter()
                    .map(|(code, count)| format!("{}: {count}", outcome_words(code)))
                    .collect();
                Some(EffortLine {
                    source: source.source.name.clone(),
                    kind: source.source.kind.code(),
                    state,
                    state_class,
                    share: format!("{:.0} %", counts.effort.share * 100.0),
                    basis: effort_basis(&source.source.effort),
                    rows: if counts.rows == 0 && counts.effort.state == DayState::NotObserved {
                        "\u{2013}".to_owned()
                    } else {
                        counts.rows.to_string()
                    },
                    outcomes: outcomes.join("; "),
                })
            })
            .collect()
    }
}

fn outcome_words(code: &str) -> &str {
    match code {
        "joined" => "in incidents",
        "repeat" => "repeats of a report",
        "context" => "context only",
        "peacetime_fire" => "explained by peacetime",
        "other_subject" => "about something else",
        "summary" => "totals",
        "statement" => "statements",
        "no_place" => "without a usable place",
        "far_from_line" => "hot spots far from the line",
        other => other,
    }
}
