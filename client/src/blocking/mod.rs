//! The client for programs without async.
//!
//! [`Client`] and [`NodeClient`] have the methods of [`memlens::Client`](crate::Client) and
//! [`memlens::NodeClient`](crate::NodeClient) under the same names, with the same arguments and
//! answers. Each blocks the calling thread until its operation is done, at the latest when its
//! deadline passes. Underneath is the same client: threads that share one also share its
//! connections, their requests travel together, and reads that come together are merged.
//!
//! ```no_run
//! use std::time::Duration;
//! use memlens::blocking::Client;
//!
//! fn main() -> memlens::Result<()> {
//!     let client = Client::connect("cache-01:11211,cache-02:11211")?;
//!     client.set("greeting", "hello", Duration::from_secs(60))?;
//!     let greeting: Option<String> = client.get("greeting")?;
//!     assert_eq!(greeting.as_deref(), Some("hello"));
//!
//!     std::thread::scope(|scope| {
//!         for worker in 0..8 {
//!             let client = client.clone();
//!             scope.spawn(move || client.incr(format!("done:{worker}"), 1));
//!         }
//!     });
//!     Ok(())
//! }
//! ```
//!
//! # Behaviour
//!
//! Making a client starts one thread of its own, which reads replies and keeps connections and time.
//! All clones share it; it ends with the last of them, and with the last [`NodeClient`] and
//! [`BlockingStream`] that came from them. Dropping them never waits, wherever it happens.
//!
//! # In async programs
//!
//! Use [`memlens::Client`](crate::Client) there. A thread that is running async code must not be
//! blocked, because other tasks wait for it: there, every method that would block fails with
//! [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) instead. Code that tokio allows to
//! block, under `tokio::task::spawn_blocking` or `block_in_place`, can use this client.

/// Declares methods that wait for the async method of the same name: those with one result, those
/// with a result for each of the `keys` or `items`, and those with a result for each node.
macro_rules! blocking_methods {
    ($of:ident; $(
        $(#[$summary:meta])*
        fn $name:ident $([$($generic:tt)*])? ($($argument:ident: $type:ty),*) -> $output:ty;
    )*) => {$(
        $(#[$summary])*
        #[doc = blocking_methods!(@see $of $name)]
        pub fn $name $(<$($generic)*>)? (&self, $($argument: $type),*) -> Result<$output> {
            self.runtime.wait(self.inner.$name($($argument),*))?
        }
    )*};
    (many, $of:ident; $(
        $(#[$summary:meta])*
        fn $name:ident [$($generic:tt)*] ($($argument:ident: $type:ty),*) -> $output:ty;
    )*) => {$(
        $(#[$summary])*
        #[doc = blocking_methods!(@see $of $name)]
        pub fn $name<$($generic)* K: ToKey>(
            &self,
            keys: impl IntoIterator<Item = K>,
            $($argument: $type),*
        ) -> Multi<K, $output> {
            let keys: Vec<K> = keys.into_iter().collect();
            match self.runtime.check() {
                Ok(waiting) => waiting.wait(self.inner.$name(keys, $($argument),*)),
                Err(error) => Multi::failure(keys, &error),
            }
        }
    )*};
    (per_node, $of:ident; $(
        $(#[$summary:meta])*
        fn $name:ident ($($argument:ident: $type:ty),*) -> $output:ty;
    )*) => {$(
        $(#[$summary])*
        #[doc = blocking_methods!(@see $of $name)]
        pub fn $name(&self, $($argument: $type),*) -> PerNode<$output> {
            match self.runtime.check() {
                Ok(waiting) => waiting.wait(self.inner.$name($($argument),*)),
                Err(error) => Multi::failure(self.node_names(), &error),
            }
        }
    )*};
    (@see $of:ident $name:ident) => {
        concat!("\nSee [`", stringify!($of), "::", stringify!($name), "`](crate::",
            stringify!($of), "::", stringify!($name), ").")
    };
}

mod client;
mod node;
mod runtime;
mod stream;
#[cfg(test)]
mod tests;
mod traced;

pub use client::Client;
pub use node::NodeClient;
pub use stream::BlockingStream;
pub use traced::TracedClient;
