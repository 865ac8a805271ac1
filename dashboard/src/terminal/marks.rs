//! What happened to nodes, in words.

use std::time::Duration;

use crate::format::ago;
use crate::model::{Mark, MarkKind, Snapshot};

/// How long a mark is told of.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// How many marks are told of at once.
const MOST_SHOWN: usize = 3;

/// What happened lately, newest first, with how long ago it was.
pub(super) fn lately(snapshot: &Snapshot) -> Vec<String> {
    let mut marks: Vec<_> = all(snapshot)
        .filter(|(_, mark)| snapshot.at.saturating_sub(mark.at) < SHOWN_FOR)
        .collect();
    marks.sort_by_key(|(_, mark)| std::cmp::Reverse(mark.at));
    marks.truncate(MOST_SHOWN);
    let words = marks.into_iter().map(|(name, mark)| {
        let age = ago(snapshot.at.saturating_sub(mark.at));
        format!("{name} {} {age} ago", happened(mark.kind))
    });
    words.collect()
}

/// What happened after `since`, oldest first, with the moment.
pub(super) fn since(snapshot: &Snapshot, since: Duration) -> Vec<(Duration, String)> {
    let mut marks: Vec<_> = all(snapshot).filter(|(_, mark)| mark.at > since).collect();
    marks.sort_by_key(|(_, mark)| mark.at);
    let words = marks
        .into_iter()
        .map(|(name, mark)| (mark.at, format!("{name} {}", happened(mark.kind))));
    words.collect()
}

fn all(snapshot: &Snapshot) -> impl Iterator<Item = (&str, Mark)> {
    let nodes = snapshot.nodes.iter();
    nodes.flat_map(|node| node.marks.iter().map(|mark| (node.name.as_ref(), *mark)))
}

const fn happened(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Restarted => "was restarted",
        MarkKind::CountersReset => "had its counters reset",
        MarkKind::Flushed => "was flushed",
        MarkKind::WentDown => "went down",
        MarkKind::CameBack => "came back",
    }
}
