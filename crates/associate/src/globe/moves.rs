//! Which events there were: the best first, then detections are dealt anew.

use super::coarse::{Coarse, agreements};
use super::net::{CELL_DEG, Net};
use super::performance::Performance;
use super::posterior::state;
use super::weigh::{Heard, Scene, Scratch, Trial, descend, refine};
use super::{GlobeEvent, posterior};

/// Events with less evidence are not even doubtful, nats.
pub(super) const EVIDENCE_MIN: f64 = -2.0;
/// Rounds of moves.
const ROUNDS: usize = 3;
/// Agreements that are worth less by what is left of them are not followed, nats.
const WORTH_MIN: f64 = 8.0;

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
    coarse: Vec<Coarse>,
    /// Detections of agreements that came to nothing.
    dead: Vec<Vec<usize>>,
    searches: u64,
}

pub(super) fn solve(net: &Net, heard: &[Heard], performance: &Performance) -> Solved {
    let scene = Scene::new(net, heard);
    let coarse = agreements(&scene);
    let mut search = Search {
        scene,
        scratch: Scratch::default(),
        owner: vec![None; heard.len()],
        events: Vec::new(),
        coarse,
        dead: Vec::new(),
        searches: 0,
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
    let mut events = Vec::new();
    let trials: Vec<Trial> = search.events.iter().flatten().cloned().collect();
    for trial in &trials {
        if let Some(summed) = posterior::sum(&search.scene, trial) {
            events.push(state(&search.scene, trial, &summed, performance));
        }
    }
    Solved { events, searches: search.searches }
}

impl Search<'_> {
    /// Takes what agrees best until nothing does.
    fn births(&mut self) {
        loop {
            let mut best: Option<(f64, usize)> = None;
            for (number, c) in self.coarse.iter().enumerate() {
                if best.is_some_and(|b| b.0 >= c.score) {
                    break;
                }
                let mut left = 0.0;
                let mut count = 0;
                for (index, gain) in &c.hits {
                    if self.owner[*index].is_none() {
                        left += gain;
                        count += 1;
                    }
                }
                if count >= 2
                    && left >= WORTH_MIN
                    && best.is_none_or(|b| left > b.0)
                    && !self.is_dead(c)
                {
                    best = Some((left, number));
                }
            }
            let Some((_, number)) = best else { break };
            let c = &self.coarse[number];
            let hits: Vec<usize> =
                c.hits.iter().map(|h| h.0).filter(|i| self.owner[*i].is_none()).collect();
            let (cell, t) = (c.cell, c.t);
            let owner = &self.owner;
            let centre = self.scene.net.centres[cell];
            self.searches += 1;
            let found = descend(
                &self.scene,
                &|index| owner[index].is_none(),
                &centre,
                t,
                0.5 * CELL_DEG,
                &mut self.scratch,
            );
            match found {
                Some(trial) if trial.evidence > EVIDENCE_MIN => self.take(trial),
                _ => self.dead.push(hits),
            }
        }
    }

    fn is_dead(&self, c: &Coarse) -> bool {
        let free = || c.hits.iter().map(|h| h.0).filter(|i| self.owner[*i].is_none());
        self.dead.iter().any(|dead| free().all(|i| dead.contains(&i)))
    }

    fn take(&mut self, trial: Trial) {
        let number = self.events.len();
        for hit in &trial.hits {
            self.owner[*hit] = Some(number);
        }
        self.events.push(Some(trial));
    }

    fn drop(&mut self, number: usize) -> Option<Trial> {
        let gone = self.events[number].take()?;
        for hit in &gone.hits {
            self.owner[*hit] = None;
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
