//! What an event could take of what stations heard, whoever has it. An event that
//! rests is asked for it again and again while its neighbours are sorted out: so
//! each keeps its own.

use crate::live::Live;
use crate::ring::Ring;
use crate::roads::Road;
use crate::score::{Loc, View};

/// What an event expects at the end of a road.
pub(crate) struct Expected {
    t: f64,
    level: f64,
    /// Log-probability of silence.
    silent: f64,
}

impl Expected {
    #[inline]
    pub(crate) fn new(view: &View, event: &Live, road: &Road, t: f64) -> Self {
        let model = &view.physics.model;
        let level = event.weighed.level - road.loss;
        let noise = view.net.habit[road.station as usize].noise;
        let z = (level - noise - model.threshold_db) * view.physics.per_width;
        let unknown = t > view.horizon || view.net.is_down(road.station, t);
        let silent = if unknown { 0.0 } else { view.physics.ln_silent(z) };
        Self { t, level, silent }
    }

    /// What a detection would add in place of silence, nats; `ln_other` is the
    /// logarithm of the rate of its other explanations.
    #[inline]
    pub(crate) fn gain(
        &self,
        view: &View,
        road: &Road,
        ring: &Ring,
        i: usize,
        ln_other: f64,
    ) -> f64 {
        let pick = &ring.picks[i];
        let variance = view.variance(road.station, pick.sigma, road.tau);
        view.physics.time(ring.t[i] - self.t, variance)
            + f64::from(pick.gain)
            + view.physics.direction(pick, road.toward)
            + view.physics.level(f64::from(pick.amp) - self.level)
            - ln_other
            - self.silent
    }
}

/// A detection that an event could take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) position: u32,
    /// What it would add in place of silence, nats, its other explanations apart.
    pub(super) gain: f64,
}

/// What an event could take at a station.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    pub(super) station: u32,
    /// Time at which it is expected there.
    pub(super) t: f64,
    /// Its part of the offers.
    pub(super) first: u32,
    pub(super) end: u32,
}

/// What an event could take at all stations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Place, level and state of the air they hold for.
    from: Option<(Loc, f64, u32)>,
    /// Nothing after this was known, and nothing after that will be of it.
    horizon: f64,
    latest: f64,
    pub(super) list: Vec<Wish>,
    pub(super) of: Vec<Offer>,
}

impl Wishes {
    /// True if they are still what the event could take: it rests, and nothing new
    /// can have been heard of it.
    pub(super) fn hold(&self, view: &View, event: &Live) -> bool {
        self.from == Some((event.loc, event.weighed.level, view.net.air_turn))
            && (self.horizon == view.horizon || self.horizon >= self.latest)
    }

    /// Finds them.
    pub(super) fn make(&mut self, view: &View, event: &mut Live) {
        let level = event.weighed.level;
        event.roads.lay(view, event.loc, event.home, level);
        self.from = Some((event.loc, level, view.net.air_turn));
        (self.horizon, self.latest) = (view.horizon, f64::NEG_INFINITY);
        self.list.clear();
        self.of.clear();
        for road in event.roads.all() {
            if view.asks(road.station, level, road.loss) {
                self.ask(view, event, &road);
            }
        }
    }

    fn ask(&mut self, view: &View, event: &Live, road: &Road) {
        let station = road.station;
        let (ring, habit) = (&view.rings[station as usize], &view.net.habit[station as usize]);
        let t = event.loc.t + road.tau + habit.clock;
        let wide = 3.7 * view.sigma(station, 0.12, road.tau);
        let latest = t + wide + 0.6;
        self.latest = self.latest.max(latest);
        let until = latest.min(view.horizon);
        let first = self.of.len();
        let mut expected = None;
        for i in ring.from(t - wide)..ring.t.len() {
            if ring.t[i] > until {
                break;
            }
            // Most stations heard nothing then.
            let expected = expected.get_or_insert_with(|| Expected::new(view, event, road, t));
            let gain = expected.gain(view, road, ring, i, 0.0);
            // The rate of other explanations is at least that of false alarms.
            if gain > habit.ln_false {
                self.of.push(Offer { position: ring.position(i), gain });
            }
        }
        if self.of.len() > first {
            let (first, end) = (first as u32, self.of.len() as u32);
            self.list.push(Wish { station, t, first, end });
        }
    }

    /// Forgets them.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }
}
