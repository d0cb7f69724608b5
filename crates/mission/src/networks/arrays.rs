//! Infrasound at arrays.

use associate::Station;
use associate::arrays::{ArrayDetection, ArrayEvent, ArrayModel, KINDS, associate as engine};
use domain::LatLon;

use super::{Ask, Found, Heard, Inferred, Listening, What, classes, numbers};

/// Associates detections of arrays.
pub(super) fn associate(listening: &Listening<'_>, heard: &[Heard], ask: Ask<'_>) -> Found {
    let arrays = arrays(listening, heard);
    let mut found = Found::default();
    let mut detections = Vec::with_capacity(heard.len());
    for (row, one) in (0..).zip(heard) {
        let What::Infrasound { array, azimuth_deg } = one.what else { continue };
        let Some(station) = arrays.iter().position(|known| stands_at(known, array)) else {
            continue;
        };
        let t_s = listening.seconds(one.when);
        detections.push(ArrayDetection { station: station as u32, t_s, azimuth_deg, row });
    }
    let outages = listening.outages(&numbers(&arrays));
    let all = |events: &[ArrayEvent]| -> Vec<Inferred> { events.iter().map(inferred).collect() };
    let asked = |events: &[ArrayEvent]| ask(&all(events));
    let of = engine(&arrays, &outages, &detections, &ArrayModel::built_in(), &asked);
    found.events = all(&of.events);
    found.account = of.account;
    found.rejected = of.rejected.iter().map(|one| (one.row, one.reason.to_owned())).collect();
    found.stations = arrays.into_iter().map(|array| array.name).collect();
    found
}

fn stands_at(array: &Station, at: LatLon) -> bool {
    array.lat == at.lat() && array.lon == at.lon()
}

/// The arrays of the network: those in its table, by which they are named, and
/// those that tell their own place. One that the table marks as an array and that
/// has no detection was silent. From south to north.
fn arrays(listening: &Listening<'_>, heard: &[Heard]) -> Vec<Station> {
    let marked = &listening.network.stations;
    let mut arrays = listening.stations();
    arrays.retain(|array| {
        marked.iter().any(|row| row.array && row.name == array.name)
            || heard.iter().any(|one| match one.what {
                What::Infrasound { array: at, .. } => stands_at(array, at),
                _ => false,
            })
    });
    for one in heard {
        let What::Infrasound { array, .. } = one.what else { continue };
        if !arrays.iter().any(|known| stands_at(known, array)) {
            let (lat, lon) = (array.lat(), array.lon());
            arrays.push(Station { name: one.station.clone(), lat, lon, elev_m: 0.0 });
        }
    }
    arrays.sort_by(|a, b| {
        a.lat.total_cmp(&b.lat).then(a.lon.total_cmp(&b.lon)).then(a.name.cmp(&b.name))
    });
    arrays
}

fn inferred(event: &ArrayEvent) -> Inferred {
    let alike = 1.0 / KINDS.len() as f64;
    Inferred {
        t_s: event.t_s,
        var_t: event.var_t,
        lat: event.lat,
        lon: event.lon,
        covariance: event.covariance,
        depth: None,
        level_db: None,
        magnitude: None,
        probability: event.probability,
        evidence: event.evidence,
        classes: classes(KINDS.iter().map(|kind| (*kind, alike))),
        rows: event.rows.clone(),
    }
}
