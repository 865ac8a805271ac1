//! Operations on many keys: split by node, sent to all nodes at once, pipelined, in chunks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::Cluster;
use super::failure::OnFailure;
use super::health::{is_failure, note};
use super::node::{Node, is_worth_another, of_both};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::net::PendingReply;
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

impl Cluster {
    /// Reads the items of `keys`. The answers stand in their order.
    pub(crate) async fn get_many(
        &self,
        retrieval: Retrieval,
        keys: &[Key<'_>],
        deadline: Instant,
    ) -> Vec<Result<Option<Item>>> {
        let mut answers: Vec<Result<Option<Item>>> = keys.iter().map(|_| Ok(None)).collect();
        let mut valid = Vec::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            match self.text_key(*key) {
                Ok(_) => valid.push(index as u32),
                Err(error) => answers[index] = Err(error),
            }
        }
        let prefix = self.namespace();
        let length = |index: u32| prefix.len() + keys[index as usize].as_bytes().len() + 1;
        let parts = self.split(keys, valid).into_iter().map(|(node, indexes)| {
            let chunks = self.chunks.split(&indexes, length);
            self.read_chunks(node, chunks, retrieval, keys, deadline)
        });
        for (index, answer) in join_all(parts).await.into_iter().flatten() {
            answers[index as usize] = answer;
        }
        self.second_look(retrieval, keys, &mut answers, deadline)
            .await;
        answers
    }

    /// Asks elsewhere for what was not found, or not answered, where it belongs.
    async fn second_look(
        &self,
        retrieval: Retrieval,
        keys: &[Key<'_>],
        answers: &mut [Result<Option<Item>>],
        deadline: Instant,
    ) {
        let is_warming = self.topology().is_warming();
        let moves_on = !matches!(self.on_failure, OnFailure::Fail);
        if !is_warming && !moves_on {
            return;
        }
        let again = answers
            .iter_mut()
            .zip(keys)
            .filter(|(answer, _)| match answer {
                Ok(None) => is_warming,
                Ok(Some(_)) => false,
                Err(error) => moves_on && is_failure(error),
            });
        let looks = again.map(|(answer, key)| async move {
            *answer = self.get(retrieval, *key, deadline).await;
        });
        join_all(looks).await;
    }

    /// Carries out one command for each key; `command` makes it from the key's index. The answers
    /// stand in the order of `keys`.
    pub(crate) async fn execute_many<'a, C, F>(
        &'a self,
        keys: &[Key<'a>],
        command: F,
        deadline: Instant,
    ) -> Vec<Result<C::Output>>
    where
        C: Command + Send + Sync,
        F: Fn(usize) -> Result<C> + Sync,
    {
        let all = (0..keys.len() as u32).collect();
        let (moved, settled) = self.part_moved(keys, all);
        let singles = moved
            .into_iter()
            .map(|index| (index, Answer::Elsewhere(None)));
        let parts = self.split(keys, settled).into_iter();
        let parts =
            parts.map(|(node, indexes)| self.run_commands(node, indexes, &command, deadline));
        let mut answers: Vec<(u32, Answer<C::Output>)> = join_all(parts)
            .await
            .into_iter()
            .flatten()
            .chain(singles)
            .collect();
        answers.sort_unstable_by_key(|(index, _)| *index);
        let command = &command;
        let finish = |(index, answer): (u32, Answer<C::Output>)| async move {
            match answer {
                Answer::Here(result) => result,
                Answer::Elsewhere(first) => {
                    let index = index as usize;
                    let second = self.execute(keys[index], &command(index)?, deadline).await;
                    match first {
                        Some(first) => second.map_err(|second| of_both(&first, second)),
                        None => second,
                    }
                }
            }
        };
        join_all(answers.into_iter().map(finish)).await
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
    fn split(&self, keys: &[Key<'_>], indexes: Vec<u32>) -> Vec<(Arc<Node>, Vec<u32>)> {
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

impl Cluster {
    async fn read_chunks(
        &self,
        node: Arc<Node>,
        chunks: Vec<Chunk>,
        retrieval: Retrieval,
        keys: &[Key<'_>],
        deadline: Instant,
    ) -> Vec<(u32, Result<Option<Item>>)> {
        let push_chunk = |chunk: &Chunk, pipeline: &mut Pipeline| {
            let keys = chunk.iter().map(|index| keys[*index as usize].as_bytes());
            pipeline.push_get_many(retrieval, self.namespace(), keys, deadline)
        };
        let mut answers = Vec::with_capacity(chunks.iter().map(Vec::len).sum());
        let mut window = Window::new(&node, deadline);
        for chunk in &chunks {
            window
                .send(chunk, &mut |pipeline| push_chunk(chunk, pipeline))
                .await;
        }
        for (chunk, mut reply) in window.finish().await {
            if let Err(first) = &reply
                && is_worth_another(first)
            {
                let push = &mut |pipeline: &mut Pipeline| push_chunk(chunk, pipeline);
                let again = node.connection().call(deadline, push).await;
                reply = again.map_err(|second| of_both(first, second));
            }
            self.take_note(&node, &reply);
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
        answers
    }

    async fn run_commands<C, F>(
        &self,
        node: Arc<Node>,
        indexes: Vec<u32>,
        command: &F,
        deadline: Instant,
    ) -> Vec<(u32, Answer<C::Output>)>
    where
        C: Command + Send + Sync,
        F: Fn(usize) -> Result<C> + Sync,
    {
        let mut answers = Vec::with_capacity(indexes.len());
        let mut window = Window::new(&node, deadline);
        for index in indexes {
            match command(index as usize) {
                Ok(command) => {
                    window
                        .send(index, &mut |pipeline| pipeline.push(&command, deadline))
                        .await;
                }
                Err(error) => answers.push((index, Answer::Here(Err(error)))),
            }
        }
        for (index, reply) in window.finish().await {
            self.take_note(&node, &reply);
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
        answers
    }

    fn take_note(&self, node: &Arc<Node>, reply: &Result<Reply>) {
        if let OnFailure::NextNode(ejection) = self.on_failure {
            note(node, reply.as_ref().err(), ejection);
        }
    }

    /// Whether a failed command is worth a second attempt by itself.
    fn goes_elsewhere(&self, command: &impl Command, error: &Error) -> bool {
        let can_repeat = command.is_idempotent() || !error.was_sent();
        match self.on_failure {
            OnFailure::NextNode(_) => can_repeat && is_failure(error),
            OnFailure::Fail | OnFailure::Miss => command.is_idempotent() && is_worth_another(error),
        }
    }
}
