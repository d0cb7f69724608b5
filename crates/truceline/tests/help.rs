//! Every help page, whole.

mod common;

use common::{Sandbox, with_filters};

/// The commands that a help page lists.
fn commands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The help page of a command and of those below it; how many there are.
fn pages_of(sandbox: &Sandbox, command: &str, exemplified: bool) -> usize {
    let told = sandbox.expect(&format!("{command} --help"), 0);
    let name = format!("help-{}", command.replace(' ', "-"));
    with_filters(|| insta::assert_snapshot!(name, told.shown()));
    let below = commands(&told.out);
    let exemplified = exemplified || told.out.contains("Example");
    assert!(
        !below.is_empty() || exemplified,
        "neither {command} nor those above it have an example"
    );
    let below =
        below.iter().map(|name| pages_of(sandbox, &format!("{command} {name}"), exemplified));
    1 + below.sum::<usize>()
}

#[test]
fn the_program() {
    with_filters(|| insta::assert_snapshot!("help", Sandbox::new().run("--help").shown()));
}

#[test]
fn every_command() {
    let sandbox = Sandbox::new();
    let help = sandbox.expect("--help", 0).out;
    let pages: usize =
        commands(&help).iter().map(|command| pages_of(&sandbox, command, false)).sum();
    assert!(pages >= 12, "{pages} help pages");
}

#[test]
fn wrong_command_lines_are_explained() {
    let sandbox = Sandbox::new();
    let mut shown = String::new();
    for line in [
        "",
        "verfy x",
        "init",
        "findings x --as-of yesterday",
        "incidents x --format pdf",
        "ingest x",
        "report x --day 2031-02-30",
    ] {
        let told = sandbox.expect(line, 2);
        shown.push_str(&format!("$ truceline {line}\n{}\n", told.shown()));
    }
    with_filters(|| insta::assert_snapshot!("wrong-command-lines", shown));
}
