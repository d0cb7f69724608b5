//! The agreement as people write it (`agreement.toml` and its files), checked
//! and turned into the [`Agreement`] that the rest of the product works with.

use std::collections::{BTreeMap, BTreeSet};

use domain::Interval;
use domain::taxonomy::ClassPattern;
use serde::Deserialize;
use strict::{Diagnostic, Moment, Spanned, Text};

use crate::model::{Agreement, Exception, Geometry, Localised, Party, Provision, Term, Zone};
use crate::shape;

/// Name of the file that every package starts with.
pub const MANIFEST: &str = "agreement.toml";

/// The files of a package by their path inside it, `/` between parts.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agreement: Head,
    #[serde(default)]
    party: Vec<RawParty>,
    #[serde(default)]
    definition: Vec<RawDefinition>,
    #[serde(default)]
    zone: Vec<RawZone>,
    #[serde(default)]
    provision: Vec<RawProvision>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: Spanned<String>,
    version: u32,
    title: Localised,
    #[serde(default)]
    status: String,
    #[serde(default)]
    authoritative_language: String,
    #[serde(default)]
    citations: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParty {
    id: Spanned<String>,
    name: Localised,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDefinition {
    term: Spanned<String>,
    text: Localised,
    #[serde(default)]
    citation: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ZoneKind {
    Everywhere,
    Polygon,
    NearLine,
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
    #[serde(default)]
    accuracy_m: Option<Spanned<f64>>,
    from: Option<Spanned<Moment>>,
    to: Option<Spanned<Moment>>,
    #[serde(default)]
    citation: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProvision {
    id: Spanned<String>,
    title: Localised,
    #[serde(default)]
    text: BTreeMap<String, Spanned<String>>,
    acts: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    objects: Vec<String>,
    zone: Spanned<String>,
    #[serde(default)]
    exceptions: Vec<RawException>,
    in_force: Spanned<Vec<RawTerm>>,
    #[serde(default)]
    citation: String,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawException {
    act: Spanned<String>,
    text: Localised,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerm {
    #[serde(default)]
    reading: String,
    from: Spanned<Moment>,
    to: Option<Spanned<Moment>>,
    #[serde(default)]
    citation: String,
}

/// Reads a package. The first thing that is wrong comes back with its file,
/// line and column and with what to do.
pub fn parse(files: &Files) -> Result<Agreement, Diagnostic> {
    let Some(bytes) = files.get(MANIFEST) else {
        return Err(Text::new(MANIFEST, "").error_anywhere(
            "the package has no such file",
            "an agreement package is a folder with agreement.toml, text/ and zones/",
        ));
    };
    let text = Text::from_bytes(MANIFEST, bytes.clone())?;
    let raw: File = text.parse()?;
    Reader { text: &text, files }.agreement(raw)
}

struct Reader<'a> {
    text: &'a Text,
    files: &'a Files,
}

impl Reader<'_> {
    fn agreement(&self, raw: File) -> Result<Agreement, Diagnostic> {
        self.name(&raw.agreement.id)?;
        self.unique(raw.party.iter().map(|party| &party.id), "party")?;
        self.unique(raw.provision.iter().map(|provision| &provision.id), "provision")?;
        self.unique(raw.definition.iter().map(|definition| &definition.term), "definition")?;
        let zones =
            raw.zone.into_iter().map(|zone| self.zone(zone)).collect::<Result<Vec<_>, _>>()?;
        let provisions = raw
            .provision
            .into_iter()
            .map(|provision| self.provision(provision, &zones))
            .collect::<Result<Vec<_>, _>>()?;
        if provisions.is_empty() {
            return Err(self
                .text
                .error_anywhere("the agreement has no provision", "add a [[provision]]"));
        }
        let mut terms = Vec::with_capacity(raw.definition.len());
        for definition in raw.definition {
            terms.push(Term {
                term: definition.term.into_inner(),
                text: definition.text,
                citation: definition.citation,
            });
        }
        Ok(Agreement {
            id: raw.agreement.id.into_inner(),
            version: raw.agreement.version,
            title: raw.agreement.title,
            status: raw.agreement.status,
            authoritative_language: raw.agreement.authoritative_language,
            citations: raw.agreement.citations,
            note: raw.agreement.note,
            parties: raw
                .party
                .into_iter()
                .map(|party| Party { id: party.id.into_inner(), name: party.name })
                .collect(),
            definitions: terms,
            zones,
            provisions,
        })
    }

    /// Ids are printed in file names and reports, so they are kept simple.
    fn name(&self, id: &Spanned<String>) -> Result<(), Diagnostic> {
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

    fn unique<'a>(
        &self,
        ids: impl Iterator<Item = &'a Spanned<String>>,
        what: &str,
    ) -> Result<(), Diagnostic> {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id.get_ref()) {
                return Err(self.text.error_at(
                    id,
                    format!("the {what} `{}` is there twice", id.get_ref()),
                    "ids are never reused; give this one its own",
                ));
            }
        }
        Ok(())
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

    fn zone(&self, raw: RawZone) -> Result<Zone, Diagnostic> {
        self.name(&raw.id)?;
        let kind = raw.kind.get_ref();
        let given = [
            ("file", raw.file.is_some()),
            ("line", raw.line.is_some()),
            ("within_m", raw.within_m.is_some()),
        ];
        let wanted: &[&str] = match kind {
            ZoneKind::Everywhere => &[],
            ZoneKind::Polygon => &["file"],
            ZoneKind::NearLine => &["line", "within_m"],
        };
        for (key, present) in given {
            if present != wanted.contains(&key) {
                let problem = if present { "does not go with" } else { "is missing for" };
                return Err(self.text.error_at(
                    &raw.kind,
                    format!("`{key}` {problem} this kind of zone"),
                    "everywhere: nothing more; polygon: file (and accuracy_m); near_line: line, within_m (and accuracy_m)",
                ));
            }
        }
        let accuracy_m = raw.accuracy_m.as_ref().map_or(Ok(0.0), |value| self.metres(value))?;
        let geometry = match (kind, &raw.file, &raw.line, &raw.within_m) {
            (ZoneKind::Polygon, Some(file), _, _) => {
                let content = self.file(file)?;
                let polygons = shape::polygons(&content).map_err(|error| {
                    self.text.error_at(file, format!("{}: {error}", file.get_ref()), "a zone file is GeoJSON with Polygon or MultiPolygon geometry, longitude first")
                })?;
                Geometry::Polygons { polygons, accuracy_m }
            }
            (ZoneKind::NearLine, _, Some(line), Some(within)) => Geometry::NearLine {
                line: line.get_ref().clone(),
                within_m: self.metres(within)?,
                accuracy_m,
            },
            _ => Geometry::Everywhere,
        };
        Ok(Zone {
            valid: self.interval(raw.from.as_ref(), raw.to.as_ref())?,
            id: raw.id.into_inner(),
            name: raw.name,
            geometry,
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

    fn pattern(&self, code: &Spanned<String>) -> Result<ClassPattern, Diagnostic> {
        code.get_ref().parse().map_err(|error: domain::taxonomy::UnknownCode| {
            self.text.error_at(
                code,
                error.to_string(),
                "name a class such as A4 or a whole group such as A",
            )
        })
    }

    fn provision(&self, raw: RawProvision, zones: &[Zone]) -> Result<Provision, Diagnostic> {
        self.name(&raw.id)?;
        let known: Vec<&str> = zones.iter().map(|zone| zone.id.as_str()).collect();
        if !known.contains(&raw.zone.get_ref().as_str()) {
            return Err(self.text.error_at(
                &raw.zone,
                format!("no zone is called `{}`", raw.zone.get_ref()),
                strict::suggestion(raw.zone.get_ref(), &known),
            ));
        }
        if raw.acts.get_ref().is_empty() {
            return Err(self.text.error_at(
                &raw.acts,
                "a provision must name at least one act",
                "for example acts = [\"A\"] for every use of fire",
            ));
        }
        let acts = raw
            .acts
            .get_ref()
            .iter()
            .map(|act| self.pattern(act))
            .collect::<Result<Vec<_>, _>>()?;
        let mut text = BTreeMap::new();
        for (language, path) in &raw.text {
            text.insert(language.clone(), self.file(path)?);
        }
        let mut exceptions = Vec::with_capacity(raw.exceptions.len());
        for exception in raw.exceptions {
            exceptions.push(Exception { act: self.pattern(&exception.act)?, text: exception.text });
        }
        Ok(Provision {
            in_force: self.terms(&raw.in_force)?,
            id: raw.id.into_inner(),
            title: raw.title,
            text: Localised(text),
            acts,
            objects: raw.objects,
            zone: raw.zone.into_inner(),
            exceptions,
            citation: raw.citation,
            note: raw.note,
        })
    }

    fn terms(&self, raw: &Spanned<Vec<RawTerm>>) -> Result<Vec<crate::model::InForce>, Diagnostic> {
        if raw.get_ref().is_empty() {
            return Err(self.text.error_at(
                raw,
                "a provision must say when it is in force",
                "add a [[provision.in_force]] with from (and to)",
            ));
        }
        let contested = raw.get_ref().len() > 1;
        let mut seen = BTreeSet::new();
        let mut terms = Vec::with_capacity(raw.get_ref().len());
        for term in raw.get_ref() {
            if contested && term.reading.is_empty() {
                return Err(self.text.error_at(
                    &term.from,
                    "this time is contested, but the reading has no name",
                    "give each [[provision.in_force]] a reading = \"...\"; findings are made under every one",
                ));
            }
            if !seen.insert(&term.reading) {
                return Err(self.text.error_at(
                    &term.from,
                    "two readings have the same name",
                    "rename one",
                ));
            }
            terms.push(crate::model::InForce {
                reading: term.reading.clone(),
                interval: self.interval(Some(&term.from), term.to.as_ref())?,
                citation: term.citation.clone(),
            });
        }
        Ok(terms)
    }
}
