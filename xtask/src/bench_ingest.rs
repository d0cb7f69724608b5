//! Takes in a made-up FIRMS file of millions of rows with the release build and
//! reports observations per second, durable, and the peak of memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::process::{expect, shown};
use crate::workspace;

const CASE: &str = r#"[case]
id = "bench"
title = "A large file"
agreement = "agreement"
zone = "UTC"
exercise = true

[window]
baseline_from = 2030-01-01T00:00:00Z
from = 2030-06-01T00:00:00Z
to = 2030-07-01T00:00:00Z
after_to = 2030-08-01T00:00:00Z

[[source]]
id = "fires"
name = "Made-up hot spots"
operator = "nobody"
group = "nobody"
kind = "satellite"
effort = "rows"
citation = "made up"
licence = "CC0-1.0"

[[input]]
source = "fires"
mapping = "firms"
files = "*.csv"
"#;

const AGREEMENT: &str = r#"[agreement]
id = "bench"
version = 1
title = "No fire"

[[zone]]
id = "all"
name = "no limit stated"
kind = "everywhere"

[[provision]]
id = "1"
title = "No fire"
acts = ["A"]
zone = "all"

[[provision.in_force]]
from = 2030-06-01T00:00:00Z
to = 2030-07-01T00:00:00Z
"#;

/// Measures.
pub(crate) fn run(rows: u64) -> Result<bool> {
    let mut build = Command::new(workspace::cargo());
    build.args(["build", "--release", "--package", "truceline"]).current_dir(workspace::root());
    ensure!(shown(&mut build)?.is_success(), "truceline does not build");
    let place = workspace::target().join("bench-ingest");
    if place.exists() {
        fs::remove_dir_all(&place).with_context(|| format!("removing {}", place.display()))?;
    }
    fs::create_dir_all(place.join("case/agreement")).context("making the case")?;
    fs::write(place.join("case/case.toml"), CASE)?;
    fs::write(place.join("case/agreement/agreement.toml"), AGREEMENT)?;
    let file = place.join("fires.csv");
    let bytes = write_rows(&file, rows).context("writing the file")?;
    println!("{rows} rows, {:.0} MB", bytes as f64 / 1e6);

    let program = workspace::target().join("release/truceline");
    let truceline = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.args(arguments).current_dir(&place);
        command
    };
    expect(&mut truceline(&["init", "case", "mission"]), 0)?;
    let (seconds, peak_kb) =
        watched(truceline(&["ingest", "mission", "--input", "fires", "fires.csv"]))?;
    println!(
        "taken in, durable: {seconds:.1} s, {:.0} observations/s, peak memory {:.0} MB",
        rows as f64 / seconds,
        peak_kb as f64 / 1024.0
    );
    let (seconds, peak_kb) =
        watched(truceline(&["ingest", "mission", "--input", "fires", "fires.csv"]))?;
    println!("the same file again: {seconds:.1} s, peak memory {:.0} MB", peak_kb as f64 / 1024.0);
    fs::remove_dir_all(&place).context("clearing up")?;
    Ok(true)
}

/// Distinct rows as FIRMS writes them; the same on every machine.
fn write_rows(path: &Path, rows: u64) -> std::io::Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(
        file,
        "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight"
    )?;
    let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
    for row in 0..rows {
        // Marsaglia (2003), Xorshift RNGs, the triple 13, 7, 17.
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let (lat, lon) = (chance % 800_000, chance / 800_000 % 1_500_000);
        let minute = row % 1440;
        writeln!(
            file,
            "{}.{:05},{}.{:05},{}.{},1.{},1.{},2030-{:02}-{:02},{:02}{:02},Terra,{},6.1NRT,29{}.{},{}.{},{}",
            44 + lat / 100_000,
            lat % 100_000,
            24 + lon / 100_000,
            lon % 100_000,
            300 + chance % 60,
            chance % 10,
            chance % 9,
            chance % 7,
            1 + row / 1440 % 7,
            1 + row / 1440 / 7 % 28,
            minute / 60,
            minute % 60,
            chance % 100,
            chance % 10,
            row % 10,
            chance % 90,
            row % 10,
            if minute < 720 { 'N' } else { 'D' },
        )?;
    }
    file.flush()?;
    Ok(fs::metadata(path)?.len())
}

/// Runs a program to its end: seconds, and the peak of its resident memory in kB
/// (`VmHWM` of Linux, read until it ends).
fn watched(mut command: Command) -> Result<(f64, u64)> {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().context("starting truceline")?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kb = 0;
    let code = loop {
        if let Ok(text) = fs::read_to_string(&status) {
            peak_kb = text
                .lines()
                .find_map(|line| line.strip_prefix("VmHWM:"))
                .and_then(|value| value.split_whitespace().next()?.parse().ok())
                .unwrap_or(peak_kb);
        }
        if let Some(code) = child.try_wait()? {
            break code;
        }
        thread::sleep(Duration::from_millis(10));
    };
    ensure!(code.success(), "truceline ended with {code}");
    Ok((begun.elapsed().as_secs_f64(), peak_kb))
}
