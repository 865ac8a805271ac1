//! `stats settings`: how the server is configured.

use super::statistics;

statistics! {
    /// What `stats settings` says.
    pub struct Settings {
        /// The memory limit for items, in bytes (`-m`).
        maxbytes: u64,
        /// The connection limit (`-c`).
        maxconns: u64,
        /// The TCP port (`-p`).
        tcpport: u64,
        /// The UDP port, 0 when UDP is off.
        udpport: u64,
        /// Whether items are evicted when memory is full; otherwise stores fail (`-M`).
        evictions: bool,
        /// Factor between the chunk sizes of neighbouring slab classes (`-f`).
        growth_factor: f64,
        /// The smallest space for key, value and flags, in bytes (`-n`).
        chunk_size: u64,
        /// Worker threads (`-t`).
        num_threads: u64,
        /// Requests that a connection may make before others get their turn (`-R`).
        reqs_per_event: u64,
        /// Whether items carry a cas unique.
        cas_enabled: bool,
        /// Whether SASL authentication is on (`-S`).
        auth_enabled_sasl: bool,
        /// Whether authentication by the text protocol is on (`-Y`).
        auth_enabled_ascii: bool,
        /// The largest item, in bytes (`-I`).
        item_size_max: u64,
        /// Whether pages may move between slab classes.
        slab_reassign: bool,
        /// 0: pages move on command only; 1: slowly by themselves; 2: at each eviction.
        slab_automove: u64,
        /// The largest chunk, in bytes; larger items are split.
        slab_chunk_max: u64,
        /// Whether the crawler removes expired items.
        lru_crawler: bool,
        /// Whether the LRU is split into HOT, WARM and COLD.
        lru_segmented: bool,
        /// Share of the HOT list, in percent.
        hot_lru_pct: u64,
        /// Share of the WARM list, in percent.
        warm_lru_pct: u64,
        /// Whether `flush_all` is allowed (`-F` forbids it).
        flush_enabled: bool,
        /// Whether dumping keys is allowed (`-X` forbids it).
        dump_enabled: bool,
        /// The hash algorithm of the server's own table.
        hash_algorithm: Box<str>,
        /// Seconds after which an idle connection is closed; 0 is never.
        idle_timeout: u64,
        /// Whether `stats sizes` has a histogram.
        track_sizes: bool,
        /// Whether connections are encrypted.
        ssl_enabled: bool,
    }
}

impl Settings {
    /// Reads the answer of `stats settings`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut settings = Self::default();
        for (name, value) in pairs {
            settings.record(name, value);
        }
        settings
    }
}
