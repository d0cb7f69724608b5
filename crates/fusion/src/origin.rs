//! Where sightings come from: the same words, or the same look, are one origin
//! however often they come, and count once.

use domain::{Id, IdKind};
use jiff::Timestamp;

use crate::sighting::{OriginKey, Rules, Sighting};

/// A sighting with the id of its origin and whether an earlier one counts.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) sighting: Sighting,
    pub(crate) origin: Id,
    /// The entry that counts for it, if it only repeats.
    pub(crate) repeats: Option<usize>,
}

/// Gives every sighting the id of its origin and finds the repeats: the same
/// words again, at the same place or at a later time.
pub(crate) fn with_origins(mut sightings: Vec<Sighting>, rules: &Rules) -> Vec<Entry> {
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
