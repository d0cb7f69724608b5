//! A report as plain text, for a terminal or a message.

use std::fmt::Write as _;

use crate::report::{CountLine, IncidentLine, Report};

/// The report of a day as plain text.
pub fn report_text(report: &Report) -> String {
    let mut text = String::new();
    if report.exercise {
        text.push_str("EXERCISE - made-up data\n");
    }
    let _ = writeln!(text, "DAILY REPORT, {}\n{}\n", report.day, report.case);
    for line in &report.header {
        let _ = writeln!(text, "{line}");
    }
    text.push_str("\nSUMMARY\n");
    for sentence in &report.summary {
        let _ = writeln!(text, "- {sentence}");
    }
    text.push_str("\nINCIDENTS (this day / day before / mean of the baseline)\n");
    for line in report.by_basis.iter().chain(&report.by_class) {
        counts(&mut text, line);
    }
    for (title, lines) in report.tables() {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{title}");
        }
        for line in lines {
            incident(&mut text, line);
        }
    }
    text.push_str("\nEFFORT\n");
    for line in &report.effort {
        let _ = writeln!(
            text,
            "  {}: {}, {}, rows {}{}",
            line.source,
            line.state,
            line.share,
            line.rows,
            if line.outcomes.is_empty() { String::new() } else { format!(" ({})", line.outcomes) }
        );
    }
    for line in &report.unseen {
        let _ = writeln!(text, "  ! {line}");
    }
    for (title, lines) in [
        ("BY DAY AND BY NIGHT (observed hours; count; per 100 observed hours)", &report.light),
        ("SECTORS OF THE MISSION (by their south-western corner)", &report.sectors),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{title}");
        }
        for line in lines {
            let rate = if line.rate.is_empty() { "no rate" } else { &line.rate };
            let _ = writeln!(
                text,
                "  {}, {}: {}; {}; {rate}",
                line.who, line.light, line.hours, line.count
            );
        }
    }
    if !report.restrictions.is_empty() {
        text.push_str("\nRESTRICTIONS OF THE MISSION'S MOVEMENT\n");
    }
    for line in &report.restrictions {
        let _ = writeln!(text, "- {line}");
    }
    text.push_str("\nSIGNATURES (this day / day before / mean of observed days)\n");
    for line in &report.signatures {
        counts(&mut text, line);
    }
    text.push_str("\nSMALL PRINT\n");
    for line in &report.small_print {
        let _ = writeln!(text, "- {line}");
    }
    for (name, value) in &report.provenance {
        let _ = writeln!(text, "{name}: {value}");
    }
    text.push('\n');
    text
}

fn counts(text: &mut String, line: &CountLine) {
    let _ =
        writeln!(text, "  {}: {} / {} / {}", line.name, line.today, line.yesterday, line.baseline);
}

fn incident(text: &mut String, line: &IncidentLine) {
    let _ = writeln!(text, "  {}. {}, {}: {}", line.number, line.time, line.place, line.class);
    let _ = writeln!(text, "     {}; {}; {}", line.id, line.signatures, line.basis);
    for fit in line.fits.iter().chain(&line.people).chain(&line.remarks) {
        let _ = writeln!(text, "     {fit}");
    }
}
