//! The agreement on the command line: lint, test, show, diff, compare, drill.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Sandbox, contents, with_filters};

fn package(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../agreements").join(name)
}

/// A sandbox with packages of the repository, under `agreements/`.
fn with_packages(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in names {
        let root = package(name);
        for (path, bytes) in contents(&root) {
            let inside = path.strip_prefix(&root).unwrap();
            sandbox.put(&format!("agreements/{name}/{}", inside.display()), &bytes);
        }
    }
    sandbox
}

#[test]
fn lint_test_show_and_diff_as_people_read_them() {
    let sandbox = with_packages(&["paris-2026", "paris-2026-draft", "energy-moratorium-2025"]);
    let lint = sandbox.expect("agreement lint agreements/energy-moratorium-2025", 0);
    let test =
        sandbox.expect("agreement test agreements/paris-2026 agreements/energy-moratorium-2025", 0);
    let clause = sandbox.expect("agreement show agreements/paris-2026 --clause clock-72h", 0);
    let diff =
        sandbox.expect("agreement diff agreements/paris-2026-draft agreements/paris-2026", 0);
    with_filters(|| {
        insta::assert_snapshot!("lint", lint.shown());
        insta::assert_snapshot!("test", test.shown());
        insta::assert_snapshot!("clause", clause.shown());
        insta::assert_snapshot!("diff", diff.shown());
    });
}

#[test]
fn a_page_names_every_clause_and_every_reading() {
    let sandbox = with_packages(&["energy-moratorium-2025"]);
    sandbox.expect("agreement show agreements/energy-moratorium-2025 --html page.html", 0);
    let page = fs::read_to_string(sandbox.path().join("page.html")).unwrap();
    for words in
        ["provision-M5", "from 18 March, thirty days", "energy and infrastructure", "contested"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_mistake_is_shown_with_its_line() {
    let sandbox = with_packages(&["easter-2025"]);
    let manifest = sandbox.path().join("agreements/easter-2025/agreement.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replacen("zone = \"unstated\"", "zone = \"unstatet\"", 1)).unwrap();
    let told = sandbox.expect("agreement lint agreements/easter-2025", 2);
    assert!(told.err.contains("did you mean `unstated`?"), "{}", told.shown());
    let test = sandbox.path().join("agreements/easter-2025/tests/truce.toml");
    fs::write(&manifest, &text).unwrap();
    let tests = fs::read_to_string(&test).unwrap();
    fs::write(&test, tests.replacen("expect = \"match\"", "expect = \"no_match\"", 1)).unwrap();
    let told = sandbox.expect("agreement test agreements/easter-2025", 1);
    assert!(told.out.contains("FAILED") && told.out.contains("truce.toml:"), "{}", told.shown());
}

/// The negotiator's tool on the exercise, whose parties disagree about the
/// start of article 8.
#[test]
fn compare_lists_the_incidents_on_which_readings_differ() {
    let sandbox = Sandbox::with_exercise();
    sandbox.expect("replay case --data data --out out --key-seed 1", 0);
    let before = contents(&sandbox.path().join("out/mission"));
    let told = sandbox.expect("agreement compare case/agreement --mission out/mission", 0);
    assert!(told.out.contains("EXERCISE"), "{}", told.shown());
    for words in ["from signature", "from the truce", "in_force"] {
        assert!(told.out.contains(words), "{words}\n{}", told.shown());
    }
    let json =
        sandbox.expect("agreement compare case/agreement --mission out/mission --format json", 0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let differences = json["differences"].as_array().unwrap();
    assert!(!differences.is_empty());
    for one in differences {
        assert_eq!(
            (&one["provision"], &one["because_of"][0]),
            (&"8".into(), &"in_force".into()),
            "{one}"
        );
    }
    // What would be triggered stands in every form.
    let line = "agreement compare case/agreement --mission out/mission --triggers --format";
    let triggered = json["triggered"].as_array().unwrap();
    let csv = sandbox.expect(&format!("{line} csv"), 0).out;
    assert!(!triggered.is_empty());
    assert_eq!(csv.lines().count(), triggered.len() + 1, "{csv}");
    let table = sandbox.expect(&format!("{line} table"), 0).out;
    for (one, row) in triggered.iter().zip(csv.lines().skip(1)) {
        let (id, result) = (one["id"].as_str().unwrap(), one["result"].as_str().unwrap());
        assert!(row.contains(id) && row.contains(result), "{one}\n{row}");
        assert!(table.contains(id) && table.contains(result), "{one}\n{table}");
    }
    // Another version: the ban on aircraft taken out.
    for (path, bytes) in contents(&sandbox.path().join("case/agreement")) {
        let inside = path.strip_prefix(sandbox.path().join("case/agreement")).unwrap().to_owned();
        let bytes = if inside.ends_with("agreement.toml") {
            let text = String::from_utf8(bytes).unwrap();
            text.replacen("acts = [\"A9\", \"D2\"]", "acts = [\"D2\"]", 1).into_bytes()
        } else {
            bytes
        };
        sandbox.put(&format!("draft/{}", inside.display()), &bytes);
    }
    let told =
        sandbox.expect("agreement compare case/agreement --against draft --mission out/mission", 0);
    assert!(told.out.contains("of 5"), "{}", told.shown());
    assert_eq!(before, contents(&sandbox.path().join("out/mission")), "compare only reads");
}

/// An exercise never touches a record, and every output says what it is.
#[test]
fn drill_is_marked_exercise_and_touches_nothing() {
    let sandbox = with_packages(&["paris-2026"]);
    sandbox.put(
        "salvo.toml",
        b"title = \"a salvo a month after the ceasefire\"\nas_of = \"2026-04-02T00:00:00Z\"\n[events]\nceasefire = \"2026-03-01T00:00:00Z\"\n[[happening]]\nid = \"salvo\"\nat = \"2026-04-01T03:00:00Z\"\nclass = \"A7\"\nby = \"ru\"\nseverity = \"S2\"\nstandard = \"S4\"\nbreaches = [\"CF\"]\n",
    );
    let before = contents(sandbox.path());
    let told = sandbox.expect("drill agreements/paris-2026 --scenario salvo.toml", 0);
    assert!(
        told.out.starts_with("EXERCISE")
            && told.out.trim_end().ends_with("nothing here is in the record")
    );
    with_filters(|| insta::assert_snapshot!("drill", told.shown()));
    let csv = sandbox.expect("drill agreements/paris-2026 --scenario salvo.toml --format csv", 0);
    assert!(csv.out.lines().count() > 3, "{}", csv.out);
    assert!(csv.out.lines().skip(1).all(|line| line.starts_with("EXERCISE,")), "{}", csv.out);
    let json = sandbox.expect("drill agreements/paris-2026 --scenario salvo.toml --format json", 0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["exercise"], true);
    for commitment in json["commitments"].as_array().unwrap() {
        assert_eq!(commitment["exercise"], true);
        assert!(
            commitment["calls"].as_array().unwrap().iter().all(|call| call["exercise"] == true)
        );
    }
    let told = sandbox
        .expect("drill agreements/paris-2026 --class A7 --at 2026-04-01T03:00:00Z --by rus", 2);
    assert!(told.err.contains("did you mean `ru`?"), "{}", told.shown());
    assert_eq!(before, contents(sandbox.path()));
}

/// Quotations are spans of documents that the user has, and of no others.
#[test]
fn quotations_come_from_the_users_own_copy() {
    let sandbox = with_packages(&["easter-2025"]);
    let manifest = sandbox.path().join("agreements/easter-2025/agreement.toml");
    let speech = "We cease fire from six in the evening. No more.";
    let text = fs::read_to_string(&manifest).unwrap();
    let document = format!(
        "[[document]]\nid = \"speech\"\ntitle = \"Speech\"\nsha256 = \"{}\"\n\n[[provision]]\n",
        domain::state::digest(speech.as_bytes())
    );
    let cited = text
        .replacen(
            "citation = \"statement of 19 April 2025\"\nnote",
            "citation = { document = \"speech\", span = [3, 13] }\nnote",
            1,
        )
        .replacen("[[provision]]\n", &document, 1);
    assert!(cited.contains("span = [3, 13]"));
    fs::write(&manifest, cited).unwrap();
    let show = "agreement show agreements/easter-2025 --documents texts";
    fs::create_dir(sandbox.path().join("texts")).unwrap();
    let told = sandbox.expect(show, 0).out;
    assert!(told.contains("speech: not quoted, no file in texts has the SHA-256"), "{told}");
    sandbox.put("texts/speech.txt", b"We cease fire, perhaps.");
    let told = sandbox.expect(show, 0).out;
    assert!(told.contains("is another copy"), "{told}");
    assert!(!told.contains("cease fire,"), "{told}");
    sandbox.put("texts/2025/as-given.txt", speech.as_bytes());
    let told = sandbox.expect(show, 0).out;
    assert!(told.contains("\u{201c}cease fire\u{201d} [speech, characters 3 to 13"), "{told}");
    let told = sandbox.expect("agreement show agreements/easter-2025", 0).out;
    assert!(!told.contains("quoted"), "{told}");
}

/// The documents of the shipped packages, where the reader has them.
#[test]
fn the_shipped_spans_lie_inside_their_documents() {
    let Ok(shared) = std::env::var("TRUCELINE_SHARED") else {
        eprintln!(
            "TRUCELINE_SHARED is not set: the documents are not at hand, nothing was checked"
        );
        return;
    };
    let sandbox = with_packages(&["paris-2026"]);
    let told = sandbox
        .expect(&format!("agreement show agreements/paris-2026 --documents {shared}/seeds"), 0)
        .out;
    assert!(told.contains("characters 1276"), "{told}");
    assert!(!told.contains("not quoted"), "{told}");
}
