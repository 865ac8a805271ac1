//! The counters and gauges, and what each of their numbers is about.

use std::collections::HashMap;
use std::sync::Arc;

use opentelemetry::KeyValue;

use super::failure::ErrorClass;
use super::labels::{method_failed, place_attributes, shared};
use super::observer::NodeGauges;
use super::operation::Operation;
use super::record::Place;

macro_rules! instruments {
    ($kind:ident; $($variant:ident $name:literal $unit:literal $description:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $kind {
            $($variant,)*
        }

        impl $kind {
            pub(super) const ALL: &'static [Self] = &[$(Self::$variant),*];

            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            pub(super) const fn unit(self) -> &'static str {
                match self {
                    $(Self::$variant => $unit,)*
                }
            }

            pub(super) const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)*
                }
            }
        }
    };
}

instruments! { Counter;
    Calls "memcached.client.calls" "{call}"
        "Calls of the client's methods, by method, status and error.",
    Lookups "memcached.client.lookups" "{key}"
        "Keys that were looked up, by hit or miss.",
    Io "memcached.client.io" "By"
        "Bytes written to and read from connections.",
    Retries "memcached.client.retries" "{request}"
        "Requests that were sent again, by the reason.",
    Errors "memcached.client.errors" "{error}"
        "Failures of nodes, also those that a retry made good.",
    Ejections "memcached.client.ejections" "{ejection}"
        "How often a node was taken out for a while, by the reason.",
    Returns "memcached.client.returns" "{return}"
        "How often a node that was taken out came back.",
    Timeouts "db.client.connection.timeouts" "{timeout}"
        "Operations that got no connection, or no room on one, in time.",
}

instruments! { Gauge;
    Up "memcached.client.node.up" "{node}"
        "Whether the last attempt to connect to the node succeeded.",
    Out "memcached.client.node.out" "{node}"
        "Whether the node is taken out until it answers again.",
    InFlight "memcached.client.in_flight" "{request}"
        "Requests that wait for their reply.",
    Connections "db.client.connection.count" "{connection}"
        "Open connections, by state.",
    PendingRequests "db.client.connection.pending_requests" "{request}"
        "Requests that wait for a connection, or for room on one.",
}

impl Gauge {
    /// Whether the numbers of several clients are summed, and sums over nodes make sense.
    pub(super) const fn adds_up(self) -> bool {
        matches!(self, Self::Connections | Self::PendingRequests)
    }
}

/// A node's name and place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct At {
    pub(super) name: Arc<str>,
    pub(super) address: Arc<str>,
    pub(super) port: Option<u16>,
}

impl At {
    pub(super) fn new(name: &Arc<str>, place: &Place) -> Self {
        Self {
            name: Arc::clone(name),
            address: Arc::clone(&place.address),
            port: place.port,
        }
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let place = Place {
            address: Arc::clone(&self.address),
            port: self.port,
        };
        place_attributes(&place).collect()
    }

    fn pool(&self) -> KeyValue {
        KeyValue::new("db.client.connection.pool.name", shared(&self.name))
    }
}

/// What a number of a counter is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum CounterSample {
    Calls(Operation, Option<ErrorClass>),
    Lookups(At, bool),
    Io(At, &'static str),
    Retries(At, ErrorClass),
    Errors(At, ErrorClass),
    Ejections(At, ErrorClass),
    Returns(At),
    Timeouts(At),
}

impl CounterSample {
    pub(super) const fn counter(&self) -> Counter {
        match self {
            Self::Calls(..) => Counter::Calls,
            Self::Lookups(..) => Counter::Lookups,
            Self::Io(..) => Counter::Io,
            Self::Retries(..) => Counter::Retries,
            Self::Errors(..) => Counter::Errors,
            Self::Ejections(..) => Counter::Ejections,
            Self::Returns(_) => Counter::Returns,
            Self::Timeouts(..) => Counter::Timeouts,
        }
    }

    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let (at, more) = match self {
            Self::Calls(operation, Some(class)) => {
                return method_failed(*operation, *class).to_vec();
            }
            Self::Calls(operation, None) => {
                let method = KeyValue::new("method", operation.as_str());
                return vec![method, KeyValue::new("status", "ok")];
            }
            Self::Timeouts(at) => return vec![at.pool()],
            Self::Returns(at) => return at.attributes(),
            Self::Lookups(at, true) => (at, KeyValue::new("result", "hit")),
            Self::Lookups(at, false) => (at, KeyValue::new("result", "miss")),
            Self::Io(at, direction) => (at, KeyValue::new("network.io.direction", *direction)),
            Self::Retries(at, class) | Self::Errors(at, class) | Self::Ejections(at, class) => {
                (at, KeyValue::new("error.type", class.as_str()))
            }
        };
        let mut attributes = at.attributes();
        attributes.push(more);
        attributes
    }
}

/// What a number of a gauge is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum GaugeSample {
    Up(At),
    Out(At),
    InFlight(At),
    /// In this state.
    Connections(At, &'static str),
    PendingRequests(At),
}

impl GaugeSample {
    pub(super) const fn gauge(&self) -> Gauge {
        match self {
            Self::Up(_) => Gauge::Up,
            Self::Out(_) => Gauge::Out,
            Self::InFlight(_) => Gauge::InFlight,
            Self::Connections(..) => Gauge::Connections,
            Self::PendingRequests(_) => Gauge::PendingRequests,
        }
    }

    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        match self {
            Self::Up(at) | Self::Out(at) | Self::InFlight(at) => at.attributes(),
            Self::Connections(at, state) => {
                let state = KeyValue::new("db.client.connection.state", *state);
                vec![at.pool(), state]
            }
            Self::PendingRequests(at) => vec![at.pool()],
        }
    }
}

pub(super) type Counts = HashMap<CounterSample, u64>;
pub(super) type Levels = HashMap<GaugeSample, i64>;

impl NodeGauges {
    /// Adds one client's numbers to those of others.
    pub(super) fn add_to(&self, levels: &mut Levels) {
        let Some(place) = self.record.place() else {
            return;
        };
        let at = || At::new(self.record.name(), place);
        if let Some(is_up) = self.record.is_up() {
            // It is down if any of the clients can't reach it.
            let up = i64::from(is_up);
            let level = levels.entry(GaugeSample::Up(at())).or_insert(up);
            *level = up.min(*level);
        }
        // It is out if it is out for any of them.
        let out = i64::from(self.record.is_out());
        let level = levels.entry(GaugeSample::Out(at())).or_insert(out);
        *level = out.max(*level);
        for (sample, number) in [
            (GaugeSample::InFlight(at()), self.in_flight),
            (GaugeSample::Connections(at(), "used"), self.used),
            (GaugeSample::Connections(at(), "idle"), self.idle),
            (GaugeSample::PendingRequests(at()), self.pending),
        ] {
            *levels.entry(sample).or_insert(0) += number as i64;
        }
    }
}
