//! A case: what a mission is about, written by people as `case.toml`. Everything
//! that it names (agreement, mappings, lexicon, priors) is read and checked here, so
//! that a mission is only made from a case that is sound.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use agreement::package::Files;
use domain::state::Window;
use domain::{Bounds, EffortBasis, Interval, Source, SourceKind, Zone};
use fusion::Priors;
use fusion::lexicon::{LEXICONS, Lexicon};
use fusion::prior_file::PRIORS;
use intake::Mapping;
use jiff::civil::Date;
use serde::Deserialize;
use strict::{Diagnostic, Moment, Spanned, Text};

use crate::entry::Use;
use crate::error::{Error, OnPath as _, Result};

/// A table that a network needs beside its arrivals: its kind, what it is called, and
/// the built-in mapping.
type Needed = (intake::Kind, &'static str, &'static str);

/// What picks are called, and what they need.
const PICKS: (&str, &[Needed]) = (
    "picks",
    &[
        (intake::Kind::Stations, "table of stations", "stations"),
        (intake::Kind::Velocity, "velocity model", "velocity"),
    ],
);
/// The same of what a global network detects.
const GLOBAL: (&str, &[Needed]) = (
    "arrivals with a slowness",
    &[
        (intake::Kind::Stations, "table of stations", "stations"),
        (intake::Kind::TravelTimes, "table of travel times", "travel-times"),
        (intake::Kind::Performance, "performance of its arrays", "performance"),
    ],
);

/// Name of the file that every case starts with.
pub const CASE: &str = "case.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Head,
    window: WindowKeys,
    area: Option<Spanned<Bounds>>,
    report: Option<ReportKeys>,
    #[serde(default)]
    source: Vec<SourceKeys>,
    #[serde(default)]
    input: Vec<InputKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: Spanned<String>,
    title: String,
    agreement: Spanned<String>,
    zone: Spanned<String>,
    lexicon: Option<Spanned<String>>,
    priors: Option<Spanned<String>>,
    control_map: Option<Spanned<String>>,
    #[serde(default)]
    note: String,
    #[serde(default)]
    exercise: bool,
    /// Whether heads of contingents countersign the keys of their people.
    #[serde(default)]
    countersigned_keys: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowKeys {
    baseline_from: Spanned<Moment>,
    from: Spanned<Moment>,
    to: Spanned<Moment>,
    after_to: Spanned<Moment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportKeys {
    first_day: Spanned<String>,
    last_day: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceKeys {
    id: Spanned<String>,
    name: String,
    operator: String,
    group: String,
    kind: SourceKind,
    #[serde(default = "first_model")]
    model: String,
    effort: Spanned<EffortKeys>,
    /// Whether it works in the dark; if nothing is stated, as its kind does.
    night: Option<bool>,
    /// Reliability by the Admiralty code, until its record speaks.
    reliability: Option<Spanned<char>>,
    citation: String,
    licence: String,
}

fn first_model() -> String {
    "1".to_owned()
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "\"logged\", \"rows\", or { from = ..., to = ..., why = \"...\" }")]
enum EffortKeys {
    Word(EffortWord),
    Stated(StatedKeys),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffortWord {
    Logged,
    Rows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatedKeys {
    from: Moment,
    to: Moment,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputKeys {
    source: Spanned<String>,
    mapping: Spanned<String>,
    files: Spanned<Globs>,
    #[serde(default, rename = "use")]
    used_as: Use,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a pattern such as \"firms/*.csv\", or a list of patterns")]
enum Globs {
    One(String),
    Several(Vec<String>),
}

/// A case that was read and checked.
#[derive(Debug)]
pub struct Case {
    /// Short name.
    pub id: String,
    /// For people.
    pub title: String,
    /// What a reader must know.
    pub note: String,
    /// True for an exercise with made-up data.
    pub exercise: bool,
    /// True if a key signs only once the head of its contingent has
    /// countersigned it.
    pub countersigned_keys: bool,
    /// The bytes of `case.toml`.
    pub case_toml: Vec<u8>,
    /// Zone in which days are counted.
    pub zone: Zone,
    /// Area of interest.
    pub area: Option<Bounds>,
    /// Periods that are compared.
    pub window: Window,
    /// First and last day for which a report is written.
    pub report_days: (Date, Date),
    /// Source whose map gives the line of contact.
    pub control_map: Option<String>,
    /// The lexicon's file.
    pub lexicon: Option<Vec<u8>>,
    /// The file of its own priors.
    pub priors: Option<Vec<u8>>,
    /// The agreement's files.
    pub agreement: Files,
    /// Its id and version.
    pub agreement_id: (String, u32),
    /// Sources.
    pub sources: Vec<Source>,
    /// Inputs.
    pub inputs: Vec<CaseInput>,
}

/// Where the files of an input are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFiles {
    /// Name of the input: its source, and a number if that has several inputs.
    pub input: String,
    /// Patterns of its files, relative to the data folder.
    pub patterns: Vec<String>,
    /// True if it may have no file.
    pub optional: bool,
}

/// An input as a case describes it.
#[derive(Debug)]
pub struct CaseInput {
    /// Its name, and where its files are.
    pub files: InputFiles,
    /// The source.
    pub source: String,
    /// The mapping.
    pub mapping: Mapping,
    /// The mapping's file.
    pub mapping_file: Vec<u8>,
    /// What its rows are used for.
    pub used_as: Use,
}

impl Case {
    /// Reads a case from its folder, or from the path of its `case.toml`.
    pub fn read(path: &Path) -> Result<Self> {
        let folder =
            if path.ends_with(CASE) { path.parent().unwrap_or(Path::new(".")) } else { path };
        let file = folder.join(CASE);
        if !file.is_file() {
            let problem = "no case.toml here; a case is a folder with case.toml and an agreement (docs/formats.md)";
            return Err(Error::folder(folder, problem));
        }
        let case_toml = std::fs::read(&file).on("reading", &file)?;
        let text = Text::from_bytes(file.display().to_string(), case_toml.clone())?;
        let raw: File = text.parse()?;
        Reader { text: &text, folder }.case(raw, case_toml)
    }
}

/// Where the files of each input are found, from the `case.toml` of a mission.
pub fn input_files(case_toml: Vec<u8>) -> Result<Vec<InputFiles>> {
    let text = Text::from_bytes(CASE.to_owned(), case_toml)?;
    let raw: File = text.parse()?;
    Ok(Reader { text: &text, folder: Path::new(".") }.input_files(&raw.input)?)
}

struct Reader<'a> {
    text: &'a Text,
    folder: &'a Path,
}

impl Reader<'_> {
    fn case(&self, raw: File, case_toml: Vec<u8>) -> Result<Case> {
        let zone = Zone::named(raw.case.zone.get_ref()).map_err(|error| {
            self.text.error_at(
                &raw.case.zone,
                error.to_string(),
                "this is the zone in which days are counted",
            )
        })?;
        let window = self.window(&raw.window)?;
        if let Some(area) = &raw.area
            && !area.get_ref().is_valid()
        {
            return Err(self
                .text
                .error_at(
                    area,
                    "the area encloses nothing",
                    "south < north and west < east, in degrees",
                )
                .into());
        }
        let folder = self.package(&raw.case.agreement)?;
        let agreement = read_package(&folder)?;
        let parsed = agreement::package::parse_in(&folder.display().to_string(), &agreement)?;
        let sources = self.sources(raw.source)?;
        let inputs = self.inputs(raw.input, &sources)?;
        if let Some(name) = &raw.case.control_map {
            self.source_of(name, &sources)?;
        }
        let control_map = match raw.case.control_map {
            Some(name) => Some(name.into_inner()),
            None => sources
                .iter()
                .find(|source| source.kind == SourceKind::ControlMap)
                .map(|source| source.id.clone()),
        };
        let report_days = self.report_days(raw.report.as_ref(), &window, &zone)?;
        self.simple(&raw.case.id)?;
        Ok(Case {
            lexicon: raw.case.lexicon.as_ref().map(|name| self.lexicon(name)).transpose()?,
            priors: raw.case.priors.as_ref().map(|name| self.priors(name)).transpose()?,
            id: raw.case.id.into_inner(),
            title: raw.case.title,
            note: raw.case.note,
            exercise: raw.case.exercise,
            countersigned_keys: raw.case.countersigned_keys,
            case_toml,
            zone,
            area: raw.area.map(Spanned::into_inner),
            window,
            report_days,
            control_map,
            agreement,
            agreement_id: (parsed.id, parsed.version),
            sources,
            inputs,
        })
    }

    fn simple(&self, id: &Spanned<String>) -> std::result::Result<(), Diagnostic> {
        let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !id.get_ref().is_empty() && id.get_ref().chars().all(fine) {
            return Ok(());
        }
        Err(self.text.error_at(
            id,
            "an id is made of letters, digits, `-`, `_` and `.`",
            "choose a simple id",
        ))
    }

    fn window(&self, keys: &WindowKeys) -> std::result::Result<Window, Diagnostic> {
        let part = |from: &Spanned<Moment>, to: &Spanned<Moment>| {
            Interval::new(from.get_ref().0, to.get_ref().0)
                .filter(|part| part.from < part.to)
                .ok_or_else(|| {
                    self.text.error_at(
                        to,
                        "this does not come after the moment before it",
                        "baseline_from < from < to < after_to",
                    )
                })
        };
        Ok(Window {
            baseline: part(&keys.baseline_from, &keys.from)?,
            truce: part(&keys.from, &keys.to)?,
            after: part(&keys.to, &keys.after_to)?,
        })
    }

    /// Without a wish: the days of the truce, and one before and after.
    fn report_days(
        &self,
        keys: Option<&ReportKeys>,
        window: &Window,
        zone: &Zone,
    ) -> std::result::Result<(Date, Date), Diagnostic> {
        let Some(keys) = keys else {
            let first = zone.date(window.truce.from);
            let last = zone.date(domain::time::shifted(window.truce.to, -1.0));
            return Ok((first.yesterday().unwrap_or(first), last.tomorrow().unwrap_or(last)));
        };
        let date = |text: &Spanned<String>| {
            text.get_ref().parse::<Date>().map_err(|_| {
                self.text.error_at(
                    text,
                    format!("`{}` is not a date", text.get_ref()),
                    "write \"2025-04-18\"",
                )
            })
        };
        let (first, last) = (date(&keys.first_day)?, date(&keys.last_day)?);
        if first > last {
            return Err(self.text.error_at(
                &keys.last_day,
                "the last day comes before the first",
                "swap them",
            ));
        }
        Ok((first, last))
    }

    /// A path that stays inside the case folder.
    fn inside(&self, path: &Spanned<String>) -> std::result::Result<PathBuf, Diagnostic> {
        if is_inside(path.get_ref()) {
            return Ok(self.folder.join(path.get_ref()));
        }
        Err(self.text.error_at(
            path,
            "a case may only name files in its own folder",
            "use a relative path without `..`",
        ))
    }

    /// A package may be shared by several cases, so it may lie outside. It is
    /// copied into the record, so that a mission does not depend on its place.
    fn package(&self, path: &Spanned<String>) -> std::result::Result<PathBuf, Diagnostic> {
        let relative = Path::new(path.get_ref()).components().all(|part| {
            matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir)
        });
        if relative {
            return Ok(self.folder.join(path.get_ref()));
        }
        Err(self.text.error_at(
            path,
            "the agreement is named by an absolute path",
            "give a path relative to the case, such as ../../agreements/easter-2025",
        ))
    }

    fn sources(&self, keys: Vec<SourceKeys>) -> std::result::Result<Vec<Source>, Diagnostic> {
        let mut seen = BTreeSet::new();
        let mut sources = Vec::with_capacity(keys.len());
        for source in keys {
            self.simple(&source.id)?;
            if !seen.insert(source.id.get_ref().clone()) {
                return Err(self.text.error_at(
                    &source.id,
                    format!("the source `{}` is there twice", source.id.get_ref()),
                    "ids are never reused",
                ));
            }
            let effort = match source.effort.get_ref() {
                EffortKeys::Word(EffortWord::Logged) => EffortBasis::Logged,
                EffortKeys::Word(EffortWord::Rows) => EffortBasis::Rows,
                EffortKeys::Stated(stated) => {
                    if stated.from >= stated.to {
                        return Err(self.text.error_at(
                            &source.effort,
                            "the end does not come after the start",
                            "check the two moments",
                        ));
                    }
                    EffortBasis::Stated {
                        from: stated.from.0,
                        to: stated.to.0,
                        why: stated.why.clone(),
                    }
                }
            };
            if let Some(letter) = &source.reliability
                && !('A'..='F').contains(letter.get_ref())
            {
                return Err(self.text.error_at(
                    letter,
                    format!("`{}` is no reliability", letter.get_ref()),
                    "A (completely reliable) to E (unreliable), F: cannot be judged",
                ));
            }
            let reliability = source.reliability.map(Spanned::into_inner);
            sources.push(Source {
                id: source.id.into_inner(),
                name: source.name,
                operator: source.operator,
                independence_group: source.group,
                kind: source.kind,
                model: source.model,
                effort,
                citation: source.citation,
                licence: source.licence,
                night: source.night,
                reliability,
            });
        }
        Ok(sources)
    }

    fn source_of(
        &self,
        name: &Spanned<String>,
        sources: &[Source],
    ) -> std::result::Result<(), Diagnostic> {
        let known: Vec<&str> = sources.iter().map(|source| source.id.as_str()).collect();
        if known.contains(&name.get_ref().as_str()) {
            return Ok(());
        }
        Err(self.text.error_at(
            name,
            format!("no source is called `{}`", name.get_ref()),
            strict::suggestion(name.get_ref(), &known),
        ))
    }

    fn inputs(&self, keys: Vec<InputKeys>, sources: &[Source]) -> Result<Vec<CaseInput>> {
        let files = self.input_files(&keys)?;
        let mut inputs = Vec::with_capacity(keys.len());
        let mut networks = Vec::new();
        for (input, files) in keys.into_iter().zip(files) {
            self.source_of(&input.source, sources)?;
            let (mapping, mapping_file) = self.mapping(&input.mapping)?;
            let source = input.source.into_inner();
            if mapping.measures("phase") {
                networks.push((source.clone(), input.mapping, PICKS));
            } else if mapping.measures("slowness_s_deg") {
                networks.push((source.clone(), input.mapping, GLOBAL));
            }
            let used_as = input.used_as;
            inputs.push(CaseInput { files, source, mapping, mapping_file, used_as });
        }
        for (source, mapping, (what, needed)) in networks {
            self.can_associate(&source, &mapping, what, needed, &inputs)?;
        }
        Ok(inputs)
    }

    /// Arrivals say nothing without the places of their stations and what waves are
    /// like between them.
    fn can_associate(
        &self,
        source: &str,
        mapping: &Spanned<String>,
        what: &str,
        needed: &[Needed],
        inputs: &[CaseInput],
    ) -> std::result::Result<(), Diagnostic> {
        for (kind, missing, built_in) in needed {
            if !inputs.iter().any(|input| input.source == source && input.mapping.kind == *kind) {
                return Err(self.text.error_at(
                    mapping,
                    format!("the source `{source}` has {what} and no {missing}"),
                    format!(
                        "add an [[input]] of `{source}` with it (built-in mapping `{built_in}`)"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn input_files(&self, keys: &[InputKeys]) -> std::result::Result<Vec<InputFiles>, Diagnostic> {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        keys.iter()
            .map(|input| {
                let patterns = match input.files.get_ref() {
                    Globs::One(pattern) => vec![pattern.clone()],
                    Globs::Several(patterns) => patterns.clone(),
                };
                for pattern in &patterns {
                    self.pattern(&input.files, pattern)?;
                }
                let source = input.source.get_ref();
                let count = counts.entry(source).or_default();
                *count += 1;
                let id = if *count == 1 { source.clone() } else { format!("{source}-{count}") };
                Ok(InputFiles { input: id, patterns, optional: input.optional })
            })
            .collect()
    }

    fn pattern<T>(&self, at: &Spanned<T>, pattern: &str) -> std::result::Result<(), Diagnostic> {
        if !is_inside(pattern) || pattern.is_empty() {
            let problem = format!("`{pattern}` leaves the data folder");
            return Err(self.text.error_at(at, problem, "use a relative path without `..`"));
        }
        glob::Pattern::new(pattern).map(drop).map_err(|error| {
            let problem = format!("`{pattern}` is not a pattern: {error}");
            self.text.error_at(at, problem, "use *, ? and [abc]")
        })
    }

    /// A mapping by the name of a built-in one, or by the path of a file.
    fn mapping(&self, name: &Spanned<String>) -> Result<(Mapping, Vec<u8>)> {
        let (title, bytes) =
            self.named(name, intake::catalogue::mapping, &intake::catalogue::names(), "mapping")?;
        let mapping = Mapping::parse(&Text::from_bytes(title, bytes.clone())?)?;
        Ok((mapping, bytes))
    }

    fn lexicon(&self, name: &Spanned<String>) -> Result<Vec<u8>> {
        let built_in = |wanted: &str| {
            LEXICONS.iter().find(|(known, _)| *known == wanted).map(|(_, text)| *text)
        };
        let names: Vec<&str> = LEXICONS.iter().map(|(name, _)| *name).collect();
        let (title, bytes) = self.named(name, built_in, &names, "lexicon")?;
        Lexicon::parse(&Text::from_bytes(title, bytes.clone())?)?;
        Ok(bytes)
    }

    fn priors(&self, name: &Spanned<String>) -> Result<Vec<u8>> {
        let built_in =
            |wanted: &str| PRIORS.iter().find(|(known, _)| *known == wanted).map(|(_, text)| *text);
        let names: Vec<&str> = PRIORS.iter().map(|(name, _)| *name).collect();
        let (title, bytes) = self.named(name, built_in, &names, "priors")?;
        Priors::parse(&Text::from_bytes(title, bytes.clone())?, vec![])?;
        Ok(bytes)
    }

    fn named(
        &self,
        name: &Spanned<String>,
        built_in: impl Fn(&str) -> Option<&'static str>,
        known: &[&str],
        what: &str,
    ) -> Result<(String, Vec<u8>)> {
        let wanted = name.get_ref();
        if let Some(text) = built_in(wanted) {
            return Ok((format!("built-in {what} {wanted}"), text.as_bytes().to_vec()));
        }
        if Path::new(wanted).extension().is_none_or(|kind| kind != "toml") {
            let help = format!(
                "{}; or give the path of a .toml file beside case.toml",
                strict::suggestion(wanted, known)
            );
            return Err(self
                .text
                .error_at(name, format!("no built-in {what} is called `{wanted}`"), help)
                .into());
        }
        let path = self.inside(name)?;
        let bytes = std::fs::read(&path).on("reading", &path)?;
        Ok((path.display().to_string(), bytes))
    }
}

/// Relative, and without a way out.
fn is_inside(path: &str) -> bool {
    Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The files of an agreement package, by their path in it.
pub fn read_package(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    if !folder.is_dir() {
        return Err(Error::folder(
            folder,
            "no such folder; an agreement package is a folder with agreement.toml",
        ));
    }
    collect(folder, folder, &mut files)?;
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Files) -> Result<()> {
    for entry in std::fs::read_dir(folder).on("listing", folder)? {
        let path = entry.on("listing", folder)?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
            continue;
        }
        let inside = path.strip_prefix(root).expect("found below the root");
        let name: Vec<_> =
            inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        files.insert(name.join("/"), std::fs::read(&path).on("reading", &path)?);
    }
    Ok(())
}
