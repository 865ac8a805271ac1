//! A driver that panics leaves nobody waiting, and begins anew.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Connection, DialSettings, Endpoint, Ends, Settings, Wakings, Watcher};
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
    backoff_base: Duration::from_millis(1),
    backoff_cap: Duration::from_millis(1),
};

/// Panics in the driver's task when the first bytes arrive.
#[derive(Debug, Default)]
struct Fragile {
    received: AtomicUsize,
    lost: AtomicUsize,
}

impl Watcher for Fragile {
    fn connected(&self, _: Duration, _: Ends) {}
    fn dial_failed(&self, _: &Error) {}
    fn lost(&self, _: &Error) {
        self.lost.fetch_add(1, Ordering::SeqCst);
    }
    fn received(&self, _: usize) {
        let before = self.received.fetch_add(1, Ordering::SeqCst);
        assert!(before > 0, "as planned");
    }
    fn sent(&self, _: usize) {}
}

/// Answers whatever comes as a version, on one connection, until it ends.
fn answer(stream: &TcpStream) {
    let mut line = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut line).is_ok_and(|length| length > 0) {
        let mut writer = stream;
        if writer.write_all(b"VERSION 1\r\n").is_err() {
            return;
        }
    }
}

#[test]
fn a_driver_that_panics_fails_all_that_wait_and_serves_those_that_come_later() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            answer(&stream);
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let host = "127.0.0.1".into();
    let watcher = Arc::new(Fragile::default());
    let connection = Connection::new(
        "cache-01".into(),
        Endpoint::Tcp { host, port },
        SETTINGS,
        Arc::clone(&watcher) as Arc<dyn Watcher>,
        Wakings::default(),
        runtime.handle(),
    );
    let deadline = Instant::now() + LONG;
    let call = || async {
        let push = |pipeline: &mut Pipeline| pipeline.push(&Version, deadline);
        connection.call(deadline, push).await
    };
    runtime.block_on(async {
        // More than have room, so that some wait for that.
        let (under_way, crowd) = (SETTINGS.limits.operations, 12);
        let results = join_all((0..under_way + crowd).map(|_| call())).await;
        for result in &results[..under_way] {
            let error = result.as_ref().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionClosed);
            assert!(error.was_sent() && error.to_string().contains("panicked"));
        }
        for result in &results[under_way..] {
            // They may have come while the connection rested, or later.
            let down = |error: &Error| error.kind() == ErrorKind::NodeDown && !error.was_sent();
            assert!(result.as_ref().err().is_none_or(down), "{result:?}");
        }
        while let Err(error) = call().await {
            assert_eq!(error.kind(), ErrorKind::NodeDown);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(watcher.lost.load(Ordering::SeqCst), 1);
        assert_eq!(connection.in_flight(), 0);
        connection.start_closing(deadline);
        connection.closed().await;
    });
    server.join().unwrap();
}
