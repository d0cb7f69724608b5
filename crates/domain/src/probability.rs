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
