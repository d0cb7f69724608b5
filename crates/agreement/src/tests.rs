use domain::taxonomy::Class;

use crate::package::{Files, parse};
use crate::{Agreement, Geometry};

const GOOD: &str = r#"
[agreement]
id = "energy"
version = 2
title = { en = "Energy moratorium", uk = "Енергетичне перемир'я" }

[[party]]
id = "a"
name = "Party A"

[[zone]]
id = "everywhere"
name = "no limit stated"
kind = "everywhere"

[[zone]]
id = "belt"
name = "Belt"
kind = "near_line"
line = "control-map"
within_m = 15000
accuracy_m = 300

[[zone]]
id = "box"
name = "Box"
kind = "polygon"
file = "zones/box.geojson"
accuracy_m = 250.0
from = 2025-03-01T00:00:00Z
to = 2025-04-01T00:00:00Z

[[provision]]
id = "P1"
title = "No strikes on energy"
text = { en = "text/p1.en.md" }
acts = ["A7", "A9", "G2"]
objects = ["energy"]
zone = "everywhere"
exceptions = [{ act = "Z1", text = "notified exercise" }]

[[provision.in_force]]
reading = "from the first call"
from = 2025-03-18T00:00:00+03:00
to = 2025-04-17T00:00:00+03:00

[[provision.in_force]]
reading = "from the joint statement"
from = "2025-03-25T00:00[Europe/Kyiv]"
"#;

fn files(manifest: &str) -> Files {
    let square = r#"{"type":"Polygon","coordinates":[[[37,48],[38,48],[38,49],[37,49],[37,48]]]}"#;
    Files::from([
        ("agreement.toml".into(), manifest.as_bytes().to_vec()),
        ("text/p1.en.md".into(), b"No strikes.".to_vec()),
        ("zones/box.geojson".into(), square.as_bytes().to_vec()),
    ])
}

fn good() -> Agreement {
    parse(&files(GOOD)).unwrap()
}

/// Replaces a piece of the good package; gives the error's line and text.
fn broken(from: &str, to: &str) -> (usize, String) {
    assert!(GOOD.contains(from), "`{from}` is not in the fixture");
    let error = parse(&files(&GOOD.replacen(from, to, 1))).unwrap_err();
    (error.line, error.to_string())
}

fn line_of(text: &str) -> usize {
    GOOD.lines().position(|line| line.contains(text)).unwrap() + 1
}

#[test]
fn a_package_reads_whole() {
    let agreement = good();
    assert_eq!(agreement.title.get("uk"), "Енергетичне перемир'я");
    assert_eq!(agreement.title.get("fa"), "Energy moratorium");
    let provision = &agreement.provisions[0];
    assert!(provision.forbids(Class::A9) && !provision.forbids(Class::A4));
    assert_eq!(provision.text.get("en"), "No strikes.");
    assert_eq!(provision.in_force.readings().len(), 2);
    assert!(matches!(agreement.zones[1].geometry, Geometry::Band { to_m: 15_000.0, .. }));
}

#[test]
fn a_zone_holds_for_its_time_only() {
    let agreement = good();
    assert!(agreement.zone_at("box", "2025-03-15T00:00:00Z".parse().unwrap()).is_some());
    assert!(agreement.zone_at("box", "2025-04-15T00:00:00Z".parse().unwrap()).is_none());
}

#[test]
fn unknown_keys_are_named_with_line_and_nearest_key() {
    let (line, text) = broken("objects = ", "object = ");
    assert_eq!(line, line_of("objects = "));
    assert!(
        text.contains("unknown key `object`") && text.contains("did you mean `objects`?"),
        "{text}"
    );
}

#[test]
fn every_reference_is_checked() {
    let cases = [
        ("zone = \"everywhere\"", "zone = \"everywere\"", "did you mean `everywhere`?"),
        (
            "file = \"zones/box.geojson\"",
            "file = \"zones/bx.geojson\"",
            "did you mean `zones/box.geojson`?",
        ),
        ("text/p1.en.md", "text/p2.en.md", "did you mean `text/p1.en.md`?"),
        ("\"A7\", ", "\"A77\", ", "`A77` is not a class"),
        ("act = \"Z1\"", "act = \"Y1\"", "`Y1` is not a class"),
        ("kind = \"near_line\"", "kind = \"near\"", "`near` is not allowed here"),
        ("line = \"control-map\"\n", "", "`line` is missing"),
        (
            "kind = \"everywhere\"",
            "kind = \"everywhere\"\nwithin_m = 3",
            "`within_m` does not go with",
        ),
        ("within_m = 15000", "within_m = -1", "cannot be negative"),
        ("to = 2025-04-17", "to = 2024-04-17", "the end does not come after the start"),
        ("reading = \"from the first call\"\n", "", "the reading has no name"),
        ("from the joint statement", "from the first call", "same name"),
        ("acts = [\"A7\", \"A9\", \"G2\"]", "acts = []", "at least one act"),
        ("from = 2025-03-18T00:00:00+03:00", "from = 2025-03-18T00:00:00", "offset"),
        ("id = \"P1\"", "id = \"P 1\"", "letters, digits"),
    ];
    for (from, to, expected) in cases {
        let (line, text) = broken(from, to);
        assert!(line > 0 && text.contains(expected), "{from} -> {to}: line {line}\n{text}");
    }
}

#[test]
fn ids_are_never_reused() {
    let twice = format!("{GOOD}\n[[party]]\nid = \"a\"\nname = \"again\"\n");
    let error = parse(&files(&twice)).unwrap_err().to_string();
    assert!(error.contains("the party `a` is there twice"), "{error}");
}

#[test]
fn a_zone_file_that_is_no_polygon_says_so() {
    let mut package = files(GOOD);
    package.insert("zones/box.geojson".into(), br#"{"type":"Point","coordinates":[1,2]}"#.to_vec());
    let error = parse(&package).unwrap_err().to_string();
    assert!(error.contains("zones/box.geojson: it holds no Polygon"), "{error}");
}

#[test]
fn an_empty_folder_is_explained() {
    let error = parse(&Files::new()).unwrap_err().to_string();
    assert!(error.contains("agreement.toml") && error.contains("zones/"), "{error}");
}

proptest::proptest! {
    /// Whatever bytes stand in the files, parsing answers and never panics.
    #[test]
    fn damaged_packages_never_panic(cut in 0usize..1200, insert in ".{0,12}") {
        let mut text = GOOD.to_owned();
        let mut at = cut.min(text.len());
        while !text.is_char_boundary(at) { at -= 1; }
        text.insert_str(at, &insert);
        let _ = parse(&files(&text));
        text.truncate(at);
        let _ = parse(&files(&text));
    }
}
