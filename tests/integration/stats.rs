//! After the same workload, `stats` and its kin show the same names in the same order, and the same values
//! wherever they follow from the requests alone.

use std::path::PathBuf;

use memlens_tests::script::ScriptFile;
use memlens_tests::stats::Stats;
use memlens_tests::{Kind, RawClient, Server, replay};

/// Values of `stats` that follow from the process, the clock, or work in the background.
const VARYING: &[&str] = &[
    "pid",
    "uptime",
    "time",
    "version",
    "libevent",
    "rusage_user",
    "rusage_system",
    // How many connections the harness needed to see that the server is up.
    "total_connections",
    // Buffers and structures that memcached keeps per thread and connection.
    "connection_structures",
    "response_obj_count",
    "response_obj_bytes",
    "read_buf_count",
    "read_buf_bytes",
    "read_buf_bytes_free",
    "reserved_fds",
    // The workload's share is compared after `stats reset`.
    "bytes_read",
    "bytes_written",
    "conn_yields",
    "round_robin_fallback",
    // `incr` stores a new item, which counts, if the maintainer thread holds the old one at the moment.
    "total_items",
    // Background threads.
    "reclaimed",
    "lru_crawler_starts",
    "lru_crawler_running",
    "lru_maintainer_juggles",
    "crawler_reclaimed",
    "crawler_items_checked",
    "moves_to_cold",
    "moves_to_warm",
    "moves_within_lru",
    "lru_bumps_dropped",
    "lrutail_reflocked",
    "slab_global_page_pool",
    "slabs_moved",
    "slab_reassign_running",
];

/// Endings of `stats items` names whose values depend on when the maintainer thread last ran.
const VARYING_ITEMS: &[&str] = &[
    "number_hot",
    "number_warm",
    "number_cold",
    "number_temp",
    "age_hot",
    "age_warm",
    "age",
    "reclaimed",
    "crawler_reclaimed",
    "crawler_items_checked",
    "lrutail_reflocked",
    "moves_to_cold",
    "moves_to_warm",
    "moves_within_lru",
    "hits_to_hot",
    "hits_to_warm",
    "hits_to_cold",
    "hits_to_temp",
];

/// The node neither speaks the binary protocol nor hashes keys with one of memcached's functions, and says
/// so.
const VARYING_SETTINGS: &[&str] = &["tcpport", "inter", "binding_protocol", "hash_algorithm"];

fn read(name: &str) -> ScriptFile {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/workloads");
    ScriptFile::read(&folder.join(format!("{name}.txt")))
}

/// Starts a server as the file asks and runs its scripts.
fn run(kind: Kind, file: &ScriptFile) -> Server {
    let server = kind.start_reference(&file.server_arguments);
    for script in &file.scripts {
        replay::stepwise(server.address(), script, 1_800_000_000);
    }
    server
}

/// Fails with every name or value that differs, unless the name varies.
fn assert_same(what: &str, ours: &Stats, theirs: &Stats, varies: impl Fn(&str) -> bool) {
    assert_eq!(
        ours.names(),
        theirs.names(),
        "names of {what}: memcached's, then the other's"
    );
    let differences: Vec<String> = ours
        .0
        .iter()
        .zip(&theirs.0)
        .filter(|(one, other)| one.1 != other.1 && !varies(&one.0))
        .map(|(one, other)| {
            format!(
                "  {}: memcached {:?}, the other {:?}",
                one.0, one.1, other.1
            )
        })
        .collect();
    assert!(
        differences.is_empty(),
        "values of {what} differ:\n{}",
        differences.join("\n")
    );
}

fn last_part(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn compare_after(workload: &str, other: Kind) {
    let file = read(workload);
    let [ours, theirs] = [Kind::Memcached, other].map(|kind| run(kind, &file));
    let [mut ours, mut theirs] =
        [&ours, &theirs].map(|server| RawClient::connect(server.address()));
    let mut both =
        |argument: &str| [&mut ours, &mut theirs].map(|client| Stats::read(client, argument));

    let [one, other] = both("items");
    assert_same("stats items", &one, &other, |name| {
        VARYING_ITEMS.contains(&last_part(name))
    });
    let [one, other] = both("slabs");
    assert_same("stats slabs", &one, &other, |_| false);
    let [one, other] = both("settings");
    assert_same("stats settings", &one, &other, |name| {
        VARYING_SETTINGS.contains(&name)
    });
    let [one, other] = both("sizes");
    assert_same("stats sizes", &one, &other, |_| false);
    let [one, other] = both("extstore");
    assert_same("stats extstore", &one, &other, |_| false);
    let [one, other] = both("");
    assert_same("stats", &one, &other, |name| {
        VARYING.contains(&name) || name == "curr_connections"
    });
}

macro_rules! workloads {
    ($($name:ident)*) => {
        $(mod $name {
            use memlens_tests::Kind;

            #[test]
            fn memcached_counts_as_itself() {
                super::compare_after(stringify!($name), Kind::Memcached);
            }

            #[test]
            fn the_node_counts_as_memcached() {
                super::compare_after(stringify!($name), Kind::Node);
            }
        })*
    };
}

workloads! {
    empty
    mixed
    no_cas
    other_layout
    tracked_sizes
}

/// The parts of a list by segment add up to the whole.
fn segments_add_up(kind: Kind) {
    let server = run(kind, &read("mixed"));
    let items = Stats::read(&mut RawClient::connect(server.address()), "items");
    let classes: Vec<&str> = items
        .names()
        .into_iter()
        .filter_map(|name| name.strip_suffix(":number"))
        .collect();
    assert!(classes.len() > 5, "{items:?}");
    for class in classes {
        let parts = ["hot", "warm", "cold"]
            .map(|segment| items.number(&format!("{class}:number_{segment}")));
        assert_eq!(
            parts.iter().sum::<u64>(),
            items.number(&format!("{class}:number")),
            "{class}"
        );
    }
}

#[test]
fn segments_of_memcached_add_up() {
    segments_add_up(Kind::Memcached);
}

#[test]
fn segments_of_the_node_add_up() {
    segments_add_up(Kind::Node);
}

/// What background threads do not touch: they remove flushed items whenever they meet them, and then
/// nobody finds out that those were flushed.
const FLUSH_COUNTERS: &[&str] = &[
    "cmd_flush",
    "cmd_get",
    "cmd_set",
    "get_hits",
    "get_misses",
    "total_items",
];

fn flush_counters(kind: Kind) -> Vec<(&'static str, u64)> {
    let server = run(kind, &read("flushed"));
    let stats = Stats::read(&mut RawClient::connect(server.address()), "");
    FLUSH_COUNTERS
        .iter()
        .map(|&name| (name, stats.number(name)))
        .collect()
}

#[test]
fn flushes_are_counted_alike() {
    assert_eq!(flush_counters(Kind::Memcached), flush_counters(Kind::Node));
}

/// A connection that is alone: those of the harness are gone.
fn connect_alone(server: &Server) -> RawClient {
    let mut client = RawClient::connect(server.address());
    Stats::read_settled(&mut client, |stats| {
        stats.get("curr_connections") == Some("1")
    });
    client
}

/// A connection that begins with `stats reset` sees its own bytes counted exactly.
fn bytes_after_reset(kind: Kind) -> [u64; 2] {
    let server = kind.start_reference::<&str>(&[]);
    let mut client = connect_alone(&server);
    client.request(b"stats reset\r\n", b"RESET\r\n");
    client.request(b"set key 0 0 10\r\n0123456789\r\n", b"STORED\r\n");
    client.request(b"get key missing\r\n", b"END\r\n");
    client.request(b"mg key v t f\r\n", b"0123456789\r\n");
    let stats = Stats::read(&mut client, "");
    [stats.number("bytes_read"), stats.number("bytes_written")]
}

#[test]
fn bytes_are_counted_alike() {
    assert_eq!(
        bytes_after_reset(Kind::Memcached),
        bytes_after_reset(Kind::Node)
    );
}

/// `stats conns` without what differs by process: descriptors, their order, and ports.
fn connections(kind: Kind) -> Vec<Vec<String>> {
    let server = kind.start_reference::<&str>(&[]);
    let mut client = connect_alone(&server);
    let local = client.local_address().to_string();
    let listening = server.address().to_string();
    let shown = Stats::read(&mut client, "conns");
    let descriptor = |name: &str| name.split(':').next().map(str::to_owned);
    let mut groups: Vec<Vec<String>> = shown
        .0
        .chunk_by(|one, next| descriptor(&one.0) == descriptor(&next.0))
        .map(|group| {
            let masked = group.iter().map(|(name, value)| {
                let value = value
                    .replace(&local, "<client>")
                    .replace(&listening, "<server>");
                format!("{} {value}", last_part(name))
            });
            masked.collect()
        })
        .collect();
    groups.sort_unstable();
    groups
}

#[test]
fn connections_are_shown_alike() {
    assert_eq!(connections(Kind::Memcached), connections(Kind::Node));
}

/// What `stats reset` sets back and what it keeps.
fn after_reset(kind: Kind) -> Stats {
    let server = run(kind, &read("mixed"));
    let mut client = RawClient::connect(server.address());
    client.request(b"stats reset\r\n", b"RESET\r\n");
    Stats::read(&mut client, "")
}

#[test]
fn reset_sets_the_same_counters_back() {
    let varies = |name: &str| VARYING.contains(&name) || name == "curr_connections";
    assert_same(
        "stats",
        &after_reset(Kind::Memcached),
        &after_reset(Kind::Node),
        varies,
    );
}
