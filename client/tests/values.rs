//! Every profile reads, and where it can writes, what its client really stored.
//!
//! `tests/data/values/README.md` tells what the files hold. The counts below make sure that no
//! client and no row is left out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use memlens::config::{KeyProfile, Namespace};
use memlens::value::{Codec, Datum, ValueProfile};
use memlens::{ErrorKind, FromValue, ToKey, ToValue, Value};

const ITEMS: &str = include_str!("data/values/items.txt");
const KEYS: &str = include_str!("data/values/keys.txt");
const PANGRAM: &str = "The quick brown fox jumps over the lazy dog. ";

/// What an application stored.
#[derive(Debug, PartialEq)]
enum Stored {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(String),
    Date(i64),
}

struct Row {
    client: &'static str,
    profile: ValueProfile,
    what: &'static str,
    value: Stored,
    /// `None` where the client refused the value.
    item: Option<Value>,
}

impl Row {
    fn is_compressed(&self) -> bool {
        let length = match &self.value {
            Stored::Text(text) => text.len(),
            Stored::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        self.item.as_ref().is_some_and(|item| item.len() < length)
    }

    fn read<T: FromValue>(&self) -> memlens::Result<T> {
        T::from_value(self.item.clone().unwrap(), &Codec::new(self.profile))
    }

    /// Whether the client keeps no trace of a value's kind.
    fn is_untyped(&self) -> bool {
        [ValueProfile::PYMEMCACHE, ValueProfile::DALLI_RAW].contains(&self.profile)
    }
}

#[test]
fn every_item_is_read() {
    let mut clients: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows() {
        *clients.entry(row.client).or_default() += 1;
        let Some(item) = &row.item else {
            continue;
        };
        assert_eq!(&row.read::<Value>().unwrap(), item);
        if row.is_compressed() && !cfg!(feature = "zlib") && !is_fastlz(item) {
            let error = row.read::<Datum<'_>>().unwrap_err();
            assert!(error.to_string().contains("feature `zlib`"), "{error}");
            continue;
        }
        let is_right = match &row.value {
            Stored::Null if row.is_untyped() => row.read::<Vec<u8>>().unwrap() == *item.data(),
            Stored::Null => row.read::<Option<String>>().unwrap().is_none(),
            Stored::Bool(value) => row.read::<bool>().unwrap() == *value,
            Stored::Integer(value) => row.read::<i128>().unwrap() == *value,
            Stored::Date(value) => row.read::<i64>().unwrap() == *value,
            Stored::Float(value) => row.read::<f64>().unwrap() == *value,
            Stored::Text(value) => row.read::<String>().unwrap() == *value,
            Stored::Bytes(value) => row.read::<Vec<u8>>().unwrap() == *value,
            Stored::List(value) => is_list_right(&row, item, value),
        };
        assert!(is_right, "{}: {}: {item:?}", row.client, row.what);
    }
    let counts: Vec<_> = clients.values().copied().collect();
    assert_eq!(
        (clients.len(), counts.iter().sum()),
        (21, 265),
        "{clients:?}"
    );
    assert_eq!(clients["php-memcached 3.2.0"], 13);
}

/// A list is text for the clients that know no lists, a document for those that write JSON, and
/// for all others unreadable: raw bytes and flags, and an error from every other type.
fn is_list_right(row: &Row, item: &Value, list: &str) -> bool {
    match row.read::<Datum<'_>>().unwrap() {
        Datum::Bytes(text) => row.is_untyped() && text.as_slice() == item.data(),
        Datum::Json(document) => {
            let parse = |text| serde_json::from_slice::<serde_json::Value>(text).unwrap();
            // JavaScript and PHP write 3.0 as 3.
            parse(document.as_slice()) == parse(list.replace("3.0", "3").as_bytes())
        }
        Datum::Opaque { data, flags, form } => {
            let errors = [
                row.read::<String>().unwrap_err(),
                row.read::<Vec<u8>>().unwrap_err(),
                row.read::<u64>().unwrap_err(),
                row.read::<Option<bool>>().unwrap_err(),
            ];
            let are_clear = errors.iter().all(|error| {
                let text = error.to_string();
                error.kind() == ErrorKind::Decode && text.contains(form) && !text.contains("two")
            });
            are_clear && data.as_slice() == item.data() && flags == item.flags()
        }
        _ => false,
    }
}

#[test]
fn every_value_is_written_as_its_client_does() {
    let mut same = 0;
    let mut equivalent = 0;
    for row in rows() {
        let (Some(item), Some(value)) = (&row.item, to_write(&row)) else {
            continue;
        };
        let mut codec = Codec::new(row.profile);
        if row.is_compressed() {
            match codec.clone().compress_above(100) {
                Ok(compressing) => codec = compressing,
                Err(_) => continue,
            }
        }
        let encoded = codec.encode(value.to_value().unwrap()).unwrap();
        let written = Value::new(encoded.payload.into_bytes(), encoded.flags);
        if written == *item {
            same += 1;
            continue;
        }
        let read = |value: Value| Datum::from_value(value, &codec).unwrap();
        assert_eq!(
            read(written.clone()),
            read(item.clone()),
            "{}: {}",
            row.client,
            row.what
        );
        // Python reads every protocol of its pickles, PHP every compression and serialization.
        let is_php = row.profile == ValueProfile::PHP_MEMCACHED;
        let is_pickle = item.data().starts_with(b"\x80\x05");
        assert!(
            is_php || written.flags() == item.flags(),
            "{}: {}",
            row.client,
            row.what
        );
        assert!(
            is_php || is_pickle || row.is_compressed(),
            "{}: {}: {written:?}",
            row.client,
            row.what
        );
        equivalent += 1;
    }
    if cfg!(feature = "zlib") {
        // All rows but 18 lists, a byte, a date and a refused text.
        assert_eq!(same + equivalent, 265 - 21);
        assert!(same > 200, "{same} are the same, {equivalent} equivalent");
    }
}

/// The value as a type of Rust. `None` for lists, and for two types that only Java has.
fn to_write(row: &Row) -> Option<Box<dyn ToValue>> {
    Some(match &row.value {
        Stored::List(_) | Stored::Date(_) => return None,
        Stored::Integer(_) if row.what == "byte" => return None,
        // The untyped clients write a text for it that they read as text.
        Stored::Null => Box::new(Datum::Null),
        Stored::Bool(value) => Box::new(*value),
        Stored::Integer(value) if row.what.starts_with("long") => {
            Box::new(i64::try_from(*value).unwrap())
        }
        Stored::Integer(value) => match i32::try_from(*value) {
            Ok(value) => Box::new(value),
            Err(_) => Box::new(*value),
        },
        Stored::Float(value) if row.what == "float" => Box::new(*value as f32),
        Stored::Float(value) => Box::new(*value),
        Stored::Text(value) => Box::new(value.clone()),
        Stored::Bytes(value) => Box::new(value.clone()),
    })
}

fn is_fastlz(item: &Value) -> bool {
    item.flags() & 0xf0 == 80
}

#[test]
fn every_key_is_rewritten_as_its_client_does() {
    let mut keys: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut profile = KeyProfile::PLAIN;
    let mut namespace = Namespace::default();
    let mut clients = 0;
    let mut rows = 0;
    for line in KEYS.lines().filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "key" => {
                let (name, key) = rest.split_once(' ').unwrap();
                keys.insert(name, bytes(key));
            }
            "client" => clients += 1,
            "profile" => profile = rest.parse().unwrap(),
            "namespace" => namespace = Namespace::new(rest).unwrap(),
            name => {
                rows += 1;
                let key = &keys[name];
                match (profile.rewrite(&namespace, key), rest) {
                    (Err(error), "refused") => assert_eq!(error.kind(), ErrorKind::InvalidKey),
                    (Ok(wire), "same") => assert_eq!(wire.as_bytes(), key, "{profile}: {name}"),
                    (Ok(wire), quoted) => {
                        assert_eq!(wire.as_bytes(), bytes(quoted), "{profile}: {name}");
                        assert_eq!(wire.to_key().unwrap().as_bytes(), bytes(quoted));
                    }
                    (Err(error), _) => panic!("{profile}: {name}: {error}"),
                }
            }
        }
    }
    assert_eq!((clients, keys.len(), rows), (11, 9, 99));
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut client = "";
    let mut profile = ValueProfile::PLAIN;
    for line in ITEMS.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("client ") {
            client = name;
        } else if let Some(name) = line.strip_prefix("profile ") {
            profile = name.parse().unwrap();
        } else {
            let fields: Vec<&str> = line.split('\t').collect();
            let item = match fields[2..] {
                ["refused"] => None,
                [flags, data] => Some(Value::new(bytes(data), flags.parse().unwrap())),
                _ => panic!("{line}"),
            };
            let value = stored(fields[1]);
            rows.push(Row {
                client,
                profile,
                what: fields[0],
                value,
                item,
            });
        }
    }
    rows
}

fn stored(field: &str) -> Stored {
    let (kind, value) = field.split_once(' ').unwrap_or((field, ""));
    match kind {
        "null" => Stored::Null,
        "bool" => Stored::Bool(value.parse().unwrap()),
        "int" => Stored::Integer(value.parse().unwrap()),
        "float" => Stored::Float(value.parse().unwrap()),
        "text" => Stored::Text(String::from_utf8(bytes(value)).unwrap()),
        "bytes" => Stored::Bytes(bytes(value)),
        "list" => Stored::List(value.to_owned()),
        "date" => Stored::Date(value.parse().unwrap()),
        _ => panic!("{field}"),
    }
}

/// The bytes of a quoted text, or of a repeated sentence.
fn bytes(field: &str) -> Vec<u8> {
    if let Some(times) = field.strip_prefix("pangram*") {
        return PANGRAM.repeat(times.parse().unwrap()).into_bytes();
    }
    let quoted = field
        .strip_prefix('"')
        .and_then(|field| field.strip_suffix('"'));
    let mut parts = quoted.unwrap_or_else(|| panic!("{field}")).split('\\');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    while let Some(part) = parts.next() {
        match part.strip_prefix('x') {
            Some(part) => {
                bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            // The empty part between two backslashes.
            None => {
                bytes.push(b'\\');
                bytes.extend_from_slice(parts.next().unwrap().as_bytes());
            }
        }
    }
    bytes
}
