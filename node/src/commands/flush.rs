//! `flush_all`.

use super::Context;
use crate::proto::{Tokens, parse_i32};
use crate::server::ServerStats;

pub(super) fn flush_all(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let noreply = tokens.noreply();
    ServerStats::add(&context.shared.stats.flush_cmds, 1);
    if !context.shared.config.allow_flush {
        context.answer("CLIENT_ERROR flush_all not allowed", noreply);
        return;
    }
    let has_delay = tokens.len() != if noreply { 2 } else { 1 };
    let delay = if has_delay {
        parse_i32(tokens.get(1))
    } else {
        Some(0)
    };
    let Some(delay) = delay else {
        context.answer("CLIENT_ERROR invalid exptime argument", noreply);
        return;
    };
    let store = &context.shared.store;
    let now = context.at.now;
    let at = if delay > 0 {
        store.clock.expires_at(delay, now)
    } else {
        now
    };
    store.flush(at, now);
    context.answer("OK", noreply);
}
