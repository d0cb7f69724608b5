//! # exercise: a made-up truce
//!
//! What this is: a generator of everything that a mission has to deal with - an
//! agreement, a front that moves, five kinds of sources with their errors,
//! their repeats and their outages - for demonstrations, training and tests. A
//! seed gives the same files on every machine. Nothing in them is real: the
//! land lies in the middle of the Atlantic.
//!
//! What it may touch: nothing. A number in, files out. No clock; its randomness
//! comes from the seed alone.
//!
//! Entry point: [`files`]. What really took place in the exercise stands in
//! `truth.jsonl`, which no part of the product reads; [`held`] compares with it.
//!
//! ```
//! let files = exercise::files(7);
//! assert!(files.contains_key("case/case.toml"));
//! assert_eq!(files, exercise::files(7));
//! assert_ne!(files["data/press/herald.csv"], exercise::files(8)["data/press/herald.csv"]);
//! ```

mod ground;
mod happening;
pub mod held;
mod listening;
pub mod people;
pub mod red_team;
mod sources;
mod writing;

use std::collections::BTreeMap;

use chance::Chance;
use ground::Ground;

/// Files by their path, `/` between parts: `case/…`, `data/…`, `truth.jsonl`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Files that are the same in every exercise.
const FIXED: [(&str, &str); 16] = [
    ("case/agreement/agreement.toml", include_str!("../files/agreement.toml")),
    ("case/agreement/text/3.en.md", include_str!("../files/text/3.en.md")),
    ("case/agreement/text/4.en.md", include_str!("../files/text/4.en.md")),
    ("case/agreement/text/5.en.md", include_str!("../files/text/5.en.md")),
    ("case/agreement/text/6.en.md", include_str!("../files/text/6.en.md")),
    ("case/agreement/text/7.en.md", include_str!("../files/text/7.en.md")),
    ("case/agreement/text/8.en.md", include_str!("../files/text/8.en.md")),
    ("case/mappings/acoustic.toml", include_str!("../files/mappings/acoustic.toml")),
    ("case/mappings/acoustic-log.toml", include_str!("../files/mappings/acoustic-log.toml")),
    ("case/mappings/claims.toml", include_str!("../files/mappings/claims.toml")),
    ("case/mappings/control.toml", include_str!("../files/mappings/control.toml")),
    ("case/mappings/districts.toml", include_str!("../files/mappings/districts.toml")),
    ("case/mappings/patrol.toml", include_str!("../files/mappings/patrol.toml")),
    ("case/mappings/patrol-log.toml", include_str!("../files/mappings/patrol-log.toml")),
    ("case/mappings/press.toml", include_str!("../files/mappings/press.toml")),
    ("case/mappings/settlements.toml", include_str!("../files/mappings/settlements.toml")),
];

const CASE: &str = include_str!("../files/case.toml");
const LEXICON: &str = include_str!("../files/lexicon.toml");

/// Everything of the exercise with this seed.
pub fn files(seed: u64) -> Files {
    let mut files: Files =
        FIXED.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let mut put = |path: String, text: String| {
        files.insert(path, text.into_bytes());
    };
    put("case/case.toml".to_owned(), CASE.replace("@SEED@", &seed.to_string()));
    let ground = Ground::new(&mut Chance::new(seed, "ground"));
    put("case/lexicon.toml".to_owned(), LEXICON.replace("@REGIONS@", &writing::regions()));
    writing::ground(&ground, &mut put);
    let truth = happening::truth(&mut Chance::new(seed, "happening"));
    put("truth.jsonl".to_owned(), writing::truth(&ground, &truth));
    writing::control(&ground, &truth, &mut put);
    let chance = |purpose| Chance::new(seed, purpose);
    sources::acoustic(&ground, &truth, &mut chance("acoustic"), &mut put);
    listening::posts(&ground, &truth, &mut chance("listening posts"), &mut put);
    sources::patrols(&ground, &truth, &mut chance("patrols"), &mut put);
    sources::hot_spots(&ground, &truth, &mut chance("hot spots"), &mut put);
    sources::press(&ground, &truth, &mut chance("press"), &mut put);
    sources::claims(&truth, &mut chance("claims"), &mut put);
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agreement_and_the_mappings_are_sound() {
        let files = files(1);
        let package = files
            .iter()
            .filter_map(|(path, bytes)| {
                Some((path.strip_prefix("case/agreement/")?.to_owned(), bytes.clone()))
            })
            .collect();
        let agreement = agreement::package::parse(&package).unwrap();
        assert_eq!(agreement.provisions.len(), 7);
        for (path, bytes) in files.iter().filter(|(path, _)| path.contains("/mappings/")) {
            let text = strict::Text::from_bytes(path.clone(), bytes.clone()).unwrap();
            intake::Mapping::parse(&text).unwrap();
        }
    }

    #[test]
    fn every_page_says_that_it_is_an_exercise() {
        let files = files(1);
        let case = String::from_utf8(files["case/case.toml"].clone()).unwrap();
        assert!(case.contains("exercise = true") && case.contains("EXERCISE"));
    }

    #[test]
    fn a_source_that_was_not_looking_has_no_file_for_that_day() {
        let files = files(1);
        assert!(files.contains_key("data/hot_spots/fires_20310612.csv"));
        assert!(!files.contains_key("data/hot_spots/fires_20310613.csv"));
    }
}
