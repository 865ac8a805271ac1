//! `stats detail on|off|dump`.

use std::sync::atomic::Ordering;

use crate::commands::Context;

pub(super) fn detail(context: &mut Context<'_>, action: &[u8]) {
    match action {
        b"on" | b"off" => {
            context
                .shared
                .detail
                .store(action == b"on", Ordering::Relaxed);
            context.replies.line("OK");
        }
        b"dump" => dump(context),
        _ => context
            .replies
            .line("CLIENT_ERROR usage: stats detail on|off|dump"),
    }
}

fn dump(context: &mut Context<'_>) {
    let prefixes = context.shared.prefixes.lock();
    let replies = &mut *context.replies;
    for (prefix, counts) in prefixes.sorted() {
        replies.bytes(b"PREFIX ");
        replies.bytes(prefix);
        let numbers = [
            (" get ", counts.gets),
            (" hit ", counts.hits),
            (" set ", counts.sets),
            (" del ", counts.deletes),
        ];
        for (name, number) in numbers {
            replies.bytes(name.as_bytes());
            replies.number(number);
        }
        replies.bytes(b"\r\n");
    }
    replies.line("END");
}
