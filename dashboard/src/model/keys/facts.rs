//! What a node tells of one key.

use std::time::Duration;

use bytes::Bytes;
use memlens::TimeToLive;

/// What a node tells of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The length of the value, in bytes.
    pub size: Option<u64>,
    /// The client flags: which type the application's client gave the value.
    pub client_flags: Option<u32>,
    /// How long it will live.
    pub time_to_live: Option<TimeToLive>,
    /// How long ago it was read last.
    pub last_access: Option<Duration>,
    /// Whether it was read since it was stored.
    pub was_hit_before: Option<bool>,
    /// The value, when it was asked for.
    pub value: Option<Bytes>,
}

/// Shows the length of the value only.
impl std::fmt::Debug for KeyFacts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KeyFacts")
            .field("size", &self.size)
            .field("client_flags", &self.client_flags)
            .field("time_to_live", &self.time_to_live)
            .field("value_len", &self.value.as_ref().map(Bytes::len))
            .finish_non_exhaustive()
    }
}
