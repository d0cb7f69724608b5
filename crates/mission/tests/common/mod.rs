//! A small truce for tests: two sources, a map, a few rows.
#![allow(dead_code, clippy::missing_panics_doc)] // not every test uses everything

use std::fs;
use std::path::{Path, PathBuf};

use mission::ingest::{Quiet, arrivals, input_files};
use mission::{Case, Mission, Seeds, derive, ingest};

/// The case of the small truce.
pub(crate) const CASE: &str = r#"
[case]
id = "bridge"
title = "A truce at the bridge"
agreement = "agreement"
zone = "Europe/Kyiv"
control_map = "map"

[window]
baseline_from = "2026-05-01T00:00:00Z"
from = "2026-05-08T00:00:00Z"
to = "2026-05-10T00:00:00Z"
after_to = "2026-05-12T00:00:00Z"

[[source]]
id = "fires"
name = "Hot spots"
operator = "a space agency"
group = "space"
kind = "satellite"
effort = "rows"
citation = "made up"
licence = "CC0"

[[source]]
id = "posts"
name = "Patrol posts"
operator = "the mission"
group = "mission"
kind = "patrol"
effort = "logged"
citation = "made up"
licence = "CC0"

[[source]]
id = "map"
name = "Map"
operator = "a map maker"
group = "map"
kind = "control_map"
effort = "rows"
citation = "made up"
licence = "CC0"

[[input]]
source = "fires"
mapping = "firms"
files = "fires*.csv"

[[input]]
source = "posts"
mapping = "posts.toml"
files = "posts*.csv"

[[input]]
source = "posts"
mapping = "posts-log.toml"
files = "log.csv"
optional = true

[[input]]
source = "map"
mapping = "map.toml"
files = "map_*.geojson"
"#;

const AGREEMENT: &str = r#"
[agreement]
id = "bridge"
version = 1
title = "A truce at the bridge"
status = "agreed"
authoritative_language = "en"

[[zone]]
id = "belt"
name = "within 5 km of the line"
kind = "near_line"
line = "map"
within_m = 5000
accuracy_m = 100

[[provision]]
id = "1"
title = "No fire"
acts = ["A"]
zone = "belt"

[[provision.in_force]]
from = "2026-05-08T00:00:00Z"
to = "2026-05-10T00:00:00Z"
"#;

const POSTS: &str = r#"
[mapping]
id = "posts"
version = 1
title = "Reports of posts"
kind = "observations"
format = "csv"

[time]
at = "time"
sigma_s = 60.0

[place]
kind = "point"
lat = "lat"
lon = "lon"
sigma_m = "error_m"

[observed]
signature = "explosion"
text = "remark"
"#;

const POSTS_LOG: &str = r#"
[mapping]
id = "posts-log"
version = 1
title = "When posts were manned"
kind = "effort"
format = "csv"

[time]
from = "from"
to = "to"

[effort]
covers = "span"
part = "post"
"#;

const MAP: &str = r#"
[mapping]
id = "map"
version = 1
title = "Ground held"
kind = "control_area"
format = "geojson"

[time]
file_name = "map_%Y%m%d.geojson"
zone = "UTC"

[table]
accuracy_m = 100.0
inside = "held"
outside = "free"
"#;

/// Writes the case and its data below a folder.
pub(crate) fn write_case(place: &Path) {
    let put = |path: &str, text: &str| {
        let path = place.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("case/case.toml", CASE);
    put("case/agreement/agreement.toml", AGREEMENT);
    put("case/posts.toml", POSTS);
    put("case/posts-log.toml", POSTS_LOG);
    put("case/map.toml", MAP);
    put(
        "data/fires.csv",
        "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight\n\
         48.01,37.50,320.1,1.2,1.1,2026-05-08,1012,Terra,75,6.1NRT,290.0,12.5,D\n\
         48.60,37.50,320.1,1.2,1.1,2026-05-09,1012,Terra,75,6.1NRT,290.0,12.5,D\n\
         oops,37.50,320.1,1.2,1.1,2026-05-09,1012,Terra,75,6.1NRT,290.0,12.5,D\n",
    );
    put(
        "data/posts.csv",
        "time,lat,lon,error_m,remark\n\
         2026-05-08 12:30:00,48.012,37.505,300,two explosions\n\
         2026-05-09 23:30:00,48.000,37.900,300,one explosion\n",
    );
    put("data/log.csv", "post,from,to\nA,2026-05-01 00:00,2026-05-09 12:00\n");
    put(
        "data/map_20260501.geojson",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[37,47],[38,47],[38,48],[37,48],[37,47]]]}}]}"#,
    );
}

/// The mission folder below a place.
pub(crate) fn folder(place: &Path) -> PathBuf {
    place.join("mission")
}

/// Makes the mission of the small truce, takes everything in, and derives.
pub(crate) fn mission(place: &Path) -> Mission {
    write_case(place);
    let case = Case::read(&place.join("case")).unwrap();
    let mission = Mission::create(&folder(place), &case, Seeds::Number(1)).unwrap();
    take_in(&mission, &place.join("data"));
    derive::derive_and_store(&mission).unwrap();
    mission
}

/// Takes in whatever the case matches.
pub(crate) fn take_in(mission: &Mission, data: &Path) -> Vec<ingest::FileOutcome> {
    let files = arrivals(&input_files(mission).unwrap(), data).unwrap();
    ingest::ingest(mission, &files, jiff::Timestamp::UNIX_EPOCH, &mut Quiet).unwrap()
}

/// All files below a folder, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
