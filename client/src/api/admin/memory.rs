//! How a node uses its memory: `lru`, `lru_crawler`, `slabs` and `cache_memlimit`.

use std::time::Duration;

use super::NodeClient;
use crate::error::Result;
use crate::observe::Operation;

/// How a node keeps its items in order of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LruMode {
    /// One list for each slab class.
    Flat,
    /// Hot, warm and cold lists for each slab class: the default since memcached 1.5.
    Segmented,
}

/// The sizes of the segments of a segmented LRU. See memcached's doc/new_lru.txt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LruTuning {
    /// The part of a slab class's memory for hot items, in percent.
    pub percent_hot: u8,
    /// The part of a slab class's memory for warm items, in percent.
    pub percent_warm: u8,
    /// Hot items may be this many times as old as the tail of the cold ones.
    pub max_hot_age_factor: f64,
    /// Warm items may be this many times as old as the tail of the cold ones.
    pub max_warm_age_factor: f64,
}

impl NodeClient {
    /// Starts the LRU crawler's thread.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.lru_crawler_enable().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// When the future is dropped, it may have been done or not. This holds for everything here.
    pub async fn lru_crawler_enable(&self) -> Result<()> {
        self.admin(Operation::LruCrawler, "lru_crawler enable")
            .await
    }

    /// Stops the LRU crawler's thread.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.lru_crawler_disable().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_crawler_disable(&self) -> Result<()> {
        self.admin(Operation::LruCrawler, "lru_crawler disable")
            .await
    }

    /// How long the LRU crawler sleeps between items: whole microseconds, at most one second.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// node.lru_crawler_sleep(Duration::from_micros(100)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for more than a second; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_crawler_sleep(&self, between_items: Duration) -> Result<()> {
        if between_items > Duration::from_secs(1) {
            return self.refused(
                Operation::LruCrawler,
                "the LRU crawler sleeps one second at most",
            );
        }
        self.admin(
            Operation::LruCrawler,
            &format!("lru_crawler sleep {}", between_items.as_micros()),
        )
        .await
    }

    /// How many items of a slab class the LRU crawler looks at in one run; 0 is all of them.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.lru_crawler_tocrawl(10_000).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_crawler_tocrawl(&self, items: u32) -> Result<()> {
        self.admin(
            Operation::LruCrawler,
            &format!("lru_crawler tocrawl {items}"),
        )
        .await
    }

    /// Lets the LRU crawler look for expired items in these slab classes, or in all.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.lru_crawler_crawl(Some(&[1, 5])).await?;
    /// node.lru_crawler_crawl(None).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ServerError`](crate::ErrorKind::ServerError) when it is at work already, or for a class
    /// that there is not; otherwise those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_crawler_crawl(&self, classes: Option<&[u8]>) -> Result<()> {
        let classes = super::dump::class_list(classes, "all");
        self.admin(
            Operation::LruCrawler,
            &format!("lru_crawler crawl {classes}"),
        )
        .await
    }

    /// Changes the sizes of the LRU's segments.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// use memlens::LruTuning;
    ///
    /// // What memcached starts with.
    /// let tuning = LruTuning {
    ///     percent_hot: 20,
    ///     percent_warm: 40,
    ///     max_hot_age_factor: 0.2,
    ///     max_warm_age_factor: 2.0,
    /// };
    /// node.lru_tune(tuning).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when hot and warm together are more than
    /// 80 %, or a factor is not above 0, which memcached refuses; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_tune(&self, tuning: LruTuning) -> Result<()> {
        let LruTuning {
            percent_hot,
            percent_warm,
            max_hot_age_factor,
            max_warm_age_factor,
        } = tuning;
        let is_factor = |factor: f64| factor.is_finite() && factor > 0.0;
        if u32::from(percent_hot) + u32::from(percent_warm) > 80 {
            return self.refused(Operation::Lru, "hot and warm together may be 80 % at most");
        }
        if !is_factor(max_hot_age_factor) || !is_factor(max_warm_age_factor) {
            return self.refused(Operation::Lru, "an age factor has to be above 0");
        }
        let factors = format!("{max_hot_age_factor} {max_warm_age_factor}");
        self.admin(
            Operation::Lru,
            &format!("lru tune {percent_hot} {percent_warm} {factors}"),
        )
        .await
    }

    /// Changes how the node keeps its items in order of use.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.lru_mode(memlens::LruMode::Segmented).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_mode(&self, mode: LruMode) -> Result<()> {
        self.admin(
            Operation::Lru,
            match mode {
                LruMode::Flat => "lru mode flat",
                LruMode::Segmented => "lru mode segmented",
            },
        )
        .await
    }

    /// Keeps items that live no longer than this in a segment of their own, where they are never
    /// moved; `None` gives that up. Whole seconds.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// use std::time::Duration;
    ///
    /// node.lru_temp_ttl(Some(Duration::from_secs(60))).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn lru_temp_ttl(&self, longest: Option<Duration>) -> Result<()> {
        let seconds = longest.map_or(-1, |longest| longest.as_secs().min(i32::MAX as u64) as i64);
        self.admin(Operation::Lru, &format!("lru temp_ttl {seconds}"))
            .await
    }

    /// Moves a page of memory from one slab class to another; from any class with `None`.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.slabs_reassign(Some(12), 3).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ServerError`](crate::ErrorKind::ServerError) with the server's reason when it can't: it is
    /// busy, a class is not there, or has no page to spare. Otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn slabs_reassign(&self, source: Option<u8>, destination: u8) -> Result<()> {
        let source = source.map_or(-1, i16::from);
        self.admin(
            Operation::Slabs,
            &format!("slabs reassign {source} {destination}"),
        )
        .await
    }

    /// Whether the server moves pages between slab classes by itself: 0 no, 1 yes, 2 at every
    /// eviction, which is meant for tests.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.slabs_automove(1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) above 2; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn slabs_automove(&self, level: u8) -> Result<()> {
        if level > 2 {
            return self.refused(Operation::Slabs, "slabs automove is 0, 1 or 2");
        }
        self.admin(Operation::Slabs, &format!("slabs automove {level}"))
            .await
    }

    /// Changes how much memory the node may use for items, in MiB.
    ///
    /// ```no_run
    /// # async fn example(node: memlens::NodeClient) -> memlens::Result<()> {
    /// node.cache_memlimit(512).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ServerError`](crate::ErrorKind::ServerError) when the server can't; otherwise those of
    /// [every operation](crate#failure-model).
    ///
    /// # Cancel safety
    /// As [`lru_crawler_enable`](Self::lru_crawler_enable).
    pub async fn cache_memlimit(&self, mebibytes: u32) -> Result<()> {
        self.admin(
            Operation::CacheMemlimit,
            &format!("cache_memlimit {mebibytes}"),
        )
        .await
    }
}
