//! libmemcached's own list of what a server must be capable of.

use std::process::{Command, Output};

use memlens_tests::Kind;

/// Debian calls the program memccapable, upstream memcapable.
const NAMES: [&str; 2] = ["memccapable", "memcapable"];
const TESTS: usize = 27;

fn run(arguments: &[&str]) -> Output {
    NAMES
        .iter()
        .find_map(|name| Command::new(name).args(arguments).output().ok())
        .expect("memccapable not found: install libmemcached's tools (Debian package `libmemcached-tools`)")
}

fn passes_all(kind: Kind) {
    let server = kind.start();
    let port = server.address().port().to_string();
    let output = run(&["-a", "-h", "127.0.0.1", "-p", &port]);
    // The program writes names and results to different streams.
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(text.matches("[pass]").count(), TESTS, "{kind}:\n{text}");
    assert!(output.status.success(), "{kind}: {}\n{text}", output.status);
}

#[test]
fn memcached_passes() {
    passes_all(Kind::Memcached);
}

#[test]
fn the_node_passes() {
    passes_all(Kind::Node);
}
