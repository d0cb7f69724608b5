//! The verifiers that others wrote in Python, in an environment of their own
//! below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;
use crate::workspace;

/// The variable by which tests find the programs.
pub(crate) const VARIABLE: &str = "TRUCELINE_PYTHON_BIN";

/// Packages, with versions: a test must not change because the world did.
const REQUIREMENTS: &str = "\
aics-tlog==0.2.1
cffi==2.1.1
cryptography==50.0.2
pycparser==3.12
";

/// The folder of the programs, made if it is not there yet.
pub(crate) fn programs() -> Result<PathBuf> {
    let folder = workspace::target().join("python");
    let bin = folder.join("bin");
    let stamp = folder.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(bin);
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("removing {}", folder.display()))?;
    }
    process::expect(Command::new("python3").args(["-m", "venv"]).arg(&folder), 0).context(
        "python3 with its module venv is needed (on Debian: apt-get install python3-venv)",
    )?;
    let wanted = folder.join("wanted.txt");
    std::fs::write(&wanted, REQUIREMENTS).context("writing the requirements")?;
    install(&bin, &wanted)?;
    std::fs::rename(&wanted, &stamp).context("marking the environment as whole")?;
    Ok(bin)
}

fn install(bin: &Path, wanted: &Path) -> Result<()> {
    let mut pip = Command::new(bin.join("python"));
    // It declares Python 3.12 and works with 3.11 as well.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--ignore-requires-python", "--requirement"]);
    process::expect(pip.arg(wanted), 0).map(drop).context("fetching the outside verifiers")
}
