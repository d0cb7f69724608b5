//! A line of reason for each crate of others.

use std::collections::BTreeSet;

use super::Problem;
use super::checkout::Checkout;

const PAGE: &str = "docs/dependencies.md";

/// Dependencies without a line, and lines without a dependency.
pub(super) fn reasons(checkout: &Checkout) -> Vec<Problem> {
    let page = checkout.files.get(PAGE).map_or("", String::as_str);
    let used: BTreeSet<&str> = checkout
        .packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|used| !used.own)
        .map(|used| used.name.as_str())
        .collect();
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        let Some((name, reason)) = row(line) else { continue };
        if !told.insert(name) {
            problems.push(Problem::new(PAGE, number, format!("`{name}` is there twice")));
        }
        if !used.contains(name) {
            problems.push(Problem::new(PAGE, number, format!("nothing depends on `{name}`")));
        }
        if reason.len() < 10 {
            problems.push(Problem::new(PAGE, number, format!("`{name}` has no reason")));
        }
    }
    for name in used.difference(&told) {
        let message =
            format!("`{name}` is used and has no line here: | `{name}` | reason | where |");
        problems.push(Problem::new(PAGE, 0, message));
    }
    problems
}

/// A row of a table: `| `name` | reason | …`.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
    Some((cells.next()?.strip_suffix('`')?, cells.next().unwrap_or("")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(page: &str) -> Vec<String> {
        let checkout = Checkout::of(&[(PAGE, page)]).with("domain", &[], &["jiff", "libm"]);
        reasons(&checkout).iter().map(ToString::to_string).collect()
    }

    const JIFF: &str = "| `jiff` | time zones that are right | domain |\n";
    const LIBM: &str = "| `libm` | the same bits everywhere | domain |\n";

    #[test]
    fn each_has_one_line_with_a_reason() {
        assert!(problems(&format!("| crate | reason |\n{JIFF}{LIBM}")).is_empty());
        assert!(problems(JIFF)[0].contains("`libm` is used and has no line"));
        assert!(problems(&format!("{JIFF}{LIBM}{LIBM}"))[0].contains("twice"));
        assert!(problems(&format!("{JIFF}| `libm` | |\n"))[0].contains("no reason"));
        let chrono = "| `chrono` | we do not use it | - |\n";
        assert!(problems(&format!("{JIFF}{LIBM}{chrono}"))[0].contains("nothing depends on"));
    }
}
