//! The demo: embedded nodes, a load through the traced client, and whatever somebody does to them.

mod entry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memlens::config::{Config, Server};
use memlens::ring::Profile;
use memlens::{NodeStatistics, Operation, OperationStatistics, TracedClient};
use tokio::time::Instant;

use crate::load::{Load, LoadCounters, LoadMeter, WorkloadSettings};
use crate::model::{ClientCounts, ClientSide};
use crate::published::{DemoCommand, DemoState};

use entry::Entry;

/// How long keys are handed over after a change, and how long a node that left serves them.
const WARM_FOR: Duration = Duration::from_secs(60);

/// How long the traffic's client waits for an answer. A node that hangs shows as failures soon.
const PATIENCE: Duration = Duration::from_millis(250);

/// What the demo is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoSettings {
    /// Nodes to start with.
    pub nodes: u16,
    /// Memory of each, in MiB.
    pub memory_mib: u32,
    /// What the load asks for.
    pub workload: WorkloadSettings,
    /// Commands per second; 0 for no load.
    pub rate: u64,
}

/// Why the demo did not do what it was asked for.
#[derive(Debug)]
pub enum DemoError {
    /// An embedded node did not start.
    Node(memlens_node::Error),
    /// The client objected.
    Client(memlens::Error),
    /// What was asked for makes no sense; says why.
    Refused(String),
}

impl fmt::Display for DemoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(error) => write!(formatter, "cannot start an embedded node: {error}"),
            Self::Client(error) => error.fmt(formatter),
            Self::Refused(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for DemoError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Node(error) => Some(error),
            Self::Client(error) => Some(error),
            Self::Refused(_) => None,
        }
    }
}

impl From<memlens_node::Error> for DemoError {
    fn from(error: memlens_node::Error) -> Self {
        Self::Node(error)
    }
}

impl From<memlens::Error> for DemoError {
    fn from(error: memlens::Error) -> Self {
        Self::Client(error)
    }
}

/// The running demo.
#[derive(Debug)]
pub(crate) struct Demo {
    settings: DemoSettings,
    entries: Vec<Entry>,
    client: TracedClient,
    load: Option<Load>,
    meter: LoadMeter,
    is_warm: bool,
    has_strayed: bool,
    ring: Profile,
    client_side: Option<ClientSide>,
    /// With which version of its servers the client was last looked at.
    seen_version: u64,
}

impl Demo {
    /// Starts the nodes and the load. Must be called inside the runtime that shall do their work.
    pub(crate) async fn start(settings: DemoSettings) -> Result<Self, DemoError> {
        let mut entries = Vec::new();
        for _ in 0..settings.nodes {
            entries.push(Entry::start_new(settings.memory_mib, &entries).await?);
        }
        let ring = Profile::default();
        let client = TracedClient::with_config(config(&entries, ring)?).await?;
        Ok(Self {
            load: start_load(&client, settings),
            meter: LoadMeter::new(settings.rate),
            settings,
            entries,
            client,
            is_warm: false,
            has_strayed: false,
            ring,
            client_side: None,
            seen_version: 0,
        })
    }

    /// The settings of whoever uses the demo's nodes.
    pub(crate) fn config(&self) -> Result<Config, DemoError> {
        Ok(config(&self.entries, self.ring)?)
    }

    /// What the load has sent, if there is a load.
    pub(crate) fn load_counters(&self) -> Option<Arc<LoadCounters>> {
        self.load.as_ref().map(Load::counters)
    }

    /// Carries out a command. Says what was changed in the ring, if that was. Must be called inside
    /// the runtime that shall do the work of new nodes.
    pub(crate) async fn carry_out(
        &mut self,
        command: DemoCommand,
    ) -> Result<Option<String>, DemoError> {
        match command {
            DemoCommand::Add { weight } => self.add(weight).await.map(Some),
            DemoCommand::Remove(name) => self.remove(&name).await.map(Some),
            DemoCommand::SetWeight { node, weight } => self.set_weight(&node, weight).map(Some),
            DemoCommand::Stop(name) => {
                if let Some(node) = self.entry(&name)?.node.take() {
                    node.shutdown().await;
                }
                Ok(None)
            }
            DemoCommand::Start(name) => {
                let memory_mib = self.settings.memory_mib;
                let entry = self.entry(&name)?;
                if entry.node.is_none() {
                    let weight = entry.weight;
                    *entry = Entry::start(memory_mib, Some(entry.address)).await?;
                    entry.weight = weight;
                }
                Ok(None)
            }
            DemoCommand::Hang(name) => {
                if let Some(node) = &self.entry(&name)?.node {
                    node.pause();
                }
                Ok(None)
            }
            DemoCommand::Resume(name) => {
                if let Some(node) = &self.entry(&name)?.node {
                    node.resume();
                }
                Ok(None)
            }
            DemoCommand::SetWarm(is_warm) => {
                self.is_warm = is_warm;
                Ok(None)
            }
            DemoCommand::SetStray(has_strayed) => {
                self.has_strayed = has_strayed;
                self.tell_client()?;
                Ok(None)
            }
            DemoCommand::SetRing(profile) => self.set_ring(profile).await.map(Some),
        }
    }

    /// How it is doing at `now` on the watch's clock; also lets go of nodes that left the ring long
    /// enough ago.
    pub(crate) async fn look(&mut self, now: Duration) -> DemoState {
        let due = |entry: &Entry| entry.left.is_some_and(|left| left.elapsed() >= WARM_FOR);
        let (gone, kept) = std::mem::take(&mut self.entries).into_iter().partition(due);
        self.entries = kept;
        let gone: Vec<Entry> = gone;
        for entry in gone {
            entry.stop().await;
        }
        self.look_at_client(now);
        let counters = self.load_counters().unwrap_or_default();
        let report = self.meter.read(&counters, now);
        DemoState {
            nodes: self.entries.iter().map(Entry::describe).collect(),
            is_warm: self.is_warm,
            has_strayed: self.has_strayed,
            wanted_per_second: report.wanted_per_second,
            sent_per_second: report.sent_per_second,
            failed: report.failed,
        }
    }

    /// What the traffic's client says, as of the last look.
    pub(crate) fn client_side(&self) -> Option<Arc<ClientSide>> {
        self.client_side.clone().map(Arc::new)
    }

    fn look_at_client(&mut self, now: Duration) {
        let statistics = self.client.statistics();
        let nodes = statistics.nodes.iter();
        let failures = nodes
            .clone()
            .filter_map(|node| node.operation(Operation::Get));
        let counts = ClientCounts {
            hits: nodes.clone().map(NodeStatistics::hits).sum(),
            misses: nodes.map(NodeStatistics::misses).sum(),
            failures: failures.map(OperationStatistics::failed).sum(),
        };
        let servers = self.client.servers();
        let version = servers.version();
        match &mut self.client_side {
            Some(known) => {
                // A ring has many points, so it is copied only when it is another one.
                let ring = if version == self.seen_version {
                    Arc::clone(&known.ring)
                } else {
                    Arc::new(servers.ring())
                };
                known.look(ring, counts, now);
            }
            None => self.client_side = Some(ClientSide::new(servers.ring().into(), counts, now)),
        }
        self.seen_version = version;
    }

    pub(crate) async fn stop(self) {
        if let Some(load) = self.load {
            load.stop().await;
        }
        self.client.close().await;
        for entry in self.entries {
            entry.stop().await;
        }
    }

    async fn add(&mut self, weight: u32) -> Result<String, DemoError> {
        let mut entry = Entry::start_new(self.settings.memory_mib, &self.entries).await?;
        entry.weight = weight;
        let text = format!("added {}", entry.name);
        self.entries.push(entry);
        self.tell_client()?;
        Ok(text)
    }

    async fn remove(&mut self, name: &str) -> Result<String, DemoError> {
        if self.in_ring().count() < 2 {
            let reason = "the last node cannot be removed";
            return Err(DemoError::Refused(reason.to_owned()));
        }
        self.entry(name)?.left = Some(Instant::now());
        self.tell_client()?;
        let place = self.entries.iter().position(|entry| &*entry.name == name);
        if let Some(place) = place.filter(|_| !self.is_warm) {
            self.entries.remove(place).stop().await;
        }
        Ok(format!("removed {name}"))
    }

    fn set_weight(&mut self, name: &str, weight: u32) -> Result<String, DemoError> {
        if !self.ring.distribution().uses_weights() {
            let reason = format!("clients of the ring {} ignore weights", self.ring.name());
            return Err(DemoError::Refused(reason));
        }
        self.entry(name)?.weight = weight.max(1);
        self.tell_client()?;
        Ok(format!("weight {weight} for {name}"))
    }

    async fn set_ring(&mut self, profile: &str) -> Result<String, DemoError> {
        let unknown = |error| DemoError::Refused(format!("{error}"));
        let ring: Profile = profile.parse().map_err(unknown)?;
        let client = TracedClient::with_config(config(&self.entries, ring)?).await?;
        let load = start_load(&client, self.settings);
        if let Some(load) = std::mem::replace(&mut self.load, load) {
            load.stop().await;
        }
        std::mem::replace(&mut self.client, client).close().await;
        self.ring = ring;
        // The new load counts from 0.
        self.meter = LoadMeter::new(self.settings.rate);
        self.seen_version = 0;
        self.tell_client()?;
        Ok(format!("ring {profile}"))
    }

    /// Gives the traffic's client the servers that are in the ring.
    fn tell_client(&self) -> Result<(), DemoError> {
        let mut servers = self
            .in_ring()
            .map(Entry::server)
            .collect::<memlens::Result<Vec<Server>>>()?;
        if self.has_strayed && servers.len() > 1 {
            servers.pop();
        }
        let warm_for = if self.is_warm {
            WARM_FOR
        } else {
            Duration::ZERO
        };
        self.client.servers().warm_for(warm_for).set(servers)?;
        Ok(())
    }

    fn in_ring(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.left.is_none())
    }

    fn entry(&mut self, name: &str) -> Result<&mut Entry, DemoError> {
        self.entries
            .iter_mut()
            .find(|entry| &*entry.name == name && entry.left.is_none())
            .ok_or_else(|| DemoError::Refused(format!("the demo has no node {name}")))
    }
}

fn start_load(client: &TracedClient, settings: DemoSettings) -> Option<Load> {
    let has_load = settings.rate > 0;
    has_load.then(|| Load::start(client.as_client(), settings.workload, settings.rate))
}

fn config(entries: &[Entry], ring: Profile) -> memlens::Result<Config> {
    let mut config = Config::default();
    config.servers = entries
        .iter()
        .filter(|entry| entry.left.is_none())
        .map(Entry::server)
        .collect::<memlens::Result<_>>()?;
    config.ring = ring;
    config.operation_timeout = PATIENCE;
    Ok(config)
}
