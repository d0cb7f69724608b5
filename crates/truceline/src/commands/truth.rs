//! What a made-up set says of itself: the events of its `truth.csv`, and which
//! events of an engine are they.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use associate::plane::Plane;

/// How far apart two events may be and still be the same.
#[derive(Clone, Copy)]
pub(super) struct Same {
    /// In time, s.
    pub s: f64,
    /// In place, metres.
    pub m: f64,
}

/// A true event.
struct True {
    t_s: f64,
    lat: f64,
    lon: f64,
    kind: Option<String>,
}

/// The true event that an event is.
pub(super) struct Match {
    /// What it was, if the set says.
    pub kind: Option<String>,
    /// Where it was found, from where it was, metres east and north.
    pub off: (f64, f64),
}

/// Pairs the events that were found - time, latitude and longitude - with those of the set one to
/// one, nearest first.
pub(super) fn matches(
    set: &Path,
    found: &[(f64, f64, f64)],
    same: Same,
) -> Result<Vec<Option<Match>>> {
    let path = set.join("truth.csv");
    let mut truth = read(&path)?;
    let Some(first) = truth.first() else { bail!("{}: no events", path.display()) };
    let plane = Plane::new(first.lat, first.lon);
    truth.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
    let places: Vec<(f64, f64)> = truth.iter().map(|t| plane.forward(t.lat, t.lon)).collect();
    let mut pairs = Vec::new();
    for (i, (t_s, lat, lon)) in found.iter().enumerate() {
        let (x, y) = plane.forward(*lat, *lon);
        let from = truth.partition_point(|t| t.t_s < t_s - same.s);
        let until = truth.partition_point(|t| t.t_s <= t_s + same.s);
        for j in from..until {
            let off = (x - places[j].0, y - places[j].1);
            let d = libm::hypot(off.0, off.1);
            if d <= same.m {
                pairs.push(((t_s - truth[j].t_s).abs() / same.s + d / same.m, i, j, off));
            }
        }
    }
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut matches: Vec<Option<Match>> = found.iter().map(|_| None).collect();
    let mut taken = vec![false; truth.len()];
    for (_, i, j, off) in pairs {
        if matches[i].is_none() && !taken[j] {
            matches[i] = Some(Match { kind: truth[j].kind.clone(), off });
            taken[j] = true;
        }
    }
    Ok(matches)
}

/// Squared length of an offset in the errors of a covariance (east-east, east-north, north-north).
pub(super) fn in_errors((east, north): (f64, f64), [ee, en, nn]: [f64; 3]) -> f64 {
    (nn * east * east - 2.0 * en * east * north + ee * north * north)
        / (ee * nn - en * en).max(1e-9)
}

/// Squared distance, in errors, that 90 % of a normal law in the plane stay within.
const NINETY: f64 = 4.605;

/// The factor with which 90 % of events lie in their 90 % ellipse, from the squared
/// distances to their truth, in errors, each with a weight.
pub(super) fn inflation(mut offs: Vec<(f64, f64)>) -> f64 {
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

fn read(path: &Path) -> Result<Vec<True>> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|c| *c == name)
            .with_context(|| format!("{}: line 1 has no column `{name}`", path.display()))
    };
    let (t, lat, lon) = (column("t_s")?, column("lat")?, column("lon")?);
    let kind = column("type").ok();
    let mut truth = Vec::new();
    for (i, line) in lines.enumerate() {
        let f: Vec<&str> = line.split(',').collect();
        let number = |at: usize| -> Result<f64> {
            f.get(at).and_then(|v| v.parse().ok()).with_context(|| {
                format!("{}: line {}: column {} is not a number", path.display(), i + 2, at + 1)
            })
        };
        let kind = kind.and_then(|at| f.get(at)).map(|kind| (*kind).to_owned());
        truth.push(True { t_s: number(t)?, lat: number(lat)?, lon: number(lon)?, kind });
    }
    Ok(truth)
}
