//! Who looked where, by day and by night: the hours that stand behind the
//! figures of each source and of each sector.

use std::collections::BTreeMap;

use domain::effort::{DayEffort, day_share};
use domain::exposure::{grid, part_days, sector_day, source_day, unseen_day};
use domain::state::{Facts, SourceDay};
use domain::{
    Bounds, Effort, EffortBasis, EffortState, Footprint, Interval, LatLon, Sector, Seen, Source,
    Watching,
};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::world::{AsOf, World};

/// A place whose sun stands for the whole mission where a row or a log names
/// none: the middle of its area, else of its first map of control.
pub(crate) fn middle(world: &World) -> Option<LatLon> {
    let genesis = world.ledger.genesis.as_ref()?;
    genesis.area.map(|area| area.centre()).or_else(|| {
        let line = world.reference.control.states().first()?.contact().first()?;
        line.get(line.len() / 2).copied()
    })
}

/// The effort of a source of which somebody states that it was up throughout.
pub(crate) fn stated_effort(basis: &EffortBasis, as_of: AsOf) -> Option<Effort> {
    let EffortBasis::Stated { from, to, .. } = basis else { return None };
    let to = if let AsOf::Moment(moment) = as_of { (*to).min(moment) } else { *to };
    Interval::new(*from, to).map(|interval| Effort {
        part: String::new(),
        interval,
        footprint: Footprint::Everywhere,
        state: EffortState::Up,
        sensitivity: String::new(),
    })
}

/// The days of a source: its rows, with the effort behind them.
pub(crate) fn source_days(
    source: &Source,
    efforts: &[Effort],
    mut rows: BTreeMap<Date, SourceDay>,
    facts: &Facts,
    middle: Option<LatLon>,
) -> BTreeMap<Date, SourceDay> {
    facts
        .days()
        .map(|day| {
            let counts = rows.remove(&day);
            let interval = facts.zone.day(day);
            let share = match &source.effort {
                EffortBasis::Rows => f64::from(u8::from(counts.is_some())),
                EffortBasis::Logged | EffortBasis::Stated { .. } => {
                    day_share(efforts, day, &facts.zone)
                }
            };
            let mut counts = counts.unwrap_or_else(|| SourceDay::empty(DayEffort::of_share(0.0)));
            counts.effort = DayEffort::of_share(share);
            counts.dark_rows = domain::probability::rounded(counts.dark_rows, 3);
            counts.light = middle.map(|middle| match &source.effort {
                EffortBasis::Rows => {
                    let mut light = unseen_day(middle, &interval);
                    // A row shows that it was alive in that light.
                    let alive = |seen: &mut Seen, rows: f64| {
                        seen.seen = if rows >= 0.5 { seen.hours } else { 0.0 };
                    };
                    alive(&mut light.night, counts.dark_rows);
                    alive(&mut light.day, counts.rows as f64 - counts.dark_rows);
                    light
                }
                EffortBasis::Logged | EffortBasis::Stated { .. } => {
                    source_day(efforts, &interval, middle, source.sees_in_the_dark())
                }
            });
            (day, counts)
        })
        .collect()
}

/// How long every sector was watched, by the sensors whose effort is known.
/// Sectors that nobody ever reached are kept where the mission has an area:
/// what was not observed has to be seen.
pub(crate) fn sectors<'e>(
    world: &World,
    efforts: &[(&'e Source, &'e [Effort])],
    facts: &Facts,
) -> Vec<Sector> {
    let Some(area) =
        world.ledger.genesis.as_ref().and_then(|genesis| genesis.area).or_else(|| reach(efforts))
    else {
        return Vec::new();
    };
    let days: Vec<(Date, Interval)> = facts.days().map(|day| (day, facts.zone.day(day))).collect();
    let mut sectors = Vec::new();
    for watching in Watching::ALL {
        let watchers: Vec<_> = efforts
            .iter()
            .filter(|(source, efforts)| {
                Watching::of(source.kind) == Some(watching) && !efforts.is_empty()
            })
            .collect();
        if watchers.is_empty() {
            continue;
        }
        let parts: Vec<_> = days
            .par_iter()
            .map(|(_, interval)| {
                let parts = watchers.iter().flat_map(|(source, efforts)| {
                    part_days(efforts, interval, source.sees_in_the_dark())
                });
                parts.collect::<Vec<_>>()
            })
            .collect();
        let of_sector = |bounds: &Bounds| Sector {
            bounds: *bounds,
            watching,
            days: days
                .iter()
                .zip(&parts)
                .map(|((day, interval), parts)| (*day, sector_day(bounds, interval, parts)))
                .collect(),
        };
        sectors.par_extend(grid(&area).par_iter().map(of_sector));
    }
    sectors
}

/// The box around the ground that the logs name.
fn reach(efforts: &[(&Source, &[Effort])]) -> Option<Bounds> {
    let corners =
        efforts.iter().flat_map(|(_, efforts)| *efforts).filter_map(|effort| {
            match &effort.footprint {
                Footprint::Box(bounds) => Some(*bounds),
                Footprint::Circle { at, radius_m } => {
                    let (low, high) =
                        (at.offset(-radius_m, -radius_m), at.offset(*radius_m, *radius_m));
                    Some(Bounds {
                        south: low.lat(),
                        west: low.lon(),
                        north: high.lat(),
                        east: high.lon(),
                    })
                }
                Footprint::Everywhere | Footprint::Admin { .. } => None,
            }
        });
    corners
        .reduce(|a, b| Bounds {
            south: a.south.min(b.south),
            west: a.west.min(b.west),
            north: a.north.max(b.north),
            east: a.east.max(b.east),
        })
        .filter(Bounds::is_valid)
}
