//! What the meta commands answer.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::api::Cas;
use crate::error::{Error, Result};
use crate::proto::reply::{MetaCode, MetaReply};
use crate::proto::value_line::number as decimal;
use crate::value::{Codec, FromValue, Value};

/// How long an item will live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeToLive {
    /// Until it is deleted or evicted.
    Unlimited,
    /// For this long; whole seconds.
    Left(Duration),
}

/// What [`meta_get`](crate::Client::meta_get) tells of an item: what was asked for.
///
/// Its `Debug` form shows the lengths of key, value and opaque token.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetaItem {
    /// The value with its client flags.
    pub value: Option<Value>,
    /// The client flags.
    pub client_flags: Option<u32>,
    /// The state that [`cas`](crate::Client::cas) compares.
    pub cas: Option<Cas>,
    /// How long the item will live.
    pub time_to_live: Option<TimeToLive>,
    /// The length of the value, in bytes.
    pub size: Option<u64>,
    /// Whether the item was read since it was stored.
    pub was_hit_before: Option<bool>,
    /// How long ago the item was read last; whole seconds.
    pub last_access: Option<Duration>,
    /// The key as the server has it, with the namespace.
    pub key: Option<Bytes>,
    /// The word that was sent along.
    pub opaque: Option<Bytes>,
    /// The item is marked as stale (flag `X`).
    pub is_stale: bool,
    /// This caller has won the right to fill or renew the item (flag `W`).
    pub has_won: bool,
    /// Another caller has won it, and not used it so far (flag `Z`).
    pub is_won_by_another: bool,
    codec: Codec,
}

impl MetaItem {
    /// Reads the value, if it was asked for, as a `T`, by the client's value profile.
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) when it is no `T`.
    pub fn decode<T: FromValue>(&self) -> Result<Option<T>> {
        self.value
            .clone()
            .map(|value| T::from_value(value, &self.codec))
            .transpose()
    }
}

impl fmt::Debug for MetaItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaItem")
            .field("value", &self.value)
            .field("client_flags", &self.client_flags)
            .field("cas", &self.cas)
            .field("time_to_live", &self.time_to_live)
            .field("size", &self.size)
            .field("was_hit_before", &self.was_hit_before)
            .field("last_access", &self.last_access)
            .field("key_len", &self.key.as_ref().map(Bytes::len))
            .field("opaque_len", &self.opaque.as_ref().map(Bytes::len))
            .field("is_stale", &self.is_stale)
            .field("has_won", &self.has_won)
            .field("is_won_by_another", &self.is_won_by_another)
            .finish()
    }
}

/// How a meta command that changes an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaStatus {
    /// It is done (`HD`).
    Done,
    /// There is no such item (`NF`).
    NotFound,
    /// The mode's condition was not met (`NS`).
    NotStored,
    /// The item is not in the state to compare (`EX`).
    Exists,
}

/// The answer to a [`meta_set`](crate::Client::meta_set) or
/// [`meta_delete`](crate::Client::meta_delete).
///
/// Its `Debug` form leaves out key and opaque token.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetaOutcome {
    /// How it ended.
    pub status: MetaStatus,
    /// The item's new state, if it was asked for.
    pub cas: Option<Cas>,
    /// The key as the server has it, with the namespace, if it was asked for.
    pub key: Option<Bytes>,
    /// The word that was sent along.
    pub opaque: Option<Bytes>,
}

impl fmt::Debug for MetaOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetaOutcome")
            .field("status", &self.status)
            .field("cas", &self.cas)
            .finish_non_exhaustive()
    }
}

/// The answer to a [`meta_arithmetic`](crate::Client::meta_arithmetic).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetaCount {
    /// How it ended.
    pub status: MetaStatus,
    /// The new number, if it was asked for.
    pub number: Option<u64>,
    /// What else was asked for.
    pub item: MetaItem,
}

const BAD: &str = "a meta flag that is not understood";

#[inline]
pub(super) fn item(reply: MetaReply, codec: &Codec) -> Result<Option<MetaItem>> {
    match reply.code {
        MetaCode::Value | MetaCode::Done => Ok(Some(details(reply, codec)?)),
        MetaCode::Miss => Ok(None),
        _ => Err(Error::protocol("a reply to another meta command")),
    }
}

pub(super) fn count(reply: MetaReply, codec: &Codec) -> Result<MetaCount> {
    let digits = reply.data().map(<[u8]>::trim_ascii_end);
    Ok(MetaCount {
        number: digits.map(number).transpose()?,
        status: status(reply.code)?,
        item: details(reply, codec)?,
    })
}

fn status(code: MetaCode) -> Result<MetaStatus> {
    match code {
        MetaCode::Done | MetaCode::Value => Ok(MetaStatus::Done),
        MetaCode::NotFound => Ok(MetaStatus::NotFound),
        MetaCode::NotStored => Ok(MetaStatus::NotStored),
        MetaCode::Exists => Ok(MetaStatus::Exists),
        MetaCode::Miss | MetaCode::Noop | MetaCode::Debug => {
            Err(Error::protocol("a reply to another meta command"))
        }
    }
}

/// The flags of a reply, before anything is made that somebody keeps.
#[derive(Default)]
struct Flags<'a> {
    client_flags: Option<u32>,
    cas: Option<u64>,
    time_to_live: Option<TimeToLive>,
    size: Option<u64>,
    was_hit_before: Option<bool>,
    last_access: Option<u64>,
    key: Option<&'a [u8]>,
    is_base64: bool,
    opaque: Option<&'a [u8]>,
    is_stale: bool,
    has_won: bool,
    is_won_by_another: bool,
}

impl<'a> Flags<'a> {
    #[inline(always)]
    fn parse(flags: &'a [u8]) -> Result<Self> {
        let mut found = Self::default();
        for token in flags.split(|byte| *byte == b' ') {
            let Some((letter, rest)) = token.split_first() else {
                continue; // The space in front.
            };
            match letter {
                b'f' => found.client_flags = Some(number(rest)?),
                b'c' => found.cas = Some(number(rest)?),
                b't' if rest == b"-1" => found.time_to_live = Some(TimeToLive::Unlimited),
                b't' => {
                    found.time_to_live = Some(TimeToLive::Left(Duration::from_secs(number(rest)?)));
                }
                b's' => found.size = Some(number(rest)?),
                b'h' => found.was_hit_before = Some(rest == b"1"),
                b'l' => found.last_access = Some(number(rest)?),
                b'k' => found.key = Some(rest),
                b'O' => found.opaque = Some(rest),
                b'X' => found.is_stale = true,
                b'W' => found.has_won = true,
                b'Z' => found.is_won_by_another = true,
                b'b' => found.is_base64 = true,
                _ => {} // A flag of a later memcached.
            }
        }
        Ok(found)
    }

    /// The key as the server has it.
    #[inline]
    fn key(&self, reply: &MetaReply) -> Result<Option<Bytes>> {
        match self.key {
            Some(key) if self.is_base64 => decode(key).map(Some),
            key => Ok(key.map(|key| reply.keep(key))),
        }
    }
}

#[inline(always)]
fn details(reply: MetaReply, codec: &Codec) -> Result<MetaItem> {
    let flags = Flags::parse(reply.flags())?;
    // Filled in once and at its end: it is large to be moved about.
    Ok(MetaItem {
        key: flags.key(&reply)?,
        opaque: flags.opaque.map(|opaque| reply.keep(opaque)),
        client_flags: flags.client_flags,
        cas: flags.cas.map(Cas::new),
        time_to_live: flags.time_to_live,
        size: flags.size,
        was_hit_before: flags.was_hit_before,
        last_access: flags.last_access.map(Duration::from_secs),
        is_stale: flags.is_stale,
        has_won: flags.has_won,
        is_won_by_another: flags.is_won_by_another,
        codec: codec.clone(),
        value: {
            let client_flags = flags.client_flags.unwrap_or_default();
            let data = reply.into_data();
            data.map(|data| Value::new(data, client_flags))
        },
    })
}

pub(super) fn outcome(reply: &MetaReply) -> Result<MetaOutcome> {
    let flags = Flags::parse(reply.flags())?;
    Ok(MetaOutcome {
        status: status(reply.code)?,
        cas: flags.cas.map(Cas::new),
        key: flags.key(reply)?,
        opaque: flags.opaque.map(|opaque| reply.keep(opaque)),
    })
}

pub(super) fn debug(reply: &MetaReply) -> Result<Option<Vec<(String, String)>>> {
    match reply.code {
        MetaCode::Debug => {}
        MetaCode::Miss => return Ok(None),
        _ => return Err(Error::protocol("a reply to another meta command")),
    }
    let line = String::from_utf8_lossy(reply.flags());
    // The first word is the key.
    let fields = line.split_ascii_whitespace().skip(1);
    let pair = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        (name.to_owned(), value.to_owned())
    };
    Ok(Some(fields.map(pair).collect()))
}

#[inline]
fn number<T: TryFrom<u64>>(token: &[u8]) -> Result<T> {
    match decimal(token) {
        Some((number, b"")) => T::try_from(number).ok(),
        _ => None,
    }
    .ok_or_else(|| Error::protocol(BAD))
}

fn decode(key: &[u8]) -> Result<Bytes> {
    STANDARD
        .decode(key)
        .map(Bytes::from)
        .map_err(|_| Error::protocol(BAD))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: MetaCode, flags: &'static str, data: Option<&'static str>) -> MetaReply {
        match data {
            Some(data) => {
                let payload = [flags, "\r\n", data].concat().into();
                MetaReply::with_data(code, payload, (flags.len(), data.len()))
            }
            None => MetaReply::without_data(code, Bytes::from_static(flags.as_bytes())),
        }
    }

    #[test]
    fn every_flag_finds_its_field() {
        let flags = " f5 c31696 t597 s11 h1 l3 kuser:demo O42 X W Z y9";
        let item = item(
            reply(MetaCode::Value, flags, Some("hello world")),
            &Codec::default(),
        )
        .unwrap()
        .unwrap();
        assert_eq!(item.value, Some(Value::new("hello world", 5)));
        assert_eq!(item.cas, Some(Cas::new(31_696)));
        assert_eq!(
            item.time_to_live,
            Some(TimeToLive::Left(Duration::from_secs(597)))
        );
        assert_eq!((item.size, item.was_hit_before), (Some(11), Some(true)));
        assert_eq!(item.last_access, Some(Duration::from_secs(3)));
        assert_eq!(item.key.as_deref(), Some(&b"user:demo"[..]));
        assert_eq!(item.opaque.as_deref(), Some(&b"42"[..]));
        assert!(item.is_stale && item.has_won && item.is_won_by_another);
    }

    #[test]
    fn base64_keys_come_back_as_their_bytes() {
        let item = item(
            reply(MetaCode::Done, " kAAEC b t-1", None),
            &Codec::default(),
        )
        .unwrap()
        .unwrap();
        assert_eq!(item.key.as_deref(), Some(&[0, 1, 2][..]));
        assert_eq!(item.time_to_live, Some(TimeToLive::Unlimited));
        assert!(super::item(reply(MetaCode::Done, " k!! b", None), &Codec::default()).is_err());
        assert!(super::item(reply(MetaCode::Done, " sx", None), &Codec::default()).is_err());
    }

    #[test]
    fn misses_and_refusals_are_told_apart() {
        assert_eq!(
            item(reply(MetaCode::Miss, "", None), &Codec::default()).unwrap(),
            None
        );
        let status = |code| outcome(&reply(code, "", None)).map(|outcome| outcome.status);
        assert_eq!(status(MetaCode::NotStored).unwrap(), MetaStatus::NotStored);
        assert_eq!(status(MetaCode::Exists).unwrap(), MetaStatus::Exists);
        assert!(status(MetaCode::Miss).is_err());
    }

    #[test]
    fn debug_lines_are_pairs() {
        let line = " user:demo exp=-599 la=1 cas=31696 fetch=yes cls=1 size=83";
        let fields = debug(&reply(MetaCode::Debug, line, None)).unwrap().unwrap();
        assert_eq!(fields.len(), 6);
        assert_eq!(fields[0], ("exp".to_owned(), "-599".to_owned()));
    }
}
