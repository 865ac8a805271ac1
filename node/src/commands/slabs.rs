//! `slabs reassign` and `slabs automove`.

use super::Context;
use crate::proto::{BAD_FORMAT, Tokens, parse_f64, parse_i32, parse_u32};
use crate::store::ReassignError;

pub(super) fn slabs(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    match tokens.get(1) {
        b"reassign" if tokens.len() == 4 => reassign(context, tokens),
        b"automove" if tokens.len() >= 3 => automove(context, tokens),
        _ => context.replies.line("ERROR"),
    }
}

fn reassign(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let (source, target) = (parse_i32(tokens.get(2)), parse_i32(tokens.get(3)));
    let (Some(source), Some(target)) = (source, target) else {
        context.replies.line(BAD_FORMAT);
        return;
    };
    let asked = context.shared.store.memory().reassign(source, target);
    context.shared.work.notify_one();
    context.replies.line(match asked {
        Ok(()) => "OK",
        Err(ReassignError::Running) => "BUSY currently processing reassign request",
        Err(ReassignError::BadClass) => "BADCLASS invalid src or dst class id",
        Err(ReassignError::NoSpare) => "NOSPARE source class has no spare pages",
        Err(ReassignError::Same) => "SAME src and dst class are identical",
    });
}

fn automove(context: &mut Context<'_>, tokens: &Tokens<'_>) {
    let noreply = tokens.noreply();
    let reply = set_automove(context, tokens);
    context.answer(reply, noreply);
}

fn set_automove(context: &Context<'_>, tokens: &Tokens<'_>) -> &'static str {
    let mut memory = context.shared.store.memory();
    if tokens.get(2) == b"ratio" {
        let Some(ratio) = parse_f64(tokens.get(3)) else {
            return "ERROR";
        };
        memory.automove.ratio = ratio;
        return "OK";
    }
    let Some(level) = parse_u32(tokens.get(2)) else {
        return BAD_FORMAT;
    };
    if level > 2 {
        return "ERROR";
    }
    memory.automove.level = level;
    "OK"
}
