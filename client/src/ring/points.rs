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
    let total = total_weight(nodes);
    nodes
        .iter()
        .map(|node| match points.source {
            PointSource::Texts { count, digest, .. } => {
                text_count(count, node.weight, nodes.len(), total)
                    .saturating_mul(points_per_text(digest))
            }
            PointSource::CrcChain { per_weight } => u64::from(per_weight) * u64::from(node.weight),
        })
        .fold(0, u64::saturating_add)
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

fn points_per_text(digest: PointDigest) -> u64 {
    match digest {
        PointDigest::Hash(_) => 1,
        PointDigest::Md5Words(words) => u64::from(words.min(4)),
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
