//! The rounds of salvos whose places are known, all of them at once. A round has
//! a moment and an offset from its place, and both are Gaussian given which
//! detections are its own. So the likelihood of dealing the detections of one
//! station to the rounds, given how those of all other stations were dealt, can
//! be written down with moments and offsets integrated out, and its maximum is
//! the best matching of points on a line (`matching`). Station after station is
//! dealt anew like that until nothing changes: a round that lost a detection to
//! its neighbour does not drag its place after it.
//!
//! Rounds are begun at a station near by and followed to the stations where they
//! are predicted best, as tracks are from scan to scan. A shift by one round at
//! all stations of a direction is undone by turning whole sectors.

mod round;

use crate::matching::{Pair, Table};
use crate::math;
use crate::score::{Hit, View, occam};
use round::{Ear, Heard, NONE, NOTHING, PICK2, Path, Round, SCATTER_M, Taken};

pub(crate) use round::Site;

/// Rounds per second in a salvo, as a prior.
const ROUND_RATE: f64 = 0.7;
/// Two arrivals closer than this are one detection, s.
const DEAD_S: f64 = 0.25;
/// Stations that would hear a round more rarely are not asked.
const CHANCE_MIN: f64 = 0.04;
/// What the forecast of the air may be wrong by, as a share of the travel time.
const AIR_ERROR: f64 = 0.005;
/// Half-width of the window in which detections count as competition, s.
const RATE_S: f64 = 4.0;
/// Standard deviations in which a detection can be of a round.
const GATE: f64 = 3.7;
/// Delay of an arrival by another path that is looked at, s.
const LATE_S: f64 = 0.6;
/// Times that all stations are dealt anew.
const PASSES: usize = 6;
/// Sectors of directions that are dealt anew as a whole, and the cosine that a
/// direction must have with the middle of one.
const SECTORS: usize = 8;
const SECTOR_COS: f64 = 0.3;
/// Evidence that a sector dealt anew must gain, nats.
const TURN_MIN: f64 = 0.1;
/// Stations that must have heard a round.
const HITS_MIN: usize = 4;
/// Rounds at most.
const ROUNDS_MAX: usize = 200;

/// How hard rounds are looked for: stations at which they are begun, and times
/// that sectors are turned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    pub starts: usize,
    pub turns: usize,
    /// Score that a round must have against the competition, nats.
    pub least: f64,
}

/// A round as it comes out.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub site: usize,
    pub t: f64,
    pub dx: f64,
    pub dy: f64,
    pub level: f64,
    pub hits: Vec<Hit>,
}

/// Memory used again and again.
#[derive(Default)]
pub(crate) struct Tracks {
    zero: f64,
    least: f64,
    sites: Vec<Site>,
    ears: Vec<Ear>,
    used: usize,
    rounds: Vec<Round>,
    pairs: Vec<Pair>,
    order: Vec<Predicted>,
    /// What the rounds had, and what they are dealt, by number.
    before: Vec<u32>,
    dealt: Vec<(u32, u32)>,
    table: Table,
}

/// An arrival that a round predicts at a station.
#[derive(Clone, Copy)]
struct Predicted {
    round: u32,
    t: f64,
    var: f64,
}

impl Tracks {
    /// Lays out what stations heard of places in time. `free` says of an owner
    /// whether its detections may be taken.
    pub(crate) fn lay(
        &mut self,
        view: &View,
        stations: &[u32],
        sites: &[Site],
        free: &dyn Fn(u32) -> bool,
    ) {
        self.rounds.clear();
        self.sites.clear();
        self.sites.extend_from_slice(sites);
        self.zero = sites.iter().map(|s| s.span.0).fold(f64::INFINITY, f64::min);
        self.hear(view, stations, free);
    }

    /// Takes rounds over as they were found before: the number of their place
    /// and their detections.
    pub(crate) fn load(&mut self, view: &View, known: &[(usize, &[Hit])]) {
        for (site, hits) in known {
            let r = self.rounds.len();
            self.rounds.push(Round::new(*site, &self.sites[*site], self.used));
            for e in 0..self.used {
                let ear = &self.ears[e];
                let hit = hits.iter().find(|h| h.station == ear.station);
                let Some(hit) = hit.filter(|_| ear.paths[*site].asked) else { continue };
                let index = view.rings[hit.station as usize].index(hit.position);
                if let Ok(h) = ear.heard.binary_search_by(|h| h.index.cmp(&index))
                    && ear.heard[h].owner == NONE
                {
                    self.take(view, e, self.predict(e, r), h);
                }
            }
        }
        self.learn();
        self.learn();
    }

    /// Reads the rounds: those there are are dealt anew, others are begun from
    /// what is left at one station after another, and sectors are turned.
    pub(crate) fn read(&mut self, view: &View, effort: Effort) {
        self.least = effort.least;
        if !self.rounds.is_empty() {
            self.thin(view);
            self.settle(view);
        }
        self.begin(view, effort.starts);
        self.settle(view);
        for _ in 0..effort.turns {
            self.turn(view);
            self.settle(view);
        }
    }

    /// Deals all stations anew until nothing changes, or a few times.
    fn settle(&mut self, view: &View) {
        for _ in 0..PASSES {
            self.learn();
            let changed = self.deal(view);
            self.cull(view);
            if !changed {
                break;
            }
        }
    }

    fn hear(&mut self, view: &View, stations: &[u32], free: &dyn Fn(u32) -> bool) {
        let model = &view.physics.model;
        self.used = 0;
        for &l in stations {
            if self.ears.len() == self.used {
                self.ears.push(Ear::default());
            }
            let ear = &mut self.ears[self.used];
            let habit = &view.net.habit[l as usize];
            ear.station = l;
            (ear.scatter, ear.clock_var) = (habit.scatter, habit.clock_var);
            ear.paths.clear();
            ear.heard.clear();
            let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
            for s in &self.sites {
                let path = view.path(s.x, s.y, s.home, l);
                let z = (s.level - path.loss - habit.noise - model.threshold_db)
                    / model.threshold_width_db;
                let chance = math::logistic(z);
                let tau = path.tau + habit.clock;
                let asked = chance > CHANCE_MIN;
                if asked {
                    from = from.min(s.span.0 + tau - 2.0);
                    to = to.max(s.span.1 + tau + 2.0);
                }
                let error = model.path_error * tau;
                ear.paths.push(Path {
                    tau,
                    error2: error * error,
                    gx: path.gx,
                    gy: path.gy,
                    loss: path.loss,
                    chance,
                    silent: 0.0,
                    bias: 0.0,
                    toward: path.toward(),
                    asked,
                });
            }
            let to = to.min(view.horizon);
            if from >= to {
                continue;
            }
            let ring = &view.rings[l as usize];
            let mut i = ring.from(from);
            while i < ring.t.len() && ring.t[i] < to {
                if free(ring.owner[i]) {
                    let pick = &ring.picks[i];
                    ear.heard.push(Heard {
                        index: i,
                        t: ring.t[i] - self.zero,
                        pick2: f64::from(pick.sigma) * f64::from(pick.sigma),
                        bearing: pick.bearing,
                        amp: f64::from(pick.amp),
                        gain: f64::from(pick.gain),
                        ln_rate: 0.0,
                        owner: NONE,
                    });
                }
                i += 1;
            }
            if ear.heard.is_empty() && view.net.is_down(l, 0.5 * (from + to)) {
                continue;
            }
            let busy = ear.heard.len() as f64 / (to - from);
            let masked = (busy * DEAD_S).min(0.5);
            for path in &mut ear.paths {
                path.silent = math::ln(1.0 - path.chance.min(0.98) * (1.0 - masked));
            }
            self.used += 1;
        }
    }

    /// Counts what nobody has as competition.
    fn thin(&mut self, view: &View) {
        for ear in &mut self.ears[..self.used] {
            let habit = &view.net.habit[ear.station as usize];
            let (mut lo, mut hi, mut count) = (0, 0, 0_u32);
            for h in 0..ear.heard.len() {
                let t = ear.heard[h].t;
                while hi < ear.heard.len() && ear.heard[hi].t < t + RATE_S {
                    count += u32::from(ear.heard[hi].owner == NONE);
                    hi += 1;
                }
                while ear.heard[lo].t < t - RATE_S {
                    count -= u32::from(ear.heard[lo].owner == NONE);
                    lo += 1;
                }
                let others = count - u32::from(ear.heard[h].owner == NONE);
                let rate = habit.false_rate + f64::from(others) / (2.0 * RATE_S);
                ear.heard[h].ln_rate = math::ln(rate);
            }
        }
    }

    /// Begins rounds at the detections of one station after another that nobody
    /// has, and follows them to the other stations.
    fn begin(&mut self, view: &View, starts: usize) {
        for start in 0..starts {
            for site in 0..self.sites.len() {
                self.thin(view);
                self.begin_at(view, site, start);
            }
            self.thin(view);
            self.learn();
            self.deal(view);
            self.deal(view);
            self.cull(view);
        }
    }

    fn begin_at(&mut self, view: &View, site: usize, rank: usize) {
        let mut best: Vec<usize> =
            (0..self.used).filter(|e| self.ears[*e].paths[site].asked).collect();
        let ears = &self.ears;
        best.sort_by(|a, b| {
            let (a, b) = (&ears[*a], &ears[*b]);
            let (p, q) = (&a.paths[site], &b.paths[site]);
            q.chance.total_cmp(&p.chance).then(a.station.cmp(&b.station))
        });
        let Some(&first) = best.get(rank) else { return };
        let begun = self.rounds.len();
        let s = self.sites[site];
        let p = self.ears[first].paths[site];
        for h in 0..self.ears[first].heard.len() {
            let heard = self.ears[first].heard[h];
            let moment = heard.t + self.zero - p.tau;
            if heard.owner != NONE || moment < s.span.0 || moment > s.span.1 {
                continue;
            }
            if self.rounds.len() >= ROUNDS_MAX {
                break;
            }
            self.rounds.push(Round::new(site, &s, self.used));
            let by = self.predict(first, self.rounds.len() - 1);
            self.take(view, first, by, h);
        }
        let mut known = Round::new(site, &s, self.used);
        known.add(&p, sure(&p), 1.0);
        best.remove(rank);
        self.follow(view, site, known, best, begun);
        self.weigh_all(view);
        self.cull_from(begun);
    }

    /// Deals stations to the rounds from number `from` on, those first where a
    /// round of the site that is known so well is predicted best.
    fn follow(
        &mut self,
        view: &View,
        site: usize,
        mut known: Round,
        mut rest: Vec<usize>,
        from: usize,
    ) {
        while !rest.is_empty() {
            let state = known.state();
            let mut next = (f64::INFINITY, 0);
            for (i, e) in rest.iter().enumerate() {
                let p = &self.ears[*e].paths[site];
                let cost = (p.predict(&state).1 + p.error2 + 0.004).sqrt() / p.chance;
                if cost < next.0 {
                    next = (cost, i);
                }
            }
            let e = rest.remove(next.1);
            let p = self.ears[e].paths[site];
            known.add(&p, sure(&p), 1.0);
            self.match_ear(view, e, from);
        }
    }

    /// Lets all stations of a sector go at once and deals them anew: a shift by
    /// one round at all of them holds itself up against stations dealt one by one.
    fn turn(&mut self, view: &View) {
        self.weigh_all(view);
        let mut best = self.sum();
        for site in 0..self.sites.len() {
            for k in 0..SECTORS {
                let angle = 2.0 * std::f64::consts::PI * k as f64 / SECTORS as f64;
                let (ux, uy) = (libm::cos(angle), libm::sin(angle));
                let mut known = Round::new(site, &self.sites[site], self.used);
                let mut rest = Vec::new();
                for e in 0..self.used {
                    let p = self.ears[e].paths[site];
                    if !p.asked {
                        continue;
                    }
                    let length = (p.gx * p.gx + p.gy * p.gy).sqrt();
                    if p.gx * ux + p.gy * uy > SECTOR_COS * length {
                        rest.push(e);
                    } else {
                        known.add(&p, sure(&p), 1.0);
                    }
                }
                if rest.is_empty() || known.info[0] < 1.0 {
                    continue;
                }
                let kept = (self.rounds.clone(), self.owners());
                for &e in &rest {
                    for r in 0..self.rounds.len() {
                        if self.rounds[r].site == site {
                            self.release(view, e, r);
                        }
                    }
                }
                self.follow(view, site, known, rest, 0);
                // Nearly all sectors come out as they were.
                let other = self.owners() != kept.1;
                if other {
                    self.deal(view);
                    self.weigh_all(view);
                }
                let now = self.sum();
                if other && now > best + TURN_MIN {
                    best = now;
                } else {
                    self.rounds = kept.0;
                    self.give_back(&kept.1);
                }
            }
        }
    }

    fn owners(&self) -> Vec<u32> {
        self.ears[..self.used].iter().flat_map(|e| e.heard.iter().map(|h| h.owner)).collect()
    }

    fn give_back(&mut self, owners: &[u32]) {
        let all = self.ears[..self.used].iter_mut().flat_map(|e| e.heard.iter_mut());
        for (heard, owner) in all.zip(owners) {
            heard.owner = *owner;
        }
    }

    /// Gives a detection to a round that it is predicted by.
    fn take(&mut self, view: &View, e: usize, by: Predicted, h: usize) {
        let round = &mut self.rounds[by.round as usize];
        let ear = &mut self.ears[e];
        let p = &ear.paths[round.site];
        let heard = &mut ear.heard[h];
        let s2 = p.variance(ear.scatter, ear.clock_var, heard.pick2);
        // A late one says little about the place.
        let off = heard.t - by.t;
        let z2 = if round.hits == 0 { 0.0 } else { off * off / (by.var + s2) };
        let weight = 5.0 / (4.0 + z2) / s2;
        let scatter = view.physics.model.level_scatter_db;
        let level = (heard.amp + p.loss) / (scatter * scatter);
        let taken = Taken { heard: h as u32, weight, at: heard.t - p.tau - p.bias, level };
        round.add(p, taken, 1.0);
        round.taken[e] = taken;
        round.hits += 1;
        round.level += level;
        round.levels += 1.0 / (scatter * scatter);
        heard.owner = by.round;
    }

    fn release(&mut self, view: &View, e: usize, r: usize) {
        let round = &mut self.rounds[r];
        let taken = round.taken[e];
        if taken.heard == NONE {
            return;
        }
        let ear = &mut self.ears[e];
        round.add(&ear.paths[round.site], taken, -1.0);
        round.taken[e] = NOTHING;
        round.hits -= 1;
        let scatter = view.physics.model.level_scatter_db;
        round.level -= taken.level;
        round.levels -= 1.0 / (scatter * scatter);
        ear.heard[taken.heard as usize].owner = NONE;
    }

    /// What a round predicts at a station.
    fn predict(&self, e: usize, r: usize) -> Predicted {
        let round = &self.rounds[r];
        let (t, var) = self.ears[e].paths[round.site].predict(&round.state());
        Predicted { round: r as u32, t, var }
    }

    /// Deals the detections of a station anew to the rounds from number `from` on.
    /// True if any went elsewhere.
    fn match_ear(&mut self, view: &View, e: usize, from: usize) -> bool {
        self.before.clear();
        self.before.extend(self.rounds[from..].iter().map(|r| r.taken[e].heard));
        self.order.clear();
        for r in from..self.rounds.len() {
            self.release(view, e, r);
            if self.ears[e].paths[self.rounds[r].site].asked {
                self.order.push(self.predict(e, r));
            }
        }
        self.order.sort_by(|a, b| a.t.total_cmp(&b.t).then(a.round.cmp(&b.round)));
        self.pairs.clear();
        let ear = &self.ears[e];
        let mut begin = 0;
        for (number, Predicted { round, t, var }) in self.order.iter().enumerate() {
            let round = &self.rounds[*round as usize];
            let p = &ear.paths[round.site];
            let level = round.level / round.levels - p.loss;
            let wide = GATE * (var + ear.variance(p, PICK2)).sqrt();
            // Rounds come in order of time, and their first detections nearly so.
            while begin > 0 && ear.heard[begin - 1].t >= t - wide {
                begin -= 1;
            }
            while ear.heard.get(begin).is_some_and(|h| h.t < t - wide) {
                begin += 1;
            }
            for (heard, h) in ear.heard[begin..].iter().zip(begin as u32..) {
                if heard.t > t + wide + LATE_S {
                    break;
                }
                if heard.owner != NONE {
                    continue;
                }
                let error = var + ear.variance(p, heard.pick2);
                let gain = view.physics.time(heard.t - t, error)
                    + heard.gain
                    + direction(view, heard, p)
                    + view.physics.level(heard.amp - level)
                    - heard.ln_rate
                    - p.silent;
                if gain > 0.0 {
                    self.pairs.push(Pair { prediction: number as u32, index: h, gain });
                }
            }
        }
        self.dealt.clear();
        self.table.solve(&self.pairs, |number, h| self.dealt.push((number, h)));
        for i in 0..self.dealt.len() {
            let (number, h) = self.dealt[i];
            self.take(view, e, self.order[number as usize], h as usize);
        }
        self.rounds[from..].iter().zip(&self.before).any(|(r, b)| r.taken[e].heard != *b)
    }

    /// Deals all stations anew once. True if anything changed.
    fn deal(&mut self, view: &View) -> bool {
        let mut changed = false;
        for e in 0..self.used {
            changed |= self.match_ear(view, e, 0);
        }
        changed
    }

    /// Learns what is common to the rounds of a place: its middle, their scatter,
    /// and how late each station is.
    fn learn(&mut self) {
        for site in 0..self.sites.len() {
            let of = |r: &&Round| r.site == site;
            let n = self.rounds.iter().filter(of).count() as f64;
            if n < 4.0 {
                continue;
            }
            let (mut x, mut y, mut xx) = (0.0, 0.0, 0.0);
            let states: Vec<_> = self.rounds.iter().filter(of).map(Round::state).collect();
            for (m, _) in &states {
                x += m[1] / n;
                y += m[2] / n;
            }
            for (m, c) in &states {
                xx += (m[1] - x) * (m[1] - x) + (m[2] - y) * (m[2] - y) + c[3] + c[5];
            }
            let var = (xx + 8.0 * SCATTER_M.0 * SCATTER_M.0) / (2.0 * n + 8.0);
            let s = &mut self.sites[site];
            s.middle = (x, y);
            s.var = var.clamp(SCATTER_M.1 * SCATTER_M.1, SCATTER_M.2 * SCATTER_M.2);
            let new = Round::new(site, s, self.used);
            for e in 0..self.used {
                let ear = &self.ears[e];
                let p = ear.paths[site];
                let error = AIR_ERROR * p.tau;
                let (mut sum, mut weight) = (0.0, 1.0 / (error * error).max(1e-4));
                for (r, state) in self.rounds.iter().filter(of).zip(&states) {
                    let t = r.taken[e];
                    if t.heard != NONE {
                        let (at, var) = p.predict(state);
                        let w = 1.0 / (1.0 / t.weight + var);
                        sum += w * (ear.heard[t.heard as usize].t - at + p.bias);
                        weight += w;
                    }
                }
                self.ears[e].paths[site].bias = sum / weight;
            }
            // The rounds anew, with what was learned.
            for r in 0..self.rounds.len() {
                if self.rounds[r].site != site {
                    continue;
                }
                let round = &mut self.rounds[r];
                (round.info, round.right) = (new.info, new.right);
                for e in 0..self.used {
                    let mut t = round.taken[e];
                    if t.heard != NONE {
                        let p = &self.ears[e].paths[site];
                        t.at = self.ears[e].heard[t.heard as usize].t - p.tau - p.bias;
                        round.taken[e] = t;
                        round.add(p, t, 1.0);
                    }
                }
            }
        }
    }

    /// Log-odds of a round against its detections being of the competition.
    fn weigh(&self, view: &View, r: usize) -> f64 {
        let round = &self.rounds[r];
        let s = &self.sites[round.site];
        let state = round.state();
        let m = state.0;
        let [a, b, c, d, e, f] = round.info;
        let info = [[a, b, c], [b, d, e], [c, e, f]];
        let (ox, oy) = (m[1] - s.middle.0, m[2] - s.middle.1);
        let mut sum = math::ln(ROUND_RATE) + occam(&info)
            - 0.5 * (ox * ox + oy * oy) / s.var
            - math::ln(2.0 * std::f64::consts::PI * s.var);
        for (e, t) in round.taken.iter().enumerate() {
            let ear = &self.ears[e];
            let p = &ear.paths[round.site];
            if !p.asked {
                continue;
            }
            // Also where it cannot have been heard yet: a round of which most is
            // still to come is not believed.
            if t.heard == NONE {
                sum += p.silent;
                continue;
            }
            let heard = &ear.heard[t.heard as usize];
            let at = m[0] + p.gx * m[1] + p.gy * m[2] + p.tau + p.bias;
            sum += view.physics.time(heard.t - at, ear.variance(p, heard.pick2))
                + heard.gain
                + direction(view, heard, p)
                + view.physics.level(heard.amp - (round.level / round.levels - p.loss))
                - heard.ln_rate;
        }
        sum
    }

    fn weigh_all(&mut self, view: &View) {
        for r in 0..self.rounds.len() {
            self.rounds[r].score = self.weigh(view, r);
        }
    }

    fn cull(&mut self, view: &View) {
        self.weigh_all(view);
        self.cull_from(0);
    }

    /// Lets weak rounds go.
    fn cull_from(&mut self, from: usize) {
        let mut kept = from;
        for r in from..self.rounds.len() {
            let keep = self.rounds[r].hits >= HITS_MIN && self.rounds[r].score > self.least;
            for e in 0..self.used {
                let h = self.rounds[r].taken[e].heard;
                if h != NONE {
                    self.ears[e].heard[h as usize].owner = if keep { kept as u32 } else { NONE };
                }
            }
            if keep {
                self.rounds.swap(kept, r);
                kept += 1;
            }
        }
        self.rounds.truncate(kept);
    }

    /// Evidence of all rounds together, against false alarms.
    pub(crate) fn evidence(&mut self, view: &View) -> f64 {
        for ear in &mut self.ears[..self.used] {
            let ln_false = view.net.habit[ear.station as usize].ln_false;
            for heard in &mut ear.heard {
                heard.ln_rate = ln_false;
            }
        }
        self.weigh_all(view);
        self.sum()
    }

    fn sum(&self) -> f64 {
        self.rounds.iter().map(|r| r.score).sum()
    }

    /// The rounds, in the order of their moments.
    pub(crate) fn found(&self, view: &View) -> Vec<Found> {
        let mut all: Vec<Found> = self
            .rounds
            .iter()
            .map(|r| {
                let (m, _) = r.state();
                let hits = r.taken.iter().enumerate().filter(|(_, t)| t.heard != NONE);
                let hits = hits.map(|(e, t)| {
                    let ear = &self.ears[e];
                    let index = ear.heard[t.heard as usize].index;
                    let ring = &view.rings[ear.station as usize];
                    Hit { station: ear.station, position: ring.position(index) }
                });
                Found {
                    site: r.site,
                    t: m[0] + self.zero,
                    dx: m[1],
                    dy: m[2],
                    level: r.level / r.levels,
                    hits: hits.collect(),
                }
            })
            .collect();
        all.sort_by(|a, b| a.t.total_cmp(&b.t).then(a.dx.total_cmp(&b.dx)));
        all
    }
}

/// What a station tells of a round that it likely heard.
fn sure(p: &Path) -> Taken {
    Taken { weight: p.chance / 0.01, ..NOTHING }
}

fn direction(view: &View, heard: &Heard, p: &Path) -> f64 {
    let (dx, dy) = p.toward;
    let stray = view.physics.model.azimuth_stray_share;
    heard.bearing.gain(stray, f64::from(dx), f64::from(dy))
}
