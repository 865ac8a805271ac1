//! The blocking client against a server of a few lines, and where it may not block.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use super::{BlockingStream, Client};
use crate::api::MetadataDump;
use crate::error::ErrorKind;
use crate::expiry::Expiry;

/// Serves every connection by a thread that answers the lines it knows, until the test ends.
fn server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut writer = connection.unwrap();
            let reader = BufReader::new(writer.try_clone().unwrap());
            thread::spawn(move || {
                for line in reader.lines().map_while(Result::ok) {
                    if writer.write_all(answer(&line).as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn answer(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["get", ref keys @ ..] => {
            let values = keys
                .iter()
                .map(|key| format!("VALUE {key} 0 {}\r\n{key}\r\n", key.len()));
            values.collect::<String>() + "END\r\n"
        }
        ["incr", _, delta] => format!("{delta}\r\n"),
        ["version"] => "VERSION 1.6.18\r\n".into(),
        ["lru_crawler", "metadump", "all"] => "key=a exp=-1\r\nkey=b exp=-1\r\nEND\r\n".into(),
        ["set", ..] => String::new(), // The value is on the next line.
        ["value"] => "STORED\r\n".into(),
        _ => "ERROR\r\n".into(),
    }
}

#[test]
fn operations_wait_for_their_answers() {
    let client = Client::connect(&server()).unwrap();
    client.set("key", "value", Expiry::Never).unwrap();
    assert_eq!(client.get::<String>("key").unwrap().unwrap(), "key");
    assert_eq!(client.incr("number", 7).unwrap(), Some(7));
    let many = client.get_multi::<String, _>(["a", "b"]).into_hits();
    assert_eq!(many["b"], "b");
    let versions = client.version().into_result().unwrap();
    assert_eq!(versions[0].1, "1.6.18");
    let error = client.delete("key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownCommand);
    client.close().unwrap();
    let error = client.get::<String>("key").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClientClosed);
}

#[test]
fn threads_share_a_client() {
    let client = Client::connect(&server()).unwrap();
    thread::scope(|scope| {
        for worker in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                for number in 0..200 {
                    let key = format!("{worker}-{number}");
                    assert_eq!(client.get::<String>(&key).unwrap().unwrap(), key);
                }
            });
        }
    });
}

#[test]
fn a_dump_outlives_its_client() {
    let client = Client::connect(&server()).unwrap();
    let node = client.nodes().remove(0);
    let dump: BlockingStream<MetadataDump> = node.metadump(None).unwrap();
    drop((client, node));
    let keys: Vec<_> = dump.map(|item| item.unwrap().key()).collect();
    assert_eq!(keys, [b"a", b"b"]);
}

#[test]
fn async_code_gets_an_error_instead_of_being_blocked() {
    let client = Client::connect(&server()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let dump = client.nodes()[0].metadump(None).unwrap();
    runtime.block_on(async {
        let is_refused = |kind| assert_eq!(kind, ErrorKind::InvalidInput);
        is_refused(client.get::<String>("key").unwrap_err().kind());
        is_refused(client.close().unwrap_err().kind());
        is_refused(client.nodes()[0].stats().unwrap_err().kind());
        let many = client.set_multi([("a", 1), ("b", 2)], Expiry::Never);
        let refused: Vec<_> = many
            .failed()
            .map(|(key, error)| (*key, error.kind()))
            .collect();
        let kind = ErrorKind::InvalidInput;
        assert_eq!(refused, [("a", kind), ("b", kind)]);
        is_refused(
            client
                .get_multi::<String, _>(["a"])
                .failed()
                .next()
                .unwrap()
                .1
                .kind(),
        );
        is_refused(client.version().failed().next().unwrap().1.kind());
        let mut dump = dump;
        is_refused(dump.next().unwrap().unwrap_err().kind());
        assert!(dump.next().is_none());
    });
    let value = runtime.block_on(async {
        let client = client.clone();
        runtime
            .spawn_blocking(move || client.get::<String>("key"))
            .await
    });
    assert_eq!(value.unwrap().unwrap().unwrap(), "key");
    // The last clone goes in an async context.
    runtime.block_on(async move { drop(client) });
}
