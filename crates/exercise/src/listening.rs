//! A stretch of the front with listening posts: raw arrivals, from which the
//! mission has to infer what was fired. Physics as in the data sheet of
//! [`simulate::sheet`].

use chance::Chance;
use domain::{Class, LatLon};
use jiff::Timestamp;
use simulate::sheet;

use crate::ground::{ByFront, Ground, km_between};
use crate::happening::{DAYS, Event, moment};
use crate::writing::{Csv, Put};

/// The stretch, kilometres along the front.
const STRETCH_KM: (f64, f64) = (185.0, 245.0);
/// Posts stand in so many rows along the front, at these distances across it.
const ROWS_KM: [f64; 3] = [-4.0, 0.0, 4.0];
const POSTS_PER_ROW: u32 = 16;
/// Every so many posts one is an array that gives directions.
const ARRAY_EVERY: u32 = 8;
/// Events farther along the front than this beyond the stretch are not heard.
const BEYOND_KM: f64 = 15.0;
/// False alarms of a post per hour.
const ALARMS_PER_HOUR: f64 = 0.15;
/// Share of arrivals that come late, by another path.
const LATE_SHARE: f64 = 0.03;
/// Path error as a share of the travel time.
const PATH_SHARE: f64 = 0.003;
/// A post is said to hear a mortar so far, metres.
const REACH_M: u32 = 8_000;
/// Hours in which the posts of the eastern third are without power.
const DARK_H: (f64, f64) = (340.0, 364.0);

struct Post {
    name: String,
    at: LatLon,
    array: bool,
    floor_db: f64,
    clock_s: f64,
}

/// Whether a post is without power.
fn is_dark(number: usize, hour: f64) -> bool {
    number % POSTS_PER_ROW as usize >= 11 && (DARK_H.0..DARK_H.1).contains(&hour)
}

/// Wind towards east and north, m/s, and temperature, degrees Celsius.
type Air = (f64, f64, f64);

struct Heard {
    at_s: f64,
    post: usize,
    level_db: f64,
    snr_db: f64,
    azimuth_deg: Option<f64>,
}

/// Writes the posts, the forecast, the arrivals and the log.
pub(crate) fn posts(ground: &Ground, truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    let posts = stand(ground, chance);
    let air: Vec<Air> = (0..DAYS * 24)
        .map(|hour| {
            let turn = f64::from(hour) / 31.0;
            let day = libm::cos((f64::from(hour % 24) - 16.0) * std::f64::consts::TAU / 24.0);
            (4.0 * libm::cos(turn), 3.0 * libm::sin(turn * 1.7), 14.0 + 5.0 * day)
        })
        .collect();
    let mut heard = Vec::new();
    for event in truth {
        fire(ground, event, &posts, &air, chance, &mut heard);
    }
    alarms(&posts, chance, &mut heard);
    heard.sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.post.cmp(&b.post)));
    write_posts(&posts, put);
    write_forecast(ground, &air, chance, put);
    write_arrivals(&posts, &heard, put);
}

fn stand(ground: &Ground, chance: &mut Chance) -> Vec<Post> {
    let (from, to) = STRETCH_KM;
    let step = (to - from) / f64::from(POSTS_PER_ROW);
    let mut posts = Vec::new();
    for (row, across_km) in (0u32..).zip(ROWS_KM) {
        for column in 0..POSTS_PER_ROW {
            let along_km = from + step * (f64::from(column) + 0.5 * f64::from(row % 2));
            let place = ByFront {
                along_km: along_km + 0.4 * chance.normal(),
                across_km: across_km + 0.4 * chance.normal(),
            };
            let number = row * POSTS_PER_ROW + column;
            posts.push(Post {
                name: format!("LP-{:02}", number + 1),
                at: ground.at(place),
                array: number.is_multiple_of(ARRAY_EVERY),
                floor_db: sheet::FLOOR_DB.0 + sheet::FLOOR_DB.1 * chance.normal(),
                clock_s: 0.015 * chance.normal(),
            });
        }
    }
    posts
}

/// How loud an impact of the class is, dB at 1 km, and how far apart its rounds
/// are, seconds; none if it makes no bang.
fn rounds(class: Class) -> Option<(f64, (f64, f64))> {
    Some(match class {
        Class::A3 => (108.0, (3.0, 8.0)),
        Class::A4 => (116.0, (2.0, 5.0)),
        Class::A6 => (115.0, (0.5, 1.0)),
        Class::A9 => (110.0, (5.0, 20.0)),
        _ => return None,
    })
}

fn fire(
    ground: &Ground,
    event: &Event,
    posts: &[Post],
    air: &[Air],
    chance: &mut Chance,
    heard: &mut Vec<Heard>,
) {
    let within = STRETCH_KM.0 - BEYOND_KM..STRETCH_KM.1 + BEYOND_KM;
    let Some((mean_db, spacing_s)) = rounds(event.class) else { return };
    if !within.contains(&event.place.along_km) {
        return;
    }
    let mut at_s = event.hour * 3600.0;
    for _ in 0..event.count {
        let place = ByFront {
            along_km: event.place.along_km + 0.12 * chance.normal(),
            across_km: event.place.across_km + 0.12 * chance.normal(),
        };
        let spot = ground.at(place);
        let level_db = mean_db + sheet::LEVEL_SD_DB * chance.normal();
        for (number, post) in posts.iter().enumerate() {
            heard.extend(hear(number, post, spot, level_db, at_s, air, chance));
        }
        at_s += chance.between(spacing_s.0, spacing_s.1);
    }
}

/// What a post makes of one round, if it detects it.
fn hear(
    number: usize,
    post: &Post,
    spot: LatLon,
    level_db: f64,
    at_s: f64,
    air: &[Air],
    chance: &mut Chance,
) -> Option<Heard> {
    let km = (spot.distance_m(post.at) / 1000.0).max(0.05);
    let bearing = spot.bearing_deg(post.at) / 180.0 * std::f64::consts::PI;
    let (east, north, temp_c) = air[((at_s / 3600.0) as usize).min(air.len() - 1)];
    let along_m_s = east * libm::sin(bearing) + north * libm::cos(bearing);
    let level_db = level_db
        + sheet::level_at_db(km)
        + sheet::wind_term_db(along_m_s, km)
        + sheet::SCATTER_DB * chance.normal();
    let snr_db = level_db - post.floor_db + sheet::FLUTTER_DB * chance.normal();
    if !chance.happens(sheet::detection_probability(snr_db)) {
        return None;
    }
    let travel_s = km * 1000.0 / (sheet::sound_m_s(temp_c) + along_m_s);
    let mut at_s = at_s
        + travel_s
        + post.clock_s
        + sheet::pick_sd_s(snr_db) * chance.normal()
        + PATH_SHARE * travel_s * chance.normal();
    if chance.happens(LATE_SHARE) {
        at_s += chance.exponential(sheet::LATE_S);
    }
    if is_dark(number, at_s / 3600.0) {
        return None;
    }
    let back = post.at.bearing_deg(spot) + 4.0 * chance.normal();
    let azimuth_deg = post.array.then(|| back - 360.0 * libm::floor(back / 360.0));
    Some(Heard { at_s, post: number, level_db, snr_db, azimuth_deg })
}

fn alarms(posts: &[Post], chance: &mut Chance, heard: &mut Vec<Heard>) {
    for (number, post) in posts.iter().enumerate() {
        for _ in 0..chance.poisson(ALARMS_PER_HOUR * f64::from(DAYS * 24)) {
            let at_s = chance.between(0.0, f64::from(DAYS) * 86_400.0);
            let (least, mean) = sheet::ALARM_SNR_DB;
            let snr_db = least + chance.exponential(mean);
            if is_dark(number, at_s / 3600.0) {
                continue;
            }
            let azimuth_deg = post.array.then(|| chance.between(0.0, 360.0));
            let level_db = post.floor_db + snr_db;
            heard.push(Heard { at_s, post: number, level_db, snr_db, azimuth_deg });
        }
    }
}

fn write_posts(posts: &[Post], put: &mut Put<'_>) {
    let mut table = Csv::new("station,lat,lon,elev_m,array");
    let mut log = Csv::new("station,from_utc,to_utc,state,lat,lon,radius_m");
    let end = f64::from(DAYS) * 24.0;
    for (number, post) in posts.iter().enumerate() {
        let (lat, lon) = (format!("{:.5}", post.at.lat()), format!("{:.5}", post.at.lon()));
        table.row(&[&post.name, &lat, &lon, &0, &u8::from(post.array)]);
        let mut stretch = |from: f64, to: f64, state: &str| {
            log.row(&[&post.name, &moment(from), &moment(to), &state, &lat, &lon, &REACH_M]);
        };
        if is_dark(number, DARK_H.0) {
            stretch(0.0, DARK_H.0, "up");
            stretch(DARK_H.0, DARK_H.1, "down");
            stretch(DARK_H.1, end, "up");
        } else {
            stretch(0.0, end, "up");
        }
    }
    put("data/posts/stations.csv".to_owned(), table.text());
    put("data/posts/log.csv".to_owned(), log.text());
}

/// A forecast for both ends and the middle of the stretch, every hour, wrong by
/// an error that changes slowly.
fn write_forecast(ground: &Ground, air: &[Air], chance: &mut Chance, put: &mut Put<'_>) {
    let mut table = Csv::new("at_utc,lat,lon,wind_e,wind_n,temp_c");
    let nodes: Vec<LatLon> =
        [STRETCH_KM.0, f64::midpoint(STRETCH_KM.0, STRETCH_KM.1), STRETCH_KM.1]
            .map(|along_km| ground.at(ByFront { along_km, across_km: 0.0 }))
            .to_vec();
    debug_assert!(km_between(nodes[0], nodes[2]) > 40.0, "three different nodes");
    let mut error = (0.0, 0.0, 0.0);
    for (hour, (east, north, temp_c)) in (0u32..).zip(air) {
        let drift = |old: f64, sd: f64, chance: &mut Chance| 0.8 * old + 0.6 * sd * chance.normal();
        error =
            (drift(error.0, 1.2, chance), drift(error.1, 1.2, chance), drift(error.2, 0.8, chance));
        for node in &nodes {
            table.row(&[
                &moment(f64::from(hour)),
                &format!("{:.4}", node.lat()),
                &format!("{:.4}", node.lon()),
                &format!("{:.2}", east + error.0),
                &format!("{:.2}", north + error.1),
                &format!("{:.2}", temp_c + error.2),
            ]);
        }
    }
    put("data/posts/weather.csv".to_owned(), table.text());
}

fn write_arrivals(posts: &[Post], heard: &[Heard], put: &mut Put<'_>) {
    let zero = moment(0.0);
    let at = |second: f64| -> Timestamp { domain::time::shifted(zero, second) };
    for day in 0..DAYS {
        let hours = f64::from(day) * 24.0;
        let (from, to) = (hours * 3600.0, (hours + 24.0) * 3600.0);
        let mut table = Csv::new("station,at_utc,amp_db,snr_db,baz_deg,baz_sigma_deg");
        for one in heard.iter().filter(|one| (from..to).contains(&one.at_s)) {
            let azimuth = one.azimuth_deg.map_or(String::new(), |deg| format!("{deg:.1}"));
            table.row(&[
                &posts[one.post].name,
                &format!("{:.3}", at(one.at_s)),
                &format!("{:.1}", one.level_db),
                &format!("{:.1}", one.snr_db),
                &azimuth,
                &if one.azimuth_deg.is_some() { "4" } else { "" },
            ]);
        }
        let date = moment(hours).strftime("%Y%m%d").to_string();
        put(format!("data/posts/arrivals_{date}.csv"), table.text());
    }
}
