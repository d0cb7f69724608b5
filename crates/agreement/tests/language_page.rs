//! The page on the language: its parts make one package that reads, lints
//! without an error, and passes its own tests; its scenario runs.

mod common;

use std::collections::BTreeSet;

use agreement::package::{Files, MANIFEST, Package, read};

struct Page {
    files: Files,
    scenario: String,
    text: String,
}

fn page() -> Page {
    let text = std::fs::read_to_string(common::root().join("docs/agreement-language.md")).unwrap();
    let (mut manifest, mut tests, mut scenario) = (String::new(), String::new(), String::new());
    let mut files = Files::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(mark) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        assert!(lines.next().unwrap().starts_with("```"), "{mark} is not followed by a block");
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let block = block.join("\n") + "\n";
        match mark.strip_prefix("file: ") {
            Some(file) => {
                files.insert(file.to_owned(), block.into_bytes());
            }
            None if mark == "package" => manifest += &block,
            None if mark == "tests" => tests += &block,
            None if mark == "scenario" => scenario += &block,
            None => panic!("nobody knows the mark {mark}"),
        }
    }
    files.insert(MANIFEST.to_owned(), manifest.into_bytes());
    files.insert("tests/page.toml".to_owned(), tests.into_bytes());
    Page { files, scenario, text }
}

fn package(page: &Page) -> Package {
    read(&page.files).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_package_of_the_page_reads_and_passes_its_tests() {
    let page = page();
    let package = package(&page);
    let outcomes =
        agreement::testing::run(&package, &page.files).unwrap_or_else(|error| panic!("{error}"));
    assert!(outcomes.len() >= 8, "{} tests", outcomes.len());
    for outcome in outcomes {
        assert_eq!(outcome.failure, None, "{}", outcome.name);
    }
    let errors: Vec<_> = agreement::lint::lint(&package.agreement)
        .into_iter()
        .filter(|problem| problem.weight == strict::Weight::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn the_scenario_of_the_page_calls_the_commitment() {
    let page = page();
    let package = package(&page);
    let text = strict::Text::new("scenario", page.scenario.clone());
    let scenario = agreement::testing::scenario(&text).unwrap_or_else(|error| panic!("{error}"));
    let it = &package.agreement;
    let calls = agreement::trigger::call(it, &it.commitments[0], &scenario.timeline());
    assert!(calls.iter().any(|call| call.called.low().get() == 1.0), "{calls:?}");
}

/// Every code that lint can say stands in the table of the page.
#[test]
fn every_code_of_lint_is_on_the_page() {
    let page = page();
    let known: BTreeSet<&str> = page.text.split('`').skip(1).step_by(2).collect();
    for name in common::names() {
        for problem in agreement::lint::lint(&common::package(&name).agreement) {
            assert!(known.contains(problem.code), "{} is not on the page", problem.code);
        }
    }
}
