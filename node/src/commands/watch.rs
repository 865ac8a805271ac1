//! `watch`.

use super::{Context, Flow};
use crate::proto::Tokens;
use crate::watchers::Topics;

pub(super) fn watch(context: &mut Context<'_>, tokens: &Tokens<'_>) -> Flow {
    let noreply = tokens.len() > 1 && tokens.noreply();
    if !context.shared.config.allow_watch {
        context.answer("CLIENT_ERROR watch commands not allowed", noreply);
        return Flow::Continue;
    }
    if context.replies.has_stacked() {
        context.answer("ERROR cannot pipeline other commands before watch", noreply);
        return Flow::Continue;
    }
    let mut topics = if tokens.len() > 1 {
        Topics::NONE
    } else {
        Topics::FETCHERS
    };
    for name in tokens.from(1) {
        let Some(topic) = Topics::parse(name) else {
            context.answer("ERROR", noreply);
            return Flow::Continue;
        };
        topics = topics.and(topic);
    }
    Flow::Watch(topics)
}
