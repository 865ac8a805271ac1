//! `ms`.

use super::get::key;
use super::meta_reply::{self, echo, number};
use super::store::{BAD_DATA_CHUNK, NO_MEMORY, NO_MEMORY_DURING_READ, TOO_LARGE};
use super::{Context, Flow};
use crate::proto::{MetaCommand, MetaStore, StoreMode};
use crate::store::{StoreOutcome, Upload};

pub(super) fn meta_set(context: &mut Context<'_>, store: &MetaStore<'_>) -> Flow {
    let flags = &store.command.flags;
    let exptime = flags.exptime.unwrap_or(0);
    let upload = Upload {
        mode: store.mode,
        key: key(context, store.command.key.bytes()),
        flags: flags.client_flags,
        exptime: context
            .shared
            .store
            .clock
            .expires_at(exptime, context.at.now),
        cas: flags.cas.unwrap_or(0),
        value: store.value,
        terminated: store.terminated,
        binary_key: store.command.key.is_binary(),
        invalidate: flags.invalidate && store.mode == StoreMode::Cas,
        meta: true,
    };
    let command = &store.command;
    match context.shared.store.store(&upload, context.at) {
        StoreOutcome::Stored(_) if flags.quiet => {}
        StoreOutcome::Stored(item) => reply(context, b"HD", command, item.cas()),
        StoreOutcome::Exists => reply(context, b"EX", command, 0),
        StoreOutcome::NotFound => reply(context, b"NF", command, 0),
        StoreOutcome::NotStored => reply(context, b"NS", command, 0),
        StoreOutcome::BadDataChunk => context.replies.line(BAD_DATA_CHUNK),
        StoreOutcome::NoMemory => context.replies.line(NO_MEMORY),
        StoreOutcome::NoMemoryDuringRead => context.answer(NO_MEMORY_DURING_READ, flags.quiet),
    }
    Flow::Continue
}

fn reply(context: &mut Context<'_>, code: &[u8], command: &MetaCommand<'_>, cas: u64) {
    let replies = &mut *context.replies;
    replies.bytes(code);
    for word in command.words() {
        match word[0] {
            b'O' => echo(replies, word),
            b'k' => meta_reply::key(replies, command.key.bytes(), command.key.is_binary()),
            b'c' => number(replies, b'c', cas),
            _ => {}
        }
    }
    replies.bytes(b"\r\n");
}

/// A value that can never fit; its data block follows and is skipped.
pub(super) fn oversized(
    context: &mut Context<'_>,
    command: &MetaCommand<'_>,
    mode: StoreMode,
) -> Flow {
    let key = key(context, command.key.bytes());
    context
        .shared
        .store
        .refuse_too_large(key, mode, true, context.at);
    context.replies.line(TOO_LARGE);
    Flow::Continue
}
