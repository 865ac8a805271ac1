//! `verbosity`, `shutdown`, `cache_memlimit` and `lru`.

use std::sync::atomic::Ordering;

use super::{Context, Flow};
use crate::proto::{BAD_FORMAT, Tokens, parse_f64, parse_i32, parse_u32};

/// The highest verbosity a client can set.
const VERBOSITY_MAX: u32 = 2;
/// The smallest memory limit a client can set, in MiB.
const MEMLIMIT_MIN: u32 = 8;
/// Beyond this many MiB, the client surely meant bytes.
const MEMLIMIT_MAX: u32 = 1_000_000_000;
/// The share that hot and warm items may have together, in percent.
const SEGMENTS_MAX: u32 = 80;

pub(super) fn verbosity(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let noreply = tokens.noreply();
    let Some(level) = parse_u32(tokens.get(1)) else {
        context.answer(BAD_FORMAT, noreply);
        return;
    };
    context
        .shared
        .verbosity
        .store(level.min(VERBOSITY_MAX), Ordering::Relaxed);
    context.answer("OK", noreply);
}

pub(super) fn shutdown(context: &mut Context<'_>, tokens: &Tokens<'_>) -> Flow {
    if !context.shared.config.allow_shutdown {
        context.replies.line("ERROR: shutdown not enabled");
        return Flow::Continue;
    }
    match (tokens.len(), tokens.get(1)) {
        (1, _) | (2, b"graceful") => Flow::Shutdown,
        _ => {
            context.replies.line("CLIENT_ERROR invalid shutdown mode");
            Flow::Continue
        }
    }
}

pub(super) fn cache_memlimit(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let reply = match parse_u32(tokens.get(1)) {
        None => "ERROR",
        Some(..MEMLIMIT_MIN) => "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m",
        Some(megabytes) if megabytes > MEMLIMIT_MAX => {
            "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"
        }
        Some(megabytes) => {
            let limit = u64::from(megabytes) * 1024 * 1024;
            context.shared.store.memory().slabs.set_limit(limit);
            "OK"
        }
    };
    context.answer(reply, tokens.noreply());
}

pub(super) fn lru(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let reply = match tokens.get(1) {
        b"tune" if tokens.len() >= 6 => tune(context, tokens),
        b"mode" if tokens.len() >= 3 => {
            let segmented = match tokens.get(2) {
                b"flat" => Some(false),
                b"segmented" => Some(true),
                _ => None,
            };
            segmented.map_or("ERROR", |segmented| {
                context
                    .shared
                    .store
                    .segmented
                    .store(segmented, Ordering::Relaxed);
                "OK"
            })
        }
        b"temp_ttl" if tokens.len() >= 3 => parse_i32(tokens.get(2)).map_or("ERROR", |ttl| {
            let tuning = &mut context.shared.store.memory().tuning;
            tuning.temp_lru = ttl >= 0;
            if let Ok(ttl) = u32::try_from(ttl) {
                tuning.temporary_ttl = ttl;
            }
            "OK"
        }),
        _ => "ERROR",
    };
    context.answer(reply, tokens.noreply());
}

fn tune(context: &Context<'_>, tokens: &Tokens<'_>) -> &'static str {
    let percents = (parse_u32(tokens.get(2)), parse_u32(tokens.get(3)));
    let factors = (parse_f64(tokens.get(4)), parse_f64(tokens.get(5)));
    let ((Some(hot), Some(warm)), (Some(hot_factor), Some(warm_factor))) = (percents, factors)
    else {
        return "ERROR";
    };
    if hot.wrapping_add(warm) > SEGMENTS_MAX {
        return "ERROR hot and warm pcts must not exceed 80";
    }
    if hot_factor <= 0.0 || warm_factor <= 0.0 {
        return "ERROR hot/warm age factors must be greater than 0";
    }
    let tuning = &mut context.shared.store.memory().tuning;
    tuning.hot_percent = hot;
    tuning.warm_percent = warm;
    tuning.hot_max_factor = hot_factor;
    tuning.warm_max_factor = warm_factor;
    "OK"
}
