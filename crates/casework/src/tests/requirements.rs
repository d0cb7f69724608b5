//! Requirements of the verification page, by id.

use domain::SourceKind;
use domain::incident::Status;

use super::stage::{Stage, good, scenery};
use crate::Rules;
use crate::act::{Act, Flaw, Restraint};
use crate::evidence::{Doubts, lines, probability, structure};

fn rules() -> Rules {
    Rules::proposed(vec!["north".into(), "south".into()])
}

/// P(event) and whether the structure rule holds.
fn weighed(evidence: &[(&str, SourceKind, &str, &str)]) -> (f64, bool) {
    let scenery = scenery(evidence);
    let lines = lines(&scenery.incident, &scenery, &Doubts::default(), u64::MAX);
    (probability(&lines, &rules()).get(), structure(&lines, &[]).is_some())
}

#[test]
fn d2_a_denied_visit_is_a_restriction_and_never_a_proof() {
    let mut stage = Stage::new(good());
    stage.triage();
    let before = stage.case();
    for _ in 0..3 {
        stage.wait(30);
        stage.act(
            "F-1",
            Act::Restriction {
                party: "north".into(),
                kind: Restraint::Storage,
                place: "storage site 12".into(),
                claimed_reason: "mines".into(),
                minutes: 240,
                stopped: "inventory of site 12".into(),
            },
        );
    }
    let folded = stage.fold();
    assert_eq!(folded.restrictions.len(), 3);
    assert_eq!(folded.cases[0].likelihood, before.likelihood);
    assert_eq!(folded.cases[0].status, before.status);
    // What a refused storage visit says about class B3 is the declared weight,
    // and three refusals say no more than one.
    let once =
        crate::restraint::missing_from_storage(0.1, &folded.restrictions[..1], "storage site 12");
    let thrice =
        crate::restraint::missing_from_storage(0.1, &folded.restrictions, "storage site 12");
    assert_eq!(once, thrice);
    let odds = 0.1 / 0.9 * crate::rules::DENIAL_LIKELIHOOD_RATIO;
    assert!((once.probability.get() - odds / (1.0 + odds)).abs() < 1e-12);
    // It leaves a hole in the coverage and asks for a look from afar, first
    // where it was refused again and again.
    assert_eq!(once.class, domain::Class::E7);
    assert!(once.hole.contains("storage site 12"));
    assert!(once.tasking.contains("from afar"), "{}", once.tasking);
    let sites = crate::restraint::priorities(&folded.restrictions);
    assert_eq!(sites[0], ("north".to_owned(), "storage site 12".to_owned(), 3));
    // Another site is untouched.
    let other = crate::restraint::missing_from_storage(0.1, &folded.restrictions, "storage site 3");
    assert!((other.probability.get() - 0.1).abs() < 1e-12);
}

#[test]
fn d3_a_flagged_position_carries_no_zone_decision() {
    let mut stage = Stage::new(good());
    let observation = stage.observations()[0];
    stage.act("A-1", Act::Flag { observation, flaw: Flaw::Position, note: "5 km off".into() });
    let entry = stage.verify();
    assert_eq!(stage.refused(entry), "checks_missing");
    let place = &stage.case().checks[2];
    assert!(!place.holds && place.says.contains("spoofed"), "{place:?}");
}

#[test]
fn d4_no_case_shows_an_actor_before_the_attribution_is_published() {
    let mut stage = Stage::new(good());
    stage.verify();
    stage.act(
        "C-1",
        Act::Attribute {
            grade: domain::case::Grade::Attributable,
            actor: Some("the northern second brigade".into()),
            probability: domain::Probability::new(0.95),
            lines: vec![],
            control: "map of 11 June".into(),
            note: String::new(),
        },
    );
    let folded = stage.fold();
    let text = crate::story::tell(&folded.cases[0], &folded.steps, "en");
    assert!(!text.contains("second brigade") && text.contains("attribution withheld"), "{text}");
    let steps = serde_json::to_string(&folded.steps).unwrap();
    assert!(!steps.contains("second brigade"));
}

#[test]
fn d5_an_edited_field_report_shows_as_a_diff_with_author_and_reason() {
    let mut stage = Stage::new(good());
    let text = "02:14 two explosions\n02:20 one explosion\n".to_owned();
    let (captured, observations) = (stage.now, vec![]);
    let raw =
        stage.act("F-1", Act::FieldReport { report: "R-7".into(), captured, observations, text });
    let text = "02:14 three explosions\n02:20 one explosion\n".to_owned();
    let silent = Act::EditReport { report: raw, text: text.clone(), reason: String::new() };
    let silent = stage.act("P-1", silent);
    assert_eq!(stage.refused(silent), "incomplete", "an edit needs a reason");
    let reason = "recording heard again".to_owned();
    stage.act("P-1", Act::EditReport { report: raw, text, reason });
    let folded = stage.fold();
    let report = &folded.reports[0];
    assert_eq!(report.wordings[0].text.lines().next(), Some("02:14 two explosions"));
    let diff = report.diff(1).unwrap();
    for words in ["edited by P-1", "recording heard again", "-02:14 two", "+02:14 three"] {
        assert!(diff.contains(words), "{diff}");
    }
    assert!(report.diff(0).is_none() && report.diff(2).is_none());
    // A second report under the same name would hide the first.
    let (captured, observations) = (stage.now, vec![]);
    let again = Act::FieldReport {
        report: "R-7".into(),
        captured,
        observations,
        text: "02:14 nothing".into(),
    };
    let again = stage.act("F-1", again);
    assert_eq!(stage.refused(again), "not_so");
}

#[test]
fn d11_twice_the_allegations_change_no_verified_count_and_no_probability() {
    let claims = |count: usize| {
        let mut evidence = vec![("microphones", SourceKind::Acoustic, "acoustic", "sound")];
        evidence.extend((0..count).map(|_| ("claims", SourceKind::Party, "north", "claim")));
        weighed(&evidence)
    };
    assert_eq!(claims(10), claims(20));
    assert!(!claims(20).1, "a party's word fills no slot");
    let run = |allegations: usize| {
        let mut stage = Stage::new(good());
        for number in 0..allegations {
            stage.act(
                "N-1",
                Act::Allegation {
                    party: "north".into(),
                    time: format!("day {number}"),
                    place: if number % 2 == 0 { String::new() } else { "Barenstad".into() },
                    conduct: "shelling".into(),
                    evidence: "video".into(),
                },
            );
        }
        stage.verify();
        stage.fold()
    };
    let (few, many) = (run(4), run(8));
    let of = |folded: &crate::Casework| {
        let verified = folded.cases.iter().filter(|case| case.is_verified()).count();
        (verified, folded.cases[0].likelihood)
    };
    assert_eq!(of(&few), of(&many));
    // Vague ones go back to the sender with a clock, and are counted apart.
    assert_eq!(many.allegations.len(), 8);
    let vague: Vec<_> = many.allegations.iter().filter(|one| !one.missing.is_empty()).collect();
    assert_eq!(vague.len(), 4);
    assert!(vague.iter().all(|one| one.missing == ["place"] && one.complete_by.is_some()));
}

#[test]
fn d17_a_source_that_fell_silent_takes_its_line_away() {
    let both = weighed(&[
        ("microphones", SourceKind::Acoustic, "acoustic", "sound"),
        ("patrol", SourceKind::Patrol, "patrols", "heard"),
    ]);
    let one = weighed(&[("patrol", SourceKind::Patrol, "patrols", "heard")]);
    assert!(both.1 && !one.1 && one.0 < both.0);
}

#[test]
fn d18_fifty_copies_weigh_as_one() {
    let copies =
        |count: usize| weighed(&vec![("agency", SourceKind::Press, "press", "one claim"); count]);
    assert_eq!(copies(1), copies(50));
}

#[test]
fn d18_an_analyst_can_link_what_goes_back_to_one_origin() {
    let evidence = [
        ("microphones", SourceKind::Acoustic, "acoustic", "sound"),
        ("patrol", SourceKind::Patrol, "patrols", "heard"),
    ];
    let scenery = scenery(&evidence);
    let linked: Vec<_> = scenery.incident.members.iter().map(|member| member.observation).collect();
    let doubts = Doubts { links: vec![(9, linked)], ..Doubts::default() };
    let lines = lines(&scenery.incident, &scenery, &doubts, u64::MAX);
    assert_eq!(lines.len(), 1);
    assert!(structure(&lines, &[]).is_none());
}

#[test]
fn d19_made_media_verify_nothing_without_a_physical_sensor() {
    // Staged media in the press, a patrol that saw only those, both perfect.
    let mut stage = Stage::new(scenery(&[
        ("agency", SourceKind::Press, "press", "video"),
        ("channel", SourceKind::Press, "channel", "video 2"),
        ("patrol", SourceKind::Patrol, "patrols", "shown the video"),
    ]));
    let entry = stage.verify();
    assert_eq!(stage.refused(entry), "checks_missing");
    assert_ne!(stage.case().status, Status::Verified);
    // Every class has a staged alternative.
    for class in domain::Class::ALL {
        assert!(crate::rules::alternatives(*class).contains(&"staged"));
    }
}

#[test]
fn d20_a_season_of_hot_spots_verifies_nothing_and_a_failed_calibration_lowers_the_status() {
    let spots: Vec<_> =
        (0..200).map(|_| ("hot spots", SourceKind::Satellite, "space", "pixel")).collect();
    let mut stage = Stage::new(scenery(&spots));
    let entry = stage.verify();
    assert_eq!(stage.refused(entry), "checks_missing");
    assert_eq!(stage.case().status, Status::Reported);

    let mut stage = Stage::new(good());
    stage.prepare();
    stage.act(
        "A-1",
        Act::Calibrate {
            classes: vec!["A4".parse().unwrap()],
            from: super::stage::t("2031-05-08T00:00:00Z"),
            to: super::stage::t("2031-06-08T00:00:00Z"),
            error: 0.21,
            cases: 90,
        },
    );
    let entry = stage.decide(0);
    assert_eq!(stage.refused(entry), "checks_missing");
    let case = stage.case();
    assert_eq!(case.status, Status::Corroborated, "at most corroborated");
    assert!(case.checks[0].says.contains("calibration of A4 failed"), "{}", case.checks[0].says);
}

#[test]
fn d24_a_reply_at_minute_1439_is_in_time_and_at_1441_late() {
    for (minutes, late) in [(1439, false), (1440, false), (1441, true)] {
        let mut stage = Stage::new(good());
        stage.triage();
        stage.notice("north");
        stage.wait(minutes);
        let contests = vec!["line of contact".to_owned()];
        let entry = stage.act("N-1", Act::Reply { points: vec!["not us".into()], contests });
        assert_eq!(stage.refused(entry), "", "a late reply is accepted, and shown as late");
        let notice = &stage.case().notices[0];
        assert_eq!(notice.replies[0].late_s > 0, late, "minute {minutes}");
    }
}

#[test]
fn d24_contesting_stops_no_clock_and_a_second_notice_moves_none() {
    let mut stage = Stage::new(good());
    stage.triage();
    stage.notice("north");
    let due = stage.case().notices[0].due;
    stage.wait(600);
    let contests = vec!["anchor".to_owned()];
    stage.act("N-1", Act::Reply { points: vec!["which hour?".into()], contests });
    let again = stage.notice("north");
    assert_eq!(stage.refused(again), "not_so");
    assert_eq!(stage.case().notices[0].due, due);
}

#[test]
fn the_decision_waits_for_the_window_or_for_the_replies() {
    let mut stage = Stage::new(good());
    stage.triage();
    stage.calibrate();
    stage.corroborate();
    stage.assess(0.01);
    stage.elements();
    stage.notice("north");
    stage.notice("south");
    stage.witness();
    let early = stage.decide(0);
    assert_eq!(stage.refused(early), "checks_missing");
    stage.wait(60);
    for agent in ["N-1", "S-1"] {
        let reply = stage.act(agent, Act::Reply { points: vec!["no".into()], contests: vec![] });
        stage.act("L-1", Act::AnswerPoints { reply, answers: vec!["noted".into()] });
    }
    let decided = stage.decide(1);
    assert_eq!(stage.refused(decided), "");
    assert_eq!(stage.case().status, Status::Verified);
}
