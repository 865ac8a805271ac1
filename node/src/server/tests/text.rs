//! The classic commands.

use super::TestNode;

#[test]
fn values_are_stored_and_read() {
    TestNode::new().client().script(
        "> set a 5 0 3
         > abc
         < STORED
         > get a b a
         < VALUE a 5 3
         < abc
         < VALUE a 5 3
         < abc
         < END
         > gets a
         < VALUE a 5 3 1
         < abc
         < END
         > get
         < ERROR
         > gat 10
         < END
         > gat x a
         < CLIENT_ERROR invalid exptime argument
         > gats 0 a
         < VALUE a 5 3 1
         < abc
         < END",
    );
}

#[test]
fn each_storage_command_has_its_condition() {
    TestNode::new().client().script(
        "> replace a 0 0 1
         > x
         < NOT_STORED
         > append a 0 0 1
         > x
         < NOT_STORED
         > add a 1 0 1
         > x
         < STORED
         > add a 0 0 1
         > y
         < NOT_STORED
         > append a 9 9 2
         > yz
         < STORED
         > prepend a 9 9 1
         > w
         < STORED
         > gets a
         < VALUE a 1 4 3
         < wxyz
         < END
         > cas a 0 0 1 2
         > q
         < EXISTS
         > cas a 0 0 1 3
         > q
         < STORED
         > cas nothing 0 0 1 3
         > q
         < NOT_FOUND",
    );
}

#[test]
fn a_refused_storage_line_leaves_its_data_to_be_read_as_commands() {
    TestNode::new().client().script(
        "> set a x 0 7
         > version
         < CLIENT_ERROR bad command line format
         < VERSION 1.6.18
         > set a 0 0 -1
         < CLIENT_ERROR bad command line format
         > set a 0 0
         < ERROR
         > cas a 0 0 1 x noreply
         > version
         < VERSION 1.6.18",
    );
}

#[test]
fn a_data_block_of_the_wrong_length_is_refused() {
    TestNode::new().client().script(
        "> set a 0 0 3
         > abcdef
         < CLIENT_ERROR bad data chunk
         < ERROR
         > get a
         < END",
    );
}

#[test]
fn an_oversized_value_is_skipped_and_drops_the_old_one() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 0 1\n> x\n< STORED");
    let big = "x".repeat(1024 * 1024);
    // The reply waits for the data to be gone, and so does everything not yet due.
    assert_eq!(
        client.ask(format!("version\r\nset a 0 0 {}\r\n", big.len())),
        ""
    );
    assert_eq!(
        client.ask(format!("{big}\r\n")),
        "VERSION 1.6.18\r\nSERVER_ERROR object too large for cache\r\n"
    );
    client.script("> get a\n< END");
    assert_eq!(client.number("stats", "store_too_large"), 1);
}

#[test]
fn delete_and_its_historical_arguments() {
    TestNode::new().client().script(
        "> delete a
         < NOT_FOUND
         > set a 0 0 1
         > x
         < STORED
         > delete a 5
         < CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]
         > delete a 0
         < DELETED
         > delete a 0 noreply
         > delete a noreply
         > delete a foo noreply
         > version
         < VERSION 1.6.18",
    );
}

#[test]
fn counters_wrap_stop_at_zero_and_keep_their_length() {
    TestNode::new().client().script(
        "> set n 0 0 3
         > 100
         < STORED
         > decr n 1
         < 99
         > get n
         < VALUE n 0 3
         < 99 
         < END
         > incr n 901
         < 1000
         > decr n 5000
         < 0
         > get n
         < VALUE n 0 4
         < 0   
         < END
         > set n 0 0 20
         > 18446744073709551615
         < STORED
         > incr n 2
         < 1
         > incr n -1
         < CLIENT_ERROR invalid numeric delta argument
         > incr nothing 1
         < NOT_FOUND
         > set n 0 0 3
         > abc
         < STORED
         > incr n 1
         < CLIENT_ERROR cannot increment or decrement non-numeric value",
    );
}

#[test]
fn a_counter_whose_old_text_is_being_sent_is_not_padded() {
    TestNode::new().client().script(
        "> set n 0 0 3
         > 100
         > mg n v
         > decr n 1
         > get n
         < STORED
         < VA 3
         < 100
         < 99
         < VALUE n 0 2
         < 99
         < END",
    );
}

#[test]
fn keys_end_at_two_hundred_and_fifty_bytes() {
    let node = TestNode::new();
    let mut client = node.client();
    let (long, too_long) = ("k".repeat(250), "k".repeat(251));
    assert_eq!(
        client.ask(format!("set {long} 0 0 1\r\nx\r\n")),
        "STORED\r\n"
    );
    let error = "CLIENT_ERROR bad command line format\r\n";
    assert_eq!(client.ask(format!("set {too_long} 0 0 0\r\n")), error);
    assert_eq!(client.ask(format!("delete {too_long}\r\n")), error);
    // A read of a bad key takes the replies with it that were not sent yet.
    assert_eq!(
        client.ask(format!("version\r\nget a {too_long}\r\n")),
        error
    );
}

#[test]
fn expiry_counts_whole_seconds() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 10 1\n> x\n< STORED\n> set b 0 -1 1\n> x\n< STORED\n> get b\n< END");
    node.advance(9);
    client.script("> get a\n< VALUE a 0 1\n< x\n< END");
    node.advance(1);
    client.script("> get a\n< END\n> touch a 10\n< NOT_FOUND");
    assert_eq!(client.number("stats", "get_expired"), 2);
    assert_eq!(client.number("stats", "curr_items"), 0);
}

#[test]
fn touching_prolongs_a_life() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 10 1\n> x\n< STORED\n> touch a 100\n< TOUCHED");
    node.advance(50);
    client.script("> gat 100 a\n< VALUE a 0 1\n< x\n< END\n> touch a x\n< CLIENT_ERROR invalid exptime argument");
    node.advance(99);
    client.script("> get a\n< VALUE a 0 1\n< x\n< END");
}

#[test]
fn flush_all_now_and_later() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> set a 0 0 1\n> x\n< STORED\n> flush_all\n< OK\n> get a\n< END");
    client.script("> set a 0 0 1\n> x\n< STORED\n> get a\n< VALUE a 0 1\n< x\n< END");
    client.script("> flush_all 5\n< OK\n> get a\n< VALUE a 0 1\n< x\n< END");
    node.advance(5);
    client.script("> get a\n< END\n> flush_all x\n< CLIENT_ERROR invalid exptime argument");
    assert_eq!(client.number("stats", "cmd_flush"), 3);
    assert_eq!(client.number("stats", "get_flushed"), 2);
}

#[test]
fn noreply_silences_all_but_unparsable_lines() {
    TestNode::new().client().script(
        "> set a 0 0 1 noreply
         > x
         > incr a 1 noreply
         > touch b 0 noreply
         > verbosity 1 noreply
         > flush_all noreply
         > set a 0 noreply
         < ERROR",
    );
}

#[test]
fn the_connection_closes_on_request_and_on_nonsense() {
    let node = TestNode::new();
    assert_eq!(
        node.client().ask("version\r\nquit\r\nversion\r\n"),
        "VERSION 1.6.18\r\n#"
    );
    assert_eq!(node.client().ask("GET / HTTP/1.1\r\n"), "#");
    assert_eq!(node.client().ask("x".repeat(2048)), "");
    assert_eq!(node.client().ask("x".repeat(2049)), "#");
    let keys = format!("get {}\r\n", "key ".repeat(5000));
    assert_eq!(node.client().ask(keys), "END\r\n");
    assert_eq!(
        node.client()
            .ask(format!("get {}", "k".repeat(1024 * 1024))),
        "#"
    );
}
