//! A dead sensor looks like peace (VERIFICATION D17): how much a source usually
//! delivers, and the days on which it fell below that by more than chance.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::probability::gamma_poisson_tail;
use domain::state::SourceState;
use jiff::civil::Date;

/// A day counts as out of control if so few rows had at most this chance.
const LIMIT: f64 = 0.001;

/// Days before that tell what is usual.
const USUAL_DAYS: usize = 28;

/// With fewer of them nothing is known to be usual.
const LEAST_DAYS: usize = 7;

/// A drop of a source beyond its control limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SourceChange {
    /// Rows of the day.
    pub rows: u64,
    /// Rows that were usual on the days before: their mean.
    pub usual: f64,
}

impl SourceChange {
    /// In words, after the name of the source.
    pub fn words(&self) -> String {
        let rows = match self.rows {
            0 => "no row".to_owned(),
            1 => "one row".to_owned(),
            many => format!("{many} rows"),
        };
        format!("delivered {rows} where {:.0} a day are usual", self.usual)
    }
}

/// The days of a source that fall below its control limits. What is usual is
/// told by the observed days before that were not out of control themselves:
/// a Gamma-Poisson model with their mean and variance, so that a source whose
/// volume varies much is not suspected soon. A day on which the source was
/// known not to look needs no suspicion, and gives none.
pub fn changes(source: &SourceState) -> BTreeMap<Date, SourceChange> {
    let mut changes = BTreeMap::new();
    let mut before: Vec<f64> = Vec::new();
    for (day, counts) in &source.days {
        if counts.effort.state != DayState::Observed {
            continue;
        }
        let recent = &before[before.len().saturating_sub(USUAL_DAYS)..];
        if let Some(usual) = unusual(recent, counts.rows) {
            changes.insert(*day, SourceChange { rows: counts.rows, usual });
            continue;
        }
        before.push(counts.rows as f64);
    }
    changes
}

/// The mean of the days before, if so few rows are no chance.
fn unusual(before: &[f64], rows: u64) -> Option<f64> {
    if before.len() < LEAST_DAYS {
        return None;
    }
    let days = before.len() as f64;
    let mean = before.iter().sum::<f64>() / days;
    if rows as f64 >= mean || mean <= 0.0 {
        return None;
    }
    let variance =
        before.iter().map(|rows| (rows - mean) * (rows - mean)).sum::<f64>() / (days - 1.0);
    // By moments; where the days vary no more than chance makes them, nearly Poisson.
    let shape = if variance > mean { mean * mean / (variance - mean) } else { 1e6 };
    let at_most = 1.0 - gamma_poisson_tail(rows + 1, shape, shape / mean).get();
    (at_most < LIMIT).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_beyond_chance_is_unusual_and_a_variable_source_is_not_suspected() {
        let steady = [40.0, 35.0, 44.0, 38.0, 41.0, 37.0, 45.0, 39.0];
        assert!(unusual(&steady, 0).is_some());
        assert!(unusual(&steady, 12).is_some());
        assert_eq!(unusual(&steady, 30), None);
        assert_eq!(unusual(&steady, 80), None, "more is no drop");
        let bursts = [0.0, 120.0, 3.0, 0.0, 60.0, 1.0, 0.0, 90.0];
        assert_eq!(unusual(&bursts, 0), None);
        assert_eq!(unusual(&steady[..6], 0), None, "too few days to know");
        assert_eq!(unusual(&[3.0; 10], 0), None, "three a day fail to come by chance");
    }
}
