//! What shook the ground, by its depth. Depth is all that first arrivals tell:
//! what people set off is at the surface, earthquakes lie anywhere below. The
//! shares before that are a part of the model, and alike until a network knows
//! better.

use serde::{Deserialize, Serialize};

/// Errors of the velocity model move depths by so much beside those of picks, km.
const MODEL_KM: f64 = 3.0;
/// A share below this is not worth telling.
const LEAST: f64 = 0.005;

/// A kind of source of waves in the ground.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseKind {
    /// Name, such as `quarry` or `earthquake`; several entries may share it.
    pub kind: String,
    /// Share among the events that a network picks.
    pub share: f64,
    /// Greatest depth, km, down to which it is alike likely; none: as deep as
    /// sources are sought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deepest_km: Option<f64>,
}

/// The kinds of a network of which nothing is known: people and the earth alike,
/// among people all kinds alike, and half of the earthquakes in the upper crust.
pub(crate) fn unknown() -> Vec<PhaseKind> {
    let kind = |(kind, share, deepest_km): (&str, f64, Option<f64>)| PhaseKind {
        kind: kind.to_owned(),
        share,
        deepest_km,
    };
    // The deepest open pits and mines.
    let surface = Some(1.0);
    [
        ("explosion", 1.0 / 6.0, surface),
        ("controlled_blast", 1.0 / 6.0, surface),
        ("quarry", 1.0 / 6.0, surface),
        ("earthquake", 0.25, Some(15.0)),
        ("earthquake", 0.25, None),
    ]
    .map(kind)
    .into()
}

/// Names with their shares, each once, likeliest first.
pub(crate) fn made_by<'k>(kinds: &'k [PhaseKind], shares: &[f64]) -> Vec<(&'k str, f64)> {
    let mut of: Vec<(&str, f64)> = Vec::new();
    for (kind, share) in kinds.iter().zip(shares).filter(|(_, share)| **share > 0.0) {
        match of.iter_mut().find(|(name, _)| *name == kind.kind) {
            Some((_, sum)) => *sum += share,
            None => of.push((&kind.kind, *share)),
        }
    }
    of.sort_by(|a, b| b.1.total_cmp(&a.1));
    of
}

/// How likely each kind is at a depth with an error, km, in the order of the list.
pub(crate) fn posterior(
    kinds: &[PhaseKind],
    depth_km: f64,
    sigma_km: f64,
    deepest_km: f64,
) -> Vec<f64> {
    let sigma = (sigma_km * sigma_km + MODEL_KM * MODEL_KM).sqrt();
    // Mean over the depths of a kind of the likelihood that the picks give a depth.
    let fit = |bottom: f64| {
        let bottom = bottom.max(1e-3);
        let below = |z: f64| libm::erf((z - depth_km) / (sigma * std::f64::consts::SQRT_2));
        ((below(bottom) - below(0.0)) * sigma / bottom).max(1e-300)
    };
    let weights: Vec<f64> =
        kinds.iter().map(|k| k.share * fit(k.deepest_km.unwrap_or(deepest_km))).collect();
    let sum: f64 = weights.iter().sum();
    let told = |w: &f64| if w / sum < LEAST { 0.0 } else { w / sum };
    let shares: Vec<f64> = weights.iter().map(told).collect();
    let kept: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / kept).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_deep_is_an_earthquake_and_what_is_not_known_is_anything() {
        let of = |depth, sigma| posterior(&unknown(), depth, sigma, 60.0);
        assert_eq!(of(60.0, 3.0), [0.0, 0.0, 0.0, 0.0, 1.0]);
        for (kind, share) in unknown().iter().zip(of(30.0, 1_000.0)) {
            assert!((share - kind.share).abs() < 0.01, "{kind:?} {share}");
        }
        let kinds = unknown();
        let shallow = made_by(&kinds, &of(1.0, 1.0));
        assert_eq!(shallow.len(), 4, "{shallow:?}");
        assert!(shallow.iter().all(|(_, share)| *share > 0.1), "{shallow:?}");
    }

    proptest! {
        #[test]
        fn shares_add_up_and_depth_never_speaks_for_the_surface(
            depth in 0.0..250.0_f64, more in 0.0..50.0_f64, sigma in 0.0..100.0_f64
        ) {
            let of = |depth| posterior(&unknown(), depth, sigma, 300.0);
            let (a, b) = (of(depth), of(depth + more));
            prop_assert!((a.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            prop_assert!(b[0] <= a[0] + 1e-6, "{a:?} {b:?}");
        }
    }
}
