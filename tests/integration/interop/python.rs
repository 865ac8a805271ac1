//! python-memcached, pymemcache and pylibmc.

use std::env;
use std::process::{Command, Stdio};

use memlens::ring::Profile;
use memlens::value::ValueProfile;

use super::driver::Driver;
use super::items::Content;
use super::{Sharing, WEIGHTS};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/driver.py");

/// Names the environment variable with the interpreter to ask first.
const VARIABLE: &str = "PYTHON";

/// Where systems keep the interpreter that their packages' modules belong to, and the one on `PATH`.
const INTERPRETERS: [&str; 2] = ["/usr/bin/python3", "python3"];

/// The module behind a client's name, and Debian's package of it.
fn module(client: &str) -> (&'static str, &'static str) {
    match client.split('-').next() {
        Some("python") => ("memcache", "python3-memcache"),
        Some("pymemcache") => ("pymemcache", "python3-pymemcache"),
        Some("pylibmc") => ("pylibmc", "python3-pylibmc"),
        _ => panic!("interop/driver.py has no client {client}"),
    }
}

/// Makes the party that uses this client of `interop/driver.py`.
pub(super) fn client(name: &'static str) -> impl Fn(&[String]) -> Driver {
    let interpreter = interpreter(name);
    move |servers| Driver::new(interpreter.clone(), SCRIPT, name, servers)
}

/// The first interpreter that has the client's module.
fn interpreter(client: &str) -> String {
    let (module, package) = module(client);
    env::var(VARIABLE)
        .into_iter()
        .chain(INTERPRETERS.map(str::to_owned))
        .find(|interpreter| can_import(interpreter, module))
        .unwrap_or_else(|| {
            panic!(
                "no module {module} for Python: install it (Debian package `{package}`), or set \
                 {VARIABLE} to the path of an interpreter that has it"
            )
        })
}

fn can_import(interpreter: &str, module: &str) -> bool {
    let status = Command::new(interpreter)
        .args(["-c", &format!("import {module}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn python_memcached() {
    let sharing = Sharing {
        weights: WEIGHTS,
        compress_above: Some(1000),
        ..Sharing::new(Profile::PYTHON_MEMCACHED, ValueProfile::PYTHON_MEMCACHED)
    };
    sharing.check(client("python-memcached")).await;
}

#[tokio::test]
async fn pymemcache() {
    let sharing = Sharing {
        written: Content::as_python_text,
        returned: Content::as_python_text,
        ..Sharing::new(Profile::PYMEMCACHE, ValueProfile::PYMEMCACHE)
    };
    sharing.check(client("pymemcache")).await;
}

#[tokio::test]
async fn pymemcache_serde() {
    Sharing::new(Profile::PYMEMCACHE, ValueProfile::PYMEMCACHE_SERDE)
        .check(client("pymemcache-serde"))
        .await;
}

#[tokio::test]
async fn pymemcache_bytes_keys() {
    Sharing::new(
        Profile::PYMEMCACHE_BYTES_KEYS,
        ValueProfile::PYMEMCACHE_SERDE,
    )
    .check(client("pymemcache-bytes-keys"))
    .await;
}

/// pylibmc marks truth values as such, but reads them as numbers.
fn pylibmc(ring: Profile) -> Sharing {
    Sharing {
        weights: WEIGHTS,
        compress_above: Some(1000),
        returned: Content::boolean_as_integer,
        ..Sharing::new(ring, ValueProfile::PYLIBMC)
    }
}

#[tokio::test]
async fn pylibmc_modula() {
    pylibmc(Profile::PYLIBMC).check(client("pylibmc")).await;
}

#[tokio::test]
async fn pylibmc_ketama() {
    pylibmc(Profile::PYLIBMC_KETAMA)
        .check(client("pylibmc-ketama"))
        .await;
}

#[tokio::test]
async fn pylibmc_ketama_md5() {
    pylibmc(Profile::PYLIBMC_KETAMA_MD5)
        .check(client("pylibmc-ketama-md5"))
        .await;
}

#[tokio::test]
async fn pylibmc_ketama_weighted() {
    pylibmc(Profile::PYLIBMC_KETAMA_WEIGHTED)
        .check(client("pylibmc-ketama-weighted"))
        .await;
}
