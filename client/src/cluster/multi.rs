//! Operations on many keys: split by node, sent to all nodes at once, pipelined, in chunks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::node::{Node, is_worth_another};
use super::{Cluster, Topology};
use crate::error::Result;
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
pub(crate) type Chunked = Vec<u32>;

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
        let topology = self.topology();
        let parts = split(&topology, prefix, keys, valid)
            .into_iter()
            .map(|(node, indexes)| {
                let chunks = self.chunks.split(&indexes, length);
                read_chunks(node, chunks, retrieval, prefix, keys, deadline)
            });
        let parts: Vec<_> = parts.collect();
        drop(topology);
        for (index, answer) in join_all(parts).await.into_iter().flatten() {
            answers[index as usize] = answer;
        }
        answers
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
        let topology = self.topology();
        let all = (0..keys.len() as u32).collect();
        let parts: Vec<_> = split(&topology, self.namespace(), keys, all)
            .into_iter()
            .map(|(node, indexes)| run_commands(node, indexes, &command, deadline))
            .collect();
        drop(topology);
        let mut answers: Vec<(u32, Result<C::Output>)> =
            join_all(parts).await.into_iter().flatten().collect();
        answers.sort_unstable_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

/// Deals out the keys to their nodes, each node's in their order.
fn split(
    topology: &Topology,
    namespace: &[u8],
    keys: &[Key<'_>],
    indexes: Vec<u32>,
) -> Vec<(Arc<Node>, Vec<u32>)> {
    let nodes = topology.nodes();
    if let [only] = nodes {
        return vec![(Arc::clone(only), indexes)];
    }
    let mut parts: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
    for index in indexes {
        parts[topology.index_for(namespace, keys[index as usize])].push(index);
    }
    let parts = nodes.iter().cloned().zip(parts);
    parts.filter(|(_, indexes)| !indexes.is_empty()).collect()
}

impl ChunkLimits {
    /// Cuts a list of keys, whose lengths `length` tells, into lines of allowed length.
    fn split(self, indexes: &[u32], length: impl Fn(u32) -> usize) -> Vec<Chunked> {
        let mut chunks: Vec<Chunked> = Vec::new();
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

async fn read_chunks(
    node: Arc<Node>,
    chunks: Vec<Chunked>,
    retrieval: Retrieval,
    prefix: &[u8],
    keys: &[Key<'_>],
    deadline: Instant,
) -> Vec<(u32, Result<Option<Item>>)> {
    let push_chunk = |chunk: &Chunked, pipeline: &mut Pipeline| {
        let keys = chunk.iter().map(|index| keys[*index as usize].as_bytes());
        pipeline.push_get_many(retrieval, prefix, keys, deadline)
    };
    let mut answers = Vec::with_capacity(chunks.iter().map(Vec::len).sum());
    let mut window = Window::new(&node, deadline);
    for chunk in &chunks {
        window
            .send(chunk, &mut |pipeline| push_chunk(chunk, pipeline))
            .await;
    }
    for (chunk, mut reply) in window.finish().await {
        if reply.as_ref().is_err_and(is_worth_another) {
            let push = &mut |pipeline: &mut Pipeline| push_chunk(chunk, pipeline);
            reply = node.connection().call(deadline, push).await;
        }
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
    node: Arc<Node>,
    indexes: Vec<u32>,
    command: &F,
    deadline: Instant,
) -> Vec<(u32, Result<C::Output>)>
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
            Err(error) => answers.push((index, Err(error))),
        }
    }
    for (index, mut reply) in window.finish().await {
        let decode = |reply: Result<Reply>| match command(index as usize) {
            Ok(command) => reply.and_then(|reply| command.decode(reply)),
            Err(error) => Err(error),
        };
        if reply.as_ref().is_err_and(is_worth_another)
            && let Ok(command) = command(index as usize)
            && command.is_idempotent()
        {
            let push = &mut |pipeline: &mut Pipeline| pipeline.push(&command, deadline);
            reply = node.connection().call(deadline, push).await;
        }
        answers.push((index, decode(reply).map_err(|error| error.at(node.name()))));
    }
    answers
}
