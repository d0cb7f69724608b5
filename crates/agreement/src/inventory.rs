//! Quotas and inventories: what may be where, and the lists by which one can
//! tell. Without its list a site cannot be shown as compliant.

use domain::Interval;
use jiff::Timestamp;
use serde::Deserialize;

use crate::citation::Citation;
use crate::timeline::At;

/// How many weapons of a class a party may have in a zone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Short name.
    pub id: String,
    /// Whose.
    pub party: String,
    /// The weapon class.
    pub weapon: String,
    /// The zone.
    pub zone: String,
    /// How many at most.
    pub at_most: u32,
    /// From when.
    pub from: Option<At>,
    /// Until when.
    pub to: Option<At>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

/// What a count says about a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaState {
    /// More were counted for certain.
    Exceeded {
        /// By how many at least.
        by: u32,
    },
    /// Not more can be there.
    Kept,
    /// What was not seen could make the difference.
    CannotTell,
}

impl Quota {
    /// While it holds.
    pub fn valid(&self) -> Interval {
        Interval {
            from: self.from.map_or(Timestamp::MIN, |at| at.0),
            to: self.to.map_or(Timestamp::MAX, |at| at.0),
        }
    }

    /// `seen`: counted; `unseen_most`: how many more can be where nobody
    /// looked, none if that cannot be bounded.
    pub fn state(&self, seen: u32, unseen_most: Option<u32>) -> QuotaState {
        if seen > self.at_most {
            QuotaState::Exceeded { by: seen - self.at_most }
        } else if unseen_most.is_some_and(|more| seen.saturating_add(more) <= self.at_most) {
            QuotaState::Kept
        } else {
            QuotaState::CannotTell
        }
    }
}

/// The list of what a party has put into a storage site.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Short name.
    pub id: String,
    /// Whose.
    pub party: String,
    /// The site.
    pub site: String,
    /// The provision that asks for it.
    pub provision: String,
    /// The clock within which it is due.
    pub clock: Option<String>,
    /// When it was supplied; none if it has not been.
    pub supplied: Option<At>,
    /// What is on it.
    #[serde(default)]
    pub item: Vec<Item>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
}

/// A line of an inventory.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// The system.
    pub system: String,
    /// How many; 1 for an item with a serial number.
    #[serde(default = "one")]
    pub count: u32,
    /// Its serial number, if listed.
    pub serial: Option<String>,
    /// Its seal, if sealed.
    pub seal: Option<String>,
}

const fn one() -> u32 {
    1
}

/// What a visit says about one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// All are there.
    Present,
    /// So many are not.
    Missing(u32),
    /// So many more than listed.
    Extra(u32),
    /// It could not be seen.
    CannotSee,
}

/// What a visit counted of one system; none where it could not see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The system.
    pub system: String,
    /// How many were there; none if that could not be seen.
    pub count: Option<u32>,
}

/// What may be said of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SiteState {
    /// Everything on the list is there and nothing else.
    Compliant,
    /// Something is missing or in excess.
    NotCompliant,
    /// There is no list, no visit, or something could not be seen.
    CannotTell,
}

impl Inventory {
    /// Line by line, what a visit found; systems that are not on the list come
    /// after it. A system that the visit does not mention could not be seen.
    pub fn reconcile(&self, visit: &[Counted]) -> Vec<(String, Found)> {
        let mut systems: Vec<&str> = Vec::new();
        for name in self.item.iter().map(|item| &item.system).chain(visit.iter().map(|v| &v.system))
        {
            if !systems.contains(&name.as_str()) {
                systems.push(name);
            }
        }
        let listed = |system: &str| -> u32 {
            self.item.iter().filter(|item| item.system == system).map(|item| item.count).sum()
        };
        systems
            .into_iter()
            .map(|system| {
                let counted = visit.iter().find(|v| v.system == system).and_then(|v| v.count);
                let found = match (listed(system), counted) {
                    (_, None) => Found::CannotSee,
                    (listed, Some(there)) if there == listed => Found::Present,
                    (listed, Some(there)) if there < listed => Found::Missing(listed - there),
                    (listed, Some(there)) => Found::Extra(there - listed),
                };
                (system.to_owned(), found)
            })
            .collect()
    }

    /// What may be said of the site after a visit; none: nobody was there.
    pub fn state(&self, visit: Option<&[Counted]>) -> SiteState {
        let (Some(_), Some(visit)) = (&self.supplied, visit) else { return SiteState::CannotTell };
        let found = self.reconcile(visit);
        let any = |wanted: fn(&Found) -> bool| found.iter().any(|(_, found)| wanted(found));
        if any(|found| matches!(found, Found::Missing(_) | Found::Extra(_))) {
            SiteState::NotCompliant
        } else if any(|found| *found == Found::CannotSee) {
            SiteState::CannotTell
        } else {
            SiteState::Compliant
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(rest: &str) -> Inventory {
        let head = "id = \"i\"\nparty = \"p\"\nsite = \"s\"\nprovision = \"7\"\n";
        strict::Text::new("i", format!("{head}{rest}")).parse().unwrap()
    }

    fn counted(system: &str, count: Option<u32>) -> Counted {
        Counted { system: system.into(), count }
    }

    /// VERIFICATION D15, T: a site with no inventory cannot show a "compliant" badge.
    #[test]
    fn d15_a_site_without_an_inventory_is_never_compliant() {
        let none = inventory("");
        assert_eq!(none.state(Some(&[])), SiteState::CannotTell);
        assert_eq!(none.state(Some(&[counted("2S1", Some(4))])), SiteState::CannotTell);
        let listed =
            inventory("supplied = 2015-10-01T00:00:00Z\n[[item]]\nsystem = \"2S1\"\ncount = 4");
        assert_eq!(listed.state(None), SiteState::CannotTell);
        assert_eq!(listed.state(Some(&[counted("2S1", Some(4))])), SiteState::Compliant);
    }

    #[test]
    fn d15_a_visit_is_reconciled_line_by_line() {
        let listed = inventory(
            "supplied = 2015-10-01T00:00:00Z\n[[item]]\nsystem = \"2S1\"\ncount = 4\n[[item]]\nsystem = \"D-30\"\ncount = 2",
        );
        let found = listed.reconcile(&[
            counted("2S1", Some(3)),
            counted("D-30", None),
            counted("BM-21", Some(1)),
        ]);
        let states: Vec<Found> = found.iter().map(|(_, found)| *found).collect();
        assert_eq!(states, [Found::Missing(1), Found::CannotSee, Found::Extra(1)]);
        assert_eq!(
            listed.state(Some(&[counted("2S1", Some(4)), counted("D-30", None)])),
            SiteState::CannotTell
        );
    }

    #[test]
    fn a_quota_is_kept_only_if_the_unseen_cannot_break_it() {
        let quota: Quota = strict::Text::new(
            "q",
            "id = \"q\"\nparty = \"p\"\nweapon = \"w\"\nzone = \"z\"\nat_most = 4",
        )
        .parse()
        .unwrap();
        assert_eq!(quota.state(5, None), QuotaState::Exceeded { by: 1 });
        assert_eq!(quota.state(4, Some(0)), QuotaState::Kept);
        assert_eq!(quota.state(3, None), QuotaState::CannotTell);
        assert_eq!(quota.state(3, Some(2)), QuotaState::CannotTell);
    }
}
