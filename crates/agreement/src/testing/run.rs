//! Runs the tests of one file.

use std::collections::{BTreeMap, BTreeSet};

use domain::incident::ClassShare;
use domain::{ControlState, Covariance, LatLon, Located, Occurrence, Probability};
use jiff::Timestamp;
use strict::{Diagnostic, Spanned, Text};

use super::Outcome;
use super::syntax::{
    Aligned, Asked, Covered, Due, Expect, Match, TestFile, Triggered, Warned, occurrence, timeline,
};
use crate::alignment::alignment;
use crate::clock::{Anchors, Filed, Pause};
use crate::evaluate::{Evaluator, Facts, Ground};
use crate::model::{Agreement, EventTimes};
use crate::package::{Files, Package};
use crate::procedure::Taken;
use crate::trigger::{call, weigh};
use crate::truth::Truth;
use crate::{describe, lint, shape};

/// At least this is a match, at most one less this is none.
const SURE: f64 = 0.95;

struct Maps(BTreeMap<String, ControlState>);

impl Ground for Maps {
    fn samples(&self, _: &str) -> Vec<LatLon> {
        Vec::new()
    }

    fn control(&self, source: &str, _: Timestamp) -> Option<&ControlState> {
        self.0.get(source)
    }
}

pub(super) fn file(
    package: &Package,
    files: &Files,
    text: &Text,
    file: &TestFile,
) -> Result<Vec<Outcome>, Diagnostic> {
    let it = &package.agreement;
    let ground = maps(files, text, file)?;
    let assumed: EventTimes = file.assume.iter().map(|(id, at)| (id.clone(), at.0)).collect();
    let evaluator = Evaluator::assuming(it, assumed.clone());
    let mut outcomes = Vec::new();
    let mut told = |span: std::ops::Range<usize>, name: &str, result: Result<(), String>| {
        outcomes.push(Outcome {
            file: text.name().to_owned(),
            line: text.error(span, "", "").line,
            name: name.to_owned(),
            failure: result.err(),
        });
    };
    for test in &file.matches {
        told(test.span(), &test.get_ref().name, matches(it, &evaluator, &ground, test.get_ref()));
    }
    for test in &file.deadline {
        told(test.span(), &test.get_ref().name, deadline(it, &assumed, test.get_ref()));
    }
    for test in &file.trigger {
        told(test.span(), &test.get_ref().name, trigger(it, &assumed, test.get_ref()));
    }
    for test in &file.weapon {
        told(test.span(), &test.get_ref().name, weapon(it, test.get_ref()));
    }
    for test in &file.aligned {
        told(test.span(), &test.get_ref().name, aligned(it, test.get_ref()));
    }
    if let Some(first) = file.warning.first() {
        told(first.span(), "lint says exactly what the text deserves", warnings(it, &file.warning));
    }
    Ok(outcomes)
}

fn maps(files: &Files, text: &Text, file: &TestFile) -> Result<Maps, Diagnostic> {
    let mut maps = BTreeMap::new();
    for (source, path) in &file.ground {
        let content = files
            .get(path.get_ref())
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .ok_or_else(|| {
            let known: Vec<&str> = files.keys().map(String::as_str).collect();
            text.error_at(
                path,
                format!("the package has no text file `{}`", path.get_ref()),
                strict::suggestion(path.get_ref(), &known),
            )
        })?;
        let polygons = shape::polygons(content).map_err(|error| {
            text.error_at(
                path,
                format!("{}: {error}", path.get_ref()),
                "the area that one side holds, as Polygon or MultiPolygon",
            )
        })?;
        let names = ("inside".to_owned(), "outside".to_owned());
        let state =
            ControlState::new(Timestamp::UNIX_EPOCH, 0.0, names, &polygons, 500.0, |_| true);
        maps.insert(source.clone(), state);
    }
    Ok(Maps(maps))
}

fn known<'k, T>(
    found: Option<T>,
    id: &str,
    known: impl Iterator<Item = &'k str>,
) -> Result<T, String> {
    found.ok_or_else(|| {
        let known: Vec<&str> = known.collect();
        format!("`{id}` is not in the package; {}", strict::suggestion(id, &known))
    })
}

fn agrees(truth: &Truth, expect: Expect, within: Option<(f64, f64)>) -> Result<(), String> {
    let (low, high) = (truth.low().get(), truth.high().get());
    let fine = match (expect, within) {
        (Expect::Match, _) => low >= SURE,
        (Expect::NoMatch, _) => high <= 1.0 - SURE,
        (Expect::Open, _) => truth.is_open(),
        (Expect::Probability, Some((least, most))) => least <= low && high <= most,
        (Expect::Probability, None) => {
            return Err("expect = \"probability\" needs probability = [least, most]".into());
        }
    };
    if fine {
        return Ok(());
    }
    let open = if truth.is_open() {
        format!("; open: {}", truth.open().join("; "))
    } else {
        String::new()
    };
    Err(format!("expected {expect:?}, it is {low:.3} to {high:.3}{open}"))
}

fn when(test: &Match) -> Result<Occurrence, String> {
    match (test.at, test.day, &test.zone) {
        (Some(at), None, _) => Ok(occurrence(at.0, test.sigma_s)),
        (None, Some(date), Some(zone)) => {
            Ok(domain::When::Day { date, zone: zone.clone() }.occurrence(0.0))
        }
        _ => Err("give `at`, or `day` with its `zone`".into()),
    }
}

fn matches(
    it: &Agreement,
    evaluator: &Evaluator<'_>,
    ground: &Maps,
    test: &Match,
) -> Result<(), String> {
    let found = evaluator.rules().find(|(provision, _)| provision.id == test.provision);
    let ids = it.provisions.iter().map(|provision| provision.id.as_str());
    let (_, rules) = known(found, &test.provision, ids)?;
    let when = when(test)?;
    let place = match test.place {
        Some((lat, lon)) => Located::Normal {
            at: LatLon::new(lat, lon).map_err(|error| error.to_string())?,
            covariance: Covariance::circular(test.error_m),
        },
        None => Located::Unknown,
    };
    let classes = [ClassShare { class: test.class, share: Probability::ONE }];
    let steps: Option<Vec<Taken>> = test.steps.as_ref().map(|steps| {
        steps
            .iter()
            .map(|step| Taken { on: step.on.clone(), when: occurrence(step.at.0, step.sigma_s) })
            .collect()
    });
    let facts = Facts {
        when: &when,
        place: &place,
        classes: &classes,
        objects: &test.objects,
        weapon: test.weapon.as_ref(),
        height_m: test.height_m.map(|height| (height, test.height_error_m)),
        party: test.party.as_deref(),
        notified: test.notified,
        procedure: steps.as_deref().map(|steps| (steps, test.record_complete)),
    };
    let mut seen = Vec::new();
    for rule in rules {
        for evaluated in evaluator.evaluate(rule, &facts, ground) {
            if test.reading.as_ref().is_some_and(|reading| *reading != evaluated.reading) {
                seen.push(evaluated.reading);
                continue;
            }
            agrees(&evaluated.together(), test.expect, test.probability).map_err(|problem| {
                let elements: Vec<String> = evaluated
                    .elements
                    .iter()
                    .map(|(name, truth)| format!("{name} {:.3}", truth.high().get()))
                    .collect();
                format!(
                    "{problem} under \u{201c}{}\u{201d} ({})",
                    evaluated.reading,
                    elements.join(", ")
                )
            })?;
            seen.push(evaluated.reading);
        }
    }
    reading_is_there(test.reading.as_ref(), &seen)
}

/// A test that names a reading which does not exist tests nothing.
fn reading_is_there(reading: Option<&String>, seen: &[String]) -> Result<(), String> {
    match reading {
        Some(reading) if !seen.contains(reading) => {
            let known: Vec<&str> = seen.iter().map(String::as_str).collect();
            Err(format!("there is no reading `{reading}`; {}", strict::suggestion(reading, &known)))
        }
        _ => Ok(()),
    }
}

fn deadline(it: &Agreement, assumed: &EventTimes, test: &Due) -> Result<(), String> {
    let clock =
        known(it.clock(&test.clock), &test.clock, it.clocks.iter().map(|clock| clock.id.as_str()))?;
    let mut anchors = Anchors::default();
    for (name, at) in &test.anchors {
        anchors.0.insert(name.parse()?, at.0);
    }
    let pauses: Vec<Pause> = test
        .pauses
        .iter()
        .map(|pause| Pause {
            reason: pause.reason,
            during: domain::Interval { from: pause.from.0, to: pause.to.0 },
        })
        .collect();
    let deadlines = clock.deadlines(&it.anchors(&anchors, assumed), &pauses);
    if let Some(different) = test.different {
        let dues: BTreeSet<Option<Timestamp>> = deadlines.iter().map(|one| one.due).collect();
        return if dues.len() == different {
            Ok(())
        } else {
            Err(format!("there are {} different deadlines, not {different}", dues.len()))
        };
    }
    let mut seen = Vec::new();
    for one in &deadlines {
        seen.push(one.reading.clone());
        if test.reading.as_ref().is_some_and(|reading| *reading != one.reading) {
            continue;
        }
        match (test.filed, test.late) {
            (Some(filed), Some(late)) => {
                let judged = one.judge(filed.0);
                let is_late = matches!(judged, Some(Filed::Late { .. }));
                if judged.is_none() || is_late != late {
                    return Err(format!("filed at {}: {judged:?}, due {:?}", filed.0, one.due));
                }
            }
            _ if one.due != test.due.map(|due| due.0) => {
                let due = one.due.map_or("not running".to_owned(), |due| format!("due at {due}"));
                return Err(format!("under \u{201c}{}\u{201d} it is {due}", one.reading));
            }
            _ => {}
        }
    }
    reading_is_there(test.reading.as_ref(), &seen)
}

fn trigger(it: &Agreement, assumed: &EventTimes, test: &Triggered) -> Result<(), String> {
    let mut timeline = timeline(test.as_of, &test.events, &test.happening);
    for (id, at) in assumed {
        timeline.events.entry(id.clone()).or_insert(*at);
    }
    for id in timeline.events.keys() {
        let declared = it.events.iter().any(|event| event.id == *id);
        known(declared.then_some(()), id, it.events.iter().map(|event| event.id.as_str()))?;
    }
    let id = &test.clause;
    let commitment = || {
        let found = it.commitments.iter().find(|one| one.id == *id);
        known(found, id, it.commitments.iter().map(|one| one.id.as_str()))
    };
    let missing = |what: &str| format!("{id} has no {what}");
    let truths: Vec<(String, Truth)> = match test.asked {
        Asked::Called => call(it, commitment()?, &timeline)
            .into_iter()
            .map(|call| (call.reading, call.called))
            .collect(),
        asked => {
            let condition = match asked {
                Asked::Activation => {
                    commitment()?.activation.as_ref().ok_or_else(|| missing("activation"))?
                }
                Asked::Trigger => {
                    commitment()?.trigger.as_ref().ok_or_else(|| missing("trigger"))?
                }
                Asked::Voiding => {
                    commitment()?.voiding.as_ref().ok_or_else(|| missing("voiding"))?
                }
                Asked::ProvisionVoiding => {
                    let ids = it.provisions.iter().map(|one| one.id.as_str());
                    let provision = known(it.provision(id), id, ids)?;
                    provision.voiding.as_ref().ok_or_else(|| missing("voiding"))?
                }
                Asked::Condition | Asked::Called => {
                    let found = it.conditions.iter().find(|one| one.id == *id);
                    &known(found, id, it.conditions.iter().map(|one| one.id.as_str()))?.test
                }
            };
            let field = format!("condition {id}");
            weigh(it, &field, condition, &timeline)
                .into_iter()
                .map(|weighed| (weighed.reading, weighed.answer.truth))
                .collect()
        }
    };
    let mut seen = Vec::new();
    for (reading, truth) in &truths {
        seen.push(reading.clone());
        if test.reading.as_ref().is_some_and(|wanted| wanted != reading) {
            continue;
        }
        agrees(truth, test.expect, test.probability)
            .map_err(|problem| format!("{problem} under \u{201c}{reading}\u{201d}"))?;
    }
    reading_is_there(test.reading.as_ref(), &seen)
}

fn weapon(it: &Agreement, test: &Covered) -> Result<(), String> {
    let found = it.weapons.iter().find(|class| class.id == test.class);
    let class = known(found, &test.class, it.weapons.iter().map(|class| class.id.as_str()))?;
    agrees(&class.covers(test.seen.as_ref(), &it.weapons), test.expect, None)
}

fn aligned(it: &Agreement, test: &Aligned) -> Result<(), String> {
    let digest = describe::clause_digest(it, &test.clause)
        .ok_or_else(|| format!("there is no clause `{}`", test.clause))?;
    let parties: Vec<&str> = it.parties.iter().map(|party| party.id.as_str()).collect();
    let state =
        alignment(&it.confirmations, &test.clause, it.version, &digest, &parties).in_words();
    if state == test.expect { Ok(()) } else { Err(format!("it is \u{201c}{state}\u{201d}")) }
}

fn warnings(it: &Agreement, expected: &[Spanned<Warned>]) -> Result<(), String> {
    let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
    for problem in lint::lint(it) {
        *counts.entry((problem.code.to_owned(), problem.subject)).or_default() += 1;
    }
    for one in expected {
        let one = one.get_ref();
        *counts.entry((one.code.clone(), one.on.clone())).or_default() -= one.count;
    }
    counts.retain(|_, count| *count != 0);
    if counts.is_empty() {
        return Ok(());
    }
    let differences: Vec<String> = counts
        .iter()
        .map(|((code, on), count)| {
            let (what, count) =
                if *count > 0 { ("more than expected", *count) } else { ("missing", -count) };
            format!("{code} on {on}: {count} {what}")
        })
        .collect();
    Err(differences.join("; "))
}
