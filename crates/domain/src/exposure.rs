//! How long ground was looked at, by day and by night: what a count has to be
//! divided by before it says anything (VERIFICATION D1 and D6).

use serde::{Deserialize, Serialize};

use crate::effort::{DayEffort, Effort, Footprint, pieces};
use crate::place::{Bounds, LatLon};
use crate::probability::rounded;
use crate::source::SourceKind;
use crate::sun;
use crate::time::Interval;

/// Whether the sun is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// It is.
    Day,
    /// It is not.
    Night,
}

impl Light {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Night];

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Night => "night",
        }
    }
}

/// Hours of one kind of light, and how many of them were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// All of them.
    pub hours: f64,
    /// Those of full effort that were looked at; for a sector, the mean over
    /// its ground.
    pub seen: f64,
}

impl Seen {
    /// In the words that stand beside a figure; none if there were no such hours.
    pub fn effort(self) -> Option<DayEffort> {
        (self.hours > 0.0).then(|| DayEffort::of_share(self.seen / self.hours))
    }
}

impl std::ops::AddAssign for Seen {
    fn add_assign(&mut self, more: Self) {
        self.hours += more.hours;
        self.seen += more.seen;
    }
}

/// The hours of one day. Written as four numbers: hours of daylight and of
/// them seen, hours of night and of them seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct ByLight {
    /// By daylight.
    pub day: Seen,
    /// In the dark.
    pub night: Seen,
}

impl From<[f64; 4]> for ByLight {
    fn from([hours, seen, dark, seen_dark]: [f64; 4]) -> Self {
        Self { day: Seen { hours, seen }, night: Seen { hours: dark, seen: seen_dark } }
    }
}

impl From<ByLight> for [f64; 4] {
    fn from(it: ByLight) -> Self {
        [it.day.hours, it.day.seen, it.night.hours, it.night.seen]
    }
}

impl ByLight {
    /// The hours of one kind of light.
    pub const fn of(&self, light: Light) -> Seen {
        match light {
            Light::Day => self.day,
            Light::Night => self.night,
        }
    }

    /// From seconds, as hours to a hundredth.
    fn from_seconds(all: f64, dark: f64, seen: f64, seen_dark: f64) -> Self {
        let hours = |seconds: f64| rounded(seconds / 3600.0, 2);
        Self {
            day: Seen { hours: hours(all - dark), seen: hours(seen) },
            night: Seen { hours: hours(dark), seen: hours(seen_dark) },
        }
    }
}

/// Sources whose looking covers ground. Reports have no such ground: where
/// nobody writes there may be nobody, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watching {
    /// Sensors and patrols of the mission.
    Mission,
    /// Satellites.
    Satellite,
}

impl Watching {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mission, Self::Satellite];

    /// Those to which a source belongs.
    pub const fn of(kind: SourceKind) -> Option<Self> {
        match kind {
            SourceKind::Satellite => Some(Self::Satellite),
            kind if kind.is_of_mission() => Some(Self::Mission),
            _ => None,
        }
    }

    /// The code used in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Mission => "mission",
            Self::Satellite => "satellite",
        }
    }

    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Mission => "sensors and patrols of the mission",
            Self::Satellite => "satellites",
        }
    }
}

/// A box of the ground with how long it was watched, day by day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sector {
    /// Its edges, degrees.
    pub bounds: Bounds,
    /// Who watched.
    pub watching: Watching,
    /// Day by day, in the zone of the case.
    pub days: std::collections::BTreeMap<jiff::civil::Date, ByLight>,
}

impl Sector {
    /// "47.5 N 37.0 E": its south-western corner.
    pub fn name(&self) -> String {
        let side = |degrees: f64, (plus, minus): (char, char)| {
            format!("{:.1} {}", degrees.abs(), if degrees < 0.0 { minus } else { plus })
        };
        format!("{} {}", side(self.bounds.south, ('N', 'S')), side(self.bounds.west, ('E', 'W')))
    }

    /// Whether a place lies in it; of two neighbours only one holds their edge.
    pub fn holds(&self, at: LatLon) -> bool {
        let edges = &self.bounds;
        (edges.south..edges.north).contains(&at.lat())
            && (edges.west..edges.east).contains(&at.lon())
    }
}

/// One part of a source on one day.
#[derive(Clone, Debug)]
pub struct PartDay<'e> {
    /// Stretches with their weight and the ground that was in reach.
    stretches: Vec<(Interval, f64, Vec<&'e Footprint>)>,
    sees_in_the_dark: bool,
}

/// The parts of a source on a day.
pub fn part_days<'e>(
    efforts: &'e [Effort],
    day: &Interval,
    sees_in_the_dark: bool,
) -> Vec<PartDay<'e>> {
    let touching: Vec<&Effort> = efforts
        .iter()
        .filter(|effort| effort.interval.from < day.to && effort.interval.to > day.from)
        .collect();
    let mut parts: Vec<&str> = touching.iter().map(|effort| effort.part.as_str()).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
        .into_iter()
        .map(|part| {
            let of_part = touching.iter().copied().filter(|effort| effort.part == part);
            let stretches = pieces(&of_part, day)
                .into_iter()
                .filter(|(_, weight)| *weight > 0.0)
                .map(|(piece, weight)| {
                    let ground = of_part
                        .clone()
                        .filter(|effort| effort.interval.contains(piece.from))
                        .map(|effort| &effort.footprint)
                        .collect();
                    (piece, weight, ground)
                })
                .collect();
            PartDay { stretches, sees_in_the_dark }
        })
        .collect()
}

/// How a source as a whole looked on a day: the mean over its parts, each by
/// the light of its own ground. `middle` stands for ground without a place of
/// its own.
pub fn source_day(
    efforts: &[Effort],
    day: &Interval,
    middle: LatLon,
    sees_in_the_dark: bool,
) -> ByLight {
    let mut parts: Vec<&str> = efforts.iter().map(|effort| effort.part.as_str()).collect();
    parts.sort_unstable();
    parts.dedup();
    let (mut seen, mut seen_dark) = (0.0, 0.0);
    for part in &parts {
        let of_part = efforts.iter().filter(|effort| effort.part == *part);
        let at = of_part.clone().find_map(|effort| centre(&effort.footprint)).unwrap_or(middle);
        let nights = sun::nights(at, day);
        for (piece, weight) in pieces(&of_part, day) {
            if weight > 0.0 {
                let dark = piece.covered_seconds(&nights);
                seen += weight * (piece.seconds() - dark);
                seen_dark += if sees_in_the_dark { weight * dark } else { 0.0 };
            }
        }
    }
    let dark = day.covered_seconds(&sun::nights(middle, day));
    let parts = parts.len().max(1) as f64;
    ByLight::from_seconds(day.seconds(), dark, seen / parts, seen_dark / parts)
}

/// Hours of a day by light at a place, none of them seen.
pub fn unseen_day(at: LatLon, day: &Interval) -> ByLight {
    ByLight::from_seconds(day.seconds(), day.covered_seconds(&sun::nights(at, day)), 0.0, 0.0)
}

fn centre(footprint: &Footprint) -> Option<LatLon> {
    match footprint {
        Footprint::Box(bounds) => Some(bounds.centre()),
        Footprint::Circle { at, .. } => Some(*at),
        Footprint::Everywhere | Footprint::Admin { .. } => None,
    }
}

/// Points along each side of a sector that stand for its ground.
const SIDE: u32 = 4;

/// How long a sector was watched on a day by at least one of the parts: the
/// mean over points of its ground, at each moment by the part that was worth
/// most. Ground of an administrative unit is not counted: it would have to be
/// known.
pub fn sector_day(bounds: &Bounds, day: &Interval, parts: &[PartDay<'_>]) -> ByLight {
    let points: Vec<LatLon> = (0..SIDE * SIDE)
        .filter_map(|number| {
            let step = |number: u32| (f64::from(number) + 0.5) / f64::from(SIDE);
            let (up, right) = (step(number / SIDE), step(number % SIDE));
            LatLon::new(
                bounds.south + up * (bounds.north - bounds.south),
                bounds.west + right * (bounds.east - bounds.west),
            )
            .ok()
        })
        .collect();
    // The sun rises and sets within two minutes all over a sector.
    let nights = sun::nights(bounds.centre(), day);
    let mut reaching: Vec<(Interval, f64, Vec<bool>, bool)> = Vec::new();
    for part in parts {
        for (stretch, weight, ground) in &part.stretches {
            let reached: Vec<bool> = points
                .iter()
                .map(|at| ground.iter().any(|footprint| reaches(footprint, *at)))
                .collect();
            if reached.contains(&true) {
                reaching.push((*stretch, *weight, reached, part.sees_in_the_dark));
            }
        }
    }
    let mut cuts: Vec<_> = reaching
        .iter()
        .map(|(stretch, ..)| stretch)
        .chain(&nights)
        .flat_map(|stretch| [stretch.from, stretch.to])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let (mut seen, mut seen_dark) = (0.0, 0.0);
    for pair in cuts.windows(2) {
        let piece = Interval { from: pair[0], to: pair[1] };
        let dark = nights.iter().any(|night| night.contains(piece.from));
        let open: Vec<_> = reaching
            .iter()
            .filter(|(stretch, .., in_the_dark)| {
                stretch.contains(piece.from) && (*in_the_dark || !dark)
            })
            .collect();
        if open.is_empty() {
            continue;
        }
        let sum: f64 = (0..points.len())
            .map(|point| {
                open.iter()
                    .filter(|(_, _, reached, _)| reached[point])
                    .map(|(_, weight, ..)| *weight)
                    .fold(0.0, f64::max)
            })
            .sum();
        let seconds = piece.seconds() * sum / points.len() as f64;
        *if dark { &mut seen_dark } else { &mut seen } += seconds;
    }
    ByLight::from_seconds(day.seconds(), day.covered_seconds(&nights), seen, seen_dark)
}

fn reaches(footprint: &Footprint, at: LatLon) -> bool {
    match footprint {
        Footprint::Everywhere => true,
        Footprint::Box(bounds) => bounds.contains(at),
        Footprint::Circle { at: centre, radius_m } => centre.distance_m(at) <= *radius_m,
        Footprint::Admin { .. } => false,
    }
}

/// Widths of sectors that are tried, degrees.
const WIDTHS_DEG: [f64; 3] = [0.5, 1.0, 2.0];

/// The most sectors that a mission is cut into.
const SECTORS_MAX: f64 = 400.0;

/// The sectors of an area: the smallest of a few widths that gives at most
/// 400 of them. Coarse on purpose: where a sensor stands must not be read
/// from the coverage (VERIFICATION D12).
pub fn grid(area: &Bounds) -> Vec<Bounds> {
    let count = |from: f64, to: f64, width: f64| {
        (libm::ceil(to / width) - libm::floor(from / width)).max(1.0)
    };
    let width = WIDTHS_DEG
        .into_iter()
        .find(|width| {
            count(area.south, area.north, *width) * count(area.west, area.east, *width)
                <= SECTORS_MAX
        })
        .unwrap_or(5.0);
    let steps = |from: f64, to: f64| {
        let first = libm::floor(from / width);
        (0..count(from, to, width) as u32).map(move |step| (first + f64::from(step)) * width)
    };
    steps(area.south, area.north)
        .flat_map(|south| {
            steps(area.west, area.east).map(move |west| Bounds {
                south,
                west,
                north: south + width,
                east: west + width,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effort::EffortState;
    use crate::time::shifted;

    fn day() -> Interval {
        let from = "2026-03-20T00:00:00Z".parse().unwrap();
        Interval { from, to: shifted(from, 86_400.0) }
    }

    fn everywhere(part: &str, from_h: f64, to_h: f64, state: EffortState) -> Effort {
        let start = day().from;
        Effort {
            part: part.into(),
            interval: Interval {
                from: shifted(start, from_h * 3600.0),
                to: shifted(start, to_h * 3600.0),
            },
            footprint: Footprint::Everywhere,
            state,
            sensitivity: String::new(),
        }
    }

    const SECTOR: Bounds = Bounds { south: 0.0, west: 0.0, north: 0.5, east: 0.5 };

    #[test]
    fn d1_a_sensor_that_is_blind_in_the_dark_has_not_observed_the_night() {
        let efforts = [everywhere("a", 0.0, 24.0, EffortState::Up)];
        let blind = sector_day(&SECTOR, &day(), &part_days(&efforts, &day(), false));
        assert!((blind.day.hours - 12.1).abs() < 0.1 && (blind.night.hours - 11.9).abs() < 0.1);
        assert!((blind.day.seen - blind.day.hours).abs() < 0.02);
        assert_eq!(blind.night.seen, 0.0);
        let listening = sector_day(&SECTOR, &day(), &part_days(&efforts, &day(), true));
        assert!((listening.night.seen - listening.night.hours).abs() < 0.02);
        assert_eq!(source_day(&efforts, &day(), SECTOR.centre(), false), blind);
    }

    #[test]
    fn one_working_sensor_is_enough_and_ground_out_of_reach_is_not_seen() {
        let mut near = everywhere("near", 6.5, 12.5, EffortState::Up);
        // Reaches the western half.
        near.footprint = Footprint::Box(Bounds { south: -1.0, west: -1.0, north: 1.0, east: 0.25 });
        let dull = everywhere("dull", 6.5, 12.5, EffortState::Degraded(0.5));
        let cut = everywhere("cut", 0.0, 24.0, EffortState::Down);
        let seen =
            sector_day(&SECTOR, &day(), &part_days(&[near.clone(), dull, cut], &day(), true));
        assert_eq!((seen.day.seen, seen.night.seen), (6.0 * (1.0 + 0.5) / 2.0, 0.0));
        let alone = sector_day(&SECTOR, &day(), &part_days(&[near], &day(), true));
        assert_eq!(alone.day.seen, 3.0);
    }

    #[test]
    fn a_grid_covers_its_area_and_is_coarse_where_that_is_large() {
        let country = Bounds { south: 43.5, west: 21.0, north: 54.0, east: 42.0 };
        let sectors = grid(&country);
        assert_eq!(sectors.len(), 11 * 21);
        assert_eq!(sectors[0], Bounds { south: 43.0, west: 21.0, north: 44.0, east: 22.0 });
        let small = grid(&Bounds { south: -0.1, west: 30.0, north: 0.1, east: 30.4 });
        assert_eq!(small.len(), 2);
        assert!(small.iter().all(Bounds::is_valid));
    }
}
