//! Pages that quote the program say the truth: every command of the README
//! prints what stands below it, and the formats page holds a whole case with
//! every key that the program knows.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::Sandbox;
use serde_json::Value;

fn page(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A word that differs from run to run, or a stretch of blanks at the end of a
/// line, is no difference.
fn comparable(text: &str) -> String {
    let is_root = |word: &str| word.trim_end_matches(',').len() == 44 && word.contains('=');
    let line = |line: &str| {
        let words: Vec<&str> =
            line.split(' ').map(|word| if is_root(word) { "ROOT" } else { word }).collect();
        words.join(" ").trim_end().to_owned()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// What a line of the tour prints: `truceline ...`, or the same by cargo, and
/// perhaps only its first lines.
fn printed(sandbox: &Sandbox, line: &str) -> String {
    let (command, lines) = match line.split_once(" | head -") {
        Some((command, count)) => (command, count.parse().expect("a number of lines")),
        None => (line, usize::MAX),
    };
    let arguments = command
        .strip_prefix("truceline ")
        .or_else(|| command.strip_prefix("cargo run --release -- "))
        .unwrap_or_else(|| panic!("the tour runs truceline only, not `{command}`"));
    let told = sandbox.run(arguments);
    assert!(told.err.is_empty(), "{line}: {}", told.shown());
    let lines: Vec<&str> = told.out.lines().take(lines).map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn the_readme_prints_what_it_says() {
    let path = page("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let sandbox = Sandbox::new();
    let mut renewed = String::new();
    let mut commands = 0;
    let mut lines = text.lines().peekable();
    let mut in_tour = false;
    let mut shown_incident: Option<String> = None;
    let bless = std::env::var_os("TRUCELINE_BLESS").is_some();
    while let Some(line) = lines.next() {
        in_tour = line == "```console" || in_tour && line != "```";
        let Some(command) = line.strip_prefix("$ ").filter(|_| in_tour) else {
            renewed.push_str(line);
            renewed.push('\n');
            continue;
        };
        commands += 1;
        // With another engine the incidents have other ids: the tour explains one that it has shown.
        let command = match (command.split_once(" --explain inc_"), &shown_incident) {
            (Some((before, _)), Some(id)) if bless => format!("{before} --explain {id}"),
            _ => command.to_owned(),
        };
        renewed.push_str(&format!("$ {command}\n"));
        let mut said = Vec::new();
        while lines.peek().is_some_and(|next| *next != "```" && !next.starts_with("$ ")) {
            said.extend(lines.next());
        }
        let (said, printed) = (said.join("\n"), printed(&sandbox, &command));
        if let Some(at) = printed.find("  inc_").filter(|_| shown_incident.is_none()) {
            shown_incident = Some(printed[at + 2..at + 11].to_owned());
        }
        let same = comparable(&said) == comparable(&printed);
        renewed.push_str(if same { &said } else { &printed });
        renewed.push('\n');
        if !bless {
            assert!(
                same,
                "`{command}` prints\n{printed}\n\nand the README says\n{said}\n\n`cargo xtask bless` renews it"
            );
        }
    }
    assert!(commands >= 4, "a tour of {commands} commands");
    if renewed != text {
        fs::write(path, renewed).unwrap();
    }
}

/// The parts of the formats page: files, and lists of keys.
#[derive(Default)]
struct Formats {
    files: BTreeMap<String, String>,
    /// By what stands in the mark: the keys of the table that follows.
    keys: Vec<(String, BTreeSet<String>)>,
}

fn formats() -> Formats {
    let pages = ["docs/formats.md", "docs/formats-sensors.md", "docs/agreement.md"];
    let text = pages.map(|name| fs::read_to_string(page(name)).unwrap()).join("\n");
    let mut formats = Formats::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mark = |name: &str| {
            line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(name).map(str::to_owned)
        };
        if let Some(file) = mark("file: ") {
            assert!(lines.next().unwrap().starts_with("```"), "{file} is not followed by a block");
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            formats.files.insert(file, content.join("\n") + "\n");
        } else if let Some(what) = mark("keys: ").or_else(|| mark("json: ")) {
            let rows = lines.by_ref().skip_while(|line| !line.starts_with('|'));
            let keys = rows
                .take_while(|line| line.starts_with('|'))
                .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
                .collect();
            formats.keys.push((what, keys));
        }
    }
    formats
}

fn written(formats: &Formats) -> Sandbox {
    let sandbox = Sandbox::new();
    for (path, text) in &formats.files {
        sandbox.put(path, text.as_bytes());
    }
    sandbox
}

#[test]
fn the_case_on_the_formats_page_replays() {
    let formats = formats();
    let sandbox = written(&formats);
    let told = sandbox.expect("replay case --data data --out out", 0);
    assert!(
        told.out.contains("EXERCISE") || told.out.contains("A truce at the bridge"),
        "{}",
        told.out
    );
    sandbox.expect("verify out/mission", 0);
    let summary = fs::read_to_string(sandbox.path().join("out/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let posts = &summary["sources"]["posts"];
    assert_eq!((&posts["accepted"], &posts["quarantined"]), (&4.into(), &1.into()), "{posts}");
    assert_eq!(posts["effort"]["2030-05-13"], "not_observed");
    // Both readings of the first provision, and the second one at the line.
    let findings = sandbox.expect("findings out/mission --day 2030-05-11 --format csv", 0).out;
    for words in ["from the evening", "from midnight", ",2,"] {
        assert!(findings.contains(words), "{words} is not in\n{findings}");
    }
    // What summary.json holds is what the page lists.
    for (what, keys) in &formats.keys {
        let Some(part) = what.strip_prefix("summary.json") else { continue };
        let mut value = &summary;
        for step in part.trim().split('.').filter(|step| !step.is_empty()) {
            value = &value[step];
        }
        let found: BTreeSet<String> = value.as_object().unwrap().keys().cloned().collect();
        assert_eq!(*keys, found, "the keys of {what}");
    }
}

/// Each table of keys against the program: a key that nobody knows is refused
/// with the list of those that are known.
#[test]
fn every_key_is_on_the_formats_page() {
    let formats = formats();
    let mut tables = 0;
    for (what, keys) in &formats.keys {
        let Some((file, table)) = what.split_once(' ').filter(|(file, _)| file.contains(".toml"))
        else {
            continue;
        };
        tables += 1;
        let sandbox = written(&formats);
        let text = &formats.files[file];
        let spoiled = if table == "top" {
            format!("zzzzzzzzzz = 1\n{text}")
        } else {
            let line = text.lines().find(|line| line.starts_with(table));
            let line = line.unwrap_or_else(|| panic!("{file} has no {table}"));
            text.replacen(line, &format!("{line}\nzzzzzzzzzz = 1"), 1)
        };
        sandbox.put(file, spoiled.as_bytes());
        let told = sandbox.expect("init case mission", 2);
        let known = told
            .err
            .split_once("known here: ")
            .unwrap_or_else(|| panic!("{what}: {}", told.shown()))
            .1;
        let known: BTreeSet<String> =
            known.lines().next().unwrap().split(", ").map(str::to_owned).collect();
        assert_eq!(*keys, known, "the keys of {what}");
    }
    assert!(tables >= 15, "{tables} tables of keys");
}
