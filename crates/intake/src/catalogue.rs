//! The mappings that come with the program. They are ordinary mapping files;
//! a case may bring its own instead.

/// Name and text of every built-in mapping, by name.
pub const MAPPINGS: [(&str, &str); 29] = [
    ("air-alerts", include_str!("../mappings/air-alerts.toml")),
    ("air-alerts-official", include_str!("../mappings/air-alerts-official.toml")),
    ("air-attacks", include_str!("../mappings/air-attacks.toml")),
    ("arrivals", include_str!("../mappings/arrivals.toml")),
    ("deepstate", include_str!("../mappings/deepstate.toml")),
    ("fire-dates", include_str!("../mappings/fire-dates.toml")),
    ("firms", include_str!("../mappings/firms.toml")),
    ("firms-file-days", include_str!("../mappings/firms-file-days.toml")),
    ("firms-landsat", include_str!("../mappings/firms-landsat.toml")),
    ("geoboundaries", include_str!("../mappings/geoboundaries.toml")),
    ("geonames", include_str!("../mappings/geonames.toml")),
    ("global-arrivals", include_str!("../mappings/global-arrivals.toml")),
    ("hromadas", include_str!("../mappings/hromadas.toml")),
    ("infrapy", include_str!("../mappings/infrapy.toml")),
    ("land-geojson", include_str!("../mappings/land-geojson.toml")),
    ("land-topojson", include_str!("../mappings/land-topojson.toml")),
    ("land-use-10km", include_str!("../mappings/land-use-10km.toml")),
    ("pcodes", include_str!("../mappings/pcodes.toml")),
    ("performance", include_str!("../mappings/performance.toml")),
    ("picks", include_str!("../mappings/picks.toml")),
    ("raions", include_str!("../mappings/raions.toml")),
    ("ru-mod-posts", include_str!("../mappings/ru-mod-posts.toml")),
    ("station-log", include_str!("../mappings/station-log.toml")),
    ("stations", include_str!("../mappings/stations.toml")),
    ("travel-times", include_str!("../mappings/travel-times.toml")),
    ("ucdp-ged", include_str!("../mappings/ucdp-ged.toml")),
    ("velocity", include_str!("../mappings/velocity.toml")),
    ("viina", include_str!("../mappings/viina.toml")),
    ("weather", include_str!("../mappings/weather.toml")),
];

/// The text of a built-in mapping.
pub fn mapping(name: &str) -> Option<&'static str> {
    MAPPINGS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Names of the built-in mappings, sorted.
pub fn names() -> Vec<&'static str> {
    MAPPINGS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use strict::Text;

    use super::*;
    use crate::mapping::Mapping;

    #[test]
    fn every_built_in_mapping_is_sound_and_named_after_itself() {
        for (name, text) in MAPPINGS {
            let mapping = Mapping::parse(&Text::new(name, text)).unwrap();
            assert_eq!(mapping.id, name);
            assert!(!mapping.title.is_empty());
        }
        assert!(MAPPINGS.windows(2).all(|pair| pair[0].0 < pair[1].0), "keep them sorted");
    }

    #[test]
    fn no_built_in_mapping_takes_up_an_actor() {
        for (name, text) in MAPPINGS {
            for column in ["side_a", "side_b", "launch_place", "carrier", "deaths_a", "deaths_b"] {
                let keys = text
                    .lines()
                    .filter(|line| !line.starts_with('#'))
                    .any(|line| line.contains(&format!("\"{column}\"")));
                assert!(!keys, "{name} reads {column}");
            }
        }
    }
}
