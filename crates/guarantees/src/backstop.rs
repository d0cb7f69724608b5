//! The backstop graph: what falls if a guarantor weakens.

use std::collections::BTreeSet;

use agreement::Agreement;

use crate::{obligors, unbinding};

/// What becomes of a commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fall {
    /// Nobody is left who owes it.
    Fails {
        /// The commitment.
        commitment: String,
    },
    /// Fewer owe it.
    Thinner {
        /// The commitment.
        commitment: String,
        /// Who is left.
        left: Vec<String>,
    },
    /// It stands, and what stood behind it does not.
    Unbacked {
        /// The commitment.
        commitment: String,
        /// The commitments behind it that fail.
        lost: Vec<String>,
    },
}

/// What falls if these guarantors do nothing any more. Commitments that bind
/// nobody carry nothing and are left out.
pub fn weakened(it: &Agreement, guarantors: &[&str]) -> Vec<Fall> {
    let mut falls = Vec::new();
    let mut failed: BTreeSet<&str> = BTreeSet::new();
    for commitment in &it.commitments {
        let mut bound = obligors(it, commitment);
        bound.retain(|one| unbinding(it, commitment, one).is_none());
        let (gone, left): (Vec<&str>, Vec<&str>) =
            bound.into_iter().partition(|one| guarantors.contains(one));
        if gone.is_empty() {
            continue;
        }
        let id = commitment.id.clone();
        if left.is_empty() {
            failed.insert(&commitment.id);
            falls.push(Fall::Fails { commitment: id });
        } else {
            let left = left.into_iter().map(str::to_owned).collect();
            falls.push(Fall::Thinner { commitment: id, left });
        }
    }
    for commitment in it.commitments.iter().filter(|one| !failed.contains(one.id.as_str())) {
        let behind = it.commitments.iter().filter(|behind| {
            failed.contains(behind.id.as_str()) && behind.backs.contains(&commitment.id)
        });
        let lost: Vec<String> = behind.map(|behind| behind.id.clone()).collect();
        if !lost.is_empty() {
            falls.push(Fall::Unbacked { commitment: commitment.id.clone(), lost });
        }
    }
    falls
}
