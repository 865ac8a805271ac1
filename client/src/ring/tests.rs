//! What every ring promises, checked against simple counts.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

pub(super) fn members(count: usize) -> Vec<Member> {
    (0..count)
        .map(|number| Member::tcp(format!("cache{number}.example.com"), 11211))
        .collect()
}

pub(super) fn weighted(weights: &[u32]) -> Vec<Member> {
    members(weights.len())
        .into_iter()
        .zip(weights)
        .map(|(member, weight)| member.with_weight(*weight))
        .collect()
}

fn ring(members: Vec<Member>, profile: Profile) -> Ring {
    Ring::new(members, profile).unwrap()
}

fn any_profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(Profile::all())
}

fn assert_close(left: f64, right: f64, tolerance: f64) {
    assert!((left - right).abs() <= tolerance, "{left} is not {right}");
}

/// The share of each member among so many pseudo-random keys.
fn counted_shares(ring: &Ring, keys: usize) -> Vec<f64> {
    let mut shares = vec![0.0; ring.members().len()];
    for key in share::sample().take(keys) {
        shares[ring.node_for(key.as_bytes())] += 1.0 / keys as f64;
    }
    shares
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_walk_begins_at_the_owner_and_repeats_nobody(
        profile in any_profile(),
        weights in prop::collection::vec(1_u32..4, 1..12),
        key in "[!-~]{1,40}",
    ) {
        let ring = ring(weighted(&weights), profile);
        let walk: Vec<usize> = ring.nodes_for(key.as_bytes()).collect();
        prop_assert_eq!(walk[0], ring.node_for(key.as_bytes()));
        let distinct: BTreeSet<usize> = walk.iter().copied().collect();
        prop_assert_eq!(distinct.len(), walk.len());
        let owners: BTreeSet<usize> = counted_shares(&ring, 500)
            .iter()
            .zip(0..)
            .filter_map(|(share, node)| (*share > 0.0).then_some(node))
            .collect();
        let gives_up = ring.distribution().rehash.is_some();
        prop_assert!(gives_up || distinct.is_superset(&owners));
    }

    #[test]
    fn a_batch_answers_like_single_lookups(
        profile in any_profile(),
        keys in prop::collection::vec("[!-~]{1,60}", 0..20),
    ) {
        let ring = ring(members(7), profile);
        let mut together = vec![99];
        ring.nodes_for_keys(&keys, &mut together);
        let single: Vec<usize> = keys.iter().map(|key| ring.node_for(key.as_bytes())).collect();
        prop_assert_eq!(together, single);
    }

    #[test]
    fn shares_sum_to_one_and_arcs_have_no_gap(
        profile in any_profile(),
        weights in prop::collection::vec(1_u32..6, 1..12),
    ) {
        let ring = ring(weighted(&weights), profile);
        assert_close(ring.shares().iter().sum(), 1.0, 1e-9);
        let mut end = 0.0;
        let mut widths = vec![0.0; weights.len()];
        for arc in ring.arcs() {
            prop_assert_eq!(arc.start, end);
            prop_assert!(arc.end > arc.start);
            end = arc.end;
            widths[arc.node] += arc.end - arc.start;
        }
        if end > 0.0 {
            prop_assert_eq!(end, 1.0);
            for (width, share) in widths.into_iter().zip(ring.shares()) {
                assert_close(width, share, 1e-9);
            }
        }
    }

    #[test]
    fn what_moves_is_what_shares_gain_and_lose(
        profile in any_profile(),
        before in prop::collection::btree_set(0_usize..12, 1..8),
        after in prop::collection::btree_set(0_usize..12, 1..8),
    ) {
        let all = members(12);
        let pick = |chosen: &BTreeSet<usize>| -> Vec<Member> {
            chosen.iter().map(|index| all[*index].clone()).collect()
        };
        let (old, new) = (ring(pick(&before), profile), ring(pick(&after), profile));
        let moved = old.moved(&new);
        let flows: f64 = moved.flows.iter().map(|flow| flow.fraction).sum();
        assert_close(flows, moved.fraction, 1e-9);
        let tolerance = match moved.accuracy {
            Accuracy::Sampled { .. } => 0.02,
            Accuracy::Exact | Accuracy::Ideal => 1e-9,
        };
        for (index, name) in after.iter().enumerate() {
            let former = before.iter().position(|other| other == name);
            let gained: f64 = moved.flows.iter()
                .filter(|flow| flow.to == index)
                .map(|flow| flow.fraction)
                .sum();
            let lost: f64 = moved.flows.iter()
                .filter(|flow| Some(flow.from) == former)
                .map(|flow| flow.fraction)
                .sum();
            let held = former.map_or(0.0, |former| old.share(former));
            assert_close(held + gained - lost, new.share(index), tolerance);
        }
    }
}

#[test]
fn shares_and_moves_agree_with_looking_keys_up() {
    // The standard error is at most 1.1 percentage points.
    const KEYS: usize = 2_000;
    let mut checked = Vec::new();
    for profile in Profile::all().iter().copied() {
        if checked.contains(&profile.distribution()) {
            continue;
        }
        checked.push(profile.distribution());
        let old = ring(weighted(&[1, 2, 1, 1, 3]), profile);
        for (share, counted) in old.shares().into_iter().zip(counted_shares(&old, KEYS)) {
            assert_close(share, counted, 0.05);
        }
        let new = ring(weighted(&[1, 2, 1, 1, 3, 2, 1]), profile);
        let keys: Vec<String> = share::sample().take(KEYS).collect();
        let changed = keys
            .iter()
            .filter(|key| old.node_for(key.as_bytes()) != new.node_for(key.as_bytes()))
            .count();
        let counted = changed as f64 / keys.len() as f64;
        assert_close(old.moved(&new).fraction, counted, 0.05);
    }
}

#[test]
fn a_new_node_takes_keys_and_nobody_else_does() {
    let consistent = [
        Profile::LIBMEMCACHED_KETAMA_WEIGHTED,
        Profile::DALLI,
        Profile::UHASHRING_DEFAULT,
        Profile::RENDEZVOUS,
        Profile::PYMEMCACHE,
        Profile::JUMP,
        Profile::MCROUTER_CH3,
    ];
    for profile in consistent {
        let moved = ring(members(16), profile).moved(&ring(members(17), profile));
        assert!(moved.flows.iter().all(|flow| flow.to == 16), "{profile}");
        assert_close(moved.fraction, 1.0 / 17.0, 0.02);
    }
}

#[test]
fn modulo_moves_what_arithmetic_says() {
    let moved = |from, to| {
        let profile = Profile::CRC32_MODULO;
        ring(members(from), profile).moved(&ring(members(to), profile))
    };
    assert_eq!(moved(3, 4).accuracy, Accuracy::Exact);
    assert_close(moved(3, 4).fraction, 0.75, 1e-8);
    assert_close(moved(8, 13).fraction, 1.0 - 8.0 / 104.0, 1e-7);
    assert_eq!(moved(5, 5).flows, []);
}

#[test]
fn rendezvous_follows_weights() {
    let weights = [1, 2, 5];
    let ring = ring(weighted(&weights), Profile::RENDEZVOUS);
    for (counted, weight) in counted_shares(&ring, 30_000).into_iter().zip(weights) {
        assert_close(counted, f64::from(weight) / 8.0, 0.01);
    }
}

#[test]
fn fifteen_bits_leave_most_of_a_continuum_unused() {
    let ring = ring(members(8), Profile::TWEMPROXY_KETAMA_CRC32);
    let highest = ring.shares().into_iter().fold(0.0, f64::max);
    assert!(highest > 0.9, "{highest}");
}

#[test]
fn python_memcached_gives_up_after_ten_attempts() {
    let ring = ring(members(40), Profile::PYTHON_MEMCACHED);
    let walk: Vec<usize> = ring.nodes_for(b"user:42").collect();
    assert!((2..=10).contains(&walk.len()), "{walk:?}");
    let from_hash: Vec<usize> = ring.nodes_for_hash(7, b"user:42").collect();
    assert_eq!(from_hash[0], 7);
}

#[test]
fn members_that_no_ring_takes() {
    let error = |members: Vec<Member>| Ring::new(members, Profile::default()).unwrap_err();
    assert_eq!(error(Vec::new()), RingError::Empty);
    let member = || Member::tcp("a", 11211);
    let name = || "a:11211".to_owned();
    assert_eq!(
        error(vec![member(), member().with_weight(2)]),
        RingError::Duplicate { member: name() }
    );
    assert_eq!(
        error(vec![member().with_weight(0)]),
        RingError::ZeroWeight { member: name() }
    );
    for bad in [
        Member::tcp("", 1),
        Member::unix("/a b"),
        member().with_alias("\n"),
    ] {
        assert!(matches!(error(vec![bad]), RingError::IllegalName { .. }));
    }
    let heavy = Ring::new([member().with_weight(u32::MAX)], Profile::CRC32_MODULO);
    assert!(matches!(heavy, Err(RingError::TooLarge { .. })));
    let pointless = Distribution::continuum(
        KeyHash::Md5,
        Points {
            source: PointSource::CrcChain { per_weight: 0 },
            ..Points::KETAMA
        },
    );
    assert_eq!(
        Ring::new([member()], pointless).unwrap_err(),
        RingError::NoPoints
    );
}

#[test]
fn an_alias_keeps_keys_in_place_when_the_address_changes() {
    let old = [
        Member::tcp("10.0.0.1", 11211).with_alias("red"),
        Member::tcp("b", 1),
    ];
    let new = [
        Member::tcp("10.0.0.9", 11311).with_alias("red"),
        Member::tcp("b", 1),
    ];
    let ring = |members: [Member; 2]| Ring::new(members, Profile::default()).unwrap();
    assert_eq!(ring(old).moved(&ring(new)).fraction, 0.0);
}

#[test]
fn every_profile_parses_and_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = Profile::all().iter().map(Profile::name).collect();
    assert_eq!(names.len(), Profile::all().len());
    for profile in Profile::all().iter().copied() {
        assert_eq!(profile.to_string().parse(), Ok(profile));
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(profile.name().chars().all(kebab), "{profile}");
    }
    let error = "libmemcached-ketama-wieghted"
        .parse::<Profile>()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no profile \"libmemcached-ketama-wieghted\"; near it are \
         libmemcached-ketama-weighted, spymemcached-ketama-weighted, libmemcached-ketama-after"
    );
}

#[test]
fn the_table_of_profiles_names_every_one() {
    let table = include_str!("profile/table.md");
    // A row can leave out what the name before it began with.
    let endings: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    for profile in Profile::all() {
        let listed = endings
            .iter()
            .any(|ending| ending.len() > 2 && profile.name().ends_with(ending));
        assert!(listed, "{profile}");
    }
}

#[test]
fn only_part_of_a_key_is_hashed() {
    let tagged = HashedPart::Between {
        open: b'{',
        close: b'}',
    };
    assert_eq!(tagged.of(b"a{b}c"), b"b");
    assert_eq!(tagged.of(b"a{}c"), b"a{}c");
    assert_eq!(tagged.of(b"a{bc"), b"a{bc");
    assert_eq!(tagged.of(b"}{b}"), b"b");
    assert_eq!(HashedPart::Before("|#|").of(b"a|#|b|#|c"), b"a");
    assert_eq!(HashedPart::Before("|#|").of(b"a|b"), b"a|b");
    assert_eq!(HashedPart::Before("").of(b"ab"), b"ab");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_explanation_ends_at_the_owner(
        profile in any_profile(),
        weights in prop::collection::vec(1_u32..4, 1..12),
        key in "[!-~]{1,40}",
    ) {
        let ring = ring(weighted(&weights), profile);
        let why = ring.explain(key.as_bytes());
        prop_assert_eq!(why.node, ring.node_for(key.as_bytes()));
        match why.step {
            Step::Modulo { hash, buckets, bucket, .. } => {
                prop_assert_eq!(bucket as u64, hash % buckets as u64);
            }
            Step::Continuum { hash, turn, arc, rule, point, with } => {
                prop_assert_eq!(arc.node, why.node);
                prop_assert!(arc.start <= turn && turn <= arc.end, "{} in {:?}", turn, arc);
                prop_assert_eq!(hash.checked_shr(with.bits()).unwrap_or(0), 0);
                // A key whose hash is the point itself belongs to it, or right beside it.
                let neighbour = if rule == Rule::After { point.wrapping_sub(1) } else { point };
                if let Ok(neighbour) = u64::try_from(neighbour)
                    && with.bits() <= 64
                {
                    prop_assert_eq!(ring.node_for_hash(neighbour), why.node);
                }
            }
            Step::Jump { buckets, bucket, .. } => prop_assert!(bucket < buckets),
            Step::Ch3 { positions, position, .. } => prop_assert!(position < positions),
            Step::Rendezvous { ranking } => {
                let order: Vec<usize> = ranking.iter().map(|candidate| candidate.node).collect();
                let walk: Vec<usize> = ring.nodes_for(key.as_bytes()).collect();
                prop_assert_eq!(order, walk);
                prop_assert!(ranking.is_sorted_by(|a, b| a.score >= b.score));
            }
        }
    }

    #[test]
    fn changes_of_arcs_add_up_to_what_moves(
        before in prop::collection::vec(1_u32..4, 1..9),
        after in prop::collection::vec(1_u32..4, 1..9),
        profile in any_profile(),
    ) {
        let (old, new) = (ring(weighted(&before), profile), ring(weighted(&after), profile));
        let changes = old.arc_changes(&new);
        prop_assert_eq!(changes.is_empty(), old.arcs().next().is_none());
        if let (Some(first), Some(last)) = (changes.first(), changes.last()) {
            prop_assert_eq!((first.start, last.end), (0.0, 1.0));
            prop_assert!(changes.windows(2).all(|pair| pair[0].end == pair[1].start));
            let moved: f64 = changes
                .iter()
                .filter(|change| change.is_moved)
                .map(|change| change.end - change.start)
                .sum();
            assert_close(moved, old.moved(&new).fraction, 1e-9);
        }
    }
}

#[test]
fn points_are_counted_and_can_be_changed() {
    let ketama = ring(members(3), Profile::default());
    assert_eq!(ketama.point_counts(), [160, 160, 160]);
    let heavy = ring(weighted(&[1, 3]), Profile::default());
    assert_eq!(heavy.point_counts(), [80, 240]);
    assert!(ring(members(3), Profile::JUMP).point_counts().is_empty());
    // Twelve more points evenly spread over the names, whatever order the profile sorts them in.
    let nginx = ring(
        weighted(&[1, 2]),
        Profile::PERL_CACHE_MEMCACHED_FAST_KETAMA_150,
    );
    assert_eq!(nginx.point_counts(), [150, 300]);

    let points = |profile: Profile| {
        profile
            .distribution()
            .points()
            .map(|p| (p.per_member(), p.step()))
    };
    assert_eq!(points(Profile::default()), Some((160, 4)));
    assert_eq!(points(Profile::DALLI), Some((160, 1)));
    assert_eq!(points(Profile::CRC32_MODULO), None);
    let finer = |points| {
        Profile::default()
            .distribution()
            .with_points_per_member(points)
    };
    assert_eq!(finer(0), None);
    assert_eq!(finer(161), None);
    assert_eq!(
        Profile::JUMP.distribution().with_points_per_member(160),
        None
    );
    let finer = Ring::new(members(3), finer(640).unwrap()).unwrap();
    assert_eq!(finer.point_counts(), [640, 640, 640]);
}
