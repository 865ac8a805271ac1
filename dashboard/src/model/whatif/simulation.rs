//! Nodes that throw out what was used least recently, to hold the model against.

use std::collections::VecDeque;

use memlens::ring::{Member, Profile, Ring};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{ClusterLoad, ClusterSpec, FetchSample, NodeLoad};

/// Bytes of every item.
const ITEM: f64 = 100.0;

/// A node with room for so many items of one size.
#[derive(Clone, Debug, Default)]
struct Node {
    room: usize,
    /// Keys with the stamp of a use, oldest first; only the newest stamp of a key counts.
    uses: VecDeque<(u32, u64)>,
    items: usize,
    reads: u64,
    hits: u64,
    evictions: u64,
}

/// A cluster under a load of independent reads, each of which fills in what it misses.
pub(super) struct Simulation {
    pub(super) spec: ClusterSpec,
    keys: Vec<String>,
    cumulative: Vec<f64>,
    random: StdRng,
    owners: Vec<usize>,
    nodes: Vec<Node>,
    /// Where each key lies, and since which stamp it was not used.
    places: Vec<Option<(usize, u64)>>,
    stamp: u64,
    pub(super) per_second: u64,
}

pub(super) fn members(count: usize) -> Vec<Member> {
    (1..=count)
        .map(|number| Member::tcp(format!("10.0.0.{number}"), 11211))
        .collect()
}

impl Simulation {
    /// `count` nodes, with room for `room` of all items together; popularity by Zipf's law.
    pub(super) fn new(
        count: usize,
        profile: Profile,
        keys: usize,
        exponent: f64,
        room: f64,
    ) -> Self {
        let spec = ClusterSpec::new(members(count), profile).unwrap();
        let mut sum = 0.0;
        let weights = (1..=keys).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        let cumulative: Vec<f64> = weights.collect();
        let node = Node {
            room: (room * keys as f64 / count as f64) as usize,
            ..Node::default()
        };
        let mut simulation = Self {
            keys: (0..keys).map(|number| format!("item:{number}")).collect(),
            cumulative,
            random: StdRng::seed_from_u64(5),
            owners: Vec::new(),
            nodes: vec![node; count],
            places: vec![None; keys],
            stamp: 0,
            per_second: 10_000,
            spec: spec.clone(),
        };
        simulation.owners = simulation.owners_in(spec.ring());
        simulation
    }

    fn owners_in(&self, ring: &Ring) -> Vec<usize> {
        self.keys
            .iter()
            .map(|key| ring.node_for(key.as_bytes()))
            .collect()
    }

    /// Changes the servers. A server that stays keeps what it has.
    pub(super) fn change_to(&mut self, after: &ClusterSpec) {
        let room = self.nodes[0].room;
        let former: Vec<Option<usize>> = after
            .members()
            .iter()
            .map(|member| self.spec.position(&member.name()))
            .collect();
        let nodes = former.iter().map(|former| match former {
            Some(former) => self.nodes[*former].clone(),
            None => Node {
                room,
                ..Node::default()
            },
        });
        self.nodes = nodes.collect();
        for place in &mut self.places {
            *place = place.and_then(|(node, stamp)| {
                Some((
                    former.iter().position(|former| *former == Some(node))?,
                    stamp,
                ))
            });
        }
        self.owners = self.owners_in(after.ring());
        self.spec = after.clone();
    }

    /// Reads for so many seconds; gives the hit rate, and tells every read.
    pub(super) fn run(&mut self, seconds: f64, mut watch: impl FnMut(&[u8], bool)) -> f64 {
        let reads = (seconds * self.per_second as f64) as u64;
        let mut hits = 0;
        for _ in 0..reads {
            let draw = self
                .random
                .random_range(0.0..self.cumulative[self.keys.len() - 1]);
            let key = self.cumulative.partition_point(|sum| *sum <= draw);
            let was_found = self.read(key);
            hits += u64::from(was_found);
            watch(self.keys[key].as_bytes(), was_found);
        }
        hits as f64 / reads as f64
    }

    fn read(&mut self, key: usize) -> bool {
        self.stamp += 1;
        let owner = self.owners[key];
        let was_found = self.places[key].is_some_and(|(node, _)| node == owner);
        let node = &mut self.nodes[owner];
        node.reads += 1;
        node.hits += u64::from(was_found);
        node.items += usize::from(!was_found);
        node.uses.push_back((key as u32, self.stamp));
        // What an earlier owner has of the key stays there until it is thrown out; nobody reads it.
        if let Some((former, stamp)) = self.places[key].replace((owner, self.stamp))
            && former != owner
        {
            self.nodes[former]
                .uses
                .retain(|(other, at)| (*other as usize, *at) != (key, stamp));
            self.nodes[former].items -= 1;
        }
        self.make_room(owner);
        was_found
    }

    fn make_room(&mut self, owner: usize) {
        let node = &mut self.nodes[owner];
        while node.items > node.room
            && let Some((key, stamp)) = node.uses.pop_front()
        {
            if self.places[key as usize] == Some((owner, stamp)) {
                self.places[key as usize] = None;
                node.items -= 1;
                node.evictions += 1;
            }
        }
    }

    /// Forgets what was counted.
    pub(super) fn reset_counters(&mut self) {
        for node in &mut self.nodes {
            (node.reads, node.hits, node.evictions) = (0, 0, 0);
        }
    }

    /// What the nodes would tell about the last `seconds`.
    pub(super) fn load(&self, seconds: f64) -> ClusterLoad {
        let names = self.spec.members().iter().map(Member::name);
        let load = |(name, node): (String, &Node)| NodeLoad {
            name,
            operations_per_second: Some(node.reads as f64 / seconds),
            reads_per_second: Some(node.reads as f64 / seconds),
            hit_rate: Some(node.hits as f64 / node.reads as f64),
            items: Some(node.items as f64),
            stored_bytes: Some(node.items as f64 * ITEM),
            allocated_bytes: None,
            limit_bytes: Some(node.room as f64 * ITEM),
            is_evicting: node.evictions > 0,
            tail_age: (node.evictions > 0).then(|| self.tail_age(node)),
        };
        ClusterLoad {
            nodes: names.zip(&self.nodes).map(load).collect(),
        }
    }

    fn tail_age(&self, node: &Node) -> f64 {
        let oldest = node.uses.front().map_or(0, |(_, stamp)| *stamp);
        (self.stamp - oldest) as f64 / self.per_second as f64
    }

    /// Runs until the caches are as full as they get, then watches: figures and a sample.
    pub(super) fn observe(&mut self, warm_up: f64, seconds: f64) -> (ClusterLoad, FetchSample) {
        self.run(warm_up, |_, _| {});
        self.reset_counters();
        let mut sample = FetchSample::default();
        self.run(seconds, |key, was_found| {
            sample.add(key, was_found, None);
        });
        sample.set_seconds(seconds);
        (self.load(seconds), sample)
    }
}
