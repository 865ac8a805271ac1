//! The settings of a node, checked as memcached checks its command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::store::{PAGE_SIZE, SlabLayout};

/// The smallest and the largest item size limit memcached accepts.
const ITEM_MAX_RANGE: std::ops::RangeInclusive<usize> = 1024..=1024 * 1024 * 1024;
/// The most users an authentication file may list; memcached ignores the rest.
const USERS_MAX: usize = 8;

/// How long a silent client of another machine keeps its connection, unless that was chosen. It is ten
/// times what most clients take to probe a connection.
const REMOTE_IDLE_TIMEOUT: Duration = Duration::from_secs(600);

/// A user of ASCII authentication.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: Vec<u8>,
    pub(crate) password: Vec<u8>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").finish_non_exhaustive()
    }
}

/// Everything that is fixed once a node runs.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    /// What `stats settings` prints as `inter`.
    pub(crate) interface: Option<String>,
    pub(crate) allow_remote: bool,
    pub(crate) allow_remote_without_login: bool,
    pub(crate) unix_socket: Option<PathBuf>,
    /// The page budget, in bytes.
    pub(crate) memory: usize,
    pub(crate) max_item_size: usize,
    pub(crate) max_connections: usize,
    pub(crate) growth_factor: f64,
    pub(crate) min_space: usize,
    pub(crate) evictions: bool,
    pub(crate) cas: bool,
    pub(crate) verbosity: u32,
    pub(crate) threads: usize,
    pub(crate) allow_shutdown: bool,
    pub(crate) allow_flush: bool,
    pub(crate) allow_dump: bool,
    pub(crate) allow_watch: bool,
    /// `None`: not chosen.
    pub(crate) chosen_idle_timeout: Option<Duration>,
    pub(crate) track_sizes: bool,
    pub(crate) users: Vec<User>,
    /// What `stats settings` prints as `auth_enabled_ascii`.
    pub(crate) auth_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            interface: None,
            allow_remote: false,
            allow_remote_without_login: false,
            unix_socket: None,
            memory: 64 * 1024 * 1024,
            max_item_size: 1024 * 1024,
            max_connections: 1024,
            growth_factor: 1.25,
            min_space: 48,
            evictions: true,
            cas: true,
            verbosity: 0,
            threads: 4,
            allow_shutdown: false,
            allow_flush: true,
            allow_dump: true,
            allow_watch: true,
            chosen_idle_timeout: None,
            track_sizes: false,
            users: Vec::new(),
            auth_file: None,
        }
    }
}

impl Config {
    /// The largest chunk: half a page, or the largest item where that is smaller.
    pub(crate) fn chunk_max(&self) -> usize {
        (PAGE_SIZE / 2).min(self.max_item_size)
    }

    /// Whether other machines may be able to connect.
    pub(crate) fn is_remote(&self) -> bool {
        self.unix_socket.is_none() && !self.ip.is_loopback()
    }

    /// After how long without a command a client is closed; zero is never.
    pub(crate) fn idle_timeout(&self) -> Duration {
        self.chosen_idle_timeout.unwrap_or(match self.is_remote() {
            true => REMOTE_IDLE_TIMEOUT,
            false => Duration::ZERO,
        })
    }

    pub(crate) fn slab_layout(&self) -> SlabLayout {
        SlabLayout {
            factor: self.growth_factor,
            min_space: self.min_space,
            chunk_max: self.chunk_max(),
            item_max: self.max_item_size,
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::config(message));
        if self.is_remote() && !self.allow_remote {
            return refuse(format!(
                "refusing to listen on {}, which other machines can reach; say allow_remote \
                 (--allow-remote) if that is meant, and set up a login",
                self.ip
            ));
        }
        if self.is_remote() && self.users.is_empty() && !self.allow_remote_without_login {
            return refuse(format!(
                "refusing to listen on {} without a login: anyone who can reach it could read, change \
                 and delete everything in this node, and use up its memory; set up users (-Y), or say \
                 allow_remote_without_login (--allow-remote-without-login) if that is meant",
                self.ip
            ));
        }
        if self.max_connections == 0 {
            return refuse("the connection limit must be greater than 0".into());
        }
        if self.threads == 0 {
            return refuse("the number of threads must be greater than 0".into());
        }
        if !self.growth_factor.is_finite() || self.growth_factor <= 1.0 {
            return refuse("the slab growth factor must be greater than 1".into());
        }
        if self.min_space == 0 || self.min_space > self.chunk_max() / 2 {
            let most = self.chunk_max() / 2;
            return refuse(format!(
                "the smallest chunk's space must be 1 to {most} bytes"
            ));
        }
        if self.users.len() > USERS_MAX {
            return refuse(format!("at most {USERS_MAX} users can be authenticated"));
        }
        self.check_sizes()
    }

    fn check_sizes(&self) -> Result<()> {
        let item = self.max_item_size;
        let chunk = self.chunk_max();
        if !ITEM_MAX_RANGE.contains(&item) {
            return Err(Error::config("the item size limit must be 1 KiB to 1 GiB"));
        }
        if item > self.memory / 2 {
            return Err(Error::config(
                "the item size limit cannot be over half of the memory limit",
            ));
        }
        if !item.is_multiple_of(chunk) || !PAGE_SIZE.is_multiple_of(chunk) {
            let message = "the item size limit must divide 512 KiB or be a multiple of it";
            return Err(Error::config(message));
        }
        Ok(())
    }
}

/// Reads `user:password` lines, as memcached's authentication file has them.
pub(crate) fn parse_users(text: &[u8]) -> Result<Vec<User>> {
    let mut users = Vec::new();
    for line in text
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(Error::config(
                "each line of the authentication file must be user:password",
            ));
        };
        users.push(User {
            name: line[..colon].to_vec(),
            password: line[colon + 1..].to_vec(),
        });
    }
    if users.is_empty() {
        return Err(Error::config("the authentication file names no user"));
    }
    Ok(users)
}
