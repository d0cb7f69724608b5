//! The program, run as people run it, in a folder of its own.
#![allow(dead_code, clippy::missing_panics_doc)] // not every test uses everything

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the program with some paths: its exit code, and what it printed.
pub(crate) fn truceline(args: &[&str], paths: &[(&str, &Path)]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_truceline"));
    command.args(args);
    for (flag, path) in paths {
        command.arg(flag).arg(path);
    }
    let run = command.output().expect("the command runs");
    (
        run.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&run.stdout).into_owned(),
        String::from_utf8_lossy(&run.stderr).into_owned(),
    )
}

/// Writes an agreement into `agreement/` of a case that forbids all use of fire, anywhere,
/// from one moment to another.
pub(crate) fn no_fire(case: &Path, from: &str, to: &str) {
    let agreement = case.join("agreement");
    fs::create_dir_all(&agreement).unwrap();
    let text = format!(
        "[agreement]\nid = \"quiet\"\nversion = 1\ntitle = \"No explosions\"\nstatus = \"agreed\"\n\
         authoritative_language = \"en\"\n[[zone]]\nid = \"all\"\nname = \"no limit\"\nkind = \"everywhere\"\n\
         [[provision]]\nid = \"1\"\ntitle = \"No use of fire\"\nacts = [\"A\"]\nzone = \"all\"\n\
         [[provision.in_force]]\nfrom = \"{from}\"\nto = \"{to}\"\n"
    );
    fs::write(agreement.join("agreement.toml"), text).unwrap();
}

/// A folder that goes away, and the program in it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a command did.
pub(crate) struct Told {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Told {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it speaks UTF-8");
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Everything in one text, as snapshots show it.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("exit code {}\n", self.code.map_or(-1, |code| code));
        for (name, part) in [("stdout", &self.out), ("stderr", &self.err)] {
            if !part.is_empty() {
                text.push_str(&format!("--- {name}\n{part}"));
            }
        }
        text
    }

    /// The state digest that it printed.
    pub(crate) fn digest(&self) -> String {
        let digest = self.out.lines().find_map(|line| line.strip_prefix("state digest"));
        digest.unwrap_or_else(|| panic!("no digest: {}", self.shown())).trim().to_owned()
    }
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The files of the exercise: `case/` and `data/`.
    pub(crate) fn with_exercise() -> Self {
        let sandbox = Self::new();
        for (path, bytes) in exercise::files(1) {
            sandbox.put(&path, &bytes);
        }
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The program, ready to be given arguments.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_truceline"));
        command.current_dir(self.path()).env_remove("COLUMNS").env("NO_COLOR", "1");
        command.env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs the program with words that are split at spaces.
    pub(crate) fn run(&self, line: &str) -> Told {
        Told::of(&self.command().args(line.split_whitespace()).output().unwrap())
    }

    /// As `run`, and the exit code has to be this one.
    pub(crate) fn expect(&self, line: &str, code: i32) -> Told {
        let told = self.run(line);
        assert_eq!(told.code, Some(code), "truceline {line}: {}", told.shown());
        assert!(!told.err.contains("panicked"), "truceline {line}: {}", told.shown());
        told
    }

    /// Runs a command line of the shell, with the program as `$T`.
    pub(crate) fn shell(&self, line: &str) -> Told {
        let mut shell = Command::new("bash");
        shell.args(["-c", line]).current_dir(self.path()).env("NO_COLOR", "1");
        Told::of(&shell.env("T", env!("CARGO_BIN_EXE_truceline")).output().unwrap())
    }
}

/// Runs a closure with the filters for what differs from run to run: folders,
/// hashes, roots and keys.
pub(crate) fn with_filters(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"/\S*/\.tmp\w+", "[DIR]");
    settings.add_filter(r"[A-Za-z0-9+/]{43}=", "[ROOT]");
    settings.add_filter(r"\b[0-9a-f]{64}\b", "[HASH]");
    settings.add_filter(r"truceline\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", "truceline+[KEY]");
    settings.add_filter(r"\d{4,} bytes", "[N] bytes");
    settings.bind(check);
}

/// All files below a folder with their bytes.
pub(crate) fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).unwrap();
                found.push((path, bytes));
            }
        }
    }
    found.sort();
    found
}
