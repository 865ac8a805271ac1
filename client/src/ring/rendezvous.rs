//! Rendezvous hashing: every node bids for a key with a score of its own, and the highest wins.
//! A node that comes or goes moves only its own keys, but a lookup asks every node.

use std::borrow::Cow;
use std::cmp::Reverse;

use xxhash_rust::xxh3::xxh3_64;

use super::distribution::Score;
use super::hash::murmur::{Murmur3, murmur3_x64_first};
use super::hash::sip;
use super::points::Node;

/// The nodes of a rendezvous, ready to bid.
#[derive(Clone, Debug)]
pub(super) struct Rendezvous {
    score: Score,
    /// In the order in which they win ties.
    bidders: Vec<Bidder>,
    /// The bidders' hashes again, close together for the loop that reads nothing else.
    hashes: Vec<u64>,
    weighted: bool,
}

#[derive(Clone, Debug)]
struct Bidder {
    member: u32,
    weight: u32,
    name: Vec<u8>,
    /// The hash of the name, for scores that mix it with the key's hash.
    hash: u64,
    /// The hash of the name and a dash, for scores that go on over the key.
    prefix: Murmur3,
}

/// A key in the form in which nodes bid for it.
enum Bid<'k> {
    Hash(u64),
    Text(Cow<'k, [u8]>),
}

impl Rendezvous {
    pub(super) fn new(score: Score, nodes: &[Node]) -> Self {
        let mut bidders: Vec<Bidder> = nodes.iter().map(|node| Bidder::new(score, node)).collect();
        match score {
            Score::Pymemcache | Score::PymemcacheBytes => {
                bidders.sort_by(|a, b| b.name.cmp(&a.name));
            }
            Score::Emcache => bidders.sort_by_key(|bidder| Reverse(bidder.hash)),
            Score::Xxh3 | Score::Rust => {}
        }
        let weighted = nodes.iter().any(|node| node.weight != nodes[0].weight);
        Self {
            score,
            hashes: bidders.iter().map(|bidder| bidder.hash).collect(),
            bidders,
            weighted,
        }
    }

    /// The member that wins `key`.
    pub(super) fn owner(&self, key: &[u8]) -> u32 {
        self.winner(&self.bid(key))
    }

    /// The member that wins a key with this hash. Scores that have no hash of the key alone take
    /// the hash's decimal digits for the key.
    pub(super) fn owner_of_hash(&self, hash: u64) -> u32 {
        self.winner(&self.bid_for_hash(hash))
    }

    /// All members by falling score.
    pub(super) fn ranked(&self, key: &[u8]) -> Vec<u32> {
        self.rank(&self.bid(key))
    }

    /// All members by falling score for a key with this hash.
    pub(super) fn ranked_by_hash(&self, hash: u64) -> Vec<u32> {
        self.rank(&self.bid_for_hash(hash))
    }

    /// All members with their scores, the winner first.
    pub(super) fn ranking(&self, key: &[u8]) -> impl Iterator<Item = (u32, f64)> {
        let bid = self.bid(key);
        let weighted = self.weighted && matches!(bid, Bid::Hash(_));
        self.scored(&bid).into_iter().map(move |(score, member)| {
            let score = if weighted {
                f64::from_bits(score)
            } else {
                score as f64
            };
            (member, score)
        })
    }

    /// Whether shares follow the weights, as they do for every score but emcache's.
    pub(super) fn is_even(&self) -> bool {
        self.score != Score::Emcache
    }

    /// Whether `other` scores in the same way.
    pub(super) fn has_score_of(&self, other: &Self) -> bool {
        self.score == other.score
    }

    /// Each member with the weight that counts.
    pub(super) fn weights(&self) -> impl Iterator<Item = (u32, u32)> {
        self.bidders
            .iter()
            .map(|bidder| (bidder.member, bidder.weight))
    }

    fn bid<'k>(&self, key: &'k [u8]) -> Bid<'k> {
        match self.score {
            Score::Xxh3 => Bid::Hash(xxh3_64(key)),
            Score::Rust => Bid::Hash(sip::of_slice(key)),
            Score::Pymemcache => Bid::Text(low_bytes_of_characters(key)),
            Score::PymemcacheBytes => Bid::Text(Cow::Owned(python_repr(key))),
            Score::Emcache => Bid::Text(Cow::Borrowed(key)),
        }
    }

    fn bid_for_hash(&self, hash: u64) -> Bid<'static> {
        match self.score {
            Score::Xxh3 | Score::Rust => Bid::Hash(hash),
            _ => Bid::Text(Cow::Owned(hash.to_string().into_bytes())),
        }
    }

    fn winner(&self, bid: &Bid<'_>) -> u32 {
        let winner = match bid {
            Bid::Hash(hash) if !self.weighted => {
                first_highest(self.hashes.iter().map(|own| split_mix(hash ^ own)))
            }
            _ => first_highest(self.bidders.iter().map(|bidder| self.score_of(bidder, bid))),
        };
        self.bidders[winner].member
    }

    fn rank(&self, bid: &Bid<'_>) -> Vec<u32> {
        let scored = self.scored(bid).into_iter();
        scored.map(|(_, member)| member).collect()
    }

    /// All members by falling score. Positive floats order like their bits, weighted scores too.
    fn scored(&self, bid: &Bid<'_>) -> Vec<(u64, u32)> {
        let mut scored: Vec<(u64, u32)> = self
            .bidders
            .iter()
            .map(|bidder| (self.score_of(bidder, bid), bidder.member))
            .collect();
        // Stable, so that ties stay in the order of the bidders.
        scored.sort_by_key(|(score, _)| Reverse(*score));
        scored
    }

    fn score_of(&self, bidder: &Bidder, bid: &Bid<'_>) -> u64 {
        match bid {
            Bid::Hash(hash) => {
                let score = split_mix(hash ^ bidder.hash);
                if self.weighted {
                    weigh(score, bidder.weight)
                } else {
                    score
                }
            }
            Bid::Text(key) if self.score == Score::Emcache => {
                let text = [key, bidder.name.as_slice()].concat();
                u64::from(emcache_score(&text))
            }
            Bid::Text(key) => {
                let mut hash = bidder.prefix;
                hash.update(key);
                u64::from(hash.finish())
            }
        }
    }
}

impl Bidder {
    fn new(score: Score, node: &Node) -> Self {
        let name = node.name.clone().into_bytes();
        let mut prefix = Murmur3::new(0);
        prefix.update(&name);
        prefix.update(b"-");
        Self {
            member: node.member,
            weight: match score {
                Score::Xxh3 => node.weight,
                _ => 1,
            },
            hash: match score {
                Score::Xxh3 => xxh3_64(&name),
                Score::Rust => sip::of_slice(&name),
                Score::Emcache => u64::from(emcache_score(&name)),
                Score::Pymemcache | Score::PymemcacheBytes => 0,
            },
            name,
            prefix,
        }
    }
}

/// The index of the highest score, of equal ones the first.
fn first_highest(scores: impl Iterator<Item = u64>) -> usize {
    let mut winner = 0;
    let mut highest = 0;
    for (index, score) in scores.enumerate() {
        if score > highest {
            (winner, highest) = (index, score);
        }
    }
    winner
}

/// The finish of SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) const fn split_mix(mut number: u64) -> u64 {
    number ^= number >> 30;
    number = number.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number ^= number >> 27;
    number = number.wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Turns an even score into one that wins in proportion to `weight`: -weight / ln(score), scaled
/// to (0, 1) (Schindelhauer and Schomaker, 2005). Positive floats order like their bits.
fn weigh(score: u64, weight: u32) -> u64 {
    let unit = ((score >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    (-f64::from(weight) / unit.ln()).to_bits()
}

/// What emcache makes of a MurmurHash3. It means to put four bytes together, but `&` binds weaker
/// than `<<` and `char` is signed: the upper three bytes only leave a mask, each if it is negative.
/// So half of all scores lie in 128 values, ties are common and shares far from even.
fn emcache_score(text: &[u8]) -> u32 {
    let [first, second, third, fourth, ..] = murmur3_x64_first(text).to_le_bytes();
    let signed = |byte: u8| i32::from(byte as i8) as u32;
    (signed(fourth) & 0xff00_0000)
        | (signed(third) & 0xffff_0000)
        | (signed(second) & 0xffff_ff00)
        | signed(first)
}

/// The key as pymemcache's murmur3 reads a `str`: the low byte of each character, not UTF-8.
fn low_bytes_of_characters(key: &[u8]) -> Cow<'_, [u8]> {
    match str::from_utf8(key) {
        Ok(text) if !text.is_ascii() => {
            Cow::Owned(text.chars().map(|character| character as u8).collect())
        }
        _ => Cow::Borrowed(key),
    }
}

/// Python's `repr` of a bytes object, which is what pymemcache hashes if the key is one.
fn python_repr(key: &[u8]) -> Vec<u8> {
    let quote = if key.contains(&b'\'') && !key.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut repr = vec![b'b', quote];
    for byte in key {
        match byte {
            b'\\' => repr.extend_from_slice(b"\\\\"),
            b'\t' => repr.extend_from_slice(b"\\t"),
            b'\n' => repr.extend_from_slice(b"\\n"),
            b'\r' => repr.extend_from_slice(b"\\r"),
            byte if *byte == quote => repr.extend_from_slice(&[b'\\', quote]),
            b' '..=b'~' => repr.push(*byte),
            byte => repr.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    repr.push(quote);
    repr
}
