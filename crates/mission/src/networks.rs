//! Level 1 of fusion in the fold: the arrivals of each sensor network go through
//! the association engine and come out as events.
//!
//! Everything here is a function of the record: arrivals are put in the order of
//! their times and places in the record, and the engine sees no clock.

use std::collections::BTreeMap;

use associate::account::{Account, Asked};
use associate::kind::Kind;
use associate::{BackAzimuth, Detection, Engine, MetNode, Model, Outage, Station};
use domain::event::Arrival;
use domain::probability::rounded;
use domain::time::{seconds_between, shifted};
use domain::{
    Class, ClassShare, Covariance, Effort, EffortBasis, EffortState, Event, Extent, Id, IdKind,
    Interval, LatLon, Located, Observation, Occurrence, Probability, RecordPosition, Value, Where,
};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::world::Network;

/// An arrival on its way to the engine.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) observation: Id,
    pub(crate) at: RecordPosition,
    /// The day on which it is counted.
    pub(crate) day: Date,
    station: String,
    when: Timestamp,
    amp_db: f32,
    snr_db: f32,
    from: Option<BackAzimuth>,
}

impl Heard {
    /// An observation as an arrival; none if it does not name its station.
    pub(crate) fn new(
        observation: &Observation,
        id: Id,
        at: RecordPosition,
        day: Date,
    ) -> Option<Self> {
        let Where::Named { name, .. } = &observation.place else { return None };
        let measure = |name: &str| {
            let value = observation.measures.get(name).and_then(Value::number);
            value.map(|number| number as f32)
        };
        let number = |name: &str| measure(name).unwrap_or(f32::NAN);
        Some(Self {
            observation: id,
            at,
            day,
            station: name.clone(),
            when: observation.when.interval().from,
            amp_db: number("amp_db"),
            snr_db: number("snr_db"),
            from: measure("baz_deg")
                .map(|deg| BackAzimuth { deg, sigma_deg: measure("baz_sigma_deg") }),
        })
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

/// Associates the arrivals of one network, and accounts for the event whose id
/// begins with `asked`.
pub(crate) fn associate(
    source: &str,
    listening: &Listening<'_>,
    whole: Interval,
    mut heard: Vec<Heard>,
    asked: Option<&str>,
) -> Associated {
    let Listening { network, basis, efforts } = *listening;
    heard.sort_by(|a, b| {
        (a.when, &a.station, a.at, a.observation).cmp(&(b.when, &b.station, b.at, b.observation))
    });
    let numbers: BTreeMap<&str, u32> = (0..)
        .zip(&network.stations)
        .map(|(number, station)| (station.name.as_str(), number))
        .collect();
    let seconds = |moment: Timestamp| seconds_between(whole.from, moment);
    let mut outcomes = vec![Outcome::Alone; heard.len()];
    let mut detections = Vec::with_capacity(heard.len());
    for (row, one) in heard.iter().enumerate() {
        let Some(station) = numbers.get(one.station.as_str()) else {
            outcomes[row] =
                Outcome::Unusable(format!("no table names the station {}", one.station));
            continue;
        };
        detections.push(Detection {
            station: *station,
            t_s: seconds(one.when),
            amp_db: one.amp_db,
            snr_db: one.snr_db,
            from: one.from,
            row: row as u32,
        });
    }
    let model = Model::built_in();
    let fresh = || {
        let mut engine = Engine::new(
            &stations(network),
            &weather(network, &seconds),
            &outages(basis, efforts, whole, &numbers, &seconds),
            &model,
        );
        engine.push(&detections);
        engine
    };
    let mut engine = fresh();
    let found = engine.finish();
    for rejected in engine.take_rejected() {
        outcomes[rejected.row as usize] =
            Outcome::Unusable(format!("{}: {}", rejected.field, rejected.reason));
    }
    let mut events: Vec<Event> = found
        .into_iter()
        .filter_map(|event| {
            let event = named(source, &event, &heard, whole.from, &model.kinds)?;
            Some(event)
        })
        .collect();
    events.sort_by_key(|event| (event.when.span, event.id));
    let account = asked.and_then(|start| {
        let event = events.iter().find(|event| event.id.to_string().starts_with(start))?;
        let row = heard.iter().position(|one| event_id(one) == event.id)?;
        // Which event it is was not known before: once more, and this time asked.
        let mut engine = fresh();
        engine.ask(Asked::Row(row as u32));
        engine.finish();
        let account = engine.take_account()?;
        let observations = account.rows().map(|row| (row, heard[row as usize].observation));
        Some(EventAccount {
            event: event.clone(),
            stations: network.stations.iter().map(|station| station.name.clone()).collect(),
            observations: observations.collect(),
            account,
            zero: whole.from,
        })
    });
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

fn stations(network: &Network) -> Vec<Station> {
    let station = |row: &intake::tables::StationRow| Station {
        name: row.name.clone(),
        lat: row.at.lat(),
        lon: row.at.lon(),
        elev_m: row.elevation_m,
    };
    network.stations.iter().map(station).collect()
}

fn weather(network: &Network, seconds: &impl Fn(Timestamp) -> f64) -> Vec<MetNode> {
    let node = |row: &intake::tables::WeatherRow| MetNode {
        t_s: seconds(row.at),
        lat: row.place.lat(),
        lon: row.place.lon(),
        wind_e: row.wind_east,
        wind_n: row.wind_north,
        temp_c: row.temperature_c,
    };
    network.weather.iter().map(node).collect()
}

/// When a station is known to have been blind. If the source logs its effort,
/// that is also whenever the log does not say that it was up: silence from then
/// is no evidence of quiet.
fn outages(
    basis: &EffortBasis,
    efforts: &[Effort],
    whole: Interval,
    numbers: &BTreeMap<&str, u32>,
    seconds: &impl Fn(Timestamp) -> f64,
) -> Vec<Outage> {
    let mut outages = Vec::new();
    for (name, station) in numbers {
        let mut out = |from: Timestamp, to: Timestamp| {
            if from < to {
                outages.push(Outage {
                    station: *station,
                    start_s: seconds(from),
                    end_s: seconds(to),
                });
            }
        };
        let of_station = || efforts.iter().filter(|effort| effort.part == **name);
        for effort in of_station() {
            if matches!(effort.state, EffortState::Down | EffortState::Unknown) {
                out(effort.interval.from, effort.interval.to);
            }
        }
        if matches!(basis, EffortBasis::Logged) {
            let mut up: Vec<Interval> = of_station()
                .filter(|effort| effort.state.weight() > 0.0)
                .map(|effort| effort.interval)
                .collect();
            up.sort_unstable();
            let mut known_to = whole.from;
            for interval in up {
                out(known_to, interval.from);
                known_to = known_to.max(interval.to);
            }
            out(known_to, whole.to);
        }
    }
    outages
}

/// Shares of classes from shares of kinds, likeliest first.
fn classes(kinds: &[Kind], shares: &[f64]) -> Vec<ClassShare> {
    let mut of: BTreeMap<Class, f64> = BTreeMap::new();
    for (kind, share) in kinds.iter().zip(shares).filter(|(_, share)| **share > 0.0) {
        let class = Class::of_sound(&kind.kind).unwrap_or(Class::A13);
        *of.entry(class).or_default() += share;
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

/// An event of the engine, named after its earliest arrival; none if it has a
/// place that is no place on Earth, or no arrival.
fn named(
    source: &str,
    event: &associate::Event,
    heard: &[Heard],
    zero: Timestamp,
    kinds: &[Kind],
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
        when: Occurrence {
            span: Interval::at(moment),
            sigma_s: rounded(event.var_t.max(0.0).sqrt(), 4),
            extent: Extent::Once,
        },
        place: Located::Normal { at, covariance: Covariance { ee, en, nn } },
        probability: Probability::new(event.probability),
        evidence: rounded(event.evidence, 3),
        level_db: rounded(event.level_db, 2),
        classes: classes(kinds, &event.kinds),
        arrivals,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_the_engine_has_a_class() {
        let kinds = Model::built_in().kinds;
        assert!(kinds.len() > 5);
        for kind in &kinds {
            assert!(Class::of_sound(&kind.kind).is_some(), "{}", kind.kind);
        }
        let alike = vec![1.0 / kinds.len() as f64; kinds.len()];
        let sum: f64 = classes(&kinds, &alike).iter().map(|share| share.share.get()).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }
}
