//! `truceline calibrate` on sets of P and S picks.

use anyhow::{Result, bail};
use associate::phases::{Event, PHASE_FEATURES};

use super::associate::picks::{is_set, model_of, run};
use super::associate::velocity::velocity;
use super::calibrate::{CalibrateArgs, write_model};
use super::judged::{self, Stated};
use super::truth::Same;
use crate::Outcome;

/// What counts as the same: the rule of the benchmark for P and S.
const SAME: Same = Same { s: 5.0, m: 20_000.0 };

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = 1.0;
    let judged = judged::in_sets(&args.data, SAME, |set| {
        if !is_set(set) {
            bail!(
                "{} has no picks.csv: sets of picks and of sound have models of their own",
                set.display()
            );
        }
        let velocity = velocity(None, set)?;
        let (_, events, _) = run(set, &velocity.table, &model, None, None)?;
        let stated = |e: &Event| {
            let [ee, en, nn, ..] = e.covariance;
            let (features, covariance) = (e.features, [ee, en, nn]);
            Stated { features, t_s: e.t_s, lat: e.lat, lon: e.lon, covariance }
        };
        Ok(events.iter().map(stated).collect())
    })?;
    let fitted = judged::fit(&judged, &args.data, PHASE_FEATURES.len());
    model.calibration = fitted.calibration;
    model.inflation = fitted.inflation;
    model.version.clone_from(&args.version);
    write_model(&args.out, &model, fitted.stated)?;
    Ok(Outcome::Fine)
}
