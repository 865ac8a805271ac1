//! Commands for operators.

use super::TestNode;

#[test]
fn slabs_lru_and_memlimit_check_their_arguments() {
    TestNode::new().client().script(
        "> slabs reassign 1 1
         < SAME src and dst class are identical
         > slabs reassign 1 100
         < BADCLASS invalid src or dst class id
         > slabs reassign 1 2
         < NOSPARE source class has no spare pages
         > slabs reassign x 2
         < CLIENT_ERROR bad command line format
         > slabs automove 3
         < ERROR
         > slabs automove 0
         < OK
         > slabs foo
         < ERROR
         > lru tune 50 50 0.1 1
         < ERROR hot and warm pcts must not exceed 80
         > lru tune 10 20 0 1
         < ERROR hot/warm age factors must be greater than 0
         > lru tune 10 20 0.1 1.5
         < OK
         > lru mode flat
         < OK
         > lru temp_ttl 30
         < OK
         > lru mode foo
         < ERROR
         > cache_memlimit 4
         < MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m
         > cache_memlimit 1000000001
         < MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes
         > cache_memlimit 32
         < OK",
    );
}

#[test]
fn settings_follow_the_commands() {
    let node = TestNode::new();
    let mut client = node.client();
    client
        .script("> lru tune 10 20 0.1 1.5\n< OK\n> lru mode flat\n< OK\n> cache_memlimit 32\n< OK");
    client.script(
        "> slabs automove ratio 0.5\n< OK\n> verbosity 9\n< OK\n> lru_crawler sleep 5\n< OK",
    );
    for (name, value) in [
        ("hot_lru_pct", "10"),
        ("warm_lru_pct", "20"),
        ("hot_max_factor", "0.10"),
        ("warm_max_factor", "1.50"),
        ("lru_segmented", "no"),
        ("maxbytes", "33554432"),
        ("slab_automove_ratio", "0.50"),
        ("verbosity", "2"),
        ("lru_crawler_sleep", "5"),
    ] {
        assert_eq!(client.stat("stats settings", name), value, "{name}");
    }
}

#[test]
fn what_is_disabled_says_so() {
    let node = TestNode::with(|config| {
        config.allow_flush = false;
        config.allow_dump = false;
        config.allow_watch = false;
    });
    node.client().script(
        "> flush_all
         < CLIENT_ERROR flush_all not allowed
         > stats cachedump 1 0
         < CLIENT_ERROR stats cachedump not allowed
         > lru_crawler metadump all
         < ERROR metadump not allowed
         > watch
         < CLIENT_ERROR watch commands not allowed
         > shutdown
         < ERROR: shutdown not enabled",
    );
}

#[test]
fn shutdown_where_enabled() {
    let node = TestNode::with(|config| config.allow_shutdown = true);
    assert_eq!(
        node.client().ask("shutdown foo\r\n"),
        "CLIENT_ERROR invalid shutdown mode\r\n"
    );
    assert_eq!(node.client().ask("shutdown graceful\r\n"), "!");
}

#[test]
fn watching_and_dumping_want_a_connection_to_themselves() {
    let node = TestNode::new();
    assert_eq!(node.client().ask("watch\r\n"), "!");
    assert_eq!(
        node.client().ask("version\r\nwatch\r\n"),
        "VERSION 1.6.18\r\nERROR cannot pipeline other commands before watch\r\n"
    );
    assert_eq!(
        node.client().ask("version\r\nlru_crawler metadump all\r\n"),
        "VERSION 1.6.18\r\nERROR cannot pipeline other commands before metadump\r\n"
    );
    assert_eq!(node.client().ask("watch nonsense\r\n"), "ERROR\r\n");
}

#[test]
fn the_crawler_can_be_switched_off() {
    let node = TestNode::new();
    node.client().script(
        "> lru_crawler disable
         < OK
         > lru_crawler crawl 1
         < CLIENT_ERROR lru crawler disabled
         > lru_crawler metadump all
         < CLIENT_ERROR lru crawler disabled
         > lru_crawler enable
         < OK
         > lru_crawler enable
         < ERROR failed to start lru crawler thread
         > lru_crawler crawl 99
         < BADCLASS invalid class id
         > lru_crawler crawl 1
         < OK
         > lru_crawler crawl 1
         < BUSY currently processing crawler request",
    );
    node.settle();
    node.client().script("> lru_crawler crawl 1\n< OK");
}
