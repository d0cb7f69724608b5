//! `truceline calibrate`: fits the map from evidence to probability, and the
//! size of ellipses, on sets with truth.

mod arrays;
mod globe;
mod incidents;
mod judged;
mod picks;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use associate::kind;
use associate::posterior::Features;
use associate::{Calibration, Event, Model, Pace, Spread};
use clap::Args;

use incidents::Labels;

use super::associate::{How, globe as global, model_of, picks as quakes, run};
use super::truth::{Same, in_errors, matches};
use crate::{Outcome, output};

/// What counts as the same: the rule of the benchmark.
const SAME: Same = Same { s: 1.0, m: 1_500.0 };
/// Events of a set beyond which every set counts alike.
const SET_MAX: f64 = 300.0;

/// Arguments of `truceline calibrate`.
#[derive(Args, Debug)]
pub(crate) struct CalibrateArgs {
    /// Folders with sets of detections and their truth.csv, such as `truceline simulate` makes
    #[arg(long, value_name = "SET", required_unless_present = "incidents", num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// Missions of which it is known what took place: fits the probabilities of incidents
    /// instead, and writes priors
    #[arg(long, value_name = "MISSION", conflicts_with_all = ["data", "model"], num_args = 1..)]
    pub incidents: Vec<PathBuf>,
    /// With --incidents: missions that are not fitted on but show whether the map holds
    #[arg(long, value_name = "MISSION", requires = "incidents", num_args = 1..)]
    pub check: Vec<PathBuf>,
    /// With --incidents: by what it is known what took place (default: the truth of exercises,
    /// the rulings of officers elsewhere, and never both)
    #[arg(long, value_enum, requires = "incidents")]
    pub labels: Option<Labels>,
    /// File for the model, or the priors; the reliability diagram goes beside it, as .svg and .csv
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Model to start from (default: the one built in)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Name of the new model, or version of the priors
    #[arg(long, value_name = "NAME", default_value = "calibrated")]
    pub version: String,
}

/// An event held against the truth.
struct Judged {
    features: Features,
    real: bool,
    weight: f64,
    /// Squared distance from the truth in errors as located.
    off: Option<f64>,
    /// What it was, if that is known.
    kind: Option<String>,
    level_db: f64,
    spacing_s: Option<f64>,
}

/// Fits and writes a model.
pub(crate) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    if !args.incidents.is_empty() {
        return incidents::calibrate(args);
    }
    if args.data.iter().any(|set| global::is_set(set)) {
        return globe::calibrate(args);
    }
    if args.data.iter().any(|set| quakes::is_set(set)) {
        return picks::calibrate(args);
    }
    if args.data.iter().any(|set| arrays::is_set(set)) {
        return arrays::calibrate(args);
    }
    let mut model = model_of(args.model.as_deref())?;
    model.spread = Spread::none();
    let mut judged = Vec::new();
    for set in &args.data {
        let events = events_of(set, &model, Pace::FINAL)?;
        let before = judged.len();
        judge(set, &events, &mut judged)?;
        let real = judged[before..].iter().filter(|j| j.real).count();
        output::line(&format!(
            "{}: {} events, {} of them real",
            set.display(),
            events.len(),
            real
        ))?;
    }
    if judged.len() < 50 {
        bail!("{} events are too few to fit a map; give more sets", judged.len());
    }
    let examples: Vec<_> = judged.iter().map(|j| (j.features, j.real, j.weight)).collect();
    model.calibration = Calibration::fit(&examples, &names_of(&args.data));
    // Ellipses of what is likely are looked at, and have to hold.
    let likely = judged.iter().filter(|j| model.calibration.probability(&j.features) >= 0.5);
    let offs: Vec<_> = likely.filter_map(|j| Some((j.features, j.off?, j.weight))).collect();
    model.spread = Spread::fit(&offs);
    let mut soon = Vec::new();
    for set in &args.data {
        judge(set, &events_of(set, &model, Pace::PRELIMINARY)?, &mut soon)?;
    }
    let stated = |j: &Judged| model.calibration.probability(&j.features);
    let examples: Vec<_> = soon.iter().map(|j| (stated(j), j.real, j.weight)).collect();
    model.preliminary = Model::fit_discount(&examples);
    let of_kinds: Vec<_> = judged
        .iter()
        .filter_map(|j| Some((j.kind.clone()?, j.level_db, j.spacing_s, j.weight)))
        .collect();
    model.kinds = kind::fit(&of_kinds);
    model.version.clone_from(&args.version);
    let stated = judged.iter().map(|j| (model.calibration.probability(&j.features), j.real));
    write_model(&args.out, &model, stated.collect())?;
    Ok(Outcome::Fine)
}

/// What the engine finds in a set at a pace.
fn events_of(set: &Path, model: &Model, pace: Pace) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let how = How { shards: 1, asked: None, pace };
    let ran = run(set, model, how, None, true, &mut |found, _| {
        events.extend_from_slice(found);
        Ok(())
    })?;
    ran.with_context(|| format!("{} could not be read in order", set.display()))?;
    Ok(events)
}

/// Writes a file beside another, with the same name but for its extension.
pub(super) fn write_beside(path: &Path, extension: &str, text: &str) -> Result<()> {
    let path = path.with_extension(extension);
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

/// Holds events against the truth of their set.
fn judge(set: &Path, events: &[Event], out: &mut Vec<Judged>) -> Result<()> {
    let found: Vec<_> = events.iter().map(|e| (e.t_s, e.lat, e.lon)).collect();
    let weight = weight_of(events.len());
    for (e, same) in events.iter().zip(matches(set, &found, SAME)?) {
        // What is put in again looks as real as it once was: not the map's to tell.
        if e.replay.is_some_and(|replay| replay.probability > 0.5) {
            continue;
        }
        out.push(Judged {
            features: e.features,
            real: same.is_some(),
            weight,
            off: same.as_ref().map(|same| in_errors(same.off, e.covariance)),
            kind: same.and_then(|same| same.kind),
            level_db: e.level_db,
            spacing_s: e.spacing_s,
        });
    }
    Ok(())
}

/// Weight of each event of a set: every set counts alike beyond some hundred events.
pub(super) fn weight_of(events: usize) -> f64 {
    (SET_MAX / events.max(1) as f64).min(1.0)
}

/// Names of the sets, for the model to say what it was fitted on.
pub(super) fn names_of(sets: &[PathBuf]) -> String {
    let name = |set: &PathBuf| {
        set.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    sets.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Writes a model and, beside it, how what it states of events compares with whether they are real.
pub(super) fn write_model(
    out: &Path,
    model: &impl serde::Serialize,
    stated: Vec<(f64, bool)>,
) -> Result<()> {
    fs::write(out, output::json(model)?).with_context(|| format!("writing {}", out.display()))?;
    write_table(out, "", stated)
}

/// Writes beside a model how what it states of preliminary events compares with whether
/// they are real.
pub(super) fn write_preliminary(out: &Path, stated: Vec<(f64, bool)>) -> Result<()> {
    output::line("preliminary:")?;
    write_table(out, "preliminary.", stated)
}

fn write_table(out: &Path, of: &str, stated: Vec<(f64, bool)>) -> Result<()> {
    let table = table_of(stated, 15);
    let mut csv = String::from("probability,share_real,events\n");
    for (p, share, n) in &table {
        csv += &format!("{p:.4},{share:.4},{n}\n");
    }
    write_beside(out, &format!("{of}csv"), &csv)?;
    write_beside(out, &format!("{of}svg"), &diagram(&table, None, "events"))?;
    output::print(&csv)
}

/// A line of a reliability table: mean probability, share that was real, and count.
type Point = (f64, f64, usize);

/// The reliability table of so many equal parts.
pub(super) fn table_of(mut list: Vec<(f64, bool)>, parts: usize) -> Vec<Point> {
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    // What is stated alike is alike: otherwise the order of equals would show as
    // an error where they fall into two parts.
    let list: Vec<(f64, f64)> = list
        .chunk_by(|a, b| a.0 == b.0)
        .flat_map(|alike| {
            let real = alike.iter().filter(|one| one.1).count();
            let share = real as f64 / alike.len() as f64;
            alike.iter().map(move |one| (one.0, share))
        })
        .collect();
    let size = list.len().div_ceil(parts).max(1);
    list.chunks(size)
        .map(|part| {
            let n = part.len() as f64;
            (
                part.iter().map(|p| p.0).sum::<f64>() / n,
                part.iter().map(|p| p.1).sum::<f64>() / n,
                part.len(),
            )
        })
        .collect()
}

/// The reliability diagram: stated probability across, share that was real up;
/// with what was stated before, if that is to be compared.
pub(super) fn diagram(table: &[Point], before: Option<&[Point]>, things: &str) -> String {
    let mut drawn = String::new();
    if let Some(before) = before {
        drawn += &curve(before, "#b0703a", things);
        drawn += "<text x=\"52\" y=\"60\" fill=\"#b0703a\">before</text>\n\
            <text x=\"52\" y=\"76\" fill=\"#1f5a8a\">after</text>\n";
    }
    drawn += &curve(table, "#1f5a8a", things);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 400\" font-family=\"sans-serif\" font-size=\"12\">\n\
        <rect x=\"40\" y=\"40\" width=\"320\" height=\"320\" fill=\"none\" stroke=\"#999\"/>\n\
        <line x1=\"40\" y1=\"360\" x2=\"360\" y2=\"40\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n\
        {drawn}\
        <text x=\"200\" y=\"388\" text-anchor=\"middle\">stated probability</text>\n\
        <text x=\"16\" y=\"200\" text-anchor=\"middle\" transform=\"rotate(-90 16 200)\">share that was real</text>\n\
        <text x=\"40\" y=\"374\" text-anchor=\"middle\">0</text><text x=\"360\" y=\"374\" text-anchor=\"middle\">1</text>\n\
        </svg>\n"
    )
}

/// The points of a reliability table and the line through them.
fn curve(table: &[Point], colour: &str, things: &str) -> String {
    let mut line = String::new();
    let mut dots = String::new();
    for (p, share, n) in table {
        let (x, y) = (40.0 + 320.0 * p, 360.0 - 320.0 * share);
        line += &format!("{x:.1},{y:.1} ");
        dots += &format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"><title>stated {p:.3}, real {share:.3}, {n} {things}</title></circle>\n"
        );
    }
    format!("<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\"/>\n{dots}")
}
