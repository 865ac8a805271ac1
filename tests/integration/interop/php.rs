//! PHP's memcached extension.

use std::process::{Command, Stdio};

use memlens::ring::Profile;
use memlens::value::ValueProfile;

use super::driver::Driver;
use super::items::{Content, Scope};
use super::{Sharing, WEIGHTS};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/driver.php");
const INTERPRETER: &str = "php";

/// Makes the party that uses this client of `interop/driver.php`.
fn client(name: &'static str) -> impl Fn(&[String]) -> Driver {
    let status = Command::new(INTERPRETER)
        .args(["-r", "exit(extension_loaded('memcached') ? 0 : 1);"])
        .stdin(Stdio::null())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "no PHP with the memcached extension: install it (Debian packages `php-cli` and \
         `php-memcached`)"
    );
    move |servers| Driver::new(INTERPRETER.into(), SCRIPT, name, servers)
}

/// Over the text protocol it takes ASCII keys only; text and bytes are the same to PHP.
fn php(ring: Profile) -> Sharing {
    Sharing {
        weights: WEIGHTS,
        compress_above: Some(1000),
        scope: Scope {
            non_ascii_keys: false,
            ..Scope::ALL
        },
        written: Content::text_as_bytes,
        returned: Content::text_as_bytes,
        ..Sharing::new(ring, ValueProfile::PHP_MEMCACHED)
    }
}

#[tokio::test]
async fn modula() {
    php(Profile::PHP_MEMCACHED)
        .check(client("php-memcached"))
        .await;
}

#[tokio::test]
async fn consistent() {
    php(Profile::PHP_MEMCACHED_CONSISTENT)
        .check(client("php-memcached-consistent"))
        .await;
}

#[tokio::test]
async fn libketama() {
    php(Profile::PHP_MEMCACHED_LIBKETAMA)
        .check(client("php-memcached-libketama"))
        .await;
}
