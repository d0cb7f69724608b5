//! Rates: counts held against the hours that were looked at, by day and by
//! night. Where nobody looked there is no rate and no zero (VERIFICATION D1,
//! D6).

use domain::effort::{DayEffort, DayState};
use domain::place::Precision;
use domain::probability::{poisson_interval, rounded};
use domain::sun::share_dark;
use domain::{Incident, Light, Sector, Seen, SourceKind, State, Watching};
use jiff::civil::Date;
use serde::Serialize;

/// Hours for which rates are given.
pub const PER_HOURS: f64 = 100.0;

/// A rate with its 95 % interval, per [`PER_HOURS`] observed hours. The
/// interval tells of chance alone; it does not tell how much a sensor misses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// The rate.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The rate of a count over observed hours; none where nothing was observed.
pub fn rate(count: f64, seen: Seen) -> Option<Rate> {
    let looked = seen.effort().is_some_and(|effort| effort.state != DayState::NotObserved);
    (looked && seen.seen > 0.0).then(|| {
        let (low, high) = poisson_interval(count);
        let per = |count: f64| rounded(count / seen.seen * PER_HOURS, 3);
        Rate { rate: per(count), low: per(low), high: per(high) }
    })
}

/// One sector by one light.
#[derive(Clone, Copy, Debug)]
pub struct SectorLight<'s> {
    /// The sector, and who watched it.
    pub sector: &'s Sector,
    /// The light.
    pub light: Light,
    /// Hours, and those that were watched.
    pub seen: Seen,
    /// Occurrences that these watchers told of: the sum of P(it took place) ×
    /// P(it is no other incident) × P(it was in this light).
    pub incidents: f64,
}

impl SectorLight<'_> {
    /// In words.
    pub fn effort(&self) -> Option<DayEffort> {
        self.seen.effort()
    }

    /// Occurrences per observed hours.
    pub fn rate(&self) -> Option<Rate> {
        rate(self.incidents, self.seen)
    }
}

/// P(an incident took place in the dark); none if its place is not known.
pub fn dark(incident: &Incident) -> Option<f64> {
    Some(share_dark(incident.place.centre()?, &incident.when.span))
}

/// Whether watchers told of an incident themselves.
fn told_by(incident: &Incident, watching: Watching) -> bool {
    incident.kinds.iter().any(|kind: &SourceKind| Watching::of(*kind) == Some(watching))
}

/// Every sector by day and by night, over the days that `wanted` accepts. Only
/// what the watchers told of themselves is counted: what others report from
/// ground that nobody watched has no hours to be divided by.
pub fn sectors(state: &State, wanted: impl Fn(Date) -> bool) -> Vec<SectorLight<'_>> {
    let placed: Vec<(&Incident, domain::LatLon, f64, f64)> = state
        .incidents
        .iter()
        .filter(|incident| {
            incident.place.precision() < Precision::Region && wanted(state.day_of(incident))
        })
        .filter_map(|incident| {
            let belief = &incident.belief;
            let weight = belief.probability.and(belief.distinct).get();
            Some((incident, incident.place.centre()?, weight, dark(incident)?))
        })
        .collect();
    let of_sector = |sector: &'_ Sector, light: Light| {
        let mut seen = Seen::default();
        for (_, hours) in sector.days.iter().filter(|(day, _)| wanted(**day)) {
            seen += hours.of(light);
        }
        let incidents: f64 = placed
            .iter()
            .filter(|(incident, at, ..)| sector.holds(*at) && told_by(incident, sector.watching))
            .map(|(.., weight, dark)| match light {
                Light::Day => weight * (1.0 - dark),
                Light::Night => weight * dark,
            })
            .sum();
        (seen, rounded(incidents, 3))
    };
    let mut lines = Vec::with_capacity(state.sectors.len() * 2);
    for sector in &state.sectors {
        for light in Light::ALL {
            let (seen, incidents) = of_sector(sector, light);
            lines.push(SectorLight { sector, light, seen, incidents });
        }
    }
    lines
}

/// How many sectors were observed, in part and not at all.
pub fn states(lines: &[SectorLight<'_>], watching: Watching, light: Light) -> [usize; 3] {
    let mut counts = [0; 3];
    for line in lines.iter().filter(|line| line.sector.watching == watching && line.light == light)
    {
        match line.effort().map(|effort| effort.state) {
            Some(DayState::Observed) => counts[0] += 1,
            Some(DayState::Partial) => counts[1] += 1,
            Some(DayState::NotObserved) => counts[2] += 1,
            None => {}
        }
    }
    counts
}
