//! Where a salvo is, before it is known which detection is of which round. The
//! spacing of its rounds is irregular, so for two stations the differences of all
//! their detections pile up at the true difference of travel times: there every
//! round that both heard counts, at an alias only what falls together by chance.
//! The sum over pairs of neighbouring stations is the likelihood of a place, with
//! all rounds pooled and none assigned. What arrays heard adds where it came from.

use crate::bearing::Bearing;
use crate::rose::Rose;
use crate::score::View;

/// Bins of differences, s.
const BIN_S: f64 = 0.05;
/// Half-widths of the windows in which differences are counted: for pairs that
/// see the scatter of rounds alike, for those that do not, and for a first look.
const SHARP_S: f64 = 0.15;
const BLUNT_S: f64 = 0.40;
const FIRST_S: f64 = 0.75;
/// Half-width of the window that says how many to expect by chance.
const WIDE_S: f64 = 2.5;
/// Pairs of each station with its nearest.
const PARTNERS: usize = 7;
/// Of these, pairs that are asked in a first look.
const FIRST_PARTNERS: usize = 4;
/// Detections of a station within the window below which it says nothing.
const HEARD_MIN: usize = 3;
/// Grids of places, metres.
const COARSE_M: f64 = 500.0;
const MID_M: f64 = 125.0;
const FINE_M: f64 = 40.0;
/// Places are told apart if they are farther from each other than this, metres.
const APART_M: f64 = 400.0;
/// How much two directions from the place to the stations may differ for the
/// pair to see rounds scattered about it at nearly the same difference.
const TURN: f32 = 0.7;

/// Weight of what arrays say of the direction beside the pairs.
const DIRECTION: f64 = 1.5;

/// Stations at once: lanes of the loops over them.
const LANES: usize = 32;

/// A pair of stations; its tables begin at `base` with the lag `from`.
#[derive(Clone, Copy)]
struct Pair {
    i: u32,
    j: u32,
    from: f32,
    base: u32,
    bins: u32,
}

impl Pair {
    /// Where in the tables a lag is. Adding 2^23 rounds to whole bins.
    #[inline]
    fn bin(&self, lag: f32) -> usize {
        let at = ((lag - self.from) * (1.0 / BIN_S) as f32).max(0.0) + 8_388_608.0;
        (self.base + (at.to_bits() & 0x7f_ffff).min(self.bins - 1)) as usize
    }
}

/// Sum in four strands, always in the same order.
#[inline]
fn sum(pairs: &[Pair], value: impl Fn(&Pair) -> f32) -> f32 {
    let mut sums = [0.0; 4];
    let mut fours = pairs.chunks_exact(4);
    for four in &mut fours {
        for (sum, p) in sums.iter_mut().zip(four) {
            *sum += value(p);
        }
    }
    for p in fours.remainder() {
        sums[0] += value(p);
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Memory of a search for places.
#[derive(Default)]
pub(crate) struct Places {
    pairs: Vec<Pair>,
    /// Those that are asked at first.
    asked: Vec<Pair>,
    first: Vec<f32>,
    /// For pairs that see the scatter of rounds apart and alike.
    close: Vec<[f32; 2]>,
    cumulated: Vec<u32>,
    /// For a count in the wide window: one over the scatter expected in each
    /// of the narrow ones.
    scatter: Vec<[f32; 3]>,
    seen: Seen,
    /// Lanes of arrays, and what they say of directions.
    roses: Vec<(u32, Rose)>,
}

/// The stations as lanes, relative to the middle of the search, and what is
/// seen of them from a place.
#[derive(Clone, Copy)]
struct Seen {
    x: [f32; LANES],
    y: [f32; LANES],
    dz2: [f32; LANES],
    c: [f32; LANES],
    east: [f32; LANES],
    north: [f32; LANES],
    clock: [f32; LANES],
    tau: [f32; LANES],
    ux: [f32; LANES],
    uy: [f32; LANES],
}

impl Default for Seen {
    fn default() -> Self {
        let zero = [0.0; LANES];
        Self {
            x: zero,
            y: zero,
            dz2: [1.0; LANES],
            c: [340.0; LANES],
            east: zero,
            north: zero,
            clock: zero,
            tau: zero,
            ux: zero,
            uy: zero,
        }
    }
}

impl Seen {
    fn new(view: &View, stations: &[u32], (x0, y0): (f64, f64), home: u32) -> Self {
        let net = view.net;
        let mut s = Self::default();
        let scale = net.scale[home as usize];
        for (i, l) in stations.iter().take(LANES).enumerate() {
            let l = *l as usize;
            s.x[i] = ((net.x[l] - x0) / scale) as f32;
            s.y[i] = ((net.y[l] - y0) / scale) as f32;
            let dz = net.z[l] - net.ground[home as usize];
            s.dz2[i] = (dz * dz) as f32;
            let air = net.between(home, stations[i]);
            s.c[i] = air.c as f32;
            s.east[i] = air.east as f32;
            s.north[i] = air.north as f32;
            s.clock[i] = net.habit[l].clock as f32;
        }
        s
    }

    /// Travel times from a place, and directions.
    #[inline]
    fn look(&mut self, x: f32, y: f32) {
        for i in 0..LANES {
            let (dx, dy) = (self.x[i] - x, self.y[i] - y);
            let d = (dx * dx + dy * dy + self.dz2[i]).max(900.0).sqrt();
            let inv = 1.0 / d;
            self.ux[i] = dx * inv;
            self.uy[i] = dy * inv;
            let speed = self.c[i] + self.east[i] * self.ux[i] + self.north[i] * self.uy[i];
            self.tau[i] = d / speed + self.clock[i];
        }
    }
}

impl Places {
    /// Counts the differences of neighbouring stations. `start` holds where each
    /// station's times and bearings begin, and one past the last.
    pub(crate) fn count(
        &mut self,
        view: &View,
        stations: &[u32],
        start: &[usize],
        t: &[f64],
        bearings: &[Bearing],
    ) {
        let stray = view.physics.model.azimuth_stray_share;
        self.roses.clear();
        for i in 0..stations.len().min(LANES) {
            let heard = &bearings[start[i]..start[i + 1]];
            if heard.len() >= HEARD_MIN
                && let Some(rose) = Rose::new(heard, stray, DIRECTION)
            {
                self.roses.push((i as u32, rose));
            }
        }
        self.pairs.clear();
        self.asked.clear();
        self.first.clear();
        self.close.clear();
        self.scatter.clear();
        let net = view.net;
        let heard = |i: usize| &t[start[i]..start[i + 1]];
        for i in 0..stations.len().min(LANES) {
            if heard(i).len() < HEARD_MIN {
                continue;
            }
            let a = stations[i] as usize;
            let mut partners: Vec<(f64, usize)> = (0..stations.len().min(LANES))
                .filter(|j| *j != i && heard(*j).len() >= HEARD_MIN)
                .map(|j| {
                    let b = stations[j] as usize;
                    let (dx, dy) = (net.x[a] - net.x[b], net.y[a] - net.y[b]);
                    ((dx * dx + dy * dy).sqrt(), j)
                })
                .collect();
            partners.sort_by(|p, q| p.0.total_cmp(&q.0).then(p.1.cmp(&q.1)));
            for (rank, (d, j)) in partners.into_iter().take(PARTNERS).enumerate() {
                let (i, j) = (i.min(j), i.max(j));
                if !self.pairs.iter().any(|p| p.i as usize == i && p.j as usize == j) {
                    self.pair(i, j, d, rank < FIRST_PARTNERS, heard(i), heard(j));
                }
            }
        }
    }

    fn pair(&mut self, i: usize, j: usize, d: f64, asked: bool, a: &[f64], b: &[f64]) {
        let half = |s: f64| (s / BIN_S) as usize;
        let (first, sharp, blunt, wide) =
            (half(FIRST_S), half(SHARP_S), half(BLUNT_S), half(WIDE_S));
        // The largest difference there can be, and room for the windows.
        let bins = 2 * half(d / 320.0 + 0.3) + 1;
        let from = -BIN_S * (bins / 2) as f64;
        let all = bins + 2 * wide;
        let start = from - BIN_S * wide as f64;
        self.cumulated.clear();
        self.cumulated.resize(all + 1, 0);
        for x in a {
            let begin = b.partition_point(|y| y - x < start);
            for y in &b[begin..] {
                let bin = ((y - x - start) / BIN_S) as usize;
                if bin >= all {
                    break;
                }
                self.cumulated[bin + 1] += 1;
            }
        }
        for k in 1..=all {
            self.cumulated[k] += self.cumulated[k - 1];
        }
        let share = |half: usize| (2 * half + 1) as f32 / (2 * wide + 1) as f32;
        let shares = [share(first), share(sharp), share(blunt)];
        let base = self.first.len() as u32;
        // What rounds that both heard would add, in scatters of what chance adds,
        // goes with the root of what they heard.
        let weight = ((a.len() * b.len()).min(900) as f32).sqrt() * 0.1;
        // How many are in the window of a half-width about each lag.
        let within = |half: usize| {
            let upper = &self.cumulated[wide + half + 1..][..bins];
            upper.iter().zip(&self.cumulated[wide - half..][..bins]).map(|(to, from)| to - from)
        };
        let most = within(wide).max().unwrap_or(0) as usize;
        for n in self.scatter.len()..=most {
            self.scatter.push(shares.map(|share| 1.0 / (n as f32 * share + 0.5).sqrt()));
        }
        let over = |i: usize, count: u32, n: u32| {
            (count as f32 - n as f32 * shares[i]) * self.scatter[n as usize][i]
        };
        if asked {
            let counts = within(first).zip(within(wide));
            self.first.extend(counts.map(|(count, n)| weight * over(0, count, n)));
        } else {
            self.first.resize(self.first.len() + bins, 0.0);
        }
        let counts = within(blunt).zip(within(sharp)).zip(within(wide));
        self.close
            .extend(counts.map(|((b, s), n)| [weight * over(2, b, n), weight * over(1, s, n)]));
        // What is beyond the ends says nothing.
        for end in [base as usize, base as usize + bins - 1] {
            (self.first[end], self.close[end]) = (0.0, [0.0; 2]);
        }
        let (i, j) = (i as u32, j as u32);
        let from = (from + 0.5 * BIN_S) as f32;
        let pair = Pair { i, j, from, base, bins: bins as u32 };
        self.pairs.push(pair);
        if asked {
            self.asked.push(pair);
        }
    }

    fn first(&mut self, x: f32, y: f32) -> f32 {
        self.seen.look(x, y);
        let tau = &self.seen.tau;
        let value = |p: &Pair| {
            let lag = tau[p.j as usize % LANES] - tau[p.i as usize % LANES];
            self.first[p.bin(lag)]
        };
        sum(&self.asked, value) + self.directed()
    }

    fn closer(&mut self, x: f32, y: f32) -> f32 {
        self.seen.look(x, y);
        let s = &self.seen;
        let value = |p: &Pair| {
            let (i, j) = (p.i as usize % LANES, p.j as usize % LANES);
            let (ex, ey) = (s.ux[i] - s.ux[j], s.uy[i] - s.uy[j]);
            let alike = ex * ex + ey * ey < TURN * TURN;
            self.close[p.bin(s.tau[j] - s.tau[i])][usize::from(alike)]
        };
        sum(&self.pairs, value) + self.directed()
    }

    /// What arrays say of the place last looked from.
    #[inline]
    fn directed(&self) -> f32 {
        let toward = |lane: u32| {
            let i = lane as usize % LANES;
            (-self.seen.ux[i], -self.seen.uy[i])
        };
        let says = |(lane, rose): &(u32, Rose)| {
            let (dx, dy) = toward(*lane);
            rose.toward(dx, dy)
        };
        self.roses.iter().map(says).sum()
    }

    /// The likeliest places within a circle about a point, best first: score, x, y.
    /// So many of the coarse grid are looked at more closely, and so many come out.
    pub(crate) fn best(
        &mut self,
        view: &View,
        stations: &[u32],
        (x0, y0): (f64, f64),
        radius: f64,
        home: u32,
        (kept, count): (usize, usize),
    ) -> Vec<(f64, f64, f64)> {
        let apart_m = APART_M as f32;
        self.seen = Seen::new(view, stations, (x0, y0), home);
        let scale = view.net.scale[home as usize];
        let steps = (radius / COARSE_M) as i32;
        let (coarse_m, mid_m, fine_m) = (COARSE_M as f32, MID_M as f32, FINE_M as f32);
        let mut coarse = Vec::with_capacity(((2 * steps + 1) * (2 * steps + 1)) as usize);
        for i in -steps..=steps {
            for j in -steps..=steps {
                if i * i + j * j > steps * steps {
                    continue;
                }
                let (x, y) = (i as f32 * coarse_m, j as f32 * coarse_m);
                coarse.push((self.first(x, y), x, y));
            }
        }
        // Places with equal scores keep the order of the grid.
        let best_first = |a: &(f32, f32, f32), b: &(f32, f32, f32)| {
            b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        };
        let kept = kept.min(coarse.len() - 1);
        coarse.select_nth_unstable_by(kept, best_first);
        let mut mid = Vec::with_capacity(kept * 16);
        for (_, cx, cy) in &coarse[..kept] {
            for i in 0..4 {
                for j in 0..4 {
                    let (x, y) = (cx + (i as f32 - 1.5) * mid_m, cy + (j as f32 - 1.5) * mid_m);
                    mid.push((self.closer(x, y), x, y));
                }
            }
        }
        mid.sort_unstable_by(best_first);
        let mut apart: Vec<(f32, f32)> = Vec::with_capacity(count);
        for (_, x, y) in mid {
            let near = |o: &(f32, f32)| (o.0 - x).abs() < apart_m && (o.1 - y).abs() < apart_m;
            if apart.len() < count && !apart.iter().any(near) {
                apart.push((x, y));
            }
        }
        let at = |middle: f64, off: f32| middle + f64::from(off) * scale;
        let finer = apart.into_iter().map(|(mx, my)| {
            let mut best = (f32::NEG_INFINITY, mx, my);
            for i in -2..=2 {
                for j in -2..=2 {
                    let (x, y) = (mx + i as f32 * fine_m, my + j as f32 * fine_m);
                    let score = self.closer(x, y);
                    if score > best.0 {
                        best = (score, x, y);
                    }
                }
            }
            (f64::from(best.0), at(x0, best.1), at(y0, best.2))
        });
        finer.collect()
    }
}
