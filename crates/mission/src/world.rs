//! Everything that observations are held against, gathered from a record:
//! places, maps, peacetime fires, land use, the agreement.

use std::collections::BTreeMap;

use agreement::Agreement;
use agreement::package::Files;
use domain::area::Rings;
use domain::gazetteer::Settlement;
use domain::{ControlHistory, ControlState, LatLon, Observation};
use fusion::lexicon::Lexicon;
use fusion::{Climatology, LandUse, Places, Priors, Reference, UnitGround, UnitInput};
use intake::tables::{ControlArea, StationRow, Table, UnitExtent, VelocityTable, WeatherRow};
use intake::{Context, Mapping};
use jiff::Timestamp;
use rayon::prelude::*;
use record::Reader;
use strict::Text;

use crate::entry::{BatchOf, Use, hash_of};
use crate::error::{Error, OnPath as _, Result};
use crate::folder::Mission;
use crate::ingest::read_mapping;
use crate::ledger::{FileState, Ledger};

/// Up to where the record is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Everything under the checkpoint.
    Now,
    /// The first so many entries.
    Size(u64),
    /// What could be known at a moment: observations that were available by
    /// then, maps of states before then, efforts that had ended.
    Moment(Timestamp),
}

impl std::str::FromStr for AsOf {
    type Err = String;

    /// A number of entries, or a moment with an offset.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if let Ok(size) = text.parse() {
            return Ok(Self::Size(size));
        }
        text.parse::<strict::Moment>()
            .map(|moment| Self::Moment(moment.0))
            .map_err(|problem| format!("{problem}; or give a number of entries of the record"))
    }
}

impl AsOf {
    /// How many entries count.
    pub fn size(self, reader: &Reader) -> Result<u64> {
        match self {
            Self::Size(size) if size > reader.size() => {
                Err(Error::Asked(format!("the record has {} entries, not {size}", reader.size())))
            }
            Self::Size(size) => Ok(size),
            _ => Ok(reader.size()),
        }
    }

    /// Whether something known from a moment on counts.
    pub fn knows(self, known_from: Timestamp) -> bool {
        match self {
            Self::Moment(moment) => known_from <= moment,
            _ => true,
        }
    }
}

/// A sensor network: its stations, the forecast of the air between them, and the
/// ground below.
#[derive(Debug, Default)]
pub struct Network {
    /// Stations.
    pub stations: Vec<StationRow>,
    /// Forecast.
    pub weather: Vec<WeatherRow>,
    /// Velocity model: the newest in the record.
    pub velocity: Option<VelocityTable>,
    /// Travel times by distance, degrees and s: the newest in the record.
    pub travel_times: Option<Vec<(f64, f64)>>,
    /// What arrays of a global network are like, as JSON: the newest in the record.
    pub performance: Option<String>,
}

/// The world of a mission.
#[derive(Debug)]
pub struct World {
    /// Bookkeeping.
    pub ledger: Ledger,
    /// The newest version of the agreement.
    pub agreement: Agreement,
    /// Places, peacetime, land use, and the map that gives the line of contact.
    pub reference: Reference,
    /// Maps of other sources, by source.
    pub other_maps: BTreeMap<String, ControlHistory>,
    /// Sensor networks, by source.
    pub networks: BTreeMap<String, Network>,
}

impl findings::Ground for World {
    fn samples(&self, unit: &str) -> Vec<LatLon> {
        self.reference.places.samples(unit)
    }

    fn control(&self, source: &str, moment: Timestamp) -> Option<&ControlState> {
        let main = self.ledger.genesis.as_ref()?.control_map.as_deref() == Some(source);
        if main {
            self.reference.control.at(moment)
        } else {
            self.other_maps.get(source)?.at(moment)
        }
    }
}

impl World {
    /// Gathers the world from a record.
    pub fn gather(mission: &Mission, reader: &Reader, as_of: AsOf) -> Result<Self> {
        let mut climatology = Climatology::default();
        let ledger = Ledger::fold(mission, reader, as_of.size(reader)?, |passing| {
            if passing.input.used_as != Use::Peacetime || passing.of != BatchOf::Observations {
                return Ok(());
            }
            let lines = passing
                .lines
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(|error| Error::entry(passing.entry, &error))?;
            let fires: Vec<_> = lines
                .into_par_iter()
                .map(|(_, json)| {
                    let fire = Observation::from_line(json)
                        .map_err(|error| Error::entry(passing.entry, &error))?;
                    let date = domain::Zone::utc().date(fire.when.interval().from);
                    Ok(fire.place.representative().map(|at| (at, date)))
                })
                .collect::<Result<_>>()?;
            for (at, date) in fires.into_iter().flatten() {
                climatology.add(at, date);
            }
            Ok(())
        })?;
        let agreement = newest_agreement(mission, &ledger)?;
        let mut tables = Tables::default();
        tables.read(mission, &ledger)?;
        let lexicon = lexicon(mission, &ledger)?;
        let places = Places::new(
            tables.settlements,
            tables.settlement_units,
            tables.units,
            &tables.land,
            lexicon,
        );
        let mut maps = control_maps(tables.control, &places, as_of);
        let main = ledger
            .genesis()?
            .control_map
            .as_deref()
            .and_then(|source| maps.remove(source))
            .unwrap_or_default();
        // The prior of war ends where a truce is in force under any reading.
        let reference = Reference {
            places,
            control: main,
            climatology,
            land_use: tables.land_use,
            priors: Priors::parse(&priors(mission, &ledger)?, agreement.truces())?,
        };
        Ok(Self { ledger, agreement, reference, other_maps: maps, networks: tables.networks })
    }
}

fn blob(mission: &Mission, hash: &str) -> Result<Vec<u8>> {
    let hash = hash_of(hash).map_err(|error| Error::Asked(error.to_string()))?;
    Ok(mission.blobs().get(&hash)?)
}

fn newest_agreement(mission: &Mission, ledger: &Ledger) -> Result<Agreement> {
    let Some(newest) = ledger.agreements.last() else {
        return Err(Error::Asked("the record holds no agreement".to_owned()));
    };
    let mut files = Files::new();
    for (path, hash) in &newest.files {
        files.insert(path.clone(), blob(mission, hash)?);
    }
    Ok(agreement::package::parse(&files)?)
}

fn lexicon(mission: &Mission, ledger: &Ledger) -> Result<Option<Lexicon>> {
    let Some(hash) = &ledger.genesis()?.lexicon else { return Ok(None) };
    let text = Text::from_bytes(format!("lexicon {hash}"), blob(mission, hash)?)?;
    Ok(Some(Lexicon::parse(&text)?))
}

/// The text of the priors that a mission is weighed with: its own, or the
/// built-in ones.
pub fn priors(mission: &Mission, ledger: &Ledger) -> Result<Text> {
    let Some(hash) = &ledger.genesis()?.priors else { return Ok(fusion::prior_file::current()) };
    Ok(Text::from_bytes(format!("priors {hash}"), blob(mission, hash)?)?)
}

/// Reference tables, as read from their blobs.
#[derive(Default)]
struct Tables {
    settlements: Vec<Settlement>,
    settlement_units: Vec<(String, String)>,
    units: Vec<UnitInput>,
    land_use: LandUse,
    land: Vec<Rings>,
    control: Vec<(String, ControlArea)>,
    networks: BTreeMap<String, Network>,
}

impl Tables {
    fn read(&mut self, mission: &Mission, ledger: &Ledger) -> Result<()> {
        let mut mappings: BTreeMap<&str, Mapping> = BTreeMap::new();
        for input in ledger.inputs.values() {
            if !mappings.contains_key(input.mapping_file.as_str()) {
                mappings.insert(&input.mapping_file, read_mapping(mission, &input.mapping_file)?);
            }
        }
        let genesis = ledger.genesis()?;
        let files: Vec<(&FileState, &str, &Mapping)> = ledger
            .files
            .values()
            .filter(|state| state.done.as_ref().is_some_and(|done| done.refused.is_empty()))
            .map(|state| {
                let input = &ledger.inputs[&state.file.input];
                (state, input.source.as_str(), &mappings[input.mapping_file.as_str()])
            })
            .filter(|(_, _, mapping)| mapping.kind.is_reference())
            .collect();
        let read: Vec<(String, Table)> = files
            .into_par_iter()
            .map(|(state, source, mapping)| {
                let hash =
                    hash_of(&state.file.blob).map_err(|error| Error::entry(state.entry, &error))?;
                let path = mission.blobs().path(&hash);
                let stored = std::fs::File::open(&path).on("opening", &path)?;
                let context = Context {
                    file_name: state.file.name.rsplit('/').next().unwrap_or(&state.file.name),
                    zone: &genesis.zone,
                    area: genesis.area,
                };
                let read = intake::tables::read(mapping, context, stored)
                    .map_err(|error| Error::entry(state.entry, &error))?;
                Ok((source.to_owned(), read.table))
            })
            .collect::<Result<_>>()?;
        for (source, table) in read {
            self.take(source, table);
        }
        Ok(())
    }

    fn take(&mut self, source: String, table: Table) {
        match table {
            Table::Settlements(rows) => {
                for row in rows {
                    match (row.at, row.unit) {
                        (Some(at), _) => self.settlements.push(Settlement {
                            code: row.code,
                            name: row.name,
                            aliases: row.aliases,
                            at,
                            population: row.population,
                        }),
                        (None, Some(unit)) => {
                            let names = std::iter::once(row.name).chain(row.aliases);
                            self.settlement_units.extend(names.map(|name| (name, unit.clone())));
                        }
                        (None, None) => {}
                    }
                }
            }
            Table::Units(rows) => self.units.extend(rows.into_iter().map(|row| UnitInput {
                code: row.code,
                names: row.names,
                ground: match row.extent {
                    UnitExtent::Polygons(polygons) => UnitGround::Polygons(polygons),
                    UnitExtent::Disc { at, radius_m } => UnitGround::Disc(at, radius_m),
                },
            })),
            Table::Stations(rows) => {
                self.networks.entry(source).or_default().stations.extend(rows);
            }
            Table::Weather(rows) => {
                self.networks.entry(source).or_default().weather.extend(rows);
            }
            Table::Velocity(table) => {
                self.networks.entry(source).or_default().velocity = Some(table);
            }
            Table::TravelTimes(points) => {
                self.networks.entry(source).or_default().travel_times = Some(points);
            }
            Table::Performance(text) => {
                self.networks.entry(source).or_default().performance = Some(text);
            }
            Table::LandUse(rows) => self.land_use.extend(rows),
            Table::Land(polygons) => self.land.extend(polygons),
            Table::ControlArea(area) => self.control.push((source, *area)),
        }
    }
}

fn control_maps(
    areas: Vec<(String, ControlArea)>,
    places: &Places,
    as_of: AsOf,
) -> BTreeMap<String, ControlHistory> {
    let states: Vec<(String, ControlState)> = areas
        .into_par_iter()
        .filter(|(_, area)| as_of.knows(area.state_at))
        .map(|(source, area)| {
            let names = (area.inside, area.outside);
            let state = ControlState::new(
                area.state_at,
                area.late_days,
                names,
                &area.polygons,
                area.accuracy_m,
                |at| places.on_land(at),
            );
            (source, state)
        })
        .collect();
    let mut by_source: BTreeMap<String, Vec<ControlState>> = BTreeMap::new();
    for (source, state) in states {
        by_source.entry(source).or_default().push(state);
    }
    by_source.into_iter().map(|(source, states)| (source, ControlHistory::new(states))).collect()
}
