//! What happens to a connection, told to whoever wants to know.

use std::fmt::Debug;
use std::time::Duration;

use super::dial::Ends;
use crate::error::Error;

pub(crate) trait Watcher: Debug + Send + Sync {
    /// A connection was made between these ends.
    fn connected(&self, took: Duration, ends: Ends);

    /// No connection could be made.
    fn dial_failed(&self, error: &Error);

    /// The connection ended, and nobody had asked for it.
    fn lost(&self, error: &Error);

    /// These many bytes were read.
    fn received(&self, bytes: usize);

    /// These many bytes were written.
    fn sent(&self, bytes: usize);
}
