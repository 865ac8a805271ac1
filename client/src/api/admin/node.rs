//! `version`, `mn`, `verbosity`, `flush_all` and `shutdown` of one node.

use std::time::Duration;

use super::NodeClient;
use crate::error::Result;
use crate::observe::Operation;
use crate::proto::command::admin::{AdminLine, Shutdown, Version};
use crate::proto::command::meta::Noop;

impl NodeClient {
    /// The version of the node's server.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// println!("memcached {}", node.version().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn version(&self) -> Result<String> {
        self.execute(Operation::Version, &Version).await
    }

    /// Asks for an answer and nothing else: the meta command `mn`. Shows that the server is not
    /// only reachable, but serving.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.noop().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn noop(&self) -> Result<()> {
        self.execute(Operation::Noop, &Noop).await
    }

    /// Sets how much the server writes to its log: 0 for errors alone, 1 and 2 for more.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.verbosity(1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the server may have taken the level or not.
    pub async fn verbosity(&self, level: u32) -> Result<()> {
        self.admin(Operation::Verbosity, &format!("verbosity {level}"))
            .await
    }

    /// Expires every item, at once.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.flush_all().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ClientError`](crate::ErrorKind::ClientError) when the server was started with `-F`, which
    /// forbids it; otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the node may have been flushed or not.
    pub async fn flush_all(&self) -> Result<()> {
        self.admin(Operation::FlushAll, "flush_all").await
    }

    /// Expires, when `delay` is over, every item that is older then. Whole seconds, rounded up.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// node.flush_all_after(Duration::from_secs(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`flush_all`](Self::flush_all), and [`InvalidInput`](crate::ErrorKind::InvalidInput) for a
    /// delay that memcached would take for a point in time: more than 30 days.
    ///
    /// # Cancel safety
    /// As [`flush_all`](Self::flush_all).
    pub async fn flush_all_after(&self, delay: Duration) -> Result<()> {
        const LONGEST: u64 = 60 * 60 * 24 * 30;
        let part = u64::from(delay.subsec_nanos() > 0);
        let seconds = delay.as_secs().saturating_add(part);
        if seconds > LONGEST {
            return self.refused(
                Operation::FlushAll,
                "flush_all takes a delay of 30 days at most",
            );
        }
        self.admin(Operation::FlushAll, &format!("flush_all {seconds}"))
            .await
    }

    /// Ends the server process, if it was started with `-A`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.shutdown().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`UnknownCommand`](crate::ErrorKind::UnknownCommand) when it was not; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, the server may have ended or not.
    pub async fn shutdown(&self) -> Result<()> {
        self.execute(Operation::Shutdown, &Shutdown { graceful: false })
            .await
    }

    /// [`shutdown`](Self::shutdown) that lets the server end in good order: with its option `-e` it
    /// keeps its memory for a restart. Needs memcached 1.6.10 or later.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.shutdown_gracefully().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`shutdown`](Self::shutdown).
    ///
    /// # Cancel safety
    /// As [`shutdown`](Self::shutdown).
    pub async fn shutdown_gracefully(&self) -> Result<()> {
        self.execute(Operation::Shutdown, &Shutdown { graceful: true })
            .await
    }

    /// Sends a line that is answered with `OK`. It must not hold a line break.
    pub(super) async fn admin(&self, operation: Operation, line: &str) -> Result<()> {
        self.execute(operation, &AdminLine(line)).await
    }
}
