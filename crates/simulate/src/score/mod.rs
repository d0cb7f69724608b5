//! The score of a solution against the truth of a set.
//!
//! The rules are those of the benchmark: true events with at least `min_det`
//! arrivals must be found, finding others is neither rewarded nor punished; a
//! pair is at most so far apart in time and place; pairs are one to one, as
//! many as can be, and among those the nearest.

mod attacks;
mod matching;
mod picks;
mod statistics;
mod storms;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

pub use attacks::AttackScore;
use matching::{Place, Point, Tolerance, matched};
pub use picks::Picks;
pub use statistics::{Calibration, wilson_95};
use statistics::{calibration, quantile};
pub use storms::StormScore;
use table::Table;

use crate::plane::Plane;

/// Why a set or a solution cannot be scored.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum Wrong {
    /// A row of the wrong length.
    #[error("{file}:{line}: {found} cells where the header has {expected}")]
    Cells {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Cells found.
        found: usize,
        /// Cells expected.
        expected: usize,
    },
    /// A column is missing.
    #[error("{file}: no column `{column}`; the first line must name it")]
    Column {
        /// File.
        file: String,
        /// Name.
        column: String,
    },
    /// A cell is no number.
    #[error("{file}:{line}: `{cell}` in column `{column}` is not a number")]
    Number {
        /// File.
        file: String,
        /// Line, from 1.
        line: usize,
        /// Name of the column.
        column: String,
        /// What stands there.
        cell: String,
    },
    /// The solution gives degrees, and `meta.json` does not say where the plane lies.
    #[error("meta.json: no `lat0` and `lon0`, which a solution in degrees needs")]
    Origin,
}

/// The texts of a set and of a solution.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'a> {
    /// `truth.csv`
    pub truth: &'a str,
    /// `truth_assoc.csv`
    pub truth_assoc: &'a str,
    /// `truth_attacks.csv`; empty if there is none.
    pub truth_attacks: &'a str,
    /// `truth_storms.csv`; empty if there is none.
    pub truth_storms: &'a str,
    /// `meta.json`; empty if there is none.
    pub meta: &'a str,
    /// `events.csv`
    pub events: &'a str,
    /// `assoc.csv`; empty if there is none.
    pub assoc: &'a str,
}

/// What counts as found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Arrivals from which on an event must be found.
    pub min_det: f64,
    /// Farthest in time, s.
    pub t_s: f64,
    /// Farthest in place, km.
    pub x_km: f64,
    /// Least probability of an event that is proposed.
    pub prob: f64,
    /// Only origin times below this, s.
    pub t_max_s: Option<f64>,
    /// Places are on a sphere, not on the plane of the set.
    pub sphere: bool,
    /// True events that need not be found are no events at all: to find one is wrong.
    pub strict: bool,
}

impl Rules {
    /// The rules for a front.
    pub const FRONT: Self = Self {
        min_det: 4.0,
        t_s: 1.0,
        x_km: 1.5,
        prob: 0.5,
        t_max_s: None,
        sphere: false,
        strict: false,
    };
    /// The rules for P and S picks.
    pub const SEISMIC: Self = Self { min_det: 10.0, t_s: 5.0, x_km: 20.0, ..Self::FRONT };
    /// The rules of seismic-2d: 50 s and 5 degrees. What is proposed has half the
    /// F1 that is reached or more, which makes F1 highest (Lipton, Elkan and
    /// Narayanaswamy 2014, section 4).
    pub const GLOBE: Self = Self {
        min_det: 2.0,
        t_s: 50.0,
        x_km: 5.0 * std::f64::consts::PI / 180.0 * 6_371.0,
        prob: 0.36,
        sphere: true,
        strict: true,
        ..Self::FRONT
    };
}

/// The score; names as the benchmark gives them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// True events.
    pub n_truth: usize,
    /// Those that must be found.
    pub n_required: usize,
    /// Proposed events.
    pub n_solution: usize,
    /// Share of proposed events that are right.
    pub precision: f64,
    /// Share of required events that are found.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
    /// Required events found.
    pub tp: usize,
    /// Proposed events that are none.
    pub fp: usize,
    /// Proposed events that are optional ones.
    pub ignored: usize,
    /// The best F1 at any probability.
    pub best_f1: f64,
    /// Area under precision over recall.
    pub average_precision: f64,
    /// Recall by number of arrivals.
    pub recall_by_ndet: BTreeMap<String, f64>,
    /// Recall by type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub recall_by_type: BTreeMap<String, f64>,
    /// Place, time, covariance, type and level of what was found.
    #[serde(flatten)]
    pub found: Found,
    /// Calibration, if the solution has probabilities.
    #[serde(flatten)]
    pub calibration: Option<Calibration>,
    /// Detections, if the solution assigns any.
    #[serde(flatten)]
    pub picks: Option<Picks>,
    /// Made-up events, if the set has any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attacks: BTreeMap<String, AttackScore>,
    /// Within storms of false alarms by their kind, in `all` of them, and `outside`, if
    /// the set has any.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub storms: BTreeMap<String, StormScore>,
}

/// How well what was found is described.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Found {
    /// Error of place, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loc_err_m_median: Option<f64>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loc_err_m_p90: Option<f64>,
    /// Error of origin time, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_err_s_median: Option<f64>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_err_s_p90: Option<f64>,
    /// Median Cramér-Rao bound of what was found, m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crlb_m_median: Option<f64>,
    /// Median of error over bound; 1 for an efficient estimator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub err_over_crlb_median: Option<f64>,
    /// Root mean square of the same, each at most 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub err_over_crlb_rms_clip10: Option<f64>,
    /// Share of places within the 50 % ellipse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cov_coverage_50: Option<f64>,
    /// Share of places within the 90 % ellipse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cov_coverage_90: Option<f64>,
    /// Share of types that are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_accuracy: Option<f64>,
    /// Error of the source level, dB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level_err_db_median: Option<f64>,
    /// Release after origin, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_s_median: Option<f64>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_s_p99: Option<f64>,
}

/// What a proposed event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    /// None.
    False,
    /// The required event of this index.
    Required(usize),
    /// The optional event of this index.
    Optional(usize),
}

impl Label {
    fn event(self) -> Option<usize> {
        match self {
            Self::False => None,
            Self::Required(index) | Self::Optional(index) => Some(index),
        }
    }
}

/// Precision, recall and their harmonic mean.
fn precision_recall(tp: usize, fp: usize, missed: usize) -> (f64, f64, f64) {
    let p = tp as f64 / (tp + fp).max(1) as f64;
    let r = tp as f64 / (tp + missed).max(1) as f64;
    (p, r, 2.0 * p * r / (p + r).max(1e-12))
}

/// Scores a solution.
///
/// # Errors
/// A text that is not in the format of the benchmark.
pub fn score(texts: &Texts, rules: &Rules) -> Result<Score, Wrong> {
    let mut truth = Table::read("truth.csv", texts.truth)?;
    let mut events = Table::read("events.csv", texts.events)?;
    if let Some(limit) = rules.t_max_s {
        truth.keep_below("t_s", limit)?;
        events.keep_below("t_s", limit)?;
    }
    let (true_points, points) = if rules.sphere {
        (spots(&truth)?, spots(&events)?)
    } else {
        (points(&truth, None)?, points(&events, plane(texts.meta))?)
    };
    let n_det = truth.numbers("n_det")?;
    let prob = events.numbers_if("prob")?;
    let has_prob = prob.is_some();
    let prob = prob.unwrap_or_else(|| vec![1.0; events.len()]);
    let tolerance = Tolerance { t_s: rules.t_s, x_km: rules.x_km };
    let labels = labels(&true_points, &points, &n_det, rules, tolerance);
    let required: Vec<usize> = (0..truth.len()).filter(|i| n_det[*i] >= rules.min_det).collect();

    let chosen = |j: &usize| prob[*j] >= rules.prob;
    let all = 0..events.len();
    let tp =
        all.clone().filter(chosen).filter(|j| matches!(labels[*j], Label::Required(_))).count();
    let fp = all.clone().filter(chosen).filter(|j| labels[*j] == Label::False).count();
    let (precision, recall, f1) = precision_recall(tp, fp, required.len() - tp);
    let (best_f1, average_precision) = over_thresholds(&prob, &labels, required.len());
    let mut hit = vec![false; truth.len()];
    for j in all.filter(chosen) {
        if let Label::Required(i) = labels[j] {
            hit[i] = true;
        }
    }
    let share = |of: &[usize]| {
        let found = of.iter().filter(|i| hit[**i]).count();
        domain::probability::rounded(found as f64 / of.len() as f64, 4)
    };
    let mut recall_by_ndet = BTreeMap::new();
    for (name, low, high) in [
        ("2-3", 2.0, 4.0),
        ("4-5", 4.0, 6.0),
        ("6-9", 6.0, 10.0),
        ("10-19", 10.0, 20.0),
        ("20-", 20.0, 1e9),
    ] {
        let of: Vec<usize> =
            required.iter().copied().filter(|i| n_det[*i] >= low && n_det[*i] < high).collect();
        if !of.is_empty() {
            recall_by_ndet.insert(name.to_owned(), share(&of));
        }
    }
    let mut recall_by_type = BTreeMap::new();
    if truth.has("type") {
        let types = truth.text("type")?;
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for i in &required {
            groups.entry(types[*i]).or_default().push(*i);
        }
        recall_by_type = groups.iter().map(|(name, of)| ((*name).to_owned(), share(of))).collect();
    }
    let mut pairs: Vec<(usize, usize)> = (0..events.len())
        .filter(chosen)
        .filter_map(|j| match labels[j] {
            Label::Required(i) => Some((i, j)),
            _ => None,
        })
        .collect();
    // Sums in the order of the truth, whatever the order of the solution.
    pairs.sort_unstable();
    let real: Vec<bool> = labels.iter().map(|label| *label != Label::False).collect();
    let judged = picks::Judged {
        truth: &truth,
        events: &events,
        labels: &labels,
        n_det: &n_det,
        prob: &prob,
        rules,
    };
    Ok(Score {
        n_truth: truth.len(),
        n_required: required.len(),
        n_solution: events.len(),
        precision,
        recall,
        f1,
        tp,
        fp,
        ignored: labels.iter().filter(|label| matches!(label, Label::Optional(_))).count(),
        best_f1,
        average_precision,
        recall_by_ndet,
        recall_by_type,
        found: found(&truth, &events, &true_points, &points, &pairs)?,
        calibration: if has_prob { calibration(&prob, &real) } else { None },
        picks: if texts.assoc.is_empty() {
            None
        } else {
            Some(picks::picks(texts.truth_assoc, texts.assoc, &judged, required.len())?)
        },
        attacks: if texts.truth_attacks.is_empty() {
            BTreeMap::new()
        } else {
            attacks::attacks(texts.truth_attacks, &points, &prob, &labels, tolerance)?
        },
        storms: if texts.truth_storms.is_empty() {
            BTreeMap::new()
        } else {
            let of = storms::Of { true_points: &true_points, required: &required, hit: &hit };
            storms::storms(texts.truth_storms, &of, &points, &prob, &labels)?
        },
    })
}

/// Which true event each of the events found on a globe is, if any, and where it
/// was found from there, metres east and north. Both as time, s, and degrees north
/// and east; by the rule of seismic-2d.
pub fn same_on_globe(
    truth: &[(f64, f64, f64)],
    found: &[(f64, f64, f64)],
) -> Vec<Option<(f64, f64)>> {
    let points = |list: &[(f64, f64, f64)]| -> Vec<Point> {
        list.iter()
            .map(|(t_s, lat, lon)| Point { t_s: *t_s, place: Place::Sphere(*lat, *lon) })
            .collect()
    };
    let (truth, found) = (points(truth), points(found));
    let tolerance = Tolerance { t_s: Rules::GLOBE.t_s, x_km: Rules::GLOBE.x_km };
    let mut same = vec![None; found.len()];
    for (i, j) in matched(&truth, &found, tolerance) {
        let (east, north) = truth[i].place.off(found[j].place);
        same[j] = Some((1e3 * east, 1e3 * north));
    }
    same
}

fn plane(meta: &str) -> Option<Plane> {
    let meta: serde_json::Value = serde_json::from_str(meta).ok()?;
    let lat = meta.get("lat0")?.as_f64()?;
    let lon = meta.get("lon0")?.as_f64()?;
    Some(Plane::new(domain::LatLon::new(lat, lon).ok()?))
}

fn points(table: &Table, plane: Option<Plane>) -> Result<Vec<Point>, Wrong> {
    let t_s = table.numbers("t_s")?;
    if table.has("x_km") || !table.has("lat") {
        let (x, y) = (table.numbers("x_km")?, table.numbers("y_km")?);
        return Ok((0..t_s.len())
            .map(|i| Point { t_s: t_s[i], place: Place::Plane(x[i], y[i]) })
            .collect());
    }
    let plane = plane.ok_or(Wrong::Origin)?;
    let (lat, lon) = (table.numbers("lat")?, table.numbers("lon")?);
    Ok((0..t_s.len())
        .map(|i| match domain::LatLon::new(lat[i], lon[i]) {
            Ok(at) => {
                let spot = plane.spot(at);
                Point { t_s: t_s[i], place: Place::Plane(spot.x_km, spot.y_km) }
            }
            // Nowhere near anything.
            Err(_) => Point { t_s: t_s[i], place: Place::Plane(f64::NAN, f64::NAN) },
        })
        .collect())
}

/// Places on a sphere.
fn spots(table: &Table) -> Result<Vec<Point>, Wrong> {
    let t_s = table.numbers("t_s")?;
    let (lat, lon) = (table.numbers("lat")?, table.numbers("lon")?);
    let spot = |i: usize| Point { t_s: t_s[i], place: Place::Sphere(lat[i], lon[i]) };
    Ok((0..t_s.len()).map(spot).collect())
}

/// Required events first; optional ones with what is left.
fn labels(
    truth: &[Point],
    points: &[Point],
    n_det: &[f64],
    rules: &Rules,
    tolerance: Tolerance,
) -> Vec<Label> {
    let mut labels = vec![Label::False; points.len()];
    for required in [true, false] {
        if rules.strict && !required {
            break;
        }
        let of: Vec<usize> =
            (0..truth.len()).filter(|i| (n_det[*i] >= rules.min_det) == required).collect();
        let left: Vec<usize> = (0..points.len()).filter(|j| labels[*j] == Label::False).collect();
        let a: Vec<Point> = of.iter().map(|i| truth[*i]).collect();
        let b: Vec<Point> = left.iter().map(|j| points[*j]).collect();
        for (i, j) in matched(&a, &b, tolerance) {
            labels[left[j]] =
                if required { Label::Required(of[i]) } else { Label::Optional(of[i]) };
        }
    }
    labels
}

/// The best F1 at any threshold, and the average precision.
fn over_thresholds(prob: &[f64], labels: &[Label], required: usize) -> (f64, f64) {
    let mut order: Vec<usize> =
        (0..prob.len()).filter(|j| !matches!(labels[*j], Label::Optional(_))).collect();
    order.sort_by(|a, b| prob[*b].total_cmp(&prob[*a]));
    let (mut tp, mut fp, mut best, mut area, mut before) = (0usize, 0usize, 0.0f64, 0.0, 0.0);
    for (nth, j) in order.iter().enumerate() {
        if matches!(labels[*j], Label::Required(_)) {
            tp += 1;
        } else {
            fp += 1;
        }
        let precision = tp as f64 / (tp + fp).max(1) as f64;
        let recall = tp as f64 / required.max(1) as f64;
        area += (recall - before) * precision;
        before = recall;
        // Events of one probability stand or fall together.
        if order.get(nth + 1).is_none_or(|next| prob[*next] != prob[*j]) {
            best = best.max(2.0 * precision * recall / (precision + recall).max(1e-12));
        }
    }
    (best, area)
}

fn found(
    truth: &Table,
    events: &Table,
    true_points: &[Point],
    points: &[Point],
    pairs: &[(usize, usize)],
) -> Result<Found, Wrong> {
    let mut found = Found::default();
    if pairs.is_empty() {
        return Ok(found);
    }
    let errors: Vec<(f64, f64, f64)> = pairs
        .iter()
        .map(|(i, j)| {
            let (a, b) = (true_points[*i], points[*j]);
            let (east, north) = a.place.off(b.place);
            (1e3 * east, 1e3 * north, b.t_s - a.t_s)
        })
        .collect();
    let metres: Vec<f64> = errors.iter().map(|(x, y, _)| libm::hypot(*x, *y)).collect();
    let seconds: Vec<f64> = errors.iter().map(|(_, _, t)| libm::fabs(*t)).collect();
    found.loc_err_m_median = quantile(&metres, 0.5);
    found.loc_err_m_p90 = quantile(&metres, 0.9);
    found.time_err_s_median = quantile(&seconds, 0.5);
    found.time_err_s_p90 = quantile(&seconds, 0.9);
    if let Some(bounds) = truth.numbers_if("crlb_m")? {
        let bounded: Vec<(f64, f64)> = pairs
            .iter()
            .zip(&metres)
            .map(|((i, _), metres)| (bounds[*i], *metres))
            .filter(|(bound, _)| bound.is_finite() && *bound > 0.0)
            .collect();
        let of = |f: &dyn Fn(&(f64, f64)) -> f64| bounded.iter().map(f).collect::<Vec<f64>>();
        found.crlb_m_median = quantile(&of(&|(bound, _)| *bound), 0.5);
        // The median of the ratio of an efficient estimator with a circular
        // normal error is the square root of ln 2.
        found.err_over_crlb_median = quantile(&of(&|(bound, metres)| metres / bound), 0.5)
            .map(|ratio| ratio / libm::sqrt(libm::log(2.0)));
        let squares = of(&|(bound, metres)| {
            let ratio = (metres / bound).clamp(0.0, 10.0);
            ratio * ratio
        });
        if !squares.is_empty() {
            found.err_over_crlb_rms_clip10 = Some(statistics::mean(squares.iter().copied()).sqrt());
        }
    }
    if let (Some(xx), Some(xy), Some(yy)) =
        (events.numbers_if("c_xx")?, events.numbers_if("c_xy")?, events.numbers_if("c_yy")?)
    {
        let squares: Vec<f64> = pairs
            .iter()
            .zip(&errors)
            .filter_map(|((_, j), (x, y, _))| {
                let determinant = xx[*j] * yy[*j] - xy[*j] * xy[*j];
                let square = (yy[*j] * x * x - 2.0 * xy[*j] * x * y + xx[*j] * y * y) / determinant;
                (determinant > 0.0 && square.is_finite()).then_some(square)
            })
            .collect();
        if !squares.is_empty() {
            // Chi-square with two degrees of freedom: -2 ln(1 - p).
            let within = |limit: f64| {
                squares.iter().filter(|s| **s <= limit).count() as f64 / squares.len() as f64
            };
            found.cov_coverage_50 = Some(within(1.386));
            found.cov_coverage_90 = Some(within(4.605));
        }
    }
    if truth.has("type") && events.has("type") {
        let (a, b) = (truth.text("type")?, events.text("type")?);
        let right = pairs.iter().filter(|(i, j)| a[*i] == b[*j]).count();
        found.type_accuracy = Some(right as f64 / pairs.len() as f64);
    }
    if let (Some(a), Some(b)) = (truth.numbers_if("level_db")?, events.numbers_if("level_db")?) {
        let errors: Vec<f64> = pairs.iter().map(|(i, j)| libm::fabs(b[*j] - a[*i])).collect();
        found.level_err_db_median = quantile(&errors, 0.5);
    }
    if let Some(emit) = events.numbers_if("t_emit")? {
        let late: Vec<f64> = pairs.iter().map(|(_, j)| emit[*j] - points[*j].t_s).collect();
        found.latency_s_median = quantile(&late, 0.5);
        found.latency_s_p99 = quantile(&late, 0.99);
    }
    Ok(found)
}
