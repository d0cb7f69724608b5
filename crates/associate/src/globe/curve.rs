//! Travel time over a sphere by distance: a table in degrees and seconds, such
//! as any model of the earth gives for first arrivals.

/// Entries of the table per degree.
const PER_DEG: usize = 4;
const ENTRIES: usize = 180 * PER_DEG + 1;

/// A curve that is none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotACurve {
    /// One point says nothing of a slope.
    #[error("a curve has at least two points; this has {0}")]
    Short(usize),
    /// Distances are not in order.
    #[error("point {point}: {deg} degrees do not follow on {before}")]
    Order {
        /// Number of the point, from 1.
        point: usize,
        /// Its distance.
        deg: f64,
        /// That of the point before.
        before: f64,
    },
    /// Not a number, or out of range.
    #[error("point {point}: {value} is not a {what}")]
    Number {
        /// Number of the point, from 1.
        point: usize,
        /// The value.
        value: f64,
        /// What it ought to be.
        what: &'static str,
    },
}

/// Travel time and slowness by distance.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Travel time at each entry, s.
    time: Vec<f64>,
    /// Its slope, s/degree.
    slowness: Vec<f64>,
}

impl Curve {
    /// From points (degrees, seconds) in order of distance. Beyond the first and
    /// the last it goes on in a line.
    ///
    /// # Errors
    ///
    /// Fewer than two points, points out of order, or numbers that cannot be.
    pub fn new(points: &[(f64, f64)]) -> Result<Self, NotACurve> {
        if points.len() < 2 {
            return Err(NotACurve::Short(points.len()));
        }
        for (index, (deg, seconds)) in points.iter().enumerate() {
            let point = index + 1;
            if !(0.0..=180.0).contains(deg) {
                return Err(NotACurve::Number { point, value: *deg, what: "distance of 0 to 180" });
            }
            if !(0.0..=1e5).contains(seconds) {
                return Err(NotACurve::Number { point, value: *seconds, what: "travel time" });
            }
            let before = if index > 0 { points[index - 1].0 } else { -1.0 };
            if *deg <= before {
                return Err(NotACurve::Order { point, deg: *deg, before });
            }
        }
        let at = |deg: f64| {
            let after = points.partition_point(|(d, _)| *d < deg).clamp(1, points.len() - 1);
            let ((d0, t0), (d1, t1)) = (points[after - 1], points[after]);
            t0 + (t1 - t0) * (deg - d0) / (d1 - d0)
        };
        let step = 1.0 / PER_DEG as f64;
        let time: Vec<f64> = (0..ENTRIES).map(|i| at(i as f64 * step)).collect();
        // Over two degrees: a table in steps of one degree has corners.
        let slope = |deg: f64| {
            let (from, to) = ((deg - 1.0).max(0.0), (deg + 1.0).min(180.0));
            let middle = f64::midpoint(from, to);
            // At the ends the slope of the middle is carried on as it changes.
            let near = (at(to) - at(from)) / (to - from);
            if middle == deg {
                return near;
            }
            let inner = if deg < 90.0 { middle + 1.0 } else { middle - 1.0 };
            let next = (at(inner + 1.0) - at(inner - 1.0)) / 2.0;
            near + (next - near) * (deg - middle) / (inner - middle)
        };
        let slowness = (0..ENTRIES).map(|i| slope(i as f64 * step)).collect();
        Ok(Self { time, slowness })
    }

    /// Travel time, s, and slowness, s/degree.
    #[inline]
    pub(super) fn at(&self, deg: f64) -> (f64, f64) {
        let place = (deg * PER_DEG as f64).clamp(0.0, (ENTRIES - 1) as f64);
        let index = (place as usize).min(ENTRIES - 2);
        let part = place - index as f64;
        let between = |of: &[f64]| of[index] + part * (of[index + 1] - of[index]);
        (between(&self.time), between(&self.slowness))
    }

    /// The longest that any wave is on its way, s.
    pub fn longest_s(&self) -> f64 {
        self.time.iter().copied().fold(0.0, f64::max)
    }

    /// Smallest and largest slowness, s/degree.
    pub(super) fn slownesses(&self) -> (f64, f64) {
        let fold =
            |start: f64, f: fn(f64, f64) -> f64| self.slowness.iter().copied().fold(start, f);
        (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_back_the_curve_it_was_made_of() {
        let travel = |d: f64| -0.023 * d * d + 10.7 * d + 5.0;
        let points: Vec<(f64, f64)> =
            (0..=360).map(|i| f64::from(i) * 0.5).map(|d| (d, travel(d))).collect();
        let curve = Curve::new(&points).unwrap();
        for d in [0.0, 0.1, 33.3, 90.2, 179.9, 180.0] {
            let (t, s) = curve.at(d);
            assert!((t - travel(d)).abs() < 2e-3, "{d} {t}");
            assert!((s - (10.7 - 0.046 * d)).abs() < 2e-2, "{d} {s}");
        }
    }

    #[test]
    fn what_is_no_curve_says_where() {
        assert_eq!(Curve::new(&[(0.0, 1.0)]).unwrap_err(), NotACurve::Short(1));
        let error = Curve::new(&[(0.0, 1.0), (5.0, 60.0), (5.0, 61.0)]).unwrap_err();
        assert_eq!(error.to_string(), "point 3: 5 degrees do not follow on 5");
        assert!(Curve::new(&[(0.0, 1.0), (5.0, f64::NAN)]).is_err());
    }
}
