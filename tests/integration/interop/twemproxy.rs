//! twemproxy (the program is called nutcracker): what goes through the proxy is found without it, and the
//! other way round.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use memlens::config::Server;
use memlens::ring::{Profile, Ring};
use memlens::value::ValueProfile;
use memlens::{Client, Config, Expiry};
use memlens_tests::Kind;
use tempfile::TempDir;

use super::items::{Scope, items};
use super::{Cluster, Sharing, WEIGHTS, connect, expect_all, patient, python, read, write};

/// Debian installs it where the `PATH` of an ordinary user may not lead.
const NAMES: [&str; 2] = ["nutcracker", "/usr/sbin/nutcracker"];
const START_DEADLINE: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Another process may take the port for statistics between its choice and the start.
const ATTEMPTS: usize = 20;

/// A group of servers behind a unix socket of its own.
struct Pool {
    name: String,
    /// The lines of the configuration that make it differ from others.
    settings: String,
}

impl Pool {
    /// The pool whose name and settings are those of a profile like `twemproxy-ketama-fnv1a-64`.
    fn of(profile: Profile) -> Self {
        let words = profile.name().strip_prefix("twemproxy-");
        let (distribution, hash) = words
            .and_then(|words| words.split_once('-'))
            .expect("a profile of twemproxy");
        let hash = hash.replace('-', "_");
        Self {
            name: profile.name().to_owned(),
            settings: format!("  distribution: {distribution}\n  hash: {hash}\n"),
        }
    }
}

/// A running proxy, killed when dropped.
struct Twemproxy {
    child: Child,
    folder: TempDir,
}

impl Twemproxy {
    fn start(pools: &[Pool], servers: &[String]) -> Self {
        let folder = TempDir::new().expect("create a temporary folder");
        let configuration = configuration(pools, servers, folder.path());
        fs::write(folder.path().join("configuration"), configuration).expect("write a file");
        for _ in 0..ATTEMPTS {
            let mut child = spawn(folder.path());
            let sockets = pools.iter().map(|pool| socket(folder.path(), &pool.name));
            if accept_all(&mut child, sockets.collect()) {
                return Self { child, folder };
            }
        }
        let log = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("nutcracker does not start:\n{log}");
    }

    /// The pool's socket as the only server of a client.
    fn server(&self, pool: &str) -> String {
        format!("unix:{}", socket(self.folder.path(), pool).display())
    }

    /// A client of memlens that sends everything through the pool.
    async fn client(&self, pool: &str, values: ValueProfile) -> Client {
        let mut config = patient(&self.server(pool));
        config.values = values;
        connect(config).await
    }
}

impl Drop for Twemproxy {
    fn drop(&mut self) {
        // An error means that it has exited already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn socket(folder: &Path, pool: &str) -> PathBuf {
    folder.join(pool)
}

fn configuration(pools: &[Pool], servers: &[String], folder: &Path) -> String {
    let mut text = String::new();
    for pool in pools {
        let listen = socket(folder, &pool.name);
        let settings = &pool.settings;
        write!(
            text,
            "{}:\n  listen: {}\n{settings}  timeout: 10000\n  servers:\n",
            pool.name,
            listen.display()
        )
        .expect("write to a string");
        for server in servers {
            writeln!(text, "   - {server}").expect("write to a string");
        }
    }
    text
}

fn spawn(folder: &Path) -> Child {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("find a free port");
    let port = listener.local_addr().expect("the port").port();
    drop(listener);
    let run = |name: &&str| {
        Command::new(name)
            .args(["--stats-addr", "127.0.0.1", "--stats-port"])
            .arg(port.to_string())
            .arg("--conf-file")
            .arg(folder.join("configuration"))
            .arg("--pid-file")
            .arg(folder.join("pid"))
            .arg("--output")
            .arg(folder.join("log"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
    };
    NAMES
        .iter()
        .find_map(run)
        .expect("nutcracker not found: install twemproxy (Debian package `nutcracker`)")
}

/// Whether all these sockets accept connections before the process exits.
fn accept_all(child: &mut Child, sockets: Vec<PathBuf>) -> bool {
    let deadline = Instant::now() + START_DEADLINE;
    sockets.into_iter().all(|socket| {
        loop {
            if UnixStream::connect(&socket).is_ok() {
                return true;
            }
            if child.try_wait().expect("ask for the exit status").is_some() {
                return false;
            }
            assert!(Instant::now() < deadline, "nutcracker opens no socket");
            std::thread::sleep(POLL_INTERVAL);
        }
    })
}

/// Through the proxy with python-memcached, which then leaves the choice of the server to it.
#[tokio::test]
async fn another_client_through_the_proxy() {
    let profile = Profile::TWEMPROXY_KETAMA_FNV1A_64;
    let sharing = Sharing {
        weights: WEIGHTS,
        compress_above: Some(1000),
        ..Sharing::new(profile, ValueProfile::PYTHON_MEMCACHED)
    };
    let python = python::client("python-memcached");
    for kind in [Kind::Memcached, Kind::Node] {
        let cluster = Cluster::start(kind, sharing.weights);
        let proxy = Twemproxy::start(&[Pool::of(profile)], &cluster.list());
        let client = connect(cluster.config(profile, sharing.values)).await;
        let party = python(&[proxy.server(profile.name())]);
        let servers = format!("{kind}, the party behind twemproxy");
        sharing.check_one(&servers, &client, &party).await;
        super::check_spread(&client).await;
    }
}

/// Every hash with every distribution; the reader and the writer are memlens, the proxy is between.
#[tokio::test]
async fn every_hash_and_distribution() {
    let profiles = Profile::all().iter().copied();
    let profiles: Vec<Profile> = profiles
        .filter(|profile| profile.name().starts_with("twemproxy-"))
        .collect();
    assert_eq!(profiles.len(), 24, "12 hashes with 2 distributions");
    let cluster = Cluster::start(Kind::Memcached, WEIGHTS);
    let pools: Vec<Pool> = profiles.iter().map(|profile| Pool::of(*profile)).collect();
    let proxy = Twemproxy::start(&pools, &cluster.list());
    for profile in profiles {
        let direct = connect(cluster.config(profile, ValueProfile::PYTHON_MEMCACHED)).await;
        let through = proxy
            .client(profile.name(), ValueProfile::PYTHON_MEMCACHED)
            .await;
        for (number, [writer, reader]) in [[&through, &direct], [&direct, &through]]
            .into_iter()
            .enumerate()
        {
            let items = items(500, &format!("{}-{number}", profile.name()), Scope::ALL);
            write(writer, &items).await;
            let words = read(reader, &items).await;
            expect_all(profile.name(), &items, &words, |item| {
                item.content.to_words()
            });
        }
    }
}

/// Keys with a tag lie where the tag alone sends them.
#[tokio::test]
async fn hash_tags() {
    let cluster = Cluster::start(Kind::Memcached, WEIGHTS);
    let pool = Pool {
        name: "tags".into(),
        settings: "  distribution: ketama\n  hash: fnv1a_64\n  hash_tag: \"{}\"\n".into(),
    };
    let proxy = Twemproxy::start(&[pool], &cluster.list());
    let through = proxy.client("tags", ValueProfile::PLAIN).await;
    let config = cluster.config(Profile::TWEMPROXY_KETAMA_FNV1A_64, ValueProfile::PLAIN);
    let members: Vec<_> = config.servers.iter().map(Server::member).collect();
    let profile = Profile::TWEMPROXY_KETAMA_FNV1A_64.distribution();
    let ring = Ring::new(members, profile.with_hash_tag(b'{', b'}')).expect("a valid ring");
    let mut nodes = Vec::new();
    for server in &config.servers {
        nodes.push(connect(Config::new(vec![server.clone()])).await);
    }
    for user in 0..300 {
        for key in [
            format!("{{user:{user}}}:name"),
            format!("basket:{{user:{user}}}"),
            format!("{{}}:{user}"),
            format!("{{{user}"),
            format!("}}{user}{{"),
        ] {
            through
                .set(&key, user, Expiry::Never)
                .await
                .expect("the proxy stores");
            let node = &nodes[ring.node_for(key.as_bytes())];
            let found: Option<i32> = node.get(&key).await.expect("the server answers");
            assert_eq!(found, Some(user), "{key:?}");
        }
    }
}
