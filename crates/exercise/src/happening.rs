//! What really takes place in the exercise, before anybody reports it.

use domain::Class;
use jiff::Timestamp;

use crate::ground::{ByFront, FRONT_KM};
use chance::Chance;

/// 1 June 2031, 00:00 UTC, in seconds since 1970: the first moment.
const FIRST_S: i64 = 1_938_038_400;
/// Days from there to the last moment.
pub(crate) const DAYS: u32 = 24;
/// First and last day of the truce, in hours from the first moment.
const TRUCE_H: (f64, f64) = (246.0, 486.0);

/// Something that took place.
pub(crate) struct Event {
    /// Hours from the first moment.
    pub hour: f64,
    pub place: ByFront,
    pub class: Class,
    /// Rounds, aircraft or people.
    pub count: u32,
    /// True for a strike on a power station.
    pub energy: bool,
}

impl Event {
    pub(crate) fn moment(&self) -> Timestamp {
        moment(self.hour)
    }
}

/// A moment so many hours from the first.
pub(crate) fn moment(hour: f64) -> Timestamp {
    let first = Timestamp::from_second(FIRST_S).expect("a constant");
    domain::time::shifted(first, libm::round(hour * 3600.0))
}

/// The night between two days, in hours: events of the dark.
pub(crate) fn is_dark(hour: f64) -> bool {
    // The sun is up from about 07:30 to 22:30 UTC at 34 west in June.
    let clock = hour % 24.0;
    !(7.5..22.5).contains(&clock)
}

/// Where the front was pushed to the south, when and how deep, kilometres.
pub(crate) fn advances(truth: &[Event]) -> Vec<(f64, f64, f64)> {
    truth
        .iter()
        .filter(|event| event.class == Class::C1)
        .map(|event| (event.hour, event.place.along_km, f64::from(event.count) / 10.0))
        .collect()
}

/// Places along the front where it is never quiet: middle, width (kilometres)
/// and weight.
const HOT_SPOTS: [(f64, f64, f64); 5] =
    [(42.0, 9.0, 1.0), (88.0, 5.0, 1.6), (150.0, 12.0, 1.2), (214.0, 6.0, 2.0), (266.0, 8.0, 0.8)];

/// Events a day. Two days before the truce are as quiet as the truce itself.
fn rate(day: u32, hour: f64) -> f64 {
    let in_truce = (TRUCE_H.0..TRUCE_H.1).contains(&hour);
    match (in_truce, day) {
        (false, 3 | 7) => 9.0,
        (false, 0..=10) => 64.0,
        (false, _) => 46.0,
        (true, 10 | 11) => 8.0,
        (true, 12 | 13) => 4.0,
        // A flare-up in the second week.
        (true, 17) => 26.0,
        (true, _) => 11.0,
    }
}

/// Everything that takes place, in order of time.
pub(crate) fn truth(chance: &mut Chance) -> Vec<Event> {
    let mut events = Vec::new();
    for hour in 0..DAYS * 24 {
        let hour = f64::from(hour);
        let by_hour = if is_dark(hour) { 1.3 } else { 0.85 };
        for _ in 0..chance.poisson(rate((hour / 24.0) as u32, hour) / 24.0 * by_hour) {
            events.push(use_of_fire(hour + chance.between(0.0, 1.0), chance));
        }
    }
    // Advances: one of them shortly before the truce, so that the map shows it
    // only when the truce is on; one in it.
    for (hour, along_km, hectometres) in
        [(60.0, 86.0, 9), (150.0, 152.0, 12), (222.0, 212.0, 14), (410.0, 214.5, 6)]
    {
        events.push(Event {
            hour: hour + chance.between(0.0, 6.0),
            place: ByFront { along_km, across_km: -f64::from(hectometres) / 20.0 },
            class: Class::C1,
            count: hectometres,
            energy: false,
        });
    }
    // People under arms in the disengagement areas.
    for (hour, area_km, count) in
        [(301.0, AREAS_KM[0], 6), (349.0, AREAS_KM[1], 14), (373.0, AREAS_KM[1], 11)]
    {
        events.push(Event {
            hour: hour + chance.between(0.0, 3.0),
            place: ByFront {
                along_km: area_km + chance.between(-1.5, 1.5),
                across_km: chance.between(-1.2, 1.2),
            },
            class: Class::C4,
            count,
            energy: false,
        });
    }
    // Strikes on power stations far behind the line: before the truce but
    // after the signature, and in it.
    for hour in [228.0, 330.0, 436.0] {
        let across_km = if chance.happens(0.5) { 62.0 } else { -58.0 };
        events.push(Event {
            hour: hour + chance.between(0.0, 4.0),
            place: ByFront { along_km: chance.between(40.0, 260.0), across_km },
            class: Class::A9,
            count: 3,
            energy: true,
        });
    }
    events.sort_by(|a, b| a.hour.total_cmp(&b.hour));
    events
}

/// Middles of the disengagement areas along the front, kilometres.
pub(crate) const AREAS_KM: [f64; 2] = [80.0, 210.0];

fn use_of_fire(hour: f64, chance: &mut Chance) -> Event {
    let class = chance.weighted(&[
        (Class::A1, 30.0),
        (Class::A2, 10.0),
        (Class::A3, 22.0),
        (Class::A4, 18.0),
        (Class::A6, 4.0),
        (Class::A9, 14.0),
        (Class::A10, 2.0),
    ]);
    let along_km = if chance.happens(0.8) {
        let (middle, width, _) = chance.weighted(&HOT_SPOTS.map(|spot| (spot, spot.2)));
        (middle + width * chance.normal()).clamp(2.0, FRONT_KM - 2.0)
    } else {
        chance.between(2.0, FRONT_KM - 2.0)
    };
    let reach_km = match class {
        Class::A4 | Class::A6 => 9.0,
        Class::A9 => 7.0,
        Class::A3 => 3.0,
        _ => 0.6,
    };
    let count = 1 + match class {
        Class::A1 | Class::A2 => chance.poisson(12.0),
        Class::A3 | Class::A4 => chance.poisson(7.0),
        Class::A6 => chance.poisson(18.0),
        _ => chance.poisson(0.8),
    };
    Event {
        hour,
        place: ByFront { along_km, across_km: reach_km * chance.normal() },
        class,
        count: count as u32,
        energy: false,
    }
}
