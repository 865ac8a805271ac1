//! Which events of a watch are listed.

use std::sync::Arc;

use memchr::memmem;

use super::event::{LiveEvent, LiveKind};

/// Which events are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFilter {
    /// Only events of these kinds.
    pub kinds: Vec<LiveKind>,
    /// Only keys that contain this.
    pub contains: Vec<u8>,
    /// Only events of this node.
    pub node: Option<Arc<str>>,
    /// Of what is left, one in so many, chosen by chance. 1 for all.
    pub one_in: u32,
}

impl Default for LiveFilter {
    fn default() -> Self {
        Self {
            kinds: LiveKind::ALL.to_vec(),
            contains: Vec::new(),
            node: None,
            one_in: 1,
        }
    }
}

impl LiveFilter {
    pub(super) fn admits(&self, event: &LiveEvent) -> bool {
        self.kinds.contains(&event.kind)
            && self.node.as_ref().is_none_or(|node| *node == event.node)
            && memmem::find(&event.key, &self.contains).is_some()
    }

    /// Whether the event is in the sample. The gid decides, stirred (by the finaliser of
    /// SplitMix64) so that no regularity of the load can coincide with the sample's.
    pub(super) fn samples(&self, event: &LiveEvent) -> bool {
        if self.one_in <= 1 {
            return true;
        }
        let mut stirred = event.gid.unwrap_or(0).wrapping_add(0x9e37_79b9_7f4a_7c15);
        stirred = (stirred ^ (stirred >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        stirred = (stirred ^ (stirred >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (stirred ^ (stirred >> 31)).is_multiple_of(u64::from(self.one_in))
    }
}
