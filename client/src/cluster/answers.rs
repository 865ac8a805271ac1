//! What a read of many keys has found.

use smallvec::SmallVec;

use crate::error::Result;
use crate::key::Key;
use crate::observe::Tally;
use crate::outcome::Outcome;
use crate::proto::reply::Item;

/// What each request to one node came to, for the keys at these indexes. Mostly there is one.
pub(super) type Replies<'i> = SmallVec<[(&'i [u32], Result<Vec<Option<Item>>>); 1]>;

/// What became of the keys of a read, in their order.
#[derive(Debug)]
pub(crate) enum Answers {
    /// One request has asked for all of them, and its reply is handed on as it is.
    Found(Vec<Option<Item>>),
    Each(Vec<Result<Option<Item>>>),
}

impl Answers {
    /// Puts the replies of all nodes in the order of the keys. The keys that can't be sent fail.
    pub(super) fn of<'i>(
        keys: &[Result<Key<'_>>],
        mut replies: SmallVec<[Replies<'i>; 1]>,
    ) -> Self {
        if let [only] = &mut replies[..]
            && let [(_, Ok(items))] = &mut only[..]
            && items.len() == keys.len()
        {
            return Self::Found(std::mem::take(items));
        }
        let mut answers = beginning(keys);
        for (chunk, reply) in replies.into_iter().flatten() {
            fill(&mut answers, chunk, reply);
        }
        Self::Each(answers)
    }

    /// The answers, each for itself.
    pub(super) fn each(&mut self) -> &mut [Result<Option<Item>>] {
        if let Self::Found(items) = self {
            *self = Self::Each(std::mem::take(items).into_iter().map(Ok).collect());
        }
        match self {
            Self::Each(answers) => answers,
            Self::Found(_) => &mut [],
        }
    }

    /// Counts what the whole came to.
    pub(super) fn tally(&self, failed_nodes: usize) -> Tally<'_> {
        match self {
            Self::Found(items) => Tally::of(items.iter().map(outcome).map(Ok), failed_nodes),
            Self::Each(answers) => {
                let outcomes = answers.iter().map(|answer| answer.as_ref().map(outcome));
                Tally::of(outcomes, failed_nodes)
            }
        }
    }
}

fn outcome(item: &Option<Item>) -> Option<Outcome> {
    Some(Item::outcome(item.as_ref()))
}

/// What is known before anything was asked: the keys that can't be sent fail, the others miss.
fn beginning<T>(keys: &[Result<Key<'_>>]) -> Vec<Result<Option<T>>> {
    keys.iter()
        .map(|key| match key {
            Ok(_) => Ok(None),
            Err(error) => Err(error.clone()),
        })
        .collect()
}

/// Puts what one request for the keys of `chunk` came to in the places of these keys.
fn fill(answers: &mut [Result<Option<Item>>], chunk: &[u32], reply: Result<Vec<Option<Item>>>) {
    match reply {
        Ok(items) => {
            for (index, item) in chunk.iter().zip(items) {
                answers[*index as usize] = Ok(item);
            }
        }
        Err(error) => {
            for index in chunk {
                answers[*index as usize] = Err(error.clone());
            }
        }
    }
}
