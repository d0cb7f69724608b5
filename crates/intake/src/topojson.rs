//! Polygons from `TopoJSON` (the form in which world atlases are published):
//! shared arcs, delta-coded on an integer grid.
//! <https://github.com/topojson/topojson-specification>

use domain::LatLon;
use domain::area::Rings;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Topology {
    #[serde(default)]
    transform: Option<Transform>,
    objects: BTreeMap<String, Geometry>,
    arcs: Vec<Vec<Vec<f64>>>,
}

#[derive(Deserialize, Clone, Copy)]
struct Transform {
    scale: [f64; 2],
    translate: [f64; 2],
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Geometry {
    Polygon {
        arcs: Vec<Vec<i64>>,
    },
    MultiPolygon {
        arcs: Vec<Vec<Vec<i64>>>,
    },
    #[serde(rename = "GeometryCollection")]
    Collection {
        geometries: Vec<Geometry>,
    },
    #[serde(other)]
    Other,
}

/// The polygons of the object `land`, or else of all objects.
pub(crate) fn polygons(text: &[u8]) -> Result<Vec<Rings>, String> {
    let topology: Topology =
        serde_json::from_slice(text).map_err(|error| format!("not TopoJSON: {error}"))?;
    let arcs = topology
        .arcs
        .iter()
        .map(|arc| positions(arc, topology.transform))
        .collect::<Result<Vec<_>, _>>()?;
    let mut polygons = Vec::new();
    // An atlas of countries often holds their union too, under this name.
    let land = topology.objects.get("land");
    for geometry in topology.objects.values().filter(|_| land.is_none()).chain(land) {
        collect(geometry, &arcs, &mut polygons)?;
    }
    if polygons.is_empty() { Err("it holds no polygon".to_owned()) } else { Ok(polygons) }
}

/// The positions of an arc; with a transform each is a step from the last.
fn positions(arc: &[Vec<f64>], transform: Option<Transform>) -> Result<Vec<LatLon>, String> {
    let (mut x, mut y) = (0.0, 0.0);
    arc.iter()
        .map(|step| {
            let [dx, dy, ..] = step.as_slice() else {
                return Err("a position needs two numbers".to_owned());
            };
            let (lon, lat) = match transform {
                None => (*dx, *dy),
                Some(Transform { scale, translate }) => {
                    x += dx;
                    y += dy;
                    (x * scale[0] + translate[0], y * scale[1] + translate[1])
                }
            };
            // The last grid line may lie a hair outside the globe.
            LatLon::new(lat.clamp(-90.0, 90.0), lon.clamp(-180.0, 180.0))
                .map_err(|error| error.to_string())
        })
        .collect()
}

fn collect(
    geometry: &Geometry,
    arcs: &[Vec<LatLon>],
    polygons: &mut Vec<Rings>,
) -> Result<(), String> {
    match geometry {
        Geometry::Polygon { arcs: rings } => polygons.push(polygon(rings, arcs)?),
        Geometry::MultiPolygon { arcs: parts } => {
            for rings in parts {
                polygons.push(polygon(rings, arcs)?);
            }
        }
        Geometry::Collection { geometries } => {
            for inner in geometries {
                collect(inner, arcs, polygons)?;
            }
        }
        Geometry::Other => {}
    }
    Ok(())
}

fn polygon(rings: &[Vec<i64>], arcs: &[Vec<LatLon>]) -> Result<Rings, String> {
    rings.iter().map(|ring| stitched(ring, arcs)).collect()
}

/// Arcs end to end; a negative number means the arc backwards (ones' complement).
fn stitched(ring: &[i64], arcs: &[Vec<LatLon>]) -> Result<Vec<LatLon>, String> {
    let mut positions: Vec<LatLon> = Vec::new();
    for index in ring {
        let number = if *index < 0 { !*index } else { *index };
        let arc = usize::try_from(number).ok().and_then(|number| arcs.get(number));
        let arc = arc.ok_or_else(|| format!("arc {index} does not exist"))?;
        // The first position repeats the last of the arc before.
        let skip = usize::from(!positions.is_empty());
        if *index < 0 {
            positions.extend(arc.iter().rev().skip(skip));
        } else {
            positions.extend(arc.iter().skip(skip));
        }
    }
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO_SQUARES: &str = r#"{"type":"Topology","transform":{"scale":[0.5,0.5],"translate":[30,40]},
        "arcs":[[[2,0],[0,2]],[[2,2],[-2,0],[0,-2],[2,0]],[[2,2],[2,0],[0,-2],[-2,0]]],
        "objects":{"land":{"type":"GeometryCollection","geometries":[
            {"type":"Polygon","arcs":[[0,1]]},{"type":"MultiPolygon","arcs":[[[-1,-3]]]},{"type":"Point","coordinates":[0,0]}]}}}"#;

    #[test]
    fn arcs_are_stitched_forwards_and_backwards() {
        let polygons = polygons(TWO_SQUARES.as_bytes()).unwrap();
        assert_eq!(polygons.len(), 2);
        for polygon in &polygons {
            assert_eq!(polygon[0].first(), polygon[0].last());
            assert_eq!(polygon[0].len(), 5);
        }
        assert_eq!(polygons[0][0][0], LatLon::new(40.0, 31.0).unwrap());
    }

    #[test]
    fn damage_is_explained() {
        assert!(polygons(b"{}").unwrap_err().contains("not TopoJSON"));
        let broken = TWO_SQUARES.replace("[[0,1]]", "[[0,9]]");
        assert!(polygons(broken.as_bytes()).unwrap_err().contains("arc 9 does not exist"));
    }
}
