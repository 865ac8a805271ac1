//! What the replies of the meta commands have in common.

use crate::clock::Seconds;
use crate::proto::{MetaCommand, base64_encode};
use crate::server::Replies;
use crate::store::{Item, Marks};

pub(super) const OPAQUE_TOO_LONG: &str = "CLIENT_ERROR opaque token too long";

/// ` k<key>`, in base64 with a ` b` behind it for a binary key.
pub(super) fn key(replies: &mut Replies, key: &[u8], binary: bool) {
    replies.bytes(b" k");
    if binary {
        let mut text = Vec::with_capacity(key.len().div_ceil(3) * 4);
        base64_encode(key, &mut text);
        replies.bytes(&text);
        replies.bytes(b" b");
    } else {
        replies.bytes(key);
    }
}

/// The key of an item.
pub(super) fn item_key(replies: &mut Replies, item: &Item) {
    key(replies, item.key(), item.has(Marks::KEY_BINARY));
}

/// ` <letter><number>`
pub(super) fn number(replies: &mut Replies, letter: u8, number: impl itoa::Integer) {
    replies.bytes(&[b' ', letter]);
    replies.number(number);
}

/// ` t<seconds to live>`, -1 for ever. As in memcached, a time already past wraps around.
pub(super) fn time_to_live(replies: &mut Replies, exptime: Seconds, now: Seconds) {
    if exptime == 0 {
        replies.bytes(b" t-1");
    } else {
        number(replies, b't', exptime.wrapping_sub(now));
    }
}

/// An opaque flag, as it came.
pub(super) fn echo(replies: &mut Replies, word: &[u8]) {
    replies.bytes(b" ");
    replies.bytes(word);
}

/// A reply that has no item to tell of: the code, and the opaque and key flags, in the client's order.
pub(super) fn without_item(replies: &mut Replies, code: &[u8], command: &MetaCommand<'_>) {
    replies.bytes(code);
    for word in command.words() {
        match word[0] {
            b'O' => echo(replies, word),
            b'k' => key(replies, command.key.bytes(), command.key.is_binary()),
            _ => {}
        }
    }
    replies.bytes(b"\r\n");
}
