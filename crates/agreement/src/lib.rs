//! # agreement: the agreement as data
//!
//! What this is: a package (`agreement.toml`, `text/`, `zones/*.geojson`) read
//! strictly into parties, zones by date, and provisions with their acts, zone,
//! time in force and exceptions. A contested time keeps all its readings.
//!
//! What it may touch: nothing. Files come in as bytes, so that the same code
//! reads a folder and a package that was stored in a record.
//!
//! Entry point: [`package::parse`].
//!
//! ```
//! let toml = r#"
//! [agreement]
//! id = "night-truce"
//! version = 1
//! title = "Night truce"
//!
//! [[zone]]
//! id = "all"
//! name = "no limit stated"
//! kind = "everywhere"
//!
//! [[provision]]
//! id = "N1"
//! title = "No fire"
//! acts = ["A"]
//! zone = "all"
//! [[provision.in_force]]
//! from = 2030-01-01T18:00:00+02:00
//! to = 2030-01-02T06:00:00+02:00
//! "#;
//! let files = [("agreement.toml".to_string(), toml.as_bytes().to_vec())].into();
//! let agreement = agreement::package::parse(&files).unwrap();
//! assert_eq!(agreement.reference(), "night-truce@1");
//! ```

pub mod model;
pub mod package;
pub mod shape;

pub use model::{Agreement, Exception, Geometry, InForce, Localised, Party, Provision, Term, Zone};

#[cfg(test)]
mod tests;
