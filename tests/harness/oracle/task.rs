//! One task: operations at random, some dropped, some with a deadline that is too short.

use std::future::Future;
use std::time::Duration;

use fastrand::Rng;
use memlens::{CasOutcome, Client, Error, ErrorKind, Expiry, MetaGet, Result};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::claims::{Claims, Ending, Tally};
use super::value::{Write, check, value};
use super::{LOST, Report};
use crate::DropAfter;

const SHARED_KEYS: u64 = 200;
const OWN_KEYS: usize = 3;

/// How an operation came to its end.
enum Ended {
    Answered,
    Dropped,
    Failed(Error),
}

pub(super) struct Worker {
    client: Client,
    number: usize,
    random: Rng,
    timeout: Duration,
    claims: [Claims; OWN_KEYS],
    tally: Tally,
    writes: u64,
    report: Report,
}

impl Worker {
    pub(super) fn new(client: Client, number: usize, random: Rng, timeout: Duration) -> Self {
        Self {
            client,
            number,
            random,
            timeout,
            claims: Default::default(),
            tally: Tally::default(),
            writes: 0,
            report: Report::default(),
        }
    }

    /// Does `share` operations; after every `stride` of all tasks', a fault is due.
    pub(super) async fn work(mut self, share: u64, stride: u64, due: Sender<()>) -> Report {
        // Each task speaks for as many faults as fall to its share, at moments of its own.
        let mut wait = self.random.u64(..stride);
        for _ in 0..share {
            match self.operation().await {
                Ended::Answered => self.report.answered += 1,
                Ended::Dropped => self.report.cancelled += 1,
                Ended::Failed(error) => {
                    assert_ne!(error.kind(), ErrorKind::Decode, "{error:?}");
                    *self.report.failed.entry(error.kind().as_str()).or_default() += 1;
                }
            }
            wait = match wait.checked_sub(1) {
                Some(wait) => wait,
                None => {
                    let _ = due.send(()).await;
                    stride - 1
                }
            };
            // Also where every operation fails at once.
            tokio::task::yield_now().await;
        }
        self.report
    }

    /// Awaits an operation as a hasty caller would: perhaps with little time, perhaps not to its end.
    async fn end<T, F>(&mut self, run: impl FnOnce(Client) -> F) -> (Ended, Option<T>)
    where
        F: Future<Output = Result<T>>,
    {
        let timeout = match self.random.u32(..12) {
            0 => Duration::from_micros(self.random.u64(1..2_000)),
            _ => self.timeout,
        };
        let inner = run(self.client.with_timeout(timeout));
        let hasty = DropAfter::sometimes(inner, &mut self.random, 6, 4);
        let deadline = Instant::now() + timeout;
        let ended = tokio::time::timeout_at(deadline + LOST, hasty).await;
        let late = Instant::now().saturating_duration_since(deadline);
        self.report.latest = self.report.latest.max(late);
        match ended.expect("a future is lost") {
            None => (Ended::Dropped, None),
            Some(Ok(output)) => (Ended::Answered, Some(output)),
            Some(Err(error)) => (Ended::Failed(error), None),
        }
    }

    async fn operation(&mut self) -> Ended {
        match self.random.u32(..20) {
            0..=7 => self.read_shared().await,
            8 | 9 => self.read_many().await,
            10 | 11 => self.write_shared().await,
            12 => self.swap_shared().await,
            13 => self.count().await,
            14 => self.delete_own().await,
            15 | 16 => self.write_own().await,
            _ => self.read_own().await,
        }
    }

    fn shared_key(&mut self) -> String {
        format!("s-{}", self.random.u64(..SHARED_KEYS))
    }

    fn next_write(&mut self) -> Write {
        self.writes += 1;
        Write {
            writer: self.number,
            number: self.writes,
        }
    }

    async fn read_shared(&mut self) -> Ended {
        let key = self.shared_key();
        let how = self.random.u32(..8);
        let (ended, found) = self
            .end(|client| {
                let key = key.clone();
                async move {
                    match how {
                        0 => client.gat::<String>(&key, Expiry::secs(1_000)).await,
                        1 => {
                            let flags = MetaGet::new().value().key();
                            let Some(item) = client.meta_get(&key, &flags).await? else {
                                return Ok(None);
                            };
                            assert_eq!(item.key.as_deref(), Some(key.as_bytes()));
                            item.value.map(memlens::Value::decode).transpose()
                        }
                        _ => client.get::<String>(&key).await,
                    }
                }
            })
            .await;
        if let Some(Some(found)) = found {
            check(&key, &found);
        }
        ended
    }

    async fn read_many(&mut self) -> Ended {
        let count = self.random.usize(1..30);
        let keys: Vec<String> = (0..count).map(|_| self.shared_key()).collect();
        let (ended, answers) = self
            .end(|client| {
                let keys = keys.clone();
                async move { Ok(client.get_multi::<String, _>(keys).await) }
            })
            .await;
        let Some(answers) = answers else {
            return ended;
        };
        assert_eq!(answers.len(), keys.len());
        for (asked, (key, answer)) in keys.iter().zip(&answers) {
            assert_eq!(asked, key);
            if let Ok(Some(found)) = answer {
                check(key, found);
            }
        }
        let failed = answers.failed().next().map(|(_, error)| error.clone());
        failed.map_or(ended, Ended::Failed)
    }

    async fn write_shared(&mut self) -> Ended {
        let key = self.shared_key();
        let value = value(&key, self.next_write());
        let (ended, _) = self
            .end(|client| async move { client.set(&key, value, Expiry::Never).await })
            .await;
        ended
    }

    async fn swap_shared(&mut self) -> Ended {
        let key = self.shared_key();
        let value = value(&key, self.next_write());
        let (ended, found) = self
            .end(|client| {
                let key = key.clone();
                async move {
                    let Some((found, cas)) = client.gets::<String>(&key).await? else {
                        return Ok(None);
                    };
                    let outcome = client.cas(&key, value, Expiry::Never, cas).await?;
                    assert!(matches!(
                        outcome,
                        CasOutcome::Stored | CasOutcome::Exists | CasOutcome::NotFound
                    ));
                    Ok(Some(found))
                }
            })
            .await;
        if let Some(Some(found)) = found {
            check(&key, &found);
        }
        ended
    }

    async fn count(&mut self) -> Ended {
        let key = format!("c-{}", self.number);
        self.tally.asked();
        let (ended, now) = self
            .end(|client| async move { client.incr_or_init(&key, 1, 1, Expiry::Never).await })
            .await;
        match (&ended, now) {
            (_, Some(now)) => self.tally.counted(now),
            (Ended::Failed(error), _) if !error.was_sent() => self.tally.unsent(),
            _ => {}
        }
        ended
    }

    fn own_key(&mut self) -> (usize, String) {
        let which = self.random.usize(..OWN_KEYS);
        (which, format!("p-{}-{which}", self.number))
    }

    async fn write_own(&mut self) -> Ended {
        let (which, key) = self.own_key();
        let number = self.claims[which].next();
        let write = Write {
            writer: self.number,
            number,
        };
        let value = value(&key, write);
        let (ended, _) = self
            .end(|client| async move { client.set(&key, value, Expiry::Never).await })
            .await;
        let ending = match &ended {
            Ended::Answered => Ending::Acknowledged,
            Ended::Dropped => Ending::Unknown,
            Ended::Failed(error) => Ending::of(error),
        };
        self.claims[which].wrote(number, &ending);
        ended
    }

    async fn read_own(&mut self) -> Ended {
        let (which, key) = self.own_key();
        let (ended, found) = self
            .end(|client| {
                let key = key.clone();
                async move { client.get::<String>(&key).await }
            })
            .await;
        if let Some(Some(found)) = found {
            let write = check(&key, &found);
            assert_eq!(write.writer, self.number, "a value of another writer");
            self.claims[which].found(write.number);
        }
        ended
    }

    async fn delete_own(&mut self) -> Ended {
        let (which, key) = self.own_key();
        let (ended, _) = self
            .end(|client| async move { client.delete(&key).await })
            .await;
        if matches!(ended, Ended::Answered) {
            self.claims[which].deleted();
        }
        ended
    }
}
