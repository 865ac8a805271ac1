//! What stands in for TLS where the feature is off.

use crate::config;
use crate::error::{Error, Result};

/// There is none.
#[derive(Debug)]
pub(crate) enum Tls {}

impl Tls {
    pub(crate) fn new(_: &config::Tls) -> Result<Self> {
        Err(Error::invalid_input(
            "tls: this program was built without it; memlens has a feature `tls`",
        ))
    }
}
