//! The stations as flat arrays: where they are, who is near whom, when they
//! were down, and what is learned of each while the record goes by.

use crate::bearing::Bearing;
use crate::input::{BackAzimuth, MetNode, Outage, Station};
use crate::model::Model;
use crate::plane::Plane;

/// Neighbours that a search looks at.
pub(crate) const NEIGHBOURS: usize = 24;
/// Neighbours farther away than this are not asked in a search, metres.
const ASKED_M: f64 = 60_000.0;
/// Side of the squares of the station index, metres.
const SQUARE: f64 = 8_000.0;
/// Side of the tiles that are searched apart, metres.
const TILE_M: f64 = 50_000.0;
/// Half-width of the square that is searched round a station, metres.
const ROOT_MIN: f64 = 2_000.0;
const ROOT_MAX: f64 = 25_000.0;
/// Residuals that the model's scatter weighs as much as, those that are
/// remembered, and the largest factor that is believed.
const SCATTER_PRIOR: f64 = 30.0;
const SCATTER_LONG: f64 = 200.0;
const SCATTER_MOST: f64 = 4.0;
/// Levels that an ordinary reading weighs as much as, those that are
/// remembered, and the scatter of levels, dB.
const LOUD_PRIOR: f64 = 5.0;
const LOUD_LONG: f64 = 100.0;
const LOUD_SCATTER_DB: f64 = 5.0;

/// Air over a station at the present moment of the record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Air {
    /// Speed of sound, m/s.
    pub c: f64,
    /// Wind, m/s.
    pub east: f64,
    pub north: f64,
}

/// What is learned of a station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    /// Noise floor, dB, and the weight behind it.
    pub noise: f64,
    noise_weight: f64,
    /// Unexplained detections, and when the station was first heard of.
    alarms: f64,
    since: f64,
    /// Clock error, s, and its variance.
    pub clock: f64,
    pub clock_var: f64,
    /// How much louder it reads than others, dB; taken off its levels and noise.
    pub loud: f64,
    loud_weight: f64,
    /// How much its arrivals scatter beyond the model: factor on the variance.
    pub scatter: f64,
    squares: f64,
    squares_weight: f64,
    /// Rate of false alarms, per second, and its logarithm.
    pub false_rate: f64,
    pub ln_false: f64,
}

pub(crate) struct Network {
    pub plane: Plane,
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    pub z: Vec<f64>,
    /// Height taken for sources: the middle of the heights near by.
    pub ground: Vec<f64>,
    /// Scale of the plane at the station, and one over it.
    pub scale: Vec<f64>,
    pub per_scale: Vec<f64>,
    /// Direction of true north on the plane at the station.
    north: Vec<(f64, f64)>,
    azimuth_error_deg: f64,
    /// Tile of the ground that the station stands on.
    pub tile: Vec<(i32, i32)>,
    /// Up to [`NEIGHBOURS`] nearest stations, nearest first, without the station itself.
    near: Vec<u32>,
    near_start: Vec<u32>,
    /// The same as seen from the station, as far as a search asks them.
    neighbours: Vec<Neighbour>,
    neighbours_start: Vec<u32>,
    pub root: Vec<f64>,
    pub air: Vec<Air>,
    /// Least noise of a station and its neighbours, dB.
    pub quiet: Vec<f64>,
    /// How often the air has changed.
    pub air_turn: u32,
    pub habit: Vec<Habit>,
    false_per_hour: f64,
    outages: Vec<Vec<(f64, f64)>>,
    met: Met,
    squares: Squares,
}

/// A neighbour as seen from a station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neighbour {
    pub station: u32,
    /// Metres to the east and north.
    pub dx: f32,
    pub dy: f32,
    /// Most that a sound can come later or earlier there, s.
    pub moveout: f64,
}

/// Stations by square of ground, in sorted arrays.
struct Squares {
    x0: f64,
    y0: f64,
    columns: i64,
    rows: i64,
    start: Vec<u32>,
    stations: Vec<u32>,
}

/// Forecast nodes by place, and which of them each station takes.
struct Met {
    series: Vec<Vec<MetNode>>,
    /// Two nodes and the weight of the first, for each station.
    of_station: Vec<(u32, u32, f64)>,
}

impl Network {
    pub(crate) fn new(
        stations: &[Station],
        met: &[MetNode],
        outages: &[Outage],
        model: &Model,
    ) -> Self {
        let n = stations.len().max(1) as f64;
        let lat0 = stations.iter().map(|s| s.lat).sum::<f64>() / n;
        let lon0 = stations.iter().map(|s| s.lon).sum::<f64>() / n;
        // A plane named by whole thousandths of a degree: its origin can be written down.
        let plane = Plane::new(libm::round(lat0 * 1e3) / 1e3, libm::round(lon0 * 1e3) / 1e3);
        let places: Vec<(f64, f64)> =
            stations.iter().map(|s| plane.forward(s.lat, s.lon)).collect();
        let x: Vec<f64> = places.iter().map(|p| p.0).collect();
        let y: Vec<f64> = places.iter().map(|p| p.1).collect();
        let z: Vec<f64> = stations.iter().map(|s| s.elev_m).collect();
        let squares = Squares::new(&x, &y);
        let mut near = Vec::new();
        let mut near_start = vec![0];
        let mut root = Vec::new();
        let mut ground = Vec::new();
        let mut found = Vec::new();
        let mut neighbours = Vec::new();
        let mut neighbours_start = vec![0];
        let scale: Vec<f64> = x.iter().map(|x| plane.scale(*x)).collect();
        for k in 0..x.len() {
            nearest(&squares, &x, &y, k, &mut found);
            near.extend(found.iter().map(|f| f.1));
            near_start.push(near.len() as u32);
            neighbours.extend(found.iter().map_while(|(_, l)| {
                let lu = *l as usize;
                let (dx, dy) = ((x[lu] - x[k]) / scale[k], (y[lu] - y[k]) / scale[k]);
                let d = (dx * dx + dy * dy).sqrt();
                let moveout = d / 325.0 + 0.4 + 0.003 * d / 325.0;
                let neighbour = Neighbour { station: *l, dx: dx as f32, dy: dy as f32, moveout };
                (d <= ASKED_M).then_some(neighbour)
            }));
            neighbours_start.push(neighbours.len() as u32);
            let eighth = found.get(7).or(found.last()).map_or(ROOT_MAX, |f| f.0.sqrt());
            root.push(eighth.clamp(ROOT_MIN, ROOT_MAX));
            let mut heights: Vec<f64> = found.iter().take(8).map(|f| z[f.1 as usize]).collect();
            heights.push(z[k]);
            heights.sort_by(f64::total_cmp);
            ground.push(heights[heights.len() / 2]);
        }
        let mut down = vec![Vec::new(); x.len()];
        for outage in outages {
            if let Some(list) = down.get_mut(outage.station as usize) {
                list.push((outage.start_s, outage.end_s));
            }
        }
        for list in &mut down {
            list.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
        let prior = model.false_per_hour;
        let habit = Habit {
            noise: 76.0,
            noise_weight: 0.5,
            alarms: 0.0,
            since: f64::INFINITY,
            clock: 0.0,
            clock_var: model.clock_error_s * model.clock_error_s,
            loud: 0.0,
            loud_weight: LOUD_PRIOR,
            scatter: 1.0,
            squares: SCATTER_PRIOR,
            squares_weight: SCATTER_PRIOR,
            false_rate: prior / 3600.0,
            ln_false: libm::log(prior / 3600.0),
        };
        Self {
            per_scale: scale.iter().map(|scale| 1.0 / scale).collect(),
            scale,
            north: stations.iter().map(|s| true_north(&plane, s)).collect(),
            azimuth_error_deg: model.azimuth_error_deg,
            met: Met::new(met, &plane, &x, &y),
            air: vec![Air { c: 340.0, east: 0.0, north: 0.0 }; x.len()],
            quiet: vec![habit.noise; x.len()],
            air_turn: 0,
            habit: vec![habit; x.len()],
            false_per_hour: prior,
            tile: x
                .iter()
                .zip(&y)
                .map(|(x, y)| (libm::floor(x / TILE_M) as i32, libm::floor(y / TILE_M) as i32))
                .collect(),
            outages: down,
            plane,
            x,
            y,
            z,
            ground,
            near,
            near_start,
            neighbours,
            neighbours_start,
            root,
            squares,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.x.len()
    }

    #[inline]
    pub(crate) fn near(&self, k: u32) -> &[u32] {
        let k = k as usize;
        &self.near[self.near_start[k] as usize..self.near_start[k + 1] as usize]
    }

    /// Air on the way between a source near one station and another station:
    /// the middle of what lies over both.
    #[inline]
    pub(crate) fn between(&self, home: u32, k: u32) -> Air {
        let (a, b) = (&self.air[home as usize], &self.air[k as usize]);
        Air {
            c: 0.5 * (a.c + b.c),
            east: 0.5 * (a.east + b.east),
            north: 0.5 * (a.north + b.north),
        }
    }

    /// A direction measured at a station, on the plane.
    pub(crate) fn bearing(&self, k: u32, from: Option<BackAzimuth>) -> Bearing {
        from.map_or_else(Bearing::default, |from| {
            let sigma = from.sigma_deg.map_or(self.azimuth_error_deg, f64::from);
            Bearing::new(f64::from(from.deg), sigma, self.north[k as usize])
        })
    }

    /// The nearest stations that a search asks, nearest first.
    #[inline]
    pub(crate) fn neighbours(&self, k: u32) -> &[Neighbour] {
        let k = k as usize;
        let start = &self.neighbours_start;
        &self.neighbours[start[k] as usize..start[k + 1] as usize]
    }

    /// True if the station is known to have been down at that time.
    #[inline]
    pub(crate) fn is_down(&self, k: u32, t: f64) -> bool {
        let list = &self.outages[k as usize];
        !list.is_empty() && list.iter().any(|(from, to)| *from <= t && t < *to)
    }

    /// Calls `f` for every station within a distance of a place, in a fixed order.
    #[inline]
    pub(crate) fn within(&self, x: f64, y: f64, radius: f64, mut f: impl FnMut(u32, f64)) {
        let s = &self.squares;
        let (c0, c1) = Squares::span(x - s.x0, radius, s.columns);
        let (r0, r1) = Squares::span(y - s.y0, radius, s.rows);
        let limit = radius * radius;
        for r in r0..=r1 {
            let first = s.start[(r * s.columns + c0) as usize] as usize;
            let last = s.start[(r * s.columns + c1 + 1) as usize] as usize;
            for &k in &s.stations[first..last] {
                let (dx, dy) = (self.x[k as usize] - x, self.y[k as usize] - y);
                let d2 = dx * dx + dy * dy;
                if d2 <= limit {
                    f(k, d2);
                }
            }
        }
    }

    /// The station nearest to a place, if one is within reach.
    pub(crate) fn nearest_to(&self, x: f64, y: f64) -> u32 {
        let mut radius = SQUARE;
        while radius < 4e6 {
            let mut best = (f64::INFINITY, u32::MAX);
            self.within(x, y, radius, |k, d2| {
                if d2 < best.0 || (d2 == best.0 && k < best.1) {
                    best = (d2, k);
                }
            });
            if best.1 != u32::MAX {
                return best.1;
            }
            radius *= 2.0;
        }
        0
    }

    /// Takes the forecast for a moment, with corrections learned (east, north
    /// wind and speed of sound) as `correct` gives them for a place.
    pub(crate) fn set_air(&mut self, t: f64, correct: impl Fn(f64, f64) -> [f64; 3]) {
        self.air_turn = self.air_turn.wrapping_add(1);
        for k in 0..self.len() {
            let mut air = self.met.at(k, t);
            let [east, north, c] = correct(self.x[k], self.y[k]);
            air.east += east;
            air.north += north;
            air.c += c;
            self.air[k] = air;
        }
        for k in 0..self.len() {
            let noise = |l: u32| self.habit[l as usize].noise;
            let around = self.near(k as u32).iter().map(|l| noise(*l));
            self.quiet[k] = around.fold(noise(k as u32), f64::min);
        }
    }

    /// The noise floor follows what detections state, within a day or so.
    pub(crate) fn hear(&mut self, k: u32, t: f64, noise: f64) {
        let h = &mut self.habit[k as usize];
        h.since = h.since.min(t);
        h.noise += (noise - h.noise) / (h.noise_weight + 1.0);
        h.noise_weight = (h.noise_weight + 1.0).min(30.0);
    }

    /// A level of a good event that is off by so much tells how loud the station reads.
    pub(crate) fn gauge(&mut self, k: u32, off: f64) {
        let h = &mut self.habit[k as usize];
        // Student-like, but a reading that is always off is believed in the end.
        let weight = 5.0 / (4.0 + (off / LOUD_SCATTER_DB) * (off / LOUD_SCATTER_DB));
        let step = weight.max(0.2) * off / (h.loud_weight + 1.0);
        h.loud_weight = (h.loud_weight + 1.0).min(LOUD_LONG);
        h.loud += step;
        h.noise -= step;
    }

    /// Counts detections that nothing explained. The prior weighs as much as
    /// two false alarms.
    pub(crate) fn count_false(&mut self, k: u32, alarms: f64, now: f64) {
        let h = &mut self.habit[k as usize];
        h.alarms += alarms;
        let hours = ((now - h.since) / 3600.0).max(0.0);
        h.false_rate = (2.0 + h.alarms) / ((2.0 / self.false_per_hour + hours) * 3600.0);
        h.ln_false = libm::log(h.false_rate);
    }

    /// A residual of a good event tells of the station's clock, and of how much
    /// its arrivals scatter. `share` makes up for what the event's own place,
    /// fitted to the residuals, took of them.
    pub(crate) fn tick(&mut self, k: u32, residual: f64, var: f64, share: f64) {
        let h = &mut self.habit[k as usize];
        let spread = h.clock_var + var;
        let surprise = residual * residual / spread;
        // Student-like: a far residual is the path's fault sooner than the clock's.
        let weight = 5.0 / (4.0 + surprise);
        let gain = h.clock_var * weight / spread;
        h.clock += gain * residual;
        h.clock_var = (h.clock_var * (1.0 - gain)).max(1e-6);
        // Like the clock, what the ground and the weather about it do to times
        // is learned as it goes, and slowly forgotten.
        // In units of what the model says, not of what was learned before.
        h.squares += (share * residual * residual * h.scatter / var).min(9.0 * h.scatter);
        h.squares_weight += 1.0;
        if h.squares_weight > SCATTER_LONG {
            let keep = SCATTER_LONG / h.squares_weight;
            h.squares *= keep;
            h.squares_weight *= keep;
        }
        h.scatter = (h.squares / h.squares_weight).clamp(1.0, SCATTER_MOST);
    }
}

/// Direction of true north on a plane at a station, as a unit vector.
fn true_north(plane: &Plane, station: &Station) -> (f64, f64) {
    let here = plane.forward(station.lat, station.lon);
    let there = plane.forward(station.lat + 0.01, station.lon);
    let (dx, dy) = (there.0 - here.0, there.1 - here.1);
    let length = libm::hypot(dx, dy);
    if length > 0.0 { (dx / length, dy / length) } else { (0.0, 1.0) }
}

impl Squares {
    fn new(x: &[f64], y: &[f64]) -> Self {
        let min = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
        let max = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (x0, y0) = if x.is_empty() { (0.0, 0.0) } else { (min(x), min(y)) };
        let count = |v: &[f64], from: f64| {
            if v.is_empty() { 1 } else { ((max(v) - from) / SQUARE) as i64 + 1 }
        };
        let (columns, rows) = (count(x, x0), count(y, y0));
        let square =
            |k: usize| ((y[k] - y0) / SQUARE) as i64 * columns + ((x[k] - x0) / SQUARE) as i64;
        let mut order: Vec<u32> = (0..x.len() as u32).collect();
        order.sort_by_key(|k| (square(*k as usize), *k));
        let mut start = vec![0_u32; (columns * rows) as usize + 1];
        for &k in &order {
            start[square(k as usize) as usize + 1] += 1;
        }
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        Self { x0, y0, columns, rows, start, stations: order }
    }

    #[inline]
    fn span(offset: f64, radius: f64, count: i64) -> (i64, i64) {
        let from = libm::floor((offset - radius) / SQUARE).clamp(0.0, (count - 1) as f64);
        let to = libm::floor((offset + radius) / SQUARE).clamp(0.0, (count - 1) as f64);
        (from as i64, to as i64)
    }
}

fn nearest(squares: &Squares, x: &[f64], y: &[f64], k: usize, found: &mut Vec<(f64, u32)>) {
    let mut radius = SQUARE;
    let farthest = SQUARE * (squares.columns + squares.rows) as f64 * 1.5 + SQUARE;
    loop {
        found.clear();
        let (c0, c1) = Squares::span(x[k] - squares.x0, radius, squares.columns);
        let (r0, r1) = Squares::span(y[k] - squares.y0, radius, squares.rows);
        for r in r0..=r1 {
            let first = squares.start[(r * squares.columns + c0) as usize] as usize;
            let last = squares.start[(r * squares.columns + c1 + 1) as usize] as usize;
            for &other in &squares.stations[first..last] {
                let (dx, dy) = (x[other as usize] - x[k], y[other as usize] - y[k]);
                let d2 = dx * dx + dy * dy;
                if other as usize != k && d2 <= radius * radius {
                    found.push((d2, other));
                }
            }
        }
        if found.len() >= NEIGHBOURS || radius > farthest {
            break;
        }
        radius *= 2.0;
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.truncate(NEIGHBOURS);
}

impl Met {
    fn new(nodes: &[MetNode], plane: &Plane, x: &[f64], y: &[f64]) -> Self {
        let mut sorted = nodes.to_vec();
        sorted.sort_by(|a, b| {
            a.lat.total_cmp(&b.lat).then(a.lon.total_cmp(&b.lon)).then(a.t_s.total_cmp(&b.t_s))
        });
        let mut series: Vec<Vec<MetNode>> = Vec::new();
        for node in sorted {
            match series.last_mut() {
                Some(last) if last[0].lat == node.lat && last[0].lon == node.lon => last.push(node),
                _ => series.push(vec![node]),
            }
        }
        let places: Vec<_> = series.iter().map(|s| plane.forward(s[0].lat, s[0].lon)).collect();
        let of_station = (0..x.len()).map(|k| {
            let mut best = [(f64::INFINITY, 0_u32); 2];
            for (i, place) in places.iter().enumerate() {
                let (dx, dy) = (place.0 - x[k], place.1 - y[k]);
                let d2 = dx * dx + dy * dy;
                if d2 < best[0].0 {
                    best = [(d2, i as u32), best[0]];
                } else if d2 < best[1].0 {
                    best[1] = (d2, i as u32);
                }
            }
            if places.len() < 2 {
                return (best[0].1, best[0].1, 1.0);
            }
            // Along the line between the two nodes.
            let (a, b) = (places[best[0].1 as usize], places[best[1].1 as usize]);
            let (ux, uy) = (b.0 - a.0, b.1 - a.1);
            let share = ((x[k] - a.0) * ux + (y[k] - a.1) * uy) / (ux * ux + uy * uy).max(1.0);
            (best[0].1, best[1].1, 1.0 - share.clamp(0.0, 0.5))
        });
        Self { of_station: of_station.collect(), series }
    }

    /// Still air at 10 degrees where there is no forecast.
    fn at(&self, k: usize, t: f64) -> Air {
        if self.series.is_empty() {
            return air_of(0.0, 0.0, 10.0);
        }
        let (i, j, share) = self.of_station[k];
        let (a, b) = (in_time(&self.series[i as usize], t), in_time(&self.series[j as usize], t));
        let mix = |p: f64, q: f64| p * share + q * (1.0 - share);
        air_of(mix(a[0], b[0]), mix(a[1], b[1]), mix(a[2], b[2]))
    }
}

fn in_time(series: &[MetNode], t: f64) -> [f64; 3] {
    let next = series.partition_point(|node| node.t_s <= t);
    let value = |node: &MetNode| [node.wind_e, node.wind_n, node.temp_c];
    if next == 0 {
        return value(&series[0]);
    }
    if next == series.len() {
        return value(&series[next - 1]);
    }
    let (a, b) = (&series[next - 1], &series[next]);
    let share = (t - a.t_s) / (b.t_s - a.t_s);
    let (p, q) = (value(a), value(b));
    std::array::from_fn(|i| p[i] + (q[i] - p[i]) * share)
}

/// Speed of sound in dry air of a temperature (Cramer 1993 rounds to the same
/// within 0.2 m/s between -30 and 40 degrees).
fn air_of(east: f64, north: f64, temp_c: f64) -> Air {
    let warmth = (1.0 + temp_c / 273.15).max(0.5);
    Air { c: 331.3 * libm::sqrt(warmth), east, north }
}
