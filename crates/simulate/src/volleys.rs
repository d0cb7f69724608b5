//! What truly happens: volleys, round by round, and innocent noises.

use chance::{Chance, Streams};
use domain::LatLon;
use domain::ecef::Ecef;

use crate::land::{Line, rounded};
use crate::plane::{self, Plane, Spot};
use crate::scenario::{Front, Innocent};
use crate::sheet::{self, FIRE, Fire, Kind, Role};

/// One sound at its source.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Origin time, s.
    pub(crate) t_s: f64,
    /// Where.
    pub(crate) at: LatLon,
    /// The same on the plane.
    pub(crate) spot: Spot,
    /// The same in space, on the ellipsoid.
    pub(crate) ecef: Ecef,
    /// What.
    pub(crate) kind: Kind,
    /// Which end.
    pub(crate) role: Role,
    /// Source level, dB at 1 km.
    pub(crate) level_db: f64,
    /// Which volley, storm or blast.
    pub(crate) volley: usize,
}

/// Kilometres along the front about which the fighting gathers, by how much,
/// and how widely.
#[derive(Clone, Debug)]
struct HotSpots(Vec<(f64, f64)>);

/// Fighting gathers once in so many kilometres of the front.
const HOT_SPOT_KM: f64 = 60.0;
/// How far it spreads about such a place, km.
const HOT_SPOT_SD_KM: f64 = 7.0;
/// Volleys keep clear of the ends of the front by this part of its length, where
/// nobody listens on the far side.
const CLEAR_OF_ENDS: f64 = 0.05;
/// Share of volleys anywhere along the front.
const ANYWHERE: f64 = 0.15;

impl HotSpots {
    fn new(front_km: f64, chance: &mut Chance) -> Self {
        let count = (libm::round(front_km / HOT_SPOT_KM) as usize).max(2);
        let spots =
            (0..count).map(|_| (within_ends(front_km, chance), chance.exponential(1.0))).collect();
        Self(spots)
    }

    fn draw(&self, front_km: f64, chance: &mut Chance) -> f64 {
        let end_km = (0.5 - CLEAR_OF_ENDS) * front_km;
        if !chance.happens(ANYWHERE) {
            let middle_km = chance.weighted(&self.0);
            // A place by the very end may need more than one try.
            for _ in 0..8 {
                let y_km = middle_km + HOT_SPOT_SD_KM * chance.normal();
                if libm::fabs(y_km) <= end_km {
                    return y_km;
                }
            }
        }
        within_ends(front_km, chance)
    }
}

fn within_ends(front_km: f64, chance: &mut Chance) -> f64 {
    chance.between(CLEAR_OF_ENDS - 0.5, 0.5 - CLEAR_OF_ENDS) * front_km
}

/// Everything that sounds, in order of time.
pub(crate) fn events(
    front: &Front,
    innocent: &Innocent,
    plane: &Plane,
    line: &Line,
    seed: u64,
) -> Vec<Event> {
    let mut chance = Chance::new(seed, "volleys");
    let hot = HotSpots::new(front.front_km, &mut chance);
    let shares: Vec<(usize, f64)> = (0..FIRE.len())
        .map(|index| (index, front.mix.map_or(FIRE[index].share, |mix| mix[index])))
        .collect();
    let total: f64 = shares.iter().map(|(_, share)| share).sum();
    let per_volley = if front.single {
        1.0
    } else {
        shares.iter().map(|(i, share)| share * events_of(&FIRE[*i])).sum::<f64>() / total
    };
    let length_s = front.hours * 3600.0;
    let mean = front.events_per_day * front.hours / 24.0 / per_volley;
    let count = if total > 0.0 { chance.poisson_large(mean) } else { 0 };
    let own = Streams::new(seed, "volley");
    let mut events = Vec::new();
    for volley in 0..count {
        let mut chance = own.nth(volley as u64);
        let fire = &FIRE[chance.weighted(&shares)];
        let start_s = chance.between(0.0, length_s);
        let y_km = hot.draw(front.front_km, &mut chance);
        let mut taken = Volley { front, plane, line, volley, events: &mut events };
        taken.fire(fire, start_s, y_km, &mut chance);
    }
    innocent_noises(front, innocent, plane, line, count, seed, &mut events);
    events.retain(|event| event.t_s < length_s);
    events.sort_by(|a, b| {
        a.t_s.total_cmp(&b.t_s).then(a.volley.cmp(&b.volley)).then(a.role.cmp(&b.role))
    });
    events
}

/// Expected events of a volley.
fn events_of(fire: &Fire) -> f64 {
    let ends = usize::from(fire.muzzle_db.is_some()) + usize::from(fire.impact_db.is_some());
    fire.rounds.mean() * ends as f64
}

struct Volley<'a> {
    front: &'a Front,
    plane: &'a Plane,
    line: &'a Line,
    volley: usize,
    events: &'a mut Vec<Event>,
}

impl Volley<'_> {
    fn fire(&mut self, fire: &Fire, start_s: f64, y_km: f64, chance: &mut Chance) {
        let side = if chance.happens(0.5) { 1.0 } else { -1.0 };
        let behind_km = chance.between(fire.behind_km.0, fire.behind_km.1);
        let battery = Spot { x_km: self.line.x_km(y_km) + side * behind_km, y_km };
        let aim_y_km = y_km + fire.aside_km * chance.normal();
        let beyond_km = chance.between(fire.beyond_km.0, fire.beyond_km.1);
        let aim = Spot { x_km: self.line.x_km(aim_y_km) - side * beyond_km, y_km: aim_y_km };
        let tubes: Vec<Spot> =
            (0..sheet::TUBES).map(|_| scattered(battery, fire.position_km, chance)).collect();
        let flight_s = battery.km_to(aim) / fire.speed_km_s;
        let rounds = if self.front.single { 1 } else { fire.rounds.draw(chance) };
        let mut t_s = start_s;
        for round in 0..rounds {
            if round > 0 {
                t_s += chance.between(fire.spacing_s.0, fire.spacing_s.1);
            }
            if let Some(level_db) = fire.muzzle_db {
                self.sound(
                    fire.kind,
                    Role::Muzzle,
                    t_s,
                    tubes[round % tubes.len()],
                    level_db,
                    chance,
                );
            }
            let Some(level_db) = fire.impact_db else { continue };
            if fire.muzzle_db.is_none() {
                let spot = scattered(battery, fire.position_km, chance);
                self.sound(fire.kind, Role::Impact, t_s, spot, level_db, chance);
            } else if !self.front.single {
                let lands_s = t_s + flight_s * (1.0 + sheet::FLIGHT_SD * chance.normal());
                let spot = scattered(aim, sheet::DISPERSION_KM, chance);
                self.sound(fire.kind, Role::Impact, lands_s, spot, level_db, chance);
            }
        }
    }

    fn sound(
        &mut self,
        kind: Kind,
        role: Role,
        t_s: f64,
        spot: Spot,
        mean_db: f64,
        chance: &mut Chance,
    ) {
        let at = rounded(self.plane.position(spot));
        self.events.push(Event {
            t_s: domain::probability::rounded(t_s, 4),
            at,
            spot: self.plane.spot(at),
            ecef: plane::at_height(at, sheet::GROUND_M),
            kind,
            role,
            level_db: mean_db + sheet::LEVEL_SD_DB * chance.normal(),
            volley: self.volley,
        });
    }
}

fn scattered(about: Spot, sd_km: f64, chance: &mut Chance) -> Spot {
    Spot { x_km: about.x_km + sd_km * chance.normal(), y_km: about.y_km + sd_km * chance.normal() }
}

/// Level of a clap of thunder, of a quarry and of a controlled blast, dB at
/// 1 km: as loud as an air strike, as an impact, and in between.
const INNOCENT_DB: [f64; 3] = [124.0, 116.0, 120.0];
/// Claps of a storm, and how widely they spread, km.
const STORM: (f64, f64) = (30.0, 6.0);
/// How far from the line quarries and blasting grounds lie, km.
const SITES_KM: f64 = 20.0;

fn innocent_noises(
    front: &Front,
    innocent: &Innocent,
    plane: &Plane,
    line: &Line,
    first: usize,
    seed: u64,
    events: &mut Vec<Event>,
) {
    let mut chance = Chance::new(seed, "innocent");
    let days = front.hours / 24.0;
    let length_s = front.hours * 3600.0;
    let mut volley = first;
    let anywhere = |chance: &mut Chance, across_km: f64| {
        let y_km = chance.between(-0.5, 0.5) * front.front_km;
        Spot { x_km: line.x_km(y_km) + across_km * chance.between(-1.0, 1.0), y_km }
    };
    let storms = chance.poisson_large(innocent.thunder_per_day * days / STORM.0);
    for _ in 0..storms {
        let (middle, start_s) = (anywhere(&mut chance, 15.0), chance.between(0.0, length_s));
        let drift_km_s = (0.01 * chance.normal(), 0.01 * chance.normal());
        for _ in 0..chance.poisson(STORM.0) {
            let into_s = chance.exponential(600.0);
            let spot = scattered(middle, STORM.1, &mut chance);
            let spot = Spot {
                x_km: spot.x_km + drift_km_s.0 * into_s,
                y_km: spot.y_km + drift_km_s.1 * into_s,
            };
            let mut one = Volley { front, plane, line, volley, events };
            one.sound(
                Kind::Thunder,
                Role::Innocent,
                start_s + into_s,
                spot,
                INNOCENT_DB[0],
                &mut chance,
            );
        }
        volley += 1;
    }
    let quarries: Vec<Spot> = (0..4).map(|_| anywhere(&mut chance, SITES_KM)).collect();
    for _ in 0..chance.poisson_large(innocent.quarry_per_day * days) {
        // Between eight and sixteen o'clock, at one of the quarries.
        let day = libm::floor(chance.between(0.0, days.max(1.0)));
        let t_s = day * 86_400.0 + chance.between(8.0, 16.0) * 3600.0;
        let face = *chance.one_of(&quarries);
        let spot = scattered(face, 0.1, &mut chance);
        let mut one = Volley { front, plane, line, volley, events };
        one.sound(Kind::Quarry, Role::Innocent, t_s, spot, INNOCENT_DB[1], &mut chance);
        volley += 1;
    }
    for _ in 0..chance.poisson_large(innocent.controlled_blast_per_day * days) {
        let spot = anywhere(&mut chance, SITES_KM);
        let mut t_s = chance.between(0.0, length_s);
        for _ in 0..=chance.below(3) {
            let spot = scattered(spot, 0.05, &mut chance);
            let mut one = Volley { front, plane, line, volley, events };
            one.sound(
                Kind::ControlledBlast,
                Role::Innocent,
                t_s,
                spot,
                INNOCENT_DB[2],
                &mut chance,
            );
            t_s += chance.between(60.0, 600.0);
        }
        volley += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{parse, shipped_text};

    #[test]
    fn the_number_of_rounds_is_as_asked_for() {
        let text = strict::Text::new("M", shipped_text("M").unwrap());
        let front = parse(&text).unwrap().front.unwrap();
        let plane = Plane::new(LatLon::new(front.lat0, front.lon0).unwrap());
        let total: usize = (0..10)
            .map(|seed| {
                let line = Line::new(&mut Chance::new(seed, "line"));
                events(&front, &Innocent::default(), &plane, &line, seed).len()
            })
            .sum();
        // About 47 volleys in 500 rounds: the sum of ten days scatters by 2 %.
        assert!((total as f64 / 50_000.0 - 1.0).abs() < 0.08, "{total}");
    }
}
