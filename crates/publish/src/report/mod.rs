//! The daily report as a value: everything that is said, before anything is
//! said about how it looks. The order of sections follows the daily reports of
//! past monitoring missions.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::state::{SourceState, State};
use domain::{Basis, Class, EffortBasis, Interval};
use jiff::civil::Date;
use serde::Serialize;

use crate::counts::Counted;
use crate::summary::RecordFacts;
use crate::svg::map::{Layers, Map, basis_class};
use crate::words;

mod figures;
mod light;
mod people;
mod sentences;
mod tables;

pub use light::LightLine;

/// What a report needs besides the state.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The record that the state was made from.
    pub record: &'a RecordFacts,
    /// SHA-256 of the state.
    pub digest: &'a str,
    /// What the map shows every day.
    pub layers: &'a Layers,
    /// The line of contact of the day.
    pub contact: Vec<Vec<domain::LatLon>>,
    /// Titles of provisions by id.
    pub provisions: &'a BTreeMap<String, String>,
    /// Title of the agreement.
    pub agreement: &'a str,
}

/// A line of the table of incidents.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentLine {
    /// Number on the map.
    pub number: usize,
    /// Id.
    pub id: String,
    /// Local time, as exact as it is known.
    pub time: String,
    /// Place by settlement, control, distance and bearing.
    pub place: String,
    /// Class in words with its code and, if it is not certain, its share.
    pub class: String,
    /// What was observed, and how often.
    pub signatures: String,
    /// What it rests on.
    pub basis: &'static str,
    /// Class in the style sheet for it.
    pub basis_class: &'static str,
    /// Number of origins.
    pub origins: u32,
    /// P(it took place), as printed.
    pub probability: String,
    /// How it fits provisions.
    pub fits: Vec<String>,
    /// What people have made of it: status, replies, corrections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
    /// What is doubtful about it.
    pub remarks: Vec<String>,
}

/// A line of the table of effort.
#[derive(Clone, Debug, Serialize)]
pub struct EffortLine {
    /// Name of the source.
    pub source: String,
    /// Its kind.
    pub kind: &'static str,
    /// `observed`, `partly observed`, `not observed`.
    pub state: &'static str,
    /// Class in the style sheet.
    pub state_class: &'static str,
    /// Share of the day.
    pub share: String,
    /// On what ground.
    pub basis: String,
    /// Rows of the day; a dash if it was not looking and has none.
    pub rows: String,
    /// What became of them.
    pub outcomes: String,
}

/// A table of counts: this day against the day before.
#[derive(Clone, Debug, Serialize)]
pub struct CountLine {
    /// What is counted.
    pub name: String,
    /// Class in the style sheet, may be empty.
    pub class: &'static str,
    /// This day.
    pub today: String,
    /// The day before.
    pub yesterday: String,
    /// Mean per observed day of the baseline.
    pub baseline: String,
}

/// A chart with its legend and its data for those who do not see it.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Title.
    pub title: String,
    /// The picture, as SVG.
    #[serde(skip)]
    pub svg: String,
    /// Legend: class in the style sheet, and name.
    pub legend: Vec<(String, String)>,
    /// Names of the columns of the data.
    pub columns: Vec<String>,
    /// The data.
    pub rows: Vec<Vec<String>>,
    /// Below it.
    pub note: String,
}

/// A daily report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Title of the case.
    pub case: String,
    /// True for made-up data.
    pub exercise: bool,
    /// "Sunday, 20 April 2025".
    pub day: String,
    /// For file names and machines.
    pub date: Date,
    /// Links to the day before and after, if they have a report.
    pub before: Option<Date>,
    /// As above.
    pub after: Option<Date>,
    /// Cut-off, zone, truce.
    pub header: Vec<String>,
    /// Summary sentences.
    pub summary: Vec<String>,
    /// Incidents by what they rest on.
    pub by_basis: Vec<CountLine>,
    /// Incidents by class.
    pub by_class: Vec<CountLine>,
    /// Rows by source and signature.
    pub signatures: Vec<CountLine>,
    /// The map, as SVG.
    #[serde(skip)]
    pub map: Option<String>,
    /// Numbers of incidents that lie outside the map.
    #[serde(skip)]
    pub map_outside: Vec<usize>,
    /// Legend of the map.
    #[serde(skip)]
    pub map_legend: Vec<(String, &'static str)>,
    /// Incidents that are placed to a settlement or better.
    pub placed: Vec<IncidentLine>,
    /// Incidents that are only known to lie in a region.
    pub regional: Vec<IncidentLine>,
    /// Charts.
    pub figures: Vec<Figure>,
    /// Effort of every source of evidence.
    pub effort: Vec<EffortLine>,
    /// Every source by day and by night.
    pub light: Vec<LightLine>,
    /// Sectors that the mission watched, by day and by night.
    pub sectors: Vec<LightLine>,
    /// What could not be observed.
    pub unseen: Vec<String>,
    /// How the mission was kept from looking.
    pub restrictions: Vec<String>,
    /// Corrections of earlier days.
    pub corrections: Vec<String>,
    /// Small print.
    pub small_print: Vec<String>,
    /// Sources and terms.
    pub citations: Vec<String>,
    /// Where the figures come from: record, digest, engine.
    pub provenance: Vec<(String, String)>,
}

impl Report {
    /// The tables of incidents, each with its title.
    pub fn tables(&self) -> [(&'static str, &[IncidentLine]); 2] {
        [
            ("Placed to a settlement or better", &self.placed),
            ("Known only to lie in a region", &self.regional),
        ]
    }
}

struct Maker<'a> {
    state: &'a State,
    counted: Counted<'a>,
    around: &'a Surroundings<'a>,
    day: Date,
}

/// Makes the report of a day.
pub fn report(state: &State, around: &Surroundings<'_>, day: Date) -> Report {
    let maker = Maker { state, counted: Counted::new(state), around, day };
    maker.report()
}

/// The sources of evidence that were not, or not fully, observing on a day;
/// empty if all were.
pub fn unseen_names(state: &State, day: Date) -> String {
    let names: Vec<String> = state
        .sources
        .iter()
        .filter(|source| source.role == "evidence")
        .filter_map(|source| match source.days.get(&day)?.effort.state {
            DayState::Observed => None,
            DayState::Partial => Some(format!("{} (partly)", source.source.name)),
            DayState::NotObserved => Some(source.source.name.clone()),
        })
        .collect();
    names.join("; ")
}

fn class_name(class: Class) -> String {
    format!("{} ({class})", class.title())
}

fn number(value: f64) -> String {
    if value >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

impl Maker<'_> {
    fn report(&self) -> Report {
        let facts = &self.state.facts;
        let (first, last) = facts.report_days;
        let (placed, regional, marks) = self.incidents();
        let mut map_legend: Vec<(String, &'static str)> = Vec::new();
        for basis in Basis::ALL {
            if marks.iter().any(|mark| mark.basis == basis) {
                map_legend.push((basis_class(basis).to_owned(), basis.title()));
            }
        }
        let map = Map {
            title: format!("Incidents of {}", words::date(self.day)),
            description: format!(
                "{} drawn at their places, as wide as they are uncertain, with the line of contact of the day. The \
                 same incidents stand in the table below.",
                words::sentence(&words::count(marks.len() as u64, "incident", "incidents"))
            ),
            layers: self.around.layers,
            contact: &self.around.contact,
            marks,
        };
        Report {
            case: facts.title.clone(),
            exercise: facts.exercise,
            day: format!("{}, {}", words::weekday(self.day), words::date(self.day)),
            date: self.day,
            before: self.day.yesterday().ok().filter(|day| *day >= first),
            after: self.day.tomorrow().ok().filter(|day| *day <= last),
            header: self.header(),
            summary: self.summary(),
            by_basis: self.by_basis(),
            by_class: self.by_class(),
            signatures: self.signatures(),
            map: map.svg(),
            map_outside: map.outside(),
            map_legend,
            placed,
            regional,
            figures: self.figures(),
            effort: self.effort(),
            light: self.light(),
            sectors: self.sectors(),
            unseen: self.unseen(),
            restrictions: people::restrictions(self.state, self.day),
            corrections: people::corrections(self.state, self.day),
            small_print: self.small_print(),
            citations: self.citations(),
            provenance: self.provenance(),
        }
    }

    fn evidence(&self) -> impl Iterator<Item = &SourceState> {
        self.state.sources.iter().filter(|source| source.role == "evidence")
    }

    fn interval(&self) -> Interval {
        self.state.facts.zone.day(self.day)
    }

    fn header(&self) -> Vec<String> {
        let facts = &self.state.facts;
        let day = self.interval();
        let (zone, truce) = (&facts.zone, facts.window.truce);
        let mut lines = vec![format!(
            "Day from 00:00 to 24:00 on {}, local time ({}, {}). Based on everything in the record at {} entries; \
             reports that came in later are counted on the day they tell of.",
            words::date(self.day),
            zone.name(),
            words::offset(day.from, zone),
            self.around.record.size
        )];
        if let Some(moment) = facts.known_by {
            lines.push(format!("Only what could be known by {}.", words::moment(moment, zone)));
        }
        lines.push(format!("Agreement: {} ({}).", self.around.agreement, facts.agreement));
        let covered = day.covered_seconds(&[truce]) / day.seconds();
        let span = format!(
            "from {} to {}",
            words::moment(truce.from, zone),
            words::moment(truce.to, zone)
        );
        lines.push(if covered >= 1.0 {
            format!("The truce ({span}) was in force for the whole day.")
        } else if covered > 0.0 {
            format!(
                "The truce ({span}) was in force for {} of the {} hours of this day.",
                number(covered * day.seconds() / 3600.0),
                number(day.seconds() / 3600.0)
            )
        } else {
            format!("The truce ({span}) was not in force on this day.")
        });
        lines
    }

    fn small_print(&self) -> Vec<String> {
        let mut lines = vec![
            "Three numbers are never mixed: signatures (what sources delivered), incidents (cases put together from them) and verified violations (what two verifiers found by the ten checks).".to_owned(),
            "Reports that repeat the same words are counted once. A report that names only a region is kept apart from reports that name a place; it may be about the same occurrence.".to_owned(),
            "Times of press reports are those of publication, from which the event is taken to lie at most half a day back. A report that gives only a date is spread over its day.".to_owned(),
            "P(in force) and P(in zone) are probabilities that the incident, if it took place as reported, falls into the time and zone of a provision. They do not say that it took place, nor who did it.".to_owned(),
            "Places are named as settlement, control on the map of the day, distance and bearing from a city. Distances, directions and kinds are assessments.".to_owned(),
            "Day and night are told apart by the sun at the place. A rate is a count over the hours that were looked at; its interval is one of chance (95 %) and does not tell what a sensor misses. Where nobody looked there is no rate. Only what the watchers of a sector told themselves is held against their hours.".to_owned(),
            "Hot spots from space are held against fires of the same place and season in peacetime years; what these explain is left out.".to_owned(),
        ];
        if !self.state.facts.note.is_empty() {
            lines.insert(0, self.state.facts.note.clone());
        }
        lines
    }

    fn citations(&self) -> Vec<String> {
        self.state
            .sources
            .iter()
            .map(|source| {
                format!(
                    "{}: {} ({})",
                    source.source.name, source.source.citation, source.source.licence
                )
            })
            .collect()
    }

    fn provenance(&self) -> Vec<(String, String)> {
        let facts = &self.state.facts;
        [
            (
                "record",
                format!(
                    "{} entries, origin {}",
                    self.around.record.size, self.around.record.origin
                ),
            ),
            ("root", self.around.record.root.clone()),
            ("state digest", self.around.digest.to_owned()),
            ("engine", format!("version {}", facts.engine)),
            ("agreement", facts.agreement.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}

fn effort_basis(basis: &EffortBasis) -> String {
    match basis {
        EffortBasis::Logged => "logged by the source".to_owned(),
        EffortBasis::Stated { why, .. } => format!("stated: {why}"),
        EffortBasis::Rows => {
            "a row of the day shows that it was working; how well is not known".to_owned()
        }
    }
}
