//! What the arrays of a global network detect: waves that came a long way.

use associate::globe::{Arrival, Curve, GlobeEvent, Performance, associate as engine};
use associate::phases::PhaseModel;

use super::{Ask, Found, Heard, Inferred, Listening, What, classes, not_listed, numbers};

/// Associates them. Without travel times, and a performance of the arrays, nothing
/// can be said of them.
pub(super) fn associate(listening: &Listening<'_>, heard: &[Heard], ask: Ask<'_>) -> Found {
    let stations = listening.stations();
    let numbers = numbers(&stations);
    let mut found = Found::default();
    let model = needed(listening);
    let mut arrivals = Vec::with_capacity(heard.len());
    for (row, one) in (0..).zip(heard) {
        let What::Afar { azimuth_deg, slowness_s_deg, amplitude } = one.what else { continue };
        match (numbers.get(one.station.as_str()), &model) {
            (None, _) => found.rejected.push((row, not_listed(&one.station))),
            (_, Err(why)) => found.rejected.push((row, why.clone())),
            (Some(station), Ok(_)) => arrivals.push(Arrival {
                station: *station,
                t_s: listening.seconds(one.when),
                azimuth_deg,
                slowness_s_deg,
                amplitude,
                row,
            }),
        }
    }
    let Ok((curve, performance)) = model else { return found };
    let outages = listening.outages(&numbers);
    let made_by = PhaseModel::built_in();
    let all = |events: &[GlobeEvent]| -> Vec<Inferred> {
        events.iter().map(|event| inferred(event, &made_by)).collect()
    };
    let asked = |events: &[GlobeEvent]| ask(&all(events));
    let of = engine(&stations, &outages, &curve, &[], &arrivals, &performance, &mut |_| (), &asked);
    found.events = all(&of.events);
    found.account = of.account;
    found.rejected.extend(of.rejected.iter().map(|one| (one.row, one.reason.to_owned())));
    found.stations = stations.into_iter().map(|station| station.name).collect();
    found
}

/// The travel times and the performance of a network, or which is not there.
fn needed(listening: &Listening<'_>) -> Result<(Curve, Performance), String> {
    let missing = |what: &str, mapping: &str| {
        format!("its source has no {what} (an input with the mapping `{mapping}`)")
    };
    let network = listening.network;
    let points = network.travel_times.as_ref();
    let text = network.performance.as_ref();
    Ok((
        curve(points.ok_or_else(|| missing("travel times", "travel-times"))?)?,
        performance(text.ok_or_else(|| missing("performance of its arrays", "performance"))?)?,
    ))
}

pub(super) fn curve(points: &[(f64, f64)]) -> Result<Curve, String> {
    Curve::new(points).map_err(|why| why.to_string())
}

pub(super) fn performance(text: &str) -> Result<Performance, String> {
    Performance::parse(text).map_err(|why| why.to_string())
}

/// A depth would tell what made it, and there is none: the shares are those of a
/// network of which nothing is known.
fn inferred(event: &GlobeEvent, made_by: &PhaseModel) -> Inferred {
    let shares: Vec<f64> = made_by.kinds.iter().map(|kind| kind.share).collect();
    Inferred {
        t_s: event.t_s,
        var_t: event.var_t,
        lat: event.lat,
        lon: event.lon,
        covariance: event.covariance,
        depth: None,
        level_db: None,
        magnitude: Some(event.magnitude),
        probability: event.probability,
        evidence: event.evidence,
        classes: classes(made_by.made_by(&shares).into_iter()),
        rows: event.rows.clone(),
    }
}
