//! Rows and lines, in the formats of the benchmark.

use std::fmt::Write as _;

/// The files of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// `stations.csv`
    Stations,
    /// `outages.csv`
    Outages,
    /// `met.csv`
    Met,
    /// `detections.csv`
    Detections,
    /// `detections.ndjson`
    Stream,
    /// `picks.csv`
    Picks,
    /// `picks.ndjson`
    PickStream,
    /// `arrays.dets.json`
    Arrays,
    /// `velocity.csv`
    Velocity,
    /// `arrivals.csv`
    Arrivals,
    /// `arrivals.ndjson`
    ArrivalStream,
    /// `windows.csv`
    Windows,
    /// `curve.csv`
    Curve,
    /// `truth.csv`
    Truth,
    /// `truth_assoc.csv`
    TruthAssoc,
    /// `truth_faults.csv`
    TruthFaults,
    /// `truth_attacks.csv`
    TruthAttacks,
    /// `truth_attack_detections.csv`
    TruthAttackDetections,
    /// `truth_storms.csv`
    TruthStorms,
    /// `truth_performance.json`
    TruthPerformance,
    /// `meta.json`
    Meta,
    /// `stations.csv` of the labelled part of a set.
    TrainingStations,
    /// `arrivals.csv` of it.
    TrainingArrivals,
    /// `windows.csv` of it.
    TrainingWindows,
    /// `curve.csv` of it.
    TrainingCurve,
    /// `truth.csv` of it.
    TrainingTruth,
    /// `truth_assoc.csv` of it.
    TrainingTruthAssoc,
}

impl Part {
    /// Its file name, with the folder if it is not that of the set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stations => "stations.csv",
            Self::Outages => "outages.csv",
            Self::Met => "met.csv",
            Self::Detections => "detections.csv",
            Self::Stream => "detections.ndjson",
            Self::Picks => "picks.csv",
            Self::PickStream => "picks.ndjson",
            Self::Arrays => "arrays.dets.json",
            Self::Velocity => "velocity.csv",
            Self::Arrivals => "arrivals.csv",
            Self::ArrivalStream => "arrivals.ndjson",
            Self::Windows => "windows.csv",
            Self::Curve => "curve.csv",
            Self::Truth => "truth.csv",
            Self::TruthAssoc => "truth_assoc.csv",
            Self::TruthFaults => "truth_faults.csv",
            Self::TruthAttacks => "truth_attacks.csv",
            Self::TruthAttackDetections => "truth_attack_detections.csv",
            Self::TruthStorms => "truth_storms.csv",
            Self::TruthPerformance => "truth_performance.json",
            Self::Meta => "meta.json",
            Self::TrainingStations => "training/stations.csv",
            Self::TrainingArrivals => "training/arrivals.csv",
            Self::TrainingWindows => "training/windows.csv",
            Self::TrainingCurve => "training/curve.csv",
            Self::TrainingTruth => "training/truth.csv",
            Self::TrainingTruthAssoc => "training/truth_assoc.csv",
        }
    }
}

impl Part {
    /// Whether it is what another file holds, in the order in which it came in.
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::PickStream | Self::ArrivalStream)
    }
}

/// Where a data set goes, piece by piece. The pieces of one file come in order;
/// files may alternate.
pub trait Sink {
    /// What can go wrong there.
    type Error;
    /// Takes the next piece of a file.
    fn put(&mut self, part: Part, text: &str) -> Result<(), Self::Error>;
    /// Told now and then how far the set has come, s of simulated time.
    fn passed(&mut self, _t_s: f64, _of_s: f64) {}
}

/// In memory, for tests and small sets.
impl Sink for std::collections::BTreeMap<&'static str, String> {
    type Error = std::convert::Infallible;
    fn put(&mut self, part: Part, text: &str) -> Result<(), Self::Error> {
        self.entry(part.name()).or_default().push_str(text);
        Ok(())
    }
}

/// Appends a number with a fixed number of decimals (at most 9), rounded half
/// away from zero. Much faster than the standard formatting, which counts with
/// eight million rows.
pub(crate) fn fixed(out: &mut String, value: f64, decimals: usize) {
    const SCALE: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
    let scaled = libm::round(value * SCALE[decimals]);
    debug_assert!(scaled.is_finite() && libm::fabs(scaled) < 9e15, "{value} cannot be written");
    if scaled < 0.0 {
        out.push('-');
    }
    let mut left = libm::fabs(scaled) as u64;
    let mut digits = [b'0'; 24];
    let mut at = digits.len();
    let mut count = 0;
    while left > 0 || count <= decimals {
        if count == decimals && decimals > 0 {
            at -= 1;
            digits[at] = b'.';
        }
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
    }
    out.push_str(std::str::from_utf8(&digits[at..]).expect("digits are ASCII"));
}

/// Appends a whole number.
pub(crate) fn whole(out: &mut String, value: u64) {
    write!(out, "{value}").expect("a string takes everything");
}

/// Appends a letter and a number, `D12`.
pub(crate) fn id(out: &mut String, letter: char, number: u64) {
    out.push(letter);
    whole(out, number);
}

/// Appends the id of a sensor.
pub(crate) fn sensor(out: &mut String, index: usize) {
    write!(out, "S{index:05}").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for value in [0.0, -0.00001, 1.0, -1.5, 12.34567, 86399.99995, 0.05, -273.15, 9.999999] {
            for decimals in 0..8 {
                let mut found = String::new();
                fixed(&mut found, value, decimals);
                let close =
                    format!("{:.decimals$}", domain::probability::rounded(value, decimals as u32));
                assert_eq!(found, close, "{value} {decimals}");
            }
        }
    }
}
