//! `truceline calibrate` on sets of infrasound arrays.

use std::path::Path;

use anyhow::{Result, bail};
use associate::arrays::{ARRAY_FEATURES, ArrayEvent};

use super::judged::{self, Stated};
use super::{CalibrateArgs, write_model, write_preliminary};
use crate::Outcome;
use crate::commands::associate::arrays::{events, files, model_of};
use crate::commands::truth::Same;

/// What counts as the same: the celerity of sound over hundreds of kilometres is known
/// to a tenth, and two arrays place a source to a few hundred.
const SAME: Same = Same { s: 900.0, m: 250_000.0 };

pub(super) fn is_set(set: &Path) -> bool {
    files(set).is_ok_and(|files| !files.is_empty())
}

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = 1.0;
    model.preliminary = None;
    let found = |set: &Path, wait| {
        if !is_set(set) {
            bail!(
                "{} has no *.dets.json: arrays of infrasound have a model of their own",
                set.display()
            );
        }
        let stated = |e: &ArrayEvent| Stated {
            features: e.features,
            t_s: e.t_s,
            lat: e.lat,
            lon: e.lon,
            covariance: e.covariance,
        };
        Ok(events(set, &model, wait)?.iter().map(stated).collect())
    };
    let judged::Both { last, preliminary } =
        judged::both(&args.data, SAME, ARRAY_FEATURES.len(), found)?;
    model.calibration = last.calibration;
    model.inflation = last.inflation;
    model.preliminary = Some(preliminary.calibration);
    model.version.clone_from(&args.version);
    write_model(&args.out, &model, last.stated)?;
    write_preliminary(&args.out, preliminary.stated)?;
    Ok(Outcome::Fine)
}
