//! The counters and gauges of all clients that share a meter provider.
//!
//! They are observable instruments: the numbers are read when the application collects its metrics,
//! and cost nothing before. Their callbacks can never be unregistered, so they are registered once
//! for each provider, hold a client's gauges weakly, and keep the counts of clients that are gone,
//! because a counter must not fall.

use std::sync::{Arc, Weak};

use opentelemetry::metrics::{Meter, MeterProvider};
use parking_lot::Mutex;

use super::observer::{Gauges, Observer};
use super::sample::{Counter, Counts, Gauge, Levels};

type SharedMeterProvider = Arc<dyn MeterProvider + Send + Sync>;

#[derive(Default)]
pub(super) struct Fleet {
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    clients: Vec<Member>,
    /// The counts of clients that are gone.
    past: Counts,
}

struct Member {
    observer: Arc<Observer>,
    gauges: Weak<dyn Gauges>,
}

impl Fleet {
    /// The fleet of this provider. Providers are told apart by their pointer.
    pub(super) fn of(provider: &SharedMeterProvider, meter: &Meter) -> Arc<Self> {
        // A weak pointer keeps the address from being used for another provider.
        type Known = (Weak<dyn MeterProvider + Send + Sync>, Arc<Fleet>);
        static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock();
        known.retain(|(provider, _)| provider.strong_count() > 0);
        let is_same = |other: &Known| std::ptr::addr_eq(other.0.as_ptr(), Arc::as_ptr(provider));
        if let Some((_, fleet)) = known.iter().find(|other| is_same(other)) {
            return Arc::clone(fleet);
        }
        let fleet = Arc::new(Self::default());
        fleet.register(meter);
        known.push((Arc::downgrade(provider), Arc::clone(&fleet)));
        fleet
    }

    fn register(self: &Arc<Self>, meter: &Meter) {
        for counter in Counter::ALL {
            let fleet = Arc::clone(self);
            meter
                .u64_observable_counter(counter.name())
                .with_unit(counter.unit())
                .with_description(counter.description())
                .with_callback(move |instrument| {
                    for (sample, count) in fleet.counts() {
                        if sample.counter() == *counter {
                            instrument.observe(count, &sample.attributes());
                        }
                    }
                })
                .build();
        }
        for gauge in Gauge::ALL {
            let fleet = Arc::clone(self);
            let observe = move |emit: &mut dyn FnMut(i64, &[opentelemetry::KeyValue])| {
                for (sample, level) in fleet.levels() {
                    if sample.gauge() == *gauge {
                        emit(level, &sample.attributes());
                    }
                }
            };
            if gauge.adds_up() {
                meter
                    .i64_observable_up_down_counter(gauge.name())
                    .with_unit(gauge.unit())
                    .with_description(gauge.description())
                    .with_callback(move |instrument| {
                        observe(&mut |level, attributes| instrument.observe(level, attributes));
                    })
                    .build();
            } else {
                meter
                    .i64_observable_gauge(gauge.name())
                    .with_unit(gauge.unit())
                    .with_description(gauge.description())
                    .with_callback(move |instrument| {
                        observe(&mut |level, attributes| instrument.observe(level, attributes));
                    })
                    .build();
            }
        }
    }

    pub(super) fn join(&self, observer: &Arc<Observer>, gauges: Weak<dyn Gauges>) {
        let mut members = self.members.lock();
        members.bury();
        let observer = Arc::clone(observer);
        members.clients.push(Member { observer, gauges });
    }

    pub(super) fn leave(&self, observer: &Arc<Observer>) {
        let mut members = self.members.lock();
        let Members { clients, past } = &mut *members;
        clients.retain(|member| {
            let stays = !Arc::ptr_eq(&member.observer, observer);
            if !stays {
                member.observer.count(past);
            }
            stays
        });
    }

    fn counts(&self) -> Counts {
        let mut members = self.members.lock();
        members.bury();
        let mut counts = members.past.clone();
        for member in &members.clients {
            member.observer.count(&mut counts);
        }
        counts
    }

    fn levels(&self) -> Levels {
        let members = self.members.lock();
        let mut levels = Levels::default();
        for gauges in members.clients.iter().filter_map(|it| it.gauges.upgrade()) {
            for node in gauges.gauges() {
                node.add_to(&mut levels);
            }
        }
        levels
    }
}

impl Members {
    /// Adds the counts of clients that are gone to those of the past.
    fn bury(&mut self) {
        let past = &mut self.past;
        self.clients.retain(|member| {
            let is_gone = member.gauges.strong_count() == 0 && member.observer.is_unused();
            if is_gone {
                member.observer.count(past);
            }
            !is_gone
        });
    }
}
