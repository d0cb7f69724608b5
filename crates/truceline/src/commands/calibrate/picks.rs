//! `truceline calibrate` on sets of P and S picks.

use std::path::Path;

use anyhow::{Result, bail};
use associate::phases::{Event, PHASE_FEATURES};
use associate::stream::Wait;

use super::judged::{self, Stated};
use super::{CalibrateArgs, write_model, write_preliminary};
use crate::Outcome;
use crate::commands::associate::picks::{is_set, model_of, preliminary, run};
use crate::commands::associate::velocity::velocity;
use crate::commands::truth::Same;

/// What counts as the same: the rule of the benchmark for P and S.
const SAME: Same = Same { s: 5.0, m: 20_000.0 };

pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    let mut model = model_of(args.model.as_deref())?;
    model.inflation = 1.0;
    model.preliminary = None;
    let found = |set: &Path, wait| {
        if !is_set(set) {
            bail!(
                "{} has no picks.csv: sets of picks and of sound have models of their own",
                set.display()
            );
        }
        let velocity = velocity(None, set)?;
        let events = match wait {
            Wait::Everyone => run(set, &velocity.table, &model, None, None)?.1,
            Wait::Nearest => preliminary(set, &velocity.table, &model)?,
        };
        let stated = |e: &Event| {
            let [ee, en, nn, ..] = e.covariance;
            let (features, covariance) = (e.features, [ee, en, nn]);
            Stated { features, t_s: e.t_s, lat: e.lat, lon: e.lon, covariance }
        };
        Ok(events.iter().map(stated).collect())
    };
    let judged::Both { last, preliminary } =
        judged::both(&args.data, SAME, PHASE_FEATURES.len(), found)?;
    model.calibration = last.calibration;
    model.inflation = last.inflation;
    model.preliminary = Some(preliminary.calibration);
    model.version.clone_from(&args.version);
    write_model(&args.out, &model, last.stated)?;
    write_preliminary(&args.out, preliminary.stated)?;
    Ok(Outcome::Fine)
}
