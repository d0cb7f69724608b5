//! # fusion: from observations to incidents
//!
//! What this is: the room where reports are weighed and put together. Each
//! observation is interpreted by itself (where the words really place it,
//! whether they tell of an act at all, whether peacetime explains a fire), then
//! sightings become incidents by how probable it is that they tell of one thing,
//! each with the probability that it took place and the reasons for it. Status
//! is at most "reported".
//!
//! What it may touch: nothing. No clock, no input or output, no randomness; the
//! same sightings give the same incidents in any order and on any number of
//! threads.
//!
//! Entry points: [`interpret`] for one observation, [`group()`] for all sightings.
//!
//! ```
//! use fusion::lexicon::{LEXICONS, Lexicon, folded};
//!
//! let lexicon = Lexicon::parse(&strict::Text::new("ukraine", LEXICONS[0].1)).unwrap();
//! let attack = lexicon.read(&folded("Росіяни скинули на Куп'янськ 10 авіабомб"));
//! let football = lexicon.read(&folded("«Динамо» розгромило «Оболонь» в чемпіонаті"));
//! assert!(attack.events > 0 && attack.vetoes == 0);
//! assert!(football.vetoes > 0);
//! ```

pub mod background;
pub mod belief;
pub mod calibration;
mod finish;
pub mod group;
pub mod lexicon;
pub mod likelihood;
mod origin;
pub mod places;
pub mod prior;
pub mod prior_file;
pub mod sighting;

pub use background::{Climatology, LandUse};
pub use belief::Watch;
pub use group::{Grouped, group};
pub use places::{Places, UnitGround, UnitInput};
pub use prior::Priors;
pub use sighting::{Recorded, Reference, Rules, SetAside, Sighting, Verdict, interpret};

/// Version of the engine: part of every state digest. Count it up with any
/// change that can change a result.
pub const ENGINE_VERSION: u32 = 6;
