//! Distributions that are built step by step, as applications build them, against what they should be.
//!
//! The profiles are constants, so the compiler runs the same functions for them; here they run in the test.

use std::collections::{BTreeSet, HashSet};

use super::tests::{members, weighted};
use super::*;

fn keys() -> impl Iterator<Item = String> {
    (0..2000).map(|number| format!("user:{number}"))
}

fn owners(members: Vec<Member>, distribution: Distribution) -> Vec<usize> {
    let ring = Ring::new(members, distribution).unwrap();
    keys().map(|key| ring.node_for(key.as_bytes())).collect()
}

#[test]
fn built_from_parts_they_are_the_profiles_that_are_made_of_these() {
    let texts = |count, text, digest| PointSource::Texts {
        count,
        text,
        digest,
    };
    let ketama = Distribution::continuum(KeyHash::Md5, Points::KETAMA)
        .with_name(NodeName::HostPortUnlessDefault);
    let hundred = Points {
        source: texts(
            PointCount::Fixed(100),
            PointText::Dash,
            PointDigest::Hash(KeyHash::OneAtATime),
        ),
        ..Points::KETAMA
    };
    let consistent = Distribution::continuum(KeyHash::OneAtATime, hundred)
        .with_name(NodeName::HostPortUnlessDefault);
    let modulo = Distribution::modulo(KeyHash::Crc32Shifted, Weights::Repeat);
    for (built, profile) in [
        (ketama, Profile::LIBMEMCACHED_KETAMA_WEIGHTED),
        (
            ketama.with_order(Order::HostThenPort),
            Profile::LIBMEMCACHED_SORTED_KETAMA_WEIGHTED,
        ),
        (consistent, Profile::LIBMEMCACHED_KETAMA_AFTER),
        (
            consistent.with_points_if_weighted(Points::KETAMA),
            Profile::LIBMEMCACHED_KETAMA,
        ),
        (
            modulo.with_rehash(Rehash::HashThenTry),
            Profile::PYTHON_MEMCACHED,
        ),
        (
            modulo.with_rehash(Rehash::AddTryThenKey),
            Profile::PERL_CACHE_MEMCACHED,
        ),
        (modulo, Profile::PERL_CACHE_MEMCACHED_FAST),
        (Distribution::jump(KeyHash::Xxh3), Profile::JUMP),
        (
            Distribution::furc().with_hashed_part(HashedPart::Before("|#|")),
            Profile::MCROUTER_CH3,
        ),
        (
            Distribution::rendezvous(Score::Xxh3).with_name(NodeName::Bracketed),
            Profile::RENDEZVOUS,
        ),
    ] {
        assert_eq!(built, Distribution::from(profile), "{profile}");
    }
}

#[test]
fn weights_count_just_where_it_is_said() {
    for profile in Profile::all() {
        let distribution = profile.distribution();
        let (even, heavy) = (weighted(&[1, 1, 1]), weighted(&[1, 7, 1]));
        let is_moved = owners(even, distribution) != owners(heavy, distribution);
        // The weight stands in the names of this ring's points, which are as many as before.
        let is_name_only = *profile == Profile::MD5_THREE_REPLICA_RING;
        assert_eq!(
            is_moved,
            distribution.uses_weights() || is_name_only,
            "{profile}"
        );
    }
}

#[test]
fn other_points_for_weighted_lists_are_taken_only_by_a_continuum() {
    let hash = KeyHash::Md5;
    let modulo = Distribution::modulo(hash, Weights::Ignore);
    assert_eq!(modulo.with_points_if_weighted(Points::KETAMA), modulo);

    let few = Points::KETAMA.with_per_member(4).unwrap();
    let switching = Distribution::continuum(hash, few).with_points_if_weighted(Points::KETAMA);
    let count = |weights: &[u32]| {
        let ring = Ring::new(weighted(weights), switching).unwrap();
        ring.point_counts()
    };
    assert_eq!(count(&[1, 1]), [4, 4]);
    assert_eq!(count(&[1, 3]), [80, 240]);
    // The number of points is changed for both cases, or not at all.
    let finer = switching.with_points_per_member(320).unwrap();
    let ring = Ring::new(weighted(&[1, 3]), finer).unwrap();
    assert_eq!(ring.point_counts(), [160, 480]);
    let chain = Points {
        source: PointSource::CrcChain { per_weight: 150 },
        ..Points::KETAMA
    };
    let mixed = Distribution::continuum(hash, chain).with_points_if_weighted(Points::KETAMA);
    assert!(mixed.with_points_per_member(8).is_some());
    assert_eq!(mixed.with_points_per_member(7), None);
}

#[test]
fn keys_with_the_same_tag_lie_together_and_others_do_not() {
    let distribution = Distribution::jump(KeyHash::Xxh3).with_hash_tag(b'{', b'}');
    let ring = Ring::new(members(50), distribution).unwrap();
    let of = |key: String| ring.node_for(key.as_bytes());
    let tagged: BTreeSet<usize> = keys().map(|key| of(format!("{{cart}}{key}"))).collect();
    assert_eq!(tagged.len(), 1);
    let untagged: BTreeSet<usize> = keys().map(|key| of(format!("{{}}{key}"))).collect();
    assert_eq!(untagged.len(), 50);
    let why = ring.explain(b"a{cart}b");
    assert_eq!(
        (why.hashed, Some(&why.node)),
        (&b"cart"[..], tagged.first())
    );
}

#[test]
fn each_method_has_its_name_and_says_whether_it_hashes_keys_first() {
    for (profile, method, name, hash) in [
        (
            Profile::CRC32_MODULO,
            Method::Modulo,
            "modulo",
            Some(KeyHash::Crc32),
        ),
        (
            Profile::default(),
            Method::Continuum,
            "continuum",
            Some(KeyHash::Md5),
        ),
        (Profile::RENDEZVOUS, Method::Rendezvous, "rendezvous", None),
        (Profile::JUMP, Method::Jump, "jump", Some(KeyHash::Xxh3)),
        (Profile::MCROUTER_CH3, Method::Ch3, "ch3", None),
    ] {
        let distribution = profile.distribution();
        assert_eq!((distribution.method(), method.name()), (method, name));
        assert_eq!(distribution.key_hash(), hash, "{profile}");
        // The explanation is of the same kind.
        let ring = Ring::new(members(3), profile).unwrap();
        let (explained, with) = match ring.explain(b"user:42").step {
            Step::Modulo { with, .. } => (Method::Modulo, Some(with)),
            Step::Continuum { with, .. } => (Method::Continuum, Some(with)),
            Step::Jump { with, .. } => (Method::Jump, Some(with)),
            Step::Ch3 { .. } => (Method::Ch3, None),
            Step::Rendezvous { .. } => (Method::Rendezvous, None),
        };
        assert_eq!((explained, with), (method, hash), "{profile}");
    }
}

#[test]
fn an_explanation_shows_the_arithmetic() {
    let ring = |profile: Profile| Ring::new(members(5), profile).unwrap();
    let modulo = ring(Profile::CRC32_MODULO);
    let hash = u64::from(crc32fast::hash(b"user:42"));
    let bucket = (hash % 5) as usize;
    assert_eq!(
        modulo.explain(b"user:42").step,
        Step::Modulo {
            with: KeyHash::Crc32,
            hash,
            buckets: 5,
            bucket,
        }
    );
    assert_eq!(modulo.explain(b"user:42").node, bucket);

    let Step::Ch3 {
        positions,
        position,
        ..
    } = ring(Profile::MCROUTER_CH3).explain(b"user:42").step
    else {
        panic!("Ch3 is explained as such");
    };
    assert!(position < positions && positions == 5);

    // A weight is a number of buckets to the jumps.
    let heavy = Ring::new(weighted(&[2, 3]), Profile::JUMP).unwrap();
    let why = heavy.explain(b"user:42");
    let Step::Jump {
        buckets, bucket, ..
    } = why.step
    else {
        panic!("a jump is explained as such");
    };
    assert_eq!((buckets, why.node), (5, usize::from(bucket >= 2)));
}

#[test]
fn what_a_ring_refuses_says_what_to_do() {
    let member = || Member::tcp("a", 11211);
    let refused = |members: Vec<Member>| Ring::new(members, Profile::CRC32_MODULO).unwrap_err();
    for (error, text) in [
        (refused(Vec::new()), "a ring needs at least one member"),
        (
            refused(vec![member().with_weight(0)]),
            "a:11211 has weight 0; leave it out of the list instead",
        ),
        (
            refused(vec![member(), member()]),
            "a:11211 is listed twice; use a weight to give it more keys",
        ),
        (
            refused(vec![Member::tcp("a b", 1)]),
            "\"a b:1\" is no name of a server: empty, or with a space or control character",
        ),
        (
            refused(vec![member().with_weight(20_000_000)]),
            "the weights add up to 20000000 points, more than the 16777216 a ring may have; divide \
             them by a common factor",
        ),
        (
            RingError::NoPoints,
            "the distribution gives no member a single point",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_member_tells_what_it_was_made_of() {
    let tcp = Member::tcp("fd00::1", 11212)
        .with_weight(3)
        .with_alias("red");
    assert_eq!(
        (tcp.host(), tcp.port(), tcp.path()),
        (Some("fd00::1"), Some(11212), None)
    );
    assert_eq!((tcp.alias(), tcp.weight()), (Some("red"), 3));
    assert_eq!(
        (tcp.name(), tcp.to_string()),
        ("red".into(), "[fd00::1]:11212".into())
    );
    let unix = Member::unix("/run/mc");
    assert_eq!(
        (unix.host(), unix.port(), unix.path()),
        (None, None, Some("/run/mc"))
    );
    assert_eq!((unix.alias(), unix.name()), (None, "/run/mc".into()));
}

#[test]
fn nodes_are_named_in_hashed_texts_as_each_client_names_them() {
    let names = |name: NodeName| {
        [
            Member::tcp("cache1", 11211),
            Member::tcp("cache1", 11212),
            Member::tcp("127.0.0.1", 11211),
            Member::tcp("fd00::1", 11211),
            Member::unix("/run/mc"),
            Member::tcp("cache1", 11211).with_alias("red"),
        ]
        .map(|member| name.of(&member))
    };
    let table: [(NodeName, [&str; 5]); 9] = [
        (
            NodeName::HostPort,
            [
                "cache1:11211",
                "cache1:11212",
                "127.0.0.1:11211",
                "fd00::1:11211",
                "/run/mc",
            ],
        ),
        (
            NodeName::Bracketed,
            [
                "cache1:11211",
                "cache1:11212",
                "127.0.0.1:11211",
                "[fd00::1]:11211",
                "/run/mc",
            ],
        ),
        (
            NodeName::HostPortUnlessDefault,
            [
                "cache1",
                "cache1:11212",
                "127.0.0.1",
                "fd00::1",
                "/run/mc:0",
            ],
        ),
        (
            NodeName::SlashHostPort,
            [
                "/cache1:11211",
                "/cache1:11212",
                "/127.0.0.1:11211",
                "/fd00::1:11211",
                "//run/mc:0",
            ],
        ),
        (
            NodeName::HostThenPort,
            [
                "cache111211",
                "cache111212",
                "127.0.0.111211",
                "fd00::111211",
                "/run/mc",
            ],
        ),
        (
            NodeName::HostPortNoUser,
            [
                "cache1:11211_None_None",
                "cache1:11212_None_None",
                "127.0.0.1:11211_None_None",
                "fd00::1:11211_None_None",
                "/run/mc",
            ],
        ),
        (
            NodeName::HostNulPort,
            [
                "cache1\x0011211",
                "cache1\x0011212",
                "127.0.0.1\x0011211",
                "fd00::1\x0011211",
                "/run/mc\0",
            ],
        ),
        (
            NodeName::JavaSocketAddress,
            [
                "cache1/<unresolved>:11211",
                "cache1/<unresolved>:11212",
                "127.0.0.1:11211",
                "fd00::1/<unresolved>:11211",
                "/run/mc",
            ],
        ),
        (
            NodeName::JavaHostName,
            ["cache1", "cache1:11212", "localhost", "fd00::1", "/run/mc"],
        ),
    ];
    for (name, expected) in table {
        let [one, two, three, four, five, aliased] = names(name);
        assert_eq!(
            [one, two, three, four, five],
            expected.map(str::to_owned),
            "{name:?}"
        );
        assert_eq!(aliased, "red", "{name:?}");
    }
}

#[test]
fn every_hash_and_every_profile_is_named_for_people() {
    let hashes = Profile::all()
        .iter()
        .filter_map(|it| it.distribution().key_hash());
    let hashes: HashSet<KeyHash> = hashes.chain([KeyHash::Sha1]).collect();
    let names: BTreeSet<&str> = hashes.iter().map(|hash| hash.name()).collect();
    assert_eq!(names.len(), hashes.len(), "{names:?}");
    for profile in Profile::all() {
        let summary = profile.summary();
        assert!(summary.len() > 20 && summary.ends_with('.'), "{summary:?}");
    }
}

#[test]
fn twice_the_points_are_twice_the_points_whatever_they_are_made_of() {
    let counts = |distribution| {
        let ring = Ring::new(weighted(&[1, 1, 1]), distribution).unwrap();
        ring.point_counts()
    };
    for profile in Profile::all() {
        let distribution = profile.distribution();
        let Some(points) = distribution.points() else {
            continue;
        };
        let twice = 2 * points.per_member();
        let finer = distribution.with_points_per_member(twice).unwrap();
        assert_eq!(finer.points().unwrap().per_member(), twice, "{profile}");
        // Some recipes round, text by text.
        let is_twice = |(before, after): (&u64, &u64)| after.abs_diff(2 * before) <= 8;
        let (before, after) = (counts(distribution), counts(finer));
        assert!(
            before.iter().zip(&after).all(is_twice),
            "{profile}: {before:?} {after:?}"
        );
    }
}

#[test]
fn shares_say_how_far_they_can_be_trusted() {
    let ring = |profile: Profile| Ring::new(weighted(&[1, 2, 1]), profile).unwrap();
    for profile in [Profile::CRC32_MODULO, Profile::default()] {
        let ring = ring(profile);
        assert_eq!(ring.shares_accuracy(), Accuracy::Exact, "{profile}");
        assert_eq!(ring.share(1), ring.shares()[1]);
    }
    for profile in [Profile::JUMP, Profile::RENDEZVOUS] {
        assert_eq!(ring(profile).shares_accuracy(), Accuracy::Ideal);
        assert_eq!(ring(profile).share(1), 0.5, "{profile}");
    }
    let sampled = ring(Profile::EMCACHE).shares_accuracy();
    assert!(matches!(sampled, Accuracy::Sampled { keys } if keys > 1_000));
}

#[test]
fn a_rendezvous_finds_keys_by_their_hash_too() {
    for profile in [
        Profile::RENDEZVOUS,
        Profile::RUST_MEMCACHE_EXP_RENDEZVOUS,
        Profile::PYMEMCACHE,
    ] {
        let ring = Ring::new(members(9), profile).unwrap();
        let owners: BTreeSet<usize> = (0..500).map(|hash| ring.node_for_hash(hash)).collect();
        assert!(owners.len() > 6, "{profile}: {owners:?}");
        for hash in [0, 42, u64::MAX] {
            let walk: Vec<usize> = ring.nodes_for_hash(hash, b"key").collect();
            assert_eq!(walk.first(), Some(&ring.node_for_hash(hash)), "{profile}");
            assert_eq!(walk.iter().collect::<BTreeSet<_>>().len(), 9, "{profile}");
        }
    }
    // Where there is no hash of the key alone, its digits are the key.
    let ring = Ring::new(members(9), Profile::PYMEMCACHE).unwrap();
    for hash in 0..100 {
        assert_eq!(
            ring.node_for_hash(hash),
            ring.node_for(hash.to_string().as_bytes())
        );
    }
}

#[test]
fn a_walk_over_many_nodes_repeats_nobody() {
    for profile in [Profile::default(), Profile::JUMP, Profile::RENDEZVOUS] {
        let ring = Ring::new(members(300), profile).unwrap();
        let walk: Vec<usize> = ring.nodes_for(b"user:42").collect();
        let distinct: BTreeSet<usize> = walk.iter().copied().collect();
        assert_eq!((walk.len(), distinct.len()), (300, 300), "{profile}");
    }
}
