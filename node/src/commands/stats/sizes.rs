//! `stats sizes`, `stats sizes_enable` and `stats sizes_disable`.

use super::Report;
use crate::commands::Context;
use crate::store::SizeHistogram;

pub(super) fn sizes(context: &Context<'_>, report: &mut Report) {
    let memory = context.shared.store.memory();
    let Some(histogram) = &memory.sizes else {
        report.stat("sizes_status", "disabled");
        return;
    };
    for (bucket, &count) in histogram
        .buckets
        .iter()
        .enumerate()
        .filter(|&(_, &count)| count > 0)
    {
        report.stat(bucket * SizeHistogram::STEP, count);
    }
}

/// Unlike all other reports, these two have no `END`: memcached forgets it.
pub(super) fn enable(context: &mut Context<'_>) {
    if !context.shared.store.cas_enabled {
        context.replies.line("STAT sizes_status error");
        context
            .replies
            .line("STAT sizes_error cas_support_disabled");
        return;
    }
    context.shared.store.track_sizes();
    context.replies.line("STAT sizes_status enabled");
}

pub(super) fn disable(context: &mut Context<'_>) {
    context.shared.store.memory().sizes = None;
    context.replies.line("STAT sizes_status disabled");
}
