//! What callers feel when one of four servers stands still, and when one is killed.

use std::time::{Duration, Instant};

use memlens::{Client, Config, ErrorKind, Expiry};
use memlens_tests::Memcached;

const DEADLINE: Duration = Duration::from_millis(50);
const SPAN: Duration = Duration::from_secs(3);
const READERS: usize = 16;

/// How long reads took, and how those failed that did.
#[derive(Default)]
struct Felt {
    took: Vec<Duration>,
    failed: Vec<(ErrorKind, Duration)>,
}

impl Felt {
    fn quantile(&mut self, share: f64) -> Duration {
        self.took.sort_unstable();
        let index = (self.took.len() as f64 * share) as usize;
        self.took
            .get(index.min(self.took.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }

    fn latest(&self, kind: ErrorKind) -> (usize, Duration) {
        let of_kind = self.failed.iter().filter(|(failed, _)| *failed == kind);
        let took: Vec<Duration> = of_kind.map(|(_, took)| *took).collect();
        (took.len(), took.iter().max().copied().unwrap_or_default())
    }
}

/// Several readers of these keys, for a while.
async fn load(client: &Client, keys: &[String]) -> Felt {
    let readers = (0..READERS).map(|reader| {
        let (client, keys) = (client.clone(), keys.to_vec());
        tokio::spawn(async move {
            let mut felt = Felt::default();
            let begun = Instant::now();
            for key in keys.iter().cycle().skip(reader) {
                if begun.elapsed() > SPAN {
                    break;
                }
                let asked = Instant::now();
                let answer = client.get::<String>(key).await;
                let took = asked.elapsed();
                match answer {
                    Ok(found) => {
                        assert_eq!(found.as_ref(), Some(key), "another's value");
                        felt.took.push(took);
                    }
                    Err(error) => {
                        felt.failed.push((error.kind(), took));
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            felt
        })
    });
    let mut all = Felt::default();
    for reader in readers.collect::<Vec<_>>() {
        let felt = reader.await.expect("a reader without a wrong answer");
        all.took.extend(felt.took);
        all.failed.extend(felt.failed);
    }
    all
}

/// Until a read answers again.
async fn recovery(client: &Client, key: &str) -> Duration {
    let begun = Instant::now();
    while client.get::<String>(key).await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    begun.elapsed()
}

pub(super) fn measure(outage: Duration) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut memcacheds: Vec<Memcached> = (0..4).map(|_| Memcached::start()).collect();
        let list: Vec<String> = memcacheds
            .iter()
            .map(|it| it.address().to_string())
            .collect();
        let mut config: Config = list.join(",").parse().expect("addresses");
        config.operation_timeout = DEADLINE;
        let client = Client::with_config(config).await.expect("a client");
        let keys: Vec<String> = (0..400).map(|number| format!("key-{number}")).collect();
        for key in &keys {
            let patient = client.with_timeout(Duration::from_secs(10));
            patient.set(key, &**key, Expiry::Never).await.expect("set");
        }
        let is_first = |key: &String| *client.node_for(key).expect("legal") == *list[0];
        let (own, others): (Vec<String>, Vec<String>) = keys.into_iter().partition(is_first);
        stand_still(&client, &memcacheds[0], &own, &others).await;
        kill(&client, &mut memcacheds[0], &own[0], outage).await;
    });
}

async fn stand_still(client: &Client, memcached: &Memcached, own: &[String], others: &[String]) {
    let mut before = load(client, others).await;
    memcached.pause();
    let (mut during, stopped) = tokio::join!(load(client, others), load(client, own));
    memcached.resume();
    let back = recovery(client, &own[0]).await;
    println!("one of four servers stands still; deadline {DEADLINE:?}");
    println!(
        "  other keys, 99 % within  {:.2?} before, {:.2?} during; {} of {} failed",
        before.quantile(0.99),
        during.quantile(0.99),
        during.failed.len(),
        during.took.len()
    );
    for kind in [ErrorKind::Timeout, ErrorKind::NodeDown] {
        let (count, latest) = stopped.latest(kind);
        println!(
            "  its own keys             {count} {}, the slowest after {latest:.2?}",
            kind.as_str()
        );
    }
    println!("  answers again after      {back:.2?}");
}

async fn kill(client: &Client, memcached: &mut Memcached, key: &str, outage: Duration) {
    for outage in [Duration::ZERO, outage] {
        let before = client.statistics().nodes[0].dials;
        memcached.kill();
        let failing = async {
            let begun = Instant::now();
            while begun.elapsed() < outage {
                let _ = client.get::<String>(key).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        failing.await;
        let dials = client.statistics().nodes[0].dials - before;
        memcached.restart();
        let back = recovery(client, key).await;
        println!(
            "killed for {outage:?}: {dials} dials meanwhile; answers {back:.2?} after the server does"
        );
    }
}
