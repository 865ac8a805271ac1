//! `stats`.

use nix::sys::resource::{UsageWho, getrusage};

use super::Report;
use crate::clock::UPTIME_OFFSET;
use crate::commands::{Context, VERSION};
use crate::server::{READ_BUFFER, ServerStats};
use crate::store::{Counters, ListStats, Memory};

/// File descriptors memcached keeps for itself, by worker thread.
const RESERVED_FDS_PER_THREAD: usize = 5;

pub(super) fn general(context: &Context<'_>, report: &mut Report) {
    let store = &context.shared.store;
    let counters = store.counters();
    let hash_power = store.hash_power();
    let bumps_dropped = store.bumps_dropped();
    let memory = store.memory();
    process(context, report);
    connections(context, report);
    commands(&counters, context, report);
    traffic(&memory, context, report);
    threads(&memory, hash_power, context, report);
    log(context, report);
    items(&memory, report);
    lru(&memory, bumps_dropped, report);
}

fn process(context: &Context<'_>, report: &mut Report) {
    let now = context.at.now;
    report.stat("pid", std::process::id());
    report.stat("uptime", now.wrapping_sub(UPTIME_OFFSET));
    report.stat("time", context.shared.store.clock.unix(now));
    report.stat("version", VERSION);
    // The event library of this node is tokio; clients expect the field.
    report.stat("libevent", "none");
    report.stat("pointer_size", usize::BITS);
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
    let seconds =
        |time: nix::sys::time::TimeVal| format!("{}.{:06}", time.tv_sec(), time.tv_usec());
    let zero = || "0.000000".to_owned();
    report.stat(
        "rusage_user",
        usage.map_or_else(zero, |usage| seconds(usage.user_time())),
    );
    report.stat(
        "rusage_system",
        usage.map_or_else(zero, |usage| seconds(usage.system_time())),
    );
}

fn connections(context: &Context<'_>, report: &mut Report) {
    let config = &context.shared.config;
    let counts = context.shared.connections.counts();
    report.stat("max_connections", config.max_connections);
    report.stat("curr_connections", counts.current);
    report.stat("total_connections", counts.total);
    report.stat("rejected_connections", counts.rejected);
    report.stat("connection_structures", counts.most);
    // Replies are plain buffers here: the one being built, and no memory set aside for others.
    report.stat("response_obj_oom", 0);
    report.stat("response_obj_count", 1);
    report.stat("response_obj_bytes", 0);
    report.stat("read_buf_count", counts.current);
    report.stat("read_buf_bytes", counts.current * READ_BUFFER);
    report.stat("read_buf_bytes_free", 0);
    report.stat("read_buf_oom", 0);
    report.stat("reserved_fds", config.threads * RESERVED_FDS_PER_THREAD);
}

fn commands(counters: &Counters, context: &Context<'_>, report: &mut Report) {
    let stats = &context.shared.stats;
    report.stat("cmd_get", counters.get_cmds);
    report.stat("cmd_set", counters.total(|class| class.set_cmds));
    report.stat("cmd_flush", ServerStats::get(&stats.flush_cmds));
    report.stat("cmd_touch", counters.touch_cmds);
    report.stat("cmd_meta", counters.meta_cmds);
    report.stat("get_hits", counters.lru_hits.iter().sum::<u64>());
    report.stat("get_misses", counters.get_misses);
    report.stat("get_expired", counters.get_expired);
    report.stat("get_flushed", counters.get_flushed);
    report.stat("delete_misses", counters.delete_misses);
    report.stat("delete_hits", counters.total(|class| class.delete_hits));
    report.stat("incr_misses", counters.incr_misses);
    report.stat("incr_hits", counters.total(|class| class.incr_hits));
    report.stat("decr_misses", counters.decr_misses);
    report.stat("decr_hits", counters.total(|class| class.decr_hits));
    report.stat("cas_misses", counters.cas_misses);
    report.stat("cas_hits", counters.total(|class| class.cas_hits));
    report.stat("cas_badval", counters.total(|class| class.cas_badval));
    report.stat("touch_hits", counters.total(|class| class.touch_hits));
    report.stat("touch_misses", counters.touch_misses);
    report.stat("store_too_large", counters.store_too_large);
    report.stat("store_no_memory", counters.store_no_memory);
    report.stat("auth_cmds", ServerStats::get(&stats.auth_cmds));
    report.stat("auth_errors", ServerStats::get(&stats.auth_errors));
}

fn traffic(memory: &Memory, context: &Context<'_>, report: &mut Report) {
    let stats = &context.shared.stats;
    if !context.shared.config.idle_timeout().is_zero() {
        report.stat("idle_kicks", ServerStats::get(&stats.idle_kicks));
    }
    report.stat("bytes_read", ServerStats::get(&stats.bytes_read));
    report.stat("bytes_written", ServerStats::get(&stats.bytes_written));
    report.stat("limit_maxbytes", memory.slabs.limit());
    report.stat("accepting_conns", 1);
    report.stat("listen_disabled_num", 0);
    report.stat("time_in_listen_disabled_us", 0);
}

fn threads(memory: &Memory, hash_power: u32, context: &Context<'_>, report: &mut Report) {
    report.stat("threads", context.shared.config.threads);
    report.stat(
        "conn_yields",
        ServerStats::get(&context.shared.stats.conn_yields),
    );
    report.stat("hash_power_level", hash_power);
    report.stat("hash_bytes", (size_of::<usize>() as u64) << hash_power);
    report.stat("hash_is_expanding", 0);
    report.stat("slab_reassign_rescues", 0);
    report.stat("slab_reassign_chunk_rescues", 0);
    report.stat("slab_reassign_evictions_nomem", memory.reassign.evictions);
    report.stat("slab_reassign_inline_reclaim", 0);
    report.stat("slab_reassign_busy_items", 0);
    report.stat("slab_reassign_busy_deletes", 0);
    report.stat(
        "slab_reassign_running",
        u8::from(memory.reassign.is_running()),
    );
    report.stat("slabs_moved", memory.reassign.pages_moved);
    if memory.crawler.enabled {
        report.stat("lru_crawler_running", u8::from(memory.crawler.running));
        report.stat("lru_crawler_starts", memory.crawler.starts);
    }
    report.stat("lru_maintainer_juggles", memory.maintainer_juggles);
    report.stat("malloc_fails", 0);
}

fn log(context: &Context<'_>, report: &mut Report) {
    let watchers = &context.shared.watchers;
    report.stat("log_worker_dropped", 0);
    report.stat("log_worker_written", ServerStats::get(&watchers.written));
    report.stat("log_watcher_skipped", ServerStats::get(&watchers.skipped));
    report.stat("log_watcher_sent", ServerStats::get(&watchers.sent));
    report.stat("log_watchers", watchers.len());
    report.stat("unexpected_napi_ids", 0);
    report.stat("round_robin_fallback", 0);
}

fn items(memory: &Memory, report: &mut Report) {
    report.stat("bytes", memory.curr_bytes);
    report.stat("curr_items", memory.curr_items);
    report.stat("total_items", memory.total_items);
    report.stat("slab_global_page_pool", memory.slabs.pool_pages());
}

fn lru(memory: &Memory, bumps_dropped: u64, report: &mut Report) {
    let mut sum = ListStats::default();
    memory.stats.iter().for_each(|list| sum.add(list));
    report.stat("expired_unfetched", sum.expired_unfetched);
    report.stat("evicted_unfetched", sum.evicted_unfetched);
    report.stat("evicted_active", sum.evicted_active);
    report.stat("evictions", sum.evicted);
    report.stat("reclaimed", sum.reclaimed);
    report.stat("crawler_reclaimed", sum.crawler_reclaimed);
    report.stat("crawler_items_checked", sum.crawler_items_checked);
    report.stat("lrutail_reflocked", sum.lrutail_reflocked);
    report.stat("moves_to_cold", sum.moves_to_cold);
    report.stat("moves_to_warm", sum.moves_to_warm);
    report.stat("moves_within_lru", sum.moves_within_lru);
    report.stat("direct_reclaims", sum.direct_reclaims);
    report.stat("lru_bumps_dropped", bumps_dropped);
}
