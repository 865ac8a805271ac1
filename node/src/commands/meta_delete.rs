//! `md`.

use super::get::key;
use super::meta_reply::{OPAQUE_TOO_LONG, without_item};
use super::{Context, Flow};
use crate::proto::MetaCommand;
use crate::store::Marks;

pub(super) fn meta_delete(context: &mut Context<'_>, command: &MetaCommand<'_>) -> Flow {
    if command.opaque_is_too_long() {
        context.replies.line(OPAQUE_TOO_LONG);
        return Flow::Continue;
    }
    let store = &context.shared.store;
    let flags = &command.flags;
    let exptime = flags
        .exptime
        .map(|exptime| store.clock.expires_at(exptime, context.at.now));
    let key = key(context, command.key.bytes());
    let code = store.with_item(key, context.at, |memory, shard, found| {
        let Some(item) = found else {
            shard.counters.delete_misses += 1;
            return b"NF";
        };
        if flags.cas.is_some_and(|cas| cas != item.cas()) {
            shard.counters.delete_misses += 1;
            return b"EX";
        }
        if flags.invalidate {
            if let Some(exptime) = exptime {
                item.set_exptime(exptime);
            }
            item.mark(Marks::STALE);
            // Another reader may win the right to recache.
            item.unmark(Marks::TOKEN_SENT);
            item.set_cas(store.next_cas());
        } else {
            shard.counters.class(item.class()).delete_hits += 1;
            store.unlink(memory, shard, item);
        }
        b"HD"
    });
    if !(flags.quiet && code == b"HD") {
        without_item(context.replies, code, command);
    }
    Flow::Continue
}
