//! Carrying requests out. One file per family; each takes a parsed request, does it, and writes the
//! reply.

mod admin;
mod arithmetic;
mod delete;
mod flush;
mod get;
mod lru_crawler;
mod meta_arithmetic;
mod meta_debug;
mod meta_delete;
mod meta_get;
mod meta_reply;
mod meta_set;
mod slabs;
mod stats;
mod store;
mod watch;

pub(crate) use lru_crawler::BUSY;

use crate::proto::{AdminVerb, Rejection, Request, Tokens};
use crate::server::{Replies, Shared};
use crate::store::{At, CrawlTarget};
use crate::watchers::Topics;

/// What memcached 1.6.18 calls itself; this node speaks its protocol and reports its version.
pub(crate) const VERSION: &str = "1.6.18";

/// What a command works with.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) replies: &'a mut Replies,
    pub(crate) at: At,
}

impl Context<'_> {
    /// Answers with a line, unless the client asked for silence.
    fn answer(&mut self, line: &str, noreply: bool) {
        if !noreply {
            self.replies.line(line);
        }
    }
}

/// What the connection does after a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// Go on; memcached would have sent all replies so far.
    Sent,
    /// Close once the replies are sent.
    Close,
    /// Close without sending anything more.
    Abort,
    /// Close, and stop the node.
    Shutdown,
    /// Listen to log lines from now on.
    Watch(Topics),
    /// List items, then go on.
    Dump(CrawlTarget),
}

/// Carries out one request.
pub(crate) fn execute(request: Request<'_>, context: &mut Context<'_>) -> Flow {
    match request {
        Request::Get {
            keys,
            with_cas,
            exptime,
        } => get::get(context, keys, with_cas, exptime),
        Request::Store(store) => store::store(context, &store),
        Request::Oversized { key, mode, noreply } => store::oversized(context, key, mode, noreply),
        Request::Delete { key, noreply } => delete::delete(context, key, noreply),
        Request::Touch {
            key,
            exptime,
            noreply,
        } => get::touch(context, key, exptime, noreply),
        Request::Arithmetic {
            key,
            increment,
            delta,
            noreply,
        } => arithmetic::arithmetic(context, key, increment, delta, noreply),
        Request::MetaGet(command) => meta_get::meta_get(context, &command),
        Request::MetaStore(store) => meta_set::meta_set(context, &store),
        Request::OversizedMeta { command, mode } => meta_set::oversized(context, &command, mode),
        Request::MetaDelete(command) => meta_delete::meta_delete(context, &command),
        Request::MetaArithmetic(command) => {
            meta_arithmetic::meta_arithmetic(context, &command.command, command.increment)
        }
        Request::MetaNoop => {
            context.replies.line("MN");
            Flow::Sent
        }
        Request::Version => {
            context.replies.bytes(b"VERSION ");
            context.replies.line(VERSION);
            Flow::Continue
        }
        Request::Quit => Flow::Close,
        Request::Admin { verb, tokens } => execute_admin(verb, &tokens, context),
        Request::Reject(Rejection { reply, noreply }) => {
            context.answer(reply, noreply);
            Flow::Continue
        }
        Request::Http => Flow::Abort,
    }
}

fn execute_admin(verb: AdminVerb, tokens: &Tokens<'_>, context: &mut Context<'_>) -> Flow {
    match verb {
        AdminVerb::CacheMemlimit => admin::cache_memlimit(context, tokens),
        AdminVerb::FlushAll => flush::flush_all(context, tokens),
        AdminVerb::Lru => admin::lru(context, tokens),
        AdminVerb::LruCrawler => return lru_crawler::lru_crawler(context, tokens),
        AdminVerb::MetaDebug => meta_debug::meta_debug(context, tokens),
        AdminVerb::Shutdown => return admin::shutdown(context, tokens),
        AdminVerb::Slabs => slabs::slabs(context, tokens),
        AdminVerb::Stats => stats::stats(context, tokens),
        AdminVerb::Verbosity => admin::verbosity(context, tokens),
        AdminVerb::Watch => return watch::watch(context, tokens),
    }
    Flow::Continue
}
