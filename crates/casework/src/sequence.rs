//! Who fired first (VERIFICATION D22): a probability, never a claim, and where
//! the clocks do not allow it, no order at all.

use domain::Probability;
use domain::probability::normal_cdf;
use domain::time::seconds_between;
use jiff::Timestamp;

/// A moment with the error of the clock that gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The moment.
    pub at: Timestamp,
    /// One standard deviation of the clock, seconds.
    pub sigma_s: f64,
}

/// Which of two came first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// The first reading, with this probability.
    First(Probability),
    /// The second reading, with this probability.
    Second(Probability),
    /// The clocks do not tell; P(the first came first).
    NotEstablished(Probability),
}

/// An order is established at this probability: that of a verified finding.
const ESTABLISHED: f64 = 0.90;

/// Orders two readings of independent clocks.
pub fn order(first: Reading, second: Reading) -> Order {
    let gap_s = seconds_between(first.at, second.at);
    let sigma_s = libm::hypot(first.sigma_s, second.sigma_s);
    let p = if sigma_s > 0.0 {
        normal_cdf(gap_s / sigma_s)
    } else if gap_s == 0.0 {
        0.5
    } else {
        f64::from(u8::from(gap_s > 0.0))
    };
    let probability = Probability::new(p);
    if p >= ESTABLISHED {
        Order::First(probability)
    } else if 1.0 - p >= ESTABLISHED {
        Order::Second(Probability::new(1.0 - p))
    } else {
        Order::NotEstablished(probability)
    }
}

/// Whether return fire was permitted: the procedure must have failed on record
/// and an order must have been given, both before the fire, and the other side
/// must have fired first. Three-valued.
pub fn return_fire(notified: Option<bool>, ordered: Option<bool>, order: Order) -> Option<bool> {
    let first = match order {
        Order::First(_) => Some(true),
        Order::Second(_) => Some(false),
        Order::NotEstablished(_) => None,
    };
    let all = [notified, ordered, first];
    if all.contains(&Some(false)) {
        return Some(false);
    }
    if all.contains(&None) { None } else { Some(true) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(second: i64, sigma_s: f64) -> Reading {
        Reading { at: Timestamp::from_second(1_900_000_000 + second).unwrap(), sigma_s }
    }

    #[test]
    fn d22_forty_seconds_apart_with_a_minute_of_clock_error_has_no_order() {
        let order_of = |sigma| order(reading(0, sigma), reading(40, sigma));
        assert!(matches!(order_of(60.0), Order::NotEstablished(_)), "{:?}", order_of(60.0));
        assert!(matches!(order_of(2.0), Order::First(_)));
        // Without an order nobody can say that return fire was permitted.
        assert_eq!(return_fire(Some(true), Some(true), order_of(60.0)), None);
        assert_eq!(return_fire(Some(true), Some(true), order_of(2.0)), Some(true));
        assert_eq!(return_fire(Some(false), None, order_of(60.0)), Some(false));
    }

    proptest! {
        #[test]
        fn d22_order_turns_with_the_readings(a in 0i64..1000, b in 0i64..1000, s in 0.1f64..300.0) {
            match (order(reading(a, s), reading(b, s)), order(reading(b, s), reading(a, s))) {
                (Order::First(p), Order::Second(q)) | (Order::Second(p), Order::First(q)) => prop_assert!((p.get() - q.get()).abs() < 1e-9),
                (Order::NotEstablished(p), Order::NotEstablished(q)) => prop_assert!((p.get() + q.get() - 1.0).abs() < 1e-9),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
