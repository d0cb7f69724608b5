//! Files of priors: read with every field checked, and written anew with another
//! calibration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::Class;
use serde::Deserialize;
use strict::{Diagnostic, Step, Text};

use crate::calibration::{Calibration, Group};
use crate::prior::{Confusion, Regime, SourceModel};

/// The priors that come with the program: first those that hold where a case
/// names none, then those calibrated on the exercise, which hold for it alone.
pub const PRIORS: [(&str, &str); 2] = [
    ("2026-11", include_str!("../priors/2026-11.toml")),
    ("exercise-2026-11", include_str!("../priors/exercise-2026-11.toml")),
];

/// Length of a version, bytes.
const VERSION_MAX: usize = 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub version: String,
    pub spread_m: f64,
    pub lasting_s: f64,
    pub near_line_m: f64,
    pub settled: f64,
    pub regime: Vec<Regime>,
    pub kind: Vec<SourceModel>,
    pub confusion: Confusion,
    pub shares: BTreeMap<String, f64>,
    #[serde(default)]
    pub calibration: Calibration,
}

/// The priors that hold where a case names none.
pub fn current() -> Text {
    let (name, text) = PRIORS[0];
    Text::new(format!("built-in priors {name}"), text)
}

/// Reads a file of priors.
///
/// # Errors
/// A field that is missing, unknown, or has a value that cannot be: with its place.
pub(crate) fn parse(text: &Text) -> Result<File, Diagnostic> {
    let file: File = text.parse()?;
    let check = Check(text);
    if !is_version(&file.version) {
        return Err(check.wrong(&[Step::Key("version")], VERSION_HELP));
    }
    for (key, value) in
        [("spread_m", file.spread_m), ("lasting_s", file.lasting_s), ("settled", file.settled)]
    {
        check.above_0(&[Step::Key(key)], value)?;
    }
    check.not_below_0(&[Step::Key("near_line_m")], file.near_line_m)?;
    check.regimes(&file.regime)?;
    let mut kinds = BTreeSet::new();
    for (n, model) in file.kind.iter().enumerate() {
        check.model(n, model)?;
        if !kinds.insert(model.kind) {
            let way = [Step::Key("kind"), Step::At(n), Step::Key("kind")];
            return Err(check.wrong(&way, "this kind is there twice; keep one"));
        }
    }
    let Confusion { right, undetermined } = file.confusion;
    for (key, value) in [("right", right), ("undetermined", undetermined)] {
        let way = [Step::Key("confusion"), Step::Key(key)];
        if !(value > 0.0 && value < 1.0 && right + undetermined < 1.0) {
            return Err(check.wrong(&way, "both lie above 0, and their sum below 1"));
        }
    }
    for (code, share) in &file.shares {
        let way = [Step::Key("shares"), Step::Key(code)];
        if code != "other" && code.parse::<Class>().is_err() {
            return Err(check.wrong(&way, "write a class, such as A4, or `other`"));
        }
        if !(*share > 0.0 && *share < 1.0) {
            return Err(check.wrong(&way, "a share lies between 0 and 1"));
        }
    }
    if !file.shares.contains_key("other") {
        return Err(check
            .wrong(&[Step::Key("shares")], "`other` is missing: the share of what is not listed"));
    }
    for (n, group) in file.calibration.group.iter().enumerate() {
        check.group(n, group, &file.calibration.group[..n])?;
    }
    Ok(file)
}

const VERSION_HELP: &str = "a version is 1 to 60 letters, digits, `-`, `_` and `.`";

/// Whether a text may be the version of priors.
pub fn is_version(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=VERSION_MAX).contains(&text.len()) && text.chars().all(fine)
}

struct Check<'a>(&'a Text);

impl Check<'_> {
    fn wrong(&self, way: &[Step<'_>], help: &str) -> Diagnostic {
        let name = way.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(*key),
            Step::At(_) => None,
        });
        let message = format!("`{}` is not as it must be", name.unwrap_or("this"));
        match self.0.span_of(way) {
            Some(span) => self.0.error(span, message, help),
            None => self.0.error_anywhere(message, help),
        }
    }

    fn above_0(&self, way: &[Step<'_>], value: f64) -> Result<(), Diagnostic> {
        let fine = value > 0.0 && value.is_finite();
        if fine { Ok(()) } else { Err(self.wrong(way, "give a number above 0")) }
    }

    fn not_below_0(&self, way: &[Step<'_>], value: f64) -> Result<(), Diagnostic> {
        let fine = value >= 0.0 && value.is_finite();
        if fine { Ok(()) } else { Err(self.wrong(way, "give 0 or a number above it")) }
    }

    /// Exactly the two that the engine knows: the prior of war cannot be left
    /// standing where a truce is in force.
    fn regimes(&self, regimes: &[Regime]) -> Result<(), Diagnostic> {
        let mut ids: Vec<&str> = regimes.iter().map(|regime| regime.id.as_str()).collect();
        ids.sort_unstable();
        if ids != ["no_truce", "truce"] {
            let help = "there are two regimes, with the ids `no_truce` and `truce`";
            return Err(self.wrong(&[Step::Key("regime")], help));
        }
        for (n, regime) in regimes.iter().enumerate() {
            for (key, value) in [("near", regime.near), ("far", regime.far)] {
                self.above_0(&[Step::Key("regime"), Step::At(n), Step::Key(key)], value)?;
            }
        }
        Ok(())
    }

    fn model(&self, n: usize, model: &SourceModel) -> Result<(), Diagnostic> {
        let way = |key| [Step::Key("kind"), Step::At(n), Step::Key(key)];
        for (key, value) in [
            ("reports", model.reports),
            ("false_near", model.false_near),
            ("false_far", model.false_far),
        ] {
            self.above_0(&way(key), value)?;
        }
        for (key, value) in
            [("place_error_m", model.place_error_m), ("time_error_s", model.time_error_s)]
        {
            self.not_below_0(&way(key), value)?;
        }
        if !(0.0..=1.0).contains(&model.again) {
            return Err(self.wrong(&way("again"), "an exponent from 0 to 1"));
        }
        if !(0.0..1.0).contains(&model.sees) {
            return Err(self.wrong(&way("sees"), "a probability from 0 to below 1"));
        }
        Ok(())
    }

    fn group(&self, n: usize, group: &Group, before: &[Group]) -> Result<(), Diagnostic> {
        let way = |key| [Step::Key("calibration"), Step::Key("group"), Step::At(n), Step::Key(key)];
        if group.rests_on.is_empty() || !group.rests_on.is_sorted_by(|a, b| a < b) {
            let help = "name kinds of sources, each once, in the order of the vocabulary: satellite, acoustic, ...";
            return Err(self.wrong(&way("rests_on"), help));
        }
        if before.iter().any(|other| other.rests_on == group.rests_on) {
            return Err(self.wrong(&way("rests_on"), "the same rest is there twice; keep one"));
        }
        if !group.shift.is_finite() {
            return Err(self.wrong(&way("shift"), "give a number"));
        }
        // Below or at 0, more evidence would mean less belief.
        self.above_0(&way("scale"), group.scale)?;
        if group.ceiling > 0.0 && group.ceiling <= 1.0 {
            return Ok(());
        }
        Err(self.wrong(&way("ceiling"), "a probability above 0, up to 1"))
    }
}

/// Begins the comment above a calibration.
const MARK: &str = "# Calibration:";

/// The lines of a file of priors without its calibration, each with whether it
/// holds the version.
fn lines_but_calibration(text: &str) -> Vec<(&str, bool)> {
    let (mut top, mut calibration) = (true, false);
    let mut kept = Vec::new();
    for line in text.lines() {
        let start = line.trim_start();
        if start.starts_with('[') {
            top = false;
            calibration = start.starts_with("[calibration") || start.starts_with("[[calibration");
        } else if start.starts_with(MARK) {
            calibration = true;
        }
        if !calibration {
            let value = start.strip_prefix("version").map(str::trim_start);
            kept.push((line, top && value.is_some_and(|rest| rest.starts_with('='))));
        }
    }
    while kept.last().is_some_and(|(line, _)| line.trim().is_empty()) {
        kept.pop();
    }
    kept
}

/// What of a file of priors decides what reasons add up to: its text without
/// version, calibration, comments and blank lines.
pub fn declared(text: &str) -> String {
    lines_but_calibration(text)
        .into_iter()
        .filter(|(line, version)| !version && !line.trim().is_empty())
        .filter(|(line, _)| !line.trim_start().starts_with('#'))
        .map(|(line, _)| format!("{line}\n"))
        .collect()
}

/// The same declared priors with another version and calibration, as a whole
/// file. What was calibrated before is replaced.
///
/// # Errors
/// If what comes out cannot be read: the version, or the layout of the file, is
/// not as it must be.
pub fn rewritten(
    text: &Text,
    version: &str,
    calibration: &Calibration,
) -> Result<String, Diagnostic> {
    let mut written = String::new();
    for (line, is_version) in lines_but_calibration(text.content()) {
        if is_version {
            let _ = writeln!(written, "version = {version:?}");
        } else {
            let _ = writeln!(written, "{line}");
        }
    }
    let _ = writeln!(
        written,
        "\n{MARK} what reasons add up to, l, becomes the probability\n\
         # ceiling / (1 + exp(-(shift + scale l))), by what an incident rests on. Fitted by `truceline calibrate --incidents`, by incidents that were\n\
         # held against the truth of exercises (`made_up`) or ruled on by officers (`reviewed`).\n\
         # What is not listed stays as declared.\n\
         [calibration]\nmissions = {:?}",
        calibration.missions
    );
    for Group { rests_on, shift, scale, ceiling, made_up, reviewed } in &calibration.group {
        let kinds: Vec<&str> = rests_on.iter().map(|kind| kind.code()).collect();
        let _ = writeln!(
            written,
            "\n[[calibration.group]]\nrests_on = {kinds:?}\nshift = {shift:?}\nscale = {scale:?}\nceiling = {ceiling:?}\nmade_up = {made_up}\nreviewed = {reviewed}"
        );
    }
    let text = Text::new("the new priors", written);
    let read = parse(&text)?;
    if (&read.calibration, read.version.as_str()) != (calibration, version) {
        let help = "write the version on a line of its own, and [calibration] at the end";
        return Err(text.error_anywhere("the file that was given has an unusual layout", help));
    }
    Ok(text.content().to_owned())
}

#[cfg(test)]
mod tests {
    use domain::SourceKind::{Press, Satellite};

    use super::*;

    fn calibration() -> Calibration {
        let group = |rests_on, shift| Group {
            rests_on,
            shift,
            scale: 0.5,
            ceiling: 0.9,
            made_up: 40,
            reviewed: 0,
        };
        Calibration {
            missions: vec!["exercise-1".to_owned()],
            group: vec![group(vec![Press], -1.25), group(vec![Satellite, Press], 0.0)],
        }
    }

    #[test]
    fn the_built_in_priors_are_sound() {
        for (name, text) in PRIORS {
            assert_eq!(parse(&Text::new(name, text)).unwrap().version, name);
        }
    }

    #[test]
    fn a_file_is_written_anew_and_again_with_all_its_comments() {
        let once = rewritten(&current(), "next-1", &calibration()).unwrap();
        let read = parse(&Text::new("once", once.clone())).unwrap();
        assert_eq!((read.version.as_str(), &read.calibration), ("next-1", &calibration()));
        assert!(once.contains("# A party's allegations weigh little"));
        let twice = rewritten(&Text::new("once", once.clone()), "next-1", &calibration()).unwrap();
        assert_eq!(once, twice);
        assert_eq!(declared(&once), declared(current().content()));
        assert_eq!(declared(PRIORS[1].1), declared(PRIORS[0].1), "only calibrated");
        let other = once.replace("settled = 10.0", "settled = 11.0");
        assert_ne!(declared(&other), declared(&once));
    }

    #[test]
    fn a_wrong_field_is_told_with_its_place() {
        let good = rewritten(&current(), "next-1", &calibration()).unwrap();
        for (from, to, line_has) in [
            ("reports = 1.0", "reports = -1.0", "reports = -1.0"),
            ("reports = 1.0", "reports = nan", "reports = nan"),
            ("sees = 0.5", "sees = 1.0", "sees = 1.0"),
            ("again = 0.3", "again = 1.5", "again = 1.5"),
            ("kind = \"seismic\"", "kind = \"acoustic\"", "kind = \"acoustic\""),
            ("id = \"truce\"", "id = \"peace\"", "[[regime]]"),
            ("A9 = 0.3", "Q9 = 0.3", "Q9 = 0.3"),
            ("other = 0.04", "C2 = 0.04", "[shares]"),
            ("right = 0.75", "right = 0.95", "right = 0.95"),
            ("settled = 10.0", "settled = inf", "settled = inf"),
            ("version = \"next-1\"", "version = \"\"", "version = \"\""),
            ("scale = 0.5", "scale = 0.0", "scale = 0.0"),
            ("ceiling = 0.9", "ceiling = 1.1", "ceiling = 1.1"),
            ("shift = -1.25", "shift = nan", "shift = nan"),
            ("[\"press\"]", "[]", "rests_on = []"),
            ("[\"press\"]", "[\"satellite\", \"press\"]", "rests_on"),
            ("[\"satellite\", \"press\"]", "[\"press\", \"satellite\"]", "rests_on"),
            ("spread_m", "spread_km", "spread_km"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let Err(error) = parse(&Text::new("p.toml", bad.clone())) else {
                panic!("{to} was taken");
            };
            let line = bad.lines().nth(error.line.wrapping_sub(1)).unwrap_or_default();
            assert!(line.contains(line_has), "{to}: {error}");
        }
    }
}
