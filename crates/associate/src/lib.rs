//! # associate: from detections to events with a probability
//!
//! What this is: the association engine, level 1. Arrivals picked at many
//! stations go in; out come events with place, time, covariance and a
//! calibrated probability, each with the detections that belong to it.
//!
//! What it may touch: nothing. No input or output, no clock, no randomness, no
//! hash maps; the same record gives the same bits.
//!
//! Entry point: [`Engine`].

mod births;
mod engine;
mod input;
mod live;
mod locate;
mod math;
mod model;
mod moves;
mod network;
pub mod plane;
pub mod posterior;
mod ring;
mod score;
mod search;

pub use engine::{Engine, Event, Rejected};
pub use input::{Detection, MetNode, Outage, Station};
pub use model::{Calibration, ENGINE_VERSION, Model};
