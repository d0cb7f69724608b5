//! Sightings -> incidents, by how probable it is that they tell of one thing.
//!
//! 1. The same words within two days are one report, however often they come.
//! 2. Sightings that are exact in place and time are placed one by one, the
//!    most exact first. How well a sighting agrees with an incident in place,
//!    time and kind is held against how densely other things lie there and then
//!    (prior.rs): that likelihood ratio is the odds that it tells of this one
//!    rather than of something by itself. It goes where it most probably
//!    belongs, or opens an incident; the other possibilities are kept with
//!    their probabilities.
//! 3. Sightings that know only a region or a long time form incidents of their
//!    own, which say with what probability they are one of the exact ones. They
//!    are never merged into one of several, and never counted with them unseen.
//!    Only an event of instruments joins an exact one, if it can hardly be another.
//! 4. What can only support joins the incident to which it most probably belongs.
//! 5. Members whose incident is no longer the most probable one move, until none
//!    does.

use std::collections::BTreeMap;

use domain::incident::SameAs;
use domain::{
    Cell, Class, Family, Id, Incident, Interval, Located, Occurrence, Probability, Signature,
};
use jiff::Timestamp;

use crate::belief::Watch;
use crate::finish::finish;
use crate::likelihood::{place_overlap, time_overlap};
use crate::origin::{Entry, with_origins};
use crate::prior::SourceModel;
use crate::sighting::{Reference, Rules, SetAside, Sighting};

/// Most incidents named as "may be the same as".
const SAME_AS_MAX: usize = 12;

/// Possibilities below this are not named.
const SAME_AS_LEAST: f64 = 0.001;

/// A roughly placed event joins an exact incident of at least this probability.
const CLEAR: f64 = 0.9;

/// Rounds in which members may move to a more probable incident.
const ROUNDS_MAX: usize = 4;

/// A sighting's place in an incident.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) entry: usize,
    /// P(it belongs here).
    pub(crate) weight: f64,
    /// Odds that it tells of this incident against something by itself; for
    /// the one that opened it, none.
    pub(crate) ratio: Option<f64>,
    pub(crate) because: String,
}

/// An incident that is being put together.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) members: Vec<Membership>,
    pub(crate) when: Occurrence,
    pub(crate) place: Located,
    /// Error of the place beyond what it says, metres, and of the time, seconds.
    place_error_m: f64,
    time_error_s: f64,
    family: Family,
    classes: Vec<Class>,
    /// Independence group of the sighting that opened it, and its odds of being
    /// true by that sighting alone.
    group: String,
    opening_odds: f64,
    /// What else the sighting that opened it may be, by draft.
    same_as: Vec<(usize, f64)>,
}

impl Draft {
    /// P(the sighting that opened it tells of none of the others).
    pub(crate) fn distinct(&self) -> f64 {
        (1.0 - self.same_as.iter().map(|(_, weight)| weight).sum::<f64>()).clamp(0.0, 1.0)
    }

    /// P(there is something for another source to tell of). Sources of one group
    /// may well tell of one and the same falsehood, as two pixels do of one
    /// stubble fire.
    fn credence(&self, group: &str) -> f64 {
        if self.group == group {
            return 1.0;
        }
        let joined = self.members.iter().filter_map(|member| member.ratio);
        let odds = joined.fold(self.opening_odds, |odds, ratio| odds * (1.0 + ratio));
        odds / (1.0 + odds)
    }
}

/// What grouping made of the sightings.
#[derive(Debug)]
pub struct Grouped {
    /// Incidents, by time and id.
    pub incidents: Vec<Incident>,
    /// Sightings that could only support and found nothing to.
    pub left_over: Vec<(Sighting, SetAside)>,
}

/// Groups sightings into incidents. `watches`: who was looking, where and when.
pub fn group(
    sightings: Vec<Sighting>,
    reference: &Reference,
    rules: &Rules,
    watches: &[Watch],
) -> Grouped {
    let entries = with_origins(sightings, rules);
    let mut table = Table {
        reference,
        rules,
        entries: &entries,
        drafts: Vec::new(),
        exact: BTreeMap::new(),
        coarse: BTreeMap::new(),
    };
    let counts = |index: &usize| entries[*index].repeats.is_none();
    let (mut exact, mut coarse, mut support) = (Vec::new(), Vec::new(), Vec::new());
    for index in (0..entries.len()).filter(counts) {
        let sighting = &entries[index].sighting;
        if !sighting.opens {
            support.push(index);
        } else if sighting.is_exact(rules) {
            exact.push(index);
        } else {
            coarse.push(index);
        }
    }
    for list in [&mut exact, &mut coarse, &mut support] {
        list.sort_by_cached_key(|index| order(&entries[*index].sighting));
    }
    for index in exact {
        table.place_exact(index);
    }
    table.settle();
    for index in coarse {
        table.place_coarse(index);
    }
    let mut left_over = Vec::new();
    for index in support {
        if !table.support(index) {
            left_over.push(index);
        }
    }
    table.take_repeats();
    let drafts = table.drafts;
    let mut incidents: Vec<Incident> =
        drafts.iter().map(|draft| finish(draft, &entries, reference, watches)).collect();
    let ids: Vec<Id> = incidents.iter().map(|incident| incident.id).collect();
    for (incident, draft) in incidents.iter_mut().zip(&drafts) {
        incident.may_be_same_as = same_as(draft, &ids);
    }
    incidents.sort_by_key(|incident| (incident.when.span, incident.id));
    let mut entries: Vec<Option<Entry>> = entries.into_iter().map(Some).collect();
    let left_over = left_over
        .into_iter()
        .filter_map(|index| entries[index].take())
        .map(|entry| {
            let reason = set_aside(&entry.sighting, reference);
            (entry.sighting, reason)
        })
        .collect();
    Grouped { incidents, left_over }
}

fn same_as(draft: &Draft, ids: &[Id]) -> Vec<SameAs> {
    let mut same: Vec<SameAs> = draft
        .same_as
        .iter()
        .filter(|(_, weight)| *weight >= SAME_AS_LEAST)
        .map(|(other, weight)| SameAs {
            incident: ids[*other],
            probability: Probability::new(*weight),
        })
        .collect();
    same.sort_by(|a, b| {
        b.probability.get().total_cmp(&a.probability.get()).then(a.incident.cmp(&b.incident))
    });
    same.truncate(SAME_AS_MAX);
    same
}

fn set_aside(sighting: &Sighting, reference: &Reference) -> SetAside {
    if sighting.signature == Signature::ThermalAnomaly {
        SetAside::FarFromLine { distance_m: sighting.line_distance_m(&reference.control) }
    } else {
        SetAside::Statement
    }
}

/// The order in which sightings are placed: exact ones first, then by time,
/// then by id.
fn order(sighting: &Sighting) -> (u8, u8, Timestamp, Timestamp, Id) {
    let fineness = u8::from(sighting.place.precision() > domain::place::Precision::Exact);
    let hours = sighting.when.span.seconds() / 3600.0;
    let length = if hours <= 1.0 { 0 } else { 1 + u8::from(hours > 12.0) };
    (fineness, length, sighting.when.span.from, sighting.when.span.to, sighting.observation)
}

/// A draft that a sighting may belong to.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    draft: usize,
    /// Odds against something by itself.
    ratio: f64,
    /// P(it belongs to this one).
    weight: f64,
}

struct Table<'a> {
    reference: &'a Reference,
    rules: &'a Rules,
    entries: &'a [Entry],
    drafts: Vec<Draft>,
    /// Exact drafts by day and by the cells that their places touch.
    exact: BTreeMap<(i64, Cell), Vec<usize>>,
    /// Coarse drafts by day.
    coarse: BTreeMap<i64, Vec<usize>>,
}

impl Table<'_> {
    fn place_exact(&mut self, index: usize) {
        let sighting = &self.entries[index].sighting;
        let candidates = self.weigh(sighting, self.near(sighting));
        if let Some(best) = likeliest(&candidates) {
            self.join(index, best);
            return;
        }
        let draft = self.open(index, &candidates);
        for key in self.keys(sighting) {
            self.exact.entry(key).or_default().push(draft);
        }
    }

    /// Moves members to where they most probably belong now that all incidents
    /// are known. The one that opened an incident stays.
    fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for number in 0..self.drafts.len() {
                for at in (1..self.drafts[number].members.len()).rev() {
                    let entry = self.drafts[number].members[at].entry;
                    let sighting = &self.entries[entry].sighting;
                    let candidates = self.weigh(sighting, self.near(sighting));
                    let best = candidates.iter().max_by(|a, b| more_probable(a, b)).copied();
                    let Some(best) = best else { continue };
                    if best.draft == number {
                        let here = &mut self.drafts[number].members[at];
                        here.weight = best.weight;
                        here.ratio = Some(best.ratio);
                    } else {
                        self.leave(number, at);
                        self.join(entry, best);
                        moved = true;
                    }
                }
            }
            if !moved {
                break;
            }
        }
    }

    fn place_coarse(&mut self, index: usize) {
        let sighting = &self.entries[index].sighting;
        // Another coarse report of the same ground, time and kind?
        let same: Vec<usize> = self
            .coarse_of(sighting)
            .into_iter()
            // On so wide a ground "undetermined" does not agree with everything.
            .filter(|draft| {
                let draft = &self.drafts[*draft];
                draft.when.extent == sighting.when.extent && draft.classes == sighting.classes
            })
            .collect();
        if let Some(best) = self.weigh(sighting, same).into_iter().max_by(more_probable)
            && self.reach(sighting, best.draft)
        {
            self.join(index, best);
            return;
        }
        let candidates = self.weigh(sighting, self.near(sighting));
        // What an engine inferred has a time and place of its own, if a rough one:
        // it joins the one exact incident that it can be.
        if sighting.wave.is_some()
            && let Some(best) = likeliest(&candidates).filter(|best| best.weight >= CLEAR)
        {
            self.join(index, best);
            return;
        }
        let days = self.days(sighting);
        let draft = self.open(index, &candidates);
        for day in days {
            self.coarse.entry(day).or_default().push(draft);
        }
    }

    /// Whether two coarse reports are of overlapping times: on the same ground
    /// a day holds many occurrences, of which they need not mean the same one,
    /// but none of them can be told apart.
    fn reach(&self, sighting: &Sighting, draft: usize) -> bool {
        let (a, b) = (&sighting.when.span, &self.drafts[draft].when.span);
        let shorter_s = a.seconds().min(b.seconds());
        let common_s = a.intersection(b).map_or(0.0, |common| common.seconds());
        shorter_s <= 0.0 || common_s >= self.rules.coarse_overlap * shorter_s
    }

    fn support(&mut self, index: usize) -> bool {
        let sighting = &self.entries[index].sighting;
        let drafts = if sighting.is_exact(self.rules) {
            self.near(sighting)
        } else {
            self.coarse_of(sighting)
        };
        let candidates = self.weigh(sighting, drafts);
        let Some(best) = likeliest(&candidates) else { return false };
        self.join(index, best);
        true
    }

    /// The days in which something that fits the sighting can have happened.
    fn days(&self, sighting: &Sighting) -> std::ops::RangeInclusive<i64> {
        let span = sighting.when.span.widened(self.rules.gap_s, self.rules.gap_s);
        let day = |moment: Timestamp| moment.as_second().div_euclid(86_400);
        day(span.from)..=day(span.to)
    }

    fn keys(&self, sighting: &Sighting) -> Vec<(i64, Cell)> {
        let cells = cells_of(&sighting.place, self.rules.slack_m);
        self.days(sighting).flat_map(|day| cells.iter().map(move |cell| (day, *cell))).collect()
    }

    /// Exact drafts whose time and place may touch the sighting's, in order.
    fn near(&self, sighting: &Sighting) -> Vec<usize> {
        let found = self.keys(sighting).into_iter().filter_map(|key| self.exact.get(&key));
        once_each(found.flatten())
    }

    /// Coarse drafts on the sighting's ground whose time may touch its own.
    fn coarse_of(&self, sighting: &Sighting) -> Vec<usize> {
        let found = self.days(sighting).filter_map(|day| self.coarse.get(&day));
        let same = |draft: &&usize| same_ground(&sighting.place, &self.drafts[**draft].place);
        once_each(found.flatten().filter(same))
    }

    /// How probably a sighting belongs to each of some drafts, in their order;
    /// what cannot be is left out.
    fn weigh(&self, sighting: &Sighting, drafts: Vec<usize>) -> Vec<Candidate> {
        let Some(model) = self.reference.priors.model(sighting.kind) else { return Vec::new() };
        let others = self.others(sighting, model);
        let mut candidates: Vec<Candidate> = drafts
            .into_iter()
            .filter_map(|draft| {
                let one = &self.drafts[draft];
                let agreement = self.agreement(sighting, model, one);
                let ratio = model.reports * agreement * one.credence(&sighting.group) / others;
                (ratio > 0.0).then_some(Candidate { draft, ratio, weight: 0.0 })
            })
            .collect();
        let total = 1.0 + candidates.iter().map(|candidate| candidate.ratio).sum::<f64>();
        for candidate in &mut candidates {
            candidate.weight = candidate.ratio / total;
        }
        candidates
    }

    /// Density of reports like this one from anything else, per m² and second.
    fn others(&self, sighting: &Sighting, model: &SourceModel) -> f64 {
        let line_m = sighting.line_distance_m(&self.reference.control);
        let density = self.reference.priors.density(sighting, model, line_m);
        density.truth * model.reports + density.falsehood
    }

    /// Density with which a true report of a draft's occurrence falls together
    /// with it in place, time and kind, per m² and second.
    fn agreement(&self, sighting: &Sighting, model: &SourceModel, draft: &Draft) -> f64 {
        if sighting.signature.family() != draft.family {
            return 0.0;
        }
        let priors = &self.reference.priors;
        let squares = [model.place_error_m, draft.place_error_m, priors.spread_m]
            .iter()
            .map(|error_m| error_m * error_m)
            .sum::<f64>();
        let tail_s = priors.lasting_s + model.time_error_s.max(draft.time_error_s);
        let place =
            place_overlap(&sighting.place, &draft.place, squares.sqrt(), &self.reference.places);
        let time = time_overlap(&sighting.when, &draft.when, tail_s);
        place * time * priors.class_agreement(&sighting.classes, &draft.classes)
    }

    fn open(&mut self, index: usize, candidates: &[Candidate]) -> usize {
        let opening = Membership {
            entry: index,
            weight: 1.0,
            ratio: None,
            because: "it opened the incident".to_owned(),
        };
        let mut draft = self.sketch(index);
        draft.members.push(opening);
        draft.same_as = candidates.iter().map(|one| (one.draft, one.weight)).collect();
        self.drafts.push(draft);
        self.drafts.len() - 1
    }

    /// A draft as one sighting alone would have it, without members.
    fn sketch(&self, index: usize) -> Draft {
        let sighting = &self.entries[index].sighting;
        let model = self.reference.priors.model(sighting.kind);
        let opening_odds = model.map_or(0.0, |model| {
            let line_m = sighting.line_distance_m(&self.reference.control);
            let density = self.reference.priors.density(sighting, model, line_m);
            density.truth * model.reports / density.falsehood
        });
        Draft {
            members: Vec::new(),
            when: sighting.when,
            place: sighting.place.clone(),
            place_error_m: model.map_or(0.0, |model| model.place_error_m),
            time_error_s: model.map_or(0.0, |model| model.time_error_s),
            family: sighting.signature.family(),
            classes: sighting.classes.clone(),
            group: sighting.group.clone(),
            opening_odds,
            same_as: Vec::new(),
        }
    }

    fn join(&mut self, index: usize, to: Candidate) {
        let sighting = &self.entries[index].sighting;
        let joining = Membership {
            entry: index,
            weight: to.weight,
            ratio: Some(to.ratio),
            because: because(sighting, &self.drafts[to.draft], to.weight),
        };
        self.drafts[to.draft].members.push(joining);
        let place_error_m =
            self.reference.priors.model(sighting.kind).map_or(0.0, |model| model.place_error_m);
        let better = narrow(&mut self.drafts[to.draft], sighting, place_error_m);
        // Found from now on where it turned out to be.
        if better && sighting.is_exact(self.rules) {
            for key in self.keys(sighting) {
                self.exact.entry(key).or_default().push(to.draft);
            }
        }
    }

    /// Takes a member out; the rest of the draft is as if it had never been in.
    fn leave(&mut self, number: usize, at: usize) {
        let mut members = std::mem::take(&mut self.drafts[number].members);
        members.remove(at);
        let mut draft = self.sketch(members[0].entry);
        for member in &members[1..] {
            let sighting = &self.entries[member.entry].sighting;
            let model = self.reference.priors.model(sighting.kind);
            narrow(&mut draft, sighting, model.map_or(0.0, |model| model.place_error_m));
        }
        draft.members = members;
        draft.same_as = std::mem::take(&mut self.drafts[number].same_as);
        self.drafts[number] = draft;
    }

    /// Repeats go where the report that counts for them went.
    fn take_repeats(&mut self) {
        let mut home: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            for member in &draft.members {
                home.insert(member.entry, (number, member.weight));
            }
        }
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some((draft, weight)) = entry.repeats.and_then(|counted| home.get(&counted)) {
                self.drafts[*draft].members.push(Membership {
                    entry: index,
                    weight: *weight,
                    ratio: None,
                    because: "it repeats a report that already counts".to_owned(),
                });
            }
        }
    }
}

/// Takes over what a sighting knows better than a draft does: the common part
/// of their times, the smaller place, the named class. True if it is the place.
fn narrow(draft: &mut Draft, sighting: &Sighting, place_error_m: f64) -> bool {
    let span = &mut draft.when.span;
    if draft.when.extent == sighting.when.extent {
        match span.intersection(&sighting.when.span) {
            Some(common) => *span = common,
            None if sighting.when.span.seconds() < span.seconds() => *span = sighting.when.span,
            None => {}
        }
    }
    if draft.classes == [Class::A13] {
        draft.classes.clone_from(&sighting.classes);
    }
    let better = sighting.place.radius_m() < draft.place.radius_m();
    if better {
        draft.place = sighting.place.clone();
        draft.place_error_m = place_error_m;
    }
    better
}

fn more_probable(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    a.ratio.total_cmp(&b.ratio).then(b.draft.cmp(&a.draft))
}

/// The candidate that is more probable than any other and than something by
/// itself; the earliest of equals.
fn likeliest(candidates: &[Candidate]) -> Option<Candidate> {
    candidates.iter().max_by(|a, b| more_probable(a, b)).filter(|best| best.ratio > 1.0).copied()
}

fn once_each<'a>(drafts: impl Iterator<Item = &'a usize>) -> Vec<usize> {
    let mut drafts: Vec<usize> = drafts.copied().collect();
    drafts.sort_unstable();
    drafts.dedup();
    drafts
}

/// The same administrative units, or discs about the same middle.
fn same_ground(a: &Located, b: &Located) -> bool {
    match (a, b) {
        (Located::Region { units: a, .. }, Located::Region { units: b, .. }) => a == b,
        (a, b) => a.centre() == b.centre() && a.radius_m() == b.radius_m(),
    }
}

fn cells_of(place: &Located, slack_m: f64) -> Vec<Cell> {
    let Some(centre) = place.centre() else { return Vec::new() };
    let reach_m = place.radius_m() + slack_m;
    let corner = |sign: f64| Cell::of(centre.offset(sign * reach_m, sign * reach_m));
    let (low, high) = (corner(-1.0), corner(1.0));
    let mut cells = Vec::new();
    for row in low.row..=high.row {
        // Across the antimeridian the columns run the other way round.
        if low.column <= high.column {
            cells.extend((low.column..=high.column).map(|column| Cell { row, column }));
        } else {
            cells.extend(
                (low.column..1800).chain(-1800..=high.column).map(|column| Cell { row, column }),
            );
        }
    }
    cells
}

fn because(sighting: &Sighting, draft: &Draft, weight: f64) -> String {
    let apart = match (sighting.place.centre(), draft.place.centre()) {
        (Some(a), Some(b)) => format!("{:.1} km from it", a.distance_m(b) / 1000.0),
        _ => "place not compared".to_owned(),
    };
    let gap = |a: &Interval, b: &Interval| {
        domain::time::seconds_between(a.to.min(b.to), a.from.max(b.from))
    };
    let gap_s = gap(&sighting.when.span, &draft.when.span);
    let time = if gap_s <= 0.0 {
        "times overlap".to_owned()
    } else {
        format!("{:.0} min apart", gap_s / 60.0)
    };
    format!("{apart}, {time}: P(the same) {weight:.2}")
}
