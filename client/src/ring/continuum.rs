//! Consistent hashing: points on a circle of hash values.
//!
//! Clients differ in how they place points and in which point a hash belongs to. The second
//! difference ends here: whatever the rule, the points cut the hash space into arcs, and an arc is
//! stored by its *last* hash value and its owner. A lookup is then always "the first arc that ends
//! at or after the hash", and shares and moves are sums over the same list.

use super::distribution::Rule;

/// A hash value: its arithmetic as far as a continuum needs it.
pub(super) trait Position: Copy + Ord + Into<u128> {
    /// The largest value.
    const MAX: Self;
    /// The value before this one; before 0 comes [`MAX`](Self::MAX).
    fn before(self) -> Self;
    /// The value after this one; after [`MAX`](Self::MAX) comes 0.
    fn after(self) -> Self;
    /// `self >> shift`, capped to what an index can hold.
    fn bucket(self, shift: u32) -> usize;
    /// The low bits of a hash that may be wider.
    fn cut(hash: u128) -> Self;
}

impl Position for u32 {
    const MAX: Self = Self::MAX;

    fn before(self) -> Self {
        self.wrapping_sub(1)
    }

    fn after(self) -> Self {
        self.wrapping_add(1)
    }

    fn bucket(self, shift: u32) -> usize {
        (self >> shift) as usize
    }

    fn cut(hash: u128) -> Self {
        hash as Self
    }
}

impl Position for u128 {
    const MAX: Self = Self::MAX;

    fn before(self) -> Self {
        self.wrapping_sub(1)
    }

    fn after(self) -> Self {
        self.wrapping_add(1)
    }

    fn bucket(self, shift: u32) -> usize {
        usize::try_from(self >> shift).unwrap_or(usize::MAX)
    }

    fn cut(hash: u128) -> Self {
        hash
    }
}

/// A stretch of hash values up to and including `end` that belongs to one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span<P> {
    pub(super) end: P,
    pub(super) owner: u32,
}

/// All arcs of the hash space in ascending order, with an index over their ends.
#[derive(Clone, Debug)]
pub(super) struct Continuum<P> {
    /// Ascending by `end`; the last one ends at `P::MAX`, so every hash has an arc.
    spans: Vec<Span<P>>,
    /// For each value of the hash's top bits, the first arc that can hold such a hash.
    index: Vec<u32>,
    shift: u32,
    /// Whether the last arc ends with a point of its own, and not where the circle does.
    has_point_at_the_end: bool,
}

/// How many arcs a lookup looks at one by one before it searches by halves. The index leaves one
/// or two when points lie evenly, as digests do.
const NEAR: usize = 8;

impl<P: Position> Continuum<P> {
    /// Builds the arcs from `(point, owner)` pairs, in the order in which the client adds them:
    /// `rule` says which arc belongs to a point, `later_wins` which of two equal points counts.
    ///
    /// `key_bits` is how many low bits the keys' hash has, so that the index spends its buckets
    /// where keys can be.
    pub(super) fn new(
        mut points: Vec<(P, u32)>,
        rule: Rule,
        later_wins: bool,
        key_bits: u32,
    ) -> Self {
        points.sort_by_key(|(point, _)| *point);
        if later_wins {
            points.reverse();
            points.dedup_by_key(|(point, _)| *point);
            points.reverse();
        } else {
            points.dedup_by_key(|(point, _)| *point);
        }
        let mut spans = spans(&points, rule);
        let has_point_at_the_end = spans.last().is_some_and(|last| last.end == P::MAX);
        if let Some(first) = spans.first().copied()
            && !has_point_at_the_end
        {
            spans.push(Span {
                end: P::MAX,
                owner: first.owner,
            });
        }
        let index_bits = (usize::BITS - spans.len().leading_zeros() + 1).min(key_bits);
        let shift = key_bits - index_bits;
        let index = index(&spans, shift, 1 << index_bits);
        Self {
            spans,
            index,
            shift,
            has_point_at_the_end,
        }
    }

    /// The owner of the arc in which `hash` lies.
    #[inline]
    pub(super) fn owner(&self, hash: P) -> u32 {
        self.spans
            .get(self.position(hash))
            .map_or(0, |span| span.owner)
    }

    /// Which arc `hash` lies in.
    #[inline]
    pub(super) fn position(&self, hash: P) -> usize {
        let bucket = hash.bucket(self.shift).min(self.index.len() - 1);
        let start = self.index[bucket] as usize;
        let near = &self.spans[start..];
        for (ahead, span) in near.iter().take(NEAR).enumerate() {
            if span.end >= hash {
                return start + ahead;
            }
        }
        start + near.partition_point(|span| span.end < hash)
    }

    /// The point that an arc belongs to.
    pub(super) fn point(&self, position: usize, rule: Rule) -> u128 {
        let last = self.spans.len() - 1;
        // The arc that reaches over the end of the circle comes in two parts.
        let reaches_over = !self.has_point_at_the_end;
        let end = match position {
            _ if position == last && reaches_over => self.spans[0].end,
            _ => self.spans[position].end,
        };
        match rule {
            Rule::AtOrAfter => end.into(),
            Rule::After => end.after().into(),
            Rule::AtOrBefore if position > 0 => self.spans[position - 1].end.after().into(),
            Rule::AtOrBefore if reaches_over => self.spans[last - 1].end.after().into(),
            Rule::AtOrBefore => 0,
        }
    }

    /// All arcs in ascending order.
    pub(super) fn spans(&self) -> &[Span<P>] {
        &self.spans
    }
}

/// Turns sorted, distinct points into arcs by their last value.
fn spans<P: Position>(points: &[(P, u32)], rule: Rule) -> Vec<Span<P>> {
    let mut spans: Vec<Span<P>> = match rule {
        Rule::AtOrAfter => points
            .iter()
            .map(|&(end, owner)| Span { end, owner })
            .collect(),
        Rule::After => points
            .iter()
            .map(|&(point, owner)| Span {
                end: point.before(),
                owner,
            })
            .collect(),
        Rule::AtOrBefore => points
            .iter()
            .zip(points.iter().cycle().skip(1))
            .map(|(&(_, owner), &(next, _))| Span {
                end: next.before(),
                owner,
            })
            .collect(),
    };
    // A point at 0 has an arc that ends at MAX, and "at or before" leaves the last arc around 0.
    spans.sort_by_key(|span| span.end);
    spans
}

/// For each bucket of `1 << shift` hash values the first arc that ends in it or later.
fn index<P: Position>(spans: &[Span<P>], shift: u32, buckets: usize) -> Vec<u32> {
    let mut index = Vec::with_capacity(buckets);
    let mut next = 0;
    for bucket in 0..buckets {
        while next + 1 < spans.len() && spans[next].end.bucket(shift) < bucket {
            next += 1;
        }
        index.push(next as u32);
    }
    index
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the rules say, read literally over unsorted points.
    fn naive(points: &[(u32, u32)], rule: Rule, later_wins: bool, hash: u32) -> u32 {
        let mut distinct: Vec<(u32, u32)> = Vec::new();
        for (point, owner) in points {
            match distinct.iter_mut().find(|(known, _)| known == point) {
                Some(known) if later_wins => known.1 = *owner,
                Some(_) => {}
                None => distinct.push((*point, *owner)),
            }
        }
        let lowest = distinct.iter().min();
        let highest = distinct.iter().max();
        let chosen = match rule {
            Rule::AtOrAfter => distinct
                .iter()
                .filter(|(point, _)| *point >= hash)
                .min()
                .or(lowest),
            Rule::After => distinct
                .iter()
                .filter(|(point, _)| *point > hash)
                .min()
                .or(lowest),
            Rule::AtOrBefore => distinct
                .iter()
                .filter(|(point, _)| *point <= hash)
                .max()
                .or(highest),
        };
        chosen.unwrap().1
    }

    fn position() -> impl Strategy<Value = u32> {
        prop_oneof![
            4 => any::<u32>(),
            3 => 0_u32..40,
            1 => (u32::MAX - 10)..=u32::MAX,
        ]
    }

    proptest! {
        #[test]
        fn lookups_agree_with_a_scan(
            points in prop::collection::vec((position(), 0_u32..9), 1..60),
            hashes in prop::collection::vec(position(), 1..40),
            rule in prop_oneof![
                Just(Rule::AtOrAfter),
                Just(Rule::After),
                Just(Rule::AtOrBefore),
            ],
            later_wins: bool,
            key_bits in prop_oneof![Just(15_u32), Just(16), Just(32)],
        ) {
            let narrow = Continuum::new(points.clone(), rule, later_wins, key_bits);
            let wide_points: Vec<(u128, u32)> = points
                .iter()
                .map(|(point, owner)| (u128::from(*point) << 96, *owner))
                .collect();
            let wide = Continuum::new(wide_points, rule, later_wins, 128);
            let near_points = points.iter().flat_map(|(point, _)| {
                [point.wrapping_sub(1), *point, point.wrapping_add(1)]
            });
            for hash in hashes.into_iter().chain(near_points) {
                let expected = naive(&points, rule, later_wins, hash);
                prop_assert_eq!(narrow.owner(hash), expected);
                prop_assert_eq!(wide.owner(u128::from(hash) << 96), expected);
            }
        }
    }
}
