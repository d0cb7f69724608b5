//! The red team: detections and reports of what never took place.

use chance::{Chance, Streams};
use domain::LatLon;

use crate::hearing::{Arrival, Network, Source};
use crate::land::{Line, rounded};
use crate::plane::{self, Plane, Spot};
use crate::scenario::{Deception, Front};
use crate::sheet::{self, Kind, Role};
use crate::volleys::Event;

/// How somebody tries to deceive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AttackKind {
    /// Right times, wrong levels, put in at held sensors.
    Spoofed,
    /// Times and levels of a round, put in at held sensors; the others are silent.
    Fitted,
    /// Real detections put in again later.
    Replayed,
    /// Detections at one sensor.
    SingleSensor,
    /// Reports.
    StagedReport,
}

impl AttackKind {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Spoofed, Self::Fitted, Self::Replayed, Self::SingleSensor, Self::StagedReport];

    /// Its name in data sets.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spoofed => "spoofed",
            Self::Fitted => "fitted",
            Self::Replayed => "replayed",
            Self::SingleSensor => "single_sensor",
            Self::StagedReport => "staged_report",
        }
    }
}

/// One made-up round.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    /// How.
    pub(crate) kind: AttackKind,
    /// When it is said to have taken place, s.
    pub(crate) t_s: f64,
    /// Where.
    pub(crate) at: LatLon,
    /// The same on the plane.
    pub(crate) spot: Spot,
    /// The event whose detections are put in again, and how much later, s.
    pub(crate) replay: Option<(usize, f64)>,
    /// The sensors that the attacker holds, drawn from this number: rounds of
    /// one attack come from the same hand.
    hand: u64,
}

/// Held sensors lie within this distance of the made-up round, km.
const HELD_WITHIN_KM: f64 = 12.0;

/// Every made-up round, in order of time.
pub(crate) fn attacks(
    front: &Front,
    deception: &Deception,
    events: &[Event],
    plane: &Plane,
    line: &Line,
    seed: u64,
) -> Vec<Attack> {
    let mut chance = Chance::new(seed, "attacks");
    let days = front.hours / 24.0;
    let length_s = front.hours * 3600.0;
    let mut all = Vec::new();
    let mut hand = 0;
    for kind in AttackKind::ALL {
        let rate = match kind {
            AttackKind::Spoofed => deception.spoofed_per_day,
            AttackKind::Fitted => deception.fitted_per_day,
            AttackKind::Replayed => deception.replayed_per_day,
            AttackKind::SingleSensor => deception.single_sensor_per_day,
            AttackKind::StagedReport => deception.staged_report_per_day,
        };
        for _ in 0..chance.poisson_large(rate * days) {
            hand += 1;
            let start_s = chance.between(0.0, length_s);
            let y_km = chance.between(-0.5, 0.5) * front.front_km;
            let x_km = line.x_km(y_km) + 7.0 * chance.between(-1.0, 1.0);
            let at = rounded(plane.position(Spot { x_km, y_km }));
            let made =
                |t_s: f64| Attack { kind, t_s, at, spot: plane.spot(at), replay: None, hand };
            match kind {
                AttackKind::Replayed => {
                    if events.is_empty() {
                        continue;
                    }
                    let volley = events[chance.below(events.len())].volley;
                    let later_s = chance.between(60.0, 7200.0);
                    all.extend(events.iter().enumerate().filter(|(_, e)| e.volley == volley).map(
                        |(index, event)| Attack {
                            at: event.at,
                            spot: event.spot,
                            replay: Some((index, later_s)),
                            ..made(event.t_s + later_s)
                        },
                    ));
                }
                AttackKind::StagedReport => all.push(made(start_s)),
                _ => {
                    let rounds =
                        if kind == AttackKind::SingleSensor { 8 } else { 1 + chance.below(4) };
                    let mut t_s = start_s;
                    for _ in 0..rounds {
                        all.push(made(domain::probability::rounded(t_s, 4)));
                        t_s += chance.between(2.0, 5.0);
                    }
                }
            }
        }
    }
    all.retain(|attack| attack.t_s < length_s);
    all.sort_by(|a, b| a.t_s.total_cmp(&b.t_s).then(a.hand.cmp(&b.hand)).then(a.kind.cmp(&b.kind)));
    all
}

/// What an attack puts in; replays are made where the event is heard.
pub(crate) fn put_in(
    network: &Network,
    attack: &Attack,
    index: u32,
    held_frac: f64,
    seed: u64,
    chance: &mut Chance,
    mut taken: impl FnMut(Arrival),
) {
    let event = Event {
        t_s: attack.t_s,
        at: attack.at,
        spot: attack.spot,
        ecef: plane::at_height(attack.at, sheet::GROUND_M),
        kind: Kind::Artillery,
        role: Role::Impact,
        level_db: 116.0 + sheet::LEVEL_SD_DB * chance.normal(),
        volley: 0,
    };
    let near = || {
        network
            .near(event.spot.y_km, HELD_WITHIN_KM)
            .filter(|sensor| network.sensors[*sensor].spot.km_to(event.spot) < HELD_WITHIN_KM)
    };
    let hands = Streams::new(seed, "hands");
    let mut hand = hands.nth(attack.hand);
    match attack.kind {
        AttackKind::Spoofed | AttackKind::Fitted => {
            for sensor in near() {
                if !hand.happens(held_frac) {
                    continue;
                }
                let spoofed = attack.kind == AttackKind::Spoofed;
                // A round that is made up in full is as loud as it needs to be
                // for its time to be written at every held sensor.
                let loud = Event { level_db: 200.0, ..event.clone() };
                let source = Source::Attack(index);
                let made = if spoofed { &loud } else { &event };
                if let Some(mut arrival) = network.arrival(made, sensor, source, chance) {
                    if spoofed {
                        arrival.snr_db =
                            sheet::ALARM_SNR_DB.0 + chance.exponential(sheet::ALARM_SNR_DB.1);
                        arrival.level_db = network.sensors[sensor].floor_db + arrival.snr_db;
                    }
                    arrival.path = None;
                    taken(arrival);
                }
            }
        }
        AttackKind::SingleSensor => {
            let Some(sensor) = near().min_by(|a, b| {
                let far = |index: &usize| network.sensors[*index].spot.km_to(event.spot);
                far(a).total_cmp(&far(b))
            }) else {
                return;
            };
            let source = Source::Attack(index);
            let loud = Event { level_db: 130.0, ..event };
            if let Some(mut arrival) = network.arrival(&loud, sensor, source, chance) {
                arrival.path = None;
                taken(arrival);
            }
        }
        AttackKind::Replayed | AttackKind::StagedReport => {}
    }
}
