//! The command scripts of `data/scripts`, run against two servers whose replies must be the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use memlens_tests::difference::{self, Side};
use memlens_tests::script::ScriptFile;
use memlens_tests::{Kind, Memcached, Seed};

const SHOWN_IN_FULL: usize = 3;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/scripts")
}

fn read(name: &str) -> ScriptFile {
    ScriptFile::read(&folder().join(format!("{name}.txt")))
}

/// Runs every script of the file against both and fails with all differences.
fn compare(file: &ScriptFile, sides: [Side<'_>; 2]) {
    let seed = Seed::from_environment();
    let mut differences = Vec::new();
    for (index, script) in file.scripts.iter().enumerate() {
        let mut random = seed.generator(index as u64);
        if let Err(difference) = difference::compare(script, sides, &mut random) {
            differences.push((script.title.clone(), difference));
        }
    }
    if differences.is_empty() {
        return;
    }
    let total = file.scripts.len();
    let mut report = format!(
        "{}: {} of {total} scripts differ\n",
        file.path.display(),
        differences.len()
    );
    for (title, _) in &differences {
        report += &format!("  {title}\n");
    }
    for (_, difference) in differences.iter().take(SHOWN_IN_FULL) {
        report += &format!("\n{difference}");
    }
    panic!("{report}");
}

/// Two processes of the same program show what differs although nothing is wrong: the comparison must not
/// see it. Against the node, it must see everything else.
fn compare_memcached_with(other: Kind, name: &str) {
    let file = read(name);
    let reference = Memcached::reference(&file.all_arguments());
    let other_server = match other {
        Kind::Memcached => other.start_with(&file.all_arguments()),
        Kind::Node => other.start_with(&file.server_arguments),
    };
    let other_name = match other {
        Kind::Memcached => "another memcached".to_owned(),
        Kind::Node => other.to_string(),
    };
    compare(
        &file,
        [
            Side {
                name: "memcached",
                address: reference.address(),
            },
            Side {
                name: &other_name,
                address: other_server.address(),
            },
        ],
    );
}

/// Two tests per file, and the list of the files that have them.
macro_rules! script_files {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(mod $name {
            use memlens_tests::Kind;

            #[test]
            fn memcached_answers_as_itself() {
                super::compare_memcached_with(Kind::Memcached, stringify!($name));
            }

            #[test]
            fn the_node_answers_as_memcached() {
                super::compare_memcached_with(Kind::Node, stringify!($name));
            }
        })*
    };
}

script_files! {
    admin
    counters
    delete_touch
    disabled
    expiry
    keys
    lines
    meta_arithmetic
    meta_base64
    meta_debug
    meta_delete
    meta_get
    meta_lease
    meta_set
    metadump
    no_cas
    noreply
    pipelines
    retrieval
    sizes_512k
    sizes_2m
    sizes_default
    sizes_slab
    storage
}

#[test]
fn every_script_file_is_run() {
    let present: BTreeSet<String> = fs::read_dir(folder())
        .expect("read the folder of scripts")
        .map(|entry| entry.expect("read a folder entry").path())
        .map(|path| {
            path.file_stem()
                .expect("a file name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let run: BTreeSet<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(present, run);
}
