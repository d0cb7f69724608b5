//! Progress on long work, on the terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mission::ingest::{FileOutcome, Progress};

/// A bar for the bytes of one file after the other.
pub(crate) struct Bars {
    bar: ProgressBar,
    files: u64,
    read: u64,
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant")
}

impl Bars {
    /// A bar for so many files.
    pub(crate) fn new(files: u64) -> Self {
        let bar = ProgressBar::new(0).with_style(style(
            "{prefix} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {wide_msg}",
        ));
        Self { bar, files, read: 0 }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bars {
    fn file(&mut self, name: &str, bytes: u64) {
        self.read += 1;
        self.bar.set_prefix(format!("file {}/{}", self.read, self.files.max(self.read)));
        self.bar.set_message(name.to_owned());
        self.bar.set_length(bytes);
        self.bar.set_position(0);
        self.bar.reset_eta();
    }

    fn read(&mut self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    fn done(&mut self, _: &FileOutcome) {}
}

/// A bar for counted work whose end is known.
pub(crate) fn counted(what: &'static str) -> ProgressBar {
    ProgressBar::new(0).with_style(style("{msg} {bar:24} {pos}/{len}")).with_message(what)
}

/// A sign of life for work whose end is not known.
pub(crate) fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner()
        .with_style(style("{spinner} {msg} {elapsed}"))
        .with_message(what);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar for bytes whose number is known.
pub(crate) fn bytes(what: &'static str, total: u64) -> ProgressBar {
    ProgressBar::new(total)
        .with_style(style("{msg} {bar:24} {bytes}/{total_bytes} {eta}"))
        .with_message(what)
}
