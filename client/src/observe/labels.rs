//! Names and attributes, rendered once for each operation and node.

use std::collections::HashSet;
use std::sync::Arc;

use opentelemetry::{KeyValue, Value};
use parking_lot::Mutex;

use super::failure::ErrorClass;
use super::operation::Operation;
use super::record::Place;

/// What is said of every call of one operation on one node, or on no particular node.
#[derive(Debug)]
pub(super) struct Labels {
    pub(super) span_name: &'static str,
    /// Of spans, from their start, and of the duration of calls that did not fail.
    pub(super) place: Vec<KeyValue>,
    /// As `place`, without the node.
    pub(super) no_place: Vec<KeyValue>,
    /// Of the latency of calls that did not fail.
    pub(super) method_ok: [KeyValue; 2],
}

impl Labels {
    pub(super) fn new(operation: Operation, node: &str, place: Option<&Place>) -> Self {
        let name = operation.batch_name().unwrap_or(operation.as_str());
        let no_place = vec![
            KeyValue::new("db.system.name", "memcached"),
            KeyValue::new("db.operation.name", name),
        ];
        let mut with_place = no_place.clone();
        with_place.extend(place.into_iter().flat_map(place_attributes));
        Self {
            span_name: if node.is_empty() {
                name
            } else {
                intern(format!("{name} {node}"))
            },
            place: with_place,
            no_place,
            method_ok: [
                KeyValue::new("method", operation.as_str()),
                KeyValue::new("status", "ok"),
            ],
        }
    }
}

/// `server.address` and `server.port`.
pub(super) fn place_attributes(place: &Place) -> impl Iterator<Item = KeyValue> {
    let address = KeyValue::new("server.address", shared(&place.address));
    let port = |port| KeyValue::new("server.port", i64::from(port));
    std::iter::once(address).chain(place.port.map(port))
}

/// `method`, `status` and `error` of a call that failed.
pub(super) fn method_failed(operation: Operation, class: ErrorClass) -> [KeyValue; 3] {
    let status = match class {
        ErrorClass::Cancelled => "cancelled",
        _ => "error",
    };
    [
        KeyValue::new("method", operation.as_str()),
        KeyValue::new("status", status),
        KeyValue::new("error", class.as_str()),
    ]
}

pub(super) fn shared(text: &Arc<str>) -> Value {
    Value::from(Arc::clone(text))
}

/// Keeps `name` for ever, once.
///
/// The OpenTelemetry API takes span names as `Cow<'static, str>`: what is not static is copied for
/// every span. There are as many names as there are operations times names of nodes.
fn intern(name: String) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock();
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let name: &'static str = name.leak();
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_once() {
        let place = Place {
            address: "cache-01".into(),
            port: Some(11211),
        };
        let labels = || Labels::new(Operation::SetMulti, "cache-01:11211", Some(&place));
        let (first, second) = (labels(), labels());
        assert_eq!(first.span_name, "BATCH set cache-01:11211");
        assert!(std::ptr::eq(first.span_name, second.span_name));
        assert_eq!(first.place[3], KeyValue::new("server.port", 11211_i64));
        assert_eq!(first.no_place.len(), 2);
    }
}
