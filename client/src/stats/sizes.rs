//! `stats sizes`: how many items there are of each size.

use std::collections::BTreeMap;

use super::{OtherFields, StatValue};

/// The answer of `stats sizes`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Items by size, in bytes rounded up to 32. Empty while the histogram is off.
    pub histogram: BTreeMap<u64, u64>,
    /// Whether the server keeps the histogram. Without `-o track_sizes` it answers
    /// `sizes_status disabled`.
    pub enabled: bool,
    /// Fields that are not part of the histogram.
    pub other: OtherFields,
}

impl Sizes {
    /// Reads the answer of `stats sizes`.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut sizes = Self {
            enabled: true,
            ..Self::default()
        };
        for (name, value) in pairs {
            match (u64::read(name), u64::read(value)) {
                (Some(size), Some(count)) => {
                    sizes.histogram.insert(size, count);
                }
                _ if name == "sizes_status" => sizes.enabled = value != "disabled",
                _ => sizes.other.keep(name, value),
            }
        }
        sizes
    }
}
