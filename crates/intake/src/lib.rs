//! # intake: bytes of the world in, observations and reference tables out
//!
//! What this is: one engine that reads delimited tables, JSON lines and feature
//! collections by *mapping files*. A new layout needs a mapping and no code. A
//! row that cannot be used is set aside with line, column, reason and what to
//! do; the rest goes on. A file that cannot be read at all is refused with a
//! sentence.
//!
//! What it may touch: the bytes it is given through `std::io::Read`, front to
//! back, in bounded memory. No files, no clock. Nothing is ever unpacked.
//!
//! Entry points: [`Stream`] for observations and efforts, [`tables::read`] for
//! reference tables, [`Mapping::parse`] for mapping files.
//!
//! ```
//! use intake::{Context, Item, Mapping, Stream};
//!
//! let text = strict::Text::new("firms", intake::catalogue::mapping("firms").unwrap());
//! let mapping = Mapping::parse(&text).unwrap();
//! let file = "latitude,longitude,scan,track,acq_date,acq_time,satellite,frp\n\
//!             47.10142,37.6173,1.05,1.02,2025-04-18,112,A,10.64\n\
//!             470.1,37.6173,1.05,1.02,2025-04-18,112,A,10.64\n";
//! let zone = domain::Zone::utc();
//! let context = Context { file_name: "fires.csv", zone: &zone, area: None };
//! let mut rows = Stream::open(&mapping, context, file.as_bytes()).unwrap();
//!
//! let (_, Item::Observation(fire)) = rows.next().unwrap().unwrap() else { panic!() };
//! assert_eq!(fire.when.interval().from.to_string(), "2025-04-18T01:12:00Z");
//!
//! let (_, Item::Bad(bad)) = rows.next().unwrap().unwrap() else { panic!() };
//! assert!(bad.to_string().starts_with("line 3: latitude: latitude 470.1"));
//! assert!(rows.next().unwrap().is_none());
//! ```

pub mod catalogue;
mod clock;
pub mod limits;
pub mod mapping;
mod plan;
pub mod problem;
mod records;
mod row;
mod rows;
mod sniff;
pub mod stream;
pub mod tables;
mod topojson;
mod words;

pub use mapping::{Kind, Mapping};
pub use plan::Context;
pub use problem::{Quarantined, Refused};
pub use stream::{Item, Stream};
