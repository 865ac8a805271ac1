//! `set`, `add`, `replace`, `append`, `prepend` and `cas`.

use super::get::key;
use super::{Context, Flow};
use crate::proto::{StoreMode, TextStore};
use crate::store::{StoreOutcome, Upload};

pub(super) const TOO_LARGE: &str = "SERVER_ERROR object too large for cache";
pub(super) const NO_MEMORY: &str = "SERVER_ERROR out of memory storing object";
pub(super) const NO_MEMORY_DURING_READ: &str = "SERVER_ERROR Out of memory during read";
pub(super) const BAD_DATA_CHUNK: &str = "CLIENT_ERROR bad data chunk";

pub(super) fn store(context: &mut Context<'_>, store: &TextStore<'_>) -> Flow {
    context
        .shared
        .count_prefix(store.key, |counts| counts.sets += 1);
    let upload = Upload {
        mode: store.mode,
        key: key(context, store.key),
        flags: store.flags,
        exptime: context
            .shared
            .store
            .clock
            .expires_at(store.exptime, context.at.now),
        cas: store.cas,
        value: store.value,
        terminated: store.terminated,
        binary_key: false,
        invalidate: false,
        meta: false,
    };
    let reply = match context.shared.store.store(&upload, context.at) {
        StoreOutcome::Stored(_) => "STORED",
        StoreOutcome::Exists => "EXISTS",
        StoreOutcome::NotFound => "NOT_FOUND",
        StoreOutcome::NotStored => "NOT_STORED",
        StoreOutcome::BadDataChunk => BAD_DATA_CHUNK,
        StoreOutcome::NoMemory => NO_MEMORY,
        StoreOutcome::NoMemoryDuringRead => NO_MEMORY_DURING_READ,
    };
    context.answer(reply, store.noreply);
    Flow::Continue
}

/// A value that can never fit; its data block follows and is skipped.
pub(super) fn oversized(
    context: &mut Context<'_>,
    name: &[u8],
    mode: StoreMode,
    noreply: bool,
) -> Flow {
    context.shared.count_prefix(name, |counts| counts.sets += 1);
    let key = key(context, name);
    context
        .shared
        .store
        .refuse_too_large(key, mode, false, context.at);
    context.answer(TOO_LARGE, noreply);
    Flow::Continue
}
