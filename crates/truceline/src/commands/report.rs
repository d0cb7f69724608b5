//! The command that writes daily reports.

use std::path::PathBuf;

use anyhow::{Result, bail};
use mission::derive;
use mission::{AsOf, Edition};
use publish::{export, table};

use super::{open, state_of};
use crate::cli::{ReportArgs, ReportFormat};
use crate::progress::spinner;
use crate::{Outcome, output};

/// Writes pages, or prints.
pub(crate) fn report(args: &ReportArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    if matches!(args.format, ReportFormat::Csv | ReportFormat::Geojson) {
        let state = state_of(&mission, args.as_of)?;
        let wanted = || {
            state.incidents.iter().filter(|incident| {
                args.day.is_empty() || args.day.contains(&state.day_of(incident))
            })
        };
        let text = match args.format {
            ReportFormat::Csv => table::incidents(&state, wanted()).to_csv(),
            _ => export::incidents_geojson(&state, wanted()),
        };
        output::print(&text)?;
        return Ok(Outcome::Fine);
    }
    let bar = spinner("folding the record");
    let (state, world) = derive::derive(&mission, args.as_of.unwrap_or(AsOf::Now))?;
    let edition = Edition::new(&state, &world, &mission.reader()?)?;
    bar.finish_and_clear();
    let known: Vec<_> = state.facts.days().collect();
    if let Some(day) = args.day.iter().find(|day| !known.contains(day)) {
        bail!(
            "{day} is not a day of the case, which goes from {} to {}",
            known.first().map_or_else(String::new, ToString::to_string),
            known.last().map_or_else(String::new, ToString::to_string)
        );
    }
    let days = if args.day.is_empty() { edition.days() } else { args.day.clone() };
    match args.format {
        ReportFormat::Html => {
            let beside = || {
                let root = mission.root();
                root.parent().unwrap_or(root).join("report")
            };
            let folder: PathBuf = args.out.clone().unwrap_or_else(beside);
            edition.write_reports(&folder, &days)?;
            output::line(&format!(
                "wrote {} to {}",
                if days.len() == 1 {
                    "one report".to_owned()
                } else {
                    format!("{} reports", days.len())
                },
                folder.join("index.html").display()
            ))?;
        }
        ReportFormat::Json => {
            let reports: Vec<_> = days.iter().map(|day| edition.report(*day)).collect();
            output::print(&output::json(&reports)?)?;
        }
        _ => {
            for day in days {
                output::print(&publish::text::report_text(&edition.report(day)))?;
            }
        }
    }
    Ok(Outcome::Fine)
}
