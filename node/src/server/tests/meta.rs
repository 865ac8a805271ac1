//! The meta commands.

use super::TestNode;

#[test]
fn flags_are_answered_in_the_order_asked() {
    TestNode::new().client().script(
        "> ms a 3 F5 T100 c O1
         > abc
         < HD c1 O1
         > mg a s v f t c k O123 h
         < VA 3 s3 f5 t100 c1 ka O123 h0
         < abc
         > mg a h l t
         < HD h1 l0 t100
         > mg b
         < EN
         > mg b q
         > mg b k O5
         < EN kb O5
         > mn
         < MN",
    );
}

#[test]
fn quiet_commands_keep_silent_about_the_nominal_only() {
    TestNode::new().client().script(
        "> ms a 1 q
         > x
         > mg a q
         > ms a 1 q ME
         > y
         > md a q
         > md a q
         > ma a q
         > mn
         < HD
         < NS
         < NF
         < NF
         < MN",
    );
}

#[test]
fn bad_flags_are_refused() {
    TestNode::new().client().script(
        "> mg a x
         < CLIENT_ERROR invalid flag
         > mg a v v
         < CLIENT_ERROR duplicate flag
         > mg a Tx
         < CLIENT_ERROR bad token in command line format
         > mg a b
         < CLIENT_ERROR error decoding key
         > mg a Mxx
         < CLIENT_ERROR incorrect length for M token
         > md a x
         < CLIENT_ERROR invalid or duplicate flag
         > ma a MX
         < CLIENT_ERROR invalid mode for ma M token
         > ma a Dx
         < CLIENT_ERROR invalid or duplicate flag
         > mg a O23456789012345678901234567890123
         < CLIENT_ERROR opaque token too long
         > mg a b c f h k l q s t u v O1 P1 L1 N0 R0 T0 I M C0 D0
         < CLIENT_ERROR options flags are too long
         > mg
         < ERROR
         > mz a
         < ERROR",
    );
}

#[test]
fn a_refused_ms_skips_its_data() {
    TestNode::new().client().script(
        "> ms a 7 z
         > version
         < CLIENT_ERROR invalid flag
         > ms a 7 MZ
         > version
         < CLIENT_ERROR invalid mode for ms M token
         > ms a x
         > version
         < CLIENT_ERROR bad command line format
         < VERSION 1.6.18",
    );
}

#[test]
fn storage_modes() {
    TestNode::new().client().script(
        "> ms a 1 MR
         > x
         < NS
         > ms a 1 ME
         > x
         < HD
         > ms a 1 MA
         > y
         < HD
         > ms a 1 MP c
         > w
         < HD c3
         > mg a v
         < VA 3
         < wxy
         > ms a 1 C1 c k
         > q
         < EX c0 ka
         > ms a 1 C3 MR
         > q
         < HD
         > ms b 1 C3
         > q
         < NF",
    );
}

#[test]
fn binary_keys_come_back_as_they_were_sent() {
    TestNode::new().client().script(
        "> ms Zm9v 1 b k
         > x
         < HD kZm9v b
         > mg foo k v
         < VA 1 kZm9v b
         < x
         > mg bWlzcw== b k
         < EN kbWlzcw== b
         > me Zm9v b
         < ME Zm9v exp=-1 la=0 cas=1 fetch=yes cls=1 size=63",
    );
}

#[test]
fn one_reader_wins_the_right_to_create() {
    TestNode::new().client().script(
        "> mg a N30 v t
         < VA 0 t30 W
         < 
         > mg a N30 v t
         < VA 0 t30 Z
         < 
         > ms a 1
         > x
         < HD
         > mg a N30 v
         < VA 1
         < x",
    );
}

#[test]
fn one_reader_wins_the_right_to_recache() {
    let node = TestNode::new();
    let mut client = node.client();
    client.script("> ms a 1 T100\n> x\n< HD\n> mg a R30 t\n< HD t100");
    node.advance(80);
    client.script("> mg a R30 t\n< HD t20 W\n> mg a R30 t\n< HD t20 Z");
}

#[test]
fn an_invalidated_item_is_stale_until_replaced() {
    TestNode::new().client().script(
        "> ms a 1 c
         > x
         < HD c1
         > md a I T30
         < HD
         > mg a v c t
         < VA 1 c2 t30 X W
         < x
         > mg a v
         < VA 1 Z X
         < x
         > ms a 1 I C1
         > y
         < HD
         > mg a v
         < VA 1 Z X
         < y",
    );
}

#[test]
fn arithmetic() {
    TestNode::new().client().script(
        "> ma n
         < NF
         > ma n N0 J10 v
         < VA 2
         < 10
         > ma n D5 v c
         < VA 2 c2
         < 15
         > ma n MD D100 v
         < VA 1
         < 0
         > mg n v
         < VA 2
         < 0 
         > ma n C1
         < EX
         > ms n 1
         > x
         < HD
         > ma n
         < CLIENT_ERROR cannot increment or decrement non-numeric value",
    );
}
