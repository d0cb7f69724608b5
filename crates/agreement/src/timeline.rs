//! What conditions are held against: declared events that took place, and
//! incidents as far as they have come.

use std::collections::BTreeMap;

use domain::incident::ClassShare;
use domain::{Interval, Occurrence, Probability};
use jiff::Timestamp;
use serde::Deserialize;

use crate::citation::{Citation, Localised};
use crate::reading::Contested;
use crate::standard::{Severity, Standard};

/// A moment, as a package writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub Timestamp);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        strict::Moment::deserialize(deserializer).map(|moment| Self(moment.0))
    }
}

/// Something that is to happen once and on which other things depend: signing,
/// entry into force, an exchange completed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// When it took place, under each reading; none if it has not, or if that
    /// is undecided.
    pub at: Option<Contested<At>>,
    /// Where it is laid down.
    #[serde(default)]
    pub citation: Citation,
    /// What a reader must know: for an undecided moment, that it is.
    #[serde(default)]
    pub note: String,
}

/// One incident, as a condition sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// Id of the incident, the finding or the line of a scenario.
    pub id: String,
    /// When.
    pub when: Occurrence,
    /// What it was, with shares that add up to 1.
    pub classes: Vec<ClassShare>,
    /// How grave; none if nobody has said.
    pub severity: Option<Severity>,
    /// The standard of proof that it has reached.
    pub standard: Standard,
    /// Provisions that it breaches, with the probability.
    pub breaches: BTreeMap<String, Probability>,
    /// Who did it and with what probability, if a published attribution says so.
    pub by: Option<(String, Probability)>,
    /// Part of the front or region; none if unknown.
    pub sector: Option<String>,
    /// Zones of the agreement in which it lies, with the probability.
    pub zones: BTreeMap<String, Probability>,
}

/// Events and incidents up to a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The moment as of which conditions are evaluated.
    pub as_of: Timestamp,
    /// Declared events by id, with the moment.
    pub events: BTreeMap<String, Timestamp>,
    /// Incidents, in any order.
    pub happenings: Vec<Happening>,
}

impl Timeline {
    /// An empty one.
    pub fn new(as_of: Timestamp) -> Self {
        Self { as_of, events: BTreeMap::new(), happenings: Vec::new() }
    }
}

/// P(`first` took place before `second`): normal errors of the two clocks, and
/// the middle of a span that is longer than a moment, whose half-width counts
/// as an error of `width / sqrt 12`.
pub fn probability_before(first: &Occurrence, second: &Occurrence) -> Probability {
    let spread = |occurrence: &Occurrence| {
        let width = occurrence.span.seconds();
        occurrence.sigma_s * occurrence.sigma_s + width * width / 12.0
    };
    let gap_s = domain::time::seconds_between(first.span.middle(), second.span.middle());
    let sigma_s = (spread(first) + spread(second)).sqrt();
    Probability::new(if sigma_s > 0.0 {
        domain::probability::normal_cdf(gap_s / sigma_s)
    } else if gap_s > 0.0 {
        1.0
    } else if gap_s < 0.0 {
        0.0
    } else {
        0.5
    })
}

/// The order of two things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The first one came first.
    First,
    /// The second one did.
    Second,
    /// Their clocks do not tell.
    NotEstablished,
}

/// An order counts as established from this probability on.
pub const ORDER_LEAST: f64 = 0.95;

/// The order of two things, if it is established.
pub fn order(first: &Occurrence, second: &Occurrence) -> Order {
    let p = probability_before(first, second).get();
    if p >= ORDER_LEAST {
        Order::First
    } else if p <= 1.0 - ORDER_LEAST {
        Order::Second
    } else {
        Order::NotEstablished
    }
}

/// From a moment on.
pub(crate) fn from(moment: Timestamp) -> Interval {
    Interval { from: moment, to: Timestamp::MAX }
}

#[cfg(test)]
mod tests {
    use domain::Extent;

    use super::*;

    fn at(text: &str, sigma_s: f64) -> Occurrence {
        let moment: Timestamp = text.parse().unwrap();
        Occurrence { span: Interval::at(moment), sigma_s, extent: Extent::Once }
    }

    /// VERIFICATION D22, T: two salvos 40 s apart with 60 s clock error give
    /// "order not established".
    #[test]
    fn d22_forty_seconds_apart_with_a_minute_of_clock_error_is_no_order() {
        let (a, b) = (at("2026-01-01T00:00:00Z", 60.0), at("2026-01-01T00:00:40Z", 60.0));
        assert_eq!(order(&a, &b), Order::NotEstablished);
        // Phi(40 / (60 sqrt 2)) = Phi(0.4714) = 0.6813
        assert!((probability_before(&a, &b).get() - 0.6813).abs() < 1e-3);
        let late = at("2026-01-01T00:05:00Z", 60.0);
        assert_eq!(order(&a, &late), Order::First);
        assert_eq!(order(&late, &a), Order::Second);
    }
}
