//! What each source makes of what takes place: what it misses, how far it is
//! off, what it repeats, and when it was not looking.

use domain::{Class, LatLon, Zone};
use jiff::Timestamp;

use crate::ground::{ByFront, DISTRICTS, FRONT_KM, Ground, km_between, moved};
use crate::happening::{DAYS, Event, is_dark, moment};
use crate::writing::{Csv, Put};
use chance::Chance;

/// Hours of a day of the exercise: from, to.
fn day_hours(day: u32) -> (f64, f64) {
    (f64::from(day) * 24.0, f64::from(day + 1) * 24.0)
}

fn local(at: Timestamp) -> String {
    let zone = Zone::named("America/Noronha").expect("a zone of the database");
    zone.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn degrees(value: f64) -> String {
    format!("{value:.5}")
}

// ---- acoustic sensors -------------------------------------------------------

const SENSORS: u32 = 24;

fn sensor(ground: &Ground, number: u32) -> LatLon {
    let across_km = if number.is_multiple_of(2) { 2.5 } else { -2.5 };
    let along_km = FRONT_KM * (f64::from(number) + 0.5) / f64::from(SENSORS);
    ground.at(ByFront { along_km, across_km })
}

/// From when to when a sensor is in which state, hours: a cable is cut in the
/// truce, and on one day a storm drowns everything out.
fn sensor_states(number: u32) -> Vec<(f64, f64, &'static str)> {
    let end = f64::from(DAYS) * 24.0;
    let (storm_from, storm_to) = (320.0, 338.0);
    if !(6..=13).contains(&number) {
        return vec![
            (0.0, storm_from, "up"),
            (storm_from, storm_to, "degraded"),
            (storm_to, end, "up"),
        ];
    }
    vec![(0.0, 298.0, "up"), (298.0, 354.0, "down"), (354.0, end, "up")]
}

fn sensor_state(number: u32, hour: f64) -> &'static str {
    sensor_states(number)
        .into_iter()
        .find(|(from, to, _)| (*from..*to).contains(&hour))
        .map_or("down", |(.., state)| state)
}

/// How far a sensor hears a class, kilometres.
fn audible_km(class: Class) -> f64 {
    match class {
        Class::A4 | Class::A6 => 16.0,
        Class::A3 => 10.0,
        Class::A9 => 5.0,
        Class::A1 | Class::A2 => 3.5,
        _ => 0.0,
    }
}

pub(crate) fn acoustic(ground: &Ground, truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    const HEADER: &str = "detected_utc,lat,lon,error_m,sensors,kind,count";
    let mut detections: Vec<(f64, LatLon, f64, u32, &str, u32)> = Vec::new();
    for event in truth.iter().filter(|event| audible_km(event.class) > 0.0) {
        let at = ground.at(event.place);
        let hearing = (0..SENSORS)
            .filter(|number| {
                let reach = audible_km(event.class)
                    * match sensor_state(*number, event.hour) {
                        "up" => 1.0,
                        "degraded" => 0.4,
                        _ => return false,
                    };
                let ratio = km_between(sensor(ground, *number), at) / reach;
                chance.happens(libm::exp(-ratio * ratio))
            })
            .count() as u32;
        let error_m: f64 = match hearing {
            0 => continue,
            1 => 1_500.0,
            2 => 450.0,
            _ => 180.0,
        };
        let (north, east) = (chance.normal() * error_m / 1e3, chance.normal() * error_m / 1e3);
        let kind = match event.class {
            Class::A1 | Class::A2 => "burst",
            Class::A3 if hearing > 1 => "mortar",
            Class::A4 if hearing > 2 => "gun",
            Class::A9 => "propeller",
            _ => "impact",
        };
        let heard = 1 + chance.below(event.count as usize) as u32;
        detections.push((event.hour, moved(at, north, east), error_m, hearing, kind, heard));
    }
    thunder_and_quarry(ground, chance, &mut detections);
    detections.sort_by(|a, b| a.0.total_cmp(&b.0));
    for day in 0..DAYS {
        let (from, to) = day_hours(day);
        let mut table = Csv::new(HEADER);
        for (hour, at, error_m, sensors, kind, count) in
            detections.iter().filter(|row| (from..to).contains(&row.0))
        {
            table.row(&[
                &moment(*hour),
                &degrees(at.lat()),
                &degrees(at.lon()),
                error_m,
                sensors,
                kind,
                count,
            ]);
        }
        let date = moment(from).strftime("%Y%m%d").to_string();
        put(format!("data/acoustic/detections_{date}.csv"), table.text());
    }
    let mut log = Csv::new("sensor,from_utc,to_utc,state,lat,lon,radius_m");
    for number in 0..SENSORS {
        let at = sensor(ground, number);
        for (from, to, state) in sensor_states(number) {
            log.row(&[
                &format!("AC-{:02}", number + 1),
                &moment(from),
                &moment(to),
                &state,
                &degrees(at.lat()),
                &degrees(at.lon()),
                &16_000,
            ]);
        }
    }
    put("data/acoustic/log.csv".to_owned(), log.text());
}

/// What sensors take for impacts: a storm, and a quarry at noon.
fn thunder_and_quarry(
    ground: &Ground,
    chance: &mut Chance,
    detections: &mut Vec<(f64, LatLon, f64, u32, &'static str, u32)>,
) {
    for _ in 0..9 {
        let place =
            ByFront { along_km: chance.between(10.0, 290.0), across_km: chance.normal() * 8.0 };
        let hour = chance.between(320.0, 338.0);
        detections.push((hour, ground.at(place), 1_500.0, 1, "impact", 1));
    }
    for day in (0..DAYS).filter(|day| day % 7 < 5) {
        let at = ground.at(ByFront { along_km: 120.0, across_km: 11.0 });
        let hour = f64::from(day) * 24.0 + 14.0 + chance.between(0.0, 0.1);
        detections.push((hour, moved(at, chance.normal() * 0.2, 0.0), 450.0, 2, "impact", 1));
    }
}

// ---- patrols ----------------------------------------------------------------

const TEAMS: u32 = 6;

/// Where a team is on a day; it moves to another stretch every day.
fn patrol_at(ground: &Ground, team: u32, day: u32) -> LatLon {
    let step = f64::from((team * 7 + day * 3) % 10) * 4.6;
    let along_km = 5.0 + f64::from(team) * 50.0 + step;
    ground.at(ByFront { along_km, across_km: if day.is_multiple_of(2) { 2.0 } else { -2.0 } })
}

/// Whether a team was out: none on the day of the storm, and two were turned
/// back twice.
fn patrol_state(team: u32, day: u32) -> Option<&'static str> {
    match (day, team) {
        (13, _) => None,
        (14 | 16, 1 | 4) => Some("turned back"),
        _ => Some("out"),
    }
}

pub(crate) fn patrols(ground: &Ground, truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    const REACH_KM: f64 = 6.0;
    let mut seen = Csv::new("team,time_local,lat,lon,error_m,observed,count");
    let mut log = Csv::new("team,left_local,back_local,state,lat,lon,radius_m");
    for day in 0..DAYS {
        // 08:00 to 18:00 local.
        let (from, to) = (day_hours(day).0 + 10.0, day_hours(day).0 + 20.0);
        for team in 0..TEAMS {
            let Some(state) = patrol_state(team, day) else { continue };
            let post = patrol_at(ground, team, day);
            let name = format!("team {}", team + 1);
            log.row(&[
                &name,
                &local(moment(from)),
                &local(moment(to)),
                &state,
                &degrees(post.lat()),
                &degrees(post.lon()),
                &6_000,
            ]);
            if state != "out" {
                continue;
            }
            for event in truth.iter().filter(|event| (from..to).contains(&event.hour)) {
                let at = ground.at(event.place);
                let ratio = km_between(post, at) / REACH_KM;
                if !chance.happens(0.85 * libm::exp(-ratio * ratio)) {
                    continue;
                }
                let observed = match event.class {
                    Class::A1 | Class::A2 | Class::A10 => "bursts of fire",
                    Class::A3 if chance.happens(0.6) => "mortar fire",
                    Class::A4 if chance.happens(0.6) => "artillery fire",
                    Class::A9 => "drone",
                    Class::C4 => "armed people",
                    Class::C1 => "new trench",
                    _ => "explosions",
                };
                let error_m = 200.0 + 120.0 * km_between(post, at);
                let shift = |chance: &mut Chance| chance.normal() * error_m / 1e3;
                let told = moved(at, shift(chance), shift(chance));
                // Clocks are read to the minute, and not always at once.
                let time = moment(event.hour + chance.between(-0.01, 0.04));
                seen.row(&[
                    &name,
                    &local(time),
                    &degrees(told.lat()),
                    &degrees(told.lon()),
                    &libm::round(error_m),
                    &observed,
                    &event.count,
                ]);
            }
        }
    }
    put("data/patrols/observations.csv".to_owned(), seen.text());
    put("data/patrols/log.csv".to_owned(), log.text());
}

// ---- hot spots from space ---------------------------------------------------

/// Hours of the day at which a satellite passes.
const PASSES: [(f64, &str); 5] = [(1.68, "T"), (4.2, "A"), (13.35, "T"), (15.1, "A"), (22.9, "T")];

/// The day whose file was never captured.
const DAY_WITHOUT_FILE: u32 = 12;

fn steel_works(ground: &Ground) -> LatLon {
    ground.at(ByFront { along_km: 190.0, across_km: 7.0 })
}

fn field_fires(chance: &mut Chance) -> Vec<LatLon> {
    (0..chance.poisson(9.0)).map(|_| Ground::anywhere(chance)).collect()
}

pub(crate) fn hot_spots(ground: &Ground, truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    const HEADER: &str = "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight";
    let mut captured = Csv::new("snapshot_utc,file");
    for day in (0..DAYS).filter(|day| *day != DAY_WITHOUT_FILE) {
        let (from, to) = day_hours(day);
        let date = moment(from).strftime("%Y-%m-%d").to_string();
        let file = format!("fires_{}.csv", date.replace('-', ""));
        let mut table = Csv::new(HEADER);
        for (clock, satellite) in PASSES {
            let clouds = chance.between(0.0, 0.6);
            let (scan, track) = (chance.between(1.0, 2.6), chance.between(1.0, 1.5));
            let hour = from + clock;
            let mut burning = field_fires(chance);
            burning.push(steel_works(ground));
            for event in truth {
                let since = hour - event.hour;
                let lights = match event.class {
                    Class::A4 | Class::A6 if event.count > 6 => 0.4,
                    Class::A9 => 0.3,
                    _ => 0.0,
                };
                if (0.0..5.0).contains(&since) && chance.happens(lights) {
                    burning.push(ground.at(event.place));
                }
            }
            for fire in burning {
                if chance.happens(clouds) {
                    continue;
                }
                let seen = moved(fire, chance.normal() * 0.3 * track, chance.normal() * 0.3 * scan);
                let clock = moment(hour).strftime("%H%M").to_string();
                table.row(&[
                    &degrees(seen.lat()),
                    &degrees(seen.lon()),
                    &format!("{:.1}", 310.0 + 15.0 * chance.normal().abs()),
                    &format!("{scan:.1}"),
                    &format!("{track:.1}"),
                    &date,
                    &clock,
                    &if satellite == "T" { "Terra" } else { "Aqua" },
                    &(40 + chance.below(60)),
                    &"6.1NRT",
                    &format!("{:.1}", 292.0 + 4.0 * chance.normal()),
                    &format!("{:.1}", 8.0 + 10.0 * chance.normal().abs()),
                    &if is_dark(hour) { "N" } else { "D" },
                ]);
            }
        }
        put(format!("data/hot_spots/{file}"), table.text());
        captured.row(&[&moment(to + 6.0), &file]);
    }
    put("data/hot_spots/snapshots.csv".to_owned(), captured.text());
    for year in [2028, 2029, 2030] {
        let mut table = Csv::new("LATITUDE,LONGITUDE,ACQ_DATE");
        for month in 1..=12 {
            for day in 1..=28 {
                let date = jiff::civil::date(year, month, day);
                // The season of field fires.
                let rounds = if (5..=8).contains(&month) { 3 } else { 1 };
                let mut burning: Vec<LatLon> =
                    (0..rounds).flat_map(|_| field_fires(chance)).collect();
                burning.push(steel_works(ground));
                for fire in burning {
                    table.row(&[&degrees(fire.lat()), &degrees(fire.lon()), &date]);
                }
            }
        }
        put(format!("data/hot_spots/peacetime_{year}.csv"), table.text());
    }
}

// ---- press ------------------------------------------------------------------

const OUTLETS: [&str; 3] = ["herald", "courier", "gazette"];

struct Article {
    hour: f64,
    /// Only the date is given.
    dated: bool,
    outlet: usize,
    headline: String,
    place: String,
    at: LatLon,
}

pub(crate) fn press(ground: &Ground, truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    let mut articles = Vec::new();
    for event in truth {
        let noticed = match event.class {
            _ if event.energy => 1.0,
            Class::A4 | Class::A6 | Class::A9 => 0.35,
            Class::C1 => 0.9,
            Class::A3 => 0.15,
            Class::A1 | Class::A2 => 0.08,
            _ => 0.0,
        };
        if chance.happens(noticed) {
            report(ground, event, chance, &mut articles);
        }
    }
    for day in 0..DAYS {
        chatter(ground, f64::from(day) * 24.0, chance, &mut articles);
    }
    articles.sort_by(|a, b| a.hour.total_cmp(&b.hour));
    for (index, outlet) in OUTLETS.iter().enumerate() {
        let mut table = Csv::new("published,headline,place,lat,lon,outlet");
        for article in articles.iter().filter(|article| article.outlet == index) {
            let time = local(moment(article.hour));
            let time = if article.dated { format!("{} 00:00:00", &time[..10]) } else { time };
            table.row(&[
                &time,
                &article.headline,
                &article.place,
                &degrees(article.at.lat()),
                &degrees(article.at.lon()),
                outlet,
            ]);
        }
        put(format!("data/press/{outlet}.csv"), table.text());
    }
}

/// An event as up to three newspapers tell it: one writes, the others copy.
fn report(ground: &Ground, event: &Event, chance: &mut Chance, articles: &mut Vec<Article>) {
    let at = ground.at(event.place);
    let near = ground.nearest(at);
    let (district, ..) = DISTRICTS[near.district];
    // Some name the district only; the geocoder then takes any village in it.
    let coarse = chance.happens(0.2);
    let name = if coarse { format!("{district} district") } else { near.name.clone() };
    let headline = match event.class {
        _ if event.energy => format!("Drones hit a power station near {name}"),
        Class::A9 => format!("Drone struck a house in {name}"),
        Class::A6 => format!("Rockets land in {name}, {} craters", event.count),
        Class::A3 => format!("Mortar rounds on the edge of {name}"),
        Class::C1 => format!("Troops move forward near {name}, fighting goes on"),
        Class::A1 | Class::A2 => format!("Fighting heard all evening at {name}"),
        _ => format!("Shelling of {name}: {} explosions counted", event.count),
    };
    let point = if coarse {
        let same: Vec<_> =
            ground.settlements.iter().filter(|other| other.district == near.district).collect();
        *chance.one_of(&same)
    } else {
        near
    };
    let first = event.hour + chance.between(0.3, 9.0);
    let mut outlets: Vec<usize> = (0..OUTLETS.len()).collect();
    for copy in 0..=chance.poisson(0.7).min(2) {
        let outlet = outlets.swap_remove(chance.below(outlets.len()));
        articles.push(Article {
            hour: first + copy as f64 * chance.between(0.2, 3.0),
            dated: chance.happens(0.3),
            outlet,
            headline: headline.clone(),
            place: point.name.clone(),
            at: point.at,
        });
        // Some papers list an article again on the next day, by date only.
        if chance.happens(0.15) {
            articles.push(Article {
                hour: first + 24.0,
                dated: true,
                outlet,
                headline: headline.clone(),
                place: point.name.clone(),
                at: point.at,
            });
        }
    }
}

/// What is in the papers besides: words, totals, football.
fn chatter(ground: &Ground, from: f64, chance: &mut Chance, articles: &mut Vec<Article>) {
    for _ in 0..3 {
        let (near, other) =
            (chance.one_of(&ground.settlements), chance.one_of(&ground.settlements));
        let headline = match chance.below(5) {
            0 => format!("Commander says shelling of {} may resume", near.name),
            1 => format!("Analyst expects the truce to hold near {}", near.name),
            2 => format!(
                "In the past day {} attacks with drones along the whole front",
                5 + chance.below(70)
            ),
            3 => format!("Football: {} crushed by {}", near.name, other.name),
            _ => format!("Festival in {} goes on", near.name),
        };
        articles.push(Article {
            hour: from + chance.between(6.0, 22.0),
            dated: chance.happens(0.3),
            outlet: chance.below(OUTLETS.len()),
            headline,
            place: near.name.clone(),
            at: near.at,
        });
    }
}

// ---- claims -----------------------------------------------------------------

/// The northern staff counts drones by night, and counts generously.
pub(crate) fn claims(truth: &[Event], chance: &mut Chance, put: &mut Put<'_>) {
    let mut table = Csv::new("from_local,to_local,districts,launched,destroyed");
    for day in 0..DAYS {
        let (from, to) = (day_hours(day).0 + 22.0, day_hours(day).0 + 31.0);
        let true_count: u32 = truth
            .iter()
            .filter(|event| event.class == Class::A9 && (from..to).contains(&event.hour))
            .map(|event| event.count)
            .sum();
        let launched = libm::round(f64::from(true_count) * chance.between(1.0, 2.2)) as u32;
        if launched == 0 {
            continue;
        }
        let (first, second) = (chance.below(3), chance.below(3));
        let districts = if first == second {
            DISTRICTS[first].0.to_owned()
        } else {
            format!("{} and {}", DISTRICTS[first].0, DISTRICTS[second].0)
        };
        let destroyed = chance.below(launched as usize + 1);
        table.row(&[&local(moment(from)), &local(moment(to)), &districts, &launched, &destroyed]);
    }
    put("data/claims/north.csv".to_owned(), table.text());
}
