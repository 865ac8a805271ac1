//! `get`, `gets`, `gat`, `gats` and `touch`.

use std::sync::Arc;

use super::{Context, Flow};
use crate::proto::{BAD_FORMAT, KEY_MAX, Keys};
use crate::server::Replies;
use crate::store::{Item, Key, Shard};

pub(super) fn get(
    context: &mut Context<'_>,
    keys: Keys<'_>,
    with_cas: bool,
    exptime: Option<i32>,
) -> Flow {
    for key in keys.iter() {
        if key.len() > KEY_MAX {
            // memcached drops every reply it has not sent yet, those to earlier commands included.
            context.replies.drop_stacked();
            context.replies.line(BAD_FORMAT);
            return Flow::Continue;
        }
        let found = fetch(context, key, exptime);
        if context.shared.counts_prefixes() {
            context.shared.count_prefix(key, |counts| {
                counts.gets += 1;
                counts.hits += u64::from(found.is_some());
            });
        }
        if let Some(item) = found {
            value_line(context.replies, &item, with_cas);
            context.replies.value(&item);
        }
    }
    context.replies.line("END");
    Flow::Sent
}

/// Reads one key, and with an exptime sets that.
fn fetch(context: &mut Context<'_>, key: &[u8], exptime: Option<i32>) -> Option<Arc<Item>> {
    let store = &context.shared.store;
    let at = context.at;
    let exptime = exptime.map(|exptime| store.clock.expires_at(exptime, at.now));
    store.fetch(store.key(key), at, |shard, found| {
        if let Some(item) = found {
            store.bump(item, at.now);
            if let Some(exptime) = exptime {
                item.set_exptime(exptime);
            }
        }
        count(shard, found, exptime.is_some());
        found.cloned()
    })
}

/// Counts a read, or one that also set the exptime, which counts as a touch alone.
pub(super) fn count(shard: &mut Shard, found: Option<&Arc<Item>>, touched: bool) {
    let counters = &mut shard.counters;
    if touched {
        counters.touch_cmds += 1;
        match found {
            Some(item) => counters.class(item.class()).touch_hits += 1,
            None => counters.touch_misses += 1,
        }
        return;
    }
    counters.get_cmds += 1;
    match found {
        Some(item) => counters.lru_hits[item.segment().list(usize::from(item.class()))] += 1,
        None => counters.get_misses += 1,
    }
}

fn value_line(replies: &mut Replies, item: &Item, with_cas: bool) {
    replies.bytes(b"VALUE ");
    replies.bytes(item.key());
    replies.bytes(b" ");
    replies.number(item.client_flags);
    replies.bytes(b" ");
    replies.number(item.value().len());
    if with_cas {
        replies.bytes(b" ");
        replies.number(item.cas());
    }
    replies.bytes(b"\r\n");
}

pub(super) fn touch(context: &mut Context<'_>, key: &[u8], exptime: i32, noreply: bool) -> Flow {
    let touched = fetch(context, key, Some(exptime)).is_some();
    context.answer(if touched { "TOUCHED" } else { "NOT_FOUND" }, noreply);
    Flow::Continue
}

/// A key in the store's terms.
pub(super) fn key<'a>(context: &Context<'_>, bytes: &'a [u8]) -> Key<'a> {
    context.shared.store.key(bytes)
}
