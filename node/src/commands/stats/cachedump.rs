//! `stats cachedump <class> <limit>`: some keys of a class, from its cold segment.

use crate::commands::Context;
use crate::proto::{BAD_FORMAT, Tokens, parse_u32};
use crate::store::{CLASSES, Marks, Segment};

/// The longest listing, in bytes.
const LISTING_MAX: usize = 2 * 1024 * 1024;
/// What a listing needs room for at its end.
const END: &str = "END\r\n";

pub(super) fn cachedump(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    if !context.shared.config.allow_dump {
        return context
            .replies
            .line("CLIENT_ERROR stats cachedump not allowed");
    }
    if tokens.len() < 4 {
        return context.replies.line("CLIENT_ERROR bad command line");
    }
    let (Some(class), Some(limit)) = (parse_u32(tokens.get(2)), parse_u32(tokens.get(3))) else {
        return context.replies.line(BAD_FORMAT);
    };
    if class as usize >= CLASSES {
        return context.replies.line("CLIENT_ERROR Illegal slab id");
    }
    let listing = list(context, class as usize, limit);
    context.replies.shared(listing.into());
}

fn list(context: &Context<'_>, class: usize, limit: u32) -> Vec<u8> {
    let clock = &context.shared.store.clock;
    let memory = context.shared.store.memory();
    let limit = if limit == 0 {
        usize::MAX
    } else {
        limit as usize
    };
    let mut listing = Vec::new();
    // Binary keys would not survive on a line.
    let items = memory
        .lru
        .iter_from_head(Segment::Cold.list(class))
        .filter(|item| !item.has(Marks::KEY_BINARY));
    for item in items.take(limit) {
        let expires = match item.exptime() {
            0 => 0,
            exptime => clock.unix(exptime),
        };
        let length = item.value().len();
        let start = listing.len();
        listing.extend_from_slice(b"ITEM ");
        listing.extend_from_slice(item.key());
        listing.extend_from_slice(format!(" [{length} b; {expires} s]\r\n").as_bytes());
        if listing.len() + END.len() + 1 > LISTING_MAX {
            listing.truncate(start);
            break;
        }
    }
    listing.extend_from_slice(END.as_bytes());
    listing
}
