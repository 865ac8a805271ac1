//! How connections are encrypted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::address::{Reason, check_host};
use crate::error::{Error, Result};

/// How connections are encrypted, and how servers and the client prove who they are.
///
/// It works with memcached's own TLS (its option `-Z`) and with whatever terminates TLS in front of
/// it. Needs the feature `tls`. Versions 1.3 and 1.2 are spoken, and nothing older. Unix sockets are
/// not encrypted, as memcached does not encrypt them either.
///
/// Servers are always verified: their certificate has to be signed, perhaps by way of others, by one
/// of the [`roots`](Self::roots), has to be valid today, and has to be for the name that the server
/// has in the configuration, or for the one that [`server_names`](Self::server_names) or
/// [`server_name`](Self::server_name) says.
///
/// Files are read when a client is made, which fails if they are of no use, and again for every
/// connection: those made after a certificate was renewed use the new one. Files that are of no use by
/// then, perhaps because one of two is written and the other is not yet, are passed over with a
/// warning in the log, and what was read before serves on. The roots of the operating system are not
/// read again by themselves.
///
/// ```no_run
/// use memlens::config::{Config, Pem, Tls};
///
/// let mut config: Config = "cache-01.internal,cache-02.internal".parse()?;
/// let mut tls = Tls::default();
/// tls.roots = Some(Pem::file("/etc/memlens/ca.pem"));
/// tls.certificate = Some(Pem::file("/etc/memlens/client.pem"));
/// config.tls = Some(tls);
/// assert_eq!(
///     config.to_string(),
///     "memcaches://cache-01.internal:11211,cache-02.internal:11211\
///      ?tls_ca=/etc/memlens/ca.pem&tls_certificate=/etc/memlens/client.pem"
/// );
/// # Ok::<(), memlens::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tls {
    /// The certificates that a server's has to be signed by. By default (`None`) those that the
    /// operating system trusts; the environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name
    /// others.
    pub roots: Option<Pem>,

    /// The certificate that the client shows to servers that ask for one, followed by those that
    /// lead to one that they trust. None by default.
    pub certificate: Option<Pem>,

    /// The private key of [`certificate`](Self::certificate). By default (`None`) it is looked for in
    /// the same file or text.
    pub key: Option<Pem>,

    /// The name that certificates have to be for, whatever the servers are called. By default
    /// (`None`) that is the host as it is configured, a name or an address.
    ///
    /// It is for servers that are configured by address, and share a certificate.
    pub server_name: Option<String>,

    /// The names that the certificates of single servers have to be for, by the name of the server
    /// as [`Client::node_names`](crate::Client::node_names) lists it, such as `10.0.0.1:11211`. They
    /// go before [`server_name`](Self::server_name).
    pub server_names: BTreeMap<String, String>,

    /// **Dangerous:** takes any certificate for any server, so that whoever can reach the network in
    /// between can read and change everything. For experiments. Logged as a warning. Needs the
    /// feature `dangerous-tls`. `false` by default.
    #[cfg(feature = "dangerous-tls")]
    pub dangerously_trust_anyone: bool,
}

/// Certificates or a key in the PEM form, in a file or in memory.
///
/// Its `Debug` form shows the file's path, and of what is in memory only the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    Text(Zeroizing<Vec<u8>>),
}

impl Pem {
    /// In this file, which is read when a client is made, and again for every connection.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// In memory. A URL can't carry it: it is left out where a [`Config`](super::Config) is written
    /// as one.
    #[must_use]
    pub fn text(pem: impl Into<Vec<u8>>) -> Self {
        Self(Source::Text(Zeroizing::new(pem.into())))
    }

    /// The file, if it is in one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Source::File(path) => Some(path),
            Source::Text(_) => None,
        }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn read(&self) -> Result<Zeroizing<Vec<u8>>> {
        match &self.0 {
            Source::Text(text) => Ok(text.clone()),
            Source::File(path) => std::fs::read(path).map(Zeroizing::new).map_err(|error| {
                Error::invalid_input(format!("{}: {error}", path.display())).caused_by(error)
            }),
        }
    }
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::File(path) => f.debug_tuple("Pem").field(path).finish(),
            Source::Text(text) => f.debug_struct("Pem").field("len", &text.len()).finish(),
        }
    }
}

/// The file's path, as errors name it.
impl fmt::Display for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::File(path) => path.display().fmt(f),
            Source::Text(text) => write!(f, "a text of {} bytes", text.len()),
        }
    }
}

impl Tls {
    pub(super) fn validate(&self) -> Result<()> {
        if self.key.is_some() && self.certificate.is_none() {
            return Err(Error::invalid_input("tls: a key without a certificate"));
        }
        for name in self.server_name.iter().chain(self.server_names.values()) {
            check_host(name)
                .map_err(|reason| Error::invalid_input(format!("tls: server name: {reason}")))?;
        }
        Ok(())
    }

    /// The name that the certificate of this node has to be for.
    #[cfg(feature = "tls")]
    pub(crate) fn name_of<'a>(&'a self, node: &str, host: &'a str) -> &'a str {
        let of_this = self.server_names.get(node);
        let name = of_this.or(self.server_name.as_ref());
        // A final dot says that a name is complete; certificates leave it out.
        let name = name.map_or(host, String::as_str);
        name.strip_suffix('.').unwrap_or(name)
    }

    /// Reads `node=name,node=name,name`.
    pub(super) fn read_names(&mut self, text: &str) -> Result<(), Reason> {
        for entry in text.split(',') {
            match entry.split_once('=') {
                None if self.server_name.is_some() => {
                    return Err("more than one name for all servers".into());
                }
                None => {
                    check_host(entry)?;
                    self.server_name = Some(entry.to_owned());
                }
                Some((node, name)) => {
                    check_host(name)?;
                    self.server_names.insert(node.to_owned(), name.to_owned());
                }
            }
        }
        Ok(())
    }

    pub(super) fn write_names(&self) -> String {
        let single = self.server_names.iter();
        let single = single.map(|(node, name)| format!("{node}={name}"));
        let all: Vec<String> = single.chain(self.server_name.clone()).collect();
        all.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_single_servers_go_before_the_name_of_all() {
        let mut tls = Tls::default();
        tls.read_names("10.0.0.1:11211=cache-01.internal,cache.internal,[::1]:1=cache-03.internal")
            .unwrap();
        let written = tls.write_names();
        let mut again = Tls::default();
        again.read_names(&written).unwrap();
        assert_eq!(again, tls);
        #[cfg(feature = "tls")]
        for (node, name) in [
            ("10.0.0.1:11211", "cache-01.internal"),
            ("10.0.0.2:11211", "cache.internal"),
            ("[::1]:1", "cache-03.internal"),
        ] {
            assert_eq!(tls.name_of(node, "host"), name);
        }
        #[cfg(feature = "tls")]
        assert_eq!(Tls::default().name_of("host.:1", "host."), "host");
        for bad in ["", "a,b", "a=", "a=b c", "a=b,"] {
            assert!(Tls::default().read_names(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_in_memory_are_not_shown() {
        let tls = Tls {
            key: Some(Pem::text("hunter2")),
            ..Tls::default()
        };
        assert!(!format!("{tls:?}").contains("hunter2"));
        let error = tls.validate().unwrap_err().to_string();
        assert!(error.contains("without a certificate"), "{error}");
    }
}
