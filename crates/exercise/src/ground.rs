//! The made-up land: coasts, districts, settlements, and the front across it.

use domain::LatLon;

use chance::Chance;

/// Kilometres of a degree of latitude, and of longitude at 46 north.
const KM_LAT: f64 = 111.2;
const KM_LON: f64 = 77.4;

const WEST: f64 = -35.95;
/// Length of the front from coast to coast, kilometres.
pub(crate) const FRONT_KM: f64 = 300.0;
const EAST: f64 = WEST + FRONT_KM / KM_LON;
const NORTH: f64 = 47.4;
const SOUTH: f64 = 44.6;
const MIDDLE: f64 = 46.0;

/// Name, code and corner cells of the districts: column from the west, and
/// whether north of the middle parallel.
pub(crate) const DISTRICTS: [(&str, &str, u8, bool); 6] = [
    ("Arvel", "VA-1", 0, true),
    ("Brune", "VA-2", 1, true),
    ("Calder", "VA-3", 2, true),
    ("Dorrin", "VA-4", 0, false),
    ("Eskmar", "VA-5", 1, false),
    ("Fennow", "VA-6", 2, false),
];

/// A settlement.
pub(crate) struct Settlement {
    pub name: String,
    pub at: LatLon,
    pub population: f64,
    pub district: usize,
}

/// A place by the front: kilometres along it from the west, and across it,
/// positive to the north.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ByFront {
    pub along_km: f64,
    pub across_km: f64,
}

/// The land.
pub(crate) struct Ground {
    /// Waves of the front: amplitude in degrees, wave number, phase.
    waves: Vec<(f64, f64, f64)>,
    pub settlements: Vec<Settlement>,
}

pub(crate) fn position(lat: f64, lon: f64) -> LatLon {
    let round = |degrees: f64| domain::probability::rounded(degrees, 5);
    LatLon::new(round(lat), round(lon)).expect("the exercise stays on the globe")
}

/// Distance in kilometres, flat: the land is small.
pub(crate) fn km_between(a: LatLon, b: LatLon) -> f64 {
    libm::hypot((a.lat() - b.lat()) * KM_LAT, (a.lon() - b.lon()) * KM_LON)
}

/// Moved by kilometres to the north and to the east.
pub(crate) fn moved(at: LatLon, north_km: f64, east_km: f64) -> LatLon {
    position(at.lat() + north_km / KM_LAT, at.lon() + east_km / KM_LON)
}

impl Ground {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        let waves = (1..=6)
            .map(|number| {
                let number = f64::from(number);
                let amplitude = chance.between(0.04, 0.11) / libm::sqrt(number);
                (amplitude, number, chance.between(0.0, std::f64::consts::TAU))
            })
            .collect();
        let mut ground = Self { waves, settlements: Vec::new() };
        ground.settle(chance);
        ground
    }

    fn settle(&mut self, chance: &mut Chance) {
        const COUNT: usize = 150;
        const APART_KM: f64 = 6.0;
        while self.settlements.len() < COUNT {
            // Every other one lies near the front.
            let at = if chance.happens(0.5) {
                let across_km = chance.normal() * 14.0;
                self.at(ByFront { along_km: chance.between(6.0, FRONT_KM - 6.0), across_km })
            } else {
                position(
                    chance.between(SOUTH + 0.15, NORTH - 0.15),
                    chance.between(WEST + 0.1, EAST - 0.1),
                )
            };
            if self.settlements.iter().any(|other| km_between(other.at, at) < APART_KM) {
                continue;
            }
            let name = self.new_name(chance);
            let population = match self.settlements.len() {
                0..4 => chance.between(120_000.0, 420_000.0),
                4..20 => chance.between(12_000.0, 60_000.0),
                _ => chance.between(300.0, 9_000.0),
            };
            let district = district_of(at);
            self.settlements.push(Settlement {
                name,
                at,
                population: libm::round(population),
                district,
            });
        }
    }

    fn new_name(&self, chance: &mut Chance) -> String {
        const FIRST: [&str; 16] = [
            "Al", "Bar", "Cor", "Dun", "El", "Far", "Gal", "Hol", "Is", "Kar", "Lor", "Mar", "Nor",
            "Os", "Tal", "Ul",
        ];
        const MIDDLE: [&str; 8] = ["a", "en", "i", "o", "u", "ar", "el", "is"];
        const LAST: [&str; 10] =
            ["by", "dale", "ford", "garth", "holm", "mere", "stad", "ton", "vik", "wick"];
        loop {
            let name = format!(
                "{}{}{}",
                chance.one_of(&FIRST),
                chance.one_of(&MIDDLE),
                chance.one_of(&LAST)
            );
            // No name may be the beginning of another: texts are matched by
            // the beginnings of words.
            let clash =
                |other: &Settlement| other.name.starts_with(&name) || name.starts_with(&other.name);
            if !self.settlements.iter().any(clash) {
                return name;
            }
        }
    }

    /// Latitude of the front before anybody advances.
    fn front_lat(&self, along_km: f64) -> f64 {
        let turn = std::f64::consts::PI * along_km / FRONT_KM;
        MIDDLE
            + self
                .waves
                .iter()
                .map(|(amplitude, number, phase)| amplitude * libm::sin(turn * number + phase))
                .sum::<f64>()
    }

    /// A place by the front as a position.
    pub(crate) fn at(&self, place: ByFront) -> LatLon {
        position(
            self.front_lat(place.along_km) + place.across_km / KM_LAT,
            WEST + place.along_km / KM_LON,
        )
    }

    /// The front from west to east after some advances: where along it, and
    /// how deep to the south, kilometres.
    pub(crate) fn front(&self, advances: &[(f64, f64)]) -> Vec<LatLon> {
        const STEP_KM: f64 = 1.5;
        const WIDTH_KM: f64 = 3.0;
        (0..=(FRONT_KM / STEP_KM) as u32)
            .map(|step| {
                let along_km = f64::from(step) * STEP_KM;
                let depth_km: f64 = advances
                    .iter()
                    .map(|(at, depth)| {
                        let apart = (along_km - at) / WIDTH_KM;
                        depth * libm::exp(-apart * apart)
                    })
                    .sum();
                self.at(ByFront { along_km, across_km: -depth_km })
            })
            .collect()
    }

    /// The coast, as a closed ring: a box with bays.
    pub(crate) fn land() -> Vec<LatLon> {
        let corners = [(SOUTH, WEST), (SOUTH, EAST), (NORTH, EAST), (NORTH, WEST), (SOUTH, WEST)];
        let mut ring = Vec::new();
        for side in corners.windows(2) {
            let ((lat, lon), (to_lat, to_lon)) = (side[0], side[1]);
            for step in 0..24 {
                let share = f64::from(step) / 24.0;
                // Bays only bite into the land; at the front's ends there are none.
                let bay = 0.03 * libm::sin(share * 9.0 * std::f64::consts::PI).abs();
                let inland = bay * libm::fabs(share - 0.5).min(0.2) * 5.0;
                let (lat, lon) = (lat + share * (to_lat - lat), lon + share * (to_lon - lon));
                let toward = |from: f64, middle: f64| from + inland * (middle - from).signum();
                ring.push(if side[0].0 == side[1].0 {
                    position(toward(lat, MIDDLE), lon)
                } else {
                    position(lat, toward(lon, f64::midpoint(WEST, EAST)))
                });
            }
        }
        ring.push(ring[0]);
        ring
    }

    /// What the northern side holds: everything north of a front.
    pub(crate) fn held_by_north(front: &[LatLon]) -> Vec<LatLon> {
        let mut ring = front.to_vec();
        ring.push(position(NORTH + 0.1, EAST));
        ring.push(position(NORTH + 0.1, WEST));
        ring.push(front[0]);
        ring
    }

    /// The box of a district as a closed ring.
    pub(crate) fn district(index: usize) -> Vec<LatLon> {
        let (_, _, column, north) = DISTRICTS[index];
        let width = (EAST - WEST) / 3.0;
        let west = WEST + width * f64::from(column);
        let (south, top) = if north { (MIDDLE, NORTH) } else { (SOUTH, MIDDLE) };
        let east = west + width;
        [(south, west), (south, east), (top, east), (top, west), (south, west)]
            .map(|(lat, lon)| position(lat, lon))
            .to_vec()
    }

    /// A box across the front, `wide_km` along it and `high_km` across it.
    pub(crate) fn across_front(&self, along_km: f64, wide_km: f64, high_km: f64) -> Vec<LatLon> {
        let corner = |along: f64, across: f64| {
            let middle = self.at(ByFront { along_km, across_km: 0.0 });
            moved(middle, across * high_km / 2.0, along * wide_km / 2.0)
        };
        vec![
            corner(-1.0, -1.0),
            corner(1.0, -1.0),
            corner(1.0, 1.0),
            corner(-1.0, 1.0),
            corner(-1.0, -1.0),
        ]
    }

    /// The settlement nearest to a position.
    pub(crate) fn nearest(&self, at: LatLon) -> &Settlement {
        self.settlements
            .iter()
            .min_by(|a, b| km_between(a.at, at).total_cmp(&km_between(b.at, at)))
            .expect("the land is settled")
    }

    /// A position anywhere on land.
    pub(crate) fn anywhere(chance: &mut Chance) -> LatLon {
        position(
            chance.between(SOUTH + 0.05, NORTH - 0.05),
            chance.between(WEST + 0.05, EAST - 0.05),
        )
    }
}

fn district_of(at: LatLon) -> usize {
    let column = (((at.lon() - WEST) / (EAST - WEST) * 3.0) as u8).min(2);
    DISTRICTS
        .iter()
        .position(|(_, _, of, north)| *of == column && *north == (at.lat() >= MIDDLE))
        .expect("the districts cover the land")
}
