//! What all observed operations of a client share: where telemetry goes, and how much of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use arc_swap::ArcSwapOption;
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

use super::key_policy::KeyPolicy;
use super::providers::{Providers, Telemetry};

/// Which operations get a span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanMode {
    /// None.
    Off,
    /// Those whose parent is sampled, and those without a parent, for which the sampler decides.
    ///
    /// An operation under a parent that is not sampled then costs next to nothing.
    #[default]
    SampledParent,
    /// All: the sampler decides also under a parent that is not sampled.
    Always,
}

impl SpanMode {
    const fn from_u8(number: u8) -> Self {
        match number {
            0 => Self::Off,
            1 => Self::SampledParent,
            _ => Self::Always,
        }
    }
}

/// How a client is observed.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) telemetry: Option<Telemetry>,
    pub(crate) spans: SpanMode,
    pub(crate) root_spans: bool,
    pub(crate) keys: KeyPolicy,
    /// With more nodes than this, durations don't tell them apart.
    pub(crate) most_nodes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            telemetry: None,
            spans: SpanMode::default(),
            root_spans: true,
            keys: KeyPolicy::default(),
            most_nodes: 30,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Core {
    /// Those the client was made with.
    first: Arc<Providers>,
    /// Those that took their place, if any: see `generation`.
    later: ArcSwapOption<Providers>,
    /// 1, and one more for each time that the providers were replaced.
    generation: AtomicU32,
    /// The generation, if any, whose tracer was found to do nothing.
    silent: AtomicU32,
    spans: AtomicU8,
    root_spans: AtomicBool,
    pub(super) keys: KeyPolicy,
    most_nodes: usize,
    names_nodes: AtomicBool,
}

/// The generation of the providers that a client was made with.
const FIRST: u32 = 1;

/// The context of a new span, and the generation of the tracer that is to make it.
pub(super) struct Parent {
    pub(super) context: Context,
    pub(super) generation: u32,
}

impl Parent {
    /// Of a span under one that is recorded, so its tracer is not silent.
    pub(super) const fn of_child(context: Context) -> Self {
        Self {
            context,
            generation: 0,
        }
    }
}

impl Core {
    pub(super) fn new(options: Options) -> Self {
        let telemetry = options.telemetry.unwrap_or_else(Telemetry::global);
        Self {
            first: telemetry.into_providers(),
            later: ArcSwapOption::empty(),
            generation: AtomicU32::new(FIRST),
            silent: AtomicU32::new(0),
            spans: AtomicU8::new(options.spans as u8),
            root_spans: AtomicBool::new(options.root_spans),
            keys: options.keys,
            most_nodes: options.most_nodes,
            names_nodes: AtomicBool::new(true),
        }
    }

    /// Uses the providers as they are now.
    #[inline]
    pub(super) fn with_providers<T>(&self, work: impl FnOnce(&Providers) -> T) -> T {
        // Nearly always they are the first, and those cost no more than this look.
        if self.generation.load(Ordering::Acquire) == FIRST {
            return work(&self.first);
        }
        self.with_later_providers(work)
    }

    #[cold]
    fn with_later_providers<T>(&self, work: impl FnOnce(&Providers) -> T) -> T {
        let later = self.later.load();
        work(later.as_deref().unwrap_or(&self.first))
    }

    pub(super) fn set_providers(&self, providers: Arc<Providers>) -> Arc<Providers> {
        let old = self.later.swap(Some(providers));
        self.generation.fetch_add(1, Ordering::Release);
        old.unwrap_or_else(|| Arc::clone(&self.first))
    }

    pub(super) fn set_spans(&self, spans: SpanMode) {
        self.spans.store(spans as u8, Ordering::Relaxed);
    }

    pub(super) fn set_root_spans(&self, root_spans: bool) {
        self.root_spans.store(root_spans, Ordering::Relaxed);
    }

    pub(super) fn set_node_count(&self, nodes: usize) {
        self.names_nodes
            .store(nodes <= self.most_nodes, Ordering::Relaxed);
    }

    /// Whether durations tell the nodes apart.
    pub(super) fn names_nodes(&self) -> bool {
        self.names_nodes.load(Ordering::Relaxed)
    }

    /// The parent of a span for an operation that begins now; `None` if it gets none.
    ///
    /// This is asked for every operation, so it says no before anything is allocated.
    #[inline]
    pub(super) fn parent(&self) -> Option<Parent> {
        let mode = SpanMode::from_u8(self.spans.load(Ordering::Relaxed));
        let generation = self.generation.load(Ordering::Acquire);
        if mode == SpanMode::Off || self.silent.load(Ordering::Relaxed) == generation {
            return None;
        }
        // Only a copy leaves the closure: what runs inside of it must not touch the context.
        let context = Context::map_current(|current| {
            if current.is_telemetry_suppressed() {
                return None;
            }
            let span = current.span();
            let parent = span.span_context();
            let is_wanted = if parent.is_valid() {
                parent.is_sampled() || mode == SpanMode::Always
            } else {
                self.root_spans.load(Ordering::Relaxed)
            };
            is_wanted.then(|| current.clone())
        })?;
        Some(Parent {
            context,
            generation,
        })
    }

    /// The tracer of this generation makes nothing of what it is given.
    pub(super) fn found_silent(&self, generation: u32) {
        self.silent.store(generation, Ordering::Relaxed);
    }
}
