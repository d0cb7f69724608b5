//! What satellites and people make of it: thermal pixels and reports.

use std::fmt::Write as _;

use chance::Chance;
use domain::LatLon;

use crate::deception::{Attack, AttackKind};
use crate::land::Line;
use crate::plane::{Plane, Spot};
use crate::scenario::{Front, Innocent};
use crate::sheet::{FIRE, Kind, Role};
use crate::volleys::Event;
use crate::write::{fixed, id, whole};

/// A line of the stream that is no sound, and the events behind it.
pub(crate) struct Other {
    /// When it reaches the centre, s.
    pub(crate) recv_s: f64,
    /// `T` or `R`.
    pub(crate) letter: char,
    /// The object without its id: from `"recv"` to the end.
    pub(crate) body: String,
    /// Events behind it, by index.
    pub(crate) events: Vec<usize>,
}

/// Overpasses of a day: three satellites, twice each.
const PASSES_PER_DAY: f64 = 6.0;
/// Share of overpasses with a clear sky.
const CLEAR: f64 = 0.6;
/// Fires of no concern in a kilometre of the front, as seen by one overpass.
const BACKGROUND_PER_KM: f64 = 0.012;
/// Pixel at nadir, km, and how its cross-track side grows faster than the other
/// (VIIRS 375 m: 0.39 by 0.36 km at nadir, 0.8 by 0.8 at the swath's edge).
const PIXEL: (f64, f64) = (0.375, 1.45);
/// Error of the geolocation, standard deviation of each axis, km.
const GEOLOCATION_KM: f64 = 0.1;
/// Power of fires: median, MW, and standard deviation of its logarithm.
const POWER: (f64, f64) = (5.0, 0.9);
/// How long fires burn: median, h, and standard deviation of the logarithm.
const BURNS: (f64, f64) = (2.5, 0.9);
/// How long until pixels arrive: least and most, s.
const PIXEL_DELAY_S: (f64, f64) = (2400.0, 10_800.0);
/// Share of volleys that somebody reports, and of reports of nothing.
const REPORTED: (f64, f64) = (0.12, 0.2);

/// The probability that a sound of this kind sets something on fire.
fn ignites(event: &Event) -> f64 {
    match (event.kind, event.role) {
        (Kind::Artillery, Role::Impact) => 0.02,
        (Kind::Mortar, Role::Impact) => 0.01,
        (Kind::Rocket, Role::Impact) => 0.03,
        (Kind::AirStrike, _) => 0.3,
        (Kind::Thunder, _) => 0.002,
        _ => 0.0,
    }
}

/// A fire.
struct Blaze {
    spot: Spot,
    from_s: f64,
    to_s: f64,
    power_mw: f64,
    event: Option<usize>,
}

/// Everything that is no sound, by when it arrives.
pub(crate) fn others(
    front: &Front,
    innocent: &Innocent,
    events: &[Event],
    attacks: &[Attack],
    plane: &Plane,
    line: &Line,
    seed: u64,
) -> Vec<Other> {
    let mut all = pixels(front, innocent, events, plane, line, &mut Chance::new(seed, "pixels"));
    all.extend(reports(front, events, attacks, plane, line, &mut Chance::new(seed, "reports")));
    all.sort_by(|a, b| a.recv_s.total_cmp(&b.recv_s).then(a.body.cmp(&b.body)));
    all
}

fn log_normal((median, sd): (f64, f64), chance: &mut Chance) -> f64 {
    median * libm::exp(sd * chance.normal())
}

fn pixels(
    front: &Front,
    innocent: &Innocent,
    events: &[Event],
    plane: &Plane,
    line: &Line,
    chance: &mut Chance,
) -> Vec<Other> {
    let length_s = front.hours * 3600.0;
    let mut blazes = Vec::new();
    for (index, event) in events.iter().enumerate() {
        if chance.happens(ignites(event)) {
            let from_s = event.t_s + chance.exponential(300.0);
            blazes.push(Blaze {
                spot: event.spot,
                from_s,
                to_s: from_s + 3600.0 * log_normal(BURNS, chance),
                power_mw: log_normal(POWER, chance),
                event: Some(index),
            });
        }
    }
    for _ in 0..chance.poisson_large(innocent.harvest_fire_per_day * front.hours / 24.0) {
        let from_s = chance.between(0.0, length_s);
        blazes.push(Blaze {
            spot: anywhere(front, line, 15.0, chance),
            from_s,
            to_s: from_s + 3600.0 * log_normal((2.0, 0.6), chance),
            power_mw: log_normal((12.0, 0.8), chance),
            event: None,
        });
    }
    let mut all = Vec::new();
    for _ in 0..chance.poisson_large(PASSES_PER_DAY * front.hours / 24.0) {
        let t_s = domain::probability::rounded(chance.between(0.0, length_s), 1);
        let heading_deg = if chance.happens(0.5) { 11.0 } else { -11.0 };
        let stretch = 1.0 + 0.9 * chance.between(0.0, 1.0) * chance.between(0.0, 1.0);
        let along_km = PIXEL.0 * stretch;
        let cross_km = PIXEL.0 * libm::exp(PIXEL.1 * libm::log(stretch));
        if !chance.happens(CLEAR) {
            continue;
        }
        let mut seen: Vec<(Spot, f64, Option<usize>)> = Vec::new();
        for blaze in &blazes {
            // Half of the fires of 2 MW are found, nearly all of 10 MW.
            let found = blaze.power_mw / (blaze.power_mw + 2.0);
            if (blaze.from_s..blaze.to_s).contains(&t_s) && chance.happens(found) {
                let power_mw = blaze.power_mw * libm::exp(0.3 * chance.normal());
                seen.push((blaze.spot, power_mw, blaze.event));
            }
        }
        for _ in 0..chance.poisson_large(BACKGROUND_PER_KM * front.front_km) {
            seen.push((anywhere(front, line, 25.0, chance), log_normal(POWER, chance), None));
        }
        let heading = heading_deg * std::f64::consts::PI / 180.0;
        let (sin, cos) = libm::sincos(heading);
        for (spot, power_mw, event) in seen {
            let across = cross_km * chance.between(-0.5, 0.5) + GEOLOCATION_KM * chance.normal();
            let ahead = along_km * chance.between(-0.5, 0.5) + GEOLOCATION_KM * chance.normal();
            let centre = Spot {
                x_km: spot.x_km + across * cos + ahead * sin,
                y_km: spot.y_km - across * sin + ahead * cos,
            };
            let recv_s = t_s + chance.between(PIXEL_DELAY_S.0, PIXEL_DELAY_S.1);
            let mut body = begun(recv_s, "thermal");
            number(&mut body, "t", t_s, 1);
            place(&mut body, plane.position(centre), 5);
            number(&mut body, "along_km", along_km, 3);
            number(&mut body, "cross_km", cross_km, 3);
            number(&mut body, "heading_deg", heading_deg, 1);
            number(&mut body, "geo_sigma_km", GEOLOCATION_KM, 1);
            number(&mut body, "frp_mw", power_mw, 2);
            body.push('}');
            all.push(Other { recv_s, letter: 'T', body, events: event.into_iter().collect() });
        }
    }
    all
}

fn anywhere(front: &Front, line: &Line, across_km: f64, chance: &mut Chance) -> Spot {
    let y_km = chance.between(-0.5, 0.5) * front.front_km;
    Spot { x_km: line.x_km(y_km) + across_km * chance.between(-1.0, 1.0), y_km }
}

/// What a report claims.
struct Claim {
    spot: Spot,
    t_s: f64,
    kind: Kind,
    count: f64,
    events: Vec<usize>,
}

fn reports(
    front: &Front,
    events: &[Event],
    attacks: &[Attack],
    plane: &Plane,
    line: &Line,
    chance: &mut Chance,
) -> Vec<Other> {
    let length_s = front.hours * 3600.0;
    let mut volleys: std::collections::BTreeMap<usize, Vec<usize>> =
        std::collections::BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let lands = event.role == Role::Impact
            || event.kind == Kind::SmallArms
            || (front.single && event.role == Role::Muzzle);
        if lands {
            volleys.entry(event.volley).or_default().push(index);
        }
    }
    let mut claims = Vec::new();
    for (_, members) in volleys {
        if !chance.happens(REPORTED.0) {
            continue;
        }
        let first = &events[members[0]];
        claims.push(Claim {
            spot: first.spot,
            t_s: first.t_s,
            kind: first.kind,
            count: members.len() as f64,
            events: members,
        });
    }
    let false_ones = chance.poisson(claims.len() as f64 * REPORTED.1);
    for _ in 0..false_ones {
        claims.push(Claim {
            spot: anywhere(front, line, 10.0, chance),
            t_s: chance.between(0.0, length_s),
            kind: chance.one_of(&FIRE).kind,
            count: 4.0,
            events: Vec::new(),
        });
    }
    let mut all = Vec::new();
    for claim in claims {
        all.push(report(&claim, plane, chance));
    }
    for attack in attacks.iter().filter(|attack| attack.kind == AttackKind::StagedReport) {
        let claim = Claim {
            spot: attack.spot,
            t_s: attack.t_s,
            kind: Kind::Artillery,
            count: 6.0,
            events: Vec::new(),
        };
        let body = report(&claim, plane, chance);
        // Wires repeat the text: only when it arrives differs.
        for _ in 0..chance.below(6) {
            let recv_s = body.recv_s + chance.exponential(1800.0);
            let begin = begun(recv_s, "report");
            let rest = body.body.find("\"t_start\"").expect("every report has a window");
            let copy = format!("{begin}{}", &body.body[rest - 1..]);
            all.push(Other { recv_s, letter: 'R', body: copy, events: Vec::new() });
        }
        all.push(body);
    }
    all
}

/// The widths of the windows that reports give, s.
const WINDOWS_S: [f64; 3] = [600.0, 3600.0, 7200.0];

fn report(claim: &Claim, plane: &Plane, chance: &mut Chance) -> Other {
    let width_s = *chance.one_of(&WINDOWS_S);
    // One in seven windows misses the event by up to its own width.
    let into =
        if chance.happens(0.85) { chance.between(0.0, 1.0) } else { chance.between(-1.0, 2.0) };
    let start_s = libm::round(claim.t_s - into * width_s);
    let radius_km = chance.between(2.0, 7.0);
    let spot = Spot {
        x_km: claim.spot.x_km + 0.4 * radius_km * chance.normal(),
        y_km: claim.spot.y_km + 0.4 * radius_km * chance.normal(),
    };
    let kind = if chance.happens(0.75) { claim.kind } else { chance.one_of(&FIRE).kind };
    let count = libm::round(claim.count * libm::exp(0.4 * chance.normal())).max(1.0);
    let recv_s = claim.t_s.max(start_s + width_s) + 600.0 + log_normal((7200.0, 0.6), chance);
    let mut body = begun(recv_s, "report");
    number(&mut body, "t_start", start_s, 1);
    number(&mut body, "t_end", start_s + width_s, 1);
    place(&mut body, plane.position(spot), 4);
    number(&mut body, "radius_km", radius_km, 1);
    write!(body, ",\"claimed_type\":\"{}\",\"claimed_count\":", kind.name())
        .expect("a string takes everything");
    whole(&mut body, count as u64);
    body.push('}');
    Other { recv_s, letter: 'R', body, events: claim.events.clone() }
}

fn begun(recv_s: f64, kind: &str) -> String {
    let mut body = String::from("\"recv\":");
    fixed(&mut body, recv_s, 2);
    write!(body, ",\"kind\":\"{kind}\"").expect("a string takes everything");
    body
}

fn number(body: &mut String, name: &str, value: f64, decimals: usize) {
    write!(body, ",\"{name}\":").expect("a string takes everything");
    fixed(body, value, decimals);
}

fn place(body: &mut String, at: LatLon, decimals: usize) {
    number(body, "lat", at.lat(), decimals);
    number(body, "lon", at.lon(), decimals);
}

impl Other {
    /// The line of the stream under this number.
    pub(crate) fn line(&self, nth: u64, out: &mut String) {
        out.push_str("{\"id\":\"");
        id(out, self.letter, nth);
        out.push_str("\",");
        out.push_str(&self.body);
        out.push('\n');
    }
}
