//! One operation under way, from its beginning to its end, whichever end that is.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;

use super::core::{Core, Parent};
use super::failure::{ErrorClass, status_code};
use super::labels::{Labels, method_failed, place_attributes};
use super::log;
use super::operation::{Operation, Scope};
use super::record::{NodeRecord, OperationRecord};
use super::span::RunningSpan;
use crate::error::{Error, ErrorKind, Result};
use crate::outcome::Outcome;

/// An operation that begins: which, when, and by when it has to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) operation: Operation,
    pub(crate) at: Instant,
    pub(crate) deadline: Instant,
}

impl Start {
    pub(crate) fn new(operation: Operation, timeout: Duration) -> Self {
        let at = now();
        Self {
            operation,
            at,
            deadline: at + timeout,
        }
    }
}

/// The clock of the client's deadlines, so that tests which stop it see no time pass.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// What a call is, of what its operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The whole: it concerns one node, or failed before one was chosen.
    One,
    /// The whole of an operation on many keys.
    Many,
    /// What an operation on many keys does on one node.
    Part,
}

/// An operation that is observed. Dropping it before it is finished says that the caller has
/// dropped the operation.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    kind: Kind,
    core: &'a Core,
    node: &'a NodeRecord,
    /// Where it is counted.
    record: &'a OperationRecord,
    labels: &'a Labels,
    began: Instant,
    span: Option<RunningSpan>,
    outcome: Outcome,
    /// Of an operation on many keys.
    hits: u64,
    retries: u32,
    is_over: bool,
}

/// How an operation on many keys ended, or its part on one node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally<'e> {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    /// Of the whole.
    pub(crate) failed_nodes: usize,
    pub(crate) first_error: Option<&'e Error>,
}

impl<'e> Tally<'e> {
    /// Adds up what became of the keys.
    pub(crate) fn of(
        outcomes: impl Iterator<Item = Result<Option<Outcome>, &'e Error>>,
        failed_nodes: usize,
    ) -> Self {
        let mut tally = Self {
            failed_nodes,
            ..Self::default()
        };
        for outcome in outcomes {
            match outcome {
                Ok(Some(Outcome::Hit(_))) => tally.hits += 1,
                Ok(Some(Outcome::Miss)) => tally.misses += 1,
                Ok(_) => {}
                Err(error) => tally.first_error = tally.first_error.or(Some(error)),
            }
        }
        tally
    }
}

impl NodeRecord {
    /// Begins an operation on this node, on `key` if it is about one; `None` if nobody observes it.
    #[inline]
    pub(crate) fn begin(&self, start: Start, key: Option<&[u8]>) -> Option<Call<'_>> {
        let core = self.core()?;
        let record = self.operation(start.operation);
        let place = (self, record, &record.labels);
        let mut call = Call::new(Kind::One, core, place, start.at);
        // Not by way of an `Option` that is handed on: a span is large, and rarely there.
        if let Some(parent) = core.parent() {
            call.span = RunningSpan::begin(core, parent, &record.labels, |attributes| {
                attributes.extend(key.and_then(|key| core.keys.attribute(key)));
            });
        }
        Some(call)
    }

    /// Begins an operation on `keys` keys, which lie on `nodes`; `self` counts those that concern no
    /// particular node.
    pub(super) fn begin_many<'a>(
        &'a self,
        start: Start,
        keys: usize,
        mut nodes: impl ExactSizeIterator<Item = &'a Self>,
    ) -> Option<Call<'a>> {
        let core = self.core()?;
        let node_count = nodes.len();
        let named = nodes.next().filter(|_| node_count == 1).unwrap_or(self);
        // A batch of one is no batch.
        let is_batch = start.operation.batch_name().is_some();
        let operation = match keys {
            1 if is_batch => start.operation.for_one_key(),
            _ => start.operation,
        };
        let labels = &named.operation(operation).labels;
        let span = core.parent().and_then(|parent| {
            RunningSpan::begin(core, parent, labels, |attributes| {
                if is_batch && keys > 1 {
                    attributes.push(KeyValue::new("db.operation.batch.size", keys as i64));
                }
                attributes.push(KeyValue::new("memcached.keys.count", keys as i64));
                attributes.push(KeyValue::new("memcached.nodes.count", node_count as i64));
            })
        });
        let record = self.operation(start.operation);
        let mut call = Call::new(Kind::Many, core, (named, record, labels), start.at);
        call.span = span;
        Some(call)
    }
}

impl<'a> Call<'a> {
    fn new(
        kind: Kind,
        core: &'a Core,
        (node, record, labels): (&'a NodeRecord, &'a OperationRecord, &'a Labels),
        began: Instant,
    ) -> Self {
        Self {
            kind,
            core,
            node,
            record,
            labels,
            began,
            span: None,
            outcome: Outcome::Ok,
            hits: 0,
            retries: 0,
            is_over: false,
        }
    }

    /// Begins what this operation on many keys does on `node`, with `keys` of them. It gets a span
    /// of its own when it `is_one_of_several` and the whole has one.
    pub(crate) fn part<'p>(
        &self,
        node: &'p NodeRecord,
        keys: usize,
        is_one_of_several: bool,
    ) -> Option<Call<'p>> {
        let core = node.core()?;
        let record = node.operation(self.record.operation);
        let labels = &node.operation(self.record.operation.for_one_key()).labels;
        let parent = self.span.as_ref().filter(|_| is_one_of_several);
        let span = parent.and_then(|whole| {
            let parent = Parent::of_child(whole.context());
            RunningSpan::begin(core, parent, labels, |attributes| {
                attributes.push(KeyValue::new("memcached.keys.count", keys as i64));
            })
        });
        let mut call = Call::new(Kind::Part, core, (node, record, labels), now());
        call.span = span;
        Some(call)
    }

    /// The server has answered, and this is what it did.
    pub(crate) fn answered(&mut self, outcome: Outcome) {
        self.outcome = outcome;
        if self.record.operation.is_lookup() {
            let count = match outcome {
                Outcome::Miss => &self.record.misses,
                _ => &self.record.hits,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The request failed, and is sent to the same node again.
    pub(crate) fn retrying(&mut self, error: &Error) {
        let class = ErrorClass::of(error);
        self.retries += 1;
        self.node.errors.count(class);
        self.node.retries.count(class);
        log::retried(self.node.name(), class);
        if let Some(span) = &mut self.span {
            let class = KeyValue::new("error.type", class.as_str());
            span.event("memcached.retry", vec![class]);
        }
    }

    /// The request failed, and the caller is spared the failure.
    pub(crate) fn handled(&mut self, error: &Error) {
        self.node.errors.count(ErrorClass::of(error));
    }

    /// The request failed or could not be sent, and goes to another node.
    pub(crate) fn failing_over(&mut self, to: &'a NodeRecord, error: &Error) {
        let class = ErrorClass::of(error);
        self.retries += 1;
        self.node.errors.count(class);
        if let Some(span) = &mut self.span {
            let mut attributes = vec![KeyValue::new("error.type", class.as_str())];
            attributes.extend(to.place().into_iter().flat_map(place_attributes));
            span.event("memcached.failover", attributes);
        }
        self.node = to;
    }

    /// Ends an operation on one node.
    ///
    /// It is ended where it is: moving it out of the caller's future would cost more than all of
    /// the counting.
    #[inline]
    pub(crate) fn finish(&mut self, error: Option<&Error>) {
        self.end(error, 0);
    }

    /// Ends an operation on many keys, or its part on one node.
    pub(crate) fn finish_many(mut self, tally: Tally<'_>) {
        if self.record.operation.is_lookup() {
            self.hits = tally.hits;
            self.record.hits.fetch_add(tally.hits, Ordering::Relaxed);
            self.record
                .misses
                .fetch_add(tally.misses, Ordering::Relaxed);
        }
        self.end(tally.first_error, tally.failed_nodes);
    }

    fn end(&mut self, error: Option<&Error>, failed_nodes: usize) {
        self.is_over = true;
        let elapsed = now().saturating_duration_since(self.began);
        match error {
            None => self.succeeded(elapsed),
            Some(error) => self.failed(elapsed, error),
        }
        if self.span.is_some() {
            self.end_span(error, failed_nodes);
        }
    }

    #[inline]
    fn succeeded(&self, elapsed: Duration) {
        self.record.latency.record(elapsed);
        if self.kind == Kind::Part {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        // A batch of one has the span of a single operation, but is a call of its own method.
        let method = &self.record.labels.method_ok;
        self.core.with_providers(|providers| {
            providers.duration.record(seconds, self.place());
            providers.latency.record(seconds * 1e3, method);
        });
    }

    #[cold]
    fn failed(&self, elapsed: Duration, error: &Error) {
        let class = ErrorClass::of(error);
        self.record.failures.count(class);
        // The whole of many counts none: its parts have. And what the caller did wrong is no
        // failure of a node.
        let is_callers = matches!(
            error.kind(),
            ErrorKind::InvalidKey | ErrorKind::InvalidInput
        );
        if self.kind != Kind::Many && !is_callers {
            self.node.errors.count(class);
        }
        self.measure_failure(elapsed, class, status_code(error));
    }

    /// Records the duration of what failed, or was dropped, where the application's metrics are.
    #[cold]
    fn measure_failure(&self, elapsed: Duration, class: ErrorClass, code: Option<&'static str>) {
        if self.kind == Kind::Part {
            return;
        }
        let seconds = elapsed.as_secs_f64();
        let mut attributes = self.place().to_vec();
        attributes.push(KeyValue::new("error.type", class.as_str()));
        attributes.extend(code.map(|code| KeyValue::new("db.response.status_code", code)));
        let method = method_failed(self.record.operation, class);
        self.core.with_providers(|providers| {
            providers.duration.record(seconds, &attributes);
            providers.latency.record(seconds * 1e3, &method);
        });
    }

    /// What durations tell of where it was.
    #[inline]
    fn place(&self) -> &'a [KeyValue] {
        match self.core.names_nodes() {
            true => &self.labels.place,
            false => &self.labels.no_place,
        }
    }

    #[inline(never)]
    fn end_span(&mut self, error: Option<&Error>, failed_nodes: usize) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        let is_of_one_node = self.node.place().is_some();
        if let Some(peer) = self.node.peer().filter(|_| is_of_one_node) {
            span.peer(&peer);
        }
        if self.retries > 0 {
            span.set("memcached.retry.count", i64::from(self.retries));
        }
        if self.record.operation.scope() == Scope::Keys && self.record.operation.is_lookup() {
            span.set("db.response.returned_rows", self.hits as i64);
        }
        match self.kind {
            Kind::Many => span.set("memcached.nodes.failed", failed_nodes as i64),
            Kind::One if error.is_none() => {
                span.result(self.outcome.as_str());
                if let Outcome::Hit(Some(size)) = self.outcome {
                    span.set("memcached.value.size", size as i64);
                }
            }
            Kind::One | Kind::Part => {}
        }
        if let Some(error) = error {
            span.fail(error);
        }
        span.end();
    }
}

impl Drop for Call<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_over {
            self.cancelled();
        }
    }
}

impl Call<'_> {
    #[cold]
    fn cancelled(&mut self) {
        let elapsed = now().saturating_duration_since(self.began);
        self.record.failures.count(ErrorClass::Cancelled);
        self.measure_failure(elapsed, ErrorClass::Cancelled, None);
        if let Some(mut span) = self.span.take() {
            span.cancel();
            span.end();
        }
    }
}
