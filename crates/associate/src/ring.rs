//! Detections of one station within the time at work, oldest first.

use crate::bearing::Bearing;

/// No event has it.
pub(crate) const FREE: u32 = u32::MAX;

/// An event had it and it is being dealt anew.
pub(crate) const DEALT: u32 = u32::MAX - 2;

/// What a detection is apart from its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    /// Error of the pick, s.
    pub sigma: f32,
    /// Level, less what the station is known to read too loud, dB.
    pub amp: f32,
    /// Level as it was written, dB.
    pub raw: f32,
    /// Log-likelihood of the signal-to-noise ratio under an arrival, without
    /// the level, less that under a false alarm.
    pub gain: f32,
    /// Where it came from.
    pub bearing: Bearing,
    pub row: u32,
}

/// Detections of a station. Positions count from the first detection ever, so
/// they stay what they are while old ones are dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ring {
    base: u32,
    pub t: Vec<f64>,
    pub picks: Vec<Pick>,
    pub owner: Vec<u32>,
    /// What events that do not have it would gain by it, nats; only of use while
    /// that is asked.
    pub wanted: Vec<f64>,
}

impl Ring {
    #[inline]
    pub(crate) fn index(&self, position: u32) -> usize {
        (position - self.base) as usize
    }

    #[inline]
    pub(crate) fn position(&self, index: usize) -> u32 {
        self.base + index as u32
    }

    /// First index at or after a time.
    #[inline]
    pub(crate) fn from(&self, t: f64) -> usize {
        // Nearly all look-ups are near the end, and most rings hold a few.
        let mut hi = self.t.len();
        for _ in 0..4 {
            if hi == 0 || self.t[hi - 1] < t {
                return hi;
            }
            hi -= 1;
        }
        let mut step = 1;
        while hi >= step && self.t[hi - step] >= t {
            hi -= step;
            step *= 2;
        }
        let lo = hi.saturating_sub(step);
        lo + self.t[lo..hi].partition_point(|x| *x < t)
    }

    /// Adds a detection that is later than all before it.
    pub(crate) fn push(&mut self, t: f64, pick: Pick) {
        debug_assert!(self.t.last().is_none_or(|last| *last < t));
        self.t.push(t);
        self.picks.push(pick);
        self.owner.push(FREE);
        self.wanted.push(0.0);
    }

    /// Puts a detection in its place, if there is none at this very time.
    /// Positions of later ones move.
    pub(crate) fn put(&mut self, t: f64, pick: Pick) -> Option<usize> {
        let index = self.t.partition_point(|x| *x < t);
        if self.t.get(index).is_some_and(|x| *x <= t) {
            return None;
        }
        self.t.insert(index, t);
        self.picks.insert(index, pick);
        self.owner.insert(index, FREE);
        self.wanted.insert(index, 0.0);
        Some(index)
    }

    /// Drops what is older than a time, once enough has come together.
    pub(crate) fn forget(&mut self, t: f64, mut dropped: impl FnMut(f64, &Pick, u32)) {
        let old = self.t.partition_point(|x| *x < t);
        if old == 0 {
            return;
        }
        for i in 0..old {
            dropped(self.t[i], &self.picks[i], self.owner[i]);
        }
        self.t.drain(..old);
        self.picks.drain(..old);
        self.owner.drain(..old);
        self.wanted.drain(..old);
        self.base += old as u32;
    }
}
