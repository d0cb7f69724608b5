//! The least error that any estimator of a place can have: the Bayesian
//! Cramér-Rao bound (Van Trees 1968, *Detection, Estimation, and Modulation
//! Theory* I, 2.4) of place and origin time, with wind and temperature as
//! nuisances known to their forecast's error.

/// East, north, origin time, wind to the east, wind to the north, temperature.
const UNKNOWNS: usize = 6;

/// Information gathered from arrivals, the upper triangle row by row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Information([f64; UNKNOWNS * (UNKNOWNS + 1) / 2]);

/// One arrival, as the bound sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    /// Horizontal unit vector from the source to the sensor: east, north.
    pub(crate) along: (f64, f64),
    /// Horizontal over slant distance.
    pub(crate) level: f64,
    /// Travel time, s.
    pub(crate) travel_s: f64,
    /// Effective speed, m/s.
    pub(crate) speed_m_s: f64,
    /// Change of the speed of sound with temperature, m/s/K.
    pub(crate) per_kelvin: f64,
    /// Standard deviation of the arrival time, s.
    pub(crate) sd_s: f64,
}

impl Default for Information {
    fn default() -> Self {
        Self([0.0; UNKNOWNS * (UNKNOWNS + 1) / 2])
    }
}

impl Information {
    /// Adds an arrival.
    pub(crate) fn add(&mut self, path: &Path) {
        let slowness = 1.0 / path.speed_m_s;
        let stretch = -path.travel_s * slowness;
        let (east, north) = path.along;
        let gradient = [
            -east * path.level * slowness,
            -north * path.level * slowness,
            1.0,
            stretch * east,
            stretch * north,
            stretch * path.per_kelvin,
        ];
        let weight = 1.0 / (path.sd_s * path.sd_s);
        let mut at = 0;
        for row in 0..UNKNOWNS {
            for column in row..UNKNOWNS {
                self.0[at] += weight * gradient[row] * gradient[column];
                at += 1;
            }
        }
    }

    /// The whole matrix.
    #[expect(clippy::needless_range_loop, reason = "both triangles are written at once")]
    fn matrix(&self) -> [[f64; UNKNOWNS]; UNKNOWNS] {
        let mut matrix = [[0.0; UNKNOWNS]; UNKNOWNS];
        let mut at = 0;
        for row in 0..UNKNOWNS {
            for column in row..UNKNOWNS {
                matrix[row][column] = self.0[at];
                matrix[column][row] = self.0[at];
                at += 1;
            }
        }
        matrix
    }

    /// Square root of the trace of the bound of the place, m. `None` if the
    /// arrivals do not fix it.
    pub(crate) fn bound_m(&self, wind_sd_m_s: f64, temp_sd_k: f64) -> Option<f64> {
        let mut matrix = self.matrix();
        for (index, sd) in [(3, wind_sd_m_s), (4, wind_sd_m_s), (5, temp_sd_k)] {
            // A forecast without error pins the value down.
            matrix[index][index] += 1.0 / (sd * sd).max(1e-12);
        }
        let variance = inverse_diagonal(&matrix, [0, 1])?;
        let trace = variance[0] + variance[1];
        (trace > 0.0 && trace < 1e12).then(|| trace.sqrt())
    }
}

#[expect(clippy::needless_range_loop, reason = "the formula as it is printed")]
/// Two entries of the diagonal of the inverse, by Cholesky's decomposition;
/// `None` if the matrix is not safely positive definite.
fn inverse_diagonal(m: &[[f64; UNKNOWNS]; UNKNOWNS], which: [usize; 2]) -> Option<[f64; 2]> {
    // Scale to a unit diagonal first: metres and seconds differ by 10^6.
    let mut scale = [0.0; UNKNOWNS];
    for (index, row) in m.iter().enumerate() {
        if row[index] <= 0.0 {
            return None;
        }
        scale[index] = 1.0 / row[index].sqrt();
    }
    let mut lower = [[0.0; UNKNOWNS]; UNKNOWNS];
    for row in 0..UNKNOWNS {
        for column in 0..=row {
            let mut sum = m[row][column] * scale[row] * scale[column];
            for k in 0..column {
                sum -= lower[row][k] * lower[column][k];
            }
            if row == column {
                if sum < 1e-12 {
                    return None;
                }
                lower[row][row] = sum.sqrt();
            } else {
                lower[row][column] = sum / lower[column][column];
            }
        }
    }
    let mut out = [0.0; 2];
    for (value, index) in out.iter_mut().zip(which) {
        // Solve L z = e; the entry is |z|^2.
        let mut z = [0.0; UNKNOWNS];
        for row in index..UNKNOWNS {
            let mut sum = if row == index { 1.0 } else { 0.0 };
            for k in index..row {
                sum -= lower[row][k] * z[k];
            }
            z[row] = sum / lower[row][row];
        }
        *value = z.iter().map(|v| v * v).sum::<f64>() * scale[index] * scale[index];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(count: usize, wind_sd: f64) -> Option<f64> {
        let mut information = Information::default();
        for index in 0..count {
            let angle = std::f64::consts::TAU * index as f64 / count as f64;
            information.add(&Path {
                along: (libm::sin(angle), libm::cos(angle)),
                level: 1.0,
                travel_s: 10.0,
                speed_m_s: 340.0,
                per_kelvin: 0.6,
                sd_s: 0.1,
            });
        }
        information.bound_m(wind_sd, 1e-9)
    }

    #[test]
    fn a_ring_of_sensors_has_its_closed_form() {
        // 2 c sigma / sqrt(N) with the wind known.
        let found = ring(8, 1e-9).unwrap();
        let expected = 2.0 * 340.0 * 0.1 / libm::sqrt(8.0);
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn an_unknown_wind_moves_the_fix_by_wind_times_travel_time() {
        let known = ring(8, 1e-9).unwrap();
        let found = ring(8, 1.5).unwrap();
        let expected = libm::sqrt(known * known + 2.0 * 15.0 * 15.0);
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
    }

    #[test]
    fn two_sensors_do_not_fix_a_place() {
        assert_eq!(ring(2, 1.5), None);
    }
}
