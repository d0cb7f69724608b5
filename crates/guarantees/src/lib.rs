//! # guarantees: what is owed, by whom, by when, on whose finding
//!
//! What this is: commitments of the agreement held against verified findings
//! and the calendar. It comes to proposals, each with its clock and the chain
//! of reasons; to what is live today; and to what falls if a guarantor weakens.
//! It is deterministic, and it only proposes: everything else is a signed
//! entry of the guarantor.
//!
//! What it may touch: nothing. Values in, values out; `as_of` is an argument.
//!
//! Entry points: [`propose`], [`live`], [`weakened`].
//!
//! ```
//! let toml = r#"
//! [agreement]
//! id = "t"
//! version = 1
//! title = "T"
//! [[party]]
//! id = "south"
//! name = "South"
//! [[guarantor]]
//! id = "ARD"
//! name = "Ardland"
//! [[commitment]]
//! id = "warn"
//! title = "A warning"
//! obligors = ["ARD"]
//! beneficiary = "south"
//! actions = ["warn"]
//! functions = ["deter"]
//! strength = "political"
//! modality = "made"
//! asserted_by = "ARD"
//! "#;
//! let files = [("agreement.toml".to_string(), toml.as_bytes().to_vec())].into();
//! let agreement = agreement::package::parse(&files).unwrap();
//! let as_of = "2031-06-12T00:00:00Z".parse().unwrap();
//! let live = guarantees::live(&agreement, &[], as_of);
//! assert_eq!(live[0].words(), "live");
//! assert!(guarantees::propose(&agreement, &[], &[], as_of).is_empty()); // nothing calls it
//! ```

mod answers;
mod backstop;
mod cause;
mod live;
mod propose;

pub use answers::Answer;
pub use backstop::{Fall, weakened};
pub use cause::Cause;
pub use live::{Live, Readiness, live};
pub use propose::propose;

use agreement::{Agreement, Commitment};

/// A condition counts as met from this probability on. Findings have passed
/// their criterion before they come here; what is left is doubt about time.
const LEAST: f64 = 0.90;

/// The guarantors who owe a commitment: a coalition stands for its members,
/// where they are named.
pub fn obligors<'a>(it: &'a Agreement, commitment: &'a Commitment) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for id in &commitment.obligors {
        let known = it.guarantors.iter().find(|guarantor| guarantor.id == *id);
        let members = known.map_or(&[][..], |guarantor| guarantor.members.as_slice());
        let these = if members.is_empty() { std::slice::from_ref(id) } else { members };
        for one in these {
            if !found.contains(&one.as_str()) {
                found.push(one);
            }
        }
    }
    found
}

/// Why a commitment does not bind a guarantor, if it does not under every
/// reading: an endorsement is no guarantee, readiness is no commitment, and
/// what a beneficiary reports is not what an obligor confirms.
pub fn unbinding(it: &Agreement, commitment: &Commitment, guarantor: &str) -> Option<String> {
    let mut modalities = commitment.modality.readings().iter().map(|reading| reading.value);
    if let Some(modality) = modalities.find(|modality| !modality.binds()) {
        return Some(format!("not undertaken: {}", modality.title()));
    }
    let asserted_by = &commitment.asserted_by;
    let own = asserted_by == guarantor || commitment.obligors.contains(asserted_by);
    if !own && commitment.confirmed.is_none() {
        return Some(format!("asserted by {asserted_by}, not confirmed by {guarantor}"));
    }
    let known = it.guarantors.iter().find(|known| known.id == guarantor)?;
    (!known.modality.binds())
        .then(|| format!("{guarantor} takes part and no more: {}", known.modality.title()))
}

/// Adds what is not in a list yet.
fn add_new(list: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for one in more {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

#[cfg(test)]
mod tests;
