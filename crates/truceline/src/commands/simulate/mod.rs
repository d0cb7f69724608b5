//! Simulated sensor networks.

mod graded;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use simulate::scenario::{self, Scenario};
use simulate::score::{self, Rules, Score, Texts};
use simulate::{Part, Sink};

use crate::progress::counted;
use crate::{Outcome, output};

pub(crate) const EXAMPLES: &str = "Examples:\n  truceline simulate --list\n  \
    truceline simulate --out S-7 --scenario S --seed 7\n  \
    truceline simulate --print hard > mine.toml    take a scenario as a start\n  \
    truceline simulate --out X --scenario mine.toml\n\n\
    Writes stations.csv, outages.csv, met.csv, detections.csv, detections.ndjson (or picks, \
    arrivals or detections of arrays, by the scenario) and the truth \
    (truth.csv, truth_assoc.csv, truth_faults.csv, meta.json). The same seed gives the same bytes \
    on every machine. Nothing in them is real.";

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct SimulateArgs {
    #[command(subcommand)]
    pub command: Option<SimulateCommand>,
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
    /// Leave out detections.ndjson (picks.ndjson, arrivals.ndjson): three times the size
    /// of the table
    #[arg(long)]
    pub no_stream: bool,
    /// List the shipped scenarios
    #[arg(long, exclusive = true)]
    pub list: bool,
    /// Print a shipped scenario
    #[arg(long, value_name = "NAME", exclusive = true)]
    pub print: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimulateCommand {
    /// Score a solution against the truth of a set
    #[command(after_help = "Examples:\n  truceline simulate score S-7 S-7/solution\n  \
        truceline simulate score shallow shallow/solution --seismic\n  \
        truceline simulate score global global/solution --globe\n  \
        truceline simulate score S-7 S-7/solution --grade preliminary\n\n\
        The solution is a folder with events.csv (event, t_s, x_km and y_km or lat and lon; optionally prob, type, \
        level_db, c_xx, c_xy, c_yy, t_emit) and assoc.csv (det, event).")]
    Score(ScoreArgs),
}

#[derive(Args, Debug)]
pub(crate) struct ScoreArgs {
    /// Folder of the set
    pub truth: PathBuf,
    /// Folder of the solution
    pub solution: PathBuf,
    /// Rules for P and S picks: 5 s, 20 km, at least 10 picks
    #[arg(long)]
    pub seismic: bool,
    /// Rules of seismic-2d for a global network: 50 s, 5 degrees, at least 2 arrivals
    #[arg(long, conflicts_with = "seismic")]
    pub globe: bool,
    /// Arrivals from which on an event must be found
    #[arg(long, value_name = "N")]
    pub min_det: Option<u32>,
    /// Farthest in time, s
    #[arg(long, value_name = "S")]
    pub dt: Option<f64>,
    /// Farthest in place, km
    #[arg(long, value_name = "KM")]
    pub dx_km: Option<f64>,
    /// Least probability of an event that is proposed (default: 0.5; with --globe 0.36)
    #[arg(long, value_name = "P")]
    pub prob: Option<f64>,
    /// Score what was released with this grade in place of what stands in the end:
    /// preliminary or final, from the releases.ndjson of the solution
    #[arg(long, value_name = "GRADE", value_parser = ["preliminary", "final"])]
    pub grade: Option<String>,
    /// Only origin times below this, s
    #[arg(long, value_name = "S")]
    pub t_max: Option<f64>,
    /// Write the whole score to a file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// Scores a solution.
fn score(args: &ScoreArgs) -> Result<Outcome> {
    let rules = match (args.seismic, args.globe) {
        (true, _) => Rules::SEISMIC,
        (_, true) => Rules::GLOBE,
        _ => Rules::FRONT,
    };
    let rules = Rules {
        min_det: args.min_det.map_or(rules.min_det, f64::from),
        t_s: args.dt.unwrap_or(rules.t_s),
        x_km: args.dx_km.unwrap_or(rules.x_km),
        prob: args.prob.unwrap_or(rules.prob),
        t_max_s: args.t_max,
        ..rules
    };
    let needed = |path: PathBuf| {
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    };
    let optional = |path: PathBuf| if path.exists() { needed(path) } else { Ok(String::new()) };
    let (truth, solution) = (&args.truth, &args.solution);
    let (events, assoc) = match &args.grade {
        Some(grade) => graded::read(solution, grade)?,
        None => (needed(solution.join("events.csv"))?, optional(solution.join("assoc.csv"))?),
    };
    let score = score::score(
        &Texts {
            truth: &needed(truth.join(Part::Truth.name()))?,
            truth_assoc: &needed(truth.join(Part::TruthAssoc.name()))?,
            truth_attacks: &optional(truth.join(Part::TruthAttacks.name()))?,
            truth_storms: &optional(truth.join(Part::TruthStorms.name()))?,
            meta: &optional(truth.join(Part::Meta.name()))?,
            events: &events,
            assoc: &assoc,
        },
        &rules,
    )?;
    if let Some(path) = &args.json {
        fs::write(path, output::json(&score)?)
            .with_context(|| format!("writing {}", path.display()))?;
    }
    output::print(&shown(&score))?;
    Ok(Outcome::Fine)
}

/// The score for people: one figure a line.
fn shown(score: &Score) -> String {
    let value = serde_json::to_value(score).expect("plain numbers and text");
    let mut lines = String::new();
    for (name, value) in value.as_object().expect("a score has fields") {
        let text = match value {
            serde_json::Value::Number(number) if number.is_f64() => {
                format!("{:.4}", number.as_f64().unwrap_or(f64::NAN))
            }
            other => other.to_string(),
        };
        lines.push_str(&format!("{name:26} {text}\n"));
    }
    lines
}

/// Makes a data set.
pub(crate) fn simulate(args: &SimulateArgs) -> Result<Outcome> {
    if let Some(SimulateCommand::Score(args)) = &args.command {
        return score(args);
    }
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
        if self.no_stream && part.is_stream() {
            return Ok(());
        }
        let known = self.open.iter().position(|(open, _)| *open == part);
        let at = if let Some(at) = known {
            at
        } else {
            let path = self.dir.join(part.name());
            if let Some(dir) = path.parent() {
                fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
            }
            let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
            self.open.push((part, BufWriter::with_capacity(BUFFER_BYTES, file)));
            self.open.len() - 1
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
