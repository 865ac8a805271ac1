//! Log events, with the feature `tracing`: what changes between the client and a node. Never one for
//! each operation, and never a key, a value or the text of an error.

#[cfg(feature = "tracing")]
mod events {
    use std::time::Duration;

    use super::super::failure::ErrorClass;

    pub(in super::super) fn connected(node: &str, took: Duration) {
        let took_us = took.as_micros() as u64;
        tracing::debug!(target: "memlens", node, took_us, "connected");
    }

    pub(in super::super) fn dial_failed(node: &str, class: ErrorClass) {
        tracing::warn!(target: "memlens", node, error = class.as_str(), "could not connect");
    }

    pub(in super::super) fn lost(node: &str, class: ErrorClass) {
        tracing::warn!(target: "memlens", node, error = class.as_str(), "lost the connection");
    }

    pub(in super::super) fn ejected(node: &str, class: ErrorClass, most_are_out: bool) {
        let error = class.as_str();
        tracing::warn!(target: "memlens", node, error, "took the node out");
        if most_are_out {
            tracing::warn!(target: "memlens", "most nodes are out: operations go to all of them");
        }
    }

    pub(in super::super) fn returned(node: &str) {
        tracing::info!(target: "memlens", node, "took the node back in");
    }

    pub(in super::super) fn retried(node: &str, class: ErrorClass) {
        tracing::debug!(target: "memlens", node, error = class.as_str(), "sent a request again");
    }

    pub(crate) fn not_refreshed() {
        tracing::warn!(target: "memlens", "a computation failed; the old value is served on");
    }

    pub(crate) fn not_stored(class: ErrorClass) {
        tracing::debug!(target: "memlens", error = class.as_str(), "a computed value was not stored");
    }

    pub(crate) fn password_in_clear(node: &str) {
        tracing::warn!(target: "memlens", node, "the password goes over the network in clear; use TLS");
    }

    #[cfg(feature = "tls")]
    pub(crate) fn unusable_certificates() {
        tracing::warn!(
            target: "memlens",
            "TLS: the files of certificates and keys are of no use as they are; going on with the earlier ones"
        );
    }

    #[cfg(feature = "dangerous-tls")]
    pub(crate) fn trust_in_anyone() {
        tracing::warn!(
            target: "memlens",
            "TLS takes any server's certificate: whoever is in between can read and change everything"
        );
    }
}

#[cfg(not(feature = "tracing"))]
mod events {
    use std::time::Duration;

    use super::super::failure::ErrorClass;

    pub(in super::super) const fn connected(_: &str, _: Duration) {}
    pub(in super::super) const fn dial_failed(_: &str, _: ErrorClass) {}
    pub(in super::super) const fn lost(_: &str, _: ErrorClass) {}
    pub(in super::super) const fn ejected(_: &str, _: ErrorClass, _: bool) {}
    pub(in super::super) const fn returned(_: &str) {}
    pub(in super::super) const fn retried(_: &str, _: ErrorClass) {}
    pub(crate) const fn not_refreshed() {}
    pub(crate) const fn not_stored(_: ErrorClass) {}
    pub(crate) const fn password_in_clear(_: &str) {}
    #[cfg(feature = "tls")]
    pub(crate) const fn unusable_certificates() {}
    #[cfg(feature = "dangerous-tls")]
    pub(crate) const fn trust_in_anyone() {}
}

#[cfg(feature = "dangerous-tls")]
pub(crate) use events::trust_in_anyone;
#[cfg(feature = "tls")]
pub(crate) use events::unusable_certificates;
pub(super) use events::{connected, dial_failed, ejected, lost, retried, returned};
pub(crate) use events::{not_refreshed, not_stored, password_in_clear};
