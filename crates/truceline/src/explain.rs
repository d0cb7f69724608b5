//! An explanation for people and for programs: from a figure to its rows.

use std::fmt::Write as _;

use domain::finding::Met;
use domain::{Incident, State};
use mission::explain::{Answer, Row};
use publish::Counted;
use serde_json::{Value, json};

/// For people.
pub(crate) fn text(answer: &Answer) -> String {
    let mut text = String::new();
    if let Some(incident) = &answer.incident {
        describe(&mut text, &answer.state, incident);
    }
    let _ = writeln!(text, "{} in record order:", rows_counted(answer.rows.len()));
    for (number, row) in (1..).zip(&answer.rows) {
        describe_row(&mut text, number, row);
    }
    text
}

fn rows_counted(count: usize) -> String {
    if count == 1 { "One row".to_owned() } else { format!("{count} rows") }
}

fn describe(text: &mut String, state: &State, incident: &Incident) {
    let zone = &state.facts.zone;
    let classes: Vec<String> = incident
        .classes
        .iter()
        .map(|share| format!("{} {} {:.2}", share.class, share.class.title(), share.share.get()))
        .collect();
    let _ = writeln!(text, "incident   {}", incident.id);
    let _ = writeln!(text, "class      {}", classes.join(", "));
    let span = incident.when.span;
    let (from, to) = (zone.local(span.from), zone.local(span.to));
    let _ = writeln!(
        text,
        "when       {} to {} ({}), counted on {}",
        from.strftime("%Y-%m-%d %H:%M"),
        to.strftime("%Y-%m-%d %H:%M"),
        zone.name(),
        state.day_of(incident)
    );
    let radius_km = incident.place.radius_m() / 1000.0;
    let _ = writeln!(text, "where      {}, within {radius_km:.1} km", incident.place_name);
    let _ = writeln!(
        text,
        "rests on   {}: {} from {}",
        incident.basis().title(),
        if incident.origins == 1 {
            "one origin".to_owned()
        } else {
            format!("{} origins", incident.origins)
        },
        incident.groups.join(", ")
    );
    let _ = writeln!(text, "status     {}", incident.status.code());
    describe_particulars(text, incident);
    for remark in &incident.remarks {
        let _ = writeln!(text, "remark     {remark}");
    }
    for other in &incident.alternatives {
        let _ =
            writeln!(text, "or else    {} {}: {}", other.class, other.class.title(), other.because);
    }
    for other in &incident.may_be_same_as {
        let _ = writeln!(
            text,
            "may be     {}, which is placed more exactly: P {:.3}",
            other.incident,
            other.probability.get()
        );
    }
    describe_belief(text, incident);
    for finding in Counted::new(state).findings(incident) {
        let elements: Vec<String> = finding
            .elements
            .iter()
            .map(|element| match &element.met {
                Met::Probably(p) => format!("{} {:.2}", element.name, p.get()),
                Met::Unknown { because } => format!("{} unknown ({because})", element.name),
            })
            .collect();
        let _ = writeln!(
            text,
            "provision  {}: {} - together {:.2}{}",
            publish::counts::provision_name(finding),
            elements.join(", "),
            finding.fit.get(),
            if finding.incomplete { " at most" } else { "" }
        );
    }
    text.push('\n');
}

/// Weapon, height and notification, where the evidence tells them.
fn describe_particulars(text: &mut String, incident: &Incident) {
    let told = &incident.particulars;
    if let Some(weapon) = &told.weapon {
        let kind = weapon.kind.map(|kind| format!("{kind:?}").to_lowercase());
        let calibre = weapon.calibre_mm.map(|mm| format!("{mm} mm"));
        let words: Vec<String> =
            [weapon.system.clone(), kind, calibre].into_iter().flatten().collect();
        let _ = writeln!(text, "weapon     {}", words.join(", "));
    }
    if let Some((height, sigma)) = told.height_m {
        let _ = writeln!(text, "height     {height:.0} m above ground, known to {sigma:.0} m");
    }
    if let Some(notified) = told.notified {
        let _ = writeln!(text, "notified   {}", if notified { "yes" } else { "no" });
    }
}

/// How the probability came about, step by step.
fn describe_belief(text: &mut String, incident: &Incident) {
    let belief = &incident.belief;
    let _ = writeln!(
        text,
        "believed   {} that it took place, {} that it is none of the others (priors {}, {}; {})",
        publish::words::probability(belief.probability),
        publish::words::probability(belief.distinct),
        belief.priors,
        belief.regime,
        calibrated(&belief.calibrated_on)
    );
    for reason in &belief.reasons {
        let _ = writeln!(text, "           {:+7.2}  {}", reason.log_odds, reason.what);
    }
}

/// Whether a probability follows from declared ratios alone.
fn calibrated(on: &str) -> String {
    if on.is_empty() {
        "declared, not calibrated".to_owned()
    } else {
        format!("calibrated on {on}")
    }
}

fn describe_row(text: &mut String, number: usize, row: &Row) {
    let observation = &row.observation;
    let _ = writeln!(
        text,
        "{number:4}  {}  {}, line {} (entry {})",
        row.fate.observation, row.file, row.line, row.fate.at.entry
    );
    let span = observation.when.interval();
    let time = if span.from == span.to {
        span.from.to_string()
    } else {
        format!("{} to {}", span.from, span.to)
    };
    let _ = writeln!(text, "      {}, {}, {time}", row.fate.source, observation.signature.title());
    if let Some(words) = &observation.text {
        let _ = writeln!(text, "      \u{201c}{words}\u{201d}");
    } else if !row.raw.is_empty() {
        let _ = writeln!(text, "      {}", row.raw);
    }
    let _ = match &row.fate.incident {
        Some(incident) => writeln!(text, "      -> {incident}: {}", row.fate.words),
        None => writeln!(text, "      -> {}", row.fate.words),
    };
}

/// For programs.
pub(crate) fn json(answer: &Answer) -> Value {
    let rows: Vec<Value> = answer
        .rows
        .iter()
        .map(|row| {
            json!({
                "observation": row.fate.observation,
                "source": row.fate.source,
                "day": row.fate.day,
                "file": row.file,
                "blob": row.blob,
                "line": row.line,
                "entry": row.fate.at.entry,
                "line_of_entry": row.fate.at.line,
                "raw": row.raw,
                "observed": row.observation,
                "outcome": row.fate.words,
                "incident": row.fate.incident,
            })
        })
        .collect();
    let findings = answer
        .incident
        .as_ref()
        .map(|incident| json!(Counted::new(&answer.state).findings(incident)));
    json!({ "incident": answer.incident, "findings": findings, "rows": rows })
}
