//! Detections: which belongs to which event.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::table::Table;
use super::{Label, Rules, Wrong, precision_recall};

/// The score of detections.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Picks {
    /// Share of assigned detections that are assigned rightly.
    pub pick_precision: f64,
    /// Share of the detections of required events that are.
    pub pick_recall: f64,
    /// Harmonic mean of the two.
    pub pick_f1: f64,
    /// Share of links from thermal pixels that are right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thermal_link_precision: Option<f64>,
    /// Share of thermal pixels with a required event that are linked rightly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thermal_link_recall: Option<f64>,
    /// The same for reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_link_precision: Option<f64>,
    /// The same for reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_link_recall: Option<f64>,
    /// Events that share six tenths of their detections with a true one.
    pub iou06_precision: f64,
    /// As above.
    pub iou06_recall: f64,
    /// As above.
    pub iou06_f1: f64,
}

/// Share of common detections from which on an event is the same.
const SAME: f64 = 0.6;

/// What is known of both sides.
pub(crate) struct Judged<'a> {
    pub(crate) truth: &'a Table<'a>,
    pub(crate) events: &'a Table<'a>,
    pub(crate) labels: &'a [Label],
    pub(crate) n_det: &'a [f64],
    pub(crate) prob: &'a [f64],
    pub(crate) rules: &'a Rules,
}

/// Detections with the index of their event, looked up by detection. Sorted
/// rows and not a map: there may be eight million.
struct Owners<'a>(Vec<(&'a str, usize)>);

impl<'a> Owners<'a> {
    /// Of rows with one detection the last one counts.
    fn new(rows: impl Iterator<Item = (&'a str, usize)>) -> Self {
        let mut all: Vec<(&str, usize)> = rows.collect();
        all.sort_by_key(|(detection, _)| *detection);
        all.reverse();
        all.dedup_by_key(|(detection, _)| *detection);
        all.reverse();
        Self(all)
    }

    fn of(&self, detection: &str) -> Option<usize> {
        let at = self.0.binary_search_by_key(&detection, |(known, _)| *known).ok()?;
        Some(self.0[at].1)
    }
}

fn index_of<'a>(table: &Table<'a>) -> Result<BTreeMap<&'a str, usize>, Wrong> {
    Ok(table.text("event")?.into_iter().enumerate().map(|(index, id)| (id, index)).collect())
}

/// Whether the name of a row is a letter and a number, as those of thermal pixels
/// (`T12`) and reports (`R12`) are.
fn is_named(row: &str, letter: char) -> bool {
    row.strip_prefix(letter).is_some_and(|rest| rest.parse::<u64>().is_ok())
}

/// Whether a row is a detection at a station, however it is named.
fn detected(row: &str) -> bool {
    !is_named(row, 'T') && !is_named(row, 'R')
}

pub(crate) fn picks(
    truth_assoc: &str,
    assoc: &str,
    judged: &Judged,
    required: usize,
) -> Result<Picks, Wrong> {
    let truth_assoc = Table::read("truth_assoc.csv", truth_assoc)?;
    let assoc = Table::read("assoc.csv", assoc)?;
    let (true_id, id) = (index_of(judged.truth)?, index_of(judged.events)?);
    let true_rows: Vec<(&str, usize)> = truth_assoc
        .text("det")?
        .into_iter()
        .zip(truth_assoc.text("event")?)
        .filter_map(|(detection, event)| Some((detection, *true_id.get(event)?)))
        .collect();
    let rows: Vec<(&str, usize)> = assoc
        .text("det")?
        .into_iter()
        .zip(assoc.text("event")?)
        .filter_map(|(detection, event)| Some((detection, *id.get(event)?)))
        .collect();
    let must = |event: usize| judged.n_det[event] >= judged.rules.min_det;
    let owners = Owners::new(true_rows.iter().copied().filter(|(d, _)| detected(d)));
    let assigned = Owners::new(
        rows.iter().copied().filter(|(d, j)| detected(d) && judged.prob[*j] >= judged.rules.prob),
    );

    let (mut good, mut good_required) = (0, 0);
    let mut own: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
    for (detection, j) in &assigned.0 {
        let owner = owners.of(detection);
        own.entry(*j).or_default().push(owner);
        if owner.is_some() && judged.labels[*j].event() == owner {
            good += 1;
            good_required += usize::from(owner.is_some_and(must));
        }
    }
    let want = owners.0.iter().filter(|(_, event)| must(*event)).count();
    let pick_precision = f64::from(good) / assigned.0.len().max(1) as f64;
    let pick_recall = good_required as f64 / want.max(1) as f64;
    let mut picks = Picks {
        pick_precision,
        pick_recall,
        pick_f1: 2.0 * pick_precision * pick_recall / (pick_precision + pick_recall).max(1e-12),
        ..Picks::default()
    };
    (picks.thermal_link_precision, picks.thermal_link_recall) =
        links('T', &true_rows, &rows, judged);
    (picks.report_link_precision, picks.report_link_recall) = links('R', &true_rows, &rows, judged);

    let mut size: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, event) in &owners.0 {
        *size.entry(*event).or_default() += 1;
    }
    // In the order in which the solution first names them.
    let mut seen = BTreeSet::new();
    let order: Vec<usize> =
        rows.iter().map(|(_, j)| *j).filter(|j| own.contains_key(j) && seen.insert(*j)).collect();
    let mut taken = BTreeSet::new();
    let (mut same, mut same_optional) = (0, 0);
    for j in order {
        let mut common: BTreeMap<usize, usize> = BTreeMap::new();
        for event in own[&j].iter().flatten() {
            *common.entry(*event).or_default() += 1;
        }
        let mut best = None;
        for (event, count) in common {
            if best.is_none_or(|(_, most)| count > most) {
                best = Some((event, count));
            }
        }
        let Some((event, count)) = best else { continue };
        let of = own[&j].len().max(size[&event]);
        if count as f64 / of as f64 >= SAME && taken.insert(event) {
            if must(event) { same += 1 } else { same_optional += 1 }
        }
    }
    let chosen = judged.prob.iter().filter(|p| **p >= judged.rules.prob).count();
    let others = chosen.saturating_sub(same + same_optional);
    (picks.iou06_precision, picks.iou06_recall, picks.iou06_f1) =
        precision_recall(same, others, required - same);
    Ok(picks)
}

/// Precision and recall of links from pixels or reports. A link is right if it
/// points at an event that is one of the true ones behind the observation.
fn links(
    letter: char,
    true_rows: &[(&str, usize)],
    rows: &[(&str, usize)],
    judged: &Judged,
) -> (Option<f64>, Option<f64>) {
    let mut behind: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (observation, event) in true_rows.iter().filter(|(o, _)| is_named(o, letter)) {
        behind.entry(*observation).or_default().insert(*event);
    }
    let need: BTreeSet<&str> = behind
        .iter()
        .filter(|(_, events)| events.iter().any(|e| judged.n_det[*e] >= judged.rules.min_det))
        .map(|(observation, _)| *observation)
        .collect();
    let all: Vec<_> = rows.iter().filter(|(o, _)| is_named(o, letter)).collect();
    if need.is_empty() && all.is_empty() {
        return (None, None);
    }
    let right: Vec<&str> = all
        .iter()
        .filter(|(observation, j)| {
            let event = judged.labels[*j].event();
            event.is_some_and(|e| behind.get(observation).is_some_and(|of| of.contains(&e)))
        })
        .map(|(observation, _)| *observation)
        .collect();
    let linked: BTreeSet<&str> = right.iter().copied().filter(|o| need.contains(o)).collect();
    (
        Some(right.len() as f64 / all.len().max(1) as f64),
        Some(linked.len() as f64 / need.len().max(1) as f64),
    )
}
