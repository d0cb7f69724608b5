//! A finished draft as an incident: what its members add up to.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::Wave;
use domain::incident::{Alternative, ClassShare, Member};
use domain::{
    Class, Id, IdKind, Incident, Particulars, Probability, Signature, SourceKind, Status,
};

use crate::belief::{self, Watch};
use crate::group::{Draft, Membership};
use crate::origin::Entry;
use crate::sighting::{OriginKey, Reference};

pub(crate) fn finish(
    draft: &Draft,
    entries: &[Entry],
    reference: &Reference,
    watches: &[Watch],
) -> Incident {
    let mut members: Vec<&Membership> = draft.members.iter().collect();
    members.sort_by_key(|member| {
        let sighting = &entries[member.entry].sighting;
        (sighting.at, sighting.observation)
    });
    let counting: Vec<&Entry> = draft
        .members
        .iter()
        .map(|member| &entries[member.entry])
        .filter(|entry| entry.repeats.is_none())
        .collect();
    // The first that opens, in the order of the record, names the incident.
    let founder = counting
        .iter()
        .filter(|entry| entry.sighting.opens)
        .min_by_key(|entry| (entry.sighting.at, entry.sighting.observation))
        .expect("a draft is opened by a sighting");
    let id = Id::of(IdKind::Incident, &[founder.sighting.observation.bytes()]);

    let mut origins: BTreeMap<Id, Votes> = BTreeMap::new();
    let mut signatures: BTreeMap<Signature, u64> = BTreeMap::new();
    let mut groups: Vec<String> = Vec::new();
    let mut objects: Vec<String> = Vec::new();
    let mut remarks: Vec<String> = Vec::new();
    for entry in &counting {
        let of_origin = origins.entry(entry.origin).or_default();
        for (class, vote) in entry.sighting.votes() {
            *of_origin.entry(class).or_default() += vote;
        }
        *signatures.entry(entry.sighting.signature).or_default() += 1;
        groups.push(entry.sighting.group.clone());
        objects.extend(entry.sighting.objects.iter().cloned());
        remarks.extend(entry.sighting.remarks.iter().cloned());
    }
    let told = counting.iter().map(|entry| &entry.sighting.particulars);
    let (particulars, contradictions) = Particulars::together(told);
    remarks.extend(contradictions);
    let notified = particulars.notified;
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
    let when = draft.when;
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
        particulars,
        belief: belief::believe(draft, entries, reference, watches, &kinds),
        members: members.into_iter().map(|one| member(&entries[one.entry], one)).collect(),
        origins: origins.len() as u32,
        groups,
        kinds,
        alternatives: alternatives(&counting, notified),
        may_be_same_as: Vec::new(),
        remarks,
    }
}

fn member(entry: &Entry, membership: &Membership) -> Member {
    Member {
        observation: entry.sighting.observation,
        at: entry.sighting.at,
        source: entry.sighting.source.clone(),
        origin: entry.origin,
        signature: entry.sighting.signature,
        repeat: entry.repeats.is_some(),
        weight: Probability::new(membership.weight),
        because: membership.because.clone(),
    }
}

/// What an origin says of the class.
type Votes = BTreeMap<Class, f64>;

/// Every origin has one vote, split between the classes it names. "Undetermined"
/// gives way where anything better is named.
fn class_shares(origins: &BTreeMap<Id, Votes>) -> Vec<ClassShare> {
    let determined = origins.values().flat_map(Votes::keys).any(|class| *class != Class::A13);
    let mut votes: Votes = BTreeMap::new();
    let mut total = 0.0;
    for of_origin in origins.values() {
        let named = || of_origin.iter().filter(|(class, _)| !determined || **class != Class::A13);
        let sum: f64 = named().map(|(_, vote)| vote).sum();
        for (class, vote) in named() {
            *votes.entry(*class).or_default() += vote / sum;
        }
        total += f64::from(u8::from(named().count() > 0));
    }
    let mut shares: Vec<ClassShare> = votes
        .into_iter()
        .map(|(class, vote)| ClassShare { class, share: Probability::new(vote / total) })
        .collect();
    shares.sort_by(|a, b| b.share.get().total_cmp(&a.share.get()).then(a.class.cmp(&b.class)));
    shares
}

/// Fires may be just fires; what an incident rests on decides what else it may be.
fn alternatives(counting: &[&Entry], notified: Option<bool>) -> Vec<Alternative> {
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
        alternatives.extend(other_sounds(counting));
    }
    let exercise = match notified {
        Some(true) => Some("the evidence says that it had been notified"),
        None if only_sound => Some(
            "nothing but instruments, which do not tell an exercise from an attack; the evidence \
             says nothing of a notification",
        ),
        Some(false) | None => None,
    };
    alternatives.extend(
        exercise.map(|because| Alternative { class: Class::Z1, because: because.to_owned() }),
    );
    alternatives
}

/// What nothing but sounds, or waves in the ground, may have been, as likely as
/// the engine thinks where it has weighed them.
fn other_sounds(counting: &[&Entry]) -> Vec<Alternative> {
    let mut most: BTreeMap<Class, f64> = BTreeMap::new();
    for share in counting.iter().flat_map(|entry| &entry.sighting.innocent) {
        let likely = most.entry(share.class).or_default();
        *likely = likely.max(share.share.get());
    }
    let waves: BTreeSet<Wave> = counting.iter().filter_map(|entry| entry.sighting.wave).collect();
    let what = if waves == BTreeSet::from([Wave::Seismic]) {
        "nothing but waves in the ground, by whose depth"
    } else if waves == BTreeSet::from([Wave::Infrasound]) {
        "nothing but infrasound, which tells no kinds apart:"
    } else if waves.contains(&Wave::Seismic) || waves.contains(&Wave::Infrasound) {
        "nothing but waves in air and ground, by which"
    } else {
        "nothing but sounds, by whose level and spacing"
    };
    let weighed: Vec<Alternative> = most
        .into_iter()
        .map(|(class, p)| {
            let because = format!("{what} it is this with P {p:.2} at most");
            Alternative { class, because }
        })
        .collect();
    if !weighed.is_empty() {
        return weighed;
    }
    let because =
        "nothing but sounds: thunder, a quarry or a controlled detonation are not excluded";
    vec![Alternative { class: Class::Z4, because: because.to_owned() }]
}
