//! `delete`.

use super::get::key;
use super::{Context, Flow};

pub(super) fn delete(context: &mut Context<'_>, name: &[u8], noreply: bool) -> Flow {
    context
        .shared
        .count_prefix(name, |counts| counts.deletes += 1);
    let store = &context.shared.store;
    let deleted = store.with_item(key(context, name), context.at, |memory, shard, found| {
        match found {
            Some(item) => {
                shard.counters.class(item.class()).delete_hits += 1;
                store.unlink(memory, shard, item);
            }
            None => shard.counters.delete_misses += 1,
        }
        found.is_some()
    });
    context.answer(if deleted { "DELETED" } else { "NOT_FOUND" }, noreply);
    Flow::Continue
}
