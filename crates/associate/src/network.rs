//! The stations as flat arrays: where they are, who is near whom, when they
//! were down, and what is learned of each while the record goes by.

use crate::bearing::Bearing;
use crate::habit::{Habit, Lessons};
use crate::input::{BackAzimuth, MetNode, Outage, Station};
use crate::met::{Air, Met};
use crate::model::Model;
use crate::plane::Plane;
use crate::squares::Squares;

/// Neighbours that a search looks at.
pub(crate) const NEIGHBOURS: usize = 24;
/// Neighbours farther away than this are not asked in a search, metres.
const ASKED_M: f64 = 60_000.0;
/// Side of the tiles that are searched apart, metres.
const TILE_M: f64 = 50_000.0;
/// Half-width of the square that is searched round a station, metres.
const ROOT_MIN: f64 = 2_000.0;
const ROOT_MAX: f64 = 25_000.0;
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
    neighbours: Neighbours,
    pub root: Vec<f64>,
    pub air: Vec<Air>,
    /// Least noise of a station and its neighbours, dB.
    pub quiet: Vec<f64>,
    /// How often the air has changed.
    pub air_turn: u32,
    /// What was learned of each station, and what of that is asked all the time.
    lessons: Vec<Lessons>,
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

/// The neighbours of all stations.
#[derive(Default)]
struct Neighbours {
    all: Vec<Neighbour>,
    /// Where those of each station begin, and how many of them a search asks.
    start: Vec<u32>,
    asked: Vec<u8>,
}

impl Neighbours {
    /// Adds those of the next station, and whether they are asked: the nearest are.
    fn push(&mut self, neighbours: impl Iterator<Item = (Neighbour, bool)>) {
        let mut count = 0;
        self.all.extend(neighbours.map(|(neighbour, asked)| {
            count += u8::from(asked);
            neighbour
        }));
        self.start.push(self.all.len() as u32);
        self.asked.push(count);
    }

    #[inline]
    fn near(&self, k: u32) -> &[Neighbour] {
        let k = k as usize;
        &self.all[self.start[k] as usize..self.start[k + 1] as usize]
    }
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
        let scale: Vec<f64> = x.iter().map(|x| plane.scale(*x)).collect();
        let mut neighbours = Neighbours { start: vec![0], ..Neighbours::default() };
        let mut root = Vec::new();
        let mut ground = Vec::new();
        for k in 0..x.len() {
            let found = squares.neighbours(k as u32, (x[k], y[k]), NEIGHBOURS);
            neighbours.push(found.iter().map(|(_, l)| {
                let lu = *l as usize;
                let (dx, dy) = ((x[lu] - x[k]) / scale[k], (y[lu] - y[k]) / scale[k]);
                let d = (dx * dx + dy * dy).sqrt();
                let moveout = d / 325.0 + 0.4 + 0.003 * d / 325.0;
                (Neighbour { station: *l, dx: dx as f32, dy: dy as f32, moveout }, d <= ASKED_M)
            }));
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
        let habit = Habit::new(model);
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
            lessons: vec![Lessons::default(); x.len()],
            false_per_hour: model.false_per_hour,
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
            neighbours,
            root,
            squares,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.x.len()
    }

    /// Up to [`NEIGHBOURS`] nearest stations, nearest first, without the station itself.
    #[inline]
    pub(crate) fn near(&self, k: u32) -> &[Neighbour] {
        self.neighbours.near(k)
    }

    /// Those of them that a search asks.
    #[inline]
    pub(crate) fn asked(&self, k: u32) -> &[Neighbour] {
        &self.near(k)[..self.neighbours.asked[k as usize] as usize]
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

    /// True if the station is known to have been down at that time.
    #[inline]
    pub(crate) fn is_down(&self, k: u32, t: f64) -> bool {
        let list = &self.outages[k as usize];
        !list.is_empty() && list.iter().any(|(from, to)| *from <= t && t < *to)
    }

    /// Calls `f` for every station within a distance of a place, in a fixed order.
    #[inline]
    pub(crate) fn within(&self, x: f64, y: f64, radius: f64, f: impl FnMut(u32, f64)) {
        self.squares.within(x, y, radius, f);
    }

    /// The station nearest to a place, if one is within reach.
    pub(crate) fn nearest_to(&self, x: f64, y: f64) -> u32 {
        self.squares.nearest(x, y).unwrap_or(0)
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
            let around = self.near(k as u32).iter().map(|l| noise(l.station));
            self.quiet[k] = around.fold(noise(k as u32), f64::min);
        }
    }

    /// What a station states of its noise is learned.
    pub(crate) fn hear(&mut self, k: u32, t: f64, noise: f64) {
        self.lessons[k as usize].hear(&mut self.habit[k as usize], t, noise);
    }

    /// A level of a good event that is off by so much tells how loud the station reads.
    pub(crate) fn gauge(&mut self, k: u32, off: f64) {
        self.lessons[k as usize].gauge(&mut self.habit[k as usize], off);
    }

    /// Counts detections that nothing explained.
    pub(crate) fn count_false(&mut self, k: u32, alarms: f64, now: f64) {
        let habit = &mut self.habit[k as usize];
        self.lessons[k as usize].count_false(habit, self.false_per_hour, alarms, now);
    }

    /// A residual of a good event tells of the station's clock, and of how much
    /// its arrivals scatter. `share` makes up for what the event's own place,
    /// fitted to the residuals, took of them.
    pub(crate) fn tick(&mut self, k: u32, residual: f64, var: f64, share: f64) {
        self.lessons[k as usize].tick(&mut self.habit[k as usize], residual, var, share);
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
