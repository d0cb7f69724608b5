//! Many rounds from one place in quick succession. One round at a time the
//! stations' detections can be matched to the wrong neighbours, off by a round
//! or two at each station. So the place is found first, for all rounds together
//! (`place`), then the rounds are read off what the stations heard, with the
//! place known (`train`), and only then dealt with like other events.

use crate::live::{Events, Live};
use crate::moves::{self, Deal};
use crate::network::Network;
use crate::place::Places;
use crate::ring::{FREE, Ring};
use crate::roads::Roads;
use crate::score::{Loc, Physics, View, Weighed};
use crate::search::Scratch;
use crate::train::Train;

/// So many free detections of a station within so long are a salvo, s.
const RUN: usize = 2;
const RUN_S: f64 = 7.0;
/// Stations that must see a run.
const RUNNING_MIN: usize = 3;
/// Stations looked at, and how far they may be, metres.
const STATIONS_MAX: usize = 28;
const FAR_M: f64 = 14_000.0;
/// Origin times looked at, before and after the first run was heard, s.
const BEFORE_S: f64 = 30.0;
const AFTER_S: f64 = 42.0;
/// How far from the run's station the place is looked for, metres.
const SEARCH_M: f64 = 12_000.0;
/// Score of the place below which there is no salvo.
const SCORE_MIN: f64 = 12.0;
/// Scatter of rounds about their place before they are located, metres.
const AROUND_M: f64 = 100.0;
/// How far about a run that came to nothing, or where so many salvos were found
/// in this block already, others are left alone, metres.
const REFUSED_M: f64 = 9_000.0;
const SALVOS_MAX: u32 = 8;
/// Mean squared residual above which rounds are none.
const CHI2_MAX: f64 = 2.5;

/// Detections of the stations around a run.
#[derive(Default)]
pub(crate) struct Columns {
    stations: Vec<u32>,
    start: Vec<usize>,
    t: Vec<f64>,
    index: Vec<usize>,
    tau: Vec<f64>,
    places: Places,
    train: Train,
}

/// Where a run was looked into; enough weight about a place and it is left alone.
struct Looked {
    x: f64,
    y: f64,
    weight: u32,
}

/// Finds salvos that begin among the anchors, takes their rounds in.
#[allow(clippy::too_many_arguments)]
pub(crate) fn find(
    net: &Network,
    rings: &mut [Ring],
    physics: &Physics,
    events: &mut Events,
    horizon: f64,
    anchors: &[(f64, u32, u32)],
    s: &mut Scratch,
    deal: &mut Deal,
    columns: &mut Columns,
) {
    let mut looked: Vec<Looked> = Vec::new();
    while let Some((t, k)) = first_run(net, rings, anchors, &looked) {
        let (x, y) = (net.x[k as usize], net.y[k as usize]);
        let nothing = Looked { x, y, weight: SALVOS_MAX };
        let born = columns.born(net, rings, physics, events, horizon, (t, k), s);
        if born.is_empty() {
            looked.push(nothing);
            continue;
        }
        for _ in 0..3 {
            let alive: Vec<u32> = born.iter().copied().filter(|id| events.get(*id).alive).collect();
            if !moves::sweep(net, rings, physics, events, horizon, &alive, s, deal) {
                break;
            }
        }
        // Rounds that are none show in the residuals.
        let (mut chi2, mut hits) = (0.0, 0);
        for id in &born {
            let e = events.get(*id);
            if e.alive {
                chi2 += e.weighed.chi2;
                hits += e.weighed.hits;
            }
        }
        if hits == 0 || chi2 > CHI2_MAX * hits as f64 {
            for id in born {
                if events.get(id).alive {
                    events.remove(id, rings);
                }
            }
            looked.push(nothing);
        } else {
            looked.push(Looked { weight: 1, ..nothing });
        }
    }
}

/// The first anchor that begins a run at its station, if neighbours see runs too.
fn first_run(
    net: &Network,
    rings: &[Ring],
    anchors: &[(f64, u32, u32)],
    looked: &[Looked],
) -> Option<(f64, u32)> {
    for &(t, station, position) in anchors {
        let (x, y) = (net.x[station as usize], net.y[station as usize]);
        let near = |l: &&Looked| (l.x - x).abs() < REFUSED_M && (l.y - y).abs() < REFUSED_M;
        if looked.iter().filter(near).map(|l| l.weight).sum::<u32>() >= SALVOS_MAX {
            continue;
        }
        let ring = &rings[station as usize];
        let index = ring.index(position);
        if ring.owner[index] != FREE || !runs(ring, t, t + RUN_S) {
            continue;
        }
        let around = net
            .near(station)
            .iter()
            .take(12)
            .filter(|l| {
                let ring = &rings[**l as usize];
                let until = t + 45.0;
                let mut i = ring.from(t);
                while i < ring.t.len() && ring.t[i] < until {
                    if ring.owner[i] == FREE && runs(ring, ring.t[i], ring.t[i] + RUN_S) {
                        return true;
                    }
                    i += 1;
                }
                false
            })
            .count();
        if around >= RUNNING_MIN {
            return Some((t, station));
        }
    }
    None
}

fn runs(ring: &Ring, from: f64, to: f64) -> bool {
    let mut i = ring.from(from);
    let mut count = 0;
    while i < ring.t.len() && ring.t[i] <= to {
        count += usize::from(ring.owner[i] == FREE);
        i += 1;
    }
    count >= RUN
}

impl Columns {
    /// The rounds of the salvo that begins with a run, as events.
    fn born(
        &mut self,
        net: &Network,
        rings: &mut [Ring],
        physics: &Physics,
        events: &mut Events,
        horizon: f64,
        (t, k): (f64, u32),
        s: &mut Scratch,
    ) -> Vec<u32> {
        let view = View { net, rings, physics, horizon, me: FREE - 1 };
        let (x, y) = (net.x[k as usize], net.y[k as usize]);
        self.gather(&view, x, y, t);
        self.places.count(&view, &self.stations, &self.start, &self.t);
        let best = self.places.best(&view, &self.stations, (x, y), SEARCH_M, k);
        let Some((score, x, y)) = best else { return Vec::new() };
        if score < SCORE_MIN {
            return Vec::new();
        }
        let lives = self.read(&view, (x, y), t);
        let born: Vec<u32> = lives.into_iter().map(|live| events.add(live, rings)).collect();
        for id in &born {
            moves::relocate(net, rings, physics, events, horizon, *id, s);
        }
        born
    }

    fn gather(&mut self, view: &View, x: f64, y: f64, t: f64) {
        self.stations.clear();
        self.start.clear();
        self.t.clear();
        self.index.clear();
        let mut near = Vec::new();
        view.net.within(x, y, FAR_M, |l, d2| near.push((d2, l)));
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(STATIONS_MAX);
        for (_, l) in near {
            let ring = &view.rings[l as usize];
            self.stations.push(l);
            self.start.push(self.t.len());
            let mut i = ring.from(t - BEFORE_S);
            while i < ring.t.len() && ring.t[i] < t + AFTER_S + 45.0 {
                if ring.owner[i] == FREE {
                    self.t.push(ring.t[i]);
                    self.index.push(i);
                }
                i += 1;
            }
        }
        self.start.push(self.t.len());
        self.tau.resize(self.stations.len(), 0.0);
    }

    fn travel(&mut self, view: &View, x: f64, y: f64, home: u32) {
        for (i, l) in self.stations.iter().enumerate() {
            self.tau[i] = view.path(x, y, home, *l).tau + view.net.habit[*l as usize].clock;
        }
    }

    /// What the rounds seem to have for a level: the middle of what the stations
    /// nearest to the place heard.
    fn level(&self, view: &View, x: f64, y: f64, home: u32) -> f64 {
        let mut near: Vec<(f64, usize)> =
            (0..self.stations.len()).map(|i| (self.tau[i], i)).collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut levels = Vec::new();
        for (_, i) in near.into_iter().take(6) {
            let l = self.stations[i];
            let loss = view.path(x, y, home, l).loss;
            for j in self.start[i]..self.start[i + 1] {
                let pick = &view.rings[l as usize].picks[self.index[j]];
                levels.push(f64::from(pick.amp) + loss);
            }
        }
        levels.sort_by(f64::total_cmp);
        levels.get(levels.len() / 2).copied().unwrap_or(view.physics.model.level_mean_db)
    }

    /// The rounds from a place, as the events they would be.
    fn read(&mut self, view: &View, (x, y): (f64, f64), t: f64) -> Vec<Live> {
        let home = view.net.nearest_to(x, y);
        self.gather(view, x, y, t);
        self.travel(view, x, y, home);
        let level = self.level(view, x, y, home);
        let span = (t - BEFORE_S, t + AFTER_S);
        self.train.lay(view, &self.stations, (x, y), home, span, level);
        let mut rounds = self.train.rounds(span.0, span.1);
        self.train.settle(&mut rounds);
        let lives = rounds.iter().map(|round| {
            let hits = self.train.hits(view, round);
            Live {
                loc: Loc { t: round.t, x: x + round.dx, y: y + round.dy },
                home,
                weighed: Weighed { level, hits: hits.len(), ..Weighed::default() },
                var: AROUND_M * AROUND_M,
                hits,
                before: Vec::new(),
                drift: f64::INFINITY,
                roads: Roads::default(),
                rival: 0.0,
                alive: true,
                dirty: true,
                done: false,
            }
        });
        lives.collect()
    }
}
