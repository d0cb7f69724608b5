//! # simulate: made-up sensor networks, with truth
//!
//! What this is: a front with volleys, a network that hears them, and all that
//! goes wrong with both - wind that was forecast wrongly, clocks that are off,
//! sensors that lie, people who lie - written in the formats of the benchmark,
//! together with what truly took place and the least error that any estimator
//! can have. And the other half of a measurement: the score of a solution.
//!
//! What it may touch: nothing. A scenario and a seed in, text into a [`Sink`]
//! out; no clock, and no randomness but the seed's. The same on every machine.
//!
//! Entry points: [`generate`] and [`score::score`].
//!
//! ```
//! use std::collections::BTreeMap;
//! let text = simulate::scenario::shipped_text("iso").unwrap().replace("hours = 24.0", "hours = 0.5");
//! let scenario = simulate::scenario::parse(&strict::Text::new("iso", text)).unwrap();
//! let set = |seed| {
//!     let mut files = BTreeMap::new();
//!     simulate::generate(&scenario, seed, &mut files).unwrap();
//!     files
//! };
//! assert_eq!(set(1), set(1));
//! assert_ne!(set(1)["detections.csv"], set(2)["detections.csv"]);
//! ```

mod alarms;
mod bound;
mod crust;
mod deception;
mod delivery;
mod elsewhere;
mod front;
mod globe;
mod hearing;
mod infrasound;
mod land;
mod medium;
mod picks;
mod plane;
pub mod scenario;
pub mod score;
pub mod sheet;
mod storms;
mod stream;
mod volleys;
mod write;

use scenario::Scenario;
pub use stream::Counts;
pub use write::{Part, Sink};

/// Makes the data set of a scenario with this seed.
///
/// # Errors
/// Whatever the sink could not take.
pub fn generate<S: Sink>(scenario: &Scenario, seed: u64, sink: &mut S) -> Result<Counts, S::Error> {
    if let Some(front) = &scenario.front {
        return front::generate(scenario, front, seed, sink);
    }
    if let Some(globe) = &scenario.globe {
        return globe::generate(&scenario.title, globe, seed, sink);
    }
    if let Some(seismic) = &scenario.seismic {
        return picks::generate(&scenario.title, seismic, seed, sink);
    }
    let arrays = scenario.infrasound.as_ref().expect("a scenario has one of the four");
    infrasound::generate(&scenario.title, arrays, seed, sink)
}
