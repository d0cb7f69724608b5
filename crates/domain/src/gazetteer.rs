//! Named places: which settlement a point belongs to, how far it reaches, and
//! the form in which reports name it.

use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

use crate::ecef;
use crate::place::LatLon;

/// A settlement.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// Code in the reference it came from.
    pub code: String,
    /// Name in the language of the reports.
    pub name: String,
    /// Other names and spellings, any script.
    pub aliases: Vec<String>,
    /// Centre.
    pub at: LatLon,
    /// Inhabitants, 0 if unknown.
    pub population: f64,
}

impl Settlement {
    /// How far it reaches from its centre, metres: 120 m times the cube root of
    /// the population, at least 500 m.
    ///
    /// An empirical fit: it gives 17 km for Kyiv (built-up area of 839 km2:
    /// 16 km), 13 km for Kharkiv (350 km2: 11 km), 2.7 km for a town of 12,000
    /// and 1 km for a village of 500.
    pub fn radius_m(&self) -> f64 {
        (120.0 * libm::cbrt(self.population.max(0.0))).max(500.0)
    }
}

type Node = GeomWithData<[f64; 3], usize>;

/// Settlements with a spatial index.
#[derive(Debug)]
pub struct Gazetteer {
    settlements: Vec<Settlement>,
    tree: RTree<Node>,
    cities: RTree<Node>,
}

/// From this population on a settlement serves as a reference city.
pub const REFERENCE_CITY_POPULATION: f64 = 90_000.0;

/// "Chasiv Yar, 62 km north of Donetsk": a place named so that neither
/// homonyms nor spelling can mislead.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference<'a> {
    /// Nearest settlement, and metres from it.
    pub settlement: (&'a Settlement, f64),
    /// Reference city, metres and degrees from it to the settlement; none if
    /// the settlement is one itself.
    pub city: Option<(&'a Settlement, f64, f64)>,
}

impl Gazetteer {
    /// Indexes the settlements; their order decides between equals.
    pub fn new(settlements: Vec<Settlement>) -> Self {
        let node = |(index, settlement): (usize, &Settlement)| {
            Node::new(ecef::from_position(settlement.at), index)
        };
        let tree = RTree::bulk_load(settlements.iter().enumerate().map(node).collect());
        let cities = RTree::bulk_load(
            largest_first(&settlements)
                .take_while(|index| settlements[*index].population >= REFERENCE_CITY_POPULATION)
                .map(|index| node((index, &settlements[index])))
                .collect(),
        );
        Self { settlements, tree, cities }
    }

    /// The largest settlements, the largest first, without quarters of cities
    /// that are among them.
    pub fn largest(&self, count: usize) -> Vec<&Settlement> {
        largest_first(&self.settlements).take(count).map(|index| &self.settlements[index]).collect()
    }

    /// All settlements, in the order given.
    pub fn settlements(&self) -> &[Settlement] {
        &self.settlements
    }

    /// The settlement whose centre is nearest, and metres to it.
    pub fn nearest(&self, at: LatLon) -> Option<(&Settlement, f64)> {
        self.nearest_in(&self.tree, at)
    }

    fn nearest_in(&self, tree: &RTree<Node>, at: LatLon) -> Option<(&Settlement, f64)> {
        let from = ecef::from_position(at);
        // Equal distances are decided by order, not by the shape of the tree.
        let nearest = tree.nearest_neighbors(&from).into_iter().min_by_key(|node| node.data)?;
        Some((&self.settlements[nearest.data], ecef::chord_m(from, *nearest.geom())))
    }

    /// Settlements whose centre lies within `radius_m`, in the order given.
    pub fn within(&self, at: LatLon, radius_m: f64) -> Vec<&Settlement> {
        let from = ecef::from_position(at);
        let corner = |sign: f64| from.map(|axis| axis + sign * radius_m);
        let mut found: Vec<usize> = self
            .tree
            .locate_in_envelope(AABB::from_corners(corner(-1.0), corner(1.0)))
            .filter(|node| ecef::chord_m(from, *node.geom()) <= radius_m)
            .map(|node| node.data)
            .collect();
        found.sort_unstable();
        found.into_iter().map(|index| &self.settlements[index]).collect()
    }

    /// Names a place by its settlement and the nearest reference city.
    pub fn reference(&self, at: LatLon) -> Option<Reference<'_>> {
        let (settlement, offset_m) = self.nearest(at)?;
        let city = if settlement.population >= REFERENCE_CITY_POPULATION {
            None
        } else {
            self.nearest_in(&self.cities, settlement.at)
                .map(|(city, distance_m)| (city, distance_m, city.at.bearing_deg(settlement.at)))
        };
        Some(Reference { settlement: (settlement, offset_m), city })
    }
}

/// Indexes by size. Gazetteers list the quarters of a city as settlements of
/// their own; these are left out.
fn largest_first(settlements: &[Settlement]) -> impl Iterator<Item = usize> {
    let mut by_size: Vec<usize> = (0..settlements.len()).collect();
    by_size.sort_by(|a, b| {
        settlements[*b].population.total_cmp(&settlements[*a].population).then(a.cmp(b))
    });
    let mut cities: Vec<usize> = Vec::new();
    by_size.into_iter().filter(move |index| {
        let at = settlements[*index].at;
        let is_quarter = cities.iter().any(|city| {
            let city = &settlements[*city];
            city.at.distance_m(at) < city.radius_m()
        });
        if !is_quarter {
            cities.push(*index);
        }
        !is_quarter
    })
}

/// The compass word for a bearing: eight points, as monitoring reports use.
pub fn compass_word(bearing_deg: f64) -> &'static str {
    const WORDS: [&str; 8] =
        ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    let sector = libm::round(bearing_deg / 45.0) as i64;
    WORDS[sector.rem_euclid(8) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, lat: f64, lon: f64, population: f64) -> Settlement {
        Settlement {
            code: name.into(),
            name: name.into(),
            aliases: vec![],
            at: LatLon::new(lat, lon).unwrap(),
            population,
        }
    }

    #[test]
    fn places_are_named_as_monitoring_reports_name_them() {
        let gazetteer = Gazetteer::new(vec![
            place("Donetsk", 48.023, 37.80224, 900_000.0),
            place("Chasiv Yar", 48.58705, 37.83563, 12_000.0),
        ]);
        let near = LatLon::new(48.59, 37.84).unwrap();
        let reference = gazetteer.reference(near).unwrap();
        assert_eq!(reference.settlement.0.name, "Chasiv Yar");
        let (city, distance_m, bearing) = reference.city.unwrap();
        assert_eq!(city.name, "Donetsk");
        assert_eq!(format!("{:.0}km {}", distance_m / 1000.0, compass_word(bearing)), "63km north");
        assert!(gazetteer.reference(LatLon::new(48.0, 37.8).unwrap()).unwrap().city.is_none());
    }

    #[test]
    fn a_quarter_of_a_city_is_no_reference_city() {
        let gazetteer = Gazetteer::new(vec![
            place("Saltivka", 50.03, 36.33, 400_000.0),
            place("Kharkiv", 49.98, 36.25, 1_430_000.0),
            place("Lukiantsi", 50.2, 36.45, 1_000.0),
        ]);
        let reference = gazetteer.reference(LatLon::new(50.2, 36.45).unwrap()).unwrap();
        assert_eq!(reference.city.unwrap().0.name, "Kharkiv");
    }

    #[test]
    fn compass_words_wrap() {
        for (bearing, word) in [
            (0.0, "north"),
            (22.4, "north"),
            (22.6, "north-east"),
            (180.0, "south"),
            (359.0, "north"),
            (337.6, "north"),
        ] {
            assert_eq!(compass_word(bearing), word, "{bearing}");
        }
    }

    #[test]
    fn radius_grows_with_population() {
        assert!((place("k", 0.0, 0.0, 2_952_301.0).radius_m() / 1000.0 - 17.2).abs() < 0.1);
        assert_eq!(place("v", 0.0, 0.0, 0.0).radius_m(), 500.0);
    }

    #[test]
    fn equal_distances_are_decided_by_order() {
        let at = LatLon::new(48.0, 37.0).unwrap();
        for swap in [false, true] {
            let mut both = vec![place("first", 48.0, 37.1, 0.0), place("second", 48.0, 37.1, 0.0)];
            if swap {
                both.reverse();
            }
            let first = both[0].name.clone();
            assert_eq!(Gazetteer::new(both).nearest(at).unwrap().0.name, first);
        }
    }

    #[test]
    fn an_empty_gazetteer_knows_nothing() {
        let gazetteer = Gazetteer::new(vec![]);
        assert!(gazetteer.reference(LatLon::new(0.0, 0.0).unwrap()).is_none());
    }
}
