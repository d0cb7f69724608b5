//! Zones: per party and per date, built from polygons or from lines. Every one
//! says how accurately it is known and where it comes from.

use domain::Interval;
use domain::area::Rings;
use domain::place::LatLon;

use crate::citation::{Citation, Localised};

/// A line from which zones are built: digitised, or the line of the day of a
/// source's maps.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Short name.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// Where it runs.
    pub course: Course,
    /// One standard deviation of its position, metres.
    pub accuracy_m: f64,
    /// While it holds.
    pub valid: Interval,
    /// Where it is laid down and who drew it.
    pub citation: Citation,
}

/// The course of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Course {
    /// Polylines of the package, in the order in which they were drawn: left
    /// and right are as seen along them.
    Drawn(Vec<Vec<LatLon>>),
    /// The line of contact in the maps of a source, on the day in question.
    OfTheDay {
        /// Id of the source.
        source: String,
    },
}

/// What a zone is, by what happens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Land.
    Land,
    /// Air space.
    Air,
    /// Sea.
    Sea,
}

/// One row of a zone: an area for a time, for somebody's forces, under a reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone {
    /// Short name; a zone may have several rows.
    pub id: String,
    /// Name.
    pub name: Localised,
    /// What it covers.
    pub geometry: Geometry,
    /// While this version of the zone holds.
    pub valid: Interval,
    /// For whose forces it is drawn so; empty: for everybody's.
    pub parties: Vec<String>,
    /// Under which reading; empty if nothing is contested.
    pub reading: String,
    /// Least height above ground, metres, if it is air space.
    pub floor_m: Option<f64>,
    /// Greatest height above ground, metres, if it is air space.
    pub ceiling_m: Option<f64>,
    /// Land, air or sea; none if that is not stated.
    pub surface: Option<Surface>,
    /// Where it is laid down.
    pub citation: Citation,
}

/// What a zone covers.
#[derive(Clone, Debug, PartialEq)]
pub enum Geometry {
    /// No limit is stated.
    Everywhere,
    /// Polygons whose boundary has an error.
    Polygons {
        /// The polygons.
        polygons: Vec<Rings>,
        /// How far around them the zone reaches, metres; negative: how far
        /// inside them it ends.
        grow_m: f64,
        /// One standard deviation of the boundary, metres.
        accuracy_m: f64,
    },
    /// The ground between two distances from a line.
    Band {
        /// Id of a line of the agreement, or of the source whose map gives the
        /// line of contact of the day.
        line: String,
        /// On which side.
        side: Side,
        /// Where it begins, metres from the line.
        from_m: f64,
        /// Where it ends, metres from the line.
        to_m: f64,
        /// One standard deviation of the line, metres.
        accuracy_m: f64,
    },
}

/// The side of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Both.
    #[default]
    Both,
    /// To the left of a drawn line.
    Left,
    /// To the right of a drawn line.
    Right,
    /// Inside the area that the map of the day shows as held.
    Inside,
    /// Outside it.
    Outside,
}

impl Side {
    /// In words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Both => "on both sides of",
            Self::Left => "to the left of",
            Self::Right => "to the right of",
            Self::Inside => "on the inner side of",
            Self::Outside => "on the outer side of",
        }
    }
}

impl Zone {
    /// Whether the row is drawn for a party's forces.
    pub fn is_for(&self, party: &str) -> bool {
        self.parties.is_empty() || self.parties.iter().any(|one| one == party)
    }

    /// What it covers, in words.
    pub fn in_words(&self) -> String {
        let km = |metres: f64| {
            let km = metres / 1000.0;
            if (km * 10.0).fract() == 0.0 { format!("{km} km") } else { format!("{km:.2} km") }
        };
        let mut words = match &self.geometry {
            Geometry::Everywhere => "no limit stated".to_owned(),
            Geometry::Polygons { polygons, grow_m, accuracy_m } => {
                let grown = match *grow_m {
                    0.0 => String::new(),
                    more if more > 0.0 => format!(" and {} around it", km(more)),
                    less => format!(", less {} inside its edge", km(-less)),
                };
                let one = if polygons.len() == 1 {
                    "an area".to_owned()
                } else {
                    format!("{} areas", polygons.len())
                };
                format!("{one} drawn in the package{grown}, boundary known to {accuracy_m} m")
            }
            Geometry::Band { line, side, from_m, to_m, accuracy_m } => {
                let extent = if *from_m == 0.0 {
                    format!("up to {}", km(*to_m))
                } else if to_m.is_infinite() {
                    format!("beyond {}", km(*from_m))
                } else {
                    format!("from {} to {}", km(*from_m), km(*to_m))
                };
                format!("{extent} {} the line {line}, known to {accuracy_m} m", side.title())
            }
        };
        match (self.floor_m, self.ceiling_m) {
            (Some(floor), Some(ceiling)) => {
                words.push_str(&format!("; from {floor} to {ceiling} m above ground"));
            }
            (Some(floor), None) => words.push_str(&format!("; above {floor} m above ground")),
            (None, Some(ceiling)) => words.push_str(&format!("; below {ceiling} m above ground")),
            (None, None) => {}
        }
        if let Some(surface) = self.surface {
            words.push_str(match surface {
                Surface::Land => "; on land",
                Surface::Air => "; in the air",
                Surface::Sea => "; at sea",
            });
        }
        words
    }
}
