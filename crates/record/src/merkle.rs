//! The Merkle tree of RFC 6962, section 2.1: its right edge, proofs, and their verification.
//!
//! Architecture invariant: nothing here reads a file. Proofs are made from [`Nodes`], whoever keeps
//! them, and checked from hashes alone.

use crate::error::Error;
use crate::hash::{Hash, node_hash, perfect_root};
use crate::limits::{
    CONSISTENCY_HASH_COUNT_MAX, HASH_BYTES, PROOF_HASH_COUNT_MAX, TILE_BYTES, TILE_LEVEL_COUNT,
    TILE_WIDTH,
};

/// The right edge of a tree that grows: at each level, the hashes of the tile that is not full yet.
/// With it the next tiles and the root follow from the next leaf hashes alone.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    size: u64,
    rows: [Vec<u8>; TILE_LEVEL_COUNT],
}

impl Edge {
    pub(crate) fn empty() -> Self {
        Self { size: 0, rows: Default::default() }
    }

    /// An edge from the partial tiles of a tree of `size` leaves; `row` gives the hashes of the
    /// tile at a level that holds that many.
    pub(crate) fn load<E>(
        size: u64,
        mut row: impl FnMut(u8, usize) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let mut edge = Self { size, ..Self::empty() };
        for level in 0..TILE_LEVEL_COUNT {
            let width = edge.width(level as u8);
            if width > 0 {
                edge.rows[level] = row(level as u8, width)?;
                assert_eq!(edge.rows[level].len(), width * HASH_BYTES, "a row as wide as asked");
            }
        }
        Ok(edge)
    }

    /// Number of leaves in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Hashes in the incomplete tile at `level`: `floor(size / 256^level) mod 256`.
    pub(crate) fn width(&self, level: u8) -> usize {
        ((self.size >> (8 * u32::from(level))) % TILE_WIDTH as u64) as usize
    }

    /// Index of the incomplete tile at `level`, or of the next one if none is incomplete.
    pub(crate) fn index(&self, level: u8) -> u64 {
        self.size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
    }

    /// The hashes of the incomplete tile at `level`.
    pub(crate) fn row(&self, level: u8) -> &[u8] {
        &self.rows[usize::from(level)]
    }

    /// The same edge with other hashes in its lowest row, to ask what root they would give.
    pub(crate) fn with_lowest_row(&self, row: &[u8]) -> Self {
        let mut edge = self.clone();
        edge.size = edge.size - edge.width(0) as u64 + (row.len() / HASH_BYTES) as u64;
        edge.rows[0] = row.to_vec();
        edge
    }

    /// Adds leaf hashes that all fall into the incomplete tile of level 0. Each tile that becomes
    /// full, at any level, is handed to `on_full(level, index, hashes)`, lower levels first.
    pub(crate) fn extend<E>(
        &mut self,
        hashes: &[u8],
        mut on_full: impl FnMut(u8, u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        assert!(hashes.len().is_multiple_of(HASH_BYTES), "whole hashes");
        assert!(self.rows[0].len() + hashes.len() <= TILE_BYTES, "no more than the tile takes");
        self.rows[0].extend_from_slice(hashes);
        self.size += (hashes.len() / HASH_BYTES) as u64;
        let mut level = 0;
        while self.rows[level].len() == TILE_BYTES {
            let index = (self.size >> (8 * (level + 1))) - 1;
            on_full(level as u8, index, &self.rows[level])?;
            let root = perfect_root(&mut self.rows[level]);
            self.rows[level].clear();
            level += 1;
            self.rows[level].extend_from_slice(root.as_bytes());
        }
        Ok(())
    }

    /// The root: perfect subtrees from the largest (left) to the smallest (right), folded from the
    /// right. That is the recursion of RFC 6962, section 2.1, whose left part is always the largest
    /// perfect subtree.
    pub(crate) fn root(&self) -> Hash {
        let mut subtrees = Vec::new();
        for row in self.rows.iter().rev() {
            let mut rest = row.as_slice();
            for power in (0..8).rev() {
                let subtree_bytes = HASH_BYTES << power;
                if rest.len() >= subtree_bytes {
                    let (subtree, right) = rest.split_at(subtree_bytes);
                    subtrees.push(perfect_root(&mut subtree.to_vec()));
                    rest = right;
                }
            }
        }
        let Some(mut root) = subtrees.pop() else { return Hash::EMPTY_TREE };
        while let Some(left) = subtrees.pop() {
            root = node_hash(&left, &root);
        }
        root
    }
}

/// Where proofs get their hashes from: roots of perfect subtrees.
pub(crate) trait Nodes {
    type Error;

    /// Root of the perfect subtree of `2^height` leaves that starts at leaf `index * 2^height`.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Largest power of two smaller than `count`, as RFC 6962 splits a tree. `count` is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Root of leaves `[low, high)`, where `low` is a multiple of the largest power of two within.
fn range_root<N: Nodes>(nodes: &mut N, low: u64, high: u64) -> Result<Hash, N::Error> {
    let count = high - low;
    if count.is_power_of_two() {
        return nodes.node(count.trailing_zeros(), low / count);
    }
    let middle = low + split(count);
    let left = range_root(nodes, low, middle)?;
    let right = range_root(nodes, middle, high)?;
    Ok(node_hash(&left, &right))
}

/// Root of the tree of `size` leaves.
pub(crate) fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(Hash::EMPTY_TREE) } else { range_root(nodes, 0, size) }
}

/// The inclusion proof of leaf `index` in the tree of `size` leaves (`PATH` of RFC 6962, 2.1.1):
/// from the sibling of the leaf up to the child of the root. `index` is less than `size`.
pub(crate) fn inclusion_proof<N: Nodes>(
    nodes: &mut N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, N::Error> {
    assert!(index < size, "callers check the range");
    let (mut low, mut high) = (0, size);
    let mut proof = Vec::new();
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof from the tree of `old_size` leaves to that of `new_size` (`PROOF` of RFC
/// 6962, 2.1.2). `old_size` is at most `new_size`. From the empty tree, or between equal sizes, the
/// proof is empty.
pub(crate) fn consistency_proof<N: Nodes>(
    nodes: &mut N,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, N::Error> {
    assert!(old_size <= new_size, "callers check the range");
    if old_size == 0 {
        return Ok(Vec::new());
    }
    let (mut low, mut high) = (0, new_size);
    let mut proof = Vec::new();
    while old_size != high {
        let middle = low + split(high - low);
        if old_size <= middle {
            proof.push(range_root(nodes, middle, high)?);
            high = middle;
        } else {
            proof.push(range_root(nodes, low, middle)?);
            low = middle;
        }
    }
    if low > 0 {
        // The common subtree is not the whole old tree, so the verifier does not know its root.
        proof.push(range_root(nodes, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with `root` (RFC 9162, section
/// 2.1.3.2, which states the algorithm for the proofs of RFC 6962).
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), Error> {
    if index >= size {
        return Err(Error::proof(format!("index {index} is not below the size {size}")));
    }
    if proof.len() > PROOF_HASH_COUNT_MAX {
        return Err(Error::proof("it is longer than any proof"));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut computed = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(Error::proof("it has more hashes than the path to the root"));
        }
        if node % 2 == 1 || node == last {
            computed = node_hash(sibling, &computed);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        node /= 2;
        last /= 2;
    }
    if last != 0 {
        return Err(Error::proof("it has fewer hashes than the path to the root"));
    }
    if computed != *root {
        return Err(Error::proof(format!(
            "entry {index} leads to another root than that of size {size}"
        )));
    }
    Ok(())
}

/// Checks that the tree of `old_size` leaves with `old_root` is a prefix of the tree of `new_size`
/// leaves with `new_root` (RFC 9162, section 2.1.4.2). The empty tree is a prefix of every tree.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), Error> {
    if old_size > new_size {
        return Err(Error::proof(format!(
            "the old size {old_size} is more than the new size {new_size}"
        )));
    }
    if proof.len() > CONSISTENCY_HASH_COUNT_MAX {
        return Err(Error::proof("it is longer than any proof"));
    }
    if old_size == 0 || old_size == new_size {
        if !proof.is_empty() {
            return Err(Error::proof("there is nothing to prove, yet it has hashes"));
        }
        let expected = if old_size == 0 { &Hash::EMPTY_TREE } else { new_root };
        if old_root != expected {
            return Err(Error::proof(format!("the old root is not that of size {old_size}")));
        }
        return Ok(());
    }
    // When the old tree is a perfect subtree of the new one, its root is the first node of the
    // path and is not repeated in the proof.
    let mut rest = proof.iter();
    let seed = if old_size.is_power_of_two() {
        *old_root
    } else {
        *rest.next().ok_or_else(|| Error::proof("it is empty"))?
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut old_computed, mut new_computed) = (seed, seed);
    for sibling in rest {
        if last == 0 {
            return Err(Error::proof("it has more hashes than the path to the root"));
        }
        if node % 2 == 1 || node == last {
            old_computed = node_hash(sibling, &old_computed);
            new_computed = node_hash(sibling, &new_computed);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            new_computed = node_hash(&new_computed, sibling);
        }
        node /= 2;
        last /= 2;
    }
    if last != 0 {
        return Err(Error::proof("it has fewer hashes than the path to the root"));
    }
    if old_computed != *old_root {
        return Err(Error::proof(format!("it leads to another root for the old size {old_size}")));
    }
    if new_computed != *new_root {
        return Err(Error::proof(format!("it leads to another root for the new size {new_size}")));
    }
    Ok(())
}

/// The root of a tree from its leaf hashes in order.
///
/// ```
/// use record::{Hash, leaf_hash, node_hash, tree_root};
///
/// let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// assert_eq!(tree_root([a, b, c]), node_hash(&node_hash(&a, &b), &c));
/// assert_eq!(tree_root([]), Hash::EMPTY_TREE);
/// ```
pub fn tree_root(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut edge = Edge::empty();
    for leaf in leaves {
        match edge.extend(leaf.as_bytes(), |_, _, _| Ok::<(), std::convert::Infallible>(())) {
            Ok(()) => (),
        }
    }
    edge.root()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;
    use proptest::prelude::*;

    /// RFC 6962, section 2.1, word for word.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::EMPTY_TREE,
            [leaf] => *leaf,
            _ => {
                let k = split(leaves.len() as u64) as usize;
                node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
            }
        }
    }

    /// `PATH(m, D[n])` of RFC 6962, section 2.1.1, word for word.
    fn naive_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let k = split(leaves.len() as u64) as usize;
        if m < k {
            let mut path = naive_path(m, &leaves[..k]);
            path.push(naive_root(&leaves[k..]));
            path
        } else {
            let mut path = naive_path(m - k, &leaves[k..]);
            path.push(naive_root(&leaves[..k]));
            path
        }
    }

    /// `SUBPROOF(m, D[n], b)` of RFC 6962, section 2.1.2, word for word.
    fn naive_subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
        if m == leaves.len() {
            return if known { Vec::new() } else { vec![naive_root(leaves)] };
        }
        let k = split(leaves.len() as u64) as usize;
        if m <= k {
            let mut proof = naive_subproof(m, &leaves[..k], known);
            proof.push(naive_root(&leaves[k..]));
            proof
        } else {
            let mut proof = naive_subproof(m - k, &leaves[k..], false);
            proof.push(naive_root(&leaves[..k]));
            proof
        }
    }

    struct Leaves<'a>(&'a [Hash]);

    impl Nodes for Leaves<'_> {
        type Error = std::convert::Infallible;
        fn node(&mut self, height: u32, index: u64) -> Result<Hash, Self::Error> {
            let low = (index as usize) << height;
            Ok(naive_root(&self.0[low..low + (1 << height)]))
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|at| leaf_hash(&at.to_be_bytes())).collect()
    }

    #[test]
    fn every_proof_of_every_small_tree() {
        let all = leaves(66);
        for size in 1..=all.len() {
            let tree = &all[..size];
            let root = naive_root(tree);
            assert_eq!(tree_root(tree.iter().copied()), root);
            for index in 0..size {
                let Ok(proof) = inclusion_proof(&mut Leaves(tree), index as u64, size as u64);
                assert_eq!(proof, naive_path(index, tree));
                verify_inclusion(index as u64, size as u64, &tree[index], &proof, &root).unwrap();
            }
            for old in 0..=size {
                let Ok(proof) = consistency_proof(&mut Leaves(tree), old as u64, size as u64);
                let old_root = naive_root(&tree[..old]);
                if old > 0 {
                    assert_eq!(proof, naive_subproof(old, tree, true));
                }
                verify_consistency(old as u64, &old_root, size as u64, &root, &proof).unwrap();
            }
        }
    }

    #[test]
    fn edges_cross_tiles_of_two_levels() {
        let all = leaves(66_000);
        let mut edge = Edge::empty();
        let mut full = Vec::new();
        for (at, leaf) in all.iter().enumerate() {
            edge.extend(leaf.as_bytes(), |level, index, _| {
                full.push((level, index));
                Ok::<(), ()>(())
            })
            .unwrap();
            if [255, 256, 257, 65_535, 65_536, 65_792].contains(&(at + 1)) {
                assert_eq!(edge.root(), naive_root(&all[..=at]), "{}", at + 1);
            }
        }
        assert_eq!(full.iter().filter(|(level, _)| *level == 0).count(), 257);
        assert_eq!(full.iter().filter(|(level, _)| *level == 1).count(), 1);
        let again = Edge::load(edge.size(), |level, _| Ok::<_, ()>(edge.row(level).to_vec()));
        assert_eq!(again.unwrap().root(), edge.root());
    }

    proptest! {
        #[test]
        fn edge_agrees_with_the_recursion(size in 0_usize..1500) {
            let all = leaves(size);
            prop_assert_eq!(tree_root(all.iter().copied()), naive_root(&all));
        }

        #[test]
        fn altered_inclusion_proofs_fail(
            size in 1_usize..700, pick in any::<prop::sample::Index>(), byte in 0_usize..32,
            bit in 0_u8..8, place in any::<prop::sample::Index>(),
        ) {
            let all = leaves(size);
            let index = pick.index(size);
            let root = naive_root(&all);
            let Ok(proof) = inclusion_proof(&mut Leaves(&all), index as u64, size as u64);
            let check = |index: usize, size: usize, leaf: &Hash, proof: &[Hash], root: &Hash| {
                verify_inclusion(index as u64, size as u64, leaf, proof, root)
            };
            let flip = |hash: &Hash| {
                let mut bytes = *hash.as_bytes();
                bytes[byte] ^= 1 << bit;
                Hash::from_bytes(bytes)
            };
            prop_assert!(check(index, size, &all[index], &proof, &root).is_ok());
            prop_assert!(check(index, size, &flip(&all[index]), &proof, &root).is_err());
            prop_assert!(check(index, size, &all[index], &proof, &flip(&root)).is_err());
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(check(index, size, &all[index], &longer, &root).is_err());
            if !proof.is_empty() {
                let place = place.index(proof.len());
                let mut altered = proof.clone();
                altered[place] = flip(&altered[place]);
                prop_assert!(check(index, size, &all[index], &altered, &root).is_err());
                let mut shorter = proof.clone();
                shorter.remove(place);
                prop_assert!(check(index, size, &all[index], &shorter, &root).is_err());
                let other = (index + 1 + place) % size;
                if other != index {
                    prop_assert!(check(other, size, &all[index], &proof, &root).is_err());
                }
            }
            prop_assert!(check(size, size, &all[index], &proof, &root).is_err());
        }

        #[test]
        fn altered_consistency_proofs_fail(
            size in 2_usize..700, pick in any::<prop::sample::Index>(), byte in 0_usize..32,
            bit in 0_u8..8, place in any::<prop::sample::Index>(),
        ) {
            let all = leaves(size);
            let old = 1 + pick.index(size - 1);
            let (old_root, root) = (naive_root(&all[..old]), naive_root(&all));
            let Ok(proof) = consistency_proof(&mut Leaves(&all), old as u64, size as u64);
            let check = |old_root: &Hash, root: &Hash, proof: &[Hash]| {
                verify_consistency(old as u64, old_root, size as u64, root, proof)
            };
            let flip = |hash: &Hash| {
                let mut bytes = *hash.as_bytes();
                bytes[byte] ^= 1 << bit;
                Hash::from_bytes(bytes)
            };
            prop_assert!(check(&old_root, &root, &proof).is_ok());
            prop_assert!(check(&flip(&old_root), &root, &proof).is_err());
            prop_assert!(check(&old_root, &flip(&root), &proof).is_err());
            let place = place.index(proof.len());
            let mut altered = proof.clone();
            altered[place] = flip(&altered[place]);
            prop_assert!(check(&old_root, &root, &altered).is_err());
            let mut shorter = proof.clone();
            shorter.remove(place);
            prop_assert!(check(&old_root, &root, &shorter).is_err());
            let mut longer = proof.clone();
            longer.push(root);
            prop_assert!(check(&old_root, &root, &longer).is_err());
            prop_assert!(
                verify_consistency(size as u64, &root, old as u64, &old_root, &proof).is_err()
            );
        }
    }
}
