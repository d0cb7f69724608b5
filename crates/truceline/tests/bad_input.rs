//! What is wrong with the world: each gives a clear error or a line in the
//! quarantine, never a panic, never a half-written record.

mod common;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};

use common::{Sandbox, Told, with_filters};

const FIRES: &str = "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight\n";
const FIRE: &str = "46.15,-34.01,320.1,1.2,1.1,2031-06-12,1012,Terra,75,6.1NRT,290.0,12.5,D\n";
const PRESS: &str = "published,headline,place,lat,lon,outlet\n";

/// A mission of the exercise without any file yet.
fn mission() -> Sandbox {
    let sandbox = Sandbox::with_exercise();
    sandbox.expect("init case mission", 0);
    sandbox
}

fn snapshot(name: &str, told: &Told) {
    with_filters(|| insta::assert_snapshot!(name.to_owned(), told.shown()));
}

/// Takes a file in for an input, and checks that the record is whole and goes on.
fn taken_in(name: &str, input: &str, file: &str, bytes: &[u8], code: i32) -> Told {
    let sandbox = mission();
    sandbox.put(file, bytes);
    let told = sandbox.expect(&format!("ingest mission --input {input} {file}"), code);
    snapshot(name, &told);
    sandbox.expect("verify mission", 0);
    // The same file again adds nothing; the next one is taken.
    let entries = |told: &Told| told.out.lines().next().unwrap_or_default().to_owned();
    let before = entries(&sandbox.expect("verify mission", 0));
    sandbox.run(&format!("ingest mission --input {input} {file}"));
    assert_eq!(before, entries(&sandbox.expect("verify mission", 0)), "{name}");
    sandbox.put("good.csv", format!("{FIRES}{FIRE}").as_bytes());
    let good = sandbox.expect("ingest mission --input hot-spots good.csv", 0);
    assert!(good.out.contains("hot-spots   1"), "{}", good.out);
    told
}

#[test]
fn a_truncated_table() {
    let text = format!("{FIRES}{FIRE}{}", &FIRE[..20]);
    taken_in("truncated", "hot-spots", "cut.csv", text.as_bytes(), 0);
}

#[test]
fn a_table_cut_within_quotes() {
    let text = format!("{PRESS}2031-06-12 10:00,\"shelling near the br");
    taken_in("cut-in-quotes", "press", "cut.csv", text.as_bytes(), 0);
}

#[test]
fn a_wrong_encoding() {
    let mut bytes = PRESS.as_bytes().to_vec();
    bytes.extend(b"2031-06-12 10:00,shelling heard,Coradale,46.2,-34.0,x\n");
    // Windows-1251, as old programs save Cyrillic.
    bytes.extend(b"2031-06-12 11:00,\xee\xe1\xf1\xf2\xf0\xe5\xeb,Coradale,46.2,-34.0,x\n");
    taken_in("windows-1251", "press", "cp1251.csv", &bytes, 0);
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain(format!("{FIRES}{FIRE}").encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    taken_in("utf-16", "hot-spots", "utf16.csv", &utf16, 1);
}

#[test]
fn swapped_columns() {
    // The names of the columns say what is what, in whichever order they stand.
    let renamed = FIRES.replace("latitude,longitude", "longitude,latitude");
    let in_order = "-34.01,46.15,320.1,1.2,1.1,2031-06-12,1012,Terra,75,6.1NRT,290.0,12.5,D\n";
    taken_in("other-order", "hot-spots", "o.csv", format!("{renamed}{in_order}").as_bytes(), 0);
    let told = taken_in("swapped", "hot-spots", "s.csv", format!("{renamed}{FIRE}").as_bytes(), 0);
    assert!(told.out.contains("quarantined"), "{}", told.out);
}

#[test]
fn coordinates_that_are_none() {
    let mut text = FIRES.to_owned();
    for lat in ["NaN", "nan", "inf", "-inf", "1e999", "91", "", "46,15", "0x2E", "46.15°"] {
        writeln!(text, "{lat},{}", &FIRE[6..].trim_end()).unwrap();
    }
    let told = taken_in("no-coordinates", "hot-spots", "nan.csv", text.as_bytes(), 0);
    assert!(told.out.contains("10          0          0          10"), "{}", told.out);
}

#[test]
fn no_table_at_all() {
    taken_in("empty", "hot-spots", "empty.csv", b"", 1);
    taken_in("header-only", "hot-spots", "header.csv", FIRES.as_bytes(), 0);
    taken_in("other-columns", "hot-spots", "other.csv", b"a,b\n1,2\n", 1);
    let page = "<!DOCTYPE html><title>502 Bad Gateway</title>";
    taken_in("error-page", "hot-spots", "page.csv", page.as_bytes(), 1);
    taken_in("no-geojson", "control-map", "control_20310612.geojson", b"{\"type\":", 1);
}

#[test]
fn an_archive_is_not_unpacked() {
    let sandbox = mission();
    // A hundred megabytes of zeros in a hundred kilobytes.
    let made = sandbox.shell(
        "head -c 100000000 /dev/zero | gzip -9 > bomb.csv; printf 'PK\\003\\004bomb' > zip.csv",
    );
    assert_eq!(made.code, Some(0), "{}", made.shown());
    snapshot("gzip", &sandbox.expect("ingest mission --input hot-spots bomb.csv", 1));
    snapshot("zip", &sandbox.expect("ingest mission --input hot-spots zip.csv", 1));
    sandbox.expect("verify mission", 0);
}

/// A line of 300 MB, read with less memory than that: the bound holds for a
/// line of any length.
#[test]
fn a_line_without_end() {
    let sandbox = mission();
    let path = sandbox.put("line.csv", format!("{FIRES}{FIRE}").as_bytes());
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    let block = vec![b'7'; 1 << 20];
    for _ in 0..300 {
        file.write_all(&block).unwrap();
    }
    file.write_all(format!("\n{}", FIRE.replace("46.15", "46.16")).as_bytes()).unwrap();
    drop(file);
    // RLIMIT_DATA bounds all memory that is written to.
    let told = sandbox
        .shell("ulimit -d 200000; exec $T --threads 1 ingest mission --input hot-spots line.csv");
    assert_eq!(told.code, Some(0), "{}", told.shown());
    snapshot("long-line", &told);
    sandbox.expect("verify mission", 0);
}

#[test]
fn paths_that_are_something_else() {
    let sandbox = mission();
    fs::create_dir(sandbox.path().join("folder.csv")).unwrap();
    sandbox.put("file", b"not a folder");
    let mut shown = String::new();
    for line in [
        "ingest mission --input hot-spots folder.csv",
        "ingest mission --input hot-spots not-there.csv",
        "ingest mission --input hotspots data/hot_spots/snapshots.csv",
        "ingest mission --data not-there",
        "ingest mission --data file",
        "ingest not-there --data data",
        "ingest data --data data",
        "init data elsewhere",
        "init case mission",
        "init case file",
        "init case file/mission",
        "replay case --data data --out file",
        "replay case --data case --out elsewhere",
        "demo --dir file",
        "prove mission 100000 --out proof",
        "prove mission 1 --out file",
        "report mission --out file",
        "incidents mission --explain inc_0000",
        "mappings not-there",
        "verify data",
    ] {
        let told = sandbox.expect(line, 2);
        write!(shown, "$ truceline {line}\n{}\n", told.shown()).unwrap();
    }
    with_filters(|| insta::assert_snapshot!("paths", shown));
    assert!(!sandbox.path().join("elsewhere").exists(), "a refused command left a folder");
    sandbox.expect("verify mission", 0);
}

/// Tests may run as root, who can write anywhere: something else stands where a
/// file or a folder has to be made.
#[test]
fn a_folder_that_cannot_be_written_to() {
    let mut shown = String::new();
    for (blocked, by_file, line) in [
        ("mission/derived", true, "derive mission"),
        ("mission/derived/state.jsonl", false, "derive mission"),
        ("mission/blobs/incoming", true, "ingest mission --data data"),
        ("mission/record/tile/entries", true, "ingest mission --data data"),
        ("mission/journal/pending", false, "ingest mission --data data"),
        ("mission/keys/log.key", false, "ingest mission --data data"),
    ] {
        let sandbox = mission();
        let path = sandbox.path().join(blocked);
        let aside = sandbox.path().join("aside");
        if path.exists() {
            fs::rename(&path, &aside).unwrap();
        }
        let inside = if by_file { String::new() } else { "/in/the/way".to_owned() };
        sandbox.put(&format!("{blocked}{inside}"), b"");
        let told = sandbox.expect(line, 2);
        write!(shown, "# in the way: {blocked}\n$ truceline {line}\n{}\n", told.shown()).unwrap();
        if by_file {
            fs::remove_file(&path).unwrap();
        } else {
            fs::remove_dir_all(&path).unwrap();
        }
        if aside.exists() {
            fs::rename(&aside, &path).unwrap();
        }
        sandbox.expect("ingest mission --data data", 0);
        sandbox.expect("derive mission", 0);
        sandbox.expect("verify mission", 0);
    }
    with_filters(|| insta::assert_snapshot!("in-the-way", shown));
}

/// The digest of an exercise that nothing disturbed.
fn undisturbed() -> String {
    let sandbox = mission();
    sandbox.expect("ingest mission --data data", 0);
    sandbox.expect("derive mission", 0).digest()
}

/// No file may grow beyond a limit: every write beyond fails, as on a full disk.
#[test]
fn a_disk_that_is_full() {
    let digest = undisturbed();
    for limit_kb in [1, 8, 40, 64, 200, 900] {
        let sandbox = mission();
        let told = sandbox.shell(&format!(
            "trap '' XFSZ; ulimit -f {limit_kb}; exec $T ingest mission --data data"
        ));
        if told.code != Some(0) {
            assert_eq!(told.code, Some(2), "{limit_kb} kB: {}", told.shown());
            assert!(told.err.starts_with("error: "), "{limit_kb} kB: {}", told.shown());
            assert!(!told.err.contains("panicked"), "{limit_kb} kB: {}", told.shown());
        }
        sandbox.expect("verify mission", 0);
        // With space again, the same command ends what it began.
        sandbox.expect("ingest mission --data data", 0);
        assert_eq!(sandbox.expect("derive mission", 0).digest(), digest, "{limit_kb} kB");
        sandbox.expect("verify mission", 0);
    }
}

/// The same on a file system that is really full, where one can be mounted.
#[test]
fn a_small_file_system() {
    let digest = undisturbed();
    let sandbox = Sandbox::with_exercise();
    fs::create_dir(sandbox.path().join("small")).unwrap();
    let mount = sandbox.shell("mount -t tmpfs -o size=1500k truceline-test small");
    if mount.code != Some(0) {
        println!("\n*** SKIPPED: no file system can be mounted here ***\n");
        return;
    }
    let told = sandbox.run("init case small/mission");
    let full = sandbox.run("ingest small/mission --data data");
    let verified = sandbox.run("verify small/mission");
    let moved = sandbox.shell("cp -a small/mission mission; umount small");
    assert_eq!(told.code, Some(0), "{}", told.shown());
    assert_eq!(full.code, Some(2), "{}", full.shown());
    assert!(full.err.contains("free some space"), "{}", full.shown());
    assert_eq!(verified.code, Some(0), "{}", verified.shown());
    assert_eq!(moved.code, Some(0), "{}", moved.shown());
    sandbox.expect("ingest mission --data data", 0);
    assert_eq!(sandbox.expect("derive mission", 0).digest(), digest);
    sandbox.expect("verify mission", 0);
}

/// Mistakes in what people write: file, line, column, and what to do.
#[test]
fn mistakes_in_a_case() {
    let mut shown = String::new();
    for (file, from, to) in [
        ("case.toml", "mapping = \"firms\"", "mapping = \"firm\""),
        ("case.toml", "source = \"hot-spots\"", "source = \"hot-spot\""),
        ("case.toml", "title =", "titel ="),
        ("case.toml", "files = \"press/*.csv\"", "files = \"../press/*.csv\""),
        ("case.toml", "agreement = \"agreement\"", "agreement = \"agrement\""),
        ("case.toml", "[window]", "[window"),
        ("agreement/agreement.toml", "acts = [\"A\"", "acts = [\"Q7\""),
        ("agreement/agreement.toml", "zone = ", "zones = "),
        ("mappings/patrol.toml", "lat = \"lat\"", "latitude = \"lat\""),
        ("mappings/patrol.toml", "signature = \"burst\"", "signature = \"burts\""),
        ("lexicon.toml", "[cues]", "[cue]"),
    ] {
        let sandbox = Sandbox::with_exercise();
        let path = sandbox.path().join("case").join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let told = sandbox.expect("init case mission", 2);
        assert!(!sandbox.path().join("mission").exists(), "{to}");
        write!(shown, "# {file}: {from} -> {to}\n{}\n", told.shown()).unwrap();
    }
    with_filters(|| insta::assert_snapshot!("mistakes", shown));
}

#[test]
fn a_second_writer_is_refused() {
    let sandbox = mission();
    let first = mission::Mission::open(&sandbox.path().join("mission")).unwrap();
    let writer = first.writer().unwrap();
    let told = sandbox.expect("ingest mission --data data", 2);
    snapshot("second-writer", &told);
    drop(writer);
    sandbox.expect("ingest mission --data data", 0);
}
