//! Incidents and findings as JSON for other programs.

use domain::{Incident, State};
use geojson::{Feature, FeatureCollection, Geometry, GeometryValue, JsonObject};
use serde_json::{Value, json};

use crate::counts::Counted;
use crate::table::{self, rounded_position};

/// Properties that are numbers.
const NUMBERS: [&str; 8] = [
    "class_share",
    "probability",
    "distinct",
    "lat",
    "lon",
    "radius_km",
    "origins",
    "claimed_count",
];

/// Incidents as a feature collection (RFC 7946). An incident that is only known
/// to lie in a region has no geometry.
pub fn incidents_geojson<'i>(
    state: &State,
    incidents: impl Iterator<Item = &'i Incident>,
) -> String {
    let counted = Counted::new(state);
    let features = incidents.map(|incident| {
        let table = table::incidents(state, std::iter::once(incident));
        let mut properties = JsonObject::new();
        for (name, cell) in table.columns.iter().zip(&table.rows[0]).skip(1) {
            let value = if NUMBERS.contains(name) {
                cell.parse::<f64>().map_or(Value::Null, |number| json!(number))
            } else {
                json!(cell)
            };
            properties.insert((*name).to_owned(), value);
        }
        properties.insert("signatures".to_owned(), json!(incident.signatures));
        properties.insert("remarks".to_owned(), json!(incident.remarks));
        properties.insert("may_be_same_as".to_owned(), json!(incident.may_be_same_as));
        let fits = counted.findings(incident).iter().map(|finding| {
            json!({ "provision": crate::counts::provision_name(finding), "fit": finding.fit })
        });
        properties.insert("findings".to_owned(), fits.collect());
        Feature {
            bbox: None,
            geometry: rounded_position(&incident.place)
                .map(|position| Geometry::new(GeometryValue::new_point(position))),
            id: Some(geojson::feature::Id::String(incident.id.to_string())),
            properties: Some(properties),
            foreign_members: None,
        }
    });
    let mut members = JsonObject::new();
    members.insert("case".to_owned(), json!(state.facts.case));
    members.insert("title".to_owned(), json!(state.facts.title));
    members.insert("exercise".to_owned(), json!(state.facts.exercise));
    members.insert("audience".to_owned(), json!("internal"));
    members.insert("positions_rounded_to_degrees".to_owned(), json!(0.01));
    pretty(&FeatureCollection {
        bbox: None,
        features: features.collect(),
        foreign_members: Some(members),
    })
}

/// Findings with the incidents they are about, as JSON; incidents without any
/// are left out.
pub fn findings_json<'i>(state: &State, incidents: impl Iterator<Item = &'i Incident>) -> String {
    let counted = Counted::new(state);
    let incidents: Vec<_> = incidents
        .filter(|incident| !counted.findings(incident).is_empty())
        .map(|incident| {
            json!({
                "incident": incident.id,
                "day": state.day_of(incident),
                "class": incident.class(),
                "basis": incident.basis(),
                "place": incident.place_name,
                "findings": counted.findings(incident),
            })
        })
        .collect();
    pretty(&json!({
        "case": state.facts.case,
        "agreement": state.facts.agreement,
        "exercise": state.facts.exercise,
        "audience": "internal",
        "meaning": "how well incidents fit provisions, given that they took place as reported; not a judgement, and nobody is named",
        "incidents": incidents,
    }))
}

/// Readable JSON, with an end of line.
pub(crate) fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("it always has a JSON form");
    text.push('\n');
    text
}
