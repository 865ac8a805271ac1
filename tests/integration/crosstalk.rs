//! No caller ever gets the answer that belongs to another: many tasks share few connections, drop
//! their futures at random points, and set deadlines that are too short.
//!
//! Every value tells the key it belongs to, so a wrong answer shows itself.

use std::time::Duration;

use fastrand::Rng;
use memlens::{Client, Config, ErrorKind, Expiry, MetaGet, Result};
use memlens_tests::{DropAfter, Kind, Seed, Server};

const TASKS: usize = 64;
const KEYS: u64 = 300;

fn key(number: u64) -> String {
    format!("key-{number}")
}

/// A value that names its key, of a length that varies, and that looks like the protocol.
fn value(number: u64, random: &mut Rng) -> String {
    let filler = ["x", "END\r\n", "VALUE key-1 0 1\r\n"][random.usize(..3)];
    format!("{}={}", key(number), filler.repeat(random.usize(..40)))
}

fn check(number: u64, value: &str) {
    let (owner, _) = value.split_once('=').expect("a value that names its key");
    assert_eq!(owner, key(number), "a value of another key");
}

async fn operation(client: &Client, random: &mut Rng) -> Result<()> {
    let number = random.u64(..KEYS);
    match random.u32(..20) {
        0..=8 => {
            if let Some(found) = client.get::<String>(key(number)).await? {
                check(number, &found);
            }
        }
        9 => {
            if let Some((found, _)) = client.gets::<String>(key(number)).await? {
                check(number, &found);
            }
        }
        10 => {
            let flags = MetaGet::new().value().key();
            if let Some(item) = client.meta_get(key(number), &flags).await? {
                assert_eq!(item.key.as_deref(), Some(key(number).as_bytes()));
                check(number, &item.value.expect("the value").decode::<String>()?);
            }
        }
        11 => {
            let numbers: Vec<u64> = (0..random.u64(1..150))
                .map(|_| random.u64(..KEYS))
                .collect();
            let answers = client
                .get_multi::<String, _>(numbers.iter().map(|n| key(*n)))
                .await;
            for (number, (asked, answer)) in numbers.into_iter().zip(answers) {
                assert_eq!(asked, key(number));
                if let Ok(Some(found)) = answer {
                    check(number, &found);
                }
            }
        }
        12 => {
            client.delete(key(number)).await?;
        }
        13 => {
            // The counter of a key never leaves the range that is its own.
            let first = number * 1_000_000_000;
            let counter = format!("counter-{number}");
            let now = client
                .incr_or_init(counter, 1, first, Expiry::Never)
                .await?;
            assert!(
                (first..first + 1_000_000_000).contains(&now),
                "a number of another key"
            );
        }
        14 => {
            if let Some(found) = client.gat::<String>(key(number), Expiry::secs(100)).await? {
                check(number, &found);
            }
        }
        _ => {
            client
                .set(key(number), value(number, random), Expiry::Never)
                .await?;
        }
    }
    Ok(())
}

async fn run_task(client: Client, mut random: Rng, operations: usize) -> usize {
    let mut answered = 0;
    for _ in 0..operations {
        let client = match random.u32(..10) {
            0 => client.with_timeout(Duration::from_micros(random.u64(1..2_000))),
            _ => client.clone(),
        };
        let mut choices = random.fork();
        let inner = operation(&client, &mut choices);
        match DropAfter::sometimes(inner, &mut random, 5, 3).await {
            None => {}
            Some(Ok(())) => answered += 1,
            Some(Err(error)) => assert!(
                matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Overloaded),
                "{error:?}"
            ),
        }
    }
    answered
}

fn storm(target: Kind, operations: usize, change: impl FnOnce(&mut Config)) {
    let server: Server = target.start();
    let mut config: Config = server.address().to_string().parse().expect("an address");
    config.operation_timeout = Duration::from_secs(30);
    change(&mut config);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let seed = Seed::from_environment();
    let answered = runtime.block_on(async {
        let client = Client::with_config(config).await.expect("a client");
        let tasks = (0..TASKS).map(|task| {
            let random = seed.generator(task as u64);
            tokio::spawn(run_task(client.clone(), random, operations / TASKS))
        });
        let mut answered = 0;
        for task in tasks.collect::<Vec<_>>() {
            answered += task.await.expect("no wrong answer");
        }
        client.close().await;
        answered
    });
    assert!(
        answered > operations / 2,
        "only {answered} of {operations} were answered"
    );
}

#[test]
fn a_million_operations_without_a_wrong_answer_from_memcached() {
    storm(Kind::Memcached, 1_000_000, |_| {});
}

#[test]
fn callers_that_wait_for_room_get_their_own_answers_too() {
    storm(Kind::Memcached, 100_000, |config| {
        config.max_operations = 16;
        config.max_bytes = 4096;
        config.connections_per_node = 2;
    });
}

#[test]
fn no_wrong_answer_from_the_embedded_node() {
    storm(Kind::Node, 200_000, |_| {});
}
