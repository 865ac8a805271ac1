//! The items that are written on one side and read on the other.

use fastrand::Rng;
use memlens::value::Datum;
use memlens::{Result, ToValue};

/// A value as both sides can say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Bytes(Vec<u8>),
    Integer(i64),
    Boolean(bool),
}

/// What is stored under one key.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) key: String,
    pub(super) content: Content,
}

/// Everything that some client does not take is left out for all its items.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Keys with bytes of 0x80 and above.
    pub(super) non_ascii_keys: bool,
    /// Keys with a `/`.
    pub(super) slashes: bool,
}

impl Scope {
    pub(super) const ALL: Self = Self {
        non_ascii_keys: true,
        slashes: true,
    };
}

const LONGEST_KEY: usize = memlens::MAX_KEY_LENGTH;

/// `count` items, always the same. `side` keeps the keys of two lists apart.
pub(super) fn items(count: usize, side: &str, scope: Scope) -> Vec<Item> {
    let mut random = Rng::with_seed(count as u64);
    (0..count)
        .map(|index| Item {
            key: key(index, side, scope),
            content: content(index, &mut random),
        })
        .collect()
}

fn key(index: usize, side: &str, scope: Scope) -> String {
    let key = match index % 8 {
        0 => format!("{side}:user:{index}"),
        1 => format!("{side}:schlüssel-ß:{index}"),
        2 => format!("{side}:ключ:鍵:🔑:{index}"),
        3 => padded(&format!("{side}:{index}:"), 'k'),
        4 => padded(&format!("{side}:{index}:"), 'é'),
        5 => format!("{{{index}}}:{side}?a=%20&b=[c]#\\'\"/x"),
        6 => format!("{index}{side}"),
        _ => format!("{side}.{:x}", index.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    };
    key.chars()
        .map(|character| match character {
            '/' if !scope.slashes => '.',
            c if !c.is_ascii() && !scope.non_ascii_keys => '_',
            c => c,
        })
        .collect()
}

/// Filled up to the longest key there may be.
fn padded(start: &str, with: char) -> String {
    let mut key = start.to_owned();
    while key.len() + with.len_utf8() <= LONGEST_KEY {
        key.push(with);
    }
    while key.len() < LONGEST_KEY {
        key.push('.');
    }
    key
}

fn content(index: usize, random: &mut Rng) -> Content {
    // Not in step with the keys, so that all kinds of both meet.
    match index % 11 {
        0 => Content::Integer(random.i64(-1000..1000)),
        1 => Content::Integer(random.i64(..)),
        2 => Content::Boolean(random.bool()),
        3 => Content::Text(String::new()),
        4 => Content::Text(format!("text {index}")),
        5 => Content::Text(format!("größer ≠ kleiner, {index} 🔑")),
        // Long and repetitive: whoever compresses will do so here.
        6 => Content::Text(format!("sentence {index}, ").repeat(300)),
        7 => Content::Bytes(b"\r\nEND\r\nVALUE a 0 1\r\n\0".to_vec()),
        8 => Content::Bytes((0..=255).collect()),
        9 => Content::Bytes((0..random.usize(1..2000)).map(|_| random.u8(..)).collect()),
        _ => Content::Text(index.to_string()),
    }
}

impl Content {
    /// What a reader sees who is told of no types: Python's `str()` of the value.
    pub(super) fn as_python_text(&self) -> Self {
        Self::Bytes(match self {
            Self::Boolean(true) => b"True".to_vec(),
            Self::Boolean(false) => b"False".to_vec(),
            other => other.plain(),
        })
    }

    /// What a reader sees who makes no difference between text and bytes.
    pub(super) fn text_as_bytes(&self) -> Self {
        match self {
            Self::Text(text) => Self::Bytes(text.clone().into_bytes()),
            other => other.clone(),
        }
    }

    /// What a reader sees who has no truth values.
    pub(super) fn boolean_as_integer(&self) -> Self {
        match self {
            Self::Boolean(value) => Self::Integer((*value).into()),
            other => other.clone(),
        }
    }

    /// What memlens read; what it could not understand says so.
    pub(super) fn from_datum(datum: Datum<'_>) -> std::result::Result<Self, String> {
        Ok(match datum {
            Datum::Text(text) => {
                let text = String::from_utf8(text.as_slice().to_vec());
                Self::Text(text.map_err(|error| error.to_string())?)
            }
            Datum::Bytes(bytes) => Self::Bytes(bytes.as_slice().to_vec()),
            Datum::Int32(number) => Self::Integer(number.into()),
            Datum::Integer(number) => Self::Integer(
                number
                    .try_into()
                    .map_err(|_| format!("the number {number}"))?,
            ),
            Datum::Bool(value) => Self::Boolean(value),
            other => return Err(format!("{other:?}")),
        })
    }

    /// The kind's name and the bytes, as `interop/README.md` writes them.
    pub(super) fn to_words(&self) -> String {
        let kind = match self {
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Integer(_) => "integer",
            Self::Boolean(_) => "boolean",
        };
        format!("{kind} {}", hexadecimal(&self.plain()))
    }

    /// The bytes, with everything else as text.
    pub(super) fn plain(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Boolean(value) => value.to_string().into_bytes(),
        }
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(digit).collect()
}

impl ToValue for Content {
    fn to_value(&self) -> Result<Datum<'_>> {
        match self {
            Self::Text(text) => text.to_value(),
            Self::Bytes(bytes) => bytes.to_value(),
            Self::Integer(number) => number.to_value(),
            Self::Boolean(value) => value.to_value(),
        }
    }
}
