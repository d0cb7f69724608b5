//! The association engine on another kind of machine: its tests, built for
//! aarch64 and run by an emulator, must find the same bits in the same files.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::workspace;

/// Linked with what comes with Rust: no other compiler is needed.
const TARGET: &str = "aarch64-unknown-linux-musl";
const EMULATOR: &str = "qemu-aarch64";

/// Why it cannot be done here, if it cannot.
pub(crate) fn missing() -> Result<Option<String>> {
    let emulator = Command::new(EMULATOR).arg("--version").output();
    if !emulator.is_ok_and(|out| out.status.success()) {
        return Ok(Some(format!("{EMULATOR} is not here (on Debian: apt-get install qemu-user)")));
    }
    let mut sysroot = Command::new("rustc");
    sysroot.args(["--print", "target-libdir", "--target", TARGET]);
    let folder = process::quiet(&mut sysroot)?.text;
    if !std::path::Path::new(folder.trim()).is_dir() {
        return Ok(Some(format!("Rust for {TARGET} is not here (rustup target add {TARGET})")));
    }
    Ok(None)
}

/// The tests to run.
pub(crate) fn tests() -> Command {
    let mut command = Command::new(workspace::cargo());
    command
        .args(["test", "--package", "associate", "--target", TARGET, "--test", "bits"])
        .args(["--test", "accounts", "--test", "streaming"])
        .current_dir(workspace::root())
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER", "rust-lld")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUNNER", EMULATOR)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_RUSTFLAGS", "-C link-self-contained=yes")
        .env("INSTA_UPDATE", "no")
        .env("INSTA_WORKSPACE_ROOT", workspace::root())
        .env("CARGO_TERM_COLOR", "never");
    command
}
