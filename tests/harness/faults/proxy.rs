//! The proxy as tests see it: it listens, counts, and hands its orders to the relays.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use rustix::net::{Shutdown, listen as listen_on, shutdown};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use super::relay::relay;
use super::{Fault, Injection};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Proxies run apart from the tests, so that a test that blocks its thread doesn't stop them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("fault-proxy")
        .enable_all()
        .build()
        .expect("a runtime for proxies")
});

/// What the relays have done, and how often they were told to go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    accepted: usize,
    open: usize,
    /// Requests that are held until [`FaultProxy::strike`], over all time.
    held: u64,
    struck: u64,
    pub(super) strikes: u64,
    pub(super) releases: u64,
    wants_refusal: bool,
    refuses: bool,
}

#[derive(Debug, Default)]
struct Orders {
    injection: Option<Injection>,
    counts: HashMap<Fault, u64>,
}

/// What the handle and the relays share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) upstream: SocketAddr,
    orders: Mutex<Orders>,
    progress: watch::Sender<Progress>,
}

impl Shared {
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault for the request that begins now, if one is due.
    pub(super) fn take_injection(&self) -> Option<Injection> {
        self.orders().injection.take()
    }

    pub(super) fn has_injection(&self) -> bool {
        self.orders().injection.is_some()
    }

    pub(super) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    pub(super) async fn wait_for(&self, ready: impl FnMut(&Progress) -> bool) {
        // The sender lives as long as `self`, so waiting can't fail.
        let _ = self.progress.subscribe().wait_for(ready).await;
    }

    pub(super) fn held(&self) {
        self.update(|progress| progress.held += 1);
    }

    pub(super) fn struck(&self, fault: Fault) {
        *self.orders().counts.entry(fault).or_default() += 1;
        self.update(|progress| progress.struck += 1);
    }

    /// Ends when the port refuses connections.
    pub(super) async fn refuse(&self) {
        self.update(|progress| progress.wants_refusal = true);
        self.wait_for(|progress| progress.refuses || !progress.wants_refusal)
            .await;
    }
}

/// Stands between clients and one server, and does what goes wrong on networks when told so.
///
/// It passes everything on, in order and at once, until [`FaultProxy::inject`]. It knows the commands of
/// one reply each and those that end with `END`; not `noreply`, quiet mode, dumps and watchers.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

impl FaultProxy {
    /// Listens on a free port of the loopback interface, in front of `upstream`.
    pub fn start(upstream: SocketAddr) -> Self {
        let _inside = RUNTIME.enter();
        let listener = listen();
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            upstream,
            orders: Mutex::default(),
            progress: watch::Sender::default(),
        });
        let accepting = RUNTIME.spawn(accept_all(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting: accepting.abort_handle(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has a fault strike the next request that begins, whatever its connection. Takes the place of one
    /// that has not struck yet.
    pub fn inject(&self, injection: Injection) {
        self.shared.orders().injection = Some(injection);
    }

    /// Lets a request that is held by [`Stage::BegunByHand`](super::Stage::BegunByHand) meet its fault.
    pub fn strike(&self) {
        self.shared.update(|progress| progress.strikes += 1);
    }

    /// Ends every fault that lasts: what was stalled goes on, dials are accepted.
    pub fn release(&self) {
        self.shared.update(|progress| {
            progress.releases += 1;
            progress.wants_refusal = false;
        });
    }

    /// Waits until a request is held.
    pub async fn wait_until_held(&self) {
        self.shared.wait_for(|progress| progress.held > 0).await;
    }

    /// Waits until more than so many faults have struck.
    pub async fn wait_until_struck(&self, before: u64) {
        self.shared
            .wait_for(|progress| progress.struck > before)
            .await;
    }

    /// Waits until no more than so many connections are open, and all that the others had passed on was
    /// carried out.
    pub async fn wait_until_open(&self, connections: usize) {
        self.shared
            .wait_for(|progress| progress.open <= connections)
            .await;
    }

    /// How many connections it has accepted.
    pub fn accepted(&self) -> usize {
        self.shared.progress().accepted
    }

    /// How many faults have struck.
    pub fn struck(&self) -> u64 {
        self.shared.progress().struck
    }

    /// How often each fault has struck.
    pub fn counts(&self) -> HashMap<Fault, u64> {
        self.shared.orders().counts.clone()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Listens on a free port of the loopback interface that stays its own when it stops listening.
///
/// It does so only of a port that was asked for by its number, so another socket finds it first, and
/// shares it.
fn listen() -> TcpListener {
    let bind = |port| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseport(true).expect("share the port");
        socket
            .bind((Ipv4Addr::LOCALHOST, port).into())
            .expect("bind to the loopback interface");
        socket
    };
    let finder = bind(0);
    let address = finder.local_addr().expect("a bound socket has an address");
    bind(address.port())
        .listen(BACKLOG)
        .expect("listen on the loopback interface")
}

async fn accept_all(mut listener: TcpListener, shared: Arc<Shared>) {
    let mut relays = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                shared.update(|progress| {
                    progress.accepted += 1;
                    progress.open += 1;
                });
                let shared = Arc::clone(&shared);
                relays.spawn(async move {
                    relay(client, &shared).await;
                    shared.update(|progress| progress.open -= 1);
                });
            }
            () = shared.wait_for(|progress| progress.wants_refusal) => {
                // Not closed: a process that a test is starting holds a copy of it for a moment, and
                // would go on listening.
                let socket = listener.into_std().expect("a socket apart from the runtime");
                shutdown(&socket, Shutdown::Read).expect("stop listening");
                shared.update(|progress| progress.refuses = true);
                shared.wait_for(|progress| !progress.wants_refusal).await;
                listen_on(&socket, BACKLOG as i32).expect("listen again");
                listener = TcpListener::from_std(socket).expect("a socket of the runtime");
                shared.update(|progress| progress.refuses = false);
            }
            Some(_) = relays.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Stage;
    use crate::{EmbeddedNode, RawClient};

    fn stored(client: &mut RawClient) {
        let reply = client.request(b"set k 0 0 1\r\nv\r\n", b"\r\n");
        assert_eq!(reply, b"STORED\r\n");
    }

    #[test]
    fn without_orders_it_passes_everything_on() {
        let node = EmbeddedNode::start();
        let proxy = FaultProxy::start(node.address());
        let mut client = RawClient::connect(proxy.address());
        let pipelined = client.request(
            b"set a 0 0 5\r\nEND\r\n\r\nget a\r\nincr a 1\r\nmn\r\n",
            b"MN\r\n",
        );
        let expected = "STORED\r\nVALUE a 0 5\r\nEND\r\n\r\nEND\r\nCLIENT_ERROR cannot increment or \
                        decrement non-numeric value\r\nMN\r\n";
        assert_eq!(
            pipelined.escape_ascii().to_string(),
            expected.escape_default().to_string()
        );
        assert_eq!((proxy.accepted(), proxy.struck()), (1, 0));
    }

    #[test]
    fn a_refusing_port_accepts_again_when_released() {
        let node = EmbeddedNode::start();
        let proxy = FaultProxy::start(node.address());
        let mut client = RawClient::connect(proxy.address());
        stored(&mut client);
        proxy.inject(Injection::new(Fault::Refuse, Stage::Sent));
        client.send(b"get k\r\n").unwrap();
        assert!(client.read_to_end().unwrap().is_empty());
        assert!(RawClient::try_connect(proxy.address()).is_err());
        proxy.release();
        let mut client = loop {
            if let Ok(client) = RawClient::try_connect(proxy.address()) {
                break client;
            }
        };
        stored(&mut client);
        assert_eq!(proxy.counts(), HashMap::from([(Fault::Refuse, 1)]));
    }

    #[test]
    fn a_fault_strikes_the_reply_of_its_request_alone() {
        let node = EmbeddedNode::start();
        let proxy = FaultProxy::start(node.address());
        let mut client = RawClient::connect(proxy.address());
        proxy.inject(Injection::new(Fault::Duplicate, Stage::Sent));
        let replies = client.request(b"set k 0 0 1\r\nv\r\nget k\r\nmn\r\n", b"MN\r\n");
        assert_eq!(
            replies,
            b"STORED\r\nSTORED\r\nVALUE k 0 1\r\nv\r\nEND\r\nMN\r\n"
        );
    }
}
