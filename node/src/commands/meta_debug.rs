//! `me`.

use std::fmt::Write as _;

use super::Context;
use super::get::key;
use crate::proto::{BAD_FORMAT, KEY_MAX, MetaKey, Tokens, base64_encode};
use crate::store::{Item, Marks};

pub(super) fn meta_debug(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let name = tokens.get(1);
    if tokens.len() < 2 || name.len() > KEY_MAX {
        context.replies.line(BAD_FORMAT);
        return;
    }
    let parsed = match tokens.get(2) {
        b"b" => MetaKey::decode(name),
        _ => Some(MetaKey::Plain(name)),
    };
    let Some(parsed) = parsed else {
        context.replies.line(BAD_FORMAT);
        return;
    };
    let store = &context.shared.store;
    let now = context.at.now;
    let item = store.fetch(key(context, parsed.bytes()), context.at, |shard, found| {
        shard.counters.meta_cmds += 1;
        found.cloned()
    });
    match item {
        Some(item) => describe(context, &item, now),
        None => context.replies.line("EN"),
    }
}

fn describe(context: &mut Context<'_>, item: &Item, now: u32) {
    context.replies.bytes(b"ME ");
    if item.has(Marks::KEY_BINARY) {
        let mut text = Vec::new();
        base64_encode(item.key(), &mut text);
        context.replies.bytes(&text);
    } else {
        context.replies.bytes(item.key());
    }
    // 1.6.18 prints the time past since the expiry: what is still to live is negative.
    let expired = match item.exptime() {
        0 => -1,
        exptime => now.wrapping_sub(exptime) as i32,
    };
    let mut line = String::new();
    // Writing to a String does not fail.
    let _ = write!(
        line,
        " exp={expired} la={} cas={} fetch={} cls={} size={}",
        now.wrapping_sub(item.time()),
        item.cas(),
        if item.has(Marks::FETCHED) {
            "yes"
        } else {
            "no"
        },
        item.class(),
        item.size,
    );
    context.replies.line(&line);
}
