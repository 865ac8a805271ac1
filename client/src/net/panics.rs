//! A driver that panics leaves nobody waiting.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Connection, DialSettings, Endpoint, Settings, Wakings, Watcher};
use crate::error::{Error, ErrorKind};
use crate::proto::command::admin::Version;
use crate::proto::pipeline::{Limits, Pipeline};

const LONG: Duration = Duration::from_secs(60);

const SETTINGS: Settings = Settings {
    dial: DialSettings {
        timeout: LONG,
        keepalive: None,
        user_timeout: None,
        tls: None,
        login: None,
    },
    limits: Limits {
        operations: 8,
        bytes: 1 << 20,
        keys_per_line: 1,
        drain_timeout: LONG,
    },
    max_value: 1,
    backoff_base: LONG,
    backoff_cap: LONG,
};

/// Panics in the driver's task when the first bytes arrive.
#[derive(Debug)]
struct Fragile;

impl Watcher for Fragile {
    fn connected(&self, _: Duration, _: Option<SocketAddr>) {}
    fn dial_failed(&self, _: &Error) {}
    fn lost(&self, _: &Error) {}
    fn received(&self, _: usize) {
        panic!("as planned");
    }
    fn sent(&self, _: usize) {}
}

#[test]
fn a_driver_that_panics_fails_all_that_wait_and_all_that_come() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (&stream).write_all(b"VERSION 1\r\n").unwrap();
        // Until the driver is gone, and the socket with it.
        let _ = std::io::copy(&mut &stream, &mut std::io::sink());
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let host = "127.0.0.1".into();
    let connection = Connection::new(
        "cache-01".into(),
        Endpoint::Tcp { host, port },
        SETTINGS,
        Arc::new(Fragile),
        Wakings::default(),
        runtime.handle(),
    );
    let deadline = Instant::now() + LONG;
    let call = || async {
        let mut push = |pipeline: &mut Pipeline| pipeline.push(&Version, deadline);
        connection.call(deadline, &mut push).await
    };
    runtime.block_on(async {
        // More than have room, so that some wait for that.
        for result in join_all((0..20).map(|_| call())).await {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ClientClosed);
        }
        assert_eq!(call().await.unwrap_err().kind(), ErrorKind::ClientClosed);
        connection.closed().await;
    });
    server.join().unwrap();
}
