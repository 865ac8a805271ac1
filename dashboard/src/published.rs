//! What the window shows, and what it may ask for: plain data between it and the
//! [backend](crate::backend).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use memlens::stats::Sizes;

use crate::model::{
    Advice, Alerts, ClientSide, Cluster, KeyFacts, KeyQuery, KeyScan, LiveDigest, LiveFilter,
    LiveOptions, OpenConnections, Rules, ScanOptions, Snapshot, StreamTrouble, whatif::Reads,
};

/// Everything there is to show at one moment.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The cluster that is watched. `None` until somebody chose one.
    pub cluster: Option<Arc<Cluster>>,
    /// What is known of it.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What needs attention, the worst first.
    pub advice: Arc<[Advice]>,
    /// The rules that watch thresholds, and what they found.
    pub alerts: Arc<Alerts>,
    /// What somebody asked for on top of the polls.
    pub asked: Asked,
    /// Reads that are watched, or were, to know which keys are popular. `None` until somebody asks.
    pub reads: Option<Arc<Reads>>,
    /// Whether the nodes are asked at the moment.
    pub is_paused: bool,
    /// What asking costs.
    pub cost: PollCost,
    /// What a client of the cluster says. Only the demo has one that can be asked.
    pub client: Option<Arc<ClientSide>>,
    /// The demo, while it is what is watched.
    pub demo: Option<Arc<DemoState>>,
    /// What was sent that changed servers, oldest first.
    pub audit: Arc<Vec<AuditEntry>>,
    /// What happened to commands, newest last. A number tells which are new.
    pub notices: Arc<Vec<Notice>>,
}

/// Answers by node, or why there is none.
pub type Answers<T> = Arc<BTreeMap<Arc<str>, Result<Arc<T>, StreamTrouble>>>;

/// What was asked for on demand, as far as it came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The newest scan of keys.
    pub scan: Option<Arc<KeyScan>>,
    /// The watch under way.
    pub live: Option<Arc<LiveDigest>>,
    /// The newest question about a key.
    pub key: Option<Arc<KeyAnswer>>,
    /// `stats sizes`, of the nodes that were asked.
    pub sizes: Answers<Sizes>,
    /// `stats conns`, of the nodes that were asked.
    pub connections: Answers<OpenConnections>,
}

/// What was asked about a key, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyAnswer {
    /// What was asked.
    pub question: KeyQuestion,
    /// The answer: a miss is `Ok(None)`. `None` while it is awaited.
    pub answer: Option<Result<Option<KeyFacts>, StreamTrouble>>,
}

/// A question about a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyQuestion {
    /// The node that is asked, whatever the ring says.
    pub node: Arc<str>,
    /// The key, as the server has it.
    pub key: Arc<[u8]>,
    /// Whether the value is wanted too.
    pub with_value: bool,
}

/// Leaves out the key.
impl std::fmt::Debug for KeyQuestion {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("KeyQuestion")
            .field("node", &self.node)
            .field("key_len", &self.key.len())
            .field("with_value", &self.with_value)
            .finish()
    }
}

/// What polling costs the servers and the network.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PollCost {
    /// Requests per second, to all nodes together.
    pub requests_per_second: f64,
    /// Bytes received per second, from all nodes together.
    pub bytes_per_second: f64,
    /// Processor time of the thread that polls, as a part of one core. `None` where the system does
    /// not tell it by thread.
    pub cores: Option<f64>,
    /// By how much the latest poll of the last interval came after its time.
    pub late: Duration,
}

/// Something to tell somebody once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Grows by one from notice to notice.
    pub number: u64,
    /// Whether something failed.
    pub is_error: bool,
    /// What to tell.
    pub text: String,
}

/// How the demo is doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DemoState {
    /// Its nodes, those that left the ring but still run included.
    pub nodes: Vec<DemoNode>,
    /// Whether the traffic's client hands keys over when servers change.
    pub is_warm: bool,
    /// Whether the traffic's client leaves out the last server.
    pub has_strayed: bool,
    /// Commands per second that the traffic is to send.
    pub wanted_per_second: u64,
    /// Commands per second that it sends.
    pub sent_per_second: Option<f64>,
    /// Commands that failed since the demo began.
    pub failed: u64,
}

/// A node of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoNode {
    /// Its name in the ring.
    pub name: Arc<str>,
    /// What it does.
    pub state: DemoNodeState,
}

/// What a node of the demo does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DemoNodeState {
    /// Serves.
    Running,
    /// Takes connections and says nothing.
    Hanging,
    /// Was stopped: its items are gone.
    Stopped,
}

/// What the window asks the backend to do. Nothing is awaited: the outcome shows in what is
/// [published](Published).
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Watch these servers, given as the memlens client takes them; the name is for people.
    Connect {
        /// What to call the cluster.
        name: String,
        /// A server list or a URL.
        servers: String,
    },
    /// Start the demo cluster and watch it.
    StartDemo,
    /// Watch nothing any more.
    Disconnect,
    /// Stop asking the nodes, or go on.
    Pause(bool),
    /// Ask every node for everything now.
    Refresh,
    /// Ask each node once per so long.
    SetInterval(Duration),
    /// Watch other thresholds.
    SetRules(Rules),
    /// Watch which keys are read, for so long. Costs the servers time for every read.
    WatchReads(Duration),
    /// Stop watching reads; what was watched so far is dropped.
    StopWatchingReads,
    /// Change the demo.
    Demo(DemoCommand),
    /// Ask for something on top of the polls, or stop.
    Ask(Ask),
    /// Change a server. Refused unless the program was started to allow it.
    Write(WriteCommand),
    /// Write a file that somebody asked for.
    Save {
        /// Where to.
        path: PathBuf,
        /// What.
        bytes: Arc<[u8]>,
    },
}

/// What can be asked for on top of the polls. All of it only reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Scan keys, in place of an earlier scan.
    Scan(ScanOptions),
    /// End the scan under way; what came in stays.
    StopScan,
    /// List other keys of the scan, or in another order.
    Select(KeyQuery),
    /// Forget the scan.
    ForgetScan,
    /// Ask for a key.
    Key(KeyQuestion),
    /// Forget what was asked about a key.
    ForgetKey,
    /// Watch what happens, in place of an earlier watch.
    Watch(LiveOptions),
    /// List other events.
    Filter(LiveFilter),
    /// Let the list of events stand still, or go on.
    PauseWatch(bool),
    /// Watch no longer.
    EndWatch,
    /// Ask a node for `stats sizes`.
    Sizes(Arc<str>),
    /// Ask a node for `stats conns`.
    Connections(Arc<str>),
}

/// Changes to the demo cluster. The traffic's client follows at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DemoCommand {
    /// Start one more node and put it into the ring.
    Add {
        /// With this weight, at least 1.
        weight: u32,
    },
    /// Take a node out of the ring. It runs on for a while, so that keys can be handed over.
    Remove(Arc<str>),
    /// Give a node another weight.
    SetWeight {
        /// The node's name.
        node: Arc<str>,
        /// At least 1.
        weight: u32,
    },
    /// Stop a node as if its process was killed. It stays in the ring.
    Stop(Arc<str>),
    /// Start a stopped node again, empty.
    Start(Arc<str>),
    /// Let a node hang: it takes connections and says nothing.
    Hang(Arc<str>),
    /// Let a hanging node go on.
    Resume(Arc<str>),
    /// Whether keys are handed over when servers change.
    SetWarm(bool),
    /// Whether the traffic's client leaves out the last server, as one that missed a roll-out does.
    SetStray(bool),
    /// Find keys by another ring, given by its profile's name.
    SetRing(&'static str),
}

/// Something that changes a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteCommand {
    /// The node's name.
    pub node: Arc<str>,
    /// What to change.
    pub write: Write,
}

/// A change to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Forget all items.
    FlushAll,
    /// Forget one item.
    Delete(Vec<u8>),
    /// Move a page from one slab class to another.
    SlabsReassign {
        /// The class that loses a page.
        from: u8,
        /// The class that gets it.
        to: u8,
    },
    /// Change the memory limit, in MiB.
    MemoryLimit(u32),
}

impl Write {
    /// What it is.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::FlushAll => "Forget all items",
            Self::Delete(_) => "Delete a key",
            Self::SlabsReassign { .. } => "Move a page of memory",
            Self::MemoryLimit(_) => "Change the memory limit",
        }
    }

    /// What comes of it.
    #[must_use]
    pub const fn consequence(&self) -> &'static str {
        match self {
            Self::FlushAll => {
                "Every key of this node misses from now on, and whatever is behind the cache gets all \
                 its requests."
            }
            Self::Delete(_) => "The key misses until it is stored again.",
            Self::SlabsReassign { .. } => "The items on that page are thrown out.",
            Self::MemoryLimit(_) => "A lower limit throws items out until it is kept.",
        }
    }

    /// The line that is sent.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::FlushAll => "flush_all".to_owned(),
            Self::Delete(key) => format!("delete {}", key.escape_ascii()),
            Self::SlabsReassign { from, to } => format!("slabs reassign {from} {to}"),
            Self::MemoryLimit(mebibytes) => format!("cache_memlimit {mebibytes}"),
        }
    }
}

/// A change that was sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When, since the watch began.
    pub at: Duration,
    /// The node's name.
    pub node: Arc<str>,
    /// The line that was sent.
    pub line: String,
    /// What the server said: nothing to object, or why not.
    pub outcome: Result<(), String>,
}
