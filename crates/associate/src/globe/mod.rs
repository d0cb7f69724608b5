//! Detections of a global network of arrays to events on a sphere: each has a
//! time, an azimuth, a slowness and an amplitude.
//!
//! After NET-VISA (Arora, Russell and Sudderth 2013, BSSA 103(2A), 709-729): a
//! model of what events there are, who hears them and how well, and of false
//! alarms, asked for the events that explain best what was heard - and what was
//! not. What each array is like is an input ([`Performance`]), fitted by
//! [`fit()`] on events that are known.
//!
//! A grid of cells over the earth says where detections of several arrays agree
//! (`coarse`); the best are followed down to a place (`weigh`) and taken, the
//! best first, then dealt anew between the events (`moves`). The posterior of each
//! over the sphere is summed cell by cell (`posterior`): its mass is the evidence,
//! and the place that is stated is the one with most of it near by. That is done piece
//! of the record after piece (`engine`).

mod account;
mod coarse;
mod curve;
mod engine;
mod fit;
mod moves;
mod net;
mod performance;
mod posterior;
#[cfg(test)]
mod tests;
mod weigh;

use crate::arrays::sphere;
use crate::posterior::Features;

pub use curve::{Curve, NotACurve};
pub use engine::{Engine, Found, associate};
pub use fit::{Known, fit};
pub use performance::{GLOBE_ENGINE_VERSION, Performance, StationPerformance};

/// What the calibration map looks at.
pub const GLOBE_FEATURES: [&str; 8] = [
    "one",
    "log-odds of the evidence and the mass near by",
    "hits fewer than three",
    "hits fewer than four",
    "log of hits",
    "log-odds of the mass near by",
    "evidence",
    "magnitude",
];

/// A detection of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrival {
    /// Index of the array.
    pub station: u32,
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// Direction that it came from, degrees from north by east.
    pub azimuth_deg: f64,
    /// Slowness over the ground, s/degree.
    pub slowness_s_deg: f64,
    /// Amplitude, any unit, above zero.
    pub amplitude: f64,
    /// Number of the row it came from.
    pub row: u32,
}

/// A time in which the network listened: events begin and false alarms happen
/// within one. Without any it always did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Seconds since the zero of the set.
    pub start_s: f64,
    /// Seconds since the zero of the set.
    pub end_s: f64,
}

/// An event inferred from what arrays heard.
#[derive(Clone, Debug, PartialEq)]
pub struct GlobeEvent {
    /// Number in order of origin time.
    pub number: u32,
    /// Origin time, seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Magnitude, mean of the posterior.
    pub magnitude: f64,
    /// Calibrated probability that it is real and within 5 degrees and 50 s.
    pub probability: f64,
    /// Log-odds of the evidence, nats.
    pub evidence: f64,
    /// Share of the posterior within 5 degrees of the place.
    pub near: f64,
    /// Covariance of place, m^2: east-east, east-north, north-north.
    pub covariance: [f64; 3],
    /// Variance of the origin time, s^2.
    pub var_t: f64,
    /// What the calibration map looked at.
    pub features: Features,
    /// Rows of the detections that belong to it, in order of time.
    pub rows: Vec<u32>,
}

/// The array of a detection, or why it cannot be used.
fn usable(post_of: &[Option<usize>], a: &Arrival) -> Result<usize, &'static str> {
    let post = post_of.get(a.station as usize).ok_or("the array is not in the network")?;
    let post = post.ok_or("nothing is known of the performance of the array")?;
    for (value, reason) in [
        (a.t_s, "the time is not a finite number"),
        (a.azimuth_deg, "the azimuth is not a finite number"),
        (a.slowness_s_deg, "the slowness is not a finite number"),
    ] {
        if !value.is_finite() {
            return Err(reason);
        }
    }
    if !(a.amplitude.is_normal() && a.amplitude > 0.0) {
        return Err("the amplitude is not a number above zero");
    }
    Ok(post)
}
