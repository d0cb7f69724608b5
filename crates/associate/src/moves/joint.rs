//! Joint moves: one event that two explain better becomes two, and two that want
//! the same are explained anew together, as one if that is better. What is tried
//! stays only if the evidence of all together grows.

use crate::live::{Live, claim};
use crate::ring::{DEALT, FREE};
use crate::score::{Hit, Loc, View};
use crate::search::{ACTIVE_MIN, Candidate, polish, search};
use crate::work::Work;

/// An event whose mean squared residual is above may be two.
const SPLIT_CHI2: f64 = 1.6;
/// Hits of an event that may be two, at least.
const SPLIT_HITS: usize = 6;
/// Hits of either half, at least.
const HALF_HITS: usize = 3;
/// Events of so few hits may be part of one near by, s and metres.
const PART_HITS: usize = 7;
const PART_S: f64 = 4.0;
const PART_M: f64 = 5_000.0;
/// What the evidence must grow by, nats.
const GAIN_MIN: f64 = 2.0;
/// Detections from which the best event is sought.
const ANCHORS: usize = 2;
/// Halves that fall so far short where they settle are not sought anywhere else, nats.
const SHORT: f64 = -10.0;
/// An event that has all but one in so many of another's hits is that event.
const SAME: usize = 8;
/// Events that two may become.
const ANEW: usize = 2;

/// How the events of a group of detections are found.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    /// Where the detections settle from the place of the event before.
    Settled,
    /// By a search from the first of them.
    Sought,
}

impl Work<'_> {
    /// Tries the events of these numbers that were not tried as they are. Returns
    /// those that came in their place.
    pub(crate) fn join(&mut self, ids: &[u32]) -> Vec<u32> {
        let mut changed = Vec::new();
        for &id in ids {
            let e = self.events.get_mut(id);
            if !e.alive || e.done || e.tried == e.weighed.score {
                continue;
            }
            e.tried = e.weighed.score;
            if !self.split(id, &mut changed) {
                self.merge(id, &mut changed);
            }
        }
        changed
    }

    /// Two events in the place of one: of what came early by it, and of what came late.
    fn split(&mut self, id: u32, changed: &mut Vec<u32>) -> bool {
        let e = self.events.get(id);
        if e.hits.len() < SPLIT_HITS || e.weighed.chi2 < SPLIT_CHI2 * e.hits.len() as f64 {
            return false;
        }
        let view = self.view(FREE);
        let early = |hit: &Hit| {
            let ring = &view.rings[hit.station as usize];
            let way = view.path(e.loc.x, e.loc.y, e.home, hit.station);
            let due = e.loc.t + way.tau + view.net.habit[hit.station as usize].clock;
            ring.t[ring.index(hit.position)] < due
        };
        let (early, late): (Vec<Hit>, Vec<Hit>) = e.hits.iter().partition(|hit| early(hit));
        if early.len() < HALF_HITS || late.len() < HALF_HITS {
            return false;
        }
        let halves = [early, late];
        let gain = self.anew(&[id], &halves, Found::Settled, changed);
        gain > GAIN_MIN
            || gain > SHORT && self.anew(&[id], &halves, Found::Sought, changed) > GAIN_MIN
    }

    /// One event in the place of two, or two others.
    fn merge(&mut self, id: u32, changed: &mut Vec<u32>) {
        let e = self.events.get(id);
        if e.hits.len() > PART_HITS {
            return;
        }
        let near = |o: &Live| {
            let (dt, dx, dy) = (o.loc.t - e.loc.t, o.loc.x - e.loc.x, o.loc.y - e.loc.y);
            let far = (dx * dx + dy * dy) / (PART_M * PART_M) + dt * dt / (PART_S * PART_S);
            (o.alive && !o.done && far < 1.0).then_some(far)
        };
        let others = self.events.ids().filter(|other| *other != id);
        let nearest = others
            .filter_map(|other| near(self.events.get(other)).map(|far| (far, other)))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let Some((_, other)) = nearest else { return };
        let hits = [self.events.get(other).hits.clone(), e.hits.clone()].concat();
        self.anew(&[id, other], &[hits], Found::Sought, changed);
    }

    /// Explains the hits of events anew, group by group, and keeps what is better.
    /// Returns what the evidence grew by, nats, or would have.
    fn anew(
        &mut self,
        old: &[u32],
        groups: &[Vec<Hit>],
        how: Found,
        changed: &mut Vec<u32>,
    ) -> f64 {
        let first = self.events.get(old[0]);
        let start = (first.loc, first.home);
        let mut before = 0.0;
        for &id in old {
            let e = self.events.get_mut(id);
            before += e.weighed.score;
            e.alive = false;
            claim(&e.hits, self.rings, DEALT);
        }
        let mut new = Vec::new();
        for group in groups {
            let left: Vec<Hit> =
                group.iter().copied().filter(|hit| self.owner(*hit) == DEALT).collect();
            claim(&left, self.rings, FREE);
            for _ in 0..if groups.len() > 1 { 1 } else { ANEW } {
                let Some(found) = self.best(group, how, start) else { break };
                if old.len() > 1 && new.is_empty() && self.same(&found, old[1]) {
                    break;
                }
                new.push(self.events.add(Live::from(found), self.rings));
            }
        }
        for &id in &new {
            self.relocate(id);
        }
        new.retain(|id| self.is_alive(*id));
        let after: f64 = new.iter().map(|id| self.events.get(*id).weighed.score).sum();
        let gain = after - before;
        if gain > GAIN_MIN {
            for &id in old {
                // They are the others' now, or free.
                self.events.get_mut(id).hits.clear();
                self.remove(id);
            }
            changed.extend(new);
        } else {
            for id in new {
                self.remove(id);
            }
            for &id in old {
                let e = self.events.get_mut(id);
                e.alive = true;
                claim(&e.hits, self.rings, id);
            }
        }
        gain
    }

    /// True if what was found is an event that was there before.
    fn same(&self, found: &Candidate, id: u32) -> bool {
        let hits = &self.events.get(id).hits;
        let shared = found.hits.iter().filter(|hit| hits.contains(hit)).count();
        let most = found.hits.len().max(hits.len());
        (most - shared) * SAME <= most
    }

    fn owner(&self, hit: Hit) -> u32 {
        let ring = &self.rings[hit.station as usize];
        ring.owner[ring.index(hit.position)]
    }

    /// The best event that one of the first free of these hits belongs to.
    fn best(&mut self, hits: &[Hit], how: Found, start: (Loc, u32)) -> Option<Candidate> {
        let time = |hit: &Hit| {
            let ring = &self.rings[hit.station as usize];
            ring.t[ring.index(hit.position)]
        };
        let mut free: Vec<Hit> =
            hits.iter().copied().filter(|hit| self.owner(*hit) == FREE).collect();
        free.sort_by(|a, b| time(a).total_cmp(&time(b)).then(a.station.cmp(&b.station)));
        let Self { net, rings, physics, horizon, events, s, .. } = self;
        let view = View { net, rings, physics, horizon: *horizon, me: FREE };
        if free.len() < HALF_HITS {
            return None;
        }
        if how == Found::Settled {
            let (mut loc, home) = start;
            s.hits.clone_from(&free);
            let site = events.belief(physics, loc, view.me).site;
            view.settle(&mut loc, home, &s.hits, 3, site);
            return polish(&view, events, &mut loc, &mut s.reached, &mut s.hits, true, false);
        }
        let found = free.iter().take(ANCHORS).filter_map(|hit| {
            let index = view.rings[hit.station as usize].index(hit.position);
            search(&view, events, hit.station, index, ACTIVE_MIN, s)
        });
        found.reduce(|a, b| if b.weighed.score > a.weighed.score { b } else { a })
    }
}
