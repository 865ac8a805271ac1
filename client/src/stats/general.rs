//! `stats`: the whole server.

use super::statistics;

statistics! {
    /// What `stats` says of the whole server.
    ///
    /// Counters run since the process started, or since the last `stats reset`.
    pub struct General {
        /// The server's process id. A change means that the server was restarted.
        pid: u64,
        /// Seconds since the process started.
        uptime: u64,
        /// The server's clock, in seconds since 1970.
        time: u64,
        /// The server's version, as text.
        version: Box<str>,
        /// User CPU time of the process, in seconds.
        rusage_user: f64,
        /// System CPU time of the process, in seconds.
        rusage_system: f64,
        /// The configured connection limit. The server refuses earlier, because it keeps file
        /// descriptors for itself.
        max_connections: u64,
        /// Connections open now, the listening socket included.
        curr_connections: u64,
        /// Connections ever opened.
        total_connections: u64,
        /// Connections refused for want of room.
        rejected_connections: u64,
        /// Keys asked for by `get`, `gets` and `mg` without a new expiry.
        cmd_get: u64,
        /// Items offered by any storing command, stored or not.
        cmd_set: u64,
        /// `flush_all` commands.
        cmd_flush: u64,
        /// Keys touched by `touch`, `gat`, `gats` and `mg` with a new expiry.
        cmd_touch: u64,
        /// `me` commands. The other meta commands are inside the classic counters.
        cmd_meta: u64,
        /// Keys of `cmd_get` that were found.
        get_hits: u64,
        /// Keys of `cmd_get` that were not found.
        get_misses: u64,
        /// Misses of keys that had expired.
        get_expired: u64,
        /// Misses of keys that had been flushed.
        get_flushed: u64,
        /// Deletions that found their key.
        delete_hits: u64,
        /// Deletions that did not find their key.
        delete_misses: u64,
        /// Increments that found their key.
        incr_hits: u64,
        /// Increments that did not find their key.
        incr_misses: u64,
        /// Decrements that found their key.
        decr_hits: u64,
        /// Decrements that did not find their key.
        decr_misses: u64,
        /// `cas` commands that stored.
        cas_hits: u64,
        /// `cas` commands that did not find their key.
        cas_misses: u64,
        /// `cas` commands that lost against another writer.
        cas_badval: u64,
        /// Keys of `cmd_touch` that were found.
        touch_hits: u64,
        /// Keys of `cmd_touch` that were not found.
        touch_misses: u64,
        /// Items refused because they are larger than the item limit.
        store_too_large: u64,
        /// Items refused for want of memory.
        store_no_memory: u64,
        /// Authentication commands.
        auth_cmds: u64,
        /// Failed authentications.
        auth_errors: u64,
        /// Bytes read from the network.
        bytes_read: u64,
        /// Bytes written to the network.
        bytes_written: u64,
        /// The memory limit for items, in bytes.
        limit_maxbytes: u64,
        /// Whether the server accepts connections now.
        accepting_conns: bool,
        /// How often the server stopped listening because it reached its connection limit.
        listen_disabled_num: u64,
        /// Worker threads.
        threads: u64,
        /// How often a connection had to wait for others after its share of requests.
        conn_yields: u64,
        /// Log lines that watchers were too slow to receive.
        log_watcher_skipped: u64,
        /// Watchers connected now.
        log_watchers: u64,
        /// Free pages that belong to no slab class.
        slab_global_page_pool: u64,
        /// Pages moved between slab classes.
        slabs_moved: u64,
        /// Bytes of the items stored now, headers and keys included. With external storage this
        /// counts what lies on disk too, and so passes the limit.
        bytes: u64,
        /// Items stored now.
        curr_items: u64,
        /// Items ever stored.
        total_items: u64,
        /// Live items thrown out to make room.
        evictions: u64,
        /// Evicted items that were never read.
        evicted_unfetched: u64,
        /// Evicted items that had been read recently.
        evicted_active: u64,
        /// Expired items whose memory was used again by a store.
        reclaimed: u64,
        /// Expired items that were never read.
        expired_unfetched: u64,
    }
}

impl General {
    /// Reads the answer of `stats`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut general = Self::default();
        for (name, value) in pairs {
            general.record(name, value);
        }
        general
    }
}
