//! The agreement as people write it (`agreement.toml` and its files), checked
//! and turned into the [`Agreement`] that the rest of the product works with.

use std::collections::BTreeMap;

use domain::Interval;
use domain::taxonomy::ClassPattern;
use serde::Deserialize;
use strict::{Diagnostic, Moment, Spanned, Text};

use crate::alignment::Confirmation;
use crate::check;
use crate::citation::{Citation, Document, Localised};
use crate::clock::{Clock, Length};
use crate::commitment::{Commitment, Endorsement, Pledge};
use crate::condition::{Condition, NamedCondition};
use crate::definition::Definition;
use crate::guarantor::{Guarantor, Rung};
use crate::inventory::{Inventory, Quota};
use crate::mechanism::{Means, Mechanism};
use crate::model::{Agreement, Party, Replaces};
use crate::procedure::Procedure;
use crate::provision::{Bound, Exception, Kind, Phase, Provision, Term};
use crate::reading::{Contested, Reading, one_or_many};
use crate::shape;
use crate::standard::{Severity, Standard, Threshold};
use crate::timeline::Event;
use crate::weapon::WeaponClass;
use crate::window::Window;
use crate::zone::{Course, Geometry, Line, Side, Surface, Zone};

/// Name of the file that every package starts with.
pub const MANIFEST: &str = "agreement.toml";

/// The files of a package by their path inside it, `/` between parts.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agreement: Head,
    #[serde(default)]
    document: Vec<Document>,
    #[serde(default)]
    party: Vec<Party>,
    #[serde(default)]
    guarantor: Vec<Guarantor>,
    mechanism: Option<Mechanism>,
    #[serde(default)]
    event: Vec<Event>,
    #[serde(default)]
    definition: Vec<Definition>,
    #[serde(default)]
    weapon: Vec<WeaponClass>,
    #[serde(default)]
    line: Vec<RawLine>,
    #[serde(default)]
    zone: Vec<RawZone>,
    #[serde(default)]
    window: Vec<Window>,
    #[serde(default)]
    procedure: Vec<Procedure>,
    #[serde(default)]
    provision: Vec<RawProvision>,
    #[serde(default)]
    clock: Vec<Clock>,
    #[serde(default)]
    condition: Vec<NamedCondition>,
    #[serde(default)]
    threshold: Vec<Threshold>,
    #[serde(default)]
    quota: Vec<Quota>,
    #[serde(default)]
    inventory: Vec<Inventory>,
    #[serde(default)]
    commitment: Vec<Commitment>,
    #[serde(default)]
    ladder: Vec<Rung>,
    #[serde(default)]
    pledge: Vec<Pledge>,
    #[serde(default)]
    endorsement: Vec<Endorsement>,
    #[serde(default)]
    confirmation: Vec<Confirmation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: String,
    version: u32,
    title: Localised,
    #[serde(default)]
    status: String,
    replaces: Option<Replaces>,
    #[serde(default)]
    authoritative_language: String,
    #[serde(default)]
    citations: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine {
    id: Spanned<String>,
    name: Localised,
    file: Option<Spanned<String>>,
    source: Option<String>,
    accuracy_m: Spanned<f64>,
    from: Option<Spanned<Moment>>,
    to: Option<Spanned<Moment>>,
    #[serde(default)]
    citation: Citation,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum ZoneKind {
    Everywhere,
    Polygon,
    NearLine,
    Ring,
    Beyond,
    Corridor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawZone {
    id: Spanned<String>,
    name: Localised,
    kind: Spanned<ZoneKind>,
    file: Option<Spanned<String>>,
    line: Option<Spanned<String>>,
    within_m: Option<Spanned<f64>>,
    width_m: Option<Spanned<f64>>,
    from_m: Option<Spanned<f64>>,
    to_m: Option<Spanned<f64>>,
    grow_m: Option<Spanned<f64>>,
    #[serde(default)]
    side: Side,
    #[serde(default)]
    accuracy_m: Option<Spanned<f64>>,
    #[serde(default, deserialize_with = "one_or_many")]
    party: Vec<String>,
    #[serde(default)]
    reading: String,
    floor_m: Option<f64>,
    ceiling_m: Option<f64>,
    surface: Option<Surface>,
    from: Option<Spanned<Moment>>,
    to: Option<Spanned<Moment>>,
    #[serde(default)]
    citation: Citation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProvision {
    id: Spanned<String>,
    title: Localised,
    #[serde(default)]
    text: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    who: Vec<String>,
    acts: Spanned<Contested<Vec<String>>>,
    objects: Option<Spanned<Contested<Vec<String>>>>,
    #[serde(default)]
    weapons: Contested<Vec<String>>,
    zone: Spanned<Contested<String>>,
    #[serde(default)]
    windows: Vec<String>,
    #[serde(default)]
    exceptions: Vec<RawException>,
    in_force: Spanned<Vec<RawTerm>>,
    #[serde(default)]
    phase: Phase,
    severity: Option<Contested<Severity>>,
    standard: Option<Contested<Standard>>,
    #[serde(default)]
    evidence: Vec<Means>,
    verified_by: Option<String>,
    clock: Option<String>,
    #[serde(default)]
    on_breach_of: Vec<String>,
    #[serde(default)]
    consequence: Vec<String>,
    voiding: Option<Contested<Condition>>,
    #[serde(default)]
    citation: Citation,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    act: Spanned<String>,
    text: Localised,
    procedure: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    #[serde(default)]
    reading: String,
    #[serde(default, deserialize_with = "one_or_many")]
    party: Vec<String>,
    from: Option<Spanned<Moment>>,
    from_event: Option<String>,
    from_after: Option<Length>,
    to: Option<Spanned<Moment>>,
    to_event: Option<String>,
    to_after: Option<Length>,
    #[serde(default)]
    citation: Citation,
}

/// A package that was read, with its text: what later remarks point at.
#[derive(Clone, Debug)]
pub struct Package {
    /// What it says.
    pub agreement: Agreement,
    /// The text of its manifest.
    pub text: Text,
}

/// Reads a package. The first thing that is wrong comes back with its file,
/// line and column and with what to do.
pub fn parse(files: &Files) -> Result<Agreement, Diagnostic> {
    read(files).map(|package| package.agreement)
}

/// The same for a package that lies in a folder: what is wrong is told with it.
pub fn parse_in(folder: &str, files: &Files) -> Result<Agreement, Diagnostic> {
    read_in(folder, files).map(|package| package.agreement)
}

/// Reads a package and keeps its text.
pub fn read(files: &Files) -> Result<Package, Diagnostic> {
    read_in("", files)
}

fn read_in(folder: &str, files: &Files) -> Result<Package, Diagnostic> {
    let name = if folder.is_empty() {
        MANIFEST.to_owned()
    } else {
        format!("{}/{MANIFEST}", folder.trim_end_matches('/'))
    };
    let Some(bytes) = files.get(MANIFEST) else {
        return Err(Text::new(name, "").error_anywhere(
            "the package has no such file",
            "an agreement package is a folder with agreement.toml, text/ and zones/",
        ));
    };
    let text = Text::from_bytes(name, bytes.clone())?;
    let raw: File = text.parse()?;
    let agreement = Reader { text: &text, files }.agreement(raw)?;
    if let Some(problem) = check::references(&agreement).into_iter().next() {
        return Err(problem.diagnostic(&text));
    }
    Ok(Package { agreement, text })
}

struct Reader<'a> {
    text: &'a Text,
    files: &'a Files,
}

impl Reader<'_> {
    fn agreement(&self, raw: File) -> Result<Agreement, Diagnostic> {
        if raw.provision.is_empty() && raw.commitment.is_empty() {
            return Err(self.text.error_anywhere(
                "the agreement has no provision",
                "add a [[provision]] (or a [[commitment]])",
            ));
        }
        let lines =
            raw.line.into_iter().map(|line| self.line(line)).collect::<Result<Vec<_>, _>>()?;
        let zones =
            raw.zone.into_iter().map(|zone| self.zone(zone)).collect::<Result<Vec<_>, _>>()?;
        let provisions = raw
            .provision
            .into_iter()
            .map(|provision| self.provision(provision, &zones, &raw.definition))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Agreement {
            id: raw.agreement.id,
            version: raw.agreement.version,
            title: raw.agreement.title,
            status: raw.agreement.status,
            replaces: raw.agreement.replaces,
            authoritative_language: raw.agreement.authoritative_language,
            citations: raw.agreement.citations,
            note: raw.agreement.note,
            documents: raw.document,
            parties: raw.party,
            guarantors: raw.guarantor,
            mechanism: raw.mechanism,
            events: raw.event,
            definitions: raw.definition,
            weapons: raw.weapon,
            lines,
            zones,
            windows: raw.window,
            procedures: raw.procedure,
            provisions,
            clocks: raw.clock,
            conditions: raw.condition,
            thresholds: raw.threshold,
            quotas: raw.quota,
            inventories: raw.inventory,
            commitments: raw.commitment,
            ladder: raw.ladder,
            pledges: raw.pledge,
            endorsements: raw.endorsement,
            confirmations: raw.confirmation,
        })
    }

    fn interval(
        &self,
        from: Option<&Spanned<Moment>>,
        to: Option<&Spanned<Moment>>,
    ) -> Result<Interval, Diagnostic> {
        let start = from.map_or(jiff::Timestamp::MIN, |from| from.get_ref().0);
        let end = to.map_or(jiff::Timestamp::MAX, |to| to.get_ref().0);
        match (
            Interval::new(start, end).filter(|interval| interval.from < interval.to),
            to.or(from),
        ) {
            (Some(interval), _) => Ok(interval),
            (None, Some(culprit)) => Err(self.text.error_at(
                culprit,
                "the end does not come after the start",
                "check the two dates and their offsets",
            )),
            (None, None) => Ok(Interval { from: start, to: end }),
        }
    }

    fn metres(&self, value: &Spanned<f64>) -> Result<f64, Diagnostic> {
        let metres = *value.get_ref();
        if metres.is_finite() && metres >= 0.0 {
            Ok(metres)
        } else {
            Err(self.text.error_at(
                value,
                "a length in metres cannot be negative or infinite",
                "give metres",
            ))
        }
    }

    fn line(&self, raw: RawLine) -> Result<Line, Diagnostic> {
        let course = match (&raw.file, &raw.source) {
            (Some(file), None) => {
                let content = self.file(file)?;
                Course::Drawn(shape::polylines(&content).map_err(|error| {
                    self.text.error_at(
                        file,
                        format!("{}: {error}", file.get_ref()),
                        "a line file is GeoJSON with LineString or MultiLineString geometry, longitude first",
                    )
                })?)
            }
            (None, Some(source)) => Course::OfTheDay { source: source.clone() },
            _ => {
                return Err(self.text.error_at(
                    &raw.id,
                    "a line has either a `file` or a `source`",
                    "file = \"zones/line.geojson\" for a drawn line, source = \"control-map\" for the line of the day",
                ));
            }
        };
        Ok(Line {
            course,
            accuracy_m: self.metres(&raw.accuracy_m)?,
            valid: self.interval(raw.from.as_ref(), raw.to.as_ref())?,
            id: raw.id.into_inner(),
            name: raw.name,
            citation: raw.citation,
        })
    }

    fn zone(&self, raw: RawZone) -> Result<Zone, Diagnostic> {
        let kind = *raw.kind.get_ref();
        let given = [
            ("file", raw.file.is_some()),
            ("line", raw.line.is_some()),
            ("within_m", raw.within_m.is_some()),
            ("width_m", raw.width_m.is_some()),
            ("from_m", raw.from_m.is_some()),
            ("to_m", raw.to_m.is_some()),
            ("grow_m", raw.grow_m.is_some()),
        ];
        let (needed, allowed): (&[&str], &[&str]) = match kind {
            ZoneKind::Everywhere => (&[], &[]),
            ZoneKind::Polygon => (&["file"], &["grow_m"]),
            ZoneKind::NearLine if raw.width_m.is_some() => (&["line", "width_m"], &[]),
            ZoneKind::NearLine => (&["line", "within_m"], &[]),
            ZoneKind::Ring => (&["line", "from_m", "to_m"], &[]),
            ZoneKind::Beyond => (&["line", "from_m"], &[]),
            ZoneKind::Corridor => (&["line", "width_m"], &[]),
        };
        for (key, present) in given {
            let wrong = if present {
                !needed.contains(&key) && !allowed.contains(&key)
            } else {
                needed.contains(&key)
            };
            if wrong {
                let problem = if present { "does not go with" } else { "is missing for" };
                return Err(self.text.error_at(
                    &raw.kind,
                    format!("`{key}` {problem} this kind of zone"),
                    "everywhere: nothing more; polygon: file (grow_m); near_line: line and within_m to each side, or width_m in all; \
                     ring: line, from_m, to_m; beyond: line, from_m; corridor: line, width_m; all but everywhere: accuracy_m",
                ));
            }
        }
        let length = |value: &Option<Spanned<f64>>| {
            value.as_ref().map(|value| self.metres(value)).transpose()
        };
        let accuracy_m = length(&raw.accuracy_m)?.unwrap_or(0.0);
        let (within_m, width_m) = (length(&raw.within_m)?, length(&raw.width_m)?);
        let (from_m, to_m) = (length(&raw.from_m)?, length(&raw.to_m)?);
        let geometry = if let Some(file) = &raw.file {
            let content = self.file(file)?;
            let polygons = shape::polygons(&content).map_err(|error| {
                self.text.error_at(
                    file,
                    format!("{}: {error}", file.get_ref()),
                    "a zone file is GeoJSON with Polygon or MultiPolygon geometry, longitude first",
                )
            })?;
            let grow_m = raw.grow_m.as_ref().map_or(0.0, |grow| *grow.get_ref());
            Geometry::Polygons { polygons, grow_m, accuracy_m }
        } else if let Some(line) = &raw.line {
            // The width of a zone lies half on each side of its line.
            let end = within_m.or(width_m.map(|width| width / 2.0)).or(to_m);
            let (from_m, to_m) = (from_m.unwrap_or(0.0), end.unwrap_or(f64::INFINITY));
            if from_m >= to_m {
                return Err(self.text.error_at(
                    &raw.kind,
                    "the zone ends before it begins",
                    "from_m must be less than to_m",
                ));
            }
            let line = line.get_ref().clone();
            Geometry::Band { line, side: raw.side, from_m, to_m, accuracy_m }
        } else {
            Geometry::Everywhere
        };
        Ok(Zone {
            valid: self.interval(raw.from.as_ref(), raw.to.as_ref())?,
            id: raw.id.into_inner(),
            name: raw.name,
            geometry,
            parties: raw.party,
            reading: raw.reading,
            floor_m: raw.floor_m,
            ceiling_m: raw.ceiling_m,
            surface: raw.surface,
            citation: raw.citation,
        })
    }

    fn file(&self, path: &Spanned<String>) -> Result<String, Diagnostic> {
        let Some(bytes) = self.files.get(path.get_ref()) else {
            let known: Vec<&str> = self.files.keys().map(String::as_str).collect();
            return Err(self.text.error_at(
                path,
                format!("the package has no file `{}`", path.get_ref()),
                strict::suggestion(path.get_ref(), &known),
            ));
        };
        String::from_utf8(bytes.clone()).map_err(|_| {
            self.text.error_at(
                path,
                format!("`{}` is not UTF-8", path.get_ref()),
                "save the file as UTF-8",
            )
        })
    }

    fn pattern<T>(&self, code: &str, at: &Spanned<T>) -> Result<ClassPattern, Diagnostic> {
        code.parse().map_err(|error: domain::taxonomy::UnknownCode| {
            self.text.error_at(
                at,
                error.to_string(),
                "name a class such as A4 or a whole group such as A",
            )
        })
    }

    /// Replaces `@id` by what the definition lists; its readings become those
    /// of the field.
    fn expanded(
        &self,
        list: &Spanned<Contested<Vec<String>>>,
        definitions: &[Definition],
        listed: impl Fn(&Definition) -> &Contested<Vec<String>>,
    ) -> Result<Contested<Vec<String>>, Diagnostic> {
        let mut field = list.get_ref().clone();
        loop {
            let referred = field
                .readings()
                .iter()
                .flat_map(|reading| &reading.value)
                .find_map(|word| word.strip_prefix('@').map(str::to_owned));
            let Some(id) = referred else { return Ok(field) };
            let Some(definition) = definitions.iter().rfind(|one| one.id == id) else {
                let known: Vec<&str> = definitions.iter().map(|one| one.id.as_str()).collect();
                return Err(self.text.error_at(
                    list,
                    format!("no definition has the id `{id}`"),
                    strict::suggestion(&id, &known),
                ));
            };
            let meaning = listed(definition);
            let cyclic =
                meaning.readings().iter().any(|r| r.value.iter().any(|w| w.starts_with('@')));
            if cyclic {
                return Err(self.text.error_at(
                    list,
                    format!("the definition `{id}` refers to another one here"),
                    "list classes and objects in it, not references",
                ));
            }
            if meaning.is_contested() && field.is_contested() {
                return Err(self.text.error_at(
                    list,
                    format!("both this field and the definition `{id}` are contested"),
                    "keep the readings in one of the two",
                ));
            }
            let mark = format!("@{id}");
            let put = |words: &[String], meaning: &[String]| -> Vec<String> {
                words
                    .iter()
                    .flat_map(
                        |word| {
                            if *word == mark { meaning.to_vec() } else { vec![word.clone()] }
                        },
                    )
                    .collect()
            };
            field = if meaning.is_contested() {
                let words = &field.readings()[0].value;
                meaning.try_map(|meaning| Ok::<_, Diagnostic>(put(words, meaning)))?
            } else {
                let meaning = meaning.readings()[0].value.clone();
                field.try_map(|words| Ok::<_, Diagnostic>(put(words, &meaning)))?
            };
        }
    }

    fn provision(
        &self,
        raw: RawProvision,
        zones: &[Zone],
        definitions: &[Definition],
    ) -> Result<Provision, Diagnostic> {
        let known: Vec<&str> = zones.iter().map(|zone| zone.id.as_str()).collect();
        for reading in raw.zone.get_ref().readings() {
            if !known.contains(&reading.value.as_str()) {
                return Err(self.text.error_at(
                    &raw.zone,
                    format!("no zone is called `{}`", reading.value),
                    strict::suggestion(&reading.value, &known),
                ));
            }
        }
        let words = self.expanded(&raw.acts, definitions, |definition| &definition.acts)?;
        if words.readings().iter().any(|reading| reading.value.is_empty()) {
            return Err(self.text.error_at(
                &raw.acts,
                "a provision must name at least one act",
                "for example acts = [\"A\"] for every use of fire",
            ));
        }
        let acts = words.try_map(|words| {
            words.iter().map(|word| self.pattern(word, &raw.acts)).collect::<Result<Vec<_>, _>>()
        })?;
        let objects = match &raw.objects {
            Some(list) => self.expanded(list, definitions, |definition| &definition.objects)?,
            None => Contested::default(),
        };
        let mut text = BTreeMap::new();
        for (language, path) in &raw.text {
            text.insert(language.clone(), self.file(path)?);
        }
        let mut exceptions = Vec::with_capacity(raw.exceptions.len());
        for exception in raw.exceptions {
            exceptions.push(Exception {
                act: self.pattern(exception.act.get_ref(), &exception.act)?,
                text: exception.text,
                procedure: exception.procedure,
            });
        }
        Ok(Provision {
            in_force: self.terms(&raw.in_force)?,
            id: raw.id.into_inner(),
            title: raw.title,
            text: Localised(text),
            kind: raw.kind,
            who: raw.who,
            acts,
            objects,
            weapons: raw.weapons,
            zone: raw.zone.into_inner(),
            windows: raw.windows,
            exceptions,
            phase: raw.phase,
            severity: raw.severity,
            standard: raw.standard,
            evidence: raw.evidence,
            verified_by: raw.verified_by,
            clock: raw.clock,
            on_breach_of: raw.on_breach_of,
            consequence: raw.consequence,
            voiding: raw.voiding,
            citation: raw.citation,
            note: raw.note,
        })
    }

    fn bound(
        &self,
        all: &Spanned<Vec<RawTerm>>,
        at: Option<&Spanned<Moment>>,
        event: Option<&String>,
        after: Option<Length>,
    ) -> Result<Bound, Diagnostic> {
        match (at, event, after) {
            (None, None, None) => Ok(Bound::Open),
            (Some(at), None, None) => Ok(Bound::At(at.get_ref().0)),
            (None, Some(event), after) => Ok(Bound::Event { event: event.clone(), after }),
            _ => Err(self.text.error_at(
                all,
                "an end of a time in force is either a moment or an event (with a length after it)",
                "from = 2030-01-01T00:00:00Z, or from_event = \"ceasefire\" and from_after = \"P2D\"",
            )),
        }
    }

    fn terms(&self, raw: &Spanned<Vec<RawTerm>>) -> Result<Contested<Term>, Diagnostic> {
        if raw.get_ref().is_empty() {
            return Err(self.text.error_at(
                raw,
                "a provision must say when it is in force",
                "add a [[provision.in_force]] with from (and to)",
            ));
        }
        let mut readings = Vec::with_capacity(raw.get_ref().len());
        for term in raw.get_ref() {
            let from =
                self.bound(raw, term.from.as_ref(), term.from_event.as_ref(), term.from_after)?;
            let to = self.bound(raw, term.to.as_ref(), term.to_event.as_ref(), term.to_after)?;
            if from == Bound::Open {
                return Err(self.text.error_at(
                    raw,
                    "a time in force needs a beginning: `from` or `from_event`",
                    "an undecided beginning is a declared [[event]] without a moment",
                ));
            }
            self.interval(term.from.as_ref(), term.to.as_ref())?;
            readings.push(Reading {
                name: term.reading.clone(),
                parties: term.party.clone(),
                citation: term.citation.clone(),
                value: Term { from, to },
            });
        }
        Contested::of(readings).map_err(|problem| {
            self.text.error_at(
                raw,
                format!("the time in force: {problem}"),
                "give each [[provision.in_force]] its own reading = \"...\"; findings are made under every one",
            )
        })
    }
}
