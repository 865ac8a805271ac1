//! ASCII authentication.

use super::{TestClient, TestNode};
use crate::config::User;

fn client(node: &TestNode) -> TestClient {
    node.client()
}

fn node() -> TestNode {
    TestNode::with(|config| {
        config.users = vec![User {
            name: b"user".to_vec(),
            password: b"pass".to_vec(),
        }];
    })
}

#[test]
fn nothing_is_answered_before_authentication() {
    let node = node();
    client(&node).script(
        "> version
         < CLIENT_ERROR unauthenticated
         > mn
         < CLIENT_ERROR unauthenticated
         > set x 0 0 9
         > user fail
         < CLIENT_ERROR authentication failure
         > set x 0 0 4
         > user
         < CLIENT_ERROR bad authentication token format
         > set x 0 0 9
         > user pass
         < STORED
         > version
         < VERSION 1.6.18",
    );
    let mut admitted = client(&node);
    admitted.script("> set x 0 0 9\n> user pass\n< STORED");
    assert_eq!(admitted.number("stats", "auth_cmds"), 3);
    assert_eq!(admitted.number("stats", "auth_errors"), 1);
}

#[test]
fn a_data_block_may_come_in_pieces_and_may_not_be_endless() {
    let node = node();
    let mut client = client(&node);
    assert_eq!(client.ask("set x 0 0 9\r\nuser"), "");
    assert_eq!(client.ask(" pass\r\n"), "STORED\r\n");
    assert_eq!(node.client().ask("set x 0 0 4294967290\r\n"), "#");
    assert_eq!(node.client().ask("x".repeat(3000)), "#");
}
