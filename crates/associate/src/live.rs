//! Events at work: found, and not yet final.

use crate::kind::{PLACE_M, SPACING_S};
use crate::math;
use crate::moves::Wishes;
use crate::ring::{FREE, Ring};
use crate::roads::Roads;
use crate::score::{Belief, Hit, Loc, Physics, Weighed};
use crate::ties::Tie;

/// Spread of rounds of one volley, with the error of places, metres.
const VOLLEY_M: f64 = 150.0;
/// Spread of rounds about their site along one axis, metres.
const SPREAD_M: f64 = 110.0;
/// Spread of levels of rounds of one volley, dB.
const VOLLEY_DB: f64 = 3.5;
/// Longest time between rounds that count as one volley, s.
const VOLLEY_S: f64 = 45.0;
/// Rounds per second in a volley, as a prior.
const VOLLEY_RATE: f64 = 0.15;

/// An event at work.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub loc: Loc,
    pub home: u32,
    pub weighed: Weighed,
    /// Variance of its place along one axis, m^2.
    pub var: f64,
    pub hits: Vec<Hit>,
    /// Its hits when it was last weighed.
    pub before: Vec<Hit>,
    /// How far it moved when it was last moved, metres.
    pub drift: f64,
    pub roads: Roads,
    pub wishes: Wishes,
    /// Evidence that other events would gain from its detections, nats, when it was
    /// last weak enough to die of it.
    pub rival: f64,
    /// What the sum over associations said before it was released.
    pub tie: Tie,
    /// Its evidence when joint moves were last tried, nats.
    pub tried: f64,
    pub alive: bool,
    /// True if it is new or changed since its neighbourhood was last sorted out.
    pub dirty: bool,
    /// Set once it was released.
    pub done: bool,
}

impl Live {
    /// One that was just found.
    pub(crate) fn new(loc: Loc, home: u32, weighed: Weighed, var: f64, hits: Vec<Hit>) -> Self {
        Self {
            loc,
            home,
            weighed,
            var,
            hits,
            before: Vec::new(),
            drift: f64::INFINITY,
            roads: Roads::default(),
            wishes: Wishes::default(),
            rival: 0.0,
            tie: Tie::default(),
            tried: f64::NAN,
            alive: true,
            dirty: true,
            done: false,
        }
    }
}

/// Events at work, by number; numbers count up for ever.
#[derive(Default)]
pub(crate) struct Events {
    base: u32,
    list: std::collections::VecDeque<Live>,
}

impl Events {
    pub(crate) fn get(&self, id: u32) -> &Live {
        &self.list[(id - self.base) as usize]
    }

    pub(crate) fn get_mut(&mut self, id: u32) -> &mut Live {
        &mut self.list[(id - self.base) as usize]
    }

    /// Takes an event in and marks its detections.
    pub(crate) fn add(&mut self, mut live: Live, rings: &mut [Ring]) -> u32 {
        live.hits.sort_by_key(|hit| hit.station);
        let id = self.base + self.list.len() as u32;
        claim(&live.hits, rings, id);
        self.list.push_back(live);
        id
    }

    pub(crate) fn remove(&mut self, id: u32, rings: &mut [Ring]) {
        let live = self.get_mut(id);
        live.alive = false;
        live.done = true;
        live.roads.close();
        live.wishes.close();
        let hits = std::mem::take(&mut live.hits);
        claim(&hits, rings, FREE);
    }

    pub(crate) fn ids(&self) -> std::ops::Range<u32> {
        self.base..self.base + self.list.len() as u32
    }

    /// Forgets leading events that are done and older than a time.
    pub(crate) fn forget(&mut self, t: f64) {
        while self.list.front().is_some_and(|e| e.done && e.loc.t < t) {
            self.list.pop_front();
            self.base += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How close a stronger event is: 1 in the same place and second, 0 if none is.
    pub(crate) fn twin(&self, id: u32) -> f64 {
        let me = self.get(id);
        let mut closest = 0.0_f64;
        for (i, other) in self.list.iter().enumerate() {
            let dt = other.loc.t - me.loc.t;
            if !other.alive || self.base + i as u32 == id || dt.abs() > 4.0 {
                continue;
            }
            let (dx, dy) = (other.loc.x - me.loc.x, other.loc.y - me.loc.y);
            let d2 = (dx * dx + dy * dy) * 1e-6;
            if other.weighed.score > me.weighed.score && d2 < 25.0 {
                closest = closest.max(math::exp(-0.5 * (dt * dt + d2)));
            }
        }
        closest
    }

    /// Time to the nearest other event of the same place, s, if one is near.
    pub(crate) fn spacing(&self, id: u32) -> Option<f64> {
        let me = self.get(id);
        let farthest = SPACING_S[SPACING_S.len() - 1];
        let others = self.list.iter().zip(self.base..).filter(|(other, number)| {
            let (dx, dy) = (other.loc.x - me.loc.x, other.loc.y - me.loc.y);
            other.alive && *number != id && dx * dx + dy * dy < PLACE_M * PLACE_M
        });
        let nearest = others.map(|(o, _)| (o.loc.t - me.loc.t).abs()).fold(f64::INFINITY, f64::min);
        (nearest < farthest).then_some(nearest)
    }

    /// How many others are within so many seconds and metres.
    pub(crate) fn others(&self, id: u32, within_s: f64, within_m: f64) -> usize {
        let me = self.get(id);
        let near = |o: &&Live| {
            o.alive
                && (o.loc.t - me.loc.t).abs() < within_s
                && (o.loc.x - me.loc.x).abs() < within_m
                && (o.loc.y - me.loc.y).abs() < within_m
        };
        self.list.iter().filter(near).count() - usize::from(me.alive)
    }

    /// What is expected of an event about a place and time: few anywhere, many
    /// where others fire, and then like them. `me` is left out.
    pub(crate) fn belief(&self, physics: &Physics, loc: Loc, me: u32) -> Belief {
        let model = &physics.model;
        let (mut sum, mut x, mut y, mut level, mut trust, mut near) =
            (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (i, other) in self.list.iter().enumerate() {
            let dt = (other.loc.t - loc.t).abs();
            if !other.alive || dt > VOLLEY_S || self.base + i as u32 == me {
                continue;
            }
            let (dx, dy) = (other.loc.x - loc.x, other.loc.y - loc.y);
            let d2 = dx * dx + dy * dy;
            if d2 > 16.0 * VOLLEY_M * VOLLEY_M {
                continue;
            }
            let likely = 1.0 - math::exp(-other.weighed.score.max(0.0) / 4.0);
            let kernel = math::exp(-0.5 * d2 / (VOLLEY_M * VOLLEY_M + other.var));
            let weight = likely * kernel / (other.var + SPREAD_M * SPREAD_M);
            near = f64::max(near, likely * kernel);
            trust += likely * kernel;
            sum += weight;
            x += weight * other.loc.x;
            y += weight * other.loc.y;
            level += weight * other.weighed.level;
        }
        let mut belief = Belief {
            ln_rate: physics.ln_rate,
            site: None,
            level: model.level_mean_db,
            level_var: model.level_spread_db * model.level_spread_db,
        };
        if trust > 0.3 {
            let density = VOLLEY_RATE * near / (2.0 * std::f64::consts::PI * VOLLEY_M * VOLLEY_M);
            belief.ln_rate = math::ln(density + math::exp(physics.ln_rate));
            belief.site = Some((x / sum, y / sum, SPREAD_M * SPREAD_M + 1.0 / sum));
            // Rounds of one kind; the mean of a few is not well known either.
            belief.level = level / sum;
            belief.level_var = VOLLEY_DB * VOLLEY_DB * (1.0 + 1.0 / trust);
        }
        belief
    }
}

pub(crate) fn claim(hits: &[Hit], rings: &mut [Ring], owner: u32) {
    for hit in hits {
        let ring = &mut rings[hit.station as usize];
        let index = ring.index(hit.position);
        ring.owner[index] = owner;
    }
}

/// True if nobody has any of the hits.
pub(crate) fn all_free(hits: &[Hit], rings: &[Ring]) -> bool {
    hits.iter().all(|hit| {
        let ring = &rings[hit.station as usize];
        ring.owner[ring.index(hit.position)] == FREE
    })
}
