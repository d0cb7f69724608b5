//! Forged, replayed, expired, revoked, wrong role, out of order: recorded, and
//! without effect.

use domain::case::Ruling;
use domain::incident::Status;
use record::PrivateKey;

use super::stage::{MISSION, Owned, Stage, good, key, officer, scenery, t};
use crate::act::{Act, Release};
use crate::{Revocation, Role, Rules, Statement};

/// Everything that was filed, with the codes of the rules that it breaks.
#[test]
fn what_breaks_a_rule_changes_nothing_and_says_why() {
    let mut stage = Stage::new(good());
    stage.prepare();
    let before = stage.case();
    let finding = stage.finding();
    let retract = |stage: &Stage, mission: &str, key: &PrivateKey| {
        let act = Act::Retract { reason: "forged".into() };
        Statement { mission: mission.into(), at: stage.now, finding: Some(finding), act }
            .sign(key)
            .unwrap()
    };
    let mut expected = Vec::new();
    // Signed by somebody who bears the name of the head of mission.
    let forger = PrivateKey::from_seed("H-1", &[99; 32]).unwrap();
    let forged = retract(&stage, MISSION, &forger);
    expected.push((stage.file(forged), "wrong_key"));
    // Altered on its way.
    let mut altered = retract(&stage, MISSION, &key("H-1"));
    let at = altered.windows(6).position(|bytes| bytes == b"\"sig\":").unwrap() + 10;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    expected.push((stage.file(altered), "wrong_key"));
    expected.push((stage.file(b"not an envelope".to_vec()), "unreadable"));
    let elsewhere = retract(&stage, "another mission", &key("H-1"));
    expected.push((stage.file(elsewhere), "other_mission"));
    // A true envelope of before, filed again.
    let (_, Owned::Act(_, replayed)) = &stage.items[stage.items.len() - 8] else { panic!() };
    let replayed = replayed.clone();
    expected.push((stage.file(replayed), "replayed"));
    // The role does not allow it; an auditor may write nothing.
    expected.push((stage.act("A-1", Act::Approve { what: Release::Finding }), "role_may_not"));
    stage.declare(officer("Z-1", Role::Auditor, "IS"));
    expected.push((stage.act("Z-1", Act::Archive), "role_may_not"));
    // A verifier of a party.
    expected.push((stage.seal("V-N", Ruling::Verified, 0), "of_a_party"));
    // Too early.
    expected.push((stage.act("H-1", Act::Approve { what: Release::Finding }), "out_of_order"));
    expected.push((stage.act("P-1", Act::Publish { what: Release::Finding }), "out_of_order"));
    expected.push((stage.act("H-1", Act::Retract { reason: "no".into() }), "out_of_order"));
    expected.push((stage.rule("V-1", Ruling::Verified, 0), "out_of_order"));
    // The clock of a signer who is ahead of the mission.
    stage.now = t("2031-06-20T00:00:00Z");
    let ahead = stage
        .sign("A-1", Act::Corroborate { observations: stage.observations(), note: String::new() });
    stage.now = t("2031-06-14T00:00:00Z");
    expected.push((stage.file(ahead), "clock_ahead"));
    // A receipt that claims to be older than what stands before it.
    stage.now = t("2031-06-12T00:00:00Z");
    expected.push((stage.notice("north"), "received_out_of_order"));
    stage.now = t("2031-06-14T00:00:00Z");
    // Keys before and after their time, and revoked.
    let mut early = officer("E-1", Role::HeadOfMission, "NO");
    early.from = t("2031-07-01T00:00:00Z");
    stage.declare(early);
    expected.push((stage.act("E-1", Act::Retract { reason: "x".into() }), "not_yet_valid"));
    let mut expired = officer("E-2", Role::HeadOfMission, "NO");
    expired.to = t("2031-06-10T00:00:00Z");
    stage.declare(expired);
    expected.push((stage.act("E-2", Act::Retract { reason: "x".into() }), "expired"));
    let revocation = Revocation {
        key: key("H-1").public().to_string(),
        at: t("2031-06-13T12:00:00Z"),
        reason: "lost".into(),
    };
    stage.items.push((stage.entry, Owned::Revocation(revocation)));
    stage.entry += 1;
    expected.push((stage.act("H-1", Act::Retract { reason: "x".into() }), "revoked"));
    for (entry, code) in expected {
        assert_eq!(stage.refused(entry), code, "{:?}", stage.step(entry));
    }
    // Time has passed, so the window of the reply is over; nothing else is new.
    let strip = |case: domain::Case| domain::Case { checks: vec![], ..case };
    assert_eq!(strip(stage.case()), strip(before));
}

#[test]
fn a_verifier_who_worked_on_the_evidence_is_refused() {
    let mut stage = Stage::new(good());
    // One person with two keys counts once.
    let mut second = officer("A-1v", Role::Verifier, "EE");
    second.person = "A-1".into();
    stage.declare(second);
    let mut monitor = officer("F-2v", Role::Verifier, "CZ");
    monitor.person = "F-1".into();
    stage.declare(monitor);
    stage.triage();
    let observations = vec![stage.observations()[1]];
    let (report, captured) = ("R-1".to_owned(), stage.now);
    stage.act("F-1", Act::FieldReport { report, captured, observations, text: "heard it".into() });
    stage.assess(0.01);
    let analyst = stage.seal("A-1v", Ruling::Verified, 0);
    assert_eq!(stage.refused(analyst), "collector");
    let collector = stage.seal("F-2v", Ruling::Verified, 0);
    assert_eq!(stage.refused(collector), "collector");
}

#[test]
fn nobody_seals_after_a_ruling_is_open_nor_opens_another_ruling() {
    let mut stage = Stage::new(good());
    stage.declare(officer("V-4", Role::Verifier, "ES"));
    stage.prepare();
    stage.seal("V-1", Ruling::Verified, 0);
    let alone = stage.rule("V-1", Ruling::Verified, 0);
    assert_eq!(stage.refused(alone), "out_of_order", "the second has not sealed");
    stage.seal("V-3", Ruling::Refuted, 0);
    stage.wait(1);
    stage.rule("V-1", Ruling::Verified, 0);
    let late = stage.seal("V-4", Ruling::Verified, 0);
    assert_eq!(stage.refused(late), "not_blind");
    let other = stage.rule("V-3", Ruling::Verified, 0);
    assert_eq!(stage.refused(other), "wrong_seal");
    assert_eq!(stage.case().status, Status::Corroborated);
}

#[test]
fn two_people_do_not_work_on_one_finding() {
    let mut stage = Stage::new(good());
    stage.triage();
    let until = t("2031-06-12T08:00:00Z");
    stage.declare(officer("A-2", Role::Analyst, "GR"));
    stage.act("A-2", Act::Lease { until });
    let entry = stage.assess(0.01);
    assert_eq!(stage.refused(entry), "leased");
    stage.wait(7 * 60);
    let entry = stage.assess(0.01);
    assert_eq!(stage.refused(entry), "", "the lease has ended");
}

#[test]
fn a_veto_stops_a_release_whoever_approved_it() {
    let mut stage = Stage::new(good());
    stage.verify();
    stage.witness();
    stage.act("H-1", Act::Approve { what: Release::Finding });
    let reason = "a witness could be found from the place".to_owned();
    stage.act("D-1", Act::Veto { what: Release::Finding, reason });
    let entry = stage.act("P-1", Act::Publish { what: Release::Finding });
    assert_eq!(stage.refused(entry), "vetoed");
    assert!(stage.case().published.is_none());
}

#[test]
fn nothing_is_published_before_witnesses_have_seen_the_decision() {
    let mut stage = Stage::new(good());
    stage.verify();
    let early = stage.act("H-1", Act::Approve { what: Release::Finding });
    assert_eq!(stage.refused(early), "checks_missing");
    stage.publish(Release::Finding);
    assert!(stage.case().published.is_some());
}

/// Where the mission's rules ask for it, a key signs only once the head of its
/// contingent has countersigned it: the mission cannot invent an officer.
#[test]
fn a_key_without_its_contingents_countersignature_signs_nothing() {
    let mut stage = Stage::new(good());
    stage.declare(officer("EE-0", Role::ContingentHead, "EE"));
    stage.declare(officer("EE-9", Role::ContingentHead, "EE"));
    stage.declare(officer("FI-0", Role::ContingentHead, "FI"));
    let vouch = |person: &str, role| Act::Countersign {
        key: key(person).public().to_string(),
        person: person.into(),
        role,
    };
    let before = stage.calibrate();
    let foreign = stage.act("FI-0", vouch("A-1", Role::Analyst));
    let other_role = stage.act("EE-0", vouch("A-1", Role::Verifier));
    let unknown = stage.act("EE-0", vouch("X-1", Role::Analyst));
    // A second head is an officer like any other until the first vouches.
    let second = stage.act("EE-9", vouch("A-1", Role::Analyst));
    let own = stage.act("EE-0", vouch("EE-0", Role::ContingentHead));
    let by_analyst = stage.act("A-1", vouch("A-1", Role::Analyst));
    stage.wait(1);
    let good = stage.act("EE-0", vouch("A-1", Role::Analyst));
    stage.wait(1);
    let after = stage.calibrate();
    let told = |countersigned| {
        let rules =
            Rules { countersigned, ..Rules::proposed(vec!["north".into(), "south".into()]) };
        let folded = stage.fold_under(&rules, &stage.items);
        let code = |entry| {
            let step = folded.steps.iter().find(|step| step.entry == entry).unwrap();
            step.refused.clone().map_or(String::new(), |(code, _)| code)
        };
        (
            [before, foreign, other_role, unknown, second, own, by_analyst, good, after].map(code),
            folded,
        )
    };
    let (codes, folded) = told(true);
    assert_eq!(
        codes,
        [
            "not_countersigned",
            "not_so",
            "not_so",
            "not_so",
            "not_countersigned",
            "not_so",
            "not_countersigned",
            "",
            ""
        ]
    );
    let officers = folded.register;
    let vouched: Vec<&str> = officers
        .all()
        .filter(|(officer, _)| officers.countersigned(officer).is_some())
        .map(|(officer, _)| officer.person.as_str())
        .collect();
    assert_eq!(vouched, ["A-1"]);
    // Where the rules do not ask for it, the first calibration had its effect.
    let (codes, _) = told(false);
    assert_eq!((codes[0].as_str(), codes[8].as_str()), ("", ""));
}

/// VERIFICATION E2: "confirmed by other sources" needs an independent origin,
/// and how reliable a source is, its record tells or, until then, the case.
#[test]
fn information_is_confirmed_only_by_independent_lines() {
    let grade = |credibility| Act::Grade { credibility, note: String::new() };
    let acoustic = domain::SourceKind::Acoustic;
    // Two copies of one sound are one line.
    let copies = [("microphones", acoustic, "acoustic", "sound"); 2];
    let mut stage = Stage::new(scenery(&copies));
    stage.triage();
    let entry = stage.act("A-1", grade(1));
    assert_eq!(stage.refused(entry), "checks_missing");
    let entry = stage.act("A-1", grade(3));
    assert_eq!((stage.refused(entry).as_str(), stage.case().credibility), ("", Some((entry, 3))));

    let mut scene = good();
    scene.sources.get_mut("patrol").unwrap().reliability = Some('B');
    let mut stage = Stage::new(scene);
    let early = stage.act("A-1", grade(2));
    assert_eq!(stage.refused(early), "out_of_order");
    stage.triage();
    let entry = stage.act("A-1", grade(1));
    assert_eq!(stage.refused(entry), "");
    let by_verifier = stage.act("V-1", grade(1));
    assert_eq!(stage.refused(by_verifier), "role_may_not");
    let letters: Vec<(String, char)> =
        stage.case().grades.into_iter().map(|one| (one.source, one.reliability)).collect();
    assert_eq!(letters, [("microphones".to_owned(), 'F'), ("patrol".to_owned(), 'B')]);
}
