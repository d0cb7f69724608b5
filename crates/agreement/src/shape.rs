//! Polygons from `GeoJSON` (RFC 7946: longitude first, WGS 84).

use domain::LatLon;
use domain::area::Rings;
use geojson::{Feature, GeoJson, Geometry, GeometryValue, Position};

/// Why a `GeoJSON` text gives no polygons.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum NoShape {
    /// Not `GeoJSON` at all.
    #[error("not GeoJSON: {0}")]
    Syntax(String),
    /// A coordinate outside the globe or not a number.
    #[error("shape {polygon}, vertex {vertex}: {problem}")]
    Vertex {
        /// Which polygon, from 0.
        polygon: usize,
        /// Which vertex of its rings, from 0.
        vertex: usize,
        /// What is wrong.
        problem: String,
    },
    /// A ring that encloses nothing.
    #[error("polygon {polygon}: a ring needs at least 4 positions, the last equal to the first")]
    Ring {
        /// Which polygon, from 0.
        polygon: usize,
    },
    /// No polygon in it.
    #[error("it holds no Polygon or MultiPolygon")]
    Empty,
    /// No line in it.
    #[error("it holds no LineString or MultiLineString of at least two positions")]
    NoLine,
}

/// A `GeoJSON` feature that has polygons.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The feature's properties; empty for a bare geometry.
    pub properties: geojson::JsonObject,
    /// Its polygons.
    pub polygons: Vec<Rings>,
}

/// All features with polygons, in file order. Features of other kinds are
/// passed over; a text without any polygon is an error.
pub fn shapes(text: &str) -> Result<Vec<Shape>, NoShape> {
    let parsed: GeoJson =
        text.parse().map_err(|error: geojson::Error| NoShape::Syntax(error.to_string()))?;
    let features = match parsed {
        GeoJson::FeatureCollection(collection) => collection.features,
        GeoJson::Feature(feature) => vec![feature],
        GeoJson::Geometry(geometry) => vec![Feature::from(geometry)],
    };
    let mut found = Vec::new();
    for feature in features {
        let polygons = feature.geometry.as_ref().map_or(Ok(Vec::new()), polygons_of)?;
        if !polygons.is_empty() {
            found.push(Shape { properties: feature.properties.unwrap_or_default(), polygons });
        }
    }
    if found.is_empty() { Err(NoShape::Empty) } else { Ok(found) }
}

/// The polygons of all features together.
pub fn polygons(text: &str) -> Result<Vec<Rings>, NoShape> {
    Ok(shapes(text)?.into_iter().flat_map(|shape| shape.polygons).collect())
}

/// The polygons of one geometry; none if it is of another kind.
pub fn polygons_of(geometry: &Geometry) -> Result<Vec<Rings>, NoShape> {
    let mut polygons = Vec::new();
    collect(geometry, &mut polygons)?;
    Ok(polygons)
}

fn collect(geometry: &Geometry, polygons: &mut Vec<Rings>) -> Result<(), NoShape> {
    match &geometry.value {
        GeometryValue::Polygon { coordinates } => {
            let next = polygons.len();
            polygons.push(rings(coordinates, next)?);
        }
        GeometryValue::MultiPolygon { coordinates } => {
            for polygon in coordinates {
                let next = polygons.len();
                polygons.push(rings(polygon, next)?);
            }
        }
        GeometryValue::GeometryCollection { geometries } => {
            for inner in geometries {
                collect(inner, polygons)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The lines of all features together, in file order.
pub fn polylines(text: &str) -> Result<Vec<Vec<LatLon>>, NoShape> {
    let parsed: GeoJson =
        text.parse().map_err(|error: geojson::Error| NoShape::Syntax(error.to_string()))?;
    let geometries: Vec<Geometry> = match parsed {
        GeoJson::FeatureCollection(collection) => {
            collection.features.into_iter().filter_map(|feature| feature.geometry).collect()
        }
        GeoJson::Feature(feature) => feature.geometry.into_iter().collect(),
        GeoJson::Geometry(geometry) => vec![geometry],
    };
    let mut lines = Vec::new();
    for geometry in &geometries {
        let drawn: Vec<&Vec<Position>> = match &geometry.value {
            GeometryValue::LineString { coordinates } => vec![coordinates],
            GeometryValue::MultiLineString { coordinates } => coordinates.iter().collect(),
            _ => continue,
        };
        for line in drawn {
            let mut vertex = 0;
            let line = positions(line, lines.len(), &mut vertex)?;
            if line.len() >= 2 {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() { Err(NoShape::NoLine) } else { Ok(lines) }
}

fn positions(
    coordinates: &[Position],
    polygon: usize,
    vertex: &mut usize,
) -> Result<Vec<LatLon>, NoShape> {
    let mut positions = Vec::with_capacity(coordinates.len());
    for position in coordinates {
        let [lon, lat, ..] = *position.as_slice() else {
            let problem = "a position needs a longitude and a latitude".to_owned();
            return Err(NoShape::Vertex { polygon, vertex: *vertex, problem });
        };
        let at = LatLon::new(lat, lon).map_err(|error| NoShape::Vertex {
            polygon,
            vertex: *vertex,
            problem: error.to_string(),
        })?;
        positions.push(at);
        *vertex += 1;
    }
    Ok(positions)
}

fn rings(coordinates: &[Vec<Position>], polygon: usize) -> Result<Rings, NoShape> {
    let mut vertex = 0;
    let mut rings = Vec::with_capacity(coordinates.len());
    for ring in coordinates {
        let positions = positions(ring, polygon, &mut vertex)?;
        if positions.len() < 4 || positions.first() != positions.last() {
            return Err(NoShape::Ring { polygon });
        }
        rings.push(positions);
    }
    Ok(rings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: &str = r#"{"type":"Feature","properties":{"name":"z"},"geometry":{"type":"Polygon","coordinates":[[[37,48],[38,48],[38,49],[37,49],[37,48]]]}}"#;

    #[test]
    fn longitude_comes_first() {
        let shapes = shapes(SQUARE).unwrap();
        assert_eq!(shapes[0].polygons[0][0][1], LatLon::new(48.0, 38.0).unwrap());
        assert_eq!(shapes[0].properties["name"], "z");
    }

    #[test]
    fn every_nesting_is_read() {
        let geometry = r#"{"type":"MultiPolygon","coordinates":[[[[37,48],[38,48],[38,49],[37,48]]],[[[3,4],[5,4],[5,6],[3,4]]]]}"#;
        let collection = format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":null,"geometry":{{"type":"GeometryCollection","geometries":[{geometry},{{"type":"Point","coordinates":[1,2]}}]}}}}]}}"#
        );
        assert_eq!(polygons(&collection).unwrap().len(), 2);
        assert_eq!(polygons(geometry).unwrap().len(), 2);
    }

    #[test]
    fn bad_shapes_say_where() {
        assert!(matches!(polygons("{"), Err(NoShape::Syntax(_))));
        assert_eq!(
            polygons(r#"{"type":"Point","coordinates":[1,2]}"#).unwrap_err(),
            NoShape::Empty
        );
        let open = SQUARE.replace(",[37,48]]]", "]]");
        assert_eq!(polygons(&open).unwrap_err(), NoShape::Ring { polygon: 0 });
        let off_globe = SQUARE.replace("[38,49]", "[38,490]");
        let error = polygons(&off_globe).unwrap_err().to_string();
        assert!(error.contains("vertex 2") && error.contains("490"), "{error}");
    }
}
