//! Other clients.

mod async_memcached;
mod bb8_memcached;
mod external;
mod memcache;
mod memcache_async;
mod memcache_exp;

use super::runners::Threads;
use super::{Contender, on_both};

/// How many connections a pool has, and so how many callers have one each.
const POOL: usize = 64;

pub(super) fn add_all(all: &mut Vec<Box<dyn Contender>>) {
    all.push(Box::new(Threads::<memcache::Peer>::new()));
    on_both::<memcache_exp::Peer>(all);
    on_both::<async_memcached::Peer>(all);
    on_both::<async_memcached::Pooled>(all);
    on_both::<memcache_async::Peer>(all);
    on_both::<bb8_memcached::Peer>(all);
    all.push(Box::new(external::LIBMEMCACHED));
    all.push(Box::new(external::EMCACHE));
}
