//! Why an event is believed: what every station in reach adds to its log-odds,
//! heard or silent, what else was considered, and what one more observation
//! would change. Worked out for one event on demand, from the very state in
//! which the event became final.

use crate::bearing::Bearing;
use crate::live::Events;
use crate::moves::listen_to;
use crate::posterior::{self, FEATURES, Features};
use crate::replay::Replay;
use crate::ring::{Pick, Ring};
use crate::roads::{Roads, Seats};
use crate::score::{Belief, Hit, Loc, Reached, View, Weighed, hits_of, occam, spread};
use crate::search::polish;
use crate::travel::Phase;

/// Distances at which other places are tried, metres, and directions at each.
const RINGS_M: [f64; 6] = [500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 14_000.0];
const DIRECTIONS: usize = 16;
/// A place closer than this, in errors of the event and in metres, is the same.
const SAME_ERRORS: f64 = 4.0;
const SAME_M: f64 = 200.0;
/// Other places, rivals and further observations that are told of.
pub(crate) const TOLD: usize = 3;
/// Events farther apart in time do not want the same detections, s.
const RIVAL_S: f64 = 120.0;

/// Which event is to be accounted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The event of this number in order of release.
    Number(u32),
    /// The event that the detection of this row belongs to.
    Row(u32),
}

/// Everything that makes up the probability of one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Number of the event.
    pub event: u32,
    /// Log-odds before any station is asked, nats: how rare such events are
    /// at this place, with the volume in which the detections leave it.
    pub rarity: f64,
    /// How usual its size is, nats: the level of a sound, or how far its waves
    /// were picked.
    pub size_fit: f64,
    /// What each station in reach says, nearest first.
    pub stations: Vec<Testimony>,
    /// What changed about it since it was last weighed: neighbours that came or
    /// went, false alarms that were counted. With it the sum is the evidence.
    pub since: f64,
    /// Evidence, nats: the sum of all of the above.
    pub evidence: f64,
    /// Calibration: what the map looks at, its value and its share of the log-odds.
    pub map: Vec<Weight>,
    /// The earlier event that it repeats to the digit, if any.
    pub replay: Option<Replay>,
    /// Calibrated probability, less that of a replay.
    pub probability: f64,
    /// Other places at which detections of its time agree, best first.
    pub elsewhere: Vec<Elsewhere>,
    /// Other events that would take its detections, keenest first.
    pub rivals: Vec<Rival>,
    /// What one more observation would change, most first.
    pub more: Vec<More>,
    /// Where stations and the event lie on a plane round the event, metres east
    /// and north, in the order of `stations`.
    pub plan: Vec<(f64, f64)>,
}

impl Account {
    /// Rows of the detections that belong to the event.
    pub fn rows(&self) -> impl Iterator<Item = u32> + '_ {
        self.stations.iter().filter_map(|station| match station.says {
            Says::Heard { row, .. } => Some(row),
            Says::Silent | Says::Down => None,
        })
    }
}

/// What one station says.
#[derive(Clone, Debug, PartialEq)]
pub struct Testimony {
    /// Number of the station.
    pub station: u32,
    /// Which wave is spoken of, where a station may pick two.
    pub phase: Option<Phase>,
    /// From the event, metres.
    pub distance_m: f64,
    /// When its arrival is due, seconds since the zero of the set.
    pub due_s: f64,
    /// Probability that it would have detected the event.
    pub chance: f64,
    /// What it heard, or that it did not.
    pub says: Says,
    /// What that adds to the evidence, nats.
    pub nats: f64,
    /// Calibrated probability of the event if this station had not been asked.
    pub without: f64,
}

/// What a station heard.
#[derive(Clone, Debug, PartialEq)]
pub enum Says {
    /// An arrival.
    Heard {
        /// Row of the detection.
        row: u32,
        /// How late it came, s, and the error of that.
        residual_s: f64,
        /// Standard deviation of the residual, s.
        sigma_s: f64,
        /// How much louder it was than expected, dB, if it tells a level.
        louder_db: Option<f64>,
        /// How far to the right of the event it came from, degrees; none if the
        /// station is no array.
        turned_deg: Option<f64>,
        /// Parts of the sum, nats, by name.
        parts: Vec<(&'static str, f64)>,
        /// Logarithm of the rate of false alarms of the station per second, the alternative.
        ln_false: f64,
    },
    /// Nothing, though it was listening.
    Silent,
    /// Nothing can be said: it was down.
    Down,
}

/// One feature of the calibration map.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// What it is.
    pub feature: &'static str,
    /// Its value for this event.
    pub value: f64,
    /// Value by weight: its share of the log-odds of the probability.
    pub log_odds: f64,
}

/// Another place and time for detections of the event.
#[derive(Clone, Debug, PartialEq)]
pub struct Elsewhere {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Depth, km, where waves tell it.
    pub depth_km: Option<f64>,
    /// From the event, metres.
    pub distance_m: f64,
    /// The same, metres east and north.
    pub offset_m: (f64, f64),
    /// Detections it would explain, and how many of them are the event's.
    pub hits: usize,
    /// Of the event's own.
    pub shared: usize,
    /// Its evidence less that of the event, nats.
    pub behind: f64,
}

/// Another event that wants detections of this one.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// Seconds since the zero of the set.
    pub t_s: f64,
    /// From the event, metres.
    pub distance_m: f64,
    /// Detections it would take.
    pub wants: usize,
    /// What it would gain by them, nats. An event whose rivals would gain more
    /// than its evidence is given up.
    pub gain: f64,
}

/// What one more observation would change.
#[derive(Clone, Debug, PartialEq)]
pub struct More {
    /// Number of the station.
    pub station: u32,
    /// Which wave is spoken of, where a station may pick two.
    pub phase: Option<Phase>,
    /// Probability of the event had the station heard it, on time and as loud as expected.
    pub heard: f64,
    /// Probability had it been silent; none if it was.
    pub silent: Option<f64>,
    /// Error of the place with the arrival, as a share of that without.
    pub error: f64,
}

/// One weighing of the event.
struct Weighing {
    loc: Loc,
    weighed: Weighed,
    reached: Vec<Reached>,
    /// Volume of the posterior, nats, and the error of the place, metres.
    occam: f64,
    error_m: f64,
    belief: Belief,
    probability: f64,
}

/// What is supposed of one station.
#[derive(Clone, Copy, PartialEq)]
enum Suppose {
    Nothing,
    /// It was not asked.
    Unasked(u32),
    /// It was listening, whatever the log says.
    Listening(u32),
}

/// What an event is weighed with.
struct Court<'a> {
    view: View<'a>,
    events: &'a Events,
    id: u32,
    /// Its level, dB at 1 km, which says who is asked.
    level: f64,
}

impl Court<'_> {
    /// Weighs the event with these hits, where it is or where they agree best.
    fn weigh(&self, hits: &[Hit], suppose: Suppose, settle: bool) -> Weighing {
        let event = self.events.get(self.id);
        let physics = self.view.physics;
        let mut loc = event.loc;
        let site = self.events.belief(physics, loc, self.id).site;
        let mut start = loc;
        let info = self.view.settle(&mut start, event.home, hits, if settle { 3 } else { 1 }, site);
        if settle {
            loc = start;
        }
        let belief = self.events.belief(physics, loc, self.id);
        let mut reached = Vec::new();
        let reach = self.view.reach(self.level, event.home);
        let mut roads = Roads::default();
        roads.lay(&self.view, loc, event.home, reach);
        let roads = roads.within(reach);
        let seats = &mut Seats::default();
        listen_to(&self.view, hits, loc.t, self.level, roads, seats, &mut reached);
        for r in &mut reached {
            match suppose {
                Suppose::Unasked(k) if k == r.station => r.mute = true,
                Suppose::Listening(k) if k == r.station => r.mute = false,
                _ => {}
            }
        }
        let volume = occam(&info);
        let weighed = self.view.weigh(&mut reached, &belief, volume, false);
        let mut kept = Vec::new();
        hits_of(&reached, self.view.rings, &mut kept);
        let raw = posterior::raw(&self.view, self.events, self.id, &kept, &weighed);
        let probability = physics.model.calibration.probability(&Features::from(raw));
        Weighing {
            loc,
            weighed,
            reached,
            occam: volume,
            error_m: spread(&info).sqrt(),
            belief,
            probability,
        }
    }
}

/// Accounts for an event as it is, about to be released under a number.
pub(crate) fn of(view: View, events: &Events, id: u32, number: u32, probability: f64) -> Account {
    let event = events.get(id);
    let physics = view.physics;
    let court = Court { view, events, id, level: event.weighed.level };
    let base = court.weigh(&event.hits, Suppose::Nothing, false);
    let scale = view.net.scale[event.home as usize];
    let mut stations: Vec<(Testimony, (f64, f64))> = base
        .reached
        .iter()
        .map(|r| {
            let k = r.station as usize;
            let (x, y) =
                ((view.net.x[k] - event.loc.x) / scale, (view.net.y[k] - event.loc.y) / scale);
            (testimony(&court, &base, r), (x, y))
        })
        .collect();
    stations.sort_by(|(a, _), (b, _)| {
        a.distance_m.total_cmp(&b.distance_m).then(a.station.cmp(&b.station))
    });
    let (stations, plan): (Vec<_>, Vec<_>) = stations.into_iter().unzip();
    let rarity = base.belief.ln_rate + base.occam;
    let size_fit = base.weighed.level_fit;
    let sum = rarity + size_fit + stations.iter().map(|s| s.nats).sum::<f64>();
    let evidence = event.weighed.score;
    let now = posterior::raw(&view, events, id, &event.hits, &event.weighed);
    let values = Features::from(now).0;
    let weights = &physics.model.calibration.weights;
    let map = FEATURES
        .iter()
        .zip(values)
        .zip(weights)
        .map(|((feature, value), weight)| Weight { feature, value, log_odds: value * weight })
        .collect();
    Account {
        event: number,
        rarity,
        size_fit,
        since: evidence - sum,
        evidence,
        map,
        replay: None,
        probability,
        elsewhere: elsewhere(&court, &base),
        rivals: rivals(&court),
        more: more(&court, &base, &stations),
        stations,
        plan,
    }
}

fn testimony(court: &Court, base: &Weighing, r: &Reached) -> Testimony {
    let view = &court.view;
    let k = r.station as usize;
    let path = view.path(base.loc.x, base.loc.y, court.events.get(court.id).home, r.station);
    let term = view.term(r, base.weighed.level, false);
    let (says, nats) = match term.heard {
        Some(nats) => {
            let pick = &view.rings[k].picks[r.heard];
            let louder_db = f64::from(pick.amp) + r.loss - base.weighed.level;
            let time = view.physics.time(r.residual, r.variance);
            let direction = view.physics.direction(pick, r.toward);
            let says = Says::Heard {
                row: pick.row,
                residual_s: r.residual,
                sigma_s: r.variance.sqrt(),
                louder_db: Some(louder_db),
                parts: vec![
                    ("time", time),
                    ("signal", r.gain - time - direction),
                    ("level", view.physics.level(louder_db)),
                    ("direction", direction),
                ],
                turned_deg: pick.bearing.off(r.toward),
                ln_false: view.net.habit[k].ln_false,
            };
            (says, nats)
        }
        None if r.mute => (Says::Down, 0.0),
        None => (Says::Silent, term.silent),
    };
    let hits = &court.events.get(court.id).hits;
    let without = match says {
        Says::Down => base.probability,
        // Far silences hardly weigh; what is left out moves no place.
        Says::Silent => court.weigh(hits, Suppose::Unasked(r.station), false).probability,
        Says::Heard { .. } => {
            let rest: Vec<Hit> = hits.iter().copied().filter(|h| h.station != r.station).collect();
            court.weigh(&rest, Suppose::Unasked(r.station), true).probability
        }
    };
    Testimony {
        station: r.station,
        phase: None,
        distance_m: path.d,
        due_s: base.loc.t + path.tau + view.net.habit[k].clock,
        chance: term.chance,
        says,
        nats,
        without,
    }
}

/// Other places where what was heard agrees, from starts all round.
fn elsewhere(court: &Court, base: &Weighing) -> Vec<Elsewhere> {
    let view = &court.view;
    let event = court.events.get(court.id);
    let Some(first) = event.hits.iter().min_by(|a, b| {
        let t = |h: &Hit| {
            let ring = &view.rings[h.station as usize];
            ring.t[ring.index(h.position)]
        };
        t(a).total_cmp(&t(b)).then(a.station.cmp(&b.station))
    }) else {
        return Vec::new();
    };
    let ring = &view.rings[first.station as usize];
    let heard_at = ring.t[ring.index(first.position)];
    let same = (SAME_ERRORS * base.error_m).max(SAME_M);
    let mut found: Vec<(Elsewhere, f64, f64)> = Vec::new();
    let mut reached = Vec::new();
    for radius in RINGS_M {
        for direction in 0..DIRECTIONS {
            let turn = 2.0 * std::f64::consts::PI * direction as f64 / DIRECTIONS as f64;
            let (x, y) =
                (event.loc.x + radius * libm::sin(turn), event.loc.y + radius * libm::cos(turn));
            let home = view.net.nearest_to(x, y);
            let tau = view.path(x, y, home, first.station).tau;
            let mut loc = Loc { t: heard_at - tau, x, y };
            let mut hits = event.hits.clone();
            let Some(other) =
                polish(view, court.events, &mut loc, &mut reached, &mut hits, false, false)
            else {
                continue;
            };
            let away = libm::hypot(loc.x - event.loc.x, loc.y - event.loc.y);
            let told = found.iter().any(|(_, x, y)| libm::hypot(loc.x - x, loc.y - y) < same);
            let shared = other.hits.iter().filter(|h| event.hits.contains(h)).count();
            if away < same || told || shared == 0 {
                continue;
            }
            let (lat, lon) = view.net.plane.inverse(loc.x, loc.y);
            let one = Elsewhere {
                t_s: loc.t,
                lat,
                lon,
                depth_km: None,
                distance_m: away,
                offset_m: (loc.x - event.loc.x, loc.y - event.loc.y),
                hits: other.hits.len(),
                shared,
                behind: other.weighed.score - event.weighed.score,
            };
            found.push((one, loc.x, loc.y));
        }
    }
    found.sort_by(|(a, ..), (b, ..)| b.behind.total_cmp(&a.behind).then(a.t_s.total_cmp(&b.t_s)));
    found.into_iter().take(TOLD).map(|(one, ..)| one).collect()
}

/// Events that would take detections of this one at stations where they are silent.
fn rivals(court: &Court) -> Vec<Rival> {
    let (view, me) = (&court.view, court.events.get(court.id));
    let mut rivals = Vec::new();
    for id in court.events.ids() {
        let other = court.events.get(id);
        if id == court.id || !other.alive || (other.loc.t - me.loc.t).abs() > RIVAL_S {
            continue;
        }
        let (mut wants, mut gain) = (0, 0.0);
        for hit in &me.hits {
            if other.hits.iter().any(|h| h.station == hit.station) {
                continue;
            }
            let ring = &view.rings[hit.station as usize];
            let index = ring.index(hit.position);
            let path = view.path(other.loc.x, other.loc.y, other.home, hit.station);
            let due = other.loc.t + path.tau + view.net.habit[hit.station as usize].clock;
            let variance = view.variance(hit.station, ring.picks[index].sigma, path.tau);
            let r = Reached {
                station: hit.station,
                tau: path.tau,
                loss: path.loss,
                noise: view.net.habit[hit.station as usize].noise,
                heard: index,
                amp: ring.picks[index].amp,
                toward: path.toward(),
                gain: view.physics.time(ring.t[index] - due, variance)
                    + f64::from(ring.picks[index].gain)
                    + view.physics.direction(&ring.picks[index], path.toward()),
                residual: ring.t[index] - due,
                variance,
                mute: false,
            };
            let term = view.term(&r, other.weighed.level, false);
            let more = term.heard.unwrap_or(0.0) - term.silent;
            if (ring.t[index] - due).abs() < 3.0 && more > 0.0 {
                wants += 1;
                gain += more;
            }
        }
        if wants > 0 {
            let distance_m = libm::hypot(other.loc.x - me.loc.x, other.loc.y - me.loc.y);
            rivals.push(Rival { t_s: other.loc.t, distance_m, wants, gain });
        }
    }
    rivals.sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.t_s.total_cmp(&b.t_s)));
    rivals.truncate(TOLD);
    rivals
}

/// What it would change if a station that said nothing had heard the event.
fn more(court: &Court, base: &Weighing, stations: &[Testimony]) -> Vec<More> {
    let view = &court.view;
    let mut more = Vec::new();
    let mut quiet: Vec<&Testimony> =
        stations.iter().filter(|s| !matches!(s.says, Says::Heard { .. })).collect();
    quiet.sort_by(|a, b| b.chance.total_cmp(&a.chance).then(a.station.cmp(&b.station)));
    for s in quiet.into_iter().take(TOLD) {
        let k = s.station as usize;
        let home = court.events.get(court.id).home;
        let path = view.path(base.loc.x, base.loc.y, home, s.station);
        let level = base.weighed.level - path.loss;
        let snr = level - view.net.habit[k].noise;
        let pick = Pick {
            sigma: view.physics.pick_sigma(snr) as f32,
            amp: level as f32,
            raw: level as f32,
            gain: view.physics.pick_gain(snr) as f32,
            bearing: Bearing::default(),
            row: u32::MAX,
        };
        let mut rings: Vec<Ring> = view.rings.to_vec();
        let Some(index) = rings[k].put(s.due_s, pick) else { continue };
        let hit = Hit { station: s.station, position: rings[k].position(index) };
        let own = &court.events.get(court.id).hits;
        let silent = matches!(s.says, Says::Down)
            .then(|| court.weigh(own, Suppose::Listening(s.station), false).probability);
        let mut hits = own.clone();
        hits.push(hit);
        hits.sort_by_key(|h| h.station);
        let view = View { rings: &rings, ..court.view };
        let with = Court { view, ..*court }.weigh(&hits, Suppose::Nothing, true);
        more.push(More {
            station: s.station,
            phase: None,
            heard: with.probability,
            silent,
            error: with.error_m / base.error_m.max(1e-9),
        });
    }
    more
}
