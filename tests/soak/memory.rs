//! What a server that stands still costs in memory, while writes are offered to it all the time.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use memlens::{Client, Config, ErrorKind, Expiry};
use memlens_tests::Memcached;
use memlens_tests::process::resident;

/// What may wait for one server.
const BUDGET: usize = 4 << 20;

/// What a process takes besides, at most: buffers, tasks, and what the allocator keeps.
const SLACK: usize = 8 << 20;

const WRITERS: usize = 500;
const VALUE: [u8; 1024] = [b'x'; 1024];

/// The kinds of their ends: those refused at once, and those that were under way.
#[derive(Default)]
struct Ends {
    late: u64,
    refused: u64,
}

pub(super) fn measure(minutes: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(offer(minutes));
}

async fn offer(minutes: u32) {
    let memcached = Memcached::start();
    let mut config: Config = memcached.address().to_string().parse().expect("an address");
    config.max_bytes = BUDGET;
    config.operation_timeout = Duration::from_millis(5);
    // Else the client gives the connection up, and with it what waits for the server.
    config.drain_timeout = Duration::from_secs(60) * (minutes + 1);
    config.user_timeout = None;
    let client = Client::with_config(config).await.expect("a client");
    let patient = client.with_timeout(Duration::from_secs(20));
    patient.set("key", "1", Expiry::Never).await.expect("set");
    memcached.pause();
    let before = resident();
    println!(
        "a server stands still, {WRITERS} writers of 1 KiB, deadline 5 ms, {BUDGET} bytes may wait"
    );
    let mut most = 0;
    for minute in 1..=minutes {
        let ends = write_for(&client, Duration::from_secs(60)).await;
        let grown = resident().saturating_sub(before);
        most = most.max(grown);
        println!(
            "  minute {minute:>2}: {} writes ended late, {} were refused; {} KiB more than before",
            ends.late,
            ends.refused,
            grown / 1024
        );
    }
    memcached.resume();
    while patient.get::<String>("key").await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(most <= BUDGET + SLACK, "it took {most} bytes");
}

async fn write_for(client: &Client, time: Duration) -> Ends {
    let until = Instant::now() + time;
    let writers = (0..WRITERS).map(|writer| {
        let client = client.clone();
        async move {
            let mut ends = Ends::default();
            for number in 0_u64.. {
                if Instant::now() > until {
                    break;
                }
                let key = format!("key-{writer}-{number}");
                let written = client.set(key, &VALUE[..], Expiry::Never).await;
                match written.expect_err("it stands still").kind() {
                    ErrorKind::Timeout => ends.late += 1,
                    ErrorKind::Overloaded => ends.refused += 1,
                    other => panic!("{other:?}"),
                }
            }
            ends
        }
    });
    let ends = join_all(writers).await;
    Ends {
        late: ends.iter().map(|ends| ends.late).sum(),
        refused: ends.iter().map(|ends| ends.refused).sum(),
    }
}
