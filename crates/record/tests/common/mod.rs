//! What several tests share. Each test file is a program of its own and uses a part of it.
#![allow(dead_code, reason = "no test uses all of it")]
#![allow(unreachable_pub, reason = "the modules of a test program have no outside")]

pub mod chance;
pub mod sim;

use record::PrivateKey;

/// The key of every test log. Its seed is public, so it is good for nothing else.
pub fn key() -> PrivateKey {
    PrivateKey::from_seed("ledger.example/test", &[42; 32]).expect("a good name")
}

/// A number from the environment, or the default.
pub fn number_from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}
