//! # casework: what people decide, folded into status
//!
//! What this is: everything that a person does is a signed entry. This room
//! reads those entries in record order, enforces the rules (who may, in which
//! order, with which clock), and comes to cases: status, ten checks, replies,
//! attribution, publication. An entry that breaks a rule is kept with the
//! reason and has no effect. Whoever has the record can run the same fold and
//! must come to the same cases.
//!
//! What it may touch: nothing. It has no clock: the moment of an act stands in
//! the signed statement, the moment of its receipt beside it in the record. It
//! reads envelopes with `record::dsse`, which is pure.
//!
//! Entry point: [`fold`].
//!
//! ```
//! use casework::{Act, Item, Officer, Role, Rules, Statement, fold};
//! use domain::case::{Severity, Standard};
//! # use domain::{Finding, Id, Incident, Source};
//! # struct Nothing;
//! # impl casework::Ground for Nothing {
//! #     fn finding(&self, _: Id) -> Option<(&Finding, &Incident)> { None }
//! #     fn source(&self, _: &str) -> Option<&Source> { None }
//! #     fn root_at(&self, _: u64) -> Option<String> { Some("root".into()) }
//! # }
//! let key = record::PrivateKey::from_seed("W-1", &[1; 32])?; // not a seed to use
//! let officer = Officer {
//!     key: key.public().to_string(),
//!     person: "W-1".into(),
//!     role: Role::WitnessOperator,
//!     contingent: "FI".into(),
//!     from: "2031-06-01T00:00:00Z".parse().unwrap(),
//!     to: "2032-06-01T00:00:00Z".parse().unwrap(),
//! };
//! let at = "2031-06-12T10:00:00Z".parse().unwrap();
//! let act = Act::Witness { size: 7, root: "root".into() };
//! let statement = Statement { mission: "m".into(), at, finding: None, act };
//! let envelope = statement.sign(&key)?;
//!
//! let rules = Rules::proposed(vec!["north".into(), "south".into()]);
//! let filed = |entry| (entry, Item::Act { received: at, envelope: &envelope });
//! let items = [(7, Item::Officer(&officer)), filed(8), filed(9)];
//! let casework = fold(items, "m", &rules, &Nothing, None);
//! assert!(casework.steps[0].refused.is_none());
//! // The same envelope again is a replay: recorded, and without effect.
//! assert_eq!(casework.steps[1].refused.as_ref().unwrap().0, "replayed");
//! # Ok::<(), record::Error>(())
//! ```

pub mod act;
pub mod evidence;
mod fold;
pub mod officer;
pub mod position;
mod refusal;
pub mod report;
pub mod restraint;
pub mod role;
pub mod rules;
pub mod story;

pub use act::{Act, Statement};
pub use domain::estimative as words;
pub use evidence::Ground;
pub use fold::{Allegation, Answered, Casework, Fold, Item, Restriction, fold};
pub use officer::{Officer, Revocation};
pub use refusal::Refusal;
pub use role::Role;
pub use rules::Rules;

#[cfg(test)]
mod tests;
