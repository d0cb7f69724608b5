//! Which observations a source has delivered before.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use domain::Id;

/// Parts of the set: each grows by itself, so that the set as a whole never has
/// to be held twice while it grows.
const PARTS: u64 = 64;

/// A set of observations by the first 64 bits of their ids: about 12 bytes for
/// each, 120 MB for ten million. That two different observations of one source
/// share these bits has a chance of 3e-6 among ten million; the second would
/// then be counted as a repeat and stay in the file's blob.
#[derive(Debug)]
pub(crate) struct Seen {
    parts: Vec<HashSet<u64, BuildHasherDefault<AsIs>>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| HashSet::default()).collect() }
    }
}

impl Seen {
    /// Takes up an observation; false if it was there already.
    pub(crate) fn insert(&mut self, id: Id) -> bool {
        let bits = id.short();
        self.parts[(bits % PARTS) as usize].insert(bits / PARTS)
    }
}

/// The bits of an id are as good as any hash of them.
#[derive(Clone, Copy, Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only 64-bit numbers are put in");
    }

    fn write_u64(&mut self, bits: u64) {
        // The table looks at the highest bits, of which six are missing.
        self.0 = bits.rotate_left(6);
    }
}

#[cfg(test)]
mod tests {
    use domain::IdKind;

    use super::*;

    #[test]
    fn everything_is_new_once() {
        let mut seen = Seen::default();
        for round in 0..2 {
            for number in 0..10_000u32 {
                let id = Id::of(IdKind::Observation, &[&number.to_be_bytes()]);
                assert_eq!(seen.insert(id), round == 0, "{number}");
            }
        }
    }
}
