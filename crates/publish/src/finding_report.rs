//! The finding report (T3): the one document that may name an actor, in the
//! chapters of a violation report of a past mechanism (CTSAMVM). One value, as
//! text, page and JSON. What is not in the record is said to be missing.

use std::collections::BTreeMap;

use askama::Template;
use domain::case::{Case, Ruling, Step};
use domain::estimative::{admiralty, confidence_in_all, likelihood_in_all};
use domain::finding::Met;
use domain::incident::Status;
use domain::time::{DAY_S, shifted};
use domain::{Finding, Incident, State};
use jiff::Timestamp;
use serde::Serialize;

use crate::words;

/// What a report needs besides the state.
#[derive(Debug)]
pub struct Around<'a> {
    /// Title of the agreement.
    pub agreement: &'a str,
    /// Title and wording of provisions, by id.
    pub provisions: &'a BTreeMap<String, (String, String)>,
    /// Entries of the record that the state was made from.
    pub entries: u64,
    /// SHA-256 of the state.
    pub digest: &'a str,
}

/// A chapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chapter {
    /// "1".."11", "A", "B".
    pub number: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Its paragraphs.
    pub paragraphs: Vec<String>,
}

/// A finding report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingReport {
    /// True for made-up data.
    pub exercise: bool,
    /// "Finding fnd_... on provision 4".
    pub title: String,
    /// Title of the case.
    pub case: String,
    /// The chapters, in order.
    pub chapters: Vec<Chapter>,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct Page<'a> {
    report: &'a FindingReport,
    style: &'static str,
}

impl FindingReport {
    /// As plain text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        if self.exercise {
            text.push_str("EXERCISE - made-up data\n");
        }
        text.push_str(&format!("{}\n{}\n", self.title, self.case));
        for chapter in &self.chapters {
            text.push_str(&format!("\n{}. {}\n", chapter.number, chapter.title));
            for paragraph in &chapter.paragraphs {
                text.push_str(&format!("   {paragraph}\n"));
            }
        }
        text
    }

    /// As a page.
    pub fn to_page(&self) -> String {
        Page { report: self, style: crate::html::STYLE }
            .render()
            .expect("a report always renders into memory")
    }
}

struct Maker<'a> {
    state: &'a State,
    case: &'a Case,
    finding: &'a Finding,
    incident: &'a Incident,
    around: &'a Around<'a>,
}

/// The report on a case; none if the state does not hold its finding.
pub fn finding_report(state: &State, case: &Case, around: &Around<'_>) -> Option<FindingReport> {
    let finding = state.findings.iter().find(|one| one.id == case.finding)?;
    let incident = state.incidents.iter().find(|one| one.id == case.incident)?;
    let maker = Maker { state, case, finding, incident, around };
    Some(FindingReport {
        exercise: state.facts.exercise,
        title: format!("Finding {} on provision {}", case.finding, case.provision),
        case: state.facts.title.clone(),
        chapters: maker.chapters(),
    })
}

fn or_nothing(mut list: Vec<String>, nothing: &str) -> Vec<String> {
    if list.is_empty() {
        list.push(nothing.to_owned());
    }
    list
}

impl Maker<'_> {
    fn chapters(&self) -> Vec<Chapter> {
        [
            ("1", "Reference, date, classification", self.reference()),
            ("2", "Executive summary", self.summary()),
            ("3", "Introduction and mandate", self.mandate()),
            ("4", "Allegation", self.allegation()),
            ("5", "Investigation", self.investigation()),
            ("6", "Sequence of events", self.sequence()),
            ("7", "Findings", self.findings()),
            ("8", "Analysis and articles breached", self.analysis()),
            ("9", "Conclusion", self.conclusion()),
            ("10", "Recommendations", self.recommendations()),
            ("11", "Responses", self.responses()),
            ("A", "Annex: the record", self.record()),
            ("B", "Annex: maps, photographs, statements", vec![
                "Not part of this document. Exact places, images and statements of witnesses stay sealed in the \
                 record; whoever may read them finds them by the entries named above."
                    .to_owned(),
            ]),
        ]
        .map(|(number, title, paragraphs)| Chapter { number, title, paragraphs })
        .to_vec()
    }

    fn moment(&self, at: Timestamp) -> String {
        let zone = &self.state.facts.zone;
        format!("{} {}", words::moment(at, zone), zone.local(at).year())
    }

    /// Acts on this finding that had an effect.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        let finding = self.case.finding;
        self.state
            .steps
            .iter()
            .filter(move |step| step.finding == Some(finding) && step.refused.is_none())
    }

    /// Acts about no finding that fell into the days of the incident.
    fn around(&self, act: &str) -> Vec<String> {
        let span = self.incident.when.span;
        let (from, to) = (shifted(span.from, -DAY_S), shifted(span.to, 7.0 * DAY_S));
        self.state
            .steps
            .iter()
            .filter(|step| step.act == act && step.refused.is_none())
            .filter(|step| from <= step.received && step.received < to)
            .map(|step| {
                format!("{}: {} (entry {})", self.moment(step.received), step.words, step.entry)
            })
            .collect()
    }

    fn reference(&self) -> Vec<String> {
        let case = self.case;
        let dated = match (&case.published, &case.decision) {
            (Some((entry, at)), _) => format!("Published {} (entry {entry}).", self.moment(*at)),
            (None, Some(decision)) => {
                format!("Decided {}; not published.", self.moment(decision.at))
            }
            (None, None) => "Not decided, not published: a draft.".to_owned(),
        };
        let reading = if case.reading.is_empty() {
            String::new()
        } else {
            format!(", under the reading \u{201c}{}\u{201d}", case.reading)
        };
        vec![
            format!("Finding {}, incident {}.", case.finding, case.incident),
            format!("Agreement {}, provision {}{reading}.", self.finding.agreement, case.provision),
            dated,
            if case.published.is_some() {
                "For publication, without exact places.".to_owned()
            } else {
                "Internal to the mission until it is published.".to_owned()
            },
        ]
    }

    fn summary(&self) -> Vec<String> {
        let incident = self.incident;
        let case = self.case;
        vec![
            format!(
                "{} ({}), {}, between {} and {}.",
                words::sentence(incident.class().title()),
                incident.class(),
                incident.place_name,
                self.moment(incident.when.span.from),
                self.moment(incident.when.span.to)
            ),
            format!(
                "Status: {}. Standard of proof reached: {}.",
                case.status.words(),
                case.standard
            ),
            // Never in one sentence (ICD 203).
            format!("Likelihood that it took place: {}.", likelihood_in_all(case.likelihood)),
            format!("Confidence in that basis: {}.", confidence_in_all(case.confidence)),
            format!("Attribution: {}.", case.attribution_words()),
        ]
    }

    fn mandate(&self) -> Vec<String> {
        let mut lines =
            vec![format!("Under {} ({}).", self.around.agreement, self.finding.agreement)];
        if let Some((title, text)) = self.around.provisions.get(&self.case.provision) {
            lines.push(format!("Provision {}: {title}.", self.case.provision));
            let text: Vec<&str> = text.split_whitespace().collect();
            if !text.is_empty() {
                lines.push(format!("Its wording, as the package has it: {}", text.join(" ")));
            }
        }
        lines
    }

    fn allegation(&self) -> Vec<String> {
        let mut lines = or_nothing(
            self.around("allegation"),
            "No party alleged anything in these days; the incident came from the mission's sources.",
        );
        lines.push(
            "Allegations are counted apart and fill no slot of the structure rule.".to_owned(),
        );
        lines
    }

    fn investigation(&self) -> Vec<String> {
        let mut people: BTreeMap<(&str, &str, &str), (Timestamp, Timestamp)> = BTreeMap::new();
        for step in self.steps() {
            let who = (step.role.as_str(), step.contingent.as_str(), step.person.as_str());
            let span = people.entry(who).or_insert((step.received, step.received));
            span.1 = span.1.max(step.received);
        }
        let mut lines: Vec<String> = people
            .iter()
            .map(|((role, contingent, person), (from, to))| {
                let role = role.replace('_', " ");
                let (from, to) = (self.moment(*from), self.moment(*to));
                let when = if from == to { from } else { format!("{from} to {to}") };
                format!("{role} {person} of {contingent}: {when}.")
            })
            .collect();
        for step in self.steps().filter(|step| step.act == "task") {
            lines.push(format!("{} (entry {}).", words::sentence(&step.words), step.entry));
        }
        let reports = self.around("field_report");
        lines.extend(reports.iter().map(|line| format!("Field report, {line}.")));
        let obstacles = self.around("restriction");
        if obstacles.is_empty() {
            lines.push("No obstacle to looking is on record in these days.".to_owned());
        }
        lines.extend(obstacles.iter().map(|line| format!("Obstacle, {line}.")));
        lines
    }

    fn sequence(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "The incident lies between {} and {}; clock error {:.0} s.",
            self.moment(self.incident.when.span.from),
            self.moment(self.incident.when.span.to),
            self.incident.when.sigma_s
        )];
        lines.extend(self.steps().map(|step| {
            format!(
                "{}: {} {} (entry {}).",
                self.moment(step.received),
                step.person,
                step.words,
                step.entry
            )
        }));
        lines
    }

    fn findings(&self) -> Vec<String> {
        let case = self.case;
        let mut lines: Vec<String> = Vec::new();
        for (number, line) in (1..).zip(&case.lines) {
            lines.push(format!("7.{number} {line}."));
        }
        let first = lines.len() + 1;
        for (number, member) in (first..).zip(&self.incident.members) {
            lines.push(format!(
                "7.{number} {} by {}{} (entry {}, line {}).",
                words::sentence(member.signature.title()),
                member.source,
                if member.repeat { ", a repeat" } else { "" },
                member.at.entry,
                member.at.line
            ));
        }
        for grade in &case.grades {
            lines.push(format!(
                "Source {}: reliability {} ({}), {} of {} decided findings confirmed.",
                grade.source,
                grade.reliability,
                admiralty(grade.reliability, "en").unwrap_or_default(),
                grade.confirmed,
                grade.confirmed + grade.refuted
            ));
        }
        if let Some((entry, credibility)) = case.credibility {
            let figure = char::from_digit(credibility.into(), 10).unwrap_or('6');
            lines.push(format!(
                "Information: credibility {figure} ({}), graded in entry {entry}.",
                admiralty(figure, "en").unwrap_or_default()
            ));
        }
        lines
    }

    fn analysis(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .finding
            .elements
            .iter()
            .map(|element| match &element.met {
                Met::Probably(p) => {
                    format!("Element \u{201c}{}\u{201d}: {}.", element.name, words::probability(*p))
                }
                Met::Unknown { because } => {
                    format!("Element \u{201c}{}\u{201d}: unknown ({because}).", element.name)
                }
            })
            .collect();
        for other in &self.incident.alternatives {
            lines.push(format!(
                "Alternative {} ({}): {}.",
                other.class.title(),
                other.class,
                other.because
            ));
        }
        for check in &self.case.checks {
            let mark = if check.holds { "holds" } else { "does not hold" };
            let entries: Vec<String> = check.entries.iter().map(ToString::to_string).collect();
            let entries = if entries.is_empty() {
                String::new()
            } else {
                format!(" (entries {})", words::list(&entries))
            };
            lines.push(format!(
                "Check {} {}: {mark}. {}{entries}.",
                check.number,
                check.name,
                words::sentence(&check.says)
            ));
        }
        // Other provisions that the same incident is held against.
        let others: Vec<String> = self
            .state
            .cases
            .iter()
            .filter(|one| one.incident == self.case.incident && one.status == Status::Verified)
            .map(|one| one.provision.clone())
            .collect();
        lines.push(if others.is_empty() {
            "No provision is found breached by this incident.".to_owned()
        } else {
            format!("Provisions found breached by this incident: {}.", words::list(&others))
        });
        lines
    }

    fn conclusion(&self) -> Vec<String> {
        let case = self.case;
        let ruling = match (&case.decision, &case.retracted, case.status) {
            (_, Some((entry, _, reason)), _) => {
                format!("Retracted in entry {entry}: {reason}.")
            }
            (Some(_), None, Status::ReviewDue) => format!(
                "It was found a violation; that {}. It has to be looked at again.",
                if case.doubt.is_empty() { "does not stand" } else { &case.doubt }
            ),
            (Some(decision), None, _) => match decision.ruling {
                Ruling::Verified => "Violation.".to_owned(),
                Ruling::Refuted => "Not a violation.".to_owned(),
                Ruling::CannotRule => format!(
                    "Inconclusive{}.",
                    decision.reason.map_or(String::new(), |code| format!(": {}", code.words()))
                ),
            },
            (None, None, _) => "No conclusion yet: two verifiers have not ruled.".to_owned(),
        };
        let mut lines = vec![ruling];
        match case.public_attribution() {
            Some(one) => {
                let actor = one.actor.as_deref().map_or(String::new(), |who| format!(" to {who}"));
                lines.push(format!(
                    "{}{actor}; P(actor) {}, published in entry {}.",
                    words::sentence(one.grade.words()),
                    words::probability(one.probability),
                    one.published.unwrap_or_default()
                ));
                lines.extend(one.lines.iter().map(|line| format!("It rests on: {line}.")));
                for (signer, words) in &one.dissent {
                    lines.push(format!("Dissent of the panel ({}): {words}.", signer.contingent));
                }
            }
            None => {
                lines.push(format!("Attribution: {}. Nobody is named.", case.attribution_words()));
            }
        }
        if let Some(decision) = &case.decision {
            for (signer, words) in &decision.dissent {
                lines.push(format!("Dissent of a verifier ({}): {words}.", signer.contingent));
            }
        }
        lines
    }

    fn recommendations(&self) -> Vec<String> {
        let Some(consequence) = &self.case.consequence else {
            return vec!["None: there is no verified finding to follow from.".to_owned()];
        };
        let mut lines: Vec<String> = consequence
            .asked
            .iter()
            .map(|(entry, of, what)| format!("Asked of {of}: {what} (entry {entry})."))
            .collect();
        lines.push(match &consequence.outcome {
            Some((entry, outcome, reason)) => {
                format!("Outcome: {outcome}, {reason} (entry {entry}).")
            }
            None => format!("An outcome is due by {}.", self.moment(consequence.due)),
        });
        lines
    }

    fn responses(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for notice in &self.case.notices {
            lines.push(format!(
                "{} was asked (entry {}): {}. Window until {}.",
                notice.party,
                notice.entry,
                notice.questions.join(" / "),
                self.moment(notice.due)
            ));
            if notice.replies.is_empty() {
                lines.push(format!("{} has not replied.", notice.party));
            }
            for reply in &notice.replies {
                let late = if reply.late_s > 0 {
                    format!("late by {} min", (reply.late_s + 59) / 60)
                } else {
                    "in time".to_owned()
                };
                for (index, point) in reply.points.iter().enumerate() {
                    let answer = reply.answers.get(index).map_or_else(
                        || "not answered yet".to_owned(),
                        |answer| format!("answer: {answer}"),
                    );
                    lines.push(format!(
                        "{} replied ({late}, entry {}): {point} \u{2013} {answer}.",
                        notice.party, reply.entry
                    ));
                }
            }
        }
        or_nothing(lines, "No party has been asked yet.")
    }

    fn record(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "Record of {} entries, state digest {}.",
                self.around.entries, self.around.digest
            ),
            format!("Engine version {}.", self.state.facts.engine),
        ];
        for one in &self.case.corrections {
            lines.push(format!(
                "Correction in entry {}: {} is {}, not {} ({}).",
                one.entry, one.field, one.is, one.was, one.reason
            ));
        }
        let refused = self
            .state
            .steps
            .iter()
            .filter(|step| step.finding == Some(self.case.finding) && step.refused.is_some())
            .count();
        if refused > 0 {
            lines.push(format!(
                "{} on this finding broke a rule and had no effect; `truceline case steps` lists them.",
                words::sentence(&words::count(refused as u64, "entry", "entries"))
            ));
        }
        lines
    }
}
