//! The exact score of a source: what was picked, what was not, and where it is
//! best placed.

use crate::math;
use crate::travel::{Phase, Table};

use super::net::{Net, Physics, Store, channel, ln_time, of_channel};
use super::{FREE, GATE};

/// Degrees of freedom of the law of residuals.
const NU: f64 = 4.0;
/// Reaches of sources that are tried, km: a geometric row.
const REACHES: usize = 20;
const REACH_FIRST_KM: f64 = 15.0;
const REACH_RATIO: f64 = 1.28;
/// Distances of the tables of detection, km apart.
const BIN_KM: f64 = 5.0;
const BINS: usize = 320;
/// Nothing is picked that far off, km.
pub(crate) const FARTHEST_KM: f64 = BIN_KM * (BINS as f64 - 1.0);

/// A time and place: s, km east and north on the plane, km down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub t: f64,
    pub x: f64,
    pub y: f64,
    pub z: f64,
}

/// A pick that belongs to a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub channel: u32,
    pub index: u32,
}

/// What a station and phase say of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reached {
    pub channel: u32,
    pub bin: u16,
    /// When the arrival is due, s.
    pub due: f64,
    /// The station was down.
    pub mute: bool,
    /// Best free pick, or [`u32::MAX`].
    pub index: u32,
    /// Its log-likelihood over that of something else, detection apart.
    pub gain: f64,
    pub residual: f64,
    pub sigma: f64,
    /// Log-rate of other picks about it, per s.
    pub ln_rate: f64,
    /// What it adds to the score in the end.
    pub adds: f64,
}

/// What the weighing of a source came to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Weighed {
    /// Log of the joint likelihood with the source over that without, nats.
    pub score: f64,
    /// Of that, what picks and silences say.
    pub data: f64,
    pub hits: f64,
    pub p_hits: f64,
    pub expected: f64,
    pub silence: f64,
    pub chi2: f64,
    pub reach_km: f64,
    /// Mean log-rate of other picks at its hits.
    pub crowd: f64,
}

/// Log-probability of a pick and of none, by distance and reach.
pub(crate) struct Hearing {
    some: Vec<[f64; REACHES]>,
    none: Vec<[f64; REACHES]>,
    /// The reaches, km.
    reach: [f64; REACHES],
}

/// A reach of which no source was ever weighed is that of the first.
fn number_of(hearing: &Hearing, reach_km: f64) -> usize {
    hearing.reach.iter().position(|reach| *reach == reach_km).unwrap_or(0)
}

impl Hearing {
    pub(crate) fn new(physics: &Physics) -> Self {
        let m = &physics.model;
        let mut reach = [REACH_FIRST_KM; REACHES];
        for n in 1..REACHES {
            reach[n] = reach[n - 1] * REACH_RATIO;
        }
        let (mut some, mut none) = (Vec::new(), Vec::new());
        for bin in 0..BINS {
            let p = reach.map(|reach| {
                let edge = m.edge_km + m.edge_share * reach;
                m.detect_max * math::logistic((reach - bin as f64 * BIN_KM) / edge)
            });
            some.push(p.map(|p| math::ln(p.max(1e-12))));
            none.push(p.map(|p| math::ln(1.0 - p)));
        }
        Self { some, none, reach }
    }

    /// Log-probability of a pick and of none at a distance, for a source of one
    /// of the reaches.
    pub(crate) fn term(&self, bin: u16, reach_km: f64) -> (f64, f64) {
        let n = number_of(self, reach_km);
        (self.some[bin as usize][n], self.none[bin as usize][n])
    }
}

/// Index of a distance in [`Hearing`].
#[inline]
fn bin(far: f64, depth: f64) -> usize {
    let slant = (far * far + depth * depth).sqrt();
    ((slant / BIN_KM + 0.5) as usize).min(BINS - 1)
}

/// All that a weighing reads.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub net: &'a Net,
    pub store: &'a Store,
    pub table: &'a Table,
    pub physics: &'a Physics,
    pub hearing: &'a Hearing,
    /// The event whose picks count as free.
    pub me: u32,
}

impl View<'_> {
    /// Travel time to a channel, with its slopes east, north and down.
    #[inline]
    pub(crate) fn travel(&self, channel: u32, place: &Place) -> (f64, [f64; 3], f64) {
        let (k, phase) = of_channel(channel);
        let (dx, dy, far) = self.net.way(k, place.x, place.y);
        let (time, along, down) = self.table.at(phase, far, place.z);
        let per = along / far.max(1e-6);
        let tau = time + self.net.lift[k][phase.index()];
        (tau, [-dx * per, -dy * per, down], far)
    }

    /// Asks stations in range, in order, what they picked of a source.
    pub(crate) fn listen(&self, place: &Place, asked: &[u32], out: &mut Vec<Reached>) {
        out.clear();
        for &k in asked {
            let k = k as usize;
            let (_, _, far) = self.net.way(k, place.x, place.y);
            let slant = (far * far + place.z * place.z).sqrt();
            if slant > FARTHEST_KM {
                continue;
            }
            let bin = bin(far, place.z) as u16;
            for phase in Phase::ALL {
                let c = channel(k, phase);
                let tau = self.table.at(phase, far, place.z).0 + self.net.lift[k][phase.index()];
                let predicted = place.t + tau;
                let sigma = self.physics.sigma(tau);
                let wide = GATE * sigma;
                let mut reached = Reached {
                    channel: c,
                    bin,
                    due: predicted,
                    mute: false,
                    index: u32::MAX,
                    gain: f64::NEG_INFINITY,
                    residual: 0.0,
                    sigma,
                    ln_rate: 0.0,
                    adds: 0.0,
                };
                let (times, owner) = (&self.store.t[c as usize], &self.store.owner[c as usize]);
                let mut i = self.store.from(c, predicted - wide);
                while i < times.len() && times[i] <= predicted + wide {
                    if owner[i] == FREE || owner[i] == self.me {
                        let residual = times[i] - predicted;
                        let sigma = self.physics.sigma_of(tau, self.store.spread[c as usize][i]);
                        let ln_rate = self.store.ln_rate[c as usize][i];
                        let gain = ln_time(residual, sigma) - ln_rate;
                        if gain > reached.gain {
                            (reached.index, reached.gain) = (i as u32, gain);
                            (reached.residual, reached.sigma) = (residual, sigma);
                            reached.ln_rate = ln_rate;
                        }
                    }
                    i += 1;
                }
                reached.mute = reached.index == u32::MAX && self.is_mute(k, predicted, wide);
                out.push(reached);
            }
        }
    }

    /// Whether the silence of a station says nothing of an arrival that is due: it
    /// was down, or the arrival may still come in.
    fn is_mute(&self, k: usize, due: f64, gate: f64) -> bool {
        due + gate > self.store.heard_to || self.net.is_down(k, due)
    }

    /// What a pick is of a source, however far off it is.
    pub(crate) fn hear(&self, place: &Place, hit: Hit) -> Reached {
        let (c, i) = (hit.channel as usize, hit.index as usize);
        let (tau, _, far) = self.travel(hit.channel, place);
        let residual = self.store.t[c][i] - place.t - tau;
        let sigma = self.physics.sigma_of(tau, self.store.spread[c][i]);
        let ln_rate = self.store.ln_rate[c][i];
        Reached {
            channel: hit.channel,
            bin: bin(far, place.z) as u16,
            due: place.t + tau,
            mute: false,
            index: hit.index,
            gain: ln_time(residual, sigma) - ln_rate,
            residual,
            sigma,
            ln_rate,
            adds: 0.0,
        }
    }

    /// Asks all stations in range what they picked of a source, whose picks are
    /// known: no others count.
    pub(crate) fn listen_to(&self, place: &Place, hits: &[Hit], out: &mut Vec<Reached>) {
        self.listen(place, &self.net.everyone, out);
        for r in out.iter_mut() {
            if let Some(hit) = hits.iter().find(|hit| hit.channel == r.channel) {
                *r = self.hear(place, *hit);
                continue;
            }
            let (k, _) = of_channel(r.channel);
            (r.index, r.gain, r.residual) = (u32::MAX, f64::NEG_INFINITY, 0.0);
            r.mute = self.is_mute(k, r.due, GATE * r.sigma);
        }
    }

    /// Weighs what was picked and what was not, over all reaches.
    pub(crate) fn weigh(&self, reached: &mut [Reached], occam: f64) -> Weighed {
        // Always in the order of stations, so that sums have the same bits.
        let mut sums = [0.0_f64; REACHES];
        for r in reached.iter().filter(|r| !r.mute) {
            let (some, none) =
                (&self.hearing.some[r.bin as usize], &self.hearing.none[r.bin as usize]);
            for n in 0..REACHES {
                sums[n] += none[n].max(r.gain + some[n]);
            }
        }
        let mut best = 0;
        for n in 1..REACHES {
            if sums[n] > sums[best] {
                best = n;
            }
        }
        let over: f64 = sums.iter().map(|s| math::exp(s - sums[best])).sum();
        let mut out = Weighed { reach_km: self.hearing.reach[best], ..Weighed::default() };
        for r in reached.iter_mut() {
            if r.mute {
                continue;
            }
            let silent = self.hearing.none[r.bin as usize][best];
            let some = self.hearing.some[r.bin as usize][best];
            let hit = r.gain + some;
            out.expected += math::exp(some);
            if hit > silent {
                r.adds = hit;
                out.hits += 1.0;
                out.p_hits += f64::from(u8::from(r.channel.is_multiple_of(2)));
                let z = r.residual / r.sigma;
                out.chi2 += (z * z).min(9.0);
                out.crowd += r.ln_rate;
            } else {
                r.adds = silent;
                r.index = u32::MAX;
                out.silence += silent;
            }
        }
        out.crowd /= out.hits.max(1.0);
        out.data = sums[best];
        out.score = sums[best] + math::ln(over / REACHES as f64) + self.physics.ln_rate + occam;
        out
    }

    /// Moves a place to where the hits agree best: Gauss and Newton with Student
    /// weights. Returns the information of (t, x, y, z).
    pub(crate) fn settle(&self, place: &mut Place, hits: &[Hit], rounds: usize) -> [[f64; 4]; 4] {
        let start = *place;
        let deepest = self.physics.deepest;
        // A loose hold keeps lines of stations and lone phases solvable.
        let hold = [1e-6, 1e-4, 1e-4, 12.0 / (deepest * deepest)];
        let mut info = [[0.0; 4]; 4];
        for _ in 0..rounds {
            info = [[0.0; 4]; 4];
            let off = [0.0, start.x - place.x, start.y - place.y, start.z - place.z];
            let mut right = [0.0; 4];
            for i in 0..4 {
                info[i][i] = hold[i];
                right[i] = hold[i] * off[i];
            }
            for hit in hits {
                let (tau, slope, _) = self.travel(hit.channel, place);
                let residual =
                    self.store.t[hit.channel as usize][hit.index as usize] - place.t - tau;
                let spread = self.store.spread[hit.channel as usize][hit.index as usize];
                let sigma = self.physics.sigma_of(tau, spread);
                let z2 = residual * residual / (sigma * sigma);
                let weight = (NU + 1.0) / (NU + z2) / (sigma * sigma);
                let g = [1.0, slope[0], slope[1], slope[2]];
                for i in 0..4 {
                    right[i] += weight * g[i] * residual;
                    for j in 0..=i {
                        info[i][j] += weight * g[i] * g[j];
                    }
                }
            }
            for i in 0..4 {
                for j in i + 1..4 {
                    info[i][j] = info[j][i];
                }
            }
            let Some(l) = math::cholesky(&info) else { break };
            let step = math::solve(&l, &right);
            let far = (step[1] * step[1] + step[2] * step[2]).sqrt();
            let cut = (30.0 / far.max(30.0)).min(20.0 / step[3].abs().max(20.0));
            place.t += step[0] * cut;
            place.x += step[1] * cut;
            place.y += step[2] * cut;
            place.z = (place.z + step[3] * cut).clamp(0.0, deepest);
            if far < 0.05 && step[3].abs() < 0.1 {
                break;
            }
        }
        info
    }
}

/// Logarithm of the volume of the posterior of (t, x, y, z): the Occam factor.
pub(crate) fn occam(info: &[[f64; 4]; 4]) -> f64 {
    let Some(l) = math::cholesky(info) else { return -30.0 };
    let diagonal: f64 = (0..4).map(|i| math::ln(l[i][i])).sum();
    2.0 * libm::log(2.0 * std::f64::consts::PI) - diagonal
}

/// The hits among what was reached.
pub(crate) fn hits_of(reached: &[Reached], out: &mut Vec<Hit>) {
    out.clear();
    let hits = reached.iter().filter(|r| r.index != u32::MAX);
    out.extend(hits.map(|r| Hit { channel: r.channel, index: r.index }));
}
