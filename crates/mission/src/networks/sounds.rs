//! Sounds at single sensors.

use associate::account::Asked;
use associate::{Detection, Engine, Event, MetNode, Model};

use super::{Ask, Found, Heard, Inferred, Listening, What, classes, not_listed, numbers};

/// Associates sounds.
pub(super) fn associate(listening: &Listening<'_>, heard: &[Heard], ask: Ask<'_>) -> Found {
    let stations = listening.stations();
    let numbers = numbers(&stations);
    let mut found = Found::default();
    let mut detections = Vec::with_capacity(heard.len());
    for (row, one) in (0..).zip(heard) {
        let What::Sound { amp_db, snr_db, from } = one.what else { continue };
        let Some(station) = numbers.get(one.station.as_str()) else {
            found.rejected.push((row, not_listed(&one.station)));
            continue;
        };
        let t_s = listening.seconds(one.when);
        detections.push(Detection { station: *station, t_s, amp_db, snr_db, from, row });
    }
    let model = Model::built_in();
    let outages = listening.outages(&numbers);
    let fresh = || {
        let mut engine = Engine::new(&stations, &weather(listening), &outages, &model);
        engine.push(&detections);
        engine
    };
    let mut engine = fresh();
    let inferred = |event: &Event| Inferred {
        t_s: event.t_s,
        var_t: event.var_t,
        lat: event.lat,
        lon: event.lon,
        covariance: event.covariance,
        depth: None,
        level_db: Some(event.level_db),
        magnitude: None,
        probability: event.probability,
        evidence: event.evidence,
        classes: classes(
            model.kinds.iter().map(|kind| kind.kind.as_str()).zip(event.kinds.iter().copied()),
        ),
        rows: event.rows.clone(),
    };
    found.events = engine.finish().iter().map(inferred).collect();
    for rejected in engine.take_rejected() {
        found.rejected.push((rejected.row, format!("{}: {}", rejected.field, rejected.reason)));
    }
    let founder = ask(&found.events).and_then(|asked| found.events[asked].rows.iter().min());
    if let Some(row) = founder {
        // Which event it is was not known before: once more, and this time asked.
        let mut engine = fresh();
        engine.ask(Asked::Row(*row));
        engine.finish();
        found.account = engine.take_account();
    }
    found.stations = stations.into_iter().map(|station| station.name).collect();
    found
}

fn weather(listening: &Listening<'_>) -> Vec<MetNode> {
    let node = |row: &intake::tables::WeatherRow| MetNode {
        t_s: listening.seconds(row.at),
        lat: row.place.lat(),
        lon: row.place.lon(),
        wind_e: row.wind_east,
        wind_n: row.wind_north,
        temp_c: row.temperature_c,
    };
    listening.network.weather.iter().map(node).collect()
}
