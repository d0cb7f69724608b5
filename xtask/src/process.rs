//! Running other programs, with what they say shown and kept.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output and standard error, one after the other.
    pub text: String,
}

impl Said {
    /// True if it ended with 0.
    pub(crate) fn is_success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs a program; what it says is shown as it comes, and kept.
pub(crate) fn shown(command: &mut Command) -> Result<Said> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("starting {command:?}"))?;
    let errors = child.stderr.take().expect("it is piped");
    let listener = thread::spawn(move || passed_on(errors));
    let mut text = passed_on(child.stdout.take().expect("it is piped"));
    text.push_str(&listener.join().expect("passing on does not panic"));
    Ok(Said { code: child.wait()?.code(), text })
}

fn passed_on(from: impl Read) -> String {
    let mut text = String::new();
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        // A reader that went away does not stop the tests.
        let _ = std::io::stdout().write_all(&line);
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    text
}

/// Runs a program in silence.
pub(crate) fn quiet(command: &mut Command) -> Result<Said> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(Said { code: output.status.code(), text: String::from_utf8_lossy(&text).into_owned() })
}

/// Runs a program in silence that has to end with a certain code.
pub(crate) fn expect(command: &mut Command, code: i32) -> Result<String> {
    let said = quiet(command)?;
    if said.code != Some(code) {
        bail!("{command:?} ended with {:?} instead of {code}:\n{}", said.code, said.text);
    }
    Ok(said.text)
}
