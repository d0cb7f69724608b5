//! A truce that nobody here has heard of, in another part of the world and in
//! another year, from files of the layouts that come with the program: a case
//! is enough, no code.

mod common;

use std::fmt::Write as _;
use std::fs;

use common::Sandbox;
use serde_json::Value;

const CASE: &str = r#"
[case]
id = "two-rivers-2033"
title = "The truce of the two rivers"
agreement = "texts/truce"
zone = "Africa/Kinshasa"
control_map = "front"

[window]
baseline_from = "2033-02-01T00:00[Africa/Kinshasa]"
from = "2033-02-10T12:00[Africa/Kinshasa]"
to = "2033-02-12T12:00[Africa/Kinshasa]"
after_to = "2033-02-16T00:00[Africa/Kinshasa]"

[area]
south = -4.0
west = 14.0
north = 0.0
east = 18.0

[report]
first_day = "2033-02-10"
last_day = "2033-02-12"

[[source]]
id = "hot-pixels"
name = "Hot pixels"
operator = "NASA LANCE"
group = "space"
kind = "satellite"
effort = "logged"
citation = "made up in the layout of NASA FIRMS"
licence = "CC0"

[[source]]
id = "wire"
name = "News wire"
operator = "a wire"
group = "press"
kind = "press"
effort = "rows"
citation = "made up in the layout of VIINA"
licence = "CC0"

[[source]]
id = "front"
name = "Map of the front"
operator = "map makers"
group = "maps"
kind = "control_map"
effort = "rows"
citation = "made up"
licence = "CC0"

[[source]]
id = "towns"
name = "Towns"
operator = "GeoNames"
group = "reference"
kind = "reference"
effort = "rows"
citation = "made up"
licence = "CC0"

[[input]]
source = "towns"
mapping = "geonames"
files = "towns.csv"

[[input]]
source = "front"
mapping = "deepstate"
files = "deepstatemap_data_*.geojson"

[[input]]
source = "hot-pixels"
mapping = "firms"
files = ["pixels/*.csv", "pixels/late/*.csv"]

[[input]]
source = "hot-pixels"
mapping = "firms-file-days"
files = "snapshots.csv"

[[input]]
source = "wire"
mapping = "viina"
files = "wire.csv"
"#;

const AGREEMENT: &str = r#"
[agreement]
id = "two-rivers"
version = 3
title = { en = "Truce of the two rivers", fr = "Trêve des deux rivières" }

[[party]]
id = "east"
name = "Eastern command"

[[zone]]
id = "everywhere"
name = "no limit stated"
kind = "everywhere"

[[zone]]
id = "bank"
name = "the western bank"
kind = "polygon"
file = "zones/bank.geojson"
accuracy_m = 200

[[provision]]
id = "Art.1"
title = "No fire"
acts = ["A"]
zone = "everywhere"
[[provision.in_force]]
reading = "from the signature"
from = 2033-02-10T11:00:00Z
to = 2033-02-12T11:00:00Z
[[provision.in_force]]
reading = "from the next morning"
from = 2033-02-11T05:00:00Z
to = 2033-02-12T11:00:00Z

[[provision]]
id = "Art.2"
title = "No fire on the western bank"
acts = ["A"]
zone = "bank"
[[provision.in_force]]
from = 2033-02-10T11:00:00Z
to = 2033-02-12T11:00:00Z
"#;

fn square(west: f64, south: f64, east: f64, north: f64) -> String {
    format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}}}]}}"#
    )
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.put("case/case.toml", CASE.as_bytes());
    sandbox.put("case/texts/truce/agreement.toml", AGREEMENT.as_bytes());
    let bank = square(14.0, -4.0, 16.0, 0.0);
    sandbox.put("case/texts/truce/zones/bank.geojson", bank.as_bytes());
    sandbox.put(
        "data/towns.csv",
        b"geonameid,name,latitude,longitude,population,alt_latin,alt_cyrillic,alt_arabic_script\n\
          1,Bandaka,-2.01,15.98,52000,,,\n2,Lukole,-1.52,16.40,8000,,,\n",
    );
    for day in 1..=15 {
        sandbox.put(
            &format!("data/deepstatemap_data_203302{day:02}.geojson"),
            square(16.0, -4.0, 18.0, 0.0).as_bytes(),
        );
    }
    let header = "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight\n";
    let mut early = header.to_owned();
    let mut late = header.to_owned();
    let mut snapshots = "snapshot_utc,commit,global_features,in_bbox\n".to_owned();
    for day in 1..=15 {
        let rows = if day <= 9 { &mut early } else { &mut late };
        let lon = 15.95 + 0.01 * f64::from(day);
        writeln!(
            rows,
            "-2.02,{lon:.3},310.0,1.1,1.0,2033-02-{day:02},1015,Aqua,80,6.1NRT,295.0,20.5,D"
        )
        .unwrap();
        // Nobody fetched the file of the 11th.
        if day != 11 {
            writeln!(snapshots, "2033-02-{:02}T03:00:00Z,x,1,1", day + 1).unwrap();
        }
    }
    sandbox.put("data/pixels/early.csv", early.as_bytes());
    sandbox.put("data/pixels/late/late.csv", late.as_bytes());
    sandbox.put("data/snapshots.csv", snapshots.as_bytes());
    let mut wire = "datetime,lon,lat,place_name,event_type,headline\n".to_owned();
    for (at, label, words) in [
        ("2033-02-05 09:10:00", "artillery", "Artillery fire near Bandaka"),
        ("2033-02-11 02:30:00", "artillery", "Artillery fire near Bandaka in the night"),
        ("2033-02-11 02:30:00", "artillery", "Artillery fire near Bandaka in the night"),
        ("2033-02-14 20:00:00", "artillery", "Artillery fire near Bandaka again"),
    ] {
        writeln!(wire, "{at},15.98,-2.01,Bandaka,{label},{words}").unwrap();
    }
    sandbox.put("data/wire.csv", wire.as_bytes());
    sandbox
}

#[test]
fn another_truce_needs_a_case_and_no_code() {
    let sandbox = sandbox();
    let one = sandbox.expect("replay case --data data --out one --threads 1", 0).digest();
    let two = sandbox.expect("replay case --data data --out two --threads 2", 0).digest();
    assert_eq!(one, two);
    sandbox.expect("verify one/mission", 0);
    assert_eq!(sandbox.expect("rebuild one/mission", 0).digest(), one);

    let text = fs::read_to_string(sandbox.path().join("one/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["case"], "two-rivers-2033");
    assert_eq!(summary["agreement"], "two-rivers@3");
    assert_eq!(summary["state_digest"], Value::from(one));
    let wire = &summary["sources"]["wire"];
    assert_eq!(
        (&wire["rows"], &wire["accepted"], &wire["repeated"]),
        (&4.into(), &3.into(), &1.into())
    );
    // Fifteen pixels, and fourteen files as effort.
    assert_eq!(summary["sources"]["hot-pixels"]["accepted"], 15 + 14);
    // The day without a file is a day without a look, not a day without fire.
    assert_eq!(summary["sources"]["hot-pixels"]["effort"]["2033-02-11"], "not_observed");
    assert_eq!(summary["sources"]["hot-pixels"]["effort"]["2033-02-09"], "observed");

    // The gun of the night of the 11th under both readings, and in the zone.
    let findings = fs::read_to_string(sandbox.path().join("one/findings.json")).unwrap();
    for words in ["from the signature", "from the next morning", "Art.2"] {
        assert!(findings.contains(words), "{words} is not in {findings}");
    }
    for day in ["2033-02-10", "2033-02-11", "2033-02-12"] {
        let page = sandbox.path().join(format!("one/report/{day}.en.html"));
        let page = fs::read_to_string(page).unwrap();
        assert!(page.contains("two rivers") && page.contains("<svg"), "{day}");
    }
}
