//! `truceline calibrate` on sets of infrasound arrays.

use std::path::Path;

use anyhow::{Result, bail};
use associate::Calibration;
use associate::arrays::{ARRAY_FEATURES, ArrayEvent};
use associate::posterior::Features;

use super::associate::arrays::{events, files, model_of};
use super::calibrate::{CalibrateArgs, names_of, weight_of, write_model};
use super::truth::{Same, in_errors, inflation, matches};
use crate::{Outcome, output};

/// What counts as the same: the celerity of sound over hundreds of kilometres is known
/// to a tenth, and two arrays place a source to a few hundred.
const SAME: Same = Same { s: 900.0, m: 250_000.0 };

struct Judged {
    features: Features,
    real: bool,
    weight: f64,
    /// Squared distance from the truth in errors without inflation.
    off: Option<f64>,
}

pub(super) fn is_set(set: &Path) -> bool {
    files(set).is_ok_and(|files| !files.is_empty())
}

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = 1.0;
    let mut judged = Vec::new();
    for set in &args.data {
        if !is_set(set) {
            bail!(
                "{} has no *.dets.json: arrays of infrasound have a model of their own",
                set.display()
            );
        }
        let found = events(set, &model)?;
        let before = judged.len();
        judge(set, &found, &mut judged)?;
        let real = judged[before..].iter().filter(|j| j.real).count();
        output::line(&format!("{}: {} events, {real} of them real", set.display(), found.len()))?;
    }
    if judged.len() < 50 {
        bail!("{} events are too few to fit a map; give more sets", judged.len());
    }
    let examples: Vec<_> = judged.iter().map(|j| (j.features, j.real, j.weight)).collect();
    model.calibration = Calibration::fit(&examples, &names_of(&args.data));
    model.calibration.weights.truncate(ARRAY_FEATURES.len());
    let likely = judged.iter().filter(|j| model.calibration.probability(&j.features) >= 0.5);
    model.inflation = inflation(likely.filter_map(|j| j.off.map(|off| (off, j.weight))).collect());
    model.version.clone_from(&args.version);
    let stated = judged.iter().map(|j| (model.calibration.probability(&j.features), j.real));
    write_model(&args.out, &model, stated.collect())?;
    Ok(Outcome::Fine)
}

/// Holds events against the truth of their set.
fn judge(set: &Path, events: &[ArrayEvent], out: &mut Vec<Judged>) -> Result<()> {
    let found: Vec<_> = events.iter().map(|e| (e.t_s, e.lat, e.lon)).collect();
    let weight = weight_of(events.len());
    for (e, same) in events.iter().zip(matches(set, &found, SAME)?) {
        let off = same.map(|same| in_errors(same.off, e.covariance));
        out.push(Judged { features: e.features, real: off.is_some(), weight, off });
    }
    Ok(())
}
