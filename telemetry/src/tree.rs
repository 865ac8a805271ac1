//! Finished spans as a tree of text.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

/// Collects spans as they end, and shows them as a tree: for demonstrations and tests, where no
/// back end draws one.
///
/// ```text
/// MemcachedUsage  12.1 ms
///   nth_fibonacci  4.2 ms
///     get cache-01:11211  0.2 ms  hit
///     · Cache hit
/// ```
///
/// It keeps every span until it is dropped. Clones share what they collect.
#[derive(Clone, Debug, Default)]
pub struct SpanTree {
    spans: Arc<Mutex<Vec<SpanData>>>,
}

impl SpanTree {
    /// A tree without spans.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The spans that have ended so far, in that order.
    #[must_use]
    pub fn spans(&self) -> Vec<SpanData> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SpanData>> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for SpanTree {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.lock().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl fmt::Display for SpanTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut spans = self.spans();
        spans.sort_by_key(|span| span.start_time);
        let known: std::collections::HashSet<SpanId> = spans
            .iter()
            .map(|span| span.span_context.span_id())
            .collect();
        let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
        let mut roots = Vec::new();
        for span in &spans {
            if known.contains(&span.parent_span_id) {
                children.entry(span.parent_span_id).or_default().push(span);
            } else {
                roots.push(span);
            }
        }
        for root in roots {
            show(f, root, &children, 0)?;
        }
        Ok(())
    }
}

fn show(
    f: &mut fmt::Formatter<'_>,
    span: &SpanData,
    children: &HashMap<SpanId, Vec<&SpanData>>,
    depth: usize,
) -> fmt::Result {
    let indent = depth * 2;
    let took = span
        .end_time
        .duration_since(span.start_time)
        .unwrap_or_default();
    let milliseconds = took.as_secs_f64() * 1e3;
    write!(f, "{:indent$}{}  {milliseconds:.3} ms", "", span.name)?;
    let result = span
        .attributes
        .iter()
        .find(|it| it.key.as_str() == "memcached.result");
    if let Some(result) = result {
        write!(f, "  {}", result.value)?;
    }
    if let Status::Error { description } = &span.status {
        write!(f, "  error: {description}")?;
    }
    writeln!(f)?;
    for event in span.events.iter() {
        writeln!(f, "{:indent$}  · {}", "", event.name)?;
    }
    for child in children
        .get(&span.span_context.span_id())
        .into_iter()
        .flatten()
    {
        show(f, child, children, depth + 1)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    #[test]
    fn children_stand_under_their_parents() {
        let tree = SpanTree::new();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(tree.clone())
            .build();
        let tracer = provider.tracer("test");
        tracer.in_span("outer", |context| {
            tracer.in_span("inner", |_| ());
            context.span().add_event("done", Vec::new());
        });
        let text = tree.to_string();
        let shape: Vec<String> = text
            .lines()
            .map(|line| {
                line.split("  ")
                    .filter(|it| !it.is_empty())
                    .take(1)
                    .collect()
            })
            .collect();
        assert_eq!(shape, ["outer", "· done", "inner"], "{text}");
        assert!(
            text.lines().nth(2).unwrap().starts_with("  inner"),
            "{text}"
        );
    }
}
