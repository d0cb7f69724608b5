//! The words by which reports name regions and acts, in the languages of a
//! theatre. Data, not code: a lexicon is a file that goes into the record.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use domain::LatLon;
use domain::taxonomy::Class;
use serde::Deserialize;
use strict::{Diagnostic, Spanned, Text};

/// The lexicons that come with the program.
pub const LEXICONS: [(&str, &str); 1] = [("ukraine", include_str!("../lexicons/ukraine.toml"))];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lexicon: Head,
    #[serde(default)]
    cues: Cues,
    #[serde(default)]
    region: Vec<RawRegion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    version: u32,
    #[serde(default)]
    #[allow(dead_code)] // for readers of the file
    title: String,
    #[serde(default)]
    truce: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Cues {
    #[serde(default)]
    event: Vec<String>,
    #[serde(default)]
    veto: Vec<String>,
    #[serde(default)]
    statement: Vec<String>,
    #[serde(default)]
    summary: Vec<String>,
    #[serde(default)]
    class: BTreeMap<Spanned<String>, Vec<String>>,
    #[serde(default)]
    object: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegion {
    code: Spanned<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    stems: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    at: Option<Spanned<[f64; 2]>>,
    #[serde(default)]
    radius_m: f64,
}

/// What a stem tells.
#[derive(Clone, Debug, PartialEq)]
enum Cue {
    Event,
    Veto,
    Statement,
    Summary,
    Truce,
    Class(Class),
    Object(String),
    Region(usize),
}

/// A region as a lexicon knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its code, as in the reference of administrative units.
    pub code: String,
    /// Its name for display: the last one listed.
    pub name: String,
    /// Units it is made of, if it is not one itself.
    pub members: Vec<String>,
    /// A middle and a reach in metres, for regions without a boundary.
    pub disc: Option<(LatLon, f64)>,
}

/// A lexicon, ready to read texts with.
#[derive(Debug)]
pub struct Lexicon {
    /// `id@version`.
    pub reference: String,
    regions: Vec<Region>,
    names: BTreeMap<String, usize>,
    stems: AhoCorasick,
    cues: Vec<Cue>,
}

/// What a text says of itself.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Reading {
    /// Words for an attack or its effect.
    pub events: u32,
    /// Words that make it one about something else.
    pub vetoes: u32,
    /// Words of saying, judging, expecting.
    pub statements: u32,
    /// Words of totals.
    pub summaries: u32,
    /// It speaks of the truce.
    pub truce: bool,
    /// Classes named, in order of the taxonomy.
    pub classes: Vec<Class>,
    /// Tags of objects named, sorted.
    pub objects: Vec<String>,
    /// Regions named, in order of appearance.
    pub regions: Vec<usize>,
}

/// Lower case, one kind of apostrophe, dash and blank, ё as е, no quotation
/// marks: the form in which texts and stems are compared.
pub fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for c in text.chars().flat_map(char::to_lowercase) {
        let c = match c {
            'ё' => 'е',
            '’' | '‘' | 'ʼ' | '`' | '´' => '\'',
            '–' | '—' | '−' => '-',
            '"' | '«' | '»' | '“' | '”' | '„' => continue,
            c if c.is_whitespace() => ' ',
            c => c,
        };
        if c == ' ' && blank {
            continue;
        }
        blank = c == ' ';
        out.push(c);
    }
    if blank {
        out.pop();
    }
    out
}

impl Lexicon {
    /// Reads a lexicon file.
    pub fn parse(text: &Text) -> Result<Self, Diagnostic> {
        let raw: File = text.parse()?;
        let mut stems: Vec<String> = Vec::new();
        let mut cues: Vec<Cue> = Vec::new();
        let mut add = |words: Vec<String>, cue: &Cue| {
            for word in words {
                // Surrounding blanks are meant: "бій " is the whole word.
                let ends_word = word.ends_with(' ');
                let mut stem = folded(&word);
                if stem.is_empty() {
                    continue;
                }
                if ends_word {
                    stem.push(' ');
                }
                stems.push(stem);
                cues.push(cue.clone());
            }
        };
        add(raw.lexicon.truce, &Cue::Truce);
        add(raw.cues.event, &Cue::Event);
        add(raw.cues.veto, &Cue::Veto);
        add(raw.cues.statement, &Cue::Statement);
        add(raw.cues.summary, &Cue::Summary);
        for (code, words) in raw.cues.class {
            let class =
                code.get_ref().parse().map_err(|error: domain::taxonomy::UnknownCode| {
                    text.error_at(&code, error.to_string(), "name a class of the taxonomy")
                })?;
            add(words, &Cue::Class(class));
        }
        for (tag, words) in raw.cues.object {
            add(words, &Cue::Object(tag));
        }
        let mut regions = Vec::new();
        let mut names = BTreeMap::new();
        for region in raw.region {
            let index = regions.len();
            for name in &region.names {
                if names.insert(folded(name), index).is_some() {
                    return Err(text.error_at(
                        &region.code,
                        format!("the name `{name}` already stands for another region"),
                        "a name can stand for one region only",
                    ));
                }
            }
            add(region.stems, &Cue::Region(index));
            let disc = match &region.at {
                None => None,
                Some(at) => {
                    let [lat, lon] = *at.get_ref();
                    let centre = LatLon::new(lat, lon).map_err(|error| {
                        text.error_at(at, error.to_string(), "write [latitude, longitude]")
                    })?;
                    Some((centre, region.radius_m))
                }
            };
            regions.push(Region {
                name: region.names.last().unwrap_or(region.code.get_ref()).clone(),
                code: region.code.into_inner(),
                members: region.members,
                disc,
            });
        }
        let stems = AhoCorasick::builder().match_kind(MatchKind::Standard).build(&stems).map_err(
            |error| text.error_anywhere(error.to_string(), "use fewer or shorter stems"),
        )?;
        let reference = format!("{}@{}", raw.lexicon.id, raw.lexicon.version);
        Ok(Self { reference, regions, names, stems, cues })
    }

    /// All regions.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// A region by its number in a [`Reading`].
    pub fn region(&self, index: usize) -> &Region {
        &self.regions[index]
    }

    /// The region that a table calls by this name.
    pub fn region_named(&self, name: &str) -> Option<&Region> {
        self.names.get(&folded(name)).map(|index| &self.regions[*index])
    }

    /// Reads a text that is already folded.
    pub fn read(&self, folded: &str) -> Reading {
        let mut reading = Reading::default();
        // A blank at the end lets whole-word stems match the last word.
        let text = format!("{folded} ");
        let mut classes: Vec<Class> = Vec::new();
        for found in self.stems.find_overlapping_iter(&text) {
            let before = text[..found.start()].chars().next_back();
            if before.is_some_and(char::is_alphanumeric) {
                continue;
            }
            match &self.cues[found.pattern().as_usize()] {
                Cue::Event => reading.events += 1,
                Cue::Veto => reading.vetoes += 1,
                Cue::Statement => reading.statements += 1,
                Cue::Summary => reading.summaries += 1,
                Cue::Truce => reading.truce = true,
                Cue::Class(class) => classes.push(*class),
                Cue::Object(tag) => reading.objects.push(tag.clone()),
                Cue::Region(index) => {
                    if !reading.regions.contains(index) {
                        reading.regions.push(*index);
                    }
                }
            }
        }
        classes.sort_unstable();
        classes.dedup();
        reading.classes = classes;
        reading.objects.sort_unstable();
        reading.objects.dedup();
        reading
    }
}

/// The first sentence, if more than one stands in the text: aggregators glue
/// the beginning of the next article on.
pub fn first_sentence(text: &str) -> &str {
    const SHORTEST: usize = 40;
    for (at, _) in text.match_indices(". ") {
        let rest = &text[at + 2..];
        let starts_anew = rest.chars().next().is_some_and(char::is_uppercase);
        if text[..at].chars().count() >= SHORTEST && starts_anew {
            return &text[..=at];
        }
    }
    text
}

/// Whether a text names a place, given its names. Inflected languages change
/// the end of a name, so all but its last letters must stand at the beginning of
/// a word, and little may follow. Letters that change between Ukrainian and
/// Russian, or within a declension (Київ, Києві), count as equal.
pub fn names_place<'n>(folded_text: &str, names: impl IntoIterator<Item = &'n str>) -> bool {
    let text = slavic(folded_text);
    names.into_iter().any(|name| {
        let name = slavic(&folded(name));
        let letters = name.chars().count();
        // (letters that must stand, letters that may follow)
        let (keep, more) = match letters {
            0..=2 => return false,
            3 => (3, 0),
            4 => (3, 3),
            _ => (letters - 2, 4),
        };
        let stem: String = name.chars().take(keep).collect();
        text.match_indices(&stem).any(|(at, _)| {
            let starts = !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let after = text[at + stem.len()..].chars().take_while(|c| c.is_alphanumeric()).count();
            starts && after <= more
        })
    })
}

fn slavic(text: &str) -> String {
    let equal = |c: char| match c {
        'є' | 'э' => 'е',
        'і' | 'ї' | 'ы' => 'и',
        'ґ' => 'г',
        c => c,
    };
    text.chars().map(equal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ukraine() -> Lexicon {
        Lexicon::parse(&Text::new("ukraine", LEXICONS[0].1)).unwrap()
    }

    fn read(text: &str) -> Reading {
        ukraine().read(&folded(text))
    }

    #[test]
    fn folding_makes_spellings_equal() {
        assert_eq!(folded("  «Куп’янськ» –  Всё"), "куп'янськ - все");
        assert_eq!(folded(""), "");
    }

    #[test]
    fn attacks_are_recognised() {
        let reading = read("У Запорізькій області ворожий дрон поранив чоловіка.");
        assert!(reading.events >= 2 && reading.vetoes == 0);
        assert_eq!(reading.classes, [Class::A9]);
        assert_eq!(ukraine().region(reading.regions[0]).code, "UA-23");
    }

    #[test]
    fn stems_match_at_the_beginning_of_words_only() {
        assert_eq!(read("розвідка").events, 0);
        assert_eq!(read("Київ").regions.len(), 1);
    }

    #[test]
    fn football_is_not_war() {
        assert!(read("\"Динамо\" розгромило у столичному дербі \"Оболонь\" в чемпіонаті України з футболу.").vetoes > 0);
    }

    #[test]
    fn energy_objects_are_tagged() {
        assert_eq!(read("Удар по підстанції на Одещині").objects, ["power"]);
    }

    #[test]
    fn regions_go_by_the_names_of_tables() {
        let lexicon = ukraine();
        for (name, code) in [
            ("Khersonska oblast", "UA-65"),
            ("Kherson Oblast", "UA-65"),
            ("south", "UA-south"),
            ("kursk", "RU-KRS"),
            ("Kyiv City", "UA-30"),
        ] {
            assert_eq!(lexicon.region_named(name).unwrap().code, code, "{name}");
        }
        assert!(lexicon.region_named("nowhere").is_none());
    }

    #[test]
    fn inflected_names_are_found() {
        for (text, names) in [
            ("У Костянтинівці 2 загиблих", &["Костянтинівка"][..]),
            ("вибухи в Харкові", &["Kharkiv", "Харків"]),
            ("атака на Одесу", &["Одеса"]),
            ("обстріл сум", &["Суми"]),
            ("вибухи у Києві", &["Kyiv", "Киев", "Київ"]),
            ("взрывы в Харькове", &["Харьков"]),
        ] {
            assert!(names_place(&folded(text), names.iter().copied()), "{text}");
        }
        assert!(!names_place("новий мерч клубу", ["Новгород-Сіверський"]));
        assert!(!names_place("обстріл сумщини", ["Суми"]));
    }

    #[test]
    fn glued_sentences_are_cut() {
        let glued = "РФ атакувала Запорізьку область: Степногірськ без світла. Американський президент повідомив";
        assert_eq!(
            first_sentence(glued),
            "РФ атакувала Запорізьку область: Степногірськ без світла."
        );
        assert_eq!(first_sentence("Коротко. Ясно"), "Коротко. Ясно");
    }

    #[test]
    fn a_region_name_can_mean_one_region_only() {
        let text = "[lexicon]\nid = \"x\"\nversion = 1\n[[region]]\ncode = \"A\"\nnames = [\"N\"]\n[[region]]\ncode = \"B\"\nnames = [\"n\"]\n";
        let error = Lexicon::parse(&Text::new("l.toml", text)).unwrap_err();
        assert_eq!(error.line, 8);
    }
}
