//! Why an event of sound is believed.

use crate::bearing::Bearing;
use crate::live::{Events, Live};
use crate::moves::listen_to;
use crate::posterior::{self, FEATURES, Features};
use crate::ring::{FREE, Pick, Ring};
use crate::roads::Seats;
use crate::score::{Belief, Hit, Loc, Reached, View, Weighed, hits_of, occam, spread};
use crate::search::polish;

use super::{Account, Elsewhere, More, Noise, Rival, Says, Sum, Testimony, map};

/// Distances at which other places are tried, metres, and directions at each.
const RINGS_M: [f64; 6] = [500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 14_000.0];
const DIRECTIONS: usize = 16;
/// A place closer than this, in errors of the event and in metres, is the same.
const SAME_ERRORS: f64 = 4.0;
const SAME_M: f64 = 200.0;
/// Events farther apart in time do not want the same detections, s.
const RIVAL_S: f64 = 120.0;
/// Alarms within so long of an arrival are of its storm, s.
const STORM_S: f64 = 60.0;
/// An event of less evidence explains nothing away, nats.
const DOUBTFUL: f64 = 5.0;

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
        let mut roads = event.roads.clone();
        roads.lay(&self.view, loc, event.home, self.level);
        let seats = &mut Seats::default();
        listen_to(&self.view, hits, loc.t, self.level, roads.all(), seats, &mut reached);
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
    let court = Court { view, events, id, level: event.weighed.level };
    let base = court.weigh(&event.hits, Suppose::Nothing, false);
    let raw = posterior::raw(&view, events, id, &event.hits, &event.weighed);
    let sum = Sum {
        event: number,
        rarity: base.belief.ln_rate + base.occam,
        size_fit: base.weighed.level_fit,
        evidence: event.weighed.score,
        map: map(&FEATURES, &Features::from(raw), &view.physics.model.calibration.weights),
        probability,
    };
    sum.account(&Heard { court, base })
}

/// An event with its weighing.
struct Heard<'a> {
    court: Court<'a>,
    base: Weighing,
}

impl super::Court for Heard<'_> {
    fn testimonies(&self) -> Vec<(Testimony, (f64, f64))> {
        let Court { view, events, id, .. } = &self.court;
        let event = events.get(*id);
        let scale = view.net.scale[event.home as usize];
        let one = |r: &Reached| {
            let k = r.station as usize;
            let (x, y) =
                ((view.net.x[k] - event.loc.x) / scale, (view.net.y[k] - event.loc.y) / scale);
            (testimony(&self.court, &self.base, r), (x, y))
        };
        self.base.reached.iter().map(one).collect()
    }

    fn noise(&self) -> Vec<Noise> {
        let Court { view, events, id, .. } = &self.court;
        // Nobody has it, or an event that is itself in doubt.
        let is_open = |owner: u32| {
            owner == FREE
                || owner != *id
                    && events.ids().contains(&owner)
                    && events.get(owner).weighed.score < DOUBTFUL
        };
        let one = |hit: &Hit| {
            let ring = &view.rings[hit.station as usize];
            let t = ring.t[ring.index(hit.position)];
            let near = ring.from(t - STORM_S)..ring.from(t + STORM_S);
            let ln_false = view.net.habit[hit.station as usize].ln_false;
            Noise {
                own: 1,
                others: near.filter(|index| is_open(ring.owner[*index])).count() as u32,
                span_s: 2.0 * STORM_S,
                usual: libm::exp(ln_false),
                ln_assumed: ln_false,
                ln_width: 0.0,
            }
        };
        events.get(*id).hits.iter().map(one).collect()
    }

    fn elsewhere(&self) -> Vec<Elsewhere> {
        elsewhere(&self.court, &self.base)
    }

    fn rivals(&self) -> Vec<Rival> {
        rivals(&self.court)
    }

    fn more(&self, quiet: &Testimony) -> Option<More> {
        more(&self.court, &self.base, quiet)
    }
}

/// Probability that what a station heard is the event's own.
fn own(event: &Live, station: u32) -> Option<f64> {
    let at = event.hits.binary_search_by(|hit| hit.station.cmp(&station)).ok()?;
    event.tie.own.get(at).map(|own| f64::from(*own))
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
                own: own(court.events.get(court.id), r.station),
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
    found.into_iter().map(|(one, ..)| one).collect()
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
    rivals
}

/// What it would change if a station that said nothing had heard the event.
fn more(court: &Court, base: &Weighing, s: &Testimony) -> Option<More> {
    let view = &court.view;
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
    let index = rings[k].put(s.due_s, pick)?;
    let hit = Hit { station: s.station, position: rings[k].position(index) };
    let own = &court.events.get(court.id).hits;
    let silent = matches!(s.says, Says::Down)
        .then(|| court.weigh(own, Suppose::Listening(s.station), false).probability);
    let mut hits = own.clone();
    hits.push(hit);
    hits.sort_by_key(|h| h.station);
    let view = View { rings: &rings, ..court.view };
    let with = Court { view, ..*court }.weigh(&hits, Suppose::Nothing, true);
    Some(More {
        station: s.station,
        phase: None,
        heard: with.probability,
        silent,
        error: with.error_m / base.error_m.max(1e-9),
    })
}
