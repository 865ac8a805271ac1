//! One node: its connections, and commands sent to it.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::health::Health;
use super::observed::place;
use super::topology::Blueprint;
use crate::error::{Error, ErrorKind, Result};
use crate::net::{Connection, Endpoint, Exchange, Push, Settings, Watcher};
use crate::observe::{Call, NodeRecord};
use crate::proto::command::{Command, WireKey, refused};
use crate::proto::group::Retrieval;
use crate::proto::pipeline::Pipeline;
use crate::proto::reply::{Item, Reply};

/// A node of the cluster, named as in the configuration.
#[derive(Debug)]
pub(crate) struct Node {
    name: Arc<str>,
    endpoint: Endpoint,
    settings: Settings,
    connections: Box<[Connection]>,
    health: Health,
    record: Arc<NodeRecord>,
    runtime: tokio::runtime::Handle,
}

impl Node {
    pub(crate) fn new(name: Arc<str>, endpoint: Endpoint, blueprint: &Blueprint) -> Self {
        let Blueprint {
            settings,
            connections,
            observer,
            wakings,
            runtime,
            ..
        } = blueprint;
        let record = observer.node(&name, &place(&endpoint));
        let connect = |_| {
            let watcher = Arc::clone(&record) as Arc<dyn Watcher>;
            Connection::new(
                Arc::clone(&name),
                endpoint.clone(),
                settings.clone(),
                watcher,
                wakings.clone(),
                runtime,
            )
        };
        let connections = (0..(*connections).max(1)).map(connect).collect();
        Self {
            name,
            endpoint,
            settings: settings.clone(),
            connections,
            health: Health::default(),
            record,
            runtime: runtime.clone(),
        }
    }

    /// Whether this is the node of that name at that place.
    pub(crate) fn is(&self, name: &str, endpoint: &Endpoint) -> bool {
        *self.name == *name && self.endpoint == *endpoint
    }

    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    pub(crate) fn record(&self) -> &Arc<NodeRecord> {
        &self.record
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The connection for this thread. Threads keep to one connection each, so that with several
    /// connections they meet at its lock less often.
    pub(crate) fn connection(&self) -> &Connection {
        match &*self.connections {
            [only] => only,
            several => &several[thread_number() % several.len()],
        }
    }

    pub(crate) fn connections(&self) -> &[Connection] {
        &self.connections
    }

    /// How many requests are under way.
    pub(crate) fn in_flight(&self) -> usize {
        self.connections.iter().map(Connection::in_flight).sum()
    }

    /// Where and how to dial, for connections outside the pipelines.
    pub(crate) fn dial_settings(&self) -> (&Endpoint, &Settings) {
        (&self.endpoint, &self.settings)
    }

    /// Carries out one command.
    pub(crate) async fn execute<C>(
        &self,
        command: &C,
        deadline: Instant,
        call: &mut Option<Call<'_>>,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        let reply = self.send(command, deadline).await;
        match reply {
            Err(error) if command.is_idempotent() && is_worth_another(&error) => {
                let reply = again(&error, call, self.send(command, deadline)).await;
                self.output(command, reply)
            }
            reply => self.output(command, reply),
        }
    }

    /// Sends a command.
    #[inline]
    pub(super) fn send<'a, C: Command + Sync>(
        &'a self,
        command: &'a C,
        deadline: Instant,
    ) -> Exchange<'a, impl Push + Unpin + 'a> {
        let push = move |pipeline: &mut Pipeline| pipeline.push(command, deadline);
        self.connection().call(deadline, push)
    }

    /// What the reply to [`Self::send`] means.
    #[inline]
    pub(super) fn output<C: Command>(
        &self,
        command: &C,
        reply: Result<Reply>,
    ) -> Result<C::Output> {
        match reply {
            Ok(reply) => command.decode(reply).map_err(|error| error.at(&self.name)),
            Err(error) => Err(error.at(&self.name)),
        }
    }

    /// Reads one item.
    pub(crate) async fn get(
        &self,
        retrieval: Retrieval,
        key: WireKey<'_>,
        deadline: Instant,
        call: &mut Option<Call<'_>>,
    ) -> Result<Option<Item>> {
        let reply = self.ask(retrieval, key, deadline).await;
        match reply {
            Err(error) if is_worth_another(&error) => {
                let reply = again(&error, call, self.ask(retrieval, key, deadline)).await;
                self.item(reply)
            }
            reply => self.item(reply),
        }
    }

    /// Sends the request for one item.
    #[inline]
    pub(super) fn ask<'a>(
        &'a self,
        retrieval: Retrieval,
        key: WireKey<'a>,
        deadline: Instant,
    ) -> Exchange<'a, impl Push + Unpin + 'a> {
        self.connection()
            .call(deadline, move |pipeline: &mut Pipeline| {
                pipeline.push_get(retrieval, key.prefix, key.key, deadline)
            })
    }

    /// The item that a reply to [`Self::ask`] brings.
    #[inline]
    pub(super) fn item(&self, reply: Result<Reply>) -> Result<Option<Item>> {
        match reply {
            Ok(Reply::Item(item)) => Ok(item),
            Ok(other) => Err(refused(other).at(&self.name)),
            Err(error) => Err(error),
        }
    }
}

/// Sends a request once more that does no harm when it is carried out twice, after the connection
/// was lost before the reply came.
///
/// Boxed, because it is rare: every operation would have to hold room for it.
#[cold]
pub(super) fn again<'a>(
    first: &Error,
    call: &mut Option<Call<'_>>,
    exchange: Exchange<'a, impl Push + Unpin + 'a>,
) -> Pin<Box<dyn Future<Output = Result<Reply>> + Send + 'a>> {
    if let Some(call) = call {
        call.retrying(first);
    }
    let first = first.clone();
    Box::pin(async move { exchange.await.map_err(|second| of_both(&first, second)) })
}

/// Whether a request that may be repeated should be: its connection was lost, which says nothing
/// about the next one.
pub(crate) fn is_worth_another(error: &Error) -> bool {
    error.kind() == ErrorKind::ConnectionClosed
}

/// The error of a request that failed twice: the server may have received either.
pub(crate) fn of_both(first: &Error, second: Error) -> Error {
    let was_sent = first.was_sent() || second.was_sent();
    second.sent(was_sent)
}

/// A small number that is this thread's own.
fn thread_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<Option<usize>> = const { Cell::new(None) };
    }
    NUMBER.with(|number| {
        number.get().unwrap_or_else(|| {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            number.set(Some(next));
            next
        })
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::net::{DialSettings, Wakings};
    use crate::observe::Observer;
    use crate::proto::command::admin::Version;
    use crate::proto::pipeline::Limits;
    use crate::ring::Profile;

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
            operations: 1,
            bytes: 1,
            keys_per_line: 1,
            drain_timeout: LONG,
        },
        max_value: 1,
        backoff_base: LONG,
        backoff_cap: LONG,
    };

    #[test]
    fn a_request_that_was_sent_stays_so_when_its_repetition_is_not() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (connection, _) = listener.accept().unwrap();
            drop(listener); // The repetition finds nobody.
            let mut line = String::new();
            BufReader::new(connection).read_line(&mut line).unwrap();
            line
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let host = "127.0.0.1".into();
        let endpoint = Endpoint::Tcp { host, port };
        let blueprint = Blueprint {
            distribution: Profile::default().into(),
            settings: SETTINGS,
            connections: 1,
            observer: Arc::new(Observer::of_connections()),
            wakings: Wakings::default(),
            runtime: runtime.handle().clone(),
        };
        let node = Node::new("cache-01".into(), endpoint, &blueprint);
        let error = runtime
            .block_on(node.execute(&Version, Instant::now() + LONG, &mut None))
            .unwrap_err();
        assert_eq!(server.join().unwrap(), "version\r\n");
        assert_eq!((error.kind(), error.was_sent()), (ErrorKind::Connect, true));
    }
}
