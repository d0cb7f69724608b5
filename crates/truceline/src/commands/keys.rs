//! Keys of people: made, listed, revoked, shown.

#![allow(clippy::doc_markdown)] // these comments are help texts; a terminal shows no backticks

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use casework::act::Act;
use casework::officer::{Register, Standing};
use casework::{Officer, Revocation, Role};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use mission::keys::{Cost, KeyFile, Owner};
use mission::{Seeds, people};
use publish::table::Table;
use record::PrivateKey;
use strict::Moment;

use crate::{Outcome, output};

/// Variable from which a passphrase is taken where nobody can type one.
const PASSPHRASE: &str = "TRUCELINE_PASSPHRASE";

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key for a person and declare it in the record
    #[command(
        after_help = "Examples:\n  truceline keys create easter --person V-07 --role verifier --contingent FI \\\n    \
        --from 2026-01-01T00:00:00Z --to 2027-01-01T00:00:00Z\n\n\
        Roles: sensor_custodian, field_monitor, intake_officer, analyst, verifier, technical_expert, legal_adviser, \
        panel_member, panel_chair, liaison_officer, reply_agent, head_of_mission, commission_member, watch_officer, \
        witness_operator, publisher, data_protection, auditor, contingent_head."
    )]
    Create(CreateArgs),
    /// List the keys of a mission
    List(ListKeysArgs),
    /// Revoke a key
    #[command(
        after_help = "Examples:\n  truceline keys revoke easter V-07.verifier.FI --reason \"left the mission\""
    )]
    Revoke(RevokeArgs),
    /// Vouch for the key of somebody of your contingent
    #[command(
        after_help = "Examples:\n  truceline keys countersign easter V-07.verifier --key FI-0.contingent_head.key\n\n\
        Where a case says countersigned_keys = true, a key signs nothing before the head of its contingent has\n\
        countersigned it. The first head declared for a contingent vouches for the others: its key is what a\n\
        government has to know."
    )]
    Countersign(CountersignArgs),
    /// Show whose key a key file holds
    Show(ShowArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Pseudonym of the person; never a name
    #[arg(long)]
    pub person: String,
    /// Role in which the key signs
    #[arg(long)]
    pub role: Role,
    /// Sending state or organisation; for an agent of a party, its id in the agreement
    #[arg(long)]
    pub contingent: String,
    /// Valid from this moment on
    #[arg(long, value_name = "MOMENT")]
    pub from: Moment,
    /// Valid until this moment
    #[arg(long, value_name = "MOMENT")]
    pub to: Moment,
    /// File to write (default: PERSON.ROLE.key here)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
}

#[derive(Args, Debug)]
pub(crate) struct PassphraseArgs {
    /// File whose first line is the passphrase; else the variable
    /// TRUCELINE_PASSPHRASE, else it is asked for
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ListKeysArgs {
    /// Mission folder
    pub mission: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Name of the key, as `truceline keys list` shows it
    pub key: String,
    /// Why
    #[arg(long)]
    pub reason: String,
    /// From this moment on (default: now)
    #[arg(long, value_name = "MOMENT")]
    pub at: Option<Moment>,
}

#[derive(Args, Debug)]
pub(crate) struct CountersignArgs {
    /// Mission folder
    pub mission: PathBuf,
    /// Name of the key to vouch for, as `truceline keys list` shows it
    pub name: String,
    #[command(flatten)]
    pub with: super::case::With,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Key file
    pub file: PathBuf,
}

pub(crate) fn keys(command: &KeysCommand) -> Result<Outcome> {
    match command {
        KeysCommand::Create(args) => create(args),
        KeysCommand::List(args) => list(&args.mission),
        KeysCommand::Revoke(args) => revoke(args),
        KeysCommand::Countersign(args) => countersign(args),
        KeysCommand::Show(args) => show(&args.file),
    }
}

/// The passphrase: from a file, from the environment, or asked for.
fn passphrase(args: &PassphraseArgs, question: &str) -> Result<String> {
    if let Some(path) = &args.passphrase_file {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    if let Ok(text) = std::env::var(PASSPHRASE) {
        return Ok(text);
    }
    if !std::io::stdin().is_terminal() {
        bail!("no passphrase: give --passphrase-file, or set {PASSPHRASE}");
    }
    Ok(rpassword::prompt_password(question)?)
}

/// Opens a person's key.
pub(crate) fn open_key(path: &Path, args: &PassphraseArgs) -> Result<PrivateKey> {
    let file = KeyFile::read(path)?;
    let word = passphrase(args, &format!("Passphrase of {}: ", file.person))?;
    Ok(file.open(path, &word)?)
}

fn create(args: &CreateArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let owner = Owner {
        person: args.person.clone(),
        role: args.role.code().to_owned(),
        contingent: args.contingent.clone(),
    };
    let default = format!("{}.{}.key", args.person, args.role.code());
    let path = args.out.clone().unwrap_or_else(|| PathBuf::from(default));
    let word = passphrase(&args.passphrase, "New passphrase: ")?;
    if word.is_empty() {
        bail!("an empty passphrase protects nothing");
    }
    let file = KeyFile::seal(&owner, Seeds::System, &word, Cost::STANDARD)?;
    file.write(&path)?;
    let entry = people::declare(
        &mission,
        Officer {
            key: file.public.clone(),
            person: args.person.clone(),
            role: args.role,
            contingent: args.contingent.clone(),
            from: args.from.0,
            to: args.to.0,
        },
    )?;
    output::line(&format!("wrote {}, encrypted; declared in entry {entry}", path.display()))?;
    output::line(&format!("public key {}", file.public))?;
    Ok(Outcome::Fine)
}

fn list(mission: &Path) -> Result<Outcome> {
    let mission = super::open(mission)?;
    let reader = mission.reader()?;
    let world = mission::world::World::gather(&mission, &reader, mission::AsOf::Now)?;
    let asked = people::rules(&world).countersigned;
    let state = super::state_of(&mission, None)?;
    let register = people::all(&mission, &state, &world, mission::AsOf::Now)?.register;
    let rows = register
        .all()
        .map(|(officer, _)| {
            let standing = match register.standing(officer, Timestamp::MAX) {
                Standing::Revoked(at, why) => format!("revoked {at}: {why}"),
                _ => String::new(),
            };
            let vouched = match register.countersigned(officer) {
                Some(entry) => format!("in entry {entry}"),
                None if !asked => "not asked for".to_owned(),
                None if register.is_vouched_for(officer) => "first of its contingent".to_owned(),
                None => "no: signs nothing".to_owned(),
            };
            vec![
                officer.key.split('+').next().unwrap_or_default().to_owned(),
                officer.person.clone(),
                officer.role.title().to_owned(),
                officer.contingent.clone(),
                officer.from.to_string(),
                officer.to.to_string(),
                vouched,
                standing,
            ]
        })
        .collect();
    let columns =
        vec!["key", "person", "role", "contingent", "from", "to", "countersigned", "revoked"];
    output::print(&output::table(&Table { columns, rows }))?;
    Ok(Outcome::Fine)
}

/// The key that is called so.
fn named<'r>(register: &'r Register, name: &str) -> Result<&'r Officer> {
    let keys: Vec<&Officer> = register
        .all()
        .map(|(officer, _)| officer)
        .filter(|officer| officer.key == name || officer.key.starts_with(&format!("{name}+")))
        .collect();
    match keys.as_slice() {
        [officer] => Ok(officer),
        _ => bail!("{} keys are called `{name}`; `truceline keys list` shows them", keys.len()),
    }
}

fn countersign(args: &CountersignArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let ledger = people::ledger(&mission)?;
    let officer = named(&ledger.register, &args.name)?;
    let act = Act::Countersign {
        key: officer.key.clone(),
        person: officer.person.clone(),
        role: officer.role,
    };
    super::case::sign_and_file(&mission, None, act, &args.with)
}

fn revoke(args: &RevokeArgs) -> Result<Outcome> {
    let mission = super::open(&args.mission)?;
    let ledger = people::ledger(&mission)?;
    let officer = named(&ledger.register, &args.key)?;
    let at = args.at.map_or_else(crate::clock::now, |moment| moment.0);
    let revocation = Revocation { key: officer.key.clone(), at, reason: args.reason.clone() };
    let entry = people::revoke(&mission, revocation)?;
    output::line(&format!("revoked {} from {at} on, in entry {entry}", args.key))?;
    Ok(Outcome::Fine)
}

fn show(path: &Path) -> Result<Outcome> {
    let file = KeyFile::read(path)?;
    if file.exercise {
        output::line("EXERCISE key: anybody can make it")?;
    }
    output::line(&format!("person      {}", file.person))?;
    output::line(&format!("role        {}", file.role))?;
    output::line(&format!("contingent  {}", file.contingent))?;
    output::line(&format!("public key  {}", file.public))?;
    output::line(&format!(
        "encrypted   Argon2id, {} KiB, {} passes, {} lanes; XChaCha20-Poly1305",
        file.argon2id.memory_kib, file.argon2id.passes, file.argon2id.lanes
    ))?;
    Ok(Outcome::Fine)
}
