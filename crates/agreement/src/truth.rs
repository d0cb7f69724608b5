//! Three-valued logic with probability: what is known of a statement is the
//! range in which its probability lies, with the reasons for what is open.
//!
//! Met: the range is [1, 1]. Not met: [0, 0]. Unknown: [0, 1], with the reason.
//! In between: met with a probability. Connectives treat their parts as
//! independent; that is said wherever a product is shown.

use domain::{Met, Probability};

/// What is known of a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    low: f64,
    high: f64,
    /// Why the ends of the range differ; empty if they do not.
    open: Vec<String>,
}

impl Truth {
    /// Met.
    pub fn met() -> Self {
        Self { low: 1.0, high: 1.0, open: Vec::new() }
    }

    /// Not met.
    pub fn not_met() -> Self {
        Self { low: 0.0, high: 0.0, open: Vec::new() }
    }

    /// Met with a probability.
    pub fn probably(p: Probability) -> Self {
        Self { low: p.get(), high: p.get(), open: Vec::new() }
    }

    /// Cannot be answered, and why.
    pub fn unknown(because: impl Into<String>) -> Self {
        Self { low: 0.0, high: 1.0, open: vec![because.into()] }
    }

    /// Between two probabilities, and why it is not known better.
    ///
    /// # Panics
    /// If the ends are the wrong way round.
    pub fn between(low: Probability, high: Probability, open: Vec<String>) -> Self {
        assert!(low <= high, "the lower end lies below the upper one");
        Self::range(low.get(), high.get(), open, Vec::new())
    }

    /// Least probability.
    pub fn low(&self) -> Probability {
        Probability::new(self.low)
    }

    /// Greatest probability.
    pub fn high(&self) -> Probability {
        Probability::new(self.high)
    }

    /// What is open; empty if the probability is known.
    pub fn open(&self) -> &[String] {
        &self.open
    }

    /// True if the probability is a range.
    pub fn is_open(&self) -> bool {
        self.low < self.high
    }

    /// It does not hold.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { low: 1.0 - self.high, high: 1.0 - self.low, open: self.open }
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (low, high) = (self.low * other.low, self.high * other.high);
        Self::range(low, high, self.open, other.open)
    }

    /// At least one holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.negated().and(other.negated()).negated()
    }

    /// All hold.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::met(), Self::and)
    }

    /// At least one holds.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        parts.into_iter().fold(Self::not_met(), Self::or)
    }

    fn range(low: f64, high: f64, mut open: Vec<String>, more: Vec<String>) -> Self {
        if low >= high {
            return Self { low, high: low, open: Vec::new() };
        }
        for reason in more {
            if !open.contains(&reason) {
                open.push(reason);
            }
        }
        Self { low, high, open }
    }

    /// In three values, the criterion applied: met if surely at least
    /// `least`, not met if surely below, else open.
    pub fn verdict(&self, least: Probability) -> Verdict {
        if self.low >= least.get() {
            Verdict::Met
        } else if self.high < least.get() {
            Verdict::NotMet
        } else {
            Verdict::Open
        }
    }
}

/// A [`Truth`] held against a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds.
    Met,
    /// It does not hold.
    NotMet,
    /// It cannot be answered.
    Open,
}

impl Verdict {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Open => "open",
        }
    }
}

impl From<Met> for Truth {
    fn from(met: Met) -> Self {
        match met {
            Met::Probably(p) => Self::probably(p),
            Met::Unknown { because } => Self::unknown(because),
        }
    }
}

impl From<Truth> for Met {
    fn from(truth: Truth) -> Self {
        if truth.is_open() {
            Self::Unknown { because: truth.open.join("; ") }
        } else {
            Self::Probably(truth.low())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_truth() -> impl Strategy<Value = Truth> {
        prop_oneof![
            (0.0f64..=1.0).prop_map(|p| Truth::probably(Probability::new(p))),
            Just(Truth::met()),
            Just(Truth::not_met()),
            Just(Truth::unknown("why")),
        ]
    }

    #[test]
    fn what_is_false_anyway_does_not_wait_for_the_unknown() {
        assert_eq!(Truth::unknown("x").and(Truth::not_met()), Truth::not_met());
        assert_eq!(Truth::unknown("x").or(Truth::met()), Truth::met());
        assert!(Truth::unknown("x").and(Truth::met()).is_open());
    }

    proptest! {
        #[test]
        fn connectives_keep_the_range(a in a_truth(), b in a_truth()) {
            for both in [a.clone().and(b.clone()), a.clone().or(b.clone()), a.clone().negated()] {
                prop_assert!(both.low <= both.high && both.low >= 0.0 && both.high <= 1.0);
                prop_assert_eq!(both.is_open(), !both.open.is_empty());
            }
            let (or, and) = (a.clone().or(b.clone()), a.clone().and(b.clone()));
            prop_assert!(and.high <= or.high + 1e-12 && and.low <= or.low + 1e-12);
            let flipped = b.or(a);
            prop_assert!((flipped.low - or.low).abs() < 1e-12 && (flipped.high - or.high).abs() < 1e-12);
        }
    }
}
