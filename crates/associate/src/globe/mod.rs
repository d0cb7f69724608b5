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
//! and the place that is stated is the one with most of it near by.

mod account;
mod coarse;
mod curve;
mod fit;
mod moves;
mod net;
mod performance;
mod posterior;
#[cfg(test)]
mod tests;
mod weigh;

use std::collections::VecDeque;

use crate::account::Account;
use crate::arrays::sphere;
use crate::engine::Rejected;
use crate::input::{Outage, Station};
use crate::posterior::Features;

pub use curve::{Curve, NotACurve};
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

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Events in order of time.
    pub events: Vec<GlobeEvent>,
    /// Detections that were not used.
    pub rejected: Vec<Rejected>,
    /// Places that were followed down from the grid.
    pub searches: u64,
    /// Why the event is believed that was asked for.
    pub account: Option<Account>,
}

/// A stretch of the record that stands alone is this much longer than any wave
/// is on its way, s.
const ALONE_S: f64 = 120.0;
/// So many detections of one array within so many seconds are a fault of it.
const FLOOD: (usize, f64) = (30, 10.0);

/// Associates the detections of a global network. `tell` is told now and then what
/// share is done; `ask` is shown the events and says which of them is to be accounted
/// for.
#[allow(clippy::too_many_arguments)]
pub fn associate(
    stations: &[Station],
    outages: &[Outage],
    curve: &Curve,
    windows: &[Window],
    arrivals: &[Arrival],
    performance: &Performance,
    tell: &mut dyn FnMut(f64),
    ask: &dyn Fn(&[GlobeEvent]) -> Option<usize>,
) -> Found {
    let mut windows = windows.to_vec();
    windows.sort_by(|a, b| a.start_s.total_cmp(&b.start_s).then(a.end_s.total_cmp(&b.end_s)));
    let net = net::Net::new(stations, outages, curve, &windows, performance);
    let post_of: Vec<Option<usize>> = stations
        .iter()
        .map(|s| net.posts.iter().position(|post| post.own.station == s.name))
        .collect();
    let mut found = Found::default();
    let mut heard = Vec::with_capacity(arrivals.len());
    for a in arrivals {
        match usable(&post_of, a) {
            Ok(post) => heard.push(weigh::Heard::new(&net, post, a)),
            Err(reason) => found.rejected.push(Rejected { row: a.row, field: "arrival", reason }),
        }
    }
    // The order of rows does not matter.
    heard.sort_by(weigh::Heard::order);
    bounded(&mut heard, net.posts.len(), &mut found.rejected);
    let alone_s = curve.longest_s() + ALONE_S;
    let stretches = || heard.chunk_by(|a, b| b.t - a.t < alone_s);
    let mut done = 0;
    for stretch in stretches() {
        let solved = moves::solve(&net, stretch, performance);
        found.searches += solved.searches;
        found.events.extend(solved.events);
        done += stretch.len();
        tell(done as f64 / heard.len() as f64);
    }
    found.events.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.rows.cmp(&b.rows)));
    for (number, event) in (0..).zip(&mut found.events) {
        event.number = number;
    }
    let asked = ask(&found.events).and_then(|at| found.events.get(at));
    found.account = asked.and_then(|event| {
        let of = |stretch: &&[weigh::Heard]| stretch.iter().any(|h| event.rows.contains(&h.row));
        account::of(&net, &post_of, stretches().find(of)?, performance, event)
    });
    found
}

/// Sets aside what an array cannot have told apart: a flood would take all the time
/// there is, and says nothing.
fn bounded(heard: &mut Vec<weigh::Heard>, posts: usize, rejected: &mut Vec<Rejected>) {
    let mut last = vec![VecDeque::with_capacity(FLOOD.0); posts];
    heard.retain(|h| {
        let times = &mut last[h.post];
        if times.len() == FLOOD.0 {
            if times.front().is_some_and(|t| h.t - t < FLOOD.1) {
                let reason = "the array gave more than 30 detections within ten seconds";
                rejected.push(Rejected { row: h.row, field: "arrival", reason });
                return false;
            }
            times.pop_front();
        }
        times.push_back(h.t);
        true
    });
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
