//! # publish: what people read
//!
//! What this is: a state turned into reports, tables, maps and charts, into
//! GeoJSON, CSV and a summary. One value, many forms; every figure is made here
//! once and shown everywhere.
//!
//! What it may touch: nothing. Values in, text out; the same state gives the
//! same bytes. No actor can appear in anything it writes.
//!
//! Entry points: [`report::report`] with [`html::report_page`],
//! [`summary::summary`], [`table`], [`export`].
//!
//! ```
//! let line = publish::table::csv_line(["a,b", "=1+1"].into_iter());
//! assert_eq!(line, "\"a,b\",'=1+1\n"); // quoted, and no formula for a spreadsheet
//! ```

pub mod agreement;
pub mod counts;
pub mod export;
pub mod finding_report;
pub mod html;
pub mod looked;
pub mod report;
pub mod summary;
pub mod svg;
pub mod table;
pub mod text;
pub mod watch;
pub mod words;

pub use counts::Counted;
pub use report::{Report, Surroundings, report};
pub use summary::{RecordFacts, summary};
