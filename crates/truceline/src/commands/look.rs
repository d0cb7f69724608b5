//! Commands that list what is there.

use anyhow::{Context as _, Result, bail};
use domain::time::{seconds_between, shifted};
use domain::{Incident, Located, State};
use mission::explain::{Question, explain};
use publish::table::{self, Table};
use publish::{Counted, export, looked};

use super::{open, state_of};
use crate::account::Told;
use crate::cli::{
    EffortArgs, EventArgs, FindingArgs, IncidentArgs, ListArgs, ListFormat, TableFormat,
};
use crate::{Outcome, output};

/// The incidents of a list: all, or those of a day.
fn chosen<'s>(state: &'s State, args: &ListArgs) -> Vec<&'s Incident> {
    state
        .incidents
        .iter()
        .filter(|incident| args.day.is_none_or(|day| state.day_of(incident) == day))
        .collect()
}

/// What stands above a table: an exercise is never mistaken for anything else.
fn heading(state: &State) -> String {
    let exercise = if state.facts.exercise { "EXERCISE - made-up data. " } else { "" };
    let verified = state.cases.iter().filter(|case| case.is_verified()).count();
    let verified = match verified {
        0 => "Reported, not verified.".to_owned(),
        1 => "Reported; one finding is verified.".to_owned(),
        many => format!("Reported; {many} findings are verified."),
    };
    format!("{exercise}{}. {verified}\n", state.facts.title)
}

/// Lists incidents, or explains.
pub(crate) fn incidents(args: &IncidentArgs) -> Result<Outcome> {
    let list = &args.list;
    let mission = open(&list.mission)?;
    if let Some(question) = &args.explain {
        let bar = crate::progress::spinner("folding the record");
        let as_of = list.as_of.unwrap_or(mission::AsOf::Now);
        let answer = explain(&mission, &Question::parse(question), as_of)?;
        bar.finish_and_clear();
        let text = match list.format {
            ListFormat::Table => crate::explain::text(&answer),
            ListFormat::Json => output::json(&crate::explain::json(&answer))?,
            ListFormat::Csv | ListFormat::Geojson => {
                bail!("an explanation is printed as table or json")
            }
        };
        output::print(&text)?;
        return Ok(Outcome::Fine);
    }
    let state = state_of(&mission, list.as_of)?;
    let incidents = chosen(&state, list);
    let all = || incidents.iter().copied();
    let text = match list.format {
        ListFormat::Table => {
            let table = table::incidents(&state, all());
            let columns = ["id", "from", "class", "class_title", "basis", "place", "origins"];
            format!("{}{}", heading(&state), output::table(&table.pick(&columns)))
        }
        ListFormat::Csv => table::incidents(&state, all()).to_csv(),
        ListFormat::Json => output::json(&incidents)?,
        ListFormat::Geojson => export::incidents_geojson(&state, all()),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Lists findings.
pub(crate) fn findings(args: &FindingArgs) -> Result<Outcome> {
    if let Some(start) = &args.explain {
        return explain_finding(&args.list, start, &args.language);
    }
    let args = &args.list;
    let mission = open(&args.mission)?;
    let state = state_of(&mission, args.as_of)?;
    let counted = Counted::new(&state);
    let incidents: Vec<_> = chosen(&state, args)
        .into_iter()
        .filter(|incident| !counted.findings(incident).is_empty())
        .collect();
    let all = || incidents.iter().copied();
    let text = match args.format {
        ListFormat::Table => {
            let table = table::findings(&state, all());
            let columns = [
                "id",
                "day",
                "class",
                "place",
                "provision",
                "fit",
                "in_force",
                "in_zone",
                "open",
                "status",
            ];
            format!("{}{}", heading(&state), output::table(&table.pick(&columns)))
        }
        ListFormat::Csv => table::findings(&state, all()).to_csv(),
        ListFormat::Json => export::findings_json(&state, all()),
        ListFormat::Geojson => export::incidents_geojson(&state, all()),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Lists events.
pub(crate) fn events(args: &EventArgs) -> Result<Outcome> {
    if let Some(start) = &args.explain {
        return explain_event(args, start);
    }
    let mission = open(&args.mission)?;
    let state = state_of(&mission, args.as_of)?;
    let zone = &state.facts.zone;
    let table = table::events(state.events.iter().filter(|event| {
        event.probability.get() >= args.least
            && args.day.is_none_or(|day| zone.date(event.when.span.from) == day)
    }));
    let text = match args.format {
        TableFormat::Table => format!("{}{}", heading(&state), output::table(&table)),
        TableFormat::Csv => table.to_csv(),
        TableFormat::Json => output::json(&table.to_objects())?,
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Says why an event is believed.
fn explain_event(args: &EventArgs, start: &str) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let bar = crate::progress::spinner("folding the record");
    let as_of = args.as_of.unwrap_or(mission::AsOf::Now);
    let (state, told) = mission::explain::event(&mission, start, as_of)?;
    bar.finish_and_clear();
    let event = &told.event;
    let (Located::Normal { at, covariance }, zone) = (&event.place, &state.facts.zone) else {
        bail!("the event {} has no place with a covariance", event.id);
    };
    let told = Told {
        account: &told.account,
        event: event.id.to_string(),
        at: (at.lat(), at.lon()),
        covariance: [covariance.ee, covariance.en, covariance.nn],
        level_db: event.level_db,
        magnitude: event.magnitude,
        depth_km: event.depth.map(|depth| (depth.m / 1e3, depth.sigma_m / 1e3)),
        wave: event.wave,
        made_by: event
            .classes
            .iter()
            .map(|share| (format!("{} {}", share.class, share.class.title()), share.share.get()))
            .collect(),
        t_s: (seconds_between(told.zero, event.when.span.from), event.when.sigma_s),
        station: &|number| told.stations[number as usize].clone(),
        detection: &|row| told.observations[&row].to_string(),
        moment: &|t_s| {
            let local = zone.local(shifted(told.zero, t_s));
            format!("{} ({})", local.strftime("%Y-%m-%d %H:%M:%S%.3f"), zone.name())
        },
    };
    if let Some(path) = &args.svg {
        std::fs::write(path, told.svg()).with_context(|| format!("writing {}", path.display()))?;
    }
    let text = match args.format {
        TableFormat::Table => {
            let exercise = if state.facts.exercise { "EXERCISE - made-up data.\n" } else { "" };
            format!("{exercise}{}", told.text())
        }
        TableFormat::Json => output::json(&told.json())?,
        TableFormat::Csv => bail!("an explanation is printed as table or json"),
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Shows a finding element by element, and the ten checks.
fn explain_finding(args: &ListArgs, start: &str, language: &str) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let state = state_of(&mission, args.as_of)?;
    let finding = super::case::finding_id(&state, start)?;
    let untouched = mission::people::untouched(&mission, &state, finding, args.as_of)?;
    let case = state.case(finding).unwrap_or(&untouched);
    let text = match args.format {
        ListFormat::Json => output::json(case)?,
        ListFormat::Table => {
            let story = casework::story::tell(case, &state.steps, language);
            let exercise = if state.facts.exercise { "EXERCISE - made-up data.\n" } else { "" };
            format!("{exercise}{story}\n{}", casework::story::checks(case))
        }
        ListFormat::Csv | ListFormat::Geojson => {
            bail!("an explanation is printed as table or json")
        }
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}

/// Lists effort, by source or by sector.
pub(crate) fn effort(args: &EffortArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let state = state_of(&mission, args.as_of)?;
    let (table, columns): (Table, &[&str]) = if args.sectors {
        let lines = looked::sectors(&state, |day| args.day.is_none_or(|wanted| day == wanted));
        let columns = &[
            "sector",
            "watched_by",
            "light",
            "effort",
            "seen_hours",
            "share",
            "incidents",
            "per_100h",
            "low",
            "high",
        ];
        (table::sectors(&lines), columns)
    } else {
        let mut table = table::effort(&state);
        if let Some(day) = args.day.map(|day| day.to_string()) {
            table.rows.retain(|row| row[0] == day);
        }
        let columns = &[
            "day",
            "source",
            "effort",
            "share_of_day",
            "rows",
            "by_day",
            "day_seen_h",
            "day_rows",
            "day_per_100h",
            "by_night",
            "night_seen_h",
            "night_rows",
            "night_per_100h",
            "change",
        ];
        (table, columns)
    };
    let text = match args.format {
        TableFormat::Table => {
            let mut shown = table.pick(columns);
            let all = shown.rows.len();
            if args.sectors {
                // Of a sector that nobody watched there is nothing to show.
                let column = |name: &str| columns.iter().position(|one| *one == name);
                let (seen, incidents) = (column("seen_hours"), column("incidents"));
                shown.rows.retain(|row| {
                    seen.is_some_and(|at| row[at] != "0.0")
                        || incidents.is_some_and(|at| !row[at].is_empty())
                });
            }
            let hidden = match all - shown.rows.len() {
                0 => String::new(),
                rows => {
                    format!("{rows} more rows: not observed at all (`--format csv` has them)\n")
                }
            };
            format!("{}{}{hidden}", heading(&state), output::table(&shown))
        }
        TableFormat::Csv => table.to_csv(),
        TableFormat::Json => output::json(&table.to_objects())?,
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}
