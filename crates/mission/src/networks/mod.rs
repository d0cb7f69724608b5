//! Level 1 of fusion in the fold: the arrivals at each sensor network go through
//! the association engine of their waves and come out as events.
//!
//! Everything here is a function of the record: arrivals are put in the order of
//! their times and places in the record, and no engine sees a clock.

mod arrays;
mod globe;
mod picks;
mod sounds;

use std::collections::BTreeMap;

use associate::account::Account;
use associate::travel::Phase;
use associate::{BackAzimuth, Outage, Station};
use domain::event::{Arrival, Depth, Wave};
use domain::probability::rounded;
use domain::time::{seconds_between, shifted};
use domain::{
    Class, ClassShare, Covariance, Effort, EffortBasis, EffortState, Event, Extent, Id, IdKind,
    Interval, LatLon, Located, Observation, Occurrence, Probability, RecordPosition, Value, Where,
};
use jiff::Timestamp;
use jiff::civil::Date;

use intake::tables::Table;

use crate::world::Network;

/// An arrival on its way to an engine.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) observation: Id,
    pub(crate) at: RecordPosition,
    /// The day on which it is counted.
    pub(crate) day: Date,
    /// Name of its station; of an array that has none, its place.
    station: String,
    when: Timestamp,
    what: What,
}

/// What arrived.
#[derive(Clone, Debug)]
enum What {
    /// A sound: its level and signal-to-noise ratio, dB, and if the station is an
    /// array the direction that it came from.
    Sound { amp_db: f32, snr_db: f32, from: Option<BackAzimuth> },
    /// A wave in the ground: which one by its name, and how well it was picked.
    Pick { phase: Result<Phase, String>, weight: f64 },
    /// A wave that came a long way: from where, at what slowness, and how strong.
    Afar { azimuth_deg: f64, slowness_s_deg: f64, amplitude: f64 },
    /// Infrasound at an array: where that stands, and from where it came.
    Infrasound { array: LatLon, azimuth_deg: f64 },
}

impl Heard {
    /// An observation as an arrival; none if it tells neither its station nor,
    /// as arrays do, its place and a back azimuth.
    pub(crate) fn new(
        observation: &Observation,
        id: Id,
        at: RecordPosition,
        day: Date,
    ) -> Option<Self> {
        let number = |name: &str| observation.measures.get(name).and_then(Value::number);
        let words = |name: &str| observation.measures.get(name).and_then(Value::text);
        let single = |name: &str| number(name).map(|number| number as f32);
        let decibels = |name: &str| single(name).unwrap_or(f32::NAN);
        let (station, what) = match &observation.place {
            Where::Named { name, .. } => {
                let what = match words("phase") {
                    Some(phase) => What::Pick {
                        phase: Phase::named(phase.as_bytes()).ok_or_else(|| phase.to_owned()),
                        weight: number("weight").unwrap_or(1.0),
                    },
                    None if number("slowness_s_deg").is_some() => What::Afar {
                        azimuth_deg: number("azimuth_deg").unwrap_or(f64::NAN),
                        slowness_s_deg: number("slowness_s_deg").unwrap_or(f64::NAN),
                        amplitude: number("amplitude").unwrap_or(f64::NAN),
                    },
                    None => What::Sound {
                        amp_db: decibels("amp_db"),
                        snr_db: decibels("snr_db"),
                        from: single("baz_deg")
                            .map(|deg| BackAzimuth { deg, sigma_deg: single("baz_sigma_deg") }),
                    },
                };
                (name.clone(), what)
            }
            Where::Point { at, .. } => {
                let azimuth_deg = number("back_azimuth_deg")?;
                let place = || format!("{} {}", at.lat(), at.lon());
                let name = words("array").map_or_else(place, str::to_owned);
                (name, What::Infrasound { array: *at, azimuth_deg })
            }
            _ => return None,
        };
        let when = observation.when.interval().from;
        Some(Self { observation: id, at, day, station, when, what })
    }

    /// The engine that it goes to.
    pub(crate) const fn engine(&self) -> EngineOf {
        match self.what {
            What::Sound { .. } => EngineOf::Sounds,
            What::Pick { .. } => EngineOf::Picks,
            What::Infrasound { .. } => EngineOf::Arrays,
            What::Afar { .. } => EngineOf::Globe,
        }
    }
}

/// The engine that associates arrivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EngineOf {
    /// Sounds at single sensors.
    Sounds,
    /// P and S at the stations of a region.
    Picks,
    /// Infrasound at arrays.
    Arrays,
    /// What a global network of arrays detects.
    Globe,
}

impl EngineOf {
    /// From which waves its events are inferred.
    const fn wave(self) -> Wave {
        match self {
            Self::Sounds => Wave::Sound,
            Self::Picks | Self::Globe => Wave::Seismic,
            Self::Arrays => Wave::Infrasound,
        }
    }
}

/// Whether an engine can use a table that is read whole, or why not.
pub(crate) fn check(table: &Table) -> Result<(), String> {
    match table {
        Table::Velocity(velocity) => {
            picks::layers(velocity).map(drop).map_err(|why| why.to_string())
        }
        Table::TravelTimes(points) => globe::curve(points).map(drop),
        Table::Performance(text) => globe::performance(text).map(drop),
        _ => Ok(()),
    }
}

/// Why an event is believed, with the names of the mission.
#[derive(Clone, Debug)]
pub struct EventAccount {
    /// The event.
    pub event: Event,
    /// What the engine says of it.
    pub account: Account,
    /// Names of the stations, by their numbers in the account.
    pub stations: Vec<String>,
    /// Observations of the rows in the account.
    pub observations: BTreeMap<u32, Id>,
    /// Zero of the times in the account.
    pub zero: Timestamp,
}

/// A network and when it was listening.
pub(crate) struct Listening<'a> {
    pub(crate) network: &'a Network,
    pub(crate) basis: &'a EffortBasis,
    pub(crate) efforts: &'a [Effort],
    /// The time that is looked at.
    pub(crate) whole: Interval,
}

/// What became of the arrivals of a network.
pub(crate) struct Associated {
    pub(crate) events: Vec<Event>,
    /// Of the event that was asked for.
    pub(crate) account: Option<EventAccount>,
    /// Outcome of every arrival, in the order of the record.
    pub(crate) outcomes: Vec<(RecordPosition, Date, Outcome)>,
}

/// What became of one arrival.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It belongs to this event.
    Event(Id),
    /// Nothing that several stations heard explains it.
    Alone,
    /// It could not be used.
    Unusable(String),
}

impl Outcome {
    /// Short code, for counting.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Event(_) => "in_event",
            Self::Alone => "noise",
            Self::Unusable(_) => "unusable",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event(id) => write!(f, "it belongs to the event {id}"),
            Self::Alone => f.write_str("no event that several stations heard explains it"),
            Self::Unusable(why) => write!(f, "it could not be used: {why}"),
        }
    }
}

/// An event as an engine finds it, whatever the engine.
struct Inferred {
    /// Seconds since the begin of the whole, and the variance of that, s^2.
    t_s: f64,
    var_t: f64,
    lat: f64,
    lon: f64,
    /// East-east, east-north, north-north, m^2.
    covariance: [f64; 3],
    depth: Option<Depth>,
    level_db: Option<f64>,
    magnitude: Option<f64>,
    probability: f64,
    /// Nats.
    evidence: f64,
    classes: Vec<ClassShare>,
    /// Arrivals that belong to it.
    rows: Vec<u32>,
}

/// What an engine made of the arrivals of one kind of waves.
#[derive(Default)]
struct Found {
    events: Vec<Inferred>,
    /// Arrivals that could not be used, and why.
    rejected: Vec<(u32, String)>,
    /// Names of the stations, by their numbers in the account.
    stations: Vec<String>,
    account: Option<Account>,
}

/// Asks which of the events is to be accounted for.
type Ask<'a> = &'a dyn Fn(&[Inferred]) -> Option<usize>;

/// Associates the arrivals of one kind of waves at one network, and accounts for
/// the event whose id begins with `asked`.
pub(crate) fn associate(
    source: &str,
    engine: EngineOf,
    listening: &Listening<'_>,
    mut heard: Vec<Heard>,
    asked: Option<&str>,
) -> Associated {
    heard.sort_by(|a, b| {
        (a.when, &a.station, a.at, a.observation).cmp(&(b.when, &b.station, b.at, b.observation))
    });
    let ask = |events: &[Inferred]| {
        let start = asked?;
        let id =
            |event: &Inferred| event.rows.iter().min().map(|row| event_id(&heard[*row as usize]));
        events
            .iter()
            .position(|event| id(event).is_some_and(|id| id.to_string().starts_with(start)))
    };
    let found = match engine {
        EngineOf::Sounds => sounds::associate(listening, &heard, &ask),
        EngineOf::Picks => picks::associate(listening, &heard, &ask),
        EngineOf::Arrays => arrays::associate(listening, &heard, &ask),
        EngineOf::Globe => globe::associate(listening, &heard, &ask),
    };
    let mut outcomes = vec![Outcome::Alone; heard.len()];
    for (row, why) in found.rejected {
        outcomes[row as usize] = Outcome::Unusable(why);
    }
    let zero = listening.whole.from;
    let event_of = |one: &Inferred| named(source, engine.wave(), one, &heard, zero);
    let account = found.account.and_then(|account| {
        let event = event_of(&found.events[ask(&found.events)?])?;
        let observations = account.rows().map(|row| (row, heard[row as usize].observation));
        let observations = observations.collect();
        Some(EventAccount { event, stations: found.stations, observations, account, zero })
    });
    let mut events: Vec<Event> = found.events.iter().filter_map(event_of).collect();
    events.sort_by_key(|event| (event.when.span, event.id));
    let homes: BTreeMap<RecordPosition, Id> = events
        .iter()
        .flat_map(|event| event.arrivals.iter().map(|arrival| (arrival.at, event.id)))
        .collect();
    let mut outcomes: Vec<(RecordPosition, Date, Outcome)> = heard
        .into_iter()
        .zip(outcomes)
        .map(|(one, outcome)| {
            let outcome = homes.get(&one.at).map_or(outcome, |event| Outcome::Event(*event));
            (one.at, one.day, outcome)
        })
        .collect();
    outcomes.sort_by_key(|(at, ..)| *at);
    Associated { events, account, outcomes }
}

impl Listening<'_> {
    /// Seconds from the begin of the whole to a moment.
    fn seconds(&self, moment: Timestamp) -> f64 {
        seconds_between(self.whole.from, moment)
    }

    /// The stations in the table of the network.
    fn stations(&self) -> Vec<Station> {
        let station = |row: &intake::tables::StationRow| Station {
            name: row.name.clone(),
            lat: row.at.lat(),
            lon: row.at.lon(),
            elev_m: row.elevation_m,
        };
        self.network.stations.iter().map(station).collect()
    }

    /// When a station is known to have been blind. If the source logs its effort,
    /// that is also whenever the log does not say that it was up: silence from
    /// then is no evidence of quiet.
    fn outages(&self, numbers: &BTreeMap<&str, u32>) -> Vec<Outage> {
        let mut outages = Vec::new();
        for (name, station) in numbers {
            let mut out = |from: Timestamp, to: Timestamp| {
                if from < to {
                    let (start_s, end_s) = (self.seconds(from), self.seconds(to));
                    outages.push(Outage { station: *station, start_s, end_s });
                }
            };
            let of_station = || self.efforts.iter().filter(|effort| effort.part == **name);
            for effort in of_station() {
                if matches!(effort.state, EffortState::Down | EffortState::Unknown) {
                    out(effort.interval.from, effort.interval.to);
                }
            }
            if matches!(self.basis, EffortBasis::Logged) {
                let mut up: Vec<Interval> = of_station()
                    .filter(|effort| effort.state.weight() > 0.0)
                    .map(|effort| effort.interval)
                    .collect();
                up.sort_unstable();
                let mut known_to = self.whole.from;
                for interval in up {
                    out(known_to, interval.from);
                    known_to = known_to.max(interval.to);
                }
                out(known_to, self.whole.to);
            }
        }
        outages
    }
}

/// Numbers of stations by their names.
fn numbers(stations: &[Station]) -> BTreeMap<&str, u32> {
    (0..).zip(stations).map(|(number, station)| (station.name.as_str(), number)).collect()
}

fn not_listed(station: &str) -> String {
    format!("no table names the station {station}")
}

/// Shares of classes from shares of kinds, likeliest first.
fn classes<'k>(shares: impl Iterator<Item = (&'k str, f64)>) -> Vec<ClassShare> {
    let mut of: BTreeMap<Class, f64> = BTreeMap::new();
    for (kind, share) in shares.filter(|(_, share)| *share > 0.0) {
        *of.entry(Class::of_kind(kind).unwrap_or(Class::A13)).or_default() += share;
    }
    let mut list: Vec<ClassShare> = of
        .into_iter()
        .map(|(class, share)| ClassShare { class, share: Probability::new(rounded(share, 4)) })
        .collect();
    list.sort_by(|a, b| b.share.get().total_cmp(&a.share.get()).then(a.class.cmp(&b.class)));
    list
}

/// The id of the event whose earliest arrival this is.
fn event_id(founder: &Heard) -> Id {
    Id::of(IdKind::Event, &[founder.observation.bytes()])
}

/// An event of an engine, named after its earliest arrival; none if it has a
/// place that is no place on Earth, or no arrival.
fn named(
    source: &str,
    wave: Wave,
    event: &Inferred,
    heard: &[Heard],
    zero: Timestamp,
) -> Option<Event> {
    let first = event.rows.iter().min()?;
    let id = event_id(&heard[*first as usize]);
    let at = LatLon::new(event.lat, event.lon).ok()?;
    let [ee, en, nn] = event.covariance.map(|entry| rounded(entry, 3));
    let mut arrivals: Vec<Arrival> = event
        .rows
        .iter()
        .map(|row| &heard[*row as usize])
        .map(|one| Arrival { observation: one.observation, at: one.at })
        .collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let moment = shifted(zero, event.t_s);
    Some(Event {
        id,
        network: source.to_owned(),
        wave,
        when: Occurrence {
            span: Interval::at(moment),
            sigma_s: rounded(event.var_t.max(0.0).sqrt(), 4),
            extent: Extent::Once,
        },
        place: Located::Normal { at, covariance: Covariance { ee, en, nn } },
        depth: event.depth,
        probability: Probability::new(event.probability),
        evidence: rounded(event.evidence, 3),
        level_db: event.level_db.map(|level| rounded(level, 2)),
        magnitude: event.magnitude.map(|magnitude| rounded(magnitude, 2)),
        classes: event.classes.clone(),
        arrivals,
    })
}

#[cfg(test)]
mod tests {
    use associate::phases::PhaseModel;
    use associate::{Model, arrays};

    use super::*;

    #[test]
    fn every_kind_of_every_engine_has_a_class() {
        let sounds: Vec<String> =
            Model::built_in().kinds.iter().map(|kind| kind.kind.clone()).collect();
        let picks: Vec<String> =
            PhaseModel::built_in().kinds.iter().map(|kind| kind.kind.clone()).collect();
        let arrays: Vec<String> = arrays::KINDS.map(str::to_owned).into();
        assert!(sounds.len() > 5);
        for kinds in [sounds, picks, arrays] {
            for kind in &kinds {
                assert!(Class::of_kind(kind).is_some(), "{kind}");
            }
            let alike = 1.0 / kinds.len() as f64;
            let shares = classes(kinds.iter().map(|kind| (kind.as_str(), alike)));
            let sum: f64 = shares.iter().map(|share| share.share.get()).sum();
            assert!((sum - 1.0).abs() < 1e-3, "{sum}");
        }
    }
}
