//! The command line of `memlens`.

use std::time::Duration;

use clap::Parser;

/// Shortest time between two polls of a node. Faster would load servers to look at them.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// Longest time between two polls of a node.
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);

/// Watch a memcached cluster live: hit rate, operations, memory and evictions of every node.
///
/// Without --servers it starts embedded nodes of its own and drives a realistic load through the
/// memlens client, to have something to show.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "memlens", version, after_help = EXIT_STATUS)]
pub struct Options {
    /// Watch these memcached servers, separated by commas
    #[arg(short, long, value_name = "LIST", long_help = SERVERS)]
    pub servers: Option<String>,

    /// Only watch: send nothing but `stats` and `mn`
    #[arg(long)]
    pub no_load: bool,

    /// Embedded nodes to start
    #[arg(long, value_name = "COUNT", default_value_t = 4, conflicts_with = "servers",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub nodes: u16,

    /// Memory of each embedded node, in MiB, as memcached's -m
    #[arg(long, value_name = "MIB", default_value_t = 32, conflicts_with = "servers",
          value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub memory: u32,

    /// Commands per second that the load sends
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, conflicts_with = "no_load",
          value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub rate: u64,

    /// Different keys that the load uses
    #[arg(long, value_name = "COUNT", default_value_t = 200_000, conflicts_with = "no_load",
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub keys: u64,

    /// Repeat the load that this number gives
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 1,
        conflicts_with = "no_load"
    )]
    pub seed: u64,

    /// Time between two polls of a node
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,

    /// End after this time
    #[arg(long = "for", alias = "duration", value_name = "TIME",
          value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,

    /// Print one snapshot as JSON and end; to --servers no load is sent then
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// Whether reads and writes are sent. A snapshot of real servers is a health check, which
    /// should not change what it looks at.
    #[must_use]
    pub const fn sends_load(&self) -> bool {
        let health_check = self.json && self.servers.is_some();
        !(self.no_load || health_check)
    }
}

const SERVERS: &str = "\
Watch these memcached servers, separated by commas: host, host:port, host:port:weight,
[v6]:port or unix:/path; or a URL as the memlens client takes it. Without --no-load, reads and
writes are sent to them too, with keys that begin with memlens-load:";

const EXIT_STATUS: &str = "\
Times are written like 500ms, 10s or 5m.

Exit status: 0 all is well (with --json: every node is up), 1 memlens itself failed,
2 wrong usage, and with --json 3 when some node is not up, 4 when none is.";

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
        Ok(interval)
    } else {
        Err("must be between 100ms and 1h".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::error::ErrorKind;
    use clap::{CommandFactory, Parser};

    use super::Options;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn without_options_it_is_the_demo() {
        let options = parse("memlens").unwrap();
        assert_eq!(options.servers, None);
        assert_eq!((options.nodes, options.rate), (4, 20_000));
        assert_eq!(options.interval, Duration::from_secs(1));
        assert_eq!(options.duration, None);
    }

    #[test]
    fn durations_have_units_and_bounds() {
        let options = parse("memlens --for 1m30s --interval 500ms").unwrap();
        assert_eq!(options.duration, Some(Duration::from_secs(90)));
        assert_eq!(options.interval, Duration::from_millis(500));
        assert_eq!(
            parse("memlens --duration 10s")
                .unwrap()
                .duration
                .unwrap()
                .as_secs(),
            10
        );
        for wrong in [
            "--interval 10",
            "--interval 1ms",
            "--interval 2h",
            "--for soon",
        ] {
            let error = parse(&format!("memlens {wrong}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{wrong}");
        }
    }

    #[test]
    fn a_snapshot_of_real_servers_sends_no_load() {
        assert!(parse("memlens").unwrap().sends_load());
        assert!(parse("memlens --json").unwrap().sends_load());
        assert!(parse("memlens --servers a:1").unwrap().sends_load());
        assert!(!parse("memlens --servers a:1 --json").unwrap().sends_load());
        assert!(!parse("memlens --no-load").unwrap().sends_load());
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for wrong in [
            "--servers a:1 --nodes 3",
            "--servers a:1 --memory 3",
            "--no-load --rate 5",
        ] {
            let error = parse(&format!("memlens {wrong}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{wrong}");
        }
        for wrong in ["--nodes 0", "--memory 0", "--rate 0", "--keys 0"] {
            let error = parse(&format!("memlens {wrong}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{wrong}");
        }
    }
}
