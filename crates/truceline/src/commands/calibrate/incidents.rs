//! `truceline calibrate --incidents`: fits the calibration of priors on missions
//! of which it is known what took place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use domain::{Incident, Probability, SourceKind, State};
use exercise::held::Truth;
use fusion::calibration::{Calibration, Example};
use fusion::prior_file::{current, declared, is_version, rewritten};
use mission::world::{World, priors};
use mission::{AsOf, derive};
use publish::table::Table;
use strict::Text;

use super::{CalibrateArgs, diagram, table_of, write_beside};
use crate::progress::spinner;
use crate::{Outcome, output};

/// Incidents below which no map is fitted at all.
const LEAST: usize = 50;
/// Incidents that a point of a reliability table stands for, at least, and the
/// most points it has.
const PER_POINT: usize = 20;
const POINTS: usize = 15;

/// By what it is known whether an incident took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Labels {
    /// The truth of exercises
    Truth,
    /// The rulings of officers: verified or refuted
    Rulings,
    /// Truth in exercises, rulings in all other missions
    Both,
}

/// An incident with its label.
struct Labelled {
    example: Example,
    /// What its mission stated of it.
    stated: f64,
}

/// What missions come to.
#[derive(Default)]
struct Known {
    names: Vec<String>,
    labelled: Vec<Labelled>,
    /// The priors of the first mission, which are those of all.
    priors: Option<Text>,
}

/// Fits and writes priors.
pub(super) fn calibrate(args: &CalibrateArgs) -> Result<Outcome> {
    if !is_version(&args.version) {
        bail!(
            "--version {:?}: 1 to 60 letters, digits, `-`, `_` and `.` make a version",
            args.version
        );
    }
    let known = gather(&args.incidents, args.labels)?;
    let held_back = gather(&args.check, args.labels)?;
    let text = known.priors.unwrap_or_else(current);
    same_priors(&text, &held_back, &args.check)?;
    if known.labelled.len() < LEAST {
        bail!(
            "{} incidents of known outcome are too few to fit a map ({LEAST} are needed); give more missions: exercises with their truth, or missions with verified and refuted findings",
            known.labelled.len()
        );
    }
    let examples: Vec<Example> = known.labelled.iter().map(|one| one.example.clone()).collect();
    let map = Calibration::fit(known.names, &examples);
    let written = rewritten(&text, &args.version, &map)?;
    std::fs::write(&args.out, written)
        .with_context(|| format!("writing {}", args.out.display()))?;

    output::line(&format!("\nFitted on {} incidents:", known.labelled.len()))?;
    output::print(&compared(&known.labelled, &map))?;
    let shown = if held_back.labelled.is_empty() {
        output::line(
            "These are the incidents that it was fitted on; give others with --check to see whether it holds.",
        )?;
        &known.labelled
    } else {
        output::line(&format!("\nHeld back, {} incidents:", held_back.labelled.len()))?;
        output::print(&compared(&held_back.labelled, &map))?;
        &held_back.labelled
    };
    write_reliability(&args.out, shown, &map)?;
    output::line(&format!("\nwrote {} (version {})", args.out.display(), args.version))?;
    Ok(Outcome::Fine)
}

/// The incidents of missions whose outcome is known.
fn gather(missions: &[impl AsRef<Path>], labels: Option<Labels>) -> Result<Known> {
    let mut known = Known::default();
    let mut kinds = BTreeSet::new();
    for path in missions.iter().map(AsRef::as_ref) {
        let bar = spinner("folding a record");
        let mission = crate::commands::open(path)?;
        let (state, world) = derive::derive(&mission, AsOf::Now)?;
        let text = priors(&mission, &world.ledger)?;
        let (what, labelled) = labelled(path, &state, &world, labels)?;
        bar.finish_and_clear();
        match &known.priors {
            None => known.priors = Some(text),
            Some(first) => same(first, &text, path)?,
        }
        let real = labelled.iter().filter(|one| one.example.real).count();
        output::line(&format!(
            "{}: {} incidents of known outcome ({what}), {real} of them real",
            path.display(),
            labelled.len()
        ))?;
        kinds.insert(what);
        if kinds.len() > 1 && labels != Some(Labels::Both) {
            bail!(
                "some of these are exercises and some are not: what was made up and what officers ruled on are two kinds of labels.\nGive one kind of missions, or say --labels rulings (rulings everywhere) or --labels both (the priors then say how many of each)"
            );
        }
        known.names.push(state.facts.case.clone());
        known.labelled.extend(labelled);
    }
    Ok(known)
}

/// What reasons add up to follows from the declared priors: all must have the same.
fn same(first: &Text, other: &Text, mission: &Path) -> Result<()> {
    if declared(first.content()) == declared(other.content()) {
        return Ok(());
    }
    bail!(
        "{} was weighed with other declared priors ({}) than the first mission ({}); calibrate them apart",
        mission.display(),
        other.name(),
        first.name()
    )
}

fn same_priors(text: &Text, held_back: &Known, missions: &[impl AsRef<Path>]) -> Result<()> {
    match (&held_back.priors, missions.first()) {
        (Some(other), Some(mission)) => same(text, other, mission.as_ref()),
        _ => Ok(()),
    }
}

/// The incidents of a mission whose outcome is known, and by what.
fn labelled(
    path: &Path,
    state: &State,
    world: &World,
    labels: Option<Labels>,
) -> Result<(&'static str, Vec<Labelled>)> {
    let exercise = state.facts.exercise;
    let by_truth = match labels {
        None | Some(Labels::Both) => exercise,
        Some(Labels::Truth) if !exercise => bail!(
            "{} is no exercise, so nobody knows its truth; leave it out, or say --labels rulings",
            path.display()
        ),
        Some(Labels::Truth) => true,
        Some(Labels::Rulings) => false,
    };
    if !by_truth {
        let rulings = domain::case::rulings(&state.cases);
        let list =
            state.incidents.iter().filter_map(|one| Some(label(one, *rulings.get(&one.id)?, true)));
        return Ok(("rulings of officers", list.collect()));
    }
    let seed = seed(path, state, world)?;
    let (truths, _) = exercise::held::judge(seed, &state.incidents);
    let list = state.incidents.iter().zip(truths).filter_map(|(one, truth)| match truth {
        Truth::Coarse => None,
        Truth::Real => Some(label(one, true, false)),
        Truth::Unreal => Some(label(one, false, false)),
    });
    Ok(("truth of the exercise", list.collect()))
}

fn label(incident: &Incident, real: bool, reviewed: bool) -> Labelled {
    let belief = &incident.belief;
    // Exercises are paired one to one; officers rule on whether it took place,
    // whatever else tells of it.
    let distinct = if reviewed { Probability::ONE } else { belief.distinct };
    Labelled {
        example: Example {
            rests_on: incident.kinds.clone(),
            log_odds: belief.before_calibration(),
            distinct: distinct.get(),
            real,
            reviewed,
        },
        stated: belief.probability.and(distinct).get(),
    }
}

/// The seed of an exercise, from its case. Its files must be those that this
/// version makes of the seed, or its truth would be another one.
fn seed(path: &Path, state: &State, world: &World) -> Result<u64> {
    let seed = state.facts.case.strip_prefix("exercise-").and_then(|seed| seed.parse().ok());
    let Some(seed) = seed else {
        bail!(
            "{} is an exercise ({}) that `truceline demo` did not make, so its truth is not known; say --labels rulings to take what officers ruled",
            path.display(),
            state.facts.case
        );
    };
    let files = exercise::files(seed);
    for known in world.ledger.files.values() {
        let file = &known.file;
        let made = files.get(&format!("data/{}", file.name));
        if made.is_none_or(|bytes| domain::state::digest(bytes) != file.blob) {
            bail!(
                "{}: {} is not the file that this version makes up for seed {seed}, so the truth is another one; make the exercise anew with `truceline demo --seed {seed}`",
                path.display(),
                file.name
            );
        }
    }
    Ok(seed)
}

/// Before and after, by what incidents rest on: all of them and their sum.
fn compared(list: &[Labelled], map: &Calibration) -> String {
    let mut by_rest: BTreeMap<&[SourceKind], Vec<&Labelled>> = BTreeMap::new();
    for one in list {
        by_rest.entry(&one.example.rests_on).or_default().push(one);
    }
    let mut rows = Vec::new();
    let mut put = |name: String, of: &[&Labelled], map_words: String| {
        let before: Vec<(f64, bool)> =
            of.iter().map(|one| (one.stated, one.example.real)).collect();
        let after: Vec<(f64, bool)> =
            of.iter().map(|one| (map.states(&one.example), one.example.real)).collect();
        let mut row = vec![name, of.len().to_string()];
        row.push(of.iter().filter(|one| one.example.real).count().to_string());
        let pair = |of: fn(&[(f64, bool)]) -> f64, decimals: usize| {
            format!("{:.decimals$} -> {:.decimals$}", of(&before), of(&after))
        };
        row.push(pair(|list| list.iter().map(|(p, _)| p).sum(), 1));
        row.push(pair(brier, 3));
        row.push(pair(ece, 3));
        row.push(map_words);
        rows.push(row);
    };
    for (kinds, of) in &by_rest {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
        let words = map.of(kinds).map_or("as declared".to_owned(), |group| {
            format!("{:+.2} {:+.2} l, P <= {:.2}", group.shift, group.scale, group.ceiling)
        });
        put(names.join(" + "), of, words);
    }
    put("all".to_owned(), &list.iter().collect::<Vec<_>>(), String::new());
    let columns = vec!["rests on", "incidents", "real", "expected", "brier", "ece", "map"];
    output::table(&Table { columns, rows })
}

/// Mean squared difference between what is stated and what is.
fn brier(list: &[(f64, bool)]) -> f64 {
    let squares = list.iter().map(|(p, real)| {
        let off = p - f64::from(u8::from(*real));
        off * off
    });
    squares.sum::<f64>() / list.len().max(1) as f64
}

/// Expected calibration error: mean distance of parts of equal size from the diagonal.
fn ece(list: &[(f64, bool)]) -> f64 {
    let parts = points(list);
    let off: f64 = parts.iter().map(|(p, share, n)| (p - share).abs() * *n as f64).sum();
    off / list.len().max(1) as f64
}

fn points(list: &[(f64, bool)]) -> Vec<(f64, f64, usize)> {
    table_of(list.to_vec(), (list.len() / PER_POINT).clamp(1, POINTS))
}

/// The reliability table and its picture, before and after.
fn write_reliability(out: &Path, list: &[Labelled], map: &Calibration) -> Result<()> {
    let mut kinds: Vec<&[SourceKind]> =
        list.iter().map(|one| one.example.rests_on.as_slice()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let of = |rest: Option<&[SourceKind]>, after: bool| -> Vec<(f64, bool)> {
        list.iter()
            .filter(|one| rest.is_none_or(|rest| rest == one.example.rests_on))
            .map(|one| {
                let p = if after { map.states(&one.example) } else { one.stated };
                (p, one.example.real)
            })
            .collect()
    };
    let mut csv = String::from("rests_on,map,probability,share_real,incidents\n");
    for rest in std::iter::once(None).chain(kinds.into_iter().map(Some)) {
        let name = rest.map_or("all".to_owned(), |rest| {
            rest.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(" + ")
        });
        for (after, word) in [(false, "before"), (true, "after")] {
            for (p, share, n) in points(&of(rest, after)) {
                csv += &format!("{name},{word},{p:.4},{share:.4},{n}\n");
            }
        }
    }
    write_beside(out, "csv", &csv)?;
    let (before, after) = (points(&of(None, false)), points(&of(None, true)));
    write_beside(out, "svg", &diagram(&after, Some(&before), "incidents"))
}
