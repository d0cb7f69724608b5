//! The files: tables and shapes as text.

use domain::LatLon;
use geojson::{Feature, FeatureCollection, Geometry, GeometryValue, JsonObject};
use serde_json::json;

use crate::ground::{DISTRICTS, Ground, Settlement};
use crate::happening::{AREAS_KM, DAYS, Event, advances, moment};

/// Takes a file: path and text.
pub(crate) type Put<'a> = dyn FnMut(String, String) + 'a;

/// A table in the making.
pub(crate) struct Csv(String);

impl Csv {
    pub(crate) fn new(header: &str) -> Self {
        Self(format!("{header}\n"))
    }

    /// Adds a row; cells with a comma are quoted.
    pub(crate) fn row(&mut self, cells: &[&dyn std::fmt::Display]) {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            let cell = cell.to_string();
            if cell.contains(',') {
                self.0.push_str(&format!("\"{cell}\""));
            } else {
                self.0.push_str(&cell);
            }
        }
        self.0.push('\n');
    }

    pub(crate) fn text(self) -> String {
        self.0
    }
}

fn shapes(rings: Vec<(JsonObject, Vec<LatLon>)>) -> String {
    let feature = |(properties, ring): (JsonObject, Vec<LatLon>)| Feature {
        bbox: None,
        geometry: Some(Geometry::new(GeometryValue::new_polygon([ring
            .iter()
            .map(|at| [at.lon(), at.lat()])
            .collect::<Vec<_>>()]))),
        id: None,
        properties: Some(properties),
        foreign_members: None,
    };
    let collection = FeatureCollection {
        bbox: None,
        features: rings.into_iter().map(feature).collect(),
        foreign_members: None,
    };
    collection.to_string() + "\n"
}

/// The reference tables: land, districts, settlements, and the areas of the
/// agreement.
pub(crate) fn ground(ground: &Ground, put: &mut Put<'_>) {
    put("data/places/land.geojson".to_owned(), shapes(vec![(JsonObject::new(), Ground::land())]));
    let districts = DISTRICTS
        .iter()
        .enumerate()
        .map(|(index, (name, code, ..))| {
            let mut properties = JsonObject::new();
            properties.insert("code".to_owned(), json!(code));
            properties.insert("name".to_owned(), json!(name));
            (properties, Ground::district(index))
        })
        .collect();
    put("data/places/districts.geojson".to_owned(), shapes(districts));
    let mut table = Csv::new("code,name,lat,lon,population");
    for (index, Settlement { name, at, population, .. }) in ground.settlements.iter().enumerate() {
        table.row(&[&format!("S{index:03}"), name, &at.lat(), &at.lon(), population]);
    }
    put("data/places/settlements.csv".to_owned(), table.text());
    for (number, along_km) in (1..).zip(AREAS_KM) {
        let ring = ground.across_front(along_km, 6.0, 4.0);
        let path = format!("case/agreement/zones/area-{number}.geojson");
        put(path, shapes(vec![(JsonObject::new(), ring)]));
    }
}

/// The regions of the lexicon.
pub(crate) fn regions() -> String {
    DISTRICTS
        .iter()
        .map(|(name, code, ..)| {
            let stem = name.to_lowercase();
            format!("[[region]]\ncode = \"{code}\"\nnames = [\"{name}\"]\nstems = [\"{stem} district\"]\n\n")
        })
        .collect()
}

/// The map of control, day by day. It is drawn late: what happened two or three
/// days ago is on it, what happened yesterday is not.
pub(crate) fn control(ground: &Ground, truth: &[Event], put: &mut Put<'_>) {
    const LATE_H: f64 = 60.0;
    let advances = advances(truth);
    for day in 0..=DAYS {
        let hour = f64::from(day) * 24.0;
        let drawn: Vec<(f64, f64)> = advances
            .iter()
            .filter(|(at, ..)| at + LATE_H <= hour)
            .map(|(_, along_km, depth_km)| (*along_km, *depth_km))
            .collect();
        let ring = Ground::held_by_north(&ground.front(&drawn));
        let date = moment(hour).strftime("%Y%m%d").to_string();
        let path = format!("data/control/control_{date}.geojson");
        put(path, shapes(vec![(JsonObject::new(), ring)]));
    }
}

/// What really took place, one JSON object per line.
pub(crate) fn truth(ground: &Ground, truth: &[Event]) -> String {
    truth
        .iter()
        .map(|event| {
            let at = ground.at(event.place);
            json!({
                "at": event.moment(),
                "lat": at.lat(),
                "lon": at.lon(),
                "class": event.class,
                "count": event.count,
                "energy": event.energy,
            })
            .to_string()
                + "\n"
        })
        .collect()
}
