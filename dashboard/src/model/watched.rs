//! Which cluster is watched: its servers, and the ring by which its clients find keys.

use std::net::IpAddr;
use std::sync::Arc;

use memlens::config::{Config, Server};
use memlens::ring::{Member, Ring, RingError};

use super::ring_shares::RingShares;

/// A cluster as its clients are configured for it.
#[derive(Debug, Clone)]
pub struct Cluster {
    name: Arc<str>,
    config: Config,
    ring: Arc<Ring>,
    shares: Arc<[f64]>,
    node_names: Arc<[Arc<str>]>,
    labels: Arc<[Box<str>]>,
    /// How many bytes all labels begin with in common.
    common: usize,
    ring_shares: Arc<RingShares>,
    ring_spec: Arc<str>,
}

impl Cluster {
    /// The cluster that `config` describes, called `name`.
    ///
    /// # Errors
    /// When the servers make no ring: there are none, or one is named twice.
    pub fn new(name: impl Into<Arc<str>>, config: Config) -> Result<Self, RingError> {
        let members: Vec<_> = config.servers.iter().map(Server::member).collect();
        let mut distribution = config.ring.distribution();
        if let Some([open, close]) = config.hash_tag {
            distribution = distribution.with_hash_tag(open, close);
        }
        let ring = Ring::new(members, distribution)?;
        let shares = ring.shares().into();
        let names = ring.members().iter().map(|member| member.name().into());
        let node_names: Arc<[Arc<str>]> = names.collect();
        let labels = labels(ring.members());
        let ring_shares = RingShares::of(&ring, node_names.iter().cloned());
        Ok(Self {
            name: name.into(),
            ring_spec: ring_spec(config.ring.name(), &ring).into(),
            config,
            ring: Arc::new(ring),
            shares,
            node_names,
            common: common_beginning(&labels),
            labels,
            ring_shares: Arc::new(ring_shares),
        })
    }

    /// What somebody called it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings of its clients.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The ring by which its clients find keys. Its members are the snapshot's nodes, in the same
    /// order.
    #[must_use]
    pub const fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// The share of the keys that a node should hold, by the ring; together 1.
    #[must_use]
    pub fn share(&self, node: usize) -> Option<f64> {
        self.shares.get(node).copied()
    }

    /// The shares of all nodes.
    #[must_use]
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// The shares beside what would be fair.
    #[must_use]
    pub fn ring_shares(&self) -> &RingShares {
        &self.ring_shares
    }

    /// The nodes' names, in the order of the ring.
    #[must_use]
    pub fn node_names(&self) -> &[Arc<str>] {
        &self.node_names
    }

    /// A node's name as short as it still tells the nodes apart: without the port, the host or the
    /// domain that all have in common.
    #[must_use]
    pub fn label(&self, node: usize) -> &str {
        self.labels.get(node).map_or("?", |label| label)
    }

    /// What of the [label](Self::label) is left without the beginning that all have in common: for
    /// places where a label has no room.
    #[must_use]
    pub fn short_label(&self, node: usize) -> &str {
        let label = self.label(node);
        label.get(self.common..).unwrap_or(label)
    }

    /// The node that holds `key`, with the namespace put in front of it as the clients do.
    #[must_use]
    pub fn node_for(&self, key: &[u8]) -> usize {
        let mut full = self.config.namespace.as_bytes().to_vec();
        full.extend_from_slice(key);
        self.ring.node_for(&full)
    }

    /// The ring in a few words: its profile, the hash of its keys, its points and its nodes, as
    /// `pylibmc-ketama-weighted · md5 · 160 points × 3 nodes`, or all points where nodes differ in
    /// them.
    #[must_use]
    pub fn ring_spec(&self) -> &str {
        &self.ring_spec
    }
}

fn ring_spec(profile: &str, ring: &Ring) -> String {
    let count = ring.members().len();
    let nodes = if count == 1 { "node" } else { "nodes" };
    let mut spec = profile.to_owned();
    if let Some(hash) = ring.distribution().key_hash() {
        spec.push_str(&format!(" · {}", hash.name()));
    }
    let points = ring.point_counts();
    let all: u64 = points.iter().sum();
    match points.first() {
        Some(first) if points.iter().all(|points| points == first) => {
            spec.push_str(&format!(" · {first} points × {count} {nodes}"));
        }
        Some(_) => spec.push_str(&format!(" · {all} points · {count} {nodes}")),
        None => spec.push_str(&format!(" · {count} {nodes}")),
    }
    spec
}

fn labels(members: &[Member]) -> Arc<[Box<str>]> {
    let same = |part: fn(&Member) -> Option<String>| {
        let mut parts = members.iter().map(part);
        let first = parts.next().flatten();
        first.is_some() && parts.all(|part| part == first)
    };
    let several = members.len() > 1;
    let same_host = several && same(|member| member.host().map(str::to_owned));
    let same_port = same(|member| member.port().map(|port| port.to_string()));
    let same_domain = several && same(|member| domain(member.host()?).map(str::to_owned));
    let label = |member: &Member| -> Box<str> {
        if member.alias().is_some() {
            return member.name().into();
        }
        match (member.host(), member.port()) {
            (Some(_), Some(port)) if same_host => format!(":{port}").into(),
            (Some(host), Some(port)) => {
                let host = match domain(host) {
                    Some(domain) if same_domain => host.strip_suffix(domain).unwrap_or(host),
                    _ => host,
                };
                if same_port {
                    host.into()
                } else {
                    format!("{host}:{port}").into()
                }
            }
            _ => member.name().into(),
        }
    };
    members.iter().map(label).collect()
}

/// How many bytes all labels begin with in common, up to a sign that ends a word: `cache-01` and
/// `cache-02` have `cache-` in common, not `cache-0`.
fn common_beginning(labels: &[Box<str>]) -> usize {
    let Some((first, others)) = labels.split_first() else {
        return 0;
    };
    let same = |other: &str| {
        first
            .bytes()
            .zip(other.bytes())
            .take_while(|(a, b)| a == b)
            .count()
    };
    let Some(common) = others.iter().map(|other| same(other)).min() else {
        return 0;
    };
    first[..first.floor_char_boundary(common)]
        .rfind(['-', '.', ':', '_'])
        .map_or(0, |end| end + 1)
}

/// What follows the first part of a host name, the dot included. An address has no domain.
fn domain(host: &str) -> Option<&str> {
    let is_address = host.parse::<IpAddr>().is_ok();
    host.find('.')
        .filter(|_| !is_address)
        .map(|dot| &host[dot..])
}

#[cfg(test)]
mod tests {
    use super::Cluster;

    fn labels(servers: &str) -> Vec<String> {
        let cluster = Cluster::new("", servers.parse().unwrap()).unwrap();
        (0..cluster.node_names().len())
            .map(|node| cluster.label(node).to_owned())
            .collect()
    }

    #[test]
    fn labels_leave_out_what_all_have_in_common() {
        assert_eq!(labels("cache1,cache2"), ["cache1", "cache2"]);
        assert_eq!(
            labels("cache1:11212,cache2"),
            ["cache1:11212", "cache2:11211"]
        );
        assert_eq!(labels("127.0.0.1:1,127.0.0.1:2"), [":1", ":2"]);
        assert_eq!(labels("a.eu.example.com,b.eu.example.com"), ["a", "b"]);
        assert_eq!(
            labels("a.eu.example.com,b.us.example.com"),
            ["a.eu.example.com", "b.us.example.com"]
        );
        assert_eq!(labels("10.0.0.1,10.0.0.2"), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(labels("10.0.0.1"), ["10.0.0.1"]);
        assert_eq!(labels("unix:/run/a.sock,b"), ["/run/a.sock", "b:11211"]);
    }

    #[test]
    fn short_labels_leave_out_what_all_begin_with() {
        let cluster = Cluster::new("", "cache-01,cache-02,cache-11".parse().unwrap()).unwrap();
        assert_eq!(
            [0, 1, 2].map(|node| cluster.short_label(node)),
            ["01", "02", "11"]
        );
        let cluster = Cluster::new("", "alpha,beta".parse().unwrap()).unwrap();
        assert_eq!(
            [0, 1].map(|node| cluster.short_label(node)),
            ["alpha", "beta"]
        );
    }

    #[test]
    fn only_what_stands_between_the_signs_of_a_hash_tag_is_hashed() {
        let config = "memcache://a,b,c,d?hash_tag=%7B%7D".parse().unwrap();
        let cluster = Cluster::new("", config).unwrap();
        for number in 0..50 {
            let key = format!("user:{{42}}:{number}");
            assert_eq!(cluster.node_for(key.as_bytes()), cluster.node_for(b"42"));
        }
    }

    #[test]
    fn a_cluster_knows_its_ring_and_who_holds_a_key() {
        let config = "memcache://a,b,c:11211:2?ring=pylibmc-ketama-weighted&namespace=app:"
            .parse()
            .unwrap();
        let cluster = Cluster::new("shop", config).unwrap();
        let spec = "pylibmc-ketama-weighted · md5 · 480 points · 3 nodes";
        assert_eq!(cluster.ring_spec(), spec, "nodes that weigh more have more");
        let alike = Cluster::new("shop", "memcache://a,b".parse().unwrap()).unwrap();
        assert!(alike.ring_spec().ends_with(" · md5 · 160 points × 2 nodes"));
        assert!((cluster.shares().iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(cluster.share(2) > cluster.share(0));
        assert_eq!(
            cluster.node_for(b"user:1"),
            cluster.ring().node_for(b"app:user:1")
        );
        assert_eq!(&*cluster.node_names()[0], "a:11211");
    }
}
