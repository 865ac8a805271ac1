//! Every profile answers as its client does, for every recorded key.
//!
//! `tests/data/ring/README.md` tells what the files hold. The counts below make sure that no file
//! and no row is left out.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use memlens::ring::{Distribution, Member, Profile, Ring};

const FILES: usize = 94;
const ROWS: usize = 173_149;

/// One list of servers and what a client answered for it.
#[derive(Default)]
struct Case {
    name: String,
    members: Vec<Member>,
    down: Vec<usize>,
    /// Pairs of what is asked and which member must hold it.
    rows: Vec<(Question, usize)>,
}

enum Question {
    Key(String),
    Hash(u64),
}

struct Recording {
    file: String,
    profile: Profile,
    hash_tag: Option<(u8, u8)>,
    cases: Vec<Case>,
}

#[test]
fn every_recorded_answer_agrees() {
    let keys = keys();
    let mut files = 0;
    let mut rows = 0;
    let mut wrong = Vec::new();
    for path in answer_files() {
        let recording = read(&path, &keys);
        files += 1;
        for case in &recording.cases {
            rows += case.rows.len();
            let differing = differing_rows(&recording, case);
            if differing > 0 {
                let of = case.rows.len();
                let (file, name) = (&recording.file, &case.name);
                wrong.push(format!("{file}, {name}: {differing} of {of} rows differ"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((files, rows), (FILES, ROWS));
}

#[test]
fn every_profile_of_another_client_has_a_recording() {
    let keys = keys();
    let recorded: BTreeSet<&str> = answer_files()
        .iter()
        .map(|path| read(path, &keys).profile.name())
        .collect();
    let own: BTreeSet<&str> = Profile::all()
        .iter()
        .map(Profile::name)
        .filter(|name| !recorded.contains(name))
        .collect();
    assert_eq!(own, BTreeSet::from(["crc32-modulo", "jump", "rendezvous"]));
}

fn differing_rows(recording: &Recording, case: &Case) -> usize {
    let mut distribution = Distribution::from(recording.profile);
    if let Some((open, close)) = recording.hash_tag {
        distribution = distribution.with_hash_tag(open, close);
    }
    let ring = Ring::new(case.members.clone(), distribution).unwrap();
    case.rows
        .iter()
        .filter(|(question, expected)| {
            let answer = match question {
                Question::Hash(hash) => Some(ring.node_for_hash(*hash)),
                Question::Key(key) if case.down.is_empty() => Some(ring.node_for(key.as_bytes())),
                Question::Key(key) => ring
                    .nodes_for(key.as_bytes())
                    .find(|node| !case.down.contains(node)),
            };
            answer != Some(*expected)
        })
        .count()
}

fn read(path: &Path, keys: &[String]) -> Recording {
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap();
    let mut profile = None;
    let mut hash_tag = None;
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "client" | "how" => {}
            "profile" => profile = Some(rest.parse::<Profile>().unwrap()),
            "hash_tag" => hash_tag = Some((rest.as_bytes()[0], rest.as_bytes()[1])),
            "case" => cases.push(Case {
                name: rest.to_owned(),
                ..Case::default()
            }),
            _ => read_case_line(cases.last_mut().unwrap(), word, rest, keys),
        }
    }
    Recording {
        file,
        profile: profile.unwrap(),
        hash_tag,
        cases,
    }
}

fn read_case_line(case: &mut Case, word: &str, rest: &str, keys: &[String]) {
    let fields: Vec<&str> = rest.split(' ').collect();
    match (word, fields.as_slice()) {
        ("server", [path, "0", _]) => case.members.push(Member::unix(*path)),
        ("server", [host, port, weight]) => case
            .members
            .push(Member::tcp(*host, port.parse().unwrap()).with_weight(weight.parse().unwrap())),
        ("down", [server]) => case.down.push(server_index(server)),
        ("hash", [hash, server]) => case
            .rows
            .push((Question::Hash(hash.parse().unwrap()), server_index(server))),
        ("routed", [_, routing_key, server]) => case.rows.push((
            Question::Key((*routing_key).to_owned()),
            server_index(server),
        )),
        ("answers", [answers]) => {
            assert_eq!(answers.len(), keys.len(), "{}", case.name);
            for (key, answer) in keys.iter().zip(answers.chars()) {
                if answer != '.' {
                    let server = server_index(answer.encode_utf8(&mut [0; 4]));
                    case.rows.push((Question::Key(key.clone()), server));
                }
            }
        }
        _ => panic!("no such line: {word} {rest}"),
    }
}

/// Servers are numbered 0 to 9, then a to z.
fn server_index(digit: &str) -> usize {
    usize::from_str_radix(digit, 36).unwrap()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/ring")
}

fn keys() -> Vec<String> {
    let text = fs::read_to_string(data().join("keys.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn answer_files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(data().join("answers"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}
