//! What people did, folded into the state; and how it gets into the record.

use std::collections::BTreeMap;

use agreement::Standard;
use casework::rules::Thresholds;
use casework::{Casework, Fold, Ground, Officer, Revocation, Rules};
use domain::case::Step;
use domain::incident::Status;
use domain::{Case, Class, Finding, Id, Incident, Source, State};
use jiff::Timestamp;
use record::Reader;

use crate::entry::{self, Declaration, sign};
use crate::error::{Error, Result};
use crate::folder::{Mission, append};
use crate::ledger::{Human, Ledger};
use crate::world::{AsOf, World};

/// Longest envelope that is taken in, bytes: with its header it must fit an entry.
pub const ENVELOPE_BYTES_MAX: usize = 64_000;

/// What the rules may ask of the rest of the record.
struct Known<'a> {
    findings: BTreeMap<Id, (&'a Finding, &'a Incident)>,
    ledger: &'a Ledger,
    reader: &'a Reader,
}

impl Ground for Known<'_> {
    fn finding(&self, id: Id) -> Option<(&Finding, &Incident)> {
        self.findings.get(&id).copied()
    }

    fn source(&self, id: &str) -> Option<&Source> {
        self.ledger.source(id)
    }

    fn root_at(&self, size: u64) -> Option<String> {
        self.reader.root_at(size).ok().map(|root| root.to_base64())
    }
}

/// The rules of a mission: those of the agreement, and where it is silent the
/// proposed ones.
pub fn rules(world: &World) -> Rules {
    let it = &world.agreement;
    let mut rules = Rules::proposed(it.parties.iter().map(|party| party.id.clone()).collect());
    let proposed = rules.thresholds;
    let of = |class: Option<Class>| {
        let least =
            |standard, proposed| it.strictest_threshold(standard, class).unwrap_or(proposed);
        Thresholds {
            corroborated: least(Standard::S2, proposed.corroborated),
            verified: least(Standard::S3, proposed.verified),
            actor: least(Standard::S4, proposed.actor),
            overwhelming: least(Standard::S5, proposed.overwhelming),
        }
    };
    rules.thresholds = of(None);
    rules.by_class = Class::ALL
        .iter()
        .map(|class| (*class, of(Some(*class))))
        .filter(|(_, thresholds)| *thresholds != rules.thresholds)
        .collect();
    rules.countersigned =
        world.ledger.genesis.as_ref().is_some_and(|genesis| genesis.countersigned_keys);
    if let Some(clock) = it.clock(REPLY_CLOCK) {
        // Where they read its length differently, nobody is cut short.
        let lengths = clock.within.readings().iter().map(|reading| reading.value.seconds());
        rules.reply_window_s = lengths.fold(0.0, f64::max) as i64;
    }
    rules
}

/// Id of the clock of an agreement that gives the length of the reply window.
const REPLY_CLOCK: &str = "reply";

/// Folds what people did.
pub(crate) fn casework(
    mission: &Mission,
    reader: &Reader,
    world: &World,
    incidents: &[Incident],
    findings: &[Finding],
    as_of: AsOf,
) -> Casework {
    if world.ledger.humans.is_empty() {
        return Casework::default();
    }
    folded(mission, reader, world, (incidents, findings), as_of, None)
}

/// The case of a finding on which nobody has acted: its ten checks.
pub fn untouched(
    mission: &Mission,
    state: &State,
    finding: Id,
    as_of: Option<AsOf>,
) -> Result<Case> {
    let as_of = as_of.unwrap_or(AsOf::Now);
    let reader = mission.reader()?;
    let world = World::gather(mission, &reader, as_of)?;
    let about = (state.incidents.as_slice(), state.findings.as_slice());
    let casework = folded(mission, &reader, &world, about, as_of, Some(finding));
    casework
        .cases
        .into_iter()
        .find(|case| case.finding == finding)
        .ok_or_else(|| Error::Asked(format!("the record comes to no finding {finding}")))
}

/// Everything that people did: keys, reports, restrictions, answers of guarantors.
pub fn all(mission: &Mission, state: &State, world: &World, as_of: AsOf) -> Result<Casework> {
    let about = (state.incidents.as_slice(), state.findings.as_slice());
    Ok(folded(mission, &mission.reader()?, world, about, as_of, None))
}

fn folded(
    mission: &Mission,
    reader: &Reader,
    world: &World,
    (incidents, findings): (&[Incident], &[Finding]),
    as_of: AsOf,
    include: Option<Id>,
) -> Casework {
    let by_id: BTreeMap<Id, &Incident> = incidents.iter().map(|one| (one.id, one)).collect();
    let findings = findings
        .iter()
        .filter_map(|finding| Some((finding.id, (finding, *by_id.get(&finding.incident)?))))
        .collect();
    let known = Known { findings, ledger: &world.ledger, reader };
    let (hash, rules) = (mission.mission_toml_hash(), rules(world));
    let mut fold = Fold::new(&hash, &rules, &known);
    for (entry, human) in &world.ledger.humans {
        let counts = match human {
            Human::Act { received, .. } => as_of.knows(*received),
            Human::Officer(_) | Human::Revocation(_) => true,
        };
        if counts {
            fold.take(*entry, human.item());
        }
    }
    if let Some(finding) = include {
        fold.include(finding);
    }
    fold.finish(match as_of {
        AsOf::Moment(moment) => Some(moment),
        AsOf::Now | AsOf::Size(_) => None,
    })
}

/// Carries the status of cases to findings, and the strongest of an incident's
/// findings to the incident.
pub(crate) fn set_status(
    casework: &Casework,
    incidents: &mut [Incident],
    findings: &mut [Finding],
) {
    let by_finding: BTreeMap<Id, Status> =
        casework.cases.iter().map(|case| (case.finding, case.status)).collect();
    let mut by_incident: BTreeMap<Id, Status> = BTreeMap::new();
    for finding in findings {
        let Some(status) = by_finding.get(&finding.id) else { continue };
        finding.status = *status;
        let strongest = by_incident.entry(finding.incident).or_insert(*status);
        if status.rank() > strongest.rank() {
            *strongest = *status;
        }
    }
    for incident in incidents {
        if let Some(status) = by_incident.get(&incident.id) {
            incident.status = *status;
        }
    }
}

/// Declares a person's key.
pub fn declare(mission: &Mission, officer: Officer) -> Result<u64> {
    let ledger = ledger(mission)?;
    ledger.register.clone().add(officer.clone()).map_err(Error::Asked)?;
    declare_entry(mission, &Declaration::Officer(officer))
}

/// Declares several keys at once, under one checkpoint.
pub fn declare_all(mission: &Mission, officers: &[Officer]) -> Result<()> {
    let mut register = ledger(mission)?.register;
    for officer in officers {
        register.add(officer.clone()).map_err(Error::Asked)?;
    }
    let key = mission.private_key("mission")?;
    let mut writer = mission.writer()?;
    for officer in officers {
        append(&mut writer, &sign(&Declaration::Officer(officer.clone()), &key)?)?;
    }
    writer.close()?;
    Ok(())
}

/// Revokes a key.
pub fn revoke(mission: &Mission, revocation: Revocation) -> Result<u64> {
    ledger(mission)?.register.revoke(revocation.clone()).map_err(Error::Asked)?;
    declare_entry(mission, &Declaration::Revocation(revocation))
}

fn declare_entry(mission: &Mission, declaration: &Declaration) -> Result<u64> {
    let key = mission.private_key("mission")?;
    let mut writer = mission.writer()?;
    let entry = append(&mut writer, &sign(declaration, &key)?)?;
    writer.close()?;
    Ok(entry)
}

/// The bookkeeping of a record as it is now.
pub fn ledger(mission: &Mission) -> Result<Ledger> {
    let reader = mission.reader()?;
    Ledger::fold(mission, &reader, reader.size(), |_| Ok(()))
}

/// Takes an envelope into the record, whatever it says; returns its entry.
/// Receipts never run backwards: an earlier moment is refused here as it would
/// be in the fold.
pub fn file(mission: &Mission, received: Timestamp, envelope: &[u8]) -> Result<u64> {
    if envelope.len() > ENVELOPE_BYTES_MAX {
        return Err(Error::Asked(format!(
            "the envelope has {} bytes; at most {ENVELOPE_BYTES_MAX} fit an entry",
            envelope.len()
        )));
    }
    let mut writer = mission.writer()?;
    let entry = append(&mut writer, &entry::act(received, envelope))?;
    writer.close()?;
    Ok(entry)
}

/// Publishes a checkpoint over entries that were acknowledged and are not under
/// one yet, as a run that was stopped leaves them.
pub fn publish_waiting(mission: &Mission) -> Result<()> {
    mission.writer()?.close()?;
    Ok(())
}

/// What became of an entry that was filed.
pub fn effect(steps: &[Step], entry: u64) -> Option<&Step> {
    steps.iter().find(|step| step.entry == entry)
}
