//! `stats slabs`.

use super::Report;
use crate::commands::Context;

pub(super) fn slabs(context: &Context<'_>, report: &mut Report) {
    let counters = context.shared.store.counters();
    let memory = context.shared.store.memory();
    let mut active = 0;
    for id in memory.slabs.ids() {
        let class = memory.slabs.class(id);
        if class.pages == 0 {
            continue;
        }
        active += 1;
        let commands = &counters.classes[id];
        let mut stat = |name: &str, value: u64| report.stat(format_args!("{id}:{name}"), value);
        stat("chunk_size", class.chunk_size as u64);
        stat("chunks_per_page", class.chunks_per_page as u64);
        stat("total_pages", class.pages as u64);
        stat("total_chunks", (class.pages * class.chunks_per_page) as u64);
        stat("used_chunks", class.used_chunks() as u64);
        stat("free_chunks", class.free_chunks as u64);
        stat("free_chunks_end", 0);
        stat("get_hits", counters.get_hits(id));
        stat("cmd_set", commands.set_cmds);
        stat("delete_hits", commands.delete_hits);
        stat("incr_hits", commands.incr_hits);
        stat("decr_hits", commands.decr_hits);
        stat("cas_hits", commands.cas_hits);
        stat("cas_badval", commands.cas_badval);
        stat("touch_hits", commands.touch_hits);
    }
    report.stat("active_slabs", active);
    report.stat("total_malloced", memory.slabs.malloced());
}
