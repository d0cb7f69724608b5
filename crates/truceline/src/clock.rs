//! The one place that reads the clock of the machine.

use jiff::Timestamp;

/// Now, to the second: what it is recorded for needs no more, and all moments
/// are written equally long.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
