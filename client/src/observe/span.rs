//! The span of one operation.

use opentelemetry::global::BoxedSpan;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt as _, Tracer as _,
};
use opentelemetry::{Context, KeyValue};

use super::core::{Core, Parent};
use super::failure::{ErrorClass, status_code};
use super::labels::Labels;
use super::record::Peer;
use crate::error::Error;

/// Room for the attributes that come later, so that a span's list is allocated once.
const LATER_ATTRIBUTES: usize = 8;

pub(super) struct RunningSpan {
    span: BoxedSpan,
    parent: Context,
}

impl RunningSpan {
    /// Begins a span, unless nobody wants to see it.
    #[inline(never)]
    pub(super) fn begin(
        core: &Core,
        parent: Parent,
        labels: &Labels,
        more: impl FnOnce(&mut Vec<KeyValue>),
    ) -> Option<Self> {
        let mut attributes = Vec::with_capacity(labels.place.len() + LATER_ATTRIBUTES);
        attributes.extend_from_slice(&labels.place);
        more(&mut attributes);
        let builder = SpanBuilder::from_name(labels.span_name)
            .with_kind(SpanKind::Client)
            .with_attributes(attributes);
        let context = parent.context;
        let span = core.with_providers(|it| it.tracer.build_with_context(builder, &context));
        if span.is_recording() {
            return Some(Self {
                span,
                parent: context,
            });
        }
        // A tracer that does nothing hands the parent back, or nothing at all, where one that only
        // does not sample makes a new id.
        let made = span.span_context();
        if !made.is_valid() || made.span_id() == context.span().span_context().span_id() {
            core.found_silent(parent.generation);
        }
        None
    }

    /// The context of this span's children.
    pub(super) fn context(&self) -> Context {
        let own = self.span.span_context().clone();
        self.parent.with_remote_span_context(own)
    }

    pub(super) fn set(&mut self, name: &'static str, value: i64) {
        self.span.set_attribute(KeyValue::new(name, value));
    }

    pub(super) fn result(&mut self, result: &'static str) {
        self.span
            .set_attribute(KeyValue::new("memcached.result", result));
    }

    pub(super) fn peer(&mut self, peer: &Peer) {
        let address = super::labels::shared(&peer.address);
        self.span
            .set_attribute(KeyValue::new("network.peer.address", address));
        self.set("network.peer.port", i64::from(peer.port));
    }

    pub(super) fn event(&mut self, name: &'static str, attributes: Vec<KeyValue>) {
        self.span.add_event(name, attributes);
    }

    pub(super) fn fail(&mut self, error: &Error) {
        let class = ErrorClass::of(error);
        self.span
            .set_attribute(KeyValue::new("error.type", class.as_str()));
        if let Some(code) = status_code(error) {
            self.span
                .set_attribute(KeyValue::new("db.response.status_code", code));
        }
        self.span.set_status(Status::error(class.description()));
    }

    pub(super) fn cancel(&mut self) {
        self.span
            .set_attribute(KeyValue::new("memcached.cancelled", true));
    }

    /// Ends the span now.
    ///
    /// Its beginning plus the time that the operation took would be one look at the clock less. But
    /// the operation began sooner than its span, and where the thread was interrupted in between, the
    /// span would outlast its parent: Jaeger takes that for a clock that goes wrong, and warns.
    pub(super) fn end(mut self) {
        self.span.end();
    }
}

impl std::fmt::Debug for RunningSpan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.span.span_context().fmt(f)
    }
}
