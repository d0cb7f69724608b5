//! The command line: what can be asked, with examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::civil::Date;
use mission::AsOf;

use crate::commands::agreement::AgreementArgs;
use crate::commands::drill::DrillArgs;

const EXAMPLES: &str = "\
Examples:
  truceline demo                                      an exercise with made-up data
  truceline replay cases/easter-2025 --data D --out X  a past truce, from raw files to reports
  truceline verify X/mission                          check all that an outsider would check
  truceline incidents X/mission --explain 2025-04-20  what became of every row of a day
  truceline agreement show agreements/paris-2026      an agreement, to be read
  truceline simulate --out S --scenario iso           a sensor network with its truth ...
  truceline associate --data S --out R                ... and the events inferred from it

Exit codes: 0 all is well; 1 done, but a file could not be read or a fault was found;
2 it could not be done.";

/// Turns a ceasefire agreement and a stream of evidence into findings that
/// everybody can recompute and check.
#[derive(Debug, Parser)]
#[command(name = "truceline", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Threads to work with; 0 takes as many as there are cores. Results do not
    /// depend on it
    #[arg(long, global = true, default_value_t = 0, value_name = "N")]
    pub threads: usize,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make up an exercise and run it from start to end
    #[command(
        after_help = "Examples:\n  truceline demo\n  truceline demo --dir /tmp/exercise --seed 7 --score"
    )]
    Demo(DemoArgs),
    /// Replay a case: init, ingest, derive and report in one go
    #[command(
        after_help = "Examples:\n  truceline replay cases/easter-2025 --data ../data --out easter\n\n\
        Run again, it goes on where it stopped, and takes in files that are new."
    )]
    Replay(ReplayArgs),
    /// Make a mission folder for a case
    #[command(after_help = "Examples:\n  truceline init cases/easter-2025 easter")]
    Init(InitArgs),
    /// Take files into the record of a mission
    #[command(after_help = "Examples:\n  truceline ingest easter --data ../data\n  \
        truceline ingest easter --input firms-modis new.csv\n\n\
        The same file twice adds nothing. Rows that cannot be read are set aside with file, line, field and reason.")]
    Ingest(IngestArgs),
    /// Fold the record into incidents and findings
    #[command(after_help = "Examples:\n  truceline derive easter")]
    Derive(MissionArgs),
    /// Remove what was derived, fold the record again and compare
    #[command(after_help = "Examples:\n  truceline rebuild easter")]
    Rebuild(MissionArgs),
    /// Check every entry, tile, signature and blob, fold the record again and compare the state
    #[command(after_help = "Examples:\n  truceline verify easter\n\n\
        Exit code 1 names the first entry, tile, blob or file that is not what it should be.")]
    Verify(VerifyArgs),
    /// List incidents, or explain one row by row
    #[command(after_help = "Examples:\n  truceline incidents easter --day 2025-04-20\n  \
        truceline incidents easter --explain inc_4x9k\n  truceline incidents easter --explain 2025-04-20\n  \
        truceline incidents easter --format geojson > incidents.geojson")]
    Incidents(IncidentArgs),
    /// List the events that were inferred from arrivals at a network
    #[command(after_help = "Examples:\n  truceline events easter --day 2025-04-20\n  \
        truceline events easter --least 0.5 --format csv\n  \
        truceline events easter --explain evt_4x9k --svg event.svg")]
    Events(EventArgs),
    /// List how incidents fit provisions of the agreement, or explain one
    #[command(after_help = "Examples:\n  truceline findings easter --format csv\n  \
        truceline findings easter --as-of 2025-04-20T12:00:00Z\n  \
        truceline findings easter --explain fnd_4x9k")]
    Findings(FindingArgs),
    /// List who was looking, by day and by night, and rates per observed hour
    #[command(after_help = "Examples:\n  truceline effort easter --day 2025-04-19\n  \
        truceline effort easter --sectors --format csv\n\n\
        Day and night are told apart by the sun at the place. Where nobody looked there is no rate and no zero.")]
    Effort(EffortArgs),
    /// Write daily reports
    #[command(after_help = "Examples:\n  truceline report easter --out reports\n  \
        truceline report easter --day 2025-04-20 --format table")]
    Report(ReportArgs),
    /// Write an entry with a proof that it stands in the record, for others to check
    #[command(after_help = "Examples:\n  truceline prove easter 1200 --out proof\n\n\
        Writes proof/entry and proof/entry.tlog-proof (C2SP tlog-proof). Anyone with log.vkey can check them.")]
    Prove(ProveArgs),
    /// Put detections of many stations together to events, each with its probability
    #[command(after_help = "Examples:\n  truceline associate --data set --out result\n  \
        truceline associate --data set --out result --model network.json --threads 2\n  \
        truceline associate --data set --out result --explain A12\n  \
        truceline associate --data quakes --out result --velocity crust.toml\n\n\
        A folder with picks.csv holds P and S picks; one with arrivals.csv what a global network\n\
        of arrays heard; one with *.dets.json detections of infrasound arrays as InfraPy writes\n\
        them; all others hold sound at single sensors.\n\
        Writes events.csv, assoc.csv, summary.json and, for rows that cannot be used, quarantine.csv.")]
    Associate(crate::commands::associate::AssociateArgs),
    /// Make up a sensor network and what it hears, with the truth
    #[command(after_help = crate::commands::simulate::EXAMPLES)]
    Simulate(crate::commands::simulate::SimulateArgs),
    /// Make, list and revoke keys of people
    #[command(
        subcommand,
        after_help = "Examples:\n  truceline keys list easter\n  truceline keys show V-07.verifier.key"
    )]
    Keys(crate::commands::keys::KeysCommand),
    /// Verification by people: signed acts on findings
    #[command(
        subcommand,
        after_help = "Examples:\n  truceline case list easter\n  truceline case show easter fnd_4x9k"
    )]
    Case(crate::commands::case::CaseCommand),
    /// Field reports, restrictions of movement, allegations
    #[command(subcommand)]
    Field(crate::commands::field::FieldCommand),
    /// Read, check, test and compare agreements
    Agreement(AgreementArgs),
    /// EXERCISE: run an incident through the trigger of every commitment
    Drill(DrillArgs),
    /// List what guarantors owe, as far as it was called
    Obligations(crate::commands::owed::ObligationArgs),
    /// List what guarantors promised, and what is live
    Commitments(crate::commands::owed::CommitmentArgs),
    /// Answer an obligation, for a guarantor
    Answer(crate::commands::owed::AnswerArgs),
    /// EXERCISE: measure how often a false proposal comes out of the rules
    RedTeam(crate::commands::red_team::RedTeamArgs),
    /// Fit the probabilities and ellipses of `associate` on sets with truth, or the
    /// probabilities of incidents on missions of known outcome
    #[command(
        after_help = "Examples:\n  truceline calibrate --data set-1 set-2 set-3 --out network.json\n  \
        truceline calibrate --data global/training --out global/performance.json\n  \
        truceline calibrate --incidents x1/mission x2/mission --check x3/mission --out priors.toml --version varda-1\n\n\
        Writes the model, and its reliability diagram beside it as network.svg and network.csv.\n\
        With --incidents it writes priors, which a case takes with `priors = \"priors.toml\"`."
    )]
    Calibrate(crate::commands::calibrate::CalibrateArgs),
    /// List the built-in mappings, or print one
    #[command(
        after_help = "Examples:\n  truceline mappings\n  truceline mappings firms > my-layout.toml"
    )]
    Mappings(MappingArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Folder to make
    #[arg(long, default_value = "truceline-demo", value_name = "DIR")]
    pub dir: PathBuf,
    /// The exercise differs from seed to seed, and is the same for the same seed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Hold the incidents against what was made up: are they believed as much as they deserve?
    #[arg(long)]
    pub score: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// Folder with case.toml
    pub case: PathBuf,
    /// Folder that the patterns of the case start from
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// Folder for the mission and the reports
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub keys: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// Make the keys from a number instead of the system's randomness, so that
    /// records can be compared byte by byte. For exercises only: anybody can
    /// make these keys
    #[arg(long, value_name = "N")]
    pub key_seed: Option<u64>,
}

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    /// Folder with case.toml
    pub case: PathBuf,
    /// Mission folder to make
    pub mission: PathBuf,
    #[command(flatten)]
    pub keys: KeyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct IngestArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Take in whatever the patterns of the case match below this folder
    #[arg(long, value_name = "DIR", required_unless_present = "input")]
    pub data: Option<PathBuf>,
    /// Take in the named files for this input of the case
    #[arg(long, value_name = "INPUT", requires = "files", conflicts_with = "data")]
    pub input: Option<String>,
    /// Files, with --input
    #[arg(requires = "input")]
    pub files: Vec<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct MissionArgs {
    /// Mission folder
    pub mission: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// How to print what was checked
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    pub format: TextFormat,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub format: ListFormat,
    /// Only this day, by the zone of the case
    #[arg(long, value_name = "DATE")]
    pub day: Option<Date>,
    /// Only what the record said at this size, or what could be known by this
    /// moment: 1200, 2025-04-20T12:00:00Z or 2025-04-20T15:00[Europe/Kyiv]
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
}

#[derive(Args, Debug)]
pub(crate) struct IncidentArgs {
    #[command(flatten)]
    pub list: ListArgs,
    /// Explain an incident or an observation by its id (or the beginning of
    /// it), or all rows of a day
    #[arg(long, value_name = "ID|DATE", conflicts_with = "day")]
    pub explain: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct EventArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub format: TableFormat,
    /// Only this day, by the zone of the case
    #[arg(long, value_name = "DATE")]
    pub day: Option<Date>,
    /// Only events of at least this probability
    #[arg(long, default_value_t = 0.0, value_name = "P")]
    pub least: f64,
    /// Say why an event is believed, by its id (or the beginning of it): what each station
    /// adds, what else was considered, what one more observation would change
    #[arg(long, value_name = "ID", conflicts_with_all = ["day", "least"])]
    pub explain: Option<String>,
    /// With --explain: a file for the picture of stations, residuals and ellipse
    #[arg(long, value_name = "FILE", requires = "explain")]
    pub svg: Option<PathBuf>,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
}

#[derive(Args, Debug)]
pub(crate) struct FindingArgs {
    #[command(flatten)]
    pub list: ListArgs,
    /// Show a finding by its id (or the beginning of it) with the ten checks
    #[arg(long, value_name = "ID", conflicts_with = "day")]
    pub explain: Option<String>,
    /// Language of the estimative words, with --explain
    #[arg(long, value_name = "en|uk|ru|fa", default_value = "en", value_parser = estimative_language)]
    pub language: String,
}

#[derive(Args, Debug)]
pub(crate) struct EffortArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    pub format: TableFormat,
    /// Only this day, by the zone of the case
    #[arg(long, value_name = "DATE")]
    pub day: Option<Date>,
    /// Sectors instead of sources: hours watched by day and by night, and what
    /// the watchers told of per 100 observed hours
    #[arg(long)]
    pub sectors: bool,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
}

#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Only these days (default: the days that the case names)
    #[arg(long, value_name = "DATE")]
    pub day: Vec<Date>,
    /// Folder to write pages to (default: `report` beside the mission folder)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Pages, or print to the terminal
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub format: ReportFormat,
    /// As for `truceline incidents`
    #[arg(long, value_name = "SIZE|MOMENT")]
    pub as_of: Option<AsOf>,
}

#[derive(Args, Debug)]
pub(crate) struct ProveArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Index of the entry, from 0
    pub entry: u64,
    /// Folder to write the entry and its proof to
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct MappingArgs {
    /// Print this one
    pub name: Option<String>,
}

/// Forms of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    Table,
    Json,
    Csv,
    Geojson,
}

/// Forms of a list of things without a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TableFormat {
    Table,
    Json,
    Csv,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextFormat {
    Table,
    Json,
}

/// Forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Html,
    Table,
    Json,
    Csv,
    Geojson,
}

/// A language that has a table of estimative words.
pub(crate) fn estimative_language(text: &str) -> Result<String, String> {
    let known = domain::estimative::LANGUAGES;
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "there is no table of estimative words for `{text}`; known: {}",
            known.join(", ")
        ))
    }
}
