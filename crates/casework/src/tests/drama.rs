//! A case from beginning to end, from the record alone.

use domain::Probability;
use domain::case::{Grade, Ruling, Standard};
use domain::incident::Status;

use super::stage::{Stage, good};
use crate::act::{Act, Bearing, Outcome, Release};
use crate::story;

fn attribute(stage: &mut Stage, p: f64) -> u64 {
    stage.act(
        "C-1",
        Act::Attribute {
            grade: Grade::Attributable,
            actor: Some("north".into()),
            probability: Probability::new(p),
            lines: vec![(Bearing::Trajectory, "bearing 350 degrees, 4 either way".into())],
            control: "map of 11 June".into(),
            note: String::new(),
        },
    )
}

fn endorse(stage: &mut Stage, person: &str, attribution: u64, dissent: Option<&str>) -> u64 {
    let dissent = dissent.map(str::to_owned);
    stage.act(person, Act::Endorse { attribution, dissent })
}

#[test]
fn a_case_goes_from_report_to_retraction() {
    let mut stage = Stage::new(good());
    stage.prepare();
    let case = stage.case();
    assert_eq!((case.status, case.standard), (Status::Corroborated, Standard::S2));
    // The second verifier must be of another contingent.
    stage.seal("V-1", Ruling::Verified, 0);
    let same = stage.seal("V-2", Ruling::Verified, 0);
    assert_eq!(stage.refused(same), "same_contingent");
    stage.seal("V-3", Ruling::Verified, 0);
    stage.rule("V-1", Ruling::Verified, 0);
    assert_eq!(stage.case().status, Status::Corroborated, "one ruling decides nothing");
    let decided = stage.rule("V-3", Ruling::Verified, 0);
    let case = stage.case();
    assert_eq!(case.status, Status::Verified);
    let decision = case.decision.unwrap();
    assert_eq!(decision.entry, decided);
    assert_eq!(decision.checks.len(), 10);
    for check in &decision.checks {
        assert!(check.holds && !check.entries.is_empty(), "{check:?}");
    }
    // A late reply is shown as late and undoes nothing.
    stage.act("S-1", Act::Reply { points: vec!["our maps differ".into()], contests: vec![] });
    stage.publish(Release::Finding);
    let attribution = attribute(&mut stage, 0.93);
    endorse(&mut stage, "A-1", attribution, None);
    endorse(&mut stage, "V-1", attribution, None);
    let early = stage.act("H-1", Act::Approve { what: Release::Attribution });
    assert_eq!(stage.refused(early), "checks_missing");
    assert!(stage.case().public_attribution().is_none());
    endorse(&mut stage, "V-3", attribution, None);
    endorse(&mut stage, "M-1", attribution, None);
    endorse(&mut stage, "M-2", attribution, Some("the cone also covers a position of the south"));
    stage.publish(Release::Attribution);
    let case = stage.case();
    assert_eq!(case.standard, Standard::S4);
    let public = case.public_attribution().unwrap();
    assert_eq!((public.grade, public.actor.as_deref()), (Grade::Attributable, Some("north")));
    assert_eq!(public.dissent[0].0.person, "M-2");
    let told = |stage: &Stage| story::tell(&stage.case(), &stage.fold().steps, "en");
    let text = told(&stage);
    assert!(
        text.contains("attribution attributable north") && text.contains("dissent     M-2 (JP)"),
        "{text}"
    );
    let retract = stage.act("H-1", Act::Retract { reason: "the patrol log was misdated".into() });
    assert_eq!(stage.refused(retract), "");
    let case = stage.case();
    assert_eq!(case.status, Status::Retracted);
    assert!(case.public_attribution().is_none(), "nobody is named for what was taken back");
    let text = told(&stage);
    for words in [
        "NO EFFECT [same_contingent]",
        "LATE by",
        "attribution withheld",
        "retracts the finding",
        "seals a ruling",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
}

#[test]
fn an_uncertain_actor_is_not_attributable_to() {
    let mut stage = Stage::new(good());
    stage.verify();
    let attribution = attribute(&mut stage, 0.85);
    for person in ["A-1", "V-1", "V-3", "M-1", "M-2"] {
        endorse(&mut stage, person, attribution, None);
    }
    stage.witness();
    let approved = stage.act("H-1", Act::Approve { what: Release::Attribution });
    assert_eq!(stage.refused(approved), "checks_missing");
    let missing = stage.case().attribution.unwrap().missing;
    assert_eq!(missing, ["P(actor) of 0.9 (0.85)"]);
}

#[test]
fn verifiers_who_disagree_cannot_rule_and_may_try_again() {
    let mut stage = Stage::new(good());
    stage.prepare();
    stage.seal("V-1", Ruling::Verified, 0);
    stage.seal("V-3", Ruling::CannotRule, 0);
    stage.rule("V-1", Ruling::Verified, 0);
    stage.rule("V-3", Ruling::CannotRule, 0);
    let case = stage.case();
    assert_eq!(case.status, Status::CannotRule);
    assert_eq!(case.decision.unwrap().dissent.len(), 2, "both are printed");
    stage.decide(1);
    assert_eq!(stage.case().status, Status::Verified);
}

#[test]
fn a_refutation_needs_an_alternative() {
    let mut stage = Stage::new(good());
    stage.prepare();
    for (round, likely) in [(0, 0.01), (1, 0.9)] {
        stage.assess(likely);
        stage.seal("V-1", Ruling::Refuted, round);
        stage.seal("V-3", Ruling::Refuted, round);
        stage.rule("V-1", Ruling::Refuted, round);
        let entry = stage.rule("V-3", Ruling::Refuted, round);
        let (code, status) = if round == 0 {
            ("checks_missing", Status::Corroborated)
        } else {
            ("", Status::Refuted)
        };
        assert_eq!((stage.refused(entry).as_str(), stage.case().status), (code, status));
    }
}

#[test]
fn evidence_that_falls_away_makes_a_review_due() {
    let mut stage = Stage::new(good());
    stage.verify();
    let observation = stage.observations()[1];
    let flaw = crate::act::Flaw::Custody;
    stage.act("T-1", Act::Flag { observation, flaw, note: "the log was rewritten".into() });
    let case = stage.case();
    assert_eq!(case.status, Status::ReviewDue);
    assert!(case.doubt.contains("2 structure"), "{}", case.doubt);
}

#[test]
fn d9_nothing_verified_is_archived_without_an_outcome() {
    let mut stage = Stage::new(good());
    stage.verify();
    stage.declare(super::stage::officer("X-1", crate::Role::CommissionMember, "IT"));
    let early = stage.act("X-1", Act::Archive);
    assert_eq!(stage.refused(early), "incomplete");
    let empty = Act::Outcome { outcome: Outcome::NoAction, reason: "  ".into() };
    let empty = stage.act("X-1", empty);
    assert_eq!(stage.refused(empty), "incomplete", "`no action` needs its reason");
    let reason = "the unit was withdrawn before the finding".to_owned();
    stage.act("X-1", Act::Outcome { outcome: Outcome::NoAction, reason });
    stage.wait(1);
    let late = stage.act("X-1", Act::Archive);
    assert_eq!(stage.refused(late), "");
    assert_eq!(stage.case().consequence.unwrap().archived, Some(late));
}
