//! Many rounds from one place in quick succession. One round at a time the
//! stations' detections can be matched to the wrong neighbours, off by a round
//! or two at each station. So the place is found first, for all rounds together
//! (`place`), by the stations about the one that heard it first and then by those
//! about itself; then the rounds are read off what the stations heard, with the
//! place known (`tracks`), and only then dealt with like other events.
//!
//! Where stations are busy, several places look alike: rounds are read at each
//! of them, and the place at which they have the most evidence is taken.
//!
//! A salvo gets a second look when its first rounds are about to be final: what was
//! fired and what landed are known by then, and all stations in reach have
//! spoken, so the rounds of all places that are heard at once are read together,
//! where stations are busy also from where the places are put by then.

use crate::bearing::Bearing;
use crate::live::{Events, Live};
use crate::network::Network;
use crate::place::Places;
use crate::ring::{FREE, Ring};
use crate::score::{Hit, Loc, View, Weighed};
use crate::tracks::{Effort, Found, Site, Tracks};
use crate::work::Work;

/// Two free detections of a station within so long are a run, s.
const RUN_S: f64 = 7.0;
/// Nearest stations of which so many must see a run, and how soon, s.
const RUNNING_ASKED: usize = 12;
const RUNNING_MIN: usize = 3;
const RUNNING_S: f64 = 45.0;
/// Stations asked for the place, and how far they may be, metres.
const ASKED: (usize, f64) = (28, 14_000.0);
/// Origin times looked at, before and after the first run was heard, s.
const BEFORE_S: f64 = 30.0;
const AFTER_S: f64 = 42.0;
/// How far from the run's station the place is looked for, metres.
const SEARCH_M: f64 = 12_000.0;
/// Stations asked once more about a place that was found, and how far they may be,
/// metres; how far from there it is then looked for, metres.
const ASKED_ABOUT: (usize, f64) = (32, 20_000.0);
const ABOUT_M: f64 = 2_000.0;
/// Places of one salvo are told apart if they are farther from each other, metres.
const SAME_M: f64 = 100.0;
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

/// Stations at which rounds are read, and how far they may be, metres: at first,
/// and where they are busy when all has come in.
const READ: (usize, f64) = (48, 25_000.0);
const READ_AGAIN: (usize, f64) = (64, 30_000.0);
/// Free detections of a busy station in the time looked at.
const BUSY: usize = 20;
/// Which station is asked for that: so many may be busier.
const BUSIER: usize = 4;
/// Coarse places looked at more closely, and places at which rounds are read:
/// as a rule, and where stations are busy.
const PLACES: (usize, usize) = (80, 1);
const PLACES_BUSY: (usize, usize) = (320, 6);
/// A place with a smaller share of the best score is not looked at closely, and one with
/// a smaller share of it then is not read.
const SHARE_MIN: f64 = 0.5;
const SHARE_READ: f64 = 0.8;
/// How hard rounds are looked for: to compare places, as a rule, where stations
/// are busy, and in a second look, where they are and where not.
const COMPARE: Effort = Effort { starts: 3, turns: 0, least: 0.0 };
const PLAIN: Effort = Effort { starts: 2, turns: 0, least: 8.0 };
const HARD: Effort = Effort { starts: 5, turns: 1, least: 0.0 };
const AGAIN: Effort = Effort { starts: 5, turns: 2, least: 0.0 };
const AGAIN_PLAIN: Effort = Effort { starts: 2, turns: 0, least: 0.0 };
/// A place nearer to that of a salvo is the same, metres.
const MOVED_M: f64 = 150.0;
/// Rounds of a salvo that gets a second look.
const AGAIN_MIN: usize = 5;
/// Sound of a round is waited for so long before a second look, s.
const HEARD_S: f64 = 30.0;
/// Salvos farther apart are not read together, metres, and those nearer than
/// this are one.
const TOGETHER_M: f64 = 20_000.0;
const ONE_M: f64 = 300.0;
/// Events that belong to a salvo: how far from its place, metres, and how long
/// before and after its rounds, s.
const OF_M: f64 = 700.0;
const OF_S: f64 = 2.0;
/// Rounds are looked for so long before and after those known, s.
const MORE_S: f64 = 3.0;
/// Low speed of sound, m/s.
const SLOW_MS: f64 = 320.0;

/// Detections of the stations around a run.
#[derive(Default)]
pub(crate) struct Columns {
    stations: Vec<u32>,
    start: Vec<usize>,
    t: Vec<f64>,
    bearings: Vec<Bearing>,
    places: Places,
    tracks: Tracks,
    /// Salvos that wait for their second look.
    salvos: Vec<Salvo>,
}

/// A salvo found: its place and the times of its first and last round.
#[derive(Clone, Copy, Debug)]
struct Salvo {
    x: f64,
    y: f64,
    from: f64,
    to: f64,
    /// True if stations were busy.
    busy: bool,
}

/// Where a run was looked into; enough weight about a place and it is left alone.
struct Looked {
    x: f64,
    y: f64,
    weight: u32,
}

/// Finds salvos that begin among the anchors, takes their rounds in.
pub(crate) fn find(work: &mut Work, anchors: &[(f64, u32, u32)], columns: &mut Columns) {
    let mut looked: Vec<Looked> = Vec::new();
    // What salvos take is never free again for others here, so an anchor that
    // began no run begins none later.
    let mut at = 0;
    while let Some(found) = first_run(work.net, work.rings, anchors, at, &looked) {
        at = found;
        let (t, k, _) = anchors[at];
        let (x, y) = (work.net.x[k as usize], work.net.y[k as usize]);
        let nothing = Looked { x, y, weight: SALVOS_MAX };
        let (born, busy) = columns.born(work, (t, k));
        if born.is_empty() {
            looked.push(nothing);
            continue;
        }
        for _ in 0..3 {
            let alive: Vec<u32> = born.iter().copied().filter(|id| work.is_alive(*id)).collect();
            if !work.sweep(&alive) {
                break;
            }
        }
        // Rounds that are none show in the residuals.
        let (mut chi2, mut hits) = (0.0, 0);
        for id in &born {
            let e = work.events.get(*id);
            if e.alive {
                chi2 += e.weighed.chi2;
                hits += e.weighed.hits;
            }
        }
        if hits == 0 || chi2 > CHI2_MAX * hits as f64 {
            for id in born {
                if work.is_alive(id) {
                    work.remove(id);
                }
            }
            looked.push(nothing);
        } else {
            looked.push(Looked { weight: 1, ..nothing });
            columns.salvos.extend(Salvo::of(work.events, &born, busy));
        }
    }
}

/// The first anchor from number `from` on that begins a run at its station, if
/// neighbours see runs too.
fn first_run(
    net: &Network,
    rings: &[Ring],
    anchors: &[(f64, u32, u32)],
    from: usize,
    looked: &[Looked],
) -> Option<usize> {
    (from..anchors.len()).find(|at| {
        let (t, station, position) = anchors[*at];
        let ring = &rings[station as usize];
        let index = ring.index(position);
        if ring.owner[index] != FREE || !runs(ring, index, |begun| begun <= t) {
            return false;
        }
        let (x, y) = (net.x[station as usize], net.y[station as usize]);
        let near = |l: &&Looked| (l.x - x).abs() < REFUSED_M && (l.y - y).abs() < REFUSED_M;
        if looked.iter().filter(near).map(|l| l.weight).sum::<u32>() >= SALVOS_MAX {
            return false;
        }
        let around = net.near(station).iter().take(RUNNING_ASKED).filter(|l| {
            let ring = &rings[l.station as usize];
            runs(ring, ring.from(t), |begun| begun < t + RUNNING_S)
        });
        around.take(RUNNING_MIN).count() == RUNNING_MIN
    })
}

/// True if a run begins at a free detection from an index on, while `soon` holds
/// for its time.
fn runs(ring: &Ring, from: usize, soon: impl Fn(f64) -> bool) -> bool {
    let free = ring.t[from..].iter().zip(&ring.owner[from..]).filter(|(_, owner)| **owner == FREE);
    let mut last = f64::NEG_INFINITY;
    for (t, _) in free {
        if *t <= last + RUN_S {
            return true;
        }
        if !soon(*t) {
            return false;
        }
        last = *t;
    }
    false
}

/// Reads salvos anew, together, whose first rounds will be final: those before
/// `due`.
pub(crate) fn again(work: &mut Work, due: f64, columns: &mut Columns) {
    while let Some(salvos) = columns.due(due) {
        if salvos.iter().any(|g| g.to + HEARD_S > work.horizon) {
            continue;
        }
        let mut ids = Vec::new();
        let mut known = Vec::new();
        for id in work.events.ids() {
            let e = work.events.get(id);
            if e.alive
                && !e.done
                && let Some(site) = nearest(&salvos, e.loc)
            {
                ids.push(id);
                known.push((site, e.weighed.level, e.hits.as_slice()));
            }
        }
        let view = work.view(FREE);
        let Some(found) = columns.better(&view, &salvos, &ids, &known) else { continue };
        for id in ids {
            work.remove(id);
        }
        let mut born = work.take_in(found);
        born.retain(|id| work.is_alive(*id));
        work.sweep(&born);
    }
}

/// The salvo that an event belongs to.
fn nearest(salvos: &[Salvo], loc: Loc) -> Option<usize> {
    let mut best: Option<(f64, usize)> = None;
    for (i, g) in salvos.iter().enumerate() {
        let d2 = (g.x - loc.x) * (g.x - loc.x) + (g.y - loc.y) * (g.y - loc.y);
        let of = d2 < OF_M * OF_M && loc.t > g.from - OF_S && loc.t < g.to + OF_S;
        if of && best.is_none_or(|b| d2 < b.0) {
            best = Some((d2, i));
        }
    }
    best.map(|b| b.1)
}

/// Rounds as the events they would be.
fn lives(found: Vec<Found>, sites: &[Site]) -> Vec<Live> {
    let live = |f: Found| {
        let site = &sites[f.site];
        let loc = Loc { t: f.t, x: site.x + f.dx, y: site.y + f.dy };
        let weighed = Weighed { level: f.level, hits: f.hits.len(), ..Weighed::default() };
        Live::new(loc, site.home, weighed, AROUND_M * AROUND_M, f.hits)
    };
    found.into_iter().map(live).collect()
}

impl Salvo {
    /// The salvo of these rounds, if they are enough.
    fn of(events: &Events, rounds: &[u32], busy: bool) -> Option<Self> {
        let alive = || rounds.iter().map(|id| events.get(*id)).filter(|e| e.alive);
        let n = alive().count();
        (n >= AGAIN_MIN).then(|| Self {
            x: alive().map(|e| e.loc.x).sum::<f64>() / n as f64,
            y: alive().map(|e| e.loc.y).sum::<f64>() / n as f64,
            from: alive().map(|e| e.loc.t).fold(f64::INFINITY, f64::min),
            to: alive().map(|e| e.loc.t).fold(f64::NEG_INFINITY, f64::max),
            busy,
        })
    }

    fn metres(&self, other: &Self) -> f64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }

    /// True if some station may hear both at once.
    fn meets(&self, other: &Self) -> bool {
        let d = self.metres(other);
        let apart = d / SLOW_MS;
        d < TOGETHER_M && other.from - apart < self.to && self.from - apart < other.to
    }
}

impl Columns {
    /// The earliest salvo that is due with all that are heard at once with it,
    /// in the order of their times; several of one place are one.
    fn due(&mut self, due: f64) -> Option<Vec<Salvo>> {
        // In an order in which nothing far away takes part.
        self.salvos.sort_by(|a, b| {
            a.from.total_cmp(&b.from).then(a.x.total_cmp(&b.x)).then(a.y.total_cmp(&b.y))
        });
        if self.salvos.first().is_none_or(|first| first.from >= due) {
            return None;
        }
        let mut group = vec![self.salvos.remove(0)];
        while let Some(at) = self.salvos.iter().position(|o| group.iter().any(|g| g.meets(o))) {
            group.push(self.salvos.remove(at));
        }
        let mut salvos: Vec<Salvo> = Vec::new();
        for g in group {
            match salvos.iter_mut().find(|o| o.metres(&g) < ONE_M) {
                Some(o) => {
                    (o.from, o.to) = (o.from.min(g.from), o.to.max(g.to));
                    o.busy |= g.busy;
                }
                None => salvos.push(g),
            }
        }
        Some(salvos)
    }

    /// Rounds of salvos with more evidence than those known, if there are such.
    /// They are looked for among the rounds known, and where stations are busy also
    /// from nothing.
    fn better(
        &mut self,
        view: &View,
        salvos: &[Salvo],
        ids: &[u32],
        known: &[(usize, f64, &[Hit])],
    ) -> Option<Vec<Live>> {
        let free = |owner: u32| owner == FREE || ids.binary_search(&owner).is_ok();
        let mut sites = Vec::new();
        let mut stations = Vec::new();
        for (i, g) in salvos.iter().enumerate() {
            let of = known.iter().filter(|k| k.0 == i).map(|k| k.1);
            let level = middle(of.collect(), view.physics.model.level_mean_db);
            let asked = if g.busy { READ_AGAIN } else { READ };
            self.gather(view, (g.x, g.y), g.from, asked, &free);
            stations.extend(&self.stations);
            let home = view.net.nearest_to(g.x, g.y);
            sites.push(Site::new((g.x, g.y), home, level, (g.from - MORE_S, g.to + MORE_S)));
        }
        stations.sort_unstable();
        stations.dedup();
        let rounds: Vec<(usize, &[Hit])> = known.iter().map(|k| (k.0, k.2)).collect();
        let busy = salvos.iter().any(|g| g.busy);
        let effort = if busy { AGAIN } else { AGAIN_PLAIN };
        let tracks = &mut self.tracks;
        tracks.lay(view, &stations, &sites, &free);
        tracks.load(view, &rounds);
        let mut best = tracks.evidence(view);
        let mut found = None;
        tracks.read(view, effort);
        if tracks.evidence(view) > best {
            best = tracks.evidence(view);
            found = Some(tracks.found(view));
        }
        if !busy {
            return found.map(|found| lives(found, &sites));
        }
        tracks.lay(view, &stations, &sites, &free);
        tracks.read(view, effort);
        if tracks.evidence(view) > best {
            best = tracks.evidence(view);
            found = Some(tracks.found(view));
        }
        if let Some(moved) = self.moved(view, salvos, &sites, &free) {
            let tracks = &mut self.tracks;
            tracks.lay(view, &stations, &moved, &free);
            tracks.read(view, effort);
            if tracks.evidence(view) > best {
                found = Some(tracks.found(view));
                sites = moved;
            }
        }
        found.map(|found| lives(found, &sites))
    }

    /// Sites with the places of salvos where what they have together now, and what is
    /// free, puts them; none if all stay where they are.
    fn moved(
        &mut self,
        view: &View,
        salvos: &[Salvo],
        sites: &[Site],
        free: &dyn Fn(u32) -> bool,
    ) -> Option<Vec<Site>> {
        let mut moved = sites.to_vec();
        let mut any = false;
        for (site, g) in moved.iter_mut().zip(salvos) {
            if !g.busy {
                continue;
            }
            let found = self.closer(view, (g.x, g.y), site.home, g.from, free);
            let Some((_, x, y)) = found else { continue };
            let (dx, dy) = (x - g.x, y - g.y);
            if dx * dx + dy * dy > MOVED_M * MOVED_M {
                *site = Site::new((x, y), view.net.nearest_to(x, y), site.level, site.span);
                any = true;
            }
        }
        any.then_some(moved)
    }

    /// The rounds of the salvo that begins with a run, as events, and whether
    /// stations were busy.
    fn born(&mut self, work: &mut Work, (t, k): (f64, u32)) -> (Vec<u32>, bool) {
        let (view, net) = (work.view(FREE), work.net);
        let (x, y) = (net.x[k as usize], net.y[k as usize]);
        self.gather(&view, (x, y), t, ASKED, &nobodys);
        let mut counts: Vec<usize> = self.start.windows(2).map(|w| w[1] - w[0]).collect();
        counts.sort_unstable();
        let busy = counts.iter().rev().nth(BUSIER).is_some_and(|count| *count >= BUSY);
        let numbers = if busy { PLACES_BUSY } else { PLACES };
        let places = self.places(&view, (x, y), k, t, numbers);
        let effort = if busy { HARD } else { PLAIN };
        let place = if places.len() > 1 {
            let mut best: Option<(f64, (f64, f64))> = None;
            for place in places {
                self.read(&view, place, t, COMPARE);
                let evidence = self.tracks.evidence(&view);
                if best.is_none_or(|b| evidence > b.0) {
                    best = Some((evidence, place));
                }
            }
            best.map(|b| b.1)
        } else {
            places.first().copied()
        };
        let Some(place) = place else { return (Vec::new(), busy) };
        let site = self.read(&view, place, t, effort);
        let lives = lives(self.tracks.found(&view), &[site]);
        (work.take_in(lives), busy)
    }

    /// Places that the salvo may come from whose run was heard at a station: first by the
    /// stations about that one, which may all be on one side, then each by those about itself.
    fn places(
        &mut self,
        view: &View,
        at: (f64, f64),
        k: u32,
        t: f64,
        numbers: (usize, usize),
    ) -> Vec<(f64, f64)> {
        self.count(view);
        let mut first = self.places.best(view, &self.stations, at, SEARCH_M, k, numbers);
        let top = first.first().map_or(0.0, |p| p.0);
        first.retain(|p| p.0 >= SCORE_MIN && p.0 >= SHARE_MIN * top);
        let mut places: Vec<(f64, f64, f64)> = Vec::with_capacity(first.len());
        for (score, x, y) in first {
            // Where the first that heard it is the nearest, its stations were those about the place.
            let home = view.net.nearest_to(x, y);
            if home == k {
                places.push((score, x, y));
                continue;
            }
            let found = self.closer(view, (x, y), home, t, &nobodys);
            let Some((score, x, y)) = found else { continue };
            let same = |o: &(f64, f64, f64)| (o.1 - x).abs() < SAME_M && (o.2 - y).abs() < SAME_M;
            if !places.iter().any(same) {
                places.push((score, x, y));
            }
        }
        let top = places.iter().map(|p| p.0).fold(0.0, f64::max);
        places.retain(|p| p.0 >= SHARE_READ * top);
        places.into_iter().map(|p| (p.1, p.2)).collect()
    }

    /// The likeliest place about one, by the stations about it.
    fn closer(
        &mut self,
        view: &View,
        at: (f64, f64),
        home: u32,
        t: f64,
        free: &dyn Fn(u32) -> bool,
    ) -> Option<(f64, f64, f64)> {
        self.gather(view, at, t, ASKED_ABOUT, free);
        self.count(view);
        let all = (usize::MAX, 1);
        self.places.best(view, &self.stations, at, ABOUT_M, home, all).first().copied()
    }

    fn count(&mut self, view: &View) {
        let Self { places, stations, start, t, bearings, .. } = self;
        places.count(view, stations, start, t, bearings);
    }

    /// The stations about a place and what of theirs is free about a time.
    fn gather(
        &mut self,
        view: &View,
        (x, y): (f64, f64),
        t: f64,
        (most, far_m): (usize, f64),
        free: &dyn Fn(u32) -> bool,
    ) {
        self.stations.clear();
        self.start.clear();
        self.t.clear();
        self.bearings.clear();
        let mut near = Vec::new();
        view.net.within(x, y, far_m, |l, d2| near.push((d2, l)));
        near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(most);
        for (_, l) in near {
            let ring = &view.rings[l as usize];
            self.stations.push(l);
            self.start.push(self.t.len());
            let mut i = ring.from(t - BEFORE_S);
            while i < ring.t.len() && ring.t[i] < t + AFTER_S + 45.0 {
                if free(ring.owner[i]) {
                    self.t.push(ring.t[i]);
                    self.bearings.push(ring.picks[i].bearing);
                }
                i += 1;
            }
        }
        self.start.push(self.t.len());
    }

    /// What the rounds seem to have for a level: the middle of what the stations
    /// nearest to the place heard.
    fn level(&self, view: &View, x: f64, y: f64, home: u32, t: f64) -> f64 {
        let mut levels = Vec::new();
        for &l in self.stations.iter().take(6) {
            let loss = view.path(x, y, home, l).loss;
            let ring = &view.rings[l as usize];
            let mut i = ring.from(t - BEFORE_S);
            while i < ring.t.len() && ring.t[i] < t + AFTER_S + 45.0 {
                if ring.owner[i] == FREE {
                    levels.push(f64::from(ring.picks[i].amp) + loss);
                }
                i += 1;
            }
        }
        middle(levels, view.physics.model.level_mean_db)
    }

    /// Reads the rounds from a place.
    fn read(&mut self, view: &View, (x, y): (f64, f64), t: f64, effort: Effort) -> Site {
        let home = view.net.nearest_to(x, y);
        self.gather(view, (x, y), t, READ, &nobodys);
        let level = self.level(view, x, y, home, t);
        let site = Site::new((x, y), home, level, (t - BEFORE_S, t + AFTER_S));
        self.tracks.lay(view, &self.stations, &[site], &nobodys);
        self.tracks.read(view, effort);
        site
    }
}

/// True for an owner that is none.
fn nobodys(owner: u32) -> bool {
    owner == FREE
}

/// The middle of some values, or another if there are none.
fn middle(mut values: Vec<f64>, otherwise: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(otherwise)
}
