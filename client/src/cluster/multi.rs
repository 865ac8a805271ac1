//! Operations on many keys: split by node, sent to all nodes at once, pipelined, in chunks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;
use smallvec::{SmallVec, smallvec};

use super::Cluster;
use super::answers::{Answers, Replies};
use super::failure::OnFailure;
use super::health::is_failure;
use super::node::{Node, is_worth_another, of_both};
use super::parts::{Parts, key_at, valid};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::net::{PendingReply, Push};
use crate::observe::{Call, Start, Tally};
use crate::outcome::Outcome;
use crate::proto::command::{Command, refused};
use crate::proto::group::Retrieval;
use crate::proto::pipeline::Pipeline;
use crate::proto::reply::{Item, Reply};

/// How long one line of keys may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkLimits {
    pub(crate) keys: usize,
    pub(crate) bytes: usize,
}

/// What one of many commands came to.
enum Answer<T> {
    Here(Result<T>),
    /// It is worth an attempt by itself, after this failure.
    Elsewhere(Option<Error>),
}

impl<T> Answer<T> {
    const fn is_failure(&self) -> bool {
        matches!(self, Self::Here(Err(_)) | Self::Elsewhere(Some(_)))
    }
}

/// Awaits all of them at once.
async fn all<F: Future>(mut futures: impl ExactSizeIterator<Item = F>) -> SmallVec<[F::Output; 1]> {
    if futures.len() > 1 {
        return join_all(futures).await.into();
    }
    match futures.next() {
        Some(only) => smallvec![only.await],
        None => SmallVec::new(),
    }
}

/// Begins what a whole does on one of its nodes.
fn part<'p>(
    whole: Option<&Call<'_>>,
    node: &'p Node,
    indexes: &[u32],
    parts: &Parts,
) -> Option<Call<'p>> {
    whole?.part(node.record(), indexes.len(), parts.len() > 1)
}

/// Counts what the whole came to; `outcome` tells it of a key's index and output.
fn tally<T>(
    answers: &[Result<T>],
    outcome: impl Fn(usize, &T) -> Option<Outcome>,
    failed_nodes: usize,
) -> Tally<'_> {
    let outcomes = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| match answer {
            Ok(output) => Ok(outcome(index, output)),
            Err(error) => Err(error),
        });
    Tally::of(outcomes, failed_nodes)
}

impl Cluster {
    /// Reads the items of `keys`. The answers stand in their order.
    pub(crate) async fn get_many(
        &self,
        start: Start,
        retrieval: Retrieval,
        keys: &[Result<Key<'_>>],
    ) -> Answers {
        let parts = self.split(keys, valid(keys));
        let whole = self.begin_many(start, keys.len(), &parts);
        let request = ReadMany {
            retrieval,
            keys,
            deadline: start.deadline,
        };
        let reads = parts.iter().map(|(node, indexes)| {
            let part = part(whole.as_ref(), node, indexes, &parts);
            self.read_part(node, indexes, request, part)
        });
        let replies = all(reads).await;
        let is_failed = |replies: &&Replies<'_>| replies.iter().any(|(_, reply)| reply.is_err());
        let failed_nodes = replies.iter().filter(is_failed).count();
        let mut answers = Answers::of(keys, replies);
        self.second_look(request, &mut answers).await;
        if let Some(whole) = whole {
            whole.finish_many(answers.tally(failed_nodes));
        }
        answers
    }

    fn begin_many<'a>(&'a self, start: Start, keys: usize, parts: &'a Parts) -> Option<Call<'a>> {
        let nodes = parts.iter().map(|(node, _)| &**node.record());
        self.observer().begin_many(start, keys, nodes)
    }

    /// Asks elsewhere for what was not found, or not answered, where it belongs.
    async fn second_look(&self, request: ReadMany<'_>, answers: &mut Answers) {
        let is_warming = self.topology().is_warming();
        let moves_on = !matches!(self.on_failure, OnFailure::Fail);
        if !is_warming && !moves_on {
            return;
        }
        let asked = answers.each().iter_mut().zip(request.keys);
        let again = asked.filter_map(|(answer, key)| {
            let is_open = match answer {
                Ok(None) => is_warming,
                Ok(Some(_)) => false,
                Err(error) => moves_on && is_failure(error),
            };
            is_open.then_some((answer, key.as_ref().ok()?))
        });
        let looks = again.map(|(answer, key)| async move {
            *answer = self
                .get_again(request.retrieval, *key, request.deadline)
                .await;
        });
        join_all(looks).await;
    }

    /// Carries out one command for each key; `command` makes it from the key and its index. The
    /// answers stand in the order of `keys`.
    pub(crate) async fn execute_many<'a, C, F>(
        &'a self,
        start: Start,
        keys: &[Result<Key<'a>>],
        command: F,
    ) -> Vec<Result<C::Output>>
    where
        C: Command + Send + Sync,
        F: Fn(usize, Key<'a>) -> Result<C> + Sync,
    {
        let make = |index: u32| command(index as usize, key_at(keys, index)?);
        let (moved, settled) = self.part_moved(keys, valid(keys));
        let parts = self.split(keys, settled);
        let whole = self.begin_many(start, keys.len(), &parts);
        let runs = parts.iter().map(|(node, indexes)| {
            let part = part(whole.as_ref(), node, indexes, &parts);
            self.run_part(node, indexes, &make, start.deadline, part)
        });
        let refused = keys.iter().zip(0..).filter_map(|(key, index)| {
            let error = key.as_ref().err()?.clone();
            Some((index, Answer::Here(Err(error))))
        });
        let elsewhere = |index| (index, Answer::Elsewhere(None));
        let mut first: Vec<(u32, Answer<C::Output>)> =
            refused.chain(moved.into_iter().map(elsewhere)).collect();
        let mut failed_nodes = 0;
        for part in all(runs).await {
            failed_nodes += usize::from(part.iter().any(|(_, answer)| answer.is_failure()));
            first.extend(part);
        }
        first.sort_unstable_by_key(|(index, _)| *index);
        let make = &make;
        let finish = |(index, answer): (u32, Answer<C::Output>)| async move {
            match answer {
                Answer::Here(result) => result,
                Answer::Elsewhere(first) => {
                    let second = self
                        .execute_again(key_at(keys, index)?, &make(index)?, start.deadline)
                        .await;
                    match first {
                        Some(first) => second.map_err(|second| of_both(&first, second)),
                        None => second,
                    }
                }
            }
        };
        let answers = join_all(first.into_iter().map(finish)).await;
        if let Some(whole) = whole {
            let outcome = |index: usize, output: &C::Output| {
                let key = *keys[index].as_ref().ok()?;
                Some(command(index, key).ok()?.outcome(output))
            };
            whole.finish_many(tally(&answers, outcome, failed_nodes));
        }
        answers
    }
}

impl ChunkLimits {
    /// Cuts a line of allowed length off the front of a list of keys, whose lengths `length` tells.
    fn cut<'i>(self, indexes: &mut &'i [u32], length: impl Fn(u32) -> usize) -> Option<&'i [u32]> {
        if indexes.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = |index: &&u32| {
            bytes += length(**index);
            bytes <= self.bytes
        };
        let count = indexes.iter().take(self.keys).take_while(fits).count();
        let (chunk, rest) = indexes.split_at(count.max(1));
        *indexes = rest;
        Some(chunk)
    }
}

/// Sends requests to one node, as many at once as it takes, and awaits their replies.
struct Window<'a, R> {
    node: &'a Node,
    deadline: Instant,
    pending: VecDeque<(R, PendingReply<'a>)>,
    done: SmallVec<[(R, Result<Reply>); 1]>,
}

impl<'a, R: Send> Window<'a, R> {
    fn new(node: &'a Node, deadline: Instant) -> Self {
        Self {
            node,
            deadline,
            pending: VecDeque::new(),
            done: SmallVec::new(),
        }
    }

    async fn send(&mut self, request: R, mut push: impl Push + Unpin) {
        loop {
            match self.node.connection().try_call(self.deadline, &mut push) {
                Ok(Some(reply)) => return self.pending.push_back((request, reply)),
                Err(error) => return self.done.push((request, Err(error))),
                Ok(None) => match self.pending.pop_front() {
                    Some((earlier, reply)) => self.done.push((earlier, reply.await)),
                    None => {
                        let reply = self.node.connection().call(self.deadline, push).await;
                        return self.done.push((request, reply));
                    }
                },
            }
        }
    }

    /// As [`Self::send`]; what was sent before is awaited first.
    async fn send_last(&mut self, request: R, push: impl Push + Unpin) {
        if self.pending.is_empty() {
            let reply = self.node.connection().call(self.deadline, push).await;
            return self.done.push((request, reply));
        }
        self.send(request, push).await;
    }

    async fn finish(mut self) -> SmallVec<[(R, Result<Reply>); 1]> {
        for (request, reply) in self.pending {
            self.done.push((request, reply.await));
        }
        self.done
    }
}

/// A read of many keys.
#[derive(Clone, Copy)]
struct ReadMany<'a> {
    retrieval: Retrieval,
    keys: &'a [Result<Key<'a>>],
    deadline: Instant,
}

impl ReadMany<'_> {
    /// The bytes of the key at a valid index.
    fn bytes_at(&self, index: u32) -> &[u8] {
        match &self.keys[index as usize] {
            Ok(key) => key.as_bytes(),
            Err(_) => b"",
        }
    }
}

impl Cluster {
    /// Reads those keys that one node holds, and answers for each of its requests.
    async fn read_part<'i>(
        &self,
        node: &Arc<Node>,
        mut indexes: &'i [u32],
        request: ReadMany<'_>,
        mut part: Option<Call<'_>>,
    ) -> Replies<'i> {
        let prefix = self.namespace();
        let length = |index: u32| prefix.len() + request.bytes_at(index).len() + 1;
        let push_chunk = |chunk: &[u32], pipeline: &mut Pipeline| {
            let keys = chunk.iter().map(|index| request.bytes_at(*index));
            pipeline.push_get_many(request.retrieval, prefix, keys, request.deadline)
        };
        let admitted = self.admit(node);
        let mut window = Window::new(node, request.deadline);
        while let Some(chunk) = self.chunks.cut(&mut indexes, length) {
            let push = |pipeline: &mut Pipeline| push_chunk(chunk, pipeline);
            match &admitted {
                Err(error) => window.done.push((chunk, Err(error.clone()))),
                Ok(()) if indexes.is_empty() => window.send_last(chunk, push).await,
                Ok(()) => window.send(chunk, push).await,
            }
        }
        let mut replies = Replies::new();
        for (chunk, mut reply) in window.finish().await {
            if let Err(first) = &reply
                && is_worth_another(first)
            {
                if let Some(part) = &mut part {
                    part.retrying(first);
                }
                let push = |pipeline: &mut Pipeline| push_chunk(chunk, pipeline);
                let again = node.connection().call(request.deadline, push).await;
                reply = again.map_err(|second| of_both(first, second));
            }
            self.note(node, reply.as_ref().err());
            let items = match reply {
                Ok(Reply::Items(items)) => Ok(items),
                other => Err(other.map_or_else(|error| error, refused).at(node.name())),
            };
            replies.push((chunk, items));
        }
        if let Some(part) = part {
            part.finish_many(Tally::of(replies.iter().flat_map(outcomes), 0));
        }
        replies
    }

    /// Carries out those commands whose keys one node holds.
    async fn run_part<C, F>(
        &self,
        node: &Arc<Node>,
        indexes: &[u32],
        command: &F,
        deadline: Instant,
        part: Option<Call<'_>>,
    ) -> Vec<(u32, Answer<C::Output>)>
    where
        C: Command + Send + Sync,
        F: Fn(u32) -> Result<C> + Sync,
    {
        let mut answers = Vec::with_capacity(indexes.len());
        let admitted = self.admit(node);
        let mut window = Window::new(node, deadline);
        for index in indexes.iter().copied() {
            match (command(index), &admitted) {
                (Ok(_), Err(error)) => window.done.push((index, Err(error.clone()))),
                (Ok(command), Ok(())) => {
                    window
                        .send(index, |pipeline: &mut Pipeline| {
                            pipeline.push(&command, deadline)
                        })
                        .await;
                }
                (Err(error), _) => answers.push((index, Answer::Here(Err(error)))),
            }
        }
        for (index, reply) in window.finish().await {
            self.note(node, reply.as_ref().err());
            let result = match (command(index), reply) {
                (Ok(command), Err(error)) if self.goes_elsewhere(&command, &error) => {
                    answers.push((index, Answer::Elsewhere(Some(error))));
                    continue;
                }
                (Ok(command), Ok(reply)) => command.decode(reply),
                (Ok(_), Err(error)) | (Err(error), _) => Err(error),
            };
            let result = result.map_err(|error| error.at(node.name()));
            answers.push((index, Answer::Here(result)));
        }
        if let Some(part) = part {
            let outcomes = answers.iter().map(|(index, answer)| match answer {
                Answer::Here(Ok(output)) => {
                    Ok(command(*index).ok().map(|command| command.outcome(output)))
                }
                Answer::Here(Err(error)) | Answer::Elsewhere(Some(error)) => Err(error),
                Answer::Elsewhere(None) => Ok(None),
            });
            part.finish_many(Tally::of(outcomes, 0));
        }
        answers
    }

    /// Whether a failed command is worth a second attempt by itself.
    fn goes_elsewhere(&self, command: &impl Command, error: &Error) -> bool {
        let can_repeat = command.is_idempotent() || !error.was_sent();
        match self.on_failure {
            OnFailure::NextNode => can_repeat && is_failure(error),
            OnFailure::Fail | OnFailure::Miss => command.is_idempotent() && is_worth_another(error),
        }
    }
}

/// What became of the keys of one request.
fn outcomes<'r>(
    (chunk, reply): &'r (&[u32], Result<Vec<Option<Item>>>),
) -> impl Iterator<Item = Result<Option<Outcome>, &'r Error>> {
    (0..chunk.len()).map(move |at| match reply {
        Ok(items) => Ok(Some(Item::outcome(items.get(at).and_then(Option::as_ref)))),
        Err(error) => Err(error),
    })
}
