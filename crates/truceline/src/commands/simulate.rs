//! Simulated sensor networks.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use simulate::scenario::{self, Scenario};
use simulate::{Part, Sink};

use crate::progress::counted;
use crate::{Outcome, output};

pub(crate) const EXAMPLES: &str = "Examples:\n  truceline simulate --list\n  \
    truceline simulate --out S-7 --scenario S --seed 7\n  \
    truceline simulate --print hard > mine.toml    take a scenario as a start\n  \
    truceline simulate --out X --scenario mine.toml\n\n\
    Writes stations.csv, outages.csv, met.csv, detections.csv, detections.ndjson and the truth \
    (truth.csv, truth_assoc.csv, truth_faults.csv, meta.json). The same seed gives the same bytes \
    on every machine. Nothing in them is real.";

#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// Folder to make
    #[arg(long, value_name = "DIR", required_unless_present_any = ["list", "print"])]
    pub out: Option<PathBuf>,
    /// A shipped scenario, or a TOML file
    #[arg(long, default_value = "S", value_name = "NAME|FILE.toml")]
    pub scenario: String,
    /// The set differs from seed to seed, and is the same for the same seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Another length than the scenario's, hours
    #[arg(long, value_name = "H")]
    pub hours: Option<f64>,
    /// Leave out detections.ndjson, which is three times the size of detections.csv
    #[arg(long)]
    pub no_stream: bool,
    /// List the shipped scenarios
    #[arg(long, exclusive = true)]
    pub list: bool,
    /// Print a shipped scenario
    #[arg(long, value_name = "NAME", exclusive = true)]
    pub print: Option<String>,
}

/// Makes a data set.
pub(crate) fn simulate(args: &SimulateArgs) -> Result<Outcome> {
    if args.list {
        for (name, title) in scenario::shipped() {
            output::line(&format!("{name:12} {title}"))?;
        }
        return Ok(Outcome::Fine);
    }
    if let Some(name) = &args.print {
        output::print(known(name)?)?;
        return Ok(Outcome::Fine);
    }
    let out = args.out.as_ref().expect("clap asks for it");
    let scenario = read(&args.scenario, args.hours)?;
    let mut files = Files::new(out, args.no_stream)?;
    let counts = simulate::generate(&scenario, args.seed, &mut files)?;
    files.finish()?;
    output::line(&format!(
        "{}: {} events, {} detections ({} false) in {}",
        scenario.title,
        counts.n_events,
        counts.n_acoustic,
        counts.n_false,
        out.display()
    ))?;
    Ok(Outcome::Fine)
}

fn known(name: &str) -> Result<&'static str> {
    match scenario::shipped_text(name) {
        Some(text) => Ok(text),
        None => bail!(
            "no scenario is called `{name}`; `truceline simulate --list` lists the shipped ones, \
             and a file's name ends in .toml"
        ),
    }
}

fn read(name: &str, hours: Option<f64>) -> Result<Scenario> {
    let text = if Path::new(name).extension().is_some_and(|ending| ending == "toml") {
        let bytes = fs::read(name).with_context(|| format!("reading {name}"))?;
        strict::Text::from_bytes(name, bytes)?
    } else {
        strict::Text::new(name, known(name)?)
    };
    let scenario = scenario::parse(&text)?;
    Ok(match hours {
        Some(hours) => scenario.with_hours(hours).map_err(anyhow::Error::msg)?,
        None => scenario,
    })
}

/// The files of a set, each through a buffer.
struct Files {
    dir: PathBuf,
    open: Vec<(Part, BufWriter<File>)>,
    no_stream: bool,
    bar: indicatif::ProgressBar,
}

/// Large enough that two files written in turn do not make the disk jump.
const BUFFER_BYTES: usize = 1 << 18;

impl Files {
    fn new(dir: &Path, no_stream: bool) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        let bar = counted("simulating (minutes)");
        Ok(Self { dir: dir.to_owned(), open: Vec::new(), no_stream, bar })
    }

    fn finish(self) -> Result<()> {
        self.bar.finish_and_clear();
        for (part, mut file) in self.open {
            file.flush().with_context(|| format!("writing {}", part.name()))?;
        }
        Ok(())
    }
}

impl Sink for Files {
    type Error = anyhow::Error;

    fn put(&mut self, part: Part, text: &str) -> Result<()> {
        if self.no_stream && part == Part::Stream {
            return Ok(());
        }
        let at = match self.open.iter().position(|(open, _)| *open == part) {
            Some(at) => at,
            None => {
                let path = self.dir.join(part.name());
                let file =
                    File::create(&path).with_context(|| format!("making {}", path.display()))?;
                self.open.push((part, BufWriter::with_capacity(BUFFER_BYTES, file)));
                self.open.len() - 1
            }
        };
        let file = &mut self.open[at].1;
        file.write_all(text.as_bytes())
            .with_context(|| format!("writing {}", self.dir.join(part.name()).display()))
    }

    fn passed(&mut self, t_s: f64, of_s: f64) {
        self.bar.set_length((of_s / 60.0) as u64);
        self.bar.set_position((t_s / 60.0) as u64);
    }
}
