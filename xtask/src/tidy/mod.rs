//! The invariants of `ARCHITECTURE.md`, and that the pages are complete.
//!
//! Every rule is a function from a [`Checkout`] to problems, so that its tests
//! can show it a checkout that breaks it.

mod checkout;
mod code;
mod dependencies;
mod pages;
mod rooms;
mod sources;

use std::fmt;

use anyhow::Result;
use checkout::Checkout;

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file, from the root of the checkout.
    path: String,
    /// The line, from 1; 0 if the whole file is meant.
    line: usize,
    /// What is wrong and what to do.
    message: String,
}

impl Problem {
    fn new(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// A rule.
type Rule = fn(&Checkout) -> Vec<Problem>;

const RULES: [(&str, Rule); 10] = [
    ("arrows between crates point downwards", rooms::arrows),
    ("pure crates use nothing that does I/O", rooms::pure_dependencies),
    ("names that a crate may not speak", rooms::banned_names),
    ("no file is too long", sources::length),
    ("nothing is left to be done", sources::marks),
    ("every crate has a first page with an example", sources::first_pages),
    ("every dependency has its line of reason", dependencies::reasons),
    ("every crate is on the map", pages::map),
    ("every page is there", pages::present),
    ("links lead somewhere", pages::links),
];

/// The chore: prints every problem; true if there is none.
pub(crate) fn run() -> Result<bool> {
    let checkout = Checkout::read()?;
    let mut fine = true;
    for (name, rule) in RULES {
        let problems = rule(&checkout);
        println!("{:7} {name}", if problems.is_empty() { "ok" } else { "FAILED" });
        for problem in &problems {
            println!("        {problem}");
        }
        fine &= problems.is_empty();
    }
    Ok(fine)
}
