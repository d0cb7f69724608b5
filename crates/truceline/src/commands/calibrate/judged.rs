//! Events of which a made-up set says whether they are real, and the calibration
//! map and the size of ellipses fitted to them. Engines differ in what they find and
//! in how near is the same, not in this.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use associate::Calibration;
use associate::posterior::Features;
use associate::stream::Wait;

use super::{names_of, weight_of};
use crate::commands::truth::{Same, in_errors, inflation, matches};
use crate::output;

/// Fewer events than this fit no map.
const EVENTS_MIN: usize = 50;

/// An event as an engine states it, with its covariance not yet inflated.
pub(super) struct Stated {
    pub features: Features,
    pub t_s: f64,
    pub lat: f64,
    pub lon: f64,
    /// East-east, east-north, north-north, m^2.
    pub covariance: [f64; 3],
}

/// The same held against the truth.
pub(super) struct Judged {
    pub features: Features,
    /// What it counts in the fit.
    pub weight: f64,
    /// Squared distance from the truth in errors; none if it is not real.
    pub off: Option<f64>,
}

/// What was fitted.
pub(super) struct Fitted {
    pub calibration: Calibration,
    /// Factor on covariances with which 90 % of likely events lie in their 90 % ellipse.
    pub inflation: f64,
    /// What the map states of each event, and whether it is real.
    pub stated: Vec<(f64, bool)>,
}

/// What was fitted to events as they stand in the end, and the map of those that are
/// stated before far stations were waited for.
pub(super) struct Both {
    pub last: Fitted,
    pub preliminary: Preliminary,
}

/// The map of preliminary events, and what it states.
pub(super) struct Preliminary {
    pub calibration: Calibration,
    pub stated: Vec<(f64, bool)>,
}

/// Fits to what an engine finds in sets, whomever it waits for.
pub(super) fn both(
    sets: &[PathBuf],
    same: Same,
    features: usize,
    found: impl Fn(&Path, Wait) -> Result<Vec<Stated>>,
) -> Result<Both> {
    let last = fit(&in_sets(sets, same, |set| found(set, Wait::Everyone))?, sets, features);
    output::line("preliminary, when only the nearest were waited for:")?;
    let soon = in_sets(sets, same, |set| found(set, Wait::Nearest))?;
    Ok(Both { last, preliminary: Preliminary::fit(&soon, sets, features) })
}

impl Preliminary {
    pub(super) fn fit(judged: &[Judged], sets: &[PathBuf], features: usize) -> Self {
        let Fitted { calibration, stated, .. } = fit(judged, sets, features);
        Self { calibration, stated }
    }
}

/// Judges what an engine finds in sets, and says of each how many events are real.
pub(super) fn in_sets(
    sets: &[PathBuf],
    same: Same,
    mut found: impl FnMut(&Path) -> Result<Vec<Stated>>,
) -> Result<Vec<Judged>> {
    let mut judged = Vec::new();
    for set in sets {
        let events = found(set)?;
        let places: Vec<_> = events.iter().map(|e| (e.t_s, e.lat, e.lon)).collect();
        let weight = weight_of(events.len());
        let of_set = matches(set, &places, same)?.into_iter().zip(&events).map(|(same, e)| {
            let off = same.map(|same| in_errors(same.off, e.covariance));
            Judged { features: e.features, weight, off }
        });
        let before = judged.len();
        judged.extend(of_set);
        let real = judged[before..].iter().filter(|j| j.off.is_some()).count();
        output::line(&format!("{}: {} events, {real} of them real", set.display(), events.len()))?;
    }
    if judged.len() < EVENTS_MIN {
        bail!("{} events are too few to fit a map; give more sets", judged.len());
    }
    Ok(judged)
}

/// Fits the map on so many features, and the factor on covariances.
pub(super) fn fit(judged: &[Judged], sets: &[PathBuf], features: usize) -> Fitted {
    let examples: Vec<_> = judged.iter().map(|j| (j.features, j.off.is_some(), j.weight)).collect();
    let mut calibration = Calibration::fit(&examples, &names_of(sets));
    calibration.weights.truncate(features);
    let stated: Vec<_> =
        judged.iter().map(|j| (calibration.probability(&j.features), j.off.is_some())).collect();
    let likely = judged.iter().zip(&stated).filter(|(_, (p, _))| *p >= 0.5);
    let offs = likely.filter_map(|(j, _)| Some((j.off?, j.weight))).collect();
    Fitted { calibration, inflation: inflation(offs), stated }
}
