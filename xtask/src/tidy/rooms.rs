//! Which crate may use which, and what a crate may not speak of.

use std::collections::BTreeSet;

use super::Problem;
use super::checkout::Checkout;
use super::code;

/// A crate, lowest first.
struct Room {
    name: &'static str,
    /// Crates of ours that it may use; all of them stand above it in this list.
    may_use: &'static [&'static str],
    kind: Kind,
}

/// What a crate may touch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Values in, values out.
    Pure,
    /// The file system behind one module, and nothing else.
    Record,
    /// The file system; no clock.
    Folder,
    /// Everything.
    Shell,
}

const fn room(name: &'static str, kind: Kind, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, kind }
}

/// The direction of the system. A rule for a crate applies once it exists.
const ROOMS: [Room; 19] = [
    room("record", Kind::Record, &[]),
    room("strict", Kind::Pure, &[]),
    room("domain", Kind::Pure, &[]),
    room("chance", Kind::Pure, &["domain"]),
    room("agreement", Kind::Pure, &["domain", "strict"]),
    room("associate", Kind::Pure, &["domain", "strict"]),
    room("simulate", Kind::Pure, &["agreement", "associate", "chance", "domain", "strict"]),
    room("intake", Kind::Pure, &["agreement", "domain", "strict"]),
    room("fusion", Kind::Pure, &["agreement", "associate", "domain", "strict"]),
    room("findings", Kind::Pure, &["agreement", "domain", "strict"]),
    room("casework", Kind::Pure, &["agreement", "domain", "findings", "record", "strict"]),
    room("guarantees", Kind::Pure, &["agreement", "casework", "domain", "findings", "strict"]),
    room(
        "publish",
        Kind::Pure,
        &["agreement", "casework", "domain", "findings", "guarantees", "strict"],
    ),
    room(
        "exercise",
        Kind::Pure,
        &["agreement", "casework", "chance", "domain", "guarantees", "record", "simulate"],
    ),
    room("paper", Kind::Pure, &["domain", "publish"]),
    room(
        "mission",
        Kind::Folder,
        &[
            "agreement",
            "associate",
            "casework",
            "domain",
            "findings",
            "fusion",
            "guarantees",
            "intake",
            "publish",
            "record",
            "strict",
        ],
    ),
    room(
        "server",
        Kind::Shell,
        &[
            "agreement",
            "casework",
            "domain",
            "findings",
            "guarantees",
            "mission",
            "publish",
            "record",
        ],
    ),
    room(
        "truceline",
        Kind::Shell,
        &[
            "agreement",
            "associate",
            "casework",
            "domain",
            "exercise",
            "findings",
            "fusion",
            "guarantees",
            "intake",
            "mission",
            "paper",
            "publish",
            "record",
            "server",
            "simulate",
            "strict",
        ],
    ),
    room("xtask", Kind::Shell, &[]),
];

/// Crates of others by which input, output or an event loop would come in.
const NOT_PURE: [&str; 16] = [
    "anyhow",
    "async-std",
    "getrandom",
    "glob",
    "hyper",
    "indicatif",
    "mio",
    "reqwest",
    "rusqlite",
    "rustix",
    "smol",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "tracing-subscriber",
    "ureq",
];

/// Names that read a clock.
const CLOCK: [&str; 5] =
    ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now", "Date::today"];

/// Names whose order or value differs from run to run.
const CHANCE: [&str; 8] = [
    "HashMap",
    "HashSet",
    "RandomState",
    "rand::rng",
    "thread_rng",
    "from_os_rng",
    "OsRng",
    "getrandom",
];

/// Names that reach outside.
const OUTSIDE: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "println!",
    "eprintln!",
    "tokio::",
];

/// Functions of the standard library whose last bit differs between machines;
/// `libm` has them all.
const FLOATING: [&str; 27] = [
    ".sin(",
    ".cos(",
    ".tan(",
    ".sin_cos(",
    ".asin(",
    ".acos(",
    ".atan(",
    ".atan2(",
    ".sinh(",
    ".cosh(",
    ".tanh(",
    ".exp(",
    ".exp2(",
    ".exp_m1(",
    ".ln(",
    ".ln_1p(",
    ".log(",
    ".log2(",
    ".log10(",
    ".powf(",
    ".powi(",
    ".cbrt(",
    ".hypot(",
    ".mul_add(",
    "f64::sin",
    "f64::exp",
    "f64::mul_add",
];

/// Places where a name may stand after all, with the reason.
const EXCEPTIONS: [(&str, &str, &str); 2] = [
    (
        "crates/record/src/medium.rs",
        "std::fs",
        "the one module of the record that touches the disk",
    ),
    (
        "crates/mission/src/seen.rs",
        "HashSet",
        "asked only whether something is in it, never in which order",
    ),
];

fn room_of(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

fn manifest(name: &str) -> String {
    if name == "xtask" {
        "xtask/Cargo.toml".to_owned()
    } else {
        format!("crates/{name}/Cargo.toml")
    }
}

/// An arrow that is not in the list.
pub(super) fn arrows(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &checkout.packages {
        let at = manifest(&package.name);
        let Some(room) = room_of(&package.name) else {
            let message = "this crate has no place in the direction of the system; give it one in xtask/src/tidy/rooms.rs and ARCHITECTURE.md";
            problems.push(Problem::new(at, 0, message));
            continue;
        };
        for used in package.dependencies.iter().filter(|used| used.own) {
            // Tests may use whatever stands lower, or beside without an arrow back.
            let allowed = room.may_use.contains(&used.name.as_str())
                || used.dev && used.name != package.name && !uses(&used.name, &package.name);
            if !allowed {
                let message = format!("`{}` may not use `{}`", package.name, used.name);
                problems.push(Problem::new(&at, 0, message));
            }
        }
    }
    problems
}

/// Whether a crate may use another, directly or by way of others.
fn uses(user: &str, used: &str) -> bool {
    room_of(user)
        .is_some_and(|room| room.may_use.iter().any(|name| *name == used || uses(name, used)))
}

/// A pure crate with a dependency by which input or output comes in.
pub(super) fn pure_dependencies(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &checkout.packages {
        if room_of(&package.name).is_none_or(|room| room.kind != Kind::Pure) {
            continue;
        }
        for used in package.dependencies.iter().filter(|used| !used.own && !used.dev) {
            if NOT_PURE.contains(&used.name.as_str()) {
                let message = format!("`{}` is pure and may not use `{}`", package.name, used.name);
                problems.push(Problem::new(manifest(&package.name), 0, message));
            }
        }
    }
    problems
}

fn banned(kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Pure => [&CLOCK[..], &CHANCE, &OUTSIDE, &FLOATING].concat(),
        Kind::Record => [&CLOCK[..], &CHANCE, &OUTSIDE].concat(),
        Kind::Folder => [&CLOCK[..], &["HashMap", "HashSet", "RandomState", "std::net"]].concat(),
        Kind::Shell => Vec::new(),
    }
}

/// A name in the code of a crate that may not speak it; and an exception that
/// nothing needs.
pub(super) fn banned_names(checkout: &Checkout) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for room in &ROOMS {
        let banned = banned(room.kind);
        for (path, source) in checkout.sources(room.name) {
            for (line, code) in code::lines(source) {
                for name in banned.iter().filter(|name| speaks(&code, name)) {
                    if EXCEPTIONS.iter().any(|(file, word, _)| *file == path && word == name) {
                        used.insert((path, *name));
                        continue;
                    }
                    let message = format!("`{}` may not speak of `{name}`", room.name);
                    problems.push(Problem::new(path, line, message));
                }
            }
        }
    }
    for (path, name, _) in EXCEPTIONS {
        if checkout.files.contains_key(path) && !used.contains(&(path, name)) {
            let message = format!("nothing here needs the exception for `{name}` any more");
            problems.push(Problem::new(path, 0, message));
        }
    }
    problems
}

/// Whether a name stands in the code as a name of its own.
fn speaks(code: &str, name: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + name.len()..].chars().next();
        let begins = !name.starts_with(in_name) || !before.is_some_and(in_name);
        let ends = !name.ends_with(in_name) || !after.is_some_and(in_name);
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_itself_points_downwards() {
        for (at, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                let above = ROOMS[..at].iter().any(|room| room.name == *used);
                assert!(above, "{} uses {used}", room.name);
            }
        }
    }

    #[test]
    fn an_arrow_upwards_is_found() {
        let checkout = Checkout::default().with("domain", &["mission"], &[]);
        let problems = arrows(&checkout);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().contains("`domain` may not use `mission`"));
        assert!(arrows(&Checkout::default().with("agreement", &["domain"], &[])).is_empty());
    }

    #[test]
    fn the_record_and_the_domain_do_not_know_each_other() {
        assert_eq!(arrows(&Checkout::default().with("record", &["domain"], &[])).len(), 1);
        assert_eq!(arrows(&Checkout::default().with("domain", &["record"], &[])).len(), 1);
    }

    #[test]
    fn tests_may_look_sideways_but_not_up() {
        let with_dev = |user: &str, used: &str| {
            let mut checkout = Checkout::default().with(user, &[used], &[]);
            checkout.packages[0].dependencies[0].dev = true;
            arrows(&checkout).len()
        };
        assert_eq!(with_dev("exercise", "intake"), 0);
        assert_eq!(with_dev("intake", "mission"), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(arrows(&Checkout::default().with("attic", &[], &[])).len(), 1);
    }

    #[test]
    fn an_event_loop_in_a_pure_crate_is_found() {
        let with = |name| Checkout::default().with(name, &[], &["tokio", "rusqlite", "serde"]);
        assert_eq!(pure_dependencies(&with("casework")).len(), 2);
        assert_eq!(pure_dependencies(&with("truceline")).len(), 0);
    }

    #[test]
    fn every_banned_name_is_found() {
        for name in banned(Kind::Pure) {
            let code = format!("fn a() {{ let x = y{name}); }}");
            let code = if name.starts_with('.') { code } else { format!("use {name};\n") };
            let found = banned_names(&Checkout::of(&[("crates/fusion/src/a.rs", &code)]));
            assert!(!found.is_empty(), "{name}");
            assert_eq!(found[0].line, 1, "{name}");
        }
    }

    #[test]
    fn the_disk_belongs_to_one_module_of_the_record() {
        let code = "use std::fs;\n";
        let at = |path| banned_names(&Checkout::of(&[(path, code)])).len();
        assert_eq!(at("crates/record/src/medium.rs"), 0);
        assert_eq!(at("crates/record/src/writer.rs"), 1);
        assert_eq!(at("crates/mission/src/folder.rs"), 0);
    }

    #[test]
    fn libm_comments_tests_and_longer_names_are_no_fault() {
        let code = "//! no HashMap\nlet x = libm::sin(y); MyHashMap::new(); \"std::fs\";\n#[cfg(test)]\nmod tests { fn t() { x.sin(); } }\n";
        assert!(banned_names(&Checkout::of(&[("crates/domain/src/a.rs", code)])).is_empty());
    }

    #[test]
    fn an_exception_that_nothing_needs_is_found() {
        let checkout = Checkout::of(&[("crates/mission/src/seen.rs", "fn a() {}\n")]);
        assert_eq!(banned_names(&checkout).len(), 1);
    }
}
