//! People on a whole mission: the officers of the exercise act on its record,
//! and everything is judged from the record alone.

use std::convert::Infallible;
use std::fs;
use std::path::Path;

use domain::incident::Status;
use domain::obligation::Standing;
use exercise::people::{Stage, answer, key, officers, play};
use jiff::Timestamp;
use mission::ingest::{Quiet, arrivals, input_files};
use mission::{AsOf, Case, Edition, Mission, Seeds, derive, ingest, people, verify};

struct OnRecord<'m>(&'m Mission);

impl Stage for OnRecord<'_> {
    type Error = Infallible;

    fn file(&mut self, received: Timestamp, envelope: &[u8]) -> Result<u64, Infallible> {
        Ok(people::file(self.0, received, envelope).unwrap())
    }

    fn root(&self) -> Result<(u64, String), Infallible> {
        let reader = self.0.reader().unwrap();
        Ok((reader.size(), reader.root().to_base64()))
    }
}

/// The exercise with seed 1, its data taken in and its people at work.
fn played(place: &Path) -> Mission {
    for (path, bytes) in exercise::files(1) {
        let path = place.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let case = Case::read(&place.join("case")).unwrap();
    let mission = Mission::create(&place.join("mission"), &case, Seeds::Number(1)).unwrap();
    let files = arrivals(&input_files(&mission).unwrap(), &place.join("data")).unwrap();
    ingest::ingest(&mission, &files, Timestamp::UNIX_EPOCH, &mut Quiet).unwrap();
    people::declare_all(&mission, &officers(1)).unwrap();
    let hash = mission.mission_toml_hash();
    let (state, _) = derive::derive(&mission, AsOf::Now).unwrap();
    let Ok(done) = play(&mut OnRecord(&mission), 1, &hash, &state);
    done.expect("the exercise has a finding that can be verified");
    let (state, _) = derive::derive(&mission, AsOf::Now).unwrap();
    let Ok(()) = answer(&mut OnRecord(&mission), 1, &hash, &state);
    mission
}

#[test]
fn the_drama_is_told_by_the_record_alone() {
    let place = tempfile::tempdir().unwrap();
    let mission = played(place.path());
    let (state, _) = derive::derive_and_store(&mission).unwrap();
    let case = &state.cases[0];
    assert_eq!(case.status, Status::Verified);
    assert!(case.public_attribution().is_some());
    assert!(case.checks.iter().all(|check| check.holds && !check.entries.is_empty()));
    let refused: Vec<&str> = state
        .steps
        .iter()
        .filter_map(|step| step.refused.as_ref())
        .map(|(code, _)| code.as_str())
        .collect();
    assert_eq!(refused, ["same_contingent"]);
    let late = case.notices.iter().flat_map(|notice| &notice.replies);
    assert_eq!(late.filter(|reply| reply.late_s > 0).count(), 1);
    // Finding and incident carry what people found.
    let verified = state.findings.iter().filter(|one| one.status == Status::Verified).count();
    assert_eq!(verified, 1);
    // Three guarantors in different legal states: done, acknowledged, lapsed.
    let standing = |commitment: &str, guarantor: &str| {
        let found = state
            .obligations
            .iter()
            .find(|one| one.commitment == commitment && one.guarantor == guarantor)
            .unwrap();
        (found.standing, found.legal.as_str())
    };
    assert_eq!(standing("warn", "BRE"), (Standing::Acknowledged, "ratified"));
    assert_eq!(standing("warn", "COR"), (Standing::Lapsed, "signed"));
    assert_eq!(standing("respond", "ARD").1, "operational");
    assert!(state.obligations.iter().all(|one| one.guarantor != "DOR"), "it only endorses");

    // Another machine comes to the same state, and verification says so.
    let checked = verify::verify(mission.root(), |_| ()).unwrap();
    assert_eq!(checked.digest, state.digest());
    assert!(checked.stored_state);
    let read = domain::State::from_bytes(&state.to_bytes()).unwrap();
    assert_eq!(read.digest(), state.digest());

    // As of a moment before the decision nothing was verified and nothing owed.
    let before = case.decision.as_ref().unwrap().at - jiff::SignedDuration::from_mins(30);
    let (earlier, _) = derive::derive(&mission, AsOf::Moment(before)).unwrap();
    assert!(earlier.cases[0].status.rank() < Status::Verified.rank());
    assert!(earlier.cases[0].decision.is_none() && earlier.obligations.is_empty());

    // A retraction withdraws what is still open.
    let act = casework::Act::Retract { reason: "the patrol log was misdated".into() };
    let at = state.steps.last().unwrap().received + jiff::SignedDuration::from_hours(1);
    let (hash, finding) = (mission.mission_toml_hash(), Some(case.finding));
    let head = key(1, "H-01", casework::Role::HeadOfMission);
    let envelope = casework::Statement { mission: hash, at, finding, act }.sign(&head).unwrap();
    people::file(&mission, at, &envelope).unwrap();
    let (after, _) = derive::derive(&mission, AsOf::Now).unwrap();
    assert_eq!(after.cases[0].status, Status::Retracted);
    for obligation in &after.obligations {
        let ended = matches!(obligation.standing, Standing::Withdrawn | Standing::Fulfilled);
        assert!(ended, "{} of {}", obligation.standing.words(), obligation.guarantor);
    }
}

#[test]
fn d4_nothing_that_is_published_has_a_field_for_an_actor() {
    let place = tempfile::tempdir().unwrap();
    let mission = played(place.path());
    let (state, world) = derive::derive(&mission, AsOf::Now).unwrap();
    let out = place.path().join("out");
    fs::create_dir_all(&out).unwrap();
    let edition = Edition::new(&state, &world, &mission.reader().unwrap()).unwrap();
    edition.write(&out).unwrap();
    let (mut pages, mut seen) = (vec![out], 0);
    let mut reported = false;
    while let Some(path) = pages.pop() {
        if path.is_dir() {
            pages.extend(fs::read_dir(&path).unwrap().map(|item| item.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("\"actor\""), "{}", path.display());
        assert!(!text.contains("attributable north"), "{}", path.display());
        reported |= text.contains("attribution: largely attributable");
        seen += 1;
    }
    assert!(seen > 10 && reported, "the daily report shows the grade, and nobody's name");
}
