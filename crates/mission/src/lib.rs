//! # mission: the folder of a mission
//!
//! What this is: opens a mission folder, takes files into its record, folds the
//! record into incidents and findings, publishes and verifies them. Input and
//! output start here; the rooms below, but for the record, have none.
//!
//! What it may touch: the file system, and the randomness of the system for new
//! keys. It has no clock (the caller brings the time of arrival) and no network.
//!
//! Entry points: [`Case::read`], [`Mission::create`], [`ingest::ingest`],
//! [`derive::derive_and_store`], [`Edition::write`], [`verify::verify`].
//!
//! ```
//! use mission::{Case, Mission, Seeds, derive, ingest, verify};
//!
//! # let place = tempfile::tempdir()?;
//! # let (case, data) = (place.path().join("case"), place.path().join("data"));
//! # std::fs::create_dir_all(case.join("agreement"))?;
//! # std::fs::create_dir_all(&data)?;
//! // A case and a raw file, as people write them.
//! std::fs::write(case.join("case.toml"), r#"
//!     [case]
//!     id = "bridge"
//!     title = "A truce at the bridge"
//!     agreement = "agreement"
//!     zone = "Europe/Kyiv"
//!     [window]
//!     baseline_from = "2026-05-01T00:00:00Z"
//!     from = "2026-05-08T00:00:00Z"
//!     to = "2026-05-10T00:00:00Z"
//!     after_to = "2026-05-12T00:00:00Z"
//!     [[source]]
//!     id = "fires"
//!     name = "Hot spots"
//!     operator = "NASA"
//!     group = "nasa"
//!     kind = "satellite"
//!     effort = "rows"
//!     citation = "made up"
//!     licence = "CC0"
//!     [[input]]
//!     source = "fires"
//!     mapping = "firms"
//!     files = "*.csv"
//! "#)?;
//! std::fs::write(case.join("agreement/agreement.toml"), r#"
//!     [agreement]
//!     id = "bridge"
//!     version = 1
//!     title = "A truce at the bridge"
//!     [[zone]]
//!     id = "all"
//!     name = "no limit stated"
//!     kind = "everywhere"
//!     [[provision]]
//!     id = "B1"
//!     title = "No fire"
//!     acts = ["A"]
//!     zone = "all"
//!     [[provision.in_force]]
//!     from = 2026-05-08T00:00:00Z
//!     to = 2026-05-10T00:00:00Z
//! "#)?;
//! std::fs::write(data.join("fires.csv"), "\
//! latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight
//! 48.1,37.7,320.1,1.2,1.1,2026-05-08,1012,Terra,75,6.1NRT,290.0,12.5,D
//! oops,37.7,320.1,1.2,1.1,2026-05-08,1012,Terra,75,6.1NRT,290.0,12.5,D
//! ")?;
//!
//! let case = Case::read(&case)?;
//! let folder = place.path().join("mission");
//! let mission = Mission::create(&folder, &case, Seeds::Number(1))?;
//! let files = ingest::arrivals(&ingest::input_files(&mission)?, &data)?;
//! let now = jiff::Timestamp::UNIX_EPOCH;
//! let outcomes = ingest::ingest(&mission, &files, now, &mut ingest::Quiet)?;
//! assert_eq!((outcomes[0].done.rows.accepted, outcomes[0].done.rows.quarantined), (1, 1));
//!
//! let (state, _) = derive::derive_and_store(&mission)?;
//! let checked = verify::verify(&folder, |_| ())?;
//! assert_eq!(checked.digest, state.digest());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod case;
pub mod derive;
pub mod edition;
pub mod entry;
mod error;
pub mod explain;
pub mod folder;
pub mod ingest;
pub mod keys;
pub mod ledger;
mod looking;
mod networks;
pub mod owed;
pub mod people;
mod seen;
pub mod verify;
pub mod world;

pub use case::Case;
pub use edition::Edition;
pub use error::{Error, Result};
pub use folder::{Mission, Seeds};
pub use world::AsOf;
