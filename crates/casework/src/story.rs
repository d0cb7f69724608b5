//! Acts and cases in plain words.

use domain::Id;
use domain::case::{Case, Step};
use domain::obligation::Response;

use crate::act::{Act, Release, Triage};
use crate::words;

/// One act, as the second half of a sentence whose subject is the person.
pub fn words(act: &Act) -> String {
    let release = |what: &Release| match what {
        Release::Finding => "the finding",
        Release::Attribution => "the attribution",
    };
    match act {
        Act::Lease { until } => format!("takes it to work on until {until}"),
        Act::Triage { severity, outcome, note } => {
            let outcome = match outcome {
                Triage::Proceed => "work goes on",
                Triage::SetAside => "set aside",
            };
            noted(format!("triage: {} ({}), {outcome}", severity.code(), severity.title()), note)
        }
        Act::Task { what, due } => format!("asks for: {what} (by {due})"),
        Act::Corroborate { observations, note } => {
            noted(format!("finds that {} corroborate one another", count(observations)), note)
        }
        Act::Grade { credibility, note } => noted(
            format!("grades the information {credibility}: {}", credible(*credibility, "en")),
            note,
        ),
        Act::Assess { alternatives, at_most, note } => {
            let list: Vec<String> = alternatives
                .iter()
                .map(|one| format!("{} at {:.2}", one.name, one.probability.get()))
                .collect();
            let cap =
                at_most.map_or(String::new(), |p| format!(", the event at most {:.2}", p.get()));
            noted(format!("assesses {}{cap}", list.join(", ")), note)
        }
        Act::Link { observations, because } => {
            format!("finds one origin behind {}: {because}", count(observations))
        }
        Act::Flag { observation, flaw, note } => {
            format!("flags {observation} ({flaw:?}): {note}").to_lowercase()
        }
        Act::Calibrate { classes, error, cases, .. } => {
            let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
            format!(
                "states the calibration of {}: {error:.3} over {cases} cases",
                classes.join(", ")
            )
        }
        Act::Elements { answers, note } => {
            let list: Vec<String> = answers
                .iter()
                .map(|(name, answer)| format!("{name} {}", format!("{answer:?}").to_lowercase()))
                .collect();
            noted(format!("answers the elements: {}", list.join(", ")), note)
        }
        Act::Notice { party, questions } => {
            format!("gives notice to {party}: {}", questions.join(" / "))
        }
        Act::Reply { points, .. } => format!("replies: {}", points.join(" / ")),
        Act::AnswerPoints { reply, answers } => {
            format!("answers the reply in entry {reply}: {}", answers.join(" / "))
        }
        Act::Seal { round, .. } => {
            format!("seals a ruling (round {round}); nobody can read it yet")
        }
        Act::Rule { ruling, reason, note, .. } => {
            let reason = reason.map_or(String::new(), |code| format!(", {}", code.words()));
            noted(format!("opens the ruling: {ruling}{reason}"), note)
        }
        // The actor is in the attribution object and nowhere else.
        Act::Attribute { grade, .. } => format!("proposes an attribution: {}", grade.words()),
        Act::Endorse { attribution, dissent: None } => {
            format!("signs the attribution in entry {attribution}")
        }
        Act::Endorse { attribution, dissent: Some(words) } => {
            format!("dissents from the attribution in entry {attribution}: {words}")
        }
        Act::Approve { what } => format!("approves the release of {}", release(what)),
        Act::Publish { what } => format!("publishes {}", release(what)),
        Act::Veto { what, reason } => format!("stops the release of {}: {reason}", release(what)),
        Act::Correct { field, was, is, reason } => {
            format!("corrects {field} from `{was}` to `{is}`: {reason}")
        }
        Act::Retract { reason } => format!("retracts the finding: {reason}"),
        Act::Ask { of, action, due } => format!("asks {of}: {action} (by {due})"),
        Act::Outcome { outcome, reason } => {
            format!("closes the consequence ({outcome:?}): {reason}").to_lowercase()
        }
        Act::Archive => "archives the case".to_owned(),
        Act::FieldReport { report, text, .. } => {
            format!("commits the field report {report} ({} bytes)", text.len())
        }
        Act::EditReport { report, reason, .. } => {
            format!("edits the field report in entry {report}: {reason}")
        }
        Act::Restriction { party, place, minutes, claimed_reason, .. } => {
            format!(
                "was kept from looking by {party} at {place} for {minutes} min: {claimed_reason}"
            )
        }
        Act::Allegation { party, conduct, .. } => format!("{party} alleges: {conduct}"),
        Act::Witness { size, .. } => format!("cosigns the record at {size} entries"),
        Act::Obligation { obligation, response, note } => {
            let verb = match response {
                Response::Acknowledge => "acknowledges",
                Response::UnderWay => "reports under way",
                Response::Fulfil => "reports fulfilled",
                Response::Decline => "declines",
            };
            noted(format!("{verb} the obligation {obligation}"), note)
        }
        Act::Countersign { person, role, .. } => {
            format!("countersigns the key of {person} as {}", role.title())
        }
    }
}

fn credible(credibility: u8, language: &str) -> &'static str {
    let figure = char::from_digit(credibility.into(), 10);
    figure.and_then(|figure| words::admiralty(figure, language)).unwrap_or("no grade")
}

fn noted(words: String, note: &str) -> String {
    if note.is_empty() { words } else { format!("{words}: {note}") }
}

fn count(observations: &[Id]) -> String {
    if observations.len() == 1 {
        "one observation".to_owned()
    } else {
        format!("{} observations", observations.len())
    }
}

/// A case as a story: what was done, in the order of the record, and what it
/// came to.
/// Estimative words are those of a language, where there is a table of it.
pub fn tell(case: &Case, steps: &[Step], language: &str) -> String {
    let mut text = format!(
        "{} on provision {}{}\nstatus      {}{}\n",
        case.finding,
        case.provision,
        if case.reading.is_empty() { String::new() } else { format!(" ({})", case.reading) },
        case.status.words(),
        if case.doubt.is_empty() { String::new() } else { format!("; {}", case.doubt) },
    );
    // Likelihood and confidence stand apart, as ICD 203 asks.
    text.push_str(&format!("likelihood  {}\n", words::likelihood(case.likelihood, language)));
    text.push_str(&format!("confidence  {}\n", words::confidence(case.confidence, language)));
    text.push_str(&format!("standard    {}\n", case.standard));
    for line in &case.lines {
        text.push_str(&format!("line        {line}\n"));
    }
    for grade in &case.grades {
        text.push_str(&format!(
            "source      {}: {} {} ({} of {} decided findings confirmed)\n",
            grade.source,
            grade.reliability,
            words::admiralty(grade.reliability, language).unwrap_or_default(),
            grade.confirmed,
            grade.confirmed + grade.refuted
        ));
    }
    if let Some((entry, credibility)) = case.credibility {
        text.push_str(&format!(
            "information {credibility} {} (entry {entry})\n",
            credible(credibility, language)
        ));
    }
    text.push('\n');
    for step in steps.iter().filter(|step| step.finding == Some(case.finding)) {
        text.push_str(&telling(step));
    }
    for notice in &case.notices {
        for reply in &notice.replies {
            let late = if reply.late_s > 0 {
                format!("LATE by {} min", (reply.late_s + 59) / 60)
            } else {
                "in time".to_owned()
            };
            text.push_str(&format!(
                "\nreply of {} ({late}, due {}): {}\n",
                notice.party,
                notice.due,
                reply.points.join(" / ")
            ));
        }
    }
    text.push_str(&outcome(case));
    text
}

fn telling(step: &Step) -> String {
    let who = if step.person.is_empty() {
        "somebody".to_owned()
    } else {
        format!("{} ({}, {})", step.person, step.role.replace('_', " "), step.contingent)
    };
    let refused = match &step.refused {
        None => String::new(),
        Some((code, why)) => format!("\n        NO EFFECT [{code}]: {why}"),
    };
    format!("{:>6}  {}  {who} {}{refused}\n", step.entry, step.received, step.words)
}

fn outcome(case: &Case) -> String {
    let mut text = String::new();
    if let Some(decision) = &case.decision {
        let reason = decision.reason.map_or(String::new(), |code| format!(" ({})", code.words()));
        text.push_str(&format!(
            "\ndecided     {}{reason} in entry {}\n",
            decision.ruling, decision.entry
        ));
        for (signer, words) in &decision.dissent {
            text.push_str(&format!(
                "dissent     {} ({}): {words}\n",
                signer.person, signer.contingent
            ));
        }
    }
    match case.public_attribution() {
        Some(one) => text.push_str(&format!(
            "attribution {}{}, published in entry {}\n",
            one.grade.words(),
            one.actor.as_ref().map_or(String::new(), |actor| format!(" {actor}")),
            one.published.unwrap_or_default()
        )),
        None => text.push_str(&format!("attribution {}\n", case.attribution_words())),
    }
    if let Some(one) = &case.attribution
        && case.public_attribution().is_some()
    {
        for (signer, words) in &one.dissent {
            text.push_str(&format!(
                "dissent     {} ({}): {words}\n",
                signer.person, signer.contingent
            ));
        }
    }
    for one in &case.corrections {
        text.push_str(&format!(
            "correction  {}: `{}` is `{}` ({})\n",
            one.field, one.was, one.is, one.reason
        ));
    }
    if let Some((entry, at, reason)) = &case.retracted {
        text.push_str(&format!("retracted   {at} in entry {entry}: {reason}\n"));
    }
    text
}

/// The ten checks as lines of text.
pub fn checks(case: &Case) -> String {
    let mut text = String::new();
    for check in &case.checks {
        let mark = if check.holds { "holds  " } else { "MISSING" };
        let entries: Vec<String> = check.entries.iter().map(ToString::to_string).collect();
        let entries = match entries.len() {
            0 => String::new(),
            1..=12 => format!("  [entries {}]", entries.join(" ")),
            many => format!("  [entries {} and {} more]", entries[..12].join(" "), many - 12),
        };
        text.push_str(&format!(
            "{:>2} {:<13} {mark}  {}{entries}\n",
            check.number, check.name, check.says
        ));
    }
    text
}
