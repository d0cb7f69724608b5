//! Killed at any moment, the program takes up its work where it stopped: the
//! same command again, no repair, and the state is as if nothing had happened.

mod common;

use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::Sandbox;

/// Kills that must have hit a running program.
const KILLS: u32 = 24;

/// Knuth's MMIX numbers: enough to choose moments.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn ingest_killed_and_taken_up_again() {
    let calm = Sandbox::with_exercise();
    calm.expect("init case mission", 0);
    let begun = Instant::now();
    calm.expect("ingest mission --data data", 0);
    let mut whole_us = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let digest = calm.expect("derive mission", 0).digest();

    let mut chance = Chance(1);
    let mut kills = 0;
    let mut missions = 0;
    while kills < KILLS {
        missions += 1;
        assert!(missions <= 2 * KILLS, "{kills} kills in {missions} missions: it ends too soon");
        let sandbox = Sandbox::with_exercise();
        sandbox.expect("init case mission", 0);
        for _ in 0..8 {
            let mut child = sandbox
                .command()
                .args(["ingest", "mission", "--data", "data"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            thread::sleep(Duration::from_micros(chance.below(whole_us)));
            if child.try_wait().unwrap().is_some() {
                // It was done before: how fast it is changes with what else the machine does.
                whole_us = (whole_us * 2 / 3).max(1_000);
                break;
            }
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
            kills += 1;
            sandbox.expect("verify mission", 0);
        }
        sandbox.expect("ingest mission --data data", 0);
        assert_eq!(sandbox.expect("derive mission", 0).digest(), digest);
        sandbox.expect("verify mission", 0);
    }
    println!("{kills} kills in {missions} missions");
}

#[test]
fn replay_killed_and_taken_up_again() {
    let calm = Sandbox::new();
    let begun = Instant::now();
    let digest = calm.expect("demo --dir .", 0).digest();
    let whole_us = u64::try_from(begun.elapsed().as_micros()).unwrap();
    let mut chance = Chance(2);
    for _ in 0..8 {
        let sandbox = Sandbox::new();
        let mut child = sandbox
            .command()
            .args(["demo", "--dir", "."])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros(chance.below(whole_us)));
        let _ = child.kill();
        child.wait().unwrap();
        assert_eq!(sandbox.expect("demo --dir .", 0).digest(), digest);
        sandbox.expect("verify mission", 0);
    }
}
