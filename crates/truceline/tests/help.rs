//! Every help page, whole.

mod common;

use common::{Sandbox, with_filters};

/// Every command that the program knows, from its own list.
fn commands(sandbox: &Sandbox) -> Vec<String> {
    let help = sandbox.expect("--help", 0).out;
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

#[test]
fn the_program() {
    with_filters(|| insta::assert_snapshot!("help", Sandbox::new().run("--help").shown()));
}

#[test]
fn every_command() {
    let sandbox = Sandbox::new();
    let commands = commands(&sandbox);
    assert!(commands.len() >= 12, "{commands:?}");
    for command in commands {
        let told = sandbox.expect(&format!("{command} --help"), 0);
        assert!(told.out.contains("Example"), "{command} has no example");
        with_filters(|| insta::assert_snapshot!(format!("help-{command}"), told.shown()));
    }
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
