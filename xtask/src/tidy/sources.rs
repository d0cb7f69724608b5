//! Rules for single files.

use super::Problem;
use super::checkout::{Checkout, is_of_kind};

/// Most lines of a file.
const LINES_MAX: usize = 800;

/// Longer files, each with its reason.
const LONGER: [(&str, &str); 0] = [];

/// Endings of files that people write.
const WRITTEN: [&str; 9] = ["rs", "md", "toml", "html", "css", "sh", "svelte", "ts", "geojson"];

fn written(checkout: &Checkout) -> impl Iterator<Item = (&String, &String)> {
    checkout.files.iter().filter(|(path, _)| WRITTEN.iter().any(|kind| is_of_kind(path, kind)))
}

/// A file that nobody can keep in the head.
pub(super) fn length(checkout: &Checkout) -> Vec<Problem> {
    length_but_for(checkout, &LONGER)
}

fn length_but_for(checkout: &Checkout, longer: &[(&str, &str)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in written(checkout) {
        let lines = text.lines().count();
        let excused = longer.iter().any(|(name, _)| name == path);
        if lines > LINES_MAX && !excused {
            let message = format!("{lines} lines, {LINES_MAX} is the most: split it");
            problems.push(Problem::new(path, 0, message));
        }
        if lines <= LINES_MAX && excused {
            let message = "it is short enough; take it off the list in xtask/src/tidy/sources.rs";
            problems.push(Problem::new(path, 0, message));
        }
    }
    problems
}

/// Marks of unfinished work. (Put together here, so that this file has none.)
const MARKS: [&str; 4] =
    [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];

/// Work that was left undone belongs to an issue.
pub(super) fn marks(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in written(checkout) {
        for (number, line) in (1..).zip(text.lines()) {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(mark) = words.find(|word| MARKS.contains(word)) {
                let message = format!("`{mark}`: do it, or write an issue and remove the mark");
                problems.push(Problem::new(path, number, message));
            }
        }
    }
    problems
}

/// A crate whose first page does not say what it is, what it may touch and
/// where to begin, with an example that runs.
pub(super) fn first_pages(checkout: &Checkout) -> Vec<Problem> {
    let libraries = checkout.files.iter().filter(|(path, _)| {
        path.strip_prefix("crates/")
            .is_some_and(|inside| inside.split('/').skip(1).eq(["src", "lib.rs"]))
    });
    libraries.flat_map(|(path, text)| first_page(path, text)).collect()
}

fn first_page(path: &str, text: &str) -> Vec<Problem> {
    let page: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let mut problems = Vec::new();
    for opening in ["# ", "What this is: ", "What it may touch: ", "Entry point"] {
        if !page.iter().any(|line| line.starts_with(opening)) {
            let message =
                format!("the first page has no line that begins with `{}`", opening.trim());
            problems.push(Problem::new(path, 1, message));
        }
    }
    // A block that is marked in any way (`text`, `no_run`) does not run.
    let mut fences = page.iter().filter(|line| line.starts_with("```"));
    if fences.next().is_none_or(|fence| *fence != "```") {
        problems.push(Problem::new(path, 1, "the first page has no example that runs"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found_unless_it_has_a_reason() {
        let long = "x\n".repeat(LINES_MAX + 1);
        let checkout = Checkout::of(&[("crates/a/src/b.rs", &long), ("Cargo.lock", &long)]);
        assert_eq!(length_but_for(&checkout, &[]).len(), 1);
        assert!(length_but_for(&checkout, &[("crates/a/src/b.rs", "a table")]).is_empty());
        let short = Checkout::of(&[("crates/a/src/b.rs", "x\n")]);
        assert_eq!(length_but_for(&short, &[("crates/a/src/b.rs", "a table")]).len(), 1);
    }

    #[test]
    fn marks_are_found_as_words() {
        for mark in MARKS {
            let text = format!("fine\n// {mark}: later\n");
            let found = marks(&Checkout::of(&[("crates/a/src/b.rs", &text)]));
            assert_eq!((found.len(), found[0].line), (1, 2));
            let inside = format!("{mark}ES\n");
            assert!(marks(&Checkout::of(&[("a.md", &inside)])).is_empty());
        }
    }

    const PAGE: &str = "//! # a: b\n//!\n//! What this is: c.\n//! What it may touch: nothing.\n//! Entry point: [`d`].\n//!\n//! ```\n//! a::d();\n//! ```\n\npub fn d() {}\n";

    #[test]
    fn a_whole_first_page_is_fine() {
        assert_eq!(first_page("crates/a/src/lib.rs", PAGE), []);
    }

    #[test]
    fn what_a_first_page_lacks_is_named() {
        for part in ["# a", "What this is", "What it may touch", "Entry point"] {
            let page = PAGE.replace(part, "Something");
            assert_eq!(first_page("crates/a/src/lib.rs", &page).len(), 1, "{part}");
        }
        let page = PAGE.replacen("```", "```no_run", 1);
        assert_eq!(first_page("crates/a/src/lib.rs", &page).len(), 1);
        let checkout = Checkout::of(&[("crates/a/src/lib.rs", "fn a() {}\n")]);
        assert_eq!(first_pages(&checkout).len(), 5);
    }
}
