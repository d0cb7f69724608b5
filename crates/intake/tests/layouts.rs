//! Every built-in mapping on rows of its layout, written for this test in the
//! shape of the real files: the good, the incomplete and the wrong.

use std::fmt::Write as _;

use domain::{Bounds, Zone};
use intake::{Context, Item, Mapping, Stream, tables};
use proptest::prelude::*;

fn mapping(name: &str) -> Mapping {
    let text = intake::catalogue::mapping(name).unwrap();
    Mapping::parse(&strict::Text::new(name, text)).unwrap()
}

/// What a file comes to, one line per row.
fn read(name: &str, file: &str, file_name: &str) -> String {
    let mapping = mapping(name);
    let zone = Zone::named("Europe/Kyiv").unwrap();
    let context = Context { file_name, zone: &zone, area: None };
    let mut out = String::new();
    if mapping.kind.is_reference() {
        let read = tables::read(&mapping, context, file.as_bytes()).unwrap();
        let _ = writeln!(out, "{} rows\n{:#?}", read.rows, read.table);
        read.bad.iter().for_each(|bad| writeln!(out, "BAD {bad}").unwrap());
        return out;
    }
    let mut rows = Stream::open(&mapping, context, file.as_bytes()).unwrap();
    while let Some((line, item)) = rows.next().unwrap() {
        let _ = match item {
            Item::Observation(seen) => {
                writeln!(out, "{line} {}", String::from_utf8(seen.to_line()).unwrap())
            }
            Item::Effort(effort) => {
                writeln!(out, "{line} {}", serde_json::to_string(&effort).unwrap())
            }
            Item::Bad(bad) => writeln!(out, "BAD {bad}"),
        };
    }
    out
}

/// One sample for each built-in mapping: name, file, and its name.
const SAMPLES: [(&str, &str, &str); 29] = [
    (
        "global-arrivals",
        "station,at_utc,azimuth_deg,slowness_s_deg,amplitude\n\
         WRA,2030-01-01T00:00:01.25Z,271.5,8.1,1.2e-3\nWRA,2030-01-01T00:00:02Z,,8.1,1.2\n\
         WRA,2030-01-01T00:00:02Z,271.5,8.1,0\nWRA,2030-01-01T00:00:02Z,271.5,900,1.2\n",
        "arrivals.csv",
    ),
    ("travel-times", "distance_deg,travel_s\n0,0\n90,780.5\n180,1190\n", "curve.csv"),
    ("performance", "{\"version\": \"a\", \"events_per_s\": 0.001}", "performance.json"),
    (
        "arrivals",
        "station,at_utc,amp_db,snr_db,baz_deg,baz_sigma_deg\n\
         S1,2030-01-01T00:00:01.25Z,61.2,17.5,,\n\
         A1,2030-01-01T00:00:03.5Z,55.0,12.0,271.5,4\n\
         S1,later,61.2,17.5,,\n",
        "arrivals.csv",
    ),
    (
        "picks",
        "station,phase,at_utc,weight\n\
         CX.PB01.,P,2030-01-01T00:00:01.25Z,1\nCX.PB01.,Sg,2030-01-01T00:00:03.5Z,\n\
         CX.PB01.,X,2030-01-01T00:00:03.5Z,1\nCX.PB01.,,2030-01-01T00:00:03.5Z,1\n\
         CX.PB01.,P,NaN,1\nCX.PB01.,P,2030-01-01T00:00:03.5Z,NaN\nCX.PB01.,P,2030-01-01T00:00:04Z,3\n",
        "picks.csv",
    ),
    (
        "infrapy",
        r#"[{"Name": "", "Time (UTC)": "2010-01-01T13:03:49", "F Stat.": 10.0, "Trace Vel. (m/s)": null,
            "Back Azimuth": -74.2, "Latitude": 35.857, "Longitude": -106.315},
           {"Time (UTC)": "2010-01-01T13:03:49", "Back Azimuth": null, "Latitude": 35.8, "Longitude": -106.3},
           {"Time (UTC)": "2010-01-01T13:03:49", "Back Azimuth": 7200, "Latitude": 35.8, "Longitude": -106.3},
           {"Time (UTC)": "soon", "Back Azimuth": 72, "Latitude": 35.8, "Longitude": -106.3},
           {"Time (UTC)": "2010-01-01T13:03:49", "Back Azimuth": 72, "Latitude": 95.8, "Longitude": -106.3},
           7]"#,
        "NVIAR.dets.json",
    ),
    (
        "velocity",
        "depth_km,vp_km_s,vs_km_s,deepest_km\n0,5.8,3.36,250\n20,6.5,3.75,\n35,8.04,4.47,\n",
        "velocity.csv",
    ),
    (
        "station-log",
        "station,from_utc,to_utc,state,lat,lon,radius_m\n\
         S1,2030-01-01T00:00:00Z,2030-01-02T00:00:00Z,up,48.0,37.5,12000\n\
         S1,2030-01-01T04:00:00Z,2030-01-01T05:00:00Z,broken,48.0,37.5,12000\n",
        "log.csv",
    ),
    (
        "stations",
        "station,lat,lon,elev_m,array\nS1,48.0,37.5,120,0\nA1,48.1,37.6,80,1\n,48,37,0,0\n\
         S2,48,37,12000,0\nS3,nan,37,0,0\n",
        "stations.csv",
    ),
    (
        "weather",
        "at_utc,lat,lon,wind_e,wind_n,temp_c\n2030-01-01T00:00:00Z,48,37,3.5,-1.0,4.5\n\
         2030-01-01T01:00:00Z,48,37,300,-1.0,4.5\n2030-01-01T01:00:00Z,48,37,3,-1.0,400\n",
        "weather.csv",
    ),
    (
        "firms",
        "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight,first_snapshot_utc\n\
         47.1,37.6,301.8,1.05,1.02,2025-04-18,2350,A,44,6.1NRT,272.57,10.6,N,2025-04-19T06:17:34Z\n\
         47.1,37.6,301.8,1.05,1.02,2025-04-18,7,T,,6.1NRT,272.57,,N,\n\
         nan,37.6,301.8,1.05,1.02,2025-04-18,7,T,44,6.1NRT,272.57,10.6,N,\n\
         137.6,47.1,301.8,1.05,1.02,2025-04-18,7,T,44,6.1NRT,272.57,10.6,N,\n\
         47.1,37.6,301.8,1.05,1.02,2025-04-31,7,T,44,6.1NRT,272.57,10.6,N,\n\
         47.1,37.6,301.8,1.05\n",
        "fires.csv",
    ),
    (
        "firms-landsat",
        "latitude,longitude,path,row,scan,track,acq_date,acq_time,satellite,confidence,daynight\n\
         47.1,37.6,178,26,4012,5121,2025-04-18,0812,L8,H,D\n",
        "landsat.csv",
    ),
    (
        "firms-file-days",
        "snapshot_utc,commit,global_features,in_bbox\n\
         2025-04-19T06:02:10Z,abc,100,7\n\
         2025-04-20T01:51:38-07:00,abc,100,0\n",
        "snapshots.csv",
    ),
    (
        "fire-dates",
        "LATITUDE,LONGITUDE,ACQ_DATE\n47.87,35.16,2019-01-02\n47.87,35.16,2019-13-02\n",
        "b.csv",
    ),
    (
        "viina",
        "\u{feff}\"datetime\",\"lon\",\"lat\",\"place_name\",\"event_type\",\"headline\"\n\
         \"2025-04-20 00:00:00\",\"37.7\",\"48.0\",\"Town\",\"\",\"No time of day, no label\"\n\
         \"2025-04-20 14:05:00\",\"37.7\",\"48.0\",\"Town\",\"artillery|milcas\",\"Shelling, \"\"heavy\"\"\"\n",
        "viina.csv",
    ),
    (
        "air-alerts",
        "region,started_at,finished_at,naive\n\
         Some oblast,2025-04-18 01:09:35+00:00,2025-04-18 03:27:26+00:00,False\n\
         Some oblast,2025-04-18 05:00:00+00:00,2025-04-18 05:30:00+00:00,True\n\
         Some oblast,2025-04-18 05:00:00+00:00,2025-04-18 04:30:00+00:00,False\n",
        "alerts.csv",
    ),
    (
        "air-alerts-official",
        "oblast,raion,hromada,level,started_at,finished_at,source\n\
         Some oblast,Some raion,,raion,2024-03-01 01:15:10+00:00,2024-03-01 02:01:07+00:00,official\n",
        "alerts.csv",
    ),
    (
        "air-attacks",
        "time_start,time_end,model,launch_place,target,launched,destroyed,not_reach_goal\n\
         2025-04-18 20:30,2025-04-19 08:30,Shahed-136/131,Somewhere,South and East,87.0,33.0,36.0\n\
         2025-04-18,2025-04-18,Orlan-10,,south,1.0,1.0,\n",
        "attacks.csv",
    ),
    (
        "ru-mod-posts",
        "date,datetime,drone_count,oblasts,text_snippet\n\
         2025-03-01,2025-03-01 04:07,21,bryansk|kursk,\"In the past night, many\"\n\
         2025-03-01,2025-03-01 20:07,0,kursk,A statement\n",
        "posts.csv",
    ),
    (
        "ucdp-ged",
        "id,date_start,date_end,date_prec,latitude,longitude,where_prec,where_coordinates,adm_1,side_a,side_b,type_of_violence,best,low,high,deaths_civilians,number_of_sources,source_headline\n\
         1.0,2015-02-15 00:00:00.000,2015-02-16 00:00:00.000,2.0,48.3,38.4,2.0,Some town,Region,A,B,1.0,5,5.0,5.0,0.0,5.0,Five dead\n",
        "ged.csv",
    ),
    (
        "deepstate",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"MultiPolygon","coordinates":[[[[37,48],[38,48],[38,49],[37,48]]]]}}]}"#,
        "deepstatemap_data_20250419.geojson",
    ),
    (
        "geonames",
        "geonameid,name,latitude,longitude,population,alt_latin,alt_cyrillic,alt_arabic_script\n7,Town,48.0,37.7,1200,Toun|Tawn,Таун,\n",
        "g.csv",
    ),
    (
        "hromadas",
        "iso,parent,ua,ru,en,lat_centroid,lon_centroid\nUA01,UA,А,Б,Some,44.8,33.8\n",
        "h.csv",
    ),
    (
        "raions",
        "iso,parent,ua,ru,en,lat_centroid,lon_centroid\nUA01,UA,А,Б,Some,44.8,33.8\n",
        "r.csv",
    ),
    ("pcodes", "pcode,name_en,name_uk\nUA0102001001,Some,Дещо\n", "p.csv"),
    (
        "geoboundaries",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"shapeISO":"UA-14","shapeName":"Some Oblast"},"geometry":{"type":"Polygon","coordinates":[[[37,48],[38,48],[38,49],[37,48]]]}}]}"#,
        "b.geojson",
    ),
    (
        "land-geojson",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[37,48],[38,48],[38,49],[37,48]]]}}]}"#,
        "land.geojson",
    ),
    (
        "land-topojson",
        r#"{"type":"Topology","objects":{"land":{"type":"Polygon","arcs":[[0]]}},"arcs":[[[37,48],[38,48],[38,49],[37,48]]]}"#,
        "land.topo.json",
    ),
    (
        "land-use-10km",
        "LONGITUDE,LATITUDE,LAND_USE_CLASS_0,LAND_USE_CLASS_1,LAND_USE_CLASS_2,LAND_USE_CLASS_3,LAND_USE_CLASS_4\n22.1,48.4,0,0,0,0.4,0.6\n",
        "l.csv",
    ),
];

#[test]
fn every_layout_is_read_as_meant() {
    let mut names: Vec<&str> = SAMPLES.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    assert_eq!(names, intake::catalogue::names(), "a mapping without a sample");
    for (name, file, file_name) in SAMPLES {
        insta::assert_snapshot!(name, read(name, file, file_name));
    }
}

#[test]
fn kyiv_and_moscow_clocks_are_not_taken_for_utc() {
    let sample = |name| {
        let (_, file, file_name) = *SAMPLES.iter().find(|(known, ..)| *known == name).unwrap();
        read(name, file, file_name)
    };
    // 20:30 in Kyiv in summer is 17:30 UTC; 04:07 in Moscow is 01:07 UTC.
    assert!(sample("air-attacks").contains("2025-04-18T17:30:00Z"));
    assert!(sample("ru-mod-posts").contains("2025-03-01T01:07:00Z"));
    assert!(sample("firms").contains("2025-04-18T23:50:00Z"));
}

#[test]
fn rows_outside_the_area_are_told_from_swapped_columns() {
    let mapping = mapping("firms");
    let zone = Zone::utc();
    let area = Bounds { south: 44.0, west: 22.0, north: 53.0, east: 41.0 };
    let context = Context { file_name: "f.csv", zone: &zone, area: Some(area) };
    let file = "latitude,longitude,scan,track,acq_date,acq_time\n37.6,47.1,1,1,2025-04-18,12\n";
    let mut rows = Stream::open(&mapping, context, file.as_bytes()).unwrap();
    let Some((_, Item::Bad(bad))) = rows.next().unwrap() else { panic!("it should be set aside") };
    assert!(bad.reason.contains("swapped"), "{bad}");
}

/// Reads whatever it is given to its end, and counts.
fn drain(mapping: &Mapping, bytes: &[u8]) -> u64 {
    let zone = Zone::utc();
    let file_name = "deepstatemap_data_20250419.geojson";
    let context = Context { file_name, zone: &zone, area: None };
    if mapping.kind.is_reference() {
        return tables::read(mapping, context, bytes).map_or(0, |read| read.rows);
    }
    let Ok(mut rows) = Stream::open(mapping, context, bytes) else { return 0 };
    let mut count = 0;
    while let Ok(Some(_)) = rows.next() {
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), which in 0..SAMPLES.len()) {
        drain(&mapping(SAMPLES[which].0), &bytes);
    }

    /// Damage in the middle of a good file: cut, overwritten, doubled.
    #[test]
    fn no_damage_makes_it_panic(which in 0..SAMPLES.len(), at in 0usize..600, cut in any::<bool>(), with in prop::collection::vec(any::<u8>(), 0..6)) {
        let (name, file, _) = SAMPLES[which];
        let mut bytes = file.as_bytes().to_vec();
        let at = at.min(bytes.len());
        let tail = bytes.split_off(at);
        bytes.extend_from_slice(&with);
        if !cut {
            bytes.extend_from_slice(&tail);
        }
        drain(&mapping(name), &bytes);
    }

    /// Every line of a table is accounted for, whatever stands in it.
    #[test]
    fn no_row_is_lost(cells in prop::collection::vec("[ -!#-+\\--~]{0,12}", 1..60)) {
        let mut file = "latitude,longitude,scan,track,acq_date,acq_time\n".to_owned();
        for row in cells.chunks(6) {
            file.push_str(&row.join(","));
            file.push('\n');
        }
        // A line of nothing but blanks is no row.
        let rows = file.lines().skip(1).filter(|line| !line.trim().is_empty()).count() as u64;
        prop_assert_eq!(drain(&mapping("firms"), file.as_bytes()), rows);
    }
}

/// A wrong key of a place is refused at its own line, with the nearest one.
#[test]
fn a_wrong_key_of_a_place_is_refused_where_it_stands() {
    let with = |place: &str| {
        let text = format!(
            "[mapping]\nid = \"m\"\nversion = 1\ntitle = \"M\"\nkind = \"observations\"\nformat = \"csv\"\n\n[time]\nat = \"t\"\n\n[place]\n{place}\n\n[observed]\nsignature = \"explosion\"\n"
        );
        Mapping::parse(&strict::Text::new("m.toml", text)).map_err(|error| error.to_string())
    };
    assert!(with("kind = \"point\"\nlat = \"y\"\nlon = \"x\"\nsigma_m = 100.0").is_ok());
    for (place, line, words) in [
        (
            "kind = \"point\"\nlat = \"y\"\nlon = \"x\"\nsigma_n = 100.0",
            15,
            "did you mean `sigma_m`?",
        ),
        (
            "kind = \"point\"\nlat = \"y\"\nlon = \"x\"\nsigma_m = 1.0\nscan_km = 1.0",
            16,
            "has no `scan_km`",
        ),
        ("kind = \"named\"\nname = \"n\"\nlat = \"y\"", 14, "lat and lon go together"),
        (
            "kind = \"footprint\"\nlat = \"y\"\nlon = \"x\"\nscan_km = 1.0\ntrack_km = 1.0\nsigma_m = \"error\"",
            17,
            "a number here",
        ),
        ("kind = \"pont\"\nlat = \"y\"", 12, "did you mean `point`?"),
        ("kind = \"point\"\nlat = \"y\"", 11, "`lon` is missing"),
    ] {
        let error = with(place).unwrap_err();
        assert!(error.contains(&format!("m.toml:{line}:")) && error.contains(words), "{error}");
    }
}
