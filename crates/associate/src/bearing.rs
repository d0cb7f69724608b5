//! The direction that an array found an arrival to come from. Against a false
//! alarm, which comes from anywhere, it says where on the circle the source is:
//! von Mises about the true direction, uniform for the share that is wrong.

use std::f64::consts::PI;

use crate::math;

/// Standard deviations that are believed, degrees: no array is better than the
/// first, and beyond the second a direction says next to nothing.
const SIGMA_DEG: (f64, f64) = (0.5, 90.0);
/// Weight of a direction that is off by so many standard deviations is halved.
const OFF: f64 = 2.0;

/// A direction on the plane of the network, towards the source. Without
/// concentration it is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bearing {
    x: f32,
    y: f32,
    /// Concentration: one over the variance, per square radian.
    kappa: f32,
    /// Density straight ahead, in units of the uniform density.
    peak: f32,
}

impl Bearing {
    /// A back-azimuth, degrees from true north to the east, with its standard
    /// deviation. `north` is the direction of true north on the plane.
    pub(crate) fn new(deg: f64, sigma_deg: f64, north: (f64, f64)) -> Self {
        if !deg.is_finite() || !sigma_deg.is_finite() {
            return Self::default();
        }
        let radians = PI / 180.0;
        let (sin, cos) = (libm::sin(deg * radians), libm::cos(deg * radians));
        let sigma = sigma_deg.clamp(SIGMA_DEG.0, SIGMA_DEG.1) * radians;
        let kappa = 1.0 / (sigma * sigma);
        Self {
            x: (north.1 * sin + north.0 * cos) as f32,
            y: (north.1 * cos - north.0 * sin) as f32,
            kappa: kappa as f32,
            peak: (1.0 / scaled_bessel(kappa)) as f32,
        }
    }

    #[inline]
    pub(crate) fn is_some(&self) -> bool {
        self.kappa > 0.0
    }

    /// How far it points to the right of a source in the direction `toward`, degrees.
    pub(crate) fn off(&self, toward: (f32, f32)) -> Option<f64> {
        let (dx, dy) = (f64::from(toward.0), f64::from(toward.1));
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        self.is_some().then(|| libm::atan2(dy * x - dx * y, dx * x + dy * y) * 180.0 / PI)
    }

    /// Most that a direction can add, nats.
    #[inline]
    pub(crate) fn best(&self, stray: f64) -> f64 {
        if self.is_some() { math::ln(stray + (1.0 - stray) * f64::from(self.peak)) } else { 0.0 }
    }

    /// Log-likelihood ratio of a source in the direction `(dx, dy)` of the
    /// station, of any length, to a false alarm. `stray` is the share of
    /// directions that are wrong.
    #[inline]
    pub(crate) fn gain(&self, stray: f64, dx: f64, dy: f64) -> f64 {
        if !self.is_some() {
            return 0.0;
        }
        let length = (dx * dx + dy * dy).sqrt();
        if length < 1e-12 {
            return 0.0;
        }
        let density = self.density(self.off2(dx / length, dy / length));
        math::ln(stray + (1.0 - stray) * density)
    }

    /// How far a unit vector points off, in half squared standard deviations.
    #[inline]
    pub(crate) fn off2(&self, ux: f64, uy: f64) -> f64 {
        // One less the cosine, from the chord: the unit vectors are rounded.
        let (ex, ey) = (ux - f64::from(self.x), uy - f64::from(self.y));
        f64::from(self.kappa) * (0.5 * (ex * ex + ey * ey))
    }

    /// Density so far off, in units of the uniform density, of directions that are right.
    #[inline]
    pub(crate) fn density(&self, off2: f64) -> f64 {
        f64::from(self.peak) * math::exp(-off2)
    }

    /// Upper bound of [`Bearing::gain`] over all sources within `reach` of a place.
    #[inline]
    pub(crate) fn most(&self, stray: f64, dx: f64, dy: f64, reach: f64) -> f64 {
        let d = (dx * dx + dy * dy).sqrt();
        if !self.is_some() || d <= reach {
            return self.best(stray);
        }
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        let (sin, cos) = ((dx * y - dy * x).abs() / d, (dx * x + dy * y) / d);
        // The circle is seen under twice the angle whose sine this is.
        let sin_a = reach / d;
        let cos_a = (1.0 - sin_a * sin_a).sqrt();
        if cos >= cos_a {
            return self.best(stray);
        }
        let (nearest_cos, nearest_sin) = (cos * cos_a + sin * sin_a, sin * cos_a - cos * sin_a);
        self.gain(stray, x * nearest_cos - y * nearest_sin, y * nearest_cos + x * nearest_sin)
    }

    /// Adds what the direction says of the place of a source, `off` metres from the
    /// station, to normal equations whose second and third unknowns are the place.
    #[inline]
    pub(crate) fn pull<const N: usize>(
        &self,
        off: (f64, f64),
        info: &mut [[f64; N]; N],
        right: &mut [f64; N],
    ) {
        let Some((left, weight, (lx, ly))) = self.line(off) else { return };
        right[1] += weight * left * lx;
        right[2] += weight * left * ly;
        info[1][1] += weight * lx * lx;
        info[1][2] += weight * lx * ly;
        info[2][1] += weight * lx * ly;
        info[2][2] += weight * ly * ly;
    }

    /// What the direction says of the place of a source at `(dx, dy)` metres from
    /// the station: how far it should move across the line of sight, metres to
    /// the left, the weight of that, per square metre, and the unit vector to the left.
    #[inline]
    fn line(&self, (dx, dy): (f64, f64)) -> Option<(f64, f64, (f64, f64))> {
        let d2 = dx * dx + dy * dy;
        if !self.is_some() || d2 < 1.0 {
            return None;
        }
        let d = d2.sqrt();
        let (ux, uy) = (dx / d, dy / d);
        let (x, y) = (f64::from(self.x), f64::from(self.y));
        let (sin, cos) = (ux * y - uy * x, ux * x + uy * y);
        // Behind the station it is wrong.
        if cos <= 0.0 {
            return None;
        }
        let kappa = f64::from(self.kappa);
        let z2 = sin * sin * kappa;
        let weight = kappa / (d2 * (1.0 + z2 / (OFF * OFF)) * (1.0 + z2 / (OFF * OFF)));
        Some((sin * d, weight, (-uy, ux)))
    }
}

/// `exp(-k) I0(k)`, to 2e-7 (Abramowitz and Stegun, 9.8.1 and 9.8.2).
fn scaled_bessel(k: f64) -> f64 {
    let series = |terms: &[f64], t: f64| terms.iter().rev().fold(0.0, |sum, term| sum * t + term);
    if k < 3.75 {
        let t = k / 3.75;
        let terms =
            [1.0, 3.515_622_9, 3.089_942_4, 1.206_749_2, 0.265_973_2, 0.036_076_8, 0.004_581_3];
        return libm::exp(-k) * series(&terms, t * t);
    }
    let terms = [
        0.398_942_28,
        0.013_285_92,
        0.002_253_19,
        -0.001_575_65,
        0.009_162_81,
        -0.020_577_06,
        0.026_355_37,
        -0.016_476_33,
        0.003_923_77,
    ];
    series(&terms, 3.75 / k) / libm::sqrt(k)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The ratio is a density by the uniform one: its mean over all directions is 1.
        #[test]
        fn the_ratio_is_one_on_average(deg in 0.0..360.0, sigma in 1.0..80.0_f64, stray in 0.01..0.5) {
            let bearing = Bearing::new(deg, sigma, (0.0, 1.0));
            let steps = 7_200;
            let sum: f64 = (0..steps)
                .map(|i| {
                    let a = 2.0 * PI * f64::from(i) / f64::from(steps);
                    libm::exp(bearing.gain(stray, libm::sin(a), libm::cos(a)))
                })
                .sum();
            prop_assert!((sum / f64::from(steps) - 1.0).abs() < 1e-4);
            let best = bearing.gain(stray, libm::sin(deg * PI / 180.0), libm::cos(deg * PI / 180.0));
            prop_assert!((best - bearing.best(stray)).abs() < 1e-5);
        }

        /// A source off the line of sight is pulled onto it.
        #[test]
        fn a_pull_leads_to_the_line_of_sight(deg in 0.0..360.0, off in -8.0..8.0, km in 1.0..20.0) {
            let bearing = Bearing::new(deg, 4.0, (0.0, 1.0));
            let at = |deg: f64| (libm::sin(deg * PI / 180.0), libm::cos(deg * PI / 180.0));
            let (ux, uy) = at(deg + off);
            let (dx, dy) = (ux * km * 1e3, uy * km * 1e3);
            let (left, weight, (lx, ly)) = bearing.line((dx, dy)).unwrap();
            let before = bearing.gain(0.05, dx, dy);
            let after = bearing.gain(0.05, dx + left * lx, dy + left * ly);
            prop_assert!(weight > 0.0 && after >= before - 1e-6);
        }
    }

    proptest! {
        #[test]
        fn no_source_of_a_circle_beats_the_bound(
            deg in 0.0..360.0, km in 0.1..20.0, at in 0.0..360.0, reach in 10.0..9_000.0,
            turn in 0.0..360.0, share in 0.0..1.0
        ) {
            let bearing = Bearing::new(deg, 4.0, (0.0, 1.0));
            let unit = |deg: f64| (libm::sin(deg * PI / 180.0), libm::cos(deg * PI / 180.0));
            let ((ux, uy), (vx, vy)) = (unit(at), unit(turn));
            let (x, y) = (ux * km * 1e3, uy * km * 1e3);
            let inside = bearing.gain(0.05, x + vx * reach * share, y + vy * reach * share);
            prop_assert!(inside <= bearing.most(0.05, x, y, reach) + 1e-4);
        }
    }

    #[test]
    fn true_north_turns_with_the_plane() {
        // North of the plane points to the west of true north by 3 degrees.
        let turn = 3.0 * PI / 180.0;
        let bearing = Bearing::new(90.0, 4.0, (libm::sin(turn), libm::cos(turn)));
        let (dx, dy) = (libm::cos(turn), -libm::sin(turn));
        assert!((bearing.gain(0.05, dx, dy) - bearing.best(0.05)).abs() < 1e-6);
    }

    #[test]
    fn a_direction_that_is_no_number_is_none() {
        assert!(!Bearing::new(f64::NAN, 4.0, (0.0, 1.0)).is_some());
        assert_eq!(Bearing::default().gain(0.05, 1.0, 0.0), 0.0);
    }
}
