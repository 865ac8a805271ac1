//! `lru_crawler`.

use super::{Context, Flow};
use crate::proto::{BAD_FORMAT, Tokens, parse_u32};
use crate::store::{CrawlError, CrawlTarget};

const DISABLED: &str = "CLIENT_ERROR lru crawler disabled";
pub(crate) const BUSY: &str = "BUSY currently processing crawler request";
const BAD_CLASS: &str = "BADCLASS invalid class id";
const UNKNOWN: &str = "ERROR an unknown error happened";
/// The longest pause between items, in microseconds.
const SLEEP_MAX: u32 = 1_000_000;

pub(super) fn lru_crawler(context: &mut Context<'_>, tokens: &Tokens<'_>) -> Flow {
    let reply = match (tokens.len(), tokens.get(1)) {
        (3, b"crawl") => crawl(context, tokens.get(2)),
        (3, b"metadump") => match metadump(context, tokens.get(2)) {
            Ok(target) => return Flow::Dump(target),
            Err(reply) => reply,
        },
        (3, b"tocrawl") => set_tocrawl(context, tokens.get(2)),
        (3, b"sleep") => set_sleep(context, tokens.get(2)),
        (2, b"enable") => enable(context),
        (2, b"disable") => {
            context.shared.store.memory().crawler.enabled = false;
            "OK"
        }
        _ => "ERROR",
    };
    context.replies.line(reply);
    Flow::Continue
}

fn is_disabled(context: &Context<'_>) -> bool {
    !context.shared.store.memory().crawler.enabled
}

/// `all`, `hash`, or class ids separated by commas.
fn target(text: &[u8]) -> Option<CrawlTarget> {
    match text {
        b"all" => Some(CrawlTarget::all()),
        b"hash" => Some(CrawlTarget::Hash),
        ids => {
            let ids = ids.split(|&byte| byte == b',').filter(|id| !id.is_empty());
            CrawlTarget::classes(ids.map(parse_u32))
        }
    }
}

fn crawl(context: &Context<'_>, text: &[u8]) -> &'static str {
    if is_disabled(context) {
        return DISABLED;
    }
    let Some(target) = target(text) else {
        return BAD_CLASS;
    };
    let mut memory = context.shared.store.memory();
    let limit = memory.crawler.tocrawl;
    let started = memory.start_reap(target, limit, false, context.at.now);
    context.shared.work.notify_one();
    match started {
        Ok(()) => "OK",
        Err(CrawlError::Running) => BUSY,
        Err(CrawlError::Unsupported) => UNKNOWN,
    }
}

fn metadump(context: &Context<'_>, text: &[u8]) -> Result<CrawlTarget, &'static str> {
    if is_disabled(context) {
        return Err(DISABLED);
    }
    if !context.shared.config.allow_dump {
        return Err("ERROR metadump not allowed");
    }
    if context.replies.has_stacked() {
        return Err("ERROR cannot pipeline other commands before metadump");
    }
    target(text).ok_or(BAD_CLASS)
}

fn set_tocrawl(context: &Context<'_>, text: &[u8]) -> &'static str {
    let Some(tocrawl) = parse_u32(text) else {
        return BAD_FORMAT;
    };
    context.shared.store.memory().crawler.tocrawl = tocrawl;
    "OK"
}

fn set_sleep(context: &Context<'_>, text: &[u8]) -> &'static str {
    let Some(sleep) = parse_u32(text) else {
        return BAD_FORMAT;
    };
    if sleep > SLEEP_MAX {
        return "CLIENT_ERROR sleep must be one second or less";
    }
    context.shared.store.memory().crawler.sleep = sleep;
    "OK"
}

fn enable(context: &Context<'_>) -> &'static str {
    let mut memory = context.shared.store.memory();
    if std::mem::replace(&mut memory.crawler.enabled, true) {
        "ERROR failed to start lru crawler thread"
    } else {
        "OK"
    }
}
