//! Whether a node is left out for a while: after failures in a row, until it has answered again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::node::Node;
use crate::error::{Error, ErrorKind};
use crate::proto::command::admin::Version;

/// When a node is left out, and how it comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ejection {
    /// Failures in a row after which the node is left out.
    pub(crate) after: u32,
    /// How long it rests before it is asked whether it is back, and between askings.
    pub(crate) retry: Duration,
    /// How long each asking may take.
    pub(crate) timeout: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: AtomicU32,
    is_out: AtomicBool,
}

impl Health {
    pub(crate) fn is_out(&self) -> bool {
        self.is_out.load(Ordering::Acquire)
    }

    /// The node has answered. That ends a run of failures, but not an absence: a reply that was
    /// under way says little about a node that was left out since.
    fn answered(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// One more failure; tells whether it is the one that puts the node out.
    fn failed(&self, limit: u32) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
        failures >= limit && !self.is_out.swap(true, Ordering::AcqRel)
    }

    fn back(&self) {
        self.failures.store(0, Ordering::Relaxed);
        self.is_out.store(false, Ordering::Release);
    }
}

/// Whether an error says something about the node's health.
pub(crate) fn is_failure(error: &Error) -> bool {
    error.is_connection() || error.kind() == ErrorKind::Timeout
}

/// Takes note of how an operation on `node` went.
pub(crate) fn note(node: &Arc<Node>, error: Option<&Error>, ejection: Ejection) {
    match error {
        Some(error) if is_failure(error) => {
            if node.health().failed(ejection.after) {
                node.record().count_ejected(error);
                node.runtime().spawn(probe(Arc::clone(node), ejection));
            }
        }
        _ => node.health().answered(),
    }
}

/// Asks a node that was left out whether it is back, until it answers. A connection alone is no
/// answer: the kernel accepts connections for a server that stands still.
async fn probe(node: Arc<Node>, ejection: Ejection) {
    // Only this task holds the node: it has left the topology.
    while Arc::strong_count(&node) > 1 {
        let share = 0.5 + fastrand::f64() / 2.0;
        tokio::time::sleep(ejection.retry.mul_f64(share)).await;
        let deadline = (tokio::time::Instant::now() + ejection.timeout).into_std();
        if node.execute(&Version, deadline, &mut None).await.is_ok() {
            node.health().back();
            return;
        }
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
