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
