//! ASCII authentication: the first command must be a `set` whose value is `user password`.

use super::replies::Replies;
use super::{ServerStats, Shared};
use crate::proto::{Tokens, parse_u32};

/// A line longer than this with no end in sight closes the connection.
const LINE_MAX: usize = 2048;
/// The longest credentials. memcached has no limit here; a node must have one.
const CREDENTIALS_MAX: usize = 4096;

/// The state of an authentication in progress.
#[derive(Debug, Default)]
pub(super) struct Authentication {
    /// The length of the data block to come, with its line ending.
    awaited: Option<usize>,
}

impl Authentication {
    /// Looks at the unconsumed bytes. `None` if there are too few; otherwise how many were consumed
    /// (0 closes the connection), and whether the client is admitted.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        shared: &Shared,
        replies: &mut Replies,
    ) -> Option<(usize, bool)> {
        if let Some(length) = self.awaited {
            let block = input.get(..length)?;
            self.awaited = None;
            return Some((length, admit(block, shared, replies)));
        }
        if input.len() < 2 {
            return None;
        }
        let Some(end) = memchr::memchr(b'\n', input) else {
            return (input.len() > LINE_MAX).then_some((0, false));
        };
        let tokens = Tokens::split(&input[..end]);
        let length = (tokens.len() >= 5 && tokens.get(0) == b"set")
            .then(|| parse_u32(tokens.get(4)))
            .flatten();
        match length.map(|length| length as usize + 2) {
            None => answer(replies, "CLIENT_ERROR unauthenticated"),
            Some(length) if length > CREDENTIALS_MAX => return Some((0, false)),
            length => self.awaited = length,
        }
        Some((end + 1, false))
    }
}

/// Until the client is admitted, each reply takes the place of the one before, if that is not sent yet.
fn answer(replies: &mut Replies, line: &str) {
    replies.drop_stacked();
    replies.line(line);
    replies.count();
}

fn admit(block: &[u8], shared: &Shared, replies: &mut Replies) -> bool {
    let Some(credentials) = block.strip_suffix(b"\r\n") else {
        answer(replies, "CLIENT_ERROR bad command line termination");
        return false;
    };
    let words = Tokens::split(credentials);
    if words.len() < 2 {
        answer(replies, "CLIENT_ERROR bad authentication token format");
        return false;
    }
    ServerStats::add(&shared.stats.auth_cmds, 1);
    let (name, password) = (words.get(0), words.get(1));
    // Every user is compared in full, so that the time taken tells nothing about who exists.
    let admitted = shared.config.users.iter().fold(false, |admitted, user| {
        admitted | (same(&user.name, name) & same(&user.password, password))
    });
    if admitted {
        answer(replies, "STORED");
    } else {
        ServerStats::add(&shared.stats.auth_errors, 1);
        answer(replies, "CLIENT_ERROR authentication failure");
    }
    admitted
}

/// Compares in a time that depends on the lengths alone.
fn same(expected: &[u8], given: &[u8]) -> bool {
    let difference = expected
        .iter()
        .zip(given)
        .fold(0, |all, (a, b)| all | (a ^ b));
    expected.len() == given.len() && difference == 0
}
