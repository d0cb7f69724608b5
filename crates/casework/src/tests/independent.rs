//! Properties of the fold: order, removal, and what one person can reach.

use domain::case::{Grade, Ruling, Severity};
use domain::incident::Status;
use domain::{Id, Probability};
use proptest::prelude::*;

use super::stage::{MISSION, Owned, Stage, good, key, officer};
use crate::act::{self, Act, Alternative, Answer, Release, Triage};
use crate::{Role, Statement};

/// Acts that do not depend on one another, between triage and decision.
fn independent(stage: &mut Stage, order: &[usize]) {
    for step in order {
        match step {
            0 => stage.calibrate(),
            1 => stage.corroborate(),
            2 => stage.assess(0.01),
            3 => stage.elements(),
            4 => stage.notice("north"),
            5 => stage.notice("south"),
            6 => stage.seal("V-1", Ruling::Verified, 0),
            7 => stage.seal("V-3", Ruling::Verified, 0),
            _ => {
                stage.witness();
                0
            }
        };
    }
}

fn run(order: &[usize], openings: [&str; 2]) -> Stage {
    let mut stage = Stage::new(good());
    stage.triage();
    independent(&mut stage, order);
    stage.wait(24 * 60 + 1);
    for person in openings {
        stage.rule(person, Ruling::Verified, 0);
    }
    stage
}

/// Any act that a person may think of, on the finding or not.
fn any_act(finding: Id, observations: Vec<Id>, person: String) -> impl Strategy<Value = Act> {
    let everything = vec![
        Act::Triage { severity: Severity::S3, outcome: Triage::Proceed, note: String::new() },
        Act::Calibrate {
            classes: vec!["A".parse().unwrap()],
            from: super::stage::t("2031-05-01T00:00:00Z"),
            to: super::stage::t("2031-06-01T00:00:00Z"),
            error: 0.0,
            cases: 1000,
        },
        Act::Corroborate { observations, note: String::new() },
        Act::Assess {
            alternatives: ["Z2", "Z3", "Z4", "staged"]
                .map(|name| Alternative {
                    name: name.into(),
                    probability: Probability::ZERO,
                    because: "so".into(),
                })
                .to_vec(),
            at_most: None,
            note: String::new(),
        },
        Act::Elements {
            answers: ["act", "zone", "time"].map(|name| (name.to_owned(), Answer::Met)).into(),
            note: String::new(),
        },
        Act::Notice { party: "north".into(), questions: vec!["?".into()] },
        Act::Notice { party: "south".into(), questions: vec!["?".into()] },
        Act::Reply { points: vec!["!".into()], contests: vec![] },
        Act::Approve { what: Release::Finding },
        Act::Publish { what: Release::Finding },
        Act::Attribute {
            grade: Grade::Attributable,
            actor: Some("north".into()),
            probability: Probability::ONE,
            lines: vec![],
            control: "map".into(),
            note: String::new(),
        },
        Act::Retract { reason: "x".into() },
    ];
    let rulings = [Ruling::Verified, Ruling::Refuted, Ruling::CannotRule];
    prop_oneof![
        proptest::sample::select(everything),
        (0u32..3, proptest::sample::select(rulings.to_vec()), any::<bool>()).prop_map(
            move |(round, ruling, open)| {
                let salt = act::salt(&key(&person), MISSION, finding, round);
                if open {
                    Act::Rule { round, ruling, reason: None, note: String::new(), salt }
                } else {
                    Act::Seal { round, seal: act::seal(MISSION, finding, round, ruling, &salt) }
                }
            }
        ),
        (0u64..60).prop_map(|size| Act::Witness { size, root: format!("root at {size}") }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_order_of_independent_acts_gives_the_same_status(
        order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle(), swap: bool,
    ) {
        let openings = if swap { ["V-3", "V-1"] } else { ["V-1", "V-3"] };
        let one = run(&(0..9).collect::<Vec<_>>(), ["V-1", "V-3"]).case();
        let two = run(&order, openings).case();
        prop_assert_eq!(one.status, Status::Verified);
        prop_assert_eq!(two.status, one.status);
        prop_assert_eq!(two.standard, one.standard);
        prop_assert_eq!(two.likelihood, one.likelihood);
        let held = |case: &domain::Case| case.checks.iter().map(|check| check.holds).collect::<Vec<_>>();
        prop_assert_eq!(held(&two), held(&one));
    }

    /// Every act of a verified case was needed or at least did not hold it back.
    #[test]
    fn a_removed_signature_never_raises_the_status(order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle(), at: proptest::sample::Index) {
        let mut stage = run(&order, ["V-1", "V-3"]);
        let before = stage.case().status;
        let acts: Vec<usize> = stage.items.iter().enumerate().filter(|(_, (_, item))| matches!(item, Owned::Act(..))).map(|(index, _)| index).collect();
        let stripped = acts[at.index(acts.len())];
        let Owned::Act(received, envelope) = &stage.items[stripped].1 else { unreachable!() };
        let mut json: serde_json::Value = serde_json::from_slice(envelope).unwrap();
        json["signatures"] = serde_json::json!([]);
        stage.items[stripped].1 = Owned::Act(*received, serde_json::to_vec(&json).unwrap());
        let after = stage.fold().cases.first().map_or(Status::Reported, |case| case.status);
        prop_assert!(after.rank() <= before.rank(), "{before:?} became {after:?}");
    }

    /// One person with a key for every role, however many contingents they are
    /// of, who does anything in any order, verifies nothing.
    #[test]
    fn no_sequence_by_one_person_reaches_verified(acts in proptest::collection::vec(
        (proptest::sample::select(Role::ALL.to_vec()), proptest::sample::select(vec!["FI", "PT", "EE"]))
            .prop_flat_map(|(role, contingent)| {
                let name = format!("{role}.{contingent}");
                let stage = good();
                let observations = stage.incident.members.iter().map(|member| member.observation).collect();
                any_act(stage.finding.id, observations, name.clone()).prop_map(move |act| (name.clone(), role, contingent, act))
            }), 0..60), hours in 0i64..30)
    {
        let mut stage = Stage::new(good());
        let mut declared = std::collections::BTreeSet::new();
        for (name, role, contingent, act) in acts {
            if declared.insert(name.clone()) {
                let mut one = officer(&name, role, contingent);
                one.person = "the one".into();
                stage.declare(one);
            }
            let finding = act.is_on_a_finding().then(|| stage.finding());
            let statement = Statement { mission: MISSION.into(), at: stage.now, finding, act };
            let envelope = statement.sign(&key(&name)).unwrap();
            stage.file(envelope);
            stage.wait(hours * 7);
        }
        for case in stage.fold().cases {
            prop_assert!(case.status != Status::Verified && case.published.is_none());
        }
    }
}
