//! The breaker of each node: after failures in a row it is left out, until it has answered again.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Cluster;
use super::node::Node;
use crate::error::{Error, ErrorKind, Result};
use crate::net::Backoff;
use crate::proto::command::admin::Version;

/// When a node is left out, and how it comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Breaker {
    /// Failures in a row after which the node is left out.
    pub(crate) after: u32,
    /// Whether failures to connect count. Otherwise only time-outs do: while a node can't be
    /// dialled, its connections fail fast by themselves, and know first when it is back.
    pub(crate) counts_connections: bool,
    /// Whether the node also rests before the first probe.
    pub(crate) rests_first: bool,
    /// How long it rests between probes; the random part is at least half.
    pub(crate) pauses: Backoff,
    /// How long the answer to a probe is waited for.
    pub(crate) probe_timeout: Duration,
}

/// In one number, so that an operation on a node that works looks at it twice and no more.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU32);

const OUT: u32 = 1 << 31;

impl Health {
    pub(crate) fn is_out(&self) -> bool {
        self.0.load(Ordering::Acquire) & OUT != 0
    }

    /// The node has answered. That ends a run of failures, but not an absence: a reply that was
    /// under way says little about a node that was left out since.
    fn answered(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.fetch_and(OUT, Ordering::Relaxed);
        }
    }

    /// One more failure; tells whether it is the one that puts the node out.
    fn failed(&self, limit: u32) -> bool {
        let count = |state: u32| {
            let failures = (state & !OUT) + 1;
            let is_out = state & OUT != 0 || failures >= limit;
            Some(failures.min(OUT - 1) | if is_out { OUT } else { 0 })
        };
        let before = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, count);
        before.is_ok_and(|before| before & OUT == 0 && before + 1 >= limit)
    }

    fn back(&self) {
        self.0.store(0, Ordering::Release);
    }
}

/// Whether so many of all nodes are out that none is left out.
pub(super) const fn is_most(out: usize, of: usize) -> bool {
    out * 2 > of
}

/// Whether an error says something about the node's health.
pub(crate) fn is_failure(error: &Error) -> bool {
    error.is_connection() || error.kind() == ErrorKind::Timeout
}

impl Cluster {
    /// Fails at once if `node` is left out.
    #[inline]
    pub(super) fn admit(&self, node: &Node) -> Result<()> {
        match node.health().is_out() {
            true => self.admit_if_most_are_out(node),
            false => Ok(()),
        }
    }

    #[cold]
    fn admit_if_most_are_out(&self, node: &Node) -> Result<()> {
        if self.fails_open_without(node) {
            return Ok(());
        }
        let detail = "it has not answered several operations in a row";
        Err(Error::with_detail(ErrorKind::NodeDown, detail).at(node.name()))
    }

    /// Whether so many nodes are out that none is left out: if it is most of them, it is more likely
    /// that this client is cut off, or too slow itself.
    pub(super) fn fails_open(&self) -> bool {
        let topology = self.topology();
        let nodes = topology.nodes();
        let out = nodes.iter().filter(|node| node.health().is_out()).count();
        is_most(out, nodes.len())
    }

    /// The same, with `node` out whatever is heard of it meanwhile: if it came back between one look
    /// and the next, the only node would be counted as none that is out.
    fn fails_open_without(&self, node: &Node) -> bool {
        let topology = self.topology();
        let nodes = topology.nodes();
        let is_out = |other: &&Arc<Node>| std::ptr::eq(&***other, node) || other.health().is_out();
        is_most(nodes.iter().filter(is_out).count(), nodes.len())
    }

    /// Takes note of how an operation on `node` went.
    #[inline]
    pub(super) fn note(&self, node: &Arc<Node>, error: Option<&Error>) {
        match error {
            None => node.health().answered(),
            Some(error) => self.note_error(node, error),
        }
    }

    #[cold]
    fn note_error(&self, node: &Arc<Node>, error: &Error) {
        if !is_failure(error) {
            // If nothing was sent, it says nothing about the node.
            if error.was_sent() {
                node.health().answered();
            }
            return;
        }
        let counts = error.kind() == ErrorKind::Timeout || self.breaker.counts_connections;
        if counts && node.health().failed(self.breaker.after) {
            node.record().count_ejected(error, self.fails_open());
            let probing = probe(Arc::downgrade(node), self.breaker);
            node.runtime().spawn(probing);
        }
    }
}

/// Asks a node that was left out whether it is back, until it answers. A connection alone is no
/// answer: the kernel accepts connections for a server that stands still.
async fn probe(node: Weak<Node>, breaker: Breaker) {
    let mut pauses = breaker.pauses;
    let mut pause = || pauses.next(0.5 + fastrand::f64() / 2.0);
    if breaker.rests_first {
        tokio::time::sleep(pause()).await;
    }
    loop {
        // It may have left the cluster meanwhile, or the client may be gone.
        let Some(node) = node.upgrade() else {
            return;
        };
        let deadline = (tokio::time::Instant::now() + breaker.probe_timeout).into_std();
        match node.execute(&Version, deadline, &mut None).await {
            Ok(_) => {
                node.health().back();
                return node.record().count_returned();
            }
            Err(error) if error.kind() == ErrorKind::ClientClosed => return,
            Err(_) => {}
        }
        drop(node);
        tokio::time::sleep(pause()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_put_a_node_out_once_and_only_an_answer_to_a_probe_brings_it_back() {
        let health = Health::default();
        assert!(!health.failed(2));
        health.answered();
        assert!(!health.failed(2));
        assert!(health.failed(2) && health.is_out());
        assert!(!health.failed(2), "it is out already");
        health.answered();
        assert!(health.is_out());
        health.back();
        assert!(!health.is_out() && !health.failed(2));
    }
}
