//! # associate: from detections to events with a probability
//!
//! What this is: the association engine, level 1. Arrivals picked at many
//! stations go in; out come events with place, time, covariance and a
//! calibrated probability, each with the detections that belong to it.
//!
//! How it works, block of time after block of time: salvos are found as a whole
//! (`salvo`: their places by `place`, their rounds by `tracks`), other events by branch and bound from detections that nobody
//! explains (`search`), clear ones first, each followed by further rounds from
//! the same place (`births`); then detections are dealt anew between events and
//! events that others explain better die (`moves`). Final events are located
//! with the error of the forecast air as an unknown (`locate`) and get their
//! probability from a map fitted on sets with truth (`posterior`); one that
//! repeats an earlier one to the digit was put in again (`replay`). Clear events
//! teach what to make of each station and of the air (`network`, `locate`).
//!
//! P and S picks go through an engine of the same ideas with a depth and a
//! velocity model ([`phases`], [`travel`]), detections of infrasound arrays
//! through a small one on the sphere ([`arrays`]), and what a global network of
//! arrays heard through one that knows how well each of them hears ([`globe`]).
//!
//! What it may touch: nothing. No input or output, no clock, no randomness, no
//! hash maps; logarithms and exponentials come from the four operations or from
//! `libm`. The same record gives the same bits, however it is cut into batches,
//! shards and threads.
//!
//! Entry point: [`Engine`].
//!
//! ```
//! use associate::{Detection, Engine, Model, Station};
//!
//! // Nine stations on a square of 6 km, and a shot in the middle of it.
//! let stations: Vec<Station> = (0..9)
//!     .map(|i| Station {
//!         name: format!("S{i}"),
//!         lat: 49.0 + f64::from(i / 3) * 0.018,
//!         lon: 37.0 + f64::from(i % 3) * 0.027,
//!         elev_m: 150.0,
//!     })
//!     .collect();
//! let plane = associate::plane::Plane::new(49.02, 37.03);
//! let (x, y) = plane.forward(49.014, 37.03);
//! let c = 331.3 * (1.0 + 10.0 / 273.15_f64).sqrt(); // still air at 10 degrees
//! let mut heard: Vec<Detection> = (0..9)
//!     .map(|i| {
//!         let (sx, sy) = plane.forward(stations[i].lat, stations[i].lon);
//!         let d = ((sx - x).powi(2) + (sy - y).powi(2)).sqrt();
//!         let level = 112.0 - 20.0 * (d / 1e3).log10() - 0.6 * d / 1e3;
//!         Detection {
//!             station: i as u32,
//!             t_s: 1000.0 + d / c,
//!             amp_db: level as f32,
//!             snr_db: level as f32 - 76.0,
//!             from: None,
//!             row: i as u32,
//!         }
//!     })
//!     .collect();
//! heard.sort_by(|a, b| a.t_s.total_cmp(&b.t_s));
//!
//! let mut engine = Engine::new(&stations, &[], &[], &Model::built_in());
//! engine.push(&heard);
//! let events = engine.finish();
//! assert_eq!(events.len(), 1);
//! assert_eq!(events[0].rows.len(), 9);
//! assert!((events[0].t_s - 1000.0).abs() < 0.1);
//! assert!(events[0].probability > 0.5);
//! ```

// Formulas of linear algebra read as they are written in books, with indices.
#![allow(clippy::needless_range_loop)]

pub mod account;
pub mod arrays;
mod bearing;
mod births;
mod blocks;
pub mod effort;
mod engine;
pub mod globe;
mod habit;
mod input;
pub mod kind;
mod live;
mod locate;
mod matching;
mod math;
mod met;
mod model;
mod moves;
mod network;
pub mod phases;
mod place;
pub mod plane;
pub mod posterior;
mod replay;
mod ring;
mod roads;
mod rose;
mod salvo;
mod score;
mod search;
mod spread;
mod squares;
pub mod stream;
mod ties;
mod tracks;
pub mod travel;
mod work;

pub use engine::{Engine, Event, Pace, Rejected};
pub use input::{BackAzimuth, Detection, MetNode, Outage, Station};
pub use model::{Calibration, ENGINE_VERSION, Model, NotAModel};
pub use replay::Replay;
pub use spread::Spread;
