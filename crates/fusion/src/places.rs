//! From what a source writes about a place to a spread of probability over the
//! ground: names looked up, radii taken from the gazetteer, and the points that
//! publishers put down for a whole region recognised as such.

use std::collections::BTreeMap;

use domain::area::Rings;
use domain::control::{ControlHistory, Side};
use domain::gazetteer::{Settlement, compass_word};
use domain::{Area, Covariance, Gazetteer, LatLon, Located, Where};
use jiff::Timestamp;

use crate::lexicon::{Lexicon, Reading, folded, names_place};

/// Nodes of the lattice that stands for the ground of a unit.
const LATTICE: u32 = 60;

/// A unit without a boundary that reaches no farther than this is taken as a
/// disc, like a settlement; a larger one as a region.
const DISC_M_MAX: f64 = 20_000.0;

/// How far from a settlement's centre a published point may lie and still be
/// taken for that settlement, metres.
const SAME_SETTLEMENT_M: f64 = 5_000.0;

/// How far around a settlement another one of the same name in the text makes
/// up for a coarse geocoder, metres: quarters of a city are geocoded apart.
const CITY_AROUND_M: f64 = 15_000.0;

/// The ground of an administrative unit, as a table gives it.
#[derive(Debug)]
pub enum UnitGround {
    /// Its boundary.
    Polygons(Vec<Rings>),
    /// A middle and a typical radius, metres.
    Disc(LatLon, f64),
}

/// An administrative unit to look names up in.
#[derive(Debug)]
pub struct UnitInput {
    /// Code.
    pub code: String,
    /// Names, the first for display.
    pub names: Vec<String>,
    /// Ground.
    pub ground: UnitGround,
}

#[derive(Debug)]
struct Unit {
    name: String,
    area: Option<Area>,
    centre: LatLon,
    reach_m: f64,
    lattice: Vec<LatLon>,
}

/// All reference places of a mission.
#[derive(Debug)]
pub struct Places {
    gazetteer: Gazetteer,
    units: BTreeMap<String, Unit>,
    /// Names of units as written, and without the word for their kind.
    unit_names: BTreeMap<String, String>,
    unit_plain_names: BTreeMap<String, String>,
    settlement_names: BTreeMap<String, usize>,
    unit_of_settlement: BTreeMap<String, String>,
    land: Option<Area>,
    lexicon: Option<Lexicon>,
}

/// A located place with the doubts that go with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Placing {
    /// The spread.
    pub place: Located,
    /// What a reader must know about it; empty if it is plain.
    pub remark: String,
}

impl Placing {
    fn plain(place: Located) -> Self {
        Self { place, remark: String::new() }
    }

    fn unknown(remark: impl Into<String>) -> Self {
        Self { place: Located::Unknown, remark: remark.into() }
    }
}

impl Places {
    /// Indexes the references. `settlement_units`: names of settlements without
    /// coordinates, with the code of the unit they lie in. `land`: polygons of
    /// land, empty if not known.
    pub fn new(
        settlements: Vec<Settlement>,
        settlement_units: Vec<(String, String)>,
        units: Vec<UnitInput>,
        land: &[Rings],
        lexicon: Option<Lexicon>,
    ) -> Self {
        let mut unit_names = BTreeMap::new();
        let mut unit_plain_names = BTreeMap::new();
        let mut known = BTreeMap::new();
        for input in units {
            for name in input.names.iter().chain([&input.code]) {
                unit_names.entry(folded(name)).or_insert_with(|| input.code.clone());
                unit_plain_names.entry(plain_name(name)).or_insert_with(|| input.code.clone());
            }
            let name = input.names.first().unwrap_or(&input.code).clone();
            if let Some(unit) = Unit::new(name, input.ground) {
                known.entry(input.code).or_insert(unit);
            }
        }
        // Regions that only the lexicon knows, by a middle and a reach.
        for region in lexicon.iter().flat_map(Lexicon::regions) {
            if let Some((at, reach_m)) = region.disc
                && let Some(unit) = Unit::new(region.name.clone(), UnitGround::Disc(at, reach_m))
            {
                known.entry(region.code.clone()).or_insert(unit);
            }
        }
        let mut settlement_names: BTreeMap<String, usize> = BTreeMap::new();
        for (index, settlement) in settlements.iter().enumerate() {
            let names = std::iter::once(&settlement.name).chain(&settlement.aliases);
            for name in names {
                // Of several places of one name the largest is meant, as a rule.
                let best = settlement_names.entry(folded(name)).or_insert(index);
                if settlements[*best].population < settlement.population {
                    *best = index;
                }
            }
        }
        let unit_of_settlement =
            settlement_units.into_iter().map(|(name, unit)| (folded(&name), unit)).collect();
        Self {
            gazetteer: Gazetteer::new(settlements),
            units: known,
            unit_names,
            unit_plain_names,
            settlement_names,
            unit_of_settlement,
            land: (!land.is_empty()).then(|| Area::new(land, 0.0)),
            lexicon,
        }
    }

    /// The lexicon of the theatre, if there is one.
    pub const fn lexicon(&self) -> Option<&Lexicon> {
        self.lexicon.as_ref()
    }

    /// The settlements.
    pub const fn gazetteer(&self) -> &Gazetteer {
        &self.gazetteer
    }

    /// Points of equal weight over the ground of a unit; none if it is unknown.
    pub fn samples(&self, code: &str) -> Vec<LatLon> {
        self.units.get(code).map(|unit| unit.lattice.clone()).unwrap_or_default()
    }

    /// Whether a position is land of the theatre: in a unit with a boundary (the
    /// boundaries of units often run out to sea) and on land. What is not known
    /// rules nothing out.
    pub fn on_land(&self, at: LatLon) -> bool {
        self.in_unit(at) && self.land.as_ref().is_none_or(|land| land.contains(at))
    }

    /// Area of the ground of a region, m²; none if it is not known or no region.
    pub fn area_m2(&self, region: &Located) -> Option<f64> {
        let Located::Region { units, .. } = region else { return None };
        let areas: Vec<f64> =
            units.iter().filter_map(|code| Some(self.units.get(code)?.area_m2())).collect();
        let sum: f64 = areas.iter().sum();
        (sum > 0.0).then_some(sum)
    }

    /// Whether a position lies in one of the units of a region.
    pub fn contains(&self, region: &Located, at: LatLon) -> bool {
        let Located::Region { units, .. } = region else { return false };
        units.iter().filter_map(|code| self.units.get(code)).any(|unit| unit.contains(at))
    }

    fn in_unit(&self, at: LatLon) -> bool {
        let mut bounded = self.units.values().filter_map(|unit| unit.area.as_ref()).peekable();
        bounded.peek().is_none() || bounded.any(|area| area.contains(at))
    }

    /// Land, for drawing coasts.
    pub const fn land(&self) -> Option<&Area> {
        self.land.as_ref()
    }

    /// Boundaries for drawing: name and area of every unit that has one.
    pub fn outlines(&self) -> impl Iterator<Item = (&str, &Area)> {
        self.units.values().filter_map(|unit| Some((unit.name.as_str(), unit.area.as_ref()?)))
    }

    /// Locates what a source wrote. `text`: the words of the report, folded,
    /// with what the lexicon read in them, if the place is a geocoder's.
    pub fn locate(&self, place: &Where, text: Option<(&str, &Reading)>) -> Placing {
        match place {
            Where::Point { at, covariance } => {
                Placing::plain(Located::Normal { at: *at, covariance: *covariance })
            }
            Where::Footprint { at, scan_km, track_km, sigma_m } => Placing::plain(Located::Pixel {
                at: *at,
                half_east_m: scan_km * 500.0,
                half_north_m: track_km * 500.0,
                sigma_m: *sigma_m,
            }),
            Where::Named { name, at, radius_m } => self.named(name, *at, *radius_m, text),
            Where::Admin { units } => self.administrative(units),
            Where::Line { vertices } => spread(vertices),
            Where::Polygon { rings } => {
                rings.first().map_or(Placing::unknown("empty polygon"), |ring| spread(ring))
            }
            Where::Unknown => Placing::unknown("the source gives no place"),
        }
    }

    fn named(
        &self,
        name: &str,
        at: Option<LatLon>,
        radius_m: f64,
        text: Option<(&str, &Reading)>,
    ) -> Placing {
        let Some(at) = at else { return self.administrative(&[name.to_owned()]) };
        if radius_m > 0.0 {
            return Placing::plain(Located::Disc { at, radius_m });
        }
        let near =
            self.gazetteer.nearest(at).filter(|(_, distance)| *distance <= SAME_SETTLEMENT_M);
        let disc = |settlement: &Settlement| {
            Placing::plain(Located::Disc { at: settlement.at, radius_m: settlement.radius_m() })
        };
        let Some((text, reading)) = text else {
            return near.map_or_else(
                || Placing::plain(Located::Disc { at, radius_m: 2_000.0 }),
                |(settlement, _)| disc(settlement),
            );
        };
        let names = |settlement: &'_ Settlement| {
            let all = std::iter::once(&settlement.name).chain(&settlement.aliases);
            names_place(text, all.map(String::as_str))
        };
        if let Some((settlement, _)) = near
            && names(settlement)
        {
            return disc(settlement);
        }
        if names_place(text, [name]) {
            return Placing::plain(Located::Disc {
                at,
                radius_m: near.map_or(2_000.0, |(settlement, _)| settlement.radius_m()),
            });
        }
        // The geocoder may have hit a quarter of the city that the text names.
        let city = self
            .gazetteer
            .within(at, CITY_AROUND_M)
            .into_iter()
            .filter(|settlement| names(settlement))
            .max_by(|a, b| a.population.total_cmp(&b.population));
        if let Some(settlement) = city {
            return disc(settlement);
        }
        self.region_of_text(name, reading)
    }

    /// The text does not name the point's settlement: does it name a region?
    fn region_of_text(&self, name: &str, reading: &Reading) -> Placing {
        let Some(lexicon) = &self.lexicon else {
            return Placing::unknown(format!("the report does not name {name}"));
        };
        let mut codes: Vec<String> = Vec::new();
        for index in &reading.regions {
            let region = lexicon.region(*index);
            self.add_region(&region.code, &region.members, &mut codes);
        }
        match self.region(codes, true) {
            Some(place) => Placing {
                place,
                remark: format!(
                    "the report names the region only; the published point ({name}) stands for it"
                ),
            },
            None => Placing::unknown(format!(
                "the report does not name {name}, where the publisher put it, nor a region"
            )),
        }
    }

    fn add_region(&self, code: &str, members: &[String], codes: &mut Vec<String>) {
        let members = members.iter().map(String::as_str);
        for code in std::iter::once(code).chain(members) {
            if self.units.contains_key(code) && !codes.iter().any(|known| known == code) {
                codes.push(code.to_owned());
            }
        }
    }

    fn region(&self, mut codes: Vec<String>, drawn_as_point: bool) -> Option<Located> {
        codes.sort_unstable();
        if let [code] = codes.as_slice()
            && self.units[code].area.is_none()
            && self.units[code].reach_m <= DISC_M_MAX
        {
            let unit = &self.units[code];
            return Some(Located::Disc { at: unit.centre, radius_m: unit.reach_m });
        }
        let first = self.units.get(codes.first()?)?;
        let centre = first.centre;
        let reach_m = codes
            .iter()
            .filter_map(|code| self.units.get(code))
            .map(|unit| centre.distance_m(unit.centre) + unit.reach_m)
            .fold(0.0, f64::max);
        Some(Located::Region { units: codes, centre, reach_m, drawn_as_point })
    }

    fn administrative(&self, names: &[String]) -> Placing {
        let (mut codes, mut unknown) = (Vec::new(), Vec::new());
        let mut disc = None;
        for name in names {
            if let Some(region) =
                self.lexicon.as_ref().and_then(|lexicon| lexicon.region_named(name))
            {
                self.add_region(&region.code, &region.members, &mut codes);
            } else if let Some(code) = self.unit_names.get(&folded(name)) {
                self.add_region(code, &[], &mut codes);
            } else if let Some(index) = self.settlement_names.get(&folded(name)) {
                let settlement = &self.gazetteer.settlements()[*index];
                disc = disc.or(Some((settlement.at, settlement.radius_m())));
            } else if let Some(code) = self
                .unit_plain_names
                .get(&plain_name(name))
                .or_else(|| self.unit_of_settlement.get(&folded(name)))
            {
                self.add_region(code, &[], &mut codes);
            } else {
                unknown.push(name.as_str());
            }
        }
        let remark = if unknown.is_empty() {
            String::new()
        } else {
            format!("not in the reference of places: {}", unknown.join(", "))
        };
        let place = match (self.region(codes, false), disc) {
            (Some(place), _) => place,
            (None, Some((at, radius_m))) => Located::Disc { at, radius_m },
            (None, None) => Located::Unknown,
        };
        Placing { place, remark }
    }

    /// The place in the form "settlement (control, distance and bearing)".
    pub fn name(&self, place: &Located, control: &ControlHistory, moment: Timestamp) -> String {
        match place {
            Located::Unknown => "place not known".to_owned(),
            Located::Region { units, .. } => {
                let names: Vec<&str> = units
                    .iter()
                    .map(|code| self.units.get(code).map_or(code.as_str(), |unit| &unit.name))
                    .collect();
                match names.as_slice() {
                    [one] => format!("somewhere in {one}"),
                    few if few.len() <= 3 => format!("somewhere in {}", few.join(" or ")),
                    many => format!(
                        "somewhere in {} regions, from {} to {}",
                        many.len(),
                        many[0],
                        many[many.len() - 1]
                    ),
                }
            }
            other => {
                let Some(centre) = other.centre() else { return "place not known".to_owned() };
                self.name_point(centre, control, moment)
            }
        }
    }

    fn name_point(&self, at: LatLon, control: &ControlHistory, moment: Timestamp) -> String {
        let Some(reference) = self.gazetteer.reference(at) else {
            return format!("{:.2} N, {:.2} E", at.lat(), at.lon());
        };
        let (settlement, offset_m) = reference.settlement;
        let mut notes: Vec<String> = Vec::new();
        // Only the ground of the theatre is held by one side or the other.
        if let Some(state) = control.at(moment)
            && self.in_unit(at)
        {
            notes.push(match state.side(at) {
                Side::Inside => state.inside.clone(),
                Side::Outside => state.outside.clone(),
                Side::NearLine => "near the line of contact".to_owned(),
            });
        }
        if let Some((city, distance_m, bearing)) = reference.city {
            notes.push(format!(
                "{:.0}km {} of {}",
                distance_m / 1000.0,
                compass_word(bearing),
                city.name
            ));
        }
        let notes =
            if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        if offset_m <= settlement.radius_m() {
            format!("{}{notes}", settlement.name)
        } else {
            let bearing = compass_word(settlement.at.bearing_deg(at));
            format!("{:.0}km {bearing} of {}{notes}", (offset_m / 1000.0).max(1.0), settlement.name)
        }
    }
}

impl Unit {
    fn new(name: String, ground: UnitGround) -> Option<Self> {
        match ground {
            UnitGround::Disc(centre, reach_m) => {
                let lattice = Located::Disc { at: centre, radius_m: reach_m }.samples();
                Some(Self { name, area: None, centre, reach_m, lattice })
            }
            UnitGround::Polygons(polygons) => {
                let area = Area::new(&polygons, 0.0);
                let lattice = area.lattice(LATTICE);
                let n = lattice.len() as f64;
                let mean = |axis: fn(&LatLon) -> f64| lattice.iter().map(axis).sum::<f64>() / n;
                let centre = LatLon::new(mean(|at| at.lat()), mean(|at| at.lon())).ok()?;
                let reach_m = polygons
                    .iter()
                    .flatten()
                    .flatten()
                    .map(|at| centre.distance_m(*at))
                    .fold(0.0, f64::max);
                Some(Self { name, area: Some(area), centre, reach_m, lattice })
            }
        }
    }
}

impl Unit {
    fn area_m2(&self) -> f64 {
        self.area
            .as_ref()
            .map_or_else(|| std::f64::consts::PI * self.reach_m * self.reach_m, Area::square_metres)
    }

    fn contains(&self, at: LatLon) -> bool {
        self.area
            .as_ref()
            .map_or_else(|| self.centre.distance_m(at) <= self.reach_m, |area| area.contains(at))
    }
}

/// A line or an area as a normal spread with the covariance of its vertices.
fn spread(vertices: &[LatLon]) -> Placing {
    let Some(first) = vertices.first() else { return Placing::unknown("no vertices") };
    let n = vertices.len() as f64;
    let lat = vertices.iter().map(|at| at.lat()).sum::<f64>() / n;
    let lon = vertices.iter().map(|at| at.lon()).sum::<f64>() / n;
    let at = LatLon::new(lat, lon).unwrap_or(*first);
    let (per_lat, per_lon) = domain::ecef::metres_per_degree(at.lat());
    let mut covariance = Covariance { ee: 0.0, en: 0.0, nn: 0.0 };
    for vertex in vertices {
        let (east, north) =
            ((vertex.lon() - at.lon()) * per_lon, (vertex.lat() - at.lat()) * per_lat);
        covariance.ee += east * east / n;
        covariance.en += east * north / n;
        covariance.nn += north * north / n;
    }
    Placing::plain(Located::Normal { at, covariance })
}

/// A unit's name without the word for its kind, folded.
fn plain_name(name: &str) -> String {
    const KINDS: [&str; 10] = [
        " oblast",
        " область",
        " region",
        " raion",
        " район",
        " hromada",
        " terytorialna hromada",
        " територіальна громада",
        " province",
        " governorate",
    ];
    let name = folded(name);
    let plain = KINDS.iter().find_map(|kind| name.strip_suffix(kind)).unwrap_or(&name);
    plain.strip_suffix(" terytorialna").unwrap_or(plain).to_owned()
}

#[cfg(test)]
mod tests {
    use strict::Text;

    use super::*;
    use crate::lexicon::LEXICONS;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).unwrap()
    }

    fn places() -> Places {
        let settlement = |name: &str, alias: &str, lat, lon, population| Settlement {
            code: name.into(),
            name: name.into(),
            aliases: vec![alias.into()],
            at: at(lat, lon),
            population,
        };
        let ring =
            vec![at(46.0, 32.0), at(46.0, 34.0), at(47.5, 34.0), at(47.5, 32.0), at(46.0, 32.0)];
        let unit = UnitInput {
            code: "UA-65".into(),
            names: vec!["Kherson Oblast".into()],
            ground: UnitGround::Polygons(vec![vec![ring]]),
        };
        let raion = UnitInput {
            code: "UA1208".into(),
            names: vec!["Nikopolskyi".into()],
            ground: UnitGround::Disc(at(47.6, 34.4), 37_000.0),
        };
        Places::new(
            vec![
                settlement("Kherson", "Херсон", 46.65, 32.6, 280_000.0),
                settlement("Chorna Dolyna", "Чорна Долина", 46.5, 33.5, 600.0),
                settlement("Tekstylnyi", "Текстильний", 46.66, 32.65, 500.0),
            ],
            vec![("Малинівка".into(), "UA1208".into())],
            vec![unit, raion],
            &[],
            Some(Lexicon::parse(&Text::new("ukraine", LEXICONS[0].1)).unwrap()),
        )
    }

    fn press(name: &str, lat: f64, lon: f64, headline: &str) -> Placing {
        let places = places();
        let text = folded(headline);
        let reading = places.lexicon().unwrap().read(&text);
        places.locate(
            &Where::Named { name: name.into(), at: Some(at(lat, lon)), radius_m: 0.0 },
            Some((&text, &reading)),
        )
    }

    #[test]
    fn a_named_settlement_has_its_real_radius() {
        let placing = press("Kherson", 46.65, 32.6, "РФ атакувала дронами лікарню у Херсоні");
        let Located::Disc { radius_m, .. } = placing.place else { panic!("{placing:?}") };
        assert!((radius_m / 1000.0 - 7.85).abs() < 0.1, "{radius_m}");
        assert_eq!(placing.remark, "");
    }

    /// Trap: oblast names geocoded to a village.
    #[test]
    fn a_village_that_stands_for_an_oblast_says_so() {
        let placing = press(
            "Chorna Dolyna",
            46.5,
            33.5,
            "Окупанти обстріляли Херсонщину: поранено літню жінку",
        );
        let Located::Region { units, drawn_as_point, .. } = &placing.place else {
            panic!("{placing:?}")
        };
        assert_eq!((units.as_slice(), *drawn_as_point), (&["UA-65".to_owned()][..], true));
        assert!(placing.remark.contains("Chorna Dolyna"), "{}", placing.remark);
    }

    #[test]
    fn a_quarter_of_the_city_named_is_the_city() {
        let placing =
            press("Tekstylnyi", 46.66, 32.65, "Російські війська обстрілюють Херсон з РСЗВ");
        assert_eq!(placing.place.centre(), Some(at(46.65, 32.6)));
    }

    #[test]
    fn a_place_that_the_text_does_not_name_is_unknown() {
        let placing = press("Chorna Dolyna", 46.5, 33.5, "Новий мерч клубу");
        assert_eq!(placing.place, Located::Unknown);
        assert!(placing.remark.contains("does not name Chorna Dolyna"));
    }

    #[test]
    fn names_of_tables_are_looked_up() {
        let places = places();
        let locate = |names: &[&str]| {
            places.locate(
                &Where::Admin { units: names.iter().map(|name| (*name).to_owned()).collect() },
                None,
            )
        };
        assert!(matches!(locate(&["Khersonska oblast"]).place, Located::Region { .. }));
        assert!(matches!(locate(&["Nikopolskyi raion"]).place, Located::Region { .. }));
        assert!(matches!(locate(&["Малинівка"]).place, Located::Region { .. }));
        assert!(matches!(locate(&["Kherson"]).place, Located::Disc { .. }));
        let kursk = locate(&["kursk"]).place;
        assert_eq!(
            places.name(&kursk, &ControlHistory::default(), Timestamp::UNIX_EPOCH),
            "somewhere in Kursk oblast"
        );
        let nowhere = locate(&["Atlantis"]);
        assert_eq!(nowhere.place, Located::Unknown);
        assert!(nowhere.remark.contains("Atlantis"));
    }

    #[test]
    fn places_are_named_for_reports() {
        let places = places();
        let control = ControlHistory::default();
        let name = |place: &Located| places.name(place, &control, Timestamp::UNIX_EPOCH);
        assert_eq!(
            name(&Located::Disc { at: at(46.5, 33.5), radius_m: 1000.0 }),
            "Chorna Dolyna (71km east of Kherson)"
        );
        assert_eq!(
            name(&press("Chorna Dolyna", 46.5, 33.5, "на Херсонщині вибухи").place),
            "somewhere in Kherson Oblast"
        );
        assert_eq!(name(&Located::Unknown), "place not known");
    }
}
