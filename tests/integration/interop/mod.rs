//! Other clients and a proxy on one cluster with memlens: what one writes, the other reads, which takes
//! the same ring and the same notion of values on both sides.

use memlens::config::Server as ServerName;
use memlens::ring::Profile;
use memlens::value::{Datum, ValueProfile};
use memlens::{Client, Config, Expiry};
use memlens_tests::{Kind, Server};

mod driver;
mod items;
mod libmemcached_tools;
mod php;
mod python;
mod twemproxy;

use items::{Content, Item, Scope, items};

/// How many items each side writes.
const ITEMS: usize = 2000;

/// Four servers, so that a key without a ring in common is right by chance once in four times.
const SERVERS: usize = 4;

/// For clients that know weights, and for clients that don't.
const WEIGHTS: [u32; SERVERS] = [1, 3, 2, 1];
const NO_WEIGHTS: [u32; SERVERS] = [1; SERVERS];

/// The servers that both sides use.
struct Cluster {
    servers: [Server; SERVERS],
    weights: [u32; SERVERS],
}

impl Cluster {
    fn start(kind: Kind, weights: [u32; SERVERS]) -> Self {
        Self {
            servers: std::array::from_fn(|_| kind.start()),
            weights,
        }
    }

    /// Each server as `host:port:weight`.
    fn list(&self) -> Vec<String> {
        let servers = self.servers.iter().zip(self.weights);
        servers
            .map(|(server, weight)| format!("{}:{weight}", server.address()))
            .collect()
    }

    fn config(&self, ring: Profile, values: ValueProfile) -> Config {
        let mut config = patient(&self.list().join(","));
        config.ring = ring;
        config.values = values;
        config
    }
}

/// A configuration with deadlines that only a server that does not answer lets pass.
fn patient(servers: &str) -> Config {
    let servers: memlens::Result<Vec<ServerName>> = servers.split(',').map(str::parse).collect();
    let mut config = Config::new(servers.expect("servers that can be parsed"));
    config.operation_timeout = std::time::Duration::from_secs(30);
    config.connect_timeout = std::time::Duration::from_secs(10);
    config
}

async fn connect(config: Config) -> Client {
    Client::with_config(config)
        .await
        .expect("the configuration is valid")
}

/// The other side: a client of another language, or a proxy.
trait Party {
    /// Stores the items and says for each what came of it: `stored`, or what went wrong.
    fn set(&self, items: &[Item]) -> Vec<String>;

    /// Reads the items' keys and says for each what is there, in the words of
    /// [`Content::to_words`], or `missing`, or what went wrong.
    fn get(&self, items: &[Item]) -> Vec<String>;
}

/// How memlens is set up to share a cluster, and what the two sides see of each other's values.
struct Sharing {
    ring: Profile,
    values: ValueProfile,
    weights: [u32; SERVERS],
    compress_above: Option<usize>,
    scope: Scope,
    /// What memlens reads of a content that the party wrote.
    written: fn(&Content) -> Content,
    /// What the party reads of a content that memlens wrote.
    returned: fn(&Content) -> Content,
}

impl Sharing {
    fn new(ring: Profile, values: ValueProfile) -> Self {
        Self {
            ring,
            values,
            weights: NO_WEIGHTS,
            compress_above: None,
            scope: Scope::ALL,
            written: Content::clone,
            returned: Content::clone,
        }
    }

    /// Lets both sides write and read, on memcached processes and on embedded nodes.
    async fn check<P: Party>(&self, party: impl Fn(&[String]) -> P) {
        for kind in [Kind::Memcached, Kind::Node] {
            let cluster = Cluster::start(kind, self.weights);
            let mut config = cluster.config(self.ring, self.values);
            config.compress_above = self.compress_above;
            let client = connect(config).await;
            let party = party(&cluster.list());
            self.check_one(&kind.to_string(), &client, &party).await;
            check_spread(&client).await;
        }
    }

    /// `servers` tells a failure's reader what the servers are.
    async fn check_one(&self, servers: &str, client: &Client, party: &impl Party) {
        let context = |reader: &str| format!("{} on {servers}, {reader}", self.ring);
        let theirs = items(ITEMS, "theirs", self.scope);
        let stored = party.set(&theirs);
        expect_all(&context("the party writes"), &theirs, &stored, |_| {
            "stored".into()
        });
        let found = read(client, &theirs).await;
        expect_all(&context("memlens reads"), &theirs, &found, |item| {
            (self.written)(&item.content).to_words()
        });

        let ours = items(ITEMS, "ours", self.scope);
        write(client, &ours).await;
        let found = party.get(&ours);
        expect_all(&context("the party reads"), &ours, &found, |item| {
            (self.returned)(&item.content).to_words()
        });
    }
}

/// What memlens reads, in the words of [`Content::to_words`].
async fn read(client: &Client, items: &[Item]) -> Vec<String> {
    let keys = items.iter().map(|item| item.key.as_str());
    let answers = client.get_multi::<Datum<'static>, _>(keys).await;
    let words = answers.into_iter().map(|(_, answer)| match answer {
        Ok(Some(datum)) => {
            Content::from_datum(datum).map_or_else(|other| other, |content| content.to_words())
        }
        Ok(None) => "missing".into(),
        Err(error) => format!("error {error}"),
    });
    words.collect()
}

async fn write(client: &Client, items: &[Item]) {
    let pairs = items.iter().map(|item| (item.key.as_str(), &item.content));
    let stored = client.set_multi(pairs, Expiry::Never).await;
    if let Some((key, error)) = stored.failed().next() {
        panic!(
            "{} writes fail, first {key:?}: {error}",
            stored.failed().count()
        );
    }
}

/// Fails with the number of answers that are not as expected, and the first few of them.
fn expect_all(
    context: &str,
    items: &[Item],
    answers: &[String],
    expected: impl Fn(&Item) -> String,
) {
    assert_eq!(
        answers.len(),
        items.len(),
        "{context}: one answer for each key"
    );
    let wrong: Vec<String> = items
        .iter()
        .zip(answers)
        .filter_map(|(item, answer)| {
            let expected = expected(item);
            let [answer_shown, expected_shown] = [answer, &expected].map(|words| shortened(words));
            (*answer != expected)
                .then(|| format!("{:?}: {answer_shown}\n    not {expected_shown}", item.key))
        })
        .collect();
    let missing = answers.iter().filter(|answer| *answer == "missing").count();
    assert!(
        wrong.is_empty(),
        "{context}: of {} keys, {} are wrong, {missing} of them missing:\n{}",
        items.len(),
        wrong.len(),
        wrong[..wrong.len().min(10)].join("\n")
    );
}

fn shortened(words: &str) -> String {
    match words.char_indices().nth(100) {
        Some((end, _)) => format!("{}... ({} characters)", &words[..end], words.len()),
        None => words.into(),
    }
}

/// Every server took part, and no item lies on two of them.
async fn check_spread(client: &Client) {
    let counts: Vec<u64> = client
        .stats_per_node()
        .await
        .into_result()
        .expect("every server answers")
        .into_iter()
        .map(|(_, stats)| stats.curr_items.expect("the number of items"))
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 2 * ITEMS as u64, "{counts:?}");
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[tokio::test]
#[should_panic(expected = "are wrong")]
async fn a_ring_of_another_client_is_found_out() {
    Sharing::new(Profile::LIBMEMCACHED, ValueProfile::PYTHON_MEMCACHED)
        .check(python::client("python-memcached"))
        .await;
}
