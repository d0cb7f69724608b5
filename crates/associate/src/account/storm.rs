//! Alarm storms: wind, rain or machinery makes stations raise false alarms, many at
//! once. A storm shows in what is still unexplained at the stations of an event
//! around its time, beside what is usual there; and an event that is made of
//! detections in a storm may be nothing but the storm.

use crate::math;

/// A storm blows about the stations of an event a hundredth of the time. Declared.
const SHARE: f64 = 0.01;

/// False alarms in place of an event, more than its stations usually raise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Storm {
    /// How long was looked at, about each arrival, s.
    pub span_s: f64,
    /// Detections of its stations in that time that nothing explains, its own apart.
    pub others: u32,
    /// How many are usual.
    pub usual: f64,
    /// Probability that a storm was on, by those others alone.
    pub probability: f64,
    /// Evidence that its own detections are of the storm, less that of the event, nats.
    pub behind: f64,
}

/// How busy one station was about an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    /// Its detections of the event.
    pub own: u32,
    /// Detections about them that nothing explains.
    pub others: u32,
    /// Within so long, s.
    pub span_s: f64,
    /// How many are usual, per s.
    pub usual: f64,
    /// Sum over the own ones of the logarithm of the rate that the evidence took for
    /// false alarms.
    pub ln_assumed: f64,
    /// Logarithm of the width in which others were counted, where a rate is one per
    /// degree.
    pub ln_width: f64,
}

/// Those of one station among times, its own left out: how many are within so long.
pub(crate) fn noisy(times: impl Iterator<Item = f64>, t: f64, within_s: f64) -> u32 {
    times.filter(|other| (other - t).abs() <= within_s).count() as u32
}

impl Storm {
    /// Weighs a storm against an event of this evidence; none if nobody heard it.
    pub(crate) fn of(evidence: f64, noise: &[Noise]) -> Option<Self> {
        let (mut others, mut usual, mut span_s) = (0, 0.0, 0.0_f64);
        // Log-odds of a storm by the others, and what it makes of the event's own.
        let (mut odds, mut gain) = (math::ln(SHARE / (1.0 - SHARE)), 0.0);
        for one in noise {
            let expected = one.usual * one.span_s;
            others += one.others;
            usual += expected;
            span_s = span_s.max(one.span_s);
            // The rate by what was counted, with one alarm at the usual rate beside it.
            let count = f64::from(one.others);
            let rate = ((count + 1.0) / (one.span_s + 1.0 / one.usual)).max(one.usual);
            odds += count * math::ln(rate / one.usual) - (rate - one.usual) * one.span_s;
            gain += f64::from(one.own) * (math::ln(rate) - one.ln_width) - one.ln_assumed;
        }
        if noise.is_empty() {
            return None;
        }
        let probability = math::logistic(odds);
        let behind = math::ln(probability.max(1e-300)) + gain - evidence;
        Some(Self { span_s, others, usual, probability, behind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(others: u32) -> Noise {
        let usual: f64 = 3.0 / 3_600.0;
        Noise { own: 1, others, span_s: 120.0, usual, ln_assumed: usual.ln(), ln_width: 0.0 }
    }

    #[test]
    fn many_alarms_at_once_are_a_storm_and_few_are_none() {
        let quiet = Storm::of(12.0, &[noise(0); 5]).unwrap();
        assert!(quiet.probability < 0.02 && quiet.behind < -12.0, "{quiet:?}");
        let storm = Storm::of(12.0, &[noise(15); 5]).unwrap();
        assert!(storm.probability > 0.999 && storm.behind > 0.0, "{storm:?}");
        assert_eq!(storm.others, 75);
        // What a storm makes of five arrivals, it hardly makes of strong evidence.
        let strong = Storm::of(60.0, &[noise(15); 5]).unwrap();
        assert!(strong.behind < -30.0, "{strong:?}");
        assert_eq!(Storm::of(12.0, &[]), None);
    }
}
