//! Pages. The templates are checked when the program is compiled; every text
//! that comes from data is escaped.

use askama::Template;
use domain::State;
use domain::state::Period;
use domain::time::DAY_S;
use jiff::civil::Date;

use crate::counts::Counted;
use crate::report::Report;
use crate::words;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    report: &'a Report,
    style: &'static str,
}

/// One line of the list of days.
#[derive(Clone, Debug)]
pub struct DayLine {
    /// The day.
    pub date: Date,
    /// Incidents.
    pub incidents: u64,
    /// Incidents that may fall under a provision.
    pub findings: u64,
    /// Sources that were not observing.
    pub unseen: String,
    /// True if the truce was in force for some of it.
    pub in_truce: bool,
}

impl DayLine {
    /// The name of the day's page.
    pub fn page(&self) -> String {
        page_name(self.date)
    }

    /// "Sunday, 20 April 2025".
    pub fn title(&self) -> String {
        format!("{}, {}", words::weekday(self.date), words::date(self.date))
    }
}

/// What the list of days shows.
#[derive(Clone, Debug)]
pub struct Index {
    /// Title of the case.
    pub case: String,
    /// What a reader must know.
    pub note: String,
    /// True for made-up data.
    pub exercise: bool,
    /// The days.
    pub days: Vec<DayLine>,
    /// Totals of the periods; see [`period_row`].
    pub periods: Vec<[String; 6]>,
    /// SHA-256 of the state.
    pub digest: String,
}

#[derive(Template)]
#[template(path = "index.html")]
struct IndexPage<'a> {
    index: &'a Index,
    style: &'static str,
}

pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// A period in the list of days: name, from, to, incidents, incidents per 24
/// hours, incidents with a finding.
pub fn period_row(state: &State, counted: &Counted<'_>, period: Period) -> [String; 6] {
    let zone = &state.facts.zone;
    let interval = state.facts.window.period(period);
    let of_period =
        state.incidents.iter().filter(|incident| counted.period(incident) == Some(period));
    let (incidents, findings) = counted.count(of_period);
    let name = match period {
        Period::Baseline => "before",
        Period::Window => "truce",
        Period::After => "after",
    };
    [
        name.to_owned(),
        words::moment(interval.from, zone),
        words::moment(interval.to, zone),
        incidents.total.to_string(),
        format!("{:.1}", incidents.total as f64 * DAY_S / interval.seconds()),
        findings.incidents.to_string(),
    ]
}

/// File name of a day's page.
pub fn page_name(day: Date) -> String {
    format!("{day}.en.html")
}

/// A report as a page.
pub fn report_page(report: &Report) -> String {
    ReportPage { report, style: STYLE }.render().expect("a report always renders into memory")
}

/// The list of days as a page.
pub fn index_page(index: &Index) -> String {
    IndexPage { index, style: STYLE }.render().expect("a list always renders into memory")
}
