//! What a lookup and a ring cost: `cargo bench --bench ring`.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use memlens::ring::{Member, Profile, Ring};

/// Enough keys that the branch predictor cannot learn them, few enough for the first-level cache.
const KEYS: usize = 1024;

/// Keys of 16 bytes.
fn keys() -> Vec<[u8; 16]> {
    (0..KEYS)
        .map(|number| {
            format!("user:{:011}", number * 7919)
                .into_bytes()
                .try_into()
                .unwrap()
        })
        .collect()
}

fn ring(profile: Profile, nodes: u32) -> Ring {
    Ring::new(members(nodes), profile).unwrap()
}

fn members(nodes: u32) -> Vec<Member> {
    (0..nodes)
        .map(|node| Member::tcp(format!("10.0.{}.{}", node / 256, node % 256), 11211))
        .collect()
}

fn lookup(criterion: &mut Criterion) {
    let keys = keys();
    let mut group = criterion.benchmark_group("lookup");
    let profiles = [
        ("ketama", Profile::LIBMEMCACHED_KETAMA_WEIGHTED),
        ("modulo", Profile::CRC32_MODULO),
        ("one-at-a-time", Profile::LIBMEMCACHED),
        ("crc32-ketama", Profile::TWEMPROXY_KETAMA_CRC32A),
        ("rendezvous", Profile::RENDEZVOUS),
        ("pymemcache", Profile::PYMEMCACHE),
        ("jump", Profile::JUMP),
    ];
    for (name, profile) in profiles {
        for nodes in [3, 16, 256, 1024] {
            let ring = ring(profile, nodes);
            let mut next = 0;
            group.bench_function(BenchmarkId::new(name, nodes), |bencher| {
                bencher.iter(|| {
                    next = (next + 1) % KEYS;
                    ring.node_for(black_box(&keys[next]))
                });
            });
        }
    }
    let mut next = 0;
    group.bench_function("nothing but the loop", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % KEYS;
            black_box(&keys[next])[0]
        });
    });
    group.finish();
}

fn multi_get(criterion: &mut Criterion) {
    let keys = keys();
    let mut group = criterion.benchmark_group("multi-get of 100 keys");
    group.throughput(Throughput::Elements(100));
    for nodes in [16, 256] {
        let ring = ring(Profile::default(), nodes);
        let mut out = Vec::new();
        group.bench_function(BenchmarkId::new("together", nodes), |bencher| {
            bencher.iter(|| ring.nodes_for_keys(black_box(&keys[..100]), &mut out));
        });
        group.bench_function(BenchmarkId::new("one by one", nodes), |bencher| {
            bencher.iter(|| {
                out.clear();
                let keys = black_box(&keys[..100]);
                out.extend(keys.iter().map(|key| ring.node_for(key)));
            });
        });
    }
    group.finish();
}

fn build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("build");
    for nodes in [16, 1000] {
        let members = members(nodes);
        group.bench_function(BenchmarkId::new("ketama", nodes), |bencher| {
            bencher.iter(|| Ring::new(members.clone(), Profile::default()));
        });
    }
    group.finish();
}

criterion_group!(benches, lookup, multi_get, build);
criterion_main!(benches);
