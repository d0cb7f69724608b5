//! Why a source of picks is believed: what each pick and each silence adds to its
//! evidence, where else its picks agree, who else wants them, and what one more
//! pick would change. Worked out for one event, from the state it was released in.

use crate::account::{self, Account, Elsewhere, More, Noise, Rival, Says, Sum, Testimony, noisy};
use crate::math;

use super::net::{RATE_S, ln_time, of_channel};
use super::posterior::{self, PHASE_FEATURES};
use super::search::{Candidate, polish};
use super::weigh::{Hit, Place, Reached, View, Weighed, occam};
use super::{GATE, GONE, Work};

/// Distances at which other places are tried, km, directions at each, and depths
/// as shares of the deepest.
const RINGS_KM: [f64; 6] = [0.0, 15.0, 30.0, 60.0, 120.0, 240.0];
const DIRECTIONS: usize = 12;
const DEPTHS: [f64; 4] = [0.02, 0.2, 0.5, 0.9];
/// A place closer than this, in errors of the event and in km, is the same.
const SAME_ERRORS: f64 = 4.0;
const SAME_KM: f64 = 8.0;
/// Sources so far apart in time do not want the same picks, s.
const RIVAL_S: f64 = 120.0;
/// Picks within so long of an arrival are of its storm, s.
const STORM_S: f64 = 60.0;
/// A source of less evidence explains nothing away, nats.
const DOUBTFUL: f64 = 5.0;
/// Degrees of freedom of the law of residuals, as a source is located with.
const NU: f64 = 4.0;

type Info = [[f64; 4]; 4];

/// One weighing of the source.
struct Weighing {
    place: Place,
    weighed: Weighed,
    reached: Vec<Reached>,
    info: Info,
    probability: f64,
}

/// What is supposed of one channel.
#[derive(Clone, Copy, PartialEq)]
enum Suppose {
    Nothing,
    /// It was not asked.
    Unasked(u32),
}

/// What a source is weighed with.
struct Court<'a> {
    work: &'a Work<'a>,
    view: View<'a>,
    order: &'a [u32],
    /// Where it stands among them.
    at: usize,
}

/// Accounts for the source that stands at a place of the order of time, about to
/// be released under a number.
pub(crate) fn of(work: &Work, order: &[u32], at: usize, number: u32, probability: f64) -> Account {
    let court = Court { work, view: work.view(order[at]), order, at };
    let base = court.base();
    let rarity = work.physics.ln_rate + occam(&base.info);
    let own = court.candidate();
    let features = posterior::one(work, order, at, own.place, &own.weighed);
    let sum = Sum {
        event: number,
        rarity,
        size_fit: base.weighed.score - base.weighed.data - rarity,
        evidence: own.weighed.score,
        map: account::map(&PHASE_FEATURES, &features, &work.physics.model.calibration.weights),
        probability,
    };
    sum.account(&Heard { court, base })
}

/// A source with its weighing.
struct Heard<'a> {
    court: Court<'a>,
    base: Weighing,
}

impl account::Court for Heard<'_> {
    fn testimonies(&self) -> Vec<(Testimony, (f64, f64))> {
        self.base.reached.iter().map(|r| self.court.testimony(&self.base, r)).collect()
    }

    fn noise(&self) -> Vec<Noise> {
        let Court { work, order, at, .. } = &self.court;
        let (store, me) = (&work.store, order[*at]);
        // Nobody has it, or a source that is itself in doubt.
        let is_open = |owner: u32| {
            let events = work.events.get(owner as usize);
            owner != me && events.is_none_or(|e| e.candidate.weighed.score < DOUBTFUL)
        };
        let one = |hit: &Hit| {
            let c = hit.channel as usize;
            let t = store.t[c][hit.index as usize];
            let open = || {
                let all = store.t[c].iter().zip(&store.owner[c]);
                all.filter(|(_, owner)| **owner != GONE && is_open(**owner)).map(|(t, _)| *t)
            };
            let others = noisy(open(), t, STORM_S);
            // What is usual is told by the time before and after.
            let about = noisy(open(), t, RATE_S) - others;
            let known_s = RATE_S + (store.heard_to - t).clamp(0.0, RATE_S);
            let least = work.physics.model.false_per_hour / 3600.0;
            Noise {
                own: 1,
                others,
                span_s: 2.0 * STORM_S,
                usual: f64::from(about) / (known_s - 2.0 * STORM_S) + least,
                ln_assumed: store.ln_rate[c][hit.index as usize],
                ln_width: 0.0,
            }
        };
        self.court.candidate().hits.iter().map(one).collect()
    }

    fn elsewhere(&self) -> Vec<Elsewhere> {
        self.court.elsewhere(&self.base)
    }

    fn rivals(&self) -> Vec<Rival> {
        self.court.rivals()
    }

    fn more(&self, quiet: &Testimony) -> Option<More> {
        self.court.more(&self.base, quiet)
    }
}

impl Court<'_> {
    fn candidate(&self) -> &Candidate {
        &self.work.events[self.order[self.at] as usize].candidate
    }

    fn probability(&self, place: Place, weighed: &Weighed) -> f64 {
        let features = posterior::one(self.work, self.order, self.at, place, weighed);
        self.work.physics.model.calibration.probability(&features)
    }

    /// The source as it was released.
    fn base(&self) -> Weighing {
        let own = self.candidate();
        self.weighed(own.place, own.info, &own.hits, Suppose::Nothing)
    }

    /// Weighs these hits where they agree best.
    fn weigh(&self, hits: &[Hit], suppose: Suppose) -> Weighing {
        let mut place = self.candidate().place;
        self.view.settle(&mut place, hits, 3);
        let info = self.view.settle(&mut place.clone(), hits, 1);
        self.weighed(place, info, hits, suppose)
    }

    fn weighed(&self, place: Place, info: Info, hits: &[Hit], suppose: Suppose) -> Weighing {
        let mut reached = Vec::new();
        self.view.listen_to(&place, hits, &mut reached);
        for r in &mut reached {
            r.mute |= suppose == Suppose::Unasked(r.channel);
        }
        let weighed = self.view.weigh(&mut reached, occam(&info));
        let probability = self.probability(place, &weighed);
        Weighing { place, weighed, reached, info, probability }
    }

    /// What a channel says, and where its station lies, metres from the source.
    fn testimony(&self, base: &Weighing, r: &Reached) -> (Testimony, (f64, f64)) {
        let (k, phase) = of_channel(r.channel);
        let (east, north, far) = self.view.net.way(k, base.place.x, base.place.y);
        let (some, _) = self.view.hearing.term(r.bin, base.weighed.reach_km);
        let hits = &self.candidate().hits;
        let (says, without) = if r.mute {
            (Says::Down, base.probability)
        } else if r.index == u32::MAX {
            let without = self.weighed(base.place, base.info, hits, Suppose::Unasked(r.channel));
            (Says::Silent, without.probability)
        } else {
            let rest: Vec<Hit> =
                hits.iter().copied().filter(|hit| hit.channel != r.channel).collect();
            let without = self.weigh(&rest, Suppose::Unasked(r.channel));
            let says = Says::Heard {
                row: self.view.store.row[r.channel as usize][r.index as usize],
                residual_s: r.residual,
                sigma_s: r.sigma,
                louder_db: None,
                turned_deg: None,
                own: None,
                parts: vec![("time", r.gain + r.ln_rate), ("detection", some)],
                ln_false: r.ln_rate,
            };
            (says, without.probability)
        };
        let testimony = Testimony {
            station: k as u32,
            phase: Some(phase),
            distance_m: far * 1e3,
            due_s: r.due,
            chance: math::exp(some),
            nats: if r.mute { 0.0 } else { r.adds },
            says,
            without,
        };
        (testimony, (east * 1e3, north * 1e3))
    }

    /// Other places where what was picked agrees, from starts all round and at
    /// other depths.
    fn elsewhere(&self, base: &Weighing) -> Vec<Elsewhere> {
        let (view, own) = (&self.view, self.candidate());
        let time = |hit: &Hit| view.store.t[hit.channel as usize][hit.index as usize];
        let Some(first) = own.hits.iter().min_by(|a, b| time(a).total_cmp(&time(b)).then(a.cmp(b)))
        else {
            return Vec::new();
        };
        let error = spread_km(&base.info);
        let same = (SAME_ERRORS * error).max(SAME_KM);
        let mut found: Vec<(Elsewhere, Place)> = Vec::new();
        let (mut hits, mut reached) = (Vec::new(), Vec::new());
        for ring in RINGS_KM {
            for direction in 0..DIRECTIONS {
                let turn = 2.0 * std::f64::consts::PI * direction as f64 / DIRECTIONS as f64;
                for share in DEPTHS {
                    let mut place = Place {
                        t: 0.0,
                        x: base.place.x + ring * libm::sin(turn),
                        y: base.place.y + ring * libm::cos(turn),
                        z: share * view.physics.deepest,
                    };
                    place.t = time(first) - view.travel(first.channel, &place).0;
                    let Some(other) = polish(view, place, &mut hits, &mut reached, 2) else {
                        continue;
                    };
                    let apart = |a: &Place, b: &Place| {
                        let (x, y, z) = (a.x - b.x, a.y - b.y, a.z - b.z);
                        (x * x + y * y + z * z).sqrt()
                    };
                    let shared = other.hits.iter().filter(|h| own.hits.contains(h)).count();
                    let told = found.iter().any(|(_, known)| apart(known, &other.place) < same);
                    if apart(&other.place, &base.place) < same || told || shared == 0 {
                        continue;
                    }
                    found.push((self.other(base, &other, shared), other.place));
                }
                if ring == 0.0 {
                    break;
                }
            }
        }
        found.into_iter().map(|(one, _)| one).collect()
    }

    fn other(&self, base: &Weighing, other: &Candidate, shared: usize) -> Elsewhere {
        let place = other.place;
        let (lat, lon) = self.view.net.plane.inverse(place.x * 1e3, place.y * 1e3);
        let (x, y) = ((place.x - base.place.x) * 1e3, (place.y - base.place.y) * 1e3);
        Elsewhere {
            t_s: place.t,
            lat,
            lon,
            depth_km: Some(place.z),
            distance_m: libm::hypot(x, y),
            offset_m: (x, y),
            hits: other.hits.len(),
            shared,
            behind: other.weighed.score - self.candidate().weighed.score,
        }
    }

    /// Sources that would take picks of this one where they have none.
    fn rivals(&self) -> Vec<Rival> {
        let (view, me) = (&self.view, self.candidate());
        let mut rivals = Vec::new();
        for id in self.order.iter().filter(|id| **id != self.order[self.at]) {
            let other = &self.work.events[*id as usize].candidate;
            if (other.place.t - me.place.t).abs() > RIVAL_S {
                continue;
            }
            let (mut wants, mut gain) = (0, 0.0);
            for hit in &me.hits {
                if other.hits.iter().any(|own| own.channel == hit.channel) {
                    continue;
                }
                let r = view.hear(&other.place, *hit);
                let (some, none) = view.hearing.term(r.bin, other.weighed.reach_km);
                let more = r.gain + some - none;
                if r.residual.abs() < GATE * r.sigma && more > 0.0 {
                    wants += 1;
                    gain += more;
                }
            }
            if wants > 0 {
                let (x, y) = (other.place.x - me.place.x, other.place.y - me.place.y);
                let distance_m = libm::hypot(x, y) * 1e3;
                rivals.push(Rival { t_s: other.place.t, distance_m, wants, gain });
            }
        }
        rivals
    }

    /// What it would change if a station that said nothing had picked the source, on
    /// time and by a pick of the usual quality.
    fn more(&self, base: &Weighing, s: &Testimony) -> Option<More> {
        let ln_false = math::ln(self.work.physics.model.false_per_hour / 3600.0);
        let channel = s.phase.map(|phase| super::net::channel(s.station as usize, phase))?;
        let at = base.reached.iter().position(|r| r.channel == channel)?;
        let r = &base.reached[at];
        let mut reached = base.reached.clone();
        reached[at] = Reached {
            mute: false,
            index: 0,
            gain: ln_time(0.0, r.sigma) - ln_false,
            residual: 0.0,
            ln_rate: ln_false,
            ..*r
        };
        let (_, slope, _) = self.view.travel(channel, &base.place);
        let g = [1.0, slope[0], slope[1], slope[2]];
        let mut info = base.info;
        for i in 0..4 {
            for j in 0..4 {
                info[i][j] += (NU + 1.0) / NU / (r.sigma * r.sigma) * g[i] * g[j];
            }
        }
        let weighed = self.view.weigh(&mut reached, occam(&info));
        let silent = r.mute.then(|| {
            let mut reached = base.reached.clone();
            reached[at].mute = false;
            let weighed = self.view.weigh(&mut reached, occam(&base.info));
            self.probability(base.place, &weighed)
        });
        Some(More {
            station: s.station,
            phase: s.phase,
            heard: self.probability(base.place, &weighed),
            silent,
            error: spread_km(&info) / spread_km(&base.info).max(1e-9),
        })
    }
}

/// Error of the place on the ground, km: the root of the sum of both variances.
fn spread_km(info: &Info) -> f64 {
    let covariance = math::cholesky(info).map_or([[1e4; 4]; 4], |l| math::inverse(&l));
    (covariance[1][1] + covariance[2][2]).max(0.0).sqrt()
}
