//! `mg`.

use std::sync::Arc;

use super::get::{self, key};
use super::meta_reply::{OPAQUE_TOO_LONG, echo, item_key, number, time_to_live, without_item};
use super::{Context, Flow};
use crate::clock::Seconds;
use crate::proto::MetaCommand;
use crate::server::Replies;
use crate::store::{Item, Marks, Shard};

/// What the client sent times as, on the node's clock.
struct Times {
    exptime: Option<Seconds>,
    vivify: Option<Seconds>,
    recache: Option<Seconds>,
    now: Seconds,
}

pub(super) fn meta_get(context: &mut Context<'_>, command: &MetaCommand<'_>) -> Flow {
    let shared = context.shared;
    let store = &shared.store;
    let at = context.at;
    let key = key(context, command.key.bytes());
    let mut answer = |shard: &mut Shard, found: Option<&Arc<Item>>, created: bool| match found {
        Some(item) => hit(context, shard, item, command, created),
        None => {
            get::count(shard, None, false);
            miss(context.replies, command);
        }
    };
    if command.flags.vivify.is_none() {
        store.fetch(key, at, |shard, found| answer(shard, found, false));
        return Flow::Continue;
    }
    // Creating an item on a miss needs the memory lock from the start, so that only one reader does.
    let mut memory = store.memory();
    let found = store.find(&mut memory, &mut store.shard(key), key, at);
    let (item, created) = match found {
        Some(item) => (Some(item), false),
        None => (store.vivify(&mut memory, key, at), true),
    };
    answer(&mut store.shard(key), item.as_ref(), created);
    Flow::Continue
}

fn miss(replies: &mut Replies, command: &MetaCommand<'_>) {
    if command.opaque_is_too_long() {
        replies.line(OPAQUE_TOO_LONG);
    } else if !command.flags.quiet {
        without_item(replies, b"EN", command);
    }
}

fn hit(
    context: &mut Context<'_>,
    shard: &mut Shard,
    item: &Arc<Item>,
    command: &MetaCommand<'_>,
    created: bool,
) {
    let store = &context.shared.store;
    let now = context.at.now;
    let flags = &command.flags;
    if !flags.holds_item() && !flags.no_update {
        store.bump(item, now);
    }
    let expires = |exptime: i32| store.clock.expires_at(exptime, now);
    let times = Times {
        exptime: flags.exptime.map(expires),
        vivify: flags.vivify.map(expires).filter(|_| created),
        recache: flags.recache.map(expires).filter(|_| !created),
        now,
    };
    let start = context.replies.len();
    if render(context.replies, item, command, &times).is_err() {
        context.replies.truncate(start);
        context.replies.line(OPAQUE_TOO_LONG);
        return;
    }
    if flags.value {
        context.replies.value(item);
    }
    context.replies.hold(item);
    if flags.holds_item() && !flags.no_update {
        store.bump(item, now);
    }
    get::count(shard, Some(item), times.exptime.is_some());
}

/// An opaque flag is too long. What flags before it did is not undone.
struct OpaqueTooLong;

/// Writes the reply line, and does what the flags ask on the way, each in its turn.
fn render(
    replies: &mut Replies,
    item: &Item,
    command: &MetaCommand<'_>,
    times: &Times,
) -> Result<(), OpaqueTooLong> {
    if command.flags.value {
        replies.bytes(b"VA ");
        replies.number(item.value().len());
    } else {
        replies.bytes(b"HD");
    }
    let mut won = false;
    for word in command.words() {
        match word[0] {
            b'T' => item.set_exptime(times.exptime.unwrap_or(0)),
            b'N' => {
                if let Some(exptime) = times.vivify {
                    item.set_exptime(exptime);
                    won = true;
                }
            }
            b'R' => won |= wins_recache(item, times),
            b's' => number(replies, b's', item.value().len()),
            b't' => time_to_live(replies, item.exptime(), times.now),
            b'c' => number(replies, b'c', item.cas()),
            b'f' => number(replies, b'f', item.client_flags),
            b'l' => number(replies, b'l', times.now.wrapping_sub(item.time())),
            b'h' => number(replies, b'h', u8::from(item.has(Marks::FETCHED))),
            b'O' if word.len() > 32 => return Err(OpaqueTooLong),
            b'O' => echo(replies, word),
            b'k' => item_key(replies, item),
            _ => {}
        }
    }
    tell_recache(replies, item, won);
    replies.bytes(b"\r\n");
    Ok(())
}

/// Whether the item expires so soon that this reader is asked to recache it.
fn wins_recache(item: &Item, times: &Times) -> bool {
    let Some(recache) = times.recache else {
        return false;
    };
    !item.has(Marks::TOKEN_SENT) && item.exptime() != 0 && item.exptime() < recache
}

/// `Z`: someone else was asked to recache. `X`: the value is stale. `W`: this reader is asked.
fn tell_recache(replies: &mut Replies, item: &Item, mut won: bool) {
    let asked_before = item.has(Marks::TOKEN_SENT);
    if asked_before {
        replies.bytes(b" Z");
    }
    if item.has(Marks::STALE) {
        replies.bytes(b" X");
        won |= !asked_before;
    }
    if won {
        replies.bytes(b" W");
        item.mark(Marks::TOKEN_SENT);
    }
}
