//! # domain: the nouns, each with its uncertainty
//!
//! What this is: the vocabulary of the whole product as plain values. Time is a
//! moment with a clock error, an interval or a bare date; a place is a spread
//! of probability; a class is a distribution; effort stands beside observation.
//!
//! What it may touch: nothing. No input or output, no clock, no randomness, no
//! hash maps, and no floating-point function that differs between machines
//! (`libm` instead of `std`); a test of the repository enforces it.
//!
//! Entry point: [`Observation`], the unit that everything else is made from.
//!
//! ```
//! use domain::{Interval, When};
//!
//! // A report that knows only the date, held against a truce of 30 hours.
//! let kyiv = domain::Zone::named("Europe/Kyiv").unwrap();
//! let report = When::Day { date: jiff::civil::date(2025, 4, 19), zone: kyiv };
//! let truce = Interval {
//!     from: "2025-04-19T15:00:00Z".parse().unwrap(),
//!     to: "2025-04-20T21:00:00Z".parse().unwrap(),
//! };
//! let p = report.occurrence(0.0).probability_within(&truce);
//! assert_eq!(p.get(), 0.25); // a quarter of that day, neither yes nor no
//! ```

pub mod area;
pub mod case;
pub mod cell;
pub mod control;
pub mod ecef;
pub mod effort;
pub mod estimative;
pub mod event;
pub mod exposure;
pub mod finding;
pub mod gazetteer;
pub mod id;
pub mod incident;
pub mod line;
pub mod measures;
pub mod obligation;
pub mod observation;
pub mod particulars;
pub mod place;
pub mod probability;
pub mod source;
pub mod standard;
pub mod state;
pub mod sun;
pub mod taxonomy;
pub mod time;

pub use area::Area;
pub use case::Case;
pub use cell::Cell;
pub use control::{ControlHistory, ControlState, Side};
pub use effort::{DayEffort, DayState, Effort, EffortState, Footprint};
pub use event::Event;
pub use exposure::{ByLight, Light, Sector, Seen, Watching};
pub use finding::{Element, Finding, Met};
pub use gazetteer::Gazetteer;
pub use id::{Id, IdKind};
pub use incident::{Basis, ClassShare, Incident, Status};
pub use measures::{Measures, Value};
pub use obligation::Obligation;
pub use observation::{Observation, RecordPosition};
pub use particulars::Particulars;
pub use place::{Bounds, Covariance, LatLon, Located, Precision, Where};
pub use probability::Probability;
pub use source::{EffortBasis, Source, SourceKind};
pub use state::State;
pub use taxonomy::{Class, ClassPattern, Family, Signature};
pub use time::{Extent, Interval, Occurrence, When, Zone};
