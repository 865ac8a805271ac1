//! The whole program, from options to exit status.

use std::fmt;
use std::io::{self, Write, stdout};
use std::sync::Arc;
use std::time::Duration;

use memlens::Client;
use memlens::config::Config;
use memlens::ring::RingError;
use tokio::time::{Instant, timeout};

use crate::backend::{Backend, DemoSettings, Settings};
use crate::cli::{Colors, Options, Output};
use crate::demo::{Demo, DemoError};
use crate::load::{KEY_PREFIX, Load, LoadMeter, WorkloadSettings};
use crate::model::Cluster;
use crate::model::whatif::Change;
use crate::picture;
use crate::poller::{ClientSource, Poller};
use crate::preferences::Preferences;
use crate::published::{Command, Published};
use crate::report::{Health, Report};
use crate::session::{LoadView, Session, is_settled};
use crate::shell::{self, Shell};
use crate::stage::{FIRST_PICTURE, Stage};

/// How long ending in good order may take. A server that hangs would hold it up.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Why the program could not do its work.
#[derive(Debug)]
pub enum RunError {
    /// The embedded nodes or their load did not start.
    Demo(DemoError),
    /// The server list cannot be understood.
    Servers(memlens::Error),
    /// The servers make no ring.
    Ring(RingError),
    /// The output failed.
    Output(io::Error),
    /// There is no window to show anything in.
    Window(String),
    /// A node was named that is not there.
    NoNode(String),
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo(error) => error.fmt(formatter),
            Self::Servers(error) => write!(formatter, "--servers: {error}"),
            Self::Ring(error) => write!(formatter, "--servers: {error}"),
            Self::Output(error) => write!(formatter, "cannot write the output: {error}"),
            Self::Window(reason) | Self::NoNode(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Demo(error) => Some(error),
            Self::Servers(error) => Some(error),
            Self::Ring(error) => Some(error),
            Self::Output(error) => Some(error),
            Self::Window(_) | Self::NoNode(_) => None,
        }
    }
}

impl RunError {
    /// The exit status that tells it to a script.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Demo(_) | Self::Output(_) | Self::Window(_) => 1,
            // As for every other option that cannot be understood.
            Self::Servers(_) | Self::Ring(_) | Self::NoNode(_) => 2,
        }
    }
}

impl From<DemoError> for RunError {
    fn from(error: DemoError) -> Self {
        Self::Demo(error)
    }
}

impl From<memlens::Error> for RunError {
    fn from(error: memlens::Error) -> Self {
        Self::Servers(error)
    }
}

impl From<io::Error> for RunError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs until somebody or the time says to end, and gives the exit status. Must be called on the
/// program's main thread: windows want that.
///
/// # Errors
///
/// When there is nothing to watch or nowhere to show it. A server that does not answer is no error
/// but something to show.
pub fn run(options: &Options) -> Result<u8, RunError> {
    match options.output() {
        Output::Window => {
            check_servers(options)?;
            let backend = Backend::start(settings(options))?;
            shell::window::open(backend, options.view, options.allow_writes)
                .map_err(RunError::Window)?;
            Ok(0)
        }
        Output::Picture => {
            check_servers(options)?;
            take_picture(options)
        }
        Output::Terminal | Output::Json => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(watch(options))
        }
    }
}

/// Says what is wrong with a server list before anything opens.
fn check_servers(options: &Options) -> Result<(), RunError> {
    if let Some(servers) = &options.servers {
        Cluster::new("", servers.parse()?).map_err(RunError::Ring)?;
    }
    Ok(())
}

fn settings(options: &Options) -> Settings {
    let first = match &options.servers {
        Some(servers) => vec![Command::Connect {
            name: String::new(),
            servers: servers.clone(),
        }],
        // A picture of nothing would be of no use.
        None if options.demo || options.screenshot.is_some() => vec![Command::StartDemo],
        None => Vec::new(),
    };
    Settings {
        interval: options.interval,
        demo: demo_settings(options),
        may_write: options.allow_writes,
        first,
    }
}

const fn demo_settings(options: &Options) -> DemoSettings {
    DemoSettings {
        nodes: options.nodes,
        memory_mib: options.memory,
        workload: workload(options),
        rate: if options.sends_load() {
            options.rate
        } else {
            0
        },
    }
}

/// Watches for a while, then draws one view.
fn take_picture(options: &Options) -> Result<u8, RunError> {
    let Some(path) = &options.screenshot else {
        return Ok(0);
    };
    let backend = Backend::start(settings(options))?;
    let (tell, news) = std::sync::mpsc::channel();
    backend.on_news(move || {
        // Nobody listens any more once the picture is taken.
        let _ = tell.send(());
    });
    let patience = options.duration.unwrap_or(FIRST_PICTURE);
    let until = std::time::Instant::now() + patience;
    let enough = |published: &Published| {
        let snapshot = published.snapshot.as_ref();
        options.duration.is_none() && snapshot.is_some_and(|snapshot| is_settled(snapshot))
    };
    while !enough(&backend.published()) {
        let left = until.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() || news.recv_timeout(left).is_err() {
            break;
        }
    }
    let published = backend.published();
    let mut shell = Shell::new(options.view, Preferences::default(), false);
    arrange(&mut shell, options, &published)?;
    let size = options.size.map(f32::from);
    let mut stage = Stage::new(shell, size, 1.0, options.theme == Colors::Dark);
    let (image, _) = stage.settle(&published);
    let bytes = picture::png(&image).map_err(io::Error::from)?;
    std::fs::write(path, bytes)?;
    Ok(0)
}

/// Does to the window what somebody would, who wanted this picture.
fn arrange(shell: &mut Shell, options: &Options, published: &Published) -> Result<(), RunError> {
    if let Some(key) = &options.key {
        shell.probe(key);
    }
    if let Some(node) = &options.select {
        shell.select(find_node("--select", node, published)?);
    }
    if let Some(node) = &options.without {
        let node = find_node("--without", node, published)?.to_string();
        let view = options.view;
        shell.simulate(Change::Remove { node });
        shell.open(view);
    }
    Ok(())
}

/// The node of this name, or at this place from 1 on.
fn find_node(option: &str, wanted: &str, published: &Published) -> Result<Arc<str>, RunError> {
    let names = published
        .cluster
        .as_ref()
        .map_or_else(Vec::new, |cluster| cluster.node_names().to_vec());
    let named = names.iter().find(|name| ***name == *wanted);
    let counted = || names.get(wanted.parse::<usize>().ok()?.checked_sub(1)?);
    named.or_else(counted).cloned().ok_or_else(|| {
        let list = names.join(", ");
        RunError::NoNode(format!("{option}: there is no node {wanted}, but {list}"))
    })
}

/// Watches in the terminal, or prints one snapshot.
async fn watch(options: &Options) -> Result<u8, RunError> {
    let demo = match options.servers {
        Some(_) => None,
        None => Some(Demo::start(demo_settings(options)).await?),
    };
    let (config, load) = match (&options.servers, &demo) {
        (Some(servers), _) => (servers.parse()?, start_load(options, servers).await?),
        (None, Some(demo)) => (demo.config()?, None),
        (None, None) => (Config::default(), None),
    };
    let source = ClientSource::with_config(config, options.interval).await?;
    let poller = Poller::start(source.clone(), source.names(), options.interval);
    let counters = match (&load, &demo) {
        (Some((load, _)), _) => Some(load.counters()),
        (None, demo) => demo.as_ref().and_then(Demo::load_counters),
    };
    let session = Session {
        title: title(options, source.names().len()),
        snapshots: poller.snapshots(),
        load: counters.map(|counters| LoadView {
            counters,
            meter: LoadMeter::new(options.rate),
        }),
        until: options.duration.map(|duration| Instant::now() + duration),
    };
    let outcome = show(options, session).await;

    // What still runs when the patience ends, ends with the runtime.
    let _ = timeout(STOP_PATIENCE, async {
        if let Some((load, client)) = load {
            load.stop().await;
            client.close().await;
        }
        poller.stop().await;
        source.close().await;
        if let Some(demo) = demo {
            demo.stop().await;
        }
    })
    .await;
    Ok(outcome?)
}

/// Sends load to servers of somebody's own, if that is asked for.
async fn start_load(options: &Options, servers: &str) -> Result<Option<(Load, Client)>, RunError> {
    if !options.sends_load() {
        return Ok(None);
    }
    notice(&format!(
        "sending {} commands a second to these servers, with keys that begin with {KEY_PREFIX}",
        options.rate
    ));
    let client = Client::connect(servers).await?;
    let load = Load::start(&client, workload(options), options.rate);
    Ok(Some((load, client)))
}

const fn workload(options: &Options) -> WorkloadSettings {
    WorkloadSettings {
        items: options.keys,
        seed: options.seed,
    }
}

async fn show(options: &Options, session: Session) -> io::Result<u8> {
    if !options.json {
        session.show().await?;
        return Ok(0);
    }
    // Two polls make a rate; a node that does not answer is down after as long again.
    let patience = options.interval * 4 + Duration::from_secs(2);
    let snapshot = session.settled(patience).await;
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &Report::of(&snapshot))?;
    writeln!(out)?;
    Ok(Health::of(&snapshot).exit_status())
}

fn title(options: &Options, nodes: usize) -> String {
    let what = match (&options.servers, nodes) {
        (None, 1) => "demo: 1 embedded node".to_owned(),
        (None, nodes) => format!("demo: {nodes} embedded nodes"),
        (Some(_), 1) => "1 server".to_owned(),
        (Some(_), nodes) => format!("{nodes} servers"),
    };
    if !options.sends_load() {
        what + ", only watching"
    } else {
        what
    }
}

/// Tells something beside the output proper. Whether it can be told changes nothing.
fn notice(text: &str) {
    let _ = writeln!(io::stderr().lock(), "memlens: {text}");
}
