//! Detections put in once more. Levels are written to a tenth of a decibel and
//! two rounds differ by several, so that an event whose stations report the very
//! levels and signal-to-noise ratios of an earlier one, all by one delay, was not
//! heard: somebody wrote it down again.

use std::collections::VecDeque;

use crate::math;
use crate::ring::{Pick, Ring};
use crate::score::Hit;

/// How far back is looked, s.
const BACK_S: f64 = 7_500.0;
/// An exact echo sooner than this may be a fault of a sensor, s.
const SOON_S: f64 = 5.0;
/// Delays closer than this are one, s. True arrivals scatter by a tenth of a second.
const ALIKE_S: f64 = 0.002;
/// Stations that must repeat themselves.
const LEAST: usize = 3;
/// Log-odds before anything is compared: one event in a thousand is put in again.
const RARE: f64 = -6.9;
/// What a repeated detection tells, nats: level (a tenth of some 12 dB of
/// scatter), ratio (a tenth of some 4 dB given the level), and delay (4 ms of some 0.4 s).
const REPEATED: f64 = 4.8 + 3.7 + 4.6;
/// What a detection without a twin tells: a tenth of what is put in gets lost.
const NEW: f64 = -2.3;

/// An earlier event that this one repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Replay {
    /// Origin time of the earlier event, seconds since the zero of the set.
    pub of_s: f64,
    /// How much later, s.
    pub later_s: f64,
    /// Detections that are repeated to the digit.
    pub repeated: usize,
    /// Probability that it is a replay.
    pub probability: f64,
}

/// Detections of a station that belong to events that were released, oldest first.
/// What they are known again by lies apart: nearly all looks end there.
#[derive(Clone, Debug, Default)]
struct Marks {
    /// Level and ratio, to the bit.
    looks: VecDeque<u64>,
    /// Time, and origin time of the event.
    times: VecDeque<(f64, f64)>,
}

impl Marks {
    fn look_of(pick: &Pick) -> u64 {
        u64::from(pick.raw.to_bits()) << 32 | u64::from(pick.gain.to_bits())
    }

    fn push(&mut self, look: u64, t: f64, origin: f64) {
        self.looks.push_back(look);
        self.times.push_back((t, origin));
    }

    /// Forgets those before a time.
    fn forget(&mut self, t: f64) {
        while self.times.front().is_some_and(|mark| mark.0 < t) {
            self.looks.pop_front();
            self.times.pop_front();
        }
    }

    /// Those that looked the same.
    fn same(&self, look: u64) -> impl Iterator<Item = (f64, f64)> {
        let all = self.looks.iter().enumerate();
        all.filter(move |(_, other)| **other == look).map(|(i, _)| self.times[i])
    }
}

/// What the stations reported lately.
pub(crate) struct Replays {
    marks: Vec<Marks>,
}

impl Replays {
    pub(crate) fn new(stations: usize) -> Self {
        Self { marks: vec![Marks::default(); stations] }
    }

    /// The event that an event repeats, if any; the event is remembered.
    pub(crate) fn look(&mut self, hits: &[Hit], rings: &[Ring], origin: f64) -> Option<Replay> {
        // Delays to every detection that was the same to the digit.
        let mut delays: Vec<(f64, f64)> = Vec::new();
        for hit in hits {
            let (t, pick) = heard(rings, *hit);
            let look = Marks::look_of(pick);
            let marks = &mut self.marks[hit.station as usize];
            marks.forget(t - BACK_S);
            let earlier = marks.same(look).map(|(then, origin)| (t - then, origin));
            delays.extend(earlier.filter(|(delay, _)| *delay > SOON_S));
            marks.push(look, t, origin);
        }
        delays.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut best: (usize, usize) = (0, 0);
        for from in 0..delays.len() {
            let alike = delays[from..].partition_point(|d| d.0 < delays[from].0 + ALIKE_S);
            if alike > best.0 {
                best = (alike, from);
            }
        }
        let (repeated, from) = best;
        if repeated < LEAST {
            return None;
        }
        // The first delay is anyone's.
        let odds = RARE
            + REPEATED * (repeated - 1) as f64
            + NEW * hits.len().saturating_sub(repeated) as f64;
        let (later_s, of_s) = delays[from + repeated / 2];
        Some(Replay { of_s, later_s, repeated, probability: math::logistic(odds) })
    }
}

fn heard(rings: &[Ring], hit: Hit) -> (f64, &Pick) {
    let ring = &rings[hit.station as usize];
    let index = ring.index(hit.position);
    (ring.t[index], &ring.picks[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bearing::Bearing;

    fn put(rings: &mut [Ring], t: f64, level: f32) -> Vec<Hit> {
        (0..rings.len() as u32)
            .map(|station| {
                let amp = level + station as f32 * 0.7;
                let pick = Pick {
                    sigma: 0.1,
                    amp,
                    raw: amp,
                    gain: amp / 9.0,
                    bearing: Bearing::default(),
                    row: 0,
                };
                let ring = &mut rings[station as usize];
                ring.push(t + f64::from(station) * 3.1, pick);
                Hit { station, position: ring.position(ring.t.len() - 1) }
            })
            .collect()
    }

    #[test]
    fn what_is_put_in_again_is_told_from_another_round() {
        let mut rings = vec![Ring::default(); 6];
        let mut replays = Replays::new(6);
        let first = put(&mut rings, 100.0, 80.0);
        assert_eq!(replays.look(&first, &rings, 95.0), None);
        // Another round from there: other levels.
        let other = put(&mut rings, 300.0, 81.3);
        assert_eq!(replays.look(&other, &rings, 295.0), None);
        let again = put(&mut rings, 1_900.0, 80.0);
        let replay = replays.look(&again, &rings, 1_895.0).unwrap();
        assert_eq!((replay.repeated, replay.of_s), (6, 95.0));
        assert!((replay.later_s - 1_800.0).abs() < 1e-6 && replay.probability > 0.999);
    }

    #[test]
    fn levels_that_agree_by_chance_at_delays_of_their_own_are_no_replay() {
        let mut rings = vec![Ring::default(); 6];
        let mut replays = Replays::new(6);
        let first = put(&mut rings, 100.0, 80.0);
        replays.look(&first, &rings, 95.0);
        let hits: Vec<Hit> = (0..6_u32)
            .map(|station| {
                let (t, pick) = heard(&rings, first[station as usize]);
                let pick = *pick;
                let ring = &mut rings[station as usize];
                ring.push(t + 900.0 + 0.1 * f64::from(station), pick);
                Hit { station, position: ring.position(ring.t.len() - 1) }
            })
            .collect();
        assert_eq!(replays.look(&hits, &rings, 995.0), None);
    }
}
