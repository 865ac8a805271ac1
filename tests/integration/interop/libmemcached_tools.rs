//! libmemcached's memccp and memccat (upstream calls them memcp and memcat).

use std::fs;
use std::process::{Command, Output, Stdio};

use memlens::ring::Profile;
use memlens::value::ValueProfile;
use tempfile::TempDir;

use super::items::{Content, Item, Scope};
use super::{Party, Sharing};

/// The two programs with `--hash`, or with its default.
struct Tools {
    /// `host:port,host:port`.
    servers: String,
    hash: Option<&'static str>,
}

impl Tools {
    fn new(servers: &[String], hash: Option<&'static str>) -> Self {
        let without_weights: Vec<&str> = servers
            .iter()
            .map(|server| server.rsplit_once(':').expect("a weight").0)
            .collect();
        Self {
            servers: without_weights.join(","),
            hash,
        }
    }

    /// Runs the program of one of these names with the items' keys.
    fn run(&self, names: [&str; 2], folder: &TempDir, items: &[Item]) -> Output {
        let run = |name: &&str| {
            let mut command = Command::new(name);
            command.arg(format!("--servers={}", self.servers));
            command.args(self.hash.map(|hash| format!("--hash={hash}")));
            command.arg("--").args(items.iter().map(|item| &item.key));
            let command = command.current_dir(folder.path()).stdin(Stdio::null());
            command.output().ok()
        };
        names.iter().find_map(run).unwrap_or_else(|| {
            panic!(
                "{} not found: install libmemcached's tools (Debian package `libmemcached-tools`)",
                names[0]
            )
        })
    }

    fn cat(&self, items: &[Item]) -> Output {
        let nowhere = TempDir::new().expect("create a temporary folder");
        self.run(["memccat", "memcat"], &nowhere, items)
    }

    fn cat_one(&self, item: &Item) -> String {
        let output = self.cat(std::slice::from_ref(item));
        match output.stdout.strip_suffix(b"\n") {
            Some(value) => Content::Bytes(value.to_vec()).to_words(),
            None => "missing".into(),
        }
    }
}

impl Party for Tools {
    /// A file's name is the key, its content the value.
    fn set(&self, items: &[Item]) -> Vec<String> {
        let folder = TempDir::new().expect("create a temporary folder");
        for item in items {
            fs::write(folder.path().join(&item.key), item.content.plain()).expect("write a file");
        }
        let output = self.run(["memccp", "memcp"], &folder, items);
        assert!(
            output.status.success(),
            "{}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        vec!["stored".into(); items.len()]
    }

    /// memccat prints the values one after the other, so that only the expected output tells where
    /// each ends. If it is another, the keys are asked for one by one.
    fn get(&self, items: &[Item]) -> Vec<String> {
        let plain = |item: &Item| item.content.plain();
        let expected: Vec<u8> = items
            .iter()
            .flat_map(|item| [plain(item), b"\n".to_vec()].concat())
            .collect();
        let output = self.cat(items);
        if output.status.success() && output.stdout == expected {
            let words = |item| Content::Bytes(plain(item)).to_words();
            return items.iter().map(words).collect();
        }
        items.iter().map(|item| self.cat_one(item)).collect()
    }
}

async fn check(ring: Profile, hash: Option<&'static str>) {
    let sharing = Sharing {
        scope: Scope {
            slashes: false,
            ..Scope::ALL
        },
        written: |content| Content::Bytes(content.plain()),
        returned: |content| Content::Bytes(content.plain()),
        ..Sharing::new(ring, ValueProfile::PLAIN)
    };
    sharing.check(|servers| Tools::new(servers, hash)).await;
}

#[tokio::test]
async fn default_hash() {
    check(Profile::LIBMEMCACHED, None).await;
}

#[tokio::test]
async fn md5() {
    check(Profile::LIBMEMCACHED_MODULA_MD5, Some("MD5")).await;
}

#[tokio::test]
async fn crc() {
    check(Profile::LIBMEMCACHED_MODULA_CRC, Some("CRC")).await;
}

#[tokio::test]
async fn fnv1a_64() {
    check(Profile::LIBMEMCACHED_MODULA_FNV1A_64, Some("FNV1A_64")).await;
}
