//! Improving what greed found: sources listen again and move, picks are dealt
//! anew between them, and a source that others explain better dies.

use super::search::{Candidate, polish};
use super::weigh::{Hit, Place};
use super::{FREE, GONE, NOBODY, SCORE_MIN, Work};

/// Rounds of moves at most.
const ROUNDS: usize = 3;
/// Sources so far apart in time do not share picks, s.
const RIVAL_S: f64 = 120.0;
/// Sources nearer than this in time, s, and place, km, may be one.
const CLOSE: (f64, f64) = (8.0, 50.0);
/// A change of the score below this is none, nats.
const LEAST: f64 = 1e-6;

/// Whether two places could be one source that was found twice.
fn close(a: Place, b: Place) -> bool {
    let (dx, dy) = (a.x - b.x, a.y - b.y);
    (a.t - b.t).abs() < CLOSE.0 && dx * dx + dy * dy < CLOSE.1 * CLOSE.1
}

fn better(a: Option<&Candidate>, b: Option<&Candidate>) -> bool {
    let score = |c: Option<&Candidate>| c.map_or(f64::NEG_INFINITY, |c| c.weighed.score);
    score(a) > score(b)
}

impl Work<'_> {
    /// Moves until nothing changes, or so often. Every move that is kept raises
    /// the sum of the scores.
    pub(crate) fn improve(&mut self) {
        for _ in 0..ROUNDS {
            let mut changed = false;
            let order = self.in_time();
            for id in &order {
                changed |= self.listen_again(*id);
            }
            let mut freed = Vec::new();
            for (at, id) in order.iter().enumerate() {
                let rivals = self.rivals(&order, at);
                for rival in rivals {
                    changed |= self.give_way(*id, rival, &mut freed);
                }
            }
            if !freed.is_empty() {
                freed.sort_unstable();
                freed.dedup();
                self.births(&freed);
            }
            if !changed {
                break;
            }
        }
    }

    /// Living sources in order of time.
    pub(crate) fn in_time(&self) -> Vec<u32> {
        let mut order: Vec<u32> =
            (0..self.events.len() as u32).filter(|i| self.events[*i as usize].alive).collect();
        order.sort_by(|a, b| {
            let (p, q) = (self.place(*a), self.place(*b));
            p.t.total_cmp(&q.t).then(p.x.total_cmp(&q.x)).then(a.cmp(b))
        });
        order
    }

    fn place(&self, id: u32) -> Place {
        self.events[id as usize].candidate.place
    }

    /// Sources close enough in time to share picks.
    fn rivals(&self, order: &[u32], at: usize) -> Vec<u32> {
        let t = self.place(order[at]).t;
        let close = |id: &&u32| (self.place(**id).t - t).abs() < RIVAL_S;
        let before = order[..at].iter().rev().take_while(close);
        let after = order[at + 1..].iter().take_while(close);
        before.chain(after).copied().collect()
    }

    /// A source as it would be with its own picks and the free ones.
    fn again(&mut self, id: u32) -> Option<Candidate> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let place = self.place(id);
        let found = polish(&self.view(id), place, &mut scratch.hits, &mut scratch.reached, 2);
        self.scratch = scratch;
        found
    }

    /// A source as it would be if another's picks were its own: where one stands
    /// between the two, neither finds the picks of both from where it is.
    fn joined(&mut self, id: u32, more: &[Hit]) -> Option<Candidate> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut place = self.place(id);
        let mut hits = self.events[id as usize].candidate.hits.clone();
        hits.extend(more);
        let view = self.view(id);
        view.settle(&mut place, &hits, 8);
        let found = polish(&view, place, &mut scratch.hits, &mut scratch.reached, 2);
        self.scratch = scratch;
        found
    }

    fn listen_again(&mut self, id: u32) -> bool {
        let event = &self.events[id as usize];
        if !event.alive || event.done {
            return false;
        }
        let before = self.events[id as usize].candidate.weighed.score;
        match self.again(id) {
            Some(found) if found.weighed.score > before + LEAST => {
                self.replace(id, found);
                true
            }
            _ => false,
        }
    }

    fn replace(&mut self, id: u32, candidate: Candidate) {
        self.let_go(id);
        self.events[id as usize].candidate = candidate;
        self.take(id);
    }

    /// Lets a rival take what it can of a source's picks, if both together are
    /// then better, or it alone is without the source.
    fn give_way(&mut self, id: u32, rival: u32, freed: &mut Vec<u32>) -> bool {
        let (event, other) = (&self.events[id as usize], &self.events[rival as usize]);
        if !event.alive || event.done || !other.alive {
            return false;
        }
        if !self.contend(id, rival) {
            return false;
        }
        let mine = self.events[id as usize].candidate.clone();
        let theirs = self.events[rival as usize].candidate.clone();
        let before = mine.weighed.score + theirs.weighed.score;
        self.let_go(id);
        let mut bigger = self.again(rival);
        if close(mine.place, theirs.place) {
            let joined = self.joined(rival, &mine.hits);
            if better(joined.as_ref(), bigger.as_ref()) {
                bigger = joined;
            }
        }
        let bigger = bigger.filter(|b| b.weighed.score > theirs.weighed.score + LEAST);
        let Some(bigger) = bigger else {
            self.take(id);
            return false;
        };
        let gain = bigger.weighed.score - theirs.weighed.score;
        let share = (gain / (mine.weighed.score + 5.0)).min(1.5);
        let grown = bigger.weighed.score;
        // One that is out only shuts picks away from others.
        let is_out = self.events[rival as usize].done;
        let mut more = bigger.hits.clone();
        more.retain(|hit| !theirs.hits.contains(hit));
        if is_out {
            self.own(&more, rival);
        } else {
            self.replace(rival, bigger);
        }
        let rest = self.again(id).filter(|rest| rest.weighed.score > SCORE_MIN);
        let left = rest.as_ref().map_or(0.0, |rest| rest.weighed.score);
        if grown + left > before + LEAST {
            if is_out {
                self.own(&more, GONE);
            }
            for hit in &mine.hits {
                if let Some(anchor) = self.anchor(hit.channel, hit.index) {
                    freed.push(anchor);
                }
            }
            match rest {
                Some(rest) => self.replace(id, rest),
                None => self.events[id as usize].alive = false,
            }
            return true;
        }
        if is_out {
            self.own(&more, FREE);
        } else {
            self.let_go(rival);
            self.events[rival as usize].candidate = theirs;
            self.take(rival);
        }
        self.take(id);
        let event = &mut self.events[id as usize];
        event.rival = event.rival.max(share);
        false
    }

    /// Whether a pick of the one could be of the other.
    fn contend(&self, id: u32, rival: u32) -> bool {
        let view = self.view(NOBODY);
        let place = self.place(rival);
        self.events[id as usize].candidate.hits.iter().any(|hit| {
            let (tau, ..) = view.travel(hit.channel, &place);
            let t = self.store.t[hit.channel as usize][hit.index as usize];
            (t - place.t - tau).abs() < super::GATE * self.physics.sigma(tau)
        })
    }

    fn anchor(&self, channel: u32, index: u32) -> Option<u32> {
        let t = self.store.t[channel as usize][index as usize];
        let from = self.store.all.partition_point(|a| a.0 < t);
        let same = |a: &&(f64, u32, u32)| a.1 == channel && a.2 == index;
        let at = self.store.all[from..].iter().position(|a| same(&a))?;
        Some((from + at) as u32)
    }
}
