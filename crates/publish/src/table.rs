//! Tables: the same cells for a terminal, a spreadsheet and a map. Positions
//! are rounded to a hundredth of a degree (about 1 km): the exact ones stay in
//! the record. Nothing here can carry an actor.

use std::collections::BTreeMap;

use domain::effort::DayState;
use domain::finding::Met;
use domain::probability::rounded;
use domain::state::State;
use domain::{ClassShare, Event, Incident, Light, Located, Seen};

use crate::counts::{Counted, provision_name};
use crate::looked::{self, SectorLight};
use crate::watch::{self, SourceChange};

/// Decimals of a degree in what leaves the record.
const DEGREE_DECIMALS: u32 = 2;

/// Named columns of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// Cells, in the order of the columns.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// As comma-separated values (RFC 4180, UTF-8).
    pub fn to_csv(&self) -> String {
        let mut text = csv_line(self.columns.iter().copied());
        for row in &self.rows {
            text.push_str(&csv_line(row.iter().map(String::as_str)));
        }
        text
    }

    /// As JSON objects, one per row; every value is a text.
    pub fn to_objects(&self) -> Vec<BTreeMap<&str, &str>> {
        self.rows
            .iter()
            .map(|row| self.columns.iter().copied().zip(row.iter().map(String::as_str)).collect())
            .collect()
    }

    /// Only some of the columns, in the order asked for.
    pub fn pick(&self, wanted: &[&'static str]) -> Self {
        let places: Vec<usize> = wanted
            .iter()
            .filter_map(|name| self.columns.iter().position(|column| column == name))
            .collect();
        Self {
            columns: places.iter().map(|place| self.columns[*place]).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| places.iter().map(|place| row[*place].clone()).collect())
                .collect(),
        }
    }
}

/// One line of a table; quoted where needed, and safe to open in a spreadsheet:
/// a cell that would be taken for a formula is preceded by an apostrophe.
pub fn csv_line<'c>(cells: impl Iterator<Item = &'c str>) -> String {
    let cell = |cell: &str| {
        let formula = cell.starts_with(['=', '+', '@', '\t', '\r'])
            || (cell.starts_with('-') && cell.parse::<f64>().is_err());
        let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    };
    let mut line = cells.map(cell).collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

/// Where an incident may be shown, `[lon, lat]`. The middle of a region is a
/// place where nobody reported anything, so a region has none.
pub fn rounded_position(place: &Located) -> Option<[f64; 2]> {
    let centre = match place {
        Located::Region { .. } | Located::Unknown => return None,
        other => other.centre()?,
    };
    let round = |degrees: f64| domain::probability::rounded(degrees, DEGREE_DECIMALS);
    Some([round(centre.lon()), round(centre.lat())])
}

fn precision_code(incident: &Incident) -> &'static str {
    match incident.place.precision() {
        domain::Precision::Exact => "exact",
        domain::Precision::Settlement => "settlement",
        domain::Precision::Region => "region",
        domain::Precision::Unknown => "unknown",
    }
}

/// Incidents, one row each.
pub fn incidents<'i>(state: &State, incidents: impl Iterator<Item = &'i Incident>) -> Table {
    let row = |incident: &Incident| {
        let position = rounded_position(&incident.place);
        let signatures: Vec<String> = incident
            .signatures
            .iter()
            .map(|(signature, count)| format!("{signature}:{count}"))
            .collect();
        let radius_km = incident.place.radius_m() / 1000.0;
        let share = incident.classes.first().map(|first| format!("{:.2}", first.share.get()));
        vec![
            incident.id.to_string(),
            state.day_of(incident).to_string(),
            incident.when.span.from.to_string(),
            incident.when.span.to.to_string(),
            incident.class().to_string(),
            incident.class().title().to_owned(),
            share.unwrap_or_default(),
            incident.basis().code().to_owned(),
            incident.status.code().to_owned(),
            format!("{:.2}", incident.belief.probability.get()),
            format!("{:.2}", incident.belief.distinct.get()),
            incident.place_name.clone(),
            precision_code(incident).to_owned(),
            position.map_or(String::new(), |[_, lat]| format!("{lat:.2}")),
            position.map_or(String::new(), |[lon, _]| format!("{lon:.2}")),
            if radius_km.is_finite() { format!("{radius_km:.1}") } else { String::new() },
            incident.origins.to_string(),
            signatures.join(" "),
            incident.claimed_count.map_or(String::new(), |count| format!("{count}")),
            incident.remarks.join("; "),
        ]
    };
    Table {
        columns: vec![
            "id",
            "day",
            "from",
            "to",
            "class",
            "class_title",
            "class_share",
            "basis",
            "status",
            "probability",
            "distinct",
            "place",
            "precision",
            "lat",
            "lon",
            "radius_km",
            "origins",
            "signatures",
            "claimed_count",
            "remarks",
        ],
        rows: incidents.map(row).collect(),
    }
}

/// Findings on some incidents, one row for each provision and reading.
pub fn findings<'i>(state: &State, incidents: impl Iterator<Item = &'i Incident>) -> Table {
    let counted = Counted::new(state);
    let rows = incidents.flat_map(|incident| {
        let day = state.day_of(incident).to_string();
        counted
            .findings(incident)
            .iter()
            .map(|finding| {
                let open: Vec<&str> = finding
                    .elements
                    .iter()
                    .filter(|element| matches!(element.met, Met::Unknown { .. }))
                    .map(|element| element.name.as_str())
                    .collect();
                vec![
                    finding.id.to_string(),
                    incident.id.to_string(),
                    day.clone(),
                    incident.class().to_string(),
                    incident.place_name.clone(),
                    provision_name(finding),
                    format!("{:.2}", finding.fit.get()),
                    format!("{:.2}", finding.in_force.get()),
                    finding.in_zone.map_or(String::new(), |p| format!("{:.2}", p.get())),
                    open.join(" "),
                    finding.status.code().to_owned(),
                ]
            })
            .collect::<Vec<_>>()
    });
    Table {
        columns: vec![
            "id",
            "incident",
            "day",
            "class",
            "place",
            "provision",
            "fit",
            "in_force",
            "in_zone",
            "open",
            "status",
        ],
        rows: rows.collect(),
    }
}

/// Classes with their shares, likeliest first: `A4 0.81, A6 0.19`.
pub fn class_list(classes: &[ClassShare]) -> String {
    let worth = classes.iter().filter(|share| share.share.get() >= 0.05);
    let list: Vec<String> =
        worth.map(|share| format!("{} {:.2}", share.class, share.share.get())).collect();
    list.join(", ")
}

/// Events, one row each.
pub fn events<'e>(events: impl Iterator<Item = &'e Event>) -> Table {
    let row = |event: &Event| {
        let position = rounded_position(&event.place);
        vec![
            event.id.to_string(),
            event.network.clone(),
            event.when.span.from.to_string(),
            format!("{:.3}", event.when.sigma_s),
            position.map_or(String::new(), |[_, lat]| format!("{lat:.2}")),
            position.map_or(String::new(), |[lon, _]| format!("{lon:.2}")),
            format!("{:.0}", event.place.radius_m()),
            format!("{:.3}", event.probability.get()),
            event.wave.code().to_owned(),
            event.level_db.map_or(String::new(), |level| format!("{level:.1}")),
            event.depth.map_or(String::new(), |depth| format!("{:.1}", depth.m / 1000.0)),
            event.magnitude.map_or(String::new(), |magnitude| format!("{magnitude:.1}")),
            event.arrivals.len().to_string(),
            class_list(&event.classes),
        ]
    };
    Table {
        columns: vec![
            "id",
            "network",
            "at",
            "sigma_s",
            "lat",
            "lon",
            "radius_m",
            "probability",
            "wave",
            "level_db",
            "depth_km",
            "magnitude",
            "arrivals",
            "classes",
        ],
        rows: events.map(row).collect(),
    }
}

/// Effort of every source of evidence, one row for each day.
pub fn effort(state: &State) -> Table {
    let rows = state.sources.iter().filter(|source| source.role == "evidence").flat_map(|source| {
        let changes = watch::changes(source);
        source.days.iter().map(move |(day, counts)| {
            // A source that was not looking and has no row has no count.
            let unseen = counts.rows == 0 && counts.effort.state == DayState::NotObserved;
            let mut row = vec![
                day.to_string(),
                source.source.id.clone(),
                source.source.kind.code().to_owned(),
                counts.effort.state.code().to_owned(),
                format!("{:.2}", counts.effort.share),
                if unseen { String::new() } else { counts.rows.to_string() },
            ];
            for light in Light::ALL {
                let rows = counts.rows_by(light);
                row.extend(by_light(counts.light.map(|by| by.of(light)), rows));
            }
            row.push(changes.get(day).map_or(String::new(), SourceChange::words));
            row
        })
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    // By day; sources stay in the order of their declaration.
    rows.sort_by(|a, b| a[0].cmp(&b[0]));
    let columns = vec![
        "day",
        "source",
        "kind",
        "effort",
        "share_of_day",
        "rows",
        "by_day",
        "day_hours",
        "day_seen_h",
        "day_rows",
        "day_per_100h",
        "by_night",
        "night_hours",
        "night_seen_h",
        "night_rows",
        "night_per_100h",
        "change",
    ];
    Table { columns, rows }
}

/// State, hours, hours seen, count and rate by one light. Where nobody looked
/// there is no count and no rate, unless there are rows all the same.
fn by_light(seen: Option<Seen>, count: f64) -> [String; 5] {
    let Some((seen, effort)) = seen.and_then(|seen| Some((seen, seen.effort()?))) else {
        return Default::default();
    };
    let unseen = count == 0.0 && effort.state == DayState::NotObserved;
    [
        effort.state.code().to_owned(),
        format!("{:.2}", seen.hours),
        format!("{:.2}", seen.seen),
        if unseen { String::new() } else { format!("{}", rounded(count, 3)) },
        looked::rate(count, seen).map_or(String::new(), |rate| rate.rate.to_string()),
    ]
}

/// Sectors by day and by night: hours, hours watched, and what the watchers
/// told of per observed hours.
pub fn sectors(lines: &[SectorLight<'_>]) -> Table {
    let rows = lines.iter().filter_map(|line| {
        let effort = line.effort()?;
        let bounds = &line.sector.bounds;
        let unseen = line.incidents == 0.0 && effort.state == DayState::NotObserved;
        let rate = line.rate();
        let of = |pick: fn(&looked::Rate) -> f64| {
            rate.as_ref().map_or(String::new(), |rate| pick(rate).to_string())
        };
        Some(vec![
            line.sector.name(),
            bounds.south.to_string(),
            bounds.west.to_string(),
            bounds.north.to_string(),
            bounds.east.to_string(),
            line.sector.watching.code().to_owned(),
            line.light.code().to_owned(),
            effort.state.code().to_owned(),
            format!("{:.1}", line.seen.hours),
            format!("{:.1}", line.seen.seen),
            format!("{:.2}", effort.share),
            if unseen { String::new() } else { line.incidents.to_string() },
            of(|rate| rate.rate),
            of(|rate| rate.low),
            of(|rate| rate.high),
        ])
    });
    let columns = vec![
        "sector",
        "south",
        "west",
        "north",
        "east",
        "watched_by",
        "light",
        "effort",
        "hours",
        "seen_hours",
        "share",
        "incidents",
        "per_100h",
        "low",
        "high",
    ];
    Table { columns, rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_harmless() {
        let cells = ["a,b", "say \"x\"", "=1+1", "-cmd", "-3.5", "plain"];
        let line = csv_line(cells.into_iter());
        assert_eq!(line, "\"a,b\",\"say \"\"x\"\"\",'=1+1,'-cmd,-3.5,plain\n");
    }

    #[test]
    fn columns_are_picked_by_name() {
        let table = Table {
            columns: vec!["a", "b", "c"],
            rows: vec![vec!["1".into(), "2".into(), "3".into()]],
        };
        assert_eq!(table.pick(&["c", "a"]).to_csv(), "c,a\n3,1\n");
    }
}
