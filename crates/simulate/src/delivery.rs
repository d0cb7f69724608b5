//! How detections come in: most within seconds, a few within the hour.

use chance::Chance;

use crate::sheet;
use crate::write::{Part, Sink};

/// How long after it happened a detection is received, s.
pub(crate) fn delay_s(chance: &mut Chance) -> f64 {
    let (rate, (least_s, most_s)) = sheet::DELIVERY_LATE;
    if chance.happens(rate) {
        chance.between(least_s, most_s)
    } else {
        sheet::DELIVERY_S.0 + chance.exponential(sheet::DELIVERY_S.1)
    }
}

/// Lines on their way, of a set that is small enough to be held.
pub(crate) struct Delivery {
    chance: Chance,
    lines: Vec<(f64, String)>,
}

impl Delivery {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed, "delivery"), lines: Vec::new() }
    }

    /// When the next detection is received, s, if it happened at this time.
    pub(crate) fn received_s(&mut self, t_s: f64) -> f64 {
        domain::probability::rounded(t_s + delay_s(&mut self.chance), 2)
    }

    /// Takes the line of a detection that is received at this time.
    pub(crate) fn take(&mut self, received_s: f64, line: String) {
        self.lines.push((received_s, line));
    }

    /// Writes all lines in the order in which they are received.
    pub(crate) fn put<S: Sink>(mut self, part: Part, sink: &mut S) -> Result<(), S::Error> {
        self.lines.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Also when nothing is heard: an empty file is not a missing one.
        sink.put(part, "")?;
        self.lines.iter().try_for_each(|(_, line)| sink.put(part, line))
    }
}
