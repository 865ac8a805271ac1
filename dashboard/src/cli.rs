//! The command line of `memlens`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::preferences::{LONGEST_INTERVAL, SHORTEST_INTERVAL};
use crate::views::View;

/// See a memcached cluster live: the hash ring, hit rate, memory and slab classes of every node, and
/// what adding or removing a server would do.
///
/// Without options a window opens and asks what to watch. --demo starts embedded nodes with a
/// realistic load; --servers watches servers of yours, and sends them nothing that changes them.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(name = "memlens", version, after_help = EXIT_STATUS)]
pub struct Options {
    /// Watch these memcached servers, separated by commas
    #[arg(short, long, value_name = "LIST", long_help = SERVERS)]
    pub servers: Option<String>,

    /// Start embedded nodes with a realistic load, and watch them
    #[arg(long, conflicts_with = "servers")]
    pub demo: bool,

    /// Show a table in the terminal instead of a window
    #[arg(long)]
    pub headless: bool,

    /// Print one snapshot as JSON and end
    #[arg(long, conflicts_with_all = ["headless", "screenshot"])]
    pub json: bool,

    /// Draw a view into this PNG file and end; needs neither a display nor a graphics card
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    pub screenshot: Option<PathBuf>,

    /// The view to begin with
    #[arg(long, value_name = "NAME", default_value = "overview", value_parser = view, long_help = VIEWS)]
    pub view: View,

    /// Colours of a --screenshot
    #[arg(
        long,
        value_name = "THEME",
        default_value = "dark",
        requires = "screenshot"
    )]
    pub theme: Colors,

    /// Size of a --screenshot, in pixels
    #[arg(long, value_name = "WxH", default_value = "1440x900", value_parser = size, requires = "screenshot")]
    pub size: [u16; 2],

    /// Select this node on a --screenshot, by its name or by its place in the list, from 1
    #[arg(long, value_name = "NODE", requires = "screenshot")]
    pub select: Option<String>,

    /// Look for this key on the ring of a --screenshot
    #[arg(long, value_name = "KEY", requires = "screenshot")]
    pub key: Option<String>,

    /// Simulate on a --screenshot of what-if that this node is removed
    #[arg(long, value_name = "NODE", requires = "screenshot")]
    pub without: Option<String>,

    /// Allow commands that change servers; each asks for the node's name before it is sent
    #[arg(long, conflicts_with_all = ["headless", "json", "screenshot"])]
    pub allow_writes: bool,

    /// Send no load to the embedded nodes
    #[arg(long)]
    pub no_load: bool,

    /// Send the load to --servers too, with keys that begin with memlens-load:
    #[arg(
        long,
        requires = "servers",
        requires = "headless",
        conflicts_with = "no_load"
    )]
    pub load: bool,

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

    /// End after this time; with --screenshot, watch so long before drawing
    #[arg(long = "for", alias = "duration", value_name = "TIME",
          value_parser = humantime::parse_duration)]
    pub duration: Option<Duration>,
}

/// Colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colors {
    /// Light text on dark surfaces.
    Dark,
    /// Dark text on light surfaces.
    Light,
}

/// Where the program shows what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// In a window.
    Window,
    /// In the terminal.
    Terminal,
    /// As JSON.
    Json,
    /// In a picture.
    Picture,
}

impl Options {
    /// Where to show what is known.
    #[must_use]
    pub const fn output(&self) -> Output {
        if self.json {
            Output::Json
        } else if self.screenshot.is_some() {
            Output::Picture
        } else if self.headless {
            Output::Terminal
        } else {
            Output::Window
        }
    }

    /// Whether reads and writes are sent. Servers of somebody's own only get them when that is asked
    /// for; embedded nodes would have nothing to show without.
    #[must_use]
    pub const fn sends_load(&self) -> bool {
        match self.servers {
            Some(_) => self.load,
            None => !self.no_load,
        }
    }
}

const SERVERS: &str = "\
Watch these memcached servers, separated by commas: host, host:port, host:port:weight,
[v6]:port or unix:/path; or a URL as the memlens client takes it. Write them as your clients do, in
the same order: then the ring shown is theirs. They are asked for statistics, and nothing else.";

const VIEWS: &str = "\
The view to begin with: overview, ring, what-if, nodes, slabs, keys, live, alerts or settings.";

const EXIT_STATUS: &str = "\
Times are written like 500ms, 10s or 5m.

Exit status: 0 all is well (with --json: every node is up), 1 memlens itself failed,
2 wrong usage, and with --json 3 when some node is not up, 4 when none is.";

fn view(text: &str) -> Result<View, String> {
    let mut views = View::ALL.into_iter();
    views.find(|view| view.slug() == text).ok_or_else(|| {
        let names: Vec<_> = View::ALL.into_iter().map(View::slug).collect();
        format!("there are {}", names.join(", "))
    })
}

fn size(text: &str) -> Result<[u16; 2], String> {
    let sides = text
        .split_once('x')
        .and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    sides
        .filter(|sides| sides.iter().all(|side| (480..=8192).contains(side)))
        .ok_or_else(|| "must be like 1440x900, with sides from 480 to 8192".to_owned())
}

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

    use super::{Options, Output};
    use crate::views::View;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn without_options_a_window_asks_what_to_watch() {
        let options = parse("memlens").unwrap();
        assert_eq!((options.servers.as_deref(), options.demo), (None, false));
        assert_eq!(options.output(), Output::Window);
        assert_eq!(options.view, View::Overview);
        assert_eq!((options.nodes, options.rate), (4, 20_000));
        assert_eq!(options.interval, Duration::from_secs(1));
        assert_eq!(options.duration, None);
    }

    #[test]
    fn what_is_known_can_go_elsewhere() {
        let output = |line| parse(line).unwrap().output();
        assert_eq!(output("memlens --headless"), Output::Terminal);
        assert_eq!(output("memlens --json"), Output::Json);
        assert_eq!(
            output("memlens --screenshot a.png --view ring --size 800x600"),
            Output::Picture
        );
        let options =
            parse("memlens --screenshot a.png --view what-if --without 3 --key k").unwrap();
        assert_eq!(options.without.as_deref(), Some("3"));
        let alone = parse("memlens --select 3").unwrap_err();
        assert_eq!(alone.kind(), ErrorKind::MissingRequiredArgument);
        for wrong in ["--view rings", "--size 1x1", "--screenshot a --size big"] {
            let error = parse(&format!("memlens {wrong}")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{wrong}");
        }
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
    fn servers_get_no_load_unless_that_is_asked_for() {
        let sends = |line| parse(line).unwrap().sends_load();
        assert!(sends("memlens --demo") && sends("memlens --headless"));
        assert!(!sends("memlens --demo --no-load"));
        assert!(!sends("memlens --servers a:1 --headless"));
        assert!(sends("memlens --servers a:1 --headless --load"));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        for wrong in [
            "--servers a:1 --nodes 3",
            "--servers a:1 --memory 3",
            "--no-load --rate 5",
            "--servers a:1 --demo",
            "--json --headless",
            "--headless --allow-writes",
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
