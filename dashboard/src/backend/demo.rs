//! The demo: embedded nodes, a load through the traced client, and whatever somebody does to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use memlens::config::{Config, Server};
use memlens::ring::Profile;
use memlens::{NodeStatistics, TracedClient};
use memlens_node::Node;
use tokio::time::Instant;

use crate::load::{Load, LoadMeter, WorkloadSettings};
use crate::model::ratio;
use crate::published::{DemoCommand, DemoNode, DemoNodeState, DemoState};

/// Bytes in a MiB, the unit of memcached's `-m`.
const MEBIBYTE: usize = 1024 * 1024;

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
    /// Commands per second.
    pub rate: u64,
}

/// A node that runs, ran, or left the ring a while ago.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    address: SocketAddr,
    node: Option<Node>,
    /// Since when it is out of the ring.
    left: Option<Instant>,
}

/// The running demo.
#[derive(Debug)]
pub(super) struct Demo {
    settings: DemoSettings,
    entries: Vec<Entry>,
    client: TracedClient,
    load: Load,
    meter: LoadMeter,
    began: Instant,
    is_warm: bool,
    ring: Profile,
    lookups_before: (u64, u64),
}

impl Demo {
    pub(super) async fn start(settings: DemoSettings) -> Result<Self, String> {
        let mut entries = Vec::new();
        for _ in 0..settings.nodes {
            entries.push(Entry::start(settings, None).await?);
        }
        let ring = Profile::default();
        let config = config(&entries, ring)?;
        let client = connect(config).await?;
        Ok(Self {
            settings,
            load: Load::start(client.as_client(), settings.workload, settings.rate),
            meter: LoadMeter::new(settings.rate),
            entries,
            client,
            began: Instant::now(),
            is_warm: false,
            ring,
            lookups_before: (0, 0),
        })
    }

    /// The settings of whoever uses the demo's nodes.
    pub(super) fn config(&self) -> Result<Config, String> {
        config(&self.entries, self.ring)
    }

    /// Carries out a command. Says what was changed in the ring, if that was.
    pub(super) async fn carry_out(
        &mut self,
        command: DemoCommand,
    ) -> Result<Option<String>, String> {
        match command {
            DemoCommand::Add => self.add().await.map(Some),
            DemoCommand::Remove(name) => self.remove(&name).await.map(Some),
            DemoCommand::Stop(name) => {
                if let Some(node) = self.entry(&name)?.node.take() {
                    node.shutdown().await;
                }
                Ok(None)
            }
            DemoCommand::Start(name) => {
                let settings = self.settings;
                let entry = self.entry(&name)?;
                if entry.node.is_none() {
                    *entry = Entry::start(settings, Some(entry.address)).await?;
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
            DemoCommand::SetRing(profile) => self.set_ring(profile).await.map(Some),
        }
    }

    /// How it is doing; also lets go of nodes that left the ring long enough ago.
    pub(super) async fn look(&mut self) -> DemoState {
        let due = |entry: &Entry| entry.left.is_some_and(|left| left.elapsed() >= WARM_FOR);
        let (gone, kept) = std::mem::take(&mut self.entries).into_iter().partition(due);
        self.entries = kept;
        let gone: Vec<Entry> = gone;
        for entry in gone {
            entry.stop().await;
        }
        let report = self.meter.read(&self.load.counters(), self.began.elapsed());
        let statistics = self.client.statistics();
        let hits: u64 = statistics.nodes.iter().map(NodeStatistics::hits).sum();
        let misses: u64 = statistics.nodes.iter().map(NodeStatistics::misses).sum();
        let (hits_before, misses_before) =
            std::mem::replace(&mut self.lookups_before, (hits, misses));
        let hits = hits.saturating_sub(hits_before);
        let misses = misses.saturating_sub(misses_before);
        DemoState {
            nodes: self.entries.iter().map(Entry::describe).collect(),
            is_warm: self.is_warm,
            wanted_per_second: report.wanted_per_second,
            sent_per_second: report.sent_per_second,
            failed: report.failed,
            client_hit_rate: ratio(hits, hits + misses),
        }
    }

    pub(super) async fn stop(self) {
        self.load.stop().await;
        self.client.close().await;
        for entry in self.entries {
            entry.stop().await;
        }
    }

    async fn add(&mut self) -> Result<String, String> {
        let entry = Entry::start(self.settings, None).await?;
        let text = format!("added {}", entry.name);
        self.client
            .servers()
            .warm_for(self.warm_time())
            .add(&entry.name)
            .map_err(|error| error.to_string())?;
        self.entries.push(entry);
        Ok(text)
    }

    async fn remove(&mut self, name: &str) -> Result<String, String> {
        let (warm_time, is_warm) = (self.warm_time(), self.is_warm);
        if self
            .entries
            .iter()
            .filter(|entry| entry.left.is_none())
            .count()
            < 2
        {
            return Err("the last node cannot be removed".to_owned());
        }
        let servers = self.client.servers().warm_for(warm_time);
        let entry = self.entry(name)?;
        servers.remove(name).map_err(|error| error.to_string())?;
        entry.left = Some(Instant::now());
        if !is_warm {
            let place = self.entries.iter().position(|entry| &*entry.name == name);
            if let Some(place) = place {
                self.entries.remove(place).stop().await;
            }
        }
        Ok(format!("removed {name}"))
    }

    async fn set_ring(&mut self, profile: &str) -> Result<String, String> {
        let ring: Profile = profile.parse().map_err(|error| format!("{error}"))?;
        let client = connect(config(&self.entries, ring)?).await?;
        let load = Load::start(
            client.as_client(),
            self.settings.workload,
            self.settings.rate,
        );
        std::mem::replace(&mut self.load, load).stop().await;
        std::mem::replace(&mut self.client, client).close().await;
        self.ring = ring;
        // The new load and the new client count from 0.
        self.meter = LoadMeter::new(self.settings.rate);
        self.lookups_before = (0, 0);
        Ok(format!("ring {profile}"))
    }

    const fn warm_time(&self) -> Duration {
        if self.is_warm {
            WARM_FOR
        } else {
            Duration::ZERO
        }
    }

    fn entry(&mut self, name: &str) -> Result<&mut Entry, String> {
        self.entries
            .iter_mut()
            .find(|entry| &*entry.name == name && entry.left.is_none())
            .ok_or_else(|| format!("the demo has no node {name}"))
    }
}

impl Entry {
    /// Starts a node on a free port, or again where it was.
    async fn start(settings: DemoSettings, at: Option<SocketAddr>) -> Result<Self, String> {
        let mut builder = Node::builder().memory(settings.memory_mib as usize * MEBIBYTE);
        if let Some(address) = at {
            builder = builder.address(address.ip()).port(address.port());
        }
        let node = builder
            .start()
            .await
            .map_err(|error| format!("cannot start an embedded node: {error}"))?;
        Ok(Self {
            name: node.addr().to_string().into(),
            address: node.addr(),
            node: Some(node),
            left: None,
        })
    }

    async fn stop(self) {
        if let Some(node) = self.node {
            node.shutdown().await;
        }
    }

    fn describe(&self) -> DemoNode {
        DemoNode {
            name: Arc::clone(&self.name),
            state: match &self.node {
                None => DemoNodeState::Stopped,
                Some(node) if node.is_paused() => DemoNodeState::Hanging,
                Some(_) => DemoNodeState::Running,
            },
        }
    }
}

fn config(entries: &[Entry], ring: Profile) -> Result<Config, String> {
    let mut config = Config::default();
    config.servers = entries
        .iter()
        .filter(|entry| entry.left.is_none())
        .map(|entry| entry.name.parse::<Server>())
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())?;
    config.ring = ring;
    config.operation_timeout = PATIENCE;
    Ok(config)
}

async fn connect(config: Config) -> Result<TracedClient, String> {
    TracedClient::with_config(config)
        .await
        .map_err(|error| error.to_string())
}
