//! Probabilities and the few special functions behind them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number in [0, 1].
///
/// Written out with six decimals: nothing in the product is known better than
/// that, and a fixed form keeps digests equal.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Impossible.
    pub const ZERO: Self = Self(0.0);
    /// Certain.
    pub const ONE: Self = Self(1.0);

    /// Takes a computed value; rounding may have left it a hair outside [0, 1].
    ///
    /// # Panics
    /// On NaN, which is a programmer's error.
    pub fn new(value: f64) -> Self {
        assert!(!value.is_nan(), "a probability cannot be NaN");
        Self(value.clamp(0.0, 1.0))
    }

    /// The plain number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Both, if independent.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(rounded(self.0, 6))
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(serde::de::Error::custom(format!("{value} is not between 0 and 1")))
        }
    }
}

/// Rounds half away from zero to `decimals` places (at most 9).
pub fn rounded(value: f64, decimals: u32) -> f64 {
    let scale = 10f64.powi_exact(decimals);
    let scaled = libm::round(value * scale) / scale;
    // No negative zero in anything that is hashed or shown.
    if scaled == 0.0 { 0.0 } else { scaled }
}

trait PowiExact {
    fn powi_exact(self, exponent: u32) -> f64;
}

impl PowiExact for f64 {
    /// Repeated multiplication: exact for the powers of ten used here, and the
    /// same on every machine, which `f64::powi` does not promise.
    fn powi_exact(self, exponent: u32) -> f64 {
        (0..exponent).fold(1.0, |product, _| product * self)
    }
}

/// Standard normal distribution function, from `erfc` of the musl libm port.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Standard normal density.
pub fn normal_pdf(z: f64) -> f64 {
    const INVERSE_SQRT_TAU: f64 = 0.398_942_280_401_432_7;
    INVERSE_SQRT_TAU * libm::exp(-0.5 * z * z)
}

/// P(N >= `count`) of a negative binomial: a Poisson count whose rate has a
/// Gamma posterior with the given `shape` and `rate` (per unit of exposure),
/// observed over one unit of exposure.
///
/// Gelman et al., *Bayesian Data Analysis*, 3rd ed., section 2.6. Ranges:
/// `shape` > 0, `rate` > 0. Summed from below, so the result is good to about
/// 1e-12 for the counts that occur (up to a few thousand).
pub fn gamma_poisson_tail(count: u64, shape: f64, rate: f64) -> Probability {
    assert!(shape > 0.0 && rate > 0.0, "the posterior must be proper");
    let p = rate / (rate + 1.0);
    let mut term = libm::exp(shape * libm::log(p));
    let mut below = 0.0;
    for k in 0..count {
        below += term;
        term *= (shape + k as f64) / (k as f64 + 1.0) * (1.0 - p);
    }
    Probability::new(1.0 - below)
}

/// The 95 % interval of the expected value behind a Poisson count, by Jeffreys'
/// prior: the 2.5 and 97.5 % points of a Gamma of shape `count` + 1/2. The
/// count may be a sum of probabilities. The lower end of no count is 0.
///
/// Brown, Cai and `DasGupta`, "Interval estimation in exponential families",
/// *Statistica Sinica* 13 (2003).
pub fn poisson_interval(count: f64) -> (f64, f64) {
    let shape = count.max(0.0) + 0.5;
    let low = if count > 0.0 { gamma_quantile(shape, 0.025) } else { 0.0 };
    (low, gamma_quantile(shape, 0.975))
}

/// The point below which a Gamma of this shape and rate 1 holds a share.
fn gamma_quantile(shape: f64, share: f64) -> f64 {
    let (mut low, mut high) = (0.0, shape + 10.0 * shape.sqrt() + 20.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if gamma_cdf(shape, middle) < share { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised lower incomplete gamma function P(a, x): by its series below
/// the mean, by Lentz's continued fraction above (Press et al., *Numerical
/// Recipes*, 3rd ed., section 6.2).
fn gamma_cdf(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return front * sum;
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    1.0 - front * fraction
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn normal_values_from_tables() {
        for (z, value) in
            [(0.0, 0.5), (1.0, 0.841_344_746), (-1.959_964, 0.025), (3.0, 0.998_650_102)]
        {
            assert!((normal_cdf(z) - value).abs() < 1e-7, "Phi({z})");
        }
    }

    /// The Gamma of shape n/2 is half a chi-squared variable of n degrees of
    /// freedom; its points are in every table.
    #[test]
    fn intervals_of_counts_from_tables() {
        for (freedom, low, high) in [
            (1.0, 0.000_982, 5.023_9),
            (3.0, 0.215_80, 9.348_4),
            (21.0, 10.283, 35.479),
            (101.0, 75.083, 130.700),
        ] {
            let shape: f64 = freedom / 2.0;
            assert!((2.0 * gamma_quantile(shape, 0.025) / low - 1.0).abs() < 1e-3, "{freedom}");
            assert!((2.0 * gamma_quantile(shape, 0.975) / high - 1.0).abs() < 1e-3, "{freedom}");
        }
        assert_eq!(poisson_interval(0.0).0, 0.0);
        let (low, high) = poisson_interval(10.0);
        assert!(low < 10.0 && 10.0 < high);
    }

    #[test]
    fn tail_matches_the_geometric_case() {
        // shape 1, rate 1 is geometric with p = 1/2: P(N >= n) = 2^-n.
        for n in 0..20 {
            let tail = gamma_poisson_tail(n, 1.0, 1.0).get();
            assert!((tail - 0.5f64.powi(n as i32)).abs() < 1e-12);
        }
    }

    proptest! {
        #[test]
        fn tail_falls_with_count_and_rises_with_past_fires(n in 0u64..200, shape in 0.1f64..500.0, rate in 0.1f64..500.0) {
            let here = gamma_poisson_tail(n, shape, rate);
            prop_assert!(gamma_poisson_tail(n + 1, shape, rate).get() <= here.get() + 1e-12);
            prop_assert!(gamma_poisson_tail(n, shape * 1.5, rate).get() >= here.get() - 1e-9);
        }

        #[test]
        fn rounding_is_idempotent(value in -1e6f64..1e6) {
            let once = rounded(value, 6);
            prop_assert_eq!(rounded(once, 6), once);
            prop_assert!((once - value).abs() <= 0.5e-6 + 1e-9);
        }
    }
}
