//! How evenly words fall on four servers: by first letter, by hash, and by the rings of memlens.
//!
//!     cargo run -p memlens-examples --example sharding
//!
//! Prints, for each way to choose a server, how many words each server gets, and the imbalance: the
//! fullest server's number over the average. At an imbalance of 1.25 the fullest server holds a quarter
//! more than its share, and evicts when the others still have room.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use memlens::ring::{Member, Profile, Ring, RingError};

const SERVERS: usize = 4;

/// What every server gets as its name in the ring and in the chart.
const NAMES: [&str; SERVERS] = ["cache1", "cache2", "cache3", "cache4"];

/// The recipe of a ring of 65,536 slots takes a server's weight for its number of points.
const SLOT_RING_POINTS: u32 = 200;

const BAR_WIDTH: f64 = 48.0;

/// How many words each server gets by some rule.
#[derive(Debug)]
struct Row {
    rule: &'static str,
    counts: [usize; SERVERS],
}

impl Row {
    fn new(rule: &'static str, words: &[String], server_of: impl Fn(&str) -> usize) -> Self {
        let mut counts = [0; SERVERS];
        for word in words {
            counts[server_of(word)] += 1;
        }
        Self { rule, counts }
    }

    /// The fullest server's count over the average.
    fn imbalance(&self) -> f64 {
        let fullest = self.counts.iter().max().copied().unwrap_or_default();
        let sum: usize = self.counts.iter().sum();
        fullest as f64 * SERVERS as f64 / sum as f64
    }

    fn print(&self, scale: f64) {
        println!("{:<48}imbalance {:.2}", self.rule, self.imbalance());
        for (name, count) in NAMES.iter().zip(self.counts) {
            let bar = "█".repeat((count as f64 * scale).round() as usize);
            println!("  {name}  {count:>5}  {bar}");
        }
        println!();
    }
}

fn main() -> Result<(), RingError> {
    let words = words();
    let mut rows = rows(&words)?;
    println!(
        "{} words on {SERVERS} servers: {} each would be even\n",
        words.len(),
        words.len() / SERVERS
    );
    let counts = rows.iter().flat_map(|row| row.counts);
    let scale = BAR_WIDTH / counts.max().unwrap_or(1) as f64;
    for row in &rows {
        row.print(scale);
    }

    println!("From the evenest to the least even:");
    rows.sort_by(|a, b| a.imbalance().total_cmp(&b.imbalance()));
    for row in rows {
        println!("  {:.3}  {}", row.imbalance(), row.rule);
    }
    Ok(())
}

fn rows(words: &[String]) -> Result<Vec<Row>, RingError> {
    let mut rows = vec![Row::new(
        "first letter: a-g, h-m, n-t, u-z",
        words,
        by_first_letter,
    )];
    for (rule, profile) in [
        ("hash: CRC-32 modulo 4", Profile::CRC32_MODULO),
        ("MD5 modulo 4", Profile::LIBMEMCACHED_MODULA_MD5),
        (
            "one-at-a-time modulo 4 (libmemcached)",
            Profile::LIBMEMCACHED,
        ),
        (
            "15 bits of CRC-32 modulo 4 (python-memcached)",
            Profile::PYTHON_MEMCACHED,
        ),
        (
            "String.hashCode modulo 4 (spymemcached)",
            Profile::SPYMEMCACHED_ARRAYMOD,
        ),
        (
            "ketama, 160 points a server (the default)",
            Profile::LIBMEMCACHED_KETAMA_WEIGHTED,
        ),
        (
            "ketama, 100 points a server (libmemcached)",
            Profile::LIBMEMCACHED_KETAMA,
        ),
        (
            "ketama, 120 points a server (hash_ring)",
            Profile::HASH_RING,
        ),
        (
            "points before the key, 160 a server (dalli)",
            Profile::DALLI,
        ),
        (
            "ring of 65,536 slots, 200 points a server",
            Profile::CRC32_SLOT_RING,
        ),
        (
            "ring of three points a server",
            Profile::MD5_THREE_REPLICA_RING,
        ),
        ("rendezvous", Profile::RENDEZVOUS),
        (
            "rendezvous by MurmurHash3 (pymemcache)",
            Profile::PYMEMCACHE,
        ),
        ("jump", Profile::JUMP),
        ("Ch3 (mcrouter)", Profile::MCROUTER_CH3),
    ] {
        let weight = match profile {
            Profile::CRC32_SLOT_RING => SLOT_RING_POINTS,
            _ => 1,
        };
        let ring = Ring::new(
            NAMES.map(|name| Member::tcp(name, 11211).with_weight(weight)),
            profile,
        )?;
        rows.push(Row::new(rule, words, |word| ring.node_for(word.as_bytes())));
    }
    Ok(rows)
}

/// A quarter of the alphabet for each server.
fn by_first_letter(word: &str) -> usize {
    let letter = word.bytes().next().unwrap_or(b'a').to_ascii_lowercase();
    usize::from(letter.clamp(b'a', b'z') - b'a') * SERVERS / 26
}

/// Words in the manner of English compounds: each of the first parts with each of the second.
fn words() -> Vec<String> {
    let second: Vec<&str> = SECOND_PARTS.split_whitespace().collect();
    let first = FIRST_PARTS.split_whitespace();
    first
        .flat_map(|first| second.iter().map(move |second| format!("{first}{second}")))
        .collect()
}

const FIRST_PARTS: &str = "
    air apple arm back barn bed bell bird black blue boat book bread bridge candle chalk church cloud
    coal coast corn cross day dish door down dust earth east egg eye field finger fire fish flag flower
    foot fox frost garden gate glass gold grand grass green half hand harbour head heart high hill home
    honey horse house ice iron island key kitchen lamp land leather life light lime long market marsh
    master meadow milk mill mind moon moss mountain mud needle night north oak oat ocean orchard over
    paper peach pepper pine play plum quick rain red river road rock rope rose sail salt sand school sea
    shadow sheep ship shoe side silver snow south spring star stone storm summer sun table tea thunder
    tide timber tree under upper village vine wagon wall water west wheat wind winter wood wool yard
    year yellow";

const SECOND_PARTS: &str = "
    ball band berry bird board box break burn cloth crest fall field ford front gate house keeper land
    light line maker mark mill path piece pot side stone ware way work worth";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_counted_once() -> Result<(), RingError> {
        let words = words();
        assert!((2000..=5000).contains(&words.len()));
        let rows = rows(&words)?;
        assert_eq!(rows.len(), 16);
        for row in rows {
            assert_eq!(
                row.counts.iter().sum::<usize>(),
                words.len(),
                "{}",
                row.rule
            );
        }
        Ok(())
    }

    #[test]
    fn only_hashes_over_many_points_are_even() -> Result<(), RingError> {
        for row in rows(&words())? {
            let imbalance = row.imbalance();
            let expected = match row.rule.split([' ', ':', ',']).next() {
                Some("first" | "ring") => 1.3..2.5,
                Some("ketama" | "points") => 1.0..1.2,
                _ => 1.0..1.1,
            };
            assert!(expected.contains(&imbalance), "{}: {imbalance}", row.rule);
        }
        Ok(())
    }
}
