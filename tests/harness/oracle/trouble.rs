//! What goes wrong meanwhile: one thing after another, whenever one is due.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

use crate::Memcached;
use crate::faults::{FaultProxy, Injection};

/// How many nodes are tried for one fault: some may be left out, and get no requests.
const ATTEMPTS: u32 = 10;

pub(super) struct Trouble {
    nodes: Vec<Memcached>,
    proxies: Vec<FaultProxy>,
    random: Rng,
    stopped: u64,
    killed: u64,
}

impl Trouble {
    pub(super) fn new(nodes: Vec<Memcached>, proxies: Vec<FaultProxy>, random: Rng) -> Self {
        Self {
            nodes,
            proxies,
            random,
            stopped: 0,
            killed: 0,
        }
    }

    /// One fault for each message. Returns how often each has struck.
    pub(super) async fn make(mut self, mut dues: Receiver<()>) -> BTreeMap<&'static str, u64> {
        while dues.recv().await.is_some() {
            let node = self.random.usize(..self.nodes.len());
            match self.random.u32(..20) {
                0 => {
                    self.killed += 1;
                    tokio::task::block_in_place(|| self.nodes[node].restart());
                }
                1 | 2 => {
                    self.stopped += 1;
                    self.nodes[node].pause();
                    self.moment().await;
                    self.nodes[node].resume();
                }
                _ => self.inject().await,
            }
        }
        let mut counts = BTreeMap::from([
            ("SIGKILL and restart", self.killed),
            ("SIGSTOP and SIGCONT", self.stopped),
        ]);
        for proxy in &self.proxies {
            for (fault, count) in proxy.counts() {
                *counts.entry(fault.name()).or_default() += count;
            }
        }
        counts
    }

    /// Has one fault strike, wherever it can.
    async fn inject(&mut self) {
        for _ in 0..ATTEMPTS {
            let node = self.random.usize(..self.nodes.len());
            if self.strike(node).await {
                return;
            }
        }
    }

    async fn strike(&mut self, node: usize) -> bool {
        let injection = Injection::random(&mut self.random);
        let proxy = &self.proxies[node];
        let before = proxy.struck();
        proxy.inject(injection);
        // Requests come all the time, so it strikes soon, if the node is not left out just then.
        let striking = proxy.wait_until_struck(before);
        let has_struck = tokio::time::timeout(Duration::from_millis(50), striking).await;
        if injection.fault.lasts() {
            self.moment().await;
            self.proxies[node].release();
        }
        has_struck.is_ok()
    }

    async fn moment(&mut self) {
        sleep(Duration::from_millis(self.random.u64(1..30))).await;
    }
}
