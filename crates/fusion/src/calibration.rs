//! From what reasons add up to, to a probability that can be believed: a map of
//! log-odds, fitted where it is known what took place.
//!
//! Declared ratios take sources to be independent and reports to be as exact as
//! they say. Where incidents of one rest (the press alone, say) turn out real
//! more or less often than was stated, their log-odds are shifted and scaled; and
//! where a share of them is nothing of its own however much speaks for it (a second
//! incident of one occurrence, a quarry that sounds like a gun), belief has a ceiling.
//! The map is part of the priors and shows in the reasons of every incident.

use domain::SourceKind;
use domain::probability::rounded;
use serde::{Deserialize, Serialize};

/// Incidents of one rest below which nothing is fitted.
pub const LEAST: u64 = 30;

/// Standard deviations of the law that a shift (nats) and the logarithm of a
/// scale are presumed to follow: the declared ratios are right to a factor e or
/// so. Few incidents hardly move them from 0 and 1.
const SHIFT_SIGMA: f64 = 1.0;
const SCALE_SIGMA: f64 = 0.5;

/// What a ceiling lies below 1 on average, before anything is known; the steps
/// in which it is looked for; and the lowest.
const BELOW_1: f64 = 0.1;
const CEILING_STEP: f64 = 0.01;
const CEILING_STEPS: u32 = 70;

/// Steps of the fit; it stands still long before.
const STEPS: u32 = 100;

/// The map, and what it was fitted on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The missions whose incidents it was fitted on.
    pub missions: Vec<String>,
    /// The map, by what incidents rest on. What is not listed stays as declared.
    #[serde(default)]
    pub group: Vec<Group>,
}

/// The map of incidents that rest on the same kinds of sources: log-odds l
/// become the probability ceiling / (1 + exp(-(shift + scale l))).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The kinds of sources, in the order of the vocabulary.
    pub rests_on: Vec<SourceKind>,
    /// Nats.
    pub shift: f64,
    /// Above 0, so that more evidence never means less belief.
    pub scale: f64,
    /// In (0, 1]: what belief comes to at most.
    pub ceiling: f64,
    /// Incidents it was fitted on that were held against the truth of an exercise.
    pub made_up: u64,
    /// Incidents it was fitted on that officers ruled on.
    pub reviewed: u64,
}

/// An incident of which it is known whether it took place.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The kinds of sources that it rests on, sorted.
    pub rests_on: Vec<SourceKind>,
    /// What its reasons add up to before calibration, nats.
    pub log_odds: f64,
    /// P(it is no other incident), where the label asks for that; else 1.
    pub distinct: f64,
    /// Whether it took place.
    pub real: bool,
    /// True if officers ruled so; false if it is the truth of an exercise.
    pub reviewed: bool,
}

impl Group {
    /// What the map adds to log-odds, nats.
    pub fn adds(&self, log_odds: f64) -> f64 {
        let mapped = self.shift + self.scale * log_odds;
        if self.ceiling >= 1.0 {
            return mapped - log_odds;
        }
        // Log-odds of ceiling / (1 + exp(-mapped)).
        let against = 1.0 - self.ceiling + libm::exp(-mapped.max(-700.0));
        libm::log(self.ceiling) - libm::log(against) - log_odds
    }

    /// What it was fitted on, in words.
    pub fn fitted_on(&self) -> String {
        match (self.made_up, self.reviewed) {
            (made_up, 0) => format!("{made_up} incidents of exercises"),
            (0, reviewed) => format!("{reviewed} reviewed incidents"),
            (made_up, reviewed) => {
                format!("{made_up} incidents of exercises and {reviewed} reviewed ones")
            }
        }
    }
}

impl Calibration {
    /// The map of incidents that rest on these kinds of sources (sorted).
    pub fn of(&self, rests_on: &[SourceKind]) -> Option<&Group> {
        self.group.iter().find(|group| group.rests_on == rests_on)
    }

    /// P(an incident took place and is no other) under the map.
    pub fn states(&self, example: &Example) -> f64 {
        let adds = self.of(&example.rests_on).map_or(0.0, |group| group.adds(example.log_odds));
        example.distinct / (1.0 + libm::exp(-(example.log_odds + adds)))
    }

    /// The missions it was fitted on, in words: the first, and how many more.
    pub fn missions_in_short(&self) -> String {
        match self.missions.as_slice() {
            [] => "unnamed missions".to_owned(),
            [one] => one.clone(),
            [first, more @ ..] => format!("{first} and {} more", more.len()),
        }
    }

    /// Fits the map: every rest with enough incidents by itself.
    pub fn fit(missions: Vec<String>, examples: &[Example]) -> Self {
        let mut rests: Vec<&[SourceKind]> =
            examples.iter().map(|one| one.rests_on.as_slice()).collect();
        rests.sort_unstable();
        rests.dedup();
        let group = rests
            .into_iter()
            .filter_map(|rests_on| {
                let of: Vec<&Example> =
                    examples.iter().filter(|one| one.rests_on == rests_on).collect();
                let reviewed = of.iter().filter(|one| one.reviewed).count() as u64;
                let made_up = of.len() as u64 - reviewed;
                let (shift, scale, ceiling) = map_of(&of);
                (made_up + reviewed >= LEAST).then(|| Group {
                    rests_on: rests_on.to_vec(),
                    shift,
                    scale,
                    ceiling,
                    made_up,
                    reviewed,
                })
            })
            .collect();
        Self { missions, group }
    }
}

/// P(it took place and is no other) under a map, and its slope by log-odds.
fn stated(example: &Example, (shift, ln_scale): (f64, f64), ceiling: f64) -> (f64, f64) {
    let p = 1.0 / (1.0 + libm::exp(-(shift + libm::exp(ln_scale) * example.log_odds)));
    let most = ceiling * example.distinct;
    ((p * most).clamp(1e-9, 1.0 - 1e-9), most * p * (1.0 - p))
}

/// Log-posterior of a map, up to a constant.
fn support(examples: &[&Example], map: (f64, f64), ceiling: f64) -> f64 {
    let fit: f64 = examples
        .iter()
        .map(|one| {
            let (p, _) = stated(one, map, ceiling);
            libm::log(if one.real { p } else { 1.0 - p })
        })
        .sum();
    let square = |x: f64| x * x;
    fit - 0.5 * (square(map.0 / SHIFT_SIGMA) + square(map.1 / SCALE_SIGMA))
        - (1.0 - ceiling) / BELOW_1
}

/// The most probable shift, scale and ceiling. Without examples they are 0, 1, 1.
fn map_of(examples: &[&Example]) -> (f64, f64, f64) {
    let mut best = shift_and_scale(examples, 1.0);
    let mut ceiling = 1.0;
    for step in 1..=CEILING_STEPS {
        let lower = rounded(1.0 - f64::from(step) * CEILING_STEP, 4);
        let fitted = shift_and_scale(examples, lower);
        if fitted.1 > best.1 {
            (best, ceiling) = (fitted, lower);
        }
    }
    let ((shift, ln_scale), _) = best;
    (rounded(shift, 4), rounded(libm::exp(ln_scale), 4), ceiling)
}

/// The most probable shift and logarithm of the scale under a ceiling, and how
/// far they are supported: Fisher scoring, with steps halved until they help.
fn shift_and_scale(examples: &[&Example], ceiling: f64) -> ((f64, f64), f64) {
    let mut map = (0.0, 0.0);
    let mut now = support(examples, map, ceiling);
    for _ in 0..STEPS {
        // Slope of the log-posterior and its expected curvature, in shift (a)
        // and in the logarithm of the scale (b).
        let (mut a, mut b) =
            (-map.0 / (SHIFT_SIGMA * SHIFT_SIGMA), -map.1 / (SCALE_SIGMA * SCALE_SIGMA));
        let (mut aa, mut ab, mut bb) =
            (1.0 / (SHIFT_SIGMA * SHIFT_SIGMA), 0.0, 1.0 / (SCALE_SIGMA * SCALE_SIGMA));
        for one in examples {
            let (p, slope) = stated(one, map, ceiling);
            let variance = p * (1.0 - p);
            let by_b = libm::exp(map.1) * one.log_odds;
            let score = (f64::from(u8::from(one.real)) - p) / variance * slope;
            let weight = slope * slope / variance;
            a += score;
            b += score * by_b;
            aa += weight;
            ab += weight * by_b;
            bb += weight * by_b * by_b;
        }
        let determinant = aa * bb - ab * ab;
        let step = ((bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant);
        let mut share = 1.0;
        let better = loop {
            let next = (map.0 + share * step.0, map.1 + share * step.1);
            let then = support(examples, next, ceiling);
            if then > now + 1e-9 {
                break Some((next, then));
            }
            share *= 0.5;
            if share < 1e-6 {
                break None;
            }
        };
        let Some((next, then)) = better else { break };
        (map, now) = (next, then);
    }
    (map, now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn example(log_odds: f64, real: bool) -> Example {
        let rests_on = vec![SourceKind::Press];
        Example { rests_on, log_odds, distinct: 1.0, real, reviewed: false }
    }

    #[test]
    fn without_incidents_the_declared_ratios_stand() {
        assert_eq!(map_of(&[]), (0.0, 1.0, 1.0));
        assert!(Calibration::fit(vec![], &[]).group.is_empty());
        let few = vec![example(1.0, false); LEAST as usize - 1];
        assert!(Calibration::fit(vec![], &few).group.is_empty());
    }

    #[test]
    fn a_map_that_is_wrong_by_a_shift_and_a_scale_is_put_right() {
        // Real as often as 0.5 + 0.4 l says, whatever the reasons add up to.
        let mut examples = Vec::new();
        for step in -40_i32..=40 {
            let log_odds = f64::from(step) / 10.0;
            let share = 1.0 / (1.0 + libm::exp(-(0.5 + 0.4 * log_odds)));
            let real = libm::round(share * 200.0) as u32;
            examples.extend((0..200).map(|n| example(log_odds, n < real)));
        }
        let map = Calibration::fit(vec!["m".to_owned()], &examples);
        let group = map.of(&[SourceKind::Press]).unwrap();
        assert!((group.shift - 0.5).abs() < 0.02, "{group:?}");
        assert!((group.scale - 0.4).abs() < 0.02, "{group:?}");
        assert_eq!((group.made_up, group.reviewed), (16_200, 0));
        let told = map.states(&Example { distinct: 0.5, ..example(0.0, true) });
        assert!((told - 0.5 / (1.0 + libm::exp(-0.5))).abs() < 0.01, "{told}");
        assert!(map.of(&[SourceKind::Patrol]).is_none());
    }

    #[test]
    fn what_two_incidents_share_is_not_laid_to_the_map() {
        // Half of them are real, and that is what P(no other) says already.
        let of = |real| Example { distinct: 0.5, ..example(9.0, real) };
        let examples: Vec<Example> = (0..200).map(|n| of(n % 2 == 0)).collect();
        let refs: Vec<&Example> = examples.iter().collect();
        let (shift, scale, ceiling) = map_of(&refs);
        assert!((shift + scale * 9.0) > 4.0 && ceiling > 0.97, "{shift} {scale} {ceiling}");
    }

    #[test]
    fn a_share_that_is_wrong_however_much_speaks_for_it_is_a_ceiling() {
        let examples: Vec<Example> =
            (0..400).map(|n| example(f64::from(n % 20), n % 5 != 0)).collect();
        let map = Calibration::fit(vec![], &examples);
        let group = map.of(&[SourceKind::Press]).unwrap();
        assert!((0.76..0.86).contains(&group.ceiling), "{group:?}");
        let at_most = 19.0 + group.adds(19.0);
        assert!(at_most <= libm::log(group.ceiling / (1.0 - group.ceiling)) + 1e-9);
    }

    proptest! {
        /// The fit keeps the order of incidents, whatever it is fed, and few
        /// incidents move it less than many.
        #[test]
        fn the_map_rises_and_few_incidents_hardly_move_it(
            fed in prop::collection::vec((-12.0..12.0_f64, any::<bool>(), 0.01..1.0_f64), 0..40),
            a in -20.0..20.0_f64,
            b in -20.0..20.0_f64,
        ) {
            let fed: Vec<Example> = fed
                .into_iter()
                .map(|(log_odds, real, distinct)| Example { distinct, ..example(log_odds, real) })
                .collect();
            let refs: Vec<&Example> = fed.iter().collect();
            let (shift, scale, ceiling) = map_of(&refs);
            prop_assert!(shift.is_finite() && scale > 0.0 && ceiling > 0.0 && ceiling <= 1.0);
            let group = Group {
                rests_on: vec![SourceKind::Press], shift, scale, ceiling, made_up: 0, reviewed: 0,
            };
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(low + group.adds(low) <= high + group.adds(high) + 1e-9);
            // It never fits worse than the declared ratios.
            let fitted = support(&refs, (shift, libm::log(scale)), ceiling);
            prop_assert!(fitted >= support(&refs, (0.0, 0.0), 1.0) - 0.01);
            let one: Vec<&Example> = refs.iter().take(1).copied().collect();
            let (shift, scale, ceiling) = map_of(&one);
            prop_assert!(
                shift.abs() <= 1.0 && libm::log(scale).abs() <= 1.5 && ceiling > 0.5,
                "{shift} {scale} {ceiling}"
            );
        }
    }
}
