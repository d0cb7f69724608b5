//! The people of the exercise: one incident taken through the whole workflow.

use anyhow::{Result, bail};
use exercise::people::{Stage, answer, officers, play};
use jiff::Timestamp;
use mission::ledger::Human;
use mission::{AsOf, Mission, derive, people};

use crate::output;
use crate::progress::spinner;

/// The record of a mission as the officers write to it. What a stopped run has
/// filed already is found again and not filed twice.
struct OnRecord<'m> {
    mission: &'m Mission,
    /// Envelopes that stand in the record, with their entries.
    filed: Vec<(u64, Vec<u8>)>,
    next: usize,
}

impl<'m> OnRecord<'m> {
    fn new(mission: &'m Mission) -> mission::Result<Self> {
        let humans = people::ledger(mission)?.humans;
        let filed = humans.into_iter().filter_map(|(entry, human)| match human {
            Human::Act { envelope, .. } => Some((entry, envelope)),
            Human::Officer(_) | Human::Revocation(_) => None,
        });
        Ok(Self { mission, filed: filed.collect(), next: 0 })
    }

    /// Size of the record as the next act finds it.
    fn size(&self) -> mission::Result<u64> {
        match self.filed.get(self.next) {
            Some((entry, _)) => Ok(*entry),
            None => Ok(self.mission.reader()?.size()),
        }
    }
}

impl Stage for OnRecord<'_> {
    type Error = mission::Error;

    fn file(&mut self, received: Timestamp, envelope: &[u8]) -> mission::Result<u64> {
        if let Some((entry, known)) = self.filed.get(self.next)
            && known == envelope
        {
            self.next += 1;
            return Ok(*entry);
        }
        people::file(self.mission, received, envelope)
    }

    fn root(&self) -> mission::Result<(u64, String)> {
        let size = self.size()?;
        Ok((size, self.mission.reader()?.root_at(size)?.to_base64()))
    }
}

/// Lets the officers act; what they did before is not done again.
fn play_all(mission: &Mission, seed: u64) -> Result<Option<domain::Id>> {
    // What a stopped run has acknowledged is put under a checkpoint first.
    people::publish_waiting(mission)?;
    let register = people::ledger(mission)?.register;
    let declared: Vec<String> = register.all().map(|(officer, _)| officer.key.clone()).collect();
    let mut missing = officers(seed);
    missing.retain(|officer| !declared.contains(&officer.key));
    if !missing.is_empty() {
        people::declare_all(mission, &missing)?;
    }
    let mut record = OnRecord::new(mission)?;
    let hash = mission.mission_toml_hash();
    let (state, _) = derive::derive(mission, AsOf::Size(record.size()?))?;
    let Some(played) = play(&mut record, seed, &hash, &state)? else { return Ok(None) };
    let (state, _) = derive::derive(mission, AsOf::Size(record.size()?))?;
    answer(&mut record, seed, &hash, &state)?;
    Ok(Some(played.finding))
}

/// Plays and prints the story.
pub(super) fn play_and_tell(mission: &Mission, seed: u64) -> Result<()> {
    let bar = spinner("officers of the exercise at work");
    let finding = play_all(mission, seed)?;
    let (state, _) = derive::derive(mission, AsOf::Now)?;
    bar.finish_and_clear();
    let Some(finding) = finding else {
        return output::line(
            "\nNo finding of this exercise rests on two independent kinds of sources: the officers have nothing to verify.",
        );
    };
    let Some(case) = state.case(finding) else { bail!("the officers left no trace") };
    output::line(
        "\nEXERCISE - officers with exercise keys take one incident through verification:\n",
    )?;
    output::print(&casework::story::tell(case, &state.steps, "en"))?;
    output::line("")?;
    output::print(&casework::story::checks(case))?;
    output::line(
        "\nWhat guarantors owe because of it (the engine proposes, guarantors answer):\n",
    )?;
    output::print(&super::owed::table(state.obligations.iter()))?;
    if let Some(one) = state.obligations.first() {
        output::print(&format!("\n{}", super::owed::told(one)))?;
    }
    Ok(())
}
