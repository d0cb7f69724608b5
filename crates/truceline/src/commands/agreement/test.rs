//! `truceline agreement test`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::{Outcome, output};

#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  truceline agreement test agreements/energy-moratorium-2025\n  \
    truceline agreement test agreements/* --list\n\n\
    Tests stand in tests/*.toml of a package; docs/agreement-language.md says how they are written.\n\
    Exit code 1 if one fails."
)]
pub(crate) struct TestArgs {
    /// Folders of packages
    #[arg(required = true)]
    agreements: Vec<PathBuf>,
    /// Name every test, not only those that fail
    #[arg(long)]
    list: bool,
}

pub(super) fn test(args: &TestArgs) -> Result<Outcome> {
    let mut failed = 0;
    for folder in &args.agreements {
        let (package, files) = super::read(folder)?;
        let outcomes = agreement::testing::run(&package, &files)
            .map_err(|error| anyhow::anyhow!("{}\n{error}", folder.display()))?;
        let mut bad = 0;
        for outcome in &outcomes {
            let place = format!("{}/{}:{}", folder.display(), outcome.file, outcome.line);
            match &outcome.failure {
                Some(failure) => {
                    bad += 1;
                    output::line(&format!(
                        "FAILED  {}\n        {place}\n        {failure}",
                        outcome.name
                    ))?;
                }
                None if args.list => output::line(&format!("ok      {}", outcome.name))?,
                None => {}
            }
        }
        let reference = package.agreement.reference();
        output::line(&format!("{reference}: {} tests, {bad} failed", outcomes.len()))?;
        failed += bad;
    }
    Ok(if failed > 0 { Outcome::Flawed } else { Outcome::Fine })
}
