//! `truceline case report`: the finding report in its chapters.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use mission::{AsOf, people};
use publish::finding_report::{Around, finding_report};

use super::{case::finding_id, open, state_of};
use crate::cli::TextFormat;
use crate::{Outcome, output};

#[derive(Args, Debug)]
pub(crate) struct FindingReportArgs {
    /// Mission folder
    mission: PathBuf,
    /// Finding, or the beginning of its id
    finding: String,
    /// Write a page instead
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = TextFormat::Table, conflicts_with = "html")]
    format: TextFormat,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    as_of: Option<AsOf>,
}

/// Makes it.
pub(crate) fn report(args: &FindingReportArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let state = state_of(&mission, args.as_of)?;
    let finding = finding_id(&state, &args.finding)?;
    let untouched;
    let case = if let Some(case) = state.case(finding) {
        case
    } else {
        untouched = people::untouched(&mission, &state, finding, args.as_of)?;
        &untouched
    };
    let as_of = args.as_of.unwrap_or(AsOf::Now);
    let world = mission::world::World::gather(&mission, &mission.reader()?, as_of)?;
    let it = &world.agreement;
    let provisions: BTreeMap<String, (String, String)> = it
        .provisions
        .iter()
        .map(|one| {
            (one.id.clone(), (one.title.get("en").to_owned(), one.text.get("en").to_owned()))
        })
        .collect();
    let around = Around {
        agreement: it.title.get("en"),
        provisions: &provisions,
        entries: state.facts.entries,
        digest: &state.digest(),
    };
    let Some(report) = finding_report(&state, case, &around) else {
        anyhow::bail!("the state holds no finding {finding}");
    };
    if let Some(path) = &args.html {
        super::agreement::write_page(path, &report.to_page())?;
        return Ok(Outcome::Fine);
    }
    let text = match args.format {
        TextFormat::Table => report.to_text(),
        TextFormat::Json => output::json(&report)?,
    };
    output::print(&text)?;
    Ok(Outcome::Fine)
}
