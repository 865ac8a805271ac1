//! The node as a program, with memcached's own flags.

#![expect(clippy::print_stderr, reason = "a program speaks to its user")]

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Parser};
use memlens_node::{Node, NodeBuilder};
use tokio::signal::unix::{SignalKind, signal};

/// A memcached-compatible node for demos and tests. Not for production.
///
/// The flags are memcached's. What a node cannot do is refused, not ignored.
#[derive(Debug, Parser)]
#[command(name = "memlens-node", version, disable_version_flag = true)]
struct Arguments {
    /// TCP port to listen on; 0 lets the system choose
    #[arg(short, long, default_value_t = 11211)]
    port: u16,

    /// UDP port: only 0, there is no UDP
    #[arg(short = 'U', long, default_value_t = 0)]
    udp_port: u16,

    /// Unix socket to listen on, instead of TCP
    #[arg(short = 's', long, value_name = "FILE")]
    unix_socket: Option<PathBuf>,

    /// Address to listen on
    #[arg(short, long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,

    /// Allow addresses that other machines can reach, to those who log in (-Y)
    #[arg(long)]
    allow_remote: bool,

    /// With --allow-remote, let anyone who can reach the node read, change and delete everything
    #[arg(long)]
    allow_remote_without_login: bool,

    /// Item memory in megabytes
    #[arg(short, long, default_value_t = 64, value_name = "MEGABYTES")]
    memory_limit: usize,

    /// Most simultaneous connections
    #[arg(short, long, default_value_t = 1024)]
    conn_limit: usize,

    /// Largest item; k and m stand for kilo- and megabytes
    #[arg(short = 'I', long, default_value = "1m", value_parser = parse_size)]
    max_item_size: usize,

    /// Worker threads
    #[arg(short, long, default_value_t = 4)]
    threads: usize,

    /// Chunk size growth factor
    #[arg(short = 'f', long, default_value_t = 1.25)]
    slab_growth_factor: f64,

    /// Least space for key, value and flags, in bytes
    #[arg(short = 'n', long, default_value_t = 48, value_name = "BYTES")]
    slab_min_size: usize,

    /// Refuse to store when memory is full, instead of evicting
    #[arg(short = 'M', long)]
    disable_evictions: bool,

    /// Disable cas
    #[arg(short = 'C', long)]
    disable_cas: bool,

    /// Allow the command "shutdown"
    #[arg(short = 'A', long)]
    enable_shutdown: bool,

    /// Disable the command "flush_all"
    #[arg(short = 'F', long)]
    disable_flush_all: bool,

    /// Disable "stats cachedump" and "lru_crawler metadump"
    #[arg(short = 'X', long)]
    disable_dumping: bool,

    /// Disable the command "watch"
    #[arg(short = 'W', long)]
    disable_watch: bool,

    /// Demand ASCII authentication by this file of user:password lines
    #[arg(short = 'Y', long, value_name = "FILE")]
    auth_file: Option<PathBuf>,

    /// Verbosity, as "stats settings" shows it
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,

    /// Extended options, separated by commas: idle_timeout=SECONDS, track_sizes, modern
    #[arg(
        short = 'o',
        long = "extended",
        value_delimiter = ',',
        value_name = "OPTION"
    )]
    extended: Vec<String>,

    /// User to become when started by root: ignored, a node needs no privileges
    #[arg(short, long)]
    user: Option<String>,

    /// Run as a daemon: refused, a node ends with the terminal or test that started it
    #[arg(short, long)]
    daemon: bool,

    /// Print the version and exit
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
}

/// A number of bytes, or of kilo- or megabytes.
fn parse_size(text: &str) -> Result<usize, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1024),
        None => text
            .strip_suffix(['m', 'M'])
            .map_or((text, 1), |digits| (digits, 1024 * 1024)),
    };
    let number: usize = digits
        .parse()
        .map_err(|_| "expected a number, or one with k or m")?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "too large".to_owned())
}

impl Arguments {
    fn into_builder(self) -> Result<NodeBuilder, String> {
        if self.daemon {
            return Err("-d is not supported: run the node in the foreground".into());
        }
        if self.udp_port != 0 {
            return Err("-U must be 0: there is no UDP".into());
        }
        let memory = self
            .memory_limit
            .checked_mul(1024 * 1024)
            .ok_or("-m is too large")?;
        let mut builder = Node::builder()
            .port(self.port)
            .address(self.listen)
            .allow_remote(self.allow_remote)
            .allow_remote_without_login(self.allow_remote_without_login)
            .memory(memory)
            .max_connections(self.conn_limit)
            .max_item_size(self.max_item_size)
            .threads(self.threads)
            .growth_factor(self.slab_growth_factor)
            .min_chunk(self.slab_min_size)
            .evictions(!self.disable_evictions)
            .cas(!self.disable_cas)
            .allow_shutdown(self.enable_shutdown)
            .allow_flush(!self.disable_flush_all)
            .allow_dump(!self.disable_dumping)
            .allow_watch(!self.disable_watch)
            .verbosity(u32::from(self.verbose));
        if let Some(path) = self.unix_socket {
            builder = builder.unix_socket(path);
        }
        if let Some(path) = self.auth_file {
            builder = builder.auth_file(path);
        }
        self.extended
            .iter()
            .try_fold(builder, |builder, option| extend(builder, option))
    }
}

/// Applies one option of `-o`.
fn extend(builder: NodeBuilder, option: &str) -> Result<NodeBuilder, String> {
    let (name, value) = match option.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (option, None),
    };
    match (name, value) {
        ("idle_timeout", Some(seconds)) => {
            let seconds = seconds
                .parse()
                .map_err(|_| "idle_timeout takes a number of seconds")?;
            Ok(builder.idle_timeout(Duration::from_secs(seconds)))
        }
        ("track_sizes", None) => Ok(builder.track_sizes(true)),
        // In memcached 1.6 this has no effect any more, but scripts still say it.
        ("modern", None) => Ok(builder),
        _ => Err(format!("-o {option} is not supported")),
    }
}

async fn serve(builder: NodeBuilder) -> Result<(), Box<dyn std::error::Error>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let node = builder.start().await?;
    match node.unix_socket() {
        Some(path) => eprintln!("listening on {}", path.display()),
        None => eprintln!("listening on {}", node.addr()),
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = node.stopped() => {}
    }
    node.shutdown().await;
    Ok(())
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let threads = arguments.threads.max(1);
    let outcome = arguments
        .into_builder()
        .map_err(Into::into)
        .and_then(|builder| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(threads)
                .enable_all()
                .build()?
                .block_on(serve(builder))
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memlens-node: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn refusal(arguments: &[&str]) -> String {
        let arguments = ["memlens-node"].iter().chain(arguments);
        Arguments::parse_from(arguments)
            .into_builder()
            .expect_err("a refusal")
    }

    #[test]
    fn the_flags_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn memcacheds_usual_flags_are_understood() {
        let line = "memlens-node -l 127.0.0.1 -p 0 -U 0 -u nobody -m 128 -c 64 -I 2m -t 2 -vv -A -f 1.08 \
                    -n 72 -M -C -F -X -W -o idle_timeout=5,track_sizes,modern -s node.sock";
        assert!(
            Arguments::parse_from(line.split_whitespace())
                .into_builder()
                .is_ok()
        );
    }

    #[test]
    fn what_a_node_cannot_do_is_refused() {
        assert!(refusal(&["-d"]).contains("foreground"));
        assert!(refusal(&["-U", "11211"]).contains("no UDP"));
        assert!(refusal(&["-o", "hash_algorithm=xxh3"]).contains("hash_algorithm"));
        assert!(refusal(&["-o", "idle_timeout=x"]).contains("seconds"));
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("1000"), Ok(1000));
        assert_eq!(parse_size("512k"), Ok(512 * 1024));
        assert_eq!(parse_size("2M"), Ok(2 * 1024 * 1024));
        assert!(parse_size("2g").is_err());
        assert!(parse_size("99999999999999999999m").is_err());
    }
}
