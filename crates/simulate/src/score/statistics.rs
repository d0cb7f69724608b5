//! Quantiles, calibration and intervals.

use serde::Serialize;

/// A quantile, linear between the values (the usual type 7); `None` without
/// finite values.
pub(crate) fn quantile(values: &[f64], at: f64) -> Option<f64> {
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    finite.sort_by(f64::total_cmp);
    let along = at * (finite.len() - 1) as f64;
    let low = along as usize;
    let high = (low + 1).min(finite.len() - 1);
    Some(finite[low] + (along - low as f64) * (finite[high] - finite[low]))
}

/// Mean; NaN of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for value in values {
        sum += value;
        count += 1.0;
    }
    sum / count
}

/// How far probabilities can be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Brier score.
    pub brier: f64,
    /// Log loss, nats.
    pub log_loss: f64,
    /// Expected calibration error, 15 bins of equal number.
    pub ece_equal_mass: f64,
    /// What that error is on average by chance alone, if every probability is exactly
    /// right: so few events cannot tell a smaller one.
    pub ece_by_chance: f64,
    /// Expected calibration error, 10 bins of equal width.
    pub ece_equal_width: f64,
    /// Bins of equal width: mean probability, share that is real, number.
    pub reliability: Vec<(f64, f64, usize)>,
    /// Mean of what is stated, to be held against [`Self::base_rate`]: more than that is
    /// too sure.
    pub mean_stated: f64,
    /// Share of proposed events that are real.
    pub base_rate: f64,
}

/// Probabilities against what is real. Equal probabilities stay in their order.
pub(crate) fn calibration(prob: &[f64], real: &[bool]) -> Option<Calibration> {
    let n = prob.len();
    if n == 0 {
        return None;
    }
    let p: Vec<f64> = prob.iter().map(|p| p.clamp(1e-6, 1.0 - 1e-6)).collect();
    let y: Vec<f64> = real.iter().map(|r| f64::from(u8::from(*r))).collect();
    let of = |bin: &[usize]| {
        (mean(bin.iter().map(|i| p[*i])), mean(bin.iter().map(|i| y[*i])), bin.len())
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let bins = (n / 20).clamp(1, 15);
    let (mut ece_equal_mass, mut ece_by_chance) = (0.0, 0.0);
    let mut from = 0;
    for bin in 0..bins {
        // The first bins take one more each until the remainder is used up.
        let to = from + n / bins + usize::from(bin < n % bins);
        let (expected, found, count) = of(&order[from..to]);
        ece_equal_mass += count as f64 * libm::fabs(expected - found) / n as f64;
        let stated: Vec<f64> = order[from..to].iter().map(|i| p[*i]).collect();
        ece_by_chance += chance_gap(&stated) / n as f64;
        from = to;
    }
    let mut reliability = Vec::new();
    let mut ece_equal_width = 0.0;
    for bin in 0..10 {
        let (low, high) = (f64::from(bin) / 10.0, f64::from(bin + 1) / 10.0);
        let inside: Vec<usize> = (0..n).filter(|i| p[*i] >= low && p[*i] < high).collect();
        if !inside.is_empty() {
            let (expected, found, count) = of(&inside);
            ece_equal_width += count as f64 * libm::fabs(expected - found) / n as f64;
            reliability.push((
                domain::probability::rounded(expected, 3),
                domain::probability::rounded(found, 3),
                count,
            ));
        }
    }
    Some(Calibration {
        brier: mean((0..n).map(|i| (p[i] - y[i]) * (p[i] - y[i]))),
        log_loss: mean(
            (0..n).map(|i| -(y[i] * libm::log(p[i]) + (1.0 - y[i]) * libm::log(1.0 - p[i]))),
        ),
        ece_equal_mass,
        ece_by_chance,
        ece_equal_width,
        reliability,
        mean_stated: mean(p.iter().copied()),
        base_rate: mean(y.iter().copied()),
    })
}

/// How far on average the number of things that come true is from the sum of their
/// probabilities, if each is right: the mean absolute deviation of a Poisson binomial
/// law, summed over its counts.
fn chance_gap(p: &[f64]) -> f64 {
    // The rarer of the two outcomes is counted.
    let rare = p.iter().sum::<f64>() * 2.0 <= p.len() as f64;
    let of = |p: &f64| if rare { *p } else { 1.0 - p };
    let sum: f64 = p.iter().map(of).sum();
    let variance: f64 = p.iter().map(|p| p * (1.0 - p)).sum();
    // Beyond ten deviations there is nothing.
    let most = (sum + 10.0 * variance.sqrt() + 20.0) as usize;
    let mut law = vec![0.0; most.min(p.len()) + 1];
    law[0] = 1.0;
    for p in p.iter().map(of) {
        for k in (1..law.len()).rev() {
            law[k] = law[k] * (1.0 - p) + law[k - 1] * p;
        }
        law[0] *= 1.0 - p;
    }
    law.iter().enumerate().map(|(k, share)| share * libm::fabs(k as f64 - sum)).sum()
}

/// The interval that holds a share with 95 %, from successes among trials
/// (Wilson 1927, J. Am. Stat. Assoc. 22, 209).
pub fn wilson_95(successes: usize, trials: usize) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (n, z) = (trials as f64, 1.959_963_985);
    let p = successes as f64 / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_values() {
        assert_eq!(quantile(&[3.0, 1.0, f64::NAN, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[0.0, 10.0], 0.9), Some(9.0));
        assert_eq!(quantile(&[f64::NAN], 0.5), None);
    }

    #[test]
    fn the_interval_is_as_published() {
        // Newcombe 1998, Statistics in Medicine 17, 857, table I: 81 of 263.
        let (low, high) = wilson_95(81, 263);
        assert!((low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5, "{low} {high}");
        assert_eq!(wilson_95(0, 0), (0.0, 1.0));
    }

    #[test]
    fn chance_alone_makes_a_gap() {
        // One thing: 2 p (1 - p). Two of one half each: half the time one off.
        assert!((chance_gap(&[0.3]) - 0.42).abs() < 1e-12);
        assert!((chance_gap(&[0.9]) - 0.18).abs() < 1e-12);
        assert!((chance_gap(&[0.5, 0.5]) - 0.5).abs() < 1e-12);
        // Many: that of a normal law, sqrt(2 / pi) deviations.
        let gap = chance_gap(&[0.4; 2000]);
        let normal = (2.0 / std::f64::consts::PI * 2000.0 * 0.24).sqrt();
        assert!((gap / normal - 1.0).abs() < 1e-3, "{gap} {normal}");
    }

    #[test]
    fn a_forecast_that_is_right_is_calibrated() {
        let prob = [0.25; 400];
        let real: Vec<bool> = (0..400).map(|i| i % 4 == 0).collect();
        let found = calibration(&prob, &real).unwrap();
        assert!(found.ece_equal_width < 1e-12, "{found:?}");
        assert!((found.brier - 0.1875).abs() < 1e-12);
    }
}
