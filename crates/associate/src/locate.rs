//! Where an event was: the most probable place given its detections, with the
//! error of the forecast wind and temperature as unknowns that neighbouring
//! events share.

use std::collections::BTreeMap;

use crate::live::Live;
use crate::math;
use crate::model::Model;
use crate::score::{Loc, View};

/// Side of the cells in which wind is learned, metres.
const CELL_M: f64 = 50_000.0;
/// Time in which what was learned of the wind fades, s.
const FADE_S: f64 = 3_600.0;
/// Growth of the error of the air with every event: their paths are not all apart.
const DOUBT: f64 = 1.3;
/// Least variance of the air of a cell, as a share of the forecast's.
const FLOOR: f64 = 0.2;
const NU: f64 = 4.0;

/// Result of a location.
#[derive(Clone, Debug)]
pub(crate) struct Fix {
    pub loc: Loc,
    pub covariance: [f64; 3],
    pub var_t: f64,
    /// Correction of east wind, north wind and speed of sound, m/s, on top of
    /// what is already in the air of the network.
    pub air: [f64; 3],
    pub air_covariance: [[f64; 3]; 3],
    pub residuals: Vec<(u32, f64, f64)>,
}

/// What is known of the air in a cell: a correction and its information matrix.
#[derive(Clone, Copy, Debug)]
struct Knowledge {
    t: f64,
    mean: [f64; 3],
    covariance: [[f64; 3]; 3],
}

/// Learned corrections of the forecast, cell by cell.
pub(crate) struct Wind {
    prior: [f64; 3],
    cells: BTreeMap<(i64, i64), Knowledge>,
    /// What is in the air of the network at the moment.
    applied: BTreeMap<(i64, i64), [f64; 3]>,
}

impl Wind {
    pub(crate) fn new(model: &Model) -> Self {
        let w = model.wind_error_ms;
        // 0.6 m/s of speed for a kelvin.
        let c = 0.6 * model.temperature_error_k;
        Self {
            prior: [w * w, w * w, (c * c).max(0.01)],
            cells: BTreeMap::new(),
            applied: BTreeMap::new(),
        }
    }

    fn cell(x: f64, y: f64) -> (i64, i64) {
        (libm::floor(x / CELL_M) as i64, libm::floor(y / CELL_M) as i64)
    }

    /// Correction to apply at a place.
    pub(crate) fn correction(&self, x: f64, y: f64) -> [f64; 3] {
        self.applied.get(&Self::cell(x, y)).copied().unwrap_or_default()
    }

    /// What is believed about a cell at a time: mean and covariance.
    fn believed(&self, x: f64, y: f64, t: f64) -> ([f64; 3], [[f64; 3]; 3]) {
        let mut covariance = [[0.0; 3]; 3];
        let Some(k) = self.cells.get(&Self::cell(x, y)) else {
            for i in 0..3 {
                covariance[i][i] = self.prior[i];
            }
            return ([0.0; 3], covariance);
        };
        // Ornstein and Uhlenbeck: back to the forecast in the long run.
        let keep = math::exp(-((t - k.t).max(0.0)) / FADE_S);
        for i in 0..3 {
            for j in 0..3 {
                covariance[i][j] = k.covariance[i][j] * keep * keep;
            }
            covariance[i][i] += self.prior[i] * (1.0 - keep * keep);
        }
        (k.mean.map(|m| m * keep), covariance)
    }

    /// Takes what an event tells of the air: the joint location has weighed it
    /// against what was believed before.
    pub(crate) fn learn(&mut self, fix: &Fix) {
        let (x, y) = (fix.loc.x, fix.loc.y);
        let applied = self.correction(x, y);
        let mut covariance = fix.air_covariance;
        for (i, row) in covariance.iter_mut().enumerate() {
            for c in row.iter_mut() {
                *c *= DOUBT;
            }
            // The cell is not uniform: an event tells of the air about itself.
            row[i] = row[i].max(FLOOR * self.prior[i]);
        }
        let mean = std::array::from_fn(|i| applied[i] + fix.air[i]);
        self.cells.insert(Self::cell(x, y), Knowledge { t: fix.loc.t, mean, covariance });
    }

    /// Puts what is believed at a time into force.
    pub(crate) fn apply(&mut self, t: f64) {
        self.applied = self
            .cells
            .iter()
            .map(|(cell, k)| {
                let keep = math::exp(-((t - k.t).max(0.0)) / FADE_S);
                (*cell, k.mean.map(|m| m * keep))
            })
            .collect();
    }
}

/// Locates an event.
pub(crate) fn fix(view: &View, event: &Live, wind: &Wind) -> Fix {
    let mut loc = event.loc;
    let mut air = [0.0; 3];
    let (mean, prior) = wind.believed(loc.x, loc.y, loc.t);
    let applied = wind.correction(loc.x, loc.y);
    let mean = [mean[0] - applied[0], mean[1] - applied[1], mean[2] - applied[2]];
    let prior_information = math::cholesky(&prior).map_or([[0.0; 3]; 3], |l| math::inverse(&l));
    let mut info = [[0.0; 6]; 6];
    for _ in 0..5 {
        info = [[0.0; 6]; 6];
        let mut right = [0.0; 6];
        info[0][0] = 1e-6;
        info[1][1] = 1e-9;
        info[2][2] = 1e-9;
        for i in 0..3 {
            for j in 0..3 {
                info[3 + i][3 + j] += prior_information[i][j];
                right[3 + i] += prior_information[i][j] * (mean[j] - air[j]);
            }
        }
        for hit in &event.hits {
            let ring = &view.rings[hit.station as usize];
            let index = ring.index(hit.position);
            let (residual, g, tau) = row(view, event, &loc, &air, hit.station, ring.t[index]);
            let sigma = view.sigma(hit.station, ring.picks[index].sigma, tau);
            let z2 = residual * residual / (sigma * sigma);
            let weight = (NU + 1.0) / (NU + z2) / (sigma * sigma);
            for i in 0..6 {
                right[i] += weight * g[i] * residual;
                for j in 0..6 {
                    info[i][j] += weight * g[i] * g[j];
                }
            }
            let k = hit.station as usize;
            let off = (loc.x - view.net.x[k], loc.y - view.net.y[k]);
            ring.picks[index].bearing.pull(off, &mut info, &mut right);
        }
        let Some(l) = math::cholesky(&info) else { break };
        let step = math::solve(&l, &right);
        loc.t += step[0];
        loc.x += step[1];
        loc.y += step[2];
        for i in 0..3 {
            air[i] += step[3 + i];
        }
        if step[1].abs() + step[2].abs() < 0.5 {
            break;
        }
    }
    let covariance = math::cholesky(&info).map_or([[0.0; 6]; 6], |l| math::inverse(&l));
    let mut residuals = Vec::with_capacity(event.hits.len());
    for hit in &event.hits {
        let ring = &view.rings[hit.station as usize];
        let index = ring.index(hit.position);
        let (residual, _, tau) = row(view, event, &loc, &air, hit.station, ring.t[index]);
        let sigma = view.sigma(hit.station, ring.picks[index].sigma, tau);
        residuals.push((hit.station, residual, sigma * sigma));
    }
    let air_covariance = std::array::from_fn(|i| std::array::from_fn(|j| covariance[3 + i][3 + j]));
    Fix {
        loc,
        covariance: [covariance[1][1], covariance[1][2], covariance[2][2]],
        var_t: covariance[0][0],
        air,
        air_covariance,
        residuals,
    }
}

/// Residual of an arrival and its derivatives with time, place and air.
fn row(
    view: &View,
    event: &Live,
    loc: &Loc,
    air: &[f64; 3],
    k: u32,
    t: f64,
) -> (f64, [f64; 6], f64) {
    let path = view.path(loc.x, loc.y, event.home, k);
    let scale = view.net.scale[event.home as usize];
    // Unit vector from source to station, from the derivatives.
    let speed = path.d / path.tau;
    let (ux, uy) = (-path.gx * speed * scale, -path.gy * speed * scale);
    let faster = air[0] * ux + air[1] * uy + air[2];
    let tau = path.d / (speed + faster);
    let per = -tau / (speed + faster);
    let residual = t - (loc.t + tau + view.net.habit[k as usize].clock);
    (residual, [1.0, path.gx, path.gy, per * ux, per * uy, per], tau)
}
