use std::collections::BTreeMap;
use std::path::Path;

use agreement::Agreement;
use domain::finding::{Finding, Met};
use domain::incident::{Belief, ClassShare};
use domain::{
    Class, ControlState, Covariance, Extent, Id, IdKind, Incident, Interval, LatLon, Located,
    Occurrence, Probability, Signature, Status,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::{Evaluator, Ground};

const PACKAGE: &str = r#"
[agreement]
id = "test"
version = 3
title = "Test"

[[zone]]
id = "box"
name = "Box"
kind = "polygon"
file = "zones/box.geojson"
accuracy_m = 250.0

[[zone]]
id = "belt"
name = "Belt"
kind = "near_line"
line = "map"
within_m = 15000
accuracy_m = 300

[[provision]]
id = "P1"
title = "No artillery in the box"
acts = ["A4", "A6"]
zone = "box"
exceptions = [{ act = "Z1", text = "notified exercise" }]
[[provision.in_force]]
from = 2025-04-19T18:00:00+03:00
to = 2025-04-21T00:00:00+03:00

[[provision]]
id = "P2"
title = "No strikes on energy near the line"
acts = ["A"]
objects = ["energy"]
zone = "belt"
[[provision.in_force]]
reading = "early"
from = 2025-04-19T00:00:00Z
[[provision.in_force]]
reading = "late"
from = 2025-04-20T00:00:00Z
"#;

fn agreement() -> Agreement {
    let square = r#"{"type":"Polygon","coordinates":[[[37,48],[38,48],[38,49],[37,49],[37,48]]]}"#;
    let files = [
        ("agreement.toml".to_owned(), PACKAGE.as_bytes().to_vec()),
        ("zones/box.geojson".to_owned(), square.as_bytes().to_vec()),
    ];
    agreement::package::parse(&files.into()).unwrap()
}

struct Map(ControlState);

impl Ground for Map {
    fn samples(&self, _: &str) -> Vec<LatLon> {
        Vec::new()
    }

    fn control(&self, source: &str, _: Timestamp) -> Option<&ControlState> {
        (source == "map").then_some(&self.0)
    }
}

fn at(lat: f64, lon: f64) -> LatLon {
    LatLon::new(lat, lon).unwrap()
}

fn ground() -> Map {
    let ring = vec![at(47.0, 36.0), at(47.0, 40.0), at(48.5, 40.0), at(48.5, 36.0), at(47.0, 36.0)];
    Map(ControlState::new(
        Timestamp::UNIX_EPOCH,
        0.0,
        (String::new(), String::new()),
        &[vec![ring]],
        500.0,
        |_| true,
    ))
}

fn incident(place: Located, from: &str, to: &str, classes: &[(Class, f64)]) -> Incident {
    Incident {
        id: Id::of(IdKind::Incident, &[b"x"]),
        status: Status::Reported,
        when: Occurrence {
            span: Interval { from: from.parse().unwrap(), to: to.parse().unwrap() },
            sigma_s: 0.0,
            extent: Extent::Once,
        },
        place,
        place_name: String::new(),
        classes: classes
            .iter()
            .map(|(class, share)| ClassShare { class: *class, share: Probability::new(*share) })
            .collect(),
        signatures: BTreeMap::from([(Signature::Explosion, 1)]),
        claimed_count: None,
        objects: vec![],
        members: vec![],
        origins: 1,
        groups: vec![],
        kinds: vec![],
        alternatives: vec![],
        belief: Belief {
            probability: Probability::ONE,
            distinct: Probability::ONE,
            priors: String::new(),
            regime: String::new(),
            calibrated_on: String::new(),
            reasons: vec![],
        },
        particulars: domain::Particulars::default(),
        may_be_same_as: vec![],
        remarks: vec![],
    }
}

fn point(lat: f64, lon: f64) -> Located {
    Located::Normal { at: at(lat, lon), covariance: Covariance::circular(100.0) }
}

fn findings(incident: &Incident) -> Vec<Finding> {
    let agreement = agreement();
    Evaluator::new(&agreement).evaluate(incident, &ground())
}

#[test]
fn a_date_only_incident_is_in_force_by_share_of_its_day() {
    // The day of Kyiv on the 19th: 20 April begins at 21:00Z. In force from 15:00Z: 6 of 24 hours.
    let incident = incident(
        point(48.5, 37.5),
        "2025-04-18T21:00:00Z",
        "2025-04-19T21:00:00Z",
        &[(Class::A4, 1.0)],
    );
    let finding = &findings(&incident)[0];
    assert_eq!(finding.provision, "P1");
    assert!((finding.in_force.get() - 0.25).abs() < 1e-9);
    assert!(finding.in_zone.unwrap().get() > 0.999);
    assert!((finding.fit.get() - 0.25).abs() < 1e-3);
    assert!(finding.incomplete, "exceptions cannot be checked");
}

#[test]
fn a_class_that_is_half_sure_is_half_met() {
    let incident = incident(
        point(48.5, 37.5),
        "2025-04-20T10:00:00Z",
        "2025-04-20T10:00:00Z",
        &[(Class::A4, 0.5), (Class::A9, 0.5)],
    );
    let finding = &findings(&incident)[0];
    assert_eq!(finding.elements[0].met, Met::Probably(Probability::new(0.5)));
}

/// Law 10: findings are made under every reading.
#[test]
fn d13_contested_dates_give_a_finding_for_each_reading() {
    let mut early = incident(
        point(48.5, 37.5),
        "2025-04-19T10:00:00Z",
        "2025-04-19T10:00:00Z",
        &[(Class::A9, 1.0)],
    );
    early.objects = vec!["energy".into()];
    let found = findings(&early);
    let readings: Vec<&str> = found.iter().map(|finding| finding.reading.as_str()).collect();
    assert_eq!(readings, ["early"]);
    let mut late = incident(
        point(48.5, 37.5),
        "2025-04-20T10:00:00Z",
        "2025-04-20T10:00:00Z",
        &[(Class::A9, 1.0)],
    );
    late.objects = vec!["energy".into()];
    let readings: Vec<String> =
        findings(&late).into_iter().map(|finding| finding.reading).collect();
    assert_eq!(readings, ["early", "late"]);
}

/// A package that the repository ships.
fn shipped(name: &str) -> Agreement {
    fn collect(root: &Path, folder: &Path, files: &mut agreement::package::Files) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let inside = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                files.insert(inside, std::fs::read(&path).unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agreements").join(name);
    let mut files = agreement::package::Files::new();
    collect(&root, &root, &mut files);
    agreement::package::parse(&files).unwrap()
}

/// VERIFICATION D13, T: encoding 0.7 gives two contested fields and more, and
/// every energy strike is reported with the readings under which it breaches.
#[test]
fn d13_every_energy_strike_is_reported_with_its_readings() {
    let agreement = shipped("energy-moratorium-2025");
    let contested = agreement::lint::lint(&agreement);
    assert!(contested.iter().filter(|one| one.code == "contested").count() >= 2);
    let evaluator = Evaluator::new(&agreement);
    let breaches = |moment: &str, object: &str| -> Vec<(String, String)> {
        let mut strike = incident(point(50.0, 36.2), moment, moment, &[(Class::A9, 1.0)]);
        strike.objects = vec![object.into()];
        evaluator
            .evaluate(&strike, &ground())
            .into_iter()
            .map(|finding| (finding.provision, finding.reading))
            .collect()
    };
    let pair = |provision: &str, reading: &str| (provision.to_owned(), reading.to_owned());
    let (early, late, open) = (
        "from 18 March, thirty days",
        "from 25 March, thirty days",
        "from 25 March, no end stated",
    );
    assert_eq!(breaches("2025-03-20T10:00:00Z", "power"), [pair("M1", early)]);
    assert_eq!(
        breaches("2025-04-01T10:00:00Z", "oil-and-gas"),
        [pair("M2", early), pair("M2", late), pair("M2", open)]
    );
    assert_eq!(breaches("2025-05-20T10:00:00Z", "dam"), [pair("M4", open)]);
    // The objects are contested as well: a port counts only under the wider reading.
    assert_eq!(
        breaches("2025-04-20T10:00:00Z", "port"),
        [late, open].map(|time| pair("M5", &format!("{time} + energy and infrastructure")))
    );
    assert_eq!(breaches("2025-04-20T10:00:00Z", "residential"), []);
}

/// VERIFICATION D14, R: zones are per party. A finding is made under each way
/// of drawing the zone, and names the line, never the party.
#[test]
fn d14_a_zone_drawn_per_party_gives_a_finding_for_each_line() {
    let agreement = shipped("minsk-2015");
    let evaluator = Evaluator::new(&agreement);
    // Where the two lines run together both baselines answer.
    let day = "2015-06-01T12:00:00Z";
    let seen = incident(point(48.07, 37.60), day, day, &[(Class::B1, 1.0)]);
    let found: Vec<Finding> = evaluator
        .evaluate(&seen, &ground())
        .into_iter()
        .filter(|finding| finding.provision == "2.a")
        .collect();
    let readings: Vec<&str> = found.iter().map(|finding| finding.reading.as_str()).collect();
    assert_eq!(
        readings,
        [
            "25 km on each side, from the de facto line of contact",
            "25 km on each side, from the line of 19 September 2014",
        ]
    );
    for finding in &found {
        assert!(finding.incomplete, "the evidence does not tell the weapon");
        let written = format!("{finding:?}");
        for party in &agreement.parties {
            let name = party.name.get("en");
            assert!(!written.contains(name) && !written.contains(&format!("\"{}\"", party.id)));
        }
    }
    // In the salient only the line of 2014 is near.
    let seen = incident(point(48.34, 38.80), day, day, &[(Class::B1, 1.0)]);
    let near = evaluator.evaluate(&seen, &ground());
    let of = |words: &str| {
        near.iter()
            .find(|finding| finding.provision == "2.a" && finding.reading.contains(words))
            .map_or(0.0, |finding| finding.in_zone.unwrap().get())
    };
    assert!(of("2014") > of("de facto") + 0.1, "{} {}", of("2014"), of("de facto"));
}

#[test]
fn a_protected_object_must_be_named() {
    let found = |objects: &[&str]| {
        let mut incident = incident(
            point(48.5, 37.5),
            "2025-04-20T10:00:00Z",
            "2025-04-20T10:00:00Z",
            &[(Class::A9, 1.0)],
        );
        incident.objects = objects.iter().map(|object| (*object).to_owned()).collect();
        findings(&incident)
    };
    let met = &found(&["energy", "residential"])[0].elements[1];
    assert_eq!((met.name.as_str(), &met.met), ("object", &Met::Probably(Probability::ONE)));
    assert!(found(&[]).is_empty() && found(&["residential"]).is_empty());
}

#[test]
fn outside_zone_time_or_acts_there_is_nothing_to_find() {
    for incident in [
        incident(
            point(50.5, 37.5),
            "2025-04-20T10:00:00Z",
            "2025-04-20T10:00:00Z",
            &[(Class::A4, 1.0)],
        ),
        incident(
            point(48.5, 37.5),
            "2025-03-20T10:00:00Z",
            "2025-03-20T10:00:00Z",
            &[(Class::A4, 1.0)],
        ),
        incident(
            point(48.5, 37.5),
            "2025-04-20T10:00:00Z",
            "2025-04-20T10:00:00Z",
            &[(Class::C1, 1.0)],
        ),
    ] {
        assert_eq!(findings(&incident), []);
    }
}

#[test]
fn an_unknown_place_leaves_the_zone_unknown() {
    let incident = incident(
        Located::Unknown,
        "2025-04-20T10:00:00Z",
        "2025-04-20T10:00:00Z",
        &[(Class::A4, 1.0)],
    );
    let finding = &findings(&incident)[0];
    assert_eq!(finding.in_zone, None);
    assert!(finding.incomplete);
}

/// Law 6: nothing here can carry an actor.
#[test]
fn d4_no_finding_has_an_actor() {
    let incident = incident(
        point(48.5, 37.5),
        "2025-04-20T10:00:00Z",
        "2025-04-20T10:00:00Z",
        &[(Class::A4, 1.0)],
    );
    for finding in findings(&incident) {
        let names: Vec<&str> =
            finding.elements.iter().map(|element| element.name.as_str()).collect();
        assert!(
            names.iter().all(|name| [
                "act",
                "object",
                "weapon",
                "zone",
                "height",
                "time",
                "window",
                "exceptions"
            ]
            .contains(name)),
            "{names:?}"
        );
    }
}

proptest! {
    #[test]
    fn everything_is_a_probability(lat in 47.0f64..50.0, lon in 36.0f64..39.0, sigma in 0.0f64..20_000.0, hour in 0i64..72, share in 0.01f64..1.0) {
        let from: Timestamp = "2025-04-19T00:00:00Z".parse().unwrap();
        let from = domain::time::shifted(from, hour as f64 * 3600.0);
        let place = Located::Normal { at: at(lat, lon), covariance: Covariance::circular(sigma) };
        let incident = incident(place, &from.to_string(), &from.to_string(), &[(Class::A4, share), (Class::C1, 1.0 - share)]);
        for finding in findings(&incident) {
            prop_assert!(finding.fit.get() <= finding.in_force.get() + 1e-12);
            prop_assert!(finding.in_zone.is_none_or(|p| finding.fit.get() <= p.get() + 1e-12));
        }
    }
}

/// A ban by calibre, in an air space with a floor, with a notified exception.
const PARTICULAR: &str = r#"
[agreement]
id = "p"
version = 1
title = "P"
[[weapon]]
id = "heavy"
name = "guns of 100 mm and more"
kinds = ["artillery"]
calibre_from_mm = 100
[[zone]]
id = "all"
name = "all"
kind = "everywhere"
[[zone]]
id = "sky"
name = "above 150 m"
kind = "everywhere"
floor_m = 150
[[provision]]
id = "guns"
title = "No heavy weapons"
acts = ["A4"]
weapons = ["heavy"]
zone = "all"
[[provision.in_force]]
from = 2025-04-01T00:00:00Z
[[provision]]
id = "sky"
title = "No flights"
acts = ["A4"]
zone = "sky"
[[provision.in_force]]
from = 2025-04-01T00:00:00Z
[[provision]]
id = "exercise"
title = "No firing"
acts = ["A4"]
zone = "all"
exceptions = [{ act = "C6", text = "a notified exercise" }]
[[provision.in_force]]
from = 2025-04-01T00:00:00Z
"#;

/// Weapon, height and notification decide where the evidence tells them; where
/// it does not, the element is unknown with the reason.
#[test]
fn particulars_decide_where_they_are_told_and_leave_open_where_not() {
    use domain::particulars::{Particulars, WeaponKind, WeaponSeen};
    let files = [("agreement.toml".to_owned(), PARTICULAR.as_bytes().to_vec())].into();
    let agreement = agreement::package::parse(&files).unwrap();
    let evaluator = Evaluator::new(&agreement);
    let moment = "2025-04-20T10:00:00Z";
    let plain = incident(point(48.5, 37.5), moment, moment, &[(Class::A4, 1.0)]);
    let met = |particulars: Particulars, provision: &str, element: &str| {
        let incident = Incident { particulars, ..plain.clone() };
        let found = evaluator.evaluate(&incident, &ground());
        let finding = found.iter().find(|one| one.provision == provision).unwrap();
        finding.elements.iter().find(|one| one.name == element).unwrap().met.clone()
    };
    let gun = |calibre_mm| Particulars {
        weapon: Some(WeaponSeen {
            system: None,
            kind: Some(WeaponKind::Artillery),
            calibre_mm: Some(calibre_mm),
        }),
        ..Particulars::default()
    };
    let height = |metres| Particulars { height_m: Some((metres, 10.0)), ..Particulars::default() };
    let notified = |yes| Particulars { notified: Some(yes), ..Particulars::default() };
    let certain = |p: f64| Met::Probably(Probability::new(p));
    assert_eq!(met(gun(122.0), "guns", "weapon"), certain(1.0));
    assert_eq!(met(gun(82.0), "guns", "weapon"), certain(0.0));
    assert_eq!(met(height(400.0), "sky", "height"), certain(1.0));
    let Met::Probably(at_the_floor) = met(height(150.0), "sky", "height") else { panic!() };
    assert!((at_the_floor.get() - 0.5).abs() < 1e-9);
    assert_eq!(met(notified(false), "exercise", "exceptions"), certain(1.0));
    assert_eq!(met(notified(true), "exercise", "exceptions"), certain(0.0));
    for (provision, element, reason) in [
        ("guns", "weapon", "does not tell the weapon"),
        ("sky", "height", "gives no height"),
        ("exercise", "exceptions", "no notifications"),
    ] {
        let Met::Unknown { because } = met(Particulars::default(), provision, element) else {
            panic!("{element} is decided by nothing")
        };
        assert!(because.contains(reason), "{because}");
    }
}
