//! What a solution makes of storms of false alarms.

use std::collections::BTreeMap;

use serde::Serialize;

use super::matching::{Place, Point};
use super::statistics::calibration;
use super::table::Table;
use super::{Label, Wrong};

/// An event can be made of the alarms of a storm, or hidden among them, so far beyond
/// its edge, km, and so long before its first alarm, s.
const BEYOND_KM: f64 = 5.0;
const BEFORE_S: f64 = 15.0;

/// What was found within storms of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct StormScore {
    /// Storms, and how long they lasted together, hours.
    pub storms: usize,
    /// As above.
    pub hours: f64,
    /// Proposed events that are none, at 0.5 or more and at 0.9 or more.
    pub phantoms_50: usize,
    /// As above.
    pub phantoms_90: usize,
    /// The same by the hour of storm; none outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phantoms_50_per_hour: Option<f64>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phantoms_90_per_hour: Option<f64>,
    /// True events that must be found, and share of them that is.
    pub required: usize,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recall: Option<f64>,
    /// Proposed events, and what all probabilities of them are off by (15 bins of equal
    /// number), with what that is by chance alone.
    pub proposed: usize,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ece_equal_mass: Option<f64>,
    /// As above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ece_by_chance: Option<f64>,
}

/// The true events.
pub(crate) struct Of<'a> {
    /// All of them.
    pub true_points: &'a [Point],
    /// Those that must be found.
    pub required: &'a [usize],
    /// Which of all were.
    pub hit: &'a [bool],
}

/// A storm as it is listed.
struct Storm<'a> {
    kind: &'a str,
    from_s: f64,
    to_s: f64,
    x_km: f64,
    y_km: f64,
    radius_km: f64,
    /// km/s
    moves: (f64, f64),
}

impl Storm<'_> {
    fn holds(&self, point: Point) -> bool {
        let Place::Plane(x, y) = point.place else { return false };
        let t_s = point.t_s.clamp(self.from_s, self.to_s);
        let later_s = t_s - self.from_s;
        let off = (x - self.x_km - self.moves.0 * later_s, y - self.y_km - self.moves.1 * later_s);
        (self.from_s - BEFORE_S..self.to_s).contains(&point.t_s)
            && libm::hypot(off.0, off.1) < self.radius_km + BEYOND_KM
    }
}

/// Scores by kind of storm; what lies in two kinds counts in both.
pub(crate) fn storms(
    text: &str,
    of: &Of,
    points: &[Point],
    prob: &[f64],
    labels: &[Label],
) -> Result<BTreeMap<String, StormScore>, Wrong> {
    let table = Table::read("truth_storms.csv", text)?;
    let column = |name: &str| table.numbers(name);
    let (from, to) = (column("from_s")?, column("to_s")?);
    let (x, y, radius) = (column("x_km")?, column("y_km")?, column("radius_km")?);
    let (east, north) = (column("east_m_s")?, column("north_m_s")?);
    let all: Vec<Storm> = table
        .text("kind")?
        .into_iter()
        .enumerate()
        .map(|(i, kind)| Storm {
            kind,
            from_s: from[i],
            to_s: to[i],
            x_km: x[i],
            y_km: y[i],
            radius_km: radius[i],
            moves: (east[i] / 1e3, north[i] / 1e3),
        })
        .collect();
    let mut kinds: Vec<&str> = all.iter().map(|storm| storm.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut scores = BTreeMap::new();
    for kind in kinds.iter().copied().map(Some).chain([None]) {
        let these: Vec<&Storm> =
            all.iter().filter(|storm| kind.is_none_or(|kind| storm.kind == kind)).collect();
        let within = |point: &Point| these.iter().any(|storm| storm.holds(*point));
        let mut score = one(of, points, prob, labels, &within);
        score.storms = these.len();
        let seconds: f64 = these.iter().map(|storm| storm.to_s - storm.from_s).sum();
        let per_hour =
            |count: usize| Some(domain::probability::rounded(count as f64 * 3600.0 / seconds, 4));
        score.hours = domain::probability::rounded(seconds / 3600.0, 4);
        score.phantoms_50_per_hour = per_hour(score.phantoms_50);
        score.phantoms_90_per_hour = per_hour(score.phantoms_90);
        scores.insert(kind.unwrap_or("all").to_owned(), score);
    }
    let outside = |point: &Point| !all.iter().any(|storm| storm.holds(*point));
    scores.insert("outside".to_owned(), one(of, points, prob, labels, &outside));
    Ok(scores)
}

fn one(
    of: &Of,
    points: &[Point],
    prob: &[f64],
    labels: &[Label],
    within: &dyn Fn(&Point) -> bool,
) -> StormScore {
    let inside: Vec<usize> = (0..points.len()).filter(|j| within(&points[*j])).collect();
    let phantoms = |least: f64| {
        inside.iter().filter(|j| labels[**j] == Label::False && prob[**j] >= least).count()
    };
    let required: Vec<usize> =
        of.required.iter().copied().filter(|i| within(&of.true_points[*i])).collect();
    let found = required.iter().filter(|i| of.hit[**i]).count();
    let stated: Vec<f64> = inside.iter().map(|j| prob[*j]).collect();
    let real: Vec<bool> = inside.iter().map(|j| labels[*j] != Label::False).collect();
    let calibrated = calibration(&stated, &real);
    let round = |v| domain::probability::rounded(v, 4);
    StormScore {
        phantoms_50: phantoms(0.5),
        phantoms_90: phantoms(0.9),
        required: required.len(),
        recall: (!required.is_empty()).then(|| round(found as f64 / required.len() as f64)),
        proposed: inside.len(),
        ece_equal_mass: calibrated.as_ref().map(|c| round(c.ece_equal_mass)),
        ece_by_chance: calibrated.as_ref().map(|c| round(c.ece_by_chance)),
        ..StormScore::default()
    }
}
