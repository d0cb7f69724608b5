//! Stations on a plane, their neighbours, and picks by station and phase.

use crate::input::{Outage, Station};
use crate::math;
use crate::plane::Plane;
use crate::travel::{Phase, Table, slab};

use super::model::PhaseModel;
use crate::stream::Wait;

use super::weigh::FARTHEST_KM;
use super::{FREE, GATE, Pick};

/// Stations asked before all others are.
pub(crate) const NEIGHBOURS: usize = 16;
/// The source of an anchor is sought as far off as so many neighbours are.
const ROOT_NEIGHBOUR: usize = 8;
/// Limits of that, km.
const ROOT_KM: (f64, f64) = (30.0, 250.0);
/// Picks of a station and phase within a second at most.
const BURST: usize = 5;
/// Least weight of a pick: its error is ten times that of the model.
pub const WEIGHT_MIN: f64 = 0.01;
/// Picks within so long tell how busy a station is, s.
pub(crate) const RATE_S: f64 = 900.0;

/// What one anchor asks one neighbour, over the whole of its root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    /// Station and phase.
    pub channel: u32,
    /// Least and most delay behind the anchor, with the gate, s.
    pub from: f64,
    pub to: f64,
}

pub(crate) struct Net {
    pub plane: Plane,
    /// East and north, km on the plane.
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// Scale of the plane there.
    scale: Vec<f64>,
    /// Time for the height of the station, by phase, s.
    pub lift: Vec<[f64; 2]>,
    /// Each station with its neighbours, in order of index.
    pub near: Vec<Vec<u32>>,
    /// All stations.
    pub everyone: Vec<u32>,
    /// Half-width of the square in which the source of an anchor is sought, km.
    pub root: Vec<f64>,
    /// By channel.
    pub asks: Vec<Vec<Ask>>,
    down: Vec<Vec<(f64, f64)>>,
}

impl Net {
    pub(crate) fn new(
        stations: &[Station],
        outages: &[Outage],
        table: &Table,
        physics: &Physics,
    ) -> Self {
        let n = stations.len().max(1) as f64;
        let mean = |f: fn(&Station) -> f64| stations.iter().map(f).sum::<f64>() / n;
        let lon0 = stations.first().map_or(0.0, |s| s.lon);
        // Longitudes about the first, so that a network across the date line has a middle.
        let turn = |lon: f64| lon - 360.0 * libm::round((lon - lon0) / 360.0);
        let lon = stations.iter().map(|s| turn(s.lon)).sum::<f64>() / n;
        let plane = Plane::new(mean(|s| s.lat), lon);
        let places: Vec<(f64, f64)> =
            stations.iter().map(|s| plane.forward(s.lat, s.lon)).collect();
        let lift = |s: &Station| Phase::ALL.map(|p| table.surface(p) * s.elev_m / 1e3);
        let mut down = vec![Vec::new(); stations.len()];
        for outage in outages {
            down[outage.station as usize].push((outage.start_s, outage.end_s));
        }
        let mut net = Self {
            plane,
            x: places.iter().map(|p| p.0 / 1e3).collect(),
            y: places.iter().map(|p| p.1 / 1e3).collect(),
            scale: places.iter().map(|p| plane.scale(p.0)).collect(),
            lift: stations.iter().map(lift).collect(),
            near: Vec::new(),
            everyone: (0..stations.len() as u32).collect(),
            root: Vec::new(),
            asks: Vec::new(),
            down,
        };
        for k in 0..stations.len() {
            let mut others: Vec<(f64, u32)> =
                (0..stations.len() as u32).map(|l| (net.apart(k, l as usize), l)).collect();
            others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            others.retain(|o| o.1 as usize != k);
            others.truncate(NEIGHBOURS);
            let at = others.len().min(ROOT_NEIGHBOUR);
            let root = if at == 0 { ROOT_KM.0 } else { others[at - 1].0 };
            net.root.push(root.clamp(ROOT_KM.0, ROOT_KM.1));
            let own = std::iter::once(k as u32);
            let mut near: Vec<u32> = own.chain(others.iter().map(|o| o.1)).collect();
            near.sort_unstable();
            net.near.push(near);
        }
        for k in 0..stations.len() {
            for phase in Phase::ALL {
                let cell = Cell::root(&net, k);
                let (least, most) = net.range(table, k, phase, &cell);
                let asks = net.near[k].iter().flat_map(|l| Phase::ALL.map(|p| (*l as usize, p)));
                let asks = asks.filter(|(l, p)| (*l, *p) != (k, phase)).map(|(l, p)| {
                    let (lo, hi) = net.range(table, l, p, &cell);
                    let gate = GATE * physics.sigma(hi);
                    Ask { channel: channel(l, p), from: lo - most - gate, to: hi - least + gate }
                });
                let asks = asks.collect();
                net.asks.push(asks);
            }
        }
        net
    }

    fn apart(&self, k: usize, l: usize) -> f64 {
        let (dx, dy) = (self.x[k] - self.x[l], self.y[k] - self.y[l]);
        (dx * dx + dy * dy).sqrt() / self.scale[l]
    }

    /// East, north and length of the way from a place to a station, km.
    #[inline]
    pub(crate) fn way(&self, k: usize, x: f64, y: f64) -> (f64, f64, f64) {
        let per = 1.0 / self.scale[k];
        let (dx, dy) = ((self.x[k] - x) * per, (self.y[k] - y) * per);
        (dx, dy, (dx * dx + dy * dy).sqrt())
    }

    /// Least and most distance from anywhere in a cell to a station, km.
    #[inline]
    pub(crate) fn span(&self, k: usize, cell: &Cell) -> (f64, f64) {
        let (dx, dy) = ((self.x[k] - cell.x).abs(), (self.y[k] - cell.y).abs());
        let (nx, ny) = ((dx - cell.half).max(0.0), (dy - cell.half).max(0.0));
        let (fx, fy) = (dx + cell.half, dy + cell.half);
        let per = 1.0 / self.scale[k];
        ((nx * nx + ny * ny).sqrt() * per, (fx * fx + fy * fy).sqrt() * per)
    }

    /// Least and most travel time from anywhere in a cell to a station, s.
    #[inline]
    pub(crate) fn range(&self, table: &Table, k: usize, phase: Phase, cell: &Cell) -> (f64, f64) {
        let (near, far) = self.span(k, cell);
        let (least, most) = table.range(phase, near, far, cell.slab());
        let lift = self.lift[k][phase.index()];
        (least + lift, most + lift)
    }

    /// How long the waves of a source take, s: to the nearest stations, of a network
    /// that is wider meshed at half of its stations, or to all that can pick them.
    pub(crate) fn wait(&self, table: &Table, physics: &Physics, wait: Wait) -> f64 {
        let mut roots = self.root.clone();
        roots.sort_by(f64::total_cmp);
        let far = match wait {
            Wait::Nearest => roots.get(roots.len() / 2).copied().unwrap_or(0.0),
            Wait::Everyone => {
                let wide = roots.last().copied().unwrap_or(0.0);
                let all = 0..self.x.len();
                let apart = all.clone().flat_map(|k| all.clone().map(move |l| (k, l)));
                let most = apart.map(|(k, l)| self.apart(k, l)).fold(0.0, f64::max);
                (most + wide).min(FARTHEST_KM)
            }
        };
        let whole = slab(0, 0);
        let lift = self.lift.iter().flatten().copied().fold(0.0, f64::max);
        let tau = table.range(Phase::S, 0.0, far, whole).1 + lift;
        tau + physics.gate(tau)
    }

    pub(crate) fn is_down(&self, k: usize, t: f64) -> bool {
        self.down[k].iter().any(|(from, to)| t >= *from && t <= *to)
    }
}

/// Index of a station and phase.
#[inline]
pub(crate) fn channel(station: usize, phase: Phase) -> u32 {
    (station * 2 + phase.index()) as u32
}

/// Station and phase of an index.
#[inline]
pub(crate) fn of_channel(channel: u32) -> (usize, Phase) {
    (channel as usize / 2, Phase::ALL[channel as usize % 2])
}

/// A square of ground and a slab of depths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub x: f64,
    pub y: f64,
    pub half: f64,
    /// How often the depths were halved, and which part this is.
    pub halvings: usize,
    pub index: usize,
}

impl Cell {
    pub(crate) fn root(net: &Net, k: usize) -> Self {
        Self { x: net.x[k], y: net.y[k], half: net.root[k], halvings: 0, index: 0 }
    }

    #[inline]
    pub(crate) fn slab(&self) -> usize {
        slab(self.halvings, self.index)
    }

    /// Middle of its depths as a share of all.
    pub(crate) fn depth_share(&self) -> f64 {
        (self.index as f64 + 0.5) / f64::from(1_u32 << self.halvings)
    }
}

/// What a bound must be above the price of a source, nats: it knows of neither
/// residuals nor silences, and no source is without.
const ABOVE: f64 = 3.0;

/// Gates that are kept, s.
const GATES: u32 = 512;

/// Errors of picks and rates of sources.
pub(crate) struct Physics {
    pub model: PhaseModel,
    /// Logarithm of the most that a pick of no error at no distance can gain,
    /// less that of its rate.
    pub ln_best: f64,
    /// Logarithm of the rate of sources, per km^3 and s.
    pub ln_rate: f64,
    pub deepest: f64,
    /// What the neighbours of an anchor must at least be able to add, nats.
    pub worth: f64,
    /// Gates by travel time in whole seconds, of the second after it.
    gates: Vec<f64>,
}

/// Logarithm of the density of Student's law of four degrees at its middle.
const LN_STUDENT: f64 = -0.980_829_253_011_726_2;

impl Physics {
    pub(crate) fn new(model: &PhaseModel, deepest: f64) -> Self {
        let ln_rate = math::ln(model.events_per_km2_day / 86_400.0 / deepest);
        let sigma = |tau: f64| {
            let path = model.path_error * tau;
            (model.pick_s * model.pick_s + path * path).sqrt()
        };
        Self {
            gates: (1..=GATES).map(|second| GATE * sigma(f64::from(second))).collect(),
            worth: ABOVE - ln_rate,
            ln_best: math::ln(model.detect_max) + LN_STUDENT - math::ln(model.pick_s),
            ln_rate,
            model: model.clone(),
            deepest,
        }
    }

    /// How far off an arrival after a travel time may be, s, or a little more.
    #[inline]
    pub(crate) fn gate(&self, tau: f64) -> f64 {
        match self.gates.get(tau as usize) {
            Some(gate) => *gate,
            None => GATE * self.sigma(tau),
        }
    }

    /// Error of an arrival after a travel time, s.
    #[inline]
    pub(crate) fn sigma(&self, tau: f64) -> f64 {
        self.sigma_of(tau, 1.0)
    }

    /// The same for a pick whose variance is so many times that of the model.
    #[inline]
    pub(crate) fn sigma_of(&self, tau: f64, spread: f64) -> f64 {
        let path = self.model.path_error * tau;
        (self.model.pick_s * self.model.pick_s * spread + path * path).sqrt()
    }
}

/// Log-likelihood of a residual, s, of an error: Student's law of four degrees.
#[inline]
pub(crate) fn ln_time(residual: f64, sigma: f64) -> f64 {
    let z = residual / sigma;
    LN_STUDENT - math::ln(sigma) - 2.5 * math::ln(1.0 + 0.25 * z * z)
}

/// Picks by channel, in order of time.
pub(crate) struct Store {
    pub t: Vec<Vec<f64>>,
    pub row: Vec<Vec<u32>>,
    /// Variance over that of the model; 1 or more, so that bounds hold.
    pub spread: Vec<Vec<f64>>,
    pub owner: Vec<Vec<u32>>,
    /// Logarithm of the rate of other picks about each, per s.
    pub ln_rate: Vec<Vec<f64>>,
    /// All picks by time: time, channel, index.
    pub all: Vec<(f64, u32, u32)>,
    /// Everything up to here is in, s: silence says nothing of what is due later.
    pub heard_to: f64,
}

impl Store {
    pub(crate) fn new(stations: usize) -> Self {
        Self {
            t: vec![Vec::new(); stations * 2],
            row: vec![Vec::new(); stations * 2],
            spread: vec![Vec::new(); stations * 2],
            owner: vec![Vec::new(); stations * 2],
            ln_rate: vec![Vec::new(); stations * 2],
            all: Vec::new(),
            heard_to: f64::INFINITY,
        }
    }

    /// Takes a pick in, in order of time.
    ///
    /// # Errors
    ///
    /// What of it is wrong, and why it cannot be used.
    pub(crate) fn add(&mut self, pick: &Pick) -> Result<(), (&'static str, &'static str)> {
        if !pick.t_s.is_finite() {
            return Err(("t_s", "the time is not a finite number"));
        }
        let c = channel(pick.station as usize, pick.phase) as usize;
        let Some(times) = self.t.get_mut(c) else {
            return Err(("station", "the station is not in the network"));
        };
        if !(WEIGHT_MIN..=1.0).contains(&pick.weight) {
            return Err(("weight", "the weight is not from 0.01 to 1"));
        }
        if times.last().is_some_and(|last| *last == pick.t_s) {
            return Err(("t_s", "the station has a pick of this phase at this very time already"));
        }
        if times.len() >= BURST && times[times.len() - BURST] > pick.t_s - 1.0 {
            return Err(("t_s", "more than 5 picks of the station and phase within a second"));
        }
        self.all.push((pick.t_s, c as u32, times.len() as u32));
        times.push(pick.t_s);
        self.row[c].push(pick.row);
        self.spread[c].push(1.0 / pick.weight);
        self.owner[c].push(FREE);
        Ok(())
    }

    /// Everything up to a moment is in: counts how busy each station was.
    pub(crate) fn heard_to(&mut self, moment: f64, model: &PhaseModel) {
        self.heard_to = moment;
        for (times, rates) in self.t.iter().zip(&mut self.ln_rate) {
            let (mut first, mut end) = (0, 0);
            rates.clear();
            for t in times {
                while times[first] < t - RATE_S {
                    first += 1;
                }
                while end < times.len() && times[end] <= t + RATE_S {
                    end += 1;
                }
                let others = (end - first - 1) as f64;
                let known = RATE_S + (moment - t).clamp(0.0, RATE_S);
                rates.push(math::ln(others / known + model.false_per_hour / 3600.0));
            }
        }
    }

    /// Forgets picks before a time; how many each channel has lost.
    pub(crate) fn forget(&mut self, before: f64) -> Vec<u32> {
        let lost: Vec<u32> =
            self.t.iter().map(|times| times.partition_point(|t| *t < before) as u32).collect();
        for (c, lost) in lost.iter().enumerate() {
            let lost = *lost as usize;
            self.t[c].drain(..lost);
            self.row[c].drain(..lost);
            self.spread[c].drain(..lost);
            self.owner[c].drain(..lost);
            self.ln_rate[c].drain(..lost);
        }
        self.all.retain(|pick| pick.0 >= before);
        for (_, c, index) in &mut self.all {
            *index -= lost[*c as usize];
        }
        lost
    }

    /// First pick of a channel at or after a time.
    #[inline]
    pub(crate) fn from(&self, channel: u32, t: f64) -> usize {
        self.t[channel as usize].partition_point(|at| *at < t)
    }

    #[inline]
    pub(crate) fn is_free(&self, channel: u32, index: u32) -> bool {
        self.owner[channel as usize][index as usize] == FREE
    }
}
