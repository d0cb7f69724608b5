//! A round of a salvo while its detections are being dealt: information about
//! its moment and its offset from the place, to which each detection adds and
//! from which it can be taken away again.

use crate::bearing::Bearing;

/// Scatter of rounds about their place along an axis, metres: at first, at least, at most.
pub(super) const SCATTER_M: (f64, f64, f64) = (110.0, 60.0, 180.0);
/// Error of a place along one axis, metres.
const PLACE_M: f64 = 80.0;
/// Levels of rounds of a salvo scatter by so much, dB.
const LEVEL_SD_DB: f64 = 3.5;
/// Variance of a pick that is no good, s^2.
pub(super) const PICK2: f64 = 0.12_f32 as f64 * 0.12_f32 as f64;
/// No detection, or no round.
pub(super) const NONE: u32 = u32::MAX;

/// A place from which rounds come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub x: f64,
    pub y: f64,
    pub home: u32,
    /// Level of its rounds, dB at 1 km.
    pub level: f64,
    /// Origin times looked at.
    pub span: (f64, f64),
    /// Middle and variance of the offsets of its rounds.
    pub(super) middle: (f64, f64),
    pub(super) var: f64,
}

impl Site {
    pub(crate) fn new((x, y): (f64, f64), home: u32, level: f64, span: (f64, f64)) -> Self {
        let var = SCATTER_M.0 * SCATTER_M.0 + PLACE_M * PLACE_M;
        Self { x, y, home, level, span, middle: (0.0, 0.0), var }
    }
}

/// How a station hears a place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    pub(super) tau: f64,
    /// Variance of the travel time by what the model does not know of the way, s^2.
    pub(super) error2: f64,
    pub(super) gx: f64,
    pub(super) gy: f64,
    pub(super) loss: f64,
    pub(super) chance: f64,
    /// Log-probability of silence.
    pub(super) silent: f64,
    /// What arrivals from there are late by.
    pub(super) bias: f64,
    pub(super) toward: (f32, f32),
    pub(super) asked: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) index: usize,
    pub(super) t: f64,
    /// Variance of the pick, s^2.
    pub(super) pick2: f64,
    pub(super) bearing: Bearing,
    pub(super) amp: f64,
    pub(super) gain: f64,
    pub(super) ln_rate: f64,
    /// Round that has it.
    pub(super) owner: u32,
}

#[derive(Default)]
pub(super) struct Ear {
    pub(super) station: u32,
    /// Factor on the variance of its arrivals, and that of its clock, s^2.
    pub(super) scatter: f64,
    pub(super) clock_var: f64,
    /// For each site.
    pub(super) paths: Vec<Path>,
    pub(super) heard: Vec<Heard>,
}

/// What a detection adds to a round: weight, and what it makes of the moment at no offset.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) heard: u32,
    pub(super) weight: f64,
    pub(super) at: f64,
    /// What it adds to the weighted sum of levels.
    pub(super) level: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) site: usize,
    /// Information about moment and offset, and its product with their mean.
    pub(super) info: [f64; 6],
    pub(super) right: [f64; 3],
    pub(super) level: f64,
    pub(super) levels: f64,
    pub(super) hits: usize,
    pub(super) score: f64,
    pub(super) taken: Vec<Taken>,
}

pub(super) const NOTHING: Taken = Taken { heard: NONE, weight: 0.0, at: 0.0, level: 0.0 };

impl Round {
    pub(super) fn new(site: usize, s: &Site, ears: usize) -> Self {
        let hold = 1.0 / s.var;
        Self {
            site,
            // A moment is looked for in minutes.
            info: [1e-4, 0.0, 0.0, hold, 0.0, hold],
            right: [0.0, hold * s.middle.0, hold * s.middle.1],
            level: s.level / (LEVEL_SD_DB * LEVEL_SD_DB),
            levels: 1.0 / (LEVEL_SD_DB * LEVEL_SD_DB),
            hits: 0,
            score: 0.0,
            taken: vec![NOTHING; ears],
        }
    }

    pub(super) fn add(&mut self, p: &Path, taken: Taken, sign: f64) {
        let w = sign * taken.weight;
        self.info[0] += w;
        self.info[1] += w * p.gx;
        self.info[2] += w * p.gy;
        self.info[3] += w * p.gx * p.gx;
        self.info[4] += w * p.gx * p.gy;
        self.info[5] += w * p.gy * p.gy;
        self.right[0] += w * taken.at;
        self.right[1] += w * p.gx * taken.at;
        self.right[2] += w * p.gy * taken.at;
    }

    /// Mean and covariance of moment and offset: t, x, y, and tt, tx, ty, xx, xy, yy.
    pub(super) fn state(&self) -> ([f64; 3], [f64; 6]) {
        let [a, b, c, d, e, f] = self.info;
        let (p, q, r) = (d * f - e * e, c * e - b * f, b * e - c * d);
        let inv = 1.0 / (a * p + b * q + c * r);
        let (xx, xy, yy) = (a * f - c * c, b * c - a * e, a * d - b * b);
        let cov = [p, q, r, xx, xy, yy].map(|of| of * inv);
        let [u, v, w] = self.right;
        let mean = [
            cov[0] * u + cov[1] * v + cov[2] * w,
            cov[1] * u + cov[3] * v + cov[4] * w,
            cov[2] * u + cov[4] * v + cov[5] * w,
        ];
        (mean, cov)
    }
}

impl Ear {
    /// Variance of an arrival with a pick of a variance, s^2.
    #[inline]
    pub(super) fn variance(&self, p: &Path, pick2: f64) -> f64 {
        p.variance(self.scatter, self.clock_var, pick2)
    }
}

impl Path {
    #[inline]
    pub(super) fn variance(&self, scatter: f64, clock_var: f64, pick2: f64) -> f64 {
        scatter * (pick2 + self.error2) + clock_var
    }

    /// What a round predicts: time of arrival since zero, and its variance.
    pub(super) fn predict(&self, (mean, c): &([f64; 3], [f64; 6])) -> (f64, f64) {
        let (gx, gy) = (self.gx, self.gy);
        let t = mean[0] + gx * mean[1] + gy * mean[2] + self.tau + self.bias;
        let var = c[0]
            + 2.0 * (gx * c[1] + gy * c[2])
            + gx * gx * c[3]
            + 2.0 * gx * gy * c[4]
            + gy * gy * c[5];
        (t, var.max(0.0))
    }
}
