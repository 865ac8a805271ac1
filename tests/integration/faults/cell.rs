//! One cell of the matrix: a client, a proxy, one operation, one fault.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use memlens::{Client, Config, Expiry};
use memlens_tests::FaultProxy;
use memlens_tests::faults::{Fault, Injection, Stage};
use tokio::time::timeout;

use super::kind::{Effect, Kind, LARGE, Operation, Outcome};

const PATIENCE: Duration = Duration::from_secs(20);

/// For operations that the fault keeps from being answered in any time.
const SHORT: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Pending,
    Sending,
    Sent,
}

impl When {
    pub(super) const ALL: [Self; 3] = [Self::Pending, Self::Sending, Self::Sent];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) fault: Fault,
    pub(super) when: When,
    pub(super) kind: Kind,
}

/// What happened in a cell; written as in the table.
pub(super) struct Finding {
    outcome: Outcome,
    effect: Effect,
    is_same_connection: bool,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.outcome.word)?;
        if !self.outcome.was_sent {
            f.write_str(" unsent")?;
        }
        match self.effect {
            Effect::Done => f.write_str(", done")?,
            Effect::Undone => f.write_str(", undone")?,
            Effect::None => {}
        }
        if !self.is_same_connection {
            f.write_str(", new")?;
        }
        Ok(())
    }
}

impl Cell {
    fn name(self) -> String {
        let name = format!(
            "{}-{}-{}",
            self.fault.name(),
            self.when.name(),
            self.kind.name()
        );
        name.replace(' ', "-")
    }

    /// Lets the fault strike the operation, and finds out what came of it and of the connection.
    ///
    /// `direct` is a client of the same server past the proxy.
    pub(super) async fn play(self, direct: &Client) -> Finding {
        let proxy = FaultProxy::start(server_of(direct));
        let client = connect(&proxy).await;
        let witness = format!("witness-{}", self.name());
        direct
            .set(&witness, &witness, Expiry::Never)
            .await
            .expect("set");
        let is_large = self.kind == Kind::Set && self.when == When::Sending;
        let mut operation = Operation::new(self.kind, self.name(), is_large);
        operation.prepare(direct).await;
        read(&client, &witness).await;

        let hasty = match self.fault {
            Fault::Stall | Fault::Drip => client.with_timeout(SHORT),
            _ => client.clone(),
        };
        let outcome = match self.when {
            When::Pending => {
                self.behind_another(&proxy, &client, &hasty, &operation)
                    .await
            }
            When::Sending if is_large => {
                proxy.inject(Injection::new(self.fault, Stage::Begun));
                operation.run(&hasty).await
            }
            When::Sending | When::Sent => {
                proxy.inject(Injection {
                    fault: self.fault,
                    stage: match self.when {
                        When::Sent => Stage::Sent,
                        _ => Stage::Sending,
                    },
                    requests: self.kind.requests(),
                });
                operation.run(&hasty).await
            }
        };
        proxy.release();
        read(&client, &witness).await;
        assert_eq!(proxy.struck(), 1, "the fault struck");
        proxy.wait_until_open(1).await;
        Finding {
            outcome,
            effect: operation.effect(direct).await,
            is_same_connection: proxy.accepted() == 1,
        }
    }

    /// Lets the fault strike while another request fills the socket, so that nothing of this operation
    /// was written.
    async fn behind_another(
        self,
        proxy: &FaultProxy,
        client: &Client,
        hasty: &Client,
        operation: &Operation,
    ) -> Outcome {
        proxy.inject(Injection::new(self.fault, Stage::BegunByHand));
        let other = tokio::spawn({
            let (client, key) = (client.clone(), format!("other-{}", self.name()));
            async move { client.set(key, vec![b'x'; LARGE], Expiry::Never).await }
        });
        proxy.wait_until_held().await;
        let mut run = pin!(operation.run(hasty));
        poll_fn(|context| match run.as_mut().poll(context) {
            Poll::Ready(outcome) => panic!("{} too early", outcome.word),
            Poll::Pending => Poll::Ready(()),
        })
        .await;
        proxy.strike();
        let outcome = run.await;
        proxy.release();
        let _ = other.await.expect("it ends, as it may");
        outcome
    }
}

fn server_of(direct: &Client) -> std::net::SocketAddr {
    direct.node_names()[0].parse().expect("an address")
}

/// A client whose deadlines only a fault can let pass.
pub(super) fn patient(server: std::net::SocketAddr) -> Config {
    let mut config: Config = server.to_string().parse().expect("an address");
    config.operation_timeout = PATIENCE;
    config.connect_timeout = PATIENCE;
    config.drain_timeout = PATIENCE;
    config.backoff_base = Duration::from_millis(1);
    config.backoff_cap = Duration::from_millis(2);
    config.max_value_size = 2 * LARGE;
    config.max_bytes = 4 * LARGE;
    config
}

async fn connect(proxy: &FaultProxy) -> Client {
    Client::with_config(patient(proxy.address()))
        .await
        .expect("a client")
}

/// Reads a key that names itself; waits for a server that is still out of reach.
async fn read(client: &Client, key: &str) {
    let reading = async {
        loop {
            match client.get::<String>(key).await {
                Ok(found) => return assert_eq!(found.as_deref(), Some(key)),
                Err(error) => assert!(error.is_connection() && !error.was_sent(), "{error:?}"),
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reading)
        .await
        .unwrap_or_else(|_| panic!("no way to {key:?} any more"));
}
