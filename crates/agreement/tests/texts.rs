//! The texts of the design, row by row (TEXTS 0.1 to 0.10, REPORTS C7): each
//! is encoded, and what it forces on the language holds.

mod common;

use agreement::describe::sheet;
use agreement::diff::{Change, diff};
use agreement::{
    Amount, Anchor, Anchors, LegalStep, Mandate, Means, Modality, PledgeStep, Strength, standing,
};
use common::{package, row};
use domain::line::LineIndex;
use domain::{Covariance, LatLon, Located};

#[test]
fn t01_paris_guarantees_have_state_component_legal_form_and_activation() {
    let it = package("paris-2026").agreement;
    let components: Vec<&str> =
        it.commitments.iter().map(|one| one.component.as_str()).filter(|c| c.len() == 1).collect();
    assert_eq!(
        components,
        ["1", "2", "3", "3", "4", "5"],
        "five components, and a part of the third"
    );
    let fourth = it.commitments.iter().find(|one| one.id == "C4").unwrap();
    assert!(fourth.activation.is_some() && fourth.trigger.is_some());
    let strengths: Vec<Strength> = fourth.strength.readings().iter().map(|r| r.value).collect();
    assert_eq!(strengths, [Strength::Legal, Strength::Political]);
    let coalition = it.guarantors.iter().find(|one| one.id == "coalition").unwrap();
    assert_eq!(coalition.members_stated, Some(35));
    assert!(!coalition.procedure.is_empty());
    // Breach handling has three separate outputs.
    let commission = &it.mechanism.as_ref().unwrap().body[0];
    assert_eq!(
        commission.mandate.uncontested().unwrap().as_slice(),
        [Mandate::AddressBreaches, Mandate::Attribute, Mandate::Remedy]
    );
    row("paris-2026", "TEXTS 0.1");
}

#[test]
fn t02_draft_and_final_differ_in_what_the_united_states_undertook() {
    let old = sheet(&package("paris-2026-draft").agreement, "en");
    let new = sheet(&package("paris-2026").agreement, "en");
    let changes = diff(&old, &new);
    let changed = changes
        .iter()
        .find(|change| change.item().id == "C3-us")
        .expect("the most important change of the summit is seen");
    let Change::Changed { now, fields } = changed else { panic!("{changed:?}") };
    assert_eq!(now.concerns, ["us", "coalition"], "and for whom");
    let modality = fields.iter().find(|field| field.name == "modality").unwrap();
    assert_eq!(
        (modality.before[0].text.as_str(), modality.after[0].text.as_str()),
        ("undertaken", "proposed")
    );
    // Taking part is not being bound, and an endorsement is not a guarantee.
    let it = package("paris-2026").agreement;
    let us = it.guarantors.iter().find(|one| one.id == "us").unwrap();
    assert!(!us.modality.binds() && us.signatory == Some(false));
    assert!(it.endorsements.iter().any(|one| one.on_behalf_of == "us"));
    assert!(it.commitments.iter().all(|one| {
        one.modality.readings().iter().all(|reading| reading.value != Modality::Endorsed)
    }));
    // What did not change is not told.
    assert!(!changes.iter().any(|change| change.item().id == "C5"));
    row("paris-2026-draft", "in the draft");
}

#[test]
fn t03_the_response_plan_has_clocks_tiers_continuation_and_expansion() {
    let it = package("paris-2026").agreement;
    let clock = it.clock("clock-72h").unwrap();
    let at = |text: &str| text.parse().unwrap();
    let anchors = Anchors(
        [
            (Anchor::EventTime, at("2026-04-01T10:00:00Z")),
            (Anchor::Verified, at("2026-04-04T08:00:00Z")),
        ]
        .into(),
    );
    let dues: Vec<Option<String>> = clock
        .deadlines(&anchors, &[])
        .iter()
        .map(|deadline| deadline.due.map(|due| due.to_string()))
        .collect();
    assert_eq!(
        dues,
        [Some("2026-04-04T10:00:00Z".into()), None, None, Some("2026-04-07T08:00:00Z".into())]
    );
    let tiers: Vec<u8> = it.commitments.iter().filter_map(|one| one.tier).collect();
    assert_eq!(tiers, [1, 2, 3]);
    assert_eq!(clock.expansion.as_deref(), Some("expansion"));
    assert_eq!(it.clock("clock-24h").unwrap().continuation.as_deref(), Some("continuation"));
    row("paris-2026", "TEXTS 0.3");
}

#[test]
fn t04_guarantees_can_become_void_and_verification_is_symmetric() {
    let it = package("draft-20-points-2025").agreement;
    let guarantee = it.commitments.iter().find(|one| one.id == "G1").unwrap();
    assert!(guarantee.voiding.as_ref().unwrap().is_contested());
    let bound: Vec<&str> =
        it.provisions.iter().flat_map(|one| &one.who).map(String::as_str).collect();
    assert_eq!(bound, ["ru", "ua"]);
    assert_eq!(it.mechanism.as_ref().unwrap().means, [Means::Satellite]);
    row("draft-20-points-2025", "TEXTS 0.4");
}

#[test]
fn t05_remote_first_with_reports_of_the_parties_and_corrective_measures() {
    let it = package("counter-draft-24-points-2025").agreement;
    let mechanism = it.mechanism.as_ref().unwrap();
    assert!(
        mechanism.means.contains(&Means::Satellite) && mechanism.means.contains(&Means::Patrol)
    );
    assert!(mechanism.body[0].mandate.uncontested().unwrap().contains(&Mandate::ReceiveReports));
    assert_eq!(it.provision("CM").unwrap().on_breach_of, ["CF"]);
    row("counter-draft-24-points-2025", "TEXTS 0.5");
}

#[test]
fn t06_definitions_are_negotiated_with_readings() {
    let it = package("talks-2026").agreement;
    let terms: Vec<&str> = it.definitions.iter().map(|one| one.term.as_str()).collect();
    assert_eq!(terms, ["cessation of hostilities", "ceasefire", "violation"]);
    assert!(it.definitions.iter().all(|one| one.text.is_contested()));
    // The provision that refers to the definition is contested through it.
    assert!(it.provision("V").unwrap().acts.is_contested());
    assert!(it.mechanism.as_ref().unwrap().lead.is_contested());
    row("talks-2026", "TEXTS 0.6");
}

#[test]
fn t07_the_moratorium_has_contested_dates_objects_and_voiding() {
    let it = package("energy-moratorium-2025").agreement;
    let strike = it.provision("M5").unwrap();
    assert!(strike.in_force.is_contested() && strike.objects.is_contested());
    let fields = agreement::lint::lint(&it).iter().filter(|one| one.code == "contested").count();
    assert!(fields >= 2, "{fields} contested fields");
    assert!(it.provision("M1").unwrap().voiding.as_ref().unwrap().is_contested());
    row("energy-moratorium-2025", "TEXTS 0.7");
}

#[test]
fn t08_every_kind_of_zone_and_a_joint_commission() {
    let it = package("gcsp-toolkit-2025").agreement;
    let body = &it.mechanism.as_ref().unwrap().body[0];
    assert_eq!(body.chair.as_deref(), Some("third-party"));
    let acts: Vec<String> = it
        .provisions
        .iter()
        .flat_map(|one| one.acts.readings()[0].value.iter().map(ToString::to_string))
        .collect();
    for track in ["H3", "H4", "B5"] {
        assert!(acts.iter().any(|act| act == track), "{track}");
    }
    row("gcsp-toolkit-2025", "TEXTS 0.8");
}

#[test]
fn t09_a_pledge_is_not_a_mandate_is_not_a_deployment() {
    let it = package("paris-2026").agreement;
    let pledge = it.pledges.iter().find(|one| one.id == "force-26").unwrap();
    assert_eq!(pledge.step_at("2025-12-31".parse().unwrap()), Some(PledgeStep::Pledged));
    assert_eq!(pledge.step_at("2025-01-01".parse().unwrap()), None);
    let size = it.pledges.iter().find(|one| one.id == "force-size").unwrap();
    assert!(matches!(size.amount.uncontested(), Some(Amount::Undecided { .. })));
    let at = |date: &str| standing(&it.ladder, "coalition", "C3", date.parse().unwrap()).step;
    assert_eq!(at("2025-12-31"), Some(LegalStep::Announced));
    assert_eq!(at("2026-01-06"), Some(LegalStep::Signed));
    let bodies: Vec<&str> =
        it.mechanism.as_ref().unwrap().body.iter().map(|body| body.id.as_str()).collect();
    assert!(bodies.contains(&"hq") && bodies.contains(&"coordination-cell"));
}

/// A line of 1,400 km with 5,000 vertices: the belt along it is right.
#[test]
fn t10_a_line_of_1400_km_carries_a_belt() {
    let vertex = |index: u32| {
        let along = f64::from(index) / 5_000.0;
        let lat = 46.0 + 5.0 * along + 0.02 * libm::sin(f64::from(index) * 0.7);
        LatLon::new(lat, 30.5 + 16.2 * along).unwrap()
    };
    let line: Vec<LatLon> = (0..5_000).map(vertex).collect();
    let km: f64 = line.windows(2).map(|pair| pair[0].distance_m(pair[1]) / 1_000.0).sum();
    assert!(km > 1_400.0, "{km}");
    let coordinates: Vec<String> =
        line.iter().map(|at| format!("[{},{}]", at.lon(), at.lat())).collect();
    let shape = format!("{{\"type\":\"LineString\",\"coordinates\":[{}]}}", coordinates.join(","));
    let manifest = "[agreement]\nid = \"long\"\nversion = 1\ntitle = \"T\"\n[[line]]\nid = \"l\"\nname = \"l\"\nfile = \"l.geojson\"\naccuracy_m = 100\n[[zone]]\nid = \"z\"\nname = \"z\"\nkind = \"near_line\"\nline = \"l\"\nwidth_m = 30000\naccuracy_m = 100\n[[provision]]\nid = \"1\"\ntitle = \"t\"\nacts = [\"A\"]\nzone = \"z\"\n[[provision.in_force]]\nfrom = 2026-01-01T00:00:00Z\n";
    let files = [
        ("agreement.toml".to_owned(), manifest.as_bytes().to_vec()),
        ("l.geojson".to_owned(), shape.into_bytes()),
    ]
    .into();
    let it = agreement::package::parse(&files).unwrap();
    let evaluator = agreement::Evaluator::new(&it);
    let index = LineIndex::new([line.as_slice()]);
    let when = domain::When::Instant { at: "2026-02-01T00:00:00Z".parse().unwrap(), sigma_s: 0.0 };
    let when = when.occurrence(0.0);
    let mut inside = 0;
    for step in 0..200u32 {
        let at = vertex(step * 25).offset(f64::from(step % 40) * 1_000.0 - 20_000.0, 0.0);
        let place = Located::Normal { at, covariance: Covariance::circular(0.0) };
        let facts = agreement::Facts {
            when: &when,
            place: &place,
            classes: &[],
            objects: &[],
            weapon: None,
            height_m: None,
            party: None,
            notified: None,
            procedure: None,
        };
        let p = evaluator.in_zone(0, &it.zones[0], &facts, &NoMaps).unwrap().get();
        let margin_m = 15_000.0 - index.distance_m(at);
        let expected = domain::probability::normal_cdf(margin_m / 100.0);
        assert!((p - expected).abs() < 1e-9, "{p} {expected}");
        inside += u32::from(p > 0.5);
    }
    assert!((50..200).contains(&inside), "{inside}");
}

struct NoMaps;

impl agreement::Ground for NoMaps {
    fn samples(&self, _: &str) -> Vec<LatLon> {
        Vec::new()
    }

    fn control(&self, _: &str, _: jiff::Timestamp) -> Option<&domain::ControlState> {
        None
    }
}

#[test]
fn minsk_both_baselines_are_drawn_and_differ() {
    let it = package("minsk-2015").agreement;
    let zones: Vec<_> = it.zones.iter().filter(|zone| zone.id == "zone-50").collect();
    assert_eq!(zones.len(), 2);
    assert_ne!(zones[0].geometry, zones[1].geometry);
    row("minsk-2015", "Minsk, baseline of the formations");
    row("minsk-2015", "Minsk, baseline of Ukraine");
}

/// VERIFICATION D15: absence of the lists is itself a provision with a clock.
#[test]
fn d15_the_lists_of_minsk_are_a_provision_with_a_clock() {
    let it = package("minsk-2015").agreement;
    let lists = it.provision("12").unwrap();
    assert_eq!((lists.kind, lists.clock.as_deref()), (agreement::Kind::Duty, Some("clock-14d")));
    for inventory in &it.inventories {
        assert_eq!(inventory.provision, "12");
        assert_eq!(inventory.state(Some(&[])), agreement::SiteState::CannotTell);
    }
}

/// REPORTS C7, modelling note (d): a permission that depends on a failed
/// procedure.
#[test]
fn measures_2020_permit_return_fire_only_after_the_procedure() {
    let it = package("measures-2020").agreement;
    assert!(it.procedures[0].unreachable().is_empty());
    row("measures-2020", "return fire after the whole procedure");
    row("measures-2020", "without mechanism-failed");
    row("measures-2020", "fire before the order");
}
