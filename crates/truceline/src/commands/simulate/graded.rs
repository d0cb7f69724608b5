//! The releases of one grade as a solution that can be scored: what was said of each
//! event, and which detections it had, when it was first released so.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// What is needed of a line of releases.ndjson.
#[derive(Deserialize)]
struct Line {
    event: String,
    grade: String,
    known_s: f64,
    t_s: f64,
    lat: f64,
    lon: f64,
    probability: f64,
    covariance_m2: [f64; 3],
    level_db: Option<f64>,
    detections: Vec<String>,
}

/// The texts of `events.csv` and of `assoc.csv`.
pub(super) fn read(solution: &Path, grade: &str) -> Result<(String, String)> {
    let path = solution.join("releases.ndjson");
    let text = fs::read_to_string(&path).with_context(|| {
        format!("reading {}, which `truceline associate --releases` writes", path.display())
    })?;
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line: Line = serde_json::from_str(line)
            .with_context(|| format!("{}: line {number}: not a release", path.display()))?;
        if line.grade == grade {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        bail!("{}: no release has the grade `{grade}`", path.display());
    }
    let has_level = lines.iter().all(|line| line.level_db.is_some());
    let mut events = String::from("event,t_s,lat,lon,prob,c_xx,c_xy,c_yy,t_emit");
    events += if has_level { ",level_db\n" } else { "\n" };
    let mut assoc = String::from("det,event\n");
    for line in &lines {
        let Line { event, t_s, lat, lon, probability, known_s, .. } = line;
        let [xx, xy, yy] = line.covariance_m2;
        events += &format!("{event},{t_s},{lat},{lon},{probability},{xx},{xy},{yy},{known_s}");
        if let Some(level_db) = line.level_db.filter(|_| has_level) {
            events += &format!(",{level_db}");
        }
        events += "\n";
        for detection in &line.detections {
            assoc += &format!("{detection},{event}\n");
        }
    }
    Ok((events, assoc))
}
