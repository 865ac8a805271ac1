//! `ma`.

use super::arithmetic::{NO_MEMORY, NOT_NUMERIC};
use super::get::key;
use super::meta_reply::{self, OPAQUE_TOO_LONG, echo, number, time_to_live, without_item};
use super::{Context, Flow};
use crate::proto::MetaCommand;
use crate::store::{Delta, DeltaOutcome, Item};

pub(super) fn meta_arithmetic(
    context: &mut Context<'_>,
    command: &MetaCommand<'_>,
    increment: bool,
) -> Flow {
    let flags = &command.flags;
    let delta = Delta {
        increment,
        amount: flags.delta.unwrap_or(1),
        cas: flags.cas.unwrap_or(0),
        initial: flags.vivify.map(|_| flags.initial),
    };
    let key = key(context, command.key.bytes());
    match context.shared.store.add_delta(key, &delta, context.at) {
        DeltaOutcome::Changed { value, item } => {
            reply(context, command, value, &item, false, flags.quiet);
        }
        // A created counter is reported even to a client that asked for silence.
        DeltaOutcome::Created { value, item } => reply(context, command, value, &item, true, false),
        DeltaOutcome::NotFound => refuse(context, b"NF", command),
        DeltaOutcome::CasMismatch => refuse(context, b"EX", command),
        DeltaOutcome::NotNumeric => context.replies.line(NOT_NUMERIC),
        DeltaOutcome::NoMemory => context.replies.line(NO_MEMORY),
        DeltaOutcome::NoMemoryToCreate => {
            context
                .replies
                .line("SERVER_ERROR Out of memory allocating new item");
        }
    }
    Flow::Continue
}

fn refuse(context: &mut Context<'_>, code: &[u8], command: &MetaCommand<'_>) {
    if command.opaque_is_too_long() {
        context.replies.line(OPAQUE_TOO_LONG);
    } else {
        without_item(context.replies, code, command);
    }
}

fn reply(
    context: &mut Context<'_>,
    command: &MetaCommand<'_>,
    value: u64,
    item: &Item,
    created: bool,
    quiet: bool,
) {
    let clock = &context.shared.store.clock;
    let now = context.at.now;
    let flags = &command.flags;
    let expires = |exptime: Option<i32>| exptime.map(|exptime| clock.expires_at(exptime, now));
    let exptime = expires(flags.exptime);
    let vivify = expires(flags.vivify).filter(|_| created);
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(value).as_bytes();

    let replies = &mut *context.replies;
    let start = replies.len();
    if flags.value {
        replies.bytes(b"VA ");
        replies.number(digits.len());
    } else {
        replies.bytes(b"HD");
    }
    for word in command.words() {
        match word[0] {
            b'c' => number(replies, b'c', item.cas()),
            b't' => time_to_live(replies, item.exptime(), now),
            b'T' => item.set_exptime(exptime.unwrap_or(0)),
            b'N' => {
                if let Some(exptime) = vivify {
                    item.set_exptime(exptime);
                }
            }
            b'O' if word.len() > 32 => {
                replies.truncate(start);
                replies.line(OPAQUE_TOO_LONG);
                return;
            }
            b'O' => echo(replies, word),
            b'k' => meta_reply::key(replies, command.key.bytes(), command.key.is_binary()),
            _ => {}
        }
    }
    if flags.value {
        replies.bytes(b"\r\n");
        replies.bytes(digits);
    }
    replies.bytes(b"\r\n");
    if quiet {
        replies.truncate(start);
    }
}
