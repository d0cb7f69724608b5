//! A network on a sphere as the inner loops want it: unit vectors, tables by
//! distance, and a grid of cells over the earth.

use std::f64::consts::{FRAC_PI_2, PI};

use super::performance::StationPerformance;
use super::{Curve, Performance, Window};
use crate::input::{Outage, Station};
use crate::math;

const DEGREES: f64 = 180.0 / PI;
/// Area of the earth, square degrees.
pub(super) const EARTH_DEG2: f64 = 4.0 * PI * DEGREES * DEGREES;
/// Metres in a degree.
pub(super) const METRES: f64 = 111_194.9;
/// Magnitudes at which an event is weighed.
pub(super) const NODES: usize = 18;
/// Rows of the table of misses per degree of distance, and their number.
const ROWS: usize = 182;
/// Side of the cells of the grid, degrees.
pub(super) const CELL_DEG: f64 = 5.0;
/// Longest logarithm of the rate of false alarms beyond all windows: what comes
/// then was set off before, so that it is hardly ever false.
const LN_BEYOND: f64 = -4.0;

pub(super) type Vector = [f64; 3];

#[inline]
pub(super) fn dot(a: &Vector, b: &Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// How far apart two azimuths of -180 to 180 degrees are, the same.
#[inline]
pub(super) fn apart(a: f64, b: f64) -> f64 {
    let d = a - b;
    if d > 180.0 {
        d - 360.0
    } else if d < -180.0 {
        d + 360.0
    } else {
        d
    }
}

/// A place in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spot {
    pub lat: f64,
    pub lon: f64,
}

impl Spot {
    pub(super) fn new(lat: f64, lon: f64) -> Self {
        Self { lat, lon }
    }

    pub(super) fn unit(self) -> Vector {
        let (lat, lon) = (self.lat / DEGREES, self.lon / DEGREES);
        let flat = libm::cos(lat);
        [flat * libm::cos(lon), flat * libm::sin(lon), libm::sin(lat)]
    }

    pub(super) fn of(u: &Vector) -> Self {
        let flat = (u[0] * u[0] + u[1] * u[1]).sqrt();
        Self {
            lat: libm::atan2(u[2], flat) * DEGREES,
            lon: if flat > 0.0 { libm::atan2(u[1], u[0]) * DEGREES } else { 0.0 },
        }
    }
}

/// A place with its own east and north.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Site {
    pub up: Vector,
    pub north: Vector,
    pub east: Vector,
}

impl Site {
    pub(super) fn new(spot: Spot) -> Self {
        let (lat, lon) = (spot.lat / DEGREES, spot.lon / DEGREES);
        let (sin_lat, cos_lat) = (libm::sin(lat), libm::cos(lat));
        let (sin_lon, cos_lon) = (libm::sin(lon), libm::cos(lon));
        Self {
            up: [cos_lat * cos_lon, cos_lat * sin_lon, sin_lat],
            north: [-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat],
            east: [-sin_lon, cos_lon, 0.0],
        }
    }

    /// The same from a unit vector; at a pole north is any direction.
    pub(super) fn at(u: &Vector) -> Self {
        let flat = (u[0] * u[0] + u[1] * u[1]).sqrt();
        let (cos, sin) = if flat > 1e-9 { (u[0] / flat, u[1] / flat) } else { (1.0, 0.0) };
        Self { up: *u, north: [-u[2] * cos, -u[2] * sin, flat], east: [-sin, cos, 0.0] }
    }

    /// Distance to a place, degrees, and the azimuth in which the way begins,
    /// -180 to 180 degrees.
    #[inline]
    pub(super) fn way(&self, u: &Vector) -> (f64, f64) {
        let (along, east, north) = (dot(&self.up, u), dot(&self.east, u), dot(&self.north, u));
        let aside = (east * east + north * north).sqrt();
        (atan2(aside, along) * DEGREES, atan2(east, north) * DEGREES)
    }

    /// The place so many degrees to the east and to the north, along a great circle.
    pub(super) fn beside(&self, east: f64, north: f64) -> Vector {
        let (e, n) = (east / DEGREES, north / DEGREES);
        let arc = (e * e + n * n).sqrt();
        if arc < 1e-12 {
            return self.up;
        }
        let (cos, sin) = (libm::cos(arc), libm::sin(arc) / arc);
        let raw: Vector = std::array::from_fn(|i| {
            cos * self.up[i] + sin * (e * self.east[i] + n * self.north[i])
        });
        let length = dot(&raw, &raw).sqrt();
        raw.map(|x| x / length)
    }

    /// Where a place lies, degrees to the east and to the north along a great circle.
    pub(super) fn offset(&self, u: &Vector) -> (f64, f64) {
        let (along, east, north) = (dot(&self.up, u), dot(&self.east, u), dot(&self.north, u));
        let aside = (east * east + north * north).sqrt();
        if aside < 1e-12 {
            return (0.0, 0.0);
        }
        let deg = atan2(aside, along) * DEGREES;
        (deg * east / aside, deg * north / aside)
    }
}

/// Arc tangent from the four operations, absolute error below 3e-8 (Abramowitz
/// and Stegun, 4.4.49).
#[inline]
pub(super) fn atan2(y: f64, x: f64) -> f64 {
    let (ax, ay) = (x.abs(), y.abs());
    let (small, large) = if ax < ay { (ax, ay) } else { (ay, ax) };
    if large == 0.0 {
        return 0.0;
    }
    let r = small / large;
    let q = r * r;
    let series = 1.0
        + q * (-0.333_331_452_8
            + q * (0.199_935_508_5
                + q * (-0.142_088_994_4
                    + q * (0.106_562_639_3
                        + q * (-0.075_289_640_0
                            + q * (0.042_909_613_8
                                + q * (-0.016_165_736_7 + q * 0.002_866_225_7)))))));
    let mut angle = r * series;
    if ax < ay {
        angle = FRAC_PI_2 - angle;
    }
    if x < 0.0 {
        angle = PI - angle;
    }
    if y < 0.0 { -angle } else { angle }
}

/// An array.
#[derive(Clone, Debug)]
pub(super) struct Post {
    pub site: Site,
    pub own: StationPerformance,
    pub per_time: f64,
    pub per_azimuth: f64,
    pub per_slowness: f64,
    /// One over twice the variance of log amplitudes.
    pub per_level: f64,
    /// Log-likelihood of a miss by distance and magnitude.
    misses: Vec<[f32; NODES]>,
    /// What a detection is worth whatever it says.
    constant: f64,
    down: Vec<(f64, f64)>,
}

/// How a place looks from an array.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct View {
    pub deg: f64,
    /// Where it lies as seen from the array: sines of a sort.
    east: f64,
    north: f64,
    pub travel: f64,
    pub slowness: f64,
    /// Sine of the distance: degrees of azimuth by degrees beside the way.
    pub aside: f64,
}

impl View {
    /// Azimuth in which the way begins, -180 to 180 degrees.
    #[inline]
    pub(super) fn azimuth(&self) -> f64 {
        atan2(self.east, self.north) * DEGREES
    }
}

/// A cell of the grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// South, height, west and width, degrees.
    pub south: f64,
    pub height: f64,
    pub west: f64,
    pub width: f64,
}

impl Cell {
    pub(super) fn centre(&self) -> Vector {
        Spot::new(self.south + 0.5 * self.height, self.west + 0.5 * self.width).unit()
    }

    /// Square degrees.
    pub(super) fn area(&self) -> f64 {
        let sin = |lat: f64| libm::sin(lat / DEGREES);
        self.width * DEGREES * (sin(self.south + self.height) - sin(self.south))
    }

    pub(super) fn quarters(&self) -> [Self; 4] {
        let (height, width) = (0.5 * self.height, 0.5 * self.width);
        [(0.0, 0.0), (0.0, width), (height, 0.0), (height, width)].map(|(up, right)| Self {
            south: self.south + up,
            height,
            west: self.west + right,
            width,
        })
    }
}

/// The network.
#[derive(Clone, Debug)]
pub(super) struct Net {
    pub posts: Vec<Post>,
    pub curve: Curve,
    pub windows: Vec<Window>,
    pub magnitudes: [f64; NODES],
    /// Log of the prior of each magnitude, with the width of its step.
    ln_magnitude: [f64; NODES],
    /// Log of the rate of events per square degree and second.
    pub ln_rate: f64,
    pub cells: Vec<Cell>,
    pub centres: Vec<Vector>,
    /// Views by cell and array.
    pub views: Vec<View>,
    /// Their azimuths.
    pub azimuths: Vec<f64>,
    ln_slownesses: f64,
}

impl Net {
    pub(super) fn new(
        stations: &[Station],
        outages: &[Outage],
        curve: &Curve,
        windows: &[Window],
        performance: &Performance,
    ) -> Self {
        let (slowest, fastest) = curve.slownesses();
        let ln_slownesses = math::ln((fastest - slowest).max(1e-3));
        let step = (performance.magnitude_max - performance.magnitude_min) / (NODES - 1) as f64;
        let magnitudes: [f64; NODES] =
            std::array::from_fn(|i| performance.magnitude_min + step * i as f64);
        // Trapezoids under an exponential, which add up to one.
        let rate = step / performance.magnitude_scale;
        let raw: [f64; NODES] = std::array::from_fn(|i| {
            let half = if i == 0 || i == NODES - 1 { 0.5 } else { 1.0 };
            half * math::exp(-rate * i as f64)
        });
        let all: f64 = raw.iter().sum();
        let ln_magnitude = raw.map(|weight| math::ln(weight / all));
        let posts: Vec<Post> = (0..)
            .zip(stations)
            .filter_map(|(number, station)| {
                let own = performance.stations.iter().find(|p| p.station == station.name)?.clone();
                let mut down: Vec<(f64, f64)> = outages
                    .iter()
                    .filter(|o| o.station == number)
                    .map(|o| (o.start_s, o.end_s))
                    .collect();
                down.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
                Some(Post::new(station, own, down, &magnitudes))
            })
            .collect();
        let cells = cells();
        let centres: Vec<Vector> = cells.iter().map(Cell::centre).collect();
        let mut net = Self {
            posts,
            curve: curve.clone(),
            windows: windows.to_vec(),
            magnitudes,
            ln_magnitude,
            ln_rate: math::ln(performance.events_per_s / EARTH_DEG2),
            cells,
            centres,
            views: Vec::new(),
            azimuths: Vec::new(),
            ln_slownesses,
        };
        let posts = 0..net.posts.len();
        net.views =
            net.centres.iter().flat_map(|u| posts.clone().map(|p| net.view(p, u))).collect();
        net.azimuths = net.views.iter().map(View::azimuth).collect();
        net
    }

    #[inline]
    pub(super) fn view(&self, post: usize, u: &Vector) -> View {
        let site = &self.posts[post].site;
        let (along, east, north) = (dot(&site.up, u), dot(&site.east, u), dot(&site.north, u));
        let aside = (east * east + north * north).sqrt();
        let deg = atan2(aside, along) * DEGREES;
        let (travel, slowness) = self.curve.at(deg);
        View { deg, east, north, travel, slowness, aside }
    }

    /// Views of a place from all arrays.
    #[inline]
    pub(super) fn look(&self, u: &Vector, views: &mut Vec<View>) {
        views.clear();
        views.extend((0..self.posts.len()).map(|post| self.view(post, u)));
    }

    /// Log-likelihood by magnitude if no array heard the event, with the prior of
    /// the magnitude.
    #[inline]
    pub(super) fn silence(&self, views: &[View], t: f64) -> [f64; NODES] {
        let mut sum = [0.0_f32; NODES];
        for (post, view) in self.posts.iter().zip(views) {
            let due = t + view.travel;
            if !self.is_open(due) || post.was_down(due) {
                continue;
            }
            let row = view.deg as usize;
            let part = (view.deg - row as f64) as f32;
            let (low, high) =
                (&post.misses[row.min(ROWS - 2)], &post.misses[row.min(ROWS - 2) + 1]);
            for i in 0..NODES {
                sum[i] += low[i] + part * (high[i] - low[i]);
            }
        }
        std::array::from_fn(|i| f64::from(sum[i]) + self.ln_magnitude[i])
    }

    /// What a detection is worth at a perfect fit, less its likelihood as a false alarm.
    pub(super) fn worth(&self, post: usize, t: f64, level: f64) -> f64 {
        let post = &self.posts[post];
        let scale = post.own.false_amplitude_scale;
        let off = (level - post.own.false_amplitude) / scale;
        let beyond = if self.is_open(t) { 0.0 } else { LN_BEYOND };
        // The root of two pi of the law of true levels, the pi of that of false ones.
        let laws = math::ln(std::f64::consts::PI) - 0.5 * math::ln(std::f64::consts::TAU);
        post.constant
            + math::ln(360.0)
            + self.ln_slownesses
            + math::ln(scale * (1.0 + off * off))
            + laws
            - beyond
    }

    /// Log of the prior of the magnitude nearest to one.
    pub(super) fn ln_magnitude(&self, magnitude: f64) -> f64 {
        let step = self.magnitudes[1] - self.magnitudes[0];
        let at = ((magnitude - self.magnitudes[0]) / step + 0.5).max(0.0) as usize;
        self.ln_magnitude[at.min(NODES - 1)]
    }

    /// Whether an array was listening at a moment.
    pub(super) fn listens(&self, post: usize, t: f64) -> bool {
        self.is_open(t) && !self.posts[post].was_down(t)
    }

    /// Whether a moment lies in one of the windows; without any, all do.
    pub(super) fn is_open(&self, t: f64) -> bool {
        if self.windows.is_empty() {
            return true;
        }
        let after = self.windows.partition_point(|w| w.start_s <= t);
        after > 0 && t <= self.windows[after - 1].end_s
    }

    /// How far a moment lies outside of all windows, s.
    pub(super) fn outside(&self, t: f64) -> f64 {
        if self.windows.is_empty() {
            return 0.0;
        }
        let after = self.windows.partition_point(|w| w.start_s <= t);
        let next = self.windows.get(after).map_or(f64::INFINITY, |w| w.start_s - t);
        let last = if after > 0 { t - self.windows[after - 1].end_s } else { f64::INFINITY };
        next.min(last.max(0.0))
    }
}

impl Post {
    fn new(
        station: &Station,
        own: StationPerformance,
        down: Vec<(f64, f64)>,
        magnitudes: &[f64; NODES],
    ) -> Self {
        let [constant, per_magnitude, per_deg] = own.detection;
        let misses = (0..ROWS)
            .map(|deg| {
                magnitudes.map(|m| {
                    -math::softplus(constant + per_magnitude * m + per_deg * deg as f64) as f32
                })
            })
            .collect();
        let ln = math::ln;
        let constant = -ln(own.false_per_s)
            - ln(2.0 * own.time_s)
            - ln(2.0 * own.azimuth_deg)
            - ln(2.0 * own.slowness_s_deg)
            - ln(own.amplitude_sd);
        Self {
            site: Site::new(Spot::new(station.lat, station.lon)),
            per_time: 1.0 / own.time_s,
            per_azimuth: 1.0 / own.azimuth_deg,
            per_slowness: 1.0 / own.slowness_s_deg,
            per_level: 0.5 / (own.amplitude_sd * own.amplitude_sd),
            misses,
            constant,
            down,
            own,
        }
    }

    /// The same with an array that was never listening, or always.
    pub(super) fn mute(&mut self, mute: bool) {
        self.down = if mute { vec![(f64::NEG_INFINITY, f64::INFINITY)] } else { Vec::new() };
    }

    /// Log-likelihood that it misses an event.
    pub(super) fn miss(&self, deg: f64, magnitude: f64) -> f64 {
        let [constant, per_magnitude, per_deg] = self.own.detection;
        -math::softplus(constant + per_magnitude * magnitude + per_deg * deg)
    }

    /// Whether it was down at a moment.
    pub(super) fn was_down(&self, t: f64) -> bool {
        self.down.iter().any(|(from, to)| (*from..=*to).contains(&t))
    }

    /// Log-odds of a detection and the penalty of a level, as a polynomial in the
    /// magnitude: constant, linear, square.
    #[inline]
    pub(super) fn of_magnitude(&self, deg: f64, level: f64) -> [f64; 3] {
        let [d0, d1, d2] = self.own.detection;
        let [a0, a1, a2] = self.own.amplitude;
        let left = level - a0 - a2 * deg;
        [
            d0 + d2 * deg - self.per_level * left * left,
            d1 + 2.0 * self.per_level * left * a1,
            -self.per_level * a1 * a1,
        ]
    }
}

/// Cells over the whole earth, about equal in size.
fn cells() -> Vec<Cell> {
    let bands = (180.0 / CELL_DEG) as usize;
    let mut cells = Vec::new();
    for band in 0..bands {
        let south = -90.0 + CELL_DEG * band as f64;
        let wide = 360.0 * libm::cos((south + 0.5 * CELL_DEG) / DEGREES);
        let count = libm::ceil(wide / CELL_DEG).max(1.0);
        let width = 360.0 / count;
        cells.extend((0..count as usize).map(|i| Cell {
            south,
            height: CELL_DEG,
            west: -180.0 + width * i as f64,
            width,
        }));
    }
    cells
}
