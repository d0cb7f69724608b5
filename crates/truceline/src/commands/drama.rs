//! The people of the exercise: one incident taken through the whole workflow.

use anyhow::{Result, bail};
use exercise::people::{Stage, answer, officers, play};
use jiff::Timestamp;
use mission::{AsOf, Mission, derive, people};

use crate::output;
use crate::progress::spinner;

/// The record of a mission as the officers write to it.
struct OnRecord<'m>(&'m Mission);

impl Stage for OnRecord<'_> {
    type Error = mission::Error;

    fn file(&mut self, received: Timestamp, envelope: &[u8]) -> mission::Result<u64> {
        people::file(self.0, received, envelope)
    }

    fn root(&self) -> mission::Result<(u64, String)> {
        let reader = self.0.reader()?;
        Ok((reader.size(), reader.root().to_base64()))
    }
}

/// Lets the officers act, if they have not yet, and tells what they did.
pub(super) fn play_all(mission: &Mission, seed: u64) -> Result<Option<domain::Id>> {
    let (state, _) = derive::derive(mission, AsOf::Now)?;
    if let Some(case) = state.cases.first() {
        return Ok(Some(case.finding));
    }
    if people::ledger(mission)?.register.all().next().is_none() {
        people::declare_all(mission, &officers(seed))?;
    }
    let hash = mission.mission_toml_hash();
    let Some(played) = play(&mut OnRecord(mission), seed, &hash, &state)? else {
        return Ok(None);
    };
    let (state, _) = derive::derive(mission, AsOf::Now)?;
    answer(&mut OnRecord(mission), seed, &hash, &state)?;
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
    output::print(&casework::story::tell(case, &state.steps))?;
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
