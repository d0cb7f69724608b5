//! What made a sound: how likely each kind of source is, by the level of an
//! event and by how soon another came from the same place. Innocent kinds -
//! thunder, quarries, controlled blasts - stand in the list beside the weapons,
//! so that a reader sees what else it may have been.

use serde::{Deserialize, Serialize};

use crate::math;

/// Limits of the classes of spacing, s: salvos of rockets, guns, mortars and
/// guns, slow fire; beyond the last no other event counts as near.
pub const SPACING_S: [f64; 4] = [1.3, 3.0, 5.5, 25.0];
/// Classes of spacing; the last is for events that came alone.
pub const SPACINGS: usize = SPACING_S.len() + 1;
/// Events within so far of each other are from one place, metres.
pub(crate) const PLACE_M: f64 = 400.0;
/// Spread of levels of a kind before any was heard, dB, and the events it weighs as much as.
const PRIOR_SD_DB: f64 = 4.0;
const PRIOR_WEIGHT: f64 = 4.0;
/// Shares below this are not worth telling.
const LEAST: f64 = 0.005;

/// What is known of a kind of source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Name, such as `artillery` or `thunder`.
    pub kind: String,
    /// Share among the events that a network hears.
    pub share: f64,
    /// Level, dB at 1 km, as an engine finds it: mean and standard deviation.
    pub level_db: f64,
    /// As above.
    pub level_sd_db: f64,
    /// How often the nearest other event of its place is how far away in time,
    /// by the classes of [`SPACING_S`].
    pub spacing: [f64; SPACINGS],
}

/// Class of a spacing, s; none if the event came alone.
pub fn spacing_class(spacing_s: Option<f64>) -> usize {
    spacing_s.map_or(SPACINGS - 1, |s| SPACING_S.iter().filter(|limit| s >= **limit).count())
}

/// How likely each kind is, in the order of the list; empty if the list is.
/// A level that no kind has leaves the shares as they are.
pub fn posterior(kinds: &[Kind], level_db: f64, spacing_s: Option<f64>) -> Vec<f64> {
    let class = spacing_class(spacing_s);
    let logs: Vec<f64> = kinds
        .iter()
        .map(|kind| {
            let sd = kind.level_sd_db.max(0.5);
            let off = (level_db - kind.level_db) / sd;
            // Student with 5 degrees: levels far off say little, not all.
            let level = -3.0 * math::ln(1.0 + off * off / 5.0) - math::ln(sd);
            math::ln(kind.share.max(1e-9)) + level + math::ln(kind.spacing[class].max(1e-9))
        })
        .collect();
    let top = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|l| math::exp(l - top)).collect();
    let sum: f64 = weights.iter().sum();
    let mut shares: Vec<f64> = weights.iter().map(|w| w / sum).collect();
    let mut kept = 0.0;
    for share in &mut shares {
        if *share < LEAST {
            *share = 0.0;
        }
        kept += *share;
    }
    shares.into_iter().map(|share| share / kept).collect()
}

/// Learns kinds from events of which it is known what they were: name, level
/// and spacing as the engine found them, and a weight. In the order of names.
pub fn fit(events: &[(String, f64, Option<f64>, f64)]) -> Vec<Kind> {
    let total: f64 = events.iter().map(|e| e.3).sum();
    let mut names: Vec<&str> = events.iter().map(|e| e.0.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let places = |value: f64, unit: f64| libm::round(value * unit) / unit;
    names
        .into_iter()
        .map(|name| {
            let of = || events.iter().filter(|e| e.0 == name);
            let weight: f64 = of().map(|e| e.3).sum();
            let mean = of().map(|e| e.3 * e.1).sum::<f64>() / weight;
            let squares: f64 = of().map(|e| e.3 * (e.1 - mean) * (e.1 - mean)).sum();
            let var =
                (squares + PRIOR_WEIGHT * PRIOR_SD_DB * PRIOR_SD_DB) / (weight + PRIOR_WEIGHT);
            // One event of each class beside what was seen.
            let mut spacing = [1.0; SPACINGS];
            of().for_each(|e| spacing[spacing_class(e.2)] += e.3);
            let sum: f64 = spacing.iter().sum();
            Kind {
                kind: name.to_owned(),
                share: places(weight / total, 1e4),
                level_db: places(mean, 1e2),
                level_sd_db: places(var.sqrt(), 1e2),
                spacing: spacing.map(|s| places(s / sum, 1e4)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> Vec<Kind> {
        let mut events = Vec::new();
        for i in 0..60 {
            let wobble = f64::from(i % 7) - 3.0;
            events.push(("artillery".to_owned(), 114.0 + wobble, Some(3.5), 1.0));
            events.push(("small_arms".to_owned(), 92.0 + wobble, None, 0.5));
            events.push(("rocket".to_owned(), 112.0 + wobble, Some(0.7), 0.5));
        }
        fit(&events)
    }

    #[test]
    fn level_and_spacing_tell_kinds_apart() {
        let kinds = kinds();
        let likeliest = |level, spacing| {
            let shares = posterior(&kinds, level, spacing);
            let at = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap();
            (kinds[at].kind.as_str(), shares[at])
        };
        assert_eq!(likeliest(91.0, None).0, "small_arms");
        assert_eq!(likeliest(113.0, Some(0.8)).0, "rocket");
        assert_eq!(likeliest(113.0, Some(3.2)).0, "artillery");
    }

    proptest! {
        #[test]
        fn shares_add_up_whatever_the_level(
            level in -1e6..1e6, spacing in proptest::option::of(0.0..1e4)
        ) {
            let shares = posterior(&kinds(), level, spacing);
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)));
        }
    }
}
