//! Commitments against verified findings: who owes what, when, and why not.

use std::collections::BTreeMap;

use agreement::{Agreement, Anchor, Anchors, Happening, Severity, Standard};
use domain::incident::ClassShare;
use domain::obligation::{Response, Standing};
use domain::{Class, Extent, Id, IdKind, Interval, Obligation, Occurrence, Probability};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{Answer, Cause, Fall, Readiness, live, propose, weakened};

const PACKAGE: &str = r#"
[agreement]
id = "t"
version = 1
title = "T"
[[party]]
id = "north"
name = "North"
[[party]]
id = "south"
name = "South"
[[guarantor]]
id = "ARD"
name = "Ardland"
[[guarantor]]
id = "BRE"
name = "Brevia"
[[guarantor]]
id = "COR"
name = "Corrin"
[[guarantor]]
id = "DOR"
name = "Dorne"
modality = "endorsed"
[[guarantor]]
id = "partners"
name = "the partners"
members = ["ARD", "BRE", "COR"]
[[event]]
id = "entry"
name = "entry into force"
at = "2031-06-11T06:00:00Z"
[[clock]]
id = "day"
title = "a day"
within = "PT24H"
anchor = "verified"
[[clock]]
id = "three-days"
title = "72 hours"
within = "PT72H"
anchor = [
  { reading = "from the event", party = "south", value = "event_time" },
  { reading = "from verification", party = "north", value = "verified" },
]
[[zone]]
id = "all"
name = "all"
kind = "everywhere"
[[provision]]
id = "3"
title = "No fire"
acts = ["A"]
zone = "all"
[[provision.in_force]]
from = 2031-06-11T06:00:00Z
to = 2031-06-21T06:00:00Z
[[commitment]]
id = "warn"
title = "a warning"
obligors = ["partners"]
beneficiary = "south"
actions = ["warn"]
functions = ["deter"]
strength = "political"
modality = "made"
asserted_by = "partners"
activation = { event = "entry" }
trigger = { breach = { provisions = ["*"], severity_at_least = "S2" } }
clock = "day"
[[commitment]]
id = "respond"
title = "a response"
obligors = ["ARD"]
beneficiary = "south"
actions = ["commit_forces"]
functions = ["defend"]
strength = "legal"
modality = "made"
asserted_by = "ARD"
activation = { event = "entry" }
trigger = { breach = { provisions = ["3"], by = ["north"], standard_at_least = "S4" } }
voiding = { breach = { provisions = ["3"], by = ["south"], standard_at_least = "S4" } }
clock = "three-days"
backs = ["warn"]
[[commitment]]
id = "shield"
title = "air defence"
obligors = ["ARD"]
beneficiary = "south"
actions = ["commit_forces"]
functions = ["defend"]
strength = "declared"
modality = "claimed"
asserted_by = "south"
trigger = { breach = { provisions = ["*"] } }
[[commitment]]
id = "hearsay"
title = "as the beneficiary tells it"
obligors = ["BRE"]
beneficiary = "south"
actions = ["supply"]
functions = ["sustain"]
strength = "political"
modality = "made"
asserted_by = "south"
trigger = { breach = { provisions = ["*"] } }
[[commitment]]
id = "friend"
title = "warm words"
obligors = ["DOR"]
beneficiary = "south"
actions = ["support"]
functions = ["reassure"]
strength = "declared"
modality = "made"
asserted_by = "DOR"
trigger = { breach = { provisions = ["*"] } }
[[ladder]]
guarantor = "ARD"
step = "operational"
date = "2031-06-01"
[[ladder]]
guarantor = "BRE"
step = "ratified"
date = "2031-05-20"
reservation = "no forces on land"
[[ladder]]
guarantor = "COR"
step = "signed"
date = "2031-05-02"
"#;

fn t(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn package(text: &str) -> Agreement {
    let files = [("agreement.toml".to_owned(), text.as_bytes().to_vec())];
    agreement::package::parse(&files.into()).unwrap()
}

fn cause(name: &str, verified: &str, by: Option<(&str, &str)>) -> Cause {
    let finding = Id::of(IdKind::Finding, &[name.as_bytes()]);
    let verified = t(verified);
    let event = verified - SignedDuration::from_hours(30);
    Cause {
        finding,
        from: verified,
        until: None,
        happening: Happening {
            id: finding.to_string(),
            when: Occurrence { span: Interval::at(event), sigma_s: 1.0, extent: Extent::Once },
            classes: vec![ClassShare { class: Class::A4, share: Probability::ONE }],
            severity: Some(Severity::S3),
            standard: if by.is_some() { Standard::S4 } else { Standard::S3 },
            breaches: BTreeMap::from([("3".to_owned(), Probability::ONE)]),
            by: None,
            sector: None,
            zones: BTreeMap::new(),
        },
        named: by.map(|(at, actor)| (t(at), actor.to_owned())),
        anchors: Anchors(BTreeMap::from([
            (Anchor::EventTime, event),
            (Anchor::Verified, verified),
        ])),
    }
}

fn attributed() -> Cause {
    cause("one", "2031-06-14T12:00:00Z", Some(("2031-06-14T18:00:00Z", "north")))
}

fn retracted(at: &str) -> Cause {
    let until = Some((t(at), "retracted: the log was misdated".to_owned()));
    Cause { until, ..attributed() }
}

fn answer(obligation: &Obligation, guarantor: &str, at: &str, response: Response) -> Answer {
    Answer {
        entry: 900,
        received: t(at),
        guarantor: guarantor.to_owned(),
        obligation: obligation.id.to_string(),
        response,
        note: String::new(),
    }
}

fn of<'o>(list: &'o [Obligation], commitment: &str, guarantor: &str) -> Vec<&'o Obligation> {
    list.iter().filter(|one| one.commitment == commitment && one.guarantor == guarantor).collect()
}

#[test]
fn a_finding_calls_each_member_at_its_own_legal_state() {
    let it = package(PACKAGE);
    let all = propose(&it, &[attributed()], &[], t("2031-06-15T00:00:00Z"));
    let legal = |guarantor: &str| of(&all, "warn", guarantor)[0].legal.clone();
    assert_eq!([legal("ARD"), legal("BRE"), legal("COR")], ["operational", "ratified", "signed"]);
    let brevia = of(&all, "warn", "BRE")[0];
    assert_eq!(brevia.reservations, ["no forces on land"]);
    assert_eq!(brevia.standing, Standing::Proposed);
    assert_eq!(brevia.due, [(String::new(), Some(t("2031-06-15T12:00:00Z")))]);
    assert!(!brevia.because.is_empty());
    // Only a published attribution calls what depends on the actor.
    let respond = of(&all, "respond", "ARD")[0];
    assert_eq!(respond.since, t("2031-06-14T18:00:00Z"));
    assert_eq!(respond.due.len(), 2, "one deadline for each reading of the anchor");
}

#[test]
fn without_an_attribution_nothing_that_names_an_actor_is_called() {
    let it = package(PACKAGE);
    let unnamed = cause("one", "2031-06-14T12:00:00Z", None);
    let all = propose(&it, &[unnamed], &[], t("2031-06-30T00:00:00Z"));
    assert!(of(&all, "respond", "ARD").is_empty());
    assert_eq!(of(&all, "warn", "ARD").len(), 1);
}

#[test]
fn endorsement_hearsay_and_claims_bind_nobody() {
    let it = package(PACKAGE);
    let all = propose(&it, &[attributed()], &[], t("2031-06-15T00:00:00Z"));
    for commitment in ["shield", "hearsay", "friend"] {
        assert!(all.iter().all(|one| one.commitment != commitment), "{commitment}");
    }
    let live = live(&it, &[], t("2031-06-15T00:00:00Z"));
    let words = |commitment: &str| {
        live.iter().find(|one| one.commitment == commitment).unwrap().words().to_owned()
    };
    assert_eq!(words("shield"), "not undertaken: claimed by others");
    assert_eq!(words("hearsay"), "asserted by south, not confirmed by BRE");
    assert!(words("friend").starts_with("DOR takes part and no more"));
    // The obligor's own confirmation makes the difference.
    let confirmed = PACKAGE.replacen(
        "id = \"hearsay\"",
        "id = \"hearsay\"\nconfirmed = \"statement of Brevia\"",
        1,
    );
    let all = propose(&package(&confirmed), &[attributed()], &[], t("2031-06-15T00:00:00Z"));
    assert_eq!(of(&all, "hearsay", "BRE").len(), 1);
}

#[test]
fn one_acknowledges_one_lapses_and_a_retraction_withdraws() {
    let it = package(PACKAGE);
    let first = propose(&it, &[attributed()], &[], t("2031-06-15T00:00:00Z"));
    let answers = [
        answer(of(&first, "warn", "ARD")[0], "ARD", "2031-06-15T01:00:00Z", Response::Acknowledge),
        answer(of(&first, "warn", "BRE")[0], "BRE", "2031-06-15T02:00:00Z", Response::Fulfil),
        // Nobody answers for another guarantor.
        answer(of(&first, "warn", "COR")[0], "ARD", "2031-06-15T03:00:00Z", Response::Fulfil),
    ];
    let later = propose(&it, &[attributed()], &answers, t("2031-06-16T00:00:00Z"));
    let standing = |list: &[Obligation], guarantor: &str| of(list, "warn", guarantor)[0].standing;
    assert_eq!(standing(&later, "ARD"), Standing::Acknowledged);
    assert_eq!(standing(&later, "BRE"), Standing::Fulfilled);
    assert_eq!(standing(&later, "COR"), Standing::Lapsed);
    assert!(of(&later, "warn", "COR")[0].answers[0].2.starts_with("no effect"));
    let taken_back = [retracted("2031-06-17T00:00:00Z")];
    let after = propose(&it, &taken_back, &answers, t("2031-06-18T00:00:00Z"));
    assert_eq!(standing(&after, "ARD"), Standing::Withdrawn);
    assert_eq!(standing(&after, "BRE"), Standing::Fulfilled, "what was done was done");
    assert_eq!(standing(&after, "COR"), Standing::Withdrawn);
    assert!(of(&after, "warn", "ARD")[0].because.last().unwrap().contains("misdated"));
    // As of before the retraction nothing is withdrawn.
    let before = propose(&it, &taken_back, &answers, t("2031-06-16T00:00:00Z"));
    assert_eq!(standing(&before, "ARD"), Standing::Acknowledged);
}

#[test]
fn the_guarantee_is_void_if_the_beneficiary_fires_first() {
    let it = package(PACKAGE);
    let south = cause("two", "2031-06-15T12:00:00Z", Some(("2031-06-15T18:00:00Z", "south")));
    let all = propose(&it, &[attributed(), south.clone()], &[], t("2031-06-16T00:00:00Z"));
    let respond = of(&all, "respond", "ARD")[0];
    assert_eq!(respond.standing, Standing::Voided);
    assert!(respond.because.last().unwrap().contains("void"));
    let state = |causes: &[Cause]| {
        let live = live(&it, causes, t("2031-06-16T00:00:00Z"));
        live.into_iter().find(|one| one.commitment == "respond").unwrap().readiness
    };
    assert_eq!(state(&[south]), Readiness::Void);
    assert_eq!(state(&[attributed()]), Readiness::Live);
}

#[test]
fn nothing_is_live_before_entry_into_force_and_nothing_suspended_is_called() {
    let it = package(PACKAGE);
    let early = live(&it, &[], t("2031-06-01T00:00:00Z"));
    assert_eq!(early.iter().find(|one| one.commitment == "warn").unwrap().words(), "dormant");
    let suspended = format!(
        "{PACKAGE}\n[[ladder]]\nguarantor = \"ARD\"\nstep = \"suspended\"\ndate = \"2031-06-13\"\n"
    );
    let it = package(&suspended);
    let all = propose(&it, &[attributed()], &[], t("2031-06-15T00:00:00Z"));
    assert!(of(&all, "warn", "ARD").is_empty() && !of(&all, "warn", "BRE").is_empty());
}

#[test]
fn what_falls_without_a_guarantor() {
    let it = package(PACKAGE);
    let falls = weakened(&it, &["ARD"]);
    assert_eq!(
        falls,
        [
            Fall::Thinner { commitment: "warn".into(), left: vec!["BRE".into(), "COR".into()] },
            Fall::Fails { commitment: "respond".into() },
            Fall::Unbacked { commitment: "warn".into(), lost: vec!["respond".into()] },
        ]
    );
    assert!(weakened(&it, &["DOR"]).is_empty(), "an endorsement carries nothing");
}

#[test]
fn d24_one_deadline_per_reading_and_nothing_lapses_before_the_last() {
    let it = package(PACKAGE);
    // The event was 30 hours before verification: 72 hours from the event end
    // on the 16th at 06:00, from verification on the 17th at 12:00.
    let at = |moment: &str| {
        let all = propose(&it, &[attributed()], &[], t(moment));
        of(&all, "respond", "ARD")[0].standing
    };
    assert_eq!(at("2031-06-16T12:00:00Z"), Standing::Proposed);
    assert_eq!(at("2031-06-17T12:00:01Z"), Standing::Lapsed);
}

proptest! {
    #[test]
    fn the_order_of_findings_makes_no_difference(
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(), hours in 0i64..400,
    ) {
        let it = package(PACKAGE);
        let causes = [
            attributed(),
            cause("two", "2031-06-15T12:00:00Z", None),
            cause("three", "2031-06-16T12:00:00Z", Some(("2031-06-17T00:00:00Z", "south"))),
            Cause { finding: Id::of(IdKind::Finding, &[b"four"]), ..retracted("2031-06-18T00:00:00Z") },
        ];
        let as_of = t("2031-06-10T00:00:00Z") + SignedDuration::from_hours(hours);
        let shuffled: Vec<Cause> = order.iter().map(|index| causes[*index].clone()).collect();
        let mut one = propose(&it, &causes, &[], as_of);
        let mut two = propose(&it, &shuffled, &[], as_of);
        for obligation in one.iter_mut().chain(&mut two) {
            obligation.called_by.sort();
            obligation.because.sort();
        }
        let key = |list: &[Obligation]| list.iter().map(|o| (o.commitment.clone(), o.guarantor.clone(), o.standing, o.since, o.called_by.clone())).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(key(&one), key(&two));
    }

    #[test]
    fn no_verified_finding_no_call(hours in 0i64..1000) {
        let it = package(PACKAGE);
        let as_of = t("2031-06-10T00:00:00Z") + SignedDuration::from_hours(hours);
        prop_assert!(propose(&it, &[], &[], as_of).is_empty());
    }
}
