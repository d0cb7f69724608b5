//! Small numeric pieces: logarithm and exponential from the four operations
//! only (the same bits on every IEEE machine), and symmetric linear algebra.

use std::f64::consts::{LN_2, LOG2_E};

/// Steps of the table of logarithms between 1 and 2.
const LN_STEPS: usize = 64;

/// One over the middle of each step, and its logarithm with the sign turned.
static LN_TABLE: [(f64, f64); LN_STEPS] = ln_table();

const fn ln_table() -> [(f64, f64); LN_STEPS] {
    let mut table = [(0.0, 0.0); LN_STEPS];
    let mut i = 0;
    while i < LN_STEPS {
        let middle = 1.0 + (i as f64 + 0.5) / LN_STEPS as f64;
        // 2 atanh((m - 1) / (m + 1)) (Abramowitz and Stegun, 4.1.27).
        let s = (middle - 1.0) / (middle + 1.0);
        let (mut sum, mut power, mut n) = (0.0, s, 1.0);
        while n < 40.0 {
            sum += power / n;
            power *= s * s;
            n += 2.0;
        }
        table[i] = (1.0 / middle, 2.0 * sum);
        i += 1;
    }
    table
}

/// Natural logarithm of a positive, normal number; absolute error below 1e-13
/// near 1, relative error below that elsewhere. Mantissa by table, what is left
/// of it by the series of `ln(1 + r)`: no division.
#[inline]
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = i64::from((bits >> 52) as u16 & 0x7ff) - 1023;
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let (inverse, ln_middle) = LN_TABLE[(bits >> 46) as usize % LN_STEPS];
    let r = mantissa * inverse - 1.0;
    let q = r * r;
    let series = r + q * ((r * (1.0 / 3.0) - 0.5) + q * (r * 0.2 - 0.25));
    exponent as f64 * LN_2 + (ln_middle + series)
}

/// Exponential, relative error below 1e-7; 0 below -700, capped above 700.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    if x < -700.0 {
        return 0.0;
    }
    let x = if x > 700.0 { 700.0 } else { x };
    let whole = (x * LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i64;
    let r = x - whole as f64 * LN_2;
    let series = 1.0
        + r * (1.0
            + r * (0.5
                + r * (1.0 / 6.0
                    + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r / 5040.0))))));
    series * f64::from_bits(((1023 + whole) as u64) << 52)
}

/// `ln(1 + e^z)`, without overflow.
#[inline]
pub(crate) fn softplus(z: f64) -> f64 {
    if z > 30.0 {
        z
    } else if z < -30.0 {
        0.0
    } else if z > 0.0 {
        z + ln(1.0 + exp(-z))
    } else {
        ln(1.0 + exp(z))
    }
}

/// `1 / (1 + e^-z)`.
#[inline]
pub(crate) fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + exp(-z))
}

/// Sum of log-likelihoods in units of 2^-32 nat: integer addition is
/// associative, so no order of summation can change a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nats(i64);

impl Nats {
    const UNIT: f64 = 4_294_967_296.0;

    /// Adds a term; what is beyond +-10^6 nat is cut.
    #[inline]
    pub(crate) fn add(&mut self, term: f64) {
        self.0 += (term.clamp(-1e6, 1e6) * Self::UNIT) as i64;
    }

    /// The sum in nats.
    #[inline]
    pub(crate) fn get(self) -> f64 {
        self.0 as f64 / Self::UNIT
    }
}

/// Cholesky factor of a symmetric matrix (lower triangle, in place of the
/// whole). None if it is not positive definite.
pub(crate) fn cholesky<const N: usize>(a: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut l = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let mut sum = a[i][j];
            for k in 0..j {
                sum -= l[i][k] * l[j][k];
            }
            if i == j {
                if sum.is_nan() || sum <= 0.0 {
                    return None;
                }
                l[i][i] = sum.sqrt();
            } else {
                l[i][j] = sum / l[j][j];
            }
        }
    }
    Some(l)
}

/// Solves `L L' x = b`.
pub(crate) fn solve<const N: usize>(l: &[[f64; N]; N], b: &[f64; N]) -> [f64; N] {
    let mut x = *b;
    for i in 0..N {
        for k in 0..i {
            x[i] -= l[i][k] * x[k];
        }
        x[i] /= l[i][i];
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            x[i] -= l[k][i] * x[k];
        }
        x[i] /= l[i][i];
    }
    x
}

/// Inverse of `L L'`.
pub(crate) fn inverse<const N: usize>(l: &[[f64; N]; N]) -> [[f64; N]; N] {
    let mut out = [[0.0; N]; N];
    for j in 0..N {
        let mut unit = [0.0; N];
        unit[j] = 1.0;
        let column = solve(l, &unit);
        for i in 0..N {
            out[i][j] = column[i];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_functions_agree_with_libm() {
        let mut x = 1e-9;
        while x < 1e9 {
            assert!((ln(x) - libm::log(x)).abs() < 1e-12 * libm::log(x).abs().max(1.0), "{x}");
            x *= 1.37;
        }
        let mut x = -60.0;
        while x < 60.0 {
            assert!((exp(x) / libm::exp(x) - 1.0).abs() < 1e-7, "{x}");
            assert!((softplus(x) - libm::log1p(libm::exp(x))).abs() < 1e-6);
            x += 0.0713;
        }
    }

    #[test]
    fn a_solved_system_gives_back_its_right_side() {
        let a = [[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]];
        let l = cholesky(&a).unwrap();
        let x = solve(&l, &[1.0, 2.0, 3.0]);
        for (row, b) in a.iter().zip([1.0, 2.0, 3.0]) {
            let back: f64 = row.iter().zip(x).map(|(a, x)| a * x).sum();
            assert!((back - b).abs() < 1e-12);
        }
        assert!(cholesky(&[[0.0]]).is_none());
    }
}
