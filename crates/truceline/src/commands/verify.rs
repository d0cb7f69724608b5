//! Commands for those who do not take our word for it.

use std::fs;

use anyhow::{Context as _, Result};
use mission::verify::{Failure, Report, Step};
use serde_json::json;

use super::open;
use crate::cli::{ProveArgs, TextFormat, VerifyArgs};
use crate::progress::counted;
use crate::{Outcome, output};

/// Checks a whole mission folder.
pub(crate) fn verify(args: &VerifyArgs) -> Result<Outcome> {
    let bar = counted("checking entries");
    let checked = mission::verify::verify(&args.mission, |step| match step {
        Step::Entries(done, total) => {
            bar.set_length(total);
            bar.set_position(done);
        }
        Step::Blobs(done) => {
            bar.set_message("checking blobs");
            bar.set_length(done);
            bar.set_position(done);
        }
        Step::Fold => bar.set_message("folding the record again"),
    });
    bar.finish_and_clear();
    match checked {
        Ok(report) => {
            let text = match args.format {
                TextFormat::Table => told(&report),
                TextFormat::Json => output::json(&as_json(&report))?,
            };
            output::print(&text)?;
            Ok(Outcome::Fine)
        }
        Err(Failure::Fault(fault)) => {
            let text = match args.format {
                TextFormat::Table => format!("FAULT: {fault}\n"),
                TextFormat::Json => output::json(&json!({ "fault": fault }))?,
            };
            output::print(&text)?;
            Ok(Outcome::Flawed)
        }
        Err(Failure::Error(error)) => Err(error.into()),
    }
}

fn told(report: &Report) -> String {
    let record = &report.record;
    let checkpoint = &record.checkpoint;
    let mut text = format!(
        "checkpoint   {} entries, root {}, signed by {}\n\
         entries      {} hashed, {} bytes; each agrees with its tile\n\
         tiles        {} of hashes and {} of entries built anew and compared\n\
         signatures   {} declarations\n\
         rows         {} in batches\n\
         blobs        {} hashed, {} bytes; {} of them named by the record\n\
         state        folded again: {}\n",
        checkpoint.size(),
        checkpoint.root().to_base64(),
        checkpoint.origin(),
        record.entries,
        record.entry_bytes,
        record.full_tiles + record.partial_tiles,
        record.full_bundles + record.partial_bundles,
        report.signatures,
        report.rows,
        report.blobs.blobs,
        report.blobs.bytes,
        report.blobs.required,
        report.digest,
    );
    if report.stored_state {
        text.push_str("             the stored state is the same, byte for byte\n");
    }
    if record.waiting_entries > 0 {
        text.push_str(&format!(
            "waiting      {} entries are acknowledged and not yet under the checkpoint\n",
            record.waiting_entries
        ));
    }
    for note in &report.notes {
        text.push_str(&format!("note         {note}\n"));
    }
    text.push_str("all is well\n");
    text
}

fn as_json(report: &Report) -> serde_json::Value {
    let record = &report.record;
    json!({
        "origin": record.checkpoint.origin(),
        "record_size": record.checkpoint.size(),
        "root": record.checkpoint.root().to_base64(),
        "entries": record.entries,
        "entry_bytes": record.entry_bytes,
        "tiles": record.full_tiles + record.partial_tiles,
        "bundles": record.full_bundles + record.partial_bundles,
        "waiting_entries": record.waiting_entries,
        "signatures": report.signatures,
        "rows": report.rows,
        "blobs": report.blobs.blobs,
        "blob_bytes": report.blobs.bytes,
        "required_blobs": report.blobs.required,
        "state_digest": report.digest,
        "stored_state": report.stored_state,
        "notes": report.notes,
    })
}

/// Writes an entry and the proof that it stands in the record.
pub(crate) fn prove(args: &ProveArgs) -> Result<Outcome> {
    let mission = open(&args.mission)?;
    let reader = mission.reader()?;
    let entry = reader.entry(args.entry)?;
    let proof = reader.proof_text(args.entry)?;
    // Nobody is sent a proof that does not hold.
    proof.verify(mission.log_key(), &entry)?;
    fs::create_dir_all(&args.out).with_context(|| format!("making {}", args.out.display()))?;
    for (name, bytes) in [("entry", entry), ("entry.tlog-proof", proof.to_text().into_bytes())] {
        let path = args.out.join(name);
        fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
    }
    output::line(&format!(
        "entry {} of {} and its proof are in {}; they are checked with {}",
        args.entry,
        reader.size(),
        args.out.display(),
        mission.root().join("log.vkey").display()
    ))?;
    Ok(Outcome::Fine)
}
