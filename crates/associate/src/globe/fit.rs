//! Fits the performance of a network on what it heard of known events: most
//! likely values, or means of the posterior, under priors of which seismic-2d
//! draws its worlds (Arora, Russell and Sudderth 2013, BSSA 103(2A), 709-729).
//! With few events a station stays near what stations are like.

use super::net::{Site, Spot};
use super::performance::{Performance, StationPerformance, unfitted};
use super::sphere::apart;
use super::{Arrival, Curve, Window};
use crate::input::Station;
use crate::math;

/// An event of which it is known what the network heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Magnitude.
    pub magnitude: f64,
    /// Indices of its arrivals.
    pub arrivals: Vec<usize>,
}

type Normal = ([f64; 3], [[f64; 3]; 3]);
/// Constant, magnitude and distance in the log-odds of a detection.
const DETECTION: Normal = (
    [-10.4, 3.26, -0.0499],
    [[13.43, -2.36, -0.0122], [-2.36, 0.452, 0.000_112], [-0.0122, 0.000_112, 0.000_125]],
);
/// The same in the log of the amplitude.
const AMPLITUDE: Normal = (
    [-7.3, 2.03, -0.001_96],
    [
        [1.23, -0.227, -0.000_175],
        [-0.227, 0.0461, 0.000_024_5],
        [-0.000_175, 0.000_024_5, 0.000_000_302],
    ],
);
/// Shape and scale of inverse gammas.
const TIME: (f64, f64) = (120.0, 118.0);
const AZIMUTH: (f64, f64) = (5.2, 44.0);
const SLOWNESS: (f64, f64) = (6.7, 7.5);
const AMPLITUDE_VAR: (f64, f64) = (21.1, 12.6);
/// Of the scale of the Cauchy law of log amplitudes of false alarms.
const FALSE_SCALE: (f64, f64) = (23.5, 12.45);
/// Shape of a gamma, and the time it is worth, s.
const FALSE_RATE: (f64, f64) = (2.1, 1.0 / 0.0013);
const FALSE_MIDDLE: (f64, f64) = (-0.68, 0.68);
/// Events in how many seconds the prior is worth, and how many they are.
const EVENTS: (f64, f64) = (6.0, 3_600.0);
/// Magnitudes of the yardstick, which are given with it: smallest, largest, scale.
const MAGNITUDES: (f64, f64, f64) = (3.0, 6.0, 4.0);

/// Fits the performance of each station on labelled arrivals. The calibration
/// map is that of the model: it is fitted on what the engine then finds.
pub fn fit(
    stations: &[Station],
    curve: &Curve,
    windows: &[Window],
    arrivals: &[Arrival],
    events: &[Known],
    version: &str,
) -> Performance {
    let listened: f64 = windows.iter().map(|w| w.end_s - w.start_s).sum::<f64>().max(1.0);
    let mut owner = vec![false; arrivals.len()];
    for index in events.iter().flat_map(|e| &e.arrivals) {
        owner[*index] = true;
    }
    let of = |number: usize, station: &Station| {
        let site = Site::new(Spot::new(station.lat, station.lon));
        let mut heard = Vec::new();
        let mut asked = Vec::new();
        for event in events {
            let (deg, azimuth) = site.way(&Spot::new(event.lat, event.lon).unit());
            let hit =
                event.arrivals.iter().map(|a| &arrivals[*a]).find(|a| a.station as usize == number);
            let features = [1.0, event.magnitude, deg];
            asked.push((features, hit.is_some()));
            if let Some(a) = hit {
                let (travel, slowness) = curve.at(deg);
                heard.push((
                    [
                        (a.t_s - event.t_s - travel).abs(),
                        apart(a.azimuth_deg, azimuth).abs(),
                        (a.slowness_s_deg - slowness).abs(),
                    ],
                    (features, math::ln(a.amplitude)),
                ));
            }
        }
        let n = heard.len() as f64;
        let scale = |which: usize, (shape, scale): (f64, f64)| {
            (scale + heard.iter().map(|h| h.0[which]).sum::<f64>()) / (shape + n - 1.0)
        };
        let levels: Vec<_> = heard.iter().map(|h| h.1).collect();
        let (amplitude, amplitude_var) = line(&levels);
        let false_levels: Vec<f64> = arrivals
            .iter()
            .zip(&owner)
            .filter(|(a, owned)| a.station as usize == number && !**owned)
            .map(|(a, _)| math::ln(a.amplitude))
            .collect();
        let (false_amplitude, false_amplitude_scale) = cauchy(&false_levels);
        StationPerformance {
            station: station.name.clone(),
            detection: logistic(&asked),
            time_s: scale(0, TIME),
            azimuth_deg: scale(1, AZIMUTH),
            slowness_s_deg: scale(2, SLOWNESS),
            amplitude,
            amplitude_sd: amplitude_var.sqrt(),
            false_per_s: (FALSE_RATE.0 + false_levels.len() as f64) / (FALSE_RATE.1 + listened),
            false_amplitude,
            false_amplitude_scale,
        }
    };
    Performance {
        version: version.to_owned(),
        events_per_s: (EVENTS.0 + events.len() as f64) / (EVENTS.1 + listened),
        magnitude_min: MAGNITUDES.0,
        magnitude_max: MAGNITUDES.1,
        magnitude_scale: MAGNITUDES.2,
        stations: stations.iter().enumerate().map(|(number, s)| of(number, s)).collect(),
        calibration: unfitted(),
        preliminary: None,
        inflation: 1.0,
    }
}

/// Inverse of a covariance.
fn precision(covariance: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
    // In units in which the variances are 1: they are seven orders apart.
    let unit: [f64; 3] = std::array::from_fn(|i| covariance[i][i].sqrt());
    let scaled: [[f64; 3]; 3] =
        std::array::from_fn(|i| std::array::from_fn(|j| covariance[i][j] / unit[i] / unit[j]));
    let root = math::cholesky(&scaled).expect("the priors are covariances");
    let inverse = math::inverse(&root);
    std::array::from_fn(|i| std::array::from_fn(|j| inverse[i][j] / unit[i] / unit[j]))
}

/// The most likely log-odds of a detection, by Newton's method.
fn logistic(asked: &[([f64; 3], bool)]) -> [f64; 3] {
    let (prior, covariance) = DETECTION;
    let weight = precision(&covariance);
    let mut w = prior;
    for _ in 0..50 {
        let mut hessian = weight;
        let mut slope: [f64; 3] =
            std::array::from_fn(|i| (0..3).map(|j| weight[i][j] * (prior[j] - w[j])).sum::<f64>());
        for (f, hit) in asked {
            let p = math::logistic((0..3).map(|i| w[i] * f[i]).sum());
            let off = f64::from(u8::from(*hit)) - p;
            for i in 0..3 {
                slope[i] += off * f[i];
                for j in 0..3 {
                    hessian[i][j] += p * (1.0 - p) * f[i] * f[j];
                }
            }
        }
        let Some(root) = math::cholesky(&hessian) else { break };
        let step = math::solve(&root, &slope);
        // The prior is near enough that whole steps are safe but for the first.
        for i in 0..3 {
            w[i] += step[i];
        }
        if (0..3).all(|i| step[i].abs() < 1e-9) {
            break;
        }
    }
    w
}

/// A line through log amplitudes, and the variance about it.
fn line(levels: &[([f64; 3], f64)]) -> ([f64; 3], f64) {
    let (prior, covariance) = AMPLITUDE;
    let weight = precision(&covariance);
    let (shape, scale) = AMPLITUDE_VAR;
    let mut var = scale / (shape - 1.0);
    let mut w = prior;
    for _ in 0..10 {
        let mut hessian = weight;
        let mut side: [f64; 3] =
            std::array::from_fn(|i| (0..3).map(|j| weight[i][j] * prior[j]).sum::<f64>());
        for (f, level) in levels {
            for i in 0..3 {
                side[i] += f[i] * level / var;
                for j in 0..3 {
                    hessian[i][j] += f[i] * f[j] / var;
                }
            }
        }
        let Some(root) = math::cholesky(&hessian) else { break };
        w = math::solve(&root, &side);
        let squares: f64 = levels
            .iter()
            .map(|(f, level)| level - (0..3).map(|i| w[i] * f[i]).sum::<f64>())
            .map(|off| off * off)
            .sum();
        var = (scale + 0.5 * squares) / (shape + 0.5 * levels.len() as f64 - 1.0);
    }
    (w, var)
}

/// Middle and scale of the log amplitudes of false alarms: the most likely ones
/// of a Cauchy law, by weights that fall with the distance from the middle.
fn cauchy(levels: &[f64]) -> (f64, f64) {
    let (shape, prior_scale) = FALSE_SCALE;
    let all = levels.len() as f64 + shape + 1.0;
    let (mut middle, mut scale) = (FALSE_MIDDLE.0, prior_scale / (shape - 1.0));
    for _ in 0..60 {
        let weight = |level: f64| {
            let off = (level - middle) / scale;
            2.0 / (1.0 + off * off)
        };
        let prior = scale * scale / (FALSE_MIDDLE.1 * FALSE_MIDDLE.1);
        let (mut sum, mut weights, mut squares) = (prior * FALSE_MIDDLE.0, prior, 0.0);
        for level in levels {
            let w = weight(*level);
            sum += w * level;
            weights += w;
            squares += w * (level - middle) * (level - middle);
        }
        middle = sum / weights;
        scale =
            (prior_scale + (prior_scale * prior_scale + 4.0 * all * squares).sqrt()) / (2.0 * all);
    }
    (middle, scale)
}
