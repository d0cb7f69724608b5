//! How much was listened to: without it "no events" means nothing.

use crate::input::Outage;

/// Whether a network was looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// All stations, nearly all of the time (99 %).
    Observed,
    /// Some of it.
    Partly,
    /// Nobody listened: nothing can be said, least of all that it was quiet.
    NotObserved,
}

impl Looked {
    /// As it is written in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Partly => "partly observed",
            Self::NotObserved => "not observed",
        }
    }
}

/// Hours listened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Hours of all stations together in which they were up.
    pub station_hours: f64,
    /// Hours in which they were known to be down.
    pub down_hours: f64,
    /// In a word.
    pub looked: Looked,
}

/// Effort of so many stations over a time, in seconds, less their outages.
pub fn effort(stations: u32, outages: &[Outage], from: f64, to: f64) -> Effort {
    let span = (to - from).max(0.0);
    let mut down = 0.0;
    for station in 0..stations {
        let mut own: Vec<(f64, f64)> = outages
            .iter()
            .filter(|o| o.station == station)
            .map(|o| (o.start_s.max(from), o.end_s.min(to)))
            .filter(|(start, end)| end > start)
            .collect();
        own.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Outages of a station may overlap.
        let mut until = from;
        for (start, end) in own {
            down += (end - start.max(until)).max(0.0);
            until = until.max(end);
        }
    }
    let total = span * f64::from(stations);
    let up = (total - down).max(0.0);
    let looked = if up <= 0.0 {
        Looked::NotObserved
    } else if up < 0.99 * total {
        Looked::Partly
    } else {
        Looked::Observed
    };
    Effort { station_hours: up / 3600.0, down_hours: down / 3600.0, looked }
}
