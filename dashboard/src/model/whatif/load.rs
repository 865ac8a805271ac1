//! What the servers measured, as far as a forecast needs it.

use memlens::stats::General;

use crate::model::{NodeSnapshot, Point, Series, Snapshot, Tier};

/// How many of the newest seconds the rates are the means of. One poll alone is noise.
const RECENT: f64 = 30.0;

/// What one server does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeLoad {
    /// Its name, as the ring knows it.
    pub name: String,
    /// Operations per second.
    pub operations_per_second: Option<f64>,
    /// Keys read per second.
    pub reads_per_second: Option<f64>,
    /// Share of the keys read that were found, 0 to 1.
    pub hit_rate: Option<f64>,
    /// Items stored.
    pub items: Option<f64>,
    /// Bytes of the stored items.
    pub stored_bytes: Option<f64>,
    /// Bytes the server has taken for items, full or not.
    pub allocated_bytes: Option<f64>,
    /// The memory limit in bytes.
    pub limit_bytes: Option<f64>,
    /// Whether live items were thrown out lately.
    pub is_evicting: bool,
    /// How long items live where they are thrown out youngest, in seconds.
    pub tail_age: Option<f64>,
}

/// What all servers do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterLoad {
    /// The servers, in any order.
    pub nodes: Vec<NodeLoad>,
}

impl ClusterLoad {
    /// What a snapshot says: rates over the last 30 seconds, levels as they were last.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            nodes: snapshot.nodes.iter().map(|node| node_load(node)).collect(),
        }
    }

    /// The server of this name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeLoad> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// Keys read per second on all servers that tell.
    #[must_use]
    pub fn reads_per_second(&self) -> f64 {
        self.sum(|node| node.reads_per_second)
    }

    /// The hit rate of the cluster: hits over reads, never the mean of the servers' rates. `None`
    /// before anything was read.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        let both = |node: &NodeLoad| Some((node.hit_rate?, node.reads_per_second?));
        let (hits, reads) = self.nodes.iter().filter_map(both).fold(
            (0.0, 0.0),
            |(hits, reads), (rate, node_reads)| {
                (rate.mul_add(node_reads, hits), reads + node_reads)
            },
        );
        (reads > 0.0).then(|| hits / reads)
    }

    /// Items stored on all servers that tell.
    #[must_use]
    pub fn items(&self) -> f64 {
        self.sum(|node| node.items)
    }

    /// Bytes of the stored items on all servers that tell.
    #[must_use]
    pub fn stored_bytes(&self) -> f64 {
        self.sum(|node| node.stored_bytes)
    }

    /// Whether most reads go to servers that throw out live items.
    #[must_use]
    pub fn is_evicting(&self) -> bool {
        let evicting = self.sum(|node| node.reads_per_second.filter(|_| node.is_evicting));
        evicting * 2.0 > self.reads_per_second()
    }

    /// The tail age of the cluster: the servers' mean, weighted by their reads.
    #[must_use]
    pub fn tail_age(&self) -> Option<f64> {
        let both = |node: &NodeLoad| Some((node.tail_age?, node.reads_per_second?));
        let (ages, reads) = self
            .nodes
            .iter()
            .filter_map(both)
            .fold((0.0, 0.0), |(ages, reads), (age, node_reads)| {
                (age.mul_add(node_reads, ages), reads + node_reads)
            });
        (reads > 0.0).then(|| ages / reads)
    }

    fn sum(&self, read: impl Fn(&NodeLoad) -> Option<f64>) -> f64 {
        self.nodes.iter().filter_map(read).sum()
    }
}

fn node_load(node: &NodeSnapshot) -> NodeLoad {
    let general = node.current();
    let gauge = |read: fn(&General) -> Option<u64>| Some(read(general?)? as f64);
    NodeLoad {
        name: node.name.to_string(),
        operations_per_second: recent_mean(node, Series::Operations),
        reads_per_second: recent_mean(node, Series::Gets),
        hit_rate: recent_hit_rate(node),
        items: gauge(|general| general.curr_items),
        stored_bytes: gauge(|general| general.bytes),
        allocated_bytes: node
            .memory
            .and_then(|memory| memory.allocated)
            .map(|bytes| bytes as f64),
        limit_bytes: gauge(|general| general.limit_maxbytes),
        is_evicting: recent_mean(node, Series::Evictions).is_some_and(|rate| rate > 0.0),
        tail_age: node.tail_age.map(|age| age as f64),
    }
}

fn recent(node: &NodeSnapshot, series: Series) -> Vec<Point> {
    if !node.state.is_answering() {
        return Vec::new();
    }
    let points: Vec<Point> = node.history.points(Tier::Seconds, series).collect();
    let newest = points.last().map_or(0.0, |point| point.at.as_secs_f64());
    let is_recent = |point: &Point| newest - point.at.as_secs_f64() < RECENT;
    points.into_iter().filter(is_recent).collect()
}

fn recent_mean(node: &NodeSnapshot, series: Series) -> Option<f64> {
    let points = recent(node, series);
    let sum: f64 = points.iter().map(|point| f64::from(point.value)).sum();
    (!points.is_empty()).then(|| sum / points.len() as f64)
}

/// Each second's hit rate counts as much as there were reads in it.
fn recent_hit_rate(node: &NodeSnapshot) -> Option<f64> {
    let reads = recent(node, Series::Gets);
    let (mut hits, mut all) = (0.0, 0.0);
    for rate in recent(node, Series::HitRate) {
        let Some(second) = reads.iter().find(|second| second.at == rate.at) else {
            continue;
        };
        hits += f64::from(rate.value) * f64::from(second.value);
        all += f64::from(second.value);
    }
    (all > 0.0).then(|| hits / all)
}
