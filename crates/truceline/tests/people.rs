//! Keys, cases and obligations on the command line, as people use them.

mod common;

use common::Sandbox;

#[test]
fn a_person_with_a_key_acts_and_the_record_judges() {
    let sandbox = Sandbox::new();
    let told = sandbox.expect("demo --dir .", 0).out;
    for words in [
        "NO EFFECT [same_contingent]",
        "verified violation",
        "LATE by",
        "dissent",
        "acknowledged",
        "lapsed",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    // A second run takes nothing up twice.
    let again = sandbox.expect("demo --dir .", 0);
    let digest = |text: &str| {
        text.lines().find_map(|line| line.strip_prefix("state digest")).map(str::to_owned)
    };
    assert_eq!(digest(&again.out), digest(&told));

    sandbox.put("word", b"open sesame\n");
    let create = "keys create mission --person X-1 --role analyst --contingent GR \
                  --from 2031-06-01T00:00:00Z --to 2031-09-01T00:00:00Z --passphrase-file word";
    assert!(sandbox.expect(create, 0).out.contains("encrypted; declared in entry"));
    assert!(sandbox.expect("keys list mission", 0).out.contains("X-1.analyst.GR"));
    assert!(sandbox.expect("keys show X-1.analyst.key", 0).out.contains("Argon2id, 65536 KiB"));
    let file = std::fs::read_to_string(sandbox.path().join("X-1.analyst.key")).unwrap();
    assert!(file.contains("sealed_seed") && !file.contains("PRIVATE"));

    // A finding on which nobody has acted, with its ten checks.
    let csv = sandbox.expect("findings mission --format csv", 0).out;
    let untouched = csv
        .lines()
        .skip(1)
        .find(|line| line.ends_with("reported") && line.contains("2031-06-13"))
        .and_then(|line| line.split(',').next())
        .expect("most findings are reported and no more")
        .to_owned();
    let checks = sandbox.expect(&format!("findings mission --explain {untouched}"), 0).out;
    assert!(checks.contains(" 2 structure") && checks.contains("10 ledger"), "{checks}");
    assert!(checks.contains("MISSING"), "{checks}");

    let with = "--key X-1.analyst.key --passphrase-file word --at 2031-06-16T10:00:00Z";
    let triage = format!("case triage mission {untouched} {with} --severity S2");
    assert!(sandbox.expect(&triage, 0).out.contains("status reported"));
    let seal = format!("case seal mission {untouched} {with} --ruling verified");
    assert!(sandbox.expect(&seal, 1).out.contains("has no effect [role_may_not]"));
    let old =
        format!("case triage mission {untouched} --severity S1 {}", with.replace("-16T", "-12T"));
    assert!(sandbox.expect(&old, 1).out.contains("[received_out_of_order]"));
    sandbox.put("wrong", b"open barley\n");
    let wrong = sandbox.expect(&triage.replace("file word", "file wrong"), 2);
    assert!(wrong.err.contains("passphrase is wrong"), "{}", wrong.err);
    assert!(sandbox.expect("case list mission", 0).out.contains(&untouched));
    assert!(sandbox.expect("case steps mission", 0).out.contains("role_may_not"));

    // Signed here, taken in there; nonsense is recorded and changes nothing.
    sandbox.expect(&format!("{triage} --out letter.json"), 0);
    sandbox.put("nonsense.json", b"{}");
    let nonsense = sandbox.expect("case file mission nonsense.json --at 2031-06-16T11:00:00Z", 1);
    assert!(nonsense.out.contains("[unreadable]"), "{}", nonsense.out);

    // Words in the language that is asked for, from the one table.
    let explain = format!("findings mission --explain {untouched} --language");
    assert!(sandbox.expect(&format!("{explain} uk"), 0).out.contains("впевненість"));
    assert!(sandbox.expect(&format!("{explain} fa"), 0).out.contains("اطمینان"));
    assert!(sandbox.expect(&format!("{explain} de"), 2).err.contains("known: en, uk, ru, fa"));

    // The officer grades the information; the record grades the source.
    let later = with.replace("T10:00", "T11:30");
    let grade = format!("case grade mission {untouched} {later} --credibility");
    let graded = sandbox.expect(&format!("{grade} 3"), 0).out;
    assert!(graded.contains("possibly true") && graded.contains("reliability F"), "{graded}");
    let shown = sandbox.expect(&format!("case show mission {untouched}"), 0).out;
    assert!(shown.contains("information 3 possibly true"), "{shown}");
    assert!(sandbox.expect(&format!("{grade} 7"), 2).err.contains('7'));

    // The report in its chapters, of a case in work and of a closed one.
    let draft = sandbox.expect(&format!("case report mission {untouched}"), 0).out;
    assert!(draft.contains("No conclusion yet"), "{draft}");
    let list = sandbox.expect("case list mission", 0).out;
    let verified = list.lines().find(|line| line.contains("verified violation")).unwrap();
    let verified = verified.split_whitespace().next().unwrap();
    let report = sandbox.expect(&format!("case report mission {verified}"), 0).out;
    let chapters = [
        "1. Reference, date, classification",
        "2. Executive summary",
        "3. Introduction and mandate",
        "4. Allegation",
        "5. Investigation",
        "6. Sequence of events",
        "7. Findings",
        "8. Analysis and articles breached",
        "9. Conclusion\n   Violation.",
        "10. Recommendations",
        "11. Responses",
        "A. Annex: the record",
    ];
    let mut rest = report.as_str();
    for chapter in chapters {
        let at =
            rest.find(chapter).unwrap_or_else(|| panic!("{chapter} in its place in\n{report}"));
        rest = &rest[at..];
    }
    assert!(report.contains("дуже ймовірно") || report.contains("майже напевно"), "{report}");
    let json = sandbox.expect(&format!("case report mission {verified} --format json"), 0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["chapters"].as_array().unwrap().len(), 13);
    sandbox.expect(&format!("case report mission {verified} --html finding.html"), 0);
    let page = std::fs::read_to_string(sandbox.path().join("finding.html")).unwrap();
    assert!(page.contains("EXERCISE") && page.contains("id=\"chapter-9\""));

    let revoke = "keys revoke mission X-1.analyst.GR --reason left --at 2031-06-16T12:00:00Z";
    sandbox.expect(revoke, 0);
    let late = triage.replace("T10:00", "T13:00");
    assert!(sandbox.expect(&late, 1).out.contains("[revoked]"));

    let owed = sandbox.expect("obligations mission --guarantor COR", 0).out;
    assert!(owed.contains("lapsed") && owed.contains("signed"), "{owed}");
    let live = sandbox.expect("commitments mission --live", 0).out;
    assert!(live.contains("operational") && !live.contains("air defence"), "{live}");
    let all = sandbox.expect("commitments mission", 0).out;
    assert!(all.contains("not undertaken: claimed by others"), "{all}");
    assert!(all.contains("an endorsement is no guarantee"), "{all}");
    assert!(
        sandbox
            .expect("commitments mission --pledges", 0)
            .out
            .contains("undecided as of 2031-05-20")
    );
    let without = sandbox.expect("commitments mission --without ARD", 0).out;
    assert!(without.contains("respond: owed by BRE only"), "{without}");
    assert!(sandbox.expect("commitments mission --without XX", 2).err.contains("known: ARD"));
    sandbox.expect("verify mission", 0);
}

#[test]
fn the_red_team_gives_the_same_figures_for_the_same_seed() {
    let sandbox = Sandbox::new();
    let one = sandbox.expect("red-team --cases 4 --seed 3", 0).out;
    assert_eq!(one, sandbox.expect("red-team --cases 4 --seed 3", 0).out);
    assert!(one.contains("EXERCISE") && one.contains("one claim in many copies"), "{one}");
}

/// Field reports, restrictions and allegations have commands of their own.
#[test]
fn what_is_about_no_finding_is_signed_listed_and_compared() {
    let sandbox = Sandbox::with_exercise();
    sandbox.expect("init case mission --key-seed 1", 0);
    sandbox.expect("ingest mission --data data", 0);
    sandbox.put("word", b"open sesame\n");
    for (person, role, contingent) in
        [("F-1", "field_monitor", "GR"), ("N-1", "reply_agent", "north")]
    {
        sandbox.expect(
            &format!(
                "keys create mission --person {person} --role {role} --contingent {contingent} \
                 --from 2031-06-01T00:00:00Z --to 2031-09-01T00:00:00Z --passphrase-file word"
            ),
            0,
        );
    }
    let with = |key: &str, hour: u32| {
        format!("--key {key}.key --passphrase-file word --at 2031-06-16T{hour:02}:00:00Z")
    };
    let monitor = |hour| with("F-1.field_monitor", hour);
    sandbox.put("raw.txt", b"Two houses hit.\nNobody hurt.\n");
    let raw = format!(
        "field report mission --name patrol-7 --text raw.txt --captured 2031-06-16T09:00:00Z {}",
        monitor(10)
    );
    let told = sandbox.expect(&raw, 0).out;
    let entry = told.split(['y', ':']).nth(1).unwrap().trim().to_owned();
    assert!(sandbox.expect("field diff mission patrol-7", 0).out.contains("stands as it was"));
    sandbox.put("edited.txt", b"Three houses hit.\nNobody hurt.\n");
    let edit = format!(
        "field edit mission --report {entry} --text edited.txt --reason recounted {}",
        monitor(11)
    );
    sandbox.expect(&edit, 0);
    let diff = sandbox.expect("field diff mission patrol-7", 0).out;
    for words in ["-Two houses hit.", "+Three houses hit.", "edited by F-1", "recounted"] {
        assert!(diff.contains(words), "{words} in\n{diff}");
    }
    assert_eq!(sandbox.expect("field reports mission --format csv", 0).out.lines().count(), 3);
    for hour in [12, 13] {
        let restrict = format!(
            "field restrict mission --party north --kind denial --place Dun --minutes 90 {}",
            monitor(hour)
        );
        sandbox.expect(&restrict, 0);
    }
    let report = sandbox.expect("report mission --day 2031-06-16 --format table", 0).out;
    assert_eq!(report.matches("was kept from looking by north at Dun").count(), 2, "{report}");
    let restrictions = sandbox.expect("field restrictions mission", 0).out;
    assert!(restrictions.contains("E1") && restrictions.contains("Dun"), "{restrictions}");
    let allege = format!(
        "field allege mission --party north --conduct shelling --place Dun {}",
        with("N-1.reply_agent", 14)
    );
    sandbox.expect(&allege, 0);
    let allegations = sandbox.expect("field allegations mission --format csv", 0).out;
    assert!(allegations.contains("insufficient particulars,\"time, evidence\""), "{allegations}");
    // An allegation in another's name has no effect.
    let forged = allege.replace("--party north", "--party south").replace("T14", "T15");
    assert!(sandbox.expect(&forged, 1).out.contains("[not_yours]"));
    sandbox.expect("verify mission", 0);
}

/// Where the case asks for it, heads of contingents vouch for keys.
#[test]
fn a_key_signs_nothing_before_its_contingent_vouches_for_it() {
    let sandbox = Sandbox::with_exercise();
    let case = sandbox.path().join("case/case.toml");
    let text = std::fs::read_to_string(&case).unwrap();
    std::fs::write(&case, text.replacen("[case]\n", "[case]\ncountersigned_keys = true\n", 1))
        .unwrap();
    sandbox.expect("init case mission --key-seed 1", 0);
    sandbox.expect("ingest mission --data data", 0);
    sandbox.put("word", b"open sesame\n");
    for (person, role) in [("GR-0", "contingent_head"), ("A-1", "analyst")] {
        let create = format!(
            "keys create mission --person {person} --role {role} --contingent GR \
             --from 2031-06-01T00:00:00Z --to 2031-09-01T00:00:00Z --passphrase-file word"
        );
        sandbox.expect(&create, 0);
    }
    let csv = sandbox.expect("findings mission --format csv", 0).out;
    let finding = csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let triage = |hour: u32| {
        format!(
            "case triage mission {finding} --severity S2 --key A-1.analyst.key --passphrase-file word \
             --at 2031-06-26T{hour:02}:00:00Z"
        )
    };
    let refused = sandbox.expect(&triage(1), 1).out;
    assert!(refused.contains("[not_countersigned]"), "{refused}");
    assert!(sandbox.expect("keys list mission", 0).out.contains("no: signs nothing"));
    sandbox.expect(
        "keys countersign mission A-1.analyst.GR --key GR-0.contingent_head.key \
         --passphrase-file word --at 2031-06-26T02:00:00Z",
        0,
    );
    let list = sandbox.expect("keys list mission", 0).out;
    assert!(list.contains("in entry") && list.contains("first of its contingent"), "{list}");
    assert!(sandbox.expect(&triage(3), 0).out.contains("status reported"));
    sandbox.expect("verify mission", 0);
}

/// Every command line of the pages on casework and guarantees runs.
#[test]
fn the_examples_of_the_pages_run() {
    let sandbox = Sandbox::new();
    sandbox.expect("demo --dir .", 0);
    std::fs::rename(sandbox.path().join("mission"), sandbox.path().join("MISSION")).unwrap();
    sandbox.put("notes.txt", b"Two houses hit.\n");
    sandbox.put("notes-2.txt", b"Three houses hit.\n");
    sandbox.put("act.json", b"{\"do\":\"calibrate\",\"classes\":[\"A\"],\"from\":\"2031-05-01T00:00:00Z\",\"to\":\"2031-06-01T00:00:00Z\",\"error\":0.02,\"cases\":200}");
    let first = |csv: &str| csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let finding = first(&sandbox.expect("findings MISSION --format csv", 0).out);
    let json = sandbox.expect("obligations MISSION --format json", 0).out;
    let obligation = json.split('"').find(|word| word.starts_with("obl_")).unwrap().to_owned();
    let key = |person: &str, role: &str, contingent: &str, file: &str| {
        let made = sandbox.shell(&format!(
            "TRUCELINE_PASSPHRASE=x $T keys create MISSION --person {person} --role {role} --contingent {contingent} \
             --from 2026-01-01T00:00:00Z --to 2032-01-01T00:00:00Z --out {file}"
        ));
        assert_eq!(made.code, Some(0), "{}", made.shown());
    };
    for (person, role, contingent, file) in [
        ("G-01", "watch_officer", "BRE", "G-01.key"),
        ("A-01", "analyst", "EE", "A-01.key"),
        ("F-01", "field_monitor", "CZ", "F-01.key"),
        ("N-01", "reply_agent", "north", "N-01.key"),
        ("FI-0", "contingent_head", "FI", "FI-0.key"),
    ] {
        key(person, role, contingent, file);
    }
    let mut ran = 0;
    for page in ["casework.md", "guarantees.md"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
        let text = std::fs::read_to_string(path).unwrap().replace("\\\n  ", "");
        for line in text.lines().filter(|line| line.starts_with("truceline ")) {
            // What a line is for stands after three spaces or more.
            let command = line.split("   ").next().unwrap();
            let command = command
                .replacen("truceline", "$T", 1)
                .replace("fnd_4x9k", &finding)
                .replace("obl_4x9k", &obligation);
            let told = sandbox.shell(&format!("TRUCELINE_PASSPHRASE=x {command}"));
            // The machine's clock stands before the exercise: what is filed now
            // is recorded and refused as out of order.
            let recorded = told.code == Some(1) && told.out.contains("has no effect");
            assert!(told.code == Some(0) || recorded, "{page}: {line}\n{}", told.shown());
            ran += 1;
        }
    }
    assert!(ran >= 18, "{ran} examples");
}
