//! `stats`: what a node counts, typed where memcached documents it.

use super::NodeClient;
use crate::api::{Client, PerNode};
use crate::error::Result;
use crate::observe::Operation;
use crate::proto::command::admin::Stats;
use crate::stats::{Connections, General, Items, Settings, Sizes, Slabs};

/// Names and values of one answer, split from its `STAT` lines.
struct Pairs(Vec<(String, String)>);

impl Pairs {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    let rest = line.strip_prefix("STAT ")?;
    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((name.to_owned(), value.to_owned()))
}

impl NodeClient {
    /// The node's counters: `stats` without an argument.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let stats = client.node("cache-01:11211")?.stats().await?;
    /// if let (Some(hits), Some(misses)) = (stats.get_hits, stats.get_misses) {
    ///     println!("{hits} hits, {misses} misses since {:?} seconds", stats.uptime);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model). A field that the client doesn't know is no
    /// error: it is kept as text. This holds for everything here.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing. This holds for everything here.
    pub async fn stats(&self) -> Result<General> {
        Ok(General::parse(self.pairs("").await?.iter()))
    }

    /// The settings the server was started with: `stats settings`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// println!("{:?} worker threads", node.stats_settings().await?.num_threads);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats`](Self::stats).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_settings(&self) -> Result<Settings> {
        Ok(Settings::parse(self.pairs("settings").await?.iter()))
    }

    /// The items of each slab class: `stats items`. Classes without items are left out.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// for (class, items) in &node.stats_items().await?.classes {
    ///     println!("class {class}: {:?} items", items.number);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats`](Self::stats).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_items(&self) -> Result<Items> {
        Ok(Items::parse(self.pairs("items").await?.iter()))
    }

    /// The memory of each slab class: `stats slabs`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// for (class, slab) in &node.stats_slabs().await?.classes {
    ///     println!("class {class}: chunks of {:?} bytes", slab.chunk_size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats`](Self::stats).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_slabs(&self) -> Result<Slabs> {
        Ok(Slabs::parse(self.pairs("slabs").await?.iter()))
    }

    /// How many items there are of each size: `stats sizes`. The server counts only when it was
    /// started with `-o track_sizes`, or after `stats sizes_enable`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// println!("{:?}", node.stats_sizes().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats`](Self::stats).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_sizes(&self) -> Result<Sizes> {
        Ok(Sizes::parse(self.pairs("sizes").await?.iter()))
    }

    /// The open connections: `stats conns`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// println!("{:?}", node.stats_conns().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats`](Self::stats).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_conns(&self) -> Result<Connections> {
        Ok(Connections::parse(self.pairs("conns").await?.iter()))
    }

    /// Sets the node's counters to 0: `stats reset`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.stats_reset().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the counters may have been reset or not.
    pub async fn stats_reset(&self) -> Result<()> {
        self.stats_lines("reset").await.map(drop)
    }

    /// Any other `stats`, with its arguments, as names and values in the server's order. Lines that
    /// are not of that form are left out: see [`stats_lines`](Self::stats_lines).
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// for (name, value) in node.stats_with("extstore").await? {
    ///     println!("{name} = {value}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for arguments that can't stand in a request,
    /// [`UnknownCommand`](crate::ErrorKind::UnknownCommand) for those that the server doesn't know;
    /// otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_with(&self, arguments: &str) -> Result<Vec<(String, String)>> {
        Ok(self.pairs(arguments).await?.0)
    }

    /// Any `stats`, as lines without `END`: also for `cachedump` and `detail dump`, whose lines do
    /// not begin with `STAT`. Nothing, when the server answers `OK` or `RESET`.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// let node = client.node("cache-01:11211")?;
    /// for line in node.stats_lines("cachedump 1 10").await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`stats_with`](Self::stats_with).
    ///
    /// # Cancel safety
    /// As [`stats`](Self::stats).
    pub async fn stats_lines(&self, arguments: &str) -> Result<Vec<String>> {
        if !arguments.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return self.refused(
                Operation::Stats,
                "the arguments of stats are words of ASCII text",
            );
        }
        let lines = self.execute(Operation::Stats, &Stats(arguments)).await?;
        let text = |line| String::from_utf8_lossy(line).into_owned();
        Ok(lines.iter().map(|line| text(line)).collect())
    }

    async fn pairs(&self, arguments: &str) -> Result<Pairs> {
        let lines = self.stats_lines(arguments).await?;
        Ok(Pairs(lines.iter().filter_map(|line| pair(line)).collect()))
    }
}

impl Client {
    /// The counters of every node: `stats` without an argument.
    ///
    /// ```no_run
    /// # async fn example(client: memlens::Client) -> memlens::Result<()> {
    /// for (node, stats) in client.stats_per_node().await.into_result()? {
    ///     println!("{node}: {:?} items", stats.curr_items);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// None as a whole; each node has its own answer.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn stats_per_node(&self) -> PerNode<General> {
        self.on_every_node(|node| async move { node.stats().await })
            .await
    }
}
