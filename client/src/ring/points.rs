//! Where the points of a continuum lie.

use super::continuum::Position;
use super::distribution::{PointCount, PointDigest, PointSource, PointText, Points};
use super::hash::md5;

/// One member as its points see it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The name that is hashed.
    pub(super) name: String,
    pub(super) weight: u32,
    /// Index into the ring's members.
    pub(super) member: u32,
}

/// How many points `nodes` have together.
pub(super) fn count(points: &Points, nodes: &[Node]) -> u64 {
    counts(points, nodes).fold(0, u64::saturating_add)
}

/// How many points each of `nodes` has.
pub(super) fn counts(points: &Points, nodes: &[Node]) -> impl Iterator<Item = u64> {
    let (source, total, number) = (points.source, total_weight(nodes), nodes.len());
    nodes.iter().map(move |node| match source {
        PointSource::Texts { count, digest, .. } => {
            text_count(count, node.weight, number, total).saturating_mul(points_per_text(digest))
        }
        PointSource::CrcChain { per_weight } => u64::from(per_weight) * u64::from(node.weight),
    })
}

/// The points of all `nodes` with their members, in the order of `nodes`.
pub(super) fn place<P: Position>(points: &Points, nodes: &[Node]) -> Vec<(P, u32)> {
    let total = total_weight(nodes);
    let mut placed = Vec::with_capacity(usize::try_from(count(points, nodes)).unwrap_or(0));
    for node in nodes {
        match points.source {
            PointSource::Texts {
                count,
                text,
                digest,
            } => {
                let texts = text_count(count, node.weight, nodes.len(), total);
                place_texts(node, texts, text, digest, &mut placed);
            }
            PointSource::CrcChain { per_weight } => {
                let links = u64::from(per_weight) * u64::from(node.weight);
                place_chain(node, links, &mut placed);
            }
        }
    }
    placed
}

fn total_weight(nodes: &[Node]) -> u64 {
    nodes.iter().map(|node| u64::from(node.weight)).sum()
}

/// How many texts a node of this weight has among `nodes` that weigh `total` together.
fn text_count(count: PointCount, weight: u32, nodes: usize, total: u64) -> u64 {
    match count {
        PointCount::Fixed(count) => u64::from(count),
        PointCount::TimesWeight(count) => u64::from(count) * u64::from(weight),
        PointCount::Share(count) => {
            let shared = u128::from(count) * nodes as u128 * u128::from(weight);
            u64::try_from(shared / u128::from(total)).unwrap_or(u64::MAX)
        }
        // The C sources write `pct * 160 / 4 * n + 1e-10`; no f32 of this size can hold the 1e-10.
        PointCount::ShareSingle(count) => {
            let percent = weight as f32 / total as f32;
            (percent * (count as f32 * 4.0) / 4.0 * nodes as f32).floor() as u64
        }
        PointCount::ShareDouble(count) => {
            (f64::from(weight) / total as f64 * f64::from(count) * nodes as f64).floor() as u64
        }
    }
}

const fn points_per_text(digest: PointDigest) -> u64 {
    match digest {
        PointDigest::Hash(_) => 1,
        PointDigest::Md5Words(words) if words < 4 => words as u64,
        PointDigest::Md5Words(_) => 4,
    }
}

impl Points {
    /// How many points a member of average weight is meant to have: 160 for ketama.
    #[must_use]
    pub const fn per_member(&self) -> u32 {
        match self.source {
            PointSource::Texts { count, digest, .. } => count
                .number()
                .saturating_mul(points_per_text(digest) as u32),
            PointSource::CrcChain { per_weight } => per_weight,
        }
    }

    /// How many points come at once: 4 for ketama, which takes four from each digest. The number of
    /// points is a multiple of it.
    #[must_use]
    pub const fn step(&self) -> u32 {
        match self.source {
            PointSource::Texts { digest, .. } => points_per_text(digest) as u32,
            PointSource::CrcChain { .. } => 1,
        }
    }

    /// The same recipe with another number of points for a member of average weight; `None` unless
    /// that is a multiple of [`step`](Self::step), and not 0.
    #[must_use]
    pub const fn with_per_member(self, points: u32) -> Option<Self> {
        let step = self.step();
        if points == 0 || step == 0 || !points.is_multiple_of(step) {
            return None;
        }
        let source = match self.source {
            PointSource::Texts {
                count,
                text,
                digest,
            } => PointSource::Texts {
                count: count.with_number(points / step),
                text,
                digest,
            },
            PointSource::CrcChain { .. } => PointSource::CrcChain { per_weight: points },
        };
        Some(Self { source, ..self })
    }
}

impl PointCount {
    const fn number(self) -> u32 {
        match self {
            Self::Fixed(number)
            | Self::TimesWeight(number)
            | Self::Share(number)
            | Self::ShareSingle(number)
            | Self::ShareDouble(number) => number,
        }
    }

    const fn with_number(self, number: u32) -> Self {
        match self {
            Self::Fixed(_) => Self::Fixed(number),
            Self::TimesWeight(_) => Self::TimesWeight(number),
            Self::Share(_) => Self::Share(number),
            Self::ShareSingle(_) => Self::ShareSingle(number),
            Self::ShareDouble(_) => Self::ShareDouble(number),
        }
    }
}

fn place_texts<P: Position>(
    node: &Node,
    texts: u64,
    text: PointText,
    digest: PointDigest,
    placed: &mut Vec<(P, u32)>,
) {
    let separator = match text {
        PointText::Dash => b'-',
        PointText::Colon | PointText::ColonWeight => b':',
        PointText::Underscore => b'_',
    };
    let mut hashed = node.name.clone().into_bytes();
    hashed.push(separator);
    let numbered = hashed.len();
    let mut digits = itoa::Buffer::new();
    for number in 0..texts {
        hashed.truncate(numbered);
        hashed.extend_from_slice(digits.format(number).as_bytes());
        if text == PointText::ColonWeight {
            hashed.push(b':');
            hashed.extend_from_slice(digits.format(node.weight).as_bytes());
        }
        match digest {
            PointDigest::Hash(hash) => placed.push((P::cut(hash.wide(&hashed)), node.member)),
            PointDigest::Md5Words(words) => placed.extend(
                md5::words(&hashed)
                    .iter()
                    .take(usize::from(words))
                    .map(|word| (P::cut(u128::from(*word)), node.member)),
            ),
        }
    }
}

fn place_chain<P: Position>(node: &Node, links: u64, placed: &mut Vec<(P, u32)>) {
    let name = crc32fast::hash(node.name.as_bytes());
    let mut point = 0_u32;
    for _ in 0..links {
        let mut checksum = crc32fast::Hasher::new_with_initial(name);
        checksum.update(&point.to_le_bytes());
        point = checksum.finalize();
        placed.push((P::cut(u128::from(point)), node.member));
    }
}
