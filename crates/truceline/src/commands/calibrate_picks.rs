//! `truceline calibrate` on sets of P and S picks.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use associate::Calibration;
use associate::phases::{Event, PHASE_FEATURES};
use associate::plane::Plane;
use associate::posterior::Features;

use super::associate::picks::{is_set, model_of, run};
use super::associate::velocity::velocity;
use super::calibrate::{CalibrateArgs, diagram, table_of, write_beside};
use crate::{Outcome, output};

/// Times and places that count as the same, s and metres: the rule of the
/// benchmark for P and S.
const SAME_S: f64 = 5.0;
const SAME_M: f64 = 20_000.0;
/// Squared distance, in errors, that 90 % of a normal law in the plane stay within.
const NINETY: f64 = 4.605;
/// Events of a set beyond which every set counts alike.
const SET_MAX: f64 = 300.0;

struct Judged {
    features: Features,
    real: bool,
    weight: f64,
    /// Squared distance from the truth in errors without inflation.
    off: Option<f64>,
}

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = 1.0;
    let mut judged = Vec::new();
    for set in &args.data {
        if !is_set(set) {
            bail!(
                "{} has no picks.csv: sets of picks and of sound have models of their own",
                set.display()
            );
        }
        let velocity = velocity(None, set)?;
        let (_, events, _) = run(set, &velocity.table, &model, None)?;
        let before = judged.len();
        judge(set, &events, &mut judged)?;
        let real = judged[before..].iter().filter(|j| j.real).count();
        output::line(&format!("{}: {} events, {real} of them real", set.display(), events.len()))?;
    }
    if judged.len() < 50 {
        bail!("{} events are too few to fit a map; give more sets", judged.len());
    }
    let name = |d: &std::path::PathBuf| {
        d.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
    };
    let names: Vec<String> = args.data.iter().map(name).collect();
    let examples: Vec<_> = judged.iter().map(|j| (j.features, j.real, j.weight)).collect();
    model.calibration = Calibration::fit(&examples, &names.join(" "));
    model.calibration.weights.truncate(PHASE_FEATURES.len());
    model.inflation = inflation(&judged, &model.calibration);
    model.version.clone_from(&args.version);
    fs::write(&args.out, output::json(&model)?)
        .with_context(|| format!("writing {}", args.out.display()))?;
    let stated = judged.iter().map(|j| (model.calibration.probability(&j.features), j.real));
    let table = table_of(stated.collect());
    let mut csv = String::from("probability,share_real,events\n");
    for (p, share, n) in &table {
        csv += &format!("{p:.4},{share:.4},{n}\n");
    }
    write_beside(&args.out, "csv", &csv)?;
    write_beside(&args.out, "svg", &diagram(&table))?;
    output::print(&csv)?;
    Ok(Outcome::Fine)
}

/// Pairs events with the truth, nearest first, and notes which are real.
fn judge(set: &Path, events: &[Event], out: &mut Vec<Judged>) -> Result<()> {
    let truth = truth(&set.join("truth.csv"))?;
    let Some(first) = truth.first() else {
        bail!("{}: no events", set.join("truth.csv").display())
    };
    let plane = Plane::new(first[1], first[2]);
    let mut truth: Vec<(f64, f64, f64)> = truth
        .iter()
        .map(|[t, lat, lon]| {
            let (x, y) = plane.forward(*lat, *lon);
            (*t, x, y)
        })
        .collect();
    truth.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut pairs = Vec::new();
    for (i, e) in events.iter().enumerate() {
        let (x, y) = plane.forward(e.lat, e.lon);
        let from = truth.partition_point(|t| t.0 < e.t_s - SAME_S);
        for (j, t) in truth.iter().enumerate().skip(from).take_while(|(_, t)| t.0 <= e.t_s + SAME_S)
        {
            let (ex, ey) = (x - t.1, y - t.2);
            let d = libm::hypot(ex, ey);
            if d <= SAME_M {
                pairs.push(((e.t_s - t.0).abs() / SAME_S + d / SAME_M, i, j, ex, ey));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut of_event = vec![None; events.len()];
    let mut taken = vec![false; truth.len()];
    for (_, i, j, ex, ey) in pairs {
        if of_event[i].is_none() && !taken[j] {
            of_event[i] = Some((ex, ey));
            taken[j] = true;
        }
    }
    let weight = (SET_MAX / events.len().max(1) as f64).min(1.0);
    for (e, off) in events.iter().zip(of_event) {
        let [a, b, c, ..] = e.covariance;
        let off = off.map(|(ex, ey)| {
            (c * ex * ex - 2.0 * b * ex * ey + a * ey * ey) / (a * c - b * b).max(1e-9)
        });
        out.push(Judged { features: e.features, real: off.is_some(), weight, off });
    }
    Ok(())
}

/// Time, latitude and longitude of the true events.
fn truth(path: &Path) -> Result<Vec<[f64; 3]>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|c| *c == name)
            .with_context(|| format!("{}: line 1 has no column `{name}`", path.display()))
    };
    let at = [column("t_s")?, column("lat")?, column("lon")?];
    let mut out = Vec::new();
    for (i, line) in lines.enumerate() {
        let f: Vec<&str> = line.split(',').collect();
        let mut row = [0.0; 3];
        for (value, at) in row.iter_mut().zip(at) {
            *value = f.get(at).and_then(|v| v.parse().ok()).with_context(|| {
                format!("{}: line {}: `{}` is not a number", path.display(), i + 2, header[at])
            })?;
        }
        out.push(row);
    }
    Ok(out)
}

/// The factor with which 90 % of the likely events lie in their 90 % ellipse.
fn inflation(judged: &[Judged], map: &Calibration) -> f64 {
    let likely = judged.iter().filter(|j| map.probability(&j.features) >= 0.5);
    let mut offs: Vec<(f64, f64)> =
        likely.filter_map(|j| j.off.map(|off| (off, j.weight))).collect();
    offs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = offs.iter().map(|o| o.1).sum();
    let mut sum = 0.0;
    for (off, weight) in &offs {
        sum += weight;
        if sum >= 0.9 * total {
            return ((off / NINETY).max(0.5) * 1e3).round() / 1e3;
        }
    }
    1.0
}
