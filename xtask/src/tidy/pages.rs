//! Pages that people look for, and that they hang together.

use super::Problem;
use super::checkout::{Checkout, is_of_kind};

/// Pages, each with the headings that readers look for.
const PAGES: [(&str, &[&str]); 12] = [
    ("README.md", &["What it is", "Two commands", "A tour"]),
    ("ARCHITECTURE.md", &["Map", "Flow", "Invariants"]),
    ("CONTRIBUTING.md", &[]),
    ("CHANGELOG.md", &[]),
    ("SECURITY.md", &[]),
    ("docs/dependencies.md", &[]),
    ("docs/benchmarks.md", &[]),
    ("docs/operating.md", &[]),
    (
        "docs/formats.md",
        &["Case", "Agreement package", "Mapping file", "Lexicon", "Mission folder", "summary.json"],
    ),
    ("docs/agreement.md", &[]),
    ("docs/decisions/README.md", &[]),
    ("LICENSE", &[]),
];

/// Pages that are missing, or that lack a part.
pub(super) fn present(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, headings) in PAGES {
        let Some(text) = checkout.files.get(path) else {
            problems.push(Problem::new(path, 0, "this page is missing"));
            continue;
        };
        for heading in headings {
            let there = text.lines().any(|line| {
                line.trim_start_matches('#').trim_start().starts_with(heading)
                    && line.starts_with('#')
            });
            if !there {
                problems.push(Problem::new(path, 0, format!("there is no part `{heading}`")));
            }
        }
    }
    problems
}

/// Crates that are not on the map.
pub(super) fn map(checkout: &Checkout) -> Vec<Problem> {
    let map = checkout.files.get("ARCHITECTURE.md").map_or("", String::as_str);
    let missing = checkout.packages.iter().filter(|package| {
        let row = format!("| `{}` |", package.name);
        !map.lines().any(|line| line.starts_with(&row))
    });
    missing
        .map(|package| {
            let message = format!("`{}` has no row on the map", package.name);
            Problem::new("ARCHITECTURE.md", 0, message)
        })
        .collect()
}

/// Links to files that are not there.
pub(super) fn links(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    let pages = checkout.files.iter().filter(|(path, _)| is_of_kind(path, "md"));
    for (path, text) in pages {
        for (number, line) in (1..).zip(text.lines()) {
            for target in targets(line) {
                let file = resolved(path, target);
                let there =
                    |known: &String| *known == file || known.starts_with(&format!("{file}/"));
                if !file.is_empty() && !checkout.files.keys().any(there) {
                    let message = format!("the link leads nowhere: {target}");
                    problems.push(Problem::new(path, number, message));
                }
            }
        }
    }
    problems
}

/// Targets of the links of a line that stay in the checkout.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
}

/// A path from the root for a link on a page.
fn resolved(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    let target = target.split('#').next().unwrap_or("");
    for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_pages_and_parts_are_found() {
        let found = present(&Checkout::of(&[("README.md", "# Truceline\n## What it is\n")]));
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            told.contains(&"README.md: there is no part `Two commands`".to_owned()),
            "{told:?}"
        );
        assert!(told.contains(&"LICENSE: this page is missing".to_owned()), "{told:?}");
        assert!(!told.iter().any(|problem| problem.contains("What it is")), "{told:?}");
    }

    #[test]
    fn a_crate_that_is_not_on_the_map_is_found() {
        let page = "| `domain` | nouns |\n";
        let checkout = Checkout::of(&[("ARCHITECTURE.md", page)]).with("domain", &[], &[]);
        assert!(map(&checkout).is_empty());
        assert_eq!(map(&checkout.with("attic", &[], &[])).len(), 1);
    }

    #[test]
    fn links_are_followed() {
        let page = "see [a](formats.md#case), [b](../README.md), [c](https://x.org/y), [d](decisions), [e](#f)\n";
        let files = [
            ("docs/a.md", page),
            ("docs/formats.md", ""),
            ("README.md", ""),
            ("docs/decisions/1.md", ""),
        ];
        assert_eq!(links(&Checkout::of(&files)), []);
        let broken = links(&Checkout::of(&[("docs/a.md", "fine\n[x](gone.md)\n")]));
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].to_string(), "docs/a.md:2: the link leads nowhere: gone.md");
    }
}
