//! An edition: everything that is published of a state, as files. The same
//! state and record give the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use agreement::Geometry;
use domain::area::Rings;
use domain::state::Period;
use domain::{LatLon, State};
use jiff::civil::Date;
use publish::html::{DayLine, Index, index_page, page_name, report_page};
use publish::svg::map::Layers;
use publish::{Counted, RecordFacts, Report, Surroundings};
use record::Reader;

use crate::error::{Error, OnPath as _, Result};
use crate::world::World;

/// Cities that a map may name, the largest first.
const CITIES: usize = 60;

/// A state with what its reports need besides it.
#[derive(Debug)]
pub struct Edition<'a> {
    state: &'a State,
    world: &'a World,
    record: RecordFacts,
    digest: String,
    layers: Layers,
    provisions: BTreeMap<String, String>,
    agreement: String,
}

impl<'a> Edition<'a> {
    /// Gathers what the reports of a state need.
    pub fn new(state: &'a State, world: &'a World, reader: &Reader) -> Result<Self> {
        let size = state.facts.entries;
        let record = RecordFacts {
            size,
            root: reader.root_at(size)?.to_base64(),
            origin: reader.checkpoint().origin().to_owned(),
        };
        let provisions = world
            .agreement
            .provisions
            .iter()
            .map(|provision| (provision.id.clone(), provision.title.get("en").to_owned()))
            .collect();
        Ok(Self {
            state,
            world,
            record,
            digest: state.digest(),
            layers: layers(world),
            provisions,
            agreement: world.agreement.title.get("en").to_owned(),
        })
    }

    /// SHA-256 of the state.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The record behind it.
    pub const fn record(&self) -> &RecordFacts {
        &self.record
    }

    /// The summary as JSON.
    pub fn summary(&self) -> String {
        publish::summary(self.state, self.digest.clone(), &self.record).to_json()
    }

    /// The days for which there are reports.
    pub fn days(&self) -> Vec<Date> {
        let (first, last) = self.state.facts.report_days;
        std::iter::successors(Some(first), |day| day.tomorrow().ok())
            .take_while(|day| *day <= last)
            .collect()
    }

    /// The report of a day.
    pub fn report(&self, day: Date) -> Report {
        let noon = self.state.facts.zone.moments(day.at(12, 0, 0, 0)).from;
        let contact = self
            .world
            .reference
            .control
            .at(noon)
            .map_or_else(Vec::new, |control| control.contact().to_vec());
        let around = Surroundings {
            record: &self.record,
            digest: &self.digest,
            layers: &self.layers,
            contact,
            provisions: &self.provisions,
            agreement: &self.agreement,
        };
        publish::report(self.state, &around, day)
    }

    /// The list of days.
    fn index(&self, reports: &[Report]) -> Index {
        let facts = &self.state.facts;
        let counted = Counted::new(self.state);
        let days = reports
            .iter()
            .map(|report| {
                let (incidents, findings) = counted.day(report.date);
                let day = facts.zone.day(report.date);
                DayLine {
                    date: report.date,
                    incidents: incidents.total,
                    findings: findings.incidents,
                    unseen: publish::report::unseen_names(self.state, report.date),
                    in_truce: day.covered_seconds(&[facts.window.truce]) > 0.0,
                }
            })
            .collect();
        Index {
            case: facts.title.clone(),
            note: facts.note.clone(),
            exercise: facts.exercise,
            days,
            periods: Period::ALL
                .map(|period| publish::html::period_row(self.state, &counted, period))
                .to_vec(),
            digest: self.digest.clone(),
        }
    }

    /// Writes the summary, the tables and the reports below a folder. Each file
    /// is replaced as a whole.
    pub fn write(&self, out: &Path) -> Result<()> {
        let state = self.state;
        let incidents = || state.incidents.iter();
        for (name, text) in [
            ("summary.json", self.summary()),
            ("incidents.geojson", publish::export::incidents_geojson(state, incidents())),
            ("incidents.csv", publish::table::incidents(state, incidents()).to_csv()),
            ("findings.json", publish::export::findings_json(state, incidents())),
        ] {
            replace(&out.join(name), &text)?;
        }
        self.write_reports(&out.join("report"), &self.days())
    }

    /// Writes the reports of some days and the list of them.
    pub fn write_reports(&self, folder: &Path, days: &[Date]) -> Result<()> {
        fs::create_dir_all(folder).on("making", folder)?;
        let reports: Vec<Report> = days.iter().map(|day| self.report(*day)).collect();
        for report in &reports {
            replace(&folder.join(page_name(report.date)), &report_page(report))?;
        }
        replace(&folder.join("index.html"), &index_page(&self.index(&reports)))
    }
}

/// Writes a file beside its place and moves it there.
fn replace(path: &Path, text: &str) -> Result<()> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(Error::folder(path, "this is not the name of a file"));
    };
    let draft = path.with_file_name(format!(".{name}.incomplete"));
    fs::write(&draft, text).on("writing", &draft)?;
    fs::rename(&draft, path).on("replacing", path)
}

fn layers(world: &World) -> Layers {
    let places = &world.reference.places;
    let rings =
        |area: &domain::Area| -> Vec<Vec<LatLon>> { area.rings().into_iter().flatten().collect() };
    let zones: Vec<(String, Vec<Rings>)> = world
        .agreement
        .zones
        .iter()
        .filter_map(|zone| match &zone.geometry {
            Geometry::Polygons { polygons, .. } => {
                Some((zone.name.get("en").to_owned(), polygons.clone()))
            }
            Geometry::Everywhere | Geometry::Band { .. } => None,
        })
        .collect();
    let cities = places.gazetteer().largest(CITIES);
    Layers {
        land: places.land().map(rings).unwrap_or_default(),
        outlines: places.outlines().flat_map(|(_, area)| rings(area)).collect(),
        zones,
        cities: cities.into_iter().map(|city| (city.name.clone(), city.at)).collect(),
        area: world.ledger.genesis.as_ref().and_then(|genesis| genesis.area),
    }
}
