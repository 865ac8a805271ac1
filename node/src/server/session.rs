//! One client's conversation, without its socket: bytes in, replies out.

use std::sync::Arc;

use super::auth::Authentication;
use super::connections::{ConnectionInfo, ConnectionState};
use super::replies::Replies;
use super::{ServerStats, Shared};
use crate::commands::{Context, Flow, execute};
use crate::proto::{Decoder, Limits, Step};
use crate::store::{At, item_overhead};

/// How many commands of one connection memcached serves before it looks at others.
pub(crate) const REQUESTS_PER_EVENT: u32 = 20;
/// Replies are sent when this much has gathered, and more requests are served after.
const REPLIES_MAX: usize = 256 * 1024;

/// What the socket's side does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send the replies, then read more.
    Read,
    /// Send only what memcached would have sent by now, then read more.
    ReadHoldingBack,
    /// Send the replies, then go on with the bytes there are.
    Send,
    /// What a command asked for, after the replies are sent.
    Flow(Flow),
}

/// The state of one conversation.
#[derive(Debug)]
pub(super) struct Session {
    shared: Arc<Shared>,
    pub(super) info: Arc<ConnectionInfo>,
    decoder: Decoder,
    pub(super) replies: Replies,
    /// `None` once the client is authenticated, or where none has to be.
    authentication: Option<Authentication>,
    served: u32,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, info: Arc<ConnectionInfo>) -> Self {
        let limits = Limits {
            item_size_max: shared.config.max_item_size,
            item_overhead: item_overhead(shared.config.cas),
        };
        let authentication = (!shared.config.users.is_empty()).then(Authentication::default);
        Self {
            shared,
            info,
            decoder: Decoder::new(limits),
            replies: Replies::default(),
            authentication,
            served: 0,
        }
    }

    /// How many bytes the input must hold before [`Session::serve`] can do anything; 0 if unknown.
    pub(super) fn needed(&self) -> usize {
        self.decoder.needed()
    }

    /// Serves the requests in `input`. Returns how many bytes they were, and what to do next.
    pub(super) fn serve(&mut self, input: &[u8]) -> (usize, Next) {
        let mut consumed = 0;
        let now = self.shared.store.clock.now();
        self.info.set_state(ConnectionState::ParseCommand);
        loop {
            if self.replies.len() >= REPLIES_MAX {
                return (consumed, Next::Send);
            }
            let rest = &input[consumed..];
            if let Some(authentication) = &mut self.authentication {
                let step = authentication.step(rest, &self.shared, &mut self.replies);
                let Some((taken, admitted)) = step else {
                    return (consumed, self.await_input());
                };
                if taken == 0 {
                    return (consumed, Next::Flow(Flow::Abort));
                }
                consumed += taken;
                if admitted {
                    self.authentication = None;
                }
                self.count_served();
                continue;
            }
            match self.decoder.step(rest) {
                Step::Incomplete => return (consumed, self.await_input()),
                Step::Overlong => return (consumed, Next::Flow(Flow::Abort)),
                Step::Discarded(count) => {
                    consumed += count;
                    self.count_served();
                }
                Step::Request {
                    consumed: count,
                    request,
                } => {
                    consumed += count;
                    self.info.set_last_command(now);
                    let mut context = Context {
                        shared: &self.shared,
                        replies: &mut self.replies,
                        at: At {
                            now,
                            connection: self.info.id,
                        },
                    };
                    match execute(request, &mut context) {
                        Flow::Continue => self.replies.count(),
                        Flow::Sent => self.replies.mark_sent(),
                        flow => return (consumed, Next::Flow(flow)),
                    }
                    self.count_served();
                }
            }
        }
    }

    /// After a number of commands memcached sends its replies and serves others first.
    fn count_served(&mut self) {
        if self.decoder.is_discarding() {
            // The command is served once its data block is gone.
            return;
        }
        self.served += 1;
        if self.served > REQUESTS_PER_EVENT {
            // The first round has one more than the others.
            self.served = 1;
            self.replies.mark_sent();
            ServerStats::add(&self.shared.stats.conn_yields, 1);
        }
    }

    /// As memcached does, holds back what is not due while a data block is on its way.
    fn await_input(&mut self) -> Next {
        self.served = 0;
        let (state, next) = if self.decoder.is_discarding() {
            (ConnectionState::Swallow, Next::ReadHoldingBack)
        } else if self.decoder.awaits_data() {
            (ConnectionState::ReadData, Next::ReadHoldingBack)
        } else {
            (ConnectionState::Read, Next::Read)
        };
        self.info.set_state(state);
        next
    }
}
