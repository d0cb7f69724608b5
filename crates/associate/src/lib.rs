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
//!
//! ```
//! use associate::{Detection, Engine, Model, Station};
//!
//! let station = |name: &str, lon| Station {
//!     name: name.to_owned(),
//!     lat: 48.0,
//!     lon,
//!     elev_m: 100.0,
//!     array: false,
//! };
//! let stations = [station("A", 37.0), station("B", 37.1), station("C", 37.2)];
//! let mut engine = Engine::new(&stations, &[], &[], &Model::default());
//! let (amp_db, snr_db, unknown) = (60.0, 12.0, f32::NAN);
//! engine.push(&[Detection {
//!     station: 0,
//!     t_s: 10.0,
//!     amp_db,
//!     snr_db,
//!     baz_deg: unknown,
//!     baz_sigma_deg: unknown,
//!     row: 0,
//! }]);
//! // One arrival, while two other stations heard nothing, is not believed.
//! assert!(engine.finish().iter().all(|event| event.probability < 0.5));
//! ```

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
