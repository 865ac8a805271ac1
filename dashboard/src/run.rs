//! The whole program, from options to exit status.

use std::fmt;
use std::io::{self, Write, stdout};
use std::time::Duration;

use memlens::Client;
use tokio::time::{Instant, timeout};

use crate::cli::Options;
use crate::demo::DemoNodes;
use crate::load::{KEY_PREFIX, Load, LoadMeter, WorkloadSettings};
use crate::poller::{ClientSource, Poller};
use crate::report::{Health, Report};
use crate::session::{LoadView, Session};

/// How long ending in good order may take. A server that hangs would hold it up.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Why the program could not do its work.
#[derive(Debug)]
pub enum RunError {
    /// An embedded node did not start.
    Node(memlens_node::Error),
    /// The server list cannot be understood.
    Servers(memlens::Error),
    /// The output failed.
    Output(io::Error),
}

impl fmt::Display for RunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(error) => write!(formatter, "cannot start an embedded node: {error}"),
            Self::Servers(error) => write!(formatter, "--servers: {error}"),
            Self::Output(error) => write!(formatter, "cannot write the output: {error}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Node(error) => Some(error),
            Self::Servers(error) => Some(error),
            Self::Output(error) => Some(error),
        }
    }
}

impl RunError {
    /// The exit status that tells it to a script.
    #[must_use]
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Node(_) | Self::Output(_) => 1,
            // As for every other option that cannot be understood.
            Self::Servers(_) => 2,
        }
    }
}

impl From<memlens_node::Error> for RunError {
    fn from(error: memlens_node::Error) -> Self {
        Self::Node(error)
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

/// Runs until somebody or the time says to end, and gives the exit status.
///
/// # Errors
///
/// When there is nothing to watch or nowhere to show it. A server that does not answer is no error
/// but something to show.
pub async fn run(options: &Options) -> Result<u8, RunError> {
    let demo = match options.servers {
        Some(_) => None,
        None => Some(DemoNodes::start(options.nodes, options.memory).await?),
    };
    let servers = match (&options.servers, &demo) {
        (Some(servers), _) => servers.clone(),
        (None, demo) => demo.as_ref().map(DemoNodes::servers).unwrap_or_default(),
    };
    let source = ClientSource::connect(&servers, options.interval).await?;
    let poller = Poller::start(source.clone(), source.names(), options.interval);
    let load = start_load(options, &servers).await?;

    let session = Session {
        title: title(options, source.names().len()),
        snapshots: poller.snapshots(),
        load: load.as_ref().map(|(load, _)| LoadView {
            counters: load.counters(),
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

async fn start_load(options: &Options, servers: &str) -> Result<Option<(Load, Client)>, RunError> {
    if !options.sends_load() {
        return Ok(None);
    }
    if options.servers.is_some() {
        notice(&format!(
            "sending {} commands a second to these servers, with keys that begin with \
             {KEY_PREFIX} (--no-load only watches)",
            options.rate
        ));
    }
    let client = Client::connect(servers).await?;
    let settings = WorkloadSettings {
        items: options.keys,
        seed: options.seed,
    };
    let load = Load::start(&client, settings, options.rate);
    Ok(Some((load, client)))
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
    if options.no_load {
        what + ", only watching"
    } else {
        what
    }
}

/// Tells something beside the output proper. Whether it can be told changes nothing.
fn notice(text: &str) {
    let _ = writeln!(io::stderr().lock(), "memlens: {text}");
}
