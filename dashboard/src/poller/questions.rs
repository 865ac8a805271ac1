//! Single questions that an operator asks: a key's value, the connections, the sizes of items.

use std::sync::Arc;
use std::time::Duration;

use memlens::stats::Sizes;
use memlens::{Client, Config, Key, MetaGet};

use super::trouble::{Asked, trouble};
use crate::model::{KeyFacts, OpenConnections, StreamTrouble};

/// The largest value that is fetched to be shown, in bytes.
pub const LARGEST_VALUE: u64 = 1024 * 1024;

/// How long an answer may take. Somebody waits for it at a screen, and would rather wait than ask again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks `node` for what it knows of `key`; for the value too, if `with_value`. `None` for a miss.
///
/// The item keeps its place in the LRU (`mg` with the flag `u`), but the server counts a read: in
/// `cmd_get`, and in `get_hits` or `get_misses`.
///
/// The node is asked whether or not the ring gives it the key: what lies on the wrong node is found
/// too. `settings` are those of the cluster; their namespace is left out, since `key` is the key as
/// the server has it.
///
/// # Errors
///
/// [`StreamTrouble::TooLarge`] when the value is asked for and longer than [`LARGEST_VALUE`]; then
/// it is not fetched.
///
/// # Cancel safety
///
/// Dropping the future loses nothing.
pub async fn look_up(
    settings: &Config,
    node: &str,
    key: &[u8],
    with_value: bool,
) -> Result<Option<KeyFacts>, StreamTrouble> {
    let failed = |error: memlens::Error| trouble(Asked::MetaGet, &error);
    let settings = settings_for(settings, node).ok_or(StreamTrouble::NoSuchNode)?;
    let client = Client::with_config(settings).await.map_err(failed)?;
    let found = ask(&client, key, with_value).await;
    client.close().await;
    found
}

/// Deletes `key` on `node`, whether or not the ring gives it the key; tells whether it was there.
/// `key` is the key as the server has it.
///
/// # Errors
///
/// Those of every operation of the client, and an unknown node.
///
/// # Cancel safety
///
/// When the future is dropped, the item may have been deleted or not.
pub async fn delete(settings: &Config, node: &str, key: &[u8]) -> Result<bool, StreamTrouble> {
    let failed = |error: memlens::Error| trouble(Asked::MetaGet, &error);
    let settings = settings_for(settings, node).ok_or(StreamTrouble::NoSuchNode)?;
    let client = Client::with_config(settings).await.map_err(failed)?;
    // A key that is no word was stored as base64, and can only be named so.
    let key = Key::new(key).or_else(|_| Key::binary(key));
    let deleted = match key {
        Ok(key) => client.delete(key).await,
        Err(error) => Err(error),
    };
    client.close().await;
    deleted.map_err(failed)
}

/// The settings of a client that knows `node` alone, and takes keys as the server has them.
fn settings_for(settings: &Config, node: &str) -> Option<Config> {
    let mut settings = settings.clone();
    settings
        .servers
        .retain(|server| server.member().name() == node);
    settings.namespace = memlens::config::Namespace::default();
    settings.connections_per_node = 1;
    settings.operation_timeout = PATIENCE;
    (!settings.servers.is_empty()).then_some(settings)
}

async fn ask(
    client: &Client,
    key: &[u8],
    with_value: bool,
) -> Result<Option<KeyFacts>, StreamTrouble> {
    let failed = |error: memlens::Error| trouble(Asked::MetaGet, &error);
    // A key that is no word was stored as base64, and can only be asked for so.
    let key = Key::new(key)
        .or_else(|_| Key::binary(key))
        .map_err(failed)?;
    let about = MetaGet::new()
        .leave_lru_alone()
        .size()
        .client_flags()
        .time_to_live()
        .last_access()
        .is_hit_before();
    let Some(item) = client.meta_get(key, &about).await.map_err(failed)? else {
        return Ok(None);
    };
    let mut facts = KeyFacts {
        size: item.size,
        client_flags: item.client_flags,
        time_to_live: item.time_to_live,
        last_access: item.last_access,
        was_hit_before: item.was_hit_before,
        value: None,
    };
    if !with_value {
        return Ok(Some(facts));
    }
    if let Some(size) = facts.size.filter(|size| *size > LARGEST_VALUE) {
        return Err(StreamTrouble::TooLarge {
            size,
            most: LARGEST_VALUE,
        });
    }
    let with_value = MetaGet::new().leave_lru_alone().value();
    let item = client.meta_get(key, &with_value).await.map_err(failed)?;
    facts.value = item
        .and_then(|item| item.value)
        .map(memlens::Value::into_data);
    Ok(facts.value.is_some().then_some(facts))
}

/// The open connections of `node`: `stats conns`, with those of the client told apart.
///
/// # Errors
///
/// When the node does not answer, or is older than memcached 1.4.19.
///
/// # Cancel safety
///
/// Dropping the future loses nothing.
pub async fn connections(
    client: &Client,
    node: &str,
) -> Result<Arc<OpenConnections>, StreamTrouble> {
    let failed = |error| trouble(Asked::Stats { needs: "1.4.19" }, &error);
    let asked = client.node(node).map_err(failed)?;
    let all = asked.stats_conns().await.map_err(failed)?;
    let statistics = client.statistics();
    let own = statistics.node(node).map(|node| &*node.local_addresses);
    Ok(Arc::new(OpenConnections::of(&all, own.unwrap_or_default())))
}

/// How many items of each size `node` holds: `stats sizes`.
///
/// # Errors
///
/// [`StreamTrouble::NotCounted`] when the server does not count them.
///
/// # Cancel safety
///
/// Dropping the future loses nothing.
pub async fn sizes(client: &Client, node: &str) -> Result<Arc<Sizes>, StreamTrouble> {
    let failed = |error| trouble(Asked::Stats { needs: "1.4.27" }, &error);
    let node = client.node(node).map_err(failed)?;
    let sizes = node.stats_sizes().await.map_err(failed)?;
    if !sizes.enabled {
        return Err(StreamTrouble::NotCounted {
            option: "-o track_sizes",
        });
    }
    Ok(Arc::new(sizes))
}
