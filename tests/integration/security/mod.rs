//! Who may read and who may ask: TLS, logins, and that no secret is told.

use std::time::Duration;

use memlens::Config;
use memlens_tests::{Authority, Identity, Memcached};

mod login;
mod secrets;
mod tls;

/// A memcached that shows this certificate and takes these options besides.
fn encrypted(identity: &Identity, options: &[String]) -> Memcached {
    Memcached::with_arguments(&identity.memcached_arguments(options))
}

/// A configuration for these memcacheds, with the deadlines of a busy machine and a backoff that
/// nobody has to wait for.
fn config(scheme: &str, servers: &[&Memcached]) -> Config {
    let servers: Vec<String> = servers
        .iter()
        .map(|server| server.address().to_string())
        .collect();
    let mut config: Config = format!("{scheme}://{}", servers.join(","))
        .parse()
        .expect("a URL");
    config.operation_timeout = Duration::from_secs(20);
    config.connect_timeout = Duration::from_secs(20);
    config.backoff_base = Duration::from_millis(1);
    config.backoff_cap = Duration::from_millis(1);
    config
}

/// A configuration that trusts this authority.
fn trusting(authority: &Authority, servers: &[&Memcached]) -> Config {
    let mut config = config("memcaches", servers);
    if let Some(tls) = &mut config.tls {
        tls.roots = Some(memlens::config::Pem::file(authority.certificate()));
    }
    config
}
