//! Why a key lies where it does, in words.

use memlens::ring::{Explanation, KeyHash, Ring, Rule, Step};

/// The longest key that memcached takes.
const LONGEST_KEY: usize = 250;

/// How many candidates of a rendezvous are told.
const CANDIDATES: usize = 4;

/// The way of one key to its node.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The key as it was typed.
    pub key: String,
    /// The steps, in order; the last one names the node.
    pub steps: Vec<ProbeStep>,
    /// The node's index in the ring.
    pub node: usize,
    /// The node's name.
    pub name: String,
    /// Where the key lies on the circle, as a fraction of a full turn, if there is a circle.
    pub turn: Option<f64>,
    /// Its hash in hexadecimal digits, if the key has one of its own.
    pub hash: Option<String>,
    /// Who would be asked if the node is down, by their indexes, in order. At most three.
    pub next: Vec<usize>,
}

/// One step of a [`Probe`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeStep {
    /// What the step is: `hash`, `point`, `node`.
    pub title: &'static str,
    /// What comes of it.
    pub value: String,
    /// How, in a sentence.
    pub detail: String,
}

impl Probe {
    /// Follows a key.
    ///
    /// # Errors
    ///
    /// When memcached would not take the key; says why.
    pub fn new(ring: &Ring, key: &str) -> Result<Self, String> {
        check(key)?;
        let why = ring.explain(key.as_bytes());
        let name = ring.members()[why.node].name();
        let mut steps = vec![hashed_part(key, &why)];
        let (turn, hash) = match &why.step {
            Step::Continuum {
                with, hash, turn, ..
            } => (Some(*turn), Some(hex(*hash, *with))),
            Step::Modulo { with, hash, .. } | Step::Jump { with, hash, .. } => {
                (None, Some(hex(u128::from(*hash), *with)))
            }
            Step::Ch3 { hash, .. } => (None, Some(format!("{hash:016x}"))),
            _ => (None, None),
        };
        steps.extend(step_by_step(ring, &why.step));
        steps.push(ProbeStep {
            title: "node",
            value: name.clone(),
            detail: "holds the key".to_owned(),
        });
        let walk = ring.nodes_for(key.as_bytes());
        Ok(Self {
            key: key.to_owned(),
            steps,
            node: why.node,
            name,
            turn,
            hash,
            next: walk.skip(1).take(3).collect(),
        })
    }
}

/// Whether memcached would take the key; the error says why not.
pub(super) fn check(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("a key has at least one byte".to_owned());
    }
    if key.len() > LONGEST_KEY {
        let length = key.len();
        return Err(format!(
            "a key has at most {LONGEST_KEY} bytes, this one has {length}"
        ));
    }
    if key.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err("a key has no spaces and no control characters".to_owned());
    }
    Ok(())
}

fn hashed_part(key: &str, why: &Explanation<'_>) -> ProbeStep {
    let hashed = String::from_utf8_lossy(why.hashed).into_owned();
    let detail = if why.hashed.len() == key.len() {
        format!("all {} bytes are hashed", key.len())
    } else {
        format!(
            "only {} of {} bytes are hashed",
            why.hashed.len(),
            key.len()
        )
    };
    ProbeStep {
        title: "key",
        value: hashed,
        detail,
    }
}

fn step_by_step(ring: &Ring, step: &Step) -> Vec<ProbeStep> {
    match step {
        Step::Continuum {
            with,
            hash,
            turn,
            point,
            rule,
            ..
        } => vec![
            hash_step(*with, *hash, &format!("{:.3}° of the circle", turn * 360.0)),
            ProbeStep {
                title: "point",
                value: hex(*point, *with),
                detail: rule_in_words(*rule, *point, *hash),
            },
        ],
        Step::Modulo {
            with,
            hash,
            buckets,
            bucket,
        } => vec![
            hash_step(*with, u128::from(*hash), &format!("{hash} as a number")),
            ProbeStep {
                title: "bucket",
                value: bucket.to_string(),
                detail: format!("{hash} mod {buckets} = {bucket}"),
            },
        ],
        Step::Jump {
            with,
            hash,
            buckets,
            bucket,
        } => vec![
            hash_step(*with, u128::from(*hash), "seeds the jumps"),
            ProbeStep {
                title: "bucket",
                value: bucket.to_string(),
                detail: format!("the last of {buckets} buckets that the jumps reach"),
            },
        ],
        Step::Ch3 {
            hash,
            positions,
            position,
        } => vec![
            ProbeStep {
                title: "hash",
                value: format!("{hash:016x}"),
                detail: "murmur, read bit by bit".to_owned(),
            },
            ProbeStep {
                title: "position",
                value: position.to_string(),
                detail: format!("the leaf that the bits lead to, of {positions}"),
            },
        ],
        Step::Rendezvous { ranking } => ranking
            .iter()
            .take(CANDIDATES)
            .enumerate()
            .map(|(place, candidate)| ProbeStep {
                title: if place == 0 { "winner" } else { "then" },
                value: ring.members()[candidate.node].name(),
                detail: format!("score {:.6e}", candidate.score),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn hash_step(with: KeyHash, hash: u128, detail: &str) -> ProbeStep {
    ProbeStep {
        title: "hash",
        value: hex(hash, with),
        detail: format!("{} of the key: {detail}", with.name()),
    }
}

fn rule_in_words(rule: Rule, point: u128, hash: u128) -> String {
    let over_the_end = match rule {
        Rule::AtOrAfter | Rule::After => point < hash,
        Rule::AtOrBefore => point > hash,
    };
    let which = match rule {
        Rule::AtOrAfter => "the first point at or after the hash",
        Rule::After => "the first point after the hash",
        Rule::AtOrBefore => "the last point at or before the hash",
    };
    if over_the_end {
        format!("{which}, over the end of the circle")
    } else {
        which.to_owned()
    }
}

/// A hash in as many digits as it has.
pub(super) fn hex(hash: u128, with: KeyHash) -> String {
    let digits = with.bits().div_ceil(4) as usize;
    format!("{hash:0digits$x}")
}

#[cfg(test)]
mod tests {
    use memlens::ring::{Distribution, Member, Profile, Ring};

    use super::Probe;

    fn ring(distribution: impl Into<Distribution>) -> Ring {
        let members = [1, 2, 3].map(|number| Member::tcp(format!("10.0.0.{number}"), 11211));
        Ring::new(members, distribution).unwrap()
    }

    fn titles(probe: &Probe) -> Vec<&str> {
        probe.steps.iter().map(|step| step.title).collect()
    }

    #[test]
    fn a_key_is_followed_to_its_node_on_every_kind_of_ring() {
        for (profile, expected) in [
            (Profile::default(), vec!["key", "hash", "point", "node"]),
            (Profile::CRC32_MODULO, vec!["key", "hash", "bucket", "node"]),
            (Profile::JUMP, vec!["key", "hash", "bucket", "node"]),
            (
                Profile::MCROUTER_CH3,
                vec!["key", "hash", "position", "node"],
            ),
            (
                Profile::RENDEZVOUS,
                vec!["key", "winner", "then", "then", "node"],
            ),
        ] {
            let ring = ring(profile);
            let probe = Probe::new(&ring, "user:42").unwrap();
            assert_eq!(titles(&probe), expected, "{profile}");
            assert_eq!(probe.node, ring.node_for(b"user:42"), "{profile}");
            assert_eq!(probe.steps.last().unwrap().value, probe.name);
            assert!(!probe.next.contains(&probe.node));
        }
        let probe = Probe::new(&ring(Profile::default()), "user:42").unwrap();
        assert_eq!(probe.hash.as_deref(), Some("18dfda56"));
        assert!((probe.turn.unwrap() - 0.097_165).abs() < 1e-5);
    }

    #[test]
    fn only_the_tag_is_hashed_where_there_is_one() {
        let tagged = Profile::default().distribution().with_hash_tag(b'{', b'}');
        let probe = Probe::new(&ring(tagged), "a:{42}:b").unwrap();
        assert_eq!(probe.steps[0].value, "42");
        assert_eq!(probe.steps[0].detail, "only 2 of 8 bytes are hashed");
    }

    #[test]
    fn keys_that_memcached_would_refuse_are_refused_with_the_reason() {
        let error = |key: &str| Probe::new(&ring(Profile::default()), key).unwrap_err();
        assert!(error("").contains("at least one"));
        assert!(error("a b").contains("no spaces"));
        assert!(error(&"x".repeat(251)).contains("251"));
    }
}
