//! The sentences of the summary: each compares with the day before, and says
//! what could not be seen.

use std::collections::{BTreeMap, BTreeSet};

use domain::effort::{DayEffort, DayState};
use domain::incident::Status;
use domain::place::Precision;
use domain::state::{Facts, SourceState};
use domain::{Basis, Class, EffortBasis, Incident, Interval, Signature, SourceKind};
use jiff::civil::Date;

use super::Maker;
use crate::watch::{self, SourceChange};
use crate::words;

impl Maker<'_> {
    pub(super) fn summary(&self) -> Vec<String> {
        let mut sentences = vec![self.total_sentence()];
        sentences.extend(self.unlike_sentence());
        sentences.extend(self.basis_sentence());
        sentences.extend(self.belief_sentence());
        sentences.extend(self.findings_sentences());
        sentences.extend(self.alert_sentence());
        sentences.extend(self.quiet_sentences());
        sentences.extend(self.map_sentence());
        sentences.extend(self.unseen());
        sentences.extend(self.night_sentence());
        sentences.push(self.verified_sentence());
        sentences
    }

    pub(super) fn total_sentence(&self) -> String {
        let (today, _) = self.counted.day(self.day);
        let looked = self.evidence().any(|source| {
            let day = source.days.get(&self.day);
            day.is_some_and(|day| day.effort.state != DayState::NotObserved)
        });
        if today.total == 0 && !looked {
            return "No source was observing on this day: it has no count.".to_owned();
        }
        let placed = today.total
            - today.by_precision.get(&Precision::Region).copied().unwrap_or(0)
            - today.by_precision.get(&Precision::Unknown).copied().unwrap_or(0);
        let mut sentence = format!(
            "{} {} reported for this day",
            words::sentence(&words::count(today.total, "incident", "incidents")),
            // "No incident was", "one incident was", "two incidents were".
            if today.total <= 1 { "was" } else { "were" }
        );
        // Days that were not looked at alike have no trend (D17).
        if let Ok(before) = self.day.yesterday()
            && self.effort_changes(before).is_empty()
        {
            let (yesterday, _) = self.counted.day(before);
            sentence.push_str(&format!(
                ", compared with {} for {}",
                yesterday.total,
                words::day_and_month(before)
            ));
        }
        if today.total > placed {
            sentence.push_str(&format!(
                "; {placed} can be placed to a settlement or better, {} only to a region and may repeat some of the others",
                today.total - placed
            ));
        }
        sentence.push('.');
        sentence
    }

    /// Two days that were not looked at alike cannot be compared by their counts.
    fn unlike_sentence(&self) -> Option<String> {
        let before = self.day.yesterday().ok()?;
        let changes = self.effort_changes(before);
        (!changes.is_empty()).then(|| {
            format!(
                "The count is not compared with that of {}, because the two days were not looked at alike: {}.",
                words::day_and_month(before),
                words::list(&changes)
            )
        })
    }

    /// The sources whose effort on this day is another than on the day before.
    fn effort_changes(&self, before: Date) -> Vec<String> {
        let word = |state: DayState| match state {
            DayState::Observed => "observing",
            DayState::Partial => "partly observing",
            DayState::NotObserved => "not observing",
        };
        let volumes = self.evidence().flat_map(|source| {
            [before, self.day].into_iter().filter_map(move |day| {
                let change = volume_change(source, day)?;
                let day = words::day_and_month(day);
                Some(format!("{} {} on {day}", source.source.name, change.words()))
            })
        });
        self.evidence()
            .filter_map(|source| {
                let state = |day: Date| Some(source.days.get(&day)?.effort.state);
                let (today, earlier) = (state(self.day)?, state(before)?);
                (today != earlier).then(|| {
                    format!(
                        "{} was {} on {} and {} on {}",
                        source.source.name,
                        word(earlier),
                        words::day_and_month(before),
                        word(today),
                        words::day_and_month(self.day)
                    )
                })
            })
            .chain(volumes)
            .collect()
    }

    pub(super) fn basis_sentence(&self) -> Option<String> {
        let (today, _) = self.counted.day(self.day);
        let parts: Vec<String> = Basis::ALL
            .into_iter()
            .filter_map(|basis| {
                today.by_basis.get(&basis).map(|count| format!("{count} on {}", basis.title()))
            })
            .collect();
        (!parts.is_empty()).then(|| format!("What they rest on: {}.", words::list(&parts)))
    }

    /// What the incidents come to by what their sources are worth.
    fn belief_sentence(&self) -> Option<String> {
        let (today, _) = self.counted.day(self.day);
        (today.total > 0).then(|| {
            let calibrated = self
                .counted
                .of_day(self.day)
                .filter(|incident| !incident.belief.calibrated_on.is_empty())
                .count();
            let basis = if calibrated == 0 {
                "The ratios are declared and not yet calibrated on adjudicated cases.".to_owned()
            } else {
                format!(
                    "The ratios are declared; for {calibrated} of the {} incidents what they come to is calibrated on missions of known outcome, as the reasons of each say.",
                    today.total
                )
            };
            format!(
                "By what each kind of source is worth and what was presumed, {:.1} different occurrences are to be expected behind them. {basis}",
                today.expected
            )
        })
    }

    pub(super) fn findings_sentences(&self) -> Vec<String> {
        let (today, found) = self.counted.day(self.day);
        if found.total == 0 {
            if today.total == 0 {
                return Vec::new();
            }
            return vec!["None of them falls into the time and zone of a provision.".to_owned()];
        }
        found
            .by_provision
            .iter()
            .map(|(name, count)| {
                let id = name.split(" (").next().unwrap_or(name);
                let title = self.around.provisions.get(id).map_or(String::new(), |title| format!(" \u{201c}{title}\u{201d}"));
                let expected = found.expected_by_provision.get(name).copied().unwrap_or(0.0);
                format!(
                    "Provision {name}{title}: {} may fall under it; added up by how well their time, place and kind fit, they come to {expected:.1}.",
                    words::count(*count, "incident", "incidents")
                )
            })
            .collect()
    }

    pub(super) fn alert_sentence(&self) -> Option<String> {
        let (mut today, mut before, mut assumed, mut seen) = (0, 0, 0, false);
        let yesterday = self.day.yesterday().ok()?;
        for source in self.evidence() {
            let on = |day: Date| source.days.get(&day);
            let count = |day: Date| {
                on(day)
                    .and_then(|counts| counts.signatures.get(&Signature::Alert))
                    .copied()
                    .unwrap_or(0)
            };
            if source.source.kind != SourceKind::Authority
                || on(self.day).is_none_or(|counts| counts.effort.state == DayState::NotObserved)
            {
                continue;
            }
            seen = true;
            today += count(self.day);
            before += count(yesterday);
            assumed += on(self.day).map_or(0, |counts| counts.assumed_ends);
        }
        if !seen {
            return None;
        }
        let ends = if assumed > 0 {
            format!("; the end of {assumed} of them was not seen and is assumed")
        } else {
            String::new()
        };
        Some(format!(
            "Public air-raid alerts: {today}, compared with {before} the day before{ends}. An alert is a warning and not an attack."
        ))
    }

    /// Nights without a claim, and how many other nights were as quiet without
    /// any truce: quiet is not compliance.
    pub(super) fn quiet_sentences(&self) -> Vec<String> {
        let facts = &self.state.facts;
        let mut sentences = Vec::new();
        for source in self.evidence().filter(|source| !source.nights.is_empty()) {
            let classes: BTreeSet<Class> =
                source.nights.values().flat_map(BTreeMap::keys).copied().collect();
            for class in classes {
                let claimed = |night: Date| {
                    source
                        .nights
                        .get(&night)
                        .and_then(|by_class| by_class.get(&class))
                        .copied()
                        .unwrap_or(0.0)
                };
                let in_truce = |night: Date| {
                    facts.window.truce.covered_seconds(&[noon_to_noon(facts, night)]) > 0.0
                };
                let observed = |night: Date| {
                    source
                        .days
                        .get(&night)
                        .is_some_and(|counts| counts.effort.state == DayState::Observed)
                };
                let others: Vec<Date> =
                    facts.days().filter(|night| !in_truce(*night) && observed(*night)).collect();
                let busy = others.iter().filter(|night| claimed(**night) > 0.0).count();
                // Only a kind that came on most nights can be missed.
                if others.len() < 7 || busy * 2 < others.len() {
                    continue;
                }
                let Ok(evening_before) = self.day.yesterday() else { continue };
                for night in [evening_before, self.day] {
                    // Of a source that may have failed nothing is quiet (D17).
                    if !in_truce(night)
                        || !observed(night)
                        || claimed(night) > 0.0
                        || volume_change(source, night).is_some()
                    {
                        continue;
                    }
                    let quiet: Vec<String> = others
                        .iter()
                        .filter(|other| claimed(**other) == 0.0)
                        .map(|other| words::day_and_month(*other))
                        .collect();
                    let last = if quiet.is_empty() {
                        format!(
                            "no other of the {} observed nights without a truce was as quiet",
                            others.len()
                        )
                    } else {
                        format!(
                            "{} of the {} observed nights without a truce {} as quiet ({}), so a quiet night alone is no sign of compliance",
                            quiet.len(),
                            others.len(),
                            if quiet.len() == 1 { "was" } else { "were" },
                            words::list(&quiet)
                        )
                    };
                    sentences.push(format!(
                        "{} claimed no {} in the night after {}; {last}.",
                        source.source.name,
                        class.title(),
                        words::day_and_month(night)
                    ));
                }
            }
        }
        sentences.dedup();
        sentences
    }

    pub(super) fn map_sentence(&self) -> Option<String> {
        let day = self.interval();
        let maps = &self.state.maps;
        let later = maps.iter().rposition(|map| map.state_at <= day.to)?;
        let earlier = maps.iter().rposition(|map| map.state_at <= day.from)?;
        let (later, earlier) = (maps.get(later)?, maps.get(earlier)?);
        if later.state_at == earlier.state_at {
            return Some(
                "The map of control has no state newer than the one at the beginning of the day."
                    .to_owned(),
            );
        }
        let change = later.area_km2 - earlier.area_km2;
        if change.abs() < 0.05 {
            return Some(format!(
                "The maps of control of {} and {} show the same area. The map is redrawn some days after a change.",
                words::day_and_month(self.state.facts.zone.date(earlier.state_at)),
                words::day_and_month(self.state.facts.zone.date(later.state_at)),
            ));
        }
        Some(format!(
            "Between the maps of control of {} and {} the area inside {} by {:.1} km\u{b2}. The map is redrawn some \
             days after a change, so this is no sign of movement on this day.",
            words::day_and_month(self.state.facts.zone.date(earlier.state_at)),
            words::day_and_month(self.state.facts.zone.date(later.state_at)),
            if change < 0.0 { "shrank" } else { "grew" },
            change.abs()
        ))
    }

    /// What people made of the day's incidents.
    fn verified_sentence(&self) -> String {
        let of_day = || {
            let incidents = &self.state.incidents;
            incidents.iter().filter(|incident| self.state.day_of(incident) == self.day)
        };
        let verified = of_day().filter(|incident| incident.status == Status::Verified).count();
        match verified {
            0 => format!(
                "No incident is verified{}, and nobody is named as responsible.",
                self.looked_at(of_day())
            ),
            1 => "One incident is a verified violation; the others are reported and no more. Nobody is named as \
                  responsible here."
                .to_owned(),
            many => format!(
                "{many} incidents are verified violations; the others are reported and no more. Nobody is named as \
                 responsible here."
            ),
        }
    }

    /// What people did about incidents none of which is verified.
    fn looked_at<'i>(&self, incidents: impl Iterator<Item = &'i Incident>) -> String {
        let mut ruled: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut open = 0;
        for incident in incidents {
            let mut of_incident =
                self.state.cases.iter().filter(|case| case.incident == incident.id).peekable();
            if of_incident.peek().is_none() {
                continue;
            }
            let words: std::collections::BTreeSet<&'static str> = of_incident
                .filter_map(|case| match case.status {
                    Status::CannotRule => Some("could not rule on"),
                    Status::Refuted => Some("refuted"),
                    Status::Retracted => Some("took back"),
                    Status::ReviewDue => Some("have to look again at"),
                    Status::Reported | Status::Corroborated | Status::Verified => None,
                })
                .collect();
            if words.is_empty() {
                open += 1;
            }
            for word in words {
                *ruled.entry(word).or_default() += 1;
            }
        }
        let mut parts: Vec<String> =
            ruled.iter().map(|(word, count)| format!("{word} {count}")).collect();
        if open > 0 {
            parts.push(format!("are still looking at {open}"));
        }
        if parts.is_empty() {
            return ": nothing here has been checked by people".to_owned();
        }
        format!(": people {}", words::list(&parts))
    }

    pub(super) fn unseen(&self) -> Vec<String> {
        let silent = self.evidence().filter_map(|source| {
            let change = volume_change(source, self.day)?;
            Some(format!(
                "{}: {}. It may have failed: its figures of this day are no sign of quiet, and no trend is claimed.",
                source.source.name,
                change.words()
            ))
        });
        self.evidence()
            .filter_map(|source| {
                let effort = source.days.get(&self.day)?.effort;
                let name = &source.source.name;
                match effort.state {
                    DayState::Observed => None,
                    DayState::Partial => Some(format!("{name}: partly observed ({:.0} % of the day); its figures are lower bounds.", effort.share * 100.0)),
                    DayState::NotObserved => Some(format!("{name}: not observed ({}). A missing figure is not a zero.", unseen_reason(source, effort))),
                }
            })
            .chain(silent)
            .collect()
    }
}

/// Whether a source fell below what is usual for it (D17).
fn volume_change(source: &SourceState, day: Date) -> Option<SourceChange> {
    watch::changes(source).get(&day).copied()
}

pub(super) fn noon_to_noon(facts: &Facts, night: Date) -> Interval {
    let noon = |day: Date| facts.zone.moments(day.at(12, 0, 0, 0)).from;
    Interval { from: noon(night), to: noon(night.tomorrow().unwrap_or(night)) }
}

fn unseen_reason(source: &SourceState, effort: DayEffort) -> String {
    match &source.source.effort {
        EffortBasis::Logged if effort.share > 0.0 => {
            format!("its log covers {:.0} % of the day", effort.share * 100.0)
        }
        EffortBasis::Logged => "its log has nothing for this day".to_owned(),
        EffortBasis::Stated { .. } => {
            "outside the time for which it was stated to be up".to_owned()
        }
        EffortBasis::Rows => "no row shows that it was working".to_owned(),
    }
}
