//! Sightings -> incidents, in an order and by rules that do not depend on how
//! the sightings arrived.
//!
//! 1. The same words within two days are one report, however often they come.
//! 2. Sightings that are exact in place and time are grouped: a sighting joins
//!    the incident whose place, time and kind it fits best, or opens one.
//! 3. Sightings that know only a region or a long time form incidents of their
//!    own, which say with which exact ones they may be the same. They are never
//!    merged into one of several, and never counted with them unseen.
//! 4. What can only support joins an incident if exactly one fits.

use std::collections::BTreeMap;

use domain::incident::{Alternative, ClassShare, Member};
use domain::place::Precision;
use domain::{
    Cell, Class, Family, Id, IdKind, Incident, Interval, Located, Probability, Signature,
    SourceKind, Status,
};
use jiff::Timestamp;

use crate::sighting::{OriginKey, Reference, Rules, SetAside, Sighting};

/// Most incidents named as "may be the same as".
const SAME_AS_MAX: usize = 12;

/// A sighting with the id of its origin and whether an earlier one counts.
struct Entry {
    sighting: Sighting,
    origin: Id,
    /// The entry that counts for it, if it only repeats.
    repeats: Option<usize>,
}

/// An incident that is being put together.
struct Draft {
    members: Vec<usize>,
    because: Vec<String>,
    span: Interval,
    extent: domain::Extent,
    sigma_s: f64,
    place: Located,
    family: Family,
    classes: Vec<Class>,
    /// True while every member is a press report.
    press_only: bool,
    same_as: Vec<usize>,
}

/// What grouping made of the sightings.
#[derive(Debug)]
pub struct Grouped {
    /// Incidents, by time and id.
    pub incidents: Vec<Incident>,
    /// Sightings that could only support and found nothing to.
    pub left_over: Vec<(Sighting, SetAside)>,
}

/// Groups sightings into incidents.
pub fn group(sightings: Vec<Sighting>, reference: &Reference, rules: &Rules) -> Grouped {
    let entries = with_origins(sightings, rules);
    let mut table = Table {
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
        drafts.iter().map(|draft| finish(draft, &entries, reference)).collect();
    let ids: Vec<Id> = incidents.iter().map(|incident| incident.id).collect();
    for (incident, draft) in incidents.iter_mut().zip(&drafts) {
        let mut same: Vec<Id> = draft.same_as.iter().map(|other| ids[*other]).collect();
        same.sort_unstable();
        incident.may_be_same_as = same;
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
    let fineness = u8::from(sighting.place.precision() > Precision::Exact);
    let hours = sighting.when.span.seconds() / 3600.0;
    let length = if hours <= 1.0 { 0 } else { 1 + u8::from(hours > 12.0) };
    (fineness, length, sighting.when.span.from, sighting.when.span.to, sighting.observation)
}

/// Gives every sighting the id of its origin and finds the repeats: the same
/// words again, at the same place or at a later time.
fn with_origins(mut sightings: Vec<Sighting>, rules: &Rules) -> Vec<Entry> {
    sightings.sort_by(|a, b| {
        (&a.origin, a.when.span, a.observation, a.at).cmp(&(
            &b.origin,
            b.when.span,
            b.observation,
            b.at,
        ))
    });
    let mut entries: Vec<Entry> = Vec::with_capacity(sightings.len());
    // The report at hand: its key, where it began, its first time.
    let mut current: Option<(OriginKey, usize, Timestamp, Id)> = None;
    for sighting in sightings {
        let continues = current.as_ref().is_some_and(|(key, _, first, _)| {
            *key == sighting.origin
                && domain::time::seconds_between(*first, sighting.when.span.from)
                    <= rules.same_text_s
        });
        if !continues {
            let id = origin_id(&sighting);
            current = Some((sighting.origin.clone(), entries.len(), sighting.when.span.from, id));
        }
        let (_, start, _, origin) = current.as_ref().expect("just set");
        let is_text = matches!(sighting.origin, OriginKey::Text(_));
        let repeats = if is_text {
            let same_place =
                |entry: &Entry| entry.sighting.place.centre() == sighting.place.centre();
            (*start..entries.len())
                .find(|index| entries[*index].repeats.is_none() && same_place(&entries[*index]))
        } else {
            None
        };
        entries.push(Entry { origin: *origin, repeats, sighting });
    }
    entries
}

fn origin_id(sighting: &Sighting) -> Id {
    let founder = sighting.observation;
    match &sighting.origin {
        OriginKey::Own(id) => Id::of(IdKind::Origin, &[id.bytes()]),
        OriginKey::Text(words) => Id::of(IdKind::Origin, &[words.as_bytes(), founder.bytes()]),
        OriginKey::Look(source, moment) => {
            Id::of(IdKind::Origin, &[source.as_bytes(), moment.to_string().as_bytes()])
        }
    }
}

struct Table<'a> {
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
        let best = self
            .near(sighting)
            .into_iter()
            .filter_map(|draft| Some((self.misfit(sighting, &self.drafts[draft])?, draft)))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        if let Some((_, draft)) = best {
            self.join(index, draft);
            return;
        }
        let draft = self.open(index);
        for key in self.keys(sighting) {
            self.exact.entry(key).or_default().push(draft);
        }
    }

    fn place_coarse(&mut self, index: usize) {
        let sighting = &self.entries[index].sighting;
        // Another coarse report of the same ground, time and kind?
        let same = self.coarse_of(sighting).into_iter().find(|draft| {
            let draft = &self.drafts[*draft];
            // On so wide a ground "undetermined" does not agree with everything.
            draft.extent == sighting.when.extent
                && draft.classes == sighting.classes
                && self.misfit(sighting, draft).is_some()
        });
        if let Some(draft) = same {
            self.join(index, draft);
            return;
        }
        let mut same_as: Vec<usize> = self
            .near(sighting)
            .into_iter()
            .filter(|draft| self.misfit(sighting, &self.drafts[*draft]).is_some())
            .collect();
        same_as.truncate(SAME_AS_MAX);
        let days = self.days(sighting);
        let draft = self.open(index);
        self.drafts[draft].same_as = same_as;
        for day in days {
            self.coarse.entry(day).or_default().push(draft);
        }
    }

    fn support(&mut self, index: usize) -> bool {
        let sighting = &self.entries[index].sighting;
        let candidates = if sighting.is_exact(self.rules) {
            self.near(sighting)
        } else {
            self.coarse_of(sighting)
        };
        let fitting: Vec<usize> = candidates
            .into_iter()
            .filter(|draft| self.misfit(sighting, &self.drafts[*draft]).is_some())
            .collect();
        if let [only] = fitting.as_slice() {
            self.join(index, *only);
            return true;
        }
        false
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

    /// How badly a sighting fits an incident; `None` if it cannot be the same.
    fn misfit(&self, sighting: &Sighting, draft: &Draft) -> Option<f64> {
        if sighting.signature.family() != draft.family
            || !classes_agree(&sighting.classes, &draft.classes)
        {
            return None;
        }
        let (a, b) = (&sighting.when.span, &draft.span);
        let gap_s = domain::time::seconds_between(a.to.min(b.to), a.from.max(b.from)).max(0.0);
        if gap_s > self.rules.gap_s {
            return None;
        }
        if draft.press_only && sighting.kind == SourceKind::Press {
            let shorter_s = a.seconds().min(b.seconds());
            let common_s = a.intersection(b).map_or(0.0, |common| common.seconds());
            if shorter_s > 0.0 && common_s < self.rules.press_overlap * shorter_s {
                return None;
            }
        }
        let (from, to) = (sighting.place.centre()?, draft.place.centre()?);
        let apart_m = from.distance_m(to);
        let reach_m = sighting.place.radius_m() + draft.place.radius_m();
        if apart_m > reach_m + self.rules.slack_m {
            return None;
        }
        Some(apart_m / (reach_m + self.rules.slack_m) + gap_s / self.rules.gap_s)
    }

    fn open(&mut self, index: usize) -> usize {
        let sighting = &self.entries[index].sighting;
        self.drafts.push(Draft {
            members: vec![index],
            because: vec!["it opened the incident".to_owned()],
            span: sighting.when.span,
            extent: sighting.when.extent,
            sigma_s: sighting.when.sigma_s,
            place: sighting.place.clone(),
            family: sighting.signature.family(),
            classes: sighting.classes.clone(),
            press_only: sighting.kind == SourceKind::Press,
            same_as: Vec::new(),
        });
        self.drafts.len() - 1
    }

    fn join(&mut self, index: usize, number: usize) {
        let sighting = &self.entries[index].sighting;
        let draft = &mut self.drafts[number];
        draft.members.push(index);
        draft.because.push(because(sighting, draft));
        draft.press_only &= sighting.kind == SourceKind::Press;
        // The common part of what the members allow, if there is any.
        match draft.span.intersection(&sighting.when.span) {
            Some(common) if draft.extent == sighting.when.extent => draft.span = common,
            _ if sighting.when.span.seconds() < draft.span.seconds()
                && sighting.when.extent == draft.extent =>
            {
                draft.span = sighting.when.span;
            }
            _ => {}
        }
        if draft.classes == [Class::A13] {
            draft.classes.clone_from(&sighting.classes);
        }
        if sighting.place.radius_m() < draft.place.radius_m() {
            draft.place = sighting.place.clone();
            // Found from now on where it turned out to be.
            if sighting.is_exact(self.rules) {
                for key in self.keys(sighting) {
                    self.exact.entry(key).or_default().push(number);
                }
            }
        }
    }

    /// Repeats go where the report that counts for them went.
    fn take_repeats(&mut self) {
        let mut home: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, draft) in self.drafts.iter().enumerate() {
            for member in &draft.members {
                home.insert(*member, number);
            }
        }
        for (index, entry) in self.entries.iter().enumerate() {
            if let Some(draft) = entry.repeats.and_then(|counted| home.get(&counted)) {
                self.drafts[*draft].members.push(index);
                self.drafts[*draft]
                    .because
                    .push("it repeats a report that already counts".to_owned());
            }
        }
    }
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

/// Two lists agree if they share a class, or if one says "undetermined".
fn classes_agree(a: &[Class], b: &[Class]) -> bool {
    a.contains(&Class::A13) || b.contains(&Class::A13) || a.iter().any(|class| b.contains(class))
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

fn because(sighting: &Sighting, draft: &Draft) -> String {
    let apart = match (sighting.place.centre(), draft.place.centre()) {
        (Some(a), Some(b)) => format!("{:.1} km from it", a.distance_m(b) / 1000.0),
        _ => "place not compared".to_owned(),
    };
    let (a, b) = (&sighting.when.span, &draft.span);
    let gap_s = domain::time::seconds_between(a.to.min(b.to), a.from.max(b.from));
    let time = if gap_s <= 0.0 {
        "times overlap".to_owned()
    } else {
        format!("{:.0} min apart", gap_s / 60.0)
    };
    format!("{apart}, {time}, kinds agree")
}

fn finish(draft: &Draft, entries: &[Entry], reference: &Reference) -> Incident {
    let mut members: Vec<(usize, &str)> =
        draft.members.iter().copied().zip(draft.because.iter().map(String::as_str)).collect();
    members.sort_by_key(|(index, _)| {
        (entries[*index].sighting.at, entries[*index].sighting.observation)
    });
    let counting: Vec<&Entry> = draft
        .members
        .iter()
        .map(|index| &entries[*index])
        .filter(|entry| entry.repeats.is_none())
        .collect();
    // The first that opens, in the order of the record, names the incident.
    let founder = counting
        .iter()
        .filter(|entry| entry.sighting.opens)
        .min_by_key(|entry| (entry.sighting.at, entry.sighting.observation))
        .expect("a draft is opened by a sighting");
    let id = Id::of(IdKind::Incident, &[founder.sighting.observation.bytes()]);

    let mut origins: BTreeMap<Id, Vec<Class>> = BTreeMap::new();
    let mut signatures: BTreeMap<Signature, u64> = BTreeMap::new();
    let mut groups: Vec<String> = Vec::new();
    let mut objects: Vec<String> = Vec::new();
    let mut remarks: Vec<String> = Vec::new();
    for entry in &counting {
        let of_origin = origins.entry(entry.origin).or_default();
        of_origin.extend(&entry.sighting.classes);
        of_origin.sort_unstable();
        of_origin.dedup();
        *signatures.entry(entry.sighting.signature).or_default() += 1;
        groups.push(entry.sighting.group.clone());
        objects.extend(entry.sighting.objects.iter().cloned());
        remarks.extend(entry.sighting.remarks.iter().cloned());
    }
    let mut kinds: Vec<SourceKind> = counting.iter().map(|entry| entry.sighting.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for list in [&mut groups, &mut objects, &mut remarks] {
        list.sort_unstable();
        list.dedup();
    }
    let claimed_count = counting
        .iter()
        .filter_map(|entry| entry.sighting.count)
        .fold(None, |most: Option<f64>, count| Some(most.map_or(count, |m| m.max(count))));
    let when =
        domain::Occurrence { span: draft.span, sigma_s: draft.sigma_s, extent: draft.extent };
    if when.extent == domain::Extent::Once && when.span.seconds() >= 20.0 * 3600.0 {
        remarks.push(
            "the time of day is not known; several occurrences of one day may stand here as one"
                .to_owned(),
        );
    }
    if origins.len() == 1 && counting.iter().all(|entry| entry.sighting.usual.is_none()) {
        remarks.push("one origin only".to_owned());
    }
    Incident {
        id,
        status: Status::Reported,
        place_name: reference.places.name(&draft.place, &reference.control, when.span.from),
        place: draft.place.clone(),
        when,
        classes: class_shares(&origins),
        signatures,
        claimed_count,
        objects,
        members: members
            .into_iter()
            .map(|(index, because)| member(&entries[index], because))
            .collect(),
        origins: origins.len() as u32,
        groups,
        kinds,
        alternatives: alternatives(&counting),
        may_be_same_as: Vec::new(),
        remarks,
    }
}

fn member(entry: &Entry, because: &str) -> Member {
    Member {
        observation: entry.sighting.observation,
        at: entry.sighting.at,
        source: entry.sighting.source.clone(),
        origin: entry.origin,
        signature: entry.sighting.signature,
        repeat: entry.repeats.is_some(),
        because: because.to_owned(),
    }
}

/// Every origin has one vote, split between the classes it names. "Undetermined"
/// gives way where anything better is named.
fn class_shares(origins: &BTreeMap<Id, Vec<Class>>) -> Vec<ClassShare> {
    let determined = origins.values().flatten().any(|class| *class != Class::A13);
    let mut votes: BTreeMap<Class, f64> = BTreeMap::new();
    let mut total = 0.0;
    for classes in origins.values() {
        let named: Vec<Class> =
            classes.iter().copied().filter(|class| !determined || *class != Class::A13).collect();
        for class in &named {
            *votes.entry(*class).or_default() += 1.0 / named.len() as f64;
        }
        total += f64::from(u8::from(!named.is_empty()));
    }
    let mut shares: Vec<ClassShare> = votes
        .into_iter()
        .map(|(class, vote)| ClassShare { class, share: Probability::new(vote / total) })
        .collect();
    shares.sort_by(|a, b| b.share.get().total_cmp(&a.share.get()).then(a.class.cmp(&b.class)));
    shares
}

/// Fires may be just fires; what an incident rests on decides what else it may be.
fn alternatives(counting: &[&Entry]) -> Vec<Alternative> {
    let fires: Vec<&Entry> = counting
        .iter()
        .copied()
        .filter(|entry| entry.sighting.signature == Signature::ThermalAnomaly)
        .collect();
    let mut alternatives = Vec::new();
    if !fires.is_empty() && fires.len() == counting.len() {
        let because = fires.iter().find_map(|entry| entry.sighting.usual).map_or_else(
            || "nothing but hot spots, and no peacetime years to compare with".to_owned(),
            |usual| format!("nothing but hot spots; {usual}"),
        );
        alternatives.push(Alternative { class: Class::Z3, because });
    }
    let only_sound =
        counting.iter().all(|entry| {
            matches!(entry.sighting.signature, Signature::Explosion | Signature::Burst)
                && entry.sighting.objects.is_empty()
        }) && counting.iter().all(|entry| matches!(entry.sighting.origin, OriginKey::Own(_)));
    if only_sound {
        let because =
            "nothing but sounds: thunder, a quarry or a controlled detonation are not excluded"
                .to_owned();
        alternatives.push(Alternative { class: Class::Z4, because });
    }
    alternatives
}
