//! One module per group of commands.

pub(crate) mod agreement;
pub(crate) mod associate;
pub(crate) mod calibrate;
pub(crate) mod case;
mod drama;
pub(crate) mod drill;
pub(crate) mod field;
pub(crate) mod finding;
pub(crate) mod keys;
mod look;
mod make;
pub(crate) mod owed;
pub(crate) mod red_team;
mod report;
pub(crate) mod simulate;
mod truth;
mod verify;

use std::path::Path;

use anyhow::Result;
use domain::State;
use mission::{AsOf, Mission, derive};

use crate::cli::{Cli, Command};
use crate::progress::spinner;
use crate::{Outcome, output};

/// Runs a command on as many threads as asked for.
pub(crate) fn run(cli: Cli) -> Result<Outcome> {
    derive::on_threads(cli.threads, || match cli.command {
        Command::Demo(args) => make::demo(&args),
        Command::Replay(args) => make::replay(&args),
        Command::Init(args) => make::init(&args),
        Command::Ingest(args) => make::ingest(&args),
        Command::Derive(args) => make::derive(&args),
        Command::Rebuild(args) => make::rebuild(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Prove(args) => verify::prove(&args),
        Command::Incidents(args) => look::incidents(&args),
        Command::Findings(args) => look::findings(&args),
        Command::Events(args) => look::events(&args),
        Command::Effort(args) => look::effort(&args),
        Command::Report(args) => report::report(&args),
        Command::Associate(args) => associate::associate(&args),
        Command::Simulate(args) => simulate::simulate(&args),
        Command::Keys(command) => keys::keys(&command),
        Command::Case(command) => case::case(command),
        Command::Field(command) => field::field(command),
        Command::Agreement(args) => agreement::run(&args),
        Command::Drill(args) => drill::drill(&args),
        Command::Obligations(args) => owed::obligations(&args),
        Command::Commitments(args) => owed::commitments(&args),
        Command::Answer(args) => owed::answer(&args),
        Command::RedTeam(args) => red_team::red_team(&args),
        Command::Calibrate(args) => calibrate::calibrate(&args),
        Command::Mappings(args) => mappings(args.name.as_deref()),
    })?
}

/// The state of a mission: the stored one if it is of now, else folded anew.
fn state_of(mission: &Mission, as_of: Option<AsOf>) -> Result<State> {
    let as_of = as_of.unwrap_or(AsOf::Now);
    if as_of == AsOf::Now
        && let Some(state) = derive::stored(mission)?
    {
        return Ok(state);
    }
    let bar = spinner("folding the record");
    let (state, _) = derive::derive(mission, as_of)?;
    bar.finish_and_clear();
    Ok(state)
}

fn open(mission: &Path) -> Result<Mission> {
    Ok(Mission::open(mission)?)
}

fn mappings(name: Option<&str>) -> Result<Outcome> {
    let Some(name) = name else {
        for name in intake::catalogue::names() {
            let text = intake::catalogue::mapping(name).expect("it is listed");
            let title = text.lines().find_map(|line| line.strip_prefix("title = "));
            output::line(&format!("{name:22} {}", title.unwrap_or("").trim_matches('"')))?;
        }
        return Ok(Outcome::Fine);
    };
    match intake::catalogue::mapping(name) {
        Some(text) => output::print(text)?,
        None => {
            anyhow::bail!("no built-in mapping is called `{name}`; `truceline mappings` lists them")
        }
    }
    Ok(Outcome::Fine)
}
