//! Random command scripts: mostly legal requests over few keys, so that they meet each other's traces,
//! some of them damaged.
//!
//! Nothing here depends on the second in which a script runs: exptimes are so far off that neither a
//! script's duration nor one lost digit brings them near. Lengths are never longer than the data block,
//! which would leave a server waiting.

use std::fmt::Write as _;

use fastrand::Rng;

use crate::script::{Manner, Script};

const KEYS: &[&str] = &["a", "b", "n", "n", "key", "k\\xc3\\xa4", "{k*250}"];
/// The same keys for the flag `b`, and one that only exists in binary.
const BASE64_KEYS: &[&str] = &["YQ==", "bg==", "a2V5", "AAEgDQr/"];
const WRONG_KEYS: &[&str] = &["{k*251}", "{k*400}"];
const WRONG_BASE64_KEYS: &[&str] = &["a", "!!!!", "a2V5=", "{QUFB*100}"];
const EXPTIMES: &[&str] = &[
    "0",
    "0",
    "0",
    "100000",
    "2592000",
    "2592001",
    "-1",
    "{now+100000}",
    "{now-100}",
];
const FLAGS: &[&str] = &[
    "0",
    "0",
    "1",
    "65535",
    "4294967295",
    "4294967296",
    "-1",
    "x",
];
/// They keep counters below 2^63: to tell a larger number from a negative one, memcached looks for a `-`
/// behind it, in whatever the memory held before.
const DELTAS: &[&str] = &[
    "1",
    "2",
    "10",
    "999",
    "0",
    "100000000000000000",
    "18446744073709551616",
    "x",
    "-1",
];
const CAS_IDS: &[&str] = &[
    "{cas}", "{cas}", "{cas}", "{cas#1}", "{cas+1}", "{cas-1}", "0", "1", "x",
];
const NUMBERS: &[&str] = &[
    "0",
    "5",
    "10",
    "100",
    "99",
    "1000000000000000000",
    "99999",
    "007",
];
const HARMLESS: &[&str] = &[
    "mn",
    "version",
    "verbosity 0",
    "flush_all",
    "flush_all noreply",
    "flush_all 0",
];

/// A script of some five to thirty requests.
pub fn script(title: &str, random: &mut Rng) -> Script {
    let mut text = String::new();
    let mut manner = Manner::Any;
    // Those without may arrive in any number of packets; see `Script::counts_after_reading`.
    let with_counters = random.bool();
    for _ in 0..random.usize(5..=30) {
        let request = request(with_counters, random);
        if drops_earlier_replies(&request) {
            manner = Manner::Stepwise;
            // A step of its own, for the same reason.
            write!(text, "\n{request}\n").expect("write to a string");
        } else {
            text += &request;
        }
        if random.u8(..10) < 7 {
            text.push('\n');
        }
    }
    let mut script = Script::parse(title, &text)
        .unwrap_or_else(|error| panic!("the generator wrote a wrong script: {error}\n{text}"));
    script.manner = manner;
    script
}

/// memcached answers a read of a key that is too long with an error, and forgets the replies not yet sent
/// to what came before in the same packet.
fn drops_earlier_replies(request: &str) -> bool {
    let too_long = |word: &str| word.starts_with("{k*") && word != "{k*250}";
    request.trim_start().starts_with('g') && request.split_whitespace().any(too_long)
}

/// One request as script lines, each with its line end.
fn request(with_counters: bool, random: &mut Rng) -> String {
    match random.u8(..100) {
        0..20 => storage(with_counters, random),
        20..32 => retrieval(random),
        32..40 | 86..93 if !with_counters => metaset(with_counters, random),
        32..40 => counter(random),
        40..48 => line(random, |random| {
            let exptime = pick(random, EXPTIMES);
            let key = key(random);
            let word = match random.u8(..3) {
                0 => format!("touch {key} {exptime}"),
                _ => format!("delete {key}"),
            };
            word + noreply(random)
        }),
        48..66 => line(random, metaget),
        66..80 => metaset(with_counters, random),
        80..86 => line(random, |random| {
            meta_line("md", &["q", "I", "C", "T", "k", "O", "b"], random)
        }),
        86..93 => line(random, |random| {
            meta_line(
                "ma",
                &[
                    "q", "N", "J", "D", "M", "v", "t", "c", "C", "T", "k", "O", "b",
                ],
                random,
            )
        }),
        93..96 => line(random, |random| format!("me {}", key(random))),
        _ => pick(random, HARMLESS).to_owned() + "\n",
    }
}

fn pick<'a>(random: &mut Rng, choices: &[&'a str]) -> &'a str {
    choices[random.usize(..choices.len())]
}

fn key(random: &mut Rng) -> &'static str {
    if random.u8(..50) == 0 {
        pick(random, WRONG_KEYS)
    } else {
        pick(random, KEYS)
    }
}

fn noreply(random: &mut Rng) -> &'static str {
    if random.u8(..6) == 0 { " noreply" } else { "" }
}

/// A request without data block, now and then damaged.
fn line(random: &mut Rng, write: impl Fn(&mut Rng) -> String) -> String {
    let text = write(random);
    let damaged = if random.u8(..8) == 0 {
        damage(&text, random)
    } else {
        text
    };
    damaged + "\n"
}

fn retrieval(random: &mut Rng) -> String {
    line(random, |random| {
        let mut text = pick(random, &["get", "gets", "get", "gets", "gat", "gats"]).to_owned();
        if text.starts_with("ga") {
            text = format!("{text} {}", pick(random, EXPTIMES));
        }
        for _ in 0..random.usize(1..=5) {
            text = format!("{text} {}", key(random));
        }
        text
    })
}

fn counter(random: &mut Rng) -> String {
    line(random, |random| {
        let name = pick(random, &["incr", "decr"]);
        let key = if random.bool() { "n" } else { key(random) };
        format!("{name} {key} {}{}", pick(random, DELTAS), noreply(random))
    })
}

fn storage(only_small: bool, random: &mut Rng) -> String {
    let name = pick(
        random,
        &[
            "set", "set", "set", "add", "replace", "append", "prepend", "cas",
        ],
    );
    let exptime = pick(random, EXPTIMES);
    let (key, flags, cas, block) = match random.u8(..20) {
        0 if !only_small => (pick(random, KEYS), "0", "1", large_block(random)),
        _ => (
            key(random),
            pick(random, FLAGS),
            pick(random, CAS_IDS),
            small_block(random),
        ),
    };
    let cas = if name == "cas" {
        format!(" {cas}")
    } else {
        String::new()
    };
    let noreply = noreply(random);
    format!(
        "{name} {key} {flags} {exptime} {}{cas}{noreply}\n{}\n",
        block.announced, block.text
    )
}

fn metaset(only_small: bool, random: &mut Rng) -> String {
    if !only_small && random.u8(..20) == 0 {
        let block = large_block(random);
        return format!(
            "ms {} {}\n{}\n",
            pick(random, KEYS),
            block.announced,
            block.text
        );
    }
    let block = small_block(random);
    let line = meta_line(
        "ms",
        &["q", "F", "T", "M", "C", "I", "c", "k", "O", "b"],
        random,
    );
    // The length stands behind the key.
    let key_end = line
        .match_indices(' ')
        .nth(1)
        .map_or(line.len(), |(at, _)| at);
    let (key, flags) = line.split_at(key_end);
    format!("{key} {}{flags}\n{}\n", block.announced, block.text)
}

/// A data block and the length to announce for it.
struct Block {
    text: String,
    announced: String,
}

/// A block that may be announced wrongly, or by a line that is rejected: read as commands, it is short
/// enough to be an unknown one.
fn small_block(random: &mut Rng) -> Block {
    let (text, length) = match random.u8(..10) {
        0..5 => {
            let number = pick(random, NUMBERS);
            (number.to_owned(), number.len())
        }
        5 => ("{}".to_owned(), 0),
        6 => ("get a\\r\\nEND".to_owned(), 10),
        _ => sized("v", random.usize(1..1000), random),
    };
    let announced = match random.u8(..60) {
        0 if length > 0 => (length - 1).to_string(),
        1 => "x".to_owned(),
        2 => "-1".to_owned(),
        _ => length.to_string(),
    };
    Block { text, announced }
}

/// A block announced rightly. After a line that is rejected, memcached would close or not, depending on
/// how much of it has arrived.
fn large_block(random: &mut Rng) -> Block {
    let length = match random.u8(..8) {
        0 => 1_100_000,
        1 | 2 => random.usize(10_000..600_000),
        _ => random.usize(1000..10_000),
    };
    let (text, length) = sized("w", length, random);
    Block {
        text,
        announced: length.to_string(),
    }
}

/// Text for a block of this length, and the length.
fn sized(letter: &str, length: usize, random: &mut Rng) -> (String, usize) {
    if random.u8(..3) == 0 {
        (format!("{{random {length}}}"), length)
    } else {
        (format!("{{{letter}*{length}}}"), length)
    }
}

fn metaget(random: &mut Rng) -> String {
    let flags = [
        "v", "v", "v", "c", "f", "h", "k", "l", "s", "t", "O", "q", "u", "N", "R", "T", "b",
    ];
    meta_line("mg", &flags, random)
}

/// A meta request with some of these flags and, rarely, a foreign one.
fn meta_line(name: &str, flags: &[&str], random: &mut Rng) -> String {
    let mut chosen: Vec<String> = Vec::new();
    for _ in 0..random.usize(..=5) {
        let flag = if random.u8(..40) == 0 {
            pick(random, &["z", "S5", "v", "I", "!"])
        } else {
            pick(random, flags)
        };
        let repeated = chosen
            .iter()
            .any(|chosen| chosen.as_bytes()[0] == flag.as_bytes()[0]);
        if !repeated || random.u8(..20) == 0 {
            chosen.push(with_token(flag, random));
        }
    }
    let binary = chosen.iter().any(|flag| flag == "b");
    let key = match (binary, random.u8(..50)) {
        (true, 0) => pick(random, WRONG_BASE64_KEYS),
        (true, _) => pick(random, BASE64_KEYS),
        (false, _) => key(random),
    };
    chosen.iter().fold(format!("{name} {key}"), |line, flag| {
        format!("{line} {flag}")
    })
}

fn with_token(flag: &str, random: &mut Rng) -> String {
    let token = match flag {
        "O" => pick(random, &["1", "opaque", "{o*32}", "{o*33}"]),
        "N" | "T" => pick(random, EXPTIMES),
        "R" => pick(random, &["0", "30000", "2147483647", "x"]),
        "C" => pick(random, CAS_IDS),
        "F" => pick(random, FLAGS),
        "J" | "D" => pick(random, DELTAS),
        "M" => pick(
            random,
            &["S", "E", "A", "P", "R", "I", "D", "+", "-", "X", ""],
        ),
        _ => "",
    };
    format!("{flag}{token}")
}

/// Changes a line in one place, but never so that a number becomes a small one.
fn damage(line: &str, random: &mut Rng) -> String {
    const STRANGE: &[&str] = &["\\x00", "\\r", "\\x09", "\\x7f", "\\xff", "0", "noreply"];
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let index = random.usize(..words.len());
    match random.u8(..9) {
        0 => drop(words.remove(index)),
        1 => words.insert(index, words[index].clone()),
        2 => words.push("extra".into()),
        3 => words.swap(0, index),
        4 => words.push("noreply".into()),
        5 => words.insert(index, String::new()),
        6 => words[index] = pick(random, STRANGE).into(),
        7 if !words[index].contains(['{', '\\']) => words[index] = words[index].to_uppercase(),
        _ => words[index].push('x'),
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_parse_repeat_and_cover_every_command() {
        let mut text = String::new();
        for number in 0..500 {
            let script = script("random", &mut Rng::with_seed(number));
            assert_eq!(script, self::script("random", &mut Rng::with_seed(number)));
            text += &script.to_string();
        }
        for name in [
            "set",
            "add",
            "replace",
            "append",
            "prepend",
            "cas",
            "get",
            "gets",
            "gat",
            "gats",
            "incr",
            "decr",
            "touch",
            "delete",
            "mg",
            "ms",
            "md",
            "ma",
            "me",
            "mn",
            "flush_all",
            "version",
        ] {
            assert!(text.contains(&format!("\n{name}")), "{name}");
        }
    }
}
