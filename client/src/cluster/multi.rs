//! Operations on many keys: split by node, sent to all nodes at once, pipelined, in chunks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::Cluster;
use super::failure::OnFailure;
use super::health::is_failure;
use super::node::{Node, is_worth_another, of_both};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::net::PendingReply;
use crate::observe::{Call, Start, Tally};
use crate::outcome::Outcome;
use crate::proto::command::{Command, refused};
use crate::proto::group::Retrieval;
use crate::proto::pipeline::{Full, Pipeline};
use crate::proto::reply::{Item, Reply};
use crate::proto::slots::Ticket;

/// How long one line of keys may become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkLimits {
    pub(crate) keys: usize,
    pub(crate) bytes: usize,
}

/// The keys of one request, as indexes into the caller's list.
type Chunk = Vec<u32>;

/// What one of many commands came to.
enum Answer<T> {
    Here(Result<T>),
    /// It is worth an attempt by itself, after this failure.
    Elsewhere(Option<Error>),
}

/// The keys that each node holds, as indexes into the caller's list.
type Parts = Vec<(Arc<Node>, Vec<u32>)>;

/// The keys of an operation: those that can be sent, and what became of the others.
struct Keys<'k> {
    valid: Vec<Key<'k>>,
    /// Of the caller's list, in its order.
    indexes: Vec<usize>,
}

impl<'k> Keys<'k> {
    fn of(keys: &[Result<Key<'k>>]) -> Self {
        let is_valid = |(index, key): (usize, &Result<Key<'k>>)| Some((*key.as_ref().ok()?, index));
        let valid = keys.iter().enumerate().filter_map(is_valid);
        let (valid, indexes) = valid.unzip();
        Self { valid, indexes }
    }
}

impl<T> Answer<T> {
    const fn is_failure(&self) -> bool {
        matches!(self, Self::Here(Err(_)) | Self::Elsewhere(Some(_)))
    }
}

/// Puts the answers of the valid keys and the errors of the others into the order of the keys.
fn merge<T>(keys: &[Result<Key<'_>>], answers: Vec<Result<T>>) -> Vec<Result<T>> {
    let mut answers = answers.into_iter();
    let unanswered = || Err(Error::protocol("a key without an answer"));
    let merged = keys.iter().map(|key| match key {
        Ok(_) => answers.next().unwrap_or_else(unanswered),
        Err(error) => Err(error.clone()),
    });
    merged.collect()
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
    ) -> Vec<Result<Option<Item>>> {
        let valid = Keys::of(keys).valid;
        let parts = self.split(&valid, (0..valid.len() as u32).collect());
        let whole = self.begin_many(start, keys.len(), &parts);
        let mut answers: Vec<Result<Option<Item>>> = valid.iter().map(|_| Ok(None)).collect();
        let request = ReadMany {
            retrieval,
            keys: &valid,
            deadline: start.deadline,
        };
        let reads = parts.iter().map(|(node, indexes)| {
            let part = part(whole.as_ref(), node, indexes, &parts);
            self.read_part(node, indexes, request, part)
        });
        let mut failed_nodes = 0;
        for answer in join_all(reads).await {
            failed_nodes += usize::from(answer.iter().any(|(_, answer)| answer.is_err()));
            for (index, answer) in answer {
                answers[index as usize] = answer;
            }
        }
        self.second_look(request, &mut answers).await;
        let answers = merge(keys, answers);
        if let Some(whole) = whole {
            let outcome = |_, item: &Option<Item>| Some(Item::outcome(item.as_ref()));
            whole.finish_many(tally(&answers, outcome, failed_nodes));
        }
        answers
    }

    fn begin_many<'a>(&'a self, start: Start, keys: usize, parts: &'a Parts) -> Option<Call<'a>> {
        let nodes = parts.iter().map(|(node, _)| &**node.record());
        self.observer().begin_many(start, keys, nodes)
    }

    /// Asks elsewhere for what was not found, or not answered, where it belongs.
    async fn second_look(&self, request: ReadMany<'_>, answers: &mut [Result<Option<Item>>]) {
        let is_warming = self.topology().is_warming();
        let moves_on = !matches!(self.on_failure, OnFailure::Fail);
        if !is_warming && !moves_on {
            return;
        }
        let again = answers
            .iter_mut()
            .zip(request.keys)
            .filter(|(answer, _)| match answer {
                Ok(None) => is_warming,
                Ok(Some(_)) => false,
                Err(error) => moves_on && is_failure(error),
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
        let Keys { valid, indexes } = Keys::of(keys);
        let make = |at: usize| command(indexes[at], valid[at]);
        let all = (0..valid.len() as u32).collect();
        let (moved, settled) = self.part_moved(&valid, all);
        let parts = self.split(&valid, settled);
        let whole = self.begin_many(start, keys.len(), &parts);
        let runs = parts.iter().map(|(node, indexes)| {
            let part = part(whole.as_ref(), node, indexes, &parts);
            self.run_part(node, indexes, &make, start.deadline, part)
        });
        let mut failed_nodes = 0;
        let mut first: Vec<(u32, Answer<C::Output>)> = moved
            .into_iter()
            .map(|index| (index, Answer::Elsewhere(None)))
            .collect();
        for part in join_all(runs).await {
            failed_nodes += usize::from(part.iter().any(|(_, answer)| answer.is_failure()));
            first.extend(part);
        }
        first.sort_unstable_by_key(|(index, _)| *index);
        let (valid, make) = (&valid, &make);
        let finish = |(index, answer): (u32, Answer<C::Output>)| async move {
            match answer {
                Answer::Here(result) => result,
                Answer::Elsewhere(first) => {
                    let index = index as usize;
                    let second = self
                        .execute_again(valid[index], &make(index)?, start.deadline)
                        .await;
                    match first {
                        Some(first) => second.map_err(|second| of_both(&first, second)),
                        None => second,
                    }
                }
            }
        };
        let answers = join_all(first.into_iter().map(finish)).await;
        let answers = merge(keys, answers);
        if let Some(whole) = whole {
            let outcome = |index: usize, output: &C::Output| {
                let key = *keys[index].as_ref().ok()?;
                Some(command(index, key).ok()?.outcome(output))
            };
            whole.finish_many(tally(&answers, outcome, failed_nodes));
        }
        answers
    }

    /// The keys whose owner has changed a moment ago, and the others.
    fn part_moved(&self, keys: &[Key<'_>], indexes: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
        let topology = self.topology();
        if !topology.is_warming() {
            return (Vec::new(), indexes);
        }
        let has_moved = |index: &u32| {
            topology
                .previous_owner(self.namespace(), keys[*index as usize])
                .is_some()
        };
        indexes.into_iter().partition(has_moved)
    }

    /// Deals out the keys to their nodes, each node's in their order.
    fn split(&self, keys: &[Key<'_>], indexes: Vec<u32>) -> Parts {
        let topology = self.topology();
        let nodes = topology.nodes();
        if let [only] = nodes {
            return vec![(Arc::clone(only), indexes)];
        }
        let mut parts: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
        for index in indexes {
            let owner = topology.owner_index(self.namespace(), keys[index as usize]);
            parts[owner].push(index);
        }
        let parts = nodes.iter().cloned().zip(parts);
        parts.filter(|(_, indexes)| !indexes.is_empty()).collect()
    }
}

impl ChunkLimits {
    /// Cuts a list of keys, whose lengths `length` tells, into lines of allowed length.
    fn split(self, indexes: &[u32], length: impl Fn(u32) -> usize) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut bytes = 0;
        for index in indexes {
            let more = length(*index);
            match chunks.last_mut() {
                Some(chunk) if chunk.len() < self.keys && bytes + more <= self.bytes => {
                    chunk.push(*index);
                    bytes += more;
                }
                _ => {
                    chunks.push(vec![*index]);
                    bytes = more;
                }
            }
        }
        chunks
    }
}

/// Sends requests to one node, as many at once as it takes, and awaits their replies.
struct Window<'a, R> {
    node: &'a Node,
    deadline: Instant,
    pending: VecDeque<(R, PendingReply)>,
    done: Vec<(R, Result<Reply>)>,
}

impl<'a, R: Send> Window<'a, R> {
    fn new(node: &'a Node, deadline: Instant) -> Self {
        Self {
            node,
            deadline,
            pending: VecDeque::new(),
            done: Vec::new(),
        }
    }

    async fn send(
        &mut self,
        request: R,
        push: &mut (dyn FnMut(&mut Pipeline) -> Result<Ticket, Full> + Send),
    ) {
        loop {
            match self.node.connection().try_call(self.deadline, push) {
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

    async fn finish(mut self) -> Vec<(R, Result<Reply>)> {
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
    keys: &'a [Key<'a>],
    deadline: Instant,
}

impl Cluster {
    /// Reads those keys that one node holds.
    async fn read_part(
        &self,
        node: &Arc<Node>,
        indexes: &[u32],
        request: ReadMany<'_>,
        mut part: Option<Call<'_>>,
    ) -> Vec<(u32, Result<Option<Item>>)> {
        let ReadMany {
            retrieval,
            keys,
            deadline,
        } = request;
        let admitted = self.admit(node);
        let prefix = self.namespace();
        let length = |index: u32| prefix.len() + keys[index as usize].as_bytes().len() + 1;
        let chunks = self.chunks.split(indexes, length);
        let push_chunk = |chunk: &Chunk, pipeline: &mut Pipeline| {
            let keys = chunk.iter().map(|index| keys[*index as usize].as_bytes());
            pipeline.push_get_many(retrieval, prefix, keys, deadline)
        };
        let mut answers = Vec::with_capacity(indexes.len());
        let mut window = Window::new(node, deadline);
        for chunk in &chunks {
            if let Err(error) = &admitted {
                window.done.push((chunk, Err(error.clone())));
                continue;
            }
            window
                .send(chunk, &mut |pipeline| push_chunk(chunk, pipeline))
                .await;
        }
        for (chunk, mut reply) in window.finish().await {
            if let Err(first) = &reply
                && is_worth_another(first)
            {
                if let Some(part) = &mut part {
                    part.retrying(first);
                }
                let push = &mut |pipeline: &mut Pipeline| push_chunk(chunk, pipeline);
                let again = node.connection().call(deadline, push).await;
                reply = again.map_err(|second| of_both(first, second));
            }
            self.note(node, reply.as_ref().err());
            match reply {
                Ok(Reply::Items(items)) => {
                    answers.extend(chunk.iter().copied().zip(items.into_iter().map(Ok)));
                }
                other => {
                    let error = other.map_or_else(|error| error, refused).at(node.name());
                    answers.extend(chunk.iter().map(|index| (*index, Err(error.clone()))));
                }
            }
        }
        if let Some(part) = part {
            let answers = answers.iter().map(|(_, answer)| answer.as_ref());
            let outcomes = answers.map(|it| it.map(|item| Some(Item::outcome(item.as_ref()))));
            part.finish_many(Tally::of(outcomes, 0));
        }
        answers
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
        F: Fn(usize) -> Result<C> + Sync,
    {
        let mut answers = Vec::with_capacity(indexes.len());
        let admitted = self.admit(node);
        let mut window = Window::new(node, deadline);
        for index in indexes.iter().copied() {
            match (command(index as usize), &admitted) {
                (Ok(_), Err(error)) => window.done.push((index, Err(error.clone()))),
                (Ok(command), Ok(())) => {
                    window
                        .send(index, &mut |pipeline| pipeline.push(&command, deadline))
                        .await;
                }
                (Err(error), _) => answers.push((index, Answer::Here(Err(error)))),
            }
        }
        for (index, reply) in window.finish().await {
            self.note(node, reply.as_ref().err());
            let result = match (command(index as usize), reply) {
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
                Answer::Here(Ok(output)) => Ok(command(*index as usize)
                    .ok()
                    .map(|command| command.outcome(output))),
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
