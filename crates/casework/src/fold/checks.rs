//! The ten checks of the verification criterion (VERIFICATION E5), each with
//! the entries that satisfy it or what is missing.

use std::collections::BTreeSet;

use domain::case::{Check, Confidence, Signer};
use domain::finding::Finding;
use domain::{Incident, Probability};
use jiff::Timestamp;

use super::work::Work;
use super::{Common, Fold, distinct};
use crate::act::Answer;
use crate::evidence::{Line, Structure, lines, probability, structure};
use crate::rules::{Rules, alternatives};

/// The evidence of a finding as it stood before an entry.
pub(super) struct Weighed {
    pub lines: Vec<Line>,
    pub likelihood: Probability,
    pub structure: Option<Structure>,
}

const DAY_S: i64 = 86_400;

impl Work {
    pub(super) fn weigh(&self, fold: &Fold<'_>, incident: &Incident, before: u64) -> Weighed {
        let lines = lines(incident, fold.ground, &fold.common.doubts, before);
        // Not above what fusion believes, nor above what independent lines carry.
        let believed = incident.belief.probability;
        let carried = probability(&lines, fold.rules);
        let mut likelihood = if believed.get() < carried.get() { believed } else { carried };
        if let Some((_, at_most)) = self.at_most
            && at_most.get() < likelihood.get()
        {
            likelihood = at_most;
        }
        let structure = structure(&lines, &self.readings);
        Weighed { lines, likelihood, structure }
    }

    /// The ten checks, for a decision by `verifiers` at an entry and a moment.
    pub(super) fn checks(
        &self,
        verifiers: &[Signer],
        entry: u64,
        moment: Timestamp,
        fold: &Fold<'_>,
    ) -> Vec<Check> {
        let Some((finding, incident)) = fold.ground.finding(self.finding) else {
            return Vec::new();
        };
        let weighed = self.weigh(fold, incident, entry);
        let (rules, common) = (fold.rules, &fold.common);
        let outcomes = [
            ("event", event(self, incident, &weighed, moment, rules, common)),
            ("structure", structure_check(&weighed)),
            ("place", place(finding, incident, rules, common)),
            ("time", time(finding, incident, rules)),
            ("elements", self.elements_check(finding)),
            ("alternatives", self.alternatives_check(incident, &weighed, rules)),
            ("independence", self.independence(&weighed, common)),
            ("reply", self.reply_check(moment, rules)),
            ("persons", self.persons(verifiers)),
            ("ledger", ledger(incident, entry, rules, common)),
        ];
        (1..)
            .zip(outcomes)
            .map(|(number, (name, (holds, entries, says)))| Check {
                number,
                name: name.to_owned(),
                holds,
                entries: entries.into_iter().collect(),
                says,
            })
            .collect()
    }

    fn elements_check(&self, finding: &Finding) -> Outcome {
        let Some((signer, answers)) = &self.elements else {
            return missing("the legal adviser has answered no element");
        };
        let entries = BTreeSet::from([signer.entry]);
        let mut open = Vec::new();
        for element in &finding.elements {
            match answers.get(&element.name) {
                None => open.push(format!("{} is not answered", element.name)),
                Some(Answer::NotMet) => open.push(format!("{} is not met", element.name)),
                // An exception that nobody looked into may have been allowed.
                Some(Answer::Unknown) if element.name == "exceptions" => {
                    open.push("exceptions were not checked".to_owned());
                }
                Some(_) => {}
            }
        }
        if open.is_empty() {
            let unknown = answers.values().filter(|answer| **answer == Answer::Unknown).count();
            let words = format!("{} answered, {unknown} of them unknown", answers.len());
            return (true, entries, words);
        }
        (false, entries, open.join("; "))
    }

    fn alternatives_check(&self, incident: &Incident, weighed: &Weighed, rules: &Rules) -> Outcome {
        let mut named: BTreeSet<String> =
            alternatives(incident.class()).into_iter().map(str::to_owned).collect();
        named.extend(incident.alternatives.iter().map(|one| one.class.to_string()));
        named.extend(self.alternatives.keys().cloned());
        let limit = weighed.likelihood.get() * rules.alternative_odds;
        let (mut open, mut entries) = (Vec::new(), BTreeSet::new());
        for name in &named {
            match self.alternatives.get(name) {
                None => open.push(format!("{name} is not assessed")),
                Some((entry, one)) => {
                    entries.insert(*entry);
                    if one.probability.get() > limit {
                        open.push(format!("{name} is at {:.2}", one.probability.get()));
                    }
                }
            }
        }
        if open.is_empty() {
            let names: Vec<&str> = named.iter().map(String::as_str).collect();
            return (true, entries, format!("{} at or below 1 to 9", names.join(", ")));
        }
        (false, entries, open.join("; "))
    }

    fn independence(&self, weighed: &Weighed, common: &Common) -> Outcome {
        let mut entries: BTreeSet<u64> =
            common.doubts.links.iter().map(|(entry, _)| *entry).collect();
        let observations: usize = weighed.lines.iter().map(|line| line.observations.len()).sum();
        let lines = weighed.lines.iter().filter(|line| line.sound).count();
        let words = format!("{observations} observations are {lines} independent lines");
        let Some((signer, _, _)) = self.corroborated.first() else {
            return (false, entries, format!("{words}; no analyst has signed which corroborate"));
        };
        entries.insert(signer.entry);
        let enough = match weighed.structure {
            Some(Structure::Direct(_)) => lines >= 1,
            _ => lines >= 2,
        };
        (enough, entries, words)
    }

    fn reply_check(&self, moment: Timestamp, rules: &Rules) -> Outcome {
        let (mut open, mut entries) = (Vec::new(), BTreeSet::new());
        for party in &rules.parties {
            let Some(notice) = self.notices.iter().find(|notice| notice.party == *party) else {
                open.push(format!("no notice to {party}"));
                continue;
            };
            entries.insert(notice.entry);
            entries.extend(notice.replies.iter().map(|reply| reply.entry));
            if notice.replies.is_empty() && moment <= notice.due {
                open.push(format!("the window of {party} is open until {}", notice.due));
            }
            for reply in notice.replies.iter().filter(|reply| reply.answers.is_empty()) {
                open.push(format!("the reply of {party} in entry {} is not answered", reply.entry));
            }
        }
        if open.is_empty() {
            return (true, entries, "every party had its notice and its window".to_owned());
        }
        (false, entries, open.join("; "))
    }

    /// No point of any reply is open (standard S5).
    pub(super) fn no_open_point(&self) -> bool {
        self.notices.iter().flat_map(|one| &one.replies).all(|reply| !reply.answers.is_empty())
    }

    fn persons(&self, verifiers: &[Signer]) -> Outcome {
        let mut entries: BTreeSet<u64> = verifiers.iter().map(|signer| signer.entry).collect();
        let mut open = Vec::new();
        let persons = distinct(verifiers.iter().map(|signer| signer.person.as_str()));
        let contingents = distinct(verifiers.iter().map(|signer| signer.contingent.as_str()));
        if persons < 2 || contingents < 2 {
            open.push(format!(
                "{persons} verifiers of {contingents} contingents, 2 of 2 are needed"
            ));
        }
        match &self.elements {
            None => open.push("no legal adviser has signed".to_owned()),
            Some((signer, _)) => {
                entries.insert(signer.entry);
                if verifiers.iter().any(|one| one.person == signer.person) {
                    open.push(format!("{} verifies and advises", signer.person));
                }
            }
        }
        if open.is_empty() {
            let words = "two verifiers, sealed before either was opened, and a legal adviser";
            return (true, entries, words.to_owned());
        }
        (false, entries, open.join("; "))
    }

    /// Quality of the basis.
    pub(super) fn confidence(&self, weighed: &Weighed, checks: &[Check]) -> Confidence {
        let sound = weighed.lines.iter().filter(|line| line.sound).count();
        let dissent = self.decision.as_ref().is_some_and(|decision| !decision.dissent.is_empty());
        let flawed = weighed.lines.iter().any(|line| !line.sound);
        let calibrated = checks.first().is_some_and(|event| event.holds);
        match weighed.structure {
            None => Confidence::Low,
            Some(_) if sound >= 3 && calibrated && !dissent && !flawed => Confidence::High,
            Some(_) => Confidence::Moderate,
        }
    }
}

/// Whether it holds, the entries, and words.
type Outcome = (bool, BTreeSet<u64>, String);

fn missing(words: &str) -> Outcome {
    (false, BTreeSet::new(), words.to_owned())
}

fn event(
    work: &Work,
    incident: &Incident,
    weighed: &Weighed,
    moment: Timestamp,
    rules: &Rules,
    common: &Common,
) -> Outcome {
    let class = incident.class();
    let threshold = rules.of(class).verified;
    let mut entries: BTreeSet<u64> =
        weighed.lines.iter().flat_map(|line| line.entries.iter().copied()).collect();
    entries.extend(work.at_most.map(|(entry, _)| entry));
    let p = weighed.likelihood.get();
    let mut words = format!("P(event) {p:.3}, {threshold} is needed");
    let calibration = common.calibrations.iter().rev().find(|one| {
        let age_s = moment.duration_since(one.to).as_secs();
        one.classes.iter().any(|pattern| pattern.matches(class))
            && (0..=rules.calibration_days * DAY_S).contains(&age_s)
    });
    let calibrated = match calibration {
        None => {
            words.push_str(&format!(
                "; no calibration of {class} in {} days",
                rules.calibration_days
            ));
            false
        }
        Some(one) => {
            entries.insert(one.entry);
            let passed =
                one.error <= rules.calibration_error && one.cases >= rules.calibration_cases;
            words.push_str(&format!(
                "; calibration of {class} {} (error {:.3} over {} cases)",
                if passed { "passed" } else { "failed" },
                one.error,
                one.cases
            ));
            passed
        }
    };
    (p >= threshold && calibrated, entries, words)
}

fn structure_check(weighed: &Weighed) -> Outcome {
    let entries =
        weighed.lines.iter().filter(|one| one.sound).flat_map(|one| one.entries.iter().copied());
    let mut entries: BTreeSet<u64> = entries.collect();
    match &weighed.structure {
        Some(found) => {
            if let Structure::Direct(entry) = found {
                entries.insert(*entry);
            }
            (true, entries, found.to_string())
        }
        None => missing(
            "neither two physical families, nor one and a patrol, nor the object itself read twice",
        ),
    }
}

fn place(finding: &Finding, incident: &Incident, rules: &Rules, common: &Common) -> Outcome {
    let flagged: BTreeSet<u64> = incident
        .members
        .iter()
        .filter_map(|member| common.doubts.position(member.observation))
        .collect();
    if !flagged.is_empty() {
        let words = "a position that was flagged as spoofed may not carry a zone decision";
        return (false, flagged, words.to_owned());
    }
    let entries = incident.members.iter().map(|member| member.at.entry).collect();
    match finding.in_zone {
        None => missing("the place is not known"),
        Some(p) => (
            p.get() >= rules.place,
            entries,
            format!("P(in the zone) {:.3}, {} is needed", p.get(), rules.place),
        ),
    }
}

fn time(finding: &Finding, incident: &Incident, rules: &Rules) -> Outcome {
    let p = finding.in_force.get();
    let entries = incident.members.iter().map(|member| member.at.entry).collect();
    let words = format!(
        "P(in force) {p:.3}, {} is needed; clock error {:.0} s",
        rules.time, incident.when.sigma_s
    );
    (p >= rules.time, entries, words)
}

fn ledger(incident: &Incident, entry: u64, rules: &Rules, common: &Common) -> Outcome {
    let last = incident
        .members
        .iter()
        .map(|member| member.at.entry)
        .filter(|at| *at < entry)
        .max()
        .map_or(0, |last| last + 1);
    let seen = common.witnesses_of(last, entry);
    let words = format!(
        "evidence up to {last} entries cosigned by {} contingents, {} are needed",
        seen.len(),
        rules.witness_quorum
    );
    (seen.len() >= rules.witness_quorum, seen.values().copied().collect(), words)
}
