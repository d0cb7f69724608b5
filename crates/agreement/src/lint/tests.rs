use super::lint;
use crate::package::{Files, read};

const HEAD: &str = "[agreement]\nid = \"t\"\nversion = 1\ntitle = \"T\"\n\n[[party]]\nid = \"a\"\nname = \"A\"\n\n[[party]]\nid = \"b\"\nname = \"B\"\n";

const BODY: &str = r#"
[[zone]]
id = "all"
name = "all"
kind = "everywhere"

[[provision]]
id = "1"
title = "No fire"
acts = ["A"]
zone = "all"
[[provision.in_force]]
from = 2030-01-01T00:00:00Z
"#;

/// Codes with subjects, and the lines they point at.
fn codes(text: &str) -> Vec<(String, usize)> {
    let files = Files::from([("agreement.toml".to_owned(), text.as_bytes().to_vec())]);
    let package = read(&files).unwrap();
    lint(&package.agreement)
        .iter()
        .map(|problem| {
            let line = problem.diagnostic(&package.text).line;
            (format!("{} {}", problem.code, problem.subject), line)
        })
        .collect()
}

fn has(text: &str, code: &str) -> bool {
    codes(text).iter().any(|(found, _)| found == code)
}

/// VERIFICATION D13, R: class, object, zone, start, end, baseline, exceptions;
/// what is missing is said, with the line.
#[test]
fn d13_a_vague_ban_is_told_what_it_lacks() {
    let text = format!("{HEAD}{BODY}");
    let found = codes(&text);
    let line = text.lines().position(|line| line == "[[provision]]").unwrap() + 1;
    assert!(found.contains(&("not-verifiable provision 1".into(), line)), "{found:?}");
    assert!(found.iter().filter(|(code, _)| code == "incomplete provision 1").count() >= 2);
}

/// VERIFICATION D13, T (the lint half): contested fields are named as such.
#[test]
fn d13_contested_fields_are_warned_of_one_by_one() {
    let text = format!("{HEAD}{BODY}").replace(
        "from = 2030-01-01T00:00:00Z\n",
        "reading = \"x\"\nfrom = 2030-01-01T00:00:00Z\n[[provision.in_force]]\nreading = \"y\"\nfrom = 2030-01-02T00:00:00Z\n",
    );
    assert!(has(&text, "contested provision 1"));
    assert!(!has(&format!("{HEAD}{BODY}"), "contested provision 1"));
}

/// VERIFICATION D14, R: per party, versioned, with accuracy; two rows that
/// hold at once for the same forces are an error, a gap in time is a warning.
#[test]
fn d14_zone_rows_may_not_contradict_and_gaps_are_seen() {
    let belt = |party: &str, from: &str, accuracy: &str| {
        format!(
            "\n[[zone]]\nid = \"belt\"\nname = \"belt\"\nkind = \"near_line\"\nline = \"map\"\nwithin_m = 1000\n{accuracy}{party}{from}"
        )
    };
    let use_it = BODY.replace("zone = \"all\"", "zone = \"belt\"");
    let sure = "accuracy_m = 100\n";
    let twice = format!("{HEAD}{use_it}{}{}", belt("", "", sure), belt("", "", sure));
    assert!(has(&twice, "zone-twice zone belt"));
    let per_party = format!(
        "{HEAD}{use_it}{}{}",
        belt("party = \"a\"\n", "", sure),
        belt("party = \"b\"\n", "", sure)
    );
    assert!(!has(&per_party, "zone-twice zone belt"));
    let exact = format!("{HEAD}{use_it}{}", belt("", "", ""));
    assert!(has(&exact, "no-accuracy zone belt") && !has(&per_party, "no-accuracy zone belt"));
    let late = format!("{HEAD}{use_it}{}", belt("", "from = 2030-02-01T00:00:00Z\n", sure));
    assert!(has(&late, "time-gap provision 1") && !has(&per_party, "time-gap provision 1"));
}

#[test]
fn d14_belts_that_leave_a_strip_between_them_are_seen() {
    let ring = |id: &str, from: u32, to: u32| {
        format!(
            "\n[[zone]]\nid = \"{id}\"\nname = \"{id}\"\nkind = \"ring\"\nline = \"map\"\nfrom_m = {from}\nto_m = {to}\naccuracy_m = 100\n"
        )
    };
    let gap = format!("{HEAD}{BODY}{}{}", ring("r1", 0, 1000), ring("r2", 2000, 3000));
    assert!(has(&gap, "space-gap zone r2"));
    let none = format!("{HEAD}{BODY}{}{}", ring("r1", 0, 2000), ring("r2", 2000, 3000));
    assert!(!has(&none, "space-gap zone r2"));
}

/// VERIFICATION D15, R: absence of the list is itself a breach, with a clock.
#[test]
fn d15_an_inventory_that_was_not_supplied_or_has_no_clock_is_seen() {
    let inventory = "\n[[inventory]]\nid = \"i\"\nparty = \"a\"\nsite = \"s\"\nprovision = \"1\"\n";
    let text = format!("{HEAD}{BODY}{inventory}");
    assert!(has(&text, "no-inventory inventory i") && has(&text, "no-clock inventory i"));
}

#[test]
fn a_ban_and_a_permission_on_the_same_ground_conflict() {
    let permission = BODY[BODY.find("[[provision]]").unwrap()..]
        .replace("id = \"1\"", "id = \"2\"\nkind = \"permission\"")
        .replace("[\"A\"]", "[\"A12\"]");
    assert!(has(&format!("{HEAD}{BODY}\n{permission}"), "conflict provision 2"));
    let other = permission.replace("A12", "C1");
    assert!(!has(&format!("{HEAD}{BODY}\n{other}"), "conflict provision 2"));
}

#[test]
fn triggers_that_contradict_or_go_in_circles_are_errors() {
    let circle = "\n[[condition]]\nid = \"c1\"\ntitle = \"c\"\ntest = { named = \"c2\" }\n[[condition]]\nid = \"c2\"\ntitle = \"c\"\ntest = { not = { named = \"c1\" } }\n";
    assert!(has(&format!("{HEAD}{BODY}{circle}"), "circular condition c1"));
    let never = "\n[[event]]\nid = \"e\"\nname = \"e\"\n[[condition]]\nid = \"c1\"\ntitle = \"c\"\ntest = { all = [{ event = \"e\" }, { not = { event = \"e\" } }] }\n";
    assert!(has(&format!("{HEAD}{BODY}{never}"), "unreachable condition c1"));
    let open =
        "\n[[condition]]\nid = \"c1\"\ntitle = \"c\"\ntest = { undefined = \"provocation\" }\n";
    assert!(has(&format!("{HEAD}{BODY}{open}"), "undefined condition c1"));
}

#[test]
fn promises_nobody_confirmed_or_backs_are_seen() {
    let commitment = "\n[[guarantor]]\nid = \"g\"\nname = \"G\"\n[[commitment]]\nid = \"c\"\ntitle = \"c\"\nobligors = [\"g\"]\nbeneficiary = \"a\"\nactions = [\"commit_forces\"]\nfunctions = [\"defend\"]\nstrength = \"political\"\nmodality = \"made\"\nasserted_by = \"a\"\n";
    let text = format!("{HEAD}{BODY}{commitment}");
    for code in [
        "not-confirmed commitment c",
        "not-backed commitment c",
        "not-verifiable commitment c",
        "unbacked-provision provision 1",
    ] {
        assert!(has(&text, code), "{code}: {:?}", codes(&text));
    }
    let better = text.replace("asserted_by = \"a\"", "asserted_by = \"g\"\nanswers = [\"1\"]")
        + "[[ladder]]\nguarantor = \"g\"\nstep = \"announced\"\n";
    for code in
        ["not-confirmed commitment c", "not-backed commitment c", "unbacked-provision provision 1"]
    {
        assert!(!has(&better, code), "{code}: {:?}", codes(&better));
    }
}

/// VERIFICATION E3: thresholds per class; the closest holds, and a stronger
/// standard asks for at least as much, class by class.
#[test]
fn thresholds_are_per_class_and_their_order_is_checked() {
    let with = |rows: &[(&str, &str, f64)]| {
        let rows: String = rows
            .iter()
            .map(|(standard, classes, p)| {
                format!("[[threshold]]\nstandard = \"{standard}\"\nclasses = [{classes}]\nprobability = {p}\n")
            })
            .collect();
        format!("{HEAD}{rows}{BODY}")
    };
    let sound = with(&[("S3", "", 0.9), ("S3", "\"A\"", 0.92), ("S3", "\"A9\"", 0.95)]);
    assert!(!codes(&sound).iter().any(|(code, _)| code.starts_with("threshold")));
    let files = Files::from([("agreement.toml".to_owned(), sound.into_bytes())]);
    let it = read(&files).unwrap().agreement;
    let of = |class| it.strictest_threshold(crate::Standard::S3, class);
    let classes = [None, Some(domain::Class::B1), Some(domain::Class::A3), Some(domain::Class::A9)];
    assert_eq!(classes.map(of), [Some(0.9), Some(0.9), Some(0.92), Some(0.95)]);
    assert_eq!(it.strictest_threshold(crate::Standard::S5, None), None);

    let twice = with(&[("S3", "\"A1\", \"A2\"", 0.9), ("S3", "\"A2\"", 0.95)]);
    assert!(has(&twice, "threshold-twice threshold S3"));
    // Class A9 alone asks for less in the stronger standard.
    let upside_down = with(&[("S2", "", 0.8), ("S3", "", 0.9), ("S3", "\"A9\"", 0.7)]);
    assert!(has(&upside_down, "threshold-order threshold S3"));
}
