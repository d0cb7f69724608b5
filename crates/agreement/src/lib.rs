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

pub mod alignment;
pub mod check;
pub mod choice;
pub mod citation;
pub mod clock;
pub mod commitment;
pub mod condition;
pub mod definition;
pub mod describe;
pub mod diff;
pub mod evaluate;
pub mod guarantor;
pub mod inventory;
pub mod lint;
pub mod mechanism;
pub mod model;
pub mod package;
pub mod procedure;
pub mod provision;
pub mod quotation;
pub mod reading;
pub mod shape;
pub mod standard;
pub mod testing;
pub mod timeline;
pub mod trigger;
pub mod truth;
pub mod weapon;
pub mod window;
pub mod zone;

pub use alignment::{Alignment, Confirmation, alignment};
pub use choice::{Choice, Fields};
pub use citation::{Citation, Document, Localised};
pub use clock::{Anchor, Anchors, Calendar, Clock, Deadline, Filed, Length, Pause, PauseReason};
pub use commitment::{
    Action, Amount, Commitment, Domain, Endorsement, Function, Pledge, PledgeDay, PledgeKind,
    PledgeStep, Strength,
};
pub use condition::{Answer, Breach, Condition, Evaluation, NamedCondition};
pub use definition::Definition;
pub use evaluate::{Evaluated, Evaluator, Facts, Ground, Rule};
pub use guarantor::{Guarantor, LegalStep, Modality, Rung, Standing, standing};
pub use inventory::{Inventory, Quota, QuotaState, SiteState};
pub use mechanism::{Body, Mandate, Means, Mechanism, Role};
pub use model::{Agreement, EventTimes, Party, Replaces};
pub use package::Package;
pub use procedure::{Procedure, Progress, Taken};
pub use provision::{Bound, Exception, Kind, Phase, Provision, Term};
pub use reading::{Contested, Reading};
pub use standard::{Severity, Standard, Threshold};
pub use timeline::{At, Event, Happening, Order, Timeline, order, probability_before};
pub use truth::{Truth, Verdict};
pub use weapon::{WeaponClass, WeaponKind, WeaponSeen};
pub use window::Window;
pub use zone::{Course, Geometry, Line, Side, Surface, Zone};

#[cfg(test)]
mod tests;
