//! Warm hand-over: after a change of topology, keys are fetched from where they were before.
//!
//! For a key whose owner has changed, and for a limited time:
//! - what reads or changes an item, and misses, copies the item from its previous owner and tries
//!   again;
//! - what creates an item only if there is none copies it first;
//! - what overwrites an item also deletes the copy on the previous owner, so that no later miss
//!   brings back the old value;
//! - a delete goes to both.
//!
//! The copy is made by `add`, so it never overwrites what somebody has written meanwhile, and it
//! takes along the client flags and what is left of the item's life. Failures of the previous owner
//! count as misses: it may be gone for good.

use std::sync::Arc;
use std::time::Instant;

use super::Cluster;
use super::node::Node;
use crate::error::Result;
use crate::observe::Call;
use crate::proto::command::item::Delete;
use crate::proto::command::meta::{FlagWriter, Meta, MetaFlags, MetaVerb};
use crate::proto::command::store::{NewItem, Store, StoreVerb};
use crate::proto::command::{Command, Effect, WireKey};
use crate::proto::reply::{Item, MetaReply};
use crate::value::Payload;

/// Asks for all that a copy needs: value, client flags, what is left of its life. Leaves the item's
/// place in the LRU alone.
struct ForCopy;

impl MetaFlags for ForCopy {
    fn effect(&self) -> Effect {
        Effect::Reads
    }

    fn write(&self, flags: &mut FlagWriter<'_>) {
        for letter in *b"vftu" {
            flags.letter(letter);
        }
    }

    fn is_idempotent(&self) -> bool {
        true
    }
}

/// What a copy is made of.
struct Original {
    item: Item,
    exptime: i32,
}

impl Original {
    fn of(reply: MetaReply) -> Option<Self> {
        let token = |letter: u8| {
            let mut tokens = reply.flags().split(|byte| *byte == b' ');
            let token = tokens.find(|token| token.first() == Some(&letter))?;
            std::str::from_utf8(&token[1..]).ok()
        };
        let exptime = match token(b't')?.parse::<i32>().ok()? {
            ..=-1 => 0,
            // About to expire: the shortest life there is.
            seconds => seconds.max(1),
        };
        let flags = token(b'f')?.parse().ok()?;
        Some(Self {
            item: Item {
                data: reply.into_data()?,
                flags,
                cas: 0,
            },
            exptime,
        })
    }
}

impl Cluster {
    /// Carries out a command on a key that has moved from `before` to `now`.
    pub(super) async fn execute_moved<C>(
        &self,
        (before, now): (&Arc<Node>, &Arc<Node>),
        key: WireKey<'_>,
        command: &C,
        deadline: Instant,
        call: &mut Option<Call<'_>>,
    ) -> Result<C::Output>
    where
        C: Command + Sync,
    {
        match command.effect() {
            Effect::Creates => {
                self.copy(before, now, key, deadline).await;
                self.on_node(now, command, deadline, call).await
            }
            Effect::Reads | Effect::Changes => {
                let output = self.on_node(now, command, deadline, call).await?;
                let is_copied = command.is_miss(&output)
                    && self.copy(before, now, key, deadline).await.is_some();
                match is_copied {
                    true => self.on_node(now, command, deadline, call).await,
                    false => Ok(output),
                }
            }
            Effect::Overwrites => {
                let output = self.on_node(now, command, deadline, call).await?;
                // What can't be reached can't bring the old value back either.
                let _ = before.execute(&Delete { key }, deadline, &mut None).await;
                Ok(output)
            }
            Effect::Deletes => {
                let first = before.execute(command, deadline, &mut None).await;
                let second = self.on_node(now, command, deadline, call).await?;
                Ok(match first {
                    Ok(first) if command.is_miss(&second) => first,
                    _ => second,
                })
            }
        }
    }

    /// Copies an item to its new owner; `None` when there is none to copy.
    pub(super) async fn copy(
        &self,
        before: &Arc<Node>,
        now: &Arc<Node>,
        key: WireKey<'_>,
        deadline: Instant,
    ) -> Option<Item> {
        let read = Meta {
            verb: MetaVerb::Get,
            key,
            flags: ForCopy,
            data: None,
        };
        let Original { item, exptime } =
            Original::of(before.execute(&read, deadline, &mut None).await.ok()?)?;
        let payload = Payload::from(item.data.clone());
        let new = NewItem {
            key,
            payload: &payload,
            flags: item.flags,
            exptime,
        };
        let store = Store {
            verb: StoreVerb::Add,
            item: new,
        };
        // When somebody else was faster, theirs is as good or newer, but this one is in hand.
        let _ = now.execute(&store, deadline, &mut None).await;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::reply::MetaCode;

    fn reply(flags: &str) -> MetaReply {
        let payload = [flags, "x"].concat().into();
        MetaReply::with_data(MetaCode::Value, payload, (flags.len(), 1))
    }

    #[test]
    fn a_copy_keeps_flags_and_the_rest_of_its_life() {
        let of = |flags| Original::of(reply(flags)).map(|it| (it.item.flags, it.exptime));
        assert_eq!(of(" f5 t90"), Some((5, 90)));
        assert_eq!(
            of(" f4294967295 t-1"),
            Some((u32::MAX, 0)),
            "-1 is for ever"
        );
        assert_eq!(of(" f0 t0"), Some((0, 1)), "0 would be for ever");
        assert_eq!(of(" f0"), None);
    }
}
