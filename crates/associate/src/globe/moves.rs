//! Which events there were: the best first, then detections are dealt anew.

use super::coarse::{AGREE_MIN, Agreements, Coarse, agreements};
use super::net::{CELL_DEG, Net, dot};
use super::performance::Performance;
use super::posterior::state;
use super::weigh::{Heard, Scene, Scratch, Trial, descend, refine};
use super::{GlobeEvent, posterior};

/// Events with less evidence are not even doubtful, nats.
pub(super) const EVIDENCE_MIN: f64 = -2.0;
/// Places from which an event is sought at most, and how far the last may be behind
/// the first, nats.
const STARTS: usize = 5;
const BEHIND: f64 = 8.0;
/// Starts closer than this are one: cosine of degrees, and s.
const CLOSE_COS: f64 = 0.992_5;
const CLOSE_S: f64 = 90.0;
/// Detections farther off in time are of no use to an event, s.
const FREED_S: f64 = 2_000.0;
/// Rounds of moves.
const ROUNDS: usize = 3;

/// What a stretch of the record came to.
pub(super) struct Solved {
    pub events: Vec<GlobeEvent>,
    pub searches: u64,
}

/// The state of a search.
struct Search<'a> {
    scene: Scene<'a>,
    scratch: Scratch,
    /// Owner of each detection.
    owner: Vec<Option<usize>>,
    events: Vec<Option<Trial>>,
    coarse: Agreements,
    /// Numbers of the agreements that each detection is of.
    of_hit: Vec<Vec<u32>>,
    /// Detections of agreements that came to nothing.
    dead: Vec<Vec<usize>>,
    searches: u64,
    /// Times of detections that were given up, in the order in which they were.
    freed: Vec<f64>,
    /// How many had been when each event was last explored.
    explored: Vec<usize>,
}

pub(super) fn solve(net: &Net, heard: &[Heard], performance: &Performance) -> Solved {
    let (scene, trials, searches) = settled(net, heard);
    let stated = |trial: &Trial| {
        let summed = posterior::sum(&scene, trial)?;
        Some(state(&scene, trial, &summed, performance))
    };
    Solved { events: trials.iter().filter_map(stated).collect(), searches }
}

/// The events of a stretch of the record when nothing moves any more, and how many
/// places were followed.
pub(super) fn settled<'a>(net: &'a Net, heard: &'a [Heard]) -> (Scene<'a>, Vec<Trial>, u64) {
    let scene = Scene::new(net, heard);
    let coarse = agreements(&scene);
    let mut of_hit = vec![Vec::new(); heard.len()];
    for (number, c) in (0..).zip(&coarse.list) {
        for (index, _) in coarse.hits(c) {
            of_hit[*index as usize].push(number);
        }
    }
    let mut search = Search {
        scene,
        scratch: Scratch::default(),
        owner: vec![None; heard.len()],
        events: Vec::new(),
        coarse,
        of_hit,
        dead: Vec::new(),
        searches: 0,
        freed: Vec::new(),
        explored: Vec::new(),
    };
    search.births();
    for _ in 0..ROUNDS {
        let changed = search.deal();
        if !changed {
            break;
        }
        search.dead.clear();
        search.births();
    }
    let trials = search.events.into_iter().flatten().collect();
    (search.scene, trials, search.searches)
}

impl Search<'_> {
    /// Takes what agrees best until nothing does.
    fn births(&mut self) {
        // What is used up, or came to nothing, does so until the end.
        let mut live: Vec<usize> = (0..self.coarse.list.len()).collect();
        loop {
            let mut best: Option<(f64, usize)> = None;
            let mut kept = 0;
            let mut at = 0;
            while at < live.len() {
                let number = live[at];
                let c = &self.coarse.list[number];
                if best.is_some_and(|b| b.0 >= c.score) {
                    break;
                }
                at += 1;
                let mut left = 0.0;
                let mut count = 0;
                for (index, gain) in self.coarse.hits(c) {
                    if self.owner[*index as usize].is_none() {
                        left += gain;
                        count += 1;
                    }
                }
                if count < 2 || left < AGREE_MIN || self.is_dead(c) {
                    continue;
                }
                live[kept] = number;
                kept += 1;
                if best.is_none_or(|b| left > b.0) {
                    best = Some((left, number));
                }
            }
            live.drain(kept..at);
            let Some((_, number)) = best else { break };
            let first = self.coarse.list[number];
            let hits: Vec<usize> = self.left(&first).collect();
            match self.explore(&hits, None) {
                Some(trial) => self.take(trial),
                None => self.dead.push(hits),
            }
        }
    }

    /// The best event about some detections, of those that are free or of one event:
    /// what agrees with at least two of them is followed down, wherever it is.
    fn explore(&mut self, hits: &[usize], own: Option<usize>) -> Option<Trial> {
        let mut starts: Vec<(f64, usize)> = Vec::new();
        let mut numbers: Vec<u32> =
            hits.iter().flat_map(|hit| self.of_hit[*hit].iter().copied()).collect();
        numbers.sort_unstable();
        // Those of two of the detections or more, by score.
        for of in numbers.chunk_by(|a, b| a == b).filter(|of| of.len() >= 2) {
            let number = of[0] as usize;
            let c = &self.coarse.list[number];
            if starts.len() == STARTS && starts[STARTS - 1].0 >= c.score {
                break;
            }
            let mut left = 0.0;
            for (index, gain) in self.coarse.hits(c) {
                if self.owner[*index as usize].is_none_or(|o| Some(o) == own) {
                    left += gain;
                }
            }
            if starts.first().is_some_and(|s| left < s.0 - BEHIND) {
                continue;
            }
            // Of neighbours only the best is a start.
            let u = &self.scene.net.centres[c.cell as usize];
            let close = |s: &(f64, usize)| {
                let other = &self.coarse.list[s.1];
                (other.t - c.t).abs() < CLOSE_S
                    && dot(&self.scene.net.centres[other.cell as usize], u) > CLOSE_COS
            };
            if let Some(at) = starts.iter().position(close) {
                if starts[at].0 >= left {
                    continue;
                }
                starts.remove(at);
            }
            let at = starts.partition_point(|s| s.0 >= left);
            starts.insert(at, (left, number));
            starts.truncate(STARTS);
        }
        let mut best: Option<Trial> = None;
        let mut least = EVIDENCE_MIN;
        for (_, number) in starts {
            let c = self.coarse.list[number];
            let owner = &self.owner;
            let free = |index: usize| owner[index].is_none_or(|o| Some(o) == own);
            let centre = self.scene.net.centres[c.cell as usize];
            self.searches += 1;
            let half = 0.5 * CELL_DEG;
            let found = descend(&self.scene, &free, &centre, c.t, half, least, &mut self.scratch);
            if let Some(trial) = found
                && trial.evidence > least
            {
                least = trial.evidence;
                best = Some(trial);
            }
        }
        best
    }

    fn is_dead(&self, c: &Coarse) -> bool {
        self.dead.iter().any(|dead| self.left(c).all(|i| dead.contains(&i)))
    }

    /// Detections of an agreement that no event has.
    fn left(&self, c: &Coarse) -> impl Iterator<Item = usize> {
        let hits = self.coarse.hits(c).iter().map(|h| h.0 as usize);
        hits.filter(|i| self.owner[*i].is_none())
    }

    fn take(&mut self, trial: Trial) {
        let number = self.events.len();
        for hit in &trial.hits {
            self.owner[*hit] = Some(number);
        }
        self.events.push(Some(trial));
        self.explored.push(self.freed.len());
    }

    fn drop(&mut self, number: usize) -> Option<Trial> {
        let gone = self.events[number].take()?;
        for hit in &gone.hits {
            self.owner[*hit] = None;
            self.freed.push(self.scene.heard[*hit].t);
        }
        Some(gone)
    }

    /// Each event chooses again among what is free and its own; what is too weak
    /// goes.
    fn deal(&mut self) -> bool {
        let mut changed = false;
        for number in 0..self.events.len() {
            let Some(old) = self.events[number].clone() else { continue };
            let owner = &self.owner;
            let free = |index: usize| owner[index].is_none_or(|o| o == number);
            let again = refine(&self.scene, &free, old.clone(), &mut self.scratch);
            // Only what was given up since can make it better.
            let since = &self.freed[self.explored[number]..];
            let other = if since.iter().any(|t| (t - old.t).abs() < FREED_S) {
                self.explored[number] = self.freed.len();
                self.explore(&old.hits, Some(number))
            } else {
                None
            };
            let again = match (again, other) {
                (Some(a), Some(b)) => Some(if b.evidence > a.evidence { b } else { a }),
                (a, b) => a.or(b),
            };
            match again {
                Some(new) if new.evidence > EVIDENCE_MIN => {
                    if new.hits != old.hits {
                        changed = true;
                        self.drop(number);
                        for hit in &new.hits {
                            self.owner[*hit] = Some(number);
                        }
                        self.events[number] = Some(new);
                    }
                }
                _ => {
                    changed = true;
                    self.drop(number);
                }
            }
        }
        changed
    }
}
