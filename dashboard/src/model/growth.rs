//! Which growth factor would waste less: the slab classes that memcached would make, and what the
//! items of a `stats sizes` histogram would take in them.

use memlens::stats::{Settings, Sizes};

use super::memory::PAGE_SIZE;

/// Bytes that memcached adds to `chunk_size` (`-n`) for the smallest class: its item header on
/// 64-bit machines.
const ITEM_HEADER: u64 = 48;

/// Chunk sizes are multiples of this (`CHUNK_ALIGN_BYTES`).
const CHUNK_ALIGNMENT: u64 = 8;

/// The most classes there can be (`MAX_NUMBER_OF_SLAB_CLASSES` − 1).
const MOST_CLASSES: usize = 63;

/// Width of a bucket of `stats sizes`, in bytes. Its name is the upper end.
const BUCKET: u64 = 32;

/// The factors that are tried.
const CANDIDATES: [f64; 10] = [1.05, 1.08, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 2.0];

/// How a server divides its pages into chunks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlabLayout {
    /// `growth_factor` (`-f`).
    pub growth_factor: f64,
    /// `chunk_size` (`-n`): the smallest space for key, value and flags, in bytes.
    pub smallest_space: u64,
    /// `slab_chunk_max`: the largest chunk, in bytes. Larger items are split.
    pub largest_chunk: u64,
}

impl SlabLayout {
    /// The layout that a server's settings describe.
    #[must_use]
    pub fn of(settings: &Settings) -> Option<Self> {
        Some(Self {
            growth_factor: settings.growth_factor.filter(|factor| *factor > 1.0)?,
            smallest_space: settings.chunk_size?,
            largest_chunk: settings.slab_chunk_max.filter(|largest| *largest > 0)?,
        })
    }

    /// The chunk sizes of its classes, ascending, as memcached's `slabs_init` makes them.
    #[must_use]
    pub fn chunk_sizes(&self) -> Vec<u64> {
        let mut sizes = Vec::new();
        let mut size = ITEM_HEADER.saturating_add(self.smallest_space);
        let last_step = self.largest_chunk as f64 / self.growth_factor;
        while sizes.len() + 1 < MOST_CLASSES && (size as f64) < last_step {
            size = size.next_multiple_of(CHUNK_ALIGNMENT);
            sizes.push(size);
            size = (size as f64 * self.growth_factor) as u64;
        }
        sizes.push(self.largest_chunk);
        sizes
    }

    /// Where the classes run out before the largest chunk: the largest chunk but one, when the
    /// step from there on is wider than twice the growth factor. Items above it take a chunk many
    /// times their size.
    #[must_use]
    pub fn runs_out_at(&self) -> Option<u64> {
        let sizes = self.chunk_sizes();
        let [.., before, last] = sizes[..] else {
            return None;
        };
        (last as f64 > before as f64 * self.growth_factor * 2.0).then_some(before)
    }

    /// What the items of a histogram would take.
    #[must_use]
    pub fn fit(&self, sizes: &Sizes) -> Fit {
        let chunks = self.chunk_sizes();
        let mut used = vec![false; chunks.len()];
        let mut fit = Fit::default();
        for (upper_end, count) in &sizes.histogram {
            // The middle of the bucket stands for what is in it.
            let size = upper_end.saturating_sub(BUCKET / 2).max(1);
            let whole = size / self.largest_chunk;
            let (rest, mut taken) = (size % self.largest_chunk, whole * self.largest_chunk);
            if whole > 0 {
                used[chunks.len() - 1] = true;
            }
            if rest > 0 {
                let class = chunks
                    .partition_point(|chunk| *chunk < rest)
                    .min(chunks.len() - 1);
                used[class] = true;
                taken += chunks[class];
            }
            let waste = (taken - size).saturating_mul(*count);
            fit.requested = fit.requested.saturating_add(size.saturating_mul(*count));
            fit.waste = fit.waste.saturating_add(waste);
        }
        fit.classes = used.iter().filter(|used| **used).count();
        fit
    }
}

/// What items take in the classes of a [`SlabLayout`]: an estimate, since a histogram tells sizes
/// only to 32 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fit {
    /// Bytes that the items ask for.
    pub requested: u64,
    /// Bytes that their chunks have beyond that.
    pub waste: u64,
    /// Classes that hold an item.
    pub classes: usize,
}

impl Fit {
    /// What the layout costs beyond the items: the waste, and half a page for each class, since
    /// the last page of a class is half empty on average.
    const fn overhead(&self) -> u64 {
        self.waste
            .saturating_add(self.classes as u64 * PAGE_SIZE / 2)
    }
}

/// A growth factor that would waste less than the one in use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GrowthAdvice {
    /// The factor to use.
    pub factor: f64,
    /// What the items take with it.
    pub with_it: Fit,
    /// What they take with the factor in use, by the same estimate.
    pub now: Fit,
}

impl GrowthAdvice {
    /// The best of the usual factors for these items, if it saves at least a quarter of the waste.
    #[must_use]
    pub fn find(settings: &Settings, sizes: &Sizes) -> Option<Self> {
        let layout = SlabLayout::of(settings)?;
        if sizes.histogram.is_empty() {
            return None;
        }
        let now = layout.fit(sizes);
        let candidates = CANDIDATES.iter().map(|factor| SlabLayout {
            growth_factor: *factor,
            ..layout
        });
        let best = candidates
            .filter(|candidate| candidate.runs_out_at().is_none())
            .map(|candidate| (candidate.growth_factor, candidate.fit(sizes)))
            .min_by_key(|(_, fit)| fit.overhead())?;
        let (factor, with_it) = best;
        let saves = with_it.waste <= now.waste / 4 * 3 && with_it.overhead() < now.overhead();
        saves.then_some(Self {
            factor,
            with_it,
            now,
        })
    }
}

#[cfg(test)]
mod tests {
    use memlens::stats::Sizes;

    use super::{Fit, SlabLayout};

    const DEFAULT: SlabLayout = SlabLayout {
        growth_factor: 1.25,
        smallest_space: 48,
        largest_chunk: 524_288,
    };

    #[test]
    fn an_item_takes_the_smallest_chunk_that_fits_it() {
        // Buckets 96 and 128 stand for 80 and 112 bytes; chunks are 96 and 120.
        let sizes = Sizes::parse([("96", "2"), ("128", "1")]);
        let expected = Fit {
            requested: 272,
            waste: 2 * 16 + 8,
            classes: 2,
        };
        assert_eq!(DEFAULT.fit(&sizes), expected);
    }

    #[test]
    fn an_item_above_the_largest_chunk_is_split() {
        let sizes = Sizes::parse([("700000", "1")]);
        let fit = DEFAULT.fit(&sizes);
        let rest = 700_000 - 16 - 524_288;
        assert_eq!(fit.classes, 2);
        assert!(fit.waste < rest / 4, "{fit:?}");
    }

    #[test]
    fn a_fine_factor_runs_out_of_classes() {
        assert_eq!(DEFAULT.runs_out_at(), None);
        let fine = SlabLayout {
            growth_factor: 1.08,
            ..DEFAULT
        };
        assert!(fine.runs_out_at().is_some_and(|size| size < 20_000));
        assert_eq!(fine.chunk_sizes().len(), 63);
    }
}
