//! Every method of the client that asks something of a server, with what is to be observed of it.
//!
//! [`parity`](super::parity) compares this table with the client's sources: a method that is not in it fails
//! a test, and so does one without its operation.

use std::collections::BTreeSet;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use memlens::{
    Cas, Expiry, LruMode, LruTuning, MetaArithmetic, MetaDelete, MetaGet, MetaSet, NodeClient,
    Operation, TracedClient, WatchTopic,
};

/// What a method is called on, and with.
pub(super) struct Subject {
    pub(super) client: TracedClient,
    pub(super) node: NodeClient,
    pub(super) keys: [String; 2],
    pub(super) value: String,
    /// Of the first key's item, if there is one.
    pub(super) cas: Cas,
}

impl Subject {
    fn key(&self) -> &str {
        &self.keys[0]
    }

    fn items(&self) -> [(&str, &str); 2] {
        [&self.keys[0], &self.keys[1]].map(|key| (key.as_str(), self.value.as_str()))
    }
}

type Work<'a> = Pin<Box<dyn Future<Output = Option<memlens::Error>> + 'a>>;

pub(super) struct Method {
    /// The type it belongs to.
    pub(super) owner: &'static str,
    pub(super) name: &'static str,
    pub(super) operation: Operation,
    /// What the server does when the keys are there, and when not: as `memcached.result` says, or
    /// `many`, or the first word of the error line.
    pub(super) results: [&'static str; 2],
    /// Calls it, on keys with numbers, and returns how it failed.
    pub(super) call: for<'a> fn(&'a Subject) -> Work<'a>,
}

/// The first failure in the answers of keys or nodes.
trait Failure {
    fn failure(self) -> Option<memlens::Error>;
}

impl<T> Failure for memlens::Result<T> {
    fn failure(self) -> Option<memlens::Error> {
        self.err()
    }
}

impl<K, T> Failure for memlens::Multi<K, T> {
    fn failure(self) -> Option<memlens::Error> {
        self.into_iter().find_map(|(_, answer)| answer.err())
    }
}

macro_rules! methods {
    ($($owner:ident $name:ident $operation:ident $hit:literal $miss:literal |$it:ident| $future:expr;)*) => {
        pub(super) const METHODS: &[Method] = &[$(Method {
            owner: stringify!($owner),
            name: stringify!($name),
            operation: Operation::$operation,
            results: [$hit, $miss],
            call: |$it| Box::pin(async move { $future.await.failure() }),
        }),*];
    };
}

const NEVER: Expiry = Expiry::Never;

const TUNING: LruTuning = LruTuning {
    percent_hot: 10,
    percent_warm: 25,
    max_hot_age_factor: 0.1,
    max_warm_age_factor: 2.0,
};

methods! {
    Client get Get "hit" "miss" |it| it.client.get::<String>(it.key());
    Client gets Gets "hit" "miss" |it| it.client.gets::<String>(it.key());
    Client gat GetAndTouch "hit" "miss" |it| it.client.gat::<String>(it.key(), NEVER);
    Client gats GetsAndTouch "hit" "miss" |it| it.client.gats::<String>(it.key(), NEVER);
    Client set Set "stored" "stored" |it| it.client.set(it.key(), &it.value, NEVER);
    Client add Add "not_stored" "stored" |it| it.client.add(it.key(), &it.value, NEVER);
    Client replace Replace "stored" "not_stored" |it| it.client.replace(it.key(), &it.value, NEVER);
    Client append Append "stored" "not_stored" |it| it.client.append(it.key(), &it.value);
    Client prepend Prepend "stored" "not_stored" |it| it.client.prepend(it.key(), &it.value);
    Client cas CompareAndSwap "stored" "not_found"
        |it| it.client.cas(it.key(), &it.value, NEVER, it.cas);
    Client delete Delete "deleted" "not_found" |it| it.client.delete(it.key());
    Client touch Touch "touched" "not_found" |it| it.client.touch(it.key(), NEVER);
    Client incr Increment "ok" "not_found" |it| it.client.incr(it.key(), 1);
    Client decr Decrement "ok" "not_found" |it| it.client.decr(it.key(), 1);
    Client incr_or_init IncrementOrInit "ok" "ok"
        |it| it.client.incr_or_init(it.key(), 1, 1, NEVER);
    Client decr_or_init DecrementOrInit "ok" "ok"
        |it| it.client.decr_or_init(it.key(), 1, 1, NEVER);
    Client meta_get MetaGet "hit" "miss" |it| async {
        it.client.meta_get(it.key(), &MetaGet::new().key().value()).await
    };
    Client meta_set MetaSet "stored" "stored" |it| async {
        it.client.meta_set(it.key(), &it.value, &MetaSet::new()).await
    };
    Client meta_delete MetaDelete "deleted" "not_found" |it| async {
        it.client.meta_delete(it.key(), &MetaDelete::new()).await
    };
    Client meta_arithmetic MetaArithmetic "ok" "not_found" |it| async {
        it.client.meta_arithmetic(it.key(), &MetaArithmetic::new()).await
    };
    Client meta_debug MetaDebug "ok" "miss" |it| it.client.meta_debug(it.key());
    Client get_multi GetMulti "many" "many" |it| it.client.get_multi::<String, _>(&it.keys);
    Client gets_multi GetsMulti "many" "many" |it| it.client.gets_multi::<String, _>(&it.keys);
    Client meta_get_multi MetaGetMulti "many" "many" |it| async {
        it.client.meta_get_multi(&it.keys, &MetaGet::new().value()).await
    };
    Client set_multi SetMulti "many" "many" |it| it.client.set_multi(it.items(), NEVER);
    Client delete_multi DeleteMulti "many" "many" |it| it.client.delete_multi(&it.keys);
    Client touch_multi TouchMulti "many" "many" |it| it.client.touch_multi(&it.keys, NEVER);
    Client incr_multi IncrementMulti "many" "many" |it| it.client.incr_multi(&it.keys, 1);
    Client decr_multi DecrementMulti "many" "many" |it| it.client.decr_multi(&it.keys, 1);

    Client version Version "ok" "ok" |it| it.client.version();
    Client verbosity Verbosity "ok" "ok" |it| it.client.verbosity(0);
    Client flush_all FlushAll "ok" "ok" |it| it.client.flush_all();
    Client flush_all_after FlushAll "ok" "ok" |it| it.client.flush_all_after(HOUR);
    Client stats_per_node Stats "ok" "ok" |it| it.client.stats_per_node();
    Client on_every_node Noop "ok" "ok"
        |it| it.client.on_every_node(|node| async move { node.noop().await });

    NodeClient version Version "ok" "ok" |it| it.node.version();
    NodeClient noop Noop "ok" "ok" |it| it.node.noop();
    NodeClient verbosity Verbosity "ok" "ok" |it| it.node.verbosity(0);
    NodeClient flush_all FlushAll "ok" "ok" |it| it.node.flush_all();
    NodeClient flush_all_after FlushAll "ok" "ok" |it| it.node.flush_all_after(HOUR);
    NodeClient shutdown Shutdown "ok" "ok" |it| it.node.shutdown();
    NodeClient shutdown_gracefully Shutdown "ok" "ok" |it| it.node.shutdown_gracefully();
    NodeClient stats Stats "ok" "ok" |it| it.node.stats();
    NodeClient stats_settings Stats "ok" "ok" |it| it.node.stats_settings();
    NodeClient stats_items Stats "ok" "ok" |it| it.node.stats_items();
    NodeClient stats_slabs Stats "ok" "ok" |it| it.node.stats_slabs();
    NodeClient stats_sizes Stats "ok" "ok" |it| it.node.stats_sizes();
    NodeClient stats_conns Stats "ok" "ok" |it| it.node.stats_conns();
    NodeClient stats_reset Stats "ok" "ok" |it| it.node.stats_reset();
    NodeClient stats_with Stats "ok" "ok" |it| it.node.stats_with("settings");
    NodeClient stats_lines Stats "ok" "ok" |it| it.node.stats_lines("settings");
    // It is enabled already.
    NodeClient lru_crawler_enable LruCrawler "ERROR" "ERROR" |it| it.node.lru_crawler_enable();
    NodeClient lru_crawler_disable LruCrawler "ok" "ok" |it| it.node.lru_crawler_disable();
    NodeClient lru_crawler_sleep LruCrawler "ok" "ok"
        |it| it.node.lru_crawler_sleep(Duration::from_micros(50));
    NodeClient lru_crawler_tocrawl LruCrawler "ok" "ok" |it| it.node.lru_crawler_tocrawl(100);
    NodeClient lru_crawler_crawl LruCrawler "ok" "ok" |it| it.node.lru_crawler_crawl(None);
    NodeClient lru_tune Lru "ok" "ok" |it| it.node.lru_tune(TUNING);
    NodeClient lru_mode Lru "ok" "ok" |it| it.node.lru_mode(LruMode::Segmented);
    NodeClient lru_temp_ttl Lru "ok" "ok" |it| it.node.lru_temp_ttl(Some(MINUTE));
    NodeClient slabs_reassign Slabs "SERVER_ERROR" "SERVER_ERROR"
        |it| it.node.slabs_reassign(Some(1), 1);
    NodeClient slabs_automove Slabs "ok" "ok" |it| it.node.slabs_automove(1);
    NodeClient cache_memlimit CacheMemlimit "ok" "ok" |it| it.node.cache_memlimit(64);
    NodeClient metadump Metadump "ok" "ok" |it| it.node.metadump(None);
    NodeClient mgdump Mgdump "ok" "ok" |it| it.node.mgdump(None);
    NodeClient watch Watch "ok" "ok" |it| it.node.watch(&[WatchTopic::Fetchers]);
}

const MINUTE: Duration = Duration::from_secs(60);

/// Longer than any test runs.
const HOUR: Duration = Duration::from_secs(3600);

/// Methods that ask nothing of a server, or do so by the others.
const OTHERS: &[(&str, &str)] = &[
    ("Client", "get_or_compute"),
    ("Client", "connect"),
    ("Client", "with_config"),
    ("Client", "close"),
];

impl Method {
    pub(super) fn is_of_many(&self) -> bool {
        self.results[0] == "many"
    }

    pub(super) fn is_on_keys(&self) -> bool {
        self.is_of_many() || self.results[0] != self.results[1] || self.results[0] == "stored"
    }

    /// The first word of the error line with which the server answers.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        let is_code = self.results[0].ends_with("ERROR");
        is_code.then_some(self.results[0])
    }

    /// Whether it has a connection of its own, of which its span knows nothing.
    pub(super) const fn is_stream(&self) -> bool {
        use Operation::{Metadump, Mgdump, Watch};
        matches!(self.operation, Metadump | Mgdump | Watch)
    }

    /// Whether each key is a hit or a miss.
    pub(super) fn is_lookup(&self) -> bool {
        use Operation::{GetMulti, GetsMulti, MetaGetMulti};
        self.results[0] == "hit" || matches!(self.operation, GetMulti | GetsMulti | MetaGetMulti)
    }

    /// The name of its span, without the node: `BATCH set` of `set_multi`, for what writes many keys.
    pub(super) fn span_name(&self) -> &'static str {
        match self.operation {
            Operation::SetMulti => "BATCH set",
            Operation::TouchMulti => "BATCH touch",
            Operation::IncrementMulti => "BATCH incr",
            Operation::DecrementMulti => "BATCH decr",
            other => other.as_str(),
        }
    }
}

type Name = (String, String);

/// The methods of this table.
fn known() -> BTreeSet<Name> {
    let methods = METHODS.iter().map(|method| (method.owner, method.name));
    let all = methods.chain(OTHERS.iter().copied());
    all.map(|(owner, name)| (owner.to_owned(), name.to_owned()))
        .collect()
}

/// The public methods of `Client` and `NodeClient` that can ask something of a server, as their sources
/// have them.
fn written() -> BTreeSet<Name> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../client/src/api")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("the client's sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                read(&std::fs::read_to_string(path).expect("text"), &mut found);
            }
        }
    }
    found
}

fn read(source: &str, found: &mut BTreeSet<Name>) {
    let mut owner = None;
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let name = rest.trim_start().trim_end_matches(" {");
            owner = ["Client", "NodeClient"].into_iter().find(|it| *it == name);
        }
        let Some(owner) = owner else {
            continue;
        };
        let Some(signature) = line.strip_prefix("    pub ") else {
            continue;
        };
        assert!(
            !signature.contains("impl Future") && !signature.contains("impl Stream"),
            "{signature}: let it be an async fn, so that this test finds it"
        );
        if let Some(rest) = signature.strip_prefix("async fn ") {
            let end = rest.find(['(', '<']).expect("a parameter list");
            found.insert((owner.to_owned(), rest[..end].to_owned()));
        }
    }
}

#[test]
fn the_table_holds_every_method_and_every_operation() {
    assert_eq!(known(), written());
    for operation in Operation::ALL {
        let mut methods = METHODS.iter();
        assert!(
            methods.any(|method| method.operation == *operation),
            "no method does {operation:?}"
        );
    }
}
