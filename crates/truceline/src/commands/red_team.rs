//! How often a false proposal comes out of the whole chain of rules.

use anyhow::Result;
use clap::Args;
use exercise::red_team::{Assumptions, Tally, agreement, run, wilson};
use publish::table::Table;

use crate::{Outcome, output};

#[derive(Args, Debug)]
#[command(after_help = "Example:\n  truceline red-team --cases 2000\n\n\
    Every case goes through signed acts, the real fold and the real guarantee engine. Verifiers always rule `verified`; \
    what people notice besides happens with declared chances.")]
pub(crate) struct RedTeamArgs {
    /// Cases of every trick
    #[arg(long, default_value_t = 400, value_name = "N")]
    pub cases: u64,
    /// The same seed gives the same figures
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
}

/// Runs the tricks under both sets of assumptions.
pub(crate) fn red_team(args: &RedTeamArgs) -> Result<Outcome> {
    let it = agreement();
    output::line("EXERCISE - evidence of what never took place, made up.")?;
    for (title, about) in [
        ("Officers who look", Assumptions::DILIGENT),
        ("Officers who sign everything", Assumptions::BLIND),
    ] {
        let bar = crate::progress::spinner(title);
        let tallies = run(&it, args.seed, args.cases, about);
        bar.finish_and_clear();
        let mut rows: Vec<Vec<String>> =
            tallies.iter().map(|(trick, tally)| row(trick.title(), *tally)).collect();
        let all = tallies.values().fold(Tally::default(), |sum, one| Tally {
            cases: sum.cases + one.cases,
            verified: sum.verified + one.verified,
            proposals: sum.proposals + one.proposals,
        });
        rows.push(row("all tricks alike", all));
        let columns =
            vec!["trick", "cases", "false, verified", "false proposals", "rate", "95 % interval"];
        output::line(&format!(
            "\n{title}: second fix {:.2}, staging noticed {:.2}, coincidence {:.2}, patrol misled {:.2}",
            about.second_fix, about.staging_noticed, about.coincidence, about.patrol_misled
        ))?;
        output::print(&output::table(&Table { columns, rows }))?;
    }
    Ok(Outcome::Fine)
}

fn row(title: &str, tally: Tally) -> Vec<String> {
    let (rate, low, high) = wilson(tally.proposals, tally.cases);
    vec![
        title.to_owned(),
        tally.cases.to_string(),
        tally.verified.to_string(),
        tally.proposals.to_string(),
        format!("{:.2} %", rate * 100.0),
        format!("{:.2} to {:.2} %", low * 100.0, high * 100.0),
    ]
}
