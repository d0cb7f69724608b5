//! Commands that make something: a mission, its record, its state.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use domain::state::Period;
use mission::derive::{DIGEST, STATE, derive_and_store};
use mission::ingest::{Arrival, FileOutcome, arrivals, input_files};
use mission::{Case, Edition, Mission, Seeds};
use publish::Counted;
use publish::table::Table;

use crate::cli::{DemoArgs, IngestArgs, InitArgs, KeyArgs, MissionArgs, ReplayArgs};
use crate::progress::{Bars, spinner};
use crate::{Outcome, output};

impl KeyArgs {
    fn seeds(&self) -> Seeds {
        self.key_seed.map_or(Seeds::System, Seeds::Number)
    }
}

/// Writes an exercise and replays it.
pub(crate) fn demo(args: &DemoArgs) -> Result<Outcome> {
    let DemoArgs { dir, seed, score } = args;
    output::line(&format!("An exercise with made-up data, seed {seed}, in {}.", dir.display()))?;
    let bar = spinner("making up an exercise");
    for (path, bytes) in exercise::files(*seed) {
        let path = dir.join(path);
        let folder = path.parent().expect("every file of an exercise lies in a folder");
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    bar.finish_and_clear();
    let args = ReplayArgs {
        case: dir.join("case"),
        data: dir.join("data"),
        out: dir.clone(),
        keys: KeyArgs { key_seed: Some(*seed) },
    };
    let outcome = replay_with(&args, |mission| super::drama::play_and_tell(mission, *seed))?;
    if *score {
        let mission = Mission::open(&dir.join("mission"))?;
        let (state, _) = mission::derive::derive(&mission, mission::AsOf::Now)?;
        output::print(&held(&exercise::held::hold(*seed, &state.incidents)))?;
    }
    Ok(outcome)
}

/// What is stated of incidents beside what was made up.
fn held(outcome: &exercise::held::Outcome) -> String {
    let row = |name: String, held: &exercise::held::Held| {
        vec![
            name,
            held.incidents.to_string(),
            format!("{:.1}", held.expected),
            held.real.to_string(),
            format!("{:.3}", held.brier()),
        ]
    };
    let table = |first: &'static str, rows: Vec<Vec<String>>| {
        output::table(&Table {
            columns: vec![first, "incidents", "expected", "real", "brier"],
            rows,
        })
    };
    let kinds = outcome.by_kinds.iter().map(|(kinds, held)| {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
        row(names.join(" + "), held)
    });
    let tenths = (0_u32..).zip(&outcome.by_tenth).filter(|(_, held)| held.incidents > 0);
    let all = outcome.all();
    format!(
        "\nHeld against the truth of the exercise ({} occurrences):\nexpected is the sum of what is stated; {} incidents are placed too coarsely to tell\n{}\n{}",
        outcome.happened,
        outcome.coarse,
        table("rests on", kinds.chain([row("all".to_owned(), &all)]).collect()),
        table(
            "stated",
            tenths
                .map(|(n, held)| row(format!("0.{n} to {:.1}", f64::from(n + 1) / 10.0), held))
                .collect()
        )
    )
}

/// Init, ingest, derive and report.
pub(crate) fn replay(args: &ReplayArgs) -> Result<Outcome> {
    replay_with(args, |_| Ok(()))
}

/// A replay, with what people do once the files are in.
fn replay_with(args: &ReplayArgs, people: impl FnOnce(&Mission) -> Result<()>) -> Result<Outcome> {
    let case = Case::read(&args.case)?;
    // Missing data are found before anything is made.
    let inputs: Vec<_> = case.inputs.iter().map(|input| input.files.clone()).collect();
    let files = arrivals(&inputs, &args.data)?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    let folder = args.out.join("mission");
    let mission = mission_of(&case, &folder, args.keys.seeds())?;
    let outcomes = take_in(&mission, &files)?;
    people(&mission)?;
    let bar = spinner("folding the record");
    let (state, world) = derive_and_store(&mission)?;
    bar.set_message("writing reports");
    let edition = Edition::new(&state, &world, &mission.reader()?)?;
    edition.write(&args.out)?;
    bar.finish_and_clear();
    output::print(&periods(&state))?;
    output::line(&format!("\nstate digest  {}", edition.digest()))?;
    let record = edition.record();
    output::line(&format!("record        {} entries, root {}", record.size, record.root))?;
    output::line(&format!("reports       {}", args.out.join("report/index.html").display()))?;
    output::line(&format!("check it      truceline verify {}", folder.display()))?;
    Ok(outcome(&outcomes))
}

/// The mission of a case: a new one, or the one that was made from it before.
fn mission_of(case: &Case, folder: &Path, seeds: Seeds) -> Result<Mission> {
    if !folder.join("mission.toml").is_file() {
        return Ok(Mission::create(folder, case, seeds)?);
    }
    let mission = Mission::open(folder)?;
    if !mission.is_of(case)? {
        bail!(
            "{} is a mission of another case, or of this one before it was changed; choose another folder, or remove it",
            folder.display()
        );
    }
    Ok(mission)
}

/// Makes a mission folder.
pub(crate) fn init(args: &InitArgs) -> Result<Outcome> {
    let case = Case::read(&args.case)?;
    let mission = Mission::create(&args.mission, &case, args.keys.seeds())?;
    output::line(&format!(
        "made {} for {} with {} inputs",
        mission.root().display(),
        case.title,
        case.inputs.len()
    ))?;
    output::line(&format!("its log has the key {}", mission.log_key()))?;
    Ok(Outcome::Fine)
}

/// Takes files in.
pub(crate) fn ingest(args: &IngestArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let files = match (&args.input, &args.data) {
        (Some(input), _) => args
            .files
            .iter()
            .map(|path| Arrival {
                input: input.clone(),
                path: path.clone(),
                name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            })
            .collect(),
        (None, Some(data)) => arrivals(&input_files(&mission)?, data)?,
        (None, None) => bail!("--data or --input is needed"),
    };
    let outcomes = take_in(&mission, &files)?;
    Ok(outcome(&outcomes))
}

fn take_in(mission: &Mission, files: &[Arrival]) -> Result<Vec<FileOutcome>> {
    let mut bars = Bars::new(files.len() as u64);
    let outcomes = mission::ingest::ingest(mission, files, crate::clock::now(), &mut bars)?;
    drop(bars);
    output::print(&taken_in(&outcomes))?;
    Ok(outcomes)
}

fn outcome(outcomes: &[FileOutcome]) -> Outcome {
    if outcomes.iter().any(|one| !one.done.refused.is_empty()) {
        Outcome::Flawed
    } else {
        Outcome::Fine
    }
}

/// What came in, by input, and what could not be read.
fn taken_in(outcomes: &[FileOutcome]) -> String {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    let mut inputs: Vec<&str> = Vec::new();
    let mut sums: BTreeMap<&str, (u64, u64, domain::state::RowCounts)> = BTreeMap::new();
    for one in outcomes {
        if !sums.contains_key(one.input.as_str()) {
            inputs.push(&one.input);
        }
        let sum = sums.entry(&one.input).or_default();
        sum.0 += 1;
        if one.known {
            sum.1 += 1;
        } else {
            sum.2 += one.done.rows;
        }
    }
    let rows = inputs
        .iter()
        .map(|input| {
            let (files, known, rows) = sums[input];
            let numbers = [files, known, rows.read, rows.accepted, rows.repeated, rows.quarantined];
            std::iter::once((*input).to_owned())
                .chain(numbers.map(|number| number.to_string()))
                .collect()
        })
        .collect();
    let columns =
        vec!["input", "files", "already in", "rows read", "accepted", "repeated", "quarantined"];
    let mut text = output::table(&publish::table::Table { columns, rows });
    if !outcomes.is_empty() && outcomes.iter().all(|one| one.known) {
        text.push_str("Every file was in the record already; nothing was added.\n");
    }
    for one in outcomes.iter().filter(|one| !one.known) {
        if !one.done.refused.is_empty() {
            let _ = writeln!(text, "refused     {}: {}", one.name, one.done.refused);
        }
        for bad in &one.samples {
            let _ = writeln!(text, "quarantined {}:{bad}", one.name);
        }
        let more = one.done.rows.quarantined.saturating_sub(one.samples.len() as u64);
        if more > 0 {
            let _ = writeln!(text, "            and {more} more rows of {}", one.name);
        }
    }
    text
}

/// Incidents and findings of the three periods.
fn periods(state: &domain::State) -> String {
    let counted = Counted::new(state);
    let rows = Period::ALL
        .map(|period| publish::html::period_row(state, &counted, period).to_vec())
        .to_vec();
    let columns = vec![
        "period",
        "from",
        "to",
        "incidents reported",
        "per 24 h",
        "may fall under a provision",
    ];
    format!("\n{}\n{}", state.facts.title, output::table(&publish::table::Table { columns, rows }))
}

/// Folds the record.
pub(crate) fn derive(args: &MissionArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let bar = spinner("folding the record");
    let (state, _) = derive_and_store(&mission)?;
    bar.finish_and_clear();
    told(&state)
}

fn told(state: &domain::State) -> Result<Outcome> {
    output::line(&format!(
        "{} entries come to {} incidents and {} findings",
        state.facts.entries,
        state.incidents.len(),
        state.findings.len()
    ))?;
    output::line(&format!("state digest  {}", state.digest()))?;
    Ok(Outcome::Fine)
}

/// Removes the derived state and folds the record again.
pub(crate) fn rebuild(args: &MissionArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let folder = mission.derived();
    let before = fs::read(folder.join(STATE)).ok().map(|bytes| domain::state::digest(&bytes));
    for name in [STATE, DIGEST] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    let bar = spinner("folding the record");
    let (state, _) = derive_and_store(&mission)?;
    bar.finish_and_clear();
    told(&state)?;
    match before {
        None => output::line("there was no derived state before")?,
        Some(before) if before == state.digest() => {
            output::line("the same as before, byte for byte")?;
        }
        Some(before) => {
            output::line(&format!(
                "not the same as before ({before}): the old one was altered, made by another version, or made before \
                 files came in"
            ))?;
            return Ok(Outcome::Flawed);
        }
    }
    Ok(Outcome::Fine)
}
