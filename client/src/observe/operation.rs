//! What a client can be asked to do, by name.

/// Declares the operations: their variant, name, scope and documentation, in one table.
macro_rules! operations {
    ($($(#[$documentation:meta])* $variant:ident $name:literal $scope:ident,)*) => {
        /// An operation of the client, as telemetry and statistics name it: after its method.
        ///
        /// Methods that do the same for every node are counted for each node, under the name of the
        /// node's method.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Operation {
            $($(#[$documentation])* $variant,)*
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of the method, without arguments: `get`, `incr_or_init`, `set_multi`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            pub(crate) const fn scope(self) -> Scope {
                match self {
                    $(Self::$variant => Scope::$scope,)*
                }
            }
        }
    };
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One item, and so one node.
    Key,
    /// Any number of items, and so any number of nodes.
    Keys,
    /// A node.
    Node,
}

operations! {
    /// `get`
    Get "get" Key,
    /// `gets`
    Gets "gets" Key,
    /// `gat`
    GetAndTouch "gat" Key,
    /// `gats`
    GetsAndTouch "gats" Key,
    /// `set`
    Set "set" Key,
    /// `add`
    Add "add" Key,
    /// `replace`
    Replace "replace" Key,
    /// `append`
    Append "append" Key,
    /// `prepend`
    Prepend "prepend" Key,
    /// `cas`
    CompareAndSwap "cas" Key,
    /// `delete`
    Delete "delete" Key,
    /// `touch`
    Touch "touch" Key,
    /// `incr`
    Increment "incr" Key,
    /// `decr`
    Decrement "decr" Key,
    /// `incr_or_init`
    IncrementOrInit "incr_or_init" Key,
    /// `decr_or_init`
    DecrementOrInit "decr_or_init" Key,
    /// `meta_get`
    MetaGet "meta_get" Key,
    /// `meta_set`
    MetaSet "meta_set" Key,
    /// `meta_delete`
    MetaDelete "meta_delete" Key,
    /// `meta_arithmetic`
    MetaArithmetic "meta_arithmetic" Key,
    /// `meta_debug`
    MetaDebug "meta_debug" Key,
    /// `get_multi`
    GetMulti "get_multi" Keys,
    /// `gets_multi`
    GetsMulti "gets_multi" Keys,
    /// `meta_get_multi`
    MetaGetMulti "meta_get_multi" Keys,
    /// `set_multi`
    SetMulti "set_multi" Keys,
    /// `delete_multi`
    DeleteMulti "delete_multi" Keys,
    /// `touch_multi`
    TouchMulti "touch_multi" Keys,
    /// `incr_multi`
    IncrementMulti "incr_multi" Keys,
    /// `decr_multi`
    DecrementMulti "decr_multi" Keys,
    /// `version`
    Version "version" Node,
    /// `noop`
    Noop "noop" Node,
    /// `verbosity`
    Verbosity "verbosity" Node,
    /// `flush_all`, at once or later
    FlushAll "flush_all" Node,
    /// `shutdown`, graceful or not
    Shutdown "shutdown" Node,
    /// `stats`, of any kind
    Stats "stats" Node,
    /// `lru_crawler_enable`, `lru_crawler_crawl` and their like
    LruCrawler "lru_crawler" Node,
    /// `lru_tune`, `lru_mode` and `lru_temp_ttl`
    Lru "lru" Node,
    /// `slabs_reassign` and `slabs_automove`
    Slabs "slabs" Node,
    /// `cache_memlimit`
    CacheMemlimit "cache_memlimit" Node,
    /// `metadump`, until it is asked for
    Metadump "metadump" Node,
    /// `mgdump`, until it is asked for
    Mgdump "mgdump" Node,
    /// `watch`, until the server has agreed
    Watch "watch" Node,
}

impl Operation {
    pub(crate) const COUNT: usize = Self::ALL.len();

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// Whether it reads items, so that each of its keys is a hit or a miss.
    pub(crate) const fn is_lookup(self) -> bool {
        matches!(
            self,
            Self::Get
                | Self::Gets
                | Self::GetAndTouch
                | Self::GetsAndTouch
                | Self::MetaGet
                | Self::GetMulti
                | Self::GetsMulti
                | Self::MetaGetMulti
        )
    }

    /// What an operation on many keys does with each of them.
    pub(crate) const fn for_one_key(self) -> Self {
        match self {
            Self::GetMulti => Self::Get,
            Self::GetsMulti => Self::Gets,
            Self::MetaGetMulti => Self::MetaGet,
            Self::SetMulti => Self::Set,
            Self::DeleteMulti => Self::Delete,
            Self::TouchMulti => Self::Touch,
            Self::IncrementMulti => Self::Increment,
            Self::DecrementMulti => Self::Decrement,
            single => single,
        }
    }

    /// The name as a batch, for operations on many keys that write. Reads and deletes of many keys
    /// are one logical operation.
    pub(crate) const fn batch_name(self) -> Option<&'static str> {
        match self {
            Self::SetMulti => Some("BATCH set"),
            Self::TouchMulti => Some("BATCH touch"),
            Self::IncrementMulti => Some("BATCH incr"),
            Self::DecrementMulti => Some("BATCH decr"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_indexes_are_unique() {
        let names: HashSet<_> = Operation::ALL.iter().map(|it| it.as_str()).collect();
        assert_eq!(names.len(), Operation::COUNT);
        for (index, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(operation.index(), index);
        }
    }

    #[test]
    fn what_is_done_to_many_keys_is_done_to_each() {
        for operation in Operation::ALL {
            let one = operation.for_one_key();
            if operation.scope() == Scope::Keys {
                assert_eq!(one.scope(), Scope::Key);
                assert_eq!(operation.as_str(), format!("{}_multi", one.as_str()));
                assert_eq!(operation.is_lookup(), one.is_lookup());
            } else {
                assert_eq!((one, operation.batch_name()), (*operation, None));
            }
            if let Some(batch) = operation.batch_name() {
                assert_eq!(batch, format!("BATCH {}", one.as_str()));
            }
        }
    }
}
