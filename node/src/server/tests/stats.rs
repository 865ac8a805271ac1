//! The reports, against what memcached 1.6.18 printed.

use super::{TestClient, TestNode};

/// The names in a report, in order.
fn names(text: &str) -> Vec<&str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("STAT ")?.split(' ').next())
        .collect()
}

fn ask(client: &mut TestClient, report: &str) -> String {
    client.ask(format!("{report}\r\n"))
}

#[test]
fn general_statistics_have_memcacheds_names_in_its_order() {
    let expected = include_str!("../../../tests/data/stats.txt");
    let node = TestNode::new();
    let report = ask(&mut node.client(), "stats");
    assert_eq!(names(&report), expected.lines().collect::<Vec<_>>());
}

#[test]
fn settings_have_memcacheds_names_in_its_order() {
    let expected = include_str!("../../../tests/data/stats_settings.txt");
    let node = TestNode::new();
    let report = ask(&mut node.client(), "stats settings");
    assert_eq!(names(&report), expected.lines().collect::<Vec<_>>());
}

#[test]
fn item_and_slab_statistics_have_memcacheds_names_in_its_order() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 0 1\n> x\n< STORED");
    for (report, expected) in [
        (
            "stats items",
            include_str!("../../../tests/data/stats_items.txt"),
        ),
        (
            "stats slabs",
            include_str!("../../../tests/data/stats_slabs.txt"),
        ),
    ] {
        let report = ask(&mut client, report);
        assert_eq!(names(&report), expected.lines().collect::<Vec<_>>());
    }
}

#[test]
fn an_empty_node_reports_little() {
    TestNode::new().client().script(
        "> stats items
         < END
         > stats slabs
         < STAT active_slabs 0
         < STAT total_malloced 0
         < END
         > stats sizes
         < STAT sizes_status disabled
         < END
         > stats extstore
         < END
         > stats nonsense
         < ERROR
         > stats detail
         < CLIENT_ERROR usage: stats detail on|off|dump
         > stats reset
         < RESET",
    );
}

/// One command, and the counters it moves by one; all others must stand still.
#[test]
fn each_command_moves_its_own_counters() {
    let watched = [
        "cmd_get",
        "cmd_set",
        "cmd_flush",
        "cmd_touch",
        "cmd_meta",
        "get_hits",
        "get_misses",
        "delete_hits",
        "delete_misses",
        "incr_hits",
        "incr_misses",
        "decr_hits",
        "decr_misses",
        "cas_hits",
        "cas_misses",
        "cas_badval",
        "touch_hits",
        "touch_misses",
    ];
    for (command, moved) in [
        ("set a 0 0 1\r\n1\r\n", &["cmd_set"][..]),
        ("add a 0 0 1\r\n1\r\n", &["cmd_set"]),
        ("ms a 1\r\n1\r\n", &["cmd_set"]),
        ("get a\r\n", &["cmd_get", "get_hits"]),
        ("get b\r\n", &["cmd_get", "get_misses"]),
        ("mg a\r\n", &["cmd_get", "get_hits"]),
        ("mg b T5\r\n", &["cmd_get", "get_misses"]),
        ("mg a T0\r\n", &["cmd_touch", "touch_hits"]),
        ("gat 0 a\r\n", &["cmd_touch", "touch_hits"]),
        ("gat 0 b\r\n", &["cmd_touch", "touch_misses"]),
        ("touch a 0\r\n", &["cmd_touch", "touch_hits"]),
        ("touch b 0\r\n", &["cmd_touch", "touch_misses"]),
        ("cas a 0 0 1 1\r\n1\r\n", &["cmd_set", "cas_hits"]),
        ("cas a 0 0 1 9\r\n1\r\n", &["cmd_set", "cas_badval"]),
        ("cas b 0 0 1 9\r\n1\r\n", &["cmd_set", "cas_misses"]),
        ("incr a 1\r\n", &["incr_hits"]),
        ("ma a\r\n", &["incr_hits"]),
        ("incr b 1\r\n", &["incr_misses"]),
        ("decr a 1\r\n", &["decr_hits"]),
        ("ma b MD\r\n", &["decr_misses"]),
        ("delete a\r\n", &["delete_hits"]),
        ("md b\r\n", &["delete_misses"]),
        ("me a\r\n", &["cmd_meta"]),
        ("me b\r\n", &["cmd_meta"]),
        ("mn\r\n", &[]),
        ("flush_all\r\n", &["cmd_flush"]),
    ] {
        let node = TestNode::new();
        let mut client = node.client();
        client.ask("set a 0 0 1 noreply\r\n1\r\nstats reset\r\n");
        client.ask(command);
        for name in watched {
            let expected = u64::from(moved.contains(&name));
            assert_eq!(
                client.number("stats", name),
                expected,
                "{name} after {command:?}"
            );
        }
    }
}

#[test]
fn the_books_balance() {
    let node = TestNode::with(|config| config.memory = 8 << 20);
    let mut client = node.client();
    for key in 0..6000 {
        let length = key * 37 % 5000;
        client.ask(format!(
            "set key{key} 0 0 {length} noreply\r\n{}\r\n",
            "x".repeat(length)
        ));
        client.ask(format!("get key{}\r\n", key / 2));
    }
    node.settle();
    let slabs = ask(&mut client, "stats slabs");
    let items = ask(&mut client, "stats items");
    let sum = |report: &str, field: &str| -> u64 {
        report
            .lines()
            .filter_map(|line| line.strip_prefix("STAT ")?.split_once(' '))
            .filter(|(name, _)| name.rsplit(':').next() == Some(field) && name.contains(':'))
            .map(|(_, value)| value.parse::<u64>().expect("a number"))
            .sum()
    };
    assert_eq!(
        sum(&slabs, "used_chunks") + sum(&slabs, "free_chunks"),
        sum(&slabs, "total_chunks")
    );
    assert_eq!(
        sum(&slabs, "total_pages") << 20,
        client.number("stats slabs", "total_malloced")
    );
    assert_eq!(
        sum(&slabs, "used_chunks"),
        client.number("stats", "curr_items")
    );
    assert_eq!(sum(&items, "number"), client.number("stats", "curr_items"));
    assert_eq!(
        sum(&items, "mem_requested"),
        client.number("stats", "bytes")
    );
    let segments = ["number_hot", "number_warm", "number_cold"];
    assert_eq!(
        segments.iter().map(|field| sum(&items, field)).sum::<u64>(),
        sum(&items, "number")
    );
    let evictions = client.number("stats", "evictions");
    assert!(evictions > 0);
    assert_eq!(sum(&items, "evicted"), evictions);
    let refused = client.number("stats", "store_no_memory");
    assert_eq!(
        client.number("stats", "curr_items") + evictions + refused,
        6000
    );
    assert_eq!(sum(&slabs, "get_hits"), client.number("stats", "get_hits"));
}

#[test]
fn sizes_count_in_steps_of_thirty_two_bytes() {
    let node = TestNode::with(|config| config.track_sizes = true);
    node.client().script(
        "> set a 0 0 1
         > x
         < STORED
         > set b 0 0 100
         > 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
         < STORED
         > stats sizes
         < STAT 64 1
         < STAT 160 1
         < END
         > delete a
         < DELETED
         > stats sizes
         < STAT 160 1
         < END
         > stats sizes_disable
         < STAT sizes_status disabled",
    );
}

#[test]
fn prefixes_are_counted_while_detail_is_on() {
    TestNode::new().client().script(
        "> get user:1
         < END
         > stats detail on
         < OK
         > set session:1 0 0 1
         > x
         < STORED
         > get user:1 session:1 plain
         < VALUE session:1 0 1
         < x
         < END
         > delete session:1
         < DELETED
         > stats detail off
         < OK
         > stats detail dump
         < PREFIX user get 1 hit 0 set 0 del 0
         < PREFIX session get 1 hit 1 set 1 del 1
         < END",
    );
}

#[test]
fn cachedump_lists_the_cold_segment() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 0 1\n> x\n< STORED\n> set b 0 100 1\n> y\n< STORED");
    client.script("> stats cachedump 1 0\n< END");
    node.settle();
    client.script(
        "> stats cachedump 1 0
         < ITEM b [1 b; 1700000100 s]
         < ITEM a [1 b; 0 s]
         < END
         > stats cachedump 1 1
         < ITEM b [1 b; 1700000100 s]
         < END
         > stats cachedump 64 0
         < CLIENT_ERROR Illegal slab id
         > stats cachedump 1
         < CLIENT_ERROR bad command line",
    );
}

#[test]
fn connections_are_listed_by_number() {
    let node = TestNode::new();
    node.client().script(
        "> stats conns
         < STAT 7:addr tcp:127.0.0.1:40000
         < STAT 7:listen_addr tcp:127.0.0.1:11211
         < STAT 7:state conn_parse_cmd
         < STAT 7:secs_since_last_cmd 0
         < END",
    );
}
