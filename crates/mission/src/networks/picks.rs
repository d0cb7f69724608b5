//! P and S waves picked at seismic stations.

use associate::phases::{Event, PhaseModel, Pick, associate as engine};
use associate::travel::{Layer, Layers, NotLayers, Table};
use domain::event::Depth;
use domain::probability::rounded;
use intake::tables::VelocityTable;

use super::{Ask, Found, Heard, Inferred, Listening, What, classes, not_listed, numbers};

/// Sources are sought down to here where the velocity model does not say, km.
const DEEPEST_KM: f64 = 60.0;

/// Associates picks. Without a velocity model nothing can be said of them.
pub(super) fn associate(listening: &Listening<'_>, heard: &[Heard], ask: Ask<'_>) -> Found {
    let stations = listening.stations();
    let numbers = numbers(&stations);
    let mut found = Found::default();
    let velocity =
        match listening.network.velocity.as_ref().map(layers) {
            Some(Ok(velocity)) => Ok(velocity),
            Some(Err(why)) => Err(format!("the velocity model of its source is none: {why}")),
            None => Err("its source has no velocity model (an input with the mapping `velocity`)"
                .to_owned()),
        };
    let mut picks = Vec::with_capacity(heard.len());
    for (row, one) in (0..).zip(heard) {
        let What::Pick { phase, weight } = &one.what else { continue };
        let pick = match (numbers.get(one.station.as_str()), phase, &velocity) {
            (None, ..) => Err(not_listed(&one.station)),
            (_, Err(phase), _) => Err(format!("the phase `{phase}` is neither P nor S")),
            (.., Err(why)) => Err(why.clone()),
            (Some(station), Ok(phase), Ok(_)) => Ok(Pick {
                station: *station,
                phase: *phase,
                t_s: listening.seconds(one.when),
                weight: *weight,
                row,
            }),
        };
        match pick {
            Ok(pick) => picks.push(pick),
            Err(why) => found.rejected.push((row, why)),
        }
    }
    let Ok((layers, deepest_km)) = velocity else { return found };
    if picks.is_empty() {
        return found;
    }
    let model = PhaseModel::built_in();
    let table = Table::new(&layers, deepest_km);
    let outages = listening.outages(&numbers);
    let all = |events: &[Event]| -> Vec<Inferred> {
        events.iter().map(|event| inferred(event, &model)).collect()
    };
    let asked = |events: &[Event]| ask(&all(events));
    let of = engine(&stations, &outages, &table, &picks, &model, &mut |_| (), &asked);
    found.events = all(&of.events);
    found.account = of.account;
    let rejected = of.rejected.iter().map(|one| (one.row, one.reason.to_owned()));
    found.rejected.extend(rejected);
    found.stations = stations.into_iter().map(|station| station.name).collect();
    found
}

/// The layers of a velocity model, and how deep sources are sought, km.
pub(super) fn layers(table: &VelocityTable) -> Result<(Layers, f64), NotLayers> {
    let layer = |row: &intake::tables::LayerRow| Layer {
        depth_km: row.depth_km,
        vp_km_s: row.vp_km_s,
        vs_km_s: row.vs_km_s,
    };
    let layers = Layers::new(table.layers.iter().map(layer).collect())?;
    Ok((layers, table.deepest_km.unwrap_or(DEEPEST_KM)))
}

fn inferred(event: &Event, model: &PhaseModel) -> Inferred {
    let [ee, en, nn, _, _, dd] = event.covariance;
    Inferred {
        t_s: event.t_s,
        var_t: event.var_t,
        lat: event.lat,
        lon: event.lon,
        covariance: [ee, en, nn],
        depth: Some(Depth {
            m: rounded(event.depth_km * 1e3, 1),
            sigma_m: rounded(dd.max(0.0).sqrt(), 1),
        }),
        level_db: None,
        magnitude: None,
        probability: event.probability,
        evidence: event.evidence,
        classes: classes(model.made_by(&event.kinds).into_iter()),
        rows: event.rows.clone(),
    }
}
