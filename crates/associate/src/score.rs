//! The likelihood: what an event at a place and time predicts at each station
//! in reach, what was heard there and what was not.

use crate::math::{self, Nats};
use crate::model::Model;
use crate::network::Network;
use crate::ring::{FREE, Pick, Ring};

/// Farthest a station is asked, metres.
pub(crate) const REACH_MAX: f64 = 48_000.0;
/// A station is asked if a level is no more than so many widths below its threshold.
const ASKED: f64 = 3.5;
const TABLE_STEP: f64 = 64.0;
/// Distance from which on the wind has its full effect on levels, metres.
const WIND_FULL_M: f64 = 5_000.0;
const SOFT_STEPS: usize = 1024;
const SOFT_PER_UNIT: f64 = 32.0;
/// Degrees of freedom of residuals.
const NU: f64 = 4.0;
/// A detection this many standard deviations early is none of the event's.
const GATE: f64 = 3.7;
/// Half-width of the time in which other free detections count as competition, s.
const CROWD_S: f64 = 2.5;

/// Where and when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Loc {
    pub t: f64,
    pub x: f64,
    pub y: f64,
}

/// A detection taken by an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hit {
    pub station: u32,
    /// Position in the station's ring.
    pub position: u32,
}

/// Way from a source to a station, without what is lost on it.
struct Way {
    d: f64,
    /// Wind along it, m/s.
    along: f64,
    tau: f64,
    gx: f64,
    gy: f64,
}

/// Path from a source to a station.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub d: f64,
    pub tau: f64,
    /// Loss of level on the way, dB against 1 km.
    pub loss: f64,
    /// Derivatives of the travel time with the place of the source, s/m.
    pub gx: f64,
    pub gy: f64,
}

impl Path {
    /// Direction of the source from the station: away from it the way gets longer.
    #[inline]
    pub(crate) fn toward(&self) -> (f32, f32) {
        ((self.gx * 1e3) as f32, (self.gy * 1e3) as f32)
    }
}

/// Numbers derived from the model once.
pub(crate) struct Physics {
    pub model: Model,
    attenuation: Vec<f32>,
    softplus: Vec<f32>,
    ln_sigma: Vec<f32>,
    pub ln_hit: f64,
    ln_late: f64,
    ln_stray: f64,
    /// One over the mean of late arrivals, per s.
    per_late: f64,
    /// Squared residuals beyond so many variances are late or strayed, whatever the error.
    astray: f64,
    /// One over five squared scatters of a level, per dB^2, and the logarithm of a scatter.
    per_level: f64,
    ln_level: f64,
    /// One over the width of the threshold, per dB.
    pub per_width: f64,
    /// Logarithm of the rate of events, per m^2 and s.
    pub ln_rate: f64,
}

/// A station in reach of an event being weighed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub station: u32,
    pub tau: f64,
    /// Loss of level on the way, dB.
    pub loss: f64,
    /// Noise floor, dB.
    pub noise: f64,
    /// Index in the ring of what was heard; `usize::MAX` if nothing.
    pub heard: usize,
    /// Level of what was heard, dB.
    pub amp: f32,
    /// Direction of the source on the plane, of any length.
    pub toward: (f32, f32),
    /// Log-likelihood of its time and direction, with the pick's gain, less that
    /// of a false alarm.
    pub gain: f64,
    pub residual: f64,
    /// Of the residual, s^2.
    pub variance: f64,
    /// True if silence says nothing: down, or not yet to be known.
    pub mute: bool,
}

/// An event weighed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weighed {
    /// Log-odds of the event against nothing but noise, nats.
    pub score: f64,
    /// Source level, dB at 1 km.
    pub level: f64,
    pub hits: usize,
    /// Hits that the level leads to expect.
    pub expected: f64,
    /// Part of the score that the silent stations take away.
    pub silence: f64,
    /// Part of the score by how usual the level is.
    pub level_fit: f64,
    /// Sum of squared normed residuals.
    pub chi2: f64,
    /// Sum of squares of how far levels are off, in scatters, each at most 9.
    pub level_chi2: f64,
}

/// What one station says of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term {
    /// Probability that the station would have detected it.
    pub chance: f64,
    /// Log-likelihood of its silence; 0 if its silence says nothing.
    pub silent: f64,
    /// Log-likelihood ratio of what it heard against something else, if it heard.
    pub heard: Option<f64>,
}

/// What is expected of an event before its detections are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Belief {
    /// Logarithm of the rate of such events, per m^2 and s.
    pub ln_rate: f64,
    /// Place and variance (m^2) of the firing or impact site it would belong to.
    pub site: Option<(f64, f64, f64)>,
    /// Level, dB at 1 km, and its variance.
    pub level: f64,
    pub level_var: f64,
}

/// What the wind does to levels, in short numbers.
#[derive(Clone, Copy)]
pub(crate) struct Lift {
    per_ms: f32,
    most: f32,
}

impl Lift {
    /// What the wind along a path of so many metres adds to the level, dB.
    #[inline]
    pub(crate) fn carried(self, along: f32, d: f32) -> f32 {
        let full = (d * (1.0 / WIND_FULL_M as f32)).min(1.0);
        (self.per_ms * along * full).min(self.most).max(-self.most)
    }
}

/// What a search may take.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub net: &'a Network,
    pub rings: &'a [Ring],
    pub physics: &'a Physics,
    /// Nothing after this is known yet.
    pub horizon: f64,
    /// Whose detections may be taken beside free ones.
    pub me: u32,
}

impl Weighed {
    /// True for an event that hardly needs the neighbourhood to be sorted out first.
    pub(crate) fn clear(&self, limit: f64) -> bool {
        limit == f64::INFINITY || (self.hits >= 6 && self.chi2 < limit * self.hits as f64)
    }
}

impl Physics {
    pub(crate) fn new(model: &Model) -> Self {
        let attenuation = (0..=(REACH_MAX * 1.6 / TABLE_STEP) as usize + 1).map(|i| {
            let km = (i as f64 * TABLE_STEP / 1e3).max(0.03);
            (20.0 * libm::log10(km) + model.absorption_db_per_km * km) as f32
        });
        let ln_hit = libm::log(1.0 - model.late_share - model.stray_share)
            - 0.5 * libm::log(2.0 * std::f64::consts::PI);
        let ln_stray = libm::log(model.stray_share / 4.0);
        Self {
            attenuation: attenuation.collect(),
            ln_sigma: (0..=(REACH_MAX * 1.6 / TABLE_STEP) as usize + 1)
                .map(|i| {
                    let path = model.path_error * i as f64 * TABLE_STEP / 345.0;
                    (0.5 * libm::log(path * path + model.pick_floor_s * model.pick_floor_s)) as f32
                })
                .collect(),
            softplus: (0..=SOFT_STEPS)
                .map(|i| {
                    math::softplus((i as f64 - 0.5 * SOFT_STEPS as f64) / SOFT_PER_UNIT) as f32
                })
                .collect(),
            ln_late: libm::log(model.late_share / model.late_mean_s),
            ln_rate: libm::log(model.events_per_km2_day / 86_400e6),
            astray: 2.0 * (ln_hit - libm::log(model.pick_floor_s) - ln_stray).max(0.0) + 1.0,
            per_width: 1.0 / model.threshold_width_db,
            per_late: 1.0 / model.late_mean_s,
            per_level: 0.2 / (model.level_scatter_db * model.level_scatter_db),
            ln_level: math::ln(model.level_scatter_db),
            ln_hit,
            ln_stray,
            model: model.clone(),
        }
    }

    /// Loss of level over a distance in metres, dB against 1 km.
    #[inline]
    pub(crate) fn attenuation(&self, d: f64) -> f64 {
        let at = (d / TABLE_STEP).min((self.attenuation.len() - 2) as f64);
        let i = at as usize;
        let share = at - i as f64;
        let (a, b) = (f64::from(self.attenuation[i]), f64::from(self.attenuation[i + 1]));
        a + (b - a) * share
    }

    /// What the wind along a path of so many metres adds to the level, dB: sound
    /// is bent down to the ground with it and away from it against it.
    #[inline]
    pub(crate) fn carried(&self, along: f64, d: f64) -> f64 {
        let m = &self.model;
        (m.wind_db_per_ms * along * (d / WIND_FULL_M).min(1.0))
            .clamp(-m.wind_db_most, m.wind_db_most)
    }

    /// Loss of level over a distance in metres, dB against 1 km, or a little more.
    #[inline]
    pub(crate) fn attenuation_about(&self, d: f32) -> f32 {
        let i = (d * (1.0 / TABLE_STEP as f32)) as usize + 1;
        self.attenuation[i.min(self.attenuation.len() - 1)]
    }

    /// [`Physics::ln_sigma`] in short numbers.
    #[inline]
    pub(crate) fn ln_sigma_about(&self, d: f32) -> f32 {
        let i = (d * (1.0 / TABLE_STEP as f32)) as usize;
        self.ln_sigma[i.min(self.ln_sigma.len() - 1)]
    }

    /// [`Physics::carried`] for many paths at once.
    #[inline]
    pub(crate) fn lift(&self) -> Lift {
        let m = &self.model;
        Lift { per_ms: m.wind_db_per_ms as f32, most: m.wind_db_most as f32 }
    }

    /// `ln(1 + e^z)` and its derivative, from a table, to 1e-4 and 1e-2.
    #[inline]
    fn soft(&self, z: f64) -> (f64, f64) {
        let at = (z * SOFT_PER_UNIT + 0.5 * SOFT_STEPS as f64).clamp(0.0, SOFT_STEPS as f64 - 1e-6);
        let i = at as usize;
        let (a, b) = (f64::from(self.softplus[i]), f64::from(self.softplus[i + 1]));
        let over = (z - 0.5 * SOFT_STEPS as f64 / SOFT_PER_UNIT).max(0.0);
        (a + (b - a) * (at - i as f64) + over, (b - a) * SOFT_PER_UNIT)
    }

    /// Probability that an arrival so far over the threshold is not detected,
    /// as a logarithm; `z` in widths of the threshold.
    #[inline]
    pub(crate) fn ln_silent(&self, z: f64) -> f64 {
        -self.soft(z).0
    }

    /// Distance at which a level is lost in the noise but for one time in many, metres.
    pub(crate) fn reach(&self, level: f64, noise: f64) -> f64 {
        let loss = level - noise - self.model.threshold_db + ASKED * self.model.threshold_width_db;
        let far = self.attenuation.partition_point(|a| f64::from(*a) < loss);
        (far as f64 * TABLE_STEP).clamp(3_000.0, REACH_MAX)
    }

    /// Logarithm of the smallest error of an arrival from a distance in metres, s.
    #[inline]
    pub(crate) fn ln_sigma(&self, d: f64) -> f64 {
        let i = ((d / TABLE_STEP) as usize).min(self.ln_sigma.len() - 1);
        f64::from(self.ln_sigma[i])
    }

    /// Error of a pick by its signal-to-noise ratio, s.
    pub(crate) fn pick_sigma(&self, snr: f64) -> f64 {
        let m = &self.model;
        let over = (snr - 4.0).max(0.0);
        m.pick_floor_s + (m.pick_threshold_s - m.pick_floor_s) * libm::exp(-over / 8.0)
    }

    /// Log-likelihood of a signal-to-noise ratio as an arrival, apart from its
    /// level, less that as a false alarm.
    pub(crate) fn pick_gain(&self, snr: f64) -> f64 {
        let m = &self.model;
        let excess = snr - m.threshold_db;
        let detect = -math::softplus(-excess / 3.0);
        let alarm = if excess >= -0.5 {
            0.75 / m.false_excess_db * libm::exp(-excess.max(0.0) / m.false_excess_db)
        } else {
            0.0
        };
        detect.max(-4.0) - libm::log(alarm + 0.25 / 60.0)
    }

    /// Log-likelihood of a residual with its variance, s and s^2. Many that are
    /// asked about are so far off that the variance does not matter.
    #[inline]
    pub(crate) fn time(&self, residual: f64, variance: f64) -> f64 {
        let (off, square) = (self.off_time(residual), residual * residual);
        if square > self.astray * variance {
            return off;
        }
        off.max(self.ln_hit - 0.5 * (math::ln(variance) + square / variance))
    }

    /// Log-likelihood of a residual that is not the error of a pick.
    #[inline]
    fn off_time(&self, residual: f64) -> f64 {
        if residual > 0.0 {
            self.ln_stray.max(self.ln_late - residual * self.per_late)
        } else {
            self.ln_stray
        }
    }

    /// Log-likelihood ratio of the direction of a pick, the source lying at
    /// `toward` from the station.
    #[inline]
    pub(crate) fn direction(&self, pick: &Pick, toward: (f32, f32)) -> f64 {
        let (dx, dy) = (f64::from(toward.0), f64::from(toward.1));
        pick.bearing.gain(self.model.azimuth_stray_share, dx, dy)
    }

    /// Log-likelihood of a level that is off by so many dB (Student, 5 degrees).
    #[inline]
    pub(crate) fn level(&self, off: f64) -> f64 {
        -3.0 * math::ln(1.0 + off * off * self.per_level) - self.ln_level - 0.968_6
    }
}

impl View<'_> {
    /// The way from a place to a station, with what is lost on it. `home` is the
    /// station nearest to the place: it lends its scale and ground.
    #[inline]
    pub(crate) fn path(&self, x: f64, y: f64, home: u32, k: u32) -> Path {
        let Way { d, along, tau, gx, gy } = self.way(x, y, home, k);
        let loss = self.physics.attenuation(d) - self.physics.carried(along, d);
        Path { d, tau, loss, gx, gy }
    }

    /// The way alone.
    #[inline]
    fn way(&self, x: f64, y: f64, home: u32, k: u32) -> Way {
        let air = self.net.between(home, k);
        let (net, h, k) = (self.net, home as usize, k as usize);
        let per_scale = net.per_scale[h];
        let (dx, dy) = ((net.x[k] - x) * per_scale, (net.y[k] - y) * per_scale);
        let dz = net.z[k] - net.ground[h];
        let d = (dx * dx + dy * dy + dz * dz).max(100.0).sqrt();
        let per_d = 1.0 / d;
        let along = (air.east * dx + air.north * dy) * per_d;
        let slowness = 1.0 / (air.c + along).max(200.0);
        let per = per_d * slowness * per_scale;
        Way { d, along, tau: d * slowness, gx: -dx * per, gy: -dy * per }
    }

    /// How far from a station of the quietest ground about `home` a level can be
    /// heard with the wind, metres.
    pub(crate) fn reach(&self, level: f64, home: u32) -> f64 {
        let (model, air) = (&self.physics.model, self.net.air[home as usize]);
        let wind = (air.east * air.east + air.north * air.north).sqrt();
        let carried = (model.wind_db_per_ms * wind).min(model.wind_db_most);
        self.physics.reach(level + carried, self.net.quiet[home as usize])
    }

    /// True if a station is asked about an event of a level, which loses so much
    /// on the way to it.
    #[inline]
    pub(crate) fn asks(&self, k: u32, level: f64, loss: f64) -> bool {
        let model = &self.physics.model;
        let over = level - loss - self.net.habit[k as usize].noise - model.threshold_db;
        over > -ASKED * model.threshold_width_db
    }

    /// Variance of an arrival time, s^2.
    #[inline]
    pub(crate) fn variance(&self, k: u32, pick: f32, tau: f64) -> f64 {
        let path = self.physics.model.path_error * tau;
        let pick = f64::from(pick);
        let habit = &self.net.habit[k as usize];
        habit.scatter * (pick * pick + path * path) + habit.clock_var
    }

    /// Error of an arrival time, s.
    #[inline]
    pub(crate) fn sigma(&self, k: u32, pick: f32, tau: f64) -> f64 {
        self.variance(k, pick, tau).sqrt()
    }

    /// Logarithm of the rate at which something else makes detections at a
    /// station about a time: false alarms and whatever is not yet explained.
    pub(crate) fn ln_crowd(&self, k: u32, index: usize) -> f64 {
        let ring = &self.rings[k as usize];
        let t = ring.t[index];
        let mut others = 0_u32;
        for i in (0..index).rev() {
            if t - ring.t[i] > CROWD_S {
                break;
            }
            others += u32::from(ring.owner[i] == FREE);
        }
        for i in index + 1..ring.t.len() {
            if ring.t[i] - t > CROWD_S {
                break;
            }
            others += u32::from(ring.owner[i] == FREE);
        }
        let habit = &self.net.habit[k as usize];
        if others == 0 {
            return habit.ln_false;
        }
        math::ln(habit.false_rate + f64::from(others) / (2.0 * CROWD_S))
    }

    /// Best free detection near a predicted time: its index, gain, residual and
    /// the variance of that.
    #[inline]
    pub(crate) fn best_near(
        &self,
        k: u32,
        predicted: f64,
        path: &Path,
    ) -> Option<(usize, f64, f64, f64)> {
        let tau = path.tau;
        let ring = &self.rings[k as usize];
        let wide = GATE * self.sigma(k, 0.12, tau);
        let mut best: Option<(usize, f64, f64, f64)> = None;
        let mut i = ring.from(predicted - wide);
        let last = (predicted + wide + 0.6).min(self.horizon);
        while i < ring.t.len() && ring.t[i] <= last {
            if ring.owner[i] == FREE || ring.owner[i] == self.me {
                let residual = ring.t[i] - predicted;
                let pick = &ring.picks[i];
                let variance = self.variance(k, pick.sigma, tau);
                let gain = self.physics.time(residual, variance)
                    + f64::from(pick.gain)
                    + self.physics.direction(pick, path.toward());
                if best.is_none_or(|b| gain > b.1) {
                    best = Some((i, gain, residual, variance));
                }
            }
            i += 1;
        }
        best
    }

    /// Fills `out` with the stations within reach that are asked about an event of
    /// a level, and the best free detection at each.
    pub(crate) fn listen(
        &self,
        loc: Loc,
        home: u32,
        (level, reach): (f64, f64),
        out: &mut Vec<Reached>,
    ) {
        out.clear();
        self.net.within(loc.x, loc.y, reach, |k, _| {
            let path = self.path(loc.x, loc.y, home, k);
            if !self.asks(k, level, path.loss) {
                return;
            }
            let predicted = loc.t + path.tau + self.net.habit[k as usize].clock;
            let heard = self.best_near(k, predicted, &path);
            let mute =
                heard.is_none() && (predicted > self.horizon || self.net.is_down(k, predicted));
            let (index, gain, residual, variance) = heard.unwrap_or((usize::MAX, 0.0, 0.0, 1.0));
            out.push(Reached {
                station: k,
                tau: path.tau,
                loss: path.loss,
                noise: self.net.habit[k as usize].noise,
                heard: index,
                amp: self.rings[k as usize].picks.get(index).map_or(0.0, |pick| pick.amp),
                toward: path.toward(),
                gain,
                residual,
                variance,
                mute,
            });
        });
    }

    /// Weighs what was heard and what was not. A detection whose level cannot
    /// be the event's is let go.
    pub(crate) fn weigh(
        &self,
        reached: &mut [Reached],
        belief: &Belief,
        occam: f64,
        crowd: bool,
    ) -> Weighed {
        let model = &self.physics.model;
        let s2 = model.level_scatter_db * model.level_scatter_db;
        let (per_s2, p2) = (1.0 / s2, belief.level_var);
        let per_width = self.physics.per_width;
        // Start from what was heard.
        let (mut sum, mut weight) = (belief.level / p2, 1.0 / p2);
        for r in reached.iter().filter(|r| r.heard != usize::MAX) {
            sum += (f64::from(r.amp) + r.loss) * per_s2;
            weight += per_s2;
        }
        let mut level = sum / weight;
        let mut curvature = weight;
        for _ in 0..3 {
            let mut slope = (belief.level - level) / p2;
            curvature = 1.0 / p2;
            for r in reached.iter() {
                if r.heard != usize::MAX {
                    let off = f64::from(r.amp) + r.loss - level;
                    let w = 6.0 / (5.0 * s2 + off * off);
                    slope += w * off;
                    curvature += w;
                } else if !r.mute {
                    let z = (level - r.loss - r.noise - model.threshold_db) * per_width;
                    if z > -5.0 {
                        let p = self.physics.soft(z).1;
                        slope -= p * per_width;
                        curvature += p * (1.0 - p) * (per_width * per_width);
                    }
                }
            }
            let step = (slope / curvature).clamp(-8.0, 8.0);
            level += step;
            if step.abs() < 0.05 {
                break;
            }
        }
        let mut total = Nats::default();
        let mut out = Weighed { level, ..Weighed::default() };
        for r in reached.iter_mut() {
            let term = self.term(r, level, crowd);
            if !r.mute {
                out.expected += term.chance;
            }
            match term.heard {
                Some(gain) if gain > term.silent => {
                    total.add(gain);
                    out.hits += 1;
                    out.chi2 += (r.residual * r.residual / r.variance).min(9.0);
                    let off = f64::from(r.amp) + r.loss - level;
                    out.level_chi2 += (off * off / s2).min(9.0);
                }
                _ => {
                    r.heard = usize::MAX;
                    total.add(term.silent);
                    out.silence += term.silent;
                }
            }
        }
        out.level_fit = level_term(belief, level, curvature);
        total.add(out.level_fit);
        total.add(belief.ln_rate + occam);
        out.score = total.get();
        out
    }

    /// What a station in reach says of an event of this level.
    #[inline]
    pub(crate) fn term(&self, r: &Reached, level: f64, crowd: bool) -> Term {
        let model = &self.physics.model;
        let z = (level - r.loss - r.noise - model.threshold_db) * self.physics.per_width;
        let (soft, chance) = if z < -5.0 { (0.0, 0.0) } else { self.physics.soft(z) };
        let silent = if r.mute { 0.0 } else { -soft };
        let heard = (r.heard != usize::MAX).then(|| {
            let ln_other = if crowd {
                self.ln_crowd(r.station, r.heard)
            } else {
                self.net.habit[r.station as usize].ln_false
            };
            r.gain + self.physics.level(f64::from(r.amp) + r.loss - level) - ln_other
        });
        Term { chance, silent, heard }
    }

    /// Moves a place to where the hits agree best: Gauss and Newton with
    /// Student weights. Returns the information matrix of (t, x, y).
    pub(crate) fn settle(
        &self,
        loc: &mut Loc,
        home: u32,
        hits: &[Hit],
        rounds: usize,
        site: Option<(f64, f64, f64)>,
    ) -> [[f64; 3]; 3] {
        let start = *loc;
        let mut info = [[0.0; 3]; 3];
        for _ in 0..rounds {
            // A loose hold on the starting place keeps lines of stations solvable.
            let hold = 1.0 / (4_000.0 * 4_000.0);
            info = [[1e-6, 0.0, 0.0], [0.0, hold, 0.0], [0.0, 0.0, hold]];
            let mut right = [0.0, (start.x - loc.x) * hold, (start.y - loc.y) * hold];
            if let Some((x, y, var)) = site {
                let (dx, dy) = (x - loc.x, y - loc.y);
                // A round far from the others is let go.
                let pull = 1.0 / (var * (1.0 + (dx * dx + dy * dy) / (6.0 * var)));
                info[1][1] += pull;
                info[2][2] += pull;
                right[1] += pull * dx;
                right[2] += pull * dy;
            }
            for hit in hits {
                let ring = &self.rings[hit.station as usize];
                let index = ring.index(hit.position);
                let path = self.way(loc.x, loc.y, home, hit.station);
                let residual =
                    ring.t[index] - (loc.t + path.tau + self.net.habit[hit.station as usize].clock);
                let variance = self.variance(hit.station, ring.picks[index].sigma, path.tau);
                // Student: (NU + 1) / (NU + z^2), by the variance.
                let weight = (NU + 1.0) / (NU * variance + residual * residual);
                let g = [1.0, path.gx, path.gy];
                for i in 0..3 {
                    right[i] += weight * g[i] * residual;
                    for j in 0..=i {
                        info[i][j] += weight * g[i] * g[j];
                    }
                }
                let k = hit.station as usize;
                let off = (loc.x - self.net.x[k], loc.y - self.net.y[k]);
                ring.picks[index].bearing.pull(off, &mut info, &mut right);
            }
            for i in 0..3 {
                for j in i + 1..3 {
                    info[i][j] = info[j][i];
                }
            }
            let Some(l) = math::cholesky(&info) else { break };
            let step = math::solve(&l, &right);
            let far = (step[1] * step[1] + step[2] * step[2]).sqrt();
            let cut = if far > 3_000.0 { 3_000.0 / far } else { 1.0 };
            loc.t += step[0] * cut;
            loc.x += step[1] * cut;
            loc.y += step[2] * cut;
            if far < 3.0 {
                break;
            }
        }
        info
    }
}

/// How far a level is from what was believed, with the Occam factor of the level.
fn level_term(belief: &Belief, level: f64, curvature: f64) -> f64 {
    let (off, var) = (level - belief.level, belief.level_var);
    -0.5 * off * off / var - 0.5 * math::ln(var * curvature)
}

/// Logarithm of the volume of the posterior of (t, x, y): the Occam factor.
pub(crate) fn occam(info: &[[f64; 3]; 3]) -> f64 {
    let Some(l) = math::cholesky(info) else { return -30.0 };
    1.5 * libm::log(2.0 * std::f64::consts::PI)
        - math::ln(l[0][0])
        - math::ln(l[1][1])
        - math::ln(l[2][2])
}

/// Variance of the place along one axis, on average, m^2.
pub(crate) fn spread(info: &[[f64; 3]; 3]) -> f64 {
    math::cholesky(info).map_or(1e6, |l| {
        let covariance = math::inverse(&l);
        0.5 * (covariance[1][1] + covariance[2][2])
    })
}

/// The hits among stations in reach.
pub(crate) fn hits_of(reached: &[Reached], rings: &[Ring], out: &mut Vec<Hit>) {
    out.clear();
    for r in reached.iter().filter(|r| r.heard != usize::MAX) {
        let ring = &rings[r.station as usize];
        out.push(Hit { station: r.station, position: ring.position(r.heard) });
    }
}
