//! How often a solution falls for what was made up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::matching::{Point, Tolerance};
use super::statistics::wilson_95;
use super::table::Table;
use super::{Label, Wrong};

/// Made-up rounds of one kind, and the solution's events in their place.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AttackScore {
    /// Made-up rounds.
    pub rounds: usize,
    /// Of those, the ones that the solution takes for real at 0.5 or more.
    pub believed_50: usize,
    /// At 0.9 or more.
    pub believed_90: usize,
    /// Share at 0.5 or more, with the interval that holds it with 95 %.
    pub rate_50: (f64, f64, f64),
    /// The same at 0.9 or more.
    pub rate_90: (f64, f64, f64),
}

pub(crate) fn attacks(
    text: &str,
    points: &[Point],
    prob: &[f64],
    labels: &[Label],
    tolerance: Tolerance,
) -> Result<BTreeMap<String, AttackScore>, Wrong> {
    let table = Table::read("truth_attacks.csv", text)?;
    let kinds = table.text("kind")?;
    let attacks = super::points(&table, None)?;
    // Events that are true do not count, however near.
    let mut by_time: Vec<usize> =
        (0..points.len()).filter(|j| labels[*j] == Label::False).collect();
    by_time.sort_by(|a, b| points[*a].t_s.total_cmp(&points[*b].t_s));
    let mut scores: BTreeMap<String, AttackScore> = BTreeMap::new();
    for (attack, kind) in attacks.iter().zip(kinds) {
        let from = by_time.partition_point(|j| points[*j].t_s < attack.t_s - tolerance.t_s);
        let most = by_time[from..]
            .iter()
            .take_while(|j| points[**j].t_s <= attack.t_s + tolerance.t_s)
            .filter(|j| tolerance.cost(*attack, points[**j]).is_some())
            .map(|j| prob[*j])
            .fold(0.0, f64::max);
        let score = scores.entry(kind.to_owned()).or_default();
        score.rounds += 1;
        score.believed_50 += usize::from(most >= 0.5);
        score.believed_90 += usize::from(most >= 0.9);
    }
    for score in scores.values_mut() {
        let rate = |count: usize| {
            let (low, high) = wilson_95(count, score.rounds);
            let round = |v| domain::probability::rounded(v, 4);
            (round(count as f64 / score.rounds as f64), round(low), round(high))
        };
        (score.rate_50, score.rate_90) = (rate(score.believed_50), rate(score.believed_90));
    }
    Ok(scores)
}
