//! The whole program, as people run it: the exercise and, if their data are
//! here, past truces.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process::{self, expect};
use crate::suite::Count;
use crate::{shared, workspace};

/// The chore: all checks, each named.
pub(crate) fn run() -> Result<bool> {
    let shared = shared::folder();
    println!("{}", shared::told(shared.as_deref()));
    Ok(all(shared.as_deref())?.failed == 0)
}

/// All checks.
pub(crate) fn all(shared: Option<&Path>) -> Result<Count> {
    let mut build = Command::new(workspace::cargo());
    // In the profile of the tests: nothing is built twice.
    build.args(["build", "--quiet", "--package", "truceline"]).current_dir(workspace::root());
    ensure!(process::shown(&mut build)?.is_success(), "truceline does not build");
    let place = workspace::target().join("end-to-end");
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    let program = Program { path: workspace::target().join("debug/truceline"), place };
    let mut count = Count::default();
    let mut check = |name: &str, result: Result<()>| match result {
        Ok(()) => {
            println!("ok      {name}");
            count.passed += 1;
        }
        Err(error) => {
            println!("FAILED  {name}: {error:#}");
            count.failed += 1;
        }
    };
    check("the exercise: threads, rebuild, verify, a flipped byte", exercise(&program));
    if let Some(shared) = shared {
        for case in cases()? {
            let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
            check(&format!("{name} from its raw files"), past_truce(&program, &case, shared));
        }
    }
    Ok(count)
}

struct Program {
    path: PathBuf,
    place: PathBuf,
}

impl Program {
    fn run(&self, arguments: &[&str], code: i32) -> Result<String> {
        expect(Command::new(&self.path).args(arguments).current_dir(&self.place), code)
    }
}

fn digest_in(text: &str) -> Result<String> {
    text.lines()
        .find_map(|line| line.strip_prefix("state digest"))
        .map(|digest| digest.trim().to_owned())
        .with_context(|| format!("no state digest in:\n{text}"))
}

fn same(what: &str, a: &str, b: &str) -> Result<()> {
    ensure!(a == b, "{what}: {a} and {b}");
    Ok(())
}

fn exercise(program: &Program) -> Result<()> {
    let one = digest_in(&program.run(&["demo", "--dir", "one", "--threads", "1"], 0)?)?;
    let two = digest_in(&program.run(&["demo", "--dir", "two", "--threads", "2"], 0)?)?;
    same("the digest on one thread and on two", &one, &two)?;
    let rebuilt = digest_in(&program.run(&["rebuild", "one/mission"], 0)?)?;
    same("the digest before and after rebuild", &one, &rebuilt)?;
    let said = program.run(&["verify", "one/mission"], 0)?;
    ensure!(said.contains(&one) && said.ends_with("all is well\n"), "verify says:\n{said}");
    // One bit of an entry, of a blob, and of the tree.
    for path in ["record/tile/entries/000", "record/tile/0/000", "derived/state.jsonl"] {
        let path = program.place.join("one/mission").join(path);
        flip(&path)?;
        let said = program.run(&["verify", "one/mission"], 1)?;
        ensure!(said.starts_with("FAULT: "), "verify says:\n{said}");
        flip(&path)?;
    }
    program.run(&["verify", "one/mission"], 0).map(drop)
}

/// Flips a bit in the middle of a file.
fn flip(path: &Path) -> Result<()> {
    let mut bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    let middle = bytes.len() / 2;
    *bytes.get_mut(middle).with_context(|| format!("{} is empty", path.display()))? ^= 1;
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// The cases that we ship.
fn cases() -> Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for item in fs::read_dir(workspace::root().join("cases")).context("listing the cases")? {
        let path = item?.path();
        if path.join("case.toml").is_file() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

fn past_truce(program: &Program, case: &Path, shared: &Path) -> Result<()> {
    let name = case.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (case, data) = (case.display().to_string(), shared.join("data").display().to_string());
    let mut digests = Vec::new();
    for threads in ["1", "2"] {
        let out = format!("{name}-{threads}");
        let arguments = ["replay", &case, "--data", &data, "--out", &out, "--threads", threads];
        digests.push(digest_in(&program.run(&arguments, 0)?)?);
    }
    same("the digest on one thread and on two", &digests[0], &digests[1])?;
    let mission = format!("{name}-1/mission");
    program.run(&["verify", &mission], 0)?;
    for threads in ["1", "2"] {
        fs::remove_dir_all(program.place.join(format!("{name}-{threads}")))?;
    }
    Ok(())
}
