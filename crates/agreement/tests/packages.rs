//! Every package that the repository ships: its tests pass, lint says what it
//! is known to say, and it reads in words.

mod common;

use common::{names, outcomes, package};

#[test]
fn the_tests_of_every_package_pass() {
    for name in names() {
        let outcomes = outcomes(&name);
        let failed: Vec<String> = outcomes
            .iter()
            .filter_map(|outcome| {
                let failure = outcome.failure.as_ref()?;
                Some(format!("{}:{} {}: {failure}", outcome.file, outcome.line, outcome.name))
            })
            .collect();
        assert!(failed.is_empty(), "{name}\n{}", failed.join("\n"));
    }
}

#[test]
fn the_main_packages_have_ten_tests_or_more() {
    for name in [
        "paris-2026",
        "draft-20-points-2025",
        "energy-moratorium-2025",
        "easter-2025",
        "minsk-2015",
        "measures-2020",
        "gcsp-toolkit-2025",
    ] {
        let count = outcomes(name).len();
        assert!(count >= 10, "{name} has {count} tests");
    }
}

/// The warnings that each text deserves, word for word.
#[test]
fn lint_says_exactly_what_each_text_deserves() {
    for name in names() {
        let agreement = package(&name).agreement;
        let problems = agreement::lint::lint(&agreement);
        let errors: Vec<_> =
            problems.iter().filter(|one| one.weight == strict::Weight::Error).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let told: Vec<String> =
            problems.iter().map(|one| format!("{}: {}", one.code, one.message)).collect();
        insta::assert_snapshot!(format!("lint-{name}"), told.join("\n"));
    }
}

/// Every package in words names all its clauses and never an empty fact.
#[test]
fn every_package_reads_in_words() {
    for name in names() {
        let agreement = package(&name).agreement;
        let sheet = agreement::describe::sheet(&agreement, "en");
        for (_, ids) in agreement::check::clauses(&agreement) {
            for id in ids {
                assert!(sheet.item(id).is_some(), "{name}: {id} is not shown");
            }
        }
        for item in sheet.items() {
            for fact in &item.facts {
                let empty = fact.values.iter().any(|value| value.text.is_empty());
                assert!(!empty || fact.name == "lead", "{name}: {} {}", item.id, fact.name);
            }
        }
    }
}
