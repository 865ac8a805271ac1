//! `stats settings`.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::{Report, on_off, yes_no};
use crate::commands::Context;
use crate::store::{AUTOMOVE_WINDOW, Memory};
use crate::watchers::QUEUE_MAX;

pub(super) fn settings(context: &Context<'_>, report: &mut Report) {
    let memory = context.shared.store.memory();
    basics(&memory, context, report);
    protocol(&memory, context, report);
    slabs_and_lru(&memory, context, report);
    buffers(&memory, report);
    external_storage(report);
    encryption(report);
    report.stat("num_napi_ids", "(null)");
    report.stat("memory_file", "(null)");
}

fn path(path: Option<&PathBuf>, none: &str) -> String {
    path.map_or_else(|| none.to_owned(), |path| path.display().to_string())
}

fn basics(memory: &Memory, context: &Context<'_>, report: &mut Report) {
    let shared = context.shared;
    let config = &shared.config;
    report.stat("maxbytes", memory.slabs.limit());
    report.stat("maxconns", config.max_connections);
    report.stat("tcpport", shared.port);
    report.stat("udpport", 0);
    report.stat("inter", config.interface.as_deref().unwrap_or("NULL"));
    report.stat("verbosity", shared.verbosity.load(Ordering::Relaxed));
    report.stat("oldest", shared.store.flushed_until.load(Ordering::Relaxed));
    report.stat("evictions", on_off(memory.evict));
    report.stat("domain_socket", path(config.unix_socket.as_ref(), "NULL"));
    report.stat("umask", 700);
    report.stat("shutdown_command", yes_no(config.allow_shutdown));
    report.stat("growth_factor", format_args!("{:.2}", config.growth_factor));
    report.stat("chunk_size", config.min_space);
    report.stat("num_threads", config.threads);
    report.stat("num_threads_per_udp", config.threads);
    report.stat("stat_key_prefix", ":");
    report.stat(
        "detail_enabled",
        yes_no(shared.detail.load(Ordering::Relaxed)),
    );
}

fn protocol(memory: &Memory, context: &Context<'_>, report: &mut Report) {
    let config = &context.shared.config;
    report.stat("reqs_per_event", crate::server::REQUESTS_PER_EVENT);
    report.stat("cas_enabled", yes_no(config.cas));
    report.stat("tcp_backlog", crate::server::BACKLOG);
    report.stat("binding_protocol", "ascii");
    report.stat("auth_enabled_sasl", "no");
    let authenticates = !config.users.is_empty();
    let auth_file = path(
        config.auth_file.as_ref(),
        if authenticates { "yes" } else { "no" },
    );
    report.stat("auth_enabled_ascii", auth_file);
    report.stat("item_size_max", memory.slabs.layout().item_max);
    report.stat("maxconns_fast", "yes");
    report.stat("hashpower_init", 0);
}

fn slabs_and_lru(memory: &Memory, context: &Context<'_>, report: &mut Report) {
    let config = &context.shared.config;
    let tuning = &memory.tuning;
    report.stat("slab_reassign", "yes");
    report.stat("slab_automove", memory.automove.level);
    report.stat(
        "slab_automove_ratio",
        format_args!("{:.2}", memory.automove.ratio),
    );
    report.stat("slab_automove_window", AUTOMOVE_WINDOW);
    report.stat("slab_chunk_max", memory.slabs.layout().chunk_max);
    report.stat("lru_crawler", yes_no(memory.crawler.enabled));
    report.stat("lru_crawler_sleep", memory.crawler.sleep);
    report.stat("lru_crawler_tocrawl", memory.crawler.tocrawl);
    report.stat("tail_repair_time", 0);
    report.stat("flush_enabled", yes_no(config.allow_flush));
    report.stat("dump_enabled", yes_no(config.allow_dump));
    report.stat("hash_algorithm", "foldhash");
    report.stat("lru_maintainer_thread", "yes");
    report.stat("lru_segmented", yes_no(context.shared.store.is_segmented()));
    report.stat("hot_lru_pct", tuning.hot_percent);
    report.stat("warm_lru_pct", tuning.warm_percent);
    report.stat(
        "hot_max_factor",
        format_args!("{:.2}", tuning.hot_max_factor),
    );
    report.stat(
        "warm_max_factor",
        format_args!("{:.2}", tuning.warm_max_factor),
    );
    report.stat("temp_lru", yes_no(tuning.temp_lru));
    report.stat("temporary_ttl", tuning.temporary_ttl);
    report.stat("idle_timeout", config.idle_timeout().as_secs());
}

fn buffers(memory: &Memory, report: &mut Report) {
    report.stat("watcher_logbuf_size", QUEUE_MAX);
    report.stat("worker_logbuf_size", 65536);
    report.stat("read_buf_mem_limit", 0);
    report.stat("track_sizes", yes_no(memory.sizes.is_some()));
    report.stat("inline_ascii_response", "no");
}

/// There is none; operators' tools expect the fields with memcached's defaults.
fn external_storage(report: &mut Report) {
    report.stat("ext_item_size", 512);
    report.stat("ext_item_age", u32::MAX);
    report.stat("ext_low_ttl", 0);
    report.stat("ext_recache_rate", 2000);
    report.stat("ext_wbuf_size", 4_194_304);
    report.stat("ext_compact_under", 0);
    report.stat("ext_drop_under", 0);
    report.stat("ext_max_sleep", 1_000_000);
    report.stat("ext_max_frag", "0.80");
    report.stat("slab_automove_freeratio", "0.010");
    report.stat("ext_drop_unread", "no");
}

/// There is none, either.
fn encryption(report: &mut Report) {
    report.stat("ssl_enabled", "no");
    report.stat("ssl_chain_cert", "(null)");
    report.stat("ssl_key", "(null)");
    report.stat("ssl_verify_mode", 0);
    report.stat("ssl_keyformat", 1);
    report.stat("ssl_ciphers", "NULL");
    report.stat("ssl_ca_cert", "NULL");
    report.stat("ssl_wbuf_size", 16384);
    report.stat("ssl_session_cache", "no");
    report.stat("ssl_kernel_tls", "no");
    report.stat("ssl_min_version", "tlsv1.2");
}
