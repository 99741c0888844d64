//! The small tables under the ledger: names to numbers, texts to numbers, hits of items.

use super::counts::Counts;
use super::unit::Status;
use std::collections::HashMap;

/// Strings to numbers, in order of appearance.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    of: HashMap<Box<str>, u32>,
    all: Vec<Box<str>>,
}

impl Names {
    pub fn intern(&mut self, name: &str) -> u32 {
        if let Some(&id) = self.of.get(name) {
            return id;
        }
        let id = self.all.len() as u32;
        self.all.push(name.into());
        self.of.insert(name.into(), id);
        id
    }

    pub fn find(&self, name: &str) -> Option<u32> {
        self.of.get(name).copied()
    }

    pub fn name(&self, id: u32) -> &str {
        &self.all[id as usize]
    }
}

/// Distinct texts to numbers, by a 64-bit hash: among 16 384 texts two share one with
/// probability below 10⁻¹¹. Open addressing over numbers only, so that a text costs its
/// hash and about 8 bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    hashes: Vec<u64>,
    /// Number + 1, or 0; a power of two long, at most three quarters full.
    buckets: Vec<u32>,
}

impl Texts {
    pub fn intern(&mut self, hash: u64) -> u32 {
        if (self.hashes.len() + 1) * 4 > self.buckets.len() * 3 {
            self.grow();
        }
        let at = self.bucket(hash);
        if self.buckets[at] == 0 {
            push_tight(&mut self.hashes, hash);
            self.buckets[at] = self.hashes.len() as u32;
        }
        self.buckets[at] - 1
    }

    pub fn hash(&self, id: u32) -> u64 {
        self.hashes[id as usize]
    }

    pub fn bytes(&self) -> usize {
        self.hashes.capacity() * 8 + self.buckets.capacity() * 4
    }

    fn bucket(&self, hash: u64) -> usize {
        let mask = self.buckets.len() - 1;
        let mut at = hash as usize & mask;
        while self.buckets[at] != 0 && self.hashes[self.buckets[at] as usize - 1] != hash {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        self.buckets = vec![0; (self.buckets.len() * 2).max(8)];
        for i in 0..self.hashes.len() {
            let at = self.bucket(self.hashes[i]);
            self.buckets[at] = i as u32 + 1;
        }
    }
}

/// A 64-bit hash of a text, eight bytes at a time by folded products.
pub fn hash(text: &str) -> u64 {
    hash_bytes(text.as_bytes())
}

/// As [`hash`], of bytes.
pub fn hash_bytes(text: &[u8]) -> u64 {
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        product as u64 ^ (product >> 64) as u64
    };
    let mut words = text.chunks_exact(8);
    let mut state = 0x243f_6a88_85a3_08d3 ^ text.len() as u64;
    for word in words.by_ref() {
        let word = u64::from_le_bytes(word.try_into().expect("eight bytes"));
        state = fold(state ^ word, 0x9e37_79b9_7f4a_7c15).wrapping_add(word.rotate_left(29));
    }
    let rest = words.remainder().iter().rev().fold(0u64, |w, b| w << 8 | u64::from(*b));
    fold(fold(state ^ rest, 0xa076_1d64_78bd_642f) ^ 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3)
}

/// Hits of every item under both policies of a pair, within their matched k.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    hits: Vec<[u32; 2]>,
    joint: Joint,
}

impl Tally {
    /// One hit more of `item` on a side, 0 the base. Constant work.
    pub fn hit(&mut self, item: u32, side: usize) {
        let item = item as usize;
        if item >= self.hits.len() {
            let more = item + 1 - self.hits.len();
            reserve_tight(&mut self.hits, more);
            self.hits.resize(item + 1, [0; 2]);
        }
        let before = self.hits[item];
        self.hits[item][side] += 1;
        self.joint.moved(before, self.hits[item]);
    }

    /// The items seen, by where they are in support when that takes `min_hits`.
    pub fn counts(&self, min_hits: u32) -> Counts {
        self.joint.counts(min_hits).unwrap_or_else(|| {
            let mut counts = Counts::default();
            for [b, r] in self.seen() {
                counts.count(Status::of(b >= min_hits, r >= min_hits), 1);
            }
            counts
        })
    }

    /// The hits of every item seen.
    pub fn seen(&self) -> impl Iterator<Item = [u32; 2]> + '_ {
        self.hits.iter().copied().filter(|h| *h != [0, 0])
    }

    pub fn bytes(&self) -> usize {
        self.hits.capacity() * 8
    }
}

/// How many items have so many hits under the base and so many under the other, up to
/// [`Joint::CAP`]: the counts for any small number of hits without a look at the items.
#[derive(Clone, Debug, Default)]
struct Joint {
    cells: [[u32; Joint::CAP as usize + 1]; Joint::CAP as usize + 1],
}

impl Joint {
    /// Hits beyond which all is one: ζ = 0.01 asks for 5.
    const CAP: u32 = 5;

    fn moved(&mut self, from: [u32; 2], to: [u32; 2]) {
        let cell = |h: [u32; 2]| h.map(|n| n.min(Joint::CAP) as usize);
        let ([b, r], [c, s]) = (cell(from), cell(to));
        // An item not seen before is in no cell.
        if [b, r] != [0, 0] {
            self.cells[b][r] -= 1;
        }
        self.cells[c][s] += 1;
    }

    /// `None` where `min_hits` is beyond what is kept.
    fn counts(&self, min_hits: u32) -> Option<Counts> {
        if min_hits > Joint::CAP {
            return None;
        }
        let m = min_hits as usize;
        let mut counts = Counts::default();
        for (b, row) in self.cells.iter().enumerate() {
            for (r, &items) in row.iter().enumerate() {
                counts.count(Status::of(b >= m, r >= m), items.into());
            }
        }
        Some(counts)
    }
}

/// Pushes with an eighth of spare room instead of doubling: a ledger holds millions.
pub(super) fn push_tight<T>(to: &mut Vec<T>, item: T) {
    reserve_tight(to, 1);
    to.push(item);
}

fn reserve_tight<T>(to: &mut Vec<T>, more: usize) {
    if to.capacity() < to.len() + more {
        to.reserve_exact(more.max(to.len() / 8 + 8));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn texts_that_differ_in_a_byte_or_in_length_differ() {
        let mut seen = HashSet::new();
        for len in 0..40 {
            assert!(seen.insert(hash(&"a".repeat(len))));
            for at in 0..len {
                let mut text = "a".repeat(len).into_bytes();
                text[at] = b'b';
                assert!(seen.insert(hash(std::str::from_utf8(&text).unwrap())));
            }
        }
        assert!(seen.insert(hash("\0")) && seen.insert(hash("\0\0")));
    }

    proptest! {
        #[test]
        fn texts_are_numbered_by_first_appearance(hashes in prop::collection::vec(0u64..40, 0..200)) {
            let mut texts = Texts::default();
            let mut order: Vec<u64> = Vec::new();
            for h in hashes {
                let id = texts.intern(h);
                if !order.contains(&h) {
                    order.push(h);
                }
                prop_assert_eq!(order[id as usize], h);
                prop_assert_eq!(texts.hash(id), h);
            }
        }

        #[test]
        fn kept_counts_equal_a_look_at_the_items(
            hits in prop::collection::vec((0u32..6, 0usize..2), 0..200), min_hits in 1u32..9,
        ) {
            let mut tally = Tally::default();
            let mut plain = std::collections::BTreeMap::<u32, [u32; 2]>::new();
            for (item, side) in hits {
                tally.hit(item, side);
                plain.entry(item).or_default()[side] += 1;
            }
            let mut want = Counts::default();
            for [b, r] in plain.values() {
                want.count(Status::of(*b >= min_hits, *r >= min_hits), 1);
            }
            prop_assert_eq!(tally.counts(min_hits), want);
            prop_assert_eq!(tally.seen().count(), plain.len());
        }
    }
}
