//! The rounds of a salvo whose place is known. Each station's detections are
//! turned into a strip of log-likelihood ratios over time; a round at a moment
//! and an offset from the place is weighed by one look at each strip. Rounds are
//! taken best first, over moments and offsets together: their scatter about the
//! place is as long in travel time as the spacing between them, so matching
//! detections to moments only would give them to the neighbours. Then each round
//! in turn lets its detections go and takes the best that is left to it.

use crate::math;
use crate::ring::FREE;
use crate::score::{Hit, View};

/// Step of the strips, s.
const STEP_S: f64 = 0.04;
/// Offsets looked at: steps of so many metres, so many to each side.
const OFFSET_M: f64 = 80.0;
const OFFSETS: i32 = 3;
/// Scatter of rounds about their place along one axis, with the place's error, metres.
const SCATTER_M: f64 = 110.0;
/// Stations whose detections propose moments.
const PROPOSERS: usize = 8;
/// Travel time over the longest offset, s: room at the ends of the strips.
const ROOM_S: f64 = 1.5;
/// Ratio of a single station at most, nats: one cannot outvote the others.
const GAIN_MAX: f32 = 4.0;
/// Root of twice pi.
const ROOT_2PI: f64 = 2.506_628_274_631_000_2;
/// Score that a round must have, nats.
const SCORE_MIN: f32 = -4.0;
/// Stations that must have heard a round.
const HITS_MIN: usize = 4;
/// Errors within which a detection can be of a round.
const GATE: f64 = 2.6;
/// Rounds of a salvo at most.
const ROUNDS_MAX: usize = 60;
/// Times that what is left is looked through.
const STAGES: usize = 5;
/// Half-width of the window in which detections count as competition, s.
const RATE_S: f64 = 4.0;
/// Turns in which each round may choose anew, and how far in time, s.
const TURNS: usize = 2;
const SHIFT_S: f64 = 0.9;

/// A moment and an offset that a round could have.
#[derive(Clone, Copy, Debug)]
struct Proposal {
    score: f32,
    t: f64,
    dx: f64,
    dy: f64,
    /// Rounds taken when it was weighed.
    known: u32,
    strip: usize,
    heard: usize,
}

/// A detection on a strip.
#[derive(Clone, Copy, Debug)]
struct Heard {
    index: usize,
    at: f64,
    sigma: f64,
    /// Height of the log-likelihood ratio.
    peak: f32,
    taken: bool,
}

/// What a station heard, as a strip.
#[derive(Default)]
struct Strip {
    station: u32,
    tau: f64,
    gx: f64,
    gy: f64,
    /// Probability that it hears a round, and the logarithm that it does not.
    p: f64,
    silent: f32,
    /// Time of the first step.
    from: f64,
    values: Vec<f32>,
    heard: Vec<Heard>,
}

/// A round read off the strips.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub t: f64,
    pub dx: f64,
    pub dy: f64,
    pub score: f64,
    /// Strip and detection of what it took.
    took: Vec<(usize, usize)>,
}

/// Memory used again and again.
#[derive(Default)]
pub(crate) struct Train {
    strips: Vec<Strip>,
    used: usize,
    /// Strips in order of distance.
    order: Vec<usize>,
    proposals: Vec<Proposal>,
    taken: u32,
}

impl Strip {
    /// Writes the values of the steps between two times.
    fn fill(&mut self, from: f64, to: f64) {
        let last = (self.values.len() - 1) as f64;
        let step = |t: f64| ((t - self.from) / STEP_S).clamp(0.0, last) as usize;
        let (a, b) = (step(from), step(to));
        self.values[a..=b].fill(self.silent);
        for h in self.heard.iter().filter(|h| !h.taken) {
            let half = 3.2 * h.sigma;
            if h.at + half < from || h.at - half > to {
                continue;
            }
            let (lo, hi) = (step(h.at - half).max(a), step(h.at + half).min(b));
            // The larger of the two, heard by chance or not: within a bit of
            // the logarithm of their sum.
            let per = (STEP_S / h.sigma) as f32;
            let mut z = ((self.from + (lo as f64 + 0.5) * STEP_S - h.at) / h.sigma) as f32;
            for v in &mut self.values[lo..=hi] {
                *v = v.max((h.peak - 0.5 * z * z).min(GAIN_MAX));
                z += per;
            }
        }
    }

    /// Weighs detections against the rate of those that are left.
    fn thin(&mut self) {
        for h in 0..self.heard.len() {
            let Heard { at, sigma, .. } = self.heard[h];
            let near = self.heard.iter().filter(|o| !o.taken && (o.at - at).abs() < RATE_S);
            let rate = (near.count() as f64 / (2.0 * RATE_S)).max(0.05);
            self.heard[h].peak = math::ln(self.p / (sigma * ROOT_2PI * rate)) as f32;
        }
        self.fill(f64::NEG_INFINITY, f64::INFINITY);
    }

    #[inline]
    fn at(&self, t: f64) -> f32 {
        let k = (t - self.from) * (1.0 / STEP_S);
        if k < 0.0 {
            self.silent
        } else {
            self.values.get(k as usize).copied().unwrap_or(self.silent)
        }
    }

    fn mark(&mut self, heard: usize, taken: bool) {
        self.heard[heard].taken = taken;
        let h = self.heard[heard];
        self.fill(h.at - 3.2 * h.sigma, h.at + 3.2 * h.sigma);
    }
}

impl Train {
    /// Makes the strips of the stations for rounds at (x, y) between two moments.
    /// `level` is what the rounds are thought to have, dB at 1 km.
    pub(crate) fn lay(
        &mut self,
        view: &View,
        stations: &[u32],
        (x, y): (f64, f64),
        home: u32,
        (from, to): (f64, f64),
        level: f64,
    ) {
        let model = &view.physics.model;
        self.used = 0;
        for &l in stations {
            if self.strips.len() == self.used {
                self.strips.push(Strip::default());
            }
            let path = view.path(x, y, home, l);
            let habit = &view.net.habit[l as usize];
            let z =
                (level - path.loss - habit.noise - model.threshold_db) / model.threshold_width_db;
            let p = math::logistic(z).min(0.97);
            if p < 0.04 {
                continue;
            }
            let ring = &view.rings[l as usize];
            let strip = &mut self.strips[self.used];
            strip.station = l;
            strip.tau = path.tau + habit.clock;
            (strip.gx, strip.gy, strip.p) = (path.gx, path.gy, p);
            strip.silent = math::ln(1.0 - p) as f32;
            strip.from = from + strip.tau - ROOM_S;
            let steps = ((to - from + 2.0 * ROOM_S) / STEP_S) as usize + 1;
            strip.values.clear();
            strip.values.resize(steps, 0.0);
            strip.heard.clear();
            let until = (strip.from + steps as f64 * STEP_S).min(view.horizon);
            let mut i = ring.from(strip.from);
            while i < ring.t.len() && ring.t[i] < until {
                if ring.owner[i] == FREE {
                    let error = view.sigma(l, ring.picks[i].sigma, path.tau);
                    // Half a step of the offsets is not looked at.
                    let sigma = (error * error + 0.05 * 0.05).sqrt();
                    let at = ring.t[i];
                    strip.heard.push(Heard { index: i, at, sigma, peak: 0.0, taken: false });
                }
                i += 1;
            }
            if strip.heard.is_empty() && view.net.is_down(l, 0.5 * (strip.from + until)) {
                continue;
            }
            self.used += 1;
        }
        self.order.clear();
        self.order.extend(0..self.used);
        let strips = &self.strips;
        self.order.sort_by(|a, b| strips[*a].tau.total_cmp(&strips[*b].tau).then(a.cmp(b)));
    }

    fn weigh(&self, t: f64, dx: f64, dy: f64) -> f32 {
        let mut sum = (-(dx * dx + dy * dy) / (2.0 * SCATTER_M * SCATTER_M)) as f32;
        for s in &self.strips[..self.used] {
            sum += s.at(t + s.tau + s.gx * dx + s.gy * dy);
        }
        sum
    }

    /// The best round that a detection could be of.
    fn propose(&self, strip: usize, heard: usize) -> Proposal {
        let s = &self.strips[strip];
        let at = s.heard[heard].at;
        let known = self.taken;
        let none = f32::NEG_INFINITY;
        let mut best = Proposal { score: none, t: 0.0, dx: 0.0, dy: 0.0, known, strip, heard };
        for i in -OFFSETS..=OFFSETS {
            for j in -OFFSETS..=OFFSETS {
                if i * i + j * j > OFFSETS * OFFSETS + 1 {
                    continue;
                }
                let (dx, dy) = (f64::from(i) * OFFSET_M, f64::from(j) * OFFSET_M);
                let t = at - s.tau - s.gx * dx - s.gy * dy;
                let score = self.weigh(t, dx, dy);
                if score > best.score {
                    best = Proposal { score, t, dx, dy, ..best };
                }
            }
        }
        best
    }

    /// What a round at a moment and an offset would take.
    fn take(&self, p: &Proposal) -> Round {
        let mut took = Vec::new();
        for (i, s) in self.strips[..self.used].iter().enumerate() {
            let predicted = p.t + s.tau + s.gx * p.dx + s.gy * p.dy;
            let mut nearest: Option<(f64, usize)> = None;
            let first = s.heard.partition_point(|h| h.at < predicted - 1.2);
            for (h, heard) in s.heard.iter().enumerate().skip(first) {
                if heard.at > predicted + 1.2 {
                    break;
                }
                let off = (heard.at - predicted).abs();
                if !heard.taken && off < GATE * heard.sigma && nearest.is_none_or(|n| off < n.0) {
                    nearest = Some((off, h));
                }
            }
            took.extend(nearest.map(|n| (i, n.1)));
        }
        Round { t: p.t, dx: p.dx, dy: p.dy, score: f64::from(p.score), took }
    }

    fn mark(&mut self, round: &Round, taken: bool) {
        for (i, h) in &round.took {
            self.strips[*i].mark(*h, taken);
        }
        self.taken += 1;
    }

    /// The rounds, in the order found. What is left when no more are clear is
    /// thinner, so that others become clear.
    pub(crate) fn rounds(&mut self, from: f64, to: f64) -> Vec<Round> {
        let mut rounds = Vec::new();
        self.taken = 0;
        for _ in 0..STAGES {
            for s in &mut self.strips[..self.used] {
                s.thin();
            }
            let before = rounds.len();
            self.stage(from, to, &mut rounds);
            if rounds.len() == before {
                break;
            }
        }
        rounds
    }

    fn stage(&mut self, from: f64, to: f64, rounds: &mut Vec<Round>) {
        self.proposals.clear();
        for &strip in self.order.iter().take(PROPOSERS) {
            for heard in 0..self.strips[strip].heard.len() {
                let h = self.strips[strip].heard[heard];
                let moment = h.at - self.strips[strip].tau;
                if !h.taken && moment >= from && moment <= to {
                    let proposal = self.propose(strip, heard);
                    if proposal.score > SCORE_MIN {
                        self.proposals.push(proposal);
                    }
                }
            }
        }
        while rounds.len() < ROUNDS_MAX {
            let Some(i) = self.best() else { break };
            let p = self.proposals[i];
            if self.strips[p.strip].heard[p.heard].taken {
                self.proposals.swap_remove(i);
            } else if p.known != self.taken {
                let again = self.propose(p.strip, p.heard);
                if again.score > SCORE_MIN {
                    self.proposals[i] = again;
                } else {
                    self.proposals.swap_remove(i);
                }
            } else {
                self.proposals.swap_remove(i);
                let round = self.take(&p);
                if round.took.len() >= HITS_MIN {
                    self.mark(&round, true);
                    rounds.push(round);
                }
            }
        }
    }

    fn best(&self) -> Option<usize> {
        let mut best: Option<usize> = None;
        for (i, p) in self.proposals.iter().enumerate() {
            if best.is_none_or(|b| p.score > self.proposals[b].score) {
                best = Some(i);
            }
        }
        best
    }

    /// Lets each round in turn choose anew among what the others leave.
    pub(crate) fn settle(&mut self, rounds: &mut [Round]) {
        for _ in 0..TURNS {
            let mut order: Vec<usize> = (0..rounds.len()).collect();
            order.sort_by(|a, b| rounds[*a].score.total_cmp(&rounds[*b].score).then(a.cmp(b)));
            let mut changed = false;
            for r in order {
                let old = rounds[r].clone();
                self.mark(&old, false);
                let mut best: Option<Proposal> = None;
                for o in 0..self.order.len().min(PROPOSERS) {
                    let strip = self.order[o];
                    let s = &self.strips[strip];
                    let middle = old.t + s.tau;
                    let first = s.heard.partition_point(|h| h.at < middle - SHIFT_S);
                    for heard in first..s.heard.len() {
                        if s.heard[heard].at > middle + SHIFT_S {
                            break;
                        }
                        if s.heard[heard].taken {
                            continue;
                        }
                        let p = self.propose(strip, heard);
                        if best.is_none_or(|b| p.score > b.score) {
                            best = Some(p);
                        }
                    }
                }
                let new = best.map(|p| self.take(&p));
                match new {
                    Some(new) if new.took.len() >= HITS_MIN && new.score > old.score - 1e-3 => {
                        changed |= new.took != old.took;
                        self.mark(&new, true);
                        rounds[r] = new;
                    }
                    _ => self.mark(&old, true),
                }
            }
            if !changed {
                break;
            }
        }
    }

    /// The detections of a round.
    pub(crate) fn hits(&self, view: &View, round: &Round) -> Vec<Hit> {
        let hit = |(i, h): &(usize, usize)| {
            let s = &self.strips[*i];
            let position = view.rings[s.station as usize].position(s.heard[*h].index);
            Hit { station: s.station, position }
        };
        round.took.iter().map(hit).collect()
    }
}
