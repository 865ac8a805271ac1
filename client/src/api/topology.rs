//! The servers of a running client, and changing them.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use futures_core::Stream;

use super::Client;
use crate::cluster::NodeSpec;
use crate::config::{LONGEST_TIMEOUT, Server};
use crate::error::{Error, ErrorKind, Result};
use crate::net::Endpoint;
use crate::ring::Ring;

/// The servers of a running client.
///
/// Made by [`Client::servers`]. Each change replaces the ring at once, for all clones of the client.
/// Operations under way finish where they began. Nodes that stay keep their connections; those that
/// are left out close when their last operation has ended. Every change has a number of its own,
/// the [`version`](Self::version).
///
/// # Warm hand-over
///
/// With another set of servers, some keys belong elsewhere, and until they are read or written
/// again they miss. After a change with [`warm_for`](Self::warm_for), a read that misses on the new
/// owner is tried on the previous one, and what is found there is added to the new owner, with its
/// flags and what is left of its life. Deletes go to both; what is overwritten is deleted from the
/// previous owner. So a planned change costs next to no hits, if the servers that leave stay up that
/// long.
///
/// It needs memcached 1.6 or later for the previous owners (the meta command `mg`). The previous
/// owner's copies stay where they are: a server that comes back into the ring later, unflushed, may
/// still hold old values.
///
/// ```no_run
/// # async fn example(client: memlens::Client) -> memlens::Result<()> {
/// use std::time::Duration;
///
/// let servers = client.servers().warm_for(Duration::from_secs(600));
/// servers.add("cache-09:11211")?;
/// servers.set_weight("cache-01:11211", 2)?;
/// println!("version {}: {:?}", servers.version(), servers.list());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Servers {
    client: Client,
    warm_for: Duration,
}

impl Client {
    /// The servers, to look at and to change.
    #[must_use]
    pub fn servers(&self) -> Servers {
        Servers {
            client: self.clone(),
            warm_for: Duration::ZERO,
        }
    }
}

impl Servers {
    /// Makes the changes that follow warm ones: for this long, reads that miss are also tried where
    /// the key was before. A later change ends the warm time of an earlier one.
    #[must_use]
    pub fn warm_for(self, duration: Duration) -> Self {
        Self {
            warm_for: duration,
            ..self
        }
    }

    /// How often the servers were set, the first time included.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.client.cluster.topology().version()
    }

    /// The servers, as they could be written into a list.
    #[must_use]
    pub fn list(&self) -> Vec<Server> {
        self.ring()
            .members()
            .iter()
            .cloned()
            .map(Server::from_member)
            .collect()
    }

    /// The ring of this moment.
    #[must_use]
    pub fn ring(&self) -> Ring {
        self.client.cluster.topology().ring().clone()
    }

    /// Replaces all servers; returns the new version.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an empty list, or one that names a
    /// server twice. Then nothing is changed. This holds for every change.
    pub fn set(&self, servers: impl IntoIterator<Item = Server>) -> Result<u64> {
        let specs = servers
            .into_iter()
            .map(|server| node_spec(&server))
            .collect();
        self.change(|_| Ok(specs))
    }

    /// Adds a server, given as in a server list; returns the new version.
    ///
    /// # Errors
    /// As [`set`](Self::set), and when the text is no server.
    pub fn add(&self, server: &str) -> Result<u64> {
        let spec = node_spec(&server.parse()?);
        self.change(|mut specs| {
            specs.push(spec);
            Ok(specs)
        })
    }

    /// Removes the server of that name, as [`Client::node_names`] lists them; returns the new
    /// version.
    ///
    /// # Errors
    /// [`NoServer`](crate::ErrorKind::NoServer) when there is none of that name; as
    /// [`set`](Self::set) when it is the last one.
    pub fn remove(&self, name: &str) -> Result<u64> {
        self.change(|mut specs| {
            specs.remove(position(&specs, name)?);
            Ok(specs)
        })
    }

    /// Puts a server in the place of another, which keeps rings that count places as they are;
    /// returns the new version.
    ///
    /// # Errors
    /// As [`remove`](Self::remove) and [`add`](Self::add).
    pub fn replace(&self, name: &str, server: &str) -> Result<u64> {
        let spec = node_spec(&server.parse()?);
        self.change(|mut specs| {
            let position = position(&specs, name)?;
            specs[position] = spec;
            Ok(specs)
        })
    }

    /// Changes a server's weight; returns the new version.
    ///
    /// # Errors
    /// As [`remove`](Self::remove), and for a weight of 0.
    pub fn set_weight(&self, name: &str, weight: u32) -> Result<u64> {
        self.change(|mut specs| {
            let position = position(&specs, name)?;
            let spec = &mut specs[position];
            spec.member = spec.member.clone().with_weight(weight);
            Ok(specs)
        })
    }

    /// Sets the servers to each list that a stream brings, until it ends: the seam for service
    /// discovery. A list that can't be set is passed to `refused`, and the servers stay as they are.
    ///
    /// # Cancel safety
    /// Dropping the future ends the following; the servers stay as they are.
    pub async fn follow(
        &self,
        lists: impl Stream<Item = Vec<Server>>,
        mut refused: impl FnMut(Error),
    ) {
        let mut lists = pin!(lists);
        while let Some(list) = poll_fn(|context| lists.as_mut().poll_next(context)).await {
            if let Err(error) = self.set(list) {
                refused(error);
            }
        }
    }

    fn change(&self, change: impl FnOnce(Vec<NodeSpec>) -> Result<Vec<NodeSpec>>) -> Result<u64> {
        let warm_for = self.warm_for.min(LONGEST_TIMEOUT);
        let until = || (tokio::time::Instant::now() + warm_for).into_std();
        let warm_until = (!warm_for.is_zero()).then(until);
        self.client.cluster.change(warm_until, change)
    }
}

fn position(specs: &[NodeSpec], name: &str) -> Result<usize> {
    specs
        .iter()
        .position(|spec| spec.member.name() == name)
        .ok_or_else(|| {
            Error::with_detail(ErrorKind::NoServer, format!("no server is called {name:?}"))
        })
}

/// What a node for `server` is made of.
pub(super) fn node_spec(server: &Server) -> NodeSpec {
    NodeSpec {
        member: server.member(),
        endpoint: match (server.host(), server.path()) {
            (_, Some(path)) => Endpoint::Unix(path.into()),
            (host, None) => Endpoint::Tcp {
                host: host.unwrap_or_default().into(),
                port: server.port().unwrap_or_default(),
            },
        },
    }
}
