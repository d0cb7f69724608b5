//! Restrictions of movement (VERIFICATION D2): an anomaly, a hole in what could
//! be seen, a reason to look from afar, and never a proof.

use std::collections::BTreeMap;

use domain::{Class, Probability};

use crate::act::Restraint;
use crate::fold::Restriction;
use crate::rules::DENIAL_LIKELIHOOD_RATIO;

/// What follows from refused visits to a storage site.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// Class of the restriction itself.
    pub class: Class,
    /// P(a weapon is missing from that storage), moved by the declared weight only.
    pub probability: Probability,
    /// What could not be seen.
    pub hole: String,
    /// What is proposed instead.
    pub tasking: String,
}

/// The class of a restriction.
pub const fn class(kind: Restraint) -> Class {
    match kind {
        Restraint::Denial => Class::E1,
        Restraint::Conditional => Class::E2,
        Restraint::Delay => Class::E3,
        Restraint::Violence => Class::E4,
        Restraint::Storage => Class::E7,
    }
}

/// P(missing from storage) after refused visits to a site, from what it was
/// before. Ten refusals weigh as one: they share a reason.
pub fn missing_from_storage(before: f64, restrictions: &[Restriction], site: &str) -> Inference {
    let refused =
        restrictions.iter().any(|one| one.kind == Restraint::Storage && one.place == site);
    let weight = if refused { DENIAL_LIKELIHOOD_RATIO } else { 1.0 };
    let odds = before / (1.0 - before) * weight;
    Inference {
        class: class(Restraint::Storage),
        probability: Probability::new(odds / (1.0 + odds)),
        hole: format!("{site}: not observed"),
        tasking: format!("{site}: look from afar (satellite, uncrewed aircraft)"),
    }
}

/// Sites by the number of refusals, most first: where to look from afar first.
pub fn priorities(restrictions: &[Restriction]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for one in restrictions {
        *counts.entry((&one.party, &one.place)).or_default() += 1;
    }
    let mut sites: Vec<_> = counts
        .into_iter()
        .map(|((party, place), count)| (party.to_owned(), place.to_owned(), count))
        .collect();
    sites.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    sites
}
