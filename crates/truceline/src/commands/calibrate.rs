//! `truceline calibrate`: fits the map from evidence to probability, and the
//! size of ellipses, on sets with truth.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use associate::kind;
use associate::plane::Plane;
use associate::posterior::Features;
use associate::{CLASSES, Calibration, Event, Model, Pace};
use clap::Args;

use super::associate::{How, model_of, picks, run};
use crate::{Outcome, output};

/// Times and places that count as the same, s and metres: the rule of the benchmark.
const SAME_S: f64 = 1.0;
const SAME_M: f64 = 1_500.0;
/// Squared distance, in errors, that 90 % of a normal law in the plane stay within.
const NINETY: f64 = 4.605;
/// Events of a class below which it takes the factor of all.
const CLASS_MIN: usize = 60;

/// Arguments of `truceline calibrate`.
#[derive(Args, Debug)]
pub(crate) struct CalibrateArgs {
    /// Folders with sets of detections and their truth.csv, such as `truceline simulate` makes
    #[arg(long, value_name = "SET", required = true, num_args = 1..)]
    pub data: Vec<PathBuf>,
    /// File for the model; the reliability diagram goes beside it, as .svg and .csv
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Model to start from (default: the one built in)
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Name of the new model
    #[arg(long, value_name = "NAME", default_value = "calibrated")]
    pub version: String,
}

/// An event held against the truth.
struct Judged {
    features: Features,
    real: bool,
    weight: f64,
    class: usize,
    /// Squared distance from the truth in errors without inflation.
    off: Option<f64>,
    /// What it was, if that is known.
    kind: Option<String>,
    level_db: f64,
    spacing_s: Option<f64>,
}

/// Fits and writes a model.
pub(crate) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    if args.data.iter().any(|set| picks::is_set(set)) {
        return super::calibrate_picks::calibrate(args);
    }
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = vec![1.0; CLASSES];
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
    let names: Vec<String> = args
        .data
        .iter()
        .map(|d| d.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()))
        .collect();
    let examples: Vec<_> = judged.iter().map(|j| (j.features, j.real, j.weight)).collect();
    model.calibration = Calibration::fit(&examples, &names.join(" "));
    model.inflation = inflation(&judged, &model);
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
    fs::write(&args.out, output::json(&model)?)
        .with_context(|| format!("writing {}", args.out.display()))?;
    let table = reliability(&judged, &model);
    let mut csv = String::from("probability,share_real,events\n");
    for (p, share, n) in &table {
        csv += &format!("{p:.4},{share:.4},{n}\n");
    }
    write_beside(&args.out, "csv", &csv)?;
    write_beside(&args.out, "svg", &diagram(&table))?;
    output::print(&csv)?;
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

pub(super) fn write_beside(path: &Path, extension: &str, text: &str) -> Result<()> {
    let path = path.with_extension(extension);
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
}

/// Pairs events with the truth, nearest first, and notes which are real.
fn judge(set: &Path, events: &[Event], out: &mut Vec<Judged>) -> Result<()> {
    let path = set.join("truth.csv");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|c| *c == name)
            .with_context(|| format!("{}: line 1 has no column `{name}`", path.display()))
    };
    let (t, lat, lon) = (column("t_s")?, column("lat")?, column("lon")?);
    let of_type = column("type").ok();
    let mut truth = Vec::new();
    for (i, line) in lines.enumerate() {
        let f: Vec<&str> = line.split(',').collect();
        let number = |at: usize| -> Result<f64> {
            f.get(at).and_then(|v| v.parse().ok()).with_context(|| {
                format!("{}: line {}: column {} is not a number", path.display(), i + 2, at + 1)
            })
        };
        let kind = of_type.and_then(|at| f.get(at)).map(|kind| (*kind).to_owned());
        truth.push((number(t)?, number(lat)?, number(lon)?, kind));
    }
    let Some(first) = truth.first() else { bail!("{}: no events", path.display()) };
    let plane = Plane::new(first.1, first.2);
    let mut truth: Vec<(f64, f64, f64, Option<String>)> = truth
        .into_iter()
        .map(|(t, lat, lon, kind)| {
            let (x, y) = plane.forward(lat, lon);
            (t, x, y, kind)
        })
        .collect();
    truth.sort_by(|a, b| a.0.total_cmp(&b.0));
    let found: Vec<(f64, f64, f64)> = events
        .iter()
        .map(|e| {
            let (x, y) = plane.forward(e.lat, e.lon);
            (e.t_s, x, y)
        })
        .collect();
    let mut pairs = Vec::new();
    for (i, f) in found.iter().enumerate() {
        let from = truth.partition_point(|t| t.0 < f.0 - SAME_S);
        for (j, t) in truth.iter().enumerate().skip(from).take_while(|(_, t)| t.0 <= f.0 + SAME_S) {
            let d = libm::hypot(f.1 - t.1, f.2 - t.2);
            if d <= SAME_M {
                pairs.push(((f.0 - t.0).abs() / SAME_S + d / SAME_M, i, j));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut of_event = vec![None; found.len()];
    let mut taken = vec![false; truth.len()];
    for (_, i, j) in pairs {
        if of_event[i].is_none() && !taken[j] {
            of_event[i] = Some(j);
            taken[j] = true;
        }
    }
    // Every set counts alike beyond some hundred events.
    let weight = (300.0 / events.len().max(1) as f64).min(1.0);
    for (i, e) in events.iter().enumerate() {
        let [a, b, c] = e.covariance;
        let off = of_event[i].map(|j| {
            let (ex, ey) = (found[i].1 - truth[j].1, found[i].2 - truth[j].2);
            (c * ex * ex - 2.0 * b * ex * ey + a * ey * ey) / (a * c - b * b).max(1e-9)
        });
        out.push(Judged {
            features: e.features,
            real: off.is_some(),
            weight,
            class: e.features.class(),
            off,
            kind: of_event[i].and_then(|j| truth[j].3.clone()),
            level_db: e.level_db,
            spacing_s: e.spacing_s,
        });
    }
    Ok(())
}

/// Factors by class so that 90 % of the likely events lie in their 90 % ellipse.
fn inflation(judged: &[Judged], model: &Model) -> Vec<f64> {
    let likely = |j: &&Judged| model.calibration.probability(&j.features) >= 0.5;
    let ninety = |mut list: Vec<(f64, f64)>| {
        list.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = list.iter().map(|l| l.1).sum();
        let mut sum = 0.0;
        for (off, weight) in &list {
            sum += weight;
            if sum >= 0.9 * total {
                return (off / NINETY).max(0.5);
            }
        }
        1.0
    };
    let offs = |class: Option<usize>| -> Vec<(f64, f64)> {
        judged
            .iter()
            .filter(likely)
            .filter(|j| class.is_none_or(|c| c == j.class))
            .filter_map(|j| j.off.map(|off| (off, j.weight)))
            .collect()
    };
    let all = ninety(offs(None));
    (0..CLASSES)
        .map(|class| {
            let list = offs(Some(class));
            let factor = if list.len() < CLASS_MIN { all } else { ninety(list) };
            (factor * 1e3).round() / 1e3
        })
        .collect()
}

/// Mean probability, share of real events and count of fifteen equal parts.
fn reliability(judged: &[Judged], model: &Model) -> Vec<(f64, f64, usize)> {
    table_of(judged.iter().map(|j| (model.calibration.probability(&j.features), j.real)).collect())
}

/// The same of probabilities and whether each was real.
pub(super) fn table_of(mut list: Vec<(f64, bool)>) -> Vec<(f64, f64, usize)> {
    list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let size = list.len().div_ceil(15);
    list.chunks(size)
        .map(|part| {
            let n = part.len() as f64;
            (
                part.iter().map(|p| p.0).sum::<f64>() / n,
                part.iter().filter(|p| p.1).count() as f64 / n,
                part.len(),
            )
        })
        .collect()
}

/// The reliability diagram: stated probability across, share of real events up.
pub(super) fn diagram(table: &[(f64, f64, usize)]) -> String {
    let at = |p: f64, q: f64| (40.0 + 320.0 * p, 360.0 - 320.0 * q);
    let mut dots = String::new();
    let mut line = String::new();
    for (p, share, n) in table {
        let (x, y) = at(*p, *share);
        line += &format!("{x:.1},{y:.1} ");
        dots += &format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#1f5a8a\"><title>stated {p:.3}, real {share:.3}, {n} events</title></circle>\n"
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 400 400\" font-family=\"sans-serif\" font-size=\"12\">\n\
        <rect x=\"40\" y=\"40\" width=\"320\" height=\"320\" fill=\"none\" stroke=\"#999\"/>\n\
        <line x1=\"40\" y1=\"360\" x2=\"360\" y2=\"40\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\n\
        <polyline points=\"{line}\" fill=\"none\" stroke=\"#1f5a8a\"/>\n{dots}\
        <text x=\"200\" y=\"388\" text-anchor=\"middle\">stated probability</text>\n\
        <text x=\"16\" y=\"200\" text-anchor=\"middle\" transform=\"rotate(-90 16 200)\">share that was real</text>\n\
        <text x=\"40\" y=\"374\" text-anchor=\"middle\">0</text><text x=\"360\" y=\"374\" text-anchor=\"middle\">1</text>\n\
        </svg>\n"
    )
}
