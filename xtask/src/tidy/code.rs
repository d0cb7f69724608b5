//! Rust source with everything removed that is not code.

/// The code of a file line by line: without comments, without what stands in
/// quotes, and without the tests at its end.
pub(crate) fn lines(source: &str) -> Vec<(usize, String)> {
    let stripped = stripped(source);
    let lines: Vec<&str> = stripped.lines().collect();
    let is_test_module = |at: usize| {
        lines[at].trim() == "#[cfg(test)]"
            && lines.get(at + 1).is_some_and(|next| next.trim_start().starts_with("mod "))
    };
    let end = (0..lines.len()).find(|at| is_test_module(*at)).unwrap_or(lines.len());
    (1..).zip(lines[..end].iter().map(|line| (*line).to_owned())).collect()
}

/// Blanks out comments and what stands in quotes; line ends stay.
fn stripped(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest, code.chars().next_back());
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        code.push(' ');
        rest = &rest[length..];
    }
    code
}

/// How many bytes at the beginning of `rest` are a comment or a literal.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let to = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return to(rest.find('\n'));
    }
    if rest.starts_with("/*") {
        return to(rest.find("*/").map(|at| at + 2));
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(hashes) = rest.strip_prefix('r').filter(|_| !in_word) {
        let count = hashes.len() - hashes.trim_start_matches('#').len();
        if hashes[count..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(count));
            let from = count + 2;
            return to(rest[from..].find(&end).map(|at| from + at + end.len()));
        }
    }
    if rest.starts_with('"') {
        return to(closing(rest, '"'));
    }
    if let Some(inside) = rest.strip_prefix('\'') {
        // A character, unless it is the name of a lifetime.
        let mut inside = inside.chars();
        return match (inside.next(), inside.next()) {
            (Some('\\'), _) => to(closing(rest, '\'')),
            (Some(c), Some('\'')) => c.len_utf8() + 2,
            _ => 0,
        };
    }
    0
}

/// Where a literal ends that begins here.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        lines(source).into_iter().map(|(_, line)| line + "\n").collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let source = "//! HashMap\nlet a = \"Hash\\\"Map\"; /* HashMap */ let b = r#\"Hash\"Map\"#;\nlet c = '\"'; let d: &'a str = \"x\"; keep";
        let code = code(source);
        assert!(!code.contains("Hash") && !code.contains("Map"), "{code}");
        assert!(
            code.contains("let c") && code.contains("&'a str") && code.contains("keep"),
            "{code}"
        );
    }

    #[test]
    fn lines_keep_their_numbers() {
        let found = lines("let a = \"x\ny\nz\";\nlet b;");
        assert!(found.iter().any(|(number, line)| *number == 4 && line == "let b;"), "{found:?}");
    }

    #[test]
    fn tests_at_the_end_are_no_code_of_the_crate() {
        assert_eq!(code("fn a() {}\n#[cfg(test)]\nmod tests { HashMap }\n"), "fn a() {}\n");
        assert!(code("#[cfg(test)]\nfn helper() {}\nfn a() {}\n").contains("fn a()"));
    }
}
